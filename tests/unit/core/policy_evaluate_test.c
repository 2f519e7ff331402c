/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/policy_evaluate_test.c - decisions of the compiled evaluator, case by case. */
#include "policy_fixture.h"

#include "base/buf.h"
#include "core/policy/load_internal.h"

static const int64_t any_time = 1769418000; /* Mon 2026-01-26 09:00:00Z */

/* POL-01: the first rule that matches decides. */
static void first_match_wins(void **state)
{
    (void)state;
    struct sn_principal alice = caller(ARN_SSO("alice"));
    struct sn_policy *allow_first = must_load("version: \"1\"\nrules:\n"
                                              "- {name: a, effect: allow, conditions: {profiles: [dev]}}\n"
                                              "- {name: d, effect: deny, conditions: {profiles: [dev]}}\n");
    struct sn_policy *deny_first = must_load("version: \"1\"\nrules:\n"
                                             "- {name: d, effect: deny, conditions: {profiles: [dev]}, reason: no}\n"
                                             "- {name: a, effect: allow, conditions: {profiles: [dev]}}\n");
    struct sn_decision decision = decide(allow_first, &alice, "dev", any_time);
    assert_int_equal(decision.effect, SN_EFFECT_ALLOW);
    assert_int_equal(decision.rule_index, 0);
    assert_slice_equal(decision.rule, "a");
    assert_int_equal(decision.override, SN_OVERRIDE_NONE);
    decision = decide(deny_first, &alice, "dev", any_time);
    assert_int_equal(decision.effect, SN_EFFECT_DENY);
    assert_int_equal(decision.rule_index, 0);
    assert_slice_equal(decision.reason, "no");
    assert_int_equal(decision.override, SN_OVERRIDE_BREAKGLASS);
    sn_policy_unref(allow_first);
    sn_policy_unref(deny_first);
}

/* POL-02: nothing matched, no policy, no caller: default deny. */
static void default_deny(void **state)
{
    (void)state;
    struct sn_principal alice = caller(ARN_SSO("alice"));
    struct sn_policy *policy =
        must_load("version: \"1\"\nrules:\n- {name: a, effect: allow, conditions: {profiles: [dev]}}\n");
    struct sn_decision rows[] = {
        decide(policy, &alice, "prod", any_time),
        decide(policy, &alice, "", any_time),
        decide(policy, &alice, "Dev", any_time),
        decide(NULL, &alice, "dev", any_time),
        decide(policy, NULL, "dev", any_time),
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        assert_int_equal(rows[i].effect, SN_EFFECT_DENY);
        assert_int_equal(rows[i].rule_index, -1);
        assert_slice_equal(rows[i].rule, "");
        assert_slice_equal(rows[i].reason, "no matching rule");
        assert_int_equal(rows[i].override, SN_OVERRIDE_APPROVAL_OR_BREAKGLASS);
        assert_int_equal(rows[i].max_server_duration_s, 0);
    }
    struct sn_decision decision = {.effect = SN_EFFECT_ALLOW};
    sn_policy_evaluate(policy, NULL, &decision);
    assert_int_equal(decision.effect, SN_EFFECT_DENY);
    sn_policy_unref(policy);
}

