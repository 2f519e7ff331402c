/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/naive_policy.c - see naive_policy.h. Nothing of the product is included here, on purpose. */
#include "naive_policy.h"

#include <stddef.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* --- the calendar, counted day by day from 1970 --- */

static bool leap(int year)
{
    return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && leap(year) ? 1 : 0);
}

static int64_t day_number(int year, int month, int day)
{
    int64_t count = 0;
    for (int y = 1970; y < year; y++) {
        count += leap(y) ? 366 : 365;
    }
    for (int m = 1; m < month; m++) {
        count += month_days(year, m);
    }
    return count + day - 1;
}

/* 0 Monday. Day 0 was a Thursday. */
static int weekday_of_day(int64_t day)
{
    return (int)((day + 3) % 7);
}

/* The years that generated instants fall into, counted once. */
enum { FIRST_YEAR = 1970, YEARS = 130 };

static int year_of(int64_t unix_s)
{
    static int64_t begins[YEARS + 1];
    for (int i = 0; begins[YEARS] == 0 && i <= YEARS; i++) {
        begins[i] = day_number(FIRST_YEAR + i, 1, 1) * 86400;
    }
    int year = (int)(unix_s / (366 * 86400)); /* no year is longer, so this one has begun */
    while (begins[year + 1] <= unix_s) {
        year++;
    }
    return FIRST_YEAR + year;
}

/* The nth Sunday of a month, or the last for nth 0. */
static int64_t sunday(int year, int month, int nth)
{
    int seen = 0, last = 0;
    for (int day = 1; day <= month_days(year, month); day++) {
        if (weekday_of_day(day_number(year, month, day)) == 6) {
            last = day;
            if (++seen == nth) {
                return day_number(year, month, day);
            }
        }
    }
    return day_number(year, month, last);
}

enum zone { UTC, TOKYO, KOLKATA, BERLIN, LISBON, NEW_YORK, LORD_HOWE, NO_ZONE };

static enum zone zone_of(const char *name)
{
    static const char *const names[] = {"UTC", "Asia/Tokyo", "Asia/Kolkata", "Europe/Berlin", "Europe/Lisbon",
        "America/New_York", "Australia/Lord_Howe"};
    for (int zone = UTC; name != NULL && zone < NO_ZONE; zone++) {
        if (same(names[zone], name)) {
            return (enum zone)zone;
        }
    }
    return name == NULL ? UTC : NO_ZONE;
}

/* When summer time begins and ends in a year, in UTC. */
struct summer {
    int64_t begin, end;
};

static struct summer summer_of(enum zone zone, int year)
{
    static struct summer known[NO_ZONE][YEARS];
    struct summer *summer = &known[zone][year - FIRST_YEAR];
    if (summer->begin != 0) {
        return *summer;
    }
    if (zone == NEW_YORK) { /* second Sunday of March, first of November, at 02:00 local */
        summer->begin = sunday(year, 3, 2) * 86400 + 2 * 3600 + 5 * 3600;
        summer->end = sunday(year, 11, 1) * 86400 + 2 * 3600 + 4 * 3600;
    } else if (zone == LORD_HOWE) { /* first Sundays of October and April */
        summer->begin = sunday(year, 10, 1) * 86400 + 2 * 3600 - (10 * 3600 + 1800);
        summer->end = sunday(year, 4, 1) * 86400 + 2 * 3600 - 11 * 3600;
    } else { /* at 01:00 UTC in all of the Union */
        summer->begin = sunday(year, 3, 0) * 86400 + 3600;
        summer->end = sunday(year, 10, 0) * 86400 + 3600;
    }
    return *summer;
}

int64_t naive_zone_offset(const char *name, int64_t t)
{
    enum zone zone = zone_of(name);
    if (zone == UTC) {
        return 0;
    }
    if (zone == TOKYO) {
        return 9 * 3600;
    }
    if (zone == KOLKATA) {
        return 5 * 3600 + 1800;
    }
    if (zone == NO_ZONE) {
        return 1 << 30; /* make every comparison fail */
    }
    struct summer summer = summer_of(zone, year_of(t));
    bool is_north_summer = t >= summer.begin && t < summer.end;
    if (zone == BERLIN) {
        return is_north_summer ? 7200 : 3600;
    }
    if (zone == LISBON) {
        return is_north_summer ? 3600 : 0;
    }
    if (zone == NEW_YORK) {
        return is_north_summer ? -4 * 3600 : -5 * 3600;
    }
    return t >= summer.begin || t < summer.end ? 11 * 3600
                                               : 10 * 3600 + 1800; /* half an hour, in the southern summer */
}

