/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/space.c - see space.h. */
#include "core/policy/space.h"

#include <string.h>

#include "base/alloc.h"
#include "core/policy/entry.h"
#include "core/policy/join.h"
#include "core/policy/tz.h"
#include "core/policy/version.h"

enum { DAY_S = 86400, FLAG_COMBINATIONS = 1 << SN_NEEDS };

/* --- The vocabulary --- */

void sn_vocabulary_clear(struct sn_vocabulary *words)
{
    struct sn_strtab *const tables[] = {
        &words->profiles, &words->names, &words->roles, &words->arns, &words->zone_names, &words->window_keys};
    for (size_t i = 0; i < SN_LEN(tables); i++) {
        sn_strtab_clear(tables[i]);
    }
    sn_free(words->zones);
    sn_free(words->windows);
    sn_free(words->versions);
    sn_arena_clear(&words->arena);
    *words = (struct sn_vocabulary){0};
}

static void add_atom(struct sn_vocabulary *words, enum sn_entry_kind kind, struct sn_slice value)
{
    switch (kind) {
    case SN_ENTRY_NAME:
        (void)sn_strtab_add(&words->names, 0, value);
        return;
    case SN_ENTRY_ARN:
        (void)sn_strtab_add(&words->arns, 0, value);
        return;
    case SN_ENTRY_ROLE:
        (void)sn_strtab_add(&words->roles, 0, value);
        return;
    case SN_ENTRY_GROUP:
        return; /* a group is its members */
    }
}

void sn_vocabulary_add_entry(struct sn_vocabulary *words, struct sn_slice text)
{
    struct sn_entry entry;
    switch (sn_entry_parse(text, &entry)) {
    case SN_ENTRY_OK:
    case SN_ENTRY_SELF_CHOSEN:
        add_atom(words, entry.kind, entry.value);
        return;
    case SN_ENTRY_NEVER_MATCHES:
    case SN_ENTRY_EMPTY:
    case SN_ENTRY_WILDCARD:
    case SN_ENTRY_BAD_PREFIX:
    case SN_ENTRY_BAD_ARN:
    case SN_ENTRY_ROLE_ARN:
    case SN_ENTRY_BAD_ROLE:
    case SN_ENTRY_BAD_GROUP:
        return;
    }
}

static uint32_t add_zone(struct sn_vocabulary *words, const struct sn_tz *zone, struct sn_slice name)
{
    size_t before = words->zone_names.count;
    uint32_t number = sn_strtab_add(&words->zone_names, 0, name);
    if (number == before) {
        if (number == words->zone_capacity) {
            words->zone_capacity = words->zone_capacity == 0 ? 4 : words->zone_capacity * 2;
            words->zones = sn_realloc(words->zones, words->zone_capacity, sizeof(struct sn_tz *));
        }
        words->zones[number] = zone;
    }
    return number;
}

void sn_vocabulary_add_window(
    struct sn_vocabulary *words, const struct sn_window *window, const struct sn_tz *zone, struct sn_slice zone_name)
{
    uint32_t number = add_zone(words, zone, zone_name);
    struct sn_slice key =
        sn_arena_printf(&words->arena, "%u %u %u %u", number, window->days, window->from_min, window->to_min);
    size_t before = words->window_count;
    if (sn_strtab_add(&words->window_keys, 0, key) != before) {
        return;
    }
    if (before == words->window_capacity) {
        words->window_capacity = before == 0 ? 16 : before * 2;
        words->windows = sn_realloc(words->windows, words->window_capacity, sizeof(*words->windows));
    }
    words->windows[words->window_count++] = (struct sn_space_window){*window, number};
}

static void add_version(struct sn_vocabulary *words, struct sn_slice version)
{
    size_t at = 0;
    while (at < words->version_count && sn_version_cmp(words->versions[at], version) < 0) {
        at++;
    }
    if (at < words->version_count && sn_version_cmp(words->versions[at], version) == 0) {
        return;
    }
    if (words->version_count == words->version_capacity) {
        words->version_capacity = words->version_capacity == 0 ? 8 : words->version_capacity * 2;
        words->versions = sn_realloc(words->versions, words->version_capacity, sizeof(*words->versions));
    }
    memmove(&words->versions[at + 1], &words->versions[at], (words->version_count - at) * sizeof(*words->versions));
    words->versions[at] = version;
    words->version_count++;
}

