/* SPDX-License-Identifier: Apache-2.0 */
/* base/parse.c - numbers, booleans and durations; see parse.h. */
#include "base/parse.h"

#include <inttypes.h>

enum { NANO_DIGITS = 9, SECONDS_MAX = 1000000000 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum sn_status bad_int(int64_t min, int64_t max, struct sn_error *err)
{
    return sn_fail(err, SN_INVALID, "INVALID_VALUE", "must be a whole number from %" PRId64 " to %" PRId64, min, max);
}

enum sn_status sn_parse_int(struct sn_slice text, int64_t min, int64_t max, int64_t *out_value, struct sn_error *err)
{
    bool negative = min < 0 && text.len > 1 && text.ptr[0] == '-';
    struct sn_slice digits = negative ? sn_slice_sub(text, 1, text.len) : text;
    int64_t value = 0;

    if (digits.len == 0 || (digits.len > 1 && digits.ptr[0] == '0') || (negative && digits.ptr[0] == '0')) {
        return bad_int(min, max, err);
    }
    for (size_t i = 0; i < digits.len; i++) {
        int64_t digit = digits.ptr[i] - '0';
        if (!is_digit(digits.ptr[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return bad_int(min, max, err);
        }
    }
    /* Gathered as a negative number, whose range is the larger one. */
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value)) {
        return bad_int(min, max, err);
    }
    if (value < min || value > max) {
        return bad_int(min, max, err);
    }
    *out_value = value;
    return SN_OK;
}

enum sn_status sn_parse_bool(struct sn_slice text, bool *out_value, struct sn_error *err)
{
    bool is_true = sn_slice_eq(text, SN_S("true"));

    if (!is_true && !sn_slice_eq(text, SN_S("false"))) {
        return sn_fail(err, SN_INVALID, "INVALID_VALUE", "must be exactly 'true' or 'false'");
    }
    *out_value = is_true;
    return SN_OK;
}

static enum sn_status bad_duration(struct sn_slice text, struct sn_error *err)
{
    bool bare = text.len > 0;

    for (size_t i = 0; i < text.len; i++) {
        bare = bare && is_digit(text.ptr[i]);
    }
    sn_fail(err, SN_INVALID, "INVALID_VALUE", "must be a duration such as '90m', '1h30m' or '45s'");
    if (bare) {
        return sn_suggest(err, "add a unit: '%.*ss' for seconds, '%.*sm' for minutes", SN_PRI(text), SN_PRI(text));
    }
    return err->status;
}

/* One decimal number at the start of *rest, as whole units and billionths. False when it is not of the form. */
static bool take_decimal(struct sn_slice *rest, int64_t *out_whole, int64_t *out_nano)
{
    size_t at = 0;
    int64_t whole = 0, nano = 0;

    while (at < rest->len && is_digit(rest->ptr[at])) {
        whole = whole * 10 + (rest->ptr[at] - '0');
        if (whole > SECONDS_MAX) {
            return false;
        }
        at++;
    }
    if (at == 0) {
        return false;
    }
    if (at < rest->len && rest->ptr[at] == '.') {
        size_t digits = 0;
        at++;
        while (at < rest->len && is_digit(rest->ptr[at])) {
            if (digits == NANO_DIGITS) {
                return false;
            }
            nano = nano * 10 + (rest->ptr[at] - '0');
            digits++;
            at++;
        }
        if (digits == 0) {
            return false;
        }
        for (; digits < NANO_DIGITS; digits++) {
            nano *= 10;
        }
    }
    *rest = sn_slice_sub(*rest, at, rest->len);
    *out_whole = whole;
    *out_nano = nano;
    return true;
}

static enum sn_status not_whole(struct sn_error *err)
{
    return sn_fail(err, SN_INVALID, "INVALID_VALUE", "must be a whole number of seconds, at least 1s");
}

enum sn_status sn_parse_duration_or_zero(struct sn_slice text, int64_t *out_seconds, struct sn_error *err)
{
    static const int64_t billion = 1000000000;
    struct sn_slice rest = text;
    int64_t seconds = 0, nano = 0;

    if (text.len == 0) {
        return bad_duration(text, err);
    }
    while (rest.len > 0) {
        int64_t whole, fraction;
        if (!take_decimal(&rest, &whole, &fraction) || rest.len == 0) {
            return bad_duration(text, err);
        }
        char unit = rest.ptr[0];
        int64_t factor = unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : 0;
        if (factor == 0) {
            return bad_duration(text, err);
        }
        rest = sn_slice_sub(rest, 1, rest.len);
        seconds += whole * factor;
        nano += fraction * factor;
        seconds += nano / billion;
        nano %= billion;
        if (seconds > SECONDS_MAX) {
            return bad_duration(text, err);
        }
    }
    if (nano != 0) {
        return not_whole(err);
    }
    *out_seconds = seconds;
    return SN_OK;
}

enum sn_status sn_parse_duration(struct sn_slice text, int64_t *out_seconds, struct sn_error *err)
{
    int64_t seconds = 0;

    SN_TRY(sn_parse_duration_or_zero(text, &seconds, err));
    if (seconds == 0) {
        return not_whole(err);
    }
    *out_seconds = seconds;
    return SN_OK;
}

void sn_format_duration(struct sn_buf *buf, int64_t seconds)
{
    bool any = false;

    if (seconds < 0) {
        sn_buf_add_byte(buf, '-');
        seconds = -seconds;
    }
    if (seconds >= 3600) {
        sn_buf_addf(buf, "%" PRId64 "h", seconds / 3600);
        any = true;
    }
    if (seconds % 3600 >= 60) {
        sn_buf_addf(buf, "%" PRId64 "m", seconds % 3600 / 60);
        any = true;
    }
    if (seconds % 60 > 0 || !any) {
        sn_buf_addf(buf, "%" PRId64 "s", seconds % 60);
    }
}
