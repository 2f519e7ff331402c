/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/core/policy_rulesets_test.c - approval, break-glass and rate-limit policies: what their reader says, and
 * what they answer.
 */
#include "policy_fixture.h"

#include "core/policy/approval.h"
#include "core/policy/breakglass.h"
#include "core/policy/limits.h"
#include "core/policy/ratelimit.h"

#define HEAD "version: \"1\"\nrules:\n"
#define APPROVAL(rest) HEAD "- name: r\n  profiles: [dev]\n  " rest
#define APPROVERS "approvers: [ana, tom]\n"
#define BREAKGLASS(rest) HEAD "- name: r\n  profiles: [dev]\n  users: [ana]\n  " rest
#define RATELIMIT(rest) HEAD "- name: r\n  profiles: [dev]\n  " rest
#define PEOPLE "people:\n  mira: [mira, \"mira@example.com\", \"arn:aws:iam::444455556666:user/mira-admin\"]\n"

struct row {
    const char *name;
    enum sn_document_kind kind;
    const char *text;
    const char *code;
    unsigned line, column;
    const char *path;       /* NULL: not looked at */
    const char *message;    /* part of it */
    const char *suggestion; /* part of it; NULL: not looked at */
};

static const struct sn_finding *find(const struct sn_findings *findings, const char *code, enum sn_severity severity)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].severity == severity && strcmp(findings->items[i].code, code) == 0) {
            return &findings->items[i];
        }
    }
    return NULL;
}

static void expect_part(struct sn_slice text, const char *part)
{
    if (part != NULL && !sn_slice_contains(text, sn_slice_str(part))) {
        print_error("'%.*s' lacks '%s'\n", SN_PRI(text), part);
        fail();
    }
}

static void check_rows(const struct row *rows, size_t count, enum sn_severity severity)
{
    for (size_t i = 0; i < count; i++) {
        struct sn_findings findings = {0};
        struct sn_ruleset *ruleset = NULL;
        struct sn_error err = {0};
        print_message("# %s: %s\n", sn_document_kinds[rows[i].kind].word, rows[i].name);
        enum sn_status status =
            sn_ruleset_load(rows[i].kind, sn_slice_str(rows[i].text), host_zones(), &findings, &ruleset, &err);
        const struct sn_finding *found = find(&findings, rows[i].code, severity);
        if (found == NULL) {
            print_error("no finding '%s'; error: %s\n", rows[i].code, err.message);
        }
        assert_non_null(found);
        if (severity == SN_SEVERITY_ERROR) {
            assert_int_equal(status, SN_INVALID);
            assert_string_equal(err.code, "INVALID_POLICY");
            assert_null(ruleset);
        } else {
            assert_ok(status, &err);
        }
        assert_int_equal(found->line, rows[i].line);
        assert_int_equal(found->column, rows[i].column);
        if (rows[i].path != NULL) {
            assert_slice_equal(found->path, rows[i].path);
        }
        expect_part(found->message, rows[i].message);
        expect_part(found->suggestion, rows[i].suggestion);
        sn_ruleset_unref(ruleset);
        sn_findings_clear(&findings);
    }
}

