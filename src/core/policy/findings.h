/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/findings.h - what a document checker found: all of it at once, each with a place, a code and a mend.
 */
#ifndef SN_CORE_POLICY_FINDINGS_H
#define SN_CORE_POLICY_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum sn_severity { SN_SEVERITY_INFO, SN_SEVERITY_WARNING, SN_SEVERITY_ERROR };

/* Which step found it. A document with a parse finding is not validated further; lint never stops a document. */
enum sn_finding_phase { SN_FINDING_PARSE, SN_FINDING_VALIDATION, SN_FINDING_LINT };

/* Every code that a finding may have, with its phase; the reference page is generated from it. */
/* clang-format off */
#define SN_FINDING_CODES(X) \
    X("syntax", PARSE) \
    X("empty", PARSE) \
    X("too-large", PARSE) \
    X("unreadable", PARSE) \
    X("encoding", PARSE) \
    X("forbidden-yaml", PARSE) \
    X("duplicate-key", PARSE) \
    X("limit", PARSE) \
    X("unknown-field", PARSE) \
    X("wrong-kind", PARSE) \
    X("null-value", PARSE) \
    X("not-boolean", PARSE) \
    X("not-number", PARSE) \
    X("missing-version", PARSE) \
    X("version", VALIDATION) \
    X("no-rules", VALIDATION) \
    X("rule-name", VALIDATION) \
    X("duplicate-name", VALIDATION) \
    X("effect", VALIDATION) \
    X("break-glass", VALIDATION) \
    X("conditions", VALIDATION) \
    X("reason", VALIDATION) \
    X("duration", VALIDATION) \
    X("session-table", VALIDATION) \
    X("wildcard", VALIDATION) \
    X("user-entry", VALIDATION) \
    X("group", VALIDATION) \
    X("profile-entry", VALIDATION) \
    X("time", VALIDATION) \
    X("weekday", VALIDATION) \
    X("hours", VALIDATION) \
    X("timezone", VALIDATION) \
    X("mode", VALIDATION) \
    X("device", VALIDATION) \
    X("no-profiles", VALIDATION) \
    X("profile-name", VALIDATION) \
    X("duplicate-profile", VALIDATION) \
    X("role-arn", VALIDATION) \
    X("description", VALIDATION) \
    X("region", VALIDATION) \
    X("external-id", VALIDATION) \
    X("session-policy", VALIDATION) \
    X("policy-arns", VALIDATION) \
    X("tags", VALIDATION) \
    X("test-case", VALIDATION) \
    X("required", VALIDATION) \
    X("count", VALIDATION) \
    X("people", VALIDATION) \
    X("approvals-required", VALIDATION) \
    X("auto-approve", VALIDATION) \
    X("reason-code", VALIDATION) \
    X("mfa", VALIDATION) \
    X("no-limit", VALIDATION) \
    X("quota-window", VALIDATION) \
    X("policy-root", VALIDATION) \
    X("parameter-name", VALIDATION) \
    X("initial-policy", VALIDATION) \
    X("wildcard-grant", LINT) \
    X("final-deny-everywhere", LINT) \
    X("empty-list", LINT) \
    X("days-without-hours", LINT) \
    X("no-timezone", LINT) \
    X("mode-never-matches", LINT) \
    X("user-never-matches", LINT) \
    X("self-chosen-name", LINT) \
    X("unused-group", LINT) \
    X("min-os-without-type", LINT) \
    X("posture-unavailable", LINT) \
    X("duplicate-entry", LINT) \
    X("long-session", LINT) \
    X("shared-role", LINT) \
    X("allow-before-deny", LINT) \
    X("unreachable-rule", LINT) \
    X("overlapping-time-windows", LINT) \
    X("unknown-profile", LINT) \
    X("wildcard-profiles", LINT) \
    X("auto-approve-any-user", LINT) \
    X("auto-approve-alone", LINT) \
    X("single-approver", LINT) \
    X("indistinct-approvers", LINT) \
    X("any-reason-code", LINT) \
    X("breakglass-without-mfa", LINT) \
    X("short-cooldown", LINT) \
    X("guessed-type", LINT)
/* clang-format on */

struct sn_finding {
    enum sn_severity severity;
    const char *code;      /* one of SN_FINDING_CODES */
    uint32_t line, column; /* 0: unknown */
    struct sn_slice path;  /* "rules[2].conditions.users[0]" */
    struct sn_slice message;
    struct sn_slice suggestion;
};

enum { SN_FINDINGS_MAX = 200 };

/* A zeroed struct is an empty list. Past SN_FINDINGS_MAX findings are counted, not kept. */
struct sn_findings {
    struct sn_arena arena;
    struct sn_finding *items;
    size_t count, capacity;
    size_t dropped;
    size_t errors; /* of severity error, kept or not */
};

void sn_findings_add(struct sn_findings *findings, enum sn_severity severity, const char *code, uint32_t line,
    uint32_t column, struct sn_slice path, struct sn_slice message, struct sn_slice suggestion);
void sn_findings_clear(struct sn_findings *findings);
/* Puts the findings from index first on in document order; equals keep theirs. */
void sn_findings_sort(struct sn_findings *findings, size_t first);
/* The same in another order: true when a comes after b. Equal ones keep theirs. */
typedef bool sn_finding_after_fn(const struct sn_finding *a, const struct sn_finding *b);
void sn_findings_sort_by(struct sn_findings *findings, size_t first, sn_finding_after_fn *comes_after);
/* Turns the first error among the findings from index first on into err: SN_INVALID, code, details line and column. */
enum sn_status sn_findings_fail(
    const struct sn_findings *findings, size_t first, const char *code, struct sn_error *err);
enum sn_finding_phase sn_finding_phase(const struct sn_finding *finding);
/* "parse error", "validation error" or "lint": what a printed finding begins with. */
const char *sn_finding_prefix(const struct sn_finding *finding);
const char *sn_severity_name(enum sn_severity severity);

#endif
