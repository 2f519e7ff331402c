/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/policy_generator.c - see policy_generator.h. */
#include "policy_generator.h"

#include <stdio.h>
#include <string.h>

#define OWN_ACCOUNT "111122223333"
#define OTHER_ACCOUNT "999999999999"
#define SSO_ROLE "AWSReservedSSO_Dev_0123456789abcdef"
#define USER_ARN(name) "arn:aws:iam::" OWN_ACCOUNT ":user/" name
#define SESSION_ARN(role, name) "arn:aws:sts::" OWN_ACCOUNT ":assumed-role/" role "/" name

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void gen_seed(uint64_t seed, uint64_t part)
{
    random_state = seed;
    for (uint64_t i = 0; i <= part; i++) {
        random_state = next_random() ^ i; /* another place of the cycle altogether */
    }
}

int gen_below(int n)
{
    return (int)((next_random() >> 32) * (uint64_t)n >> 32);
}

#define PICK(array) ((array)[gen_below((int)SN_LEN(array))])

static const char *const profiles[] = {"dev", "prod", "team/dev", "staging", "Dev", "p1"};
static const char *const names[] = {"alice", "bob", "Alice", "jane.doe@corp.com", "ci", "root", "Dev"};
static const char *const roles[] = {"Dev", "Ops", "dev"};
static const char *const kinds[] = {"user", "sso", "role", "vouching-role", "federated", "root"};
static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
static const char *const zones[] = {NULL, "UTC", "Europe/Berlin", "Europe/Lisbon", "America/New_York", "Asia/Tokyo",
    "Asia/Kolkata", "Australia/Lord_Howe"};
static const char *const starts[] = {"00:00", "00:01", "02:00", "02:30", "09:00", "12:00", "17:00", "22:00", "23:59"};
static const char *const ends[] = {"00:00", "00:30", "02:00", "03:00", "09:00", "12:01", "17:00", "23:59", "24:00"};
static const char *const effects[] = {
    "allow", "allow", "deny", "require_approval", "require_server", "require_server_session"};
static const char *const modes[] = {"server", "cli", "credential_process"};
static const char *const os_types[] = {"darwin", "windows", "linux", "Darwin", "LINUX"};
static const char *const versions[] = {"14", "14.2", "14.2.1", "13.6.9", "10.0-beta", "1+2", "0.0.1", "999999999",
    "14.2.1.3", "2097151.1", "2097151.1.4", "1.2097152"};
static const char *const posture_versions[] = {"", "14", "14.0.0", "14.2", "14.2.1.0", "13.6.9", "10.0", "x", "1.2",
    "0.0.1", "999999999", "1000000000", "...", "14.10", "14.2.1.3", "14.2.1.2.9", "2097151", "2097151.2", "2097150.9",
    "1.2097153"};
static const char *const entries[] = {"alice", "bob", "Alice", "jane.doe@corp.com", "ci", "Dev", "alice ", "role:Dev",
    "role:Ops", "role:" SSO_ROLE, USER_ARN("alice"), "arn:aws:iam::" OTHER_ACCOUNT ":user/alice",
    SESSION_ARN("Dev", "ci"), SESSION_ARN(SSO_ROLE, "bob"), "arn:aws:iam::" OWN_ACCOUNT ":root"};
static const char *const group_names[] = {"g0", "g1", "g2", "g3"};
static const char *const group_entries[] = {"group:g0", "group:g1", "group:g2", "group:g3"};

/* --- policies --- */

static void fill(struct naive_list *list, int most, const char *const *from, int count)
{
    list->count = gen_below(most + 1);
    for (int i = 0; i < list->count; i++) {
        list->items[i] = from[gen_below(count)];
    }
}
#define FILL(list, most, from) fill((list), (most), (from), (int)SN_LEN(from))

static void make_users(struct naive_list *list, int groups)
{
    FILL(list, 3, entries);
    if (groups > 0 && gen_one_in(2)) {
        list->items[list->count++] = group_entries[gen_below(groups)];
    }
}

