/* SPDX-License-Identifier: Apache-2.0 */
/* net/listener_worker.c - the pool of threads that handle complete requests. */
#include "net/listener_internal.h"

#include <errno.h>
#include <sys/socket.h>

/* --- Queues; the lock is held --- */

static void queue_push(struct sn_conn_queue *queue, struct sn_conn *conn)
{
    conn->queue_next = NULL;
    *(queue->last != NULL ? &queue->last->queue_next : &queue->first) = conn;
    queue->last = conn;
    queue->count++;
}

static struct sn_conn *queue_pop(struct sn_conn_queue *queue)
{
    struct sn_conn *conn = queue->first;
    if (conn != NULL) {
        queue->first = conn->queue_next;
        queue->last = queue->first != NULL ? queue->last : NULL;
        queue->count--;
        conn->queue_next = NULL;
    }
    return conn;
}

static struct sn_worker *take_idle_worker(struct sn_listener *listener)
{
    struct sn_worker *worker = listener->idle_workers;
    if (worker != NULL) {
        listener->idle_workers = worker->next_idle;
        listener->workers_called++;
    }
    return worker;
}

/*
 * One worker is on its way at a time, and calls the next itself when work is left. With short requests few workers then
 * do all the work, and with long ones all are soon awake. Nobody idle: the first that finishes takes it.
 */
static void call_for_work(struct sn_listener *listener)
{
    if (listener->ready.first != NULL && listener->workers_called == 0) {
        listener->called_last = take_idle_worker(listener);
    }
}

void sn_listener_unlock(struct sn_listener *listener)
{
    struct sn_worker *worker = listener->called_last;
    listener->called_last = NULL;
    (void)pthread_mutex_unlock(&listener->lock);
    if (worker != NULL) {
        sn_wake_call(&worker->wake);
    }
}

void sn_listener_wake_workers(struct sn_listener *listener)
{
    struct sn_worker *worker;
    while ((worker = take_idle_worker(listener)) != NULL) {
        sn_wake_call(&worker->wake);
    }
}

static void make_ready(struct sn_listener *listener, struct sn_conn *conn)
{
    queue_push(&listener->ready, conn);
    call_for_work(listener);
}

/* The lock is held before and behind. */
static void sleep_until_called(struct sn_worker *worker)
{
    struct sn_listener *listener = worker->listener;
    worker->next_idle = listener->idle_workers;
    listener->idle_workers = worker;
    sn_listener_unlock(listener);
    sn_wake_sleep(&worker->wake);
    (void)pthread_mutex_lock(&listener->lock);
    listener->workers_called--;
}

/* Lets the next waiting requests through as far as the gate is wide. */
static void open_gate(struct sn_listener *listener)
{
    while (listener->gate_used < listener->options.gate_limit && listener->waiting.first != NULL) {
        struct sn_conn *conn = queue_pop(&listener->waiting);
        conn->holds_gate = true;
        listener->gate_used++;
        make_ready(listener, conn);
    }
}

static void leave_gate(struct sn_listener *listener, struct sn_conn *conn)
{
    if (conn->holds_gate) {
        conn->holds_gate = false;
        listener->gate_used--;
        open_gate(listener);
    }
}

bool sn_listener_enqueue(struct sn_listener *listener, struct sn_conn *conn)
{
    conn->holds_gate = false;
    if (listener->ready.count + listener->waiting.count >= listener->options.queue_limit) {
        return false;
    }
    if (conn->is_gated) {
        queue_push(&listener->waiting, conn);
        open_gate(listener);
    } else {
        make_ready(listener, conn);
    }
    return true;
}

static void take_overdue(struct sn_conn_queue *queue, int64_t now_ns, struct sn_conn **chain)
{
    struct sn_conn_queue kept = {0};
    struct sn_conn *conn;
    while ((conn = queue_pop(queue)) != NULL) {
        if (conn->request.deadline_mono_ns > now_ns) {
            queue_push(&kept, conn);
        } else {
            conn->queue_next = *chain;
            *chain = conn;
        }
    }
    *queue = kept;
}

struct sn_conn *sn_listener_take_overdue(struct sn_listener *listener, int64_t now_ns)
{
    struct sn_conn *chain = NULL;
    take_overdue(&listener->ready, now_ns, &chain);
    take_overdue(&listener->waiting, now_ns, &chain);
    for (struct sn_conn *conn = chain; conn != NULL; conn = conn->queue_next) {
        leave_gate(listener, conn);
    }
    return chain;
}

/* --- One request --- */

static void release_gate(void *ctx)
{
    struct sn_conn *conn = ctx;
    (void)pthread_mutex_lock(&conn->listener->lock);
    leave_gate(conn->listener, conn);
    sn_listener_unlock(conn->listener);
}

enum extra { EXTRA_NONE, EXTRA_BYTES, EXTRA_GONE };

