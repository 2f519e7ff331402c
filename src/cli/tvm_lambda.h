/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_lambda.h - the Lambda form: the runtime loop around a handler that is built with the first event.
 *
 * A handler that cannot be built is no crash: that event is answered with INIT_ERROR and the next one tries again.
 */
#ifndef SN_CLI_TVM_LAMBDA_H
#define SN_CLI_TVM_LAMBDA_H

#include "base/error.h"
#include "tvm/tvm.h"

/* Builds the handler; called until it succeeds. What it leaves behind on failure is its own to clear. */
typedef enum sn_status sn_tvm_build_fn(void *ctx, struct sn_tvm **out_tvm, struct sn_error *err);

/* Answers events until the runtime API fails; the handler stays with ctx. */
SN_MUST_CHECK enum sn_status sn_tvm_lambda_run(
    const char *runtime_api, sn_tvm_build_fn *build, void *ctx, struct sn_error *err);

#endif
