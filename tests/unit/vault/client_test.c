/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/client.c and client_answer.c over a scripted network: addresses, both ways to authenticate, second chances, and
 * what each answer becomes.
 */
#include "test.h"

#include <stdio.h>

#include "aws/proof.h"
#include "scripted_transport.h"
#include "vault/client.h"
#include "vault/client_answer.h"

#define GATEWAY "https://abc.execute-api.eu-west-1.amazonaws.com"
#define DEVICE "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
#define REFUSAL(code) "{\"code\":\"" code "\",\"message\":\"M\",\"hint\":\"H\",\"request_id\":\"4g7kq2m9x0v5c8za\"}"
#define ISSUED(keys)                                                                                                   \
    "{\"credentials\":{" keys "},\"session\":{\"id\":\"ses-4g7kq2m9x0v5c8za\",\"profile\":\"prod\",\"role_arn\":"      \
    "\"arn:aws:iam::123456789012:role/P\",\"region\":\"eu-west-1\",\"source_identity\":"                               \
    "\"sentinel=alice=direct=4g7kq2m9x0v5c8za\",\"kind\":\"direct\",\"grant_id\":null,\"duration_seconds\":900,"       \
    "\"capped_by\":null},\"decision\":{\"effect\":\"allow\"}}"
#define GOOD_KEYS                                                                                                      \
    "\"access_key_id\":\"ASIA\",\"secret_access_key\":\"CANARY-s\",\"session_token\":\"CANARY-t\",\"expiration\":"     \
    "\"2026-01-02T04:00:00.000Z\""
#define JSON(http, text)                                                                                               \
    {                                                                                                                  \
        .http_status = (http), .content_type = "application/json", .body = (text)                                      \
    }
#define JSON_WITH(http, text, header)                                                                                  \
    {                                                                                                                  \
        .http_status = (http), .content_type = "application/json", .body = (text), .extra_header = (header)            \
    }
#define BROKEN(error_status, code)                                                                                     \
    {                                                                                                                  \
        .status = (error_status), .error_code = (code)                                                                 \
    }

struct fixture {
    const char *region;
    struct sn_env env;
    struct script script;
    struct sn_transport transport;
    struct sn_clock clock;
    struct sn_random random_source;
    struct sn_base *base;
    struct sn_client *client;
};

static const char *fixture_env(void *ctx, const char *name)
{
    const struct fixture *f = ctx;
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE00000001"},
        {"AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"},
        {"AWS_SESSION_TOKEN", "tok/en+example=="},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].value;
        }
    }
    return strcmp(name, "AWS_REGION") == 0 ? f->region : NULL;
}

static enum sn_status counting_bytes(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < len; i++) {
        ((unsigned char *)bytes)[i] = (unsigned char)i;
    }
    return SN_OK;
}

static enum sn_status open_client(struct fixture *f, const char *url, const char *auth, const char *region,
    const struct scripted_reply *replies, size_t count, struct sn_error *err)
{
    memset(f, 0, sizeof(*f));
    f->region = region;
    f->env = (struct sn_env){.get = fixture_env, .ctx = f};
    f->script = (struct script){.replies = replies,
        .reply_count = count,
        .now_ns = 1767323045LL * 1000000000,
        .mono_ns = 1000000000}; /* 2026-01-02T03:04:05Z */
    f->transport = script_transport(&f->script);
    f->clock = script_clock(&f->script);
    f->random_source = (struct sn_random){.fill = counting_bytes};
    struct sn_base_options base = {.env = &f->env, .clock = &f->clock, .transport = &f->transport};
    assert_ok(sn_base_new(&base, &f->base, err), err);
    struct sn_client_options options = {.url = url,
        .auth = auth,
        .base = f->base,
        .env = &f->env,
        .clock = &f->clock,
        .random_source = &f->random_source,
        .transport = &f->transport};
    return sn_client_new(&options, &f->client, err);
}

static void must_open(struct fixture *f, const char *url, const char *auth, const char *region,
    const struct scripted_reply *replies, size_t count)
{
    struct sn_error err;

    assert_ok(open_client(f, url, auth, region, replies, count, &err), &err);
}

