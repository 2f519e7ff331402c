/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/document_cache.c - see document_cache.h. */
#include "tvm/document_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/task.h"
#include "base/wake.h"

/* --- Documents --- */

struct sn_cached_document *sn_cached_document_new(void *object, void (*unref)(void *object))
{
    struct sn_cached_document *document = sn_alloc(1, sizeof(*document));

    atomic_init(&document->refs, 1);
    document->object = object;
    document->unref = unref;
    return document;
}

struct sn_cached_document *sn_cached_document_ref(struct sn_cached_document *document)
{
    if (document != NULL) {
        atomic_fetch_add(&document->refs, 1);
    }
    return document;
}

void sn_cached_document_unref(struct sn_cached_document *document)
{
    if (document != NULL && atomic_fetch_sub(&document->refs, 1) == 1) {
        document->unref(document->object);
        sn_free(document);
    }
}

/* --- The cache --- */

struct entry {
    uint32_t hash; /* of the key, which is compared only where this fits */
    bool is_pinned;
    char key[SN_DOCUMENT_NAME_MAX + 1]; /* "": free */
    struct sn_cached_document *document;
    int64_t ends_boot_ns, loaded_unix_ns, ends_unix_ns;
    uint64_t generation;
    atomic_uint_fast64_t last_used;
};

/* Whoever waits for a flight, a thread or a task. */
struct passenger {
    struct passenger *next;
    struct sn_wake landed;
};

/* One load that is under way, and who waits for it. */
struct flight {
    struct flight *next;
    struct passenger *passengers;
    const char *key; /* the leader's */
    uint64_t generation;
    unsigned refs; /* leader and waiters */
    enum sn_status status;
    struct sn_error err;
    struct sn_cached_document *document;
    int64_t stale_s; /* age past its end; -1: fresh */
};

struct sn_document_cache {
    struct sn_document_cache_options options;
    atomic_uint_fast64_t reloads, uses;
    pthread_rwlock_t lock; /* over the entries */
    struct entry entries[SN_CACHE_ENTRIES_MAX];
    pthread_mutex_t flight_lock; /* over the flights; never held over a load */
    struct flight *flights;
};

struct sn_document_cache *sn_document_cache_new(const struct sn_document_cache_options *options)
{
    struct sn_document_cache *cache = sn_alloc(1, sizeof(*cache));

    cache->options = *options;
    pthread_rwlock_init(&cache->lock, NULL);
    pthread_mutex_init(&cache->flight_lock, NULL);
    return cache;
}

void sn_document_cache_free(struct sn_document_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    SN_ASSERT(cache->flights == NULL);
    for (size_t i = 0; i < SN_CACHE_ENTRIES_MAX; i++) {
        sn_cached_document_unref(cache->entries[i].document);
    }
    pthread_mutex_destroy(&cache->flight_lock);
    pthread_rwlock_destroy(&cache->lock);
    sn_free(cache);
}

static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261u;

    for (; *key != '\0'; key++) {
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    }
    return hash;
}

/* Rises with every change of the source and every reload. */
static uint64_t generation_of(struct sn_document_cache *cache)
{
    uint64_t changes = cache->options.generation != NULL ? cache->options.generation(cache->options.generation_ctx) : 0;

    return changes + atomic_load(&cache->reloads);
}

void sn_document_cache_reload(struct sn_document_cache *cache)
{
    atomic_fetch_add(&cache->reloads, 1);
}

/* Past its end by the clock that says most; negative while fresh. A wall clock that went back says: past everything. */
static int64_t past_end_ns(const struct sn_document_cache *cache, const struct entry *entry)
{
    const struct sn_clock *clock = cache->options.clock;
    int64_t unix_ns = clock->unix_ns(clock->ctx);
    int64_t by_wall = unix_ns - entry->ends_unix_ns, by_boot = sn_clock_boot_ns(clock) - entry->ends_boot_ns;

    if (unix_ns < entry->loaded_unix_ns) {
        return INT64_MAX;
    }
    return by_wall > by_boot ? by_wall : by_boot;
}

static struct entry *find_entry(struct sn_document_cache *cache, const char *key)
{
    uint32_t hash = hash_of(key);

    for (size_t i = 0; i < SN_CACHE_ENTRIES_MAX; i++) {
        struct entry *entry = &cache->entries[i];
        if (entry->hash == hash && entry->key[0] != '\0' && strcmp(entry->key, key) == 0) {
            return entry;
        }
    }
    return NULL;
}

