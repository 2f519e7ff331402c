/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/analyze_rules.h - rules that decide nothing, and rules that pull in different directions; internal to
 * core/policy.
 */
#ifndef SN_CORE_POLICY_ANALYZE_RULES_H
#define SN_CORE_POLICY_ANALYZE_RULES_H

#include "core/policy/analyze.h"

struct sn_analysis_finding *sn_analysis_add(struct sn_analysis *analysis, const struct sn_analysis_finding *finding);

/* The findings of one document; decides tells of each rule whether it decides some point. */
SN_MUST_CHECK enum sn_status sn_analyze_rules(const struct sn_space *space, const struct sn_analysis_version *version,
    uint32_t document, const bool *decides, struct sn_analysis *analysis, struct sn_error *err);

#endif
