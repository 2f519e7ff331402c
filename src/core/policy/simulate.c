/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/simulate.c - see simulate.h. */
#include "core/policy/simulate.h"

#include <string.h>

#include "base/alloc.h"

enum { SLOTS = SN_SIMULATION_PAIRS_MAX * 2, TRISTATE_BITS = 2, SYSTEM_SHIFT = 9, VERSION_SHIFT = 32 };

const char *const sn_change_words[SN_CHANGES] = {"newly_denied", "newly_asked", "newly_allowed", "override_lost"};

/* A caller with a posture before a profile: what both policies make of the texts. */
struct sn_simulation_pair {
    uint64_t who, device; /* the key: numbers of caller and profile, and the posture */
    const struct sn_policy *new_policy, *old_policy;
    struct sn_policy_ids new_ids, old_ids;
    /* The group of the change met last; its number + 1, 0: none. */
    uint32_t last_group;
};

static void forget(struct sn_simulation *s)
{
    struct sn_strtab *const tables[] = {&s->callers, &s->profiles, &s->systems, &s->versions};
    for (size_t i = 0; i < SN_LEN(tables); i++) {
        sn_strtab_clear(tables[i]);
    }
    sn_arena_clear(&s->texts);
    memset(s->slots, 0, SLOTS * sizeof(*s->slots));
    s->pair_count = 0;
}

void sn_simulation_begin(struct sn_simulation *s)
{
    s->pairs = sn_alloc(SN_SIMULATION_PAIRS_MAX, sizeof(*s->pairs));
    s->slots = sn_alloc(SLOTS, sizeof(*s->slots));
    s->account_is_said = s->server.account[0] != '\0';
    s->first_ms = INT64_MAX;
    s->last_ms = INT64_MIN;
}

void sn_simulation_clear(struct sn_simulation *s)
{
    if (s->slots != NULL) {
        forget(s);
    }
    sn_strtab_clear(&s->group_keys);
    sn_arena_clear(&s->group_texts);
    sn_free(s->groups);
    sn_free(s->pairs);
    sn_free(s->slots);
    *s = (struct sn_simulation){0};
}

/* --- Callers, profiles and postures as numbers --- */

static uint32_t number_of(struct sn_simulation *s, struct sn_strtab *table, uint32_t space, struct sn_slice text)
{
    uint32_t known = sn_strtab_find(table, space, text);
    return known != SN_STRTAB_NONE ? known : sn_strtab_add(table, space, sn_arena_dup(&s->texts, text));
}

static uint64_t device_key(struct sn_simulation *s, const struct sn_logged_decision *d)
{
    const struct sn_posture *p = &d->posture;
    if (!d->has_posture) {
        return 0;
    }
    uint64_t flags = (uint64_t)p->disk_encrypted | (uint64_t)p->firewall_enabled << TRISTATE_BITS |
                     (uint64_t)p->mdm_enrolled << 2 * TRISTATE_BITS | (uint64_t)p->mdm_compliant << 3 * TRISTATE_BITS;
    return 1 | flags << 1 | (uint64_t)number_of(s, &s->systems, 0, p->os_type) << SYSTEM_SHIFT |
           (uint64_t)number_of(s, &s->versions, 0, p->os_version) << VERSION_SHIFT;
}

static size_t slot_of(const struct sn_simulation *s, uint64_t who, uint64_t device)
{
    unsigned __int128 product =
        (unsigned __int128)(who ^ UINT64_C(0x9e3779b97f4a7c15)) * (device ^ UINT64_C(0xd1b54a32d192ed03));
    size_t slot = (size_t)((uint64_t)product ^ (uint64_t)(product >> 64)) % SLOTS;
    while (s->slots[slot] != 0) {
        const struct sn_simulation_pair *pair = &s->pairs[s->slots[slot] - 1];
        if (pair->who == who && pair->device == device) {
            break;
        }
        slot = (slot + 1) % SLOTS;
    }
    return slot;
}

/* --- A caller met for the first time --- */

