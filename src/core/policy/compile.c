/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/compile.c - see compile.h. */
#include "core/policy/compile.h"

#include <string.h>

#include "base/alloc.h"
#include "core/policy/join.h"
#include "core/policy/tz.h"
#include "core/policy/version.h"

enum {
    FIRST_CAPACITY = 64,
    /* Merged sets may take this many times the memory of what they were merged from; see build_classes(). */
    MERGE_FACTOR = 4,
    MERGE_FREE_PAIRS = 64 * 1024,
};

void sn_builder_init(struct sn_builder *builder)
{
    *builder = (struct sn_builder){.policy = sn_alloc(1, sizeof(struct sn_policy))};
    atomic_init(&builder->policy->references, 1);
}

void sn_builder_clear(struct sn_builder *builder)
{
    sn_policy_unref(builder->policy);
    sn_free(builder->profile_rules.items);
    sn_free(builder->atom_rules.items);
    sn_free(builder->group_rules.items);
    sn_free(builder->atom_groups.items);
    sn_free(builder->versions);
    sn_strtab_clear(&builder->zone_names);
    *builder = (struct sn_builder){0};
}

static void push(struct sn_incidences *list, uint32_t key, size_t value)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? FIRST_CAPACITY : list->capacity * 2;
        list->items = sn_realloc(list->items, list->capacity, sizeof(*list->items));
    }
    list->items[list->count++] = (struct sn_incidence){key, (uint32_t)value};
}

void sn_builder_reserve(struct sn_builder *builder, size_t rules)
{
    if (rules > builder->rule_capacity) {
        builder->rule_capacity = rules;
        builder->policy->rules = sn_realloc(builder->policy->rules, rules, sizeof(*builder->policy->rules));
    }
}

struct sn_rule *sn_builder_add_rule(struct sn_builder *builder)
{
    struct sn_policy *policy = builder->policy;
    if (policy->rule_count == builder->rule_capacity) {
        builder->rule_capacity = builder->rule_capacity == 0 ? FIRST_CAPACITY : builder->rule_capacity * 2;
        policy->rules = sn_realloc(policy->rules, builder->rule_capacity, sizeof(*policy->rules));
    }
    struct sn_rule *rule = &policy->rules[policy->rule_count++];
    *rule = (struct sn_rule){.version = SN_STRTAB_NONE};
    return rule;
}

static struct sn_rule *last_rule(struct sn_builder *builder)
{
    return &builder->policy->rules[builder->policy->rule_count - 1];
}

static uint32_t intern_atom(struct sn_builder *builder, enum sn_entry_kind kind, struct sn_slice value)
{
    builder->policy->has_names |= kind == SN_ENTRY_NAME;
    builder->policy->has_arns |= kind == SN_ENTRY_ARN;
    builder->policy->has_roles |= kind == SN_ENTRY_ROLE;
    return sn_strtab_add_copy(&builder->policy->atoms, (uint32_t)kind, value, &builder->policy->arena);
}

void sn_builder_add_profile(struct sn_builder *builder, struct sn_slice name)
{
    struct sn_policy *policy = builder->policy;
    uint32_t profile = sn_strtab_add_copy(&policy->profiles, 0, name, &policy->arena);
    last_rule(builder)->has_profiles = true;
    push(&builder->profile_rules, profile, policy->rule_count - 1);
}

void sn_builder_add_user(struct sn_builder *builder, enum sn_entry_kind kind, struct sn_slice value)
{
    last_rule(builder)->has_users = true;
    push(&builder->atom_rules, intern_atom(builder, kind, value), builder->policy->rule_count - 1);
}

void sn_builder_add_user_group(struct sn_builder *builder, uint32_t group)
{
    SN_ASSERT(group < SN_POLICY_MAX_GROUPS);
    last_rule(builder)->has_users = true;
    push(&builder->group_rules, group, builder->policy->rule_count - 1);
    builder->group_count = group >= builder->group_count ? group + 1 : builder->group_count;
}

