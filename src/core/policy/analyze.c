/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/analyze.c - reach and its changes; see analyze.h.
 *
 * A grant outlives the instant at which it is given, so that an automatic approval or an emergency counts when it can
 * be had at any instant, and not only while the policy asks for it.
 */
#include "core/policy/analyze.h"

#include <string.h>

#include "base/alloc.h"
#include "core/policy/analyze_rules.h"
#include "core/policy/approval.h"
#include "core/policy/breakglass.h"
#include "core/policy/join.h"
#include "core/policy/ruleset_shape.h"
#include "core/request/request.h"

enum { EFFECTS = 3 };

const char *sn_analysis_code_word(enum sn_analysis_code code)
{
    switch (code) {
    case SN_FOUND_NEVER_MATCHES:
        return "never-matches";
    case SN_FOUND_CONFLICT:
        return "conflict";
    case SN_FOUND_REACH_GROWN:
        return "reach-grown";
    case SN_FOUND_REACH_SHRUNK:
        return "reach-shrunk";
    }
    return "";
}

void sn_analysis_clear(struct sn_analysis *analysis)
{
    sn_free(analysis->reach);
    sn_free(analysis->findings);
    sn_free(analysis->changes);
    sn_free(analysis->weeks);
    sn_arena_clear(&analysis->arena);
    *analysis = (struct sn_analysis){0};
}

struct sn_analysis_finding *sn_analysis_add(struct sn_analysis *analysis, const struct sn_analysis_finding *finding)
{
    if (analysis->finding_count == analysis->finding_capacity) {
        analysis->finding_capacity = analysis->finding_capacity == 0 ? 32 : analysis->finding_capacity * 2;
        analysis->findings = sn_realloc(analysis->findings, analysis->finding_capacity, sizeof(*analysis->findings));
    }
    analysis->findings[analysis->finding_count] = *finding;
    return &analysis->findings[analysis->finding_count++];
}

/* --- The words of approval and break-glass policies --- */

static void add_entries(struct sn_vocabulary *words, const struct sn_ruleset *ruleset, const struct sn_entry_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct sn_entry *entry = &list->items[i];
        if (entry->kind == SN_ENTRY_GROUP) {
            add_entries(words, ruleset, &ruleset->groups[entry->group]); /* groups do not nest */
        } else {
            sn_vocabulary_add_entry(words, entry->text);
        }
    }
}

static void add_time(struct sn_vocabulary *words, const struct sn_time_window *time)
{
    if (time->is_set) {
        sn_vocabulary_add_window(words, &time->window, time->zone, time->zone_name);
    }
}

static void add_profiles(struct sn_vocabulary *words, const struct sn_rule_head *head)
{
    for (size_t i = 0; i < head->profiles.count && !words->has_catalog; i++) {
        (void)sn_strtab_add(&words->profiles, 0, head->profiles.items[i]);
    }
}

void sn_vocabulary_add_rulesets(
    struct sn_vocabulary *words, const struct sn_ruleset *approval, const struct sn_ruleset *breakglass)
{
    for (size_t i = 0; i < sn_ruleset_rule_count(approval); i++) {
        const struct sn_approver_rule *rule = sn_ruleset_rule(approval, SN_DOCUMENT_APPROVAL, i);
        add_profiles(words, &rule->head);
        if (rule->auto_approve.is_set) {
            add_entries(words, approval, &rule->auto_approve.users);
            add_time(words, &rule->auto_approve.time);
        }
    }
    for (size_t i = 0; i < sn_ruleset_rule_count(breakglass); i++) {
        const struct sn_breakglass_rule *rule = sn_ruleset_rule(breakglass, SN_DOCUMENT_BREAKGLASS, i);
        add_profiles(words, &rule->head);
        add_entries(words, breakglass, &rule->users);
        add_time(words, &rule->time);
    }
}

/* --- Reach --- */

/* What one profile and one caller have shown so far. */
struct pair {
    const struct sn_policy *now, *before;
    uint32_t now_document;
    uint8_t results;
    bool admits_approval, admits_breakglass;
    struct sn_point of_effect[EFFECTS], of_approval, of_breakglass;
    uint64_t changed[EFFECTS][EFFECTS];
    struct sn_point of_change[EFFECTS][EFFECTS];
};

