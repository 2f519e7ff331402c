/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/credential_cache.c - look-up, single flight and early refresh; ADR 0026.
 */
#include "vault/credential_cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/uri.h"
#include "vault/lock_file.h"

static const char ring_name[] = "sentinel";
enum { POLL_MS = 5 };

static void sleep_ms(void *ctx, int ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)ctx;
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

/* --- Set-up --- */

static enum sn_status make_query(struct sn_credential_cache *cache, struct sn_error *err)
{
    const struct sn_credential_cache_options *options = &cache->options;
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_url url;

    SN_TRY(sn_url_parse(sn_slice_str(options->tvm_url), &arena, &url, err));
    return sn_cache_query_init(&cache->query, url.canonical, sn_slice_str(options->profile), options->aws_profile,
        options->duration_s, options->env, err);
}

void sn_credential_cache_open(struct sn_credential_cache *cache, const struct sn_credential_cache_options *options)
{
    char hash[SN_CACHE_HASH_LEN + 1];
    struct sn_error ignored;

    *cache = (struct sn_credential_cache){.options = *options};
    cache->options.env = options->env != NULL ? options->env : sn_env_system();
    cache->options.clock = options->clock != NULL ? options->clock : sn_clock_system();
    cache->options.keyctl = options->keyctl != NULL ? options->keyctl : sn_keyctl_system();
    cache->options.wait_ms = options->wait_ms != NULL ? options->wait_ms : sleep_ms;
    if (options->tvm_url == NULL || make_query(cache, &ignored) != SN_OK) {
        return;
    }
    sn_cache_hash(sn_buf_slice(&cache->query.key), hash);
    (void)snprintf(cache->description, sizeof(cache->description), "sentinel-cache:%s", hash);
    (void)snprintf(cache->lock_name, sizeof(cache->lock_name), "tvm-%s.lock", hash);
    cache->is_usable = sn_kernel_ring_open(&cache->ring, cache->options.keyctl, ring_name);
    cache->is_refused = !cache->is_usable;
}

void sn_credential_cache_clear(struct sn_credential_cache *cache)
{
    sn_cache_query_clear(&cache->query);
    *cache = (struct sn_credential_cache){0};
}

bool sn_credential_cache_tell_refused(const struct sn_credential_cache *cache)
{
    char path[SN_LOCK_PATH_MAX];
    struct sn_error ignored;

    return cache->is_refused && sn_lock_file_path(cache->options.env, "keyring-refused", path, &ignored) == SN_OK &&
           sn_fs_write_new(path, 0600, (struct sn_slice){0}, &ignored) == SN_OK;
}

/* --- What is kept --- */

static int64_t now_s(const struct sn_credential_cache *cache)
{
    return sn_clock_unix_s(cache->options.clock);
}

static bool find(struct sn_credential_cache *cache, struct sn_issued *out_issued)
{
    SN_AUTO(sn_secret_clear) struct sn_secret payload = {0};
    enum sn_cache_verdict verdict = SN_CACHE_BAD;

    switch (sn_kernel_ring_read(&cache->ring, cache->description, &payload)) {
    case SN_KEY_ABSENT:
        return false;
    case SN_KEY_PRESENT:
        verdict = sn_cache_item_read(sn_secret_reveal(&payload), &cache->query, now_s(cache), out_issued);
        break;
    case SN_KEY_SPOILED:
        break;
    }
    if (verdict == SN_CACHE_BAD) {
        sn_kernel_ring_remove(&cache->ring, cache->description);
    }
    return verdict == SN_CACHE_GOOD;
}

static void store(struct sn_credential_cache *cache, const struct sn_issued *issued)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(SN_CACHE_ITEM_MAX);
    int64_t now = now_s(cache);

    if (!sn_cache_item_format(&cache->query, issued, now, &text)) {
        return;
    }
    int64_t timeout_s = issued->credentials.expires_unix_s - SN_CACHE_MIN_LEFT_S - now;
    int result = sn_kernel_ring_put(&cache->ring, cache->description, sn_buf_slice(&text), timeout_s);
    if (result == -EDQUOT) {
        sn_kernel_ring_trim(&cache->ring, sn_cache_item_end);
        result = sn_kernel_ring_put(&cache->ring, cache->description, sn_buf_slice(&text), timeout_s);
    }
    if (result != 0) {
        sn_log_debug("cache.not_stored", "credentials are not kept", SN_INT("errno", -result));
    }
}

/* 4xx but for "not now": the TVM said no. */
static bool is_refusal(int http_status)
{
    return http_status >= 400 && http_status < 500 && http_status != 408 && http_status != 429;
}

void sn_credential_cache_failed(struct sn_credential_cache *cache, int http_status)
{
    if (cache->is_usable && is_refusal(http_status)) {
        sn_kernel_ring_remove(&cache->ring, cache->description);
    }
}

/* --- Asking --- */

