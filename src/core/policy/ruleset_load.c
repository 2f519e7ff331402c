/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/ruleset_load.c - reading policies whose rules go by their schema; see ruleset.h. */
#include "base/alloc.h"
#include "base/parse.h"
#include "core/policy/findings.h"
#include "core/policy/ruleset.h"
#include "core/policy/ruleset_shape.h"

static void read_record(struct sn_loader *loader, const struct sn_schema *schema,
    const struct sn_yaml_node *const *nodes, const struct sn_yaml_node *mapping, const struct sn_path *path,
    char *record);

static void load_count(struct sn_loader *loader, const struct sn_schema_field *field, const struct sn_yaml_node *node,
    const struct sn_path *path, uint32_t *out_count)
{
    struct sn_error ignored = {0};
    int64_t number = 0;
    if (sn_parse_int(node->text, field->min, field->max, &number, &ignored) != SN_OK) {
        SN_FINDING_ERROR(loader, "count", node, path, NULL, "'%.*s' of rule '%.*s' is not a number from %lld to %lld",
            SN_SHOW(node->text), SN_SHOW(loader->rule_name), (long long)field->min, (long long)field->max);
        return;
    }
    *out_count = (uint32_t)number;
}

/* A record inside of a rule begins with a flag that says whether it is there. */
static void load_part(struct sn_loader *loader, const struct sn_schema_field *field, const struct sn_yaml_node *node,
    const struct sn_path *path, char *record)
{
    const struct sn_yaml_node *nodes[SN_SCHEMA_FIELDS_MAX];
    *(bool *)(void *)record = true;
    sn_schema_bind(field->record, node, nodes);
    read_record(loader, field->record, nodes, node, path, record);
}

/* place is where the rule's struct has the field's value, whose type goes by field->value. */
static void read_value(struct sn_loader *loader, const struct sn_schema_field *field, const struct sn_yaml_node *node,
    const struct sn_path *path, void *place)
{
    switch (field->value) {
    case SN_VALUE_OWN:
    case SN_VALUE_NAME:
        return;
    case SN_VALUE_PROFILES:
        *(struct sn_profile_list *)place = sn_load_profiles(loader, node, path);
        return;
    case SN_VALUE_ENTRIES:
        if (!field->required) {
            sn_lint_empty_list(loader, node, path);
        }
        *(struct sn_entry_list *)place = sn_load_entries(loader, node, path);
        return;
    case SN_VALUE_TIME:
        sn_load_time(loader, node, path, place);
        return;
    case SN_VALUE_DURATION:
        (void)sn_load_duration(&loader->report, field, node, path, "rule", loader->rule_name, place);
        return;
    case SN_VALUE_COUNT:
        load_count(loader, field, node, path, place);
        return;
    case SN_VALUE_FLAG:
        *(bool *)place = sn_slice_eq_str(node->text, "true");
        return;
    case SN_VALUE_WORDS:
        *(uint32_t *)place = sn_load_words(loader, node, field->words, path);
        return;
    case SN_VALUE_PART:
        load_part(loader, field, node, path, place);
        return;
    }
}

static void read_record(struct sn_loader *loader, const struct sn_schema *schema,
    const struct sn_yaml_node *const *nodes, const struct sn_yaml_node *mapping, const struct sn_path *path,
    char *record)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct sn_schema_field *field = &schema->fields[i];
        struct sn_path field_path = {.parent = path, .field = field->name};
        bool is_missing = nodes[i] == NULL || (field->kind == SN_SCHEMA_LIST && nodes[i]->count == 0);
        if (field->required && is_missing && field->value != SN_VALUE_NAME) {
            SN_FINDING_ERROR(loader, "required", nodes[i] != NULL ? nodes[i] : mapping, &field_path,
                "list at least one", "rule '%.*s' has no %s", SN_SHOW(loader->rule_name), field->name);
        } else if (nodes[i] != NULL) {
            read_value(loader, field, nodes[i], &field_path, record + field->offset);
        }
    }
}

static void load_rule(struct sn_loader *loader, struct sn_ruleset *ruleset, const struct sn_ruleset_shape *shape,
    const struct sn_yaml_node *node, const struct sn_path *path)
{
    const struct sn_yaml_node *nodes[SN_SCHEMA_FIELDS_MAX];
    char *rule = ruleset->rules + ruleset->rule_count * ruleset->rule_size;
    struct sn_rule_head *head = (struct sn_rule_head *)(void *)rule;
    sn_schema_bind(shape->rule, node, nodes);
    const struct sn_yaml_node *name = sn_yaml_get(node, "name");
    loader->rule_index = ruleset->rule_count++;
    loader->rule_name = name != NULL ? name->text : SN_S("");
    head->line = node->line;
    head->column = node->column;
    head->name = sn_load_rule_name(loader, name, node, path);
    read_record(loader, shape->rule, nodes, node, path, rule);
    if (shape->check_rule != NULL) {
        shape->check_rule(loader, ruleset, rule, nodes, node, path);
    }
}

