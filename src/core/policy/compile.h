/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/compile.h - from validated rules to a snapshot; internal to core/policy.
 *
 * The validator adds rules and names in document order; finishing sorts them into sets. Time and memory are linear in
 * what was added. A builder knows no limit on rules; the document reader does.
 */
#ifndef SN_CORE_POLICY_COMPILE_H
#define SN_CORE_POLICY_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/policy/entry.h"
#include "core/policy/limits.h"
#include "core/policy/snapshot.h"

/* "set key holds rule" facts, rules ascending. */
struct sn_incidence {
    uint32_t key, value;
};
struct sn_incidences {
    struct sn_incidence *items;
    size_t count, capacity;
};

struct sn_builder {
    struct sn_policy *policy; /* being built; owned until finished */
    size_t rule_capacity;
    struct sn_incidences profile_rules; /* profile, rule */
    struct sn_incidences atom_rules;    /* atom, rule */
    struct sn_incidences group_rules;   /* group, rule */
    struct sn_incidences atom_groups;   /* atom, group */
    size_t group_count;
    struct sn_strtab zone_names;
    struct sn_slice *versions; /* as written, one a rule that has one */
    size_t version_count, version_capacity;
};

void sn_builder_init(struct sn_builder *builder);
void sn_builder_clear(struct sn_builder *builder); /* also drops an unfinished policy */
/* Makes room for so many rules; only a matter of time. */
void sn_builder_reserve(struct sn_builder *builder, size_t rules);
/* A zeroed rule at the end; good until the next call. */
struct sn_rule *sn_builder_add_rule(struct sn_builder *builder);
/* The functions below speak of the rule added last. Texts are copied. */
void sn_builder_add_profile(struct sn_builder *builder, struct sn_slice name);
void sn_builder_add_user(struct sn_builder *builder, enum sn_entry_kind kind, struct sn_slice value);
void sn_builder_add_user_group(struct sn_builder *builder, uint32_t group);
void sn_builder_set_min_version(struct sn_builder *builder, struct sn_slice version);

void sn_builder_add_member(struct sn_builder *builder, uint32_t group, enum sn_entry_kind kind, struct sn_slice value);

struct sn_policy *sn_builder_finish(struct sn_builder *builder);

#endif
