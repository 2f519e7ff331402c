/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/chain.h - records and anchors of the signed audit log: their one form, built and read.
 *
 * A record is one line: {"v":1,"stream":S,"seq":N,"prev":P,"timestamp":T,"key_id":K,"entry":E,"signature":X}. X is the
 * HMAC-SHA256 over the line up to the end of E; P is the X of the record before in the stream. An anchor is the newest
 * position of a stream, signed in the same way. No I/O here; the bytes and the format are described in
 * docs/formats/audit-log.md.
 */
#ifndef SN_CORE_AUDIT_CHAIN_H
#define SN_CORE_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
    SN_AUDIT_RECORD_MAX = 256 * 1024,    /* a writer makes no longer line */
    SN_AUDIT_LINE_MAX = 4 * 1024 * 1024, /* a reader looks at no longer line */
    SN_AUDIT_SIGNATURE_LEN = 64,         /* hex digits */
    SN_AUDIT_SIGNATURE_PART_LEN = 80,    /* ,"signature":"<64>"} */
    SN_AUDIT_KEYS_MAX = 32,
    SN_AUDIT_KEY_ID_MAX = 64,
    SN_AUDIT_KEY_MIN = 32, /* bytes */
    SN_AUDIT_KEY_MAX = 1024,
    SN_AUDIT_KEY_FILE_MAX = 128 * 1024,
};
#define SN_AUDIT_SEQ_MAX INT64_C(9007199254740991)

/* --- Keys. The last one signs, all verify. --- */
struct sn_audit_key {
    char id[SN_AUDIT_KEY_ID_MAX + 1];
    struct sn_secret key;
};
struct sn_audit_keys {
    struct sn_audit_key keys[SN_AUDIT_KEYS_MAX];
    size_t count;
};
bool sn_audit_key_id_is_valid(struct sn_slice id);
/*
 * One bare hex key, which gets bare_id, or lines "key_id:hex" with '#' comments and blank lines. White space around and
 * in the hex is ignored. Fails with SN_INVALID, INVALID_AUDIT_KEY; the message never holds a digit of a key.
 */
SN_MUST_CHECK enum sn_status sn_audit_keys_parse(
    struct sn_slice text, const char *bare_id, struct sn_audit_keys *out_keys, struct sn_error *err);
void sn_audit_keys_clear(struct sn_audit_keys *keys);
void sn_audit_keys_copy(struct sn_audit_keys *to, const struct sn_audit_keys *from);
const struct sn_audit_key *sn_audit_keys_signing(const struct sn_audit_keys *keys); /* NULL when there is none */
const struct sn_audit_key *sn_audit_keys_find(const struct sn_audit_keys *keys, struct sn_slice id);

/* --- Position in a stream, and records. --- */
struct sn_audit_position {
    char stream[SN_ID_LEN + 1];
    int64_t seq; /* 0: before the first record */
    char signature[SN_AUDIT_SIGNATURE_LEN + 1];
    int64_t unix_ms; /* time of signing of that record */
};
/* A new stream: seq 0 and the 64 zeros that its first record names. */
void sn_audit_position_start(struct sn_audit_position *position, const struct sn_id *stream);

struct sn_hmac;
/*
 * Appends the record that follows position, with its LF, and moves position to it. hmac is under key. The record's time
 * is now_ms, or that of the record before when the clock went back. SN_LIMIT, AUDIT_RECORD_TOO_LARGE, nothing changed.
 */
SN_MUST_CHECK enum sn_status sn_audit_record_append(struct sn_buf *buf, struct sn_audit_position *position,
    const struct sn_audit_key *key, struct sn_hmac *hmac, struct sn_slice entry, int64_t now_ms, struct sn_error *err);

/* A record as read; slices of the line. */
struct sn_audit_record {
    struct sn_slice stream, prev, timestamp, key_id, entry, signature;
    int64_t seq;
    int64_t unix_ms;
    struct sn_slice signed_part;
};
/* line is without LF or CR LF. Fails with SN_INVALID, NOT_A_RECORD. Says nothing about the signature. */
SN_MUST_CHECK enum sn_status sn_audit_record_parse(
    struct sn_slice line, struct sn_audit_record *out_record, struct sn_error *err);
/* What a line that is no record still shows; empty, 0. */
void sn_audit_record_glimpse(struct sn_slice line, struct sn_audit_record *out_record);
/* Constant-time check of the hex signature over the signed part. */
bool sn_audit_signature_is_valid(struct sn_hmac *hmac, struct sn_slice signed_part, struct sn_slice signature);
bool sn_audit_record_is_valid(const struct sn_audit_keys *keys, const struct sn_audit_record *record);

/* What an audit.opened entry tells a reader; all empty for other entries. Text is copied. */
struct sn_audit_opening {
    bool is_opened;
    char reason[32];
    bool has_previous;
    struct sn_audit_position previous;
};
void sn_audit_opening_parse(struct sn_slice entry, struct sn_audit_opening *out_opening);

/* --- Anchors --- */
/* Appends {"v":1,"anchor":S,"seq":N,"last":X,"timestamp":T,"key_id":K,"signature":Y} and LF. */
void sn_audit_anchor_append(
    struct sn_buf *buf, const struct sn_audit_position *position, const struct sn_audit_key *key, int64_t now_ms);
/* One line, checked with the keys. SN_INVALID, INVALID_ANCHOR. unix_ms of the position is the anchor's own time. */
SN_MUST_CHECK enum sn_status sn_audit_anchor_parse(struct sn_slice line, const struct sn_audit_keys *keys,
    struct sn_audit_position *out_position, struct sn_error *err);

#endif