/* POL-03, POL-43, POL-44, and the table of entries: who a list of users names. */
static void entries_of_users(void **state)
{
    (void)state;
    static const struct {
        const char *name, *entry, *arn;
        bool matches;
    } rows[] = {
        {"equal name", "admin", ARN_SSO("admin"), true},
        {"other case", "admin", ARN_SSO("Admin"), false},
        {"shorter", "admin", ARN_SSO("adm"), false},
        {"blank behind the entry", "'admin '", ARN_SSO("admin"), false},
        {"mail address", "jane.doe@corp.com", ARN_SSO("jane.doe@corp.com"), true},
        {"punctuation kept", "jane.doe@corp.com", ARN_USER("janedoecorpcom"), false},
        {"case kept", "jane.doe@corp.com", ARN_USER("Jane.Doe@corp.com"), false},
        {"own account's user", "alice", ARN_USER("alice"), true},
        {"own account's user with a path", "alice", ARN_USER("team/alice"), true},
        {"another account's user", "alice", "arn:aws:iam::999999999999:user/alice", false},
        {"another account's user by ARN", "arn:aws:iam::999999999999:user/alice",
            "arn:aws:iam::999999999999:user/alice", true},
        {"another account's Identity Center user", "alice", "arn:aws:sts::999999999999:assumed-role/" SSO_ROLE "/alice",
            true},
        {"session of a role that does not vouch", "alice", ARN_SESSION("Dev", "alice"), false},
        {"federated user", "alice", "arn:aws:sts::" OWN_ACCOUNT ":federated-user/alice", false},
        {"root by name", "root", "arn:aws:iam::" OWN_ACCOUNT ":root", false},
        {"root by ARN", "arn:aws:iam::" OWN_ACCOUNT ":root", "arn:aws:iam::" OWN_ACCOUNT ":root", true},
        {"role, any session", "role:Dev", ARN_SESSION("Dev", "whoever"), true},
        {"role, longer name", "role:Dev", ARN_SESSION("Dev2", "x"), false},
        {"role, user of that name", "role:Dev", ARN_USER("Dev"), false},
        {"name that is a role's", "Dev", ARN_SESSION("Dev", "x"), false},
        {"whole ARN", "arn:aws:sts::" OWN_ACCOUNT ":assumed-role/Dev/ci", ARN_SESSION("Dev", "ci"), true},
        {"whole ARN, other session", "arn:aws:sts::" OWN_ACCOUNT ":assumed-role/Dev/ci", ARN_SESSION("Dev", "ci2"),
            false},
        {"group", "group:team", ARN_SSO("alice"), true},
        {"group, role inside", "group:team", ARN_SESSION("Ops", "x"), true},
        {"group, not a member", "group:team", ARN_SSO("mallory"), false},
        {"name that is a group's", "group:team", ARN_SSO("team"), false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf text = {0};
        print_message("# %s\n", rows[i].name);
        sn_buf_addf(&text,
            "version: \"1\"\ngroups: {team: [alice, 'role:Ops']}\n"
            "rules:\n- {name: r, effect: allow, conditions: {users: [\"%s\"]}}\n",
            rows[i].entry[0] == '\'' ? "admin " : rows[i].entry);
        struct sn_policy *policy = must_load(sn_buf_str(&text));
        struct sn_principal principal = caller(rows[i].arn);
        struct sn_decision decision = decide(policy, &principal, "dev", any_time);
        assert_int_equal(decision.effect == SN_EFFECT_ALLOW, rows[i].matches);
        sn_policy_unref(policy);
        sn_buf_clear(&text);
    }
}

/* POL-43: a session of another role has a name only where the operator vouches for the role. */
static void vouching_roles(void **state)
{
    (void)state;
    static const struct sn_slice globs[] = {SN_S_INIT("De*")};
    struct sn_vouch_rules rules = {.role_globs = globs, .role_glob_count = 1};
    struct sn_policy *policy = must_load(ONE_RULE("allow", "  conditions: {users: [jane.doe@corp.com]}\n"));
    struct sn_principal principal = caller(ARN_SESSION("Dev", "jane.doe@corp.com"));
    assert_int_equal(decide(policy, &principal, "dev", any_time).effect, SN_EFFECT_DENY);
    sn_principal_vouch(&principal, &rules);
    assert_int_equal(decide(policy, &principal, "dev", any_time).effect, SN_EFFECT_ALLOW);
    principal = caller("arn:aws:sts::" OWN_ACCOUNT ":federated-user/jane.doe@corp.com");
    principal.vouched = true; /* whoever set this is wrong; the evaluator does not rely on it alone */
    assert_int_equal(decide(policy, &principal, "dev", any_time).effect, SN_EFFECT_DENY);
    sn_policy_unref(policy);
}

/* POL-52: durations in their forms. */
static void durations(void **state)
{
    (void)state;
    static const char *const equal[] = {"1h30m", "90m", "5400s", "1.5h"};
    static const char *const refused[] = {"90", "1d", "1500ms", "-1h", "0.5s", "1h 30m", "1e3s"};
    struct sn_principal alice = caller(ARN_SSO("alice"));
    struct sn_buf text = {0};
    for (size_t i = 0; i < SN_LEN(equal) + SN_LEN(refused); i++) {
        bool is_equal = i < SN_LEN(equal);
        struct sn_policy *policy = NULL;
        struct sn_error err = {0};
        sn_buf_reset(&text);
        sn_buf_addf(&text, ONE_RULE("allow", "  max_server_duration: \"%s\"\n  conditions: {profiles: [dev]}\n"),
            is_equal ? equal[i] : refused[i - SN_LEN(equal)]);
        enum sn_status status = sn_policy_load(sn_buf_slice(&text), NULL, NULL, &policy, &err);
        assert_int_equal(status, is_equal ? SN_OK : SN_INVALID);
        if (is_equal) {
            assert_int_equal(decide(policy, &alice, "dev", any_time).max_server_duration_s, 5400);
        }
        sn_policy_unref(policy);
    }
    sn_buf_clear(&text);
}

/* POL-04, POL-05, POL-06, POL-07 and the clock cases: which instants a window holds. */
static void attack_09_windows(void **state)
{
    (void)state;
    static const struct {
        const char *name, *time, *at;
        bool inside;
    } rows[] = {
        {"New York, winter, before", "hours: {start: 09:00, end: 17:00}, timezone: America/New_York",
            "2026-01-26T13:59:59.999Z", false},
        {"New York, winter, first", "hours: {start: 09:00, end: 17:00}, timezone: America/New_York",
            "2026-01-26T14:00:00Z", true},
        {"New York, winter, last", "hours: {start: 09:00, end: 17:00}, timezone: America/New_York",
            "2026-01-26T21:59:59Z", true},
        {"New York, winter, end", "hours: {start: 09:00, end: 17:00}, timezone: America/New_York",
            "2026-01-26T22:00:00Z", false},
        {"New York, summer", "hours: {start: 09:00, end: 17:00}, timezone: America/New_York", "2026-07-27T13:00:00Z",
            true},
        {"no zone is UTC", "hours: {start: 09:00, end: 17:00}", "2026-01-26T09:00:00Z", true},
        {"no zone is UTC, end", "hours: {start: 09:00, end: 17:00}", "2026-01-26T17:00:00Z", false},
        {"overnight, evening", "days: [friday], hours: {start: 22:00, end: 06:00}", "2026-01-30T22:00:00Z", true},
        {"overnight, morning", "days: [friday], hours: {start: 22:00, end: 06:00}", "2026-01-31T05:59:59Z", true},
        {"overnight, end", "days: [friday], hours: {start: 22:00, end: 06:00}", "2026-01-31T06:00:00Z", false},
        {"overnight, morning of its day", "days: [friday], hours: {start: 22:00, end: 06:00}", "2026-01-30T05:00:00Z",
            false},
        {"overnight, evening after", "days: [friday], hours: {start: 22:00, end: 06:00}", "2026-01-31T22:30:00Z",
            false},
        {"overnight from Sunday into Monday", "days: [sunday], hours: {start: 23:00, end: 01:00}",
            "2026-02-02T00:30:00Z", true},
        {"overnight, Monday without Sunday", "days: [monday], hours: {start: 23:00, end: 01:00}",
            "2026-02-02T00:30:00Z", false},
        {"spring gap, before", "hours: {start: 02:00, end: 03:00}, timezone: Europe/Berlin", "2026-03-29T00:59:59Z",
            false},
        {"spring gap, after", "hours: {start: 02:00, end: 03:00}, timezone: Europe/Berlin", "2026-03-29T01:00:00Z",
            false},
        {"autumn, first reading", "hours: {start: 02:00, end: 03:00}, timezone: Europe/Berlin", "2026-10-25T00:30:00Z",
            true},
        {"autumn, second reading", "hours: {start: 02:00, end: 03:00}, timezone: Europe/Berlin", "2026-10-25T01:30:00Z",
            true},
        {"autumn, over", "hours: {start: 02:00, end: 03:00}, timezone: Europe/Berlin", "2026-10-25T02:00:00Z", false},
        {"24:00 holds the last minute", "days: [monday], hours: {start: 23:59, end: 24:00}", "2026-01-26T23:59:59Z",
            true},
        {"24:00 ends at midnight", "days: [monday], hours: {start: 23:59, end: 24:00}", "2026-01-27T00:00:00Z", false},
        {"00:00 as end is overnight", "days: [monday], hours: {start: 23:00, end: 00:00}", "2026-01-26T23:30:00Z",
            true},
        {"00:00 as end holds no minute of the next day", "days: [monday], hours: {start: 23:00, end: 00:00}",
            "2026-01-27T00:00:00Z", false},
        {"leap day is a Thursday in 2024", "days: [thursday]", "2024-02-29T12:00:00Z", true},
        {"leap day is a Tuesday in 2028", "days: [tuesday]", "2028-02-29T12:00:00Z", true},
        {"the day after the leap day", "days: [tuesday]", "2028-03-01T00:00:00Z", false},
        {"no leap day in 2100", "days: [monday]", "2100-03-01T12:00:00Z", true},
        {"half-hour zone", "hours: {start: 05:30, end: 05:31}, timezone: Asia/Kolkata", "2026-01-26T00:00:30Z", true},
        {"zone ahead of the date line", "days: [tuesday], timezone: Pacific/Kiritimati", "2026-01-26T10:00:00Z", true},
        {"before 1970", "days: [wednesday]", "1969-12-31T23:59:59Z", true},
    };
    struct sn_principal alice = caller(ARN_SSO("alice"));
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf text = {0};
        print_message("# %s\n", rows[i].name);
        sn_buf_addf(
            &text, "version: \"1\"\nrules:\n- {name: r, effect: allow, conditions: {time: {%s}}}\n", rows[i].time);
        struct sn_policy *policy = must_load(sn_buf_str(&text));
        struct sn_decision decision = decide(policy, &alice, "dev", instant(rows[i].at));
        assert_int_equal(decision.effect == SN_EFFECT_ALLOW, rows[i].inside);
        sn_policy_unref(policy);
        sn_buf_clear(&text);
    }
}

