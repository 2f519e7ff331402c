/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/test_run.h - running the cases of a test file, and what they cover (POL 14.1).
 */
#ifndef SN_CORE_POLICY_TEST_RUN_H
#define SN_CORE_POLICY_TEST_RUN_H

#include "core/policy/test_file.h"

/* What runs have shown of a policy; of several files for one policy together. */
struct sn_rule_coverage {
    bool has_decided;
    uint8_t has, held, failed_first; /* bit per enum sn_condition: written; true where the rule decided; failed first */
};
struct sn_coverage {
    struct sn_rule_coverage *rules;
    size_t rule_count;
    bool can_default, has_defaulted; /* the denial that no rule makes */
};
void sn_coverage_init(struct sn_coverage *coverage, const struct sn_policy *policy);
void sn_coverage_clear(struct sn_coverage *coverage);

struct sn_coverage_sum {
    size_t rules, rules_covered, conditions, conditions_covered;
};
void sn_coverage_add_to(const struct sn_coverage *coverage, struct sn_coverage_sum *sum);

/* One run of a case; borrowed for the call. */
struct sn_test_run {
    const struct sn_test_case *test;
    struct sn_slice principal, profile;
    bool has_time;
    int64_t unix_ms;
    const struct sn_case_posture *posture;
    const struct sn_policy_request *request;
    const struct sn_decision *decision;
    bool passed;
};
typedef void sn_test_run_fn(void *ctx, const struct sn_test_run *run);

/*
 * Runs every combination of a case. TIME_NEEDED when a run without time reaches a rule with a window. coverage and
 * report may be NULL.
 */
SN_MUST_CHECK enum sn_status sn_test_case_run(const struct sn_test_file *file, const struct sn_test_case *test,
    const struct sn_policy *policy, struct sn_coverage *coverage, sn_test_run_fn *report, void *ctx,
    struct sn_error *err);

/* The index of a rule by name; -1. */
int sn_policy_find_rule(const struct sn_policy *policy, struct sn_slice name);

#endif
