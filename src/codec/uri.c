/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/uri.c - percent encoding and query strings.
 */
#include "codec/uri.h"

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void sn_uri_encode(struct sn_buf *buf, struct sn_slice text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (is_unreserved((char)c) || (keep_slash && c == '/')) {
            sn_buf_add_byte(buf, (char)c);
        } else {
            const char escape[] = {'%', digits[c >> 4], digits[c & 15]};
            sn_buf_add_bytes(buf, escape, sizeof escape);
        }
    }
}

/* 0..15, or -1 for no hexadecimal digit. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes into room for text.len bytes. False for a malformed escape. */
static bool decode(struct sn_slice text, bool plus_is_space, char *out, size_t *out_len)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? digit_value(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? digit_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(unsigned char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[len++] = c;
    }
    *out_len = len;
    return true;
}

enum sn_status sn_uri_decode(struct sn_slice text, bool plus_is_space, struct sn_buf *out_text, struct sn_error *err)
{
    char *room = sn_buf_reserve(out_text, text.len);
    if (room == NULL) {
        return sn_buf_check(out_text, "decoded text", err);
    }
    size_t len = 0;
    if (!decode(text, plus_is_space, room, &len)) {
        room[0] = '\0';
        return sn_fail(err, SN_INVALID, "INVALID_ESCAPE", "a '%%' is not followed by two hexadecimal digits");
    }
    room[len] = '\0';
    out_text->len += len;
    return SN_OK;
}

/* --- query strings --- */

static enum sn_status fail_query(struct sn_error *err, const char *why)
{
    return sn_fail(err, SN_INVALID, "INVALID_REQUEST", "%s", why);
}

static enum sn_status decode_part(
    struct sn_slice text, bool plus_is_space, struct sn_arena *arena, struct sn_slice *out_text, struct sn_error *err)
{
    char *room = sn_arena_alloc(arena, text.len + 1, 1);
    size_t len = 0;
    if (!decode(text, plus_is_space, room, &len)) {
        return fail_query(err, "a '%' in the query is not followed by two hexadecimal digits");
    }
    struct sn_slice decoded = {room, len};
    if (!sn_slice_is_utf8(decoded)) {
        return fail_query(err, "a parameter of the query is not UTF-8");
    }
    if (sn_slice_has_byte(decoded, '\0')) {
        return fail_query(err, "a parameter of the query holds NUL");
    }
    *out_text = decoded;
    return SN_OK;
}

static size_t count_parts(struct sn_slice text)
{
    size_t count = text.len > 0 ? 1 : 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == '&' ? 1 : 0;
    }
    return count;
}

enum sn_status sn_query_parse(struct sn_slice text, bool plus_is_space, size_t max_params, struct sn_arena *arena,
    struct sn_query *out_query, struct sn_error *err)
{
    struct sn_query query = {.count = count_parts(text)};
    if (query.count > max_params) {
        return fail_query(err, "too many parameters in the query");
    }
    query.params = sn_arena_alloc(arena, query.count, sizeof *query.params);
    for (size_t i = 0; i < query.count; i++) {
        struct sn_slice part, raw_name, raw_value;
        sn_slice_cut(text, '&', &part, &text);
        if (!sn_slice_cut(part, '=', &raw_name, &raw_value)) {
            raw_value = SN_S("");
        }
        struct sn_query_param *param = &query.params[i];
        SN_TRY(decode_part(raw_name, plus_is_space, arena, &param->name, err));
        SN_TRY(decode_part(raw_value, plus_is_space, arena, &param->value, err));
        if (param->name.len == 0) {
            return fail_query(err, "a parameter of the query has no name");
        }
        for (size_t k = 0; k < i; k++) {
            if (sn_slice_eq(query.params[k].name, param->name)) {
                return fail_query(err, "a parameter of the query is repeated");
            }
        }
    }
    *out_query = query;
    return SN_OK;
}

const struct sn_slice *sn_query_find(const struct sn_query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++) {
        if (sn_slice_eq_str(query->params[i].name, name)) {
            return &query->params[i].value;
        }
    }
    return NULL;
}
