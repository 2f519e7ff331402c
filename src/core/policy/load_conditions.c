/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/load_conditions.c - reading the conditions of a rule: profiles, time, mode and device; see
 * load_internal.h. */
#include <string.h>

#include "base/alloc.h"
#include "core/identity/principal.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"
#include "core/policy/version.h"

static void lint_empty_list(struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_path *path)
{
    if (node != NULL && node->count == 0) {
        SN_FINDING_WARNING(loader, "empty-list", node, path, "leave the key out, or list something",
            "an empty list in rule '%.*s' (index %zu) matches everything", SN_SHOW(loader->rule_name),
            loader->rule_index);
    }
}

static void lint_repeated(struct sn_loader *loader, const struct sn_yaml_node *item, const struct sn_path *path)
{
    if (sn_loader_is_repeated(loader, item->text)) {
        SN_FINDING_WARNING(loader, "duplicate-entry", item, path, "remove one of the two", "'%.*s' stands here twice",
            SN_SHOW(item->text));
    }
}

/* Number of text among words, or count with a finding. */
static size_t find_word(struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_path *path,
    const char *const *words, size_t count, const char *code, const char *what, const char *fallback)
{
    char hint[128];
    for (size_t i = 0; i < count; i++) {
        if (sn_slice_eq_str(node->text, words[i])) {
            return i;
        }
    }
    SN_FINDING_ERROR(loader, code, node, path, sn_suggest_word(hint, sizeof(hint), node->text, words, count, fallback),
        "'%.*s' in rule '%.*s' is not %s", SN_SHOW(node->text), SN_SHOW(loader->rule_name), what);
    return count;
}

/* --- profiles --- */

static void load_profile(struct sn_loader *loader, const struct sn_yaml_node *item, const struct sn_path *path)
{
    struct sn_slice name = item->text;
    if (sn_text_has_wildcard(name)) {
        SN_FINDING_ERROR(loader, "wildcard", item, path, "list the names, or omit the list to match every profile",
            "'%.*s' in rule '%.*s' has a wildcard, and names are compared letter by letter", SN_SHOW(name),
            SN_SHOW(loader->rule_name));
    } else if (sn_slice_has_byte(name, ':')) {
        SN_FINDING_ERROR(loader, "profile-entry", item, path,
            "a role ARN belongs into the catalogue; the rule names its profile",
            "'%.*s' in rule '%.*s' is not a profile name", SN_SHOW(name), SN_SHOW(loader->rule_name));
    } else if (!sn_profile_name_is_valid(name)) {
        SN_FINDING_ERROR(loader, "profile-entry", item, path,
            "1 to 256 letters, digits, '_', '/' and '-', not beginning with '-', not ending with '/', without '//'",
            "'%.*s' in rule '%.*s' is not a profile name", SN_SHOW(name), SN_SHOW(loader->rule_name));
    } else {
        lint_repeated(loader, item, path);
        sn_builder_add_profile(&loader->builder, name);
    }
}

static void load_profiles(struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "profiles"};
    lint_empty_list(loader, list, &path);
    sn_loader_begin_list(loader);
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct sn_path item_path = {.parent = &path, .index = i, .is_index = true};
        load_profile(loader, list->items[i], &item_path);
    }
}

/* --- time --- */

static void load_days(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *list, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "days"};
    rule->window.days = SN_ALL_DAYS;
    lint_empty_list(loader, list, &path);
    if (list == NULL || list->count == 0) {
        return;
    }
    sn_loader_begin_list(loader);
    rule->window.days = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct sn_path item_path = {.parent = &path, .index = i, .is_index = true};
        size_t day = find_word(loader, list->items[i], &item_path, sn_weekday_words, SN_LEN(sn_weekday_words),
            "weekday", "a weekday", "full lowercase names: monday to sunday");
        if (day < SN_LEN(sn_weekday_words)) {
            lint_repeated(loader, list->items[i], &item_path);
            rule->window.days |= (uint8_t)(1u << day);
        }
    }
}

