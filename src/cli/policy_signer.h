/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/policy_signer.h - whoever signs documents for the operator: a key in KMS, or an Ed25519 key in a file (POL 11).
 */
#ifndef SN_CLI_POLICY_SIGNER_H
#define SN_CLI_POLICY_SIGNER_H

#include "cli/aws_access.h"
#include "core/policy/envelope.h"

#define SN_KEY_ID_HELP "the key: file:PATH of an Ed25519 private key in PEM, mode 0600, or a KMS key's id, ARN or alias"

/* A zeroed struct signs nothing. */
struct sn_policy_signer {
    struct sn_private_key *private_key; /* NULL: kms */
    struct sn_kms *kms;                 /* borrowed */
    struct sn_kms_key kms_key;
    struct sn_public_key *public_key;
};

/* True for what --key-id may be; nothing is read. KEY_FORM. */
SN_MUST_CHECK enum sn_status sn_policy_signer_check(const char *key_id, struct sn_error *err);
/* Reads the key, its passphrase from the terminal; or asks KMS what the key is, and for its public half. */
SN_MUST_CHECK enum sn_status sn_policy_signer_open(
    struct sn_aws_access *access, const char *key_id, struct sn_policy_signer *out_signer, struct sn_error *err);
void sn_policy_signer_clear(struct sn_policy_signer *signer);

/* The serial of a new signature: given, or the time; above that of the one before (0: none). SERIAL_AHEAD. */
SN_MUST_CHECK enum sn_status sn_policy_serial_choose(
    int64_t given, int64_t before, int64_t now_s, int64_t *out_serial, struct sn_error *err);

/*
 * Signs, and verifies the fresh signature. envelope: is_bound, parameter and serial are set; the rest is filled in. The
 * time of signing is now_ms.
 */
SN_MUST_CHECK enum sn_status sn_policy_signer_sign(const struct sn_policy_signer *signer, struct sn_envelope *envelope,
    struct sn_slice document, int64_t now_ms, struct sn_error *err);
/* True if the envelope is bound to its parameter and this key's over the document. */
bool sn_policy_signer_made(const struct sn_policy_signer *signer, const struct sn_envelope *envelope,
    const char *parameter, struct sn_slice document);

#endif
