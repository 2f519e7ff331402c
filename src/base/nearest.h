/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/nearest.h - the known word that an unknown one was probably meant to be.
 */
#ifndef SN_BASE_NEAREST_H
#define SN_BASE_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

/* Edit distance with transpositions of neighbours; stops and returns limit + 1 once it is known to be larger. */
size_t sn_edit_distance(struct sn_slice a, struct sn_slice b, size_t limit);
/* The nearest of count words within distance 2 (1 for words of up to 3 bytes), the first of equals; else NULL. */
const char *sn_nearest(struct sn_slice word, const char *const *words, size_t count);

#endif
