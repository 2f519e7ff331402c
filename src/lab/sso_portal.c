/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/sso_portal.c - ListAccounts, ListAccountRoles, GetRoleCredentials and Logout for the holder of an access token.
 */
#include "base/alloc.h"
#include "base/parse.h"
#include "lab/center_call.h"

enum { PAGE_MAX = 100 };

static const struct sn_slice no_text = {0};

static struct sn_slice param(const struct sn_lab_call *call, const char *name)
{
    const struct sn_slice *value = sn_query_find(&call->query, name);
    return value != NULL ? *value : no_text;
}

static enum sn_status invalid(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "InvalidRequestException", "%s", what);
}

static enum sn_status no_access(struct sn_error *err)
{
    return sn_fail(err, SN_DENIED, "ForbiddenException", "No access");
}

static enum sn_status find_user(
    struct sn_lab_call *call, const struct sn_lab_center_user **out_user, struct sn_error *err)
{
    const struct sn_slice *token = sn_request_header(call->request, "x-amz-sso_bearer_token");
    struct sn_json_writer w;
    enum sn_status status =
        sn_lab_center_find_user(call->center, token != NULL ? *token : no_text, sn_lab_call_now_s(call), out_user, err);
    sn_json_writer_init(&w, &call->parameters);
    sn_json_begin_object(&w);
    if (status == SN_OK) {
        sn_json_member_text(&w, "user", (*out_user)->name);
    }
    for (size_t i = 0; i < call->query.count; i++) {
        if (!sn_slice_eq_str(call->query.params[i].name, "user")) {
            sn_json_key_slice(&w, call->query.params[i].name);
            sn_json_put_text(&w, call->query.params[i].value);
        }
    }
    sn_json_end_object(&w);
    return status;
}

/* max_result and next_token, the number of the first entry. */
static enum sn_status read_page(
    const struct sn_lab_call *call, size_t count, size_t *out_from, size_t *out_to, struct sn_error *err)
{
    struct sn_slice max = param(call, "max_result");
    struct sn_slice next = param(call, "next_token");
    struct sn_slice mark = {0};
    struct sn_slice place = {0};
    int64_t size = PAGE_MAX;
    int64_t from = 0;
    if (max.len > 0 && sn_parse_int(max, 1, PAGE_MAX, &size, err) != SN_OK) {
        return invalid(err, "max_result is 1 to 100");
    }
    if (next.len > 0 && (!sn_slice_cut(next, '-', &mark, &place) || !sn_slice_eq_str(mark, "LAB") ||
                            sn_parse_int(place, 0, (int64_t)count, &from, err) != SN_OK)) {
        return invalid(err, "next_token is none of ours");
    }
    *out_from = (size_t)from;
    *out_to = count - (size_t)from > (size_t)size ? (size_t)(from + size) : count;
    return SN_OK;
}

static void end_page(struct sn_json_writer *w, size_t to, size_t count)
{
    char next[32];
    sn_json_end_array(w);
    if (to < count) {
        snprintf(next, sizeof(next), "LAB-%zu", to);
        sn_json_member_str(w, "nextToken", next);
    }
    sn_json_end_object(w);
}

static enum sn_status run_list_accounts(struct sn_lab_call *call, struct sn_error *err)
{
    const struct sn_lab_center_user *user = NULL;
    struct sn_json_writer w;
    size_t from = 0;
    size_t to = 0;
    size_t count = 0;
    SN_TRY(find_user(call, &user, err));
    const struct sn_lab_center_account **accounts =
        sn_arena_alloc(&call->arena, user->assignment_count + 1, sizeof(*accounts));
    for (size_t i = 0; i < user->assignment_count; i++) {
        bool known = false;
        for (size_t k = 0; k < count; k++) {
            known = known || accounts[k] == user->assignments[i].account;
        }
        if (!known) {
            accounts[count++] = user->assignments[i].account;
        }
    }
    SN_TRY(read_page(call, count, &from, &to, err));
    sn_json_writer_init(&w, &call->result);
    sn_json_begin_object(&w);
    sn_json_key(&w, "accountList");
    sn_json_begin_array(&w);
    for (size_t i = from; i < to; i++) {
        sn_json_begin_object(&w);
        sn_json_member_text(&w, "accountId", accounts[i]->id);
        sn_json_member_text(&w, "accountName", accounts[i]->name);
        sn_json_member_text(&w, "emailAddress", accounts[i]->email);
        sn_json_end_object(&w);
    }
    end_page(&w, to, count);
    return SN_OK;
}

