/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_push.c - see policy_push.h. */
#include "cli/policy_push.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/fs.h"
#include "base/parse.h"
#include "cli/policy_input.h"
#include "cli/prompt.h"
#include "cli/text_diff.h"
#include "core/policy/limits.h"
#include "tvm/source_dir.h"

enum { PRIVATE_FILE = 0600, PRIVATE_FOLDER = 0700, BACKUPS_MAX = 1000, OTHERS_MAX = SN_CATALOG_DOCUMENTS_MAX + 1 };

void sn_push_clear(struct sn_push *push)
{
    sn_buf_clear(&push->text);
    sn_policy_stored_clear(&push->before);
    sn_policy_signer_clear(&push->signer);
    sn_aws_access_clear(&push->access);
}

/* --- The file --- */

static enum sn_status validate(struct sn_push *push, const char *file, struct sn_error *err)
{
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;
    struct sn_document_set set;

    sn_input_zones(&zoneinfo, &zones);
    sn_document_set_init(&set, 1);
    struct sn_document *document = sn_document_set_add(&set, sn_input_name(file));
    sn_buf_add(&document->text, sn_buf_slice(&push->text));
    sn_document_set_classify(&set, sn_document_kinds[push->target.kind].word);
    sn_document_set_check(&set, &zones, NULL);
    size_t errors = sn_document_set_errors(&set);
    if (errors > 0) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        struct sn_error ignored = {0};
        sn_findings_text(&text, &document->findings, sn_input_name(file));
        if (!push->app->json) {
            (void)!sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&text), &ignored);
        }
        sn_fail(err, SN_INVALID, "INVALID_POLICY", "%s is not valid: %zu error%s", sn_input_name(file), errors,
            errors == 1 ? "" : "s");
        (void)sn_suggest(err, "see 'sentinel policy validate'");
    }
    sn_document_set_clear(&set);
    return errors > 0 ? err->status : SN_OK;
}

/* Texts of the other catalogue documents. */
struct others {
    struct sn_arena arena;
    struct sn_catalog_source items[OTHERS_MAX];
    size_t count;
    const char *own_name;
};

static void add_other(struct others *others, const char *name, struct sn_slice text)
{
    if (strcmp(name, others->own_name) != 0 && others->count < OTHERS_MAX - 1) {
        others->items[others->count++] = (struct sn_catalog_source){
            .name = sn_slice_str(sn_arena_str(&others->arena, sn_slice_str(name))),
            .text = sn_arena_dup(&others->arena, text),
        };
    }
}

static enum sn_status add_parameter(void *ctx, struct sn_ssm_parameter *parameter, struct sn_error *err)
{
    (void)err;
    add_other(ctx, parameter->name, sn_buf_slice(&parameter->value));
    return SN_OK;
}

static enum sn_status list_others(struct sn_push *push, struct others *others, struct sn_error *err)
{
    struct sn_ssm *ssm = NULL;

    if (push->target.is_file) {
        struct sn_source_dir *dir = sn_source_dir_new(push->target.catalog_place);
        const struct sn_document_source *source = sn_source_dir_table(dir);
        struct sn_document_listed *items = NULL;
        size_t count = 0;
        enum sn_status status = source->list_catalog(source->ctx, &others->arena, &items, &count, err);
        for (size_t i = 0; i < count && status == SN_OK; i++) {
            struct sn_document_read reading = {0};
            status = source->read(source->ctx, items[i].name, false, &reading, err);
            if (status == SN_OK && reading.is_found) {
                add_other(others, items[i].name, sn_buf_slice(&reading.text));
            }
            sn_document_read_clear(&reading);
        }
        sn_source_dir_free(dir);
        return status;
    }
    SN_TRY(sn_aws_access_ssm(&push->access, &ssm, err));
    return sn_ssm_list(ssm, push->target.catalog_place, add_parameter, others, err);
}

/* A profile's name may stand in one document of the catalogue only. What cannot be read is not compared with. */
static enum sn_status check_catalog(struct sn_push *push, struct sn_error *err)
{
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    struct others *others = sn_alloc(1, sizeof(*others));
    struct sn_error cause = {0};
    enum sn_status status = SN_OK;

    others->own_name = push->target.name;
    if (list_others(push, others, &cause) != SN_OK) {
        sn_app_warn(push->app, "the rest of the catalogue is not compared with: %s", cause.message);
    } else {
        others->items[others->count++] =
            (struct sn_catalog_source){.name = sn_slice_str(push->target.name), .text = sn_buf_slice(&push->text)};
        status = sn_catalog_load(others->items, others->count, NULL, &catalog, err);
        if (status != SN_OK) {
            (void)sn_error_context(err, "with the rest of the catalogue");
        }
    }
    sn_arena_clear(&others->arena);
    sn_free(others);
    return status;
}

