/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/kms_answer_fuzz.c - answers of KMS: whatever is accepted is of the key and the algorithm that was asked.
 */
#include "fuzz.h"

#include <string.h>

#include "aws/kms.h"

#define ARN "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001"

static void check_answers(const struct sn_json *root, enum sn_sign_algorithm algorithm)
{
    struct sn_kms_key key = {.arn = ARN, .algorithm = algorithm};
    struct sn_public_key *public_key = NULL;
    unsigned char signature[SN_SIGNATURE_MAX];
    size_t len = 0;
    bool is_valid = false;
    struct sn_error err = {0};

    if (sn_kms_read_public_key(root, &key, &public_key, &err) == SN_OK) {
        FUZZ_CHECK(sn_public_key_algorithm(public_key) == algorithm);
        sn_public_key_free(public_key);
    }
    if (sn_kms_read_signature(root, &key, signature, &len, &err) == SN_OK) {
        FUZZ_CHECK(len > 0 && len <= sizeof(signature));
    }
    if (sn_kms_read_verdict(root, &key, &is_valid, &err) == SN_OK) {
        FUZZ_CHECK(sn_slice_eq_str(sn_json_text(sn_json_get(root, "KeyId")), ARN));
    } else {
        FUZZ_CHECK(!is_valid);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice body = sn_slice_bytes(data, size);
    struct sn_json_answer answer = {.status = 200, .content_type = SN_S("application/x-amz-json-1.1"), .body = body};
    struct sn_json_doc *doc = NULL;
    struct sn_kms_key key = {0};
    struct sn_error err = {0};

    (void)sn_kms_key_is_named(body);
    if (sn_json_parse_answer(&answer, SN_KMS_ANSWER_MAX_BYTES, &doc, &err) != SN_OK) {
        return 0;
    }
    if (sn_kms_read_description(sn_json_root(doc), &key, &err) == SN_OK) {
        FUZZ_CHECK(sn_kms_key_is_named(sn_slice_str(key.arn)));
        FUZZ_CHECK(key.algorithm == SN_SIGN_ECDSA_P256 || key.algorithm == SN_SIGN_RSA_PSS);
    }
    check_answers(sn_json_root(doc), SN_SIGN_ECDSA_P256);
    check_answers(sn_json_root(doc), SN_SIGN_RSA_PSS);
    sn_json_doc_free(doc);
    return 0;
}
