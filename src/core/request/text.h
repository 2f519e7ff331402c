/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/text.h - what people write into records: justifications, comments, reasons.
 *
 * Such text is shown to other people, so it holds no control characters but tab, LF and CR. Lengths are Unicode code
 * points after white space at both ends is cut away, so that a row of blanks is no justification.
 */
#ifndef SN_CORE_REQUEST_TEXT_H
#define SN_CORE_REQUEST_TEXT_H

#include <stddef.h>

#include "base/error.h"
#include "base/slice.h"

struct sn_text_rule {
    const char *what; /* "justification" */
    const char *code; /* "INVALID_JUSTIFICATION" */
    size_t min_chars, max_chars;
};
extern const struct sn_text_rule sn_text_request_justification;    /* 10 to 500 */
extern const struct sn_text_rule sn_text_breakglass_justification; /* 20 to 1000 */
extern const struct sn_text_rule sn_text_comment;                  /* 0 to 500 */
extern const struct sn_text_rule sn_text_close_reason;             /* 1 to 1000 */

/* The text without white space at its ends, borrowed. Fails with SN_INVALID and the rule's code. */
SN_MUST_CHECK enum sn_status sn_text_check(
    const struct sn_text_rule *rule, struct sn_slice text, struct sn_slice *out_trimmed, struct sn_error *err);

#endif
