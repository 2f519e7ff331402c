/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/dir_watch.h - notices changes of the document directory.
 *
 * Uses inotify over the directory and its folders. Where notification fails or overflows, the cache's time bounds what
 * is missed. Thread-safe; without a change no exclusive lock is taken.
 */
#ifndef SN_TVM_DIR_WATCH_H
#define SN_TVM_DIR_WATCH_H

#include <stdint.h>

struct sn_dir_watch;

struct sn_dir_watch *sn_dir_watch_new(const char *dir);
void sn_dir_watch_free(struct sn_dir_watch *watch);
/* Rises with every change that was made before the call. */
uint64_t sn_dir_watch_generation(struct sn_dir_watch *watch);

#endif
