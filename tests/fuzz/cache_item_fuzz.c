/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/cache_item_fuzz.c - cached credentials: only one exact text for one question is ever taken. */
#include "fuzz.h"

#include <string.h>

#include "vault/cache_item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    struct sn_cache_query query = {0};
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf again = {0};

    sn_buf_add_str(&query.key, "https://tvm.example.org dev AWS_PROFILE=ana");
    sn_buf_add_str(&query.files, "file=0:0:0:/nowhere/config\n");
    int64_t end = sn_cache_item_end(text);
    int64_t now = end - 600;
    switch (sn_cache_item_read(text, &query, now, &issued)) {
    case SN_CACHE_GOOD:
        FUZZ_CHECK(issued.credentials.expires_unix_s == end && issued.duration_s > 0);
        /* Written again at the moment of its issue it is the same, byte for byte. */
        now = end - issued.duration_s;
        if (issued.duration_s > SN_CACHE_MIN_LEFT_S) {
            FUZZ_CHECK(sn_cache_item_format(&query, &issued, now, &again));
            FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&again), text));
        }
        break;
    case SN_CACHE_OTHER:
    case SN_CACHE_BAD:
        FUZZ_CHECK(issued.credentials.access_key_id[0] == '\0');
        break;
    }
    sn_cache_query_clear(&query);
    return 0;
}
