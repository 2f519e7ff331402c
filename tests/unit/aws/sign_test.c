/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sign.c beyond the published suite: the vectors of the API's own requests, both path encodings, and refusals.
 */
#include "test.h"

#include <stdio.h>

#include "aws/sign.h"
#include "crypto/hash.h"

#define DEVICE "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"

static void example_keys(struct sn_credentials *out)
{
    (void)snprintf(out->access_key_id, sizeof(out->access_key_id), "AKIDEXAMPLE00000001");
    sn_secret_set(&out->secret_access_key, SN_S("wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"));
    sn_secret_set(&out->session_token, SN_S("tok/en+example=="));
}

static struct sn_sign_input example_input(const struct sn_sign_header *headers, size_t count)
{
    return (struct sn_sign_input){.method = SN_S("GET"),
        .path = SN_S("/"),
        .headers = headers,
        .header_count = count,
        .region = SN_S("us-west-2"),
        .service = SN_S("execute-api"),
        .unix_s = 1767323045, /* 2026-01-02T03:04:05Z */
        .normalize_path = true,
        .double_encode_path = true};
}

/* TVM-27, TVM-41: the request itself signed for execute-api, POST and the alias, with published hash and signature. */
static void api_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *query, *body, *content_type, *signed_headers, *canonical_hash, *signature;
    } rows[] = {
        {"POST", "/v1/credentials", "", "{\"profile\":\"prod/admin\",\"duration\":3600,\"device_id\":\"" DEVICE "\"}",
            "application/json", "content-type;host;x-amz-date;x-amz-security-token",
            "ddbe3627fdcfef83f23a8f60d2966a33ebf670e37f312ce83268fd6edb97f2ef",
            "8a81a42dcb85ccdded6b4faf084933c277d67324de8e917399540890376de938"},
        {"GET", "/", "profile=prod%2Fadmin&duration=3600&device_id=" DEVICE, "", NULL,
            "host;x-amz-date;x-amz-security-token", "615db50c722ce67c7fb8e0e693409a7cd77cfa5f55c7370986ba1cf6fe13e54b",
            "08c1bdd348e187731b32c2c23607307baf7d1daa6a8959f5ec485575af5b0373"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        SN_AUTO(sn_signature_clear) struct sn_signature s = {0};
        struct sn_sign_header headers[] = {
            {SN_S("Host"), SN_S("a1b2c3d4e5.execute-api.us-west-2.amazonaws.com")},
            {SN_S("Content-Type"), sn_slice_str(rows[i].content_type)},
        };
        struct sn_sign_input input = example_input(headers, rows[i].content_type == NULL ? 1 : 2);
        char hash[SN_SHA256_HEX_LEN + 1];
        struct sn_error err;

        example_keys(&keys);
        input.method = sn_slice_str(rows[i].method);
        input.path = sn_slice_str(rows[i].path);
        input.query = sn_slice_str(rows[i].query);
        input.body = sn_slice_str(rows[i].body);
        assert_ok(sn_sign_v4(&input, &keys, &s, &err), &err);
        assert_slice_equal(sn_buf_slice(&s.signed_headers), rows[i].signed_headers);
        sn_sha256_hex(sn_buf_slice(&s.canonical_request), hash);
        assert_string_equal(hash, rows[i].canonical_hash);
        assert_string_equal(s.signature, rows[i].signature);
        assert_string_equal(s.amz_date, "20260102T030405Z");
        assert_true(sn_slice_contains(
            sn_buf_slice(&s.authorization), SN_S("/20260102/us-west-2/execute-api/aws4_request, SignedHeaders=")));
    }
}

/* One part of the canonical request: line 1 is the path, 2 the query, 3 the first header. */
static void assert_line(const struct sn_signature *s, int line, const char *expected)
{
    struct sn_slice rest = sn_buf_slice(&s->canonical_request);
    struct sn_slice text = {0};

    for (int i = 0; i <= line; i++) {
        assert_true(sn_slice_next(&rest, '\n', &text));
    }
    assert_slice_equal(text, expected);
}

