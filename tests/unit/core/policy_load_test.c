/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/policy_load_test.c - what the reader and validator of access policies say, with place and mend. */
#include "policy_fixture.h"

#include "base/alloc.h"
#include "core/policy/limits.h"

#define HEAD "version: \"1\"\nrules:\n"
#define RULE(rest) HEAD "- name: r\n  effect: allow\n  conditions:\n    profiles: [dev]\n" rest
#define COND(rest) HEAD "- name: r\n  effect: allow\n  conditions:\n    profiles: [dev]\n    " rest "\n"

struct row {
    const char *name, *text;
    const char *code;
    unsigned line, column;
    const char *path;       /* NULL: not looked at */
    const char *message;    /* part of it */
    const char *suggestion; /* part of it; NULL: not looked at */
};

static void check_rows(const struct row *rows, size_t count, enum sn_severity severity)
{
    for (size_t i = 0; i < count; i++) {
        struct sn_findings findings = {0};
        struct sn_policy *policy = NULL;
        struct sn_error err = {0};
        const struct sn_finding *found = NULL;
        print_message("# %s\n", rows[i].name);
        enum sn_status status = sn_policy_load(sn_slice_str(rows[i].text), host_zones(), &findings, &policy, &err);
        for (size_t k = 0; k < findings.count; k++) {
            const struct sn_finding *f = &findings.items[k];
            if (found == NULL && f->severity == severity && strcmp(f->code, rows[i].code) == 0) {
                found = f;
            }
        }
        if (found == NULL) {
            print_error("no finding '%s'; error: %s\n", rows[i].code, err.message);
        }
        assert_non_null(found);
        if (severity == SN_SEVERITY_ERROR) {
            assert_int_equal(status, SN_INVALID);
            assert_string_equal(err.code, "INVALID_POLICY");
            assert_null(policy);
        } else {
            assert_int_equal(status, SN_OK);
        }
        assert_int_equal(found->line, rows[i].line);
        assert_int_equal(found->column, rows[i].column);
        if (rows[i].path != NULL) {
            assert_slice_equal(found->path, rows[i].path);
        }
        if (!sn_slice_contains(found->message, sn_slice_str(rows[i].message))) {
            print_error("message '%.*s' lacks '%s'\n", SN_PRI(found->message), rows[i].message);
            fail();
        }
        if (rows[i].suggestion != NULL && !sn_slice_contains(found->suggestion, sn_slice_str(rows[i].suggestion))) {
            print_error("suggestion '%.*s' lacks '%s'\n", SN_PRI(found->suggestion), rows[i].suggestion);
            fail();
        }
        sn_policy_unref(policy);
        sn_findings_clear(&findings);
    }
}

