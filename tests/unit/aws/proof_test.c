/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/proof.c: the published hashes and signatures, and each check with everything that makes it fire.
 */
#include "test.h"

#include <stdio.h>

#include "aws/proof.h"
#include "base/alloc.h"
#include "crypto/hash.h"

#define PROD_HASH "5a6320cd235e5b1ff4b2e9d4f8c007246b16d866eade07a199efdfb482d73e7c"
#define PROD_BODY "{\"profile\":\"prod\",\"duration\":900}"
#define SIG "acefbfc86e8c840ffd564f3edce6c1fd72b6f99f5c89c62a3a650771ef11a066"
#define LIST "content-type;host;x-amz-date;x-amz-security-token;x-sentinel-audience;x-sentinel-nonce;x-sentinel-request"
#define CRED "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/eu-west-1/sts/aws4_request"
#define AUTH CRED ", SignedHeaders=" LIST ", Signature=" SIG

enum { NOW = 1769940000 }; /* 2026-02-01T10:00:00Z */

/* TVM-41: the request hash. */
static void request_hashes(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *query, *body, *hash;
    } rows[] = {
        {"POST", "/v1/credentials", "", PROD_BODY, PROD_HASH},
        {"GET", "/v1/sessions", "status=active&limit=5", "",
            "35d539266828b832a56e1151643707c41111d2836a214b8707c156fec8ec984c"},
        {"GET", "/sentinel/", "profile=prod", "", "0d466bb5af30da24a46ad97f54f8f111d47ce97bb75ac715b1ae78e02a442c59"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        char hash[SN_REQUEST_HASH_LEN + 1];
        sn_request_hash(sn_slice_str(rows[i].method), sn_slice_str(rows[i].path), sn_slice_str(rows[i].query),
            sn_slice_str(rows[i].body), hash);
        assert_string_equal(hash, rows[i].hash);
    }
}

/* TVM-41: the signatures, with and without token and nonce, and the one of another key and region. */
static void signatures(void **state)
{
    (void)state;
    static const struct {
        const char *key, *secret, *token, *nonce, *region, *host, *hash, *signature;
        int64_t unix_s;
    } rows[] = {
        {"AKIDEXAMPLE000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "TOKEN", "AAECAwQFBgcICQoLDA0ODw",
            "eu-west-1", "sts.eu-west-1.amazonaws.com", PROD_HASH, SIG, NOW},
        {"AKIDEXAMPLE000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "TOKEN", "", "eu-west-1",
            "sts.eu-west-1.amazonaws.com", PROD_HASH,
            "5d31a48759b673d7750d3213f9ebd90d0fe7b48e31d96ef0815c90bac7172b45", NOW},
        {"AKIDEXAMPLE000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "AAECAwQFBgcICQoLDA0ODw", "eu-west-1",
            "sts.eu-west-1.amazonaws.com", PROD_HASH,
            "cd410ac98743ba05d23319824ef1558b4c88bee9864351f30bf80a4b0c3c58f4", NOW},
        {"AKIDEXAMPLE000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "", "eu-west-1",
            "sts.eu-west-1.amazonaws.com", PROD_HASH,
            "f147e8ea60955038d7f166b186ae40e080880850cf918e73d9a1218e75ff46ef", NOW},
        {"AKIDEXAMPLE00000001", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY", "tok/en+example==", "", "us-west-2",
            "sts.us-west-2.amazonaws.com", "a2ff365a2d968f950f92714a9e9c2a545486230c9db4f4ab1cef556b933bfb82",
            "d906240506b538f1ba7eacc843de272337dea99b194364eb6944b08a86b58da3", 1767323045},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
        SN_AUTO(sn_proof_headers_clear) struct sn_proof_headers headers = {0};
        struct sn_proof_input input = {.audience = SN_S("https://tvm.example.org"),
            .request_hash = sn_slice_str(rows[i].hash),
            .nonce = sn_slice_str(rows[i].nonce),
            .region = sn_slice_str(rows[i].region),
            .sts_authority = sn_slice_str(rows[i].host),
            .unix_s = rows[i].unix_s};
        struct sn_error err;

        (void)snprintf(keys.access_key_id, sizeof(keys.access_key_id), "%s", rows[i].key);
        sn_secret_set(&keys.secret_access_key, sn_slice_str(rows[i].secret));
        if (rows[i].token[0] != '\0') {
            sn_secret_set(&keys.session_token, sn_slice_str(rows[i].token));
        }
        assert_ok(sn_proof_make(&input, &keys, &headers, &err), &err);
        assert_true(sn_slice_has_suffix(sn_buf_slice(&headers.authorization), sn_slice_str(rows[i].signature)));
        assert_slice_equal(sn_buf_slice(&headers.security_token), rows[i].token);
        assert_slice_equal(sn_buf_slice(&headers.nonce), rows[i].nonce);
        assert_slice_equal(sn_buf_slice(&headers.request), rows[i].hash);
    }
}

