/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/wiping.h - an allocator for libraries through whose memory secrets pass: what is released is wiped first.
 *
 * Handed to jansson, expat and libcurl as their malloc, realloc and free. Allocation cannot fail.
 */
#ifndef SN_BASE_WIPING_H
#define SN_BASE_WIPING_H

#include <stddef.h>

void *sn_wiping_malloc(size_t size);
void *sn_wiping_realloc(void *memory, size_t size);
void sn_wiping_free(void *memory);

#endif
