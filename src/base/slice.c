/* SPDX-License-Identifier: Apache-2.0 */
/* base/slice.c - borrowed text; see slice.h. */
#include "base/slice.h"

#include <string.h>

struct sn_slice sn_slice_str(const char *text)
{
    return (struct sn_slice){text, text != NULL ? strlen(text) : 0};
}

struct sn_slice sn_slice_bytes(const void *bytes, size_t len)
{
    return (struct sn_slice){bytes, len};
}

bool sn_slice_eq(struct sn_slice a, struct sn_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool sn_slice_eq_str(struct sn_slice a, const char *text)
{
    return sn_slice_eq(a, sn_slice_str(text));
}

static char fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

bool sn_slice_eq_nocase(struct sn_slice a, struct sn_slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.ptr[i]) != fold(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

int sn_slice_cmp(struct sn_slice a, struct sn_slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;

    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool sn_slice_has_prefix(struct sn_slice text, struct sn_slice prefix)
{
    return text.len >= prefix.len && sn_slice_eq(sn_slice_sub(text, 0, prefix.len), prefix);
}

bool sn_slice_has_suffix(struct sn_slice text, struct sn_slice suffix)
{
    return text.len >= suffix.len && sn_slice_eq(sn_slice_sub(text, text.len - suffix.len, suffix.len), suffix);
}

bool sn_slice_has_byte(struct sn_slice text, char byte)
{
    return text.len > 0 && memchr(text.ptr, byte, text.len) != NULL;
}

bool sn_slice_contains(struct sn_slice text, struct sn_slice needle)
{
    return needle.len == 0 || (text.len > 0 && memmem(text.ptr, text.len, needle.ptr, needle.len) != NULL);
}

struct sn_slice sn_slice_sub(struct sn_slice text, size_t start, size_t len)
{
    if (start >= text.len) {
        return (struct sn_slice){text.ptr != NULL ? text.ptr + text.len : NULL, 0};
    }
    if (len > text.len - start) {
        len = text.len - start;
    }
    return (struct sn_slice){text.ptr + start, len};
}

static struct sn_slice trim_bytes(struct sn_slice text, const char *drop)
{
    while (text.len > 0 && strchr(drop, text.ptr[0]) != NULL && text.ptr[0] != '\0') {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && text.ptr[text.len - 1] != '\0' && strchr(drop, text.ptr[text.len - 1]) != NULL) {
        text.len--;
    }
    return text;
}

struct sn_slice sn_slice_trim(struct sn_slice text)
{
    return trim_bytes(text, " \t");
}

struct sn_slice sn_slice_trim_space(struct sn_slice text)
{
    return trim_bytes(text, " \t\r\n");
}

static bool cut_at(struct sn_slice text, const char *at, struct sn_slice *out_before, struct sn_slice *out_after)
{
    if (at == NULL) {
        *out_before = text;
        *out_after = (struct sn_slice){text.ptr != NULL ? text.ptr + text.len : NULL, 0};
        return false;
    }
    size_t before = (size_t)(at - text.ptr);
    *out_before = (struct sn_slice){text.ptr, before};
    *out_after = (struct sn_slice){at + 1, text.len - before - 1};
    return true;
}

bool sn_slice_cut(struct sn_slice text, char separator, struct sn_slice *out_before, struct sn_slice *out_after)
{
    return cut_at(text, text.len > 0 ? memchr(text.ptr, separator, text.len) : NULL, out_before, out_after);
}

bool sn_slice_cut_last(struct sn_slice text, char separator, struct sn_slice *out_before, struct sn_slice *out_after)
{
    return cut_at(text, text.len > 0 ? memrchr(text.ptr, separator, text.len) : NULL, out_before, out_after);
}

bool sn_slice_next(struct sn_slice *rest, char separator, struct sn_slice *out_part)
{
    if (rest->ptr == NULL) {
        return false;
    }
    if (rest->len == 0) {
        /* An empty text has no parts; an empty rest behind a separator is reported once through the marker below. */
        rest->ptr = NULL;
        return false;
    }
    struct sn_slice after;
    bool found = sn_slice_cut(*rest, separator, out_part, &after);
    if (!found) {
        *rest = (struct sn_slice){NULL, 0};
    } else {
        *rest = after;
    }
    return true;
}

bool sn_slice_is_alnum_or(struct sn_slice text, const char *extra)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool alnum = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || strchr(extra, c) == NULL)) {
            return false;
        }
    }
    return true;
}

/* Length of the well-formed UTF-8 sequence at the start of p, or 0. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) {
        return 1;
    }
    size_t need;
    unsigned char low = 0x80, high = 0xbf;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        need = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        need = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        need = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < need || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return need;
}

size_t sn_utf8_sequence(struct sn_slice text)
{
    return text.len == 0 ? 0 : utf8_sequence((const unsigned char *)text.ptr, text.len);
}

/* Bytes of ASCII that text begins with, in steps of eight. */
static size_t ascii_prefix(struct sn_slice text)
{
    size_t at = 0;
    for (; text.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.ptr + at, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    return at;
}

bool sn_slice_is_utf8(struct sn_slice text)
{
    while (text.len > 0) {
        size_t len = ascii_prefix(text);
        len = len > 0 ? len : sn_utf8_sequence(text);
        if (len == 0) {
            return false;
        }
        text = sn_slice_sub(text, len, text.len);
    }
    return true;
}

bool sn_slice_matches_glob(struct sn_slice text, struct sn_slice glob)
{
    size_t t = 0, g = 0, star = SIZE_MAX, star_t = 0;

    while (t < text.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            star = g++;
            star_t = t;
        } else if (g < glob.len && glob.ptr[g] == text.ptr[t]) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            t = ++star_t;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*') {
        g++;
    }
    return g == glob.len;
}
