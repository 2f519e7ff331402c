/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_policy_push.c - policy push: a file becomes the stored document, signed where asked (POL 15). */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/policy_commands.h"
#include "cli/policy_push.h"
#include "cli/quote.h"
#include "codec/json.h"

enum { EXIT_DECLINED = 1 };

static const char *const tier_choices[] = {"standard", "advanced", NULL};

/* clang-format off */
static const struct sn_opt push_opts[] = {
    SN_POLICY_PATH_OPTS(struct sn_push_args, path),
    {.name = "sign", .kind = SN_OPT_FLAG, .field = offsetof(struct sn_push_args, sign),
     .help = "sign the document, and store the signature first"},
    {.name = "key-id", .metavar = "KEY", .kind = SN_OPT_STRING, .field = offsetof(struct sn_push_args, key_id),
     .help = SN_KEY_ID_HELP},
    {.name = "allow-unsigned", .kind = SN_OPT_FLAG, .field = offsetof(struct sn_push_args, allow_unsigned),
     .help = "leave or replace a stored signature that will not fit"},
    {.name = "tier", .metavar = "TIER", .kind = SN_OPT_CHOICE, .choices = tier_choices,
     .field = offsetof(struct sn_push_args, tier), .help = "of the parameter; more than 4096 bytes need 'advanced'"},
    {.name = "no-backup", .kind = SN_OPT_FLAG, .field = offsetof(struct sn_push_args, no_backup),
     .help = "keep no copy of what is replaced, and go on when it cannot be read"},
    {.name = "backup-dir", .metavar = "DIR", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct sn_push_args, backup_dir),
     .help = "where copies are kept; else $XDG_STATE_HOME/sentinel/policy-backups"},
    {.name = "force", .letter = 'f', .kind = SN_OPT_FLAG, .field = offsetof(struct sn_push_args, force),
     .help = "do not ask; every check is still made"},
    {.name = "yes", .kind = SN_OPT_FLAG, .flags = SN_OPT_HIDDEN, .field = offsetof(struct sn_push_args, force),
     .help = "the same as --force"},
    SN_AWS_OPTS(struct sn_push_args, aws),
    {0},
};
/* clang-format on */

/* What can be told without reading anything. */
static enum sn_status check_args(const struct sn_app *app, const struct sn_push_args *args, struct sn_error *err)
{
    bool takes_name = sn_policy_target_takes_name(&args->path);

    if (args->sign && args->key_id == NULL) {
        sn_fail(err, SN_USAGE, "NO_KEY", "--sign needs --key-id");
        return sn_suggest(err, "add --key-id KEY, such as alias/sentinel-policy-signing or file:signing.pem");
    }
    if (!args->sign && args->key_id != NULL) {
        sn_fail(err, SN_USAGE, "KEY_WITHOUT_SIGN", "--key-id is given, and nothing is to be signed");
        return sn_suggest(err, "add --sign");
    }
    if (args->sign) {
        SN_TRY(sn_policy_signer_check(args->key_id, err));
    }
    if (app->operand_count != (takes_name ? 2 : 1)) {
        return sn_fail(
            err, SN_USAGE, "WRONG_OPERANDS", takes_name ? "a profile and a file are needed" : "one file is needed");
    }
    if (!args->force && strcmp(app->operands[app->operand_count - 1], "-") == 0) {
        sn_fail(err, SN_USAGE, "NO_ANSWER", "stdin holds the document, so there is no answer to be read from it");
        return sn_suggest(err, "add --force to go on without being asked");
    }
    return SN_OK;
}

static void result_json(const struct sn_push *push, const char *action, struct sn_buf *out)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "parameter", push->target.name);
    sn_json_member_str(&w, "action", action);
    sn_json_member_str(&w, "version", push->version);
    sn_json_member_bool(&w, "signed", push->args->sign);
    sn_json_member_str(&w, "backup", push->backup[0] != '\0' ? push->backup : NULL);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

/* What of the command line says where the document is, for the command that puts the old one back. */
static void restore_command(const struct sn_push *push, struct sn_buf *out)
{
    const struct sn_policy_path_args *path = &push->args->path;

    sn_buf_addf(out, "sentinel policy push --policy-parameter %s --type %s", push->target.name, path->type);
    if (path->policy_dir != NULL) {
        sn_buf_add_str(out, " --policy-dir ");
        sn_quote_posix(out, sn_slice_str(path->policy_dir));
    }
    if (push->args->sign) {
        sn_buf_add_str(out, " --sign --key-id ");
        sn_quote_posix(out, sn_slice_str(push->args->key_id));
    }
    sn_buf_add_byte(out, ' ');
    sn_quote_posix(out, sn_slice_str(push->backup));
}

