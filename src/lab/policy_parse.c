/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/policy_parse.c - policy documents from JSON; anything not understood is an error.
 */
#include "lab/policy.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/time.h"
#include "codec/json.h"
#include "lab/policy_internal.h"

static enum sn_status malformed(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "MalformedPolicyDocument", "%s", what);
}

static enum sn_status syntax_error(struct sn_error *err)
{
    return malformed(err, "Syntax errors in policy.");
}

bool sn_lab_parse_date(struct sn_slice text, int64_t *out_unix_s)
{
    struct sn_error ignored = {0};
    int64_t value = 0;
    if (sn_parse_int(text, 0, INT64_C(253402300799), &value, &ignored) == SN_OK) {
        *out_unix_s = value;
        return true;
    }
    if (sn_time_parse_rfc3339(text, &value, &ignored) == SN_OK) {
        *out_unix_s = value >= 0 ? value / 1000 : -((999 - value) / 1000);
        return true;
    }
    return false;
}

/* A value of a condition: text, number or boolean, kept as text. */
static enum sn_status scalar_text(
    struct sn_arena *arena, const struct sn_json *node, struct sn_slice *out, struct sn_error *err)
{
    enum sn_json_kind kind = sn_json_kind_of(node);
    if (kind == SN_JSON_STRING) {
        *out = sn_arena_dup(arena, sn_json_text(node));
    } else if (kind == SN_JSON_INT || kind == SN_JSON_REAL || kind == SN_JSON_BOOL) {
        SN_AUTO(sn_buf_clear) struct sn_buf buf = {0};
        sn_json_format(&buf, node);
        *out = sn_arena_dup(arena, sn_buf_slice(&buf));
    } else {
        return syntax_error(err);
    }
    if (sn_slice_contains(*out, SN_S("${"))) {
        return malformed(err, "The policy contains policy variables, which this stand-in does not evaluate.");
    }
    return SN_OK;
}

/* One value or a list of them; an empty list is refused. */
static enum sn_status read_list(
    struct sn_arena *arena, const struct sn_json *node, bool text_only, struct sn_lab_list *out, struct sn_error *err)
{
    bool is_array = sn_json_kind_of(node) == SN_JSON_ARRAY;
    size_t count = is_array ? sn_json_count(node) : 1;
    if (count == 0) {
        return syntax_error(err);
    }
    out->items = sn_arena_alloc(arena, count, sizeof(*out->items));
    for (size_t i = 0; i < count; i++) {
        const struct sn_json *item = is_array ? sn_json_at(node, i) : node;
        if (text_only && sn_json_kind_of(item) != SN_JSON_STRING) {
            return syntax_error(err);
        }
        SN_TRY(scalar_text(arena, item, &out->items[i], err));
    }
    out->count = count;
    return SN_OK;
}

