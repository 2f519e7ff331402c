/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/documents.h - every document the server decides by, from one source, verified, compiled once and cached.
 *
 * One chain serves all kinds and sources: read, signature, parse and compile, cache. Thread-safe.
 *
 * Codes: INVALID_POLICY and INVALID_CATALOG for a document that says something wrong, those of
 * tvm/signed_documents.h for its signature, CATALOG_EMPTY, DOCUMENT_MISSING, and those of the source for everything
 * else.
 */
#ifndef SN_TVM_DOCUMENTS_H
#define SN_TVM_DOCUMENTS_H

#include "core/policy/tz.h"
#include "tvm/metrics.h"
#include "tvm/signed_documents.h"
#include "tvm/tvm.h"

struct sn_documents;

struct sn_documents_options {
    const struct sn_document_source *source; /* outlives it, as trust does */
    const struct sn_document_trust *trust;   /* NULL: signatures are not looked at */
    int64_t ttl_s, grace_s;                  /* as in tvm/document_cache.h; grace only where the source may be stale */
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    const struct sn_tz_source *zones;
    struct sn_metrics *metrics;
};

/* Nothing is loaded yet; what cannot be read is an error of the first load. */
struct sn_documents *sn_documents_new(const struct sn_documents_options *options);
void sn_documents_free(struct sn_documents *documents);
void sn_documents_free_p(struct sn_documents **documents);
const struct sn_tvm_documents *sn_documents_table(const struct sn_documents *documents);

#endif
