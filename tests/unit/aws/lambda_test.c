/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Lambda loop against a stand-in of the Runtime API on a real socket, and the reading of events (TVM-03, TVM-36).
 */
#include "test.h"

#include <stdio.h>

#include "aws/lambda.h"
#include "base/alloc.h"
#include "raw_http.h"

/* A whole event as API Gateway sends it, with the parts that rows replace. */
#define EVENT(path, query, stage, method, authorizer, body, is_base64)                                                 \
    "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"" path "\",\"rawQueryString\":\"" query "\","        \
    "\"queryStringParameters\":{\"a\":\"1,2\"},\"headers\":{\"x-user\":\"admin\",\"host\":\"abc.execute-api\"},"       \
    "\"requestContext\":{\"accountId\":\"123456789012\",\"stage\":\"" stage "\",\"requestId\":\"JKJaXmPLvHcESHA=\","   \
    "\"http\":{\"method\":\"" method "\",\"path\":\"/other\",\"sourceIp\":\"192.0.2.7\"}" authorizer "},"              \
    "\"body\":" body ",\"isBase64Encoded\":" is_base64 "}"

#define IAM                                                                                                            \
    ",\"authorizer\":{\"iam\":{\"accessKey\":\"ASIA\",\"accountId\":\"123456789012\",\"callerId\":\"AROA:alice\","     \
    "\"cognitoIdentity\":null,\"principalOrgId\":\"o-abc\","                                                           \
    "\"userArn\":\"arn:aws:sts::123456789012:assumed-role/r/alice\",\"userId\":\"AROA:alice\"}}"

static struct sn_lambda_event must_parse(const char *text)
{
    struct sn_error err;
    struct sn_lambda_event event = {0};
    assert_ok(sn_lambda_event_parse(sn_slice_str(text), &event, &err), &err);
    return event;
}

static void whole_event(void **state)
{
    (void)state;
    struct sn_lambda_event event = must_parse(
        EVENT("/v1/credentials", "x=%2F", "$default", "POST", IAM, "\"{\\\"profile\\\":\\\"dev\\\"}\"", "false"));
    const struct sn_request *request = &event.request;
    assert_int_equal(request->method, SN_METHOD_POST);
    assert_slice_equal(request->path, "/v1/credentials");
    assert_slice_equal(request->query, "x=%2F");
    assert_slice_equal(request->body, "{\"profile\":\"dev\"}");
    assert_int_equal(request->header_count, 2);
    assert_slice_equal(*sn_request_header(request, "Host"), "abc.execute-api");
    assert_slice_equal(request->gateway_request_id, "JKJaXmPLvHcESHA=");
    assert_string_equal(request->peer.address, "192.0.2.7");
    assert_false(request->peer.is_loopback);
    assert_int_equal(request->peer.fd, -1);
    assert_non_null(request->iam);
    assert_slice_equal(request->iam->account_id, "123456789012");
    assert_slice_equal(request->iam->user_arn, "arn:aws:sts::123456789012:assumed-role/r/alice");
    assert_slice_equal(request->iam->user_id, "AROA:alice");
    assert_slice_equal(request->iam->access_key, "ASIA");
    assert_slice_equal(request->iam->principal_org_id, "o-abc");
    sn_lambda_event_clear(&event);
}

