/* SPDX-License-Identifier: Apache-2.0 */
/* aws/json_answer.c - what a JSON 1.1 service answered, read strictly. Pure; see json_client.h. */
#include <stdio.h>
#include <string.h>

#include "aws/json_client.h"
#include "base/log.h"

enum { ERROR_MAX_BYTES = 16384, ERROR_MEMBERS_MAX = 64, ERROR_DEPTH_MAX = 8, MESSAGE_CHARS = 240 };

static bool is_json_type(struct sn_slice type)
{
    struct sn_slice before = type, after;

    (void)sn_slice_cut(type, ';', &before, &after);
    before = sn_slice_trim(before);
    return sn_slice_eq_nocase(before, SN_S("application/x-amz-json-1.1")) ||
           sn_slice_eq_nocase(before, SN_S("application/x-amz-json-1.0")) ||
           sn_slice_eq_nocase(before, SN_S("application/json"));
}

enum sn_status sn_json_parse_answer(
    const struct sn_json_answer *answer, size_t max_bytes, struct sn_json_doc **out_doc, struct sn_error *err)
{
    struct sn_json_limits limits = sn_json_limits_document;
    struct sn_json_doc *doc = NULL;
    struct sn_error cause = {0};

    limits.max_bytes = max_bytes;
    if (answer->status != 200 || !is_json_type(answer->content_type)) {
        return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID", "the answer is no JSON of the service");
    }
    if (answer->body.len > max_bytes || sn_json_parse(answer->body, &limits, &doc, &cause) != SN_OK) {
        return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID", "the answer cannot be read: %.200s",
            cause.message[0] != '\0' ? cause.message : "it is too large");
    }
    if (sn_json_kind_of(sn_json_root(doc)) != SN_JSON_OBJECT) {
        sn_json_doc_free(doc);
        return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID", "the answer is no object");
    }
    *out_doc = doc;
    return SN_OK;
}

/* "com.amazonaws.ssm#ParameterNotFound:http://..." -> "ParameterNotFound". */
static void copy_code(struct sn_slice type, char out[SN_AWS_CODE_MAX + 1])
{
    struct sn_slice before, code = type, rest;

    if (sn_slice_cut_last(type, '#', &before, &rest)) {
        code = rest;
    }
    (void)sn_slice_cut(code, ':', &code, &rest);
    if (code.len == 0 || code.len > SN_AWS_CODE_MAX || !sn_slice_is_alnum_or(code, "._-")) {
        return;
    }
    memcpy(out, code.ptr, code.len);
    out[code.len] = '\0';
}

/* Messages of signature faults repeat the canonical request, and with it a session token; those are not kept. */
static bool message_is_harmless(const char *code)
{
    return strstr(code, "Signature") == NULL || strcmp(code, "KMSInvalidSignatureException") == 0;
}

void sn_json_parse_fault(const struct sn_json_answer *answer, struct sn_json_fault *out_fault)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf message = {0};
    struct sn_json_limits limits = {
        .max_bytes = ERROR_MAX_BYTES, .max_depth = ERROR_DEPTH_MAX, .max_members = ERROR_MEMBERS_MAX};
    struct sn_error ignored = {0};

    *out_fault = (struct sn_json_fault){0};
    if (answer->status < 400 || answer->body.len > ERROR_MAX_BYTES || !is_json_type(answer->content_type) ||
        sn_json_parse(answer->body, &limits, &doc, &ignored) != SN_OK) {
        return;
    }
    const struct sn_json *root = sn_json_root(doc);
    const struct sn_json *type = sn_json_get(root, "__type");
    const struct sn_json *text = sn_json_get(root, "message");
    copy_code(type != NULL ? sn_json_text(type) : answer->error_type, out_fault->code);
    if (out_fault->code[0] == '\0' || !message_is_harmless(out_fault->code)) {
        return;
    }
    sn_sanitize(&message, sn_json_text(text != NULL ? text : sn_json_get(root, "Message")), MESSAGE_CHARS);
    snprintf(out_fault->message, sizeof(out_fault->message), "%s", sn_buf_str(&message));
}

bool sn_json_code_is_throttle(const char *code)
{
    static const char *const codes[] = {"Throttling", "ThrottlingException", "Throttled", "RequestLimitExceeded",
        "TooManyRequestsException", "TooManyUpdates", "SlowDown", "RequestThrottled", "RequestThrottledException",
        "ProvisionedThroughputExceededException", "TransactionInProgressException"};

    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}
