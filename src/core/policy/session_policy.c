/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/session_policy.c - see session_policy.h. */
#include "core/policy/session_policy.h"

#include <string.h>

#include "codec/json.h"
#include "core/policy/limits.h"

static const struct sn_json_limits limits = {
    .max_bytes = SN_CATALOG_MAX_SESSION_POLICY_TEXT, .max_depth = 16, .max_members = 2000};

static const char *const policy_members[] = {"Version", "Id", "Statement"};
static const char *const statement_members[] = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"};

static enum sn_status bad(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "INVALID_SESSION_POLICY", "%s", what);
}

static bool is_one_of(struct sn_slice word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sn_slice_eq_str(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* Unknown members are refused: IAM would, and a misspelt one narrows nothing. */
static enum sn_status check_members(
    const struct sn_json *object, const char *const *words, size_t count, const char *of, struct sn_error *err)
{
    for (size_t i = 0; i < sn_json_count(object); i++) {
        struct sn_slice key;
        (void)sn_json_member_at(object, i, &key);
        if (sn_slice_eq_str(key, "Principal") || sn_slice_eq_str(key, "NotPrincipal")) {
            return bad(err, "a session policy has no principal");
        }
        if (!is_one_of(key, words, count)) {
            return sn_fail(err, SN_INVALID, "INVALID_SESSION_POLICY", "%s has an unknown member '%.*s'", of,
                (int)(key.len > 40 ? 40 : key.len), key.ptr);
        }
    }
    return SN_OK;
}

/* Text, or a non-empty list of texts. */
static bool is_texts(const struct sn_json *node)
{
    if (sn_json_kind_of(node) == SN_JSON_STRING) {
        return sn_json_text(node).len > 0;
    }
    if (sn_json_kind_of(node) != SN_JSON_ARRAY || sn_json_count(node) == 0) {
        return false;
    }
    for (size_t i = 0; i < sn_json_count(node); i++) {
        const struct sn_json *item = sn_json_at(node, i);
        if (sn_json_kind_of(item) != SN_JSON_STRING || sn_json_text(item).len == 0) {
            return false;
        }
    }
    return true;
}

static enum sn_status check_either(
    const struct sn_json *statement, const char *one, const char *other, size_t number, struct sn_error *err)
{
    const struct sn_json *first = sn_json_get(statement, one), *second = sn_json_get(statement, other);
    if ((first == NULL) == (second == NULL) || !is_texts(first != NULL ? first : second)) {
        return sn_fail(err, SN_INVALID, "INVALID_SESSION_POLICY",
            "statement %zu needs either %s or %s, with text in it", number, one, other);
    }
    return SN_OK;
}

static enum sn_status check_statement(const struct sn_json *statement, size_t number, struct sn_error *err)
{
    if (statement == NULL || sn_json_kind_of(statement) != SN_JSON_OBJECT) {
        return sn_fail(err, SN_INVALID, "INVALID_SESSION_POLICY", "statement %zu is no object", number);
    }
    SN_TRY(check_members(statement, statement_members, SN_LEN(statement_members), "a statement", err));
    struct sn_slice effect = sn_json_text(sn_json_get(statement, "Effect"));
    if (!sn_slice_eq_str(effect, "Allow") && !sn_slice_eq_str(effect, "Deny")) {
        return sn_fail(
            err, SN_INVALID, "INVALID_SESSION_POLICY", "the Effect of statement %zu is neither Allow nor Deny", number);
    }
    SN_TRY(check_either(statement, "Action", "NotAction", number, err));
    SN_TRY(check_either(statement, "Resource", "NotResource", number, err));
    const struct sn_json *condition = sn_json_get(statement, "Condition");
    if (condition != NULL && sn_json_kind_of(condition) != SN_JSON_OBJECT) {
        return sn_fail(
            err, SN_INVALID, "INVALID_SESSION_POLICY", "the Condition of statement %zu is no object", number);
    }
    return SN_OK;
}

static enum sn_status check_policy(const struct sn_json *root, struct sn_error *err)
{
    if (sn_json_kind_of(root) != SN_JSON_OBJECT) {
        return bad(err, "it is no JSON object");
    }
    SN_TRY(check_members(root, policy_members, SN_LEN(policy_members), "the policy", err));
    if (!sn_slice_eq_str(sn_json_text(sn_json_get(root, "Version")), "2012-10-17")) {
        return bad(err, "its Version is not 2012-10-17");
    }
    const struct sn_json *statements = sn_json_get(root, "Statement");
    if (statements != NULL && sn_json_kind_of(statements) == SN_JSON_OBJECT) {
        return check_statement(statements, 1, err);
    }
    if (statements == NULL || sn_json_kind_of(statements) != SN_JSON_ARRAY || sn_json_count(statements) == 0) {
        return bad(err, "it has no Statement");
    }
    for (size_t i = 0; i < sn_json_count(statements); i++) {
        SN_TRY(check_statement(sn_json_at(statements, i), i + 1, err));
    }
    return SN_OK;
}

/* White space outside strings goes; the text itself stays as the author wrote it. */
static void minify(struct sn_slice text, struct sn_buf *out)
{
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string && c == '\\') { /* valid JSON: something follows */
            sn_buf_add_byte(out, c);
            c = text.ptr[++i];
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            continue;
        }
        sn_buf_add_byte(out, c);
    }
}

enum sn_status sn_session_policy_minify(struct sn_slice text, struct sn_buf *out_json, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    if (sn_json_parse(text, &limits, &doc, err) != SN_OK) {
        return sn_error_context(err, "it is no JSON that can be used");
    }
    SN_TRY(check_policy(sn_json_root(doc), err));
    minify(text, out_json);
    return sn_buf_check(out_json, "the session policy", err);
}