static void make_time(struct naive_rule *rule)
{
    rule->has_time = true;
    FILL(&rule->days, 4, days);
    rule->has_hours = rule->days.count == 0 || !gen_one_in(3);
    rule->timezone = PICK(zones);
    do {
        rule->start = PICK(starts);
        rule->end = PICK(ends);
    } while (strcmp(rule->start, rule->end) == 0);
}

static void make_device(struct naive_rule *rule)
{
    rule->has_device = true;
    rule->require_encryption = gen_one_in(3);
    rule->require_mdm = gen_one_in(3);
    rule->require_mdm_compliant = gen_one_in(3);
    rule->require_firewall = gen_one_in(3);
    rule->min_os_version = gen_one_in(2) ? PICK(versions) : NULL;
    FILL(&rule->allowed_os_types, 2, os_types);
}

void gen_rule(struct naive_rule *rule, int index, int groups)
{
    *rule = (struct naive_rule){.effect = PICK(effects)};
    snprintf(rule->name, sizeof(rule->name), "r%d", index);
    bool is_deny = strcmp(rule->effect, "deny") == 0;
    rule->break_glass_never = is_deny && gen_one_in(4);
    if ((is_deny || strcmp(rule->effect, "require_approval") == 0) && gen_one_in(20)) {
        rule->empty_conditions = true;
        return;
    }
    FILL(&rule->profiles, 3, profiles);
    if (gen_one_in(2)) {
        make_users(&rule->users, groups);
    }
    if (gen_one_in(3)) {
        make_time(rule);
    }
    if (gen_one_in(6)) {
        FILL(&rule->mode, 2, modes);
    }
    if (gen_one_in(5)) {
        make_device(rule);
    }
    if (rule->profiles.count == 0 && rule->users.count == 0 && !rule->has_time) {
        rule->profiles.items[rule->profiles.count++] = PICK(profiles);
    }
}

/* One profile and one caller: of many such rules the last ones decide too. */
static void narrow(struct naive_rule *rule)
{
    rule->empty_conditions = false;
    rule->profiles.count = rule->users.count = 1;
    rule->profiles.items[0] = PICK(profiles);
    rule->users.items[0] = PICK(entries);
}

void gen_policy(struct naive_policy *policy)
{
    policy->group_count = gen_below(NAIVE_GROUPS_MAX + 1);
    for (int g = 0; g < policy->group_count; g++) {
        policy->groups[g].name = group_names[g];
        FILL(&policy->groups[g].entries, 4, entries);
        if (policy->groups[g].entries.count == 0) {
            policy->groups[g].entries.items[policy->groups[g].entries.count++] = PICK(entries);
        }
    }
    bool is_long = gen_one_in(8), is_narrow = is_long && !gen_one_in(4);
    policy->rule_count = is_long ? 60 + gen_below(NAIVE_RULES_MAX - 60) : 1 + gen_below(8);
    for (int i = 0; i < policy->rule_count; i++) {
        gen_rule(&policy->rules[i], i, policy->group_count);
        if (is_narrow) {
            narrow(&policy->rules[i]);
        }
    }
}

/* --- writing a policy down as a document --- */

static void write_list(struct sn_buf *buf, const char *key, const struct naive_list *list)
{
    if (list->count == 0) {
        return;
    }
    sn_buf_addf(buf, "      %s: [", key);
    for (int i = 0; i < list->count; i++) {
        sn_buf_addf(buf, "%s\"%s\"", i > 0 ? ", " : "", list->items[i]);
    }
    sn_buf_add_str(buf, "]\n");
}