static void close_client(struct fixture *f)
{
    sn_client_free(f->client);
    sn_base_free(f->base);
    script_clear(&f->script);
}

static void assert_sent(const struct fixture *f, size_t index, const char *text)
{
    if (strstr(sn_buf_str(&f->script.sent[index]), text) == NULL) {
        fail_msg("call %zu does not hold '%s':\n%s", index, text, sn_buf_str(&f->script.sent[index]));
    }
}

/* TVM-27: what is signed for which address. */
static void scopes(void **state)
{
    (void)state;
    static const struct {
        const char *url, *auth, *region, *target, *scope;
    } rows[] = {
        {GATEWAY, NULL, "us-east-1", GATEWAY "/v1/whoami\n", "/20260102/eu-west-1/execute-api/aws4_request,"},
        {GATEWAY "/live", "auto", NULL, GATEWAY "/live/v1/whoami\n", "/20260102/eu-west-1/execute-api/aws4_request,"},
        {"https://x.execute-api.cn-north-1.amazonaws.com.cn", NULL, NULL,
            "https://x.execute-api.cn-north-1.amazonaws.com.cn/v1/whoami\n",
            "/20260102/cn-north-1/execute-api/aws4_request,"},
        {"https://abc.lambda-url.eu-central-1.on.aws/", NULL, "us-east-1",
            "https://abc.lambda-url.eu-central-1.on.aws/v1/whoami\n", "/20260102/eu-central-1/lambda/aws4_request,"},
        {"https://tvm.example.org", "iam", "eu-north-1", "https://tvm.example.org/v1/whoami\n",
            "/20260102/eu-north-1/execute-api/aws4_request,"},
        {"https://tvm.example.org", NULL, "eu-north-1", "https://tvm.example.org/v1/whoami\n",
            "/20260102/eu-north-1/sts/aws4_request,"},
        {"https://tvm.example.org", NULL, NULL, "https://tvm.example.org/v1/whoami\n",
            "/20260102/us-east-1/sts/aws4_request,"},
        {"unix:/run/tvm.sock", NULL, NULL, "http://localhost/v1/whoami\n", "/20260102/us-east-1/sts/aws4_request,"},
        {"http://127.0.0.1:8443", "proof", NULL, "http://127.0.0.1:8443/v1/whoami\n",
            "/20260102/us-east-1/sts/aws4_request,"},
        {"https://execute-api.eu-west-1.amazonaws.com.evil.example", NULL, NULL,
            "https://execute-api.eu-west-1.amazonaws.com.evil.example/v1/whoami\n",
            "/20260102/us-east-1/sts/aws4_request,"},
        {"https://a.b.execute-api.eu-west-1.amazonaws.com", NULL, NULL,
            "https://a.b.execute-api.eu-west-1.amazonaws.com/v1/whoami\n", "/20260102/us-east-1/sts/aws4_request,"},
    };
    const struct scripted_reply replies[] = {JSON(200, "{\"a\":1}")};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
        struct fixture f;
        struct sn_error err;
        int http = 0;

        print_message("# %s\n", rows[i].url);
        must_open(&f, rows[i].url, rows[i].auth, rows[i].region, replies, 1);
        assert_ok(sn_client_call(f.client, "GET", "/v1/whoami", SN_S(""), SN_S(""), &doc, &http, &err), &err);
        assert_int_equal(http, 200);
        assert_int_equal(sn_json_int(sn_json_get(sn_json_root(doc), "a"), 0), 1);
        assert_sent(&f, 0, rows[i].target);
        assert_sent(&f, 0, rows[i].scope);
        bool proof = strstr(rows[i].scope, "/sts/") != NULL;
        assert_int_equal(strstr(sn_buf_str(&f.script.sent[0]), "X-Sentinel-Request: ") != NULL, proof);
        assert_null(strstr(sn_buf_str(&f.script.sent[0]), "Content-Type: ")); /* none on GET */
        close_client(&f);
    }
}

