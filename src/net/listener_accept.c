/* SPDX-License-Identifier: Apache-2.0 */
/* net/listener_accept.c - taking connections, and making room when there are too many. */
#include "net/listener_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/fs.h"

/* Off loopback an address may hold only so many connections; an IPv6 site has a whole /64 of addresses. */
static uint64_t address_key(const struct sn_peer *peer, const struct sockaddr_storage *address)
{
    uint64_t key = 0;
    if (peer->is_loopback) {
        return 0;
    }
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return (uint64_t)ntohl(v4.sin_addr.s_addr) + 1;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof(v6));
    memcpy(&key, v6.sin6_addr.s6_addr, sizeof(key));
    return key | 1;
}

static unsigned bucket_of(uint64_t key)
{
    return (unsigned)((key * 0x9e3779b97f4a7c15ULL) >> 56) % SN_ADDRESS_BUCKETS;
}

static bool is_evictable(enum sn_conn_state state)
{
    return state != SN_CONN_BUSY && state != SN_CONN_DEAD && state != SN_CONN_STATES;
}

/* The one that has waited longest of those with that address, idle ones first; NULL: all are being served. */
static struct sn_conn *find_victim_of(struct sn_listener *listener, uint64_t key, size_t *out_count)
{
    struct sn_conn *victim = NULL;
    *out_count = 0;
    for (struct sn_conn *conn = listener->buckets[bucket_of(key)]; conn != NULL; conn = conn->address_next) {
        if (conn->address_key != key) {
            continue;
        }
        (*out_count)++;
        bool is_better =
            victim == NULL || (conn->state == SN_CONN_IDLE) > (victim->state == SN_CONN_IDLE) ||
            ((conn->state == SN_CONN_IDLE) == (victim->state == SN_CONN_IDLE) && conn->since_ns < victim->since_ns);
        if (is_evictable(conn->state) && is_better) {
            victim = conn;
        }
    }
    return victim;
}

static struct sn_conn *find_victim(const struct sn_listener *listener)
{
    static const enum sn_conn_state incomplete[] = {
        SN_CONN_HANDSHAKE, SN_CONN_HEAD, SN_CONN_BODY, SN_CONN_LINGER, SN_CONN_WRITING};
    struct sn_conn *victim = listener->lists[SN_CONN_IDLE].first;
    for (size_t i = 0; victim == NULL && i < SN_LEN(incomplete); i++) {
        for (size_t k = i; k < SN_LEN(incomplete); k++) {
            struct sn_conn *conn = listener->lists[incomplete[k]].first;
            if (conn != NULL && (victim == NULL || conn->since_ns < victim->since_ns)) {
                victim = conn;
            }
        }
    }
    return victim;
}

/* Makes room for one more; the lock is held. False: every connection is being served. */
static bool make_room(struct sn_listener *listener, uint64_t key)
{
    if (key != 0) {
        size_t count = 0;
        struct sn_conn *victim = find_victim_of(listener, key, &count);
        if (count >= SN_CONN_MAX_PER_ADDRESS) {
            if (victim == NULL) {
                return false;
            }
            sn_conn_close(victim, false);
        }
    }
    if (listener->conn_count >= listener->options.max_connections) {
        struct sn_conn *victim = find_victim(listener);
        if (victim == NULL) {
            return false;
        }
        sn_conn_close(victim, false);
    }
    return true;
}

static struct sn_conn *new_conn(struct sn_listener *listener, const struct sn_listen_socket *from, int fd)
{
    struct sn_conn *conn = sn_alloc(1, sizeof(*conn));
    conn->kind = SN_SOURCE_CONN;
    conn->listener = listener;
    conn->from = from;
    conn->fd = fd;
    conn->in.max = SN_HTTP_MAX_HEAD + listener->options.max_body + 4 * SN_CONN_READ_CHUNK;
    conn->out.max = SN_BUF_DEFAULT_MAX + SN_HTTP_MAX_HEAD;
    return conn;
}

/* Links a new connection in; the lock is held. False: it was closed at once. */
static bool adopt(struct sn_listener *listener, struct sn_conn *conn)
{
    bool has_tls = listener->tls != NULL && !conn->from->is_metrics && !conn->from->is_unix;
    listener->conn_count++;
    if (conn->address_key != 0) {
        conn->bucket = bucket_of(conn->address_key);
        conn->address_next = listener->buckets[conn->bucket];
        if (conn->address_next != NULL) {
            conn->address_next->address_prev = conn;
        }
        listener->buckets[conn->bucket] = conn;
    }
    if (has_tls) {
        conn->tls = sn_tls_session_new(listener->tls, conn->fd);
        conn->request.peer.is_tls = true;
    }
    sn_conn_set_state(conn, has_tls ? SN_CONN_HANDSHAKE : SN_CONN_IDLE);
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = conn};
    if ((has_tls && conn->tls == NULL) || epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, conn->fd, &event) != 0) {
        sn_conn_close(conn, true);
        return false;
    }
    return true;
}

static void accept_one(
    struct sn_listener *listener, const struct sn_listen_socket *from, int fd, const struct sockaddr_storage *address)
{
    struct sn_conn *conn = new_conn(listener, from, fd);
    sn_peer_fill(from, fd, address, &conn->request.peer);
    conn->request.peer.connection_id = ++listener->last_id;
    conn->address_key = address_key(&conn->request.peer, address);
    (void)pthread_mutex_lock(&listener->lock);
    bool has_room = make_room(listener, conn->address_key);
    if (!has_room && listener->conn_count >= listener->options.max_connections + SN_CONN_OVERFLOW) {
        (void)pthread_mutex_unlock(&listener->lock);
        sn_fd_close(&conn->fd);
        sn_conn_free(conn);
        return;
    }
    bool is_linked = adopt(listener, conn);
    bool can_answer = conn->state == SN_CONN_IDLE;
    if (!has_room && is_linked && !can_answer) {
        sn_conn_close(conn, true); /* no answer before a handshake */
    }
    (void)pthread_mutex_unlock(&listener->lock);
    if (!has_room && is_linked && can_answer) {
        static const struct sn_http_refusal overloaded = {503, "OVERLOADED", "Server is busy", false};
        sn_conn_refuse(conn, &overloaded);
    }
}

void sn_listener_watch_sockets(struct sn_listener *listener, bool on)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.ptr = &listener->sockets[i]};
        if (listener->sockets[i].fd >= 0) {
            (void)epoll_ctl(listener->epoll_fd, EPOLL_CTL_MOD, listener->sockets[i].fd, &event);
        }
    }
    listener->accept_paused = !on;
}

/* No descriptor is left: one connection must go, or we wait until one does. */
static void on_no_descriptor(struct sn_listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    struct sn_conn *victim = find_victim(listener);
    if (victim != NULL) {
        sn_conn_close(victim, false);
    }
    (void)pthread_mutex_unlock(&listener->lock);
    if (victim == NULL) {
        sn_listener_watch_sockets(listener, false);
    }
}

bool sn_listener_accept_some(struct sn_listener *listener, const struct sn_listen_socket *from, size_t max)
{
    for (size_t i = 0; i < max; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof(address);
        memset(&address, 0, sizeof(address));
        int fd = accept4(from->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(listener, from, fd, &address);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            on_no_descriptor(listener);
            return false;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EBADF || errno == EINVAL) {
            return false;
        }
        /* ECONNABORTED, EINTR and network errors of one connection: the next. */
    }
    return true;
}