/* Groups written out in place, or named. */
static void write_users(
    struct sn_buf *buf, const struct naive_policy *policy, const struct naive_list *list, bool inlined)
{
    if (list->count == 0) {
        return;
    }
    sn_buf_add_str(buf, "      users: [");
    const char *comma = "";
    for (int i = 0; i < list->count; i++) {
        int group = inlined && strncmp(list->items[i], "group:g", 7) == 0 ? list->items[i][7] - '0' : -1;
        for (int k = 0; group >= 0 && k < policy->groups[group].entries.count; k++) {
            sn_buf_addf(buf, "%s\"%s\"", comma, policy->groups[group].entries.items[k]);
            comma = ", ";
        }
        if (group < 0) {
            sn_buf_addf(buf, "%s\"%s\"", comma, list->items[i]);
            comma = ", ";
        }
    }
    sn_buf_add_str(buf, "]\n");
}

static void write_time(struct sn_buf *buf, const struct naive_rule *rule)
{
    sn_buf_add_str(buf, "      time:\n");
    write_list(buf, "  days", &rule->days);
    if (rule->has_hours) {
        sn_buf_addf(buf, "        hours: {start: \"%s\", end: \"%s\"}\n", rule->start, rule->end);
    }
    if (rule->timezone != NULL) {
        sn_buf_addf(buf, "        timezone: %s\n", rule->timezone);
    }
}

static const char *boolean(bool value)
{
    return value ? "true" : "false";
}

static void write_device(struct sn_buf *buf, const struct naive_rule *rule)
{
    sn_buf_addf(buf,
        "      device:\n        require_encryption: %s\n        require_mdm: %s\n"
        "        require_mdm_compliant: %s\n        require_firewall: %s\n",
        boolean(rule->require_encryption), boolean(rule->require_mdm), boolean(rule->require_mdm_compliant),
        boolean(rule->require_firewall));
    if (rule->min_os_version != NULL) {
        sn_buf_addf(buf, "        min_os_version: \"%s\"\n", rule->min_os_version);
    }
    write_list(buf, "  allowed_os_types", &rule->allowed_os_types);
}

static void write_rule(
    struct sn_buf *buf, const struct naive_policy *policy, const struct naive_rule *rule, bool inlined)
{
    sn_buf_addf(buf, "  - name: %s\n    effect: %s\n%s", rule->name, rule->effect,
        rule->break_glass_never ? "    break_glass: never\n" : "");
    if (rule->empty_conditions) {
        sn_buf_add_str(buf, "    conditions: {}\n");
        return;
    }
    sn_buf_add_str(buf, "    conditions:\n");
    write_list(buf, "profiles", &rule->profiles);
    write_users(buf, policy, &rule->users, inlined);
    write_list(buf, "mode", &rule->mode);
    if (rule->has_time) {
        write_time(buf, rule);
    }
    if (rule->has_device) {
        write_device(buf, rule);
    }
}

void gen_write(struct sn_buf *buf, const struct naive_policy *policy, bool inlined)
{
    sn_buf_add_str(buf, "version: \"1\"\n");
    if (policy->group_count > 0 && !inlined) {
        sn_buf_add_str(buf, "groups:\n");
        for (int g = 0; g < policy->group_count; g++) {
            sn_buf_addf(buf, "  %s:\n", policy->groups[g].name);
            for (int i = 0; i < policy->groups[g].entries.count; i++) {
                sn_buf_addf(buf, "    - \"%s\"\n", policy->groups[g].entries.items[i]);
            }
        }
    }
    sn_buf_add_str(buf, "rules:\n");
    for (int i = 0; i < policy->rule_count; i++) {
        write_rule(buf, policy, &policy->rules[i], inlined);
    }
}

/* --- requests --- */

/* ARN of a caller, joined by hand: this runs once a request, and requests are many. */
static void write_arn(struct gen_request *r, const char *service, const char *resource)
{
    const char *const parts[] = {"arn:aws:", service, "::", r->caller.account, ":", resource, r->caller.role,
        r->caller.role[0] != '\0' ? "/" : "", strcmp(r->caller.kind, "root") == 0 ? "" : r->caller.name};
    char *at = r->arn;
    for (size_t i = 0; i < SN_LEN(parts); i++) {
        size_t len = strlen(parts[i]);
        memcpy(at, parts[i], len);
        at += len;
    }
    *at = '\0';
    r->caller.arn = r->arn;
}

