/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/test_run.c - see test_run.h. */
#include "core/policy/test_run.h"

#include "base/alloc.h"
#include "core/policy/snapshot.h"

/* --- Coverage --- */

static uint8_t written(const struct sn_rule *rule)
{
    return (uint8_t)((unsigned)rule->has_profiles << SN_CONDITION_PROFILES |
                     (unsigned)rule->has_users << SN_CONDITION_USERS | (unsigned)rule->has_time << SN_CONDITION_TIME |
                     (rule->modes != 0 ? 1u : 0u) << SN_CONDITION_MODE |
                     (unsigned)rule->has_device << SN_CONDITION_DEVICE);
}

void sn_coverage_init(struct sn_coverage *coverage, const struct sn_policy *policy)
{
    *coverage = (struct sn_coverage){.rule_count = policy->rule_count, .can_default = true};
    coverage->rules = sn_alloc(policy->rule_count, sizeof(*coverage->rules));
    for (size_t i = 0; i < policy->rule_count; i++) {
        coverage->rules[i].has = written(&policy->rules[i]);
        coverage->can_default &= coverage->rules[i].has != 0;
    }
}

void sn_coverage_clear(struct sn_coverage *coverage)
{
    sn_free(coverage->rules);
    *coverage = (struct sn_coverage){0};
}

void sn_coverage_add_to(const struct sn_coverage *coverage, struct sn_coverage_sum *sum)
{
    for (size_t i = 0; i < coverage->rule_count; i++) {
        const struct sn_rule_coverage *rule = &coverage->rules[i];
        sum->rules++;
        sum->rules_covered += rule->has_decided;
        sum->conditions += (size_t)__builtin_popcount(rule->has);
        sum->conditions_covered += (size_t)__builtin_popcount((unsigned)(rule->has & rule->held & rule->failed_first));
    }
    sum->rules += coverage->can_default;
    sum->rules_covered += coverage->can_default && coverage->has_defaulted;
}

static void note(struct sn_coverage *coverage, const struct sn_policy *policy, const struct sn_policy_ids *ids,
    const struct sn_policy_request *request, int decided)
{
    size_t reached = decided < 0 ? policy->rule_count : (size_t)decided;
    for (size_t i = 0; i < reached; i++) {
        enum sn_condition failed = sn_policy_first_failure(policy, ids, request, i);
        SN_ASSERT(failed != SN_CONDITIONS);
        coverage->rules[i].failed_first |= (uint8_t)(1u << failed);
    }
    if (decided < 0) {
        coverage->has_defaulted = true;
    } else {
        coverage->rules[decided].has_decided = true;
        coverage->rules[decided].held |= coverage->rules[decided].has;
    }
}

/* --- Runs --- */

/* Without a time, nothing can be said once a rule with a window is reached whose profiles and users match. */
static bool needs_time(
    const struct sn_policy *policy, const struct sn_policy_ids *ids, const struct sn_policy_request *request)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        enum sn_condition failed = sn_policy_first_failure(policy, ids, request, i);
        if (failed == SN_CONDITION_PROFILES || failed == SN_CONDITION_USERS) {
            continue;
        }
        if (policy->rules[i].has_time) {
            return true;
        }
        if (failed == SN_CONDITIONS) {
            return false;
        }
    }
    return false;
}

static bool meets(const struct sn_expectation *expected, const struct sn_decision *got)
{
    return expected->effect == got->effect && (!expected->has_rule || sn_slice_eq(expected->rule, got->rule)) &&
           (!expected->has_reason || sn_slice_eq(expected->reason, got->reason)) &&
           (!expected->has_override || expected->override == got->override) &&
           (!expected->has_duration || expected->duration_s == got->max_server_duration_s) &&
           (!expected->has_table || sn_slice_eq(expected->table, got->session_table));
}

struct runner {
    const struct sn_test_file *file;
    const struct sn_test_case *test;
    const struct sn_policy *policy;
    struct sn_coverage *coverage;
    sn_test_run_fn *report;
    void *ctx;
};

static enum sn_status run_one(const struct runner *runner, const struct sn_principal *principal,
    const struct sn_test_run *run, struct sn_error *err)
{
    struct sn_policy_request request;
    struct sn_policy_ids ids;
    struct sn_decision decision;
    int64_t unix_s = run->unix_ms / 1000 - (run->unix_ms % 1000 < 0 ? 1 : 0);

    sn_trial_request(&runner->file->server, principal, run->profile, unix_s,
        run->posture->is_known ? &run->posture->posture : NULL, &request);
    request.mode = runner->test->mode;
    sn_policy_intern(runner->policy, &request, &ids);
    if (!run->has_time && needs_time(runner->policy, &ids, &request)) {
        sn_fail(err, SN_INVALID, "TIME_NEEDED",
            "line %u: case '%.*s' reaches a rule with a time window and has no time", runner->test->line,
            SN_SHOW(runner->test->name));
        return sn_suggest(err, "add 'time' to the case");
    }
    sn_policy_evaluate_ids(runner->policy, &ids, &request, &decision);
    if (runner->coverage != NULL) {
        note(runner->coverage, runner->policy, &ids, &request, decision.rule_index);
    }
    if (runner->report != NULL) {
        struct sn_test_run done = *run;
        done.request = &request;
        done.decision = &decision;
        done.passed = meets(&runner->test->expected, &decision);
        runner->report(runner->ctx, &done);
    }
    return SN_OK;
}

enum sn_status sn_test_case_run(const struct sn_test_file *file, const struct sn_test_case *test,
    const struct sn_policy *policy, struct sn_coverage *coverage, sn_test_run_fn *report, void *ctx,
    struct sn_error *err)
{
    struct runner runner = {file, test, policy, coverage, report, ctx};
    struct sn_trial_server server = file->server;
    size_t times = test->time_count > 0 ? test->time_count : 1;

    for (size_t who = 0; who < test->principal_count; who++) {
        struct sn_principal principal;
        SN_TRY(sn_trial_principal(test->principals[who], &server, &principal, err));
        /* The other three lists as the digits of one number. */
        for (size_t n = 0; n < test->profile_count * times * test->posture_count; n++) {
            size_t when = n / test->posture_count % times;
            struct sn_test_run run = {.test = test,
                .principal = test->principals[who],
                .profile = test->profiles[n / test->posture_count / times],
                .has_time = test->time_count > 0,
                .unix_ms = test->time_count > 0 ? test->unix_ms[when] : 0,
                .posture = &test->postures[n % test->posture_count]};
            SN_TRY(run_one(&runner, &principal, &run, err));
        }
    }
    return SN_OK;
}

int sn_policy_find_rule(const struct sn_policy *policy, struct sn_slice name)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (sn_slice_eq(policy->rules[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}
