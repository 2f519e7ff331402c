/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/sts.c - AssumeRole, GetCallerIdentity and GetSessionToken with the limits of the STS service model.
 */
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/time.h"
#include "lab/call.h"
#include "lab/validate.h"

enum {
    DURATION_MIN_S = 900,
    DURATION_MAX_S = 43200,
    DURATION_DEFAULT_S = 3600,
    CHAINED_MAX_S = 3600,
    TOKEN_MAX_S = 129600,
    TOKEN_DEFAULT_S = 43200,
    ROOT_TOKEN_MAX_S = 3600,
    MAX_POLICY_ARNS = 10,
    MAX_POLICY_CHARS = 2048, /* inline policy and ARNs together */
    LIST_NAME_MAX = 64,
};

static const struct sn_lab_rule rule_role_arn = {"roleArn", 20, 2048, SN_LAB_CHARS_ANY};
static const struct sn_lab_rule rule_session_name = {"roleSessionName", 2, 64, SN_LAB_CHARS_NAME};
static const struct sn_lab_rule rule_source_identity = {"sourceIdentity", 2, 256, SN_LAB_CHARS_NAME};
static const struct sn_lab_rule rule_external_id = {"externalId", 2, 1224, SN_LAB_CHARS_EXTERNAL};
static const struct sn_lab_rule rule_serial = {"serialNumber", 9, 256, SN_LAB_CHARS_SERIAL};
static const struct sn_lab_rule rule_token_code = {"tokenCode", 6, 6, SN_LAB_CHARS_DIGITS};
static const struct sn_lab_rule rule_policy = {"policy", 1, 0, SN_LAB_CHARS_POLICY};
static const struct sn_lab_rule rule_tag_key = {"key", 1, 128, SN_LAB_CHARS_TAG_KEY};
static const struct sn_lab_rule rule_tag_value = {"value", 0, 256, SN_LAB_CHARS_TAG_VALUE};
static const struct sn_lab_rule rule_policy_arn = {"arn", 20, 2048, SN_LAB_CHARS_ANY};

struct assume_role {
    const struct sn_slice *role_arn, *session_name, *source_identity, *external_id, *policy, *serial, *token_code;
    int64_t duration_s;
    bool has_duration;
    struct sn_lab_tag tags[SN_LAB_MAX_TAGS]; /* requested first, then those that chaining carries on */
    size_t requested_tags, tag_count;
    struct sn_slice transitive[SN_LAB_MAX_TAGS];
    size_t transitive_count;
    struct sn_slice policy_arns[MAX_POLICY_ARNS];
    size_t policy_arn_count;
    struct sn_lab_role *role;
    struct sn_lab_policy *policies[SN_LAB_MAX_SESSION_POLICIES]; /* counted */
    size_t policy_count;
    size_t policy_chars;
    struct sn_slice effective_source_identity;
};

static void assume_role_clear(struct assume_role *a)
{
    for (size_t i = 0; i < a->policy_count; i++) {
        sn_lab_policy_unref(a->policies[i]);
    }
}

static const struct sn_slice *find_item(
    const struct sn_query *params, const char *list, size_t index, const char *member)
{
    char text[LIST_NAME_MAX];
    int len = snprintf(text, sizeof(text), "%s.member.%zu%s%s", list, index, member[0] != '\0' ? "." : "", member);
    SN_ASSERT(len > 0 && (size_t)len < sizeof(text));
    return sn_query_find(params, text);
}

static size_t count_prefix(const struct sn_query *params, const char *list)
{
    char text[LIST_NAME_MAX];
    int len = snprintf(text, sizeof(text), "%s.member.", list);
    size_t count = 0;
    for (size_t i = 0; i < params->count; i++) {
        count += sn_slice_has_prefix(params->params[i].name, (struct sn_slice){text, (size_t)len});
    }
    return count;
}

/* Elements are numbered from 1 without gaps; anything else under the list's name is a malformed query. */
static enum sn_status check_numbering(
    const struct sn_query *params, const char *list, size_t used, struct sn_error *err)
{
    if (count_prefix(params, list) != used) {
        return sn_fail(err, SN_INVALID, "MalformedQueryString", "The elements of '%s' are not numbered from 1.", list);
    }
    return SN_OK;
}

