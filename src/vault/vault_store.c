/* SPDX-License-Identifier: Apache-2.0 */
/* vault/vault_store.c - see vault_store.h. */
#include "vault/vault_store.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/time.h"

enum { REMEMBERED_MAX = 32 };

struct sn_vault_store {
    struct sn_vault_store_options options;
    struct sn_keyring *keyring;
    bool is_opened; /* or found to be none */
    char remembered[REMEMBERED_MAX];
    bool is_remembered_read;
};

void sn_vault_store_new(const struct sn_vault_store_options *options, struct sn_vault_store **out_store)
{
    struct sn_vault_store *store = sn_alloc(1, sizeof(*store));

    store->options = *options;
    *out_store = store;
}

void sn_vault_store_free(struct sn_vault_store *store)
{
    if (store != NULL) {
        sn_keyring_close(store->keyring);
        sn_free(store);
    }
}

void sn_vault_store_free_p(struct sn_vault_store **store)
{
    sn_vault_store_free(*store);
    *store = NULL;
}

void sn_vault_store_set_no_cache(struct sn_vault_store *store, bool no_cache)
{
    store->options.no_cache = no_cache;
}

static void warn(const struct sn_vault_store *store, const struct sn_error *err)
{
    if (store->options.warn != NULL) {
        store->options.warn(store->options.ctx, err);
    }
}

static int64_t now(const struct sn_vault_store *store)
{
    return sn_clock_unix_s(store->options.keyring.clock);
}

/* --- Which keyring --- */

static bool state_path(const struct sn_vault_store *store, char out[SN_KEYRING_PATH_MAX])
{
    const struct sn_env *env = store->options.keyring.env;
    const char *state = env->get(env->ctx, "XDG_STATE_HOME");
    char dir[SN_KEYRING_PATH_MAX];
    struct sn_error ignored;

    return sn_keyring_path(env, state, "", "~/.local/state", dir, &ignored) == SN_OK &&
           sn_path_join(out, SN_KEYRING_PATH_MAX, dir, "sentinel/keyring", &ignored) == SN_OK;
}

const char *sn_vault_store_remembered(struct sn_vault_store *store)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char path[SN_KEYRING_PATH_MAX];
    struct sn_error ignored;

    if (!store->is_remembered_read && state_path(store, path) &&
        sn_fs_read(path, REMEMBERED_MAX - 1, &text, &ignored) == SN_OK) {
        struct sn_slice name = sn_slice_trim_space(sn_buf_slice(&text));
        if (sn_slice_is_alnum_or(name, "-")) {
            (void)snprintf(store->remembered, sizeof(store->remembered), "%.*s", SN_PRI(name));
        }
    }
    store->is_remembered_read = true;
    return store->remembered;
}

enum sn_status sn_vault_store_remember(struct sn_vault_store *store, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char path[SN_KEYRING_PATH_MAX];
    char dir[SN_KEYRING_PATH_MAX];

    if (store->keyring == NULL || !state_path(store, path) ||
        strcmp(sn_vault_store_remembered(store), sn_keyring_name(store->keyring)) == 0) {
        return SN_OK;
    }
    sn_buf_addf(&text, "%s\n", sn_keyring_name(store->keyring));
    (void)snprintf(dir, sizeof(dir), "%.*s", (int)(strlen(path) - (sizeof("/keyring") - 1)), path);
    SN_TRY(sn_fs_make_dir(dir, 0700, err));
    return sn_fs_write_atomic(path, 0600, sn_buf_slice(&text), err);
}

enum sn_status sn_vault_store_keyring(
    struct sn_vault_store *store, struct sn_keyring **out_keyring, struct sn_error *err)
{
    struct sn_keyring_options options = store->options.keyring;

    if (!store->is_opened) {
        const char *remembered = sn_vault_store_remembered(store);
        if (options.backend == NULL && remembered[0] != '\0') {
            options.backend = remembered;
        }
        if (options.backend != NULL || !store->options.only_if_known) {
            SN_TRY(sn_keyring_open(&options, &store->keyring, err));
        }
        store->is_opened = true;
    }
    *out_keyring = store->keyring;
    return SN_OK;
}

/* --- Credentials --- */

