/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/policy_trace_test.c - what explain tells the caller, and what it does not. */
#include "policy_fixture.h"

static const char text[] =
    "version: \"1\"\n"
    "groups: {secretgroup: [secretmember, \"role:SecretRole\"]}\n"
    "rules:\n"
    "- {name: other, effect: allow, conditions: {profiles: [other-profile], users: [alice]}}\n"
    "- {name: listed, effect: allow, conditions: {profiles: [prod], users: [secretname, 'group:secretgroup']}}\n"
    "- name: office\n  effect: allow\n  conditions:\n    profiles: [prod]\n"
    "    time: {days: [monday], hours: {start: 09:00, end: 17:00}, timezone: Europe/Berlin}\n"
    "- {name: cli, effect: allow, conditions: {profiles: [prod], mode: [cli, credential_process]}}\n"
    "- name: mac\n  effect: allow\n  conditions:\n    profiles: [prod]\n"
    "    device: {require_mdm: true, require_firewall: true, min_os_version: \"14.2\", allowed_os_types: [darwin]}\n"
    "- {name: rest, effect: deny, conditions: {}}\n"
    "- {name: behind, effect: allow, conditions: {profiles: [prod]}}\n";

static struct sn_trace trace_of(struct sn_policy *policy, const char *arn, int64_t unix_s,
    const struct sn_posture *posture, struct sn_decision *out_decision)
{
    struct sn_trace trace;
    struct sn_principal principal = caller(arn);
    struct sn_policy_request request = {.principal = &principal,
        .own_account = OWN_ACCOUNT,
        .profile = SN_S("prod"),
        .unix_s = unix_s,
        .session_store = SN_S("sessions"),
        .posture = posture};
    sn_policy_trace(policy, &request, out_decision, &trace);
    return trace;
}

/* POL-58: each rule with its first failing condition and what would mend it; nobody else is named. */
static void first_failing_condition(void **state)
{
    (void)state;
    struct sn_policy *policy = must_load(text);
    struct sn_decision decision;
    struct sn_posture posture = {.mdm_enrolled = SN_TRUE, .os_type = SN_S("darwin"), .os_version = SN_S("14.1")};
    /* Saturday before the clocks change: the window opens on Monday, by then in summer time. */
    struct sn_trace trace = trace_of(policy, ARN_SSO("alice"), instant("2026-03-28T10:00:00Z"), &posture, &decision);
    assert_slice_equal(decision.rule, "rest");
    assert_int_equal(trace.other_rules, 1);
    assert_int_equal(trace.count, 6);
    static const struct {
        int index;
        enum sn_trace_outcome outcome;
        const char *condition, *expected, *actual, *remedy;
    } rows[] = {
        {1, SN_TRACE_NOT_MATCHED, "users", "a caller that the rule lists", "you are not listed",
            "ask the owner of the policy to list you"},
        {2, SN_TRACE_NOT_MATCHED, "time", "monday, 09:00 to 17:00, Europe/Berlin",
            "saturday 2026-03-28 11:00 (Europe/Berlin)",
            "the window opens 2026-03-30T07:00:00Z, monday 2026-03-30 09:00 (Europe/Berlin)"},
        {3, SN_TRACE_NOT_MATCHED, "mode", "cli, credential_process", "server", ""},
        {4, SN_TRACE_NOT_MATCHED, "device", "the firewall on; version 14.2 or later",
            "the device, running darwin 14.1, does not meet this", "turn the firewall on; update the operating system"},
        {5, SN_TRACE_MATCHED, NULL, "", "", ""},
        {6, SN_TRACE_NOT_REACHED, NULL, "", "", ""},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_trace_step *step = &trace.steps[i];
        assert_int_equal(step->index, rows[i].index);
        assert_int_equal(step->outcome, rows[i].outcome);
        if (rows[i].condition == NULL) {
            assert_null(step->condition);
        } else {
            assert_string_equal(step->condition, rows[i].condition);
        }
        assert_string_equal(step->expected, rows[i].expected);
        assert_string_equal(step->actual, rows[i].actual);
        assert_string_equal(step->remedy, rows[i].remedy);
        assert_null(strstr(step->expected, "secret"));
        assert_null(strstr(step->actual, "secret"));
        assert_null(strstr(step->remedy, "secret"));
    }
    sn_trace_clear(&trace);
    sn_policy_unref(policy);
}

/* A caller whose name nobody vouches for is told so, and a device that nobody knows. */
static void reasons_of_the_caller(void **state)
{
    (void)state;
    struct sn_policy *policy = must_load(text);
    struct sn_decision decision;
    struct sn_trace trace =
        trace_of(policy, ARN_SESSION("Dev", "secretname"), instant("2026-03-28T10:00:00Z"), NULL, &decision);
    assert_non_null(strstr(trace.steps[0].actual, "not vouched"));
    assert_string_equal(trace.steps[3].actual, "no device posture is known");
    assert_slice_equal(decision.rule, "rest");
    sn_trace_clear(&trace);
    sn_policy_trace(NULL, NULL, &decision, &trace);
    assert_int_equal(trace.count, 0);
    assert_int_equal(decision.effect, SN_EFFECT_DENY);
    sn_trace_clear(&trace);
    sn_policy_unref(policy);
}

/* A window that the next change of clocks swallows opens a week later; the search ends after a year. */
static void openings(void **state)
{
    (void)state;
    struct sn_decision decision;
    struct sn_policy *gap = must_load(ONE_RULE("allow",
        "  conditions: {profiles: [prod], time: {days: [sunday], hours: {start: 02:00, end: 03:00}, timezone: "
        "Europe/Berlin}}\n"));
    struct sn_trace trace = trace_of(gap, ARN_SSO("alice"), instant("2026-03-28T10:00:00Z"), NULL, &decision);
    assert_string_equal(
        trace.steps[0].remedy, "the window opens 2026-04-05T00:00:00Z, sunday 2026-04-05 02:00 (Europe/Berlin)");
    sn_trace_clear(&trace);
    sn_policy_unref(gap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_failing_condition),
        cmocka_unit_test(reasons_of_the_caller),
        cmocka_unit_test(openings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
