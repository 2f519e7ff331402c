/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/vend_issue.c - steps 13 to 16 and 18: revocation, the session row, AssumeRole.
 */
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "tvm/vend.h"

enum {
    PROOF_LIFE_S = SN_PROOF_SKEW_S + 1,
    EXPIRY_TOLERANCE_MS = 2000,
    FRESH_READS_MAX = 3,
    TAGS_MAX = 50,
    DAY_S = 86400,
    STS_CAP_S = 10, /* of one AssumeRole, retries included */
};
static const int64_t fresh_ns = INT64_C(3) * 1000000000;

/* --- 13 and 18: block markers --- */

/* The ids of all markers that could apply to this caller, profile and device; at most 8. */
static size_t marker_ids(struct sn_call *call, const struct sn_vend *vend, struct sn_slice ids[SN_BLOCK_MARKERS_MAX])
{
    const struct sn_principal *principal = &call->principal;
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    char hash[SN_SHA256_HEX_LEN + 1];
    struct sn_arena *arena = &call->arena;
    size_t count = 0;

    sn_sha256_hex(sn_slice_str(principal->arn), hash);
    sn_principal_person_key(&key, principal, true);
    ids[count++] = sn_arena_printf(arena, "block#person#%s#%.*s", sn_buf_str(&key), SN_PRI(vend->profile_name));
    ids[count++] = sn_arena_printf(arena, "block#person#%s#*", sn_buf_str(&key));
    if (sn_principal_matches_entry(principal, sn_slice_str(principal->name), call->own_account)) {
        ids[count++] = sn_arena_printf(arena, "block#name#%s#%.*s", principal->name, SN_PRI(vend->profile_name));
        ids[count++] = sn_arena_printf(arena, "block#name#%s#*", principal->name);
    }
    if (principal->type == SN_PRINCIPAL_ASSUMED_ROLE) {
        ids[count++] =
            sn_arena_printf(arena, "block#role#%s#%.*s#%c", principal->role, SN_PRI(vend->profile_name), hash[0]);
        ids[count++] = sn_arena_printf(arena, "block#role#%s#*#%c", principal->role, hash[0]);
    }
    ids[count++] = sn_arena_printf(arena, "block#profile#%.*s#%c", SN_PRI(vend->profile_name), hash[0]);
    if (vend->device_id.len > 0) {
        ids[count++] = sn_arena_printf(arena, "block#device#%.*s", SN_PRI(vend->device_id));
    }
    SN_ASSERT(count <= SN_BLOCK_MARKERS_MAX);
    return count;
}

static void note_store(struct sn_call *call, enum sn_store_op op, bool ok, int64_t start_mono_ns)
{
    sn_metrics_store(call->tvm->parts.metrics, op, ok, sn_call_mono_ns(call) - start_mono_ns);
}

static enum sn_status refuse_blocked(struct sn_vend *vend, struct sn_error *err)
{
    vend->record_reason = "access revoked";
    return sn_api_fail(err, "SESSION_REVOKED", "a block marker is in force");
}

static struct sn_block_query query_of(
    struct sn_call *call, const struct sn_vend *vend, struct sn_slice ids[SN_BLOCK_MARKERS_MAX])
{
    size_t count = marker_ids(call, vend, ids);

    return (struct sn_block_query){ids, count, sn_clock_unix_ms(call->tvm->parts.clock)};
}

enum sn_status sn_vend_check_blocks(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    const struct sn_session_store *store = call->tvm->parts.store;
    struct sn_slice ids[SN_BLOCK_MARKERS_MAX];
    struct sn_block_query blocks = query_of(call, vend, ids);
    bool is_blocked = true;
    int64_t start = sn_call_mono_ns(call);
    enum sn_status status = store->is_blocked(store->ctx, blocks.ids, blocks.count, blocks.now_ms, &is_blocked, err);

    note_store(call, SN_STORE_BLOCKS, status == SN_OK, start);
    if (status != SN_OK) {
        return sn_api_translate(err, "SESSION_UNAVAILABLE");
    }
    return is_blocked ? refuse_blocked(vend, err) : SN_OK;
}

/* --- 13 and 14: row --- */

