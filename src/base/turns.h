/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/turns.h - at most so many at once, the others in the order of their coming.
 *
 * With one turn it is a lock that, unlike a mutex, may be held over a wait, by a thread or by a task.
 */
#ifndef SN_BASE_TURNS_H
#define SN_BASE_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sn_turn_waiter;

struct sn_turns {
    pthread_mutex_t lock;
    size_t free;
    struct sn_turn_waiter *first, *last;
};

void sn_turns_init(struct sn_turns *turns, size_t count);
void sn_turns_clear(struct sn_turns *turns);
/* False: none became free in that time (below 0: no limit). */
bool sn_turns_take_ms(struct sn_turns *turns, int64_t timeout_ms);
void sn_turns_take(struct sn_turns *turns);
void sn_turns_give(struct sn_turns *turns);

#endif