void sn_builder_add_member(struct sn_builder *builder, uint32_t group, enum sn_entry_kind kind, struct sn_slice value)
{
    SN_ASSERT(group < SN_POLICY_MAX_GROUPS);
    push(&builder->atom_groups, intern_atom(builder, kind, value), group);
    builder->group_count = group >= builder->group_count ? group + 1 : builder->group_count;
}

void sn_builder_set_min_version(struct sn_builder *builder, struct sn_slice version)
{
    if (builder->version_count == builder->version_capacity) {
        builder->version_capacity = builder->version_capacity == 0 ? FIRST_CAPACITY : builder->version_capacity * 2;
        builder->versions = sn_realloc(builder->versions, builder->version_capacity, sizeof(*builder->versions));
    }
    last_rule(builder)->version = (uint32_t)builder->version_count;
    builder->versions[builder->version_count++] = sn_arena_dup(&builder->policy->arena, version);
}

/* --- sets --- */

/* Values of list by key, each key's in the order of the list: begins[key] .. begins[key + 1]. */
struct buckets {
    uint32_t *begins, *values;
};

static struct buckets bucket(const struct sn_incidences *list, size_t keys)
{
    struct buckets out = {sn_alloc(keys + 2, sizeof(uint32_t)), sn_alloc(list->count, sizeof(uint32_t))};
    for (size_t i = 0; i < list->count; i++) {
        out.begins[list->items[i].key + 2]++;
    }
    for (size_t key = 2; key < keys + 2; key++) {
        out.begins[key] += out.begins[key - 1];
    }
    for (size_t i = 0; i < list->count; i++) {
        out.values[out.begins[list->items[i].key + 1]++] = list->items[i].value;
    }
    return out;
}

static void buckets_clear(struct buckets *b)
{
    sn_free(b->begins);
    sn_free(b->values);
}

/* A set from ascending rule numbers, equal ones allowed. */
static struct sn_bits make_set(struct sn_arena *arena, const uint32_t *rules, size_t count)
{
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++) {
        pairs += i == 0 || rules[i] / SN_BLOCK_RULES != rules[i - 1] / SN_BLOCK_RULES;
    }
    struct sn_bits_pair *out = sn_arena_alloc(arena, pairs + 1, sizeof(*out));
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t block = rules[i] / SN_BLOCK_RULES;
        if (i > 0 && block != out[at].block) {
            at++;
        }
        out[at].block = block;
        out[at].bits |= UINT64_C(1) << (rules[i] % SN_BLOCK_RULES);
    }
    out[pairs].block = SN_BITS_END;
    return (struct sn_bits){out, (uint32_t)pairs};
}

static struct sn_bits *make_sets(struct sn_arena *arena, const struct sn_incidences *list, size_t keys)
{
    struct sn_bits *sets = sn_arena_alloc(arena, keys, sizeof(*sets));
    struct buckets by_key = bucket(list, keys);
    for (size_t key = 0; key < keys; key++) {
        sets[key] = make_set(arena, by_key.values + by_key.begins[key], by_key.begins[key + 1] - by_key.begins[key]);
    }
    buckets_clear(&by_key);
    return sets;
}

static void build_profiles(struct sn_builder *builder)
{
    struct sn_policy *policy = builder->policy;
    policy->profile_sets = make_sets(&policy->arena, &builder->profile_rules, policy->profiles.count);
}

static void build_wildcards(struct sn_policy *policy)
{
    uint32_t *rules = sn_alloc(policy->rule_count, sizeof(*rules));
    size_t count = 0;
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (!policy->rules[i].has_profiles) {
            rules[count++] = (uint32_t)i;
        }
    }
    policy->any_profile = make_set(&policy->arena, rules, count);
    count = 0;
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (!policy->rules[i].has_users) {
            rules[count++] = (uint32_t)i;
        }
    }
    policy->any_user = make_set(&policy->arena, rules, count);
    sn_free(rules);
}