static void canonical_forms(void **state)
{
    (void)state;
    static const struct {
        const char *name, *path, *query;
        bool normalize, double_encode;
        const char *canonical_path, *canonical_query;
    } rows[] = {
        {"empty path", "", "", true, true, "/", ""},
        {"sent encoded, encoded again", "/a%20b", "", true, true, "/a%2520b", ""},
        {"S3: once", "/a%20b/./%7e", "", false, false, "/a%20b/./~", ""},
        {"S3: raw bytes are encoded", "/a b", "", false, false, "/a%20b", ""},
        {"S3: an encoded slash stays one", "/a%2fb", "", false, false, "/a%2Fb", ""},
        {"above the root", "/../../x", "", true, true, "/x", ""},
        {"only dots", "/./..", "", true, true, "/", ""},
        {"trailing slash kept", "/a/b/", "", true, true, "/a/b/", ""},
        {"no value", "/", "b&a=", true, true, "/", "a=&b="},
        {"empty parts dropped", "/", "&a=1&&b=2&", true, true, "/", "a=1&b=2"},
        {"repeated names by value", "/", "a=2&a=10&a=1", true, true, "/", "a=1&a=10&a=2"},
        {"by encoded name, not by text", "/", "a-b=1&a=2", true, true, "/", "a=2&a-b=1"},
        {"encoded before sorting", "/", "b=1&%61=2", true, true, "/", "a=2&b=1"},
        {"lower-case escapes", "/", "a=%c3%a4", true, true, "/", "a=%C3%A4"},
        {"a lone percent sign", "/", "a=100%", true, true, "/", "a=100%25"},
        {"second equals sign", "/", "a=b=c", true, true, "/", "a=b%3Dc"},
        {"plus is a plus", "/", "a=b+c", true, true, "/", "a=b%2Bc"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        SN_AUTO(sn_signature_clear) struct sn_signature s = {0};
        struct sn_sign_header headers[] = {{SN_S("host"), SN_S("example.org")}};
        struct sn_sign_input input = example_input(headers, 1);
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        example_keys(&keys);
        input.path = sn_slice_str(rows[i].path);
        input.query = sn_slice_str(rows[i].query);
        input.normalize_path = rows[i].normalize;
        input.double_encode_path = rows[i].double_encode;
        assert_ok(sn_sign_v4(&input, &keys, &s, &err), &err);
        assert_line(&s, 1, rows[i].canonical_path);
        assert_line(&s, 2, rows[i].canonical_query);
    }
}

static void header_values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *canonical;
    } rows[] = {
        {"trim and fold", "  a \t b  ", "a-header:a b"},
        {"folded line", "a\r\n  b", "a-header:a b"},
        {"quotes are no protection", "\"a   b\"", "a-header:\"a b\""},
        {"empty", "   ", "a-header:"},
        {"utf-8", "\xc3\xa4", "a-header:\xc3\xa4"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        SN_AUTO(sn_signature_clear) struct sn_signature s = {0};
        struct sn_sign_header headers[] = {
            {SN_S("host"), SN_S("example.org")}, {SN_S("A-Header"), sn_slice_str(rows[i].value)}};
        struct sn_sign_input input = example_input(headers, 2);
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        example_keys(&keys);
        assert_ok(sn_sign_v4(&input, &keys, &s, &err), &err);
        assert_line(&s, 3, rows[i].canonical);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *method, *path, *region, *service, *header, *code;
        int64_t presign_s;
        bool no_secret;
    } rows[] = {
        {"method with a line feed", "GET\n", "/", "us-east-1", "sts", "x-a", "INVALID_SIGNING_INPUT", 0, false},
        {"no method", "", "/", "us-east-1", "sts", "x-a", "INVALID_SIGNING_INPUT", 0, false},
        {"relative path", "GET", "a", "us-east-1", "sts", "x-a", "INVALID_SIGNING_INPUT", 0, false},
        {"region with a slash", "GET", "/", "us/east", "sts", "x-a", "INVALID_SIGNING_INPUT", 0, false},
        {"no service", "GET", "/", "us-east-1", "", "x-a", "INVALID_SIGNING_INPUT", 0, false},
        {"header name with a colon", "GET", "/", "us-east-1", "sts", "x:a", "INVALID_SIGNING_INPUT", 0, false},
        {"second host", "GET", "/", "us-east-1", "sts", "HOST", "INVALID_SIGNING_INPUT", 0, false},
        {"own date", "GET", "/", "us-east-1", "sts", "X-Amz-Date", "INVALID_SIGNING_INPUT", 0, false},
        {"own token", "GET", "/", "us-east-1", "sts", "X-Amz-Security-Token", "INVALID_SIGNING_INPUT", 0, false},
        {"presigned for too long", "GET", "/", "us-east-1", "sts", "x-a", "INVALID_SIGNING_INPUT", 604801, false},
        {"no secret", "GET", "/", "us-east-1", "sts", "x-a", "INVALID_CREDENTIALS", 0, true},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        SN_AUTO(sn_signature_clear) struct sn_signature s = {0};
        struct sn_sign_header headers[] = {
            {SN_S("host"), SN_S("example.org")}, {sn_slice_str(rows[i].header), SN_S("v")}};
        struct sn_sign_input input = example_input(headers, 2);
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        example_keys(&keys);
        if (rows[i].no_secret) {
            sn_secret_clear(&keys.secret_access_key);
        }
        input.method = sn_slice_str(rows[i].method);
        input.path = sn_slice_str(rows[i].path);
        input.region = sn_slice_str(rows[i].region);
        input.service = sn_slice_str(rows[i].service);
        input.presign = rows[i].presign_s > 0;
        input.expires_s = rows[i].presign_s;
        assert_fails(sn_sign_v4(&input, &keys, &s, &err), &err, rows[i].code);
        assert_int_equal(s.canonical_request.len, 0);
    }
}

