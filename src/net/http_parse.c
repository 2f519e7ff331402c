/* SPDX-License-Identifier: Apache-2.0 */
/* net/http_parse.c - the strict subset of HTTP/1.1 that the listener reads. */
#include "net/http_parse.h"

#include <stdint.h>
#include <string.h>

static const char malformed_http[] = "Malformed HTTP request";
static const char malformed_request[] = "Malformed request";

static bool refuse(struct sn_http_refusal *refusal, int status, const char *code, const char *message)
{
    refusal->status = status;
    refusal->code = code;
    refusal->message = message;
    return false;
}

static bool refuse_malformed(struct sn_http_refusal *refusal)
{
    return refuse(refusal, 400, "MALFORMED_HTTP", malformed_http);
}

/* --- The end of the head --- */

static enum sn_http_scan_result scan_refused(
    struct sn_http_refusal *refusal, int status, const char *code, const char *message)
{
    (void)refuse(refusal, status, code, message);
    return SN_HTTP_SCAN_REFUSED;
}

static bool is_line_too_long(const struct sn_http_scan *scan, size_t pos, struct sn_http_refusal *refusal)
{
    if (scan->headers_at == 0) {
        if (pos - scan->line_start > SN_HTTP_MAX_REQUEST_LINE) {
            return !refuse(refusal, 414, "URI_TOO_LONG", "Request line is too long");
        }
        return false;
    }
    if (pos - scan->headers_at > SN_HTTP_MAX_HEADER_BYTES) {
        return !refuse(refusal, 431, "HEADERS_TOO_LARGE", "Header section is too large");
    }
    return false;
}

/* A CRLF stands at scan->pos. False: refused. */
static bool end_line(struct sn_http_scan *scan, struct sn_http_refusal *refusal)
{
    bool is_empty = scan->pos == scan->line_start;
    scan->pos += 2;
    if (scan->headers_at == 0) {
        if (is_empty) {
            return refuse_malformed(refusal);
        }
        scan->headers_at = scan->pos;
    } else if (is_empty) {
        scan->head_len = scan->pos;
    } else if (++scan->lines > SN_REQUEST_MAX_HEADERS || scan->pos - scan->headers_at > SN_HTTP_MAX_HEADER_BYTES) {
        return refuse(refusal, 431, "HEADERS_TOO_LARGE", "Header section is too large");
    }
    scan->line_start = scan->pos;
    return true;
}

enum sn_http_scan_result sn_http_scan(
    struct sn_http_scan *scan, struct sn_slice bytes, struct sn_http_refusal *out_refusal)
{
    while (scan->head_len == 0 && scan->pos < bytes.len) {
        unsigned char c = (unsigned char)bytes.ptr[scan->pos];
        if (c == '\r') {
            if (scan->pos + 1 == bytes.len) {
                break;
            }
            if (bytes.ptr[scan->pos + 1] != '\n') {
                return scan_refused(out_refusal, 400, "MALFORMED_HTTP", malformed_http);
            }
            if (!end_line(scan, out_refusal)) {
                return SN_HTTP_SCAN_REFUSED;
            }
            continue;
        }
        if (c < 0x20 || c >= 0x7f) {
            return scan_refused(out_refusal, 400, "MALFORMED_HTTP", malformed_http);
        }
        scan->pos++;
        if (is_line_too_long(scan, scan->pos, out_refusal)) {
            return SN_HTTP_SCAN_REFUSED;
        }
    }
    return scan->head_len != 0 ? SN_HTTP_SCAN_DONE : SN_HTTP_SCAN_MORE;
}

/* --- Request line --- */

static bool is_token(struct sn_slice text)
{
    return text.len > 0 && sn_slice_is_alnum_or(text, "!#$%&'*+-.^_`|~");
}

static bool is_good_path(struct sn_slice path, bool allow_percent)
{
    if (path.len == 0 || path.ptr[0] != '/' || !sn_slice_is_alnum_or(path, allow_percent ? "/._~-%" : "/._~-")) {
        return false;
    }
    struct sn_slice rest = sn_slice_sub(path, 1, path.len);
    while (rest.len > 0) {
        struct sn_slice segment, after;
        bool has_more = sn_slice_cut(rest, '/', &segment, &after);
        if (segment.len == 0 || sn_slice_eq(segment, SN_S(".")) || sn_slice_eq(segment, SN_S(".."))) {
            return false;
        }
        rest = has_more ? after : (struct sn_slice){0};
    }
    return true;
}

static bool parse_version(struct sn_slice version, struct sn_http_refusal *refusal)
{
    if (sn_slice_eq(version, SN_S("HTTP/1.1"))) {
        return true;
    }
    bool is_version = version.len == 8 && sn_slice_has_prefix(version, SN_S("HTTP/")) && version.ptr[5] >= '0' &&
                      version.ptr[5] <= '9' && version.ptr[6] == '.' && version.ptr[7] >= '0' && version.ptr[7] <= '9';
    return is_version ? refuse(refusal, 505, "VERSION_NOT_SUPPORTED", "Only HTTP/1.1 is supported")
                      : refuse_malformed(refusal);
}

