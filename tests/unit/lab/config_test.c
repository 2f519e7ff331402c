/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/config.c: the built-in lab.yaml and what a wrong one is told.
 */
#include "test.h"

#include "lab/config.h"
#include "lab/directory.h"

struct loaded {
    struct sn_lab_directory *directory;
    struct sn_lab_config config;
    struct sn_error err;
};

static enum sn_status load(struct loaded *out, const char *yaml)
{
    *out = (struct loaded){.directory = sn_lab_directory_new(sn_random_system())};
    return sn_lab_config_load(sn_slice_str(yaml), sn_random_system(), out->directory, &out->config, &out->err);
}

static void unload(struct loaded *l)
{
    sn_lab_config_clear(&l->config);
    sn_lab_directory_free(l->directory);
}

static void built_in(void **state)
{
    (void)state;
    struct loaded l;
    assert_ok(load(&l, sn_lab_default_config), &l.err);
    assert_slice_equal(l.config.account, "123456789012");
    assert_int_equal(sn_lab_directory_user_count(l.directory), 3);
    assert_int_equal(sn_lab_directory_role_count(l.directory), 8);
    const struct sn_lab_role *role =
        sn_lab_directory_find_role(l.directory, l.config.account, SN_S("SentinelProtected-prod"));
    assert_non_null(role);
    assert_slice_equal(role->arn, "arn:aws:iam::123456789012:role/SentinelProtected-prod");
    assert_int_equal(role->max_session_s, 3600);
    assert_int_equal(l.config.profile_count, 5);
    assert_int_equal(l.config.center.user_count, 2);
    assert_int_equal(l.config.center.profile_count, 3); /* one for each permission set of each account */
    assert_ptr_equal(l.config.center.users[0].assignments[1].role, l.config.center.users[1].assignments[0].role);
    role = l.config.center.users[0].assignments[2].role;
    assert_slice_equal(role->account, "210987654321");
    assert_slice_equal(role->path, "/aws-reserved/sso.amazonaws.com/");
    assert_int_equal(role->name.len, strlen("AWSReservedSSO_Developer_") + 16);
    assert_slice_equal(l.config.profiles[3].name, "tvm");
    assert_slice_equal(l.config.profiles[3].role_arn, "arn:aws:iam::123456789012:role/SentinelTVM");
    assert_slice_equal(l.config.profiles[3].source_profile, "tvm-user");
    assert_int_equal(strncmp(l.config.profiles[0].key->access_key, "AKIALAB", 7), 0);
    assert_int_equal(strlen(l.config.profiles[0].key->access_key), 20);
    unload(&l);
}

static void given_parts(void **state)
{
    (void)state;
    struct loaded l;
    assert_ok(load(&l, "account: \"210987654321\"\n"
                       "clock: 2026-02-01T10:00:00Z\n"
                       "root_key: true\n"
                       "users:\n"
                       "  - name: carol@example.com\n"
                       "    path: /team/\n"
                       "    key: {id: AKIALABAAAAAAAAAAAAA, secret: abcdefghijklmnopqrstuvwxyz0123456789+/AB}\n"
                       "  - {name: carol@example.com, account: \"123456789012\"}\n"
                       "roles:\n"
                       "  - name: R\n"
                       "    trust: '{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:*\"}}'\n"
                       "    inline_policies:\n"
                       "      P: {Statement: {Effect: Deny, Action: \"*\", Resource: \"*\"}}\n"),
        &l.err);
    assert_true(l.config.has_clock);
    assert_int_equal(l.config.clock_unix_ms, INT64_C(1769940000000));
    assert_slice_equal(
        sn_lab_directory_user_at(l.directory, 0)->arn, "arn:aws:iam::210987654321:user/team/carol@example.com");
    struct sn_lab_key *key = sn_lab_directory_find_key(l.directory, SN_S("AKIALABAAAAAAAAAAAAA"));
    assert_non_null(key);
    assert_string_equal(key->secret, "abcdefghijklmnopqrstuvwxyz0123456789+/AB");
    sn_lab_key_unref(key);
    assert_int_equal(l.config.profile_count, 3); /* no list of profiles: one for each user and the root key */
    assert_slice_equal(l.config.profiles[2].name, "root");
    assert_int_equal(sn_lab_directory_role_at(l.directory, 0)->inline_count, 1);
    unload(&l);
}

