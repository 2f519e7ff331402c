/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_output.h - decisions of tried requests, for people and as JSON. */
#ifndef SN_CLI_POLICY_OUTPUT_H
#define SN_CLI_POLICY_OUTPUT_H

#include "base/buf.h"
#include "codec/json.h"
#include "core/policy/policy.h"

/* trace may be NULL; evaluated_unix_ms 0 and hash NULL leave those members out. */
struct sn_decision_facts {
    const struct sn_decision *decision;
    const struct sn_trace *trace;
    int64_t unix_ms, evaluated_unix_ms;
    const char *policy_hash;
};
void sn_decision_json(struct sn_json_writer *w, const struct sn_decision_facts *facts);
void sn_decision_text(struct sn_buf *out, const struct sn_decision *decision);
/* Rules up to index last; -1: all that were looked at. */
void sn_trace_text(struct sn_buf *out, const struct sn_trace *trace, int last, bool color);

#endif
