/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/approval.c - asking an approval policy; see approval.h. How it is read is in approval_load.c. */
#include "core/policy/approval.h"

#include "core/identity/principal.h"
#include "core/policy/ruleset_shape.h"

const struct sn_approver_rule *sn_approver_rule_find(const struct sn_ruleset *policy, struct sn_slice profile)
{
    size_t index = sn_ruleset_find(policy, profile);
    return index != SIZE_MAX ? sn_ruleset_rule(policy, SN_DOCUMENT_APPROVAL, index) : NULL;
}

bool sn_approval_same_person(const struct sn_ruleset *policy, const struct sn_principal *a,
    const struct sn_principal *b, const char *own_account)
{
    for (size_t i = 0; policy != NULL && i < policy->person_count; i++) {
        const struct sn_entry_list *identities = &policy->people[i].entries;
        if (sn_ruleset_lists(policy, identities, a, own_account) &&
            sn_ruleset_lists(policy, identities, b, own_account)) {
            return true;
        }
    }
    return sn_principal_same_person(a, b); /* the map only joins */
}

bool sn_approval_may_approve(const struct sn_ruleset *policy, const struct sn_approver_rule *rule,
    const struct sn_principal *approver, const struct sn_principal *requester, const char *own_account)
{
    return rule != NULL && sn_ruleset_lists(policy, &rule->approvers, approver, own_account) &&
           !sn_approval_same_person(policy, approver, requester, own_account);
}

bool sn_approval_is_automatic(const struct sn_ruleset *policy, const struct sn_approver_rule *rule,
    const struct sn_principal *requester, const char *own_account, int64_t unix_s, int64_t duration_s)
{
    if (rule == NULL || !rule->auto_approve.is_set) {
        return false;
    }
    const struct sn_auto_approve *automatic = &rule->auto_approve;
    return (automatic->users.count == 0 || sn_ruleset_lists(policy, &automatic->users, requester, own_account)) &&
           sn_time_window_is_open(&automatic->time, unix_s) &&
           (automatic->max_duration_s == 0 || duration_s <= automatic->max_duration_s);
}