bool sn_document_cache_find(struct sn_document_cache *cache, const char *key, struct sn_cached_document **out_document)
{
    uint64_t generation = generation_of(cache);
    bool hit = false;

    pthread_rwlock_rdlock(&cache->lock);
    struct entry *entry = find_entry(cache, key);
    if (entry != NULL && entry->generation == generation && past_end_ns(cache, entry) < 0) {
        atomic_store(&entry->last_used, atomic_fetch_add(&cache->uses, 1) + 1);
        *out_document = sn_cached_document_ref(entry->document);
        hit = true;
    }
    pthread_rwlock_unlock(&cache->lock);
    return hit;
}

/* Life of an entry: the cache's time less up to a tenth, so that servers do not reload in step. */
static void stamp(struct sn_document_cache *cache, struct entry *entry, uint64_t generation)
{
    const struct sn_clock *clock = cache->options.clock;
    uint32_t dice = 0;
    struct sn_error ignored = {0};
    int64_t life_ns = cache->options.ttl_s * 1000000000;

    if (sn_random_fill(cache->options.random_source, &dice, sizeof(dice), &ignored) != SN_OK) {
        dice = 999;
    }
    life_ns -= life_ns / 10 / 1000 * (int64_t)(dice % 1000);
    entry->generation = generation;
    entry->loaded_unix_ns = clock->unix_ns(clock->ctx);
    entry->ends_unix_ns = entry->loaded_unix_ns + life_ns;
    entry->ends_boot_ns = sn_clock_boot_ns(clock) + life_ns;
}

static void drop_entry(struct entry *entry)
{
    sn_cached_document_unref(entry->document);
    entry->document = NULL;
    entry->key[0] = '\0';
    entry->is_pinned = false;
}

/* A free slot, else the one used longest ago. */
static struct entry *find_room(struct sn_document_cache *cache)
{
    struct entry *oldest = NULL;

    for (size_t i = 0; i < SN_CACHE_ENTRIES_MAX; i++) {
        struct entry *entry = &cache->entries[i];
        if (entry->key[0] == '\0') {
            return entry;
        }
        if (!entry->is_pinned && (oldest == NULL || atomic_load(&entry->last_used) < atomic_load(&oldest->last_used))) {
            oldest = entry;
        }
    }
    return oldest;
}

static void keep(struct sn_document_cache *cache, const char *key, bool is_pinned, uint64_t generation,
    struct sn_cached_document *document)
{
    pthread_rwlock_wrlock(&cache->lock);
    struct entry *entry = find_entry(cache, key);
    entry = entry != NULL ? entry : find_room(cache);
    if (entry != NULL && document == NULL) { /* it is gone: what was kept under the name does not serve again */
        if (strcmp(entry->key, key) == 0) {
            drop_entry(entry);
        }
    } else if (entry != NULL) {
        drop_entry(entry);
        snprintf(entry->key, sizeof(entry->key), "%s", key);
        entry->hash = hash_of(key);
        entry->is_pinned = is_pinned;
        entry->document = sn_cached_document_ref(document);
        atomic_store(&entry->last_used, atomic_fetch_add(&cache->uses, 1) + 1);
        stamp(cache, entry, generation);
    }
    pthread_rwlock_unlock(&cache->lock);
}

/* A load has failed. Only what could not be reached lets the last document serve; anything else drops it. */
static struct sn_cached_document *stale_document(
    struct sn_document_cache *cache, const char *key, const struct sn_error *cause, int64_t *out_stale_s)
{
    bool may_pass = cause->status == SN_TIMEOUT || cause->status == SN_THROTTLED || cause->status == SN_UNAVAILABLE;
    struct sn_cached_document *document = NULL;

    pthread_rwlock_wrlock(&cache->lock);
    struct entry *entry = find_entry(cache, key);
    if (entry != NULL && !may_pass) {
        drop_entry(entry);
    } else if (entry != NULL) {
        int64_t past_ns = past_end_ns(cache, entry);
        if (cache->options.grace_s > 0 && past_ns < cache->options.grace_s * 1000000000) {
            document = sn_cached_document_ref(entry->document);
            *out_stale_s = past_ns > 0 ? past_ns / 1000000000 : 0;
        }
    }
    pthread_rwlock_unlock(&cache->lock);
    return document;
}

/* --- Loading --- */

/* Joins the flight of a key, or begins one: then *out_is_leader. */
static struct flight *board(struct sn_document_cache *cache, const char *key, bool *out_is_leader)
{
    uint64_t generation = generation_of(cache);

