/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sso.c - calls of IAM Identity Center.
 */
#include "aws/sso.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "base/alloc.h"
#include "codec/json.h"
#include "codec/uri.h"

enum { CONNECT_MS = 10000, TOTAL_MS = 30000, TRIES = 3, PAGES_MAX = 1000, PAGE_SIZE = 100 };

static const int retry_wait_ms[TRIES - 1] = {200, 800};
static const char grant_device[] = "urn:ietf:params:oauth:grant-type:device_code";

struct sn_sso {
    char oidc_url[SN_ENDPOINT_MAX], portal_url[SN_ENDPOINT_MAX];
    const struct sn_clock *clock;
    struct sn_http_client *http;
    struct sn_transport transport;
};

static enum sn_status send_http(
    void *ctx, const struct sn_http_call *call, struct sn_http_reply *out_reply, struct sn_error *err)
{
    return sn_http_client_do(ctx, call, out_reply, err);
}

enum sn_status sn_sso_new(const struct sn_sso_options *options, struct sn_sso **out_sso, struct sn_error *err)
{
    SN_AUTO(sn_sso_free_p) struct sn_sso *sso = sn_alloc(1, sizeof(*sso));
    struct sn_http_client_options http = {.ca_file = options->ca_file};
    struct sn_slice region = sn_slice_str(options->region);

    SN_TRY(sn_endpoint_url("sso-oidc", region, options->env, sso->oidc_url, err));
    SN_TRY(sn_endpoint_url("sso", region, options->env, sso->portal_url, err));
    sso->clock = options->clock != NULL ? options->clock : sn_clock_system();
    if (options->transport != NULL) {
        sso->transport = *options->transport;
    } else {
        SN_TRY(sn_http_client_new(&http, &sso->http, err));
        sso->transport = (struct sn_transport){send_http, sn_transport_sleep_ms, sso->http};
    }
    *out_sso = SN_TAKE(sso);
    return SN_OK;
}

void sn_sso_free(struct sn_sso *sso)
{
    if (sso != NULL) {
        sn_http_client_free(sso->http);
        sn_free(sso);
    }
}

void sn_sso_free_p(struct sn_sso **sso)
{
    sn_sso_free(*sso);
    *sso = NULL;
}

const char *sn_sso_oidc_url(const struct sn_sso *sso)
{
    return sso->oidc_url;
}

const struct sn_transport *sn_sso_transport(const struct sn_sso *sso)
{
    return &sso->transport;
}

/* --- One call --- */

struct call {
    const char *base, *method, *action; /* action for messages */
    struct sn_slice target;             /* path and query */
    struct sn_slice body;
    const struct sn_secret *token; /* of the portal; NULL: the OIDC service */
    bool once;                     /* not to be repeated: it uses something up */
};

static enum sn_status transport_fault(struct sn_error *err)
{
    struct sn_error cause = *err;

    if (cause.status == SN_TIMEOUT || cause.status == SN_UNAVAILABLE) {
        (void)sn_fail(
            err, cause.status, "SSO_NETWORK_ERROR", "IAM Identity Center cannot be reached: %s", cause.message);
        return sn_error_retryable(err, 0);
    }
    return sn_fail(
        err, SN_PROTOCOL, "SSO_ANSWER_INVALID", "the answer of IAM Identity Center cannot be read: %s", cause.message);
}

static enum sn_status portal_fault(const struct call *call, int status, const char *text, struct sn_error *err)
{
    if (status == 401) {
        return sn_fail(err, SN_UNAUTHENTICATED, "SSO_INVALID_TOKEN",
            "IAM Identity Center does not accept the sign-in any more: %s", text);
    }
    if (status == 403) {
        return sn_fail(err, SN_DENIED, "SSO_NO_ACCESS", "IAM Identity Center refused %s: %s", call->action, text);
    }
    return sn_fail(err, SN_DENIED, "SSO_REFUSED", "IAM Identity Center refused %s: %s", call->action, text);
}

