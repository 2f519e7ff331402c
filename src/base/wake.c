/* SPDX-License-Identifier: Apache-2.0 */
/* base/wake.c - one thread sleeps until another one calls it; see wake.h. */
#include "base/wake.h"

#include <errno.h>
#include <time.h>

#include "base/defs.h"

void sn_wake_init(struct sn_wake *wake)
{
    SN_ASSERT(sem_init(&wake->calls, 0, 0) == 0);
    atomic_init(&wake->order, 0);
}

void sn_wake_clear(struct sn_wake *wake)
{
    (void)sem_destroy(&wake->calls);
}

void sn_wake_call(struct sn_wake *wake)
{
    atomic_fetch_add_explicit(&wake->order, 1, memory_order_release);
    SN_ASSERT(sem_post(&wake->calls) == 0);
}

static void take_order(struct sn_wake *wake)
{
    (void)atomic_load_explicit(&wake->order, memory_order_acquire);
}

void sn_wake_sleep(struct sn_wake *wake)
{
    while (sem_wait(&wake->calls) != 0) {
        SN_ASSERT(errno == EINTR);
    }
    take_order(wake);
}

bool sn_wake_sleep_ms(struct sn_wake *wake, int64_t timeout_ms)
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
    take_order(wake);
    return true;
}
