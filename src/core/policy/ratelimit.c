/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/ratelimit.c - see ratelimit.h. */
#include "core/policy/ratelimit.h"

#include "core/policy/limits.h"
#include "core/policy/ruleset_shape.h"

static void check_rule(struct sn_loader *loader, struct sn_ruleset *ruleset, void *rule_memory,
    const struct sn_yaml_node *const *nodes, const struct sn_yaml_node *node, const struct sn_path *path)
{
    struct sn_ratelimit_rule *rule = rule_memory;
    struct sn_path window_path = {.parent = path, .field = "quota_window"};
    struct sn_path cooldown_path = {.parent = path, .field = "cooldown"};
    (void)ruleset;
    if (sn_load_is_nothing(nodes[SN_RATELIMIT_RULE_COOLDOWN]) &&
        sn_load_is_nothing(nodes[SN_RATELIMIT_RULE_MAX_PER_USER]) &&
        sn_load_is_nothing(nodes[SN_RATELIMIT_RULE_MAX_PER_PROFILE])) {
        SN_FINDING_ERROR(loader, "no-limit", node, path, "give cooldown, max_per_user or max_per_profile",
            "rule '%.*s' limits nothing", SN_SHOW(loader->rule_name));
    }
    if (sn_load_is_nothing(nodes[SN_RATELIMIT_RULE_QUOTA_WINDOW]) &&
        (rule->max_per_user > 0 || rule->max_per_profile > 0 || rule->escalation_threshold > 0)) {
        const struct sn_yaml_node *window = nodes[SN_RATELIMIT_RULE_QUOTA_WINDOW];
        SN_FINDING_ERROR(loader, "quota-window", window != NULL ? window : node, &window_path,
            "give the time in which events are counted, such as quota_window: 24h",
            "rule '%.*s' counts events and has no quota_window", SN_SHOW(loader->rule_name));
    }
    if (rule->cooldown_s > 0 && rule->cooldown_s < SN_QUOTA_SHORT_COOLDOWN_S) {
        SN_FINDING_WARNING(loader, "short-cooldown", nodes[SN_RATELIMIT_RULE_COOLDOWN], &cooldown_path,
            "use 1m or more", "the cooldown of rule '%.*s' (index %zu) is shorter than 1m", SN_SHOW(loader->rule_name),
            loader->rule_index);
    }
    sn_lint_wildcard_profiles(loader, &rule->head, node, path, "limits");
}

const struct sn_ruleset_shape sn_ratelimit_shape = {
    .rule = &sn_schema_ratelimit_rule,
    .rule_size = sizeof(struct sn_ratelimit_rule),
    .no_rules = "add a rule, or remove the document: without it nothing is limited",
    .check_rule = check_rule,
};

const struct sn_ratelimit_rule *sn_ratelimit_rule_find(const struct sn_ruleset *policy, struct sn_slice profile)
{
    size_t index = sn_ruleset_find(policy, profile);
    return index != SIZE_MAX ? sn_ruleset_rule(policy, SN_DOCUMENT_RATELIMIT, index) : NULL;
}

struct sn_ratelimit_verdict sn_ratelimit_judge(
    const struct sn_ratelimit_rule *rule, const struct sn_ratelimit_past *past)
{
    struct sn_ratelimit_verdict verdict = {.answer = SN_RATELIMIT_ALLOWED};
    if (rule == NULL) {
        return verdict;
    }
    if (rule->cooldown_s > 0 && past->has_last && past->since_last_s < rule->cooldown_s) {
        verdict.answer = SN_RATELIMIT_COOLDOWN;
        verdict.retry_after_s = rule->cooldown_s - past->since_last_s;
    } else if (rule->max_per_user > 0 && past->by_user >= rule->max_per_user) {
        verdict.answer = SN_RATELIMIT_USER_QUOTA;
        verdict.retry_after_s = rule->quota_window_s - past->oldest_by_user_s;
    } else if (rule->max_per_profile > 0 && past->on_profile >= rule->max_per_profile) {
        verdict.answer = SN_RATELIMIT_PROFILE_QUOTA;
        verdict.retry_after_s = rule->quota_window_s - past->oldest_on_profile_s;
    } else {
        verdict.escalate = rule->escalation_threshold > 0 && past->by_user >= rule->escalation_threshold;
    }
    return verdict;
}
