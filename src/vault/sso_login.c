/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_login.c - device code, and authorization code with PKCE.
 */
#include "vault/sso_login.h"

#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/uri.h"
#include "crypto/hash.h"
#include "vault/browser.h"
#include "vault/sso_loopback.h"

enum {
    INTERVAL_DEFAULT_S = 5,
    SLOW_DOWN_S = 5,
    INTERVAL_MAX_S = 120,
    CODE_LIMIT_MS = 600000, /* for a person in front of the browser */
    DEVICE_LIMIT_S = 3600,  /* whatever the peer says: nobody sits there longer */
    RANDOM_BYTES = 32,
    REGISTRATION_LEFT_S = 900, /* a registration that ends sooner is not begun with */
    LINE_MAX_BYTES = 4096,
};

enum sn_sso_flow sn_sso_flow_named(const char *name)
{
    if (name != NULL && strcmp(name, "pkce") == 0) {
        return SN_SSO_FLOW_PKCE;
    }
    return name != NULL && strcmp(name, "device") == 0 ? SN_SSO_FLOW_DEVICE : SN_SSO_FLOW_AUTO;
}

/* One sign-in. */
struct login {
    const struct sn_sso_world *world;
    const struct sn_sso_person *person;
    struct sn_sso *sso;
    const struct sn_sso_settings *settings;
    struct sn_sso_client client;
    bool client_is_kept; /* it came from the cache and may be forgotten by the peer */
    char client_path[SN_SSO_CACHE_PATH_MAX];
    struct sn_sso_grant grant;
};

static void login_clear(struct login *l)
{
    sn_sso_client_clear(&l->client);
    sn_sso_grant_clear(&l->grant);
}

static int64_t now_s(const struct login *l)
{
    return sn_clock_unix_s(l->world->clock);
}

SN_PRINTF(2, 3) static void show(const struct login *l, const char *format, ...)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(LINE_MAX_BYTES);
    va_list arguments;

    va_start(arguments, format);
    sn_buf_vaddf(&text, format, arguments);
    va_end(arguments);
    l->person->show_code(l->person->ctx, sn_buf_str(&text));
}

/* A refusal of the peer becomes that of the sign-in; network and form keep their codes. */
static enum sn_status failed(struct sn_error *err)
{
    struct sn_error cause = *err;

    if (sn_error_is(&cause, "SSO_EXPIRED_CODE")) {
        return sn_fail(err, SN_TIMEOUT, "SSO_LOGIN_TIMEOUT", "%s", cause.message);
    }
    if (strcmp(cause.code, "SSO_NETWORK_ERROR") == 0 || strncmp(cause.code, "SSO_LOGIN_", 10) == 0 ||
        strncmp(cause.code, "SSO_", 4) != 0) {
        return cause.status;
    }
    (void)sn_fail(err, cause.status, "SSO_LOGIN_FAILED", "the sign-in failed: %s", cause.message);
    return cause.suggestion[0] != '\0' ? sn_suggest(err, "%s", cause.suggestion) : err->status;
}

/* --- Registration --- */

enum sn_status sn_sso_client_path(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    bool for_code, char out_path[SN_SSO_CACHE_PATH_MAX], struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};

    sn_buf_addf(&key, "%s\n%s\n%s\n%s\n%s", settings->start_url, settings->region, settings->session, settings->scopes,
        for_code ? "code" : "device");
    return sn_sso_cache_path(world->env, "sentinel-client-", sn_buf_slice(&key), out_path, err);
}

static enum sn_status get_client(struct login *l, bool for_code, bool anew, struct sn_error *err)
{
    struct sn_sso_registration registration = {.scopes = sn_slice_str(l->settings->scopes),
        .for_code = for_code,
        .redirect_uri = SN_SSO_REDIRECT_URI,
        .issuer_url = l->settings->start_url};
    bool found = false;

    SN_TRY(sn_sso_client_path(l->world, l->settings, for_code, l->client_path, err));
    if (!anew) {
        SN_TRY(sn_sso_client_load(l->client_path, &l->client, &found, err));
    }
    l->client_is_kept = found && l->client.expires_unix_s > now_s(l) + REGISTRATION_LEFT_S;
    if (l->client_is_kept) {
        return SN_OK;
    }
    SN_TRY(sn_sso_register(l->sso, &registration, &l->client, err));
    return sn_sso_client_save(l->client_path, &l->client, err);
}

/* --- Device code --- */