static enum sn_status find_principal(struct sn_simulation *s, const struct sn_logged_decision *d,
    struct sn_principal *out_principal, struct sn_error *err)
{
    struct sn_vouch_rules rules = {.role_globs = s->server.globs, .role_glob_count = s->server.glob_count};
    SN_TRY(sn_principal_parse(d->caller_arn, NULL, out_principal, err));
    if (out_principal->type == SN_PRINCIPAL_USER && !s->account_is_said) {
        if (s->has_account && strcmp(s->server.account, out_principal->account) != 0) {
            sn_fail(err, SN_USAGE, "TWO_ACCOUNTS",
                "the log holds IAM users of the accounts %s and %s, and which of the two is the server's is not known",
                s->server.account, out_principal->account);
            return sn_suggest(err, "give --tvm-account");
        }
        memcpy(s->server.account, out_principal->account, sizeof(s->server.account));
        s->has_account = true;
    }
    sn_principal_vouch(out_principal, &rules);
    if (d->vouched != SN_UNKNOWN) {
        out_principal->vouched = d->vouched == SN_TRUE;
    }
    return SN_OK;
}

static enum sn_status add_pair(struct sn_simulation *s, const struct sn_logged_decision *d, size_t slot, uint64_t who,
    uint64_t device, struct sn_error *err)
{
    struct sn_principal principal;
    struct sn_policy_request request;
    struct sn_simulation_pair *pair = &s->pairs[s->pair_count];
    SN_TRY(find_principal(s, d, &principal, err));
    *pair = (struct sn_simulation_pair){.who = who, .device = device};
    sn_trial_request(&s->server, &principal, d->profile, 0, d->has_posture ? &d->posture : NULL, &request);
    pair->new_policy = s->new_policies.find(s->new_policies.ctx, d->profile);
    sn_policy_intern(pair->new_policy, &request, &pair->new_ids);
    if (s->old_policies.find != NULL) {
        pair->old_policy = s->old_policies.find(s->old_policies.ctx, d->profile);
        sn_policy_intern(pair->old_policy, &request, &pair->old_ids);
    }
    s->slots[slot] = (uint32_t)++s->pair_count;
    return SN_OK;
}

static enum sn_status find_pair(struct sn_simulation *s, const struct sn_logged_decision *d,
    struct sn_simulation_pair **out_pair, struct sn_error *err)
{
    /* A caller that is none makes no pair and yet adds texts. */
    size_t texts = s->callers.count + s->profiles.count + s->systems.count + s->versions.count;
    if (s->pair_count == SN_SIMULATION_PAIRS_MAX || texts > SLOTS * 2) {
        forget(s);
    }
    uint64_t who = (uint64_t)number_of(s, &s->callers, (uint32_t)d->vouched, d->caller_arn) << 32 |
                   number_of(s, &s->profiles, 0, d->profile);
    uint64_t device = device_key(s, d);
    size_t slot = slot_of(s, who, device);
    if (s->slots[slot] == 0) {
        SN_TRY(add_pair(s, d, slot, who, device, err));
    }
    *out_pair = &s->pairs[s->slots[slot] - 1];
    return SN_OK;
}

/* --- What is different --- */

/* Issued then by an override that the new decision does not admit. */
static bool loses_override(const struct sn_logged_decision *d, const struct sn_decision *now)
{
    if (!d->is_allowed || now->effect == SN_EFFECT_ALLOW) {
        return false;
    }
    switch (d->override) {
    case SN_LOGGED_NO_OVERRIDE:
        return false;
    case SN_LOGGED_APPROVAL:
        return now->override != SN_OVERRIDE_APPROVAL_OR_BREAKGLASS;
    case SN_LOGGED_BREAK_GLASS:
        return now->override == SN_OVERRIDE_NONE;
    }
    return true;
}

static enum sn_change change_to(enum sn_effect effect)
{
    switch (effect) {
    case SN_EFFECT_DENY:
        return SN_NEWLY_DENIED;
    case SN_EFFECT_ALLOW:
        return SN_NEWLY_ALLOWED;
    case SN_EFFECT_REQUIRE_APPROVAL:
        return SN_NEWLY_ASKED;
    }
    return SN_NEWLY_DENIED;
}

