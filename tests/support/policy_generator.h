/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/policy_generator.h - generated access policies and requests that seek their boundaries.
 *
 * Policies are valid, so that none is wasted: few names, so that lists meet; versions that differ in a last part; rules
 * enough to cross the blocks of the index. Half of the requests aim at a rule of the policy: at one of its profiles, at
 * a caller one of its entries names, at the seconds around the edges of its window. Instants lie on ordinary days and
 * on those when clocks change. Texts of a request live as long as the request.
 */
#ifndef SN_TESTS_SUPPORT_POLICY_GENERATOR_H
#define SN_TESTS_SUPPORT_POLICY_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "naive_policy.h"

/* Starts the stream of random numbers; part numbers give streams that have nothing in common. */
void gen_seed(uint64_t seed, uint64_t part);
int gen_below(int n);
static inline bool gen_one_in(int n)
{
    return gen_below(n) == 0;
}

void gen_policy(struct naive_policy *out_policy);
/* A rule named r<index> for a policy with so many groups. */
void gen_rule(struct naive_rule *out_rule, int index, int groups);
/* The document; with inlined, groups are written out where they are named. */
void gen_write(struct sn_buf *out_text, const struct naive_policy *policy, bool inlined);

struct gen_request {
    struct naive_caller caller;
    struct naive_posture posture;
    struct naive_request request; /* points into this struct */
    char arn[256];
};
void gen_request(const struct naive_policy *policy, struct gen_request *out_request);

#endif