#define TRUST "trust: {Statement: {Effect: Allow, Principal: \"*\", Action: \"sts:*\"}}"

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *code, *words;
    } rows[] = {
        {"", "YAML_EMPTY", ""},
        {"[]", "LAB_CONFIG", "a mapping is expected"},
        {"accounts: \"1\"", "LAB_CONFIG", "line 1, column 1: unknown key 'accounts'"},
        {"account: 12345", "LAB_CONFIG", "12 digits"},
        {"region: \"a b\"", "LAB_CONFIG", "region"},
        {"clock: now", "INVALID_TIME", "clock"},
        {"root_key: yes", "INVALID_VALUE", "root_key"},
        {"users: {a: b}", "LAB_CONFIG", "a list"},
        {"users: [{}]", "LAB_CONFIG", "'name' is missing"},
        {"users: [{name: \"a/b\"}]", "LAB_CONFIG", "names are"},
        {"users: [{name: a}, {name: a}]", "LAB_CONFIG", "exists already"},
        {"users: [{name: a, path: x}]", "LAB_CONFIG", "a path begins"},
        {"users: [{name: a, key: {id: AKIAREALAAAAAAAAAAAA, secret: abcdefghijklmnopqrstuvwxyz0123456789+/AB}}]",
            "LAB_CONFIG", "begins AKIALAB"},
        {"users: [{name: a, policies: {P: {Statement: []}}}]", "MalformedPolicyDocument", "line 1, column 33"},
        {"roles: [{name: a}]", "LAB_CONFIG", "needs a 'trust'"},
        {"roles: [{name: a, max_session: 3599, " TRUST "}]", "LAB_CONFIG", "3600 to 43200"},
        {"roles: [{name: a, " TRUST "}, {name: a, " TRUST "}]", "LAB_CONFIG", "exists already"},
        {"profiles: [{name: a, user: b}]", "LAB_CONFIG", "no user of that name"},
        {"profiles: [{name: a}]", "LAB_CONFIG", "either 'user'"},
        {"profiles: [{name: a, role: r}]", "LAB_CONFIG", "either 'user'"},
        {"profiles: [{name: a, role: r, source: a}]", "LAB_CONFIG", "no role of that name"},
        {"managed_policies: []", "LAB_CONFIG", "managed_policies"},
        {"identity_center: []", "LAB_CONFIG", "a mapping is expected"},
        {"identity_center: {start: x}", "LAB_CONFIG", "unknown key 'start'"},
        {"identity_center: {interval: 0}", "LAB_CONFIG", "'interval' is 1 to 60 seconds"},
        {"identity_center: {token_life: 1d}", "LAB_CONFIG", "'token_life' is 1 to 31536000 seconds"},
        {"identity_center: {accounts: [{name: \"a b\"}]}", "LAB_CONFIG", "names are"},
        {"identity_center: {accounts: [{name: a, account: \"1\"}]}", "LAB_CONFIG", "12 digits"},
        {"identity_center: {permission_sets: [{name: abcdefghijklmnopqrstuvwxyzabcdefg}]}", "LAB_CONFIG",
            "at most 32 characters"},
        {"identity_center: {permission_sets: [{name: a, duration: 899}]}", "LAB_CONFIG", "900 to 43200"},
        {"identity_center: {users: [{name: a}, {name: a}]}", "LAB_CONFIG", "exists already"},
        {"identity_center: {users: [{name: a, assignments: [{permission_set: p}]}]}", "LAB_CONFIG", "no account or"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct loaded l;
        print_message("# %s\n", rows[i].yaml);
        assert_fails(load(&l, rows[i].yaml), &l.err, rows[i].code);
        print_message("  %s\n", l.err.message);
        assert_true(sn_slice_contains(sn_slice_str(l.err.message), sn_slice_str(rows[i].words)));
        unload(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in),
        cmocka_unit_test(given_parts),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
