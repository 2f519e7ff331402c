/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/file.c - one encrypted file for each item, in a directory of mode 0700.
 *
 * A file's name is the key with '/' and '%' percent-encoded; names that begin with a dot are no items. A new content is
 * written beside the old one and renamed over it, so that a crash leaves the one or the other. A writer holds a lock on
 * the directory: two of them cannot start one store under two passphrases, and what a killed writer left is removed by
 * the next.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "keyring/backends.h"
#include "keyring/jwe.h"
#include "keyring/passphrase.h"

enum { NAME_BYTES_MAX = 255, DIR_MODE = 0700, ITEM_MODE = 0600, LOCK_WAIT_MS = 60000, LOCK_STEP_MS = 20 };

#define TEMPORARY_PREFIX ".sentinel-"
#define TEMPORARY_SUFFIX ".tmp"

struct state {
    char dir[SN_KEYRING_PATH_MAX];
    struct sn_passphrase passphrase;
    bool is_witnessed; /* the passphrase has opened an item of the store */
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    uint32_t iterations;
};

static enum sn_status open_file(const struct sn_keyring_options *options, void **out_state, struct sn_error *err)
{
    char dir[SN_KEYRING_PATH_MAX];

    SN_TRY(sn_keyring_path(options->env, options->file_dir, "AWS_VAULT_FILE_DIR", "~/.awsvault/keys", dir, err));
    struct state *state = sn_alloc(1, sizeof(*state));
    (void)snprintf(state->dir, sizeof(state->dir), "%s", dir);
    state->passphrase = (struct sn_passphrase){.env = options->env, .prompt = options->prompt, .place = state->dir};
    state->clock = options->clock;
    state->random_source = options->random_source;
    state->iterations = options->file_iterations;
    *out_state = state;
    return SN_OK;
}

static void close_file(void *ctx)
{
    struct state *state = ctx;

    sn_passphrase_clear(&state->passphrase);
    sn_free(state);
}

/* --- Names --- */

static enum sn_status bad_key(const char *key, const char *why, struct sn_error *err)
{
    return sn_fail(err, SN_INVALID, "KEYRING_BAD_KEY", "'%.100s' cannot be the name of an item: %s", key, why);
}

static enum sn_status name_of(const char *key, struct sn_buf *out_name, struct sn_error *err)
{
    for (const char *at = key; *at != '\0'; at++) {
        if (*at == '/' || *at == '%') {
            sn_buf_addf(out_name, "%%%02X", (unsigned char)*at);
        } else {
            sn_buf_add_byte(out_name, *at);
        }
    }
    if (key[0] == '.') {
        return bad_key(key, "it begins with a dot", err);
    }
    if (out_name->len > NAME_BYTES_MAX) {
        return bad_key(key, "as the name of a file it is longer than 255 bytes", err);
    }
    return SN_OK;
}

static int digit(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* False: a file that is no item. */
static bool key_of(const char *name, struct sn_buf *out_key)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (*at != '%') {
            sn_buf_add_byte(out_key, *at);
            continue;
        }
        int high = digit(at[1]);
        int low = high < 0 ? -1 : digit(at[2]);
        if (low < 0 || high * 16 + low == 0) {
            return false;
        }
        sn_buf_add_byte(out_key, (char)(high * 16 + low));
        at += 2;
    }
    return name[0] != '.' && out_key->len > 0;
}

static enum sn_status path_of(
    const struct state *state, const char *key, char out_path[SN_KEYRING_PATH_MAX], struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf name = {0};

    SN_TRY(name_of(key, &name, err));
    return sn_path_join(out_path, SN_KEYRING_PATH_MAX, state->dir, sn_buf_str(&name), err);
}

/* --- The directory --- */

/* -1 with SN_OK: there is none yet. */
static enum sn_status open_dir(const struct state *state, int *out_fd, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = open(state->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st = {0};

    *out_fd = -1;
    if (fd < 0 && errno == ENOENT) {
        return SN_OK;
    }
    if (fd < 0 || fstat(fd, &st) != 0) {
        return sn_fail_errno(err, "KEYRING_UNAVAILABLE", errno, "cannot open the keyring directory '%s'", state->dir);
    }
    if ((st.st_mode & 0077) != 0 || (st.st_uid != geteuid() && st.st_uid != 0)) {
        (void)sn_fail(
            err, SN_INVALID, "KEYRING_PERMISSIONS", "others may read or change the keyring directory '%s'", state->dir);
        return sn_suggest(err, "chmod 700 '%s'", state->dir);
    }
    *out_fd = fd;
    fd = -1;
    return SN_OK;
}

/* Makes it when it is missing, and waits for other writers. */
static enum sn_status lock_dir(const struct state *state, int *out_fd, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = -1;
    const struct sn_clock *clock = sn_clock_system();
    int64_t end_ms = sn_clock_mono_ms(clock) + LOCK_WAIT_MS;

    SN_TRY(sn_fs_make_dir(state->dir, DIR_MODE, err));
    SN_TRY(open_dir(state, &fd, err));
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || sn_clock_mono_ms(clock) >= end_ms) {
            return sn_fail(err, SN_UNAVAILABLE, "KEYRING_LOCKED",
                "another process has been writing to the keyring directory '%s' for a minute", state->dir);
        }
        (void)poll(NULL, 0, LOCK_STEP_MS);
    }
    if (fd < 0) {
        return sn_fail(err, SN_UNAVAILABLE, "KEYRING_UNAVAILABLE", "the keyring directory '%s' is gone", state->dir);
    }
    *out_fd = fd;
    fd = -1;
    return SN_OK;
}