static enum sn_status oidc_fault(
    const struct call *call, enum sn_sso_fault fault, const char *text, struct sn_error *err)
{
    switch (fault) {
    case SN_SSO_PENDING:
        return sn_fail(err, SN_CONFLICT, "SSO_PENDING", "nobody has decided on the sign-in yet");
    case SN_SSO_SLOW_DOWN:
        return sn_fail(err, SN_THROTTLED, "SSO_SLOW_DOWN", "IAM Identity Center asks to slow down");
    case SN_SSO_EXPIRED:
        return sn_fail(err, SN_TIMEOUT, "SSO_EXPIRED_CODE", "the sign-in was not finished in time");
    case SN_SSO_DECLINED:
        return sn_fail(err, SN_DENIED, "SSO_DECLINED", "the request was declined in the browser");
    case SN_SSO_INVALID_CLIENT:
        return sn_fail(err, SN_UNAUTHENTICATED, "SSO_INVALID_CLIENT", "the registration is not accepted: %s", text);
    case SN_SSO_INVALID_GRANT:
        return sn_fail(
            err, SN_UNAUTHENTICATED, "SSO_INVALID_GRANT", "IAM Identity Center refused %s: %s", call->action, text);
    case SN_SSO_OTHER:
        break;
    }
    return sn_fail(err, SN_DENIED, "SSO_REFUSED", "IAM Identity Center refused %s: %s", call->action, text);
}

static enum sn_status answer_fault(const struct call *call, const struct sn_http_reply *reply, struct sn_error *err)
{
    char text[SN_SSO_FAULT_TEXT_MAX];
    enum sn_sso_fault fault =
        sn_sso_read_fault(sn_http_reply_header(reply, "x-amzn-errortype"), sn_buf_slice(&reply->body), text);

    if (text[0] == '\0') {
        (void)snprintf(text, sizeof(text), "status %d", reply->status);
    }
    if (reply->status >= 500) {
        (void)sn_fail(
            err, SN_UNAVAILABLE, "SSO_NETWORK_ERROR", "IAM Identity Center answered with status %d", reply->status);
        return sn_error_retryable(err, 0);
    }
    if (reply->status == 429) {
        (void)sn_fail(err, SN_THROTTLED, "SSO_THROTTLED", "IAM Identity Center asks to slow down");
        return sn_error_retryable(err, 0);
    }
    if (reply->status < 400) {
        return sn_fail(err, SN_PROTOCOL, "SSO_ANSWER_INVALID",
            "the answer of IAM Identity Center does not have its form: status %d", reply->status);
    }
    return call->token != NULL ? portal_fault(call, reply->status, text, err) : oidc_fault(call, fault, text, err);
}

static enum sn_status try_call(
    struct sn_sso *sso, const struct call *call, struct sn_http_reply *out_reply, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf url = {0};
    struct sn_http_call http = {.method = call->method,
        .body = call->body,
        .connect_timeout_ms = CONNECT_MS,
        .total_timeout_ms = TOTAL_MS,
        .max_body = SN_SSO_MAX_BYTES};

    sn_buf_addf(&url, "%s%.*s", call->base, SN_PRI(call->target));
    http.url = sn_buf_str(&url);
    sn_http_call_header(&http, "Accept", SN_S("application/json"));
    if (call->token != NULL) {
        sn_http_call_header(&http, "x-amz-sso_bearer_token", sn_secret_reveal(call->token));
    } else {
        sn_http_call_header(&http, "Content-Type", SN_S("application/json"));
    }
    if (sso->transport.send(sso->transport.ctx, &http, out_reply, err) != SN_OK) {
        return transport_fault(err);
    }
    return out_reply->status == 200 ? SN_OK : answer_fault(call, out_reply, err);
}

static enum sn_status run(
    struct sn_sso *sso, const struct call *call, struct sn_http_reply *out_reply, struct sn_error *err)
{
    enum sn_status status = SN_OK;

    for (int i = 0; i < TRIES; i++) {
        sn_http_reply_clear(out_reply);
        status = try_call(sso, call, out_reply, err);
        if (status == SN_OK || !err->retryable || call->once || i == TRIES - 1) {
            break;
        }
        sso->transport.wait_ms(sso->transport.ctx, retry_wait_ms[i]);
    }
    return status;
}

/* --- OIDC --- */

