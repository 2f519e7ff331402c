/* SPDX-License-Identifier: Apache-2.0 */
/* aws/ssm.c - see ssm.h. */
#include "aws/ssm.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { NEXT_TOKEN_MAX = 4096, PAGE_SIZE = 10 };

static const struct sn_json_service ssm_service = {.label = "SSM", .name = "ssm", .prefix = "AmazonSSM"};

/* Nothing but the client of its service: a type of its own, so that the two are not taken for each other. */
struct sn_ssm {
    struct sn_json_client *client;
};

void sn_ssm_parameter_clear(struct sn_ssm_parameter *parameter)
{
    sn_buf_clear(&parameter->value);
    *parameter = (struct sn_ssm_parameter){0};
}

enum sn_status sn_ssm_new(const struct sn_json_client_options *options, struct sn_ssm **out_ssm, struct sn_error *err)
{
    struct sn_json_client *client = NULL;

    SN_TRY(sn_json_client_new(&ssm_service, options, &client, err));
    *out_ssm = sn_alloc(1, sizeof(**out_ssm));
    (*out_ssm)->client = client;
    return SN_OK;
}

void sn_ssm_free(struct sn_ssm *ssm)
{
    if (ssm != NULL) {
        sn_json_client_free(ssm->client);
        sn_free(ssm);
    }
}

/* --- Failures --- */

struct code_row {
    const char *aws_code;
    enum sn_status status;
    const char *code, *hint; /* hint NULL: none */
};

/* By the service's own word for it, never by the words of its message. */
static const struct code_row code_rows[] = {
    {"ParameterNotFound", SN_NOT_FOUND, "SSM_PARAMETER_NOT_FOUND", NULL},
    {"ParameterVersionNotFound", SN_NOT_FOUND, "SSM_PARAMETER_NOT_FOUND", NULL},
    {"AccessDeniedException", SN_DENIED, "SSM_ACCESS_DENIED", NULL},
    {"AccessDenied", SN_DENIED, "SSM_ACCESS_DENIED", NULL},
    {"InvalidKeyId", SN_DENIED, "SSM_KMS_ACCESS_DENIED",
        "the key of the SecureString must exist and allow kms:Decrypt (and kms:Encrypt to write)"},
    {"KMSAccessDeniedException", SN_DENIED, "SSM_KMS_ACCESS_DENIED",
        "allow kms:Decrypt on the key of the SecureString"},
    {"ParameterAlreadyExists", SN_CONFLICT, "SSM_ERROR", NULL},
    {"ValidationException", SN_INVALID, "SSM_INVALID_PARAMETER", "check the path: /part/part, letters, digits, . _ -"},
    {"HierarchyLevelLimitExceededException", SN_INVALID, "SSM_INVALID_PARAMETER", "a path has at most 15 parts"},
    {"ParameterPatternMismatchException", SN_INVALID, "SSM_INVALID_PARAMETER", NULL},
    {"UnsupportedParameterType", SN_INVALID, "SSM_INVALID_PARAMETER", NULL},
    {"HierarchyTypeMismatchException", SN_INVALID, "SSM_INVALID_PARAMETER", NULL},
};

static const struct code_row *row_of(const char *aws_code)
{
    for (size_t i = 0; i < SN_LEN(code_rows); i++) {
        if (strcmp(aws_code, code_rows[i].aws_code) == 0) {
            return &code_rows[i];
        }
    }
    return NULL;
}

/* The client's failure in the words of this service. action is the IAM action that was needed. */
static enum sn_status translate(const char *name, const char *action, struct sn_error *err)
{
    struct sn_error cause = *err;
    const char *aws_code = sn_error_detail_of(&cause, "aws_code");
    const struct code_row *row = row_of(aws_code);

