/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/identity: caller ARNs, vouching, persons, list entries and profile names.
 */
#include "test.h"

#include "core/identity/principal.h"

#define SSO_DEV "AWSReservedSSO_Dev_0123456789abcdef"
#define SSO_OPS "AWSReservedSSO_Ops_fedcba9876543210"

static bool is_ci_prod(void *ctx, const struct sn_principal *p)
{
    (void)ctx;
    return strcmp(p->role, "CI-prod") == 0;
}

static bool never_confirmed(void *ctx, const struct sn_principal *p)
{
    (void)ctx;
    (void)p;
    return false;
}

static const struct sn_slice ci_globs[] = {SN_S_INIT("CI-*")};
static const struct sn_vouch_rules ci_rules = {
    .role_globs = ci_globs, .role_glob_count = 1, .is_target_role = is_ci_prod};
static const struct sn_vouch_rules no_rules = {0};

static struct sn_principal must_parse(const char *arn, const struct sn_vouch_rules *rules)
{
    struct sn_principal p;
    struct sn_error err;

    assert_ok(sn_principal_parse(sn_slice_str(arn), NULL, &p, &err), &err);
    assert_false(p.vouched);
    sn_principal_vouch(&p, rules);
    return p;
}

/* AUD-01, AUD-02: each accepted form. */
static void parse_accepted_forms(void **state)
{
    (void)state;
    static const struct {
        const char *arn;
        enum sn_principal_type type;
        const char *account, *role, *name, *permission_set;
    } rows[] = {
        {"arn:aws:iam::123456789012:user/division/team/alice", SN_PRINCIPAL_USER, "123456789012", "", "alice", ""},
        {"arn:aws-cn:iam::123456789012:user/division/team/alice", SN_PRINCIPAL_USER, "123456789012", "", "alice", ""},
        {"arn:aws-us-gov:iam::123456789012:user/division/team/alice", SN_PRINCIPAL_USER, "123456789012", "", "alice",
            ""},
        {"arn:aws-iso:iam::123456789012:user/division/team/alice", SN_PRINCIPAL_USER, "123456789012", "", "alice", ""},
        {"arn:aws-iso-b:iam::123456789012:user/division/team/alice", SN_PRINCIPAL_USER, "123456789012", "", "alice",
            ""},
        {"arn:aws:sts::123456789012:assumed-role/" SSO_DEV "/user@company.com", SN_PRINCIPAL_ASSUMED_ROLE,
            "123456789012", SSO_DEV, "user@company.com", "Dev"},
        {"arn:aws:sts::123456789012:assumed-role/Deploy/a=b,c", SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "Deploy",
            "a=b,c", ""},
        {"arn:aws:sts::123456789012:federated-user/bob", SN_PRINCIPAL_FEDERATED_USER, "123456789012", "", "bob", ""},
        {"arn:aws:iam::123456789012:root", SN_PRINCIPAL_ROOT, "123456789012", "", "root", ""},
        {"arn:aws:iam::123456789012:user/alexander.hamilton@example.com", SN_PRINCIPAL_USER, "123456789012", "",
            "alexander.hamilton@example.com", ""},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal p = must_parse(rows[i].arn, &no_rules);
        assert_string_equal(p.arn, rows[i].arn);
        assert_int_equal(p.type, rows[i].type);
        assert_string_equal(p.account, rows[i].account);
        assert_string_equal(p.role, rows[i].role);
        assert_string_equal(p.name, rows[i].name);
        assert_slice_equal(sn_principal_permission_set(&p), rows[i].permission_set);
    }
}

