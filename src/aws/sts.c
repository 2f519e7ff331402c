/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts.c - calls to STS: signing, sending, trying again.
 */
#include "aws/sts.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/sign.h"
#include "aws/sts_answer.h"
#include "aws/sts_request.h"
#include "base/alloc.h"

enum {
    SN_STS_CONNECT_MS = 2000,
    SN_STS_PROOF_TOTAL_MS = 5000,
    SN_STS_CALL_TOTAL_MS = 10000,
    SN_STS_MAX_TRIES = 3,
    SN_STS_PROOF_TRIES = 2,
    SN_STS_MIN_BUDGET_MS = 1,
};

static const int retry_wait_ms[SN_STS_MAX_TRIES - 1] = {200, 800};

struct sn_sts {
    char endpoint[SN_ENDPOINT_MAX];
    char url[SN_ENDPOINT_MAX + 1]; /* with the path "/" */
    char region[SN_REGION_MAX + 1];
    const struct sn_credential_source *source;
    const struct sn_clock *clock;
    struct sn_http_client *http;
    struct sn_transport transport;
};

static enum sn_status send_http(
    void *ctx, const struct sn_http_call *call, struct sn_http_reply *out_reply, struct sn_error *err)
{
    return sn_http_client_do(ctx, call, out_reply, err);
}

enum sn_status sn_sts_new(const struct sn_sts_options *options, struct sn_sts **out_sts, struct sn_error *err)
{
    SN_AUTO(sn_sts_free_p) struct sn_sts *sts = sn_alloc(1, sizeof(*sts));
    struct sn_http_client_options http = {.ca_file = options->ca_file, .user_agent = options->user_agent};

    if (strlen(options->endpoint) >= sizeof(sts->endpoint) || strlen(options->region) > SN_REGION_MAX) {
        return sn_fail(err, SN_INVALID, "INVALID_ENDPOINT", "the STS endpoint or its region is too long");
    }
    (void)snprintf(sts->endpoint, sizeof(sts->endpoint), "%s", options->endpoint);
    (void)snprintf(sts->url, sizeof(sts->url), "%s/", options->endpoint);
    (void)snprintf(sts->region, sizeof(sts->region), "%s", options->region);
    sts->source = options->source;
    sts->clock = options->clock != NULL ? options->clock : sn_clock_system();
    if (options->transport != NULL) {
        sts->transport = *options->transport;
    } else {
        SN_TRY(sn_http_client_new(&http, &sts->http, err));
        sts->transport = (struct sn_transport){send_http, sn_transport_sleep_ms, sts->http};
    }
    *out_sts = SN_TAKE(sts);
    return SN_OK;
}

void sn_sts_free(struct sn_sts *sts)
{
    if (sts != NULL) {
        sn_http_client_free(sts->http);
        sn_free(sts);
    }
}

void sn_sts_free_p(struct sn_sts **sts)
{
    sn_sts_free(*sts);
    *sts = NULL;
}

/* --- Time --- */

static int64_t mono_ns(const struct sn_sts *sts)
{
    return sts->clock->mono_ns(sts->clock->ctx);
}

/* The earlier of the caller's end and our own limit. */
static int64_t end_of_call(const struct sn_sts *sts, int64_t deadline_mono_ns, int total_ms)
{
    int64_t own = mono_ns(sts) + (int64_t)total_ms * 1000000;

    return deadline_mono_ns != 0 && deadline_mono_ns < own ? deadline_mono_ns : own;
}

static int64_t left_ms(const struct sn_sts *sts, int64_t end_ns)
{
    return (end_ns - mono_ns(sts)) / 1000000;
}

/* Waits before the next try; false when the time does not suffice. */
static bool wait_ms(struct sn_sts *sts, int ms, int64_t end_ns)
{
    if (left_ms(sts, end_ns) < ms + SN_STS_MIN_BUDGET_MS) {
        return false;
    }
    if (ms > 0) {
        sts->transport.wait_ms(sts->transport.ctx, ms);
    }
    return true;
}

/* --- One try --- */

static void common_call(
    const struct sn_sts *sts, struct sn_slice body, int64_t end_ns, size_t max_body, struct sn_http_call *out_call)
{
    int64_t left = left_ms(sts, end_ns);

    *out_call = (struct sn_http_call){.method = "POST", .url = sts->url, .body = body, .max_body = max_body};
    out_call->total_timeout_ms = (int)(left < SN_STS_MIN_BUDGET_MS ? SN_STS_MIN_BUDGET_MS : left);
    out_call->connect_timeout_ms =
        out_call->total_timeout_ms < SN_STS_CONNECT_MS ? out_call->total_timeout_ms : SN_STS_CONNECT_MS;
    sn_http_call_header(out_call, "Content-Type", SN_S(SN_PROOF_CONTENT_TYPE));
    sn_http_call_header(out_call, "Accept", SN_S("text/xml"));
}

