/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/net/listener_fixture.h - a listener with a scripted handler, shared by the listener's test programs.
 */
#ifndef SN_TESTS_UNIT_NET_LISTENER_FIXTURE_H
#define SN_TESTS_UNIT_NET_LISTENER_FIXTURE_H

#include "test.h"

#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/turns.h"
#include "net/listener.h"
#include "raw_http.h"

/* 0: each worker is a thread; else they are tasks of so many. The test programs run once with each. */
static size_t worker_threads;

/* A server whose handler answers with what it was given; "/block" waits for a permit, "/gated" too and passes the gate.
 */
struct fixture {
    struct sn_listener *listener;
    uint16_t port;
    sem_t entered;
    struct sn_turns permits; /* none at first; a task that waits for one lets others of its thread go on */
    atomic_int handled;
};

static inline void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct fixture *fixture = ctx;
    atomic_fetch_add(&fixture->handled, 1);
    if (sn_slice_has_prefix(request->path, SN_S("/block")) || sn_slice_has_prefix(request->path, SN_S("/gated"))) {
        (void)sem_post(&fixture->entered);
        if (sn_slice_eq(request->path, SN_S("/gated-early"))) {
            request->release_gate(request->release_ctx);
        }
        sn_turns_take(&fixture->permits);
    }
    response->status = 200;
    sn_buf_addf(&response->body, "%.*s %.*s?%.*s %zu", SN_PRI(request->method_text), SN_PRI(request->path),
        SN_PRI(request->query), request->body.len);
    if (sn_slice_eq(request->path, SN_S("/large"))) {
        sn_buf_reset(&response->body);
        for (int i = 0; i < 100000; i++) {
            sn_buf_add(&response->body, SN_S("0123456789012345678901234567890123456789012345678\n"));
        }
    }
}

static inline bool is_gated(void *ctx, const struct sn_request *request)
{
    (void)ctx;
    return sn_slice_has_prefix(request->path, SN_S("/gated"));
}

static inline struct sn_listener_options plain_options(struct fixture *fixture)
{
    return (struct sn_listener_options){
        .addresses = {{.text = "127.0.0.1:0"}},
        .address_count = 1,
        .workers = 4,
        .threads = worker_threads,
        .handle = handle,
        .gate = is_gated,
        .ctx = fixture,
    };
}

static inline void start_with(struct fixture *fixture, const struct sn_listener_options *options)
{
    struct sn_error err;
    (void)sem_init(&fixture->entered, 0, 0);
    sn_turns_init(&fixture->permits, 0);
    atomic_store(&fixture->handled, 0);
    assert_ok(sn_listener_new(options, &fixture->listener, &err), &err);
    assert_ok(sn_listener_start(fixture->listener, &err), &err);
    fixture->port = sn_listener_port(fixture->listener, 0);
}

static inline void start(struct fixture *fixture)
{
    struct sn_listener_options options = plain_options(fixture);
    start_with(fixture, &options);
}

static inline void stop(struct fixture *fixture)
{
    sn_listener_free(fixture->listener);
    (void)sem_destroy(&fixture->entered);
    sn_turns_clear(&fixture->permits);
}

/* Sends "@" in the text as the port, so that rows can hold a Host. */
static inline struct sn_slice with_port(struct sn_buf *buf, struct sn_slice text, uint16_t port)
{
    sn_buf_reset(buf);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '@') {
            sn_buf_add_int(buf, port);
        } else {
            sn_buf_add_byte(buf, text.ptr[i]);
        }
    }
    return sn_buf_slice(buf);
}

/* Sends text with '@' as the port on a new connection; the descriptor is the caller's. */
static inline int send_to(const struct fixture *fixture, struct sn_slice text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf wire = {0};
    int fd = raw_connect(fixture->port);
    assert_true(fd >= 0);
    (void)raw_send(fd, with_port(&wire, text, fixture->port)); /* a refusal may come before all is taken */
    return fd;
}

static inline void assert_good_request_works(const struct fixture *fixture)
{
    struct raw_reply reply = {0};
    int fd = send_to(fixture, SN_S("GET /good?a=1 HTTP/1.1\r\nHost: 127.0.0.1:@\r\n\r\n"));
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_slice_equal(sn_buf_slice(&reply.body), "GET /good?a=1 0");
    raw_reply_clear(&reply);
    (void)close(fd);
}

/* A clock that stands still until a test moves it. */
struct still_clock {
    struct sn_clock clock;
    atomic_llong ns;
};

static inline int64_t still_ns(void *ctx)
{
    return atomic_load(&((struct still_clock *)ctx)->ns);
}

static inline void still_clock_init(struct still_clock *still)
{
    atomic_store(&still->ns, 1700000000LL * 1000000000LL);
    still->clock = (struct sn_clock){.unix_ns = still_ns, .mono_ns = still_ns, .ctx = still};
}

static inline void still_clock_add_s(struct still_clock *still, int64_t seconds)
{
    atomic_fetch_add(&still->ns, seconds * 1000000000LL);
}

/* Waits until a number of the statistics has a value; fails the test when it never does. */
#define wait_for_stat(fixture, field, expected)                                                                        \
    do {                                                                                                               \
        struct sn_listener_stats wait_stats = {0};                                                                     \
        for (int wait_i = 0; wait_i < 10000; wait_i++) {                                                               \
            sn_listener_get_stats((fixture)->listener, &wait_stats);                                                   \
            if (wait_stats.field == (size_t)(expected)) {                                                              \
                break;                                                                                                 \
            }                                                                                                          \
            (void)poll(NULL, 0, 1);                                                                                    \
        }                                                                                                              \
        assert_int_equal(wait_stats.field, (expected));                                                                \
    } while (0)

#endif
