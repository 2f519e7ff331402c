/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/transition.c - who may do what to an access request, and what it is afterwards.
 */
#include "core/request/transition.h"

#include "core/request/text.h"

const char *sn_access_event_name(enum sn_access_event event)
{
    switch (event) {
    case SN_ACCESS_EVENT_CREATED:
        return "request.created";
    case SN_ACCESS_EVENT_APPROVAL_ADDED:
        return "request.approval_added";
    case SN_ACCESS_EVENT_APPROVAL_WITHDRAWN:
        return "request.approval_withdrawn";
    case SN_ACCESS_EVENT_APPROVED:
        return "request.approved";
    case SN_ACCESS_EVENT_DENIED:
        return "request.denied";
    case SN_ACCESS_EVENT_CANCELLED:
        return "request.cancelled";
    case SN_ACCESS_EVENT_WITHDRAWN:
        return "request.withdrawn";
    case SN_ACCESS_EVENT_EXPIRED:
        return "request.expired";
    }
    SN_ASSERT(false);
    return "";
}

/* --- What every act needs --- */

static enum sn_status refuse_state(struct sn_error *err, const struct sn_access_request *request, const char *act)
{
    const char *status = sn_access_status_name(request->status);

    sn_fail(err, SN_CONFLICT, "INVALID_TRANSITION", "request 'req-%s' is %s and cannot be %s", request->id.text, status,
        act);
    return sn_error_detail(err, "status", "%s", status);
}

static enum sn_status require_pending(
    const struct sn_access_request *request, int64_t now_ms, const char *act, struct sn_error *err)
{
    if (request->status != SN_ACCESS_PENDING) {
        return refuse_state(err, request, act);
    }
    if (sn_access_request_status_at(request, now_ms) == SN_ACCESS_EXPIRED) {
        sn_fail(err, SN_CONFLICT, "REQUEST_EXPIRED", "request 'req-%s' has expired", request->id.text);
        return sn_suggest(err, "the requester can ask again");
    }
    return SN_OK;
}

static enum sn_status not_authorized(struct sn_error *err, const struct sn_access_request *request, const char *act)
{
    return sn_fail(err, SN_DENIED, "NOT_AUTHORIZED", "you may not %s request 'req-%s'", act, request->id.text);
}

/* The caller who asked, as the settings see them now. */
static enum sn_status requester_of(const struct sn_access_request *request, const struct sn_approval_rule *rule,
    struct sn_principal *out_requester, struct sn_error *err)
{
    if (!rule->identify(rule->ctx, request->requester_arn, out_requester)) {
        return sn_fail(err, SN_INTERNAL, "RECORD_INVALID",
            "the requester of 'req-%s' is no caller that this server knows", request->id.text);
    }
    return SN_OK;
}

/*
 * True for the very caller, or for the same vouched person. Sessions of a role that does not vouch count as one person
 * when they approve, but one of them does not own what another did.
 */
static bool is_own(const struct sn_principal *actor, struct sn_slice arn, const struct sn_approval_rule *rule)
{
    struct sn_principal owner;

    if (sn_slice_eq_str(arn, actor->arn)) {
        return true;
    }
    return rule != NULL && actor->vouched && rule->identify(rule->ctx, arn, &owner) && owner.vouched &&
           rule->same_person(rule->ctx, actor, &owner);
}

static void begin_step(
    const struct sn_access_request *request, const struct sn_access_act *act, struct sn_access_step *step)
{
    *step = (struct sn_access_step){.next = *request};
    step->next.rev = request->rev + 1;
    step->next.write_id = act->write_id;
    step->next.updated_at_ms = act->now_ms > request->updated_at_ms ? act->now_ms : request->updated_at_ms;
    step->next.seal = sn_slice_str(NULL);
}

static void end_step(const struct sn_access_act *act, enum sn_access_event event, enum sn_floor floor,
    struct sn_access_step *step, struct sn_access_step *out_step)
{
    step->event = event;
    step->floor = floor;
    step->next.ttl_unix_s = sn_access_request_ttl_s(&step->next, act->retention_days);
    *out_step = *step;
}

static void decide(struct sn_access_request *next, const struct sn_access_act *act, enum sn_access_status status)
{
    next->status = status;
    next->approver = sn_arena_dup(act->arena, sn_slice_str(act->actor->name));
    next->approver_arn = sn_arena_dup(act->arena, sn_slice_str(act->actor->arn));
    next->approver_comment = act->comment;
    next->decision_rule = act->rule->name;
}

/* --- Approvers --- */

