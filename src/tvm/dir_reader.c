/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/dir_reader.c - files of the document directory, trusted by owner and mode.
 */
#include "tvm/dir_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"

enum { NAMES_MAX = 20000 };

static enum sn_status untrusted(struct sn_error *err, const char *path, const char *what)
{
    sn_fail(err, SN_DENIED, "DOCUMENT_UNTRUSTED", "'%s' %s", path, what);
    return sn_suggest(err,
        "it must belong to root or to the server's user and be writable by nobody else: "
        "chown root '%s'; chmod go-w '%s'",
        path, path);
}

static bool is_read_only(const char *path)
{
    struct statvfs fs;

    return statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
}

static enum sn_status check_trust(const char *path, const struct stat *st, struct sn_error *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        return untrusted(err, path, "belongs to another user");
    }
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_read_only(path)) {
        return untrusted(err, path, "can be written by others than its owner");
    }
    return SN_OK;
}

/* Every folder from base (included) down to the one that holds path. path begins with base. */
static enum sn_status check_folders(const char *base, const char *path, struct sn_error *err)
{
    char folder[SN_DIR_PATH_MAX];
    size_t at = strlen(base);

    for (;;) {
        struct stat st;
        memcpy(folder, path, at);
        folder[at] = '\0';
        if (stat(folder, &st) != 0) {
            return sn_fail_errno(err, "DOCUMENT_UNREADABLE", errno, "cannot look at '%s'", folder);
        }
        SN_TRY(check_trust(folder, &st, err));
        const char *next = strchr(path + at + 1, '/');
        if (next == NULL) {
            return SN_OK;
        }
        at = (size_t)(next - path);
    }
}

/* Where the kernel says the descriptor leads, links resolved. */
static enum sn_status real_path_of(int fd, char out[SN_DIR_PATH_MAX], struct sn_error *err)
{
    char link[64];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out, SN_DIR_PATH_MAX - 1);
    if (len <= 0 || len == SN_DIR_PATH_MAX - 1) {
        return sn_fail(err, SN_IO, "DOCUMENT_UNREADABLE", "cannot tell where a document lies");
    }
    out[len] = '\0';
    return SN_OK;
}

static enum sn_status check_place(const char *base, const char *path, int fd, struct sn_error *err)
{
    char real[SN_DIR_PATH_MAX];
    size_t base_len = strlen(base);

    SN_TRY(check_folders(base, path, err));
    SN_TRY(real_path_of(fd, real, err));
    if (strncmp(real, base, base_len) != 0 || real[base_len] != '/') {
        return untrusted(err, path, "leads out of the document directory");
    }
    return check_folders(base, real, err);
}

static enum sn_status check_file(const char *path, int fd, struct sn_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return sn_fail_errno(err, "DOCUMENT_UNREADABLE", errno, "cannot look at '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return untrusted(err, path, "is not a regular file");
    }
    SN_TRY(check_trust(path, &st, err));
    if (st.st_size > SN_DOCUMENT_MAX_BYTES) {
        return sn_fail(
            err, SN_LIMIT, "DOCUMENT_TOO_LARGE", "'%s' is larger than %d bytes", path, SN_DOCUMENT_MAX_BYTES);
    }
    return SN_OK;
}

static enum sn_status read_all(const char *path, int fd, struct sn_buf *out_text, struct sn_error *err)
{
    struct sn_buf text = SN_BUF_INIT(SN_DOCUMENT_MAX_BYTES + 1);

    for (;;) {
        char chunk[16384];
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int error_number = errno;
            sn_buf_clear(&text);
            return sn_fail_errno(err, "DOCUMENT_UNREADABLE", error_number, "cannot read '%s'", path);
        }
        if (got == 0) {
            break;
        }
        sn_buf_add_bytes(&text, chunk, (size_t)got);
    }
    if (text.overflow || text.len > SN_DOCUMENT_MAX_BYTES) {
        sn_buf_clear(&text);
        return sn_fail(
            err, SN_LIMIT, "DOCUMENT_TOO_LARGE", "'%s' is larger than %d bytes", path, SN_DOCUMENT_MAX_BYTES);
    }
    sn_buf_clear(out_text);
    *out_text = text;
    return SN_OK;
}

