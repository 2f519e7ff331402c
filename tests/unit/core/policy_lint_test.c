/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of core/policy/lint.c: what rules say about each other. Expectations follow from the definitions. */
#include "policy_fixture.h"

#include "core/policy/lint.h"

#define HEAD "version: \"1\"\n"
#define RULE(name, effect, conditions) "- name: " name "\n  effect: " effect "\n  conditions: {" conditions "}\n"
#define HOURS(days, from, to, zone)                                                                                    \
    "time: {days: [" days "], hours: {start: \"" from "\", end: \"" to "\"}, timezone: " zone "}"

/* The codes of the findings of lint alone, each with its rule, in the order of output. */
static void found(const char *text, const struct sn_catalog *catalog, struct sn_buf *out)
{
    struct sn_findings findings = {0};
    struct sn_policy *policy = must_load(text);
    sn_policy_lint(policy, catalog, &findings);
    sn_policy_lint_sort(&findings, 0);
    sn_buf_reset(out);
    for (size_t i = 0; i < findings.count; i++) {
        const struct sn_finding *finding = &findings.items[i];
        assert_int_equal(finding->severity, SN_SEVERITY_WARNING);
        assert_int_equal(sn_finding_phase(finding), SN_FINDING_LINT);
        assert_true(finding->line > 0 && finding->suggestion.len > 0);
        sn_buf_addf(out, "%s%s@%.*s", i > 0 ? " " : "", finding->code, SN_PRI(finding->path));
    }
    sn_findings_clear(&findings);
    sn_policy_unref(policy);
}

struct row {
    const char *name, *rules, *expected;
};

static void check(const struct row *rows, size_t count)
{
    SN_AUTO(sn_buf_clear) struct sn_buf got = {0};
    for (size_t i = 0; i < count; i++) {
        print_message("# %s\n", rows[i].name);
        found(rows[i].rules, NULL, &got);
        assert_string_equal(sn_buf_str(&got), rows[i].expected);
    }
}

/* POL-37: a grant before a denial, unless the denial is the wider one; and what an earlier rule covers. */
static void grants_before_denials(void **state)
{
    static const struct row rows[] = {
        {"same conditions",
            HEAD "rules:\n" RULE("a", "allow", "profiles: [prod]") RULE("b", "deny", "profiles: [prod]"),
            "allow-before-deny@rules[1] unreachable-rule@rules[1]"},
        {"exceptions, then deny the rest",
            HEAD "rules:\n" RULE("a", "allow", "profiles: [prod], users: [a]") RULE("b", "deny", "profiles: [prod]"),
            ""},
        {"the denial is narrower",
            HEAD "rules:\n" RULE("a", "allow", "profiles: [prod]") RULE("b", "deny", "profiles: [prod], users: [a]"),
            "allow-before-deny@rules[1] unreachable-rule@rules[1]"},
        {"they cross",
            HEAD "rules:\n" RULE("a", "allow", "profiles: [p, q], users: [a]") RULE("b", "deny", "profiles: [q, r]"),
            "allow-before-deny@rules[1]"},
        {"other profiles", HEAD "rules:\n" RULE("a", "allow", "profiles: [p]") RULE("b", "deny", "profiles: [q]"), ""},
        {"other people",
            HEAD "rules:\n" RULE("a", "allow", "profiles: [p], users: [a]")
                RULE("b", "deny", "profiles: [p], users: [b]"),
            ""},
        {"other modes",
            HEAD "rules:\n" RULE("a", "allow", "profiles: [p], mode: [server]")
                RULE("b", "deny", "profiles: [p], mode: [cli]"),
            ""},
        {"require_server grants",
            HEAD "rules:\n" RULE("a", "require_server", "profiles: [p, q], users: [a]")
                RULE("b", "deny", "profiles: [q, r]"),
            "allow-before-deny@rules[1]"},
        {"require_approval does not",
            HEAD "rules:\n" RULE("a", "require_approval", "profiles: [p, q], users: [a]")
                RULE("b", "deny", "profiles: [q, r]"),
            ""},
        {"a catch-all after all", HEAD "rules:\n" RULE("a", "allow", "profiles: [p]") RULE("b", "deny", ""), ""},
        {"behind a catch-all", HEAD "rules:\n" RULE("a", "deny", "") RULE("b", "allow", "profiles: [p]"),
            "unreachable-rule@rules[1]"},
    };
    (void)state;
    check(rows, SN_LEN(rows));
}

