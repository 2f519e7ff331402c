/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_credentials.c - credential-process and export: credentials on stdout.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cli/quote.h"
#include "cli/tvm_access.h"

/* clang-format off */
static const char *const formats[] = {"env", "json", "ini", "dotenv", "fish", "powershell", NULL};
static const struct sn_opt export_opts[] = {
    {.name = "format", .metavar = "FORM", .kind = SN_OPT_CHOICE, .choices = formats, .fallback = "env",
     .field = offsetof(struct sn_credentials_args, format), .help = "who is to read them"},
    SN_CREDENTIALS_OPTS,
    {0},
};
/* clang-format on */

static enum sn_status fetch(struct sn_app *app, const struct sn_credentials_args *args, const char **out_profile,
    struct sn_issued *out_issued, struct sn_error *err)
{
    SN_AUTO(sn_tvm_access_clear) struct sn_tvm_access access = {0};

    SN_TRY(sn_cli_profile(app, args->profile, out_profile, err));
    return sn_tvm_access_credentials(app, &args->tvm, &access, *out_profile, args->duration_s, out_issued, err);
}

static enum sn_status run_process(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct sn_credentials_args *args = arguments;
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const char *profile;

    if (app->output == NULL && !args->force_stdout && isatty(STDOUT_FILENO)) {
        sn_fail(err, SN_USAGE, "STDOUT_IS_TERMINAL", "credentials are not printed on a terminal");
        return sn_suggest(err, "use 'sentinel exec' to run a command, or add --force-stdout");
    }
    SN_TRY(fetch(app, args, &profile, &issued, err));
    sn_credentials_json(&text, &issued.credentials, false);
    return sn_app_write(app, sn_buf_slice(&text), err);
}

static const struct sn_example process_examples[] = {
    {"sentinel credential-process dev | jq -r .Expiration", "when the credentials of 'dev' end"},
    {"credential_process = sentinel credential-process dev", "as a line of ~/.aws/config: every AWS tool asks the TVM"},
    {0},
};

const struct sn_cmd sn_cmd_credential_process = {
    SN_CREDENTIAL_PROCESS_FORM,
    .group = SN_GROUP_CREDENTIALS,
    .summary = "print credentials of a profile as AWS tools read them",
    .description = "Prints one JSON object in the format of 'credential_process' of the AWS config, and nothing else. "
                   "Nothing is decided or issued on this machine: the TVM is asked, unless credentials that it issued "
                   "for the same profile and caller are held already and live for five more minutes.",
    .examples = process_examples,
    .run = run_process,
};

/* --- export --- */

static enum sn_status run_export(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct sn_credentials_args *args = arguments;
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const char *profile;
    const char *region = args->tvm.region;

    SN_TRY(fetch(app, args, &profile, &issued, err));
    if (region == NULL && issued.region[0] != '\0') {
        region = issued.region;
    }
    SN_TRY(sn_credentials_export(&text, args->format, profile, region, &issued.credentials, err));
    sn_app_note(
        app, "exported credentials leave Sentinel's hands; 'sentinel exec %s -- COMMAND' is the safer form", profile);
    return sn_app_write(app, sn_buf_slice(&text), err);
}

static const struct sn_example export_examples[] = {
    {"eval \"$(sentinel export dev)\"", "set the variables in this POSIX shell"},
    {"sentinel export dev --format fish | source", "the same in fish"},
    {"sentinel export dev --format dotenv -o dev.env", "a file for tools that read NAME=value lines"},
    {0},
};

const struct sn_cmd sn_cmd_export = {
    .name = "export",
    .group = SN_GROUP_CREDENTIALS,
    .summary = "print credentials of a profile for a shell or a file",
    .description =
        "Credentials are quoted for their reader: POSIX shells (env), fish, PowerShell, INI and dotenv files, "
        "or as JSON. They stay valid until they expire, wherever they are copied to; prefer 'sentinel exec'.",
    .operands = "PROFILE",
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_PROFILES,
    .opts = export_opts,
    .examples = export_examples,
    .args_size = sizeof(struct sn_credentials_args),
    .needs = SN_NEEDS_TVM,
    .run = run_export,
};
