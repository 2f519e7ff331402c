/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/auth.c - step 3: who asks, by the gateway's word, a proof, or a ticket.
 *
 * On Lambda the gateway's context is the only source; the standalone server has none and takes a proof or a ticket.
 * Nothing else that a client sends is ever read as an identity.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tvm/call.h"

enum { PROOF_LIFE_S = SN_PROOF_SKEW_S + 1 };

static enum sn_status copy_field(char *out, size_t size, struct sn_slice text)
{
    if (text.len >= size) {
        return SN_LIMIT;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return SN_OK;
}

/* --- Lambda --- */

static enum sn_status identify_by_gateway(struct sn_call *call, struct sn_error *err)
{
    const struct sn_iam_context *iam = call->request->iam;
    struct sn_caller *caller = &call->caller;

    if (iam == NULL || iam->account_id.len == 0 || iam->user_arn.len == 0) {
        return sn_api_fail(err, "IAM_AUTH_REQUIRED", "the gateway named no caller");
    }
    if (copy_field(caller->arn, sizeof(caller->arn), iam->user_arn) != SN_OK ||
        copy_field(caller->account, sizeof(caller->account), iam->account_id) != SN_OK ||
        copy_field(caller->user_id, sizeof(caller->user_id), iam->user_id.len > 0 ? iam->user_id : SN_S("")) != SN_OK) {
        return sn_api_fail(err, "INVALID_IDENTITY", "the gateway's caller is longer than any can be");
    }
    return SN_OK;
}

/* --- Tickets --- */

static bool route_takes_ticket(const struct sn_call *call)
{
    return call->request->method == SN_METHOD_GET || call->route->takes_ticket;
}

static enum sn_status identify_by_ticket(struct sn_call *call, struct sn_slice ticket, struct sn_error *err)
{
    struct sn_tvm *tvm = call->tvm;

    if (tvm->parts.settings->ticket_s == 0 || !route_takes_ticket(call) ||
        !sn_tickets_use(
            tvm->tickets, ticket, call->request->peer.connection_id, sn_call_mono_ns(call), &call->caller)) {
        return sn_api_fail(err, "TICKET_INVALID", "a ticket that is not good here");
    }
    return SN_OK;
}

static enum sn_status give_ticket(struct sn_call *call, struct sn_error *err)
{
    const struct sn_tvm_parts *parts = &call->tvm->parts;
    const struct sn_slice *wanted = sn_request_header(call->request, "X-Sentinel-Want-Ticket");
    char text[SN_TICKET_TEXT_LEN + 1];
    bool given = false;

    if (parts->settings->ticket_s == 0 || wanted == NULL || !sn_slice_eq_str(*wanted, "true")) {
        return SN_OK;
    }
    if (sn_tickets_give(call->tvm->tickets, parts->random_source, call->request->peer.connection_id, &call->caller,
            sn_call_mono_ns(call), parts->settings->ticket_s, text, &given, err) != SN_OK) {
        return sn_api_translate(err, "CREDENTIAL_ERROR");
    }
    if (given) {
        sn_response_header(call->response, "X-Sentinel-Ticket", "%s", text);
        sn_response_header(call->response, "X-Sentinel-Ticket-Expires", "%lld", (long long)parts->settings->ticket_s);
    }
    sn_wipe(text, sizeof(text));
    return SN_OK;
}

/* --- Proofs --- */

static void add_challenge(struct sn_call *call, const struct sn_error *err)
{
    if (sn_error_is(err, "PROOF_REQUIRED") || sn_error_is(err, "PROOF_REGION")) {
        sn_response_header(
            call->response, "WWW-Authenticate", "Sentinel region=\"%s\"", call->tvm->parts.settings->region);
    }
}

static enum sn_proof_result result_of(const struct sn_error *err)
{
    if (sn_error_is(err, "PROOF_REPLAYED")) {
        return SN_PROOF_REPLAY;
    }
    if (sn_error_is(err, "PROOF_REJECTED")) {
        return SN_PROOF_REFUSED;
    }
    if (sn_error_is(err, "RATE_LIMITED")) {
        return SN_PROOF_THROTTLED;
    }
    if (sn_error_is(err, "IDENTITY_UNAVAILABLE") || sn_error_is(err, "OVERLOADED") ||
        sn_error_is(err, "UPSTREAM_TIMEOUT")) {
        return SN_PROOF_UNAVAILABLE;
    }
    return SN_PROOF_BAD;
}

/* A hint by what STS said; its text is never shown. */
static void hint_of_rejection(struct sn_call *call, const struct sn_error *err)
{
    static const struct {
        const char *aws_code, *hint;
    } hints[] = {
        {"ExpiredToken", "your AWS session has ended; log in again"},
        {"InvalidClientTokenId", "the access key is deleted, inactive or of another partition"},
        {"SignatureDoesNotMatch", "the secret key is wrong, or the request was changed on its way"},
    };

    for (size_t i = 0; i < err->detail_count; i++) {
        for (size_t k = 0; k < SN_LEN(hints) && strcmp(err->details[i].key, "aws_code") == 0; k++) {
            if (strcmp(err->details[i].value, hints[k].aws_code) == 0) {
                call->words.hint = sn_slice_str(hints[k].hint);
                call->words.has_hint = true;
            }
        }
    }
}

/* Asks STS. The proof has been entered as running; it stays spent only when STS accepts it. */
static enum sn_status ask_sts(struct sn_call *call, struct sn_error *err)
{
    struct sn_tvm *tvm = call->tvm;
    int64_t start = sn_call_mono_ns(call);
    enum sn_status status =
        tvm->parts.sts->verify_proof(tvm->parts.sts->ctx, &call->proof, call->deadline_mono_ns, &call->caller, err);

