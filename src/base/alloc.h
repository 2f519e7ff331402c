/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/alloc.h - allocation that cannot fail.
 *
 * When memory is exhausted the process ends with a fixed message; callers never test for NULL. Sizes given as count
 * and size are multiplied with an overflow check. Memory from here is released with sn_free().
 */
#ifndef SN_BASE_ALLOC_H
#define SN_BASE_ALLOC_H

#include <stddef.h>

#include "base/slice.h"

/* Zeroed memory for count objects of size bytes; never NULL, also for 0. */
void *sn_alloc(size_t count, size_t size) __attribute__((returns_nonnull));
/* Grows or shrinks; new bytes are not zeroed. */
void *sn_realloc(void *memory, size_t count, size_t size) __attribute__((returns_nonnull));
/* A NUL-terminated copy. */
char *sn_strdup(struct sn_slice text) __attribute__((returns_nonnull));
void sn_free(void *memory);
/* For SN_AUTO on a char pointer. */
void sn_free_p(char **memory);
/* Ends the process: "sentinel: out of memory". */
SN_NORETURN void sn_alloc_failed(void);

#endif
