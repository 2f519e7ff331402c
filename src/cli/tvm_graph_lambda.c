/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_graph_lambda.c - the objects behind the Lambda form, which keeps no files.
 */
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "cli/tvm_graph.h"
#include "store/key_file.h"

/* --- Keys --- */

static enum sn_status read_secret(
    struct sn_tvm_graph *graph, const char *id, struct sn_secret *out_text, struct sn_error *err)
{
    if (graph->secrets == NULL) {
        struct sn_json_client_options options;
        char endpoint[SN_ENDPOINT_MAX];
        SN_TRY(sn_graph_client_options(graph, "secretsmanager", endpoint, &options, err));
        SN_TRY(sn_secrets_new(&options, &graph->secrets, err));
    }
    return sn_secrets_get(graph->secrets, id, out_text, err);
}

/* A key must not lie where whoever reads parameters can read it. */
static enum sn_status read_parameter(
    struct sn_tvm_graph *graph, const char *name, struct sn_secret *out_text, struct sn_error *err)
{
    SN_AUTO(sn_ssm_parameter_clear) struct sn_ssm_parameter parameter = {0};

    SN_TRY(sn_graph_open_ssm(graph, err));
    SN_TRY(sn_ssm_get(graph->ssm, name, &parameter, err));
    if (strcmp(parameter.type, "SecureString") != 0) {
        sn_fail(err, SN_INVALID, "INVALID_PARAMETER", "parameter '%s' holds a key, but is no SecureString", name);
        return sn_suggest(err, "make a new key, and put it as a SecureString");
    }
    sn_secret_set(out_text, sn_buf_slice(&parameter.value));
    return SN_OK;
}

/* The text of a key file, wherever it lies: a bare hex key, or lines key_id:hex. */
static enum sn_status parse_keys(const struct sn_secret *text, const char *bare_id, const char *where,
    struct sn_audit_keys *out_keys, struct sn_error *err)
{
    return sn_audit_keys_parse(sn_secret_reveal(text), bare_id, out_keys, err) == SN_OK
               ? SN_OK
               : sn_error_context(err, "%s", where);
}

static void use_one_key(struct sn_audit_keys *keys, const char *id, const struct sn_secret *key)
{
    snprintf(keys->keys[0].id, sizeof(keys->keys[0].id), "%s", id);
    sn_secret_set(&keys->keys[0].key, sn_secret_reveal(key));
    keys->count = 1;
}

static enum sn_status load_seal_keys(struct sn_tvm_graph *graph, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    SN_AUTO(sn_audit_keys_clear) struct sn_audit_keys keys = {.count = 0};
    const struct sn_tvm_settings *settings = &graph->settings;
    const char *place = settings->state_signing_key_secret_id;

    if (sn_secret_is_set(&settings->state_signing_key)) {
        use_one_key(&keys, settings->state_signing_key_id, &settings->state_signing_key);
    } else if (sn_slice_has_prefix(sn_slice_str(place), SN_S("ssm:"))) {
        SN_TRY(read_parameter(graph, place + strlen("ssm:"), &text, err));
        SN_TRY(parse_keys(&text, settings->state_signing_key_id, "the sealing key", &keys, err));
    } else {
        SN_TRY(read_secret(graph, place, &text, err));
        SN_TRY(parse_keys(&text, settings->state_signing_key_id, "the sealing key", &keys, err));
    }
    return sn_seal_keys_from(&keys, &graph->seal_keys, err);
}

static enum sn_status load_audit_keys(struct sn_tvm_graph *graph, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    const struct sn_tvm_settings *settings = &graph->settings;

    if (sn_secret_is_set(&settings->log_signing_key)) {
        use_one_key(&graph->audit_keys, settings->log_signing_key_id, &settings->log_signing_key);
    } else {
        SN_TRY(settings->log_signing_key_parameter[0] != '\0'
                   ? read_parameter(graph, settings->log_signing_key_parameter, &text, err)
                   : read_secret(graph, settings->log_signing_key_secret_id, &text, err));
        SN_TRY(parse_keys(&text, settings->log_signing_key_id, "the key of the audit log", &graph->audit_keys, err));
    }
    return sn_graph_check_keys_differ(graph, err);
}

/* --- Store, audit --- */

enum sn_status sn_graph_open_shared_store(struct sn_tvm_graph *graph, struct sn_error *err)
{
    struct sn_json_client_options client;
    char endpoint[SN_ENDPOINT_MAX];

    SN_TRY(load_seal_keys(graph, err));
    SN_TRY(sn_graph_client_options(graph, "dynamodb", endpoint, &client, err));
    SN_TRY(sn_dynamodb_new(&client, &graph->dynamodb, err));
    const struct sn_dynamodb_store_options options = {
        .client = graph->dynamodb,
        .session_table = graph->settings.session_table,
        .keys = &graph->seal_keys,
        .random_source = sn_random_system(),
        .clock = sn_clock_system(),
        .wait_ms = sn_transport_sleep_ms,
    };
    SN_TRY(sn_dynamodb_store_new(&options, &graph->dynamodb_store, err));
    graph->store = sn_dynamodb_session_store(graph->dynamodb_store);
    return SN_OK;
}

/* Servers may share a log stream; the function's name is one that operators find. */
static const char *log_stream(const struct sn_tvm_graph *graph)
{
    const char *function = sn_env_get("AWS_LAMBDA_FUNCTION_NAME");

    if (graph->settings.cloudwatch_stream[0] != '\0') {
        return graph->settings.cloudwatch_stream;
    }
    return function != NULL ? function : "sentinel-tvm";
}

enum sn_status sn_graph_open_log_group(struct sn_tvm_graph *graph, struct sn_error *err)
{
    struct sn_json_client_options client;
    char endpoint[SN_ENDPOINT_MAX];

    SN_TRY(load_audit_keys(graph, err));
    SN_TRY(sn_graph_client_options(graph, "logs", endpoint, &client, err));
    SN_TRY(sn_logs_new(&client, &graph->logs, err));
    const struct sn_audit_logs_options options = {
        .logs = graph->logs,
        .group = graph->settings.cloudwatch_log_group,
        .stream = log_stream(graph),
        .keys = &graph->audit_keys,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .instance = graph->instance,
        .version = SN_VERSION,
        .notify = sn_graph_notify,
    };
    SN_TRY(sn_audit_logs_new(&options, &graph->audit_logs, err));
    graph->audit = sn_audit_logs_sink(graph->audit_logs);
    return SN_OK;
}

enum sn_status sn_graph_build_lambda(struct sn_tvm_graph *graph, struct sn_error *err)
{
    SN_TRY(sn_graph_read_settings(graph, SN_TVM_FORM_LAMBDA, err));
    SN_TRY(sn_graph_open_shared_store(graph, err));
    SN_TRY(sn_graph_open_log_group(graph, err));
    SN_TRY(sn_graph_open_documents(graph, err));
    SN_TRY(sn_graph_open_sts(graph, err));
    return sn_graph_make_handler(graph, true, NULL, 0, err);
}
