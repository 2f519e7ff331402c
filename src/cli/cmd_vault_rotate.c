/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_vault_rotate.c - vault rotate: a new access key in the place of the stored one.
 */
#include <stddef.h>
#include <stdio.h>

#include "base/env.h"
#include "cli/vault_access.h"
#include "codec/json.h"
#include "vault/base_profile.h"
#include "vault/rotation.h"

struct rotate_args {
    struct sn_vault_args vault;
    const char *region, *mfa_token;
    bool no_session, resume;
};

/* clang-format off */
static const struct sn_opt rotate_opts[] = {
    {.name = "no-session", .letter = 'n', .kind = SN_OPT_FLAG, .field = offsetof(struct rotate_args, no_session),
     .help = "call IAM with the key itself, not with a session made from it"},
    {.name = "resume", .kind = SN_OPT_FLAG, .field = offsetof(struct rotate_args, resume),
     .help = "only finish, or take back, a rotation that was cut short"},
    {.name = "region", .metavar = "REGION", .kind = SN_OPT_STRING, .field = offsetof(struct rotate_args, region),
     .help = "AWS region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's"},
    {.name = "mfa-token", .letter = 't', .metavar = "CODE", .kind = SN_OPT_STRING,
     .field = offsetof(struct rotate_args, mfa_token), .help = "the code that the MFA device shows; else it is asked for"},
    SN_VAULT_OPTS(struct rotate_args, vault),
    {0},
};
/* clang-format on */

static void note(void *ctx, const char *text)
{
    sn_app_note(ctx, "%s", text);
}

/* From the profile towards its source, the first under whose name a key is stored. */
static enum sn_status find_stored(
    struct sn_vault_access *access, const char *profile, char out_name[SN_STORED_NAME_MAX + 1], struct sn_error *err)
{
    SN_AUTO(sn_base_files_clear) struct sn_base_files files = {0};
    struct sn_slice name = sn_slice_str(profile);

    SN_TRY(sn_base_files_load(sn_env_system(), &files, err));
    for (int depth = 0; depth < SN_BASE_CHAIN_MAX && name.len > 0; depth++) {
        if (sn_vault_store_has(access->store, name)) {
            (void)snprintf(out_name, SN_STORED_NAME_MAX + 1, "%.*s", SN_PRI(name));
            return SN_OK;
        }
        SN_TRY(sn_base_profile_text(&files, name, "source_profile", &name, err));
    }
    (void)sn_fail(err, SN_NOT_FOUND, "VAULT_NOT_FOUND",
        "neither profile '%.80s' nor one that it builds on has a stored key", profile);
    return sn_suggest(err, "'sentinel vault list --credentials' shows what is stored");
}

static enum sn_status say(
    struct sn_app *app, const char *profile, const struct sn_rotated *rotated, size_t dropped, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_json_writer w;

    if (app->json) {
        sn_json_writer_init(&w, &text);
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "profile", profile);
        sn_json_member_str(&w, "old", rotated->old_id);
        sn_json_member_str(&w, "new", rotated->new_id);
        sn_json_member_bool(&w, "resumed", rotated->was_resumed);
        sn_json_member_bool(&w, "taken_back", rotated->was_taken_back);
        sn_json_member_int(&w, "sessions_deleted", (int64_t)dropped);
        sn_json_end_object(&w);
        sn_buf_add_byte(&text, '\n');
        return sn_app_write(app, sn_buf_slice(&text), err);
    }
    if (rotated->was_taken_back) {
        sn_buf_addf(&text, "Took back the rotation of \"%s\": %s is in force.\n", profile, rotated->old_id);
    } else {
        sn_buf_addf(&text, "Rotated the key of \"%s\": %s is deleted, %s is in force.\n", profile, rotated->old_id,
            rotated->new_id);
    }
    if (dropped > 0) {
        sn_buf_addf(&text, "Deleted %zu existing sessions.\n", dropped);
    }
    return sn_app_write(app, sn_buf_slice(&text), err);
}

