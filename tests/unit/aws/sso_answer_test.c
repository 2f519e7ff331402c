/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sso_answer.c: what of an answer is taken, and what never reaches a terminal, a browser or a header.
 */
#include "test.h"

#include "aws/sso_answer.h"

#define DEVICE(code, uri, complete, rest)                                                                              \
    "{\"deviceCode\":\"d\",\"userCode\":\"" code "\",\"verificationUri\":\"" uri                                       \
    "\",\"verificationUriComplete\":\"" complete "\"," rest "}"
#define GOOD_URI "https://device.sso.eu-west-1.amazonaws.com/"
#define TIMES "\"expiresIn\":600,\"interval\":1"

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool safe;
    } rows[] = {
        {"https://device.sso.eu-west-1.amazonaws.com/?user_code=ABCD-EFGH", true},
        {"https://corp.awsapps.com/start/#/device?user_code=ABCD-EFGH", true},
        {"http://127.0.0.1:8080/start", true},
        {"http://localhost:8080/start", true},
        {"http://[::1]:8080/start", true},
        {"http://evil.example/", false},
        {"http://127.0.0.1.evil.example/", false},
        {"javascript:alert(1)", false},
        {"JavaScript://https://x/%0aalert(1)", false},
        {"file:///etc/passwd", false},
        {"data:text/html,x", false},
        {"unix:/run/x", false},
        {"-https://x.example/", false},
        {"--help", false},
        {"https://", false},
        {"https:///x", false},
        {"https://user:pw@evil.example/", false},
        {"https://127.0.0.1@evil.example/", false},
        {"https://x.example/a b", false},
        {"https://x.example/\x1b[31m", false},
        {"https://x.example/\xc2\x9b", false},
        {"https://x.example/$(id)`id`", false},
        {"https://x.example/'\"", false},
        {"https://x.example/a\\b", false},
        {"HTTPS://x.example/", false},
        {"", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].url);
        assert_int_equal(sn_sso_url_is_safe(sn_slice_str(rows[i].url)), rows[i].safe);
    }
    char longest[SN_SSO_URL_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "https://x.example/", 18);
    assert_true(sn_sso_url_is_safe((struct sn_slice){longest, SN_SSO_URL_MAX}));
    assert_false(sn_sso_url_is_safe((struct sn_slice){longest, SN_SSO_URL_MAX + 1}));
}

static void devices(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json;
        bool good;
    } rows[] = {
        {"good", DEVICE("ABCD-EFGH", GOOD_URI, GOOD_URI "?user_code=ABCD-EFGH", TIMES), true},
        {"interval may be absent", DEVICE("ABCD-EFGH", GOOD_URI, GOOD_URI, "\"expiresIn\":600"), true},
        {"ANSI in the code", DEVICE("\\u001b[31mA", GOOD_URI, GOOD_URI, TIMES), false},
        {"newline in the code", DEVICE("A\\nB", GOOD_URI, GOOD_URI, TIMES), false},
        {"empty code", DEVICE("", GOOD_URI, GOOD_URI, TIMES), false},
        {"long code", DEVICE("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", GOOD_URI, GOOD_URI, TIMES), false},
        {"javascript", DEVICE("A", "javascript:alert(1)", GOOD_URI, TIMES), false},
        {"javascript, complete", DEVICE("A", GOOD_URI, "javascript:alert(1)", TIMES), false},
        {"ANSI in the address", DEVICE("A", "https://x.example/\\u001b]0;t\\u0007", GOOD_URI, TIMES), false},
        {"plain http", DEVICE("A", "http://x.example/", GOOD_URI, TIMES), false},
        {"no life", DEVICE("A", GOOD_URI, GOOD_URI, "\"interval\":1"), false},
        {"life 0", DEVICE("A", GOOD_URI, GOOD_URI, "\"expiresIn\":0"), false},
        {"life too long", DEVICE("A", GOOD_URI, GOOD_URI, "\"expiresIn\":34560001"), false},
        {"negative interval", DEVICE("A", GOOD_URI, GOOD_URI, "\"expiresIn\":600,\"interval\":-1"), false},
        {"interval of an hour", DEVICE("A", GOOD_URI, GOOD_URI, "\"expiresIn\":600,\"interval\":3600"), false},
        {"life as text", DEVICE("A", GOOD_URI, GOOD_URI, "\"expiresIn\":\"600\""), false},
        {"life as real", DEVICE("A", GOOD_URI, GOOD_URI, "\"expiresIn\":1e99"), false},
        {"a list", "[]", false},
        {"nothing", "", false},
        {"a page", "<!DOCTYPE html><html></html>", false},
        {"device code with a newline",
            "{\"deviceCode\":\"a\\r\\nX: y\",\"userCode\":\"A\",\"verificationUri\":\"" GOOD_URI "\"," TIMES "}",
            false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_sso_device_clear) struct sn_sso_device device = {0};
        struct sn_error err;
        print_message("# %s\n", rows[i].name);
        enum sn_status status = sn_sso_read_device(sn_slice_str(rows[i].json), &device, &err);
        assert_int_equal(status == SN_OK, rows[i].good);
        if (!rows[i].good) {
            assert_string_equal(err.code, "SSO_ANSWER_INVALID");
            assert_int_equal(device.user_code[0], '\0');
        }
    }
}