struct survey {
    const struct sn_space *space;
    const struct sn_analysis_input *input;
    struct sn_analysis *analysis;
    bool **decides;        /* by document and rule */
    uint32_t **granted_to; /* the same: number + 1 of the pair that the rule granted last */
    struct sn_via *vias;   /* of the pair */
    size_t via_count, via_capacity;
};

static void add_via(struct survey *s, enum sn_via_kind kind, struct sn_slice rule)
{
    if (s->via_count == s->via_capacity) {
        s->via_capacity = s->via_capacity == 0 ? 16 : s->via_capacity * 2;
        s->vias = sn_realloc(s->vias, s->via_capacity, sizeof(*s->vias));
    }
    s->vias[s->via_count++] = (struct sn_via){kind, rule};
}

static void note_decision(
    struct survey *s, struct pair *pair, const struct sn_point *point, const struct sn_decision *decision)
{
    uint32_t number = point->profile * (uint32_t)s->space->caller_count + point->caller + 1;
    if ((pair->results >> decision->effect & 1) == 0) {
        pair->results |= (uint8_t)(1u << decision->effect);
        pair->of_effect[decision->effect] = *point;
    }
    if (decision->override == SN_OVERRIDE_APPROVAL_OR_BREAKGLASS && !pair->admits_approval) {
        pair->admits_approval = true;
        pair->of_approval = *point;
    }
    if (decision->override != SN_OVERRIDE_NONE && !pair->admits_breakglass) {
        pair->admits_breakglass = true;
        pair->of_breakglass = *point;
    }
    if (decision->rule_index < 0) {
        return;
    }
    s->decides[pair->now_document][decision->rule_index] = true;
    if (decision->effect == SN_EFFECT_ALLOW && s->granted_to[pair->now_document][decision->rule_index] != number) {
        s->granted_to[pair->now_document][decision->rule_index] = number;
        add_via(s, SN_VIA_RULE, decision->rule);
    }
}

/* One device at all instants. */
static void survey_device(struct survey *s, struct pair *pair, struct sn_point point)
{
    bool compares = s->input->before.find != NULL;
    struct sn_policy_request request;
    struct sn_policy_ids now_ids, before_ids;
    struct sn_decision now, before;
    sn_space_request(s->space, &point, &request);
    sn_policy_intern(pair->now, &request, &now_ids);
    sn_policy_intern(pair->before, &request, &before_ids);
    for (point.instant = 0; point.instant < s->space->instant_count; point.instant++) {
        request.unix_s = s->space->instants[point.instant];
        sn_policy_evaluate_ids(pair->now, &now_ids, &request, &now);
        note_decision(s, pair, &point, &now);
        if (compares) {
            sn_policy_evaluate_ids(pair->before, &before_ids, &request, &before);
            if (pair->changed[before.effect][now.effect]++ == 0) {
                pair->of_change[before.effect][now.effect] = point;
            }
        }
    }
}

/* The rule that approves by itself at some instant, or NULL. */
static const struct sn_approver_rule *find_auto_approval(
    const struct survey *s, const struct sn_principal *who, struct sn_slice profile)
{
    const struct sn_approver_rule *rule = sn_approver_rule_find(s->input->approval, profile);
    for (size_t i = 0; rule != NULL && i < s->space->instant_count; i++) {
        if (sn_approval_is_automatic(s->input->approval, rule, who, sn_trial_own_account(&s->space->server),
                s->space->instants[i], SN_ACCESS_DURATION_MIN_S)) {
            return rule;
        }
    }
    return NULL;
}