    if (strncmp(cause.code, "AWS_", 4) != 0) {
        return err->status; /* the credential source's own failure */
    }
    if (row != NULL) {
        (void)sn_fail(err, row->status, row->code, "%s", cause.message);
        if (strcmp(row->code, "SSM_ACCESS_DENIED") == 0) {
            (void)sn_suggest(err, "allow %s on parameter%s%s", action, name[0] == '/' ? "" : "/", name);
        } else if (row->hint != NULL) {
            (void)sn_suggest(err, "%s", row->hint);
        }
    } else {
        (void)sn_fail(
            err, cause.status, cause.status == SN_THROTTLED ? "SSM_THROTTLED" : "SSM_ERROR", "%s", cause.message);
        if (cause.retryable) {
            (void)sn_error_retryable(err, 0);
            (void)sn_suggest(err, "try again in a moment");
        } else if (cause.suggestion[0] != '\0') {
            (void)sn_suggest(err, "%s", cause.suggestion);
        }
    }
    return sn_error_detail(err, "parameter", "%s", name);
}

static enum sn_status call(struct sn_ssm *ssm, const char *action, const char *name, const struct sn_buf *body,
    size_t max_bytes, struct sn_json_doc **out_doc, struct sn_error *err)
{
    char iam_action[64];

    if (sn_json_client_call(ssm->client, action, sn_buf_slice(body), max_bytes, out_doc, err) == SN_OK) {
        return SN_OK;
    }
    snprintf(iam_action, sizeof(iam_action), "ssm:%s", action);
    return translate(name, iam_action, err);
}

/* --- Answers --- */

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "AWS_ANSWER_INVALID", "the answer of SSM does not have its form: %s", what);
}

static bool copy(char *out, size_t out_size, const struct sn_json *node)
{
    struct sn_slice text = sn_json_text(node);

    if (text.len == 0 || text.len >= out_size) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static enum sn_status read_one(const struct sn_json *node, struct sn_ssm_parameter *out, struct sn_error *err)
{
    static const char *const types[] = {"String", "StringList", "SecureString"};
    const struct sn_json *value = sn_json_get(node, "Value");
    bool is_type = false;

    if (!copy(out->name, sizeof(out->name), sn_json_get(node, "Name")) ||
        !copy(out->type, sizeof(out->type), sn_json_get(node, "Type"))) {
        return invalid(err, "a parameter without name or type");
    }
    for (size_t i = 0; i < SN_LEN(types); i++) {
        is_type = is_type || strcmp(out->type, types[i]) == 0;
    }
    out->version = sn_json_int(sn_json_get(node, "Version"), 0);
    if (!is_type || out->version < 1) {
        return invalid(err, "a parameter of an unknown type or without version");
    }
    if (value == NULL || sn_json_kind_of(value) != SN_JSON_STRING || sn_json_text(value).len == 0) {
        return invalid(err, "a parameter without value");
    }
    sn_buf_add(&out->value, sn_json_text(value));
    return SN_OK;
}

enum sn_status sn_ssm_read_parameter(
    const struct sn_json *root, const char *name, struct sn_ssm_parameter *out_parameter, struct sn_error *err)
{
    struct sn_ssm_parameter parameter = {0};
    enum sn_status status = read_one(sn_json_get(root, "Parameter"), &parameter, err);

    if (status == SN_OK && strcmp(parameter.name, name) != 0) {
        status = invalid(err, "it is another parameter than was asked for");
    }
    if (status != SN_OK) {
        sn_ssm_parameter_clear(&parameter);
        return status;
    }
    *out_parameter = parameter;
    return SN_OK;
}

/* True for "PATH/NAME" with one further part. */
static bool is_directly_below(const char *name, const char *path)
{
    size_t len = strlen(path);

    return strncmp(name, path, len) == 0 && name[len] == '/' && name[len + 1] != '\0' &&
           strchr(name + len + 1, '/') == NULL;
}

enum sn_status sn_ssm_read_page(const struct sn_json *root, const char *path, sn_ssm_each_fn *each, void *ctx,
    struct sn_slice *out_next, struct sn_error *err)
{
    const struct sn_json *list = sn_json_get(root, "Parameters");
    const struct sn_json *next = sn_json_get(root, "NextToken");
    bool has_next = next != NULL && sn_json_kind_of(next) != SN_JSON_NULL;

    if (list == NULL || sn_json_kind_of(list) != SN_JSON_ARRAY) {
        return invalid(err, "there is no list of parameters");
    }
    if (has_next && (sn_json_kind_of(next) != SN_JSON_STRING || sn_json_text(next).len > NEXT_TOKEN_MAX)) {
        return invalid(err, "its token for the next page is none");
    }
    for (size_t i = 0; i < sn_json_count(list); i++) {
        struct sn_ssm_parameter parameter = {0};
        enum sn_status status = read_one(sn_json_at(list, i), &parameter, err);
        if (status == SN_OK && !is_directly_below(parameter.name, path)) {
            status = invalid(err, "a parameter does not lie directly below the path that was asked for");
        }
        if (status == SN_OK) {
            status = each(ctx, &parameter, err);
        }
        sn_ssm_parameter_clear(&parameter);
        SN_TRY(status);
    }
    *out_next = has_next ? sn_json_text(next) : (struct sn_slice){0};
    return SN_OK;
}

/* --- Calls --- */

enum sn_status sn_ssm_get(
    struct sn_ssm *ssm, const char *name, struct sn_ssm_parameter *out_parameter, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "Name", name);
    sn_json_member_bool(&w, "WithDecryption", true);
    sn_json_end_object(&w);
    SN_TRY(call(ssm, "GetParameter", name, &body, SN_SSM_ANSWER_MAX_BYTES, &doc, err));
    if (sn_ssm_read_parameter(sn_json_root(doc), name, out_parameter, err) != SN_OK) {
        return translate(name, "", err);
    }
    return SN_OK;
}