static enum sn_status run_list_roles(struct sn_lab_call *call, struct sn_error *err)
{
    const struct sn_lab_center_user *user = NULL;
    struct sn_json_writer w;
    size_t from = 0;
    size_t to = 0;
    size_t count = 0;
    SN_TRY(find_user(call, &user, err));
    struct sn_slice account = param(call, "account_id");
    if (account.len == 0) {
        return invalid(err, "account_id is missing");
    }
    struct sn_slice *names = sn_arena_alloc(&call->arena, user->assignment_count + 1, sizeof(*names));
    for (size_t i = 0; i < user->assignment_count; i++) {
        if (sn_slice_eq(user->assignments[i].account->id, account)) {
            names[count++] = user->assignments[i].permission_set;
        }
    }
    if (count == 0) {
        return no_access(err);
    }
    SN_TRY(read_page(call, count, &from, &to, err));
    sn_json_writer_init(&w, &call->result);
    sn_json_begin_object(&w);
    sn_json_key(&w, "roleList");
    sn_json_begin_array(&w);
    for (size_t i = from; i < to; i++) {
        sn_json_begin_object(&w);
        sn_json_member_text(&w, "roleName", names[i]);
        sn_json_member_text(&w, "accountId", account);
        sn_json_end_object(&w);
    }
    end_page(&w, to, count);
    return SN_OK;
}

/* The session that the directory vouches for: named after the user, whatever the client would like. */
static enum sn_status new_session(struct sn_lab_call *call, const struct sn_lab_center_user *user,
    const struct sn_lab_center_assignment *assignment, struct sn_lab_key **out_key, struct sn_error *err)
{
    const struct sn_lab_role *role = assignment->role;
    SN_AUTO(sn_lab_key_unref_p) struct sn_lab_key *key = NULL;
    struct sn_slice arn = sn_arena_printf(&call->arena, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s",
        SN_PRI(role->account), SN_PRI(role->name), SN_PRI(user->name));
    struct sn_slice id = sn_arena_printf(&call->arena, "%.*s:%.*s", SN_PRI(role->id), SN_PRI(user->name));
    SN_TRY(sn_lab_key_new(call->random_source, "ASIA", true, &key, err));
    key->text = sn_alloc(arn.len + id.len, 1);
    memcpy(key->text, arn.ptr, arn.len);
    memcpy(key->text + arn.len, id.ptr, id.len);
    key->kind = SN_LAB_KEY_ROLE_SESSION;
    key->role = assignment->role;
    key->account = role->account;
    key->arn = (struct sn_slice){key->text, arn.len};
    key->principal_id = (struct sn_slice){key->text + arn.len, id.len};
    key->session_name = user->name;
    key->issued_unix_s = sn_lab_call_now_s(call);
    key->expires_unix_s = key->issued_unix_s + assignment->duration_s;
    sn_lab_directory_add_key(call->directory, key);
    *out_key = SN_TAKE(key);
    return SN_OK;
}

static enum sn_status run_get_role_credentials(struct sn_lab_call *call, struct sn_error *err)
{
    const struct sn_lab_center_user *user = NULL;
    const struct sn_lab_center_assignment *assignment = NULL;
    SN_AUTO(sn_lab_key_unref_p) struct sn_lab_key *key = NULL;
    struct sn_json_writer w;
    SN_TRY(find_user(call, &user, err));
    struct sn_slice account = param(call, "account_id");
    struct sn_slice role_name = param(call, "role_name");
    if (account.len == 0 || role_name.len == 0) {
        return invalid(err, "account_id and role_name are needed");
    }
    for (size_t i = 0; i < user->assignment_count; i++) {
        const struct sn_lab_center_assignment *a = &user->assignments[i];
        if (sn_slice_eq(a->account->id, account) && sn_slice_eq(a->permission_set, role_name)) {
            assignment = a;
        }
    }
    if (assignment == NULL) {
        return no_access(err);
    }
    SN_TRY(new_session(call, user, assignment, &key, err));
    sn_json_writer_init(&w, &call->result);
    sn_json_begin_object(&w);
    sn_json_key(&w, "roleCredentials");
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "accessKeyId", key->access_key);
    sn_json_member_str(&w, "secretAccessKey", key->secret);
    sn_json_member_str(&w, "sessionToken", key->token);
    sn_json_member_int(&w, "expiration", key->expires_unix_s * 1000);
    sn_json_end_object(&w);
    sn_json_end_object(&w);

    sn_json_writer_init(&w, &call->elements);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "accessKeyId", key->access_key);
    sn_json_member_text(&w, "arn", key->arn);
    sn_json_end_object(&w);
    return SN_OK;
}

static enum sn_status run_logout(struct sn_lab_call *call, struct sn_error *err)
{
    const struct sn_lab_center_user *user = NULL;
    SN_TRY(find_user(call, &user, err));
    return sn_lab_center_sign_out(
        call->center, *sn_request_header(call->request, "x-amz-sso_bearer_token"), sn_lab_call_now_s(call), err);
}

const struct sn_lab_route sn_lab_portal_routes[] = {
    {{"sso", "GetRoleCredentials", NULL, true, run_get_role_credentials}, SN_METHOD_GET, "/federation/credentials"},
    {{"sso", "ListAccounts", NULL, true, run_list_accounts}, SN_METHOD_GET, "/assignment/accounts"},
    {{"sso", "ListAccountRoles", NULL, true, run_list_roles}, SN_METHOD_GET, "/assignment/roles"},
    {{"sso", "Logout", NULL, false, run_logout}, SN_METHOD_POST, "/logout"},
    {.path = NULL},
};
