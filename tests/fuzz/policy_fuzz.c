/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/policy_fuzz.c - access policies: read, checked, compiled, asked.
 *
 * A policy either loads without an error among its findings or does not exist; one that loads answers every request,
 * its trace agrees with its decision (asserted inside), and only a granting rule allows.
 */
#include "fuzz.h"

#include "core/policy/canonical.h"
#include "core/policy/findings.h"
#include "core/policy/lint.h"
#include "core/policy/policy.h"
#include "core/policy/tz.h"

static enum sn_status no_zone(void *ctx, struct sn_slice name, struct sn_buf *out_tzif, struct sn_error *err)
{
    static const char fixed[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1"
                                "\0\0\x0e\x10\0\0"; /* version 1, one type, an hour east */
    (void)ctx;
    FUZZ_CHECK(sn_tz_name_is_valid(name));
    if (sn_slice_eq_str(name, "Europe/Berlin")) {
        sn_buf_add_bytes(out_tzif, fixed, sizeof(fixed)); /* the final NUL is the one name byte */
        return SN_OK;
    }
    return sn_fail(err, SN_NOT_FOUND, "UNKNOWN_ZONE", "no such zone");
}

static void ask(const struct sn_policy *policy, struct sn_slice profile, int64_t unix_s)
{
    static const struct sn_principal caller = {.arn = "arn:aws:iam::111122223333:user/alice",
        .partition = "aws",
        .account = "111122223333",
        .type = SN_PRINCIPAL_USER,
        .name = "alice",
        .vouched = true};
    static const struct sn_posture posture = {
        .mdm_enrolled = SN_TRUE, .os_type = SN_S_INIT("darwin"), .os_version = SN_S_INIT("14.2")};
    for (int mode = 0; mode < 3; mode++) {
        struct sn_policy_request request = {.principal = &caller,
            .own_account = "111122223333",
            .profile = profile,
            .unix_s = unix_s,
            .mode = (enum sn_mode)mode,
            .session_store = SN_S("s"),
            .posture = mode == 1 ? NULL : &posture};
        struct sn_decision decision, traced;
        struct sn_trace trace;
        enum sn_effect access = SN_EFFECT_DENY;
        sn_policy_evaluate(policy, &request, &decision);
        sn_policy_trace(policy, &request, &traced, &trace);
        FUZZ_CHECK(traced.effect == decision.effect && traced.rule_index == decision.rule_index);
        FUZZ_CHECK(trace.count + trace.other_rules == sn_policy_rule_count(policy));
        for (size_t i = 0; i < trace.count; i++) {
            FUZZ_CHECK(trace.steps[i].outcome != SN_TRACE_MATCHED || decision.effect != SN_EFFECT_ALLOW ||
                       (trace.steps[i].effect != SN_RULE_DENY && trace.steps[i].effect != SN_RULE_REQUIRE_APPROVAL));
        }
        bool visible = sn_policy_profile_is_visible(policy, &request, &access);
        FUZZ_CHECK(visible == (access != SN_EFFECT_DENY));
        FUZZ_CHECK(!visible || !sn_policy_profile_is_hidden(policy, &request));
        sn_trace_clear(&trace);
    }
}

/* The canonical form loads, decides the same, and is its own canonical form. */
static void check_canonical(const struct sn_policy *policy, struct sn_slice text, const struct sn_tz_source *zones)
{
    SN_AUTO(sn_buf_clear) struct sn_buf canonical = SN_BUF_INIT(1 << 24), again = SN_BUF_INIT(1 << 24);
    struct sn_policy *other = NULL;
    struct sn_error err = {0};
    FUZZ_CHECK(sn_document_canonical(SN_DOCUMENT_POLICY, text, &canonical, &err) == SN_OK);
    FUZZ_CHECK(sn_document_canonical(SN_DOCUMENT_POLICY, sn_buf_slice(&canonical), &again, &err) == SN_OK);
    FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&canonical), sn_buf_slice(&again)));
    FUZZ_CHECK(sn_policy_load(sn_buf_slice(&canonical), zones, NULL, &other, &err) == SN_OK);
    FUZZ_CHECK(sn_policy_rule_count(policy) == sn_policy_rule_count(other));
    for (int64_t unix_s = 1769418000; unix_s < 1769418000 + 7 * 86400; unix_s += 7 * 3600) {
        struct sn_principal caller = {.arn = "arn:aws:iam::111122223333:user/alice",
            .account = "111122223333",
            .type = SN_PRINCIPAL_USER,
            .name = "alice",
            .vouched = true};
        struct sn_posture posture = {.mdm_enrolled = SN_TRUE, .os_type = SN_S("darwin"), .os_version = SN_S("14.2")};
        struct sn_policy_request request = {.principal = &caller,
            .own_account = "111122223333",
            .profile = SN_S("dev"),
            .unix_s = unix_s,
            .posture = unix_s % 2 == 0 ? &posture : NULL};
        struct sn_decision a, b;
        sn_policy_evaluate(policy, &request, &a);
        sn_policy_evaluate(other, &request, &b);
        FUZZ_CHECK(a.effect == b.effect && a.rule_index == b.rule_index && sn_slice_eq(a.reason, b.reason) &&
                   a.max_server_duration_s == b.max_server_duration_s && a.override == b.override);
    }
    sn_policy_unref(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sn_tz_source zones = {.read = no_zone};
    struct sn_findings findings = {0};
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    enum sn_status status = sn_policy_load(sn_slice_bytes(data, size), &zones, &findings, &policy, &err);
    FUZZ_CHECK((status == SN_OK) == (findings.errors == 0));
    FUZZ_CHECK((status == SN_OK) == (policy != NULL));
    for (size_t i = 0; i < findings.count; i++) {
        for (size_t k = 0; k < findings.items[i].message.len; k++) {
            FUZZ_CHECK((unsigned char)findings.items[i].message.ptr[k] >= 0x20);
        }
    }
    if (policy != NULL) {
        sn_policy_lint(policy, NULL, &findings);
        FUZZ_CHECK(findings.errors == 0);
        sn_policy_lint_sort(&findings, 0);
        check_canonical(policy, sn_slice_bytes(data, size), &zones);
        ask(policy, SN_S("dev"), 1769418000);
        ask(policy, SN_S("prod"), 1711846800);
        ask(policy, SN_S(""), -1);
    }
    sn_policy_unref(policy);
    sn_findings_clear(&findings);
    return 0;
}
