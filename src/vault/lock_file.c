/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/lock_file.c - flock(2) on a file of our own.
 */
#include "vault/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/parse.h"

enum { PID_TEXT_MAX = 32 };

static enum sn_status find_dir(const struct sn_env *env, char out_dir[SN_LOCK_PATH_MAX], struct sn_error *err)
{
    const struct {
        const char *variable, *below;
    } places[] = {
        {"XDG_RUNTIME_DIR", "sentinel/locks"},
        {"XDG_STATE_HOME", "sentinel/locks"},
        {"HOME", ".local/state/sentinel/locks"},
    };

    for (size_t i = 0; i < SN_LEN(places); i++) {
        const char *base = env->get(env->ctx, places[i].variable);
        if (base != NULL && base[0] == '/') {
            return sn_path_join(out_dir, SN_LOCK_PATH_MAX, base, places[i].below, err);
        }
    }
    return sn_fail(err, SN_NOT_FOUND, "LOCK_UNAVAILABLE", "neither XDG_RUNTIME_DIR nor HOME names a directory");
}

enum sn_status sn_lock_file_path(
    const struct sn_env *env, const char *name, char out_path[SN_LOCK_PATH_MAX], struct sn_error *err)
{
    char dir[SN_LOCK_PATH_MAX];
    struct stat st;

    SN_TRY(find_dir(env, dir, err));
    if (sn_fs_make_dir(dir, 0700, err) != SN_OK || lstat(dir, &st) != 0) {
        return sn_fail(err, SN_IO, "LOCK_UNAVAILABLE", "cannot make the directory '%s'", dir);
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)sn_fail(err, SN_DENIED, "LOCK_UNAVAILABLE", "others can change the directory '%s'", dir);
        return sn_suggest(err, "remove it, or run: chmod 700 '%s'", dir);
    }
    return sn_path_join(out_path, SN_LOCK_PATH_MAX, dir, name, err);
}

enum sn_status sn_lock_file_open(
    struct sn_lock_file *lock, const struct sn_env *env, const char *name, struct sn_error *err)
{
    char path[SN_LOCK_PATH_MAX];

    SN_TRY(sn_lock_file_path(env, name, path, err));
    lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock->fd < 0) {
        return sn_fail_errno(err, "LOCK_UNAVAILABLE", errno, "cannot open '%s'", path);
    }
    return SN_OK;
}

bool sn_lock_file_try(struct sn_lock_file *lock)
{
    char text[PID_TEXT_MAX];

    if (lock->fd < 0 || flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    lock->is_held = true;
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    /* Only a message reads it. */
    if (ftruncate(lock->fd, 0) == 0 && pwrite(lock->fd, text, (size_t)len, 0) != len) {
        return true;
    }
    return true;
}

int64_t sn_lock_file_holder(const struct sn_lock_file *lock)
{
    char text[PID_TEXT_MAX];
    int64_t pid = 0;
    struct sn_error ignored;

    ssize_t len = lock->fd < 0 ? 0 : pread(lock->fd, text, sizeof(text), 0);
    struct sn_slice number = sn_slice_trim_space(sn_slice_bytes(text, len < 0 ? 0 : (size_t)len));
    return sn_parse_int(number, 1, INT32_MAX, &pid, &ignored) == SN_OK ? pid : 0;
}

void sn_lock_file_close(struct sn_lock_file *lock)
{
    sn_fd_close(&lock->fd); /* the kernel gives the lock up */
    lock->is_held = false;
}