void sn_vocabulary_add_policy(struct sn_vocabulary *words, const struct sn_policy *policy)
{
    for (size_t i = 0; i < policy->profiles.count; i++) {
        if (!words->has_catalog) {
            (void)sn_strtab_add(&words->profiles, 0, policy->profiles.entries[i].text);
        }
    }
    for (size_t i = 0; i < policy->atoms.count; i++) {
        const struct sn_strtab_entry *atom = &policy->atoms.entries[i];
        add_atom(words, (enum sn_entry_kind)atom->space, atom->text);
    }
    for (size_t i = 0; i < policy->version_count; i++) {
        add_version(words, policy->versions[i]);
    }
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct sn_rule *rule = &policy->rules[i];
        words->has_device |= rule->has_device;
        words->needs |= rule->needs;
        words->os_types |= rule->os_types;
        if (rule->has_time) {
            sn_vocabulary_add_window(words, &rule->window, rule->zone, rule->zone_name);
        }
    }
}

void sn_vocabulary_add_catalogued(struct sn_vocabulary *words, struct sn_slice profile)
{
    if (!words->has_catalog) {
        words->has_catalog = true;
        sn_strtab_clear(&words->profiles);
    }
    (void)sn_strtab_add(&words->profiles, 0, profile);
}

/* --- Profiles and callers --- */

/* A text that the table does not have: stem, or stem-2, stem-3, ... */
static struct sn_slice other_than(const struct sn_strtab *table, struct sn_arena *arena, const char *stem)
{
    struct sn_slice text = sn_arena_printf(arena, "%s", stem);
    for (unsigned n = 2; sn_strtab_find(table, 0, text) != SN_STRTAB_NONE; n++) {
        text = sn_arena_printf(arena, "%s-%u", stem, n);
    }
    return text;
}

/* A name that no entry bears, not even at the end of an ARN. */
static struct sn_slice other_name(const struct sn_vocabulary *words, struct sn_arena *arena)
{
    struct sn_slice text = SN_S("anyone-else");
    for (unsigned n = 2;; n++) {
        struct sn_slice suffix = sn_arena_printf(arena, "/%.*s", SN_PRI(text));
        bool is_free = sn_strtab_find(&words->names, 0, text) == SN_STRTAB_NONE;
        for (size_t i = 0; i < words->arns.count && is_free; i++) {
            is_free = !sn_slice_has_suffix(words->arns.entries[i].text, suffix);
        }
        if (is_free) {
            return text;
        }
        text = sn_arena_printf(arena, "anyone-else-%u", n);
    }
}

static void list_profiles(struct sn_space *space, const struct sn_vocabulary *words)
{
    size_t count = words->profiles.count;
    struct sn_slice *all = sn_arena_alloc(&space->arena, count + 1, sizeof(*all));
    for (size_t i = 0; i < count; i++) {
        all[i] = words->profiles.entries[i].text;
    }
    if (!words->has_catalog) {
        all[count++] = other_than(&words->profiles, &space->arena, "any-other-profile");
    }
    space->profiles = all;
    space->profile_count = count;
}

/* An account that nobody said is that of the IAM users named by ARN. */
static enum sn_status find_account(struct sn_space *space, const struct sn_vocabulary *words, struct sn_error *err)
{
    bool is_said = space->server.account[0] != '\0';
    for (size_t i = 0; i < words->arns.count && !is_said; i++) {
        struct sn_principal who;
        struct sn_error ignored = {0};
        if (sn_principal_parse(words->arns.entries[i].text, NULL, &who, &ignored) != SN_OK ||
            who.type != SN_PRINCIPAL_USER) {
            continue;
        }
        if (space->server.account[0] != '\0' && strcmp(space->server.account, who.account) != 0) {
            sn_fail(err, SN_USAGE, "TWO_ACCOUNTS",
                "IAM users of the accounts %s and %s are named, and which of the two "
                "is the server's is not known",
                space->server.account, who.account);
            return sn_suggest(err, "give --tvm-account, or tvm_account in a test file");
        }
        memcpy(space->server.account, who.account, sizeof(space->server.account));
    }
    return SN_OK;
}

struct caller_list {
    struct sn_space *space;
    struct sn_strtab known; /* ARNs */
    size_t capacity;
};

