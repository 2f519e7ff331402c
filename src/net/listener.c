/* SPDX-License-Identifier: Apache-2.0 */
/* net/listener.c - the listener from start to end; see listener.h. */
#include "net/listener_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"

enum {
    DEFAULT_MAX_CONNECTIONS = 1024,
    DEFAULT_WORKERS = 64,
    DEFAULT_QUEUE = 1024,
    DEFAULT_MAX_BODY = 65536,
    DEFAULT_UNIX_MODE = 0660,
    EVENTS_AT_ONCE = 128,
    ACCEPTS_AT_ONCE = 64,
    TICK_MS = 1000,        /* longest wait while connections exist */
    FOREIGN_TICK_MS = 10,  /* the same under a clock that is not the system's */
    ACCEPT_PAUSE_MS = 100, /* when the process has no descriptor left */
    WORKER_STACK_BYTES = 1024 * 1024,
    QUEUE_CHECK_NS = 250 * 1000 * 1000, /* how often queued requests are looked at for their deadline */
};

/* --- Making one --- */

static void set_defaults(struct sn_listener_options *options)
{
    options->unix_mode = options->unix_mode > 0 ? options->unix_mode : DEFAULT_UNIX_MODE;
    options->max_connections = options->max_connections > 0 ? options->max_connections : DEFAULT_MAX_CONNECTIONS;
    options->workers = options->workers > 0 ? options->workers : DEFAULT_WORKERS;
    options->queue_limit = options->queue_limit > 0 ? options->queue_limit : DEFAULT_QUEUE;
    options->gate_limit = options->gate_limit > 0 ? options->gate_limit : (options->workers + 1) / 2;
    options->max_body = options->max_body > 0 ? options->max_body : DEFAULT_MAX_BODY;
    options->clock = options->clock != NULL ? options->clock : sn_clock_system();
}

static enum sn_status open_sockets(struct sn_listener *listener, struct sn_error *err)
{
    const struct sn_listener_options *options = &listener->options;
    bool needs_loopback = options->tls == NULL;
    bool is_inherited = options->inherited_fds_count > 0;
    if (options->inherited_fds_count < 0 || options->address_count > SN_LISTENER_MAX_ADDRESSES ||
        options->inherited_fds_count > SN_LISTENER_MAX_SOCKETS - SN_LISTENER_MAX_ADDRESSES) {
        return sn_fail(err, SN_LIMIT, "LISTEN_ADDRESS", "too many addresses to listen on");
    }
    for (int i = 0; i < options->inherited_fds_count; i++) {
        SN_TRY(sn_listen_socket_adopt(
            options->inherited_fds_first + i, needs_loopback, &listener->sockets[listener->socket_count], err));
        listener->socket_count++;
    }
    for (size_t i = 0; i < options->address_count; i++) {
        const struct sn_listener_address *address = &options->addresses[i];
        if (is_inherited && !address->is_metrics) {
            continue;
        }
        /* The metrics address is always plain and holds nothing secret. */
        SN_TRY(sn_listen_socket_open(address->text, address->is_metrics, needs_loopback && !address->is_metrics,
            options->unix_mode, &listener->sockets[listener->socket_count], err));
        listener->socket_count++;
    }
    return SN_OK;
}

static enum sn_status open_epoll(struct sn_listener *listener, struct sn_error *err)
{
    listener->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listener->wake_kind = SN_SOURCE_WAKE;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener->wake_kind};
    if (listener->epoll_fd < 0 || listener->wake_fd < 0 ||
        epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, listener->wake_fd, &event) != 0) {
        return sn_fail_errno(err, "LISTEN_ADDRESS", errno, "cannot watch sockets");
    }
    return SN_OK;
}

enum sn_status sn_listener_new(
    const struct sn_listener_options *options, struct sn_listener **out_listener, struct sn_error *err)
{
    struct sn_listener *listener = sn_alloc(1, sizeof(*listener));
    pthread_condattr_t monotonic;
    SN_ASSERT(options->handle != NULL);
    listener->options = *options;
    listener->epoll_fd = listener->wake_fd = -1;
    set_defaults(&listener->options);
    listener->clock = listener->options.clock;
    listener->rules = (struct sn_http_rules){
        .max_body = listener->options.max_body,
        .lenient_content_type = options->lenient_content_type,
        .allow_percent_path = options->allow_percent_path,
    };
    listener->tls = options->tls != NULL ? sn_tls_context_ref(options->tls) : NULL;
    SN_ASSERT(pthread_mutex_init(&listener->lock, NULL) == 0 && pthread_condattr_init(&monotonic) == 0 &&
              pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&listener->drain_cond, &monotonic) == 0 && pthread_condattr_destroy(&monotonic) == 0);

    enum sn_status status = open_epoll(listener, err);
    status = status == SN_OK ? open_sockets(listener, err) : status;
    if (status != SN_OK) {
        sn_listener_free(listener);
        return status;
    }
    *out_listener = listener;
    return SN_OK;
}

