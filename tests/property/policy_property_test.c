/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/property/policy_property_test.c - generated policies and requests, decided by the product and by the naive
 * evaluator, and properties that hold for every policy.
 *
 * What is generated is counted too: which outcomes there were, and how often each part of a rule was met and not met.
 * The pairs may be shared out among several processes, each with its own stream: policy_property_test PART PARTS. The
 * seed is printed; SENTINEL_SEED repeats a run.
 */
#include "policy_fixture.h"

#include <stdlib.h>

#include "base/env.h"
#include "base/parse.h"
#include "counts.h"
#include "naive_policy.h"
#include "policy_generator.h"
#include "policy_pair.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 10 }; /* an instrumented run shows faults of memory; the counted proof is the ordinary run's */
#else
enum { SLOWER = 1 };
#endif
enum { REQUESTS_PER_POLICY = 400, SAMPLE = 16, TRACED = 64 };

static uint64_t seed_value = 20260126; /* the same run every time, unless asked */
static int64_t part_number, part_count = 1;

/* This program's share of the counted pairs. */
static int64_t pairs_of_this_part(void)
{
    int64_t share = sn_test_count("policy_pairs") / SLOWER / part_count;
    return share < REQUESTS_PER_POLICY ? REQUESTS_PER_POLICY : share;
}

/* --- what was tried --- */

struct share {
    int64_t yes, all;
};

static struct {
    struct share allow, approval, deny_by_rule, deny_by_default, beyond_a_block, hidden, edge, change, unvouched;
    struct share parts[NAIVE_PARTS];
} tried;

static void count(struct share *share, bool yes)
{
    share->yes += yes;
    share->all++;
}

static void count_rule(
    const struct naive_policy *policy, const struct naive_rule *rule, const struct naive_request *request)
{
    for (int part = 0; part < NAIVE_PARTS; part++) {
        if (naive_states(rule, (enum naive_part)part)) {
            count(&tried.parts[part], naive_meets(policy, rule, request, (enum naive_part)part));
        }
    }
}

/* Does an entry hold the name of a session that chose its name itself. */
static bool is_unvouched_name(
    const struct naive_policy *policy, const struct naive_rule *rule, const struct naive_request *request)
{
    for (int i = 0; i < rule->users.count; i++) {
        if (strcmp(rule->users.items[i], request->caller->name) == 0) {
            return strcmp(request->caller->kind, "role") == 0 && !naive_meets(policy, rule, request, NAIVE_NAME);
        }
    }
    return false;
}

/* Counts one pair: the outcome, and every part of every rule that was asked before one decided. */
static void count_pair(
    const struct naive_policy *policy, const struct naive_request *request, const struct naive_decision *decision)
{
    bool is_deny = strcmp(decision->effect, "deny") == 0;
    count(&tried.allow, strcmp(decision->effect, "allow") == 0);
    count(&tried.approval, strcmp(decision->effect, "require_approval") == 0);
    count(&tried.deny_by_rule, is_deny && decision->rule_index >= 0);
    count(&tried.deny_by_default, is_deny && decision->rule_index < 0);
    count(&tried.beyond_a_block, decision->rule_index >= 64);
    count(&tried.hidden, naive_is_hidden(policy, request));
    int asked = decision->rule_index >= 0 ? decision->rule_index + 1 : policy->rule_count;
    bool has_time = false, has_hours = false, is_beside_edge = false, is_beside_change = false;
    for (int i = 0; i < asked; i++) {
        const struct naive_rule *rule = &policy->rules[i];
        count_rule(policy, rule, request);
        if (naive_states(rule, NAIVE_NAME)) {
            count(&tried.unvouched, is_unvouched_name(policy, rule, request));
        }
        has_time |= rule->has_time;
        has_hours |= rule->has_time && rule->has_hours;
        is_beside_change |= rule->has_time && naive_is_beside_change(rule->timezone, request->unix_s);
        is_beside_edge |= rule->has_time && rule->has_hours && naive_is_beside_edge(rule, request->unix_s);
    }
    if (has_time) {
        count(&tried.change, is_beside_change);
    }
    if (has_hours) {
        count(&tried.edge, is_beside_edge);
    }
}

static void assert_share(const char *what, const struct share *share, double least, double most)
{
    double value = share->all > 0 ? (double)share->yes / (double)share->all : -1;
    print_message("# %-22s %5.1f %% of %lld\n", what, value * 100, (long long)share->all);
    if (value < least || value > most) {
        print_error("%s: %.2f %% lies outside %.1f to %.1f %%\n", what, value * 100, least * 100, most * 100);
        fail();
    }
}