static enum sn_status report(const struct sn_push *push, const char *action, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    if (push->app->json) {
        result_json(push, action, &out);
        return sn_app_write(push->app, sn_buf_slice(&out), err);
    }
    if (strcmp(action, "unchanged") == 0) {
        sn_app_note(push->app, "no change");
        return SN_OK;
    }
    sn_buf_addf(&out, "Policy successfully pushed to %s\n", sn_policy_target_place(&push->target));
    if (push->args->sign) {
        sn_buf_addf(&out, "Signature pushed to %s\n",
            push->target.is_file ? push->target.signature_path : push->target.signature_name);
    }
    if (push->backup[0] != '\0') {
        sn_buf_add_str(&out, "Restore with: ");
        restore_command(push, &out);
        sn_buf_add_byte(&out, '\n');
    }
    return sn_app_write(push->app, sn_buf_slice(&out), err);
}

/* The steps in their order; what is written is written last. */
static enum sn_status push_all(struct sn_push *push, const char *file, struct sn_error *err)
{
    bool go_on = false;

    SN_TRY(sn_push_read_file(push, file, err));
    SN_TRY(sn_push_read_stored(push, err));
    SN_TRY(sn_push_check_signature(push, err));
    if (push->args->sign) {
        SN_TRY(sn_policy_signer_open(&push->access, push->args->key_id, &push->signer, err));
    }
    if (sn_push_changes_nothing(push)) {
        snprintf(push->version, sizeof(push->version), "%s", push->before.version);
        return report(push, "unchanged", err);
    }
    SN_TRY(sn_push_keep_backup(push, err));
    SN_TRY(sn_push_ask(push, &go_on, err));
    if (!go_on) {
        struct sn_error ignored = {0};
        (void)!sn_fd_write_all(STDERR_FILENO, SN_S("Cancelled.\n"), &ignored);
        sn_app_outcome(push->app, EXIT_DECLINED);
        return SN_OK;
    }
    SN_TRY(sn_push_sign(push, err));
    SN_TRY(sn_push_write(push, err));
    return report(push, push->before.is_found ? "updated" : "created", err);
}

static enum sn_status run_push(struct sn_app *app, void *arguments, struct sn_error *err)
{
    struct sn_push push = {.app = app, .args = arguments};

    push.access.args = push.args->aws;
    SN_TRY(check_args(app, push.args, err));
    const char *name = sn_policy_target_takes_name(&push.args->path) ? app->operands[0] : NULL;
    SN_TRY(sn_policy_target_resolve(&push.args->path, name, &push.target, err));
    enum sn_status status = push_all(&push, app->operands[app->operand_count - 1], err);
    sn_push_clear(&push);
    return status;
}

static const struct sn_exit_row exits[] = {
    {0, "pushed, or nothing to change"},
    {1, "declined; nothing was changed"},
    {2, "wrong usage, an invalid document, or a check that refuses; nothing was changed"},
    {3, "AWS could not be asked, or refused, or somebody else pushed meanwhile"},
    {0},
};
static const struct sn_example examples[] = {
    {"sentinel policy push prod prod.yaml --sign --key-id alias/sentinel-policy-signing",
        "the policy of a profile, signed by KMS"},
    {"sentinel policy push --type catalog billing billing.yaml", "the catalogue document /sentinel/catalog/billing"},
    {"sentinel policy push prod prod.yaml --policy-dir /etc/sentinel/policy --sign --key-id file:signing.pem",
        "into a directory, with a local key"},
    {0},
};

const struct sn_cmd sn_cmd_policy_push = {
    .name = "policy push",
    .group = SN_GROUP_POLICY,
    .summary = "store a document",
    .description =
        "Checks the file, keeps a copy of what it replaces, shows the plan and asks. Signs before anything is written, "
        "stops when somebody else has pushed since, and writes the signature first and the document second; when the "
        "second fails the old signature comes back.\n\n"
        "Needs ssm:GetParameter and ssm:PutParameter on the document and on its signature, and with a KMS key "
        "kms:DescribeKey, kms:GetPublicKey and kms:Sign.",
    .operands = "[PROFILE] FILE",
    .min_operands = 1,
    .max_operands = 2,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = push_opts,
    .examples = examples,
    .args_size = sizeof(struct sn_push_args),
    .exits = exits,
    .run = run_push,
};
