/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/validate.c - patterns and limits of the service models.
 */
#include "lab/validate.h"

#include "base/parse.h"

enum { VALUE_SHOWN_MAX = 256, TEXT_MAX_BYTES = 16 * 1024 };

static const char *pattern_of(enum sn_lab_charset chars)
{
    switch (chars) {
    case SN_LAB_CHARS_ANY:
        return "";
    case SN_LAB_CHARS_NAME:
        return "[\\w+=,.@-]*";
    case SN_LAB_CHARS_EXTERNAL:
        return "[\\w+=,.@:\\/-]*";
    case SN_LAB_CHARS_SERIAL:
        return "[\\w+=/:,.@-]*";
    case SN_LAB_CHARS_DIGITS:
        return "[\\d]*";
    case SN_LAB_CHARS_TAG_KEY:
        return "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+";
    case SN_LAB_CHARS_TAG_VALUE:
        return "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*";
    case SN_LAB_CHARS_POLICY:
        return "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
    case SN_LAB_CHARS_PATH:
        return "\\u002F[\\u0021-\\u007F]*";
    }
    return "";
}

static size_t characters_of(struct sn_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    }
    return count;
}

/* Tags: letters, separators and numbers of any script. Beyond ASCII every character is taken for one of them. */
static bool is_tag_text(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80 && !sn_slice_is_alnum_or(sn_slice_sub(text, i, 1), " _.:/=+-@")) {
            return false;
        }
    }
    return true;
}

static bool is_policy_text(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c > 0xC3 || c == 0x7F) {
            return false; /* lead bytes above C3 begin characters past U+00FF */
        }
    }
    return text.len > 0;
}

static bool fits(enum sn_lab_charset chars, struct sn_slice text)
{
    switch (chars) {
    case SN_LAB_CHARS_ANY:
        return true;
    case SN_LAB_CHARS_NAME:
        return sn_slice_is_alnum_or(text, "_+=,.@-");
    case SN_LAB_CHARS_EXTERNAL:
        return sn_slice_is_alnum_or(text, "_+=,.@:/-");
    case SN_LAB_CHARS_SERIAL:
        return sn_slice_is_alnum_or(text, "_+=/:,.@-");
    case SN_LAB_CHARS_DIGITS:
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] < '0' || text.ptr[i] > '9') {
                return false;
            }
        }
        return true;
    case SN_LAB_CHARS_TAG_KEY:
        return text.len > 0 && is_tag_text(text);
    case SN_LAB_CHARS_TAG_VALUE:
        return is_tag_text(text);
    case SN_LAB_CHARS_POLICY:
        return is_policy_text(text);
    case SN_LAB_CHARS_PATH:
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] < 0x21) {
                return false;
            }
        }
        return text.len > 0 && text.ptr[0] == '/';
    }
    return false;
}

static void begin(struct sn_lab_validation *validation, const struct sn_slice *value, const char *place)
{
    if (validation->text.max == 0) {
        validation->text.max = TEXT_MAX_BYTES;
    }
    if (validation->count++ > 0) {
        sn_buf_add_str(&validation->text, "; ");
    }
    if (value == NULL) {
        sn_buf_addf(&validation->text, "Value null at '%s' failed to satisfy constraint: ", place);
    } else {
        struct sn_slice shown = sn_slice_sub(*value, 0, VALUE_SHOWN_MAX);
        sn_buf_addf(&validation->text, "Value '%.*s' at '%s' failed to satisfy constraint: ", SN_PRI(shown), place);
    }
}

static void check(struct sn_lab_validation *validation, const struct sn_lab_rule *rule, const char *place,
    const struct sn_slice *value, bool required)
{
    if (value == NULL) {
        if (required) {
            begin(validation, NULL, place);
            sn_buf_add_str(&validation->text, "Member must not be null");
        }
        return;
    }
    size_t len = characters_of(*value);
    if (len < rule->min) {
        begin(validation, value, place);
        sn_buf_addf(&validation->text, "Member must have length greater than or equal to %zu", rule->min);
    }
    if (rule->max > 0 && len > rule->max) {
        begin(validation, value, place);
        sn_buf_addf(&validation->text, "Member must have length less than or equal to %zu", rule->max);
    }
    if (!fits(rule->chars, *value)) {
        begin(validation, value, place);
        sn_buf_addf(&validation->text, "Member must satisfy regular expression pattern: %s", pattern_of(rule->chars));
    }
}

void sn_lab_validation_clear(struct sn_lab_validation *validation)
{
    sn_buf_clear(&validation->text);
    validation->count = 0;
}

void sn_lab_validate(
    struct sn_lab_validation *validation, const struct sn_lab_rule *rule, const struct sn_slice *value, bool required)
{
    check(validation, rule, rule->member, value, required);
}

void sn_lab_validate_item(struct sn_lab_validation *validation, const struct sn_lab_rule *rule, const char *list,
    size_t index, const char *member, struct sn_slice value)
{
    SN_AUTO(sn_buf_clear) struct sn_buf place = SN_BUF_INIT(256);
    sn_buf_addf(&place, "%s.%zu.member%s%s", list, index, member[0] != '\0' ? "." : "", member);
    check(validation, rule, sn_buf_str(&place), &value, true);
}

void sn_lab_validate_int(struct sn_lab_validation *validation, const char *member, const struct sn_slice *value,
    int64_t min, int64_t max, int64_t *out_value)
{
    struct sn_error ignored = {0};
    int64_t number = 0;
    if (value == NULL) {
        return;
    }
    if (sn_parse_int(*value, INT32_MIN, INT32_MAX, &number, &ignored) != SN_OK) {
        begin(validation, value, member);
        sn_buf_add_str(&validation->text, "Member must be a whole number");
    } else if (number < min) {
        begin(validation, value, member);
        sn_buf_addf(&validation->text, "Member must have value greater than or equal to %lld", (long long)min);
    } else if (number > max) {
        begin(validation, value, member);
        sn_buf_addf(&validation->text, "Member must have value less than or equal to %lld", (long long)max);
    } else {
        *out_value = number;
    }
}

void sn_lab_validate_count(struct sn_lab_validation *validation, const char *member, size_t count, size_t max)
{
    if (count > max) {
        struct sn_slice shown = SN_S("[...]");
        begin(validation, &shown, member);
        sn_buf_addf(&validation->text, "Member must have length less than or equal to %zu", max);
    }
}

enum sn_status sn_lab_validation_result(const struct sn_lab_validation *validation, struct sn_error *err)
{
    if (validation->count == 0) {
        return SN_OK;
    }
    return sn_fail(err, SN_INVALID, "ValidationError", "%zu validation error%s detected: %s", validation->count,
        validation->count == 1 ? "" : "s", sn_buf_str(&validation->text));
}