static enum sn_status read_tags(
    const struct sn_query *params, struct assume_role *a, struct sn_lab_validation *v, struct sn_error *err)
{
    size_t used = 0;
    size_t index = 1;
    for (;; index++) {
        const struct sn_slice *key = find_item(params, "Tags", index, "Key");
        const struct sn_slice *value = find_item(params, "Tags", index, "Value");
        if (key == NULL && value == NULL) {
            break;
        }
        used += (key != NULL) + (size_t)(value != NULL);
        sn_lab_validate_item(v, &rule_tag_key, "tags", index, "key", key != NULL ? *key : (struct sn_slice){0});
        sn_lab_validate_item(v, &rule_tag_value, "tags", index, "value", value != NULL ? *value : SN_S("\n"));
        if (key != NULL && value != NULL && a->tag_count < SN_LAB_MAX_TAGS) {
            a->tags[a->tag_count++] = (struct sn_lab_tag){.key = *key, .value = *value};
        }
    }
    sn_lab_validate_count(v, "tags", index - 1, SN_LAB_MAX_TAGS);
    a->requested_tags = a->tag_count;
    return check_numbering(params, "Tags", used, err);
}

static enum sn_status read_lists(
    const struct sn_query *params, struct assume_role *a, struct sn_lab_validation *v, struct sn_error *err)
{
    const struct sn_slice *item = NULL;
    size_t index = 1;
    SN_TRY(read_tags(params, a, v, err));
    for (; (item = find_item(params, "TransitiveTagKeys", index, "")) != NULL; index++) {
        sn_lab_validate_item(v, &rule_tag_key, "transitiveTagKeys", index, "", *item);
        if (a->transitive_count < SN_LAB_MAX_TAGS) {
            a->transitive[a->transitive_count++] = *item;
        }
    }
    sn_lab_validate_count(v, "transitiveTagKeys", index - 1, SN_LAB_MAX_TAGS);
    SN_TRY(check_numbering(params, "TransitiveTagKeys", index - 1, err));
    for (index = 1; (item = find_item(params, "PolicyArns", index, "arn")) != NULL; index++) {
        sn_lab_validate_item(v, &rule_policy_arn, "policyArns", index, "arn", *item);
        if (a->policy_arn_count < MAX_POLICY_ARNS) {
            a->policy_arns[a->policy_arn_count++] = *item;
        }
    }
    sn_lab_validate_count(v, "policyArns", index - 1, MAX_POLICY_ARNS);
    return check_numbering(params, "PolicyArns", index - 1, err);
}

static enum sn_status read_parameters(struct sn_lab_call *call, struct assume_role *a, struct sn_error *err)
{
    SN_AUTO(sn_lab_validation_clear) struct sn_lab_validation v = {0};
    const struct sn_query *params = &call->params;
    const struct sn_slice *duration = sn_query_find(params, "DurationSeconds");
    a->role_arn = sn_query_find(params, "RoleArn");
    a->session_name = sn_query_find(params, "RoleSessionName");
    a->source_identity = sn_query_find(params, "SourceIdentity");
    a->external_id = sn_query_find(params, "ExternalId");
    a->policy = sn_query_find(params, "Policy");
    a->serial = sn_query_find(params, "SerialNumber");
    a->token_code = sn_query_find(params, "TokenCode");
    a->has_duration = duration != NULL;
    a->duration_s = DURATION_DEFAULT_S;

    sn_lab_validate(&v, &rule_role_arn, a->role_arn, true);
    sn_lab_validate(&v, &rule_session_name, a->session_name, true);
    sn_lab_validate(&v, &rule_source_identity, a->source_identity, false);
    sn_lab_validate(&v, &rule_external_id, a->external_id, false);
    sn_lab_validate(&v, &rule_policy, a->policy, false);
    sn_lab_validate(&v, &rule_serial, a->serial, false);
    sn_lab_validate(&v, &rule_token_code, a->token_code, false);
    sn_lab_validate_int(&v, "durationSeconds", duration, DURATION_MIN_S, DURATION_MAX_S, &a->duration_s);
    SN_TRY(read_lists(params, a, &v, err));
    return sn_lab_validation_result(&v, err);
}

