/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/load_values.c - reading what rules of every kind hold: names, profiles, words, durations; see
 * load_internal.h. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "core/identity/principal.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"

void sn_loader_clear(struct sn_loader *loader)
{
    sn_strtab_clear(&loader->group_names);
    sn_strtab_clear(&loader->rule_names);
    sn_strtab_clear(&loader->zone_names);
    sn_strtab_clear(&loader->seen);
    sn_free(loader->groups);
    sn_free(loader->known_zones);
    sn_free(loader->seen_in);
    sn_free(loader->rule_first);
}

/* --- the document --- */

void sn_load_version(const struct sn_report *report, const struct sn_yaml_node *node)
{
    struct sn_path path = {.field = "version"};
    for (size_t i = 0; i < SN_LEN(sn_document_versions); i++) {
        if (sn_slice_eq_str(node->text, sn_document_versions[i])) {
            return;
        }
    }
    sn_report_add(report, SN_SEVERITY_ERROR, "version", node, &path, "set version: \"1\"",
        "version '%.*s' is not supported; supported: %s", SN_SHOW(node->text), sn_document_versions[0]);
}

const struct sn_yaml_node *sn_load_rules(
    struct sn_loader *loader, const struct sn_yaml_node *root, const struct sn_yaml_node *rules, const char *suggestion)
{
    struct sn_path path = {.field = "rules"};
    if (rules == NULL || rules->count == 0) {
        SN_FINDING_ERROR(
            loader, "no-rules", rules != NULL ? rules : root, &path, suggestion, "a policy needs at least one rule");
        return NULL;
    }
    loader->rule_first = sn_alloc(rules->count, sizeof(*loader->rule_first));
    sn_strtab_reserve(&loader->rule_names, rules->count);
    return rules;
}

void sn_lint_groups(struct sn_loader *loader)
{
    for (size_t i = 0; i < loader->group_count; i++) {
        struct sn_path groups_path = {.field = "groups"};
        struct sn_path path = {.parent = &groups_path, .name = loader->groups[i].name};
        if (!loader->groups[i].is_used) {
            SN_FINDING_WARNING(loader, "unused-group", loader->groups[i].key, &path, "remove it, or name it in a rule",
                "no rule names the group '%.*s'", SN_SHOW(loader->groups[i].name));
        }
    }
}

/* --- lists --- */

void sn_loader_begin_list(struct sn_loader *loader)
{
    loader->list_number++;
    loader->few_count = 0;
}

static bool is_seen(struct sn_loader *loader, struct sn_slice text)
{
    uint32_t number = sn_strtab_add(&loader->seen, 0, text);
    if (number >= loader->seen_capacity) {
        size_t capacity = loader->seen_capacity == 0 ? 64 : loader->seen_capacity * 2;
        loader->seen_in = sn_realloc(loader->seen_in, capacity, sizeof(*loader->seen_in));
        for (size_t i = loader->seen_capacity; i < capacity; i++) {
            loader->seen_in[i] = 0;
        }
        loader->seen_capacity = capacity;
    }
    bool was_there = loader->seen_in[number] == loader->list_number;
    loader->seen_in[number] = loader->list_number;
    return was_there;
}

/* A short list is compared with itself; a table is kept for the entries of long ones. */
static bool is_repeated(struct sn_loader *loader, struct sn_slice text)
{
    if (loader->few_count > SN_FEW_ENTRIES) {
        return is_seen(loader, text);
    }
    for (uint32_t i = 0; i < loader->few_count; i++) {
        if (sn_slice_eq(loader->few[i], text)) {
            return true;
        }
    }
    if (loader->few_count < SN_FEW_ENTRIES) {
        loader->few[loader->few_count++] = text;
        return false;
    }
    for (uint32_t i = 0; i < SN_FEW_ENTRIES; i++) {
        (void)is_seen(loader, loader->few[i]);
    }
    loader->few_count++;
    return is_seen(loader, text);
}

