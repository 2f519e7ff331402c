/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/slice.h - borrowed text: a pointer and a length, passed by value.
 *
 * A slice is not NUL-terminated and may hold any byte. It owns nothing and is good as long as the bytes it points to.
 * An empty slice may have a NULL pointer. All comparisons are bytewise; "nocase" folds ASCII letters only.
 */
#ifndef SN_BASE_SLICE_H
#define SN_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/defs.h"

struct sn_slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal. */
#define SN_S(literal) ((struct sn_slice){"" literal, sizeof(literal) - 1})
/* The same where a constant initialiser is needed. */
#define SN_S_INIT(literal)                                                                                             \
    {                                                                                                                  \
        "" literal, sizeof(literal) - 1                                                                                \
    }
/* The two arguments of "%.*s". */
#define SN_PRI(slice) (int)((slice).len > 4096 ? 4096 : (slice).len), ((slice).ptr ? (slice).ptr : "")

/* The whole of a NUL-terminated string; empty for NULL. */
struct sn_slice sn_slice_str(const char *text);
struct sn_slice sn_slice_bytes(const void *bytes, size_t len);

bool sn_slice_eq(struct sn_slice a, struct sn_slice b);
bool sn_slice_eq_str(struct sn_slice a, const char *text);
bool sn_slice_eq_nocase(struct sn_slice a, struct sn_slice b);
/* Bytewise order, a prefix before what it begins: negative, zero or positive. */
int sn_slice_cmp(struct sn_slice a, struct sn_slice b);

bool sn_slice_has_prefix(struct sn_slice text, struct sn_slice prefix);
bool sn_slice_has_suffix(struct sn_slice text, struct sn_slice suffix);
bool sn_slice_has_byte(struct sn_slice text, char byte);
/* True if needle occurs in text; an empty needle always does. */
bool sn_slice_contains(struct sn_slice text, struct sn_slice needle);

/* The part from start, len bytes at most; both are clamped to the slice. */
struct sn_slice sn_slice_sub(struct sn_slice text, size_t start, size_t len);
/* Without blanks and tabs (trim) or also CR and LF (trim_space) at both ends. */
struct sn_slice sn_slice_trim(struct sn_slice text);
struct sn_slice sn_slice_trim_space(struct sn_slice text);

/* Splits at the first separator: true, with what stands before and behind it; false (all in before) when absent. */
bool sn_slice_cut(struct sn_slice text, char separator, struct sn_slice *out_before, struct sn_slice *out_after);
/* The same at the last separator. */
bool sn_slice_cut_last(struct sn_slice text, char separator, struct sn_slice *out_before, struct sn_slice *out_after);
/* Takes the next separated part off rest: false once nothing is left. "a,,b" gives "a", "", "b"; "a," gives "a". */
bool sn_slice_next(struct sn_slice *rest, char separator, struct sn_slice *out_part);

/* True if every byte is one of A-Z a-z 0-9 or of the extra characters. */
bool sn_slice_is_alnum_or(struct sn_slice text, const char *extra);
/* True if text is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing past U+10FFFF). */
bool sn_slice_is_utf8(struct sn_slice text);
/* Length (1..4) of the well-formed UTF-8 sequence that text begins with; 0 when there is none. */
size_t sn_utf8_sequence(struct sn_slice text);
/* True if text matches a glob in which '*' stands for any run of bytes, the only special character. */
bool sn_slice_matches_glob(struct sn_slice text, struct sn_slice glob);

#endif
