/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/approval_fuzz.c - approval policies: read, written, read again, asked. Nobody approves his own request. */
#include "ruleset_fuzz.h"

#include "core/policy/approval.h"
#include "core/policy/limits.h"

static void check_rule(const struct sn_ruleset *policy, const struct sn_approver_rule *rule)
{
    FUZZ_CHECK(rule->approvers.count > 0);
    FUZZ_CHECK(rule->approvals_required >= 1 && rule->approvals_required <= SN_APPROVAL_MAX_REQUIRED);
    FUZZ_CHECK(
        rule->auto_approve.max_duration_s >= 0 && rule->auto_approve.max_duration_s <= SN_APPROVAL_MAX_REQUEST_S);
    FUZZ_CHECK(!sn_approval_may_approve(policy, rule, &fuzz_alice, &fuzz_alice, "111122223333"));
    if (!rule->auto_approve.is_set) {
        FUZZ_CHECK(!sn_approval_is_automatic(policy, rule, &fuzz_alice, "111122223333", 1769418000, 1));
    }
}

static bool is_same(const struct sn_approver_rule *a, const struct sn_approver_rule *b)
{
    return fuzz_same_entries(&a->approvers, &b->approvers) && a->approvals_required == b->approvals_required &&
           a->single_use == b->single_use && a->auto_approve.is_set == b->auto_approve.is_set &&
           fuzz_same_entries(&a->auto_approve.users, &b->auto_approve.users) &&
           fuzz_same_time(&a->auto_approve.time, &b->auto_approve.time) &&
           a->auto_approve.max_duration_s == b->auto_approve.max_duration_s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_ruleset *first = NULL, *second = NULL;
    if (!fuzz_ruleset(SN_DOCUMENT_APPROVAL, sn_slice_bytes(data, size), &first, &second)) {
        return 0;
    }
    for (size_t i = 0; i < sn_ruleset_rule_count(first); i++) {
        const struct sn_rule_head *head = sn_ruleset_head(first, i);
        struct sn_slice profile = head->profiles.count > 0 ? head->profiles.items[0] : SN_S("");
        const struct sn_approver_rule *rule = sn_approver_rule_find(first, profile);
        FUZZ_CHECK(rule != NULL);
        check_rule(first, rule);
        FUZZ_CHECK(is_same(rule, sn_approver_rule_find(second, profile)));
    }
    FUZZ_CHECK(sn_approval_same_person(first, &fuzz_alice, &fuzz_alice, NULL));
    sn_ruleset_unref(first);
    sn_ruleset_unref(second);
    return 0;
}
