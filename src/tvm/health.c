/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/health.c - GET /healthz, /readyz and /metrics: no identity, no secret, no detail.
 */
#include <string.h>

#include "base/log.h"
#include "codec/json.h"
#include "tvm/vend.h"

enum {
    STUCK_S = 30,     /* no progress for so long is a failure */
    STS_QUIET_S = 60, /* then readyz asks STS itself */
    CLOCK_BEHIND_MAX_MS = 60000,
    READY_POLICIES_MAX = 256,
    READY_STS_MS = 3000,
};

/* --- /healthz --- */

enum sn_status sn_handle_healthz(struct sn_call *call, struct sn_error *err)
{
    const struct sn_tvm_probes *probes = call->tvm->parts.probes;
    bool is_alive = true;

    (void)err;
    if (probes != NULL && probes->last_progress_mono_ns != NULL) {
        int64_t last = probes->last_progress_mono_ns(probes->ctx);
        is_alive = sn_call_mono_ns(call) - last < (int64_t)STUCK_S * 1000000000;
    }
    call->response->status = is_alive ? 200 : 503;
    sn_buf_add_str(&call->response->body, is_alive ? "{\"status\":\"ok\"}" : "{\"status\":\"failed\"}");
    return SN_OK;
}

/* --- /readyz --- */

static bool check_store(struct sn_call *call)
{
    const struct sn_session_store *store = call->tvm->parts.store;
    struct sn_error err = {0};
    int64_t start = sn_call_mono_ns(call);
    bool ok = store->ping(store->ctx, &err) == SN_OK;

    sn_metrics_store(call->tvm->parts.metrics, SN_STORE_PING, ok, sn_call_mono_ns(call) - start);
    if (!ok) {
        sn_log_error_of(SN_LOG_ERROR, "ready.store", "the store does not answer", &err, SN_LOG_FIELDS());
    }
    return ok;
}

static bool check_catalogue(struct sn_call *call)
{
    struct sn_error err = {0};

    if (sn_call_catalog(call, &err) == SN_OK) {
        return true;
    }
    sn_log_error_of(SN_LOG_ERROR, "ready.catalogue", "the catalogue does not load", &err, SN_LOG_FIELDS());
    return false;
}

/* Every policy that governs a profile must load; the first that does not is enough. */
static bool check_policies(struct sn_call *call)
{
    bool ok = call->catalog != NULL;
    size_t count = ok ? sn_catalog_count(call->catalog) : 0;

    for (size_t i = 0; i < count && i < READY_POLICIES_MAX && ok; i++) {
        SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
        struct sn_error err = {0};
        struct sn_document_origin origin;
        const struct sn_profile *profile = sn_catalog_at(call->catalog, i);
        if (sn_call_policy(call, profile->name, &policy, &origin, &err) != SN_OK) {
            sn_log_error_of(SN_LOG_ERROR, "ready.policy", "a policy does not load", &err,
                SN_LOG_FIELDS(SN_TEXT("profile", profile->name)));
            ok = false;
        }
    }
    return ok;
}

/* What the last call of STS said, or a call of our own when there was none for a while. */
static bool check_sts(struct sn_call *call)
{
    struct sn_tvm *tvm = call->tvm;
    int64_t last = atomic_load(&tvm->sts_call_mono_ns), now = sn_call_mono_ns(call);
    struct sn_caller caller = {0};
    struct sn_error err = {0};

    if (last != 0 && now - last < (int64_t)STS_QUIET_S * 1000000000) {
        return atomic_load(&tvm->sts_ok);
    }
    bool ok = tvm->parts.sts->own_identity(tvm->parts.sts->ctx, now + (int64_t)READY_STS_MS * 1000000, &caller, &err) ==
              SN_OK;
    sn_call_note_sts(tvm, SN_STS_OWN_IDENTITY, ok, now);
    if (!ok) {
        sn_log_error_of(SN_LOG_ERROR, "ready.sts", "STS does not answer", &err, SN_LOG_FIELDS());
    }
    return ok;
}

static bool check_clock(struct sn_call *call)
{
    int64_t behind_ms = atomic_load(&call->tvm->latest_unix_ms) - call->unix_ms;

    if (behind_ms > CLOCK_BEHIND_MAX_MS) {
        sn_log_error(
            "clock.stepped_back", "the wall clock is behind an instant already used", SN_INT("behind_ms", behind_ms));
        return false;
    }
    return true;
}

