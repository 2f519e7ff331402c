/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/policy_catalog_test.c - the catalogue of profiles: what loads, what is refused and where. */
#include "policy_fixture.h"

#include "core/policy/catalog.h"
#include "core/policy/limits.h"

#define ROLE(name) "arn:aws:iam::111122223333:role/" name
#define DOC(rest) "version: \"1\"\nprofiles:\n  dev:\n    role_arn: " ROLE("Dev") "\n" rest

static enum sn_status load_texts(
    const char *const *texts, size_t count, struct sn_findings *findings, struct sn_catalog **out, struct sn_error *err)
{
    static const char *const names[] = {"catalog.yaml", "catalog.d/a.yaml", "catalog.d/b.yaml"};
    struct sn_catalog_source sources[3];
    for (size_t i = 0; i < count; i++) {
        sources[i] = (struct sn_catalog_source){sn_slice_str(names[i]), sn_slice_str(texts[i])};
    }
    return sn_catalog_load(sources, count, findings, out, err);
}

static void loads(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "version: \"1\"\nprofiles:\n  prod:\n    role_arn: " ROLE(
            "team/x/Prod") "\n    description: Production\n"
                           "    region: eu-west-1\n    max_duration: 1h\n    external_id: sentinel:prod/1\n"
                           "    policy_arns: [\"arn:aws:iam::aws:policy/job-function/Billing\", "
                           "\"arn:aws:iam::111122223333:policy/X\"]\n"
                           "    tags: {team: finance, Cost Centre: \"12\"}\n"
                           "    session_policy: |\n      {\"Version\": \"2012-10-17\", \"Statement\": [\n"
                           "        {\"Effect\": \"Allow\", \"Action\": \"logs:Get*\", \"Resource\": \"a \\\" b\"}]}\n",
        "version: \"1\"\nprofiles: {dev: {role_arn: \"" ROLE("Dev") "\"}, Zed: {role_arn: \"" ROLE("Z") "\"}}\n"};
    struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    assert_ok(load_texts(texts, 2, NULL, &catalog, &err), &err);
    assert_int_equal(sn_catalog_count(catalog), 3);
    assert_slice_equal(sn_catalog_at(catalog, 0)->name, "Zed");
    assert_slice_equal(sn_catalog_at(catalog, 1)->name, "dev");
    assert_null(sn_catalog_at(catalog, 3));
    assert_null(sn_catalog_find(catalog, SN_S("Dev")));
    assert_null(sn_catalog_find(NULL, SN_S("dev")));
    const struct sn_profile *prod = sn_catalog_find(catalog, SN_S("prod"));
    assert_non_null(prod);
    assert_slice_equal(prod->role_arn, ROLE("team/x/Prod"));
    assert_slice_equal(prod->role_name, "Prod");
    assert_slice_equal(prod->role_account, "111122223333");
    assert_slice_equal(prod->description, "Production");
    assert_slice_equal(prod->region, "eu-west-1");
    assert_slice_equal(prod->external_id, "sentinel:prod/1");
    assert_int_equal(prod->max_duration_s, 3600);
    assert_int_equal(prod->policy_arn_count, 2);
    assert_slice_equal(prod->policy_arns[1], "arn:aws:iam::111122223333:policy/X");
    assert_int_equal(prod->tag_count, 2);
    assert_slice_equal(prod->tags[1].key, "Cost Centre");
    assert_slice_equal(prod->session_policy, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                                             "\"Action\":\"logs:Get*\",\"Resource\":\"a \\\" b\"}]}");
    assert_true(sn_catalog_has_role(catalog, SN_S("111122223333"), SN_S("Prod")));
    assert_false(sn_catalog_has_role(catalog, SN_S("111122223333"), SN_S("prod")));
    assert_false(sn_catalog_has_role(catalog, SN_S("111122223334"), SN_S("Prod")));
    struct sn_catalog *same = sn_catalog_ref(catalog);
    sn_catalog_unref(catalog);
    assert_int_equal(sn_catalog_count(same), 3);
    sn_catalog_unref(same);
}

