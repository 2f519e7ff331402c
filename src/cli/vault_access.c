/* SPDX-License-Identifier: Apache-2.0 */
/* cli/vault_access.c - see vault_access.h. */
#include "cli/vault_access.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "cli/prompt.h"
#include "platform/kernel_ring.h"
#include "vault/base_profile.h"

static enum sn_status ask(void *ctx, const char *question, struct sn_secret *out_answer, struct sn_error *err)
{
    (void)ctx;
    return sn_prompt_secret(question, out_answer, err);
}

static void warn(void *ctx, const struct sn_error *err)
{
    sn_app_warn(ctx, "%s: %s", err->code, err->message);
}

void sn_vault_access_open(
    const struct sn_app *app, const struct sn_vault_args *args, bool only_if_known, struct sn_vault_access *out_access)
{
    union {
        const struct sn_app *app;
        void *ctx; /* only read */
    } teller = {.app = app};

    out_access->prompt = (struct sn_keyring_prompt){.ask = ask};
    const struct sn_vault_store_options options = {.keyring = {.backend = args->backend,
                                                       .file_dir = args->file_dir,
                                                       .env = sn_env_system(),
                                                       .clock = sn_clock_system(),
                                                       .random_source = sn_random_system(),
                                                       .prompt = &out_access->prompt},
        .only_if_known = only_if_known,
        .warn = app != NULL ? warn : NULL,
        .ctx = teller.ctx};
    sn_vault_store_new(&options, &out_access->store);
    out_access->mfa = (struct sn_mfa){.ask = ask};
}

void sn_vault_access_clear(struct sn_vault_access *access)
{
    sn_base_free_p(&access->base);
    sn_vault_store_free_p(&access->store);
    sn_secret_clear(&access->mfa_token);
}

static enum sn_status refuse(void *ctx, const char *question, struct sn_secret *out_answer, struct sn_error *err)
{
    (void)ctx, (void)question, (void)out_answer;
    return sn_fail(err, SN_UNAVAILABLE, "NO_TERMINAL", "nobody can be asked now");
}

void sn_vault_access_ask_nobody(struct sn_vault_access *access)
{
    access->prompt.ask = refuse;
    access->mfa.ask = NULL;
    access->person.person.may_login = false;
}

enum sn_status sn_vault_access_keyring(
    struct sn_vault_access *access, struct sn_keyring **out_keyring, struct sn_error *err)
{
    return sn_vault_store_keyring(access->store, out_keyring, err);
}

enum sn_status sn_vault_profile(const struct sn_app *app, const char **out_profile, struct sn_error *err)
{
    const char *profile = app->operand_count > 0 ? app->operands[0] : sn_env_get("AWS_PROFILE");

    profile = profile != NULL ? profile : sn_env_get("AWS_DEFAULT_PROFILE");
    if (profile == NULL) {
        (void)sn_fail(err, SN_USAGE, "VAULT_NO_PROFILE", "no profile is named");
        return sn_suggest(err, "name a profile, or set AWS_PROFILE; '%s vault list' shows them", app->program);
    }
    *out_profile = profile;
    return SN_OK;
}

/* Credentials of a protected profile come from the TVM; this keeps users on the way that is recorded. */
static enum sn_status check_unprotected(const char *profile, struct sn_error *err)
{
    SN_AUTO(sn_base_files_clear) struct sn_base_files files = {0};
    struct sn_slice value;
    bool is_protected = false;

    SN_TRY(sn_base_files_load(sn_env_system(), &files, err));
    SN_TRY(sn_base_profile_text(&files, sn_slice_str(profile), "sentinel_protected", &value, err));
    if (value.len > 0 && !sn_slice_eq_str(value, "true") && !sn_slice_eq_str(value, "false")) {
        return sn_fail(
            err, SN_INVALID, "CONFIG_INVALID", "sentinel_protected of profile '%.80s' must be true or false", profile);
    }
    is_protected = sn_slice_eq_str(value, "true");
    if (is_protected) {
        (void)sn_fail(err, SN_USAGE, "VAULT_PROTECTED",
            "profile '%.80s' is protected: its credentials come from the TVM", profile);
        return sn_suggest(err, "use 'sentinel exec %.80s -- COMMAND'", profile);
    }
    return SN_OK;
}

enum sn_status sn_vault_access_credentials(const struct sn_app *app, const struct sn_session_args *args,
    const char *profile, struct sn_vault_access *access, struct sn_credentials *out_credentials,
    char out_region[SN_REGION_MAX + 1], struct sn_error *err)
{
    struct sn_keyring *keyring = NULL;

    SN_TRY(check_unprotected(profile, err));
    sn_vault_access_open(app, &args->vault, false, access);
    SN_TRY(sn_vault_access_keyring(access, &keyring, err));
    if (args->mfa_token != NULL) {
        sn_secret_set(&access->mfa_token, sn_slice_str(args->mfa_token));
        access->mfa.given = &access->mfa_token;
    }
    sn_vault_store_set_no_cache(access->store, args->no_cache);
    const struct sn_base_options options = {.profile = profile,
        .region = args->region,
        .store = access->store,
        .mfa = &access->mfa,
        .no_session = args->no_session,
        .duration_s = args->duration_s,
        .person = &access->person.person,
        .keeps_roles = !args->no_cache};
    SN_TRY(sn_cli_person_init(&access->person, app, &args->sso, true, err));
    SN_TRY(sn_base_new(&options, &access->base, err));
    const struct sn_credential_source *source = sn_base_source(access->base);
    SN_TRY(source->get(source->ctx, out_credentials, err));
    if (args->no_session && !sn_secret_is_set(&out_credentials->session_token)) {
        sn_app_warn(app, "these are the long-lived keys of '%s' themselves; they do not expire", profile);
    }
    return sn_base_region(access->base, out_region, err);
}

enum { LOCK_WAIT_S = 60, LOCK_STEP_MS = 100 };

enum sn_status sn_vault_lock(struct sn_lock_file *lock, struct sn_error *err)
{
    SN_TRY(sn_lock_file_open(lock, sn_env_system(), "vault-store.lock", err));
    for (int i = 0; !sn_lock_file_try(lock); i++) {
        if (i == LOCK_WAIT_S * 1000 / LOCK_STEP_MS) {
            (void)sn_fail(err, SN_UNAVAILABLE, "LOCK_UNAVAILABLE", "process %lld holds the lock of the vault",
                (long long)sn_lock_file_holder(lock));
            return sn_suggest(err, "wait for that process, or end it");
        }
        sn_transport_sleep_ms(NULL, LOCK_STEP_MS);
    }
    return SN_OK;
}

struct dropped {
    struct sn_kernel_ring ring;
    const char *names[SN_KERNEL_RING_ITEMS_MAX];
    struct sn_arena arena;
    size_t count;
};

static bool note(void *ctx, struct sn_slice description)
{
    struct dropped *dropped = ctx;

    if (dropped->count < SN_LEN(dropped->names)) {
        dropped->names[dropped->count++] = sn_arena_str(&dropped->arena, description);
    }
    return true;
}

size_t sn_vault_drop_issued(void)
{
    struct dropped dropped = {0};

    if (!sn_kernel_ring_open(&dropped.ring, sn_keyctl_system(), "sentinel")) {
        return 0;
    }
    (void)sn_kernel_ring_list(&dropped.ring, note, &dropped);
    for (size_t i = 0; i < dropped.count; i++) {
        sn_kernel_ring_remove(&dropped.ring, dropped.names[i]);
    }
    sn_arena_clear(&dropped.arena);
    return dropped.count;
}
