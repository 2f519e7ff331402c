/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/task.c - stacks that take turns on a few threads; see task.h.
 *
 * Each thread owns its tasks, their queue and their timers; nobody else touches them. Others only put a task on the
 * stack of the called, and wake the thread when it sleeps: a whole batch of calls costs one system call.
 */
#include "base/task.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/wake.h"

#if defined(__SANITIZE_THREAD__)
#define SN_TASK_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SN_TASK_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SN_TASK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SN_TASK_ASAN 1
#endif
#endif
#ifdef SN_TASK_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef SN_TASK_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum {
    STACK_BYTES = 512 * 1024, /* of addresses; memory is taken as it is touched */
    GUARD_BYTES = 64 * 1024,
    THREAD_STACK_BYTES = 1024 * 1024,
    EVENTS_AT_ONCE = 128,
    MS_NS = 1000000,
};

/* A place that runs: the thread's own stack, or a task's. */
struct place {
    ucontext_t context;
    void *stack; /* as the sanitizers know it */
    size_t stack_bytes;
    void *fiber;
};

struct sn_task {
    struct place place;
    struct sn_loop *loop;
    sn_task_fn run;
    void *ctx;
    void *mapping;
    struct sn_task *next;        /* in the queue of those that run next */
    struct sn_task *called_next; /* on the stack of the called */
    struct sn_task *timer_prev, *timer_next;
    int64_t due_ns; /* 0: no timer */
    bool is_called, is_late, is_queued, is_done;
};

struct sn_loop {
    struct sn_crew *crew;
    pthread_t thread;
    int epoll_fd, wake_fd;
    _Atomic(struct sn_task *) called;
    atomic_bool is_asleep;
    atomic_uint callers; /* inside of sn_task_call: the thread's memory outlives them */
    struct place place;
    struct sn_task *current;
    struct sn_task *first, *last;
    struct sn_task *first_timer, *last_timer; /* the earliest first */
    size_t alive;
    struct sn_loop_part *part;
    bool has_hurried;
};

struct sn_crew {
    struct sn_loop loops[SN_CREW_MAX_THREADS];
    size_t count, started, added;
    atomic_bool is_hurried;
};

static _Thread_local struct sn_loop *this_loop;

/* --- Switching; the sanitizers are told --- */

static void arrived(struct place *at, void *fake_stack)
{
    (void)at;
    (void)fake_stack;
#ifdef SN_TASK_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
}

static void switch_to(struct place *from, struct place *to, bool is_last)
{
    void *fake_stack = NULL;

    (void)is_last;
#ifdef SN_TASK_ASAN
    __sanitizer_start_switch_fiber(is_last ? NULL : &fake_stack, to->stack, to->stack_bytes);
#endif
#ifdef SN_TASK_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    SN_ASSERT(swapcontext(&from->context, &to->context) == 0);
    arrived(from, fake_stack);
}

static void task_main(void)
{
    struct sn_loop *loop = this_loop;
    struct sn_task *task = loop->current;

    arrived(&task->place, NULL);
    task->run(task->ctx);
    task->is_done = true;
    switch_to(&task->place, &loop->place, true);
    SN_ASSERT(false);
}

static struct sn_task *task_new(struct sn_loop *loop, sn_task_fn run, void *ctx)
{
    struct sn_task *task = sn_alloc(1, sizeof(*task));
    size_t bytes = STACK_BYTES + GUARD_BYTES;

    task->loop = loop;
    task->run = run;
    task->ctx = ctx;
    task->mapping =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (task->mapping == MAP_FAILED || mprotect(task->mapping, GUARD_BYTES, PROT_NONE) != 0) {
        sn_alloc_failed();
    }
    task->place.stack = (char *)task->mapping + GUARD_BYTES;
    task->place.stack_bytes = STACK_BYTES;
    SN_ASSERT(getcontext(&task->place.context) == 0);
    task->place.context.uc_stack.ss_sp = task->place.stack;
    task->place.context.uc_stack.ss_size = task->place.stack_bytes;
    (void)sigfillset(&task->place.context.uc_sigmask);
    makecontext(&task->place.context, task_main, 0);
#ifdef SN_TASK_TSAN
    task->place.fiber = __tsan_create_fiber(0);
#endif
    return task;
}

