/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/arena.h - memory for one document or one request, released as a whole.
 *
 * A zeroed struct is an empty arena. Memory from it is zeroed and aligned for any object. Secrets do not belong here.
 */
#ifndef SN_BASE_ARENA_H
#define SN_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct sn_arena_block;

struct sn_arena {
    struct sn_arena_block *first;
    size_t total; /* bytes taken from the system, for limits and statistics */
};

void *sn_arena_alloc(struct sn_arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));
struct sn_slice sn_arena_dup(struct sn_arena *arena, struct sn_slice text);
char *sn_arena_str(struct sn_arena *arena, struct sn_slice text); /* NUL-terminated */
struct sn_slice sn_arena_printf(struct sn_arena *arena, const char *format, ...) SN_PRINTF(2, 3);
void sn_arena_clear(struct sn_arena *arena); /* wipes what was given out */
void sn_arena_drop(struct sn_arena *arena);  /* the same without wiping, for large documents that everybody may read */

#endif
