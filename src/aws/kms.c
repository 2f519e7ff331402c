/* SPDX-License-Identifier: Apache-2.0 */
/* aws/kms.c - see kms.h. */
#include "aws/kms.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/base64.h"

static const struct sn_json_service kms_service = {.label = "KMS", .name = "kms", .prefix = "TrentService"};

struct sn_kms {
    struct sn_json_client *client;
};

enum sn_status sn_kms_new(const struct sn_json_client_options *options, struct sn_kms **out_kms, struct sn_error *err)
{
    struct sn_json_client *client = NULL;

    SN_TRY(sn_json_client_new(&kms_service, options, &client, err));
    *out_kms = sn_alloc(1, sizeof(**out_kms));
    (*out_kms)->client = client;
    return SN_OK;
}

void sn_kms_free(struct sn_kms *kms)
{
    if (kms != NULL) {
        sn_json_client_free(kms->client);
        sn_free(kms);
    }
}

/* --- Names of keys --- */

/* A key's own id: a UUID, with "mrk-" before 32 digits for keys of several regions. */
static bool is_plain_id(struct sn_slice id)
{
    if (sn_slice_has_prefix(id, SN_S("mrk-"))) {
        return id.len == 36 && sn_slice_is_alnum_or(id, "-");
    }
    if (id.len != 36) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = id.ptr[i];
        bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (is_dash ? c != '-' : !is_digit) {
            return false;
        }
    }
    return true;
}

static bool is_alias(struct sn_slice text)
{
    return sn_slice_has_prefix(text, SN_S("alias/")) && text.len > 6 && text.len <= 256 &&
           sn_slice_is_alnum_or(text, "/_-");
}

bool sn_kms_key_is_named(struct sn_slice text)
{
    struct sn_slice rest = text, part = {0};

    if (!sn_slice_has_prefix(text, SN_S("arn:"))) {
        return is_plain_id(text) || is_alias(text);
    }
    /* arn:PARTITION:kms:REGION:ACCOUNT:key/ID or :alias/NAME */
    for (int i = 0; i < 5; i++) {
        if (!sn_slice_next(&rest, ':', &part) || part.len == 0 || (i == 2 && !sn_slice_eq_str(part, "kms")) ||
            (i == 4 && (part.len != 12 || !sn_slice_is_alnum_or(part, "")))) {
            return false;
        }
    }
    if (text.len > SN_KMS_ARN_MAX) {
        return false;
    }
    return is_alias(rest) || (sn_slice_has_prefix(rest, SN_S("key/")) && is_plain_id(sn_slice_sub(rest, 4, rest.len)));
}

/* --- Failures --- */

static const struct {
    const char *aws_code;
    enum sn_status status;
    const char *code;
} code_rows[] = {
    {"NotFoundException", SN_NOT_FOUND, "KMS_NOT_FOUND"},
    {"InvalidArnException", SN_NOT_FOUND, "KMS_NOT_FOUND"},
    {"AccessDeniedException", SN_DENIED, "KMS_ACCESS_DENIED"},
    {"AccessDenied", SN_DENIED, "KMS_ACCESS_DENIED"},
    {"DisabledException", SN_INVALID, "KMS_KEY_UNUSABLE"},
    {"InvalidKeyUsageException", SN_INVALID, "KMS_KEY_UNUSABLE"},
    {"KMSInvalidStateException", SN_INVALID, "KMS_KEY_UNUSABLE"},
    {"UnsupportedOperationException", SN_INVALID, "KMS_KEY_UNUSABLE"},
};

static enum sn_status translate(const char *action, struct sn_error *err)
{
    struct sn_error cause = *err;
    const char *aws_code = sn_error_detail_of(&cause, "aws_code");

    if (strncmp(cause.code, "AWS_", 4) != 0) {
        return err->status; /* the credential source's own failure, or a word of this file */
    }
    for (size_t i = 0; i < SN_LEN(code_rows); i++) {
        if (strcmp(aws_code, code_rows[i].aws_code) == 0) {
            (void)sn_fail(err, code_rows[i].status, code_rows[i].code, "%s", cause.message);
            return code_rows[i].status == SN_DENIED ? sn_suggest(err, "allow kms:%s on the key", action) : err->status;
        }
    }
    (void)sn_fail(err, cause.status, cause.status == SN_THROTTLED ? "KMS_THROTTLED" : "KMS_ERROR", "%s", cause.message);
    if (aws_code[0] != '\0') {
        (void)sn_error_detail(err, "aws_code", "%s", aws_code);
    }
    if (cause.retryable) {
        (void)sn_error_retryable(err, 0);
        return sn_suggest(err, "try again in a moment");
    }
    return cause.suggestion[0] != '\0' ? sn_suggest(err, "%s", cause.suggestion) : err->status;
}

