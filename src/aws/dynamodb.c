/* SPDX-License-Identifier: Apache-2.0 */
/* aws/dynamodb.c - see dynamodb.h. */
#include "aws/dynamodb.h"

#include <string.h>

#include "base/alloc.h"

static const int retry_wait_ms[] = {100, 200, 400, 800};

/* --- What a refusal says --- */

static bool passes(struct sn_slice reason)
{
    static const char *const codes[] = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"};

    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (sn_slice_eq_str(reason, codes[i])) {
            return true;
        }
    }
    return false;
}

/*
 * Why a transaction was cancelled: one letter a part. A condition that failed is an answer; contention alone may pass.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
static void on_refusal(const char *code, const struct sn_json *body, struct sn_error *err)
{
    const struct sn_json *reasons = sn_json_get(body, "CancellationReasons");
    char letters[SN_DYNAMODB_PARTS_MAX + 1] = "";
    bool has_failed = false;
    bool may_pass = false;

    if (strcmp(code, "TransactionCanceledException") != 0) {
        return;
    }
    for (size_t i = 0; i < sn_json_count(reasons) && i < SN_DYNAMODB_PARTS_MAX; i++) {
        struct sn_slice reason = sn_json_text(sn_json_get(sn_json_at(reasons, i), "Code"));
        bool is_condition = sn_slice_eq_str(reason, "ConditionalCheckFailed");
        letters[i] = is_condition ? 'C' : sn_slice_eq_str(reason, "None") ? 'N' : passes(reason) ? 'T' : '?';
        has_failed = has_failed || is_condition;
        may_pass = may_pass || letters[i] == 'T';
    }
    (void)sn_error_detail(err, "reasons", "%s", letters);
    if (may_pass && !has_failed) {
        (void)sn_error_retryable(err, 0);
    }
}

static const struct sn_json_service dynamodb_service = {.label = "DynamoDB",
    .name = "dynamodb",
    .prefix = "DynamoDB_20120810",
    .content_type = "application/x-amz-json-1.0",
    .retry_wait_ms = retry_wait_ms,
    .retry_count = SN_LEN(retry_wait_ms),
    .on_refusal = on_refusal};

struct sn_dynamodb {
    struct sn_json_client *client;
};

enum sn_status sn_dynamodb_new(
    const struct sn_json_client_options *options, struct sn_dynamodb **out_dynamodb, struct sn_error *err)
{
    struct sn_json_client *client = NULL;

    SN_TRY(sn_json_client_new(&dynamodb_service, options, &client, err));
    *out_dynamodb = sn_alloc(1, sizeof(**out_dynamodb));
    (*out_dynamodb)->client = client;
    return SN_OK;
}

void sn_dynamodb_free(struct sn_dynamodb *dynamodb)
{
    if (dynamodb != NULL) {
        sn_json_client_free(dynamodb->client);
        sn_free(dynamodb);
    }
}

void sn_dynamodb_free_p(struct sn_dynamodb **dynamodb)
{
    sn_dynamodb_free(*dynamodb);
    *dynamodb = NULL;
}

/* --- Failures --- */

static const struct {
    const char *aws_code;
    enum sn_status status;
    const char *code, *hint;
} code_rows[] = {
    {"ConditionalCheckFailedException", SN_CONFLICT, "DYNAMODB_CONDITION_FAILED", NULL},
    {"IdempotentParameterMismatchException", SN_CONFLICT, "DYNAMODB_CONDITION_FAILED", NULL},
    {"ResourceNotFoundException", SN_NOT_FOUND, "DYNAMODB_TABLE_NOT_FOUND", "create the table, or name another one"},
    {"AccessDeniedException", SN_DENIED, "DYNAMODB_ACCESS_DENIED",
        "allow the server's role this operation on the table"},
    {"AccessDenied", SN_DENIED, "DYNAMODB_ACCESS_DENIED", "allow the server's role this operation on the table"},
};