struct question {
    sn_vend_fn vend;
    void *ctx;
};

static enum sn_status ask(struct sn_credential_cache *cache, const struct question *question,
    struct sn_issued *out_issued, int *out_http_status, struct sn_error *err)
{
    *out_http_status = 0;
    if (question->vend(question->ctx, out_issued, out_http_status, err) != SN_OK) {
        sn_credential_cache_failed(cache, *out_http_status);
        return err->status;
    }
    if (cache->is_usable) {
        store(cache, out_issued);
    }
    return SN_OK;
}

static void warn(const struct sn_credential_cache *cache, const struct sn_error *err)
{
    if (cache->options.warn != NULL) {
        cache->options.warn(cache->options.ctx, err);
    }
}

/* held: what is in the cache and serves until new ones are there. */
static enum sn_status refresh_early(struct sn_credential_cache *cache, const struct question *question,
    struct sn_issued *held, struct sn_issued *out_issued, struct sn_error *err)
{
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    SN_AUTO(sn_issued_clear) struct sn_issued fresh = {0};
    struct sn_error cause;
    int http_status;

    if (sn_lock_file_open(&lock, cache->options.env, cache->lock_name, &cause) == SN_OK && sn_lock_file_try(&lock)) {
        if (find(cache, &fresh) && !sn_cache_is_due(&fresh, now_s(cache))) {
            *out_issued = fresh;
            fresh = (struct sn_issued){0};
            return SN_OK;
        }
        sn_issued_clear(&fresh);
        cache->is_early = true;
        enum sn_status status = ask(cache, question, &fresh, &http_status, &cause);
        cache->is_early = false;
        if (status == SN_OK) {
            *out_issued = fresh;
            fresh = (struct sn_issued){0};
            return SN_OK;
        }
        if (is_refusal(http_status)) {
            *err = cause;
            return err->status;
        }
        (void)sn_error_context(&cause, "credentials at hand are used, since new ones could not be had");
        warn(cache, &cause);
    }
    *out_issued = *held;
    *held = (struct sn_issued){0};
    return SN_OK;
}

/* Waits until the lock is ours (*out_is_found false) or another process has stored what we want. */
static enum sn_status wait_for_turn(struct sn_credential_cache *cache, struct sn_lock_file *lock,
    struct sn_issued *out_issued, bool *out_is_found, struct sn_error *err)
{
    int64_t end_ms = sn_clock_mono_ms(cache->options.clock) + SN_CACHE_WAIT_MS;

    for (;;) {
        bool is_ours = sn_lock_file_try(lock);
        *out_is_found = find(cache, out_issued);
        if (is_ours || *out_is_found) {
            return SN_OK;
        }
        if (sn_clock_mono_ms(cache->options.clock) >= end_ms) {
            (void)sn_fail(err, SN_TIMEOUT, "CACHE_LOCKED",
                "process %lld has been asking for the same credentials for more than %d s",
                (long long)sn_lock_file_holder(lock), SN_CACHE_WAIT_MS / 1000);
            return sn_suggest(err, "end that process, or add --no-cache");
        }
        cache->options.wait_ms(cache->options.ctx, POLL_MS);
    }
}

bool sn_credential_cache_peek(struct sn_credential_cache *cache, struct sn_issued *out_issued)
{
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    SN_AUTO(sn_issued_clear) struct sn_issued held = {0};
    struct sn_error ignored;

    if (!cache->is_usable || !find(cache, &held)) {
        return false;
    }
    if (sn_cache_is_due(&held, now_s(cache)) &&
        sn_lock_file_open(&lock, cache->options.env, cache->lock_name, &ignored) == SN_OK && sn_lock_file_try(&lock)) {
        return false; /* it is on us to ask */
    }
    *out_issued = held;
    held = (struct sn_issued){0};
    return true;
}

enum sn_status sn_credential_cache_get(
    struct sn_credential_cache *cache, sn_vend_fn vend, void *ctx, struct sn_issued *out_issued, struct sn_error *err)
{
    const struct question question = {vend, ctx};
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    SN_AUTO(sn_issued_clear) struct sn_issued held = {0};
    struct sn_error cause;
    bool is_found = false;
    int http_status;

    if (!cache->is_usable) {
        return ask(cache, &question, out_issued, &http_status, err);
    }
    if (find(cache, &held)) {
        if (sn_cache_is_due(&held, now_s(cache))) {
            return refresh_early(cache, &question, &held, out_issued, err);
        }
        is_found = true;
    } else if (sn_lock_file_open(&lock, cache->options.env, cache->lock_name, &cause) == SN_OK) {
        SN_TRY(wait_for_turn(cache, &lock, &held, &is_found, err));
    } else {
        warn(cache, &cause); /* more than one process may ask */
    }
    if (!is_found) {
        return ask(cache, &question, out_issued, &http_status, err);
    }
    *out_issued = held;
    held = (struct sn_issued){0};
    return SN_OK;
}