static bool parse_request_line(struct sn_slice line, const struct sn_http_rules *rules, struct sn_request *request,
    struct sn_http_refusal *refusal)
{
    struct sn_slice method, rest, target, version;
    if (!sn_slice_cut(line, ' ', &method, &rest) || !sn_slice_cut(rest, ' ', &target, &version) || !is_token(method)) {
        return refuse_malformed(refusal);
    }
    if (!parse_version(version, refusal)) {
        return false;
    }
    struct sn_slice path, query;
    if (!sn_slice_cut(target, '?', &path, &query)) {
        query = (struct sn_slice){0};
    }
    if (sn_slice_has_byte(target, '#') || !is_good_path(path, rules->allow_percent_path)) {
        return refuse_malformed(refusal);
    }
    request->method_text = method;
    request->method = sn_slice_eq(method, SN_S("GET"))    ? SN_METHOD_GET
                      : sn_slice_eq(method, SN_S("POST")) ? SN_METHOD_POST
                                                          : SN_METHOD_OTHER;
    refusal->has_no_body = sn_slice_eq(method, SN_S("HEAD"));
    request->path = path;
    request->query = query;
    return true;
}

/* --- Header lines --- */

static bool has_prefix_nocase(struct sn_slice text, struct sn_slice prefix)
{
    return text.len >= prefix.len && sn_slice_eq_nocase(sn_slice_sub(text, 0, prefix.len), prefix);
}

/* Headers that decide something here or in a proof: two of them could be read differently by two readers. */
static bool must_be_single(struct sn_slice name)
{
    switch (name.len > 0 ? name.ptr[0] | 0x20 : 0) {
    case 'a':
        return sn_slice_eq_nocase(name, SN_S("authorization"));
    case 'c':
        return sn_slice_eq_nocase(name, SN_S("content-type")) || sn_slice_eq_nocase(name, SN_S("content-length"));
    case 'h':
        return sn_slice_eq_nocase(name, SN_S("host"));
    case 'x':
        return has_prefix_nocase(name, SN_S("x-amz-")) || has_prefix_nocase(name, SN_S("x-sentinel-"));
    default:
        return false;
    }
}

