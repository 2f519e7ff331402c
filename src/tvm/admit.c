/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/admit.c - steps 4 and 5: the principal, how far its name is trusted, whether it may use this service at all, and
 * how often.
 */
#include <string.h>

#include "tvm/call.h"

/* --- The server's own identity --- */

static enum sn_status ask_own(struct sn_tvm *tvm, int64_t deadline_mono_ns, struct sn_error *err)
{
    struct sn_caller caller = {0};
    struct sn_principal principal = {0};
    int64_t start = tvm->parts.clock->mono_ns(tvm->parts.clock->ctx);
    enum sn_status status = tvm->parts.sts->own_identity(tvm->parts.sts->ctx, deadline_mono_ns, &caller, err);

    sn_call_note_sts(tvm, SN_STS_OWN_IDENTITY, status == SN_OK, start);
    if (status != SN_OK) {
        return sn_api_translate(err, "IDENTITY_UNAVAILABLE");
    }
    if (sn_principal_parse(sn_slice_str(caller.arn), tvm->partition, &principal, err) != SN_OK) {
        return sn_api_translate(err, "IDENTITY_UNAVAILABLE");
    }
    memcpy(tvm->own.account, principal.account, sizeof(tvm->own.account));
    tvm->own.is_role = tvm->parts.is_lambda || principal.type == SN_PRINCIPAL_ASSUMED_ROLE ||
                       principal.type == SN_PRINCIPAL_FEDERATED_USER;
    tvm->own.known = true;
    return SN_OK;
}

enum sn_status sn_own_identity(struct sn_tvm *tvm, int64_t deadline_mono_ns, char out_account[SN_ACCOUNT_LEN + 1],
    bool *out_is_role, struct sn_error *err)
{
    enum sn_status status = SN_OK;

    sn_turns_take(&tvm->own.turn);
    if (!tvm->own.known) {
        status = ask_own(tvm, deadline_mono_ns, err);
    }
    if (status == SN_OK) {
        memcpy(out_account, tvm->own.account, sizeof(tvm->own.account));
        *out_is_role = tvm->own.is_role;
    }
    sn_turns_give(&tvm->own.turn);
    return status;
}

/* --- Principal and vouching --- */

/* Without a catalogue nobody can tell that the role is no target, so it counts as one. */
static bool is_target_role(void *ctx, const struct sn_principal *principal)
{
    struct sn_call *call = ctx;
    struct sn_error ignored = {0};

    if (sn_call_catalog(call, &ignored) != SN_OK) {
        return true;
    }
    return sn_catalog_has_role(call->catalog, sn_slice_str(principal->account), sn_slice_str(principal->role));
}

static enum sn_status read_principal(struct sn_call *call, struct sn_error *err)
{
    const struct sn_tvm_settings *settings = call->tvm->parts.settings;
    struct sn_vouch_rules rules = {
        .role_globs = settings->vouching_roles.items,
        .role_glob_count = settings->vouching_roles.count,
        .is_target_role = is_target_role,
        .ctx = call,
    };

    if (sn_principal_parse(sn_slice_str(call->caller.arn), call->tvm->partition, &call->principal, err) != SN_OK) {
        return sn_api_translate(err, "INVALID_IDENTITY");
    }
    if (strcmp(call->principal.account, call->caller.account) != 0) {
        return sn_api_fail(err, call->tvm->parts.is_lambda ? "IAM_AUTH_REQUIRED" : "IDENTITY_UNAVAILABLE",
            "the caller's ARN is of another account");
    }
    memcpy(call->principal.user_id, call->caller.user_id, sizeof(call->principal.user_id));
    call->has_principal = true;
    sn_principal_vouch(&call->principal, &rules);
    return SN_OK;
}

/* --- Admission --- */

static bool list_has(const struct sn_tvm_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (sn_slice_eq_str(list->items[i], text)) {
            return true;
        }
    }
    return false;
}

static bool is_trusted_caller(const struct sn_tvm_list *globs, struct sn_slice arn)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (sn_slice_matches_glob(arn, globs->items[i])) {
            return true;
        }
    }
    return globs->count == 0;
}

static bool is_admitted(const struct sn_call *call)
{
    const struct sn_tvm_settings *settings = call->tvm->parts.settings;
    const struct sn_principal *principal = &call->principal;

    if (settings->allowed_accounts.count > 0 ? !list_has(&settings->allowed_accounts, principal->account)
                                             : strcmp(call->own_account, principal->account) != 0) {
        return false;
    }
    if (principal->type == SN_PRINCIPAL_ROOT && !settings->allow_root) {
        return false;
    }
    if (settings->allowed_org_id[0] != '\0' &&
        (call->request->iam == NULL ||
            !sn_slice_eq_str(call->request->iam->principal_org_id, settings->allowed_org_id))) {
        return false;
    }
    return is_trusted_caller(&settings->trusted_callers, sn_slice_str(principal->arn));
}

enum sn_status sn_call_admit(struct sn_call *call, struct sn_error *err)
{
    bool is_role = false;

    SN_TRY(read_principal(call, err));
    SN_TRY(sn_own_identity(call->tvm, call->deadline_mono_ns, call->own_account, &is_role, err));
    if (!is_admitted(call)) {
        return sn_api_fail(err, "CALLER_NOT_ALLOWED", "the caller is not admitted");
    }
    return SN_OK;
}

/* --- Rate limit --- */

/* The part of the user id that a new session name does not change. */
static struct sn_slice stable_id(const struct sn_call *call)
{
    struct sn_slice text = sn_slice_str(call->caller.user_id), before = {0}, after = {0};

    if (text.len == 0) {
        text = sn_slice_str(call->caller.arn);
        sn_slice_cut_last(text, '/', &before, &after);
        return before;
    }
    sn_slice_cut(text, ':', &before, &after);
    return before;
}

static enum sn_limiter_label label_of(enum sn_limiter_bucket bucket)
{
    switch (bucket) {
    case SN_LIMITER_NONE:
    case SN_LIMITER_CALLER:
        return SN_LIMIT_LOCAL;
    case SN_LIMITER_ROLE:
        return SN_LIMIT_ROLE;
    case SN_LIMITER_ACCOUNT:
        return SN_LIMIT_ACCOUNT;
    }
    return SN_LIMIT_LOCAL;
}

enum sn_status sn_call_rate_limit(struct sn_call *call, struct sn_error *err)
{
    enum sn_limiter_bucket bucket = SN_LIMITER_NONE;
    int64_t retry_after_s = 0;

    if (sn_limiter_allow(call->tvm->limiter, sn_slice_str(call->principal.arn), stable_id(call),
            sn_slice_str(call->principal.account), sn_call_mono_ns(call), &retry_after_s, &bucket)) {
        return SN_OK;
    }
    sn_metrics_rate_limited(call->tvm->parts.metrics, label_of(bucket));
    sn_api_fail(err, "RATE_LIMITED", "the caller asks too often");
    err->retry_after_s = retry_after_s > 0 ? (int)retry_after_s : 1;
    return err->status;
}

enum sn_status sn_call_enter(struct sn_call *call, struct sn_error *err)
{
    SN_TRY(sn_call_identify(call, err));
    SN_TRY(sn_call_admit(call, err));
    SN_TRY(sn_call_rate_limit(call, err));
    return SN_OK;
}

bool sn_call_is_operator(const struct sn_call *call)
{
    const struct sn_tvm_list *operators = &call->tvm->parts.settings->operators;

    for (size_t i = 0; i < operators->count; i++) {
        if (sn_principal_matches_entry(&call->principal, operators->items[i], call->own_account)) {
            return true;
        }
    }
    return false;
}
