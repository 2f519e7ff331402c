/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_credentials.c: the chain of profiles over real files and a scripted STS, its memory, and its errors.
 */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base_fixture.h"

#define SSO "sso_start_url = https://x.example/start\nsso_region = eu-west-1\n"

/* Which keys win, without any call to STS. */
static void static_sources(void **state)
{
    (void)state;
    static const struct {
        const char *name, *profile, *env_profile, *env_key, *config, *credentials, *key;
    } rows[] = {
        {"environment first", NULL, NULL, "AKIAENV", "", "[default]\n" KEYS, "AKIAENV"},
        {"an explicit profile beats it", "a", NULL, "AKIAENV", "", "[a]\n" KEYS, "AKIAFILE"},
        {"AWS_PROFILE", NULL, "a", NULL, "", "[a]\n" KEYS, "AKIAFILE"},
        {"default", NULL, NULL, NULL, "", "[default]\n" KEYS, "AKIAFILE"},
        {"config file", "a", NULL, NULL, "[profile a]\n" KEYS, "", "AKIAFILE"},
        {"credentials file before config", "a", NULL, NULL,
            "[profile a]\naws_access_key_id = AKIACONFIG\naws_secret_access_key = x\n", "[a]\n" KEYS, "AKIAFILE"},
        {"source_profile is itself", "a", NULL, NULL, "[profile a]\nsource_profile = a\n", "[a]\n" KEYS, "AKIAFILE"},
        {"source_profile without a role", "a", NULL, NULL, "[profile a]\nsource_profile = b\n", "[b]\n" KEYS,
            "AKIAFILE"},
        {"credential_source", "a", NULL, "AKIAENV", "[profile a]\ncredential_source = Environment\n", "", "AKIAENV"},
        {"process", "a", NULL, NULL,
            "[profile a]\ncredential_process = printf '{\"AccessKeyId\":\"AKIAPROC\",\"SecretAccessKey\":\"s\"}'\n", "",
            "AKIAPROC"},
        {"process before static keys", "a", NULL, NULL,
            "[profile a]\ncredential_process = printf '{\"AccessKeyId\":\"AKIAPROC\",\"SecretAccessKey\":\"s\"}'\n",
            "[a]\n" KEYS, "AKIAPROC"},
        {"through include_profile", "a", NULL, NULL,
            "[profile a]\ninclude_profile = b\n[profile b]\nsource_profile = c\n", "[c]\n" KEYS, "AKIAFILE"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        struct fixture f;
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        setup(&f, rows[i].config, rows[i].credentials, NULL, 0);
        if (rows[i].env_profile != NULL) {
            set_env(&f, "AWS_PROFILE", rows[i].env_profile);
        }
        if (rows[i].env_key != NULL) {
            set_env(&f, "AWS_ACCESS_KEY_ID", rows[i].env_key);
            set_env(&f, "AWS_SECRET_ACCESS_KEY", "CANARY-env");
            set_env(&f, "AWS_SESSION_TOKEN", "CANARY-token");
        }
        open_base(&f, rows[i].profile);
        assert_ok(get(&f, &keys, &err), &err);
        assert_string_equal(keys.access_key_id, rows[i].key);
        assert_true(sn_secret_is_set(&keys.secret_access_key));
        assert_int_equal(sn_secret_is_set(&keys.session_token), strcmp(rows[i].key, "AKIAENV") == 0);
        teardown(&f);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *profile, *config, *credentials, *code, *says;
    } rows[] = {
        {"nothing at all", NULL, "", "", "CONFIG_MISSING_CREDENTIALS", "no profile 'default'"},
        {"unknown profile", "prod", "[profile prd]\n", "", "CONFIG_PROFILE_NOT_FOUND", "no AWS profile 'prod'"},
        {"no keys", "a", "[profile a]\nregion = eu-west-1\n", "", "CONFIG_MISSING_CREDENTIALS",
            "'a' has no credentials"},
        {"no keys at the end of the chain", "a",
            "[profile a]\n" ROLE("A") "source_profile = b\n[profile b]\nsource_profile = c\n[profile c]\n", "",
            "CONFIG_MISSING_CREDENTIALS", "AWS profile a -> b -> c: 'c' has no credentials"},
        {"circle", "a",
            "[profile a]\nsource_profile = b\n[profile b]\nsource_profile = c\n[profile c]\nsource_profile = a\n", "",
            "CONFIG_INVALID", "a -> b -> c -> a"},
        {"dangling source", "a", "[profile a]\nsource_profile = b\n", "", "CONFIG_INVALID",
            "profile 'a' names source_profile 'b', which does not exist"},
        {"include circle", "a", "[profile a]\ninclude_profile = b\n[profile b]\ninclude_profile = a\n", "",
            "CONFIG_INVALID", "in a circle"},
        {"dangling include", "a", "[profile a]\ninclude_profile = b\n", "", "CONFIG_INVALID", "which does not exist"},
        {"half a key", "a", "", "[a]\naws_access_key_id = AKIA\n", "CONFIG_INVALID",
            "aws_access_key_id but no aws_secret_access_key"},
        {"other half", "a", "", "[a]\naws_secret_access_key = CANARY\n", "CONFIG_INVALID",
            "aws_secret_access_key but no aws_access_key_id"},
        {"no session section", "a", "[profile a]\nsso_session = s\n", "", "CONFIG_INVALID", "no [sso-session s]"},
        {"no start url", "a", "[profile a]\nsso_session = s\n[sso-session s]\nsso_region = eu-west-1\n", "",
            "CONFIG_INVALID", "sso_start_url is missing"},
        {"no sso region", "a", "[profile a]\nsso_start_url = https://x.example/start\n", "", "CONFIG_INVALID",
            "sso_region is missing"},
        {"bad sso region", "a", "[profile a]\nsso_start_url = https://x.example/start\nsso_region = x/y\n", "",
            "CONFIG_INVALID", "sso_region is not"},
        {"plain start url", "a", "[profile a]\nsso_start_url = http://x.example/start\nsso_region = eu-west-1\n", "",
            "CONFIG_INVALID", "sso_start_url must be"},
        {"no sso account", "a", "[profile a]\n" SSO "sso_role_name = R\n", "", "CONFIG_INVALID",
            "sso_account_id is missing"},
        {"bad sso account", "a", "[profile a]\n" SSO "sso_role_name = R\nsso_account_id = 1234\n", "", "CONFIG_INVALID",
            "12 digits"},
        {"no sso role", "a", "[profile a]\n" SSO "sso_account_id = 123456789012\n", "", "CONFIG_INVALID",
            "sso_role_name is missing"},
        {"not signed in", "a", "[profile a]\n" SSO "sso_account_id = 123456789012\nsso_role_name = R\n", "",
            "SSO_NO_CREDENTIALS", "nobody is signed in to https://x.example/start"},
        {"web identity", "a", "[profile a]\nweb_identity_token_file = /x\n", "", "CONFIG_UNSUPPORTED", "web identity"},
        {"metadata", "a", "[profile a]\ncredential_source = Ec2InstanceMetadata\n", "", "CONFIG_UNSUPPORTED",
            "Ec2InstanceMetadata"},
        {"mfa", "a", "[profile a]\n" ROLE("A") "source_profile = b\nrole_session_name = xy\nmfa_serial = 123456789\n",
            "[b]\n" KEYS, "MFA_REQUIRED_HERE", "AWS profile a -> b: a code of the MFA device '123456789' is needed"},
        {"duration", "a", "[profile a]\n" ROLE("A") "source_profile = b\nduration_seconds = 1h\n", "[b]\n" KEYS,
            "CONFIG_INVALID", "config:4: duration_seconds must be whole seconds, 900 to 43200"},
        {"region", "a", "[profile a]\n" ROLE("A") "source_profile = b\nregion = mars\n", "[b]\n" KEYS,
            "CONFIG_INVALID_REGION", "'mars' is not an AWS region"},
        {"role that is no ARN", "a", "[profile a]\nrole_arn = Admin\nrole_session_name = xy\nsource_profile = b\n",
            "[b]\n" KEYS, "STS_INPUT_INVALID", "AWS profile a -> b"},
        {"broken file", "a", "[profile a\n", "", "CONFIG_INVALID", "config:1:"},
        {"process fails", "a", "[profile a]\ncredential_process = false\n", "", "CREDENTIAL_PROCESS_FAILED",
            "AWS profile a: credential_process ended with code 1"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        struct fixture f;
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        setup(&f, rows[i].config, rows[i].credentials, NULL, 0);
        open_base(&f, rows[i].profile);
        assert_fails(get(&f, &keys, &err), &err, rows[i].code);
        if (strstr(err.message, rows[i].says) == NULL) {
            fail_msg("'%s' does not say '%s'", err.message, rows[i].says);
        }
        assert_null(strstr(err.message, "CANARY"));
        assert_int_equal(f.script.calls, 0);
        teardown(&f);
    }
}

static void unknown_profile_hints(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    struct fixture f;
    struct sn_error err;

    setup(&f, "[profile prod]\n[default]\n", "[stage]\n", NULL, 0);
    open_base(&f, "prd");
    assert_fails(get(&f, &keys, &err), &err, "CONFIG_PROFILE_NOT_FOUND");
    assert_string_equal(err.suggestion, "did you mean 'prod'? there are: default, prod, stage");
    teardown(&f);
}

static void half_of_the_environment(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    struct fixture f;
    struct sn_error err;

    setup(&f, "", "[default]\n" KEYS, NULL, 0);
    set_env(&f, "AWS_ACCESS_KEY_ID", "AKIA");
    open_base(&f, NULL);
    assert_fails(get(&f, &keys, &err), &err, "CONFIG_MISSING_CREDENTIALS");
    teardown(&f);
}

/* Two hops; the session name is that of the user behind the long-term key; the second hop is chained. */
static void two_roles(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    const struct scripted_reply replies[] = {ANSWER(200, IDENTITY),
        ANSWER(200, ASSUMED("Mid", "alice", "2026-02-01T11:00:00Z")),
        ANSWER(200, ASSUMED("Top", "fixed", "2026-02-01T11:00:00Z"))};
    struct fixture f;
    struct sn_error err;

    setup(&f,
        "[profile top]\n" ROLE("Top") "source_profile = mid\nrole_session_name = fixed\nexternal_id = x-1\n"
                                      "duration_seconds = 7200\nregion = eu-west-1\n[profile mid]\n" ROLE(
                                          "Mid") "source_profile = base\n"
                                                 "duration_seconds = 7200\n[default]\nregion = eu-central-1\n",
        "[base]\n" KEYS, replies, 3);
    open_base(&f, "top");
    assert_ok(get(&f, &keys, &err), &err);
    assert_string_equal(keys.access_key_id, "ASIATop");
    assert_int_equal(f.script.calls, 3);
    const char *mid = sn_buf_str(&f.script.sent[1]);
    const char *top = sn_buf_str(&f.script.sent[2]);
    assert_non_null(strstr(mid, "POST https://sts.eu-central-1.amazonaws.com/\n"));
    assert_non_null(strstr(mid, "RoleSessionName=alice&DurationSeconds=7200"));
    assert_non_null(strstr(mid, "Credential=AKIAFILE/"));
    assert_non_null(strstr(top, "POST https://sts.eu-west-1.amazonaws.com/\n"));
    assert_non_null(strstr(top, "RoleSessionName=fixed&DurationSeconds=3600&ExternalId=x-1"));
    assert_non_null(strstr(top, "Credential=ASIAMid/"));
    teardown(&f);
}

/* An endpoint of the profile is asked; one of the environment goes before it. */
static void endpoint_of_the_profile(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {ANSWER(200, ASSUMED("A", "fixed", "2026-02-01T11:00:00Z"))};

    for (int with_env = 0; with_env < 2; with_env++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        struct fixture f;
        struct sn_error err;

        setup(&f,
            "[profile a]\n" ROLE("A") "source_profile = b\nrole_session_name = fixed\n"
                                      "endpoint_url = http://127.0.0.1:4566\n",
            "[b]\n" KEYS, replies, 1);
        if (with_env == 1) {
            set_env(&f, "AWS_ENDPOINT_URL", "http://127.0.0.1:9999");
        }
        open_base(&f, "a");
        assert_ok(get(&f, &keys, &err), &err);
        assert_non_null(strstr(sn_buf_str(&f.script.sent[0]),
            with_env == 1 ? "POST http://127.0.0.1:9999/\n" : "POST http://127.0.0.1:4566/\n"));
        teardown(&f);
    }
}

/* One call serves until five minutes before the end; then a new one; a failing renewal does not end what still lives.
 */
static void memory(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {ANSWER(200, ASSUMED("A", "fixed", "2026-02-01T11:00:00Z")),
        ANSWER(403, FAULT("AccessDenied")), ANSWER(403, FAULT("AccessDenied"))};
    static const struct {
        int64_t at_s;
        size_t calls;
        bool good;
    } rows[] = {{0, 1, true}, {3299, 1, true}, {3300, 2, true}, {3309, 2, true}, {3569, 3, true}, {3571, 4, false}};
    struct fixture f;

    setup(&f, "[profile a]\n" ROLE("A") "source_profile = b\nrole_session_name = fixed\n", "[b]\n" KEYS, replies, 3);
    open_base(&f, "a");
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        struct sn_error err;
        f.script.now_ns = (1769940000LL + rows[i].at_s) * 1000000000;
        if (rows[i].good) {
            assert_ok(get(&f, &keys, &err), &err);
            assert_string_equal(keys.access_key_id, "ASIAA");
        } else {
            assert_fails(get(&f, &keys, &err), &err, "STS_REFUSED");
            assert_non_null(strstr(err.message, "AWS profile a -> b: STS refused AssumeRole: AccessDenied"));
        }
        assert_int_equal(f.script.calls, rows[i].calls);
    }
    teardown(&f);
}

/* Static keys are read again after a minute. */
static void static_keys_follow_the_file(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    struct fixture f;
    struct sn_error err;

    setup(&f, "", "[default]\n" KEYS, NULL, 0);
    open_base(&f, NULL);
    assert_ok(get(&f, &keys, &err), &err);
    write_file(f.credentials, "[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = n\n");
    assert_ok(get(&f, &keys, &err), &err);
    assert_string_equal(keys.access_key_id, "AKIAFILE");
    f.script.now_ns += 60LL * 1000000000;
    assert_ok(get(&f, &keys, &err), &err);
    assert_string_equal(keys.access_key_id, "AKIANEW");
    teardown(&f);
}

/* ATK-29: a config that others can write runs nothing. */
static void attack_29_process_of_an_open_file(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    struct fixture f;
    struct sn_error err;

    setup(&f, "[profile a]\ncredential_process = printf '{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}'\n", "",
        NULL, 0);
    assert_int_equal(chmod(f.config, 0666), 0);
    open_base(&f, "a");
    assert_fails(get(&f, &keys, &err), &err, "CONFIG_INVALID");
    assert_non_null(strstr(err.suggestion, "chmod"));
    teardown(&f);
}

/* A service has no home: the files that variables name are read, the others are empty. */
static void without_home(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    struct fixture f;
    struct sn_error err;

    setup(&f, "[profile a]\n" KEYS, "", NULL, 0);
    f.names[0] = "X"; /* HOME */
    f.names[3] = "Y"; /* AWS_SHARED_CREDENTIALS_FILE */
    open_base(&f, "a");
    assert_ok(get(&f, &keys, &err), &err);
    assert_string_equal(keys.access_key_id, "AKIAFILE");
    teardown(&f);
}

enum { THREADS = 8, ROUNDS = 200 };

static void *get_many(void *ctx)
{
    struct fixture *f = ctx;
    size_t good = 0;

    for (int i = 0; i < ROUNDS; i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        struct sn_error err;
        good += get(f, &keys, &err) == SN_OK && strcmp(keys.access_key_id, "ASIAA") == 0;
    }
    return good == ROUNDS ? f : NULL;
}

/* Many threads, one call. */
static void shared_between_threads(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {ANSWER(200, ASSUMED("A", "fixed", "2026-02-01T11:00:00Z"))};
    pthread_t threads[THREADS];
    struct fixture f;

    setup(&f, "[profile a]\n" ROLE("A") "source_profile = b\nrole_session_name = fixed\n", "[b]\n" KEYS, replies, 1);
    open_base(&f, "a");
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, get_many, &f), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &f);
    }
    assert_int_equal(f.script.calls, 1);
    teardown(&f);
}

