/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/uri.h - percent encoding as AWS signs it, query strings, and the canonical TVM URL.
 */
#ifndef SN_CODEC_URI_H
#define SN_CODEC_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

/* Encodes every byte outside A-Z a-z 0-9 - . _ ~ as %XX, upper-case digits; '/' is kept when keep_slash. */
void sn_uri_encode(struct sn_buf *buf, struct sn_slice text, bool keep_slash);
/* Decodes %XX; '+' becomes a blank when plus_is_space. SN_INVALID, INVALID_ESCAPE for a malformed escape. */
SN_MUST_CHECK enum sn_status sn_uri_decode(
    struct sn_slice text, bool plus_is_space, struct sn_buf *out_text, struct sn_error *err);

struct sn_query_param {
    struct sn_slice name, value; /* decoded */
};
struct sn_query {
    struct sn_query_param *params;
    size_t count;
};
/*
 * Splits "a=1&b=2" (also a form body). Repeated names, malformed escapes, decoded text that is not UTF-8 or holds NUL,
 * and more than max_params parameters fail with SN_INVALID, INVALID_REQUEST. The result lives in the arena.
 */
SN_MUST_CHECK enum sn_status sn_query_parse(struct sn_slice text, bool plus_is_space, size_t max_params,
    struct sn_arena *arena, struct sn_query *out_query, struct sn_error *err);
/* The value of a parameter, or NULL when it is absent. */
const struct sn_slice *sn_query_find(const struct sn_query *query, const char *name);

/* A URL of a TVM taken apart and put into canonical form. */
struct sn_url {
    struct sn_slice scheme;    /* "http", "https" or "unix" */
    struct sn_slice host;      /* lower case, IPv6 without brackets; empty for unix */
    uint16_t port;             /* effective port; 0 for unix */
    struct sn_slice path;      /* base path without trailing '/'; empty for the root; socket path for unix */
    struct sn_slice canonical; /* the whole, as signed into proofs */
    struct sn_slice authority; /* host[:port] as in a Host header; "localhost" for unix */
    bool is_loopback;          /* 127.0.0.0/8, ::1, localhost, unix */
};
/* Fails with SN_INVALID, INVALID_URL and what is wrong. Plain http is accepted for loopback hosts only. */
SN_MUST_CHECK enum sn_status sn_url_parse(
    struct sn_slice text, struct sn_arena *arena, struct sn_url *out_url, struct sn_error *err);

#endif
