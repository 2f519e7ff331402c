/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/evaluate.c - the decision for one request; see policy.h and snapshot.h.
 *
 * Nothing here allocates, locks, or calls the system. A decision starts out as a denial and only the effect table of
 * the matched rule changes that.
 */
#include <string.h>

#include "core/policy/compile.h"
#include "core/policy/join.h"
#include "core/policy/policy.h"
#include "core/policy/schema.h"
#include "core/policy/snapshot.h"
#include "core/policy/tz.h"
#include "core/policy/version.h"

enum { ONE_BY_ONE = 3 }; /* windows tested singly before a whole block is tested at once */

const char *sn_rule_effect_name(enum sn_rule_effect effect)
{
    return (size_t)effect < SN_LEN(sn_rule_effect_words) ? sn_rule_effect_words[effect] : "unknown";
}

const char *sn_effect_name(enum sn_effect effect)
{
    switch (effect) {
    case SN_EFFECT_DENY:
        return "deny";
    case SN_EFFECT_ALLOW:
        return "allow";
    case SN_EFFECT_REQUIRE_APPROVAL:
        return "require_approval";
    }
    return "deny";
}

/* --- names --- */

static void add_class(const struct sn_policy *policy, uint32_t atom, struct sn_policy_ids *ids)
{
    if (atom == SN_STRTAB_NONE) {
        return;
    }
    const struct sn_user_class *class = policy->classes[atom];
    ids->classes[ids->user_count] = class;
    ids->users[ids->user_count++] = class->first;
    ids->has_many |= class->count > 1;
}

/* A plain name stands for a vouched caller; an IAM user of another account is named by ARN only. */
static bool may_use_name(const struct sn_principal *principal, const char *own_account)
{
    if (!principal->vouched) {
        return false;
    }
    switch (principal->type) {
    case SN_PRINCIPAL_USER:
        return own_account != NULL && strcmp(principal->account, own_account) == 0;
    case SN_PRINCIPAL_ASSUMED_ROLE:
        return true;
    case SN_PRINCIPAL_FEDERATED_USER:
    case SN_PRINCIPAL_ROOT:
        return false;
    }
    return false;
}

/* --- device --- */

bool sn_version_rank(const struct sn_policy *policy, struct sn_slice version, uint32_t *out_rank)
{
    uint64_t head;
    size_t low = 0, high = policy->version_count;
    if (!sn_version_read_head(version, &head)) {
        return false;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t other = policy->version_heads[middle];
        bool at_or_below = other <= head;
        if (!sn_version_heads_differ(other, head) && ((other | head) & SN_VERSION_HAS_MORE) != 0) {
            at_or_below = sn_version_cmp(policy->versions[middle], version) <= 0;
        }
        low = at_or_below ? middle + 1 : low;
        high = at_or_below ? high : middle;
    }
    *out_rank = (uint32_t)low;
    return true;
}

/* word is in lower case. */
static bool is_word_nocase(struct sn_slice text, const char *word)
{
    size_t i = 0;
    for (; i < text.len; i++) {
        char c = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] | 0x20) : text.ptr[i];
        if (c != word[i] || c == '\0') {
            return false;
        }
    }
    return word[i] == '\0';
}

static void view_posture(
    const struct sn_policy *policy, const struct sn_posture *posture, struct sn_posture_view *out_view)
{
    bool is_enrolled = posture->mdm_enrolled == SN_TRUE;
    out_view->is_known = true;
    out_view->meets[SN_NEED_ENCRYPTION] = posture->disk_encrypted == SN_TRUE;
    out_view->meets[SN_NEED_MDM] = is_enrolled;
    out_view->meets[SN_NEED_COMPLIANT] = posture->mdm_compliant == SN_TRUE && is_enrolled;
    out_view->meets[SN_NEED_FIREWALL] = posture->firewall_enabled == SN_TRUE;
    for (int i = 0; i < SN_OS_TYPES; i++) {
        if (is_word_nocase(posture->os_type, sn_os_type_words[i])) {
            out_view->os_type = i;
        }
    }
    if (policy->version_count > 0 && posture->os_version.len > 0) {
        (void)sn_version_rank(policy, posture->os_version, &out_view->version_rank); /* stays 0: meets nothing */
    }
}

void sn_policy_intern(
    const struct sn_policy *policy, const struct sn_policy_request *request, struct sn_policy_ids *out_ids)
{
    *out_ids = (struct sn_policy_ids){.profile = sn_no_rules(), .posture = {.os_type = -1}};
    if (policy == NULL || request == NULL || request->principal == NULL) {
        return;
    }
    const struct sn_principal *principal = request->principal;
    uint32_t profile = sn_strtab_find(&policy->profiles, 0, request->profile);
    if (profile != SN_STRTAB_NONE) {
        out_ids->profile = policy->profile_sets[profile];
    }
    if (policy->has_names && may_use_name(principal, request->own_account)) {
        add_class(policy, sn_strtab_find(&policy->atoms, SN_ENTRY_NAME, sn_slice_str(principal->name)), out_ids);
    }
    if (policy->has_arns) {
        add_class(policy, sn_strtab_find(&policy->atoms, SN_ENTRY_ARN, sn_slice_str(principal->arn)), out_ids);
    }
    if (policy->has_roles && principal->type == SN_PRINCIPAL_ASSUMED_ROLE) {
        add_class(policy, sn_strtab_find(&policy->atoms, SN_ENTRY_ROLE, sn_slice_str(principal->role)), out_ids);
    }
    if (policy->has_devices && request->posture != NULL) {
        view_posture(policy, request->posture, &out_ids->posture);
    }
}

