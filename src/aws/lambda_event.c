/* SPDX-License-Identifier: Apache-2.0 */
/* aws/lambda_event.c - events of API Gateway and Function URLs as requests, and answers back; see lambda.h. */
#include "aws/lambda.h"

#include <string.h>

#include "codec/base64.h"

static const struct sn_json_limits event_limits = {
    .max_bytes = SN_LAMBDA_MAX_EVENT, .max_depth = 16, .max_members = 4096};

static enum sn_status fail_event(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "LAMBDA_EVENT", "the event is none of an HTTP API: %s", what);
}

/* A text member; absent and null are empty. False: there, and no text. */
static bool read_text(const struct sn_json *node, const char *name, struct sn_slice *out_text)
{
    const struct sn_json *member = sn_json_get(node, name);
    *out_text = (struct sn_slice){0};
    if (member == NULL || sn_json_kind_of(member) == SN_JSON_NULL) {
        return true;
    }
    *out_text = sn_json_text(member);
    return sn_json_kind_of(member) == SN_JSON_STRING;
}

static bool is_object(const struct sn_json *node)
{
    return node != NULL && sn_json_kind_of(node) == SN_JSON_OBJECT;
}

/* "/live/v1/profiles" of stage "live" is "/v1/profiles"; "/lively" is not touched. */
static struct sn_slice normalize_path(struct sn_slice path, struct sn_slice stage)
{
    if (stage.len > 0 && !sn_slice_eq(stage, SN_S("$default")) && path.len > stage.len && path.ptr[0] == '/' &&
        sn_slice_eq(sn_slice_sub(path, 1, stage.len), stage) &&
        (path.len == stage.len + 1 || path.ptr[stage.len + 1] == '/')) {
        path = sn_slice_sub(path, stage.len + 1, path.len);
    }
    if (path.len > 0 && path.ptr[path.len - 1] == '/') {
        path = sn_slice_sub(path, 0, path.len - 1);
    }
    return path.len > 0 ? path : SN_S("/");
}

static enum sn_status read_headers(const struct sn_json *headers, struct sn_request *request, struct sn_error *err)
{
    if (headers == NULL || sn_json_kind_of(headers) == SN_JSON_NULL) {
        return SN_OK;
    }
    if (!is_object(headers) || sn_json_count(headers) > SN_REQUEST_MAX_HEADERS) {
        return fail_event(err, "headers");
    }
    for (size_t i = 0; i < sn_json_count(headers); i++) {
        struct sn_header *to = &request->headers[request->header_count];
        const struct sn_json *value = sn_json_member_at(headers, i, &to->name);
        if (sn_json_kind_of(value) != SN_JSON_STRING) {
            return fail_event(err, "a header is no text");
        }
        to->value = sn_json_text(value);
        request->header_count++;
    }
    return SN_OK;
}

/* The only place where a caller's identity enters on Lambda. */
static enum sn_status read_identity(const struct sn_json *context, struct sn_lambda_event *event, struct sn_error *err)
{
    const struct sn_json *iam = sn_json_get(sn_json_get(context, "authorizer"), "iam");
    if (iam == NULL || sn_json_kind_of(iam) == SN_JSON_NULL) {
        return SN_OK;
    }
    struct sn_iam_context *to = &event->iam;
    if (!is_object(iam) || !read_text(iam, "accountId", &to->account_id) || !read_text(iam, "userArn", &to->user_arn) ||
        !read_text(iam, "userId", &to->user_id) || !read_text(iam, "accessKey", &to->access_key) ||
        !read_text(iam, "principalOrgId", &to->principal_org_id)) {
        return fail_event(err, "authorizer.iam");
    }
    event->request.iam = to;
    return SN_OK;
}

