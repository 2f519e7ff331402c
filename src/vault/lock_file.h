/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/lock_file.h - locks between processes of one user, which the kernel releases however a process dies.
 *
 * A lock is a file of mode 0600 in $XDG_RUNTIME_DIR/sentinel/locks, else in ${XDG_STATE_HOME:-~/.local/state}/
 * sentinel/locks (0700), that holds the process id of its holder. Files stay; they are empty of secrets.
 */
#ifndef SN_VAULT_LOCK_FILE_H
#define SN_VAULT_LOCK_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/error.h"

enum { SN_LOCK_PATH_MAX = 4096 };

struct sn_lock_file {
    int fd; /* -1: not open */
    bool is_held;
};
#define SN_LOCK_FILE_INIT ((struct sn_lock_file){.fd = -1})

/* Makes the directory; a path of that name in it. LOCK_UNAVAILABLE when there is no place for locks. */
SN_MUST_CHECK enum sn_status sn_lock_file_path(
    const struct sn_env *env, const char *name, char out_path[SN_LOCK_PATH_MAX], struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_lock_file_open(
    struct sn_lock_file *lock, const struct sn_env *env, const char *name, struct sn_error *err);
/* Without waiting. */
bool sn_lock_file_try(struct sn_lock_file *lock);
/* Process id of the holder, as it wrote it; 0 when it cannot be told. */
int64_t sn_lock_file_holder(const struct sn_lock_file *lock);
/* Releases and closes. For SN_AUTO. */
void sn_lock_file_close(struct sn_lock_file *lock);

#endif