static const struct sn_breakglass_rule *find_emergency(
    const struct survey *s, const struct sn_principal *who, struct sn_slice profile)
{
    const struct sn_breakglass_rule *rule = sn_breakglass_rule_find(s->input->breakglass, profile);
    for (size_t i = 0; rule != NULL && i < s->space->instant_count; i++) {
        struct sn_breakglass_request request = {.principal = who,
            .own_account = sn_trial_own_account(&s->space->server),
            .profile = profile,
            .reason =
                rule->reason_codes != 0 ? (enum sn_reason_code)__builtin_ctz(rule->reason_codes) : SN_REASON_INCIDENT,
            .unix_s = s->space->instants[i],
            .duration_s = SN_ACCESS_DURATION_MIN_S};
        if (sn_breakglass_ask(s->input->breakglass, &request, &rule) == SN_BREAKGLASS_ALLOWED) {
            return rule;
        }
    }
    return NULL;
}

static void keep_changes(struct survey *s, const struct pair *pair, uint32_t profile, uint32_t caller)
{
    struct sn_analysis *a = s->analysis;
    for (unsigned from = 0; from < EFFECTS; from++) {
        for (unsigned to = 0; to < EFFECTS; to++) {
            if (from == to || pair->changed[from][to] == 0) {
                continue;
            }
            if (a->change_count == a->change_capacity) {
                a->change_capacity = a->change_capacity == 0 ? 32 : a->change_capacity * 2;
                a->changes = sn_realloc(a->changes, a->change_capacity, sizeof(*a->changes));
            }
            a->changes[a->change_count++] = (struct sn_reach_change){profile, caller, (enum sn_effect)from,
                (enum sn_effect)to, pair->changed[from][to], pair->of_change[from][to]};
        }
    }
}

static const struct sn_policy *policy_for(
    const struct sn_analysis_version *version, struct sn_slice profile, uint32_t *out_document)
{
    *out_document = version->find != NULL ? version->find(version->ctx, profile) : SN_NO_DOCUMENT;
    return *out_document != SN_NO_DOCUMENT ? version->policies[*out_document] : NULL;
}

static void survey_pair(struct survey *s, uint32_t profile, uint32_t caller)
{
    struct pair pair = {0};
    struct sn_analysis *a = s->analysis;
    struct sn_slice name = s->space->profiles[profile];
    const struct sn_principal *who = &s->space->callers[caller].who;
    uint32_t ignored = 0;
    pair.now = policy_for(&s->input->now, name, &pair.now_document);
    pair.before = policy_for(&s->input->before, name, &ignored);
    s->via_count = 0;
    for (uint32_t device = 0; device < s->space->device_count; device++) {
        survey_device(s, &pair, (struct sn_point){.profile = profile, .caller = caller, .device = device});
    }
    bool is_granted = s->via_count > 0;
    const struct sn_approver_rule *automatic = pair.admits_approval ? find_auto_approval(s, who, name) : NULL;
    const struct sn_breakglass_rule *emergency = pair.admits_breakglass ? find_emergency(s, who, name) : NULL;
    if (automatic != NULL) {
        add_via(s, SN_VIA_AUTO_APPROVAL, automatic->head.name);
    }
    if (emergency != NULL) {
        add_via(s, SN_VIA_BREAK_GLASS, emergency->head.name);
    }
    struct sn_via *kept = sn_arena_alloc(&a->arena, s->via_count, sizeof(*kept));
    for (size_t i = 0; i < s->via_count; i++) {
        kept[i] = s->vias[i];
    }
    bool asks = (pair.results >> SN_EFFECT_REQUIRE_APPROVAL & 1) != 0;
    a->reach[a->reach_count++] = (struct sn_reach){.profile = profile,
        .caller = caller,
        .results = pair.results,
        .vias = kept,
        .via_count = s->via_count,
        .asks_second = asks || (pair.admits_approval && sn_approver_rule_find(s->input->approval, name) != NULL),
        .witness = is_granted          ? pair.of_effect[SN_EFFECT_ALLOW]
                   : automatic != NULL ? pair.of_approval
                   : emergency != NULL ? pair.of_breakglass
                   : asks              ? pair.of_effect[SN_EFFECT_REQUIRE_APPROVAL]
                                       : pair.of_effect[SN_EFFECT_DENY]};
    keep_changes(s, &pair, profile, caller);
}

/* --- Changes as findings --- */