static void odd_key_id(void **state)
{
    (void)state;
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    SN_AUTO(sn_proof_headers_clear) struct sn_proof_headers headers = {0};
    struct sn_proof_input input = {.region = SN_S("eu-west-1"), .sts_authority = SN_S("h"), .unix_s = NOW};
    struct sn_error err;

    (void)snprintf(keys.access_key_id, sizeof(keys.access_key_id), "akidexample000000000");
    sn_secret_set(&keys.secret_access_key, SN_S("s"));
    assert_fails(sn_proof_make(&input, &keys, &headers, &err), &err, "INVALID_CREDENTIALS");
}

/* A request whose proof is good; each row of the tests below changes one thing. */
static void good_request(struct sn_request *r)
{
    static const struct sn_header headers[] = {
        {SN_S_INIT("Host"), SN_S_INIT("tvm.example.org")},
        {SN_S_INIT("Authorization"), SN_S_INIT(AUTH)},
        {SN_S_INIT("X-Amz-Date"), SN_S_INIT("20260201T100000Z")},
        {SN_S_INIT("X-Amz-Security-Token"), SN_S_INIT("TOKEN")},
        {SN_S_INIT("X-Sentinel-Audience"), SN_S_INIT("https://tvm.example.org")},
        {SN_S_INIT("X-Sentinel-Nonce"), SN_S_INIT("AAECAwQFBgcICQoLDA0ODw")},
        {SN_S_INIT("X-Sentinel-Request"), SN_S_INIT(PROD_HASH)},
    };

    memset(r, 0, sizeof(*r));
    r->method = SN_METHOD_POST;
    r->method_text = SN_S("POST");
    r->path = SN_S("/v1/credentials");
    r->body = SN_S(PROD_BODY);
    memcpy(r->headers, headers, sizeof(headers));
    r->header_count = SN_LEN(headers);
}

static enum sn_status check_at(const struct sn_request *r, int64_t now, struct sn_proof *out, struct sn_error *err)
{
    static const struct sn_slice audiences[] = {
        SN_S_INIT("http://127.0.0.1:8443"), SN_S_INIT("https://tvm.example.org")};
    struct sn_proof_rules rules = {
        .region = SN_S("eu-west-1"), .audiences = audiences, .audience_count = 2, .now_unix_s = now};

    return sn_proof_check(r, &rules, out, err);
}

static void good_proof(void **state)
{
    (void)state;
    SN_AUTO(sn_buf_clear) struct sn_buf authorization = {0};
    struct sn_request r;
    struct sn_proof proof = {0};
    struct sn_error err;

    good_request(&r);
    assert_ok(check_at(&r, NOW, &proof, &err), &err);
    assert_slice_equal(proof.access_key_id, "AKIDEXAMPLE000000000");
    assert_slice_equal(proof.security_token, "TOKEN");
    assert_int_equal(proof.unix_s, NOW);
    assert_int_equal(proof.signature_bytes[0], 0xac);
    assert_int_equal(proof.signature_bytes[31], 0x66);
    sn_proof_format_authorization(&authorization, &proof);
    assert_slice_equal(sn_buf_slice(&authorization), AUTH);
}

