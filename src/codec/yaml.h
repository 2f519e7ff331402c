/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/yaml.h - the strict subset of YAML that Sentinel's documents are written in, as a tree with positions.
 *
 * Refused, with line and column: more than one document, anchors, aliases, merge keys, tags, duplicate keys,
 * NUL and control characters, invalid UTF-8, too much nesting or too many nodes. One leading BOM and CRLF are accepted.
 * JSON is accepted as flow style. The tree lives in the caller's arena.
 */
#ifndef SN_CODEC_YAML_H
#define SN_CODEC_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum sn_yaml_kind { SN_YAML_SCALAR, SN_YAML_SEQUENCE, SN_YAML_MAPPING };

struct sn_yaml_node;

struct sn_yaml_pair {
    struct sn_yaml_node *key; /* always a scalar */
    struct sn_yaml_node *value;
};

struct sn_yaml_node {
    uint32_t line, column; /* from 1 */
    uint32_t count;        /* items or pairs */
    enum sn_yaml_kind kind : 8;
    bool plain;           /* a scalar written without quotes and not as a block */
    struct sn_slice text; /* of a scalar */
    union {
        struct sn_yaml_node **items; /* of a sequence */
        struct sn_yaml_pair *pairs;  /* of a mapping */
    };
};

struct sn_yaml_limits {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
};
/* 1 MiB, depth 16, 400,000 nodes. */
extern const struct sn_yaml_limits sn_yaml_limits_document;

/* Codes: YAML_EMPTY, YAML_TOO_LARGE, YAML_SYNTAX, YAML_ENCODING, YAML_FORBIDDEN, YAML_DUPLICATE_KEY, YAML_LIMIT.
 * Details "line" and "column" are set where a position is known. */
SN_MUST_CHECK enum sn_status sn_yaml_parse(struct sn_slice text, const struct sn_yaml_limits *limits,
    struct sn_arena *arena, struct sn_yaml_node **out_root, struct sn_error *err);

/* Value of a key in a mapping, or NULL. */
const struct sn_yaml_node *sn_yaml_get(const struct sn_yaml_node *node, const char *key);
/* True for a plain scalar that YAML reads as null: empty, ~, null, Null, NULL. */
bool sn_yaml_is_null(const struct sn_yaml_node *node);
const char *sn_yaml_kind_name(enum sn_yaml_kind kind); /* "text", "list", "mapping" */

#endif
