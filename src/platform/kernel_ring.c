/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/kernel_ring.c - possession, masks and the order of steps; the manual pages keyrings(7) and keyctl(2) say
 * why.
 */
#include "platform/kernel_ring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

/* Of linux/keyctl.h, which other systems lack. */
enum {
    RING_PROCESS = -2,
    RING_USER = -4,
    OP_UPDATE_PERM = 5,
    OP_DESCRIBE = 6,
    OP_LINK = 8,
    OP_UNLINK = 9,
    OP_SEARCH = 10,
    OP_READ = 11,
    OP_SET_TIMEOUT = 15,
    OP_MOVE = 30,
    MOVE_EXCL = 1,
};
enum { DESCRIPTION_MAX = 1152, ITEMS_MAX = SN_KERNEL_RING_ITEMS_MAX };

static int64_t control(const struct sn_kernel_ring *ring, int operation, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return ring->keyctl->control(ring->keyctl->ctx, operation, (uintptr_t)a, (uintptr_t)b, (uintptr_t)c, (uintptr_t)d);
}

static int64_t search(const struct sn_kernel_ring *ring, int64_t where, const char *type, const char *description)
{
    return control(ring, OP_SEARCH, where, (intptr_t)type, (intptr_t)description, 0);
}

/* "type;uid;gid;mask;description": is it ours alone? Its description is borrowed from text. */
static bool describe(const struct sn_kernel_ring *ring, int64_t key, const char *type, char text[DESCRIPTION_MAX],
    struct sn_slice *out_description)
{
    char expected[16];
    struct sn_slice rest;
    struct sn_slice field[4];

    int64_t len = control(ring, OP_DESCRIBE, key, (intptr_t)text, DESCRIPTION_MAX, 0);
    if (len <= 0 || len > DESCRIPTION_MAX) {
        return false;
    }
    rest = sn_slice_bytes(text, (size_t)len - 1);
    for (size_t i = 0; i < SN_LEN(field); i++) {
        if (!sn_slice_cut(rest, ';', &field[i], &rest)) {
            return false;
        }
    }
    (void)snprintf(expected, sizeof(expected), "%u", (unsigned)geteuid());
    if (!sn_slice_eq_str(field[0], type) || !sn_slice_eq_str(field[1], expected)) {
        return false;
    }
    (void)snprintf(expected, sizeof(expected), "%08x", SN_KERNEL_RING_MASK);
    *out_description = rest;
    return sn_slice_eq_str(field[3], expected);
}

static bool is_ours(const struct sn_kernel_ring *ring, int64_t key, const char *type)
{
    char text[DESCRIPTION_MAX];
    struct sn_slice description;

    return describe(ring, key, type, text, &description);
}

static void find_ring(struct sn_kernel_ring *ring)
{
    int64_t id = search(ring, RING_USER, "keyring", ring->name);

    ring->id = id > 0 && is_ours(ring, id, "keyring") ? id : 0;
}

bool sn_kernel_ring_open(struct sn_kernel_ring *ring, const struct sn_keyctl *keyctl, const char *name)
{
    *ring = (struct sn_kernel_ring){.keyctl = keyctl};
    (void)snprintf(ring->name, sizeof(ring->name), "%s", name);
    /* Without it a session keyring that does not link the user keyring leaves us without possession of our items. */
    if (control(ring, OP_LINK, RING_USER, RING_PROCESS, 0, 0) < 0) {
        return false;
    }
    find_ring(ring);
    return true;
}

/* Made in our own keyring, so that nobody meets it without its mask; moved unless somebody was faster. */
static int make_ring(struct sn_kernel_ring *ring)
{
    int64_t wrong = search(ring, RING_USER, "keyring", ring->name);
    int64_t id = ring->keyctl->add_key(ring->keyctl->ctx, "keyring", ring->name, NULL, 0, RING_PROCESS);
    int64_t result = id;

    if (id > 0) {
        result = control(ring, OP_UPDATE_PERM, id, SN_KERNEL_RING_MASK, 0, 0);
    }
    if (result >= 0 && wrong > 0) {
        (void)control(ring, OP_UNLINK, wrong, RING_USER, 0, 0);
    }
    if (result >= 0) {
        result = control(ring, OP_MOVE, id, RING_PROCESS, RING_USER, MOVE_EXCL);
        if (result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL) { /* before Linux 5.3 */
            result = control(ring, OP_LINK, id, RING_USER, 0, 0);
        }
    }
    if (id > 0) {
        (void)control(ring, OP_UNLINK, id, RING_PROCESS, 0, 0); /* where a move has not done it */
    }
    if (result < 0 && result != -EEXIST) {
        return (int)result;
    }
    find_ring(ring);
    return ring->id > 0 ? 0 : -ENOKEY;
}