/* --- conditions --- */

static bool listed(const struct naive_list *list, const char *text)
{
    for (int i = 0; i < list->count; i++) {
        if (same(list->items[i], text)) {
            return true;
        }
    }
    return false;
}

static bool entry_matches(
    const struct naive_policy *policy, const char *entry, const struct naive_caller *caller, const char *own_account)
{
    if (strncmp(entry, "group:", 6) == 0) {
        for (int g = 0; g < policy->group_count; g++) {
            if (!same(policy->groups[g].name, entry + 6)) {
                continue;
            }
            for (int i = 0; i < policy->groups[g].entries.count; i++) {
                if (entry_matches(policy, policy->groups[g].entries.items[i], caller, own_account)) {
                    return true;
                }
            }
        }
        return false;
    }
    if (strncmp(entry, "arn:", 4) == 0) {
        return same(entry, caller->arn);
    }
    bool is_session = same(caller->kind, "sso") || same(caller->kind, "role") || same(caller->kind, "vouching-role");
    if (strncmp(entry, "role:", 5) == 0) {
        return is_session && same(entry + 5, caller->role);
    }
    if (!caller->vouched || !same(entry, caller->name)) {
        return false;
    }
    return !same(caller->kind, "user") || same(caller->account, own_account);
}

static bool profiles_match(const struct naive_rule *rule, const char *profile)
{
    return rule->profiles.count == 0 || listed(&rule->profiles, profile);
}

static bool users_match(
    const struct naive_policy *policy, const struct naive_rule *rule, const struct naive_request *request)
{
    if (rule->users.count == 0) {
        return true;
    }
    for (int i = 0; i < rule->users.count; i++) {
        if (entry_matches(policy, rule->users.items[i], request->caller, request->own_account)) {
            return true;
        }
    }
    return false;
}

int naive_minutes(const char *hhmm)
{
    return ((hhmm[0] - '0') * 10 + hhmm[1] - '0') * 60 + (hhmm[3] - '0') * 10 + hhmm[4] - '0';
}

static bool day_listed(const struct naive_rule *rule, int weekday)
{
    static const char *const names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    return rule->days.count == 0 || listed(&rule->days, names[(weekday + 7) % 7]);
}

static bool time_matches(const struct naive_rule *rule, int64_t unix_s)
{
    if (!rule->has_time) {
        return true;
    }
    int64_t local = unix_s + naive_zone_offset(rule->timezone, unix_s);
    int weekday = weekday_of_day(local / 86400);
    int minute = (int)(local % 86400 / 60);
    if (!rule->has_hours) {
        return day_listed(rule, weekday);
    }
    int start = naive_minutes(rule->start), end = naive_minutes(rule->end);
    if (start < end) {
        return day_listed(rule, weekday) && minute >= start && minute < end;
    }
    if (minute >= start) { /* the evening of the day on which the window begins */
        return day_listed(rule, weekday);
    }
    if (minute < end) { /* the morning after */
        return day_listed(rule, weekday - 1);
    }
    return false;
}

/* The part of a version that begins at *at, which moves on; false when a part is too long. */
static bool version_part(const char **at, int64_t *out)
{
    int digits = 0;
    *out = 0;
    while (**at == '.' || **at == '-' || **at == '+') {
        (*at)++;
    }
    while (**at >= '0' && **at <= '9') {
        *out = digits < 12 ? *out * 10 + (**at - '0') : *out;
        digits++;
        (*at)++;
    }
    while (**at != '\0' && **at != '.' && **at != '-' && **at != '+') {
        (*at)++;
    }
    return digits <= 9;
}

static bool version_at_least(const char *have, const char *want)
{
    const char *probe = have;
    int64_t ignored;
    while (*probe != '\0') {
        if (!version_part(&probe, &ignored)) {
            return false;
        }
    }
    if (*have == '\0') {
        return false;
    }
    while (*have != '\0' || *want != '\0') {
        int64_t a, b;
        version_part(&have, &a);
        version_part(&want, &b);
        if (a != b) {
            return a > b;
        }
    }
    return true;
}

static bool same_nocase(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y) {
            return false;
        }
    }
    return *a == *b;
}

