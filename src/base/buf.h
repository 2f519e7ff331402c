/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/buf.h - growing bytes with a maximum.
 *
 * A zeroed struct is an empty buffer with the default maximum; SN_BUF_INIT(n) sets another. Appending never fails
 * visibly: what does not fit sets the sticky overflow flag and is dropped whole, and the writer checks once at the end
 * with sn_buf_check(). Every buffer wipes its bytes when it grows, is cleared or reset, since answers of STS and
 * requests pass through buffers. Text is kept NUL-terminated behind len for callers that need a C string.
 */
#ifndef SN_BASE_BUF_H
#define SN_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum { SN_BUF_DEFAULT_MAX = 16 * 1024 * 1024 };

struct sn_buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max; /* 0: SN_BUF_DEFAULT_MAX */
    bool overflow;
};

#define SN_BUF_INIT(max_bytes) ((struct sn_buf){.max = (max_bytes)})

void sn_buf_clear(struct sn_buf *buf); /* releases; keeps the maximum */
void sn_buf_reset(struct sn_buf *buf); /* empties, keeps the memory, forgets an overflow */

void sn_buf_add(struct sn_buf *buf, struct sn_slice text);
void sn_buf_add_str(struct sn_buf *buf, const char *text);
void sn_buf_add_byte(struct sn_buf *buf, char byte);
void sn_buf_add_bytes(struct sn_buf *buf, const void *bytes, size_t len);
void sn_buf_add_int(struct sn_buf *buf, int64_t value);
void sn_buf_add_hex(struct sn_buf *buf, const void *bytes, size_t len); /* lower case */
void sn_buf_addf(struct sn_buf *buf, const char *format, ...) SN_PRINTF(2, 3);
void sn_buf_vaddf(struct sn_buf *buf, const char *format, va_list arguments) SN_PRINTF(2, 0);
/* Room for len more bytes, to be filled by the caller, who then adds to buf->len; NULL on overflow. */
char *sn_buf_reserve(struct sn_buf *buf, size_t len);
/* Drops bytes [start, start+len). */
void sn_buf_remove(struct sn_buf *buf, size_t start, size_t len);

struct sn_slice sn_buf_slice(const struct sn_buf *buf);
/* The bytes as a C string; "" when empty. */
const char *sn_buf_str(const struct sn_buf *buf);
/* SN_LIMIT with code TOO_LARGE, naming what, when something did not fit. */
SN_MUST_CHECK enum sn_status sn_buf_check(const struct sn_buf *buf, const char *what, struct sn_error *err);

#endif