static enum sn_key_state read_key(const struct sn_kernel_ring *ring, int64_t key, struct sn_secret *out_payload)
{
    if (!is_ours(ring, key, "user")) {
        return SN_KEY_SPOILED;
    }
    int64_t len = control(ring, OP_READ, key, 0, 0, 0);
    if (len < 0) {
        return SN_KEY_ABSENT;
    }
    if (len == 0 || len > SN_KERNEL_RING_MAX_BYTES) {
        return SN_KEY_SPOILED;
    }
    sn_secret_alloc(out_payload, (size_t)len);
    if (control(ring, OP_READ, key, (intptr_t)out_payload->bytes, len, 0) != len) {
        sn_secret_clear(out_payload);
        return SN_KEY_ABSENT;
    }
    return SN_KEY_PRESENT;
}

enum sn_key_state sn_kernel_ring_read(
    struct sn_kernel_ring *ring, const char *description, struct sn_secret *out_payload)
{
    int64_t key = ring->id == 0 ? 0 : search(ring, ring->id, "user", description);

    if (key <= 0) { /* another process may have made the keyring meanwhile */
        find_ring(ring);
        key = ring->id == 0 ? 0 : search(ring, ring->id, "user", description);
    }
    return key <= 0 ? SN_KEY_ABSENT : read_key(ring, key, out_payload);
}

int sn_kernel_ring_put(struct sn_kernel_ring *ring, const char *description, struct sn_slice payload, int64_t timeout_s)
{
    if (ring->id == 0) {
        find_ring(ring);
    }
    int made = ring->id == 0 ? make_ring(ring) : 0;
    if (made != 0) {
        return made;
    }
    int64_t key = ring->keyctl->add_key(ring->keyctl->ctx, "user", description, payload.ptr, payload.len, RING_PROCESS);
    if (key < 0) {
        return (int)key;
    }
    int64_t result = control(ring, OP_UPDATE_PERM, key, SN_KERNEL_RING_MASK, 0, 0);
    if (result >= 0) {
        result = control(ring, OP_SET_TIMEOUT, key, timeout_s, 0, 0);
    }
    if (result >= 0) {
        result = control(ring, OP_LINK, key, ring->id, 0, 0);
    }
    (void)control(ring, OP_UNLINK, key, RING_PROCESS, 0, 0);
    return result < 0 ? (int)result : 0;
}

void sn_kernel_ring_remove(const struct sn_kernel_ring *ring, const char *description)
{
    int64_t key = ring->id == 0 ? 0 : search(ring, ring->id, "user", description);

    if (key > 0) {
        (void)control(ring, OP_UNLINK, key, ring->id, 0, 0);
    }
}

void sn_kernel_ring_trim(const struct sn_kernel_ring *ring, int64_t (*end_of)(struct sn_slice payload))
{
    int32_t keys[ITEMS_MAX];
    int64_t first = 0;
    int64_t first_end = INT64_MAX;

    int64_t len = ring->id == 0 ? 0 : control(ring, OP_READ, ring->id, (intptr_t)keys, sizeof(keys), 0);
    if (len > (int64_t)sizeof(keys)) {
        len = sizeof(keys);
    }
    for (int64_t i = 0; i < len / (int64_t)sizeof(keys[0]); i++) {
        SN_AUTO(sn_secret_clear) struct sn_secret payload = {0};
        if (read_key(ring, keys[i], &payload) != SN_KEY_PRESENT) {
            (void)control(ring, OP_UNLINK, keys[i], ring->id, 0, 0);
            continue;
        }
        int64_t end = end_of(sn_secret_reveal(&payload));
        if (end < first_end) {
            first = keys[i];
            first_end = end;
        }
    }
    if (first > 0) {
        (void)control(ring, OP_UNLINK, first, ring->id, 0, 0);
    }
}

bool sn_kernel_ring_list(struct sn_kernel_ring *ring, bool (*tell)(void *ctx, struct sn_slice description), void *ctx)
{
    int32_t keys[ITEMS_MAX];
    char text[DESCRIPTION_MAX];

    find_ring(ring);
    int64_t len = ring->id == 0 ? 0 : control(ring, OP_READ, ring->id, (intptr_t)keys, sizeof(keys), 0);
    if (len > (int64_t)sizeof(keys)) {
        return false;
    }
    for (int64_t i = 0; i < len / (int64_t)sizeof(keys[0]); i++) {
        struct sn_slice description;
        if (describe(ring, keys[i], "user", text, &description) && !tell(ctx, description)) {
            return false;
        }
    }
    return true;
}
