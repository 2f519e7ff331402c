/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_policy_test.c - policy test: runs the cases of test files against their policies (POL 14.1).
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "cli/policy_mutation.h"
#include "cli/policy_test.h"
#include "cli/test_files.h"
#include "core/policy/limits.h"
#include "core/policy/space.h"

enum { EXIT_FAILED = 1, FILES_MAX = 1000, PERCENT = 100 };

struct test_args {
    const char *junit;
    int64_t min_coverage;
    bool is_verbose, mutates;
};

/* clang-format off */
static const struct sn_opt test_opts[] = {
    {.name = "verbose", .letter = 'v', .kind = SN_OPT_FLAG, .field = offsetof(struct test_args, is_verbose),
     .help = "print passing cases too"},
    {.name = "junit", .metavar = "FILE", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct test_args, junit), .help = "also write the results as JUnit XML"},
    {.name = "min-coverage", .metavar = "PERCENT", .kind = SN_OPT_INT, .min = 0, .max = PERCENT, .fallback = "0",
     .field = offsetof(struct test_args, min_coverage),
     .help = "fail when less than this share of rules and conditions is covered"},
    {.name = "mutate", .kind = SN_OPT_FLAG, .field = offsetof(struct test_args, mutates),
     .help = "change the policy in one place at a time, and report every change that no case notices"},
    {0},
};
/* clang-format on */

/* One policy, with what all test files for it have covered. */
struct subject {
    const char *path;
    struct sn_buf text;
    struct sn_policy *policy;
    struct sn_coverage coverage;
};

/* A test file that has run, by place in paths. */
struct tested {
    struct sn_test_file file;
    struct sn_catalog *catalog; /* NULL: none is named */
    size_t subject;
};

struct session {
    struct sn_test_paths paths;
    struct sn_arena arena;
    struct subject *subjects;
    size_t subject_count;
    struct tested *tested;
    struct sn_test_report report;
    struct sn_mutation_report mutation;
};

static void clear_session(struct session *session)
{
    for (size_t i = 0; i < session->subject_count; i++) {
        sn_policy_unref(session->subjects[i].policy);
        sn_coverage_clear(&session->subjects[i].coverage);
        sn_buf_clear(&session->subjects[i].text);
    }
    for (size_t i = 0; session->tested != NULL && i < session->paths.count; i++) {
        sn_test_file_clear(&session->tested[i].file);
        sn_catalog_unref(session->tested[i].catalog);
    }
    sn_free(session->subjects);
    sn_free(session->tested);
    sn_mutation_report_clear(&session->mutation);
    sn_test_report_clear(&session->report);
    sn_test_paths_clear(&session->paths);
    sn_arena_clear(&session->arena);
}

/* All findings of a file that a run cannot go on without; the error of the command follows. */
static void show_findings(const struct sn_app *app, const struct sn_findings *findings, const char *path)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error ignored = {0};

    if (!app->json && findings->errors > 1) {
        sn_findings_text(&text, findings, path);
        (void)!sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&text), &ignored);
    }
}

static enum sn_status find_subject(const struct sn_app *app, struct session *session, const char *path,
    struct subject **out_subject, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings findings = {0};

    for (size_t i = 0; i < session->subject_count; i++) {
        if (strcmp(session->subjects[i].path, path) == 0) {
            *out_subject = &session->subjects[i];
            return SN_OK;
        }
    }
    struct subject *subject = &session->subjects[session->subject_count];
    if (sn_input_policy(path, &findings, &subject->text, &subject->policy, err) != SN_OK) {
        sn_buf_clear(&subject->text);
        show_findings(app, &findings, path);
        return err->status;
    }
    session->subject_count++;
    subject->path = path;
    sn_coverage_init(&subject->coverage, subject->policy);
    *out_subject = subject;
    return SN_OK;
}

static enum sn_status check_catalog(
    struct session *session, const char *path, struct tested *tested, struct sn_error *err)
{
    const struct sn_test_file *file = &tested->file;
    struct sn_opt_list paths = {.count = file->catalog_count};

    for (size_t i = 0; i < file->catalog_count; i++) {
        SN_TRY(sn_path_beside(path, file->catalogs[i], &session->arena, &paths.items[i], err));
    }
    SN_TRY(sn_input_catalog(&paths, &tested->catalog, err));
    return tested->catalog != NULL ? sn_test_file_check_profiles(file, tested->catalog, err) : SN_OK;
}

