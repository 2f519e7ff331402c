/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/core/decision_reader_test.c - decisions read back from the log's own lines and from others. */
#include "test.h"

#include <stdlib.h>

#include "core/audit/decision_reader.h"
#include "core/audit/entry.h"

#define HEX64 "7d5448a1dd23176f7981b0b7ff02ccb8feb4ca43d2e49855479443b93f71ef88"
#define HEAD                                                                                                           \
    "{\"v\":1,\"stream\":\"7c9e6679f3a04d1b\",\"seq\":7,\"prev\":\"" HEX64                                             \
    "\",\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"key_id\":\"k1\",\"entry\":"
#define TAIL ",\"signature\":\"" HEX64 "\"}\n"

struct read {
    struct sn_decision_reader reader;
    struct sn_buf text;
    struct sn_logged_decision decision;
    enum sn_logged_kind kind;
};

static void clear_read(struct read *read)
{
    sn_decision_reader_clear(&read->reader);
    sn_buf_clear(&read->text);
}

/* True if the quick reader takes the line, which must have its LF. */
static bool read_own(struct read *read)
{
    size_t len = read->text.len;
    char slack[SN_LOGGED_SLACK] = {0};
    sn_buf_add_bytes(&read->text, slack, sizeof(slack));
    size_t taken =
        sn_decision_read_own(&read->reader, read->text.ptr, read->text.ptr + len, &read->kind, &read->decision);
    assert_true(taken == 0 || taken == len);
    read->text.len = len;
    return taken > 0;
}

static struct sn_audit_decision every_fact(const struct sn_posture *posture)
{
    return (struct sn_audit_decision){.unix_ms = 1767225599987,
        .user = SN_S("rita"),
        .profile = SN_S("team/prod"),
        .allowed = true,
        .rule = SN_S("prod-tracked"),
        .rule_index = 12,
        .reason = SN_S("a \"quoted\" reason, \n with ü and more…"),
        .policy_path = SN_S("/sentinel/policies/team/prod"),
        .request_id = SN_S("2x8m5k0t7v3r9w1q"),
        .source_identity = SN_S("sentinel=rita=approved=2x8m5k0t7v3r9w1q"),
        .role_arn = SN_S("arn:aws:iam::111122223333:role/Prod"),
        .session_duration_s = 900,
        .approved_request_id = SN_S("req-2x8m5k0t7v3r9w1q"),
        .break_glass_event_id = SN_S("bg-2x8m5k0t7v3r9w1q"),
        .posture = posture,
        .device_id = SN_S("d-1"),
        .device_status = SN_S("verified"),
        .policy_evaluated = true,
        .policy_effect = SN_EFFECT_REQUIRE_APPROVAL,
        .outcome = "issued",
        .override = "approval",
        .mfa_known = true,
        .gateway_request_id = SN_S("JKJaXmPLvHcESHA="),
        .error_code = "X",
        .caller_arn = SN_S("arn:aws:iam::111122223333:user/rita"),
        .account_id = SN_S("111122223333"),
        .vouched = true,
        .access_key_id = SN_S("AKIAEXAMPLEKEYID0001"),
        .policy_version = SN_S("7"),
        .policy_hash = SN_S(HEX64),
        .policy_key_id = SN_S("k")};
}

/* POL-55: whatever the writer writes, the quick reader reads; so no line of an own log takes the long way. */
static void own_lines_are_read_quickly(void **state)
{
    (void)state;
    static const struct sn_posture posture = {.disk_encrypted = SN_FALSE,
        .mdm_enrolled = SN_TRUE,
        .mdm_compliant = SN_TRUE,
        .firewall_enabled = SN_TRUE,
        .os_type = SN_S_INIT("darwin"),
        .os_version = SN_S_INIT("14.4")};
    struct sn_audit_decision d = every_fact(&posture);
    for (int is_record = 0; is_record <= 1; is_record++) {
        SN_AUTO(clear_read) struct read read = {0};
        sn_buf_add_str(&read.text, is_record ? HEAD : "");
        sn_audit_decision_format(&read.text, &d);
        sn_buf_add_str(&read.text, is_record ? TAIL : "\n");
        assert_true(read_own(&read));
        assert_int_equal(read.kind, SN_LOGGED_DECISION);
        assert_int_equal(read.decision.unix_ms, 1767225599987);
        assert_true(sn_slice_eq_str(read.decision.profile, "team/prod"));
        assert_true(sn_slice_eq_str(read.decision.rule, "prod-tracked"));
        assert_true(sn_slice_eq_str(read.decision.caller_arn, "arn:aws:iam::111122223333:user/rita"));
        assert_true(sn_slice_eq_str(read.decision.policy_path, "/sentinel/policies/team/prod"));
        assert_int_equal(read.decision.policy_effect, SN_EFFECT_REQUIRE_APPROVAL);
        assert_int_equal(read.decision.override, SN_LOGGED_APPROVAL);
        assert_true(read.decision.is_allowed && read.decision.has_posture);
        assert_int_equal(read.decision.vouched, SN_TRUE);
        assert_int_equal(read.decision.posture.disk_encrypted, SN_FALSE);
        assert_int_equal(read.decision.posture.mdm_compliant, SN_TRUE);
        assert_true(sn_slice_eq_str(read.decision.posture.os_version, "14.4"));
    }
    /* The least that is written: everything optional absent. */
    SN_AUTO(clear_read) struct read least = {0};
    sn_audit_decision_format(&least.text, &(struct sn_audit_decision){.profile = SN_S("p"), .rule_index = -1});
    sn_buf_add_str(&least.text, "\n");
    assert_true(read_own(&least));
    assert_int_equal(least.kind, SN_LOGGED_NOT_EVALUATED);
}

