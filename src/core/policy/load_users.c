/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/load_users.c - reading lists of users, and the groups of a document; see load_internal.h. */
#include "base/alloc.h"
#include "base/nearest.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"

static const char forms[] = "an entry is NAME, arn:..., role:NAME or group:NAME";

/* "rule 'x'" or "group 'x'", for messages. */
struct owner {
    const char *word;
    struct sn_slice name;
};

/* Findings of an entry that are the same for rules and groups. False when it cannot be used. */
static bool check_entry(struct sn_loader *loader, const struct sn_yaml_node *item, const struct sn_path *path,
    struct owner owner, struct sn_entry *out_entry)
{
    char hint[192];
    struct sn_slice text = item->text;
    enum sn_entry_fault fault = sn_entry_parse(text, out_entry);
    switch (fault) {
    case SN_ENTRY_OK:
        return true;
    case SN_ENTRY_NEVER_MATCHES:
        SN_FINDING_WARNING(loader, "user-never-matches", item, path,
            "AWS names are 1 to 64 letters, digits and '_+=,.@-', compared letter by letter",
            "no caller can have the name '%.*s' in %s '%.*s'", SN_SHOW(text), owner.word, SN_SHOW(owner.name));
        return true;
    case SN_ENTRY_SELF_CHOSEN:
        SN_FINDING_WARNING(loader, "self-chosen-name", item, path,
            "write role:NAME, or let the server vouch for the role",
            "in %s '%.*s' the name of the session '%.*s' is its holder's choice, so the entry is no stronger than "
            "role:",
            owner.word, SN_SHOW(owner.name), SN_SHOW(text));
        return true;
    case SN_ENTRY_EMPTY:
        SN_FINDING_ERROR(
            loader, "user-entry", item, path, forms, "an empty entry in %s '%.*s'", owner.word, SN_SHOW(owner.name));
        return false;
    case SN_ENTRY_WILDCARD:
        SN_FINDING_ERROR(loader, "wildcard", item, path, "list the names, or omit the list to match everyone",
            "'%.*s' in %s '%.*s' has a wildcard, and names are compared letter by letter", SN_SHOW(text), owner.word,
            SN_SHOW(owner.name));
        return false;
    case SN_ENTRY_BAD_PREFIX:
        SN_FINDING_ERROR(loader, "user-entry", item, path,
            sn_suggest_word(
                hint, sizeof(hint), out_entry->value, sn_entry_prefix_words, SN_LEN(sn_entry_prefix_words), forms),
            "'%.*s' in %s '%.*s' begins with an unknown prefix", SN_SHOW(text), owner.word, SN_SHOW(owner.name));
        return false;
    case SN_ENTRY_ROLE_ARN:
        snprintf(hint, sizeof(hint), "write role:%.*s", SN_SHOW(out_entry->value));
        SN_FINDING_ERROR(loader, "user-entry", item, path, hint,
            "'%.*s' in %s '%.*s' is a role, and a role is no caller", SN_SHOW(text), owner.word, SN_SHOW(owner.name));
        return false;
    case SN_ENTRY_BAD_ARN:
        SN_FINDING_ERROR(loader, "user-entry", item, path,
            "the ARN of a caller is that of an IAM user, a role session, a federated user or the root user",
            "'%.*s' in %s '%.*s' is not the ARN of a caller", SN_SHOW(text), owner.word, SN_SHOW(owner.name));
        return false;
    case SN_ENTRY_BAD_ROLE:
        SN_FINDING_ERROR(loader, "user-entry", item, path,
            "role: and 1 to 64 letters, digits and '_+=,.@-', without path", "'%.*s' in %s '%.*s' names no role",
            SN_SHOW(text), owner.word, SN_SHOW(owner.name));
        return false;
    case SN_ENTRY_BAD_GROUP:
        SN_FINDING_ERROR(loader, "group", item, path, "group: and 1 to 64 letters, digits, '_' and '-'",
            "'%.*s' in %s '%.*s' names no group", SN_SHOW(text), owner.word, SN_SHOW(owner.name));
        return false;
    }
    return false;
}

static void report_unknown_group(
    struct sn_loader *loader, const struct sn_yaml_node *item, const struct sn_path *path, struct sn_slice name)
{
    const char *names[SN_POLICY_MAX_GROUPS];
    char hint[256] = "the document defines no groups", all[200] = "defined: ";
    size_t used = 9;
    struct sn_arena arena = {0};
    for (size_t i = 0; i < loader->group_count; i++) {
        names[i] = sn_arena_str(&arena, loader->groups[i].name);
        int len = snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ", names[i]);
        used += len > 0 && used + (size_t)len < sizeof(all) ? (size_t)len : 0;
    }
    all[used] = '\0';
    const char *near = sn_nearest(name, names, loader->group_count);
    if (near != NULL) {
        snprintf(hint, sizeof(hint), "did you mean 'group:%s'?", near);
    } else if (loader->group_count > 0) {
        snprintf(hint, sizeof(hint), "%s", all);
    }
    SN_FINDING_ERROR(loader, "group", item, path, hint, "unknown group '%.*s' in rule '%.*s'", SN_SHOW(name),
        SN_SHOW(loader->rule_name));
    sn_arena_clear(&arena);
}