static bool is_temporary(const char *name)
{
    return sn_slice_has_prefix(sn_slice_str(name), SN_S(TEMPORARY_PREFIX)) &&
           sn_slice_has_suffix(sn_slice_str(name), SN_S(TEMPORARY_SUFFIX));
}

/* Each item's key; and, for a writer, what writers before it left unfinished is removed. */
static enum sn_status scan(int dir_fd, bool is_writer, struct sn_keyring_keys *out_keys, struct sn_error *err)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool fits = true;

    if (dir == NULL) {
        sn_fd_close(&fd);
        return sn_fail_errno(err, "KEYRING_UNAVAILABLE", errno, "cannot list the keyring directory");
    }
    for (struct dirent *entry = readdir(dir); entry != NULL && fits; entry = readdir(dir)) {
        SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
        struct stat st = {0};
        if (is_writer && is_temporary(entry->d_name)) {
            (void)unlinkat(dir_fd, entry->d_name, 0);
        }
        if (entry->d_name[0] == '.' || fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode) || !key_of(entry->d_name, &key)) {
            continue;
        }
        fits = sn_keyring_keys_add(out_keys, sn_buf_slice(&key));
    }
    (void)closedir(dir);
    if (!fits) {
        return sn_fail(err, SN_LIMIT, "KEYRING_TOO_MANY", "the keyring holds more than %d items", SN_KEYRING_ITEMS_MAX);
    }
    return SN_OK;
}

/* --- Items --- */

static enum sn_status not_found(const struct state *state, const char *key, struct sn_error *err)
{
    return sn_fail(err, SN_NOT_FOUND, "KEYRING_NOT_FOUND", "'%s' has no item '%.200s'", state->dir, key);
}

/* The file of an item, unopened. */
static enum sn_status read_item(
    const struct state *state, const char *key, struct sn_secret *out_text, struct sn_error *err)
{
    char path[SN_KEYRING_PATH_MAX];

    SN_TRY(path_of(state, key, path, err));
    if (sn_fs_read_secret(path, SN_JWE_MAX_BYTES, 0077, out_text, err) != SN_OK) {
        if (err->status == SN_NOT_FOUND) {
            return not_found(state, key, err);
        }
        return sn_error_is(err, "FILE_TOO_LARGE")
                   ? sn_fail(err, SN_PROTOCOL, "KEYRING_CORRUPT", "item '%.100s' is longer than 256 KiB", key)
                   : err->status;
    }
    return SN_OK;
}

/* An item that waits for the passphrase. */
struct opening {
    struct sn_jwe jwe;
    struct sn_secret plain;
};

static void opening_clear(struct opening *opening)
{
    sn_jwe_clear(&opening->jwe);
    sn_secret_clear(&opening->plain);
}

static enum sn_status try_open(void *ctx, const struct sn_secret *value, struct sn_error *err)
{
    struct opening *opening = ctx;

    return sn_jwe_open(&opening->jwe, value, &opening->plain, err);
}

static enum sn_status get(void *ctx, const char *key, struct sn_secret *out_data, struct sn_error *err)
{
    struct state *state = ctx;
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    SN_AUTO(opening_clear) struct opening opening = {0};
    SN_AUTO(sn_fd_close) int dir_fd = -1;

    SN_TRY(open_dir(state, &dir_fd, err));
    if (dir_fd < 0) {
        return not_found(state, key, err);
    }
    SN_TRY(read_item(state, key, &text, err));
    enum sn_status status = sn_jwe_parse(sn_secret_reveal(&text), &opening.jwe, err);
    if (status == SN_OK) {
        status = sn_passphrase_open(&state->passphrase, try_open, &opening, err);
    }
    if (status == SN_OK) {
        state->is_witnessed = true;
        status = sn_item_parse(sn_secret_reveal(&opening.plain), sn_slice_str(key), out_data, err);
    }
    if (status != SN_OK && sn_error_is(err, "KEYRING_CORRUPT")) {
        return sn_error_context(err, "item '%.100s' in '%s'", key, state->dir);
    }
    return status;
}

/* Some item that can be parsed, to try a passphrase on. SN_OK with *out_found false: there is none at all. */
static enum sn_status find_witness(const struct state *state, const struct sn_keyring_keys *keys,
    struct sn_secret *text, struct opening *opening, bool *out_found, struct sn_error *err)
{
    *out_found = false;
    for (size_t i = 0; i < keys->count; i++) {
        if (read_item(state, keys->items[i], text, err) == SN_OK &&
            sn_jwe_parse(sn_secret_reveal(text), &opening->jwe, err) == SN_OK) {
            *out_found = true;
            return SN_OK;
        }
    }
    if (keys->count > 0) {
        (void)sn_fail(err, SN_PROTOCOL, "KEYRING_CORRUPT",
            "none of the files in '%s' can be read, so the passphrase cannot be checked", state->dir);
        return sn_suggest(err, "move them away, or name another directory with --file-dir");
    }
    return SN_OK;
}

