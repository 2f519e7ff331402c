/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/load.c - reading an access policy: the document and its rules; see policy.h. */
#include "base/parse.h"
#include "core/policy/limits.h"
#include "core/policy/load_policy.h"
#include "core/policy/policy.h"

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
    rule->reason = sn_arena_dup(loader->arena, text);
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
    rule->session_table = sn_arena_dup(loader->arena, node->text);
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

static void load_rule(struct sn_policy_loader *p, const struct sn_yaml_node *node, const struct sn_path *path)
{
    const struct sn_yaml_node *fields[SN_RULE_FIELDS];
    struct sn_loader *loader = &p->common;
    struct sn_rule *rule = sn_builder_add_rule(&p->builder);
    sn_schema_bind(&sn_schema_rule, node, fields);
    rule->line = node->line;
    rule->column = node->column;
    loader->rule_name = fields[SN_RULE_NAME] != NULL ? fields[SN_RULE_NAME]->text : SN_S("");
    rule->name = sn_load_rule_name(loader, fields[SN_RULE_NAME], node, path);
    load_effect(loader, rule, fields[SN_RULE_EFFECT], node, path);
    load_break_glass(loader, rule, fields[SN_RULE_BREAK_GLASS], path);
    sn_load_conditions(p, rule, fields[SN_RULE_CONDITIONS], node, path);
    load_reason(loader, rule, fields[SN_RULE_REASON], path);
    if (fields[SN_RULE_MAX_SERVER_DURATION] != NULL) {
        struct sn_path duration_path = {.parent = path, .field = "max_server_duration"};
        (void)sn_load_session_duration(&loader->report, &sn_schema_rule.fields[SN_RULE_MAX_SERVER_DURATION],
            fields[SN_RULE_MAX_SERVER_DURATION], &duration_path, "rule", loader->rule_name,
            &rule->max_server_duration_s);
    }
    load_session_table(loader, rule, fields[SN_RULE_SESSION_TABLE], path);
    lint_rule(loader, rule, node, path);
}

static void load_groups(struct sn_policy_loader *p, const struct sn_yaml_node *groups)
{
    sn_load_groups(&p->common, groups);
    for (size_t i = 0; i < p->common.group_count; i++) {
        const struct sn_entry_list *members = &p->common.groups[i].members;
        for (size_t k = 0; k < members->count; k++) {
            sn_builder_add_member(&p->builder, (uint32_t)i, members->items[k].kind, members->items[k].value);
        }
    }
}

static void load_document(struct sn_policy_loader *p, const struct sn_yaml_node *root)
{
    const struct sn_yaml_node *fields[SN_POLICY_FIELDS];
    struct sn_path rules_path = {.field = "rules"};
    sn_schema_bind(&sn_schema_policy, root, fields);
    sn_load_version(&p->common.report, fields[SN_POLICY_VERSION]);
    load_groups(p, fields[SN_POLICY_GROUPS]);
    const struct sn_yaml_node *rules =
        sn_load_rules(&p->common, root, fields[SN_POLICY_RULES], "add a rule; what no rule matches is denied anyway");
    sn_builder_reserve(&p->builder, rules != NULL ? rules->count : 0);
    for (size_t i = 0; rules != NULL && i < rules->count; i++) {
        struct sn_path path = {.parent = &rules_path, .index = i, .is_index = true};
        p->common.rule_index = i;
        load_rule(p, rules->items[i], &path);
    }
    sn_lint_groups(&p->common);
}

static void clear_loader(struct sn_policy_loader *p)
{
    sn_builder_clear(&p->builder);
    sn_loader_clear(&p->common);
}

/* lists is where the loader may put what nobody needs once the policy is built. */
static void begin(struct sn_policy_loader *p, struct sn_findings *findings, struct sn_arena *lists)
{
    sn_builder_init(&p->builder);
    p->common.report.findings = findings;
    p->common.arena = &p->builder.policy->arena;
    p->common.kept_zones = &p->builder.policy->zones;
    p->common.lists = lists;
}

enum sn_status sn_policy_load_within(struct sn_slice text, const struct sn_yaml_limits *limits,
    const struct sn_tz_source *zones, struct sn_findings *findings, struct sn_policy **out_policy, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings own = {0};
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(clear_loader) struct sn_policy_loader p = {.common = {.zones = zones}};
    struct sn_yaml_node *root = NULL;
    struct sn_findings *all = findings != NULL ? findings : &own;
    size_t first = all->count, errors_before = all->errors;

    begin(&p, all, &arena);
    if (sn_schema_read(&sn_schema_policy, text, "policy", limits, &arena, &p.common.report, &root)) {
        load_document(&p, root);
    }
    sn_findings_sort(all, first);
    if (all->errors != errors_before) {
        return sn_findings_fail(all, first, "INVALID_POLICY", err);
    }
    sn_arena_drop(&arena); /* the tree; what is built now takes its place */
    *out_policy = sn_builder_finish(&p.builder);
    return SN_OK;
}

enum sn_status sn_policy_load_tree(const struct sn_yaml_node *root, const struct sn_tz_source *zones,
    struct sn_policy **out_policy, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings ignored = {0};
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(clear_loader) struct sn_policy_loader p = {.common = {.zones = zones}};

    begin(&p, &ignored, &arena);
    load_document(&p, root);
    for (size_t i = 0; i < p.builder.policy->rule_count; i++) {
        if (p.builder.policy->rules[i].has_time && p.builder.policy->rules[i].zone == NULL) {
            return sn_fail(err, SN_INVALID, "INVALID_POLICY", "a time zone of the policy can no longer be loaded");
        }
    }
    *out_policy = sn_builder_finish(&p.builder);
    return SN_OK;
}

enum sn_status sn_policy_load(struct sn_slice text, const struct sn_tz_source *zones, struct sn_findings *findings,
    struct sn_policy **out_policy, struct sn_error *err)
{
    return sn_policy_load_within(text, &sn_yaml_limits_document, zones, findings, out_policy, err);
}
