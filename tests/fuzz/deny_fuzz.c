/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/deny_fuzz.c - the stored revocations of a role: what is read is written the same way, and its policy keeps
 * to any budget. The first two bytes are the budget.
 */
#include "fuzz.h"

#include "core/revocation/deny.h"

static bool all_revoked(void *ctx, struct sn_slice user)
{
    (void)ctx;
    return user.len % 2 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf again = {0};
    struct sn_deny_list list;
    struct sn_deny_list same;
    struct sn_deny_rendering rendering;
    struct sn_error err = {0};

    if (size < 2 || sn_deny_parse(sn_slice_bytes(data + 2, size - 2), &arena, &list, &err) != SN_OK) {
        return 0;
    }
    sn_deny_format(&again, &list);
    FUZZ_CHECK(sn_deny_parse(sn_buf_slice(&again), &arena, &same, &err) == SN_OK && same.count == list.count);
    const struct sn_deny_role role = {.budget_chars = (size_t)data[0] * 256 + data[1],
        .now_s = 1769940000,
        .longest_session_s = 3600,
        .all_revoked = all_revoked};
    sn_deny_render(&list, &role, &arena, &rendering);
    FUZZ_CHECK(rendering.policy.len <= role.budget_chars && rendering.uncovered_count <= rendering.kept.count);
    return 0;
}
