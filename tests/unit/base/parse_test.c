/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, durations and times as text. */
#include "test.h"

#include "base/parse.h"
#include "base/time.h"

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max;
        bool ok;
        int64_t value;
    } rows[] = {
        {"900", 900, 43200, true, 900},
        {"43200", 900, 43200, true, 43200},
        {"899", 900, 43200, false, 0},
        {"43201", 900, 43200, false, 0},
        {"", 0, 9, false, 0},
        {"0", 0, 9, true, 0},
        {"00", 0, 9, false, 0},
        {"0900", 900, 43200, false, 0},
        {"+900", 900, 43200, false, 0},
        {" 900", 900, 43200, false, 0},
        {"9e2", 900, 43200, false, 0},
        {"900.0", 900, 43200, false, 0},
        {"-1", 0, 9, false, 0},
        {"-1", -5, 9, true, -1},
        {"-0", -5, 9, false, 0},
        {"9223372036854775807", 0, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", 0, INT64_MAX, false, 0},
        {"-9223372036854775808", INT64_MIN, 0, true, INT64_MIN},
        {"99999999999999999999999", 0, INT64_MAX, false, 0},
        {"0x10", 0, 99, false, 0},
        {"\xd9\xa1", 0, 9, false, 0},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        int64_t value = -77;
        print_message("# '%s'\n", rows[i].text);
        enum sn_status status = sn_parse_int(sn_slice_str(rows[i].text), rows[i].min, rows[i].max, &value, &err);
        assert_int_equal(status == SN_OK, rows[i].ok);
        assert_true(value == (rows[i].ok ? rows[i].value : -77));
    }
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* 0: refused */
        const char *shown;
    } rows[] = {
        {"90m", 5400, "1h30m"},
        {"1h30m", 5400, "1h30m"},
        {"1.5h", 5400, "1h30m"},
        {"45s", 45, "45s"},
        {"1m30s", 90, "1m30s"},
        {"2h", 7200, "2h"},
        {"0.5m", 30, "30s"},
        {"12h", 43200, "12h"},
        {"0s", 0, NULL},
        {"", 0, NULL},
        {"90", 0, NULL},
        {"-5m", 0, NULL},
        {"1.5s", 0, NULL},
        {"1h 30m", 0, NULL},
        {"h", 0, NULL},
        {"1d", 0, NULL},
        {"1H", 0, NULL},
        {"1.h", 0, NULL},
        {".5h", 0, NULL},
        {"1e3s", 0, NULL},
        {"99999999999999999999h", 0, NULL},
        {"0.0000000001h", 0, NULL},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf shown = {0};
        struct sn_error err;
        int64_t seconds = 0;
        print_message("# '%s'\n", rows[i].text);
        enum sn_status status = sn_parse_duration(sn_slice_str(rows[i].text), &seconds, &err);
        assert_int_equal(status == SN_OK, rows[i].seconds > 0);
        assert_true(seconds == rows[i].seconds);
        if (rows[i].shown != NULL) {
            sn_format_duration(&shown, seconds);
            assert_string_equal(sn_buf_str(&shown), rows[i].shown);
        }
    }
    struct sn_error err;
    int64_t seconds;
    assert_fails(sn_parse_duration(SN_S("90"), &seconds, &err), &err, "INVALID_VALUE");
    assert_non_null(strstr(err.suggestion, "'90m'"));
    seconds = 7;
    assert_fails(sn_parse_duration(SN_S("0s"), &seconds, &err), &err, "INVALID_VALUE");
    assert_fails(sn_parse_duration_or_zero(SN_S("0"), &seconds, &err), &err, "INVALID_VALUE");
    assert_fails(sn_parse_duration_or_zero(SN_S("0.5s"), &seconds, &err), &err, "INVALID_VALUE");
    assert_int_equal(seconds, 7);
    assert_ok(sn_parse_duration_or_zero(SN_S("0h0m0s"), &seconds, &err), &err);
    assert_int_equal(seconds, 0);
    assert_ok(sn_parse_duration_or_zero(SN_S("1m"), &seconds, &err), &err);
    assert_int_equal(seconds, 60);
}

