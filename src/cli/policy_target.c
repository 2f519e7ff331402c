/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_target.c - see policy_target.h. */
#include "cli/policy_target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "core/identity/principal.h"
#include "core/policy/envelope.h"
#include "core/policy/limits.h"
#include "crypto/hash.h"

enum { FILE_MODE = 0644, FOLDER_MODE = 0755, WRITABLE_BY_OTHERS = 0022, VERSION_HEX = 16 };

/* --- Names --- */

bool sn_policy_target_takes_name(const struct sn_policy_path_args *args)
{
    bool by_type = strcmp(args->type, "policy") == 0 || strcmp(args->type, "catalog") == 0;

    return by_type && args->policy_parameter == NULL;
}

static enum sn_status name_of_catalog(const struct sn_policy_path_args *args, const char *operand,
    char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err)
{
    if (!sn_catalog_name_is_valid(sn_slice_str(operand))) {
        sn_fail(
            err, SN_USAGE, "INVALID_PARAMETER", "the name of a catalogue document is of letters, digits, '_' and '-'");
        return sn_suggest(err, "a name such as billing, which is not the name of a file");
    }
    const char *path = args->policy_dir != NULL ? SN_CATALOG_PATH : args->catalog_path;
    return sn_document_name_join(sn_slice_str(path), sn_slice_str(operand), out, err);
}

static enum sn_status name_of_policy(const struct sn_policy_path_args *args, const char *operand,
    char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err)
{
    const char *root = args->policy_dir != NULL ? SN_POLICY_ROOT : args->policy_root;

    SN_TRY(sn_profile_name_check(sn_slice_str(operand), err));
    return sn_document_name_join(sn_slice_str(root), sn_slice_str(operand), out, err);
}

static enum sn_status choose_name(const struct sn_policy_path_args *args, const char *operand,
    enum sn_document_kind kind, char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err)
{
    if (args->policy_parameter != NULL) {
        snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "%s", args->policy_parameter);
        return sn_document_name_check(sn_slice_str(args->policy_parameter), err);
    }
    if (sn_policy_target_takes_name(args) && operand == NULL) {
        return sn_fail(err, SN_USAGE, "MISSING_OPERAND", "no %s is given",
            kind == SN_DOCUMENT_CATALOG ? "name of a catalogue document" : "profile");
    }
    if (kind == SN_DOCUMENT_CATALOG) {
        return name_of_catalog(args, operand, out, err);
    }
    if (kind == SN_DOCUMENT_POLICY) {
        return name_of_policy(args, operand, out, err);
    }
    snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "%s", sn_document_kinds[kind].parameter);
    return SN_OK;
}

static enum sn_status choose_files(const char *dir, struct sn_policy_target *target, struct sn_error *err)
{
    char file[SN_DOCUMENT_NAME_MAX + 16];
    struct stat st;

    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)) { /* a misspelt one is not made */
        sn_fail(err, SN_USAGE, "NO_POLICY_DIR", "'%.400s' is no directory", dir);
        return sn_suggest(err, "make it first, or check --policy-dir");
    }
    if (!sn_document_file_of_name(target->name, file, sizeof(file))) {
        sn_fail(err, SN_USAGE, "INVALID_PARAMETER", "'%.200s' has no file in a document directory", target->name);
        return sn_suggest(err, "names there are /sentinel/policies/PROFILE, /sentinel/config/policy and such");
    }
    int len = snprintf(target->path, sizeof(target->path), "%s/%s", dir, file);
    int sig_len = snprintf(target->signature_path, sizeof(target->signature_path), "%s/%s.sig.json", dir, file);
    if (len < 0 || sig_len < 0 || (size_t)sig_len >= sizeof(target->signature_path)) {
        return sn_fail(err, SN_USAGE, "PATH_TOO_LONG", "the path of the document is too long");
    }
    target->is_file = true;
    return SN_OK;
}

enum sn_status sn_policy_target_resolve(const struct sn_policy_path_args *args, const char *operand,
    struct sn_policy_target *out_target, struct sn_error *err)
{
    struct sn_policy_target target = {0};

