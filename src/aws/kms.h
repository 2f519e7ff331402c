/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/kms.h - the calls to KMS that signatures of documents need, with answers read strictly. Thread-safe.
 *
 * Messages are hashed here and sent with message type DIGEST: the result equals signing the message itself, and KMS's
 * limit of 4096 bytes for messages does not matter. Codes: KMS_NOT_FOUND (SN_NOT_FOUND), KMS_ACCESS_DENIED (SN_DENIED),
 * KMS_KEY_UNUSABLE (SN_INVALID: another spec or usage, disabled, being deleted), KMS_THROTTLED (SN_THROTTLED), and
 * KMS_ERROR for everything else: SN_TIMEOUT and SN_UNAVAILABLE for what may pass.
 */
#ifndef SN_AWS_KMS_H
#define SN_AWS_KMS_H

#include "aws/json_client.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

struct sn_kms;

enum { SN_KMS_ARN_MAX = 2048, SN_KMS_ANSWER_MAX_BYTES = 65536, SN_KMS_PUBLIC_KEY_MAX = 8192 };

/* True for a key id, a key ARN, alias/NAME or an alias ARN. */
bool sn_kms_key_is_named(struct sn_slice text);

SN_MUST_CHECK enum sn_status sn_kms_new(
    const struct sn_json_client_options *options, struct sn_kms **out_kms, struct sn_error *err);
void sn_kms_free(struct sn_kms *kms);

/* A key that signs: its ARN and what it signs with. */
struct sn_kms_key {
    char arn[SN_KMS_ARN_MAX + 1];
    enum sn_sign_algorithm algorithm;
};
/* Refuses, by name, every spec but ECC_NIST_P256 and RSA_2048, _3072, _4096, and every usage but SIGN_VERIFY. */
SN_MUST_CHECK enum sn_status sn_kms_describe(
    struct sn_kms *kms, const char *key_id, struct sn_kms_key *out_key, struct sn_error *err);
/* The public half; the caller frees it. The key must be of the algorithm that key says. */
SN_MUST_CHECK enum sn_status sn_kms_public_key(
    struct sn_kms *kms, const struct sn_kms_key *key, struct sn_public_key **out_key, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_kms_sign(struct sn_kms *kms, const struct sn_kms_key *key,
    const unsigned char digest[SN_SHA256_LEN], unsigned char out_signature[SN_SIGNATURE_MAX], size_t *out_len,
    struct sn_error *err);
/* *out_valid false: KMS was asked and says that it is not this key's signature. */
SN_MUST_CHECK enum sn_status sn_kms_verify(struct sn_kms *kms, const struct sn_kms_key *key,
    const unsigned char digest[SN_SHA256_LEN], struct sn_slice signature, bool *out_valid, struct sn_error *err);

/* --- Pure parts, for their tests: answers. AWS_ANSWER_INVALID or KMS_KEY_UNUSABLE. --- */
SN_MUST_CHECK enum sn_status sn_kms_read_description(
    const struct sn_json *root, struct sn_kms_key *out_key, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_kms_read_public_key(
    const struct sn_json *root, const struct sn_kms_key *key, struct sn_public_key **out_key, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_kms_read_signature(const struct sn_json *root, const struct sn_kms_key *key,
    unsigned char out_signature[SN_SIGNATURE_MAX], size_t *out_len, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_kms_read_verdict(
    const struct sn_json *root, const struct sn_kms_key *key, bool *out_valid, struct sn_error *err);

#endif
