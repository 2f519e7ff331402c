/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/transition.h - the acts on an access request: each gives the record that is to be written, or refuses.
 *
 *     pending  -- approve (as many persons as asked for) --> approved
 *              -- deny (one approver)                    --> denied
 *              -- cancel (the requester)                 --> cancelled
 *              -- expire (at its end)                    --> expired
 *
 * Nothing leaves the four ends; withdrawing an approved request leaves its state and ends its use. The caller has read
 * the record consistently and checked its seal (sn_access_request_check, sn_access_request_seal_is_valid); it writes
 * the next record on condition that the one read is still there. The next record has rev + 1, the new write id and
 * ttl, and no seal. Text of the next record is borrowed from the last one, the act and the arena.
 */
#ifndef SN_CORE_REQUEST_TRANSITION_H
#define SN_CORE_REQUEST_TRANSITION_H

#include "base/arena.h"
#include "core/request/approvals.h"
#include "core/request/request.h"

enum sn_access_event {
    SN_ACCESS_EVENT_CREATED,
    SN_ACCESS_EVENT_APPROVAL_ADDED,
    SN_ACCESS_EVENT_APPROVAL_WITHDRAWN,
    SN_ACCESS_EVENT_APPROVED,
    SN_ACCESS_EVENT_DENIED,
    SN_ACCESS_EVENT_CANCELLED,
    SN_ACCESS_EVENT_WITHDRAWN,
    SN_ACCESS_EVENT_EXPIRED,
};
const char *sn_access_event_name(enum sn_access_event event); /* "request.created", ... */

/* What must be remembered beside the record so that an older copy of it cannot be put back. */
enum sn_floor {
    SN_FLOOR_NONE,  /* the act gives, or takes nothing */
    SN_FLOOR_LOWER, /* an approval was taken back */
    SN_FLOOR_ENDED, /* the record has ended */
};

struct sn_access_step {
    struct sn_access_request next;
    enum sn_access_event event;
    enum sn_floor floor;
    size_t approvals_given, approvals_required; /* that count now; in force now */
};

/* Who asks what of the record, when, and under which document. */
struct sn_access_act {
    const struct sn_principal *actor;
    bool is_operator;
    struct sn_slice comment;             /* checked with sn_text_comment */
    struct sn_slice binding_sent;        /* approve: what the approver has read */
    const char *binding_now;             /* approve: made from the record and the catalogue as it is now */
    const struct sn_approval_rule *rule; /* for the record's profile; NULL: none */
    bool has_policy;                     /* an approval document is loaded */
    int64_t now_ms;
    int64_t retention_days;
    struct sn_id write_id;
    struct sn_arena *arena;
};

/*
 * SN_CONFLICT: INVALID_TRANSITION with the detail "status", REQUEST_EXPIRED (pending past its end: the caller writes
 * sn_access_expire), ALREADY_APPROVED, BINDING_CHANGED. SN_DENIED: NOT_AUTHORIZED, SELF_APPROVAL_FORBIDDEN,
 * APPROVAL_POLICY_MISSING, NO_APPROVAL_RULE. SN_LIMIT: TOO_MANY_APPROVALS. SN_INTERNAL: RECORD_INVALID.
 */
SN_MUST_CHECK enum sn_status sn_access_approve(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_access_deny(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_access_cancel(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err);
/* Ends an approved request before its time, or takes the actor's own approval of a pending one back. */
SN_MUST_CHECK enum sn_status sn_access_withdraw(const struct sn_access_request *request,
    const struct sn_access_act *act, struct sn_access_step *out_step, struct sn_error *err);
/* By the system; the actor is not looked at. */
SN_MUST_CHECK enum sn_status sn_access_expire(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err);

/* What somebody asks for. */
struct sn_access_ask {
    const struct sn_principal *requester;
    struct sn_slice profile, role_arn, session_policy; /* of the catalogue's entry */
    const struct sn_slice *policy_arns;
    size_t policy_arn_count;
    struct sn_slice justification;       /* as sent */
    int64_t duration_s;                  /* above eight hours it is cut to eight hours */
    const struct sn_approval_rule *rule; /* for the profile; NULL: none */
    bool is_auto_approved;               /* the rule's own conditions hold for this ask */
    int64_t now_ms;
    int64_t retention_days;
    struct sn_id id, write_id;
    struct sn_arena *arena;
};
/* The first record, pending or approved by the policy itself. SN_INVALID: INVALID_DURATION, INVALID_JUSTIFICATION. */
SN_MUST_CHECK enum sn_status sn_access_create(
    const struct sn_access_ask *ask, struct sn_access_step *out_step, bool *out_is_capped, struct sn_error *err);

#endif