/* POL-45, POL-59 and the constraints of the three schemas. */
static void errors(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"no rules", SN_DOCUMENT_APPROVAL, "version: \"1\"\nrules: []\n", "no-rules", 2, 8, "rules",
            "at least one rule", "nobody can approve"},
        {"no rules", SN_DOCUMENT_BREAKGLASS, "version: \"1\"\n", "no-rules", 1, 1, "rules", NULL, NULL},
        {"version", SN_DOCUMENT_RATELIMIT, "version: \"2\"\nrules: [{name: r, cooldown: 1h}]\n", "version", 1, 10,
            "version", "version '2'", NULL},
        {"no name", SN_DOCUMENT_RATELIMIT, HEAD "- {cooldown: 1h}\n", "rule-name", 3, 3, "rules[0].name",
            "rule 0 has no name", NULL},
        {"same name", SN_DOCUMENT_RATELIMIT, HEAD "- {name: r, cooldown: 1h}\n- {name: r, cooldown: 1h}\n",
            "duplicate-name", 4, 10, "rules[1].name", "rules 0 and 1", NULL},
        {"no approvers", SN_DOCUMENT_APPROVAL, HEAD "- {name: r}\n", "required", 3, 3, "rules[0].approvers",
            "rule 'r' has no approvers", "list at least one"},
        {"empty approvers", SN_DOCUMENT_APPROVAL, HEAD "- {name: r, approvers: []}\n", "required", 3, 24,
            "rules[0].approvers", "rule 'r' has no approvers", NULL},
        {"no users", SN_DOCUMENT_BREAKGLASS, HEAD "- {name: r}\n", "required", 3, 3, "rules[0].users",
            "rule 'r' has no users", NULL},
        {"glob", SN_DOCUMENT_APPROVAL, HEAD "- {name: r, approvers: [\"a*\"]}\n", "wildcard", 3, 25,
            "rules[0].approvers[0]", "wildcard", NULL},
        {"prefix", SN_DOCUMENT_BREAKGLASS, HEAD "- {name: r, users: [\"gruop:ops\"]}\n", "user-entry", 3, 21, NULL,
            "unknown prefix", "'group'"},
        {"unknown group", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\ngroups: {ops: [ana, tom]}\n"
            "rules: [{name: r, approvers: [\"group:opps\"]}]\n",
            "group", 3, 31, "rules[0].approvers[0]", "unknown group 'opps'", "group:ops"},
        {"groups that nest", SN_DOCUMENT_BREAKGLASS,
            "version: \"1\"\ngroups: {a: [x], b: [\"group:a\"]}\n"
            "rules: [{name: r, users: [\"group:a\", \"group:b\"]}]\n",
            "group", 2, 22, "groups.b[0]", "do not nest", NULL},
        {"profile", SN_DOCUMENT_RATELIMIT, HEAD "- {name: r, cooldown: 1h, profiles: [\"a b\"]}\n", "profile-entry", 3,
            38, "rules[0].profiles[0]", "not a profile name", NULL},
        {"no approvals", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  approvals_required: 0\n"), "count", 6, 23,
            "rules[0].approvals_required", "'0' of rule 'r' is not a number from 1 to 10", NULL},
        {"too many approvals", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  approvals_required: 11\n"), "count", 6, 23,
            NULL, "from 1 to 10", NULL},
        {"more approvals than persons", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  approvals_required: 3\n"),
            "approvals-required", 6, 23, "rules[0].approvals_required", "requires 3 persons and its approvers are 2",
            "list more"},
        {"persons joined by people", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\n" PEOPLE "rules:\n"
            "- {name: r, approvers: [mira, \"mira@example.com\", tom], approvals_required: 3}\n",
            "approvals-required", 5, 77, NULL, "approvers are 2", NULL},
        {"persons of groups, joined", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\n" PEOPLE "groups: {g: [\"mira@example.com\", tom]}\nrules:\n"
            "- {name: r, approvers: [mira, \"group:g\"], approvals_required: 3}\n",
            "approvals-required", 6, 63, NULL, "approvers are 2", NULL},
        {"one name in two places", SN_DOCUMENT_APPROVAL,
            HEAD "- {name: r, approvals_required: 2, approvers: [mira, "
                 "\"" ARN_SSO("mira") "\"]}\n",
            "approvals-required", 3, 33, NULL, "approvers are 1", NULL},
        {"auto_approve of nothing", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  auto_approve: {}\n"), "auto-approve", 6,
            17, "rules[0].auto_approve", "would approve every request", "users, time or max_duration"},
        {"auto_approve of nobody", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  auto_approve: {users: []}\n"),
            "auto-approve", 6, 17, NULL, NULL, NULL},
        {"auto_approve for no time", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  auto_approve: {max_duration: 0s}\n"),
            "auto-approve", 6, 17, NULL, NULL, NULL},
        {"auto_approve for too long", SN_DOCUMENT_APPROVAL,
            APPROVAL(APPROVERS "  auto_approve: {max_duration: 8h1s}\n"), "duration", 6, 32,
            "rules[0].auto_approve.max_duration", "'8h1s' of rule 'r' is not a duration from 0s to 8h", NULL},
        {"duration below zero", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("max_duration: -1h\n"), "duration", 6, 17, NULL,
            "from 0s to 4h", NULL},
        {"duration without unit", SN_DOCUMENT_RATELIMIT, RATELIMIT("cooldown: 90\n"), "duration", 5, 13, NULL,
            "from 0s to 720h", NULL},
        {"emergency for too long", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("max_duration: 241m\n"), "duration", 6, 17,
            "rules[0].max_duration", NULL, NULL},
        {"weekday", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("time: {days: [Mon]}\n"), "weekday", 6, 17,
            "rules[0].time.days[0]", "'Mon' in rule 'r' is not a weekday", "'monday'"},
        {"zone", SN_DOCUMENT_APPROVAL,
            APPROVAL(APPROVERS "  auto_approve: {time: {days: [monday], timezone: Mars/Base}}\n"), "timezone", 6, 51,
            "rules[0].auto_approve.time.timezone", "Mars/Base", NULL},
        {"empty window", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("time: {}\n"), "time", 6, 9, "rules[0].time", NULL, NULL},
        {"reason", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("allowed_reason_codes: [Incident]\n"), "reason-code", 6, 26,
            "rules[0].allowed_reason_codes[0]", "'Incident' in rule 'r' is not a reason code", "'incident'"},
        {"reason unlike all", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("allowed_reason_codes: [xyzzy]\n"), "reason-code", 6,
            26, NULL, NULL, "incident, maintenance, security, recovery, other"},
        {"method, though not required", SN_DOCUMENT_BREAKGLASS,
            BREAKGLASS("mfa: {required: false, methods: [email]}\n"), "mfa", 6, 36, "rules[0].mfa.methods[0]",
            "'email' in rule 'r' is not a method", "totp, sms"},
        {"limit of nothing", SN_DOCUMENT_RATELIMIT, RATELIMIT("escalation_threshold: 2\n  quota_window: 1h\n"),
            "no-limit", 3, 3, "rules[0]", "limits nothing", "cooldown"},
        {"limit of nothing in numbers", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_user: 0\n  cooldown: 0s\n"),
            "no-limit", 3, 3, NULL, NULL, NULL},
        {"number without a window", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_user: 3\n"), "quota-window", 3, 3,
            "rules[0].quota_window", "counts events", "quota_window: 24h"},
        {"threshold without a window", SN_DOCUMENT_RATELIMIT,
            RATELIMIT("cooldown: 1h\n  escalation_threshold: 2\n  quota_window: 0s\n"), "quota-window", 7, 17, NULL,
            NULL, NULL},
        {"too many events", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_profile: 501\n  quota_window: 1h\n"), "count", 5,
            20, NULL, "from 0 to 500", NULL},
        {"too long a window", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_user: 1\n  quota_window: 721h\n"), "duration",
            6, 17, NULL, "from 0s to 720h", NULL},
        {"people of nobody", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\npeople: {}\nrules: [{name: r, approvers: [a, b]}]\n", "people", 2, 9, "people",
            "people is empty", NULL},
        {"person without identity", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\npeople: {m: []}\nrules: [{name: r, approvers: [a, b]}]\n", "people", 2, 13, "people.m",
            "has 0 identities", NULL},
        {"person of groups", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\ngroups: {g: [a]}\npeople: {m: [\"group:g\"]}\nrules: [{name: r, approvers: [\"group:g\", "
            "b]}]\n",
            "group", 3, 14, "people.m[0]", "do not nest", NULL},
        {"identity of two", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\npeople: {m: [a], n: [b, a]}\nrules: [{name: r, approvers: [a, b]}]\n", "people", 2, 21,
            "people.n", "'a' stands under another person too", NULL},
        {"name of a person", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\npeople: {\"m x\": [a]}\nrules: [{name: r, approvers: [a, b]}]\n", "people", 2, 10, NULL,
            "not the name of a person", NULL},
    };
    check_rows(rows, SN_LEN(rows), SN_SEVERITY_ERROR);
}

/* POL-11, POL-12, POL-45: what has not the form of the kind. */
static void parse_errors(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"empty", SN_DOCUMENT_APPROVAL, "", "empty", 0, 0, NULL, "empty policy", NULL},
        {"unknown key", SN_DOCUMENT_APPROVAL, APPROVAL("approver: [ana]\n"), "unknown-field", 5, 3, "rules[0].approver",
            NULL, "'approvers'"},
        {"key of another kind", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("conditions: {}\n"), "unknown-field", 6, 3, NULL,
            "unknown field 'conditions'", "known here: name, profiles, users"},
        {"groups in a rate limit", SN_DOCUMENT_RATELIMIT, "version: \"1\"\ngroups: {g: [a]}\n", "unknown-field", 2, 1,
            "groups", NULL, "known here: version, rules"},
        {"people in a break-glass policy", SN_DOCUMENT_BREAKGLASS, "version: \"1\"\npeople: {m: [a]}\n",
            "unknown-field", 2, 1, "people", NULL, NULL},
        {"mis-cased key", SN_DOCUMENT_RATELIMIT, RATELIMIT("Cooldown: 1h\n"), "unknown-field", 5, 3, NULL, NULL,
            "'cooldown'"},
        {"duplicate key", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("users: [bo]\n"), "duplicate-key", 6, 3, NULL,
            "stands on line 5 already", NULL},
        {"yes is no boolean", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  single_use: yes\n"), "not-boolean", 6, 15,
            "rules[0].single_use", NULL, "true or false"},
        {"fraction", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  approvals_required: 1.5\n"), "not-number", 6, 23, NULL,
            "'1.5' is not a whole number", "decimal"},
        {"quoted number", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_user: \"3\"\n"), "not-number", 5, 17, NULL, NULL,
            NULL},
        {"octal", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_user: 010\n"), "not-number", 5, 17, NULL, NULL, NULL},
        {"negative", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_user: -1\n"), "not-number", 5, 17, NULL, NULL, NULL},
        {"list for a number", SN_DOCUMENT_RATELIMIT, RATELIMIT("max_per_user: [1]\n"), "wrong-kind", 5, 17, NULL,
            "expected text, found a list", NULL},
        {"null", SN_DOCUMENT_APPROVAL, APPROVAL("approvers:\n"), "null-value", 5, 13, "rules[0].approvers", NULL, NULL},
        {"missing version", SN_DOCUMENT_RATELIMIT, "rules: []\n", "missing-version", 1, 1, NULL, NULL, NULL},
    };
    check_rows(rows, SN_LEN(rows), SN_SEVERITY_ERROR);
}

/* POL-59 and the lint table. */
static void warnings(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"no profiles", SN_DOCUMENT_APPROVAL, HEAD "- {name: r, approvers: [a, b]}\n", "wildcard-profiles", 3, 3,
            "rules[0]", "rule 'r' (index 0) lets its approvers decide about every profile", NULL},
        {"no profiles", SN_DOCUMENT_BREAKGLASS, HEAD "- {name: r, users: [a]}\n", "wildcard-profiles", 3, 3, NULL,
            "opens to its users every profile", NULL},
        {"no profiles", SN_DOCUMENT_RATELIMIT, HEAD "- {name: r, cooldown: 1h}\n", "wildcard-profiles", 3, 3, NULL,
            "limits every profile", NULL},
        {"one approver", SN_DOCUMENT_APPROVAL, APPROVAL("approvers: [mira]\n"), "single-approver", 5, 14,
            "rules[0].approvers", "one person, whose own requests nobody can approve", NULL},
        {"one person with two identities", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\n" PEOPLE "rules:\n"
            "- {name: r, approvers: [mira, \"mira@example.com\"]}\n",
            "single-approver", 5, 24, NULL, NULL, NULL},
        {"one person in two groups", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\ngroups: {g: [mira], h: [mira]}\nrules:\n"
            "- {name: r, approvers: [\"group:g\", \"group:h\"]}\n",
            "single-approver", 4, 24, NULL, NULL, NULL},
        {"one role", SN_DOCUMENT_APPROVAL, APPROVAL("approvers: [\"role:Duty\"]\n"), "single-approver", 5, 14, NULL,
            "unless the server vouches", NULL},
        {"sessions of one role", SN_DOCUMENT_APPROVAL,
            APPROVAL("approvers: [\"" ARN_SESSION("Duty", "a") "\", \"" ARN_SESSION("Duty", "b") "\"]\n"),
            "single-approver", 5, 14, NULL, NULL, NULL},
        {"role among others", SN_DOCUMENT_APPROVAL, APPROVAL("approvers: [ana, tom, \"role:Duty\"]\n"),
            "indistinct-approvers", 5, 14, NULL, "count as one person", NULL},
        {"auto_approve for anybody", SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  auto_approve: {max_duration: 1h}\n"),
            "auto-approve-any-user", 6, 17, "rules[0].auto_approve", NULL, "name users"},
        {"auto_approve beside two persons", SN_DOCUMENT_APPROVAL,
            APPROVAL(APPROVERS "  approvals_required: 2\n  auto_approve: {users: [ana]}\n"), "auto-approve-alone", 7,
            17, NULL, "makes 2 persons unnecessary", NULL},
        {"behind a rule for every profile", SN_DOCUMENT_APPROVAL,
            HEAD "- {name: all, approvers: [a, b]}\n- {name: r, profiles: [dev], approvers: [a, b]}\n",
            "unreachable-rule", 4, 3, "rules[1]", "rule 'r' (index 1) never counts", NULL},
        {"profiles that others have", SN_DOCUMENT_BREAKGLASS,
            HEAD "- {name: q, profiles: [dev], users: [a]}\n- {name: s, profiles: [prod], users: [a]}\n"
                 "- {name: r, profiles: [prod, dev], users: [b]}\n",
            "unreachable-rule", 5, 3, "rules[2]", NULL, NULL},
        {"any reason", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("max_duration: 1h\n"), "any-reason-code", 3, 3, NULL,
            "takes every reason", "incident, maintenance"},
        {"no MFA", SN_DOCUMENT_BREAKGLASS, BREAKGLASS("allowed_reason_codes: [incident]\n"), "breakglass-without-mfa",
            3, 3, NULL, "no second factor", "required: true"},
        {"no MFA and other", SN_DOCUMENT_BREAKGLASS,
            BREAKGLASS("allowed_reason_codes: [other]\n  mfa: {required: false}\n"), "breakglass-without-mfa", 3, 3,
            NULL, "not even for the reason 'other'", NULL},
        {"short cooldown", SN_DOCUMENT_RATELIMIT, RATELIMIT("cooldown: 59s\n"), "short-cooldown", 5, 13,
            "rules[0].cooldown", "shorter than 1m", NULL},
        {"empty list", SN_DOCUMENT_RATELIMIT, HEAD "- {name: r, cooldown: 1h, profiles: []}\n", "empty-list", 3, 37,
            NULL, NULL, NULL},
        {"name that is none", SN_DOCUMENT_BREAKGLASS, HEAD "- {name: r, users: [\"a b\"]}\n", "user-never-matches", 3,
            21, NULL, NULL, NULL},
        {"unused group", SN_DOCUMENT_APPROVAL,
            "version: \"1\"\ngroups: {g: [a]}\nrules: [{name: r, approvers: [a, b]}]\n", "unused-group", 2, 10,
            "groups.g", NULL, NULL},
        {"entry twice", SN_DOCUMENT_APPROVAL, APPROVAL("approvers: [ana, tom, ana]\n"), "duplicate-entry", 5, 25, NULL,
            NULL, NULL},
        {"hours without zone", SN_DOCUMENT_BREAKGLASS,
            BREAKGLASS("time: {hours: {start: \"08:00\", end: \"18:00\"}}\n"), "no-timezone", 6, 17, NULL, NULL, NULL},
    };
    check_rows(rows, SN_LEN(rows), SN_SEVERITY_WARNING);
}