/* The union of sets as one; scratch has one word a block, all zero before and after. */
static const struct sn_bits *merge_sets(
    struct sn_policy *policy, const struct sn_bits *const *sets, size_t count, uint64_t *scratch)
{
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < sets[i]->count; k++) {
            uint64_t *word = &scratch[sets[i]->pairs[k].block];
            pairs += *word == 0;
            *word |= sets[i]->pairs[k].bits;
        }
    }
    struct sn_bits_pair *out = sn_arena_alloc(&policy->arena, pairs + 1, sizeof(*out));
    struct sn_bits *set = sn_arena_alloc(&policy->arena, 1, sizeof(*set));
    size_t at = 0;
    for (size_t block = 0; block < policy->block_count; block++) {
        if (scratch[block] != 0) {
            out[at++] = (struct sn_bits_pair){scratch[block], (uint32_t)block};
            scratch[block] = 0;
        }
    }
    out[pairs].block = SN_BITS_END;
    *set = (struct sn_bits){out, (uint32_t)pairs};
    return set;
}

struct class_maker {
    struct sn_policy *policy;
    const struct sn_bits *atom_sets, *group_sets;
    struct sn_strtab known; /* lists of groups that have a class already, as bytes */
    const struct sn_user_class **known_classes;
    size_t known_capacity;
    uint64_t *scratch;
    size_t pairs_left; /* of the budget for merged sets */
};

static const struct sn_user_class *new_class(struct class_maker *maker, const struct sn_bits *const *sets, size_t count)
{
    struct sn_user_class *class = sn_arena_alloc(&maker->policy->arena, 1, sizeof(*class));
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        most += sets[i]->count;
    }
    most = most < maker->policy->block_count ? most : maker->policy->block_count;
    bool merge = count > 1 && most <= maker->pairs_left;
    size_t kept = merge ? 1 : count;
    const struct sn_bits **own = sn_arena_alloc(&maker->policy->arena, kept, sizeof(*own));
    if (merge) {
        own[0] = merge_sets(maker->policy, sets, count, maker->scratch);
        maker->pairs_left -= most;
    } else {
        for (size_t i = 0; i < count; i++) {
            own[i] = sets[i];
        }
    }
    *class = (struct sn_user_class){kept > 0 ? *own[0] : sn_no_rules(), own, (uint32_t)kept};
    return class;
}

/* The class of a caller name that is in those groups and named by atom_set's rules. Members of the same groups that no
 * rule names share one class. */
static const struct sn_user_class *class_of(
    struct class_maker *maker, const struct sn_bits *atom_set, const uint32_t *groups, size_t group_count)
{
    const struct sn_bits *sets[1 + SN_POLICY_CLASS_GROUPS_MAX];
    size_t count = 0;
    struct sn_slice key = {(const char *)groups, group_count * sizeof(*groups)};
    if (atom_set->count > 0) {
        sets[count++] = atom_set;
    } else if (maker->known_classes != NULL) {
        uint32_t known = sn_strtab_find(&maker->known, 0, key);
        if (known != SN_STRTAB_NONE) {
            return maker->known_classes[known];
        }
    }
    for (size_t i = 0; i < group_count && count < SN_LEN(sets); i++) {
        if (maker->group_sets[groups[i]].count > 0) {
            sets[count++] = &maker->group_sets[groups[i]];
        }
    }
    const struct sn_user_class *class = new_class(maker, sets, count);
    if (atom_set->count == 0) {
        uint32_t number = sn_strtab_add(&maker->known, 0, key);
        if (number >= maker->known_capacity) {
            maker->known_capacity = maker->known_capacity == 0 ? FIRST_CAPACITY : maker->known_capacity * 2;
            maker->known_classes =
                sn_realloc(maker->known_classes, maker->known_capacity, sizeof(*maker->known_classes));
        }
        maker->known_classes[number] = class;
    }
    return class;
}

/*
 * Groups are merged into one set per caller name, so that an evaluation joins one list a name. A hostile document could
 * make every name a member of another choice of large groups; past the budget a class keeps its sets apart, which costs
 * time in the evaluation and no memory.
 */
