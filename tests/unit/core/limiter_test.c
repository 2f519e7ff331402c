/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/ratelimit/limiter.c: windows, the two coarse buckets, the bound on keys, threads.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/ratelimit/limiter.h"

#define S INT64_C(1000000000)

static const struct sn_slice account = SN_S_INIT("123456789012");

static bool allow(struct sn_limiter *limiter, const char *arn, const char *role, int64_t now_ns, int64_t *out_retry_s)
{
    enum sn_limiter_bucket bucket = SN_LIMITER_NONE;

    *out_retry_s = 0;
    return sn_limiter_allow(limiter, sn_slice_str(arn), sn_slice_str(role), account, now_ns, out_retry_s, &bucket);
}

/* TVM-14, ATK-32: the 101st call is refused, another caller is not; the wait is told and is enough. */
static void attack_32_window(void **state)
{
    (void)state;
    struct sn_limiter *limiter = sn_limiter_new(100, 60);
    int64_t retry_s = 0;

    for (int i = 0; i < 100; i++) {
        assert_true(allow(limiter, "arn:a", "R1", 5 * S + i * (S / 10), &retry_s));
    }
    assert_false(allow(limiter, "arn:a", "R1", 20 * S, &retry_s));
    assert_int_equal(retry_s, 45);
    assert_true(allow(limiter, "arn:b", "R1", 20 * S, &retry_s));
    /* Rounded up: half a second of waiting is one. */
    assert_false(allow(limiter, "arn:a", "R1", 64 * S + S / 2, &retry_s));
    assert_int_equal(retry_s, 1);
    /* A refused call raises no count, so exactly the wait told suffices. */
    assert_true(allow(limiter, "arn:a", "R1", 65 * S, &retry_s));
    assert_false(allow(limiter, "arn:a", "R1", 65 * S, &retry_s));
    sn_limiter_free(limiter);
}

/* ATK-32: no burst of twice the limit around the edge of a window, wherever the window is thought to start. */
static void attack_32_window_edge_burst(void **state)
{
    (void)state;
    struct sn_limiter *limiter = sn_limiter_new(10, 60);
    int64_t retry_s = 0;
    int64_t admitted[1000];
    size_t count = 0;

    for (int64_t now_ns = 0; now_ns < 300 * S; now_ns += S / 2) {
        if (allow(limiter, "arn:a", "R1", now_ns, &retry_s)) {
            admitted[count++] = now_ns;
        }
    }
    assert_true(count >= 50);
    for (size_t i = 10; i < count; i++) {
        assert_true(admitted[i] - admitted[i - 10] >= 60 * S);
    }
    sn_limiter_free(limiter);
}

/* TVM-14, ATK-32: one role under many session names, and one account under many roles. */
static void attack_32_many_session_names(void **state)
{
    (void)state;
    struct sn_limiter *limiter = sn_limiter_new(100, 60);
    enum sn_limiter_bucket bucket = SN_LIMITER_NONE;
    int64_t retry_s = 0;
    char arn[64];
    char role[64];

    for (int i = 0; i < 2001; i++) {
        snprintf(arn, sizeof(arn), "arn:session-%d", i);
        bool is_allowed = sn_limiter_allow(limiter, sn_slice_str(arn), SN_S("AROA1"), account, S, &retry_s, &bucket);
        assert_int_equal(is_allowed, i < 2000);
    }
    assert_int_equal(bucket, SN_LIMITER_ROLE);
    for (int i = 0; i < 8001; i++) {
        snprintf(arn, sizeof(arn), "arn:other-%d", i);
        snprintf(role, sizeof(role), "AROA-%d", i % 50);
        bool is_allowed =
            sn_limiter_allow(limiter, sn_slice_str(arn), sn_slice_str(role), account, S, &retry_s, &bucket);
        assert_int_equal(is_allowed, i < 8000);
    }
    assert_int_equal(bucket, SN_LIMITER_ACCOUNT);
    assert_int_equal(retry_s, 60);
    sn_limiter_free(limiter);
}

/* ATK-32: filling the table frees nobody who is refused, and memory stays bounded. */
static void attack_32_full_table_forgives_nobody(void **state)
{
    (void)state;
    struct sn_limiter *limiter = sn_limiter_new(2, 60);
    enum sn_limiter_bucket bucket = SN_LIMITER_NONE;
    int64_t retry_s = 0;
    size_t keys = 0;
    size_t instants = 0;
    char text[64];

    assert_true(allow(limiter, "arn:full", "R-full", S, &retry_s));
    assert_true(allow(limiter, "arn:full", "R-full", S, &retry_s));
    for (int i = 0; i < 30000; i++) {
        struct sn_slice name;
        snprintf(text, sizeof(text), "%012d", i);
        name = sn_slice_str(text);
        assert_true(sn_limiter_allow(limiter, name, name, name, 2 * S, &retry_s, &bucket));
    }
    assert_false(allow(limiter, "arn:full", "R-full", 3 * S, &retry_s));
    sn_limiter_count(limiter, &keys, &instants);
    assert_true(keys <= 10000);
    assert_true(instants <= 20000);
    assert_true(allow(limiter, "arn:full", "R-full", 62 * S, &retry_s));
    /* Idle keys go after a while without being pushed out. */
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "late-%d", i);
        assert_true(sn_limiter_allow(
            limiter, sn_slice_str(text), sn_slice_str(text), sn_slice_str(text), 2000 * S, &retry_s, &bucket));
    }
    sn_limiter_count(limiter, &keys, &instants);
    assert_true(keys <= 700);
    sn_limiter_free(limiter);
}

