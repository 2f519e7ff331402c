/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/credential_cache.h - credentials that the TVM has issued already, kept until five minutes before they end.
 *
 * They lie in the kernel keyring "sentinel", in memory only, by TVM, profile and identity. Processes that miss at once
 * make one vend: a lock file lets the first ask and the others wait. Shortly before the end one caller asks early while
 * the others go on with what is there. Only credentials are kept, never a refusal; a refusal removes them. Where the
 * kernel refuses keyrings there is neither cache nor lock. Used by one thread.
 */
#ifndef SN_VAULT_CREDENTIAL_CACHE_H
#define SN_VAULT_CREDENTIAL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/error.h"
#include "platform/kernel_ring.h"
#include "vault/cache_item.h"
#include "vault/issued.h"

enum { SN_CACHE_WAIT_MS = 60000 };

struct sn_credential_cache_options {
    const char *tvm_url, *profile, *aws_profile;
    int64_t duration_s;
    const struct sn_env *env;           /* NULL: the system's */
    const struct sn_clock *clock;       /* NULL: the system's */
    const struct sn_keyctl *keyctl;     /* NULL: the system's */
    void (*wait_ms)(void *ctx, int ms); /* NULL: sleeps */
    /* A fault that was survived; may be NULL. */
    void (*warn)(void *ctx, const struct sn_error *err);
    void *ctx;
};

struct sn_credential_cache {
    struct sn_credential_cache_options options;
    struct sn_cache_query query;
    struct sn_kernel_ring ring;
    char description[40];
    char lock_name[40];
    bool is_usable;
    bool is_refused; /* by the kernel */
    bool is_early;   /* while vend runs: something usable is at hand, so nobody is to be asked anything */
};

/* Never fails: without a keyring, or for a URL that is none, the cache is not usable and get() asks the TVM. */
void sn_credential_cache_open(struct sn_credential_cache *cache, const struct sn_credential_cache_options *options);
void sn_credential_cache_clear(struct sn_credential_cache *cache);

/* True: these can be used, and nobody has to be asked now. Opens no network, waits for nothing. */
bool sn_credential_cache_peek(struct sn_credential_cache *cache, struct sn_issued *out_issued);

/* Asks the TVM. *out_http_status: of its last answer, 0 when there was none. */
typedef enum sn_status (*sn_vend_fn)(
    void *ctx, struct sn_issued *out_issued, int *out_http_status, struct sn_error *err);
/* From the cache, else from vend. CACHE_LOCKED when another process has been asking for a minute. */
SN_MUST_CHECK enum sn_status sn_credential_cache_get(
    struct sn_credential_cache *cache, sn_vend_fn vend, void *ctx, struct sn_issued *out_issued, struct sn_error *err);

/* To be told the status of a failed call made past the cache: a refusal removes what is kept. */
void sn_credential_cache_failed(struct sn_credential_cache *cache, int http_status);

/* True once for a user and login: the first time that the kernel is found to refuse keyrings. */
bool sn_credential_cache_tell_refused(const struct sn_credential_cache *cache);

#endif
