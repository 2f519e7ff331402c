/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/tvm.c - the handler: accepts a request, routes it, and turns whatever comes back into one answer.
 *
 * Step 1 of the pipeline is here (id drawn, clock read once) and the one place where an error becomes a response.
 */
#include "tvm/tvm.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "base/alloc.h"
#include "base/log.h"
#include "codec/uri.h"
#include "tvm/call.h"
#include "tvm/signed_documents.h"

/* --- Life --- */

/* The base paths under which clients reach the server, the longest first, and the root for what names none. */
static enum sn_status read_base_paths(struct sn_tvm *tvm, struct sn_error *err)
{
    for (size_t i = 0; i < tvm->parts.audience_count; i++) {
        struct sn_url url = {0};
        SN_TRY(sn_url_parse(tvm->parts.audiences[i], &tvm->arena, &url, err));
        struct sn_slice base = sn_slice_eq_str(url.scheme, "unix") ? SN_S("") : url.path;
        bool known = false;
        for (size_t k = 0; k < tvm->base_path_count; k++) {
            known = known || sn_slice_eq(tvm->base_paths[k], base);
        }
        if (known) {
            continue;
        }
        if (tvm->base_path_count == SN_BASE_PATHS_MAX) {
            return sn_fail(err, SN_LIMIT, "INVALID_SETTING", "SENTINEL_PUBLIC_URL: too many different paths");
        }
        size_t place = tvm->base_path_count++;
        for (; place > 0 && tvm->base_paths[place - 1].len < base.len; place--) {
            tvm->base_paths[place] = tvm->base_paths[place - 1];
        }
        tvm->base_paths[place] = base;
    }
    if (tvm->base_path_count == 0 || tvm->base_paths[tvm->base_path_count - 1].len > 0) {
        if (tvm->base_path_count < SN_BASE_PATHS_MAX) {
            tvm->base_paths[tvm->base_path_count++] = SN_S(""); /* health checks name no path */
        }
    }
    return SN_OK;
}

enum sn_status sn_tvm_new(const struct sn_tvm_parts *parts, struct sn_tvm **out_tvm, struct sn_error *err)
{
    SN_AUTO(sn_tvm_free_p) struct sn_tvm *tvm = sn_alloc(1, sizeof(*tvm));
    uint64_t seed = 0;

    tvm->parts = *parts;
    sn_turns_init(&tvm->own.turn, 1);
    sn_turns_init(&tvm->ready.turn, 1);
    atomic_store(&tvm->latest_unix_ms, parts->not_before_unix_ms);
    tvm->partition = sn_partition_of_region(sn_slice_str(parts->settings->region));
    tvm->limiter = sn_limiter_new(parts->settings->rate_limit_requests, parts->settings->rate_limit_window_s);
    SN_TRY(sn_id_new(parts->random_source, &tvm->instance_id, err));
    SN_TRY(read_base_paths(tvm, err));
    if (!parts->is_lambda) {
        SN_TRY(sn_random_fill(parts->random_source, &seed, sizeof(seed), err));
        tvm->replay = sn_replay_new((size_t)parts->settings->replay_entries, seed, parts->not_before_unix_ms / 1000);
        tvm->failures = sn_failures_new();
        tvm->tickets = sn_tickets_new();
    }
    *out_tvm = SN_TAKE(tvm);
    return SN_OK;
}

void sn_tvm_free(struct sn_tvm *tvm)
{
    if (tvm == NULL) {
        return;
    }
    sn_limiter_free(tvm->limiter);
    sn_replay_free(tvm->replay);
    sn_failures_free(tvm->failures);
    sn_tickets_free(tvm->tickets);
    sn_turns_clear(&tvm->own.turn);
    sn_turns_clear(&tvm->ready.turn);
    sn_arena_clear(&tvm->arena);
    sn_free(tvm);
}

void sn_tvm_free_p(struct sn_tvm **tvm)
{
    sn_tvm_free(*tvm);
    *tvm = NULL;
}

/* --- What calls share --- */

int64_t sn_call_mono_ns(const struct sn_call *call)
{
    const struct sn_clock *clock = call->tvm->parts.clock;

    return clock->mono_ns(clock->ctx);
}

void sn_call_note_sts(struct sn_tvm *tvm, enum sn_sts_action action, bool ok, int64_t start_mono_ns)
{
    int64_t now = tvm->parts.clock->mono_ns(tvm->parts.clock->ctx);

    sn_metrics_sts(tvm->parts.metrics, action, ok, now - start_mono_ns);
    atomic_store(&tvm->sts_ok, ok);
    atomic_store(&tvm->sts_call_mono_ns, now != 0 ? now : 1);
}

enum sn_status sn_call_catalog(struct sn_call *call, struct sn_error *err)
{
    const struct sn_tvm_documents *documents = call->tvm->parts.documents;

