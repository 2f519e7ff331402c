/* SPDX-License-Identifier: Apache-2.0 */
/* base/wake.c - a thread or a task sleeps until another one calls it; see wake.h. */
#include "base/wake.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "base/defs.h"
#include "base/task.h"

void sn_wake_init(struct sn_wake *wake)
{
    SN_ASSERT(sem_init(&wake->calls, 0, 0) == 0);
    wake->task = NULL;
    atomic_init(&wake->balance, 0);
    atomic_init(&wake->order, 0);
}

void sn_wake_clear(struct sn_wake *wake)
{
    (void)sem_destroy(&wake->calls);
}

void sn_wake_call(struct sn_wake *wake)
{
    /* With nobody asleep this is the last touch: the sleeper may come, find the call, and release the wake. */
    if (atomic_fetch_add(&wake->balance, 1) >= 0) {
        return;
    }
    if (wake->task != NULL) {
        sn_task_call(wake->task);
    } else {
        atomic_fetch_add_explicit(&wake->order, 1, memory_order_release);
        SN_ASSERT(sem_post(&wake->calls) == 0);
    }
}

/* True: a call had come already. */
static bool begin_sleep(struct sn_wake *wake)
{
    wake->task = sn_task_self();
    return atomic_fetch_sub(&wake->balance, 1) > 0;
}

/* Nobody called in time. False: somebody does at this moment, and that call must be taken. */
static bool give_up_sleep(struct sn_wake *wake)
{
    int asleep = -1;

    return atomic_compare_exchange_strong(&wake->balance, &asleep, 0);
}

static void wait_for_post(struct sn_wake *wake)
{
    while (sem_wait(&wake->calls) != 0) {
        SN_ASSERT(errno == EINTR);
    }
}

static void take_order(struct sn_wake *wake)
{
    (void)atomic_load_explicit(&wake->order, memory_order_acquire);
}

void sn_wake_sleep(struct sn_wake *wake)
{
    if (begin_sleep(wake)) {
        return;
    }
    if (wake->task != NULL) {
        (void)sn_task_wait_ms(-1);
    } else {
        wait_for_post(wake);
    }
    take_order(wake);
}

static bool wait_for_post_ms(struct sn_wake *wake, int64_t timeout_ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += timeout_ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    while (sem_clockwait(&wake->calls, CLOCK_MONOTONIC, &at) != 0) {
        if (errno == ETIMEDOUT) {
            return false;
        }
        SN_ASSERT(errno == EINTR);
    }
    return true;
}

bool sn_wake_sleep_ms(struct sn_wake *wake, int64_t timeout_ms)
{
    if (begin_sleep(wake)) {
        return true;
    }
    struct sn_task *task = wake->task;
    bool was_called = task != NULL ? sn_task_wait_ms(timeout_ms) : wait_for_post_ms(wake, timeout_ms);
    if (!was_called && give_up_sleep(wake)) {
        return false;
    }
    if (!was_called && task != NULL) {
        (void)sn_task_wait_ms(-1);
    } else if (!was_called) {
        wait_for_post(wake);
    }
    take_order(wake);
    return true;
}
