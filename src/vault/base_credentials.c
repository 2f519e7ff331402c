/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_credentials.c - the chain of profiles, and the memory of what it gave.
 *
 * The files are read for each resolution, so an edit is felt without a restart.
 */
#include "vault/base_credentials.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/task.h"
#include "vault/base_internal.h"
#include "vault/process_credentials.h"
#include "vault/sso_session.h"

enum {
    RENEW_BEFORE_S = 300,
    TRY_AGAIN_S = 10,
    LAST_USE_S = 30, /* credentials that live no longer than this do not serve in place of new ones */
    STATIC_FRESH_S = 60,
};

/* --- Errors that name the chain --- */

static void format_chain(const struct sn_resolver *r, struct sn_slice last, struct sn_buf *out)
{
    for (size_t i = 0; i < r->depth; i++) {
        sn_buf_addf(out, "%s%.*s", i > 0 ? " -> " : "", SN_PRI(sn_slice_sub(r->chain[i], 0, 64)));
    }
    if (last.len > 0) {
        sn_buf_addf(out, " -> %.*s", SN_PRI(sn_slice_sub(last, 0, 64)));
    }
}

static enum sn_status in_chain(const struct sn_resolver *r, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf chain = {0};

    format_chain(r, (struct sn_slice){0}, &chain);
    return sn_error_context(err, "AWS profile %s", sn_buf_str(&chain));
}

static enum sn_status missing(const struct sn_resolver *r, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf chain = {0};
    struct sn_slice name = r->chain[r->depth - 1];

    format_chain(r, (struct sn_slice){0}, &chain);
    (void)sn_fail(err, SN_UNAUTHENTICATED, "CONFIG_MISSING_CREDENTIALS",
        "AWS profile %s: '%.*s' has no credentials: neither stored keys, source_profile, sso_session, "
        "credential_process "
        "nor static "
        "keys",
        sn_buf_str(&chain), SN_PRI(name));
    return sn_suggest(err,
        "store keys with 'sentinel vault add %.*s', add one of these to the profile in %s, or name another profile",
        SN_PRI(name), r->files.config_path);
}

/* --- Regions --- */

enum sn_status sn_resolver_region(const struct sn_base *base, const struct sn_base_files *files,
    struct sn_slice profile, char out_region[SN_REGION_MAX + 1], struct sn_error *err)
{
    struct sn_slice region = sn_slice_str(base->region);

    if (region.len == 0) {
        region = sn_slice_str(sn_base_env(base, "AWS_REGION"));
    }
    if (region.len == 0) {
        region = sn_slice_str(sn_base_env(base, "AWS_DEFAULT_REGION"));
    }
    if (region.len == 0 && files != NULL) {
        SN_TRY(sn_base_profile_text(files, profile, "region", &region, err));
    }
    if (region.len > 0 && !sn_region_is_valid(region)) {
        (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID_REGION", "'%.*s' is not an AWS region",
            SN_PRI(sn_slice_sub(region, 0, 64)));
        return sn_suggest(err, "set --region, AWS_REGION or the region of the profile, for instance to eu-west-1");
    }
    (void)snprintf(out_region, SN_REGION_MAX + 1, "%.*s", SN_PRI(region));
    return SN_OK;
}

/* The profile of the chain when none is named: AWS_PROFILE, AWS_DEFAULT_PROFILE, default. */
static struct sn_slice chosen_profile(const struct sn_base *base, bool *out_is_explicit)
{
    const char *name = base->profile != NULL ? base->profile : sn_base_env(base, "AWS_PROFILE");

    name = name != NULL ? name : sn_base_env(base, "AWS_DEFAULT_PROFILE");
    *out_is_explicit = name != NULL;
    return name != NULL ? sn_slice_str(name) : SN_S("default");
}

enum sn_status sn_base_region(struct sn_base *base, char out_region[SN_REGION_MAX + 1], struct sn_error *err)
{
    SN_AUTO(sn_base_files_clear) struct sn_base_files files = {0};
    bool is_explicit = false;

    SN_TRY(sn_resolver_region(base, NULL, (struct sn_slice){0}, out_region, err));
    if (out_region[0] != '\0') {
        return SN_OK;
    }
    SN_TRY(sn_base_files_load(base->env, &files, err));
    return sn_resolver_region(base, &files, chosen_profile(base, &is_explicit), out_region, err);
}

/* --- Keys --- */