/* Expected instants from date -u -d. */
static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t unix_ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2026-02-01T10:00:00.000Z", true, 1769940000000},
        {"2026-02-01T10:00:00.123456Z", true, 1769940000123},
        {"2026-02-01T12:30:00+02:30", true, 1769940000000},
        {"2026-02-01T05:00:00-05:00", true, 1769940000000},
        {"2024-02-29T00:00:00Z", true, 1709164800000},
        {"1969-12-31T23:59:59.999Z", true, -1},
        {"0001-01-01T00:00:00Z", true, -62135596800000},
        {"9999-12-31T23:59:59Z", true, 253402300799000},
        {"2023-02-29T00:00:00Z", false, 0},
        {"2000-02-29T00:00:00Z", true, 951782400000},
        {"1900-02-29T00:00:00Z", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-01-01T24:00:00Z", false, 0},
        {"2026-01-01T23:59:60Z", false, 0},
        {"2026-01-01 00:00:00Z", false, 0},
        {"2026-01-01T00:00:00", false, 0},
        {"2026-01-01T00:00:00.Z", false, 0},
        {"2026-01-01T00:00:00Zx", false, 0},
        {"0000-01-01T00:00:00Z", false, 0},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        int64_t unix_ms = 0;
        print_message("# '%s'\n", rows[i].text);
        enum sn_status status = sn_time_parse_rfc3339(sn_slice_str(rows[i].text), &unix_ms, &err);
        assert_int_equal(status == SN_OK, rows[i].ok);
        assert_true(unix_ms == rows[i].unix_ms);
    }
    char out[SN_TIME_TEXT_MAX];
    assert_slice_equal(sn_time_format_rfc3339_ms(1769940000004, out), "2026-02-01T10:00:00.004Z");
    assert_slice_equal(sn_time_format_rfc3339_ms(-1, out), "1969-12-31T23:59:59.999Z");
    assert_slice_equal(sn_time_format_rfc3339_s(951782400, out), "2000-02-29T00:00:00Z");
    assert_slice_equal(sn_time_format_amz(1769940000, out), "20260201T100000Z");
    assert_slice_equal(sn_time_format_http(1769940000, out), "Sun, 01 Feb 2026 10:00:00 GMT");

    struct sn_error err;
    int64_t value;
    assert_fails(sn_time_parse_stored(SN_S("2026-02-01T10:00:00Z"), &value, &err), &err, "INVALID_TIME");
    assert_fails(sn_time_parse_stored(SN_S("2026-02-01T10:00+00:0.00Z"), &value, &err), &err, "INVALID_TIME");
    assert_ok(sn_time_parse_stored(SN_S("2026-02-01T10:00:00.004Z"), &value, &err), &err);
    assert_ok(sn_time_parse_amz(SN_S("20260201T100000Z"), &value, &err), &err);
    assert_true(value == 1769940000);
    assert_fails(sn_time_parse_amz(SN_S("20260231T100000Z"), &value, &err), &err, "INVALID_TIME");
}

/* Every day of 800 years there and back, and the weekday moves by one. */
static void calendar(void **state)
{
    (void)state;
    int weekday = sn_civil_from_unix(sn_days_from_civil(1600, 1, 1) * 86400).weekday;

    for (int64_t day = sn_days_from_civil(1600, 1, 1); day < sn_days_from_civil(2400, 1, 1); day++) {
        struct sn_civil c = sn_civil_from_unix(day * 86400);
        assert_true(sn_days_from_civil(c.year, c.month, c.day) == day);
        assert_int_equal(c.weekday, weekday);
        weekday = (weekday + 1) % 7;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(durations),
        cmocka_unit_test(times),
        cmocka_unit_test(calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
