/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/relay_source.c - memory, single flight and rate limit of the relay.
 */
#include "vault/relay_source.h"

static const int64_t ns_per_s = 1000000000;

void sn_relay_source_init(
    struct sn_relay_source *source, const struct sn_clock *clock, int64_t reuse_s, sn_relay_fetch_fn fetch, void *ctx)
{
    *source = (struct sn_relay_source){.clock = clock, .reuse_ns = reuse_s * ns_per_s, .fetch = fetch, .ctx = ctx};
    pthread_mutex_init(&source->lock, NULL);
    pthread_cond_init(&source->done, NULL);
}

void sn_relay_source_clear(struct sn_relay_source *source)
{
    sn_credentials_clear(&source->credentials);
    pthread_cond_destroy(&source->done);
    pthread_mutex_destroy(&source->lock);
}

static int64_t mono_ns(const struct sn_relay_source *source)
{
    return source->clock->mono_ns(source->clock->ctx);
}

static void remember(struct sn_relay_source *source, const struct sn_credentials *credentials)
{
    sn_credentials_copy(&source->credentials, credentials);
    source->has_credentials = true;
    source->fetched_mono_ns = mono_ns(source);
}

void sn_relay_source_prime(struct sn_relay_source *source, const struct sn_credentials *credentials)
{
    pthread_mutex_lock(&source->lock);
    remember(source, credentials);
    pthread_mutex_unlock(&source->lock);
}

static bool is_alive(const struct sn_relay_source *source, const struct sn_credentials *credentials)
{
    return credentials->expires_unix_s == 0 || sn_clock_unix_s(source->clock) < credentials->expires_unix_s;
}

/* The last good answer may still be given. Under the lock. */
static bool is_fresh(const struct sn_relay_source *source)
{
    return source->has_credentials && mono_ns(source) - source->fetched_mono_ns < source->reuse_ns &&
           is_alive(source, &source->credentials);
}

/* Counts one call, or tells how long to wait for the next. Under the lock. */
static bool may_call(struct sn_relay_source *source, int *out_wait_s)
{
    int64_t now = mono_ns(source);
    int64_t *oldest = &source->calls_mono_ns[source->calls % SN_RELAY_CALLS_MAX];
    int64_t free_at = *oldest + SN_RELAY_WINDOW_S * ns_per_s;

    if (source->calls >= SN_RELAY_CALLS_MAX && now < free_at) {
        *out_wait_s = (int)((free_at - now + ns_per_s - 1) / ns_per_s);
        return false;
    }
    *oldest = now;
    source->calls++;
    return true;
}

/* One call to the TVM, without the lock held meanwhile; its outcome is left in source. */
static void call(struct sn_relay_source *source)
{
    struct sn_credentials fetched = {0};
    struct sn_error error = {0};
    int http_status = 0;

    source->fetching = true;
    pthread_mutex_unlock(&source->lock);
    enum sn_status status = source->fetch(source->ctx, &fetched, &http_status, &error);
    pthread_mutex_lock(&source->lock);
    if (status == SN_OK && !is_alive(source, &fetched)) {
        status = sn_fail(&error, SN_PROTOCOL, "INVALID_CREDENTIALS", "the TVM answered with expired credentials");
        http_status = 0;
    }
    if (status == SN_OK) {
        remember(source, &fetched);
    } else {
        /* What was refused now must not be answered from memory a moment later. */
        source->has_credentials = false;
        sn_credentials_clear(&source->credentials);
    }
    source->status = status;
    source->http_status = http_status;
    source->error = error;
    source->fetching = false;
    source->round++;
    pthread_cond_broadcast(&source->done);
    sn_credentials_clear(&fetched);
}

static enum sn_status outcome(
    struct sn_relay_source *source, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err)
{
    if (source->status == SN_OK) {
        sn_credentials_copy(out_credentials, &source->credentials);
        return SN_OK;
    }
    *err = source->error;
    *out_http_status = source->http_status;
    return source->status;
}

static enum sn_status get_locked(
    struct sn_relay_source *source, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err)
{
    int wait_s;

    if (is_fresh(source)) {
        sn_credentials_copy(out_credentials, &source->credentials);
        return SN_OK;
    }
    if (source->fetching) {
        uint64_t round = source->round;
        source->waiting++;
        while (source->round == round) {
            pthread_cond_wait(&source->done, &source->lock);
        }
        source->waiting--;
        return outcome(source, out_credentials, out_http_status, err);
    }
    if (!may_call(source, &wait_s)) {
        *out_http_status = 429;
        sn_fail(err, SN_THROTTLED, "RATE_LIMITED", "too many requests; retry in %d s", wait_s);
        return sn_error_retryable(err, wait_s);
    }
    call(source);
    return outcome(source, out_credentials, out_http_status, err);
}

enum sn_status sn_relay_source_get(
    struct sn_relay_source *source, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err)
{
    *out_http_status = 0;
    pthread_mutex_lock(&source->lock);
    enum sn_status status = get_locked(source, out_credentials, out_http_status, err);
    pthread_mutex_unlock(&source->lock);
    return status;
}