static struct sn_sts_answer answer_of(const struct sn_http_reply *reply)
{
    return (struct sn_sts_answer){
        .status = reply->status,
        .content_type = sn_http_reply_header(reply, "content-type"),
        .body = sn_buf_slice(&reply->body),
    };
}

/* Signs with our own credentials and sends. */
static enum sn_status send_signed(struct sn_sts *sts, struct sn_slice body, int64_t end_ns, size_t max_body,
    struct sn_http_reply *out_reply, struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    SN_AUTO(sn_signature_clear) struct sn_signature signature = {0};
    const struct sn_sign_header headers[] = {
        {SN_S_INIT("content-type"), SN_S_INIT(SN_PROOF_CONTENT_TYPE)},
        {SN_S_INIT("host"), sn_endpoint_authority(sn_slice_str(sts->endpoint))},
    };
    struct sn_sign_input sign = {.method = SN_S("POST"),
        .path = SN_S("/"),
        .headers = headers,
        .header_count = SN_LEN(headers),
        .body = body,
        .region = sn_slice_str(sts->region),
        .service = SN_S("sts"),
        .unix_s = sn_clock_unix_s(sts->clock),
        .normalize_path = true,
        .double_encode_path = true};
    struct sn_http_call call;

    SN_ASSERT(sts->source != NULL);
    SN_TRY(sts->source->get(sts->source->ctx, &credentials, err));
    SN_TRY(sn_sign_v4(&sign, &credentials, &signature, err));
    common_call(sts, body, end_ns, max_body, &call);
    sn_http_call_header(&call, "X-Amz-Date", sn_slice_str(signature.amz_date));
    if (sn_secret_is_set(&credentials.session_token)) {
        sn_http_call_header(&call, "X-Amz-Security-Token", sn_secret_reveal(&credentials.session_token));
    }
    sn_http_call_header(&call, "Authorization", sn_buf_slice(&signature.authorization));
    return sts->transport.send(sts->transport.ctx, &call, out_reply, err);
}

/* --- Own calls --- */

/* Turns a failure of the transport into one of this client. */
static enum sn_status transport_fault(struct sn_error *err)
{
    struct sn_error cause = *err;

    if (cause.status == SN_TIMEOUT) {
        (void)sn_fail(err, SN_TIMEOUT, "STS_TIMEOUT", "STS did not answer in time");
        return sn_error_retryable(err, 0);
    }
    if (cause.status == SN_UNAVAILABLE) {
        (void)sn_fail(err, SN_UNAVAILABLE, "STS_UNAVAILABLE", "STS cannot be reached: %s", cause.message);
        return sn_error_retryable(err, 0);
    }
    return sn_fail(err, SN_PROTOCOL, "STS_ANSWER_INVALID", "the answer of STS cannot be read: %s", cause.message);
}

