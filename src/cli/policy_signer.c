/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_signer.c - see policy_signer.h. */
#include "cli/policy_signer.h"

#include <string.h>

#include "base/fs.h"
#include "cli/prompt.h"

enum { PRIVATE_MODE = 0077 };
#define FILE_KEY "file:"

enum sn_status sn_policy_signer_check(const char *key_id, struct sn_error *err)
{
    if (strncmp(key_id, FILE_KEY, strlen(FILE_KEY)) == 0 || sn_kms_key_is_named(sn_slice_str(key_id))) {
        return SN_OK;
    }
    sn_fail(err, SN_USAGE, "KEY_FORM", "'%.80s' is no key", key_id);
    return sn_suggest(err, "give file:PATH of a key made with 'openssl genpkey -algorithm ed25519', or the id, ARN or "
                           "alias/NAME of a KMS key");
}

static enum sn_status open_file(const char *path, struct sn_policy_signer *signer, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret pem = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret passphrase = {0};
    struct sn_error cause = {0};

    if (sn_fs_read_secret(path, SN_SIGN_KEY_FILE_MAX, PRIVATE_MODE, &pem, &cause) != SN_OK) {
        sn_fail(err, SN_INVALID, "KEY_UNREADABLE", "the key cannot be used: %s", cause.message);
        return cause.suggestion[0] != '\0' ? sn_suggest(err, "%s", cause.suggestion) : err->status;
    }
    bool is_encrypted = sn_private_key_is_encrypted(&pem);
    if (is_encrypted) {
        SN_TRY(sn_prompt_secret("Passphrase of the signing key: ", &passphrase, err));
    }
    SN_TRY(sn_private_key_parse(&pem, is_encrypted ? &passphrase : NULL, &signer->private_key, err));
    return sn_private_key_public(signer->private_key, &signer->public_key, err);
}

static enum sn_status open_kms(
    struct sn_aws_access *access, const char *key_id, struct sn_policy_signer *signer, struct sn_error *err)
{
    SN_TRY(sn_aws_access_kms(access, &signer->kms, err));
    SN_TRY(sn_kms_describe(signer->kms, key_id, &signer->kms_key, err));
    return sn_kms_public_key(signer->kms, &signer->kms_key, &signer->public_key, err);
}

enum sn_status sn_policy_signer_open(
    struct sn_aws_access *access, const char *key_id, struct sn_policy_signer *out_signer, struct sn_error *err)
{
    struct sn_policy_signer signer = {0};

    SN_TRY(sn_policy_signer_check(key_id, err));
    enum sn_status status = strncmp(key_id, FILE_KEY, strlen(FILE_KEY)) == 0
                                ? open_file(key_id + strlen(FILE_KEY), &signer, err)
                                : open_kms(access, key_id, &signer, err);
    if (status != SN_OK) {
        sn_policy_signer_clear(&signer);
        return status;
    }
    *out_signer = signer;
    return SN_OK;
}

void sn_policy_signer_clear(struct sn_policy_signer *signer)
{
    sn_private_key_free(signer->private_key);
    sn_public_key_free(signer->public_key);
    *signer = (struct sn_policy_signer){0};
}

enum sn_status sn_policy_serial_choose(
    int64_t given, int64_t before, int64_t now_s, int64_t *out_serial, struct sn_error *err)
{
    int64_t serial = given != 0 ? given : now_s > before ? now_s : before + 1;

    if (serial > now_s + SN_SERIAL_AHEAD_S) {
        sn_fail(
            err, SN_USAGE, "SERIAL_AHEAD", "serial %lld lies more than a day ahead of the clock", (long long)serial);
        return sn_suggest(err, "it would block later signatures; check the clock, or give a smaller --serial");
    }
    *out_serial = serial;
    return SN_OK;
}

bool sn_policy_signer_made(const struct sn_policy_signer *signer, const struct sn_envelope *envelope,
    const char *parameter, struct sn_slice document)
{
    const struct sn_signature_key keys[] = {{.local = signer->public_key}};
    struct sn_signature_rules rules = {
        .keys = keys, .key_count = 1, .parameter = parameter, .allow_unbound = parameter == NULL};
    const char *used = NULL;
    struct sn_error ignored = {0};

    return sn_envelope_verify(envelope, document, &rules, &used, &ignored) == SN_OK;
}

static enum sn_status sign_by_kms(
    const struct sn_policy_signer *signer, struct sn_envelope *envelope, struct sn_slice document, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf message = {0};
    unsigned char digest[SN_SHA256_LEN];
    const struct sn_kms_key *key = &signer->kms_key;

    SN_TRY(sn_envelope_prepare(envelope, document, key->arn, key->algorithm, &message, err));
    sn_sha256(sn_buf_slice(&message), digest);
    return sn_kms_sign(signer->kms, key, digest, envelope->signature, &envelope->signature_len, err);
}

enum sn_status sn_policy_signer_sign(const struct sn_policy_signer *signer, struct sn_envelope *envelope,
    struct sn_slice document, int64_t now_ms, struct sn_error *err)
{
    (void)sn_time_format_rfc3339_ms(now_ms, envelope->signed_at);
    if (signer->private_key != NULL) {
        SN_TRY(sn_envelope_sign(envelope, document, signer->private_key, err));
    } else {
        SN_TRY(sign_by_kms(signer, envelope, document, err));
    }
    if (!sn_policy_signer_made(signer, envelope, envelope->is_bound ? envelope->parameter : NULL, document)) {
        return sn_fail(
            err, SN_PROTOCOL, "SIGNATURE_USELESS", "the fresh signature is not one of its key; it is not used");
    }
    return SN_OK;
}
