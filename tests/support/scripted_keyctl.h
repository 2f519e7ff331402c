/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/scripted_keyctl.h - a small stand-in for the kernel's keyrings, which asserts what must never happen.
 *
 * One per test program; included behind test.h.
 */
#ifndef SN_TESTS_SUPPORT_SCRIPTED_KEYCTL_H
#define SN_TESTS_SUPPORT_SCRIPTED_KEYCTL_H

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "platform/kernel_ring.h"

enum { PROCESS_RING = -2, USER_RING = -4, KEYS_MAX = 16 };

struct key {
    bool is_used, is_ring, in_ring, in_user, is_expired;
    char description[64];
    char payload[SN_KERNEL_RING_MAX_BYTES];
    size_t len;
    uint32_t mask;
    int64_t timeout_s;
};

static struct {
    int refuse_link;  /* errno, or 0 */
    int quota_errors; /* answers of add_key that are EDQUOT */
    bool is_old;      /* knows no KEYCTL_MOVE */
    struct key keys[KEYS_MAX];
    int calls;
} kernel;

static struct key *key_of(int64_t id)
{
    return id >= 100 && id < 100 + KEYS_MAX && kernel.keys[id - 100].is_used ? &kernel.keys[id - 100] : NULL;
}

static int64_t scripted_add_key(
    void *ctx, const char *type, const char *description, const void *payload, size_t len, int64_t ring)
{
    (void)ctx;
    kernel.calls++;
    assert_int_equal(ring, PROCESS_RING); /* nothing is ever made where others could meet it */
    if (kernel.quota_errors > 0 && strcmp(type, "user") == 0) {
        kernel.quota_errors--;
        return -EDQUOT;
    }
    for (int i = 0; i < KEYS_MAX; i++) {
        struct key *key = &kernel.keys[i];
        if (!key->is_used) {
            *key =
                (struct key){.is_used = true, .is_ring = strcmp(type, "keyring") == 0, .mask = 0x3f010000, .len = len};
            snprintf(key->description, sizeof(key->description), "%s", description);
            assert_true(len < sizeof(key->payload));
            if (len > 0) {
                memcpy(key->payload, payload, len);
            }
            return 100 + i;
        }
    }
    return -EDQUOT;
}

static int64_t find_key(int64_t where, const char *type, const char *description)
{
    for (int i = 0; i < KEYS_MAX; i++) {
        const struct key *key = &kernel.keys[i];
        if (key->is_used && (where == USER_RING ? key->in_user : key->in_ring) &&
            key->is_ring == (strcmp(type, "keyring") == 0) && strcmp(key->description, description) == 0) {
            return key->is_expired ? -EKEYEXPIRED : 100 + i;
        }
    }
    return -ENOKEY;
}

/* Others can meet it from now on. */
static int64_t publish(struct key *key, int64_t where)
{
    assert_int_equal(key->mask, SN_KERNEL_RING_MASK);
    if (where == USER_RING) {
        assert_true(key->is_ring);
        key->in_user = true;
        return 0;
    }
    assert_true(key->timeout_s > 0);
    assert_non_null(key_of(where));
    for (int i = 0; i < KEYS_MAX; i++) { /* one of that description at a time */
        if (kernel.keys[i].in_ring && strcmp(kernel.keys[i].description, key->description) == 0) {
            kernel.keys[i] = (struct key){0};
        }
    }
    key->in_ring = true;
    return 0;
}

static int64_t describe(const struct key *key, char *out, size_t size)
{
    if (key->is_expired) {
        return -EKEYEXPIRED;
    }
    return snprintf(out, size, "%s;%u;%u;%08x;%s", key->is_ring ? "keyring" : "user", (unsigned)geteuid(),
               (unsigned)getegid(), key->mask, key->description) +
           1;
}

static int64_t read_ring(int32_t *out, size_t size)
{
    size_t count = 0;

    for (int i = 0; i < KEYS_MAX; i++) {
        if (kernel.keys[i].in_ring && (count + 1) * sizeof(*out) <= size) {
            out[count++] = 100 + i;
        }
    }
    return (int64_t)(count * sizeof(*out));
}

static int64_t scripted_control(void *ctx, int operation, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    struct key *key = key_of((int64_t)a);

    (void)ctx;
    (void)d;
    kernel.calls++;
    switch (operation) {
    case 8: /* link */
        if ((int64_t)a == USER_RING) {
            return -kernel.refuse_link;
        }
        return publish(key, (int64_t)b);
    case 30: /* move */
        return kernel.is_old                                          ? -EOPNOTSUPP
               : find_key(USER_RING, "keyring", key->description) > 0 ? -EEXIST
                                                                      : publish(key, USER_RING);
    case 10: /* search */
        return find_key((int64_t)a, (const char *)b, (const char *)c);
    default:
        break;
    }
    if (key == NULL) {
        return -ENOKEY;
    }
    switch (operation) {
    case 5:
        key->mask = (uint32_t)b;
        return 0;
    case 6:
        return describe(key, (char *)b, (size_t)c);
    case 9:
        key->in_ring = key->in_ring && (int64_t)b == PROCESS_RING;
        key->in_user = key->in_user && (int64_t)b != USER_RING;
        key->is_used = key->in_ring || key->in_user;
        return 0;
    case 11:
        if (key->is_ring) {
            return read_ring((int32_t *)b, (size_t)c);
        }
        if (b != 0 && c >= key->len) {
            memcpy((char *)b, key->payload, key->len);
        }
        return (int64_t)key->len;
    case 15:
        key->timeout_s = (int64_t)b;
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

static const struct sn_keyctl keyctl = {scripted_add_key, scripted_control, NULL};

#endif
