/* SPDX-License-Identifier: Apache-2.0 */
/* base/random.c - random bytes and identifiers; see random.h. */
#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static enum sn_status system_fill(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    unsigned char *at = bytes;

    (void)ctx;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return sn_fail(err, SN_UNAVAILABLE, "RANDOM_UNAVAILABLE", "the system gives no random bytes");
        }
        at += got;
        len -= (size_t)got;
    }
    return SN_OK;
}

const struct sn_random *sn_random_system(void)
{
    static const struct sn_random random_source = {system_fill, NULL};

    return &random_source;
}

enum sn_status sn_random_fill(const struct sn_random *random_source, void *bytes, size_t len, struct sn_error *err)
{
    return random_source->fill(random_source->ctx, bytes, len, err);
}

enum sn_status sn_id_new(const struct sn_random *random_source, struct sn_id *out_id, struct sn_error *err)
{
    unsigned char bytes[SN_ID_LEN * 5 / 8];
    uint64_t bits = 0;
    unsigned have = 0;
    size_t at = 0;

    SN_TRY(sn_random_fill(random_source, bytes, sizeof(bytes), err));
    for (size_t i = 0; i < SN_ID_LEN; i++) {
        if (have < 5) {
            bits = bits << 8 | bytes[at++];
            have += 8;
        }
        have -= 5;
        out_id->text[i] = alphabet[bits >> have & 31];
    }
    out_id->text[SN_ID_LEN] = '\0';
    return SN_OK;
}

bool sn_id_is_valid(struct sn_slice text)
{
    if (text.len != SN_ID_LEN) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\0' || strchr(alphabet, text.ptr[i]) == NULL) {
            return false;
        }
    }
    return true;
}

struct sn_slice sn_id_slice(const struct sn_id *id)
{
    return (struct sn_slice){id->text, SN_ID_LEN};
}
