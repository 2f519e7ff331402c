/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/client.c - one call to the TVM: address, authentication, tries.
 */
#include "vault/client.h"

#include <stdio.h>
#include <string.h>

#include "aws/proof.h"
#include "aws/sign.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/parse.h"
#include "codec/base64.h"
#include "codec/uri.h"
#include "vault/client_answer.h"

enum {
    TOTAL_MS = 30000,
    CONNECT_MS = 5000,
    MAX_RETRIES = 2, /* on network faults and 5xx */
    MAX_WAIT_429_S = 10,
    MAX_TRIES = 8, /* of all kinds together */
    MAX_ANSWER = 4 * 1024 * 1024,
    NONCE_BYTES = 16,
};

static const int retry_wait_ms[MAX_RETRIES] = {200, 800};

enum auth_mode { AUTH_IAM, AUTH_PROOF };

struct sn_client {
    struct sn_arena arena; /* the URL's parts */
    struct sn_url url;
    char *audience;
    char *origin;      /* scheme and authority, or http://localhost for a socket */
    char *socket_path; /* NULL: none */
    enum auth_mode mode;
    char service[16];                     /* iam mode */
    char host_region[SN_REGION_MAX + 1];  /* iam mode, from the host; "" when it does not tell */
    char proof_region[SN_REGION_MAX + 1]; /* once the server has asked for another */
    struct sn_base *base;
    const struct sn_env *env;
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    struct sn_http_client *http;
    struct sn_transport transport;
};

static enum sn_status send_http(
    void *ctx, const struct sn_http_call *call, struct sn_http_reply *out_reply, struct sn_error *err)
{
    return sn_http_client_do(ctx, call, out_reply, err);
}

/* --- Set-up --- */

static bool is_region_host(
    struct sn_slice host, struct sn_slice before, struct sn_slice behind, struct sn_slice *region)
{
    struct sn_slice rest = host;
    struct sn_slice label;
    struct sn_slice service;

    if (!sn_slice_has_suffix(host, behind)) {
        return false;
    }
    rest = sn_slice_sub(host, 0, host.len - behind.len);
    return sn_slice_cut(rest, '.', &label, &rest) && label.len > 0 && sn_slice_cut(rest, '.', &service, region) &&
           sn_slice_eq(service, before) && sn_region_is_valid(*region);
}