static bool load_minute(struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_yaml_node *hours,
    const struct sn_path *path, bool is_end, uint16_t *out_minute)
{
    const char *mend = is_end ? "24-hour HH:MM, or 24:00 for the end of the day" : "24-hour HH:MM, 00:00 to 23:59";
    if (node == NULL) {
        SN_FINDING_ERROR(loader, "hours", hours, path, "hours need both start and end",
            "hours of rule '%.*s' have no %s", SN_SHOW(loader->rule_name), is_end ? "end" : "start");
        return false;
    }
    if (!sn_window_parse_minute(node->text, is_end, out_minute)) {
        SN_FINDING_ERROR(loader, "hours", node, path, mend, "'%.*s' in rule '%.*s' is not a time of day",
            SN_SHOW(node->text), SN_SHOW(loader->rule_name));
        return false;
    }
    return true;
}

static void load_hours(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *hours, const struct sn_path *parent)
{
    const struct sn_yaml_node *fields[SN_HOURS_FIELDS];
    struct sn_path path = {.parent = parent, .field = "hours"};
    struct sn_path start_path = {.parent = &path, .field = "start"}, end_path = {.parent = &path, .field = "end"};
    rule->window.from_min = 0;
    rule->window.to_min = SN_MINUTES_PER_DAY;
    if (hours == NULL) {
        return;
    }
    sn_schema_bind(&sn_schema_hours, hours, fields);
    bool has_start = load_minute(loader, fields[SN_HOURS_START], hours, &start_path, false, &rule->window.from_min);
    bool has_end = load_minute(loader, fields[SN_HOURS_END], hours, &end_path, true, &rule->window.to_min);
    if (has_start && has_end && rule->window.from_min == rule->window.to_min) {
        SN_FINDING_ERROR(loader, "hours", hours, &path, "omit hours for the whole day",
            "hours of rule '%.*s' start and end at the same minute", SN_SHOW(loader->rule_name));
    }
}

/* The zone of a checked name, loaded once a document. NULL with a finding when it cannot be had. */
static struct sn_zone_known load_zone(
    struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_path *path)
{
    static const char mend[] = "an IANA name such as Europe/Berlin, or UTC";
    SN_AUTO(sn_buf_clear) struct sn_buf data = SN_BUF_INIT(SN_TZ_MAX_BYTES);
    struct sn_error err = {0};
    struct sn_tz *zone = NULL;
    if (!sn_tz_name_is_valid(node->text)) {
        SN_FINDING_ERROR(loader, "timezone", node, path, mend, "'%.*s' in rule '%.*s' is not the name of a time zone",
            SN_SHOW(node->text), SN_SHOW(loader->rule_name));
        return (struct sn_zone_known){0};
    }
    uint32_t known = sn_strtab_find(&loader->zone_names, 0, node->text);
    if (known != SN_STRTAB_NONE && loader->known_zones[known].zone != NULL) {
        return loader->known_zones[known];
    }
    struct sn_zone_known out = {.name = sn_arena_dup(&loader->builder.policy->arena, node->text)};
    if (sn_slice_eq_str(node->text, "UTC")) {
        out.zone = sn_tz_utc(); /* needs no data */
    } else if (loader->zones == NULL || loader->zones->read(loader->zones->ctx, node->text, &data, &err) != SN_OK ||
               sn_tz_parse(sn_buf_slice(&data), &zone, &err) != SN_OK) {
        SN_FINDING_ERROR(loader, "timezone", node, path, mend,
            "the time zone '%.*s' of rule '%.*s' cannot be loaded: %s", SN_SHOW(node->text), SN_SHOW(loader->rule_name),
            loader->zones == NULL ? "there is no zone data" : err.message);
        return (struct sn_zone_known){0};
    } else {
        sn_builder_own_zone(&loader->builder, zone);
        out.zone = zone;
    }
    uint32_t number = sn_strtab_add(&loader->zone_names, 0, out.name);
    if (number >= loader->zone_capacity) {
        loader->zone_capacity = loader->zone_capacity == 0 ? 4 : loader->zone_capacity * 2;
        loader->known_zones = sn_realloc(loader->known_zones, loader->zone_capacity, sizeof(*loader->known_zones));
    }
    loader->known_zones[number] = out;
    return out;
}