/* Bytes behind the request before its answer are pipelining. A half-closed peer may still read. */
static enum extra look_for_extra(struct sn_conn *conn)
{
    char byte;
    if (conn->tls != NULL) {
        size_t count = 0;
        /* The byte is lost, but the connection ends here anyhow. */
        return sn_conn_read(conn, &byte, 1, &count) == SN_IO_DONE ? EXTRA_BYTES : EXTRA_NONE;
    }
    ssize_t count = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0) {
        return EXTRA_BYTES;
    }
    return count == 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? EXTRA_NONE : EXTRA_GONE;
}

static void refuse_into(struct sn_worker *worker, struct sn_conn *conn, const struct sn_http_refusal *refusal)
{
    sn_listener_refusal(worker->listener, refusal, &worker->response);
    conn->close_after = true;
}

/* Runs the handler. False: the peer is gone, nothing is to be sent. */
static bool answer(struct sn_worker *worker, struct sn_conn *conn)
{
    static const struct sn_http_refusal pipelined = {400, "MALFORMED_HTTP", "Malformed HTTP request", false};
    static const struct sn_http_refusal overdue = {504, "UPSTREAM_TIMEOUT", "Request timed out", false};
    struct sn_listener *listener = worker->listener;
    enum extra extra = look_for_extra(conn);
    if (extra == EXTRA_NONE) {
        if (listener->clock->mono_ns(listener->clock->ctx) >= conn->request.deadline_mono_ns) {
            refuse_into(worker, conn, &overdue);
            return true;
        }
        conn->request.release_gate = conn->holds_gate ? release_gate : NULL;
        conn->request.release_ctx = conn->holds_gate ? conn : NULL;
        listener->options.handle(listener->options.ctx, &conn->request, &worker->response);
        extra = look_for_extra(conn);
    }
    if (extra == EXTRA_BYTES) {
        refuse_into(worker, conn, &pipelined);
    }
    return extra != EXTRA_GONE;
}

static void forget_response(struct sn_worker *worker)
{
    sn_buf_reset(&worker->wire);
    sn_buf_reset(&worker->response.body);
    worker->response.status = 0;
    worker->response.header_count = 0;
    worker->response.content_type = NULL;
    worker->response.close = false;
}

static enum sn_io serve(struct sn_worker *worker, struct sn_conn *conn)
{
    struct sn_listener *listener = worker->listener;
    bool is_answered = answer(worker, conn);
    if (conn->is_gated) {
        release_gate(conn);
    }
    if (!is_answered || atomic_load(&listener->stopping)) {
        return SN_IO_CLOSED;
    }
    SN_ASSERT(worker->response.status >= 200 && worker->response.status <= 599);
    conn->close_after =
        conn->close_after || worker->response.close || (atomic_load(&listener->draining) && !conn->from->is_metrics);
    sn_http_write_head(
        &worker->wire, &worker->response, conn->close_after, sn_clock_unix_s(listener->clock), &worker->date);
    return sn_conn_send(conn, &worker->wire, sn_buf_slice(&worker->response.body));
}

/* The connection goes back to the epoll thread; the lock is held, and the connection is not ours behind this. */
static void give_back(struct sn_conn *conn, enum sn_io io)
{
    if (io == SN_IO_DONE) {
        sn_conn_answered(conn);
    } else if (io == SN_IO_CLOSED) {
        sn_conn_close(conn, true);
    } else {
        sn_conn_set_state(conn, SN_CONN_WRITING);
        sn_conn_arm(conn, io == SN_IO_WRITE);
    }
}

/* With work left, a worker that is a task lets others of its thread go on first. */
static void let_others(struct sn_listener *listener)
{
    if (listener->crew != NULL && listener->ready.first != NULL) {
        sn_listener_unlock(listener);
        sn_task_yield();
        (void)pthread_mutex_lock(&listener->lock);
    }
}

void sn_listener_worker_run(void *ctx)
{
    struct sn_worker *worker = ctx;
    struct sn_listener *listener = worker->listener;
    (void)pthread_mutex_lock(&listener->lock);
    while (!atomic_load(&listener->stopping)) {
        struct sn_conn *conn = queue_pop(&listener->ready);
        if (conn == NULL) {
            sleep_until_called(worker);
            continue;
        }
        call_for_work(listener);
        listener->workers_busy++;
        sn_listener_unlock(listener);
        enum sn_io io = serve(worker, conn);
        int64_t now_ns = listener->clock->mono_ns(listener->clock->ctx);
        forget_response(worker);
        (void)pthread_mutex_lock(&listener->lock);
        give_back(conn, io);
        listener->workers_busy--;
        listener->last_finish_ns = now_ns;
        let_others(listener);
    }
    sn_listener_unlock(listener);
    sn_response_clear(&worker->response);
    sn_buf_clear(&worker->wire);
}
