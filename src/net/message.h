/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/message.h - an HTTP request and an HTTP answer, whatever carried them.
 *
 * The listener, the Lambda loop and tests fill a struct sn_request; a handler fills a struct sn_response. All slices of
 * a request are borrowed from its carrier and live until the handler returns.
 */
#ifndef SN_NET_MESSAGE_H
#define SN_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/slice.h"

enum sn_method { SN_METHOD_GET, SN_METHOD_POST, SN_METHOD_OTHER };

struct sn_header {
    struct sn_slice name; /* as received; compared without regard to ASCII case */
    struct sn_slice value;
};

enum { SN_REQUEST_MAX_HEADERS = 64, SN_RESPONSE_MAX_HEADERS = 16 };

/* Where a request came from, as the kernel tells it. */
struct sn_peer {
    bool is_unix;
    bool is_loopback; /* an address of 127.0.0.0/8 or ::1, or a Unix socket */
    char address[48]; /* text of the address without port; "unix" */
    uint16_t port;    /* of the peer; 0 for unix */
    uint16_t local_port;
    uid_t uid;              /* of a Unix peer (SO_PEERCRED); (uid_t)-1 otherwise */
    pid_t pid;              /* likewise; 0 otherwise */
    int fd;                 /* the connection, for a handler that must ask more; -1 if none */
    uint64_t connection_id; /* unique in the process: tickets are bound to it */
    bool is_tls;
};

/* Identity as API Gateway or a Function URL vouches for it (requestContext.authorizer.iam). Lambda only. */
struct sn_iam_context {
    struct sn_slice account_id, user_arn, user_id, access_key, principal_org_id;
};

struct sn_request {
    enum sn_method method;
    struct sn_slice method_text;
    struct sn_slice path;  /* undecoded, up to '?' */
    struct sn_slice query; /* undecoded, behind '?'; empty if none */
    struct sn_slice body;
    struct sn_header headers[SN_REQUEST_MAX_HEADERS];
    size_t header_count;
    struct sn_peer peer;
    const struct sn_iam_context *iam;   /* NULL unless a gateway authenticated the caller */
    struct sn_slice gateway_request_id; /* Lambda: API Gateway's own id */
    int64_t deadline_mono_ns;           /* give up by then (sn_clock.mono_ns); 0: none */
    bool is_metrics_listener;
    void (*release_gate)(void *ctx); /* see net/listener.h; NULL if none */
    void *release_ctx;
};

struct sn_response {
    int status;
    struct sn_buf body;
    const char *content_type; /* NULL: application/json; charset=utf-8 */
    struct {
        char name[40];
        char value[200];
    } headers[SN_RESPONSE_MAX_HEADERS];
    size_t header_count;
    bool close; /* end the connection behind this answer */
};

/* Answers one request. Called by several threads at once. Never fails: an error is an answer. */
typedef void (*sn_handler_fn)(void *ctx, const struct sn_request *request, struct sn_response *response);

/* Value of the first header of that name (any case), or NULL. */
const struct sn_slice *sn_request_header(const struct sn_request *request, const char *name);
size_t sn_request_header_count(const struct sn_request *request, const char *name);
/* Header names and values are ours; what does not fit or holds a control byte is asserted. */
void sn_response_header(struct sn_response *response, const char *name, const char *format, ...) SN_PRINTF(3, 4);
const char *sn_response_find_header(const struct sn_response *response, const char *name);
void sn_response_clear(struct sn_response *response);
const char *sn_http_reason(int status);

#endif
