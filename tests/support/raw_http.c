/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/raw_http.c - bytes over a socket, as a hostile client sends them. */
#include "raw_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/parse.h"

static void set_timeouts(int fd)
{
    const struct timeval limit = {.tv_sec = RAW_TIMEOUT_S};
    const int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int raw_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    set_timeouts(fd);
    return fd;
}

int raw_connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct sn_slice text = sn_slice_str(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, text.ptr, text.len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    set_timeouts(fd);
    return fd;
}

bool raw_send(int fd, struct sn_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t count = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (count < 0) {
            return false;
        }
        bytes = sn_slice_sub(bytes, (size_t)count, bytes.len);
    }
    return true;
}

void raw_reply_clear(struct raw_reply *reply)
{
    sn_buf_clear(&reply->head);
    sn_buf_clear(&reply->body);
    reply->status = 0;
}

struct sn_slice raw_header(const struct raw_reply *reply, const char *name)
{
    struct sn_slice rest = sn_buf_slice(&reply->head), line, key, value;
    while (sn_slice_next(&rest, '\n', &line)) {
        if (sn_slice_cut(line, ':', &key, &value) && sn_slice_eq_nocase(key, sn_slice_str(name))) {
            return sn_slice_trim_space(value);
        }
    }
    return (struct sn_slice){0};
}

/* Reads until the blank line; what came behind it is left in text. False: ended before. */
static bool read_head(int fd, struct sn_buf *text, size_t *out_head_len)
{
    for (;;) {
        const char *end = text->len > 0 ? memmem(text->ptr, text->len, "\r\n\r\n", 4) : NULL;
        if (end != NULL) {
            *out_head_len = (size_t)(end - text->ptr) + 4;
            return true;
        }
        char bytes[4096];
        ssize_t count = recv(fd, bytes, sizeof(bytes), 0);
        if (count <= 0) {
            return false;
        }
        sn_buf_add_bytes(text, bytes, (size_t)count);
    }
}

static size_t length_in(struct sn_slice head)
{
    struct raw_reply view = {.head = {.ptr = (char *)(uintptr_t)head.ptr, .len = head.len}};
    struct sn_error ignored;
    int64_t value = 0;
    return sn_parse_int(raw_header(&view, "content-length"), 0, 1 << 30, &value, &ignored) == SN_OK ? (size_t)value : 0;
}

static bool read_up_to(int fd, struct sn_buf *text, size_t len)
{
    while (text->len < len) {
        char bytes[4096];
        size_t wanted = len - text->len < sizeof(bytes) ? len - text->len : sizeof(bytes);
        ssize_t count = recv(fd, bytes, wanted, 0);
        if (count <= 0) {
            return false;
        }
        sn_buf_add_bytes(text, bytes, (size_t)count);
    }
    return true;
}

void raw_read_reply(int fd, bool without_body, struct raw_reply *out_reply)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    size_t head_len = 0;
    raw_reply_clear(out_reply);
    if (!read_head(fd, &text, &head_len)) {
        out_reply->status = text.len == 0 ? 0 : -1;
        return;
    }
    sn_buf_add(&out_reply->head, sn_slice_sub(sn_buf_slice(&text), 0, head_len));
    int64_t status = -1;
    struct sn_error ignored;
    struct sn_slice line = sn_buf_slice(&text);
    if (!sn_slice_has_prefix(line, SN_S("HTTP/1.1 ")) ||
        sn_parse_int(sn_slice_sub(line, 9, 3), 100, 999, &status, &ignored) != SN_OK) {
        out_reply->status = -1;
        return;
    }
    size_t body_len = without_body ? 0 : length_in(sn_buf_slice(&out_reply->head));
    bool is_whole = read_up_to(fd, &text, head_len + body_len);
    sn_buf_add(&out_reply->body, sn_slice_sub(sn_buf_slice(&text), head_len, text.len));
    out_reply->status = is_whole ? (int)status : -1;
}

bool raw_is_closed(int fd)
{
    char byte;
    ssize_t count = recv(fd, &byte, 1, 0);
    return count == 0 || (count < 0 && errno == ECONNRESET);
}

/* --- The scripted server --- */

struct raw_server {
    pthread_t thread;
    int fd, stop_read, stop_write;
    uint16_t port;
    const struct raw_answer *answers;
    size_t count;
    struct sn_buf requests;
    size_t connections;
};

static bool wait_for(const struct raw_server *server, int fd)
{
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = server->stop_read, .events = POLLIN}};
    return poll(both, 2, RAW_TIMEOUT_S * 1000) > 0 && both[1].revents == 0;
}

static bool take_request(struct raw_server *server, int fd)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    size_t head_len = 0;
    bool is_whole = wait_for(server, fd) && read_head(fd, &text, &head_len) &&
                    read_up_to(fd, &text, head_len + length_in(sn_slice_sub(sn_buf_slice(&text), 0, head_len)));
    sn_buf_add(&server->requests, sn_buf_slice(&text));
    return is_whole;
}

static void *server_main(void *ctx)
{
    struct raw_server *server = ctx;
    size_t next = 0;
    int held[16];
    size_t held_count = 0;
    while (next < server->count && wait_for(server, server->fd)) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        bool goes_on = fd >= 0;
        set_timeouts(fd);
        server->connections++;
        while (goes_on && next < server->count) {
            const struct raw_answer *answer = &server->answers[next];
            if (!answer->refuse_before && !take_request(server, fd)) {
                break;
            }
            next++;
            if (answer->hold) {
                held[held_count++] = fd;
                fd = -1;
                break;
            }
            goes_on =
                !answer->refuse_before && !answer->close_before && raw_send(fd, answer->bytes) && !answer->close_after;
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    (void)wait_for(server, server->stop_read);
    for (size_t i = 0; i < held_count; i++) {
        (void)close(held[i]);
    }
    return NULL;
}

struct raw_server *raw_server_start(const struct raw_answer *answers, size_t count)
{
    struct raw_server *server = sn_alloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int ends[2];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->answers = answers;
    server->count = count;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SN_ASSERT(bind(server->fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    SN_ASSERT(listen(server->fd, 16) == 0 && getsockname(server->fd, (struct sockaddr *)&address, &len) == 0);
    SN_ASSERT(pipe(ends) == 0);
    server->stop_read = ends[0];
    server->stop_write = ends[1];
    server->port = ntohs(address.sin_port);
    SN_ASSERT(pthread_create(&server->thread, NULL, server_main, server) == 0);
    return server;
}

uint16_t raw_server_port(const struct raw_server *server)
{
    return server->port;
}

void raw_server_stop(struct raw_server *server, struct sn_buf *out_requests, size_t *out_connections)
{
    (void)close(server->stop_write);
    (void)pthread_join(server->thread, NULL);
    if (out_requests != NULL) {
        sn_buf_add(out_requests, sn_buf_slice(&server->requests));
    }
    if (out_connections != NULL) {
        *out_connections = server->connections;
    }
    (void)close(server->fd);
    (void)close(server->stop_read);
    sn_buf_clear(&server->requests);
    sn_free(server);
}
