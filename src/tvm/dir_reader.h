/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/dir_reader.h - files of the document directory, trusted by owner and mode. Private to src/tvm.
 *
 * A document must be a regular file beneath the directory, its folders and itself owned by root or this process's user
 * and writable by nobody else. Symbolic links are followed when they end beneath the directory.
 */
#ifndef SN_TVM_DIR_READER_H
#define SN_TVM_DIR_READER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_DOCUMENT_MAX_BYTES = 1048576, SN_DIR_PATH_MAX = 4096 };

/* dir: an absolute path; name: relative, without "." and ".." parts. *out_found false: there is no such file. */
SN_MUST_CHECK enum sn_status sn_dir_read(
    const char *dir, const char *name, struct sn_buf *out_text, bool *out_found, struct sn_error *err);
/* Names of a folder beneath dir, sorted, without those beginning with a dot. A missing folder has none. */
SN_MUST_CHECK enum sn_status sn_dir_list(const char *dir, const char *folder, struct sn_arena *arena,
    struct sn_slice **out_names, size_t *out_count, struct sn_error *err);
/* True if folder is a folder beneath dir. */
bool sn_dir_is_folder(const char *dir, const char *folder);

#endif