/* Text that is no caller, as a name that AWS would not give, does not exist. */
static void add_caller(struct caller_list *list, struct sn_slice text)
{
    struct sn_space *space = list->space;
    struct sn_error ignored = {0};
    if (space->caller_count == list->capacity) {
        list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        space->callers = sn_realloc(space->callers, list->capacity, sizeof(*space->callers));
    }
    struct sn_space_caller *caller = &space->callers[space->caller_count];
    caller->text = text;
    struct sn_trial_server server = space->server;
    if (sn_trial_principal(text, &server, &caller->who, &ignored) != SN_OK) {
        return;
    }
    size_t before = list->known.count;
    struct sn_slice arn = sn_arena_dup(&space->arena, sn_slice_str(caller->who.arn));
    if (sn_strtab_add(&list->known, 0, arn) == before) {
        space->caller_count++;
    }
}

static bool is_named(const struct sn_vocabulary *words, struct sn_slice arn)
{
    return sn_strtab_find(&words->arns, 0, arn) != SN_STRTAB_NONE;
}

/* A session of a role in the server's account; where an entry names its very ARN, also one that the entry does not
 * name, which is in another account. */
static void add_session(
    struct caller_list *list, const struct sn_vocabulary *words, struct sn_slice role, struct sn_slice name)
{
    struct sn_arena *arena = &list->space->arena;
    const char *account = sn_trial_own_account(&list->space->server);
    struct sn_slice arn =
        sn_arena_printf(arena, "arn:aws:sts::%s:assumed-role/%.*s/%.*s", account, SN_PRI(role), SN_PRI(name));
    add_caller(list, arn);
    for (unsigned other = 1; is_named(words, arn); other++) {
        arn = sn_arena_printf(arena, "arn:aws:sts::%012u:assumed-role/%.*s/%.*s", other, SN_PRI(role), SN_PRI(name));
        if (!is_named(words, arn) && strncmp(arn.ptr + strlen("arn:aws:sts::"), account, SN_ACCOUNT_LEN) != 0) {
            add_caller(list, arn);
            return;
        }
    }
}

static void add_sessions(
    struct caller_list *list, const struct sn_vocabulary *words, struct sn_slice role, struct sn_slice other)
{
    struct sn_space *space = list->space;
    struct sn_slice any = sn_arena_printf(&space->arena, "arn:aws:sts::%s:assumed-role/%.*s/%.*s",
        sn_trial_own_account(&space->server), SN_PRI(role), SN_PRI(other));
    struct sn_trial_server server = space->server;
    struct sn_principal who;
    struct sn_error ignored = {0};
    /* The name of a session that nobody vouches for plays no part, so that one session stands for all of the role. */
    bool has_names = sn_trial_principal(any, &server, &who, &ignored) == SN_OK && who.vouched;
    for (size_t i = 0; has_names && i < words->names.count; i++) {
        add_session(list, words, role, words->names.entries[i].text);
    }
    add_caller(list, any);
}

/* The role of a permission set that no entry names. */
static struct sn_slice other_permission_set(const struct sn_vocabulary *words, struct sn_arena *arena)
{
    struct sn_slice role = SN_S("AWSReservedSSO_AnyOther_0000000000000000");
    for (unsigned n = 2; sn_strtab_find(&words->roles, 0, role) != SN_STRTAB_NONE; n++) {
        role = sn_arena_printf(arena, "AWSReservedSSO_AnyOther%u_0000000000000000", n);
    }
    return role;
}

/* A name is also borne by the Identity Center user, who is told from the IAM user only by an entry with his ARN. */
static void add_name(struct caller_list *list, const struct sn_vocabulary *words, struct sn_slice name)
{
    struct sn_slice arn = sn_arena_printf(
        &list->space->arena, "arn:aws:iam::%s:user/%.*s", sn_trial_own_account(&list->space->server), SN_PRI(name));
    add_caller(list, name);
    if (is_named(words, arn)) {
        add_session(list, words, other_permission_set(words, &list->space->arena), name);
    }
}

static enum sn_status list_callers(struct sn_space *space, const struct sn_vocabulary *words, struct sn_error *err)
{
    struct caller_list list = {.space = space};
    SN_TRY(find_account(space, words, err));
    struct sn_slice other = other_name(words, &space->arena);
    for (size_t i = 0; i < words->names.count; i++) {
        add_name(&list, words, words->names.entries[i].text);
    }
    add_caller(&list, other);
    for (size_t i = 0; i < words->roles.count; i++) {
        add_sessions(&list, words, words->roles.entries[i].text, other);
    }
    add_sessions(&list, words, other_than(&words->roles, &space->arena, "any-other-role"), other);
    for (size_t i = 0; i < words->arns.count; i++) {
        add_caller(&list, words->arns.entries[i].text);
    }
    sn_strtab_clear(&list.known);
    return SN_OK;
}