/* POL-11, POL-12, POL-13 and the table of refusals: documents of another form do not load. */
static void attack_08_parse_errors(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"empty", "", "empty", 0, 0, NULL, "empty policy", NULL},
        {"comments only", "# nothing\n\n", "empty", 0, 0, NULL, "empty policy", NULL},
        {"unknown key", HEAD "- name: r\n  effect: allow\n  conditions:\n    user: [bob]\n", "unknown-field", 6, 5,
            "rules[0].conditions.user", "unknown field 'user'", "did you mean 'users'?"},
        {"unknown key without a neighbour", HEAD "- {name: r, colour: red}\n", "unknown-field", 3, 13,
            "rules[0].colour", "unknown field 'colour'", "known here: name, effect"},
        {"mis-cased key", HEAD "- {name: r, Effect: allow, conditions: {}}\n", "unknown-field", 3, 13, NULL,
            "unknown field 'Effect'", "'effect'"},
        {"duplicate key", HEAD "- name: r\n  effect: allow\n  effect: deny\n  conditions: {}\n", "duplicate-key", 5, 3,
            NULL, "stands on line 4 already", NULL},
        {"anchor", "version: &v \"1\"\nrules: []\n", "forbidden-yaml", 1, 10, NULL, "anchor", NULL},
        {"alias", "version: \"1\"\nrules: *x\n", "forbidden-yaml", 2, 8, NULL, "", NULL},
        {"merge key", "version: \"1\"\n<<: {rules: []}\n", "forbidden-yaml", 2, 1, NULL, "", NULL},
        {"tag", "version: !!str 1\nrules: []\n", "forbidden-yaml", 1, 10, NULL, "", NULL},
        {"second document", "version: \"1\"\nrules: []\n---\nversion: \"1\"\n", "forbidden-yaml", 3, 1, NULL, "", NULL},
        {"tab", "version: \"1\"\nrules:\n\t- name: r\n", "syntax", 3, 1, NULL, "", NULL},
        {"list at the top", "- 1\n", "wrong-kind", 1, 1, NULL, "expected a mapping, found a list", NULL},
        {"text for a list", COND("users: bob"), "wrong-kind", 7, 12, "rules[0].conditions.users",
            "expected a list, found text", NULL},
        {"list for a mapping", HEAD "- name: r\n  conditions: []\n", "wrong-kind", 4, 15, "rules[0].conditions",
            "expected a mapping, found a list", NULL},
        {"mapping for text", HEAD "- name: {a: b}\n", "wrong-kind", 3, 9, "rules[0].name",
            "expected text, found a mapping", NULL},
        {"null key", RULE("  reason: ~\n"), "null-value", 7, 11, "rules[0].reason", "found nothing",
            "leave the key out"},
        {"nothing behind a key", RULE("  reason:\n"), "null-value", 7, 10, "rules[0].reason", "found nothing", NULL},
        {"null in a list", COND("users: [bob, null]"), "null-value", 7, 18, "rules[0].conditions.users[1]",
            "found nothing", "remove the empty entry"},
        {"yes is no boolean", COND("device: {require_mdm: yes}"), "not-boolean", 7, 27,
            "rules[0].conditions.device.require_mdm", "'yes' is not a boolean", "true or false"},
        {"quoted boolean", COND("device: {require_mdm: \"true\"}"), "not-boolean", 7, 27, NULL, "not a boolean", NULL},
        {"missing version", "rules: []\n", "missing-version", 1, 1, NULL, "version is missing", "version: \"1\""},
        {"NUL is no text", "version: \"1\\0\"\nrules: []\n", "encoding", 1, 10, NULL, "holds NUL", NULL},
    };
    check_rows(rows, SN_LEN(rows), SN_SEVERITY_ERROR);
}

