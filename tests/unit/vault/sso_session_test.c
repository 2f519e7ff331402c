/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_session.c, sso_login.c: the device flow, refreshes and second tries over a scripted network and clock.
 */
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "scripted_keyctl.h"
#include "scripted_transport.h"
#include "vault/sso_session.h"

#define START "https://corp.example/start#/"
#define NOW 1769940000 /* 2026-02-01T10:00:00Z */
#define REGISTERED                                                                                                     \
    {                                                                                                                  \
        .http_status = 200, .content_type = "application/json",                                                        \
        .body = "{\"clientId\":\"CANARY-client\",\"clientSecret\":\"CANARY-client-secret\","                           \
                "\"clientSecretExpiresAt\":1777716000}"                                                                \
    }
#define STARTED(interval)                                                                                              \
    {                                                                                                                  \
        .http_status = 200, .content_type = "application/json",                                                        \
        .body = "{\"deviceCode\":\"CANARY-device\",\"userCode\":\"ABCD-EFGH\",\"verificationUri\":"                    \
                "\"https://device.example/\",\"verificationUriComplete\":\"https://device.example/?user_code="         \
                "ABCD-EFGH\",\"expiresIn\":600,\"interval\":" interval "}"                                             \
    }
#define TOKEN(name)                                                                                                    \
    {                                                                                                                  \
        .http_status = 200, .content_type = "application/json",                                                        \
        .body = "{\"accessToken\":\"CANARY-" name "\",\"tokenType\":\"Bearer\",\"expiresIn\":28800,"                   \
                "\"refreshToken\":\"CANARY-refresh-of-" name "\"}"                                                     \
    }
#define FAULT(http, type)                                                                                              \
    {                                                                                                                  \
        .http_status = (http), .content_type = "application/json", .body = "{}",                                       \
        .extra_header = "x-amzn-errortype: " type                                                                      \
    }
#define ROLE                                                                                                           \
    {                                                                                                                  \
        .http_status = 200, .content_type = "application/json",                                                        \
        .body = "{\"roleCredentials\":{\"accessKeyId\":\"ASIAEXAMPLE000000001\",\"secretAccessKey\":\"CANARY-key\","   \
                "\"sessionToken\":\"CANARY-session\",\"expiration\":1769943600000}}"                                   \
    }

struct fixture {
    char home[40], path[SN_SSO_CACHE_PATH_MAX];
    struct sn_env env;
    struct script script;
    struct sn_transport transport;
    struct sn_clock clock;
    struct sn_sso_person person;
    struct sn_buf shown;
    struct sn_sso_world world;
    struct sn_sso_settings settings;
};

static const char *fixture_env(void *ctx, const char *name)
{
    return strcmp(name, "HOME") == 0 ? ctx : NULL;
}

static void take_line(void *ctx, const char *text)
{
    sn_buf_addf(ctx, "%s\n", text);
}

static void begin(struct fixture *f, const struct scripted_reply *replies, size_t count)
{
    struct sn_error err;
    *f = (struct fixture){.home = "/tmp/sso_session_testXXXXXX"};
    assert_non_null(mkdtemp(f->home));
    f->env = (struct sn_env){.get = fixture_env, .ctx = f->home};
    f->script = (struct script){.replies = replies, .reply_count = count, .now_ns = (int64_t)NOW * 1000000000};
    f->transport = script_transport(&f->script);
    f->clock = script_clock(&f->script);
    f->person = (struct sn_sso_person){.may_login = true, .say = take_line, .show_code = take_line, .ctx = &f->shown};
    f->world = (struct sn_sso_world){.env = &f->env,
        .clock = &f->clock,
        .random_source = sn_random_system(),
        .transport = &f->transport,
        .person = &f->person};
    f->settings = (struct sn_sso_settings){.session = "corp",
        .start_url = START,
        .region = "eu-west-1",
        .scopes = "sso:account:access",
        .account_id = "123456789012",
        .role_name = "Dev",
        .profile = "dev"};
    assert_ok(sn_sso_cache_path(&f->env, "", SN_S("corp"), f->path, &err), &err);
}