/* --- Devices --- */

/* False for flags that make no difference, or that cannot be: compliance counts only on an enrolled device. */
static bool flags_exist(uint8_t needs, unsigned flags)
{
    bool asks_compliant = (needs >> SN_NEED_COMPLIANT & 1) != 0, asks_mdm = (needs >> SN_NEED_MDM & 1) != 0;
    bool compliant = (flags >> SN_NEED_COMPLIANT & 1) != 0, enrolled = (flags >> SN_NEED_MDM & 1) != 0;
    unsigned possible = needs | (asks_compliant ? 1u << SN_NEED_MDM : 0u);
    return (flags & ~possible) == 0 && (!compliant || enrolled) &&
           (!asks_compliant || asks_mdm || enrolled); /* else one unmet state would stand twice */
}

static void set_flag(enum sn_tristate *out, uint8_t needs, unsigned flags, enum sn_device_need need)
{
    if ((needs >> need & 1) != 0) {
        *out = (flags >> need & 1) != 0 ? SN_TRUE : SN_FALSE;
    }
}

static void set_flags(struct sn_posture *posture, uint8_t needs, unsigned flags)
{
    uint8_t shown = (needs >> SN_NEED_COMPLIANT & 1) != 0 ? (uint8_t)(needs | 1u << SN_NEED_MDM) : needs;
    set_flag(&posture->disk_encrypted, shown, flags, SN_NEED_ENCRYPTION);
    set_flag(&posture->mdm_enrolled, shown, flags, SN_NEED_MDM);
    set_flag(&posture->mdm_compliant, shown, flags, SN_NEED_COMPLIANT);
    set_flag(&posture->firewall_enabled, shown, flags, SN_NEED_FIREWALL);
}

/* The systems that documents name, and one that they do not: another one, or none known. */
static size_t list_systems(uint8_t os_types, struct sn_slice out[SN_OS_TYPES + 1])
{
    size_t count = 0;
    bool has_other = false;
    for (size_t i = 0; i < SN_OS_TYPES; i++) {
        bool is_named = (os_types >> i & 1) != 0;
        if (is_named || (!has_other && os_types != 0)) {
            out[count++] = sn_slice_str(sn_os_type_words[i]);
            has_other |= !is_named;
        }
    }
    if (!has_other) {
        out[count++] = (struct sn_slice){0};
    }
    return count;
}

/* Below all bounds, and at each of them. */
static struct sn_slice version_at(const struct sn_vocabulary *words, size_t rank)
{
    if (rank > 0) {
        return words->versions[rank - 1];
    }
    bool has_lower = words->version_count > 0 && sn_version_cmp(SN_S("0"), words->versions[0]) < 0;
    return has_lower ? SN_S("0") : (struct sn_slice){0};
}

static void list_devices(struct sn_space *space, const struct sn_vocabulary *words)
{
    struct sn_slice systems[SN_OS_TYPES + 1];
    size_t system_count = list_systems(words->os_types, systems), version_count = words->version_count + 1;
    size_t most = 1 + (words->has_device ? FLAG_COMBINATIONS * system_count * version_count : 0);
    space->devices = sn_alloc(most, sizeof(*space->devices));
    space->device_count = 1; /* nothing is known of the device */
    for (unsigned flags = 0; words->has_device && flags < FLAG_COMBINATIONS; flags++) {
        if (!flags_exist(words->needs, flags)) {
            continue;
        }
        for (size_t n = 0; n < system_count * version_count; n++) {
            struct sn_space_device *device = &space->devices[space->device_count++];
            device->is_known = true;
            device->posture.os_type = systems[n / version_count];
            device->posture.os_version = version_at(words, n % version_count);
            set_flags(&device->posture, words->needs, flags);
        }
    }
}

/* --- The space --- */

int64_t sn_monday_before(int64_t unix_s)
{
    struct sn_wall wall = sn_wall_at(unix_s, 0);
    int64_t seconds = unix_s % 60 < 0 ? unix_s % 60 + 60 : unix_s % 60;
    return unix_s - seconds - (int64_t)wall.minute * 60 - (int64_t)wall.weekday * DAY_S;
}