static void regions(void **state)
{
    (void)state;
    static const struct {
        const char *flag, *region, *default_region, *config, *expected;
    } rows[] = {
        {"eu-west-1", "us-east-1", NULL, "", "eu-west-1"},
        {NULL, "us-east-1", "us-east-2", "", "us-east-1"},
        {NULL, NULL, "us-east-2", "", "us-east-2"},
        {NULL, NULL, NULL, "[profile a]\nregion = eu-north-1\n", "eu-north-1"},
        {NULL, NULL, NULL, "[profile a]\n[default]\nregion = eu-south-1\n", "eu-south-1"},
        {NULL, NULL, NULL, "[profile a]\n", ""},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture f;
        char region[SN_REGION_MAX + 1];
        struct sn_error err;

        setup(&f, rows[i].config, "", NULL, 0);
        if (rows[i].region != NULL) {
            set_env(&f, "AWS_REGION", rows[i].region);
        }
        if (rows[i].default_region != NULL) {
            set_env(&f, "AWS_DEFAULT_REGION", rows[i].default_region);
        }
        struct sn_base_options options = {
            .profile = "a", .region = rows[i].flag, .env = &f.env, .clock = &f.clock, .transport = &f.transport};
        assert_ok(sn_base_new(&options, &f.base, &err), &err);
        assert_ok(sn_base_region(f.base, region, &err), &err);
        assert_string_equal(region, rows[i].expected);
        teardown(&f);
    }
    struct sn_base_options bad = {.region = "mars"};
    struct sn_base *base = NULL;
    struct sn_error err;
    assert_fails(sn_base_new(&bad, &base, &err), &err, "CONFIG_INVALID_REGION");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_sources),
        cmocka_unit_test(refusals),
        cmocka_unit_test(unknown_profile_hints),
        cmocka_unit_test(half_of_the_environment),
        cmocka_unit_test(two_roles),
        cmocka_unit_test(endpoint_of_the_profile),
        cmocka_unit_test(memory),
        cmocka_unit_test(static_keys_follow_the_file),
        cmocka_unit_test(attack_29_process_of_an_open_file),
        cmocka_unit_test(without_home),
        cmocka_unit_test(shared_between_threads),
        cmocka_unit_test(regions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
