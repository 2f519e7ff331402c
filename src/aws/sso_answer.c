/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sso_answer.c - the answers of IAM Identity Center.
 */
#include "aws/sso_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/json.h"
#include "codec/uri.h"

enum { INTERVAL_MAX_S = 60, DESCRIPTION_CHARS = 160, LIST_MAX = 100000, NEXT_MAX = 4096, CODE_CHARS = 60 };

void sn_sso_client_clear(struct sn_sso_client *client)
{
    sn_secret_clear(&client->id);
    sn_secret_clear(&client->secret);
    *client = (struct sn_sso_client){0};
}

void sn_sso_device_clear(struct sn_sso_device *device)
{
    sn_secret_clear(&device->device_code);
    *device = (struct sn_sso_device){0};
}

void sn_sso_grant_clear(struct sn_sso_grant *grant)
{
    sn_secret_clear(&grant->access_token);
    sn_secret_clear(&grant->refresh_token);
    *grant = (struct sn_sso_grant){0};
}

void sn_sso_list_clear(struct sn_sso_list *list)
{
    sn_arena_clear(&list->arena);
    sn_free(list->entries);
    *list = (struct sn_sso_list){0};
}

/* --- Forms --- */

static bool is_visible(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= 0x20 || text.ptr[i] >= 0x7F) {
            return false;
        }
    }
    return true;
}

bool sn_sso_token_is_safe(struct sn_slice token)
{
    return token.len > 0 && token.len <= SN_SSO_TOKEN_MAX && is_visible(token);
}

bool sn_sso_url_is_safe(struct sn_slice url)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_slice base = {0};
    struct sn_slice rest = {0};
    struct sn_url parsed;
    struct sn_error ignored;

    if (url.len == 0 || url.len > SN_SSO_URL_MAX || !is_visible(url)) {
        return false;
    }
    for (size_t i = 0; i < url.len; i++) {
        if (strchr("\"'<>\\^`{|}", url.ptr[i]) != NULL) {
            return false; /* not of a URL, and of use to a shell or a page that does not look */
        }
    }
    (void)sn_slice_cut(url, '#', &base, &rest);
    (void)sn_slice_cut(base, '?', &base, &rest);
    /* Scheme and host; the path is the peer's own affair. */
    struct sn_slice path = sn_slice_sub(base, sn_slice_has_prefix(base, SN_S("https://")) ? 8 : 7, base.len);
    struct sn_slice host = {0};
    (void)sn_slice_cut(path, '/', &host, &rest);
    base.len = (size_t)(host.ptr - base.ptr) + host.len;
    return (sn_slice_has_prefix(url, SN_S("https://")) || sn_slice_has_prefix(url, SN_S("http://"))) &&
           sn_url_parse(base, &arena, &parsed, &ignored) == SN_OK && !sn_slice_eq_str(parsed.scheme, "unix");
}

static enum sn_status bad(struct sn_error *err, const char *what)
{
    return sn_fail(
        err, SN_PROTOCOL, "SSO_ANSWER_INVALID", "the answer of IAM Identity Center does not have its form: %s", what);
}

static enum sn_status parse(struct sn_slice json, struct sn_json_doc **out_doc, struct sn_error *err)
{
    static const struct sn_json_limits limits = {.max_bytes = SN_SSO_MAX_BYTES, .max_depth = 8, .max_members = 20000};
    struct sn_error cause;

    if (sn_json_parse(json, &limits, out_doc, &cause) != SN_OK) {
        return bad(err, "it is no JSON within the limits");
    }
    return sn_json_kind_of(sn_json_root(*out_doc)) == SN_JSON_OBJECT ? SN_OK : bad(err, "it is no object");
}

static enum sn_status read_members(
    const struct sn_json *node, const struct sn_json_field *fields, void *out, struct sn_error *err)
{
    struct sn_error cause;

    /* The reader's message names the member, never its value. */
    return sn_json_read_object(node, fields, true, out, &cause) == SN_OK ? SN_OK : bad(err, cause.message);
}

static enum sn_status check_token(const struct sn_secret *token, const char *name, struct sn_error *err)
{
    return sn_sso_token_is_safe(sn_secret_reveal(token)) ? SN_OK : bad(err, name);
}

static enum sn_status take_url(
    struct sn_slice url, const char *name, char out_url[SN_SSO_URL_MAX + 1], struct sn_error *err)
{
    if (!sn_sso_url_is_safe(url)) {
        (void)bad(err, name);
        return sn_suggest(err, "it must be an https address; nothing was opened");
    }
    (void)snprintf(out_url, SN_SSO_URL_MAX + 1, "%.*s", SN_PRI(url));
    return SN_OK;
}