/* The rules of bits whose device block, if they have one, is met; versions are tested one by one, they are few. */
static uint64_t mask_device(
    const struct sn_policy *policy, uint32_t number, uint64_t bits, const struct sn_posture_view *view)
{
    const struct sn_block *block = &policy->blocks[number];
    if (!view->is_known) {
        return bits & ~block->device;
    }
    for (size_t need = 0; need < SN_NEEDS; need++) {
        bits &= view->meets[need] ? ~UINT64_C(0) : ~block->needs[need];
    }
    bits &= block->os_any | (view->os_type >= 0 ? block->os[view->os_type] : 0);
    for (uint64_t left = bits & block->min_version; left != 0; left &= left - 1) {
        size_t bit = (size_t)__builtin_ctzll(left);
        if (policy->version_ranks[(size_t)number * SN_BLOCK_RULES + bit] > view->version_rank) {
            bits &= ~(UINT64_C(1) << bit);
        }
    }
    return bits;
}

bool sn_device_matches(const struct sn_policy *policy, size_t rule, const struct sn_posture_view *view)
{
    uint64_t bit = UINT64_C(1) << (rule % SN_BLOCK_RULES);
    const struct sn_block *block = &policy->blocks[rule / SN_BLOCK_RULES];
    return (block->device & bit) == 0 || mask_device(policy, (uint32_t)(rule / SN_BLOCK_RULES), bit, view) != 0;
}

/* --- time --- */

/* The wall clocks of one evaluation; most policies have one zone. */
struct clocks {
    int64_t unix_s;
    const struct sn_tz *zone; /* whose reading is kept */
    struct sn_wall wall;
};

static inline struct sn_wall read_clock(struct clocks *clocks, const struct sn_tz *zone)
{
    if (clocks->zone != zone) {
        clocks->zone = zone;
        clocks->wall = sn_wall_at(clocks->unix_s, sn_tz_offset_s(zone, clocks->unix_s));
    }
    return clocks->wall;
}

typedef int16_t lanes __attribute__((vector_size(16)));

/* Windows of the block that are open on one clock, as bits. */
static uint64_t open_windows(const struct sn_window_block *block, struct sn_wall at)
{
    uint32_t yesterday = at.weekday == 0 ? 6 : at.weekday - 1;
    lanes minute = (lanes){0} + (int16_t)at.minute;
    lanes today_bit = (lanes){0} + (int16_t)(1 << at.weekday), yesterday_bit = (lanes){0} + (int16_t)(1 << yesterday);
    lanes result = {0};
    for (size_t k = 0; k < SN_BLOCK_RULES / 8; k++) {
        lanes from, to, days;
        memcpy(&from, &block->from[k * 8], sizeof(from));
        memcpy(&to, &block->to[k * 8], sizeof(to));
        memcpy(&days, &block->days[k * 8], sizeof(days));
        lanes overnight = from > to, before = minute < to, after = minute >= from;
        lanes today = (days & today_bit) != 0, begun_yesterday = (days & yesterday_bit) != 0;
        lanes open = (today & after & (before | overnight)) | (begun_yesterday & before & overnight);
        result |= open & (int16_t)(1 << k);
    }
    uint64_t bits = 0;
    for (size_t lane = 0; lane < 8; lane++) {
        bits |= (uint64_t)(uint8_t)result[lane] << (lane * 8);
    }
    return bits;
}

/* The lowest rule of bits whose window, if it has one, is open; -1 when there is none. */
static int first_open(const struct sn_policy *policy, uint32_t number, uint64_t bits, struct clocks *clocks)
{
    const struct sn_block *block = &policy->blocks[number];
    for (int tries = 0; bits != 0 && tries < ONE_BY_ONE; tries++, bits &= bits - 1) {
        int bit = __builtin_ctzll(bits);
        if ((block->windowed >> bit & 1) == 0) {
            return bit;
        }
        const struct sn_rule_window *window = &policy->windows[(size_t)number * SN_BLOCK_RULES + (size_t)bit];
        if (sn_window_contains_wall(&window->window, read_clock(clocks, window->zone))) {
            return bit;
        }
    }
    uint64_t open = bits & ~block->windowed;
    for (uint32_t i = 0; (bits & block->windowed) != 0 && i < block->windows->zone_count; i++) {
        const struct sn_zone_bits *zone = &block->windows->zones[i];
        if ((bits & zone->bits) != 0) {
            open |= open_windows(block->windows, read_clock(clocks, zone->zone)) & zone->bits & bits;
        }
    }
    return open != 0 ? __builtin_ctzll(open) : -1;
}