#define TWO(a, b) HEAD "rules:\n" RULE("a", "deny", "profiles: [p], " a) RULE("b", "deny", "profiles: [p], " b)
#define UNREACHABLE "unreachable-rule@rules[1]"

/* Which lists and requirements imply which: a rule is unreachable exactly when an earlier one covers it. */
static void coverage(void **state)
{
    static const struct row rows[] = {
        {"wider list", TWO("users: [a, b]", "users: [b]"), UNREACHABLE},
        {"narrower list", TWO("users: [b]", "users: [a, b]"), ""},
        {"nobody named", TWO("users: [b]", "mode: [server]"), ""},
        {"session of a role", TWO("users: [\"role:R\"]", "users: [\"arn:aws:sts::111122223333:assumed-role/R/x\"]"),
            UNREACHABLE},
        {"session of another role",
            TWO("users: [\"role:R\"]", "users: [\"arn:aws:sts::111122223333:assumed-role/Q/x\"]"), ""},
        {"Identity Center session of a name",
            TWO("users: [jane]", "users: [\"arn:aws:sts::444455556666:assumed-role/" SSO_ROLE "/jane\"]"), UNREACHABLE},
        {"a plain session of that name does not follow",
            TWO("users: [jane]", "users: [\"arn:aws:sts::111122223333:assumed-role/Dev/jane\"]"), ""},
        {"the account of a user may be another",
            TWO("users: [jane]", "users: [\"arn:aws:iam::111122223333:user/jane\"]"), ""},
        {"group expanded",
            HEAD "groups: {g: [a, b]}\nrules:\n" RULE("a", "deny", "profiles: [p], users: [\"group:g\"]")
                RULE("b", "deny", "profiles: [p], users: [a]"),
            UNREACHABLE},
        {"modes", TWO("mode: [server, cli]", "mode: [cli]"), UNREACHABLE},
        {"modes the other way", TWO("mode: [cli]", "mode: [server, cli]"), ""},
        {"device against none", TWO("device: {require_mdm: true}", "mode: [server]"), ""},
        {"compliance implies enrolment", TWO("device: {require_mdm: true}", "device: {require_mdm_compliant: true}"),
            UNREACHABLE},
        {"enrolment does not imply compliance",
            TWO("device: {require_mdm_compliant: true}", "device: {require_mdm: true}"), ""},
        {"a later version implies an earlier",
            TWO("device: {min_os_version: \"9.1\"}", "device: {min_os_version: \"10.0\"}"), UNREACHABLE},
        {"and not the other way", TWO("device: {min_os_version: \"10.0\"}", "device: {min_os_version: \"9.1\"}"), ""},
        {"fewer systems", TWO("device: {allowed_os_types: [darwin, linux]}", "device: {allowed_os_types: [Linux]}"),
            UNREACHABLE},
        {"any system", TWO("device: {allowed_os_types: [darwin]}", "device: {require_mdm: true}"), ""},
        {"an inner window", TWO(HOURS("monday", "09:00", "17:00", "UTC"), HOURS("monday", "10:00", "12:00", "UTC")),
            UNREACHABLE},
        {"overnight holds the next morning",
            TWO(HOURS("monday", "22:00", "06:00", "UTC"), HOURS("tuesday", "01:00", "06:00", "UTC")), UNREACHABLE},
        {"the same clock in another zone",
            TWO(HOURS("monday", "09:00", "17:00", "UTC"), HOURS("monday", "09:00", "17:00", "Europe/Berlin")), ""},
        {"covered in winter only",
            TWO(HOURS("monday", "09:00", "17:00", "UTC"), HOURS("monday", "10:00", "11:00", "Europe/Berlin")), ""},
        {"covered the year round",
            TWO(HOURS("monday", "08:00", "17:00", "UTC"), HOURS("monday", "10:00", "11:00", "Europe/Berlin")),
            UNREACHABLE},
        {"no window covers all", TWO("users: [a]", "users: [a], " HOURS("monday", "10:00", "11:00", "UTC")),
            UNREACHABLE},
    };
    (void)state;
    check(rows, SN_LEN(rows));
}