static enum sn_status run_cases(
    struct session *session, const char *path, const struct sn_test_file *file, struct sn_error *err)
{
    struct subject *subject = &session->subjects[session->report.subject];

    sn_test_report_begin_file(&session->report, path, subject->path);
    for (size_t i = 0; i < file->case_count; i++) {
        sn_test_report_begin_case(&session->report, &file->cases[i], subject->policy);
        if (sn_test_case_run(file, &file->cases[i], subject->policy, &subject->coverage, sn_test_report_run,
                &session->report, err) != SN_OK) {
            return sn_error_context(err, "%s", path);
        }
        sn_test_report_end_case(&session->report);
    }
    sn_test_report_end_file(&session->report);
    return SN_OK;
}

static enum sn_status run_file(const struct sn_app *app, struct session *session, size_t index, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings findings = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const char *path = session->paths.items[index], *policy_path = NULL;
    struct tested *tested = &session->tested[index];
    struct subject *subject = NULL;

    SN_TRY(sn_input_read(path, SN_POLICY_MAX_BYTES, &text, err));
    if (sn_test_file_load(sn_buf_slice(&text), &findings, &tested->file, err) != SN_OK) {
        show_findings(app, &findings, path);
        return sn_error_context(err, "%s", path);
    }
    if (tested->file.policy.len > 0) {
        SN_TRY(sn_path_beside(path, tested->file.policy, &session->arena, &policy_path, err));
    } else {
        SN_TRY(sn_path_of_tested(path, &session->arena, &policy_path, err));
    }
    SN_TRY(find_subject(app, session, policy_path, &subject, err));
    if (check_catalog(session, path, tested, err) != SN_OK) {
        return sn_error_context(err, "%s", path);
    }
    tested->subject = session->report.subject = (size_t)(subject - session->subjects);
    return run_cases(session, path, &tested->file, err);
}

/* --- Mutants --- */

/* The weeks that are looked at begin with the first time of the cases, so that a result does not hang on the clock. */
static int64_t first_monday(const struct sn_test_file *files, size_t count)
{
    int64_t first = INT64_MAX;

    for (size_t f = 0; f < count; f++) {
        for (size_t i = 0; i < files[f].case_count; i++) {
            for (size_t k = 0; k < files[f].cases[i].time_count; k++) {
                int64_t unix_s = files[f].cases[i].unix_ms[k] / 1000;
                first = unix_s < first ? unix_s : first;
            }
        }
    }
    return sn_monday_before(first != INT64_MAX ? first : sn_clock_unix_ms(sn_clock_system()) / 1000);
}

static enum sn_status mutate_subject(struct session *session, size_t index, struct sn_error *err)
{
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    SN_AUTO(sn_mutants_clear) struct sn_mutants mutants = {0};
    SN_AUTO(sn_mutation_result_clear) struct sn_mutation_result result = {0};
    struct subject *subject = &session->subjects[index];
    struct sn_test_file *files = sn_arena_alloc(&session->arena, session->paths.count, sizeof(*files));
    const struct sn_catalog **catalogs =
        sn_arena_alloc(&session->arena, session->paths.count, sizeof(struct sn_catalog *));
    struct sn_tz_source zones;
    size_t count = 0;

    for (size_t i = 0; i < session->paths.count; i++) {
        if (session->tested[i].subject == index) {
            files[count] = session->tested[i].file; /* a borrowed copy; the original is cleared */
            catalogs[count++] = session->tested[i].catalog;
        }
    }
    sn_input_zones(&zoneinfo, &zones);
    SN_TRY(sn_mutants_init(&mutants, sn_buf_slice(&subject->text), err));
    struct sn_mutation mutation = {.mutants = &mutants,
        .policy = subject->policy,
        .zones = &zones,
        .files = files,
        .catalogs = catalogs,
        .file_count = count,
        .from_unix_s = first_monday(files, count),
        .max_points = SN_SPACE_MAX_POINTS};
    SN_TRY(sn_mutation_run(&mutation, &result, err));
    sn_mutation_report_add(&session->mutation, subject->path, &result);
    return SN_OK;
}

