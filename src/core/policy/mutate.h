/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/mutate.h - changes of a policy in one place at a time, and whether tests notice them (POL 14.1).
 *
 * A mutant that decides every request of the space as the policy does is no mutant. One that no run of the tests
 * notices although it differs has survived; what shows the difference is given as a case.
 */
#ifndef SN_CORE_POLICY_MUTATE_H
#define SN_CORE_POLICY_MUTATE_H

#include "codec/yaml.h"
#include "core/policy/catalog.h"
#include "core/policy/test_file.h"

enum { SN_MUTANTS_MAX = 100000 };

/* How far a change reaches: only requests that these rules match can be decided otherwise. */
enum sn_mutant_scope { SN_SCOPE_RULE, SN_SCOPE_REMOVED_RULE, SN_SCOPE_SWAPPED_RULES, SN_SCOPE_ALL };

struct sn_mutant {
    struct sn_slice location; /* "rules[1].conditions.time.days" */
    struct sn_slice change;   /* "'sunday' dropped" */
    uint32_t line;
    enum sn_mutant_scope scope;
    uint32_t rule;
    struct sn_yaml_node *node;   /* of the tree that is changed */
    struct sn_yaml_node instead; /* what it becomes */
};

/* Zeroed: empty. */
struct sn_mutants {
    struct sn_arena arena;
    struct sn_yaml_node *root;
    struct sn_mutant *items;
    size_t count, capacity;
    bool overflow;
};
/* All mutants of a valid policy. TOO_MANY_MUTANTS (SN_LIMIT); INVALID_POLICY. Clear in any case. */
SN_MUST_CHECK enum sn_status sn_mutants_init(struct sn_mutants *mutants, struct sn_slice text, struct sn_error *err);
void sn_mutants_clear(struct sn_mutants *mutants);
/* The policy with one change. */
SN_MUST_CHECK enum sn_status sn_mutants_make(struct sn_mutants *mutants, size_t index, const struct sn_tz_source *zones,
    struct sn_policy **out_policy, struct sn_error *err);

/* A request that shows what a mutant changes, and what the policy says to it. Texts live in the result's arena. */
struct sn_survivor {
    const struct sn_mutant *mutant;
    struct sn_slice principal, profile;
    int64_t unix_s;
    bool has_posture;
    struct sn_posture posture;
    struct sn_expectation expected; /* of the policy; tells it from the mutant */
};
struct sn_mutation_result {
    struct sn_arena arena;
    size_t caught, equivalent;
    struct sn_survivor *survivors;
    size_t survivor_count, survivor_capacity;
};
void sn_mutation_result_clear(struct sn_mutation_result *result);

/* The tests of one policy. */
struct sn_mutation {
    struct sn_mutants *mutants;
    const struct sn_policy *policy;
    const struct sn_tz_source *zones;
    const struct sn_test_file *files;
    const struct sn_catalog *const *catalogs; /* of each file; NULL: none */
    size_t file_count;
    int64_t from_unix_s; /* of the weeks that are looked at */
    uint64_t max_points;
};
/* SPACE_TOO_LARGE. The texts of survivors are copied; mutants must outlive the result. */
SN_MUST_CHECK enum sn_status sn_mutation_run(
    const struct sn_mutation *mutation, struct sn_mutation_result *out_result, struct sn_error *err);

#endif
