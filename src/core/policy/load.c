/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/load.c - reading an access policy: the document and its rules; see policy.h. */
#include "base/alloc.h"
#include "base/parse.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"
#include "core/policy/policy.h"

void sn_loader_begin_list(struct sn_loader *loader)
{
    loader->list_number++;
}

bool sn_loader_is_repeated(struct sn_loader *loader, struct sn_slice text)
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
    bool is_repeated = loader->seen_in[number] == loader->list_number;
    loader->seen_in[number] = loader->list_number;
    return is_repeated;
}

bool sn_load_duration(const struct sn_report *report, const struct sn_yaml_node *node, const struct sn_path *path,
    const char *owner_word, struct sn_slice owner, int64_t *out_seconds)
{
    struct sn_error err = {0};
    int64_t seconds = 0;
    if (sn_parse_duration(node->text, &seconds, &err) != SN_OK || seconds < SN_POLICY_MIN_SESSION_S ||
        seconds > SN_POLICY_MAX_SESSION_S) {
        sn_report_add(report, SN_SEVERITY_ERROR, "duration", node, path,
            "give a duration from 15m to 12h, such as 30m or 1h30m",
            "'%.*s' of %s '%.*s' is not a duration from 15m to 12h", SN_SHOW(node->text), owner_word, SN_SHOW(owner));
        return false;
    }
    if (seconds > SN_POLICY_LONG_SESSION_S) {
        sn_report_add(report, SN_SEVERITY_WARNING, "long-session", node, path, "use 1h or less",
            "%s '%.*s' allows more than 1h, which STS grants only to a caller that is no role itself", owner_word,
            SN_SHOW(owner));
    }
    *out_seconds = seconds;
    return true;
}

static void load_name(struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *node,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path)
{
    struct sn_path path = {.parent = rule_path, .field = "name"};
    static const char mend[] = "give each rule a unique printable name of at most 128 bytes";
    if (node == NULL || node->text.len == 0) {
        SN_FINDING_ERROR(loader, "rule-name", node != NULL ? node : rule_node, &path, mend, "rule %zu has no name",
            loader->rule_index);
        return;
    }
    if (node->text.len > SN_POLICY_MAX_RULE_NAME || !sn_text_is_printable(node->text)) {
        SN_FINDING_ERROR(loader, "rule-name", node, &path, mend, "the name of rule %zu %s", loader->rule_index,
            node->text.len > SN_POLICY_MAX_RULE_NAME ? "is longer than 128 bytes"
                                                     : "holds characters that do not print");
        return;
    }
    rule->name = sn_arena_dup(&loader->builder.policy->arena, node->text);
    uint32_t before = (uint32_t)loader->rule_names.count;
    uint32_t number = sn_strtab_add(&loader->rule_names, 0, rule->name);
    if (number != before) {
        SN_FINDING_ERROR(loader, "duplicate-name", node, &path, mend, "rules %zu and %zu are both named '%.*s'",
            (size_t)loader->rule_first[number], loader->rule_index, SN_SHOW(rule->name));
        return;
    }
    loader->rule_first[number] = (uint32_t)loader->rule_index;
}

static void load_effect(struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *node,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path)
{
    static const char all[] = "one of allow, deny, require_approval, require_server, require_server_session";
    struct sn_path path = {.parent = rule_path, .field = "effect"};
    char hint[128];
    rule->effect = SN_RULE_DENY;
    if (node == NULL) {
        SN_FINDING_ERROR(
            loader, "effect", rule_node, &path, all, "rule '%.*s' has no effect", SN_SHOW(loader->rule_name));
        return;
    }
    for (size_t i = 0; i < SN_LEN(sn_rule_effect_words); i++) {
        if (sn_slice_eq_str(node->text, sn_rule_effect_words[i])) {
            rule->effect = (enum sn_rule_effect)i;
            return;
        }
    }
    SN_FINDING_ERROR(loader, "effect", node, &path,
        sn_suggest_word(hint, sizeof(hint), node->text, sn_rule_effect_words, SN_LEN(sn_rule_effect_words), all),
        "unknown effect '%.*s' of rule '%.*s'", SN_SHOW(node->text), SN_SHOW(loader->rule_name));
}

