/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/vend_decide.c - steps 7 to 12: may this caller have this profile, and for how long?
 *
 * A name that is not in the catalogue, and a profile that is hidden from the caller, take the same steps up to the
 * grant lookup and end in the same bytes: nobody learns which names exist.
 */
#include <string.h>

#include "base/log.h"
#include "tvm/vend.h"
#include "tvm/signed_documents.h"

/* --- 7 --- */

enum sn_status sn_vend_find_profile(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    SN_TRY(sn_call_catalog(call, err));
    vend->profile = sn_catalog_find(call->catalog, vend->profile_name);
    return SN_OK;
}

/* --- 8 --- */

/* No device management is configured in this version, so no device can be verified; posture stays absent. */
void sn_vend_look_at_device(struct sn_call *call, struct sn_vend *vend)
{
    if (!call->tvm->parts.settings->require_device) {
        return;
    }
    vend->device_refusal = vend->device_id.len == 0 ? "DEVICE_REQUIRED" : "DEVICE_VERIFICATION_FAILED";
}

/* --- 9, 10 --- */

enum sn_status sn_call_policy(struct sn_call *call, struct sn_slice profile, struct sn_policy **out_policy,
    struct sn_document_origin *out_origin, struct sn_error *err)
{
    const struct sn_tvm_documents *documents = call->tvm->parts.documents;

    if (documents->policy(documents->ctx, profile, out_policy, out_origin, err) == SN_OK) {
        return SN_OK;
    }
    return sn_api_translate(err, sn_document_is_bad(err) ? "POLICY_ERROR" : "CONFIG_ERROR");
}

enum sn_status sn_vend_load_policy(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    return sn_call_policy(call, vend->profile_name, &vend->policy, &vend->policy_origin, err);
}

void sn_call_policy_request(struct sn_call *call, struct sn_slice profile, struct sn_policy_request *out_request)
{
    const struct sn_tvm_settings *settings = call->tvm->parts.settings;
    bool is_sqlite = strcmp(settings->store, "sqlite") == 0;

    *out_request = (struct sn_policy_request){
        .principal = &call->principal,
        .own_account = call->own_account,
        .profile = profile,
        .unix_s = call->unix_ms / 1000,
        .mode = SN_MODE_SERVER,
        .session_store = is_sqlite ? SN_S("sessions") : sn_slice_str(settings->session_table),
        .session_table_of_rule = !is_sqlite,
        .posture = NULL,
    };
}

void sn_vend_evaluate(struct sn_call *call, struct sn_vend *vend)
{
    sn_call_policy_request(call, vend->profile_name, &vend->asked);
    sn_policy_evaluate(vend->policy, &vend->asked, &vend->decision);
    vend->is_evaluated = true;
}

/* --- 11 --- */

void sn_vend_find_grant(struct sn_call *call, struct sn_vend *vend)
{
    const struct sn_grant_source *grants = call->tvm->parts.grants;
    struct sn_error err = {0};

    if (grants == NULL || vend->profile == NULL || vend->decision.effect == SN_EFFECT_ALLOW ||
        vend->decision.override == SN_OVERRIDE_NONE) {
        return;
    }
    struct sn_grant_query query = {
        .principal = &call->principal,
        .profile = vend->profile,
        .override = vend->decision.override,
        .requested_s = vend->requested_s,
        .now_ms = call->unix_ms,
    };
    bool found = false;
    if (grants->find(grants->ctx, &query, &call->arena, &vend->grant, &found, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_WARN, "grant.lookup_failed", "looking for a grant failed; none is assumed", &err,
            SN_LOG_FIELDS(SN_STR("request_id", call->id.text)));
        return;
    }
    vend->has_grant = found;
}

/* The decision's own refusal. A switch without default: an effect added later must say what it is. */
static enum sn_status refuse(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    const struct sn_decision *decision = &vend->decision;

    call->words.reason = sn_arena_dup(&call->arena, decision->reason);
    if (decision->requires_session_tracking || decision->requires_server_mode) {
        call->words.reason = SN_S("");
        return sn_api_fail(err, "SESSION_UNAVAILABLE", "the rule demands a recorded session");
    }
    switch (decision->effect) {
    case SN_EFFECT_DENY:
        return sn_api_fail(err, "POLICY_DENY", "denied by rule %d", decision->rule_index);
    case SN_EFFECT_REQUIRE_APPROVAL:
        return sn_api_fail(err, "APPROVAL_REQUIRED", "rule %d requires approval", decision->rule_index);
    case SN_EFFECT_ALLOW:
        break;
    }
    return sn_api_fail(err, "POLICY_DENY", "no known effect");
}

