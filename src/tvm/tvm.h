/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/tvm.h - the Token Vending Machine: an API request in, an answer out, no transport.
 *
 * Called by the listener, by the Lambda loop and by tests. Everything it needs from outside is a table in struct
 * sn_tvm_parts, which main fills in; sn_tvm_handle may run on several threads at once.
 */
#ifndef SN_TVM_TVM_H
#define SN_TVM_TVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/sts.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "core/audit/entry.h"
#include "core/policy/catalog.h"
#include "core/policy/policy.h"
#include "core/policy/ruleset.h"
#include "core/session/seal.h"
#include "core/session/session.h"
#include "net/message.h"
#include "tvm/document_origin.h"
#include "tvm/grant.h"
#include "tvm/metrics.h"
#include "tvm/settings.h"

struct sn_tvm;

/* Identity and credentials from AWS; one table over a pool of per-thread clients (tvm/sts_pool.h). */
struct sn_tvm_sts {
    enum sn_status (*verify_proof)(void *ctx, const struct sn_proof *proof, int64_t deadline_mono_ns,
        struct sn_caller *out_caller, struct sn_error *err);
    enum sn_status (*assume_role)(void *ctx, const struct sn_assume_role *input, int64_t deadline_mono_ns,
        struct sn_assumed_role *out_role, struct sn_error *err);
    enum sn_status (*own_identity)(
        void *ctx, int64_t deadline_mono_ns, struct sn_caller *out_caller, struct sn_error *err);
    void *ctx;
};

/* A verified document set at one moment; references are the caller's to drop. */
struct sn_tvm_documents {
    enum sn_status (*catalog)(void *ctx, struct sn_catalog **out_catalog, struct sn_error *err);
    /* The access policy that governs a profile, and where it came from. NULL: there is none, which is default deny. */
    enum sn_status (*policy)(void *ctx, struct sn_slice profile, struct sn_policy **out_policy,
        struct sn_document_origin *out_origin, struct sn_error *err);
    void (*reload)(void *ctx); /* drop caches */
    void *ctx;
    /*
     * The approval, break-glass or rate-limit policy, and where it came from. NULL: that kind is not configured. A
     * failure means that nothing of that kind may be decided: no approval, no emergency access.
     */
    enum sn_status (*ruleset)(void *ctx, enum sn_document_kind kind, struct sn_ruleset **out_ruleset,
        struct sn_document_origin *out_origin, struct sn_error *err);
};

/* What only the process around the handler knows, for health and metrics. Members may be NULL. */
struct sn_tvm_probes {
    bool (*is_draining)(void *ctx);
    /* When the workers and the writer of the audit log had last got on or were idle: the earlier one, monotonic. */
    int64_t (*last_progress_mono_ns)(void *ctx);
    /* Appends metrics of its own in the text format. */
    void (*add_metrics)(void *ctx, struct sn_buf *text);
    void *ctx;
};

struct sn_tvm_parts {
    const struct sn_tvm_settings *settings;
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    const struct sn_tvm_sts *sts;
    const struct sn_tvm_documents *documents;
    const struct sn_session_store *store;
    const struct sn_audit_sink *audit;
    const struct sn_seal_keys *seal_keys;
    const struct sn_grant_source *grants; /* NULL: no grant is ever found */
    const struct sn_tvm_probes *probes;   /* NULL: none */
    struct sn_metrics *metrics;           /* outlives the handler */
    int64_t not_before_unix_ms; /* an instant that has certainly passed, such as that of the last record; 0: none */
    bool is_lambda;
    const struct sn_slice *audiences; /* canonical URLs of this server; none on Lambda */
    size_t audience_count;
};

SN_MUST_CHECK enum sn_status sn_tvm_new(
    const struct sn_tvm_parts *parts, struct sn_tvm **out_tvm, struct sn_error *err);
void sn_tvm_free(struct sn_tvm *tvm);
void sn_tvm_free_p(struct sn_tvm **tvm);
void sn_tvm_handle(struct sn_tvm *tvm, const struct sn_request *request, struct sn_response *response);
/* The listener's own refusals in the same form, with an id of their own (sn_refuse_fn; ctx is the handler). */
void sn_tvm_refuse(void *tvm, int status, const char *code, const char *message, struct sn_response *response);

#endif
