/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/property/policy_property_test.c - generated policies and requests, decided by the product and by the naive
 * evaluator, and properties that hold for every policy.
 *
 * Policies are mostly valid and seek boundaries: few names, so that lists meet; instants at the edges of windows and at
 * changes of the clock; versions that differ in a last part; rules enough to cross the blocks of the index. The seed is
 * printed; SENTINEL_SEED repeats a run.
 */
#include "policy_fixture.h"

#include <stdlib.h>

#include "base/env.h"
#include "base/parse.h"
#include "counts.h"
#include "naive_policy.h"

enum { REQUESTS_PER_POLICY = 100 };

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static int below(int n)
{
    return (int)(next_random() % (uint64_t)n);
}

static bool one_in(int n)
{
    return below(n) == 0;
}

#define PICK(array) ((array)[below((int)SN_LEN(array))])

static const char *const profiles[] = {"dev", "prod", "team/dev", "staging", "Dev", "p1"};
static const char *const names[] = {"alice", "bob", "Alice", "jane.doe@corp.com", "ci", "root", "Dev"};
static const char *const roles[] = {"Dev", "Ops", "dev", SSO_ROLE};
static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
static const char *const zones[] = {NULL, "UTC", "Europe/Berlin", "Europe/Lisbon", "America/New_York", "Asia/Tokyo",
    "Asia/Kolkata", "Australia/Lord_Howe"};
static const char *const starts[] = {"00:00", "00:01", "02:00", "02:30", "09:00", "12:00", "17:00", "22:00", "23:59"};
static const char *const ends[] = {"00:00", "00:30", "02:00", "03:00", "09:00", "12:01", "17:00", "23:59", "24:00"};
static const char *const effects[] = {"allow", "deny", "require_approval", "require_server", "require_server_session"};
static const char *const modes[] = {"server", "cli", "credential_process"};
static const char *const os_types[] = {"darwin", "windows", "linux", "Darwin", "LINUX"};
static const char *const versions[] = {"14", "14.2", "14.2.1", "13.6.9", "10.0-beta", "1+2", "0.0.1", "999999999",
    "14.2.1.3", "2097151.1", "2097151.1.4", "1.2097152"};
static const char *const posture_versions[] = {"", "14", "14.0.0", "14.2", "14.2.1.0", "13.6.9", "10.0", "x", "1.2",
    "0.0.1", "999999999", "1000000000", "...", "14.10", "14.2.1.3", "14.2.1.2.9", "2097151", "2097151.2", "2097150.9",
    "1.2097153"};
static const char *const entries[] = {"alice", "bob", "Alice", "jane.doe@corp.com", "ci", "Dev", "alice ", "role:Dev",
    "role:Ops", "role:" SSO_ROLE, ARN_USER("alice"), "arn:aws:iam::999999999999:user/alice", ARN_SESSION("Dev", "ci"),
    ARN_SSO("bob"), "arn:aws:iam::" OWN_ACCOUNT ":root"};
static const char *const group_names[] = {"g0", "g1", "g2", "g3"};
static const char *const group_entries[] = {"group:g0", "group:g1", "group:g2", "group:g3"};

static void fill(struct naive_list *list, int most, const char *const *from, int count)
{
    list->count = below(most + 1);
    for (int i = 0; i < list->count; i++) {
        list->items[i] = from[below(count)];
    }
}
#define FILL(list, most, from) fill((list), (most), (from), (int)SN_LEN(from))

static void make_users(struct naive_list *list, int groups)
{
    FILL(list, 3, entries);
    if (groups > 0 && one_in(2)) {
        list->items[list->count++] = group_entries[below(groups)];
    }
}

static void make_time(struct naive_rule *rule)
{
    rule->has_time = true;
    FILL(&rule->days, 4, days);
    rule->has_hours = rule->days.count == 0 || one_in(2);
    rule->timezone = PICK(zones);
    do {
        rule->start = PICK(starts);
        rule->end = PICK(ends);
    } while (strcmp(rule->start, rule->end) == 0);
}