static bool os_type_matches(const struct naive_rule *rule, const struct naive_posture *posture)
{
    for (int i = 0; i < rule->allowed_os_types.count; i++) {
        if (same_nocase(rule->allowed_os_types.items[i], posture->os_type)) {
            return true;
        }
    }
    return rule->allowed_os_types.count == 0;
}

static bool device_matches(const struct naive_rule *rule, const struct naive_posture *posture)
{
    if (!rule->has_device) {
        return true;
    }
    if (posture == NULL) {
        return false;
    }
    if (rule->require_encryption && posture->encrypted != 'y') {
        return false;
    }
    if (rule->require_mdm && posture->enrolled != 'y') {
        return false;
    }
    if (rule->require_mdm_compliant && (posture->compliant != 'y' || posture->enrolled != 'y')) {
        return false;
    }
    if (rule->require_firewall && posture->firewall != 'y') {
        return false;
    }
    if (rule->min_os_version != NULL && !version_at_least(posture->os_version, rule->min_os_version)) {
        return false;
    }
    return os_type_matches(rule, posture);
}

static bool mode_matches(const struct naive_rule *rule, const char *mode)
{
    return rule->mode.count == 0 || listed(&rule->mode, mode);
}

/* --- one part of a rule at a time, for those who count what was tried --- */

const char *const naive_part_names[NAIVE_PARTS] = {"profiles", "users by name", "users by ARN", "users by role",
    "users by group", "days", "hours", "hours over midnight", "mode", "encryption", "mdm", "mdm compliant", "firewall",
    "version", "os type"};

/* Has the entry that prefix; for NULL, is it a plain name. */
static bool is_kind(const char *entry, const char *prefix)
{
    if (prefix != NULL) {
        return strncmp(entry, prefix, strlen(prefix)) == 0;
    }
    return !is_kind(entry, "arn:") && !is_kind(entry, "role:") && !is_kind(entry, "group:");
}

static bool has_entry(const struct naive_rule *rule, const char *prefix)
{
    for (int i = 0; i < rule->users.count; i++) {
        if (is_kind(rule->users.items[i], prefix)) {
            return true;
        }
    }
    return false;
}

bool naive_states(const struct naive_rule *rule, enum naive_part part)
{
    switch (part) {
    case NAIVE_PROFILES:
        return rule->profiles.count > 0;
    case NAIVE_NAME:
        return has_entry(rule, NULL);
    case NAIVE_ARN:
        return has_entry(rule, "arn:");
    case NAIVE_ROLE:
        return has_entry(rule, "role:");
    case NAIVE_GROUP:
        return has_entry(rule, "group:");
    case NAIVE_DAYS:
        return rule->has_time && rule->days.count > 0;
    case NAIVE_HOURS:
        return rule->has_time && rule->has_hours;
    case NAIVE_OVERNIGHT:
        return rule->has_time && rule->has_hours && naive_minutes(rule->start) > naive_minutes(rule->end);
    case NAIVE_MODE:
        return rule->mode.count > 0;
    case NAIVE_ENCRYPTION:
        return rule->has_device && rule->require_encryption;
    case NAIVE_MDM:
        return rule->has_device && rule->require_mdm;
    case NAIVE_COMPLIANT:
        return rule->has_device && rule->require_mdm_compliant;
    case NAIVE_FIREWALL:
        return rule->has_device && rule->require_firewall;
    case NAIVE_VERSION:
        return rule->has_device && rule->min_os_version != NULL;
    case NAIVE_OS_TYPE:
        return rule->has_device && rule->allowed_os_types.count > 0;
    case NAIVE_PARTS:
        break;
    }
    return false;
}

/* Whether an entry of that kind names the caller. */
static bool entries_meet(const struct naive_policy *policy, const struct naive_rule *rule,
    const struct naive_request *request, const char *prefix)
{
    for (int i = 0; i < rule->users.count; i++) {
        const char *entry = rule->users.items[i];
        if (is_kind(entry, prefix) && entry_matches(policy, entry, request->caller, request->own_account)) {
            return true;
        }
    }
    return false;
}

