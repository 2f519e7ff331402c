/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/approval_load.c - what an approval policy has beside the fields of its rules: people, and whether a list
 * of approvers can be met at all.
 *
 * How many persons a list names is judged by keys: entries of one key are certainly one person. A list may name more
 * persons than keys (a role has many sessions), never fewer.
 */
#include <string.h>

#include "core/identity/principal.h"
#include "core/policy/approval.h"
#include "core/policy/limits.h"
#include "core/policy/ruleset_shape.h"

/* Spaces of keys. */
enum { KEY_PERSON, KEY_NAME, KEY_ROLE, KEY_ARN, KEY_FEDERATED, SPACE_IDENTITY };

/* --- people --- */

static void load_person(struct sn_loader *loader, struct sn_person *person, const struct sn_yaml_pair *pair,
    struct sn_strtab *identities, uint32_t *owners, uint32_t number)
{
    struct sn_path people_path = {.field = "people"};
    struct sn_path path = {.parent = &people_path, .name = pair->key->text};
    const struct sn_yaml_node *list = pair->value;
    struct sn_entry parsed;
    enum sn_entry_fault fault = sn_entry_parse(pair->key->text, &parsed);
    if (fault != SN_ENTRY_OK || parsed.kind != SN_ENTRY_NAME) {
        SN_FINDING_ERROR(loader, "people", pair->key, &path, "1 to 64 letters, digits and '_+=,.@-'",
            "'%.*s' is not the name of a person", SN_SHOW(pair->key->text));
    }
    if (list->count == 0 || list->count > SN_APPROVAL_MAX_IDENTITIES) {
        SN_FINDING_ERROR(loader, "people", list, &path, "list 1 to 50 identities of one human",
            "the person '%.*s' has %u identities", SN_SHOW(pair->key->text), list->count);
        return;
    }
    person->name = sn_arena_dup(loader->arena, pair->key->text);
    person->entries = sn_load_plain_entries(loader, list, &path, "person", pair->key->text);
    for (size_t i = 0; i < person->entries.count; i++) {
        size_t before = identities->count;
        uint32_t identity = sn_strtab_add(identities, SPACE_IDENTITY, person->entries.items[i].text);
        if (identity == before) {
            owners[identity] = number;
        } else if (owners[identity] != number) {
            SN_FINDING_ERROR(loader, "people", list, &path, "an identity is one human's: name it once",
                "'%.*s' stands under another person too", SN_SHOW(person->entries.items[i].text));
        }
    }
}

/* The identities stay for the rules: person_of, by the number of an identity, is its person. */
static void load_people(struct sn_loader *loader, struct sn_ruleset *ruleset, const struct sn_yaml_node *root)
{
    struct sn_path path = {.field = "people"};
    const struct sn_yaml_node *people = sn_yaml_get(root, "people");
    if (people == NULL) {
        return;
    }
    if (people->count == 0) {
        SN_FINDING_ERROR(loader, "people", people, &path, "name a person, or leave people out", "people is empty");
        return;
    }
    size_t identities = 0;
    for (size_t i = 0; i < people->count; i++) {
        identities += people->pairs[i].value->count;
    }
    ruleset->people = sn_arena_alloc(&ruleset->arena, people->count, sizeof(*ruleset->people));
    ruleset->person_of = sn_arena_alloc(&ruleset->arena, identities, sizeof(*ruleset->person_of));
    for (size_t i = 0; i < people->count; i++) {
        load_person(
            loader, &ruleset->people[i], &people->pairs[i], &ruleset->identities, ruleset->person_of, (uint32_t)i);
    }
    ruleset->person_count = people->count;
}

/* --- how many persons a list of approvers names --- */

struct key {
    uint32_t space;
    struct sn_slice text;
};

/* Distinct keys, as many as matter. */
struct keys {
    struct key items[SN_APPROVAL_MAX_REQUIRED];
    size_t count;
    bool has_roles;            /* an entry role:, so any number of persons */
    bool has_many_sided_roles; /* one of Identity Center, whose sessions are different persons for certain */
    bool is_indistinct;        /* sessions that may be one person */
};

static void add_key(struct keys *keys, struct key key)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->items[i].space == key.space && sn_slice_eq(keys->items[i].text, key.text)) {
            return;
        }
    }
    if (keys->count < SN_LEN(keys->items)) {
        keys->items[keys->count++] = key;
    }
}

static bool find_person(const struct sn_ruleset *ruleset, struct sn_slice identity, struct key *out_key)
{
    uint32_t number = sn_strtab_find(&ruleset->identities, SPACE_IDENTITY, identity);
    if (number == SN_STRTAB_NONE) {
        return false;
    }
    *out_key = (struct key){KEY_PERSON, ruleset->people[ruleset->person_of[number]].name};
    return true;
}

