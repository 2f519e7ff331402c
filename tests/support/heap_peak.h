/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/heap_peak.h - how many bytes a program had allocated at most. Included by one file of a test program.
 *
 * Sanitizers have allocators of their own, so there nothing is counted: SN_HEAP_IS_COUNTED tells.
 */
#ifndef SN_TESTS_SUPPORT_HEAP_PEAK_H
#define SN_TESTS_SUPPORT_HEAP_PEAK_H

#include <malloc.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SN_HEAP_IS_COUNTED 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SN_HEAP_IS_COUNTED 0
#endif
#ifndef SN_HEAP_IS_COUNTED
#define SN_HEAP_IS_COUNTED 1
#endif

static size_t heap_now, heap_peak;

/* The peak is counted from here; what is allocated already does not count. */
static inline void heap_peak_begin(void)
{
    heap_now = heap_peak = 0;
}

#if SN_HEAP_IS_COUNTED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

/* Seen by the libraries as well. */
#define SN_HEAP_EXPORTED __attribute__((visibility("default")))

static void *heap_count(void *memory)
{
    if (memory != NULL) {
        heap_now += malloc_usable_size(memory);
        heap_peak = heap_now > heap_peak ? heap_now : heap_peak;
    }
    return memory;
}

static void heap_uncount(void *memory)
{
    size_t size = memory != NULL ? malloc_usable_size(memory) : 0;
    heap_now -= size < heap_now ? size : heap_now; /* it may be from before the count began */
}

SN_HEAP_EXPORTED void *malloc(size_t size)
{
    return heap_count(__libc_malloc(size));
}

SN_HEAP_EXPORTED void *calloc(size_t count, size_t size)
{
    return heap_count(__libc_calloc(count, size));
}

SN_HEAP_EXPORTED void *realloc(void *memory, size_t size)
{
    heap_uncount(memory);
    return heap_count(__libc_realloc(memory, size));
}

SN_HEAP_EXPORTED void free(void *memory)
{
    heap_uncount(memory);
    __libc_free(memory);
}
#endif

#endif
