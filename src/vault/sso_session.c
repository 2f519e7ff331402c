/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_session.c - one sign-in for all who need it.
 */
#include "vault/sso_session.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/parse.h"
#include "crypto/hash.h"
#include "vault/lock_file.h"
#include "vault/sso_role_cache.h"

enum {
    REFRESH_BEFORE_S = 900, /* from here on a refresh is tried */
    LAST_USE_S = 300,       /* from here on a token that could not be refreshed does not serve */
    WAIT_LOGIN_MS = 600000,
    WAIT_REFRESH_MS = 60000,
    POLL_MS = 50,
    TELL_AFTER_MS = 1000,
    LOCK_NAME_MAX = 80,
    NOTE_MODE = 0600,
    NOTE_MAX_BYTES = 32,
};

/* One look for a token. */
struct search {
    const struct sn_sso_world *world;
    const struct sn_sso_settings *settings;
    struct sn_sso *sso;
    enum sn_sso_want want;
    const struct sn_secret *rejected; /* the portal did not take this one; NULL: none */
    char path[SN_SSO_CACHE_PATH_MAX];
    struct sn_sso_token token;
    bool found;
    struct sn_lock_file lock;
    bool waited;
    int64_t began_unix_ms;
};

static void search_clear(struct search *s)
{
    sn_sso_token_clear(&s->token);
    sn_lock_file_close(&s->lock);
}

void sn_sso_login_command(const struct sn_sso_settings *settings, struct sn_buf *out_command)
{
    bool is_session = settings->session[0] != '\0';
    const char *name = is_session ? settings->session : settings->profile;

    sn_buf_addf(out_command, "sentinel sso login --%s ", is_session ? "session" : "profile");
    if (sn_slice_is_alnum_or(sn_slice_str(name), "._-@/:+")) {
        sn_buf_add_str(out_command, name);
    } else {
        sn_buf_addf(out_command, "'%s'", name);
    }
}

static int64_t now_s(const struct search *s)
{
    return sn_clock_unix_s(s->world->clock);
}

/* --- What is kept --- */

static bool is_of_this_place(const struct search *s)
{
    const struct sn_sso_token *token = &s->token;

    return (token->start_url[0] == '\0' || strcmp(token->start_url, s->settings->start_url) == 0) &&
           (token->region[0] == '\0' || strcmp(token->region, s->settings->region) == 0);
}

static enum sn_status read_cache(struct search *s, struct sn_error *err)
{
    sn_sso_token_clear(&s->token);
    SN_TRY(sn_sso_token_load(s->path, &s->token, &s->found, err));
    /* The file is named after the session only: a token of another place is not shown to this one. */
    if (s->found && !is_of_this_place(s)) {
        sn_sso_token_clear(&s->token);
        s->found = false;
    }
    return SN_OK;
}

static bool is_rejected(const struct search *s)
{
    return s->rejected != NULL && sn_secret_eq(s->rejected, &s->token.access_token);
}

static int64_t left_s(const struct search *s)
{
    return s->found && !is_rejected(s) ? s->token.expires_unix_s - now_s(s) : 0;
}

/* Serves, and will for a while: nothing is to be done. */
static bool is_fresh(const struct search *s)
{
    int64_t left = left_s(s);

    return left > REFRESH_BEFORE_S || (left > LAST_USE_S && !sn_sso_token_can_refresh(&s->token, now_s(s)));
}

/* --- Single flight --- */

static void lock_name(const struct search *s, const char *ending, char out_name[LOCK_NAME_MAX])
{
    char digits[SN_SHA256_HEX_LEN + 1];

    sn_sha256_hex(sn_slice_str(s->path), digits);
    (void)snprintf(out_name, LOCK_NAME_MAX, "sso-%s.%s", digits, ending);
}

/*
 * A sign-in that came to nothing is noted beside the lock, with its moment: who waited for it meanwhile does not open
 * the page again. Not to be able to note it costs no more than another page.
 */
static void note_failure(const struct search *s)
{
    char name[LOCK_NAME_MAX];
    char path[SN_LOCK_PATH_MAX];
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error ignored;

    lock_name(s, "failed", name);
    sn_buf_add_int(&text, sn_clock_unix_ms(s->world->clock));
    if (sn_lock_file_path(s->world->env, name, path, &ignored) != SN_OK ||
        sn_fs_write_atomic(path, NOTE_MODE, sn_buf_slice(&text), &ignored) != SN_OK) {
        return;
    }
}

