/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/task.h, and of base/wake.h and base/turns.h with tasks: nothing is lost, nobody is held up. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/task.h"
#include "base/turns.h"
#include "base/wake.h"

enum { ROUNDS = 2000, TASKS = 64 };

static struct sn_crew *make_crew(size_t threads)
{
    struct sn_crew *crew = NULL;
    struct sn_error err;
    assert_ok(sn_crew_new(threads, &crew, &err), &err);
    return crew;
}

static void start(struct sn_crew *crew)
{
    struct sn_error err;
    assert_ok(sn_crew_start(crew, &err), &err);
}

/* --- Turns of two, on one thread and on two --- */

struct pair {
    struct sn_wake there, back;
    int counter, seen;
};

static void ask(void *ctx)
{
    struct pair *pair = ctx;
    for (int i = 0; i < ROUNDS; i++) {
        sn_wake_call(&pair->there);
        sn_wake_sleep(&pair->back);
        pair->seen += pair->counter == i + 1;
    }
}

static void answer(void *ctx)
{
    struct pair *pair = ctx;
    for (int i = 0; i < ROUNDS; i++) {
        sn_wake_sleep(&pair->there);
        pair->counter++;
        sn_wake_call(&pair->back);
    }
}

static void take_turns(size_t threads)
{
    struct pair pair = {.counter = 0};
    struct sn_crew *crew = make_crew(threads);

    sn_wake_init(&pair.there);
    sn_wake_init(&pair.back);
    sn_crew_add(crew, ask, &pair);
    sn_crew_add(crew, answer, &pair);
    start(crew);
    sn_crew_free(crew);
    assert_int_equal(pair.counter, ROUNDS);
    assert_int_equal(pair.seen, ROUNDS);
    sn_wake_clear(&pair.there);
    sn_wake_clear(&pair.back);
}

static void turns_of_tasks(void **state)
{
    (void)state;
    take_turns(1);
    take_turns(2);
}

static void *answer_as_thread(void *ctx)
{
    answer(ctx);
    return NULL;
}

static void turns_with_a_thread(void **state)
{
    (void)state;
    struct pair pair = {.counter = 0};
    struct sn_crew *crew = make_crew(1);
    pthread_t thread;

    sn_wake_init(&pair.there);
    sn_wake_init(&pair.back);
    sn_crew_add(crew, ask, &pair);
    start(crew);
    assert_int_equal(pthread_create(&thread, NULL, answer_as_thread, &pair), 0);
    sn_crew_free(crew);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pair.seen, ROUNDS);
    sn_wake_clear(&pair.there);
    sn_wake_clear(&pair.back);
}

/* --- Sleeps with an end --- */

struct late {
    struct sn_wake wake;
    bool early, late, counted;
    atomic_int slept, called;
    atomic_bool is_over;
};

static void sleep_for_a_while(void *ctx)
{
    struct late *late = ctx;
    late->late = !sn_wake_sleep_ms(&late->wake, 1) && !sn_wake_sleep_ms(&late->wake, 0);
    sn_wake_call(&late->wake);
    sn_wake_call(&late->wake);
    late->early = sn_wake_sleep_ms(&late->wake, 60000) && sn_wake_sleep_ms(&late->wake, 0);
    late->counted = !sn_wake_sleep_ms(&late->wake, 0); /* none is left */
}

static void sleeps_have_an_end(void **state)
{
    (void)state;
    struct late late = {.early = false};
    struct sn_crew *crew = make_crew(1);

    sn_wake_init(&late.wake);
    sn_crew_add(crew, sleep_for_a_while, &late);
    start(crew);
    sn_crew_free(crew);
    assert_true(late.late && late.early && late.counted);
    sn_wake_clear(&late.wake);
}

/* Calls that come at the moment at which the sleeper gives up: each is taken exactly once. */
static void count_sleeps(void *ctx)
{
    struct late *late = ctx;
    while (!atomic_load(&late->is_over)) {
        if (sn_wake_sleep_ms(&late->wake, 0)) {
            atomic_fetch_add(&late->slept, 1);
        }
    }
    while (sn_wake_sleep_ms(&late->wake, 0)) {
        atomic_fetch_add(&late->slept, 1);
    }
}