#define WINDOWS(a, b) HEAD "rules:\n" RULE("a", "deny", "profiles: [p], " a) RULE("b", "allow", "profiles: [p], " b)

/* POL-38: windows are compared by real instants, not by what the clocks show. */
static void windows(void **state)
{
    static const struct row rows[] = {
        {"same clock, five hours apart",
            WINDOWS(HOURS("monday", "09:00", "12:00", "Europe/London"),
                HOURS("monday", "09:00", "12:00", "America/New_York")),
            ""},
        {"other clocks, one instant",
            WINDOWS(HOURS("monday", "12:00", "15:00", "Europe/London"),
                HOURS("monday", "08:00", "11:00", "America/New_York")),
            "overlapping-time-windows@rules[1]"},
        {"they touch", WINDOWS(HOURS("monday", "09:00", "12:00", "UTC"), HOURS("monday", "12:00", "15:00", "UTC")), ""},
        {"one effect", TWO(HOURS("monday", "09:00", "12:00", "UTC"), HOURS("monday", "11:00", "15:00", "UTC")), ""},
        {"only one has a window", WINDOWS(HOURS("monday", "09:00", "12:00", "UTC"), "users: [a]"), ""},
    };
    (void)state;
    check(rows, SN_LEN(rows));
}

/* Overlap of entries of several kinds. */
static void overlapping_people(void **state)
{
#define PEOPLE(a, b)                                                                                                   \
    HEAD "rules:\n" RULE("a", "allow", "profiles: [p, q], users: [\"" a "\"]")                                         \
        RULE("b", "deny", "profiles: [q, r], users: [\"" b "\"]")
#define MEET "allow-before-deny@rules[1]"
    static const struct row rows[] = {
        {"a name and a role", PEOPLE("jane", "role:R"), MEET},
        {"a role and a name", PEOPLE("role:R", "jane"), MEET},
        {"two roles", PEOPLE("role:R", "role:Q"), ""},
        {"a session and its role", PEOPLE("arn:aws:sts::111122223333:assumed-role/R/x", "role:R"), MEET},
        {"a role and its session", PEOPLE("role:R", "arn:aws:sts::111122223333:assumed-role/R/x"), MEET},
        {"a session and another role", PEOPLE("arn:aws:sts::111122223333:assumed-role/R/x", "role:Q"), ""},
        {"a user and the name", PEOPLE("arn:aws:iam::111122223333:user/jane", "jane"), MEET},
        {"a session and the name", PEOPLE("arn:aws:sts::111122223333:assumed-role/R/jane", "jane"), MEET},
        {"a federated user and the name", PEOPLE("arn:aws:sts::111122223333:federated-user/jane", "jane"), ""},
        {"root", PEOPLE("arn:aws:iam::111122223333:root", "root"), ""},
    };
    (void)state;
    check(rows, SN_LEN(rows));
}

static void unknown_profiles(void **state)
{
    static const char catalog_text[] = HEAD "profiles:\n  prod: {role_arn: \"arn:aws:iam::111122223333:role/Prod\"}\n";
    SN_AUTO(sn_buf_clear) struct sn_buf got = {0};
    struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};
    struct sn_catalog_source source = {SN_S("catalog.yaml"), sn_slice_str(catalog_text)};
    static const char text[] =
        HEAD "rules:\n" RULE("b", "deny", "profiles: [dev]") RULE("a", "allow", "profiles: [prod, prdo]");
    (void)state;
    assert_ok(sn_catalog_load(&source, 1, NULL, &catalog, &err), &err);
    found(text, catalog, &got);
    assert_string_equal(sn_buf_str(&got), "unknown-profile@rules[0] unknown-profile@rules[1]");
    found(text, NULL, &got);
    assert_string_equal(sn_buf_str(&got), "");
    sn_catalog_unref(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_before_denials),
        cmocka_unit_test(coverage),
        cmocka_unit_test(windows),
        cmocka_unit_test(overlapping_people),
        cmocka_unit_test(unknown_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
