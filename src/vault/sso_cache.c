/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_cache.c - files of ~/.aws/sso/cache.
 */
#include "vault/sso_cache.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/time.h"
#include "codec/json.h"
#include "crypto/hash.h"

enum { FORBIDDEN_MODE = 0077, FILE_MODE = 0600, DIR_MODE = 0700 };

static const struct sn_json_limits file_limits = {
    .max_bytes = SN_SSO_CACHE_MAX_BYTES, .max_depth = 8, .max_members = 256};

void sn_sso_token_clear(struct sn_sso_token *token)
{
    sn_secret_clear(&token->access_token);
    sn_secret_clear(&token->refresh_token);
    sn_secret_clear(&token->client_id);
    sn_secret_clear(&token->client_secret);
    *token = (struct sn_sso_token){0};
}

bool sn_sso_token_can_refresh(const struct sn_sso_token *token, int64_t now_unix_s)
{
    return sn_secret_is_set(&token->refresh_token) && sn_secret_is_set(&token->client_id) &&
           sn_secret_is_set(&token->client_secret) && token->registration_expires_unix_s > now_unix_s;
}

/* --- Text --- */

static enum sn_status bad(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "SSO_CACHE_INVALID", "the file of the sign-in does not have its form: %s", what);
}

/* "2026-03-01T11:00:00Z", with an offset, or with "UTC" for its end, as old tools wrote it. */
static enum sn_status read_time(struct sn_slice text, const char *name, int64_t *out_unix_s, struct sn_error *err)
{
    char iso[SN_TIME_TEXT_MAX + 8];
    struct sn_error cause;
    int64_t unix_ms = 0;

    if (text.len > 3 && text.len < sizeof(iso) && sn_slice_has_suffix(text, SN_S("UTC"))) {
        (void)snprintf(iso, sizeof(iso), "%.*sZ", SN_PRI(sn_slice_sub(text, 0, text.len - 3)));
        text = sn_slice_str(iso);
    }
    if (sn_time_parse_rfc3339(text, &unix_ms, &cause) != SN_OK) {
        return bad(err, name);
    }
    *out_unix_s = unix_ms / 1000;
    return SN_OK;
}

static enum sn_status open_text(struct sn_slice text, const struct sn_json_field *fields, struct sn_json_doc **out_doc,
    void *out, struct sn_error *err)
{
    struct sn_error cause;

    if (sn_json_parse(text, &file_limits, out_doc, &cause) != SN_OK) {
        return bad(err, "it is no JSON within the limits");
    }
    /* The reader's message names the member, never its value. */
    return sn_json_read_object(sn_json_root(*out_doc), fields, true, out, &cause) == SN_OK ? SN_OK
                                                                                           : bad(err, cause.message);
}

struct token_members {
    struct sn_slice start_url, region, expires_at, registration_expires_at;
    struct sn_secret access, refresh, client_id, client_secret;
};

static void token_members_clear(struct token_members *m)
{
    sn_secret_clear(&m->access);
    sn_secret_clear(&m->refresh);
    sn_secret_clear(&m->client_id);
    sn_secret_clear(&m->client_secret);
}

static bool all_safe(const struct token_members *m)
{
    const struct sn_secret *const secrets[] = {&m->access, &m->refresh, &m->client_id, &m->client_secret};

    for (size_t i = 0; i < SN_LEN(secrets); i++) {
        if (sn_secret_is_set(secrets[i]) && !sn_sso_token_is_safe(sn_secret_reveal(secrets[i]))) {
            return false;
        }
    }
    return sn_secret_is_set(&m->access);
}

enum sn_status sn_sso_token_parse(struct sn_slice text, struct sn_sso_token *out_token, struct sn_error *err)
{
#define MEMBER(name, kind, field, required)                                                                            \
    {                                                                                                                  \
        name, kind, offsetof(struct token_members, field), required, true, 0                                           \
    }
    static const struct sn_json_field fields[] = {
        MEMBER("startUrl", SN_JSON_FIELD_TEXT, start_url, false),
        MEMBER("region", SN_JSON_FIELD_TEXT, region, false),
        MEMBER("accessToken", SN_JSON_FIELD_SECRET, access, true),
        MEMBER("expiresAt", SN_JSON_FIELD_TEXT, expires_at, true),
        MEMBER("refreshToken", SN_JSON_FIELD_SECRET, refresh, false),
        MEMBER("clientId", SN_JSON_FIELD_SECRET, client_id, false),
        MEMBER("clientSecret", SN_JSON_FIELD_SECRET, client_secret, false),
        MEMBER("registrationExpiresAt", SN_JSON_FIELD_TEXT, registration_expires_at, false),
        {0},
    };
#undef MEMBER
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(token_members_clear) struct token_members m = {0};
    int64_t expires = 0;
    int64_t registration_expires = 0;

