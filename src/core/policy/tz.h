/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/tz.h - time zones from TZif data (RFC 8536), never the process's own zone.
 *
 * Zone data is read once, when a document is compiled; a zone never changes afterwards and may be shared.
 */
#ifndef SN_CORE_POLICY_TZ_H
#define SN_CORE_POLICY_TZ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

struct sn_tz;

/* Gives the TZif bytes of a zone whose name has been checked; SN_NOT_FOUND when there is none. */
struct sn_tz_source {
    enum sn_status (*read)(void *ctx, struct sn_slice name, struct sn_buf *out_tzif, struct sn_error *err);
    void *ctx;
};

/* ^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}$, at most 64 bytes, not "Local". */
bool sn_tz_name_is_valid(struct sn_slice name);
/* Fails with SN_INVALID, INVALID_ZONE_DATA. Data with leap seconds is refused: it counts another kind of second. */
SN_MUST_CHECK enum sn_status sn_tz_parse(struct sn_slice tzif, struct sn_tz **out_zone, struct sn_error *err);
void sn_tz_free(struct sn_tz *zone);
void sn_tz_free_p(struct sn_tz **zone);
const struct sn_tz *sn_tz_utc(void);

/* Zones that a document owns. A zeroed struct is an empty set. */
struct sn_zone_set {
    struct sn_tz **items;
    size_t count, capacity;
};
void sn_zone_set_add(struct sn_zone_set *zones, struct sn_tz *zone);
void sn_zone_set_clear(struct sn_zone_set *zones);

/* Seconds east of UTC at that instant. */
int32_t sn_tz_offset_s(const struct sn_tz *zone, int64_t unix_s);
/*
 * First instant after unix_s at which the offset changes, or INT64_MAX: between two changes local time is UTC plus a
 * constant.
 */
int64_t sn_tz_next_change(const struct sn_tz *zone, int64_t unix_s);

#endif
