/* SPDX-License-Identifier: Apache-2.0 */
/* aws/json_client.c - see json_client.h: signing, sending, trying again. */
#include "aws/json_client.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/sign.h"
#include "base/alloc.h"

enum { IDLE_MAX = 64, MIN_BUDGET_MS = 1, TARGET_MAX = 96 };
static const char usual_content_type[] = "application/x-amz-json-1.1";
static const int usual_retry_wait_ms[SN_JSON_CALL_TRIES - 1] = {200, 800};

struct sn_json_client {
    const struct sn_json_service *service;
    char endpoint[SN_ENDPOINT_MAX];
    char url[SN_ENDPOINT_MAX + 1]; /* with the path "/" */
    char region[SN_REGION_MAX + 1];
    char *ca_file;
    const struct sn_credential_source *source;
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    struct sn_transport transport; /* send NULL: the stack below */
    pthread_mutex_t lock;          /* over the stack */
    struct sn_http_client *idle[IDLE_MAX];
    size_t idle_count;
};

enum sn_status sn_json_client_new(const struct sn_json_service *service, const struct sn_json_client_options *options,
    struct sn_json_client **out_client, struct sn_error *err)
{
    if (strlen(options->endpoint) >= SN_ENDPOINT_MAX || strlen(options->region) > SN_REGION_MAX) {
        return sn_fail(
            err, SN_INVALID, "INVALID_ENDPOINT", "the %s endpoint or its region is too long", service->label);
    }
    struct sn_json_client *client = sn_alloc(1, sizeof(*client));
    client->service = service;
    snprintf(client->endpoint, sizeof(client->endpoint), "%s", options->endpoint);
    snprintf(client->url, sizeof(client->url), "%s/", options->endpoint);
    snprintf(client->region, sizeof(client->region), "%s", options->region);
    client->ca_file = options->ca_file != NULL ? sn_strdup(sn_slice_str(options->ca_file)) : NULL;
    client->source = options->source;
    client->clock = options->clock != NULL ? options->clock : sn_clock_system();
    client->random_source = options->random_source != NULL ? options->random_source : sn_random_system();
    if (options->transport != NULL) {
        client->transport = *options->transport;
    } else {
        client->transport.wait_ms = sn_transport_sleep_ms;
    }
    pthread_mutex_init(&client->lock, NULL);
    *out_client = client;
    return SN_OK;
}

void sn_json_client_free(struct sn_json_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->idle_count > 0) {
        sn_http_client_free(client->idle[--client->idle_count]);
    }
    pthread_mutex_destroy(&client->lock);
    sn_free(client->ca_file);
    sn_free(client);
}

/* --- Time --- */

static int64_t left_ms(const struct sn_json_client *client, int64_t end_ns)
{
    return (end_ns - client->clock->mono_ns(client->clock->ctx)) / 1000000;
}

/* Waits before the next try, never in step with others; false when the time does not suffice. */
static bool wait_before(struct sn_json_client *client, int most_ms, int64_t end_ns)
{
    struct sn_error ignored = {0};
    uint32_t dice = 0;
    int ms = most_ms;

    if (sn_random_fill(client->random_source, &dice, sizeof(dice), &ignored) == SN_OK) {
        ms = most_ms / 2 + (int)(dice % (uint32_t)(most_ms / 2 + 1));
    }
    if (left_ms(client, end_ns) < ms + MIN_BUDGET_MS) {
        return false;
    }
    client->transport.wait_ms(client->transport.ctx, ms);
    return true;
}

/* --- One try --- */

static enum sn_status send_warm(struct sn_json_client *client, const struct sn_http_call *call,
    struct sn_http_reply *out_reply, struct sn_error *err)
{
    struct sn_http_client *http = NULL;

    if (client->transport.send != NULL) {
        return client->transport.send(client->transport.ctx, call, out_reply, err);
    }
    pthread_mutex_lock(&client->lock);
    if (client->idle_count > 0) {
        http = client->idle[--client->idle_count];
    }
    pthread_mutex_unlock(&client->lock);
    if (http == NULL) {
        struct sn_http_client_options options = {.ca_file = client->ca_file};
        SN_TRY(sn_http_client_new(&options, &http, err));
    }
    enum sn_status status = sn_http_client_do(http, call, out_reply, err);
    pthread_mutex_lock(&client->lock);
    if (client->idle_count < IDLE_MAX) {
        client->idle[client->idle_count++] = http;
        http = NULL;
    }
    pthread_mutex_unlock(&client->lock);
    sn_http_client_free(http);
    return status;
}

