/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite_desk.c - a connection with a thread that does the jobs of many callers together.
 *
 * It takes all that wait, runs them in one transaction, and tells everybody. Under no load there is no delay. Callers
 * are threads or tasks: neither a lock of the file nor its sync ever holds up the thread of a task.
 */
#include <string.h>

#include "store/sqlite_internal.h"

static size_t take_batch(struct sn_sqlite_desk *desk, struct sn_sqlite_job **out_batch)
{
    size_t count = 0;

    while (desk->first != NULL && count < SN_SQLITE_BATCH) {
        out_batch[count++] = desk->first;
        desk->first = desk->first->next;
    }
    if (desk->first == NULL) {
        desk->last = NULL;
    }
    return count;
}

/* With the lock held before and behind; false: nothing is left and the store closes. */
static bool wait_for_work(struct sn_sqlite_desk *desk)
{
    while (desk->first == NULL) {
        if (desk->is_stopping) {
            return false;
        }
        desk->is_idle = true;
        pthread_mutex_unlock(&desk->lock);
        sn_wake_sleep(&desk->work);
        pthread_mutex_lock(&desk->lock);
    }
    return true;
}

static void *desk_main(void *ctx)
{
    struct sn_sqlite_desk *desk = ctx;
    struct sn_sqlite_job *batch[SN_SQLITE_BATCH];

    pthread_mutex_lock(&desk->lock);
    while (wait_for_work(desk)) {
        size_t count = take_batch(desk, batch);
        pthread_mutex_unlock(&desk->lock);
        desk->run(desk, batch, count);
        pthread_mutex_lock(&desk->lock);
        desk->jobs += count;
        desk->batches++;
        pthread_mutex_unlock(&desk->lock);
        for (size_t i = 0; i < count; i++) {
            sn_wake_call(&batch[i]->done);
        }
        pthread_mutex_lock(&desk->lock);
    }
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

/* With the lock held. True: the thread sleeps and must be called. */
static bool take_idle(struct sn_sqlite_desk *desk)
{
    bool was_idle = desk->is_idle;

    desk->is_idle = false;
    return was_idle;
}

enum sn_status sn_sqlite_do(struct sn_sqlite_desk *desk, struct sn_sqlite_job *job)
{
    sn_wake_init(&job->done);
    pthread_mutex_lock(&desk->lock);
    *(desk->last != NULL ? &desk->last->next : &desk->first) = job;
    desk->last = job;
    bool must_call = take_idle(desk);
    pthread_mutex_unlock(&desk->lock);
    if (must_call) {
        sn_wake_call(&desk->work);
    }
    sn_wake_sleep(&job->done);
    sn_wake_clear(&job->done);
    return job->status;
}

enum sn_status sn_sqlite_desk_start(struct sn_sqlite_desk *desk, struct sn_error *err)
{
    pthread_mutex_init(&desk->lock, NULL);
    sn_wake_init(&desk->work);
    int result = pthread_create(&desk->thread, NULL, desk_main, desk);
    desk->has_thread = result == 0;
    return result == 0 ? SN_OK : sn_fail_errno(err, "STORE_FILE", result, "cannot start the thread of the store");
}

void sn_sqlite_desk_stop(struct sn_sqlite_desk *desk)
{
    if (!desk->has_thread) {
        return;
    }
    pthread_mutex_lock(&desk->lock);
    desk->is_stopping = true;
    bool must_call = take_idle(desk);
    pthread_mutex_unlock(&desk->lock);
    if (must_call) {
        sn_wake_call(&desk->work);
    }
    (void)pthread_join(desk->thread, NULL);
    sn_wake_clear(&desk->work);
    pthread_mutex_destroy(&desk->lock);
    desk->has_thread = false;
}
