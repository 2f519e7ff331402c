/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/revocation/deny.c: the bytes of the deny policy, its size, and what gives way in which order.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec/json.h"
#include "core/identity/stamp.h"
#include "core/revocation/deny.h"
#include "counts.h"

#define NOW INT64_C(1769940000) /* 2026-02-01T10:00:00Z */

static bool always(void *ctx, struct sn_slice user)
{
    (void)ctx;
    (void)user;
    return true;
}

static bool never(void *ctx, struct sn_slice user)
{
    (void)ctx;
    (void)user;
    return false;
}

static bool only_named(void *ctx, struct sn_slice user)
{
    return sn_slice_eq_str(user, ctx);
}

static struct sn_deny_role role_of(size_t budget, bool (*all_revoked)(void *, struct sn_slice), void *ctx)
{
    return (struct sn_deny_role){
        .budget_chars = budget, .now_s = NOW, .longest_session_s = 3600, .all_revoked = all_revoked, .ctx = ctx};
}

static void add(struct sn_deny_list *list, struct sn_arena *arena, enum sn_deny_kind kind, const char *value,
    int64_t bound_s, int64_t keep_until_s)
{
    struct sn_deny_entry entry = {.kind = kind,
        .value = sn_arena_dup(arena, sn_slice_str(value)),
        .bound_s = bound_s,
        .keep_until_s = keep_until_s,
        .by = SN_S("sec-lead"),
        .at_s = NOW};
    struct sn_error err;

    assert_ok(sn_deny_add(list, &entry, arena, &err), &err);
}

/* "sentinel=<user>=direct=<number as an id>", issued a minute ago. */
static void add_session(struct sn_deny_list *list, struct sn_arena *arena, const char *user, int number)
{
    char value[SN_SOURCE_IDENTITY_MAX + 1];

    snprintf(value, sizeof(value), "sentinel=%s=direct=%016d", user, number);
    add(list, arena, SN_DENY_EXACT, value, NOW - 60, NOW + 900 + number);
}

/* TVM-53: the published bytes. */
static void published_policies(void **state)
{
    (void)state;
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_deny_list list = {.count = 0};
    struct sn_deny_rendering rendering;
    const struct sn_deny_role role = role_of(SN_DENY_POLICY_MAX_CHARS, never, NULL);

    sn_deny_render(&list, &role, &arena, &rendering);
    assert_int_equal(rendering.policy.len, 0);
    assert_int_equal(sn_deny_next_prune_s(&rendering.kept), INT64_MAX);

    add(&list, &arena, SN_DENY_EXACT, "sentinel=alice=direct=4g7kq2m9x0v5c8za", NOW - 60, NOW + 900);
    sn_deny_render(&list, &role, &arena, &rendering);
    assert_slice_equal(rendering.policy,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"SentinelRevokedSessions\",\"Effect\":\"Deny\","
        "\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"aws:SourceIdentity\":"
        "[\"sentinel=alice=direct=4g7kq2m9x0v5c8za\"]}}}]}");
    assert_int_equal(rendering.policy.len, 211);

    add(&list, &arena, SN_DENY_PATTERN, "sentinel=carol@example.com=*", NOW + 60, NOW + 3720);
    add(&list, &arena, SN_DENY_EXACT, "sentinel=bob=approved=0c9n3t6w1r8yd5hj", NOW - 60, NOW + 700);
    sn_deny_render(&list, &role, &arena, &rendering);
    assert_slice_equal(rendering.policy,
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"SentinelRevokedSessions\",\"Effect\":\"Deny\","
        "\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"aws:SourceIdentity\":"
        "[\"sentinel=alice=direct=4g7kq2m9x0v5c8za\",\"sentinel=bob=approved=0c9n3t6w1r8yd5hj\"]}}},"
        "{\"Sid\":\"SentinelRevokedBefore1\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":"
        "{\"StringLike\":{\"aws:SourceIdentity\":[\"sentinel=carol@example.com=*\"]},"
        "\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-02-01T10:01:00Z\"}}}]}");
    assert_int_equal(rendering.policy.len, 473);
    assert_int_equal(sn_deny_next_prune_s(&rendering.kept), NOW + 700);
}

