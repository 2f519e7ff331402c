/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/keys.c - the key ring of the audit log.
 */
#include <string.h>

#include "codec/base64.h"
#include "core/audit/chain.h"

/* Asked once a record by the verifier, so it looks at each byte once. */
bool sn_audit_key_id_is_valid(struct sn_slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return id.len >= 1 && id.len <= SN_AUDIT_KEY_ID_MAX;
}

void sn_audit_keys_clear(struct sn_audit_keys *keys)
{
    for (size_t i = 0; i < SN_AUDIT_KEYS_MAX; i++) {
        sn_secret_clear(&keys->keys[i].key);
        keys->keys[i].id[0] = '\0';
    }
    keys->count = 0;
}

void sn_audit_keys_copy(struct sn_audit_keys *to, const struct sn_audit_keys *from)
{
    sn_audit_keys_clear(to);
    for (size_t i = 0; i < from->count; i++) {
        memcpy(to->keys[i].id, from->keys[i].id, sizeof(to->keys[i].id));
        sn_secret_set(&to->keys[i].key, sn_secret_reveal(&from->keys[i].key));
    }
    to->count = from->count;
}

const struct sn_audit_key *sn_audit_keys_signing(const struct sn_audit_keys *keys)
{
    return keys->count > 0 ? &keys->keys[keys->count - 1] : NULL;
}

const struct sn_audit_key *sn_audit_keys_find(const struct sn_audit_keys *keys, struct sn_slice id)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (sn_slice_eq_str(id, keys->keys[i].id)) {
            return &keys->keys[i];
        }
    }
    return NULL;
}

static enum sn_status bad_key(struct sn_error *err, const char *problem)
{
    sn_fail(err, SN_INVALID, "INVALID_AUDIT_KEY", "the audit signing key %s", problem);
    return sn_suggest(err, "give at least 64 hex digits, for instance from 'openssl rand -hex 32'");
}

static enum sn_status add_key(struct sn_audit_keys *keys, struct sn_slice id, struct sn_slice hex, struct sn_error *err)
{
    char digits[2 * SN_AUDIT_KEY_MAX];
    size_t count = 0;
    enum sn_status status = SN_OK;

    if (!sn_audit_key_id_is_valid(id)) {
        return bad_key(err, "has an id that is not 1 to 64 characters of [A-Za-z0-9._-]");
    }
    if (sn_audit_keys_find(keys, id) != NULL) {
        return bad_key(err, "has an id that occurs twice");
    }
    if (keys->count == SN_AUDIT_KEYS_MAX) {
        return bad_key(err, "file holds more than 32 keys");
    }
    for (size_t i = 0; i < hex.len && status == SN_OK; i++) {
        char c = hex.ptr[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            continue;
        }
        if (count == sizeof(digits)) {
            status = bad_key(err, "is longer than 1024 bytes");
        } else {
            digits[count++] = c;
        }
    }
    struct sn_audit_key *key = &keys->keys[keys->count];
    if (status == SN_OK && count % 2 != 0) {
        status = bad_key(err, "has an odd number of hex digits");
    }
    if (status == SN_OK && count / 2 < SN_AUDIT_KEY_MIN) {
        status = bad_key(err, "is shorter than 32 bytes");
    }
    if (status == SN_OK) {
        sn_secret_alloc(&key->key, count / 2);
        if (sn_hex_decode((struct sn_slice){digits, count}, true, key->key.bytes, count / 2, err) != SN_OK) {
            sn_secret_clear(&key->key);
            status = bad_key(err, "is not hexadecimal");
        }
    }
    sn_wipe(digits, sizeof(digits));
    if (status == SN_OK) {
        memcpy(key->id, id.ptr, id.len);
        key->id[id.len] = '\0';
        keys->count++;
    }
    return status;
}

static enum sn_status parse_lines(
    struct sn_slice text, const char *bare_id, struct sn_audit_keys *keys, struct sn_error *err)
{
    struct sn_slice rest = text;
    struct sn_slice line;

    if (!sn_slice_has_byte(text, ':') && !sn_slice_has_byte(text, '#')) {
        return sn_slice_trim_space(text).len == 0 ? bad_key(err, "is empty")
                                                  : add_key(keys, sn_slice_str(bare_id), text, err);
    }
    while (sn_slice_next(&rest, '\n', &line)) {
        struct sn_slice id;
        struct sn_slice hex;

        line = sn_slice_trim_space(line);
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        if (!sn_slice_cut(line, ':', &id, &hex)) {
            id = sn_slice_str(bare_id);
            hex = line;
        }
        SN_TRY(add_key(keys, sn_slice_trim_space(id), hex, err));
    }
    return keys->count > 0 ? SN_OK : bad_key(err, "is empty");
}

enum sn_status sn_audit_keys_parse(
    struct sn_slice text, const char *bare_id, struct sn_audit_keys *out_keys, struct sn_error *err)
{
    struct sn_audit_keys keys = {.count = 0};
    enum sn_status status = parse_lines(text, bare_id, &keys, err);

    if (status != SN_OK) {
        sn_audit_keys_clear(&keys);
        return status;
    }
    sn_audit_keys_clear(out_keys);
    *out_keys = keys;
    return SN_OK;
}
