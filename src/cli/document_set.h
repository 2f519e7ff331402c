/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/document_set.h - documents to be checked together, each by its kind, and what was found in them.
 *
 * Catalogue documents of one set are one catalogue: a name given twice is an error of the later.
 */
#ifndef SN_CLI_DOCUMENT_SET_H
#define SN_CLI_DOCUMENT_SET_H

#include "base/buf.h"
#include "base/error.h"
#include "codec/json.h"
#include "core/policy/catalog.h"
#include "core/policy/findings.h"
#include "core/policy/kinds.h"
#include "core/policy/tz.h"

struct sn_document {
    const char *source; /* for messages */
    enum sn_document_kind kind;
    bool is_bootstrap; /* instead of kind */
    bool is_guess;     /* the kind was found by looking */
    bool is_blind;     /* and nothing told it */
    struct sn_buf text;
    struct sn_findings findings;
    int exit_code; /* where the text could not be had; 0 otherwise */
};

struct sn_document_set {
    struct sn_document *items;
    size_t count;
};
void sn_document_set_init(struct sn_document_set *set, size_t capacity);
void sn_document_set_clear(struct sn_document_set *set);
/* An empty document at the end, within the capacity. */
struct sn_document *sn_document_set_add(struct sn_document_set *set, const char *source);

/* Words of --type: every kind, and "bootstrap" for commands that know it; NULL-terminated. */
extern const char *const sn_document_type_choices[];
extern const char *const sn_config_type_choices[];
/* "policy", "bootstrap", and so on. */
const char *sn_document_type(const struct sn_document *document);
/* "Approval policy" */
const char *sn_document_title(const struct sn_document *document);

/* Finds out what each document is; type is a word of --type, or NULL to go by the texts. */
void sn_document_set_classify(struct sn_document_set *set, const char *type);
/* Fills the findings of all; catalog, which may be NULL, is what rules are compared with. */
void sn_document_set_check(
    struct sn_document_set *set, const struct sn_tz_source *zones, const struct sn_catalog *catalog);

size_t sn_document_set_errors(const struct sn_document_set *set);
size_t sn_document_set_warnings(const struct sn_document_set *set);
/* {"results":[...],"summary":{...}} */
void sn_document_set_json(struct sn_json_writer *w, const struct sn_document_set *set);

#endif
