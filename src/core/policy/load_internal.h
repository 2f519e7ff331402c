/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/load_internal.h - what the validators of all documents with rules share; internal to core/policy.
 *
 * A loader reads one document: names of rules, profile lists, lists of entries with the document's groups, windows with
 * their zones, durations and words mean the same in every kind, and are checked here once.
 */
#ifndef SN_CORE_POLICY_LOAD_INTERNAL_H
#define SN_CORE_POLICY_LOAD_INTERNAL_H

#include "core/policy/entry.h"
#include "core/policy/policy.h"
#include "core/policy/ruleset.h"
#include "core/policy/schema.h"
#include "core/policy/strtab.h"
#include "core/policy/tz.h"
#include "core/policy/window.h"

struct sn_group {
    struct sn_slice name;
    const struct sn_yaml_node *key;
    struct sn_entry_list members;
    bool is_used;
};

struct sn_zone_known {
    const struct sn_tz *zone;
    struct sn_slice name; /* the document's copy */
};

enum { SN_FEW_ENTRIES = 8 }; /* of a list whose entries are compared one by one */

struct sn_loader {
    struct sn_report report;
    const struct sn_tz_source *zones;
    struct sn_zone_set *kept_zones; /* of the document */
    struct sn_arena *arena;         /* of the document: names, reasons, zone names */
    struct sn_arena *lists;         /* where lists stand */
    bool keeps_lists;               /* lists are part of the document, so their texts are copied */

    struct sn_group *groups;
    size_t group_count;
    struct sn_strtab group_names; /* number: index into groups */

    struct sn_strtab rule_names;
    uint32_t *rule_first;        /* by number in rule_names: the rule that had the name first */
    struct sn_strtab zone_names; /* number: index into known_zones */
    struct sn_zone_known *known_zones;
    size_t zone_capacity;

    struct sn_slice few[SN_FEW_ENTRIES]; /* entries of this list so far, for duplicates */
    uint32_t few_count;                  /* SN_FEW_ENTRIES + 1: they are in seen, as all that come are */
    struct sn_strtab seen;
    uint32_t *seen_in; /* by number in seen: the list that had it last */
    size_t seen_capacity;
    uint32_t list_number;

    struct sn_slice rule_name; /* of the rule being read, for messages */
    size_t rule_index;
    void *own; /* of the kind being read */
};
void sn_loader_clear(struct sn_loader *loader);

#define SN_FINDING_ERROR(loader, code, node, path, suggestion, ...)                                                    \
    sn_report_add(&(loader)->report, SN_SEVERITY_ERROR, code, node, path, suggestion, __VA_ARGS__)
#define SN_FINDING_WARNING(loader, code, node, path, suggestion, ...)                                                  \
    sn_report_add(&(loader)->report, SN_SEVERITY_WARNING, code, node, path, suggestion, __VA_ARGS__)

/* --- the document --- */

void sn_load_version(const struct sn_report *report, const struct sn_yaml_node *node);
void sn_load_groups(struct sn_loader *loader, const struct sn_yaml_node *groups);
/* The list of rules, with its finding when there is none; makes room for their names. NULL: no rules. */
const struct sn_yaml_node *sn_load_rules(struct sn_loader *loader, const struct sn_yaml_node *root,
    const struct sn_yaml_node *rules, const char *suggestion);
void sn_lint_groups(struct sn_loader *loader);

/* --- values of a rule --- */

/* Starts a list; sn_lint_repeated() then reports what the list had before. */
void sn_loader_begin_list(struct sn_loader *loader);
void sn_lint_repeated(struct sn_loader *loader, const struct sn_yaml_node *item, const struct sn_path *path);
void sn_lint_empty_list(struct sn_loader *loader, const struct sn_yaml_node *node, const struct sn_path *path);

/* A unique printable name; node may be NULL, which is a finding at rule_node. Empty when there was one. */
struct sn_slice sn_load_rule_name(struct sn_loader *loader, const struct sn_yaml_node *node,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path);

/* What is good of the lists below, in lists; list may be NULL. path is the list's. */
struct sn_profile_list sn_load_profiles(
    struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_path *path);
struct sn_entry_list sn_load_entries(
    struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_path *path);
/* Entries outside of a rule, where groups have no place: owner_word and owner name the list in messages. */
struct sn_entry_list sn_load_plain_entries(struct sn_loader *loader, const struct sn_yaml_node *list,
    const struct sn_path *path, const char *owner_word, struct sn_slice owner);
/* A bit for each word. */
uint32_t sn_load_words(struct sn_loader *loader, const struct sn_yaml_node *list, const struct sn_schema_words *words,
    const struct sn_path *path);
/* time may be NULL: no window is set. path is that of the mapping. */
void sn_load_time(struct sn_loader *loader, const struct sn_yaml_node *time, const struct sn_path *path,
    struct sn_time_window *out_time);
/* From field->min to field->max seconds; false with a finding otherwise. */
bool sn_load_duration(const struct sn_report *report, const struct sn_schema_field *field,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *owner_word, struct sn_slice owner,
    int64_t *out_seconds);
/* True where nothing was given: no node, an empty list, a zero. A faulty value, which has its own finding, is
 * something. */
bool sn_load_is_nothing(const struct sn_yaml_node *node);
/* The same for the life of credentials, which STS limits further for callers that are roles. */
bool sn_load_session_duration(const struct sn_report *report, const struct sn_schema_field *field,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *owner_word, struct sn_slice owner,
    int64_t *out_seconds);

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
