/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_profile.c - inheritance between profiles, and static keys.
 */
#include "vault/base_profile.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/nearest.h"
#include "vault/base_credentials.h"

enum { MAX_NAMES = 1024, SHOWN_NAMES = 20, SHOWN_CHARS = 80 };

/* Without HOME and a variable that names the file there is none, which is as good as an empty one. */
static enum sn_status load_one(const struct sn_env *env, enum sn_awsconfig_kind kind,
    char out_path[SN_AWSCONFIG_PATH_MAX], struct sn_awsconfig **out_config, struct sn_error *err)
{
    bool is_config = kind == SN_AWSCONFIG_CONFIG;
    const char *variable = is_config ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE";

    if (env->get(env->ctx, "HOME") == NULL && env->get(env->ctx, variable) == NULL) {
        (void)snprintf(out_path, SN_AWSCONFIG_PATH_MAX, "%s", is_config ? "~/.aws/config" : "~/.aws/credentials");
        return sn_awsconfig_parse((struct sn_slice){0}, out_path, kind, out_config, err);
    }
    SN_TRY(sn_awsconfig_path(env, kind, out_path, err));
    return sn_awsconfig_load(out_path, kind, out_config, err);
}

enum sn_status sn_base_files_load(const struct sn_env *env, struct sn_base_files *out_files, struct sn_error *err)
{
    char credentials_path[SN_AWSCONFIG_PATH_MAX];

    SN_TRY(load_one(env, SN_AWSCONFIG_CONFIG, out_files->config_path, &out_files->config, err));
    return load_one(env, SN_AWSCONFIG_CREDENTIALS, credentials_path, &out_files->credentials, err);
}

void sn_base_files_clear(struct sn_base_files *files)
{
    sn_awsconfig_free(files->config);
    sn_awsconfig_free(files->credentials);
    files->config = NULL;
    files->credentials = NULL;
}

bool sn_base_profile_exists(const struct sn_base_files *files, struct sn_slice profile)
{
    return sn_awsconfig_find(files->config, SN_AWSCONFIG_PROFILE, profile) != NULL ||
           sn_awsconfig_find(files->credentials, SN_AWSCONFIG_PROFILE, profile) != NULL;
}

static void collect_names(
    const struct sn_awsconfig *config, struct sn_arena *arena, const char *names[MAX_NAMES], size_t *count)
{
    for (size_t i = 0; i < sn_awsconfig_count(config) && *count < MAX_NAMES; i++) {
        enum sn_awsconfig_section_kind kind;
        struct sn_slice name = sn_awsconfig_section_at(config, i, &kind);
        bool known = kind != SN_AWSCONFIG_PROFILE;
        for (size_t j = 0; j < *count && !known; j++) {
            known = sn_slice_eq_str(name, names[j]);
        }
        if (!known) {
            names[(*count)++] = sn_arena_str(arena, name);
        }
    }
}