/* Sessions of one role are one person only where nobody vouches for their names, which a document does not know. */
struct counting {
    const struct sn_ruleset *ruleset;
    struct sn_arena *arena;
    bool do_sessions_join;
};

static struct key arn_key(const struct counting *counting, struct sn_slice arn)
{
    struct sn_principal caller;
    struct sn_error ignored = {0};
    struct key key = {KEY_ARN, arn};
    if (sn_principal_parse(arn, NULL, &caller, &ignored) != SN_OK) {
        return key;
    }
    struct sn_slice name = sn_slice_sub(arn, arn.len - strlen(caller.name), strlen(caller.name)); /* stands last */
    switch (caller.type) {
    case SN_PRINCIPAL_USER:
        return (struct key){KEY_NAME, name};
    case SN_PRINCIPAL_ASSUMED_ROLE:
        if (caller.is_sso) { /* the directory's user of that name, whom NAME means too */
            return find_person(counting->ruleset, name, &key) ? key : (struct key){KEY_NAME, name};
        }
        if (counting->do_sessions_join) {
            return (struct key){KEY_ROLE, sn_arena_dup(counting->arena, sn_slice_str(caller.role))};
        }
        return key;
    case SN_PRINCIPAL_FEDERATED_USER:
        return (struct key){KEY_FEDERATED, sn_arena_dup(counting->arena, sn_slice_str(caller.account))};
    case SN_PRINCIPAL_ROOT:
        return key;
    }
    return key;
}

static struct key key_of(const struct counting *counting, const struct sn_entry *entry)
{
    struct key key;
    if (find_person(counting->ruleset, entry->text, &key)) {
        return key;
    }
    switch (entry->kind) {
    case SN_ENTRY_NAME:
        return (struct key){KEY_NAME, entry->value};
    case SN_ENTRY_ROLE:
        return (struct key){KEY_ROLE, entry->value};
    case SN_ENTRY_ARN:
        return arn_key(counting, entry->text);
    case SN_ENTRY_GROUP:
        break; /* has keys of its own */
    }
    return (struct key){KEY_ARN, entry->text};
}

static bool is_indistinct(const struct sn_entry *entry)
{
    struct sn_entry parsed;
    if (entry->kind == SN_ENTRY_ROLE) {
        return !sn_role_is_sso(entry->value);
    }
    return entry->kind == SN_ENTRY_ARN && sn_entry_parse(entry->text, &parsed) == SN_ENTRY_SELF_CHOSEN;
}

/* Adds the entries of a list, groups left out. */
static void add_entries(const struct counting *counting, const struct sn_entry_list *list, struct keys *keys)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct sn_entry *entry = &list->items[i];
        if (entry->kind != SN_ENTRY_GROUP) {
            keys->has_roles |= entry->kind == SN_ENTRY_ROLE;
            keys->has_many_sided_roles |= entry->kind == SN_ENTRY_ROLE && sn_role_is_sso(entry->value);
            keys->is_indistinct |= is_indistinct(entry);
            add_key(keys, key_of(counting, entry));
        }
    }
}

/* By group, with sessions apart and with sessions joined: counted once, however many rules name the group. */
struct group_keys {
    struct keys apart, joined;
};

static void load_document(struct sn_loader *loader, struct sn_ruleset *ruleset, const struct sn_yaml_node *root)
{
    load_people(loader, ruleset, root);
    struct group_keys *groups = sn_arena_alloc(&ruleset->arena, ruleset->group_count, sizeof(*groups));
    for (size_t i = 0; i < ruleset->group_count; i++) {
        add_entries(&(struct counting){ruleset, &ruleset->arena, false}, &ruleset->groups[i], &groups[i].apart);
        add_entries(&(struct counting){ruleset, &ruleset->arena, true}, &ruleset->groups[i], &groups[i].joined);
    }
    loader->own = groups;
}

static void add_keys(struct keys *keys, const struct keys *more)
{
    for (size_t i = 0; i < more->count; i++) {
        add_key(keys, more->items[i]);
    }
    keys->has_roles |= more->has_roles;
    keys->has_many_sided_roles |= more->has_many_sided_roles;
    keys->is_indistinct |= more->is_indistinct;
}

static void count_approvers(struct sn_loader *loader, const struct sn_ruleset *ruleset,
    const struct sn_entry_list *approvers, struct sn_arena *arena, struct group_keys *out_keys)
{
    const struct group_keys *groups = loader->own;
    add_entries(&(struct counting){ruleset, arena, false}, approvers, &out_keys->apart);
    add_entries(&(struct counting){ruleset, arena, true}, approvers, &out_keys->joined);
    for (size_t i = 0; i < approvers->count; i++) {
        if (approvers->items[i].kind == SN_ENTRY_GROUP) {
            add_keys(&out_keys->apart, &groups[approvers->items[i].group].apart);
            add_keys(&out_keys->joined, &groups[approvers->items[i].group].joined);
        }
    }
}

