/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/policy_test_fuzz.c - test files of policies: read, and run against a small policy.
 *
 * A file either loads without an error among its findings or fails; one that loads runs each case at most as often as
 * the limit says, and a decision that no expectation was compared with is never reported as passed.
 */
#include "fuzz.h"

#include "core/policy/limits.h"
#include "core/policy/test_run.h"

static void count_run(void *ctx, const struct sn_test_run *run)
{
    size_t *runs = ctx;
    (*runs)++;
    FUZZ_CHECK(!run->passed || run->decision->effect == run->test->expected.effect);
    FUZZ_CHECK(run->profile.len > 0 && run->principal.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char policy_text[] =
        "{version: 1, rules: [{name: a, effect: require_server_session, conditions: {profiles: [p], users: [u, "
        "\"role:R\"], time: {days: [monday]}}}, {name: b, effect: allow, conditions: {profiles: [q], device: "
        "{require_mdm: true, min_os_version: \"2\"}}}, {name: c, effect: deny, conditions: {}}]}";
    struct sn_findings findings = {0};
    struct sn_test_file file = {0};
    struct sn_policy *policy = NULL;
    struct sn_coverage coverage;
    struct sn_error err = {0};
    FUZZ_CHECK(sn_policy_load(sn_slice_str(policy_text), NULL, NULL, &policy, &err) == SN_OK);
    sn_coverage_init(&coverage, policy);
    enum sn_status status = sn_test_file_load(sn_slice_bytes(data, size), &findings, &file, &err);
    FUZZ_CHECK((status == SN_OK) == (findings.errors == 0));
    for (size_t i = 0; status == SN_OK && i < file.case_count; i++) {
        size_t runs = 0;
        (void)!sn_test_case_run(&file, &file.cases[i], policy, &coverage, count_run, &runs, &err);
        FUZZ_CHECK(runs <= SN_TESTS_MAX_RUNS);
    }
    sn_coverage_clear(&coverage);
    sn_policy_unref(policy);
    sn_test_file_clear(&file);
    sn_findings_clear(&findings);
    return 0;
}
