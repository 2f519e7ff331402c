/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/ratelimit/limiter.c - sliding-window logs in sharded, bounded tables.
 *
 * Each key keeps the instants of its admitted calls inside the window in a ring. A call asks three keys at once and is
 * counted in all of them or in none, so a refused call raises no count. Keys are stored as keyed digests: of fixed
 * size, and nobody outside can choose names that fall into one shard or chain.
 */
#include "core/ratelimit/limiter.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "crypto/hash.h"

enum {
    KEYS_MAX = 10000,
    SHARDS = 16,
    SHARD_KEYS_MAX = KEYS_MAX / SHARDS,
    CHAINS = 1024, /* hash chains per shard */
    DIGEST_LEN = 16,
    SEED_LEN = 32,
    BUCKETS = 3,
    RING_MIN = 4,
};

static const int64_t ns_per_s = 1000000000;
static const int64_t purge_every_ns = 600 * (int64_t)1000000000;
static const int64_t bucket_factor[BUCKETS] = {1, 20, 100};

struct entry {
    unsigned char digest[DIGEST_LEN];
    struct entry *chain_next;
    struct entry *newer, *older; /* by last use */
    int64_t *ring;
    size_t cap, start, count;
    int64_t limit;
};

struct shard {
    pthread_mutex_t lock;
    struct entry *chains[CHAINS];
    struct entry *newest, *oldest;
    size_t keys;
    int64_t purged_ns;
};

struct sn_limiter {
    int64_t requests;
    int64_t window_ns;
    unsigned char seed[SEED_LEN];
    struct shard shards[SHARDS];
};

/* One of the three keys of a call. */
struct probe {
    unsigned char digest[DIGEST_LEN];
    struct shard *shard;
    int64_t limit;
    enum sn_limiter_bucket bucket;
    struct entry *entry;
};

struct sn_limiter *sn_limiter_new(int64_t requests, int64_t window_s)
{
    struct sn_limiter *limiter = sn_alloc(1, sizeof(*limiter));
    struct sn_error err;

    SN_ASSERT(requests >= 0 && window_s > 0);
    limiter->requests = requests < INT64_MAX / 1000 ? requests : INT64_MAX / 1000;
    limiter->window_ns = window_s < INT64_MAX / ns_per_s ? window_s * ns_per_s : INT64_MAX;
    /* Without a seed the table still counts correctly; only the choice of colliding names would be open. */
    if (sn_random_fill(sn_random_system(), limiter->seed, sizeof(limiter->seed), &err) != SN_OK) {
        memset(limiter->seed, 0, sizeof(limiter->seed));
    }
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&limiter->shards[i].lock, NULL);
    }
    return limiter;
}

static void entry_free(struct entry *entry)
{
    sn_free(entry->ring);
    sn_free(entry);
}

void sn_limiter_free(struct sn_limiter *limiter)
{
    if (limiter == NULL) {
        return;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        struct entry *entry = limiter->shards[i].newest;
        while (entry != NULL) {
            struct entry *older = entry->older;
            entry_free(entry);
            entry = older;
        }
        pthread_mutex_destroy(&limiter->shards[i].lock);
    }
    sn_free(limiter);
}

static struct entry **chain_of(struct shard *shard, const unsigned char digest[DIGEST_LEN])
{
    return &shard->chains[((size_t)digest[1] | (size_t)digest[2] << 8) % CHAINS];
}