/* Keys that are all exhausted leave no room: a new caller is refused, not admitted uncounted. */
static void full_of_exhausted_keys(void **state)
{
    (void)state;
    struct sn_limiter *limiter = sn_limiter_new(1, 60);
    enum sn_limiter_bucket bucket = SN_LIMITER_NONE;
    int64_t retry_s = 0;
    char text[64];
    int refused = 0;

    for (int i = 0; i < 12000; i++) {
        snprintf(text, sizeof(text), "c%d", i);
        char role[32];
        char acct[32];
        snprintf(role, sizeof(role), "r%d", i / 20);
        snprintf(acct, sizeof(acct), "a%d", i / 100);
        refused += !sn_limiter_allow(
            limiter, sn_slice_str(text), sn_slice_str(role), sn_slice_str(acct), S, &retry_s, &bucket);
    }
    assert_true(refused >= 2000);
    assert_true(retry_s >= 1 && retry_s <= 60);
    sn_limiter_free(limiter);
}

static void zero_is_off(void **state)
{
    (void)state;
    struct sn_limiter *limiter = sn_limiter_new(0, 60);
    int64_t retry_s = 0;

    for (int i = 0; i < 1000; i++) {
        assert_true(allow(limiter, "arn:a", "R1", S, &retry_s));
    }
    sn_limiter_free(limiter);
    sn_limiter_free(NULL);
}

/* Against a model that keeps every instant: the same answers for random callers and times. */
static void agrees_with_a_model(void **state)
{
    (void)state;
    enum { CALLERS = 5, LIMIT = 4, STEPS = 20000 };
    struct sn_limiter *limiter = sn_limiter_new(LIMIT, 10);
    static int64_t seen[CALLERS][STEPS];
    size_t count[CALLERS] = {0};
    uint64_t seed = 88172645463325252ULL;
    int64_t now_ns = 0;

    for (int n = 0; n < STEPS; n++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        size_t who = seed % CALLERS;
        now_ns += (int64_t)((seed >> 8) % (uint64_t)S);
        size_t inside = 0;
        for (size_t i = count[who]; i-- > 0 && now_ns - seen[who][i] < 10 * S;) {
            inside++;
        }
        char arn[16];
        char role[16];
        int64_t retry_s = 0;
        snprintf(arn, sizeof(arn), "a%zu", who);
        snprintf(role, sizeof(role), "r%zu", who);
        bool is_allowed = allow(limiter, arn, role, now_ns, &retry_s);
        assert_int_equal(is_allowed, inside < LIMIT);
        if (is_allowed) {
            seen[who][count[who]++] = now_ns;
        } else {
            int64_t left_ns = seen[who][count[who] - LIMIT] + 10 * S - now_ns;
            assert_int_equal(retry_s, (left_ns + S - 1) / S);
        }
    }
    sn_limiter_free(limiter);
}

struct race {
    struct sn_limiter *limiter;
    atomic_int admitted;
};

static void *race_run(void *argument)
{
    struct race *race = argument;
    enum sn_limiter_bucket bucket;
    int64_t retry_s;

    for (int i = 0; i < 2000; i++) {
        if (sn_limiter_allow(race->limiter, SN_S("arn:a"), SN_S("R"), account, S + i, &retry_s, &bucket)) {
            atomic_fetch_add(&race->admitted, 1);
        }
    }
    return NULL;
}

/* ATK-32: threads together get the limit and no more. */
static void attack_32_threads(void **state)
{
    (void)state;
    struct race race = {.limiter = sn_limiter_new(500, 60)};
    pthread_t threads[8];

    atomic_init(&race.admitted, 0);
    for (size_t i = 0; i < SN_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, race_run, &race), 0);
    }
    for (size_t i = 0; i < SN_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&race.admitted), 500);
    sn_limiter_free(race.limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_32_window),
        cmocka_unit_test(attack_32_window_edge_burst),
        cmocka_unit_test(attack_32_many_session_names),
        cmocka_unit_test(attack_32_full_table_forgives_nobody),
        cmocka_unit_test(full_of_exhausted_keys),
        cmocka_unit_test(zero_is_off),
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(attack_32_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