#define ENTRY(extra)                                                                                                   \
    "{\"timestamp\":\"2026-02-03T10:00:00.120Z\",\"event\":\"decision\",\"profile\":\"p\",\"effect\":\"allow\","       \
    "\"rule\":\"r\",\"rule_index\":0,\"policy_effect\":\"allow\"" extra "}"
#define CALLER ",\"caller_arn\":\"arn:aws:iam::111122223333:user/rita\""

/* POL-55: each line, what it is, and whether it is of the own form. */
static void lines_and_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *name, *line;
        enum sn_logged_kind kind;
        bool is_own;
        const char *why;
    } rows[] = {
        {"the least", ENTRY(CALLER) "\n", SN_LOGGED_DECISION, true, NULL},
        {"a member more", ENTRY(CALLER ",\"new\":[{}]") "\n", SN_LOGGED_DECISION, false, NULL},
        {"blanks", "{ \"entry\": " ENTRY(CALLER) " }\n", SN_LOGGED_DECISION, false, NULL},
        {"no caller", ENTRY("") "\n", SN_LOGGED_BROKEN, true, "there is no 'caller_arn'"},
        {"vouched as text", ENTRY(CALLER ",\"vouched\":\"true\"") "\n", SN_LOGGED_BROKEN, false,
            "\"vouched\" has a value of another kind"},
        {"twice", ENTRY(CALLER CALLER) "\n", SN_LOGGED_BROKEN, false, "it is no JSON object"},
        {"cut off", "{\"timestamp\":\"2026-02-03T10:0\n", SN_LOGGED_BROKEN, false, "it is no JSON object"},
        {"a number", "5\n", SN_LOGGED_BROKEN, false, "it is no JSON object"},
        {"an entry that is text", "{\"entry\":\"x\"}\n", SN_LOGGED_BROKEN, false, "it is no JSON object"},
        {"nothing", "\n", SN_LOGGED_BROKEN, false, "it is no JSON object"},
        {"another event", "{\"timestamp\":\"x\",\"event\":\"audit.opened\"}\n", SN_LOGGED_OTHER, true, NULL},
        {"no event", "{\"timestamp\":\"2026-02-03T10:00:00.120Z\"}\n", SN_LOGGED_BROKEN, true, "there is no 'event'"},
        {"no time", "{\"event\":\"decision\",\"profile\":\"p\"}\n", SN_LOGGED_BROKEN, true, "there is no 'timestamp'"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(clear_read) struct read read = {0};
        struct sn_logged_decision any = {0};
        print_message("# %s\n", rows[i].name);
        sn_buf_add_str(&read.text, rows[i].line);
        assert_int_equal(read_own(&read), rows[i].is_own);
        assert_true(!rows[i].is_own || read.kind == rows[i].kind);
        struct sn_slice line = sn_slice_sub(sn_buf_slice(&read.text), 0, read.text.len - 1);
        assert_int_equal(sn_decision_read_line(&read.reader, line, &any), rows[i].kind);
        if (rows[i].why != NULL) {
            assert_string_equal(read.reader.why, rows[i].why);
        }
    }
}

/* POL-55: times on the same day, on another and in another form. */
static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_ms; /* -1: no time */
    } rows[] = {
        {"2026-01-01T00:00:00.000Z", 1767225600000},
        {"2026-01-01T23:59:59.999Z", 1767311999999},
        {"2026-01-02T00:00:00.001Z", 1767312000001},
        {"2026-01-02T24:00:00.000Z", -1},
        {"2026-01-02T10:60:00.000Z", -1},
        {"2026-01-02T10:00:60.000Z", -1},
        {"2026-01-02T10:00:0a.000Z", -1},
        {"2026-01-02T10:00:00.00/Z", -1},
        {"2026-01-02X10:00:00.000Z", -1},
        {"2026-01-02T01:00:00+01:00", 1767312000000},
        {"1969-12-31T23:59:58.000Z", -2000},
    };
    SN_AUTO(clear_read) struct read read = {0};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        sn_buf_reset(&read.text);
        sn_buf_addf(&read.text,
            "{\"timestamp\":\"%s\",\"event\":\"decision\",\"profile\":\"p\",\"effect\":\"deny\",\"rule\":\"\","
            "\"policy_effect\":\"deny\"" CALLER "}\n",
            rows[i].text);
        assert_true(read_own(&read));
        assert_int_equal(read.kind, rows[i].unix_ms == -1 ? SN_LOGGED_BROKEN : SN_LOGGED_DECISION);
        assert_true(rows[i].unix_ms == -1 || read.decision.unix_ms == rows[i].unix_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_lines_are_read_quickly),
        cmocka_unit_test(lines_and_what_they_are),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
