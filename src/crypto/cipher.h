/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/cipher.h - a key from a passphrase, keys wrapped in keys, and sealed bytes: what encrypted files are made of.
 *
 * Keys come in and go out as struct sn_secret. A failure of the library that is no wrong key ends the process, as in
 * hash.h.
 */
#ifndef SN_CRYPTO_CIPHER_H
#define SN_CRYPTO_CIPHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/defs.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
    SN_AES128_KEY_LEN = 16,
    SN_AES256_KEY_LEN = 32,
    SN_AES_WRAP_EXTRA = 8, /* a wrapped key is longer by this */
    SN_GCM_IV_LEN = 12,
    SN_GCM_TAG_LEN = 16,
};

/* PBKDF2 with HMAC-SHA-256 (RFC 8018); len bytes. */
void sn_pbkdf2_sha256(const struct sn_secret *passphrase, struct sn_slice salt, uint32_t iterations, size_t len,
    struct sn_secret *out_key);

/* AES-128 key wrap (RFC 3394) of a key whose length is a multiple of 8, 16 at least. */
void sn_aes128_wrap(const struct sn_secret *wrapping_key, const struct sn_secret *key, struct sn_buf *out_wrapped);
/* False: another wrapping key, or changed bytes. */
SN_MUST_CHECK bool sn_aes128_unwrap(
    const struct sn_secret *wrapping_key, struct sn_slice wrapped, struct sn_secret *out_key);

/* AES-256-GCM with a tag of 16 bytes; associated bytes are sealed too, but not hidden. An iv serves once for a key. */
void sn_aes256_gcm_seal(const struct sn_secret *key, const unsigned char iv[SN_GCM_IV_LEN], struct sn_slice associated,
    struct sn_slice plain, struct sn_buf *out_sealed, unsigned char out_tag[SN_GCM_TAG_LEN]);
/* False: another key, or changed bytes; nothing is put out then. */
SN_MUST_CHECK bool sn_aes256_gcm_open(const struct sn_secret *key, const unsigned char iv[SN_GCM_IV_LEN],
    struct sn_slice associated, struct sn_slice sealed, const unsigned char tag[SN_GCM_TAG_LEN],
    struct sn_secret *out_plain);

#endif
