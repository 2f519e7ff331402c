/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/codec/url_test.c - the canonical URL of a Token Vending Machine. */
#include "test.h"

#include "codec/uri.h"

static void canonical_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical, *authority, *host, *path;
        unsigned port;
        bool is_loopback;
    } rows[] = {
        {"HTTPS://TVM.Example.org:443/", "https://tvm.example.org", "tvm.example.org", "tvm.example.org", "", 443,
            false},
        {"https://gw.example.org/sentinel/", "https://gw.example.org/sentinel", "gw.example.org", "gw.example.org",
            "/sentinel", 443, false},
        {"https://gw.example.org/a/b-c_d.e~f", "https://gw.example.org/a/b-c_d.e~f", "gw.example.org", "gw.example.org",
            "/a/b-c_d.e~f", 443, false},
        {"https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443", "[2001:db8::1]:8443", "2001:db8::1", "", 8443,
            false},
        {"http://127.0.0.1:8750", "http://127.0.0.1:8750", "127.0.0.1:8750", "127.0.0.1", "", 8750, true},
        {"http://127.0.0.1:80", "http://127.0.0.1", "127.0.0.1", "127.0.0.1", "", 80, true},
        {"https://127.0.0.1:80", "https://127.0.0.1:80", "127.0.0.1:80", "127.0.0.1", "", 80, true},
        {"http://127.255.0.9", "http://127.255.0.9", "127.255.0.9", "127.255.0.9", "", 80, true},
        {"http://LocalHost:8750/", "http://localhost:8750", "localhost:8750", "localhost", "", 8750, true},
        {"http://[::1]:8750", "http://[::1]:8750", "[::1]:8750", "::1", "", 8750, true},
        {"http://[0:0:0:0:0:0:0:1]", "http://[::1]", "[::1]", "::1", "", 80, true},
        {"https://10.0.0.1", "https://10.0.0.1", "10.0.0.1", "10.0.0.1", "", 443, false},
        {"https://xn--tv-zmc.example", "https://xn--tv-zmc.example", "xn--tv-zmc.example", "xn--tv-zmc.example", "",
            443, false},
        {"https://1a.example", "https://1a.example", "1a.example", "1a.example", "", 443, false},
        {"unix:/run/sentinel/tvm.sock", "unix:/run/sentinel/tvm.sock", "localhost", "", "/run/sentinel/tvm.sock", 0,
            true},
        {"UNIX:/a", "unix:/a", "localhost", "", "/a", 0, true},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_arena arena = {0};
        struct sn_url url = {0};
        struct sn_error err;
        assert_ok(sn_url_parse(sn_slice_str(rows[i].text), &arena, &url, &err), &err);
        assert_slice_equal(url.canonical, rows[i].canonical);
        assert_slice_equal(url.authority, rows[i].authority);
        assert_slice_equal(url.host, rows[i].host);
        assert_slice_equal(url.path, rows[i].path);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.is_loopback, rows[i].is_loopback);
        sn_arena_clear(&arena);
    }
}

/* The examples of RFC 5952, sections 2 and 4. */
static void ipv6_is_written_as_rfc_5952_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
    } rows[] = {
        {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
        {"2001:db8::0:1", "2001:db8::1"},
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},
        {"::", "::"},
        {"1::", "1::"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"::FFFF:c000:201", "::ffff:192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_arena arena = {0};
        struct sn_url url = {0};
        struct sn_error err;
        struct sn_slice text = sn_arena_printf(&arena, "https://[%s]/", rows[i].text);
        assert_ok(sn_url_parse(text, &arena, &url, &err), &err);
        assert_slice_equal(url.host, rows[i].host);
        assert_false(url.is_loopback);
        sn_arena_clear(&arena);
    }
}