static void bad_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *url, *auth, *code;
    } rows[] = {
        {NULL, NULL, "TVM_NOT_CONFIGURED"},
        {"", NULL, "TVM_NOT_CONFIGURED"},
        {"http://tvm.example.org", NULL, "INVALID_URL"},
        {"https://u:p@tvm.example.org", NULL, "INVALID_URL"},
        {"https://tvm.example.org?x", NULL, "INVALID_URL"},
        {"https://tvm.example.org#x", NULL, "INVALID_URL"},
        {"unix:relative", NULL, "INVALID_URL"},
        {"ftp://x", NULL, "INVALID_URL"},
        {"https://tvm.example.org", "basic", "INVALID_TVM_AUTH"},
        {"unix:/run/x", "iam", "INVALID_TVM_AUTH"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture f;
        struct sn_error err;

        print_message("# %s\n", rows[i].url == NULL ? "none" : rows[i].url);
        assert_fails(open_client(&f, rows[i].url, rows[i].auth, NULL, NULL, 0, &err), &err, rows[i].code);
        assert_null(f.client);
        close_client(&f);
    }
}

/* A custom domain behind API Gateway has no region in its name. */
static void iam_needs_a_region(void **state)
{
    (void)state;
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct fixture f;
    struct sn_error err;
    int http = 0;

    must_open(&f, "https://tvm.example.org", "iam", NULL, NULL, 0);
    assert_fails(sn_client_call(f.client, "GET", "/v1/whoami", SN_S(""), SN_S(""), &doc, &http, &err), &err,
        "CONFIG_INVALID_REGION");
    assert_non_null(strstr(err.suggestion, "--region"));
    assert_int_equal(f.script.calls, 0);
    close_client(&f);
}

/* TVM-41: the published vectors, as the client sends them. */
static void vectors(void **state)
{
    (void)state;
    static const struct {
        const char *url, *region, *signature;
    } rows[] = {
        {"https://a1b2c3d4e5.execute-api.us-west-2.amazonaws.com", NULL,
            "Signature=8a81a42dcb85ccdded6b4faf084933c277d67324de8e917399540890376de938\n"},
        {"https://tvm.example.org", "us-west-2",
            "Signature=d906240506b538f1ba7eacc843de272337dea99b194364eb6944b08a86b58da3\n"},
    };
    const struct scripted_reply replies[] = {JSON(200, ISSUED(GOOD_KEYS))};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
        struct fixture f;
        struct sn_error err;

        must_open(&f, rows[i].url, NULL, rows[i].region, replies, 1);
        assert_ok(sn_client_credentials(f.client, SN_S("prod/admin"), 3600, DEVICE, &issued, NULL, &err), &err);
        assert_sent(&f, 0, "{\"profile\":\"prod/admin\",\"duration\":3600,\"device_id\":\"" DEVICE "\"}");
        assert_sent(&f, 0, rows[i].signature);
        assert_sent(&f, 0, "Content-Type: application/json\n");
        assert_null(strstr(sn_buf_str(&f.script.sent[0]), "wJalr"));
        assert_string_equal(issued.session_id, "ses-4g7kq2m9x0v5c8za");
        assert_string_equal(issued.region, "eu-west-1");
        assert_string_equal(issued.source_identity, "sentinel=alice=direct=4g7kq2m9x0v5c8za");
        assert_int_equal(issued.duration_s, 900);
        assert_string_equal(issued.credentials.access_key_id, "ASIA");
        assert_slice_equal(sn_secret_reveal(&issued.credentials.session_token), "CANARY-t");
        assert_int_equal(issued.credentials.expires_unix_s, 1767326400);
        close_client(&f);
    }
}

/* Members that are left out stay out. */
static void smallest_request(void **state)
{
    (void)state;
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    const struct scripted_reply replies[] = {JSON(200, ISSUED(GOOD_KEYS))};
    struct fixture f;
    struct sn_error err;

    must_open(&f, "https://tvm.example.org", NULL, NULL, replies, 1);
    assert_ok(sn_client_credentials(f.client, SN_S("prod"), 0, NULL, &issued, NULL, &err), &err);
    assert_sent(&f, 0, "\n\n{\"profile\":\"prod\"}");
    close_client(&f);
}

