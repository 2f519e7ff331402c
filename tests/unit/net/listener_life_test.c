/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener over time: deadlines, slow peers (ATK-31, TVM-46), eviction, queue and gate, drain (TVM-48), Unix
 * sockets (TVM-49), addresses that are refused (TVM-47).
 */
#include "listener_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/fs.h"

#define HOST "Host: 127.0.0.1:@\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void assert_status(int fd, int status)
{
    struct raw_reply reply = {0};
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, status);
    raw_reply_clear(&reply);
}

/* --- Deadlines, under a clock that the test moves --- */

/* TVM-46: 408 for a head or body that does not come, silence for a connection that asks nothing. */
static void attack_31_slow_requests_time_out(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct sn_slice bytes;
        int after_s;
        int status; /* 0: closed without an answer */
    } rows[] = {
        {"nothing", SN_S_INIT(""), 15, 0},
        {"one byte", SN_S_INIT("G"), 5, 408},
        {"head without its end", SN_S_INIT("GET / HTTP/1.1\r\n" HOST), 5, 408},
        {"body without its end",
            SN_S_INIT("POST / HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                      "Content-Length: 3\r\n\r\n{"),
            10, 408},
    };
    struct fixture fixture;
    struct still_clock still;
    still_clock_init(&still);
    struct sn_listener_options options = plain_options(&fixture);
    options.clock = &still.clock;
    start_with(&fixture, &options);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct raw_reply reply = {0};
        print_message("# %s\n", rows[i].name);
        int fd = send_to(&fixture, rows[i].bytes);
        if (rows[i].bytes.len > 0) {
            wait_for_stat(&fixture, connections_reading, 1);
        } else {
            wait_for_stat(&fixture, connections_idle, 1);
        }
        still_clock_add_s(&still, rows[i].after_s - 1);
        assert_int_equal(recv(fd, &(char){0}, 1, MSG_DONTWAIT), -1); /* not yet */
        still_clock_add_s(&still, 1);
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, rows[i].status);
        assert_true(raw_is_closed(fd));
        raw_reply_clear(&reply);
        (void)close(fd);
        still_clock_add_s(&still, 60);
        wait_for_stat(&fixture, connections_reading, 0);
        assert_good_request_works(&fixture);
        still_clock_add_s(&still, 60);
        wait_for_stat(&fixture, connections_idle, 0);
    }
    stop(&fixture);
}

/* A kept-alive connection that asks nothing for 15 s is closed without a word. */
static void idle_connection_ends(void **state)
{
    (void)state;
    struct fixture fixture;
    struct still_clock still;
    still_clock_init(&still);
    struct sn_listener_options options = plain_options(&fixture);
    options.clock = &still.clock;
    start_with(&fixture, &options);
    int fd = send_to(&fixture, SN_S(GET("/")));
    assert_status(fd, 200);
    wait_for_stat(&fixture, connections_idle, 1);
    still_clock_add_s(&still, 15);
    assert_true(raw_is_closed(fd));
    (void)close(fd);
    stop(&fixture);
}

/* ATK-31: a peer that does not read its answer holds no worker, and loses its connection after 10 s. */
static void attack_31_peer_that_does_not_read(void **state)
{
    (void)state;
    struct fixture fixture;
    struct still_clock still;
    still_clock_init(&still);
    struct sn_listener_options options = plain_options(&fixture);
    options.clock = &still.clock;
    options.workers = 1;
    start_with(&fixture, &options);
    int fd = send_to(&fixture, SN_S(GET("/large")));
    wait_for_stat(&fixture, connections_busy, 1);
    wait_for_stat(&fixture, workers_busy, 0); /* the one worker is free again */
    assert_good_request_works(&fixture);
    still_clock_add_s(&still, 10);
    wait_for_stat(&fixture, connections_busy, 0);
    char bytes[4096];
    ssize_t count;
    while ((count = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
    }
    assert_int_equal(count, -1); /* a reset, not an end that looks well-formed */
    (void)close(fd);
    stop(&fixture);
}

/* A large answer reaches a peer that reads it late, and the connection goes on. */
static void large_answer_to_a_late_reader(void **state)
{
    (void)state;
    struct fixture fixture;
    struct raw_reply reply = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf wire = {0};
    start(&fixture);
    int fd = send_to(&fixture, SN_S(GET("/large")));
    wait_for_stat(&fixture, connections_busy, 1);
    wait_for_stat(&fixture, workers_busy, 0);
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.len, 5000000);
    assert_true(raw_send(fd, with_port(&wire, SN_S(GET("/")), fixture.port)));
    assert_status(fd, 200);
    raw_reply_clear(&reply);
    (void)close(fd);
    stop(&fixture);
}

