/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of aws/secrets.c: what is sent, what is read, and what each failure is called.
 */
#include "test.h"

#include "aws/secrets.h"
#include "json_fixture.h"

static struct sn_secrets *make(struct json_fixture *f, const struct scripted_reply *replies, size_t count)
{
    struct sn_secrets *secrets = NULL;
    struct sn_error err;

    json_setup(f, replies, count);
    assert_ok(sn_secrets_new(&f->options, &secrets, &err), &err);
    return secrets;
}

static void the_text_of_a_secret(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {
        ANSWER(200, "{\"Name\":\"key\",\"VersionId\":\"v\",\"SecretString\":\"CANARY-key\\n\"}")};
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    struct json_fixture f;
    struct sn_secrets *secrets = make(&f, replies, 1);
    struct sn_error err;

    assert_ok(sn_secrets_get(secrets, "sentinel/key", &text, &err), &err);
    assert_true(sn_secret_eq_slice(&text, SN_S("CANARY-key\n")));
    struct sn_slice sent = sn_buf_slice(&f.script.sent[0]);
    assert_true(sn_slice_contains(sent, SN_S("X-Amz-Target: secretsmanager.GetSecretValue\n")));
    assert_true(sn_slice_contains(sent, SN_S("{\"SecretId\":\"sentinel/key\"}")));
    assert_true(sn_slice_contains(sent, SN_S("/eu-west-1/secretsmanager/aws4_request")));
    sn_secrets_free(secrets);
    script_clear(&f.script);
}

static void failures(void **state)
{
    (void)state;
    static const struct {
        struct scripted_reply reply;
        const char *code;
        bool has_hint;
    } rows[] = {
        {FAULT(400, "ResourceNotFoundException"), "SECRET_NOT_FOUND", true},
        {FAULT(400, "AccessDeniedException"), "SECRET_ACCESS_DENIED", true},
        {FAULT(400, "DecryptionFailure"), "SECRET_ACCESS_DENIED", true},
        {FAULT(400, "ThrottlingException"), "SECRET_THROTTLED", true},
        {FAULT(400, "InvalidRequestException"), "SECRET_ERROR", false},
        {ANSWER(200, "{\"SecretBinary\":\"Q0FOQVJZ\"}"), "SECRET_INVALID", false},
        {ANSWER(200, "{\"SecretString\":\"\"}"), "SECRET_INVALID", false},
        {ANSWER(200, "{\"SecretString\":7}"), "SECRET_ERROR", false},
        {ANSWER(200, "{}"), "SECRET_ERROR", false},
        {ANSWER(500, ""), "SECRET_ERROR", true},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
        struct json_fixture f;
        struct sn_secrets *secrets = make(&f, &rows[i].reply, 1);
        struct sn_error err;
        print_message("# %s\n", rows[i].reply.body);
        assert_fails(sn_secrets_get(secrets, "sentinel/key", &text, &err), &err, rows[i].code);
        assert_non_null(strstr(err.message, "sentinel/key"));
        assert_null(strstr(err.message, "CANARY"));
        assert_int_equal(err.suggestion[0] != '\0', rows[i].has_hint);
        assert_false(sn_secret_is_set(&text));
        sn_secrets_free(secrets);
        script_clear(&f.script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_text_of_a_secret), cmocka_unit_test(failures)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
