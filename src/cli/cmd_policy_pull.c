/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_policy_pull.c - policy pull: a stored document, byte for byte (POL 14). */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "cli/policy_commands.h"
#include "cli/policy_target.h"
#include "codec/json.h"
#include "core/policy/canonical.h"
#include "core/policy/envelope.h"
#include "core/policy/limits.h"

enum { PRIVATE_FILE = 0600, KEPT_MAX = 1000 };

struct pull_args {
    struct sn_policy_path_args path;
    struct sn_aws_args aws;
    const char *with_signature;
    bool is_normalized;
};

/* clang-format off */
static const struct sn_opt pull_opts[] = {
    SN_POLICY_PATH_OPTS(struct pull_args, path),
    {.name = "normalize", .kind = SN_OPT_FLAG, .field = offsetof(struct pull_args, is_normalized),
     .help = "print the canonical form; comments go, and signatures do not fit it"},
    {.name = "with-signature", .metavar = "FILE", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct pull_args, with_signature), .help = "save the stored signature there, too"},
    SN_AWS_OPTS(struct pull_args, aws),
    {0},
};
/* clang-format on */

/* An existing file of other content is kept as FILE.bak, FILE.bak.1 and so on. */
static enum sn_status keep_old(const char *path, struct sn_slice bytes, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf old = {0};
    char kept[SN_TARGET_PATH_MAX];

    if (!sn_fs_exists(path)) {
        return SN_OK;
    }
    if (sn_fs_read(path, SN_BUF_DEFAULT_MAX, &old, err) != SN_OK) {
        return sn_error_context(err, "the file that is there cannot be kept");
    }
    if (sn_slice_eq(sn_buf_slice(&old), bytes)) {
        return SN_OK;
    }
    for (int i = 0; i < KEPT_MAX; i++) {
        int len =
            i == 0 ? snprintf(kept, sizeof(kept), "%s.bak", path) : snprintf(kept, sizeof(kept), "%s.bak.%d", path, i);
        if (len < 0 || (size_t)len >= sizeof(kept)) {
            return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "the path is too long");
        }
        enum sn_status status = sn_fs_write_new(kept, PRIVATE_FILE, sn_buf_slice(&old), err);
        if (status == SN_OK || !sn_error_is(err, "FILE_EXISTS")) {
            return status;
        }
    }
    return sn_fail(err, SN_LIMIT, "FILE_EXISTS", "'%s' has been kept %d times already", path, KEPT_MAX);
}

static enum sn_status save(const char *path, struct sn_slice bytes, struct sn_error *err)
{
    SN_TRY(keep_old(path, bytes, err));
    return sn_fs_write_atomic(path, PRIVATE_FILE, bytes, err);
}

/* Whatever is stored is delivered; that it is no valid document is said. */
static void warn_if_invalid(const struct sn_app *app, enum sn_document_kind kind, const struct sn_buf *text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf ignored = {0};
    struct sn_error err = {0};

    if (sn_document_canonical(kind, sn_buf_slice(text), &ignored, &err) != SN_OK) {
        sn_app_warn(app, "the stored document is not valid: %s", err.message);
    }
}

static enum sn_status save_signature(
    const struct sn_app *app, const char *path, const struct sn_policy_stored *stored, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_envelope envelope;
    struct sn_error ignored = {0};

    if (!stored->has_signature) {
        sn_fail(err, SN_NOT_FOUND, "SIGNATURE_NOT_FOUND", "the document is not signed");
        return sn_suggest(err, "leave out --with-signature, or sign it with 'sentinel policy push --sign'");
    }
    if (sn_envelope_parse(sn_buf_slice(&stored->signature), &envelope, &ignored) == SN_OK) {
        sn_envelope_format(&out, &envelope, true);
    } else {
        sn_app_warn(app, "the stored signature is malformed; it is saved as it is");
        sn_buf_add(&out, sn_buf_slice(&stored->signature));
    }
    SN_TRY(save(path, sn_buf_slice(&out), err));
    sn_app_note(app, "Signature written to %s", path);
    return SN_OK;
}

