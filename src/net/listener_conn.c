/* SPDX-License-Identifier: Apache-2.0 */
/* net/listener_conn.c - one connection: reading heads and bodies under the limits, writing answers. */
#include "net/listener_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"

enum { SECOND_NS = 1000 * 1000 * 1000 };

/* How long a connection may stay in a state; 0: no limit of its own. */
static int64_t state_limit_ns(enum sn_conn_state state)
{
    switch (state) {
    case SN_CONN_HANDSHAKE:
    case SN_CONN_HEAD:
        return 5LL * SECOND_NS;
    case SN_CONN_BODY:
    case SN_CONN_WRITING:
        return 10LL * SECOND_NS;
    case SN_CONN_IDLE:
        return 15LL * SECOND_NS;
    case SN_CONN_LINGER:
        return 1LL * SECOND_NS;
    case SN_CONN_DEAD:
    case SN_CONN_BUSY:
    case SN_CONN_STATES:
        return 0;
    }
    return 0;
}

enum { REQUEST_LIMIT_S = 30 };

/* --- States and lists --- */

static void list_remove(struct sn_conn_list *list, struct sn_conn *conn)
{
    *(conn->prev != NULL ? &conn->prev->next : &list->first) = conn->next;
    *(conn->next != NULL ? &conn->next->prev : &list->last) = conn->prev;
    list->count--;
    list->metrics_count -= conn->from->is_metrics ? 1U : 0U;
}

static void list_append(struct sn_conn_list *list, struct sn_conn *conn)
{
    conn->prev = list->last;
    conn->next = NULL;
    *(list->last != NULL ? &list->last->next : &list->first) = conn;
    list->last = conn;
    list->count++;
    list->metrics_count += conn->from->is_metrics ? 1U : 0U;
}

void sn_conn_set_state(struct sn_conn *conn, enum sn_conn_state state)
{
    struct sn_listener *listener = conn->listener;
    int64_t limit_ns = state_limit_ns(state);
    if (conn->state != SN_CONN_DEAD) {
        list_remove(&listener->lists[conn->state], conn);
    }
    conn->state = state;
    conn->since_ns = listener->clock->mono_ns(listener->clock->ctx);
    if (state == SN_CONN_IDLE && !conn->from->is_metrics && atomic_load(&listener->draining)) {
        limit_ns = SN_CONN_DRAIN_IDLE_NS;
    }
    conn->deadline_ns = limit_ns > 0 ? conn->since_ns + limit_ns : 0;
    if (state != SN_CONN_DEAD) {
        list_append(&listener->lists[state], conn);
    }
    if (atomic_load(&listener->draining)) {
        (void)pthread_cond_broadcast(&listener->drain_cond);
    }
}

