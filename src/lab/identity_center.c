/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/identity_center.c - registrations, codes and tokens of the lab's IAM Identity Center.
 */
#include "lab/identity_center.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/secret.h"
#include "codec/base64.h"
#include "crypto/hash.h"

enum {
    MAX_CLIENTS = 256,
    MAX_DEVICES = 256,
    MAX_CODES = 64,
    MAX_TOKENS = 1024,
    SECRET_BYTES = 32,
    CODE_LIFE_S = 600,
    CODE_HALF = 4,
    /* A client's clock and the way to here are not exact: a poll this much early is in time. */
    EARLY_PERCENT = 10,
};

enum device_state { DEVICE_WAITING, DEVICE_ALLOWED, DEVICE_DECLINED, DEVICE_USED };

struct device {
    struct sn_lab_center_device names;
    char client_id[SN_LAB_CENTER_SECRET_LEN + 1];
    enum device_state state;
    const struct sn_lab_center_user *user;
    int64_t expires_unix_ms, polled_unix_ms;
};

struct auth_code {
    char code[SN_LAB_CENTER_SECRET_LEN + 1], client_id[SN_LAB_CENTER_SECRET_LEN + 1];
    char redirect_uri[SN_LAB_CENTER_REDIRECT_MAX], challenge[SN_LAB_CENTER_CHALLENGE_LEN + 1];
    const struct sn_lab_center_user *user;
    int64_t expires_unix_s;
    bool used;
};

struct token {
    struct sn_lab_center_token names;
    char client_id[SN_LAB_CENTER_SECRET_LEN + 1];
    const struct sn_lab_center_user *user;
    uint64_t sign_in; /* tokens of one sign-in end together */
    int64_t refresh_until_unix_s;
    bool refreshed, ended;
};

struct sn_lab_center {
    const struct sn_lab_center_config *config;
    const struct sn_random *random_source;
    pthread_mutex_t lock;
    struct sn_lab_center_client clients[MAX_CLIENTS];
    struct device devices[MAX_DEVICES];
    struct auth_code codes[MAX_CODES];
    struct token tokens[MAX_TOKENS];
    size_t client_count, device_count, code_count, token_count; /* ever; the ring's place is the remainder */
    uint64_t sign_ins;
};

struct sn_lab_center *sn_lab_center_new(
    const struct sn_lab_center_config *config, const struct sn_random *random_source)
{
    struct sn_lab_center *center = sn_alloc(1, sizeof(*center));
    center->config = config;
    center->random_source = random_source;
    SN_ASSERT(pthread_mutex_init(&center->lock, NULL) == 0);
    return center;
}

void sn_lab_center_free(struct sn_lab_center *center)
{
    if (center != NULL) {
        pthread_mutex_destroy(&center->lock);
        sn_wipe(center, sizeof(*center));
        sn_free(center);
    }
}

static enum sn_status new_secret(
    struct sn_lab_center *center, char out[SN_LAB_CENTER_SECRET_LEN + 1], struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    unsigned char bytes[SECRET_BYTES];
    SN_TRY(sn_random_fill(center->random_source, bytes, sizeof(bytes), err));
    sn_buf_add_str(&text, "LAB");
    sn_base64url_encode(&text, bytes, sizeof(bytes));
    SN_ASSERT(text.len == SN_LAB_CENTER_SECRET_LEN);
    memcpy(out, sn_buf_str(&text), SN_LAB_CENTER_SECRET_LEN + 1);
    return SN_OK;
}

static bool same(struct sn_slice given, const char *kept)
{
    return kept[0] != '\0' && sn_slice_eq_const_time(given, sn_slice_str(kept));
}

/* --- Clients --- */

enum sn_status sn_lab_center_register(
    struct sn_lab_center *center, struct sn_lab_center_client *client, int64_t now_unix_s, struct sn_error *err)
{
    SN_TRY(new_secret(center, client->id, err));
    SN_TRY(new_secret(center, client->secret, err));
    client->expires_unix_s = now_unix_s + center->config->client_life_s;
    pthread_mutex_lock(&center->lock);
    center->clients[center->client_count++ % MAX_CLIENTS] = *client;
    pthread_mutex_unlock(&center->lock);
    return SN_OK;
}

