/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_parse.h - the head of a request in the strict subset of HTTP/1.1, as pure functions.
 *
 * Two steps: sn_http_scan() looks for the end of the head as bytes arrive (each byte is looked at once, limits and
 * forbidden bytes are noticed at once), sn_http_head_parse() then reads the whole head. Nothing is allocated; slices
 * point into the bytes given. Whatever two readers of HTTP could understand differently is refused.
 */
#ifndef SN_NET_HTTP_PARSE_H
#define SN_NET_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "net/message.h"

enum {
    SN_HTTP_MAX_REQUEST_LINE = 8192,  /* without CRLF */
    SN_HTTP_MAX_HEADER_BYTES = 16384, /* all header lines with their CRLF */
    SN_HTTP_MAX_QUERY = 2048,
    SN_HTTP_MAX_PARAM = 1024, /* one parameter: name, '=' and value, as sent */
    SN_HTTP_MAX_PARAMS = 64,
    SN_HTTP_MAX_HEAD = SN_HTTP_MAX_REQUEST_LINE + 2 + SN_HTTP_MAX_HEADER_BYTES + 2,
};

/* Why a request is not served. status 0: it is. */
struct sn_http_refusal {
    int status;
    const char *code;    /* of the API */
    const char *message; /* fixed text, for the answer */
    bool has_no_body;    /* the method was HEAD: the answer must not carry its body */
};

struct sn_http_rules {
    size_t max_body;
    bool lenient_content_type; /* any Content-Type on a POST body */
    bool allow_percent_path;   /* '%' in the path, and a query that is not examined */
};

/* Progress of the search for the end of the head; starts zeroed. */
struct sn_http_scan {
    size_t pos;        /* bytes looked at */
    size_t line_start; /* offset of the line that pos is in */
    size_t headers_at; /* offset behind the request line; 0: not reached */
    size_t lines;      /* complete header lines */
    size_t head_len;   /* the head with its empty line, once found */
};

enum sn_http_scan_result { SN_HTTP_SCAN_MORE, SN_HTTP_SCAN_DONE, SN_HTTP_SCAN_REFUSED };

/* Goes on in bytes, which must begin with what was seen before. */
enum sn_http_scan_result sn_http_scan(
    struct sn_http_scan *scan, struct sn_slice bytes, struct sn_http_refusal *out_refusal);

struct sn_http_head {
    size_t body_len;
    bool close; /* the client wants the connection closed behind the answer */
};

/*
 * Reads a head that sn_http_scan() found complete (head: exactly head_len bytes). Fills method, path, query and headers
 * of the request; everything else in it is left alone. False: refused.
 */
bool sn_http_head_parse(struct sn_slice head, const struct sn_http_rules *rules, struct sn_request *request,
    struct sn_http_head *out_head, struct sn_http_refusal *out_refusal);

/* Limits, escapes, UTF-8 and repetition in a query string. False: refused with 400 INVALID_REQUEST. */
bool sn_http_query_check(struct sn_slice query, struct sn_http_refusal *out_refusal);

/* The Host of a request, which sn_http_head_parse() found to be there once. */
struct sn_slice sn_http_host(const struct sn_request *request);

#endif