static enum sn_status call(struct sn_kms *kms, const char *action, const struct sn_buf *body,
    struct sn_json_doc **out_doc, struct sn_error *err)
{
    if (sn_json_client_call(kms->client, action, sn_buf_slice(body), SN_KMS_ANSWER_MAX_BYTES, out_doc, err) == SN_OK) {
        return SN_OK;
    }
    return translate(action, err);
}

/* --- Answers --- */

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID", "the answer of KMS does not have its form: %s", what);
}

static bool spec_algorithm(struct sn_slice spec, enum sn_sign_algorithm *out)
{
    if (sn_slice_eq_str(spec, "ECC_NIST_P256")) {
        *out = SN_SIGN_ECDSA_P256;
        return true;
    }
    *out = SN_SIGN_RSA_PSS;
    return sn_slice_eq_str(spec, "RSA_2048") || sn_slice_eq_str(spec, "RSA_3072") || sn_slice_eq_str(spec, "RSA_4096");
}

enum sn_status sn_kms_read_description(const struct sn_json *root, struct sn_kms_key *out_key, struct sn_error *err)
{
    const struct sn_json *metadata = sn_json_get(root, "KeyMetadata");
    const struct sn_json *spec_node = sn_json_get(metadata, "KeySpec");
    struct sn_slice arn = sn_json_text(sn_json_get(metadata, "Arn"));
    struct sn_slice spec = sn_json_text(spec_node != NULL ? spec_node : sn_json_get(metadata, "CustomerMasterKeySpec"));
    struct sn_slice usage = sn_json_text(sn_json_get(metadata, "KeyUsage"));
    struct sn_slice state = sn_json_text(sn_json_get(metadata, "KeyState"));
    struct sn_kms_key key = {0};

    if (arn.len > SN_KMS_ARN_MAX || !sn_slice_has_prefix(arn, SN_S("arn:")) || !sn_kms_key_is_named(arn)) {
        return invalid(err, "there is no ARN of a key");
    }
    if (!sn_slice_eq_str(usage, "SIGN_VERIFY")) {
        struct sn_slice shown = sn_slice_is_alnum_or(usage, "_") ? sn_slice_sub(usage, 0, 40) : SN_S("unknown");
        sn_fail(err, SN_INVALID, "KMS_KEY_UNUSABLE", "a key of usage '%.*s' does not sign documents", SN_PRI(shown));
        return sn_suggest(err, "use a key of usage SIGN_VERIFY");
    }
    if (!spec_algorithm(spec, &key.algorithm)) {
        struct sn_slice shown = sn_slice_is_alnum_or(spec, "_") ? sn_slice_sub(spec, 0, 40) : SN_S("unknown");
        sn_fail(err, SN_INVALID, "KMS_KEY_UNUSABLE", "a key of spec '%.*s' does not sign documents", SN_PRI(shown));
        return sn_suggest(err, "use a key of spec ECC_NIST_P256, RSA_2048, RSA_3072 or RSA_4096");
    }
    if (!sn_slice_eq_str(state, "Enabled")) {
        return sn_fail(err, SN_INVALID, "KMS_KEY_UNUSABLE", "the key is not enabled");
    }
    memcpy(key.arn, arn.ptr, arn.len);
    *out_key = key;
    return SN_OK;
}

/* An answer tells whose it is; another key's answer counts for nothing. */
static enum sn_status check_key(const struct sn_json *root, const struct sn_kms_key *key, struct sn_error *err)
{
    return sn_slice_eq_str(sn_json_text(sn_json_get(root, "KeyId")), key->arn)
               ? SN_OK
               : invalid(err, "it is of another key than was asked");
}

static enum sn_status read_base64(
    const struct sn_json *node, struct sn_buf *out_bytes, const char *what, struct sn_error *err)
{
    struct sn_error ignored = {0};

    if (sn_base64_decode(sn_json_text(node), out_bytes, &ignored) != SN_OK || out_bytes->overflow ||
        out_bytes->len == 0) {
        return invalid(err, what);
    }
    return SN_OK;
}

enum sn_status sn_kms_read_public_key(
    const struct sn_json *root, const struct sn_kms_key *key, struct sn_public_key **out_key, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf der = SN_BUF_INIT(SN_KMS_PUBLIC_KEY_MAX);
    struct sn_public_key *public_key = NULL;
    struct sn_error ignored = {0};

    SN_TRY(check_key(root, key, err));
    SN_TRY(read_base64(sn_json_get(root, "PublicKey"), &der, "there is no public key", err));
    if (sn_public_key_from_der(sn_buf_slice(&der), &public_key, &ignored) != SN_OK) {
        return invalid(err, "its public key cannot be read");
    }
    if (sn_public_key_algorithm(public_key) != key->algorithm) {
        sn_public_key_free(public_key);
        return invalid(err, "its public key is of another kind than the key");
    }
    *out_key = public_key;
    return SN_OK;
}