void sn_lint_repeated(struct sn_loader *loader, const struct sn_yaml_node *item, const struct sn_path *path)
{
    if (is_repeated(loader, item->text)) {
        SN_FINDING_WARNING(loader, "duplicate-entry", item, path, "remove one of the two", "'%.*s' stands here twice",
            SN_SHOW(item->text));
    }
}

void sn_lint_empty_list(struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_path *path)
{
    if (node != NULL && node->count == 0) {
        SN_FINDING_WARNING(loader, "empty-list", node, path, "leave the key out, or list something",
            "an empty list in rule '%.*s' (index %zu) matches everything", SN_SHOW(loader->rule_name),
            loader->rule_index);
    }
}

/* --- names --- */

struct sn_slice sn_load_rule_name(struct sn_loader *loader, const struct sn_yaml_node *node,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path)
{
    struct sn_path path = {.parent = rule_path, .field = "name"};
    static const char mend[] = "give each rule a unique printable name of at most 128 bytes";
    if (node == NULL || node->text.len == 0) {
        SN_FINDING_ERROR(loader, "rule-name", node != NULL ? node : rule_node, &path, mend, "rule %zu has no name",
            loader->rule_index);
        return SN_S("");
    }
    if (node->text.len > SN_POLICY_MAX_RULE_NAME || !sn_text_is_printable(node->text)) {
        SN_FINDING_ERROR(loader, "rule-name", node, &path, mend, "the name of rule %zu %s", loader->rule_index,
            node->text.len > SN_POLICY_MAX_RULE_NAME ? "is longer than 128 bytes"
                                                     : "holds characters that do not print");
        return SN_S("");
    }
    struct sn_slice name = sn_arena_dup(loader->arena, node->text);
    uint32_t before = (uint32_t)loader->rule_names.count;
    uint32_t number = sn_strtab_add(&loader->rule_names, 0, name);
    if (number == before) {
        loader->rule_first[number] = (uint32_t)loader->rule_index;
    } else {
        SN_FINDING_ERROR(loader, "duplicate-name", node, &path, mend, "rules %zu and %zu are both named '%.*s'",
            (size_t)loader->rule_first[number], loader->rule_index, SN_SHOW(name));
    }
    return name;
}

static bool check_profile(struct sn_loader *loader, const struct sn_yaml_node *item, const struct sn_path *path)
{
    struct sn_slice name = item->text;
    if (sn_text_has_wildcard(name)) {
        SN_FINDING_ERROR(loader, "wildcard", item, path, "list the names, or omit the list to match every profile",
            "'%.*s' in rule '%.*s' has a wildcard, and names are compared letter by letter", SN_SHOW(name),
            SN_SHOW(loader->rule_name));
        return false;
    }
    if (sn_slice_has_byte(name, ':')) {
        SN_FINDING_ERROR(loader, "profile-entry", item, path,
            "a role ARN belongs into the catalogue; the rule names its profile",
            "'%.*s' in rule '%.*s' is not a profile name", SN_SHOW(name), SN_SHOW(loader->rule_name));
        return false;
    }
    if (!sn_profile_name_is_valid(name)) {
        SN_FINDING_ERROR(loader, "profile-entry", item, path,
            "1 to 256 letters, digits, '_', '/' and '-', not beginning with '-', not ending with '/', without '//'",
            "'%.*s' in rule '%.*s' is not a profile name", SN_SHOW(name), SN_SHOW(loader->rule_name));
        return false;
    }
    sn_lint_repeated(loader, item, path);
    return true;
}

struct sn_profile_list sn_load_profiles(
    struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_path *path)
{
    sn_lint_empty_list(loader, list, path);
    if (list == NULL || list->count == 0) {
        return (struct sn_profile_list){0};
    }
    struct sn_slice *items = sn_arena_alloc(loader->lists, list->count, sizeof(*items));
    size_t count = 0;
    sn_loader_begin_list(loader);
    for (size_t i = 0; i < list->count; i++) {
        struct sn_path item_path = {.parent = path, .index = i, .is_index = true};
        if (check_profile(loader, list->items[i], &item_path)) {
            struct sn_slice text = list->items[i]->text;
            items[count++] = loader->keeps_lists ? sn_arena_dup(loader->arena, text) : text;
        }
    }
    return (struct sn_profile_list){items, count};
}

