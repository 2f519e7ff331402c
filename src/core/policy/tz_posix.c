/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/tz_posix.c - see tz_posix.h. */
#include "core/policy/tz_posix.h"

#include "base/time.h"

enum {
    HOUR_S = 3600,
    DAY_S = 86400,
    MAX_OFFSET_H = 24,
    MAX_TIME_H = 167,
    DEFAULT_TIME_S = 2 * HOUR_S,
    MIN_NAME = 3,
    YEAR_MIN = 1,
    YEAR_MAX = 9999,
};

struct cursor {
    const char *at, *end;
};

static bool peek(const struct cursor *c, char byte)
{
    return c->at < c->end && *c->at == byte;
}

static bool take(struct cursor *c, char byte)
{
    if (!peek(c, byte)) {
        return false;
    }
    c->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take_number(struct cursor *c, int min, int max, int *out)
{
    int value = 0, digits = 0;
    while (c->at < c->end && is_digit(*c->at) && digits < 3) {
        value = value * 10 + (*c->at++ - '0');
        digits++;
    }
    if (digits == 0 || value < min || value > max || (c->at < c->end && is_digit(*c->at))) {
        return false;
    }
    *out = value;
    return true;
}

static bool take_name(struct cursor *c)
{
    bool quoted = take(c, '<');
    const char *start = c->at;
    while (c->at < c->end && (is_letter(*c->at) || (quoted && (is_digit(*c->at) || *c->at == '+' || *c->at == '-')))) {
        c->at++;
    }
    return c->at - start >= MIN_NAME && (!quoted || take(c, '>'));
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_time(struct cursor *c, int max_hours, int32_t *out_s)
{
    int hours = 0, minutes = 0, seconds = 0;
    bool negative = take(c, '-');
    if (!negative) {
        (void)take(c, '+');
    }
    if (!take_number(c, 0, max_hours, &hours)) {
        return false;
    }
    if (take(c, ':')) {
        if (!take_number(c, 0, 59, &minutes) || (take(c, ':') && !take_number(c, 0, 59, &seconds))) {
            return false;
        }
    }
    int32_t total = hours * HOUR_S + minutes * 60 + seconds;
    *out_s = negative ? -total : total;
    return true;
}

static bool take_change(struct cursor *c, struct sn_tz_change *out)
{
    bool ok;
    if (!take(c, ',')) {
        return false;
    }
    if (take(c, 'M')) {
        out->form = SN_TZ_DAY_MONTH;
        ok = take_number(c, 1, 12, &out->month) && take(c, '.') && take_number(c, 1, 5, &out->week) && take(c, '.') &&
             take_number(c, 0, 6, &out->weekday);
    } else if (take(c, 'J')) {
        out->form = SN_TZ_DAY_JULIAN;
        ok = take_number(c, 1, 365, &out->day);
    } else {
        out->form = SN_TZ_DAY_ZERO;
        ok = take_number(c, 0, 365, &out->day);
    }
    out->time_s = DEFAULT_TIME_S;
    return ok && (!take(c, '/') || take_time(c, MAX_TIME_H, &out->time_s));
}

bool sn_tz_rule_parse(struct sn_slice text, struct sn_tz_rule *out_rule)
{
    struct cursor c = {text.ptr, text.ptr + text.len};
    struct sn_tz_rule rule = {0};
    int32_t west = 0;

    if (text.len == 0 || !take_name(&c) || !take_time(&c, MAX_OFFSET_H, &west)) {
        return false;
    }
    rule.std_s = -west; /* POSIX counts west of Greenwich */
    if (c.at < c.end) {
        rule.has_dst = true;
        rule.dst_s = rule.std_s + HOUR_S;
        if (!take_name(&c)) {
            return false;
        }
        if (!peek(&c, ',')) {
            if (!take_time(&c, MAX_OFFSET_H, &west)) {
                return false;
            }
            rule.dst_s = -west;
        }
        if (!take_change(&c, &rule.start) || !take_change(&c, &rule.end) || c.at != c.end) {
            return false;
        }
    }
    *out_rule = rule;
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t change_day(const struct sn_tz_change *change, int year)
{
    int64_t first = sn_days_from_civil(year, 1, 1);
    switch (change->form) {
    case SN_TZ_DAY_ZERO:
        return first + change->day;
    case SN_TZ_DAY_JULIAN:
        return first + change->day - 1 + (is_leap(year) && change->day >= 60 ? 1 : 0);
    case SN_TZ_DAY_MONTH:
        break;
    }
    int64_t month_start = sn_days_from_civil(year, change->month, 1);
    int64_t month_end =
        change->month == 12 ? sn_days_from_civil(year + 1, 1, 1) : sn_days_from_civil(year, change->month + 1, 1);
    int64_t first_weekday = ((month_start + 4) % 7 + 7) % 7; /* day 0 was a Thursday; 0 is Sunday here */
    int64_t day = month_start + (change->weekday - first_weekday + 7) % 7 + 7 * (change->week - 1);
    while (day >= month_end) {
        day -= 7;
    }
    return day;
}

void sn_tz_rule_year(const struct sn_tz_rule *rule, int year, int64_t *out_start, int64_t *out_end)
{
    *out_start = change_day(&rule->start, year) * DAY_S + rule->start.time_s - rule->std_s;
    *out_end = change_day(&rule->end, year) * DAY_S + rule->end.time_s - rule->dst_s;
}

static int year_of(int64_t unix_s)
{
    static const int64_t first = -62135596800, last = 253402300799; /* years 1 and 9999 */
    if (unix_s < first) {
        return YEAR_MIN;
    }
    return unix_s > last ? YEAR_MAX : sn_civil_from_unix(unix_s).year;
}

int32_t sn_tz_rule_offset_s(const struct sn_tz_rule *rule, int64_t unix_s)
{
    if (!rule->has_dst) {
        return rule->std_s;
    }
    int year = year_of(unix_s);
    int64_t latest = INT64_MIN;
    int32_t offset = rule->std_s;
    for (int y = year - 2; y <= year + 1; y++) { /* changes may lie days outside their year */
        int64_t start, end;
        sn_tz_rule_year(rule, y, &start, &end);
        if (start <= unix_s && start > latest) {
            latest = start;
            offset = rule->dst_s;
        }
        if (end <= unix_s && end > latest) {
            latest = end;
            offset = rule->std_s;
        }
    }
    return offset;
}

int64_t sn_tz_rule_next_change(const struct sn_tz_rule *rule, int64_t unix_s)
{
    if (!rule->has_dst || rule->std_s == rule->dst_s) {
        return INT64_MAX;
    }
    /* The calendar repeats after 400 years. Only rules whose years run into one another need more than the first three.
     */
    enum { CALENDAR_YEARS = 400 };
    int year = year_of(unix_s);
    int64_t next = INT64_MAX;
    for (int y = year - 1; y <= year + 2 || (next == INT64_MAX && y <= year + CALENDAR_YEARS); y++) {
        int64_t changes[2];
        sn_tz_rule_year(rule, y, &changes[0], &changes[1]);
        for (int i = 0; i < 2; i++) {
            bool is_change = sn_tz_rule_offset_s(rule, changes[i]) != sn_tz_rule_offset_s(rule, changes[i] - 1);
            if (changes[i] > unix_s && changes[i] < next && is_change) {
                next = changes[i];
            }
        }
    }
    return next;
}
