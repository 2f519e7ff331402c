/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/iam.c - reading users and roles, and the inline policies of roles.
 */
#include "lab/call.h"
#include "lab/validate.h"

enum { MAX_ITEMS_DEFAULT = 100, MAX_ITEMS = 1000, CREATED_UNIX_S = 1704067200 }; /* 2024-01-01T00:00:00Z */

static const struct sn_lab_rule rule_role_name = {"roleName", 1, 64, SN_LAB_CHARS_NAME};
static const struct sn_lab_rule rule_user_name = {"userName", 1, 128, SN_LAB_CHARS_NAME};
static const struct sn_lab_rule rule_policy_name = {"policyName", 1, 128, SN_LAB_CHARS_NAME};
static const struct sn_lab_rule rule_document = {"policyDocument", 1, 131072, SN_LAB_CHARS_POLICY};
static const struct sn_lab_rule rule_path_prefix = {"pathPrefix", 1, 512, SN_LAB_CHARS_PATH};
static const struct sn_lab_rule rule_marker = {"marker", 1, 320, SN_LAB_CHARS_ANY};

static enum sn_status check_allowed(
    struct sn_lab_call *call, const char *action, struct sn_slice resource, struct sn_error *err)
{
    struct sn_lab_facts *facts = sn_arena_alloc(&call->arena, 1, sizeof(*facts));
    if (call->caller->kind == SN_LAB_KEY_USER_SESSION) {
        /* Keys of GetSessionToken without MFA cannot be used with IAM. */
        return sn_fail(
            err, SN_UNAUTHENTICATED, "InvalidClientTokenId", "The security token included in the request is invalid");
    }
    sn_lab_access_facts(call, facts);
    return sn_lab_access_check(call, action, resource, NULL, facts, err);
}

static void note(struct sn_lab_call *call, const char *const *names, const struct sn_slice *const *values, size_t count)
{
    struct sn_json_writer w;
    sn_json_writer_init(&w, &call->parameters);
    sn_json_begin_object(&w);
    for (size_t i = 0; i < count; i++) {
        if (values[i] != NULL) {
            sn_json_member_text(&w, names[i], *values[i]);
        }
    }
    sn_json_end_object(&w);
}

/* Policy documents travel percent-encoded inside IAM's XML. */
static void put_document(struct sn_buf *out, const char *name, struct sn_slice json)
{
    sn_buf_addf(out, "<%s>", name);
    sn_uri_encode(out, json, false);
    sn_buf_addf(out, "</%s>\n", name);
}

static void put_role(struct sn_buf *out, const struct sn_lab_role *role, bool in_full)
{
    sn_lab_xml_element(out, "Path", role->path);
    sn_lab_xml_element(out, "RoleName", role->name);
    sn_lab_xml_element(out, "RoleId", role->id);
    sn_lab_xml_element(out, "Arn", role->arn);
    sn_lab_xml_time(out, "CreateDate", CREATED_UNIX_S);
    put_document(out, "AssumeRolePolicyDocument", sn_lab_policy_text(role->trust));
    if (role->description.len > 0) {
        sn_lab_xml_element(out, "Description", role->description);
    }
    sn_buf_addf(out, "<MaxSessionDuration>%lld</MaxSessionDuration>\n", (long long)role->max_session_s);
    if (in_full) {
        sn_buf_add_str(out, "<RoleLastUsed/>\n");
    }
}

static void put_user(struct sn_buf *out, const struct sn_lab_user *user)
{
    sn_lab_xml_element(out, "Path", user->path);
    sn_lab_xml_element(out, "UserName", user->name);
    sn_lab_xml_element(out, "UserId", user->id);
    sn_lab_xml_element(out, "Arn", user->arn);
    sn_lab_xml_time(out, "CreateDate", CREATED_UNIX_S);
}

