/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/policy_test.h - what a run of policy tests tells: text for people, JSON and JUnit XML, made side by side.
 */
#ifndef SN_CLI_POLICY_TEST_H
#define SN_CLI_POLICY_TEST_H

#include "base/buf.h"
#include "cli/policy_mutation.h"
#include "codec/json.h"
#include "core/policy/test_run.h"

struct sn_test_report {
    bool is_verbose;
    size_t subject; /* of the file being run, for the caller */
    size_t passed, failed;

    /* The rest is the report's own. */
    struct sn_buf text, missed, json_files, json_missed, junit;
    struct sn_buf json_cases, junit_cases; /* of the file */
    struct sn_buf failures, failure_text;  /* of the case */
    struct sn_json_writer files_writer, missed_writer, cases_writer, failures_writer;
    bool has_files, has_missed;
    const char *file, *policy_path;
    const struct sn_policy *policy;
    const struct sn_test_case *test;
    size_t case_runs, case_passed, file_cases, file_failures;
};

void sn_test_report_clear(struct sn_test_report *report);
void sn_test_report_begin_file(struct sn_test_report *report, const char *file, const char *policy_path);
void sn_test_report_begin_case(
    struct sn_test_report *report, const struct sn_test_case *test, const struct sn_policy *policy);
void sn_test_report_run(void *report, const struct sn_test_run *run); /* a sn_test_run_fn */
void sn_test_report_end_case(struct sn_test_report *report);
void sn_test_report_end_file(struct sn_test_report *report);
/* What the tests of one policy have not covered. */
void sn_test_report_missed(struct sn_test_report *report, const char *policy_path, const struct sn_policy *policy,
    const struct sn_coverage *coverage);

void sn_test_report_text(const struct sn_test_report *report, const struct sn_coverage_sum *sum,
    const struct sn_mutation_report *mutation, struct sn_buf *out);
void sn_test_report_json(struct sn_test_report *report, const struct sn_coverage_sum *sum,
    struct sn_mutation_report *mutation, struct sn_buf *out);
/* {"mdm_enrolled":true,...}: what is known of a device, as test files have it. */
void sn_posture_json(struct sn_json_writer *w, const struct sn_posture *posture);
void sn_test_report_junit(const struct sn_test_report *report, struct sn_buf *out);

#endif