enum sn_status sn_lab_center_find_client(struct sn_lab_center *center, struct sn_slice id,
    const struct sn_slice *secret, int64_t now_unix_s, struct sn_lab_center_client *out_client, struct sn_error *err)
{
    bool found = false;
    pthread_mutex_lock(&center->lock);
    for (size_t i = 0; i < MAX_CLIENTS && !found; i++) {
        const struct sn_lab_center_client *client = &center->clients[i];
        found = same(id, client->id) && (secret == NULL || same(*secret, client->secret)) &&
                client->expires_unix_s > now_unix_s;
        if (found) {
            *out_client = *client;
        }
    }
    pthread_mutex_unlock(&center->lock);
    return found ? SN_OK
                 : sn_fail(err, SN_UNAUTHENTICATED, "InvalidClientException", "The client is unknown or has expired");
}

bool sn_lab_center_redirect_fits(const struct sn_lab_center_client *client, struct sn_slice uri)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
    for (size_t h = 0; h < SN_LEN(hosts); h++) {
        struct sn_slice rest = {0};
        if (!sn_slice_has_prefix(uri, sn_slice_str(hosts[h]))) {
            continue;
        }
        rest = sn_slice_sub(uri, strlen(hosts[h]), uri.len);
        if (rest.len > 0 && rest.ptr[0] == ':') {
            size_t digits = 1;
            while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9') {
                digits++;
            }
            rest = sn_slice_sub(rest, digits, rest.len);
        }
        for (size_t i = 0; i < client->redirect_count; i++) {
            struct sn_slice known = sn_slice_str(client->redirects[i]);
            if (sn_slice_has_prefix(known, sn_slice_str(hosts[h])) && rest.len > 0 && rest.ptr[0] == '/' &&
                uri.len < SN_LAB_CENTER_REDIRECT_MAX && sn_slice_is_alnum_or(rest, "/._-") &&
                sn_slice_eq(sn_slice_sub(known, strlen(hosts[h]), known.len), rest)) {
                return true;
            }
        }
    }
    return false;
}

const struct sn_lab_center_user *sn_lab_center_user_named(
    const struct sn_lab_center_config *config, struct sn_slice name)
{
    for (size_t i = 0; i < config->user_count; i++) {
        if (sn_slice_eq(config->users[i].name, name)) {
            return &config->users[i];
        }
    }
    return NULL;
}

/* --- Tokens; the lock is held --- */

static enum sn_status new_token(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    const struct sn_lab_center_user *user, uint64_t sign_in, int64_t refresh_until_unix_s, int64_t now_unix_s,
    struct sn_lab_center_token *out_token, struct sn_error *err)
{
    struct token token = {.user = user, .sign_in = sign_in, .refresh_until_unix_s = refresh_until_unix_s};
    SN_TRY(new_secret(center, token.names.access, err));
    if (client->may_refresh && client->scopes[0] != '\0') {
        SN_TRY(new_secret(center, token.names.refresh, err));
    }
    token.names.expires_unix_s = now_unix_s + center->config->token_life_s;
    memcpy(token.client_id, client->id, sizeof(token.client_id));
    center->tokens[center->token_count++ % MAX_TOKENS] = token;
    *out_token = token.names;
    return SN_OK;
}

static struct token *find_token(struct sn_lab_center *center, struct sn_slice access_token, int64_t now_unix_s)
{
    for (size_t i = 0; i < MAX_TOKENS; i++) {
        struct token *token = &center->tokens[i];
        if (same(access_token, token->names.access) && !token->ended && token->names.expires_unix_s > now_unix_s) {
            return token;
        }
    }
    return NULL;
}

static enum sn_status no_session(struct sn_error *err)
{
    return sn_fail(err, SN_UNAUTHENTICATED, "UnauthorizedException", "Session token not found or invalid");
}

enum sn_status sn_lab_center_find_user(struct sn_lab_center *center, struct sn_slice access_token, int64_t now_unix_s,
    const struct sn_lab_center_user **out_user, struct sn_error *err)
{
    const struct sn_lab_center_user *user = NULL;
    pthread_mutex_lock(&center->lock);
    const struct token *token = find_token(center, access_token, now_unix_s);
    if (token != NULL) {
        user = token->user;
    }
    pthread_mutex_unlock(&center->lock);
    if (user == NULL) {
        return no_session(err);
    }
    *out_user = user;
    return SN_OK;
}

enum sn_status sn_lab_center_sign_out(
    struct sn_lab_center *center, struct sn_slice access_token, int64_t now_unix_s, struct sn_error *err)
{
    bool found = false;
    pthread_mutex_lock(&center->lock);
    const struct token *token = find_token(center, access_token, now_unix_s);
    if (token != NULL) {
        uint64_t sign_in = token->sign_in;
        found = true;
        for (size_t i = 0; i < MAX_TOKENS; i++) {
            center->tokens[i].ended = center->tokens[i].ended || center->tokens[i].sign_in == sign_in;
        }
    }
    pthread_mutex_unlock(&center->lock);
    return found ? SN_OK : no_session(err);
}

