/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/keyctl.c - add_key and keyctl by number: the C library has no names for them.
 */
#include "platform/keyctl.h"

#include <errno.h>
#include <unistd.h>

#ifdef __linux__

#include <sys/auxv.h>
#include <sys/syscall.h>

/* Another user's rights must not be used on behalf of the one who calls. */
static int refused(void)
{
    return getauxval(AT_SECURE) != 0 || getuid() != geteuid() || getgid() != getegid();
}

static int64_t add_key(
    void *ctx, const char *type, const char *description, const void *payload, size_t len, int64_t ring)
{
    (void)ctx;
    if (refused()) {
        return -EPERM;
    }
    long result = syscall(SYS_add_key, type, description, payload, len, ring);
    return result < 0 ? -errno : result;
}

static int64_t control(void *ctx, int operation, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    (void)ctx;
    if (refused()) {
        return -EPERM;
    }
    long result = syscall(SYS_keyctl, (long)operation, a, b, c, d);
    return result < 0 ? -errno : result;
}

#else

static int64_t add_key(
    void *ctx, const char *type, const char *description, const void *payload, size_t len, int64_t ring)
{
    (void)ctx, (void)type, (void)description, (void)payload, (void)len, (void)ring;
    return -ENOSYS;
}

static int64_t control(void *ctx, int operation, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    (void)ctx, (void)operation, (void)a, (void)b, (void)c, (void)d;
    return -ENOSYS;
}

#endif

const struct sn_keyctl *sn_keyctl_system(void)
{
    static const struct sn_keyctl keyctl = {.add_key = add_key, .control = control};

    return &keyctl;
}
