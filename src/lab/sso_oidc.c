/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/sso_oidc.c - RegisterClient, StartDeviceAuthorization and CreateToken, with the members and errors of the
 * service model.
 */
#include "codec/json.h"
#include "lab/center_call.h"

enum { NAME_MAX_LEN = 256 };

static const char grant_device[] = "urn:ietf:params:oauth:grant-type:device_code";
static const char grant_refresh[] = "refresh_token";
static const char grant_code[] = "authorization_code";

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "InvalidRequestException", "%s", what);
}

/* Every member is a text but for lists, which are taken as nodes. */
static enum sn_status read_body(const struct sn_lab_call *call, const struct sn_json_field *fields,
    struct sn_json_doc **out_doc, void *out, struct sn_error *err)
{
    struct sn_error cause = {0};
    if (sn_json_parse(call->request->body, &sn_json_limits_request, out_doc, &cause) != SN_OK ||
        sn_json_read_object(sn_json_root(*out_doc), fields, true, out, &cause) != SN_OK) {
        return sn_fail(err, SN_INVALID, "InvalidRequestException", "%s", cause.message);
    }
    return SN_OK;
}

static void note_text(struct sn_json_writer *w, const char *name, struct sn_slice text)
{
    if (text.len > 0) {
        sn_json_member_text(w, name, text);
    }
}

/* --- RegisterClient --- */

struct registration {
    struct sn_slice name, type, issuer;
    const struct sn_json *scopes, *grants, *redirects;
};

static const struct sn_json_field registration_fields[] = {
    {"clientName", SN_JSON_FIELD_TEXT, offsetof(struct registration, name), true, false, 0},
    {"clientType", SN_JSON_FIELD_TEXT, offsetof(struct registration, type), true, false, 0},
    {"issuerUrl", SN_JSON_FIELD_TEXT, offsetof(struct registration, issuer), false, true, 0},
    {"scopes", SN_JSON_FIELD_NODE, offsetof(struct registration, scopes), false, true, 0},
    {"grantTypes", SN_JSON_FIELD_NODE, offsetof(struct registration, grants), false, true, 0},
    {"redirectUris", SN_JSON_FIELD_NODE, offsetof(struct registration, redirects), false, true, 0},
    {0},
};

static enum sn_status read_scopes(
    const struct sn_json *scopes, struct sn_lab_center_client *client, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(SN_LAB_CENTER_SCOPES_MAX - 1);
    for (size_t i = 0; i < sn_json_count(scopes); i++) {
        struct sn_slice scope = sn_json_text(sn_json_at(scopes, i));
        if (scope.len == 0 || !sn_slice_is_alnum_or(scope, ":._-/")) {
            return sn_fail(err, SN_INVALID, "InvalidScopeException", "A scope is malformed");
        }
        sn_buf_addf(&text, "%s%.*s", i > 0 ? " " : "", SN_PRI(scope));
    }
    if (text.overflow) {
        return sn_fail(err, SN_INVALID, "InvalidScopeException", "Too many scopes");
    }
    memcpy(client->scopes, sn_buf_str(&text), text.len + 1);
    return SN_OK;
}

static enum sn_status read_grants(
    const struct sn_json *grants, struct sn_lab_center_client *client, struct sn_error *err)
{
    size_t count = sn_json_count(grants);
    client->may_device = client->may_refresh = count == 0; /* the older form: no list, both of these */
    for (size_t i = 0; i < count; i++) {
        struct sn_slice grant = sn_json_text(sn_json_at(grants, i));
        if (sn_slice_eq_str(grant, grant_device)) {
            client->may_device = true;
        } else if (sn_slice_eq_str(grant, grant_refresh)) {
            client->may_refresh = true;
        } else if (sn_slice_eq_str(grant, grant_code)) {
            client->may_code = true;
        } else {
            return sn_fail(err, SN_INVALID, "UnsupportedGrantTypeException", "Grant type not supported");
        }
    }
    return SN_OK;
}

static enum sn_status read_redirects(
    const struct sn_json *redirects, struct sn_lab_center_client *client, struct sn_error *err)
{
    for (size_t i = 0; i < sn_json_count(redirects); i++) {
        struct sn_slice uri = sn_json_text(sn_json_at(redirects, i));
        struct sn_lab_center_client alone = {.redirect_count = 1};
        if (i >= SN_LAB_CENTER_MAX_REDIRECTS || uri.len >= SN_LAB_CENTER_REDIRECT_MAX) {
            return sn_fail(err, SN_INVALID, "InvalidRedirectUriException", "Too many or too long redirect URIs");
        }
        memcpy(client->redirects[i], uri.ptr, uri.len);
        memcpy(alone.redirects[0], uri.ptr, uri.len);
        client->redirect_count = i + 1;
        if (!sn_lab_center_redirect_fits(&alone, uri)) {
            return sn_fail(
                err, SN_INVALID, "InvalidRedirectUriException", "Redirect URIs are http on loopback, with a path");
        }
    }
    return SN_OK;
}

