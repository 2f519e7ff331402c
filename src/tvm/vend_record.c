/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/vend_record.c - step 17 and the record of a refusal: one record a decision, durable before the answer.
 */
#include <string.h>

#include "base/log.h"
#include "tvm/vend.h"

static int wait_ms(const struct sn_call *call)
{
    int64_t left_ms = (call->deadline_mono_ns - sn_call_mono_ns(call)) / 1000000;

    /* A call that is already late still gets a moment: a refusal must not go unrecorded for want of a millisecond. */
    return left_ms < 1000 ? 1000 : left_ms > SN_AUDIT_WAIT_MAX_MS ? SN_AUDIT_WAIT_MAX_MS : (int)left_ms;
}

static void fill(struct sn_call *call, const struct sn_vend *vend, struct sn_audit_decision *record)
{
    *record = (struct sn_audit_decision){
        .unix_ms = call->unix_ms,
        .user = sn_slice_str(call->principal.name),
        .profile = vend->profile_name,
        .rule = vend->is_evaluated ? vend->decision.rule : SN_S(""),
        .rule_index = vend->is_evaluated ? vend->decision.rule_index : -1,
        .reason = vend->record_reason != NULL ? sn_slice_str(vend->record_reason)
                  : vend->is_evaluated        ? vend->decision.reason
                                              : SN_S(""),
        .policy_path = sn_slice_str(vend->policy_origin.name),
        .request_id = sn_id_slice(&call->id),
        .policy_evaluated = vend->is_evaluated,
        .policy_effect = vend->decision.effect,
        .gateway_request_id = call->request->gateway_request_id,
        .caller_arn = sn_slice_str(call->principal.arn),
        .account_id = sn_slice_str(call->principal.account),
        .vouched = call->principal.vouched,
        .policy_version = sn_slice_str(vend->policy_origin.version),
        .policy_hash = sn_slice_str(vend->policy_origin.hash),
        .policy_key_id = sn_slice_str(vend->policy_origin.key_id),
    };
}

static enum sn_status append(struct sn_call *call, const struct sn_audit_decision *record, struct sn_error *err)
{
    const struct sn_audit_sink *audit = call->tvm->parts.audit;
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};
    int64_t start = sn_call_mono_ns(call);

    sn_audit_decision_format(&entry, record);
    enum sn_status status = sn_buf_check(&entry, "the audit record", err);
    if (status == SN_OK) {
        status = audit->append(audit->ctx, sn_buf_slice(&entry), sn_id_slice(&call->id), wait_ms(call), err);
    }
    sn_metrics_audit(call->tvm->parts.metrics, status == SN_OK, sn_call_mono_ns(call) - start);
    sn_metrics_decision(
        call->tvm->parts.metrics, record->allowed && status == SN_OK, record->policy_evaluated, record->policy_effect);
    if (status == SN_OK) {
        return SN_OK;
    }
    sn_log_error_of(SN_LOG_ERROR, "audit.unavailable", "the audit record could not be written", err,
        SN_LOG_FIELDS(SN_TEXT("entry", sn_buf_slice(&entry)), SN_STR("request_id", call->id.text)));
    call->words = (struct sn_api_words){0}; /* nothing of the decision is told without its record */
    return sn_api_translate(err, "AUDIT_UNAVAILABLE");
}

static const char *override_of(const struct sn_vend *vend)
{
    switch (vend->kind) {
    case SN_ISSUE_DIRECT:
        return NULL;
    case SN_ISSUE_APPROVED:
        return "approval";
    case SN_ISSUE_BREAKGLASS:
        return "break_glass";
    }
    return NULL;
}

enum sn_status sn_vend_record_issue(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    struct sn_audit_decision record;

    fill(call, vend, &record);
    record.allowed = true;
    record.outcome = "issued";
    record.source_identity = sn_slice_str(vend->source_identity);
    record.role_arn = vend->profile->role_arn;
    record.session_duration_s = vend->duration.seconds;
    record.access_key_id = sn_slice_str(vend->role.credentials.access_key_id);
    record.override = override_of(vend);
    if (vend->kind == SN_ISSUE_APPROVED) {
        record.approved_request_id = vend->grant.id;
    } else if (vend->kind == SN_ISSUE_BREAKGLASS) {
        record.break_glass_event_id = vend->grant.id;
    }
    vend->is_recorded = true;
    SN_TRY(append(call, &record, err));
    sn_metrics_issued(call->tvm->parts.metrics, vend->kind);
    return SN_OK;
}

enum sn_status sn_vend_record_refusal(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    struct sn_audit_decision record;
    const struct sn_api_error *entry = sn_api_error_find(err->code);
    struct sn_error append_err = {0};

    if (entry->status >= 500 && vend->record_reason == NULL) {
        vend->record_reason = entry->message;
    }
    fill(call, vend, &record);
    record.outcome = entry->status < 500 ? "denied" : "error";
    record.error_code = entry->code;
    if (append(call, &record, &append_err) != SN_OK) {
        *err = append_err;
    }
    return err->status;
}

void sn_vend_record_undelivered(struct sn_call *call, const char *reason)
{
    const struct sn_audit_sink *audit = call->tvm->parts.audit;
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};
    struct sn_error err = {0};

    sn_audit_undelivered_format(&entry, sn_clock_unix_ms(call->tvm->parts.clock), sn_id_slice(&call->id), reason);
    if (audit->append(audit->ctx, sn_buf_slice(&entry), sn_id_slice(&call->id), wait_ms(call), &err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "audit.unavailable", "the record of an undelivered issue could not be written",
            &err, SN_LOG_FIELDS(SN_STR("request_id", call->id.text)));
    }
}
