/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/load_policy.h - what the two halves of the reader of access policies share; internal to core/policy.
 */
#ifndef SN_CORE_POLICY_LOAD_POLICY_H
#define SN_CORE_POLICY_LOAD_POLICY_H

#include "core/policy/compile.h"
#include "core/policy/load_internal.h"

struct sn_policy_loader {
    struct sn_loader common;
    struct sn_builder builder;
};

/* Conditions of the rule added last; rule_node gives the place of what is missing. */
void sn_load_conditions(struct sn_policy_loader *p, struct sn_rule *rule, const struct sn_yaml_node *conditions,
    const struct sn_yaml_node *rule_node, const struct sn_path *rule_path);

#endif