/* A generator that hardly ever meets a condition, or never fails one, proves little however long it runs. */
static void assert_coverage(void)
{
    assert_share("allow", &tried.allow, 0.2, 0.6);
    assert_share("require_approval", &tried.approval, 0.05, 0.3);
    assert_share("deny by a rule", &tried.deny_by_rule, 0.1, 0.5);
    assert_share("deny by default", &tried.deny_by_default, 0.1, 0.5);
    assert_share("rule 64 or later", &tried.beyond_a_block, 0.005, 1);
    assert_share("hidden profiles", &tried.hidden, 0.05, 0.5);
    assert_share("beside a window edge", &tried.edge, 0.1, 1);
    assert_share("beside a clock change", &tried.change, 0.05, 1);
    assert_share("a name not vouched for", &tried.unvouched, 0.01, 0.5);
    for (int part = 0; part < NAIVE_PARTS; part++) {
        assert_share(naive_part_names[part], &tried.parts[part], 0.03, 0.97);
    }
}

/* --- comparing --- */

static const char *override_name(enum sn_override override)
{
    static const char *const words[] = {"none", "breakglass", "approval_or_breakglass"};
    return words[override];
}

static void report(const char *what, const struct sn_buf *text, const struct policy_pair *pair)
{
    const struct naive_request *r = &pair->naive.request;
    print_error("%s\n%s\ncaller %s (%s), profile %s, mode %s, at %lld, store '%s', posture %s\n", what,
        sn_buf_str(text), pair->naive.arn, r->caller->vouched ? "vouched" : "not vouched", r->profile, r->mode,
        (long long)r->unix_s, r->session_store, r->posture != NULL ? "known" : "none");
    fail();
}

static bool equal(const struct sn_decision *a, const struct naive_decision *b)
{
    return strcmp(sn_effect_name(a->effect), b->effect) == 0 && a->rule_index == b->rule_index &&
           a->requires_server_mode == b->requires_server_mode &&
           a->requires_session_tracking == b->requires_session_tracking &&
           strcmp(override_name(a->override), b->override) == 0;
}

static bool same_decision(const struct sn_decision *a, const struct sn_decision *b)
{
    return a->effect == b->effect && a->rule_index == b->rule_index && a->override == b->override;
}

static void check_pair(const struct naive_policy *naive, const struct sn_policy *policy,
    const struct sn_policy *inlined, const struct sn_buf *text, const struct policy_pair *pair)
{
    struct naive_decision expected = naive_evaluate(naive, &pair->naive.request);
    struct sn_decision decision, other;
    enum sn_effect access;
    sn_policy_evaluate(policy, &pair->product, &decision);
    if (!equal(&decision, &expected)) {
        print_error("expected %s by %d, got %s by %d\n", expected.effect, expected.rule_index,
            sn_effect_name(decision.effect), decision.rule_index);
        report("the evaluators differ", text, pair);
    }
    sn_policy_evaluate(inlined, &pair->product, &other);
    if (!same_decision(&other, &decision)) {
        report("a group is not what writing it out is", text, pair);
    }
    if (sn_policy_profile_is_visible(policy, &pair->product, &access) !=
        naive_is_visible(naive, &pair->naive.request)) {
        report("visibility differs", text, pair);
    }
    if (sn_policy_profile_is_hidden(policy, &pair->product) != naive_is_hidden(naive, &pair->naive.request)) {
        report("hiding differs", text, pair);
    }
    if (gen_one_in(SAMPLE)) {
        count_pair(naive, &pair->naive.request, &expected);
    }
    if (gen_one_in(TRACED)) { /* asserts inside that it agrees with the evaluation */
        struct sn_trace trace;
        sn_policy_trace(policy, &pair->product, &other, &trace);
        if (!same_decision(&other, &decision)) {
            report("the trace differs", text, pair);
        }
        sn_trace_clear(&trace);
    }
}

static struct sn_policy *load(const struct sn_buf *text)
{
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    if (sn_policy_load(sn_buf_slice(text), host_zones(), NULL, &policy, &err) != SN_OK) {
        print_error("%s\n%s\n", err.message, sn_buf_str(text));
        fail();
    }
    return policy;
}

static struct sn_policy *load_naive(const struct naive_policy *naive, bool inlined, struct sn_buf *text)
{
    sn_buf_reset(text);
    gen_write(text, naive, inlined);
    return load(text);
}

/* ATK-12, POL-01, POL-02, POL-45: the compiled evaluator and the naive one agree; groups are their entries. */
static void evaluators_agree(void **state)
{
    (void)state;
    int64_t pairs = pairs_of_this_part();
    struct sn_buf text = {0}, inlined_text = {0};
    static struct naive_policy naive;
    for (int64_t done = 0; done < pairs; done += REQUESTS_PER_POLICY) {
        gen_policy(&naive);
        struct sn_policy *policy = load_naive(&naive, false, &text);
        struct sn_policy *inlined = load_naive(&naive, true, &inlined_text);
        for (int i = 0; i < REQUESTS_PER_POLICY; i++) {
            static struct policy_pair pair;
            policy_pair_next(&naive, &pair);
            check_pair(&naive, policy, inlined, &text, &pair);
        }
        sn_policy_unref(policy);
        sn_policy_unref(inlined);
    }
    assert_coverage();
    sn_buf_clear(&text);
    sn_buf_clear(&inlined_text);
}

