/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/request/request.c - states, ends, validity and seal of access requests.
 */
#include "core/request/request.h"

#include "core/request/approvals.h"
#include "core/request/text.h"

static const char *const status_words[] = {[SN_ACCESS_PENDING] = "pending",
    [SN_ACCESS_APPROVED] = "approved",
    [SN_ACCESS_DENIED] = "denied",
    [SN_ACCESS_EXPIRED] = "expired",
    [SN_ACCESS_CANCELLED] = "cancelled",
    NULL};

const char *sn_access_status_name(enum sn_access_status status)
{
    switch (status) {
    case SN_ACCESS_PENDING:
    case SN_ACCESS_APPROVED:
    case SN_ACCESS_DENIED:
    case SN_ACCESS_EXPIRED:
    case SN_ACCESS_CANCELLED:
        return status_words[status];
    }
    SN_ASSERT(false);
    return "";
}

bool sn_access_status_parse(struct sn_slice name, enum sn_access_status *out_status)
{
    for (size_t i = 0; status_words[i] != NULL; i++) {
        if (sn_slice_eq_str(name, status_words[i])) {
            *out_status = (enum sn_access_status)i;
            return true;
        }
    }
    return false;
}

const struct sn_attribute sn_access_request_attributes[] = {
    SN_SEALED(struct sn_access_request, "id", ID, id),
    SN_SEALED(struct sn_access_request, "rev", INT, rev),
    SN_SEALED(struct sn_access_request, "write_id", ID, write_id),
    SN_SEALED(struct sn_access_request, "requester", TEXT, requester),
    SN_SEALED(struct sn_access_request, "requester_arn", TEXT, requester_arn),
    SN_SEALED(struct sn_access_request, "requester_vouched", BOOL, requester_vouched),
    SN_SEALED(struct sn_access_request, "profile", TEXT, profile),
    SN_SEALED(struct sn_access_request, "role_arn", TEXT, role_arn),
    SN_SEALED(struct sn_access_request, "justification", TEXT, justification),
    SN_SEALED(struct sn_access_request, "duration_seconds", INT, duration_s),
    SN_SEALED(struct sn_access_request, "binding", TEXT, binding),
    SN_SEALED_WORD(struct sn_access_request, "status", status_words, status),
    SN_SEALED(struct sn_access_request, "created_at", TIME, created_at_ms),
    SN_SEALED(struct sn_access_request, "updated_at", TIME, updated_at_ms),
    SN_SEALED(struct sn_access_request, "expires_at", TIME, expires_at_ms),
    SN_SEALED(struct sn_access_request, "approvals_required", INT, approvals_required),
    SN_SEALED(struct sn_access_request, "approvals", TEXT, approvals),
    SN_SEALED(struct sn_access_request, "approved_at", TIME, approved_at_ms),
    SN_SEALED(struct sn_access_request, "approver", TEXT, approver),
    SN_SEALED(struct sn_access_request, "approver_arn", TEXT, approver_arn),
    SN_SEALED(struct sn_access_request, "approver_comment", TEXT, approver_comment),
    SN_SEALED(struct sn_access_request, "auto_approved", BOOL, auto_approved),
    SN_SEALED(struct sn_access_request, "decision_rule", TEXT, decision_rule),
    SN_SEALED(struct sn_access_request, "single_use", BOOL, single_use),
    SN_SEALED(struct sn_access_request, "withdrawn_at", TIME, withdrawn_at_ms),
    SN_SEALED(struct sn_access_request, "withdrawn_by", TEXT, withdrawn_by),
    SN_SEALED(struct sn_access_request, "withdrawn_reason", TEXT, withdrawn_reason),
    SN_SEALED(struct sn_access_request, "uses", INT, uses),
    SN_SEALED(struct sn_access_request, "last_used_at", TIME, last_used_at_ms),
    SN_UNSEALED(struct sn_access_request, "ttl", INT, ttl_unix_s),
    SN_UNSEALED(struct sn_access_request, "seal", TEXT, seal),
    {0},
};

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t sn_access_request_window_end_ms(const struct sn_access_request *request)
{
    if (request->status != SN_ACCESS_APPROVED) {
        return 0;
    }
    /* A record that does not say when it was approved gets no more than if that had been at once. */
    int64_t from_ms = request->approved_at_ms != 0 ? request->approved_at_ms : request->created_at_ms;
    return min_ms(request->expires_at_ms, from_ms + request->duration_s * 1000);
}