/* POL-05: the host's own zone plays no part. */
static void attack_09_host_zone_is_ignored(void **state)
{
    (void)state;
    struct sn_principal alice = caller(ARN_SSO("alice"));
    struct sn_policy *policy = must_load("version: \"1\"\nrules:\n- {name: r, effect: allow, conditions: {time: "
                                         "{hours: {start: 09:00, end: 10:00}}}}\n");
    static const char *const zones[] = {"Asia/Tokyo", "America/New_York", "nonsense", ":/etc/localtime"};
    for (size_t i = 0; i < SN_LEN(zones); i++) {
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        assert_int_equal(decide(policy, &alice, "dev", instant("2026-01-26T09:30:00Z")).effect, SN_EFFECT_ALLOW);
        assert_int_equal(decide(policy, &alice, "dev", instant("2026-01-26T00:30:00Z")).effect, SN_EFFECT_DENY);
    }
    unsetenv("TZ");
    sn_policy_unref(policy);
}

/* A clock that steps back gives the answer of the instant it shows; nothing is remembered between calls. */
static void attack_09_clock_steps_back(void **state)
{
    (void)state;
    struct sn_principal alice = caller(ARN_SSO("alice"));
    struct sn_policy *policy = must_load("version: \"1\"\nrules:\n- {name: r, effect: allow, conditions: {time: "
                                         "{hours: {start: 09:00, end: 10:00}, timezone: Europe/Lisbon}}}\n");
    static const int64_t steps[] = {1769418000, 1769421600, 1769418000, 0, 1769418000, INT64_MIN / 2, INT64_MAX / 2};
    static const bool open[] = {true, false, true, false, true};
    for (size_t i = 0; i < SN_LEN(open); i++) {
        assert_int_equal(decide(policy, &alice, "dev", steps[i]).effect == SN_EFFECT_ALLOW, open[i]);
    }
    (void)decide(policy, &alice, "dev", steps[5]); /* defined, whatever it is */
    (void)decide(policy, &alice, "dev", steps[6]);
    sn_policy_unref(policy);
}

