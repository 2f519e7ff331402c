/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts_answer.c - the strict reader of STS answers.
 */
#include "aws/sts_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "codec/xml.h"

enum { SN_STS_ERROR_MAX_BYTES = 16384, SN_STS_MESSAGE_CHARS = 200, SN_STS_SECRET_MAX = 256, SN_STS_TOKEN_MAX = 16384 };

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "STS_ANSWER_INVALID", "the answer of STS does not have its form: %s", what);
}

static bool is_xml_type(struct sn_slice content_type)
{
    struct sn_slice type = {0};
    struct sn_slice parameters = {0};

    (void)sn_slice_cut(content_type, ';', &type, &parameters);
    return sn_slice_eq_nocase(sn_slice_trim(type), SN_S("text/xml"));
}

/* Status, type and size; and no "<!": STS writes no DOCTYPE, no comment and no CDATA, so nothing is hidden in one. */
static enum sn_status check_envelope(const struct sn_sts_answer *answer, size_t max_bytes, struct sn_error *err)
{
    if (answer->status != 200) {
        return invalid(err, "its status is not 200");
    }
    if (!is_xml_type(answer->content_type)) {
        return invalid(err, "its Content-Type is not text/xml");
    }
    if (answer->body.len > max_bytes) {
        return invalid(err, "it is too long");
    }
    if (sn_slice_contains(answer->body, SN_S("<!"))) {
        return invalid(err, "it holds a declaration, a comment or CDATA");
    }
    return SN_OK;
}

static bool is_blank(struct sn_slice text)
{
    return sn_slice_trim_space(text).len == 0;
}

/* An element of STS's namespace with that name, without attributes, holding elements and no text. */
static bool is_branch(const struct sn_xml_node *node, const char *name)
{
    return node != NULL && sn_slice_eq_str(node->name, name) && sn_slice_eq_str(node->ns, SN_STS_NAMESPACE) &&
           node->attribute_count == 0 && is_blank(node->text);
}

static bool is_leaf(const struct sn_xml_node *node)
{
    return sn_slice_eq_str(node->ns, SN_STS_NAMESPACE) && node->attribute_count == 0 && node->child_count == 0;
}

static bool is_visible(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < 0x21 || (unsigned char)text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return text.len > 0;
}

/* One element that must or may stand in a branch. */
struct leaf_rule {
    const char *name; /* NULL ends the list */
    size_t max_len;
    bool required;
    bool is_branch; /* checked elsewhere */
};

/* Every child is of the list, none twice, all required ones there. */
static enum sn_status check_children(
    const struct sn_xml_node *branch, const struct leaf_rule *rules, struct sn_error *err)
{
    for (const struct sn_xml_node *child = branch->first_child; child != NULL; child = child->next) {
        const struct leaf_rule *rule = rules;
        while (rule->name != NULL && !sn_slice_eq_str(child->name, rule->name)) {
            rule++;
        }
        if (rule->name == NULL) {
            return invalid(err, "it holds an element that does not belong there");
        }
        if (rule->is_branch ? !is_branch(child, rule->name) : !is_leaf(child)) {
            return invalid(err, "an element has attributes, another namespace, or text or elements it must not hold");
        }
        if (!rule->is_branch && (!is_visible(child->text) || child->text.len > rule->max_len)) {
            return invalid(err, "a value is empty, too long or not printable");
        }
    }
    for (const struct leaf_rule *rule = rules; rule->name != NULL; rule++) {
        size_t count = sn_xml_count(branch, rule->name);
        if (count > 1 || (rule->required && count == 0)) {
            return invalid(err, count > 1 ? "an element stands twice" : "an element is missing");
        }
    }
    return SN_OK;
}

/* The root with exactly one result and at most one ResponseMetadata. */
static enum sn_status check_root(
    const struct sn_xml_node *root, const char *name, const char *result_name, struct sn_error *err)
{
    const struct leaf_rule root_rules[] = {
        {.name = result_name, .required = true, .is_branch = true},
        {.name = "ResponseMetadata", .is_branch = true},
        {.name = NULL},
    };
    static const struct leaf_rule metadata_rules[] = {{.name = "RequestId", .max_len = 128}, {.name = NULL}};
    const struct sn_xml_node *metadata = NULL;

    if (!is_branch(root, name)) {
        return invalid(err, "its root is another element, namespace or holds text");
    }
    SN_TRY(check_children(root, root_rules, err));
    metadata = sn_xml_child(root, "ResponseMetadata");
    return metadata == NULL ? SN_OK : check_children(metadata, metadata_rules, err);
}

