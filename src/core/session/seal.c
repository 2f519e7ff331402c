/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/session/seal.c - canonical texts of stored records and the seals over them.
 *
 * Every value is preceded by its length, so no value can be taken for another attribute.
 */
#include "core/session/seal.h"

#include <string.h>

#include "base/time.h"
#include "core/record/attribute.h"
#include "core/session/session.h"
#include "crypto/hash.h"

enum { CANON_MAX = 256 * 1024 };

static const char seal_prefix[] = "v1:";

void sn_seal_keys_clear(struct sn_seal_keys *keys)
{
    for (size_t i = 0; i < SN_SEAL_KEYS_MAX; i++) {
        sn_secret_clear(&keys->keys[i].key);
    }
    *keys = (struct sn_seal_keys){.count = 0};
}

void sn_canon_begin(struct sn_canon *canon, const char *kind)
{
    canon->text = SN_BUF_INIT(CANON_MAX);
    sn_buf_add_str(&canon->text, "sentinel-seal-v1\n");
    sn_buf_add_str(&canon->text, kind);
    sn_buf_add_byte(&canon->text, '\n');
}

void sn_canon_text(struct sn_canon *canon, const char *name, struct sn_slice value)
{
    sn_buf_add_str(&canon->text, name);
    sn_buf_add_byte(&canon->text, ':');
    sn_buf_add_int(&canon->text, (int64_t)value.len);
    sn_buf_add_byte(&canon->text, ':');
    sn_buf_add(&canon->text, value);
    sn_buf_add_byte(&canon->text, '\n');
}

void sn_canon_int(struct sn_canon *canon, const char *name, int64_t value)
{
    SN_AUTO(sn_buf_clear) struct sn_buf digits = {0};

    sn_buf_add_int(&digits, value);
    sn_canon_text(canon, name, sn_buf_slice(&digits));
}

void sn_canon_bool(struct sn_canon *canon, const char *name, bool value)
{
    sn_canon_text(canon, name, value ? SN_S("true") : SN_S("false"));
}

void sn_canon_time(struct sn_canon *canon, const char *name, int64_t unix_ms)
{
    char text[SN_TIME_TEXT_MAX];

    sn_canon_text(canon, name, unix_ms == 0 ? SN_S("") : sn_time_format_rfc3339_ms(unix_ms, text));
}

void sn_canon_clear(struct sn_canon *canon)
{
    sn_buf_clear(&canon->text);
}

/* "v1:<id>:<hex>" under one key. */
static void make_with(const struct sn_seal_key *key, const struct sn_canon *canon, char out[SN_SEAL_MAX + 1])
{
    SN_AUTO(sn_buf_clear) struct sn_buf seal = {0};
    unsigned char mac[SN_SHA256_LEN];

    SN_ASSERT(!canon->text.overflow);
    sn_hmac_sha256(sn_secret_reveal(&key->key), sn_buf_slice(&canon->text), mac);
    sn_buf_add_str(&seal, seal_prefix);
    sn_buf_add_str(&seal, key->id);
    sn_buf_add_byte(&seal, ':');
    sn_buf_add_hex(&seal, mac, sizeof(mac));
    SN_ASSERT(!seal.overflow && seal.len <= SN_SEAL_MAX);
    memcpy(out, sn_buf_str(&seal), seal.len + 1);
}

void sn_seal_make(const struct sn_seal_keys *keys, const struct sn_canon *canon, char out[SN_SEAL_MAX + 1])
{
    SN_ASSERT(keys->count > 0);
    make_with(&keys->keys[0], canon, out);
}

bool sn_seal_is_valid(const struct sn_seal_keys *keys, const struct sn_canon *canon, struct sn_slice seal)
{
    struct sn_slice rest = seal;
    struct sn_slice version;
    struct sn_slice key_id;
    struct sn_slice mac;

    /* A record too large for the canonical text was never sealed by us. */
    if (canon->text.overflow || !sn_slice_cut(rest, ':', &version, &rest) || !sn_slice_eq_str(version, "v1") ||
        !sn_slice_cut(rest, ':', &key_id, &mac)) {
        return false;
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (sn_slice_eq_str(key_id, keys->keys[i].id)) {
            char wanted[SN_SEAL_MAX + 1];
            make_with(&keys->keys[i], canon, wanted);
            return sn_slice_eq_const_time(sn_slice_str(wanted), seal);
        }
    }
    return false;
}

void sn_session_seal(const struct sn_seal_keys *keys, const struct sn_session *session, char out[SN_SEAL_MAX + 1])
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_record_canon(&canon, "session", sn_session_attributes, session);
    sn_seal_make(keys, &canon, out);
}

bool sn_session_seal_is_valid(const struct sn_seal_keys *keys, const struct sn_session *session)
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_record_canon(&canon, "session", sn_session_attributes, session);
    return sn_seal_is_valid(keys, &canon, session->seal);
}

void sn_spent_proof_seal(const struct sn_seal_keys *keys, const struct sn_spent_proof *proof, struct sn_buf *out_id,
    char out_seal[SN_SEAL_MAX + 1])
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_buf_add_str(out_id, "proof#");
    sn_buf_add_hex(out_id, proof->key, sizeof(proof->key));
    sn_canon_begin(&canon, "proof");
    sn_canon_text(&canon, "id", sn_buf_slice(out_id));
    sn_canon_int(&canon, "ttl", proof->expires_unix_s);
    sn_seal_make(keys, &canon, out_seal);
}

static const struct sn_attribute block_attributes[] = {
    SN_SEALED(struct sn_block_marker, "id", TEXT, id),
    SN_SEALED(struct sn_block_marker, "blocked_until", TIME, blocked_until_ms),
    SN_SEALED(struct sn_block_marker, "blocked_by", TEXT, blocked_by),
    SN_SEALED(struct sn_block_marker, "reason", TEXT, reason),
    SN_SEALED(struct sn_block_marker, "session_id", TEXT, session_id),
    SN_UNSEALED(struct sn_block_marker, "seal", TEXT, seal),
    {0},
};
const struct sn_attribute *const sn_block_marker_attributes = block_attributes;

void sn_block_marker_seal(
    const struct sn_seal_keys *keys, const struct sn_block_marker *marker, char out[SN_SEAL_MAX + 1])
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_record_canon(&canon, "block", sn_block_marker_attributes, marker);
    sn_seal_make(keys, &canon, out);
}

bool sn_block_marker_is_in_force(const struct sn_seal_keys *keys, const struct sn_block_marker *marker, int64_t now_ms)
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_record_canon(&canon, "block", sn_block_marker_attributes, marker);
    /* A marker that somebody changed blocks: whoever can break it must not be able to lift it. */
    return !sn_seal_is_valid(keys, &canon, marker->seal) || marker->blocked_until_ms > now_ms;
}
