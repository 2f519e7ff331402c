/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/fs.h - files, opened close-on-exec, with limits on what is read and modes given at creation.
 */
#ifndef SN_BASE_FS_H
#define SN_BASE_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

/* Closes the descriptor and sets it to -1; -1 is ignored. For SN_AUTO. */
void sn_fd_close(int *fd);
/* Writes all bytes, going on after signals and short writes. */
SN_MUST_CHECK enum sn_status sn_fd_write_all(int fd, struct sn_slice bytes, struct sn_error *err);

/* Reads a regular file of at most max_bytes; symbolic links are followed. Larger: SN_LIMIT, FILE_TOO_LARGE. */
SN_MUST_CHECK enum sn_status sn_fs_read(
    const char *path, size_t max_bytes, struct sn_buf *out_text, struct sn_error *err);
struct stat; /* sys/stat.h */
/* The same, with the facts of the very file that was read: what is checked by path may be another one by then. */
SN_MUST_CHECK enum sn_status sn_fs_read_examined(
    const char *path, size_t max_bytes, struct stat *out_facts, struct sn_buf *out_text, struct sn_error *err);
/*
 * Reads a file that holds a secret: a regular file, not a link, owned by the caller or root, with no permission bit of
 * forbidden_mode set (0077 for 0600 files). Fails with FILE_PERMISSIONS and the chmod that mends it.
 */
SN_MUST_CHECK enum sn_status sn_fs_read_secret(
    const char *path, size_t max_bytes, mode_t forbidden_mode, struct sn_secret *out_bytes, struct sn_error *err);
/* Replaces a file: temporary file in the same directory, fsync, rename, fsync of the directory. */
SN_MUST_CHECK enum sn_status sn_fs_write_atomic(
    const char *path, mode_t mode, struct sn_slice bytes, struct sn_error *err);
/* Makes a file that must not exist yet (SN_CONFLICT, FILE_EXISTS otherwise), fsynced with its directory. */
SN_MUST_CHECK enum sn_status sn_fs_write_new(
    const char *path, mode_t mode, struct sn_slice bytes, struct sn_error *err);
/* Makes a directory and its missing parents with that mode; an existing directory is fine. */
SN_MUST_CHECK enum sn_status sn_fs_make_dir(const char *path, mode_t mode, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_fs_sync_dir_of(const char *path, struct sn_error *err);
bool sn_fs_exists(const char *path);
/* "dir/name" in out; fails with SN_LIMIT when it does not fit. */
SN_MUST_CHECK enum sn_status sn_path_join(
    char *out, size_t out_size, const char *dir, const char *name, struct sn_error *err);

#endif
