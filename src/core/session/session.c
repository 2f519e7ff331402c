/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/session/session.c - names of session states, the caps on a session's length and the deadline policy.
 */
#include "core/session/session.h"

#include "base/buf.h"
#include "base/time.h"
#include "codec/json.h"

enum {
    STS_MIN_S = 900,            /* STS refuses less; the session policy ends access earlier instead */
    WINDOW_MIN_S = 60,          /* a shorter rest of a window counts as its end */
    ROLE_CHAINING_MAX_S = 3600, /* STS's own cap for role credentials */
    STS_POLICY_MAX_CHARS = 2048,
};

static const char *const status_words[] = {
    [SN_SESSION_ACTIVE] = "active", [SN_SESSION_REVOKED] = "revoked", [SN_SESSION_EXPIRED] = "expired", NULL};

const char *sn_session_status_name(enum sn_session_status status)
{
    switch (status) {
    case SN_SESSION_ACTIVE:
    case SN_SESSION_REVOKED:
    case SN_SESSION_EXPIRED:
        return status_words[status];
    }
    SN_ASSERT(false);
    return "";
}

/* Not sealed: what a touch or the sweep may change. */
const struct sn_attribute sn_session_attributes[] = {
    SN_SEALED(struct sn_session, "id", ID, id),
    SN_SEALED(struct sn_session, "rev", INT, rev),
    SN_SEALED(struct sn_session, "user", TEXT, user),
    SN_SEALED(struct sn_session, "account", TEXT, account),
    SN_SEALED(struct sn_session, "caller_type", TEXT, caller_type),
    SN_SEALED(struct sn_session, "caller_role", TEXT, caller_role),
    SN_SEALED(struct sn_session, "caller_arn", TEXT, caller_arn),
    SN_SEALED(struct sn_session, "vouched", BOOL, vouched),
    SN_SEALED(struct sn_session, "profile", TEXT, profile),
    SN_SEALED(struct sn_session, "role_arn", TEXT, role_arn),
    SN_SEALED_WORD(struct sn_session, "kind", sn_issue_kind_words, kind),
    SN_SEALED(struct sn_session, "grant_id", TEXT, grant_id),
    SN_SEALED(struct sn_session, "source_identity", TEXT, source_identity),
    SN_SEALED(struct sn_session, "server_instance_id", ID, server_instance_id),
    SN_SEALED_WORD(struct sn_session, "status", status_words, status),
    SN_SEALED(struct sn_session, "started_at", TIME, started_at_ms),
    SN_UNSEALED(struct sn_session, "last_access_at", TIME, last_access_at_ms),
    SN_SEALED(struct sn_session, "expires_at", TIME, expires_at_ms),
    SN_SEALED(struct sn_session, "created_at", TIME, created_at_ms),
    SN_UNSEALED(struct sn_session, "updated_at", TIME, updated_at_ms),
    SN_SEALED(struct sn_session, "keys_expire_at", TIME, keys_expire_at_ms),
    SN_UNSEALED(struct sn_session, "request_count", INT, request_count),
    SN_SEALED(struct sn_session, "device_id", TEXT, device_id),
    SN_SEALED(struct sn_session, "revoked_by", TEXT, revoked_by),
    SN_SEALED(struct sn_session, "revoked_by_arn", TEXT, revoked_by_arn),
    SN_SEALED(struct sn_session, "revoked_reason", TEXT, revoked_reason),
    SN_SEALED(struct sn_session, "revoked_at", TIME, revoked_at_ms),
    SN_SEALED(struct sn_session, "keys_denied_at", TIME, keys_denied_at_ms),
    SN_UNSEALED(struct sn_session, "ttl", INT, ttl_unix_s),
    SN_UNSEALED(struct sn_session, "seal", TEXT, seal),
    {0},
};

const char *sn_cap_name(enum sn_cap cap)
{
    switch (cap) {
    case SN_CAP_NONE:
        return NULL;
    case SN_CAP_RULE:
        return "rule";
    case SN_CAP_CATALOGUE:
        return "profile";
    case SN_CAP_APPROVAL:
    case SN_CAP_BREAKGLASS:
        return "grant";
    case SN_CAP_OVERRIDE:
        return "override_limit";
    case SN_CAP_ROLE_CHAINING:
        return "role_chaining";
    }
    SN_ASSERT(false);
    return NULL;
}

static void apply_cap(struct sn_duration_result *result, int64_t limit_s, enum sn_cap cap)
{
    if (limit_s < result->seconds) {
        result->seconds = limit_s;
        result->capped_by = cap;
    }
}

