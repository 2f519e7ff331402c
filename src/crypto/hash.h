/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/hash.h - SHA-256, HMAC-SHA-256 and SHA-1 for file names that others define.
 */
#ifndef SN_CRYPTO_HASH_H
#define SN_CRYPTO_HASH_H

#include <stddef.h>

#include "base/secret.h"
#include "base/slice.h"

enum { SN_SHA256_LEN = 32, SN_SHA256_HEX_LEN = 64, SN_SHA1_LEN = 20 };

void sn_sha256(struct sn_slice bytes, unsigned char out[SN_SHA256_LEN]);
/* Lower-case hex with a NUL. */
void sn_sha256_hex(struct sn_slice bytes, char out[SN_SHA256_HEX_LEN + 1]);
/* Over the parts one after the other. */
void sn_sha256_parts(const struct sn_slice *parts, size_t count, unsigned char out[SN_SHA256_LEN]);
void sn_sha1(struct sn_slice bytes, unsigned char out[SN_SHA1_LEN]);

void sn_hmac_sha256(struct sn_slice key, struct sn_slice message, unsigned char out[SN_SHA256_LEN]);

/*
 * HMAC under one key many times: the key schedule is done once. Not shared between threads; clone per thread with
 * sn_hmac_init again.
 */
struct sn_hmac_state;
struct sn_hmac {
    struct sn_hmac_state *state;
};
void sn_hmac_init(struct sn_hmac *hmac, const struct sn_secret *key);
void sn_hmac_begin(struct sn_hmac *hmac);
void sn_hmac_update(struct sn_hmac *hmac, struct sn_slice bytes);
void sn_hmac_finish(struct sn_hmac *hmac, unsigned char out[SN_SHA256_LEN]);
void sn_hmac_clear(struct sn_hmac *hmac);

#endif
