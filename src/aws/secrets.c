/* SPDX-License-Identifier: Apache-2.0 */
/* aws/secrets.c - see secrets.h. */
#include "aws/secrets.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

static const struct sn_json_service secrets_service = {
    .label = "Secrets Manager", .name = "secretsmanager", .prefix = "secretsmanager"};

struct sn_secrets {
    struct sn_json_client *client;
};

enum sn_status sn_secrets_new(
    const struct sn_json_client_options *options, struct sn_secrets **out_secrets, struct sn_error *err)
{
    struct sn_json_client *client = NULL;

    SN_TRY(sn_json_client_new(&secrets_service, options, &client, err));
    *out_secrets = sn_alloc(1, sizeof(**out_secrets));
    (*out_secrets)->client = client;
    return SN_OK;
}

void sn_secrets_free(struct sn_secrets *secrets)
{
    if (secrets != NULL) {
        sn_json_client_free(secrets->client);
        sn_free(secrets);
    }
}

static const struct {
    const char *aws_code;
    enum sn_status status;
    const char *code, *hint;
} code_rows[] = {
    {"ResourceNotFoundException", SN_NOT_FOUND, "SECRET_NOT_FOUND", "create the secret, or name another one"},
    {"AccessDeniedException", SN_DENIED, "SECRET_ACCESS_DENIED",
        "allow the server's role secretsmanager:GetSecretValue on the secret"},
    {"AccessDenied", SN_DENIED, "SECRET_ACCESS_DENIED",
        "allow the server's role secretsmanager:GetSecretValue on the secret"},
    {"DecryptionFailure", SN_DENIED, "SECRET_ACCESS_DENIED",
        "allow the server's role kms:Decrypt on the key of the secret"},
};

static enum sn_status translate(const char *id, struct sn_error *err)
{
    struct sn_error cause = *err;
    const char *aws_code = sn_error_detail_of(&cause, "aws_code");

    if (strncmp(cause.code, "AWS_", 4) != 0) {
        return err->status; /* the credential source's own failure */
    }
    for (size_t i = 0; i < SN_LEN(code_rows); i++) {
        if (strcmp(aws_code, code_rows[i].aws_code) == 0) {
            (void)sn_fail(err, code_rows[i].status, code_rows[i].code, "secret '%s': %s", id, cause.message);
            return sn_suggest(err, "%s", code_rows[i].hint);
        }
    }
    (void)sn_fail(err, cause.status, cause.status == SN_THROTTLED ? "SECRET_THROTTLED" : "SECRET_ERROR",
        "secret '%s': %s", id, cause.message);
    if (cause.retryable) {
        (void)sn_error_retryable(err, 0);
        return sn_suggest(err, "try again in a moment");
    }
    return cause.suggestion[0] != '\0' ? sn_suggest(err, "%s", cause.suggestion) : err->status;
}

enum sn_status sn_secrets_read_value(const struct sn_json *root, struct sn_secret *out_text, struct sn_error *err)
{
    const struct sn_json *text = sn_json_get(root, "SecretString");

    if (text == NULL && sn_json_get(root, "SecretBinary") != NULL) {
        return sn_fail(err, SN_INVALID, "SECRET_INVALID", "it holds bytes instead of text");
    }
    if (text == NULL || sn_json_kind_of(text) != SN_JSON_STRING) {
        return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID", "the answer holds no secret");
    }
    if (sn_json_text(text).len == 0 || sn_json_text(text).len > SN_SECRETS_VALUE_MAX) {
        return sn_fail(err, SN_INVALID, "SECRET_INVALID", "it is empty or too long");
    }
    sn_secret_set(out_text, sn_json_text(text));
    return SN_OK;
}

enum sn_status sn_secrets_get(
    struct sn_secrets *secrets, const char *id, struct sn_secret *out_text, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "SecretId", id);
    sn_json_end_object(&w);
    if (sn_json_client_call(
            secrets->client, "GetSecretValue", sn_buf_slice(&body), SN_SECRETS_ANSWER_MAX_BYTES, &doc, err) != SN_OK) {
        return translate(id, err);
    }
    if (sn_secrets_read_value(sn_json_root(doc), out_text, err) == SN_OK) {
        return SN_OK;
    }
    return sn_error_is(err, "SECRET_INVALID") ? sn_error_context(err, "secret '%s'", id) : translate(id, err);
}