/* Notes the profiles of the rule read last, and reports it when earlier rules leave nothing to it. */
static void index_rule(struct sn_loader *loader, struct sn_ruleset *ruleset, size_t *capacity,
    const struct sn_yaml_node *node, const struct sn_path *path)
{
    size_t index = ruleset->rule_count - 1;
    const struct sn_rule_head *head = sn_ruleset_head(ruleset, index);
    const struct sn_yaml_node *profiles = sn_yaml_get(node, "profiles");
    bool is_for_any = profiles == NULL || profiles->count == 0; /* a list of faulty names is no wildcard */
    bool is_reachable = is_for_any || head->profiles.count == 0;
    for (size_t i = 0; i < head->profiles.count; i++) {
        size_t before = ruleset->profiles.count;
        uint32_t number = sn_strtab_add(&ruleset->profiles, 0, head->profiles.items[i]);
        if (number < before) {
            continue;
        }
        is_reachable = true;
        if (number == *capacity) {
            *capacity = *capacity == 0 ? 16 : *capacity * 2;
            ruleset->first_rules = sn_realloc(ruleset->first_rules, *capacity, sizeof(*ruleset->first_rules));
        }
        ruleset->first_rules[number] = (uint32_t)index;
    }
    if (!is_reachable || ruleset->first_rule_for_any != SIZE_MAX) {
        SN_FINDING_WARNING(loader, "unreachable-rule", node, path, "remove it, or put it before the others",
            "rule '%.*s' (index %zu) never counts: earlier rules speak of its profiles", SN_SHOW(head->name), index);
    }
    if (is_for_any && ruleset->first_rule_for_any == SIZE_MAX) {
        ruleset->first_rule_for_any = index;
    }
}

static void keep_groups(struct sn_loader *loader, struct sn_ruleset *ruleset)
{
    struct sn_entry_list *groups = sn_arena_alloc(&ruleset->arena, loader->group_count, sizeof(*groups));
    for (size_t i = 0; i < loader->group_count; i++) {
        groups[i] = loader->groups[i].members;
    }
    ruleset->groups = groups;
    ruleset->group_count = loader->group_count;
}

static void load_document(struct sn_loader *loader, struct sn_ruleset *ruleset, const struct sn_ruleset_shape *shape,
    const struct sn_yaml_node *root)
{
    struct sn_path rules_path = {.field = "rules"};
    size_t capacity = 0;
    sn_load_version(&loader->report, sn_yaml_get(root, "version"));
    sn_load_groups(loader, sn_yaml_get(root, "groups"));
    keep_groups(loader, ruleset);
    if (shape->load_document != NULL) {
        shape->load_document(loader, ruleset, root);
    }
    const struct sn_yaml_node *rules = sn_load_rules(loader, root, sn_yaml_get(root, "rules"), shape->no_rules);
    if (rules == NULL) {
        return;
    }
    ruleset->rule_size = shape->rule_size;
    ruleset->rules = sn_arena_alloc(&ruleset->arena, rules->count, shape->rule_size);
    for (size_t i = 0; i < rules->count; i++) {
        struct sn_path path = {.parent = &rules_path, .index = i, .is_index = true};
        load_rule(loader, ruleset, shape, rules->items[i], &path);
        index_rule(loader, ruleset, &capacity, rules->items[i], &path);
    }
    sn_lint_groups(loader);
}

void sn_lint_wildcard_profiles(struct sn_loader *loader, const struct sn_rule_head *head,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *consequence)
{
    if (head->profiles.count == 0) {
        SN_FINDING_WARNING(loader, "wildcard-profiles", node, path, "name profiles",
            "rule '%.*s' (index %zu) %s every profile%s", SN_SHOW(head->name), loader->rule_index, consequence,
            loader->rule_index > 0 ? " of which no earlier rule speaks" : "");
    }
}

enum sn_status sn_ruleset_load(enum sn_document_kind kind, struct sn_slice text, const struct sn_tz_source *zones,
    struct sn_findings *findings, struct sn_ruleset **out_ruleset, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings own = {0};
    SN_AUTO(sn_arena_clear) struct sn_arena tree = {0};
    SN_AUTO(sn_loader_clear) struct sn_loader loader = {.zones = zones};
    SN_AUTO(sn_ruleset_unref_p) struct sn_ruleset *ruleset = sn_alloc(1, sizeof(*ruleset));
    const struct sn_document_kind_row *row = &sn_document_kinds[kind];
    struct sn_yaml_node *root = NULL;
    struct sn_findings *all = findings != NULL ? findings : &own;
    size_t first = all->count, errors_before = all->errors;

    SN_ASSERT(row->shape != NULL);
    atomic_init(&ruleset->references, 1);
    ruleset->kind = kind;
    ruleset->first_rule_for_any = SIZE_MAX;
    loader.report.findings = all;
    loader.arena = loader.lists = &ruleset->arena;
    loader.keeps_lists = true;
    loader.kept_zones = &ruleset->zones;
    if (sn_schema_read(row->schema, text, "policy", &sn_yaml_limits_document, &tree, &loader.report, &root)) {
        load_document(&loader, ruleset, row->shape, root);
    }
    sn_findings_sort(all, first);
    if (all->errors != errors_before) {
        return sn_findings_fail(all, first, "INVALID_POLICY", err);
    }
    *out_ruleset = SN_TAKE(ruleset);
    return SN_OK;
}