enum sn_status sn_vend_decide(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    /* Both are worked out for every name, so that known and unknown ones cost the same. */
    bool is_hidden = sn_policy_profile_is_hidden(vend->policy, &vend->asked);
    bool is_shown = vend->profile != NULL && (!is_hidden || vend->has_grant);

    if (vend->device_refusal != NULL) {
        vend->record_reason = "device could not be verified";
        return sn_api_fail(err, vend->device_refusal, "a device is required and none is verified");
    }
    if (!is_shown) {
        vend->record_reason = vend->profile == NULL ? "unknown profile" : "no rule for this caller";
        sn_vend_hint_names(call, vend->profile_name);
        return sn_api_fail(err, "UNKNOWN_PROFILE", "%s", vend->record_reason);
    }
    if (vend->decision.effect == SN_EFFECT_ALLOW) {
        vend->kind = SN_ISSUE_DIRECT;
        return SN_OK;
    }
    if (vend->has_grant) {
        vend->kind = vend->grant.kind;
        return SN_OK;
    }
    return refuse(call, vend, err);
}

/* --- 12 --- */

/* An entry that only this server cannot use: another partition, or a role that the operator's prefix leaves out. */
static enum sn_status check_entry(const struct sn_call *call, const struct sn_profile *profile, struct sn_error *err)
{
    struct sn_slice rest = profile->role_arn, part = {0};
    struct sn_slice prefix = sn_slice_str(call->tvm->parts.settings->role_prefix);

    if (!sn_slice_next(&rest, ':', &part) || !sn_slice_next(&rest, ':', &part) ||
        !sn_slice_eq_str(part, call->tvm->partition)) {
        return sn_api_fail(err, "CONFIG_ERROR", "the role of the catalogue entry is of another partition");
    }
    if (!sn_slice_has_prefix(profile->role_name, prefix)) {
        return sn_api_fail(err, "CONFIG_ERROR", "the role of the catalogue entry does not begin with the role prefix");
    }
    return SN_OK;
}

static int64_t left_s(const struct sn_call *call, const struct sn_vend *vend, enum sn_issue_kind kind)
{
    if (!vend->has_grant || vend->kind != kind) {
        return -1;
    }
    int64_t left_ms = vend->grant.ends_at_ms - call->unix_ms;
    return left_ms > 0 ? left_ms / 1000 : 0;
}

/*
 * When access ends. A closing window ends it with a statement in the session policy, at a whole second; one that does
 * not fit counts as a window that has ended.
 */
static void set_end(struct sn_call *call, struct sn_vend *vend)
{
    const struct sn_profile *profile = vend->profile;
    struct sn_error err = {0};
    size_t arn_chars = 0;

    vend->expires_ms = call->unix_ms + vend->duration.seconds * 1000;
    if (!vend->duration.needs_deadline) {
        return;
    }
    vend->expires_ms -= vend->expires_ms % 1000;
    for (size_t i = 0; i < profile->policy_arn_count; i++) {
        arn_chars += profile->policy_arns[i].len;
    }
    if (sn_session_policy_with_deadline(profile->session_policy, profile->policy_arn_count > 0, arn_chars,
            vend->expires_ms / 1000, &vend->session_policy, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_WARN, "deadline.too_long", "the end of a window does not fit the session policy", &err,
            SN_LOG_FIELDS(SN_STR("request_id", call->id.text), SN_TEXT("profile", profile->name)));
        vend->duration.window_over = true;
    }
}

enum sn_status sn_vend_set_duration(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    const struct sn_tvm_settings *settings = call->tvm->parts.settings;
    char account[SN_ACCOUNT_LEN + 1];
    bool is_role = false;

    SN_TRY(check_entry(call, vend->profile, err));
    SN_TRY(sn_own_identity(call->tvm, call->deadline_mono_ns, account, &is_role, err));
    struct sn_duration_input input = {
        .requested_s = vend->requested_s,
        .default_s = settings->default_duration_s,
        .rule_max_s = vend->decision.max_server_duration_s,
        .catalogue_max_s = vend->profile->max_duration_s,
        .approval_left_s = left_s(call, vend, SN_ISSUE_APPROVED),
        .breakglass_left_s = left_s(call, vend, SN_ISSUE_BREAKGLASS),
        .override_max_s = settings->override_session_max_s,
        .role_credentials = is_role,
    };
    sn_duration_decide(&input, &vend->duration);
    if (!vend->duration.window_over) {
        set_end(call, vend);
    }
    if (!vend->duration.window_over) {
        return SN_OK;
    }
    /* The window of the grant counts as ended: what is left is the policy's own answer. */
    vend->has_grant = false;
    vend->kind = SN_ISSUE_DIRECT;
    return sn_vend_decide(call, vend, err) == SN_OK ? refuse(call, vend, err) : err->status;
}