/* POL-08 to POL-10, POL-15, POL-16 and the table of checks: what documents of the right form may not mean. */
static void validation_errors(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"version", "version: \"2\"\nrules:\n- {name: r, effect: deny, conditions: {}}\n", "version", 1, 10, "version",
            "version '2' is not supported; supported: 1", "set version: \"1\""},
        {"version 1.0", "version: 1.0\nrules:\n- {name: r, effect: deny, conditions: {}}\n", "version", 1, 10, NULL,
            "1.0", NULL},
        {"no rules key", "version: \"1\"\n", "no-rules", 1, 1, "rules", "at least one rule", "add a rule"},
        {"no rules", "version: \"1\"\nrules: []\n", "no-rules", 2, 8, "rules", "at least one rule", NULL},
        {"no name", HEAD "- {effect: deny, conditions: {}}\n", "rule-name", 3, 3, "rules[0].name", "rule 0 has no name",
            NULL},
        {"empty name", HEAD "- {name: '', effect: deny, conditions: {}}\n", "rule-name", 3, 10, NULL, "no name", NULL},
        {"name with a control character", HEAD "- {name: \"a\\e[31m\", effect: deny, conditions: {}}\n", "rule-name", 3,
            10, NULL, "do not print", NULL},
        {"name that changes the reading direction", HEAD "- {name: \"a\\u202Eb\", effect: deny, conditions: {}}\n",
            "rule-name", 3, 10, NULL, "do not print", NULL},
        {"same name",
            HEAD "- {name: r, effect: deny, conditions: {}}\n- {name: s, effect: deny, conditions: {}}\n"
                 "- {name: r, effect: deny, conditions: {}}\n",
            "duplicate-name", 5, 10, "rules[2].name", "rules 0 and 2 are both named 'r'", NULL},
        {"no effect", HEAD "- {name: r, conditions: {}}\n", "effect", 3, 3, NULL, "rule 'r' has no effect",
            "one of allow"},
        {"dash for underscore", ONE_RULE("require-approval", "  conditions: {}\n"), "effect", 4, 11, "rules[0].effect",
            "unknown effect 'require-approval' of rule 'r'", "'require_approval'"},
        {"other case", ONE_RULE("Allow", "  conditions: {profiles: [dev]}\n"), "effect", 4, 11, NULL, "'Allow'",
            "'allow'"},
        {"blank behind the effect", ONE_RULE("\"allow \"", "  conditions: {profiles: [dev]}\n"), "effect", 4, 11, NULL,
            "'allow '", NULL},
        {"break_glass of another value", ONE_RULE("deny", "  break_glass: true\n  conditions: {}\n"), "break-glass", 5,
            16, "rules[0].break_glass", "'true' is not a value", "break_glass: never"},
        {"break_glass on allow", ONE_RULE("allow", "  break_glass: never\n  conditions: {profiles: [dev]}\n"),
            "break-glass", 5, 16, NULL, "rule 'r' has break_glass: never and effect allow", NULL},
        {"no conditions", ONE_RULE("deny", ""), "conditions", 3, 3, "rules[0].conditions", "rule 'r' has no conditions",
            "conditions: {}"},
        {"allow everything", ONE_RULE("allow", "  conditions: {}\n"), "conditions", 5, 15, NULL,
            "no profile, user or time", NULL},
        {"allow by mode only", ONE_RULE("allow", "  conditions: {mode: [server]}\n"), "conditions", 5, 15, NULL,
            "no profile, user or time", NULL},
        {"allow by empty lists", ONE_RULE("allow", "  conditions: {profiles: [], users: []}\n"), "conditions", 5, 15,
            NULL, "no profile, user or time", NULL},
        {"deny by an empty list", ONE_RULE("deny", "  conditions: {profiles: []}\n"), "conditions", 5, 15, NULL,
            "no profile, user or time", NULL},
        {"require_server everything", ONE_RULE("require_server", "  conditions: {}\n"), "conditions", 5, 15, NULL, "",
            NULL},
        {"empty time", ONE_RULE("allow", "  conditions: {time: {}}\n"), "time", 5, 22, "rules[0].conditions.time",
            "needs days or hours", NULL},
        {"time with a zone only", ONE_RULE("deny", "  conditions: {time: {timezone: UTC}}\n"), "time", 5, 22, NULL,
            "needs days or hours", NULL},
        {"empty device", COND("device: {}"), "device", 7, 13, "rules[0].conditions.device", "is empty", NULL},
        {"short weekday", COND("time: {days: [Mon]}"), "weekday", 7, 19, "rules[0].conditions.time.days[0]",
            "'Mon' in rule 'r' is not a weekday", "'monday'"},
        {"start equals end", COND("time: {hours: {start: \"09:00\", end: \"09:00\"}}"), "hours", 7, 19,
            "rules[0].conditions.time.hours", "rule 'r' start and end at the same minute", "omit hours"},
        {"end 24:01", COND("time: {hours: {start: 09:00, end: \"24:01\"}}"), "hours", 7, 39,
            "rules[0].conditions.time.hours.end", "'24:01' in rule 'r'", "24:00"},
        {"start 9:00", COND("time: {hours: {start: \"9:00\", end: 17:00}}"), "hours", 7, 27,
            "rules[0].conditions.time.hours.start", "'9:00' in rule 'r'", "HH:MM"},
        {"start 24:00", COND("time: {hours: {start: \"24:00\", end: 17:00}}"), "hours", 7, 27, NULL,
            "'24:00' in rule 'r'", NULL},
        {"minute 60", COND("time: {hours: {start: 10:60, end: 17:00}}"), "hours", 7, 27, NULL, "'10:60'", NULL},
        {"no end", COND("time: {hours: {start: 10:00}}"), "hours", 7, 19, "rules[0].conditions.time.hours.end",
            "have no end", NULL},
        {"mode", COND("mode: [sever]"), "mode", 7, 12, "rules[0].conditions.mode[0]",
            "'sever' in rule 'r' is not a mode", "'server'"},
        {"operating system", COND("device: {allowed_os_types: [macos]}"), "device", 7, 33,
            "rules[0].conditions.device.allowed_os_types[0]", "'macos'", "darwin"},
        {"version without a digit", COND("device: {min_os_version: beta}"), "device", 7, 30, NULL, "'beta'", "14.2"},
        {"version with a blank", COND("device: {min_os_version: 14 2}"), "device", 7, 30, NULL, "'14 2'", NULL},
        {"version part of ten digits", COND("device: {min_os_version: 1.0000000000}"), "device", 7, 30, NULL, "", NULL},
        {"too short a session", RULE("  max_server_duration: 10m\n"), "duration", 7, 24, "rules[0].max_server_duration",
            "'10m' of rule 'r' is not a duration from 15m to 12h", "15m to 12h"},
        {"too long a session", RULE("  max_server_duration: 13h\n"), "duration", 7, 24, NULL, "'13h'", NULL},
        {"number without unit", RULE("  max_server_duration: 3600\n"), "duration", 7, 24, NULL, "'3600'", NULL},
        {"days", RULE("  max_server_duration: 1d\n"), "duration", 7, 24, NULL, "'1d'", NULL},
        {"table name", RULE("  session_table: a/b\n"), "session-table", 7, 18, "rules[0].session_table", "'a/b'", NULL},
        {"reason of two lines", RULE("  reason: |\n    a\n    b\n"), "reason", 7, 11, "rules[0].reason", "do not print",
            "one line"},
        {"wildcard profile", ONE_RULE("deny", "  conditions: {profiles: [\"prod-*\"]}\n"), "wildcard", 5, 27,
            "rules[0].conditions.profiles[0]", "'prod-*' in rule 'r' has a wildcard", "omit the list"},
        {"role ARN as profile", COND("mode: [server]\n    users: [\"role:De*\"]"), "wildcard", 8, 13, NULL,
            "'role:De*'", NULL},
        {"ARN among profiles", ONE_RULE("deny", "  conditions: {profiles: ['arn:aws:iam::111122223333:role/x']}\n"),
            "profile-entry", 5, 27, NULL, "is not a profile name", "catalogue"},
        {"dots in a profile", ONE_RULE("deny", "  conditions: {profiles: [../x]}\n"), "profile-entry", 5, 27, NULL,
            "'../x'", "letters"},
        {"misspelt prefix", COND("users: ['rolle:Dev']"), "user-entry", 7, 13, "rules[0].conditions.users[0]",
            "'rolle:Dev' in rule 'r' begins with an unknown prefix", "'role'"},
        {"misspelt group prefix", COND("users: ['gruop:x']"), "user-entry", 7, 13, NULL, "unknown prefix", "'group'"},
        {"prefix in capitals", COND("users: ['ARN:aws:iam::111122223333:user/x']"), "user-entry", 7, 13, NULL,
            "unknown prefix", "'arn'"},
        {"role ARN as user", COND("users: ['arn:aws:iam::111122223333:role/team/Dev']"), "user-entry", 7, 13, NULL,
            "a role is no caller", "write role:Dev"},
        {"ARN of an unknown partition", COND("users: ['arn:gov:iam::111122223333:user/x']"), "user-entry", 7, 13, NULL,
            "not the ARN of a caller", NULL},
        {"ARN with a short account", COND("users: ['arn:aws:iam::11112222333:user/x']"), "user-entry", 7, 13, NULL,
            "not the ARN of a caller", NULL},
        {"role with a path", COND("users: ['role:a/b']"), "user-entry", 7, 13, NULL, "names no role", NULL},
        {"empty entry", COND("users: ['']"), "user-entry", 7, 13, NULL, "empty entry", NULL},
        {"unknown group",
            "version: \"1\"\ngroups: {team: [bob]}\nrules:\n- name: r\n  effect: allow\n  conditions:\n"
            "    users: ['group:taem']\n",
            "group", 7, 13, "rules[0].conditions.users[0]", "unknown group 'taem'", "group:team"},
        {"no groups", COND("users: ['group:x']"), "group", 7, 13, NULL, "unknown group 'x'", "defines no groups"},
        {"empty group", "version: \"1\"\ngroups: {team: []}\nrules:\n- {name: r, effect: deny, conditions: {}}\n",
            "group", 2, 16, "groups.team", "the group 'team' is empty", NULL},
        {"nested group",
            "version: \"1\"\ngroups: {a: ['group:b'], b: [x]}\nrules:\n"
            "- {name: r, effect: deny, conditions: {}}\n",
            "group", 2, 14, "groups.a[0]", "groups do not nest", "write the entries out"},
        {"group name", "version: \"1\"\ngroups: {a.b: [x]}\nrules:\n- {name: r, effect: deny, conditions: {}}\n",
            "group", 2, 10, NULL, "'a.b' is not the name of a group", NULL},
        {"group given twice",
            "version: \"1\"\ngroups:\n  a: [x]\n  a: [y]\nrules:\n"
            "- {name: r, effect: deny, conditions: {}}\n",
            "duplicate-key", 4, 3, NULL, "line 3", NULL},
    };
    check_rows(rows, SN_LEN(rows), SN_SEVERITY_ERROR);
}