/* --- words and durations --- */

uint32_t sn_load_words(struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_schema_words *words,
    const struct sn_path *path)
{
    uint32_t bits = 0;
    sn_lint_empty_list(loader, list, path);
    sn_loader_begin_list(loader);
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct sn_path item_path = {.parent = path, .index = i, .is_index = true};
        const struct sn_yaml_node *item = list->items[i];
        char hint[128];
        size_t word = 0;
        while (word < words->count && !sn_slice_eq_str(item->text, words->items[word])) {
            word++;
        }
        if (word < words->count) {
            sn_lint_repeated(loader, item, &item_path);
            bits |= UINT32_C(1) << word;
            continue;
        }
        SN_FINDING_ERROR(loader, words->code, item, &item_path,
            sn_suggest_word(hint, sizeof(hint), item->text, words->items, words->count, words->fallback),
            "'%.*s' in rule '%.*s' is not %s", SN_SHOW(item->text), SN_SHOW(loader->rule_name), words->what);
    }
    return bits;
}

/* "15m", "12h", "30s": a bound as people write it. */
static const char *bound_text(int64_t seconds, char out[32])
{
    if (seconds != 0 && seconds % 3600 == 0) {
        snprintf(out, 32, "%lldh", (long long)(seconds / 3600));
    } else if (seconds != 0 && seconds % 60 == 0) {
        snprintf(out, 32, "%lldm", (long long)(seconds / 60));
    } else {
        snprintf(out, 32, "%llds", (long long)seconds);
    }
    return out;
}

bool sn_load_duration(const struct sn_report *report, const struct sn_schema_field *field,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *owner_word, struct sn_slice owner,
    int64_t *out_seconds)
{
    struct sn_error err = {0};
    int64_t seconds = 0;
    if (sn_parse_duration_or_zero(node->text, &seconds, &err) != SN_OK || seconds < field->min ||
        seconds > field->max) {
        char low[32], high[32], mend[128];
        (void)bound_text(field->min, low);
        (void)bound_text(field->max, high);
        snprintf(mend, sizeof(mend), "give a duration from %s to %s, such as 30m or 1h30m", low, high);
        sn_report_add(report, SN_SEVERITY_ERROR, "duration", node, path, mend,
            "'%.*s' of %s '%.*s' is not a duration from %s to %s", SN_SHOW(node->text), owner_word, SN_SHOW(owner), low,
            high);
        return false;
    }
    *out_seconds = seconds;
    return true;
}

bool sn_load_is_nothing(const struct sn_yaml_node *node)
{
    struct sn_error ignored = {0};
    int64_t seconds = 1;
    if (node == NULL || node->kind != SN_YAML_SCALAR) {
        return node == NULL || node->count == 0;
    }
    return sn_slice_eq_str(node->text, "0") ||
           (sn_parse_duration_or_zero(node->text, &seconds, &ignored) == SN_OK && seconds == 0);
}

bool sn_load_session_duration(const struct sn_report *report, const struct sn_schema_field *field,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *owner_word, struct sn_slice owner,
    int64_t *out_seconds)
{
    if (!sn_load_duration(report, field, node, path, owner_word, owner, out_seconds)) {
        return false;
    }
    if (*out_seconds > SN_POLICY_LONG_SESSION_S) {
        sn_report_add(report, SN_SEVERITY_WARNING, "long-session", node, path, "use 1h or less",
            "%s '%.*s' allows more than 1h, which STS grants only to a caller that is no role itself", owner_word,
            SN_SHOW(owner));
    }
    return true;
}
