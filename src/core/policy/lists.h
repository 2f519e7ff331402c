/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/lists.h - what each rule of a compiled policy names, groups expanded; internal to core/policy.
 *
 * A snapshot knows "name to rules", because that is what a request asks. Tools that compare or change rules ask the
 * other way round; they get it from here, so that they speak of exactly what is evaluated.
 */
#ifndef SN_CORE_POLICY_LISTS_H
#define SN_CORE_POLICY_LISTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/policy/policy.h"

struct sn_number_list { /* ascending, no two equal */
    uint32_t *items;
    size_t count;
};

struct sn_rule_lists {
    struct sn_number_list profiles; /* numbers in policy->profiles; empty: any */
    struct sn_number_list users;    /* numbers in policy->atoms; empty: anyone */
};

struct sn_policy_lists {
    struct sn_arena arena;
    struct sn_rule_lists *rules; /* one a rule */
};

/* Release with sn_policy_lists_clear. */
void sn_policy_lists_of(const struct sn_policy *policy, struct sn_policy_lists *out_lists);
void sn_policy_lists_clear(struct sn_policy_lists *lists);

bool sn_number_list_has(const struct sn_number_list *list, uint32_t number);

#endif
