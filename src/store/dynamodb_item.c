/* SPDX-License-Identifier: Apache-2.0 */
/* store/dynamodb_item.c - see dynamodb_item.h. */
#include "store/dynamodb_item.h"

#include <stdio.h>
#include <string.h>

enum { ALIAS_MAX = 24 };

static enum sn_dynamodb_type type_of(const struct sn_attribute *attribute)
{
    switch (attribute->kind) {
    case SN_ATTRIBUTE_INT:
        return SN_DYNAMODB_N;
    case SN_ATTRIBUTE_BOOL:
        return SN_DYNAMODB_BOOL;
    case SN_ATTRIBUTE_ID:
    case SN_ATTRIBUTE_TEXT:
    case SN_ATTRIBUTE_TIME:
    case SN_ATTRIBUTE_WORD:
        return SN_DYNAMODB_S;
    }
    SN_ASSERT(false);
    return SN_DYNAMODB_S;
}

void sn_item_put(struct sn_json_writer *w, const struct sn_attribute *table, const void *record)
{
    char scratch[SN_ATTRIBUTE_TEXT_MAX];

    sn_json_begin_object(w);
    for (const struct sn_attribute *a = table; a->name != NULL; a++) {
        if (!sn_attribute_is_absent(a, record)) {
            sn_dynamodb_put(w, a->name, type_of(a), sn_attribute_format(a, record, scratch));
        }
    }
    sn_json_end_object(w);
}

enum sn_status sn_item_read(const struct sn_json *item, const struct sn_attribute *table, struct sn_arena *arena,
    void *record, struct sn_error *err)
{
    for (const struct sn_attribute *a = table; a->name != NULL; a++) {
        struct sn_slice text = SN_S("");
        if (sn_json_get(item, a->name) != NULL && !sn_dynamodb_get(item, a->name, type_of(a), &text)) {
            return sn_fail(err, SN_INTERNAL, "RECORD_INVALID", "a stored record has no usable '%s'", a->name);
        }
        SN_TRY(sn_attribute_parse(a, text, arena, record, err));
    }
    return SN_OK;
}

/* "SET #a1 = :a1, ... REMOVE #a5, ...": names are aliased, since some are reserved words. */
static void add_expression(struct sn_buf *text, const struct sn_attribute *table, const void *record)
{
    const char *before = "SET ";

    for (size_t i = 1; table[i].name != NULL; i++) {
        if (!sn_attribute_is_absent(&table[i], record)) {
            sn_buf_addf(text, "%s#a%zu = :a%zu", before, i, i);
            before = ", ";
        }
    }
    before = " REMOVE ";
    for (size_t i = 1; table[i].name != NULL; i++) {
        if (sn_attribute_is_absent(&table[i], record)) {
            sn_buf_addf(text, "%s#a%zu", before, i);
            before = ", ";
        }
    }
}

void sn_item_put_update(struct sn_json_writer *w, const struct sn_attribute *table, const void *record,
    const struct sn_item_value *extras, size_t extra_count)
{
    SN_AUTO(sn_buf_clear) struct sn_buf expression = {0};
    char alias[ALIAS_MAX];
    char scratch[SN_ATTRIBUTE_TEXT_MAX];

    SN_ASSERT(strcmp(table[0].name, "id") == 0);
    add_expression(&expression, table, record);
    sn_json_member_text(w, "UpdateExpression", sn_buf_slice(&expression));
    sn_json_key(w, "ExpressionAttributeNames");
    sn_json_begin_object(w);
    for (size_t i = 1; table[i].name != NULL; i++) {
        snprintf(alias, sizeof(alias), "#a%zu", i);
        sn_json_member_str(w, alias, table[i].name);
    }
    sn_json_end_object(w);
    sn_json_key(w, "ExpressionAttributeValues");
    sn_json_begin_object(w);
    for (size_t i = 1; table[i].name != NULL; i++) {
        if (!sn_attribute_is_absent(&table[i], record)) {
            snprintf(alias, sizeof(alias), ":a%zu", i);
            sn_dynamodb_put(w, alias, type_of(&table[i]), sn_attribute_format(&table[i], record, scratch));
        }
    }
    for (size_t i = 0; i < extra_count; i++) {
        sn_dynamodb_put(w, extras[i].name, extras[i].type, extras[i].text);
    }
    sn_json_end_object(w);
}