static bool is_account(struct sn_slice text)
{
    if (text.len != 12) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

static enum sn_status check_aws_principal(struct sn_slice text, struct sn_error *err)
{
    bool is_arn = sn_slice_has_prefix(text, SN_S("arn:")) &&
                  (sn_slice_contains(text, SN_S(":iam::")) || sn_slice_contains(text, SN_S(":sts::"))) &&
                  !sn_slice_has_byte(text, '*') && !sn_slice_has_byte(text, '?');
    if (!is_arn && !is_account(text)) {
        return sn_fail(
            err, SN_INVALID, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"%.*s\"", SN_PRI(text));
    }
    return SN_OK;
}

static enum sn_status read_principal(
    struct sn_arena *arena, const struct sn_json *node, struct sn_lab_statement *out, struct sn_error *err)
{
    out->has_principal = true;
    if (sn_json_kind_of(node) == SN_JSON_STRING) {
        out->everybody = sn_slice_eq_str(sn_json_text(node), "*");
        return out->everybody ? SN_OK : syntax_error(err);
    }
    if (sn_json_kind_of(node) != SN_JSON_OBJECT || sn_json_count(node) == 0) {
        return syntax_error(err);
    }
    for (size_t i = 0; i < sn_json_count(node); i++) {
        struct sn_slice key = {0};
        struct sn_lab_list list = {0};
        SN_TRY(read_list(arena, sn_json_member_at(node, i, &key), true, &list, err));
        if (sn_slice_eq_str(key, "Service") || sn_slice_eq_str(key, "Federated") ||
            sn_slice_eq_str(key, "CanonicalUser")) {
            continue; /* understood: no caller of the lab is one of these */
        }
        if (!sn_slice_eq_str(key, "AWS")) {
            return syntax_error(err);
        }
        size_t kept = 0;
        for (size_t k = 0; k < list.count; k++) {
            if (sn_slice_eq_str(list.items[k], "*")) {
                out->everybody = true;
                continue;
            }
            SN_TRY(check_aws_principal(list.items[k], err));
            list.items[kept++] = list.items[k];
        }
        list.count = kept;
        out->principals = list;
    }
    return SN_OK;
}

static const struct {
    const char *name;
    enum sn_lab_test test;
    bool negated;
} operators[] = {
    {"StringEquals", SN_LAB_TEST_STRING_EQUALS, false},
    {"StringNotEquals", SN_LAB_TEST_STRING_EQUALS, true},
    {"StringEqualsIgnoreCase", SN_LAB_TEST_STRING_EQUALS_NOCASE, false},
    {"StringNotEqualsIgnoreCase", SN_LAB_TEST_STRING_EQUALS_NOCASE, true},
    {"StringLike", SN_LAB_TEST_STRING_LIKE, false},
    {"StringNotLike", SN_LAB_TEST_STRING_LIKE, true},
    {"ArnEquals", SN_LAB_TEST_ARN_LIKE, false},
    {"ArnLike", SN_LAB_TEST_ARN_LIKE, false},
    {"ArnNotEquals", SN_LAB_TEST_ARN_LIKE, true},
    {"ArnNotLike", SN_LAB_TEST_ARN_LIKE, true},
    {"NumericEquals", SN_LAB_TEST_NUMBER_EQUALS, false},
    {"NumericNotEquals", SN_LAB_TEST_NUMBER_EQUALS, true},
    {"NumericLessThan", SN_LAB_TEST_NUMBER_LESS, false},
    {"NumericLessThanEquals", SN_LAB_TEST_NUMBER_LESS_EQUALS, false},
    {"NumericGreaterThan", SN_LAB_TEST_NUMBER_GREATER, false},
    {"NumericGreaterThanEquals", SN_LAB_TEST_NUMBER_GREATER_EQUALS, false},
    {"DateEquals", SN_LAB_TEST_DATE_EQUALS, false},
    {"DateNotEquals", SN_LAB_TEST_DATE_EQUALS, true},
    {"DateLessThan", SN_LAB_TEST_DATE_LESS, false},
    {"DateLessThanEquals", SN_LAB_TEST_DATE_LESS_EQUALS, false},
    {"DateGreaterThan", SN_LAB_TEST_DATE_GREATER, false},
    {"DateGreaterThanEquals", SN_LAB_TEST_DATE_GREATER_EQUALS, false},
    {"Bool", SN_LAB_TEST_BOOL, false},
    {"Null", SN_LAB_TEST_NULL, false},
};

/* "ForAllValues:StringLikeIfExists" taken apart. */
static enum sn_status read_operator(struct sn_slice name, struct sn_lab_condition *out, struct sn_error *err)
{
    struct sn_slice before = {0};
    struct sn_slice rest = {0};
    out->quantifier = SN_LAB_ONE_VALUE;
    if (sn_slice_cut(name, ':', &before, &rest)) {
        if (sn_slice_eq_nocase(before, SN_S("ForAllValues"))) {
            out->quantifier = SN_LAB_ALL_VALUES;
        } else if (sn_slice_eq_nocase(before, SN_S("ForAnyValue"))) {
            out->quantifier = SN_LAB_ANY_VALUE;
        } else {
            return syntax_error(err);
        }
        name = rest;
    }
    static const size_t suffix_len = sizeof("IfExists") - 1;
    if (name.len > suffix_len &&
        sn_slice_eq_nocase(sn_slice_sub(name, name.len - suffix_len, suffix_len), SN_S("IfExists"))) {
        out->if_exists = true;
        name = sn_slice_sub(name, 0, name.len - suffix_len);
    }
    for (size_t i = 0; i < SN_LEN(operators); i++) {
        if (sn_slice_eq_nocase(name, sn_slice_str(operators[i].name))) {
            out->test = operators[i].test;
            out->negated = operators[i].negated;
            if (out->test == SN_LAB_TEST_NULL && (out->if_exists || out->quantifier != SN_LAB_ONE_VALUE)) {
                return syntax_error(err);
            }
            return SN_OK;
        }
    }
    return sn_fail(err, SN_INVALID, "MalformedPolicyDocument", "Invalid Condition type : %.*s.", SN_PRI(name));
}

/* Values that could never be compared are an error now, not a condition that never holds. */
static enum sn_status check_values(const struct sn_lab_condition *condition, struct sn_error *err)
{
    for (size_t i = 0; i < condition->values.count; i++) {
        struct sn_slice value = condition->values.items[i];
        struct sn_error ignored = {0};
        int64_t number = 0;
        bool flag = false;
        bool fine = true;
        if (condition->test >= SN_LAB_TEST_DATE_EQUALS && condition->test <= SN_LAB_TEST_DATE_GREATER_EQUALS) {
            fine = sn_lab_parse_date(value, &number);
        } else if (condition->test >= SN_LAB_TEST_NUMBER_EQUALS &&
                   condition->test <= SN_LAB_TEST_NUMBER_GREATER_EQUALS) {
            fine = sn_parse_int(value, INT64_MIN, INT64_MAX, &number, &ignored) == SN_OK;
        } else if (condition->test == SN_LAB_TEST_BOOL || condition->test == SN_LAB_TEST_NULL) {
            fine = sn_parse_bool(value, &flag, &ignored) == SN_OK;
        }
        if (!fine) {
            return sn_fail(err, SN_INVALID, "MalformedPolicyDocument", "Invalid value '%.*s' for condition key %.*s.",
                SN_PRI(value), SN_PRI(condition->key));
        }
    }
    return SN_OK;
}

static enum sn_status read_conditions(
    struct sn_arena *arena, const struct sn_json *node, struct sn_lab_statement *out, struct sn_error *err)
{
    if (sn_json_kind_of(node) != SN_JSON_OBJECT) {
        return syntax_error(err);
    }
    size_t total = 0;
    for (size_t i = 0; i < sn_json_count(node); i++) {
        struct sn_slice name = {0};
        total += sn_json_count(sn_json_member_at(node, i, &name));
    }
    out->conditions = sn_arena_alloc(arena, total, sizeof(*out->conditions));
    for (size_t i = 0; i < sn_json_count(node); i++) {
        struct sn_slice name = {0};
        const struct sn_json *keys = sn_json_member_at(node, i, &name);
        if (sn_json_kind_of(keys) != SN_JSON_OBJECT || sn_json_count(keys) == 0) {
            return syntax_error(err);
        }
        for (size_t k = 0; k < sn_json_count(keys); k++) {
            struct sn_lab_condition *condition = &out->conditions[out->condition_count++];
            struct sn_slice key = {0};
            const struct sn_json *values = sn_json_member_at(keys, k, &key);
            SN_TRY(read_operator(name, condition, err));
            condition->key = sn_arena_dup(arena, key);
            SN_TRY(read_list(arena, values, false, &condition->values, err));
            SN_TRY(check_values(condition, err));
        }
    }
    return SN_OK;
}

static enum sn_status check_actions(const struct sn_lab_list *actions, struct sn_error *err)
{
    for (size_t i = 0; i < actions->count; i++) {
        if (!sn_slice_eq_str(actions->items[i], "*") && !sn_slice_has_byte(actions->items[i], ':')) {
            return malformed(err, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        }
    }
    return SN_OK;
}

static enum sn_status read_member(struct sn_arena *arena, struct sn_slice key, const struct sn_json *value,
    struct sn_lab_statement *out, struct sn_error *err)
{
    if (sn_slice_eq_str(key, "Sid")) {
        return sn_json_kind_of(value) == SN_JSON_STRING ? SN_OK : syntax_error(err);
    }
    if (sn_slice_eq_str(key, "Effect")) {
        out->is_allow = sn_slice_eq_str(sn_json_text(value), "Allow");
        return out->is_allow || sn_slice_eq_str(sn_json_text(value), "Deny") ? SN_OK : syntax_error(err);
    }
    if (sn_slice_eq_str(key, "Action") || sn_slice_eq_str(key, "NotAction")) {
        if (out->actions.count != 0) {
            return syntax_error(err);
        }
        out->not_action = sn_slice_eq_str(key, "NotAction");
        SN_TRY(read_list(arena, value, true, &out->actions, err));
        return check_actions(&out->actions, err);
    }
    if (sn_slice_eq_str(key, "Resource") || sn_slice_eq_str(key, "NotResource")) {
        if (out->resources.count != 0) {
            return syntax_error(err);
        }
        out->not_resource = sn_slice_eq_str(key, "NotResource");
        return read_list(arena, value, true, &out->resources, err);
    }
    if (sn_slice_eq_str(key, "Principal") || sn_slice_eq_str(key, "NotPrincipal")) {
        if (out->has_principal) {
            return syntax_error(err);
        }
        out->not_principal = sn_slice_eq_str(key, "NotPrincipal");
        return read_principal(arena, value, out, err);
    }
    if (sn_slice_eq_str(key, "Condition")) {
        return read_conditions(arena, value, out, err);
    }
    return syntax_error(err);
}

static enum sn_status read_statement(struct sn_arena *arena, const struct sn_json *node, enum sn_lab_policy_kind kind,
    struct sn_lab_statement *out, struct sn_error *err)
{
    if (sn_json_kind_of(node) != SN_JSON_OBJECT || sn_json_get(node, "Effect") == NULL) {
        return syntax_error(err);
    }
    for (size_t i = 0; i < sn_json_count(node); i++) {
        struct sn_slice key = {0};
        const struct sn_json *value = sn_json_member_at(node, i, &key);
        SN_TRY(read_member(arena, key, value, out, err));
    }
    if (out->actions.count == 0) {
        return malformed(err, "Policy statement must contain actions.");
    }
    if (kind == SN_LAB_POLICY_TRUST) {
        if (out->resources.count != 0) {
            return malformed(err, "Has prohibited field Resource");
        }
        if (!out->has_principal) {
            return malformed(err, "Missing required field Principal");
        }
        if (out->not_principal && out->is_allow) {
            return malformed(err, "Allow with NotPrincipal is not allowed.");
        }
        return SN_OK;
    }
    if (out->has_principal) {
        return malformed(err, "Policy document should not specify a principal.");
    }
    return out->resources.count == 0 ? malformed(err, "Policy statement must contain resources.") : SN_OK;
}

static enum sn_status read_document(
    struct sn_lab_policy *policy, const struct sn_json *root, enum sn_lab_policy_kind kind, struct sn_error *err)
{
    for (size_t i = 0; i < sn_json_count(root); i++) {
        struct sn_slice key = {0};
        const struct sn_json *value = sn_json_member_at(root, i, &key);
        if (sn_slice_eq_str(key, "Version")) {
            struct sn_slice version = sn_json_text(value);
            if (!sn_slice_eq_str(version, "2012-10-17") && !sn_slice_eq_str(version, "2008-10-17")) {
                return syntax_error(err);
            }
        } else if (!sn_slice_eq_str(key, "Statement") && !sn_slice_eq_str(key, "Id")) {
            return syntax_error(err);
        }
    }
    const struct sn_json *list = sn_json_get(root, "Statement");
    bool is_array = sn_json_kind_of(list) == SN_JSON_ARRAY;
    size_t count = is_array ? sn_json_count(list) : 1;
    if (list == NULL || count == 0) {
        return syntax_error(err);
    }
    policy->statements = sn_arena_alloc(&policy->arena, count, sizeof(*policy->statements));
    policy->count = count;
    for (size_t i = 0; i < count; i++) {
        SN_TRY(
            read_statement(&policy->arena, is_array ? sn_json_at(list, i) : list, kind, &policy->statements[i], err));
    }
    return SN_OK;
}

enum sn_status sn_lab_policy_parse(
    struct sn_slice json, enum sn_lab_policy_kind kind, struct sn_lab_policy **out_policy, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_lab_policy_unref_p) struct sn_lab_policy *policy = NULL;
    struct sn_error cause = {0};

    if (json.len > SN_LAB_POLICY_MAX_BYTES || sn_json_parse(json, &sn_json_limits_document, &doc, &cause) != SN_OK) {
        return malformed(err, "This policy contains invalid Json");
    }
    if (sn_json_kind_of(sn_json_root(doc)) != SN_JSON_OBJECT) {
        return syntax_error(err);
    }
    policy = sn_alloc(1, sizeof(*policy));
    atomic_init(&policy->references, 1);
    policy->text = sn_arena_dup(&policy->arena, json);
    SN_TRY(read_document(policy, sn_json_root(doc), kind, err));
    *out_policy = SN_TAKE(policy);
    return SN_OK;
}

struct sn_lab_policy *sn_lab_policy_ref(struct sn_lab_policy *policy)
{
    if (policy != NULL) {
        atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    }
    return policy;
}

void sn_lab_policy_unref(struct sn_lab_policy *policy)
{
    if (policy != NULL && atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) == 1) {
        sn_arena_clear(&policy->arena);
        sn_free(policy);
    }
}

void sn_lab_policy_unref_p(struct sn_lab_policy **policy)
{
    sn_lab_policy_unref(*policy);
    *policy = NULL;
}

struct sn_slice sn_lab_policy_text(const struct sn_lab_policy *policy)
{
    return policy->text;
}
