/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/document_cache.h - documents that passed every check, kept for a while (POL 10).
 *
 * A hit takes a shared lock. A miss is loaded once however many wait for it, and does not hold up other documents; its
 * failure goes to all who waited, and is not kept. An entry ends after the cache's time less up to a tenth, by a clock
 * that goes on while the machine sleeps and by the wall clock, whichever is earlier, or when the source tells of a
 * change. Past its end it serves only where the options grant it and the source cannot be reached, with a warning each
 * time; a failure of any other kind drops it. Thread-safe.
 */
#ifndef SN_TVM_DOCUMENT_CACHE_H
#define SN_TVM_DOCUMENT_CACHE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "tvm/document_origin.h"

enum { SN_CACHE_ENTRIES_MAX = 256 };

/* A loaded document: immutable but for its counter. */
struct sn_cached_document {
    atomic_uint refs;
    void *object;
    void (*unref)(void *object);
    struct sn_document_origin origin;
};
/* Takes the reference to object. */
struct sn_cached_document *sn_cached_document_new(void *object, void (*unref)(void *object));
struct sn_cached_document *sn_cached_document_ref(struct sn_cached_document *document);
void sn_cached_document_unref(struct sn_cached_document *document);

struct sn_document_cache;

struct sn_document_cache_options {
    int64_t ttl_s;
    int64_t grace_s; /* past its end, while the source cannot be reached; 0: none */
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    uint64_t (*generation)(void *ctx); /* rises when documents changed; NULL: only reload tells */
    void *generation_ctx;
};

struct sn_document_cache *sn_document_cache_new(const struct sn_document_cache_options *options);
void sn_document_cache_free(struct sn_document_cache *cache);

/* *out_document stays NULL for a document that does not exist, which is not kept. */
typedef enum sn_status sn_document_load_fn(void *ctx, struct sn_cached_document **out_document, struct sn_error *err);

/* True when the document is there and fresh; *out_document is a reference. */
bool sn_document_cache_find(struct sn_document_cache *cache, const char *key, struct sn_cached_document **out_document);
/* The document of a key, loaded when it is not there. NULL: there is none. is_pinned: it is never pushed out. */
SN_MUST_CHECK enum sn_status sn_document_cache_get(struct sn_document_cache *cache, const char *key, bool is_pinned,
    sn_document_load_fn *load, void *ctx, struct sn_cached_document **out_document, struct sn_error *err);
/* Nothing that is kept is fresh any more. */
void sn_document_cache_reload(struct sn_document_cache *cache);

#endif