/* TVM-36: a named stage is stripped, and only as a whole segment. */
static void stages_and_slashes(void **state)
{
    (void)state;
    static const struct {
        const char *event, *path;
    } rows[] = {
        {EVENT("/live/v1/profiles", "", "live", "GET", "", "null", "false"), "/v1/profiles"},
        {EVENT("/live", "", "live", "GET", "", "null", "false"), "/"},
        {EVENT("/live/", "", "live", "GET", "", "null", "false"), "/"},
        {EVENT("/lively/v1", "", "live", "GET", "", "null", "false"), "/lively/v1"},
        {EVENT("/v1/live/x", "", "live", "GET", "", "null", "false"), "/v1/live/x"},
        {EVENT("/live/live/x", "", "live", "GET", "", "null", "false"), "/live/x"},
        {EVENT("/$default/x", "", "$default", "GET", "", "null", "false"), "/$default/x"},
        {EVENT("/v1/whoami/", "", "$default", "GET", "", "null", "false"), "/v1/whoami"},
        {EVENT("/v1/whoami//", "", "$default", "GET", "", "null", "false"), "/v1/whoami/"},
        {EVENT("/", "", "$default", "GET", "", "null", "false"), "/"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_lambda_event event = must_parse(rows[i].event);
        assert_slice_equal(event.request.path, rows[i].path);
        sn_lambda_event_clear(&event);
    }
}

/* TVM-03: identity is in one place of the event and nowhere else. */
static void identity_comes_from_the_authorizer_alone(void **state)
{
    (void)state;
    static const char *const without[] = {
        EVENT("/", "", "$default", "GET", "", "null", "false"),
        EVENT("/", "", "$default", "GET", ",\"authorizer\":null", "null", "false"),
        EVENT("/", "", "$default", "GET", ",\"authorizer\":{\"iam\":null}", "null", "false"),
        EVENT("/", "", "$default", "GET", ",\"authorizer\":{\"jwt\":{\"claims\":{\"sub\":\"a\"}}}", "null", "false"),
        EVENT("/", "", "$default", "GET", ",\"iam\":{\"accountId\":\"1\",\"userArn\":\"a\"}", "null", "false"),
        EVENT("/", "", "$default", "POST", "", "\"{\\\"authorizer\\\":{\\\"iam\\\":{\\\"userArn\\\":\\\"a\\\"}}}\"",
            "false"),
    };
    for (size_t i = 0; i < SN_LEN(without); i++) {
        struct sn_lambda_event event = must_parse(without[i]);
        assert_null(event.request.iam);
        sn_lambda_event_clear(&event);
    }
    struct sn_lambda_event event = must_parse(
        EVENT("/", "", "$default", "GET", ",\"authorizer\":{\"iam\":{\"accountId\":\"\"}}", "null", "false"));
    assert_non_null(event.request.iam); /* the handler refuses it: there is no ARN */
    assert_int_equal(event.request.iam->user_arn.len, 0);
    sn_lambda_event_clear(&event);
}

static void bodies(void **state)
{
    (void)state;
    static const struct {
        const char *event, *body;
    } rows[] = {
        {EVENT("/", "", "$default", "POST", "", "null", "false"), ""},
        {EVENT("/", "", "$default", "POST", "", "\"\"", "true"), ""},
        {EVENT("/", "", "$default", "POST", "", "\"eyJhIjoxfQ==\"", "true"), "{\"a\":1}"},
        {EVENT("/", "", "$default", "POST", "", "\"eyJhIjoxfQ==\"", "false"), "eyJhIjoxfQ=="},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_lambda_event event = must_parse(rows[i].event);
        assert_slice_equal(event.request.body, rows[i].body);
        sn_lambda_event_clear(&event);
    }
}

static const char *const malformed[] = {
    "",
    "x",
    "[]",
    "null",
    "{}",
    "{\"sentinel_task\":\"sweep\"",
    /* payload format 1.0 */
    "{\"version\":\"1.0\",\"httpMethod\":\"GET\",\"path\":\"/\",\"requestContext\":{\"identity\":{}}}",
    "{\"version\":\"2.0\",\"rawPath\":\"/\",\"requestContext\":{}}",
    "{\"version\":\"2.0\",\"rawPath\":\"/\",\"requestContext\":{\"http\":{}}}",
    "{\"version\":\"2.0\",\"rawPath\":\"v1\",\"requestContext\":{\"http\":{\"method\":\"GET\"}}}",
    "{\"version\":\"2.0\",\"rawPath\":7,\"requestContext\":{\"http\":{\"method\":\"GET\"}}}",
    "{\"version\":\"2.0\",\"rawPath\":\"/\",\"rawPath\":\"/\",\"requestContext\":{\"http\":{\"method\":\"GET\"}}}",
    "{\"version\":\"2.0\",\"rawPath\":\"/\",\"headers\":{\"a\":1},\"requestContext\":{\"http\":{\"method\":\"GET\"}}}",
    "{\"version\":\"2.0\",\"rawPath\":\"/\",\"headers\":[],\"requestContext\":{\"http\":{\"method\":\"GET\"}}}",
    EVENT("/", "", "$default", "GET", ",\"authorizer\":{\"iam\":\"admin\"}", "null", "false"),
    EVENT("/", "", "$default", "GET", ",\"authorizer\":{\"iam\":{\"userArn\":[\"a\"]}}", "null", "false"),
    EVENT("/", "", "$default", "POST", "", "{}", "false"),
    EVENT("/", "", "$default", "POST", "", "\"a\"", "true"),
    EVENT("/", "", "$default", "POST", "", "\"\"", "\"true\""),
};

static void malformed_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_LEN(malformed); i++) {
        struct sn_error err;
        struct sn_lambda_event event = {0};
        print_message("# %s\n", malformed[i]);
        assert_fails(sn_lambda_event_parse(sn_slice_str(malformed[i]), &event, &err), &err, "LAMBDA_EVENT");
        assert_null(event.doc);
    }
}

