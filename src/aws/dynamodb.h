/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/dynamodb.h - calls to DynamoDB and items as it writes them. Thread-safe.
 *
 * A call is tried up to five times within its time. Codes: DYNAMODB_CONDITION_FAILED (SN_CONFLICT: a condition of the
 * write, or of a part of the transaction, did not hold; the detail "reasons" has one letter a part, C failed and N
 * not), DYNAMODB_TABLE_NOT_FOUND (SN_NOT_FOUND), DYNAMODB_ACCESS_DENIED (SN_DENIED), DYNAMODB_THROTTLED
 * (SN_THROTTLED), and DYNAMODB_ERROR for everything else, with the operation's name. A write whose answer was lost may
 * have been done: transactions carry a token of their own, under which a further try does it once.
 */
#ifndef SN_AWS_DYNAMODB_H
#define SN_AWS_DYNAMODB_H

#include "aws/json_client.h"
#include "base/buf.h"

struct sn_dynamodb;

enum {
    SN_DYNAMODB_ITEM_MAX_BYTES = 400 * 1024,
    SN_DYNAMODB_ANSWER_MAX_BYTES = 2 * 1024 * 1024, /* a page of 1 MiB as JSON */
    SN_DYNAMODB_PARTS_MAX = 25,                     /* of a transaction */
};

SN_MUST_CHECK enum sn_status sn_dynamodb_new(
    const struct sn_json_client_options *options, struct sn_dynamodb **out_dynamodb, struct sn_error *err);
void sn_dynamodb_free(struct sn_dynamodb *dynamodb);
void sn_dynamodb_free_p(struct sn_dynamodb **dynamodb);

SN_MUST_CHECK enum sn_status sn_dynamodb_call(struct sn_dynamodb *dynamodb, const char *action, struct sn_slice body,
    struct sn_json_doc **out_doc, struct sn_error *err);
/* The condition of part index of a failed transaction did not hold. */
bool sn_dynamodb_part_failed(const struct sn_error *err, size_t index);

/* --- Items: {"name": {"S": "text"}} --- */
enum sn_dynamodb_type { SN_DYNAMODB_S, SN_DYNAMODB_N, SN_DYNAMODB_BOOL };
/* One attribute into the object that w is writing. N and BOOL come as text; an empty S is left out by the caller. */
void sn_dynamodb_put(struct sn_json_writer *w, const char *name, enum sn_dynamodb_type type, struct sn_slice text);
/* The value of an attribute of exactly that type, as text; false when it is absent or of another type. */
bool sn_dynamodb_get(
    const struct sn_json *item, const char *name, enum sn_dynamodb_type type, struct sn_slice *out_text);

#endif
