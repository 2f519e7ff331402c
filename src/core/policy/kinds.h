/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/kinds.h - the kinds of documents that a server loads, one table row each.
 *
 * Loaders, commands and the reference page walk this table, so that a further kind is a row here and a schema.
 */
#ifndef SN_CORE_POLICY_KINDS_H
#define SN_CORE_POLICY_KINDS_H

#include <stdbool.h>

#include "base/slice.h"

struct sn_schema;        /* core/policy/schema.h */
struct sn_ruleset_shape; /* core/policy/ruleset_shape.h */
struct sn_yaml_node;     /* codec/yaml.h */

enum sn_document_kind {
    SN_DOCUMENT_CATALOG,
    SN_DOCUMENT_POLICY,
    SN_DOCUMENT_APPROVAL,
    SN_DOCUMENT_BREAKGLASS,
    SN_DOCUMENT_RATELIMIT,
    SN_DOCUMENT_KINDS
};

struct sn_document_kind_row {
    const char *word;      /* as --type names it */
    const char *title;     /* "Approval policy" */
    const char *file;      /* in a document directory, for kinds of which there is one document; else NULL */
    const char *parameter; /* the document's name, whatever its source; NULL as above */
    const char *variable;  /* setting that names its parameter; NULL as above */
    const struct sn_schema *schema;
    const struct sn_ruleset_shape *shape; /* for sn_ruleset_load(); NULL: loaded by a reader of its own */
};
extern const struct sn_document_kind_row sn_document_kinds[SN_DOCUMENT_KINDS];

/* False for a word that names none. */
bool sn_document_kind_parse(struct sn_slice word, enum sn_document_kind *out_kind);

/* What a text seems to be. */
struct sn_document_guess {
    enum sn_document_kind kind; /* an access policy when nothing speaks for another kind */
    bool is_bootstrap;          /* the one kind that no server loads; kind means nothing then */
    bool is_blind;              /* readable, and nothing tells what it is */
};
/* By the fields of its rules, of all of them, and then by those of its top level. */
struct sn_document_guess sn_document_kind_guess(struct sn_slice text);

#endif
