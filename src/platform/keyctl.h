/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/keyctl.h - the two system calls of the Linux kernel keyring, as a table that tests can replace.
 *
 * Both return what the kernel gives, or a negative errno; where there is no such kernel, -ENOSYS. No library is needed.
 */
#ifndef SN_PLATFORM_KEYCTL_H
#define SN_PLATFORM_KEYCTL_H

#include <stddef.h>
#include <stdint.h>

struct sn_keyctl {
    int64_t (*add_key)(
        void *ctx, const char *type, const char *description, const void *payload, size_t len, int64_t ring);
    int64_t (*control)(void *ctx, int operation, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d);
    void *ctx;
};

/* The system's; refuses everything (-EPERM) in a set-uid or set-gid process. */
const struct sn_keyctl *sn_keyctl_system(void);

#endif
