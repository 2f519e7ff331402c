/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/scripted_transport.h - a network that answers from a list, and a clock that only waits move.
 *
 * What was sent is kept as text, so a test can look for what must or must not be in it.
 */
#ifndef SN_TESTS_SUPPORT_SCRIPTED_TRANSPORT_H
#define SN_TESTS_SUPPORT_SCRIPTED_TRANSPORT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "aws/transport.h"
#include "base/clock.h"

enum { SCRIPT_MAX_CALLS = 48 };

struct scripted_reply {
    enum sn_status status; /* SN_OK: an answer */
    const char *error_code;
    int http_status;
    const char *content_type;
    const char *body;
    const char *extra_header; /* "Name: value" or NULL */
    int takes_ms;
};

struct script {
    const struct scripted_reply *replies; /* the last one repeats */
    size_t reply_count;
    size_t calls;
    int waited_ms[SCRIPT_MAX_CALLS];
    size_t waits;
    int timeout_ms[SCRIPT_MAX_CALLS];
    struct sn_buf sent[SCRIPT_MAX_CALLS]; /* "METHOD URL\nName: value\n...\n\nbody" */
    int64_t now_ns;
    int64_t mono_ns;
};

static inline enum sn_status script_send(
    void *ctx, const struct sn_http_call *call, struct sn_http_reply *out_reply, struct sn_error *err)
{
    struct script *s = ctx;
    size_t index = s->calls < s->reply_count ? s->calls : s->reply_count - 1;
    const struct scripted_reply *reply = &s->replies[index];

    SN_ASSERT(s->calls < SCRIPT_MAX_CALLS);
    struct sn_buf *sent = &s->sent[s->calls];
    sn_buf_addf(sent, "%s %s\n", call->method, call->url);
    for (size_t i = 0; i < call->header_count; i++) {
        sn_buf_addf(sent, "%s: %.*s\n", call->headers[i].name, SN_PRI(call->headers[i].value));
    }
    sn_buf_add_str(sent, "\n");
    sn_buf_add(sent, call->body);
    s->timeout_ms[s->calls] = call->total_timeout_ms;
    s->calls++;
    if (reply->takes_ms > 0) { /* several threads may read the clock */
        s->mono_ns += (int64_t)reply->takes_ms * 1000000;
        s->now_ns += (int64_t)reply->takes_ms * 1000000;
    }
    if (reply->status != SN_OK) {
        (void)sn_fail(err, reply->status, reply->error_code, "scripted fault");
        return reply->status;
    }
    out_reply->status = reply->http_status;
    sn_buf_addf(&out_reply->headers, "Content-Type: %s\n", reply->content_type);
    if (reply->extra_header != NULL) {
        sn_buf_addf(&out_reply->headers, "%s\n", reply->extra_header);
    }
    sn_buf_add_str(&out_reply->body, reply->body);
    return SN_OK;
}

static inline void script_wait_ms(void *ctx, int ms)
{
    struct script *s = ctx;

    s->waited_ms[s->waits++] = ms;
    s->mono_ns += (int64_t)ms * 1000000;
    s->now_ns += (int64_t)ms * 1000000;
}

static inline int64_t script_unix_ns(void *ctx)
{
    return ((const struct script *)ctx)->now_ns;
}

static inline int64_t script_mono_ns(void *ctx)
{
    return ((const struct script *)ctx)->mono_ns;
}

static inline struct sn_transport script_transport(struct script *s)
{
    return (struct sn_transport){.send = script_send, .wait_ms = script_wait_ms, .ctx = s};
}

static inline struct sn_clock script_clock(struct script *s)
{
    return (struct sn_clock){.unix_ns = script_unix_ns, .mono_ns = script_mono_ns, .ctx = s};
}

static inline void script_clear(struct script *s)
{
    for (size_t i = 0; i < SCRIPT_MAX_CALLS; i++) {
        sn_buf_clear(&s->sent[i]);
    }
}

#endif