/* A session of the stored key, made now: one that was kept may lack MFA. */
static enum sn_status open_session(struct sn_vault_access *access, const struct rotate_args *args, const char *name,
    struct sn_rotation *rotation, char out_region[SN_REGION_MAX + 1], struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials session = {0};
    const struct sn_base_options options = {
        .profile = name, .region = args->region, .store = access->store, .mfa = &access->mfa};

    if (args->mfa_token != NULL) {
        sn_secret_set(&access->mfa_token, sn_slice_str(args->mfa_token));
        access->mfa.given = &access->mfa_token;
    }
    SN_TRY(sn_base_new(&options, &access->base, err));
    SN_TRY(sn_base_region(access->base, out_region, err));
    rotation->region = out_region;
    if (args->no_session) {
        return SN_OK;
    }
    sn_vault_store_set_no_cache(access->store, true);
    rotation->working = sn_base_source(access->base);
    return rotation->working->get(rotation->working->ctx, &session, err);
}

static enum sn_status run_rotate(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct rotate_args *args = arguments;
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access access = {0};
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    struct sn_rotation rotation = {
        .env = sn_env_system(), .ca_file = sn_env_get("AWS_CA_BUNDLE"), .note = note, .ctx = app};
    struct sn_rotated rotated = {0};
    struct sn_keyring *keyring = NULL;
    char name[SN_STORED_NAME_MAX + 1];
    char region[SN_REGION_MAX + 1];
    const char *profile = NULL;
    bool is_open = false;
    size_t dropped = 0;
    size_t failed = 0;

    SN_TRY(sn_vault_profile(app, &profile, err));
    sn_vault_access_open(app, &args->vault, false, &access);
    SN_TRY(sn_vault_access_keyring(&access, &keyring, err));
    SN_TRY(find_stored(&access, profile, name, err));
    SN_TRY(sn_vault_lock(&lock, err));
    rotation.store = access.store;
    rotation.profile = name;
    SN_TRY(open_session(&access, args, name, &rotation, region, err));
    SN_TRY(sn_rotation_is_open(&rotation, &is_open, err));
    if (is_open || args->resume) {
        SN_TRY(sn_rotation_resume(&rotation, &rotated, err));
    } else {
        SN_TRY(sn_rotation_run(&rotation, &rotated, err));
    }
    /* Sessions end with the key that made them; whose name they carry is the profile of the key. */
    const struct sn_session_filter filter = {.profile = sn_slice_str(name)};
    SN_TRY(sn_vault_store_drop_sessions(access.store, &filter, &dropped, &failed, err));
    (void)sn_vault_drop_issued();
    return say(app, name, &rotated, dropped, err);
}

static const struct sn_example rotate_examples[] = {
    {"sentinel vault rotate dev", "make a new key for the user behind 'dev', store it, delete the old one"},
    {"sentinel vault rotate --resume dev", "finish a rotation that was cut short"},
    {0},
};
static const struct sn_exit_row rotate_exits[] = {
    {0, "rotated, or an earlier rotation finished or taken back"},
    {1, "no key is stored for the profile, or there is nothing to resume"},
    {2, "wrong usage, or a wrong passphrase or MFA code"},
    {3, "refused or cut short; a key that works is stored, and the error names both"},
    {0},
};

const struct sn_cmd sn_cmd_vault_rotate = {
    .name = "vault rotate",
    .group = SN_GROUP_VAULT,
    .summary = "replace a stored key by a new one",
    .description =
        "Makes a new access key in IAM, stores it, checks that it works, and deletes the old one with it. Both keys "
        "lie in "
        "a journal in the keyring until the old one is deleted: if anything fails, or the machine stops, the next "
        "'vault rotate' asks AWS which of them works and finishes or takes back.\n\n"
        "The user needs iam:CreateAccessKey and iam:DeleteAccessKey on itself, and iam:ListAccessKeys for an early "
        "answer "
        "when there are two keys already. A session without MFA cannot call IAM: name the device in mfa_serial, or add "
        "--no-session.",
    .operands = "[PROFILE]",
    .max_operands = 1,
    .operand_words = SN_WORDS_AWS_PROFILES,
    .opts = rotate_opts,
    .examples = rotate_examples,
    .args_size = sizeof(struct rotate_args),
    .exits = rotate_exits,
    .run = run_rotate,
};