/* Keeps an entry of a checked list; its texts too, where the list outlives the text of the document. */
static void keep(struct sn_loader *loader, struct sn_entry *items, size_t *count, struct sn_entry entry)
{
    if (loader->keeps_lists) {
        size_t skipped = entry.text.len - entry.value.len;
        entry.text = sn_arena_dup(loader->arena, entry.text);
        entry.value = sn_slice_sub(entry.text, skipped, entry.text.len - skipped);
    }
    items[(*count)++] = entry;
}

struct sn_entry_list sn_load_entries(
    struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_path *path)
{
    if (list == NULL || list->count == 0) {
        return (struct sn_entry_list){0};
    }
    struct sn_entry *items = sn_arena_alloc(loader->lists, list->count, sizeof(*items));
    size_t count = 0;
    sn_loader_begin_list(loader);
    for (size_t i = 0; i < list->count; i++) {
        struct sn_path item_path = {.parent = path, .index = i, .is_index = true};
        const struct sn_yaml_node *item = list->items[i];
        struct sn_entry entry;
        if (!check_entry(loader, item, &item_path, (struct owner){"rule", loader->rule_name}, &entry)) {
            continue;
        }
        sn_lint_repeated(loader, item, &item_path);
        if (entry.kind == SN_ENTRY_GROUP) {
            entry.group = sn_strtab_find(&loader->group_names, 0, entry.value);
            if (entry.group == SN_STRTAB_NONE) {
                report_unknown_group(loader, item, &item_path, entry.value);
                continue;
            }
            loader->groups[entry.group].is_used = true;
        }
        keep(loader, items, &count, entry);
    }
    return (struct sn_entry_list){items, count};
}

struct sn_entry_list sn_load_plain_entries(struct sn_loader *loader, const struct sn_yaml_node *list,
    const struct sn_path *path, const char *owner_word, struct sn_slice owner)
{
    struct sn_entry *items = sn_arena_alloc(loader->lists, list->count, sizeof(*items));
    size_t count = 0;
    sn_loader_begin_list(loader);
    for (size_t i = 0; i < list->count; i++) {
        struct sn_path item_path = {.parent = path, .index = i, .is_index = true};
        const struct sn_yaml_node *item = list->items[i];
        struct sn_entry entry;
        if (!check_entry(loader, item, &item_path, (struct owner){owner_word, owner}, &entry)) {
            continue;
        }
        if (entry.kind == SN_ENTRY_GROUP) {
            SN_FINDING_ERROR(loader, "group", item, &item_path, "write the entries out",
                "groups do not nest: '%.*s' in %s '%.*s'", SN_SHOW(item->text), owner_word, SN_SHOW(owner));
            continue;
        }
        sn_lint_repeated(loader, item, &item_path);
        keep(loader, items, &count, entry);
    }
    return (struct sn_entry_list){items, count};
}

static struct sn_entry_list load_group(
    struct sn_loader *loader, struct sn_slice name, const struct sn_yaml_node *list, const struct sn_path *path)
{
    if (list->count == 0) {
        SN_FINDING_ERROR(loader, "group", list, path, "list at least one entry, or remove the group",
            "the group '%.*s' is empty", SN_SHOW(name));
        return (struct sn_entry_list){0};
    }
    return sn_load_plain_entries(loader, list, path, "group", name);
}

void sn_load_groups(struct sn_loader *loader, const struct sn_yaml_node *groups)
{
    struct sn_path groups_path = {.field = "groups"};
    if (groups == NULL) {
        return;
    }
    if (groups->count == 0) {
        SN_FINDING_ERROR(
            loader, "group", groups, &groups_path, "define a group, or leave groups out", "groups is empty");
    }
    loader->groups = sn_alloc(groups->count, sizeof(*loader->groups));
    for (size_t i = 0; i < groups->count; i++) {
        const struct sn_yaml_node *key = groups->pairs[i].key;
        struct sn_path path = {.parent = &groups_path, .name = key->text};
        if (!sn_group_name_is_valid(key->text)) {
            SN_FINDING_ERROR(loader, "group", key, &path, "1 to 64 letters, digits, '_' and '-'",
                "'%.*s' is not the name of a group", SN_SHOW(key->text));
        }
        uint32_t group = sn_strtab_add(&loader->group_names, 0, key->text);
        if (group < loader->group_count) { /* the reader refuses a key given twice */
            continue;
        }
        loader->group_count++;
        loader->groups[group] = (struct sn_group){
            .name = key->text, .key = key, .members = load_group(loader, key->text, groups->pairs[i].value, &path)};
    }
}