static void fill_row(struct sn_call *call, struct sn_vend *vend)
{
    const struct sn_tvm *tvm = call->tvm;
    const struct sn_principal *principal = &call->principal;
    int64_t now_ms = call->unix_ms;
    int64_t retention_s = tvm->parts.settings->record_retention_days * DAY_S;

    sn_stamp_source_identity(principal, vend->kind, &call->id, vend->source_identity);
    sn_stamp_session_name(principal, &call->id, vend->session_name);
    vend->session = (struct sn_session){
        .id = call->id,
        .rev = 1,
        .user = sn_slice_str(principal->name),
        .account = sn_slice_str(principal->account),
        .caller_type = sn_slice_str(sn_principal_type_name(principal->type)),
        .caller_role = sn_slice_str(principal->role),
        .caller_arn = sn_slice_str(principal->arn),
        .vouched = principal->vouched,
        .profile = vend->profile_name,
        .role_arn = vend->profile->role_arn,
        .kind = vend->kind,
        .grant_id = vend->has_grant ? vend->grant.id : SN_S(""),
        .source_identity = sn_slice_str(vend->source_identity),
        .server_instance_id = tvm->instance_id,
        .status = SN_SESSION_ACTIVE,
        .started_at_ms = now_ms,
        .last_access_at_ms = now_ms,
        .created_at_ms = now_ms,
        .updated_at_ms = now_ms,
        .expires_at_ms = vend->expires_ms,
        .keys_expire_at_ms = now_ms + vend->duration.sts_seconds * 1000,
        .request_count = 1,
        .device_id = vend->device_id,
        .ttl_unix_s = vend->expires_ms / 1000 + retention_s,
    };
}

static void seal_row(struct sn_call *call, struct sn_vend *vend)
{
    sn_session_seal(call->tvm->parts.seal_keys, &vend->session, vend->seal);
    vend->session.seal = sn_slice_str(vend->seal);
}

enum sn_status sn_vend_write_row(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    struct sn_spent_proof spent = {.expires_unix_s = call->proof.unix_s + PROOF_LIFE_S};
    struct sn_slice ids[SN_BLOCK_MARKERS_MAX];
    struct sn_block_query blocks = query_of(call, vend, ids);
    bool is_blocked = true;
    int64_t start = sn_call_mono_ns(call);

    fill_row(call, vend);
    seal_row(call, vend);
    memcpy(spent.key, call->proof.signature_bytes, sizeof(spent.key));
    enum sn_status status = sn_session_store_admit(
        call->tvm->parts.store, &blocks, &vend->session, call->has_proof ? &spent : NULL, &is_blocked, err);
    note_store(call, SN_STORE_CREATE, status == SN_OK, start);
    if (status == SN_OK && is_blocked) {
        return refuse_blocked(vend, err);
    }
    if (status == SN_OK) {
        vend->blocks_read_mono_ns = start;
        vend->has_row = true;
        return SN_OK;
    }
    if (sn_error_is(err, "PROOF_REPLAYED")) {
        vend->record_reason = "identity proof was used before";
        return sn_api_translate(err, "PROOF_REPLAYED");
    }
    return sn_api_translate(err, sn_error_is(err, "ID_TAKEN") ? "CREDENTIAL_ERROR" : "SESSION_UNAVAILABLE");
}

/* Writes the row again under the next revision. */
static enum sn_status update_row(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    const struct sn_session_store *store = call->tvm->parts.store;
    int64_t start = sn_call_mono_ns(call);
    int64_t expected_rev = vend->session.rev++;

    vend->session.updated_at_ms = sn_clock_unix_ms(call->tvm->parts.clock);
    seal_row(call, vend);
    enum sn_status status = store->update(store->ctx, &vend->session, expected_rev, err);
    note_store(call, SN_STORE_UPDATE, status == SN_OK, start);
    return status;
}

void sn_vend_end_row(struct sn_call *call, struct sn_vend *vend, enum sn_session_status status)
{
    struct sn_error err = {0};

    vend->session.status = status;
    if (status == SN_SESSION_REVOKED) {
        vend->session.revoked_reason = SN_S("access revoked while the credentials were being issued");
        vend->session.revoked_at_ms = sn_clock_unix_ms(call->tvm->parts.clock);
    }
    if (update_row(call, vend, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_WARN, "session.end_failed", "the row of a failed issue still says active", &err,
            SN_LOG_FIELDS(SN_STR("request_id", call->id.text)));
    }
}

/* --- 15: AssumeRole --- */