static void unlink_use(struct shard *shard, struct entry *entry)
{
    SN_ASSERT(entry != NULL);
    *(entry->newer != NULL ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void link_newest(struct shard *shard, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest != NULL ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

static void drop(struct shard *shard, struct entry *entry)
{
    struct entry **link = chain_of(shard, entry->digest);

    while (*link != entry) {
        link = &(*link)->chain_next;
    }
    *link = entry->chain_next;
    unlink_use(shard, entry);
    entry_free(entry);
    shard->keys--;
}

/* Forgets calls that have left the window; each was added once, so this costs O(1) a call over time. */
static void expire(const struct sn_limiter *limiter, struct entry *entry, int64_t now_ns)
{
    while (entry->count > 0 && now_ns - entry->ring[entry->start] >= limiter->window_ns) {
        entry->start = (entry->start + 1) % entry->cap;
        entry->count--;
    }
}

static bool is_full(const struct entry *entry)
{
    return (int64_t)entry->count >= entry->limit;
}

static void purge(const struct sn_limiter *limiter, struct shard *shard, int64_t now_ns)
{
    if (now_ns - shard->purged_ns < purge_every_ns) {
        return;
    }
    shard->purged_ns = now_ns;
    for (struct entry *entry = shard->oldest; entry != NULL;) {
        struct entry *newer = entry->newer;
        expire(limiter, entry, now_ns);
        if (entry->count == 0) {
            drop(shard, entry);
        }
        entry = newer;
    }
}

/* The longest unused key goes, but never one of this call or one that has to be refused: that would forgive it. */
static bool make_room(const struct sn_limiter *limiter, struct shard *shard, const struct probe *probes, int64_t now_ns)
{
    for (size_t looked = shard->keys; looked > 0 && shard->oldest != NULL; looked--) {
        struct entry *entry = shard->oldest;
        bool is_ours = false;

        for (size_t i = 0; i < BUCKETS; i++) {
            is_ours = is_ours || probes[i].entry == entry;
        }
        expire(limiter, entry, now_ns);
        if (!is_ours && !is_full(entry)) {
            drop(shard, entry);
            return true;
        }
        unlink_use(shard, entry);
        link_newest(shard, entry);
    }
    return false;
}

static struct entry *find(struct shard *shard, const unsigned char digest[DIGEST_LEN])
{
    struct entry *entry = *chain_of(shard, digest);

    while (entry != NULL && memcmp(entry->digest, digest, DIGEST_LEN) != 0) {
        entry = entry->chain_next;
    }
    return entry;
}

/* The entry of the probe, made when absent; NULL when the table holds nothing but exhausted keys. */
static struct entry *find_or_add(
    const struct sn_limiter *limiter, struct probe *probe, const struct probe *probes, int64_t now_ns)
{
    struct shard *shard = probe->shard;
    struct entry *entry = find(shard, probe->digest);

    if (entry != NULL) {
        unlink_use(shard, entry);
        link_newest(shard, entry);
        expire(limiter, entry, now_ns);
        return entry;
    }
    if (shard->keys >= SHARD_KEYS_MAX && !make_room(limiter, shard, probes, now_ns)) {
        return NULL;
    }
    entry = sn_alloc(1, sizeof(*entry));
    memcpy(entry->digest, probe->digest, DIGEST_LEN);
    entry->limit = probe->limit;
    struct entry **chain = chain_of(shard, probe->digest);
    entry->chain_next = *chain;
    *chain = entry;
    link_newest(shard, entry);
    shard->keys++;
    return entry;
}

static void record(struct entry *entry, int64_t now_ns)
{
    SN_ASSERT(entry != NULL);
    if (entry->count == entry->cap) {
        size_t cap = entry->cap == 0 ? RING_MIN : entry->cap * 2;
        int64_t *ring = sn_alloc(cap, sizeof(*ring));
        for (size_t i = 0; i < entry->count; i++) {
            ring[i] = entry->ring[(entry->start + i) % entry->cap];
        }
        sn_free(entry->ring);
        entry->ring = ring;
        entry->cap = cap;
        entry->start = 0;
    }
    /* Two threads may read the clock in one order and come here in the other: the ring stays sorted. */
    if (entry->count > 0) {
        int64_t last = entry->ring[(entry->start + entry->count - 1) % entry->cap];
        now_ns = now_ns > last ? now_ns : last;
    }
    entry->ring[(entry->start + entry->count) % entry->cap] = now_ns;
    entry->count++;
}

static void probe_init(struct sn_limiter *limiter, struct probe *probe, size_t bucket, struct sn_slice key)
{
    unsigned char digest[SN_SHA256_LEN];
    const char tag = (char)bucket;
    const struct sn_slice parts[] = {sn_slice_bytes(limiter->seed, SEED_LEN), {&tag, 1}, key};

    sn_sha256_parts(parts, SN_LEN(parts), digest);
    memcpy(probe->digest, digest, DIGEST_LEN);
    probe->shard = &limiter->shards[probe->digest[0] % SHARDS];
    probe->limit = limiter->requests * bucket_factor[bucket];
    probe->bucket = (enum sn_limiter_bucket)(SN_LIMITER_CALLER + (int)bucket);
    probe->entry = NULL;
}

/* All shards of the call, each once and in one order for everybody. */
static void lock_shards(struct sn_limiter *limiter, const struct probe *probes, bool lock)
{
    for (size_t s = 0; s < SHARDS; s++) {
        for (size_t i = 0; i < BUCKETS; i++) {
            if (probes[i].shard == &limiter->shards[s]) {
                if (lock) {
                    pthread_mutex_lock(&limiter->shards[s].lock);
                } else {
                    pthread_mutex_unlock(&limiter->shards[s].lock);
                }
                break;
            }
        }
    }
}

static int64_t wait_s(const struct sn_limiter *limiter, const struct probe *probe, int64_t now_ns)
{
    int64_t left_ns = limiter->window_ns;

    if (probe->entry != NULL) {
        left_ns = probe->entry->ring[probe->entry->start] + limiter->window_ns - now_ns;
    }
    int64_t seconds = left_ns / ns_per_s + (left_ns % ns_per_s != 0);
    return seconds < 1 ? 1 : seconds;
}

bool sn_limiter_allow(struct sn_limiter *limiter, struct sn_slice caller_arn, struct sn_slice stable_id,
    struct sn_slice account, int64_t mono_ns, int64_t *out_retry_after_s, enum sn_limiter_bucket *out_bucket)
{
    const struct sn_slice keys[BUCKETS] = {caller_arn, stable_id.len > 0 ? stable_id : caller_arn, account};
    struct probe probes[BUCKETS] = {0};
    bool is_allowed = true;

    if (limiter->requests == 0) {
        return true;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        probe_init(limiter, &probes[i], i, keys[i]);
    }
    lock_shards(limiter, probes, true);
    for (size_t i = 0; i < BUCKETS; i++) {
        purge(limiter, probes[i].shard, mono_ns);
    }
    /* The widest bucket first: while it refuses, no key of its members is made or pushes another out. */
    for (size_t i = BUCKETS; i-- > 0 && is_allowed;) {
        probes[i].entry = find_or_add(limiter, &probes[i], probes, mono_ns);
        if (probes[i].entry == NULL || is_full(probes[i].entry)) {
            *out_retry_after_s = wait_s(limiter, &probes[i], mono_ns);
            *out_bucket = probes[i].bucket;
            is_allowed = false;
        }
    }
    for (size_t i = 0; i < BUCKETS && is_allowed; i++) {
        record(probes[i].entry, mono_ns);
    }
    lock_shards(limiter, probes, false);
    return is_allowed;
}

void sn_limiter_count(struct sn_limiter *limiter, size_t *out_keys, size_t *out_instants)
{
    size_t keys = 0;
    size_t instants = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &limiter->shards[i];
        pthread_mutex_lock(&shard->lock);
        keys += shard->keys;
        for (const struct entry *entry = shard->newest; entry != NULL; entry = entry->older) {
            instants += entry->count;
        }
        pthread_mutex_unlock(&shard->lock);
    }
    *out_keys = keys;
    *out_instants = instants;
}