static void calls_at_the_last_moment(void **state)
{
    (void)state;
    struct late late = {.early = false};
    struct sn_crew *crew = make_crew(1);

    sn_wake_init(&late.wake);
    sn_crew_add(crew, count_sleeps, &late);
    start(crew);
    for (int i = 0; i < ROUNDS * 10; i++) {
        sn_wake_call(&late.wake);
    }
    atomic_store(&late.is_over, true);
    sn_crew_free(crew);
    assert_int_equal(late.slept, ROUNDS * 10);
    sn_wake_clear(&late.wake);
}

/* --- Many at once --- */

struct crowd {
    struct sn_turns turns;
    int inside, most; /* under the turn */
    atomic_int done, late;
};

static void enter(void *ctx)
{
    struct crowd *crowd = ctx;
    for (int i = 0; i < 20; i++) {
        sn_turns_take(&crowd->turns);
        crowd->inside++;
        crowd->most = crowd->inside > crowd->most ? crowd->inside : crowd->most;
        sn_task_yield(); /* held over a wait */
        crowd->inside--;
        sn_turns_give(&crowd->turns);
    }
    atomic_fetch_add(&crowd->done, 1);
}

static void one_at_a_time(void **state)
{
    (void)state;
    struct crowd crowd = {.inside = 0};
    struct sn_crew *crew = make_crew(2);

    sn_turns_init(&crowd.turns, 1);
    for (int i = 0; i < TASKS; i++) {
        sn_crew_add(crew, enter, &crowd);
    }
    start(crew);
    sn_crew_free(crew);
    assert_int_equal(crowd.done, TASKS);
    assert_int_equal(crowd.most, 1);
    sn_turns_clear(&crowd.turns);
}

static void wait_in_vain(void *ctx)
{
    struct crowd *crowd = ctx;
    if (!sn_turns_take_ms(&crowd->turns, 5)) {
        atomic_fetch_add(&crowd->late, 1);
    }
}

static void turns_end_with_their_time(void **state)
{
    (void)state;
    struct crowd crowd = {.inside = 0};
    struct sn_crew *crew = make_crew(1);

    sn_turns_init(&crowd.turns, 3);
    for (int i = 0; i < TASKS; i++) {
        sn_crew_add(crew, wait_in_vain, &crowd);
    }
    start(crew);
    sn_crew_free(crew);
    assert_int_equal(crowd.late, TASKS - 3);
    sn_turns_give(&crowd.turns); /* those who gave up are not waited for */
    sn_turns_take(&crowd.turns);
    sn_turns_clear(&crowd.turns);
}

/* --- What blocks goes apart; a hurry ends pauses --- */

struct apart {
    struct sn_turns go;
    bool was_thread;
    atomic_bool others_ran;
};

static void block(void *ctx)
{
    struct apart *apart = ctx;
    apart->was_thread = sn_task_self() == NULL;
    sn_turns_take(&apart->go); /* given by the other task, which runs only if this does not hold up its thread */
}

static void go_apart(void *ctx)
{
    sn_task_apart(block, ctx);
}

static void give_turn(void *ctx)
{
    struct apart *apart = ctx;
    atomic_store(&apart->others_ran, true);
    sn_turns_give(&apart->go);
}

static void apart_holds_nobody_up(void **state)
{
    (void)state;
    struct apart apart = {.was_thread = false};
    struct sn_crew *crew = make_crew(1);

    sn_turns_init(&apart.go, 0);
    sn_crew_add(crew, go_apart, &apart);
    sn_crew_add(crew, give_turn, &apart);
    start(crew);
    sn_crew_free(crew);
    assert_true(apart.was_thread && apart.others_ran);
    sn_turns_clear(&apart.go);
}

static void sleep_long(void *ctx)
{
    (void)ctx;
    sn_task_sleep_ms(600 * 1000);
}

static void a_hurry_ends_pauses(void **state)
{
    (void)state;
    struct sn_crew *crew = make_crew(2);

    for (int i = 0; i < TASKS; i++) {
        sn_crew_add(crew, sleep_long, NULL);
    }
    start(crew);
    sn_crew_hurry(crew);
    sn_crew_free(crew); /* or the test runs into its time limit */
}

static void never_started(void **state)
{
    (void)state;
    struct sn_crew *crew = make_crew(2);

    sn_crew_add(crew, sleep_long, NULL);
    sn_crew_free(crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_of_tasks),
        cmocka_unit_test(turns_with_a_thread),
        cmocka_unit_test(sleeps_have_an_end),
        cmocka_unit_test(calls_at_the_last_moment),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(turns_end_with_their_time),
        cmocka_unit_test(apart_holds_nobody_up),
        cmocka_unit_test(a_hurry_ends_pauses),
        cmocka_unit_test(never_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