static enum sn_status start_device(struct login *l, struct sn_sso_device *out_device, struct sn_error *err)
{
    SN_TRY(get_client(l, false, false, err));
    enum sn_status status = sn_sso_start_device(l->sso, &l->client, l->settings->start_url, out_device, err);
    if (status != SN_OK && l->client_is_kept && sn_error_is(err, "SSO_INVALID_CLIENT")) {
        SN_TRY(get_client(l, false, true, err));
        status = sn_sso_start_device(l->sso, &l->client, l->settings->start_url, out_device, err);
    }
    return status;
}

/* Asks until there is a token, a refusal, or no time left. Faults of the network pass. */
static enum sn_status poll(struct login *l, const struct sn_sso_device *device, struct sn_error *err)
{
    const struct sn_transport *transport = sn_sso_transport(l->sso);
    int64_t life_s = device->expires_in_s < DEVICE_LIMIT_S ? device->expires_in_s : DEVICE_LIMIT_S;
    int64_t end_ms = sn_clock_mono_ms(l->world->clock) + life_s * 1000;
    int64_t interval_s = device->interval_s > 0 ? device->interval_s : INTERVAL_DEFAULT_S;

    for (;;) {
        transport->wait_ms(transport->ctx, (int)interval_s * 1000);
        if (sn_clock_mono_ms(l->world->clock) >= end_ms) {
            return sn_fail(err, SN_TIMEOUT, "SSO_LOGIN_TIMEOUT", "the sign-in was not finished in time");
        }
        enum sn_status status = sn_sso_token_for_device(l->sso, &l->client, &device->device_code, &l->grant, err);
        if (status == SN_OK) {
            return SN_OK;
        }
        if (sn_error_is(err, "SSO_SLOW_DOWN")) {
            interval_s = interval_s + SLOW_DOWN_S < INTERVAL_MAX_S ? interval_s + SLOW_DOWN_S : INTERVAL_MAX_S;
        } else if (!sn_error_is(err, "SSO_PENDING") && !sn_error_is(err, "SSO_NETWORK_ERROR") &&
                   !sn_error_is(err, "SSO_THROTTLED")) {
            return status;
        }
    }
}

/* A browser that cannot be started is no reason to give up: the address has been shown. */
static void open_browser(struct login *l, const char *url)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error why;

    if (sn_browser_open(l->world->env, l->person->browser, url, l->settings->profile, &why) != SN_OK) {
        sn_buf_addf(&text, "%s", why.message);
        l->person->say(l->person->ctx, sn_buf_str(&text));
    }
}

static bool may_open(const struct login *l)
{
    return !l->person->no_browser && sn_browser_is_near(l->world->env, l->person->browser);
}

static enum sn_status run_device(struct login *l, struct sn_error *err)
{
    SN_AUTO(sn_sso_device_clear) struct sn_sso_device device = {0};

    SN_TRY(start_device(l, &device, err));
    show(l, "To sign in, open this address and compare the code:");
    show(l, "  %s", device.uri_complete);
    show(l, "  %s", device.user_code);
    if (strcmp(device.uri, device.uri_complete) != 0) {
        show(l, "Or open %s on any device and type the code.", device.uri);
    }
    if (may_open(l)) {
        open_browser(l, device.uri_complete);
    }
    return poll(l, &device, err);
}

/* --- Authorization code with PKCE --- */

/* 32 random bytes in base64url: verifier and state. */
static enum sn_status new_word(const struct login *l, struct sn_secret *out_word, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    unsigned char bytes[RANDOM_BYTES];

    SN_TRY(sn_random_fill(l->world->random_source, bytes, sizeof(bytes), err));
    sn_base64url_encode(&text, bytes, sizeof(bytes));
    sn_wipe(bytes, sizeof(bytes));
    sn_secret_set(out_word, sn_buf_slice(&text));
    return SN_OK;
}

static void add_param(struct sn_buf *url, const char *name, struct sn_slice value)
{
    sn_buf_addf(url, "%c%s=", sn_slice_has_byte(sn_buf_slice(url), '?') ? '&' : '?', name);
    sn_uri_encode(url, value, false);
}

