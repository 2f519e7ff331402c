/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/mutate.c - the changes that are tried; see mutate.h. */
#include "core/policy/mutate.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"
#include "core/policy/strtab.h"
#include "core/policy/window.h"

/* What rules are changed with, and where the rule being changed stands. */
struct changer {
    struct sn_mutants *mutants;
    struct sn_strtab profiles, entries;
    uint32_t rule;
    enum sn_mutant_scope scope;
};

static struct sn_arena *arena_of(struct changer *c)
{
    return &c->mutants->arena;
}

static struct sn_mutant *add(struct changer *c, const struct sn_yaml_node *node, const struct sn_yaml_node *place,
    struct sn_slice location, struct sn_slice change)
{
    struct sn_mutants *m = c->mutants;
    if (m->count == SN_MUTANTS_MAX) {
        m->overflow = true;
        return NULL;
    }
    if (m->count == m->capacity) {
        m->capacity = m->capacity == 0 ? 64 : m->capacity * 2;
        m->items = sn_realloc(m->items, m->capacity, sizeof(*m->items));
    }
    struct sn_mutant *mutant = &m->items[m->count++];
    *mutant = (struct sn_mutant){.location = location,
        .change = change,
        .line = place->line,
        .scope = c->scope,
        .rule = c->rule,
        .node = (struct sn_yaml_node *)(uintptr_t)node, /* the tree is ours; fields of it are looked up as const */
        .instead = *node};
    return mutant;
}

static void add_text(struct changer *c, const struct sn_yaml_node *node, struct sn_slice location, const char *text)
{
    struct sn_slice change = sn_arena_printf(arena_of(c), "'%.*s' becomes '%s'", SN_SHOW(node->text), text);
    struct sn_mutant *mutant = add(c, node, node, location, change);
    if (mutant != NULL) {
        mutant->instead.text = sn_arena_dup(arena_of(c), sn_slice_str(text));
    }
}

static void add_without_pair(
    struct changer *c, const struct sn_yaml_node *mapping, const char *key, struct sn_slice location)
{
    for (size_t i = 0; i < mapping->count; i++) {
        if (!sn_slice_eq_str(mapping->pairs[i].key->text, key)) {
            continue;
        }
        struct sn_mutant *mutant = add(c, mapping, mapping->pairs[i].key, location, SN_S("dropped"));
        if (mutant != NULL) {
            struct sn_yaml_pair *rest = sn_arena_alloc(arena_of(c), mapping->count, sizeof(*rest));
            memcpy(rest, mapping->pairs, i * sizeof(*rest));
            memcpy(rest + i, mapping->pairs + i + 1, (mapping->count - i - 1) * sizeof(*rest));
            mutant->instead.pairs = rest;
            mutant->instead.count--;
        }
    }
}

static void add_without_item(
    struct changer *c, const struct sn_yaml_node *list, size_t index, struct sn_slice location, struct sn_slice change)
{
    struct sn_mutant *mutant = add(c, list, list->items[index], location, change);
    if (mutant != NULL) {
        struct sn_yaml_node **rest = sn_arena_alloc(arena_of(c), list->count, sizeof(*rest));
        memcpy(rest, list->items, index * sizeof(*rest));
        memcpy(rest + index, list->items + index + 1, (list->count - index - 1) * sizeof(*rest));
        mutant->instead.items = rest;
        mutant->instead.count--;
    }
}

static void add_with_item(
    struct changer *c, const struct sn_yaml_node *list, struct sn_slice text, struct sn_slice location)
{
    struct sn_slice change = sn_arena_printf(arena_of(c), "'%.*s' added", SN_SHOW(text));
    struct sn_mutant *mutant = add(c, list, list, location, change);
    if (mutant != NULL) {
        struct sn_yaml_node *item = sn_arena_alloc(arena_of(c), 1, sizeof(*item));
        struct sn_yaml_node **all = sn_arena_alloc(arena_of(c), list->count + 1, sizeof(*all));
        *item = (struct sn_yaml_node){.kind = SN_YAML_SCALAR, .line = list->line, .column = list->column, .text = text};
        memcpy(all, list->items, list->count * sizeof(*all));
        all[list->count] = item;
        mutant->instead.items = all;
        mutant->instead.count++;
    }
}

/* --- Lists --- */

static bool list_has(const struct sn_yaml_node *list, struct sn_slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (sn_slice_eq_nocase(list->items[i]->text, text)) {
            return true;
        }
    }
    return false;
}

/* Each entry dropped; a list of one would become a wildcard, which is what dropping the member does. */
static void narrow(struct changer *c, const struct sn_yaml_node *list, size_t least, struct sn_slice location)
{
    for (size_t i = 0; list->count > least && i < list->count; i++) {
        add_without_item(
            c, list, i, location, sn_arena_printf(arena_of(c), "'%.*s' dropped", SN_SHOW(list->items[i]->text)));
    }
}