/* Statements of one bound are merged, bounds ascend, values are sorted whatever the order of the entries. */
static void equal_entries_equal_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t bound_s;
    } rows[] = {{"sentinel=z=*", NOW + 1}, {"sentinel=a=*", NOW + 2}, {"sentinel=b=*", NOW + 1}, {"sentinel=*", NOW}};
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_slice first = {0};

    for (size_t o = 0; o < SN_LEN(orders); o++) {
        struct sn_deny_list list = {.count = 0};
        struct sn_deny_rendering rendering;
        const struct sn_deny_role role = role_of(SN_DENY_POLICY_MAX_CHARS, never, NULL);
        for (size_t i = 0; i < SN_LEN(rows); i++) {
            add(&list, &arena, SN_DENY_PATTERN, rows[orders[o][i]].value, rows[orders[o][i]].bound_s, NOW + 3720);
        }
        sn_deny_render(&list, &role, &arena, &rendering);
        first = o == 0 ? rendering.policy : first;
        assert_true(sn_slice_eq(rendering.policy, first));
    }
    assert_true(sn_slice_contains(first, SN_S("Before1\"")));
    assert_true(sn_slice_contains(first, SN_S("[\"sentinel=b=*\",\"sentinel=z=*\"]")));
    assert_true(sn_slice_contains(first, SN_S("Before3\"")));
    assert_false(sn_slice_contains(first, SN_S("Before4\"")));
}

/* TVM-55: alone on its role the policy holds 152 sessions of the longest names and 245 of alice. */
static void how_many_fit(void **state)
{
    (void)state;
    static const struct {
        const char *user;
        int fits;
    } rows[] = {{"alice", 245}, {"a.very.long.nam+abcdef", 0}};
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_deny_list list = {.count = 0};
        struct sn_deny_rendering rendering;
        const struct sn_deny_role role = role_of(SN_DENY_POLICY_MAX_CHARS, never, NULL);
        for (int n = 0; n < 400; n++) {
            add_session(&list, &arena, rows[i].user, n);
        }
        sn_deny_render(&list, &role, &arena, &rendering);
        assert_true(rendering.policy.len <= SN_DENY_POLICY_MAX_CHARS);
        int fits = 400 - (int)rendering.uncovered_count;
        print_message("# %d sessions of %s\n", fits, rows[i].user);
        assert_true(rows[i].fits == 0 ? fits >= 152 : fits == rows[i].fits);
        assert_int_equal(rendering.kept.count, 400);
    }
}

