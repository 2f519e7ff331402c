/* SPDX-License-Identifier: Apache-2.0 */
/* aws/lambda.c - the loop of the Lambda custom runtime; see lambda.h. */
#include "aws/lambda.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "net/client.h"
#include "net/http_parse.h"

enum {
    DEFAULT_MAX_BODY = 65536,
    URL_MAX = 512,
    ID_MAX = 128,
    REQUEST_LIMIT_MS = 30 * 1000,
    POST_TIMEOUT_MS = 10 * 1000,
    MS_NS = 1000 * 1000,
};

struct sn_lambda {
    struct sn_lambda_options options;
    const struct sn_clock *clock;
    struct sn_http_client *client;
    struct sn_lambda_event event;
    struct sn_response response;
    struct sn_buf envelope;
};

static enum sn_status fail_runtime(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "LAMBDA_RUNTIME", "the runtime API did not keep to its protocol: %s", what);
}

enum sn_status sn_lambda_new(
    const struct sn_lambda_options *options, struct sn_lambda **out_lambda, struct sn_error *err)
{
    struct sn_slice api = sn_slice_str(options->runtime_api);
    struct sn_http_client *client = NULL;
    SN_ASSERT(options->handle != NULL);
    if (api.len == 0 || api.len > 255 || !sn_slice_is_alnum_or(api, ".:-[]")) {
        return sn_fail(err, SN_INVALID, "LAMBDA_RUNTIME", "AWS_LAMBDA_RUNTIME_API is no host and port");
    }
    SN_TRY(sn_http_client_new(NULL, &client, err));
    struct sn_lambda *lambda = sn_alloc(1, sizeof(*lambda));
    lambda->options = *options;
    lambda->options.max_body = options->max_body > 0 ? options->max_body : DEFAULT_MAX_BODY;
    lambda->clock = options->clock != NULL ? options->clock : sn_clock_system();
    lambda->client = client;
    *out_lambda = lambda;
    return SN_OK;
}

void sn_lambda_free(struct sn_lambda *lambda)
{
    if (lambda != NULL) {
        sn_http_client_free(lambda->client);
        sn_lambda_event_clear(&lambda->event);
        sn_response_clear(&lambda->response);
        sn_buf_clear(&lambda->envelope);
        sn_free(lambda);
    }
}

/* --- Calls of the runtime API --- */

static enum sn_status post(
    struct sn_lambda *lambda, const char *path, struct sn_slice body, const char *error_type, struct sn_error *err)
{
    char url[URL_MAX];
    struct sn_http_reply reply = {0};
    struct sn_http_call call = {.method = "POST", .url = url, .body = body, .total_timeout_ms = POST_TIMEOUT_MS};
    int len = snprintf(url, sizeof(url), "http://%s/2018-06-01/runtime/%s", lambda->options.runtime_api, path);
    SN_ASSERT(len > 0 && (size_t)len < sizeof(url));
    sn_http_call_header(&call, "Content-Type", SN_S("application/json"));
    if (error_type != NULL) {
        sn_http_call_header(&call, "Lambda-Runtime-Function-Error-Type", sn_slice_str(error_type));
    }
    SN_TRY(sn_http_client_do(lambda->client, &call, &reply, err));
    int status = reply.status;
    sn_http_reply_clear(&reply);
    /* A 4xx concerns this invocation alone (too late, too large); a 5xx means that the container is of no more use. */
    return status >= 500 ? fail_runtime(err, "an answer was not taken") : SN_OK;
}

static void format_error(struct sn_buf *buf, const char *type, const char *message)
{
    struct sn_json_writer w;
    sn_json_writer_init(&w, buf);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "errorType", type);
    sn_json_member_str(&w, "errorMessage", message);
    sn_json_key(&w, "stackTrace");
    sn_json_begin_array(&w);
    sn_json_end_array(&w);
    sn_json_end_object(&w);
}

static bool is_invocation_id(struct sn_slice id)
{
    return id.len > 0 && id.len <= ID_MAX && sn_slice_is_alnum_or(id, "-");
}

static enum sn_status next(struct sn_lambda *lambda, struct sn_http_reply *out_reply, struct sn_error *err)
{
    char url[URL_MAX];
    struct sn_http_call call = {.method = "GET", .url = url, .total_timeout_ms = -1, .max_body = SN_LAMBDA_MAX_EVENT};
    int len = snprintf(url, sizeof(url), "http://%s/2018-06-01/runtime/invocation/next", lambda->options.runtime_api);
    SN_ASSERT(len > 0 && (size_t)len < sizeof(url));
    SN_TRY(sn_http_client_do(lambda->client, &call, out_reply, err));
    if (out_reply->status != 200) {
        return fail_runtime(err, "no event");
    }
    /* The id becomes part of a URL. */
    if (!is_invocation_id(sn_http_reply_header(out_reply, "Lambda-Runtime-Aws-Request-Id"))) {
        return fail_runtime(err, "no invocation id");
    }
    return SN_OK;
}