static void note_registration(struct sn_lab_call *call, const struct registration *r)
{
    struct sn_json_writer w;
    sn_json_writer_init(&w, &call->parameters);
    sn_json_begin_object(&w);
    note_text(&w, "clientName", r->name);
    note_text(&w, "clientType", r->type);
    note_text(&w, "issuerUrl", r->issuer);
    const struct {
        const char *name;
        const struct sn_json *list;
    } lists[] = {{"scopes", r->scopes}, {"grantTypes", r->grants}, {"redirectUris", r->redirects}};
    for (size_t i = 0; i < SN_LEN(lists); i++) {
        if (sn_json_count(lists[i].list) > 0) {
            sn_json_key(&w, lists[i].name);
            sn_json_begin_array(&w);
            for (size_t k = 0; k < sn_json_count(lists[i].list); k++) {
                sn_json_put_text(&w, sn_json_text(sn_json_at(lists[i].list, k)));
            }
            sn_json_end_array(&w);
        }
    }
    sn_json_end_object(&w);
}

static enum sn_status run_register(struct sn_lab_call *call, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct registration r = {0};
    struct sn_lab_center_client client = {0};
    SN_TRY(read_body(call, registration_fields, &doc, &r, err));
    note_registration(call, &r);
    if (r.name.len == 0 || r.name.len > NAME_MAX_LEN || !sn_slice_eq_str(r.type, "public")) {
        return sn_fail(err, SN_INVALID, "InvalidClientMetadataException", "A client has a name and the type public");
    }
    SN_TRY(read_grants(r.grants, &client, err));
    SN_TRY(read_scopes(r.scopes, &client, err));
    SN_TRY(read_redirects(r.redirects, &client, err));
    if (client.may_code && client.redirect_count == 0) {
        return sn_fail(err, SN_INVALID, "InvalidRedirectUriException", "authorization_code needs redirectUris");
    }
    if ((client.may_code || r.issuer.len > 0) && !sn_lab_is_start_url(call, r.issuer)) {
        return invalid(err, "issuerUrl is not the start URL of this Identity Center");
    }
    SN_TRY(sn_lab_center_register(call->center, &client, sn_lab_call_now_s(call), err));

    struct sn_json_writer w;
    sn_json_writer_init(&w, &call->result);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "clientId", client.id);
    sn_json_member_str(&w, "clientSecret", client.secret);
    sn_json_member_int(&w, "clientIdIssuedAt", sn_lab_call_now_s(call));
    sn_json_member_int(&w, "clientSecretExpiresAt", client.expires_unix_s);
    sn_json_member_text(
        &w, "authorizationEndpoint", sn_arena_printf(&call->arena, "%.*s/authorize", SN_PRI(call->base_url)));
    sn_json_member_text(&w, "tokenEndpoint", sn_arena_printf(&call->arena, "%.*s/token", SN_PRI(call->base_url)));
    sn_json_end_object(&w);
    return SN_OK;
}

/* --- StartDeviceAuthorization --- */

struct device_start {
    struct sn_slice client_id, client_secret, start_url;
};

static const struct sn_json_field device_fields[] = {
    {"clientId", SN_JSON_FIELD_TEXT, offsetof(struct device_start, client_id), true, false, 0},
    {"clientSecret", SN_JSON_FIELD_TEXT, offsetof(struct device_start, client_secret), true, false, 0},
    {"startUrl", SN_JSON_FIELD_TEXT, offsetof(struct device_start, start_url), true, false, 0},
    {0},
};

static enum sn_status run_start_device(struct sn_lab_call *call, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct device_start d = {0};
    struct sn_lab_center_client client = {0};
    struct sn_lab_center_device device = {0};
    struct sn_json_writer w;
    SN_TRY(read_body(call, device_fields, &doc, &d, err));
    sn_json_writer_init(&w, &call->parameters);
    sn_json_begin_object(&w);
    note_text(&w, "startUrl", d.start_url);
    sn_json_end_object(&w);
    SN_TRY(
        sn_lab_center_find_client(call->center, d.client_id, &d.client_secret, sn_lab_call_now_s(call), &client, err));
    if (!client.may_device) {
        return sn_fail(err, SN_DENIED, "UnauthorizedClientException", "The client did not register for device codes");
    }
    if (!sn_lab_is_start_url(call, d.start_url)) {
        return invalid(err, "startUrl is not the start URL of this Identity Center");
    }
    SN_TRY(sn_lab_center_start_device(call->center, &client, call->now_unix_ms, &device, err));

    struct sn_slice page = sn_arena_printf(&call->arena, "%.*s" SN_LAB_START_PATH "/device", SN_PRI(call->base_url));
    sn_json_writer_init(&w, &call->result);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "deviceCode", device.device_code);
    sn_json_member_str(&w, "userCode", device.user_code);
    sn_json_member_text(&w, "verificationUri", page);
    sn_json_member_text(&w, "verificationUriComplete",
        sn_arena_printf(&call->arena, "%.*s?user_code=%s", SN_PRI(page), device.user_code));
    sn_json_member_int(&w, "expiresIn", call->config->center.device_life_s);
    sn_json_member_int(&w, "interval", call->config->center.interval_s);
    sn_json_end_object(&w);
    return SN_OK;
}