static const char *rejection_hint(const char *code)
{
    static const struct {
        const char *code, *hint;
    } rows[] = {
        {"ExpiredToken", "the credentials have expired; log in again"},
        {"ExpiredTokenException", "the credentials have expired; log in again"},
        {"InvalidClientTokenId", "the access key is deleted, inactive or of another partition"},
        {"UnrecognizedClientException", "the access key is deleted, inactive or of another partition"},
        {"SignatureDoesNotMatch", "the request was changed on the way, or the secret key is wrong"},
        {"RequestExpired", "compare your clock with the Date of this answer and synchronise it"},
        {"AccessDenied", "a policy of the caller's account forbids the call"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (strcmp(code, rows[i].code) == 0) {
            return rows[i].hint;
        }
    }
    return "check the credentials with 'aws sts get-caller-identity'";
}

static enum sn_status refused(const struct sn_sts_fault *fault, int status, const char *action, struct sn_error *err)
{
    if (fault->message[0] != '\0') {
        (void)sn_fail(err, SN_DENIED, "STS_REFUSED", "STS refused %s: %s: %s", action, fault->code, fault->message);
    } else {
        (void)sn_fail(err, SN_DENIED, "STS_REFUSED", "STS refused %s: %s", action, fault->code);
    }
    (void)sn_error_detail(err, "aws_code", "%s", fault->code);
    (void)sn_error_detail(err, "http_status", "%d", status);
    if (strcmp(fault->code, "AccessDenied") == 0 && strcmp(action, "AssumeRole") == 0) {
        return sn_suggest(err, "the role must trust the caller, and the caller must be allowed sts:AssumeRole; a role "
                               "that Sentinel protects is asked for with 'sentinel exec'");
    }
    return sn_suggest(err, "%s", rejection_hint(fault->code));
}

/* Sorts an answer that is not 200. */
static enum sn_status answer_fault(const struct sn_sts_answer *answer, const char *action, struct sn_error *err)
{
    struct sn_sts_fault fault;

    sn_sts_parse_fault(answer, &fault);
    if (answer->status == 429 || sn_sts_code_is_throttle(fault.code)) {
        (void)sn_fail(err, SN_THROTTLED, "STS_THROTTLED", "STS asks to slow down");
        return sn_error_retryable(err, 0);
    }
    if (answer->status >= 500) {
        (void)sn_fail(err, SN_UNAVAILABLE, "STS_UNAVAILABLE", "STS answered with status %d", answer->status);
        return sn_error_retryable(err, 0);
    }
    if (answer->status >= 400 && fault.code[0] != '\0') {
        return refused(&fault, answer->status, action, err);
    }
    return sn_fail(err, SN_PROTOCOL, "STS_ANSWER_INVALID",
        "the answer of STS does not have its form: status %d without an error of STS", answer->status);
}

/* One try up to a 200; the reply is left for the caller to parse. */
static enum sn_status try_call(struct sn_sts *sts, const char *action, struct sn_slice body, int64_t end_ns,
    size_t max_body, struct sn_http_reply *out_reply, struct sn_error *err)
{
    struct sn_sts_answer answer;
    enum sn_status status = SN_OK;

    status = send_signed(sts, body, end_ns, max_body, out_reply, err);
    if (status != SN_OK) {
        /* What the credential source says is the cause itself; only codes of the transport are translated. */
        return strncmp(err->code, "HTTP_", 5) == 0 ? transport_fault(err) : status;
    }
    answer = answer_of(out_reply);
    return answer.status == 200 ? SN_OK : answer_fault(&answer, action, err);
}

/* Up to tries - 1 times more on 5xx, throttling and network faults, after 200 and 800 ms. */
static enum sn_status call_with_tries(struct sn_sts *sts, const char *action, struct sn_slice body, int tries,
    int64_t deadline_mono_ns, size_t max_body, struct sn_http_reply *out_reply, struct sn_error *err)
{
    int64_t end_ns = end_of_call(sts, deadline_mono_ns, SN_STS_CALL_TOTAL_MS);
    enum sn_status status = SN_OK;

    for (int i = 0; i < tries; i++) {
        if (left_ms(sts, end_ns) < SN_STS_MIN_BUDGET_MS) {
            (void)sn_fail(err, SN_TIMEOUT, "STS_TIMEOUT", "no time is left to ask STS");
            return sn_error_retryable(err, 0);
        }
        sn_http_reply_clear(out_reply);
        status = try_call(sts, action, body, end_ns, max_body, out_reply, err);
        if (status == SN_OK || !err->retryable || i == tries - 1 || !wait_ms(sts, retry_wait_ms[i], end_ns)) {
            return status;
        }
    }
    return status;
}

enum sn_status sn_sts_get_caller_identity(
    struct sn_sts *sts, int64_t deadline_mono_ns, struct sn_caller *out_caller, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct sn_caller caller = {0};
    struct sn_sts_answer answer;

    SN_TRY(call_with_tries(sts, "GetCallerIdentity", SN_S(SN_PROOF_BODY), SN_STS_MAX_TRIES, deadline_mono_ns,
        SN_STS_IDENTITY_MAX_BYTES, &reply, err));
    answer = answer_of(&reply);
    SN_TRY(sn_sts_parse_caller_identity(&answer, &caller, err));
    *out_caller = caller;
    return SN_OK;
}

enum sn_status sn_sts_assume_role(struct sn_sts *sts, const struct sn_assume_role *input, int64_t deadline_mono_ns,
    struct sn_assumed_role *out_role, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct sn_sts_answer answer;

    SN_TRY(sn_sts_format_assume_role(input, &body, err));
    int tries = input->mfa_code.len > 0 ? 1 : SN_STS_MAX_TRIES;
    SN_TRY(call_with_tries(
        sts, "AssumeRole", sn_buf_slice(&body), tries, deadline_mono_ns, SN_STS_ASSUME_MAX_BYTES, &reply, err));
    answer = answer_of(&reply);
    return sn_sts_parse_assume_role(&answer, input, sn_clock_unix_s(sts->clock), out_role, err);
}

enum sn_status sn_sts_get_session_token(struct sn_sts *sts, const struct sn_session_token *input,
    int64_t deadline_mono_ns, struct sn_credentials *out_credentials, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct sn_sts_answer answer;
    int tries = input->mfa_code.len > 0 ? 1 : SN_STS_MAX_TRIES;

    SN_TRY(sn_sts_format_session_token(input, &body, err));
    SN_TRY(call_with_tries(
        sts, "GetSessionToken", sn_buf_slice(&body), tries, deadline_mono_ns, SN_STS_ASSUME_MAX_BYTES, &reply, err));
    answer = answer_of(&reply);
    return sn_sts_parse_session_token(&answer, sn_clock_unix_s(sts->clock), out_credentials, err);
}

/* --- Proofs of others --- */

static enum sn_status send_proof(struct sn_sts *sts, const struct sn_proof *proof, int64_t end_ns,
    struct sn_http_reply *out_reply, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf authorization = {0};
    struct sn_http_call call;

    sn_proof_format_authorization(&authorization, proof);
    common_call(sts, SN_S(SN_PROOF_BODY), end_ns, SN_STS_IDENTITY_MAX_BYTES, &call);
    sn_http_call_header(&call, "X-Amz-Date", proof->amz_date);
    if (proof->security_token.len > 0) {
        sn_http_call_header(&call, "X-Amz-Security-Token", proof->security_token);
    }
    sn_http_call_header(&call, "X-Sentinel-Audience", proof->audience);
    if (proof->nonce.len > 0) {
        sn_http_call_header(&call, "X-Sentinel-Nonce", proof->nonce);
    }
    sn_http_call_header(&call, "X-Sentinel-Request", proof->request_hash);
    sn_http_call_header(&call, "Authorization", sn_buf_slice(&authorization));
    return sts->transport.send(sts->transport.ctx, &call, out_reply, err);
}

static enum sn_status identity_unavailable(struct sn_error *err, const char *why)
{
    (void)sn_fail(err, SN_UNAVAILABLE, "IDENTITY_UNAVAILABLE", "the identity cannot be verified now: %s", why);
    (void)sn_suggest(err, "try again in a moment");
    return sn_error_retryable(err, 0);
}

static enum sn_status judge_proof(
    const struct sn_sts_answer *answer, struct sn_caller *out_caller, struct sn_error *err)
{
    struct sn_sts_fault fault;

    if (answer->status == 200) {
        if (sn_sts_parse_caller_identity(answer, out_caller, err) == SN_OK) {
            return SN_OK;
        }
        (void)identity_unavailable(err, "the answer of STS does not have its form");
        return sn_error_detail(err, "answer", "invalid");
    }
    sn_sts_parse_fault(answer, &fault);
    if (answer->status < 400 || answer->status >= 500 || answer->status == 429 || fault.code[0] == '\0' ||
        sn_sts_code_is_throttle(fault.code)) {
        return identity_unavailable(err, "STS did not answer the question");
    }
    (void)sn_fail(err, SN_UNAUTHENTICATED, "PROOF_REJECTED", "STS refused the proof of identity: %s", fault.code);
    (void)sn_error_detail(err, "aws_code", "%s", fault.code);
    return sn_suggest(err, "%s", rejection_hint(fault.code));
}

enum sn_status sn_sts_verify_proof(struct sn_sts *sts, const struct sn_proof *proof, int64_t deadline_mono_ns,
    struct sn_caller *out_caller, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct sn_caller caller = {0};
    struct sn_sts_answer answer;
    int64_t end_ns = end_of_call(sts, deadline_mono_ns, SN_STS_PROOF_TOTAL_MS);
    enum sn_status status = SN_OK;

    /* One more try when the connection was lost or STS had a fault; a timeout has used the time up. */
    for (int i = 0; i < SN_STS_PROOF_TRIES; i++) {
        if (left_ms(sts, end_ns) < SN_STS_MIN_BUDGET_MS) {
            return identity_unavailable(err, "no time is left to ask STS");
        }
        sn_http_reply_clear(&reply);
        status = send_proof(sts, proof, end_ns, &reply, err);
        if (status == SN_OK ? reply.status < 500 : status != SN_UNAVAILABLE) {
            break;
        }
    }
    if (status != SN_OK) {
        return identity_unavailable(err, status == SN_TIMEOUT ? "STS did not answer in time" : "STS was not reached");
    }
    answer = answer_of(&reply);
    SN_TRY(judge_proof(&answer, &caller, err));
    *out_caller = caller;
    return SN_OK;
}
