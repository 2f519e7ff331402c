/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_graph.c - the objects behind a standalone server.
 */
#include "cli/tvm_graph.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"
#include "store/key_file.h"

enum sn_status sn_graph_read_settings(struct sn_tvm_graph *graph, enum sn_tvm_form form, struct sn_error *err)
{
    SN_TRY(sn_tvm_settings_check_names((const char *const *)environ, err));
    SN_TRY(sn_tvm_settings_load(sn_env_system(), form, &graph->settings, err));
    if (sn_secret_is_set(&graph->settings.state_signing_key) || sn_secret_is_set(&graph->settings.log_signing_key)) {
        sn_log_warn("settings.key_in_environment", "a key stands in the environment, where other programs may see it; "
                                                   "a key file is safer");
    }
    graph->metrics = sn_metrics_new();
    sn_zoneinfo_init(&graph->zoneinfo, graph->settings.zoneinfo_dir);
    graph->zones = sn_zoneinfo_source(&graph->zoneinfo);
    return sn_id_new(sn_random_system(), &graph->instance, err);
}

/* --- Keys --- */

static enum sn_status load_seal_keys(struct sn_tvm_graph *graph, bool may_make, struct sn_error *err)
{
    const struct sn_tvm_settings *settings = &graph->settings;
    struct sn_seal_key *first = &graph->seal_keys.keys[0];

    if (!sn_secret_is_set(&settings->state_signing_key)) {
        return sn_seal_key_file_load_for(settings->state_signing_key_file, settings->state_signing_key_id,
            settings->store_path, may_make ? sn_random_system() : NULL, &graph->seal_keys, err);
    }
    snprintf(first->id, sizeof(first->id), "%s", settings->state_signing_key_id);
    sn_secret_set(&first->key, sn_secret_reveal(&settings->state_signing_key));
    graph->seal_keys.count = 1;
    return SN_OK;
}

enum sn_status sn_graph_check_keys_differ(const struct sn_tvm_graph *graph, struct sn_error *err)
{
    for (size_t i = 0; i < graph->audit_keys.count; i++) {
        for (size_t k = 0; k < graph->seal_keys.count; k++) {
            if (sn_secret_eq(&graph->audit_keys.keys[i].key, &graph->seal_keys.keys[k].key)) {
                return sn_fail(err, SN_INVALID, "INVALID_AUDIT_KEY",
                    "the key of the audit log equals the key that seals records; each must be its own");
            }
        }
    }
    return SN_OK;
}

enum sn_status sn_graph_load_audit_keys(struct sn_tvm_graph *graph, bool may_make, struct sn_error *err)
{
    const struct sn_tvm_settings *settings = &graph->settings;
    struct sn_audit_keys keys = {0};

    if (sn_secret_is_set(&settings->log_signing_key)) {
        snprintf(keys.keys[0].id, sizeof(keys.keys[0].id), "%s", settings->log_signing_key_id);
        sn_secret_set(&keys.keys[0].key, sn_secret_reveal(&settings->log_signing_key));
        keys.count = 1;
    } else {
        SN_TRY(sn_audit_key_file_load(settings->log_signing_key_file, settings->log_signing_key_id,
            may_make ? sn_random_system() : NULL, &keys, err));
    }
    sn_audit_keys_clear(&graph->audit_keys);
    graph->audit_keys = keys;
    return sn_graph_check_keys_differ(graph, err);
}

/* --- Store, audit --- */

enum sn_status sn_graph_open_store(struct sn_tvm_graph *graph, bool may_make, struct sn_error *err)
{
    struct sn_sqlite_options options = {.path = graph->settings.store_path, .keys = &graph->seal_keys};

    SN_TRY(load_seal_keys(graph, may_make, err));
    SN_TRY(sn_sqlite_open(&options, &graph->sqlite, err));
    graph->store = sn_sqlite_session_store(graph->sqlite);
    return SN_OK;
}

