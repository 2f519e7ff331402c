/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/policy_pair.h - a generated request in both forms: as the naive evaluator and as the product know it.
 */
#ifndef SN_TESTS_SUPPORT_POLICY_PAIR_H
#define SN_TESTS_SUPPORT_POLICY_PAIR_H

#include "core/policy/policy.h"
#include "policy_generator.h"

struct policy_pair {
    struct gen_request naive;
    struct sn_principal principal;
    struct sn_posture posture;
    struct sn_policy_request product; /* points into this struct */
};
/* The next generated request for policy. A struct that is used again must have been zero at first. */
void policy_pair_next(const struct naive_policy *policy, struct policy_pair *pair);

#endif