static enum sn_status env_keys(
    const struct sn_base *base, struct sn_credentials *out_credentials, bool *out_found, struct sn_error *err)
{
    const char *id = sn_base_env(base, "AWS_ACCESS_KEY_ID");
    const char *secret = sn_base_env(base, "AWS_SECRET_ACCESS_KEY");
    const char *token = sn_base_env(base, "AWS_SESSION_TOKEN");

    *out_found = id != NULL || secret != NULL;
    if (!*out_found) {
        return SN_OK;
    }
    if (id == NULL || secret == NULL) {
        return sn_fail(err, SN_UNAUTHENTICATED, "CONFIG_MISSING_CREDENTIALS", "%s is set but %s is not",
            id != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
            id != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    }
    if (strlen(id) > SN_ACCESS_KEY_ID_MAX || !sn_slice_is_alnum_or(sn_slice_str(id), "_")) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "AWS_ACCESS_KEY_ID is not an access key id");
    }
    (void)snprintf(out_credentials->access_key_id, sizeof(out_credentials->access_key_id), "%s", id);
    sn_secret_set(&out_credentials->secret_access_key, sn_slice_str(secret));
    if (token != NULL) {
        sn_secret_set(&out_credentials->session_token, sn_slice_str(token));
    }
    out_credentials->expires_unix_s = 0;
    return SN_OK;
}

/* Ways to get credentials that this version knows by name only: said plainly instead of passed over. */
static enum sn_status check_supported(const struct sn_resolver *r, struct sn_slice profile, struct sn_error *err)
{
    static const struct {
        const char *key, *what;
    } rows[] = {
        {"web_identity_token_file", "web identity"},
        {"web_identity_token_process", "web identity"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_slice value;
        SN_TRY(sn_base_profile_text(&r->files, profile, rows[i].key, &value, err));
        if (value.len > 0) {
            (void)sn_fail(err, SN_UNAVAILABLE, "CONFIG_UNSUPPORTED",
                "profile '%.*s' gets its credentials from %s, which is not supported yet", SN_PRI(profile),
                rows[i].what);
            return sn_suggest(err,
                "put 'credential_process = aws configure export-credentials --profile %.*s' into another profile and "
                "name that one",
                SN_PRI(profile));
        }
    }
    return SN_OK;
}

static enum sn_status process_keys(struct sn_resolver *r, struct sn_slice profile, struct sn_slice command,
    struct sn_credentials *out_credentials, struct sn_error *err)
{
    SN_TRY(sn_awsconfig_check_trust(r->files.config, err));
    SN_TRY(sn_process_credentials(
        profile, command, r->base->env, sn_clock_unix_s(r->base->clock), 0, out_credentials, err));
    r->from_process = out_credentials->expires_unix_s == 0;
    return SN_OK;
}

static enum sn_status sso_keys(const struct sn_resolver *r, const struct sn_sso_settings *settings,
    struct sn_credentials *out_credentials, struct sn_error *err)
{
    const struct sn_sso_world world = {.env = r->base->env,
        .clock = r->base->clock,
        .random_source = sn_random_system(),
        .ca_file = r->base->ca_file,
        .transport = r->base->transport,
        .keeps_roles = r->base->keeps_roles,
        .person = r->base->person};

    return sn_sso_get_credentials(&world, settings, out_credentials, err);
}

/* Keys that the profile itself holds or makes, without a role on top. */
static enum sn_status own_keys(
    struct sn_resolver *r, struct sn_slice profile, struct sn_credentials *out_credentials, struct sn_error *err)
{
    struct sn_sso_settings settings;
    struct sn_slice command;
    struct sn_slice from;
    bool found = false;

