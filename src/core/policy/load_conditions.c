/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/load_conditions.c - reading the conditions of a rule of an access policy; see load_policy.h. */
#include <string.h>

#include "core/policy/limits.h"
#include "core/policy/load_policy.h"
#include "core/policy/version.h"

/* --- mode --- */

static void load_modes(
    struct sn_policy_loader *p, struct sn_rule *rule, const struct sn_yaml_node *list, const struct sn_path *parent)
{
    struct sn_loader *loader = &p->common;
    struct sn_path path = {.parent = parent, .field = "mode"};
    rule->modes = (uint8_t)sn_load_words(loader, list, &sn_schema_modes, &path);
    if (rule->modes != 0 && (rule->modes & 1u << SN_MODE_SERVER) == 0) {
        SN_FINDING_WARNING(loader, "mode-never-matches", list, &path, "add server, or leave mode out",
            "the server evaluates as 'server', which rule '%.*s' (index %zu) does not list", SN_SHOW(loader->rule_name),
            loader->rule_index);
    }
}

/* --- device --- */

static void load_os_types(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *list, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "allowed_os_types"};
    char hint[128];
    sn_lint_empty_list(loader, list, &path);
    sn_loader_begin_list(loader);
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct sn_path item_path = {.parent = &path, .index = i, .is_index = true};
        const struct sn_yaml_node *item = list->items[i];
        size_t os = 0;
        while (os < SN_LEN(sn_os_type_words) && !sn_slice_eq_nocase(item->text, sn_slice_str(sn_os_type_words[os]))) {
            os++;
        }
        if (os < SN_LEN(sn_os_type_words)) {
            sn_lint_repeated(loader, item, &item_path);
            rule->os_types |= (uint8_t)(1u << os);
        } else {
            SN_FINDING_ERROR(loader, "device", item, &item_path,
                sn_suggest_word(hint, sizeof(hint), item->text, sn_os_type_words, SN_LEN(sn_os_type_words),
                    "one of darwin, windows, linux"),
                "'%.*s' in rule '%.*s' is not an operating system", SN_SHOW(item->text), SN_SHOW(loader->rule_name));
        }
    }
}

static void load_min_version(struct sn_policy_loader *p, const struct sn_yaml_node *node, const struct sn_path *parent)
{
    struct sn_loader *loader = &p->common;
    struct sn_path path = {.parent = parent, .field = "min_os_version"};
    if (!sn_version_is_requirement(node->text)) {
        SN_FINDING_ERROR(loader, "device", node, &path, "a version such as 14.2 or 10.0.22631",
            "'%.*s' in rule '%.*s' is not a version", SN_SHOW(node->text), SN_SHOW(loader->rule_name));
        return;
    }
    sn_builder_set_min_version(&p->builder, node->text);
}

static bool is_true(const struct sn_yaml_node *node)
{
    return node != NULL && sn_slice_eq_str(node->text, "true");
}

static void load_device(
    struct sn_policy_loader *p, struct sn_rule *rule, const struct sn_yaml_node *device, const struct sn_path *parent)
{
    struct sn_loader *loader = &p->common;
    static const struct {
        int field;
        enum sn_device_need need;
    } needs[] = {{SN_DEVICE_ENCRYPTION, SN_NEED_ENCRYPTION}, {SN_DEVICE_MDM, SN_NEED_MDM},
        {SN_DEVICE_MDM_COMPLIANT, SN_NEED_COMPLIANT}, {SN_DEVICE_FIREWALL, SN_NEED_FIREWALL}};
    const struct sn_yaml_node *fields[SN_DEVICE_FIELDS];
    struct sn_path path = {.parent = parent, .field = "device"};
    if (device == NULL) {
        return;
    }
    if (device->count == 0) {
        SN_FINDING_ERROR(loader, "device", device, &path, "state a requirement, or leave device out",
            "device of rule '%.*s' is empty; as it is it would match every device", SN_SHOW(loader->rule_name));
    }
    sn_schema_bind(&sn_schema_device, device, fields);
    rule->has_device = true;
    for (size_t i = 0; i < SN_LEN(needs); i++) {
        rule->needs |= is_true(fields[needs[i].field]) ? (uint8_t)(1u << needs[i].need) : (uint8_t)0;
    }
    load_os_types(loader, rule, fields[SN_DEVICE_OS_TYPES], &path);
    if (fields[SN_DEVICE_MIN_OS_VERSION] != NULL) {
        load_min_version(p, fields[SN_DEVICE_MIN_OS_VERSION], &path);
        if (rule->os_types == 0) {
            SN_FINDING_WARNING(loader, "min-os-without-type", device, &path, "add allowed_os_types",
                "rule '%.*s' (index %zu) compares versions of whatever operating system", SN_SHOW(loader->rule_name),
                loader->rule_index);
        }
    }
    if (is_true(fields[SN_DEVICE_ENCRYPTION]) || is_true(fields[SN_DEVICE_FIREWALL]) || rule->os_types != 0) {
        SN_FINDING_WARNING(loader, "posture-unavailable", device, &path, "make sure that your MDM provider reports it",
            "rule '%.*s' (index %zu) needs facts that not every MDM provider reports", SN_SHOW(loader->rule_name),
            loader->rule_index);
    }
}

