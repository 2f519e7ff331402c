/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/window.c - see window.h. */
#include "core/policy/window.h"

#include "core/policy/tz.h"

enum { MINUTE_S = 60, WEEK_MINUTES = 7 * SN_MINUTES_PER_DAY };

bool sn_window_parse_minute(struct sn_slice text, bool is_end, uint16_t *out_minute)
{
    if (text.len != 5 || text.ptr[2] != ':') {
        return false;
    }
    for (size_t i = 0; i < 5; i++) {
        if (i != 2 && (text.ptr[i] < '0' || text.ptr[i] > '9')) {
            return false;
        }
    }
    int hour = (text.ptr[0] - '0') * 10 + text.ptr[1] - '0';
    int minute = (text.ptr[3] - '0') * 10 + text.ptr[4] - '0';
    bool is_day_end = is_end && hour == 24 && minute == 0;
    if ((hour > 23 && !is_day_end) || minute > 59) {
        return false;
    }
    *out_minute = (uint16_t)(hour * 60 + minute);
    return true;
}

bool sn_window_contains(const struct sn_window *w, const struct sn_tz *zone, int64_t unix_s)
{
    return sn_window_contains_wall(w, sn_wall_at(unix_s, sn_tz_offset_s(zone, unix_s)));
}

/* Minutes from at until the window is open, 0 if it is; counts at most a week, in which every window opens. */
static uint32_t minutes_until_open(const struct sn_window *w, struct sn_wall at)
{
    if (sn_window_contains_wall(w, at)) {
        return 0;
    }
    uint32_t best = WEEK_MINUTES;
    for (uint32_t day = 0; day <= 7; day++) { /* a window that is closed now opens at a from_min */
        if (((uint32_t)w->days >> ((at.weekday + day) % 7) & 1) == 0) {
            continue;
        }
        int64_t wait = (int64_t)day * SN_MINUTES_PER_DAY + w->from_min - (int64_t)at.minute;
        if (wait > 0 && wait < (int64_t)best) {
            best = (uint32_t)wait;
        }
    }
    return best;
}

int64_t sn_window_next_opening(const struct sn_window *w, const struct sn_tz *zone, int64_t unix_s, int64_t limit_s)
{
    int64_t at = unix_s;
    while (at < limit_s) { /* from one change of the offset to the next: between them local time runs evenly */
        int32_t offset = sn_tz_offset_s(zone, at);
        int64_t until = sn_tz_next_change(zone, at);
        uint32_t wait = minutes_until_open(w, sn_wall_at(at, offset));
        int64_t seconds_past = ((at + offset) % MINUTE_S + MINUTE_S) % MINUTE_S;
        int64_t opening = wait == 0 ? at : at - seconds_past + (int64_t)wait * MINUTE_S;
        if (opening < until) {
            return opening < limit_s ? opening : INT64_MAX;
        }
        at = until;
    }
    return INT64_MAX;
}
