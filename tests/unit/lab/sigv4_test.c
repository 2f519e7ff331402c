/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/sigv4.c: two requests as botocore signed them are accepted, and every change of them is refused with AWS's code.
 */
#include "test.h"

#include "base/arena.h"
#include "lab/sigv4.h"

enum { NOW = 1769940000 }; /* 2026-02-01T10:00:00Z, when botocore signed */

static const char secret[] = "abcdefghijklmnopqrstuvwxyz0123456789+/AB";

#define SCOPE "AKIALABEXAMPLE234567/20260201/us-east-1/sts/aws4_request"
#define SIGNED "content-type;host;x-amz-date;x-amz-security-token;x-sentinel-audience;x-spaces"
#define SIGNATURE "fde1caffa427228cc888090f3c48e6370f12294ce98949afda967cc8102ed778"
#define AUTHORIZATION "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=" SIGNED ", Signature=" SIGNATURE
#define QUERY_START                                                                                                    \
    "Action=GetCallerIdentity&Version=2011-06-15&z=%20%2F%C3%A4&a=1&A=2&empty=&X-Amz-Algorithm=AWS4-HMAC-SHA256&"      \
    "X-Amz-Credential=AKIALABEXAMPLE234567%2F20260201%2Fus-east-1%2Fsts%2Faws4_request&"
#define QUERY_END                                                                                                      \
    "X-Amz-Date=20260201T100000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&"                                           \
    "X-Amz-Security-Token=LABtoken%2Fwith%2Bsigns%3D&"                                                                 \
    "X-Amz-Signature=aad844b866908c3711c8179ace93a2942e79c6fe01ba1569b9e6f0c1ea6df78f"

static struct sn_request post_request(void)
{
    static const struct sn_header headers[] = {
        {SN_S_INIT("Host"), SN_S_INIT("127.0.0.1:8750")},
        {SN_S_INIT("content-type"), SN_S_INIT("application/x-www-form-urlencoded; charset=utf-8")},
        {SN_S_INIT("X-Sentinel-Audience"), SN_S_INIT("https://tvm.example.org")},
        {SN_S_INIT("X-Spaces"), SN_S_INIT("  a   b  ")},
        {SN_S_INIT("X-Amz-Date"), SN_S_INIT("20260201T100000Z")},
        {SN_S_INIT("X-Amz-Security-Token"), SN_S_INIT("LABtoken/with+signs=")},
        {SN_S_INIT("Authorization"), SN_S_INIT(AUTHORIZATION)},
        {SN_S_INIT("User-Agent"), SN_S_INIT("not signed")},
    };
    struct sn_request request = {.method = SN_METHOD_POST,
        .method_text = SN_S("POST"),
        .path = SN_S("/"),
        .body = SN_S("Action=GetCallerIdentity&Version=2011-06-15"),
        .header_count = SN_LEN(headers)};
    memcpy(request.headers, headers, sizeof(headers));
    return request;
}

static struct sn_request get_request(const char *query)
{
    struct sn_request request = {.method = SN_METHOD_GET,
        .method_text = SN_S("GET"),
        .path = SN_S("/"),
        .query = sn_slice_str(query),
        .header_count = 1};
    request.headers[0] = (struct sn_header){SN_S("Host"), SN_S("127.0.0.1:8750")};
    return request;
}

static enum sn_status verify(const struct sn_request *request, int64_t now, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_query query = {0};
    struct sn_lab_signature signature = {0};
    unsigned char key[SN_LAB_SIGNING_KEY_LEN];
    assert_ok(sn_query_parse(request->query, true, 300, &arena, &query, err), err);
    SN_TRY(sn_lab_signature_read(request, &query, now, &signature, err));
    assert_slice_equal(signature.access_key, "AKIALABEXAMPLE234567");
    assert_slice_equal(signature.token, "LABtoken/with+signs=");
    sn_lab_signing_key(sn_slice_str(secret), &signature, key);
    return sn_lab_signature_check(request, &query, &signature, key, err);
}

static void accepts_botocore(void **state)
{
    (void)state;
    struct sn_error err;
    struct sn_request post = post_request();
    struct sn_request get = get_request(QUERY_START QUERY_END);
    assert_ok(verify(&post, NOW, &err), &err);
    assert_ok(verify(&get, NOW, &err), &err);
}