static void load_time(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *time, const struct sn_path *parent)
{
    const struct sn_yaml_node *fields[SN_TIME_FIELDS];
    struct sn_path path = {.parent = parent, .field = "time"}, zone_path = {.parent = &path, .field = "timezone"};
    if (time == NULL) {
        return;
    }
    sn_schema_bind(&sn_schema_time, time, fields);
    const struct sn_yaml_node *days = fields[SN_TIME_DAYS], *hours = fields[SN_TIME_HOURS];
    if ((days == NULL || days->count == 0) && hours == NULL) {
        SN_FINDING_ERROR(loader, "time", time, &path, "give days or hours, or leave time out",
            "time of rule '%.*s' needs days or hours; as it is it would match always", SN_SHOW(loader->rule_name));
    }
    rule->has_time = true;
    rule->zone = sn_tz_utc();
    rule->zone_name = SN_S("UTC");
    load_days(loader, rule, days, &path);
    load_hours(loader, rule, hours, &path);
    if (fields[SN_TIME_TIMEZONE] != NULL) {
        struct sn_zone_known known = load_zone(loader, fields[SN_TIME_TIMEZONE], &zone_path);
        rule->zone = known.zone;
        rule->zone_name = known.name;
    } else if (hours != NULL) {
        SN_FINDING_WARNING(loader, "no-timezone", hours, &path, "add timezone, if only UTC",
            "hours of rule '%.*s' (index %zu) name no time zone; UTC is taken", SN_SHOW(loader->rule_name),
            loader->rule_index);
    }
    if (days != NULL && hours == NULL) {
        SN_FINDING_WARNING(loader, "days-without-hours", days, &path, "add hours unless the whole day is meant",
            "rule '%.*s' (index %zu) holds for whole days", SN_SHOW(loader->rule_name), loader->rule_index);
    }
}

/* --- mode --- */

static void load_modes(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *list, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "mode"};
    lint_empty_list(loader, list, &path);
    sn_loader_begin_list(loader);
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct sn_path item_path = {.parent = &path, .index = i, .is_index = true};
        size_t mode = find_word(loader, list->items[i], &item_path, sn_mode_words, SN_LEN(sn_mode_words), "mode",
            "a mode", "one of server, cli, credential_process");
        if (mode < SN_LEN(sn_mode_words)) {
            lint_repeated(loader, list->items[i], &item_path);
            rule->modes |= (uint8_t)(1u << mode);
        }
    }
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
    lint_empty_list(loader, list, &path);
    sn_loader_begin_list(loader);
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        struct sn_path item_path = {.parent = &path, .index = i, .is_index = true};
        const struct sn_yaml_node *item = list->items[i];
        size_t os = 0;
        while (os < SN_LEN(sn_os_type_words) && !sn_slice_eq_nocase(item->text, sn_slice_str(sn_os_type_words[os]))) {
            os++;
        }
        if (os < SN_LEN(sn_os_type_words)) {
            lint_repeated(loader, item, &item_path);
            rule->os_types |= (uint8_t)(1u << os);
        } else {
            SN_FINDING_ERROR(loader, "device", item, &item_path,
                sn_suggest_word(hint, sizeof(hint), item->text, sn_os_type_words, SN_LEN(sn_os_type_words),
                    "one of darwin, windows, linux"),
                "'%.*s' in rule '%.*s' is not an operating system", SN_SHOW(item->text), SN_SHOW(loader->rule_name));
        }
    }
}

static void load_min_version(struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "min_os_version"};
    if (!sn_version_is_requirement(node->text)) {
        SN_FINDING_ERROR(loader, "device", node, &path, "a version such as 14.2 or 10.0.22631",
            "'%.*s' in rule '%.*s' is not a version", SN_SHOW(node->text), SN_SHOW(loader->rule_name));
        return;
    }
    sn_builder_set_min_version(&loader->builder, node->text);
}

static bool is_true(const struct sn_yaml_node *node)
{
    return node != NULL && sn_slice_eq_str(node->text, "true");
}

static void load_device(
    struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *device, const struct sn_path *parent)
{
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
        load_min_version(loader, fields[SN_DEVICE_MIN_OS_VERSION], &path);
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

void sn_load_conditions(struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *conditions,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path)
{
    static const char mend[] = "add profiles, users or time, or write conditions: {} for a deny or require_approval "
                               "rule that catches the rest";
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
    load_profiles(loader, fields[SN_COND_PROFILES], &path);
    if (fields[SN_COND_USERS] != NULL) {
        struct sn_path users_path = {.parent = &path, .field = "users"};
        lint_empty_list(loader, fields[SN_COND_USERS], &users_path);
        sn_load_users(loader, fields[SN_COND_USERS], &users_path);
    }
    load_time(loader, rule, fields[SN_COND_TIME], &path);
    load_modes(loader, rule, fields[SN_COND_MODE], &path);
    load_device(loader, rule, fields[SN_COND_DEVICE], &path);
}