void sn_conn_close(struct sn_conn *conn, bool reset)
{
    struct sn_listener *listener = conn->listener;
    if (reset) {
        struct linger linger = {.l_onoff = 1};
        (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    } else {
        sn_tls_session_free(conn->tls);
        conn->tls = NULL;
    }
    sn_fd_close(&conn->fd);
    if (conn->address_key != 0) {
        *(conn->address_prev != NULL ? &conn->address_prev->address_next : &listener->buckets[conn->bucket]) =
            conn->address_next;
        if (conn->address_next != NULL) {
            conn->address_next->address_prev = conn->address_prev;
        }
    }
    sn_conn_set_state(conn, SN_CONN_DEAD);
    listener->conn_count--;
    conn->next = listener->free_list;
    listener->free_list = conn;
    listener->free_count++;
}

void sn_conn_free(struct sn_conn *conn)
{
    sn_tls_session_free(conn->tls);
    sn_buf_clear(&conn->in);
    sn_buf_clear(&conn->out);
    sn_free(conn);
}

void sn_conn_arm(struct sn_conn *conn, bool for_write)
{
    struct epoll_event event = {.events = (for_write ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT, .data.ptr = conn};
    if (epoll_ctl(conn->listener->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event) != 0) {
        sn_conn_close(conn, true);
    }
}

/* Forgets a request; keeps the memory of ordinary ones. Wipes it: it may have carried a proof. */
static void forget_request(struct sn_conn *conn)
{
    conn->scan = (struct sn_http_scan){0};
    conn->head = (struct sn_http_head){0};
    conn->request.header_count = 0;
    sn_buf_reset(&conn->in);
    if (conn->in.cap > SN_CONN_KEEP_BUFFER) {
        sn_buf_clear(&conn->in);
    }
    sn_buf_clear(&conn->out);
    conn->out_sent = 0;
}

void sn_conn_answered(struct sn_conn *conn)
{
    forget_request(conn);
    conn->served++;
    if (!conn->close_after) {
        sn_conn_set_state(conn, SN_CONN_IDLE);
        sn_conn_arm(conn, false);
        return;
    }
    /* Closing with unread bytes would reset the connection and take the answer away from the peer. */
    sn_tls_session_free(conn->tls);
    conn->tls = NULL;
    (void)shutdown(conn->fd, SHUT_WR);
    sn_conn_set_state(conn, SN_CONN_LINGER);
    sn_conn_arm(conn, false);
}

/* --- Bytes --- */

static enum sn_io from_tls(enum sn_tls_wait wait)
{
    switch (wait) {
    case SN_TLS_DONE:
        return SN_IO_DONE;
    case SN_TLS_WANT_READ:
        return SN_IO_READ;
    case SN_TLS_WANT_WRITE:
        return SN_IO_WRITE;
    case SN_TLS_CLOSED:
    case SN_TLS_FAILED:
        return SN_IO_CLOSED;
    }
    return SN_IO_CLOSED;
}

enum sn_io sn_conn_read(struct sn_conn *conn, void *bytes, size_t len, size_t *out_len)
{
    if (conn->tls != NULL) {
        return from_tls(sn_tls_read(conn->tls, bytes, len, out_len));
    }
    ssize_t count;
    do {
        count = recv(conn->fd, bytes, len, 0);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        *out_len = (size_t)count;
        return SN_IO_DONE;
    }
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? SN_IO_READ : SN_IO_CLOSED;
}

/* Sends what is left in conn->out. */
static enum sn_io send_out(struct sn_conn *conn)
{
    while (conn->out_sent < conn->out.len) {
        size_t moved = 0;
        const char *from = conn->out.ptr + conn->out_sent;
        size_t left = conn->out.len - conn->out_sent;
        if (conn->tls != NULL) {
            enum sn_io io = from_tls(sn_tls_write(conn->tls, from, left, &moved));
            if (io != SN_IO_DONE) {
                return io;
            }
        } else {
            ssize_t count = send(conn->fd, from, left, MSG_NOSIGNAL);
            if (count < 0 && errno != EINTR) {
                return errno == EAGAIN || errno == EWOULDBLOCK ? SN_IO_WRITE : SN_IO_CLOSED;
            }
            moved = count > 0 ? (size_t)count : 0;
        }
        conn->out_sent += moved;
    }
    return SN_IO_DONE;
}

enum sn_io sn_conn_send(struct sn_conn *conn, struct sn_buf *wire, struct sn_slice body)
{
    if (conn->tls == NULL) {
        struct iovec parts[2] = {{.iov_base = wire->ptr, .iov_len = wire->len},
            {.iov_base = (void *)(uintptr_t)body.ptr, .iov_len = body.len}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = body.len > 0 ? 2 : 1};
        ssize_t count;
        do {
            count = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
        } while (count < 0 && errno == EINTR);
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            return SN_IO_CLOSED;
        }
        size_t sent = count > 0 ? (size_t)count : 0;
        if (sent == wire->len + body.len) {
            return SN_IO_DONE;
        }
        size_t of_head = sent < wire->len ? sent : wire->len;
        sn_buf_add(&conn->out, sn_slice_sub(sn_buf_slice(wire), of_head, wire->len));
        sn_buf_add(&conn->out, sn_slice_sub(body, sent - of_head, body.len));
        return SN_IO_WRITE;
    }
    /* One record where it fits; the buffer moves into the connection, since a retry must give the same bytes. */
    sn_buf_add(wire, body);
    struct sn_buf empty = conn->out;
    conn->out = *wire;
    conn->out_sent = 0;
    enum sn_io io = send_out(conn);
    if (io == SN_IO_DONE) {
        *wire = conn->out;
        conn->out = empty;
    } else {
        *wire = empty;
    }
    return io;
}

/* --- Refusals --- */

void sn_listener_refusal(
    struct sn_listener *listener, const struct sn_http_refusal *refusal, struct sn_response *response)
{
    sn_buf_reset(&response->body);
    response->header_count = 0;
    response->content_type = NULL;
    response->status = refusal->status;
    if (listener->options.refuse != NULL) {
        listener->options.refuse(listener->options.ctx, refusal->status, refusal->code, refusal->message, response);
    } else {
        sn_buf_addf(&response->body, "{\"code\":\"%s\",\"message\":\"%s\",\"hint\":\"\",\"request_id\":\"\"}",
            refusal->code, refusal->message);
    }
    if (refusal->status == 405 && sn_response_find_header(response, "Allow") == NULL) {
        sn_response_header(response, "Allow", "GET, POST");
    }
    if (refusal->status == 503 && sn_response_find_header(response, "Retry-After") == NULL) {
        sn_response_header(response, "Retry-After", "1");
    }
}

void sn_conn_refuse(struct sn_conn *conn, const struct sn_http_refusal *refusal)
{
    struct sn_listener *listener = conn->listener;
    sn_listener_refusal(listener, refusal, &listener->refusal);
    sn_buf_reset(&listener->wire);
    sn_http_write_head(&listener->wire, &listener->refusal, true, sn_clock_unix_s(listener->clock), &listener->date);
    struct sn_slice body = {0};
    if (!refusal->has_no_body) {
        body = sn_buf_slice(&listener->refusal.body);
    }
    conn->close_after = true;
    enum sn_io io = sn_conn_send(conn, &listener->wire, body);
    (void)pthread_mutex_lock(&listener->lock);
    if (io == SN_IO_DONE) {
        sn_conn_answered(conn);
    } else if (io == SN_IO_CLOSED) {
        sn_conn_close(conn, false);
    } else {
        sn_conn_set_state(conn, SN_CONN_WRITING);
        sn_conn_arm(conn, io == SN_IO_WRITE);
    }
    (void)pthread_mutex_unlock(&listener->lock);
}

static void refuse(struct sn_conn *conn, int status, const char *code, const char *message)
{
    struct sn_http_refusal refusal = {.status = status, .code = code, .message = message};
    sn_conn_refuse(conn, &refusal);
}

/* --- From bytes to a request --- */

static bool default_host(const struct sn_peer *peer, struct sn_slice host)
{
    static const struct sn_slice names[] = {SN_S_INIT("127.0.0.1"), SN_S_INIT("[::1]"), SN_S_INIT("localhost")};
    char port_text[16] = "";
    struct sn_buf port = {.ptr = port_text, .cap = sizeof(port_text), .max = sizeof(port_text) - 1};
    if (peer->is_unix) {
        return sn_slice_eq_nocase(host, SN_S("localhost"));
    }
    sn_buf_add_byte(&port, ':');
    sn_buf_add_int(&port, peer->local_port);
    for (size_t i = 0; i < SN_LEN(names); i++) {
        struct sn_slice rest = sn_slice_sub(host, names[i].len, host.len);
        if (sn_slice_eq_nocase(sn_slice_sub(host, 0, names[i].len), names[i]) &&
            (sn_slice_eq(rest, sn_buf_slice(&port)) || (peer->local_port == 80 && rest.len == 0))) {
            return true;
        }
    }
    return false;
}

static bool is_our_host(struct sn_conn *conn)
{
    struct sn_listener *listener = conn->listener;
    struct sn_slice host = sn_http_host(&conn->request);
    if (conn->from->is_metrics && conn->from->is_open) {
        return true;
    }
    if (listener->options.host == NULL) {
        return default_host(&conn->request.peer, host);
    }
    return listener->options.host(listener->options.ctx, &conn->request.peer, host);
}

/* Time at which this request must be answered: from its first byte on. */
static void set_request_deadline(struct sn_conn *conn)
{
    conn->request.deadline_mono_ns = conn->since_ns + REQUEST_LIMIT_S * (int64_t)SECOND_NS;
}

/* The head is complete. False: refused. */
static bool begin_body(struct sn_conn *conn)
{
    struct sn_listener *listener = conn->listener;
    struct sn_http_refusal refusal = {0};
    struct sn_http_head head;
    for (;;) {
        struct sn_slice text = sn_slice_sub(sn_buf_slice(&conn->in), 0, conn->scan.head_len);
        if (!sn_http_head_parse(text, &listener->rules, &conn->request, &head, &refusal)) {
            sn_conn_refuse(conn, &refusal);
            return false;
        }
        /* Room for the whole body first: when the buffer moves, the slices into it must be made again. */
        const char *before = conn->in.ptr;
        size_t total = conn->scan.head_len + head.body_len;
        if (total > conn->in.len) {
            SN_ASSERT(sn_buf_reserve(&conn->in, total - conn->in.len + 1) != NULL);
        }
        if (conn->in.ptr == before) {
            break;
        }
    }
    conn->head = head;
    conn->close_after = head.close || conn->served + 1 >= SN_CONN_MAX_REQUESTS;
    if (!is_our_host(conn)) {
        refuse(conn, 421, "MISDIRECTED_REQUEST", "This server does not answer to that host");
        return false;
    }
    return true;
}

/* The request is complete: to the workers. */
static void dispatch(struct sn_conn *conn)
{
    struct sn_listener *listener = conn->listener;
    conn->request.body = sn_slice_sub(sn_buf_slice(&conn->in), conn->scan.head_len, conn->head.body_len);
    conn->request.is_metrics_listener = conn->from->is_metrics;
    conn->is_gated = listener->options.gate != NULL && listener->options.gate(listener->options.ctx, &conn->request);
    (void)pthread_mutex_lock(&listener->lock);
    sn_conn_set_state(conn, SN_CONN_BUSY);
    bool is_queued = sn_listener_enqueue(listener, conn);
    sn_listener_unlock(listener);
    if (!is_queued) {
        refuse(conn, 503, "OVERLOADED", "Server is busy");
    }
}

static void enter(struct sn_conn *conn, enum sn_conn_state state)
{
    (void)pthread_mutex_lock(&conn->listener->lock);
    sn_conn_set_state(conn, state);
    (void)pthread_mutex_unlock(&conn->listener->lock);
}

/* Looks at what has been read. True: more bytes are needed. */
static bool advance(struct sn_conn *conn)
{
    if (conn->state == SN_CONN_IDLE) {
        enter(conn, SN_CONN_HEAD);
        set_request_deadline(conn);
    }
    if (conn->state == SN_CONN_HEAD) {
        struct sn_http_refusal refusal = {0};
        enum sn_http_scan_result result = sn_http_scan(&conn->scan, sn_buf_slice(&conn->in), &refusal);
        size_t head_len = result == SN_HTTP_SCAN_DONE ? conn->scan.head_len : conn->scan.pos;
        if (conn->listener->options.max_head != 0 && head_len > conn->listener->options.max_head) {
            refuse(conn, 431, "HEADERS_TOO_LARGE", "Header section is too large");
            return false;
        }
        switch (result) {
        case SN_HTTP_SCAN_MORE:
            return true;
        case SN_HTTP_SCAN_REFUSED:
            sn_conn_refuse(conn, &refusal);
            return false;
        case SN_HTTP_SCAN_DONE:
            break;
        }
        if (!begin_body(conn)) {
            return false;
        }
        if (conn->in.len < conn->scan.head_len + conn->head.body_len) {
            enter(conn, SN_CONN_BODY);
        }
    }
    size_t total = conn->scan.head_len + conn->head.body_len;
    if (conn->in.len < total) {
        return true;
    }
    if (conn->in.len > total) {
        refuse(conn, 400, "MALFORMED_HTTP", "Malformed HTTP request"); /* no pipelining */
        return false;
    }
    dispatch(conn);
    return false;
}

/* How much to ask for: never more than one byte behind the body, which is enough to notice pipelining. */
static size_t room(struct sn_conn *conn)
{
    size_t wanted = SN_CONN_READ_CHUNK;
    if (conn->state == SN_CONN_BODY) {
        wanted = conn->scan.head_len + conn->head.body_len + 1 - conn->in.len;
        return wanted; /* begin_body() made the room */
    }
    size_t free_bytes = conn->in.cap > conn->in.len ? conn->in.cap - conn->in.len - 1 : 0;
    if (free_bytes < SN_CONN_READ_CHUNK / 4) {
        SN_ASSERT(sn_buf_reserve(&conn->in, wanted) != NULL);
        free_bytes = conn->in.cap - conn->in.len - 1;
    }
    return free_bytes;
}

static void arm(struct sn_conn *conn, bool for_write)
{
    (void)pthread_mutex_lock(&conn->listener->lock);
    sn_conn_arm(conn, for_write);
    (void)pthread_mutex_unlock(&conn->listener->lock);
}

static void close_now(struct sn_conn *conn)
{
    (void)pthread_mutex_lock(&conn->listener->lock);
    sn_conn_close(conn, false);
    (void)pthread_mutex_unlock(&conn->listener->lock);
}

static void on_readable(struct sn_conn *conn)
{
    for (;;) {
        size_t wanted = room(conn), count = 0;
        enum sn_io io = sn_conn_read(conn, conn->in.ptr + conn->in.len, wanted, &count);
        if (io == SN_IO_CLOSED) {
            close_now(conn);
            return;
        }
        if (io != SN_IO_DONE) {
            arm(conn, io == SN_IO_WRITE);
            return;
        }
        conn->in.len += count;
        if (!advance(conn)) {
            return;
        }
        if (count < wanted && conn->tls == NULL) {
            arm(conn, false);
            return;
        }
    }
}

static void on_handshake(struct sn_conn *conn)
{
    switch (sn_tls_handshake(conn->tls)) {
    case SN_TLS_DONE:
        enter(conn, SN_CONN_IDLE);
        on_readable(conn);
        return;
    case SN_TLS_WANT_READ:
        arm(conn, false);
        return;
    case SN_TLS_WANT_WRITE:
        arm(conn, true);
        return;
    case SN_TLS_CLOSED:
    case SN_TLS_FAILED:
        close_now(conn);
        return;
    }
}

static void on_writable(struct sn_conn *conn)
{
    enum sn_io io = send_out(conn);
    (void)pthread_mutex_lock(&conn->listener->lock);
    if (io == SN_IO_DONE) {
        sn_conn_answered(conn);
    } else if (io == SN_IO_CLOSED) {
        sn_conn_close(conn, false);
    } else {
        sn_conn_arm(conn, io == SN_IO_WRITE);
    }
    (void)pthread_mutex_unlock(&conn->listener->lock);
}

static void on_linger(struct sn_conn *conn)
{
    char thrown_away[4096];
    size_t count = 0;
    for (int i = 0; i < 16; i++) {
        enum sn_io io = sn_conn_read(conn, thrown_away, sizeof(thrown_away), &count);
        if (io == SN_IO_CLOSED || conn->lingered > SN_CONN_LINGER_BYTES) {
            close_now(conn);
            return;
        }
        if (io != SN_IO_DONE) {
            break;
        }
        conn->lingered += count;
    }
    arm(conn, false);
}

void sn_conn_on_event(struct sn_conn *conn)
{
    (void)pthread_mutex_lock(&conn->listener->lock);
    enum sn_conn_state state = conn->state;
    (void)pthread_mutex_unlock(&conn->listener->lock);
    switch (state) {
    case SN_CONN_HANDSHAKE:
        on_handshake(conn);
        return;
    case SN_CONN_IDLE:
    case SN_CONN_HEAD:
    case SN_CONN_BODY:
        on_readable(conn);
        return;
    case SN_CONN_WRITING:
        on_writable(conn);
        return;
    case SN_CONN_LINGER:
        on_linger(conn);
        return;
    case SN_CONN_DEAD:
    case SN_CONN_BUSY:
    case SN_CONN_STATES:
        return;
    }
}
