/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/tvm/settings_test.c - the settings table: forms, ranges, what belongs together, names that do not exist.
 */
#include "test.h"

#include "tvm/settings.h"

struct pair {
    const char *name, *value;
};

static const char *get(void *ctx, const char *name)
{
    for (const struct pair *pair = ctx; pair->name != NULL; pair++) {
        if (strcmp(pair->name, name) == 0) {
            return pair->value;
        }
    }
    return NULL;
}

static enum sn_status load(
    struct pair *pairs, enum sn_tvm_form form, struct sn_tvm_settings *settings, struct sn_error *err)
{
    struct sn_env env = {get, pairs};
    return sn_tvm_settings_load(&env, form, settings, err);
}

static void defaults(void **state)
{
    (void)state;
    struct pair pairs[] = {{"AWS_REGION", "eu-west-1"}, {0}};
    struct sn_tvm_settings s = {0};
    struct sn_error err = {0};

    assert_ok(load(pairs, SN_TVM_FORM_SERVE, &s, &err), &err);
    assert_int_equal(s.listen.count, 1);
    assert_slice_equal(s.listen.items[0], "127.0.0.1:8750");
    assert_int_equal(s.workers, 64);
    assert_int_equal(s.unix_socket_mode, 0660);
    assert_int_equal(s.default_duration_s, 900);
    assert_int_equal(s.rate_limit_requests, 100);
    assert_int_equal(s.replay_entries, 262144);
    assert_string_equal(s.region, "eu-west-1");
    assert_string_equal(s.store, "sqlite");
    assert_string_equal(s.policy_dir, "/etc/sentinel/policy");
    assert_string_equal(s.state_signing_key_file, "/var/lib/sentinel-tvm/state.key");
    assert_string_equal(s.audit_file, "/var/lib/sentinel-tvm/audit/audit.log");
    assert_string_equal(s.audit_anchor_file, "/var/lib/sentinel-tvm/audit/audit.anchor");
    assert_string_equal(s.log_signing_key_file, "/var/lib/sentinel-tvm/audit.key");
    assert_false(s.allow_root);
    assert_false(s.require_device);
    assert_int_equal(s.allowed_accounts.count, 0);
    sn_tvm_settings_clear(&s);
}

