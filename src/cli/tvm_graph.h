/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_graph.h - the objects behind a server, built one after the other and torn down in reverse.
 *
 * A standalone server keeps its state in files (tvm_graph.c), the Lambda form in DynamoDB and CloudWatch Logs, with its
 * keys in Secrets Manager or Parameter Store (tvm_graph_lambda.c). Documents, STS and the handler are the same.
 */
#ifndef SN_CLI_TVM_GRAPH_H
#define SN_CLI_TVM_GRAPH_H

#include "aws/logs.h"
#include "aws/secrets.h"
#include "core/audit/chain.h"
#include "store/audit_file.h"
#include "store/audit_logs.h"
#include "store/dynamodb.h"
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
    struct sn_sqlite *sqlite; /* the store: one of the two */
    struct sn_dynamodb *dynamodb;
    struct sn_dynamodb_store *dynamodb_store;
    struct sn_session_store store;
    struct sn_seal_keys seal_keys;
    struct sn_audit_keys audit_keys;
    struct sn_audit_file *audit_file; /* the log: one of the two */
    struct sn_logs *logs;
    struct sn_audit_logs *audit_logs;
    struct sn_audit_sink audit;
    struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;
    struct sn_document_trust trust;
    struct sn_base *base;
    struct sn_secrets *secrets;       /* where a key lies there */
    struct sn_kms *kms;               /* where a signing key lies there */
    struct sn_ssm *ssm;               /* where documents or a key lie there */
    struct sn_source_dir *source_dir; /* one of the two */
    struct sn_source_ssm *source_ssm;
    struct sn_documents *documents;
    struct sn_sts_pool *sts;
    struct sn_tvm_probes probes;
    struct sn_tvm *tvm;
};

/* Settings from the process's environment, unknown names refused; then what needs no file. */
SN_MUST_CHECK enum sn_status sn_graph_read_settings(
    struct sn_tvm_graph *graph, enum sn_tvm_form form, struct sn_error *err);
/* Sealing keys and store. may_make: keys and database are made when they are missing. */
SN_MUST_CHECK enum sn_status sn_graph_open_store(struct sn_tvm_graph *graph, bool may_make, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_load_audit_keys(struct sn_tvm_graph *graph, bool may_make, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_open_audit(struct sn_tvm_graph *graph, struct sn_error *err);
/* The same for the Lambda form. */
SN_MUST_CHECK enum sn_status sn_graph_open_shared_store(struct sn_tvm_graph *graph, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_open_log_group(struct sn_tvm_graph *graph, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_open_documents(struct sn_tvm_graph *graph, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_graph_open_sts(struct sn_tvm_graph *graph, struct sn_error *err);
/* The handler over all of it; is_lambda as in tvm/tvm.h. */
SN_MUST_CHECK enum sn_status sn_graph_make_handler(struct sn_tvm_graph *graph, bool is_lambda,
    const struct sn_slice *audiences, size_t audience_count, struct sn_error *err);
/* All of it for the Lambda form. */
SN_MUST_CHECK enum sn_status sn_graph_build_lambda(struct sn_tvm_graph *graph, struct sn_error *err);
/* How a client of a service reaches it with the server's own credentials. */
SN_MUST_CHECK enum sn_status sn_graph_client_options(struct sn_tvm_graph *graph, const char *service,
    char endpoint[SN_ENDPOINT_MAX], struct sn_json_client_options *out_options, struct sn_error *err);
/* Parameter Store, opened once. */
SN_MUST_CHECK enum sn_status sn_graph_open_ssm(struct sn_tvm_graph *graph, struct sn_error *err);
/* The two keys are not one. INVALID_AUDIT_KEY. */
SN_MUST_CHECK enum sn_status sn_graph_check_keys_differ(const struct sn_tvm_graph *graph, struct sn_error *err);
/* Tells the operational log; for what has no caller. */
void sn_graph_notify(void *ctx, enum sn_log_level level, const char *event, const char *message);
/* Ends everything that was begun; flushes the audit log before the store closes. */
void sn_graph_clear(struct sn_tvm_graph *graph);

#endif
