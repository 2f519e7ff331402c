/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/listener_internal.h - what the files of the listener share; nobody else includes it.
 *
 * listener.c: start, epoll loop, deadlines, drain. listener_accept.c: new connections, and whom they displace.
 * listener_conn.c: one connection, from bytes to a complete request, and its refusals. listener_worker.c: queue, gate,
 * workers, answers.
 *
 * One lock guards states, lists, queues and counters. A connection's buffers and request belong to the epoll thread,
 * except in state BUSY, when they belong to the worker (or the queue). Only the epoll thread frees connections: others
 * put them on the list of the dead, so that an event already fetched never points into freed memory.
 */
#ifndef SN_NET_LISTENER_INTERNAL_H
#define SN_NET_LISTENER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/task.h"
#include "base/wake.h"
#include "net/http_parse.h"
#include "net/http_write.h"
#include "net/listen_socket.h"
#include "net/listener.h"

enum {
    SN_LISTENER_MAX_SOCKETS = 32,
    SN_CONN_MAX_REQUESTS = 1000,
    SN_CONN_MAX_PER_ADDRESS = 64,    /* off loopback; an IPv6 address counts by its /64 */
    SN_CONN_OVERFLOW = 64,           /* connections past the maximum that only carry their 503 */
    SN_CONN_KEEP_BUFFER = 16 * 1024, /* larger buffers are given back behind a request */
    SN_CONN_READ_CHUNK = 4000,
    SN_CONN_LINGER_BYTES = 1024 * 1024, /* thrown away at most behind a refusal */
    SN_ADDRESS_BUCKETS = 256,
    SN_CONN_DRAIN_IDLE_NS = 200 * 1000 * 1000, /* while draining: a request may be on its way on an idle connection */
};

enum sn_conn_state {
    SN_CONN_DEAD,
    SN_CONN_HANDSHAKE,
    SN_CONN_IDLE, /* no byte of a request yet */
    SN_CONN_HEAD,
    SN_CONN_BODY,
    SN_CONN_BUSY,    /* complete request: in a queue or with a worker */
    SN_CONN_WRITING, /* the peer reads slower than we write */
    SN_CONN_LINGER,  /* answered and shut down; what still comes is thrown away */
    SN_CONN_STATES,
};

struct sn_conn {
    enum sn_source_kind kind;
    enum sn_conn_state state;
    struct sn_conn *prev, *next;                 /* in the list of its state, oldest first */
    struct sn_conn *queue_next;                  /* in a queue of requests */
    struct sn_conn *address_prev, *address_next; /* same bucket of addresses */
    struct sn_listener *listener;
    const struct sn_listen_socket *from;
    struct sn_tls_session *tls;
    int fd;
    unsigned bucket;
    uint64_t address_key;          /* 0 on loopback and Unix sockets */
    int64_t since_ns, deadline_ns; /* of the state; deadline 0: none */
    unsigned served;
    bool close_after; /* the next answer is the last */
    bool holds_gate;
    bool is_gated; /* waits at or holds the gate */
    struct sn_http_scan scan;
    struct sn_http_head head;
    struct sn_buf in;
    struct sn_buf out;
    size_t out_sent;
    size_t lingered;
    struct sn_request request;
};

struct sn_conn_list {
    struct sn_conn *first, *last;
    size_t count, metrics_count; /* metrics_count: those from a metrics address */
};

struct sn_conn_queue {
    struct sn_conn *first, *last;
    size_t count;
};

struct sn_worker {
    struct sn_listener *listener;
    pthread_t thread;    /* unless it is a task */
    struct sn_wake wake; /* called when it is taken off the list of the idle */
    struct sn_worker *next_idle;
    struct sn_response response;
    struct sn_buf wire;
    struct sn_http_date date;
};

