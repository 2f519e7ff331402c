/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/lab_query_fuzz.c - the lab under any body, rightly signed: parameters, lists, policies, answers.
 *
 * A body that begins with '{' goes to LookupEvents, any other is a form. Every answer must be XML or JSON that our own
 * strict readers take, with the status that belongs to it.
 */
#include "fuzz.h"

#include "codec/json.h"
#include "codec/xml.h"
#include "crypto/hash.h"
#include "lab/lab.h"
#include "lab/sigv4.h"

#define KEY_ID "AKIALABAAAAAAAAAAAAA"
#define SECRET "abcdefghijklmnopqrstuvwxyz0123456789+/AB"
#define DATE "20260201"
#define STAMP DATE "T100000Z"
#define TARGET "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"

static const char config[] =
    "users: [{name: alice, key: {id: " KEY_ID ", secret: " SECRET "}}]\n"
    "roles:\n"
    "  - name: Target\n"
    "    trust: {Statement: {Effect: Allow, Principal: {AWS: \"123456789012\"}, Action: \"sts:*\"}}\n";

static int64_t fixed_ns(void *ctx)
{
    (void)ctx;
    return INT64_C(1769940000) * 1000000000; /* 2026-02-01T10:00:00Z */
}
static const struct sn_clock fixed_clock = {.unix_ns = fixed_ns, .mono_ns = fixed_ns};

/* The shortest right signature: host, date and, for LookupEvents, the target. */
static void sign(struct sn_slice body, bool is_json, struct sn_buf *out)
{
    struct sn_lab_signature scope = {.date = SN_S(DATE), .region = SN_S("us-east-1"), .service = SN_S("sts")};
    const char *names = "host;x-amz-date";
    unsigned char key[SN_LAB_SIGNING_KEY_LEN];
    unsigned char mac[SN_SHA256_LEN];
    char hash[SN_SHA256_HEX_LEN + 1];
    struct sn_buf text = {0};

    sn_sha256_hex(body, hash);
    sn_buf_add_str(&text, "POST\n/\n\nhost:lab\nx-amz-date:" STAMP "\n");
    if (is_json) {
        names = "host;x-amz-date;x-amz-target";
        scope.service = SN_S("cloudtrail");
        sn_buf_add_str(&text, "x-amz-target:" TARGET "\n");
    }
    sn_buf_addf(&text, "\n%s\n%s", names, hash);
    sn_sha256_hex(sn_buf_slice(&text), hash);
    sn_buf_reset(&text);
    sn_buf_addf(
        &text, "AWS4-HMAC-SHA256\n" STAMP "\n" DATE "/us-east-1/%.*s/aws4_request\n%s", SN_PRI(scope.service), hash);
    sn_lab_signing_key(SN_S(SECRET), &scope, key);
    sn_hmac_sha256(sn_slice_bytes(key, sizeof(key)), sn_buf_slice(&text), mac);
    sn_buf_addf(out,
        "AWS4-HMAC-SHA256 Credential=" KEY_ID "/" DATE "/us-east-1/%.*s/aws4_request, SignedHeaders=%s, Signature=",
        SN_PRI(scope.service), names);
    sn_buf_add_hex(out, mac, sizeof(mac));
    sn_buf_clear(&text);
}

static void check_answer(struct sn_slice body, int status, bool is_json)
{
    struct sn_arena arena = {0};
    struct sn_xml_node *root = NULL;
    struct sn_json_doc *doc = NULL;
    struct sn_error err;

    FUZZ_CHECK(status == 200 || (status >= 400 && status < 500));
    FUZZ_CHECK(!sn_slice_contains(body, SN_S(SECRET)));
    if (is_json) {
        FUZZ_CHECK(sn_json_parse(body, &sn_json_limits_document, &doc, &err) == SN_OK);
        FUZZ_CHECK((sn_json_get(sn_json_root(doc), "Events") != NULL) == (status == 200));
        sn_json_doc_free(doc);
        return;
    }
    /* The signature holds; only the service of its scope may be another than the action's. */
    FUZZ_CHECK(!sn_slice_contains(body, SN_S("SignatureDoesNotMatch</Code>")) ||
               sn_slice_contains(body, SN_S("scoped to correct service")));
    FUZZ_CHECK(sn_xml_parse(body, 1u << 20, &arena, &root, &err) == SN_OK);
    FUZZ_CHECK(sn_slice_eq_str(root->name, "ErrorResponse") == (status != 200));
    sn_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_json = size > 0 && data[0] == '{';
    struct sn_lab_options options = {.config = sn_slice_str(config), .clock = &fixed_clock};
    struct sn_lab *lab = NULL; /* a fresh one: it remembers what it was asked */
    struct sn_error err;
    struct sn_buf authorization = {0};
    struct sn_response response = {0};
    struct sn_request request = {.method = SN_METHOD_POST,
        .method_text = SN_S("POST"),
        .path = SN_S("/"),
        .body = sn_slice_bytes(data, size),
        .header_count = is_json ? 4 : 3,
        .peer = {.address = "127.0.0.1", .fd = -1}};

    FUZZ_CHECK(sn_lab_new(&options, &lab, &err) == SN_OK);
    sign(request.body, is_json, &authorization);
    request.headers[0] = (struct sn_header){SN_S("Host"), SN_S("lab")};
    request.headers[1] = (struct sn_header){SN_S("X-Amz-Date"), SN_S(STAMP)};
    request.headers[2] = (struct sn_header){SN_S("Authorization"), sn_buf_slice(&authorization)};
    request.headers[3] = (struct sn_header){SN_S("X-Amz-Target"), SN_S(TARGET)};
    sn_lab_handle(lab, &request, &response);
    check_answer(sn_buf_slice(&response.body), response.status, is_json);
    sn_response_clear(&response);
    sn_buf_clear(&authorization);
    sn_lab_free(lab);
    return 0;
}