static bool failed_meanwhile(const struct search *s)
{
    char name[LOCK_NAME_MAX];
    char path[SN_LOCK_PATH_MAX];
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error ignored;
    int64_t unix_ms = 0;

    lock_name(s, "failed", name);
    return s->waited && sn_lock_file_path(s->world->env, name, path, &ignored) == SN_OK &&
           sn_fs_read(path, NOTE_MAX_BYTES, &text, &ignored) == SN_OK &&
           sn_parse_int(sn_buf_slice(&text), 0, INT64_MAX, &unix_ms, &ignored) == SN_OK && unix_ms >= s->began_unix_ms;
}

static enum sn_status locked_out(const struct search *s, struct sn_error *err)
{
    (void)sn_fail(err, SN_TIMEOUT, "SSO_LOCKED", "process %lld has been signing in for too long",
        (long long)sn_lock_file_holder(&s->lock));
    return sn_suggest(err, "finish or end that sign-in, then try again");
}

static bool can_login(const struct search *s)
{
    return s->world->person != NULL && (s->want == SN_SSO_WANT_LOGIN || s->world->person->may_login);
}

/* Without a place for locks everybody goes alone. Sets *out_busy instead of waiting while the token serves. */
static enum sn_status take_lock(struct search *s, bool *out_busy, struct sn_error *err)
{
    char name[LOCK_NAME_MAX];
    const struct sn_transport *transport = sn_sso_transport(s->sso);
    struct sn_error ignored;
    int limit_ms = can_login(s) ? WAIT_LOGIN_MS : WAIT_REFRESH_MS;
    int waited_ms = 0;

    lock_name(s, "lock", name);
    if (sn_lock_file_open(&s->lock, s->world->env, name, &ignored) != SN_OK) {
        return SN_OK;
    }
    while (!sn_lock_file_try(&s->lock)) {
        if (s->want == SN_SSO_WANT_TOKEN && left_s(s) > LAST_USE_S) {
            *out_busy = true; /* another one refreshes: what is here serves */
            return SN_OK;
        }
        if (waited_ms >= limit_ms) {
            return locked_out(s, err);
        }
        if (waited_ms == TELL_AFTER_MS && s->world->person != NULL) {
            s->world->person->say(s->world->person->ctx, "waiting for another login...");
        }
        transport->wait_ms(transport->ctx, POLL_MS);
        waited_ms += POLL_MS;
        s->waited = true;
    }
    return SN_OK;
}

/* --- Getting another one --- */

static enum sn_status refresh(struct search *s, struct sn_error *err)
{
    SN_AUTO(sn_sso_grant_clear) struct sn_sso_grant grant = {0};

    SN_TRY(sn_sso_token_for_refresh(
        s->sso, &s->token.client_id, &s->token.client_secret, &s->token.refresh_token, &grant, err));
    sn_secret_move(&s->token.access_token, &grant.access_token);
    if (sn_secret_is_set(&grant.refresh_token)) {
        sn_secret_move(&s->token.refresh_token, &grant.refresh_token);
    }
    s->token.expires_unix_s = now_s(s) + grant.expires_in_s;
    return sn_sso_token_save(s->path, &s->token, err);
}

/* Nobody may be asked: what is to be done instead. */
static enum sn_status nobody_to_ask(const struct search *s, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf command = {0};

    sn_sso_login_command(s->settings, &command);
    if (!s->found) {
        (void)sn_fail(
            err, SN_UNAUTHENTICATED, "SSO_NO_CREDENTIALS", "nobody is signed in to %s", s->settings->start_url);
    } else if (is_rejected(s)) {
        (void)sn_fail(err, SN_UNAUTHENTICATED, "SSO_INVALID_TOKEN", "%s does not accept the sign-in any more",
            s->settings->start_url);
    } else {
        (void)sn_fail(
            err, SN_UNAUTHENTICATED, "SSO_EXPIRED_TOKEN", "the sign-in to %s has expired", s->settings->start_url);
    }
    return sn_suggest(err, "run: %s", sn_buf_str(&command));
}

static enum sn_status login(struct search *s, struct sn_error *err)
{
    const struct sn_sso_person *person = s->world->person;

    if (!can_login(s)) {
        return nobody_to_ask(s, err);
    }
    if (failed_meanwhile(s)) {
        (void)sn_fail(err, SN_DENIED, "SSO_LOGIN_FAILED", "the sign-in that this one waited for did not succeed");
        return sn_suggest(err, "try again");
    }
    if (s->want != SN_SSO_WANT_LOGIN) {
        person->say(person->ctx,
            s->found ? "SSO credentials expired. Initiating login..." : "No SSO credentials. Initiating login...");
    }
    if (sn_sso_login(s->world, s->sso, s->settings, &s->token, err) != SN_OK) {
        note_failure(s);
        return err->status;
    }
    s->found = true;
    SN_TRY(sn_sso_token_save(s->path, &s->token, err));
    if (s->want != SN_SSO_WANT_LOGIN) {
        person->say(person->ctx, "Retrying operation...");
    }
    return SN_OK;
}