static bool is_repeated(const struct sn_request *request, struct sn_slice name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (sn_slice_eq_nocase(request->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* ^(0|[1-9][0-9]{0,8})$ */
static bool parse_length(struct sn_slice text, size_t *out_len)
{
    if (text.len == 0 || text.len > 9 || (text.ptr[0] == '0' && text.len > 1)) {
        return false;
    }
    size_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        value = value * 10 + (size_t)(text.ptr[i] - '0');
    }
    *out_len = value;
    return true;
}

static bool wants_close(struct sn_slice connection)
{
    struct sn_slice part;
    while (sn_slice_next(&connection, ',', &part)) {
        if (sn_slice_eq_nocase(sn_slice_trim(part), SN_S("close"))) {
            return true;
        }
    }
    return false;
}

struct seen {
    bool host, length, expect;
    size_t length_value;
    struct sn_slice content_type;
};

/* What a header means for the framing of this request. False: malformed. */
static bool note_header(const struct sn_header *header, struct seen *seen, struct sn_http_head *head)
{
    switch (header->name.ptr[0] | 0x20) {
    case 'h':
        seen->host = seen->host || sn_slice_eq_nocase(header->name, SN_S("host"));
        return true;
    case 't':
        return !sn_slice_eq_nocase(header->name, SN_S("transfer-encoding"));
    case 'e':
        seen->expect = seen->expect || sn_slice_eq_nocase(header->name, SN_S("expect"));
        return true;
    case 'c':
        if (sn_slice_eq_nocase(header->name, SN_S("content-length"))) {
            seen->length = true;
            return parse_length(header->value, &seen->length_value);
        }
        if (sn_slice_eq_nocase(header->name, SN_S("content-type"))) {
            seen->content_type = header->value;
        } else if (sn_slice_eq_nocase(header->name, SN_S("connection"))) {
            head->close = head->close || wants_close(header->value);
        }
        return true;
    default:
        return true;
    }
}

static bool parse_header_line(
    struct sn_slice line, struct sn_request *request, struct seen *seen, struct sn_http_head *head)
{
    struct sn_header header;
    /* A folded line begins with a blank and a blank before the colon makes the name no token: both end here. */
    if (request->header_count == SN_REQUEST_MAX_HEADERS || !sn_slice_cut(line, ':', &header.name, &header.value) ||
        !is_token(header.name)) {
        return false;
    }
    header.value = sn_slice_trim(header.value);
    if (must_be_single(header.name) && is_repeated(request, header.name)) {
        return false;
    }
    request->headers[request->header_count++] = header;
    return note_header(&header, seen, head);
}

/* "application/json", at most with "; charset=utf-8". */
static bool is_json_type(struct sn_slice value)
{
    struct sn_slice type, parameter;
    bool has_parameter = sn_slice_cut(value, ';', &type, &parameter);
    return sn_slice_eq_nocase(sn_slice_trim(type), SN_S("application/json")) &&
           (!has_parameter || sn_slice_eq_nocase(sn_slice_trim(parameter), SN_S("charset=utf-8")));
}

/* The checks that need all headers, in the order of the answers. */
static bool check_whole(const struct seen *seen, const struct sn_http_rules *rules, struct sn_request *request,
    struct sn_http_head *head, struct sn_http_refusal *refusal)
{
    if (!seen->host || (request->method == SN_METHOD_GET && seen->length_value > 0)) {
        return refuse_malformed(refusal);
    }
    if (seen->expect) {
        return refuse(refusal, 417, "EXPECTATION_FAILED", "Expect is not supported");
    }
    if (request->method == SN_METHOD_OTHER) {
        return refuse(refusal, 405, "METHOD_NOT_ALLOWED", "Method not allowed");
    }
    if (request->method == SN_METHOD_POST && !seen->length) {
        return refuse(refusal, 411, "LENGTH_REQUIRED", "Content-Length is required");
    }
    if (seen->length_value > rules->max_body) {
        return refuse(refusal, 413, "BODY_TOO_LARGE", "Request body is too large");
    }
    if (seen->length_value > 0 && !rules->lenient_content_type && !is_json_type(seen->content_type)) {
        return refuse(refusal, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json");
    }
    if (!rules->allow_percent_path && !sn_http_query_check(request->query, refusal)) {
        return false;
    }
    head->body_len = seen->length_value;
    return true;
}

static struct sn_slice take_line(struct sn_slice *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\r', rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
    struct sn_slice line = sn_slice_sub(*rest, 0, len);
    *rest = sn_slice_sub(*rest, len + 2, rest->len);
    return line;
}

bool sn_http_head_parse(struct sn_slice head, const struct sn_http_rules *rules, struct sn_request *request,
    struct sn_http_head *out_head, struct sn_http_refusal *out_refusal)
{
    struct seen seen = {0};
    struct sn_http_head result = {0};
    *out_refusal = (struct sn_http_refusal){0};
    request->header_count = 0;
    if (!parse_request_line(take_line(&head), rules, request, out_refusal)) {
        return false;
    }
    for (;;) {
        struct sn_slice line = take_line(&head);
        if (line.len == 0) {
            break;
        }
        if (!parse_header_line(line, request, &seen, &result)) {
            return refuse_malformed(out_refusal);
        }
    }
    if (!check_whole(&seen, rules, request, &result, out_refusal)) {
        return false;
    }
    *out_head = result;
    return true;
}

struct sn_slice sn_http_host(const struct sn_request *request)
{
    const struct sn_slice *host = sn_request_header(request, "host");
    return host != NULL ? *host : (struct sn_slice){0};
}

/* --- Query --- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes into out (room for text.len bytes); a '+' becomes a blank. False: bad escape, NUL or not UTF-8. */
static bool decode(struct sn_slice text, char *out, struct sn_slice *out_text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i] == '+' ? ' ' : text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0') {
            return false;
        }
        out[len++] = c;
    }
    *out_text = sn_slice_bytes(out, len);
    return sn_slice_is_utf8(*out_text);
}

bool sn_http_query_check(struct sn_slice query, struct sn_http_refusal *out_refusal)
{
    struct sn_slice names[SN_HTTP_MAX_PARAMS];
    char name_bytes[SN_HTTP_MAX_QUERY], value_bytes[SN_HTTP_MAX_PARAM];
    size_t count = 0, used = 0;
    bool is_good = query.len <= SN_HTTP_MAX_QUERY;
    struct sn_slice param;
    while (is_good && sn_slice_next(&query, '&', &param)) {
        struct sn_slice raw_name, raw_value, name, value;
        if (param.len == 0) {
            continue;
        }
        if (!sn_slice_cut(param, '=', &raw_name, &raw_value)) {
            raw_value = (struct sn_slice){0};
        }
        is_good = param.len <= SN_HTTP_MAX_PARAM && count < SN_HTTP_MAX_PARAMS &&
                  decode(raw_name, name_bytes + used, &name) && decode(raw_value, value_bytes, &value);
        for (size_t i = 0; is_good && i < count; i++) {
            is_good = !sn_slice_eq(names[i], name);
        }
        if (is_good) {
            names[count++] = name;
            used += name.len;
        }
    }
    return is_good || refuse(out_refusal, 400, "INVALID_REQUEST", malformed_request);
}
