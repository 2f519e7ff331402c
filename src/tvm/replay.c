/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/replay.c - a chained hash table over one array, cleaned a little with every entry.
 */
#include "tvm/replay.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

enum { NONE = 0, SWEEP_STEP = 4 }; /* indexes are stored plus one, so that zeroed memory is empty */

struct entry {
    unsigned char key[SN_PROOF_KEY_LEN];
    int64_t expires_unix_s; /* 0: the slot is free */
    uint32_t next;
};

struct sn_replay {
    pthread_mutex_t lock;
    uint64_t seed;
    uint32_t *buckets;
    struct entry *entries;
    size_t bucket_mask, max, used, high; /* high: slots ever used */
    uint32_t free_list;
    size_t cursor;
    int64_t swept_unix_s;  /* the second of the last full sweep */
    int64_t latest_unix_s; /* the latest instant ever given: what ended before it may be forgotten */
};

struct sn_replay *sn_replay_new(size_t max_entries, uint64_t seed, int64_t not_before_unix_s)
{
    struct sn_replay *replay = sn_alloc(1, sizeof(*replay));
    size_t buckets = 1;

    SN_ASSERT(max_entries > 0 && max_entries < UINT32_MAX);
    while (buckets < max_entries) {
        buckets *= 2;
    }
    pthread_mutex_init(&replay->lock, NULL);
    replay->seed = seed;
    replay->max = max_entries;
    replay->latest_unix_s = not_before_unix_s;
    replay->bucket_mask = buckets - 1;
    replay->buckets = sn_alloc(buckets, sizeof(*replay->buckets));
    replay->entries = sn_alloc(max_entries, sizeof(*replay->entries));
    return replay;
}

void sn_replay_free(struct sn_replay *replay)
{
    if (replay == NULL) {
        return;
    }
    pthread_mutex_destroy(&replay->lock);
    sn_free(replay->buckets);
    sn_free(replay->entries);
    sn_free(replay);
}

static uint32_t *bucket_of(struct sn_replay *replay, const unsigned char *key)
{
    uint64_t word = 0;

    memcpy(&word, key, sizeof(word));
    word = (word ^ replay->seed) * UINT64_C(0x9e3779b97f4a7c15);
    return &replay->buckets[(word >> 32) & replay->bucket_mask];
}

static void remove_key(struct sn_replay *replay, const unsigned char *key)
{
    uint32_t *link = bucket_of(replay, key);

    for (; *link != NONE; link = &replay->entries[*link - 1].next) {
        struct entry *entry = &replay->entries[*link - 1];
        if (memcmp(entry->key, key, SN_PROOF_KEY_LEN) != 0) {
            continue;
        }
        uint32_t index = *link;
        *link = entry->next;
        entry->expires_unix_s = 0;
        entry->next = replay->free_list;
        replay->free_list = index;
        replay->used--;
        return;
    }
}

static void sweep(struct sn_replay *replay, size_t steps, int64_t now_unix_s)
{
    for (size_t i = 0; i < steps && replay->high > 0; i++) {
        replay->cursor = (replay->cursor + 1) % replay->high;
        struct entry *entry = &replay->entries[replay->cursor];
        if (entry->expires_unix_s != 0 && entry->expires_unix_s <= now_unix_s) {
            remove_key(replay, entry->key);
        }
    }
}

static uint32_t take_slot(struct sn_replay *replay, int64_t now_unix_s)
{
    sweep(replay, SWEEP_STEP, now_unix_s);
    if (replay->used >= replay->max && replay->swept_unix_s != now_unix_s) {
        replay->swept_unix_s = now_unix_s;
        sweep(replay, replay->high, now_unix_s);
    }
    if (replay->used >= replay->max) {
        return NONE;
    }
    if (replay->free_list != NONE) {
        uint32_t index = replay->free_list;
        replay->free_list = replay->entries[index - 1].next;
        return index;
    }
    replay->high++;
    return (uint32_t)replay->high;
}

static bool is_present(struct sn_replay *replay, const unsigned char *key, int64_t now_unix_s)
{
    for (uint32_t i = *bucket_of(replay, key); i != NONE; i = replay->entries[i - 1].next) {
        struct entry *entry = &replay->entries[i - 1];
        if (memcmp(entry->key, key, SN_PROOF_KEY_LEN) == 0) {
            return entry->expires_unix_s > now_unix_s;
        }
    }
    return false;
}

enum sn_replay_answer sn_replay_begin(
    struct sn_replay *replay, const unsigned char key[SN_PROOF_KEY_LEN], int64_t expires_unix_s, int64_t now_unix_s)
{
    enum sn_replay_answer answer = SN_REPLAY_NEW;

    pthread_mutex_lock(&replay->lock);
    replay->latest_unix_s = now_unix_s > replay->latest_unix_s ? now_unix_s : replay->latest_unix_s;
    if (expires_unix_s <= replay->latest_unix_s || is_present(replay, key, now_unix_s)) {
        answer = SN_REPLAY_SEEN;
    } else {
        remove_key(replay, key);
        uint32_t index = take_slot(replay, now_unix_s);
        if (index == NONE) {
            answer = SN_REPLAY_FULL;
        } else {
            uint32_t *bucket = bucket_of(replay, key);
            struct entry *entry = &replay->entries[index - 1];
            memcpy(entry->key, key, SN_PROOF_KEY_LEN);
            entry->expires_unix_s = expires_unix_s;
            entry->next = *bucket;
            *bucket = index;
            replay->used++;
        }
    }
    pthread_mutex_unlock(&replay->lock);
    return answer;
}

void sn_replay_forget(struct sn_replay *replay, const unsigned char key[SN_PROOF_KEY_LEN])
{
    pthread_mutex_lock(&replay->lock);
    remove_key(replay, key);
    pthread_mutex_unlock(&replay->lock);
}

size_t sn_replay_count(struct sn_replay *replay)
{
    pthread_mutex_lock(&replay->lock);
    size_t used = replay->used;
    pthread_mutex_unlock(&replay->lock);
    return used;
}