    /* A flight that began before the last change may bring what was there before it. */
    for (struct flight *flight = cache->flights; flight != NULL; flight = flight->next) {
        if (flight->generation == generation && strcmp(flight->key, key) == 0) {
            flight->refs++;
            *out_is_leader = false;
            return flight;
        }
    }
    struct flight *flight = sn_alloc(1, sizeof(*flight));
    flight->key = key;
    flight->generation = generation;
    flight->refs = 1;
    flight->stale_s = -1;
    flight->next = cache->flights;
    cache->flights = flight;
    *out_is_leader = true;
    return flight;
}

static void land(struct sn_document_cache *cache, struct flight *flight)
{
    struct flight **at = &cache->flights;

    while (*at != flight) {
        at = &(*at)->next;
    }
    *at = flight->next;
    for (struct passenger *passenger = flight->passengers, *next; passenger != NULL; passenger = next) {
        next = passenger->next; /* whoever is called may be gone behind the call */
        sn_wake_call(&passenger->landed);
    }
}

/* Under the lock of the flights. */
static void leave(struct flight *flight)
{
    if (--flight->refs == 0) {
        sn_cached_document_unref(flight->document);
        sn_free(flight);
    }
}

struct pilot {
    struct sn_document_cache *cache;
    struct flight *flight;
    bool is_pinned;
    sn_document_load_fn *load;
    void *load_ctx;
};

static void fly(void *ctx)
{
    const struct pilot *pilot = ctx;
    struct sn_document_cache *cache = pilot->cache;
    struct flight *flight = pilot->flight;

    flight->status = pilot->load(pilot->load_ctx, &flight->document, &flight->err);
    if (flight->status == SN_OK) {
        keep(cache, flight->key, pilot->is_pinned, flight->generation, flight->document);
        return;
    }
    SN_ASSERT(flight->document == NULL);
    flight->document = stale_document(cache, flight->key, &flight->err, &flight->stale_s);
    flight->status = flight->document != NULL ? SN_OK : flight->status;
}

static enum sn_status take_result(
    const struct flight *flight, struct sn_cached_document **out_document, struct sn_error *err)
{
    if (flight->status != SN_OK) {
        *err = flight->err;
        return flight->status;
    }
    if (flight->stale_s >= 0) {
        sn_log_warn("policy.stale", "a document past its time serves, since its source cannot be reached",
            SN_STR("parameter", flight->document->origin.name), SN_INT("past_s", flight->stale_s),
            SN_STR("reason", flight->err.code));
    }
    *out_document = sn_cached_document_ref(flight->document);
    return SN_OK;
}

/* Under the lock, which is given up while waiting. */
static void await_landing(struct sn_document_cache *cache, struct flight *flight, struct passenger *self)
{
    sn_wake_init(&self->landed);
    self->next = flight->passengers;
    flight->passengers = self;
    pthread_mutex_unlock(&cache->flight_lock);
    sn_wake_sleep(&self->landed);
    pthread_mutex_lock(&cache->flight_lock);
    sn_wake_clear(&self->landed);
}

enum sn_status sn_document_cache_get(struct sn_document_cache *cache, const char *key, bool is_pinned,
    sn_document_load_fn *load, void *ctx, struct sn_cached_document **out_document, struct sn_error *err)
{
    bool is_leader = false;

    *out_document = NULL;
    if (sn_document_cache_find(cache, key, out_document)) {
        return SN_OK;
    }
    pthread_mutex_lock(&cache->flight_lock);
    /* A flight may have landed between the two looks. */
    if (sn_document_cache_find(cache, key, out_document)) {
        pthread_mutex_unlock(&cache->flight_lock);
        return SN_OK;
    }
    struct flight *flight = board(cache, key, &is_leader);
    if (is_leader) {
        struct pilot pilot = {cache, flight, is_pinned, load, ctx};
        pthread_mutex_unlock(&cache->flight_lock);
        /* A load reads, asks AWS, verifies and compiles: too long for the thread of other tasks. */
        sn_task_apart(fly, &pilot);
        pthread_mutex_lock(&cache->flight_lock);
        land(cache, flight);
    } else {
        struct passenger self;
        await_landing(cache, flight, &self);
    }
    enum sn_status status = take_result(flight, out_document, err);
    leave(flight);
    pthread_mutex_unlock(&cache->flight_lock);
    return status;
}
