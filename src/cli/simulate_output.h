/* SPDX-License-Identifier: Apache-2.0 */
/* cli/simulate_output.h - what a simulation tells, for people and as JSON. */
#ifndef SN_CLI_SIMULATE_OUTPUT_H
#define SN_CLI_SIMULATE_OUTPUT_H

#include "base/buf.h"
#include "core/policy/simulate.h"

enum { SN_INCOMPLETE_SHOWN_MAX = 100 };

struct sn_incomplete_line {
    uint32_t file;
    uint64_t line;
    char why[96];
};

struct sn_simulate_report {
    const char *new_source, *against; /* against: "log", or the path of the old policies */
    const char *const *files;         /* as shown */
    uint64_t read, other_events, not_evaluated, filtered, incomplete;
    struct sn_incomplete_line incomplete_lines[SN_INCOMPLETE_SHOWN_MAX]; /* the first ones */
    struct sn_simulation *simulation;
};

/* Puts the groups in the order in which they are shown: by change, then the largest first. */
void sn_simulate_sort(struct sn_simulation *simulation);
void sn_simulate_text(const struct sn_simulate_report *report, struct sn_buf *out);
void sn_simulate_json(const struct sn_simulate_report *report, struct sn_buf *out);

#endif