/* The directory itself with its own links resolved, so that paths can be compared. */
static enum sn_status real_base(const char *dir, char out[SN_DIR_PATH_MAX], struct sn_error *err)
{
    if (realpath(dir, out) == NULL) {
        sn_fail_errno(err, "DOCUMENT_UNREADABLE", errno, "cannot open the document directory '%s'", dir);
        return sn_suggest(err, "make the directory, or name another one in SENTINEL_POLICY_DIR");
    }
    return SN_OK;
}

static enum sn_status join(char out[SN_DIR_PATH_MAX], const char *base, const char *name, struct sn_error *err)
{
    int len = snprintf(out, SN_DIR_PATH_MAX, "%s/%s", base, name);

    return len > 0 && len < SN_DIR_PATH_MAX ? SN_OK
                                            : sn_fail(err, SN_LIMIT, "DOCUMENT_UNREADABLE", "a path is too long");
}

enum sn_status sn_dir_read(
    const char *dir, const char *name, struct sn_buf *out_text, bool *out_found, struct sn_error *err)
{
    char base[SN_DIR_PATH_MAX], path[SN_DIR_PATH_MAX];
    SN_AUTO(sn_fd_close) int fd = -1;

    SN_TRY(real_base(dir, base, err));
    SN_TRY(join(path, base, name, err));
    /* Non-blocking, so that a pipe put in a document's place does not hold the opener. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)) {
        *out_found = false;
        return SN_OK;
    }
    if (fd < 0) {
        return sn_fail_errno(err, "DOCUMENT_UNREADABLE", errno, "cannot open '%s'", path);
    }
    SN_TRY(check_place(base, path, fd, err));
    SN_TRY(check_file(path, fd, err));
    SN_TRY(read_all(path, fd, out_text, err));
    *out_found = true;
    return SN_OK;
}

static int by_name(const void *a, const void *b)
{
    return sn_slice_cmp(*(const struct sn_slice *)a, *(const struct sn_slice *)b);
}

enum sn_status sn_dir_list(const char *dir, const char *folder, struct sn_arena *arena, struct sn_slice **out_names,
    size_t *out_count, struct sn_error *err)
{
    char base[SN_DIR_PATH_MAX], path[SN_DIR_PATH_MAX];
    size_t count = 0, capacity = 64;
    struct sn_slice *names = sn_arena_alloc(arena, capacity, sizeof(*names));

    SN_TRY(real_base(dir, base, err));
    SN_TRY(join(path, base, folder, err));
    DIR *stream = opendir(path);
    if (stream == NULL && errno == ENOENT) {
        *out_names = names;
        *out_count = 0;
        return SN_OK;
    }
    if (stream == NULL) {
        return sn_fail_errno(err, "DOCUMENT_UNREADABLE", errno, "cannot open '%s'", path);
    }
    enum sn_status status = check_place(base, path, dirfd(stream), err);
    for (struct dirent *entry = readdir(stream); entry != NULL && status == SN_OK; entry = readdir(stream)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (count == NAMES_MAX) {
            status = sn_fail(err, SN_LIMIT, "DOCUMENT_UNREADABLE", "'%s' holds too many files", path);
            break;
        }
        if (count == capacity) {
            struct sn_slice *more = sn_arena_alloc(arena, capacity * 2, sizeof(*more));
            memcpy(more, names, capacity * sizeof(*more));
            names = more;
            capacity *= 2;
        }
        names[count++] = sn_arena_dup(arena, sn_slice_str(entry->d_name));
    }
    closedir(stream);
    if (status == SN_OK) {
        qsort(names, count, sizeof(*names), by_name);
        *out_names = names;
        *out_count = count;
    }
    return status;
}

bool sn_dir_is_folder(const char *dir, const char *folder)
{
    char path[SN_DIR_PATH_MAX];
    struct stat st;
    int len = snprintf(path, sizeof(path), "%s/%s", dir, folder);

    return len > 0 && len < (int)sizeof(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
