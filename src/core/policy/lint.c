/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/lint.c - see lint.h.
 *
 * Rule A covers B when every request that matches B matches A; two rules overlap when some request could match both.
 * Windows are compared by the real instants of two weeks, one in January and one in July, minute by minute.
 */
#include "core/policy/lint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "core/policy/entry.h"
#include "core/policy/lists.h"
#include "core/policy/schema.h"
#include "core/policy/snapshot.h"
#include "core/policy/tz.h"

enum {
    WEEK_MINUTES = 7 * SN_MINUTES_PER_DAY,
    SAMPLES = 2 * WEEK_MINUTES,
    SAMPLE_WORDS = (SAMPLES + 63) / 64,
};
static const int64_t week_starts[2] = {1767571200, 1783296000}; /* Mondays 2026-01-05 and 2026-07-06, 00:00Z */

/* The minutes of the reference weeks that lie in one window of one zone. */
struct minutes {
    struct sn_window window;
    const struct sn_tz *zone;
    uint64_t words[SAMPLE_WORDS];
};

/* An entry of a user list beside the entries that it has to do with; SN_STRTAB_NONE where there is none. */
struct atom {
    enum sn_entry_kind kind;
    uint32_t role;     /* of an ARN: the entry role:X it is a session of */
    uint32_t name;     /* of an ARN: the entry NAME that its caller might be */
    bool name_implies; /* the ARN is of an Identity Center session, so the name is certain to match */
};

struct rule_facts {
    uint64_t profile_bloom; /* a bit per profile number: quick answers for pairs that have nothing in common */
    const struct minutes *minutes;
    bool has_names, has_roles, has_arns;
};

struct lint {
    const struct sn_policy *policy;
    struct sn_policy_lists lists;
    struct sn_arena arena;
    struct atom *atoms;
    struct rule_facts *facts;
    struct sn_report report;
};

/* --- Facts --- */

static const struct minutes *minutes_of(
    struct lint *lint, const struct sn_rule *rule, const struct minutes **known, size_t *known_count)
{
    for (size_t i = 0; i < *known_count; i++) {
        if (known[i]->zone == rule->zone && known[i]->window.days == rule->window.days &&
            known[i]->window.from_min == rule->window.from_min && known[i]->window.to_min == rule->window.to_min) {
            return known[i];
        }
    }
    struct minutes *made = sn_arena_alloc(&lint->arena, 1, sizeof(*made));
    made->window = rule->window;
    made->zone = rule->zone;
    for (size_t i = 0; i < SAMPLES; i++) {
        int64_t unix_s = week_starts[i / WEEK_MINUTES] + (int64_t)(i % WEEK_MINUTES) * 60;
        if (sn_window_contains(&rule->window, rule->zone, unix_s)) {
            made->words[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
    known[(*known_count)++] = made;
    return made;
}

static void learn_atoms(struct lint *lint)
{
    const struct sn_strtab *table = &lint->policy->atoms;
    lint->atoms = sn_arena_alloc(&lint->arena, table->count, sizeof(*lint->atoms));
    for (size_t i = 0; i < table->count; i++) {
        struct atom *atom = &lint->atoms[i];
        struct sn_principal caller;
        struct sn_error ignored = {0};
        *atom = (struct atom){(enum sn_entry_kind)table->entries[i].space, SN_STRTAB_NONE, SN_STRTAB_NONE, false};
        if (atom->kind != SN_ENTRY_ARN ||
            sn_principal_parse(table->entries[i].text, NULL, &caller, &ignored) != SN_OK) {
            continue;
        }
        if (caller.type == SN_PRINCIPAL_ASSUMED_ROLE) {
            atom->role = sn_strtab_find(table, SN_ENTRY_ROLE, sn_slice_str(caller.role));
        }
        if (caller.type == SN_PRINCIPAL_ASSUMED_ROLE || caller.type == SN_PRINCIPAL_USER) {
            atom->name = sn_strtab_find(table, SN_ENTRY_NAME, sn_slice_str(caller.name));
            atom->name_implies = caller.type == SN_PRINCIPAL_ASSUMED_ROLE && caller.is_sso;
        }
    }
}

static void learn_rules(struct lint *lint)
{
    size_t count = lint->policy->rule_count, known_count = 0;
    const struct minutes **known = sn_arena_alloc(&lint->arena, count, sizeof(*known));
    lint->facts = sn_arena_alloc(&lint->arena, count, sizeof(*lint->facts));
    for (size_t i = 0; i < count; i++) {
        struct rule_facts *facts = &lint->facts[i];
        const struct sn_rule_lists *lists = &lint->lists.rules[i];
        for (size_t k = 0; k < lists->profiles.count; k++) {
            facts->profile_bloom |= UINT64_C(1) << (lists->profiles.items[k] % 64);
        }
        for (size_t k = 0; k < lists->users.count; k++) {
            enum sn_entry_kind kind = lint->atoms[lists->users.items[k]].kind;
            facts->has_names |= kind == SN_ENTRY_NAME;
            facts->has_roles |= kind == SN_ENTRY_ROLE;
            facts->has_arns |= kind == SN_ENTRY_ARN;
        }
        if (lint->policy->rules[i].has_time) {
            facts->minutes = minutes_of(lint, &lint->policy->rules[i], known, &known_count);
        }
    }
}

/* --- Lists --- */

static bool have_common(const struct sn_number_list *a, const struct sn_number_list *b)
{
    for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
        if (a->items[i] == b->items[k]) {
            return true;
        }
        if (a->items[i] < b->items[k]) {
            i++;
        } else {
            k++;
        }
    }
    return false;
}

static bool holds_all(const struct sn_number_list *a, const struct sn_number_list *of)
{
    size_t i = 0;
    for (size_t k = 0; k < of->count; k++) {
        while (i < a->count && a->items[i] < of->items[k]) {
            i++;
        }
        if (i == a->count || a->items[i] != of->items[k]) {
            return false;
        }
    }
    return true;
}

/* Some ARN of the list could be a caller that other names by role or name. */
static bool arns_meet(const struct lint *lint, const struct sn_number_list *list, const struct sn_number_list *other)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct atom *atom = &lint->atoms[list->items[i]];
        if ((atom->role != SN_STRTAB_NONE && sn_number_list_has(other, atom->role)) ||
            (atom->name != SN_STRTAB_NONE && sn_number_list_has(other, atom->name))) {
            return true;
        }
    }
    return false;
}

