/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/sts_pool.h - a pool of STS clients behind the table of the handler.
 *
 * Each client keeps its connection warm and is used by one thread at a time; the one used last is taken first. There
 * are never more clients than threads that ask. How many proofs may wait for STS at once is bounded here too.
 */
#ifndef SN_TVM_STS_POOL_H
#define SN_TVM_STS_POOL_H

#include "aws/sts.h"
#include "tvm/tvm.h"

struct sn_sts_pool;

/* proof_limit: proofs that are verified at once; further ones wait for their turn until their deadline. */
SN_MUST_CHECK enum sn_status sn_sts_pool_new(
    const struct sn_sts_options *options, size_t proof_limit, struct sn_sts_pool **out_pool, struct sn_error *err);
void sn_sts_pool_free(struct sn_sts_pool *pool);
void sn_sts_pool_free_p(struct sn_sts_pool **pool);
const struct sn_tvm_sts *sn_sts_pool_table(const struct sn_sts_pool *pool);

#endif