static void result_json(struct sn_buf *out, const struct sn_policy_target *target,
    const struct sn_policy_stored *stored, struct sn_slice content)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "parameter", target->name);
    sn_json_member_str(&w, "version", stored->version);
    sn_json_member_text(&w, "content", content);
    sn_json_member_str(&w, "signature", stored->has_signature ? sn_buf_str(&stored->signature) : NULL);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

static enum sn_status deliver(struct sn_app *app, struct sn_slice result, struct sn_error *err)
{
    if (app->output == NULL) {
        return sn_app_write(app, result, err);
    }
    SN_TRY(keep_old(app->output, result, err));
    SN_TRY(sn_app_write(app, result, err));
    sn_app_note(app, "Policy written to %s", app->output);
    return SN_OK;
}

static enum sn_status pull(struct sn_app *app, const struct pull_args *args, struct sn_aws_access *access,
    struct sn_policy_stored *stored, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf canonical = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf json = {0};
    struct sn_policy_target target;

    SN_TRY(sn_policy_target_resolve(&args->path, app->operand_count > 0 ? app->operands[0] : NULL, &target, err));
    SN_TRY(sn_policy_target_read(access, &target, stored, err));
    if (!stored->is_found) {
        return sn_policy_target_missing(&target, err);
    }
    struct sn_slice content = sn_buf_slice(&stored->text);
    if (args->is_normalized) {
        if (sn_document_canonical(target.kind, content, &canonical, err) != SN_OK) {
            return sn_error_context(err, "the stored document has no canonical form");
        }
        content = sn_buf_slice(&canonical);
    } else {
        warn_if_invalid(app, target.kind, &stored->text);
    }
    if (args->with_signature != NULL) {
        SN_TRY(save_signature(app, args->with_signature, stored, err));
    }
    if (app->json) {
        result_json(&json, &target, stored, content);
        return sn_app_write(app, sn_buf_slice(&json), err);
    }
    return deliver(app, content, err);
}

static enum sn_status run_pull(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct pull_args *args = arguments;
    struct sn_aws_access access = {.args = args->aws};
    struct sn_policy_stored stored = {0};

    if (!sn_policy_target_takes_name(&args->path) && app->operand_count > 0) {
        return sn_fail(err, SN_USAGE, "TOO_MANY_OPERANDS", "the document is named already, and '%.80s' is left over",
            app->operands[0]);
    }
    enum sn_status status = pull(app, args, &access, &stored, err);
    sn_policy_stored_clear(&stored);
    sn_aws_access_clear(&access);
    return status;
}

static const struct sn_exit_row exits[] = {
    {0, "delivered"},
    {1, "there is no such document, or no signature of it"},
    {2, "wrong usage, or a file that cannot be read or kept"},
    {3, "AWS could not be asked, or refused"},
    {0},
};
static const struct sn_example examples[] = {
    {"sentinel policy pull prod -o prod.yaml --with-signature prod.yaml.sig.json",
        "the policy of a profile and its signature"},
    {"sentinel policy pull --type approval", "the approval policy"},
    {"sentinel policy pull prod --policy-dir /etc/sentinel/policy", "from a directory; AWS is not called"},
    {0},
};

const struct sn_cmd sn_cmd_policy_pull = {
    .name = "policy pull",
    .group = SN_GROUP_POLICY,
    .summary = "print a stored document",
    .description = "Delivers the bytes that are stored, comments and all, so that its signature still fits. A file of "
                   "other content "
                   "that --output would replace is kept as FILE.bak first.\n\n"
                   "Needs ssm:GetParameter on the document and on its signature.",
    .operands = "[PROFILE]",
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_PROFILES,
    .opts = pull_opts,
    .examples = examples,
    .args_size = sizeof(struct pull_args),
    .exits = exits,
    .run = run_pull,
};
