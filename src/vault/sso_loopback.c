/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_loopback.c - takes one redirect.
 */
#include "vault/sso_loopback.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "aws/sso_answer.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/log.h"
#include "codec/uri.h"
#include "net/listener.h"

enum { WORKERS = 2, MAX_CONNECTIONS = 16, MAX_PARAMS = 16, DRAIN_MS = 1000, REASON_CHARS = 160, AUTHORITY_MAX = 24 };

struct sn_sso_loopback {
    struct sn_listener *listener;
    struct sn_slice state;
    char uri[SN_SSO_REDIRECT_MAX], authority[AUTHORITY_MAX];
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t news;
    bool answered;
    struct sn_secret code; /* absent: declined, for the reason below */
    struct sn_buf reason;
};

static void page(struct sn_response *response, int status, const char *text)
{
    response->status = status;
    response->content_type = "text/html; charset=utf-8";
    sn_response_header(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    sn_response_header(response, "Cache-Control", "no-store");
    sn_response_header(response, "Referrer-Policy", "no-referrer");
    sn_buf_addf(&response->body,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sentinel</title></head>"
        "<body><p>%s</p></body></html>\n",
        text);
    response->close = true;
}

/* What a request says, if it is the one that was waited for. */
static bool read_answer(const struct sn_sso_loopback *l, const struct sn_request *request, struct sn_arena *arena,
    struct sn_slice *out_code, struct sn_slice *out_error)
{
    struct sn_query query;
    struct sn_error ignored;

    if (request->method != SN_METHOD_GET || !sn_slice_eq_str(request->path, "/oauth/callback") ||
        sn_query_parse(request->query, true, MAX_PARAMS, arena, &query, &ignored) != SN_OK) {
        return false;
    }
    const struct sn_slice *state = sn_query_find(&query, "state");
    const struct sn_slice *code = sn_query_find(&query, "code");
    const struct sn_slice *error = sn_query_find(&query, "error");
    if (state == NULL || !sn_slice_eq_const_time(*state, l->state) || (code == NULL) == (error == NULL) ||
        (code != NULL && !sn_sso_token_is_safe(*code))) {
        return false;
    }
    *out_code = code != NULL ? *code : (struct sn_slice){0};
    *out_error = error != NULL ? *error : (struct sn_slice){0};
    return true;
}

static void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct sn_sso_loopback *l = ctx;
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_slice code = {0};
    struct sn_slice error = {0};

    if (!read_answer(l, request, &arena, &code, &error)) {
        page(response, 400, "This is not the answer that was waited for.");
        return;
    }
    (void)pthread_mutex_lock(&l->lock);
    bool first = !l->answered;
    if (first) {
        l->answered = true;
        sn_sanitize(&l->reason, error, REASON_CHARS);
        if (code.len > 0) {
            sn_secret_set(&l->code, code);
        }
        (void)pthread_cond_broadcast(&l->news);
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (!first) {
        page(response, 400, "This sign-in has been answered already.");
    } else {
        page(response, 200,
            code.len > 0 ? "You are signed in and can close this window."
                         : "The sign-in was declined. You can close this window.");
    }
}

/* Under another name a page of another site could stand in front of this port (DNS rebinding). */
static bool accept_host(void *ctx, const struct sn_peer *peer, struct sn_slice host)
{
    const struct sn_sso_loopback *l = ctx;

    (void)peer;
    return sn_slice_eq_str(host, l->authority);
}

static void refuse(void *ctx, int status, const char *code, const char *message, struct sn_response *response)
{
    (void)ctx;
    (void)code;
    (void)message;
    page(response, status, "This request is refused.");
}

enum sn_status sn_sso_loopback_new(struct sn_slice state, struct sn_sso_loopback **out_loopback, struct sn_error *err)
{
    SN_AUTO(sn_sso_loopback_free_p) struct sn_sso_loopback *l = sn_alloc(1, sizeof(*l));
    pthread_condattr_t attributes;
    struct sn_listener_options options = {.addresses = {{.text = "127.0.0.1:0"}},
        .address_count = 1,
        .workers = WORKERS,
        .max_connections = MAX_CONNECTIONS,
        .allow_percent_path = true, /* codes are longer than parameters elsewhere; the path is compared as it is */
        .handle = handle,
        .refuse = refuse,
        .host = accept_host,
        .ctx = l};

    l->state = state;
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&l->news, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    SN_TRY(sn_listener_new(&options, &l->listener, err));
    (void)snprintf(l->authority, sizeof(l->authority), "127.0.0.1:%u", (unsigned)sn_listener_port(l->listener, 0));
    (void)snprintf(l->uri, sizeof(l->uri), "http://%s/oauth/callback", l->authority);
    SN_TRY(sn_listener_start(l->listener, err));
    *out_loopback = SN_TAKE(l);
    return SN_OK;
}

void sn_sso_loopback_free(struct sn_sso_loopback *l)
{
    if (l == NULL) {
        return;
    }
    if (l->listener != NULL) {
        sn_listener_begin_drain(l->listener);
        (void)sn_listener_wait_drained(l->listener, DRAIN_MS); /* the browser gets its page */
        sn_listener_free(l->listener);
    }
    (void)pthread_cond_destroy(&l->news);
    (void)pthread_mutex_destroy(&l->lock);
    sn_secret_clear(&l->code);
    sn_buf_clear(&l->reason);
    sn_free(l);
}

void sn_sso_loopback_free_p(struct sn_sso_loopback **loopback)
{
    sn_sso_loopback_free(*loopback);
    *loopback = NULL;
}

const char *sn_sso_loopback_uri(const struct sn_sso_loopback *loopback)
{
    return loopback->uri;
}

enum sn_status sn_sso_loopback_wait(
    struct sn_sso_loopback *l, int64_t timeout_ms, struct sn_secret *out_code, struct sn_error *err)
{
    struct timespec until;
    enum sn_status status = SN_OK;
    int waited = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&l->lock);
    while (!l->answered && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&l->news, &l->lock, &until);
    }
    if (!l->answered) {
        status = sn_fail(err, SN_TIMEOUT, "SSO_LOGIN_TIMEOUT", "the sign-in was not finished in time");
    } else if (!sn_secret_is_set(&l->code)) {
        bool declined = sn_slice_eq_str(sn_buf_slice(&l->reason), "access_denied");
        status = sn_fail(err, SN_DENIED, "SSO_LOGIN_FAILED", "%s%s",
            declined ? "the request was declined in the browser" : "the sign-in failed in the browser: ",
            declined ? "" : sn_buf_str(&l->reason));
    } else {
        sn_secret_move(out_code, &l->code);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return status;
}
