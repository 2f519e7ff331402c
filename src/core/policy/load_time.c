/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/load_time.c - reading the time window of a rule; see load_internal.h. */
#include "base/alloc.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"

static void load_days(struct sn_loader *loader, struct sn_time_window *time, const struct sn_yaml_node *list,
    const struct sn_path *parent)
{
    struct sn_path path = {.parent = parent, .field = "days"};
    uint32_t days = sn_load_words(loader, list, &sn_schema_weekdays, &path);
    time->window.days = list == NULL || list->count == 0 ? SN_ALL_DAYS : (uint8_t)days;
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

static void load_hours(struct sn_loader *loader, struct sn_time_window *time, const struct sn_yaml_node *hours,
    const struct sn_path *parent)
{
    const struct sn_yaml_node *fields[SN_HOURS_FIELDS];
    struct sn_path path = {.parent = parent, .field = "hours"};
    struct sn_path start_path = {.parent = &path, .field = "start"}, end_path = {.parent = &path, .field = "end"};
    time->window.from_min = 0;
    time->window.to_min = SN_MINUTES_PER_DAY;
    if (hours == NULL) {
        return;
    }
    sn_schema_bind(&sn_schema_hours, hours, fields);
    bool has_start = load_minute(loader, fields[SN_HOURS_START], hours, &start_path, false, &time->window.from_min);
    bool has_end = load_minute(loader, fields[SN_HOURS_END], hours, &end_path, true, &time->window.to_min);
    if (has_start && has_end && time->window.from_min == time->window.to_min) {
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
    struct sn_zone_known out = {.name = sn_arena_dup(loader->arena, node->text)};
    if (sn_slice_eq_str(node->text, "UTC")) {
        out.zone = sn_tz_utc(); /* needs no data */
    } else if (loader->zones == NULL || loader->zones->read(loader->zones->ctx, node->text, &data, &err) != SN_OK ||
               sn_tz_parse(sn_buf_slice(&data), &zone, &err) != SN_OK) {
        SN_FINDING_ERROR(loader, "timezone", node, path, mend,
            "the time zone '%.*s' of rule '%.*s' cannot be loaded: %s", SN_SHOW(node->text), SN_SHOW(loader->rule_name),
            loader->zones == NULL ? "there is no zone data" : err.message);
        return (struct sn_zone_known){0};
    } else {
        sn_zone_set_add(loader->kept_zones, zone);
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

void sn_load_time(struct sn_loader *loader, const struct sn_yaml_node *time, const struct sn_path *path,
    struct sn_time_window *out_time)
{
    const struct sn_yaml_node *fields[SN_TIME_FIELDS];
    struct sn_path zone_path = {.parent = path, .field = "timezone"};
    if (time == NULL) {
        return;
    }
    sn_schema_bind(&sn_schema_time, time, fields);
    const struct sn_yaml_node *days = fields[SN_TIME_DAYS], *hours = fields[SN_TIME_HOURS];
    if ((days == NULL || days->count == 0) && hours == NULL) {
        SN_FINDING_ERROR(loader, "time", time, path, "give days or hours, or leave time out",
            "time of rule '%.*s' needs days or hours; as it is it would match always", SN_SHOW(loader->rule_name));
    }
    *out_time = (struct sn_time_window){.is_set = true, .zone = sn_tz_utc(), .zone_name = SN_S("UTC")};
    load_days(loader, out_time, days, path);
    load_hours(loader, out_time, hours, path);
    if (fields[SN_TIME_TIMEZONE] != NULL) {
        struct sn_zone_known known = load_zone(loader, fields[SN_TIME_TIMEZONE], &zone_path);
        out_time->zone = known.zone;
        out_time->zone_name = known.name;
    } else if (hours != NULL) {
        SN_FINDING_WARNING(loader, "no-timezone", hours, path, "add timezone, if only UTC",
            "hours of rule '%.*s' (index %zu) name no time zone; UTC is taken", SN_SHOW(loader->rule_name),
            loader->rule_index);
    }
    if (days != NULL && hours == NULL) {
        SN_FINDING_WARNING(loader, "days-without-hours", days, path, "add hours unless the whole day is meant",
            "rule '%.*s' (index %zu) holds for whole days", SN_SHOW(loader->rule_name), loader->rule_index);
    }
}