static void end(struct fixture *f)
{
    script_clear(&f->script);
    sn_buf_clear(&f->shown);
}

/* A token that ends so many seconds from now. */
static void keep_token(struct fixture *f, int64_t left_s, bool refreshes)
{
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {.start_url = START, .region = "eu-west-1"};
    struct sn_error err;
    sn_secret_set(&token.access_token, SN_S("CANARY-old"));
    token.expires_unix_s = NOW + left_s;
    if (refreshes) {
        sn_secret_set(&token.refresh_token, SN_S("CANARY-refresh"));
        sn_secret_set(&token.client_id, SN_S("CANARY-client"));
        sn_secret_set(&token.client_secret, SN_S("CANARY-client-secret"));
        token.registration_expires_unix_s = NOW + 86400;
    }
    assert_ok(sn_sso_token_save(f->path, &token, &err), &err);
}

static void assert_kept(const struct fixture *f, const char *access, const char *refresh)
{
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    struct sn_error err;
    bool found = false;
    assert_ok(sn_sso_token_load(f->path, &token, &found, &err), &err);
    assert_true(found);
    assert_true(sn_secret_eq_slice(&token.access_token, sn_slice_str(access)));
    assert_true(sn_secret_eq_slice(&token.refresh_token, sn_slice_str(refresh)));
}

static bool was_sent(const struct fixture *f, size_t call, const char *text)
{
    return strstr(sn_buf_str(&f->script.sent[call]), text) != NULL;
}

/* VLT-21, VLT-08: two pending answers, one slow_down, then a token; the start URL goes out whole. */
static void device_flow(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {REGISTERED, STARTED("2"),
        FAULT(400, "AuthorizationPendingException"), FAULT(400, "AuthorizationPendingException"),
        FAULT(400, "SlowDownException"), TOKEN("new")};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, SN_LEN(replies));
    assert_ok(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err);
    static const int waits[] = {2000, 2000, 2000, 7000};
    assert_int_equal(f.script.waits, SN_LEN(waits));
    assert_memory_equal(f.script.waited_ms, waits, sizeof(waits));
    assert_true(was_sent(&f, 0, "POST https://oidc.eu-west-1.amazonaws.com/client/register\n"));
    assert_true(was_sent(&f, 0, "\"scopes\":[\"sso:account:access\"]"));
    assert_true(was_sent(&f, 1, "\"startUrl\":\"" START "\""));
    assert_non_null(strstr(sn_buf_str(&f.shown), "\n  https://device.example/?user_code=ABCD-EFGH\n  ABCD-EFGH\n"));
    assert_null(strstr(sn_buf_str(&f.shown), "CANARY"));
    assert_kept(&f, "CANARY-new", "CANARY-refresh-of-new");
    assert_int_equal(token.expires_unix_s, NOW + 13 + 28800);
    end(&f);
}

static void device_flow_ends(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct scripted_reply last;
        const char *code, *words;
    } rows[] = {
        {"expired", FAULT(400, "ExpiredTokenException"), "SSO_LOGIN_TIMEOUT", "in time"},
        {"declined", FAULT(400, "AccessDeniedException"), "SSO_LOGIN_FAILED", "declined in the browser"},
        {"anything else", FAULT(400, "InvalidRequestException"), "SSO_LOGIN_FAILED", "InvalidRequestException"},
        {"a page", {.http_status = 200, .content_type = "text/html", .body = "<html>"}, "SSO_LOGIN_FAILED", "form"},
        {"a redirect", {.http_status = 302, .content_type = "text/html", .body = ""}, "SSO_LOGIN_FAILED", "302"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        const struct scripted_reply replies[] = {REGISTERED, STARTED("1"), rows[i].last};
        SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
        struct fixture f;
        struct sn_error err;
        print_message("# %s\n", rows[i].name);
        begin(&f, replies, SN_LEN(replies));
        assert_fails(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err, rows[i].code);
        assert_non_null(strstr(err.message, rows[i].words));
        assert_int_equal(access(f.path, F_OK), -1);
        end(&f);
    }
}

