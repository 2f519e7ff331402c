/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/walk.c - which profiles a caller may hear of: the walks "visible" and "hidden" of policy.h.
 *
 * Both leave time and posture aside, so that a name does not come and go with the clock.
 */
#include "core/policy/join.h"
#include "core/policy/policy.h"

/* False when there is nothing to walk. users has room for SN_JOIN_MANY cursors. */
static bool start(struct sn_join *join, const struct sn_policy *policy, const struct sn_policy_request *request,
    struct sn_cursor *users)
{
    struct sn_policy_ids ids;
    if (policy == NULL || request == NULL || request->principal == NULL || (size_t)request->mode >= SN_MODES) {
        return false;
    }
    sn_policy_intern(policy, request, &ids);
    SN_ASSERT(sn_join_user_sets(&ids) <= SN_JOIN_MANY);
    sn_join_init(join, policy, &ids, users);
    return true;
}

bool sn_policy_profile_is_visible(
    const struct sn_policy *policy, const struct sn_policy_request *request, enum sn_effect *out_access)
{
    struct sn_cursor users[SN_JOIN_MANY];
    struct sn_join join;
    uint64_t bits;
    enum sn_effect best = SN_EFFECT_DENY;
    bool is_over = !start(&join, policy, request, users);
    for (uint32_t number; !is_over && (number = sn_join_next(&join, &bits)) != SN_BITS_END;) {
        const struct sn_block *block = &policy->blocks[number];
        for (bits &= block->mode[request->mode]; bits != 0 && !is_over; bits &= bits - 1) {
            const struct sn_rule *rule =
                &policy->rules[(size_t)number * SN_BLOCK_RULES + (size_t)__builtin_ctzll(bits)];
            struct sn_decision decision = {0};
            sn_rule_decide(rule, request, &decision);
            if (decision.effect == SN_EFFECT_ALLOW || best == SN_EFFECT_DENY) {
                best = decision.effect;
            }
            is_over = (!rule->has_time && !rule->has_device) || best == SN_EFFECT_ALLOW;
        }
    }
    if (best != SN_EFFECT_DENY) {
        *out_access = best;
    }
    return best != SN_EFFECT_DENY;
}

bool sn_policy_profile_is_hidden(const struct sn_policy *policy, const struct sn_policy_request *request)
{
    struct sn_cursor users[SN_JOIN_MANY];
    struct sn_join join;
    uint64_t bits;
    if (!start(&join, policy, request, users)) {
        return true;
    }
    for (uint32_t number; (number = sn_join_next(&join, &bits)) != SN_BITS_END;) {
        for (; bits != 0; bits &= bits - 1) {
            const struct sn_rule *rule =
                &policy->rules[(size_t)number * SN_BLOCK_RULES + (size_t)__builtin_ctzll(bits)];
            if (rule->has_profiles || rule->effect != SN_RULE_DENY) {
                return false;
            }
        }
    }
    return true;
}
