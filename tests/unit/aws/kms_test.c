/* SPDX-License-Identifier: Apache-2.0 */
/* aws/kms.c: names of keys, what is asked, what each answer and refusal becomes. */
#include "json_fixture.h"

#include "aws/kms.h"

#define ID "0a1b2c3d-0000-4000-8000-000000000001"
#define ARN "arn:aws:kms:eu-west-1:111122223333:key/" ID
#define METADATA(spec, usage, state)                                                                                   \
    "{\"KeyMetadata\":{\"Arn\":\"" ARN "\",\"KeySpec\":\"" spec "\",\"KeyUsage\":\"" usage "\",\"KeyState\":\"" state  \
    "\"}}"

static const struct sn_kms_key p256 = {ARN, SN_SIGN_ECDSA_P256};

static struct sn_kms *open_kms(struct json_fixture *f, const struct scripted_reply *replies, size_t count)
{
    struct sn_kms *kms = NULL;
    struct sn_error err = {0};

    json_setup(f, replies, count);
    assert_int_equal(sn_kms_new(&f->options, &kms, &err), SN_OK);
    return kms;
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {ID, ARN, "alias/sentinel-policy-signing", "mrk-0123456789abcdef0123456789abcdef",
        "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a/b",
        "arn:aws:kms:eu-west-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef"};
    static const char *const bad[] = {"", "alias/", "key", "arn:aws:iam::111122223333:role/x",
        "arn:aws:kms:eu-west-1:111122223333:key/", "arn:aws:kms:eu-west-1:1111:key/" ID, "file:/x",
        "0A1B2C3D-0000-4000-8000-000000000001", "alias/a b", ARN "x"};

    for (size_t i = 0; i < SN_LEN(good); i++) {
        assert_true(sn_kms_key_is_named(sn_slice_str(good[i])));
    }
    for (size_t i = 0; i < SN_LEN(bad); i++) {
        print_message("# %s\n", bad[i]);
        assert_false(sn_kms_key_is_named(sn_slice_str(bad[i])));
    }
}

/* POL-50: the key's spec chooses the algorithm; other specs and usages are refused by name. */
static void descriptions(void **state)
{
    (void)state;
    static const struct {
        struct scripted_reply reply;
        enum sn_status status;
        const char *code, *says;
        enum sn_sign_algorithm algorithm;
    } rows[] = {
        {ANSWER(200, METADATA("ECC_NIST_P256", "SIGN_VERIFY", "Enabled")), SN_OK, "", "", SN_SIGN_ECDSA_P256},
        {ANSWER(200, METADATA("RSA_4096", "SIGN_VERIFY", "Enabled")), SN_OK, "", "", SN_SIGN_RSA_PSS},
        {ANSWER(200, METADATA("ECC_NIST_P384", "SIGN_VERIFY", "Enabled")), SN_INVALID, "KMS_KEY_UNUSABLE",
            "ECC_NIST_P384", 0},
        {ANSWER(200, METADATA("RSA_2048", "ENCRYPT_DECRYPT", "Enabled")), SN_INVALID, "KMS_KEY_UNUSABLE",
            "ENCRYPT_DECRYPT", 0},
        {ANSWER(200, METADATA("RSA_2048", "SIGN_VERIFY", "PendingDeletion")), SN_INVALID, "KMS_KEY_UNUSABLE", "enabled",
            0},
        {FAULT(400, "NotFoundException"), SN_NOT_FOUND, "KMS_NOT_FOUND", "", 0},
        {FAULT(400, "AccessDeniedException"), SN_DENIED, "KMS_ACCESS_DENIED", "", 0},
        {FAULT(400, "ThrottlingException"), SN_THROTTLED, "KMS_THROTTLED", "", 0},
        {FAULT(500, "KMSInternalException"), SN_UNAVAILABLE, "KMS_ERROR", "", 0},
        {ANSWER(200, "{}"), SN_PROTOCOL, "KMS_ERROR", "", 0},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct json_fixture f;
        struct sn_error err = {0};
        struct sn_kms_key key = {0};
        struct sn_kms *kms = open_kms(&f, &rows[i].reply, 1);
        print_message("# %s\n", rows[i].reply.body);
        assert_int_equal(sn_kms_describe(kms, "alias/a", &key, &err), rows[i].status);
        if (rows[i].status == SN_OK) {
            assert_string_equal(key.arn, ARN);
            assert_int_equal(key.algorithm, rows[i].algorithm);
        } else {
            assert_string_equal(err.code, rows[i].code);
            assert_non_null(strstr(err.message, rows[i].says));
        }
        sn_kms_free(kms);
        script_clear(&f.script);
    }
}

