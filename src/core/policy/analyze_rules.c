/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/analyze_rules.c - see analyze_rules.h.
 *
 * The space is a product and a rule asks each of its dimensions apart, so two rules meet in some point exactly when
 * they meet in every dimension. That is asked of sets, without going through the points.
 */
#include "core/policy/analyze_rules.h"

#include "base/alloc.h"
#include "core/policy/snapshot.h"

enum { DIMENSIONS = 4, WORD_BITS = 64 };

/* For each rule, one row of words for every dimension. */
struct rule_sets {
    const struct sn_policy *policy;
    size_t counts[DIMENSIONS], words[DIMENSIONS], offsets[DIMENSIONS], row_words;
    uint64_t *rows;
    bool *is_alive; /* the rule can match a request of a server at all */
};

static size_t words_of(size_t bits)
{
    return (bits + WORD_BITS - 1) / WORD_BITS;
}

static void set_row(struct rule_sets *sets, size_t rule, size_t dimension, const bool *flags)
{
    uint64_t *row = &sets->rows[rule * sets->row_words + sets->offsets[dimension]];
    for (size_t i = 0; i < sets->counts[dimension]; i++) {
        row[i / WORD_BITS] |= (uint64_t)flags[i] << (i % WORD_BITS);
    }
}

/* The first that both rules have in a dimension; SIZE_MAX: none. */
static size_t first_common(const struct rule_sets *sets, size_t a, size_t b, size_t dimension)
{
    const uint64_t *left = &sets->rows[a * sets->row_words + sets->offsets[dimension]];
    const uint64_t *right = &sets->rows[b * sets->row_words + sets->offsets[dimension]];
    for (size_t i = 0; i < sets->words[dimension]; i++) {
        uint64_t both = left[i] & right[i];
        if (both != 0) {
            return i * WORD_BITS + (size_t)__builtin_ctzll(both);
        }
    }
    return SIZE_MAX;
}

static bool meet(const struct rule_sets *sets, size_t a, size_t b, struct sn_point *out_point)
{
    uint32_t at[DIMENSIONS];
    for (size_t dimension = 0; dimension < DIMENSIONS; dimension++) {
        size_t first = first_common(sets, a, b, dimension);
        if (first == SIZE_MAX) {
            return false;
        }
        at[dimension] = (uint32_t)first;
    }
    *out_point = (struct sn_point){.profile = at[0], .caller = at[1], .instant = at[2], .device = at[3]};
    return true;
}

static enum sn_status make_sets(const struct sn_space *space, const struct sn_analysis_version *version,
    uint32_t document, struct rule_sets *sets, struct sn_error *err)
{
    const size_t counts[DIMENSIONS] = {
        space->profile_count, space->caller_count, space->instant_count, space->device_count};
    size_t rules = sets->policy->rule_count;
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    bool *governs = sn_arena_alloc(&arena, space->profile_count, sizeof(bool));
    for (size_t i = 0; i < space->profile_count; i++) {
        governs[i] = version->find(version->ctx, space->profiles[i]) == document;
    }
    for (size_t dimension = 0; dimension < DIMENSIONS; dimension++) {
        sets->counts[dimension] = counts[dimension];
        sets->offsets[dimension] = sets->row_words;
        sets->words[dimension] = words_of(counts[dimension]);
        sets->row_words += sets->words[dimension];
    }
    if (rules * sets->row_words > SN_SPACE_MAX_STATE_BYTES / sizeof(uint64_t)) {
        return sn_fail(err, SN_LIMIT, "SPACE_TOO_LARGE", "%zu rules with %zu combinations of open windows are too many",
            rules, space->instant_count);
    }
    sets->rows = sn_alloc(rules * sets->row_words, sizeof(uint64_t));
    sets->is_alive = sn_alloc(rules, sizeof(bool));
    for (size_t rule = 0; rule < rules; rule++) {
        SN_AUTO(sn_arena_clear) struct sn_arena scratch = {0};
        struct sn_rule_reach reach;
        struct sn_point ignored;
        sn_space_rule_reach(space, sets->policy, rule, &scratch, &reach);
        for (size_t i = 0; i < space->profile_count; i++) {
            reach.profiles[i] &= governs[i];
        }
        set_row(sets, rule, 0, reach.profiles);
        set_row(sets, rule, 1, reach.callers);
        set_row(sets, rule, 2, reach.instants);
        set_row(sets, rule, 3, reach.devices);
        sets->is_alive[rule] = reach.mode && meet(sets, rule, rule, &ignored);
    }
    return SN_OK;
}