/* POL-21, POL-22: posture. */
static void devices(void **state)
{
    (void)state;
    static const struct sn_posture none, enrolled = {.mdm_enrolled = SN_TRUE},
                                         compliant_only = {.mdm_compliant = SN_TRUE},
                                         compliant = {.mdm_compliant = SN_TRUE, .mdm_enrolled = SN_TRUE},
                                         encrypted = {.disk_encrypted = SN_TRUE, .firewall_enabled = SN_FALSE};
    static const struct {
        const char *name, *device;
        const struct sn_posture *posture;
        const char *os_type, *os_version;
        bool matches;
    } rows[] = {
        {"no posture", "require_mdm: true", NULL, NULL, NULL, false},
        {"no posture, nothing demanded", "require_mdm: false", NULL, NULL, NULL, false},
        {"posture, nothing demanded", "require_mdm: false", &none, NULL, NULL, true},
        {"unknown enrolment", "require_mdm: true", &none, NULL, NULL, false},
        {"enrolled", "require_mdm: true", &enrolled, NULL, NULL, true},
        {"compliant, enrolment unknown", "require_mdm_compliant: true", &compliant_only, NULL, NULL, false},
        {"compliant and enrolled", "require_mdm_compliant: true", &compliant, NULL, NULL, true},
        {"encrypted", "require_encryption: true", &encrypted, NULL, NULL, true},
        {"firewall off", "require_firewall: true", &encrypted, NULL, NULL, false},
        {"one of two missing", "require_encryption: true, require_firewall: true", &encrypted, NULL, NULL, false},
        {"version equal with fewer parts", "min_os_version: 14.0.0", &none, NULL, "14", true},
        {"version lower", "min_os_version: 14.0.0", &none, NULL, "13.6.9", false},
        {"version unknown", "min_os_version: 14.0.0", &none, NULL, "", false},
        {"version with a word", "min_os_version: 14.0.0", &none, NULL, "14.2-beta", true},
        {"ten digits compare with nothing", "min_os_version: 14.0.0", &none, NULL, "1000000000", false},
        {"parts are numbers", "min_os_version: 14.9", &none, NULL, "14.10", true},
        {"system in another case", "allowed_os_types: [Darwin]", &none, "dArwin", NULL, true},
        {"another system", "allowed_os_types: [darwin, linux]", &none, "windows", NULL, false},
        {"system unknown", "allowed_os_types: [darwin]", &none, "", NULL, false},
    };
    struct sn_principal alice = caller(ARN_SSO("alice"));
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf text = {0};
        struct sn_decision decision;
        struct sn_posture posture = rows[i].posture != NULL ? *rows[i].posture : none;
        posture.os_type = sn_slice_str(rows[i].os_type);
        posture.os_version = sn_slice_str(rows[i].os_version);
        print_message("# %s\n", rows[i].name);
        sn_buf_addf(&text,
            "version: \"1\"\nrules:\n- {name: r, effect: allow, conditions: {profiles: [dev], device: {%s}}}\n"
            "- {name: rest, effect: require_approval, conditions: {}}\n",
            rows[i].device);
        struct sn_policy *policy = must_load(sn_buf_str(&text));
        struct sn_policy_request request = {.principal = &alice,
            .own_account = OWN_ACCOUNT,
            .profile = SN_S("dev"),
            .unix_s = any_time,
            .posture = rows[i].posture != NULL ? &posture : NULL};
        sn_policy_evaluate(policy, &request, &decision);
        assert_int_equal(decision.rule_index, rows[i].matches ? 0 : 1);
        sn_policy_unref(policy);
        sn_buf_clear(&text);
    }
}

