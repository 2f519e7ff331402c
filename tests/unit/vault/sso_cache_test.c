/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_cache.c: names and forms that AWS's tools share, and files that are not trusted.
 */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "vault/sso_cache.h"
#include "vault/sso_role_cache.h"

#define FULL                                                                                                           \
    "{\"startUrl\":\"https://corp.example/start\",\"region\":\"eu-west-1\",\"accessToken\":\"a\",\"expiresAt\":"       \
    "\"2026-03-01T11:00:00Z\",\"refreshToken\":\"r\",\"clientId\":\"i\",\"clientSecret\":\"s\","                       \
    "\"registrationExpiresAt\":\"2026-05-30T10:00:00Z\"}"

static const char *home_env(void *ctx, const char *name)
{
    return strcmp(name, "HOME") == 0 ? ctx : NULL;
}

/* VLT-26: the published names for a session and for a start URL. */
static void names(void **state)
{
    (void)state;
    char home[] = "/h/ana";
    const struct sn_env env = {.get = home_env, .ctx = home};
    char path[SN_SSO_CACHE_PATH_MAX];
    struct sn_error err;
    assert_ok(sn_sso_cache_path(&env, "", SN_S("corp"), path, &err), &err);
    assert_string_equal(path, "/h/ana/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json");
    assert_ok(sn_sso_cache_path(&env, "", SN_S("https://example.awsapps.com/start"), path, &err), &err);
    assert_string_equal(path, "/h/ana/.aws/sso/cache/e8be5486177c5b5392bd9aa76563515b29358e6e.json");
    const struct sn_env nowhere = {.get = home_env, .ctx = NULL};
    assert_fails(sn_sso_cache_path(&nowhere, "", SN_S("corp"), path, &err), &err, "CONFIG_NO_HOME");
}

static void written_as_read(void **state)
{
    (void)state;
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;
    assert_ok(sn_sso_token_parse(SN_S(FULL), &token, &err), &err);
    assert_int_equal(token.expires_unix_s, 1772362800);
    assert_true(sn_sso_token_can_refresh(&token, 1772362800));
    assert_false(sn_sso_token_can_refresh(&token, token.registration_expires_unix_s));
    sn_sso_token_format(&token, &text);
    assert_string_equal(sn_buf_str(&text), FULL);
}

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int64_t expires; /* 0: refused */
        bool refreshes;
    } rows[] = {
        {"{\"accessToken\":\"a\",\"expiresAt\":\"2026-03-01T11:00:00UTC\"}", 1772362800, false},
        {"{\"accessToken\":\"a\",\"expiresAt\":\"2026-03-01T13:00:00.123+02:00\",\"more\":{\"x\":[1]}}", 1772362800,
            false},
        {"{\"accessToken\":\"a\",\"expiresAt\":\"2026-03-01T11:00:00Z\",\"refreshToken\":\"r\"}", 1772362800, false},
        {"{\"accessToken\":\"a\",\"expiresAt\":\"2026-03-01T11:00:00Z\",\"refreshToken\":null}", 1772362800, false},
        {FULL, 1772362800, true},
        {"", 0, false},
        {"{", 0, false},
        {"[]", 0, false},
        {"{\"accessToken\":\"a\"}", 0, false},
        {"{\"expiresAt\":\"2026-03-01T11:00:00Z\"}", 0, false},
        {"{\"accessToken\":\"a\",\"expiresAt\":1772362800}", 0, false},
        {"{\"accessToken\":\"a\",\"expiresAt\":\"soon\"}", 0, false},
        {"{\"accessToken\":\"a\",\"expiresAt\":\"UTC\"}", 0, false},
        {"{\"accessToken\":\"\",\"expiresAt\":\"2026-03-01T11:00:00Z\"}", 0, false},
        {"{\"accessToken\":\"a\\r\\nx: y\",\"expiresAt\":\"2026-03-01T11:00:00Z\"}", 0, false},
        {"{\"accessToken\":\"a\",\"expiresAt\":\"2026-03-01T11:00:00Z\",\"registrationExpiresAt\":\"x\"}", 0, false},
        {"{\"accessToken\":\"a\",\"expiresAt\":\"2026-03-01T11:00:00Z\",\"clientId\":\"\\u001b\"}", 0, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
        struct sn_error err;
        print_message("# %s\n", rows[i].json);
        enum sn_status status = sn_sso_token_parse(sn_slice_str(rows[i].json), &token, &err);
        assert_int_equal(status == SN_OK, rows[i].expires != 0);
        assert_int_equal(token.expires_unix_s, rows[i].expires);
        assert_int_equal(sn_sso_token_can_refresh(&token, 1772362800), rows[i].refreshes);
    }
}