/* While a case fails, what it would notice is not known. */
static enum sn_status mutate(const struct sn_app *app, struct session *session, struct sn_error *err)
{
    if (session->report.failed > 0) {
        sn_app_warn(app, "no mutants are tried while cases fail");
        return SN_OK;
    }
    session->mutation.is_made = true;
    for (size_t i = 0; i < session->subject_count; i++) {
        if (mutate_subject(session, i, err) != SN_OK) {
            return sn_error_context(err, "%s", session->subjects[i].path);
        }
    }
    return SN_OK;
}

static bool covers_enough(const struct sn_coverage_sum *sum, int64_t percent)
{
    size_t total = sum->rules + sum->conditions, covered = sum->rules_covered + sum->conditions_covered;

    return covered * PERCENT >= total * (size_t)percent;
}

static enum sn_status finish(
    struct sn_app *app, const struct test_args *args, struct session *session, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf junit = {0};
    struct sn_coverage_sum sum = {0};

    for (size_t i = 0; i < session->subject_count; i++) {
        sn_coverage_add_to(&session->subjects[i].coverage, &sum);
        sn_test_report_missed(
            &session->report, session->subjects[i].path, session->subjects[i].policy, &session->subjects[i].coverage);
    }
    bool enough = covers_enough(&sum, args->min_coverage);
    if (args->junit != NULL) {
        sn_test_report_junit(&session->report, &junit);
        SN_TRY(sn_fs_write_atomic(args->junit, 0600, sn_buf_slice(&junit), err));
    }
    if (app->json) {
        sn_test_report_json(&session->report, &sum, &session->mutation, &out);
    } else {
        sn_test_report_text(&session->report, &sum, &session->mutation, &out);
    }
    SN_TRY(sn_buf_check(&out, "the report", err));
    if (!enough) {
        sn_app_warn(app, "less than %lld%% of the rules and conditions are covered", (long long)args->min_coverage);
    }
    bool is_good = session->report.failed == 0 && enough && session->mutation.survived == 0;
    sn_app_outcome(app, is_good ? 0 : EXIT_FAILED);
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static enum sn_status run_test(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct test_args *args = arguments;
    SN_AUTO(clear_session) struct session session = {.report = {.is_verbose = args->is_verbose}};

    for (size_t i = 0; i < app->operand_count; i++) {
        SN_TRY(sn_test_paths_add(&session.paths, app->operands[i], err));
    }
    session.subjects = sn_alloc(session.paths.count, sizeof(*session.subjects));
    session.tested = sn_alloc(session.paths.count, sizeof(*session.tested));
    for (size_t i = 0; i < session.paths.count; i++) {
        SN_TRY(run_file(app, &session, i, err));
    }
    if (args->mutates) {
        SN_TRY(mutate(app, &session, err));
    }
    return finish(app, args, &session, err);
}

static const struct sn_exit_row test_exits[] = {
    {0, "every case passed, enough is covered, and no mutant survived"},
    {1, "a case failed, too little is covered, or a mutant survived"},
    {2, "wrong usage, or an invalid test file or policy"},
    {3, "with --mutate: there is more to try than can be tried"},
    {0},
};
static const struct sn_example test_examples[] = {
    {"sentinel policy test policies/", "run every test file below a folder"},
    {"sentinel policy test --min-coverage 90 --junit results.xml policies/prod.test.yaml", "for a pipeline"},
    {"sentinel policy test --mutate policies/prod.test.yaml", "find what the tests would not notice"},
    {0},
};

const struct sn_cmd sn_cmd_policy_test = {
    .name = "policy test",
    .group = SN_GROUP_POLICY,
    .summary = "run the tests of policies",
    .description =
        "Runs the cases of test files, by convention NAME.test.yaml beside NAME.yaml: who asks for which profile, when "
        "and from which device, and what must come out. A folder stands for every *.test.yaml below it.\n\n"
        "Covered is a rule that decides some case, and a condition that held in a case its rule decided and was the "
        "first to fail in another.\n\n"
        "With --mutate the policy is changed in one place at a time: an effect, a condition dropped, a list widened or "
        "narrowed by one name, a weekday, a minute of an hour, a rule removed or swapped with the next. A change that "
        "alters some decision and that no case notices is reported with a case that would.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = FILES_MAX,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = test_opts,
    .examples = test_examples,
    .args_size = sizeof(struct test_args),
    .exits = test_exits,
    .run = run_test,
};