static void make_device(struct naive_rule *rule)
{
    rule->has_device = true;
    rule->require_encryption = one_in(3);
    rule->require_mdm = one_in(3);
    rule->require_mdm_compliant = one_in(3);
    rule->require_firewall = one_in(3);
    rule->min_os_version = one_in(2) ? PICK(versions) : NULL;
    FILL(&rule->allowed_os_types, 2, os_types);
}

static void make_rule(struct naive_rule *rule, int index, int groups)
{
    *rule = (struct naive_rule){.effect = PICK(effects)};
    snprintf(rule->name, sizeof(rule->name), "r%d", index);
    bool is_deny = strcmp(rule->effect, "deny") == 0;
    rule->break_glass_never = is_deny && one_in(4);
    if ((is_deny || strcmp(rule->effect, "require_approval") == 0) && one_in(20)) {
        rule->empty_conditions = true;
        return;
    }
    FILL(&rule->profiles, 3, profiles);
    if (one_in(2)) {
        make_users(&rule->users, groups);
    }
    if (one_in(3)) {
        make_time(rule);
    }
    if (one_in(6)) {
        FILL(&rule->mode, 2, modes);
    }
    if (one_in(5)) {
        make_device(rule);
    }
    if (rule->profiles.count == 0 && rule->users.count == 0 && !rule->has_time) {
        rule->profiles.items[rule->profiles.count++] = PICK(profiles);
    }
}

static void make_policy(struct naive_policy *policy)
{
    policy->group_count = below(NAIVE_GROUPS_MAX + 1);
    for (int g = 0; g < policy->group_count; g++) {
        policy->groups[g].name = group_names[g];
        FILL(&policy->groups[g].entries, 4, entries);
        if (policy->groups[g].entries.count == 0) {
            policy->groups[g].entries.items[policy->groups[g].entries.count++] = PICK(entries);
        }
    }
    policy->rule_count = one_in(8) ? 60 + below(NAIVE_RULES_MAX - 60) : 1 + below(8);
    for (int i = 0; i < policy->rule_count; i++) {
        make_rule(&policy->rules[i], i, policy->group_count);
    }
}

/* --- writing it down as a document --- */

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
        sn_buf_add_str(buf, "      time:\n");
        write_list(buf, "  days", &rule->days);
        if (rule->has_hours) {
            sn_buf_addf(buf, "        hours: {start: \"%s\", end: \"%s\"}\n", rule->start, rule->end);
        }
        if (rule->timezone != NULL) {
            sn_buf_addf(buf, "        timezone: %s\n", rule->timezone);
        }
    }
    if (rule->has_device) {
        sn_buf_addf(buf,
            "      device:\n        require_encryption: %s\n        require_mdm: %s\n"
            "        require_mdm_compliant: %s\n        require_firewall: %s\n",
            rule->require_encryption ? "true" : "false", rule->require_mdm ? "true" : "false",
            rule->require_mdm_compliant ? "true" : "false", rule->require_firewall ? "true" : "false");
        if (rule->min_os_version != NULL) {
            sn_buf_addf(buf, "        min_os_version: \"%s\"\n", rule->min_os_version);
        }
        write_list(buf, "  allowed_os_types", &rule->allowed_os_types);
    }
}

static void write_policy(struct sn_buf *buf, const struct naive_policy *policy, bool inlined)
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

struct pair {
    struct naive_caller naive_caller;
    struct naive_posture naive_posture;
    struct naive_request naive;
    struct sn_principal principal;
    struct sn_posture posture;
    struct sn_policy_request product;
    char arn[256];
};