/* --- Deadlines --- */

static void on_overdue(struct sn_conn *conn)
{
    static const struct sn_http_refusal too_slow = {408, "REQUEST_TIMEOUT", "Request was not received in time", false};
    struct sn_listener *listener = conn->listener;
    if (conn->state == SN_CONN_HEAD || conn->state == SN_CONN_BODY) {
        sn_conn_refuse(conn, &too_slow);
        return;
    }
    (void)pthread_mutex_lock(&listener->lock);
    sn_conn_close(conn, conn->state == SN_CONN_WRITING);
    (void)pthread_mutex_unlock(&listener->lock);
}

static struct sn_conn *find_overdue(struct sn_listener *listener, int64_t now_ns)
{
    for (int state = SN_CONN_HANDSHAKE; state < SN_CONN_STATES; state++) {
        struct sn_conn *conn = listener->lists[state].first;
        /* Drain shortens the time of some idle connections, so their list is out of order then. */
        bool is_unordered = state == SN_CONN_IDLE && atomic_load(&listener->draining);
        while (conn != NULL && is_unordered && conn->deadline_ns > now_ns) {
            conn = conn->next;
        }
        if (conn != NULL && conn->deadline_ns != 0 && conn->deadline_ns <= now_ns) {
            return conn;
        }
    }
    return NULL;
}

static void expire(struct sn_listener *listener)
{
    static const struct sn_http_refusal overdue = {504, "UPSTREAM_TIMEOUT", "Request timed out", false};
    int64_t now_ns = listener->clock->mono_ns(listener->clock->ctx);
    for (;;) {
        (void)pthread_mutex_lock(&listener->lock);
        struct sn_conn *conn = find_overdue(listener, now_ns);
        (void)pthread_mutex_unlock(&listener->lock);
        /* Only this thread takes connections out of the states with deadlines, so it is still ours. */
        if (conn == NULL) {
            break;
        }
        on_overdue(conn);
    }
    if (now_ns < listener->next_queue_check_ns) {
        return;
    }
    listener->next_queue_check_ns = now_ns + QUEUE_CHECK_NS;
    (void)pthread_mutex_lock(&listener->lock);
    struct sn_conn *chain = sn_listener_take_overdue(listener, now_ns);
    sn_listener_unlock(listener);
    while (chain != NULL) {
        struct sn_conn *next = chain->queue_next;
        sn_conn_refuse(chain, &overdue);
        chain = next;
    }
}

static int wait_ms(struct sn_listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    bool has_any = listener->conn_count > 0;
    (void)pthread_mutex_unlock(&listener->lock);
    if (listener->accept_paused || (has_any && atomic_load(&listener->draining))) {
        return ACCEPT_PAUSE_MS;
    }
    if (!has_any) {
        return -1;
    }
    return listener->clock == sn_clock_system() ? TICK_MS : FOREIGN_TICK_MS;
}

/* --- The epoll thread --- */

/* Takes in what has already connected, then closes the sockets; idle connections get a moment. */
static void start_drain(struct sn_listener *listener)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        struct sn_listen_socket *one = &listener->sockets[i];
        if (!one->is_metrics && one->fd >= 0) {
            (void)sn_listener_accept_some(listener, one, listener->options.max_connections);
            sn_listen_socket_close(one);
        }
    }
    (void)pthread_mutex_lock(&listener->lock);
    int64_t latest_ns = listener->clock->mono_ns(listener->clock->ctx) + SN_CONN_DRAIN_IDLE_NS;
    for (struct sn_conn *conn = listener->lists[SN_CONN_IDLE].first; conn != NULL; conn = conn->next) {
        if (!conn->from->is_metrics && conn->deadline_ns > latest_ns) {
            conn->deadline_ns = latest_ns;
        }
    }
    listener->is_drain_begun = true;
    (void)pthread_cond_broadcast(&listener->drain_cond);
    (void)pthread_mutex_unlock(&listener->lock);
}

