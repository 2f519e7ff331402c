/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/vend.h - what one vend gathers on its way, and its steps. Private to src/tvm.
 */
#ifndef SN_TVM_VEND_H
#define SN_TVM_VEND_H

#include "core/session/session.h"
#include "tvm/call.h"

struct sn_vend {
    /* 6: what was asked */
    bool is_alias; /* "/": the container-credentials format */
    struct sn_slice profile_name, device_id;
    int64_t requested_s; /* 0: not given */
    /* 7 */
    const struct sn_profile *profile; /* NULL: not in the catalogue; not yet shown to the caller */
    /* 8: a refusal that is answered at the end of step 11 */
    const char *device_refusal;
    /* 9, 10 */
    struct sn_policy *policy; /* NULL: none for this profile, which is default deny */
    struct sn_document_origin policy_origin;
    struct sn_policy_request asked;
    struct sn_decision decision;
    bool is_evaluated;
    /* 11 */
    struct sn_grant grant;
    bool has_grant;
    enum sn_issue_kind kind;
    /* 12 */
    struct sn_duration_result duration;
    int64_t expires_ms;           /* what the caller is told */
    struct sn_buf session_policy; /* with the deadline, when there is one */
    /* 13 */
    int64_t blocks_read_mono_ns;
    /* 14 */
    char source_identity[SN_SOURCE_IDENTITY_MAX + 1], session_name[SN_ROLE_SESSION_NAME_MAX + 1];
    char seal[SN_SEAL_MAX + 1];
    struct sn_session session;
    bool has_row;
    /* 15 */
    struct sn_assumed_role role;
    /* 17: a record of the issue has been tried; no other follows */
    bool is_recorded;
    const char *record_reason; /* reason of a refusal behind the policy; NULL: the rule's */
};
void sn_vend_clear(struct sn_vend *vend);

/* params.c: step 6 */
SN_MUST_CHECK enum sn_status sn_vend_read_parameters(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
/* The query of a route that takes none. */
SN_MUST_CHECK enum sn_status sn_call_refuse_query(struct sn_call *call, struct sn_error *err);

/* vend_decide.c: steps 7 to 12 */
SN_MUST_CHECK enum sn_status sn_vend_find_profile(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
void sn_vend_look_at_device(struct sn_call *call, struct sn_vend *vend);
SN_MUST_CHECK enum sn_status sn_vend_load_policy(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
void sn_vend_evaluate(struct sn_call *call, struct sn_vend *vend);
void sn_vend_find_grant(struct sn_call *call, struct sn_vend *vend);
SN_MUST_CHECK enum sn_status sn_vend_decide(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_vend_set_duration(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);

/* A policy request of this caller for a profile. */
void sn_call_policy_request(struct sn_call *call, struct sn_slice profile, struct sn_policy_request *out_request);
/* The policy that governs a profile, with an API code on failure. */
SN_MUST_CHECK enum sn_status sn_call_policy(struct sn_call *call, struct sn_slice profile,
    struct sn_policy **out_policy, struct sn_document_origin *out_origin, struct sn_error *err);

/* hints.c: the hint of an unknown name, made of what this caller can see and of nothing else */
void sn_vend_hint_names(struct sn_call *call, struct sn_slice name);

/* vend_issue.c: steps 13 to 18 */
/* 13 alone, for explain. */
SN_MUST_CHECK enum sn_status sn_vend_check_blocks(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_vend_write_row(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_vend_assume_role(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
void sn_vend_correct_row(struct sn_call *call, struct sn_vend *vend);
SN_MUST_CHECK enum sn_status sn_vend_check_freshness(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
/* The row of a vend that failed behind step 14: ended, best effort. */
void sn_vend_end_row(struct sn_call *call, struct sn_vend *vend, enum sn_session_status status);

/* vend_record.c: the audit record of an issue, and the one of a refusal */
SN_MUST_CHECK enum sn_status sn_vend_record_issue(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_vend_record_refusal(struct sn_call *call, struct sn_vend *vend, struct sn_error *err);
void sn_vend_record_undelivered(struct sn_call *call, const char *reason);

/* vend_respond.c: step 19 */
void sn_vend_respond(struct sn_call *call, const struct sn_vend *vend);

#endif