/* The role that a call names, after validation and the check of its own permission. */
static enum sn_status find_role(struct sn_lab_call *call, const char *action, const struct sn_slice *name,
    struct sn_lab_role **out_role, struct sn_error *err)
{
    struct sn_lab_role *role = sn_lab_directory_find_role(call->directory, call->who.account, *name);
    struct sn_slice arn = role != NULL ? role->arn
                                       : sn_arena_printf(&call->arena, "arn:aws:iam::%.*s:role/%.*s",
                                             SN_PRI(call->who.account), SN_PRI(*name));
    SN_TRY(check_allowed(call, action, arn, err));
    if (role == NULL) {
        return sn_fail(err, SN_NOT_FOUND, "NoSuchEntity", "The role with name %.*s cannot be found.", SN_PRI(*name));
    }
    sn_lab_call_resource(call, "AWS::IAM::Role", role->arn);
    *out_role = role;
    return SN_OK;
}

static enum sn_status run_get_role(struct sn_lab_call *call, struct sn_error *err)
{
    static const char *const names[] = {"roleName"};
    SN_AUTO(sn_lab_validation_clear) struct sn_lab_validation v = {0};
    const struct sn_slice *name = sn_query_find(&call->params, "RoleName");
    struct sn_lab_role *role = NULL;
    sn_lab_validate(&v, &rule_role_name, name, true);
    note(call, names, &name, 1);
    SN_TRY(sn_lab_validation_result(&v, err));
    SN_TRY(find_role(call, "iam:GetRole", name, &role, err));
    sn_buf_add_str(&call->result, "<Role>\n");
    put_role(&call->result, role, true);
    sn_buf_add_str(&call->result, "</Role>\n");
    return SN_OK;
}

static enum sn_status run_get_user(struct sn_lab_call *call, struct sn_error *err)
{
    static const char *const names[] = {"userName"};
    SN_AUTO(sn_lab_validation_clear) struct sn_lab_validation v = {0};
    const struct sn_slice *name = sn_query_find(&call->params, "UserName");
    const struct sn_lab_user *user = call->caller->user;
    sn_lab_validate(&v, &rule_user_name, name, false);
    note(call, names, &name, 1);
    SN_TRY(sn_lab_validation_result(&v, err));
    if (name != NULL) {
        user = sn_lab_directory_find_user(call->directory, call->who.account, *name);
    } else if (user == NULL) {
        return sn_fail(
            err, SN_INVALID, "ValidationError", "Must specify userName when calling with non-User credentials");
    }
    struct sn_slice arn = user != NULL ? user->arn
                                       : sn_arena_printf(&call->arena, "arn:aws:iam::%.*s:user/%.*s",
                                             SN_PRI(call->who.account), SN_PRI(*name));
    SN_TRY(check_allowed(call, "iam:GetUser", arn, err));
    if (user == NULL) {
        return sn_fail(err, SN_NOT_FOUND, "NoSuchEntity", "The user with name %.*s cannot be found.", SN_PRI(*name));
    }
    sn_buf_add_str(&call->result, "<User>\n");
    put_user(&call->result, user);
    sn_buf_add_str(&call->result, "</User>\n");
    return SN_OK;
}

struct page {
    const struct sn_slice *prefix;
    int64_t max, first; /* number of the first entry wanted */
};

/* PathPrefix, Marker (our own: the number of the next entry) and MaxItems. */
static enum sn_status read_page(struct sn_lab_call *call, struct page *out, struct sn_error *err)
{
    static const char *const names[] = {"pathPrefix", "marker", "maxItems"};
    SN_AUTO(sn_lab_validation_clear) struct sn_lab_validation v = {0};
    const struct sn_slice *marker = sn_query_find(&call->params, "Marker");
    const struct sn_slice *max = sn_query_find(&call->params, "MaxItems");
    out->prefix = sn_query_find(&call->params, "PathPrefix");
    out->max = MAX_ITEMS_DEFAULT;
    const struct sn_slice *values[] = {out->prefix, marker, max};
    sn_lab_validate(&v, &rule_path_prefix, out->prefix, false);
    sn_lab_validate(&v, &rule_marker, marker, false);
    sn_lab_validate_int(&v, "maxItems", max, 1, MAX_ITEMS, &out->max);
    sn_lab_validate_int(&v, "marker", marker, 1, INT32_MAX, &out->first);
    note(call, names, values, SN_LEN(values));
    return sn_lab_validation_result(&v, err);
}

