/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_settings.c - settings of IAM Identity Center from the AWS config file.
 */
#include "vault/sso_settings.h"

#include <stdio.h>

#include "vault/base_credentials.h"

static const char default_scope[] = "sso:account:access";

struct sn_slice sn_sso_settings_key(const struct sn_sso_settings *settings)
{
    return sn_slice_str(settings->session[0] != '\0' ? settings->session : settings->start_url);
}

static enum sn_status wrong(
    const struct sn_base_files *files, struct sn_slice where, const char *what, struct sn_error *err)
{
    (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "'%.*s' in %s: %s", SN_PRI(sn_slice_sub(where, 0, 80)),
        files->config_path, what);
    return sn_suggest(
        err, "sso_start_url, sso_region and, for credentials, sso_account_id and sso_role_name are needed");
}

/* Copies text, or fails when it does not fit. */
static enum sn_status take(const struct sn_base_files *files, struct sn_slice where, const char *what,
    struct sn_slice text, char *out, size_t size, struct sn_error *err)
{
    if (text.len >= size) {
        return wrong(files, where, what, err);
    }
    (void)snprintf(out, size, "%.*s", SN_PRI(text));
    return SN_OK;
}

/* "a, b" -> "a b" */
static enum sn_status take_scopes(const struct sn_base_files *files, struct sn_slice where, struct sn_slice text,
    char out[SN_SSO_SCOPES_MAX + 1], struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf words = SN_BUF_INIT(SN_SSO_SCOPES_MAX);
    struct sn_slice part;

    while (sn_slice_next(&text, ',', &part)) {
        struct sn_slice scope = sn_slice_trim(part);
        if (scope.len == 0) {
            continue;
        }
        if (!sn_slice_is_alnum_or(scope, ":._-/")) {
            return wrong(files, where, "sso_registration_scopes holds what is no scope", err);
        }
        sn_buf_addf(&words, "%s%.*s", words.len > 0 ? " " : "", SN_PRI(scope));
    }
    if (words.overflow) {
        return wrong(files, where, "sso_registration_scopes is too long", err);
    }
    (void)snprintf(out, SN_SSO_SCOPES_MAX + 1, "%s", words.len > 0 ? sn_buf_str(&words) : default_scope);
    return SN_OK;
}

static enum sn_status take_place(const struct sn_base_files *files, struct sn_slice where, struct sn_slice start_url,
    struct sn_slice region, struct sn_sso_settings *out, struct sn_error *err)
{
    if (start_url.len == 0) {
        return wrong(files, where, "sso_start_url is missing", err);
    }
    if (start_url.len > SN_SSO_START_URL_MAX || !sn_sso_url_is_safe(start_url)) {
        return wrong(files, where, "sso_start_url must be an https address", err);
    }
    if (region.len == 0) {
        return wrong(files, where, "sso_region is missing", err);
    }
    if (!sn_region_is_valid(region)) {
        return wrong(files, where, "sso_region is not an AWS region", err);
    }
    (void)snprintf(out->start_url, sizeof(out->start_url), "%.*s", SN_PRI(start_url));
    (void)snprintf(out->region, sizeof(out->region), "%.*s", SN_PRI(region));
    return SN_OK;
}

static struct sn_slice text_of(const struct sn_awsconfig_section *section, const char *key)
{
    const struct sn_awsconfig_setting *setting = sn_awsconfig_get(section, key);

    return setting != NULL ? setting->value : SN_S("");
}

/* The session's values; an empty one leaves what the profile itself says. */
static enum sn_status add_session(const struct sn_base_files *files, struct sn_slice session,
    struct sn_slice *start_url, struct sn_slice *region, struct sn_sso_settings *out, struct sn_error *err)
{
    const struct sn_awsconfig_section *section = sn_awsconfig_find(files->config, SN_AWSCONFIG_SSO_SESSION, session);

    if (section == NULL) {
        (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "there is no [sso-session %.*s] in %s",
            SN_PRI(sn_slice_sub(session, 0, 80)), files->config_path);
        return sn_suggest(err, "add the section with sso_start_url and sso_region, or mend the name");
    }
    struct sn_slice own_url = text_of(section, "sso_start_url");
    struct sn_slice own_region = text_of(section, "sso_region");
    *start_url = own_url.len > 0 ? own_url : *start_url;
    *region = own_region.len > 0 ? own_region : *region;
    SN_TRY(take(files, session, "the name is too long", session, out->session, sizeof(out->session), err));
    return take_scopes(files, session, text_of(section, "sso_registration_scopes"), out->scopes, err);
}