static void on_event(struct sn_listener *listener, void *source)
{
    switch (*(enum sn_source_kind *)source) {
    case SN_SOURCE_WAKE: {
        uint64_t count;
        ssize_t ignored = read(listener->wake_fd, &count, sizeof(count));
        (void)ignored;
        return;
    }
    case SN_SOURCE_SOCKET: {
        const struct sn_listen_socket *from = source;
        if (from->fd >= 0) {
            (void)sn_listener_accept_some(listener, from, ACCEPTS_AT_ONCE);
        }
        return;
    }
    case SN_SOURCE_CONN:
        sn_conn_on_event(source);
        return;
    }
}

static void free_dead(struct sn_listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    struct sn_conn *dead = listener->free_list;
    listener->free_list = NULL;
    listener->free_count = 0;
    (void)pthread_mutex_unlock(&listener->lock);
    while (dead != NULL) {
        struct sn_conn *next = dead->next;
        sn_conn_free(dead);
        dead = next;
    }
}

static void *epoll_main(void *ctx)
{
    struct sn_listener *listener = ctx;
    struct epoll_event events[EVENTS_AT_ONCE];
    bool is_draining = false;
    while (!atomic_load(&listener->stopping)) {
        int count = epoll_wait(listener->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(listener));
        if (listener->accept_paused) {
            sn_listener_watch_sockets(listener, true);
        }
        for (int i = 0; i < count; i++) {
            on_event(listener, events[i].data.ptr);
        }
        if (!is_draining && atomic_load(&listener->draining)) {
            is_draining = true;
            start_drain(listener);
        }
        expire(listener);
        free_dead(listener); /* no fetched event is left that could point to them */
    }
    return NULL;
}

static void wake(struct sn_listener *listener)
{
    uint64_t one = 1;
    ssize_t ignored = write(listener->wake_fd, &one, sizeof(one));
    (void)ignored;
}

/* --- Life --- */

static void *worker_main(void *ctx)
{
    sn_listener_worker_run(ctx);
    return NULL;
}

/* A thread for each, or tasks of a few. */
static enum sn_status start_workers(
    struct sn_listener *listener, const pthread_attr_t *attributes, struct sn_error *err)
{
    int result = 0;
    listener->workers = sn_alloc(listener->options.workers, sizeof(*listener->workers));
    if (listener->options.threads > 0) {
        SN_TRY(sn_crew_new(listener->options.threads, &listener->crew, err));
    }
    for (size_t i = 0; result == 0 && i < listener->options.workers; i++) {
        struct sn_worker *worker = &listener->workers[i];
        worker->listener = listener;
        sn_wake_init(&worker->wake);
        if (listener->crew != NULL) {
            sn_crew_add(listener->crew, sn_listener_worker_run, worker);
        } else {
            result = pthread_create(&worker->thread, attributes, worker_main, worker);
        }
        listener->worker_count += result == 0 ? 1U : 0U;
    }
    if (result != 0) {
        return sn_fail_errno(err, "LISTEN_ADDRESS", result, "cannot start the server's threads");
    }
    return listener->crew != NULL ? sn_crew_start(listener->crew, err) : SN_OK;
}

static enum sn_status start_threads(struct sn_listener *listener, struct sn_error *err)
{
    pthread_attr_t attributes;
    int result = pthread_attr_init(&attributes);
    SN_ASSERT(result == 0 && pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES) == 0);
    enum sn_status status = start_workers(listener, &attributes, err);
    if (status == SN_OK) {
        result = pthread_create(&listener->epoll_thread, &attributes, epoll_main, listener);
        listener->is_started = result == 0;
    }
    (void)pthread_attr_destroy(&attributes);
    return result == 0 ? status : sn_fail_errno(err, "LISTEN_ADDRESS", result, "cannot start the server's threads");
}

enum sn_status sn_listener_start(struct sn_listener *listener, struct sn_error *err)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener->sockets[i]};
        if (epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, listener->sockets[i].fd, &event) != 0) {
            return sn_fail_errno(err, "LISTEN_ADDRESS", errno, "cannot watch a socket");
        }
    }
    /* Signals are for the main thread. */
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    enum sn_status status = start_threads(listener, err);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

uint16_t sn_listener_port(const struct sn_listener *listener, size_t index)
{
    return index < listener->socket_count ? listener->sockets[index].port : 0;
}

