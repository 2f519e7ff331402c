/* SPDX-License-Identifier: Apache-2.0 */
/* aws/logs.c - see logs.h. */
#include "aws/logs.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

enum { BODY_MAX_BYTES = 8 * SN_LOGS_BATCH_MAX_BYTES }; /* a batch with every byte escaped */

static const struct sn_json_service logs_service = {
    .label = "CloudWatch Logs", .name = "logs", .prefix = "Logs_20140328"};

struct sn_logs {
    struct sn_json_client *client;
};

enum sn_status sn_logs_new(
    const struct sn_json_client_options *options, struct sn_logs **out_logs, struct sn_error *err)
{
    struct sn_json_client *client = NULL;

    SN_TRY(sn_json_client_new(&logs_service, options, &client, err));
    *out_logs = sn_alloc(1, sizeof(**out_logs));
    (*out_logs)->client = client;
    return SN_OK;
}

void sn_logs_free(struct sn_logs *logs)
{
    if (logs != NULL) {
        sn_json_client_free(logs->client);
        sn_free(logs);
    }
}

/* --- Failures --- */

static const struct {
    const char *aws_code;
    enum sn_status status;
    const char *code, *hint;
} code_rows[] = {
    {"ResourceNotFoundException", SN_NOT_FOUND, "LOGS_STREAM_NOT_FOUND", "create the log group, or name another one"},
    {"AccessDeniedException", SN_DENIED, "LOGS_ACCESS_DENIED",
        "allow the server's role logs:PutLogEvents and logs:CreateLogStream on the log group"},
    {"AccessDenied", SN_DENIED, "LOGS_ACCESS_DENIED",
        "allow the server's role logs:PutLogEvents and logs:CreateLogStream on the log group"},
};

static enum sn_status translate(const char *action, struct sn_error *err)
{
    struct sn_error cause = *err;
    const char *aws_code = sn_error_detail_of(&cause, "aws_code");
    enum sn_status status = cause.status;
    const char *code = cause.status == SN_THROTTLED ? "LOGS_THROTTLED" : "LOGS_ERROR";
    const char *hint = cause.suggestion[0] != '\0' ? cause.suggestion : NULL;

    if (strncmp(cause.code, "AWS_", 4) != 0) {
        return err->status; /* the credential source's own failure */
    }
    for (size_t i = 0; i < SN_LEN(code_rows); i++) {
        if (strcmp(aws_code, code_rows[i].aws_code) == 0) {
            status = code_rows[i].status;
            code = code_rows[i].code;
            hint = code_rows[i].hint;
        }
    }
    (void)sn_fail(err, status, code, "%s: %s", action, cause.message);
    if (cause.retryable) {
        (void)sn_error_retryable(err, 0);
    }
    if (hint != NULL) {
        (void)sn_suggest(err, "%s", hint);
    }
    return sn_error_detail(err, "effect", "%s", sn_error_detail_of(&cause, "effect"));
}

static void put_place(struct sn_json_writer *w, const char *group, const char *stream)
{
    sn_json_member_str(w, "logGroupName", group);
    sn_json_member_str(w, "logStreamName", stream);
}

/* --- Calls --- */

enum sn_status sn_logs_put(struct sn_logs *logs, const char *group, const char *stream,
    const struct sn_log_event *events, size_t count, int timeout_ms, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = SN_BUF_INIT(BODY_MAX_BYTES);
    struct sn_json_writer w;
    size_t bytes = 0;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    put_place(&w, group, stream);
    sn_json_key(&w, "logEvents");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < count; i++) {
        sn_json_begin_object(&w);
        sn_json_member_int(&w, "timestamp", events[i].unix_ms);
        sn_json_member_text(&w, "message", events[i].message);
        sn_json_end_object(&w);
        bytes += events[i].message.len + SN_LOGS_EVENT_FRAME_BYTES;
    }
    SN_ASSERT(bytes <= SN_LOGS_BATCH_MAX_BYTES && !body.overflow);
    sn_json_end_array(&w);
    sn_json_end_object(&w);
    if (sn_json_client_call_within(logs->client, "PutLogEvents", sn_buf_slice(&body), SN_LOGS_ANSWER_MAX_BYTES,
            timeout_ms, &doc, err) != SN_OK) {
        return translate("PutLogEvents", err);
    }
    if (sn_json_count(sn_json_get(sn_json_root(doc), "rejectedLogEventsInfo")) > 0) {
        (void)sn_fail(
            err, SN_PROTOCOL, "LOGS_REJECTED", "PutLogEvents left events out: their time is too far from now");
        (void)sn_suggest(err, "check the clock");
        return sn_error_detail(err, "effect", "unknown");
    }
    return SN_OK;
}

enum sn_status sn_logs_create_stream(
    struct sn_logs *logs, const char *group, const char *stream, int timeout_ms, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    put_place(&w, group, stream);
    sn_json_end_object(&w);
    if (sn_json_client_call_within(logs->client, "CreateLogStream", sn_buf_slice(&body), SN_LOGS_ANSWER_MAX_BYTES,
            timeout_ms, NULL, err) == SN_OK ||
        strcmp(sn_error_detail_of(err, "aws_code"), "ResourceAlreadyExistsException") == 0) {
        return SN_OK;
    }
    return translate("CreateLogStream", err);
}