static void unusable_credentials(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "{\"credentials\":{\"access_key_id\":\"ASIA\",\"secret_access_key\":\"CANARY\"}}",
        ISSUED("\"access_key_id\":\"ASIA\",\"secret_access_key\":\"CANARY\",\"session_token\":\"\",\"expiration\":"
               "\"2026-01-02T04:00:00.000Z\""),
        ISSUED("\"access_key_id\":\"\",\"secret_access_key\":\"CANARY\",\"session_token\":\"t\",\"expiration\":"
               "\"2026-01-02T04:00:00.000Z\""),
        ISSUED("\"access_key_id\":\"ASIA\",\"secret_access_key\":\"CANARY\",\"session_token\":\"t\",\"expiration\":"
               "\"2026-01-02T03:04:05.000Z\""),
        ISSUED("\"access_key_id\":\"ASIA\",\"secret_access_key\":\"CANARY\",\"session_token\":\"t\",\"expiration\":"
               "\"later\""),
        "{\"credentials\":{" GOOD_KEYS "},\"session\":{\"id\":\"ses-1\",\"region\":\"mars\"}}",
        "{\"credentials\":{" GOOD_KEYS "},\"session\":{\"id\":\"ses-1\\u001b\"}}",
        "CANARY is not JSON",
        "[\"CANARY\"]",
    };

    for (size_t i = 0; i < SN_LEN(bodies); i++) {
        SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
        const struct scripted_reply replies[] = {JSON(200, bodies[i])};
        struct fixture f;
        struct sn_error err;

        print_message("# %s\n", bodies[i]);
        must_open(&f, "https://tvm.example.org", NULL, NULL, replies, 1);
        assert_fails(
            sn_client_credentials(f.client, SN_S("prod"), 0, NULL, &issued, NULL, &err), &err, "TVM_ANSWER_INVALID");
        assert_false(sn_secret_is_set(&issued.credentials.secret_access_key));
        assert_null(strstr(err.message, "CANARY"));
        assert_int_equal(f.script.calls, 1);
        close_client(&f);
    }
}