static void values(void **state)
{
    (void)state;
    struct pair pairs[] = {{"SENTINEL_STS_REGION", "eu-central-1"}, {"AWS_REGION", "eu-west-1"},
        {"SENTINEL_LISTEN", "127.0.0.1:0, [::1]:1 ,unix:/run/x.sock"},
        {"SENTINEL_OPERATORS", "  alice  role:Sec arn:aws:iam::123456789012:user/x "},
        {"SENTINEL_VOUCHING_ROLES", "CI-*,Build?"}, {"SENTINEL_UNIX_SOCKET_MODE", "0600"},
        {"SENTINEL_STATE_SIGNING_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F"},
        {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID", ""}, {"SENTINEL_ALLOW_ROOT", "true"},
        {"SENTINEL_MDM_PROVIDER", "none"}, {0}};
    struct sn_tvm_settings s = {0};
    struct sn_error err = {0};

    pairs[7].value = NULL;
    assert_ok(load(pairs, SN_TVM_FORM_SERVE, &s, &err), &err);
    assert_string_equal(s.region, "eu-central-1");
    assert_int_equal(s.listen.count, 3);
    assert_slice_equal(s.listen.items[2], "unix:/run/x.sock");
    assert_int_equal(s.operators.count, 3);
    assert_slice_equal(s.operators.items[1], "role:Sec");
    assert_int_equal(s.vouching_roles.count, 2);
    assert_int_equal(s.state_signing_key.len, 32);
    assert_int_equal(s.state_signing_key.bytes[31], 0x1f);
    assert_true(s.allow_root);
    sn_tvm_settings_clear(&s);
}

/* One wrong variable each; the message begins with its name and never holds a secret. */
static void wrong_values(void **state)
{
    static const struct pair rows[] = {
        {"SENTINEL_WORKERS", "0"},
        {"SENTINEL_WORKERS", "257"},
        {"SENTINEL_WORKERS", "4 "},
        {"SENTINEL_WORKERS", "0x4"},
        {"SENTINEL_WORKERS", "04"},
        {"SENTINEL_WORKERS", "99999999999999999999"},
        {"SENTINEL_ALLOW_ROOT", "TRUE"},
        {"SENTINEL_ALLOW_ROOT", "yes"},
        {"SENTINEL_LISTEN", "localhost:80"},
        {"SENTINEL_LISTEN", "127.0.0.1"},
        {"SENTINEL_LISTEN", "127.0.0.1:65536"},
        {"SENTINEL_LISTEN", "::1:80"},
        {"SENTINEL_LISTEN", "unix:x"},
        {"SENTINEL_LISTEN", "127.0.0.1:1,,"},
        {"SENTINEL_LISTEN", "0.0.0.0:1"},
        {"SENTINEL_PUBLIC_URL", "http://tvm.example.org"},
        {"SENTINEL_PUBLIC_URL", "https://u@tvm.example.org"},
        {"SENTINEL_UNIX_SOCKET_MODE", "888"},
        {"SENTINEL_UNIX_SOCKET_MODE", "0444"},
        {"SENTINEL_STATE_SIGNING_KEY", "CANARY"},
        {"SENTINEL_STATE_SIGNING_KEY", "CANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYCANA"},
        {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID", "arn:aws:secretsmanager:x"},
        {"SENTINEL_STATE_SIGNING_KEY_ID", "a b"},
        {"SENTINEL_ALLOWED_ACCOUNTS", "12345678901"},
        {"SENTINEL_ALLOWED_ACCOUNTS", "123456789012,"},
        {"SENTINEL_VOUCHING_ROLES", "**?"},
        {"SENTINEL_VOUCHING_ROLES", "a/b"},
        {"SENTINEL_TRUSTED_CALLERS", "alice"},
        {"SENTINEL_OPERATORS", "group:x"},
        {"SENTINEL_OPERATORS", "al*"},
        {"SENTINEL_OPERATORS", "arn:aws:iam::1:user/x"},
        {"SENTINEL_DEFAULT_DURATION", "899"},
        {"SENTINEL_DEFAULT_DURATION", "43201"},
        {"SENTINEL_REPLAY_ENTRIES", "1023"},
        {"SENTINEL_TICKET_SECONDS", "61"},
        {"SENTINEL_POLICY_CACHE_TTL", "4"},
        {"SENTINEL_POLICY_CACHE_TTL", "301"},
        {"SENTINEL_RATE_LIMIT_REQUESTS", "-1"},
        {"SENTINEL_RATE_LIMIT_WINDOW", "0"},
        {"SENTINEL_STORE", "postgres"},
        {"SENTINEL_STORE", "dynamodb"},
        {"SENTINEL_STORE_PATH", "relative.db"},
        {"SENTINEL_AUDIT_FILE", "none"},
        {"SENTINEL_AUDIT_ROTATE_BYTES", "1048575"},
        {"SENTINEL_AUDIT_ROTATE_SECONDS", "30"},
        {"SENTINEL_TLS_CERT_FILE", "/x"},
        {"SENTINEL_ALLOWED_ORG_ID", "o-1"},
        {"SENTINEL_POLICY_PARAMETER", "p"},
        {"SENTINEL_POLICY_ROOT", "/ssm/x"},
        {"SENTINEL_POLICY_STALE_GRACE", "301"},
        {"SENTINEL_POLICY_SIGNING_KEY", "ed25519:x"},
        {"SENTINEL_POLICY_SIGNING_KEY", "alias/"},
        {"SENTINEL_POLICY_SIGNING_KEY", "file:relative"},
        {"SENTINEL_ENFORCE_POLICY_SIGNING", "true"}, /* without a key */
        {"SENTINEL_ENFORCE_POLICY_SIGNING", "TRUE"},
        {"SENTINEL_ENFORCE_POLICY_SIGNING", "1"},
        {"SENTINEL_POLICY_MIN_SERIAL", "9007199254740992"},
        {"SENTINEL_ALLOW_UNBOUND_SIGNATURES", "yes"},
        {"SENTINEL_CHECK_SSO_ROLE_PATH", "true"},
        {"SENTINEL_MDM_PROVIDER", "jamf"},
        {"SENTINEL_REQUEST_TABLE", "t"},
        {"SENTINEL_RATE_LIMIT_TABLE", "t"},
        {"SENTINEL_CLOUDWATCH_LOG_GROUP", "g"},
        {"SENTINEL_ROLE_MAP_PARAMETER", "/x"},
        {"SENTINEL_ROLE_ARN_TEMPLATE", "x"},
        {"SENTINEL_ALLOW_ARN_PROFILES", "true"},
    };

    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct pair pairs[] = {{"AWS_REGION", "eu-west-1"}, rows[i], {0}};
        struct sn_tvm_settings s = {0};
        struct sn_error err = {0};
        print_message("# %s=%s\n", rows[i].name, rows[i].value);
        assert_fails(load(pairs, SN_TVM_FORM_SERVE, &s, &err), &err, "INVALID_SETTING");
        assert_int_equal(err.status, SN_USAGE);
        if (strcmp(rows[i].name, "SENTINEL_TLS_CERT_FILE") != 0) {
            assert_memory_equal(err.message, rows[i].name, strlen(rows[i].name));
        }
        assert_null(strstr(err.message, "CANARY"));
    }
}

/* The Lambda form keeps no files and makes no keys: each of these is named, and without any it starts. */
static void what_the_lambda_form_needs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value; /* over the complete set; NULL: taken out */
        const char *named;
    } rows[] = {
        {"SENTINEL_CLOUDWATCH_LOG_GROUP", NULL, "SENTINEL_CLOUDWATCH_LOG_GROUP"},
        {"SENTINEL_CLOUDWATCH_LOG_GROUP", "a b", "SENTINEL_CLOUDWATCH_LOG_GROUP"},
        {"SENTINEL_LOG_SIGNING_KEY_SECRET_ID", NULL, "SENTINEL_LOG_SIGNING_KEY_SECRET_ID"},
        {"SENTINEL_LOG_SIGNING_KEY_SECRET_ID", "a b", "SENTINEL_LOG_SIGNING_KEY_SECRET_ID"},
        {"SENTINEL_LOG_SIGNING_KEY_PARAMETER", "/sentinel/key", "SENTINEL_LOG_SIGNING_KEY_SECRET_ID"},
        {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID", NULL, "SENTINEL_STATE_SIGNING_KEY_SECRET_ID"},
        {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID", "file:/k", "SENTINEL_STATE_SIGNING_KEY_SECRET_ID"},
        {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID", "ssm:key", "SENTINEL_STATE_SIGNING_KEY_SECRET_ID"},
        {"SENTINEL_POLICY_PARAMETER", NULL, "SENTINEL_POLICY_DIR"},
        {"SENTINEL_STORE", "sqlite", "SENTINEL_STORE"},
        {"SENTINEL_STORE_PATH", "/x.db", "SENTINEL_STORE_PATH"},
        {"SENTINEL_AUDIT_FILE", "/audit.log", "SENTINEL_AUDIT_FILE"},
        {"SENTINEL_LOG_SIGNING_KEY_FILE", "/key", "SENTINEL_LOG_SIGNING_KEY_FILE"},
        {"AWS_REGION", "eu-west-1", NULL},
        {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID", "ssm:/sentinel/state-key", NULL},
        {"SENTINEL_CLOUDWATCH_STREAM", "tvm/one", NULL},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct pair pairs[8] = {{"AWS_REGION", "eu-west-1"}, {"SENTINEL_POLICY_PARAMETER", "/sentinel/policy"},
            {"SENTINEL_CLOUDWATCH_LOG_GROUP", "/sentinel/audit"}, {"SENTINEL_LOG_SIGNING_KEY_SECRET_ID", "audit-key"},
            {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID",
                "arn:aws:secretsmanager:eu-west-1:111122223333:secret:state-AbCdEf"}};
        struct sn_tvm_settings s = {0};
        struct sn_error err = {0};
        size_t at = 0;
        while (at < 5 && strcmp(pairs[at].name, rows[i].name) != 0) {
            at++;
        }
        pairs[at] = (struct pair){rows[i].value != NULL ? rows[i].name : "UNUSED", rows[i].value};
        print_message("# %s=%s\n", rows[i].name, rows[i].value != NULL ? rows[i].value : "(unset)");
        if (rows[i].named != NULL) {
            assert_fails(load(pairs, SN_TVM_FORM_LAMBDA, &s, &err), &err, "INVALID_SETTING");
            assert_memory_equal(err.message, rows[i].named, strlen(rows[i].named));
        } else {
            assert_ok(load(pairs, SN_TVM_FORM_LAMBDA, &s, &err), &err);
            sn_tvm_settings_clear(&s);
        }
    }
}

static void what_belongs_together(void **state)
{
    (void)state;
    struct pair none[] = {{0}};
    struct pair same_key[] = {{"AWS_REGION", "eu-west-1"},
        {"SENTINEL_STATE_SIGNING_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
        {"SENTINEL_LOG_SIGNING_KEY", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"}, {0}};
    struct pair two_keys[] = {{"AWS_REGION", "eu-west-1"},
        {"SENTINEL_LOG_SIGNING_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
        {"SENTINEL_LOG_SIGNING_KEY_FILE", "/k"}, {0}};
    struct pair open_port[] = {{"AWS_REGION", "eu-west-1"}, {"SENTINEL_LISTEN", "0.0.0.0:1"},
        {"SENTINEL_TLS_CERT_FILE", "/c"}, {"SENTINEL_TLS_KEY_FILE", "/k"}, {0}};
    struct pair lambda_sqlite[] = {{"AWS_REGION", "eu-west-1"}, {"SENTINEL_STORE", "sqlite"}, {0}};
    struct pair lambda_listen[] = {{"AWS_REGION", "eu-west-1"}, {"SENTINEL_LISTEN", "127.0.0.1:1"}, {0}};
    const struct {
        struct pair *pairs;
        enum sn_tvm_form form;
        const char *named;
    } rows[] = {
        {none, SN_TVM_FORM_SERVE, "AWS_REGION"},
        {same_key, SN_TVM_FORM_SERVE, "SENTINEL_LOG_SIGNING_KEY"},
        {two_keys, SN_TVM_FORM_SERVE, "SENTINEL_LOG_SIGNING_KEY"},
        {open_port, SN_TVM_FORM_SERVE, "SENTINEL_PUBLIC_URL"},
        {lambda_sqlite, SN_TVM_FORM_LAMBDA, "SENTINEL_STORE"},
        {lambda_listen, SN_TVM_FORM_LAMBDA, "SENTINEL_LISTEN"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_tvm_settings s = {0};
        struct sn_error err = {0};
        assert_fails(load(rows[i].pairs, rows[i].form, &s, &err), &err, "INVALID_SETTING");
        assert_non_null(strstr(err.message, rows[i].named));
    }
}

static void names_that_do_not_exist(void **state)
{
    static const struct {
        const char *entry, *suggestion; /* NULL: accepted */
    } rows[] = {
        {"SENTINEL_ALOWED_ACCOUNTS=1", "did you mean SENTINEL_ALLOWED_ACCOUNTS?"},
        {"SENTINEL_ZZZZZZ=1", "run 'sentinel-tvm config' to see all settings"},
        {"SENTINEL_ROLE_MAP_PARAMETER=x", "use instead: the catalogue (catalog.yaml in SENTINEL_POLICY_DIR)"},
        {"SENTINEL_WORKERS=1", NULL}, {"SENTINEL_TVM_URL=x", NULL}, {"SENTINEL_LAB_DIR=x", NULL}, {"PATH=/bin", NULL},
        {"SENTINEL_ZZZZZZ=", NULL}, /* empty counts as unset */
    };

    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const char *environment[] = {"HOME=/", rows[i].entry, NULL};
        struct sn_error err = {0};
        enum sn_status status = sn_tvm_settings_check_names(environment, &err);
        assert_int_equal(status == SN_OK, rows[i].suggestion == NULL);
        if (rows[i].suggestion != NULL) {
            assert_string_equal(err.suggestion, rows[i].suggestion);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(values),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(what_the_lambda_form_needs),
        cmocka_unit_test(what_belongs_together),
        cmocka_unit_test(names_that_do_not_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