static void envelope(void **state)
{
    (void)state;
    struct sn_buf text = {0};
    struct sn_response response = {.status = 403};
    sn_buf_add(&response.body, SN_S("{\"code\":\"X\"}"));
    sn_response_header(&response, "X-Sentinel-Request-Id", "%s", "4g7kq2m9x0v5c8za");
    sn_lambda_format_response(&text, &response);
    assert_slice_equal(sn_buf_slice(&text),
        "{\"statusCode\":403,\"headers\":{\"content-type\":\"application/json; charset=utf-8\","
        "\"cache-control\":\"no-store\",\"x-content-type-options\":\"nosniff\","
        "\"X-Sentinel-Request-Id\":\"4g7kq2m9x0v5c8za\"},\"body\":\"{\\\"code\\\":\\\"X\\\"}\","
        "\"isBase64Encoded\":false}");
    sn_buf_clear(&text);
    sn_response_clear(&response);
}

/* --- The loop --- */

enum { NOW_S = 1700000000 };

static int64_t still_unix(void *ctx)
{
    (void)ctx;
    return NOW_S * 1000000000LL;
}

static int64_t still_mono(void *ctx)
{
    (void)ctx;
    return 5000000000LL;
}

static const struct sn_clock still_clock = {.unix_ns = still_unix, .mono_ns = still_mono};

struct seen {
    int calls;
    int64_t deadline_ns;
    char path[64];
};

static void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct seen *seen = ctx;
    seen->calls++;
    seen->deadline_ns = request->deadline_mono_ns;
    (void)snprintf(seen->path, sizeof(seen->path), "%.*s", SN_PRI(request->path));
    response->status = request->iam != NULL ? 200 : 403; /* a denial is an answer, no error of the invocation */
    sn_buf_add(&response->body, SN_S("{\"ok\":1}"));
}

#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

/* The answer of .../next that carries an event. */
static struct sn_slice next_answer(struct sn_buf *buf, const char *id, int64_t deadline_ms, const char *event)
{
    sn_buf_reset(buf);
    sn_buf_addf(buf,
        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: %s\r\nLambda-Runtime-Deadline-Ms: %lld\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        id, (long long)deadline_ms, strlen(event), event);
    return sn_buf_slice(buf);
}

static struct sn_lambda *make_lambda(const struct raw_server *server, struct seen *seen)
{
    char api[32];
    struct sn_error err;
    struct sn_lambda *lambda = NULL;
    (void)snprintf(api, sizeof(api), "127.0.0.1:%u", raw_server_port(server));
    static char kept[32];
    memcpy(kept, api, sizeof(kept));
    const struct sn_lambda_options options = {
        .runtime_api = kept, .clock = &still_clock, .handle = handle, .ctx = seen};
    assert_ok(sn_lambda_new(&options, &lambda, &err), &err);
    return lambda;
}

struct step_result {
    enum sn_status status;
    struct sn_error err;
    struct sn_buf requests;
    struct seen seen;
};

/* One event from next, and the answer's acceptance. */
static void step(const char *id, int64_t deadline_ms, const char *event, const char *accept, struct step_result *out)
{
    struct sn_buf next = {0};
    const struct raw_answer answers[] = {
        {.bytes = next_answer(&next, id, deadline_ms, event)}, {.bytes = sn_slice_str(accept)}};
    struct raw_server *server = raw_server_start(answers, 2);
    *out = (struct step_result){0};
    struct sn_lambda *lambda = make_lambda(server, &out->seen);
    out->status = sn_lambda_step(lambda, &out->err);
    sn_lambda_free(lambda);
    raw_server_stop(server, &out->requests, NULL);
    sn_buf_clear(&next);
}

#define assert_sent(result, text) assert_true(sn_slice_contains(sn_buf_slice(&(result)->requests), SN_S(text)))

