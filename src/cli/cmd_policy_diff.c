/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_policy_diff.c - policy diff: a stored document against a file (POL 14). */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "cli/policy_target.h"
#include "cli/text_diff.h"
#include "codec/json.h"
#include "core/policy/canonical.h"
#include "core/policy/limits.h"

enum { EXIT_DIFFERENT = 1 };

struct diff_args {
    struct sn_policy_path_args path;
    struct sn_aws_args aws;
    bool is_raw, no_color;
};

/* clang-format off */
static const struct sn_opt diff_opts[] = {
    SN_POLICY_PATH_OPTS(struct diff_args, path),
    {.name = "raw", .kind = SN_OPT_FLAG, .field = offsetof(struct diff_args, is_raw),
     .help = "compare the lines as they stand, comments too, instead of what they mean"},
    {.name = "no-color", .kind = SN_OPT_FLAG, .field = offsetof(struct diff_args, no_color),
     .help = "the same as --color=never"},
    SN_AWS_OPTS(struct diff_args, aws),
    {0},
};
/* clang-format on */

/* The two texts to compare. The file must be valid; a stored document that is not is compared by its lines. */
static enum sn_status canonical_forms(struct sn_app *app, enum sn_document_kind kind, struct sn_buf *remote,
    struct sn_buf *local, const char *file, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf local_form = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf remote_form = {0};
    struct sn_error cause = {0};

    if (sn_document_canonical(kind, sn_buf_slice(local), &local_form, err) != SN_OK) {
        return sn_error_context(err, "%s", sn_input_name(file));
    }
    if (remote->len > 0 && sn_document_canonical(kind, sn_buf_slice(remote), &remote_form, &cause) != SN_OK) {
        sn_app_warn(app, "the stored document is not valid, so lines are compared: %s", cause.message);
        return SN_OK;
    }
    sn_buf_clear(local);
    sn_buf_clear(remote);
    sn_buf_add(local, sn_buf_slice(&local_form));
    sn_buf_add(remote, sn_buf_slice(&remote_form));
    return SN_OK;
}

static enum sn_status write_result(struct sn_app *app, const struct sn_policy_target *target, const char *file,
    const struct sn_buf *difference, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf json = {0};
    struct sn_json_writer w;

    if (!app->json) {
        return difference->len > 0 ? sn_app_write(app, sn_buf_slice(difference), err) : SN_OK;
    }
    sn_json_writer_init(&w, &json);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "parameter", target->name);
    sn_json_member_str(&w, "file", file);
    sn_json_member_bool(&w, "equal", difference->len == 0);
    sn_json_member_text(&w, "diff", sn_buf_slice(difference));
    sn_json_end_object(&w);
    sn_buf_add_byte(&json, '\n');
    return sn_app_write(app, sn_buf_slice(&json), err);
}

static enum sn_status compare(struct sn_app *app, const struct diff_args *args, const struct sn_policy_target *target,
    struct sn_policy_stored *stored, struct sn_buf *local, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf difference = {0};
    const char *file = app->operands[app->operand_count - 1];
    char old_name[SN_DOCUMENT_NAME_MAX + 4], new_name[SN_TARGET_PATH_MAX];

    bool is_same_bytes = stored->is_found && sn_slice_eq(sn_buf_slice(&stored->text), sn_buf_slice(local));
    if (!args->is_raw) {
        SN_TRY(canonical_forms(app, target->kind, &stored->text, local, file, err));
    }
    snprintf(old_name, sizeof(old_name), "a%s", target->name);
    snprintf(new_name, sizeof(new_name), "b/%s", sn_input_name(file));
    struct sn_text_diff options = {.old_name = old_name,
        .new_name = new_name,
        .color = app->color && !args->no_color && !app->json && app->output == NULL};
    sn_text_diff(&difference, &options, sn_buf_slice(&stored->text), sn_buf_slice(local));
    SN_TRY(sn_buf_check(&difference, "the difference", err));
    if (difference.len == 0 && !is_same_bytes) {
        sn_app_note(app, "the two mean the same; their bytes differ (see --raw)");
    }
    sn_app_outcome(app, difference.len == 0 && stored->is_found ? 0 : EXIT_DIFFERENT);
    return write_result(app, target, file, &difference, err);
}

static enum sn_status run_diff(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct diff_args *args = arguments;
    SN_AUTO(sn_buf_clear) struct sn_buf local = {0};
    struct sn_aws_access access = {.args = args->aws};
    struct sn_policy_stored stored = {0};
    struct sn_policy_target target;
    bool takes_name = sn_policy_target_takes_name(&args->path);

    if (app->operand_count != (takes_name ? 2 : 1)) {
        return sn_fail(
            err, SN_USAGE, "WRONG_OPERANDS", takes_name ? "a profile and a file are needed" : "one file is needed");
    }
    SN_TRY(sn_policy_target_resolve(&args->path, takes_name ? app->operands[0] : NULL, &target, err));
    SN_TRY(sn_input_read(app->operands[app->operand_count - 1], SN_POLICY_MAX_BYTES, &local, err));
    enum sn_status status = sn_policy_target_read(&access, &target, &stored, err);
    if (status == SN_OK) {
        status = compare(app, args, &target, &stored, &local, err);
    }
    sn_policy_stored_clear(&stored);
    sn_aws_access_clear(&access);
    return status;
}

static const struct sn_exit_row exits[] = {
    {0, "the same"},
    {1, "different, or there is no stored document"},
    {2, "wrong usage, or a file that cannot be read or is not valid"},
    {3, "AWS could not be asked, or refused"},
    {0},
};
static const struct sn_example examples[] = {
    {"sentinel policy diff prod prod.yaml", "what pushing the file would change"},
    {"sentinel policy diff --type catalog billing billing.yaml", "a document of the catalogue"},
    {0},
};

const struct sn_cmd sn_cmd_policy_diff = {
    .name = "policy diff",
    .group = SN_GROUP_POLICY,
    .summary = "compare a stored document with a file",
    .description = "Prints what would change by a push, in the unified form, from what is stored to the file. Both are "
                   "compared in their canonical form, so that order, quotes and comments do not matter; --raw compares "
                   "the lines.",
    .operands = "[PROFILE] FILE",
    .min_operands = 1,
    .max_operands = 2,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = diff_opts,
    .examples = examples,
    .args_size = sizeof(struct diff_args),
    .exits = exits,
    .run = run_diff,
};
