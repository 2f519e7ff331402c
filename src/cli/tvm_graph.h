/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_graph.h - the objects behind a standalone server, built one after the other and torn down in reverse.
 *
 * Used by serve and check, and by the test main that runs the Lambda loop over the embedded store.
 */
#ifndef SN_CLI_TVM_GRAPH_H
#define SN_CLI_TVM_GRAPH_H

#include "core/audit/chain.h"
#include "store/audit_file.h"
#include "store/sqlite.h"
#include "store/zoneinfo.h"
#include "tvm/documents.h"
#include "tvm/source_dir.h"
#include "tvm/source_ssm.h"
#include "tvm/sts_pool.h"
#include "tvm/tvm.h"
#include "vault/base_credentials.h"

struct sn_tvm_graph {
    struct sn_tvm_settings settings;
    struct sn_metrics *metrics;
    struct sn_id instance;
    struct sn_sqlite *sqlite;
    struct sn_session_store store;
    struct sn_seal_keys seal_keys;
    struct sn_audit_keys audit_keys;
    struct sn_audit_file *audit_file;
    struct sn_audit_sink audit;
    struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;
    struct sn_document_trust trust;
    struct sn_base *base;
    struct sn_kms *kms;               /* where a signing key lies there */
    struct sn_ssm *ssm;               /* where the documents lie there */
    struct sn_source_dir *source_dir; /* one of the two */
    struct sn_source_ssm *source_ssm;
    struct sn_documents *documents;
    struct sn_sts_pool *sts;
    struct sn_tvm_probes probes;
    struct sn_tvm *tvm;
};

/* Settings from the process's environment, unknown names refused; then what needs no file. */
SN_MUST_CHECK enum sn_status sn_graph_read_settings(struct sn_tvm_graph *graph, struct sn_error *err);
/* Sealing keys and store. may_make: keys and database are made when they are missing. */
SN_MUST_CHECK enum sn_status sn_graph_open_store(struct sn_tvm_graph *graph, bool may_make, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_load_audit_keys(struct sn_tvm_graph *graph, bool may_make, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_open_audit(struct sn_tvm_graph *graph, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_open_documents(struct sn_tvm_graph *graph, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_open_sts(struct sn_tvm_graph *graph, struct sn_error *err);
/* The handler over all of it; is_lambda as in tvm/tvm.h. */
SN_MUST_CHECK enum sn_status sn_graph_make_handler(struct sn_tvm_graph *graph, bool is_lambda,
    const struct sn_slice *audiences, size_t audience_count, struct sn_error *err);
/* Ends everything that was begun; flushes the audit log before the store closes. */
void sn_graph_clear(struct sn_tvm_graph *graph);

#endif
