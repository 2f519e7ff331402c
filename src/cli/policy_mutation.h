/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_mutation.h - what trying mutants tells: for people and as JSON, made side by side. */
#ifndef SN_CLI_POLICY_MUTATION_H
#define SN_CLI_POLICY_MUTATION_H

#include "base/buf.h"
#include "codec/json.h"
#include "core/policy/mutate.h"

/* Zeroed: nothing was tried. */
struct sn_mutation_report {
    bool is_made;
    size_t caught, equivalent, survived;
    struct sn_buf text, json; /* the survivors */
    struct sn_json_writer writer;
};
void sn_mutation_report_clear(struct sn_mutation_report *report);
/* The result for the tests of one policy. */
void sn_mutation_report_add(
    struct sn_mutation_report *report, const char *policy_path, const struct sn_mutation_result *result);
void sn_mutation_report_text(const struct sn_mutation_report *report, struct sn_buf *out);
/* The member "mutation", when something was tried. Ends the report. */
void sn_mutation_report_json(struct sn_mutation_report *report, struct sn_json_writer *w);

#endif
