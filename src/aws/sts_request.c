/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts_request.c - the bodies of AssumeRole and GetSessionToken, by the limits of the STS service model.
 */
#include "aws/sts_request.h"

#include "codec/uri.h"

enum {
    SN_STS_ROLE_ARN_MIN = 20,
    SN_STS_ROLE_ARN_MAX = 2048,
    SN_STS_NAME_MIN = 2,
    SN_STS_NAME_MAX = 64,
    SN_STS_EXTERNAL_ID_MAX = 1224,
    SN_STS_POLICY_MAX = 2048,
    SN_STS_POLICY_ARNS_MAX = 10,
    SN_STS_TAGS_MAX = 50,
    SN_STS_TAG_KEY_MAX = 128,
    SN_STS_TAG_VALUE_MAX = 256,
    SN_STS_DURATION_MIN_S = 900,
    SN_STS_DURATION_MAX_S = 43200,
    SN_STS_SESSION_MAX_S = 129600,
    SN_STS_SERIAL_MIN = 9,
    SN_STS_SERIAL_MAX = 256,
    SN_STS_CODE_LEN = 6,
};

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "STS_INPUT_INVALID", "STS would refuse the call: %s", what);
}

static void add_param(struct sn_buf *buf, const char *name, struct sn_slice value)
{
    sn_buf_addf(buf, "&%s=", name);
    sn_uri_encode(buf, value, false);
}

static void add_member(struct sn_buf *buf, const char *list, size_t index, const char *field, struct sn_slice value)
{
    sn_buf_addf(buf, "&%s.member.%zu%s=", list, index + 1, field);
    sn_uri_encode(buf, value, false);
}

static bool has_len(struct sn_slice text, size_t min, size_t max)
{
    return text.len >= min && text.len <= max;
}

static bool is_name(struct sn_slice text)
{
    return has_len(text, SN_STS_NAME_MIN, SN_STS_NAME_MAX) && sn_slice_is_alnum_or(text, "_+=,.@-");
}

static bool is_text(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return sn_slice_is_utf8(text);
}

static bool is_tag_key(struct sn_slice key)
{
    return has_len(key, 1, SN_STS_TAG_KEY_MAX) && is_text(key) &&
           !sn_slice_eq_nocase(sn_slice_sub(key, 0, 4), SN_S("aws:"));
}

static enum sn_status check_mfa(struct sn_slice serial, struct sn_slice code, struct sn_error *err)
{
    if (serial.len == 0 && code.len == 0) {
        return SN_OK;
    }
    if (!has_len(serial, SN_STS_SERIAL_MIN, SN_STS_SERIAL_MAX) || !sn_slice_is_alnum_or(serial, "+=/:,.@_-")) {
        return invalid(err, "the serial of the MFA device is none");
    }
    for (size_t i = 0; i < code.len; i++) {
        if (code.ptr[i] < '0' || code.ptr[i] > '9') {
            return invalid(err, "the MFA code is not of six digits");
        }
    }
    return code.len == SN_STS_CODE_LEN ? SN_OK : invalid(err, "the MFA code is not of six digits");
}

static void add_mfa(struct sn_buf *out_body, struct sn_slice serial, struct sn_slice code)
{
    if (serial.len > 0) {
        add_param(out_body, "SerialNumber", serial);
        add_param(out_body, "TokenCode", code);
    }
}

static enum sn_status check_names(const struct sn_assume_role *input, struct sn_error *err)
{
    if (!has_len(input->role_arn, SN_STS_ROLE_ARN_MIN, SN_STS_ROLE_ARN_MAX) ||
        !sn_slice_has_prefix(input->role_arn, SN_S("arn:")) || !is_text(input->role_arn)) {
        return invalid(err, "the role is not named by an ARN");
    }
    if (!is_name(input->session_name)) {
        return invalid(err, "the session name does not match [A-Za-z0-9_+=,.@-]{2,64}");
    }
    if (input->source_identity.len > 0 && !is_name(input->source_identity)) {
        return invalid(err, "the source identity does not match [A-Za-z0-9_+=,.@-]{2,64}");
    }
    if (input->external_id.len > 0 && (!has_len(input->external_id, 2, SN_STS_EXTERNAL_ID_MAX) ||
                                          !sn_slice_is_alnum_or(input->external_id, "_+=,.@:/-"))) {
        return invalid(err, "the external id does not match [A-Za-z0-9_+=,.@:/-]{2,1224}");
    }
    if (input->duration_s < SN_STS_DURATION_MIN_S || input->duration_s > SN_STS_DURATION_MAX_S) {
        return invalid(err, "the duration is not within 900 to 43200 seconds");
    }
    return SN_OK;
}

