/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/task.h - many waits on few threads.
 *
 * A task runs a function on a stack of its own and belongs to one thread of a crew for good. Where a thread would sleep
 * (base/wake.h, base/turns.h, an HTTP call), a task is put aside and its thread runs another one, so code reads the
 * same on both. Between two waits a task runs alone on its thread: what computes for long, or sleeps in the kernel,
 * holds up the others of that thread, and belongs into sn_task_apart(). No mutex may be held over a wait.
 */
#ifndef SN_BASE_TASK_H
#define SN_BASE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sn_crew;
struct sn_loop; /* one thread of a crew */
struct sn_task;

typedef void (*sn_task_fn)(void *ctx);

enum { SN_CREW_MAX_THREADS = 16 };

/* CREW_START when descriptors run out. */
SN_MUST_CHECK enum sn_status sn_crew_new(size_t threads, struct sn_crew **out_crew, struct sn_error *err);
/* Before the start only; tasks go to the threads in turn. */
void sn_crew_add(struct sn_crew *crew, sn_task_fn run, void *ctx);
SN_MUST_CHECK enum sn_status sn_crew_start(struct sn_crew *crew, struct sn_error *err);
/* From now on what waits for others outside of the process (an HTTP call, a pause) gives up at once. */
void sn_crew_hurry(struct sn_crew *crew);
/* Waits until every task has returned. */
void sn_crew_free(struct sn_crew *crew);

/* NULL on a thread that is no crew's. */
struct sn_task *sn_task_self(void);
/* Puts the calling task aside until it is called; false: nobody did for that time (below 0: no limit). */
bool sn_task_wait_ms(int64_t timeout_ms);
/* From any thread, once for each wait. The task may be gone behind this. */
void sn_task_call(struct sn_task *task);
/* Lets the other tasks of this thread have their turn; nothing on a plain thread. */
void sn_task_yield(void);
/* Sleeps, as a task or as a thread; a crew in a hurry does not. */
void sn_task_sleep_ms(int ms);
/* Runs fn, which may block, on a thread of its own while the task waits; on a plain thread just runs it. */
void sn_task_apart(sn_task_fn fn, void *ctx);

/*
 * For an adapter of a library that waits for sockets by itself: one a thread, made on first use. Its functions are
 * called on that thread, outside of tasks.
 */
struct sn_loop_part {
    void (*on_ready)(struct sn_loop_part *part, int fd, uint32_t events); /* events of epoll */
    void (*on_due)(struct sn_loop_part *part);
    void (*on_hurry)(struct sn_loop_part *part);
    void (*free)(struct sn_loop_part *part);
    int64_t due_ns; /* CLOCK_MONOTONIC; 0: not at all */
};

/* NULL on a thread that is no crew's. */
struct sn_loop *sn_loop_self(void);
struct sn_loop_part *sn_loop_get_part(const struct sn_loop *loop);
void sn_loop_set_part(struct sn_loop *loop, struct sn_loop_part *part);
bool sn_loop_is_hurried(const struct sn_loop *loop);
/* As epoll_ctl. */
int sn_loop_watch(const struct sn_loop *loop, int op, int fd, uint32_t events);
int64_t sn_loop_now_ns(void);

#endif
