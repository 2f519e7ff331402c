/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/store_conformance.c - the checks of store_conformance.h.
 */
#include "store_conformance.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "test.h"

#define T0 INT64_C(1769940000000) /* 2026-02-01T10:00:00.000Z */

struct sn_session store_conformance_session(const struct sn_seal_keys *keys, const char *id, char seal[SN_SEAL_MAX + 1])
{
    struct sn_session s = {.rev = 1,
        .user = SN_S("al.ice@example.com"),
        .account = SN_S("123456789012"),
        .caller_type = SN_S("assumed-role"),
        .caller_role = SN_S("AWSReservedSSO_Dev_0123456789abcdef"),
        .caller_arn =
            SN_S("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/al.ice@example.com"),
        .vouched = true,
        .profile = SN_S("prod"),
        .role_arn = SN_S("arn:aws:iam::123456789012:role/SentinelProtected-prod"),
        .kind = SN_ISSUE_DIRECT,
        .source_identity = SN_S("sentinel=al.ice@example.com=direct=4g7kq2m9x0v5c8za"),
        .server_instance_id = {"c4q9e2h7m1x5s8z3"},
        .status = SN_SESSION_ACTIVE,
        .started_at_ms = T0,
        .last_access_at_ms = T0 + 1,
        .expires_at_ms = T0 + 900000,
        .created_at_ms = T0 + 2,
        .updated_at_ms = T0 + 3,
        .keys_expire_at_ms = T0 + 900001,
        .request_count = 1,
        .ttl_unix_s = T0 / 1000 + 900 + 90 * 86400};

    memcpy(s.id.text, id, SN_ID_LEN);
    sn_session_seal(keys, &s, seal);
    s.seal = sn_slice_str(seal);
    return s;
}

static void assert_slices(struct sn_slice a, struct sn_slice b)
{
    if (!sn_slice_eq(a, b)) {
        print_error("'%.*s' is not '%.*s'\n", SN_PRI(a), SN_PRI(b));
        fail();
    }
}

static void assert_same_session(const struct sn_session *a, const struct sn_session *b)
{
    assert_string_equal(a->id.text, b->id.text);
    assert_int_equal(a->rev, b->rev);
    assert_slices(a->user, b->user);
    assert_slices(a->account, b->account);
    assert_slices(a->caller_type, b->caller_type);
    assert_slices(a->caller_role, b->caller_role);
    assert_slices(a->caller_arn, b->caller_arn);
    assert_int_equal(a->vouched, b->vouched);
    assert_slices(a->profile, b->profile);
    assert_slices(a->role_arn, b->role_arn);
    assert_int_equal(a->kind, b->kind);
    assert_slices(a->grant_id, b->grant_id);
    assert_slices(a->source_identity, b->source_identity);
    assert_string_equal(a->server_instance_id.text, b->server_instance_id.text);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->started_at_ms, b->started_at_ms);
    assert_int_equal(a->last_access_at_ms, b->last_access_at_ms);
    assert_int_equal(a->expires_at_ms, b->expires_at_ms);
    assert_int_equal(a->created_at_ms, b->created_at_ms);
    assert_int_equal(a->updated_at_ms, b->updated_at_ms);
    assert_int_equal(a->keys_expire_at_ms, b->keys_expire_at_ms);
    assert_int_equal(a->request_count, b->request_count);
    assert_slices(a->device_id, b->device_id);
    assert_slices(a->revoked_by, b->revoked_by);
    assert_slices(a->revoked_by_arn, b->revoked_by_arn);
    assert_slices(a->revoked_reason, b->revoked_reason);
    assert_int_equal(a->revoked_at_ms, b->revoked_at_ms);
    assert_int_equal(a->keys_denied_at_ms, b->keys_denied_at_ms);
    assert_int_equal(a->ttl_unix_s, b->ttl_unix_s);
    assert_slices(a->seal, b->seal);
}

