/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/vend_respond.c - step 19: the answer that carries credentials, the only place where they are written.
 */
#include "base/time.h"
#include "codec/json.h"
#include "tvm/vend.h"

/* The container-credentials format, a foreign one: exactly these keys, whole seconds. */
static void respond_alias(const struct sn_vend *vend, struct sn_json_writer *w)
{
    char expiration[SN_TIME_TEXT_MAX];

    sn_json_begin_object(w);
    sn_json_member_str(w, "AccessKeyId", vend->role.credentials.access_key_id);
    sn_json_member_secret(w, "SecretAccessKey", &vend->role.credentials.secret_access_key);
    sn_json_member_secret(w, "Token", &vend->role.credentials.session_token);
    sn_json_member_text(w, "Expiration", sn_time_format_rfc3339_s(vend->expires_ms / 1000, expiration));
    sn_json_end_object(w);
}

static void add_session(struct sn_call *call, const struct sn_vend *vend, struct sn_json_writer *w)
{
    sn_json_key(w, "session");
    sn_json_begin_object(w);
    sn_json_member_text(w, "id", sn_arena_printf(&call->arena, "ses-%s", call->id.text));
    sn_json_member_text(w, "profile", vend->profile_name);
    sn_json_member_text(w, "role_arn", vend->profile->role_arn);
    if (vend->profile->region.len > 0) {
        sn_json_member_text(w, "region", vend->profile->region);
    } else {
        sn_json_member_null(w, "region");
    }
    sn_json_member_str(w, "source_identity", vend->source_identity);
    sn_json_member_str(w, "kind", sn_issue_kind_name(vend->kind));
    if (vend->has_grant) {
        sn_json_member_text(w, "grant_id", vend->grant.id);
    } else {
        sn_json_member_null(w, "grant_id");
    }
    sn_json_member_int(w, "duration_seconds", vend->duration.seconds);
    sn_json_member_str(w, "capped_by", sn_cap_name(vend->duration.capped_by));
    sn_json_end_object(w);
}

static void respond_v1(struct sn_call *call, const struct sn_vend *vend, struct sn_json_writer *w)
{
    char expiration[SN_TIME_TEXT_MAX];

    sn_json_begin_object(w);
    sn_json_key(w, "credentials");
    sn_json_begin_object(w);
    sn_json_member_str(w, "access_key_id", vend->role.credentials.access_key_id);
    sn_json_member_secret(w, "secret_access_key", &vend->role.credentials.secret_access_key);
    sn_json_member_secret(w, "session_token", &vend->role.credentials.session_token);
    sn_json_member_text(w, "expiration", sn_time_format_rfc3339_ms(vend->expires_ms, expiration));
    sn_json_end_object(w);
    add_session(call, vend, w);
    sn_json_key(w, "decision");
    sn_json_begin_object(w);
    sn_json_member_str(w, "effect", "allow");
    sn_json_member_str(w, "policy_effect", sn_effect_name(vend->decision.effect));
    sn_json_member_text(w, "rule", vend->decision.rule);
    sn_json_member_text(w, "reason", vend->decision.reason);
    sn_json_end_object(w);
    sn_json_end_object(w);
}

void sn_vend_respond(struct sn_call *call, const struct sn_vend *vend)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, &call->response->body);
    if (vend->is_alias) {
        respond_alias(vend, &w);
    } else {
        respond_v1(call, vend, &w);
    }
    sn_response_header(call->response, "X-Sentinel-Session-Id", "ses-%s", call->id.text);
}