static void grants(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool good, refreshes;
    } rows[] = {
        {"{\"accessToken\":\"a\",\"tokenType\":\"Bearer\",\"expiresIn\":28800,\"refreshToken\":\"r\"}", true, true},
        {"{\"accessToken\":\"a\",\"expiresIn\":28800,\"refreshToken\":null,\"more\":[1]}", true, false},
        {"{\"accessToken\":\"\",\"expiresIn\":28800}", false, false},
        {"{\"accessToken\":\"a\\nb\",\"expiresIn\":28800}", false, false},
        {"{\"accessToken\":\"a\",\"expiresIn\":28800,\"refreshToken\":\"r\\u0000\"}", false, false},
        {"{\"accessToken\":\"a\",\"expiresIn\":28800,\"refreshToken\":\"r b\"}", false, false},
        {"{\"accessToken\":[\"a\"],\"expiresIn\":28800}", false, false},
        {"{\"accessToken\":\"a\",\"expiresIn\":-5}", false, false},
        {"{\"accessToken\":\"a\"}", false, false},
        {"{\"accessToken\":\"a\",\"tokenType\":\"mac\",\"expiresIn\":28800}", false, false},
        {"{\"accessToken\":\"a\",\"accessToken\":\"b\",\"expiresIn\":28800}", false, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_sso_grant_clear) struct sn_sso_grant grant = {0};
        struct sn_error err;
        print_message("# %s\n", rows[i].json);
        assert_int_equal(sn_sso_read_grant(sn_slice_str(rows[i].json), &grant, &err) == SN_OK, rows[i].good);
        assert_int_equal(sn_secret_is_set(&grant.refresh_token), rows[i].refreshes);
    }
}

#define ROLE(id, expiration)                                                                                           \
    "{\"roleCredentials\":{\"accessKeyId\":\"" id "\",\"secretAccessKey\":\"CANARY\",\"sessionToken\":\"t\","          \
    "\"expiration\":" expiration "}}"

static void credentials(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool good;
    } rows[] = {
        {ROLE("ASIAEXAMPLE000000001", "1769943600000"), true},
        {ROLE("ASIAEXAMPLE000000001", "1769940000000"), false}, /* ends now */
        {ROLE("ASIAEXAMPLE000000001", "1769943600"), false},    /* seconds where milliseconds belong: long gone */
        {ROLE("ASIAEXAMPLE000000001", "9223372036854775807"), false},
        {ROLE("short", "1769943600000"), false},
        {ROLE("ASIAEXAMPLE0000\\u001b01", "1769943600000"), false},
        {"{\"roleCredentials\":[]}", false},
        {"{\"accessKeyId\":\"ASIAEXAMPLE000000001\"}", false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials found = {0};
        struct sn_error err;
        print_message("# %s\n", rows[i].json);
        enum sn_status status = sn_sso_read_credentials(sn_slice_str(rows[i].json), 1769940000, &found, &err);
        assert_int_equal(status == SN_OK, rows[i].good);
        if (rows[i].good) {
            assert_int_equal(found.expires_unix_s, 1769943600);
        } else {
            assert_string_equal(err.code, "SSO_ANSWER_INVALID");
            assert_null(strstr(err.message, "CANARY"));
        }
    }
}