static void task_free(struct sn_task *task)
{
#ifdef SN_TASK_TSAN
    __tsan_destroy_fiber(task->place.fiber);
#endif
    (void)munmap(task->mapping, STACK_BYTES + GUARD_BYTES);
    sn_free(task);
}

/* --- The queue and the timers of a thread; only its own --- */

static void queue(struct sn_loop *loop, struct sn_task *task)
{
    if (task->is_queued) {
        return;
    }
    task->is_queued = true;
    task->next = NULL;
    *(loop->last != NULL ? &loop->last->next : &loop->first) = task;
    loop->last = task;
}

static void add_timer(struct sn_loop *loop, struct sn_task *task, int64_t due_ns)
{
    struct sn_task *before = loop->last_timer; /* most waits are of one length, so the place is near the end */

    while (before != NULL && before->due_ns > due_ns) {
        before = before->timer_prev;
    }
    task->due_ns = due_ns;
    task->timer_prev = before;
    task->timer_next = before != NULL ? before->timer_next : loop->first_timer;
    *(before != NULL ? &before->timer_next : &loop->first_timer) = task;
    *(task->timer_next != NULL ? &task->timer_next->timer_prev : &loop->last_timer) = task;
}

static void remove_timer(struct sn_loop *loop, struct sn_task *task)
{
    if (task->due_ns == 0) {
        return;
    }
    *(task->timer_prev != NULL ? &task->timer_prev->timer_next : &loop->first_timer) = task->timer_next;
    *(task->timer_next != NULL ? &task->timer_next->timer_prev : &loop->last_timer) = task->timer_prev;
    task->due_ns = 0;
    task->timer_prev = task->timer_next = NULL;
}

static void take_call(struct sn_loop *loop, struct sn_task *task)
{
    task->is_called = true;
    remove_timer(loop, task);
    queue(loop, task);
}

/* --- What tasks ask for --- */

struct sn_task *sn_task_self(void)
{
    return this_loop != NULL ? this_loop->current : NULL;
}

struct sn_loop *sn_loop_self(void)
{
    return this_loop;
}

int64_t sn_loop_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put_aside(struct sn_task *task)
{
    switch_to(&task->place, &task->loop->place, false);
}

bool sn_task_wait_ms(int64_t timeout_ms)
{
    struct sn_task *task = sn_task_self();

    SN_ASSERT(task != NULL);
    if (timeout_ms >= 0 && !task->is_called) {
        add_timer(task->loop, task, sn_loop_now_ns() + timeout_ms * MS_NS);
    }
    while (!task->is_called && !task->is_late) {
        put_aside(task);
    }
    bool was_called = task->is_called;
    remove_timer(task->loop, task);
    task->is_late = false;
    task->is_called = false;
    return was_called;
}

static void wake_thread(struct sn_loop *loop)
{
    const uint64_t one = 1;

    if (atomic_exchange(&loop->is_asleep, false)) {
        ssize_t ignored = write(loop->wake_fd, &one, sizeof(one));
        (void)ignored;
    }
}

void sn_task_call(struct sn_task *task)
{
    struct sn_loop *loop = task->loop;

    if (loop == this_loop) {
        take_call(loop, task);
        return;
    }
    (void)atomic_fetch_add(&loop->callers, 1);
    struct sn_task *top = atomic_load(&loop->called);
    do {
        task->called_next = top;
    } while (!atomic_compare_exchange_weak(&loop->called, &top, task));
    wake_thread(loop);
    (void)atomic_fetch_sub(&loop->callers, 1);
}

void sn_task_yield(void)
{
    struct sn_task *task = sn_task_self();

    if (task != NULL) {
        queue(task->loop, task);
        put_aside(task);
    }
}

static void sleep_as_thread(int ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * MS_NS};

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

void sn_task_sleep_ms(int ms)
{
    enum { SLICE_MS = 100 }; /* how late a hurry is noticed */

    if (sn_task_self() == NULL) {
        sleep_as_thread(ms);
        return;
    }
    for (int left = ms; left > 0 && !sn_loop_is_hurried(this_loop); left -= SLICE_MS) {
        (void)sn_task_wait_ms(left < SLICE_MS ? left : SLICE_MS);
    }
}

struct apart {
    sn_task_fn fn;
    void *ctx;
    struct sn_wake done;
};

