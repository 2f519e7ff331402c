/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cached_credentials.c - the short way of credential-process.
 */
#include "cli/cached_credentials.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/process.h"
#include "cli/config.h"
#include "cli/credential_options.h"
#include "cli/parse.h"
#include "cli/quote.h"
#include "vault/credential_cache.h"

enum { NOT_ANSWERED = -1, EXIT_OUTPUT_FAILED = 3 };

static const struct sn_cmd process_form = {SN_CREDENTIAL_PROCESS_FORM};
static const struct sn_cmd *const forms[] = {&process_form, NULL};

/* A glance: most calls are other commands. */
static bool may_be_ours(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], process_form.name) == 0 || strcmp(argv[i], process_form.alias) == 0) {
            return true;
        }
    }
    return false;
}

/* A closed one would be filled by the next file that is opened. */
static bool standard_fds_are_open(void)
{
    return fcntl(STDIN_FILENO, F_GETFD) >= 0 && fcntl(STDOUT_FILENO, F_GETFD) >= 0 &&
           fcntl(STDERR_FILENO, F_GETFD) >= 0;
}

/* Only the address matters here; how to ask does not. */
static enum sn_status from_config(void *ctx, const char *key, const char **out_value, struct sn_error *err)
{
    struct sn_cli_config *config = ctx;

    *out_value = NULL;
    if (strcmp(key, "tvm_url") != 0) {
        return SN_OK;
    }
    SN_TRY(sn_cli_config_load(config, sn_env_system(), err));
    *out_value = sn_cli_config_get(config, key);
    return SN_OK;
}

static int answer(const struct sn_invocation *call)
{
    const struct sn_credentials_args *args = call->args;
    const char *operand = call->operand_count > 0 ? call->operands[0] : NULL;
    const char *profile = operand != NULL ? operand : args->profile;
    SN_AUTO(sn_credential_cache_clear) struct sn_credential_cache cache = {0};
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;

    if (args->tvm.no_cache || args->tvm.tvm_url == NULL || profile == NULL || call->builtin.output != NULL ||
        (operand != NULL && args->profile != NULL) || (!args->force_stdout && isatty(STDOUT_FILENO))) {
        return NOT_ANSWERED;
    }
    struct sn_credential_cache_options options = {.tvm_url = args->tvm.tvm_url,
        .profile = profile,
        .aws_profile = args->tvm.aws_profile,
        .duration_s = args->duration_s};
    sn_harden_process(); /* secrets follow */
    sn_credential_cache_open(&cache, &options);
    if (!sn_credential_cache_peek(&cache, &issued)) {
        return NOT_ANSWERED;
    }
    sn_credentials_json(&text, &issued.credentials, false);
    if (sn_fd_write_all(STDOUT_FILENO, sn_buf_slice(&text), &err) != SN_OK) {
        (void)dprintf(STDERR_FILENO, "sentinel: error: cannot write the result: %s\n", err.message);
        return EXIT_OUTPUT_FAILED;
    }
    return 0;
}

int sn_cli_cached_credentials(const char *program, int argc, char **argv)
{
    struct sn_cli_config config = {0};
    struct sn_cli_sources sources = {.env = sn_env_system(), .config = from_config, .ctx = &config};
    struct sn_invocation call = {0};
    struct sn_error ignored;
    int exit_code = NOT_ANSWERED;

    if (!may_be_ours(argc, argv) || !standard_fds_are_open()) {
        return NOT_ANSWERED;
    }
    if (sn_cli_parse(program, forms, &sources, argc, argv, &call, &ignored) == SN_OK && call.cmd == &process_form &&
        !call.builtin.help && !call.version) {
        exit_code = answer(&call);
    }
    sn_invocation_clear(&call);
    sn_cli_config_clear(&config);
    return exit_code;
}
