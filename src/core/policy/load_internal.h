/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/load_internal.h - what the validators of an access policy share; internal to core/policy.
 */
#ifndef SN_CORE_POLICY_LOAD_INTERNAL_H
#define SN_CORE_POLICY_LOAD_INTERNAL_H

#include "core/policy/compile.h"
#include "core/policy/schema.h"
#include "core/policy/tz.h"

struct sn_group {
    struct sn_slice name;
    const struct sn_yaml_node *key;
    bool is_used;
};

struct sn_zone_known {
    const struct sn_tz *zone; /* NULL: it cannot be loaded */
    struct sn_slice name;     /* the policy's copy */
};

struct sn_loader {
    struct sn_report report;
    struct sn_builder builder;
    const struct sn_tz_source *zones;

    struct sn_group *groups;
    size_t group_count;
    struct sn_strtab group_names; /* number: index into groups */

    struct sn_strtab rule_names;
    uint32_t *rule_first;        /* by number in rule_names: the rule that had the name first */
    struct sn_strtab zone_names; /* number: index into known_zones */
    struct sn_zone_known *known_zones;
    size_t zone_capacity;

    struct sn_strtab seen; /* entries of lists, for duplicates */
    uint32_t *seen_in;     /* by number in seen: the list that had it last */
    size_t seen_capacity;
    uint32_t list_number;

    struct sn_slice rule_name; /* of the rule being read, for messages */
    size_t rule_index;
};

#define SN_FINDING_ERROR(loader, code, node, path, suggestion, ...)                                                    \
    sn_report_add(&(loader)->report, SN_SEVERITY_ERROR, code, node, path, suggestion, __VA_ARGS__)
#define SN_FINDING_WARNING(loader, code, node, path, suggestion, ...)                                                  \
    sn_report_add(&(loader)->report, SN_SEVERITY_WARNING, code, node, path, suggestion, __VA_ARGS__)

/* Starts a list; sn_loader_is_repeated() then tells whether the list had that text before. */
void sn_loader_begin_list(struct sn_loader *loader);
bool sn_loader_is_repeated(struct sn_loader *loader, struct sn_slice text);

/* Conditions of the rule added last; rule_node gives the place of what is missing. */
void sn_load_conditions(struct sn_loader *loader, struct sn_rule *rule, const struct sn_yaml_node *conditions,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path);
void sn_load_users(struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_path *path);
void sn_load_groups(struct sn_loader *loader, const struct sn_yaml_node *groups);
/* 15m to 12h; false with a finding otherwise. */
bool sn_load_duration(const struct sn_report *report, const struct sn_yaml_node *node, const struct sn_path *path,
    const char *owner_word, struct sn_slice owner, int64_t *out_seconds);

/* sn_policy_load with other limits on the text, for benchmarks of snapshots larger than a document may be. */
SN_MUST_CHECK enum sn_status sn_policy_load_within(struct sn_slice text, const struct sn_yaml_limits *limits,
    const struct sn_tz_source *zones, struct sn_findings *findings, struct sn_policy **out_policy,
    struct sn_error *err);

/*
 * Compiles the tree of a document that loaded without error and had a part taken out, exchanged or added since. What a
 * document may not leave empty means here what the evaluation makes of it: no condition holds always, a group without
 * members matches nobody, hours that end as they start never come.
 */
SN_MUST_CHECK enum sn_status sn_policy_load_tree(const struct sn_yaml_node *root, const struct sn_tz_source *zones,
    struct sn_policy **out_policy, struct sn_error *err);

#endif
