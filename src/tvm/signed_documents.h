/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/signed_documents.h - documents of a source, read together with their signatures (POL 11).
 *
 * What is verified is the very text that is handed on. Of each document the highest serial that was ever verified is
 * remembered for the life of the process, so that an old document with its old signature does not come back.
 */
#ifndef SN_TVM_SIGNED_DOCUMENTS_H
#define SN_TVM_SIGNED_DOCUMENTS_H

#include "tvm/document_cache.h"
#include "tvm/document_source.h"
#include "tvm/document_trust.h"

struct sn_signed_documents;

/* source and trust outlive it. Thread-safe. */
struct sn_signed_documents *sn_signed_documents_new(
    const struct sn_document_source *source, const struct sn_document_trust *trust);
void sn_signed_documents_free(struct sn_signed_documents *documents);

/*
 * Reads a document and, where keys are trusted, its signature. listed: what a list of the source has said of it, or
 * NULL. Codes beside those of the source: SIGNATURE_MISSING, SIGNATURE_MALFORMED, those of sn_envelope_verify and, when
 * KMS could not be asked, those of aws/kms.h; each is also a line of the log. *out_text is the caller's to clear and
 * empty unless *out_found; origin is filled in whole when it was found.
 */
SN_MUST_CHECK enum sn_status sn_signed_documents_read(struct sn_signed_documents *documents, const char *name,
    const struct sn_document_listed *listed, struct sn_buf *out_text, bool *out_found,
    struct sn_document_origin *out_origin, struct sn_error *err);

/* True for a failure that lies in what a document or its signature says. */
bool sn_document_is_bad(const struct sn_error *err);

#endif
