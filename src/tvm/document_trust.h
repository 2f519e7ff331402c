/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/document_trust.h - whose signatures of documents count: the keys of SENTINEL_POLICY_SIGNING_KEY (POL 11).
 */
#ifndef SN_TVM_DOCUMENT_TRUST_H
#define SN_TVM_DOCUMENT_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/kms.h"
#include "core/policy/envelope.h"
#include "tvm/settings.h"

enum { SN_TRUST_RETRY_MS = 250 };

struct sn_kms_trust; /* a key in KMS, described once */

/* Whose signatures count. A zeroed struct trusts nobody and verifies nothing. */
struct sn_document_trust {
    struct sn_signature_key keys[SN_SIGNATURE_KEYS_MAX];
    size_t key_count;
    struct sn_public_key *owned[SN_SIGNATURE_KEYS_MAX];       /* behind the local ones */
    struct sn_kms_trust *owned_remote[SN_SIGNATURE_KEYS_MAX]; /* behind the others */
    bool enforce;                                             /* a document without signature is refused */
    bool allow_unbound;
    int64_t min_serial;
    int retry_ms; /* between the tries while only the hash differs: a push may be under way */
};

/* True when a key of the settings lies in KMS, so that kms is needed. */
bool sn_document_trust_needs_kms(const struct sn_tvm_settings *settings);
/* The keys, loaded; kms outlives it and may be NULL when it is not needed. INVALID_SETTING. */
SN_MUST_CHECK enum sn_status sn_document_trust_load(const struct sn_tvm_settings *settings, struct sn_kms *kms,
    struct sn_document_trust *out_trust, struct sn_error *err);
void sn_document_trust_clear(struct sn_document_trust *trust);
/* How a key is called in the log: its id, or for one in KMS what the setting says. */
const char *sn_document_trust_name(const struct sn_document_trust *trust, size_t index);

/* One key in KMS as a key that signatures are accepted from, for servers and commands; kms outlives it. */
struct sn_kms_trust *sn_kms_trust_new(struct sn_kms *kms, struct sn_slice key_id);
void sn_kms_trust_free(struct sn_kms_trust *trust);
const struct sn_remote_key *sn_kms_trust_key(const struct sn_kms_trust *trust);

#endif