static void page_request(struct sn_buf *body, const char *path, struct sn_slice token)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "Path", path);
    sn_json_member_bool(&w, "Recursive", false);
    sn_json_member_bool(&w, "WithDecryption", true);
    sn_json_member_int(&w, "MaxResults", PAGE_SIZE);
    if (token.len > 0) {
        sn_json_member_text(&w, "NextToken", token);
    }
    sn_json_end_object(&w);
}

enum sn_status sn_ssm_list(struct sn_ssm *ssm, const char *path, sn_ssm_each_fn *each, void *ctx, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf token = {0};

    for (int page = 0; page < SN_SSM_PAGES_MAX; page++) {
        SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
        SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
        struct sn_slice next = {0};

        page_request(&body, path, sn_buf_slice(&token));
        SN_TRY(call(ssm, "GetParametersByPath", path, &body, SN_SSM_PAGE_MAX_BYTES, &doc, err));
        if (sn_ssm_read_page(sn_json_root(doc), path, each, ctx, &next, err) != SN_OK) {
            return translate(path, "", err);
        }
        if (next.len == 0) {
            return SN_OK;
        }
        sn_buf_reset(&token);
        sn_buf_add(&token, next);
    }
    sn_fail(err, SN_LIMIT, "SSM_ERROR", "'%s' holds more than %d pages of parameters", path, SN_SSM_PAGES_MAX);
    return sn_error_detail(err, "parameter", "%s", path);
}

enum sn_status sn_ssm_put(struct sn_ssm *ssm, const struct sn_ssm_put *put, int64_t *out_version, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "Name", put->name);
    sn_json_member_text(&w, "Value", put->value);
    sn_json_member_str(&w, "Type", put->type != NULL ? put->type : "String");
    sn_json_member_bool(&w, "Overwrite", put->overwrite);
    if (put->tier != NULL) {
        sn_json_member_str(&w, "Tier", put->tier);
    }
    sn_json_end_object(&w);
    SN_TRY(call(ssm, "PutParameter", put->name, &body, SN_SSM_ANSWER_MAX_BYTES, &doc, err));
    int64_t version = sn_json_int(sn_json_get(sn_json_root(doc), "Version"), 0);
    if (version < 1) {
        (void)invalid(err, "there is no version");
        return translate(put->name, "", err);
    }
    *out_version = version;
    return SN_OK;
}

enum sn_status sn_ssm_delete(struct sn_ssm *ssm, const char *name, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    struct sn_json_writer w;

    sn_json_writer_init(&w, &body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "Name", name);
    sn_json_end_object(&w);
    return call(ssm, "DeleteParameter", name, &body, SN_SSM_ANSWER_MAX_BYTES, &doc, err);
}
