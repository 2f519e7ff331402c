/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/wake.h: a call is never lost, what was written before it is seen behind it, and a sleep has an end. */
#include "test.h"

#include <pthread.h>

#include "base/wake.h"

enum { ROUNDS = 2000 };

/* Two threads that take turns; the counter is theirs in turn and has no lock. */
struct pair {
    struct sn_wake there, back;
    int counter;
};

static void *answer(void *ctx)
{
    struct pair *pair = ctx;

    for (int i = 0; i < ROUNDS; i++) {
        sn_wake_sleep(&pair->there);
        pair->counter++;
        sn_wake_call(&pair->back);
    }
    return NULL;
}

static void turns(void **state)
{
    (void)state;
    struct pair pair = {.counter = 0};
    pthread_t thread;

    sn_wake_init(&pair.there);
    sn_wake_init(&pair.back);
    assert_int_equal(pthread_create(&thread, NULL, answer, &pair), 0);
    for (int i = 0; i < ROUNDS; i++) {
        sn_wake_call(&pair.there);
        sn_wake_sleep(&pair.back);
        assert_int_equal(pair.counter, i + 1);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    sn_wake_clear(&pair.there);
    sn_wake_clear(&pair.back);
}

static void calls_count(void **state)
{
    (void)state;
    struct sn_wake wake;

    sn_wake_init(&wake);
    sn_wake_call(&wake); /* before anybody sleeps */
    sn_wake_call(&wake);
    sn_wake_sleep(&wake);
    assert_true(sn_wake_sleep_ms(&wake, 60000));
    assert_false(sn_wake_sleep_ms(&wake, 0)); /* none is left */
    assert_false(sn_wake_sleep_ms(&wake, 1));
    sn_wake_clear(&wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns),
        cmocka_unit_test(calls_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