/* POL-09: names of zones that are none; nothing outside the zone directory is opened. */
static void attack_09_zone_names(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"climbing out", COND("time: {days: [monday], timezone: ../../etc/passwd}"), "timezone", 7, 38,
            "rules[0].conditions.time.timezone", "'../../etc/passwd' in rule 'r' is not the name", "Europe/Berlin"},
        {"absolute", COND("time: {days: [monday], timezone: /etc/localtime}"), "timezone", 7, 38, NULL, "not the name",
            NULL},
        {"the host's", COND("time: {days: [monday], timezone: Local}"), "timezone", 7, 38, NULL, "not the name", NULL},
        {"unknown", COND("time: {days: [monday], timezone: Mars/Base}"), "timezone", 7, 38, NULL,
            "no time zone 'Mars/Base'", NULL},
        {"a directory", COND("time: {days: [monday], timezone: Europe}"), "timezone", 7, 38, NULL, "no time zone",
            NULL},
        {"no zone file", COND("time: {days: [monday], timezone: tzdata/zi}"), "timezone", 7, 38, NULL, "no time zone",
            NULL},
        {"empty", COND("time: {days: [monday], timezone: ''}"), "timezone", 7, 38, NULL, "not the name", NULL},
        {"five parts", COND("time: {days: [monday], timezone: a/b/c/d/e}"), "timezone", 7, 38, NULL, "not the name",
            NULL},
        {"slash at the end", COND("time: {days: [monday], timezone: UTC/}"), "timezone", 7, 38, NULL, "not the name",
            NULL},
    };
    check_rows(rows, SN_LEN(rows), SN_SEVERITY_ERROR);
}

