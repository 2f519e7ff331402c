/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/breakglass.c - see breakglass.h. */
#include "core/policy/breakglass.h"

#include "core/policy/ruleset_shape.h"

static void check_rule(struct sn_loader *loader, struct sn_ruleset *ruleset, void *rule_memory,
    const struct sn_yaml_node *const *nodes, const struct sn_yaml_node *node, const struct sn_path *path)
{
    const struct sn_breakglass_rule *rule = rule_memory;
    const uint32_t other = UINT32_C(1) << SN_REASON_OTHER;
    (void)ruleset;
    (void)nodes;
    sn_lint_wildcard_profiles(loader, &rule->head, node, path, "opens to its users");
    if (rule->reason_codes == 0) {
        SN_FINDING_WARNING(loader, "any-reason-code", node, path,
            "list allowed_reason_codes: incident, maintenance, security, recovery, other",
            "rule '%.*s' (index %zu) takes every reason", SN_SHOW(rule->head.name), loader->rule_index);
    }
    if (!rule->mfa.required) {
        bool takes_other = rule->reason_codes == 0 || (rule->reason_codes & other) != 0;
        SN_FINDING_WARNING(loader, "breakglass-without-mfa", node, path, "set mfa: {required: true}",
            "rule '%.*s' (index %zu) asks for no second factor%s", SN_SHOW(rule->head.name), loader->rule_index,
            takes_other ? ", not even for the reason 'other'" : "");
    }
}

const struct sn_ruleset_shape sn_breakglass_shape = {
    .rule = &sn_schema_breakglass_rule,
    .rule_size = sizeof(struct sn_breakglass_rule),
    .no_rules = "add a rule, or remove the document: either way there is no emergency access",
    .check_rule = check_rule,
};

const struct sn_breakglass_rule *sn_breakglass_rule_find(const struct sn_ruleset *policy, struct sn_slice profile)
{
    size_t index = sn_ruleset_find(policy, profile);
    return index != SIZE_MAX ? sn_ruleset_rule(policy, SN_DOCUMENT_BREAKGLASS, index) : NULL;
}

enum sn_breakglass_answer sn_breakglass_ask(const struct sn_ruleset *policy,
    const struct sn_breakglass_request *request, const struct sn_breakglass_rule **out_rule)
{
    const struct sn_breakglass_rule *rule = sn_breakglass_rule_find(policy, request->profile);
    *out_rule = rule;
    if (rule == NULL) {
        return SN_BREAKGLASS_NO_RULE;
    }
    if (!sn_ruleset_lists(policy, &rule->users, request->principal, request->own_account)) {
        return SN_BREAKGLASS_NOT_LISTED;
    }
    if (rule->reason_codes != 0 && (rule->reason_codes & UINT32_C(1) << request->reason) == 0) {
        return SN_BREAKGLASS_REASON;
    }
    if (!sn_time_window_is_open(&rule->time, request->unix_s)) {
        return SN_BREAKGLASS_TIME;
    }
    if (rule->max_duration_s > 0 && request->duration_s > rule->max_duration_s) {
        return SN_BREAKGLASS_DURATION;
    }
    return SN_BREAKGLASS_ALLOWED;
}

bool sn_breakglass_takes_method(const struct sn_breakglass_rule *rule, enum sn_mfa_method method)
{
    return !rule->mfa.required || rule->mfa.methods == 0 || (rule->mfa.methods & UINT32_C(1) << method) != 0;
}

bool sn_breakglass_is_reviewer(const struct sn_ruleset *policy, const struct sn_breakglass_rule *rule,
    const struct sn_principal *principal, const char *own_account)
{
    const struct sn_entry_list *list = rule->reviewers.count > 0 ? &rule->reviewers : &rule->users;
    return sn_ruleset_lists(policy, list, principal, own_account);
}