static void widen_by_words(struct changer *c, const struct sn_yaml_node *list, const char *const *words, size_t count,
    struct sn_slice location)
{
    for (size_t i = 0; list->count > 0 && i < count; i++) {
        if (!list_has(list, sn_slice_str(words[i]))) {
            add_with_item(c, list, sn_slice_str(words[i]), location);
        }
    }
}

static void widen_by_table(
    struct changer *c, const struct sn_yaml_node *list, const struct sn_strtab *table, struct sn_slice location)
{
    SN_AUTO(sn_strtab_clear) struct sn_strtab own = {0};
    for (size_t i = 0; i < list->count; i++) {
        (void)sn_strtab_add(&own, 0, list->items[i]->text);
    }
    for (size_t i = 0; list->count > 0 && i < table->count; i++) {
        if (sn_strtab_find(&own, 0, table->entries[i].text) == SN_STRTAB_NONE) {
            add_with_item(c, list, table->entries[i].text, location);
        }
    }
}

/* --- The parts of a rule --- */

static struct sn_slice at(struct changer *c, const char *below)
{
    return sn_arena_printf(arena_of(c), "rules[%u]%s", c->rule, below);
}

static void change_effect(struct changer *c, const struct sn_yaml_node *effect)
{
    static const char *const others[] = {"allow", "deny", "require_approval"};
    for (size_t i = 0; i < SN_LEN(others); i++) {
        if (!sn_slice_eq_str(effect->text, others[i])) {
            add_text(c, effect, at(c, ".effect"), others[i]);
        }
    }
}

static void shift_bound(struct changer *c, const struct sn_yaml_node *bound, bool is_end, struct sn_slice location)
{
    uint16_t minute = 0;
    if (bound == NULL || !sn_window_parse_minute(bound->text, is_end, &minute)) {
        return;
    }
    for (int step = -1; step <= 1; step += 2) {
        int moved = (int)minute + step;
        if (moved >= 0 && moved <= (is_end ? SN_MINUTES_PER_DAY : SN_MINUTES_PER_DAY - 1)) {
            char text[16];
            snprintf(text, sizeof(text), "%02d:%02d", moved / 60, moved % 60);
            add_text(c, bound, location, text);
        }
    }
}

static void change_time(struct changer *c, const struct sn_yaml_node *time)
{
    const struct sn_yaml_node *days = sn_yaml_get(time, "days"), *hours = sn_yaml_get(time, "hours");
    if (days != NULL) {
        narrow(c, days, 1, at(c, ".conditions.time.days"));
        widen_by_words(c, days, sn_weekday_words, SN_LEN(sn_weekday_words), at(c, ".conditions.time.days"));
    }
    if (hours != NULL) {
        shift_bound(c, sn_yaml_get(hours, "start"), false, at(c, ".conditions.time.hours.start"));
        shift_bound(c, sn_yaml_get(hours, "end"), true, at(c, ".conditions.time.hours.end"));
    }
}

static void change_device(struct changer *c, const struct sn_yaml_node *device)
{
    for (size_t i = 0; i < device->count; i++) {
        char key[64];
        snprintf(key, sizeof(key), "%.*s", SN_SHOW(device->pairs[i].key->text));
        add_without_pair(c, device, key, sn_arena_printf(arena_of(c), "rules[%u].conditions.device.%s", c->rule, key));
    }
    const struct sn_yaml_node *systems = sn_yaml_get(device, "allowed_os_types");
    if (systems != NULL) {
        struct sn_slice location = at(c, ".conditions.device.allowed_os_types");
        narrow(c, systems, 1, location);
        widen_by_words(c, systems, sn_os_type_words, SN_LEN(sn_os_type_words), location);
    }
}

static void change_conditions(struct changer *c, const struct sn_yaml_node *conditions)
{
    for (size_t i = 0; i < SN_CONDITIONS; i++) {
        const char *word = sn_condition_words[i];
        const struct sn_yaml_node *member = sn_yaml_get(conditions, word);
        if (member == NULL) {
            continue;
        }
        struct sn_slice location = sn_arena_printf(arena_of(c), "rules[%u].conditions.%s", c->rule, word);
        add_without_pair(c, conditions, word, location);
        switch ((enum sn_condition)i) {
        case SN_CONDITION_PROFILES:
        case SN_CONDITION_USERS:
            narrow(c, member, 1, location);
            widen_by_table(c, member, i == SN_CONDITION_USERS ? &c->entries : &c->profiles, location);
            break;
        case SN_CONDITION_TIME:
            change_time(c, member);
            break;
        case SN_CONDITION_MODE:
            narrow(c, member, 1, location);
            widen_by_words(c, member, sn_mode_words, SN_LEN(sn_mode_words), location);
            break;
        case SN_CONDITION_DEVICE:
            change_device(c, member);
            break;
        case SN_CONDITIONS:
            break;
        }
    }
}

static void change_rule(struct changer *c, const struct sn_yaml_node *rule)
{
    c->scope = SN_SCOPE_RULE;
    change_effect(c, sn_yaml_get(rule, "effect"));
    add_without_pair(c, rule, "break_glass", at(c, ".break_glass"));
    change_conditions(c, sn_yaml_get(rule, "conditions"));
    add_without_pair(c, rule, "max_server_duration", at(c, ".max_server_duration"));
}