static void make_url(const struct login *l, const char *redirect_uri, struct sn_slice state,
    const struct sn_secret *verifier, struct sn_buf *out_url)
{
    SN_AUTO(sn_buf_clear) struct sn_buf challenge = {0};
    unsigned char digest[SN_SHA256_LEN];
    struct sn_slice scopes = sn_slice_str(l->settings->scopes);

    sn_sha256(sn_secret_reveal(verifier), digest);
    sn_base64url_encode(&challenge, digest, sizeof(digest));
    if (l->client.authorization_endpoint[0] != '\0') {
        sn_buf_add_str(out_url, l->client.authorization_endpoint);
    } else {
        sn_buf_addf(out_url, "%s/authorize", sn_sso_oidc_url(l->sso));
    }
    add_param(out_url, "response_type", SN_S("code"));
    add_param(out_url, "client_id", sn_secret_reveal(&l->client.id));
    add_param(out_url, "redirect_uri", sn_slice_str(redirect_uri));
    add_param(out_url, "state", state);
    add_param(out_url, "code_challenge", sn_buf_slice(&challenge));
    add_param(out_url, "code_challenge_method", SN_S("S256"));
    /* The standard's name, and the one that AWS's own tools send; a server passes over what it does not know. */
    add_param(out_url, "scope", scopes);
    add_param(out_url, "scopes", scopes);
}

static enum sn_status run_code(struct login *l, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret state = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret verifier = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret code = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf url = {0};
    SN_AUTO(sn_sso_loopback_free_p) struct sn_sso_loopback *loopback = NULL;

    /* A page says nothing to us about a registration it does not know: only one of our own making is begun with. */
    SN_TRY(get_client(l, true, false, err));
    SN_TRY(new_word(l, &state, err));
    SN_TRY(new_word(l, &verifier, err));
    SN_TRY(sn_sso_loopback_new(sn_secret_reveal(&state), &loopback, err));
    make_url(l, sn_sso_loopback_uri(loopback), sn_secret_reveal(&state), &verifier, &url);
    show(l, "To sign in, go on in your browser. If none opens, open this address on this machine:");
    show(l, "  %s", sn_buf_str(&url));
    if (may_open(l)) {
        open_browser(l, sn_buf_str(&url));
    }
    SN_TRY(sn_sso_loopback_wait(loopback, CODE_LIMIT_MS, &code, err));
    enum sn_status status =
        sn_sso_token_for_code(l->sso, &l->client, &code, &verifier, sn_sso_loopback_uri(loopback), &l->grant, err);
    if (status != SN_OK && l->client_is_kept && sn_error_is(err, "SSO_INVALID_CLIENT")) {
        bool removed = false;
        struct sn_error ignored;
        if (sn_sso_cache_remove(l->client_path, &removed, &ignored) != SN_OK) {
            return status; /* the next sign-in fails alike, and tells */
        }
    }
    return status;
}

/* --- All of it --- */

static bool wants_code(const struct login *l)
{
    switch (l->person->flow) {
    case SN_SSO_FLOW_PKCE:
        return true;
    case SN_SSO_FLOW_DEVICE:
        return false;
    case SN_SSO_FLOW_AUTO:
        break;
    }
    return l->settings->session[0] != '\0' && may_open(l);
}

static void take_token(struct login *l, struct sn_sso_token *out_token)
{
    sn_sso_token_clear(out_token);
    (void)snprintf(out_token->start_url, sizeof(out_token->start_url), "%s", l->settings->start_url);
    (void)snprintf(out_token->region, sizeof(out_token->region), "%s", l->settings->region);
    sn_secret_move(&out_token->access_token, &l->grant.access_token);
    sn_secret_move(&out_token->refresh_token, &l->grant.refresh_token);
    out_token->expires_unix_s = now_s(l) + l->grant.expires_in_s;
    sn_secret_move(&out_token->client_id, &l->client.id);
    sn_secret_move(&out_token->client_secret, &l->client.secret);
    out_token->registration_expires_unix_s = l->client.expires_unix_s;
}

enum sn_status sn_sso_login(const struct sn_sso_world *world, struct sn_sso *sso,
    const struct sn_sso_settings *settings, struct sn_sso_token *out_token, struct sn_error *err)
{
    SN_AUTO(login_clear)
    struct login l = {.world = world, .person = world->person, .sso = sso, .settings = settings};

    if (l.person->flow == SN_SSO_FLOW_PKCE && settings->scopes[0] == '\0') {
        (void)sn_fail(err, SN_INVALID, "SSO_LOGIN_FAILED", "the flow pkce needs an sso-session, which has scopes");
        return sn_suggest(err, "use --sso-flow device, or name an sso-session in the profile");
    }
    enum sn_status status = wants_code(&l) ? run_code(&l, err) : run_device(&l, err);
    if (status != SN_OK) {
        return failed(err);
    }
    take_token(&l, out_token);
    return SN_OK;
}
