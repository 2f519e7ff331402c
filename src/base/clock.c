/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.c - the system's clocks; see clock.h. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

#include "base/defs.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    SN_ASSERT(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t system_unix_ns(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono_ns(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_boot_ns(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_BOOTTIME);
}

const struct sn_clock *sn_clock_system(void)
{
    static const struct sn_clock clock = {
        .unix_ns = system_unix_ns, .mono_ns = system_mono_ns, .boot_ns = system_boot_ns};

    return &clock;
}

int64_t sn_clock_unix_ms(const struct sn_clock *clock)
{
    return clock->unix_ns(clock->ctx) / 1000000;
}

int64_t sn_clock_unix_s(const struct sn_clock *clock)
{
    return clock->unix_ns(clock->ctx) / 1000000000;
}

int64_t sn_clock_mono_ms(const struct sn_clock *clock)
{
    return clock->mono_ns(clock->ctx) / 1000000;
}

int64_t sn_clock_boot_ns(const struct sn_clock *clock)
{
    return clock->boot_ns != NULL ? clock->boot_ns(clock->ctx) : clock->mono_ns(clock->ctx);
}