/* The rule lists the actor, who is not the requester; gives the requester. */
static enum sn_status require_approver(const struct sn_access_request *request, const struct sn_access_act *act,
    const char *verb, struct sn_principal *out_requester, struct sn_error *err)
{
    if (!act->has_policy) {
        sn_fail(err, SN_DENIED, "APPROVAL_POLICY_MISSING", "no approval policy is in force, so nobody may %s", verb);
        return sn_suggest(err, "an administrator has to publish an approval policy");
    }
    if (act->rule == NULL) {
        sn_fail(err, SN_DENIED, "NO_APPROVAL_RULE", "no rule of the approval policy is about profile '%.*s'",
            SN_PRI(request->profile));
        return sn_suggest(err, "an administrator has to add a rule that lists its approvers");
    }
    if (!act->rule->lists(act->rule->ctx, act->actor)) {
        return not_authorized(err, request, verb);
    }
    return requester_of(request, act->rule, out_requester, err);
}

static int64_t required_now(const struct sn_access_request *request, const struct sn_approval_rule *rule)
{
    return request->approvals_required > rule->approvals_required ? request->approvals_required
                                                                  : rule->approvals_required;
}

static enum sn_status require_same_binding(
    const struct sn_access_request *request, const struct sn_access_act *act, struct sn_error *err)
{
    if (!sn_slice_eq(act->binding_sent, request->binding)) {
        sn_fail(
            err, SN_CONFLICT, "BINDING_CHANGED", "what you approve is not what 'req-%s' asks for", request->id.text);
        return sn_suggest(err, "read the request again before you approve it");
    }
    if (!sn_slice_eq_str(request->binding, act->binding_now)) {
        sn_fail(err, SN_CONFLICT, "BINDING_CHANGED", "profile '%.*s' has changed since 'req-%s' was made",
            SN_PRI(request->profile), request->id.text);
        return sn_suggest(err, "the requester has to ask again");
    }
    return SN_OK;
}

/* Adds the actor's approval; one of theirs that does not count gives way to it. */
static enum sn_status add_approval(struct sn_approvals *approvals, const struct sn_access_request *request,
    const struct sn_access_act *act, struct sn_error *err)
{
    size_t at = 0;

    while (at < approvals->count && !sn_slice_eq_str(approvals->items[at].arn, act->actor->arn)) {
        at++;
    }
    if (at == SN_APPROVALS_MAX) {
        return sn_fail(err, SN_LIMIT, "TOO_MANY_APPROVALS", "request 'req-%s' keeps %d approvals already",
            request->id.text, SN_APPROVALS_MAX);
    }
    approvals->items[at] = (struct sn_approval){.by = sn_arena_dup(act->arena, sn_slice_str(act->actor->name)),
        .arn = sn_arena_dup(act->arena, sn_slice_str(act->actor->arn)),
        .at_ms = act->now_ms,
        .comment = act->comment,
        .rule = act->rule->name,
        .binding = request->binding};
    approvals->count += at == approvals->count ? 1 : 0;
    return SN_OK;
}

static struct sn_slice store_text(const struct sn_approvals *approvals, struct sn_arena *arena)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    sn_approvals_format(&text, approvals);
    SN_ASSERT(!text.overflow);
    return sn_arena_dup(arena, sn_buf_slice(&text));
}

static enum sn_status require_new_person(
    const struct sn_approval_count *count, const struct sn_access_act *act, const char *id, struct sn_error *err)
{
    for (size_t i = 0; i < count->counted; i++) {
        if (act->rule->same_person(act->rule->ctx, act->actor, &count->persons[i])) {
            sn_fail(err, SN_CONFLICT, "ALREADY_APPROVED", "you have approved 'req-%s' already", id);
            return sn_suggest(err, "another person has to approve it");
        }
    }
    return SN_OK;
}

enum sn_status sn_access_approve(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err)
{
    struct sn_principal requester;
    struct sn_approvals approvals;
    struct sn_approval_count count;
    struct sn_access_step step;

    SN_TRY(require_pending(request, act->now_ms, "approved", err));
    SN_TRY(require_approver(request, act, "approve", &requester, err));
    if (act->rule->same_person(act->rule->ctx, act->actor, &requester)) {
        sn_fail(err, SN_DENIED, "SELF_APPROVAL_FORBIDDEN", "'req-%s' is your own request", request->id.text);
        return sn_suggest(err, "another approver has to decide it");
    }
    SN_TRY(require_same_binding(request, act, err));
    SN_TRY(sn_approvals_parse(request->approvals, act->arena, &approvals, err));
    sn_approvals_count(&approvals, act->rule, &requester, request->binding, &count);
    SN_TRY(require_new_person(&count, act, request->id.text, err));
    SN_TRY(add_approval(&approvals, request, act, err));

