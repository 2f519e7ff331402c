/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/text.c - length and characters of what people write.
 */
#include "core/request/text.h"

#include <stdbool.h>
#include <stdint.h>

const struct sn_text_rule sn_text_request_justification = {"justification", "INVALID_JUSTIFICATION", 10, 500};
const struct sn_text_rule sn_text_breakglass_justification = {"justification", "INVALID_JUSTIFICATION", 20, 1000};
const struct sn_text_rule sn_text_comment = {"comment", "INVALID_COMMENT", 0, 500};
const struct sn_text_rule sn_text_close_reason = {"reason", "INVALID_COMMENT", 1, 1000};

/* The code point of a well-formed sequence of that length. */
static uint32_t code_point(const char *bytes, size_t len)
{
    static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t value = (unsigned char)bytes[0] & lead_mask[len];

    for (size_t i = 1; i < len; i++) {
        value = value << 6 | ((unsigned char)bytes[i] & 0x3fU);
    }
    return value;
}

/* The White_Space property of Unicode, without the controls that no text may hold. */
static bool is_white_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool is_refused_control(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7f && c <= 0x9f);
}

enum sn_status sn_text_check(
    const struct sn_text_rule *rule, struct sn_slice text, struct sn_slice *out_trimmed, struct sn_error *err)
{
    size_t begin = text.len; /* of the first character that is no white space */
    size_t end = 0;          /* behind the last one */
    size_t chars = 0;        /* from begin to here */
    size_t chars_to_end = 0;

    for (size_t at = 0; at < text.len;) {
        size_t len = sn_utf8_sequence(sn_slice_sub(text, at, text.len));
        if (len == 0) {
            return sn_fail(err, SN_INVALID, rule->code, "the %s is not valid UTF-8", rule->what);
        }
        uint32_t c = code_point(text.ptr + at, len);
        if (is_refused_control(c)) {
            return sn_fail(err, SN_INVALID, rule->code, "the %s holds the control character U+%04X", rule->what, c);
        }
        if (!is_white_space(c)) {
            begin = begin == text.len ? at : begin;
            end = at + len;
        }
        chars += begin != text.len ? 1 : 0;
        chars_to_end = end == at + len ? chars : chars_to_end;
        at += len;
    }
    if (chars_to_end < rule->min_chars || chars_to_end > rule->max_chars) {
        return sn_fail(err, SN_INVALID, rule->code, "the %s has %zu characters; %zu to %zu are allowed", rule->what,
            chars_to_end, rule->min_chars, rule->max_chars);
    }
    *out_trimmed = end == 0 ? sn_slice_sub(text, 0, 0) : sn_slice_sub(text, begin, end - begin);
    return SN_OK;
}
