/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/key_file.c - reading and making key files.
 */
#include "store/key_file.h"

#include <string.h>

#include "base/fs.h"
#include "store/sqlite.h"

enum { KEY_LEN = 32, KEY_FILE_MODE = 0600, KEY_FILE_FORBIDDEN = 0077 };

static enum sn_status make_file(const char *path, const struct sn_random *maker, struct sn_error *err)
{
    unsigned char bytes[KEY_LEN];
    SN_AUTO(sn_buf_clear) struct sn_buf line = {0};
    enum sn_status status = sn_random_fill(maker, bytes, sizeof(bytes), err);

    if (status == SN_OK) {
        sn_buf_add_str(&line, "k1:");
        sn_buf_add_hex(&line, bytes, sizeof(bytes));
        sn_buf_add_byte(&line, '\n');
        status = sn_fs_write_new(path, KEY_FILE_MODE, sn_buf_slice(&line), err);
    }
    sn_wipe(bytes, sizeof(bytes));
    return status;
}

enum sn_status sn_audit_key_file_load(const char *path, const char *bare_id, const struct sn_random *maker,
    struct sn_audit_keys *out_keys, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};

    if (maker != NULL && !sn_fs_exists(path)) {
        enum sn_status status = make_file(path, maker, err);
        /* Somebody else made it in the meantime: theirs is read. */
        if (status != SN_OK && !sn_error_is(err, "FILE_EXISTS")) {
            return status;
        }
    }
    SN_TRY(sn_fs_read_secret(path, SN_AUDIT_KEY_FILE_MAX, KEY_FILE_FORBIDDEN, &text, err));
    if (sn_audit_keys_parse(sn_secret_reveal(&text), bare_id, out_keys, err) != SN_OK) {
        return sn_error_context(err, "key file '%s'", path);
    }
    return SN_OK;
}

enum sn_status sn_seal_keys_from(struct sn_audit_keys *keys, struct sn_seal_keys *out_keys, struct sn_error *err)
{
    if (keys->count > SN_SEAL_KEYS_MAX) {
        return sn_fail(err, SN_LIMIT, "INVALID_STATE_KEY", "there are more than %d sealing keys", SN_SEAL_KEYS_MAX);
    }
    sn_seal_keys_clear(out_keys);
    for (size_t i = 0; i < keys->count; i++) {
        struct sn_audit_key *key = &keys->keys[keys->count - 1 - i];
        memcpy(out_keys->keys[i].id, key->id, sizeof(out_keys->keys[i].id));
        sn_secret_move(&out_keys->keys[i].key, &key->key);
    }
    out_keys->count = keys->count;
    return SN_OK;
}

enum sn_status sn_seal_key_file_load(const char *path, const char *bare_id, const struct sn_random *maker,
    struct sn_seal_keys *out_keys, struct sn_error *err)
{
    SN_AUTO(sn_audit_keys_clear) struct sn_audit_keys keys = {.count = 0};

    SN_TRY(sn_audit_key_file_load(path, bare_id, maker, &keys, err));
    return sn_seal_keys_from(&keys, out_keys, err) == SN_OK ? SN_OK : sn_error_context(err, "key file '%s'", path);
}

enum sn_status sn_seal_key_file_load_for(const char *path, const char *bare_id, const char *db_path,
    const struct sn_random *maker, struct sn_seal_keys *out_keys, struct sn_error *err)
{
    if (!sn_fs_exists(path)) {
        bool holds_rows = false;
        SN_TRY(sn_sqlite_holds_rows(db_path, &holds_rows, err));
        if (holds_rows) {
            sn_fail(err, SN_NOT_FOUND, "STATE_KEY_LOST",
                "the database '%s' holds records, but its sealing key '%s' is gone", db_path, path);
            return sn_suggest(err, "put the key file back from a backup; a new key could not check the records");
        }
    }
    return sn_seal_key_file_load(path, bare_id, maker, out_keys, err);
}
