/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/tz_posix.h - the rule at the end of zone data: a POSIX TZ string with the extensions of RFC 8536.
 *
 * Tells the offset for every instant after the last one that the data lists. Pure arithmetic on a small struct.
 */
#ifndef SN_CORE_POLICY_TZ_POSIX_H
#define SN_CORE_POLICY_TZ_POSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum sn_tz_day_form { SN_TZ_DAY_MONTH, SN_TZ_DAY_JULIAN, SN_TZ_DAY_ZERO };

/* When in a year a change happens. */
struct sn_tz_change {
    enum sn_tz_day_form form; /* Mm.w.d, Jn (never 29 February) or n (0-based, counts it) */
    int month, week, weekday; /* of Mm.w.d; weekday 0 is Sunday */
    int day;                  /* of Jn and n */
    int32_t time_s;           /* local seconds after midnight, -167 h to 167 h */
};

struct sn_tz_rule {
    int32_t std_s, dst_s; /* seconds east of UTC */
    bool has_dst;
    struct sn_tz_change start, end; /* of daylight saving time */
};

/* False when text is not of the form. */
bool sn_tz_rule_parse(struct sn_slice text, struct sn_tz_rule *out_rule);
/* Instants at which daylight saving time begins and ends in that year. Only with has_dst. */
void sn_tz_rule_year(const struct sn_tz_rule *rule, int year, int64_t *out_start, int64_t *out_end);
int32_t sn_tz_rule_offset_s(const struct sn_tz_rule *rule, int64_t unix_s);
/* First change of the offset after unix_s, or INT64_MAX. */
int64_t sn_tz_rule_next_change(const struct sn_tz_rule *rule, int64_t unix_s);

#endif
