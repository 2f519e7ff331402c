/* SPDX-License-Identifier: Apache-2.0 */
/* base/fs.c - files; see fs.h. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

void sn_fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

enum sn_status sn_fd_write_all(int fd, struct sn_slice bytes, struct sn_error *err)
{
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) { /* nothing taken and no error: going on could last for ever */
            return sn_fail_errno(err, "FILE_WRITE", done < 0 ? errno : EIO, "cannot write");
        }
        bytes = sn_slice_sub(bytes, (size_t)done, bytes.len);
    }
    return SN_OK;
}

/* Reads at most max bytes; one more is asked for so that a longer file is noticed. */
static enum sn_status read_fd(int fd, const char *path, size_t max, void *bytes, size_t *out_len, struct sn_error *err)
{
    char *at = bytes;
    size_t len = 0;

    while (len <= max) {
        ssize_t got = read(fd, at + len, max + 1 - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return sn_fail_errno(err, "FILE_READ", errno, "cannot read '%s'", path);
        }
        if (got == 0) {
            *out_len = len;
            return SN_OK;
        }
        len += (size_t)got;
    }
    return sn_fail(err, SN_LIMIT, "FILE_TOO_LARGE", "'%s' is larger than %zu bytes", path, max);
}

static enum sn_status open_regular(
    const char *path, int extra_flags, int *out_fd, struct stat *out_stat, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | extra_flags);

    if (fd < 0 && errno == ELOOP) {
        return sn_fail(err, SN_DENIED, "FILE_IS_LINK", "'%s' is a symbolic link", path);
    }
    if (fd < 0) {
        return sn_fail_errno(err, "FILE_OPEN", errno, "cannot open '%s'", path);
    }
    if (fstat(fd, out_stat) != 0) {
        return sn_fail_errno(err, "FILE_OPEN", errno, "cannot examine '%s'", path);
    }
    if (!S_ISREG(out_stat->st_mode)) {
        return sn_fail(err, SN_INVALID, "FILE_NOT_REGULAR", "'%s' is not a regular file", path);
    }
    *out_fd = fd;
    fd = -1;
    return SN_OK;
}

enum sn_status sn_fs_read_examined(
    const char *path, size_t max_bytes, struct stat *out_facts, struct sn_buf *out_text, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = -1;
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(max_bytes + 1);
    struct stat st = {0};
    size_t len = 0;

    SN_TRY(open_regular(path, 0, &fd, &st, err));
    if (st.st_size > 0 && (uint64_t)st.st_size > max_bytes) {
        return sn_fail(err, SN_LIMIT, "FILE_TOO_LARGE", "'%s' is larger than %zu bytes", path, max_bytes);
    }
    /* The size is a hint only: the file may grow while it is read. */
    size_t room = (size_t)st.st_size;
    for (;;) {
        char *at = sn_buf_reserve(&text, room + 1);
        if (at == NULL) {
            return sn_fail(err, SN_LIMIT, "FILE_TOO_LARGE", "'%s' is larger than %zu bytes", path, max_bytes);
        }
        ssize_t got = read(fd, at, room + 1);
        if (got < 0 && errno != EINTR) {
            return sn_fail_errno(err, "FILE_READ", errno, "cannot read '%s'", path);
        }
        if (got == 0) {
            break;
        }
        if (got > 0) {
            len += (size_t)got;
            text.len = len;
        }
        room = room > len ? room - len : 4096;
        if (len > max_bytes) {
            return sn_fail(err, SN_LIMIT, "FILE_TOO_LARGE", "'%s' is larger than %zu bytes", path, max_bytes);
        }
        if (room > max_bytes - len) {
            room = max_bytes - len;
        }
    }
    if (text.ptr != NULL) {
        text.ptr[text.len] = '\0';
    }
    sn_buf_clear(out_text);
    *out_text = text;
    text = (struct sn_buf){0};
    *out_facts = st;
    return SN_OK;
}

enum sn_status sn_fs_read(const char *path, size_t max_bytes, struct sn_buf *out_text, struct sn_error *err)
{
    struct stat ignored;

    return sn_fs_read_examined(path, max_bytes, &ignored, out_text, err);
}

enum sn_status sn_fs_read_secret(
    const char *path, size_t max_bytes, mode_t forbidden_mode, struct sn_secret *out_bytes, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = -1;
    SN_AUTO(sn_secret_clear) struct sn_secret room = {0};
    struct stat st = {0};
    size_t len = 0;

    SN_TRY(open_regular(path, O_NOFOLLOW, &fd, &st, err));
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        sn_fail(err, SN_DENIED, "FILE_PERMISSIONS", "'%s' belongs to another user", path);
        return sn_suggest(err, "give the file to the user that runs this program");
    }
    if ((st.st_mode & forbidden_mode) != 0) {
        sn_fail(err, SN_DENIED, "FILE_PERMISSIONS", "'%s' is open to others (mode %04o)", path,
            (unsigned)(st.st_mode & 07777));
        return sn_suggest(err, "run: chmod %04o '%s'", (unsigned)(st.st_mode & 07777 & ~forbidden_mode), path);
    }
    sn_secret_alloc(&room, max_bytes + 1);
    SN_TRY(read_fd(fd, path, max_bytes, room.bytes, &len, err));
    sn_secret_set(out_bytes, sn_slice_bytes(room.bytes, len));
    return SN_OK;
}

