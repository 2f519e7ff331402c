/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/failures.c - a set-associative table of addresses with the times of their last failures.
 */
#include "tvm/failures.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

enum { SETS = 1024, WAYS = 4, FAILURES_MAX = 30, KEY_LEN = 16 };
static const int64_t window_ns = INT64_C(60) * 1000000000;

struct address {
    unsigned char key[KEY_LEN];
    bool in_use;
    size_t next; /* ring position of the oldest */
    size_t count;
    int64_t times[FAILURES_MAX];
};

struct sn_failures {
    pthread_mutex_t lock;
    struct address *table;
};

struct sn_failures *sn_failures_new(void)
{
    struct sn_failures *failures = sn_alloc(1, sizeof(*failures));

    pthread_mutex_init(&failures->lock, NULL);
    failures->table = sn_alloc(SETS * WAYS, sizeof(*failures->table));
    return failures;
}

void sn_failures_free(struct sn_failures *failures)
{
    if (failures != NULL) {
        pthread_mutex_destroy(&failures->lock);
        sn_free(failures->table);
        sn_free(failures);
    }
}

/* An IPv4 address, or the upper half of an IPv6 address: whoever has one address there has them all. */
static bool key_of(const struct sn_peer *peer, unsigned char key[KEY_LEN])
{
    memset(key, 0, KEY_LEN);
    if (peer->is_unix || peer->is_loopback) {
        return false;
    }
    if (inet_pton(AF_INET, peer->address, key) == 1) {
        key[KEY_LEN - 1] = 4;
        return true;
    }
    if (inet_pton(AF_INET6, peer->address, key) != 1) {
        memset(key, 0, KEY_LEN); /* an address of no known form shares one budget with its like */
    }
    memset(key + 8, 0, 8);
    return true;
}

static struct address *set_of(struct sn_failures *failures, const unsigned char key[KEY_LEN])
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < KEY_LEN; i++) {
        hash = (hash ^ key[i]) * 16777619u;
    }
    return &failures->table[(size_t)(hash % SETS) * WAYS];
}

static int64_t last_time(const struct address *address)
{
    return address->count == 0 ? INT64_MIN : address->times[(address->next + FAILURES_MAX - 1) % FAILURES_MAX];
}

static struct address *find(struct address *set, const unsigned char key[KEY_LEN])
{
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].in_use && memcmp(set[i].key, key, KEY_LEN) == 0) {
            return &set[i];
        }
    }
    return NULL;
}

bool sn_failures_may_ask(
    struct sn_failures *failures, const struct sn_peer *peer, int64_t mono_ns, int64_t *out_retry_after_s)
{
    unsigned char key[KEY_LEN];
    bool may = true;

    if (!key_of(peer, key)) {
        return true;
    }
    pthread_mutex_lock(&failures->lock);
    struct address *address = find(set_of(failures, key), key);
    if (address != NULL && address->count == FAILURES_MAX) {
        int64_t oldest = address->times[address->next];
        if (mono_ns - oldest < window_ns) {
            may = false;
            *out_retry_after_s = (oldest + window_ns - mono_ns) / 1000000000 + 1;
        }
    }
    pthread_mutex_unlock(&failures->lock);
    return may;
}

void sn_failures_add(struct sn_failures *failures, const struct sn_peer *peer, int64_t mono_ns)
{
    unsigned char key[KEY_LEN];

    if (!key_of(peer, key)) {
        return;
    }
    pthread_mutex_lock(&failures->lock);
    struct address *set = set_of(failures, key), *address = find(set, key);
    if (address == NULL) {
        address = &set[0];
        for (size_t i = 1; i < WAYS; i++) {
            address = last_time(&set[i]) < last_time(address) ? &set[i] : address;
        }
        *address = (struct address){.in_use = true};
        memcpy(address->key, key, KEY_LEN);
    }
    address->times[address->next] = mono_ns;
    address->next = (address->next + 1) % FAILURES_MAX;
    address->count += address->count < FAILURES_MAX;
    pthread_mutex_unlock(&failures->lock);
}
