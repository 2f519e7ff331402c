/* SPDX-License-Identifier: Apache-2.0 */
/* base/wiping.c - malloc whose free wipes; see wiping.h. */
#include "base/wiping.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

void *sn_wiping_malloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (memory == NULL) {
        sn_alloc_failed();
    }
    return memory;
}

void sn_wiping_free(void *memory)
{
    if (memory != NULL) {
        sn_wipe(memory, malloc_usable_size(memory));
        free(memory);
    }
}

void *sn_wiping_realloc(void *memory, size_t size)
{
    if (memory == NULL) {
        return sn_wiping_malloc(size);
    }
    size_t had = malloc_usable_size(memory);
    if (size > 0 && size <= had && had / 2 <= size) {
        return memory; /* room enough, and not much too much */
    }
    void *moved = sn_wiping_malloc(size);
    memcpy(moved, memory, had < size ? had : size);
    sn_wiping_free(memory);
    return moved;
}
