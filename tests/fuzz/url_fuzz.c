/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/url_fuzz.c - URLs: the canonical form is its own canonical form and fits a header. */
#include "fuzz.h"

#include "codec/uri.h"

enum { AUDIENCE_MAX_BYTES = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_arena arena = {0};
    struct sn_url url = {0};
    struct sn_url again = {0};
    struct sn_error err;
    if (sn_url_parse(sn_slice_bytes(data, size), &arena, &url, &err) == SN_OK) {
        FUZZ_CHECK(sn_url_parse(url.canonical, &arena, &again, &err) == SN_OK);
        FUZZ_CHECK(sn_slice_eq(url.canonical, again.canonical));
        FUZZ_CHECK(sn_slice_eq(url.authority, again.authority));
        FUZZ_CHECK(url.port == again.port && url.is_loopback == again.is_loopback);
        FUZZ_CHECK(url.canonical.len <= AUDIENCE_MAX_BYTES);
        for (size_t i = 0; i < url.canonical.len; i++) {
            FUZZ_CHECK(url.canonical.ptr[i] > 0x20 && url.canonical.ptr[i] < 0x7f);
        }
        FUZZ_CHECK(url.is_loopback || sn_slice_eq_str(url.scheme, "https"));
    } else {
        FUZZ_CHECK(sn_error_is(&err, "INVALID_URL"));
    }
    sn_arena_clear(&arena);
    return 0;
}
