/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/approval.h - approval policies: who may approve what, what approves itself, and who is one person.
 *
 * All of it is evaluated on the server. A NULL policy approves nothing.
 */
#ifndef SN_CORE_POLICY_APPROVAL_H
#define SN_CORE_POLICY_APPROVAL_H

#include "core/policy/ruleset.h"

struct sn_auto_approve {
    bool is_set;                /* first, for the reader of parts */
    struct sn_entry_list users; /* none: any requester */
    struct sn_time_window time;
    int64_t max_duration_s; /* 0: no cap */
};

struct sn_approver_rule {
    struct sn_rule_head head;
    struct sn_entry_list approvers;
    uint32_t approvals_required; /* different persons, at least 1 */
    bool single_use;             /* a grant serves one vend */
    struct sn_auto_approve auto_approve;
};

/* NULL: no rule speaks of the profile, and nobody may approve. */
const struct sn_approver_rule *sn_approver_rule_find(const struct sn_ruleset *policy, struct sn_slice profile);

/* The same-person test: joined by the people of the document, or one person as sn_principal_same_person() has it. */
bool sn_approval_same_person(const struct sn_ruleset *policy, const struct sn_principal *a,
    const struct sn_principal *b, const char *own_account);

/* The approver is listed and is not the same person as the requester. */
bool sn_approval_may_approve(const struct sn_ruleset *policy, const struct sn_approver_rule *rule,
    const struct sn_principal *approver, const struct sn_principal *requester, const char *own_account);

/* The request approves itself: the rule says so for this requester, instant and duration. */
bool sn_approval_is_automatic(const struct sn_ruleset *policy, const struct sn_approver_rule *rule,
    const struct sn_principal *requester, const char *own_account, int64_t unix_s, int64_t duration_s);

#endif
