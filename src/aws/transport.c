/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/transport.c - the wait between two tries.
 */
#include "aws/transport.h"

#include <errno.h>
#include <time.h>

void sn_transport_sleep_ms(void *ctx, int ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)ctx;
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}