/* ATK-12: each effect in each mode, with and without a session store; only an explicit allow allows. */
static void attack_12_effects(void **state)
{
    (void)state;
    static const struct {
        const char *effect;
        enum sn_mode mode;
        const char *store;
        enum sn_effect result;
        enum sn_override override;
        bool server, tracking;
    } rows[] = {
        {"allow", SN_MODE_CLI, "", SN_EFFECT_ALLOW, SN_OVERRIDE_NONE, false, false},
        {"deny", SN_MODE_SERVER, "s", SN_EFFECT_DENY, SN_OVERRIDE_BREAKGLASS, false, false},
        {"deny\n  break_glass: never", SN_MODE_SERVER, "s", SN_EFFECT_DENY, SN_OVERRIDE_NONE, false, false},
        {"require_approval", SN_MODE_SERVER, "s", SN_EFFECT_REQUIRE_APPROVAL, SN_OVERRIDE_APPROVAL_OR_BREAKGLASS, false,
            false},
        {"require_server", SN_MODE_SERVER, "", SN_EFFECT_ALLOW, SN_OVERRIDE_NONE, false, false},
        {"require_server", SN_MODE_CLI, "s", SN_EFFECT_DENY, SN_OVERRIDE_NONE, true, false},
        {"require_server", SN_MODE_CREDENTIAL_PROCESS, "s", SN_EFFECT_DENY, SN_OVERRIDE_NONE, true, false},
        {"require_server_session", SN_MODE_SERVER, "s", SN_EFFECT_ALLOW, SN_OVERRIDE_NONE, false, false},
        {"require_server_session", SN_MODE_SERVER, "", SN_EFFECT_DENY, SN_OVERRIDE_NONE, false, true},
        {"require_server_session", SN_MODE_CLI, "s", SN_EFFECT_DENY, SN_OVERRIDE_NONE, true, true},
        {"require_server_session", SN_MODE_CLI, "", SN_EFFECT_DENY, SN_OVERRIDE_NONE, true, true},
    };
    struct sn_principal alice = caller(ARN_SSO("alice"));
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf text = {0};
        struct sn_decision decision;
        print_message("# %s, mode %d, store '%s'\n", rows[i].effect, (int)rows[i].mode, rows[i].store);
        sn_buf_addf(&text, "version: \"1\"\nrules:\n- name: r\n  effect: %s\n  conditions: {profiles: [dev]}\n",
            rows[i].effect);
        struct sn_policy *policy = must_load(sn_buf_str(&text));
        struct sn_policy_request request = {.principal = &alice,
            .own_account = OWN_ACCOUNT,
            .profile = SN_S("dev"),
            .unix_s = any_time,
            .mode = rows[i].mode,
            .session_store = sn_slice_str(rows[i].store)};
        sn_policy_evaluate(policy, &request, &decision);
        assert_int_equal(decision.effect, rows[i].result);
        assert_int_equal(decision.override, rows[i].override);
        assert_int_equal(decision.requires_server_mode, rows[i].server);
        assert_int_equal(decision.requires_session_tracking, rows[i].tracking);
        request.mode = (enum sn_mode)7; /* a mode that nobody knows */
        sn_policy_evaluate(policy, &request, &decision);
        assert_int_equal(decision.effect, SN_EFFECT_DENY);
        assert_int_equal(decision.rule_index, -1);
        sn_policy_unref(policy);
        sn_buf_clear(&text);
    }
}

