/* SPDX-License-Identifier: Apache-2.0 */
/* base/time.c - instants to text and back; see time.h. */
#include "base/time.h"

#include <stdbool.h>
#include <stdio.h>

static const char *const month_names[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Counts years from March, so that the leap day is the last of its year. */
int64_t sn_days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

struct sn_civil sn_civil_from_unix(int64_t unix_s)
{
    int64_t days = floor_div(unix_s, 86400);
    int64_t second_of_day = unix_s - days * 86400;
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    return (struct sn_civil){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = (int)month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .hour = (int)(second_of_day / 3600),
        .minute = (int)(second_of_day % 3600 / 60),
        .second = (int)(second_of_day % 60),
        .weekday = (int)((days % 7 + 7 + 3) % 7), /* 1970-01-01 was a Thursday */
    };
}

/* Writes value with exactly that many digits. Formatting by hand: this runs several times in every decision. */
static char *put_digits(char *at, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

/* YYYY-MM-DDTHH:MM:SS with or without separators; returns the end. */
static char *put_civil(char *at, const struct sn_civil *c, bool separators)
{
    at = put_digits(at, c->year, 4);
    if (separators) {
        *at++ = '-';
    }
    at = put_digits(at, c->month, 2);
    if (separators) {
        *at++ = '-';
    }
    at = put_digits(at, c->day, 2);
    *at++ = 'T';
    at = put_digits(at, c->hour, 2);
    if (separators) {
        *at++ = ':';
    }
    at = put_digits(at, c->minute, 2);
    if (separators) {
        *at++ = ':';
    }
    return put_digits(at, c->second, 2);
}

/* Instants outside years 1 to 9999 are shown as the nearest end of that range. */
static int64_t clamp_s(int64_t unix_s)
{
    static const int64_t first = -62135596800, last = 253402300799;

    return unix_s < first ? first : unix_s > last ? last : unix_s;
}

struct sn_slice sn_time_format_rfc3339_ms(int64_t unix_ms, char out[SN_TIME_TEXT_MAX])
{
    int64_t unix_s = floor_div(unix_ms, 1000);
    struct sn_civil c = sn_civil_from_unix(clamp_s(unix_s));
    char *at = put_civil(out, &c, true);

    *at++ = '.';
    at = put_digits(at, (int)(unix_ms - unix_s * 1000), 3);
    *at++ = 'Z';
    *at = '\0';
    return (struct sn_slice){out, SN_TIME_RFC3339_MS_LEN};
}

struct sn_slice sn_time_format_rfc3339_s(int64_t unix_s, char out[SN_TIME_TEXT_MAX])
{
    struct sn_civil c = sn_civil_from_unix(clamp_s(unix_s));
    char *at = put_civil(out, &c, true);

    *at++ = 'Z';
    *at = '\0';
    return (struct sn_slice){out, SN_TIME_RFC3339_S_LEN};
}

struct sn_slice sn_time_format_amz(int64_t unix_s, char out[SN_TIME_TEXT_MAX])
{
    struct sn_civil c = sn_civil_from_unix(clamp_s(unix_s));
    char *at = put_civil(out, &c, false);

    *at++ = 'Z';
    *at = '\0';
    return (struct sn_slice){out, SN_TIME_AMZ_LEN};
}

struct sn_slice sn_time_format_http(int64_t unix_s, char out[SN_TIME_TEXT_MAX])
{
    struct sn_civil c = sn_civil_from_unix(clamp_s(unix_s));
    char text[64];
    int len = snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[c.weekday], c.day,
        month_names[c.month - 1], c.year, c.hour, c.minute, c.second);

    SN_ASSERT(len == SN_TIME_HTTP_LEN);
    for (int i = 0; i <= len; i++) {
        out[i] = text[i];
    }
    return (struct sn_slice){out, SN_TIME_HTTP_LEN};
}

/* Takes exactly count digits off the text; false when they are not there. */
static bool take_digits(struct sn_slice *rest, int count, int *out_value)
{
    int value = 0;

    if (rest->len < (size_t)count) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        char c = rest->ptr[i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *rest = sn_slice_sub(*rest, (size_t)count, rest->len);
    *out_value = value;
    return true;
}

static bool take_byte(struct sn_slice *rest, char byte)
{
    if (rest->len == 0 || rest->ptr[0] != byte) {
        return false;
    }
    *rest = sn_slice_sub(*rest, 1, rest->len);
    return true;
}

static bool civil_is_real(const struct sn_civil *c)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;

    return c->year >= 1 && c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= days[c->month - 1] &&
           (c->month != 2 || c->day <= 28 + leap) && c->hour <= 23 && c->minute <= 59 && c->second <= 59;
}

static int64_t unix_of(const struct sn_civil *c)
{
    return sn_days_from_civil(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
}

static bool take_civil(struct sn_slice *rest, bool separators, struct sn_civil *c)
{
    *c = (struct sn_civil){0};
    return take_digits(rest, 4, &c->year) && (!separators || take_byte(rest, '-')) && take_digits(rest, 2, &c->month) &&
           (!separators || take_byte(rest, '-')) && take_digits(rest, 2, &c->day) && take_byte(rest, 'T') &&
           take_digits(rest, 2, &c->hour) && (!separators || take_byte(rest, ':')) &&
           take_digits(rest, 2, &c->minute) && (!separators || take_byte(rest, ':')) &&
           take_digits(rest, 2, &c->second) && civil_is_real(c);
}

/* Fraction digits behind a dot, cut to milliseconds; no dot is no fraction. */
static bool take_fraction(struct sn_slice *rest, int64_t *out_ms)
{
    int64_t ms = 0, scale = 100;
    size_t digits = 0;

    *out_ms = 0;
    if (!take_byte(rest, '.')) {
        return true;
    }
    while (rest->len > 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
        ms += (rest->ptr[0] - '0') * scale;
        scale /= 10;
        digits++;
        *rest = sn_slice_sub(*rest, 1, rest->len);
    }
    *out_ms = ms;
    return digits > 0 && digits <= 12;
}

/* "Z" or "+hh:mm"; seconds east of UTC. */
static bool take_offset(struct sn_slice *rest, int64_t *out_offset_s)
{
    int hours, minutes;

    *out_offset_s = 0;
    if (take_byte(rest, 'Z')) {
        return true;
    }
    bool west = rest->len > 0 && rest->ptr[0] == '-';
    if (!take_byte(rest, west ? '-' : '+') || !take_digits(rest, 2, &hours) || !take_byte(rest, ':') ||
        !take_digits(rest, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *out_offset_s = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

enum sn_status sn_time_parse_rfc3339(struct sn_slice text, int64_t *out_unix_ms, struct sn_error *err)
{
    struct sn_slice rest = text;
    struct sn_civil c;
    int64_t ms, offset_s;

    if (!take_civil(&rest, true, &c) || !take_fraction(&rest, &ms) || !take_offset(&rest, &offset_s) || rest.len != 0) {
        return sn_fail(err, SN_INVALID, "INVALID_TIME", "must be a time such as '2026-02-01T10:00:00Z'");
    }
    *out_unix_ms = (unix_of(&c) - offset_s) * 1000 + ms;
    return SN_OK;
}

enum sn_status sn_time_parse_stored(struct sn_slice text, int64_t *out_unix_ms, struct sn_error *err)
{
    if (text.len != SN_TIME_RFC3339_MS_LEN || text.ptr[19] != '.' || text.ptr[23] != 'Z') {
        return sn_fail(err, SN_INVALID, "INVALID_TIME", "must have the form '2026-02-01T10:00:00.000Z'");
    }
    return sn_time_parse_rfc3339(text, out_unix_ms, err);
}

enum sn_status sn_time_parse_amz(struct sn_slice text, int64_t *out_unix_s, struct sn_error *err)
{
    struct sn_slice rest = text;
    struct sn_civil c;

    if (!take_civil(&rest, false, &c) || !take_byte(&rest, 'Z') || rest.len != 0) {
        return sn_fail(err, SN_INVALID, "INVALID_TIME", "must have the form '20260201T100000Z'");
    }
    *out_unix_s = unix_of(&c);
    return SN_OK;
}