/* With the lock: what another one left may serve by now. */
static enum sn_status renew(struct search *s, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret before = {0};
    struct sn_error why = {0};

    if (s->found) {
        sn_secret_set(&before, sn_secret_reveal(&s->token.access_token));
    }
    SN_TRY(read_cache(s, err));
    bool is_new = s->found && !sn_secret_eq(&before, &s->token.access_token);
    if (is_fresh(s) && (s->want != SN_SSO_WANT_LOGIN || (s->waited && is_new))) {
        return SN_OK;
    }
    if (s->want == SN_SSO_WANT_LOGIN) {
        return login(s, err);
    }
    if (s->found && sn_sso_token_can_refresh(&s->token, now_s(s))) {
        if (refresh(s, &why) == SN_OK) {
            return SN_OK;
        }
        if (left_s(s) > LAST_USE_S) {
            return SN_OK;
        }
        /* The network, not the sign-in: a page in a browser would not help. */
        if (sn_error_is(&why, "SSO_NETWORK_ERROR") || sn_error_is(&why, "SSO_THROTTLED")) {
            *err = why;
            return err->status;
        }
    }
    return login(s, err);
}

static enum sn_status find_token(struct search *s, struct sn_error *err)
{
    bool is_busy = false;

    s->began_unix_ms = sn_clock_unix_ms(s->world->clock);
    SN_TRY(sn_sso_cache_path(s->world->env, "", sn_sso_settings_key(s->settings), s->path, err));
    SN_TRY(read_cache(s, err));
    if (s->want == SN_SSO_WANT_TOKEN && is_fresh(s)) {
        return SN_OK;
    }
    /* Without anybody to ask and anything to refresh there is nothing to wait for. */
    if (!can_login(s) && !(s->found && sn_sso_token_can_refresh(&s->token, now_s(s)))) {
        return nobody_to_ask(s, err);
    }
    SN_TRY(take_lock(s, &is_busy, err));
    return is_busy ? SN_OK : renew(s, err);
}

static enum sn_status get_token(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    struct sn_sso *sso, enum sn_sso_want want, const struct sn_secret *rejected, struct sn_sso_token *out_token,
    struct sn_error *err)
{
    SN_AUTO(search_clear)
    struct search s = {
        .world = world, .settings = settings, .sso = sso, .want = want, .rejected = rejected, .lock = {.fd = -1}};

    SN_TRY(find_token(&s, err));
    sn_sso_token_clear(out_token);
    *out_token = s.token;
    s.token = (struct sn_sso_token){0};
    return SN_OK;
}

/* --- The client of a profile --- */

/* The environment, with the profile's endpoint_url behind it. */
struct wrapped_env {
    const struct sn_env *env;
    const char *endpoint_url;
};

static const char *wrapped_get(void *ctx, const char *name)
{
    const struct wrapped_env *w = ctx;
    const char *value = w->env->get(w->env->ctx, name);

    return value == NULL && w->endpoint_url[0] != '\0' && strcmp(name, "AWS_ENDPOINT_URL") == 0 ? w->endpoint_url
                                                                                                : value;
}

static enum sn_status open_client(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    struct sn_sso **out_sso, struct sn_error *err)
{
    struct wrapped_env wrapped = {.env = world->env, .endpoint_url = settings->endpoint_url};
    const struct sn_env env = {.get = wrapped_get, .ctx = &wrapped};
    struct sn_sso_options options = {.region = settings->region,
        .env = &env,
        .clock = world->clock,
        .ca_file = world->ca_file,
        .transport = world->transport};

    return sn_sso_new(&options, out_sso, err);
}

enum sn_status sn_sso_get_token(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    enum sn_sso_want want, struct sn_sso_token *out_token, struct sn_error *err)
{
    SN_AUTO(sn_sso_free_p) struct sn_sso *sso = NULL;

    SN_TRY(open_client(world, settings, &sso, err));
    return get_token(world, settings, sso, want, NULL, out_token, err);
}

/* --- The portal --- */

typedef enum sn_status (*ask_fn)(
    struct sn_sso *sso, const struct sn_secret *access_token, void *ctx, struct sn_error *err);