/* TVM-55: what gives way, in its order. */
static void ladder(void **state)
{
    (void)state;
    static char alice[] = "alice";
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_deny_list list = {.count = 0};
    struct sn_deny_rendering r;

    for (int n = 0; n < 20; n++) {
        add_session(&list, &arena, "alice", n);
        add_session(&list, &arena, "bob", n);
    }
    add(&list, &arena, SN_DENY_EXACT, "sentinel=dora=direct=0000000000000001", NOW - 4000, NOW);
    add(&list, &arena, SN_DENY_EXACT, "sentinel=bob=direct=zzzzzzzzzzzzzzzz", NOW - 1, NOW + 800);
    add(&list, &arena, SN_DENY_PATTERN, "sentinel=bob=*", NOW - 1, NOW + 3720);

    /* All fits: the one that is over goes anyway, the covered ones stay. */
    struct sn_deny_role role = role_of(SN_DENY_POLICY_MAX_CHARS, never, NULL);
    sn_deny_render(&list, &role, &arena, &r);
    assert_int_equal(r.kept.count, 42);
    assert_false(sn_slice_contains(r.policy, SN_S("dora")));
    assert_true(sn_slice_contains(r.policy, SN_S("sentinel=bob=direct=0000000000000003")));

    /* Sessions that a pattern covers go; the one issued at its bound is not covered. */
    role = role_of(1400, never, NULL);
    sn_deny_render(&list, &role, &arena, &r);
    assert_int_equal(r.uncovered_count, 0);
    assert_false(sn_slice_contains(r.policy, SN_S("sentinel=bob=direct=0000000000000003")));
    assert_true(sn_slice_contains(r.policy, SN_S("sentinel=bob=direct=zzzzzzzzzzzzzzzz")));

    /* Sessions of a user without any live session that is not revoked become one pattern. */
    role = role_of(700, only_named, alice);
    sn_deny_render(&list, &role, &arena, &r);
    assert_int_equal(r.uncovered_count, 0);
    assert_true(sn_slice_contains(r.policy, SN_S("[\"sentinel=alice=*\"]")));
    assert_true(sn_slice_contains(r.policy, SN_S("\"aws:TokenIssueTime\":\"2026-02-01T10:00:00Z\"")));
    assert_false(sn_slice_contains(r.policy, SN_S("sentinel=alice=direct")));

    /* ATK-24: where that would hit others, those that end first are left out, and told. */
    role = role_of(700, never, NULL);
    sn_deny_render(&list, &role, &arena, &r);
    assert_true(r.policy.len <= 700);
    assert_false(sn_slice_contains(r.policy, SN_S("sentinel=alice=*")));
    assert_true(r.uncovered_count > 0);
    assert_slice_equal(r.uncovered[0], "sentinel=bob=direct=zzzzzzzzzzzzzzzz");
    assert_slice_equal(r.uncovered[1], "sentinel=alice=direct=0000000000000000");
    assert_true(sn_slice_contains(r.policy, SN_S("sentinel=alice=direct=0000000000000019")));
    assert_true(sn_slice_contains(r.policy, SN_S("[\"sentinel=bob=*\"]")));

    /* No room for anything: everything is told, nothing is put. */
    role = role_of(100, never, NULL);
    sn_deny_render(&list, &role, &arena, &r);
    assert_int_equal(r.policy.len, 0);
    assert_int_equal(r.uncovered_count, r.kept.count);
}

/* --- Any list --- */

static uint64_t draw_state;
static uint32_t draw(uint32_t below)
{
    draw_state = draw_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(draw_state >> 33) % below;
}

static bool has_value(struct sn_slice policy, struct sn_slice value)
{
    SN_AUTO(sn_buf_clear) struct sn_buf quoted = {0};

    sn_buf_addf(&quoted, "\"%.*s\"", SN_PRI(value));
    return sn_slice_contains(policy, sn_buf_slice(&quoted));
}

static bool is_uncovered(const struct sn_deny_rendering *r, struct sn_slice value)
{
    for (size_t i = 0; i < r->uncovered_count; i++) {
        if (sn_slice_eq(r->uncovered[i], value)) {
            return true;
        }
    }
    return false;
}

/* The value itself, or the pattern of its user, is denied or told. */
static bool is_accounted_for(const struct sn_deny_rendering *r, struct sn_slice value, struct sn_arena *arena)
{
    struct sn_source_identity identity;
    struct sn_error err;
    struct sn_slice pattern =
        sn_source_identity_parse(value, &identity, &err) == SN_OK ? sn_deny_user_pattern(arena, identity.user) : value;

    return has_value(r->policy, value) || has_value(r->policy, pattern) || is_uncovered(r, value) ||
           is_uncovered(r, pattern);
}

