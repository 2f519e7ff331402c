/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/secret.h - bytes that must not leak.
 *
 * A struct on purpose: handing it to printf, to the log or to a JSON writer does not compile. The bytes live in a pool
 * of pages that are locked in memory where the system allows it, left out of core dumps, and wiped on release. A
 * zeroed struct is an absent secret. Not copied by assignment: use sn_secret_set() or move the struct and zero the
 * source.
 */
#ifndef SN_BASE_SECRET_H
#define SN_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct sn_secret {
    unsigned char *bytes;
    size_t len;
};

/* Replaces the secret by a copy of the bytes. The caller wipes its own copy. */
void sn_secret_set(struct sn_secret *secret, struct sn_slice bytes);
/* Room for len zeroed bytes to be filled through secret->bytes. */
void sn_secret_alloc(struct sn_secret *secret, size_t len);
/* Moves: the source is left absent. */
void sn_secret_move(struct sn_secret *to, struct sn_secret *from);
void sn_secret_clear(struct sn_secret *secret);
bool sn_secret_is_set(const struct sn_secret *secret);
/* Borrowed view for the one place that must have the bytes; each call is a review point. */
struct sn_slice sn_secret_reveal(const struct sn_secret *secret);
/* Compares in time that depends on the lengths alone. */
bool sn_secret_eq(const struct sn_secret *a, const struct sn_secret *b);
bool sn_secret_eq_slice(const struct sn_secret *a, struct sn_slice b);
/* The same for two texts of which neither is held in a struct sn_secret. */
bool sn_slice_eq_const_time(struct sn_slice a, struct sn_slice b);
/* Overwrites memory in a way the compiler keeps. */
void sn_wipe(void *memory, size_t len);

#endif