/* AUD-01, AUD-03: each refusal, in the order of the checks. */
static void parse_refusals(void **state)
{
    (void)state;
    static const struct {
        struct sn_slice arn;
        const char *partition, *message;
    } rows[] = {
        {SN_S_INIT(""), NULL, "empty ARN"},
        {SN_S_INIT("arn:aws:iam::123456789012:user/a\0b"), NULL, "invalid ARN, longer"},
        {SN_S_INIT("arn:aws:iam::123456789012:user/a\n"), NULL, "invalid ARN, longer"},
        {SN_S_INIT("arn:aws:iam::123456789012:user/\xd0\xb0"
                   "dmin"),
            NULL, "invalid ARN, longer"},
        {SN_S_INIT("not-an-arn"), NULL, "invalid ARN, not six parts"},
        {SN_S_INIT("arn:aws:iam::123456789012"), NULL, "invalid ARN, not six parts"},
        {SN_S_INIT("ARN:aws:iam::123456789012:user/a"), NULL, "invalid ARN, not six parts"},
        {SN_S_INIT("arn:aws-x:iam::123456789012:user/a"), NULL, "invalid ARN, the partition"},
        {SN_S_INIT("arn:aws-cn:iam::123456789012:user/a"), "aws", "invalid ARN, the partition"},
        {SN_S_INIT("arn:aws:iam:eu-west-1:123456789012:user/a"), NULL, "invalid ARN, the region"},
        {SN_S_INIT("arn:aws:iam::12345678901x:user/a"), NULL, "invalid ARN, the account"},
        {SN_S_INIT("arn:aws:iam::12345:user/a"), NULL, "invalid ARN, the account"},
        {SN_S_INIT("arn:aws:iam::1234567890123:user/a"), NULL, "invalid ARN, the account"},
        {SN_S_INIT("arn:aws:iam::123456789012:role/R"), NULL, "unsupported identity"},
        {SN_S_INIT("arn:aws:iam::123456789012:group/G"), NULL, "unsupported identity"},
        {SN_S_INIT("arn:aws:sts::123456789012:user/a"), NULL, "unsupported identity"},
        {SN_S_INIT("arn:aws:iam::123456789012:assumed-role/R/a"), NULL, "unsupported identity"},
        {SN_S_INIT("arn:aws:sts::123456789012:root"), NULL, "unsupported identity"},
        {SN_S_INIT("arn:aws:iam::123456789012:root/x"), NULL, "unsupported identity"},
        {SN_S_INIT("arn:aws:iam::123456789012:user"), NULL, "unsupported identity"},
        {SN_S_INIT("arn:aws:iam::123456789012:user/"), NULL, "invalid ARN, the name"},
        {SN_S_INIT("arn:aws:iam::123456789012:user/a;b"), NULL, "invalid ARN, the name"},
        {SN_S_INIT("arn:aws:iam::123456789012:user/a\"b"), NULL, "invalid ARN, the name"},
        {SN_S_INIT("arn:aws:iam::123456789012:user/a:b"), NULL, "invalid ARN, the name"},
        {SN_S_INIT("arn:aws:sts::123456789012:assumed-role/R/"), NULL, "invalid ARN, the name"},
        {SN_S_INIT("arn:aws:sts::123456789012:assumed-role/R"), NULL, "invalid ARN, the name"},
        {SN_S_INIT("arn:aws:sts::123456789012:assumed-role/R/a/b"), NULL, "invalid ARN, the name"},
        {SN_S_INIT("arn:aws:sts::123456789012:assumed-role//a"), NULL, "invalid ARN, the role name"},
        {SN_S_INIT("arn:aws:sts::123456789012:assumed-role/R*/a"), NULL, "invalid ARN, the role name"},
        {SN_S_INIT("arn:aws:sts::123456789012:federated-user/"), NULL, "invalid ARN, the name"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal p;
        struct sn_error err;
        print_message("# %.*s\n", SN_PRI(rows[i].arn));
        assert_fails(sn_principal_parse(rows[i].arn, rows[i].partition, &p, &err), &err, "INVALID_IDENTITY");
        assert_memory_equal(err.message, rows[i].message, strlen(rows[i].message));
    }
}

/* AUD-03: lengths at their limits, and the copy in the message is bounded. */
static void parse_limits(void **state)
{
    (void)state;
    static const struct {
        size_t role_len, name_len, path_len;
        const char *message; /* NULL: accepted */
    } rows[] = {
        {64, 128, 0, NULL},
        {64, 129, 0, "invalid ARN, the name is longer"},
        {65, 128, 0, "invalid ARN, the role name is longer"},
        {0, 128, 1800, NULL},
        {0, 10, 2048, "invalid ARN, longer"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf arn = {0};
        struct sn_principal p;
        struct sn_error err;

        sn_buf_add_str(
            &arn, rows[i].role_len > 0 ? "arn:aws:sts::123456789012:assumed-role/" : "arn:aws:iam::123456789012:user/");
        for (size_t n = 0; n < rows[i].role_len; n++) {
            sn_buf_add_byte(&arn, 'r');
        }
        for (size_t n = 0; n < rows[i].path_len; n++) {
            sn_buf_add_byte(&arn, 'p');
        }
        sn_buf_add_byte(&arn, '/');
        for (size_t n = 0; n < rows[i].name_len; n++) {
            sn_buf_add_byte(&arn, 'n');
        }
        if (rows[i].message == NULL) {
            assert_ok(sn_principal_parse(sn_buf_slice(&arn), NULL, &p, &err), &err);
            assert_int_equal(strlen(p.name), rows[i].name_len);
        } else {
            assert_fails(sn_principal_parse(sn_buf_slice(&arn), NULL, &p, &err), &err, "INVALID_IDENTITY");
            assert_memory_equal(err.message, rows[i].message, strlen(rows[i].message));
            assert_true(strlen(err.message) < 200);
        }
    }
}

/* AUD-04, AUD-05, ATK-05: the vouching table; who cannot choose a name is believed, nobody else. */
static void attack_05_vouching_table(void **state)
{
    (void)state;
    static const struct {
        const char *arn;
        bool vouched;
        enum sn_vouch why;
        bool matches_alice;
        const char *other_entry; /* NULL or an entry that matches too */
    } rows[] = {
        {"arn:aws:iam::123456789012:user/team/alice", true, SN_VOUCH_IAM_USER, true, NULL},
        {"arn:aws:sts::123456789012:assumed-role/" SSO_DEV "/alice", true, SN_VOUCH_SSO, true, "role:" SSO_DEV},
        {"arn:aws:sts::210987654321:assumed-role/" SSO_OPS "/alice", true, SN_VOUCH_SSO, true, NULL},
        {"arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_01234567/alice", false, SN_VOUCH_NONE_ROLE, false,
            "role:AWSReservedSSO_Dev_01234567"},
        {"arn:aws:sts::123456789012:assumed-role/AWSReservedSSO__0123456789abcdef/alice", false, SN_VOUCH_NONE_ROLE,
            false, NULL},
        {"arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0123456789ABCDEF/alice", false, SN_VOUCH_NONE_ROLE,
            false, NULL},
        {"arn:aws:sts::123456789012:assumed-role/Deploy/alice", false, SN_VOUCH_NONE_ROLE, false, "role:Deploy"},
        {"arn:aws:sts::123456789012:assumed-role/CI-build/alice", true, SN_VOUCH_ROLE_LIST, true, "role:CI-build"},
        {"arn:aws:sts::123456789012:assumed-role/CI-prod/alice", false, SN_VOUCH_NONE_TARGET, false, "role:CI-prod"},
        {"arn:aws:sts::123456789012:federated-user/alice", false, SN_VOUCH_NONE_FEDERATED, false,
            "arn:aws:sts::123456789012:federated-user/alice"},
        {"arn:aws:iam::210987654321:user/alice", true, SN_VOUCH_IAM_USER, false,
            "arn:aws:iam::210987654321:user/alice"},
        {"arn:aws:iam::123456789012:root", false, SN_VOUCH_NONE_ROOT, false, "arn:aws:iam::123456789012:root"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal p = must_parse(rows[i].arn, &ci_rules);
        print_message("# %s\n", rows[i].arn);
        assert_int_equal(p.vouched, rows[i].vouched);
        assert_int_equal(p.vouch, rows[i].why);
        assert_true(strlen(sn_vouch_reason(p.vouch)) > 10);
        assert_int_equal(sn_principal_matches_entry(&p, SN_S("alice"), "123456789012"), rows[i].matches_alice);
        assert_false(sn_principal_matches_entry(&p, SN_S("Alice"), "123456789012"));
        assert_false(sn_principal_matches_entry(&p, SN_S("alic"), "123456789012"));
        assert_false(sn_principal_matches_entry(&p, SN_S("root"), "123456789012"));
        assert_false(sn_principal_matches_entry(&p, SN_S("role:"), "123456789012"));
        assert_false(sn_principal_matches_entry(&p, SN_S(""), "123456789012"));
        assert_false(sn_principal_matches_entry(&p, SN_S("group:alice"), "123456789012"));
        if (rows[i].other_entry != NULL) {
            assert_true(sn_principal_matches_entry(&p, sn_slice_str(rows[i].other_entry), "123456789012"));
        }
    }
}

/* AUD-06: a role of the Identity Center form whose path is not confirmed is believed nothing. */
static void attack_05_unconfirmed_sso_path(void **state)
{
    (void)state;
    static const struct sn_slice globs[] = {SN_S_INIT("AWSReservedSSO_*")};
    const struct sn_vouch_rules rules = {.role_globs = globs, .role_glob_count = 1, .sso_path_ok = never_confirmed};
    struct sn_principal p = must_parse("arn:aws:sts::123456789012:assumed-role/" SSO_DEV "/alice", &rules);
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};

    assert_false(p.vouched);
    assert_int_equal(p.vouch, SN_VOUCH_NONE_SSO_PATH);
    sn_principal_person_key(&key, &p, false);
    assert_slice_equal(sn_buf_slice(&key), "123456789012/assumed-role/" SSO_DEV "/alice");
}

/* AUD-04, ATK-06: names that fold into one elsewhere stay apart here. */
static void attack_06_names_do_not_fold(void **state)
{
    (void)state;
    static const char *const names[] = {"alexander.hamilton@example.com", "alexander.hamilton@example.org",
        "Alexander.Hamilton@example.com", "alexander.hamilton@+5fb5fb", "alexanderhamilton@example.com", "al.ice",
        "alice", "Alice", "al_ice", "al-ice", "al+ice"};

    for (size_t i = 0; i < SN_LEN(names); i++) {
        for (size_t j = 0; j < SN_LEN(names); j++) {
            char arn_a[256];
            char arn_b[256];
            snprintf(arn_a, sizeof(arn_a), "arn:aws:sts::123456789012:assumed-role/" SSO_DEV "/%s", names[i]);
            snprintf(arn_b, sizeof(arn_b), "arn:aws:iam::123456789012:user/%s", names[j]);
            struct sn_principal a = must_parse(arn_a, &no_rules);
            struct sn_principal b = must_parse(arn_b, &no_rules);
            assert_false(sn_principal_eq(&a, &b));
            assert_int_equal(sn_principal_matches_entry(&a, sn_slice_str(names[j]), "123456789012"), i == j);
            assert_int_equal(sn_principal_same_person(&a, &b), i == j);
        }
    }
}

/* Role globs: '*' any run, '?' one byte, nothing else special; settings that vouch for everything are refused. */
static void vouching_globs(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *role;
        bool matches;
    } rows[] = {
        {"CI-*", "CI-", true},
        {"CI-*", "ci-x", false},
        {"CI-*", "XCI-x", false},
        {"C?-*-x", "CI-aa-x", true},
        {"C?-*-x", "C-aa-x", false},
        {"*-prod", "a-prod-prod", true},
        {"*a*b", "xaxxb", true},
        {"*a*b", "xaxxbc", false},
        {"Deploy", "Deploy", true},
        {"Deploy", "Deploy2", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_slice globs[] = {sn_slice_str(rows[i].glob)};
        const struct sn_vouch_rules rules = {.role_globs = globs, .role_glob_count = 1};
        char arn[256];
        snprintf(arn, sizeof(arn), "arn:aws:sts::123456789012:assumed-role/%s/a", rows[i].role);
        struct sn_principal p = must_parse(arn, &rules);
        print_message("# %s %s\n", rows[i].glob, rows[i].role);
        assert_int_equal(p.vouched, rows[i].matches);
    }
    /* AUD-06 */
    static const char *const refused[] = {"", "*", "**", "?*", "a/b", "a b", "a:b", "ä*"};
    for (size_t i = 0; i < SN_LEN(refused); i++) {
        assert_false(sn_vouch_glob_is_valid(sn_slice_str(refused[i])));
    }
    assert_true(sn_vouch_glob_is_valid(SN_S("CI-*")));
}

static void person_keys(void **state)
{
    (void)state;
    static const struct {
        const char *arn, *key, *star_key;
    } rows[] = {
        {"arn:aws:sts::210987654321:assumed-role/" SSO_OPS "/alice", "idc/alice", "idc/alice"},
        {"arn:aws:iam::123456789012:user/p/alice", "123456789012/user/alice", "123456789012/user/alice"},
        {"arn:aws:sts::123456789012:assumed-role/Deploy/a=b", "123456789012/assumed-role/Deploy/a=b",
            "123456789012/assumed-role/Deploy/*"},
        {"arn:aws:sts::123456789012:assumed-role/CI-x/bob", "123456789012/assumed-role/CI-x/bob",
            "123456789012/assumed-role/CI-x/bob"},
        {"arn:aws:sts::123456789012:federated-user/bob", "123456789012/federated-user//bob",
            "123456789012/federated-user//*"},
        {"arn:aws:iam::123456789012:root", "123456789012/root//root", "123456789012/root//*"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal p = must_parse(rows[i].arn, &ci_rules);
        SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf star_key = {0};
        sn_principal_person_key(&key, &p, false);
        sn_principal_person_key(&star_key, &p, true);
        assert_slice_equal(sn_buf_slice(&key), rows[i].key);
        assert_slice_equal(sn_buf_slice(&star_key), rows[i].star_key);
    }
}

/* The careful reading: a vouched name is one human, and a role that lets its caller choose a name is one as well. */
static void same_person(void **state)
{
    (void)state;
#define USER(account, name) "arn:aws:iam::" account ":user/" name
#define ROLE(account, role, name) "arn:aws:sts::" account ":assumed-role/" role "/" name
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {ROLE("123456789012", SSO_DEV, "alice"), ROLE("210987654321", SSO_OPS, "alice"), true},
        {USER("123456789012", "alice"), USER("210987654321", "alice"), true},
        {USER("123456789012", "alice"), ROLE("123456789012", SSO_DEV, "alice"), true},
        {USER("123456789012", "alice"), ROLE("123456789012", "CI-x", "alice"), true},
        {USER("123456789012", "alice"), USER("123456789012", "bob"), false},
        {USER("123456789012", "alice"), ROLE("123456789012", "Deploy", "alice"), false},
        {ROLE("123456789012", "Deploy", "a"), ROLE("123456789012", "Deploy", "b"), true},
        {ROLE("123456789012", "Deploy", "a"), ROLE("210987654321", "Deploy", "a"), false},
        {ROLE("123456789012", "Deploy", "a"), ROLE("123456789012", "Other", "a"), false},
        {ROLE("123456789012", "CI-x", "a"), ROLE("123456789012", "CI-x", "b"), false},
        {"arn:aws:sts::123456789012:federated-user/a", "arn:aws:sts::123456789012:federated-user/b", true},
        {"arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root", true},
        {"arn:aws:iam::123456789012:root", "arn:aws:iam::210987654321:root", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal a = must_parse(rows[i].a, &ci_rules);
        struct sn_principal b = must_parse(rows[i].b, &ci_rules);
        print_message("# %s %s\n", rows[i].a, rows[i].b);
        assert_int_equal(sn_principal_same_person(&a, &b), rows[i].same);
        assert_int_equal(sn_principal_same_person(&b, &a), rows[i].same);
    }
}

/* AUD-39, TVM-06: profile names, with one message for each rule. */
static void profile_names(void **state)
{
    (void)state;
    static const struct {
        struct sn_slice name;
        const char *problem; /* NULL: valid */
    } rows[] = {
        {SN_S_INIT("prod"), NULL},
        {SN_S_INIT("prod_role"), NULL},
        {SN_S_INIT("team/prod-admin"), NULL},
        {SN_S_INIT("/sentinel/policies/prod"), NULL},
        {SN_S_INIT("arn:aws:iam::123456789012:role/prod"), NULL},
        {SN_S_INIT(""), "is empty"},
        {SN_S_INIT("pro\0d"), "NUL"},
        {SN_S_INIT("prod\n"), "control"},
        {SN_S_INIT("pr\x1bod"), "control"},
        {SN_S_INIT("pr\x7fod"), "control"},
        {SN_S_INIT("\xd0\xb0"
                   "dmin"),
            "not ASCII"},
        {SN_S_INIT("../../etc/passwd"), "traversal"},
        {SN_S_INIT("a//b"), "traversal"},
        {SN_S_INIT("./a"), "traversal"},
        {SN_S_INIT("a/.b"), "traversal"},
        {SN_S_INIT("a\\b"), "traversal"},
        {SN_S_INIT("a;rm -rf "), "outside"},
        {SN_S_INIT("a`id`"), "outside"},
        {SN_S_INIT("$(x)"), "outside"},
        {SN_S_INIT("${x}"), "outside"},
        {SN_S_INIT("a|b"), "outside"},
        {SN_S_INIT("prod,dev"), "outside"},
        {SN_S_INIT("a%0Ab"), "outside"},
        {SN_S_INIT("-x"), "begins"},
        {SN_S_INIT("x/"), "ends"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        print_message("# %.*s\n", SN_PRI(rows[i].name));
        assert_int_equal(sn_profile_name_is_valid(rows[i].name), rows[i].problem == NULL);
        if (rows[i].problem == NULL) {
            assert_ok(sn_profile_name_check(rows[i].name, &err), &err);
        } else {
            assert_fails(sn_profile_name_check(rows[i].name, &err), &err, "INVALID_PROFILE");
            assert_non_null(strstr(err.message, rows[i].problem));
        }
    }
    char longest[SN_PROFILE_NAME_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    assert_true(sn_profile_name_is_valid((struct sn_slice){longest, SN_PROFILE_NAME_MAX}));
    assert_false(sn_profile_name_is_valid((struct sn_slice){longest, SN_PROFILE_NAME_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_accepted_forms),
        cmocka_unit_test(parse_refusals),
        cmocka_unit_test(parse_limits),
        cmocka_unit_test(attack_05_vouching_table),
        cmocka_unit_test(attack_05_unconfirmed_sso_path),
        cmocka_unit_test(attack_06_names_do_not_fold),
        cmocka_unit_test(vouching_globs),
        cmocka_unit_test(person_keys),
        cmocka_unit_test(same_person),
        cmocka_unit_test(profile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