/* Faults of the network pass, until the time the peer gave is over. */
static void device_flow_outlives_the_network(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {REGISTERED, STARTED("60"),
        {.status = SN_UNAVAILABLE, .error_code = "HTTP_CONNECT"}, FAULT(500, "InternalServerException"),
        FAULT(429, "TooManyRequestsException"), TOKEN("new")};
    static const struct scripted_reply never[] = {REGISTERED,
        {.http_status = 200,
            .content_type = "application/json",
            .body = "{\"deviceCode\":\"d\",\"userCode\":\"A\",\"verificationUri\":\"https://device.example/\","
                    "\"expiresIn\":100,\"interval\":30}"},
        FAULT(400, "AuthorizationPendingException")};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, SN_LEN(replies));
    assert_ok(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err);
    end(&f);
    begin(&f, never, SN_LEN(never));
    assert_fails(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err, "SSO_LOGIN_TIMEOUT");
    assert_int_equal(f.script.calls, 2 + 3); /* at 30, 60 and 90 s */
    end(&f);
}

/* ATK-30: a service that keeps us waiting is asked ever less often, and not for ever. */
static void attack_30_endless_waits(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {REGISTERED,
        {.http_status = 200,
            .content_type = "application/json",
            .body = "{\"deviceCode\":\"d\",\"userCode\":\"A\",\"verificationUri\":\"https://device.example/\","
                    "\"expiresIn\":34560000,\"interval\":60}"},
        FAULT(400, "SlowDownException")};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, SN_LEN(replies));
    assert_fails(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err, "SSO_LOGIN_TIMEOUT");
    assert_in_range(f.script.mono_ns / 1000000000, 3600, 3720);
    end(&f);
}

/* ATK-30: with another start URL or region in the config the kept token is shown to nobody. */
static void attack_30_token_of_another_place(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
        struct fixture f;
        struct sn_error err;
        begin(&f, NULL, 0);
        f.person.may_login = false;
        keep_token(&f, 7200, true);
        if (i == 0) {
            (void)snprintf(f.settings.start_url, sizeof(f.settings.start_url), "https://evil.example/start");
        } else {
            (void)snprintf(f.settings.region, sizeof(f.settings.region), "us-east-1");
        }
        assert_fails(sn_sso_get_credentials(&f.world, &f.settings, &credentials, &err), &err, "SSO_NO_CREDENTIALS");
        assert_int_equal(f.script.calls, 0);
        end(&f);
    }
}

/* A registration is kept, and made anew when the peer has forgotten it. */
static void registration_is_kept(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {REGISTERED, STARTED("1"), TOKEN("one"), STARTED("1"), TOKEN("two")};
    static const struct scripted_reply again[] = {
        FAULT(401, "InvalidClientException"), REGISTERED, STARTED("1"), TOKEN("three")};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, SN_LEN(replies));
    assert_ok(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err);
    assert_ok(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err);
    assert_int_equal(f.script.calls, SN_LEN(replies));
    assert_true(was_sent(&f, 3, "/device_authorization\n"));
    script_clear(&f.script);
    f.script = (struct script){.replies = again, .reply_count = SN_LEN(again), .now_ns = f.script.now_ns};
    assert_ok(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_LOGIN, &token, &err), &err);
    assert_true(was_sent(&f, 1, "/client/register\n"));
    assert_kept(&f, "CANARY-three", "CANARY-refresh-of-three");
    end(&f);
}

/* VLT-23: ten minutes before the end the token is refreshed in silence, and the next refresh token is kept. */
static void refresh_in_silence(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {TOKEN("next")};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, 1);
    f.world.person = NULL;
    keep_token(&f, 901, true);
    assert_ok(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_TOKEN, &token, &err), &err);
    assert_int_equal(f.script.calls, 0);
    keep_token(&f, 600, true);
    assert_ok(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_TOKEN, &token, &err), &err);
    assert_int_equal(f.script.calls, 1);
    assert_true(was_sent(&f, 0, "\"grantType\":\"refresh_token\",\"refreshToken\":\"CANARY-refresh\""));
    assert_kept(&f, "CANARY-next", "CANARY-refresh-of-next");
    end(&f);
}

