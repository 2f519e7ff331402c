/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_cmd_config.c - config: the settings in force and where they come from; and openapi, which prints the
 * document.
 */
#include "cli/tvm_graph.h"
#include "cli/tvm_serve.h"
#include "tvm/openapi.h"

#include <unistd.h>

#include "base/env.h"

struct config_args {
    bool reference;
};

static enum sn_status run_config(struct sn_app *app, void *args, struct sn_error *err)
{
    const struct config_args *config = args;
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_tvm_settings_clear) struct sn_tvm_settings settings = {0};

    if (config->reference) {
        sn_settings_reference(&text);
        return sn_app_write(app, sn_buf_slice(&text), err);
    }
    SN_TRY(sn_tvm_settings_check_names((const char *const *)environ, err));
    SN_TRY(sn_tvm_settings_load(sn_env_system(), SN_TVM_FORM_SERVE, &settings, err));
    sn_tvm_settings_print(&settings, app->json, &text);
    return sn_app_write(app, sn_buf_slice(&text), err);
}

static const struct sn_opt config_opts[] = {
    {.name = "reference",
        .kind = SN_OPT_FLAG,
        .field = offsetof(struct config_args, reference),
        .help = "print the reference page of all settings instead"},
    {0},
};

const struct sn_cmd sn_cmd_tvm_config = {
    .name = "config",
    .group = SN_GROUP_SERVER,
    .summary = "show the settings in force and where each comes from",
    .description = "Secrets are masked. A setting that is wrong, and a name that no setting has, is an error.",
    .opts = config_opts,
    .args_size = sizeof(struct config_args),
    .run = run_config,
};

static enum sn_status run_openapi(struct sn_app *app, void *args, struct sn_error *err)
{
    (void)args;
    return sn_app_write(app, sn_openapi_document(), err);
}

const struct sn_cmd sn_cmd_tvm_openapi = {
    .name = "openapi",
    .group = SN_GROUP_SERVER,
    .summary = "print the OpenAPI 3.1 document of the API",
    .run = run_openapi,
};