    SN_TRY(open_text(text, fields, &doc, &m, err));
    if (!all_safe(&m) || m.start_url.len > SN_SSO_URL_MAX || m.region.len > SN_REGION_MAX) {
        return bad(err, "a value is empty, too long or holds what it cannot");
    }
    SN_TRY(read_time(m.expires_at, "expiresAt", &expires, err));
    if (m.registration_expires_at.len > 0) {
        SN_TRY(read_time(m.registration_expires_at, "registrationExpiresAt", &registration_expires, err));
    }
    sn_sso_token_clear(out_token);
    (void)snprintf(out_token->start_url, sizeof(out_token->start_url), "%.*s", SN_PRI(m.start_url));
    (void)snprintf(out_token->region, sizeof(out_token->region), "%.*s", SN_PRI(m.region));
    sn_secret_move(&out_token->access_token, &m.access);
    sn_secret_move(&out_token->refresh_token, &m.refresh);
    sn_secret_move(&out_token->client_id, &m.client_id);
    sn_secret_move(&out_token->client_secret, &m.client_secret);
    out_token->expires_unix_s = expires;
    out_token->registration_expires_unix_s = registration_expires;
    return SN_OK;
}

static void put_time(struct sn_json_writer *w, const char *name, int64_t unix_s)
{
    char text[SN_TIME_TEXT_MAX];

    sn_json_member_text(w, name, sn_time_format_rfc3339_s(unix_s, text));
}

void sn_sso_token_format(const struct sn_sso_token *token, struct sn_buf *out_text)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out_text);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "startUrl", token->start_url);
    sn_json_member_str(&w, "region", token->region);
    sn_json_member_secret(&w, "accessToken", &token->access_token);
    put_time(&w, "expiresAt", token->expires_unix_s);
    if (sn_secret_is_set(&token->refresh_token)) {
        sn_json_member_secret(&w, "refreshToken", &token->refresh_token);
    }
    if (sn_secret_is_set(&token->client_id) && sn_secret_is_set(&token->client_secret)) {
        sn_json_member_secret(&w, "clientId", &token->client_id);
        sn_json_member_secret(&w, "clientSecret", &token->client_secret);
        put_time(&w, "registrationExpiresAt", token->registration_expires_unix_s);
    }
    sn_json_end_object(&w);
}

struct client_members {
    struct sn_secret id, secret;
    struct sn_slice expires_at, endpoint;
};

static void client_members_clear(struct client_members *m)
{
    sn_secret_clear(&m->id);
    sn_secret_clear(&m->secret);
}

enum sn_status sn_sso_client_parse(struct sn_slice text, struct sn_sso_client *out_client, struct sn_error *err)
{
    static const struct sn_json_field fields[] = {
        {"clientId", SN_JSON_FIELD_SECRET, offsetof(struct client_members, id), true, false, 0},
        {"clientSecret", SN_JSON_FIELD_SECRET, offsetof(struct client_members, secret), true, false, 0},
        {"expiresAt", SN_JSON_FIELD_TEXT, offsetof(struct client_members, expires_at), true, false, 0},
        {"authorizationEndpoint", SN_JSON_FIELD_TEXT, offsetof(struct client_members, endpoint), false, true, 0},
        {0},
    };
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(client_members_clear) struct client_members m = {0};
    int64_t expires = 0;

    SN_TRY(open_text(text, fields, &doc, &m, err));
    if (!sn_sso_token_is_safe(sn_secret_reveal(&m.id)) || !sn_sso_token_is_safe(sn_secret_reveal(&m.secret)) ||
        (m.endpoint.len > 0 && !sn_sso_url_is_safe(m.endpoint))) {
        return bad(err, "a value is empty, too long or holds what it cannot");
    }
    SN_TRY(read_time(m.expires_at, "expiresAt", &expires, err));
    sn_sso_client_clear(out_client);
    sn_secret_move(&out_client->id, &m.id);
    sn_secret_move(&out_client->secret, &m.secret);
    out_client->expires_unix_s = expires;
    (void)snprintf(
        out_client->authorization_endpoint, sizeof(out_client->authorization_endpoint), "%.*s", SN_PRI(m.endpoint));
    return SN_OK;
}

