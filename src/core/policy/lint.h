/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/lint.h - what is odd between the rules of a valid policy (POL 8).
 *
 * The loader reports what one rule shows by itself; this compares rules with each other and with the catalogue. It
 * compares every pair, so it belongs to tools and not to a server that loads a document.
 */
#ifndef SN_CORE_POLICY_LINT_H
#define SN_CORE_POLICY_LINT_H

#include "core/policy/catalog.h"
#include "core/policy/findings.h"
#include "core/policy/policy.h"
#include "core/policy/ruleset.h"

/* Appends warnings; catalog may be NULL, then no profile is unknown. */
void sn_policy_lint(const struct sn_policy *policy, const struct sn_catalog *catalog, struct sn_findings *findings);
/* The same for the other policies with rules, whose loader compares rules already: only the catalogue is left. */
void sn_ruleset_lint(const struct sn_ruleset *ruleset, const struct sn_catalog *catalog, struct sn_findings *findings);
/* Puts lint findings from index first on in the order of their output: by rule, then by code. */
void sn_policy_lint_sort(struct sn_findings *findings, size_t first);

#endif