/* Fresh results at most every five seconds, however many ask. */
static struct sn_ready_state check_all(struct sn_call *call)
{
    struct sn_tvm *tvm = call->tvm;
    struct sn_ready_state *state = &tvm->ready;

    sn_turns_take(&state->turn);
    if (!state->known || sn_call_mono_ns(call) - state->checked_mono_ns >= (int64_t)SN_READY_REUSE_MS * 1000000) {
        state->store = check_store(call);
        state->catalogue = check_catalogue(call);
        state->policy = check_policies(call);
        state->sts = check_sts(call);
        state->clock = check_clock(call);
        state->audit = tvm->parts.audit->is_healthy(tvm->parts.audit->ctx);
        state->checked_mono_ns = sn_call_mono_ns(call);
        state->known = true;
    }
    struct sn_ready_state copy = *state;
    sn_turns_give(&state->turn);
    return copy;
}

static const char *word(bool ok)
{
    return ok ? "ok" : "failed";
}

enum sn_status sn_handle_readyz(struct sn_call *call, struct sn_error *err)
{
    const struct sn_tvm_probes *probes = call->tvm->parts.probes;
    struct sn_ready_state state = check_all(call);
    bool is_ready = state.store && state.audit && state.catalogue && state.policy && state.sts && state.clock;
    bool is_draining = probes != NULL && probes->is_draining != NULL && probes->is_draining(probes->ctx);
    struct sn_json_writer w;

    (void)err;
    call->response->status = is_ready && !is_draining ? 200 : 503;
    sn_json_writer_init(&w, &call->response->body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "status", is_draining ? "draining" : is_ready ? "ready" : "not_ready");
    sn_json_key(&w, "checks");
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "store", word(state.store));
    sn_json_member_str(&w, "audit", word(state.audit));
    sn_json_member_str(&w, "catalogue", word(state.catalogue));
    sn_json_member_str(&w, "policy", word(state.policy));
    sn_json_member_str(&w, "sts", word(state.sts));
    sn_json_member_str(&w, "clock", word(state.clock));
    sn_json_end_object(&w);
    sn_json_end_object(&w);
    return SN_OK;
}

/* --- /metrics --- */

/* "127.x.y.z", "[::1]" or "localhost", with or without a port. */
static bool is_loopback_host(struct sn_slice host)
{
    struct sn_slice before = {0}, after = {0};

    if (host.len > 0 && host.ptr[host.len - 1] != ']' && sn_slice_cut_last(host, ':', &before, &after)) {
        host = before;
    }
    return sn_slice_eq_str(host, "localhost") || sn_slice_eq_str(host, "[::1]") ||
           (sn_slice_has_prefix(host, SN_S("127.")) && sn_slice_is_alnum_or(host, "."));
}

/* A proxy on this host must not publish the metrics of the main listeners. */
static bool may_see_metrics(const struct sn_request *request)
{
    const struct sn_slice *host = sn_request_header(request, "Host");

    if (request->is_metrics_listener) {
        return true;
    }
    if (!request->peer.is_loopback || host == NULL || !is_loopback_host(*host)) {
        return false;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        struct sn_slice name = request->headers[i].name;
        if (sn_slice_eq_nocase(name, SN_S("Forwarded")) || sn_slice_eq_nocase(name, SN_S("Via")) ||
            sn_slice_eq_nocase(sn_slice_sub(name, 0, 12), SN_S("X-Forwarded-"))) {
            return false;
        }
    }
    return true;
}

enum sn_status sn_handle_metrics(struct sn_call *call, struct sn_error *err)
{
    struct sn_tvm *tvm = call->tvm;
    const struct sn_tvm_probes *probes = tvm->parts.probes;

    if (!may_see_metrics(call->request)) {
        return sn_api_fail(err, "NOT_FOUND", "metrics asked for from elsewhere");
    }
    struct sn_metrics_gauges gauges = {
        .form = tvm->parts.is_lambda ? "lambda" : "standalone",
        .route_names = sn_route_names,
        .route_count = sn_route_count + 1,
        .replay_entries = sn_replay_count(tvm->replay),
        .tickets = sn_tickets_count(tvm->tickets),
        .now_mono_ns = sn_call_mono_ns(call),
    };
    sn_metrics_format(tvm->parts.metrics, &gauges, &call->response->body);
    if (probes != NULL && probes->add_metrics != NULL) {
        probes->add_metrics(probes->ctx, &call->response->body);
    }
    call->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return SN_OK;
}
