/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main/sentinel_tvm.c - the server: serve and its companions, or the Lambda form when the runtime asks for it.
 */
#include "base/env.h"
#include "base/log.h"
#include "base/process.h"
#include "cli/tvm_graph.h"
#include "cli/tvm_lambda.h"
#include "cli/tvm_serve.h"

static const struct sn_cmd *const commands[] = {
    &sn_cmd_tvm_serve,
    &sn_cmd_tvm_config,
    &sn_cmd_tvm_check,
    &sn_cmd_tvm_openapi,
    &sn_cmd_tvm_sweep,
    &sn_cmd_completion,
    &sn_cmd_help,
    &sn_cmd_version,
    NULL,
};

/* Called before the first event, and again before the next one while it fails. */
static enum sn_status build(void *ctx, struct sn_tvm **out_tvm, struct sn_error *err)
{
    struct sn_tvm_graph *graph = ctx;

    if (sn_graph_build_lambda(graph, err) != SN_OK) {
        sn_graph_clear(graph);
        return err->status;
    }
    *out_tvm = graph->tvm;
    return SN_OK;
}

/* Ends only when the runtime API ends. */
static int run_lambda(const char *runtime_api)
{
    static struct sn_tvm_graph graph;
    struct sn_error err = {0};

    if (sn_tvm_lambda_run(runtime_api, build, &graph, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "lambda.ended", "the runtime API ended the loop", &err, SN_LOG_FIELDS());
    }
    sn_graph_clear(&graph);
    return 3;
}

int main(int argc, char **argv)
{
    sn_harden_process();
    const char *runtime_api = sn_env_get("AWS_LAMBDA_RUNTIME_API");
    if (runtime_api != NULL) {
        return run_lambda(runtime_api);
    }
    return sn_cli_main("sentinel-tvm", commands, NULL, argc, argv);
}