static void make_caller(struct pair *pair)
{
    static const char *const kinds[] = {"user", "sso", "role", "vouching-role", "federated", "root"};
    struct naive_caller *caller = &pair->naive_caller;
    caller->kind = PICK(kinds);
    caller->name = PICK(names);
    caller->account = one_in(4) ? "999999999999" : OWN_ACCOUNT;
    caller->role = "";
    struct sn_principal *p = &pair->principal;
    *p = (struct sn_principal){.type = SN_PRINCIPAL_ASSUMED_ROLE};
    if (strcmp(caller->kind, "user") == 0) {
        p->type = SN_PRINCIPAL_USER;
        snprintf(pair->arn, sizeof(pair->arn), "arn:aws:iam::%s:user/%s", caller->account, caller->name);
    } else if (strcmp(caller->kind, "federated") == 0) {
        p->type = SN_PRINCIPAL_FEDERATED_USER;
        snprintf(pair->arn, sizeof(pair->arn), "arn:aws:sts::%s:federated-user/%s", caller->account, caller->name);
    } else if (strcmp(caller->kind, "root") == 0) {
        p->type = SN_PRINCIPAL_ROOT;
        caller->name = "root";
        snprintf(pair->arn, sizeof(pair->arn), "arn:aws:iam::%s:root", caller->account);
    } else {
        caller->role = strcmp(caller->kind, "sso") == 0 ? SSO_ROLE : roles[below(3)];
        snprintf(pair->arn, sizeof(pair->arn), "arn:aws:sts::%s:assumed-role/%s/%s", caller->account, caller->role,
            caller->name);
    }
    caller->vouched = strcmp(caller->kind, "user") == 0 || strcmp(caller->kind, "sso") == 0 ||
                      strcmp(caller->kind, "vouching-role") == 0;
    caller->arn = pair->arn;
    p->vouched = caller->vouched;
    p->is_sso = strcmp(caller->kind, "sso") == 0;
    snprintf(p->arn, sizeof(p->arn), "%s", pair->arn);
    snprintf(p->partition, sizeof(p->partition), "aws");
    snprintf(p->account, sizeof(p->account), "%s", caller->account);
    snprintf(p->role, sizeof(p->role), "%s", caller->role);
    snprintf(p->name, sizeof(p->name), "%s", caller->name);
}

static enum sn_tristate tristate(char c)
{
    return c == 'y' ? SN_TRUE : c == 'n' ? SN_FALSE : SN_UNKNOWN;
}

static void make_posture(struct pair *pair)
{
    static const char states[] = {'u', 'y', 'y', 'n'};
    static const char *const systems[] = {"", "darwin", "WINDOWS", "linux", "freebsd"};
    struct naive_posture *p = &pair->naive_posture;
    *p = (struct naive_posture){
        PICK(states), PICK(states), PICK(states), PICK(states), PICK(systems), PICK(posture_versions)};
    pair->posture = (struct sn_posture){.disk_encrypted = tristate(p->encrypted),
        .mdm_enrolled = tristate(p->enrolled),
        .mdm_compliant = tristate(p->compliant),
        .firewall_enabled = tristate(p->firewall),
        .os_type = sn_slice_str(p->os_type),
        .os_version = sn_slice_str(p->os_version)};
}

/* Instants at the edges of minutes that policies speak of, on ordinary days and on those when clocks change. */
static int64_t make_instant(void)
{
    static const char *const anchors[] = {"2026-01-26T00:00:00Z", "2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z",
        "2026-03-08T00:00:00Z", "2026-11-01T00:00:00Z", "2026-04-04T00:00:00Z", "2026-10-03T00:00:00Z",
        "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2026-12-31T00:00:00Z", "2036-07-01T00:00:00Z"};
    static int64_t at[SN_LEN(anchors)];
    if (at[0] == 0) {
        for (size_t i = 0; i < SN_LEN(anchors); i++) {
            at[i] = instant(anchors[i]);
        }
    }
    int64_t half_hours = below(2 * 48) - 24;
    return PICK(at) + 86400 * (one_in(3) ? below(7) : 0) + half_hours * 1800 + below(3) - 1 +
           (one_in(4) ? below(1800) : 0);
}