static bool is_life(int64_t seconds)
{
    return seconds >= 1 && seconds <= SN_SSO_LIFE_MAX_S;
}

/* --- OIDC --- */

struct client_members {
    struct sn_secret id, secret;
    int64_t expires;
    struct sn_slice endpoint;
};

static void client_members_clear(struct client_members *m)
{
    sn_secret_clear(&m->id);
    sn_secret_clear(&m->secret);
}

enum sn_status sn_sso_read_client(struct sn_slice json, struct sn_sso_client *out_client, struct sn_error *err)
{
    static const struct sn_json_field fields[] = {
        {"clientId", SN_JSON_FIELD_SECRET, offsetof(struct client_members, id), true, false, 0},
        {"clientSecret", SN_JSON_FIELD_SECRET, offsetof(struct client_members, secret), true, false, 0},
        {"clientSecretExpiresAt", SN_JSON_FIELD_INT, offsetof(struct client_members, expires), true, false, 0},
        {"authorizationEndpoint", SN_JSON_FIELD_TEXT, offsetof(struct client_members, endpoint), false, true, 0},
        {0},
    };
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(client_members_clear) struct client_members m = {0};
    char endpoint[SN_SSO_URL_MAX + 1] = "";

    SN_TRY(parse(json, &doc, err));
    SN_TRY(read_members(sn_json_root(doc), fields, &m, err));
    SN_TRY(check_token(&m.id, "clientId", err));
    SN_TRY(check_token(&m.secret, "clientSecret", err));
    if (m.endpoint.len > 0) {
        SN_TRY(take_url(m.endpoint, "authorizationEndpoint", endpoint, err));
    }
    if (m.expires < 0 || m.expires > INT64_MAX / 2) {
        return bad(err, "clientSecretExpiresAt");
    }
    sn_sso_client_clear(out_client);
    sn_secret_move(&out_client->id, &m.id);
    sn_secret_move(&out_client->secret, &m.secret);
    out_client->expires_unix_s = m.expires;
    memcpy(out_client->authorization_endpoint, endpoint, sizeof(endpoint));
    return SN_OK;
}

struct device_members {
    struct sn_secret device_code;
    struct sn_slice user_code, uri, uri_complete;
    int64_t expires_in, interval;
};

static void device_members_clear(struct device_members *m)
{
    sn_secret_clear(&m->device_code);
}

enum sn_status sn_sso_read_device(struct sn_slice json, struct sn_sso_device *out_device, struct sn_error *err)
{
    static const struct sn_json_field fields[] = {
        {"deviceCode", SN_JSON_FIELD_SECRET, offsetof(struct device_members, device_code), true, false, 0},
        {"userCode", SN_JSON_FIELD_TEXT, offsetof(struct device_members, user_code), true, false, 0},
        {"verificationUri", SN_JSON_FIELD_TEXT, offsetof(struct device_members, uri), true, false, 0},
        {"verificationUriComplete", SN_JSON_FIELD_TEXT, offsetof(struct device_members, uri_complete), false, true, 0},
        {"expiresIn", SN_JSON_FIELD_INT, offsetof(struct device_members, expires_in), true, false, 0},
        {"interval", SN_JSON_FIELD_INT, offsetof(struct device_members, interval), false, true, 0},
        {0},
    };
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(device_members_clear) struct device_members m = {0};
    SN_AUTO(sn_sso_device_clear) struct sn_sso_device device = {0};

    SN_TRY(parse(json, &doc, err));
    SN_TRY(read_members(sn_json_root(doc), fields, &m, err));
    SN_TRY(check_token(&m.device_code, "deviceCode", err));
    if (m.user_code.len == 0 || m.user_code.len > SN_SSO_USER_CODE_MAX || !sn_slice_is_alnum_or(m.user_code, "-")) {
        return bad(err, "userCode");
    }
    SN_TRY(take_url(m.uri, "verificationUri", device.uri, err));
    SN_TRY(
        take_url(m.uri_complete.len > 0 ? m.uri_complete : m.uri, "verificationUriComplete", device.uri_complete, err));
    if (!is_life(m.expires_in) || m.interval < 0 || m.interval > INTERVAL_MAX_S) {
        return bad(err, "expiresIn or interval");
    }
    (void)snprintf(device.user_code, sizeof(device.user_code), "%.*s", SN_PRI(m.user_code));
    device.expires_in_s = m.expires_in;
    device.interval_s = m.interval;
    sn_secret_move(&device.device_code, &m.device_code);
    sn_sso_device_clear(out_device);
    *out_device = device;
    device.device_code = (struct sn_secret){0};
    return SN_OK;
}