static void *apart_main(void *ctx)
{
    struct apart *apart = ctx;

    apart->fn(apart->ctx);
    sn_wake_call(&apart->done);
    return NULL;
}

void sn_task_apart(sn_task_fn fn, void *ctx)
{
    struct apart apart = {.fn = fn, .ctx = ctx};
    pthread_t thread;

    if (sn_task_self() == NULL) {
        fn(ctx);
        return;
    }
    sn_wake_init(&apart.done);
    if (pthread_create(&thread, NULL, apart_main, &apart) == 0) {
        sn_wake_sleep(&apart.done);
        (void)pthread_join(thread, NULL);
    } else {
        fn(ctx); /* slow for others, but done */
    }
    sn_wake_clear(&apart.done);
}

/* --- The part --- */

struct sn_loop_part *sn_loop_get_part(const struct sn_loop *loop)
{
    return loop->part;
}

void sn_loop_set_part(struct sn_loop *loop, struct sn_loop_part *part)
{
    loop->part = part;
}

bool sn_loop_is_hurried(const struct sn_loop *loop)
{
    return atomic_load(&loop->crew->is_hurried);
}

int sn_loop_watch(const struct sn_loop *loop, int op, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(loop->epoll_fd, op, fd, &event);
}

/* --- One thread --- */

/* In the order of the calls. */
static void take_calls(struct sn_loop *loop)
{
    struct sn_task *top = atomic_exchange(&loop->called, NULL);
    struct sn_task *chain = NULL;

    while (top != NULL) {
        struct sn_task *next = top->called_next;
        top->called_next = chain;
        chain = top;
        top = next;
    }
    while (chain != NULL) {
        struct sn_task *next = chain->called_next;
        take_call(loop, chain);
        chain = next;
    }
}

/* Those that are queued now, each until it waits; what they queue comes behind the next look at the sockets. */
static void run_queued(struct sn_loop *loop)
{
    struct sn_task *task = loop->first;

    loop->first = loop->last = NULL;
    while (task != NULL) {
        struct sn_task *next = task->next;
        task->is_queued = false;
        loop->current = task;
        switch_to(&loop->place, &task->place, false);
        loop->current = NULL;
        if (task->is_done) {
            task_free(task);
            loop->alive--;
        }
        task = next;
    }
}

static void run_due(struct sn_loop *loop)
{
    if (loop->first_timer == NULL && (loop->part == NULL || loop->part->due_ns == 0)) {
        return;
    }
    int64_t now_ns = sn_loop_now_ns();

    while (loop->first_timer != NULL && loop->first_timer->due_ns <= now_ns) {
        struct sn_task *task = loop->first_timer;
        remove_timer(loop, task);
        task->is_late = true;
        queue(loop, task);
    }
    if (loop->part != NULL && loop->part->due_ns != 0 && loop->part->due_ns <= now_ns) {
        loop->part->due_ns = 0;
        loop->part->on_due(loop->part);
    }
}

static int time_to_sleep_ms(const struct sn_loop *loop)
{
    int64_t due_ns = loop->first_timer != NULL ? loop->first_timer->due_ns : 0;

    if (loop->part != NULL && loop->part->due_ns != 0 && (due_ns == 0 || loop->part->due_ns < due_ns)) {
        due_ns = loop->part->due_ns;
    }
    if (due_ns == 0) {
        return -1;
    }
    int64_t left_ns = due_ns - sn_loop_now_ns();
    return left_ns <= 0 ? 0 : left_ns > INT64_C(60000) * MS_NS ? 60000 : (int)((left_ns + MS_NS - 1) / MS_NS);
}

static void look_at_sockets(struct sn_loop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int timeout_ms = 0;

    if (loop->first == NULL) {
        /* Whoever calls from here on wakes us. */
        atomic_store(&loop->is_asleep, true);
        bool has_news = atomic_load(&loop->called) != NULL || (sn_loop_is_hurried(loop) && !loop->has_hurried);
        timeout_ms = has_news ? 0 : time_to_sleep_ms(loop);
    }
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
    atomic_store(&loop->is_asleep, false);
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd != loop->wake_fd && loop->part != NULL) {
            loop->part->on_ready(loop->part, events[i].data.fd, events[i].events);
        }
    }
}