static enum sn_status check_size(const struct sn_push *push, struct sn_error *err)
{
    size_t len = push->text.len;

    if (push->target.is_file || len <= SN_SSM_STANDARD_VALUE_MAX) {
        return SN_OK;
    }
    if (len > SN_SSM_VALUE_MAX) {
        sn_fail(err, SN_USAGE, "TOO_LARGE_FOR_PARAMETER", "%zu bytes do not fit a parameter, which holds 8192", len);
        return sn_suggest(
            err, "split it (a policy a profile, several catalogue documents), or use a document directory");
    }
    if (push->args->tier == NULL || strcmp(push->args->tier, "advanced") != 0) {
        sn_fail(err, SN_USAGE, "TIER_NEEDED", "%zu bytes do not fit a standard parameter, which holds 4096", len);
        return sn_suggest(err, "add --tier advanced, which AWS charges for");
    }
    return SN_OK;
}

enum sn_status sn_push_read_file(struct sn_push *push, const char *file, struct sn_error *err)
{
    SN_TRY(sn_input_read(file, SN_POLICY_MAX_BYTES, &push->text, err));
    SN_TRY(validate(push, file, err));
    SN_TRY(check_size(push, err));
    return push->target.kind == SN_DOCUMENT_CATALOG ? check_catalog(push, err) : SN_OK;
}

/* --- What is stored --- */

enum sn_status sn_push_read_stored(struct sn_push *push, struct sn_error *err)
{
    if (sn_policy_target_read(&push->access, &push->target, &push->before, err) != SN_OK) {
        if (!push->args->no_backup) {
            return err->status;
        }
        sn_app_warn(push->app, "what is stored cannot be read, so it is not compared with: %s", err->message);
        push->is_unread = true;
        push->before.is_found = push->before.has_signature = true; /* whatever is there is replaced */
        return SN_OK;
    }
    if (push->before.is_found) {
        sn_app_note(push->app, "Existing policy found (version %s)", push->before.version);
    }
    return SN_OK;
}

static enum sn_status refuse(struct sn_error *err, const char *code, const char *what, const char *hint)
{
    sn_fail(err, SN_USAGE, code, "%s", what);
    return sn_suggest(err, "%s", hint);
}

enum sn_status sn_push_check_signature(const struct sn_push *push, struct sn_error *err)
{
    struct sn_envelope envelope;
    struct sn_error ignored = {0};

    if (push->is_unread || !push->before.has_signature || push->args->allow_unsigned) {
        return SN_OK;
    }
    if (!push->args->sign) {
        return refuse(err, "SIGNED_TARGET",
            "the stored document is signed, and this push would leave a signature that fits nothing",
            "add --sign --key-id KEY, or --allow-unsigned if servers shall refuse it");
    }
    if (sn_envelope_parse(sn_buf_slice(&push->before.signature), &envelope, &ignored) == SN_OK && envelope.is_bound &&
        strcmp(envelope.parameter, push->target.name) != 0) {
        sn_fail(err, SN_USAGE, "SIGNATURE_OF_ANOTHER", "the place of the signature holds that of '%.400s'",
            envelope.parameter);
        return sn_suggest(
            err, "two documents share it; move one of them, or add --allow-unsigned to replace the signature");
    }
    return SN_OK;
}

bool sn_push_changes_nothing(const struct sn_push *push)
{
    struct sn_envelope envelope;
    struct sn_error ignored = {0};

    if (push->is_unread || !push->before.is_found ||
        !sn_slice_eq(sn_buf_slice(&push->before.text), sn_buf_slice(&push->text))) {
        return false;
    }
    return !push->args->sign ||
           (push->before.has_signature &&
               sn_envelope_parse(sn_buf_slice(&push->before.signature), &envelope, &ignored) == SN_OK &&
               envelope.is_bound &&
               sn_policy_signer_made(&push->signer, &envelope, push->target.name, sn_buf_slice(&push->text)));
}

/* --- Backup --- */

static enum sn_status backup_folder(const struct sn_push *push, char out[SN_TARGET_PATH_MAX], struct sn_error *err)
{
    const char *state = sn_env_get("XDG_STATE_HOME"), *home = sn_env_get("HOME");
    int len = -1;

