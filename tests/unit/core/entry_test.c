/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/audit/entry.c: the exact bytes of entries.
 */
#include "test.h"

#include "codec/json.h"
#include "core/audit/entry.h"

#define T0 INT64_C(1772355607125) /* 2026-03-01T09:00:07.125Z */

static struct sn_audit_decision denial(void)
{
    return (struct sn_audit_decision){.unix_ms = T0,
        .user = SN_S("bob"),
        .profile = SN_S("prod"),
        .rule_index = -1,
        .reason = SN_S("no matching rule"),
        .policy_path = SN_S("/sentinel/policies/prod"),
        .request_id = SN_S("2x8m5k0t7v3r9w1q"),
        .policy_evaluated = true,
        .policy_effect = SN_EFFECT_DENY,
        .outcome = "denied",
        .error_code = "POLICY_DENY",
        .caller_arn = SN_S("arn:aws:iam::123456789012:user/bob"),
        .account_id = SN_S("123456789012"),
        .vouched = true};
}

/* AUD-16: the entries of the published log. */
static void published_entries(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_audit_decision deny = denial();

    sn_audit_decision_format(&text, &deny);
    assert_slice_equal(sn_buf_slice(&text),
        "{\"timestamp\":\"2026-03-01T09:00:07.125Z\",\"event\":\"decision\",\"user\":\"bob\",\"profile\":\"prod\","
        "\"effect\":\"deny\",\"rule\":\"\",\"rule_index\":-1,\"reason\":\"no matching rule\","
        "\"policy_path\":\"/sentinel/policies/prod\",\"request_id\":\"2x8m5k0t7v3r9w1q\",\"policy_effect\":\"deny\","
        "\"outcome\":\"denied\",\"error_code\":\"POLICY_DENY\",\"caller_arn\":\"arn:aws:iam::123456789012:user/bob\","
        "\"account_id\":\"123456789012\",\"vouched\":true}");

    sn_buf_reset(&text);
    const struct sn_audit_decision issue = {.unix_ms = INT64_C(1772439304250),
        .user = SN_S("mira@example.com"),
        .profile = SN_S("billing-ro"),
        .allowed = true,
        .rule = SN_S("billing-readers"),
        .rule_index = 3,
        .reason = SN_S("month-end close"),
        .policy_path = SN_S("/sentinel/policies/finance"),
        .request_id = SN_S("5e0c91aa7j2k4m6n"),
        .source_identity = SN_S("sentinel=mira@example.com=direct=5e0c91aa7j2k4m6n"),
        .role_arn = SN_S("arn:aws:iam::210987654321:role/SentinelProtected-BillingRO"),
        .session_duration_s = 900,
        .policy_evaluated = true,
        .policy_effect = SN_EFFECT_ALLOW,
        .outcome = "issued",
        .gateway_request_id = SN_S("JKJaXmPLvHcESHA="),
        .caller_arn =
            SN_S("arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Finance_0123456789abcdef/mira@example.com"),
        .account_id = SN_S("210987654321"),
        .vouched = true,
        .access_key_id = SN_S("ASIAEXAMPLEKEYID0001"),
        .policy_version = SN_S("7")};
    sn_audit_decision_format(&text, &issue);
    assert_slice_equal(sn_buf_slice(&text),
        "{\"timestamp\":\"2026-03-02T08:15:04.250Z\",\"event\":\"decision\",\"user\":\"mira@example.com\","
        "\"profile\":\"billing-ro\",\"effect\":\"allow\",\"rule\":\"billing-readers\",\"rule_index\":3,"
        "\"reason\":\"month-end close\",\"policy_path\":\"/sentinel/policies/finance\","
        "\"request_id\":\"5e0c91aa7j2k4m6n\",\"source_identity\":\"sentinel=mira@example.com=direct=5e0c91aa7j2k4m6n\","
        "\"role_arn\":\"arn:aws:iam::210987654321:role/SentinelProtected-BillingRO\",\"session_duration_seconds\":900,"
        "\"policy_effect\":\"allow\",\"outcome\":\"issued\",\"gateway_request_id\":\"JKJaXmPLvHcESHA=\","
        "\"caller_arn\":\"arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Finance_0123456789abcdef/"
        "mira@example.com\",\"account_id\":\"210987654321\",\"vouched\":true,"
        "\"access_key_id\":\"ASIAEXAMPLEKEYID0001\",\"policy_version\":\"7\"}");

    sn_buf_reset(&text);
    const struct sn_audit_opened opened = {.unix_ms = INT64_C(1772355600000),
        .reason = "new",
        .instance = SN_S("c4q9e2h7m1x5s8z3"),
        .version = SN_S("1.0.0")};
    sn_audit_opened_format(&text, &opened);
    assert_slice_equal(sn_buf_slice(&text),
        "{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"audit.opened\",\"reason\":\"new\","
        "\"instance\":\"c4q9e2h7m1x5s8z3\",\"version\":\"1.0.0\"}");
}

