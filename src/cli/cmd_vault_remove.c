/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_vault_remove.c - vault remove, vault clear: what is stored goes.
 */
#include <stddef.h>

#include "cli/prompt.h"
#include "cli/vault_access.h"
#include "codec/json.h"

struct remove_args {
    struct sn_vault_args vault;
    bool force, sessions_only;
};
struct clear_args {
    struct sn_vault_args vault;
    bool expired;
};

/* clang-format off */
static const struct sn_opt remove_opts[] = {
    {.name = "force", .letter = 'f', .kind = SN_OPT_FLAG, .field = offsetof(struct remove_args, force),
     .help = "do not ask"},
    {.name = "sessions-only", .letter = 's', .kind = SN_OPT_FLAG, .flags = SN_OPT_HIDDEN,
     .field = offsetof(struct remove_args, sessions_only), .help = "keep the key; the same as 'vault clear PROFILE'"},
    SN_VAULT_OPTS(struct remove_args, vault),
    {0},
};
static const struct sn_opt clear_opts[] = {
    {.name = "expired", .kind = SN_OPT_FLAG, .field = offsetof(struct clear_args, expired),
     .help = "only sessions that have expired"},
    SN_VAULT_OPTS(struct clear_args, vault),
    {0},
};
/* clang-format on */

static enum sn_status say(
    struct sn_app *app, const char *text_form, const char *name, size_t sessions, size_t issued, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_json_writer w;

    if (!app->json) {
        sn_buf_add_str(&text, text_form);
        return sn_app_write(app, sn_buf_slice(&text), err);
    }
    sn_json_writer_init(&w, &text);
    sn_json_begin_object(&w);
    if (name != NULL) {
        sn_json_member_str(&w, "profile", name);
    }
    sn_json_member_int(&w, "sessions", (int64_t)sessions);
    sn_json_member_int(&w, "issued", (int64_t)issued);
    sn_json_end_object(&w);
    sn_buf_add_byte(&text, '\n');
    return sn_app_write(app, sn_buf_slice(&text), err);
}

static enum sn_status some_failed(size_t failed, struct sn_error *err)
{
    (void)sn_fail(err, SN_UNAVAILABLE, "VAULT_PARTLY", "%zu sessions could not be removed", failed);
    return sn_suggest(err, "'sentinel vault list --sessions' shows what is left");
}

static enum sn_status clear_sessions(struct sn_app *app, struct sn_vault_access *access,
    const struct sn_session_filter *filter, const char *profile, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    size_t dropped = 0;
    size_t failed = 0;

    SN_TRY(sn_vault_store_drop_sessions(access->store, filter, &dropped, &failed, err));
    size_t issued = filter->only_expired ? 0 : sn_vault_drop_issued();
    sn_buf_addf(&text, "Cleared %zu sessions.\n", dropped);
    if (issued > 0) {
        sn_buf_addf(&text, "Cleared %zu sets of credentials that a TVM had issued.\n", issued);
    }
    SN_TRY(failed > 0 ? some_failed(failed, err) : SN_OK);
    return say(app, sn_buf_str(&text), profile, dropped, issued, err);
}

static enum sn_status run_clear(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct clear_args *args = arguments;
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access access = {0};
    const char *profile = app->operand_count > 0 ? app->operands[0] : NULL;
    const struct sn_session_filter filter = {.profile = sn_slice_str(profile), .only_expired = args->expired};
    struct sn_keyring *keyring = NULL;

    sn_vault_access_open(app, &args->vault, false, &access);
    SN_TRY(sn_vault_access_keyring(&access, &keyring, err));
    return clear_sessions(app, &access, &filter, profile, err);
}

static enum sn_status confirmed(
    const struct remove_args *args, const char *profile, bool *out_go_on, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf question = {0};

    *out_go_on = true;
    if (args->force) {
        return SN_OK;
    }
    sn_buf_addf(&question, "Delete credentials for profile \"%s\"? (y|N) ", profile);
    if (sn_prompt_yes(sn_buf_str(&question), out_go_on, err) != SN_OK) {
        return sn_error_is(err, "NO_TERMINAL") ? sn_suggest(err, "add --force to remove it without being asked")
                                               : err->status;
    }
    return SN_OK;
}

static enum sn_status run_remove(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct remove_args *args = arguments;
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access access = {0};
    SN_AUTO(sn_keyring_keys_clear) struct sn_keyring_keys keys = {0};
    struct sn_keyring *keyring = NULL;
    const char *profile = app->operands[0];
    const struct sn_session_filter filter = {.profile = sn_slice_str(profile)};
    bool go_on = false;
    size_t dropped = 0;
    size_t failed = 0;

    SN_TRY(sn_stored_check_profile(sn_slice_str(profile), err));
    sn_vault_access_open(app, &args->vault, false, &access);
    SN_TRY(sn_vault_access_keyring(&access, &keyring, err));
    if (args->sessions_only) {
        return clear_sessions(app, &access, &filter, profile, err);
    }
    SN_TRY(sn_keyring_list(keyring, &keys, err));
    if (!sn_keyring_keys_has(&keys, profile)) {
        (void)sn_fail(err, SN_NOT_FOUND, "VAULT_NOT_FOUND", "no key of profile '%.80s' is stored in the keyring '%s'",
            profile, sn_keyring_name(keyring));
        return sn_suggest(err, "'sentinel vault list --credentials' shows what is stored");
    }
    SN_TRY(confirmed(args, profile, &go_on, err));
    if (!go_on) {
        sn_app_note(app, "nothing was changed");
        sn_app_outcome(app, 1);
        return SN_OK;
    }
    SN_TRY(sn_keyring_remove(keyring, profile, err));
    SN_TRY(sn_vault_store_drop_sessions(access.store, &filter, &dropped, &failed, err));
    size_t issued = sn_vault_drop_issued();
    SN_TRY(failed > 0 ? some_failed(failed, err) : SN_OK);
    sn_app_note(app, "the section of the AWS config stays; the key itself still works until it is deleted in IAM");
    return say(app, "Deleted credentials.\n", profile, dropped, issued, err);
}

static const struct sn_exit_row remove_exits[] = {
    {0, "removed"},
    {1, "no such key is stored, or you answered no; nothing was changed"},
    {2, "wrong usage"},
    {3, "the keyring cannot be used, or something could not be removed"},
    {0},
};

const struct sn_cmd sn_cmd_vault_remove = {
    .name = "vault remove",
    .alias = "vault rm",
    .group = SN_GROUP_VAULT,
    .summary = "remove a stored key and its sessions",
    .description = "Asks first. The key stays valid: delete it in IAM if nobody needs it any more.",
    .operands = "PROFILE",
    .min_operands = 1,
    .max_operands = 1,
    .operand_words = SN_WORDS_AWS_PROFILES,
    .opts = remove_opts,
    .args_size = sizeof(struct remove_args),
    .exits = remove_exits,
    .run = run_remove,
};

const struct sn_cmd sn_cmd_vault_clear = {
    .name = "vault clear",
    .group = SN_GROUP_VAULT,
    .summary = "remove kept sessions; stored keys stay",
    .description =
        "Removes the sessions of PROFILE, or all of them, and the credentials that a TVM issued and that are "
        "kept in the kernel. Keys are never touched.",
    .operands = "[PROFILE]",
    .max_operands = 1,
    .operand_words = SN_WORDS_AWS_PROFILES,
    .opts = clear_opts,
    .args_size = sizeof(struct clear_args),
    .run = run_clear,
};
