/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/base64_fuzz.c - each decoder accepts exactly what its encoder writes. */
#include "fuzz.h"

#include "codec/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    for (int url = 0; url < 2; url++) {
        struct sn_buf bytes = {0};
        struct sn_buf back = {0};
        struct sn_error err;
        enum sn_status status =
            url == 1 ? sn_base64url_decode(text, &bytes, &err) : sn_base64_decode(text, &bytes, &err);
        if (status == SN_OK) {
            (url == 1 ? sn_base64url_encode : sn_base64_encode)(&back, bytes.ptr, bytes.len);
            FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&back), text));
        }
        sn_buf_clear(&bytes);
        sn_buf_clear(&back);
        (url == 1 ? sn_base64url_encode : sn_base64_encode)(&back, data, size);
        status = url == 1 ? sn_base64url_decode(sn_buf_slice(&back), &bytes, &err)
                          : sn_base64_decode(sn_buf_slice(&back), &bytes, &err);
        FUZZ_CHECK(status == SN_OK && sn_slice_eq(sn_buf_slice(&bytes), text));
        sn_buf_clear(&bytes);
        sn_buf_clear(&back);
    }
    unsigned char out[16];
    struct sn_error err;
    if (sn_hex_decode(text, size % 3 == 0, out, size / 2 < sizeof out ? size / 2 : sizeof out, &err) == SN_OK) {
        FUZZ_CHECK(size % 2 == 0 && size / 2 <= sizeof out);
    }
    return 0;
}