static void assert_stored(struct store_backend *b, const struct sn_session *wanted)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_session found;
    struct sn_error err;

    assert_ok(b->store.get(b->store.ctx, &wanted->id, &arena, &found, &err), &err);
    assert_same_session(&found, wanted);
    assert_true(sn_session_seal_is_valid(b->keys, &found));
}

/* TVM-16: what was written comes back, also after the store was opened again; absent facts stay absent. */
static void rows_come_back(struct store_backend *b)
{
    char seal[SN_SEAL_MAX + 1];
    char other_seal[SN_SEAL_MAX + 1];
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_session s = store_conformance_session(b->keys, "0000000000000001", seal);
    struct sn_session full = store_conformance_session(b->keys, "0000000000000002", other_seal);
    struct sn_session found;
    struct sn_error err;

    full.vouched = false;
    full.kind = SN_ISSUE_BREAKGLASS;
    full.grant_id = SN_S("6t2w8y4d0h1j5q7z");
    full.status = SN_SESSION_REVOKED;
    full.device_id = SN_S("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    full.revoked_by = SN_S("sec-lead");
    full.revoked_by_arn = SN_S("arn:aws:iam::123456789012:user/sec-lead");
    full.revoked_reason = SN_S("laptop 'lost'; \xe2\x80\x94 \"\\\n");
    full.revoked_at_ms = T0 + 5;
    full.keys_denied_at_ms = T0 + 6;
    sn_session_seal(b->keys, &full, other_seal);
    assert_ok(b->store.create(b->store.ctx, &s, NULL, &err), &err);
    assert_ok(b->store.create(b->store.ctx, &full, NULL, &err), &err);
    assert_stored(b, &s);
    assert_stored(b, &full);
    b->reopen(b->ctx, &b->store);
    assert_stored(b, &s);
    assert_stored(b, &full);
    assert_fails(b->store.get(b->store.ctx, &(struct sn_id){"zzzzzzzzzzzzzzzz"}, &arena, &found, &err), &err,
        "SESSION_NOT_FOUND");
    assert_ok(b->store.ping(b->store.ctx, &err), &err);
}

/* ATK-07: an id is used once, whatever the row says. */
static void attack_07_ids_are_used_once(struct store_backend *b)
{
    char seal[SN_SEAL_MAX + 1];
    struct sn_session s = store_conformance_session(b->keys, "0000000000000001", seal);
    struct sn_error err;

    s.user = SN_S("mallory");
    assert_fails(b->store.create(b->store.ctx, &s, NULL, &err), &err, "ID_TAKEN");
    assert_int_equal(err.status, SN_CONFLICT);
}

/* A used proof takes its row with it: neither is written twice, and no row is half written. */
static void proofs_are_spent_once(struct store_backend *b)
{
    char seal[SN_SEAL_MAX + 1];
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_spent_proof proof = {.key = {1, 2, 3}, .expires_unix_s = T0 / 1000 + 120};
    struct sn_spent_proof other = {.key = {1, 2, 4}, .expires_unix_s = T0 / 1000 + 120};
    struct sn_session first = store_conformance_session(b->keys, "0000000000000010", seal);
    struct sn_session second = first;
    struct sn_session found;
    struct sn_error err;

    second.id = (struct sn_id){"0000000000000011"};
    assert_ok(b->store.create(b->store.ctx, &first, &proof, &err), &err);
    assert_fails(b->store.create(b->store.ctx, &second, &proof, &err), &err, "PROOF_REPLAYED");
    assert_fails(b->store.get(b->store.ctx, &second.id, &arena, &found, &err), &err, "SESSION_NOT_FOUND");
    b->reopen(b->ctx, &b->store);
    assert_fails(b->store.create(b->store.ctx, &second, &proof, &err), &err, "PROOF_REPLAYED");
    /* The id is taken: the fresh proof is not spent by the refusal. */
    assert_fails(b->store.create(b->store.ctx, &first, &other, &err), &err, "ID_TAKEN");
    assert_ok(b->store.create(b->store.ctx, &second, &other, &err), &err);
}

static void updates_are_conditional(struct store_backend *b)
{
    char seal[SN_SEAL_MAX + 1];
    struct sn_session s = store_conformance_session(b->keys, "0000000000000001", seal);
    struct sn_error err;

    s.rev = 2;
    s.status = SN_SESSION_EXPIRED;
    s.expires_at_ms = T0 + 60000;
    sn_session_seal(b->keys, &s, seal);
    assert_fails(b->store.update(b->store.ctx, &s, 2, &err), &err, "CONCURRENT_MODIFICATION");
    assert_int_equal(err.status, SN_CONFLICT);
    assert_ok(b->store.update(b->store.ctx, &s, 1, &err), &err);
    assert_stored(b, &s);
    assert_fails(b->store.update(b->store.ctx, &s, 1, &err), &err, "CONCURRENT_MODIFICATION");
    s.id = (struct sn_id){"zzzzzzzzzzzzzzzz"};
    assert_fails(b->store.update(b->store.ctx, &s, 2, &err), &err, "SESSION_NOT_FOUND");
    assert_int_equal(err.status, SN_NOT_FOUND);
}

static bool must_ask(struct store_backend *b, const char *const *ids, size_t count, int64_t now_ms)
{
    struct sn_slice slices[SN_BLOCK_MARKERS_MAX];
    struct sn_error err;
    bool blocked = true;

    for (size_t i = 0; i < count; i++) {
        slices[i] = sn_slice_str(ids[i]);
    }
    assert_ok(b->store.is_blocked(b->store.ctx, slices, count, now_ms, &blocked, &err), &err);
    return blocked;
}

/* ATK-24: markers hold until their end; a broken or moved one holds for ever; others are not touched. */
static void attack_24_block_markers(struct store_backend *b)
{
    static const char *const ids[] = {"block#person#idc/alice#prod", "block#person#idc/alice#*",
        "block#name#alice#prod", "block#name#alice#*", "block#role#Dev#prod#3", "block#role#Dev#*#3",
        "block#profile#prod#3", "block#device#0"};
    static const char *const broken[] = {"block#name#broken#*"};
    static const char *const moved[] = {"block#name#moved#*"};
    static const char *const others[] = {"block#person#idc/bob#prod", "block#person#idc/alice#pro"};
    char seal[SN_SEAL_MAX + 1];

    assert_false(must_ask(b, ids, 8, T0));
    for (size_t i = 0; i < SN_LEN(ids); i++) {
        struct sn_block_marker marker = {.id = sn_slice_str(ids[i]),
            .blocked_until_ms = T0 + 1000 * (int64_t)(i + 1),
            .blocked_by = SN_S("sec-lead"),
            .reason = SN_S("r")};
        sn_block_marker_seal(b->keys, &marker, seal);
        marker.seal = sn_slice_str(seal);
        b->put_block(b->ctx, &marker);
        assert_true(must_ask(b, &ids[i], 1, marker.blocked_until_ms - 1));
        assert_false(must_ask(b, &ids[i], 1, marker.blocked_until_ms));
    }
    assert_true(must_ask(b, ids, 8, T0 + 7999));
    assert_false(must_ask(b, ids, 8, T0 + 8000));
    assert_false(must_ask(b, others, 2, T0));

    struct sn_block_marker marker = {.id = sn_slice_str(broken[0]), .blocked_until_ms = T0, .reason = SN_S("r")};
    sn_block_marker_seal(b->keys, &marker, seal);
    marker.seal = sn_slice_str(seal);
    marker.reason = SN_S("changed");
    b->put_block(b->ctx, &marker);
    assert_true(must_ask(b, broken, 1, T0 + 99999999));
    marker.reason = SN_S("r");
    marker.id = sn_slice_str(moved[0]);
    b->put_block(b->ctx, &marker);
    assert_true(must_ask(b, moved, 1, T0 + 99999999));

    struct sn_slice many[SN_BLOCK_MARKERS_MAX + 1] = {{0}};
    struct sn_error err;
    bool blocked = false;
    assert_int_not_equal(b->store.is_blocked(b->store.ctx, many, SN_LEN(many), T0, &blocked, &err), SN_OK);
}

/* ATK-24: with a marker in force no row is written and no proof is spent, and a row is not shown. */
static void attack_24_blocked_callers_leave_no_row(struct store_backend *b)
{
    const struct sn_slice id = SN_S("block#name#mallory#*");
    const struct sn_block_query during = {&id, 1, T0}, behind = {&id, 1, T0 + 1000};
    const struct sn_spent_proof proof = {.key = {77}, .expires_unix_s = T0 / 1000 + 60};
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    char seal[SN_SEAL_MAX + 1], marker_seal[SN_SEAL_MAX + 1];
    struct sn_session s = store_conformance_session(b->keys, "00000000000000b1", seal), found;
    struct sn_block_marker marker = {.id = id, .blocked_until_ms = T0 + 1000, .reason = SN_S("r")};
    struct sn_error err;
    bool blocked = false;

    sn_block_marker_seal(b->keys, &marker, marker_seal);
    marker.seal = sn_slice_str(marker_seal);
    b->put_block(b->ctx, &marker);
    assert_ok(sn_session_store_admit(&b->store, &during, &s, &proof, &blocked, &err), &err);
    assert_true(blocked);
    assert_fails(b->store.get(b->store.ctx, &s.id, &arena, &found, &err), &err, "SESSION_NOT_FOUND");
    assert_ok(sn_session_store_admit(&b->store, &behind, &s, &proof, &blocked, &err), &err);
    assert_false(blocked);
    assert_stored(b, &s);
    assert_fails(sn_session_store_admit(&b->store, &behind, &s, &proof, &blocked, &err), &err, "PROOF_REPLAYED");
    assert_fails(sn_session_store_admit(&b->store, &behind, &s, NULL, &blocked, &err), &err, "ID_TAKEN");

    assert_ok(sn_session_store_look(&b->store, &during, &s.id, &arena, &blocked, &found, &err), &err);
    assert_true(blocked);
    assert_ok(sn_session_store_look(&b->store, &behind, &s.id, &arena, &blocked, &found, &err), &err);
    assert_false(blocked);
    assert_same_session(&s, &found);
}

/* --- Many at once --- */

enum { THREADS = 16, USUAL_RACES = 40 };

struct worker {
    struct store_backend *b;
    int number;
    int each;
    int created, taken, other;
};

static void *worker_run(void *argument)
{
    struct worker *w = argument;

    for (int i = 0; i < w->each; i++) {
        char id[SN_ID_LEN + 1];
        char seal[SN_SEAL_MAX + 1];
        struct sn_error err;
        /* Every second id is one that all threads want. */
        snprintf(id, sizeof(id), "1%03d%012d", i % 2 == 0 ? 999 : w->number, i);
        struct sn_session s = store_conformance_session(w->b->keys, id, seal);
        enum sn_status status = w->b->store.create(w->b->store.ctx, &s, NULL, &err);
        w->created += status == SN_OK;
        w->taken += status == SN_CONFLICT;
        w->other += status != SN_OK && status != SN_CONFLICT;
    }
    return NULL;
}

/* ATK-07: of all that race for one id exactly one wins, and the losers take nobody with them. */
static void attack_07_races_have_one_winner(struct store_backend *b)
{
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    int each = b->races != 0 ? b->races : USUAL_RACES;
    int created = 0;
    int taken = 0;

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.b = b, .number = i, .each = each};
        assert_int_equal(pthread_create(&threads[i], NULL, worker_run, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        created += workers[i].created;
        taken += workers[i].taken;
        assert_int_equal(workers[i].other, 0);
    }
    assert_int_equal(created, THREADS * each / 2 + each / 2);
    assert_int_equal(taken, (THREADS - 1) * each / 2);
}

void store_conformance_run(struct store_backend *backend)
{
    rows_come_back(backend);
    attack_07_ids_are_used_once(backend);
    proofs_are_spent_once(backend);
    updates_are_conditional(backend);
    attack_24_block_markers(backend);
    attack_24_blocked_callers_leave_no_row(backend);
    attack_07_races_have_one_winner(backend);
}