/* AUD-15, ATK-33: the encoding vector; text cannot end its string or its line. */
static void attack_33_text_stays_text(void **state)
{
    (void)state;
    static const struct {
        struct sn_slice text;
        size_t max;
        const char *expected;
    } rows[] = {
        {SN_S_INIT("a\"b\\c\n\x1b\x7f\xc2\x85\xc3\xa9\",\"effect\":\"allow"), 1024,
            "\"a\\\"b\\\\c\\u000a\\u001b\\u007f\\u0085\xc3\xa9\\\",\\\"effect\\\":\\\"allow\""},
        {SN_S_INIT(""), 10, "\"\""},
        {SN_S_INIT("a\0b"), 10, "\"a\\u0000b\""},
        {SN_S_INIT("\xe2\x80\xa8\xe2\x80\xa9/"), 10, "\"\\u2028\\u2029/\""},
        {SN_S_INIT("\xf0\x9f\x94\x92"), 10, "\"\xf0\x9f\x94\x92\""},
        {SN_S_INIT("a\xff\xc3(\xe2\x82"), 20, "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\""},
        {SN_S_INIT("\xed\xa0\x80"), 20, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {SN_S_INIT("0123456789"), 10, "\"0123456789\""},
        {SN_S_INIT("0123456789x"), 10, "\"0123456\xe2\x80\xa6\""},
        {SN_S_INIT("012345\xc3\xa9xyzw"), 10, "\"012345\xe2\x80\xa6\""},
        {SN_S_INIT("0123\xf0\x9f\x94\x92xyzw"), 10, "\"0123\xe2\x80\xa6\""},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
        sn_audit_text_format(&out, rows[i].text, rows[i].max);
        assert_slice_equal(sn_buf_slice(&out), rows[i].expected);
    }
}

/* AUD-15: such a reason in a whole entry leaves one valid object whose effect is unchanged. */
static void attack_33_reason_in_an_entry(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_audit_decision d = denial();
    struct sn_error err;

    d.reason = SN_S("x\n\x1b[31m\",\"effect\":\"allow");
    sn_audit_decision_format(&text, &d);
    assert_false(sn_slice_has_byte(sn_buf_slice(&text), '\n'));
    assert_ok(sn_json_parse(sn_buf_slice(&text), &sn_json_limits_document, &doc, &err), &err);
    assert_slice_equal(sn_json_text(sn_json_get(sn_json_root(doc), "effect")), "deny");
    assert_slice_equal(sn_json_text(sn_json_get(sn_json_root(doc), "reason")), "x\n\x1b[31m\",\"effect\":\"allow");
}

/* AUD-13: what the device evaluation saw; unknown facts leave no key. */
static void device_facts(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_posture posture = {.disk_encrypted = SN_FALSE, .mdm_enrolled = SN_TRUE, .os_type = SN_S("linux")};
    struct sn_audit_decision d = denial();

    d.posture = &posture;
    d.device_id = SN_S("abc");
    d.device_status = SN_S("unknown");
    sn_audit_decision_format(&text, &d);
    assert_non_null(
        strstr(sn_buf_str(&text), "\"device_id\":\"abc\",\"device_status\":\"unknown\",\"device_disk_encrypted\":false,"
                                  "\"device_mdm_enrolled\":true,\"device_os_type\":\"linux\",\"policy_effect\""));
    assert_null(strstr(sn_buf_str(&text), "device_mdm_compliant"));
    assert_null(strstr(sn_buf_str(&text), "device_firewall_enabled"));
}

/* The largest entry that can be asked for stays far below the limit of a record. */
static void bounded_entries(void **state)
{
    (void)state;
    static char huge[8192];
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_audit_decision d = denial();

    memset(huge, 1, sizeof(huge));
    const struct sn_slice t = {huge, sizeof(huge)};
    d.user = d.profile = d.rule = d.reason = d.policy_path = d.request_id = d.source_identity = d.role_arn = t;
    d.approved_request_id = d.break_glass_event_id = d.device_id = d.device_status = d.gateway_request_id = t;
    d.caller_arn = d.account_id = d.access_key_id = d.policy_version = d.policy_hash = d.policy_key_id = t;
    sn_audit_decision_format(&text, &d);
    assert_true(text.len < 200 * 1024);
    assert_false(text.overflow);
}

static void other_entries(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_audit_opened opened = {.unix_ms = T0,
        .reason = "sink_error",
        .instance = SN_S("c4q9e2h7m1x5s8z3"),
        .version = SN_S("1.0.0"),
        .previous_file = SN_S("audit-x.log"),
        .previous_stream = SN_S("7c9e6679f3a04d1b"),
        .previous_seq = 4,
        .previous_signature = SN_S("ab"),
        .torn_bytes = 7,
        .torn_sha256 = SN_S("cd")};

    sn_audit_undelivered_format(&text, T0, SN_S("2x8m5k0t7v3r9w1q"), "revoked");
    assert_slice_equal(sn_buf_slice(&text),
        "{\"timestamp\":\"2026-03-01T09:00:07.125Z\",\"event\":\"audit.undelivered\","
        "\"request_id\":\"2x8m5k0t7v3r9w1q\",\"reason\":\"revoked\"}");
    sn_buf_reset(&text);
    sn_audit_opened_format(&text, &opened);
    assert_slice_equal(sn_buf_slice(&text),
        "{\"timestamp\":\"2026-03-01T09:00:07.125Z\",\"event\":\"audit.opened\",\"reason\":\"sink_error\","
        "\"instance\":\"c4q9e2h7m1x5s8z3\",\"version\":\"1.0.0\",\"previous_file\":\"audit-x.log\","
        "\"previous_stream\":\"7c9e6679f3a04d1b\",\"previous_seq\":4,\"previous_signature\":\"ab\",\"torn_bytes\":7,"
        "\"torn_sha256\":\"cd\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_entries),
        cmocka_unit_test(attack_33_text_stays_text),
        cmocka_unit_test(attack_33_reason_in_an_entry),
        cmocka_unit_test(device_facts),
        cmocka_unit_test(bounded_entries),
        cmocka_unit_test(other_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
