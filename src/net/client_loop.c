/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/client_loop.c - libcurl's multi interface on the event loop of a thread of tasks; see client_loop.h.
 *
 * libcurl says with every call which events of a socket it wants and then that it wants none. A warm connection would
 * cost three system calls for that. What is watched is therefore changed late: when an event is missing, or when one
 * comes that nobody wants.
 */
#include "net/client_loop.h"

#include <string.h>
#include <sys/epoll.h>

#include <curl/curl.h>

#include "base/alloc.h"
#include "base/task.h"

enum { MAX_CONNECTIONS = 128, MS_NS = 1000000 };

/* One call, on the stack of its task. */
struct pending {
    struct sn_task *task;
    CURLcode result;
    bool is_done;
    struct pending *prev, *next;
};

struct watched {
    uint32_t wanted, watched;
    bool is_ours; /* opened through open_socket, so that we hear of its end */
};

struct http_part {
    struct sn_loop_part part;
    struct sn_loop *loop;
    CURLM *multi;
    struct pending *first;
    struct watched *sockets; /* by descriptor */
    size_t socket_count;
};

/* --- What is watched --- */

static struct watched *find_socket(struct http_part *http, int fd)
{
    size_t index = (size_t)fd;

    SN_ASSERT(fd >= 0);
    if (index >= http->socket_count) {
        size_t count = index * 2 + 16;
        http->sockets = sn_realloc(http->sockets, count, sizeof(*http->sockets));
        memset(http->sockets + http->socket_count, 0, (count - http->socket_count) * sizeof(*http->sockets));
        http->socket_count = count;
    }
    return &http->sockets[index];
}

static void watch(struct http_part *http, int fd, struct watched *socket, uint32_t events)
{
    int op = socket->watched == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;

    if (socket->watched != events) {
        (void)sn_loop_watch(http->loop, op, fd, events); /* a socket that cannot be watched runs into its time limit */
        socket->watched = events;
    }
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
    struct http_part *http = ctx;
    struct watched *socket = find_socket(http, fd);

    (void)easy;
    (void)of_socket;
    socket->wanted = what == CURL_POLL_IN      ? EPOLLIN
                     : what == CURL_POLL_OUT   ? EPOLLOUT
                     : what == CURL_POLL_INOUT ? EPOLLIN | EPOLLOUT
                                               : 0;
    if ((socket->wanted & ~socket->watched) != 0 || !socket->is_ours) {
        watch(http, fd, socket, socket->wanted);
    }
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http_part *http = ctx;

    (void)multi;
    http->part.due_ns = timeout_ms < 0 ? 0 : timeout_ms == 0 ? 1 : sn_loop_now_ns() + (int64_t)timeout_ms * MS_NS;
    return 0;
}

/* --- What the loop tells --- */

static void finish(struct pending *pending, CURLcode result)
{
    if (!pending->is_done) {
        pending->is_done = true;
        pending->result = result;
        sn_task_call(pending->task);
    }
}

static void harvest(struct http_part *http)
{
    const CURLMsg *message;
    int left = 0;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        char *pending = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pending) == CURLE_OK) {
            finish((struct pending *)(void *)pending, message->data.result);
        }
    }
}

static void act(struct http_part *http, curl_socket_t fd, int events)
{
    int running = 0;

    SN_ASSERT(curl_multi_socket_action(http->multi, fd, events, &running) == CURLM_OK);
    harvest(http);
}

static void on_ready(struct sn_loop_part *part, int fd, uint32_t events)
{
    struct http_part *http = (struct http_part *)part;
    struct watched *socket = find_socket(http, fd);
    bool has_ended = (events & (EPOLLERR | EPOLLHUP)) != 0;
    uint32_t found = has_ended ? socket->wanted : events & socket->wanted;

    if (found == 0) {
        watch(http, fd, socket, socket->wanted);
        return;
    }
    act(http, fd,
        ((found & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) | ((found & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
            ((events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0));
}

static void on_due(struct sn_loop_part *part)
{
    act((struct http_part *)part, CURL_SOCKET_TIMEOUT, 0);
}

static void on_hurry(struct sn_loop_part *part)
{
    for (struct pending *pending = ((struct http_part *)part)->first; pending != NULL; pending = pending->next) {
        finish(pending, CURLE_RECV_ERROR);
    }
}

static void free_part(struct sn_loop_part *part)
{
    struct http_part *http = (struct http_part *)part;

    SN_ASSERT(http->first == NULL && curl_multi_cleanup(http->multi) == CURLM_OK);
    sn_loop_set_part(http->loop, NULL);
    sn_free(http->sockets);
    sn_free(http);
}

/* --- Calls --- */

#define SET(option, value) SN_ASSERT(curl_multi_setopt(http->multi, (option), (value)) == CURLM_OK)

static struct http_part *part_of(struct sn_loop *loop)
{
    struct http_part *http = (struct http_part *)sn_loop_get_part(loop);

    if (http != NULL) {
        return http;
    }
    http = sn_alloc(1, sizeof(*http));
    http->part = (struct sn_loop_part){on_ready, on_due, on_hurry, free_part, 0};
    http->loop = loop;
    http->multi = curl_multi_init();
    SN_ASSERT(http->multi != NULL);
    SET(CURLMOPT_SOCKETFUNCTION, on_socket);
    SET(CURLMOPT_SOCKETDATA, http);
    SET(CURLMOPT_TIMERFUNCTION, on_timer);
    SET(CURLMOPT_TIMERDATA, http);
    SET(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    SET(CURLMOPT_MAXCONNECTS, (long)MAX_CONNECTIONS);
    sn_loop_set_part(loop, &http->part);
    return http;
}

static void link_pending(struct http_part *http, struct pending *pending)
{
    pending->next = http->first;
    if (pending->next != NULL) {
        pending->next->prev = pending;
    }
    http->first = pending;
}

static void unlink_pending(struct http_part *http, const struct pending *pending)
{
    *(pending->prev != NULL ? &pending->prev->next : &http->first) = pending->next;
    if (pending->next != NULL) {
        pending->next->prev = pending->prev;
    }
}

int sn_http_loop_perform(void *easy)
{
    struct sn_loop *loop = sn_loop_self();
    struct http_part *http = part_of(loop);
    struct pending pending = {.task = sn_task_self()};

    if (sn_loop_is_hurried(loop)) {
        return CURLE_RECV_ERROR;
    }
    SN_ASSERT(curl_easy_setopt(easy, CURLOPT_PRIVATE, &pending) == CURLE_OK);
    if (curl_multi_add_handle(http->multi, easy) != CURLM_OK) {
        return CURLE_FAILED_INIT;
    }
    link_pending(http, &pending);
    (void)sn_task_wait_ms(-1);
    unlink_pending(http, &pending);
    SN_ASSERT(curl_multi_remove_handle(http->multi, easy) == CURLM_OK);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    return (int)pending.result;
}

void sn_http_loop_opened(int fd)
{
    struct sn_loop *loop = sn_loop_self();

    if (loop != NULL && fd >= 0) {
        *find_socket(part_of(loop), fd) = (struct watched){.is_ours = true};
    }
}

void sn_http_loop_closed(int fd)
{
    struct sn_loop *loop = sn_loop_self();

    if (loop != NULL && fd >= 0) {
        *find_socket(part_of(loop), fd) = (struct watched){0};
    }
}
