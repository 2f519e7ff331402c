/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/hints.c - the hint of an unknown name: made of the profiles this caller can see, and of nothing else.
 */
#include "base/nearest.h"
#include "tvm/vend.h"

enum { HINT_NAMES_MAX = 3, HINT_DISTANCE_MAX = 2 };

/* True if the profile is visible; false also when its policy does not load. */
static bool is_visible(struct sn_call *call, const struct sn_profile *profile)
{
    SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
    struct sn_policy_request asked = {0};
    struct sn_error ignored = {0};
    enum sn_effect access = SN_EFFECT_DENY;
    struct sn_document_origin origin;

    if (sn_call_policy(call, profile->name, &policy, &origin, &ignored) != SN_OK) {
        return false;
    }
    sn_call_policy_request(call, profile->name, &asked);
    return sn_policy_profile_is_visible(policy, &asked, &access);
}

void sn_vend_hint_names(struct sn_call *call, struct sn_slice name)
{
    struct sn_slice near[HINT_NAMES_MAX] = {0};
    size_t near_count = 0;
    bool sees_any = false;

    for (size_t i = 0; i < sn_catalog_count(call->catalog); i++) {
        const struct sn_profile *profile = sn_catalog_at(call->catalog, i);
        bool is_near = near_count < HINT_NAMES_MAX &&
                       sn_edit_distance(name, profile->name, HINT_DISTANCE_MAX) <= HINT_DISTANCE_MAX;
        /* Once one visible profile is known, only near names are worth a look at their policy. */
        if ((!is_near && sees_any) || !is_visible(call, profile)) {
            continue;
        }
        sees_any = true;
        if (is_near) {
            near[near_count++] = profile->name;
        }
    }
    call->words.has_hint = true;
    call->words.hint = sees_any ? SN_S("run 'sentinel profiles' to see what you can ask for") : SN_S("");
    if (near_count > 0) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        sn_buf_add_str(&text, "did you mean ");
        for (size_t i = 0; i < near_count; i++) {
            sn_buf_addf(&text, "%s'%.*s'", i == 0 ? "" : i + 1 == near_count ? " or " : ", ", SN_PRI(near[i]));
        }
        sn_buf_add_byte(&text, '?');
        call->words.hint = sn_arena_dup(&call->arena, sn_buf_slice(&text));
    }
}
