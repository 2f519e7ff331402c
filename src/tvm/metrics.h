/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/metrics.h - counters and histograms of the server, in the Prometheus text format 0.0.4.
 *
 * Counting is lock-free and allocates nothing. Labels are constants of this file, of the route table and of the error
 * table: no user, ARN, account, profile, device or path can become one.
 */
#ifndef SN_TVM_METRICS_H
#define SN_TVM_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/identity/stamp.h"
#include "core/policy/kinds.h"
#include "core/policy/policy.h"

struct sn_metrics;

struct sn_metrics *sn_metrics_new(void);
void sn_metrics_free(struct sn_metrics *metrics);
void sn_metrics_free_p(struct sn_metrics **metrics);

enum { SN_METRIC_ROUTES = 12 };

enum sn_proof_result {
    SN_PROOF_ACCEPTED,
    SN_PROOF_BAD,
    SN_PROOF_REPLAY,
    SN_PROOF_REFUSED,
    SN_PROOF_UNAVAILABLE,
    SN_PROOF_THROTTLED,
    SN_PROOF_RESULTS
};
enum sn_sts_action { SN_STS_VERIFY_PROOF, SN_STS_ASSUME_ROLE, SN_STS_OWN_IDENTITY, SN_STS_ACTIONS };
enum sn_store_op { SN_STORE_CREATE, SN_STORE_UPDATE, SN_STORE_LOOK, SN_STORE_BLOCKS, SN_STORE_PING, SN_STORE_OPS };
enum sn_limiter_label { SN_LIMIT_LOCAL, SN_LIMIT_ROLE, SN_LIMIT_ACCOUNT, SN_LIMIT_LABELS };

/* code_index: 0 for OK, else 1 + sn_api_error_index. */
void sn_metrics_request(struct sn_metrics *m, size_t route, size_t code_index, int64_t elapsed_ns);
void sn_metrics_decision(struct sn_metrics *m, bool allowed, bool has_policy_effect, enum sn_effect policy_effect);
void sn_metrics_issued(struct sn_metrics *m, enum sn_issue_kind kind);
void sn_metrics_proof(struct sn_metrics *m, enum sn_proof_result result);
void sn_metrics_sts(struct sn_metrics *m, enum sn_sts_action action, bool ok, int64_t elapsed_ns);
void sn_metrics_store(struct sn_metrics *m, enum sn_store_op op, bool ok, int64_t elapsed_ns);
void sn_metrics_audit(struct sn_metrics *m, bool ok, int64_t elapsed_ns);
void sn_metrics_rate_limited(struct sn_metrics *m, enum sn_limiter_label limiter);
void sn_metrics_document(struct sn_metrics *m, enum sn_document_kind kind, bool ok, int64_t now_mono_ns);

/* What is read at the moment of asking. */
struct sn_metrics_gauges {
    const char *form; /* "standalone", "lambda" */
    const char *const *route_names;
    size_t route_count;
    size_t replay_entries, tickets;
    int64_t now_mono_ns;
};
void sn_metrics_format(struct sn_metrics *m, const struct sn_metrics_gauges *gauges, struct sn_buf *text);

#endif
