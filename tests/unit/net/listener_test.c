/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener over real sockets: the strict subset (ATK-31, TVM-46), limits, eviction, gate, drain (TVM-48), Unix
 * sockets (TVM-49). TLS has a file of its own.
 */
#include "test.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/listener.h"
#include "raw_http.h"

/* A server whose handler answers with what it was given; "/block" waits for a permit, "/gated" too and passes the gate.
 */
struct fixture {
    struct sn_listener *listener;
    uint16_t port;
    sem_t entered, permits;
    atomic_int handled;
};

static void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct fixture *fixture = ctx;
    atomic_fetch_add(&fixture->handled, 1);
    if (sn_slice_has_prefix(request->path, SN_S("/block")) || sn_slice_has_prefix(request->path, SN_S("/gated"))) {
        (void)sem_post(&fixture->entered);
        if (sn_slice_eq(request->path, SN_S("/gated-early"))) {
            request->release_gate(request->release_ctx);
        }
        while (sem_wait(&fixture->permits) != 0) {
        }
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

static bool is_gated(void *ctx, const struct sn_request *request)
{
    (void)ctx;
    return sn_slice_has_prefix(request->path, SN_S("/gated"));
}

static struct sn_listener_options plain_options(struct fixture *fixture)
{
    return (struct sn_listener_options){
        .addresses = {{.text = "127.0.0.1:0"}},
        .address_count = 1,
        .workers = 4,
        .handle = handle,
        .gate = is_gated,
        .ctx = fixture,
    };
}

static void start_with(struct fixture *fixture, const struct sn_listener_options *options)
{
    struct sn_error err;
    (void)sem_init(&fixture->entered, 0, 0);
    (void)sem_init(&fixture->permits, 0, 0);
    atomic_store(&fixture->handled, 0);
    assert_ok(sn_listener_new(options, &fixture->listener, &err), &err);
    assert_ok(sn_listener_start(fixture->listener, &err), &err);
    fixture->port = sn_listener_port(fixture->listener, 0);
}

static void start(struct fixture *fixture)
{
    struct sn_listener_options options = plain_options(fixture);
    start_with(fixture, &options);
}

static void stop(struct fixture *fixture)
{
    sn_listener_free(fixture->listener);
    (void)sem_destroy(&fixture->entered);
    (void)sem_destroy(&fixture->permits);
}

/* Sends "@" in the text as the port, so that rows can hold a Host. */
static struct sn_slice with_port(struct sn_buf *buf, struct sn_slice text, uint16_t port)
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

static void assert_good_request_works(const struct fixture *fixture)
{
    SN_AUTO(sn_buf_clear) struct sn_buf wire = {0};
    struct raw_reply reply = {0};
    int fd = raw_connect(fixture->port);
    assert_true(fd >= 0);
    assert_true(
        raw_send(fd, with_port(&wire, SN_S("GET /good?a=1 HTTP/1.1\r\nHost: 127.0.0.1:@\r\n\r\n"), fixture->port)));
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_slice_equal(sn_buf_slice(&reply.body), "GET /good?a=1 0");
    raw_reply_clear(&reply);
    (void)close(fd);
}

static void good_requests_and_headers_of_answers(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    assert_good_request_works(&fixture);
    stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests_and_headers_of_answers),
    };
    return cmocka_run_group_tests_name("net/listener", tests, NULL, NULL);
}