static bool to_key(struct sn_slice profile, char out[SN_KEYRING_KEY_MAX + 1])
{
    struct sn_error ignored;

    if (sn_stored_check_profile(profile, &ignored) != SN_OK) {
        return false;
    }
    (void)snprintf(out, SN_KEYRING_KEY_MAX + 1, "%.*s", SN_PRI(profile));
    return true;
}

bool sn_vault_store_has(struct sn_vault_store *store, struct sn_slice profile)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    struct sn_keyring *keyring = NULL;
    struct sn_error err = {0};
    char key[SN_KEYRING_KEY_MAX + 1];

    if (!to_key(profile, key)) {
        return false;
    }
    if (sn_vault_store_keyring(store, &keyring, &err) != SN_OK ||
        (keyring != NULL && sn_keyring_list(keyring, &keys, &err) != SN_OK)) {
        warn(store, &err);
        store->is_opened = true; /* told once */
        return false;
    }
    return keyring != NULL && sn_keyring_keys_has(&keys, key);
}

enum sn_status sn_vault_store_find(struct sn_vault_store *store, struct sn_slice profile,
    struct sn_credentials *out_credentials, bool *out_found, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    struct sn_keyring *keyring = NULL;
    char key[SN_KEYRING_KEY_MAX + 1];

    *out_found = false;
    if (!to_key(profile, key)) {
        return SN_OK;
    }
    SN_TRY(sn_vault_store_keyring(store, &keyring, err));
    if (keyring == NULL) {
        return SN_OK;
    }
    if (sn_keyring_get(keyring, key, &text, err) != SN_OK) {
        return sn_error_is(err, "KEYRING_NOT_FOUND") ? SN_OK : err->status;
    }
    if (sn_stored_credential_parse(sn_secret_reveal(&text), out_credentials, err) != SN_OK) {
        return sn_error_context(err, "stored credentials for '%s' are unreadable", key);
    }
    *out_found = true;
    return SN_OK;
}

enum sn_status sn_vault_store_put(struct sn_vault_store *store, struct sn_slice profile,
    const struct sn_credentials *credentials, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf label = {0};
    struct sn_keyring *keyring = NULL;

    SN_TRY(sn_stored_check_profile(profile, err));
    SN_TRY(sn_vault_store_keyring(store, &keyring, err));
    SN_ASSERT(keyring != NULL);
    sn_stored_credential_format(credentials, &text);
    sn_buf_addf(&label, "aws-vault (%.*s)", SN_PRI(profile));
    const struct sn_keyring_item item = {.key = profile, .data = &text, .label = sn_buf_slice(&label)};
    return sn_keyring_set(keyring, &item, err);
}

/* --- Sessions --- */

static bool is_same_session(
    const struct sn_session_key *key, const char *type, struct sn_slice profile, struct sn_slice mfa_serial)
{
    return strcmp(key->type, type) == 0 && sn_slice_eq_str(profile, key->profile) &&
           sn_slice_eq_str(mfa_serial, key->source);
}

bool sn_vault_store_find_session(struct sn_vault_store *store, const char *type, struct sn_slice profile,
    struct sn_slice mfa_serial, int64_t min_ttl_s, struct sn_credentials *out_credentials)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    struct sn_keyring *keyring = NULL;
    struct sn_error err = {0};

    if (store->options.no_cache) {
        return false;
    }
    if (sn_vault_store_keyring(store, &keyring, &err) != SN_OK || keyring == NULL ||
        sn_keyring_list(keyring, &keys, &err) != SN_OK) {
        return false; /* the keys themselves came from there: nothing new to tell */
    }
    for (size_t i = 0; i < keys.count; i++) {
        SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
        struct sn_session_key key = {0};
        if (!sn_session_key_parse(sn_slice_str(keys.items[i]), &key) ||
            !is_same_session(&key, type, profile, mfa_serial) || key.expires_unix_s - now(store) < min_ttl_s) {
            continue;
        }
        if (sn_keyring_get(keyring, keys.items[i], &text, &err) != SN_OK) {
            warn(store, &err);
            continue;
        }
        if (sn_stored_session_parse(sn_secret_reveal(&text), out_credentials, &err) == SN_OK &&
            out_credentials->expires_unix_s - now(store) >= min_ttl_s) {
            return true;
        }
    }
    sn_credentials_clear(out_credentials);
    return false;
}