void sn_duration_decide(const struct sn_duration_input *input, struct sn_duration_result *out_result)
{
    struct sn_duration_result result = {
        .seconds = input->requested_s != 0 ? input->requested_s : input->default_s, .capped_by = SN_CAP_NONE};
    bool is_override = input->approval_left_s >= 0 || input->breakglass_left_s >= 0;

    if (input->rule_max_s > 0) {
        apply_cap(&result, input->rule_max_s, SN_CAP_RULE);
    }
    if (input->catalogue_max_s > 0) {
        apply_cap(&result, input->catalogue_max_s, SN_CAP_CATALOGUE);
    }
    if (input->approval_left_s >= 0) {
        apply_cap(&result, input->approval_left_s, SN_CAP_APPROVAL);
    }
    if (input->breakglass_left_s >= 0) {
        apply_cap(&result, input->breakglass_left_s, SN_CAP_BREAKGLASS);
    }
    if (is_override) {
        apply_cap(&result, input->override_max_s, SN_CAP_OVERRIDE);
    }
    if (input->role_credentials) {
        apply_cap(&result, ROLE_CHAINING_MAX_S, SN_CAP_ROLE_CHAINING);
    }

    result.window_over = result.seconds < WINDOW_MIN_S;
    result.needs_deadline = !result.window_over && result.seconds < STS_MIN_S;
    result.sts_seconds = result.needs_deadline ? STS_MIN_S : result.seconds;
    if (result.window_over) {
        result.seconds = 0;
        result.sts_seconds = 0;
    }
    *out_result = result;
}

static void add_deadline(struct sn_buf *buf, int64_t deadline_unix_s)
{
    char text[SN_TIME_TEXT_MAX];

    sn_buf_add_str(buf, "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":"
                        "{\"DateGreaterThanEquals\":{\"aws:CurrentTime\":\"");
    sn_buf_add(buf, sn_time_format_rfc3339_s(deadline_unix_s, text));
    sn_buf_add_str(buf, "\"}}}");
}

static void add_fresh_policy(struct sn_buf *buf, bool has_policy_arns, int64_t deadline_unix_s)
{
    sn_buf_add_str(buf, "{\"Version\":\"2012-10-17\",\"Statement\":[");
    if (!has_policy_arns) {
        /* An Allow beside managed policies would widen what they leave of the role. */
        sn_buf_add_str(buf, "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},");
    }
    add_deadline(buf, deadline_unix_s);
    sn_buf_add_str(buf, "]}");
}

/* The members of the policy in their order, the deadline behind the last statement. */
static enum sn_status add_extended_policy(
    struct sn_buf *buf, const struct sn_json *policy, int64_t deadline_unix_s, struct sn_error *err)
{
    const struct sn_json *statement = sn_json_get(policy, "Statement");

    if (sn_json_kind_of(policy) != SN_JSON_OBJECT || statement == NULL ||
        (sn_json_kind_of(statement) != SN_JSON_ARRAY && sn_json_kind_of(statement) != SN_JSON_OBJECT)) {
        return sn_fail(err, SN_INVALID, "INVALID_SESSION_POLICY", "the session policy has no 'Statement' list");
    }
    sn_buf_add_byte(buf, '{');
    for (size_t i = 0; i < sn_json_count(policy); i++) {
        struct sn_slice key;
        const struct sn_json *value = sn_json_member_at(policy, i, &key);
        struct sn_json_writer writer;

        if (i > 0) {
            sn_buf_add_byte(buf, ',');
        }
        sn_json_writer_init(&writer, buf);
        sn_json_put_text(&writer, key);
        sn_buf_add_byte(buf, ':');
        if (value != statement) {
            sn_json_format(buf, value);
            continue;
        }
        sn_buf_add_byte(buf, '[');
        size_t count = sn_json_kind_of(statement) == SN_JSON_OBJECT ? 1 : sn_json_count(statement);
        for (size_t j = 0; j < count; j++) {
            sn_json_format(buf, sn_json_kind_of(statement) == SN_JSON_OBJECT ? statement : sn_json_at(statement, j));
            sn_buf_add_byte(buf, ',');
        }
        add_deadline(buf, deadline_unix_s);
        sn_buf_add_byte(buf, ']');
    }
    sn_buf_add_byte(buf, '}');
    return SN_OK;
}

/* STS counts characters, not bytes; the text is UTF-8 already. */
static size_t count_chars(struct sn_slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0U) != 0x80U;
    }
    return count;
}

enum sn_status sn_session_policy_with_deadline(struct sn_slice session_policy, bool has_policy_arns,
    size_t policy_arn_chars, int64_t deadline_unix_s, struct sn_buf *out_policy, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    if (session_policy.len == 0) {
        add_fresh_policy(&text, has_policy_arns, deadline_unix_s);
    } else {
        SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
        SN_TRY(sn_json_parse(session_policy, &sn_json_limits_document, &doc, err));
        SN_TRY(add_extended_policy(&text, sn_json_root(doc), deadline_unix_s, err));
    }
    SN_TRY(sn_buf_check(&text, "the session policy", err));
    if (count_chars(sn_buf_slice(&text)) + policy_arn_chars > STS_POLICY_MAX_CHARS) {
        return sn_fail(err, SN_LIMIT, "DEADLINE_TOO_LONG",
            "session policy, deadline and policy ARNs exceed the %d characters that STS takes", STS_POLICY_MAX_CHARS);
    }
    sn_buf_add(out_policy, sn_buf_slice(&text));
    return sn_buf_check(out_policy, "the session policy", err);
}