static int name_cmp(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

enum sn_status sn_base_profile_unknown(const struct sn_base_files *files, struct sn_slice profile, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf list = {0};
    const char *names[MAX_NAMES];
    const char *nearest = NULL;
    size_t count = 0;

    collect_names(files->config, &arena, names, &count);
    collect_names(files->credentials, &arena, names, &count);
    qsort(names, count, sizeof(names[0]), name_cmp);
    nearest = sn_nearest(profile, names, count);
    for (size_t i = 0; i < count && i < SHOWN_NAMES; i++) {
        sn_buf_addf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    (void)sn_fail(err, SN_NOT_FOUND, "CONFIG_PROFILE_NOT_FOUND", "there is no AWS profile '%.*s'",
        SN_PRI(sn_slice_sub(profile, 0, SHOWN_CHARS)));
    if (nearest != NULL) {
        return sn_suggest(err, "did you mean '%s'? there are: %s", nearest, sn_buf_str(&list));
    }
    return sn_suggest(
        err, "%s%s", count > 0 ? "there are: " : "add it to ", count > 0 ? sn_buf_str(&list) : files->config_path);
}

/* Keys that a profile takes from [default] when it does not set them. */
static bool inherits(const char *key)
{
    static const char *const keys[] = {"region", "mfa_serial", "role_session_name", "source_identity",
        "duration_seconds", "session_tags", "transitive_session_tags", "sts_regional_endpoints", "endpoint_url"};

    for (size_t i = 0; i < SN_LEN(keys); i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static const struct sn_awsconfig_setting *own_setting(
    const struct sn_base_files *files, struct sn_slice profile, const char *key)
{
    const struct sn_awsconfig_section *section = sn_awsconfig_find(files->config, SN_AWSCONFIG_PROFILE, profile);
    const struct sn_awsconfig_setting *setting = sn_awsconfig_get(section, key);

    return setting != NULL && setting->value.len > 0 ? setting : NULL;
}

enum sn_status sn_base_profile_get(const struct sn_base_files *files, struct sn_slice profile, const char *key,
    const struct sn_awsconfig_setting **out_setting, struct sn_error *err)
{
    struct sn_slice name = profile;

    for (size_t depth = 0; depth <= SN_BASE_CHAIN_MAX; depth++) {
        const struct sn_awsconfig_setting *setting = own_setting(files, name, key);
        const struct sn_awsconfig_setting *include = own_setting(files, name, "include_profile");
        if (setting == NULL && include == NULL && inherits(key)) {
            setting = own_setting(files, SN_S("default"), key);
        }
        if (setting != NULL || include == NULL) {
            *out_setting = setting;
            return SN_OK;
        }
        if (!sn_base_profile_exists(files, include->value)) {
            (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "profile '%.*s' includes '%.*s', which does not exist",
                SN_PRI(name), SN_PRI(include->value));
            return sn_suggest(err, "mend line %u of %s", include->line, files->config_path);
        }
        name = include->value;
    }
    (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID",
        "profile '%.*s' includes profiles in a circle or more than %d deep", SN_PRI(profile), SN_BASE_CHAIN_MAX);
    return sn_suggest(err, "mend include_profile in %s", files->config_path);
}

enum sn_status sn_base_profile_text(const struct sn_base_files *files, struct sn_slice profile, const char *key,
    struct sn_slice *out_text, struct sn_error *err)
{
    const struct sn_awsconfig_setting *setting = NULL;

    SN_TRY(sn_base_profile_get(files, profile, key, &setting, err));
    *out_text = SN_S("");
    if (setting != NULL) {
        *out_text = setting->value;
    }
    return SN_OK;
}

static enum sn_status keys_of(const struct sn_awsconfig *config, struct sn_slice profile,
    struct sn_credentials *out_credentials, bool *out_found, struct sn_error *err)
{
    const struct sn_awsconfig_section *section = sn_awsconfig_find(config, SN_AWSCONFIG_PROFILE, profile);
    const struct sn_awsconfig_setting *id = sn_awsconfig_get(section, "aws_access_key_id");
    const struct sn_awsconfig_setting *secret = sn_awsconfig_get(section, "aws_secret_access_key");
    const struct sn_awsconfig_setting *token = sn_awsconfig_get(section, "aws_session_token");
    bool has_id = id != NULL && id->value.len > 0;
    bool has_secret = secret != NULL && sn_secret_is_set(&secret->secret);

    *out_found = false;
    if (!has_id && !has_secret) {
        return SN_OK;
    }
    if (!has_id || !has_secret || id->value.len > SN_ACCESS_KEY_ID_MAX || !sn_slice_is_alnum_or(id->value, "_")) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "profile '%.*s' in %s has %s", SN_PRI(profile),
            sn_awsconfig_name(config),
            !has_id       ? "aws_secret_access_key but no aws_access_key_id"
            : !has_secret ? "aws_access_key_id but no aws_secret_access_key"
                          : "an aws_access_key_id that is none");
    }
    (void)snprintf(out_credentials->access_key_id, sizeof(out_credentials->access_key_id), "%.*s", SN_PRI(id->value));
    sn_secret_set(&out_credentials->secret_access_key, sn_secret_reveal(&secret->secret));
    if (token != NULL && sn_secret_is_set(&token->secret)) {
        sn_secret_set(&out_credentials->session_token, sn_secret_reveal(&token->secret));
    }
    out_credentials->expires_unix_s = 0;
    *out_found = true;
    return SN_OK;
}

enum sn_status sn_base_profile_keys(const struct sn_base_files *files, struct sn_slice profile,
    struct sn_credentials *out_credentials, bool *out_found, struct sn_error *err)
{
    SN_TRY(keys_of(files->credentials, profile, out_credentials, out_found, err));
    if (*out_found) {
        return SN_OK;
    }
    return keys_of(files->config, profile, out_credentials, out_found, err);
}
