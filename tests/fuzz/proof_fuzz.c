/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/proof_fuzz.c - headers of a request: a proof that is accepted is rebuilt as the very text that was sent.
 *
 * Input: lines "Name: value", then an empty line, then the body.
 */
#include "fuzz.h"

#include "aws/proof.h"

static void read_headers(struct sn_slice *rest, struct sn_request *request)
{
    struct sn_slice line;

    while (request->header_count < SN_REQUEST_MAX_HEADERS && sn_slice_next(rest, '\n', &line) && line.len > 0) {
        struct sn_header *header = &request->headers[request->header_count++];
        (void)sn_slice_cut(line, ':', &header->name, &header->value);
        header->value = sn_slice_trim(header->value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sn_slice audience = SN_S_INIT("https://tvm.example.org");
    const struct sn_proof_rules rules = {
        .region = SN_S("eu-west-1"), .audiences = &audience, .audience_count = 1, .now_unix_s = 1769940000};
    struct sn_slice rest = sn_slice_bytes(data, size);
    struct sn_request request = {
        .method = SN_METHOD_POST, .method_text = SN_S("POST"), .path = SN_S("/v1/credentials")};
    struct sn_buf again = {0};
    struct sn_proof proof = {0};
    struct sn_error err;

    read_headers(&rest, &request);
    request.body = rest;
    if (sn_proof_check(&request, &rules, &proof, &err) == SN_OK) {
        sn_proof_format_authorization(&again, &proof);
        FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&again), *sn_request_header(&request, "authorization")));
        FUZZ_CHECK(sn_slice_eq(proof.audience, audience));
        sn_buf_clear(&again);
    } else {
        FUZZ_CHECK(proof.unix_s == 0);
    }
    return 0;
}