static enum sn_status post(struct sn_sso *sso, const char *path, const char *action, bool once,
    const struct sn_buf *body, struct sn_http_reply *out_reply, struct sn_error *err)
{
    struct call call = {.base = sso->oidc_url,
        .method = "POST",
        .action = action,
        .target = sn_slice_str(path),
        .body = sn_buf_slice(body),
        .once = once};

    return run(sso, &call, out_reply, err);
}

static void put_list(struct sn_json_writer *w, const char *name, struct sn_slice words)
{
    struct sn_slice word;

    sn_json_key(w, name);
    sn_json_begin_array(w);
    while (sn_slice_next(&words, ' ', &word)) {
        sn_json_put_text(w, word);
    }
    sn_json_end_array(w);
}

enum sn_status sn_sso_register(struct sn_sso *sso, const struct sn_sso_registration *registration,
    struct sn_sso_client *out_client, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "clientName", "sentinel");
    sn_json_member_str(&w, "clientType", "public");
    if (registration->scopes.len > 0) {
        put_list(&w, "scopes", registration->scopes);
        put_list(&w, "grantTypes",
            registration->for_code ? SN_S("authorization_code refresh_token")
                                   : SN_S("urn:ietf:params:oauth:grant-type:device_code refresh_token"));
    }
    if (registration->for_code) {
        put_list(&w, "redirectUris", sn_slice_str(registration->redirect_uri));
        sn_json_member_str(&w, "issuerUrl", registration->issuer_url);
    }
    sn_json_end_object(&w);
    SN_TRY(post(sso, "/client/register", "RegisterClient", false, &body, &reply, err));
    return sn_sso_read_client(sn_buf_slice(&reply.body), out_client, err);
}

static void begin_as_client(
    struct sn_json_writer *w, struct sn_buf *body, const struct sn_secret *id, const struct sn_secret *secret)
{
    sn_json_writer_init(w, body);
    sn_json_begin_object(w);
    sn_json_member_secret(w, "clientId", id);
    sn_json_member_secret(w, "clientSecret", secret);
}

enum sn_status sn_sso_start_device(struct sn_sso *sso, const struct sn_sso_client *client, const char *start_url,
    struct sn_sso_device *out_device, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct sn_json_writer w;

    begin_as_client(&w, &body, &client->id, &client->secret);
    sn_json_member_str(&w, "startUrl", start_url);
    sn_json_end_object(&w);
    SN_TRY(post(sso, "/device_authorization", "StartDeviceAuthorization", false, &body, &reply, err));
    return sn_sso_read_device(sn_buf_slice(&reply.body), out_device, err);
}

static enum sn_status create_token(struct sn_sso *sso, struct sn_json_writer *w, const struct sn_buf *body,
    struct sn_sso_grant *out_grant, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};

    sn_json_end_object(w);
    SN_TRY(post(sso, "/token", "CreateToken", true, body, &reply, err));
    return sn_sso_read_grant(sn_buf_slice(&reply.body), out_grant, err);
}

enum sn_status sn_sso_token_for_device(struct sn_sso *sso, const struct sn_sso_client *client,
    const struct sn_secret *device_code, struct sn_sso_grant *out_grant, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    begin_as_client(&w, &body, &client->id, &client->secret);
    sn_json_member_str(&w, "grantType", grant_device);
    sn_json_member_secret(&w, "deviceCode", device_code);
    return create_token(sso, &w, &body, out_grant, err);
}

enum sn_status sn_sso_token_for_code(struct sn_sso *sso, const struct sn_sso_client *client,
    const struct sn_secret *code, const struct sn_secret *verifier, const char *redirect_uri,
    struct sn_sso_grant *out_grant, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    begin_as_client(&w, &body, &client->id, &client->secret);
    sn_json_member_str(&w, "grantType", "authorization_code");
    sn_json_member_secret(&w, "code", code);
    sn_json_member_str(&w, "redirectUri", redirect_uri);
    sn_json_member_secret(&w, "codeVerifier", verifier);
    return create_token(sso, &w, &body, out_grant, err);
}

