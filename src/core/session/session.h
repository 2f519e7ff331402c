/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/session/session.h - one issuance: its row, the caps on its length, and what the store must be able to do.
 *
 * The row's seal is computed here over the exact attributes in their order; the store keeps bytes.
 */
#ifndef SN_CORE_SESSION_SESSION_H
#define SN_CORE_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "core/identity/principal.h"
#include "core/identity/stamp.h"
#include "core/record/attribute.h"

enum sn_session_status { SN_SESSION_ACTIVE, SN_SESSION_REVOKED, SN_SESSION_EXPIRED };
const char *sn_session_status_name(enum sn_session_status status);

/* A row of sessions. Slices are borrowed by create and owned by the arena given to get. */
struct sn_session {
    struct sn_id id;
    int64_t rev;
    struct sn_slice user, account, caller_type, caller_role, caller_arn;
    bool vouched;
    struct sn_slice profile, role_arn;
    enum sn_issue_kind kind;
    struct sn_slice grant_id; /* empty: none */
    struct sn_slice source_identity;
    struct sn_id server_instance_id;
    enum sn_session_status status;
    int64_t started_at_ms, last_access_at_ms, expires_at_ms, created_at_ms, updated_at_ms;
    int64_t keys_expire_at_ms;
    int64_t request_count;
    struct sn_slice device_id; /* empty: none */
    struct sn_slice revoked_by, revoked_by_arn, revoked_reason;
    int64_t revoked_at_ms, keys_denied_at_ms; /* 0: absent */
    int64_t ttl_unix_s;
    struct sn_slice seal;
};

/* The row in its stored order. */
extern const struct sn_attribute sn_session_attributes[];

/* --- Duration --- */
enum sn_cap {
    SN_CAP_NONE,
    SN_CAP_RULE,
    SN_CAP_CATALOGUE,
    SN_CAP_APPROVAL,
    SN_CAP_BREAKGLASS,
    SN_CAP_OVERRIDE,
    SN_CAP_ROLE_CHAINING,
};
const char *sn_cap_name(
    enum sn_cap cap); /* "rule", "profile", "grant", "override_limit", "role_chaining"; NULL for none */

struct sn_duration_input {
    int64_t requested_s; /* 0: not given */
    int64_t default_s;
    int64_t rule_max_s, catalogue_max_s;        /* 0: no cap */
    int64_t approval_left_s, breakglass_left_s; /* -1: no such grant */
    int64_t override_max_s;                     /* applies when one of the two before does */
    bool role_credentials;                      /* the TVM's own credentials are a role's */
};
struct sn_duration_result {
    int64_t seconds;     /* what the caller gets */
    int64_t sts_seconds; /* DurationSeconds: seconds, or 900 with a deadline */
    bool needs_deadline;
    bool window_over; /* less than 60 s left: no override */
    enum sn_cap capped_by;
};
void sn_duration_decide(const struct sn_duration_input *input, struct sn_duration_result *out_result);

/* The session policy with a statement appended that denies everything from the deadline on. SN_LIMIT, DEADLINE_TOO_LONG
 * when it does not fit. */
struct sn_arena;
struct sn_buf;
SN_MUST_CHECK enum sn_status sn_session_policy_with_deadline(struct sn_slice session_policy, bool has_policy_arns,
    size_t policy_arn_chars, int64_t deadline_unix_s, struct sn_buf *out_policy, struct sn_error *err);

/* --- What is asked of a store. Implementations: src/store. All calls are safe from several threads. --- */
enum { SN_BLOCK_MARKERS_MAX = 8, SN_PROOF_KEY_LEN = 32 };

struct sn_spent_proof {
    unsigned char key[SN_PROOF_KEY_LEN]; /* signature bytes of the proof */
    int64_t expires_unix_s;
};

/* Ids of the block markers that may stand against a caller, and the instant for which they are asked. */
struct sn_block_query {
    const struct sn_slice *ids;
    size_t count; /* at most SN_BLOCK_MARKERS_MAX */
    int64_t now_ms;
};

struct sn_session_store {
    /*
     * Writes row and, when proof is not NULL, the spent proof in one durable transaction. The row comes sealed.
     * SN_CONFLICT: ID_TAKEN (the row exists) or PROOF_REPLAYED (the proof was used).
     */
    enum sn_status (*create)(
        void *ctx, const struct sn_session *session, const struct sn_spent_proof *proof, struct sn_error *err);
    /* Replaces the row if its rev is expected_rev. SN_NOT_FOUND, SN_CONFLICT (CONCURRENT_MODIFICATION). */
    enum sn_status (*update)(void *ctx, const struct sn_session *session, int64_t expected_rev, struct sn_error *err);
    /* By whole id, consistently. Text goes into the arena. SN_NOT_FOUND: SESSION_NOT_FOUND. */
    enum sn_status (*get)(void *ctx, const struct sn_id *id, struct sn_arena *arena, struct sn_session *out_session,
        struct sn_error *err);
    /*
     * Reads the block markers of these ids consistently; *out_blocked when one of them is in force at now_ms or has a
     * broken seal.
     */
    enum sn_status (*is_blocked)(
        void *ctx, const struct sn_slice *ids, size_t count, int64_t now_ms, bool *out_blocked, struct sn_error *err);
    /*
     * is_blocked and create in one transaction: with a marker in force nothing is written. NULL: the store has no such
     * thing, and they are asked one after the other (sn_session_store_admit).
     */
    enum sn_status (*admit)(void *ctx, const struct sn_block_query *blocks, const struct sn_session *session,
        const struct sn_spent_proof *proof, bool *out_blocked, struct sn_error *err);
    /* is_blocked and get at one moment; the row is read when no marker is in force. NULL: likewise. */
    enum sn_status (*look)(void *ctx, const struct sn_block_query *blocks, const struct sn_id *id,
        struct sn_arena *arena, bool *out_blocked, struct sn_session *out_session, struct sn_error *err);
    /* Cheap test that the store can be read and written, for readyz and check. */
    enum sn_status (*ping)(void *ctx, struct sn_error *err);
    void *ctx;
};

SN_MUST_CHECK enum sn_status sn_session_store_admit(const struct sn_session_store *store,
    const struct sn_block_query *blocks, const struct sn_session *session, const struct sn_spent_proof *proof,
    bool *out_blocked, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_session_store_look(const struct sn_session_store *store,
    const struct sn_block_query *blocks, const struct sn_id *id, struct sn_arena *arena, bool *out_blocked,
    struct sn_session *out_session, struct sn_error *err);

#endif
