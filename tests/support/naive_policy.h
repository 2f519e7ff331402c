/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/naive_policy.h - a second evaluator of access policies, slow and obvious, for comparison.
 *
 * Written from the rules of the policy reference alone; it shares no code with the product, not even its types or its
 * reading of time zones. It knows the few zones that generated policies use, with the rules in force from 2007 to 2037.
 */
#ifndef SN_TESTS_SUPPORT_NAIVE_POLICY_H
#define SN_TESTS_SUPPORT_NAIVE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum { NAIVE_LIST_MAX = 6, NAIVE_GROUPS_MAX = 4, NAIVE_RULES_MAX = 200 };

struct naive_list {
    int count;
    const char *items[NAIVE_LIST_MAX];
};

struct naive_rule {
    char name[16];
    const char *effect;
    bool break_glass_never;
    bool empty_conditions; /* conditions: {} */
    struct naive_list profiles, users, mode;
    bool has_time, has_hours;
    struct naive_list days;
    const char *start, *end; /* "HH:MM" */
    const char *timezone;    /* NULL: not given */
    bool has_device;
    bool require_encryption, require_mdm, require_mdm_compliant, require_firewall;
    const char *min_os_version; /* NULL: not given */
    struct naive_list allowed_os_types;
};

struct naive_group {
    const char *name;
    struct naive_list entries;
};

struct naive_policy {
    int group_count, rule_count;
    struct naive_group groups[NAIVE_GROUPS_MAX];
    struct naive_rule rules[NAIVE_RULES_MAX];
};

struct naive_caller {
    const char *arn, *kind; /* "user", "sso", "role", "vouching-role", "federated", "root" */
    const char *account, *role, *name;
    bool vouched;
};

/* 'u' unknown, 'y' yes, 'n' no */
struct naive_posture {
    char encrypted, enrolled, compliant, firewall;
    const char *os_type, *os_version; /* "" unknown */
};

struct naive_request {
    const struct naive_caller *caller;
    const char *own_account, *profile, *mode;
    int64_t unix_s;
    const char *session_store; /* "" none */
    const struct naive_posture *posture;
};

struct naive_decision {
    const char *effect; /* "allow", "deny", "require_approval" */
    int rule_index;
    bool requires_server_mode, requires_session_tracking;
    const char *override; /* "approval_or_breakglass", "breakglass", "none" */
};

struct naive_decision naive_evaluate(const struct naive_policy *policy, const struct naive_request *request);
bool naive_is_visible(const struct naive_policy *policy, const struct naive_request *request);
bool naive_is_hidden(const struct naive_policy *policy, const struct naive_request *request);

/* "HH:MM" as minutes; seconds east of UTC, which is meant by NULL. */
int naive_minutes(const char *hhmm);
int64_t naive_zone_offset(const char *zone, int64_t unix_s);

/* What rules state, one thing at a time: does this rule state it, does the request meet it. */
enum naive_part {
    NAIVE_PROFILES,
    NAIVE_NAME,
    NAIVE_ARN,
    NAIVE_ROLE,
    NAIVE_GROUP,
    NAIVE_DAYS,
    NAIVE_HOURS,
    NAIVE_OVERNIGHT,
    NAIVE_MODE,
    NAIVE_ENCRYPTION,
    NAIVE_MDM,
    NAIVE_COMPLIANT,
    NAIVE_FIREWALL,
    NAIVE_VERSION,
    NAIVE_OS_TYPE,
    NAIVE_PARTS
};
extern const char *const naive_part_names[NAIVE_PARTS];
bool naive_states(const struct naive_rule *rule, enum naive_part part);
bool naive_meets(const struct naive_policy *policy, const struct naive_rule *rule, const struct naive_request *request,
    enum naive_part part);
/* Within a minute of the start or end of the rule's hours; within two hours of a change of the zone's clock. */
bool naive_is_beside_edge(const struct naive_rule *rule, int64_t unix_s);
bool naive_is_beside_change(const char *zone, int64_t unix_s);

#endif