/* Both edges of the 15 minutes, in both directions. */
static void clock_skew(void **state)
{
    (void)state;
    static const struct {
        int64_t now;
        const char *message;
    } rows[] = {
        {NOW + 900, NULL},
        {NOW - 900, NULL},
        {NOW + 901, "Signature expired: 20260201T100000Z is now earlier than 20260201T100001Z (20260201T101501Z - 15 "
                    "min.)"},
        {NOW - 901, "Signature not yet current: 20260201T100000Z is still later than 20260201T095959Z "
                    "(20260201T094459Z + 15 min.)"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        struct sn_request post = post_request();
        struct sn_request get = get_request(QUERY_START QUERY_END);
        if (rows[i].message == NULL) {
            assert_ok(verify(&post, rows[i].now, &err), &err);
            assert_ok(verify(&get, rows[i].now, &err), &err);
            continue;
        }
        assert_fails(verify(&post, rows[i].now, &err), &err, "SignatureDoesNotMatch");
        assert_string_equal(err.message, rows[i].message);
        assert_fails(verify(&get, rows[i].now, &err), &err, "SignatureDoesNotMatch");
    }
}

/* One header replaced (or added, or dropped when the value is NULL). */
static void changed_headers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *code;
    } rows[] = {
        {"Host", "127.0.0.1:8751", "SignatureDoesNotMatch"},
        {"Host", NULL, "SignatureDoesNotMatch"},
        {"X-Spaces", " a b ", NULL},
        {"X-Spaces", "ab", "SignatureDoesNotMatch"},
        {"User-Agent", "whatever", NULL},
        {"X-Amz-Date", NULL, "IncompleteSignature"},
        {"X-Amz-Date", "20260201T100001Z", "SignatureDoesNotMatch"},
        {"X-Amz-Date", "20260202T100000Z", "SignatureDoesNotMatch"},
        {"X-Amz-Date", "yesterday", "IncompleteSignature"},
        {"X-Amz-Target", "Other.Operation", "SignatureDoesNotMatch"}, /* x-amz-, but not signed */
        {"Authorization", NULL, "MissingAuthenticationToken"},
        {"Authorization", "", "MissingAuthenticationToken"},
        {"Authorization", "AWS4-HMAC-SHA512 x", "IncompleteSignature"},
        {"Authorization", "AWS4-HMAC-SHA256", "IncompleteSignature"},
        {"Authorization",
            "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=" SIGNED ", Signature=", "SignatureDoesNotMatch"},
        {"Authorization", "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=" SIGNED, "IncompleteSignature"},
        {"Authorization", "AWS4-HMAC-SHA256 Credential=" SCOPE ", Signature=" SIGNATURE, "IncompleteSignature"},
        {"Authorization", "AWS4-HMAC-SHA256 SignedHeaders=" SIGNED ", Signature=" SIGNATURE, "IncompleteSignature"},
        {"Authorization", AUTHORIZATION ", Signature=" SIGNATURE, "IncompleteSignature"},
        {"Authorization", AUTHORIZATION ", Extra=1", "IncompleteSignature"},
        {"Authorization", AUTHORIZATION ", word", "IncompleteSignature"},
        {"Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIA/20260201/us-east-1/sts, SignedHeaders=host, Signature=" SIGNATURE,
            "IncompleteSignature"},
        {"Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIA/20260201/us-east-1/sts/aws5_request, SignedHeaders=host, "
            "Signature=" SIGNATURE,
            "SignatureDoesNotMatch"},
        {"Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIA/2026021/us-east-1/sts/aws4_request, SignedHeaders=host, "
            "Signature=" SIGNATURE,
            "IncompleteSignature"},
        {"Authorization",
            "AWS4-HMAC-SHA256 Credential=AK IA/20260201/us-east-1/sts/aws4_request, SignedHeaders=host, "
            "Signature=" SIGNATURE,
            "IncompleteSignature"},
        {"Authorization",
            "AWS4-HMAC-SHA256 Credential=" SCOPE
            ", SignedHeaders=host;content-type;x-amz-date;x-amz-security-token;x-sentinel-audience;x-spaces, "
            "Signature=" SIGNATURE,
            "SignatureDoesNotMatch"}, /* not in order */
        {"Authorization",
            "AWS4-HMAC-SHA256 Credential=" SCOPE
            ", SignedHeaders=content-type;host;x-amz-Date;x-amz-security-token;x-sentinel-audience;x-spaces, "
            "Signature=" SIGNATURE,
            "SignatureDoesNotMatch"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err = {0};
        struct sn_request request = post_request();
        size_t place = 0;
        while (place < request.header_count &&
               !sn_slice_eq_nocase(request.headers[place].name, sn_slice_str(rows[i].name))) {
            place++;
        }
        if (rows[i].value == NULL) {
            request.headers[place] = request.headers[--request.header_count];
        } else {
            request.headers[place] = (struct sn_header){sn_slice_str(rows[i].name), sn_slice_str(rows[i].value)};
            request.header_count = place == request.header_count ? place + 1 : request.header_count;
        }
        print_message("# %s: %s\n", rows[i].name, rows[i].value != NULL ? rows[i].value : "(absent)");
        if (rows[i].code == NULL) {
            assert_ok(verify(&request, NOW, &err), &err);
        } else {
            assert_fails(verify(&request, NOW, &err), &err, rows[i].code);
        }
    }
}

