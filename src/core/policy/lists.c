/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/lists.c - see lists.h. */
#include "core/policy/lists.h"

#include "core/policy/snapshot.h"

/* Calls for every rule of a set; counts in the first pass, fills in the second. */
static void add_set(const struct sn_bits *set, uint32_t number,
    struct sn_number_list *(*list_of)(struct sn_rule_lists *), struct sn_policy_lists *lists, bool fill)
{
    for (uint32_t i = 0; i < set->count; i++) {
        for (uint64_t bits = set->pairs[i].bits; bits != 0; bits &= bits - 1) {
            size_t rule = (size_t)set->pairs[i].block * SN_BLOCK_RULES + (size_t)__builtin_ctzll(bits);
            struct sn_number_list *list = list_of(&lists->rules[rule]);
            if (!fill) {
                list->count++; /* sets of one name may meet in a rule: this counts both, which is room enough */
            } else if (list->count == 0 || list->items[list->count - 1] != number) {
                list->items[list->count++] = number;
            }
        }
    }
}

static struct sn_number_list *profiles_of(struct sn_rule_lists *rule)
{
    return &rule->profiles;
}

static struct sn_number_list *users_of(struct sn_rule_lists *rule)
{
    return &rule->users;
}

static void add_all(const struct sn_policy *policy, struct sn_policy_lists *lists, bool fill)
{
    for (uint32_t i = 0; i < policy->profiles.count; i++) {
        add_set(&policy->profile_sets[i], i, profiles_of, lists, fill);
    }
    for (uint32_t i = 0; i < policy->atoms.count; i++) {
        for (uint32_t k = 0; k < policy->classes[i]->count; k++) {
            add_set(policy->classes[i]->sets[k], i, users_of, lists, fill);
        }
    }
}

void sn_policy_lists_of(const struct sn_policy *policy, struct sn_policy_lists *out_lists)
{
    *out_lists = (struct sn_policy_lists){0};
    out_lists->rules = sn_arena_alloc(&out_lists->arena, policy->rule_count, sizeof(*out_lists->rules));
    add_all(policy, out_lists, false);
    for (size_t i = 0; i < policy->rule_count; i++) {
        struct sn_rule_lists *rule = &out_lists->rules[i];
        rule->profiles.items = sn_arena_alloc(&out_lists->arena, rule->profiles.count, sizeof(uint32_t));
        rule->users.items = sn_arena_alloc(&out_lists->arena, rule->users.count, sizeof(uint32_t));
        rule->profiles.count = rule->users.count = 0;
    }
    add_all(policy, out_lists, true);
}

void sn_policy_lists_clear(struct sn_policy_lists *lists)
{
    sn_arena_clear(&lists->arena);
    *lists = (struct sn_policy_lists){0};
}

bool sn_number_list_has(const struct sn_number_list *list, uint32_t number)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->count && list->items[low] == number;
}