static enum sn_status damaged_zone(void *ctx, struct sn_slice name, struct sn_buf *out_tzif, struct sn_error *err)
{
    (void)name;
    (void)err;
    sn_buf_add_str(out_tzif, ctx);
    return SN_OK;
}

/* An image without zone data, or with damaged data: the document does not load, and no other zone is taken. */
static void attack_09_no_zone_data(void **state)
{
    (void)state;
    static const char text[] = COND("time: {days: [monday], timezone: Europe/Berlin}");
    static char garbage[] = "TZif2 but not really";
    struct sn_zoneinfo nowhere;
    sn_zoneinfo_init(&nowhere, "/nonexistent");
    struct sn_tz_source sources[] = {sn_zoneinfo_source(&nowhere), {damaged_zone, garbage}};
    struct sn_policy *policy = NULL;
    for (size_t i = 0; i <= SN_LEN(sources); i++) {
        struct sn_error err = {0};
        const struct sn_tz_source *source = i < SN_LEN(sources) ? &sources[i] : NULL;
        assert_fails(sn_policy_load(sn_slice_str(text), source, NULL, &policy, &err), &err, "INVALID_POLICY");
        assert_non_null(strstr(err.message, "cannot be loaded"));
        assert_null(policy);
    }
    struct sn_error err = {0};
    assert_ok(
        sn_policy_load(sn_slice_str(COND("time: {days: [monday], timezone: UTC}")), NULL, NULL, &policy, &err), &err);
    sn_policy_unref(policy);
    sn_zoneinfo_clear(&nowhere);
}