    if (push->args->backup_dir != NULL) {
        len = snprintf(out, SN_TARGET_PATH_MAX, "%s", push->args->backup_dir);
    } else if (state != NULL && state[0] == '/') {
        len = snprintf(out, SN_TARGET_PATH_MAX, "%s/sentinel/policy-backups", state);
    } else if (home != NULL && home[0] == '/') {
        len = snprintf(out, SN_TARGET_PATH_MAX, "%s/.local/state/sentinel/policy-backups", home);
    }
    if (len <= 0 || len >= SN_TARGET_PATH_MAX) {
        sn_fail(err, SN_USAGE, "BACKUP_FAILED", "there is no place for the backup");
        return sn_suggest(err, "give --backup-dir DIR, or --no-backup");
    }
    return sn_fs_make_dir(out, PRIVATE_FOLDER, err);
}

/* A file of that content is as good as a new one; another content of that version gets a number. */
static enum sn_status write_backup(
    const char *base, struct sn_slice bytes, char out[SN_TARGET_PATH_MAX], struct sn_error *err)
{
    for (int i = 0; i < BACKUPS_MAX; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf old = {0};
        struct sn_error ignored = {0};
        int len = i == 0 ? snprintf(out, SN_TARGET_PATH_MAX, "%s.yaml", base)
                         : snprintf(out, SN_TARGET_PATH_MAX, "%s-%d.yaml", base, i);
        if (len < 0 || len >= SN_TARGET_PATH_MAX) {
            return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "the path is too long");
        }
        enum sn_status status = sn_fs_write_new(out, PRIVATE_FILE, bytes, err);
        if (status == SN_OK || !sn_error_is(err, "FILE_EXISTS")) {
            return status;
        }
        if (sn_fs_read(out, SN_BUF_DEFAULT_MAX, &old, &ignored) == SN_OK && sn_slice_eq(sn_buf_slice(&old), bytes)) {
            return SN_OK;
        }
    }
    return sn_fail(err, SN_LIMIT, "FILE_EXISTS", "there are too many backups of one version");
}

enum sn_status sn_push_keep_backup(struct sn_push *push, struct sn_error *err)
{
    char folder[SN_TARGET_PATH_MAX], base[SN_TARGET_PATH_MAX], name[SN_DOCUMENT_NAME_MAX + 1],
        signature[SN_TARGET_PATH_MAX + 16];

    if (push->args->no_backup || !push->before.is_found) {
        return SN_OK;
    }
    snprintf(name, sizeof(name), "%s", push->target.name);
    for (char *c = name; *c != '\0'; c++) {
        *c = *c == '/' ? '_' : *c;
    }
    enum sn_status status = backup_folder(push, folder, err);
    if (status == SN_OK) {
        int len = snprintf(base, sizeof(base), "%s/%s@v%s", folder, name, push->before.version);
        status = len > 0 && len < (int)sizeof(base) - 16
                     ? write_backup(base, sn_buf_slice(&push->before.text), push->backup, err)
                     : sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "the path is too long");
    }
    if (status == SN_OK && push->before.has_signature) {
        snprintf(signature, sizeof(signature), "%s.sig.json", push->backup);
        status = sn_fs_write_atomic(signature, PRIVATE_FILE, sn_buf_slice(&push->before.signature), err);
    }
    if (status != SN_OK) {
        struct sn_error cause = *err;
        sn_fail(err, SN_INVALID, "BACKUP_FAILED", "what is stored cannot be kept: %s", cause.message);
        return sn_suggest(err, "give another --backup-dir, or --no-backup");
    }
    sn_app_note(push->app, "Backup written to %s", push->backup);
    return SN_OK;
}

/* --- Asking --- */

enum sn_status sn_push_ask(const struct sn_push *push, bool *out_go_on, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf plan = {0};
    struct sn_error ignored = {0};
    size_t removed = 0, added = 0;

    *out_go_on = true;
    if (push->args->force) {
        return SN_OK;
    }
    sn_text_diff_count(sn_buf_slice(&push->before.text), sn_buf_slice(&push->text), &removed, &added);
    sn_buf_addf(
        &plan, "%s %s\n", push->before.is_found ? "updating" : "creating", sn_policy_target_place(&push->target));
    sn_buf_addf(&plan, "  lines: %zu removed, %zu added\n  signed: %s%s%s\n", removed, added,
        push->args->sign ? "yes, by " : "no", push->args->sign ? push->args->key_id : "",
        !push->args->sign && push->before.has_signature ? "; the stored signature will fit nothing" : "");
    (void)!sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&plan), &ignored);
    return sn_prompt_confirm("Proceed? [y/N]: ", "--force", out_go_on, err);
}

/* --- Signing --- */

