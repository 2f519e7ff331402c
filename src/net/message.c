/* SPDX-License-Identifier: Apache-2.0 */
/* net/message.c - requests and responses in memory; see message.h. */
#include "net/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct sn_slice *sn_request_header(const struct sn_request *request, const char *name)
{
    struct sn_slice wanted = sn_slice_str(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (sn_slice_eq_nocase(request->headers[i].name, wanted)) {
            return &request->headers[i].value;
        }
    }
    return NULL;
}

size_t sn_request_header_count(const struct sn_request *request, const char *name)
{
    struct sn_slice wanted = sn_slice_str(name);
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        count += sn_slice_eq_nocase(request->headers[i].name, wanted) ? 1U : 0U;
    }
    return count;
}

static bool is_header_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f) {
            return false;
        }
    }
    return true;
}

void sn_response_header(struct sn_response *response, const char *name, const char *format, ...)
{
    SN_ASSERT(response->header_count < SN_RESPONSE_MAX_HEADERS);
    size_t name_len = strlen(name);
    char *to_name = response->headers[response->header_count].name;
    char *to_value = response->headers[response->header_count].value;
    SN_ASSERT(name_len > 0 && name_len < sizeof(response->headers[0].name) && is_header_text(name));
    memcpy(to_name, name, name_len + 1);

    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(to_value, sizeof(response->headers[0].value), format, arguments);
    va_end(arguments);
    SN_ASSERT(len >= 0 && (size_t)len < sizeof(response->headers[0].value) && is_header_text(to_value));
    response->header_count++;
}

const char *sn_response_find_header(const struct sn_response *response, const char *name)
{
    struct sn_slice wanted = sn_slice_str(name);
    for (size_t i = 0; i < response->header_count; i++) {
        if (sn_slice_eq_nocase(sn_slice_str(response->headers[i].name), wanted)) {
            return response->headers[i].value;
        }
    }
    return NULL;
}

void sn_response_clear(struct sn_response *response)
{
    sn_buf_clear(&response->body);
    response->status = 0;
    response->content_type = NULL;
    response->header_count = 0;
    response->close = false;
}

const char *sn_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {302, "Found"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (rows[i].status == status) {
            return rows[i].reason;
        }
    }
    return "Unknown";
}