/* Findings that do not stop a document. */
static void lint(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"wildcard-grant", ONE_RULE("allow", "  conditions: {time: {days: [monday]}}\n"), "wildcard-grant", 3, 3,
            "rules[0]", "rule 'r' (index 0)", NULL},
        {"final-deny-everywhere", ONE_RULE("deny", "  break_glass: never\n  conditions: {}\n"), "final-deny-everywhere",
            3, 3, NULL, "index 0", NULL},
        {"empty-list", COND("users: []"), "empty-list", 7, 12, NULL, "matches everything", NULL},
        {"days-without-hours", COND("time: {days: [monday]}"), "days-without-hours", 7, 18, NULL, "whole days", NULL},
        {"no-timezone", COND("time: {hours: {start: 09:00, end: 10:00}}"), "no-timezone", 7, 19, NULL, "UTC", NULL},
        {"mode-never-matches", COND("mode: [cli]"), "mode-never-matches", 7, 11, NULL, "'server'", NULL},
        {"user-never-matches", COND("users: [\"admin \"]"), "user-never-matches", 7, 13, NULL, "'admin '", NULL},
        {"name of 65 bytes", COND("users: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]"),
            "user-never-matches", 7, 13, NULL, "no caller", NULL},
        {"self-chosen-name", COND("users: ['" ARN_SESSION("Dev", "ci") "']"), "self-chosen-name", 7, 13, NULL,
            "holder's choice", "role:"},
        {"unused-group", "version: \"1\"\ngroups: {team: [bob]}\nrules:\n- {name: r, effect: deny, conditions: {}}\n",
            "unused-group", 2, 10, "groups.team", "'team'", NULL},
        {"min-os-without-type", COND("device: {min_os_version: 14}"), "min-os-without-type", 7, 13, NULL, "", NULL},
        {"posture-unavailable", COND("device: {require_firewall: true}"), "posture-unavailable", 7, 13, NULL, "", NULL},
        {"duplicate-entry", COND("users: [bob, eve, bob]"), "duplicate-entry", 7, 23, NULL, "'bob'", NULL},
        {"long-session", RULE("  max_server_duration: 2h\n"), "long-session", 7, 24, NULL, "more than 1h", NULL},
    };
    check_rows(rows, SN_LEN(rows), SN_SEVERITY_WARNING);
}

/* All problems are found at once, in the order of the document. */
static void all_at_once(void **state)
{
    (void)state;
    struct sn_findings findings = {0};
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    static const char text[] =
        "version: \"2\"\nrules:\n"
        "- name: a\n  effect: alow\n  conditions:\n    users: [\"x*\", 'rol:y']\n  reason: \"\\t\"\n"
        "- name: a\n  effect: deny\n  conditions: {mode: [server]}\n";
    static const char *const codes[] = {
        "version", "effect", "wildcard", "user-entry", "reason", "duplicate-name", "conditions"};
    assert_fails(sn_policy_load(sn_slice_str(text), NULL, &findings, &policy, &err), &err, "INVALID_POLICY");
    assert_int_equal(findings.errors, SN_LEN(codes));
    assert_int_equal(findings.count, SN_LEN(codes));
    for (size_t i = 0; i < SN_LEN(codes); i++) {
        assert_string_equal(findings.items[i].code, codes[i]);
    }
    assert_string_equal(
        err.message, "validation error: line 1, column 10: version: version '2' is not supported; supported: 1");
    assert_string_equal(err.suggestion, "set version: \"1\"");
    sn_findings_clear(&findings);
}

