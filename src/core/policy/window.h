/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/window.h - weekly time windows in a named zone.
 *
 * Answers one question: does this instant fall inside the window? Reads no clock and no file. A parsed window never
 * changes and may be shared between threads.
 */
#ifndef SN_CORE_POLICY_WINDOW_H
#define SN_CORE_POLICY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct sn_tz; /* core/policy/tz.h */

enum { SN_MINUTES_PER_DAY = 1440, SN_ALL_DAYS = 0x7f };

struct sn_window {
    uint8_t days;      /* bit 0 Monday .. bit 6 Sunday: the day on which the window begins; never 0 */
    uint16_t from_min; /* minutes after local midnight, included */
    uint16_t to_min;   /* excluded; up to 1440 ("24:00"); below from_min: runs past midnight */
};

/* A reading of a wall clock. */
struct sn_wall {
    uint32_t weekday; /* 0 Monday */
    uint32_t minute;  /* after midnight */
};

/* "HH:MM", and "24:00" where is_end. False when it is not of that form. */
bool sn_window_parse_minute(struct sn_slice text, bool is_end, uint16_t *out_minute);

static inline struct sn_wall sn_wall_at(int64_t unix_s, int32_t offset_s)
{
    /* Shifted by a whole number of weeks beyond every instant of years 1 to 9999, so that division rounds down; 1970
     * began on a Thursday. Instants further out wrap around, which is defined and harmless. */
    static const uint64_t weeks_s = 200000ULL * 52 * 7 * 86400;
    uint64_t minutes = ((uint64_t)unix_s + (uint64_t)(int64_t)offset_s + weeks_s + 3 * 86400) / 60;
    uint32_t of_week = (uint32_t)(minutes % (7 * SN_MINUTES_PER_DAY));
    return (struct sn_wall){of_week / SN_MINUTES_PER_DAY, of_week % SN_MINUTES_PER_DAY};
}

static inline bool sn_window_contains_wall(const struct sn_window *w, struct sn_wall at)
{
    uint32_t today = ((uint32_t)w->days >> at.weekday) & 1;
    uint32_t yesterday = ((uint32_t)w->days >> (at.weekday == 0 ? 6 : at.weekday - 1)) & 1;
    uint32_t overnight = w->from_min > w->to_min;
    uint32_t after = at.minute >= w->from_min, before = at.minute < w->to_min;
    return ((today & after & (before | overnight)) | (yesterday & before & overnight)) != 0;
}

/* True if unix_s lies inside w on the wall clock of zone. */
bool sn_window_contains(const struct sn_window *w, const struct sn_tz *zone, int64_t unix_s);
/* First instant, at or after unix_s and before limit_s, inside the window; INT64_MAX when there is none. */
int64_t sn_window_next_opening(const struct sn_window *w, const struct sn_tz *zone, int64_t unix_s, int64_t limit_s);

#endif