static void make_request(struct pair *pair)
{
    int mode = one_in(3) ? below(3) : 0;
    make_caller(pair);
    make_posture(pair);
    pair->naive = (struct naive_request){.caller = &pair->naive_caller,
        .own_account = OWN_ACCOUNT,
        .profile = one_in(12) ? "unknown" : PICK(profiles),
        .mode = modes[mode],
        .unix_s = make_instant(),
        .session_store = one_in(4) ? "" : "sessions",
        .posture = one_in(3) ? NULL : &pair->naive_posture};
    pair->product = (struct sn_policy_request){.principal = &pair->principal,
        .own_account = OWN_ACCOUNT,
        .profile = sn_slice_str(pair->naive.profile),
        .unix_s = pair->naive.unix_s,
        .mode = (enum sn_mode)mode,
        .session_store = sn_slice_str(pair->naive.session_store),
        .posture = pair->naive.posture != NULL ? &pair->posture : NULL};
}

/* --- comparing --- */

static const char *override_name(enum sn_override override)
{
    static const char *const words[] = {"none", "breakglass", "approval_or_breakglass"};
    return words[override];
}

static void report(const char *what, const struct sn_buf *text, const struct pair *pair)
{
    print_error("%s\n%s\ncaller %s (%s), profile %s, mode %s, at %lld, store '%s', posture %s\n", what,
        sn_buf_str(text), pair->arn, pair->naive_caller.vouched ? "vouched" : "not vouched", pair->naive.profile,
        pair->naive.mode, (long long)pair->naive.unix_s, pair->naive.session_store,
        pair->naive.posture != NULL ? "known" : "none");
    fail();
}

static bool equal(const struct sn_decision *a, const struct naive_decision *b)
{
    return strcmp(sn_effect_name(a->effect), b->effect) == 0 && a->rule_index == b->rule_index &&
           a->requires_server_mode == b->requires_server_mode &&
           a->requires_session_tracking == b->requires_session_tracking &&
           strcmp(override_name(a->override), b->override) == 0;
}

static void check_pair(const struct naive_policy *naive, const struct sn_policy *policy,
    const struct sn_policy *inlined, const struct sn_buf *text, const struct pair *pair)
{
    struct naive_decision expected = naive_evaluate(naive, &pair->naive);
    struct sn_decision decision, other;
    enum sn_effect access;
    sn_policy_evaluate(policy, &pair->product, &decision);
    if (!equal(&decision, &expected)) {
        print_error("expected %s by %d, got %s by %d\n", expected.effect, expected.rule_index,
            sn_effect_name(decision.effect), decision.rule_index);
        report("the evaluators differ", text, pair);
    }
    sn_policy_evaluate(inlined, &pair->product, &other);
    if (other.effect != decision.effect || other.rule_index != decision.rule_index) {
        report("a group is not what writing it out is", text, pair);
    }
    if (sn_policy_profile_is_visible(policy, &pair->product, &access) != naive_is_visible(naive, &pair->naive)) {
        report("visibility differs", text, pair);
    }
    if (sn_policy_profile_is_hidden(policy, &pair->product) != naive_is_hidden(naive, &pair->naive)) {
        report("hiding differs", text, pair);
    }
    if (one_in(4)) { /* asserts inside that it agrees with the evaluation */
        struct sn_trace trace;
        sn_policy_trace(policy, &pair->product, &other, &trace);
        if (other.rule_index != decision.rule_index) {
            report("the trace differs", text, pair);
        }
        sn_trace_clear(&trace);
    }
}

static struct sn_policy *load(const struct sn_buf *text)
{
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    if (sn_policy_load(sn_buf_slice(text), host_zones(), NULL, &policy, &err) != SN_OK) {
        print_error("%s\n%s\n", err.message, sn_buf_str(text));
        fail();
    }
    return policy;
}

