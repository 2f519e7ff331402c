/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/lambda_main.c - the Lambda loop over the embedded store and the audit log on a file.
 *
 * Not shipped: what a function writes to its own disk is gone with it. It lets the loop, the events and the handler's
 * Lambda side be tested as one process.
 */
#include <stdio.h>

#include "base/env.h"
#include "base/log.h"
#include "base/process.h"
#include "cli/tvm_graph.h"
#include "cli/tvm_lambda.h"

static enum sn_status fill(struct sn_tvm_graph *graph, struct sn_error *err)
{
    SN_TRY(sn_graph_read_settings(graph, SN_TVM_FORM_SERVE, err));
    SN_TRY(sn_graph_open_store(graph, true, err));
    SN_TRY(sn_graph_open_audit(graph, err));
    SN_TRY(sn_graph_open_documents(graph, err));
    SN_TRY(sn_graph_open_sts(graph, err));
    return sn_graph_make_handler(graph, true, NULL, 0, err);
}

static enum sn_status build(void *ctx, struct sn_tvm **out_tvm, struct sn_error *err)
{
    struct sn_tvm_graph *graph = ctx;

    if (fill(graph, err) != SN_OK) {
        sn_graph_clear(graph);
        return err->status;
    }
    *out_tvm = graph->tvm;
    return SN_OK;
}

int main(void)
{
    static struct sn_tvm_graph graph;
    struct sn_error err = {0};
    const char *runtime_api = sn_env_get("AWS_LAMBDA_RUNTIME_API");

    sn_harden_process();
    if (runtime_api == NULL) {
        fputs("AWS_LAMBDA_RUNTIME_API is not set\n", stderr);
        return 2;
    }
    if (sn_tvm_lambda_run(runtime_api, build, &graph, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "lambda.ended", "the runtime API ended the loop", &err, SN_LOG_FIELDS());
    }
    sn_graph_clear(&graph);
    return 3;
}