/* No text of a document reaches a message with its control characters. */
static void attack_08_messages_are_clean(void **state)
{
    (void)state;
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    assert_fails(
        sn_policy_load(sn_slice_str(ONE_RULE("\"\\e]0;x\\a\\r\\n\"", "  conditions: {}\n")), NULL, NULL, &policy, &err),
        &err, "INVALID_POLICY");
    for (const char *c = err.message; *c != '\0'; c++) {
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

static enum sn_status load_bytes(const char *bytes, size_t len, struct sn_error *err)
{
    struct sn_policy *policy = NULL;
    enum sn_status status = sn_policy_load((struct sn_slice){bytes, len}, NULL, NULL, &policy, err);
    sn_policy_unref(policy);
    return status;
}

/* POL-14: size and number of rules. */
static void attack_08_size_limits(void **state)
{
    (void)state;
    struct sn_error err = {0};
    struct sn_buf text = {0};
    for (int extra = 0; extra <= 1; extra++) {
        sn_buf_reset(&text);
        sn_buf_add_str(&text, ONE_RULE("deny", "  conditions: {}\n#"));
        while (text.len < SN_POLICY_MAX_BYTES + (size_t)extra) {
            sn_buf_add_byte(&text, 'x');
        }
        enum sn_status status = load_bytes(text.ptr, text.len, &err);
        assert_int_equal(status, extra == 0 ? SN_OK : SN_INVALID);
    }
    for (int count = 10000; count <= 10001; count++) {
        sn_buf_reset(&text);
        sn_buf_add_str(&text, HEAD);
        for (int i = 0; i < count; i++) {
            sn_buf_addf(&text, "- {name: r%d, effect: deny, conditions: {}}\n", i);
        }
        assert_true(text.len < SN_POLICY_MAX_BYTES);
        enum sn_status status = load_bytes(text.ptr, text.len, &err);
        assert_int_equal(status, count == 10000 ? SN_OK : SN_INVALID);
    }
    assert_non_null(strstr(err.message, "10001 entries, at most 10000 are allowed"));
    for (int count = 1000; count <= 1001; count++) {
        sn_buf_reset(&text);
        sn_buf_add_str(&text, HEAD "- {name: r, effect: deny, conditions: {users: [u");
        for (int i = 1; i < count; i++) {
            sn_buf_addf(&text, ", u%d", i);
        }
        sn_buf_add_str(&text, "]}}\n");
        assert_int_equal(load_bytes(text.ptr, text.len, &err), count == 1000 ? SN_OK : SN_INVALID);
    }
    for (int count = 200; count <= 201; count++) {
        sn_buf_reset(&text);
        sn_buf_add_str(&text, "version: \"1\"\ngroups:\n");
        for (int i = 0; i < count; i++) {
            sn_buf_addf(&text, "  g%d: [x]\n", i);
        }
        sn_buf_add_str(&text, "rules:\n- {name: r, effect: deny, conditions: {}}\n");
        assert_int_equal(load_bytes(text.ptr, text.len, &err), count == 200 ? SN_OK : SN_INVALID);
    }
    sn_buf_clear(&text);
}

/* Bytes that are no text, and depth: refused whatever stands around them. */
static void attack_08_bytes_and_depth(void **state)
{
    (void)state;
    struct sn_error err = {0};
    static const char good[] = ONE_RULE("deny", "  conditions: {}\n");
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
    } bad[] = {
        {"NUL", "\0", 1},
        {"escape", "\x1b", 1},
        {"cut-off UTF-8", "# \xc3\n", 4},
        {"overlong UTF-8", "# \xc0\xaf\n", 5},
        {"surrogate", "# \xed\xa0\x80\n", 6},
        {"second byte order mark", "\xef\xbb\xbf", 3},
    };
    struct sn_buf text = {0};
    for (size_t i = 0; i < SN_LEN(bad); i++) {
        print_message("# %s\n", bad[i].name);
        sn_buf_reset(&text);
        sn_buf_add_str(&text, good);
        sn_buf_add_bytes(&text, bad[i].bytes, bad[i].len);
        assert_int_equal(load_bytes(text.ptr, text.len, &err), SN_INVALID);
    }
    sn_buf_reset(&text);
    sn_buf_add_str(&text, "\xef\xbb\xbf");
    sn_buf_add_str(&text, good);
    assert_int_equal(load_bytes(text.ptr, text.len, &err), SN_OK);
    sn_buf_reset(&text);
    sn_buf_add_str(&text, "version: \"1\"\r\nrules:\r\n- {name: r, effect: deny, conditions: {}}\r\n");
    assert_int_equal(load_bytes(text.ptr, text.len, &err), SN_OK);
    sn_buf_reset(&text);
    for (int i = 0; i < 10000; i++) {
        sn_buf_add_byte(&text, '[');
    }
    assert_int_equal(load_bytes(text.ptr, text.len, &err), SN_INVALID);
    sn_buf_clear(&text);
}

/* POL-39: names of profiles, as far as documents hold them. */
static void profile_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"../x", "a//b", "a;b", "a b", "$(id)", "pr\u043ed", "-rf", ".hidden", "a/", "a.b",
        "", "a\\\\b", "a\\0b", "a%2fb"};
    static const char *const good[] = {"production", "prod_role", "/org/team/env", "A-1"};
    struct sn_buf text = {0};
    struct sn_error err = {0};
    for (size_t i = 0; i < SN_LEN(bad) + SN_LEN(good); i++) {
        bool is_good = i >= SN_LEN(bad);
        sn_buf_reset(&text);
        sn_buf_addf(
            &text, ONE_RULE("deny", "  conditions: {profiles: [\"%s\"]}\n"), is_good ? good[i - SN_LEN(bad)] : bad[i]);
        assert_int_equal(load_bytes(text.ptr, text.len, &err), is_good ? SN_OK : SN_INVALID);
    }
    for (int len = 256; len <= 257; len++) {
        sn_buf_reset(&text);
        sn_buf_add_str(&text, ONE_RULE("deny", "  conditions: {profiles: ["));
        for (int i = 0; i < len; i++) {
            sn_buf_add_byte(&text, 'a');
        }
        sn_buf_add_str(&text, "]}\n");
        assert_int_equal(load_bytes(text.ptr, text.len, &err), len == 256 ? SN_OK : SN_INVALID);
    }
    sn_buf_clear(&text);
}

