/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/signed_documents.h - documents of the directory, read together with their signatures (POL 11).
 *
 * A signature is the document's file name with .sig.json. What is verified is the very text that is handed on. Of each
 * document the highest serial that was ever verified is remembered for the life of the process, so that an old document
 * with its old signature does not come back.
 */
#ifndef SN_TVM_SIGNED_DOCUMENTS_H
#define SN_TVM_SIGNED_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/sign.h"
#include "tvm/settings.h"

enum { SN_TRUST_KEYS_MAX = 3, SN_TRUST_RETRY_MS = 250 };

/* Whose signatures count. A zeroed struct trusts nobody and verifies nothing. */
struct sn_document_trust {
    struct sn_public_key *keys[SN_TRUST_KEYS_MAX];
    size_t key_count;
    bool enforce; /* a document without signature is refused */
    bool allow_unbound;
    int64_t min_serial;
    int retry_ms; /* between the tries while only the hash differs: a push may be under way */
};

/* Keys of SENTINEL_POLICY_SIGNING_KEY, loaded. INVALID_SETTING. */
SN_MUST_CHECK enum sn_status sn_document_trust_load(
    const struct sn_tvm_settings *settings, struct sn_document_trust *out_trust, struct sn_error *err);
void sn_document_trust_clear(struct sn_document_trust *trust);

struct sn_signed_documents;

/* dir and trust outlive it. Thread-safe. */
struct sn_signed_documents *sn_signed_documents_new(const char *dir, const struct sn_document_trust *trust);
void sn_signed_documents_free(struct sn_signed_documents *documents);

/*
 * Reads a document as sn_dir_read does, and its signature where keys are trusted. Codes beside those of sn_dir_read:
 * SIGNATURE_MISSING, SIGNATURE_MALFORMED and those of sn_envelope_verify; each is also a line of the log.
 */
SN_MUST_CHECK enum sn_status sn_signed_documents_read(struct sn_signed_documents *documents, const char *name,
    struct sn_buf *out_text, bool *out_found, struct sn_error *err);

/* The name a document has whatever its source: that of its parameter. name: relative, ending in .yaml. */
void sn_document_name_of(const char *name, char *out, size_t out_size);
/* True for a failure that lies in what a document or its signature says. */
bool sn_document_is_bad(const struct sn_error *err);

#endif
