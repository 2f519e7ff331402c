/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/approvals_fuzz.c - stored approvals: only the one written form is read. What people write as a
 * justification is looked at with the same bytes.
 */
#include "fuzz.h"

#include "core/request/approvals.h"
#include "core/request/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf again = {0};
    struct sn_slice text = sn_slice_bytes(data, size);
    struct sn_slice trimmed;
    struct sn_slice same;
    struct sn_approvals approvals;
    struct sn_error err = {0};

    if (sn_approvals_parse(text, &arena, &approvals, &err) == SN_OK) {
        sn_approvals_format(&again, &approvals);
        FUZZ_CHECK(approvals.count <= SN_APPROVALS_MAX && sn_slice_eq(sn_buf_slice(&again), text));
    }
    if (sn_text_check(&sn_text_comment, text, &trimmed, &err) == SN_OK) {
        FUZZ_CHECK(sn_text_check(&sn_text_comment, trimmed, &same, &err) == SN_OK && sn_slice_eq(trimmed, same));
        FUZZ_CHECK(sn_slice_is_utf8(trimmed) && !sn_slice_has_byte(trimmed, '\x1b'));
    }
    return 0;
}
