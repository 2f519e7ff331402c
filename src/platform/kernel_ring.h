/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/kernel_ring.h - one named keyring of the user in the kernel, and the items in it.
 *
 * Items are of type "user", live in memory only, end by a kernel timeout, and are open to possessors alone: the
 * permission mask is SN_KERNEL_RING_MASK on the keyring and on every item. It keeps out other users, and code that
 * cannot reach the user keyring; it does not keep out hostile code of the same user. Used by one thread.
 */
#ifndef SN_PLATFORM_KERNEL_RING_H
#define SN_PLATFORM_KERNEL_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/slice.h"
#include "platform/keyctl.h"

#define SN_KERNEL_RING_MASK 0x3f000000u /* possessor: all; user, group, others: nothing */

enum { SN_KERNEL_RING_MAX_BYTES = 16384, SN_KERNEL_RING_NAME_MAX = 64, SN_KERNEL_RING_ITEMS_MAX = 256 };

struct sn_kernel_ring {
    const struct sn_keyctl *keyctl;
    char name[SN_KERNEL_RING_NAME_MAX];
    int64_t id; /* 0: there is no such keyring yet */
};

enum sn_key_state {
    SN_KEY_ABSENT,
    SN_KEY_PRESENT,
    SN_KEY_SPOILED, /* another owner, type or mask, or too long */
};

/* Finds the keyring. False: the kernel refuses keyrings here. */
bool sn_kernel_ring_open(struct sn_kernel_ring *ring, const struct sn_keyctl *keyctl, const char *name);
enum sn_key_state sn_kernel_ring_read(
    struct sn_kernel_ring *ring, const char *description, struct sn_secret *out_payload);
/*
 * Puts an item in the place of the one of that description, in one step; it is never there without mask and timeout
 * (0: none).
 * Makes the keyring when needed. 0 or a negative errno: -EDQUOT when the user's quota is spent.
 */
int sn_kernel_ring_put(
    struct sn_kernel_ring *ring, const char *description, struct sn_slice payload, int64_t timeout_s);
void sn_kernel_ring_remove(const struct sn_kernel_ring *ring, const char *description);
/*
 * Tells the descriptions of the items that are ours, in no order, while tell returns true. False: it did not; or there
 * are more than SN_KERNEL_RING_ITEMS_MAX.
 */
bool sn_kernel_ring_list(struct sn_kernel_ring *ring, bool (*tell)(void *ctx, struct sn_slice description), void *ctx);
/*
 * Makes room: removes items that have expired or are spoiled, and of the others the one for which end_of is least.
 * end_of may not keep the payload.
 */
void sn_kernel_ring_trim(const struct sn_kernel_ring *ring, int64_t (*end_of)(struct sn_slice payload));

#endif