/* A request that waits in the queue past its 30 s is answered, not forgotten. */
static void queued_request_times_out(void **state)
{
    (void)state;
    struct fixture fixture;
    struct still_clock still;
    still_clock_init(&still);
    struct sn_listener_options options = plain_options(&fixture);
    options.clock = &still.clock;
    options.workers = 1;
    start_with(&fixture, &options);
    int running = send_to(&fixture, SN_S(GET("/block")));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    int queued = send_to(&fixture, SN_S(GET("/")));
    wait_for_stat(&fixture, queued, 1);
    struct sn_listener_stats before, after;
    sn_listener_get_stats(fixture.listener, &before);
    still_clock_add_s(&still, 30);
    assert_status(queued, 504);
    sn_listener_get_stats(fixture.listener, &after);
    assert_true(after.last_progress_mono_ns == before.last_progress_mono_ns); /* every worker hangs: healthz sees it */
    sn_turns_give(&fixture.permits);
    assert_status(running, 200);
    assert_int_equal(atomic_load(&fixture.handled), 1);
    (void)close(queued);
    (void)close(running);
    stop(&fixture);
}

/* --- Too many --- */

static bool allow_descriptors(rlim_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < wanted) {
        return false;
    }
    limit.rlim_cur = limit.rlim_cur < wanted ? wanted : limit.rlim_cur;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* TVM-46 ATK-31: 1,100 peers drip single bytes; a good client is answered within 2 s all the same. */
static void attack_31_slow_loris_does_not_stop_others(void **state)
{
    (void)state;
    enum { SLOW = 1100 };
    static int slow[SLOW];
    const struct timeval two_seconds = {.tv_sec = 2};
    struct fixture fixture;
    if (!allow_descriptors(4096)) {
        skip();
    }
    start(&fixture);
    for (int i = 0; i < SLOW; i++) {
        slow[i] = raw_connect(fixture.port);
        assert_true(slow[i] >= 0);
    }
    struct sn_slice text = SN_S("GET /a");
    for (size_t k = 0; k < text.len; k++) {
        for (int i = 0; i < SLOW; i++) {
            (void)send(slow[i], text.ptr + k, 1, MSG_NOSIGNAL);
        }
        struct raw_reply reply = {0};
        int fd = send_to(&fixture, SN_S(GET("/")));
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &two_seconds, sizeof(two_seconds)), 0);
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, 200);
        raw_reply_clear(&reply);
        (void)close(fd);
    }
    struct sn_listener_stats stats;
    sn_listener_get_stats(fixture.listener, &stats);
    assert_true(stats.connections_idle + stats.connections_reading <= 1024);
    for (int i = 0; i < SLOW; i++) {
        (void)close(slow[i]);
    }
    stop(&fixture);
}

