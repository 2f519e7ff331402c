/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/listener.h - a strict HTTP/1.1 server: one epoll thread, a bounded pool of workers.
 *
 * The epoll thread reads heads and bodies under the limits and hands only complete requests to workers, so that a slow
 * client holds no worker; when connections run out the oldest incomplete or idle one is evicted. What breaks the subset
 * is answered by the listener itself through the refuse hook, without a call of the handler.
 */
#ifndef SN_NET_LISTENER_H
#define SN_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"
#include "crypto/tls.h"
#include "net/message.h"

struct sn_listener;

/*
 * The listener's own refusals: status and API code; fills the body in the server's error form and may add headers.
 * Called by the epoll thread and by workers, several at once.
 */
typedef void (*sn_refuse_fn)(
    void *ctx, int status, const char *code, const char *message, struct sn_response *response);

/*
 * Called on the epoll thread when a request is complete. True: the request enters the gate, which at most gate_limit
 * requests pass at once; the others wait in the queue without a worker. The handler leaves the gate early through
 * request->release_gate, or at the latest by returning.
 */
typedef bool (*sn_gate_fn)(void *ctx, const struct sn_request *request);

/* True if the Host header value is one the server answers to (a defence against DNS rebinding). */
typedef bool (*sn_host_fn)(void *ctx, const struct sn_peer *peer, struct sn_slice host);

struct sn_listener_address {
    const char *text; /* "127.0.0.1:8750", "[::1]:0", "unix:/run/x.sock" */
    bool is_metrics;  /* requests carry is_metrics_listener; never TLS */
};

enum { SN_LISTENER_MAX_ADDRESSES = 9 };

struct sn_listener_options {
    struct sn_listener_address addresses[SN_LISTENER_MAX_ADDRESSES];
    size_t address_count;
    int inherited_fds_first, inherited_fds_count; /* LISTEN_FDS; used instead of addresses that are not metrics */
    struct sn_tls_context *tls;                   /* NULL: plain; the listener takes a reference */
    unsigned unix_mode;                           /* 0: 0660 */
    size_t max_connections;                       /* 0: 1,024 */
    size_t workers;                               /* 0: 64 */
    size_t threads;                               /* workers are tasks of so many threads; 0: each has its own */
    size_t queue_limit;                           /* 0: 1,024 complete requests waiting */
    size_t gate_limit;                            /* 0: half of the workers */
    size_t max_body;                              /* 0: 65,536 */
    size_t max_head;              /* 0: what http_parse.h allows; request line, headers and the empty line together */
    bool lenient_content_type;    /* the lab: form bodies, any content type; POST bodies of other types */
    bool allow_percent_path;      /* the lab: '%' in a path, and queries that are not examined */
    const struct sn_clock *clock; /* NULL: the system's */
    sn_handler_fn handle;
    sn_refuse_fn refuse; /* NULL: {"code","message","hint":"","request_id":""} */
    sn_gate_fn gate;     /* NULL: none */
    /*
     * NULL: loopback authorities with the local port, "localhost" on a Unix socket. Not asked on a metrics address off
     * loopback, which other machines reach under whatever name they know.
     */
    sn_host_fn host;
    void *ctx;
};

struct sn_listener_stats {
    size_t connections_idle, connections_reading, connections_busy, workers_busy, queued;
    int64_t last_progress_mono_ns; /* a worker finished something, or was idle, at that time */
};

/* Binds all addresses; nothing is accepted before sn_listener_start. Codes LISTEN_ADDRESS, LISTEN_IN_USE,
 * LISTEN_SOCKET. */
SN_MUST_CHECK enum sn_status sn_listener_new(
    const struct sn_listener_options *options, struct sn_listener **out_listener, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_listener_start(struct sn_listener *listener, struct sn_error *err);
/* Port of socket i, for ":0": inherited ones first, then the addresses that were bound. */
uint16_t sn_listener_port(const struct sn_listener *listener, size_t index);
/* New connections get this certificate from now on. */
void sn_listener_set_tls(struct sn_listener *listener, struct sn_tls_context *tls);
void sn_listener_get_stats(struct sn_listener *listener, struct sn_listener_stats *out_stats);
/* Stops accepting, unlinks Unix sockets, closes idle connections. The metrics address goes on until stop. */
void sn_listener_begin_drain(struct sn_listener *listener);
/* Waits until running requests have been answered, at most timeout_ms; true if all were. */
bool sn_listener_wait_drained(struct sn_listener *listener, int timeout_ms);
/*
 * Cuts what is left by a reset, joins all threads, frees. Workers that are tasks give up HTTP calls and pauses at once;
 * any other handler that hangs is waited for.
 */
void sn_listener_free(struct sn_listener *listener);

#endif
