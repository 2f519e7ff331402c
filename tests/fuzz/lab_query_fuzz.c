/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/lab_query_fuzz.c - the lab under any form body, rightly signed: parameters, lists, policies, answers.
 *
 * Every answer must be XML that our own strict reader takes, with the status that belongs to it.
 */
#include "fuzz.h"

#include "base/secret.h"
#include "codec/xml.h"
#include "crypto/hash.h"
#include "lab/lab.h"
#include "lab/sigv4.h"

#define KEY_ID "AKIALABAAAAAAAAAAAAA"
#define SECRET "abcdefghijklmnopqrstuvwxyz0123456789+/AB"
#define DATE "20260201"
#define STAMP DATE "T100000Z"
#define SCOPE DATE "/us-east-1/sts/aws4_request"

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

static struct sn_lab *the_lab(void)
{
    static struct sn_lab *lab;
    if (lab == NULL) {
        struct sn_error err = {0};
        struct sn_lab_options options = {.config = sn_slice_str(config), .clock = &fixed_clock};
        FUZZ_CHECK(sn_lab_new(&options, &lab, &err) == SN_OK);
    }
    return lab;
}

/* The shortest right signature: host and date only. */
static void sign(struct sn_slice body, struct sn_buf *out)
{
    static const struct sn_lab_signature scope = {
        .date = SN_S_INIT(DATE), .region = SN_S_INIT("us-east-1"), .service = SN_S_INIT("sts")};
    unsigned char key[SN_LAB_SIGNING_KEY_LEN];
    unsigned char mac[SN_SHA256_LEN];
    char hash[SN_SHA256_HEX_LEN + 1];
    struct sn_buf text = {0};

    sn_sha256_hex(body, hash);
    sn_buf_addf(&text, "POST\n/\n\nhost:lab\nx-amz-date:" STAMP "\n\nhost;x-amz-date\n%s", hash);
    sn_sha256_hex(sn_buf_slice(&text), hash);
    sn_buf_reset(&text);
    sn_buf_addf(&text, "AWS4-HMAC-SHA256\n" STAMP "\n" SCOPE "\n%s", hash);
    sn_lab_signing_key(SN_S(SECRET), &scope, key);
    sn_hmac_sha256(sn_slice_bytes(key, sizeof(key)), sn_buf_slice(&text), mac);
    sn_buf_add_str(out, "AWS4-HMAC-SHA256 Credential=" KEY_ID "/" SCOPE ", SignedHeaders=host;x-amz-date, Signature=");
    sn_buf_add_hex(out, mac, sizeof(mac));
    sn_buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_buf authorization = {0};
    struct sn_arena arena = {0};
    struct sn_response response = {0};
    struct sn_xml_node *root = NULL;
    struct sn_error err;
    struct sn_request request = {.method = SN_METHOD_POST,
        .method_text = SN_S("POST"),
        .path = SN_S("/"),
        .body = sn_slice_bytes(data, size),
        .header_count = 3,
        .peer = {.address = "127.0.0.1", .fd = -1}};

    sign(request.body, &authorization);
    request.headers[0] = (struct sn_header){SN_S("Host"), SN_S("lab")};
    request.headers[1] = (struct sn_header){SN_S("X-Amz-Date"), SN_S(STAMP)};
    request.headers[2] = (struct sn_header){SN_S("Authorization"), sn_buf_slice(&authorization)};
    sn_lab_handle(the_lab(), &request, &response);
    FUZZ_CHECK(response.status == 200 || (response.status >= 400 && response.status < 500));
    FUZZ_CHECK(!sn_slice_contains(sn_buf_slice(&response.body), SN_S(SECRET)));
    /* The signature holds; only the service of its scope may be another than the action's. */
    FUZZ_CHECK(!sn_slice_contains(sn_buf_slice(&response.body), SN_S("SignatureDoesNotMatch</Code>")) ||
               sn_slice_contains(sn_buf_slice(&response.body), SN_S("scoped to correct service")));
    FUZZ_CHECK(sn_xml_parse(sn_buf_slice(&response.body), 1u << 20, &arena, &root, &err) == SN_OK);
    FUZZ_CHECK(sn_slice_eq_str(root->name, "ErrorResponse") == (response.status != 200));
    sn_arena_clear(&arena);
    sn_response_clear(&response);
    sn_buf_clear(&authorization);
    return 0;
}