/* The longest idle connection makes room; then the oldest incomplete one; never one that is being served. */
static void eviction_order(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    options.max_connections = 3;
    start_with(&fixture, &options);
    int served = send_to(&fixture, SN_S(GET("/block")));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    int incomplete = send_to(&fixture, SN_S("GET /"));
    wait_for_stat(&fixture, connections_reading, 1);
    int idle = raw_connect(fixture.port);
    wait_for_stat(&fixture, connections_idle, 1);

    int first = send_to(&fixture, SN_S(GET("/block")));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    assert_true(raw_is_closed(idle));
    int second = send_to(&fixture, SN_S(GET("/block")));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    assert_true(raw_is_closed(incomplete));

    /* All three are being served: one more is told so. */
    struct raw_reply reply = {0};
    int refused = send_to(&fixture, SN_S(GET("/")));
    raw_read_reply(refused, false, &reply);
    assert_int_equal(reply.status, 503);
    assert_true(sn_slice_contains(sn_buf_slice(&reply.body), SN_S("\"OVERLOADED\"")));
    assert_slice_equal(raw_header(&reply, "retry-after"), "1");
    raw_reply_clear(&reply);
    for (int i = 0; i < 3; i++) {
        sn_turns_give(&fixture.permits);
    }
    const int answered[] = {served, first, second};
    for (size_t i = 0; i < SN_LEN(answered); i++) {
        assert_status(answered[i], 200);
        (void)close(answered[i]);
    }
    (void)close(idle);
    (void)close(incomplete);
    (void)close(refused);
    stop(&fixture);
}

static void full_queue_is_503(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    options.workers = 1;
    options.queue_limit = 1;
    start_with(&fixture, &options);
    int running = send_to(&fixture, SN_S(GET("/block")));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    int queued = send_to(&fixture, SN_S(GET("/")));
    wait_for_stat(&fixture, queued, 1);
    int refused = send_to(&fixture, SN_S(GET("/")));
    assert_status(refused, 503);
    sn_turns_give(&fixture.permits);
    assert_status(running, 200);
    assert_status(queued, 200);
    (void)close(running);
    (void)close(queued);
    (void)close(refused);
    stop(&fixture);
}

/* Requests at the gate hold no worker, and one leaves it early when it says so. */
static void gate_lets_a_few_through(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    options.workers = 2;
    options.gate_limit = 1;
    start_with(&fixture, &options);
    int first = send_to(&fixture, SN_S(GET("/gated")));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    int second = send_to(&fixture, SN_S(GET("/gated-early")));
    wait_for_stat(&fixture, queued, 1);
    assert_good_request_works(&fixture); /* the second worker is free */
    sn_turns_give(&fixture.permits);
    assert_status(first, 200);
    assert_int_equal(sem_wait(&fixture.entered), 0); /* now the second, which leaves the gate at once */
    int third = send_to(&fixture, SN_S(GET("/gated")));
    assert_int_equal(sem_wait(&fixture.entered), 0); /* while the second still runs */
    sn_turns_give(&fixture.permits);
    sn_turns_give(&fixture.permits);
    assert_status(second, 200);
    assert_status(third, 200);
    (void)close(first);
    (void)close(second);
    (void)close(third);
    stop(&fixture);
}

/* An address of this machine that is not loopback; false when there is none. */
static bool find_outer_address(struct in_addr *out_address)
{
    struct ifaddrs *all = NULL;
    bool is_found = false;
    if (getifaddrs(&all) != 0) {
        return false;
    }
    for (struct ifaddrs *one = all; one != NULL && !is_found; one = one->ifa_next) {
        if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET && (one->ifa_flags & IFF_LOOPBACK) == 0) {
            struct sockaddr_in v4;
            memcpy(&v4, one->ifa_addr, sizeof(v4));
            *out_address = v4.sin_addr;
            is_found = true;
        }
    }
    freeifaddrs(all);
    return is_found;
}

