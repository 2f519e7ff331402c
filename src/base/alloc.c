/* SPDX-License-Identifier: Apache-2.0 */
/* base/alloc.c - allocation that cannot fail; see alloc.h. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sn_alloc_failed(void)
{
    static const char text[] = "sentinel: out of memory\n";
    ssize_t ignored = write(2, text, sizeof(text) - 1);

    (void)ignored;
    _exit(3);
}

/* Up to here glibc's malloc serves from a store of the thread's own, which its calloc passes by. */
enum { SMALL_BYTES = 1024 };

void *sn_alloc(size_t count, size_t size)
{
    size_t total = 0;

    if (__builtin_mul_overflow(count, size, &total)) {
        sn_alloc_failed();
    }
    total = total > 0 ? total : 1;
    void *memory = total <= SMALL_BYTES ? malloc(total) : calloc(1, total);

    if (memory == NULL) {
        sn_alloc_failed();
    }
    if (total <= SMALL_BYTES) {
        memset(memory, 0, total);
    }
    return memory;
}

void *sn_realloc(void *memory, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        sn_alloc_failed();
    }
    void *grown = realloc(memory, total > 0 ? total : 1);
    if (grown == NULL) {
        sn_alloc_failed();
    }
    return grown;
}

char *sn_strdup(struct sn_slice text)
{
    char *copy = sn_alloc(text.len + 1, 1);

    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    return copy;
}

void sn_free(void *memory)
{
    free(memory);
}

void sn_free_p(char **memory)
{
    free(*memory);
    *memory = NULL;
}