static enum sn_status send_signed(struct sn_json_client *client, const char *target, struct sn_slice body,
    int64_t end_ns, size_t max_bytes, struct sn_http_reply *out_reply, struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    SN_AUTO(sn_signature_clear) struct sn_signature signature = {0};
    struct sn_slice content_type =
        sn_slice_str(client->service->content_type != NULL ? client->service->content_type : usual_content_type);
    const struct sn_sign_header headers[] = {
        {SN_S_INIT("content-type"), content_type},
        {SN_S_INIT("host"), sn_endpoint_authority(sn_slice_str(client->endpoint))},
        {SN_S_INIT("x-amz-target"), sn_slice_str(target)},
    };
    struct sn_sign_input sign = {.method = SN_S("POST"),
        .path = SN_S("/"),
        .headers = headers,
        .header_count = SN_LEN(headers),
        .body = body,
        .region = sn_slice_str(client->region),
        .service = sn_slice_str(client->service->name),
        .unix_s = sn_clock_unix_s(client->clock),
        .normalize_path = true,
        .double_encode_path = true};
    struct sn_http_call call = {.method = "POST", .url = client->url, .body = body, .max_body = max_bytes};
    int64_t left = left_ms(client, end_ns);

    SN_TRY(client->source->get(client->source->ctx, &credentials, err));
    SN_TRY(sn_sign_v4(&sign, &credentials, &signature, err));
    call.total_timeout_ms = (int)(left < MIN_BUDGET_MS ? MIN_BUDGET_MS : left);
    call.connect_timeout_ms =
        call.total_timeout_ms < SN_JSON_CALL_CONNECT_MS ? call.total_timeout_ms : SN_JSON_CALL_CONNECT_MS;
    sn_http_call_header(&call, "Content-Type", content_type);
    sn_http_call_header(&call, "X-Amz-Target", sn_slice_str(target));
    sn_http_call_header(&call, "X-Amz-Date", sn_slice_str(signature.amz_date));
    if (sn_secret_is_set(&credentials.session_token)) {
        sn_http_call_header(&call, "X-Amz-Security-Token", sn_secret_reveal(&credentials.session_token));
    }
    sn_http_call_header(&call, "Authorization", sn_buf_slice(&signature.authorization));
    return send_warm(client, &call, out_reply, err);
}

/* --- What went wrong --- */

/* Turns a failure of the transport into one of this client. */
static enum sn_status transport_fault(const struct sn_json_client *client, struct sn_error *err)
{
    struct sn_error cause = *err;
    const char *label = client->service->label;

    if (cause.status == SN_TIMEOUT) {
        (void)sn_fail(err, SN_TIMEOUT, "AWS_TIMEOUT", "%s did not answer in time", label);
        return sn_error_retryable(err, 0);
    }
    if (cause.status == SN_UNAVAILABLE) {
        (void)sn_fail(err, SN_UNAVAILABLE, "AWS_UNAVAILABLE", "%s cannot be reached: %s", label, cause.message);
        return sn_error_retryable(err, 0);
    }
    return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID", "the answer of %s cannot be read: %s", label, cause.message);
}

