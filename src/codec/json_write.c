/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/json_write.c - JSON straight into a buffer, without memory of its own.
 *
 * Strings are written the one way in which audit entries are signed: the quote, the backslash, U+0000 to U+001F, U+007F
 * to U+009F, U+2028 and U+2029 are escaped, everything else stands as itself, and each byte that is no part of
 * well-formed UTF-8 becomes U+FFFD.
 */
#include "codec/json.h"

enum { REPLACED = 0 };

void sn_json_writer_init(struct sn_json_writer *w, struct sn_buf *buf)
{
    *w = (struct sn_json_writer){.buf = buf};
}

static void before_value(struct sn_json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->need_comma[w->depth]) {
        sn_buf_add_byte(w->buf, ',');
    }
    w->need_comma[w->depth] = true;
}

static void begin(struct sn_json_writer *w, char open)
{
    before_value(w);
    sn_buf_add_byte(w->buf, open);
    SN_ASSERT(w->depth + 1 < SN_JSON_WRITER_DEPTH);
    w->depth++;
    w->need_comma[w->depth] = false;
}

static void end(struct sn_json_writer *w, char close)
{
    SN_ASSERT(w->depth > 0 && !w->after_key);
    w->depth--;
    sn_buf_add_byte(w->buf, close);
}

void sn_json_begin_object(struct sn_json_writer *w)
{
    begin(w, '{');
}

void sn_json_end_object(struct sn_json_writer *w)
{
    end(w, '}');
}

void sn_json_begin_array(struct sn_json_writer *w)
{
    begin(w, '[');
}

void sn_json_end_array(struct sn_json_writer *w)
{
    end(w, ']');
}

/* --- strings --- */

/* Bytes that end a run of text that stands as itself: controls, '"', '\', DEL, and all that is not ASCII. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Length of the well-formed UTF-8 character at the start of text and its value; 1 and REPLACED for a bad byte. */
static size_t decode_character(struct sn_slice text, uint32_t *out_point)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len > text.len || !sn_slice_is_utf8(sn_slice_sub(text, 0, len))) {
        *out_point = REPLACED;
        return 1;
    }
    uint32_t point = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        point = (point << 6) | (p[i] & 0x3fu);
    }
    *out_point = point;
    return len;
}

static void add_unicode_escape(struct sn_buf *buf, uint32_t point)
{
    const unsigned char pair[] = {(unsigned char)(point >> 8), (unsigned char)point};
    sn_buf_add_bytes(buf, "\\u", 2);
    sn_buf_add_hex(buf, pair, sizeof pair);
}

/* Writes the character at the start of text, of which is_plain() is false, and returns how many bytes it took. */
static size_t add_special(struct sn_buf *buf, struct sn_slice text)
{
    unsigned char c = (unsigned char)text.ptr[0];
    if (c == '"' || c == '\\') {
        sn_buf_add_byte(buf, '\\');
        sn_buf_add_byte(buf, (char)c);
        return 1;
    }
    if (c < 0x80) {
        add_unicode_escape(buf, c);
        return 1;
    }
    uint32_t point;
    size_t len = decode_character(text, &point);
    if (point == REPLACED) {
        sn_buf_add_bytes(buf, "\xef\xbf\xbd", 3);
    } else if (point <= 0x9f || point == 0x2028 || point == 0x2029) {
        add_unicode_escape(buf, point);
    } else {
        sn_buf_add_bytes(buf, text.ptr, len);
    }
    return len;
}

static void add_string(struct sn_buf *buf, struct sn_slice text)
{
    sn_buf_add_byte(buf, '"');
    for (size_t i = 0; i < text.len;) {
        size_t run = i;
        while (run < text.len && is_plain((unsigned char)text.ptr[run])) {
            run++;
        }
        if (run > i) {
            sn_buf_add_bytes(buf, text.ptr + i, run - i);
        }
        i = run;
        if (i < text.len) {
            i += add_special(buf, (struct sn_slice){text.ptr + i, text.len - i});
        }
    }
    sn_buf_add_byte(buf, '"');
}

/* --- keys and values --- */

void sn_json_key_slice(struct sn_json_writer *w, struct sn_slice key)
{
    SN_ASSERT(w->depth > 0 && !w->after_key);
    before_value(w);
    add_string(w->buf, key);
    sn_buf_add_byte(w->buf, ':');
    w->after_key = true;
}

void sn_json_key(struct sn_json_writer *w, const char *key)
{
    sn_json_key_slice(w, sn_slice_str(key));
}

void sn_json_put_text(struct sn_json_writer *w, struct sn_slice text)
{
    before_value(w);
    add_string(w->buf, text);
}

void sn_json_put_str(struct sn_json_writer *w, const char *text)
{
    if (text == NULL) {
        sn_json_put_null(w);
    } else {
        sn_json_put_text(w, sn_slice_str(text));
    }
}

void sn_json_put_int(struct sn_json_writer *w, int64_t value)
{
    before_value(w);
    sn_buf_add_int(w->buf, value);
}

void sn_json_put_bool(struct sn_json_writer *w, bool value)
{
    sn_json_put_raw(w, value ? SN_S("true") : SN_S("false"));
}

void sn_json_put_null(struct sn_json_writer *w)
{
    sn_json_put_raw(w, SN_S("null"));
}

void sn_json_put_secret(struct sn_json_writer *w, const struct sn_secret *secret)
{
    sn_json_put_text(w, sn_secret_reveal(secret));
}

void sn_json_put_raw(struct sn_json_writer *w, struct sn_slice json)
{
    before_value(w);
    sn_buf_add(w->buf, json);
}

void sn_json_member_text(struct sn_json_writer *w, const char *key, struct sn_slice text)
{
    sn_json_key(w, key);
    sn_json_put_text(w, text);
}

void sn_json_member_str(struct sn_json_writer *w, const char *key, const char *text)
{
    sn_json_key(w, key);
    sn_json_put_str(w, text);
}

void sn_json_member_int(struct sn_json_writer *w, const char *key, int64_t value)
{
    sn_json_key(w, key);
    sn_json_put_int(w, value);
}

void sn_json_member_bool(struct sn_json_writer *w, const char *key, bool value)
{
    sn_json_key(w, key);
    sn_json_put_bool(w, value);
}

void sn_json_member_null(struct sn_json_writer *w, const char *key)
{
    sn_json_key(w, key);
    sn_json_put_null(w);
}

void sn_json_member_secret(struct sn_json_writer *w, const char *key, const struct sn_secret *secret)
{
    sn_json_key(w, key);
    sn_json_put_secret(w, secret);
}
