/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_write.h - the head of an answer.
 */
#ifndef SN_NET_HTTP_WRITE_H
#define SN_NET_HTTP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/message.h"

/* The Date header's text, made once a second; one a thread. Starts zeroed. */
struct sn_http_date {
    int64_t unix_s;
    char text[40];
};

/*
 * Appends status line and headers with the empty line behind them: Date, Content-Type, Content-Length, Cache-Control,
 * X-Content-Type-Options, the answer's own, and Connection: close where it is the last one.
 */
void sn_http_write_head(
    struct sn_buf *buf, const struct sn_response *response, bool close, int64_t unix_s, struct sn_http_date *date);

#endif