static const char *credential_hint(const char *code)
{
    static const struct {
        const char *code, *hint;
    } rows[] = {
        {"ExpiredToken", "the credentials have expired; log in again"},
        {"ExpiredTokenException", "the credentials have expired; log in again"},
        {"InvalidClientTokenId", "the access key is deleted, inactive or of another partition"},
        {"UnrecognizedClientException", "the access key is deleted, inactive or of another partition"},
        {"InvalidSignatureException",
            "the request was changed on the way, the secret key is wrong, or the clock is off"},
        {"RequestExpired", "synchronise the clock"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (strcmp(code, rows[i].code) == 0) {
            return rows[i].hint;
        }
    }
    return NULL;
}

static void add_what_the_body_says(
    const struct sn_json_service *service, const struct sn_json_answer *answer, const char *code, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_error ignored;

    if (service->on_refusal != NULL && sn_json_parse(answer->body, &sn_json_limits_request, &doc, &ignored) == SN_OK) {
        service->on_refusal(code, sn_json_root(doc), err);
    }
}

/* Sorts an answer that is not 200. */
static enum sn_status answer_fault(
    const struct sn_json_client *client, const struct sn_json_answer *answer, const char *action, struct sn_error *err)
{
    const char *label = client->service->label;
    struct sn_json_fault fault;

    sn_json_parse_fault(answer, &fault);
    if (answer->status == 429 || sn_json_code_is_throttle(fault.code)) {
        (void)sn_fail(err, SN_THROTTLED, "AWS_THROTTLED", "%s asks to slow down", label);
        return sn_error_retryable(err, 0);
    }
    if (answer->status >= 500) {
        (void)sn_fail(err, SN_UNAVAILABLE, "AWS_UNAVAILABLE", "%s answered with status %d", label, answer->status);
        return sn_error_retryable(err, 0);
    }
    if (answer->status < 400 || fault.code[0] == '\0') {
        return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID",
            "the answer of %s does not have its form: status %d without an error of the service", label,
            answer->status);
    }
    (void)sn_fail(err, SN_DENIED, "AWS_REFUSED", "%s refused %s: %s%s%s", label, action, fault.code,
        fault.message[0] != '\0' ? ": " : "", fault.message);
    (void)sn_error_detail(err, "aws_code", "%s", fault.code);
    add_what_the_body_says(client->service, answer, fault.code, err);
    return credential_hint(fault.code) != NULL ? sn_suggest(err, "%s", credential_hint(fault.code)) : err->status;
}

static enum sn_status try_call(struct sn_json_client *client, const char *action, struct sn_slice body, int64_t end_ns,
    size_t max_bytes, struct sn_json_doc **out_doc, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    char target[TARGET_MAX];

    snprintf(target, sizeof(target), "%s.%s", client->service->prefix, action);
    enum sn_status status = send_signed(client, target, body, end_ns, max_bytes, &reply, err);
    if (status != SN_OK) {
        /* What the credential source says is the cause itself; only codes of the transport are translated. */
        return strncmp(err->code, "HTTP_", 5) == 0 ? transport_fault(client, err) : status;
    }
    struct sn_json_answer answer = {
        .status = reply.status,
        .content_type = sn_http_reply_header(&reply, "content-type"),
        .error_type = sn_http_reply_header(&reply, "x-amzn-errortype"),
        .body = sn_buf_slice(&reply.body),
    };
    if (answer.status != 200) {
        return answer_fault(client, &answer, action, err);
    }
    if (out_doc != NULL) {
        return sn_json_parse_answer(&answer, max_bytes, out_doc, err);
    }
    return answer.body.len == 0 ? SN_OK
                                : sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID",
                                      "the answer of %s to %s should be empty", client->service->label, action);
}

/* The service's own refusal, slowing down included, and what failed before sending leave nothing behind. */
static bool may_have_been_done(const struct sn_error *err)
{
    return sn_error_is(err, "AWS_TIMEOUT") || sn_error_is(err, "AWS_UNAVAILABLE") ||
           sn_error_is(err, "AWS_ANSWER_INVALID");
}

enum sn_status sn_json_client_call(struct sn_json_client *client, const char *action, struct sn_slice body,
    size_t max_bytes, struct sn_json_doc **out_doc, struct sn_error *err)
{
    return sn_json_client_call_within(client, action, body, max_bytes, SN_JSON_CALL_MS, out_doc, err);
}

enum sn_status sn_json_client_call_within(struct sn_json_client *client, const char *action, struct sn_slice body,
    size_t max_bytes, int timeout_ms, struct sn_json_doc **out_doc, struct sn_error *err)
{
    const struct sn_json_service *service = client->service;
    const int *retry_wait_ms = service->retry_wait_ms != NULL ? service->retry_wait_ms : usual_retry_wait_ms;
    size_t retries = service->retry_wait_ms != NULL ? service->retry_count : SN_LEN(usual_retry_wait_ms);
    int64_t most_ms = timeout_ms < SN_JSON_CALL_MS ? timeout_ms : SN_JSON_CALL_MS;
    int64_t end_ns = client->clock->mono_ns(client->clock->ctx) + most_ms * 1000000;
    bool is_unknown = false;

    for (size_t i = 0;; i++) {
        if (try_call(client, action, body, end_ns, max_bytes, out_doc, err) == SN_OK) {
            return SN_OK;
        }
        is_unknown = is_unknown || may_have_been_done(err);
        if (!err->retryable || i == retries || !wait_before(client, retry_wait_ms[i], end_ns)) {
            return sn_error_detail(err, "effect", is_unknown ? "unknown" : "none");
        }
    }
}