/* ATK-12, POL-01, POL-02, POL-45: the compiled evaluator and the naive one agree; groups are their entries. */
static void evaluators_agree(void **state)
{
    (void)state;
    int64_t pairs = sn_test_count("policy_pairs");
    struct sn_buf text = {0}, inlined_text = {0};
    static struct naive_policy naive;
    for (int64_t done = 0; done < pairs; done += REQUESTS_PER_POLICY) {
        make_policy(&naive);
        sn_buf_reset(&text);
        sn_buf_reset(&inlined_text);
        write_policy(&text, &naive, false);
        write_policy(&inlined_text, &naive, true);
        struct sn_policy *policy = load(&text), *inlined = load(&inlined_text);
        for (int i = 0; i < REQUESTS_PER_POLICY; i++) {
            static struct pair pair;
            make_request(&pair);
            check_pair(&naive, policy, inlined, &text, &pair);
        }
        sn_policy_unref(policy);
        sn_policy_unref(inlined);
    }
    sn_buf_clear(&text);
    sn_buf_clear(&inlined_text);
}

/* A deny put in at any place never turns a request into an allow, and a comment, a blank line or a byte order mark
 * changes nothing. */
static void changes_that_must_not_allow(void **state)
{
    (void)state;
    int64_t policies = sn_test_count("policy_pairs") / REQUESTS_PER_POLICY / 4 + 1;
    struct sn_buf text = {0};
    static struct naive_policy naive, denied;
    for (int64_t done = 0; done < policies; done++) {
        make_policy(&naive);
        naive.rule_count = naive.rule_count == NAIVE_RULES_MAX ? NAIVE_RULES_MAX - 1 : naive.rule_count;
        denied = naive;
        int place = below(naive.rule_count + 1);
        for (int i = naive.rule_count; i > place; i--) {
            denied.rules[i] = denied.rules[i - 1];
        }
        make_rule(&denied.rules[place], 9999, denied.group_count);
        denied.rules[place].effect = "deny";
        denied.rules[place].break_glass_never = false;
        denied.rule_count++;
        sn_buf_reset(&text);
        write_policy(&text, &naive, false);
        struct sn_policy *before = load(&text);
        sn_buf_reset(&text);
        sn_buf_add_str(&text, "\xef\xbb\xbf# a comment: [\"*\n\n");
        write_policy(&text, &naive, false);
        sn_buf_add_str(&text, "\n   # and another\n");
        struct sn_policy *commented = load(&text);
        sn_buf_reset(&text);
        write_policy(&text, &denied, false);
        struct sn_policy *after = load(&text);
        for (int i = 0; i < REQUESTS_PER_POLICY; i++) {
            static struct pair pair;
            struct sn_decision first, same, last;
            make_request(&pair);
            sn_policy_evaluate(before, &pair.product, &first);
            sn_policy_evaluate(commented, &pair.product, &same);
            sn_policy_evaluate(after, &pair.product, &last);
            if (first.effect != same.effect || first.rule_index != same.rule_index) {
                report("a comment changed a decision", &text, &pair);
            }
            if (last.effect != SN_EFFECT_DENY && last.effect != first.effect) {
                report("a deny rule opened something", &text, &pair);
            }
        }
        sn_policy_unref(before);
        sn_policy_unref(commented);
        sn_policy_unref(after);
    }
    sn_buf_clear(&text);
}

static void seed(void)
{
    const char *text = sn_env_get("SENTINEL_SEED");
    int64_t value = 20260126; /* the same run every time, unless asked */
    struct sn_error err;
    if (text != NULL && sn_parse_int(sn_slice_str(text), 0, INT64_MAX, &value, &err) != SN_OK) {
        print_error("SENTINEL_SEED is a number\n");
        exit(1);
    }
    random_state = (uint64_t)value;
    print_message("# SENTINEL_SEED=%lld\n", (long long)value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluators_agree),
        cmocka_unit_test(changes_that_must_not_allow),
    };
    seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