static enum sn_status check_lists(const struct sn_assume_role *input, struct sn_error *err)
{
    size_t policy_len = input->policy.len;

    if (input->policy_arn_count > SN_STS_POLICY_ARNS_MAX || input->tag_count > SN_STS_TAGS_MAX ||
        input->transitive_tag_count > SN_STS_TAGS_MAX) {
        return invalid(err, "a list is too long");
    }
    for (size_t i = 0; i < input->policy_arn_count; i++) {
        policy_len += input->policy_arns[i].len;
        if (!has_len(input->policy_arns[i], SN_STS_ROLE_ARN_MIN, SN_STS_ROLE_ARN_MAX) ||
            !is_text(input->policy_arns[i])) {
            return invalid(err, "a managed policy is not named by an ARN");
        }
    }
    if (policy_len > SN_STS_POLICY_MAX || !sn_slice_is_utf8(input->policy)) {
        return invalid(err, "the session policies are longer than 2,048 characters");
    }
    for (size_t i = 0; i < input->tag_count; i++) {
        if (!is_tag_key(input->tag_keys[i]) || !has_len(input->tag_values[i], 0, SN_STS_TAG_VALUE_MAX) ||
            !is_text(input->tag_values[i])) {
            return invalid(err, "a tag has a reserved key, or a key or value that is too long or not text");
        }
        for (size_t j = 0; j < i; j++) {
            if (sn_slice_eq_nocase(input->tag_keys[i], input->tag_keys[j])) {
                return invalid(err, "two tags have the same key");
            }
        }
    }
    for (size_t i = 0; i < input->transitive_tag_count; i++) {
        if (!is_tag_key(input->transitive_tag_keys[i])) {
            return invalid(err, "a transitive tag has a reserved or malformed key");
        }
    }
    return SN_OK;
}

enum sn_status sn_sts_format_assume_role(
    const struct sn_assume_role *input, struct sn_buf *out_body, struct sn_error *err)
{
    SN_TRY(check_names(input, err));
    SN_TRY(check_lists(input, err));
    SN_TRY(check_mfa(input->mfa_serial, input->mfa_code, err));
    sn_buf_reset(out_body);
    sn_buf_add_str(out_body, "Action=AssumeRole&Version=2011-06-15");
    add_param(out_body, "RoleArn", input->role_arn);
    add_param(out_body, "RoleSessionName", input->session_name);
    sn_buf_addf(out_body, "&DurationSeconds=%lld", (long long)input->duration_s);
    if (input->source_identity.len > 0) {
        add_param(out_body, "SourceIdentity", input->source_identity);
    }
    if (input->external_id.len > 0) {
        add_param(out_body, "ExternalId", input->external_id);
    }
    if (input->policy.len > 0) {
        add_param(out_body, "Policy", input->policy);
    }
    for (size_t i = 0; i < input->policy_arn_count; i++) {
        add_member(out_body, "PolicyArns", i, ".arn", input->policy_arns[i]);
    }
    for (size_t i = 0; i < input->tag_count; i++) {
        add_member(out_body, "Tags", i, ".Key", input->tag_keys[i]);
        add_member(out_body, "Tags", i, ".Value", input->tag_values[i]);
    }
    for (size_t i = 0; i < input->transitive_tag_count; i++) {
        add_member(out_body, "TransitiveTagKeys", i, "", input->transitive_tag_keys[i]);
    }
    add_mfa(out_body, input->mfa_serial, input->mfa_code);
    return sn_buf_check(out_body, "the AssumeRole request", err);
}

enum sn_status sn_sts_format_session_token(
    const struct sn_session_token *input, struct sn_buf *out_body, struct sn_error *err)
{
    if (input->duration_s < SN_STS_DURATION_MIN_S || input->duration_s > SN_STS_SESSION_MAX_S) {
        return invalid(err, "the duration is not within 900 to 129600 seconds");
    }
    SN_TRY(check_mfa(input->mfa_serial, input->mfa_code, err));
    sn_buf_reset(out_body);
    sn_buf_addf(
        out_body, "Action=GetSessionToken&Version=2011-06-15&DurationSeconds=%lld", (long long)input->duration_s);
    add_mfa(out_body, input->mfa_serial, input->mfa_code);
    return sn_buf_check(out_body, "the GetSessionToken request", err);
}