/* Replaces a header's value; NULL takes the header away; a name not there is added. */
static void set_header(struct sn_request *r, const char *name, const char *value)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (sn_slice_eq_nocase(r->headers[i].name, sn_slice_str(name))) {
            if (value == NULL) {
                r->headers[i] = r->headers[--r->header_count];
            } else {
                r->headers[i].value = sn_slice_str(value);
            }
            return;
        }
    }
    r->headers[r->header_count++] = (struct sn_header){sn_slice_str(name), sn_slice_str(value)};
}

/* TVM-42, checks 1 to 7 (ATK-01, ATK-02, ATK-04): one change to a good request, the answer of the table. */
static void attack_02_one_change(void **state)
{
    (void)state;
    static const struct {
        const char *name, *header, *value, *code;
    } rows[] = {
        {"no authorization", "Authorization", NULL, "PROOF_MALFORMED"},
        {"no date", "X-Amz-Date", NULL, "PROOF_MALFORMED"},
        {"no audience", "X-Sentinel-Audience", NULL, "PROOF_MALFORMED"},
        {"no request hash", "X-Sentinel-Request", NULL, "PROOF_MALFORMED"},
        {"token listed, not sent", "X-Amz-Security-Token", NULL, "PROOF_MALFORMED"},
        {"nonce listed, not sent", "X-Sentinel-Nonce", NULL, "PROOF_MALFORMED"},
        {"token empty", "X-Amz-Security-Token", "", "PROOF_MALFORMED"},
        {"token with a blank", "X-Amz-Security-Token", "TO KEN", "PROOF_MALFORMED"},
        {"token with a control byte", "X-Amz-Security-Token",
            "TOK\x01"
            "EN",
            "PROOF_MALFORMED"},
        {"bearer", "Authorization", "Bearer x", "PROOF_MALFORMED"},
        {"two blanks", "Authorization", "AWS4-HMAC-SHA256  Credential=x", "PROOF_MALFORMED"},
        {"lower-case key", "Authorization",
            "AWS4-HMAC-SHA256 Credential=akidexample000000000/20260201/eu-west-1/sts/aws4_request, SignedHeaders=" LIST
            ", Signature=" SIG,
            "PROOF_MALFORMED"},
        {"key with an at sign", "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000@EVIL0/20260201/eu-west-1/sts/aws4_request, SignedHeaders=" LIST
            ", Signature=" SIG,
            "PROOF_MALFORMED"},
        {"upper-case signature", "Authorization",
            CRED ", SignedHeaders=" LIST ", Signature="
                 "ACEFBFC86E8C840FFD564F3EDCE6C1FD72B6F99F5C89C62A3A650771EF11A066",
            "PROOF_MALFORMED"},
        {"signature and more", "Authorization", AUTH ", X=1", "PROOF_MALFORMED"},
        {"signature too short", "Authorization", CRED ", SignedHeaders=" LIST ", Signature=acef", "PROOF_MALFORMED"},
        {"no blank behind the comma", "Authorization", CRED ",SignedHeaders=" LIST ",Signature=" SIG,
            "PROOF_MALFORMED"},
        {"parts in another order", "Authorization", "AWS4-HMAC-SHA256 SignedHeaders=" LIST ", Signature=" SIG,
            "PROOF_MALFORMED"},
        {"service iam", "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/eu-west-1/iam/aws4_request, SignedHeaders=" LIST
            ", Signature=" SIG,
            "PROOF_MALFORMED"},
        {"five scope parts", "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/eu-west-1/sts/x/aws4_request, "
            "SignedHeaders=" LIST ", Signature=" SIG,
            "PROOF_MALFORMED"},
        {"other day in the scope", "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260202/eu-west-1/sts/aws4_request, SignedHeaders=" LIST
            ", Signature=" SIG,
            "PROOF_MALFORMED"},
        {"list in another order", "Authorization",
            CRED
            ", SignedHeaders=host;content-type;x-amz-date;x-amz-security-token;x-sentinel-audience;x-sentinel-nonce;"
            "x-sentinel-request, Signature=" SIG,
            "PROOF_MALFORMED"},
        {"list without host", "Authorization",
            CRED ", SignedHeaders=content-type;x-amz-date;x-amz-security-token;x-sentinel-audience;x-sentinel-nonce;"
                 "x-sentinel-request, Signature=" SIG,
            "PROOF_MALFORMED"},
        {"list with more", "Authorization", CRED ", SignedHeaders=" LIST ";x-sentinel-zzz, Signature=" SIG,
            "PROOF_MALFORMED"},
        {"list in capitals", "Authorization",
            CRED
            ", SignedHeaders=Content-Type;host;x-amz-date;x-amz-security-token;x-sentinel-audience;x-sentinel-nonce;"
            "x-sentinel-request, Signature=" SIG,
            "PROOF_MALFORMED"},
        {"no real date", "X-Amz-Date", "20260230T100000Z", "PROOF_MALFORMED"},
        {"date of another form", "X-Amz-Date", "2026-02-01T10:00:00Z", "PROOF_MALFORMED"},
        {"short nonce", "X-Sentinel-Nonce", "AAECAwQFBgcICQoLDA0O", "PROOF_MALFORMED"},
        {"nonce with padding", "X-Sentinel-Nonce", "AAECAwQFBgcICQoLDA0O==", "PROOF_MALFORMED"},
        {"nonce with other bits", "X-Sentinel-Nonce", "AAECAwQFBgcICQoLDA0OD_", "PROOF_MALFORMED"},
        {"short request hash", "X-Sentinel-Request", "5a63", "PROOF_MALFORMED"},
        {"request hash in capitals", "X-Sentinel-Request",
            "5A6320CD235E5B1FF4B2E9D4F8C007246B16D866EADE07A199EFDFB482D73E7C", "PROOF_MALFORMED"},
        {"other region", "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/us-east-1/sts/aws4_request, SignedHeaders=" LIST
            ", Signature=" SIG,
            "PROOF_REGION"},
        {"region that is a host", "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/evil.example/sts/aws4_request, "
            "SignedHeaders=" LIST ", Signature=" SIG,
            "PROOF_MALFORMED"},
        {"other audience", "X-Sentinel-Audience", "https://other.example.org", "PROOF_AUDIENCE"},
        {"audience in capitals", "X-Sentinel-Audience", "https://TVM.example.org", "PROOF_AUDIENCE"},
        {"audience with a slash", "X-Sentinel-Audience", "https://tvm.example.org/", "PROOF_AUDIENCE"},
        {"audience with a port", "X-Sentinel-Audience", "https://tvm.example.org:443", "PROOF_AUDIENCE"},
        {"other request hash", "X-Sentinel-Request", "35d539266828b832a56e1151643707c41111d2836a214b8707c156fec8ec984c",
            "PROOF_MISMATCH"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_request r;
        struct sn_proof proof = {0};
        struct sn_error err;

        print_message("# %s\n", rows[i].name);
        good_request(&r);
        set_header(&r, rows[i].header, rows[i].value);
        assert_fails(check_at(&r, NOW, &proof, &err), &err, rows[i].code);
        assert_int_equal(proof.unix_s, 0); /* nothing is given out on failure */
    }
}

/* TVM-42 (ATK-02): a header twice is refused here too, whatever the carrier let through. */
static void attack_02_repeated_header(void **state)
{
    (void)state;
    static const char *const names[] = {"authorization", "X-AMZ-DATE", "x-amz-security-token", "x-sentinel-audience",
        "x-sentinel-nonce", "x-sentinel-request"};

    for (size_t i = 0; i < SN_LEN(names); i++) {
        struct sn_request r;
        struct sn_proof proof = {0};
        struct sn_error err;

        good_request(&r);
        const struct sn_slice *value = sn_request_header(&r, names[i]);
        r.headers[r.header_count++] = (struct sn_header){sn_slice_str(names[i]), *value};
        assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_MALFORMED");
    }
}

/* TVM-42 (ATK-04): the proof is bound to method, path, query and body. */
static void attack_04_another_request(void **state)
{
    (void)state;
    struct sn_request r;
    struct sn_proof proof = {0};
    struct sn_error err;

    good_request(&r);
    r.method_text = SN_S("GET");
    assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_MISMATCH");
    good_request(&r);
    r.path = SN_S("/v1/credentials/");
    assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_MISMATCH");
    good_request(&r);
    r.query = SN_S("a=1");
    assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_MISMATCH");
    good_request(&r);
    r.body = SN_S("{\"profile\":\"prod\",\"duration\":901}");
    assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_MISMATCH");
}

/* TVM-42 (ATK-04): 60 seconds are good on both sides, 61 are not. */
static void attack_04_clock(void **state)
{
    (void)state;
    static const struct {
        int64_t now;
        bool good;
    } rows[] = {{NOW - 60, true}, {NOW + 60, true}, {NOW - 61, false}, {NOW + 61, false}};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_request r;
        struct sn_proof proof = {0};
        struct sn_error err;

        good_request(&r);
        if (rows[i].good) {
            assert_ok(check_at(&r, rows[i].now, &proof, &err), &err);
        } else {
            assert_fails(check_at(&r, rows[i].now, &proof, &err), &err, "PROOF_EXPIRED");
        }
    }
}