static void build_classes(struct sn_builder *builder)
{
    struct sn_policy *policy = builder->policy;
    size_t atoms = policy->atoms.count;
    struct buckets groups = bucket(&builder->atom_groups, atoms);
    struct class_maker maker = {
        .policy = policy,
        .atom_sets = make_sets(&policy->arena, &builder->atom_rules, atoms),
        .group_sets = make_sets(&policy->arena, &builder->group_rules, builder->group_count),
        .scratch = sn_alloc(policy->block_count, sizeof(uint64_t)),
        .pairs_left = MERGE_FREE_PAIRS + MERGE_FACTOR * (builder->atom_rules.count + builder->group_rules.count +
                                                            builder->atom_groups.count),
    };
    policy->classes = sn_arena_alloc(&policy->arena, atoms, sizeof(*policy->classes));
    for (size_t atom = 0; atom < atoms; atom++) {
        uint32_t *own = groups.values + groups.begins[atom];
        size_t count = groups.begins[atom + 1] - groups.begins[atom];
        size_t unique = 0; /* a name written twice in a group; groups come in ascending order */
        for (size_t i = 0; i < count; i++) {
            if (unique == 0 || own[unique - 1] != own[i]) {
                own[unique++] = own[i];
            }
        }
        policy->classes[atom] = class_of(&maker, &maker.atom_sets[atom], own, unique);
    }
    sn_strtab_clear(&maker.known);
    sn_free(maker.known_classes);
    sn_free(maker.scratch);
    buckets_clear(&groups);
}

/* --- blocks --- */

static void sort_versions(struct sn_slice *items, size_t count, struct sn_slice *scratch)
{
    if (count < 2) {
        return;
    }
    size_t half = count / 2, left = 0, right = half, out = 0;
    sort_versions(items, half, scratch);
    sort_versions(items + half, count - half, scratch);
    memcpy(scratch, items, count * sizeof(*items));
    while (left < half || right < count) {
        bool take_left = right == count || (left < half && sn_version_cmp(scratch[left], scratch[right]) <= 0);
        items[out++] = take_left ? scratch[left++] : scratch[right++];
    }
}

static void build_versions(struct sn_builder *builder)
{
    struct sn_policy *policy = builder->policy;
    if (builder->version_count == 0) {
        return;
    }
    struct sn_slice *sorted = sn_arena_alloc(&policy->arena, builder->version_count, sizeof(*sorted));
    struct sn_slice *scratch = sn_alloc(builder->version_count, sizeof(*scratch));
    memcpy(sorted, builder->versions, builder->version_count * sizeof(*sorted));
    sort_versions(sorted, builder->version_count, scratch);
    sn_free(scratch);
    size_t unique = 0;
    for (size_t i = 0; i < builder->version_count; i++) {
        if (unique == 0 || sn_version_cmp(sorted[unique - 1], sorted[i]) != 0) {
            sorted[unique++] = sorted[i];
        }
    }
    policy->versions = sorted;
    policy->version_count = unique;
    uint64_t *heads = sn_arena_alloc(&policy->arena, unique, sizeof(*heads));
    for (size_t i = 0; i < unique; i++) {
        (void)sn_version_read_head(sorted[i], &heads[i]); /* the validator let in what compares only */
    }
    policy->version_heads = heads;
    policy->version_ranks = sn_arena_alloc(&policy->arena, policy->rule_count, sizeof(uint32_t));
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (policy->rules[i].version != SN_STRTAB_NONE) {
            struct sn_slice version = builder->versions[policy->rules[i].version];
            uint32_t rank = 0;
            bool is_comparable = sn_version_rank(policy, version, &rank);
            SN_ASSERT(is_comparable);
            policy->version_ranks[i] = rank;
            policy->rules[i].version = rank - 1; /* its equal in versions, for the trace */
        }
    }
}

static void add_window(
    struct sn_policy *policy, struct sn_window_block *block, struct sn_zone_bits *zones, size_t index)
{
    const struct sn_rule *rule = &policy->rules[index];
    size_t bit = index % SN_BLOCK_RULES;
    size_t place = bit % 8 * 8 + bit / 8;
    block->from[place] = (int16_t)rule->window.from_min;
    block->to[place] = (int16_t)rule->window.to_min;
    block->days[place] = rule->window.days;
    policy->windows[index] = (struct sn_rule_window){rule->window, rule->zone};
    uint32_t zone = 0;
    while (zone < block->zone_count && zones[zone].zone != rule->zone) {
        zone++;
    }
    block->zone_count = zone == block->zone_count ? zone + 1 : block->zone_count;
    zones[zone].zone = rule->zone;
    zones[zone].bits |= UINT64_C(1) << bit;
}