static void event_is_answered(void **state)
{
    (void)state;
    struct step_result result;
    step("8476a536-e9f4-11e8-9739-2dfe598c3fcd", NOW_S * 1000LL + 10000,
        EVENT("/live/v1/profiles", "a=1", "live", "GET", IAM, "null", "false"), ACCEPTED, &result);
    assert_int_equal(result.status, SN_OK);
    assert_int_equal(result.seen.calls, 1);
    assert_string_equal(result.seen.path, "/v1/profiles");
    assert_int_equal(result.seen.deadline_ns, 5000000000LL + 9500LL * 1000000 + 1); /* 500 ms are kept back */
    assert_sent(&result, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n");
    assert_sent(
        &result, "POST /2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response HTTP/1.1\r\n");
    assert_sent(&result, "{\"statusCode\":200,");
    assert_sent(&result, "\"body\":\"{\\\"ok\\\":1}\"");
    sn_buf_clear(&result.requests);
}

static void deadlines(void **state)
{
    (void)state;
    static const struct {
        int64_t in_ms, expected_ms;
    } rows[] = {{30000, 29500}, {900000, 30000}, {500, 0}, {100, 0}, {-5000, 0}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct step_result result;
        step("a", NOW_S * 1000LL + rows[i].in_ms, EVENT("/", "", "$default", "GET", IAM, "null", "false"), ACCEPTED,
            &result);
        assert_int_equal(result.status, SN_OK);
        assert_int_equal(result.seen.deadline_ns, 5000000000LL + rows[i].expected_ms * 1000000 + 1);
        sn_buf_clear(&result.requests);
    }
}

/* A denial is an ordinary response; only a malformed event is an error of the invocation. */
static void denial_and_malformed_event(void **state)
{
    (void)state;
    struct step_result result;
    step("a", 0, EVENT("/", "", "$default", "GET", "", "null", "false"), ACCEPTED, &result);
    assert_int_equal(result.status, SN_OK);
    assert_sent(&result, "POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\n");
    assert_sent(&result, "{\"statusCode\":403,");
    sn_buf_clear(&result.requests);

    step("a", 0, "{\"rawPath\":\"CANARY\"}", ACCEPTED, &result);
    assert_int_equal(result.status, SN_OK);
    assert_int_equal(result.seen.calls, 0);
    assert_sent(&result, "POST /2018-06-01/runtime/invocation/a/error HTTP/1.1\r\n");
    assert_sent(&result, "Lambda-Runtime-Function-Error-Type: Sentinel.MalformedEvent\r\n");
    assert_sent(&result, "{\"errorType\":\"Sentinel.MalformedEvent\",\"errorMessage\":\"");
    assert_sent(&result, ",\"stackTrace\":[]}");
    assert_false(sn_slice_contains(sn_buf_slice(&result.requests), SN_S("CANARY")));
    sn_buf_clear(&result.requests);
}

/* ATK-31: the listener's limits hold on Lambda too. */
static void attack_31_limits_on_lambda(void **state)
{
    (void)state;
    struct step_result result;
    static const struct {
        const char *event, *answer;
    } rows[] = {
        {EVENT("/", "profile=a&profile=b", "$default", "GET", IAM, "null", "false"), "{\"statusCode\":400,"},
        {EVENT("/", "a=%zz", "$default", "GET", IAM, "null", "false"), "{\"statusCode\":400,"},
        {EVENT("/", "a=%ff", "$default", "GET", IAM, "null", "false"), "{\"statusCode\":400,"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        step("a", 0, rows[i].event, ACCEPTED, &result);
        assert_int_equal(result.status, SN_OK);
        assert_int_equal(result.seen.calls, 0);
        assert_true(sn_slice_contains(sn_buf_slice(&result.requests), sn_slice_str(rows[i].answer)));
        sn_buf_clear(&result.requests);
    }
    for (int over = 0; over <= 1; over++) {
        struct sn_buf event = {0};
        sn_buf_add_str(&event,
            "{\"version\":\"2.0\",\"rawPath\":\"/\",\"requestContext\":{\"http\":{\"method\":\"POST\"}},"
            "\"body\":\"");
        for (int i = 0; i < 65536 + over; i++) {
            sn_buf_add_byte(&event, 'a');
        }
        sn_buf_add_str(&event, "\"}");
        step("a", 0, sn_buf_str(&event), ACCEPTED, &result);
        assert_int_equal(result.seen.calls, 1 - over);
        assert_true(sn_slice_contains(sn_buf_slice(&result.requests), SN_S("BODY_TOO_LARGE")) == (over == 1));
        sn_buf_clear(&result.requests);
        sn_buf_clear(&event);
    }
}

/* What the runtime API itself gets wrong ends the loop; what concerns one invocation does not. */
static void runtime_faults(void **state)
{
    (void)state;
    struct step_result result;
    const char *event = EVENT("/", "", "$default", "GET", IAM, "null", "false");
    step("a", 0, event, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", &result);
    assert_int_equal(result.status, SN_OK);
    sn_buf_clear(&result.requests);
    step("a", 0, event, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", &result);
    assert_fails(result.status, &result.err, "LAMBDA_RUNTIME");
    sn_buf_clear(&result.requests);
    step("../../x", 0, event, ACCEPTED, &result);
    assert_fails(result.status, &result.err, "LAMBDA_RUNTIME");
    assert_int_equal(result.seen.calls, 0);
    sn_buf_clear(&result.requests);

    static const struct raw_answer broken[] = {
        {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")},
        {.bytes = SN_S_INIT("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}")},
        {.close_before = true}, /* on a warm connection: the client tries once more on a fresh one */
        {.close_before = true},
    };
    struct raw_server *server = raw_server_start(broken, SN_LEN(broken));
    struct seen seen = {0};
    struct sn_lambda *lambda = make_lambda(server, &seen);
    assert_fails(sn_lambda_step(lambda, &result.err), &result.err, "LAMBDA_RUNTIME");
    assert_fails(sn_lambda_step(lambda, &result.err), &result.err, "LAMBDA_RUNTIME");
    assert_fails(sn_lambda_step(lambda, &result.err), &result.err, "HTTP_CUT");
    sn_lambda_free(lambda);
    raw_server_stop(server, NULL, NULL);
}

static void run_goes_on_until_the_api_ends(void **state)
{
    (void)state;
    struct sn_buf one = {0}, two = {0};
    const char *event = EVENT("/", "", "$default", "GET", IAM, "null", "false");
    const struct raw_answer answers[] = {
        {.bytes = next_answer(&one, "a", 0, event)},
        {.bytes = SN_S(ACCEPTED)},
        {.bytes = next_answer(&two, "b", 0, "{")},
        {.bytes = SN_S(ACCEPTED)},
        {.bytes = sn_buf_slice(&one)},
        {.bytes = SN_S(ACCEPTED)},
        {.close_before = true}, /* on a warm connection: the client tries once more on a fresh one */
        {.close_before = true},
    };
    struct raw_server *server = raw_server_start(answers, SN_LEN(answers));
    struct seen seen = {0};
    struct sn_error err;
    size_t connections = 0;
    struct sn_lambda *lambda = make_lambda(server, &seen);
    assert_fails(sn_lambda_run(lambda, &err), &err, "HTTP_CUT");
    assert_int_equal(seen.calls, 2);
    sn_lambda_free(lambda);
    raw_server_stop(server, NULL, &connections);
    assert_int_equal(connections, 2); /* one warm connection for all, and the last try */
    sn_buf_clear(&one);
    sn_buf_clear(&two);
}

static void bad_runtime_api(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "a b", "host/path", "user@host:1", "host:1?x"};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        struct sn_lambda *lambda = NULL;
        const struct sn_lambda_options options = {.runtime_api = rows[i], .handle = handle};
        assert_fails(sn_lambda_new(&options, &lambda, &err), &err, "LAMBDA_RUNTIME");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_event),
        cmocka_unit_test(stages_and_slashes),
        cmocka_unit_test(identity_comes_from_the_authorizer_alone),
        cmocka_unit_test(bodies),
        cmocka_unit_test(malformed_events),
        cmocka_unit_test(envelope),
        cmocka_unit_test(event_is_answered),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(denial_and_malformed_event),
        cmocka_unit_test(attack_31_limits_on_lambda),
        cmocka_unit_test(runtime_faults),
        cmocka_unit_test(run_goes_on_until_the_api_ends),
        cmocka_unit_test(bad_runtime_api),
    };
    return cmocka_run_group_tests_name("aws/lambda", tests, NULL, NULL);
}
