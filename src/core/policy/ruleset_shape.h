/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/ruleset_shape.h - what sn_ruleset_load() must know of a kind of policy; internal to core/policy.
 *
 * The fields of a rule go by its schema: each says where in the rule's struct its value belongs. A kind adds only what
 * concerns several fields at once.
 */
#ifndef SN_CORE_POLICY_RULESET_SHAPE_H
#define SN_CORE_POLICY_RULESET_SHAPE_H

#include <stdatomic.h>

#include "core/policy/load_internal.h"
#include "core/policy/ruleset.h"

/* The identities of one human; approval policies. */
struct sn_person {
    struct sn_slice name;
    struct sn_entry_list entries;
};

struct sn_ruleset {
    atomic_uint references;
    enum sn_document_kind kind;
    struct sn_arena arena;
    struct sn_zone_set zones;
    const struct sn_entry_list *groups; /* by number */
    size_t group_count;
    struct sn_person *people;
    size_t person_count;
    struct sn_strtab identities; /* every entry of people */
    uint32_t *person_of;         /* by number in identities */
    char *rules;                 /* rule_count structs of the shape's size, each beginning with a struct sn_rule_head */
    size_t rule_count, rule_size;
    struct sn_strtab profiles; /* every profile that a rule names */
    uint32_t *first_rules;     /* by number in profiles */
    size_t first_rule_for_any; /* SIZE_MAX: none */
};

struct sn_ruleset_shape {
    const struct sn_schema *rule;
    size_t rule_size;
    const char *no_rules; /* suggestion for a document without rules */
    /* The rule just read, with the nodes of its fields by number. May be NULL. */
    void (*check_rule)(struct sn_loader *loader, struct sn_ruleset *ruleset, void *rule,
        const struct sn_yaml_node *const *nodes, const struct sn_yaml_node *node, const struct sn_path *path);
    /* Before the rules: further parts of the document. May be NULL. */
    void (*load_document)(struct sn_loader *loader, struct sn_ruleset *ruleset, const struct sn_yaml_node *root);
};
extern const struct sn_ruleset_shape sn_approval_shape, sn_breakglass_shape, sn_ratelimit_shape;

/* The rule of that index; the caller knows its type by the kind. */
const void *sn_ruleset_rule(const struct sn_ruleset *ruleset, enum sn_document_kind kind, size_t index);
/* Warns of a rule without profiles; consequence is a verb: "lets X decide about". */
void sn_lint_wildcard_profiles(struct sn_loader *loader, const struct sn_rule_head *head,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *consequence);

#endif
