/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/kernel.c - the kernel keyring "aws-vault": in memory only, gone with the next start of the machine.
 *
 * Items are the bare data. What the permission mask keeps out, and what it does not, stands in platform/kernel_ring.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "keyring/backends.h"
#include "platform/kernel_ring.h"

struct state {
    struct sn_kernel_ring ring;
    const struct sn_clock *clock;
};

static enum sn_status open_kernel(const struct sn_keyring_options *options, void **out_state, struct sn_error *err)
{
    const struct sn_keyctl *keyctl = options->keyctl != NULL ? options->keyctl : sn_keyctl_system();
    struct state *state = sn_alloc(1, sizeof(*state));

    state->clock = options->clock;
    if (!sn_kernel_ring_open(&state->ring, keyctl, SN_KEYRING_SERVICE)) {
        sn_free(state);
        return sn_fail(err, SN_UNAVAILABLE, "KEYRING_UNAVAILABLE", "the kernel refuses keyrings here");
    }
    *out_state = state;
    return SN_OK;
}

static void close_kernel(void *state)
{
    sn_free(state);
}

static enum sn_status not_found(const char *key, struct sn_error *err)
{
    return sn_fail(err, SN_NOT_FOUND, "KEYRING_NOT_FOUND", "the kernel keyring has no item '%.200s'", key);
}

static enum sn_status get(void *ctx, const char *key, struct sn_secret *out_data, struct sn_error *err)
{
    struct state *state = ctx;

    switch (sn_kernel_ring_read(&state->ring, key, out_data)) {
    case SN_KEY_PRESENT:
        return SN_OK;
    case SN_KEY_ABSENT:
        return not_found(key, err);
    case SN_KEY_SPOILED:
        break;
    }
    (void)sn_fail(err, SN_PROTOCOL, "KEYRING_CORRUPT",
        "item '%.200s' of the kernel keyring belongs to somebody else, or its permissions were changed", key);
    return sn_suggest(err, "look at it with 'keyctl show @u', and unlink it");
}

static enum sn_status set(void *ctx, const struct sn_keyring_item *item, struct sn_error *err)
{
    struct state *state = ctx;
    char key[SN_KEYRING_KEY_MAX + 1];
    int64_t timeout_s = 0;

    (void)snprintf(key, sizeof(key), "%.*s", SN_PRI(item->key));
    if (item->expires_unix_s != 0) {
        timeout_s = item->expires_unix_s - sn_clock_unix_s(state->clock);
        if (timeout_s <= 0) {
            return SN_OK; /* it has expired: keeping it is as good as not */
        }
    }
    if (item->data->len > SN_KERNEL_RING_MAX_BYTES) {
        return sn_fail(err, SN_LIMIT, "KEYRING_ITEM_TOO_LARGE", "an item of the kernel keyring has at most %d bytes",
            SN_KERNEL_RING_MAX_BYTES);
    }
    int result = sn_kernel_ring_put(&state->ring, key, sn_secret_reveal(item->data), timeout_s);
    if (result == -EDQUOT) {
        (void)sn_fail(err, SN_UNAVAILABLE, "KEYRING_UNAVAILABLE",
            "your quota of kernel keys is spent (/proc/sys/kernel/keys/maxbytes and maxkeys)");
        return sn_suggest(err, "make room with 'sentinel vault clear'");
    }
    if (result != 0) {
        return sn_fail_errno(err, "KEYRING_UNAVAILABLE", -result, "the kernel keyring takes no item");
    }
    return SN_OK;
}

static enum sn_status remove_item(void *ctx, const char *key, struct sn_error *err)
{
    struct state *state = ctx;
    SN_AUTO(sn_secret_clear) struct sn_secret data = {0};

    if (sn_kernel_ring_read(&state->ring, key, &data) == SN_KEY_ABSENT) {
        return not_found(key, err);
    }
    sn_kernel_ring_remove(&state->ring, key);
    return SN_OK;
}

static enum sn_status too_many(struct sn_error *err)
{
    return sn_fail(err, SN_LIMIT, "KEYRING_TOO_MANY", "the keyring holds more than %d items", SN_KEYRING_ITEMS_MAX);
}

static bool add_key(void *ctx, struct sn_slice description)
{
    return sn_keyring_keys_add(ctx, description);
}

static enum sn_status keys(void *ctx, struct sn_keyring_keys *out_keys, struct sn_error *err)
{
    struct state *state = ctx;

    return sn_kernel_ring_list(&state->ring, add_key, out_keys) ? SN_OK : too_many(err);
}

const struct sn_keyring_backend sn_keyring_kernel = {
    .name = "keyctl",
    .open = open_kernel,
    .close = close_kernel,
    .get = get,
    .set = set,
    .remove = remove_item,
    .keys = keys,
};