static void load_break_glass(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *node, const struct sn_path *rule_path)
{
    struct sn_path path = {.parent = rule_path, .field = "break_glass"};
    static const char mend[] = "break_glass: never belongs to a deny rule; leave it out otherwise";
    if (node == NULL) {
        return;
    }
    if (!sn_slice_eq_str(node->text, "never")) {
        SN_FINDING_ERROR(loader, "break-glass", node, &path, mend,
            "'%.*s' is not a value of break_glass in rule '%.*s'", SN_SHOW(node->text), SN_SHOW(loader->rule_name));
    } else if (rule->effect != SN_RULE_DENY) {
        SN_FINDING_ERROR(loader, "break-glass", node, &path, mend, "rule '%.*s' has break_glass: never and effect %s",
            SN_SHOW(loader->rule_name), sn_rule_effect_name(rule->effect));
    }
    rule->is_final = true;
}

static void load_reason(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *node, const struct sn_path *rule_path)
{
    struct sn_path path = {.parent = rule_path, .field = "reason"};
    if (node == NULL) {
        return;
    }
    struct sn_slice text = node->plain ? node->text : sn_text_without_newline(node->text);
    if (text.len > SN_POLICY_MAX_REASON || !sn_text_is_printable(text)) {
        SN_FINDING_ERROR(loader, "reason", node, &path, "write one line of at most 512 bytes",
            "the reason of rule '%.*s' %s", SN_SHOW(loader->rule_name),
            text.len > SN_POLICY_MAX_REASON ? "is longer than 512 bytes" : "holds characters that do not print");
        return;
    }
    rule->reason = sn_arena_dup(&loader->builder.policy->arena, text);
}

static void load_session_table(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *node, const struct sn_path *rule_path)
{
    struct sn_path path = {.parent = rule_path, .field = "session_table"};
    if (node == NULL) {
        return;
    }
    if (node->text.len < SN_POLICY_MIN_TABLE_NAME || node->text.len > SN_POLICY_MAX_TABLE_NAME ||
        !sn_slice_is_alnum_or(node->text, "_.-")) {
        SN_FINDING_ERROR(loader, "session-table", node, &path, "use 3 to 255 letters, digits, '_', '.' and '-'",
            "'%.*s' of rule '%.*s' is not the name of a table", SN_SHOW(node->text), SN_SHOW(loader->rule_name));
        return;
    }
    rule->session_table = sn_arena_dup(&loader->builder.policy->arena, node->text);
}

static void lint_rule(
    struct sn_loader *loader, const struct sn_rule *rule, const struct sn_yaml_node *node, const struct sn_path *path)
{
    bool is_granting = rule->effect == SN_RULE_ALLOW || rule->effect == SN_RULE_REQUIRE_SERVER ||
                       rule->effect == SN_RULE_REQUIRE_SERVER_SESSION;
    if (is_granting && !rule->has_profiles && !rule->has_users) {
        SN_FINDING_WARNING(loader, "wildcard-grant", node, path, "name profiles or users",
            "rule '%.*s' (index %zu) grants every profile to everyone", SN_SHOW(rule->name), loader->rule_index);
    }
    if (rule->is_final && !rule->has_profiles) {
        SN_FINDING_WARNING(loader, "final-deny-everywhere", node, path, "name profiles, or leave break_glass out",
            "rule '%.*s' (index %zu) rules out emergency access to every profile", SN_SHOW(rule->name),
            loader->rule_index);
    }
}

static void load_rule(struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_path *path)
{
    const struct sn_yaml_node *fields[SN_RULE_FIELDS];
    struct sn_rule *rule = sn_builder_add_rule(&loader->builder);
    sn_schema_bind(&sn_schema_rule, node, fields);
    rule->line = node->line;
    rule->column = node->column;
    loader->rule_name = fields[SN_RULE_NAME] != NULL ? fields[SN_RULE_NAME]->text : SN_S("");
    load_name(loader, rule, fields[SN_RULE_NAME], node, path);
    load_effect(loader, rule, fields[SN_RULE_EFFECT], node, path);
    load_break_glass(loader, rule, fields[SN_RULE_BREAK_GLASS], path);
    sn_load_conditions(loader, rule, fields[SN_RULE_CONDITIONS], node, path);
    load_reason(loader, rule, fields[SN_RULE_REASON], path);
    if (fields[SN_RULE_MAX_SERVER_DURATION] != NULL) {
        struct sn_path duration_path = {.parent = path, .field = "max_server_duration"};
        (void)sn_load_duration(&loader->report, fields[SN_RULE_MAX_SERVER_DURATION], &duration_path, "rule",
            loader->rule_name, &rule->max_server_duration_s);
    }
    load_session_table(loader, rule, fields[SN_RULE_SESSION_TABLE], path);
    lint_rule(loader, rule, node, path);
}