/* POL-47: each refusal, with its place. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *code;
        unsigned line, column;
        const char *message;
    } rows[] = {
        {"no profiles", "version: \"1\"\n", "no-profiles", 1, 1, "at least one profile"},
        {"empty profiles", "version: \"1\"\nprofiles: {}\n", "no-profiles", 2, 11, "at least one profile"},
        {"version", "version: \"2\"\nprofiles: {a: {role_arn: \"" ROLE("x") "\"}}\n", "version", 1, 10, "'2'"},
        {"list of profiles", "version: \"1\"\nprofiles: [a]\n", "wrong-kind", 2, 11, "expected a mapping"},
        {"groups in a catalogue", "version: \"1\"\ngroups: {}\nprofiles: {}\n", "unknown-field", 2, 1, "'groups'"},
        {"no role", "version: \"1\"\nprofiles:\n  dev: {region: eu-west-1}\n", "role-arn", 3, 3,
            "'dev' has no role_arn"},
        {"user ARN", "version: \"1\"\nprofiles:\n  dev: {role_arn: \"arn:aws:iam::111122223333:user/x\"}\n", "role-arn",
            3, 19, "is not the ARN of a role"},
        {"unknown partition", "version: \"1\"\nprofiles:\n  dev: {role_arn: \"arn:gov:iam::111122223333:role/x\"}\n",
            "role-arn", 3, 19, "is not the ARN of a role"},
        {"wildcard role", "version: \"1\"\nprofiles:\n  dev: {role_arn: \"arn:aws:iam::111122223333:role/x*\"}\n",
            "role-arn", 3, 19, "is not the ARN of a role"},
        {"name with a colon", "version: \"1\"\nprofiles:\n  a:b: {role_arn: \"" ROLE("x") "\"}\n", "profile-name", 3, 3,
            "'a:b'"},
        {"name with dots", "version: \"1\"\nprofiles:\n  ../x: {role_arn: \"" ROLE("x") "\"}\n", "profile-name", 3, 3,
            "'../x'"},
        {"max_duration 10m", DOC("    max_duration: 10m\n"), "duration", 5, 19, "'10m' of profile 'dev'"},
        {"description of two lines", DOC("    description: \"a\\nb\"\n"), "description", 5, 18, "do not print"},
        {"region", DOC("    region: Europe\n"), "region", 5, 13, "'Europe' is not a region"},
        {"region without number", DOC("    region: eu-west\n"), "region", 5, 13, "'eu-west'"},
        {"external id", DOC("    external_id: a\n"), "external-id", 5, 18, "STS"},
        {"tag of ours", DOC("    tags: {SentinelX: a}\n"), "tags", 5, 12, "reserved"},
        {"tag of AWS", DOC("    tags: {\"AWS:x\": a}\n"), "tags", 5, 12, "reserved"},
        {"tags that differ in case", DOC("    tags: {team: a, Team: b}\n"), "tags", 5, 21, "only in case"},
        {"tag value", DOC("    tags: {team: \"a,b\"}\n"), "tags", 5, 12, "its value"},
        {"no tags", DOC("    tags: {}\n"), "tags", 5, 11, "tags is empty"},
        {"policy ARN", DOC("    policy_arns: [\"arn:aws:iam::aws:role/x\"]\n"), "policy-arns", 5, 19, "managed policy"},
        {"policy ARN of another partition", DOC("    policy_arns: [\"arn:aws-cn:iam::aws:policy/x\"]\n"), "policy-arns",
            5, 19, "another partition"},
        {"no policy ARNs", DOC("    policy_arns: []\n"), "policy-arns", 5, 18, "policy_arns is empty"},
        {"session policy no JSON", DOC("    session_policy: '{'\n"), "session-policy", 5, 21, "no JSON"},
        {"session policy with a duplicate key",
            DOC("    session_policy: '{\"Version\":\"2012-10-17\",\"Version\":\"2012-10-17\",\"Statement\":[]}'\n"),
            "session-policy", 5, 21, "no JSON"},
        {"session policy of another version",
            DOC("    session_policy: '{\"Version\":\"2008-10-17\",\"Statement\":[]}'\n"), "session-policy", 5, 21,
            "Version"},
        {"session policy without statement",
            DOC("    session_policy: '{\"Version\":\"2012-10-17\",\"Statement\":[]}'\n"), "session-policy", 5, 21,
            "no Statement"},
        {"session policy with a principal",
            DOC("    session_policy: "
                "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\","
                "\"Action\":\"*\",\"Resource\":\"*\"}]}'\n"),
            "session-policy", 5, 21, "no principal"},
        {"session policy without a resource",
            DOC("    session_policy: "
                "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\"}]}'\n"),
            "session-policy", 5, 21, "Resource or NotResource"},
        {"session policy with a misspelt member",
            DOC("    session_policy: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\","
                "\"Resource\":\"*\",\"Conditions\":{}}]}'\n"),
            "session-policy", 5, 21, "unknown member 'Conditions'"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_findings findings = {0};
        struct sn_catalog *catalog = NULL;
        struct sn_error err = {0};
        print_message("# %s\n", rows[i].name);
        assert_fails(load_texts(&rows[i].text, 1, &findings, &catalog, &err), &err, "INVALID_CATALOG");
        assert_null(catalog);
        assert_true(findings.count >= 1);
        const struct sn_finding *found = &findings.items[0];
        assert_string_equal(found->code, rows[i].code);
        assert_int_equal(found->line, rows[i].line);
        assert_int_equal(found->column, rows[i].column);
        assert_true(sn_slice_has_prefix(found->path, SN_S("catalog.yaml: ")));
        if (!sn_slice_contains(found->message, sn_slice_str(rows[i].message))) {
            print_error("'%.*s' lacks '%s'\n", SN_PRI(found->message), rows[i].message);
            fail();
        }
        sn_findings_clear(&findings);
    }
}

/* POL-47: one name twice, in one document or in two; the message names both places. */
static void attack_08_name_given_twice(void **state)
{
    (void)state;
    static const char *const texts[] = {
        DOC(""), "version: \"1\"\nprofiles:\n  dev: {role_arn: \"" ROLE("Other") "\"}\n"};
    struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    assert_fails(load_texts(texts, 2, NULL, &catalog, &err), &err, "INVALID_CATALOG");
    assert_non_null(strstr(err.message, "catalog.d/a.yaml: profiles.dev"));
    assert_non_null(strstr(err.message, "'dev' is already in 'catalog.yaml', line 3"));
    static const char *const same[] = {DOC("  dev:\n    role_arn: " ROLE("Other") "\n")};
    assert_fails(load_texts(same, 1, NULL, &catalog, &err), &err, "INVALID_CATALOG");
    assert_fails(sn_catalog_load(NULL, 0, NULL, &catalog, &err), &err, "INVALID_CATALOG");
    static const char *const one_broken[] = {DOC(""), "version: \"1\"\nprofiles: {x: {}}\n"};
    assert_fails(load_texts(one_broken, 2, NULL, &catalog, &err), &err, "INVALID_CATALOG");
    assert_null(catalog);
}