static bool has_tag(const struct sn_lab_tag *tags, size_t count, struct sn_slice key)
{
    for (size_t i = 0; i < count; i++) {
        if (sn_slice_eq_nocase(tags[i].key, key)) {
            return true;
        }
    }
    return false;
}

/* Names that AWS keeps to itself: "aws:" in any case. */
static bool is_reserved(struct sn_slice text)
{
    return text.len >= 4 && sn_slice_eq_nocase(sn_slice_sub(text, 0, 4), SN_S("aws:"));
}

static enum sn_status check_tags(struct sn_lab_call *call, struct assume_role *a, struct sn_error *err)
{
    for (size_t i = 0; i < a->requested_tags; i++) {
        if (is_reserved(a->tags[i].key)) {
            return sn_fail(err, SN_INVALID, "InvalidParameterValue",
                "Tag keys beginning with 'aws:' are reserved for system use.");
        }
        if (has_tag(a->tags, i, a->tags[i].key)) {
            return sn_fail(err, SN_INVALID, "InvalidParameterValue",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
        }
    }
    for (size_t i = 0; i < a->transitive_count; i++) {
        bool found = false;
        for (size_t k = 0; k < a->requested_tags; k++) {
            if (sn_slice_eq(a->tags[k].key, a->transitive[i])) {
                a->tags[k].transitive = true;
                found = true;
            }
        }
        if (!found) {
            return sn_fail(err, SN_INVALID, "InvalidParameterValue",
                "One of the specified transitive tag keys does not exist in the session tags.");
        }
    }
    for (size_t i = 0; i < call->caller->tag_count; i++) {
        const struct sn_lab_tag *inherited = &call->caller->tags[i];
        if (!inherited->transitive) {
            continue;
        }
        if (has_tag(a->tags, a->requested_tags, inherited->key)) {
            return sn_fail(err, SN_INVALID, "InvalidParameterValue",
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
                "from the calling session.");
        }
        if (a->tag_count == SN_LAB_MAX_TAGS) {
            return sn_fail(err, SN_INVALID, "PackedPolicyTooLarge",
                "Packed size of session tags consumes more than 100%% of allotted space.");
        }
        a->tags[a->tag_count++] = *inherited;
    }
    return SN_OK;
}

static enum sn_status check_policies(struct sn_lab_call *call, struct assume_role *a, struct sn_error *err)
{
    size_t chars = a->policy != NULL ? a->policy->len : 0;
    for (size_t i = 0; i < a->policy_arn_count; i++) {
        chars += a->policy_arns[i].len;
    }
    if (chars > MAX_POLICY_CHARS) {
        return sn_fail(err, SN_INVALID, "PackedPolicyTooLarge",
            "Packed policy consumes %zu%% of allotted space, please use smaller policy.",
            chars * 100 / MAX_POLICY_CHARS);
    }
    a->policy_chars = chars;
    if (a->policy != NULL) {
        SN_TRY(sn_lab_policy_parse(*a->policy, SN_LAB_POLICY_IDENTITY, &a->policies[0], err));
        a->policy_count = 1;
    }
    for (size_t i = 0; i < a->policy_arn_count; i++) {
        const struct sn_lab_managed *found = NULL;
        for (size_t k = 0; k < call->config->managed_count; k++) {
            if (sn_slice_eq(call->config->managed[k].arn, a->policy_arns[i])) {
                found = &call->config->managed[k];
            }
        }
        if (found == NULL) {
            return sn_fail(err, SN_INVALID, "InvalidParameterValue", "Policy %.*s does not exist or is not attachable.",
                SN_PRI(a->policy_arns[i]));
        }
        a->policies[a->policy_count++] = sn_lab_policy_ref(found->policy);
    }
    return SN_OK;
}

static bool is_role_arn(struct sn_slice arn)
{
    struct sn_slice part = {0};
    struct sn_slice rest = arn;
    for (size_t i = 0; i < 5; i++) {
        if (!sn_slice_cut(rest, ':', &part, &rest)) {
            return false;
        }
        if ((i == 0 && !sn_slice_eq_str(part, "arn")) || (i == 2 && !sn_slice_eq_str(part, "iam")) ||
            (i == 3 && part.len != 0) || (i == 4 && part.len != 12)) {
            return false;
        }
    }
    return sn_slice_has_prefix(rest, SN_S("role/")) && rest.len > 5;
}

static void request_facts(const struct assume_role *a, struct sn_arena *arena, struct sn_lab_facts *facts)
{
    sn_lab_facts_add(facts, SN_S("sts:RoleSessionName"), *a->session_name);
    if (a->source_identity != NULL) {
        sn_lab_facts_add(facts, SN_S("sts:SourceIdentity"), *a->source_identity);
    }
    if (a->external_id != NULL) {
        sn_lab_facts_add(facts, SN_S("sts:ExternalId"), *a->external_id);
    }
    if (a->has_duration) {
        sn_lab_facts_add(facts, SN_S("sts:DurationSeconds"), sn_arena_printf(arena, "%lld", (long long)a->duration_s));
    }
    struct sn_slice *keys = sn_arena_alloc(arena, a->tag_count, sizeof(*keys));
    for (size_t i = 0; i < a->tag_count; i++) {
        keys[i] = a->tags[i].key;
        sn_lab_facts_add(
            facts, sn_arena_printf(arena, "aws:RequestTag/%.*s", SN_PRI(a->tags[i].key)), a->tags[i].value);
    }
    sn_lab_facts_add_list(facts, SN_S("aws:TagKeys"), keys, a->tag_count);
    sn_lab_facts_add_list(facts, SN_S("sts:TransitiveTagKeys"), a->transitive, a->transitive_count);
}

/* sts:AssumeRole always; sts:SetSourceIdentity and sts:TagSession when the new session will carry one, set or kept. */
static enum sn_status check_access(struct sn_lab_call *call, struct assume_role *a, struct sn_error *err)
{
    struct sn_lab_facts *facts = sn_arena_alloc(&call->arena, 1, sizeof(*facts));
    struct sn_slice carried = call->caller->source_identity;
    if (call->caller->kind == SN_LAB_KEY_ROOT) {
        return sn_fail(err, SN_DENIED, "AccessDenied", "Roles may not be assumed by root accounts.");
    }
    a->role = sn_lab_directory_find_role_arn(call->directory, *a->role_arn);
    if (a->role == NULL) {
        return sn_fail(err, SN_DENIED, "AccessDenied",
            "User: %.*s is not authorized to perform: sts:AssumeRole on resource: %.*s", SN_PRI(call->who.arn),
            SN_PRI(*a->role_arn));
    }
    sn_lab_access_facts(call, facts);
    request_facts(a, &call->arena, facts);
    SN_TRY(sn_lab_access_check(call, "sts:AssumeRole", *a->role_arn, a->role, facts, err));
    a->effective_source_identity = a->source_identity != NULL ? *a->source_identity : carried;
    if (carried.len > 0 && !sn_slice_eq(a->effective_source_identity, carried)) {
        return sn_fail(err, SN_DENIED, "AccessDenied",
            "User: %.*s is not authorized to perform: sts:SetSourceIdentity on resource: %.*s", SN_PRI(call->who.arn),
            SN_PRI(*a->role_arn));
    }
    if (a->effective_source_identity.len > 0) {
        SN_TRY(sn_lab_access_check(call, "sts:SetSourceIdentity", *a->role_arn, a->role, facts, err));
    }
    if (a->tag_count > 0) {
        SN_TRY(sn_lab_access_check(call, "sts:TagSession", *a->role_arn, a->role, facts, err));
    }
    return SN_OK;
}

static enum sn_status check_duration(struct sn_lab_call *call, const struct assume_role *a, struct sn_error *err)
{
    bool is_chained = call->caller->kind == SN_LAB_KEY_ROLE_SESSION;
    if (is_chained && a->duration_s > CHAINED_MAX_S) {
        return sn_fail(err, SN_INVALID, "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
    }
    if (a->duration_s > a->role->max_session_s) {
        return sn_fail(err, SN_INVALID, "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    }
    return SN_OK;
}

/* Copies a slice behind *place and moves on. */
static struct sn_slice keep(char **place, struct sn_slice text)
{
    struct sn_slice kept = {*place, text.len};
    if (text.len > 0) {
        memcpy(*place, text.ptr, text.len);
        *place += text.len;
    }
    return kept;
}

/* The texts of a session live in one block that belongs to its key. */
static void fill_session(struct sn_lab_call *call, struct assume_role *a, struct sn_lab_key *key)
{
    struct sn_slice arn = sn_arena_printf(&call->arena, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s",
        SN_PRI(a->role->account), SN_PRI(a->role->name), SN_PRI(*a->session_name));
    struct sn_slice id = sn_arena_printf(&call->arena, "%.*s:%.*s", SN_PRI(a->role->id), SN_PRI(*a->session_name));
    size_t len = arn.len + id.len + a->session_name->len + a->effective_source_identity.len;
    for (size_t i = 0; i < a->tag_count; i++) {
        len += a->tags[i].key.len + a->tags[i].value.len;
    }
    char *place = key->text = sn_alloc(len, 1);
    key->kind = SN_LAB_KEY_ROLE_SESSION;
    key->role = a->role;
    key->account = a->role->account;
    key->arn = keep(&place, arn);
    key->principal_id = keep(&place, id);
    key->session_name = keep(&place, *a->session_name);
    key->source_identity = keep(&place, a->effective_source_identity);
    key->tags = sn_alloc(a->tag_count, sizeof(*key->tags));
    for (size_t i = 0; i < a->tag_count; i++) {
        key->tags[i].key = keep(&place, a->tags[i].key);
        key->tags[i].value = keep(&place, a->tags[i].value);
        key->tags[i].transitive = a->tags[i].transitive;
    }
    key->tag_count = a->tag_count;
    for (size_t i = 0; i < a->policy_count; i++) {
        key->session_policies[i] = sn_lab_policy_ref(a->policies[i]);
    }
    key->session_policy_count = a->policy_count;
    key->issued_unix_s = sn_lab_call_now_s(call);
    key->expires_unix_s = key->issued_unix_s + a->duration_s;
}

static void write_credentials(struct sn_buf *out, const struct sn_lab_key *key)
{
    sn_buf_add_str(out, "<Credentials>\n");
    sn_lab_xml_element(out, "AccessKeyId", sn_slice_str(key->access_key));
    sn_lab_xml_element(out, "SecretAccessKey", sn_slice_str(key->secret));
    sn_lab_xml_element(out, "SessionToken", sn_slice_str(key->token));
    sn_lab_xml_time(out, "Expiration", key->expires_unix_s);
    sn_buf_add_str(out, "</Credentials>\n");
}

static void write_assumed(struct sn_lab_call *call, const struct assume_role *a, const struct sn_lab_key *key)
{
    struct sn_buf *out = &call->result;
    struct sn_slice foreign = sn_arena_printf(&call->arena, "arn:aws:sts::%.*s:assumed-role/SomebodyElse/%.*s",
        SN_PRI(key->account), SN_PRI(key->session_name));
    sn_buf_add_str(out, "<AssumedRoleUser>\n");
    sn_lab_xml_element(out, "AssumedRoleId", key->principal_id);
    sn_lab_xml_element(out, "Arn", call->fault.kind == SN_LAB_FAULT_OTHER_ROLE ? foreign : key->arn);
    if (call->fault.kind == SN_LAB_FAULT_TWO_ARNS) {
        sn_lab_xml_element(out, "Arn", foreign);
    }
    sn_buf_add_str(out, "</AssumedRoleUser>\n");
    write_credentials(out, key);
    if (a->policy_chars > 0 || a->tag_count > 0) {
        size_t tag_bytes = 0;
        for (size_t i = 0; i < a->tag_count; i++) {
            tag_bytes += a->tags[i].key.len + a->tags[i].value.len;
        }
        sn_buf_addf(out, "<PackedPolicySize>%zu</PackedPolicySize>\n",
            (a->policy_chars + tag_bytes) * 100 / (MAX_POLICY_CHARS * 4) + 1);
    }
    if (key->source_identity.len > 0) {
        sn_lab_xml_element(out, "SourceIdentity", key->source_identity);
    }
}

static void note_optional(struct sn_json_writer *w, const char *name, const struct sn_slice *value)
{
    if (value != NULL) {
        sn_json_member_text(w, name, *value);
    }
}

/* requestParameters of CloudTrail, whether the call will succeed or not. */
static void note_parameters(struct sn_lab_call *call, const struct assume_role *a)
{
    struct sn_json_writer w;
    sn_json_writer_init(&w, &call->parameters);
    sn_json_begin_object(&w);
    note_optional(&w, "roleArn", a->role_arn);
    note_optional(&w, "roleSessionName", a->session_name);
    note_optional(&w, "externalId", a->external_id);
    note_optional(&w, "sourceIdentity", a->source_identity);
    note_optional(&w, "policy", a->policy);
    if (a->has_duration) {
        sn_json_member_int(&w, "durationSeconds", a->duration_s);
    }
    if (a->requested_tags > 0) {
        sn_json_key(&w, "tags");
        sn_json_begin_array(&w);
        for (size_t i = 0; i < a->requested_tags; i++) {
            sn_json_begin_object(&w);
            sn_json_member_text(&w, "key", a->tags[i].key);
            sn_json_member_text(&w, "value", a->tags[i].value);
            sn_json_end_object(&w);
        }
        sn_json_end_array(&w);
    }
    if (a->transitive_count > 0) {
        sn_json_key(&w, "transitiveTagKeys");
        sn_json_begin_array(&w);
        for (size_t i = 0; i < a->transitive_count; i++) {
            sn_json_put_text(&w, a->transitive[i]);
        }
        sn_json_end_array(&w);
    }
    if (a->policy_arn_count > 0) {
        sn_json_key(&w, "policyArns");
        sn_json_begin_array(&w);
        for (size_t i = 0; i < a->policy_arn_count; i++) {
            sn_json_begin_object(&w);
            sn_json_member_text(&w, "arn", a->policy_arns[i]);
            sn_json_end_object(&w);
        }
        sn_json_end_array(&w);
    }
    sn_json_end_object(&w);
    if (a->role_arn != NULL) {
        sn_lab_call_resource(call, "AWS::IAM::Role", *a->role_arn);
    }
}

static void note_elements(struct sn_lab_call *call, const struct sn_lab_key *key)
{
    char text[SN_TIME_TEXT_MAX];
    struct sn_json_writer w;
    sn_json_writer_init(&w, &call->elements);
    sn_json_begin_object(&w);
    sn_json_key(&w, "credentials");
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "accessKeyId", key->access_key);
    sn_json_member_text(&w, "expiration", sn_time_format_rfc3339_s(key->expires_unix_s, text));
    sn_json_end_object(&w);
    if (key->kind == SN_LAB_KEY_ROLE_SESSION) {
        sn_json_key(&w, "assumedRoleUser");
        sn_json_begin_object(&w);
        sn_json_member_text(&w, "assumedRoleId", key->principal_id);
        sn_json_member_text(&w, "arn", key->arn);
        sn_json_end_object(&w);
    }
    if (key->source_identity.len > 0) {
        sn_json_member_text(&w, "sourceIdentity", key->source_identity);
    }
    sn_json_end_object(&w);
    sn_lab_call_resource(call, "AWS::IAM::AccessKey", sn_arena_dup(&call->arena, sn_slice_str(key->access_key)));
    if (key->kind == SN_LAB_KEY_ROLE_SESSION) {
        sn_lab_call_resource(call, "AWS::STS::AssumedRole", sn_arena_dup(&call->arena, key->arn));
    }
}

static enum sn_status run_assume_role(struct sn_lab_call *call, struct sn_error *err)
{
    SN_AUTO(assume_role_clear) struct assume_role a = {0};
    SN_AUTO(sn_lab_key_unref_p) struct sn_lab_key *key = NULL;

    enum sn_status status = read_parameters(call, &a, err);
    note_parameters(call, &a);
    SN_TRY(status);
    if (!is_role_arn(*a.role_arn)) {
        return sn_fail(err, SN_INVALID, "ValidationError", "Request ARN is invalid");
    }
    if (a.serial != NULL || a.token_code != NULL) {
        return sn_fail(err, SN_DENIED, "AccessDenied",
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.");
    }
    if (a.source_identity != NULL && is_reserved(*a.source_identity)) {
        return sn_fail(err, SN_INVALID, "ValidationError", "SourceIdentity cannot begin with 'aws:'.");
    }
    SN_TRY(check_tags(call, &a, err));
    SN_TRY(check_policies(call, &a, err));
    SN_TRY(check_access(call, &a, err));
    SN_TRY(check_duration(call, &a, err));
    SN_TRY(sn_lab_key_new(call->random_source, "ASIA", true, &key, err));
    fill_session(call, &a, key);
    write_assumed(call, &a, key);
    note_elements(call, key);
    sn_lab_directory_add_key(call->directory, key);
    return SN_OK;
}

static enum sn_status run_get_caller_identity(struct sn_lab_call *call, struct sn_error *err)
{
    (void)err;
    const struct sn_lab_key *key = call->caller;
    struct sn_slice foreign =
        sn_arena_printf(&call->arena, "arn:aws:iam::%.*s:user/somebody-else", SN_PRI(key->account));
    sn_lab_xml_element(&call->result, "Arn", call->fault.kind == SN_LAB_FAULT_OTHER_ROLE ? foreign : key->arn);
    if (call->fault.kind == SN_LAB_FAULT_TWO_ARNS) {
        sn_lab_xml_element(&call->result, "Arn", foreign);
    }
    sn_lab_xml_element(&call->result, "UserId", key->principal_id);
    sn_lab_xml_element(&call->result, "Account", key->account);
    return SN_OK;
}

static enum sn_status run_get_session_token(struct sn_lab_call *call, struct sn_error *err)
{
    SN_AUTO(sn_lab_validation_clear) struct sn_lab_validation v = {0};
    SN_AUTO(sn_lab_key_unref_p) struct sn_lab_key *key = NULL;
    const struct sn_lab_key *caller = call->caller;
    bool is_root = caller->kind == SN_LAB_KEY_ROOT;
    int64_t duration_s = is_root ? ROOT_TOKEN_MAX_S : TOKEN_DEFAULT_S;
    const struct sn_slice *serial = sn_query_find(&call->params, "SerialNumber");
    const struct sn_slice *code = sn_query_find(&call->params, "TokenCode");

    sn_lab_validate_int(&v, "durationSeconds", sn_query_find(&call->params, "DurationSeconds"), DURATION_MIN_S,
        TOKEN_MAX_S, &duration_s);
    sn_lab_validate(&v, &rule_serial, serial, false);
    sn_lab_validate(&v, &rule_token_code, code, false);
    SN_TRY(sn_lab_validation_result(&v, err));
    if (caller->kind == SN_LAB_KEY_ROLE_SESSION || caller->kind == SN_LAB_KEY_USER_SESSION) {
        return sn_fail(err, SN_DENIED, "AccessDenied", "Cannot call GetSessionToken with session credentials");
    }
    if (serial != NULL || code != NULL) {
        return sn_fail(err, SN_DENIED, "AccessDenied",
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.");
    }
    if (is_root && duration_s > ROOT_TOKEN_MAX_S) {
        duration_s = ROOT_TOKEN_MAX_S;
    }
    SN_TRY(sn_lab_key_new(call->random_source, "ASIA", true, &key, err));
    key->kind = is_root ? SN_LAB_KEY_ROOT : SN_LAB_KEY_USER_SESSION;
    key->user = caller->user;
    key->account = caller->account;
    key->arn = caller->arn;
    key->principal_id = caller->principal_id;
    key->issued_unix_s = sn_lab_call_now_s(call);
    key->expires_unix_s = key->issued_unix_s + duration_s;
    write_credentials(&call->result, key);
    note_elements(call, key);
    sn_lab_directory_add_key(call->directory, key);
    return SN_OK;
}

const struct sn_lab_operation sn_lab_sts_operations[] = {
    {"sts", "AssumeRole", "2011-06-15", true, run_assume_role},
    {"sts", "GetCallerIdentity", "2011-06-15", true, run_get_caller_identity},
    {"sts", "GetSessionToken", "2011-06-15", true, run_get_session_token},
    {0},
};