static void finish_caller(struct gen_request *r)
{
    struct naive_caller *caller = &r->caller;
    caller->vouched = false;
    if (strcmp(caller->kind, "user") == 0) {
        caller->vouched = true;
        write_arn(r, "iam", "user/");
    } else if (strcmp(caller->kind, "federated") == 0) {
        write_arn(r, "sts", "federated-user/");
    } else if (strcmp(caller->kind, "root") == 0) {
        caller->name = "root";
        write_arn(r, "iam", "root");
    } else {
        caller->vouched = strcmp(caller->kind, "role") != 0;
        caller->role = strcmp(caller->kind, "sso") == 0 ? SSO_ROLE : PICK(roles);
        write_arn(r, "sts", "assumed-role/");
    }
}

static void make_caller(struct gen_request *r)
{
    r->caller = (struct naive_caller){
        .kind = PICK(kinds), .name = PICK(names), .account = gen_one_in(4) ? OTHER_ACCOUNT : OWN_ACCOUNT, .role = ""};
    finish_caller(r);
}

static void make_posture(struct gen_request *r)
{
    static const char states[] = {'u', 'y', 'y', 'y', 'y', 'n'};
    static const char *const systems[] = {"", "darwin", "WINDOWS", "linux", "freebsd"};
    r->posture = (struct naive_posture){
        PICK(states), PICK(states), PICK(states), PICK(states), PICK(systems), PICK(posture_versions)};
}

/* Midnights in UTC: ordinary days, leap days, ends of years, and days on which some zone changes its clock. */
static const int64_t anchors[] = {
    1769385600, /* 2026-01-26 */
    1774742400, /* 2026-03-29, Europe */
    1792886400, /* 2026-10-25, Europe */
    1772928000, /* 2026-03-08, New York */
    1793491200, /* 2026-11-01, New York */
    1775260800, /* 2026-04-04, Lord Howe in local time the day after */
    1790985600, /* 2026-10-03, Lord Howe */
    1709164800, /* 2024-02-29 */
    1835395200, /* 2028-02-29 */
    1798675200, /* 2026-12-31 */
    2098483200, /* 2036-07-01 */
};

static int64_t make_instant(void)
{
    int64_t half_hours = gen_below(2 * 48) - 24;
    return PICK(anchors) + 86400 * (gen_one_in(3) ? gen_below(7) : 0) + half_hours * 1800 + gen_below(3) - 1 +
           (gen_one_in(4) ? gen_below(1800) : 0);
}

/* Beside an edge of the window: a second before, on it, a second or a minute behind it. */
static int64_t aim_at_edge(const struct naive_rule *rule)
{
    static const int beside_s[] = {-60, -1, 0, 1, 59, 60};
    const char *edge = gen_one_in(2) ? rule->start : rule->end;
    int64_t wall = PICK(anchors) + 86400 * gen_below(7) + naive_minutes(edge) * 60;
    int64_t utc = wall - naive_zone_offset(rule->timezone, wall);
    utc = wall - naive_zone_offset(rule->timezone, utc); /* the guess was off where a clock changes between the two */
    return utc + PICK(beside_s);
}

/* Around the moment at which the clock of the rule's zone goes forward or back. */
static int64_t aim_at_change(const struct naive_rule *rule)
{
    static const struct {
        const char *zone;
        int64_t at;
    } changes[] = {
        {"Europe/Berlin", 1774746000},
        {"Europe/Berlin", 1792890000},
        {"Europe/Berlin", 2090451600},
        {"Europe/Lisbon", 1774746000},
        {"Europe/Lisbon", 1792890000},
        {"America/New_York", 1772953200},
        {"America/New_York", 1793512800},
        {"America/New_York", 2077768800},
        {"Australia/Lord_Howe", 1775314800},
        {"Australia/Lord_Howe", 1791041400},
    };
    int first = gen_below((int)SN_LEN(changes));
    for (int i = 0; i < (int)SN_LEN(changes); i++) {
        int at = (first + i) % (int)SN_LEN(changes);
        if (rule->timezone != NULL && strcmp(changes[at].zone, rule->timezone) == 0) {
            return changes[at].at + (gen_below(9) - 4) * 1800 + gen_below(3) - 1;
        }
    }
    return make_instant();
}