    SN_ASSERT(sn_document_kind_parse(sn_slice_str(args->type), &target.kind)); /* the choices are the kinds */
    SN_TRY(choose_name(args, operand, target.kind, target.name, err));
    SN_TRY(sn_document_signature_name(target.name, target.signature_name, err));
    const char *place = args->policy_dir != NULL ? args->policy_dir : args->catalog_path;
    snprintf(target.catalog_place, sizeof(target.catalog_place), "%s", place);
    if (args->policy_dir != NULL) {
        SN_TRY(choose_files(args->policy_dir, &target, err));
    }
    *out_target = target;
    return SN_OK;
}

const char *sn_policy_target_place(const struct sn_policy_target *target)
{
    return target->is_file ? target->path : target->name;
}

/* --- Reading --- */

void sn_policy_stored_clear(struct sn_policy_stored *stored)
{
    sn_buf_clear(&stored->text);
    sn_buf_clear(&stored->signature);
    *stored = (struct sn_policy_stored){0};
}

static enum sn_status read_file(
    const char *path, size_t max_bytes, struct sn_buf *out_text, bool *out_found, struct sn_error *err)
{
    struct sn_error cause = {0};

    *out_found = access(path, F_OK) == 0;
    if (!*out_found && (errno == ENOENT || errno == ENOTDIR)) {
        return SN_OK;
    }
    if (sn_fs_read(path, max_bytes, out_text, &cause) != SN_OK) {
        return sn_fail(
            err, SN_INVALID, cause.status == SN_LIMIT ? "FILE_TOO_LARGE" : "FILE_UNREADABLE", "%s", cause.message);
    }
    *out_found = true;
    return SN_OK;
}

static void version_of_text(const struct sn_buf *text, char out[24])
{
    char hash[SN_SHA256_HEX_LEN + 1];

    sn_sha256_hex(sn_buf_slice(text), hash);
    snprintf(out, 24, "%.*s", VERSION_HEX, hash);
}

static enum sn_status get(struct sn_ssm *ssm, const char *name, struct sn_buf *out_text, bool *out_found, char type[16],
    int64_t *out_version, struct sn_error *err)
{
    struct sn_ssm_parameter parameter = {0};

    if (sn_ssm_get(ssm, name, &parameter, err) != SN_OK) {
        *out_found = false;
        return sn_error_is(err, "SSM_PARAMETER_NOT_FOUND") ? SN_OK : err->status;
    }
    *out_text = parameter.value;
    snprintf(type, 16, "%s", parameter.type);
    *out_version = parameter.version;
    *out_found = true;
    return SN_OK;
}

static enum sn_status read_store(struct sn_aws_access *access, const struct sn_policy_target *target,
    struct sn_policy_stored *stored, struct sn_error *err)
{
    struct sn_ssm *ssm = NULL;
    int64_t version = 0, ignored = 0;

    SN_TRY(sn_aws_access_ssm(access, &ssm, err));
    SN_TRY(get(ssm, target->name, &stored->text, &stored->is_found, stored->type, &version, err));
    if (stored->is_found) {
        snprintf(stored->version, sizeof(stored->version), "%lld", (long long)version);
    }
    return get(
        ssm, target->signature_name, &stored->signature, &stored->has_signature, stored->signature_type, &ignored, err);
}

static enum sn_status read_files(
    const struct sn_policy_target *target, struct sn_policy_stored *stored, struct sn_error *err)
{
    SN_TRY(read_file(target->path, SN_POLICY_MAX_BYTES, &stored->text, &stored->is_found, err));
    if (stored->is_found) {
        version_of_text(&stored->text, stored->version);
    }
    return read_file(target->signature_path, SN_ENVELOPE_MAX_BYTES, &stored->signature, &stored->has_signature, err);
}

enum sn_status sn_policy_target_read(struct sn_aws_access *access, const struct sn_policy_target *target,
    struct sn_policy_stored *out_stored, struct sn_error *err)
{
    struct sn_policy_stored stored = {0};
    enum sn_status status =
        target->is_file ? read_files(target, &stored, err) : read_store(access, target, &stored, err);