void sn_listener_set_tls(struct sn_listener *listener, struct sn_tls_context *tls)
{
    struct sn_tls_context *fresh = sn_tls_context_ref(tls);
    (void)pthread_mutex_lock(&listener->lock);
    struct sn_tls_context *old = listener->tls;
    listener->tls = fresh;
    (void)pthread_mutex_unlock(&listener->lock);
    sn_tls_context_unref(old);
}

void sn_listener_get_stats(struct sn_listener *listener, struct sn_listener_stats *out_stats)
{
    int64_t now_ns = listener->clock->mono_ns(listener->clock->ctx);
    (void)pthread_mutex_lock(&listener->lock);
    out_stats->connections_idle = listener->lists[SN_CONN_IDLE].count;
    out_stats->connections_reading = listener->lists[SN_CONN_HANDSHAKE].count + listener->lists[SN_CONN_HEAD].count +
                                     listener->lists[SN_CONN_BODY].count;
    out_stats->connections_busy = listener->lists[SN_CONN_BUSY].count + listener->lists[SN_CONN_WRITING].count;
    out_stats->workers_busy = listener->workers_busy;
    out_stats->queued = listener->ready.count + listener->waiting.count;
    out_stats->last_progress_mono_ns =
        listener->workers_busy < listener->worker_count ? now_ns : listener->last_finish_ns;
    (void)pthread_mutex_unlock(&listener->lock);
}

void sn_listener_begin_drain(struct sn_listener *listener)
{
    atomic_store(&listener->draining, true);
    wake(listener);
}

/* Connections of the main addresses in these states; the lock is held. */
static size_t count_main(const struct sn_listener *listener, const enum sn_conn_state *states, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += listener->lists[states[i]].count - listener->lists[states[i]].metrics_count;
    }
    return total;
}

bool sn_listener_wait_drained(struct sn_listener *listener, int timeout_ms)
{
    static const enum sn_conn_state unfinished[] = {
        SN_CONN_BUSY, SN_CONN_WRITING, SN_CONN_HANDSHAKE, SN_CONN_IDLE, SN_CONN_HEAD, SN_CONN_BODY};
    enum { RUNNING = 2 }; /* how many of these mean an accepted request */
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    (void)pthread_mutex_lock(&listener->lock);
    int result = 0;
    while (result == 0 && listener->is_started &&
           (!listener->is_drain_begun || count_main(listener, unfinished, SN_LEN(unfinished)) > 0)) {
        result = pthread_cond_timedwait(&listener->drain_cond, &listener->lock, &until);
    }
    bool is_drained = count_main(listener, unfinished, RUNNING) == 0;
    (void)pthread_mutex_unlock(&listener->lock);
    return is_drained;
}

static void stop_threads(struct sn_listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    atomic_store(&listener->stopping, true);
    sn_listener_wake_workers(listener);
    (void)pthread_mutex_unlock(&listener->lock);
    wake(listener);
    if (listener->is_started) {
        (void)pthread_join(listener->epoll_thread, NULL);
    }
    if (listener->crew != NULL) {
        sn_crew_hurry(listener->crew);
        sn_crew_free(listener->crew);
    }
    for (size_t i = 0; i < listener->worker_count; i++) {
        if (listener->crew == NULL) {
            (void)pthread_join(listener->workers[i].thread, NULL);
        }
        sn_wake_clear(&listener->workers[i].wake);
    }
}

void sn_listener_free(struct sn_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    stop_threads(listener);
    (void)pthread_mutex_lock(&listener->lock);
    for (int state = SN_CONN_HANDSHAKE; state < SN_CONN_STATES; state++) {
        while (listener->lists[state].first != NULL) {
            /* What was not answered in full must not look as if it had been. */
            sn_conn_close(listener->lists[state].first, state == SN_CONN_BUSY || state == SN_CONN_WRITING);
        }
    }
    (void)pthread_mutex_unlock(&listener->lock);
    free_dead(listener);
    for (size_t i = 0; i < listener->socket_count; i++) {
        sn_listen_socket_close(&listener->sockets[i]);
    }
    sn_fd_close(&listener->epoll_fd);
    sn_fd_close(&listener->wake_fd);
    sn_tls_context_unref(listener->tls);
    sn_response_clear(&listener->refusal);
    sn_buf_clear(&listener->wire);
    (void)pthread_mutex_destroy(&listener->lock);
    (void)pthread_cond_destroy(&listener->drain_cond);
    sn_free(listener->workers);
    sn_free(listener);
}