/* Whatever is stored from now on is under the passphrase of what is there. */
static enum sn_status unlock_for_writing(struct state *state, const struct sn_keyring_keys *keys, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    SN_AUTO(opening_clear) struct opening opening = {0};
    bool is_found = false;

    if (state->is_witnessed) {
        return SN_OK;
    }
    SN_TRY(find_witness(state, keys, &text, &opening, &is_found, err));
    if (!is_found) {
        return sn_passphrase_choose(&state->passphrase, err);
    }
    SN_TRY(sn_passphrase_open(&state->passphrase, try_open, &opening, err));
    state->is_witnessed = true;
    return SN_OK;
}

/* A person types before the lock is taken, so that nobody waits for them. */
static enum sn_status unlock_early(struct state *state, struct sn_error *err)
{
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    SN_AUTO(sn_fd_close) int dir_fd = -1;

    SN_TRY(open_dir(state, &dir_fd, err));
    if (dir_fd >= 0) {
        SN_TRY(scan(dir_fd, false, &keys, err));
    }
    return unlock_for_writing(state, &keys, err);
}

static enum sn_status write_item(
    const struct state *state, const char *path, struct sn_slice text, struct sn_error *err)
{
    char temporary[SN_KEYRING_PATH_MAX];
    char name[sizeof(TEMPORARY_PREFIX TEMPORARY_SUFFIX) + SN_ID_LEN];
    struct sn_id id;

    SN_TRY(sn_id_new(state->random_source, &id, err));
    (void)snprintf(name, sizeof(name), "%s%s%s", TEMPORARY_PREFIX, id.text, TEMPORARY_SUFFIX);
    SN_TRY(sn_path_join(temporary, sizeof(temporary), state->dir, name, err));
    SN_TRY(sn_fs_write_new(temporary, ITEM_MODE, text, err));
    if (rename(temporary, path) != 0) {
        (void)sn_fail_errno(err, "FILE_RENAME", errno, "cannot replace '%s'", path);
        (void)unlink(temporary);
        return err->status;
    }
    return sn_fs_sync_dir_of(path, err);
}

static enum sn_status set(void *ctx, const struct sn_keyring_item *item, struct sn_error *err)
{
    struct state *state = ctx;
    SN_AUTO(sn_fd_close) int dir_fd = -1;
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf json = SN_BUF_INIT(SN_ITEM_JSON_MAX);
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(SN_JWE_MAX_BYTES);
    char key[SN_KEYRING_KEY_MAX + 1];
    char path[SN_KEYRING_PATH_MAX];

    (void)snprintf(key, sizeof(key), "%.*s", SN_PRI(item->key));
    SN_TRY(path_of(state, key, path, err));
    SN_TRY(unlock_early(state, err));
    SN_TRY(lock_dir(state, &dir_fd, err));
    SN_TRY(scan(dir_fd, true, &keys, err));
    SN_TRY(unlock_for_writing(state, &keys, err)); /* somebody may have been faster with the first item */
    SN_TRY(sn_item_format(item, &json, err));
    const struct sn_jwe_seal how = {.passphrase = &state->passphrase.value,
        .iterations = state->iterations,
        .created_unix_s = sn_clock_unix_s(state->clock),
        .random_source = state->random_source};
    SN_TRY(sn_jwe_seal(&how, sn_buf_slice(&json), &text, err));
    return write_item(state, path, sn_buf_slice(&text), err);
}

static enum sn_status remove_item(void *ctx, const char *key, struct sn_error *err)
{
    struct state *state = ctx;
    SN_AUTO(sn_fd_close) int dir_fd = -1;
    char path[SN_KEYRING_PATH_MAX];

    SN_TRY(path_of(state, key, path, err));
    SN_TRY(open_dir(state, &dir_fd, err));
    if (dir_fd < 0) {
        return not_found(state, key, err);
    }
    if (unlink(path) != 0) {
        return errno == ENOENT ? not_found(state, key, err)
                               : sn_fail_errno(err, "KEYRING_DENIED", errno, "cannot remove '%s'", path);
    }
    return sn_fs_sync_dir_of(path, err);
}

static enum sn_status keys(void *ctx, struct sn_keyring_keys *out_keys, struct sn_error *err)
{
    struct state *state = ctx;
    SN_AUTO(sn_fd_close) int dir_fd = -1;

    SN_TRY(open_dir(state, &dir_fd, err));
    return dir_fd < 0 ? SN_OK : scan(dir_fd, false, out_keys, err);
}

const struct sn_keyring_backend sn_keyring_file = {
    .name = "file",
    .is_automatic = true,
    .open = open_file,
    .close = close_file,
    .get = get,
    .set = set,
    .remove = remove_item,
    .keys = keys,
};
