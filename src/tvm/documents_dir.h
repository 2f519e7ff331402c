/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/documents_dir.h - catalogue and access policies from a directory, compiled once and cached.
 *
 * catalog.yaml and catalog.d/NAME.yaml make the catalogue; policy.yaml governs every profile, or policies/PROFILE.yaml
 * one each. A document is used for at most the cache's time, less when the directory changes; when it does not load
 * again, the answer is the error and never the old document. Thread-safe.
 *
 * Codes: INVALID_POLICY and INVALID_CATALOG for a document that says something wrong, those of
 * tvm/signed_documents.h for its signature, DOCUMENT_UNTRUSTED,
 * DOCUMENT_UNREADABLE, DOCUMENT_TOO_LARGE, DOCUMENT_LAYOUT and CATALOG_EMPTY for everything else.
 */
#ifndef SN_TVM_DOCUMENTS_DIR_H
#define SN_TVM_DOCUMENTS_DIR_H

#include "base/clock.h"
#include "base/random.h"
#include "core/policy/tz.h"
#include "tvm/metrics.h"
#include "tvm/signed_documents.h"
#include "tvm/tvm.h"

struct sn_documents_dir;

struct sn_documents_dir_options {
    const char *dir;
    int64_t ttl_s;
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    const struct sn_tz_source *zones;
    struct sn_metrics *metrics;
    const struct sn_document_trust *trust; /* NULL: signatures are not looked at */
};

/* Nothing is loaded yet; a directory that does not exist is an error of the first load. */
struct sn_documents_dir *sn_documents_dir_new(const struct sn_documents_dir_options *options);
void sn_documents_dir_free(struct sn_documents_dir *documents);
void sn_documents_dir_free_p(struct sn_documents_dir **documents);
const struct sn_tvm_documents *sn_documents_dir_table(const struct sn_documents_dir *documents);

#endif