static enum sn_status call_sts(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    const struct sn_tvm_sts *sts = call->tvm->parts.sts;
    const struct sn_profile *profile = vend->profile;
    struct sn_slice keys[TAGS_MAX] = {SN_S("SentinelSessionID")}, values[TAGS_MAX] = {sn_id_slice(&call->id)};
    size_t count = 1;
    int64_t start = sn_call_mono_ns(call), cap = start + (int64_t)STS_CAP_S * 1000000000;

    if (vend->has_grant) {
        keys[count] = SN_S("SentinelGrantID");
        values[count++] = vend->grant.id;
    }
    for (size_t i = 0; i < profile->tag_count; i++) {
        SN_ASSERT(count < TAGS_MAX); /* the catalogue holds at most 48 */
        keys[count] = profile->tags[i].key;
        values[count++] = profile->tags[i].value;
    }
    struct sn_assume_role input = {
        .role_arn = profile->role_arn,
        .session_name = sn_slice_str(vend->session_name),
        .source_identity = sn_slice_str(vend->source_identity),
        .external_id = profile->external_id,
        .policy = vend->duration.needs_deadline ? sn_buf_slice(&vend->session_policy) : profile->session_policy,
        .duration_s = vend->duration.sts_seconds,
        .policy_arns = profile->policy_arns,
        .policy_arn_count = profile->policy_arn_count,
        .tag_keys = keys,
        .tag_values = values,
        .tag_count = count,
    };
    enum sn_status status = sts->assume_role(
        sts->ctx, &input, cap < call->deadline_mono_ns ? cap : call->deadline_mono_ns, &vend->role, err);
    sn_call_note_sts(call->tvm, SN_STS_ASSUME_ROLE, status == SN_OK, start);
    return status;
}

enum sn_status sn_vend_assume_role(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    if (call_sts(call, vend, err) != SN_OK) {
        /* Past the limit of this one call, or past the end of the request: either way STS has not answered. */
        bool is_late = err->status == SN_TIMEOUT || sn_call_mono_ns(call) >= call->deadline_mono_ns;
        vend->record_reason = "credentials could not be issued";
        return sn_api_translate(err, is_late ? "UPSTREAM_TIMEOUT" : "CREDENTIAL_ERROR");
    }
    return SN_OK;
}

/* --- 16 --- */

void sn_vend_correct_row(struct sn_call *call, struct sn_vend *vend)
{
    struct sn_error err = {0};
    int64_t given_ms = vend->role.credentials.expires_unix_s * 1000;
    int64_t off_ms = given_ms - vend->session.keys_expire_at_ms;

    if (!vend->duration.needs_deadline) {
        vend->expires_ms = given_ms;
    }
    if (off_ms <= EXPIRY_TOLERANCE_MS && off_ms >= -EXPIRY_TOLERANCE_MS) {
        return;
    }
    vend->session.keys_expire_at_ms = given_ms;
    vend->session.expires_at_ms = vend->expires_ms;
    vend->session.ttl_unix_s = vend->expires_ms / 1000 + call->tvm->parts.settings->record_retention_days * DAY_S;
    if (update_row(call, vend, &err) != SN_OK) {
        vend->session.rev--;
        sn_log_error_of(SN_LOG_WARN, "session.correct_failed", "the row keeps the planned end of the session", &err,
            SN_LOG_FIELDS(SN_STR("request_id", call->id.text)));
    }
}

/* --- 18 --- */

/* Markers and the own row, at one moment. */
static enum sn_status look_again(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    struct sn_slice ids[SN_BLOCK_MARKERS_MAX];
    struct sn_block_query blocks = query_of(call, vend, ids);
    struct sn_session row = {0};
    bool is_blocked = true;
    int64_t start = sn_call_mono_ns(call);
    enum sn_status status =
        sn_session_store_look(call->tvm->parts.store, &blocks, &call->id, &call->arena, &is_blocked, &row, err);

    note_store(call, SN_STORE_LOOK, status == SN_OK, start);
    if (status != SN_OK) {
        return sn_api_translate(err, "SESSION_UNAVAILABLE");
    }
    if (is_blocked) {
        return refuse_blocked(vend, err);
    }
    if (row.status != SN_SESSION_ACTIVE || !sn_session_seal_is_valid(call->tvm->parts.seal_keys, &row)) {
        vend->has_row = false; /* somebody else ended it; nothing is left for us to end */
        return sn_api_fail(err, "SESSION_REVOKED", "the session was ended while it was being issued");
    }
    vend->blocks_read_mono_ns = start;
    return SN_OK;
}

enum sn_status sn_vend_check_freshness(struct sn_call *call, struct sn_vend *vend, struct sn_error *err)
{
    bool is_sqlite = strcmp(call->tvm->parts.settings->store, "sqlite") == 0;
    enum sn_status status = SN_OK;

    if (!is_sqlite && sn_call_mono_ns(call) - vend->blocks_read_mono_ns <= fresh_ns) {
        return SN_OK;
    }
    for (int i = 0; i < FRESH_READS_MAX && status == SN_OK; i++) {
        status = look_again(call, vend, err);
        if (status == SN_OK && sn_call_mono_ns(call) - vend->blocks_read_mono_ns <= fresh_ns) {
            return SN_OK;
        }
    }
    if (status == SN_OK) {
        status = sn_api_fail(err, "SESSION_UNAVAILABLE", "the store is too slow to tell whether access was revoked");
    }
    sn_vend_record_undelivered(call, sn_error_is(err, "SESSION_REVOKED") ? "revoked" : "unavailable");
    return status;
}
