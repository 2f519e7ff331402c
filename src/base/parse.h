/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/parse.h - numbers, booleans and durations from text, and durations to text.
 *
 * All of the text must be used; no blanks, no locale. Failures are SN_INVALID with code INVALID_VALUE and a message
 * that tells the allowed form; a caller adds the name of the field with sn_error_context().
 */
#ifndef SN_BASE_PARSE_H
#define SN_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

/* Decimal without sign, leading zero or blank, within [min, max]. "-5" is accepted when min is negative. */
SN_MUST_CHECK enum sn_status sn_parse_int(
    struct sn_slice text, int64_t min, int64_t max, int64_t *out_value, struct sn_error *err);
/* Exactly "true" or "false". */
SN_MUST_CHECK enum sn_status sn_parse_bool(struct sn_slice text, bool *out_value, struct sn_error *err);
/*
 * One or more groups <decimal><unit>, units h, m and s: "90m", "1h30m", "1.5h". The sum is a whole number of seconds,
 * at least 1. A bare number fails with a hint that shows the form with a unit.
 */
SN_MUST_CHECK enum sn_status sn_parse_duration(struct sn_slice text, int64_t *out_seconds, struct sn_error *err);
/* The same where nothing is a duration too: "0s". */
SN_MUST_CHECK enum sn_status sn_parse_duration_or_zero(
    struct sn_slice text, int64_t *out_seconds, struct sn_error *err);
/* "2h", "45m", "1h30m", "1m30s", "45s"; "0s" for 0. */
void sn_format_duration(struct sn_buf *buf, int64_t seconds);

#endif