/* --- the decision --- */

static inline __attribute__((always_inline)) int first_match(const struct sn_policy *policy,
    const struct sn_policy_ids *ids, const struct sn_policy_request *request, struct sn_cursor *users)
{
    struct sn_join join;
    struct clocks clocks = {.unix_s = request->unix_s};
    uint64_t bits;
    sn_join_init(&join, policy, ids, users);
    for (uint32_t number = sn_join_next(&join, &bits); number != SN_BITS_END; number = sn_join_next(&join, &bits)) {
        const struct sn_block *block = &policy->blocks[number];
        bits &= block->mode[request->mode];
        if ((bits & block->device) != 0) {
            bits = mask_device(policy, number, bits, &ids->posture);
        }
        int bit = first_open(policy, number, bits, &clocks);
        if (bit >= 0) {
            return (int)(number * SN_BLOCK_RULES) + bit;
        }
    }
    return -1;
}

/* The array of cursors is large; a function of its own keeps it out of the ordinary path. */
static __attribute__((noinline)) int first_match_many(
    const struct sn_policy *policy, const struct sn_policy_ids *ids, const struct sn_policy_request *request)
{
    struct sn_cursor users[SN_JOIN_MANY];
    SN_ASSERT(sn_join_user_sets(ids) <= SN_JOIN_MANY);
    return first_match(policy, ids, request, users);
}

static int find_rule(
    const struct sn_policy *policy, const struct sn_policy_ids *ids, const struct sn_policy_request *request)
{
    struct sn_cursor users[SN_JOIN_FEW];
    if (ids->has_many) {
        return first_match_many(policy, ids, request);
    }
    return first_match(policy, ids, request, users);
}

static struct sn_slice session_store_of(const struct sn_rule *rule, const struct sn_policy_request *request)
{
    return request->session_table_of_rule && rule->session_table.len > 0 ? rule->session_table : request->session_store;
}

void sn_rule_decide(const struct sn_rule *rule, const struct sn_policy_request *request, struct sn_decision *decision)
{
    bool is_server = request->mode == SN_MODE_SERVER;
    decision->effect = SN_EFFECT_DENY;
    decision->override = SN_OVERRIDE_NONE;
    decision->session_table = session_store_of(rule, request);
    switch (rule->effect) {
    case SN_RULE_ALLOW:
        decision->effect = SN_EFFECT_ALLOW;
        return;
    case SN_RULE_DENY:
        decision->override = rule->is_final ? SN_OVERRIDE_NONE : SN_OVERRIDE_BREAKGLASS;
        return;
    case SN_RULE_REQUIRE_APPROVAL:
        decision->effect = SN_EFFECT_REQUIRE_APPROVAL;
        decision->override = SN_OVERRIDE_APPROVAL_OR_BREAKGLASS;
        return;
    case SN_RULE_REQUIRE_SERVER:
        decision->effect = is_server ? SN_EFFECT_ALLOW : SN_EFFECT_DENY;
        decision->requires_server_mode = !is_server;
        return;
    case SN_RULE_REQUIRE_SERVER_SESSION:
        decision->is_require_server_session = true;
        if (is_server && decision->session_table.len > 0) {
            decision->effect = SN_EFFECT_ALLOW;
        } else {
            decision->requires_session_tracking = true;
            decision->requires_server_mode = !is_server;
        }
        return;
    }
    /* An effect that nobody taught this function: the denial above stands. */
}

static void default_deny(const struct sn_policy_request *request, struct sn_decision *out_decision)
{
    *out_decision = (struct sn_decision){
        .effect = SN_EFFECT_DENY,
        .rule_index = -1,
        .reason = SN_S("no matching rule"),
        .session_table = request != NULL ? request->session_store : (struct sn_slice){0},
        .override = SN_OVERRIDE_APPROVAL_OR_BREAKGLASS,
    };
}

void sn_policy_evaluate_ids(const struct sn_policy *policy, const struct sn_policy_ids *ids,
    const struct sn_policy_request *request, struct sn_decision *out_decision)
{
    bool can_match =
        policy != NULL && request != NULL && request->principal != NULL && (size_t)request->mode < SN_MODES;
    int index = can_match ? find_rule(policy, ids, request) : -1;
    if (index < 0) {
        default_deny(request, out_decision);
        return;
    }
    const struct sn_rule *rule = &policy->rules[index];
    *out_decision = (struct sn_decision){
        .rule = rule->name,
        .rule_index = index,
        .reason = rule->reason,
        .max_server_duration_s = rule->max_server_duration_s,
    };
    sn_rule_decide(rule, request, out_decision);
}

void sn_policy_evaluate(
    const struct sn_policy *policy, const struct sn_policy_request *request, struct sn_decision *out_decision)
{
    struct sn_policy_ids ids;
    sn_policy_intern(policy, request, &ids);
    sn_policy_evaluate_ids(policy, &ids, request, out_decision);
}