static struct sn_ruleset *must_load_ruleset(enum sn_document_kind kind, const char *text)
{
    struct sn_ruleset *ruleset = NULL;
    struct sn_error err = {0};
    assert_ok(sn_ruleset_load(kind, sn_slice_str(text), host_zones(), NULL, &ruleset, &err), &err);
    assert_int_equal(sn_ruleset_kind(ruleset), kind);
    return ruleset;
}

/* A document that nothing is odd about has no findings at all. */
static void clean_documents(void **state)
{
    (void)state;
    static const struct {
        enum sn_document_kind kind;
        const char *text;
    } rows[] = {
        {SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS "  approvals_required: 2\n  single_use: true\n")},
        {SN_DOCUMENT_APPROVAL, APPROVAL("approvers: [\"role:" SSO_ROLE "\"]\n  approvals_required: 3\n")},
        {SN_DOCUMENT_BREAKGLASS, BREAKGLASS("allowed_reason_codes: [incident]\n  mfa: {required: true}\n")},
        {SN_DOCUMENT_RATELIMIT, RATELIMIT("cooldown: 0s\n  max_per_user: 1\n  quota_window: 1h\n")},
        {SN_DOCUMENT_RATELIMIT, RATELIMIT("cooldown: 1m\n  max_per_user: 500\n  quota_window: 720h\n")},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_findings findings = {0};
        struct sn_ruleset *ruleset = NULL;
        struct sn_error err = {0};
        assert_ok(
            sn_ruleset_load(rows[i].kind, sn_slice_str(rows[i].text), host_zones(), &findings, &ruleset, &err), &err);
        if (findings.count > 0) {
            print_error("%s: %.*s\n", findings.items[0].code, SN_PRI(findings.items[0].message));
        }
        assert_int_equal(findings.count, 0);
        sn_ruleset_unref(ruleset);
        sn_findings_clear(&findings);
    }
}