static enum sn_status read_body(const struct sn_json *root, struct sn_lambda_event *event, struct sn_error *err)
{
    const struct sn_json *is_base64 = sn_json_get(root, "isBase64Encoded");
    struct sn_slice text;
    if (!read_text(root, "body", &text) || (is_base64 != NULL && sn_json_kind_of(is_base64) != SN_JSON_BOOL)) {
        return fail_event(err, "body");
    }
    if (!sn_json_bool(is_base64, false)) {
        event->request.body = text;
        return SN_OK;
    }
    event->body.max = SN_LAMBDA_MAX_EVENT;
    if (sn_base64_decode(text, &event->body, err) != SN_OK) {
        return fail_event(err, "body is no base64");
    }
    event->request.body = sn_buf_slice(&event->body);
    return SN_OK;
}

static void set_peer(struct sn_request *request, struct sn_slice source_ip)
{
    request->peer = (struct sn_peer){.uid = (uid_t)-1, .fd = -1, .is_tls = true};
    if (source_ip.len < sizeof(request->peer.address)) {
        memcpy(request->peer.address, source_ip.len > 0 ? source_ip.ptr : "", source_ip.len);
    }
}

static enum sn_status read_event(const struct sn_json *root, struct sn_lambda_event *event, struct sn_error *err)
{
    struct sn_request *request = &event->request;
    const struct sn_json *context = sn_json_get(root, "requestContext");
    const struct sn_json *http = sn_json_get(context, "http");
    struct sn_slice version, path, stage, source_ip;
    if (!is_object(context) || !is_object(http) || !read_text(root, "version", &version) ||
        !sn_slice_eq(version, SN_S("2.0"))) {
        return fail_event(err, "payload format 2.0 is required");
    }
    if (!read_text(root, "rawPath", &path) || !read_text(root, "rawQueryString", &request->query) ||
        !read_text(http, "method", &request->method_text) || !read_text(http, "sourceIp", &source_ip) ||
        !read_text(context, "stage", &stage) || !read_text(context, "requestId", &request->gateway_request_id) ||
        path.len == 0 || path.ptr[0] != '/' || request->method_text.len == 0) {
        return fail_event(err, "path or method");
    }
    request->path = normalize_path(path, stage);
    request->method = sn_slice_eq(request->method_text, SN_S("GET"))    ? SN_METHOD_GET
                      : sn_slice_eq(request->method_text, SN_S("POST")) ? SN_METHOD_POST
                                                                        : SN_METHOD_OTHER;
    set_peer(request, source_ip);
    SN_TRY(read_headers(sn_json_get(root, "headers"), request, err));
    SN_TRY(read_identity(context, event, err));
    return read_body(root, event, err);
}

enum sn_status sn_lambda_event_parse(struct sn_slice text, struct sn_lambda_event *out_event, struct sn_error *err)
{
    struct sn_error cause;
    sn_lambda_event_clear(out_event);
    if (sn_json_parse(text, &event_limits, &out_event->doc, &cause) != SN_OK) {
        return fail_event(err, "it is no JSON within the limits");
    }
    enum sn_status status = read_event(sn_json_root(out_event->doc), out_event, err);
    if (status != SN_OK) {
        sn_lambda_event_clear(out_event);
    }
    return status;
}

void sn_lambda_event_clear(struct sn_lambda_event *event)
{
    sn_json_doc_free(event->doc);
    sn_buf_clear(&event->body);
    *event = (struct sn_lambda_event){0};
}

void sn_lambda_format_response(struct sn_buf *buf, const struct sn_response *response)
{
    struct sn_json_writer w;
    const char *type = response->content_type != NULL ? response->content_type : "application/json; charset=utf-8";
    sn_json_writer_init(&w, buf);
    sn_json_begin_object(&w);
    sn_json_member_int(&w, "statusCode", response->status);
    sn_json_key(&w, "headers");
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "content-type", type);
    sn_json_member_str(&w, "cache-control", "no-store");
    sn_json_member_str(&w, "x-content-type-options", "nosniff");
    for (size_t i = 0; i < response->header_count; i++) {
        sn_json_member_str(&w, response->headers[i].name, response->headers[i].value);
    }
    sn_json_end_object(&w);
    sn_json_member_text(&w, "body", sn_buf_slice(&response->body));
    sn_json_member_bool(&w, "isBase64Encoded", false);
    sn_json_end_object(&w);
}