enum sn_status sn_kms_read_signature(const struct sn_json *root, const struct sn_kms_key *key,
    unsigned char out_signature[SN_SIGNATURE_MAX], size_t *out_len, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = SN_BUF_INIT(SN_SIGNATURE_MAX);

    SN_TRY(check_key(root, key, err));
    if (!sn_slice_eq_str(
            sn_json_text(sn_json_get(root, "SigningAlgorithm")), sn_sign_algorithm_words[key->algorithm])) {
        return invalid(err, "it is signed with another algorithm than was asked");
    }
    SN_TRY(read_base64(sn_json_get(root, "Signature"), &bytes, "there is no signature", err));
    memcpy(out_signature, bytes.ptr, bytes.len);
    *out_len = bytes.len;
    return SN_OK;
}

enum sn_status sn_kms_read_verdict(
    const struct sn_json *root, const struct sn_kms_key *key, bool *out_valid, struct sn_error *err)
{
    const struct sn_json *valid = sn_json_get(root, "SignatureValid");

    SN_TRY(check_key(root, key, err));
    if (valid == NULL || sn_json_kind_of(valid) != SN_JSON_BOOL) {
        return invalid(err, "there is no verdict");
    }
    *out_valid = sn_json_bool(valid, false);
    return SN_OK;
}

/* --- Calls --- */

enum sn_status sn_kms_describe(struct sn_kms *kms, const char *key_id, struct sn_kms_key *out_key, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "KeyId", key_id);
    sn_json_end_object(&w);
    SN_TRY(call(kms, "DescribeKey", &body, &doc, err));
    return sn_kms_read_description(sn_json_root(doc), out_key, err) == SN_OK ? SN_OK : translate("DescribeKey", err);
}

enum sn_status sn_kms_public_key(
    struct sn_kms *kms, const struct sn_kms_key *key, struct sn_public_key **out_key, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "KeyId", key->arn);
    sn_json_end_object(&w);
    SN_TRY(call(kms, "GetPublicKey", &body, &doc, err));
    return sn_kms_read_public_key(sn_json_root(doc), key, out_key, err) == SN_OK ? SN_OK
                                                                                 : translate("GetPublicKey", err);
}

static void digest_request(struct sn_buf *body, const struct sn_kms_key *key, const unsigned char digest[SN_SHA256_LEN],
    struct sn_slice signature)
{
    SN_AUTO(sn_buf_clear) struct sn_buf digest_text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf signature_text = {0};
    struct sn_json_writer w;

    sn_base64_encode(&digest_text, digest, SN_SHA256_LEN);
    sn_json_writer_init(&w, body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "KeyId", key->arn);
    sn_json_member_str(&w, "Message", sn_buf_str(&digest_text));
    sn_json_member_str(&w, "MessageType", "DIGEST");
    sn_json_member_str(&w, "SigningAlgorithm", sn_sign_algorithm_words[key->algorithm]);
    if (signature.len > 0) {
        sn_base64_encode(&signature_text, signature.ptr, signature.len);
        sn_json_member_str(&w, "Signature", sn_buf_str(&signature_text));
    }
    sn_json_end_object(&w);
}

enum sn_status sn_kms_sign(struct sn_kms *kms, const struct sn_kms_key *key, const unsigned char digest[SN_SHA256_LEN],
    unsigned char out_signature[SN_SIGNATURE_MAX], size_t *out_len, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};

    digest_request(&body, key, digest, (struct sn_slice){0});
    SN_TRY(call(kms, "Sign", &body, &doc, err));
    return sn_kms_read_signature(sn_json_root(doc), key, out_signature, out_len, err) == SN_OK ? SN_OK
                                                                                               : translate("Sign", err);
}

enum sn_status sn_kms_verify(struct sn_kms *kms, const struct sn_kms_key *key,
    const unsigned char digest[SN_SHA256_LEN], struct sn_slice signature, bool *out_valid, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};

    digest_request(&body, key, digest, signature);
    if (call(kms, "Verify", &body, &doc, err) != SN_OK) {
        if (strcmp(sn_error_detail_of(err, "aws_code"), "KMSInvalidSignatureException") == 0) {
            *out_valid = false;
            return SN_OK;
        }
        return err->status;
    }
    return sn_kms_read_verdict(sn_json_root(doc), key, out_valid, err) == SN_OK ? SN_OK : translate("Verify", err);
}