enum sn_status sn_push_sign(struct sn_push *push, struct sn_error *err)
{
    int64_t now_ms = sn_clock_unix_ms(sn_clock_system()), last = 0;
    struct sn_envelope before;
    struct sn_error ignored = {0};

    if (!push->args->sign) {
        return SN_OK;
    }
    if (push->before.has_signature &&
        sn_envelope_parse(sn_buf_slice(&push->before.signature), &before, &ignored) == SN_OK && before.is_bound &&
        strcmp(before.parameter, push->target.name) == 0) {
        last = before.serial;
    }
    push->envelope = (struct sn_envelope){.is_bound = true};
    snprintf(push->envelope.parameter, sizeof(push->envelope.parameter), "%s", push->target.name);
    SN_TRY(sn_policy_serial_choose(0, last, now_ms / 1000, &push->envelope.serial, err));
    return sn_policy_signer_sign(&push->signer, &push->envelope, sn_buf_slice(&push->text), now_ms, err);
}

/* --- Writing --- */

static enum sn_status moved(const struct sn_push *push, const char *version, struct sn_error *err)
{
    sn_fail(err, SN_CONFLICT, "CONCURRENT_MODIFICATION",
        "somebody else has changed '%.400s' meanwhile%s%s; nothing was written", sn_policy_target_place(&push->target),
        version[0] != '\0' ? ": it has version " : "", version);
    return sn_suggest(err, "look at it with 'sentinel policy diff', then push again");
}

static enum sn_status check_version(struct sn_push *push, struct sn_error *err)
{
    struct sn_policy_stored now = {0};

    if (push->is_unread) {
        return SN_OK;
    }
    SN_TRY(sn_policy_target_read(&push->access, &push->target, &now, err));
    bool is_same = now.is_found == push->before.is_found && strcmp(now.version, push->before.version) == 0;
    char version[24];
    snprintf(version, sizeof(version), "%s", now.version);
    sn_policy_stored_clear(&now);
    return is_same ? SN_OK : moved(push, version, err);
}

/* Signature and document may not contradict each other: the old signature comes back. */
static enum sn_status take_back(struct sn_push *push, struct sn_error *err)
{
    struct sn_error cause = *err, second = {0};

    if (sn_policy_target_restore_signature(&push->access, &push->target, &push->before, &second) == SN_OK) {
        (void)sn_error_context(err, "the document was not written, and the signature is as it was");
        return err->status;
    }
    sn_app_warn(push->app, "the signature cannot be put back: %s", second.message);
    sn_app_warn(push->app, "until it is, servers refuse the document. Put this back as '%s':",
        push->target.is_file ? push->target.signature_path : push->target.signature_name);
    if (push->before.has_signature && push->backup[0] != '\0') {
        sn_app_warn(push->app, "  the file %s.sig.json", push->backup);
    } else {
        sn_app_warn(
            push->app, "  %s", push->before.has_signature ? sn_buf_str(&push->before.signature) : "nothing: delete it");
    }
    *err = cause;
    (void)sn_error_context(err, "the document was not written, and its new signature is in place");
    return err->status;
}

/* A parameter's versions rise by one; anything else means that somebody wrote in between. */
static void check_new_version(const struct sn_push *push)
{
    int64_t before = 0, after = 0;
    struct sn_error ignored = {0};

    if (push->target.is_file || push->is_unread || !push->before.is_found ||
        sn_parse_int(sn_slice_str(push->before.version), 1, INT64_MAX - 1, &before, &ignored) != SN_OK ||
        sn_parse_int(sn_slice_str(push->version), 1, INT64_MAX - 1, &after, &ignored) != SN_OK || after == before + 1) {
        return;
    }
    sn_app_warn(
        push->app, "another push was overwritten: look at version %lld of %s", (long long)after - 1, push->target.name);
}

enum sn_status sn_push_write(struct sn_push *push, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf signature = {0};
    const char *tier = push->args->tier == NULL                    ? NULL
                       : strcmp(push->args->tier, "advanced") == 0 ? "Advanced"
                                                                   : "Standard";

    SN_TRY(check_version(push, err));
    if (push->args->sign) {
        sn_envelope_format(&signature, &push->envelope, push->target.is_file);
        SN_TRY(sn_policy_target_write_signature(
            &push->access, &push->target, &push->before, sn_buf_slice(&signature), err));
    }
    if (sn_policy_target_write(&push->access, &push->target, &push->before, tier, sn_buf_slice(&push->text),
            push->version, err) != SN_OK) {
        return push->args->sign ? take_back(push, err) : err->status;
    }
    check_new_version(push);
    return SN_OK;
}
