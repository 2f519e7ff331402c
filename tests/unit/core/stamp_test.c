/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/identity/stamp.c: what an issued session carries, and how it is read back.
 */
#include "test.h"

#include "core/identity/stamp.h"

static const struct sn_id test_id = {"4t8r2v6x0k1m3n5p"};

static const struct sn_slice ci_globs[] = {SN_S_INIT("CI-*")};
static const struct sn_vouch_rules ci_rules = {.role_globs = ci_globs, .role_glob_count = 1};

/* Built by hand, since some rows hold names that no ARN can carry. */
static struct sn_principal make_principal(
    enum sn_principal_type type, const char *account, const char *role, const char *name)
{
    struct sn_principal p = {.type = type};

    memcpy(p.partition, "aws", 4);
    memcpy(p.account, account, strlen(account) + 1);
    memcpy(p.role, role, strlen(role) + 1);
    memcpy(p.name, name, strlen(name) + 1);
    p.is_sso = strncmp(role, "AWSReservedSSO_", 15) == 0;
    sn_principal_vouch(&p, &ci_rules);
    return p;
}

/* AUD-07, TVM-02: every published example, bit for bit. */
static void stamps_published_examples(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        int row;
        enum sn_principal_type type;
        const char *account, *role, *name;
        enum sn_issue_kind kind;
        const char *source_identity;
        size_t len;
    } rows[] = {
        {1, SN_PRINCIPAL_USER, "123456789012", "", "a", SN_ISSUE_DIRECT, "sentinel=a=direct=4t8r2v6x0k1m3n5p", 34},
        {2, SN_PRINCIPAL_USER, "123456789012", "", "alice", SN_ISSUE_DIRECT, "sentinel=alice=direct=4t8r2v6x0k1m3n5p", 38},
        {3, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "AWSReservedSSO_Dev_0123456789abcdef", "alice@example.com", SN_ISSUE_APPROVED, "sentinel=alice@example.com=approved=4t8r2v6x0k1m3n5p", 52},
        {4, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "AWSReservedSSO_Dev_0123456789abcdef", "user+test@domain.com", SN_ISSUE_DIRECT, "sentinel=user+test@domain.com=direct=4t8r2v6x0k1m3n5p", 53},
        {5, SN_PRINCIPAL_USER, "123456789012", "", "svc_deploy.eu-1,blue@x", SN_ISSUE_DIRECT, "sentinel=svc_deploy.eu-1,blue@x=direct=4t8r2v6x0k1m3n5p", 55},
        {6, SN_PRINCIPAL_USER, "123456789012", "", "abcdefghijklmnopqrstuvwxyz", SN_ISSUE_BREAKGLASS, "sentinel=abcdefghijklmnopqrstuvwxyz=breakglass=4t8r2v6x0k1m3n5p", 63},
        {7, SN_PRINCIPAL_USER, "123456789012", "", "abcdefghijklmnopqrstuvwxyz0", SN_ISSUE_DIRECT, "sentinel=abcdefghijklmnopqrs+6a9f2d=direct=4t8r2v6x0k1m3n5p", 59},
        {8, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "AWSReservedSSO_Dev_0123456789abcdef", "alexander.hamilton@example.com", SN_ISSUE_BREAKGLASS, "sentinel=alexander.hamilton@+5fb5fb=breakglass=4t8r2v6x0k1m3n5p", 63},
        {9, SN_PRINCIPAL_ASSUMED_ROLE, "210987654321", "AWSReservedSSO_Ops_fedcba9876543210", "alexander.hamilton@example.com", SN_ISSUE_DIRECT, "sentinel=alexander.hamilton@+5fb5fb=direct=4t8r2v6x0k1m3n5p", 59},
        {10, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "AWSReservedSSO_Dev_0123456789abcdef", "alexander.hamiltonia@example.com", SN_ISSUE_DIRECT, "sentinel=alexander.hamiltoni+23080c=direct=4t8r2v6x0k1m3n5p", 59},
        {11, SN_PRINCIPAL_USER, "123456789012", "", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", SN_ISSUE_DIRECT, "sentinel=xxxxxxxxxxxxxxxxxxx+16422f=direct=4t8r2v6x0k1m3n5p", 59},
        {12, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "Deploy", "team=ops", SN_ISSUE_DIRECT, "sentinel=Deploy-team-ops+960ffc=direct=4t8r2v6x0k1m3n5p", 55},
        {13, SN_PRINCIPAL_ASSUMED_ROLE, "210987654321", "Deploy", "team=ops", SN_ISSUE_DIRECT, "sentinel=Deploy-team-ops+f35ff6=direct=4t8r2v6x0k1m3n5p", 55},
        {14, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "Deploy", "a=approved=b", SN_ISSUE_DIRECT, "sentinel=Deploy-a-approved-b+cfd538=direct=4t8r2v6x0k1m3n5p", 59},
        {15, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "Deploy", "==", SN_ISSUE_DIRECT, "sentinel=Deploy---+969597=direct=4t8r2v6x0k1m3n5p", 49},
        {16, SN_PRINCIPAL_USER, "123456789012", "", "approved", SN_ISSUE_DIRECT, "sentinel=approved=direct=4t8r2v6x0k1m3n5p", 41},
        {17, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "Worker", "i-0123456789abcdef0", SN_ISSUE_DIRECT, "sentinel=Worker-i-0123456789+044790=direct=4t8r2v6x0k1m3n5p", 59},
        {18, SN_PRINCIPAL_FEDERATED_USER, "123456789012", "", "bob", SN_ISSUE_DIRECT, "sentinel=-bob+1fba9c=direct=4t8r2v6x0k1m3n5p", 44},
        {19, SN_PRINCIPAL_ROOT, "123456789012", "", "root", SN_ISSUE_DIRECT, "sentinel=-root+31b13f=direct=4t8r2v6x0k1m3n5p", 45},
        {20, SN_PRINCIPAL_USER, "123456789012", "", "zo\xc3\xab""@example.com", SN_ISSUE_DIRECT, "sentinel=zo--@example.com+6d9720=direct=4t8r2v6x0k1m3n5p", 56},
        {21, SN_PRINCIPAL_USER, "123456789012", "", "\xd0\xb0""dmin", SN_ISSUE_DIRECT, "sentinel=--dmin+cdd8bd=direct=4t8r2v6x0k1m3n5p", 46},
        {22, SN_PRINCIPAL_USER, "123456789012", "", "Ann Lee", SN_ISSUE_DIRECT, "sentinel=Ann-Lee+0d9b63=direct=4t8r2v6x0k1m3n5p", 47},
        {23, SN_PRINCIPAL_USER, "123456789012", "", "alexander.hamilton@+5fb5fb", SN_ISSUE_DIRECT, "sentinel=alexander.hamilton@+39d105=direct=4t8r2v6x0k1m3n5p", 59},
        {24, SN_PRINCIPAL_USER, "123456789012", "", "bob+1a2b3c", SN_ISSUE_DIRECT, "sentinel=bob+1a2b3c+c61c12=direct=4t8r2v6x0k1m3n5p", 50},
        {25, SN_PRINCIPAL_USER, "123456789012", "", "bob+1A2B3C", SN_ISSUE_DIRECT, "sentinel=bob+1A2B3C=direct=4t8r2v6x0k1m3n5p", 43},
        {26, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "Deploy", "alice", SN_ISSUE_DIRECT, "sentinel=Deploy-alice+abf23f=direct=4t8r2v6x0k1m3n5p", 52},
        {27, SN_PRINCIPAL_ASSUMED_ROLE, "210987654321", "Deploy", "alice", SN_ISSUE_DIRECT, "sentinel=Deploy-alice+4f39af=direct=4t8r2v6x0k1m3n5p", 52},
        {28, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "Deploy", "alice@example.com", SN_ISSUE_APPROVED, "sentinel=Deploy-alice@exampl+effadc=approved=4t8r2v6x0k1m3n5p", 61},
        {29, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "CI-build", "alice", SN_ISSUE_DIRECT, "sentinel=alice=direct=4t8r2v6x0k1m3n5p", 38},
        {30, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "CI-build", "ops=night", SN_ISSUE_DIRECT, "sentinel=ops-night+1f2528=direct=4t8r2v6x0k1m3n5p", 49},
        {31, SN_PRINCIPAL_USER, "123456789012", "", "ops=night", SN_ISSUE_DIRECT, "sentinel=ops-night+7443aa=direct=4t8r2v6x0k1m3n5p", 49},
        {32, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "AWSReservedSSO_Dev_0123456789abcdef", "ops=night", SN_ISSUE_DIRECT, "sentinel=ops-night+e6f84e=direct=4t8r2v6x0k1m3n5p", 49},
        {33, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "PlatformDeploymentRole", "i-0123456789abcdef0", SN_ISSUE_BREAKGLASS, "sentinel=PlatformDeploymentR+e94a76=breakglass=4t8r2v6x0k1m3n5p", 63},
        {34, SN_PRINCIPAL_ASSUMED_ROLE, "123456789012", "a", "+1a2b3c", SN_ISSUE_DIRECT, "sentinel=a-+1a2b3c+372f08=direct=4t8r2v6x0k1m3n5p", 49},
    };
    /* clang-format on */
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal p = make_principal(rows[i].type, rows[i].account, rows[i].role, rows[i].name);
        char text[SN_SOURCE_IDENTITY_MAX + 1];
        char session_name[SN_ROLE_SESSION_NAME_MAX + 1];
        char wanted_name[SN_ROLE_SESSION_NAME_MAX + 1];
        struct sn_stamp_user user;

        print_message("# row %d\n", rows[i].row);
        sn_stamp_source_identity(&p, rows[i].kind, &test_id, text);
        assert_string_equal(text, rows[i].source_identity);
        assert_int_equal(strlen(text), rows[i].len);
        sn_stamp_user(&p, &user);
        sn_stamp_session_name(&p, &test_id, session_name);
        snprintf(wanted_name, sizeof(wanted_name), "%s-%s", user.text, test_id.text);
        assert_string_equal(session_name, wanted_name);
    }
    assert_int_equal(SN_LEN(rows), 34);
}