/* TVM-03, check 1: no trace of a proof; an identity in a header of the caller's own is none. */
static void no_proof(void **state)
{
    (void)state;
    struct sn_request r;
    struct sn_proof proof = {0};
    struct sn_error err;

    good_request(&r);
    r.header_count = 1;
    set_header(&r, "X-User", "admin");
    set_header(&r, "X-Amz-Date", "20260201T100000Z");
    assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_REQUIRED");
    assert_int_equal(err.status, SN_UNAUTHENTICATED);
    set_header(&r, "x-sentinel-want-ticket", "true");
    assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_MALFORMED");
}

/* The order of the table: the first check that fires answers. */
static void order_of_checks(void **state)
{
    (void)state;
    struct sn_request r;
    struct sn_proof proof = {0};
    struct sn_error err;

    good_request(&r);
    r.body = SN_S("");
    set_header(&r, "X-Sentinel-Audience", "https://other.example.org");
    assert_fails(check_at(&r, NOW + 999, &proof, &err), &err, "PROOF_EXPIRED");
    assert_fails(check_at(&r, NOW, &proof, &err), &err, "PROOF_AUDIENCE");
    set_header(&r, "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE000000000/20260201/us-east-1/sts/aws4_request, SignedHeaders=" LIST
        ", Signature=" SIG);
    assert_fails(check_at(&r, NOW + 999, &proof, &err), &err, "PROOF_REGION");
}

