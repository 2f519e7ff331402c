/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/policy_examples_test.c - every shipped example loads, names profiles that exist, and decides as told.
 */
#include "policy_fixture.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/fs.h"
#include "core/policy/catalog.h"
#include "core/policy/lint.h"

static struct sn_policy *load_file(const char *name)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", SN_EXAMPLES, name);
    assert_ok(sn_fs_read(path, 1 << 20, &text, &err), &err);
    assert_ok(sn_policy_load(sn_buf_slice(&text), host_zones(), NULL, &policy, &err), &err);
    return policy;
}

static void read_example(const char *name, struct sn_buf *out_text)
{
    struct sn_error err = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", SN_EXAMPLES, name);
    assert_ok(sn_fs_read(path, 1 << 20, out_text, &err), &err);
}

/* Documents of other kinds: nothing is odd about them, and each profile that they name is in the catalogue. */
static void check_ruleset(enum sn_document_kind kind, struct sn_slice text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf catalog_text = {0};
    struct sn_findings findings = {0};
    struct sn_ruleset *ruleset = NULL;
    struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    read_example("catalog.yaml", &catalog_text);
    struct sn_catalog_source source = {SN_S("catalog.yaml"), sn_buf_slice(&catalog_text)};
    assert_ok(sn_catalog_load(&source, 1, NULL, &catalog, &err), &err);
    assert_ok(sn_ruleset_load(kind, text, host_zones(), &findings, &ruleset, &err), &err);
    sn_ruleset_lint(ruleset, catalog, &findings);
    if (findings.count > 0) {
        print_error("%s: %.*s\n", findings.items[0].code, SN_PRI(findings.items[0].message));
    }
    assert_int_equal(findings.count, 0);
    sn_findings_clear(&findings);
    sn_ruleset_unref(ruleset);
    sn_catalog_unref(catalog);
}

static void all_examples_load(void **state)
{
    (void)state;
    int policies = 0, kinds[SN_DOCUMENT_KINDS] = {0};
    struct dirent *entry;
    DIR *dir = opendir(SN_EXAMPLES);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct sn_slice name = sn_slice_str(entry->d_name);
        if (sn_slice_has_suffix(name, SN_S(".yaml")) && !sn_slice_has_suffix(name, SN_S(".test.yaml")) &&
            !sn_slice_eq_str(name, "catalog.yaml")) {
            SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
            print_message("# %s\n", entry->d_name);
            read_example(entry->d_name, &text);
            struct sn_document_guess guess = sn_document_kind_guess(sn_buf_slice(&text));
            assert_false(guess.is_bootstrap || guess.is_blind);
            kinds[guess.kind]++;
            if (guess.kind == SN_DOCUMENT_POLICY) {
                sn_policy_unref(load_file(entry->d_name));
                policies++;
            } else {
                check_ruleset(guess.kind, sn_buf_slice(&text));
            }
        }
    }
    closedir(dir);
    assert_true(policies >= 5);
    assert_int_equal(kinds[SN_DOCUMENT_APPROVAL], 1);
    assert_int_equal(kinds[SN_DOCUMENT_BREAKGLASS], 1);
    assert_int_equal(kinds[SN_DOCUMENT_RATELIMIT], 1);
}

static void catalog_loads(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_findings findings = {0};
    struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    assert_ok(sn_fs_read(SN_EXAMPLES "/catalog.yaml", 1 << 20, &text, &err), &err);
    struct sn_catalog_source source = {SN_S("catalog.yaml"), sn_buf_slice(&text)};
    assert_ok(sn_catalog_load(&source, 1, &findings, &catalog, &err), &err);
    assert_int_equal(findings.count, 0);
    assert_int_equal(sn_catalog_count(catalog), 5);
    sn_catalog_unref(catalog);
    sn_findings_clear(&findings);
}

