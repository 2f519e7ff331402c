/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/policy_parse.c and lab/policy_match.c: what IAM's documentation says of principals, conditions and wildcards.
 */
#include "test.h"

#include "lab/policy.h"

static const struct sn_lab_who tvm_session = {SN_S_INIT("123456789012"),
    SN_S_INIT("arn:aws:sts::123456789012:assumed-role/SentinelTVM/x"),
    SN_S_INIT("arn:aws:iam::123456789012:role/SentinelTVM")};
static const struct sn_lab_who alice = {
    SN_S_INIT("123456789012"), SN_S_INIT("arn:aws:iam::123456789012:user/alice"), SN_S_INIT("")};

static struct sn_lab_policy *must_parse(const char *json, enum sn_lab_policy_kind kind)
{
    struct sn_lab_policy *policy = NULL;
    struct sn_error err = {0};
    assert_ok(sn_lab_policy_parse(sn_slice_str(json), kind, &policy, &err), &err);
    return policy;
}

static enum sn_lab_effect trust_effect(
    const char *json, const char *action, const struct sn_lab_who *who, const struct sn_lab_facts *facts, bool *direct)
{
    struct sn_lab_policy *policy = must_parse(json, SN_LAB_POLICY_TRUST);
    struct sn_lab_ask ask = {
        .action = sn_slice_str(action), .resource = SN_S("arn:aws:iam::1:role/x"), .facts = facts, .who = who};
    enum sn_lab_effect effect = sn_lab_policy_evaluate(policy, &ask, direct);
    sn_lab_policy_unref(policy);
    return effect;
}

static void wildcards(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern;
        bool matches, nocase;
    } rows[] = {
        {"", "", true, true},
        {"", "*", true, true},
        {"", "?", false, false},
        {"sentinel=alice=direct=1", "sentinel=*", true, true},
        {"sentinel=", "sentinel=*", true, true},
        {"sentinel", "sentinel=*", false, false},
        {"Sentinel=a", "sentinel=*", false, true},
        {"sentinel=alice=approved=1", "sentinel=*=approved=*", true, true},
        {"sentinel=approved=direct=1", "sentinel=*=approved=*", false, false},
        {"abc", "a?c", true, true},
        {"ac", "a?c", false, false},
        {"aXbXc", "a*b*c", true, true},
        {"aXbX", "a*b*c", false, false},
        {"a*c", "a*c", true, true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a*a*a*a*a*a*a*a*a*a*a*a*a*b", false, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s %s\n", rows[i].text, rows[i].pattern);
        assert_int_equal(
            sn_lab_wildcard(sn_slice_str(rows[i].text), sn_slice_str(rows[i].pattern), false), rows[i].matches);
        assert_int_equal(
            sn_lab_wildcard(sn_slice_str(rows[i].text), sn_slice_str(rows[i].pattern), true), rows[i].nocase);
    }
}

#define TRUST(principal)                                                                                               \
    "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":" principal ",\"Action\":\"sts:AssumeRole\"}}"