    if (call->request->release_gate != NULL) {
        call->request->release_gate(call->request->release_ctx);
    }
    /* A refused proof is no fault of STS. */
    sn_call_note_sts(tvm, SN_STS_VERIFY_PROOF, status == SN_OK || sn_error_is(err, "PROOF_REJECTED"), start);
    if (status == SN_OK) {
        return SN_OK;
    }
    sn_replay_forget(tvm->replay, call->proof.signature_bytes);
    if (sn_error_is(err, "PROOF_REJECTED")) {
        hint_of_rejection(call, err);
        return status;
    }
    for (size_t i = 0; i < err->detail_count; i++) {
        if (strcmp(err->details[i].key, "answer") == 0) {
            sn_log_error_of(SN_LOG_ERROR, "proof.answer_invalid", "STS answered a proof with what is no answer", err,
                SN_LOG_FIELDS(SN_STR("request_id", call->id.text)));
        }
    }
    return sn_api_translate(err, "IDENTITY_UNAVAILABLE");
}

/* Checks 1 to 9 in their order, then STS. */
static enum sn_status verify(struct sn_call *call, struct sn_error *err)
{
    struct sn_tvm *tvm = call->tvm;
    struct sn_proof_rules rules = {
        .region = sn_slice_str(tvm->parts.settings->region),
        .audiences = tvm->parts.audiences,
        .audience_count = tvm->parts.audience_count,
        .now_unix_s = call->unix_ms / 1000,
    };
    int64_t retry_after_s = 0;

    SN_TRY(sn_proof_check(call->request, &rules, &call->proof, err));
    switch (sn_replay_begin(
        tvm->replay, call->proof.signature_bytes, call->proof.unix_s + PROOF_LIFE_S, rules.now_unix_s)) {
    case SN_REPLAY_SEEN:
        return sn_api_fail(err, "PROOF_REPLAYED", "the proof was used before");
    case SN_REPLAY_FULL:
        return sn_api_fail(err, "OVERLOADED", "the replay cache is full");
    case SN_REPLAY_NEW:
        break;
    }
    if (!sn_failures_may_ask(tvm->failures, &call->request->peer, sn_call_mono_ns(call), &retry_after_s)) {
        sn_replay_forget(tvm->replay, call->proof.signature_bytes);
        sn_api_fail(err, "RATE_LIMITED", "too many failed proofs from this address");
        err->retry_after_s = (int)retry_after_s;
        return err->status;
    }
    return ask_sts(call, err);
}

static enum sn_status identify_by_proof(struct sn_call *call, struct sn_error *err)
{
    struct sn_tvm *tvm = call->tvm;
    enum sn_status status = verify(call, err);

    sn_metrics_proof(tvm->parts.metrics, status == SN_OK ? SN_PROOF_ACCEPTED : result_of(err));
    if (status != SN_OK) {
        enum sn_proof_result result = result_of(err);
        add_challenge(call, err);
        if (!sn_error_is(err, "PROOF_REQUIRED") && result != SN_PROOF_UNAVAILABLE && result != SN_PROOF_THROTTLED) {
            sn_failures_add(tvm->failures, &call->request->peer, sn_call_mono_ns(call));
        }
        return status;
    }
    call->has_proof = true;
    return give_ticket(call, err);
}

enum sn_status sn_call_identify(struct sn_call *call, struct sn_error *err)
{
    const struct sn_slice *authorization = sn_request_header(call->request, "Authorization");

    if (call->tvm->parts.is_lambda) {
        return identify_by_gateway(call, err);
    }
    if (authorization != NULL && sn_slice_has_prefix(*authorization, SN_S("Sentinel-Ticket "))) {
        return identify_by_ticket(call, sn_slice_sub(*authorization, 16, authorization->len), err);
    }
    return identify_by_proof(call, err);
}
