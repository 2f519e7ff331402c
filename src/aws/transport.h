/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/transport.h - how a client reaches its server and how it waits, as a table that tests replace.
 *
 * Products leave it out and get net/client.h and the system's sleep.
 */
#ifndef SN_AWS_TRANSPORT_H
#define SN_AWS_TRANSPORT_H

#include "base/error.h"
#include "net/client.h"

struct sn_transport {
    /* As sn_http_client_do: any HTTP status is SN_OK. */
    enum sn_status (*send)(
        void *ctx, const struct sn_http_call *call, struct sn_http_reply *out_reply, struct sn_error *err);
    void (*wait_ms)(void *ctx, int ms);
    void *ctx;
};

/* Sleeps; goes on after signals. */
void sn_transport_sleep_ms(void *ctx, int ms);

#endif