static void refresh_that_fails(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t left_s;
        struct scripted_reply reply;
        const char *code; /* NULL: the old token goes on serving */
    } rows[] = {
        {"refused, the old one serves", 600, FAULT(400, "InvalidGrantException"), NULL},
        {"no network, the old one serves", 301, {.status = SN_UNAVAILABLE, .error_code = "HTTP_CONNECT"}, NULL},
        {"refused near the end", 300, FAULT(400, "InvalidGrantException"), "SSO_EXPIRED_TOKEN"},
        {"refused after the end", -1, FAULT(400, "InvalidGrantException"), "SSO_EXPIRED_TOKEN"},
        {"no network after the end", -1, {.status = SN_UNAVAILABLE, .error_code = "HTTP_CONNECT"}, "SSO_NETWORK_ERROR"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
        struct fixture f;
        struct sn_error err;
        print_message("# %s\n", rows[i].name);
        begin(&f, &rows[i].reply, 1);
        f.world.person = NULL;
        keep_token(&f, rows[i].left_s, true);
        enum sn_status status = sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_TOKEN, &token, &err);
        assert_int_equal(f.script.calls, 1); /* a refresh uses its token up: it is not repeated */
        assert_int_equal(status == SN_OK, rows[i].code == NULL);
        if (rows[i].code != NULL) {
            assert_string_equal(err.code, rows[i].code);
        }
        assert_kept(&f, "CANARY-old", "CANARY-refresh");
        end(&f);
    }
}

static void nobody_to_ask(void **state)
{
    (void)state;
    static const struct {
        int64_t left_s; /* 0: no token at all */
        const char *code;
    } rows[] = {{0, "SSO_NO_CREDENTIALS"}, {-5, "SSO_EXPIRED_TOKEN"}, {300, "SSO_EXPIRED_TOKEN"}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
        struct fixture f;
        struct sn_error err;
        begin(&f, NULL, 0);
        f.person.may_login = false;
        if (rows[i].left_s != 0) {
            keep_token(&f, rows[i].left_s, false);
        }
        assert_fails(sn_sso_get_token(&f.world, &f.settings, SN_SSO_WANT_TOKEN, &token, &err), &err, rows[i].code);
        assert_string_equal(err.suggestion, "run: sentinel sso login --session corp");
        assert_int_equal(f.script.calls, 0);
        end(&f);
    }
}

/* VLT-22: a token that the portal does not take is replaced once, and what is asked for is asked again once. */
static void second_try(void **state)
{
    (void)state;
    static const struct scripted_reply by_login[] = {
        FAULT(401, "UnauthorizedException"), REGISTERED, STARTED("1"), TOKEN("new"), ROLE};
    static const struct scripted_reply by_refresh[] = {FAULT(401, "UnauthorizedException"), TOKEN("new"), ROLE};
    static const struct scripted_reply in_vain[] = {
        FAULT(401, "UnauthorizedException"), TOKEN("new"), FAULT(401, "UnauthorizedException")};
    static const struct {
        const struct scripted_reply *replies;
        size_t count;
        bool refreshes, works;
    } rows[] = {
        {by_login, SN_LEN(by_login), false, true},
        {by_refresh, SN_LEN(by_refresh), true, true},
        {in_vain, SN_LEN(in_vain), true, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
        struct fixture f;
        struct sn_error err;
        begin(&f, rows[i].replies, rows[i].count);
        keep_token(&f, 3600, rows[i].refreshes);
        enum sn_status status = sn_sso_get_credentials(&f.world, &f.settings, &credentials, &err);
        assert_int_equal(status == SN_OK, rows[i].works);
        assert_int_equal(f.script.calls, rows[i].count);
        assert_true(was_sent(&f, 0, "x-amz-sso_bearer_token: CANARY-old\n"));
        assert_true(was_sent(&f, rows[i].count - 1, "x-amz-sso_bearer_token: CANARY-new\n"));
        if (rows[i].works) {
            assert_string_equal(credentials.access_key_id, "ASIAEXAMPLE000000001");
        } else {
            assert_string_equal(err.code, "SSO_INVALID_TOKEN");
        }
        assert_int_equal(strstr(sn_buf_str(&f.shown), "Initiating login...") != NULL, !rows[i].refreshes);
        end(&f);
    }
}

/* VLT-24: 403 is an answer, not a sign-in gone bad. */
static void no_access(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {FAULT(403, "ForbiddenException")};
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, 1);
    keep_token(&f, 3600, true);
    assert_fails(sn_sso_get_credentials(&f.world, &f.settings, &credentials, &err), &err, "SSO_NO_ACCESS");
    assert_non_null(strstr(err.message, "'Dev' of account 123456789012"));
    assert_non_null(strstr(err.suggestion, "sentinel sso roles"));
    assert_int_equal(f.script.calls, 1);
    assert_int_equal(f.shown.len, 0);
    end(&f);
}

