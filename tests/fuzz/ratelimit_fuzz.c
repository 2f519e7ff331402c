/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/ratelimit_fuzz.c - rate-limit policies: read, written, read again; a rule that loads limits something. */
#include "ruleset_fuzz.h"

#include "core/policy/limits.h"
#include "core/policy/ratelimit.h"

static bool is_same(const struct sn_ratelimit_rule *a, const struct sn_ratelimit_rule *b)
{
    return a->cooldown_s == b->cooldown_s && a->max_per_user == b->max_per_user &&
           a->max_per_profile == b->max_per_profile && a->quota_window_s == b->quota_window_s &&
           a->escalation_threshold == b->escalation_threshold;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sn_ratelimit_past most = {
        .has_last = true, .by_user = SN_QUOTA_MAX_EVENTS, .on_profile = SN_QUOTA_MAX_EVENTS};
    struct sn_ruleset *first = NULL, *second = NULL;
    if (!fuzz_ruleset(SN_DOCUMENT_RATELIMIT, sn_slice_bytes(data, size), &first, &second)) {
        return 0;
    }
    for (size_t i = 0; i < sn_ruleset_rule_count(first); i++) {
        const struct sn_rule_head *head = sn_ruleset_head(first, i);
        struct sn_slice profile = head->profiles.count > 0 ? head->profiles.items[0] : SN_S("");
        const struct sn_ratelimit_rule *rule = sn_ratelimit_rule_find(first, profile);
        struct sn_ratelimit_verdict verdict = sn_ratelimit_judge(rule, &most);
        FUZZ_CHECK(is_same(rule, sn_ratelimit_rule_find(second, profile)));
        FUZZ_CHECK(verdict.answer != SN_RATELIMIT_ALLOWED && verdict.retry_after_s > 0);
        FUZZ_CHECK(verdict.retry_after_s <= SN_QUOTA_MAX_S);
    }
    sn_ruleset_unref(first);
    sn_ruleset_unref(second);
    return 0;
}
