/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/policy_families.h - the policies that benchmarks measure, by name and number of rules, and their
 * requests.
 *
 * Requests change from call to call, over all rules of the family, so that neither branch prediction nor the cache of
 * one rule flatters. In "one rule" the last rule is the only one that is ever asked for. "adversarial" asks one profile
 * whose every rule has its own closed window.
 */
#ifndef SN_TESTS_BENCH_POLICY_FAMILIES_H
#define SN_TESTS_BENCH_POLICY_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "core/policy/policy.h"

enum { BENCH_REQUESTS = 1024 };
#define BENCH_ACCOUNT "111122223333"

struct bench_family {
    const char *name;
    void (*write_rule)(struct sn_buf *buf, size_t index, size_t count);
    void (*write_groups)(struct sn_buf *buf, size_t count);
    bool same_profile; /* every rule is of profile "p" */
    bool last_rule;    /* only the last rule is asked for */
    bool is_adversarial;
};
extern const struct bench_family bench_families[];
extern const size_t bench_family_count;

const struct bench_family *bench_family_find(const char *name);
void bench_write_document(struct sn_buf *buf, const struct bench_family *family, size_t rules);

struct bench_asked {
    struct sn_principal principals[BENCH_REQUESTS];
    char profiles[BENCH_REQUESTS][16];
    struct sn_policy_request requests[BENCH_REQUESTS];
};
void bench_ask(struct bench_asked *asked, const struct bench_family *family, size_t rules);

#endif