    begin_step(request, act, &step);
    step.next.approvals = store_text(&approvals, act->arena);
    step.approvals_given = count.counted + 1;
    step.approvals_required = (size_t)required_now(request, act->rule);
    if (step.approvals_given < step.approvals_required) {
        end_step(act, SN_ACCESS_EVENT_APPROVAL_ADDED, SN_FLOOR_NONE, &step, out_step);
        return SN_OK;
    }
    decide(&step.next, act, SN_ACCESS_APPROVED);
    step.next.approved_at_ms = act->now_ms;
    step.next.expires_at_ms = act->now_ms + request->duration_s * 1000;
    step.next.single_use = request->single_use || act->rule->single_use;
    end_step(act, SN_ACCESS_EVENT_APPROVED, SN_FLOOR_NONE, &step, out_step);
    return SN_OK;
}

enum sn_status sn_access_deny(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err)
{
    struct sn_principal requester;
    struct sn_access_step step;

    SN_TRY(require_pending(request, act->now_ms, "denied", err));
    SN_TRY(require_approver(request, act, "deny", &requester, err));
    if (act->rule->same_person(act->rule->ctx, act->actor, &requester)) {
        not_authorized(err, request, "deny");
        return sn_suggest(err, "it is your own request: cancel it instead");
    }
    begin_step(request, act, &step);
    decide(&step.next, act, SN_ACCESS_DENIED);
    end_step(act, SN_ACCESS_EVENT_DENIED, SN_FLOOR_ENDED, &step, out_step);
    return SN_OK;
}

/* --- Requesters, operators, the system --- */

enum sn_status sn_access_cancel(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err)
{
    struct sn_access_step step;

    if (!is_own(act->actor, request->requester_arn, act->rule)) {
        return not_authorized(err, request, "cancel");
    }
    if (request->status == SN_ACCESS_APPROVED) {
        refuse_state(err, request, "cancelled");
        return sn_suggest(err, "withdraw it instead");
    }
    SN_TRY(require_pending(request, act->now_ms, "cancelled", err));
    begin_step(request, act, &step);
    step.next.status = SN_ACCESS_CANCELLED;
    end_step(act, SN_ACCESS_EVENT_CANCELLED, SN_FLOOR_ENDED, &step, out_step);
    return SN_OK;
}

static enum sn_status withdraw_grant(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err)
{
    bool is_approver = act->rule != NULL && act->rule->lists(act->rule->ctx, act->actor);
    struct sn_access_step step;

    if (!act->is_operator && !is_approver && !is_own(act->actor, request->requester_arn, act->rule)) {
        return not_authorized(err, request, "withdraw");
    }
    if (request->withdrawn_at_ms != 0 || act->now_ms >= sn_access_request_window_end_ms(request)) {
        sn_fail(err, SN_CONFLICT, "INVALID_TRANSITION", "request 'req-%s' %s already", request->id.text,
            request->withdrawn_at_ms != 0 ? "was withdrawn" : "is over");
        return sn_error_detail(err, "status", "%s", sn_access_status_name(request->status));
    }
    begin_step(request, act, &step);
    step.next.withdrawn_at_ms = act->now_ms;
    step.next.withdrawn_by = sn_arena_dup(act->arena, sn_slice_str(act->actor->name));
    step.next.withdrawn_reason = act->comment;
    end_step(act, SN_ACCESS_EVENT_WITHDRAWN, SN_FLOOR_ENDED, &step, out_step);
    return SN_OK;
}

static enum sn_status withdraw_approval(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err)
{
    struct sn_approvals approvals;
    struct sn_access_step step;
    size_t kept = 0;

    SN_TRY(require_pending(request, act->now_ms, "withdrawn", err));
    SN_TRY(sn_approvals_parse(request->approvals, act->arena, &approvals, err));
    for (size_t i = 0; i < approvals.count; i++) {
        if (!is_own(act->actor, approvals.items[i].arn, act->rule)) {
            approvals.items[kept++] = approvals.items[i];
        }
    }
    if (kept == approvals.count) {
        if (is_own(act->actor, request->requester_arn, act->rule)) {
            refuse_state(err, request, "withdrawn");
            return sn_suggest(err, "cancel it instead");
        }
        not_authorized(err, request, "withdraw");
        return sn_suggest(err, "you have given it no approval that could be taken back");
    }
    approvals.count = kept;
    begin_step(request, act, &step);
    step.next.approvals = store_text(&approvals, act->arena);
    end_step(act, SN_ACCESS_EVENT_APPROVAL_WITHDRAWN, SN_FLOOR_LOWER, &step, out_step);
    return SN_OK;
}