static enum sn_status too_large(const struct sn_space *space, uint64_t max_points, struct sn_error *err)
{
    const struct {
        const char *what;
        size_t count;
    } factors[] = {{"profiles", space->profile_count}, {"principals", space->caller_count},
        {"combinations of open windows", space->instant_count}, {"device states", space->device_count}};
    size_t largest = 0;
    for (size_t i = 1; i < SN_LEN(factors); i++) {
        largest = factors[i].count > factors[largest].count ? i : largest;
    }
    sn_fail(err, SN_LIMIT, "SPACE_TOO_LARGE", "more than %llu requests would have to be tried; there are %s%zu %s",
        (unsigned long long)max_points, largest == 2 ? "at least " : "", factors[largest].count, factors[largest].what);
    return sn_suggest(err, "split the document, or raise --max-points where the command has it");
}

enum sn_status sn_space_init(struct sn_space *space, const struct sn_vocabulary *words,
    const struct sn_trial_server *server, int64_t from_unix_s, uint64_t max_points, struct sn_error *err)
{
    *space = (struct sn_space){.server = *server};
    list_profiles(space, words);
    SN_TRY(list_callers(space, words, err));
    list_devices(space, words);
    space->instant_count = 1;
    uint64_t rest = (uint64_t)space->profile_count * space->caller_count; /* each at most some millions */
    if (__builtin_mul_overflow(rest, (uint64_t)space->device_count, &rest) || rest > max_points) {
        return too_large(space, max_points, err);
    }
    uint64_t room = rest > 0 ? max_points / rest : max_points;
    if (!sn_space_find_instants(
            words, from_unix_s, (size_t)room, &space->arena, &space->instants, &space->instant_count)) {
        space->instant_count = (size_t)room;
        return too_large(space, max_points, err);
    }
    space->points = rest * space->instant_count;
    return SN_OK;
}

void sn_space_clear(struct sn_space *space)
{
    sn_free(space->callers);
    sn_free(space->devices);
    sn_arena_clear(&space->arena);
    *space = (struct sn_space){0};
}

void sn_space_request(const struct sn_space *space, const struct sn_point *point, struct sn_policy_request *out_request)
{
    const struct sn_space_device *device = &space->devices[point->device];
    sn_trial_request(&space->server, &space->callers[point->caller].who, space->profiles[point->profile],
        space->instants[point->instant], device->is_known ? &device->posture : NULL, out_request);
}

void sn_space_rule_reach(const struct sn_space *space, const struct sn_policy *policy, size_t rule,
    struct sn_arena *arena, struct sn_rule_reach *out_reach)
{
    const struct sn_rule *r = &policy->rules[rule];
    struct sn_policy_request request;
    struct sn_policy_ids ids;
    *out_reach = (struct sn_rule_reach){.profiles = sn_arena_alloc(arena, space->profile_count, sizeof(bool)),
        .callers = sn_arena_alloc(arena, space->caller_count, sizeof(bool)),
        .instants = sn_arena_alloc(arena, space->instant_count, sizeof(bool)),
        .devices = sn_arena_alloc(arena, space->device_count, sizeof(bool)),
        .mode = r->modes == 0 || (r->modes >> SN_MODE_SERVER & 1) != 0};
    for (uint32_t i = 0; i < space->profile_count; i++) {
        sn_space_request(space, &(struct sn_point){.profile = i}, &request);
        sn_policy_intern(policy, &request, &ids);
        out_reach->profiles[i] = !r->has_profiles || sn_bits_has(&ids.profile, rule);
    }
    for (uint32_t i = 0; i < space->caller_count; i++) {
        sn_space_request(space, &(struct sn_point){.caller = i}, &request);
        sn_policy_intern(policy, &request, &ids);
        out_reach->callers[i] = !r->has_users || sn_ids_name_caller(&ids, rule);
    }
    for (uint32_t i = 0; i < space->instant_count; i++) {
        out_reach->instants[i] = !r->has_time || sn_window_contains(&r->window, r->zone, space->instants[i]);
    }
    for (uint32_t i = 0; i < space->device_count; i++) {
        sn_space_request(space, &(struct sn_point){.device = i}, &request);
        sn_policy_intern(policy, &request, &ids);
        out_reach->devices[i] = sn_device_matches(policy, rule, &ids.posture);
    }
}