static void aim_at_entry(const struct naive_policy *policy, struct gen_request *r, const char *entry)
{
    if (strncmp(entry, "group:g", 7) == 0) {
        const struct naive_list *group = &policy->groups[entry[7] - '0'].entries;
        entry = group->items[gen_below(group->count)];
    }
    if (strncmp(entry, "role:", 5) == 0) {
        r->caller.kind = strcmp(entry + 5, SSO_ROLE) == 0 ? "sso" : "role";
        finish_caller(r);
        r->caller.role = entry + 5;
        write_arn(r, "sts", "assumed-role/");
    } else if (strncmp(entry, "arn:", 4) == 0 && strstr(entry, ":user/") != NULL) {
        r->caller = (struct naive_caller){.kind = "user",
            .name = "alice",
            .account = strstr(entry, OTHER_ACCOUNT) != NULL ? OTHER_ACCOUNT : OWN_ACCOUNT,
            .role = ""};
        finish_caller(r);
    } else if (strncmp(entry, "arn:", 4) == 0 && strstr(entry, ":root") != NULL) {
        r->caller = (struct naive_caller){.kind = "root", .account = OWN_ACCOUNT, .role = ""};
        finish_caller(r);
    } else if (strncmp(entry, "arn:", 4) == 0) {
        bool is_sso = strstr(entry, SSO_ROLE) != NULL;
        r->caller = (struct naive_caller){
            .kind = is_sso ? "sso" : "role", .name = is_sso ? "bob" : "ci", .account = OWN_ACCOUNT, .role = ""};
        finish_caller(r);
    } else {
        r->caller.name = entry;
        r->caller.role = "";
        finish_caller(r);
    }
}

static void aim(const struct naive_policy *policy, struct gen_request *r)
{
    int near = policy->rule_count < 8 || gen_one_in(2) ? policy->rule_count : 8; /* later rules are seldom reached */
    const struct naive_rule *rule = &policy->rules[gen_below(near)];
    if (rule->profiles.count > 0) {
        r->request.profile = rule->profiles.items[gen_below(rule->profiles.count)];
    }
    if (rule->users.count > 0) {
        aim_at_entry(policy, r, rule->users.items[gen_below(rule->users.count)]);
    }
    if (rule->has_time) {
        r->request.unix_s = rule->has_hours && gen_one_in(2) ? aim_at_edge(rule) : aim_at_change(rule);
    }
    if (rule->mode.count > 0) {
        r->request.mode = rule->mode.items[gen_below(rule->mode.count)];
    }
    if (rule->has_device) {
        r->request.posture = &r->posture;
        if (rule->allowed_os_types.count > 0) {
            r->posture.os_type = rule->allowed_os_types.items[gen_below(rule->allowed_os_types.count)];
        }
        if (rule->min_os_version != NULL && gen_one_in(2)) {
            r->posture.os_version = rule->min_os_version;
        }
    }
}

void gen_request(const struct naive_policy *policy, struct gen_request *r)
{
    make_caller(r);
    make_posture(r);
    r->request = (struct naive_request){.caller = &r->caller,
        .own_account = OWN_ACCOUNT,
        .profile = gen_one_in(12) ? "unknown" : PICK(profiles),
        .mode = gen_one_in(3) ? PICK(modes) : "server",
        .unix_s = make_instant(),
        .session_store = gen_one_in(4) ? "" : "sessions",
        .posture = gen_one_in(3) ? NULL : &r->posture};
    if (gen_one_in(2)) {
        aim(policy, r);
    }
}