/* ATK-31: off loopback one address holds at most 64 connections. */
static void attack_31_one_address_cannot_take_all(void **state)
{
    (void)state;
    enum { TRIED = 80 };
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct fixture fixture;
    int fds[TRIED];
    if (!find_outer_address(&address.sin_addr)) {
        skip();
    }
    struct sn_listener_options options = plain_options(&fixture);
    options.addresses[0] = (struct sn_listener_address){.text = "0.0.0.0:0", .is_metrics = true};
    start_with(&fixture, &options);
    address.sin_port = htons(fixture.port);
    for (int i = 0; i < TRIED; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[i], (const struct sockaddr *)&address, sizeof(address)), 0);
    }
    assert_true(raw_is_closed(fds[TRIED - 64 - 1])); /* the oldest gave way */
    wait_for_stat(&fixture, connections_idle, 64);
    assert_good_request_works(&fixture); /* loopback is not counted */
    for (int i = 0; i < TRIED; i++) {
        (void)close(fds[i]);
    }
    stop(&fixture);
}

/* --- Drain --- */

struct load {
    struct fixture *fixture;
    pthread_t thread;
    unsigned answered;
    bool failed;
};

/* One kept-alive connection that asks without pause until an answer says that it was the last. */
static void *load_main(void *ctx)
{
    struct load *load = ctx;
    struct raw_reply reply = {0};
    struct sn_buf wire = {0};
    struct sn_slice request = with_port(&wire, SN_S(GET("/")), load->fixture->port);
    int fd = raw_connect(load->fixture->port);
    for (;;) {
        if (!raw_send(fd, request)) {
            load->failed = true;
            break;
        }
        raw_read_reply(fd, false, &reply);
        if (reply.status != 200) {
            load->failed = true;
            break;
        }
        load->answered++;
        if (raw_header(&reply, "connection").len > 0) {
            if (load->answered % 1000 != 0) {
                break;
            }
            (void)close(fd);
            fd = raw_connect(load->fixture->port);
            if (fd < 0) {
                break; /* not accepted */
            }
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    raw_reply_clear(&reply);
    sn_buf_clear(&wire);
    return NULL;
}

/* TVM-48: no accepted request fails, nothing new is accepted, and the metrics address goes on. */
static void drain_under_load(void **state)
{
    (void)state;
    enum { CLIENTS = 6 };
    struct load loads[CLIENTS] = {0};
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    options.addresses[1] = (struct sn_listener_address){.text = "127.0.0.1:0", .is_metrics = true};
    options.address_count = 2;
    start_with(&fixture, &options);
    for (int i = 0; i < CLIENTS; i++) {
        loads[i].fixture = &fixture;
        assert_int_equal(pthread_create(&loads[i].thread, NULL, load_main, &loads[i]), 0);
    }
    while (atomic_load(&fixture.handled) < 500) {
        (void)poll(NULL, 0, 1);
    }
    sn_listener_begin_drain(fixture.listener);
    assert_true(sn_listener_wait_drained(fixture.listener, 20000));
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(loads[i].thread, NULL), 0);
        assert_false(loads[i].failed);
        assert_true(loads[i].answered > 0);
    }
    assert_int_equal(raw_connect(fixture.port), -1);
    fixture.port = sn_listener_port(fixture.listener, 1);
    assert_good_request_works(&fixture);
    stop(&fixture);
}

/* TVM-48: a request that hangs is not drained; what is cut is a reset, never a short answer. */
static void drain_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    int fd = send_to(&fixture, SN_S(GET("/block")));
    int slow = send_to(&fixture, SN_S("GET /"));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    sn_listener_begin_drain(fixture.listener);
    assert_false(sn_listener_wait_drained(fixture.listener, 300));
    sn_turns_give(&fixture.permits);
    struct raw_reply reply = {0};
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_slice_equal(raw_header(&reply, "connection"), "close"); /* the client learns that it was the last */
    raw_reply_clear(&reply);
    assert_true(raw_is_closed(fd));
    /* Only half a request is left: that is nothing that was accepted. */
    assert_true(sn_listener_wait_drained(fixture.listener, 300));
    (void)close(fd);
    (void)close(slow);
    stop(&fixture);
}