enum sn_status sn_fs_sync_dir_of(const char *path, struct sn_error *err)
{
    struct sn_slice dir, name;
    char text[PATH_MAX];

    if (!sn_slice_cut_last(sn_slice_str(path), '/', &dir, &name)) {
        dir = SN_S(".");
    } else if (dir.len == 0) {
        dir = SN_S("/");
    }
    if (dir.len >= sizeof(text)) {
        return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "path is longer than %d bytes", PATH_MAX - 1);
    }
    memcpy(text, dir.ptr, dir.len);
    text[dir.len] = '\0';
    SN_AUTO(sn_fd_close) int fd = open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        return sn_fail_errno(err, "FILE_SYNC", errno, "cannot sync directory '%s'", text);
    }
    return SN_OK;
}

/* Makes path with exclusive creation, writes and syncs it; on failure the file is gone again. */
static enum sn_status write_exclusive(const char *path, mode_t mode, struct sn_slice bytes, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0 && errno == EEXIST) {
        return sn_fail(err, SN_CONFLICT, "FILE_EXISTS", "'%s' exists already", path);
    }
    if (fd < 0) {
        return sn_fail_errno(err, "FILE_CREATE", errno, "cannot create '%s'", path);
    }
    enum sn_status status = SN_OK;
    if (fchmod(fd, mode) != 0) {
        status = sn_fail_errno(err, "FILE_CREATE", errno, "cannot set the mode of '%s'", path);
    }
    if (status == SN_OK) {
        status = sn_fd_write_all(fd, bytes, err);
    }
    if (status == SN_OK && fsync(fd) != 0) {
        status = sn_fail_errno(err, "FILE_SYNC", errno, "cannot sync '%s'", path);
    }
    if (status != SN_OK) {
        unlink(path);
    }
    return status;
}

enum sn_status sn_fs_write_new(const char *path, mode_t mode, struct sn_slice bytes, struct sn_error *err)
{
    SN_TRY(write_exclusive(path, mode, bytes, err));
    return sn_fs_sync_dir_of(path, err);
}

enum sn_status sn_fs_write_atomic(const char *path, mode_t mode, struct sn_slice bytes, struct sn_error *err)
{
    char temporary[PATH_MAX];
    struct sn_id id;

    SN_TRY(sn_id_new(sn_random_system(), &id, err));
    int len = snprintf(temporary, sizeof(temporary), "%s.%s.tmp", path, id.text);
    if (len < 0 || (size_t)len >= sizeof(temporary)) {
        return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "path is longer than %d bytes", PATH_MAX - 1);
    }
    SN_TRY(write_exclusive(temporary, mode, bytes, err));
    if (rename(temporary, path) != 0) {
        sn_fail_errno(err, "FILE_RENAME", errno, "cannot replace '%s'", path);
        unlink(temporary);
        return err->status;
    }
    return sn_fs_sync_dir_of(path, err);
}

enum sn_status sn_fs_make_dir(const char *path, mode_t mode, struct sn_error *err)
{
    char text[PATH_MAX];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(text)) {
        return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "path is empty or longer than %d bytes", PATH_MAX - 1);
    }
    memcpy(text, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (text[i] != '/' && text[i] != '\0') {
            continue;
        }
        char kept = text[i];
        struct stat st = {0};
        text[i] = '\0';
        if (mkdir(text, mode) != 0 && (errno != EEXIST || stat(text, &st) != 0 || !S_ISDIR(st.st_mode))) {
            return sn_fail_errno(err, "DIR_CREATE", errno == EEXIST ? ENOTDIR : errno, "cannot make '%s'", text);
        }
        text[i] = kept;
    }
    return SN_OK;
}

bool sn_fs_exists(const char *path)
{
    struct stat st = {0};

    return lstat(path, &st) == 0;
}

enum sn_status sn_path_join(char *out, size_t out_size, const char *dir, const char *name, struct sn_error *err)
{
    const char *separator = dir[0] != '\0' && dir[strlen(dir) - 1] == '/' ? "" : "/";
    int len = snprintf(out, out_size, "%s%s%s", dir, separator, name);

    if (len < 0 || (size_t)len >= out_size) {
        return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "path '%.80s/%.80s' is too long", dir, name);
    }
    return SN_OK;
}