void sn_sso_client_format(const struct sn_sso_client *client, struct sn_buf *out_text)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out_text);
    sn_json_begin_object(&w);
    sn_json_member_secret(&w, "clientId", &client->id);
    sn_json_member_secret(&w, "clientSecret", &client->secret);
    put_time(&w, "expiresAt", client->expires_unix_s);
    if (client->authorization_endpoint[0] != '\0') {
        sn_json_member_str(&w, "authorizationEndpoint", client->authorization_endpoint);
    }
    sn_json_end_object(&w);
}

/* --- Files --- */

static enum sn_status cache_dir(const struct sn_env *env, char out_dir[SN_SSO_CACHE_PATH_MAX], struct sn_error *err)
{
    const char *home = env->get(env->ctx, "HOME");

    if (home == NULL || home[0] != '/') {
        return sn_fail(
            err, SN_NOT_FOUND, "CONFIG_NO_HOME", "HOME names no directory, so there is no place for sign-ins");
    }
    return sn_path_join(out_dir, SN_SSO_CACHE_PATH_MAX, home, ".aws/sso/cache", err);
}

enum sn_status sn_sso_cache_path(const struct sn_env *env, const char *prefix, struct sn_slice key,
    char out_path[SN_SSO_CACHE_PATH_MAX], struct sn_error *err)
{
    char dir[SN_SSO_CACHE_PATH_MAX];
    unsigned char digest[SN_SHA1_LEN];
    SN_AUTO(sn_buf_clear) struct sn_buf name = {0};

    SN_TRY(cache_dir(env, dir, err));
    sn_sha1(key, digest);
    sn_buf_add_str(&name, prefix);
    sn_buf_add_hex(&name, digest, sizeof(digest));
    sn_buf_add_str(&name, ".json");
    return sn_path_join(out_path, SN_SSO_CACHE_PATH_MAX, dir, sn_buf_str(&name), err);
}

static enum sn_status load(const char *path, struct sn_secret *out_text, bool *out_found, struct sn_error *err)
{
    enum sn_status status = sn_fs_read_secret(path, SN_SSO_CACHE_MAX_BYTES, FORBIDDEN_MODE, out_text, err);

    *out_found = status == SN_OK;
    return status == SN_NOT_FOUND ? SN_OK : status;
}

enum sn_status sn_sso_token_load(
    const char *path, struct sn_sso_token *out_token, bool *out_found, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    struct sn_error ignored;
    bool found = false;

    SN_TRY(load(path, &text, &found, err));
    *out_found = found && sn_sso_token_parse(sn_secret_reveal(&text), out_token, &ignored) == SN_OK;
    return SN_OK;
}

enum sn_status sn_sso_client_load(
    const char *path, struct sn_sso_client *out_client, bool *out_found, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    struct sn_error ignored;
    bool found = false;

    SN_TRY(load(path, &text, &found, err));
    *out_found = found && sn_sso_client_parse(sn_secret_reveal(&text), out_client, &ignored) == SN_OK;
    return SN_OK;
}

static enum sn_status save(const char *path, const struct sn_buf *text, struct sn_error *err)
{
    char dir[SN_SSO_CACHE_PATH_MAX];

    (void)snprintf(dir, sizeof(dir), "%s", path);
    *strrchr(dir, '/') = '\0';
    SN_TRY(sn_fs_make_dir(dir, DIR_MODE, err));
    return sn_fs_write_atomic(path, FILE_MODE, sn_buf_slice(text), err);
}

enum sn_status sn_sso_token_save(const char *path, const struct sn_sso_token *token, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    sn_sso_token_format(token, &text);
    return save(path, &text, err);
}

enum sn_status sn_sso_client_save(const char *path, const struct sn_sso_client *client, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    sn_sso_client_format(client, &text);
    return save(path, &text, err);
}

enum sn_status sn_sso_cache_remove(const char *path, bool *out_removed, struct sn_error *err)
{
    *out_removed = unlink(path) == 0;
    if (!*out_removed && errno != ENOENT && errno != ENOTDIR) {
        return sn_fail_errno(err, "FILE_REMOVE", errno, "cannot remove '%s'", path);
    }
    return SN_OK;
}
