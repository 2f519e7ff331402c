/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/explain.c - POST /v1/explain: the vend's own steps up to the revocation check, and why they end as they do.
 *
 * Issues nothing, writes no row, consumes no grant and leaves one operational line. Texts name no other person and no
 * member of a group; rules about other profiles are only counted.
 */
#include "base/log.h"
#include "base/time.h"
#include "codec/json.h"
#include "tvm/vend.h"

static const char *override_class(enum sn_override override)
{
    switch (override) {
    case SN_OVERRIDE_NONE:
        return "none";
    case SN_OVERRIDE_BREAKGLASS:
        return "breakglass";
    case SN_OVERRIDE_APPROVAL_OR_BREAKGLASS:
        return "approval_or_breakglass";
    }
    return "none";
}

static void add_step(const struct sn_trace_step *step, struct sn_json_writer *w)
{
    bool is_reached = step->outcome != SN_TRACE_NOT_REACHED;
    bool has_failed = step->outcome == SN_TRACE_NOT_MATCHED;
    SN_AUTO(sn_buf_clear) struct sn_buf would = {0};

    if (has_failed && step->remedy[0] != '\0') {
        sn_buf_add_str(&would, step->remedy);
    } else if (has_failed && step->expected[0] != '\0') {
        sn_buf_addf(&would, "%s; the request has %s", step->expected, step->actual);
    }
    sn_json_begin_object(w);
    sn_json_member_int(w, "index", step->index);
    sn_json_member_text(w, "name", step->name);
    sn_json_member_str(w, "effect", sn_rule_effect_name(step->effect));
    sn_json_member_bool(w, "reached", is_reached);
    sn_json_member_bool(w, "matched", step->outcome == SN_TRACE_MATCHED);
    sn_json_member_str(w, "failed", has_failed ? step->condition : NULL);
    sn_json_member_str(w, "would_match_if", would.len > 0 ? sn_buf_str(&would) : NULL);
    sn_json_end_object(w);
}

static void add_rules(const struct sn_vend *vend, struct sn_json_writer *w)
{
    SN_AUTO(sn_trace_clear) struct sn_trace trace = {0};
    struct sn_decision decision = {0};

    sn_policy_trace(vend->policy, &vend->asked, &decision, &trace);
    sn_json_key(w, "rules");
    sn_json_begin_array(w);
    for (size_t i = 0; i < trace.count; i++) {
        add_step(&trace.steps[i], w);
    }
    sn_json_end_array(w);
    sn_json_member_int(w, "other_rules", (int64_t)trace.other_rules);
}

static void add_grant(const struct sn_vend *vend, struct sn_json_writer *w)
{
    char end[SN_TIME_TEXT_MAX];

    if (!vend->has_grant) {
        sn_json_member_null(w, "grant");
        return;
    }
    sn_json_key(w, "grant");
    sn_json_begin_object(w);
    sn_json_member_text(w, "id", vend->grant.id);
    sn_json_member_str(w, "kind", sn_issue_kind_name(vend->kind));
    sn_json_member_text(w, "ends_at", sn_time_format_rfc3339_ms(vend->grant.ends_at_ms, end));
    sn_json_end_object(w);
}

static void respond(struct sn_call *call, const struct sn_vend *vend, const char *code, bool is_blocked)
{
    struct sn_json_writer w;
    char now[SN_TIME_TEXT_MAX];
    bool is_issue = code == NULL;

    sn_json_writer_init(&w, &call->response->body);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "profile", vend->profile_name);
    sn_json_member_str(&w, "would", is_issue ? "issue" : "refuse");
    sn_json_member_str(&w, "code", code);
    sn_json_member_str(&w, "effect", is_issue ? "allow" : "deny");
    sn_json_member_str(&w, "policy_effect", sn_effect_name(vend->decision.effect));
    sn_json_member_text(&w, "rule", vend->decision.rule);
    sn_json_member_int(&w, "rule_index", vend->decision.rule_index);
    sn_json_member_text(&w, "reason", vend->decision.reason);
    sn_json_member_str(&w, "override_class", override_class(vend->decision.override));
    add_grant(vend, &w);
    if (is_issue) {
        sn_json_member_int(&w, "duration_seconds", vend->duration.seconds);
        sn_json_member_str(&w, "capped_by", sn_cap_name(vend->duration.capped_by));
    } else {
        sn_json_member_null(&w, "duration_seconds");
        sn_json_member_null(&w, "capped_by");
    }
    sn_json_member_bool(&w, "blocked", is_blocked);
    sn_json_member_null(&w, "device");
    add_rules(vend, &w);
    sn_json_member_text(&w, "evaluated_at", sn_time_format_rfc3339_ms(call->unix_ms, now));
    sn_json_end_object(&w);
}

/*
 * The steps of a vend that decide; a refusal is what is asked for here. A missing device is told last, so that it does
 * not uncover names that this caller must not see.
 */
static enum sn_status decide(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    const char *device_refusal = vend->device_refusal;

    vend->device_refusal = NULL;
    SN_TRY(sn_vend_decide(call, vend, err));
    SN_TRY(sn_vend_set_duration(call, vend, err));
    if (device_refusal != NULL) {
        return sn_api_fail(err, device_refusal, "a device is required and none is verified");
    }
    return SN_OK;
}

enum sn_status sn_handle_explain(struct sn_call *call, struct sn_error *err)
{
    SN_AUTO(sn_vend_clear) struct sn_vend vend = {0};
    struct sn_error refusal = {0}, block = {0};
    const char *code = NULL;
    bool is_blocked = false;

    SN_TRY(sn_call_enter(call, err));
    SN_TRY(sn_vend_read_parameters(call, &vend, err));
    SN_TRY(sn_vend_find_profile(call, &vend, err));
    sn_vend_look_at_device(call, &vend);
    SN_TRY(sn_vend_load_policy(call, &vend, err));
    sn_vend_evaluate(call, &vend);
    sn_vend_find_grant(call, &vend);
    if (decide(call, &vend, &refusal) != SN_OK) {
        const struct sn_api_error *entry = sn_api_error_find(refusal.code);
        /* What a stranger must not learn, and what says nothing about the policy, is answered as it is. */
        if (entry->status == 404 || (entry->status >= 500 && !sn_error_is(&refusal, "SESSION_UNAVAILABLE"))) {
            *err = refusal;
            return err->status;
        }
        code = entry->code;
        call->words = (struct sn_api_words){0};
    }
    if (sn_vend_check_blocks(call, &vend, &block) != SN_OK) {
        if (!sn_error_is(&block, "SESSION_REVOKED")) {
            *err = block;
            return err->status;
        }
        is_blocked = true;
        code = code == NULL ? "SESSION_REVOKED" : code;
    }
    respond(call, &vend, code, is_blocked);
    sn_log_info("explain", "explained a decision", SN_STR("request_id", call->id.text),
        SN_STR("caller", call->principal.arn), SN_TEXT("profile", vend.profile_name),
        SN_STR("code", code != NULL ? code : "OK"));
    return SN_OK;
}