static bool users_overlap(const struct lint *lint, size_t a, size_t b)
{
    const struct sn_number_list *of_a = &lint->lists.rules[a].users, *of_b = &lint->lists.rules[b].users;
    const struct rule_facts *fa = &lint->facts[a], *fb = &lint->facts[b];
    if (of_a->count == 0 || of_b->count == 0) {
        return true;
    }
    if ((fa->has_names && fb->has_roles) || (fa->has_roles && fb->has_names)) {
        return true; /* that role may vouch for such a name */
    }
    return have_common(of_a, of_b) || (fa->has_arns && arns_meet(lint, of_a, of_b)) ||
           (fb->has_arns && arns_meet(lint, of_b, of_a));
}

static bool users_cover(const struct lint *lint, size_t a, size_t b)
{
    const struct sn_number_list *of_a = &lint->lists.rules[a].users, *of_b = &lint->lists.rules[b].users;
    if (of_a->count == 0) {
        return true;
    }
    if (of_b->count == 0) {
        return false;
    }
    if (!lint->facts[b].has_arns) {
        return holds_all(of_a, of_b);
    }
    for (size_t i = 0; i < of_b->count; i++) {
        const struct atom *atom = &lint->atoms[of_b->items[i]];
        if (!sn_number_list_has(of_a, of_b->items[i]) &&
            !(atom->role != SN_STRTAB_NONE && sn_number_list_has(of_a, atom->role)) &&
            !(atom->name_implies && atom->name != SN_STRTAB_NONE && sn_number_list_has(of_a, atom->name))) {
            return false;
        }
    }
    return true;
}

static bool profiles_overlap(const struct lint *lint, size_t a, size_t b)
{
    const struct sn_number_list *of_a = &lint->lists.rules[a].profiles, *of_b = &lint->lists.rules[b].profiles;
    if (of_a->count == 0 || of_b->count == 0) {
        return true;
    }
    return (lint->facts[a].profile_bloom & lint->facts[b].profile_bloom) != 0 && have_common(of_a, of_b);
}

static bool profiles_cover(const struct lint *lint, size_t a, size_t b)
{
    const struct sn_number_list *of_a = &lint->lists.rules[a].profiles, *of_b = &lint->lists.rules[b].profiles;
    if (of_a->count == 0) {
        return true;
    }
    return of_b->count > 0 && (lint->facts[b].profile_bloom & ~lint->facts[a].profile_bloom) == 0 &&
           holds_all(of_a, of_b);
}

