/* SPDX-License-Identifier: Apache-2.0 */
/* base/turns.c - at most so many at once; see turns.h. */
#include "base/turns.h"

#include "base/defs.h"
#include "base/wake.h"

struct sn_turn_waiter {
    struct sn_turn_waiter *prev, *next;
    struct sn_wake wake;
    bool has_turn;
};

void sn_turns_init(struct sn_turns *turns, size_t count)
{
    *turns = (struct sn_turns){.free = count};
    SN_ASSERT(pthread_mutex_init(&turns->lock, NULL) == 0);
}

void sn_turns_clear(struct sn_turns *turns)
{
    (void)pthread_mutex_destroy(&turns->lock);
}

/* Both with the lock held. */
static void add_waiter(struct sn_turns *turns, struct sn_turn_waiter *waiter)
{
    waiter->prev = turns->last;
    *(turns->last != NULL ? &turns->last->next : &turns->first) = waiter;
    turns->last = waiter;
}

static void remove_waiter(struct sn_turns *turns, struct sn_turn_waiter *waiter)
{
    *(waiter->prev != NULL ? &waiter->prev->next : &turns->first) = waiter->next;
    *(waiter->next != NULL ? &waiter->next->prev : &turns->last) = waiter->prev;
}

/* Nobody who waits is passed by: a turn that becomes free is given to the first of them. */
bool sn_turns_take_ms(struct sn_turns *turns, int64_t timeout_ms)
{
    struct sn_turn_waiter waiter = {0};

    (void)pthread_mutex_lock(&turns->lock);
    if (turns->free > 0) {
        turns->free--;
        (void)pthread_mutex_unlock(&turns->lock);
        return true;
    }
    sn_wake_init(&waiter.wake);
    add_waiter(turns, &waiter);
    (void)pthread_mutex_unlock(&turns->lock);
    if (timeout_ms < 0) {
        sn_wake_sleep(&waiter.wake);
    } else if (!sn_wake_sleep_ms(&waiter.wake, timeout_ms)) {
        (void)pthread_mutex_lock(&turns->lock);
        if (!waiter.has_turn) {
            remove_waiter(turns, &waiter);
        }
        (void)pthread_mutex_unlock(&turns->lock);
        if (waiter.has_turn) {
            sn_wake_sleep(&waiter.wake); /* the call is on its way and must find the waiter */
        }
        sn_wake_clear(&waiter.wake);
        return waiter.has_turn;
    }
    sn_wake_clear(&waiter.wake);
    return true;
}

void sn_turns_take(struct sn_turns *turns)
{
    SN_ASSERT(sn_turns_take_ms(turns, -1));
}

void sn_turns_give(struct sn_turns *turns)
{
    (void)pthread_mutex_lock(&turns->lock);
    struct sn_turn_waiter *next = turns->first;
    if (next != NULL) {
        remove_waiter(turns, next);
        next->has_turn = true;
    } else {
        turns->free++;
    }
    (void)pthread_mutex_unlock(&turns->lock);
    if (next != NULL) {
        sn_wake_call(&next->wake);
    }
}
