/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/entry.h - entries of the audit log and where they go.
 */
#ifndef SN_CORE_AUDIT_ENTRY_H
#define SN_CORE_AUDIT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "core/policy/policy.h"

/* One decision; absent facts are empty slices, 0 or false where the fact is not known or does not apply
 * (docs/formats/audit-log.md). */
struct sn_audit_decision {
    int64_t unix_ms; /* the evaluation instant */
    struct sn_slice user, profile;
    bool allowed; /* effect: the final result */
    struct sn_slice rule;
    int rule_index; /* -1: nothing matched or no policy evaluated */
    struct sn_slice reason, policy_path, request_id;
    struct sn_slice source_identity, role_arn; /* when issued */
    int64_t session_duration_s;
    struct sn_slice approved_request_id, break_glass_event_id;
    const struct sn_posture *posture; /* when one was evaluated */
    struct sn_slice device_id, device_status;
    bool policy_evaluated;
    enum sn_effect policy_effect;
    const char *outcome;  /* "issued", "denied", "error" */
    const char *override; /* "approval", "break_glass" or NULL */
    bool mfa_verified, mfa_known;
    struct sn_slice gateway_request_id;
    const char *error_code; /* NULL when issued */
    struct sn_slice caller_arn, account_id;
    bool vouched;
    struct sn_slice access_key_id;
    struct sn_slice policy_version, policy_hash, policy_key_id;
};
/*
 * Appends text as a JSON string of the log: at most max bytes of it (a cut ends in an ellipsis), bytes that are not
 * UTF-8 as U+FFFD; escapes only for quote, backslash, controls, U+2028 and U+2029.
 */
void sn_audit_text_format(struct sn_buf *buf, struct sn_slice text, size_t max);

/* Appends the compact JSON object, keys in table order, bounded and escaped as docs/formats/audit-log.md says. */
void sn_audit_decision_format(struct sn_buf *buf, const struct sn_audit_decision *decision);

/* "audit.opened"; NULL or 0: absent. */
struct sn_audit_opened {
    int64_t unix_ms;
    const char *reason;
    struct sn_slice instance, version, previous_file, previous_stream;
    int64_t previous_seq;
    struct sn_slice previous_signature;
    int64_t torn_bytes;
    struct sn_slice torn_sha256;
};
void sn_audit_opened_format(struct sn_buf *buf, const struct sn_audit_opened *opened);
/* The log could not be written, and can again: the writer's own proof of it where no other record came. */
void sn_audit_recovered_format(struct sn_buf *buf, int64_t unix_ms, struct sn_slice instance);
void sn_audit_undelivered_format(struct sn_buf *buf, int64_t unix_ms, struct sn_slice request_id, const char *reason);

/* Where entries are made durable. Safe from several threads. */
struct sn_audit_sink {
    /*
     * Returns SN_OK only when the entry is part of the chain on durable storage. Any failure, and waiting longer than
     * timeout_ms, is SN_UNAVAILABLE, AUDIT_UNAVAILABLE: whatever the entry speaks of must not happen. After a timeout
     * the record may still appear; the sink then adds audit.undelivered for request_id by itself.
     */
    enum sn_status (*append)(
        void *ctx, struct sn_slice entry, struct sn_slice request_id, int timeout_ms, struct sn_error *err);
    /* False from a failed append until a record, of a caller or of the sink itself, is durable. */
    bool (*is_healthy)(void *ctx);
    void *ctx;
};

#endif
