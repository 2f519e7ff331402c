/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/join.h - walking the rules that concern a profile and a caller; internal to core/policy.
 *
 * A join yields, in ascending order, every block in which some rule's profiles and users both match, with the bits of
 * those rules. It allocates nothing; its memory is the caller's.
 */
#ifndef SN_CORE_POLICY_JOIN_H
#define SN_CORE_POLICY_JOIN_H

#include "core/policy/limits.h"
#include "core/policy/snapshot.h"

enum {
    SN_JOIN_PROFILES = 2,           /* rules naming the profile, rules naming none */
    SN_JOIN_FEW = 1 + SN_ATOMS_MAX, /* sets on the side of the caller in all but hostile documents */
    SN_JOIN_MANY = SN_ATOMS_MAX * (1 + SN_POLICY_CLASS_GROUPS_MAX) + 1,
};

struct sn_cursor {
    const struct sn_bits_pair *at, *end;
};

struct sn_join {
    struct sn_cursor profiles[SN_JOIN_PROFILES];
    struct sn_cursor *users; /* few or many, on the caller's stack */
    uint32_t user_count;
    uint32_t next_block;
};

static inline struct sn_cursor sn_cursor_of(const struct sn_bits *set)
{
    return (struct sn_cursor){set->pairs, set->pairs + set->count};
}

/* Number of sets that the caller's side of a join has. */
static inline uint32_t sn_join_user_sets(const struct sn_policy_ids *ids)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < ids->user_count; i++) {
        count += ids->classes[i]->count;
    }
    return count;
}

/* users has room for 1 + SN_ATOMS_MAX cursors, or for sn_join_user_sets() where the ids have many. */
static inline void sn_join_init(
    struct sn_join *join, const struct sn_policy *policy, const struct sn_policy_ids *ids, struct sn_cursor *users)
{
    join->profiles[0] = sn_cursor_of(&policy->any_profile);
    join->profiles[1] = sn_cursor_of(&ids->profile);
    users[0] = sn_cursor_of(&policy->any_user);
    uint32_t count = 1;
    for (uint32_t i = 0; i < ids->user_count; i++) {
        if (!ids->has_many) {
            users[count++] = sn_cursor_of(&ids->users[i]);
            continue;
        }
        for (uint32_t k = 0; k < ids->classes[i]->count; k++) {
            users[count++] = sn_cursor_of(ids->classes[i]->sets[k]);
        }
    }
    join->users = users;
    join->user_count = count;
    join->next_block = 0;
}

static inline uint32_t sn_cursors_seek(struct sn_cursor *cursors, uint32_t count, uint32_t block)
{
    uint32_t first = SN_BITS_END;
    for (uint32_t i = 0; i < count; i++) {
        cursors[i].at = sn_bits_seek(cursors[i].at, cursors[i].end, block);
        first = cursors[i].at->block < first ? cursors[i].at->block : first;
    }
    return first;
}

static inline uint64_t sn_cursors_bits(const struct sn_cursor *cursors, uint32_t count, uint32_t block)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        bits |= cursors[i].at->block == block ? cursors[i].at->bits : 0;
    }
    return bits;
}

/* The next block with candidates, or SN_BITS_END. */
static inline uint32_t sn_join_next(struct sn_join *join, uint64_t *out_bits)
{
    uint32_t block = join->next_block;
    for (;;) {
        uint32_t of_users = sn_cursors_seek(join->users, join->user_count, block);
        uint32_t of_profiles = sn_cursors_seek(join->profiles, SN_JOIN_PROFILES, of_users);
        if (of_profiles == SN_BITS_END || of_users == SN_BITS_END) {
            return SN_BITS_END;
        }
        if (of_profiles != of_users) {
            block = of_profiles; /* the larger of the two */
            continue;
        }
        uint64_t bits = sn_cursors_bits(join->users, join->user_count, of_users) &
                        sn_cursors_bits(join->profiles, SN_JOIN_PROFILES, of_users);
        block = of_users + 1;
        if (bits != 0) {
            join->next_block = block;
            *out_bits = bits;
            return of_users;
        }
    }
}

static inline bool sn_bits_has(const struct sn_bits *set, size_t rule)
{
    uint32_t block = (uint32_t)(rule / SN_BLOCK_RULES);
    const struct sn_bits_pair *pair = sn_bits_seek(set->pairs, set->pairs + set->count, block);
    return pair->block == block && (pair->bits >> (rule % SN_BLOCK_RULES) & 1) != 0;
}

/* True if the rule lists the caller, by any of the names he bears. */
static inline bool sn_ids_name_caller(const struct sn_policy_ids *ids, size_t rule)
{
    for (uint32_t i = 0; i < ids->user_count; i++) {
        for (uint32_t k = 0; k < ids->classes[i]->count; k++) {
            if (sn_bits_has(ids->classes[i]->sets[k], rule)) {
                return true;
            }
        }
    }
    return false;
}

/* What the matched rule says for a request, times and overrides aside (the effect table). */
void sn_rule_decide(const struct sn_rule *rule, const struct sn_policy_request *request, struct sn_decision *decision);

/* Number of the policy's versions at or below version. False when version compares with nothing. */
bool sn_version_rank(const struct sn_policy *policy, struct sn_slice version, uint32_t *out_rank);
bool sn_device_matches(const struct sn_policy *policy, size_t rule, const struct sn_posture_view *view);

#endif