/* POL-23 as far as the policy goes, and the session table of a rule. */
static void caps_and_tables(void **state)
{
    (void)state;
    struct sn_principal alice = caller(ARN_SSO("alice"));
    struct sn_policy *policy = must_load(ONE_RULE("require_server_session",
        "  max_server_duration: 30m\n  session_table: table-1\n  conditions: {profiles: [dev]}\n"));
    struct sn_policy_request request = {.principal = &alice,
        .own_account = OWN_ACCOUNT,
        .profile = SN_S("dev"),
        .session_store = SN_S("default-table")};
    struct sn_decision decision;
    sn_policy_evaluate(policy, &request, &decision);
    assert_int_equal(decision.max_server_duration_s, 1800);
    assert_slice_equal(decision.session_table, "default-table");
    assert_true(decision.is_require_server_session);
    request.session_table_of_rule = true;
    request.session_store = SN_S("");
    sn_policy_evaluate(policy, &request, &decision);
    assert_int_equal(decision.effect, SN_EFFECT_ALLOW);
    assert_slice_equal(decision.session_table, "table-1");
    sn_policy_unref(policy);
}

/* Rules far apart, across blocks of the index, and a caller in many groups. */
static void many_rules_and_groups(void **state)
{
    (void)state;
    struct sn_buf text = {0};
    sn_buf_add_str(&text, "version: \"1\"\ngroups:\n");
    for (int i = 0; i < 200; i++) {
        sn_buf_addf(&text, "  g%d: [alice, u%d]\n", i, i);
    }
    sn_buf_add_str(&text, "rules:\n");
    for (int i = 0; i < 1000; i++) {
        sn_buf_addf(&text, "- {name: r%d, effect: allow, conditions: {profiles: [p%d], users: ['group:g%d']}}\n", i, i,
            i % 200);
    }
    sn_buf_add_str(&text, "- {name: rest, effect: deny, conditions: {}}\n");
    struct sn_policy *policy = must_load(sn_buf_str(&text));
    struct sn_principal alice = caller(ARN_SSO("alice")), other = caller(ARN_SSO("u7"));
    char profile[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(profile, sizeof(profile), "p%d", i);
        assert_int_equal(decide(policy, &alice, profile, any_time).rule_index, i);
        assert_int_equal(decide(policy, &other, profile, any_time).rule_index, i % 200 == 7 ? i : 1000);
    }
    sn_policy_unref(policy);
    sn_buf_clear(&text);
}