static enum sn_status refresh_locked(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    struct sn_slice refresh_token, int64_t now_unix_s, struct sn_lab_center_token *out_token, struct sn_error *err)
{
    for (size_t i = 0; i < MAX_TOKENS; i++) {
        struct token *token = &center->tokens[i];
        if (same(refresh_token, token->names.refresh) && strcmp(token->client_id, client->id) == 0 &&
            !token->refreshed && !token->ended && token->refresh_until_unix_s > now_unix_s) {
            struct token old = *token;
            token->refreshed = true;
            return new_token(
                center, client, old.user, old.sign_in, old.refresh_until_unix_s, now_unix_s, out_token, err);
        }
    }
    return sn_fail(err, SN_INVALID, "InvalidGrantException", "Invalid refresh token provided");
}

enum sn_status sn_lab_center_refresh(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    struct sn_slice refresh_token, int64_t now_unix_s, struct sn_lab_center_token *out_token, struct sn_error *err)
{
    pthread_mutex_lock(&center->lock);
    enum sn_status status = refresh_locked(center, client, refresh_token, now_unix_s, out_token, err);
    pthread_mutex_unlock(&center->lock);
    return status;
}

/* --- Device codes --- */

/* Consonants only: no code spells a word. */
static enum sn_status new_user_code(
    struct sn_lab_center *center, char out[SN_LAB_CENTER_CODE_LEN + 1], struct sn_error *err)
{
    static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
    unsigned char bytes[2 * CODE_HALF];
    SN_TRY(sn_random_fill(center->random_source, bytes, sizeof(bytes), err));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[i + (i >= CODE_HALF)] = letters[bytes[i] % (sizeof(letters) - 1)];
    }
    out[CODE_HALF] = '-';
    out[SN_LAB_CENTER_CODE_LEN] = '\0';
    return SN_OK;
}

enum sn_status sn_lab_center_start_device(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    int64_t now_unix_ms, struct sn_lab_center_device *out_device, struct sn_error *err)
{
    struct device device = {.expires_unix_ms = now_unix_ms + center->config->device_life_s * 1000};
    SN_TRY(new_secret(center, device.names.device_code, err));
    SN_TRY(new_user_code(center, device.names.user_code, err));
    memcpy(device.client_id, client->id, sizeof(device.client_id));
    pthread_mutex_lock(&center->lock);
    center->devices[center->device_count++ % MAX_DEVICES] = device;
    pthread_mutex_unlock(&center->lock);
    *out_device = device.names;
    return SN_OK;
}

/* As people type it: in either case, with or without the dash. */
static bool is_user_code(struct sn_slice text, const char *code)
{
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '-' || c == ' ') {
            continue;
        }
        at += at == CODE_HALF;
        if (at >= SN_LAB_CENTER_CODE_LEN || (c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != code[at]) {
            return false;
        }
        at++;
    }
    return at == SN_LAB_CENTER_CODE_LEN;
}

enum sn_status sn_lab_center_decide(struct sn_lab_center *center, struct sn_slice user_code,
    const struct sn_lab_center_user *user, int64_t now_unix_ms, struct sn_error *err)
{
    bool found = false;
    pthread_mutex_lock(&center->lock);
    for (size_t i = 0; i < MAX_DEVICES && !found; i++) {
        struct device *device = &center->devices[i];
        found = device->names.user_code[0] != '\0' && is_user_code(user_code, device->names.user_code) &&
                device->state == DEVICE_WAITING && device->expires_unix_ms > now_unix_ms;
        if (found) {
            device->state = user != NULL ? DEVICE_ALLOWED : DEVICE_DECLINED;
            device->user = user;
        }
    }
    pthread_mutex_unlock(&center->lock);
    if (found) {
        return SN_OK;
    }
    (void)sn_fail(err, SN_NOT_FOUND, "LAB_CENTER", "no sign-in waits for that code");
    return sn_suggest(err, "codes are eight letters, work once and end after a few minutes");
}