/* After a new session was stored: older ones of its kind, and all that have expired. */
static void prune(
    struct sn_vault_store *store, struct sn_keyring *keyring, const char *kept, const struct sn_session_key *like)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    struct sn_error ignored;

    if (sn_keyring_list(keyring, &keys, &ignored) != SN_OK) {
        return;
    }
    for (size_t i = 0; i < keys.count; i++) {
        struct sn_session_key key = {0};
        if (strcmp(keys.items[i], kept) == 0 || !sn_session_key_parse(sn_slice_str(keys.items[i]), &key)) {
            continue;
        }
        if (key.expires_unix_s <= now(store) ||
            is_same_session(&key, like->type, sn_slice_str(like->profile), sn_slice_str(like->source))) {
            (void)!sn_keyring_remove(keyring, keys.items[i], &ignored);
        }
    }
}

void sn_vault_store_put_session(struct sn_vault_store *store, const char *type, struct sn_slice profile,
    struct sn_slice mfa_serial, const struct sn_credentials *credentials)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf label = {0};
    struct sn_keyring *keyring = NULL;
    struct sn_error err = {0};
    struct sn_session_key parts = {.expires_unix_s = credentials->expires_unix_s};
    char time[SN_TIME_TEXT_MAX];

    if (store->options.no_cache || profile.len > SN_STORED_NAME_MAX || mfa_serial.len > SN_MFA_SERIAL_MAX ||
        sn_vault_store_keyring(store, &keyring, &err) != SN_OK || keyring == NULL) {
        return;
    }
    (void)snprintf(parts.type, sizeof(parts.type), "%s", type);
    (void)snprintf(parts.profile, sizeof(parts.profile), "%.*s", SN_PRI(profile));
    (void)snprintf(parts.source, sizeof(parts.source), "%.*s", SN_PRI(mfa_serial));
    sn_session_key_format(&parts, &key);
    sn_stored_session_format(credentials, &text);
    sn_buf_addf(&label, "aws-vault session for %s (expires %s)", parts.profile,
        sn_time_format_rfc3339_s(parts.expires_unix_s, time).ptr);
    const struct sn_keyring_item item = {.key = sn_buf_slice(&key),
        .data = &text,
        .label = sn_buf_slice(&label),
        .description = SN_S("aws-vault session"),
        .expires_unix_s = parts.expires_unix_s};
    if (sn_keyring_set(keyring, &item, &err) != SN_OK) {
        warn(store, &err);
        return;
    }
    prune(store, keyring, sn_buf_str(&key), &parts);
}

/* An item with the name of an old session whose text is a long-lived key is somebody's credential. */
static bool is_really_session(struct sn_keyring *keyring, const char *key)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials read = {0};
    struct sn_error ignored;

    return sn_keyring_get(keyring, key, &text, &ignored) == SN_OK &&
           sn_stored_session_parse(sn_secret_reveal(&text), &read, &ignored) == SN_OK;
}

static bool is_wanted(const struct sn_vault_store *store, struct sn_keyring *keyring, const char *key,
    const struct sn_session_filter *filter)
{
    struct sn_session_key parts = {0};

    if (sn_stored_kind_of(sn_slice_str(key)) == SN_STORED_OLD_SESSION) {
        return filter->profile.len == 0 && !filter->only_expired && is_really_session(keyring, key);
    }
    if (!sn_session_key_parse(sn_slice_str(key), &parts)) {
        return false;
    }
    if (filter->profile.len > 0 && !sn_slice_eq_str(filter->profile, parts.profile)) {
        return false;
    }
    return !filter->only_expired || parts.expires_unix_s <= now(store);
}

enum sn_status sn_vault_store_drop_sessions(struct sn_vault_store *store, const struct sn_session_filter *filter,
    size_t *out_dropped, size_t *out_failed, struct sn_error *err)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    struct sn_keyring *keyring = NULL;
    struct sn_error ignored;

    *out_dropped = 0;
    *out_failed = 0;
    SN_TRY(sn_vault_store_keyring(store, &keyring, err));
    if (keyring == NULL) {
        return SN_OK;
    }
    SN_TRY(sn_keyring_list(keyring, &keys, err));
    for (size_t i = 0; i < keys.count; i++) {
        if (!is_wanted(store, keyring, keys.items[i], filter)) {
            continue;
        }
        if (sn_keyring_remove(keyring, keys.items[i], &ignored) == SN_OK) {
            (*out_dropped)++;
        } else {
            (*out_failed)++;
        }
    }
    return SN_OK;
}
