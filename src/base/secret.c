/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/secret.c - a pool of locked pages for secrets; see secret.h.
 *
 * Slots of a few fixed sizes are cut from chunks that are mapped once, locked (best effort: RLIMIT_MEMLOCK may forbid
 * it), left out of core dumps and never given back; a freed slot is wiped and reused. Larger secrets get a mapping of
 * their own. A size class is found again from the length alone, so a slot needs no header.
 */
#include "base/secret.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"

enum { CHUNK_BYTES = 64 * 1024, PAGE_BYTES = 4096 };

struct free_slot {
    struct free_slot *next;
};

static const size_t class_bytes[] = {64, 256, 2048, 8192};

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct free_slot *pool_free[SN_LEN(class_bytes)];

static void *map_locked(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        sn_alloc_failed();
    }
    (void)mlock(memory, bytes);
    (void)madvise(memory, bytes, MADV_DONTDUMP);
    return memory;
}

/* Index of the smallest class that holds len bytes, or SN_LEN(class_bytes). */
static size_t class_of(size_t len)
{
    size_t i = 0;

    while (i < SN_LEN(class_bytes) && class_bytes[i] < len) {
        i++;
    }
    return i;
}

static size_t mapping_bytes(size_t len)
{
    if (len > SIZE_MAX / 2) {
        sn_alloc_failed();
    }
    return (len + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

static unsigned char *slot_take(size_t len)
{
    size_t class = class_of(len);

    if (class == SN_LEN(class_bytes)) {
        return map_locked(mapping_bytes(len));
    }
    pthread_mutex_lock(&pool_lock);
    if (pool_free[class] == NULL) {
        unsigned char *chunk = map_locked(CHUNK_BYTES);
        for (size_t at = 0; at + class_bytes[class] <= CHUNK_BYTES; at += class_bytes[class]) {
            struct free_slot *slot = (struct free_slot *)(void *)(chunk + at);
            slot->next = pool_free[class];
            pool_free[class] = slot;
        }
    }
    struct free_slot *slot = pool_free[class];
    pool_free[class] = slot->next;
    slot->next = NULL;
    pthread_mutex_unlock(&pool_lock);
    return (unsigned char *)slot;
}

static void slot_give(unsigned char *bytes, size_t len)
{
    size_t class = class_of(len);

    sn_wipe(bytes, len);
    if (class == SN_LEN(class_bytes)) {
        munmap(bytes, mapping_bytes(len));
        return;
    }
    struct free_slot *slot = (struct free_slot *)(void *)bytes;
    pthread_mutex_lock(&pool_lock);
    slot->next = pool_free[class];
    pool_free[class] = slot;
    pthread_mutex_unlock(&pool_lock);
}

void sn_secret_alloc(struct sn_secret *secret, size_t len)
{
    sn_secret_clear(secret);
    if (len > 0) {
        secret->bytes = slot_take(len);
        secret->len = len;
    }
}

void sn_secret_set(struct sn_secret *secret, struct sn_slice bytes)
{
    /* The new bytes may lie inside the old secret. */
    struct sn_secret fresh = {0};

    sn_secret_alloc(&fresh, bytes.len);
    if (bytes.len > 0) {
        memcpy(fresh.bytes, bytes.ptr, bytes.len);
    }
    sn_secret_clear(secret);
    *secret = fresh;
}

void sn_secret_move(struct sn_secret *to, struct sn_secret *from)
{
    struct sn_secret moved = *from;

    *from = (struct sn_secret){0};
    sn_secret_clear(to);
    *to = moved;
}

void sn_secret_clear(struct sn_secret *secret)
{
    if (secret->bytes != NULL) {
        slot_give(secret->bytes, secret->len);
    }
    *secret = (struct sn_secret){0};
}

bool sn_secret_is_set(const struct sn_secret *secret)
{
    return secret->len > 0;
}

struct sn_slice sn_secret_reveal(const struct sn_secret *secret)
{
    return (struct sn_slice){(const char *)secret->bytes, secret->len};
}

bool sn_slice_eq_const_time(struct sn_slice a, struct sn_slice b)
{
    unsigned difference = 0;

    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        difference |= (unsigned)((unsigned char)a.ptr[i] ^ (unsigned char)b.ptr[i]);
        /* Keeps the compiler from leaving the loop at the first difference. */
        __asm__ volatile("" : "+r"(difference));
    }
    return difference == 0;
}

bool sn_secret_eq(const struct sn_secret *a, const struct sn_secret *b)
{
    return sn_slice_eq_const_time(sn_secret_reveal(a), sn_secret_reveal(b));
}

bool sn_secret_eq_slice(const struct sn_secret *a, struct sn_slice b)
{
    return sn_slice_eq_const_time(sn_secret_reveal(a), b);
}

void sn_wipe(void *memory, size_t len)
{
    if (len > 0) {
        explicit_bzero(memory, len);
    }
}