/* One answer, no second chance: status, code and hint as the server gave them. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *url;
        struct scripted_reply reply;
        const char *code, *message, *hint;
        enum sn_status status;
    } rows[] = {
        {"denied", "https://t.example", JSON(403, REFUSAL("POLICY_DENY")), "POLICY_DENY", "M", "H", SN_DENIED},
        {"invalid", "https://t.example", JSON(400, REFUSAL("INVALID_PROFILE")), "INVALID_PROFILE", "M", "H",
            SN_INVALID},
        {"unknown", "https://t.example", JSON(404, REFUSAL("UNKNOWN_PROFILE")), "UNKNOWN_PROFILE", "M", "H",
            SN_NOT_FOUND},
        {"no identity", "https://t.example", JSON(401, REFUSAL("PROOF_REJECTED")), "PROOF_REJECTED", "M", "H",
            SN_UNAUTHENTICATED},
        {"conflict", "https://t.example", JSON(409, REFUSAL("INVALID_TRANSITION")), "INVALID_TRANSITION", "M", "H",
            SN_CONFLICT},
        {"timeout", "https://t.example", JSON(408, REFUSAL("REQUEST_TIMEOUT")), "REQUEST_TIMEOUT", "M", "H",
            SN_TIMEOUT},
        {"501 is not tried again", "https://t.example", JSON(501, REFUSAL("NOT_CONFIGURED")), "NOT_CONFIGURED", "M",
            "H", SN_UNAVAILABLE},
        {"429 without a time", "https://t.example", JSON(429, REFUSAL("RATE_LIMITED")), "RATE_LIMITED", "M", "H",
            SN_THROTTLED},
        {"429 with too long a time", "https://t.example", JSON_WITH(429, REFUSAL("RATE_LIMITED"), "Retry-After: 11"),
            "RATE_LIMITED", "M", "H", SN_THROTTLED},
        {"clock", "https://t.example", JSON_WITH(401, REFUSAL("PROOF_EXPIRED"), "Date: Fri, 02 Jan 2026 03:06:07 GMT"),
            "PROOF_EXPIRED", "M", "your clock is 122 s behind the server's; synchronise it", SN_UNAUTHENTICATED},
        {"audience", "https://t.example", JSON(401, REFUSAL("PROOF_AUDIENCE")), "PROOF_AUDIENCE", "M",
            "the server is not published under this URL; its SENTINEL_PUBLIC_URL must list it", SN_UNAUTHENTICATED},
        {"escapes", "https://t.example",
            JSON(403, "{\"code\":\"POLICY_DENY\",\"message\":\"a\\u001b[31m\",\"hint\":\"\",\"request_id\":\"\"}"),
            "POLICY_DENY", "a\\u001b[31m", "", SN_DENIED},
        {"gateway", GATEWAY, JSON(403, "{\"message\":\"Forbidden\"}"), "GATEWAY_FORBIDDEN",
            "the gateway before the Token Vending Machine refused the call: Forbidden",
            "the caller needs execute-api:Invoke or lambda:InvokeFunctionUrl on this API; check --region, or "
            "--tvm-auth",
            SN_DENIED},
        {"gateway that wants a signature", "https://t.example",
            JSON(403, "{\"message\":\"Missing Authentication Token\"}"), "GATEWAY_FORBIDDEN",
            "the gateway before the Token Vending Machine refused the call: Missing Authentication Token",
            "behind API Gateway the request itself is signed: --tvm-auth iam, and --region REGION", SN_DENIED},
        {"html", "https://t.example", JSON(404, "<html>\x1b[2J</html>"), "TVM_ANSWER_INVALID",
            "the Token Vending Machine answered with status 404: <html>\\u001b[2J</html>",
            "check that the address is that of a Token Vending Machine", SN_PROTOCOL},
        {"redirect", "https://t.example", JSON(302, ""), "TVM_ANSWER_INVALID",
            "the Token Vending Machine answered with status 302",
            "check that the address is that of a Token Vending Machine", SN_PROTOCOL},
        {"code that is none", "https://t.example", JSON(403, "{\"code\":\"a b\"}"), "TVM_ANSWER_INVALID",
            "the Token Vending Machine answered with status 403: {\\\"code\\\":\\\"a b\\\"}",
            "check that the address is that of a Token Vending Machine", SN_PROTOCOL},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
        struct fixture f;
        struct sn_error err;
        int http = 0;

        print_message("# %s\n", rows[i].name);
        must_open(&f, rows[i].url, NULL, NULL, &rows[i].reply, 1);
        assert_fails(sn_client_call(f.client, "POST", "/v1/explain", SN_S(""), SN_S("{}"), &doc, &http, &err), &err,
            rows[i].code);
        assert_int_equal(err.status, rows[i].status);
        assert_string_equal(err.message, rows[i].message);
        assert_string_equal(err.suggestion, rows[i].hint);
        assert_int_equal(http, rows[i].reply.http_status);
        assert_int_equal(f.script.calls, 1);
        close_client(&f);
    }
}

static const char *detail(const struct sn_error *err, const char *key)
{
    for (size_t i = 0; i < err->detail_count; i++) {
        if (strcmp(err->details[i].key, key) == 0) {
            return err->details[i].value;
        }
    }
    return "";
}

static void details(void **state)
{
    (void)state;
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const struct scripted_reply replies[] = {
        JSON(403, "{\"code\":\"APPROVAL_REQUIRED\",\"message\":\"m\",\"hint\":\"h\",\"request_id\":\"r1\",\"details\":"
                  "{\"request\":\"req-4g7kq2m9x0v5c8za\",\"status\":\"pending\"}}")};
    struct fixture f;
    struct sn_error err;

    must_open(&f, "https://t.example", NULL, NULL, replies, 1);
    assert_fails(
        sn_client_call(f.client, "GET", "/v1/whoami", SN_S(""), SN_S(""), &doc, NULL, &err), &err, "APPROVAL_REQUIRED");
    assert_string_equal(detail(&err, "request_id"), "r1");
    assert_string_equal(detail(&err, "http_status"), "403");
    assert_string_equal(detail(&err, "pending_request"), "req-4g7kq2m9x0v5c8za");
    assert_string_equal(detail(&err, "state"), "pending");
    close_client(&f);
}

/* Second chances: how often, after which wait, and with what signed anew. */
static void second_chances(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply replies[4];
        size_t calls, waits;
        int wait_ms;
        const char *code, *then; /* then: in the last call */
    } rows[] = {
        {"503 twice", {JSON(503, REFUSAL("OVERLOADED")), JSON(503, "x"), JSON(200, "{}")}, 3, 2, 200, NULL,
            "20260102T030406Z"},
        {"503 for ever",
            {JSON(503, REFUSAL("OVERLOADED")), JSON(503, REFUSAL("OVERLOADED")), JSON(503, REFUSAL("OVERLOADED"))}, 3,
            2, 200, "OVERLOADED", ""},
        {"network", {BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT"), JSON(200, "{}")}, 2, 1, 200, NULL, ""},
        {"network for ever",
            {BROKEN(SN_UNAVAILABLE, "HTTP_CUT"), BROKEN(SN_UNAVAILABLE, "HTTP_CUT"),
                BROKEN(SN_UNAVAILABLE, "HTTP_CUT")},
            3, 2, 200, "TVM_UNREACHABLE", ""},
        {"refused, then not reached", {JSON(401, REFUSAL("PROOF_REPLAYED")), BROKEN(SN_TIMEOUT, "HTTP_TIMEOUT")}, 2, 0,
            0, "TVM_UNREACHABLE", ""},
        {"too slow", {BROKEN(SN_TIMEOUT, "HTTP_TIMEOUT")}, 1, 0, 0, "TVM_UNREACHABLE", ""},
        {"too large", {BROKEN(SN_LIMIT, "HTTP_TOO_LARGE")}, 1, 0, 0, "TVM_UNREACHABLE", ""},
        {"429 once", {JSON_WITH(429, REFUSAL("RATE_LIMITED"), "Retry-After: 10"), JSON(200, "{}")}, 2, 1, 10000, NULL,
            ""},
        {"429 twice",
            {JSON_WITH(429, REFUSAL("RATE_LIMITED"), "Retry-After: 1"),
                JSON_WITH(429, REFUSAL("RATE_LIMITED"), "Retry-After: 1")},
            2, 1, 1000, "RATE_LIMITED", ""},
        {"replayed", {JSON(401, REFUSAL("PROOF_REPLAYED")), JSON(200, "{}")}, 2, 0, 0, NULL,
            "X-Sentinel-Nonce: AAECAwQFBgcICQoLDA0ODw\n"},
        {"replayed for ever", {JSON(401, REFUSAL("PROOF_REPLAYED")), JSON(401, REFUSAL("PROOF_REPLAYED"))}, 2, 0, 0,
            "PROOF_REPLAYED", ""},
        {"region",
            {JSON_WITH(401, REFUSAL("PROOF_REGION"), "WWW-Authenticate: Sentinel region=\"eu-west-1\""),
                JSON(200, "{}")},
            2, 0, 0, NULL, "/20260102/eu-west-1/sts/aws4_request,"},
        {"region of another partition",
            {JSON_WITH(401, REFUSAL("PROOF_REGION"), "WWW-Authenticate: Sentinel region=\"cn-north-1\"")}, 1, 0, 0,
            "PROOF_REGION", ""},
        {"region that is a host",
            {JSON_WITH(401, REFUSAL("PROOF_REGION"), "WWW-Authenticate: Sentinel region=\"evil.example/\"")}, 1, 0, 0,
            "PROOF_REGION", ""},
        {"region twice",
            {JSON_WITH(401, REFUSAL("PROOF_REGION"), "WWW-Authenticate: Sentinel region=\"eu-west-1\""),
                JSON_WITH(401, REFUSAL("PROOF_REGION"), "WWW-Authenticate: Sentinel region=\"eu-west-2\"")},
            2, 0, 0, "PROOF_REGION", ""},
        {"denied is final", {JSON(403, REFUSAL("POLICY_DENY"))}, 1, 0, 0, "POLICY_DENY", ""},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
        struct fixture f;
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        int http = -1;
        must_open(&f, "https://t.example", NULL, NULL, rows[i].replies, SN_LEN(rows[i].replies));
        enum sn_status status =
            sn_client_call(f.client, "POST", "/v1/credentials", SN_S(""), SN_S("{}"), &doc, &http, &err);
        /* Who was not reached in the end has said nothing. */
        assert_int_equal(http == 0, status != SN_OK && sn_error_is(&err, "TVM_UNREACHABLE"));
        if (rows[i].code == NULL) {
            assert_ok(status, &err);
        } else {
            assert_fails(status, &err, rows[i].code);
        }
        assert_int_equal(f.script.calls, rows[i].calls);
        assert_int_equal(f.script.waits, rows[i].waits);
        assert_int_equal(f.script.waited_ms[0], rows[i].wait_ms);
        assert_sent(&f, f.script.calls - 1, rows[i].then);
        close_client(&f);
    }
}

static void learned_region(void **state)
{
    (void)state;
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const struct scripted_reply replies[] = {
        JSON_WITH(401, REFUSAL("PROOF_REGION"), "WWW-Authenticate: Sentinel region=\"eu-west-1\""), JSON(200, "{}")};
    struct fixture f;
    struct sn_error err;

    must_open(&f, "HTTPS://T.Example:443/", NULL, NULL, replies, 2);
    assert_string_equal(sn_client_audience(f.client), "https://t.example");
    assert_null(sn_client_learned_region(f.client));
    assert_ok(sn_client_call(f.client, "GET", "/v1/whoami", SN_S(""), SN_S(""), &doc, NULL, &err), &err);
    assert_string_equal(sn_client_learned_region(f.client), "eu-west-1");
    close_client(&f);
}

/* Query and base path are part of what a proof binds. */
static void query_is_bound(void **state)
{
    (void)state;
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const struct scripted_reply replies[] = {JSON(200, "{}")};
    char hash[SN_REQUEST_HASH_LEN + 1];
    char line[128];
    struct fixture f;
    struct sn_error err;

    must_open(&f, "https://gw.example.org/sentinel/", NULL, NULL, replies, 1);
    assert_ok(sn_client_call(f.client, "GET", "/", SN_S("profile=prod"), SN_S(""), &doc, NULL, &err), &err);
    assert_sent(&f, 0, "GET https://gw.example.org/sentinel/?profile=prod\n");
    sn_request_hash(SN_S("GET"), SN_S("/sentinel/"), SN_S("profile=prod"), SN_S(""), hash);
    assert_string_equal(hash, "0d466bb5af30da24a46ad97f54f8f111d47ce97bb75ac715b1ae78e02a442c59");
    (void)snprintf(line, sizeof(line), "X-Sentinel-Request: %s\n", hash);
    assert_sent(&f, 0, line);
    assert_sent(&f, 0, "X-Sentinel-Audience: https://gw.example.org/sentinel\n");
    close_client(&f);
}

/* A call never takes longer than 30 seconds in all. */
static void total_time(void **state)
{
    (void)state;
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const struct scripted_reply replies[] = {
        {.http_status = 503, .content_type = "application/json", .body = "{}", .takes_ms = 29900}};
    struct fixture f;
    struct sn_error err;

    must_open(&f, "https://t.example", NULL, NULL, replies, 1);
    assert_fails(sn_client_call(f.client, "GET", "/v1/whoami", SN_S(""), SN_S(""), &doc, NULL, &err), &err,
        "TVM_ANSWER_INVALID");
    assert_int_equal(f.script.calls, 1);
    assert_int_equal(f.script.timeout_ms[0], 30000);
    close_client(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(bad_addresses),
        cmocka_unit_test(iam_needs_a_region),
        cmocka_unit_test(vectors),
        cmocka_unit_test(smallest_request),
        cmocka_unit_test(unusable_credentials),
        cmocka_unit_test(refusals),
        cmocka_unit_test(details),
        cmocka_unit_test(second_chances),
        cmocka_unit_test(learned_region),
        cmocka_unit_test(query_is_bound),
        cmocka_unit_test(total_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