/* Asks with the token at hand, and once more with another when the portal does not take it. */
static enum sn_status ask_portal(const struct sn_sso_world *world, const struct sn_sso_settings *settings, ask_fn ask,
    void *ctx, struct sn_error *err)
{
    SN_AUTO(sn_sso_free_p) struct sn_sso *sso = NULL;
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token second = {0};

    SN_TRY(open_client(world, settings, &sso, err));
    SN_TRY(get_token(world, settings, sso, SN_SSO_WANT_TOKEN, NULL, &token, err));
    enum sn_status status = ask(sso, &token.access_token, ctx, err);
    if (status == SN_OK || !sn_error_is(err, "SSO_INVALID_TOKEN")) {
        return status;
    }
    SN_TRY(get_token(world, settings, sso, SN_SSO_WANT_TOKEN, &token.access_token, &second, err));
    return ask(sso, &second.access_token, ctx, err);
}

struct role_question {
    const struct sn_sso_world *world;
    const struct sn_sso_settings *settings;
    struct sn_credentials *out;
};

static enum sn_status ask_role(
    struct sn_sso *sso, const struct sn_secret *access_token, void *ctx, struct sn_error *err)
{
    const struct role_question *q = ctx;
    bool keeps = q->world->keeps_roles;
    int64_t now = sn_clock_unix_s(q->world->clock);

    if (keeps && sn_sso_role_cache_find(q->world->keyctl, q->settings, access_token, now, q->out)) {
        return SN_OK;
    }
    SN_TRY(sn_sso_role_credentials(
        sso, access_token, sn_slice_str(q->settings->account_id), sn_slice_str(q->settings->role_name), q->out, err));
    if (keeps) {
        sn_sso_role_cache_store(q->world->keyctl, q->settings, access_token, now, q->out);
    }
    return SN_OK;
}

enum sn_status sn_sso_get_credentials(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    struct sn_credentials *out_credentials, struct sn_error *err)
{
    struct role_question question = {.world = world, .settings = settings, .out = out_credentials};
    enum sn_status status = ask_portal(world, settings, ask_role, &question, err);

    if (status != SN_OK && sn_error_is(err, "SSO_NO_ACCESS")) {
        return sn_suggest(err, "see what is assigned: sentinel sso roles --account %s --profile %s",
            settings->account_id, settings->profile);
    }
    return status;
}

struct list_question {
    struct sn_slice account_id;
    struct sn_sso_list *list;
};

static enum sn_status ask_list(
    struct sn_sso *sso, const struct sn_secret *access_token, void *ctx, struct sn_error *err)
{
    const struct list_question *q = ctx;

    return q->account_id.len > 0 ? sn_sso_roles(sso, access_token, q->account_id, q->list, err)
                                 : sn_sso_accounts(sso, access_token, q->list, err);
}

enum sn_status sn_sso_get_list(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    struct sn_slice account_id, struct sn_sso_list *list, struct sn_error *err)
{
    struct list_question question = {.account_id = account_id, .list = list};

    return ask_portal(world, settings, ask_list, &question, err);
}

static enum sn_status remove_registrations(
    const struct sn_sso_world *world, const struct sn_sso_settings *settings, struct sn_error *err)
{
    char path[SN_SSO_CACHE_PATH_MAX];
    bool removed = false;

    for (int for_code = 0; for_code < 2; for_code++) {
        SN_TRY(sn_sso_client_path(world, settings, for_code == 1, path, err));
        SN_TRY(sn_sso_cache_remove(path, &removed, err));
    }
    return SN_OK;
}

enum sn_status sn_sso_sign_out(
    const struct sn_sso_world *world, const struct sn_sso_settings *settings, bool *out_was_in, struct sn_error *err)
{
    SN_AUTO(sn_sso_free_p) struct sn_sso *sso = NULL;
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    char path[SN_SSO_CACHE_PATH_MAX];
    struct sn_error told = {0};
    enum sn_status status = SN_OK;

    SN_TRY(open_client(world, settings, &sso, err));
    SN_TRY(sn_sso_cache_path(world->env, "", sn_sso_settings_key(settings), path, err));
    SN_TRY(sn_sso_token_load(path, &token, out_was_in, err));
    if (*out_was_in && token.expires_unix_s > sn_clock_unix_s(world->clock)) {
        status = sn_sso_logout(sso, &token.access_token, &told);
        /* Ended already is as good as ended. */
        status = status != SN_OK && sn_error_is(&told, "SSO_INVALID_TOKEN") ? SN_OK : status;
    }
    SN_TRY(sn_sso_cache_remove(path, out_was_in, err));
    SN_TRY(remove_registrations(world, settings, err));
    if (status != SN_OK) {
        *err = told;
        (void)sn_error_context(err, "signed out here, but");
        return err->status;
    }
    return SN_OK;
}
