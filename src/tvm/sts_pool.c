/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/sts_pool.c - a stack of warm STS clients.
 */
#include "tvm/sts_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "base/alloc.h"
#include "base/turns.h"

enum { POOL_MAX = 512, PROOF_WAIT_MAX_MS = 10000 };

struct sn_sts_pool {
    struct sn_sts_options options; /* its texts are the two below */
    char endpoint[SN_ENDPOINT_MAX];
    char region[SN_REGION_MAX + 1];
    struct sn_tvm_sts table;
    pthread_mutex_t lock;
    struct sn_sts *idle[POOL_MAX];
    size_t idle_count;
    struct sn_turns proofs;
};

static enum sn_status take(struct sn_sts_pool *pool, struct sn_sts **out_sts, struct sn_error *err)
{
    struct sn_sts *sts = NULL;

    pthread_mutex_lock(&pool->lock);
    if (pool->idle_count > 0) {
        sts = pool->idle[--pool->idle_count];
    }
    pthread_mutex_unlock(&pool->lock);
    if (sts != NULL) {
        *out_sts = sts;
        return SN_OK;
    }
    return sn_sts_new(&pool->options, out_sts, err);
}

static void give_back(struct sn_sts_pool *pool, struct sn_sts *sts)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->idle_count < POOL_MAX) {
        pool->idle[pool->idle_count++] = sts;
        sts = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    sn_sts_free(sts);
}

/* Waits for a turn. The listener's gate keeps this queue short; here it is bounded whatever the transport. */
static enum sn_status begin_proof(struct sn_sts_pool *pool, int64_t deadline_mono_ns, struct sn_error *err)
{
    int64_t wait_ms = PROOF_WAIT_MAX_MS;

    if (deadline_mono_ns != 0) {
        int64_t left_ms = (deadline_mono_ns - pool->options.clock->mono_ns(pool->options.clock->ctx)) / 1000000;
        wait_ms = left_ms < 0 ? 0 : left_ms < wait_ms ? left_ms : wait_ms;
    }
    if (sn_turns_take_ms(&pool->proofs, wait_ms)) {
        return SN_OK;
    }
    return sn_fail(err, SN_UNAVAILABLE, "IDENTITY_UNAVAILABLE", "too many proofs wait for STS at once");
}

static enum sn_status verify_proof(void *ctx, const struct sn_proof *proof, int64_t deadline_mono_ns,
    struct sn_caller *out_caller, struct sn_error *err)
{
    struct sn_sts_pool *pool = ctx;
    struct sn_sts *sts = NULL;
    enum sn_status status = SN_OK;

    SN_TRY(begin_proof(pool, deadline_mono_ns, err));
    status = take(pool, &sts, err);
    if (status == SN_OK) {
        status = sn_sts_verify_proof(sts, proof, deadline_mono_ns, out_caller, err);
        give_back(pool, sts);
    }
    sn_turns_give(&pool->proofs);
    return status;
}

static enum sn_status assume_role(void *ctx, const struct sn_assume_role *input, int64_t deadline_mono_ns,
    struct sn_assumed_role *out_role, struct sn_error *err)
{
    struct sn_sts *sts = NULL;

    SN_TRY(take(ctx, &sts, err));
    enum sn_status status = sn_sts_assume_role(sts, input, deadline_mono_ns, out_role, err);
    give_back(ctx, sts);
    return status;
}

static enum sn_status own_identity(
    void *ctx, int64_t deadline_mono_ns, struct sn_caller *out_caller, struct sn_error *err)
{
    struct sn_sts *sts = NULL;

    SN_TRY(take(ctx, &sts, err));
    enum sn_status status = sn_sts_get_caller_identity(sts, deadline_mono_ns, out_caller, err);
    give_back(ctx, sts);
    return status;
}

enum sn_status sn_sts_pool_new(
    const struct sn_sts_options *options, size_t proof_limit, struct sn_sts_pool **out_pool, struct sn_error *err)
{
    SN_AUTO(sn_sts_pool_free_p) struct sn_sts_pool *pool = sn_alloc(1, sizeof(*pool));
    struct sn_sts *first = NULL;

    if (strlen(options->endpoint) >= sizeof(pool->endpoint) || strlen(options->region) >= sizeof(pool->region)) {
        return sn_fail(err, SN_INVALID, "INVALID_ENDPOINT", "the STS endpoint or its region is too long");
    }
    snprintf(pool->endpoint, sizeof(pool->endpoint), "%s", options->endpoint);
    snprintf(pool->region, sizeof(pool->region), "%s", options->region);
    pool->options = *options;
    pool->options.endpoint = pool->endpoint;
    pool->options.region = pool->region;
    sn_turns_init(&pool->proofs, proof_limit > 0 ? proof_limit : 1);
    pthread_mutex_init(&pool->lock, NULL);
    pool->table = (struct sn_tvm_sts){verify_proof, assume_role, own_identity, pool};
    SN_TRY(sn_sts_new(options, &first, err)); /* what cannot work at all is said at start */
    give_back(pool, first);
    *out_pool = SN_TAKE(pool);
    return SN_OK;
}

void sn_sts_pool_free(struct sn_sts_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    while (pool->idle_count > 0) {
        sn_sts_free(pool->idle[--pool->idle_count]);
    }
    sn_turns_clear(&pool->proofs);
    pthread_mutex_destroy(&pool->lock);
    sn_free(pool);
}

void sn_sts_pool_free_p(struct sn_sts_pool **pool)
{
    sn_sts_pool_free(*pool);
    *pool = NULL;
}

const struct sn_tvm_sts *sn_sts_pool_table(const struct sn_sts_pool *pool)
{
    return &pool->table;
}
