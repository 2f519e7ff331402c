/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/dynamodb.h - sessions, block markers and spent proofs in one DynamoDB table.
 *
 * For servers that share state. An issue costs one transaction (row, spent proof, index of ids) and each look at the
 * block markers one consistent batch read. What decides something is read consistently. All functions are safe from
 * several threads. Every failure of the service is SN_UNAVAILABLE, SESSION_UNAVAILABLE, with the detail "cause":
 * table_not_found, access_denied, throttled or error.
 */
#ifndef SN_STORE_DYNAMODB_H
#define SN_STORE_DYNAMODB_H

#include "aws/dynamodb.h"
#include "core/session/seal.h"
#include "core/session/session.h"

struct sn_dynamodb_store;

struct sn_dynamodb_store_options {
    struct sn_dynamodb *client;      /* borrowed, like all below; must outlive the store */
    const char *session_table;       /* "sentinel-sessions" */
    const struct sn_seal_keys *keys; /* the first seals */
    const struct sn_random *random_source;
    const struct sn_clock *clock;
    void (*wait_ms)(void *ctx, int ms); /* between reads of what a batch left out */
    void *wait_ctx;
};

/* INVALID_TABLE when the name is none of a table. Nothing is asked of the service yet: see ping. */
SN_MUST_CHECK enum sn_status sn_dynamodb_store_new(
    const struct sn_dynamodb_store_options *options, struct sn_dynamodb_store **out_store, struct sn_error *err);
void sn_dynamodb_store_free(struct sn_dynamodb_store *store);
struct sn_session_store sn_dynamodb_session_store(struct sn_dynamodb_store *store);

/* Writes a sealed block marker; the later blocked_until of two stays unless is_lift. */
SN_MUST_CHECK enum sn_status sn_dynamodb_put_block(struct sn_dynamodb_store *store,
    const struct sn_block_marker *marker, int64_t ttl_unix_s, bool is_lift, struct sn_error *err);

#endif