static void report_change(struct survey *s, const struct sn_reach_change *change)
{
    struct sn_policy_request request;
    struct sn_decision decision;
    uint32_t document = SN_NO_DOCUMENT;
    struct sn_slice profile = s->space->profiles[change->profile];
    /* From a denial to anything, or to a grant from wherever. */
    bool grows = change->from == SN_EFFECT_DENY || change->to == SN_EFFECT_ALLOW;
    const struct sn_policy *policy = policy_for(&s->input->now, profile, &document);
    sn_space_request(s->space, &change->witness, &request);
    sn_policy_evaluate(policy, &request, &decision);
    bool has_rule = decision.rule_index >= 0;
    (void)sn_analysis_add(s->analysis,
        &(struct sn_analysis_finding){.severity = grows ? SN_SEVERITY_WARNING : SN_SEVERITY_INFO,
            .code = grows ? SN_FOUND_REACH_GROWN : SN_FOUND_REACH_SHRUNK,
            .document = has_rule ? document : SN_NO_DOCUMENT,
            .rules = {has_rule ? (uint32_t)decision.rule_index : 0},
            .rule_count = has_rule,
            .has_witness = true,
            .witness = change->witness,
            .message = sn_arena_printf(&s->analysis->arena, "'%.*s' gets %s instead of %s for profile '%.*s'",
                SN_PRI(s->space->callers[change->caller].text), sn_effect_name(change->to),
                sn_effect_name(change->from), SN_PRI(profile))});
}

/* --- Windows --- */

static void list_weeks(struct survey *s)
{
    struct sn_analysis *a = s->analysis;
    for (uint32_t p = 0; p < s->space->profile_count; p++) {
        uint32_t document = SN_NO_DOCUMENT;
        const struct sn_policy *policy = policy_for(&s->input->now, s->space->profiles[p], &document);
        struct sn_policy_request request;
        struct sn_policy_ids ids;
        if (policy == NULL) {
            continue;
        }
        sn_space_request(s->space, &(struct sn_point){.profile = p}, &request);
        sn_policy_intern(policy, &request, &ids);
        for (size_t i = 0; i < sn_policy_rule_count(policy); i++) {
            const struct sn_rule *rule = &policy->rules[i];
            if (!rule->has_time || (rule->has_profiles && !sn_bits_has(&ids.profile, i))) {
                continue;
            }
            if (a->week_count == a->week_capacity) {
                a->week_capacity = a->week_capacity == 0 ? 32 : a->week_capacity * 2;
                a->weeks = sn_realloc(a->weeks, a->week_capacity, sizeof(*a->weeks));
            }
            a->weeks[a->week_count++] =
                (struct sn_week_row){p, rule->effect, rule->name, rule->zone_name, rule->window};
        }
    }
}

enum sn_status sn_analyze(const struct sn_space *space, const struct sn_analysis_input *input,
    struct sn_analysis *out_analysis, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct survey s = {.space = space, .input = input, .analysis = out_analysis};

    *out_analysis = (struct sn_analysis){0};
    out_analysis->reach = sn_alloc(space->profile_count * space->caller_count, sizeof(*out_analysis->reach));
    s.decides = sn_arena_alloc(&arena, input->now.count, sizeof(bool *));
    s.granted_to = sn_arena_alloc(&arena, input->now.count, sizeof(uint32_t *));
    for (size_t i = 0; i < input->now.count; i++) {
        s.decides[i] = sn_arena_alloc(&arena, sn_policy_rule_count(input->now.policies[i]), sizeof(bool));
        s.granted_to[i] = sn_arena_alloc(&arena, sn_policy_rule_count(input->now.policies[i]), sizeof(uint32_t));
    }
    for (uint32_t p = 0; p < space->profile_count; p++) {
        for (uint32_t u = 0; u < space->caller_count; u++) {
            survey_pair(&s, p, u);
        }
    }
    sn_free(s.vias);
    for (uint32_t i = 0; i < input->now.count; i++) {
        SN_TRY(sn_analyze_rules(space, &input->now, i, s.decides[i], out_analysis, err));
    }
    for (size_t i = 0; i < out_analysis->change_count; i++) {
        report_change(&s, &out_analysis->changes[i]);
    }
    list_weeks(&s);
    return SN_OK;
}
