/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the look-up of a connection's owner: the kernel's tables as text, and real processes on real sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/peer.h"

/* Lines as a kernel printed them (proc(5)): 127.0.0.1:8080 is 0100007F:1F90 on a little-endian machine. */
#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define LISTEN                                                                                                         \
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11111 1 0 100 0\n"
#define SERVER                                                                                                         \
    "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 22222 1 0 20 4\n"
#define CLIENT                                                                                                         \
    "   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 33333 1 0 20 4\n"
#define CLOSED "   2: 0100007F:C350 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0\n"
#define NO_INODE "   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 0 1 0\n"
#define ELSEWHERE                                                                                                      \
    "   2: 0100007F:C350 0200007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 33333 1 0\n"
#define MAPPED                                                                                                         \
    "   3: 0000000000000000FFFF00000100007F:C350 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 "          \
    "00:00000000 00000000  1002        0 44444 1 0 20\n"

static void finds_the_client_end(void **state)
{
    static const struct {
        const char *name, *table;
        bool found;
        uid_t uid;
        uint64_t inode;
    } rows[] = {
        {"client end, not server end", HEAD LISTEN SERVER CLIENT, true, 1001, 33333},
        {"dual-stack socket", HEAD MAPPED, true, 1002, 44444},
        {"absent", HEAD LISTEN SERVER, false, 0, 0},
        {"closing", HEAD CLOSED, false, 0, 0},
        {"orphaned by its process", HEAD NO_INODE, false, 0, 0},
        {"other address", HEAD ELSEWHERE, false, 0, 0},
        {"twice", HEAD CLIENT CLIENT, false, 0, 0},
        {"empty", "", false, 0, 0},
        {"cut short", HEAD "   2: 0100007F:C350 0100007F:1F90 01 0000", false, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_peer_socket found = {0};
        print_message("# %s\n", rows[i].name);
        assert_int_equal(sn_proc_net_find(sn_slice_str(rows[i].table), 50000, 8080, &found), rows[i].found);
        if (rows[i].found) {
            assert_int_equal(found.uid, rows[i].uid);
            assert_int_equal(found.inode, rows[i].inode);
        }
    }
}

static void reads_the_parent(void **state)
{
    static const struct {
        const char *stat;
        bool ok;
        pid_t parent;
    } rows[] = {
        {"12 (sh) S 7 12 12 0", true, 7},
        {"12 (a) S 99 (b) S 7 12", true, 7}, /* a name made to look like the end of the name */
        {"12 (sh)", false, 0},
        {"12 (sh) S x 1", false, 0},
        {"", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        pid_t parent = 0;
        assert_int_equal(sn_proc_stat_parent(sn_slice_str(rows[i].stat), &parent), rows[i].ok);
        assert_int_equal(parent, rows[i].parent);
    }
}

struct server {
    int fd;
    uint16_t port;
};

static struct server listen_anywhere(void)
{
    struct server s = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);

    assert_true(s.fd >= 0);
    assert_int_equal(bind(s.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(s.fd, 8), 0);
    assert_int_equal(getsockname(s.fd, (struct sockaddr *)&address, &len), 0);
    s.port = ntohs(address.sin_port);
    return s;
}

/* Connects, over a dual-stack socket if asked; never returns. */
static void be_client(uint16_t port, bool mapped)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(mapped ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (connect(fd, mapped ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, mapped ? sizeof(v6) : sizeof(v4)) != 0) {
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

/* Accepts one connection and tells the client's port. */
static uint16_t accept_port(const struct server *s, int *out_fd)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);

    *out_fd = accept4(s->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
    assert_true(*out_fd >= 0);
    return ntohs(peer.sin_port);
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* A tree: "inside" forks the client; "outside" is the test's own child and no descendant of "inside". */
static void real_processes(void **state)
{
    struct server s = listen_anywhere();
    struct sn_error err;
    int fd;
    (void)state;

    pid_t inside = fork();
    if (inside == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fork() == 0) {
            be_client(s.port, false);
        }
        for (;;) {
            pause();
        }
    }
    uint16_t port = accept_port(&s, &fd);
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid(), inside, &err), SN_OK);
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid(), getpid(), &err), SN_OK);
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid() + 1, inside, &err), SN_DENIED);
    assert_string_equal(err.message, "the connection belongs to another user");
    assert_int_equal(sn_peer_check_tcp(port, (uint16_t)(s.port + 1), getuid(), inside, &err), SN_DENIED);
    close(fd);

    pid_t outside = fork();
    if (outside == 0) {
        be_client(s.port, false);
    }
    port = accept_port(&s, &fd);
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid(), inside, &err), SN_DENIED);
    assert_string_equal(err.message, "a process outside the started command holds the connection");
    close(fd);
    end(outside);
    end(inside);
    close(s.fd);
}

static void dual_stack_client(void **state)
{
    struct server s = listen_anywhere();
    struct sn_error err = {0};
    int fd;
    (void)state;

    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    if (probe < 0) {
        close(s.fd);
        skip(); /* no IPv6 in this kernel */
    }
    close(probe);
    pid_t child = fork();
    if (child == 0) {
        be_client(s.port, true);
    }
    uint16_t port = accept_port(&s, &fd);
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid(), getpid(), &err), SN_OK);
    close(fd);
    end(child);
    close(s.fd);
}

/* A socket that a process inside and one outside hold together is refused. */
static void shared_socket(void **state)
{
    struct server s = listen_anywhere();
    struct sn_error err;
    int fd;
    int ready[2];
    pid_t inside;
    (void)state;

    assert_int_equal(pipe(ready), 0);
    pid_t holder = fork(); /* connects, then forks "inside", which keeps the socket too */
    if (holder == 0) {
        struct sockaddr_in v4 = {
            .sin_family = AF_INET, .sin_port = htons(s.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int mine = socket(AF_INET, SOCK_STREAM, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (connect(mine, (struct sockaddr *)&v4, sizeof(v4)) != 0) {
            _exit(1);
        }
        pid_t parent = fork();
        if (parent == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (fork() == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                pid_t top = getppid();
                if (write(ready[1], &top, sizeof(top)) != (ssize_t)sizeof(top)) {
                    _exit(1);
                }
            }
        }
        for (;;) {
            pause();
        }
    }
    uint16_t port = accept_port(&s, &fd);
    assert_int_equal(read(ready[0], &inside, sizeof(inside)), (int)sizeof(inside));
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid(), holder, &err), SN_DENIED);
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid(), inside, &err), SN_DENIED);
    assert_int_equal(sn_peer_check_tcp(port, s.port, getuid(), getpid(), &err), SN_OK);
    close(fd);
    end(holder);
    close(ready[0]);
    close(ready[1]);
    close(s.fd);
}

static void unix_peer(void **state)
{
    int pair[2];
    struct sn_error err;
    (void)state;

    /* The peer of a socket pair is this process: it descends from its parent, not from itself or a child. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(sn_peer_check_unix(pair[0], getuid(), getppid(), &err), SN_OK);
    assert_int_equal(sn_peer_check_unix(pair[0], getuid() + 1, getppid(), &err), SN_DENIED);
    assert_int_equal(sn_peer_check_unix(pair[0], getuid(), getpid(), &err), SN_DENIED);
    assert_int_equal(sn_peer_check_unix(-1, getuid(), getppid(), &err), SN_DENIED);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_client_end),
        cmocka_unit_test(reads_the_parent),
        cmocka_unit_test(real_processes),
        cmocka_unit_test(dual_stack_client),
        cmocka_unit_test(shared_socket),
        cmocka_unit_test(unix_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