/* TVM-42: 8,192 bytes of names and values are taken, one more is not; single limits too. */
static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t len;
        const char *code;
    } rows[] = {
        {"X-Amz-Security-Token", 6144, NULL},
        {"X-Amz-Security-Token", 6145, "PROOF_MALFORMED"},
        {"X-Sentinel-Audience", 513, "PROOF_MALFORMED"},
        {"Authorization", 8193, "PROOF_MALFORMED"},
    };

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_free_p) char *value = sn_alloc(rows[i].len + 1, 1);
        struct sn_request r;
        struct sn_proof proof = {0};
        struct sn_error err;

        memset(value, 'A', rows[i].len);
        good_request(&r);
        set_header(&r, rows[i].header, value);
        if (rows[i].code == NULL) {
            assert_ok(check_at(&r, NOW, &proof, &err), &err);
        } else {
            assert_fails(check_at(&r, NOW, &proof, &err), &err, rows[i].code);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_hashes),
        cmocka_unit_test(signatures),
        cmocka_unit_test(odd_key_id),
        cmocka_unit_test(good_proof),
        cmocka_unit_test(attack_02_one_change),
        cmocka_unit_test(attack_02_repeated_header),
        cmocka_unit_test(attack_04_another_request),
        cmocka_unit_test(attack_04_clock),
        cmocka_unit_test(no_proof),
        cmocka_unit_test(order_of_checks),
        cmocka_unit_test(sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