/* --- Other conditions --- */

static bool times_overlap(const struct minutes *a, const struct minutes *b)
{
    if (a == NULL || b == NULL) {
        return true;
    }
    for (size_t i = 0; i < SAMPLE_WORDS; i++) {
        if ((a->words[i] & b->words[i]) != 0) {
            return true;
        }
    }
    return false;
}

static bool time_covers(const struct minutes *a, const struct minutes *b)
{
    if (a == NULL) {
        return true;
    }
    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < SAMPLE_WORDS; i++) {
        if ((b->words[i] & ~a->words[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* A requirement of a is implied by those of b; no list of operating systems is all of them. */
static bool device_covers(const struct sn_policy *policy, size_t a, size_t b)
{
    const struct sn_rule *of_a = &policy->rules[a], *of_b = &policy->rules[b];
    if (!of_a->has_device) {
        return true;
    }
    if (!of_b->has_device) {
        return false;
    }
    unsigned given = of_b->needs;
    if ((given >> SN_NEED_COMPLIANT & 1) != 0) {
        given |= 1u << SN_NEED_MDM;
    }
    if ((of_a->needs & ~given) != 0) {
        return false;
    }
    if (of_a->os_types != 0 && (of_b->os_types == 0 || (of_b->os_types & ~of_a->os_types) != 0)) {
        return false;
    }
    return of_a->version == SN_STRTAB_NONE ||
           (of_b->version != SN_STRTAB_NONE && policy->version_ranks[b] >= policy->version_ranks[a]);
}

static bool modes_overlap(uint8_t a, uint8_t b)
{
    return a == 0 || b == 0 || (a & b) != 0;
}

static bool modes_cover(uint8_t a, uint8_t b)
{
    return a == 0 || (b != 0 && (b & ~a) == 0);
}

static bool overlap(const struct lint *lint, size_t a, size_t b)
{
    const struct sn_rule *rules = lint->policy->rules;
    return profiles_overlap(lint, a, b) && modes_overlap(rules[a].modes, rules[b].modes) && users_overlap(lint, a, b) &&
           times_overlap(lint->facts[a].minutes, lint->facts[b].minutes);
}

static bool covers(const struct lint *lint, size_t a, size_t b)
{
    const struct sn_rule *rules = lint->policy->rules;
    return profiles_cover(lint, a, b) && modes_cover(rules[a].modes, rules[b].modes) &&
           device_covers(lint->policy, a, b) && users_cover(lint, a, b) &&
           time_covers(lint->facts[a].minutes, lint->facts[b].minutes);
}

/* --- Findings --- */

static void warn(struct lint *lint, size_t rule, const char *code, const char *suggestion, struct sn_slice message)
{
    struct sn_path rules_path = {.field = "rules"};
    struct sn_path path = {.parent = &rules_path, .index = rule, .is_index = true};
    struct sn_yaml_node place = {.line = lint->policy->rules[rule].line, .column = lint->policy->rules[rule].column};
    sn_report_add(&lint->report, SN_SEVERITY_WARNING, code, &place, &path, suggestion, "%.*s", SN_PRI(message));
}

static void warn_pair(struct lint *lint, size_t earlier, size_t later, const char *code, const char *suggestion,
    const char *first_words, const char *relation)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_rule *a = &lint->policy->rules[earlier], *b = &lint->policy->rules[later];
    sn_buf_addf(&text, "%s '%.*s' (index %zu) %s '%.*s' (index %zu)", first_words, SN_SHOW(a->name), earlier, relation,
        SN_SHOW(b->name), later);
    warn(lint, later, code, suggestion, sn_buf_slice(&text));
}

static bool is_granting(enum sn_rule_effect effect)
{
    switch (effect) {
    case SN_RULE_ALLOW:
    case SN_RULE_REQUIRE_SERVER:
    case SN_RULE_REQUIRE_SERVER_SESSION:
        return true;
    case SN_RULE_DENY:
    case SN_RULE_REQUIRE_APPROVAL:
        return false;
    }
    return false;
}

static void compare(struct lint *lint, size_t earlier, size_t later, bool *is_reachable)
{
    const struct sn_rule *a = &lint->policy->rules[earlier], *b = &lint->policy->rules[later];
    if (!overlap(lint, earlier, later)) {
        return; /* and what does not overlap does not cover: a window without a minute is an error */
    }
    bool is_covered = covers(lint, earlier, later);
    if (is_covered && *is_reachable) {
        *is_reachable = false;
        warn_pair(lint, earlier, later, "unreachable-rule", "remove it, or put it before the other", "rule",
            "matches first whatever could match rule");
    }
    if (is_granting(a->effect) && b->effect == SN_RULE_DENY && (is_covered || !covers(lint, later, earlier))) {
        warn_pair(lint, earlier, later, "allow-before-deny", "put the deny rule first, if it is meant to win",
            "granting rule", "wins over deny rule");
    }
    if (a->has_time && b->has_time && a->effect != b->effect) {
        warn_pair(lint, earlier, later, "overlapping-time-windows", "make sure that the order is the intended one",
            "the windows of rule", "overlap, with another effect, those of rule");
    }
}

static void check_profiles(struct lint *lint, const struct sn_catalog *catalog)
{
    for (size_t i = 0; i < lint->policy->rule_count; i++) {
        const struct sn_number_list *profiles = &lint->lists.rules[i].profiles;
        for (size_t k = 0; k < profiles->count; k++) {
            SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
            struct sn_slice name = lint->policy->profiles.entries[profiles->items[k]].text;
            if (sn_catalog_find(catalog, name) != NULL) {
                continue;
            }
            sn_buf_addf(&text, "rule '%.*s' (index %zu) names profile '%.*s', which the catalogue does not hold",
                SN_SHOW(lint->policy->rules[i].name), i, SN_SHOW(name));
            warn(lint, i, "unknown-profile", "add the profile to the catalogue, or correct its name",
                sn_buf_slice(&text));
        }
    }
}

void sn_policy_lint(const struct sn_policy *policy, const struct sn_catalog *catalog, struct sn_findings *findings)
{
    struct lint lint = {.policy = policy, .report = {.findings = findings}};
    sn_policy_lists_of(policy, &lint.lists);
    learn_atoms(&lint);
    learn_rules(&lint);
    for (size_t later = 1; later < policy->rule_count; later++) {
        bool is_reachable = true;
        for (size_t earlier = 0; earlier < later; earlier++) {
            compare(&lint, earlier, later, &is_reachable);
        }
    }
    if (catalog != NULL) {
        check_profiles(&lint, catalog);
    }
    sn_policy_lists_clear(&lint.lists);
    sn_arena_clear(&lint.arena);
}

void sn_ruleset_lint(const struct sn_ruleset *ruleset, const struct sn_catalog *catalog, struct sn_findings *findings)
{
    const struct sn_report report = {.findings = findings};
    for (size_t i = 0; catalog != NULL && i < sn_ruleset_rule_count(ruleset); i++) {
        const struct sn_rule_head *head = sn_ruleset_head(ruleset, i);
        struct sn_path rules_path = {.field = "rules"};
        struct sn_path path = {.parent = &rules_path, .index = i, .is_index = true};
        struct sn_yaml_node place = {.line = head->line, .column = head->column};
        for (size_t k = 0; k < head->profiles.count; k++) {
            if (sn_catalog_find(catalog, head->profiles.items[k]) == NULL) {
                sn_report_add(&report, SN_SEVERITY_WARNING, "unknown-profile", &place, &path,
                    "add the profile to the catalogue, or correct its name",
                    "rule '%.*s' (index %zu) names profile '%.*s', which the catalogue does not hold",
                    SN_SHOW(head->name), i, SN_SHOW(head->profiles.items[k]));
            }
        }
    }
}

/* The rule that a path begins with; -1: none, such as for groups, which stand before the rules. */
static int64_t rule_of(const struct sn_finding *finding)
{
    static const char prefix[] = "rules[";
    struct sn_error ignored = {0};
    int64_t number = -1;
    size_t at = sizeof(prefix) - 1, end = at;
    if (!sn_slice_has_prefix(finding->path, SN_S("rules["))) {
        return -1;
    }
    while (end < finding->path.len && finding->path.ptr[end] != ']') {
        end++;
    }
    (void)!sn_parse_int(sn_slice_sub(finding->path, at, end - at), 0, INT64_MAX, &number, &ignored);
    return number;
}

static bool comes_after(const struct sn_finding *a, const struct sn_finding *b)
{
    int64_t of_a = rule_of(a), of_b = rule_of(b);
    return of_a != of_b ? of_a > of_b : strcmp(a->code, b->code) > 0;
}

void sn_policy_lint_sort(struct sn_findings *findings, size_t first)
{
    sn_findings_sort_by(findings, first, comes_after);
}