static void load_version(struct sn_loader *loader, const struct sn_yaml_node *node)
{
    struct sn_path path = {.field = "version"};
    for (size_t i = 0; i < SN_LEN(sn_document_versions); i++) {
        if (sn_slice_eq_str(node->text, sn_document_versions[i])) {
            return;
        }
    }
    SN_FINDING_ERROR(loader, "version", node, &path, "set version: \"1\"",
        "version '%.*s' is not supported; supported: %s", SN_SHOW(node->text), sn_document_versions[0]);
}

static void load_document(struct sn_loader *loader, const struct sn_yaml_node *root)
{
    const struct sn_yaml_node *fields[SN_POLICY_FIELDS];
    struct sn_path rules_path = {.field = "rules"};
    sn_schema_bind(&sn_schema_policy, root, fields);
    load_version(loader, fields[SN_POLICY_VERSION]);
    if (fields[SN_POLICY_GROUPS] != NULL) {
        sn_load_groups(loader, fields[SN_POLICY_GROUPS]);
    }
    const struct sn_yaml_node *rules = fields[SN_POLICY_RULES];
    if (rules == NULL || rules->count == 0) {
        SN_FINDING_ERROR(loader, "no-rules", rules != NULL ? rules : root, &rules_path,
            "add a rule; what no rule matches is denied anyway", "a policy needs at least one rule");
    }
    size_t count = rules != NULL ? rules->count : 0;
    loader->rule_first = sn_alloc(count, sizeof(*loader->rule_first));
    for (size_t i = 0; i < count; i++) {
        struct sn_path path = {.parent = &rules_path, .index = i, .is_index = true};
        loader->rule_index = i;
        load_rule(loader, rules->items[i], &path);
    }
    for (size_t i = 0; i < loader->group_count; i++) {
        struct sn_path groups_path = {.field = "groups"};
        struct sn_path path = {.parent = &groups_path, .name = loader->groups[i].name};
        if (!loader->groups[i].is_used) {
            SN_FINDING_WARNING(loader, "unused-group", loader->groups[i].key, &path, "remove it, or name it in a rule",
                "no rule names the group '%.*s'", SN_SHOW(loader->groups[i].name));
        }
    }
}

static void clear_loader(struct sn_loader *loader)
{
    sn_builder_clear(&loader->builder);
    sn_strtab_clear(&loader->group_names);
    sn_strtab_clear(&loader->rule_names);
    sn_strtab_clear(&loader->zone_names);
    sn_strtab_clear(&loader->seen);
    sn_free(loader->groups);
    sn_free(loader->known_zones);
    sn_free(loader->seen_in);
    sn_free(loader->rule_first);
}

enum sn_status sn_policy_load_within(struct sn_slice text, const struct sn_yaml_limits *limits,
    const struct sn_tz_source *zones, struct sn_findings *findings, struct sn_policy **out_policy, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings own = {0};
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(clear_loader) struct sn_loader loader = {.zones = zones};
    struct sn_yaml_node *root = NULL;
    struct sn_findings *all = findings != NULL ? findings : &own;
    size_t first = all->count, errors_before = all->errors;

    loader.report.findings = all;
    sn_builder_init(&loader.builder);
    if (sn_schema_read(&sn_schema_policy, text, "policy", limits, &arena, &loader.report, &root)) {
        load_document(&loader, root);
    }
    sn_findings_sort(all, first);
    if (all->errors != errors_before) {
        return sn_findings_fail(all, first, "INVALID_POLICY", err);
    }
    *out_policy = sn_builder_finish(&loader.builder);
    return SN_OK;
}

enum sn_status sn_policy_load_tree(const struct sn_yaml_node *root, const struct sn_tz_source *zones,
    struct sn_policy **out_policy, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings ignored = {0};
    SN_AUTO(clear_loader) struct sn_loader loader = {.zones = zones, .report = {.findings = &ignored}};

    sn_builder_init(&loader.builder);
    load_document(&loader, root);
    for (size_t i = 0; i < loader.builder.policy->rule_count; i++) {
        if (loader.builder.policy->rules[i].has_time && loader.builder.policy->rules[i].zone == NULL) {
            return sn_fail(err, SN_INVALID, "INVALID_POLICY", "a time zone of the policy can no longer be loaded");
        }
    }
    *out_policy = sn_builder_finish(&loader.builder);
    return SN_OK;
}

enum sn_status sn_policy_load(struct sn_slice text, const struct sn_tz_source *zones, struct sn_findings *findings,
    struct sn_policy **out_policy, struct sn_error *err)
{
    return sn_policy_load_within(text, &sn_yaml_limits_document, zones, findings, out_policy, err);
}
