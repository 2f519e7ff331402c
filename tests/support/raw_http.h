/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/raw_http.h - bytes over a real socket, and the answer read back; for tests of both HTTP sides.
 *
 * Every wait has a limit (RAW_TIMEOUT_S), after which a call reports failure instead of hanging.
 */
#ifndef SN_TESTS_SUPPORT_RAW_HTTP_H
#define SN_TESTS_SUPPORT_RAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { RAW_TIMEOUT_S = 20 };

struct raw_reply {
    int status;         /* 0: the connection ended without an answer; -1: not HTTP */
    struct sn_buf head; /* status line and headers */
    struct sn_buf body;
};
void raw_reply_clear(struct raw_reply *reply);

/* Connected sockets, or -1. */
int raw_connect(uint16_t port);
int raw_connect_unix(const char *path);
/* False when the peer does not take the bytes. */
bool raw_send(int fd, struct sn_slice bytes);
/* Reads one answer with Content-Length. without_body: to a HEAD request. */
void raw_read_reply(int fd, bool without_body, struct raw_reply *out_reply);
/* Value of a header of the answer, or empty. */
struct sn_slice raw_header(const struct raw_reply *reply, const char *name);
/* True once the peer has closed (also by a reset); false when bytes come or time is out. */
bool raw_is_closed(int fd);

/*
 * A scripted server for one test: listens on a loopback port, and for each connection in turn reads a whole request
 * (head and Content-Length body) for each of its answers, sends the bytes of the answer, and closes behind the last
 * one.
 */
struct raw_answer {
    struct sn_slice bytes;
    bool close_before; /* take the request, close, send nothing */
    bool close_after;
    bool hold;          /* keep the connection open without a word until the server stops */
    bool refuse_before; /* close on accept, before reading */
};
struct raw_server;
struct raw_server *raw_server_start(const struct raw_answer *answers, size_t count);
uint16_t raw_server_port(const struct raw_server *server);
/* Ends the thread and returns all requests it read, one behind the other, and how many connections it took. */
void raw_server_stop(struct raw_server *server, struct sn_buf *out_requests, size_t *out_connections);

#endif