/* TVM-55: whatever the list and the budget, the policy fits, is JSON, and each live entry is in it, matched or told. */
static void any_list(void **state)
{
    (void)state;
    static const char *const users[] = {"alice", "al", "al+x", "bob", "carol@example.com"};
    const int64_t rounds = sn_test_count("round_trips");

    draw_state = 7;
    for (int64_t round = 0; round < rounds; round++) {
        SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
        SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
        struct sn_deny_list list = {.count = 0};
        struct sn_deny_rendering r;
        struct sn_error err;
        bool merges = draw(2) == 0;
        uint32_t count = draw(40);
        for (uint32_t i = 0; i < count; i++) {
            char value[SN_SOURCE_IDENTITY_MAX + 1];
            const char *user = users[draw(SN_LEN(users))];
            if (draw(5) == 0) {
                snprintf(value, sizeof(value), "sentinel=%s=*", user);
                add(&list, &arena, SN_DENY_PATTERN, value, NOW - 30 + draw(60), NOW - 5 + draw(3600));
            } else {
                snprintf(value, sizeof(value), "sentinel=%s=direct=%016u", user, draw(100));
                add(&list, &arena, SN_DENY_EXACT, value, NOW - draw(90), NOW - 5 + draw(3600));
            }
        }
        struct sn_deny_role role = role_of(draw(3000), merges ? always : never, NULL);
        sn_deny_render(&list, &role, &arena, &r);
        assert_true(r.policy.len <= role.budget_chars);
        if (r.policy.len > 0) {
            assert_ok(sn_json_parse(r.policy, &sn_json_limits_document, &doc, &err), &err);
        }
        for (size_t i = 0; i < list.count; i++) {
            struct sn_slice value = list.entries[i].value;
            bool is_over = list.entries[i].keep_until_s <= NOW;
            assert_true(is_over || is_accounted_for(&r, value, &arena));
            assert_true(merges || list.entries[i].kind == SN_DENY_PATTERN || !is_over || !has_value(r.policy, value));
        }
        struct sn_deny_rendering again;
        sn_deny_render(&r.kept, &role, &arena, &again);
        assert_true(sn_slice_eq(again.policy, r.policy));
    }
}

/* --- Stored form --- */

static void stored_form(void **state)
{
    (void)state;
#define ENTRY(kind, value, bound, until)                                                                               \
    "[{\"kind\":\"" kind "\",\"value\":\"" value "\",\"bound\":" bound ",\"keep_until\":" until                        \
    ",\"by\":\"b\",\"at\":3}]"
    static const char *const bad[] = {
        "",
        "{}",
        "[{}]",
        ENTRY("exact", "sentinel=alice=*", "1", "2"),
        ENTRY("pattern", "*", "1", "2"),
        ENTRY("pattern", "sentinel=a*=*", "1", "2"),
        ENTRY("other", "sentinel=a=*", "1", "2"),
        ENTRY("pattern", "sentinel=a=*", "\"1\"", "2"),
        ENTRY("pattern", "sentinel=a=*", "-1", "2"),
        ENTRY("pattern", "sentinel=a=*", "1", "253402300800"),
    };
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf again = {0};
    struct sn_deny_list list = {.count = 0};
    struct sn_deny_list read;
    struct sn_error err;

    add_session(&list, &arena, "alice", 1);
    add(&list, &arena, SN_DENY_PATTERN, "sentinel=*", NOW, NOW + 3660);
    add(&list, &arena, SN_DENY_PATTERN, "sentinel=*", NOW + 5, NOW + 3000); /* the later of each */
    assert_int_equal(list.count, 2);
    assert_int_equal(list.entries[1].bound_s, NOW + 5);
    assert_int_equal(list.entries[1].keep_until_s, NOW + 3660);
    sn_deny_format(&text, &list);
    assert_ok(sn_deny_parse(sn_buf_slice(&text), &arena, &read, &err), &err);
    sn_deny_format(&again, &read);
    assert_true(sn_slice_eq(sn_buf_slice(&text), sn_buf_slice(&again)));
    for (size_t i = 0; i < SN_LEN(bad); i++) {
        print_message("# %s\n", bad[i]);
        assert_int_not_equal(sn_deny_parse(sn_slice_str(bad[i]), &arena, &read, &err), SN_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_policies),
        cmocka_unit_test(equal_entries_equal_bytes),
        cmocka_unit_test(how_many_fit),
        cmocka_unit_test(ladder),
        cmocka_unit_test(any_list),
        cmocka_unit_test(stored_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
