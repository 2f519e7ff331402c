/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/http_parse_fuzz.c - heads of requests: the end is found at the same place however the bytes arrive, and
 * what is accepted keeps the promises that the rest of the server relies on.
 */
#include "fuzz.h"

#include "net/http_parse.h"

static void check_accepted(const struct sn_request *request, const struct sn_http_head *head, struct sn_slice text)
{
    FUZZ_CHECK(request->method == SN_METHOD_GET || request->method == SN_METHOD_POST);
    FUZZ_CHECK(request->method == SN_METHOD_POST || head->body_len == 0);
    FUZZ_CHECK(head->body_len <= 65536);
    FUZZ_CHECK(request->path.len > 0 && request->path.ptr[0] == '/');
    FUZZ_CHECK(!sn_slice_contains(request->path, SN_S("//")) && !sn_slice_contains(request->path, SN_S("/../")));
    FUZZ_CHECK(!sn_slice_has_byte(request->path, '%') && !sn_slice_has_byte(request->query, '#'));
    FUZZ_CHECK(sn_request_header_count(request, "host") == 1);
    FUZZ_CHECK(sn_request_header_count(request, "content-length") <= 1);
    FUZZ_CHECK(sn_request_header_count(request, "authorization") <= 1);
    FUZZ_CHECK(sn_request_header(request, "transfer-encoding") == NULL);
    FUZZ_CHECK(request->header_count <= SN_REQUEST_MAX_HEADERS);
    FUZZ_CHECK(text.len <= SN_HTTP_MAX_HEAD);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        FUZZ_CHECK(c == '\r' || c == '\n' || (c >= 0x20 && c < 0x7f));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sn_request request; /* large; every use fills what it reads */
    struct sn_slice text = sn_slice_bytes(data, size);
    struct sn_http_scan whole = {0}, pieces = {0};
    struct sn_http_refusal refusal = {0}, refusal_of_pieces = {0};
    enum sn_http_scan_result result = sn_http_scan(&whole, text, &refusal);
    enum sn_http_scan_result result_of_pieces = SN_HTTP_SCAN_MORE;
    for (size_t len = 1; len <= size && result_of_pieces == SN_HTTP_SCAN_MORE; len++) {
        result_of_pieces = sn_http_scan(&pieces, sn_slice_sub(text, 0, len), &refusal_of_pieces);
    }
    FUZZ_CHECK(result == result_of_pieces && refusal.status == refusal_of_pieces.status);
    if (result != SN_HTTP_SCAN_DONE) {
        return 0;
    }
    FUZZ_CHECK(whole.head_len == pieces.head_len && whole.head_len <= size);
    struct sn_slice head_text = sn_slice_sub(text, 0, whole.head_len);
    for (int lenient = 0; lenient <= 1; lenient++) {
        const struct sn_http_rules rules = {
            .max_body = 65536, .lenient_content_type = lenient == 1, .allow_percent_path = lenient == 1};
        struct sn_http_head head = {0};
        refusal = (struct sn_http_refusal){0};
        if (!sn_http_head_parse(head_text, &rules, &request, &head, &refusal)) {
            FUZZ_CHECK(refusal.status >= 400 && refusal.status <= 505 && refusal.code != NULL);
        } else if (lenient == 0) {
            FUZZ_CHECK(refusal.status == 0);
            check_accepted(&request, &head, head_text);
        }
    }
    return 0;
}