/* Documents in every allowed dress load: JSON, unquoted times, block text, catch-alls. */
static void accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"version\": \"1\", \"rules\": [{\"name\": \"r\", \"effect\": \"deny\", \"conditions\": {}}]}",
        "version: 1\nrules:\n- {name: 1, effect: deny, conditions: {}}\n",
        ONE_RULE("require_approval", "  conditions: {}\n"),
        ONE_RULE("allow", "  conditions: {time: {days: [monday]}}\n"),
        RULE("  reason: |\n    one line\n"),
        RULE("  max_server_duration: 1h30m\n"),
        RULE("  max_server_duration: 12h\n"),
        RULE("  max_server_duration: 15m\n"),
        COND("time: {hours: {start: 22:00, end: 24:00}}"),
        COND("users: ['arn:aws-us-gov:iam::111122223333:user/x', 'role:a+b=c,d.e@f-g_h']"),
    };
    for (size_t i = 0; i < SN_LEN(texts); i++) {
        sn_policy_unref(must_load(texts[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_08_parse_errors),
        cmocka_unit_test(validation_errors),
        cmocka_unit_test(attack_09_zone_names),
        cmocka_unit_test(attack_09_no_zone_data),
        cmocka_unit_test(lint),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(attack_08_messages_are_clean),
        cmocka_unit_test(attack_08_size_limits),
        cmocka_unit_test(attack_08_bytes_and_depth),
        cmocka_unit_test(profile_names),
        cmocka_unit_test(accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
