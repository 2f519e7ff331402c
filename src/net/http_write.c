/* SPDX-License-Identifier: Apache-2.0 */
/* net/http_write.c - answers of the listener as bytes. */
#include "net/http_write.h"

#include <string.h>

#include "base/time.h"

static void refresh_date(struct sn_http_date *date, int64_t unix_s)
{
    char text[SN_TIME_TEXT_MAX];
    if (date->text[0] != '\0' && date->unix_s == unix_s) {
        return;
    }
    struct sn_slice slice = sn_time_format_http(unix_s, text);
    SN_ASSERT(slice.len < sizeof(date->text));
    memcpy(date->text, slice.ptr, slice.len);
    date->text[slice.len] = '\0';
    date->unix_s = unix_s;
}

void sn_http_write_head(
    struct sn_buf *buf, const struct sn_response *response, bool close, int64_t unix_s, struct sn_http_date *date)
{
    refresh_date(date, unix_s);
    sn_buf_add(buf, SN_S("HTTP/1.1 "));
    sn_buf_add_int(buf, response->status);
    sn_buf_add_byte(buf, ' ');
    sn_buf_add_str(buf, sn_http_reason(response->status));
    sn_buf_add(buf, SN_S("\r\nDate: "));
    sn_buf_add_str(buf, date->text);
    sn_buf_add(buf, SN_S("\r\nContent-Type: "));
    sn_buf_add_str(buf, response->content_type != NULL ? response->content_type : "application/json; charset=utf-8");
    sn_buf_add(buf, SN_S("\r\nContent-Length: "));
    sn_buf_add_int(buf, (int64_t)response->body.len);
    sn_buf_add(buf, SN_S("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"));
    for (size_t i = 0; i < response->header_count; i++) {
        sn_buf_add_str(buf, response->headers[i].name);
        sn_buf_add(buf, SN_S(": "));
        sn_buf_add_str(buf, response->headers[i].value);
        sn_buf_add(buf, SN_S("\r\n"));
    }
    if (close) {
        sn_buf_add(buf, SN_S("Connection: close\r\n"));
    }
    sn_buf_add(buf, SN_S("\r\n"));
}
