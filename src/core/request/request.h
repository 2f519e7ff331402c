/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/request.h - an access request: the record, its validity, its end and its seal.
 *
 * A record is plain memory whose slices are borrowed from whoever made it (a store's arena, a request). Only
 * core/request/transition.h makes one record out of another. The stored form is described in docs/formats/records.md.
 */
#ifndef SN_CORE_REQUEST_REQUEST_H
#define SN_CORE_REQUEST_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "core/record/attribute.h"
#include "core/request/binding.h"
#include "core/session/seal.h"

enum sn_access_status {
    SN_ACCESS_PENDING,
    SN_ACCESS_APPROVED,
    SN_ACCESS_DENIED,
    SN_ACCESS_EXPIRED,
    SN_ACCESS_CANCELLED
};
const char *sn_access_status_name(enum sn_access_status status); /* "pending", ... */
bool sn_access_status_parse(struct sn_slice name, enum sn_access_status *out_status);

enum {
    SN_ACCESS_DURATION_MIN_S = 60,
    SN_ACCESS_DURATION_MAX_S = 8 * 3600,
    SN_ACCESS_PENDING_S = 24 * 3600, /* how long a request waits for a decision */
    SN_ACCESS_APPROVERS_MAX = 10,    /* persons that a rule may ask for */
};

struct sn_access_request {
    struct sn_id id;
    int64_t rev; /* 1 at creation, one more with every write */
    struct sn_id write_id;
    struct sn_slice requester, requester_arn;
    bool requester_vouched;
    struct sn_slice profile, role_arn, justification;
    int64_t duration_s;
    struct sn_slice binding;
    enum sn_access_status status;
    int64_t created_at_ms, updated_at_ms, expires_at_ms;
    int64_t approvals_required; /* 0: approved by the policy itself */
    struct sn_slice approvals;  /* JSON text, "[]" when none: core/request/approvals.h */
    int64_t approved_at_ms;     /* 0: not approved */
    struct sn_slice approver, approver_arn, approver_comment;
    bool auto_approved;
    struct sn_slice decision_rule;
    bool single_use;
    int64_t withdrawn_at_ms; /* 0: not withdrawn */
    struct sn_slice withdrawn_by, withdrawn_reason;
    int64_t uses, last_used_at_ms; /* vends that consumed it; 0: none yet */
    int64_t ttl_unix_s;
    struct sn_slice seal;
};

/* The record in its stored order. */
extern const struct sn_attribute sn_access_request_attributes[];

/*
 * What a stored record must satisfy beside its seal before anything believes it: SN_INTERNAL, RECORD_INVALID, naming
 * the attribute.
 */
SN_MUST_CHECK enum sn_status sn_access_request_check(const struct sn_access_request *request, struct sn_error *err);

/* The first instant at which an approved request serves no more, in milliseconds; 0 while it is not approved. */
int64_t sn_access_request_window_end_ms(const struct sn_access_request *request);
/* True for an approved request that is neither withdrawn nor over nor a single use that is spent. */
bool sn_access_request_is_open(const struct sn_access_request *request, int64_t now_ms);
/* The state as it counts at now_ms: a pending record past its end is expired, written or not. */
enum sn_access_status sn_access_request_status_at(const struct sn_access_request *request, int64_t now_ms);
/* When the row may be deleted, in Unix seconds: the end of the record and the days of retention, rounded up. */
int64_t sn_access_request_ttl_s(const struct sn_access_request *request, int64_t retention_days);

void sn_access_request_seal(
    const struct sn_seal_keys *keys, const struct sn_access_request *request, char out[SN_SEAL_MAX + 1]);
bool sn_access_request_seal_is_valid(const struct sn_seal_keys *keys, const struct sn_access_request *request);

#endif
