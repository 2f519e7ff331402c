/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/relay_source.h - what stands between the relay and the TVM: a short memory, one call at a time, a rate limit.
 *
 * Answers of the TVM are reused for a few seconds and never past their expiration. Callers that come while a call is
 * under way wait for it and share its outcome, refusals included. The limit counts calls to the TVM, never answers from
 * memory. Thread-safe.
 */
#ifndef SN_VAULT_RELAY_SOURCE_H
#define SN_VAULT_RELAY_SOURCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/error.h"

enum { SN_RELAY_CALLS_MAX = 100, SN_RELAY_WINDOW_S = 60 };

/*
 * Asks the TVM. On failure *out_http_status is the status of its answer, 0 when there was none; the error carries the
 * answer's code, message, hint and the detail "request_id".
 */
typedef enum sn_status (*sn_relay_fetch_fn)(
    void *ctx, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err);

struct sn_relay_source {
    pthread_mutex_t lock;
    pthread_cond_t done;
    const struct sn_clock *clock;
    sn_relay_fetch_fn fetch;
    void *ctx;
    int64_t reuse_ns;
    bool fetching;
    uint64_t round; /* calls that have ended */
    size_t waiting; /* callers that share the call under way */
    /* Outcome of the last call. */
    enum sn_status status;
    int http_status;
    struct sn_error error;
    struct sn_credentials credentials;
    int64_t fetched_mono_ns;
    bool has_credentials;
    int64_t calls_mono_ns[SN_RELAY_CALLS_MAX]; /* ring of the last calls */
    uint64_t calls;
};

/* reuse_s 0: every caller that finds no call under way makes one. */
void sn_relay_source_init(
    struct sn_relay_source *source, const struct sn_clock *clock, int64_t reuse_s, sn_relay_fetch_fn fetch, void *ctx);
void sn_relay_source_clear(struct sn_relay_source *source);
/* Hands over credentials fetched just now, so that the first caller needs no call. */
void sn_relay_source_prime(struct sn_relay_source *source, const struct sn_credentials *credentials);
/* Past the limit: SN_THROTTLED, RATE_LIMITED, with http status 429 and retry_after_s. */
SN_MUST_CHECK enum sn_status sn_relay_source_get(
    struct sn_relay_source *source, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err);

#endif