    if (call->catalog != NULL) {
        return SN_OK;
    }
    if (documents->catalog(documents->ctx, &call->catalog, err) == SN_OK) {
        return SN_OK;
    }
    return sn_api_translate(err, sn_document_is_bad(err) ? "POLICY_ERROR" : "CONFIG_ERROR");
}

/* --- One call --- */

/* Instants for which calls were judged never run backwards by more than the wall clock itself does. */
static void note_instant(struct sn_tvm *tvm, int64_t unix_ms)
{
    int64_t latest = atomic_load(&tvm->latest_unix_ms);

    while (unix_ms > latest && !atomic_compare_exchange_weak(&tvm->latest_unix_ms, &latest, unix_ms)) {
    }
}

/* Step 1. */
static enum sn_status accept_call(struct sn_call *call, struct sn_error *err)
{
    const struct sn_tvm_parts *parts = &call->tvm->parts;

    call->start_mono_ns = sn_call_mono_ns(call);
    call->deadline_mono_ns = call->start_mono_ns + (int64_t)SN_CALL_MAX_MS * 1000000;
    if (call->request->deadline_mono_ns != 0 && call->request->deadline_mono_ns < call->deadline_mono_ns) {
        call->deadline_mono_ns = call->request->deadline_mono_ns;
    }
    call->unix_ms = sn_clock_unix_ms(parts->clock);
    note_instant(call->tvm, call->unix_ms);
    if (sn_id_new(parts->random_source, &call->id, err) != SN_OK) {
        return sn_api_translate(err, "CREDENTIAL_ERROR");
    }
    call->has_id = true;
    sn_response_header(call->response, "X-Sentinel-Request-Id", "%s", call->id.text);
    return SN_OK;
}

static void log_refusal(const struct sn_call *call, const struct sn_error *err, int status)
{
    const struct sn_peer *peer = &call->request->peer;
    char from[96];

    /* A Unix peer's ids are told here and are an identity nowhere. */
    if (peer->is_unix) {
        snprintf(from, sizeof(from), "unix uid %lld pid %lld", (long long)peer->uid, (long long)peer->pid);
    } else {
        snprintf(from, sizeof(from), "%s", peer->address);
    }
    enum sn_log_level level = status >= 500 ? SN_LOG_ERROR : status == 401 || status == 403 ? SN_LOG_WARN : SN_LOG_INFO;

    sn_log_error_of(level, "request.refused", "request refused", err,
        SN_LOG_FIELDS(SN_STR("request_id", call->has_id ? call->id.text : ""),
            SN_STR("route", sn_route_names[sn_route_index(call->route)]), SN_STR("caller", call->caller.arn),
            SN_STR("peer", from), SN_INT("status", status)));
}

/* The one place where an error becomes an answer. */
static size_t respond_error(struct sn_call *call, const struct sn_error *err)
{
    const struct sn_api_error *entry = sn_api_error_find(err->code);

    call->words.request_id = call->has_id ? sn_id_slice(&call->id) : SN_S("");
    sn_api_respond(err, &call->words, call->response);
    log_refusal(call, err, entry->status);
    return 1 + sn_api_error_index(entry);
}

static enum sn_status run(struct sn_call *call, struct sn_error *err)
{
    SN_TRY(accept_call(call, err));
    SN_TRY(sn_call_route(call, err));
    SN_TRY(call->route->handle(call, err));
    if (sn_buf_check(&call->response->body, "the answer", err) != SN_OK) {
        return sn_api_translate(err, "MARSHAL_ERROR");
    }
    return SN_OK;
}

void sn_tvm_handle(struct sn_tvm *tvm, const struct sn_request *request, struct sn_response *response)
{
    struct sn_call call = {.tvm = tvm, .request = request, .response = response};
    struct sn_error err = {0};
    size_t code_index = 0;

    response->status = 200;
    if (run(&call, &err) != SN_OK) {
        code_index = respond_error(&call, &err);
    }
    sn_metrics_request(
        tvm->parts.metrics, sn_route_index(call.route), code_index, sn_call_mono_ns(&call) - call.start_mono_ns);
    sn_catalog_unref(call.catalog);
    sn_arena_clear(&call.arena);
}

void sn_tvm_refuse(void *tvm, int status, const char *code, const char *message, struct sn_response *response)
{
    struct sn_tvm *self = tvm;
    struct sn_error err = {0}, id_err = {0};
    struct sn_api_words words = {0};
    struct sn_id id = {0};

    sn_api_fail(&err, code, "%s", message);
    if (sn_id_new(self->parts.random_source, &id, &id_err) == SN_OK) {
        words.request_id = sn_id_slice(&id);
        sn_response_header(response, "X-Sentinel-Request-Id", "%s", id.text);
    }
    sn_api_respond(&err, &words, response);
    response->status = status;
    sn_metrics_request(self->parts.metrics, sn_route_count, 1 + sn_api_error_index(sn_api_error_find(err.code)), 0);
}