enum sn_status sn_sso_settings_of_session(const struct sn_base_files *files, struct sn_slice session,
    struct sn_sso_settings *out_settings, struct sn_error *err)
{
    struct sn_sso_settings settings = {0};
    struct sn_slice start_url = {0};
    struct sn_slice region = {0};

    SN_TRY(add_session(files, session, &start_url, &region, &settings, err));
    SN_TRY(take_place(files, session, start_url, region, &settings, err));
    *out_settings = settings;
    return SN_OK;
}

static enum sn_status take_role(const struct sn_base_files *files, struct sn_slice profile, bool need_role,
    struct sn_sso_settings *out, struct sn_error *err)
{
    struct sn_slice account;
    struct sn_slice role;

    SN_TRY(sn_base_profile_text(files, profile, "sso_account_id", &account, err));
    SN_TRY(sn_base_profile_text(files, profile, "sso_role_name", &role, err));
    if (need_role && (account.len == 0 || role.len == 0)) {
        return wrong(files, profile, account.len == 0 ? "sso_account_id is missing" : "sso_role_name is missing", err);
    }
    for (size_t i = 0; i < account.len; i++) {
        if (account.len != SN_SSO_ACCOUNT_LEN || account.ptr[i] < '0' || account.ptr[i] > '9') {
            return wrong(files, profile, "sso_account_id must be 12 digits", err);
        }
    }
    if (!sn_slice_is_alnum_or(role, "_+=,.@-")) {
        return wrong(files, profile, "sso_role_name is not the name of a permission set", err);
    }
    SN_TRY(take(files, profile, "sso_account_id is too long", account, out->account_id, sizeof(out->account_id), err));
    return take(files, profile, "sso_role_name is too long", role, out->role_name, sizeof(out->role_name), err);
}

enum sn_status sn_sso_settings_of_profile(const struct sn_base_files *files, struct sn_slice profile, bool need_role,
    struct sn_sso_settings *out_settings, bool *out_found, struct sn_error *err)
{
    struct sn_sso_settings settings = {0};
    struct sn_slice session;
    struct sn_slice start_url;
    struct sn_slice region;
    struct sn_slice endpoint;

    SN_TRY(sn_base_profile_text(files, profile, "sso_session", &session, err));
    SN_TRY(sn_base_profile_text(files, profile, "sso_start_url", &start_url, err));
    SN_TRY(sn_base_profile_text(files, profile, "sso_region", &region, err));
    *out_found = session.len > 0 || start_url.len > 0;
    if (!*out_found) {
        return SN_OK;
    }
    if (session.len > 0) {
        SN_TRY(add_session(files, session, &start_url, &region, &settings, err));
    }
    SN_TRY(take_place(files, profile, start_url, region, &settings, err));
    SN_TRY(take_role(files, profile, need_role, &settings, err));
    SN_TRY(sn_base_profile_text(files, profile, "endpoint_url", &endpoint, err));
    SN_TRY(take(files, profile, "endpoint_url is too long", endpoint, settings.endpoint_url,
        sizeof(settings.endpoint_url), err));
    SN_TRY(take(files, profile, "the name is too long", profile, settings.profile, sizeof(settings.profile), err));
    *out_settings = settings;
    return SN_OK;
}

enum sn_status sn_sso_settings_of_chain(const struct sn_base_files *files, struct sn_slice profile,
    struct sn_sso_settings *out_settings, struct sn_error *err)
{
    struct sn_slice name = profile;

    for (size_t depth = 0; depth < SN_BASE_CHAIN_MAX && name.len > 0; depth++) {
        struct sn_slice next;
        bool found = false;
        if (!sn_base_profile_exists(files, name)) {
            return sn_base_profile_unknown(files, name, err);
        }
        SN_TRY(sn_sso_settings_of_profile(files, name, false, out_settings, &found, err));
        if (found) {
            return SN_OK;
        }
        SN_TRY(sn_base_profile_text(files, name, "source_profile", &next, err));
        name = sn_slice_eq(next, name) ? SN_S("") : next;
    }
    (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "profile '%.*s' does not sign in to an IAM Identity Center",
        SN_PRI(sn_slice_sub(profile, 0, 80)));
    return sn_suggest(err, "give it sso_session, or sso_start_url and sso_region, in %s", files->config_path);
}