/* Faults that pass are tried again; what uses something up is not. */
static void retries(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {
        {.status = SN_TIMEOUT, .error_code = "HTTP_TIMEOUT"}, FAULT(503, "x"), ROLE};
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, SN_LEN(replies));
    keep_token(&f, 3600, true);
    assert_ok(sn_sso_get_credentials(&f.world, &f.settings, &credentials, &err), &err);
    assert_int_equal(f.script.waits, 2);
    assert_true(was_sent(&f, 2,
        "GET "
        "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=Dev&account_id=123456789012\n"));
    end(&f);
}

/* Role credentials are kept in the kernel, for the token they were got with. */
static void roles_are_kept(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {ROLE, ROLE, ROLE, ROLE};
    struct fixture f;
    struct sn_error err;
    begin(&f, replies, SN_LEN(replies));
    kernel = (__typeof__(kernel)){0};
    f.world.keyctl = &keyctl;
    keep_token(&f, 7200, false);
    static const struct {
        const char *name;
        size_t calls;
    } rows[] = {{"kept nowhere", 1}, {"the first one", 2}, {"from the kernel", 2}, {"another role", 3},
        {"from the kernel again", 3}, {"another sign-in", 4}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
        print_message("# %s\n", rows[i].name);
        f.world.keeps_roles = i > 0;
        (void)snprintf(f.settings.role_name, sizeof(f.settings.role_name), "%s", i == 3 ? "Ops" : "Dev");
        if (i == 5) {
            SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {.expires_unix_s = NOW + 7200};
            sn_secret_set(&token.access_token, SN_S("CANARY-of-bob"));
            assert_ok(sn_sso_token_save(f.path, &token, &err), &err);
        }
        assert_ok(sn_sso_get_credentials(&f.world, &f.settings, &credentials, &err), &err);
        assert_string_equal(credentials.access_key_id, "ASIAEXAMPLE000000001");
        assert_true(sn_secret_eq_slice(&credentials.session_token, SN_S("CANARY-session")));
        assert_int_equal(f.script.calls, rows[i].calls);
    }
    int kept = 0;
    for (int i = 0; i < KEYS_MAX; i++) {
        if (kernel.keys[i].in_ring) {
            kept++;
            assert_int_equal(kernel.keys[i].timeout_s, 3600 - 300);
        }
    }
    assert_int_equal(kept, 2); /* one for each role: the new sign-in's took the place of the old one's */
    kernel.refuse_link = EPERM;
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    assert_ok(sn_sso_get_credentials(&f.world, &f.settings, &credentials, &err), &err);
    end(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_flow),
        cmocka_unit_test(device_flow_ends),
        cmocka_unit_test(device_flow_outlives_the_network),
        cmocka_unit_test(attack_30_endless_waits),
        cmocka_unit_test(attack_30_token_of_another_place),
        cmocka_unit_test(registration_is_kept),
        cmocka_unit_test(refresh_in_silence),
        cmocka_unit_test(refresh_that_fails),
        cmocka_unit_test(nobody_to_ask),
        cmocka_unit_test(second_try),
        cmocka_unit_test(no_access),
        cmocka_unit_test(retries),
        cmocka_unit_test(roles_are_kept),
    };
    return cmocka_run_group_tests_name("vault/sso_session", tests, NULL, NULL);
}
