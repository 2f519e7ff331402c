/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/ruleset.c - see ruleset.h. */
#include "core/policy/ruleset.h"

#include "base/alloc.h"
#include "core/identity/principal.h"
#include "core/policy/ruleset_shape.h"

struct sn_ruleset *sn_ruleset_ref(struct sn_ruleset *ruleset)
{
    atomic_fetch_add_explicit(&ruleset->references, 1, memory_order_relaxed);
    return ruleset;
}

void sn_ruleset_unref(struct sn_ruleset *ruleset)
{
    if (ruleset == NULL || atomic_fetch_sub_explicit(&ruleset->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    sn_zone_set_clear(&ruleset->zones);
    sn_strtab_clear(&ruleset->profiles);
    sn_strtab_clear(&ruleset->identities);
    sn_free(ruleset->first_rules);
    sn_arena_clear(&ruleset->arena);
    sn_free(ruleset);
}

void sn_ruleset_unref_p(struct sn_ruleset **ruleset)
{
    sn_ruleset_unref(*ruleset);
}

enum sn_document_kind sn_ruleset_kind(const struct sn_ruleset *ruleset)
{
    return ruleset->kind;
}

size_t sn_ruleset_rule_count(const struct sn_ruleset *ruleset)
{
    return ruleset != NULL ? ruleset->rule_count : 0;
}

size_t sn_ruleset_find(const struct sn_ruleset *ruleset, struct sn_slice profile)
{
    if (ruleset == NULL) {
        return SIZE_MAX;
    }
    uint32_t number = sn_strtab_find(&ruleset->profiles, 0, profile);
    size_t named = number != SN_STRTAB_NONE ? ruleset->first_rules[number] : SIZE_MAX;
    return named < ruleset->first_rule_for_any ? named : ruleset->first_rule_for_any;
}

const struct sn_rule_head *sn_ruleset_head(const struct sn_ruleset *ruleset, size_t index)
{
    SN_ASSERT(index < ruleset->rule_count);
    /* Rules stand in an array of their own type, whose first member is the head. */
    return (const struct sn_rule_head *)(const void *)(ruleset->rules + index * ruleset->rule_size);
}

const void *sn_ruleset_rule(const struct sn_ruleset *ruleset, enum sn_document_kind kind, size_t index)
{
    SN_ASSERT(ruleset->kind == kind);
    return sn_ruleset_head(ruleset, index);
}

static bool has_match(const struct sn_entry_list *list, const struct sn_principal *principal, const char *own_account)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != SN_ENTRY_GROUP &&
            sn_principal_matches_entry(principal, list->items[i].text, own_account)) {
            return true;
        }
    }
    return false;
}

bool sn_ruleset_lists(const struct sn_ruleset *ruleset, const struct sn_entry_list *list,
    const struct sn_principal *principal, const char *own_account)
{
    if (has_match(list, principal, own_account)) {
        return true;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == SN_ENTRY_GROUP &&
            has_match(&ruleset->groups[list->items[i].group], principal, own_account)) {
            return true;
        }
    }
    return false;
}

bool sn_time_window_is_open(const struct sn_time_window *time, int64_t unix_s)
{
    return !time->is_set || sn_window_contains(&time->window, time->zone, unix_s);
}