/* --- CreateToken --- */

struct token_request {
    struct sn_slice client_id, client_secret, grant, device_code, code, redirect_uri, verifier, refresh_token;
};

static const struct sn_json_field token_fields[] = {
    {"clientId", SN_JSON_FIELD_TEXT, offsetof(struct token_request, client_id), true, false, 0},
    {"clientSecret", SN_JSON_FIELD_TEXT, offsetof(struct token_request, client_secret), true, false, 0},
    {"grantType", SN_JSON_FIELD_TEXT, offsetof(struct token_request, grant), true, false, 0},
    {"deviceCode", SN_JSON_FIELD_TEXT, offsetof(struct token_request, device_code), false, true, 0},
    {"code", SN_JSON_FIELD_TEXT, offsetof(struct token_request, code), false, true, 0},
    {"redirectUri", SN_JSON_FIELD_TEXT, offsetof(struct token_request, redirect_uri), false, true, 0},
    {"codeVerifier", SN_JSON_FIELD_TEXT, offsetof(struct token_request, verifier), false, true, 0},
    {"refreshToken", SN_JSON_FIELD_TEXT, offsetof(struct token_request, refresh_token), false, true, 0},
    {0},
};

static enum sn_status grant_token(struct sn_lab_call *call, const struct token_request *t,
    const struct sn_lab_center_client *client, struct sn_lab_center_token *out, struct sn_error *err)
{
    int64_t now_s = sn_lab_call_now_s(call);
    bool is_device = sn_slice_eq_str(t->grant, grant_device);
    bool is_refresh = sn_slice_eq_str(t->grant, grant_refresh);
    bool is_code = sn_slice_eq_str(t->grant, grant_code);
    if (!is_device && !is_refresh && !is_code) {
        return sn_fail(err, SN_INVALID, "UnsupportedGrantTypeException", "Grant type not supported");
    }
    if ((is_device && !client->may_device) || (is_refresh && !client->may_refresh) || (is_code && !client->may_code)) {
        return sn_fail(err, SN_DENIED, "UnauthorizedClientException", "The client did not register for that grant");
    }
    if (is_device) {
        return t->device_code.len > 0
                   ? sn_lab_center_poll(call->center, client, t->device_code, call->now_unix_ms, out, err)
                   : invalid(err, "deviceCode is missing");
    }
    if (is_refresh) {
        return t->refresh_token.len > 0 ? sn_lab_center_refresh(call->center, client, t->refresh_token, now_s, out, err)
                                        : invalid(err, "refreshToken is missing");
    }
    if (t->code.len == 0 || t->redirect_uri.len == 0 || t->verifier.len == 0) {
        return invalid(err, "code, redirectUri and codeVerifier are needed");
    }
    return sn_lab_center_use_code(call->center, client, t->code, t->redirect_uri, t->verifier, now_s, out, err);
}

static enum sn_status run_create_token(struct sn_lab_call *call, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct token_request t = {0};
    struct sn_lab_center_client client = {0};
    struct sn_lab_center_token token = {0};
    struct sn_json_writer w;
    SN_TRY(read_body(call, token_fields, &doc, &t, err));
    sn_json_writer_init(&w, &call->parameters);
    sn_json_begin_object(&w);
    note_text(&w, "grantType", t.grant);
    note_text(&w, "redirectUri", t.redirect_uri);
    sn_json_end_object(&w);
    SN_TRY(
        sn_lab_center_find_client(call->center, t.client_id, &t.client_secret, sn_lab_call_now_s(call), &client, err));
    SN_TRY(grant_token(call, &t, &client, &token, err));

    sn_json_writer_init(&w, &call->result);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "accessToken", token.access);
    sn_json_member_str(&w, "tokenType", "Bearer");
    sn_json_member_int(&w, "expiresIn", token.expires_unix_s - sn_lab_call_now_s(call));
    if (token.refresh[0] != '\0') {
        sn_json_member_str(&w, "refreshToken", token.refresh);
    }
    sn_json_end_object(&w);
    return SN_OK;
}

const struct sn_lab_route sn_lab_oidc_routes[] = {
    {{"sso-oidc", "RegisterClient", NULL, false, run_register}, SN_METHOD_POST, "/client/register"},
    {{"sso-oidc", "StartDeviceAuthorization", NULL, false, run_start_device}, SN_METHOD_POST, "/device_authorization"},
    {{"sso-oidc", "CreateToken", NULL, false, run_create_token}, SN_METHOD_POST, "/token"},
    {.path = NULL},
};