/* ATK-01: addresses that one program reads as one host and another as another. */
static void attack_01_ambiguous_urls(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "does not begin with"},
        {"tvm.example.org", "does not begin with"},
        {"ftp://a", "does not begin with"},
        {"https:a", "does not begin with"},
        {"https:/a", "does not begin with"},
        {" https://a", "does not begin with"},
        {"https://", "host is missing"},
        {"https:///x", "host is missing"},
        {"https://:443", "host is missing"},
        {"https://sts.amazonaws.com@evil.example", "names a user"},
        {"https://u:p@h", "names a user"},
        {"https://h?x", "query or a fragment"},
        {"https://h/#x", "query or a fragment"},
        {"https://h.", "ends in a dot"},
        {"https://h.:443", "ends in a dot"},
        {"https://a..b", "no name of letters"},
        {"https://.a", "no name of letters"},
        {"https://-a", "no name of letters"},
        {"https://a-.b", "no name of letters"},
        {"https://a_b", "no name of letters"},
        {"https://a b", "no name of letters"},
        {"https://a\\b", "no name of letters"},
        {"https://a%41", "no name of letters"},
        {"https://tv\xd0\xbc.example", "no name of letters"},
        {"https://a\tb", "no name of letters"},
        {"https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "no name of letters"},
        {"http://2130706433", "no IPv4 address"},
        {"http://0x7f000001", "no IPv4 address"},
        {"http://127.1", "no IPv4 address"},
        {"http://127.0.0.0x1", "no IPv4 address"},
        {"http://0177.0.0.1", "no IPv4 address"},
        {"http://127.0.0.1.1", "no IPv4 address"},
        {"http://127.0.0.256", "no IPv4 address"},
        {"https://a.1", "no IPv4 address"},
        {"https://[::1", "']' is missing"},
        {"https://[::1]x", "between ']' and the port"},
        {"https://[fe80::1%25eth0]", "no IPv6 address"},
        {"https://[1.2.3.4]", "no IPv6 address"},
        {"https://[]", "no IPv6 address"},
        {"https://::1", "host is missing"},
        {"https://h:", "port is no number"},
        {"https://h:0", "port is no number"},
        {"https://h:65536", "port is no number"},
        {"https://h:0443", "port is no number"},
        {"https://h:+1", "port is no number"},
        {"https://h:1:2", "port is no number"},
        {"https://h//", "part of the path"},
        {"https://h/a//b", "part of the path"},
        {"https://h/./b", "part of the path"},
        {"https://h/a/..", "part of the path"},
        {"https://h/%2e", "part of the path"},
        {"https://h/a;b", "part of the path"},
        {"https://h/a b", "part of the path"},
        {"http://tvm.example.org", "loopback addresses only"},
        {"http://10.0.0.1", "loopback addresses only"},
        {"http://[::ffff:127.0.0.1]", "loopback addresses only"},
        {"http://localhost.example.org", "loopback addresses only"},
        {"unix:", "not absolute"},
        {"unix:run/x", "not absolute"},
        {"unix://run/x", "part of the path"},
        {"unix:/run/../x", "part of the path"},
        {"unix:/run/x/", "part of the path"},
        {"unix:/run/a b", "part of the path"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].text);
        struct sn_arena arena = {0};
        struct sn_url url = {0};
        struct sn_error err;
        assert_fails(sn_url_parse(sn_slice_str(rows[i].text), &arena, &url, &err), &err, "INVALID_URL");
        assert_non_null(strstr(err.message, rows[i].message));
        assert_true(err.suggestion[0] != '\0');
        assert_null(url.canonical.ptr);
        sn_arena_clear(&arena);
    }
}

static void nul_and_length_are_refused(void **state)
{
    (void)state;
    struct sn_arena arena = {0};
    struct sn_url url = {0};
    struct sn_error err;
    assert_fails(sn_url_parse(SN_S("https://a\0.example"), &arena, &url, &err), &err, "INVALID_URL");
    assert_fails(sn_url_parse(SN_S("https://[::1\0]"), &arena, &url, &err), &err, "INVALID_URL");
    assert_fails(sn_url_parse(SN_S("unix:/a\0b"), &arena, &url, &err), &err, "INVALID_URL");
    char text[600] = "https://h/";
    memset(text + 10, 'a', sizeof text - 10);
    assert_ok(sn_url_parse((struct sn_slice){text, 512}, &arena, &url, &err), &err);
    assert_fails(sn_url_parse((struct sn_slice){text, 513}, &arena, &url, &err), &err, "INVALID_URL");
    char socket_path[200] = "unix:/";
    memset(socket_path + 6, 'a', sizeof socket_path - 6);
    assert_ok(sn_url_parse((struct sn_slice){socket_path, 5 + 107}, &arena, &url, &err), &err);
    assert_fails(sn_url_parse((struct sn_slice){socket_path, 5 + 108}, &arena, &url, &err), &err, "INVALID_URL");
    sn_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms),
        cmocka_unit_test(ipv6_is_written_as_rfc_5952_says),
        cmocka_unit_test(attack_01_ambiguous_urls),
        cmocka_unit_test(nul_and_length_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
