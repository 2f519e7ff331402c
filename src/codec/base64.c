/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/base64.c - base64, base64url and hexadecimal.
 *
 * The decoders accept exactly one text for each run of bytes, so that a decoded value cannot be written twice. Digits
 * are computed rather than looked up: no table is indexed with bytes that may be secret.
 */
#include "codec/base64.h"

#include <stdint.h>

/* 0xff when lo <= c <= hi, else 0, without a branch. */
static unsigned in_range(unsigned c, unsigned lo, unsigned hi)
{
    return ((lo - 1 - c) & (c - hi - 1)) >> 8 & 0xff;
}

static char digit_of(unsigned value, unsigned char c62, unsigned char c63)
{
    unsigned c = in_range(value, 0, 25) & (value + 'A');
    c |= in_range(value, 26, 51) & (value - 26 + 'a');
    c |= in_range(value, 52, 61) & (value - 52 + '0');
    c |= in_range(value, 62, 62) & c62;
    c |= in_range(value, 63, 63) & c63;
    return (char)c;
}

/* 0..63, or a number above 63 for any other character. */
static unsigned value_of(unsigned char c, unsigned char c62, unsigned char c63)
{
    unsigned value = in_range(c, 'A', 'Z') & (c - 'A' + 1u);
    value |= in_range(c, 'a', 'z') & (c - 'a' + 27u);
    value |= in_range(c, '0', '9') & (c - '0' + 53u);
    value |= in_range(c, c62, c62) & 63u;
    value |= in_range(c, c63, c63) & 64u;
    return value - 1; /* nothing matched: wraps to the largest number */
}

static void encode(struct sn_buf *buf, const unsigned char *in, size_t len, unsigned char c62, unsigned char c63)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        unsigned bits = (unsigned)in[i] << 16;
        bits |= have > 1 ? (unsigned)in[i + 1] << 8 : 0;
        bits |= have > 2 ? (unsigned)in[i + 2] : 0;
        char out[4];
        for (size_t k = 0; k < 4; k++) {
            out[k] = k <= have ? digit_of(bits >> (18 - 6 * k) & 63, c62, c63) : '=';
        }
        sn_buf_add_bytes(buf, out, c62 == '+' ? 4 : have + 1);
    }
}

void sn_base64_encode(struct sn_buf *buf, const void *bytes, size_t len)
{
    encode(buf, bytes, len, '+', '/');
}

void sn_base64url_encode(struct sn_buf *buf, const void *bytes, size_t len)
{
    encode(buf, bytes, len, '-', '_');
}

static enum sn_status fail_base64(struct sn_error *err, const char *why)
{
    return sn_fail(err, SN_INVALID, "INVALID_BASE64", "invalid base64: %s", why);
}

/* Decodes digits without padding. */
static enum sn_status decode(
    struct sn_slice text, unsigned char c62, unsigned char c63, struct sn_buf *out_bytes, struct sn_error *err)
{
    if (text.len % 4 == 1) {
        return fail_base64(err, "its length is impossible");
    }
    unsigned bad = 0;
    unsigned last = 0;
    for (size_t i = 0; i < text.len; i++) {
        last = value_of((unsigned char)text.ptr[i], c62, c63);
        bad |= last >> 6;
    }
    if (bad != 0) {
        return fail_base64(err, "it holds a character that does not belong there");
    }
    unsigned unused = text.len % 4 == 2 ? 0x0fu : text.len % 4 == 3 ? 0x03u : 0;
    if ((last & unused) != 0) {
        return fail_base64(err, "its last bits are not zero");
    }
    for (size_t i = 0; i < text.len; i += 4) {
        size_t have = text.len - i < 4 ? text.len - i : 4;
        unsigned bits = 0;
        for (size_t k = 0; k < 4; k++) {
            bits = bits << 6 | (k < have ? value_of((unsigned char)text.ptr[i + k], c62, c63) : 0);
        }
        const unsigned char out[] = {(unsigned char)(bits >> 16), (unsigned char)(bits >> 8), (unsigned char)bits};
        sn_buf_add_bytes(out_bytes, out, have - 1);
    }
    return sn_buf_check(out_bytes, "decoded base64", err);
}

enum sn_status sn_base64_decode(struct sn_slice text, struct sn_buf *out_bytes, struct sn_error *err)
{
    if (text.len % 4 != 0) {
        return fail_base64(err, "its length is no multiple of four");
    }
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=') {
        padding++;
    }
    return decode(sn_slice_sub(text, 0, text.len - padding), '+', '/', out_bytes, err);
}

enum sn_status sn_base64url_decode(struct sn_slice text, struct sn_buf *out_bytes, struct sn_error *err)
{
    return decode(text, '-', '_', out_bytes, err);
}

enum sn_status sn_hex_decode(
    struct sn_slice text, bool allow_upper, void *out_bytes, size_t out_len, struct sn_error *err)
{
    if (text.len % 2 != 0 || text.len / 2 != out_len) {
        return sn_fail(err, SN_INVALID, "INVALID_HEX", "%zu hexadecimal digits are expected, not %zu characters",
            out_len * 2, text.len);
    }
    /* Checked in full before the first byte is written: the result changes only on success. */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < text.len; i++) {
            unsigned c = (unsigned char)text.ptr[i];
            unsigned value = in_range(c, '0', '9') & (c - '0' + 1u);
            value |= in_range(c, 'a', 'f') & (c - 'a' + 11u);
            value |= allow_upper ? in_range(c, 'A', 'F') & (c - 'A' + 11u) : 0;
            if (value == 0) {
                return sn_fail(err, SN_INVALID, "INVALID_HEX", "a character is no %shexadecimal digit",
                    allow_upper ? "" : "lower-case ");
            }
            if (pass == 1) {
                unsigned char *out = (unsigned char *)out_bytes + i / 2;
                *out = (unsigned char)(i % 2 == 0 ? (value - 1) << 4 : *out | (value - 1));
            }
        }
    }
    return SN_OK;
}