/* Every name in another pair of large groups: the sets are too many to merge, and are joined one by one. */
static void attack_08_names_in_many_pairs_of_groups(void **state)
{
    (void)state;
    enum { GROUPS = 200, RULES = 10000 };
    static const struct sn_yaml_limits limits = {.max_bytes = 4 << 20, .max_depth = 16, .max_nodes = 1 << 20};
    struct sn_buf text = {0};
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    sn_buf_add_str(&text, "version: \"1\"\ngroups:\n");
    for (int g = 0; g < GROUPS; g++) {
        sn_buf_addf(&text, "  g%d: [x", g);
        for (int other = 0; other < GROUPS; other++) {
            if (other != g) {
                sn_buf_addf(&text, ", %d-%d", g < other ? g : other, g < other ? other : g);
            }
        }
        sn_buf_add_str(&text, "]\n");
    }
    sn_buf_add_str(&text, "rules:\n");
    for (int i = 0; i < RULES; i++) {
        sn_buf_addf(&text, "- {name: r%d, effect: allow, conditions: {profiles: [p%d], users: ['group:g%d']}}\n", i,
            i / GROUPS, i % GROUPS);
    }
    assert_ok(sn_policy_load_within(sn_buf_slice(&text), &limits, NULL, NULL, &policy, &err), &err);
    static const int pairs[][2] = {{0, 1}, {0, 199}, {17, 42}, {150, 151}, {198, 199}};
    bool has_many = false;
    for (size_t i = 0; i < SN_LEN(pairs); i++) {
        char arn[160], profile[16];
        snprintf(arn, sizeof(arn), "%s%d-%d", ARN_SSO(""), pairs[i][0], pairs[i][1]);
        struct sn_principal principal = caller(arn);
        for (int k = 0; k < RULES / GROUPS; k++) {
            struct sn_policy_ids ids;
            snprintf(profile, sizeof(profile), "p%d", k);
            struct sn_policy_request request = {
                .principal = &principal, .own_account = OWN_ACCOUNT, .profile = sn_slice_str(profile)};
            sn_policy_intern(policy, &request, &ids);
            has_many |= ids.has_many;
            assert_int_equal(decide(policy, &principal, profile, any_time).rule_index, k * GROUPS + pairs[i][0]);
        }
        assert_int_equal(decide(policy, &principal, "other", any_time).rule_index, -1);
    }
    assert_true(has_many); /* or this test shows nothing */
    sn_policy_unref(policy);
    sn_buf_clear(&text);
}