/* --- rules --- */

static void check_approvers(struct sn_loader *loader, const struct sn_ruleset *ruleset,
    const struct sn_approver_rule *rule, const struct sn_yaml_node *const *nodes, const struct sn_path *path)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_path approvers_path = {.parent = path, .field = "approvers"};
    struct sn_path required_path = {.parent = path, .field = "approvals_required"};
    const struct sn_yaml_node *approvers = nodes[SN_APPROVAL_RULE_APPROVERS];
    struct group_keys keys = {0};
    if (approvers == NULL || rule->approvers.count < approvers->count || rule->approvers.count == 0) {
        return; /* a list with faults says nothing about who is on it */
    }
    count_approvers(loader, ruleset, &rule->approvers, &arena, &keys);
    if (rule->approvals_required > keys.apart.count && !keys.apart.has_roles) {
        SN_FINDING_ERROR(loader, "approvals-required", nodes[SN_APPROVAL_RULE_REQUIRED], &required_path,
            "list more persons, or require fewer", "rule '%.*s' requires %u persons and its approvers are %zu",
            SN_SHOW(loader->rule_name), rule->approvals_required, keys.apart.count);
    }
    if (keys.joined.count == 1 && !keys.joined.has_many_sided_roles) {
        SN_FINDING_WARNING(loader, "single-approver", approvers, &approvers_path, "list a second person",
            "the approvers of rule '%.*s' (index %zu) are one person%s, whose own requests nobody can approve",
            SN_SHOW(rule->head.name), loader->rule_index,
            keys.joined.is_indistinct ? ", unless the server vouches for the role" : "");
    }
    if (keys.joined.is_indistinct) {
        SN_FINDING_WARNING(loader, "indistinct-approvers", approvers, &approvers_path,
            "name persons, or let the server vouch for the role",
            "in rule '%.*s' (index %zu) all sessions of a role count as one person unless the server vouches for it",
            SN_SHOW(rule->head.name), loader->rule_index);
    }
}

static void check_auto_approve(struct sn_loader *loader, const struct sn_approver_rule *rule,
    const struct sn_yaml_node *node, const struct sn_path *rule_path)
{
    struct sn_path path = {.parent = rule_path, .field = "auto_approve"};
    const struct sn_auto_approve *automatic = &rule->auto_approve;
    const struct sn_yaml_node *users = sn_yaml_get(node, "users");
    bool names_users = users != NULL && users->count > 0;
    if (!names_users && !automatic->time.is_set && sn_load_is_nothing(sn_yaml_get(node, "max_duration"))) {
        SN_FINDING_ERROR(loader, "auto-approve", node, &path, "give users, time or max_duration",
            "auto_approve of rule '%.*s' would approve every request", SN_SHOW(loader->rule_name));
    }
    if (!names_users) {
        SN_FINDING_WARNING(loader, "auto-approve-any-user", node, &path, "name users",
            "rule '%.*s' (index %zu) approves requests of anybody by itself", SN_SHOW(rule->head.name),
            loader->rule_index);
    }
    if (rule->approvals_required > 1) {
        SN_FINDING_WARNING(loader, "auto-approve-alone", node, &path, "remove one of the two",
            "in rule '%.*s' (index %zu) auto_approve makes %u persons unnecessary", SN_SHOW(rule->head.name),
            loader->rule_index, rule->approvals_required);
    }
}

static void check_rule(struct sn_loader *loader, struct sn_ruleset *ruleset, void *rule_memory,
    const struct sn_yaml_node *const *nodes, const struct sn_yaml_node *node, const struct sn_path *path)
{
    struct sn_approver_rule *rule = rule_memory;
    if (nodes[SN_APPROVAL_RULE_REQUIRED] == NULL) {
        rule->approvals_required = 1;
    }
    check_approvers(loader, ruleset, rule, nodes, path);
    if (nodes[SN_APPROVAL_RULE_AUTO_APPROVE] != NULL) {
        check_auto_approve(loader, rule, nodes[SN_APPROVAL_RULE_AUTO_APPROVE], path);
    }
    sn_lint_wildcard_profiles(loader, &rule->head, node, path, "lets its approvers decide about");
}

const struct sn_ruleset_shape sn_approval_shape = {
    .rule = &sn_schema_approval_rule,
    .rule_size = sizeof(struct sn_approver_rule),
    .no_rules = "add a rule, or remove the document: either way nobody can approve",
    .check_rule = check_rule,
    .load_document = load_document,
};