    if (status != SN_OK) {
        sn_policy_stored_clear(&stored);
        return status;
    }
    *out_stored = stored;
    return SN_OK;
}

enum sn_status sn_policy_target_missing(const struct sn_policy_target *target, struct sn_error *err)
{
    if (target->is_file) {
        sn_fail(err, SN_NOT_FOUND, "FILE_NOT_FOUND", "there is no '%.600s'", target->path);
        return sn_suggest(err, "write it with 'sentinel policy push --policy-dir DIR'");
    }
    sn_fail(err, SN_NOT_FOUND, "SSM_PARAMETER_NOT_FOUND", "there is no parameter '%.600s'", target->name);
    return sn_suggest(
        err, "check region and path; reading needs ssm:GetParameter on it; 'sentinel policy push' makes it");
}

/* --- Writing --- */

static enum sn_status write_file(const char *path, struct sn_slice text, struct sn_error *err)
{
    char folder[SN_TARGET_PATH_MAX];
    struct sn_slice before, after;

    (void)sn_slice_cut_last(sn_slice_str(path), '/', &before, &after);
    snprintf(folder, sizeof(folder), "%.*s", SN_PRI(before));
    mode_t kept = umask(WRITABLE_BY_OTHERS); /* nothing in it is secret, and the server runs as another user */
    enum sn_status status = sn_fs_make_dir(folder, FOLDER_MODE, err);
    if (status == SN_OK) {
        status = sn_fs_write_atomic(path, FILE_MODE, text, err);
    }
    (void)umask(kept);
    return status;
}

static enum sn_status put(struct sn_aws_access *access, const char *name, const char *type, const char *tier,
    bool overwrite, struct sn_slice text, int64_t *out_version, struct sn_error *err)
{
    struct sn_ssm *ssm = NULL;
    struct sn_ssm_put request = {
        .name = name, .type = type[0] != '\0' ? type : NULL, .tier = tier, .value = text, .overwrite = overwrite};

    SN_TRY(sn_aws_access_ssm(access, &ssm, err));
    return sn_ssm_put(ssm, &request, out_version, err);
}

enum sn_status sn_policy_target_write(struct sn_aws_access *access, const struct sn_policy_target *target,
    const struct sn_policy_stored *before, const char *tier, struct sn_slice text, char out_version[24],
    struct sn_error *err)
{
    int64_t version = 0;

    if (target->is_file) {
        struct sn_buf copy = {0};
        SN_TRY(write_file(target->path, text, err));
        sn_buf_add(&copy, text);
        version_of_text(&copy, out_version);
        sn_buf_clear(&copy);
        return SN_OK;
    }
    SN_TRY(put(access, target->name, before->type, tier, before->is_found, text, &version, err));
    snprintf(out_version, 24, "%lld", (long long)version);
    return SN_OK;
}

enum sn_status sn_policy_target_write_signature(struct sn_aws_access *access, const struct sn_policy_target *target,
    const struct sn_policy_stored *before, struct sn_slice text, struct sn_error *err)
{
    int64_t ignored = 0;

    if (target->is_file) {
        return write_file(target->signature_path, text, err);
    }
    return put(
        access, target->signature_name, before->signature_type, NULL, before->has_signature, text, &ignored, err);
}

enum sn_status sn_policy_target_restore_signature(struct sn_aws_access *access, const struct sn_policy_target *target,
    const struct sn_policy_stored *before, struct sn_error *err)
{
    struct sn_ssm *ssm = NULL;
    int64_t ignored = 0;

    if (before->has_signature) {
        return target->is_file ? write_file(target->signature_path, sn_buf_slice(&before->signature), err)
                               : put(access, target->signature_name, before->signature_type, NULL, true,
                                     sn_buf_slice(&before->signature), &ignored, err);
    }
    if (target->is_file) {
        return unlink(target->signature_path) == 0 || errno == ENOENT
                   ? SN_OK
                   : sn_fail_errno(err, "FILE_UNWRITABLE", errno, "cannot remove '%s'", target->signature_path);
    }
    SN_TRY(sn_aws_access_ssm(access, &ssm, err));
    return sn_ssm_delete(ssm, target->signature_name, err);
}
