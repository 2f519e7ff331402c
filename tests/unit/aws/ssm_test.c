/* SPDX-License-Identifier: Apache-2.0 */
/* aws/ssm.c: what is asked, what each answer and refusal becomes. */
#include "json_fixture.h"

#include "aws/ssm.h"

#define PARAMETER                                                                                                      \
    "{\"Parameter\":{\"Name\":\"/sentinel/policies/dev\",\"Type\":\"SecureString\",\"Value\":\"a\\nb\\n\","            \
    "\"Version\":7}}"

static struct sn_ssm *open_ssm(struct json_fixture *f, const struct scripted_reply *replies, size_t count)
{
    struct sn_ssm *ssm = NULL;
    struct sn_error err = {0};

    json_setup(f, replies, count);
    assert_int_equal(sn_ssm_new(&f->options, &ssm, &err), SN_OK);
    return ssm;
}

static void get_keeps_bytes(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER(200, PARAMETER)};
    struct json_fixture f;
    struct sn_error err = {0};
    struct sn_ssm_parameter p = {0};
    struct sn_ssm *ssm = open_ssm(&f, replies, 1);

    assert_int_equal(sn_ssm_get(ssm, "/sentinel/policies/dev", &p, &err), SN_OK);
    assert_string_equal(sn_buf_str(&p.value), "a\nb\n");
    assert_string_equal(p.type, "SecureString");
    assert_int_equal(p.version, 7);
    assert_non_null(
        strstr(sn_buf_str(&f.script.sent[0]), "{\"Name\":\"/sentinel/policies/dev\",\"WithDecryption\":true}"));
    sn_ssm_parameter_clear(&p);
    sn_ssm_free(ssm);
    script_clear(&f.script);
}

/* POL-34, POL-35: refusals are told apart by the service's code alone, also for a name that holds the word key. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        struct scripted_reply reply;
        enum sn_status status;
        const char *code;
    } rows[] = {
        {FAULT(400, "ParameterNotFound"), SN_NOT_FOUND, "SSM_PARAMETER_NOT_FOUND"},
        {FAULT(400, "AccessDeniedException"), SN_DENIED, "SSM_ACCESS_DENIED"},
        {FAULT(400, "InvalidKeyId"), SN_DENIED, "SSM_KMS_ACCESS_DENIED"},
        {FAULT(400, "ThrottlingException"), SN_THROTTLED, "SSM_THROTTLED"},
        {FAULT(400, "ValidationException"), SN_INVALID, "SSM_INVALID_PARAMETER"},
        {FAULT(400, "ParameterAlreadyExists"), SN_CONFLICT, "SSM_ERROR"},
        {FAULT(400, "SomethingNew"), SN_DENIED, "SSM_ERROR"},
        {FAULT(500, "InternalServerError"), SN_UNAVAILABLE, "SSM_ERROR"},
        {BROKEN(SN_TIMEOUT, "HTTP_TIMEOUT"), SN_TIMEOUT, "SSM_ERROR"},
        {ANSWER(200, "{\"Parameter\":{\"Name\":\"/key/other\",\"Type\":\"String\",\"Value\":\"a\",\"Version\":1}}"),
            SN_PROTOCOL, "SSM_ERROR"},
        {ANSWER(200, "{}"), SN_PROTOCOL, "SSM_ERROR"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct json_fixture f;
        struct sn_error err = {0};
        struct sn_ssm_parameter p = {0};
        struct sn_ssm *ssm = open_ssm(&f, &rows[i].reply, 1);
        print_message("# %s %s\n", rows[i].code, rows[i].reply.body != NULL ? rows[i].reply.body : "");
        assert_int_equal(sn_ssm_get(ssm, "/key/policy", &p, &err), rows[i].status);
        assert_string_equal(err.code, rows[i].code);
        assert_string_equal(sn_error_detail_of(&err, "parameter"), "/key/policy");
        assert_null(p.value.ptr);
        sn_ssm_free(ssm);
        script_clear(&f.script);
    }
}

static enum sn_status count_each(void *ctx, struct sn_ssm_parameter *parameter, struct sn_error *err)
{
    size_t *count = ctx;

    (void)err;
    assert_true(parameter->value.len > 0);
    (*count)++;
    return SN_OK;
}

/* POL-47: a catalogue is read page by page, an empty page in between included. */
static void list_follows_pages(void **state)
{
    (void)state;
#define ONE(name) "{\"Name\":\"/c/" name "\",\"Type\":\"String\",\"Value\":\"v\",\"Version\":1}"
    static const struct scripted_reply replies[] = {
        ANSWER(200, "{\"Parameters\":[" ONE("a") "," ONE("b") "],\"NextToken\":\"t1\"}"),
        ANSWER(200, "{\"Parameters\":[],\"NextToken\":\"t2\"}"),
        ANSWER(200, "{\"Parameters\":[" ONE("c") "]}"),
    };
    struct json_fixture f;
    struct sn_error err = {0};
    size_t count = 0;
    struct sn_ssm *ssm = open_ssm(&f, replies, 3);

    assert_int_equal(sn_ssm_list(ssm, "/c", count_each, &count, &err), SN_OK);
    assert_int_equal(count, 3);
    assert_int_equal(f.script.calls, 3);
    assert_non_null(strstr(sn_buf_str(&f.script.sent[2]), "\"NextToken\":\"t2\""));
    assert_non_null(strstr(sn_buf_str(&f.script.sent[0]), "\"Recursive\":false"));
    sn_ssm_free(ssm);
    script_clear(&f.script);
}

static void foreign_parameters_are_refused(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ANSWER(200, "{\"Parameters\":[" ONE("a/b") "]}")};
    struct json_fixture f;
    struct sn_error err = {0};
    size_t count = 0;
    struct sn_ssm *ssm = open_ssm(&f, replies, 1);

    assert_int_equal(sn_ssm_list(ssm, "/c", count_each, &count, &err), SN_PROTOCOL);
    assert_int_equal(count, 0);
    sn_ssm_free(ssm);
    script_clear(&f.script);
}

static void put_says_what_it_may_replace(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {
        ANSWER(200, "{\"Version\":8,\"Tier\":\"Standard\"}"), ANSWER(200, "{}")};
    struct json_fixture f;
    struct sn_error err = {0};
    int64_t version = 0;
    struct sn_ssm *ssm = open_ssm(&f, replies, 2);
    struct sn_ssm_put put = {
        .name = "/p", .type = "SecureString", .tier = "Advanced", .value = SN_S("x\n"), .overwrite = true};

    assert_int_equal(sn_ssm_put(ssm, &put, &version, &err), SN_OK);
    assert_int_equal(version, 8);
    assert_non_null(strstr(sn_buf_str(&f.script.sent[0]),
        "{\"Name\":\"/p\",\"Value\":\"x\\u000a\",\"Type\":\"SecureString\",\"Overwrite\":true,\"Tier\":\"Advanced\"}"));
    put = (struct sn_ssm_put){.name = "/p", .value = SN_S("x")};
    assert_int_equal(sn_ssm_put(ssm, &put, &version, &err), SN_PROTOCOL);
    assert_string_equal(err.code, "SSM_ERROR");
    assert_non_null(strstr(sn_buf_str(&f.script.sent[1]), "\"Type\":\"String\",\"Overwrite\":false}"));
    sn_ssm_free(ssm);
    script_clear(&f.script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_keeps_bytes),
        cmocka_unit_test(refusals),
        cmocka_unit_test(list_follows_pages),
        cmocka_unit_test(foreign_parameters_are_refused),
        cmocka_unit_test(put_says_what_it_may_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