static void repeated_headers(void **state)
{
    (void)state;
    static const char *const names[] = {"authorization", "X-AMZ-DATE", "x-amz-security-token"};
    for (size_t i = 0; i < SN_LEN(names); i++) {
        struct sn_error err;
        struct sn_request request = post_request();
        const struct sn_slice *value = sn_request_header(&request, names[i]);
        request.headers[request.header_count++] = (struct sn_header){sn_slice_str(names[i]), *value};
        assert_fails(verify(&request, NOW, &err), &err, "IncompleteSignature");
    }
    struct sn_error err;
    struct sn_request request = post_request(); /* a signed header twice is joined, and then another text */
    request.headers[request.header_count++] = (struct sn_header){SN_S("x-spaces"), SN_S("c")};
    assert_fails(verify(&request, NOW, &err), &err, "SignatureDoesNotMatch");
}

static void changed_rest(void **state)
{
    (void)state;
    struct sn_error err;
    struct sn_request request = post_request();
    request.body = SN_S("Action=GetCallerIdentity&Version=2011-06-16");
    assert_fails(verify(&request, NOW, &err), &err, "SignatureDoesNotMatch");
    request = post_request();
    request.method_text = SN_S("PUT");
    assert_fails(verify(&request, NOW, &err), &err, "SignatureDoesNotMatch");
    request = post_request();
    request.path = SN_S("//");
    assert_fails(verify(&request, NOW, &err), &err, "SignatureDoesNotMatch");
    request = post_request();
    request.query = SN_S("a=");
    assert_fails(verify(&request, NOW, &err), &err, "SignatureDoesNotMatch");
}

static void changed_query(void **state)
{
    (void)state;
    static const struct {
        const char *query, *code;
    } rows[] = {
        {"A=2&" QUERY_END, "IncompleteSignature"}, /* no algorithm */
        {QUERY_START "X-Amz-Date=20260201T100000Z&X-Amz-SignedHeaders=host", "IncompleteSignature"},
        {QUERY_START "X-Amz-Date=20260201T100000Z&X-Amz-SignedHeaders=&X-Amz-Signature=00", "IncompleteSignature"},
        {QUERY_START "X-Amz-SignedHeaders=host&X-Amz-Signature=00", "IncompleteSignature"},
        {"extra=1&" QUERY_START QUERY_END, "SignatureDoesNotMatch"},
        {"X-Amz-Algorithm=none&X-Amz-Credential=a&X-Amz-Signature=b", "IncompleteSignature"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_error err;
        struct sn_request request = get_request(rows[i].query);
        print_message("# %s\n", rows[i].query);
        assert_fails(verify(&request, NOW, &err), &err, rows[i].code);
    }
    struct sn_error err;
    struct sn_request both = get_request(QUERY_START QUERY_END);
    both.headers[both.header_count++] = (struct sn_header){SN_S("Authorization"), SN_S(AUTHORIZATION)};
    assert_fails(verify(&both, NOW, &err), &err, "IncompleteSignature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_botocore),
        cmocka_unit_test(clock_skew),
        cmocka_unit_test(changed_headers),
        cmocka_unit_test(repeated_headers),
        cmocka_unit_test(changed_rest),
        cmocka_unit_test(changed_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
