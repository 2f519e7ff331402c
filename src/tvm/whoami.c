/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/whoami.c - GET /v1/whoami: how this server sees the caller.
 */
#include "base/time.h"
#include "codec/json.h"
#include "core/identity/stamp.h"
#include "tvm/vend.h"

static const char *vouched_by(enum sn_vouch vouch)
{
    switch (vouch) {
    case SN_VOUCH_IAM_USER:
        return "iam_user";
    case SN_VOUCH_SSO:
        return "identity_center";
    case SN_VOUCH_ROLE_LIST:
        return "vouching_role";
    case SN_VOUCH_NONE_ROLE:
    case SN_VOUCH_NONE_TARGET:
    case SN_VOUCH_NONE_FEDERATED:
    case SN_VOUCH_NONE_ROOT:
    case SN_VOUCH_NONE_SSO_PATH:
        return NULL;
    }
    return NULL;
}

/* The entries of lists that match this caller, tried one by one with the routine that decides. */
static void add_entries(const struct sn_call *call, struct sn_json_writer *w)
{
    const struct sn_principal *principal = &call->principal;
    SN_AUTO(sn_buf_clear) struct sn_buf role = {0};

    sn_buf_addf(&role, "role:%s", principal->role);
    const struct sn_slice candidates[] = {
        sn_slice_str(principal->name), sn_buf_slice(&role), sn_slice_str(principal->arn)};

    sn_json_key(w, "entries");
    sn_json_begin_array(w);
    for (size_t i = 0; i < SN_LEN(candidates); i++) {
        if (sn_principal_matches_entry(principal, candidates[i], call->own_account)) {
            sn_json_put_text(w, candidates[i]);
        }
    }
    sn_json_end_array(w);
}

static void add_principal(const struct sn_call *call, struct sn_json_writer *w)
{
    const struct sn_principal *principal = &call->principal;
    struct sn_stamp_user stamp = {0};

    sn_stamp_user(principal, &stamp);
    sn_json_key(w, "principal");
    sn_json_begin_object(w);
    sn_json_member_str(w, "arn", principal->arn);
    sn_json_member_str(w, "partition", principal->partition);
    sn_json_member_str(w, "account", principal->account);
    sn_json_member_str(w, "type", sn_principal_type_name(principal->type));
    sn_json_member_str(w, "role", principal->type == SN_PRINCIPAL_ASSUMED_ROLE ? principal->role : NULL);
    sn_json_member_str(w, "name", principal->name);
    sn_json_member_bool(w, "vouched", principal->vouched);
    sn_json_member_str(w, "vouched_by", vouched_by(principal->vouch));
    sn_json_member_str(w, "user_part", stamp.text);
    add_entries(call, w);
    sn_json_end_object(w);
}

enum sn_status sn_handle_whoami(struct sn_call *call, struct sn_error *err)
{
    const struct sn_tvm_parts *parts = &call->tvm->parts;
    struct sn_json_writer w;
    char now[SN_TIME_TEXT_MAX];

    SN_TRY(sn_call_enter(call, err));
    SN_TRY(sn_call_refuse_query(call, err));
    sn_json_writer_init(&w, &call->response->body);
    sn_json_begin_object(&w);
    add_principal(call, &w);
    sn_json_member_bool(&w, "operator", sn_call_is_operator(call));
    sn_json_key(&w, "server");
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "version", SN_VERSION);
    sn_json_member_str(&w, "form", parts->is_lambda ? "lambda" : "standalone");
    if (call->has_proof) {
        sn_json_member_text(&w, "url", call->proof.audience);
    } else if (parts->audience_count > 0) {
        sn_json_member_text(&w, "url", parts->audiences[0]);
    } else {
        sn_json_member_null(&w, "url");
    }
    sn_json_member_text(&w, "time", sn_time_format_rfc3339_ms(call->unix_ms, now));
    sn_json_end_object(&w);
    sn_json_end_object(&w);
    return SN_OK;
}