/* --- all of them --- */

static void load_profiles(struct sn_policy_loader *p, const struct sn_yaml_node *node, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "profiles"};
    struct sn_profile_list list = sn_load_profiles(&p->common, node, &path);
    for (size_t i = 0; i < list.count; i++) {
        sn_builder_add_profile(&p->builder, list.items[i]);
    }
}

static void load_users(struct sn_policy_loader *p, const struct sn_yaml_node *node, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "users"};
    sn_lint_empty_list(&p->common, node, &path);
    struct sn_entry_list list = sn_load_entries(&p->common, node, &path);
    for (size_t i = 0; i < list.count; i++) {
        const struct sn_entry *entry = &list.items[i];
        if (entry->kind == SN_ENTRY_GROUP) {
            sn_builder_add_user_group(&p->builder, entry->group);
        } else {
            sn_builder_add_user(&p->builder, entry->kind, entry->value);
        }
    }
}

static void load_time(
    struct sn_policy_loader *p, struct sn_rule *rule, const struct sn_yaml_node *node, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "time"};
    struct sn_time_window time = {0};
    sn_load_time(&p->common, node, &path, &time);
    rule->has_time = time.is_set;
    rule->window = time.window;
    rule->zone = time.zone;
    rule->zone_name = time.zone_name;
}

void sn_load_conditions(struct sn_policy_loader *p, struct sn_rule *rule, const struct sn_yaml_node *conditions,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path)
{
    static const char mend[] = "add profiles, users or time, or write conditions: {} for a deny or require_approval "
                               "rule that catches the rest";
    struct sn_loader *loader = &p->common;
    const struct sn_yaml_node *fields[SN_COND_FIELDS];
    struct sn_path path = {.parent = rule_path, .field = "conditions"};
    if (conditions == NULL) {
        SN_FINDING_ERROR(
            loader, "conditions", rule_node, &path, mend, "rule '%.*s' has no conditions", SN_SHOW(loader->rule_name));
        return;
    }
    bool may_catch_all = rule->effect == SN_RULE_DENY || rule->effect == SN_RULE_REQUIRE_APPROVAL;
    sn_schema_bind(&sn_schema_conditions, conditions, fields);
    bool has_profiles = fields[SN_COND_PROFILES] != NULL && fields[SN_COND_PROFILES]->count > 0;
    bool has_users = fields[SN_COND_USERS] != NULL && fields[SN_COND_USERS]->count > 0;
    if (!has_profiles && !has_users && fields[SN_COND_TIME] == NULL && !(conditions->count == 0 && may_catch_all)) {
        SN_FINDING_ERROR(loader, "conditions", conditions, &path, mend,
            "the conditions of rule '%.*s' name no profile, user or time", SN_SHOW(loader->rule_name));
    }
    load_profiles(p, fields[SN_COND_PROFILES], &path);
    load_users(p, fields[SN_COND_USERS], &path);
    load_time(p, rule, fields[SN_COND_TIME], &path);
    load_modes(p, rule, fields[SN_COND_MODE], &path);
    load_device(p, rule, fields[SN_COND_DEVICE], &path);
}