    SN_TRY(sn_sso_settings_of_profile(&r->files, profile, true, &settings, &found, err));
    if (found) {
        return sso_keys(r, &settings, out_credentials, err);
    }
    SN_TRY(check_supported(r, profile, err));
    SN_TRY(sn_base_profile_text(&r->files, profile, "credential_source", &from, err));
    if (sn_slice_eq_str(from, "Environment")) {
        SN_TRY(env_keys(r->base, out_credentials, &found, err));
        return found ? SN_OK : missing(r, err);
    }
    if (from.len > 0) {
        return sn_fail(err, SN_UNAVAILABLE, "CONFIG_UNSUPPORTED",
            "profile '%.*s' has credential_source '%.*s', which is not supported yet", SN_PRI(profile),
            SN_PRI(sn_slice_sub(from, 0, 64)));
    }
    SN_TRY(sn_base_profile_text(&r->files, profile, "credential_process", &command, err));
    if (command.len > 0) {
        return process_keys(r, profile, command, out_credentials, err);
    }
    SN_TRY(sn_base_profile_keys(&r->files, profile, out_credentials, &found, err));
    return found ? SN_OK : missing(r, err);
}

/* --- The chain --- */

static enum sn_status push(struct sn_resolver *r, struct sn_slice profile, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf chain = {0};

    for (size_t i = 0; i < r->depth; i++) {
        if (sn_slice_eq(r->chain[i], profile)) {
            format_chain(r, profile, &chain);
            (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "source_profile goes in a circle: %s", sn_buf_str(&chain));
            return sn_suggest(err, "mend source_profile in %s", r->files.config_path);
        }
    }
    if (r->depth == SN_BASE_CHAIN_MAX) {
        return sn_fail(
            err, SN_INVALID, "CONFIG_INVALID", "source_profile leads through more than %d profiles", SN_BASE_CHAIN_MAX);
    }
    r->from_keyring = r->base->store != NULL && sn_vault_store_has(r->base->store, profile);
    if (!r->from_keyring && !sn_base_profile_exists(&r->files, profile)) {
        if (r->depth == 0) {
            return sn_base_profile_unknown(&r->files, profile, err);
        }
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID",
            "profile '%.*s' names source_profile '%.*s', which does not exist", SN_PRI(r->chain[r->depth - 1]),
            SN_PRI(sn_slice_sub(profile, 0, 64)));
    }
    r->chain[r->depth++] = profile;
    return SN_OK;
}

static enum sn_status stored_keys(struct sn_resolver *r, struct sn_credentials *out_credentials, struct sn_error *err)
{
    bool found = false;

    SN_TRY(sn_vault_store_find(r->base->store, r->chain[r->depth - 1], out_credentials, &found, err));
    return found ? sn_resolver_prime(r, out_credentials, err) : missing(r, err);
}

/* Down to the profile that holds keys, then up again, a role at each step that names one. */
static enum sn_status resolve_chain(
    struct sn_resolver *r, struct sn_slice profile, struct sn_credentials *out_credentials, struct sn_error *err)
{
    struct sn_slice next = profile;

    while (next.len > 0) {
        struct sn_slice name = next;
        SN_TRY(push(r, name, err));
        SN_TRY(sn_base_profile_text(&r->files, name, "source_profile", &next, err));
        if (r->from_keyring || sn_slice_eq(next, name)) {
            next = (struct sn_slice){0};
        }
    }
    size_t bottom = r->depth - 1;
    if ((r->from_keyring ? stored_keys(r, out_credentials, err)
                         : own_keys(r, r->chain[bottom], out_credentials, err)) != SN_OK) {
        return sn_error_is(err, "CONFIG_MISSING_CREDENTIALS") ? err->status : in_chain(r, err);
    }
    for (size_t i = r->depth; i > 0; i--) {
        struct sn_slice role_arn;
        SN_TRY(sn_base_profile_text(&r->files, r->chain[i - 1], "role_arn", &role_arn, err));
        if (role_arn.len > 0 && sn_resolver_assume(r, r->chain[i - 1], role_arn, out_credentials, err) != SN_OK) {
            return in_chain(r, err);
        }
    }
    return SN_OK;
}

static enum sn_status nothing_found(const struct sn_base *base, struct sn_error *err)
{
    (void)base;
    (void)sn_fail(err, SN_UNAUTHENTICATED, "CONFIG_MISSING_CREDENTIALS",
        "no AWS credentials: AWS_ACCESS_KEY_ID is not set, and there is no profile 'default'");
    return sn_suggest(err, "set AWS_PROFILE or --aws-profile to a profile with credentials, or set AWS_ACCESS_KEY_ID "
                           "and AWS_SECRET_ACCESS_KEY");
}

static enum sn_status resolve(
    const struct sn_base *base, struct sn_credentials *out_credentials, bool *out_keep, struct sn_error *err)
{
    struct sn_resolver r = {.base = base};
    bool is_explicit = false;
    bool found = false;
    struct sn_slice profile = chosen_profile(base, &is_explicit);
    enum sn_status status = SN_OK;

    *out_keep = true;
    if (base->profile == NULL) {
        SN_TRY(env_keys(base, out_credentials, &found, err));
        if (found) {
            return SN_OK;
        }
    }
    status = sn_base_files_load(base->env, &r.files, err);
    if (status == SN_OK && !is_explicit && !sn_base_profile_exists(&r.files, profile) &&
        (base->store == NULL || !sn_vault_store_has(base->store, profile))) {
        status = nothing_found(base, err);
    } else if (status == SN_OK) {
        status = resolve_chain(&r, profile, out_credentials, err);
    }
    *out_keep = !r.from_process;
    sn_base_files_clear(&r.files);
    return status;
}

