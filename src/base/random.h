/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/random.h - random bytes, as a table that tests can replace, and the project's identifiers.
 */
#ifndef SN_BASE_RANDOM_H
#define SN_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/slice.h"

struct sn_random {
    /* Fills all of bytes or fails; a failure denies whatever the bytes were for. */
    enum sn_status (*fill)(void *ctx, void *bytes, size_t len, struct sn_error *err);
    void *ctx;
};

/* getrandom(2). Fails with SN_UNAVAILABLE, RANDOM_UNAVAILABLE. */
const struct sn_random *sn_random_system(void);
SN_MUST_CHECK enum sn_status sn_random_fill(
    const struct sn_random *random_source, void *bytes, size_t len, struct sn_error *err);

enum { SN_ID_LEN = 16 };

/* One identifier: 80 bits as 16 characters of lower-case Crockford base32, with a NUL. */
struct sn_id {
    char text[SN_ID_LEN + 1];
};

SN_MUST_CHECK enum sn_status sn_id_new(
    const struct sn_random *random_source, struct sn_id *out_id, struct sn_error *err);
/* True for exactly 16 characters of 0123456789abcdefghjkmnpqrstvwxyz. */
bool sn_id_is_valid(struct sn_slice text);
struct sn_slice sn_id_slice(const struct sn_id *id);

#endif