static bool on_page(struct page *page, struct sn_slice path, struct sn_slice account, const struct sn_lab_call *call,
    size_t index, int64_t *count, bool *truncated)
{
    if ((int64_t)index < page->first || !sn_slice_eq(account, call->who.account) ||
        (page->prefix != NULL && !sn_slice_has_prefix(path, *page->prefix))) {
        return false;
    }
    if (*count == page->max) {
        *truncated = true;
        page->first = (int64_t)index;
        return false;
    }
    (*count)++;
    return true;
}

static void put_page_end(struct sn_lab_call *call, const struct page *page, bool truncated)
{
    sn_lab_xml_element(&call->result, "IsTruncated", truncated ? SN_S("true") : SN_S("false"));
    if (truncated) {
        sn_buf_addf(&call->result, "<Marker>%lld</Marker>\n", (long long)page->first);
    }
}

static enum sn_status run_list_roles(struct sn_lab_call *call, struct sn_error *err)
{
    struct page page = {0};
    bool truncated = false;
    int64_t count = 0;
    SN_TRY(read_page(call, &page, err));
    SN_TRY(check_allowed(call, "iam:ListRoles",
        sn_arena_printf(&call->arena, "arn:aws:iam::%.*s:role/", SN_PRI(call->who.account)), err));
    sn_buf_add_str(&call->result, "<Roles>\n");
    for (size_t i = 0; i < sn_lab_directory_role_count(call->directory) && !truncated; i++) {
        const struct sn_lab_role *role = sn_lab_directory_role_at(call->directory, i);
        if (on_page(&page, role->path, role->account, call, i, &count, &truncated)) {
            sn_buf_add_str(&call->result, "<member>\n");
            put_role(&call->result, role, false);
            sn_buf_add_str(&call->result, "</member>\n");
        }
    }
    sn_buf_add_str(&call->result, "</Roles>\n");
    put_page_end(call, &page, truncated);
    return SN_OK;
}

static enum sn_status run_list_users(struct sn_lab_call *call, struct sn_error *err)
{
    struct page page = {0};
    bool truncated = false;
    int64_t count = 0;
    SN_TRY(read_page(call, &page, err));
    SN_TRY(check_allowed(call, "iam:ListUsers",
        sn_arena_printf(&call->arena, "arn:aws:iam::%.*s:user/", SN_PRI(call->who.account)), err));
    sn_buf_add_str(&call->result, "<Users>\n");
    for (size_t i = 0; i < sn_lab_directory_user_count(call->directory) && !truncated; i++) {
        const struct sn_lab_user *user = sn_lab_directory_user_at(call->directory, i);
        if (on_page(&page, user->path, user->account, call, i, &count, &truncated)) {
            sn_buf_add_str(&call->result, "<member>\n");
            put_user(&call->result, user);
            sn_buf_add_str(&call->result, "</member>\n");
        }
    }
    sn_buf_add_str(&call->result, "</Users>\n");
    put_page_end(call, &page, truncated);
    return SN_OK;
}

struct role_policy {
    const struct sn_slice *role_name, *policy_name, *document;
    struct sn_lab_role *role;
};

static enum sn_status read_role_policy(struct sn_lab_call *call, const char *action, bool with_name, bool with_document,
    struct role_policy *out, struct sn_error *err)
{
    static const char *const names[] = {"roleName", "policyName", "policyDocument"};
    SN_AUTO(sn_lab_validation_clear) struct sn_lab_validation v = {0};
    out->role_name = sn_query_find(&call->params, "RoleName");
    out->policy_name = with_name ? sn_query_find(&call->params, "PolicyName") : NULL;
    out->document = with_document ? sn_query_find(&call->params, "PolicyDocument") : NULL;
    const struct sn_slice *values[] = {out->role_name, out->policy_name, out->document};
    sn_lab_validate(&v, &rule_role_name, out->role_name, true);
    sn_lab_validate(&v, &rule_policy_name, out->policy_name, with_name);
    sn_lab_validate(&v, &rule_document, out->document, with_document);
    note(call, names, values, SN_LEN(values));
    SN_TRY(sn_lab_validation_result(&v, err));
    return find_role(call, action, out->role_name, &out->role, err);
}

