/* SPDX-License-Identifier: Apache-2.0 */
/* base/buf.c - growing bytes with a maximum; see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

enum { FIRST_CAPACITY = 256 };

static size_t max_of(const struct sn_buf *buf)
{
    return buf->max > 0 ? buf->max : SN_BUF_DEFAULT_MAX;
}

void sn_buf_clear(struct sn_buf *buf)
{
    if (buf->ptr != NULL) {
        sn_wipe(buf->ptr, buf->len);
        sn_free(buf->ptr);
    }
    *buf = (struct sn_buf){.max = buf->max};
}

void sn_buf_reset(struct sn_buf *buf)
{
    if (buf->ptr != NULL) {
        sn_wipe(buf->ptr, buf->len);
        buf->ptr[0] = '\0';
    }
    buf->len = 0;
    buf->overflow = false;
}

char *sn_buf_reserve(struct sn_buf *buf, size_t len)
{
    size_t max = max_of(buf);

    if (buf->overflow || len > max || buf->len > max - len) {
        buf->overflow = true;
        return NULL;
    }
    size_t need = buf->len + len + 1; /* the NUL behind the text */
    if (need > buf->cap) {
        size_t cap = buf->cap > 0 ? buf->cap : FIRST_CAPACITY;
        while (cap < need) {
            cap *= 2;
        }
        char *grown = sn_alloc(cap, 1);
        if (buf->ptr != NULL) {
            memcpy(grown, buf->ptr, buf->len);
            sn_wipe(buf->ptr, buf->len);
            sn_free(buf->ptr);
        }
        buf->ptr = grown;
        buf->cap = cap;
    }
    return buf->ptr + buf->len;
}

void sn_buf_add_bytes(struct sn_buf *buf, const void *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    char *at = sn_buf_reserve(buf, len);
    if (at != NULL) {
        memcpy(at, bytes, len);
        buf->len += len;
        buf->ptr[buf->len] = '\0';
    }
}

void sn_buf_add(struct sn_buf *buf, struct sn_slice text)
{
    sn_buf_add_bytes(buf, text.ptr, text.len);
}

void sn_buf_add_str(struct sn_buf *buf, const char *text)
{
    sn_buf_add(buf, sn_slice_str(text));
}

void sn_buf_add_byte(struct sn_buf *buf, char byte)
{
    sn_buf_add_bytes(buf, &byte, 1);
}

void sn_buf_add_int(struct sn_buf *buf, int64_t value)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    sn_buf_add_bytes(buf, digits + at, sizeof(digits) - at);
}

void sn_buf_add_hex(struct sn_buf *buf, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    size_t total;

    if (__builtin_mul_overflow(len, (size_t)2, &total)) {
        buf->overflow = true;
        return;
    }
    char *at = sn_buf_reserve(buf, total);
    if (at == NULL) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        at[2 * i] = digits[p[i] >> 4];
        at[2 * i + 1] = digits[p[i] & 15];
    }
    buf->len += total;
    buf->ptr[buf->len] = '\0';
}

void sn_buf_vaddf(struct sn_buf *buf, const char *format, va_list arguments)
{
    char small[256];
    va_list again;

    va_copy(again, arguments);
    int wanted = vsnprintf(small, sizeof(small), format, arguments);
    if (wanted >= 0 && (size_t)wanted < sizeof(small)) {
        sn_buf_add_bytes(buf, small, (size_t)wanted);
    } else if (wanted >= 0) {
        char *at = sn_buf_reserve(buf, (size_t)wanted);
        if (at != NULL) {
            vsnprintf(at, (size_t)wanted + 1, format, again);
            buf->len += (size_t)wanted;
        }
    } else {
        buf->overflow = true;
    }
    va_end(again);
    sn_wipe(small, sizeof(small));
}

void sn_buf_addf(struct sn_buf *buf, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    sn_buf_vaddf(buf, format, arguments);
    va_end(arguments);
}

void sn_buf_remove(struct sn_buf *buf, size_t start, size_t len)
{
    if (start >= buf->len) {
        return;
    }
    if (len > buf->len - start) {
        len = buf->len - start;
    }
    memmove(buf->ptr + start, buf->ptr + start + len, buf->len - start - len);
    sn_wipe(buf->ptr + buf->len - len, len);
    buf->len -= len;
    buf->ptr[buf->len] = '\0';
}

struct sn_slice sn_buf_slice(const struct sn_buf *buf)
{
    return (struct sn_slice){buf->ptr, buf->len};
}

const char *sn_buf_str(const struct sn_buf *buf)
{
    return buf->ptr != NULL ? buf->ptr : "";
}

enum sn_status sn_buf_check(const struct sn_buf *buf, const char *what, struct sn_error *err)
{
    if (buf->overflow) {
        return sn_fail(err, SN_LIMIT, "TOO_LARGE", "%s is larger than %zu bytes", what, max_of(buf));
    }
    return SN_OK;
}