static void *permit_later(void *ctx)
{
    struct fixture *fixture = ctx;
    (void)poll(NULL, 0, 50);
    sn_turns_give(&fixture->permits);
    return NULL;
}

static void freeing_cuts_with_a_reset(void **state)
{
    (void)state;
    struct fixture fixture;
    pthread_t thread;
    char byte;
    start(&fixture);
    int fd = send_to(&fixture, SN_S(GET("/block")));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    assert_int_equal(pthread_create(&thread, NULL, permit_later, &fixture), 0);
    stop(&fixture);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    (void)close(fd);
}

/* --- Addresses --- */

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code; /* NULL: works */
    } rows[] = {
        {"127.0.0.1:0", NULL},
        {"127.1.2.3:0", NULL},
        {"[::1]:0", NULL},
        {"0.0.0.0:0", "LISTEN_ADDRESS"}, /* plain text off loopback */
        {"[::]:0", "LISTEN_ADDRESS"},
        {"192.0.2.1:0", "LISTEN_ADDRESS"},
        {"localhost:0", "LISTEN_ADDRESS"},
        {"127.0.0.1", "LISTEN_ADDRESS"},
        {"127.0.0.1:", "LISTEN_ADDRESS"},
        {"127.0.0.1:65536", "LISTEN_ADDRESS"},
        {"127.0.0.1:-1", "LISTEN_ADDRESS"},
        {"::1:80", "LISTEN_ADDRESS"},
        {"[127.0.0.1]:0", "LISTEN_ADDRESS"},
        {"[::1:0", "LISTEN_ADDRESS"},
        {"", "LISTEN_ADDRESS"},
        {"unix:relative", "LISTEN_ADDRESS"},
        {"unix:/tmp/x/", "LISTEN_ADDRESS"},
        {"unix:/nowhere/at/all.sock", "LISTEN_SOCKET"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        struct sn_listener *listener = NULL;
        struct sn_listener_options options = {.address_count = 1, .handle = handle};
        options.addresses[0].text = rows[i].text;
        print_message("# '%s'\n", rows[i].text);
        if (rows[i].code == NULL) {
            assert_ok(sn_listener_new(&options, &listener, &err), &err);
            assert_true(sn_listener_port(listener, 0) > 0);
        } else {
            assert_fails(sn_listener_new(&options, &listener, &err), &err, rows[i].code);
            assert_null(listener);
        }
        sn_listener_free(listener);
    }
}

static void address_in_use(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_error err;
    struct sn_listener *second = NULL;
    char text[32];
    start(&fixture);
    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", fixture.port);
    struct sn_listener_options options = plain_options(&fixture);
    options.addresses[0].text = text;
    assert_fails(sn_listener_new(&options, &second, &err), &err, "LISTEN_IN_USE");
    assert_good_request_works(&fixture);
    stop(&fixture);
}

/* A socket that somebody else bound, as systemd hands it over. */
static void inherited_descriptor(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_error err;
    struct sn_listener *refused = NULL;
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    struct sn_listener_options options = plain_options(&fixture);
    options.inherited_fds_first = fd;
    options.inherited_fds_count = 1;
    assert_fails(sn_listener_new(&options, &refused, &err), &err, "LISTEN_ADDRESS"); /* it does not listen */
    assert_int_equal(listen(fd, 5), 0);
    start_with(&fixture, &options);
    assert_true(fixture.port > 0);
    assert_good_request_works(&fixture);
    stop(&fixture);
}

/* --- Unix sockets --- */

static void make_stale(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct sn_slice text = sn_slice_str(path);
    memcpy(address.sun_path, text.ptr, text.len);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
}

static void assert_unix_works(const char *path)
{
    int fd = raw_connect_unix(path);
    assert_true(fd >= 0);
    assert_true(raw_send(fd, SN_S("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")));
    assert_status(fd, 200);
    (void)close(fd);
    fd = raw_connect_unix(path);
    assert_true(raw_send(fd, SN_S("GET / HTTP/1.1\r\nHost: tvm.example\r\n\r\n")));
    assert_status(fd, 421);
    (void)close(fd);
}