/* The first rule that speaks of a profile is its rule, in every kind. */
static void rule_of_a_profile(void **state)
{
    (void)state;
    struct sn_ruleset *ruleset = must_load_ruleset(SN_DOCUMENT_RATELIMIT,
        HEAD "- {name: a, profiles: [dev, staging], cooldown: 1h}\n- {name: b, profiles: [prod, dev], cooldown: 2h}\n"
             "- {name: rest, cooldown: 3h}\n- {name: late, profiles: [late], cooldown: 4h}\n");
    static const struct {
        const char *profile, *rule;
    } rows[] = {{"dev", "a"}, {"staging", "a"}, {"prod", "b"}, {"late", "rest"}, {"other", "rest"}, {"Dev", "rest"}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_ratelimit_rule *rule = sn_ratelimit_rule_find(ruleset, sn_slice_str(rows[i].profile));
        print_message("# %s\n", rows[i].profile);
        assert_non_null(rule);
        assert_slice_equal(rule->head.name, rows[i].rule);
    }
    assert_int_equal(sn_ruleset_rule_count(ruleset), 4);
    struct sn_ruleset *again = sn_ruleset_ref(ruleset);
    sn_ruleset_unref(ruleset);
    assert_slice_equal(sn_ruleset_head(again, 3)->name, "late");
    sn_ruleset_unref(again);

    ruleset = must_load_ruleset(SN_DOCUMENT_APPROVAL, APPROVAL(APPROVERS));
    assert_null(sn_approver_rule_find(ruleset, SN_S("prod")));
    assert_null(sn_approver_rule_find(NULL, SN_S("dev")));
    assert_non_null(sn_approver_rule_find(ruleset, SN_S("dev")));
    sn_ruleset_unref(ruleset);
}

