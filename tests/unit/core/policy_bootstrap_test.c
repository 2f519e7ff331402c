/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/policy_bootstrap_test.c - the configuration of a first set-up: every check with its place. */
#include "policy_fixture.h"

#include "core/policy/bootstrap.h"

#define ONE "profiles:\n- name: dev\n"

/* POL-47: a list of profiles is a set-up, and the fields of its profiles are those of the catalogue. */
static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *code;
        unsigned line, column;
        const char *path, *message;
    } rows[] = {
        {"no profiles", "policy_root: /a/b\n", "no-profiles", 1, 1, "profiles", "at least one profile"},
        {"empty list", "profiles: []\n", "no-profiles", 1, 11, "profiles", NULL},
        {"a mapping of profiles", "policy_root: /a\nprofiles: {dev: {}}\n", "wrong-kind", 2, 11, "profiles",
            "expected a list"},
        {"unknown key", ONE "root: /a\n", "unknown-field", 3, 1, "root", NULL},
        {"root without slash", "policy_root: policies\n" ONE, "policy-root", 1, 14, "policy_root",
            "'policies' does not begin with '/'"},
        {"root of nothing", "policy_root: /\n" ONE, "policy-root", 1, 14, NULL, "names no level"},
        {"root with a dot", "policy_root: /a.b\n" ONE, "policy-root", 1, 14, NULL, "other characters"},
        {"root with an empty level", "policy_root: /a//b\n" ONE, "policy-root", 1, 14, NULL, "empty level"},
        {"root of AWS", "policy_root: /AWSfoo/b\n" ONE, "policy-root", 1, 14, NULL, "AWS keeps for itself"},
        {"deep root", "policy_root: /a/b/c/d/e/f/g/h/i/j/k/l/m/n/o\n" ONE, "policy-root", 1, 14, NULL, "14 levels"},
        {"catalogue below the policies", "policy_root: /s\ncatalog_path: /s/catalog\n" ONE, "policy-root", 2, 15,
            "catalog_path", "one lies below the other"},
        {"policies below the catalogue", "policy_root: /sentinel/catalog/policies\n" ONE, "policy-root", 1, 14, NULL,
            "one lies below the other"},
        {"region", "region: europe\n" ONE, "region", 1, 9, "region", "'europe'"},
        {"no name", "profiles: [{description: x}]\n", "profile-name", 1, 12, "profiles[0].name", "''"},
        {"slash in a name", "profiles: [{name: a/b}]\n", "profile-name", 1, 19, NULL, "'a/b'"},
        {"dash before a name", "profiles: [{name: -a}]\n", "profile-name", 1, 19, NULL, NULL},
        {"name twice", "profiles: [{name: a}, {name: a}]\n", "duplicate-profile", 1, 30, "profiles[1].name", NULL},
        {"role", "profiles: [{name: a, role_arn: x}]\n", "role-arn", 1, 32, "profiles[0].role_arn", NULL},
        {"duration", "profiles: [{name: a, max_duration: 10m}]\n", "duration", 1, 36, "profiles[0].max_duration",
            "from 15m to 12h"},
        {"tag", "profiles: [{name: a, tags: {\"aws:x\": y}}]\n", "tags", 1, 29, NULL, NULL},
        {"parameter", "profiles: [{name: a, policy_parameter_name: \"a b\"}]\n", "parameter-name", 1, 45,
            "profiles[0].policy_parameter_name", "'a b'"},
        {"policy that is YAML only", "profiles: [{name: a, initial_policy: \"version: '1'\"}]\n", "initial-policy", 1,
            38, "profiles[0].initial_policy", "at least one rule"},
        {"null", "profiles:\n- name:\n", "null-value", 2, 8, NULL, NULL},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_findings findings = {0};
        const struct sn_finding *found = NULL;
        print_message("# %s\n", rows[i].name);
        sn_bootstrap_check(sn_slice_str(rows[i].text), host_zones(), &findings);
        assert_true(findings.errors > 0);
        for (size_t k = 0; k < findings.count && found == NULL; k++) {
            found = strcmp(findings.items[k].code, rows[i].code) == 0 ? &findings.items[k] : NULL;
        }
        if (found == NULL) {
            print_error("found '%s': %.*s\n", findings.items[0].code, SN_PRI(findings.items[0].message));
        }
        assert_non_null(found);
        assert_int_equal(found->line, rows[i].line);
        assert_int_equal(found->column, rows[i].column);
        if (rows[i].path != NULL) {
            assert_slice_equal(found->path, rows[i].path);
        }
        if (rows[i].message != NULL && !sn_slice_contains(found->message, sn_slice_str(rows[i].message))) {
            print_error("'%.*s' lacks '%s'\n", SN_PRI(found->message), rows[i].message);
            fail();
        }
        sn_findings_clear(&findings);
    }
}

static void valid(void **state)
{
    (void)state;
    static const char with_everything[] =
        "policy_root: /acme/policies/\ncatalog_path: /acme/catalog\nregion: eu-west-1\ngenerate_iam_policies: true\n"
        "profiles:\n- name: prod\n  role_arn: arn:aws:iam::111122223333:role/P\n  description: Production\n"
        "  region: eu-central-1\n  max_duration: 1h\n  external_id: x-1\n  tags: {team: a}\n"
        "  policy_parameter_name: /acme/policies/production\n  initial_policy: |\n    version: \"1\"\n    rules:\n"
        "      - {name: none, effect: deny, conditions: {}}\n";
    /* The partition of a role that is not named goes by the region. */
    static const char in_china[] =
        "region: cn-north-1\nprofiles: [{name: a, policy_arns: [\"arn:aws-cn:iam::aws:policy/ReadOnlyAccess\"]}]\n";
    static const char in_gov[] = "profiles: [{name: a, region: us-gov-west-1, policy_arns: "
                                 "[\"arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess\"]}]\n";
    static const char *const rows[] = {ONE, with_everything, in_china, in_gov};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_findings findings = {0};
        sn_bootstrap_check(sn_slice_str(rows[i]), host_zones(), &findings);
        if (findings.count > 0) {
            print_error("%s: %.*s\n", findings.items[0].code, SN_PRI(findings.items[0].message));
        }
        assert_int_equal(findings.count, 0);
        sn_findings_clear(&findings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults), cmocka_unit_test(valid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
