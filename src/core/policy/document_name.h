/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/document_name.h - the names of documents and of their signatures (POL 9).
 *
 * Every stored document has one name, that of its parameter, whatever its source; signatures bind it and logs show it.
 */
#ifndef SN_CORE_POLICY_DOCUMENT_NAME_H
#define SN_CORE_POLICY_DOCUMENT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/slice.h"

enum { SN_DOCUMENT_NAME_MAX = 1011, SN_CATALOG_NAME_MAX = 64 };

#define SN_POLICY_ROOT "/sentinel/policies"
#define SN_CATALOG_PATH "/sentinel/catalog"
#define SN_CONFIG_PATH "/sentinel/config"
#define SN_SIGNATURE_ROOT "/sentinel/signatures"

/* ^(/[A-Za-z0-9_.-]+){1,15}$, at most SN_DOCUMENT_NAME_MAX bytes. */
bool sn_document_name_is_valid(struct sn_slice name);
/* The same, and not of a path that AWS keeps for itself. INVALID_PARAMETER (SN_USAGE), saying which part is wrong. */
SN_MUST_CHECK enum sn_status sn_document_name_check(struct sn_slice name, struct sn_error *err);
/* "ROOT/REST", a slash behind the root left out; checked. */
SN_MUST_CHECK enum sn_status sn_document_name_join(
    struct sn_slice root, struct sn_slice rest, char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err);
/* True if inner is outer or lies below it. */
bool sn_document_name_is_below(struct sn_slice inner, struct sn_slice outer);

/* Where the signature of a document is stored. LIMIT when that name would be too long. */
SN_MUST_CHECK enum sn_status sn_document_signature_name(
    const char *name, char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err);

/* The name of a file of a document directory: "policies/dev.yaml" is /sentinel/policies/dev. */
void sn_document_name_of_file(const char *file, char *out, size_t out_size);
/* Back: the file of a document of the standard names; false for another name. */
bool sn_document_file_of_name(const char *name, char *out, size_t out_size);
/* ^[A-Za-z0-9_-]{1,64}$: what a catalogue document may be called. */
bool sn_catalog_name_is_valid(struct sn_slice name);

#endif
