/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/record/attribute.c - attributes to text and back, and the text that is sealed.
 */
#include "core/record/attribute.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/random.h"

static const void *place_of(const struct sn_attribute *attribute, const void *record)
{
    return (const char *)record + attribute->offset;
}

static int64_t int_at(const struct sn_attribute *attribute, const void *record)
{
    int64_t value;

    memcpy(&value, place_of(attribute, record), sizeof(value));
    return value;
}

static struct sn_slice text_at(const struct sn_attribute *attribute, const void *record)
{
    struct sn_slice value;

    memcpy(&value, place_of(attribute, record), sizeof(value));
    return value;
}

static const char *word_at(const struct sn_attribute *attribute, const void *record)
{
    int value;

    memcpy(&value, place_of(attribute, record), sizeof(value));
    for (int i = 0; attribute->words[i] != NULL; i++) {
        if (i == value) {
            return attribute->words[i];
        }
    }
    SN_ASSERT(false);
    return "";
}

bool sn_attribute_is_absent(const struct sn_attribute *attribute, const void *record)
{
    switch (attribute->kind) {
    case SN_ATTRIBUTE_TEXT:
        return text_at(attribute, record).len == 0;
    case SN_ATTRIBUTE_TIME:
        return int_at(attribute, record) == 0;
    case SN_ATTRIBUTE_ID:
    case SN_ATTRIBUTE_INT:
    case SN_ATTRIBUTE_BOOL:
    case SN_ATTRIBUTE_WORD:
        return false;
    }
    SN_ASSERT(false);
    return false;
}

struct sn_slice sn_attribute_format(
    const struct sn_attribute *attribute, const void *record, char scratch[SN_ATTRIBUTE_TEXT_MAX])
{
    switch (attribute->kind) {
    case SN_ATTRIBUTE_ID:
        return sn_id_slice(place_of(attribute, record));
    case SN_ATTRIBUTE_TEXT:
        return text_at(attribute, record);
    case SN_ATTRIBUTE_INT:
        return sn_slice_sub((struct sn_slice){scratch, SN_ATTRIBUTE_TEXT_MAX}, 0,
            (size_t)snprintf(scratch, SN_ATTRIBUTE_TEXT_MAX, "%lld", (long long)int_at(attribute, record)));
    case SN_ATTRIBUTE_BOOL:
        return *(const bool *)place_of(attribute, record) ? SN_S("true") : SN_S("false");
    case SN_ATTRIBUTE_TIME:
        return sn_attribute_is_absent(attribute, record)
                   ? SN_S("")
                   : sn_time_format_rfc3339_ms(int_at(attribute, record), scratch);
    case SN_ATTRIBUTE_WORD:
        return sn_slice_str(word_at(attribute, record));
    }
    SN_ASSERT(false);
    return SN_S("");
}

/* --- Back --- */

static bool read_id(struct sn_slice text, void *place)
{
    struct sn_id id = {{0}};

    if (!sn_id_is_valid(text)) {
        return false;
    }
    memcpy(id.text, text.ptr, SN_ID_LEN);
    memcpy(place, &id, sizeof(id));
    return true;
}

static bool read_int(struct sn_slice text, void *place)
{
    struct sn_error ignored;
    int64_t value;

    if (sn_parse_int(text, INT64_MIN + 1, INT64_MAX, &value, &ignored) != SN_OK) {
        return false;
    }
    memcpy(place, &value, sizeof(value));
    return true;
}

static bool read_bool(struct sn_slice text, void *place)
{
    struct sn_error ignored;
    bool value;

    if (sn_parse_bool(text, &value, &ignored) != SN_OK) {
        return false;
    }
    memcpy(place, &value, sizeof(value));
    return true;
}

static bool read_time(struct sn_slice text, void *place)
{
    struct sn_error ignored;
    int64_t unix_ms = 0;

    if (text.len > 0 && sn_time_parse_stored(text, &unix_ms, &ignored) != SN_OK) {
        return false;
    }
    memcpy(place, &unix_ms, sizeof(unix_ms));
    return true;
}

static bool read_word(const char *const *words, struct sn_slice text, void *place)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (sn_slice_eq_str(text, words[i])) {
            memcpy(place, &i, sizeof(i));
            return true;
        }
    }
    return false;
}

static bool read_value(const struct sn_attribute *attribute, struct sn_slice text, struct sn_arena *arena, void *place)
{
    switch (attribute->kind) {
    case SN_ATTRIBUTE_ID:
        return read_id(text, place);
    case SN_ATTRIBUTE_TEXT: {
        struct sn_slice copy = sn_arena_dup(arena, text);
        memcpy(place, &copy, sizeof(copy));
        return true;
    }
    case SN_ATTRIBUTE_INT:
        return read_int(text, place);
    case SN_ATTRIBUTE_BOOL:
        return read_bool(text, place);
    case SN_ATTRIBUTE_TIME:
        return read_time(text, place);
    case SN_ATTRIBUTE_WORD:
        return read_word(attribute->words, text, place);
    }
    return false;
}

enum sn_status sn_attribute_parse(const struct sn_attribute *attribute, struct sn_slice text, struct sn_arena *arena,
    void *record, struct sn_error *err)
{
    if (!read_value(attribute, text, arena, (char *)record + attribute->offset)) {
        return sn_fail(err, SN_INTERNAL, "RECORD_INVALID", "a stored record has no usable '%s'", attribute->name);
    }
    return SN_OK;
}

void sn_record_canon(struct sn_canon *canon, const char *kind, const struct sn_attribute *table, const void *record)
{
    char scratch[SN_ATTRIBUTE_TEXT_MAX];

    sn_canon_begin(canon, kind);
    for (const struct sn_attribute *attribute = table; attribute->name != NULL; attribute++) {
        if (attribute->is_sealed) {
            sn_canon_text(canon, attribute->name, sn_attribute_format(attribute, record, scratch));
        }
    }
}