struct sn_listener {
    struct sn_listener_options options;
    struct sn_listen_socket sockets[SN_LISTENER_MAX_SOCKETS];
    size_t socket_count;
    const struct sn_clock *clock;
    struct sn_http_rules rules;
    int epoll_fd, wake_fd;
    enum sn_source_kind wake_kind;
    bool is_started;
    pthread_t epoll_thread;
    struct sn_worker *workers;
    size_t worker_count;
    struct sn_crew *crew; /* NULL: each worker has a thread */
    atomic_bool stopping;
    atomic_bool draining;

    pthread_mutex_t lock;
    pthread_cond_t drain_cond;
    struct sn_worker *idle_workers; /* the one that went to sleep last is woken first: its memory is still warm */
    struct sn_conn_list lists[SN_CONN_STATES];
    size_t conn_count;
    struct sn_conn *buckets[SN_ADDRESS_BUCKETS];
    struct sn_conn_queue ready, waiting; /* waiting: at the gate */
    size_t gate_used, workers_busy;
    size_t workers_called;         /* woken, or to be, and not running yet */
    struct sn_worker *called_last; /* to be woken as soon as the lock is free, so that it does not run into it */
    int64_t last_finish_ns;
    struct sn_tls_context *tls;
    bool is_drain_begun; /* sockets are closed */
    struct sn_conn *free_list;
    size_t free_count;

    /* The epoll thread's own. */
    struct sn_response refusal;
    struct sn_buf wire;
    struct sn_http_date date;
    uint64_t last_id;
    bool accept_paused;
    int64_t next_queue_check_ns;
};

/* --- listener_conn.c --- */

/* All of these with the lock held. */
void sn_conn_set_state(struct sn_conn *conn, enum sn_conn_state state);
void sn_conn_close(struct sn_conn *conn, bool reset); /* to the list of the dead */
void sn_conn_arm(struct sn_conn *conn, bool for_write);
/* After a whole answer was written: idle again, or shut down. */
void sn_conn_answered(struct sn_conn *conn);

/* The epoll thread, without the lock. */
void sn_conn_on_event(struct sn_conn *conn);
void sn_conn_refuse(struct sn_conn *conn, const struct sn_http_refusal *refusal);
void sn_conn_free(struct sn_conn *conn);

enum sn_io { SN_IO_DONE, SN_IO_READ, SN_IO_WRITE, SN_IO_CLOSED };
/* Reads up to len bytes; SN_IO_DONE with *out_len > 0. */
enum sn_io sn_conn_read(struct sn_conn *conn, void *bytes, size_t len, size_t *out_len);
/*
 * Sends the head in wire and the body. SN_IO_WRITE: the rest is in conn->out (wire may have been emptied into it) and
 * the socket takes no more now.
 */
enum sn_io sn_conn_send(struct sn_conn *conn, struct sn_buf *wire, struct sn_slice body);
/* Fills response with the listener's own answer, through the refuse hook. */
void sn_listener_refusal(
    struct sn_listener *listener, const struct sn_http_refusal *refusal, struct sn_response *response);

/* --- listener_accept.c; the epoll thread --- */

/* Accepts what waits, at most max connections. True: there may be more. */
bool sn_listener_accept_some(struct sn_listener *listener, const struct sn_listen_socket *from, size_t max);
/* Stops or resumes looking for new connections. */
void sn_listener_watch_sockets(struct sn_listener *listener, bool on);

/* --- listener_worker.c --- */

/* Queues a complete request (state BUSY) with the lock held. False: the queue is full. */
bool sn_listener_enqueue(struct sn_listener *listener, struct sn_conn *conn);
/* Takes requests whose time is over out of the queues, with the lock held; returns a chain by queue_next. */
struct sn_conn *sn_listener_take_overdue(struct sn_listener *listener, int64_t now_ns);
void sn_listener_worker_run(void *ctx); /* a struct sn_worker; until the listener stops */
/* Gives the lock back and wakes the worker that was called under it: behind all that may have queued a request. */
void sn_listener_unlock(struct sn_listener *listener);
/* Wakes every sleeping worker, with the lock held. */
void sn_listener_wake_workers(struct sn_listener *listener);

#endif
