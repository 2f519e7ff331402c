/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/json.h - JSON in (strict, bounded, positions in errors) and JSON out (straight into a buffer).
 *
 * Reading: duplicate keys, invalid UTF-8, NUL in strings, trailing text, numbers out of range, too much nesting and too
 * many members are errors (code INVALID_JSON). A document owns its nodes; nodes are borrowed. The memory of a document
 * is wiped when it is freed, since answers with credentials are read through here.
 */
#ifndef SN_CODEC_JSON_H
#define SN_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

struct sn_json_doc; /* owner */
struct sn_json;     /* one node, borrowed */

enum sn_json_kind {
    SN_JSON_NULL,
    SN_JSON_BOOL,
    SN_JSON_INT,
    SN_JSON_REAL,
    SN_JSON_STRING,
    SN_JSON_ARRAY,
    SN_JSON_OBJECT
};

struct sn_json_limits {
    size_t max_bytes;
    unsigned max_depth; /* nesting of arrays and objects; a flat object has depth 1 */
    size_t max_members; /* members of all objects and elements of all arrays together */
};

/* For bodies of API requests: 64 KiB, depth 8, 64 members. */
extern const struct sn_json_limits sn_json_limits_request;
/* For documents of known peers and files: 4 MiB, depth 32, 200,000 members. */
extern const struct sn_json_limits sn_json_limits_document;

SN_MUST_CHECK enum sn_status sn_json_parse(
    struct sn_slice text, const struct sn_json_limits *limits, struct sn_json_doc **out_doc, struct sn_error *err);
void sn_json_doc_free(struct sn_json_doc *doc);
void sn_json_doc_free_p(struct sn_json_doc **doc);
const struct sn_json *sn_json_root(const struct sn_json_doc *doc);

enum sn_json_kind sn_json_kind_of(const struct sn_json *node);
const char *sn_json_kind_name(enum sn_json_kind kind);
/* Member of an object, or NULL (also when node is NULL or no object). */
const struct sn_json *sn_json_get(const struct sn_json *node, const char *key);
size_t sn_json_count(const struct sn_json *node);                           /* of an array or object; else 0 */
const struct sn_json *sn_json_at(const struct sn_json *node, size_t index); /* of an array */
/* Member i of an object in document order. */
const struct sn_json *sn_json_member_at(const struct sn_json *node, size_t index, struct sn_slice *out_key);
/* Values, with a fallback where the kind is another (or the node NULL). */
struct sn_slice sn_json_text(const struct sn_json *node); /* empty */
int64_t sn_json_int(const struct sn_json *node, int64_t fallback);
bool sn_json_bool(const struct sn_json *node, bool fallback);

/*
 * Strict reading of an object into a struct: a table of members, each with kind and place. Unknown members, wrong kinds
 * and absent required members fail with INVALID_JSON naming the member. Strings are borrowed from the document.
 */
enum sn_json_field_kind {
    SN_JSON_FIELD_TEXT,   /* struct sn_slice */
    SN_JSON_FIELD_SECRET, /* struct sn_secret, which the caller clears */
    SN_JSON_FIELD_INT,    /* int64_t; real numbers such as 9e2 or 900.0 are a wrong kind */
    SN_JSON_FIELD_BOOL,   /* bool */
    SN_JSON_FIELD_NODE,   /* const struct sn_json * */
};
struct sn_json_field {
    const char *name; /* NULL ends the table */
    enum sn_json_field_kind kind;
    size_t offset;
    bool required;
    bool nullable;        /* null counts as absent */
    size_t seen_offset_1; /* offset + 1 of a bool set when present; 0: none */
};
SN_MUST_CHECK enum sn_status sn_json_read_object(const struct sn_json *node, const struct sn_json_field *fields,
    bool allow_unknown, void *out_struct, struct sn_error *err);

/* --- Writing. Commas and escapes are the writer's; nesting is asserted. Output is compact. The quote, the backslash,
 * U+0000 to U+001F, U+007F to U+009F, U+2028 and U+2029 are escaped (as \u and four lower-case digits but for the first
 * two), bytes that are not UTF-8 become U+FFFD, all else ('/' too) stands as itself. --- */
enum { SN_JSON_WRITER_DEPTH = 16 };
struct sn_json_writer {
    struct sn_buf *buf;
    unsigned depth;
    bool need_comma[SN_JSON_WRITER_DEPTH];
    bool after_key;
};
void sn_json_writer_init(struct sn_json_writer *w, struct sn_buf *buf);
void sn_json_begin_object(struct sn_json_writer *w);
void sn_json_end_object(struct sn_json_writer *w);
void sn_json_begin_array(struct sn_json_writer *w);
void sn_json_end_array(struct sn_json_writer *w);
void sn_json_key(struct sn_json_writer *w, const char *key);
void sn_json_key_slice(struct sn_json_writer *w, struct sn_slice key);
void sn_json_put_text(struct sn_json_writer *w, struct sn_slice text);
void sn_json_put_str(struct sn_json_writer *w, const char *text); /* NULL: null */
void sn_json_put_int(struct sn_json_writer *w, int64_t value);
void sn_json_put_bool(struct sn_json_writer *w, bool value);
void sn_json_put_null(struct sn_json_writer *w);
/* The one place where a secret becomes JSON: an answer that carries credentials. */
void sn_json_put_secret(struct sn_json_writer *w, const struct sn_secret *secret);
/* Text that is JSON already. */
void sn_json_put_raw(struct sn_json_writer *w, struct sn_slice json);
/* Key and value in one. */
void sn_json_member_text(struct sn_json_writer *w, const char *key, struct sn_slice text);
void sn_json_member_str(struct sn_json_writer *w, const char *key, const char *text);
void sn_json_member_int(struct sn_json_writer *w, const char *key, int64_t value);
void sn_json_member_bool(struct sn_json_writer *w, const char *key, bool value);
void sn_json_member_null(struct sn_json_writer *w, const char *key);
void sn_json_member_secret(struct sn_json_writer *w, const char *key, const struct sn_secret *secret);

/* Copies a node as compact JSON text, members in document order. */
void sn_json_format(struct sn_buf *buf, const struct sn_json *node);

#endif
