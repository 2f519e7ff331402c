/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/dynamodb_item.h - records as items of DynamoDB and back, by their tables of attributes. Not for others.
 */
#ifndef SN_STORE_DYNAMODB_ITEM_H
#define SN_STORE_DYNAMODB_ITEM_H

#include "aws/dynamodb.h"
#include "core/record/attribute.h"

/* The item as a JSON object; absent attributes are left out, since an index key may not be empty. */
void sn_item_put(struct sn_json_writer *w, const struct sn_attribute *table, const void *record);
/* RECORD_INVALID when an attribute has another type or a value that is none. What the table does not name is left. */
SN_MUST_CHECK enum sn_status sn_item_read(const struct sn_json *item, const struct sn_attribute *table,
    struct sn_arena *arena, void *record, struct sn_error *err);
/*
 * The three members of an UpdateItem that set every attribute but the id to the record's and remove the absent ones,
 * and further values for the condition: ":name" of each extra.
 */
struct sn_item_value {
    const char *name; /* ":read_rev" */
    enum sn_dynamodb_type type;
    struct sn_slice text;
};
void sn_item_put_update(struct sn_json_writer *w, const struct sn_attribute *table, const void *record,
    const struct sn_item_value *extras, size_t extra_count);

#endif