static void build_windows(struct sn_policy *policy, size_t number)
{
    struct sn_zone_bits zones[SN_BLOCK_RULES] = {0};
    struct sn_window_block *block = sn_arena_alloc(&policy->arena, 1, sizeof(*block));
    size_t first = number * SN_BLOCK_RULES;
    for (size_t i = first; i < first + SN_BLOCK_RULES && i < policy->rule_count; i++) {
        if (policy->rules[i].has_time) {
            add_window(policy, block, zones, i);
        }
    }
    struct sn_zone_bits *kept = sn_arena_alloc(&policy->arena, block->zone_count, sizeof(*kept));
    memcpy(kept, zones, block->zone_count * sizeof(*kept));
    block->zones = kept;
    policy->blocks[number].windows = block;
}

static void add_to_block(struct sn_block *block, const struct sn_rule *rule, uint64_t bit)
{
    for (size_t mode = 0; mode < SN_MODES; mode++) {
        block->mode[mode] |= rule->modes == 0 || (rule->modes >> mode & 1) != 0 ? bit : 0;
    }
    block->windowed |= rule->has_time ? bit : 0;
    block->device |= rule->has_device ? bit : 0;
    block->min_version |= rule->version != SN_STRTAB_NONE ? bit : 0;
    for (size_t need = 0; need < SN_NEEDS; need++) {
        block->needs[need] |= (rule->needs >> need & 1) != 0 ? bit : 0;
    }
    block->os_any |= rule->os_types == 0 ? bit : 0;
    for (size_t os = 0; os < SN_OS_TYPES; os++) {
        block->os[os] |= (rule->os_types >> os & 1) != 0 ? bit : 0;
    }
}

static void build_blocks(struct sn_policy *policy)
{
    bool has_windows = false;
    for (size_t i = 0; i < policy->rule_count; i++) {
        add_to_block(&policy->blocks[i / SN_BLOCK_RULES], &policy->rules[i], UINT64_C(1) << (i % SN_BLOCK_RULES));
        has_windows |= policy->rules[i].has_time;
        policy->has_devices |= policy->rules[i].has_device;
    }
    if (!has_windows) {
        return;
    }
    policy->windows = sn_arena_alloc(&policy->arena, policy->rule_count, sizeof(*policy->windows));
    for (size_t i = 0; i < policy->block_count; i++) {
        if (policy->blocks[i].windowed != 0) {
            build_windows(policy, i);
        }
    }
}

struct sn_policy *sn_builder_finish(struct sn_builder *builder)
{
    struct sn_policy *policy = builder->policy;
    policy->block_count = (policy->rule_count + SN_BLOCK_RULES - 1) / SN_BLOCK_RULES;
    policy->blocks = sn_arena_alloc(&policy->arena, policy->block_count, sizeof(*policy->blocks));
    build_versions(builder);
    build_blocks(policy);
    build_wildcards(policy);
    build_profiles(builder);
    build_classes(builder);
    builder->policy = NULL;
    return policy;
}

/* --- life of a policy --- */

struct sn_policy *sn_policy_ref(struct sn_policy *policy)
{
    atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    return policy;
}

void sn_policy_unref(struct sn_policy *policy)
{
    if (policy == NULL || atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    sn_zone_set_clear(&policy->zones);
    sn_free(policy->rules);
    sn_strtab_clear(&policy->profiles);
    sn_strtab_clear(&policy->atoms);
    sn_arena_clear(&policy->arena);
    sn_free(policy);
}

void sn_policy_unref_p(struct sn_policy **policy)
{
    sn_policy_unref(*policy);
}

size_t sn_policy_rule_count(const struct sn_policy *policy)
{
    return policy != NULL ? policy->rule_count : 0;
}