static void lists(void **state)
{
    (void)state;
    SN_AUTO(sn_sso_list_clear) struct sn_sso_list list = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf next = {0};
    struct sn_error err;
    assert_ok(sn_sso_read_accounts(SN_S("{\"accountList\":[{\"accountId\":\"123456789012\",\"accountName\":\"a b\","
                                        "\"emailAddress\":\"x@y\"}],\"nextToken\":\"n\"}"),
                  &list, &next, &err),
        &err);
    assert_string_equal(sn_buf_str(&next), "n");
    assert_slice_equal(list.entries[0].name, "a b");
    /* The same mark again would never end. */
    assert_fails(sn_sso_read_accounts(SN_S("{\"accountList\":[],\"nextToken\":\"n\"}"), &list, &next, &err), &err,
        "SSO_ANSWER_INVALID");
    assert_ok(sn_sso_read_roles(
                  SN_S("{\"roleList\":[{\"roleName\":\"R\",\"accountId\":\"123456789012\"}]}"), &list, &next, &err),
        &err);
    assert_int_equal(next.len, 0);
    assert_int_equal(list.count, 2);
    static const char *const bad[] = {
        "{\"roleList\":[{\"roleName\":\"R S\",\"accountId\":\"123456789012\"}]}",
        "{\"roleList\":[{\"roleName\":\"\",\"accountId\":\"123456789012\"}]}",
        "{\"roleList\":[{\"roleName\":\"R\",\"accountId\":\"12345678901x\"}]}",
        "{\"roleList\":{\"roleName\":\"R\"}}",
        "{\"roleList\":[1]}",
        "{}",
    };
    for (size_t i = 0; i < SN_LEN(bad); i++) {
        print_message("# %s\n", bad[i]);
        assert_fails(sn_sso_read_roles(sn_slice_str(bad[i]), &list, &next, &err), &err, "SSO_ANSWER_INVALID");
    }
}

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *type, *json;
        enum sn_sso_fault fault;
        const char *text;
    } rows[] = {
        {"AuthorizationPendingException", "{}", SN_SSO_PENDING, "AuthorizationPendingException"},
        {"", "{\"error\":\"authorization_pending\"}", SN_SSO_PENDING, "authorization_pending"},
        {"SlowDownException:http://internal.amazon.com/", "", SN_SSO_SLOW_DOWN, "SlowDownException"},
        {"", "{\"error\":\"expired_token\",\"error_description\":\"too late\"}", SN_SSO_EXPIRED,
            "expired_token: too late"},
        {"AccessDeniedException", "{}", SN_SSO_DECLINED, "AccessDeniedException"},
        {"InvalidGrantException", "{}", SN_SSO_INVALID_GRANT, "InvalidGrantException"},
        /* The header decides; a body that says otherwise is not believed. */
        {"InvalidRequestException", "{\"error\":\"authorization_pending\"}", SN_SSO_OTHER, "InvalidRequestException"},
        {"", "{\"error\":\"\\u001b[31mx\",\"error_description\":\"a\\nb\"}", SN_SSO_OTHER, "\\u001b[31mx: a\\u000ab"},
        {"", "{\"error\":[\"authorization_pending\"]}", SN_SSO_OTHER, ""},
        {"", "not JSON", SN_SSO_OTHER, ""},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        char text[SN_SSO_FAULT_TEXT_MAX];
        print_message("# %s %s\n", rows[i].type, rows[i].json);
        assert_int_equal(
            sn_sso_read_fault(sn_slice_str(rows[i].type), sn_slice_str(rows[i].json), text), rows[i].fault);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(devices),
        cmocka_unit_test(grants),
        cmocka_unit_test(credentials),
        cmocka_unit_test(lists),
        cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests_name("aws/sso_answer", tests, NULL, NULL);
}
