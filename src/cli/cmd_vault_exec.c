/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_vault_exec.c - vault exec, vault export: credentials of a local profile, without a TVM.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "cli/child.h"
#include "cli/child_env.h"
#include "cli/quote.h"
#include "cli/tvm_access.h"
#include "cli/vault_access.h"

enum { EXIT_OWN_FAILURE = 125 };

struct exec_args {
    struct sn_session_args session;
    bool nested;
};
struct export_args {
    struct sn_session_args session;
    const char *format;
};

/* clang-format off */
static const char *const formats[] = {"env", "export-env", "json", "ini", "dotenv", "fish", "powershell", NULL};
static const struct sn_opt exec_opts[] = {
    SN_SESSION_OPTS(struct exec_args, session),
    {.name = "nested", .kind = SN_OPT_FLAG, .field = offsetof(struct exec_args, nested),
     .help = "start a shell inside the shell of another 'exec'"},
    {.name = "json", .letter = 'j', .flags = SN_OPT_REMOVED, .help = "use 'sentinel vault export --format json'"},
    {0},
};
static const struct sn_opt export_opts[] = {
    {.name = "format", .metavar = "FORM", .kind = SN_OPT_CHOICE, .choices = formats, .fallback = "env",
     .field = offsetof(struct export_args, format), .help = "who is to read them; 'export-env' is for eval"},
    SN_SESSION_OPTS(struct export_args, session),
    {0},
};
/* clang-format on */

static enum sn_status check_nesting(const struct sn_app *app, const struct exec_args *args, struct sn_error *err)
{
    const char *outer = sn_env_get("AWS_VAULT") != NULL ? sn_env_get("AWS_VAULT") : sn_env_get("AWS_SENTINEL");

    if (outer == NULL || args->nested || app->command_count > 0) {
        return SN_OK;
    }
    (void)sn_fail(err, SN_USAGE, "SUBSHELL_ACTIVE", "a shell with the credentials of '%.80s' is already active", outer);
    return sn_suggest(err, "leave it with 'exit', or add --nested");
}

static enum sn_status run_exec(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct exec_args *args = arguments;
    const struct sn_client_context *context = app->context;
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access access = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    const char *shell = sn_env_get("SHELL");
    const char *const fallback[] = {shell != NULL ? shell : "/bin/sh", NULL};
    const char *const *argv = app->command_count > 0 ? app->command : fallback;
    char region[SN_REGION_MAX + 1];
    const char *profile = NULL;
    int exit_code = EXIT_OWN_FAILURE;

    SN_TRY(check_nesting(app, args, err));
    SN_TRY(sn_vault_profile(app, &profile, err));
    SN_TRY(sn_vault_access_credentials(app, &args->session, profile, &access, &credentials, region, err));
    SN_AUTO(sn_child_env_free_p)
    char **env =
        sn_child_env_with_keys((const char *const *)environ, profile, region[0] != '\0' ? region : NULL, &credentials);
    if (app->command_count == 0 && isatty(STDIN_FILENO) && sn_env_get("AWS_VAULT_DISABLE_HELP_MESSAGE") == NULL) {
        sn_app_note(app, "Starting subshell %s, use `exit` to exit the subshell", argv[0]);
    }
    enum sn_status status = sn_child_become(context->umask, &context->inherited, argv, env, &exit_code, err);
    sn_app_outcome(app, exit_code);
    return status;
}

static const struct sn_example exec_examples[] = {
    {"sentinel vault exec dev -- aws sts get-caller-identity", "run one command with credentials of 'dev'"},
    {"AWS_PROFILE=dev sentinel vault exec -- make deploy", "the profile comes from the environment"},
    {0},
};
static const struct sn_exit_row exec_exits[] = {
    {0, "the command's own exit code is returned, whatever it is"},
    {125, "Sentinel itself failed; the command did not start"},
    {126, "the command cannot be executed"},
    {127, "the command was not found"},
    {0},
};

const struct sn_cmd sn_cmd_vault_exec = {
    .name = "vault exec",
    .group = SN_GROUP_VAULT,
    .summary = "run a command with credentials of a local profile",
    .description =
        "Resolves PROFILE (default: AWS_PROFILE) and becomes COMMAND (default: your shell) with its credentials in the "
        "environment. A stored key is turned into a session first, with the code of its MFA device where the profile "
        "names one, and a role is assumed on top where there is one.\n\n"
        "This is for profiles of your own. Credentials that policy guards come from the TVM: profiles marked "
        "sentinel_protected = true are refused here, and 'sentinel exec' gets them.",
    .operands = "[PROFILE] [-- COMMAND...]",
    .max_operands = 1,
    .takes_command = true,
    .operand_words = SN_WORDS_AWS_PROFILES,
    .opts = exec_opts,
    .examples = exec_examples,
    .args_size = sizeof(struct exec_args),
    .failure_exit = EXIT_OWN_FAILURE,
    .exits = exec_exits,
    .run = run_exec,
};

/* --- export --- */

/* The names of aws-vault's forms, as those of 'sentinel export'. */
static const char *form_of(const char *format)
{
    if (strcmp(format, "env") == 0) {
        return "dotenv";
    }
    return strcmp(format, "export-env") == 0 ? "env" : format;
}

static enum sn_status run_export(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct export_args *args = arguments;
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access access = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    char region[SN_REGION_MAX + 1];
    const char *profile = NULL;

    SN_TRY(sn_vault_profile(app, &profile, err));
    SN_TRY(sn_vault_access_credentials(app, &args->session, profile, &access, &credentials, region, err));
    SN_TRY(sn_credentials_export(
        &text, form_of(args->format), profile, region[0] != '\0' ? region : NULL, &credentials, err));
    return sn_app_write(app, sn_buf_slice(&text), err);
}

static const struct sn_example export_examples[] = {
    {"eval \"$(sentinel vault export --format export-env dev)\"", "set the variables in this POSIX shell"},
    {"credential_process = sentinel vault export --format json dev", "as a line of another profile of the AWS config"},
    {0},
};

const struct sn_cmd sn_cmd_vault_export = {
    .name = "vault export",
    .group = SN_GROUP_VAULT,
    .summary = "print credentials of a local profile",
    .description = "Resolves PROFILE (default: AWS_PROFILE) as 'vault exec' does. 'env' prints NAME=value lines; use "
                   "'export-env' where a shell evaluates them.",
    .operands = "[PROFILE]",
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_AWS_PROFILES,
    .opts = export_opts,
    .examples = export_examples,
    .args_size = sizeof(struct export_args),
    .run = run_export,
};
