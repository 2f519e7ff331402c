/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/clock.h - the time, as a table that tests can replace.
 */
#ifndef SN_BASE_CLOCK_H
#define SN_BASE_CLOCK_H

#include <stdint.h>

struct sn_clock {
    int64_t (*unix_ns)(void *ctx); /* wall clock */
    int64_t (*mono_ns)(void *ctx); /* never runs backwards; for waits and ages */
    void *ctx;
    /* As mono_ns, going on while the machine sleeps; NULL: mono_ns serves. For ages that must not be stretched. */
    int64_t (*boot_ns)(void *ctx);
};

/* The system's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME). */
const struct sn_clock *sn_clock_system(void);

int64_t sn_clock_unix_ms(const struct sn_clock *clock);
int64_t sn_clock_unix_s(const struct sn_clock *clock);
int64_t sn_clock_boot_ns(const struct sn_clock *clock);
int64_t sn_clock_mono_ms(const struct sn_clock *clock);

#endif