enum sn_status sn_access_withdraw(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err)
{
    switch (request->status) {
    case SN_ACCESS_APPROVED:
        return withdraw_grant(request, act, out_step, err);
    case SN_ACCESS_PENDING:
        return withdraw_approval(request, act, out_step, err);
    case SN_ACCESS_DENIED:
    case SN_ACCESS_EXPIRED:
    case SN_ACCESS_CANCELLED:
        return refuse_state(err, request, "withdrawn");
    }
    SN_ASSERT(false);
    return SN_INTERNAL;
}

enum sn_status sn_access_expire(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err)
{
    struct sn_access_step step;

    if (request->status != SN_ACCESS_PENDING || act->now_ms < request->expires_at_ms) {
        return refuse_state(err, request, "expired");
    }
    begin_step(request, act, &step);
    step.next.status = SN_ACCESS_EXPIRED;
    end_step(act, SN_ACCESS_EVENT_EXPIRED, SN_FLOOR_ENDED, &step, out_step);
    return SN_OK;
}

/* --- The first record --- */

static struct sn_slice bind(const struct sn_access_ask *ask, const struct sn_access_request *record)
{
    char text[SN_BINDING_LEN + 1];
    struct sn_binding_facts facts = {.kind = SN_ISSUE_APPROVED,
        .principal = ask->requester,
        .profile = record->profile,
        .role_arn = record->role_arn,
        .duration_s = record->duration_s,
        .justification = record->justification,
        .session_policy = ask->session_policy,
        .policy_arns = ask->policy_arns,
        .policy_arn_count = ask->policy_arn_count};

    sn_binding_make(&facts, text);
    return sn_arena_dup(ask->arena, sn_slice_str(text));
}

static void approve_by_policy(const struct sn_access_ask *ask, struct sn_access_request *record)
{
    record->status = SN_ACCESS_APPROVED;
    record->auto_approved = true;
    record->approvals_required = 0;
    record->approved_at_ms = ask->now_ms;
    record->expires_at_ms = ask->now_ms + record->duration_s * 1000;
    record->approver = record->requester;
    record->approver_arn = record->requester_arn;
    record->approver_comment = SN_S("auto-approved by policy");
}

enum sn_status sn_access_create(
    const struct sn_access_ask *ask, struct sn_access_step *out_step, bool *out_is_capped, struct sn_error *err)
{
    struct sn_access_step step = {.event = SN_ACCESS_EVENT_CREATED, .floor = SN_FLOOR_NONE};
    struct sn_access_request *record = &step.next;
    bool is_capped = ask->duration_s > SN_ACCESS_DURATION_MAX_S;
    struct sn_slice justification;

    SN_ASSERT(!ask->is_auto_approved || ask->rule != NULL);
    if (ask->duration_s < SN_ACCESS_DURATION_MIN_S) {
        return sn_fail(
            err, SN_INVALID, "INVALID_DURATION", "a request is for at least %d seconds", SN_ACCESS_DURATION_MIN_S);
    }
    SN_TRY(sn_text_check(&sn_text_request_justification, ask->justification, &justification, err));
    *record = (struct sn_access_request){.id = ask->id,
        .rev = 1,
        .write_id = ask->write_id,
        .requester = sn_arena_dup(ask->arena, sn_slice_str(ask->requester->name)),
        .requester_arn = sn_arena_dup(ask->arena, sn_slice_str(ask->requester->arn)),
        .requester_vouched = ask->requester->vouched,
        .profile = ask->profile,
        .role_arn = ask->role_arn,
        .justification = justification,
        .duration_s = is_capped ? SN_ACCESS_DURATION_MAX_S : ask->duration_s,
        .status = SN_ACCESS_PENDING,
        .created_at_ms = ask->now_ms,
        .updated_at_ms = ask->now_ms,
        .expires_at_ms = ask->now_ms + (int64_t)SN_ACCESS_PENDING_S * 1000,
        .approvals_required = ask->rule != NULL ? ask->rule->approvals_required : 1,
        .approvals = SN_S("[]"),
        .decision_rule = ask->rule != NULL ? ask->rule->name : sn_slice_str(NULL),
        .single_use = ask->rule != NULL && ask->rule->single_use};
    record->binding = bind(ask, record);
    if (ask->is_auto_approved) {
        approve_by_policy(ask, record);
    }
    record->ttl_unix_s = sn_access_request_ttl_s(record, ask->retention_days);
    step.approvals_required = (size_t)record->approvals_required;
    *out_is_capped = is_capped;
    *out_step = step;
    return SN_OK;
}