/* What the examples promise, each with the rule that decides. */
static void decisions(void **state)
{
    (void)state;
    static const struct sn_posture mac = {.mdm_enrolled = SN_TRUE,
        .mdm_compliant = SN_TRUE,
        .os_type = SN_S_INIT("darwin"),
        .os_version = SN_S_INIT("14.2")};
    static const struct {
        const char *file, *arn, *profile, *at;
        const struct sn_posture *posture;
        enum sn_effect effect;
        const char *rule;
    } rows[] = {
        {"small-team.yaml", ARN_SSO("alice"), "dev", "2026-01-26T03:00:00Z", NULL, SN_EFFECT_ALLOW, "everyone-dev"},
        {"small-team.yaml", ARN_SSO("bob"), "prod", "2026-01-26T03:00:00Z", NULL, SN_EFFECT_REQUIRE_APPROVAL,
            "prod-with-approval"},
        {"small-team.yaml", ARN_SSO("eve"), "dev", "2026-01-26T03:00:00Z", NULL, SN_EFFECT_DENY, ""},
        {"groups-and-hours.yaml", ARN_SSO("alice"), "prod", "2026-01-31T12:00:00Z", NULL, SN_EFFECT_DENY,
            "weekend-freeze"},
        {"groups-and-hours.yaml", ARN_SSO("alice"), "prod", "2026-01-30T12:00:00Z", NULL, SN_EFFECT_REQUIRE_APPROVAL,
            "prod-platform"},
        {"groups-and-hours.yaml", ARN_SSO("bob"), "staging", "2026-07-27T07:00:00Z", NULL, SN_EFFECT_ALLOW,
            "staging-office-hours"},
        {"groups-and-hours.yaml", ARN_SSO("bob"), "staging", "2026-07-27T18:00:00Z", NULL, SN_EFFECT_DENY, ""},
        {"groups-and-hours.yaml", ARN_SESSION("PlatformAutomation", "x"), "dev", "2026-07-27T18:00:00Z", NULL,
            SN_EFFECT_ALLOW, "dev-any-time"},
        {"regulated.yaml", ARN_SSO("rita"), "billing", "2026-01-26T03:00:00Z", &mac, SN_EFFECT_ALLOW,
            "billing-recorded"},
        {"regulated.yaml", ARN_SSO("rita"), "billing", "2026-01-26T03:00:00Z", NULL, SN_EFFECT_DENY,
            "billing-other-devices"},
        {"regulated.yaml", ARN_SESSION("AgentRunner", "rita"), "billing", "2026-01-26T03:00:00Z", &mac, SN_EFFECT_DENY,
            "no-agents-in-billing"},
        {"regulated.yaml", ARN_SSO("rita"), "dev", "2026-01-26T03:00:00Z", &mac, SN_EFFECT_DENY, "everything-else"},
        {"on-call.yaml", ARN_SSO("carol"), "prod", "2026-01-31T07:59:59Z", NULL, SN_EFFECT_ALLOW, "night-shift"},
        {"on-call.yaml", ARN_SSO("carol"), "prod", "2026-01-26T12:00:00Z", NULL, SN_EFFECT_REQUIRE_APPROVAL,
            "in-the-day-ask"},
        {"deny-all.yaml", ARN_SSO("alice"), "dev", "2026-01-26T12:00:00Z", NULL, SN_EFFECT_DENY, "closed"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_policy *policy = load_file(rows[i].file);
        struct sn_principal principal = caller(rows[i].arn);
        struct sn_decision decision;
        struct sn_policy_request request = {.principal = &principal,
            .own_account = OWN_ACCOUNT,
            .profile = sn_slice_str(rows[i].profile),
            .unix_s = instant(rows[i].at),
            .session_store = SN_S("sessions"),
            .posture = rows[i].posture};
        print_message("# %s: %s, %s\n", rows[i].file, rows[i].arn, rows[i].profile);
        sn_policy_evaluate(policy, &request, &decision);
        assert_int_equal(decision.effect, rows[i].effect);
        assert_slice_equal(decision.rule, rows[i].rule);
        sn_policy_unref(policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_examples_load),
        cmocka_unit_test(catalog_loads),
        cmocka_unit_test(decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