static enum sn_status no_policy(const struct role_policy *p, struct sn_error *err)
{
    return sn_fail(
        err, SN_NOT_FOUND, "NoSuchEntity", "The role policy with name %.*s cannot be found.", SN_PRI(*p->policy_name));
}

static enum sn_status run_put_role_policy(struct sn_lab_call *call, struct sn_error *err)
{
    struct role_policy p = {0};
    SN_AUTO(sn_lab_policy_unref_p) struct sn_lab_policy *policy = NULL;
    SN_TRY(read_role_policy(call, "iam:PutRolePolicy", true, true, &p, err));
    SN_TRY(sn_lab_policy_parse(*p.document, SN_LAB_POLICY_IDENTITY, &policy, err));
    return sn_lab_directory_put_inline(call->directory, p.role, *p.policy_name, policy, err);
}

static enum sn_status run_delete_role_policy(struct sn_lab_call *call, struct sn_error *err)
{
    struct role_policy p = {0};
    SN_TRY(read_role_policy(call, "iam:DeleteRolePolicy", true, false, &p, err));
    return sn_lab_directory_delete_inline(call->directory, p.role, *p.policy_name) ? SN_OK : no_policy(&p, err);
}

static enum sn_status run_get_role_policy(struct sn_lab_call *call, struct sn_error *err)
{
    struct role_policy p = {0};
    struct sn_lab_named_policy policies[SN_LAB_MAX_INLINE_POLICIES];
    bool found = false;
    SN_TRY(read_role_policy(call, "iam:GetRolePolicy", true, false, &p, err));
    size_t count = sn_lab_directory_copy_inline(call->directory, p.role, &call->arena, policies);
    for (size_t i = 0; i < count; i++) {
        if (sn_slice_eq(policies[i].name, *p.policy_name)) {
            found = true;
            sn_lab_xml_element(&call->result, "RoleName", p.role->name);
            sn_lab_xml_element(&call->result, "PolicyName", policies[i].name);
            put_document(&call->result, "PolicyDocument", sn_lab_policy_text(policies[i].policy));
        }
        sn_lab_policy_unref(policies[i].policy);
    }
    return found ? SN_OK : no_policy(&p, err);
}

static enum sn_status run_list_role_policies(struct sn_lab_call *call, struct sn_error *err)
{
    struct role_policy p = {0};
    struct sn_lab_named_policy policies[SN_LAB_MAX_INLINE_POLICIES];
    SN_TRY(read_role_policy(call, "iam:ListRolePolicies", false, false, &p, err));
    size_t count = sn_lab_directory_copy_inline(call->directory, p.role, &call->arena, policies);
    sn_buf_add_str(&call->result, "<PolicyNames>\n");
    for (size_t i = 0; i < count; i++) {
        sn_lab_xml_element(&call->result, "member", policies[i].name);
        sn_lab_policy_unref(policies[i].policy);
    }
    sn_buf_add_str(&call->result, "</PolicyNames>\n<IsTruncated>false</IsTruncated>\n");
    return SN_OK;
}

const struct sn_lab_operation sn_lab_iam_operations[] = {
    {"iam", "GetRole", "2010-05-08", true, run_get_role},
    {"iam", "ListRoles", "2010-05-08", true, run_list_roles},
    {"iam", "GetUser", "2010-05-08", true, run_get_user},
    {"iam", "ListUsers", "2010-05-08", true, run_list_users},
    {"iam", "PutRolePolicy", "2010-05-08", false, run_put_role_policy},
    {"iam", "GetRolePolicy", "2010-05-08", true, run_get_role_policy},
    {"iam", "ListRolePolicies", "2010-05-08", true, run_list_role_policies},
    {"iam", "DeleteRolePolicy", "2010-05-08", false, run_delete_role_policy},
    {0},
};
