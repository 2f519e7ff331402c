/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/time.h - instants to text and back, all in UTC.
 *
 * An instant is int64_t nanoseconds (unix_ns), milliseconds (unix_ms) or seconds (unix_s) since 1970-01-01T00:00:00Z.
 * Years 1 to 9999. No leap seconds: second 60 is refused.
 */
#ifndef SN_BASE_TIME_H
#define SN_BASE_TIME_H

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum {
    SN_TIME_RFC3339_MS_LEN = 24, /* 2026-02-01T10:00:00.000Z */
    SN_TIME_RFC3339_S_LEN = 20,  /* 2026-02-01T10:00:00Z */
    SN_TIME_AMZ_LEN = 16,        /* 20260201T100000Z */
    SN_TIME_HTTP_LEN = 29,       /* Sun, 01 Feb 2026 10:00:00 GMT */
    SN_TIME_TEXT_MAX = 32,       /* any of them with its NUL */
};

struct sn_civil {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int weekday; /* 0 Monday .. 6 Sunday */
};

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t sn_days_from_civil(int year, int month, int day);
struct sn_civil sn_civil_from_unix(int64_t unix_s);

/* Each writes its fixed length and a NUL into out, which has SN_TIME_TEXT_MAX bytes, and returns it as a slice. */
struct sn_slice sn_time_format_rfc3339_ms(int64_t unix_ms, char out[SN_TIME_TEXT_MAX]);
struct sn_slice sn_time_format_rfc3339_s(int64_t unix_s, char out[SN_TIME_TEXT_MAX]);
struct sn_slice sn_time_format_amz(int64_t unix_s, char out[SN_TIME_TEXT_MAX]);
struct sn_slice sn_time_format_http(int64_t unix_s, char out[SN_TIME_TEXT_MAX]);

/* RFC 3339 with any fraction (cut to milliseconds) and any numeric offset or Z. */
SN_MUST_CHECK enum sn_status sn_time_parse_rfc3339(struct sn_slice text, int64_t *out_unix_ms, struct sn_error *err);
/* The one stored form, exactly three fraction digits and Z. */
SN_MUST_CHECK enum sn_status sn_time_parse_stored(struct sn_slice text, int64_t *out_unix_ms, struct sn_error *err);
/* 20260201T100000Z, a real date. */
SN_MUST_CHECK enum sn_status sn_time_parse_amz(struct sn_slice text, int64_t *out_unix_s, struct sn_error *err);

#endif