/* Counts and sizes: the last that loads and the first that does not. */
static void attack_08_catalog_limits(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int most;
        const char *code;
    } rows[] = {{"tags", SN_CATALOG_MAX_TAGS, "limit"}, {"policy_arns", SN_CATALOG_MAX_POLICY_ARNS, "limit"},
        {"session policy", SN_CATALOG_MAX_SESSION_POLICY, "session-policy"}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        for (int extra = 0; extra <= 1; extra++) {
            struct sn_buf text = {0};
            struct sn_findings findings = {0};
            struct sn_catalog *catalog = NULL;
            struct sn_error err = {0};
            int count = rows[i].most + extra;
            sn_buf_add_str(&text, DOC(""));
            sn_buf_addf(&text, "    %s: %s", i == 2 ? "session_policy" : rows[i].what,
                i == 0   ? "{"
                : i == 1 ? "["
                         : "'");
            if (i == 2) {
                static const char head[] =
                    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\","
                    "\"Resource\":\"";
                sn_buf_addf(&text, "   %s", head); /* white space does not count */
                for (int k = (int)strlen(head); k < count - 4; k++) {
                    sn_buf_add_byte(&text, 'x');
                }
                sn_buf_add_str(&text, "\"}]}'\n");
            } else {
                for (int k = 0; k < count; k++) {
                    sn_buf_addf(&text, i == 0 ? "%st%d: a" : "%s\"arn:aws:iam::aws:policy/p%d\"", k > 0 ? ", " : "", k);
                }
                sn_buf_add_str(&text, i == 0 ? "}\n" : "]\n");
            }
            const char *texts[] = {sn_buf_str(&text)};
            print_message("# %s: %d\n", rows[i].what, count);
            enum sn_status status = load_texts(texts, 1, &findings, &catalog, &err);
            assert_int_equal(status, extra == 0 ? SN_OK : SN_INVALID);
            if (extra == 1) {
                assert_string_equal(findings.items[0].code, rows[i].code);
            }
            sn_catalog_unref(catalog);
            sn_findings_clear(&findings);
            sn_buf_clear(&text);
        }
    }
}

static void lints(void **state)
{
    (void)state;
    static const char *const texts[] = {DOC("    max_duration: 2h\n  again: {role_arn: \"" ROLE("Dev") "\"}\n")};
    struct sn_findings findings = {0};
    struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    assert_ok(load_texts(texts, 1, &findings, &catalog, &err), &err);
    assert_int_equal(findings.count, 2);
    assert_string_equal(findings.items[0].code, "long-session");
    assert_string_equal(findings.items[1].code, "shared-role");
    assert_int_equal(findings.items[1].severity, SN_SEVERITY_WARNING);
    assert_true(sn_slice_contains(findings.items[1].message, SN_S("'dev' and 'again'")));
    sn_catalog_unref(catalog);
    sn_findings_clear(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads),
        cmocka_unit_test(refusals),
        cmocka_unit_test(attack_08_name_given_twice),
        cmocka_unit_test(attack_08_catalog_limits),
        cmocka_unit_test(lints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