static void swap_with_next(struct changer *c, const struct sn_yaml_node *rules, size_t index)
{
    struct sn_slice change = sn_arena_printf(arena_of(c), "swapped with rules[%zu]", index + 1);
    c->scope = SN_SCOPE_SWAPPED_RULES;
    struct sn_mutant *mutant = add(c, rules, rules->items[index], at(c, ""), change);
    if (mutant != NULL) {
        struct sn_yaml_node **swapped = sn_arena_alloc(arena_of(c), rules->count, sizeof(*swapped));
        memcpy(swapped, rules->items, rules->count * sizeof(*swapped));
        swapped[index] = rules->items[index + 1];
        swapped[index + 1] = rules->items[index];
        mutant->instead.items = swapped;
    }
}

static void change_rules(struct changer *c, const struct sn_yaml_node *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        c->rule = (uint32_t)i;
        change_rule(c, rules->items[i]);
        c->scope = SN_SCOPE_REMOVED_RULE;
        add_without_item(c, rules, i, at(c, ""), SN_S("removed"));
        if (i + 1 < rules->count && !sn_slice_eq(sn_yaml_get(rules->items[i], "effect")->text,
                                        sn_yaml_get(rules->items[i + 1], "effect")->text)) {
            swap_with_next(c, rules, i);
        }
    }
}

static void change_groups(struct changer *c, const struct sn_yaml_node *groups)
{
    c->scope = SN_SCOPE_ALL;
    for (size_t i = 0; groups != NULL && i < groups->count; i++) {
        struct sn_slice location = sn_arena_printf(arena_of(c), "groups.%.*s", SN_SHOW(groups->pairs[i].key->text));
        narrow(c, groups->pairs[i].value, 0, location);
        widen_by_table(c, groups->pairs[i].value, &c->entries, location);
    }
}

/* --- The words that lists are widened by --- */

static void learn_entries(struct changer *c, const struct sn_yaml_node *list)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (!sn_slice_has_prefix(list->items[i]->text, SN_S("group:"))) {
            (void)sn_strtab_add(&c->entries, 0, list->items[i]->text);
        }
    }
}

static void learn_words(struct changer *c, const struct sn_yaml_node *root)
{
    const struct sn_yaml_node *rules = sn_yaml_get(root, "rules"), *groups = sn_yaml_get(root, "groups");
    for (size_t i = 0; i < rules->count; i++) {
        const struct sn_yaml_node *conditions = sn_yaml_get(rules->items[i], "conditions");
        const struct sn_yaml_node *profiles = sn_yaml_get(conditions, "profiles");
        for (size_t k = 0; profiles != NULL && k < profiles->count; k++) {
            (void)sn_strtab_add(&c->profiles, 0, profiles->items[k]->text);
        }
        learn_entries(c, sn_yaml_get(conditions, "users"));
    }
    for (size_t i = 0; groups != NULL && i < groups->count; i++) {
        learn_entries(c, groups->pairs[i].value);
    }
}

/* --- All of them --- */

enum sn_status sn_mutants_init(struct sn_mutants *mutants, struct sn_slice text, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings findings = {0};
    struct sn_report report = {.findings = &findings};
    struct changer c = {.mutants = mutants};

    *mutants = (struct sn_mutants){0};
    text = sn_arena_dup(&mutants->arena, text);
    if (!sn_schema_read(
            &sn_schema_policy, text, "policy", &sn_yaml_limits_document, &mutants->arena, &report, &mutants->root)) {
        return sn_findings_fail(&findings, 0, "INVALID_POLICY", err);
    }
    learn_words(&c, mutants->root);
    change_groups(&c, sn_yaml_get(mutants->root, "groups"));
    change_rules(&c, sn_yaml_get(mutants->root, "rules"));
    sn_strtab_clear(&c.profiles);
    sn_strtab_clear(&c.entries);
    if (mutants->overflow) {
        sn_fail(err, SN_LIMIT, "TOO_MANY_MUTANTS", "the policy has more than %d mutants", SN_MUTANTS_MAX);
        return sn_suggest(err, "split the policy, or test it without --mutate");
    }
    return SN_OK;
}

void sn_mutants_clear(struct sn_mutants *mutants)
{
    sn_free(mutants->items);
    sn_arena_clear(&mutants->arena);
    *mutants = (struct sn_mutants){0};
}

enum sn_status sn_mutants_make(struct sn_mutants *mutants, size_t index, const struct sn_tz_source *zones,
    struct sn_policy **out_policy, struct sn_error *err)
{
    struct sn_mutant *mutant = &mutants->items[index];
    struct sn_yaml_node original = *mutant->node;
    *mutant->node = mutant->instead;
    enum sn_status status = sn_policy_load_tree(mutants->root, zones, out_policy, err);
    *mutant->node = original;
    return status;
}
