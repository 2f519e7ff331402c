/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/envelope.h - signatures of documents: the envelope, what is signed, and the checks (POL 11).
 *
 * A bound signature holds the document's name and a serial, so that neither a document moved to another name nor an old
 * one brought back passes. Strict: an envelope with anything unexpected is malformed.
 */
#ifndef SN_CORE_POLICY_ENVELOPE_H
#define SN_CORE_POLICY_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/time.h"
#include "core/policy/document_name.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

enum {
    SN_ENVELOPE_MAX_BYTES = 4096,
    SN_ENVELOPE_KEY_ID_MAX = 2048,
    SN_SIGNATURE_KEYS_MAX = 3,
    SN_SERIAL_AHEAD_S = 86400, /* how far a serial may lie ahead of the signer's clock */
};
#define SN_SERIAL_MAX (INT64_C(1) << 53) /* not reached */

struct sn_envelope {
    bool is_bound;
    enum sn_sign_algorithm algorithm;
    unsigned char signature[SN_SIGNATURE_MAX];
    size_t signature_len;
    char key_id[SN_ENVELOPE_KEY_ID_MAX + 1];
    char signed_at[SN_TIME_TEXT_MAX];
    char policy_hash[SN_SHA256_HEX_LEN + 1];
    char parameter[SN_DOCUMENT_NAME_MAX + 1]; /* bound only */
    int64_t serial;                           /* bound only */
};

/* SIGNATURE_MALFORMED, with what is wrong. */
SN_MUST_CHECK enum sn_status sn_envelope_parse(
    struct sn_slice text, struct sn_envelope *out_envelope, struct sn_error *err);
/* is_file: indented by two blanks and ended by a newline; else compact. */
void sn_envelope_format(struct sn_buf *buf, const struct sn_envelope *envelope, bool is_file);
/* What the signature covers: the document itself, or the lines that bind it. */
void sn_envelope_message(struct sn_buf *buf, const struct sn_envelope *envelope, struct sn_slice document);

/*
 * A key that lies elsewhere, in KMS. describe finds out its id and what it signs with, once; verify asks its owner.
 * Failures of either mean that nobody knows, and deny as a bad signature does; KMS_KEY_UNUSABLE, for a key that is of
 * no use for signatures, fails every document.
 */
struct sn_remote_key {
    enum sn_status (*describe)(
        void *ctx, const char **out_id, enum sn_sign_algorithm *out_algorithm, struct sn_error *err);
    enum sn_status (*verify)(
        void *ctx, struct sn_slice message, struct sn_slice signature, bool *out_valid, struct sn_error *err);
    void *ctx;
};

/* A key that signatures are accepted from: one of the two. */
struct sn_signature_key {
    const struct sn_public_key *local;
    const struct sn_remote_key *remote;
};

struct sn_signature_rules {
    const struct sn_signature_key *keys;
    size_t key_count;
    const char *parameter; /* the name being loaded; NULL: not compared */
    int64_t min_serial;
    bool allow_unbound;
};

/*
 * All checks of an envelope in their order. SIGNATURE_HASH (the document has changed; a push may be under way),
 * SIGNATURE_ALGORITHM (fits no key), SIGNATURE_UNBOUND, SIGNATURE_BINDING, SIGNATURE_SERIAL, SIGNATURE_INVALID; all of
 * them SN_DENIED; and what a remote key says when it cannot tell. *out_key_id is the id of the key that matched, which
 * is the key's own and never the text of the envelope; it lives as long as the key.
 */
SN_MUST_CHECK enum sn_status sn_envelope_verify(const struct sn_envelope *envelope, struct sn_slice document,
    const struct sn_signature_rules *rules, const char **out_key_id, struct sn_error *err);

/*
 * Fills in what a signature by a key elsewhere covers, and gives its message: sign that, then fill in signature and
 * signature_len. key_id and algorithm are the key's. INVALID_KEY when its id does not fit.
 */
SN_MUST_CHECK enum sn_status sn_envelope_prepare(struct sn_envelope *envelope, struct sn_slice document,
    const char *key_id, enum sn_sign_algorithm algorithm, struct sn_buf *out_message, struct sn_error *err);
/* Fills in hash, algorithm, key id and signature; the caller has set is_bound, parameter, serial and signed_at. */
SN_MUST_CHECK enum sn_status sn_envelope_sign(
    struct sn_envelope *envelope, struct sn_slice document, const struct sn_private_key *key, struct sn_error *err);

#endif