/* Many closed windows of one profile in several zones: tested side by side, and the one open among them is found. */
static void many_windows(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Berlin", "Asia/Tokyo", "UTC"};
    struct sn_principal alice = caller(ARN_SSO("alice"));
    for (int open = 0; open < 150; open += 7) {
        struct sn_buf text = {0};
        sn_buf_add_str(&text, "version: \"1\"\nrules:\n");
        for (int i = 0; i < 150; i++) { /* Monday 2026-01-26 09:00Z is 10:00 in Berlin, 18:00 in Tokyo */
            static const char *const now[] = {"10:00", "18:00", "09:00"}, *const next[] = {"10:01", "18:01", "09:01"};
            static const char *const other[] = {"10:01", "17:59", "09:01"}, *const end[] = {"10:00", "18:00", "09:00"};
            sn_buf_addf(&text,
                "- {name: r%d, effect: allow, conditions: {profiles: [dev], time: {days: [%s], hours: {start: \"%s\", "
                "end: \"%s\"}, timezone: %s}}}\n",
                i, i == open || i % 2 == 0 ? "monday" : "tuesday", i == open ? now[i % 3] : other[i % 3],
                i == open ? next[i % 3] : end[i % 3], zones[i % 3]);
        }
        struct sn_policy *policy = must_load(sn_buf_str(&text));
        assert_int_equal(decide(policy, &alice, "dev", any_time).rule_index, open);
        assert_int_equal(decide(policy, &alice, "dev", any_time + 86400 * 3).rule_index, -1);
        sn_policy_unref(policy);
        sn_buf_clear(&text);
    }
}

/* POL-60: which profiles show, which are answered like unknown ones. */
static void visible_and_hidden(void **state)
{
    (void)state;
    struct sn_policy *policy = must_load("version: \"1\"\ngroups: {ops: [olga]}\nrules:\n"
                                         "- {name: a, effect: deny, conditions: {profiles: [prod], users: [eve]}}\n"
                                         "- {name: b, effect: allow, conditions: {profiles: [dev], users: [eve]}}\n"
                                         "- name: c\n  effect: require_approval\n  conditions:\n"
                                         "    profiles: [staging]\n    users: ['group:ops']\n"
                                         "    time: {days: [monday]}\n"
                                         "- {name: d, effect: deny, conditions: {}}\n");
    static const struct {
        const char *arn, *profile;
        bool visible, hidden;
        enum sn_effect access;
    } rows[] = {
        {ARN_SSO("eve"), "prod", false, false, SN_EFFECT_DENY},
        {ARN_SSO("eve"), "dev", true, false, SN_EFFECT_ALLOW},
        {ARN_SSO("eve"), "staging", false, true, SN_EFFECT_DENY},
        {ARN_SSO("eve"), "no-such", false, true, SN_EFFECT_DENY},
        {ARN_SSO("olga"), "staging", true, false, SN_EFFECT_REQUIRE_APPROVAL},
        {ARN_SSO("olga"), "dev", false, true, SN_EFFECT_DENY},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_principal principal = caller(rows[i].arn);
        struct sn_policy_request request = {.principal = &principal,
            .own_account = OWN_ACCOUNT,
            .profile = sn_slice_str(rows[i].profile),
            .unix_s = instant("2026-01-27T12:00:00Z")}; /* a Tuesday: time is left aside */
        enum sn_effect access = SN_EFFECT_DENY;
        print_message("# %s %s\n", rows[i].arn, rows[i].profile);
        assert_int_equal(sn_policy_profile_is_visible(policy, &request, &access), rows[i].visible);
        assert_int_equal(access, rows[i].access);
        assert_int_equal(sn_policy_profile_is_hidden(policy, &request), rows[i].hidden);
    }
    struct sn_policy_request nobody = {.profile = SN_S("dev")};
    enum sn_effect access;
    assert_false(sn_policy_profile_is_visible(policy, &nobody, &access));
    assert_true(sn_policy_profile_is_hidden(NULL, &nobody));
    sn_policy_unref(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_match_wins),
        cmocka_unit_test(default_deny),
        cmocka_unit_test(entries_of_users),
        cmocka_unit_test(vouching_roles),
        cmocka_unit_test(durations),
        cmocka_unit_test(attack_09_windows),
        cmocka_unit_test(attack_09_host_zone_is_ignored),
        cmocka_unit_test(attack_09_clock_steps_back),
        cmocka_unit_test(devices),
        cmocka_unit_test(attack_12_effects),
        cmocka_unit_test(caps_and_tables),
        cmocka_unit_test(many_rules_and_groups),
        cmocka_unit_test(attack_08_names_in_many_pairs_of_groups),
        cmocka_unit_test(many_windows),
        cmocka_unit_test(visible_and_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
