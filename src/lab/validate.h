/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/validate.h - patterns and limits of the service models, refused in AWS's words.
 *
 * A check collects what it finds; sn_lab_validation_result() turns the collection into one ValidationError, "2
 * validation errors detected: Value 'a' at 'roleSessionName' failed to satisfy constraint: ...; Value ...".
 */
#ifndef SN_LAB_VALIDATE_H
#define SN_LAB_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum sn_lab_charset {
    SN_LAB_CHARS_ANY,       /* no pattern */
    SN_LAB_CHARS_NAME,      /* [\w+=,.@-]* */
    SN_LAB_CHARS_EXTERNAL,  /* [\w+=,.@:\/-]* */
    SN_LAB_CHARS_SERIAL,    /* [\w+=/:,.@-]* */
    SN_LAB_CHARS_DIGITS,    /* [\d]* */
    SN_LAB_CHARS_TAG_KEY,   /* [\p{L}\p{Z}\p{N}_.:/=+\-@]+ */
    SN_LAB_CHARS_TAG_VALUE, /* the same, may be empty */
    SN_LAB_CHARS_POLICY,    /* tab, LF, CR, U+0020 to U+00FF */
    SN_LAB_CHARS_PATH,      /* /[!-DEL]* */
};

struct sn_lab_rule {
    const char *member; /* as AWS names it: "roleSessionName" */
    size_t min, max;    /* in characters; max 0: none */
    enum sn_lab_charset chars;
};

struct sn_lab_validation {
    struct sn_buf text;
    size_t count;
};

void sn_lab_validation_clear(struct sn_lab_validation *validation);
/* value NULL: absent; a finding only when required. */
void sn_lab_validate(
    struct sn_lab_validation *validation, const struct sn_lab_rule *rule, const struct sn_slice *value, bool required);
/* The same with the place of a list element behind the name: "tags.1.member.key". */
void sn_lab_validate_item(struct sn_lab_validation *validation, const struct sn_lab_rule *rule, const char *list,
    size_t index, const char *member, struct sn_slice value);
/* A whole number in [min, max]; out_value is left alone when the value is absent or wrong. */
void sn_lab_validate_int(struct sn_lab_validation *validation, const char *member, const struct sn_slice *value,
    int64_t min, int64_t max, int64_t *out_value);
void sn_lab_validate_count(struct sn_lab_validation *validation, const char *member, size_t count, size_t max);
SN_MUST_CHECK enum sn_status sn_lab_validation_result(const struct sn_lab_validation *validation, struct sn_error *err);

#endif
