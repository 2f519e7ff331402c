/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/breakglass_fuzz.c - break-glass policies: read, written, read again, asked. */
#include "ruleset_fuzz.h"

#include "core/policy/breakglass.h"
#include "core/policy/limits.h"

static bool is_same(const struct sn_breakglass_rule *a, const struct sn_breakglass_rule *b)
{
    return fuzz_same_entries(&a->users, &b->users) && fuzz_same_entries(&a->reviewers, &b->reviewers) &&
           a->reason_codes == b->reason_codes && fuzz_same_time(&a->time, &b->time) &&
           a->max_duration_s == b->max_duration_s && a->mfa.required == b->mfa.required &&
           a->mfa.methods == b->mfa.methods;
}

static void ask(const struct sn_ruleset *policy, struct sn_slice profile)
{
    struct sn_breakglass_request request = {.principal = &fuzz_alice,
        .own_account = "111122223333",
        .profile = profile,
        .reason = SN_REASON_OTHER,
        .unix_s = 1769418000,
        .duration_s = SN_BREAKGLASS_MAX_S};
    const struct sn_breakglass_rule *rule = NULL;
    enum sn_breakglass_answer answer = sn_breakglass_ask(policy, &request, &rule);
    FUZZ_CHECK(rule != NULL && rule->users.count > 0);
    FUZZ_CHECK(rule->max_duration_s >= 0 && rule->max_duration_s <= SN_BREAKGLASS_MAX_S);
    FUZZ_CHECK(answer != SN_BREAKGLASS_ALLOWED ||
               (sn_ruleset_lists(policy, &rule->users, &fuzz_alice, "111122223333") &&
                   (rule->reason_codes == 0 || (rule->reason_codes >> SN_REASON_OTHER & 1) != 0)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_ruleset *first = NULL, *second = NULL;
    if (!fuzz_ruleset(SN_DOCUMENT_BREAKGLASS, sn_slice_bytes(data, size), &first, &second)) {
        return 0;
    }
    for (size_t i = 0; i < sn_ruleset_rule_count(first); i++) {
        const struct sn_rule_head *head = sn_ruleset_head(first, i);
        struct sn_slice profile = head->profiles.count > 0 ? head->profiles.items[0] : SN_S("");
        FUZZ_CHECK(is_same(sn_breakglass_rule_find(first, profile), sn_breakglass_rule_find(second, profile)));
        ask(first, profile);
    }
    sn_ruleset_unref(first);
    sn_ruleset_unref(second);
    return 0;
}
