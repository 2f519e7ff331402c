/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/jwe.h - one sealed text: a JWE in compact form under a passphrase (RFC 7516, RFC 7518 4.8).
 *
 * The one form that is read and written: alg PBES2-HS256+A128KW, enc A256GCM. Everything else is refused, "zip" and
 * "crit" too. Written with SN_JWE_ITERATIONS and a salt of 16 bytes; read with any count between the limits and a salt
 * of 8 bytes or more, so that files of other programs open. Pure but for the random source.
 */
#ifndef SN_KEYRING_JWE_H
#define SN_KEYRING_JWE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
    SN_JWE_MAX_BYTES = 256 * 1024,
    SN_JWE_ITERATIONS = 600000,
    SN_JWE_ITERATIONS_MIN = 1000,
    SN_JWE_ITERATIONS_MAX = 1300000,
    SN_JWE_SALT_LEN = 16,
    SN_JWE_SALT_MIN = 8,
    SN_JWE_SALT_MAX = 256,
    SN_JWE_WRAPPED_LEN = 40,
    SN_JWE_IV_LEN = 12,
    SN_JWE_TAG_LEN = 16,
};

/* The parts of a text of the right form, not yet opened. */
struct sn_jwe {
    struct sn_slice header; /* as it stands in the text, base64url; borrowed */
    uint32_t iterations;
    struct sn_buf salt, sealed;
    unsigned char wrapped_key[SN_JWE_WRAPPED_LEN];
    unsigned char iv[SN_JWE_IV_LEN];
    unsigned char tag[SN_JWE_TAG_LEN];
};
void sn_jwe_clear(struct sn_jwe *jwe);

/* Fails with SN_PROTOCOL, KEYRING_CORRUPT, telling what is wrong. text must outlive the result. */
SN_MUST_CHECK enum sn_status sn_jwe_parse(struct sn_slice text, struct sn_jwe *out_jwe, struct sn_error *err);
/* Fails with SN_INVALID, KEYRING_PASSPHRASE for another passphrase; KEYRING_CORRUPT when what it opens was changed. */
SN_MUST_CHECK enum sn_status sn_jwe_open(
    const struct sn_jwe *jwe, const struct sn_secret *passphrase, struct sn_secret *out_plain, struct sn_error *err);

struct sn_jwe_seal {
    const struct sn_secret *passphrase;
    uint32_t iterations; /* 0: SN_JWE_ITERATIONS */
    int64_t created_unix_s;
    const struct sn_random *random_source;
};
SN_MUST_CHECK enum sn_status sn_jwe_seal(
    const struct sn_jwe_seal *how, struct sn_slice plain, struct sn_buf *out_text, struct sn_error *err);

#endif
