/* SPDX-License-Identifier: Apache-2.0 */
/* aws/iam.c - see iam.h. */
#include "aws/iam.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/sign.h"
#include "aws/sts_answer.h"
#include "base/alloc.h"
#include "codec/uri.h"
#include "codec/xml.h"

#define CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"

enum { CONNECT_MS = 10000, TOTAL_MS = 30000, SECRET_MAX = 128 };

struct sn_iam {
    char endpoint[SN_ENDPOINT_MAX];
    char url[SN_ENDPOINT_MAX + 1];
    char region[SN_REGION_MAX + 1];
    const struct sn_credential_source *source;
    const struct sn_clock *clock;
    struct sn_http_client *http;
    struct sn_transport transport;
};

static enum sn_status send_http(
    void *ctx, const struct sn_http_call *call, struct sn_http_reply *out_reply, struct sn_error *err)
{
    return sn_http_client_do(ctx, call, out_reply, err);
}

enum sn_status sn_iam_new(const struct sn_iam_options *options, struct sn_iam **out_iam, struct sn_error *err)
{
    SN_AUTO(sn_iam_free_p) struct sn_iam *iam = sn_alloc(1, sizeof(*iam));
    struct sn_http_client_options http = {.ca_file = options->ca_file};

    (void)snprintf(iam->endpoint, sizeof(iam->endpoint), "%s", options->endpoint);
    (void)snprintf(iam->url, sizeof(iam->url), "%s/", options->endpoint);
    (void)snprintf(iam->region, sizeof(iam->region), "%s", options->region);
    iam->source = options->source;
    iam->clock = options->clock != NULL ? options->clock : sn_clock_system();
    if (options->transport != NULL) {
        iam->transport = *options->transport;
    } else {
        SN_TRY(sn_http_client_new(&http, &iam->http, err));
        iam->transport = (struct sn_transport){send_http, sn_transport_sleep_ms, iam->http};
    }
    *out_iam = SN_TAKE(iam);
    return SN_OK;
}

void sn_iam_free(struct sn_iam *iam)
{
    if (iam != NULL) {
        sn_http_client_free(iam->http);
        sn_free(iam);
    }
}

void sn_iam_free_p(struct sn_iam **iam)
{
    sn_iam_free(*iam);
    *iam = NULL;
}

/* --- One call --- */

static enum sn_status send_signed(
    struct sn_iam *iam, struct sn_slice body, struct sn_http_reply *out_reply, struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    SN_AUTO(sn_signature_clear) struct sn_signature signature = {0};
    const struct sn_sign_header headers[] = {
        {SN_S_INIT("content-type"), SN_S_INIT(CONTENT_TYPE)},
        {SN_S_INIT("host"), sn_endpoint_authority(sn_slice_str(iam->endpoint))},
    };
    struct sn_sign_input sign = {.method = SN_S("POST"),
        .path = SN_S("/"),
        .headers = headers,
        .header_count = SN_LEN(headers),
        .body = body,
        .region = sn_slice_str(iam->region),
        .service = SN_S("iam"),
        .unix_s = sn_clock_unix_s(iam->clock),
        .normalize_path = true,
        .double_encode_path = true};
    struct sn_http_call call = {.method = "POST",
        .url = iam->url,
        .body = body,
        .max_body = SN_IAM_MAX_BYTES,
        .total_timeout_ms = TOTAL_MS,
        .connect_timeout_ms = CONNECT_MS};

    SN_TRY(iam->source->get(iam->source->ctx, &credentials, err));
    SN_TRY(sn_sign_v4(&sign, &credentials, &signature, err));
    sn_http_call_header(&call, "Content-Type", SN_S(CONTENT_TYPE));
    sn_http_call_header(&call, "X-Amz-Date", sn_slice_str(signature.amz_date));
    if (sn_secret_is_set(&credentials.session_token)) {
        sn_http_call_header(&call, "X-Amz-Security-Token", sn_secret_reveal(&credentials.session_token));
    }
    sn_http_call_header(&call, "Authorization", sn_buf_slice(&signature.authorization));
    return iam->transport.send(iam->transport.ctx, &call, out_reply, err);
}

static enum sn_status refused(
    const struct sn_http_reply *reply, const char *action, char out_code[SN_STS_CODE_MAX + 1], struct sn_error *err)
{
    const struct sn_sts_answer answer = {.status = reply->status,
        .content_type = sn_http_reply_header(reply, "content-type"),
        .body = sn_buf_slice(&reply->body)};
    struct sn_sts_fault fault;

    sn_sts_parse_fault(&answer, &fault);
    (void)snprintf(out_code, SN_STS_CODE_MAX + 1, "%s", fault.code);
    if (reply->status >= 500 || reply->status == 429 || fault.code[0] == '\0') {
        return sn_fail(err, SN_UNAVAILABLE, "IAM_UNAVAILABLE", "IAM answered %s with status %d %s", action,
            reply->status, fault.code);
    }
    (void)sn_fail(err, SN_DENIED, "IAM_REFUSED", "IAM refused %s: %s%s%s", action, fault.code,
        fault.message[0] != '\0' ? ": " : "", fault.message);
    (void)sn_error_detail(err, "aws_code", "%s", fault.code);
    if (strcmp(fault.code, "InvalidClientTokenId") == 0) {
        return sn_suggest(
            err, "a session without MFA cannot call IAM: set mfa_serial on the profile, or add --no-session");
    }
    return sn_suggest(err, "the user needs iam:ListAccessKeys, iam:CreateAccessKey and iam:DeleteAccessKey on itself");
}