static struct sn_change_group *find_group(struct sn_simulation *s, const struct sn_change_group *like)
{
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    const struct sn_slice texts[] = {like->caller_arn, like->profile, like->from_rule, like->to_rule};
    sn_buf_addf(&key, "%d %d %d", (int)like->change, (int)like->from_effect, (int)like->to_effect);
    for (size_t i = 0; i < SN_LEN(texts); i++) {
        sn_buf_addf(&key, " %zu:", texts[i].len);
        sn_buf_add(&key, texts[i]);
    }
    uint32_t known = sn_strtab_find(&s->group_keys, 0, sn_buf_slice(&key));
    if (known != SN_STRTAB_NONE) {
        return &s->groups[known];
    }
    if (s->group_count == SN_SIMULATION_GROUPS_MAX) {
        return NULL;
    }
    if (s->group_count == s->group_capacity) {
        s->group_capacity = s->group_capacity == 0 ? 64 : s->group_capacity * 2;
        s->groups = sn_realloc(s->groups, s->group_capacity, sizeof(*s->groups));
    }
    (void)sn_strtab_add(&s->group_keys, 0, sn_arena_dup(&s->group_texts, sn_buf_slice(&key)));
    struct sn_change_group *group = &s->groups[s->group_count++];
    *group = *like;
    struct sn_slice *const kept[] = {&group->caller_arn, &group->profile, &group->from_rule, &group->to_rule};
    for (size_t i = 0; i < SN_LEN(kept); i++) {
        *kept[i] = sn_arena_dup(&s->group_texts, *kept[i]);
    }
    group->examples = sn_arena_alloc(&s->group_texts, s->examples, sizeof(*group->examples));
    return group;
}

/* Of one pair, so that caller and profile are equal. */
static bool is_like(const struct sn_change_group *group, const struct sn_change_group *like)
{
    return group->change == like->change && group->from_effect == like->from_effect &&
           group->to_effect == like->to_effect && sn_slice_eq(group->from_rule, like->from_rule) &&
           sn_slice_eq(group->to_rule, like->to_rule);
}

static void note_change(struct sn_simulation *s, struct sn_simulation_pair *pair, const struct sn_change_group *like,
    struct sn_log_place place)
{
    struct sn_change_group *group = pair->last_group != 0 ? &s->groups[pair->last_group - 1] : NULL;
    s->changes[like->change]++;
    if (group == NULL || !is_like(group, like)) {
        group = find_group(s, like);
    }
    if (group == NULL) {
        s->changes_without_group++;
        return;
    }
    pair->last_group = (uint32_t)(group - s->groups) + 1;
    group->count++;
    if (group->example_count < s->examples) {
        group->examples[group->example_count++] = place;
    }
}

enum sn_status sn_simulation_add(
    struct sn_simulation *s, const struct sn_logged_decision *d, uint32_t file, uint64_t line, struct sn_error *err)
{
    static const struct sn_principal anybody; /* the ids say who it is */
    struct sn_simulation_pair *pair = NULL;
    struct sn_policy_request request;
    struct sn_decision now, then;

    SN_TRY(find_pair(s, d, &pair, err));
    int64_t unix_s = d->unix_ms / 1000 - (d->unix_ms % 1000 < 0 ? 1 : 0);
    sn_trial_request(&s->server, &anybody, d->profile, unix_s, NULL, &request);
    sn_policy_evaluate_ids(pair->new_policy, &pair->new_ids, &request, &now);
    then.effect = d->policy_effect;
    then.rule = d->rule;
    if (s->old_policies.find != NULL) {
        sn_policy_evaluate_ids(pair->old_policy, &pair->old_ids, &request, &then);
    }
    s->evaluated++;
    s->first_ms = d->unix_ms < s->first_ms ? d->unix_ms : s->first_ms;
    s->last_ms = d->unix_ms > s->last_ms ? d->unix_ms : s->last_ms;
    bool is_same = now.effect == then.effect;
    if (is_same && !loses_override(d, &now)) {
        s->unchanged++;
        return SN_OK;
    }
    note_change(s, pair,
        &(struct sn_change_group){.change = is_same ? SN_OVERRIDE_LOST : change_to(now.effect),
            .caller_arn = d->caller_arn,
            .profile = d->profile,
            .from_rule = then.rule,
            .to_rule = now.rule,
            .from_effect = then.effect,
            .to_effect = now.effect},
        (struct sn_log_place){file, line, d->unix_ms});
    return SN_OK;
}
