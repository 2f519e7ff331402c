/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/query_fuzz.c - query strings: what is accepted, encoded and read again is the same. */
#include "fuzz.h"

#include "codec/uri.h"

enum { MAX_PARAMS = 64 };

static void check_round_trip(const struct sn_query *query, struct sn_arena *arena)
{
    struct sn_buf buf = {0};
    struct sn_query again = {0};
    struct sn_error err;
    for (size_t i = 0; i < query->count; i++) {
        sn_buf_add_str(&buf, i > 0 ? "&" : "");
        sn_uri_encode(&buf, query->params[i].name, false);
        sn_buf_add_byte(&buf, '=');
        sn_uri_encode(&buf, query->params[i].value, i % 2 == 0);
    }
    FUZZ_CHECK(sn_query_parse(sn_buf_slice(&buf), true, MAX_PARAMS, arena, &again, &err) == SN_OK);
    FUZZ_CHECK(again.count == query->count);
    for (size_t i = 0; i < query->count; i++) {
        FUZZ_CHECK(sn_slice_eq(again.params[i].name, query->params[i].name));
        FUZZ_CHECK(sn_slice_eq(again.params[i].value, query->params[i].value));
    }
    sn_buf_clear(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    for (int plus = 0; plus < 2; plus++) {
        struct sn_arena arena = {0};
        struct sn_query query = {0};
        struct sn_buf decoded = {0};
        struct sn_error err;
        if (sn_query_parse(text, plus == 1, MAX_PARAMS, &arena, &query, &err) == SN_OK) {
            FUZZ_CHECK(query.count <= MAX_PARAMS);
            check_round_trip(&query, &arena);
        } else {
            FUZZ_CHECK(sn_error_is(&err, "INVALID_REQUEST"));
        }
        if (sn_uri_decode(text, plus == 1, &decoded, &err) == SN_OK) {
            FUZZ_CHECK(decoded.len <= size);
        } else {
            FUZZ_CHECK(decoded.len == 0 && sn_error_is(&err, "INVALID_ESCAPE"));
        }
        sn_buf_clear(&decoded);
        sn_arena_clear(&arena);
    }
    return 0;
}