/* --- Memory --- */

static enum sn_status renew(struct sn_base *base, int64_t now, struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials fresh = {0};
    bool keep = true;
    enum sn_status status = resolve(base, &fresh, &keep, err);

    if (status != SN_OK) {
        int64_t last_use = base->held.expires_unix_s - LAST_USE_S;
        if (!base->has_held || now >= last_use) {
            return status;
        }
        /* What failed is not tried again for every caller, each of whom would wait for it to fail. */
        base->fresh_until_unix_s = now + TRY_AGAIN_S < last_use ? now + TRY_AGAIN_S : last_use;
        return SN_OK;
    }
    sn_credentials_move(&base->held, &fresh);
    base->has_held = true;
    if (base->held.expires_unix_s != 0) {
        base->fresh_until_unix_s = base->held.expires_unix_s - RENEW_BEFORE_S;
    } else {
        base->fresh_until_unix_s = keep ? now + STATIC_FRESH_S : 0;
    }
    return SN_OK;
}

/* A renewal reads files, runs programs and asks STS: nothing that a task may do on the thread of others. */
struct renewal {
    struct sn_base *base;
    int64_t now;
    struct sn_error *err;
    enum sn_status status;
};

static void renew_apart(void *ctx)
{
    struct renewal *renewal = ctx;

    renewal->status = renew(renewal->base, renewal->now, renewal->err);
}

static enum sn_status get(void *ctx, struct sn_credentials *out_credentials, struct sn_error *err)
{
    struct sn_base *base = ctx;
    int64_t now = sn_clock_unix_s(base->clock);
    enum sn_status status = SN_OK;

    sn_turns_take(&base->turn);
    if (!base->has_held || now >= base->fresh_until_unix_s) {
        struct renewal renewal = {.base = base, .now = now, .err = err};
        sn_task_apart(renew_apart, &renewal);
        status = renewal.status;
    }
    if (status == SN_OK) {
        sn_credentials_copy(out_credentials, &base->held);
    }
    sn_turns_give(&base->turn);
    return status;
}

enum sn_status sn_base_new(const struct sn_base_options *options, struct sn_base **out_base, struct sn_error *err)
{
    SN_AUTO(sn_base_free_p) struct sn_base *base = sn_alloc(1, sizeof(*base));
    struct sn_slice region = sn_slice_str(options->region);
    const char *ca_file = options->ca_file;

    sn_turns_init(&base->turn, 1);
    base->env = options->env != NULL ? options->env : sn_env_system();
    base->clock = options->clock != NULL ? options->clock : sn_clock_system();
    base->transport = options->transport;
    base->store = options->store;
    base->mfa = options->mfa;
    base->no_session = options->no_session;
    base->duration_s = options->duration_s;
    base->person = options->person;
    base->keeps_roles = options->keeps_roles;
    base->source = (struct sn_credential_source){.get = get, .ctx = base};
    if (region.len > 0 && !sn_region_is_valid(region)) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID_REGION", "'%.*s' is not an AWS region",
            SN_PRI(sn_slice_sub(region, 0, 64)));
    }
    (void)snprintf(base->region, sizeof(base->region), "%.*s", SN_PRI(region));
    if (options->profile != NULL && options->profile[0] != '\0') {
        base->profile = sn_strdup(sn_slice_str(options->profile));
    }
    ca_file = ca_file != NULL ? ca_file : sn_base_env(base, "AWS_CA_BUNDLE");
    if (ca_file != NULL) {
        base->ca_file = sn_strdup(sn_slice_str(ca_file));
    }
    *out_base = SN_TAKE(base);
    return SN_OK;
}

void sn_base_free(struct sn_base *base)
{
    if (base == NULL) {
        return;
    }
    sn_credentials_clear(&base->held);
    sn_turns_clear(&base->turn);
    sn_free(base->profile);
    sn_free(base->ca_file);
    sn_free(base);
}

void sn_base_free_p(struct sn_base **base)
{
    sn_base_free(*base);
    *base = NULL;
}

const struct sn_credential_source *sn_base_source(struct sn_base *base)
{
    return &base->source;
}
