/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/lab_authorization_fuzz.c - the lab's reader of Authorization headers: what it takes is made of the parts
 * it reports, and no key that the input does not know makes a signature that holds.
 */
#include "fuzz.h"

#include "base/arena.h"
#include "lab/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[SN_LAB_SIGNING_KEY_LEN] = {0x5a};
    struct sn_slice text = sn_slice_bytes(data, size);
    struct sn_lab_signature signature = {0};
    struct sn_query query = {0};
    struct sn_error err = {0};
    struct sn_request request = {
        .method = SN_METHOD_POST, .method_text = SN_S("POST"), .path = SN_S("/"), .header_count = 3};

    if (sn_lab_authorization_parse(text, &signature, &err) == SN_OK) {
        FUZZ_CHECK(signature.access_key.len > 0 && signature.region.len > 0 && signature.service.len > 0);
        FUZZ_CHECK(signature.date.len == 8);
        FUZZ_CHECK(sn_slice_contains(text, signature.scope) && sn_slice_contains(signature.scope, signature.region));
        FUZZ_CHECK(sn_slice_has_suffix(signature.scope, SN_S("/aws4_request")));
    } else {
        FUZZ_CHECK(err.code[0] != '\0' && signature.access_key.ptr == NULL);
    }
    request.headers[0] = (struct sn_header){SN_S("host"), SN_S("lab")};
    request.headers[1] = (struct sn_header){SN_S("x-amz-date"), SN_S("20260201T100000Z")};
    request.headers[2] = (struct sn_header){SN_S("authorization"), text};
    if (sn_lab_signature_read(&request, &query, 1769940000, &signature, &err) == SN_OK) {
        FUZZ_CHECK(signature.signed_headers.len >= sizeof("host;x-amz-date") - 1);
        FUZZ_CHECK(sn_lab_signature_check(&request, &query, &signature, key, &err) != SN_OK);
    }
    return 0;
}