/* TVM-02: the examples of the user part with role Dev. */
static void stamps_user_part(void **state)
{
    (void)state;
    static const struct {
        enum sn_principal_type type;
        const char *role, *name, *user;
    } rows[] = {
        {SN_PRINCIPAL_ASSUMED_ROLE, "Dev", "alice", "Dev-alice+f56aad"},
        {SN_PRINCIPAL_ASSUMED_ROLE, "PlatformDeploymentRole", "i-0123456789abcdef0", "PlatformDeploymentR+e94a76"},
        {SN_PRINCIPAL_ASSUMED_ROLE, "CI-build", "alice", "alice"},
        {SN_PRINCIPAL_USER, "", "ops=night", "ops-night+7443aa"},
        {SN_PRINCIPAL_FEDERATED_USER, "", "bob", "-bob+1fba9c"},
        {SN_PRINCIPAL_ROOT, "", "root", "-root+31b13f"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal p = make_principal(rows[i].type, "123456789012", rows[i].role, rows[i].name);
        struct sn_stamp_user user;
        sn_stamp_user(&p, &user);
        assert_string_equal(user.text, rows[i].user);
    }
}

/* AUD-08: one form, nothing near it. */
static void parse_accepts_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct sn_slice text;
        bool accepted;
    } rows[] = {
        {"direct", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5p"), true},
        {"approved", SN_S_INIT("sentinel=alice=approved=4t8r2v6x0k1m3n5p"), true},
        {"break-glass", SN_S_INIT("sentinel=alice=breakglass=4t8r2v6x0k1m3n5p"), true},
        {"26-byte user", SN_S_INIT("sentinel=abcdefghijklmnopqrstuvwxyz=breakglass=4t8r2v6x0k1m3n5p"), true},
        {"upper-case prefix", SN_S_INIT("SENTINEL=alice=direct=4t8r2v6x0k1m3n5p"), false},
        {"colons", SN_S_INIT("sentinel:alice:direct:4t8r2v6x0k1m3n5p"), false},
        {"dots", SN_S_INIT("sentinel.alice.direct.4t8r2v6x0k1m3n5p"), false},
        {"mixed separators", SN_S_INIT("sentinel=alice:direct=4t8r2v6x0k1m3n5p"), false},
        {"three parts", SN_S_INIT("sentinel=alice=4t8r2v6x0k1m3n5p"), false},
        {"five parts", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5p=x"), false},
        {"empty user", SN_S_INIT("sentinel==direct=4t8r2v6x0k1m3n5p"), false},
        {"empty kind", SN_S_INIT("sentinel=alice==4t8r2v6x0k1m3n5p"), false},
        {"empty id", SN_S_INIT("sentinel=alice=direct="), false},
        {"cased kind", SN_S_INIT("sentinel=alice=Direct=4t8r2v6x0k1m3n5p"), false},
        {"hex marker", SN_S_INIT("sentinel=alice=a1b2c3d4=4t8r2v6x0k1m3n5p"), false},
        {"upper-case id", SN_S_INIT("sentinel=alice=direct=4T8R2V6X0K1M3N5P"), false},
        {"id with i", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5i"), false},
        {"id with l", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5l"), false},
        {"id with o", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5o"), false},
        {"id with u", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5u"), false},
        {"15 characters", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5"), false},
        {"17 characters", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5pp"), false},
        {"8 hex digits", SN_S_INIT("sentinel=alice=direct=a1b2c3d4"), false},
        {"27-byte user", SN_S_INIT("sentinel=abcdefghijklmnopqrstuvwxyz0=direct=4t8r2v6x0k1m3n5p"), false},
        {"zero-width space",
            SN_S_INIT("sentinel=ali\xe2\x80\x8b"
                      "ce=direct=4t8r2v6x0k1m3n5p"),
            false},
        {"NUL", SN_S_INIT("sentinel=ali\0ce=direct=4t8r2v6x0k1m3n5p"), false},
        {"trailing LF", SN_S_INIT("sentinel=alice=direct=4t8r2v6x0k1m3n5p\n"), false},
        {"leading blank", SN_S_INIT(" sentinel=alice=direct=4t8r2v6x0k1m3n5p"), false},
        {"a directory name", SN_S_INIT("sentinel.smith@corp.com"), false},
        {"empty", SN_S_INIT(""), false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_source_identity parsed;
        struct sn_error err;
        print_message("# %s\n", rows[i].name);
        if (rows[i].accepted) {
            assert_ok(sn_source_identity_parse(rows[i].text, &parsed, &err), &err);
        } else {
            assert_fails(sn_source_identity_parse(rows[i].text, &parsed, &err), &err, "NOT_SENTINEL");
        }
    }
}

/* A small generator with a fixed seed, so that a failure can be run again. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void random_name(uint64_t *seed, char *out, size_t max)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_+=,.@-+=";
    size_t len = 1 + next_random(seed) % max;

    for (size_t i = 0; i < len; i++) {
        out[i] = alphabet[next_random(seed) % (sizeof(alphabet) - 1)];
    }
    out[len] = '\0';
    if (len > 8 && next_random(seed) % 4 == 0) {
        memcpy(out + len - 7, "+0a1b2c", 7); /* looks like a shortened name */
    }
}

static bool ends_in_hash(const char *user)
{
    size_t len = strlen(user);
    return len >= 7 && user[len - 7] == '+' && strspn(user + len - 6, "0123456789abcdef") == 6;
}

/* AUD-07, AUD-08, TVM-02, ATK-23: legal for STS and reversible whatever the legal name; unvouched names carry a hash.
 */
static void attack_23_stamp_is_legal_for_every_name(void **state)
{
    (void)state;
    static const char *const roles[] = {"AWSReservedSSO_Dev_0123456789abcdef", "Deploy", "CI-build", "a"};
    uint64_t seed = 0x5eed5eed5eed5eedULL;

    for (int n = 0; n < 100000; n++) {
        enum sn_principal_type type = (enum sn_principal_type)(next_random(&seed) % 4);
        char name[SN_NAME_MAX + 1];
        random_name(&seed, name, SN_NAME_MAX);
        struct sn_principal p = make_principal(type, "123456789012",
            type == SN_PRINCIPAL_ASSUMED_ROLE ? roles[next_random(&seed) % SN_LEN(roles)] : "", name);
        char text[SN_SOURCE_IDENTITY_MAX + 1];
        char session_name[SN_ROLE_SESSION_NAME_MAX + 1];
        struct sn_source_identity parsed;
        struct sn_stamp_user user;
        struct sn_error err;
        enum sn_issue_kind kind = (enum sn_issue_kind)(next_random(&seed) % 3);

        sn_stamp_source_identity(&p, kind, &test_id, text);
        sn_stamp_session_name(&p, &test_id, session_name);
        sn_stamp_user(&p, &user);
        assert_true(strlen(text) >= 34 && strlen(text) <= 63);
        assert_int_equal(
            strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-"), strlen(text));
        assert_null(strchr(session_name, '='));
        assert_true(strlen(session_name) <= 43);
        assert_ok(sn_source_identity_parse(sn_slice_str(text), &parsed, &err), &err);
        assert_slice_equal(parsed.user, user.text);
        assert_slice_equal(parsed.id, test_id.text);
        assert_int_equal(parsed.kind, kind);
        if (!p.vouched) {
            assert_true(ends_in_hash(user.text));
        } else if (strcmp(user.text, p.name) == 0) {
            assert_false(ends_in_hash(user.text));
        }
    }
}

/* ATK-23: a name cannot smuggle in a kind, another field or AWS's own prefix. */
static void attack_23_field_injection(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a=approved=b", "==", "x=breakglass=zzzzzzzzzzzzzzzz", "aws:x", "=", "sentinel="};

    for (size_t i = 0; i < SN_LEN(names); i++) {
        struct sn_principal p = make_principal(SN_PRINCIPAL_USER, "123456789012", "", names[i]);
        char text[SN_SOURCE_IDENTITY_MAX + 1];
        struct sn_source_identity parsed;
        struct sn_error err;

        sn_stamp_source_identity(&p, SN_ISSUE_DIRECT, &test_id, text);
        assert_ok(sn_source_identity_parse(sn_slice_str(text), &parsed, &err), &err);
        assert_int_equal(parsed.kind, SN_ISSUE_DIRECT);
        assert_slice_equal(parsed.id, test_id.text);
        assert_null(strchr(text, ':'));
    }
}

/* The parts are checked before a stamp is built, each with its own error. */
static void check_names_what_is_wrong(void **state)
{
    (void)state;
    struct sn_error err;

    assert_fails(sn_stamp_check(SN_S(""), SN_ISSUE_DIRECT, sn_id_slice(&test_id), &err), &err, "STAMP_EMPTY_NAME");
    assert_fails(sn_stamp_check(SN_S("a"), 3, sn_id_slice(&test_id), &err), &err, "STAMP_BAD_KIND");
    assert_fails(sn_stamp_check(SN_S("a"), SN_ISSUE_DIRECT, SN_S("0"), &err), &err, "STAMP_BAD_ID");
    assert_ok(sn_stamp_check(SN_S("a"), SN_ISSUE_BREAKGLASS, sn_id_slice(&test_id), &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_published_examples),
        cmocka_unit_test(stamps_user_part),
        cmocka_unit_test(parse_accepts_one_form),
        cmocka_unit_test(attack_23_stamp_is_legal_for_every_name),
        cmocka_unit_test(attack_23_field_injection),
        cmocka_unit_test(check_names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