/* --- One event --- */

/* The function's end less a margin, and never more than any request may take. */
static int64_t deadline_of(const struct sn_lambda *lambda, const struct sn_http_reply *reply)
{
    struct sn_error ignored;
    int64_t end_ms = 0, left_ms = REQUEST_LIMIT_MS;
    struct sn_slice text = sn_http_reply_header(reply, "Lambda-Runtime-Deadline-Ms");
    if (sn_parse_int(text, 0, INT64_MAX / MS_NS, &end_ms, &ignored) == SN_OK) {
        left_ms = end_ms - sn_clock_unix_ms(lambda->clock) - SN_LAMBDA_DEADLINE_MARGIN_MS;
    }
    left_ms = left_ms < 0 ? 0 : left_ms > REQUEST_LIMIT_MS ? REQUEST_LIMIT_MS : left_ms;
    return lambda->clock->mono_ns(lambda->clock->ctx) + left_ms * MS_NS + 1; /* never 0, which means none */
}

static void refuse(struct sn_lambda *lambda, int status, const char *code, const char *message)
{
    lambda->response.status = status;
    if (lambda->options.refuse != NULL) {
        lambda->options.refuse(lambda->options.ctx, status, code, message, &lambda->response);
        return;
    }
    sn_buf_addf(&lambda->response.body, "{\"code\":\"%s\",\"message\":\"%s\",\"hint\":\"\",\"request_id\":\"\"}", code,
        message);
}

/* The listener's limits of query and body hold here too. */
static void answer(struct sn_lambda *lambda)
{
    const struct sn_request *request = &lambda->event.request;
    struct sn_http_refusal refusal = {0};
    sn_response_clear(&lambda->response);
    if (request->body.len > lambda->options.max_body) {
        refuse(lambda, 413, "BODY_TOO_LARGE", "Request body is too large");
    } else if (!sn_http_query_check(request->query, &refusal)) {
        refuse(lambda, refusal.status, refusal.code, refusal.message);
    } else {
        lambda->options.handle(lambda->options.ctx, request, &lambda->response);
    }
    SN_ASSERT(lambda->response.status >= 200 && lambda->response.status <= 599);
}

static enum sn_status answer_event(struct sn_lambda *lambda, const struct sn_http_reply *reply, struct sn_error *err)
{
    struct sn_error cause;
    char path[ID_MAX + 64];
    struct sn_slice id = sn_http_reply_header(reply, "Lambda-Runtime-Aws-Request-Id");
    int64_t deadline_ns = deadline_of(lambda, reply);
    bool is_event = sn_lambda_event_parse(sn_buf_slice(&reply->body), &lambda->event, &cause) == SN_OK;
    sn_buf_reset(&lambda->envelope);
    if (!is_event) {
        (void)snprintf(path, sizeof(path), "invocation/%.*s/error", SN_PRI(id));
        format_error(&lambda->envelope, "Sentinel.MalformedEvent", cause.message);
        return post(lambda, path, sn_buf_slice(&lambda->envelope), "Sentinel.MalformedEvent", err);
    }
    lambda->event.request.deadline_mono_ns = deadline_ns;
    answer(lambda);
    sn_lambda_format_response(&lambda->envelope, &lambda->response);
    (void)snprintf(path, sizeof(path), "invocation/%.*s/response", SN_PRI(id));
    return post(lambda, path, sn_buf_slice(&lambda->envelope), NULL, err);
}

enum sn_status sn_lambda_step(struct sn_lambda *lambda, struct sn_error *err)
{
    struct sn_http_reply reply = {0};
    enum sn_status status = next(lambda, &reply, err);
    if (status == SN_OK) {
        status = answer_event(lambda, &reply, err);
    }
    /* Nothing of an invocation stays: the answer may hold credentials, the event a signature. */
    sn_http_reply_clear(&reply);
    sn_lambda_event_clear(&lambda->event);
    sn_response_clear(&lambda->response);
    sn_buf_clear(&lambda->envelope);
    return status;
}

enum sn_status sn_lambda_run(struct sn_lambda *lambda, struct sn_error *err)
{
    for (;;) {
        SN_TRY(sn_lambda_step(lambda, err));
    }
}
