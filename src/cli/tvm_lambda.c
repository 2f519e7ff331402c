/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_lambda.c - the Lambda form.
 */
#include "cli/tvm_lambda.h"

#include "aws/lambda.h"
#include "base/log.h"
#include "tvm/errors.h"

struct function {
    sn_tvm_build_fn *build;
    void *ctx;
    struct sn_tvm *tvm; /* NULL until built */
};

static bool is_built(struct function *function, struct sn_error *err)
{
    if (function->tvm == NULL && function->build(function->ctx, &function->tvm, err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "init.failed", "the function could not start; the next event tries again", err,
            SN_LOG_FIELDS());
        function->tvm = NULL;
        return false;
    }
    return true;
}

static void answer_init_error(struct sn_response *response)
{
    struct sn_error err = {0};
    struct sn_api_words words = {0};
    struct sn_id id = {0};

    if (sn_id_new(sn_random_system(), &id, &err) == SN_OK) {
        words.request_id = sn_id_slice(&id);
        sn_response_header(response, "X-Sentinel-Request-Id", "%s", id.text);
    }
    sn_api_fail(&err, "INIT_ERROR", "not built");
    sn_api_respond(&err, &words, response);
}

static void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct function *function = ctx;
    struct sn_error err = {0};

    if (is_built(function, &err)) {
        sn_tvm_handle(function->tvm, request, response);
    } else {
        answer_init_error(response);
    }
}

static void refuse(void *ctx, int status, const char *code, const char *message, struct sn_response *response)
{
    struct function *function = ctx;
    struct sn_error err = {0};

    if (is_built(function, &err)) {
        sn_tvm_refuse(function->tvm, status, code, message, response);
    } else {
        answer_init_error(response);
    }
}

enum sn_status sn_tvm_lambda_run(const char *runtime_api, sn_tvm_build_fn *build, void *ctx, struct sn_error *err)
{
    struct function function = {.build = build, .ctx = ctx};
    struct sn_lambda_options options = {
        .runtime_api = runtime_api, .clock = sn_clock_system(), .handle = handle, .refuse = refuse, .ctx = &function};
    struct sn_lambda *lambda = NULL;

    SN_TRY(sn_lambda_new(&options, &lambda, err));
    enum sn_status status = sn_lambda_run(lambda, err);
    sn_lambda_free(lambda);
    return status;
}