/* What the host tells about itself: API Gateway, a function URL, or nothing. */
static const char *service_of_host(struct sn_slice host, struct sn_slice *out_region)
{
    static const struct {
        struct sn_slice before, behind;
        const char *service;
    } rows[] = {
        {SN_S_INIT("execute-api"), SN_S_INIT(".amazonaws.com"), "execute-api"},
        {SN_S_INIT("execute-api"), SN_S_INIT(".amazonaws.com.cn"), "execute-api"},
        {SN_S_INIT("lambda-url"), SN_S_INIT(".on.aws"), "lambda"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (is_region_host(host, rows[i].before, rows[i].behind, out_region)) {
            return rows[i].service;
        }
    }
    return NULL;
}

static enum sn_status choose_mode(struct sn_client *client, const char *auth, struct sn_error *err)
{
    struct sn_slice region = {0};
    const char *service = service_of_host(client->url.host, &region);

    if (auth == NULL || strcmp(auth, "auto") == 0) {
        client->mode = service != NULL ? AUTH_IAM : AUTH_PROOF;
    } else if (strcmp(auth, "iam") == 0) {
        client->mode = AUTH_IAM;
    } else if (strcmp(auth, "proof") == 0) {
        client->mode = AUTH_PROOF;
    } else {
        (void)sn_fail(err, SN_USAGE, "INVALID_TVM_AUTH", "'%.40s' is no way to prove who asks", auth);
        return sn_suggest(err, "use --tvm-auth auto, iam or proof");
    }
    if (client->mode == AUTH_IAM && client->socket_path != NULL) {
        (void)sn_fail(err, SN_USAGE, "INVALID_TVM_AUTH", "a Unix socket is no API Gateway");
        return sn_suggest(err, "use --tvm-auth proof, or leave it out");
    }
    (void)snprintf(client->service, sizeof(client->service), "%s", service != NULL ? service : "execute-api");
    (void)snprintf(client->host_region, sizeof(client->host_region), "%.*s", SN_PRI(region));
    return SN_OK;
}

static enum sn_status read_url(struct sn_client *client, const char *url, struct sn_error *err)
{
    if (url == NULL || url[0] == '\0') {
        (void)sn_fail(err, SN_USAGE, "TVM_NOT_CONFIGURED", "no Token Vending Machine is configured");
        return sn_suggest(err, "give --tvm-url URL, set SENTINEL_TVM_URL, or put tvm_url into config.yaml");
    }
    if (sn_url_parse(sn_slice_str(url), &client->arena, &client->url, err) != SN_OK) {
        return sn_error_context(err, "the address of the Token Vending Machine");
    }
    client->audience = sn_strdup(client->url.canonical);
    if (sn_slice_eq_str(client->url.scheme, "unix")) {
        client->socket_path = sn_strdup(client->url.path);
        client->url.path = (struct sn_slice){0};
        client->origin = sn_strdup(SN_S("http://localhost"));
        return SN_OK;
    }
    client->origin = sn_strdup(
        sn_arena_printf(&client->arena, "%.*s://%.*s", SN_PRI(client->url.scheme), SN_PRI(client->url.authority)));
    return SN_OK;
}

enum sn_status sn_client_new(
    const struct sn_client_options *options, struct sn_client **out_client, struct sn_error *err)
{
    SN_AUTO(sn_client_free_p) struct sn_client *client = sn_alloc(1, sizeof(*client));
    struct sn_http_client_options http = {.ca_file = options->ca_file};

    SN_ASSERT(options->base != NULL);
    client->base = options->base;
    client->env = options->env != NULL ? options->env : sn_env_system();
    client->clock = options->clock != NULL ? options->clock : sn_clock_system();
    client->random_source = options->random_source != NULL ? options->random_source : sn_random_system();
    SN_TRY(read_url(client, options->url, err));
    SN_TRY(choose_mode(client, options->auth, err));
    if (options->transport != NULL) {
        client->transport = *options->transport;
    } else {
        http.ca_file = http.ca_file != NULL ? http.ca_file : client->env->get(client->env->ctx, "AWS_CA_BUNDLE");
        SN_TRY(sn_http_client_new(&http, &client->http, err));
        client->transport = (struct sn_transport){send_http, sn_transport_sleep_ms, client->http};
    }
    *out_client = SN_TAKE(client);
    return SN_OK;
}

void sn_client_free(struct sn_client *client)
{
    if (client == NULL) {
        return;
    }
    sn_http_client_free(client->http);
    sn_free(client->audience);
    sn_free(client->origin);
    sn_free(client->socket_path);
    sn_arena_clear(&client->arena);
    sn_free(client);
}

void sn_client_free_p(struct sn_client **client)
{
    sn_client_free(*client);
    *client = NULL;
}

const char *sn_client_audience(const struct sn_client *client)
{
    return client->audience;
}

const char *sn_client_learned_region(const struct sn_client *client)
{
    return client->proof_region[0] != '\0' ? client->proof_region : NULL;
}

/* --- Authentication --- */

/* One request in the making; what headers point to lives here. */
struct attempt {
    struct sn_slice method, query, body;
    struct sn_buf path; /* with the base path of the URL */
    struct sn_buf target;
    struct sn_credentials credentials;
    struct sn_proof_headers proof;
    struct sn_signature signature;
    struct sn_http_call call;
};

static void attempt_clear(struct attempt *a)
{
    sn_buf_clear(&a->path);
    sn_buf_clear(&a->target);
    sn_credentials_clear(&a->credentials);
    sn_proof_headers_clear(&a->proof);
    sn_signature_clear(&a->signature);
}

static enum sn_status sign_iam(const struct sn_client *client, struct attempt *a, struct sn_error *err)
{
    char region[SN_REGION_MAX + 1];
    const struct sn_sign_header headers[] = {
        {SN_S_INIT("host"), client->url.authority}, {SN_S_INIT("content-type"), SN_S_INIT("application/json")}};
    struct sn_sign_input input = {.method = a->method,
        .path = sn_buf_slice(&a->path),
        .query = a->query,
        .headers = headers,
        .header_count = a->body.len > 0 ? 2 : 1,
        .body = a->body,
        .service = sn_slice_str(client->service),
        .unix_s = sn_clock_unix_s(client->clock),
        .normalize_path = true,
        .double_encode_path = true};

    (void)snprintf(region, sizeof(region), "%s", client->host_region);
    if (region[0] == '\0') {
        SN_TRY(sn_base_region(client->base, region, err));
    }
    if (region[0] == '\0') {
        (void)sn_fail(err, SN_USAGE, "CONFIG_INVALID_REGION", "the region of the API is not known");
        return sn_suggest(err, "give --region REGION, or set AWS_REGION");
    }
    input.region = sn_slice_str(region);
    SN_TRY(sn_sign_v4(&input, &a->credentials, &a->signature, err));
    sn_http_call_header(&a->call, "X-Amz-Date", sn_slice_str(a->signature.amz_date));
    if (sn_secret_is_set(&a->credentials.session_token)) {
        sn_http_call_header(&a->call, "X-Amz-Security-Token", sn_secret_reveal(&a->credentials.session_token));
    }
    sn_http_call_header(&a->call, "Authorization", sn_buf_slice(&a->signature.authorization));
    return SN_OK;
}

static enum sn_status make_nonce(const struct sn_client *client, struct sn_buf *out_nonce, struct sn_error *err)
{
    unsigned char bytes[NONCE_BYTES];

    SN_TRY(sn_random_fill(client->random_source, bytes, sizeof(bytes), err));
    sn_base64url_encode(out_nonce, bytes, sizeof(bytes));
    return SN_OK;
}

/* Where proofs are signed for: as the server asked, else as configured, else us-east-1. */
static enum sn_status proof_region(
    const struct sn_client *client, char out_region[SN_REGION_MAX + 1], struct sn_error *err)
{
    if (client->proof_region[0] != '\0') {
        memcpy(out_region, client->proof_region, sizeof(client->proof_region));
        return SN_OK;
    }
    SN_TRY(sn_base_region(client->base, out_region, err));
    if (out_region[0] == '\0') {
        (void)snprintf(out_region, SN_REGION_MAX + 1, "us-east-1");
    }
    return SN_OK;
}

static enum sn_status sign_proof(
    const struct sn_client *client, struct attempt *a, bool with_nonce, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf nonce = {0};
    char region[SN_REGION_MAX + 1];
    char endpoint[SN_ENDPOINT_MAX];
    char hash[SN_REQUEST_HASH_LEN + 1];

    SN_TRY(proof_region(client, region, err));
    SN_TRY(sn_endpoint_url("sts", sn_slice_str(region), client->env, endpoint, err));
    if (with_nonce) {
        SN_TRY(make_nonce(client, &nonce, err));
    }
    sn_request_hash(a->method, sn_buf_slice(&a->path), a->query, a->body, hash);
    struct sn_proof_input input = {.audience = sn_slice_str(client->audience),
        .request_hash = sn_slice_str(hash),
        .nonce = sn_buf_slice(&nonce),
        .region = sn_slice_str(region),
        .sts_authority = sn_endpoint_authority(sn_slice_str(endpoint)),
        .unix_s = sn_clock_unix_s(client->clock)};
    SN_TRY(sn_proof_make(&input, &a->credentials, &a->proof, err));
    sn_http_call_header(&a->call, "Authorization", sn_buf_slice(&a->proof.authorization));
    sn_http_call_header(&a->call, "X-Amz-Date", sn_buf_slice(&a->proof.amz_date));
    if (a->proof.security_token.len > 0) {
        sn_http_call_header(&a->call, "X-Amz-Security-Token", sn_buf_slice(&a->proof.security_token));
    }
    sn_http_call_header(&a->call, "X-Sentinel-Audience", sn_buf_slice(&a->proof.audience));
    if (a->proof.nonce.len > 0) {
        sn_http_call_header(&a->call, "X-Sentinel-Nonce", sn_buf_slice(&a->proof.nonce));
    }
    sn_http_call_header(&a->call, "X-Sentinel-Request", sn_buf_slice(&a->proof.request));
    return SN_OK;
}

/* --- One try --- */

/* What was asked, the same for every try. */
struct asked {
    const char *method, *path;
    struct sn_slice query, body;
};

static enum sn_status try_once(struct sn_client *client, const struct asked *asked, bool with_nonce, int64_t left_ms,
    struct sn_http_reply *out_reply, struct sn_error *err)
{
    SN_AUTO(attempt_clear)
    struct attempt a = {.method = sn_slice_str(asked->method), .query = asked->query, .body = asked->body};
    const struct sn_credential_source *source = sn_base_source(client->base);

    sn_buf_add(&a.path, client->url.path);
    sn_buf_add_str(&a.path, asked->path);
    sn_buf_add_str(&a.target, client->origin);
    sn_buf_add(&a.target, sn_buf_slice(&a.path));
    if (asked->query.len > 0) {
        sn_buf_add_byte(&a.target, '?');
        sn_buf_add(&a.target, asked->query);
    }
    a.call = (struct sn_http_call){.method = asked->method,
        .url = sn_buf_str(&a.target),
        .unix_socket = client->socket_path,
        .body = asked->body,
        .connect_timeout_ms = (int)(left_ms < CONNECT_MS ? left_ms : CONNECT_MS),
        .total_timeout_ms = (int)left_ms,
        .max_body = MAX_ANSWER};
    if (asked->body.len > 0) {
        sn_http_call_header(&a.call, "Content-Type", SN_S("application/json"));
    }
    sn_http_call_header(&a.call, "Accept", SN_S("application/json"));
    SN_TRY(source->get(source->ctx, &a.credentials, err));
    if (client->mode == AUTH_IAM) {
        SN_TRY(sign_iam(client, &a, err));
    } else {
        SN_TRY(sign_proof(client, &a, with_nonce, err));
    }
    return client->transport.send(client->transport.ctx, &a.call, out_reply, err);
}

/* --- Tries --- */

/* What has been spent of the second chances. */
struct chances {
    int retries, waits;
    bool region, nonce;
};

static int64_t mono_ms(const struct sn_client *client)
{
    return sn_clock_mono_ms(client->clock);
}

/* PROOF_REGION: once more for the region the server names, within the partition in which we sign. */
static bool take_region(struct sn_client *client, const struct sn_http_reply *reply)
{
    char ours[SN_REGION_MAX + 1];
    struct sn_slice theirs = {0};
    struct sn_error ignored;

    if (!sn_client_region_wanted(sn_http_reply_header(reply, "www-authenticate"), &theirs) ||
        proof_region(client, ours, &ignored) != SN_OK ||
        strcmp(sn_partition_of_region(theirs), sn_partition_of_region(sn_slice_str(ours))) != 0) {
        return false;
    }
    (void)snprintf(client->proof_region, sizeof(client->proof_region), "%.*s", SN_PRI(theirs));
    return true;
}

static bool wait_for(struct sn_client *client, int ms, int64_t end_ms)
{
    if (mono_ms(client) + ms >= end_ms) {
        return false;
    }
    client->transport.wait_ms(client->transport.ctx, ms);
    return true;
}

/* True when a refusal may be answered by one more try. */
static bool may_try_again(struct sn_client *client, const struct sn_http_reply *reply, const struct sn_error *refusal,
    struct chances *spent, int64_t end_ms)
{
    if (client->mode == AUTH_PROOF && !spent->region && sn_error_is(refusal, "PROOF_REGION")) {
        spent->region = true;
        return take_region(client, reply);
    }
    if (client->mode == AUTH_PROOF && !spent->nonce && sn_error_is(refusal, "PROOF_REPLAYED")) {
        spent->nonce = true;
        return true;
    }
    if (reply->status == 429 && spent->waits == 0 && refusal->retry_after_s > 0 &&
        refusal->retry_after_s <= MAX_WAIT_429_S) {
        spent->waits++;
        return wait_for(client, refusal->retry_after_s * 1000, end_ms);
    }
    if (reply->status >= 500 && reply->status != 501 && spent->retries < MAX_RETRIES) {
        return wait_for(client, retry_wait_ms[spent->retries++], end_ms);
    }
    return false;
}

static enum sn_status not_reached(const struct sn_client *client, struct sn_error *err)
{
    struct sn_error cause = *err;

    if (strncmp(cause.code, "HTTP_", 5) != 0) {
        return cause.status; /* of the credentials or the signature: the cause itself */
    }
    (void)sn_fail(err, cause.status == SN_TIMEOUT ? SN_TIMEOUT : SN_UNAVAILABLE, "TVM_UNREACHABLE",
        "no answer from the Token Vending Machine at %s: %s", client->audience, cause.message);
    return sn_suggest(err, "check the address, the network and, for https, the certificate");
}

static bool is_network_fault(enum sn_status status, const struct sn_error *err)
{
    return status == SN_UNAVAILABLE && strncmp(err->code, "HTTP_", 5) == 0;
}

enum sn_status sn_client_call(struct sn_client *client, const char *method, const char *path, struct sn_slice query,
    struct sn_slice body, struct sn_json_doc **out_doc, int *out_http_status, struct sn_error *err)
{
    const struct asked asked = {.method = method, .path = path, .query = query, .body = body};
    int64_t end_ms = mono_ms(client) + TOTAL_MS;
    struct chances spent = {0};
    enum sn_status status = SN_OK;

    if (out_http_status != NULL) {
        *out_http_status = 0;
    }
    for (int i = 0; i < MAX_TRIES; i++) {
        SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
        int64_t left_ms = end_ms - mono_ms(client);
        status = try_once(client, &asked, spent.nonce, left_ms < 1 ? 1 : left_ms, &reply, err);
        if (status != SN_OK) {
            if (is_network_fault(status, err) && spent.retries < MAX_RETRIES &&
                wait_for(client, retry_wait_ms[spent.retries++], end_ms)) {
                continue;
            }
            if (out_http_status != NULL) {
                *out_http_status = 0; /* an earlier try's answer is not the last word */
            }
            return not_reached(client, err);
        }
        if (out_http_status != NULL) {
            *out_http_status = reply.status;
        }
        status = sn_client_read_answer(&reply, sn_clock_unix_s(client->clock), client->mode == AUTH_IAM, out_doc, err);
        if (status == SN_OK || !may_try_again(client, &reply, err, &spent, end_ms)) {
            return status;
        }
    }
    return status;
}

/* --- Credentials --- */

enum sn_status sn_client_credentials(struct sn_client *client, struct sn_slice profile, int64_t duration_s,
    const char *device_id, struct sn_issued *out_issued, int *out_http_status, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "profile", profile);
    if (duration_s > 0) {
        sn_json_member_int(&w, "duration", duration_s);
    }
    if (device_id != NULL) {
        sn_json_member_str(&w, "device_id", device_id);
    }
    sn_json_end_object(&w);
    SN_TRY(sn_client_call(
        client, "POST", "/v1/credentials", (struct sn_slice){0}, sn_buf_slice(&body), &doc, out_http_status, err));
    return sn_client_read_issued(sn_json_root(doc), sn_clock_unix_s(client->clock), out_issued, err);
}
