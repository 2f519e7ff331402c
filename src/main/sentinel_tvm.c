/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main/sentinel_tvm.c - the server: serve and its companions, or the Lambda form when the runtime asks for it.
 */
#include <stdio.h>

#include "base/env.h"
#include "base/process.h"
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

/* The Lambda form keeps its state in DynamoDB and its audit log in CloudWatch Logs, which this version does not have.
 */
static int refuse_lambda(const char *runtime_api)
{
    struct sn_error err = {0};

    sn_fail(&err, SN_UNAVAILABLE, "INIT_ERROR",
        "this version cannot run as a Lambda function: it has no store and no audit log that outlive one");
    sn_tvm_lambda_refuse(runtime_api, &err);
    fprintf(stderr, "sentinel-tvm: error: %s\n  hint: run 'sentinel-tvm serve' on a host\n", err.message);
    return 3;
}

int main(int argc, char **argv)
{
    sn_harden_process();
    const char *runtime_api = sn_env_get("AWS_LAMBDA_RUNTIME_API");
    if (runtime_api != NULL) {
        return refuse_lambda(runtime_api);
    }
    return sn_cli_main("sentinel-tvm", commands, NULL, argc, argv);
}