/* The parts of arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE. */
struct arn_parts {
    struct sn_slice prefix, partition, service, region, account, resource;
};

static bool split_arn(struct sn_slice arn, struct arn_parts *out)
{
    struct sn_slice rest = arn;

    return sn_slice_cut(rest, ':', &out->prefix, &rest) && sn_slice_cut(rest, ':', &out->partition, &rest) &&
           sn_slice_cut(rest, ':', &out->service, &rest) && sn_slice_cut(rest, ':', &out->region, &rest) &&
           sn_slice_cut(rest, ':', &out->account, &out->resource) && sn_slice_eq_str(out->prefix, "arn") &&
           out->partition.len > 0 && out->resource.len > 0;
}

static bool is_account(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len == 12;
}

static void copy_text(char *out, size_t size, struct sn_slice text)
{
    SN_ASSERT(text.len < size);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

static enum sn_status read_identity(const struct sn_xml_node *root, struct sn_caller *out_caller, struct sn_error *err)
{
    static const struct leaf_rule rules[] = {
        {.name = "Arn", .max_len = sizeof(out_caller->arn) - 1, .required = true},
        {.name = "UserId", .max_len = sizeof(out_caller->user_id) - 1, .required = true},
        {.name = "Account", .max_len = sizeof(out_caller->account) - 1, .required = true},
        {.name = NULL},
    };
    const struct sn_xml_node *result = NULL;
    struct arn_parts arn;

    SN_TRY(check_root(root, "GetCallerIdentityResponse", "GetCallerIdentityResult", err));
    result = sn_xml_child(root, "GetCallerIdentityResult");
    SN_TRY(check_children(result, rules, err));
    if (!split_arn(sn_xml_child_text(result, "Arn"), &arn)) {
        return invalid(err, "Arn is no ARN");
    }
    if (!is_account(arn.account) || !sn_slice_eq(arn.account, sn_xml_child_text(result, "Account"))) {
        return invalid(err, "Account is not the account of Arn");
    }
    copy_text(out_caller->arn, sizeof(out_caller->arn), sn_xml_child_text(result, "Arn"));
    copy_text(out_caller->user_id, sizeof(out_caller->user_id), sn_xml_child_text(result, "UserId"));
    copy_text(out_caller->account, sizeof(out_caller->account), arn.account);
    return SN_OK;
}

enum sn_status sn_sts_parse_caller_identity(
    const struct sn_sts_answer *answer, struct sn_caller *out_caller, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_xml_node *root = NULL;

    SN_TRY(check_envelope(answer, SN_STS_IDENTITY_MAX_BYTES, err));
    if (sn_xml_parse(answer->body, SN_STS_IDENTITY_MAX_BYTES, &arena, &root, err) != SN_OK) {
        return invalid(err, "it is not well-formed XML");
    }
    return read_identity(root, out_caller, err);
}

/* --- AssumeRole --- */

/* arn:P:iam::A:role/path/NAME and session S are answered by arn:P:sts::A:assumed-role/NAME/S. */
static bool is_asked_arn(struct sn_slice answered, const struct sn_assume_role *asked)
{
    SN_AUTO(sn_buf_clear) struct sn_buf expected = {0};
    struct sn_slice path = {0};
    struct sn_slice name = {0};
    struct arn_parts role;

    if (!split_arn(asked->role_arn, &role) || !sn_slice_cut_last(role.resource, '/', &path, &name)) {
        return false;
    }
    sn_buf_addf(&expected, "arn:%.*s:sts::%.*s:assumed-role/%.*s/%.*s", SN_PRI(role.partition), SN_PRI(role.account),
        SN_PRI(name), SN_PRI(asked->session_name));
    return sn_slice_eq(answered, sn_buf_slice(&expected));
}

static enum sn_status read_keys(
    const struct sn_xml_node *keys, int64_t now_unix_s, struct sn_credentials *out, struct sn_error *err)
{
    static const struct leaf_rule rules[] = {
        {.name = "AccessKeyId", .max_len = SN_ACCESS_KEY_ID_MAX, .required = true},
        {.name = "SecretAccessKey", .max_len = SN_STS_SECRET_MAX, .required = true},
        {.name = "SessionToken", .max_len = SN_STS_TOKEN_MAX, .required = true},
        {.name = "Expiration", .max_len = 40, .required = true},
        {.name = NULL},
    };
    int64_t expires_ms = 0;

    SN_TRY(check_children(keys, rules, err));
    if (!sn_slice_is_alnum_or(sn_xml_child_text(keys, "AccessKeyId"), "_")) {
        return invalid(err, "AccessKeyId is no key id");
    }
    if (sn_time_parse_rfc3339(sn_xml_child_text(keys, "Expiration"), &expires_ms, err) != SN_OK) {
        return invalid(err, "Expiration is no time");
    }
    if (expires_ms / 1000 <= now_unix_s) {
        return invalid(err, "the credentials have expired already");
    }
    copy_text(out->access_key_id, sizeof(out->access_key_id), sn_xml_child_text(keys, "AccessKeyId"));
    sn_secret_set(&out->secret_access_key, sn_xml_child_text(keys, "SecretAccessKey"));
    sn_secret_set(&out->session_token, sn_xml_child_text(keys, "SessionToken"));
    out->expires_unix_s = expires_ms / 1000;
    return SN_OK;
}

static enum sn_status read_assumed(const struct sn_xml_node *root, const struct sn_assume_role *asked,
    int64_t now_unix_s, struct sn_assumed_role *role, struct sn_error *err)
{
    static const struct leaf_rule rules[] = {
        {.name = "Credentials", .required = true, .is_branch = true},
        {.name = "AssumedRoleUser", .required = true, .is_branch = true},
        {.name = "SourceIdentity", .max_len = 64},
        {.name = "PackedPolicySize", .max_len = 8},
        {.name = NULL},
    };
    static const struct leaf_rule user_rules[] = {
        {.name = "Arn", .max_len = sizeof(role->arn) - 1, .required = true},
        {.name = "AssumedRoleId", .max_len = 256, .required = true},
        {.name = NULL},
    };
    const struct sn_xml_node *result = NULL;
    const struct sn_xml_node *user = NULL;

    SN_TRY(check_root(root, "AssumeRoleResponse", "AssumeRoleResult", err));
    result = sn_xml_child(root, "AssumeRoleResult");
    SN_TRY(check_children(result, rules, err));
    user = sn_xml_child(result, "AssumedRoleUser");
    SN_TRY(check_children(user, user_rules, err));
    if (!is_asked_arn(sn_xml_child_text(user, "Arn"), asked)) {
        return invalid(err, "it is for another role, account or session name than was asked");
    }
    if (sn_xml_child(result, "SourceIdentity") != NULL &&
        !sn_slice_eq(sn_xml_child_text(result, "SourceIdentity"), asked->source_identity)) {
        return invalid(err, "it carries another source identity than was asked");
    }
    SN_TRY(read_keys(sn_xml_child(result, "Credentials"), now_unix_s, &role->credentials, err));
    copy_text(role->arn, sizeof(role->arn), sn_xml_child_text(user, "Arn"));
    return SN_OK;
}

void sn_assumed_role_clear(struct sn_assumed_role *role)
{
    if (role == NULL) {
        return;
    }
    sn_credentials_clear(&role->credentials);
    memset(role->arn, 0, sizeof(role->arn));
}

enum sn_status sn_sts_parse_assume_role(const struct sn_sts_answer *answer, const struct sn_assume_role *asked,
    int64_t now_unix_s, struct sn_assumed_role *out_role, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
    struct sn_xml_node *root = NULL;
    enum sn_status status = SN_OK;

    SN_TRY(check_envelope(answer, SN_STS_ASSUME_MAX_BYTES, err));
    if (sn_xml_parse(answer->body, SN_STS_ASSUME_MAX_BYTES, &arena, &root, err) != SN_OK) {
        return invalid(err, "it is not well-formed XML");
    }
    status = read_assumed(root, asked, now_unix_s, &role, err);
    sn_xml_wipe(root);
    if (status == SN_OK) {
        sn_credentials_move(&out_role->credentials, &role.credentials);
        memcpy(out_role->arn, role.arn, sizeof(out_role->arn));
    }
    return status;
}

/* --- GetSessionToken --- */

static enum sn_status read_session(
    const struct sn_xml_node *root, int64_t now_unix_s, struct sn_credentials *out, struct sn_error *err)
{
    static const struct leaf_rule rules[] = {
        {.name = "Credentials", .required = true, .is_branch = true},
        {.name = NULL},
    };
    const struct sn_xml_node *result = NULL;

    SN_TRY(check_root(root, "GetSessionTokenResponse", "GetSessionTokenResult", err));
    result = sn_xml_child(root, "GetSessionTokenResult");
    SN_TRY(check_children(result, rules, err));
    return read_keys(sn_xml_child(result, "Credentials"), now_unix_s, out, err);
}

enum sn_status sn_sts_parse_session_token(const struct sn_sts_answer *answer, int64_t now_unix_s,
    struct sn_credentials *out_credentials, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    struct sn_xml_node *root = NULL;
    enum sn_status status = SN_OK;

    SN_TRY(check_envelope(answer, SN_STS_ASSUME_MAX_BYTES, err));
    if (sn_xml_parse(answer->body, SN_STS_ASSUME_MAX_BYTES, &arena, &root, err) != SN_OK) {
        return invalid(err, "it is not well-formed XML");
    }
    status = read_session(root, now_unix_s, &keys, err);
    sn_xml_wipe(root);
    if (status == SN_OK) {
        sn_credentials_move(out_credentials, &keys);
    }
    return status;
}

/* --- Faults --- */

bool sn_sts_code_is_throttle(const char *code)
{
    static const char *const codes[] = {"Throttling", "ThrottlingException", "Throttled", "RequestLimitExceeded",
        "TooManyRequestsException", "SlowDown", "RequestThrottled", "RequestThrottledException"};

    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Messages of signature faults repeat the canonical request, and with it a session token; those are not kept. */
static bool message_is_harmless(const char *code)
{
    static const char *const codes[] = {"AccessDenied", "ValidationError", "PackedPolicyTooLarge",
        "MalformedPolicyDocument", "RegionDisabledException", "InvalidParameterValue", "ExpiredToken",
        "InvalidClientTokenId", "RequestExpired"};

    for (size_t i = 0; i < SN_LEN(codes); i++) {
        if (strcmp(code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

void sn_sts_parse_fault(const struct sn_sts_answer *answer, struct sn_sts_fault *out_fault)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf message = {0};
    struct sn_xml_node *root = NULL;
    const struct sn_xml_node *fault = NULL;
    struct sn_slice code = {0};
    struct sn_error ignored;

    memset(out_fault, 0, sizeof(*out_fault));
    if (answer->status < 400 || !is_xml_type(answer->content_type) || answer->body.len > SN_STS_ERROR_MAX_BYTES ||
        sn_slice_contains(answer->body, SN_S("<!")) ||
        sn_xml_parse(answer->body, SN_STS_ERROR_MAX_BYTES, &arena, &root, &ignored) != SN_OK) {
        return;
    }
    fault = sn_xml_child(root, "Error");
    code = sn_xml_child_text(fault, "Code");
    if (!sn_slice_eq_str(root->name, "ErrorResponse") || sn_xml_count(root, "Error") != 1 ||
        sn_xml_count(fault, "Code") != 1 || code.len == 0 || code.len > SN_STS_CODE_MAX ||
        !sn_slice_is_alnum_or(code, "._-")) {
        return;
    }
    copy_text(out_fault->code, sizeof(out_fault->code), code);
    if (message_is_harmless(out_fault->code)) {
        sn_sanitize(&message, sn_xml_child_text(fault, "Message"), SN_STS_MESSAGE_CHARS);
        (void)snprintf(out_fault->message, sizeof(out_fault->message), "%s", sn_buf_str(&message));
    }
}
