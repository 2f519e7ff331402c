/* SPDX-License-Identifier: Apache-2.0 */
/* base/arena.c - memory released as a whole; see arena.h. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

/* The first block is small: most requests need no more. */
enum { FIRST_BYTES = 4000, BLOCK_BYTES = 16 * 1024, MOST_BYTES = 64 * 1024, ALIGNMENT = 16 };

struct sn_arena_block {
    struct sn_arena_block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

static struct sn_arena_block *block_new(struct sn_arena *arena, size_t size)
{
    struct sn_arena_block *block = sn_alloc(1, sizeof(struct sn_arena_block) + size); /* zeroed */

    block->size = size;
    arena->total += sizeof(struct sn_arena_block) + size;
    return block;
}

/* Of the block after that one: blocks grow with what they are asked for. */
static size_t usual_size(const struct sn_arena_block *block)
{
    if (block == NULL) {
        return FIRST_BYTES;
    }
    size_t twice = block->size * 2;
    return twice < BLOCK_BYTES ? BLOCK_BYTES : twice > MOST_BYTES ? MOST_BYTES : twice;
}

void *sn_arena_alloc(struct sn_arena *arena, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
        sn_alloc_failed();
    }
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct sn_arena_block *block = arena->first;
    if (block == NULL || block->size - block->used < bytes) {
        if (bytes > BLOCK_BYTES / 4 && block != NULL) {
            /* Large objects get a block of their own behind the current one, which stays in use. */
            struct sn_arena_block *own = block_new(arena, bytes);
            own->next = block->next;
            own->used = bytes;
            block->next = own;
            return own->bytes;
        }
        size_t usual = usual_size(block);
        struct sn_arena_block *fresh = block_new(arena, bytes > usual ? bytes : usual);
        fresh->next = block;
        arena->first = fresh;
        block = fresh;
    }
    void *memory = block->bytes + block->used;
    block->used += bytes;
    return memory;
}

char *sn_arena_str(struct sn_arena *arena, struct sn_slice text)
{
    char *copy = sn_arena_alloc(arena, text.len + 1, 1);

    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    return copy;
}

struct sn_slice sn_arena_dup(struct sn_arena *arena, struct sn_slice text)
{
    return (struct sn_slice){sn_arena_str(arena, text), text.len};
}

struct sn_slice sn_arena_printf(struct sn_arena *arena, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int wanted = vsnprintf(NULL, 0, format, arguments);
    size_t len = wanted > 0 ? (size_t)wanted : 0;
    char *text = sn_arena_alloc(arena, len + 1, 1);
    vsnprintf(text, len + 1, format, again);
    va_end(again);
    va_end(arguments);
    return (struct sn_slice){text, len};
}

static void release(struct sn_arena *arena, bool wipe)
{
    struct sn_arena_block *block = arena->first;

    while (block != NULL) {
        struct sn_arena_block *next = block->next;
        if (wipe) {
            sn_wipe(block->bytes, block->used);
        }
        sn_free(block);
        block = next;
    }
    *arena = (struct sn_arena){0};
}

void sn_arena_clear(struct sn_arena *arena)
{
    release(arena, true); /* parsed answers may hold what their reader moved into a secret */
}

void sn_arena_drop(struct sn_arena *arena)
{
    release(arena, false);
}