bool sn_access_request_is_open(const struct sn_access_request *request, int64_t now_ms)
{
    return request->status == SN_ACCESS_APPROVED && request->withdrawn_at_ms == 0 &&
           now_ms < sn_access_request_window_end_ms(request) && !(request->single_use && request->uses > 0);
}

enum sn_access_status sn_access_request_status_at(const struct sn_access_request *request, int64_t now_ms)
{
    return request->status == SN_ACCESS_PENDING && now_ms >= request->expires_at_ms ? SN_ACCESS_EXPIRED
                                                                                    : request->status;
}

/* The instant from which retention counts. */
static int64_t end_ms(const struct sn_access_request *request)
{
    switch (request->status) {
    case SN_ACCESS_PENDING:
        return request->expires_at_ms;
    case SN_ACCESS_APPROVED:
        return request->withdrawn_at_ms != 0 ? request->withdrawn_at_ms : sn_access_request_window_end_ms(request);
    case SN_ACCESS_DENIED:
    case SN_ACCESS_EXPIRED:
    case SN_ACCESS_CANCELLED:
        return request->updated_at_ms;
    }
    SN_ASSERT(false);
    return 0;
}

int64_t sn_access_request_ttl_s(const struct sn_access_request *request, int64_t retention_days)
{
    return (end_ms(request) + 999) / 1000 + retention_days * 86400;
}

static enum sn_status invalid(struct sn_error *err, const struct sn_access_request *request, const char *attribute)
{
    return sn_fail(err, SN_INTERNAL, "RECORD_INVALID", "the stored request 'req-%s' has no usable '%s'",
        request->id.text, attribute);
}

static bool is_decided_by_someone(const struct sn_access_request *r)
{
    return r->status == SN_ACCESS_APPROVED || r->status == SN_ACCESS_DENIED;
}

enum sn_status sn_access_request_check(const struct sn_access_request *r, struct sn_error *err)
{
    struct sn_principal requester;
    struct sn_slice trimmed;
    struct sn_error ignored = {0};
    const struct {
        const char *attribute;
        bool is_good;
    } rules[] = {
        {"id", sn_id_is_valid(sn_id_slice(&r->id))},
        {"rev", r->rev >= 1},
        {"write_id", sn_id_is_valid(sn_id_slice(&r->write_id))},
        {"requester_arn", sn_principal_parse(r->requester_arn, NULL, &requester, &ignored) == SN_OK},
        {"requester", r->requester.len > 0 && sn_slice_eq_str(r->requester, requester.name)},
        {"profile", sn_profile_name_is_valid(r->profile)},
        {"role_arn", r->role_arn.len > 0},
        {"justification", sn_text_check(&sn_text_request_justification, r->justification, &trimmed, &ignored) == SN_OK},
        {"duration_seconds", r->duration_s >= SN_ACCESS_DURATION_MIN_S && r->duration_s <= SN_ACCESS_DURATION_MAX_S},
        {"binding", r->binding.len == SN_BINDING_LEN},
        {"created_at", r->created_at_ms > 0},
        {"updated_at", r->updated_at_ms >= r->created_at_ms},
        {"expires_at", r->expires_at_ms > r->created_at_ms},
        {"approvals_required", r->approvals_required >= 0 && r->approvals_required <= SN_ACCESS_APPROVERS_MAX},
        {"approvals", sn_approvals_are_valid(r->approvals)},
        {"approved_at", (r->approved_at_ms != 0) <= (r->status == SN_ACCESS_APPROVED)},
        {"approver", (r->approver.len > 0) == is_decided_by_someone(r)},
        {"auto_approved", !r->auto_approved || (r->status == SN_ACCESS_APPROVED && r->approvals_required == 0)},
        {"withdrawn_at", (r->withdrawn_at_ms != 0) <= (r->status == SN_ACCESS_APPROVED)},
        {"uses", r->uses >= 0 && (r->uses == 0 || r->status == SN_ACCESS_APPROVED)},
    };

    for (size_t i = 0; i < SN_LEN(rules); i++) {
        if (!rules[i].is_good) {
            return invalid(err, r, rules[i].attribute);
        }
    }
    return SN_OK;
}

void sn_access_request_seal(
    const struct sn_seal_keys *keys, const struct sn_access_request *request, char out[SN_SEAL_MAX + 1])
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_record_canon(&canon, "request", sn_access_request_attributes, request);
    sn_seal_make(keys, &canon, out);
}

bool sn_access_request_seal_is_valid(const struct sn_seal_keys *keys, const struct sn_access_request *request)
{
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};

    sn_record_canon(&canon, "request", sn_access_request_attributes, request);
    return sn_seal_is_valid(keys, &canon, request->seal);
}
