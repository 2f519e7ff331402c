/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/child_env.c - builds the environment of a started command.
 */
#include "cli/child_env.h"

#include <string.h>

#include "aws/credentials.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/time.h"

/* Removed, every occurrence: identities, and secrets of the vault's own. */
static const char *const removed[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_VAULT_FILE_PASSPHRASE",
    "AWS_VAULT_OP_CONNECT_TOKEN",
    "AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN",
    /* Set below for one form of the relay, and absent for the other. */
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "SENTINEL_AUTH_TOKEN",
    "SENTINEL_UNIX_SOCKET",
    /* Set below. */
    "AWS_SENTINEL",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "SENTINEL_SESSION_ID",
    "NO_PROXY",
    "no_proxy",
};

struct list {
    char **items;
    size_t count;
};

/* True if entry is NAME=...; */
static bool is_named(const char *entry, const char *name)
{
    size_t len = strlen(name);

    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static bool is_dropped(const char *entry, const struct sn_child_env_options *options)
{
    if (strchr(entry, '=') == NULL) {
        return true; /* no variable: nothing that a program could rely on */
    }
    for (size_t i = 0; i < SN_LEN(removed); i++) {
        if (is_named(entry, removed[i])) {
            return true;
        }
    }
    return options->region != NULL && (is_named(entry, "AWS_REGION") || is_named(entry, "AWS_DEFAULT_REGION"));
}

static void set(struct list *list, const char *name, struct sn_slice value)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    sn_buf_addf(&text, "%s=", name);
    sn_buf_add(&text, value);
    list->items[list->count++] = sn_strdup(sn_buf_slice(&text));
}

static void set_str(struct list *list, const char *name, const char *value)
{
    set(list, name, sn_slice_str(value));
}

/* Value of the first occurrence, which is the one getenv() finds, or NULL. */
static const char *value_of(const char *const *env, const char *name)
{
    for (; *env != NULL; env++) {
        if (is_named(*env, name)) {
            return *env + strlen(name) + 1;
        }
    }
    return NULL;
}

/* A proxy must never see the relay's token. A form that was absent starts from the other, which it would hide. */
static void set_no_proxy(struct list *list, const char *const *parent)
{
    static const char *const names[] = {"NO_PROXY", "no_proxy"};

    for (size_t i = 0; i < SN_LEN(names); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        const char *old = value_of(parent, names[i]);
        if (old == NULL) {
            old = value_of(parent, names[1 - i]);
        }
        if (old != NULL && old[0] != '\0') {
            sn_buf_addf(&text, "%s,", old);
        }
        sn_buf_add_str(&text, "127.0.0.1,localhost");
        set(list, names[i], sn_buf_slice(&text));
    }
}

static void set_relay(struct list *list, const struct sn_child_env_options *options)
{
    SN_AUTO(sn_buf_clear) struct sn_buf url = {0};

    if (options->unix_path != NULL) {
        set_str(list, "SENTINEL_UNIX_SOCKET", options->unix_path);
        set(list, "SENTINEL_AUTH_TOKEN", options->token);
        return;
    }
    sn_buf_addf(&url, "http://127.0.0.1:%u/", (unsigned)options->port);
    set(list, "AWS_CONTAINER_CREDENTIALS_FULL_URI", sn_buf_slice(&url));
    set(list, "AWS_CONTAINER_AUTHORIZATION_TOKEN", options->token);
}

char **sn_child_env_new(const char *const *parent, const struct sn_child_env_options *options)
{
    struct list list = {0};
    size_t count = 0;

    while (parent[count] != NULL) {
        count++;
    }
    list.items = sn_alloc(count + SN_LEN(removed) + 3, sizeof(*list.items));
    for (size_t i = 0; i < count; i++) {
        if (!is_dropped(parent[i], options)) {
            list.items[list.count++] = sn_strdup(sn_slice_str(parent[i]));
        }
    }
    set_relay(&list, options);
    set_str(&list, "AWS_SENTINEL", options->profile);
    set_str(&list, "AWS_CONFIG_FILE", "/dev/null");
    set_str(&list, "AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    set_str(&list, "AWS_EC2_METADATA_DISABLED", "true");
    set_str(&list, "SENTINEL_SESSION_ID", options->session_id);
    set_no_proxy(&list, parent);
    if (options->region != NULL) {
        set_str(&list, "AWS_REGION", options->region);
        set_str(&list, "AWS_DEFAULT_REGION", options->region);
    }
    return list.items;
}

/* --- vault exec --- */

static const char *const replaced[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_VAULT",
    "AWS_VAULT_FILE_PASSPHRASE",
    "AWS_VAULT_OP_CONNECT_TOKEN",
    "AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN",
};

static bool is_replaced(const char *entry, bool has_region)
{
    for (size_t i = 0; i < SN_LEN(replaced); i++) {
        if (is_named(entry, replaced[i])) {
            return true;
        }
    }
    return has_region && (is_named(entry, "AWS_REGION") || is_named(entry, "AWS_DEFAULT_REGION"));
}

char **sn_child_env_with_keys(
    const char *const *parent, const char *profile, const char *region, const struct sn_credentials *credentials)
{
    struct list list = {0};
    char expiration[SN_TIME_TEXT_MAX];
    size_t count = 0;

    while (parent[count] != NULL) {
        count++;
    }
    list.items = sn_alloc(count + SN_LEN(replaced) + 3, sizeof(*list.items));
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(parent[i], region != NULL)) {
            list.items[list.count++] = sn_strdup(sn_slice_str(parent[i]));
        }
    }
    set_str(&list, "AWS_VAULT", profile);
    set_str(&list, "AWS_ACCESS_KEY_ID", credentials->access_key_id);
    set(&list, "AWS_SECRET_ACCESS_KEY", sn_secret_reveal(&credentials->secret_access_key));
    if (sn_secret_is_set(&credentials->session_token)) {
        set(&list, "AWS_SESSION_TOKEN", sn_secret_reveal(&credentials->session_token));
    }
    if (credentials->expires_unix_s != 0) {
        set(&list, "AWS_CREDENTIAL_EXPIRATION", sn_time_format_rfc3339_s(credentials->expires_unix_s, expiration));
    }
    if (region != NULL) {
        set_str(&list, "AWS_REGION", region);
        set_str(&list, "AWS_DEFAULT_REGION", region);
    }
    return list.items;
}

void sn_child_env_free(char **env)
{
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        sn_wipe(env[i], strlen(env[i]));
        sn_free(env[i]);
    }
    sn_free(env);
}

void sn_child_env_free_p(char ***env)
{
    sn_child_env_free(*env);
    *env = NULL;
}