static void principals(void **state)
{
    (void)state;
    static const struct {
        const char *principal;
        bool tvm, tvm_direct, user, user_direct;
    } rows[] = {
        {TRUST("\"*\""), true, true, true, true},
        {TRUST("{\"AWS\":\"*\"}"), true, true, true, true},
        {TRUST("{\"AWS\":\"123456789012\"}"), true, false, true, false},
        {TRUST("{\"AWS\":\"arn:aws:iam::123456789012:root\"}"), true, false, true, false},
        {TRUST("{\"AWS\":\"arn:aws:iam::210987654321:root\"}"), false, false, false, false},
        {TRUST("{\"AWS\":\"arn:aws:iam::123456789012:role/SentinelTVM\"}"), true, true, false, false},
        {TRUST("{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/SentinelTVM/x\"}"), true, true, false, false},
        {TRUST("{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/SentinelTVM/y\"}"), false, false, false, false},
        {TRUST("{\"AWS\":\"arn:aws:iam::123456789012:user/alice\"}"), false, false, true, true},
        {TRUST("{\"AWS\":\"arn:aws:iam::123456789012:user/Alice\"}"), false, false, false, false},
        {TRUST("{\"AWS\":[\"arn:aws:iam::123456789012:user/bob\",\"arn:aws:iam::123456789012:user/alice\"]}"), false,
            false, true, true},
        {TRUST("{\"Service\":\"lambda.amazonaws.com\"}"), false, false, false, false},
        {TRUST("{\"Federated\":\"cognito-identity.amazonaws.com\"}"), false, false, false, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        bool direct = true;
        print_message("# %s\n", rows[i].principal);
        assert_int_equal(trust_effect(rows[i].principal, "sts:AssumeRole", &tvm_session, NULL, &direct),
            rows[i].tvm ? SN_LAB_ALLOW : SN_LAB_NO_MATCH);
        assert_int_equal(direct, rows[i].tvm_direct);
        assert_int_equal(trust_effect(rows[i].principal, "sts:assumerole", &alice, NULL, &direct),
            rows[i].user ? SN_LAB_ALLOW : SN_LAB_NO_MATCH);
        assert_int_equal(direct, rows[i].user_direct);
        assert_int_equal(trust_effect(rows[i].principal, "sts:TagSession", &alice, NULL, &direct), SN_LAB_NO_MATCH);
    }
}

/* ATK-25: a Deny wins wherever it stands. */
static void attack_25_deny_wins(void **state)
{
    (void)state;
    static const char allow[] = "{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:*\"}";
    static const char deny[] = "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\",\"Condition\":"
                               "{\"StringNotLike\":{\"sts:SourceIdentity\":\"sentinel=*=approved=*\"}}}";
    for (int order = 0; order < 2; order++) {
        struct sn_buf json = {0};
        sn_buf_addf(&json, "{\"Version\":\"2012-10-17\",\"Statement\":[%s,%s]}", order == 0 ? allow : deny,
            order == 0 ? deny : allow);
        struct sn_lab_facts *facts = test_calloc(1, sizeof(*facts));
        assert_int_equal(trust_effect(sn_buf_str(&json), "sts:AssumeRole", &alice, facts, NULL), SN_LAB_DENY);
        assert_int_equal(trust_effect(sn_buf_str(&json), "sts:TagSession", &alice, facts, NULL), SN_LAB_ALLOW);
        sn_lab_facts_add(facts, SN_S("sts:SourceIdentity"), SN_S("sentinel=a=approved=1"));
        assert_int_equal(trust_effect(sn_buf_str(&json), "sts:AssumeRole", &alice, facts, NULL), SN_LAB_ALLOW);
        facts->facts[0].one = SN_S("sentinel=a=direct=1");
        assert_int_equal(trust_effect(sn_buf_str(&json), "sts:AssumeRole", &alice, facts, NULL), SN_LAB_DENY);
        test_free(facts);
        sn_buf_clear(&json);
    }
}

/* One condition against no value, one value ("|" separates several). */
static void conditions(void **state)
{
    (void)state;
    static const struct {
        const char *condition; /* "Op":{"k":...} */
        const char *values;    /* NULL: the key is absent */
        bool holds;
    } rows[] = {
        {"\"StringEquals\":{\"k\":\"a\"}", "a", true},
        {"\"StringEquals\":{\"K\":\"a\"}", "a", true}, /* keys fold case, values do not */
        {"\"StringEquals\":{\"k\":\"a\"}", "A", false},
        {"\"StringEquals\":{\"k\":\"a*\"}", "ab", false},
        {"\"StringEquals\":{\"k\":[\"a\",\"b\"]}", "b", true},
        {"\"StringEquals\":{\"k\":\"a\"}", NULL, false},
        {"\"StringEqualsIfExists\":{\"k\":\"a\"}", NULL, true},
        {"\"StringEqualsIfExists\":{\"k\":\"a\"}", "b", false},
        {"\"StringNotEquals\":{\"k\":[\"a\",\"b\"]}", "b", false},
        {"\"StringNotEquals\":{\"k\":[\"a\",\"b\"]}", "c", true},
        {"\"StringNotEquals\":{\"k\":\"a\"}", NULL, true},
        {"\"StringLike\":{\"k\":\"sentinel=*\"}", "sentinel=a", true},
        {"\"StringLike\":{\"k\":\"sentinel=*\"}", NULL, false},
        {"\"StringNotLike\":{\"k\":\"sentinel=*\"}", "x", true},
        {"\"StringEqualsIgnoreCase\":{\"k\":\"AbC\"}", "aBc", true},
        {"\"StringNotEqualsIgnoreCase\":{\"k\":\"AbC\"}", "aBc", false},
        {"\"ForAllValues:StringEquals\":{\"k\":[\"a\",\"b\"]}", "a|b", true},
        {"\"ForAllValues:StringEquals\":{\"k\":[\"a\",\"b\"]}", "a|c", false},
        {"\"ForAllValues:StringEquals\":{\"k\":\"a\"}", NULL, true},
        {"\"ForAnyValue:StringEquals\":{\"k\":\"a\"}", "c|a", true},
        {"\"ForAnyValue:StringEquals\":{\"k\":\"a\"}", "c|d", false},
        {"\"ForAnyValue:StringEquals\":{\"k\":\"a\"}", NULL, false},
        {"\"ForAnyValue:StringNotEquals\":{\"k\":\"a\"}", NULL, false},
        {"\"ForAnyValue:StringNotEquals\":{\"k\":\"a\"}", "a|b", true},
        {"\"ForAllValues:StringNotLike\":{\"k\":\"a*\"}", "b|c", true},
        {"\"ForAllValues:StringNotLike\":{\"k\":\"a*\"}", "b|ax", false},
        {"\"Null\":{\"k\":\"true\"}", NULL, true},
        {"\"Null\":{\"k\":true}", "a", false},
        {"\"Null\":{\"k\":\"false\"}", "a", true},
        {"\"Null\":{\"k\":\"false\"}", NULL, false},
        {"\"Bool\":{\"k\":\"true\"}", "true", true},
        {"\"Bool\":{\"k\":false}", "true", false},
        {"\"Bool\":{\"k\":\"false\"}", NULL, false},
        {"\"BoolIfExists\":{\"k\":\"true\"}", NULL, true},
        {"\"NumericLessThanEquals\":{\"k\":3600}", "3600", true},
        {"\"NumericLessThan\":{\"k\":\"3600\"}", "3600", false},
        {"\"NumericGreaterThan\":{\"k\":\"-1\"}", "0", true},
        {"\"NumericEquals\":{\"k\":\"10\"}", "9", false},
        {"\"NumericNotEquals\":{\"k\":\"10\"}", "9", true},
        {"\"NumericGreaterThanEquals\":{\"k\":\"10\"}", "ten", false},
        {"\"DateGreaterThanEquals\":{\"k\":\"2026-02-01T10:05:00Z\"}", "2026-02-01T10:04:59Z", false},
        {"\"DateGreaterThanEquals\":{\"k\":\"2026-02-01T10:05:00Z\"}", "2026-02-01T10:05:00Z", true},
        {"\"DateGreaterThan\":{\"k\":\"2026-02-01T10:05:00Z\"}", "2026-02-01T10:05:00Z", false},
        {"\"DateLessThan\":{\"k\":\"2026-02-01T11:05:00+01:00\"}", "2026-02-01T10:04:59Z", true},
        {"\"DateLessThanEquals\":{\"k\":\"1769940000\"}", "2026-02-01T10:00:00Z", true},
        {"\"DateEquals\":{\"k\":\"1769940000\"}", "1769940000", true},
        {"\"DateNotEquals\":{\"k\":\"1769940000\"}", "1769940000", false},
        {"\"ArnLike\":{\"k\":\"arn:aws:iam::*:role/Sentinel*\"}", "arn:aws:iam::1:role/SentinelTVM", true},
        {"\"ArnLike\":{\"k\":\"arn:aws:iam:*:role/x\"}", "arn:aws:iam::1:role/x", false},
        {"\"ArnNotEquals\":{\"k\":\"arn:aws:iam::1:role/x\"}", "arn:aws:iam::1:role/x", false},
        {"\"ArnEquals\":{\"k\":\"arn:aws:iam::1:role/x\"}", "no arn", false},
        /* several operators and keys: all must hold */
        {"\"StringEquals\":{\"k\":\"a\"},\"StringLike\":{\"other\":\"*\"}", "a", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf json = {0};
        struct sn_slice values[4];
        size_t count = 0;
        struct sn_slice rest = sn_slice_str(rows[i].values);
        struct sn_lab_facts *facts = test_calloc(1, sizeof(*facts));
        sn_buf_addf(&json,
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{%s}}]}",
            rows[i].condition);
        while (sn_slice_next(&rest, '|', &values[count])) {
            count++;
        }
        sn_lab_facts_add_list(facts, SN_S("k"), values, count);
        struct sn_lab_policy *policy = must_parse(sn_buf_str(&json), SN_LAB_POLICY_IDENTITY);
        struct sn_lab_ask ask = {.action = SN_S("iam:GetRole"), .resource = SN_S("*"), .facts = facts};
        print_message("# %s with %s\n", rows[i].condition, rows[i].values != NULL ? rows[i].values : "(absent)");
        assert_int_equal(sn_lab_policy_evaluate(policy, &ask, NULL), rows[i].holds ? SN_LAB_ALLOW : SN_LAB_NO_MATCH);
        sn_lab_policy_unref(policy);
        test_free(facts);
        sn_buf_clear(&json);
    }
}

