/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/cache_item.h - what one cached set of credentials is called and how it is written (docs/formats). Pure, but for
 * the look at two files' metadata. Internal to the credential cache.
 */
#ifndef SN_VAULT_CACHE_ITEM_H
#define SN_VAULT_CACHE_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/error.h"
#include "base/slice.h"
#include "vault/issued.h"

enum {
    SN_CACHE_ITEM_MAX = 16384,
    SN_CACHE_MIN_LEFT_S = 300, /* credentials with less are neither kept nor handed out */
    SN_CACHE_EARLY_S = 960,    /* SDKs ask again 15 minutes before the end */
    SN_CACHE_MAX_LIFE_S = 43200,
    SN_CACHE_MAX_AHEAD_S = 60,
};

/* Which credentials are meant. */
struct sn_cache_query {
    struct sn_buf key;   /* TVM, profile, identity */
    struct sn_buf files; /* "file=..." lines of the AWS files, as they are now */
    int64_t duration_s;  /* asked for; 0: the TVM's default */
};
/*
 * audience: the canonical URL. aws_profile may be NULL. The identity cannot be asked for without a network: the inputs
 * that choose it stand for it. Fails when an input cannot be written as one line.
 */
SN_MUST_CHECK enum sn_status sn_cache_query_init(struct sn_cache_query *query, struct sn_slice audience,
    struct sn_slice profile, const char *aws_profile, int64_t duration_s, const struct sn_env *env,
    struct sn_error *err);
void sn_cache_query_clear(struct sn_cache_query *query);

/* 16 hex digits that name the key; two keys may share them, so the key itself decides. */
enum { SN_CACHE_HASH_LEN = 16 };
void sn_cache_hash(struct sn_slice key, char out[SN_CACHE_HASH_LEN + 1]);

/* False: these are not kept (too short a life, or a value that would need escaping). */
bool sn_cache_item_format(
    const struct sn_cache_query *query, const struct sn_issued *issued, int64_t now_unix_s, struct sn_buf *out_text);

enum sn_cache_verdict {
    SN_CACHE_GOOD,
    SN_CACHE_OTHER, /* asked for with another duration: not ours to use, not ours to remove */
    SN_CACHE_BAD,   /* to be removed */
};
/* out_issued is filled for SN_CACHE_GOOD only. */
enum sn_cache_verdict sn_cache_item_read(
    struct sn_slice text, const struct sn_cache_query *query, int64_t now_unix_s, struct sn_issued *out_issued);
/* When the item ends; 0 when that cannot be told. */
int64_t sn_cache_item_end(struct sn_slice text);
/* The best moment to ask for new ones has come. */
bool sn_cache_is_due(const struct sn_issued *issued, int64_t now_unix_s);

#endif