static void clear_sets(struct rule_sets *sets)
{
    sn_free(sets->rows);
    sn_free(sets->is_alive);
}

static void report_idle(const struct sn_space *space, const struct rule_sets *sets, uint32_t document, size_t rule,
    struct sn_analysis *analysis)
{
    const struct sn_rule *r = &sets->policy->rules[rule];
    struct sn_analysis_finding finding = {.severity = SN_SEVERITY_WARNING,
        .code = SN_FOUND_NEVER_MATCHES,
        .document = document,
        .rules = {(uint32_t)rule},
        .rule_count = 1,
        .has_witness = sets->is_alive[rule]};
    if (!finding.has_witness) {
        finding.message = sn_arena_printf(
            &analysis->arena, "rule '%.*s' (index %zu) matches no request that can be made", SN_PRI(r->name), rule);
    } else {
        struct sn_policy_request request;
        struct sn_decision decision;
        (void)meet(sets, rule, rule, &finding.witness);
        sn_space_request(space, &finding.witness, &request);
        sn_policy_evaluate(sets->policy, &request, &decision);
        finding.message = sn_arena_printf(&analysis->arena,
            "rule '%.*s' (index %zu) decides nothing, since earlier rules do; here '%.*s' (index %d)", SN_PRI(r->name),
            rule, SN_PRI(decision.rule), decision.rule_index);
    }
    (void)sn_analysis_add(analysis, &finding);
}

static void report_conflict(const struct rule_sets *sets, uint32_t document, size_t first, size_t second,
    const struct sn_point *witness, struct sn_analysis *analysis, size_t *count)
{
    const struct sn_rule *a = &sets->policy->rules[first], *b = &sets->policy->rules[second];
    if ((*count)++ >= SN_ANALYSIS_CONFLICTS_MAX) {
        analysis->conflicts_left_out++;
        return;
    }
    (void)sn_analysis_add(analysis,
        &(struct sn_analysis_finding){.severity = SN_SEVERITY_INFO,
            .code = SN_FOUND_CONFLICT,
            .document = document,
            .rules = {(uint32_t)first, (uint32_t)second},
            .rule_count = 2,
            .has_witness = true,
            .witness = *witness,
            .message = sn_arena_printf(&analysis->arena,
                "'%.*s' (index %zu, %s) and '%.*s' (index %zu, %s) match the same request, and the first one wins",
                SN_PRI(a->name), first, sn_rule_effect_name(a->effect), SN_PRI(b->name), second,
                sn_rule_effect_name(b->effect))});
}

enum sn_status sn_analyze_rules(const struct sn_space *space, const struct sn_analysis_version *version,
    uint32_t document, const bool *decides, struct sn_analysis *analysis, struct sn_error *err)
{
    SN_AUTO(clear_sets) struct rule_sets sets = {.policy = version->policies[document]};
    size_t rules = sets.policy->rule_count, conflicts = 0;

    SN_TRY(make_sets(space, version, document, &sets, err));
    for (size_t rule = 0; rule < rules; rule++) {
        if (!decides[rule]) {
            report_idle(space, &sets, document, rule, analysis);
        }
    }
    for (size_t a = 0; a < rules; a++) {
        for (size_t b = a + 1; b < rules && sets.is_alive[a]; b++) {
            struct sn_point witness;
            if (sets.is_alive[b] && sets.policy->rules[a].effect != sets.policy->rules[b].effect &&
                meet(&sets, a, b, &witness)) {
                report_conflict(&sets, document, a, b, &witness, analysis, &conflicts);
            }
        }
    }
    return SN_OK;
}