static void actions_and_resources(void **state)
{
    (void)state;
    static const struct {
        const char *elements, *action, *resource;
        bool matches;
    } rows[] = {
        {"\"Action\":\"iam:Get*\",\"Resource\":\"*\"", "iam:GetRole", "arn:aws:iam::1:role/a", true},
        {"\"Action\":\"IAM:getrole\",\"Resource\":\"*\"", "iam:GetRole", "arn:aws:iam::1:role/a", true},
        {"\"Action\":\"iam:List*\",\"Resource\":\"*\"", "iam:GetRole", "arn:aws:iam::1:role/a", false},
        {"\"NotAction\":\"iam:Get*\",\"Resource\":\"*\"", "iam:GetRole", "arn:aws:iam::1:role/a", false},
        {"\"NotAction\":\"sts:*\",\"Resource\":\"*\"", "iam:GetRole", "arn:aws:iam::1:role/a", true},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:iam::1:role/b\"", "iam:GetRole", "arn:aws:iam::1:role/a", false},
        {"\"Action\":\"*\",\"Resource\":\"arn:aws:iam::1:role/?\"", "iam:GetRole", "arn:aws:iam::1:role/a", true},
        {"\"Action\":\"*\",\"NotResource\":\"arn:aws:iam::1:role/a\"", "iam:GetRole", "arn:aws:iam::1:role/a", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf json = {0};
        sn_buf_addf(&json, "{\"Statement\":[{\"Effect\":\"Allow\",%s}]}", rows[i].elements);
        struct sn_lab_policy *policy = must_parse(sn_buf_str(&json), SN_LAB_POLICY_IDENTITY);
        struct sn_lab_ask ask = {.action = sn_slice_str(rows[i].action), .resource = sn_slice_str(rows[i].resource)};
        print_message("# %s\n", rows[i].elements);
        assert_int_equal(sn_lab_policy_evaluate(policy, &ask, NULL), rows[i].matches ? SN_LAB_ALLOW : SN_LAB_NO_MATCH);
        sn_lab_policy_unref(policy);
        sn_buf_clear(&json);
    }
}