static bool a_part_failed(const struct sn_error *cause)
{
    return strchr(sn_error_detail_of(cause, "reasons"), 'C') != NULL;
}

static enum sn_status translate(const char *action, struct sn_error *err)
{
    struct sn_error cause = *err;
    const char *aws_code = sn_error_detail_of(&cause, "aws_code");

    if (strncmp(cause.code, "AWS_", 4) != 0) {
        return err->status; /* the credential source's own failure */
    }
    if (a_part_failed(&cause)) {
        (void)sn_fail(err, SN_CONFLICT, "DYNAMODB_CONDITION_FAILED", "a condition of %s did not hold", action);
        return sn_error_detail(err, "reasons", "%s", sn_error_detail_of(&cause, "reasons"));
    }
    for (size_t i = 0; i < SN_LEN(code_rows); i++) {
        if (strcmp(aws_code, code_rows[i].aws_code) == 0) {
            (void)sn_fail(err, code_rows[i].status, code_rows[i].code, "%s: %s", action, cause.message);
            return code_rows[i].hint != NULL ? sn_suggest(err, "%s", code_rows[i].hint) : err->status;
        }
    }
    bool is_throttled = cause.status == SN_THROTTLED || cause.retryable;
    is_throttled = is_throttled && cause.status != SN_TIMEOUT && cause.status != SN_UNAVAILABLE;
    (void)sn_fail(err, is_throttled ? SN_THROTTLED : cause.status,
        is_throttled ? "DYNAMODB_THROTTLED" : "DYNAMODB_ERROR", "%s: %s", action, cause.message);
    if (cause.retryable) {
        (void)sn_error_retryable(err, 0);
        return sn_suggest(err, "try again in a moment");
    }
    return cause.suggestion[0] != '\0' ? sn_suggest(err, "%s", cause.suggestion) : err->status;
}

enum sn_status sn_dynamodb_call(struct sn_dynamodb *dynamodb, const char *action, struct sn_slice body,
    struct sn_json_doc **out_doc, struct sn_error *err)
{
    if (sn_json_client_call(dynamodb->client, action, body, SN_DYNAMODB_ANSWER_MAX_BYTES, out_doc, err) == SN_OK) {
        return SN_OK;
    }
    return translate(action, err);
}

bool sn_dynamodb_part_failed(const struct sn_error *err, size_t index)
{
    const char *letters = sn_error_detail_of(err, "reasons");

    return index < strlen(letters) && letters[index] == 'C';
}

/* --- Items --- */

static const char *const type_words[] = {[SN_DYNAMODB_S] = "S", [SN_DYNAMODB_N] = "N", [SN_DYNAMODB_BOOL] = "BOOL"};

void sn_dynamodb_put(struct sn_json_writer *w, const char *name, enum sn_dynamodb_type type, struct sn_slice text)
{
    sn_json_key(w, name);
    sn_json_begin_object(w);
    if (type == SN_DYNAMODB_BOOL) {
        sn_json_member_bool(w, type_words[type], sn_slice_eq_str(text, "true"));
    } else {
        sn_json_member_text(w, type_words[type], text);
    }
    sn_json_end_object(w);
}

bool sn_dynamodb_get(
    const struct sn_json *item, const char *name, enum sn_dynamodb_type type, struct sn_slice *out_text)
{
    const struct sn_json *attribute = sn_json_get(item, name);
    const struct sn_json *value = sn_json_get(attribute, type_words[type]);

    if (value == NULL || sn_json_count(attribute) != 1) {
        return false;
    }
    if (type == SN_DYNAMODB_BOOL) {
        *out_text = sn_json_bool(value, false) ? SN_S("true") : SN_S("false");
        return sn_json_kind_of(value) == SN_JSON_BOOL;
    }
    *out_text = sn_json_text(value);
    return sn_json_kind_of(value) == SN_JSON_STRING;
}