/* --- changes of a policy whose effect is known without a second evaluator --- */

static void put_rule(struct naive_policy *policy, int place, const char *effect)
{
    for (int i = policy->rule_count; i > place; i--) {
        policy->rules[i] = policy->rules[i - 1];
    }
    gen_rule(&policy->rules[place], 9999, policy->group_count);
    policy->rules[place].effect = effect;
    policy->rules[place].break_glass_never = false;
    policy->rule_count++;
}

struct changed {
    struct naive_policy naive, denied, cut;
    struct sn_policy *before, *commented, *after, *shorter;
};

static void make_changed(struct changed *c, struct sn_buf *text)
{
    gen_policy(&c->naive);
    c->naive.rule_count -= c->naive.rule_count == NAIVE_RULES_MAX;
    c->denied = c->cut = c->naive;
    put_rule(&c->denied, gen_below(c->naive.rule_count + 1), "deny");
    c->cut.rule_count = 1 + gen_below(c->naive.rule_count);
    c->before = load_naive(&c->naive, false, text);
    c->after = load_naive(&c->denied, false, text);
    c->shorter = load_naive(&c->cut, false, text);
    sn_buf_reset(text);
    sn_buf_add_str(text, "\xef\xbb\xbf# a comment: [\"*\n\n");
    gen_write(text, &c->naive, false);
    sn_buf_add_str(text, "\n   # and another\n");
    c->commented = load(text);
}

static void check_changed(const struct changed *c, const struct policy_pair *pair, const struct sn_buf *text)
{
    struct sn_decision first, same, last, cut;
    sn_policy_evaluate(c->before, &pair->product, &first);
    sn_policy_evaluate(c->commented, &pair->product, &same);
    sn_policy_evaluate(c->after, &pair->product, &last);
    sn_policy_evaluate(c->shorter, &pair->product, &cut);
    if (!same_decision(&first, &same)) {
        report("a comment changed a decision", text, pair);
    }
    if (last.effect != SN_EFFECT_DENY && last.effect != first.effect) {
        report("a deny rule opened something", text, pair);
    }
    bool was_kept = first.rule_index < c->cut.rule_count; /* the first match, or the default of all */
    bool is_default = cut.rule_index == -1 && cut.effect == SN_EFFECT_DENY &&
                      cut.override == SN_OVERRIDE_APPROVAL_OR_BREAKGLASS && cut.rule.len == 0;
    if (was_kept ? !same_decision(&first, &cut) : !is_default) {
        print_error("%d of %d rules are left\n", c->cut.rule_count, c->naive.rule_count);
        report("rules behind the first match counted", text, pair);
    }
}

/* POL-01, POL-02: a deny put in at any place never turns a request into an allow; what stands behind the rule that
 * decides does not count, and without that rule and all behind it nothing but the default is left; comments, blank
 * lines and a byte order mark change nothing. */
static void changes_of_policies(void **state)
{
    (void)state;
    int64_t policies = pairs_of_this_part() / REQUESTS_PER_POLICY / 4;
    struct sn_buf text = {0};
    static struct changed changed;
    for (int64_t done = 0; done <= policies; done++) {
        make_changed(&changed, &text);
        for (int i = 0; i < REQUESTS_PER_POLICY; i++) {
            static struct policy_pair pair;
            policy_pair_next(&changed.denied, &pair);
            check_changed(&changed, &pair, &text);
        }
        sn_policy_unref(changed.before);
        sn_policy_unref(changed.commented);
        sn_policy_unref(changed.after);
        sn_policy_unref(changed.shorter);
    }
    sn_buf_clear(&text);
}

static int64_t number_of(const char *text, const char *what)
{
    int64_t value = 0;
    struct sn_error err;
    if (sn_parse_int(sn_slice_str(text), 0, INT64_MAX, &value, &err) != SN_OK) {
        print_error("%s is a number\n", what);
        exit(1);
    }
    return value;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluators_agree),
        cmocka_unit_test(changes_of_policies),
    };
    if (sn_env_get("SENTINEL_SEED") != NULL) {
        seed_value = (uint64_t)number_of(sn_env_get("SENTINEL_SEED"), "SENTINEL_SEED");
    }
    if (argc == 3) {
        part_number = number_of(argv[1], "the part");
        part_count = number_of(argv[2], "the number of parts");
    }
    if (part_number >= part_count) {
        print_error("usage: policy_property_test [PART PARTS], parts counted from 0\n");
        return 1;
    }
    print_message("# SENTINEL_SEED=%llu, part %lld of %lld\n", (unsigned long long)seed_value, (long long)part_number,
        (long long)part_count);
    gen_seed(seed_value, (uint64_t)part_number);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