#define IDENTITY(rest) "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"" rest "}]}"
#define CONDITION(text) IDENTITY(",\"Condition\":" text)

/* What is not understood must not load: it would be more generous than AWS. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        enum sn_lab_policy_kind kind;
        const char *json;
    } rows[] = {
        {SN_LAB_POLICY_IDENTITY, ""},
        {SN_LAB_POLICY_IDENTITY, "{"},
        {SN_LAB_POLICY_IDENTITY, "[]"},
        {SN_LAB_POLICY_IDENTITY, "{}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":[]}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":[1]}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Version\":\"2012-10-18\",\"Statement\":[]}"},
        {SN_LAB_POLICY_IDENTITY, "{\"statement\":[]}"},
        {SN_LAB_POLICY_IDENTITY, IDENTITY("") "x"},
        {SN_LAB_POLICY_IDENTITY, IDENTITY(",\"Effect\":\"Deny\"")},
        {SN_LAB_POLICY_IDENTITY, IDENTITY(",\"NotAction\":\"*\"")},
        {SN_LAB_POLICY_IDENTITY, IDENTITY(",\"NotResource\":\"*\"")},
        {SN_LAB_POLICY_IDENTITY, IDENTITY(",\"Principal\":\"*\"")},
        {SN_LAB_POLICY_IDENTITY, IDENTITY(",\"Sid\":1")},
        {SN_LAB_POLICY_IDENTITY, IDENTITY(",\"Conditions\":{}")},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":{\"Effect\":\"allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":{\"Action\":\"*\",\"Resource\":\"*\"}}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":{\"Effect\":\"Allow\",\"Resource\":\"*\"}}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\"}}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":[],\"Resource\":\"*\"}}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"Get\",\"Resource\":\"*\"}}"},
        {SN_LAB_POLICY_IDENTITY, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":5}}"},
        {SN_LAB_POLICY_IDENTITY, CONDITION("[]")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"StringEquals\":{}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"StringEquals\":\"a\"}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"StringEquals\":{\"k\":[]}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"StringEquals\":{\"k\":null}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"StringEquals\":{\"k\":\"${aws:username}\"}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"StringMatches\":{\"k\":\"a\"}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"ForSomeValues:StringEquals\":{\"k\":\"a\"}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"NullIfExists\":{\"k\":\"true\"}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"Bool\":{\"k\":\"yes\"}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"NumericEquals\":{\"k\":\"1.5\"}}")},
        {SN_LAB_POLICY_IDENTITY, CONDITION("{\"DateLessThan\":{\"k\":\"tomorrow\"}}")},
        {SN_LAB_POLICY_TRUST, IDENTITY("")},
        {SN_LAB_POLICY_TRUST, "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\"}}"},
        {SN_LAB_POLICY_TRUST, TRUST("\"arn:aws:iam::123456789012:root\"")},
        {SN_LAB_POLICY_TRUST, TRUST("{}")},
        {SN_LAB_POLICY_TRUST, TRUST("{\"aws\":\"*\"}")},
        {SN_LAB_POLICY_TRUST, TRUST("{\"AWS\":\"arn:aws:iam::123456789012:role/*\"}")},
        {SN_LAB_POLICY_TRUST, TRUST("{\"AWS\":\"12345678901\"}")},
        {SN_LAB_POLICY_TRUST, TRUST("{\"AWS\":\"alice\"}")},
        {SN_LAB_POLICY_TRUST, "{\"Statement\":{\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"123456789012\"},"
                              "\"Action\":\"sts:AssumeRole\"}}"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_lab_policy *policy = NULL;
        struct sn_error err = {0};
        print_message("# %s\n", rows[i].json);
        assert_fails(sn_lab_policy_parse(sn_slice_str(rows[i].json), rows[i].kind, &policy, &err), &err,
            "MalformedPolicyDocument");
        assert_null(policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wildcards),
        cmocka_unit_test(principals),
        cmocka_unit_test(attack_25_deny_wins),
        cmocka_unit_test(conditions),
        cmocka_unit_test(actions_and_resources),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