static void too_many(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    SN_AUTO(sn_signature_clear) struct sn_signature s = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf long_query = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf long_path = {0};
    struct sn_sign_header headers[70] = {{SN_S("host"), SN_S("example.org")}};
    struct sn_sign_input input = example_input(headers, 70);
    struct sn_error err;

    example_keys(&keys);
    for (size_t i = 1; i < SN_LEN(headers); i++) {
        headers[i] = (struct sn_sign_header){SN_S("x-a"), SN_S("v")};
    }
    assert_fails(sn_sign_v4(&input, &keys, &s, &err), &err, "TOO_LARGE");
    input.header_count = 1;
    for (int i = 0; i < 1025; i++) {
        sn_buf_add_str(&long_query, "a=1&");
        sn_buf_add_str(&long_path, "/a");
    }
    input.query = sn_buf_slice(&long_query);
    assert_fails(sn_sign_v4(&input, &keys, &s, &err), &err, "TOO_LARGE");
    input.query = SN_S("");
    input.path = sn_buf_slice(&long_path);
    assert_fails(sn_sign_v4(&input, &keys, &s, &err), &err, "TOO_LARGE");
}

/* The published S3 style: the hash given by the caller is signed as it stands, and as a header when wanted. */
static void payload_header(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    SN_AUTO(sn_signature_clear) struct sn_signature s = {0};
    struct sn_sign_header headers[] = {{SN_S("host"), SN_S("example.org")}};
    struct sn_sign_input input = example_input(headers, 1);
    struct sn_error err;

    example_keys(&keys);
    input.payload_hash = SN_S("UNSIGNED-PAYLOAD");
    input.sign_payload_header = true;
    input.omit_session_token = true;
    assert_ok(sn_sign_v4(&input, &keys, &s, &err), &err);
    assert_slice_equal(sn_buf_slice(&s.signed_headers), "host;x-amz-content-sha256;x-amz-date");
    assert_true(sn_slice_has_suffix(sn_buf_slice(&s.canonical_request), SN_S("\nUNSIGNED-PAYLOAD")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_vectors),
        cmocka_unit_test(canonical_forms),
        cmocka_unit_test(header_values),
        cmocka_unit_test(refusals),
        cmocka_unit_test(too_many),
        cmocka_unit_test(payload_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