/* POL-59: who may approve, and who is one person. */
static void approvers(void **state)
{
    (void)state;
    static const char joined[] = "version: \"1\"\n" PEOPLE "groups: {duty: [tom, olaf]}\nrules:\n"
                                 "- name: ledger\n  profiles: [ledger]\n"
                                 "  approvers: [mira, \"mira@example.com\", \"group:duty\", \"role:Duty\"]\n"
                                 "  approvals_required: 2\n  single_use: true\n";
    struct sn_principal user_mira = caller(ARN_USER("mira")), mail_mira = caller(ARN_SSO("mira@example.com"));
    struct sn_principal admin_mira = caller("arn:aws:iam::444455556666:user/mira-admin");
    struct sn_principal tom = caller(ARN_SSO("tom")), eve = caller(ARN_SSO("eve"));
    struct sn_principal tom_elsewhere = caller("arn:aws:sts::444455556666:assumed-role/" SSO_ROLE "/tom");
    struct sn_principal duty_a = caller(ARN_SESSION("Duty", "tom")), duty_b = caller(ARN_SESSION("Duty", "olaf"));
    struct sn_ruleset *with = must_load_ruleset(SN_DOCUMENT_APPROVAL, joined);
    struct sn_ruleset *without = must_load_ruleset(
        SN_DOCUMENT_APPROVAL, HEAD "- {name: ledger, profiles: [ledger], approvers: [mira, \"mira@example.com\"]}\n");
    const struct sn_approver_rule *rule = sn_approver_rule_find(with, SN_S("ledger"));
    assert_int_equal(rule->approvals_required, 2);
    assert_true(rule->single_use);

    assert_true(sn_approval_same_person(with, &user_mira, &mail_mira, OWN_ACCOUNT));
    assert_true(sn_approval_same_person(with, &admin_mira, &mail_mira, OWN_ACCOUNT));
    assert_false(sn_approval_same_person(without, &user_mira, &mail_mira, OWN_ACCOUNT));
    assert_false(sn_approval_same_person(NULL, &user_mira, &mail_mira, OWN_ACCOUNT));
    assert_false(sn_approval_same_person(with, &tom, &user_mira, OWN_ACCOUNT));
    assert_true(sn_approval_same_person(with, &tom, &tom_elsewhere, OWN_ACCOUNT));
    assert_true(sn_approval_same_person(with, &duty_a, &duty_b, OWN_ACCOUNT));
    assert_false(sn_approval_same_person(with, &duty_a, &tom, OWN_ACCOUNT));

    assert_false(sn_approval_may_approve(with, rule, &mail_mira, &user_mira, OWN_ACCOUNT));
    assert_true(sn_approval_may_approve(with, rule, &tom, &user_mira, OWN_ACCOUNT));
    assert_true(sn_approval_may_approve(with, rule, &user_mira, &eve, OWN_ACCOUNT));
    assert_false(sn_approval_may_approve(with, rule, &eve, &user_mira, OWN_ACCOUNT));
    assert_false(sn_approval_may_approve(with, rule, &duty_b, &duty_a, OWN_ACCOUNT));
    assert_true(sn_approval_may_approve(with, rule, &duty_b, &eve, OWN_ACCOUNT));
    assert_false(sn_approval_may_approve(with, NULL, &tom, &eve, OWN_ACCOUNT));
    assert_true(sn_approval_may_approve(
        without, sn_approver_rule_find(without, SN_S("ledger")), &mail_mira, &user_mira, OWN_ACCOUNT));
    sn_ruleset_unref(with);
    sn_ruleset_unref(without);
}