static void hurry(struct sn_loop *loop)
{
    if (!loop->has_hurried && sn_loop_is_hurried(loop)) {
        loop->has_hurried = true;
        if (loop->part != NULL) {
            loop->part->on_hurry(loop->part);
        }
    }
}

static void *loop_main(void *ctx)
{
    struct sn_loop *loop = ctx;

    this_loop = loop;
#ifdef SN_TASK_TSAN
    loop->place.fiber = __tsan_get_current_fiber();
#endif
#ifdef SN_TASK_ASAN
    pthread_attr_t attributes;
    SN_ASSERT(pthread_getattr_np(pthread_self(), &attributes) == 0 &&
              pthread_attr_getstack(&attributes, &loop->place.stack, &loop->place.stack_bytes) == 0);
    (void)pthread_attr_destroy(&attributes);
#endif
    while (loop->alive > 0) {
        take_calls(loop);
        run_queued(loop);
        if (loop->alive > 0) {
            look_at_sockets(loop);
            hurry(loop);
            run_due(loop);
        }
    }
    if (loop->part != NULL) {
        loop->part->free(loop->part);
    }
    this_loop = NULL;
    return NULL;
}

/* --- A crew --- */

static enum sn_status open_loop(struct sn_crew *crew, struct sn_loop *loop, struct sn_error *err)
{
    loop->crew = crew;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Edge-triggered: its count is never read. */
    if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
        sn_loop_watch(loop, EPOLL_CTL_ADD, loop->wake_fd, EPOLLIN | EPOLLET) != 0) {
        return sn_fail_errno(err, "CREW_START", errno, "cannot watch sockets");
    }
    return SN_OK;
}

enum sn_status sn_crew_new(size_t threads, struct sn_crew **out_crew, struct sn_error *err)
{
    struct sn_crew *crew = sn_alloc(1, sizeof(*crew));
    enum sn_status status = SN_OK;

    SN_ASSERT(threads > 0);
    crew->count = threads < SN_CREW_MAX_THREADS ? threads : SN_CREW_MAX_THREADS;
    for (size_t i = 0; i < crew->count; i++) {
        crew->loops[i].epoll_fd = crew->loops[i].wake_fd = -1;
    }
    for (size_t i = 0; i < crew->count && status == SN_OK; i++) {
        status = open_loop(crew, &crew->loops[i], err);
    }
    if (status != SN_OK) {
        sn_crew_free(crew);
        return status;
    }
    *out_crew = crew;
    return SN_OK;
}

void sn_crew_add(struct sn_crew *crew, sn_task_fn run, void *ctx)
{
    struct sn_loop *loop = &crew->loops[crew->added++ % crew->count];
    struct sn_task *task = task_new(loop, run, ctx);

    SN_ASSERT(crew->started == 0);
    queue(loop, task);
    loop->alive++;
}

enum sn_status sn_crew_start(struct sn_crew *crew, struct sn_error *err)
{
    pthread_attr_t attributes;
    int result = pthread_attr_init(&attributes);

    SN_ASSERT(result == 0 && pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES) == 0);
    for (; crew->started < crew->count && result == 0; crew->started += result == 0 ? 1U : 0U) {
        struct sn_loop *loop = &crew->loops[crew->started];
        result = pthread_create(&loop->thread, &attributes, loop_main, loop);
    }
    (void)pthread_attr_destroy(&attributes);
    return result == 0 ? SN_OK : sn_fail_errno(err, "CREW_START", result, "cannot start the server's threads");
}

void sn_crew_hurry(struct sn_crew *crew)
{
    atomic_store(&crew->is_hurried, true);
    for (size_t i = 0; i < crew->started; i++) {
        wake_thread(&crew->loops[i]);
    }
}

void sn_crew_free(struct sn_crew *crew)
{
    if (crew == NULL) {
        return;
    }
    for (size_t i = 0; i < crew->count; i++) {
        struct sn_loop *loop = &crew->loops[i];
        if (i < crew->started) {
            (void)pthread_join(loop->thread, NULL);
        }
        while (atomic_load(&loop->callers) > 0) {
            (void)sched_yield();
        }
        while (loop->first != NULL) { /* never started */
            struct sn_task *task = loop->first;
            loop->first = task->next;
            task_free(task);
        }
        sn_fd_close(&loop->epoll_fd);
        sn_fd_close(&loop->wake_fd);
    }
    sn_free(crew);
}
