/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/json_fuzz.c - the JSON reader: what it accepts is written and read again as the same. */
#include "fuzz.h"

#include "codec/json.h"

static void check_round_trip(const struct sn_json_doc *doc)
{
    static const struct sn_json_limits wide = {.max_bytes = 64u << 20, .max_depth = 32, .max_members = 1000 * 1000};
    struct sn_error err;
    struct sn_json_doc *again = NULL;
    struct sn_buf first = SN_BUF_INIT(32u << 20);
    struct sn_buf second = SN_BUF_INIT(32u << 20);
    sn_json_format(&first, sn_json_root(doc));
    FUZZ_CHECK(!first.overflow);
    FUZZ_CHECK(sn_json_parse(sn_buf_slice(&first), &wide, &again, &err) == SN_OK);
    sn_json_format(&second, sn_json_root(again));
    FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&first), sn_buf_slice(&second)));
    sn_json_doc_free(again);
    sn_buf_clear(&first);
    sn_buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    const struct sn_json_limits *all[] = {&sn_json_limits_request, &sn_json_limits_document};
    for (size_t i = 0; i < SN_LEN(all); i++) {
        struct sn_error err;
        struct sn_json_doc *doc = NULL;
        if (sn_json_parse(text, all[i], &doc, &err) == SN_OK) {
            check_round_trip(doc);
            sn_json_doc_free(doc);
        } else {
            FUZZ_CHECK(err.status == SN_INVALID && sn_error_is(&err, "INVALID_JSON"));
        }
    }
    return 0;
}
