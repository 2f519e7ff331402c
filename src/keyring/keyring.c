/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/keyring.c - which backend, and what holds for all of them.
 */
#include "keyring/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "keyring/backends.h"

struct sn_keyring {
    const struct sn_keyring_backend *backend;
    void *state;
};

const struct sn_keyring_backend *const *sn_keyring_backends(void)
{
    static const struct sn_keyring_backend *const backends[SN_KEYRING_BACKENDS_MAX + 1] = {
        &sn_keyring_file,
        &sn_keyring_kernel,
        NULL,
    };

    return backends;
}

/* --- Keys --- */

void sn_keyring_keys_clear(struct sn_keyring_keys *keys)
{
    sn_arena_clear(&keys->arena);
    *keys = (struct sn_keyring_keys){0};
}

bool sn_keyring_keys_add(struct sn_keyring_keys *keys, struct sn_slice key)
{
    if (keys->count == SN_KEYRING_ITEMS_MAX) {
        return false;
    }
    if (keys->items == NULL) {
        keys->items = sn_arena_alloc(&keys->arena, SN_KEYRING_ITEMS_MAX, sizeof(keys->items[0]));
    }
    keys->items[keys->count++] = sn_arena_str(&keys->arena, key);
    return true;
}

static int compare(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

bool sn_keyring_keys_has(const struct sn_keyring_keys *keys, const char *key)
{
    return keys->count > 0 && bsearch(&key, keys->items, keys->count, sizeof(keys->items[0]), compare) != NULL;
}

static void sort_keys(struct sn_keyring_keys *keys)
{
    size_t kept = 0;

    if (keys->count > 0) {
        qsort(keys->items, keys->count, sizeof(keys->items[0]), compare);
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (kept == 0 || strcmp(keys->items[kept - 1], keys->items[i]) != 0) {
            keys->items[kept++] = keys->items[i];
        }
    }
    keys->count = kept;
}

static enum sn_status check_key(struct sn_slice key, struct sn_error *err)
{
    if (key.len == 0 || key.len > SN_KEYRING_KEY_MAX || !sn_slice_is_utf8(key)) {
        return sn_fail(err, SN_INVALID, "KEYRING_BAD_KEY", "the name of an item is 1 to %d bytes of UTF-8 text",
            SN_KEYRING_KEY_MAX);
    }
    for (size_t i = 0; i < key.len; i++) {
        if ((unsigned char)key.ptr[i] < 0x20 || key.ptr[i] == 0x7f) {
            return sn_fail(err, SN_INVALID, "KEYRING_BAD_KEY", "the name of an item holds a control character");
        }
    }
    return SN_OK;
}

/* --- Opening --- */

static enum sn_status open_one(const struct sn_keyring_backend *backend, const struct sn_keyring_options *options,
    struct sn_keyring **out_keyring, struct sn_error *err)
{
    void *state = NULL;

    SN_TRY(backend->open(options, &state, err));
    struct sn_keyring *keyring = sn_alloc(1, sizeof(*keyring));
    keyring->backend = backend;
    keyring->state = state;
    *out_keyring = keyring;
    return SN_OK;
}

/* The names of the backends that open here, but for one. */
static void usable(const struct sn_keyring_options *options, const char *but, struct sn_buf *out)
{
    const struct sn_keyring_backend *const *backends = sn_keyring_backends();

    for (size_t i = 0; backends[i] != NULL; i++) {
        struct sn_error ignored;
        void *state = NULL;
        if (strcmp(backends[i]->name, but) == 0 || backends[i]->open(options, &state, &ignored) != SN_OK) {
            continue;
        }
        backends[i]->close(state);
        sn_buf_addf(out, "%s%s", out->len > 0 ? ", " : "", backends[i]->name);
    }
}

static enum sn_status unknown_backend(const char *name, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf list = {0};
    const struct sn_keyring_backend *const *backends = sn_keyring_backends();

    for (size_t i = 0; backends[i] != NULL; i++) {
        sn_buf_addf(&list, "%s%s", i > 0 ? ", " : "", backends[i]->name);
    }
    (void)sn_fail(err, SN_USAGE, "KEYRING_UNKNOWN", "the keyring backend '%.40s' is not available in this build", name);
    return sn_suggest(err, "there are: %s", sn_buf_str(&list));
}

static enum sn_status open_named(
    const struct sn_keyring_options *options, struct sn_keyring **out_keyring, struct sn_error *err)
{
    const struct sn_keyring_backend *const *backends = sn_keyring_backends();
    SN_AUTO(sn_buf_clear) struct sn_buf others = {0};

    for (size_t i = 0; backends[i] != NULL; i++) {
        if (strcmp(backends[i]->name, options->backend) != 0) {
            continue;
        }
        if (open_one(backends[i], options, out_keyring, err) == SN_OK) {
            return SN_OK;
        }
        (void)sn_error_context(err, "keyring '%s'", options->backend);
        if (err->suggestion[0] == '\0') {
            usable(options, options->backend, &others);
            return sn_suggest(err, "here these would work: %s", sn_buf_str(&others));
        }
        return err->status;
    }
    return unknown_backend(options->backend, err);
}

enum sn_status sn_keyring_open(
    const struct sn_keyring_options *options, struct sn_keyring **out_keyring, struct sn_error *err)
{
    const struct sn_keyring_backend *const *backends = sn_keyring_backends();
    SN_AUTO(sn_buf_clear) struct sn_buf reasons = SN_BUF_INIT(512);

    if (options->backend != NULL) {
        return open_named(options, out_keyring, err);
    }
    for (size_t i = 0; backends[i] != NULL; i++) {
        if (!backends[i]->is_automatic) {
            continue;
        }
        if (open_one(backends[i], options, out_keyring, err) == SN_OK) {
            return SN_OK;
        }
        sn_buf_addf(&reasons, "%s%s: %.120s", reasons.len > 0 ? "; " : "", backends[i]->name, err->message);
    }
    return sn_fail(
        err, SN_UNAVAILABLE, "KEYRING_UNAVAILABLE", "no keyring can be used here (%s)", sn_buf_str(&reasons));
}

void sn_keyring_close(struct sn_keyring *keyring)
{
    if (keyring != NULL) {
        keyring->backend->close(keyring->state);
        sn_free(keyring);
    }
}

void sn_keyring_close_p(struct sn_keyring **keyring)
{
    sn_keyring_close(*keyring);
    *keyring = NULL;
}

const char *sn_keyring_name(const struct sn_keyring *keyring)
{
    return keyring->backend->name;
}

/* --- Items --- */

enum sn_status sn_keyring_get(
    struct sn_keyring *keyring, const char *key, struct sn_secret *out_data, struct sn_error *err)
{
    SN_TRY(check_key(sn_slice_str(key), err));
    return keyring->backend->get(keyring->state, key, out_data, err);
}

enum sn_status sn_keyring_set(struct sn_keyring *keyring, const struct sn_keyring_item *item, struct sn_error *err)
{
    SN_TRY(check_key(item->key, err));
    if (item->data->len > SN_ITEM_DATA_MAX || item->data->len == 0) {
        return sn_fail(err, SN_LIMIT, "KEYRING_ITEM_TOO_LARGE", "an item has 1 to %d bytes of data", SN_ITEM_DATA_MAX);
    }
    return keyring->backend->set(keyring->state, item, err);
}

enum sn_status sn_keyring_remove(struct sn_keyring *keyring, const char *key, struct sn_error *err)
{
    SN_TRY(check_key(sn_slice_str(key), err));
    return keyring->backend->remove(keyring->state, key, err);
}

enum sn_status sn_keyring_list(struct sn_keyring *keyring, struct sn_keyring_keys *out_keys, struct sn_error *err)
{
    struct sn_keyring_keys keys = {0};
    enum sn_status status = keyring->backend->keys(keyring->state, &keys, err);

    if (status != SN_OK) {
        sn_keyring_keys_clear(&keys);
        return status;
    }
    sort_keys(&keys);
    sn_keyring_keys_clear(out_keys);
    *out_keys = keys;
    return SN_OK;
}

enum sn_status sn_keyring_path(const struct sn_env *env, const char *option, const char *variable, const char *fallback,
    char out[SN_KEYRING_PATH_MAX], struct sn_error *err)
{
    const char *path = option != NULL ? option : env->get(env->ctx, variable);
    const char *home = env->get(env->ctx, "HOME");

    path = path != NULL ? path : fallback;
    bool is_home = strncmp(path, "~/", 2) == 0;
    if (is_home && home == NULL) {
        return sn_fail(err, SN_UNAVAILABLE, "KEYRING_UNAVAILABLE", "HOME is not set, so '%.100s' leads nowhere", path);
    }
    int len = snprintf(out, SN_KEYRING_PATH_MAX, "%s%s", is_home ? home : "", is_home ? path + 1 : path);
    if (len < 0 || len >= SN_KEYRING_PATH_MAX) {
        return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "'%.100s' is too long a path", path);
    }
    while (len > 1 && out[len - 1] == '/') {
        out[--len] = '\0';
    }
    return SN_OK;
}