static void registrations(void **state)
{
    (void)state;
    SN_AUTO(sn_sso_client_clear) struct sn_sso_client client = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;
    static const char good[] = "{\"clientId\":\"i\",\"clientSecret\":\"s\",\"expiresAt\":\"2026-05-30T10:00:00Z\","
                               "\"authorizationEndpoint\":\"https://oidc.example/authorize\"}";
    assert_ok(sn_sso_client_parse(sn_slice_str(good), &client, &err), &err);
    sn_sso_client_format(&client, &text);
    assert_string_equal(sn_buf_str(&text), good);
    assert_fails(sn_sso_client_parse(SN_S("{\"clientId\":\"i\",\"clientSecret\":\"s\",\"expiresAt\":"
                                          "\"2026-05-30T10:00:00Z\",\"authorizationEndpoint\":\"file:///x\"}"),
                     &client, &err),
        &err, "SSO_CACHE_INVALID");
}

static void files(void **state)
{
    (void)state;
    char home[] = "/tmp/sso_cache_testXXXXXX";
    assert_non_null(mkdtemp(home));
    const struct sn_env env = {.get = home_env, .ctx = home};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token again = {0};
    char path[SN_SSO_CACHE_PATH_MAX], other[SN_SSO_CACHE_PATH_MAX];
    struct sn_error err;
    struct stat st;
    bool found = true;
    assert_ok(sn_sso_cache_path(&env, "", SN_S("corp"), path, &err), &err);
    assert_ok(sn_sso_cache_path(&env, "", SN_S("link"), other, &err), &err);
    assert_ok(sn_sso_token_load(path, &again, &found, &err), &err);
    assert_false(found);
    assert_ok(sn_sso_token_parse(SN_S(FULL), &token, &err), &err);
    umask(0);
    assert_ok(sn_sso_token_save(path, &token, &err), &err);
    umask(022);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_ok(sn_sso_token_load(path, &again, &found, &err), &err);
    assert_true(found && again.expires_unix_s == token.expires_unix_s);

    assert_int_equal(symlink(path, other), 0);
    assert_int_not_equal(sn_sso_token_load(other, &again, &found, &err), SN_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_fails(sn_sso_token_load(path, &again, &found, &err), &err, "FILE_PERMISSIONS");
    assert_non_null(strstr(err.suggestion, "chmod 0600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_ok(sn_fs_write_atomic(path, 0600, SN_S("{\"accessToken\":1}"), &err), &err);
    assert_ok(sn_sso_token_load(path, &again, &found, &err), &err);
    assert_false(found); /* another form counts as absent */
    assert_ok(sn_sso_cache_remove(path, &found, &err), &err);
    assert_true(found);
    assert_ok(sn_sso_cache_remove(path, &found, &err), &err);
    assert_false(found);
    (void)unlink(other);
}

/* A kept role serves its own key only, and not in its last five minutes. */
static void role_items(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials held = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials found = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    memcpy(held.access_key_id, "ASIAEXAMPLE000000001", 21);
    sn_secret_set(&held.secret_access_key, SN_S("CANARY"));
    sn_secret_set(&held.session_token, SN_S("t"));
    held.expires_unix_s = 1769943600;
    sn_sso_role_item_format(SN_S("key of alice"), &held, &text);
    struct sn_slice item = sn_buf_slice(&text);
    assert_true(sn_sso_role_item_read(item, SN_S("key of alice"), 1769943300, &found));
    assert_int_equal(found.expires_unix_s, held.expires_unix_s);
    sn_credentials_clear(&found);
    assert_false(sn_sso_role_item_read(item, SN_S("key of alice"), 1769943301, &found));
    assert_false(sn_sso_role_item_read(item, SN_S("key of bob"), 1769940000, &found));
    assert_false(sn_sso_role_item_read(sn_slice_sub(item, 0, item.len - 1), SN_S("key of alice"), 1769940000, &found));
    assert_int_equal(found.access_key_id[0], '\0');
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(written_as_read),
        cmocka_unit_test(forms),
        cmocka_unit_test(registrations),
        cmocka_unit_test(files),
        cmocka_unit_test(role_items),
    };
    return cmocka_run_group_tests_name("vault/sso_cache", tests, NULL, NULL);
}