enum sn_status sn_sso_token_for_refresh(struct sn_sso *sso, const struct sn_secret *client_id,
    const struct sn_secret *client_secret, const struct sn_secret *refresh_token, struct sn_sso_grant *out_grant,
    struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    begin_as_client(&w, &body, client_id, client_secret);
    sn_json_member_str(&w, "grantType", "refresh_token");
    sn_json_member_secret(&w, "refreshToken", refresh_token);
    return create_token(sso, &w, &body, out_grant, err);
}

/* --- Portal --- */

/* Account ids and role names are checked where they come from; here they only must not leave their place in a query. */
static void add_param(struct sn_buf *target, const char *name, struct sn_slice value)
{
    sn_buf_addf(target, "%c%s=", sn_slice_has_byte(sn_buf_slice(target), '?') ? '&' : '?', name);
    sn_uri_encode(target, value, false);
}

static enum sn_status get(struct sn_sso *sso, const char *action, const struct sn_secret *token,
    const struct sn_buf *target, struct sn_http_reply *out_reply, struct sn_error *err)
{
    struct call call = {
        .base = sso->portal_url, .method = "GET", .action = action, .target = sn_buf_slice(target), .token = token};

    return run(sso, &call, out_reply, err);
}

static enum sn_status list_all(struct sn_sso *sso, const char *path, struct sn_slice account_id,
    const struct sn_secret *access_token, struct sn_sso_list *list, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf next = {0};
    bool is_roles = account_id.len > 0;

    for (int page = 0; page == 0 || next.len > 0; page++) {
        SN_AUTO(sn_buf_clear) struct sn_buf target = {0};
        SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
        if (page == PAGES_MAX) {
            return sn_fail(err, SN_PROTOCOL, "SSO_ANSWER_INVALID", "the list of IAM Identity Center does not end");
        }
        sn_buf_addf(&target, "%s?max_result=%d", path, PAGE_SIZE);
        if (is_roles) {
            add_param(&target, "account_id", account_id);
        }
        if (next.len > 0) {
            add_param(&target, "next_token", sn_buf_slice(&next));
        }
        SN_TRY(get(sso, is_roles ? "ListAccountRoles" : "ListAccounts", access_token, &target, &reply, err));
        struct sn_slice body = sn_buf_slice(&reply.body);
        SN_TRY(is_roles ? sn_sso_read_roles(body, list, &next, err) : sn_sso_read_accounts(body, list, &next, err));
    }
    return SN_OK;
}

enum sn_status sn_sso_accounts(
    struct sn_sso *sso, const struct sn_secret *access_token, struct sn_sso_list *list, struct sn_error *err)
{
    return list_all(sso, "/assignment/accounts", (struct sn_slice){0}, access_token, list, err);
}

enum sn_status sn_sso_roles(struct sn_sso *sso, const struct sn_secret *access_token, struct sn_slice account_id,
    struct sn_sso_list *list, struct sn_error *err)
{
    return list_all(sso, "/assignment/roles", account_id, access_token, list, err);
}

enum sn_status sn_sso_role_credentials(struct sn_sso *sso, const struct sn_secret *access_token,
    struct sn_slice account_id, struct sn_slice role_name, struct sn_credentials *out_credentials, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf target = {0};
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};

    sn_buf_add_str(&target, "/federation/credentials");
    add_param(&target, "role_name", role_name);
    add_param(&target, "account_id", account_id);
    if (get(sso, "GetRoleCredentials", access_token, &target, &reply, err) != SN_OK) {
        if (sn_error_is(err, "SSO_NO_ACCESS")) {
            (void)sn_fail(err, SN_DENIED, "SSO_NO_ACCESS",
                "role '%.*s' of account %.*s is not assigned to whoever signed in", SN_PRI(role_name),
                SN_PRI(account_id));
        }
        return err->status;
    }
    return sn_sso_read_credentials(sn_buf_slice(&reply.body), sn_clock_unix_s(sso->clock), out_credentials, err);
}

enum sn_status sn_sso_logout(struct sn_sso *sso, const struct sn_secret *access_token, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct call call = {.base = sso->portal_url,
        .method = "POST",
        .action = "Logout",
        .target = SN_S("/logout"),
        .token = access_token,
        .once = true};

    return run(sso, &call, &reply, err);
}