bool naive_meets(const struct naive_policy *policy, const struct naive_rule *rule, const struct naive_request *request,
    enum naive_part part)
{
    const struct naive_posture *posture = request->posture;
    switch (part) {
    case NAIVE_PROFILES:
        return profiles_match(rule, request->profile);
    case NAIVE_NAME:
        return entries_meet(policy, rule, request, NULL);
    case NAIVE_ARN:
        return entries_meet(policy, rule, request, "arn:");
    case NAIVE_ROLE:
        return entries_meet(policy, rule, request, "role:");
    case NAIVE_GROUP:
        return entries_meet(policy, rule, request, "group:");
    case NAIVE_DAYS:
    case NAIVE_HOURS:
    case NAIVE_OVERNIGHT:
        return time_matches(rule, request->unix_s);
    case NAIVE_MODE:
        return mode_matches(rule, request->mode);
    case NAIVE_ENCRYPTION:
        return posture != NULL && posture->encrypted == 'y';
    case NAIVE_MDM:
        return posture != NULL && posture->enrolled == 'y';
    case NAIVE_COMPLIANT:
        return posture != NULL && posture->compliant == 'y' && posture->enrolled == 'y';
    case NAIVE_FIREWALL:
        return posture != NULL && posture->firewall == 'y';
    case NAIVE_VERSION:
        return posture != NULL && version_at_least(posture->os_version, rule->min_os_version);
    case NAIVE_OS_TYPE:
        return posture != NULL && os_type_matches(rule, posture);
    case NAIVE_PARTS:
        break;
    }
    return false;
}

bool naive_is_beside_edge(const struct naive_rule *rule, int64_t unix_s)
{
    int64_t second = (unix_s + naive_zone_offset(rule->timezone, unix_s)) % 86400;
    const int64_t edges[] = {naive_minutes(rule->start) * 60, naive_minutes(rule->end) * 60};
    for (int i = 0; i < 2; i++) {
        int64_t away = (second - edges[i] + 86400 + 60) % 86400;
        if (away <= 120) {
            return true;
        }
    }
    return false;
}

bool naive_is_beside_change(const char *zone, int64_t unix_s)
{
    return naive_zone_offset(zone, unix_s - 7200) != naive_zone_offset(zone, unix_s + 7200);
}

/* --- effects --- */

static struct naive_decision decide(const struct naive_rule *rule, int index, const struct naive_request *request)
{
    struct naive_decision out = {.effect = "deny", .rule_index = index, .override = "none"};
    bool is_server = same(request->mode, "server");
    if (same(rule->effect, "allow")) {
        out.effect = "allow";
    } else if (same(rule->effect, "deny")) {
        out.override = rule->break_glass_never ? "none" : "breakglass";
    } else if (same(rule->effect, "require_approval")) {
        out.effect = "require_approval";
        out.override = "approval_or_breakglass";
    } else if (same(rule->effect, "require_server")) {
        out.effect = is_server ? "allow" : "deny";
        out.requires_server_mode = !is_server;
    } else if (same(rule->effect, "require_server_session")) {
        bool ok = is_server && request->session_store[0] != '\0';
        out.effect = ok ? "allow" : "deny";
        out.requires_session_tracking = !ok;
        out.requires_server_mode = !ok && !is_server;
    }
    return out;
}

struct naive_decision naive_evaluate(const struct naive_policy *policy, const struct naive_request *request)
{
    for (int i = 0; i < policy->rule_count; i++) {
        const struct naive_rule *rule = &policy->rules[i];
        if (profiles_match(rule, request->profile) && users_match(policy, rule, request) &&
            time_matches(rule, request->unix_s) && mode_matches(rule, request->mode) &&
            device_matches(rule, request->posture)) {
            return decide(rule, i, request);
        }
    }
    return (struct naive_decision){.effect = "deny", .rule_index = -1, .override = "approval_or_breakglass"};
}

bool naive_is_visible(const struct naive_policy *policy, const struct naive_request *request)
{
    for (int i = 0; i < policy->rule_count; i++) {
        const struct naive_rule *rule = &policy->rules[i];
        if (!profiles_match(rule, request->profile) || !users_match(policy, rule, request) ||
            !mode_matches(rule, request->mode)) {
            continue;
        }
        if (!same(decide(rule, i, request).effect, "deny")) {
            return true;
        }
        if (!rule->has_time && !rule->has_device) {
            return false;
        }
    }
    return false;
}

bool naive_is_hidden(const struct naive_policy *policy, const struct naive_request *request)
{
    for (int i = 0; i < policy->rule_count; i++) {
        const struct naive_rule *rule = &policy->rules[i];
        bool names_it = rule->profiles.count > 0 && listed(&rule->profiles, request->profile);
        bool open_to_all = rule->profiles.count == 0 && !same(rule->effect, "deny");
        if ((names_it || open_to_all) && users_match(policy, rule, request)) {
            return false;
        }
    }
    return true;
}