/* TVM-49: mode as set, a stale socket replaced, a live one or a file not, gone after stop. */
static void unix_socket_rules(void **state)
{
    (void)state;
    char directory[] = "/tmp/sn-listener-XXXXXX", path[64], text[80];
    struct fixture fixture;
    struct sn_error err;
    struct sn_listener *second = NULL;
    struct stat info;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof(path), "%s/s.sock", directory);
    (void)snprintf(text, sizeof(text), "unix:%s", path);
    struct sn_listener_options options = plain_options(&fixture);
    options.addresses[0].text = text;

    static const struct {
        unsigned mode, expected;
    } modes[] = {{0, 0660}, {0600, 0600}, {0666, 0666}};
    for (size_t i = 0; i < SN_LEN(modes); i++) {
        options.unix_mode = modes[i].mode;
        make_stale(path);
        mode_t mask = umask(0);
        (void)umask(mask);
        start_with(&fixture, &options);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 07777, modes[i].expected);
        mode_t mask_after = umask(mask);
        assert_int_equal(mask_after, mask);
        assert_unix_works(path);
        assert_fails(sn_listener_new(&options, &second, &err), &err, "LISTEN_IN_USE");
        assert_unix_works(path);
        stop(&fixture);
        assert_int_equal(lstat(path, &info), -1);
    }

    /* Drain unlinks at once. */
    start_with(&fixture, &options);
    sn_listener_begin_drain(fixture.listener);
    assert_true(sn_listener_wait_drained(fixture.listener, 10000));
    assert_int_equal(lstat(path, &info), -1);
    stop(&fixture);

    /* What has taken its place since is not removed. */
    start_with(&fixture, &options);
    assert_int_equal(unlink(path), 0);
    assert_ok(sn_fs_write_new(path, 0600, SN_S("x"), &err), &err);
    stop(&fixture);
    assert_int_equal(lstat(path, &info), 0);

    /* A regular file, and a link, stay what they are. */
    assert_fails(sn_listener_new(&options, &second, &err), &err, "LISTEN_SOCKET");
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/nowhere", path), 0);
    assert_fails(sn_listener_new(&options, &second, &err), &err, "LISTEN_SOCKET");
    assert_int_equal(unlink(path), 0);

    /* A directory that others can write to. */
    assert_int_equal(chmod(directory, 0777), 0);
    assert_fails(sn_listener_new(&options, &second, &err), &err, "LISTEN_SOCKET");
    assert_int_equal(chmod(directory, 01777), 0);
    assert_fails(sn_listener_new(&options, &second, &err), &err, "LISTEN_SOCKET");
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_31_slow_requests_time_out),
        cmocka_unit_test(idle_connection_ends),
        cmocka_unit_test(attack_31_peer_that_does_not_read),
        cmocka_unit_test(large_answer_to_a_late_reader),
        cmocka_unit_test(queued_request_times_out),
        cmocka_unit_test(attack_31_slow_loris_does_not_stop_others),
        cmocka_unit_test(eviction_order),
        cmocka_unit_test(full_queue_is_503),
        cmocka_unit_test(gate_lets_a_few_through),
        cmocka_unit_test(attack_31_one_address_cannot_take_all),
        cmocka_unit_test(drain_under_load),
        cmocka_unit_test(drain_does_not_wait_for_ever),
        cmocka_unit_test(freeing_cuts_with_a_reset),
        cmocka_unit_test(addresses),
        cmocka_unit_test(address_in_use),
        cmocka_unit_test(inherited_descriptor),
        cmocka_unit_test(unix_socket_rules),
    };
    int failed = cmocka_run_group_tests_name("net/listener_life", tests, NULL, NULL);
    worker_threads = 2;
    return failed + cmocka_run_group_tests_name("net/listener_life, workers are tasks", tests, NULL, NULL);
}
