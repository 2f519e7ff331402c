/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/wake.h - a thread or a task sleeps until another one calls it.
 *
 * A condition variable makes the sleeper take a lock when it wakes, which the caller often still holds: two more
 * switches of the processor. A wake has no lock, and no system call when the call comes before the sleep or when the
 * sleeper is a task of the caller's own thread. Everything the caller wrote before the call is visible to the sleeper
 * after it.
 *
 * Calls count: a sleeper returns once for each. One sleeper at a time. It may release the wake as soon as it has
 * returned.
 */
#ifndef SN_BASE_WAKE_H
#define SN_BASE_WAKE_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sn_task; /* base/task.h */

struct sn_wake {
    sem_t calls;          /* a sleeping thread waits here */
    struct sn_task *task; /* or this task is put aside; NULL: it is a thread */
    atomic_int balance;   /* calls that nobody slept for; -1: somebody sleeps */
    atomic_uint order;    /* carries the order of memory for tools that do not know every form of waiting */
};

void sn_wake_init(struct sn_wake *wake);
void sn_wake_clear(struct sn_wake *wake);
/* From any thread, once for each sleep. */
void sn_wake_call(struct sn_wake *wake);
void sn_wake_sleep(struct sn_wake *wake);
/* False: nobody called for that time, on the system's monotonic clock. */
bool sn_wake_sleep_ms(struct sn_wake *wake, int64_t timeout_ms);

#endif