struct grant_members {
    struct sn_secret access, refresh;
    struct sn_slice type;
    int64_t expires_in;
};

static void grant_members_clear(struct grant_members *m)
{
    sn_secret_clear(&m->access);
    sn_secret_clear(&m->refresh);
}

enum sn_status sn_sso_read_grant(struct sn_slice json, struct sn_sso_grant *out_grant, struct sn_error *err)
{
    static const struct sn_json_field fields[] = {
        {"accessToken", SN_JSON_FIELD_SECRET, offsetof(struct grant_members, access), true, false, 0},
        {"refreshToken", SN_JSON_FIELD_SECRET, offsetof(struct grant_members, refresh), false, true, 0},
        {"tokenType", SN_JSON_FIELD_TEXT, offsetof(struct grant_members, type), false, true, 0},
        {"expiresIn", SN_JSON_FIELD_INT, offsetof(struct grant_members, expires_in), true, false, 0},
        {0},
    };
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(grant_members_clear) struct grant_members m = {0};

    SN_TRY(parse(json, &doc, err));
    SN_TRY(read_members(sn_json_root(doc), fields, &m, err));
    SN_TRY(check_token(&m.access, "accessToken", err));
    if (sn_secret_is_set(&m.refresh)) {
        SN_TRY(check_token(&m.refresh, "refreshToken", err));
    }
    if (m.type.len > 0 && !sn_slice_eq_nocase(m.type, SN_S("bearer"))) {
        return bad(err, "tokenType");
    }
    if (!is_life(m.expires_in)) {
        return bad(err, "expiresIn");
    }
    sn_sso_grant_clear(out_grant);
    sn_secret_move(&out_grant->access_token, &m.access);
    sn_secret_move(&out_grant->refresh_token, &m.refresh);
    out_grant->expires_in_s = m.expires_in;
    return SN_OK;
}

/* --- Portal --- */

struct role_members {
    struct sn_slice id;
    struct sn_secret secret, token;
    int64_t expiration_ms;
};

static void role_members_clear(struct role_members *m)
{
    sn_secret_clear(&m->secret);
    sn_secret_clear(&m->token);
}

enum sn_status sn_sso_read_credentials(
    struct sn_slice json, int64_t now_unix_s, struct sn_credentials *out_credentials, struct sn_error *err)
{
    static const struct sn_json_field fields[] = {
        {"accessKeyId", SN_JSON_FIELD_TEXT, offsetof(struct role_members, id), true, false, 0},
        {"secretAccessKey", SN_JSON_FIELD_SECRET, offsetof(struct role_members, secret), true, false, 0},
        {"sessionToken", SN_JSON_FIELD_SECRET, offsetof(struct role_members, token), true, false, 0},
        {"expiration", SN_JSON_FIELD_INT, offsetof(struct role_members, expiration_ms), true, false, 0},
        {0},
    };
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(role_members_clear) struct role_members m = {0};

    SN_TRY(parse(json, &doc, err));
    const struct sn_json *node = sn_json_get(sn_json_root(doc), "roleCredentials");
    if (node == NULL || sn_json_kind_of(node) != SN_JSON_OBJECT) {
        return bad(err, "roleCredentials");
    }
    SN_TRY(read_members(node, fields, &m, err));
    if (m.id.len < 16 || m.id.len > SN_ACCESS_KEY_ID_MAX || !sn_slice_is_alnum_or(m.id, "")) {
        return bad(err, "accessKeyId");
    }
    SN_TRY(check_token(&m.secret, "secretAccessKey", err));
    SN_TRY(check_token(&m.token, "sessionToken", err));
    int64_t end_s = m.expiration_ms / 1000;
    if (m.expiration_ms < 0 || end_s <= now_unix_s || end_s - now_unix_s > SN_SSO_LIFE_MAX_S) {
        return bad(err, "expiration");
    }
    (void)snprintf(out_credentials->access_key_id, sizeof(out_credentials->access_key_id), "%.*s", SN_PRI(m.id));
    sn_secret_move(&out_credentials->secret_access_key, &m.secret);
    sn_secret_move(&out_credentials->session_token, &m.token);
    out_credentials->expires_unix_s = end_s;
    return SN_OK;
}

static void append(struct sn_sso_list *list, struct sn_slice account, struct sn_slice name, struct sn_slice email)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 16 : list->room * 2;
        list->entries = sn_realloc(list->entries, list->room, sizeof(*list->entries));
    }
    list->entries[list->count++] = (struct sn_sso_entry){.account_id = sn_arena_dup(&list->arena, account),
        .name = sn_arena_dup(&list->arena, name),
        .email = sn_arena_dup(&list->arena, email)};
}