void sn_graph_notify(void *ctx, enum sn_log_level level, const char *event, const char *message)
{
    (void)ctx;
    sn_log_write(level, event, message, SN_LOG_FIELDS());
}

enum sn_status sn_graph_open_audit(struct sn_tvm_graph *graph, struct sn_error *err)
{
    struct sn_audit_file_options options = {
        .path = graph->settings.audit_file,
        .anchor_path = graph->settings.audit_anchor_file,
        .rotate_bytes = graph->settings.audit_rotate_bytes,
        .rotate_s = graph->settings.audit_rotate_s,
        .anchor_log_s = graph->settings.audit_anchor_s,
        .keys = &graph->audit_keys,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .instance = graph->instance,
        .version = SN_VERSION,
        .notify = sn_graph_notify,
    };
    struct sn_audit_file_stats stats;

    SN_TRY(sn_graph_load_audit_keys(graph, true, err));
    SN_TRY(sn_audit_file_open(&options, &graph->audit_file, err));
    graph->audit = sn_audit_file_sink(graph->audit_file);
    sn_audit_file_stats(graph->audit_file, &stats);
    sn_log_info("audit.open", "audit log opened", SN_STR("path", graph->settings.audit_file),
        SN_STR("stream", stats.position.stream), SN_INT("seq", stats.position.seq), SN_STR("key_id", stats.key_id));
    return SN_OK;
}

/* --- Documents, STS, handler --- */

/* The server's own credentials, for STS and for what else it asks AWS. */
static enum sn_status open_base(struct sn_tvm_graph *graph, struct sn_error *err)
{
    struct sn_base_options options = {.region = graph->settings.region, .clock = sn_clock_system()};

    return graph->base != NULL ? SN_OK : sn_base_new(&options, &graph->base, err);
}

enum sn_status sn_graph_client_options(struct sn_tvm_graph *graph, const char *service, char endpoint[SN_ENDPOINT_MAX],
    struct sn_json_client_options *out_options, struct sn_error *err)
{
    SN_TRY(open_base(graph, err));
    SN_TRY(sn_endpoint_url(service, sn_slice_str(graph->settings.region), sn_env_system(), endpoint, err));
    *out_options = (struct sn_json_client_options){
        .endpoint = endpoint,
        .region = graph->settings.region,
        .source = sn_base_source(graph->base),
    };
    return SN_OK;
}

/* Said once, so that the log tells whom the server believed. */
static void log_trust(const struct sn_document_trust *trust)
{
    if (trust->key_count == 0) {
        sn_log_info(
            "policy.signing", "signatures of documents are not looked at: SENTINEL_POLICY_SIGNING_KEY is not set");
    }
    for (size_t i = 0; i < trust->key_count; i++) {
        sn_log_info("policy.signing",
            trust->enforce ? "documents must be signed" : "signatures are verified; documents without one are used",
            SN_STR("key_id", sn_document_trust_name(trust, i)));
    }
}

static enum sn_status open_trust(struct sn_tvm_graph *graph, struct sn_error *err)
{
    if (sn_document_trust_needs_kms(&graph->settings)) {
        struct sn_json_client_options options;
        char endpoint[SN_ENDPOINT_MAX];
        SN_TRY(sn_graph_client_options(graph, "kms", endpoint, &options, err));
        SN_TRY(sn_kms_new(&options, &graph->kms, err));
    }
    SN_TRY(sn_document_trust_load(&graph->settings, graph->kms, &graph->trust, err));
    log_trust(&graph->trust);
    return SN_OK;
}

enum sn_status sn_graph_open_ssm(struct sn_tvm_graph *graph, struct sn_error *err)
{
    struct sn_json_client_options options;
    char endpoint[SN_ENDPOINT_MAX];

    if (graph->ssm != NULL) {
        return SN_OK;
    }
    SN_TRY(sn_graph_client_options(graph, "ssm", endpoint, &options, err));
    return sn_ssm_new(&options, &graph->ssm, err);
}

