/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/transport.c - the wait between two tries.
 */
#include "aws/transport.h"

#include "base/task.h"

void sn_transport_sleep_ms(void *ctx, int ms)
{
    (void)ctx;
    sn_task_sleep_ms(ms);
}