static bool is_account(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len == SN_SSO_ACCOUNT_LEN;
}

static enum sn_status read_page(struct sn_slice json, const char *list_name, const char *name_member, bool is_role,
    struct sn_sso_list *list, struct sn_buf *out_next, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;

    SN_TRY(parse(json, &doc, err));
    const struct sn_json *items = sn_json_get(sn_json_root(doc), list_name);
    const struct sn_json *next = sn_json_get(sn_json_root(doc), "nextToken");
    if (items == NULL || sn_json_kind_of(items) != SN_JSON_ARRAY || list->count + sn_json_count(items) > LIST_MAX) {
        return bad(err, list_name);
    }
    for (size_t i = 0; i < sn_json_count(items); i++) {
        const struct sn_json *item = sn_json_at(items, i);
        struct sn_slice account = sn_json_text(sn_json_get(item, "accountId"));
        struct sn_slice name = sn_json_text(sn_json_get(item, name_member));
        struct sn_slice email = sn_json_text(sn_json_get(item, "emailAddress"));
        if (!is_account(account) || name.len > SN_SSO_NAME_MAX || email.len > SN_SSO_NAME_MAX ||
            (is_role && (name.len == 0 || name.len > SN_SSO_ROLE_MAX || !sn_slice_is_alnum_or(name, "_+=,.@-")))) {
            return bad(err, list_name);
        }
        append(list, account, name, email);
    }
    struct sn_slice mark = sn_json_text(next);
    if (mark.len > NEXT_MAX || (mark.len > 0 && sn_slice_eq(mark, sn_buf_slice(out_next)))) {
        return bad(err, "nextToken");
    }
    sn_buf_reset(out_next);
    sn_buf_add(out_next, mark);
    return SN_OK;
}

enum sn_status sn_sso_read_accounts(
    struct sn_slice json, struct sn_sso_list *list, struct sn_buf *out_next, struct sn_error *err)
{
    return read_page(json, "accountList", "accountName", false, list, out_next, err);
}

enum sn_status sn_sso_read_roles(
    struct sn_slice json, struct sn_sso_list *list, struct sn_buf *out_next, struct sn_error *err)
{
    return read_page(json, "roleList", "roleName", true, list, out_next, err);
}

/* --- Refusals --- */

enum sn_sso_fault sn_sso_read_fault(
    struct sn_slice error_type, struct sn_slice json, char out_text[SN_SSO_FAULT_TEXT_MAX])
{
    static const struct {
        const char *type, *word;
        enum sn_sso_fault fault;
    } rows[] = {
        {"AuthorizationPendingException", "authorization_pending", SN_SSO_PENDING},
        {"SlowDownException", "slow_down", SN_SSO_SLOW_DOWN},
        {"ExpiredTokenException", "expired_token", SN_SSO_EXPIRED},
        {"AccessDeniedException", "access_denied", SN_SSO_DECLINED},
        {"InvalidClientException", "invalid_client", SN_SSO_INVALID_CLIENT},
        {"UnauthorizedClientException", "unauthorized_client", SN_SSO_INVALID_CLIENT},
        {"InvalidGrantException", "invalid_grant", SN_SSO_INVALID_GRANT},
    };
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf name = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_slice type = {0};
    struct sn_slice rest;
    struct sn_error ignored;
    const struct sn_json *root = parse(json, &doc, &ignored) == SN_OK ? sn_json_root(doc) : NULL;
    struct sn_slice word = sn_json_text(sn_json_get(root, "error"));
    struct sn_slice description = sn_json_text(sn_json_get(root, "error_description"));

    if (description.len == 0) {
        description = sn_json_text(sn_json_get(root, "message"));
    }
    (void)sn_slice_cut(error_type, ':', &type, &rest); /* "Type:http://..." in some answers */
    sn_sanitize(&name, type.len > 0 ? type : word, CODE_CHARS);
    sn_sanitize(&text, description, DESCRIPTION_CHARS);
    (void)snprintf(out_text, SN_SSO_FAULT_TEXT_MAX, "%s%s%s", sn_buf_str(&name),
        name.len > 0 && text.len > 0 ? ": " : "", sn_buf_str(&text));
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (type.len > 0 ? sn_slice_eq_str(type, rows[i].type) : sn_slice_eq_str(word, rows[i].word)) {
            return rows[i].fault;
        }
    }
    return SN_SSO_OTHER;
}