/* POL-32: the hash is sent, whatever the length of the document, and said to be one. */
static void digest_is_sent(void **state)
{
    (void)state;
    static const struct scripted_reply replies[] = {
        ANSWER(200, "{\"KeyId\":\"" ARN "\",\"Signature\":\"MEUC\",\"SigningAlgorithm\":\"ECDSA_SHA_256\"}")};
    struct json_fixture f;
    struct sn_error err = {0};
    unsigned char digest[SN_SHA256_LEN] = {0}, signature[SN_SIGNATURE_MAX];
    size_t len = 0;
    struct sn_kms *kms = open_kms(&f, replies, 1);

    assert_int_equal(sn_kms_sign(kms, &p256, digest, signature, &len, &err), SN_OK);
    assert_int_equal(len, 3);
    assert_non_null(strstr(sn_buf_str(&f.script.sent[0]),
        "{\"KeyId\":\"" ARN
        "\",\"Message\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"MessageType\":\"DIGEST\","
        "\"SigningAlgorithm\":\"ECDSA_SHA_256\"}"));
    sn_kms_free(kms);
    script_clear(&f.script);
}

/* POL-27, POL-31: "invalid" is KMS's verdict only; everything else means that nobody knows. */
static void verdicts(void **state)
{
    (void)state;
    static const struct {
        struct scripted_reply reply;
        enum sn_status status;
        bool is_valid;
    } rows[] = {
        {ANSWER(200, "{\"KeyId\":\"" ARN "\",\"SignatureValid\":true}"), SN_OK, true},
        {ANSWER(200, "{\"KeyId\":\"" ARN "\",\"SignatureValid\":false}"), SN_OK, false},
        {FAULT(400, "KMSInvalidSignatureException"), SN_OK, false},
        {ANSWER(200, "{\"KeyId\":\"" ARN "\",\"SignatureValid\":\"true\"}"), SN_PROTOCOL, false},
        {ANSWER(200, "{\"KeyId\":\"arn:aws:kms:eu-west-1:111122223333:key/x\",\"SignatureValid\":true}"), SN_PROTOCOL,
            false},
        {ANSWER(200, "{\"SignatureValid\":true}"), SN_PROTOCOL, false},
        {FAULT(400, "AccessDeniedException"), SN_DENIED, false},
        {FAULT(400, "DisabledException"), SN_INVALID, false},
        {FAULT(400, "ThrottlingException"), SN_THROTTLED, false},
        {BROKEN(SN_TIMEOUT, "HTTP_TIMEOUT"), SN_TIMEOUT, false},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct json_fixture f;
        struct sn_error err = {0};
        unsigned char digest[SN_SHA256_LEN] = {0};
        bool is_valid = false;
        struct sn_kms *kms = open_kms(&f, &rows[i].reply, 1);
        print_message("# %zu\n", i);
        assert_int_equal(sn_kms_verify(kms, &p256, digest, SN_S("sig"), &is_valid, &err), rows[i].status);
        assert_int_equal(is_valid, rows[i].is_valid);
        sn_kms_free(kms);
        script_clear(&f.script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(descriptions),
        cmocka_unit_test(digest_is_sent),
        cmocka_unit_test(verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
