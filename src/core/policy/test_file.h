/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/test_file.h - tests of a policy: cases with what must come out (POL 14.1).
 *
 * Reading is as strict as for any document. A case with lists runs for every combination.
 */
#ifndef SN_CORE_POLICY_TEST_FILE_H
#define SN_CORE_POLICY_TEST_FILE_H

#include "core/policy/catalog.h"
#include "core/policy/trial.h"

struct sn_case_posture {
    struct sn_slice name; /* empty: written in place */
    struct sn_posture posture;
    bool is_known; /* false: nothing is known of the device */
};

/* Members that are not written are not compared. */
struct sn_expectation {
    enum sn_effect effect;
    bool has_rule, has_reason, has_override, has_duration, has_table;
    struct sn_slice rule, reason, table;
    enum sn_override override;
    int64_t duration_s;
};

struct sn_test_case {
    struct sn_slice name;
    uint32_t line;
    const struct sn_slice *principals, *profiles;
    const int64_t *unix_ms;
    const struct sn_case_posture *postures;
    size_t principal_count, profile_count, time_count, posture_count; /* time_count 0: no time is given */
    enum sn_mode mode;
    struct sn_expectation expected;
};

struct sn_test_file {
    struct sn_arena arena;
    struct sn_slice policy; /* as written; empty: by the name of the file */
    const struct sn_slice *catalogs;
    size_t catalog_count;
    struct sn_trial_server server;
    struct sn_test_case *cases;
    size_t case_count;
};

/* Findings as for sn_policy_load; INVALID_TESTS. Texts are copied. Clear in any case. */
SN_MUST_CHECK enum sn_status sn_test_file_load(
    struct sn_slice text, struct sn_findings *findings, struct sn_test_file *out_file, struct sn_error *err);
void sn_test_file_clear(struct sn_test_file *file);
/* Every profile of a case is in the catalogue; INVALID_TESTS otherwise. */
SN_MUST_CHECK enum sn_status sn_test_file_check_profiles(
    const struct sn_test_file *file, const struct sn_catalog *catalog, struct sn_error *err);

#endif
