/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/session/seal.h - seals over stored records: "v1:<key id>:<hex HMAC-SHA256>".
 *
 * A keyring holds the key that seals and older ones that only verify. Immutable after loading; safe to share.
 */
#ifndef SN_CORE_SESSION_SEAL_H
#define SN_CORE_SESSION_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

enum { SN_SEAL_KEYS_MAX = 8, SN_SEAL_KEY_ID_MAX = 64, SN_SEAL_MAX = 3 + SN_SEAL_KEY_ID_MAX + 1 + 64 };

struct sn_seal_key {
    char id[SN_SEAL_KEY_ID_MAX + 1];
    struct sn_secret key; /* at least 32 bytes */
};
struct sn_seal_keys {
    struct sn_seal_key keys[SN_SEAL_KEYS_MAX]; /* the first seals */
    size_t count;
};
void sn_seal_keys_clear(struct sn_seal_keys *keys);

/* The canonical text of a record, built attribute by attribute in the order of its table. */
struct sn_canon {
    struct sn_buf text;
};
void sn_canon_begin(struct sn_canon *canon, const char *kind);
void sn_canon_text(struct sn_canon *canon, const char *name, struct sn_slice value); /* empty: absent, length 0 */
void sn_canon_int(struct sn_canon *canon, const char *name, int64_t value);
void sn_canon_bool(struct sn_canon *canon, const char *name, bool value);
void sn_canon_time(struct sn_canon *canon, const char *name, int64_t unix_ms); /* 0: absent */
void sn_canon_clear(struct sn_canon *canon);

void sn_seal_make(const struct sn_seal_keys *keys, const struct sn_canon *canon, char out[SN_SEAL_MAX + 1]);
bool sn_seal_is_valid(const struct sn_seal_keys *keys, const struct sn_canon *canon, struct sn_slice seal);

struct sn_session;
/* Seals a session row (kind "session"); out is what goes into session->seal. */
void sn_session_seal(const struct sn_seal_keys *keys, const struct sn_session *session, char out[SN_SEAL_MAX + 1]);
bool sn_session_seal_is_valid(const struct sn_seal_keys *keys, const struct sn_session *session);

struct sn_spent_proof;
/* The id ("proof#<signature>") and the seal under which the use of a proof is remembered. */
void sn_spent_proof_seal(const struct sn_seal_keys *keys, const struct sn_spent_proof *proof, struct sn_buf *out_id,
    char out_seal[SN_SEAL_MAX + 1]);

/* A block marker: while it is in force, whom its id names gets no session. */
struct sn_block_marker {
    struct sn_slice id; /* "block#person#...", "block#device#...", ... */
    int64_t blocked_until_ms;
    struct sn_slice blocked_by, reason, session_id;
    struct sn_slice seal;
};
struct sn_attribute; /* core/record/attribute.h */
extern const struct sn_attribute *const sn_block_marker_attributes;
void sn_block_marker_seal(
    const struct sn_seal_keys *keys, const struct sn_block_marker *marker, char out[SN_SEAL_MAX + 1]);
/* True until blocked_until; also, at any time, when the seal is not ours. */
bool sn_block_marker_is_in_force(const struct sn_seal_keys *keys, const struct sn_block_marker *marker, int64_t now_ms);

#endif
