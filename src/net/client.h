/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/client.h - HTTP requests to others (the only caller of libcurl).
 *
 * Transport only: no redirects, no cookies, no proxies for loopback, path and headers sent exactly as given, TLS
 * verified, time and size limits always set. A client is used by one thread or task at a time and keeps its connections
 * warm; those of tasks are kept by their thread.
 */
#ifndef SN_NET_CLIENT_H
#define SN_NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

struct sn_http_client;

struct sn_http_client_options {
    const char *ca_file;    /* NULL: the system's bundle */
    const char *user_agent; /* NULL: "sentinel/<version>" */
};

enum { SN_HTTP_MAX_HEADERS = 32 };

struct sn_http_call {
    const char *method;      /* "GET", "POST" */
    const char *url;         /* scheme, authority, path and query, sent as they stand */
    const char *unix_socket; /* connect there instead; NULL: no */
    struct {
        const char *name;
        struct sn_slice value;
    } headers[SN_HTTP_MAX_HEADERS];
    size_t header_count;
    struct sn_slice body;
    int connect_timeout_ms, total_timeout_ms; /* 0: 2,000 and 10,000; total -1: no limit (Lambda's next) */
    size_t max_body;                          /* 0: 1 MiB */
};

struct sn_http_reply {
    int status;
    struct sn_buf headers; /* "Name: value\n" lines */
    struct sn_buf body;
};

SN_MUST_CHECK enum sn_status sn_http_client_new(
    const struct sn_http_client_options *options, struct sn_http_client **out_client, struct sn_error *err);
void sn_http_client_free(struct sn_http_client *client);
/*
 * Any HTTP status is SN_OK. Failures: SN_TIMEOUT (HTTP_TIMEOUT), SN_UNAVAILABLE (HTTP_CONNECT, HTTP_TLS, HTTP_RESOLVE,
 * HTTP_CUT: retryable), SN_LIMIT (HTTP_TOO_LARGE), SN_PROTOCOL (HTTP_PROTOCOL), SN_INVALID (HTTP_URL, HTTP_HEADER: the
 * call itself is wrong). out_reply is zeroed or an earlier reply, whose memory is released.
 */
SN_MUST_CHECK enum sn_status sn_http_client_do(struct sn_http_client *client, const struct sn_http_call *call,
    struct sn_http_reply *out_reply, struct sn_error *err);
void sn_http_call_header(struct sn_http_call *call, const char *name, struct sn_slice value);
struct sn_slice sn_http_reply_header(const struct sn_http_reply *reply, const char *name);
void sn_http_reply_clear(struct sn_http_reply *reply);

#endif