/* code: of a refusal, else "". */
static enum sn_status call_iam(struct sn_iam *iam, const char *action, const char *key_id,
    struct sn_http_reply *out_reply, char out_code[SN_STS_CODE_MAX + 1], struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};

    out_code[0] = '\0';
    sn_buf_addf(&body, "Action=%s&Version=2010-05-08", action);
    if (key_id != NULL) {
        sn_buf_add_str(&body, "&AccessKeyId=");
        sn_uri_encode(&body, sn_slice_str(key_id), false);
    }
    if (send_signed(iam, sn_buf_slice(&body), out_reply, err) != SN_OK) {
        if (strncmp(err->code, "HTTP_", 5) != 0) {
            return err->status;
        }
        struct sn_error cause = *err;
        return sn_fail(err, SN_UNAVAILABLE, "IAM_UNAVAILABLE", "IAM cannot be reached: %s", cause.message);
    }
    return out_reply->status == 200 ? SN_OK : refused(out_reply, action, out_code, err);
}

/* --- Answers --- */

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "IAM_ANSWER_INVALID", "the answer of IAM does not have its form: %s", what);
}

static bool is_key_id(struct sn_slice text)
{
    return text.len > 0 && text.len <= SN_ACCESS_KEY_ID_MAX && sn_slice_is_alnum_or(text, "_");
}

static enum sn_status read_created(const struct sn_xml_node *root, struct sn_credentials *out, struct sn_error *err)
{
    const struct sn_xml_node *key = sn_xml_child(sn_xml_child(root, "CreateAccessKeyResult"), "AccessKey");
    struct sn_slice id = sn_xml_child_text(key, "AccessKeyId");
    struct sn_slice secret = sn_xml_child_text(key, "SecretAccessKey");

    if (!sn_slice_eq_str(root->name, "CreateAccessKeyResponse") || sn_xml_count(key, "AccessKeyId") != 1 ||
        sn_xml_count(key, "SecretAccessKey") != 1) {
        return invalid(err, "it holds no new key");
    }
    if (!is_key_id(id) || secret.len == 0 || secret.len > SECRET_MAX) {
        return invalid(err, "its key is none");
    }
    (void)snprintf(out->access_key_id, sizeof(out->access_key_id), "%.*s", SN_PRI(id));
    sn_secret_set(&out->secret_access_key, secret);
    sn_secret_clear(&out->session_token);
    out->expires_unix_s = 0;
    return SN_OK;
}

enum sn_status sn_iam_parse_created(struct sn_slice body, struct sn_credentials *out_key, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials key = {0};
    struct sn_xml_node *root = NULL;

    if (sn_xml_parse(body, SN_IAM_MAX_BYTES, &arena, &root, err) != SN_OK) {
        return invalid(err, "it is not well-formed XML");
    }
    enum sn_status status = read_created(root, &key, err);
    sn_xml_wipe(root);
    if (status == SN_OK) {
        sn_credentials_move(out_key, &key);
    }
    return status;
}

enum sn_status sn_iam_parse_keys(struct sn_slice body, struct sn_iam_keys *out_keys, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_iam_keys keys = {0};
    struct sn_xml_node *root = NULL;

    if (sn_xml_parse(body, SN_IAM_MAX_BYTES, &arena, &root, err) != SN_OK) {
        return invalid(err, "it is not well-formed XML");
    }
    const struct sn_xml_node *list = sn_xml_child(sn_xml_child(root, "ListAccessKeysResult"), "AccessKeyMetadata");
    if (!sn_slice_eq_str(root->name, "ListAccessKeysResponse") || list == NULL) {
        return invalid(err, "it holds no list of keys");
    }
    for (const struct sn_xml_node *member = list->first_child; member != NULL; member = member->next) {
        struct sn_slice id = sn_xml_child_text(member, "AccessKeyId");
        if (keys.count == SN_IAM_KEYS_MAX || !is_key_id(id)) {
            return invalid(err, "it holds too many keys, or one that is none");
        }
        (void)snprintf(keys.ids[keys.count++], sizeof(keys.ids[0]), "%.*s", SN_PRI(id));
    }
    *out_keys = keys;
    return SN_OK;
}

enum sn_status sn_iam_list_access_keys(struct sn_iam *iam, struct sn_iam_keys *out_keys, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    char code[SN_STS_CODE_MAX + 1];

    SN_TRY(call_iam(iam, "ListAccessKeys", NULL, &reply, code, err));
    return sn_iam_parse_keys(sn_buf_slice(&reply.body), out_keys, err);
}

enum sn_status sn_iam_create_access_key(struct sn_iam *iam, struct sn_credentials *out_key, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    char code[SN_STS_CODE_MAX + 1];

    SN_TRY(call_iam(iam, "CreateAccessKey", NULL, &reply, code, err));
    return sn_iam_parse_created(sn_buf_slice(&reply.body), out_key, err);
}

enum sn_status sn_iam_delete_access_key(struct sn_iam *iam, const char *access_key_id, struct sn_error *err)
{
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    char code[SN_STS_CODE_MAX + 1];

    enum sn_status status = call_iam(iam, "DeleteAccessKey", access_key_id, &reply, code, err);
    return status != SN_OK && strcmp(code, "NoSuchEntity") == 0 ? SN_OK : status;
}