static enum sn_status open_source(
    struct sn_tvm_graph *graph, const struct sn_document_source **out_source, struct sn_error *err)
{
    if (graph->settings.policy_dir[0] != '\0') {
        graph->source_dir = sn_source_dir_new(graph->settings.policy_dir);
        *out_source = sn_source_dir_table(graph->source_dir);
        return SN_OK;
    }
    SN_TRY(sn_graph_open_ssm(graph, err));
    graph->source_ssm = sn_source_ssm_new(graph->ssm, &graph->settings);
    *out_source = sn_source_ssm_table(graph->source_ssm);
    return SN_OK;
}

enum sn_status sn_graph_open_documents(struct sn_tvm_graph *graph, struct sn_error *err)
{
    struct sn_documents_options options = {
        .trust = &graph->trust,
        .ttl_s = graph->settings.policy_cache_ttl_s,
        .grace_s = graph->settings.policy_stale_grace_s,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .zones = &graph->zones,
        .metrics = graph->metrics,
    };

    SN_TRY(open_trust(graph, err));
    SN_TRY(open_source(graph, &options.source, err));
    graph->documents = sn_documents_new(&options);
    return SN_OK;
}

enum sn_status sn_graph_open_sts(struct sn_tvm_graph *graph, struct sn_error *err)
{
    char endpoint[SN_ENDPOINT_MAX];

    SN_TRY(sn_endpoint_url("sts", sn_slice_str(graph->settings.region), sn_env_system(), endpoint, err));
    SN_TRY(open_base(graph, err));
    struct sn_sts_options options = {
        .endpoint = endpoint,
        .region = graph->settings.region,
        .source = sn_base_source(graph->base),
        .clock = sn_clock_system(),
    };
    size_t proofs = (size_t)graph->settings.workers / 2;
    return sn_sts_pool_new(&options, proofs, &graph->sts, err);
}

enum sn_status sn_graph_make_handler(struct sn_tvm_graph *graph, bool is_lambda, const struct sn_slice *audiences,
    size_t audience_count, struct sn_error *err)
{
    struct sn_audit_file_stats stats = {0};

    if (graph->audit_file != NULL) {
        sn_audit_file_stats(graph->audit_file, &stats);
    }
    struct sn_tvm_parts parts = {
        .not_before_unix_ms = stats.position.unix_ms,
        .settings = &graph->settings,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .sts = sn_sts_pool_table(graph->sts),
        .documents = sn_documents_table(graph->documents),
        .store = &graph->store,
        .audit = &graph->audit,
        .seal_keys = &graph->seal_keys,
        .probes = &graph->probes,
        .metrics = graph->metrics,
        .is_lambda = is_lambda,
        .audiences = audiences,
        .audience_count = audience_count,
    };

    return sn_tvm_new(&parts, &graph->tvm, err);
}

void sn_graph_clear(struct sn_tvm_graph *graph)
{
    sn_tvm_free(graph->tvm);
    sn_sts_pool_free(graph->sts);
    sn_documents_free(graph->documents);
    sn_source_dir_free(graph->source_dir);
    sn_source_ssm_free(graph->source_ssm);
    sn_document_trust_clear(&graph->trust);
    sn_audit_file_close(graph->audit_file);
    sn_audit_logs_free(graph->audit_logs);
    sn_logs_free(graph->logs);
    sn_sqlite_close(graph->sqlite);
    sn_dynamodb_store_free(graph->dynamodb_store);
    sn_dynamodb_free(graph->dynamodb);
    sn_secrets_free(graph->secrets);
    sn_ssm_free(graph->ssm);
    sn_kms_free(graph->kms);
    sn_base_free(graph->base);
    sn_zoneinfo_clear(&graph->zoneinfo);
    sn_audit_keys_clear(&graph->audit_keys);
    sn_seal_keys_clear(&graph->seal_keys);
    sn_metrics_free(graph->metrics);
    sn_tvm_settings_clear(&graph->settings);
    *graph = (struct sn_tvm_graph){0};
}
