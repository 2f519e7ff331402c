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
#include "base/slice.h"

enum sn_severity { SN_SEVERITY_INFO, SN_SEVERITY_WARNING, SN_SEVERITY_ERROR };

struct sn_finding {
    enum sn_severity severity;
    const char *code; /* a constant of POL 8 */
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
const char *sn_severity_name(enum sn_severity severity);

#endif