static enum sn_status poll_locked(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    struct device *device, int64_t now_unix_ms, struct sn_lab_center_token *out_token, struct sn_error *err)
{
    int64_t interval_ms = center->config->interval_s * 1000;
    bool early = device->polled_unix_ms != 0 &&
                 now_unix_ms - device->polled_unix_ms < interval_ms - interval_ms * EARLY_PERCENT / 100;
    device->polled_unix_ms = now_unix_ms;
    if (device->expires_unix_ms <= now_unix_ms) {
        return sn_fail(err, SN_INVALID, "ExpiredTokenException", "Device code has expired");
    }
    switch (device->state) {
    case DEVICE_WAITING:
        return early ? sn_fail(err, SN_THROTTLED, "SlowDownException", "Polling faster than the interval")
                     : sn_fail(err, SN_INVALID, "AuthorizationPendingException", "The person has not decided yet");
    case DEVICE_DECLINED:
        return sn_fail(err, SN_DENIED, "AccessDeniedException", "The person declined");
    case DEVICE_USED:
        return sn_fail(err, SN_INVALID, "InvalidGrantException", "The device code has been used");
    case DEVICE_ALLOWED:
        break;
    }
    device->state = DEVICE_USED;
    int64_t now_unix_s = now_unix_ms / 1000;
    return new_token(center, client, device->user, ++center->sign_ins, now_unix_s + center->config->refresh_life_s,
        now_unix_s, out_token, err);
}

enum sn_status sn_lab_center_poll(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    struct sn_slice device_code, int64_t now_unix_ms, struct sn_lab_center_token *out_token, struct sn_error *err)
{
    struct device *device = NULL;
    pthread_mutex_lock(&center->lock);
    for (size_t i = 0; i < MAX_DEVICES && device == NULL; i++) {
        if (same(device_code, center->devices[i].names.device_code) &&
            strcmp(center->devices[i].client_id, client->id) == 0) {
            device = &center->devices[i];
        }
    }
    enum sn_status status = device != NULL
                                ? poll_locked(center, client, device, now_unix_ms, out_token, err)
                                : sn_fail(err, SN_INVALID, "InvalidGrantException", "Invalid device code provided");
    pthread_mutex_unlock(&center->lock);
    return status;
}

/* --- Authorization codes --- */

enum sn_status sn_lab_center_new_code(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    const struct sn_lab_center_user *user, struct sn_slice redirect_uri, struct sn_slice challenge, int64_t now_unix_s,
    char out_code[SN_LAB_CENTER_SECRET_LEN + 1], struct sn_error *err)
{
    struct auth_code code = {.user = user, .expires_unix_s = now_unix_s + CODE_LIFE_S};
    SN_ASSERT(redirect_uri.len < sizeof(code.redirect_uri) && challenge.len < sizeof(code.challenge));
    SN_TRY(new_secret(center, code.code, err));
    memcpy(code.client_id, client->id, sizeof(code.client_id));
    memcpy(code.redirect_uri, redirect_uri.ptr, redirect_uri.len);
    memcpy(code.challenge, challenge.ptr, challenge.len);
    memcpy(out_code, code.code, sizeof(code.code));
    pthread_mutex_lock(&center->lock);
    center->codes[center->code_count++ % MAX_CODES] = code;
    pthread_mutex_unlock(&center->lock);
    return SN_OK;
}

static bool verifier_fits(struct sn_slice verifier, const char *challenge)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    unsigned char digest[SN_SHA256_LEN];
    sn_sha256(verifier, digest);
    sn_base64url_encode(&text, digest, sizeof(digest));
    return same(sn_buf_slice(&text), challenge);
}

enum sn_status sn_lab_center_use_code(struct sn_lab_center *center, const struct sn_lab_center_client *client,
    struct sn_slice code, struct sn_slice redirect_uri, struct sn_slice verifier, int64_t now_unix_s,
    struct sn_lab_center_token *out_token, struct sn_error *err)
{
    enum sn_status status = SN_INVALID;
    bool good = false;
    pthread_mutex_lock(&center->lock);
    for (size_t i = 0; i < MAX_CODES && !good; i++) {
        struct auth_code *kept = &center->codes[i];
        if (!same(code, kept->code) || kept->used) {
            continue;
        }
        kept->used = true;
        good = strcmp(kept->client_id, client->id) == 0 && sn_slice_eq_str(redirect_uri, kept->redirect_uri) &&
               kept->expires_unix_s > now_unix_s && verifier_fits(verifier, kept->challenge);
        if (good) {
            status = new_token(center, client, kept->user, ++center->sign_ins,
                now_unix_s + center->config->refresh_life_s, now_unix_s, out_token, err);
        }
    }
    pthread_mutex_unlock(&center->lock);
    return good ? status : sn_fail(err, SN_INVALID, "InvalidGrantException", "Invalid authorization code provided");
}
