/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/sign.h - signatures of documents: made with Ed25519, checked with Ed25519, ECDSA P-256 and RSA-PSS (POL 11).
 *
 * Keys are PEM: private PKCS#8, public SubjectPublicKeyInfo. A loaded key never changes and may be shared by threads.
 */
#ifndef SN_CRYPTO_SIGN_H
#define SN_CRYPTO_SIGN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

enum sn_sign_algorithm { SN_SIGN_ED25519, SN_SIGN_ECDSA_P256, SN_SIGN_RSA_PSS, SN_SIGN_ALGORITHMS };
/* The names in envelopes: "ED25519", "ECDSA_SHA_256", "RSASSA_PSS_SHA_256". */
extern const char *const sn_sign_algorithm_words[SN_SIGN_ALGORITHMS];

enum {
    SN_ED25519_KEY_LEN = 32,
    SN_ED25519_SIGNATURE_LEN = 64,
    SN_SIGNATURE_MAX = 512, /* RSA of 4096 bits */
    SN_SIGN_KEY_ID_MAX = 64,
    SN_SIGN_KEY_FILE_MAX = 16 * 1024,
};

struct sn_public_key;
struct sn_private_key;

/* INVALID_KEY: not one PEM public key, or of another kind than those above (RSA 2048 to 4096 bits). */
SN_MUST_CHECK enum sn_status sn_public_key_parse(
    struct sn_slice pem, struct sn_public_key **out_key, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_public_key_from_ed25519(
    const unsigned char bytes[SN_ED25519_KEY_LEN], struct sn_public_key **out_key, struct sn_error *err);
/* The same of SubjectPublicKeyInfo in DER, nothing behind it. */
SN_MUST_CHECK enum sn_status sn_public_key_from_der(
    struct sn_slice der, struct sn_public_key **out_key, struct sn_error *err);
void sn_public_key_free(struct sn_public_key *key);
void sn_public_key_free_p(struct sn_public_key **key);
enum sn_sign_algorithm sn_public_key_algorithm(const struct sn_public_key *key);
/*
 * "ed25519/" and 32 hexadecimal digits of the hash of the raw key; for the other kinds "p256/" or "rsa/" and those of
 * the hash of its DER. A key in KMS has its ARN besides.
 */
const char *sn_public_key_id(const struct sn_public_key *key);
/* True only if signature is this key's over message. */
bool sn_public_key_verify(const struct sn_public_key *key, struct sn_slice message, struct sn_slice signature);

/* True for a PEM that begins as an encrypted private key. */
bool sn_private_key_is_encrypted(const struct sn_secret *pem);
/* An Ed25519 key. passphrase: NULL for none. INVALID_KEY, WRONG_PASSPHRASE; no message holds text of the key. */
SN_MUST_CHECK enum sn_status sn_private_key_parse(const struct sn_secret *pem, const struct sn_secret *passphrase,
    struct sn_private_key **out_key, struct sn_error *err);
void sn_private_key_free(struct sn_private_key *key);
void sn_private_key_free_p(struct sn_private_key **key);
/* Its public half, which the caller frees. */
SN_MUST_CHECK enum sn_status sn_private_key_public(
    const struct sn_private_key *key, struct sn_public_key **out_key, struct sn_error *err);
void sn_private_key_sign(
    const struct sn_private_key *key, struct sn_slice message, unsigned char out_signature[SN_ED25519_SIGNATURE_LEN]);

#endif
