/* SPDX-License-Identifier: Apache-2.0 */
/* aws/json_client.c: what is sent, how often, how long it may take, and what each answer becomes. */
#include "json_fixture.h"

static const struct sn_json_service service = {"SSM", "ssm", "AmazonSSM"};

static enum sn_status ask(struct json_fixture *f, struct sn_error *err)
{
    struct sn_json_client *client = NULL;
    struct sn_json_doc *doc = NULL;

    assert_int_equal(sn_json_client_new(&service, &f->options, &client, err), SN_OK);
    enum sn_status status = sn_json_client_call(client, "GetParameter", SN_S("{}"), 4096, &doc, err);
    assert_int_equal(status == SN_OK, doc != NULL);
    sn_json_doc_free(doc);
    sn_json_client_free(client);
    return status;
}

/* POL-35: the target is signed, the secret is never sent, the token is. */
static void request_is_signed(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER(200, "{\"a\":1}")};
    struct json_fixture f;
    struct sn_error err = {0};

    json_setup(&f, replies, 1);
    assert_int_equal(ask(&f, &err), SN_OK);
    const char *sent = sn_buf_str(&f.script.sent[0]);
    assert_non_null(strstr(sent, "POST https://service.eu-west-1.amazonaws.com/\n"));
    assert_non_null(strstr(sent, "X-Amz-Target: AmazonSSM.GetParameter\n"));
    assert_non_null(strstr(sent, "Content-Type: application/x-amz-json-1.1\n"));
    assert_non_null(strstr(sent, "/20260201/eu-west-1/ssm/aws4_request"));
    assert_non_null(strstr(sent, "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"));
    assert_non_null(strstr(sent, "X-Amz-Security-Token: TOKEN"));
    assert_null(strstr(sent, "CANARY"));
    assert_int_equal(f.script.timeout_ms[0], SN_JSON_CALL_MS);
    script_clear(&f.script);
}

/* POL-25: three tries with waits between, for what may pass; one for what does not. */
static void tries(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply reply;
        size_t calls;
        enum sn_status status;
        const char *code;
    } rows[] = {
        {"throttled", FAULT(400, "ThrottlingException"), 3, SN_THROTTLED, "AWS_THROTTLED"},
        {"429", ANSWER(429, ""), 3, SN_THROTTLED, "AWS_THROTTLED"},
        {"500", FAULT(500, "InternalServerError"), 3, SN_UNAVAILABLE, "AWS_UNAVAILABLE"},
        {"503 in HTML", {.http_status = 503, .content_type = "text/html", .body = "<html>"}, 3, SN_UNAVAILABLE,
            "AWS_UNAVAILABLE"},
        {"no connection", BROKEN(SN_UNAVAILABLE, "HTTP_CONNECT"), 3, SN_UNAVAILABLE, "AWS_UNAVAILABLE"},
        {"refused", FAULT(400, "AccessDeniedException"), 1, SN_DENIED, "AWS_REFUSED"},
        {"no error of the service", ANSWER(400, "{}"), 1, SN_PROTOCOL, "AWS_ANSWER_INVALID"},
        {"redirect", ANSWER(302, ""), 1, SN_PROTOCOL, "AWS_ANSWER_INVALID"},
        {"cut off", ANSWER(200, "{\"a\":"), 1, SN_PROTOCOL, "AWS_ANSWER_INVALID"},
        {"a list", ANSWER(200, "[]"), 1, SN_PROTOCOL, "AWS_ANSWER_INVALID"},
        {"HTML", {.http_status = 200, .content_type = "text/html", .body = "{}"}, 1, SN_PROTOCOL, "AWS_ANSWER_INVALID"},
        {"too large", BROKEN(SN_LIMIT, "HTTP_TOO_LARGE"), 1, SN_PROTOCOL, "AWS_ANSWER_INVALID"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct json_fixture f;
        struct sn_error err = {0};
        print_message("# %s\n", rows[i].name);
        json_setup(&f, &rows[i].reply, 1);
        assert_int_equal(ask(&f, &err), rows[i].status);
        assert_string_equal(err.code, rows[i].code);
        assert_int_equal(f.script.calls, rows[i].calls);
        if (rows[i].calls == 3) { /* half of 200 and of 800 ms, the lowest throw */
            assert_int_equal(f.script.waited_ms[0], 100);
            assert_int_equal(f.script.waited_ms[1], 400);
        }
        script_clear(&f.script);
    }
}

static void second_try_succeeds(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {FAULT(400, "ThrottlingException"), ANSWER(200, "{}")};
    struct json_fixture f;
    struct sn_error err = {0};

    json_setup(&f, replies, 2);
    assert_int_equal(ask(&f, &err), SN_OK);
    assert_int_equal(f.script.calls, 2);
    script_clear(&f.script);
}

/* POL-26: all tries together end after five seconds. */
static void time_is_bounded(void **state)
{
    (void)state;
    static const struct scripted_reply slow = {.status = SN_TIMEOUT, .error_code = "HTTP_TIMEOUT", .takes_ms = 4950};
    struct json_fixture f;
    struct sn_error err = {0};

    json_setup(&f, &slow, 1);
    assert_int_equal(ask(&f, &err), SN_TIMEOUT);
    assert_string_equal(err.code, "AWS_TIMEOUT");
    assert_int_equal(f.script.calls, 1);
    assert_int_equal(f.script.waits, 0);
    script_clear(&f.script);
}

static void credentials_fail(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER(200, "{}")};
    struct json_fixture f;
    struct sn_error err = {0};

    json_setup(&f, replies, 1);
    f.source_fails = 1;
    assert_int_equal(ask(&f, &err), SN_NOT_FOUND);
    assert_string_equal(err.code, "CONFIG_MISSING_CREDENTIALS");
    assert_int_equal(f.script.calls, 0);
}

/* POL-40: text of the service never brings a control byte, and a fault of the signature never what was signed. */
static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *error_type, *body, *code, *message;
    } rows[] = {
        {"", "{\"__type\":\"ParameterNotFound\",\"message\":\"gone\"}", "ParameterNotFound", "gone"},
        {"", "{\"__type\":\"com.amazonaws.ssm#X:http://a\",\"Message\":\"m\"}", "X", "m"},
        {"AccessDeniedException:http://x", "{\"message\":\"m\"}", "AccessDeniedException", "m"},
        {"", "{\"__type\":\"V\",\"message\":\"a\\nb\"}", "V", "a\\u000ab"},
        {"", "{\"__type\":\"InvalidSignatureException\",\"message\":\"canonical TOKEN\"}", "InvalidSignatureException",
            ""},
        {"", "{\"__type\":\"a b\",\"message\":\"m\"}", "", ""},
        {"", "{\"__type\":7}", "", ""},
        {"", "<xml/>", "", ""},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_json_answer answer = {.status = 400,
            .content_type = SN_S(JSON_TYPE),
            .error_type = sn_slice_str(rows[i].error_type),
            .body = sn_slice_str(rows[i].body)};
        struct sn_json_fault fault;
        sn_json_parse_fault(&answer, &fault);
        assert_string_equal(fault.code, rows[i].code);
        assert_string_equal(fault.message, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_signed),
        cmocka_unit_test(tries),
        cmocka_unit_test(second_try_succeeds),
        cmocka_unit_test(time_is_bounded),
        cmocka_unit_test(credentials_fail),
        cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