static void automatic_approval(void **state)
{
    (void)state;
    struct sn_ruleset *ruleset = must_load_ruleset(SN_DOCUMENT_APPROVAL,
        HEAD "- name: r\n  profiles: [dev]\n  approvers: [ana, tom]\n  auto_approve:\n    users: [ana]\n"
             "    time: {days: [monday, friday], hours: {start: \"08:00\", end: \"18:00\"}, timezone: Europe/Oslo}\n"
             "    max_duration: 45m\n"
             "- {name: q, profiles: [prod], approvers: [ana, tom]}\n"
             "- {name: s, profiles: [any], approvers: [ana, tom], auto_approve: {max_duration: 1h}}\n");
    struct sn_principal ana = caller(ARN_SSO("ana")), tom = caller(ARN_SSO("tom"));
    static const struct {
        const char *name, *profile;
        bool is_tom;
        const char *at;
        int64_t duration_s;
        bool expected;
    } rows[] = {
        {"all holds", "dev", false, "2026-01-26T07:00:00Z", 2700, true},
        {"another requester", "dev", true, "2026-01-26T07:00:00Z", 2700, false},
        {"a minute early", "dev", false, "2026-01-26T06:59:59Z", 2700, false},
        {"another day", "dev", false, "2026-01-27T10:00:00Z", 2700, false},
        {"a second too long", "dev", false, "2026-01-26T07:00:00Z", 2701, false},
        {"a rule without it", "prod", false, "2026-01-26T07:00:00Z", 60, false},
        {"no rule", "other", false, "2026-01-26T07:00:00Z", 60, false},
        {"anybody at any time", "any", true, "2026-01-27T23:00:00Z", 3600, true},
        {"the cap alone", "any", true, "2026-01-27T23:00:00Z", 3601, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_approver_rule *rule = sn_approver_rule_find(ruleset, sn_slice_str(rows[i].profile));
        print_message("# %s\n", rows[i].name);
        assert_int_equal(sn_approval_is_automatic(ruleset, rule, rows[i].is_tom ? &tom : &ana, OWN_ACCOUNT,
                             instant(rows[i].at), rows[i].duration_s),
            rows[i].expected);
    }
    sn_ruleset_unref(ruleset);
}

static void emergency_access(void **state)
{
    (void)state;
    struct sn_ruleset *ruleset = must_load_ruleset(SN_DOCUMENT_BREAKGLASS,
        "version: \"1\"\ngroups: {duty: [ana, olaf]}\nrules:\n"
        "- name: prod\n  profiles: [prod]\n  users: [\"group:duty\"]\n  reviewers: [rita]\n"
        "  allowed_reason_codes: [incident, security]\n"
        "  time: {hours: {start: \"22:00\", end: \"06:00\"}, timezone: UTC}\n  max_duration: 1h\n"
        "  mfa: {required: true, methods: [totp]}\n"
        "- {name: dev, profiles: [dev], users: [ana]}\n");
    struct sn_principal ana = caller(ARN_SSO("ana")), eve = caller(ARN_SSO("eve")), rita = caller(ARN_SSO("rita"));
    static const struct {
        const char *name, *profile;
        bool is_eve;
        enum sn_reason_code reason;
        const char *at;
        int64_t duration_s;
        enum sn_breakglass_answer expected;
    } rows[] = {
        {"all holds", "prod", false, SN_REASON_SECURITY, "2026-01-26T22:00:00Z", 3600, SN_BREAKGLASS_ALLOWED},
        {"after midnight", "prod", false, SN_REASON_INCIDENT, "2026-01-26T05:59:59Z", 3600, SN_BREAKGLASS_ALLOWED},
        {"no rule", "other", false, SN_REASON_INCIDENT, "2026-01-26T22:00:00Z", 60, SN_BREAKGLASS_NO_RULE},
        {"not listed, before all else", "prod", true, SN_REASON_OTHER, "2026-01-26T12:00:00Z", 9999,
            SN_BREAKGLASS_NOT_LISTED},
        {"reason, before time", "prod", false, SN_REASON_OTHER, "2026-01-26T12:00:00Z", 9999, SN_BREAKGLASS_REASON},
        {"time, before duration", "prod", false, SN_REASON_INCIDENT, "2026-01-26T06:00:00Z", 9999, SN_BREAKGLASS_TIME},
        {"duration", "prod", false, SN_REASON_INCIDENT, "2026-01-26T22:00:00Z", 3601, SN_BREAKGLASS_DURATION},
        {"any reason, time and duration", "dev", false, SN_REASON_OTHER, "2026-01-26T12:00:00Z", 99999,
            SN_BREAKGLASS_ALLOWED},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct sn_breakglass_rule *rule = NULL;
        struct sn_breakglass_request request = {.principal = rows[i].is_eve ? &eve : &ana,
            .own_account = OWN_ACCOUNT,
            .profile = sn_slice_str(rows[i].profile),
            .reason = rows[i].reason,
            .unix_s = instant(rows[i].at),
            .duration_s = rows[i].duration_s};
        print_message("# %s\n", rows[i].name);
        assert_int_equal(sn_breakglass_ask(ruleset, &request, &rule), rows[i].expected);
        assert_int_equal(rule == NULL, rows[i].expected == SN_BREAKGLASS_NO_RULE);
        assert_int_equal(sn_breakglass_ask(NULL, &request, &rule), SN_BREAKGLASS_NO_RULE);
    }
    const struct sn_breakglass_rule *prod = sn_breakglass_rule_find(ruleset, SN_S("prod"));
    const struct sn_breakglass_rule *dev = sn_breakglass_rule_find(ruleset, SN_S("dev"));
    assert_true(sn_breakglass_takes_method(prod, SN_MFA_TOTP));
    assert_false(sn_breakglass_takes_method(prod, SN_MFA_SMS));
    assert_true(sn_breakglass_takes_method(dev, SN_MFA_SMS));
    assert_true(sn_breakglass_is_reviewer(ruleset, prod, &rita, OWN_ACCOUNT));
    assert_false(sn_breakglass_is_reviewer(ruleset, prod, &ana, OWN_ACCOUNT));
    assert_true(sn_breakglass_is_reviewer(ruleset, dev, &ana, OWN_ACCOUNT)); /* no list: every user */
    sn_ruleset_unref(ruleset);
}

static void limits_of_emergencies(void **state)
{
    (void)state;
    static const struct sn_ratelimit_rule rule = {.cooldown_s = 1800,
        .max_per_user = 3,
        .max_per_profile = 10,
        .quota_window_s = 86400,
        .escalation_threshold = 2};
    static const struct sn_ratelimit_rule threshold_alone = {
        .cooldown_s = 1, .quota_window_s = 60, .escalation_threshold = 1};
    static const struct {
        const char *name;
        const struct sn_ratelimit_rule *rule;
        struct sn_ratelimit_past past;
        struct sn_ratelimit_verdict expected;
    } rows[] = {
        {"the first time", &rule, {0}, {SN_RATELIMIT_ALLOWED, 0, false}},
        {"no rule", NULL, {true, 0, 99, 99, 0, 0}, {SN_RATELIMIT_ALLOWED, 0, false}},
        {"too soon", &rule, {true, 1799, 9, 99, 0, 0}, {SN_RATELIMIT_COOLDOWN, 1, false}},
        {"just late enough", &rule, {true, 1800, 1, 1, 1800, 1800}, {SN_RATELIMIT_ALLOWED, 0, false}},
        {"others are told", &rule, {true, 1800, 2, 2, 1800, 1800}, {SN_RATELIMIT_ALLOWED, 0, true}},
        {"the person's quota", &rule, {true, 1800, 3, 10, 4000, 5000}, {SN_RATELIMIT_USER_QUOTA, 82400, false}},
        {"the profile's quota", &rule, {false, 0, 2, 10, 4000, 5000}, {SN_RATELIMIT_PROFILE_QUOTA, 81400, false}},
        {"a threshold without a quota", &threshold_alone, {false, 0, 1, 0, 5, 0}, {SN_RATELIMIT_ALLOWED, 0, true}},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_ratelimit_verdict verdict = sn_ratelimit_judge(rows[i].rule, &rows[i].past);
        print_message("# %s\n", rows[i].name);
        assert_int_equal(verdict.answer, rows[i].expected.answer);
        assert_int_equal(verdict.retry_after_s, rows[i].expected.retry_after_s);
        assert_int_equal(verdict.escalate, rows[i].expected.escalate);
    }
}

/* POL-42: what a text is, by its fields. */
static void detection(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sn_document_kind kind;
        bool is_bootstrap, is_blind;
    } rows[] = {
        {"version: \"1\"\nrules: [{name: r, users: [a]}]\n", SN_DOCUMENT_BREAKGLASS, false, false},
        {"rules: [{name: r, users: [a]}, {name: s, effect: deny}]\n", SN_DOCUMENT_POLICY, false, false},
        {"rules: [{name: r}, {approvers: [], users: []}]\n", SN_DOCUMENT_APPROVAL, false, false},
        {"rules: [{users: [], quota_window: 1h}]\n", SN_DOCUMENT_RATELIMIT, false, false},
        {"rules: [{max_per_user: 1}]\n", SN_DOCUMENT_RATELIMIT, false, false},
        {"rules: [{max_per_profile: 1}]\n", SN_DOCUMENT_RATELIMIT, false, false},
        {"rules: [{escalation_threshold: 1}]\n", SN_DOCUMENT_RATELIMIT, false, false},
        {"rules: [{cooldown: 1h}]\n", SN_DOCUMENT_RATELIMIT, false, false},
        {"version: \"1\"\nprofiles: {dev: {}}\n", SN_DOCUMENT_CATALOG, false, false},
        {"profiles: [{name: dev}]\n", SN_DOCUMENT_POLICY, true, false},
        {"policy_root: /x\n", SN_DOCUMENT_POLICY, true, false},
        {"rules: [{name: r}]\npolicy_root: /x\n", SN_DOCUMENT_POLICY, true, false},
        {"rules: 3\n", SN_DOCUMENT_POLICY, false, true},
        {"rules: [3]\n", SN_DOCUMENT_POLICY, false, true},
        {"- a\n", SN_DOCUMENT_POLICY, false, false},
        {"a: &x b\n", SN_DOCUMENT_POLICY, false, false},
        {"", SN_DOCUMENT_POLICY, false, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s", rows[i].text);
        struct sn_document_guess guess = sn_document_kind_guess(sn_slice_str(rows[i].text));
        assert_int_equal(guess.kind, rows[i].kind);
        assert_int_equal(guess.is_bootstrap, rows[i].is_bootstrap);
        assert_int_equal(guess.is_blind, rows[i].is_blind);
    }
    for (size_t i = 0; i < SN_DOCUMENT_KINDS; i++) {
        enum sn_document_kind kind = SN_DOCUMENT_KINDS;
        assert_true(sn_document_kind_parse(sn_slice_str(sn_document_kinds[i].word), &kind));
        assert_int_equal(kind, i);
    }
    enum sn_document_kind kind = SN_DOCUMENT_KINDS;
    assert_false(sn_document_kind_parse(SN_S("Approval"), &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(parse_errors),
        cmocka_unit_test(warnings),
        cmocka_unit_test(clean_documents),
        cmocka_unit_test(rule_of_a_profile),
        cmocka_unit_test(approvers),
        cmocka_unit_test(automatic_approval),
        cmocka_unit_test(emergency_access),
        cmocka_unit_test(limits_of_emergencies),
        cmocka_unit_test(detection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
