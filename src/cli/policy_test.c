/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_test.c - see policy_test.h. */
#include "cli/policy_test.h"

#include "base/parse.h"
#include "base/time.h"
#include "cli/policy_output.h"
#include "cli/report.h"

void sn_test_report_clear(struct sn_test_report *report)
{
    struct sn_buf *const all[] = {&report->text, &report->missed, &report->json_files, &report->json_missed,
        &report->junit, &report->json_cases, &report->junit_cases, &report->failures, &report->failure_text};
    for (size_t i = 0; i < SN_LEN(all); i++) {
        sn_buf_clear(all[i]);
    }
}

/* Text inside XML; what XML cannot hold becomes '?'. */
static void xml(struct sn_buf *out, struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        const char *entity = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : NULL;
        if (entity != NULL) {
            sn_buf_add_str(out, entity);
        } else {
            sn_buf_add_byte(out, (c < 0x20 && c != '\n') || c == 0x7f ? '?' : text.ptr[i]);
        }
    }
}

/* --- Files and cases --- */

void sn_test_report_begin_file(struct sn_test_report *report, const char *file, const char *policy_path)
{
    if (!report->has_files) {
        report->has_files = true;
        sn_json_writer_init(&report->files_writer, &report->json_files);
        sn_json_begin_array(&report->files_writer);
    }
    report->file = file;
    report->policy_path = policy_path;
    report->file_cases = report->file_failures = 0;
    sn_buf_reset(&report->json_cases);
    sn_buf_reset(&report->junit_cases);
    sn_json_writer_init(&report->cases_writer, &report->json_cases);
    sn_json_begin_array(&report->cases_writer);
}

void sn_test_report_begin_case(
    struct sn_test_report *report, const struct sn_test_case *test, const struct sn_policy *policy)
{
    report->test = test;
    report->policy = policy;
    report->case_runs = report->case_passed = 0;
    sn_buf_reset(&report->failures);
    sn_buf_reset(&report->failure_text);
    sn_json_writer_init(&report->failures_writer, &report->failures);
    sn_json_begin_array(&report->failures_writer);
}

static void place(const struct sn_test_report *report, struct sn_buf *out, const char *word)
{
    sn_buf_addf(out, "%s ", word);
    sn_cli_printable(out, sn_slice_str(report->file));
    sn_buf_addf(out, ":%u: ", report->test->line);
    sn_cli_printable(out, report->test->name);
}

void sn_test_report_end_case(struct sn_test_report *report)
{
    bool passed = report->case_passed == report->case_runs;
    struct sn_json_writer *w = &report->cases_writer;

    sn_json_end_array(&report->failures_writer);
    sn_json_begin_object(w);
    sn_json_member_text(w, "name", report->test->name);
    sn_json_member_int(w, "line", report->test->line);
    sn_json_member_int(w, "runs", (int64_t)report->case_runs);
    sn_json_member_int(w, "passed", (int64_t)report->case_passed);
    sn_json_key(w, "failures");
    sn_json_put_raw(w, sn_buf_slice(&report->failures));
    sn_json_end_object(w);

    sn_buf_add_str(&report->junit_cases, "    <testcase name=\"");
    xml(&report->junit_cases, report->test->name);
    sn_buf_add_str(&report->junit_cases, "\" classname=\"");
    xml(&report->junit_cases, sn_slice_str(report->policy_path));
    if (passed) {
        sn_buf_add_str(&report->junit_cases, "\"/>\n");
    } else {
        sn_buf_addf(&report->junit_cases, "\">\n      <failure message=\"%zu of %zu runs failed\">",
            report->case_runs - report->case_passed, report->case_runs);
        xml(&report->junit_cases, sn_buf_slice(&report->failure_text));
        sn_buf_add_str(&report->junit_cases, "</failure>\n    </testcase>\n");
    }
    if (passed && report->is_verbose) {
        place(report, &report->text, "PASS");
        sn_buf_addf(&report->text, " (%zu run%s)\n", report->case_runs, report->case_runs == 1 ? "" : "s");
    }
    sn_buf_add(&report->text, sn_buf_slice(&report->failure_text));
    report->file_cases++;
    report->file_failures += !passed;
    report->passed += report->case_passed;
    report->failed += report->case_runs - report->case_passed;
}

void sn_test_report_end_file(struct sn_test_report *report)
{
    struct sn_json_writer *w = &report->files_writer;

    sn_json_end_array(&report->cases_writer);
    sn_json_begin_object(w);
    sn_json_member_str(w, "file", report->file);
    sn_json_member_str(w, "policy", report->policy_path);
    sn_json_key(w, "cases");
    sn_json_put_raw(w, sn_buf_slice(&report->json_cases));
    sn_json_end_object(w);

    sn_buf_add_str(&report->junit, "  <testsuite name=\"");
    xml(&report->junit, sn_slice_str(report->file));
    sn_buf_addf(&report->junit, "\" tests=\"%zu\" failures=\"%zu\">\n", report->file_cases, report->file_failures);
    sn_buf_add(&report->junit, sn_buf_slice(&report->junit_cases));
    sn_buf_add_str(&report->junit, "  </testsuite>\n");
}

/* --- Runs --- */

void sn_posture_json(struct sn_json_writer *w, const struct sn_posture *p)
{
    static const char *const names[] = {"disk_encrypted", "firewall_enabled", "mdm_enrolled", "mdm_compliant"};
    const enum sn_tristate facts[] = {p->disk_encrypted, p->firewall_enabled, p->mdm_enrolled, p->mdm_compliant};

    sn_json_begin_object(w);
    for (size_t i = 0; i < SN_LEN(facts); i++) {
        if (facts[i] != SN_UNKNOWN) {
            sn_json_member_bool(w, names[i], facts[i] == SN_TRUE);
        }
    }
    if (p->os_type.len > 0) {
        sn_json_member_text(w, "os_type", p->os_type);
    }
    if (p->os_version.len > 0) {
        sn_json_member_text(w, "os_version", p->os_version);
    }
    sn_json_end_object(w);
}

static void put_posture(struct sn_json_writer *w, const struct sn_case_posture *posture)
{
    if (!posture->is_known) {
        sn_json_put_null(w);
    } else if (posture->name.len > 0) {
        sn_json_put_text(w, posture->name);
    } else {
        sn_posture_json(w, &posture->posture);
    }
}

static void expected_json(struct sn_json_writer *w, const struct sn_expectation *e)
{
    sn_json_begin_object(w);
    sn_json_member_str(w, "effect", sn_effect_name(e->effect));
    if (e->has_rule) {
        sn_json_member_text(w, "rule", e->rule);
    }
    if (e->has_reason) {
        sn_json_member_text(w, "reason", e->reason);
    }
    if (e->has_override) {
        sn_json_member_str(w, "override", sn_override_name(e->override));
    }
    if (e->has_duration) {
        sn_json_member_int(w, "max_server_duration_seconds", e->duration_s);
    }
    if (e->has_table) {
        sn_json_member_text(w, "session_table", e->table);
    }
    sn_json_end_object(w);
}

static void failure_json(struct sn_json_writer *w, const struct sn_test_run *run)
{
    char time[SN_TIME_TEXT_MAX];

    sn_json_begin_object(w);
    sn_json_member_text(w, "principal", run->principal);
    sn_json_member_text(w, "profile", run->profile);
    sn_json_key(w, "time");
    if (run->has_time) {
        sn_json_put_text(w, sn_time_format_rfc3339_ms(run->unix_ms, time));
    } else {
        sn_json_put_null(w);
    }
    sn_json_key(w, "posture");
    put_posture(w, run->posture);
    sn_json_key(w, "expected");
    expected_json(w, &run->test->expected);
    sn_json_key(w, "got");
    sn_decision_json(w, &(struct sn_decision_facts){.decision = run->decision, .unix_ms = run->unix_ms});
    sn_json_end_object(w);
}

static void line(struct sn_buf *out, const char *label, struct sn_slice text)
{
    sn_buf_addf(out, "  %-11s", label);
    sn_cli_printable(out, text);
    sn_buf_add_byte(out, '\n');
}

/* One "name value" of what is expected, or of what came out, behind the decision. */
static void facts_text(struct sn_buf *out, const struct sn_expectation *which, const struct sn_slice reason,
    const char *override, int64_t duration_s, struct sn_slice table)
{
    if (which->has_reason) {
        sn_buf_addf(out, ", reason '%.*s'", SN_PRI(reason));
    }
    if (which->has_override) {
        sn_buf_addf(out, ", override %s", override);
    }
    if (which->has_duration) {
        sn_buf_add_str(out, ", at most ");
        sn_format_duration(out, duration_s);
    }
    if (which->has_table) {
        sn_buf_addf(out, ", session table '%.*s'", SN_PRI(table));
    }
}

static void failure_text(struct sn_test_report *report, const struct sn_test_run *run)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_trace_clear) struct sn_trace trace = {0};
    struct sn_buf *out = &report->failure_text;
    const struct sn_expectation *e = &run->test->expected;
    const struct sn_decision *got = run->decision;
    struct sn_decision again;
    char time[SN_TIME_TEXT_MAX];
    int last = e->has_rule ? sn_policy_find_rule(report->policy, e->rule) : -1;

    place(report, out, "FAIL");
    sn_buf_add_byte(out, '\n');
    line(out, "principal:", run->principal);
    line(out, "profile:", run->profile);
    line(out, "time:", run->has_time ? sn_time_format_rfc3339_ms(run->unix_ms, time) : SN_S("none given"));
    line(out, "posture:",
        !run->posture->is_known      ? SN_S("none")
        : run->posture->name.len > 0 ? run->posture->name
                                     : SN_S("as written in the case"));
    sn_buf_addf(&text, "%s", sn_effect_name(e->effect));
    if (e->has_rule && e->rule.len == 0) {
        sn_buf_add_str(&text, " by no rule");
    } else if (e->has_rule) {
        sn_buf_addf(&text, " by rule '%.*s'%s", SN_PRI(e->rule), last < 0 ? ", which the policy does not have" : "");
    }
    facts_text(&text, e, e->reason, sn_override_name(e->override), e->duration_s, e->table);
    line(out, "expected:", sn_buf_slice(&text));
    sn_buf_reset(&text);
    sn_decision_format(&text, got);
    facts_text(&text, e, got->reason, sn_override_name(got->override), got->max_server_duration_s, got->session_table);
    line(out, "got:", sn_buf_slice(&text));
    sn_policy_trace_all(report->policy, run->request, &again, &trace);
    sn_trace_text(out, &trace, last, false);
}

void sn_test_report_run(void *ctx, const struct sn_test_run *run)
{
    struct sn_test_report *report = ctx;

    report->case_runs++;
    report->case_passed += run->passed;
    if (!run->passed) {
        failure_text(report, run);
        failure_json(&report->failures_writer, run);
    }
}

/* --- Coverage --- */

static void missed(struct sn_test_report *report, const char *policy_path, const char *location, const char *what)
{
    struct sn_json_writer *w = &report->missed_writer;

    if (!report->has_missed) {
        report->has_missed = true;
        sn_json_writer_init(w, &report->json_missed);
        sn_json_begin_array(w);
    }
    sn_json_begin_object(w);
    sn_json_member_str(w, "policy", policy_path);
    sn_json_member_str(w, "location", location);
    sn_json_member_str(w, "what", what);
    sn_json_end_object(w);
    if (report->is_verbose) {
        sn_buf_add_str(&report->missed, "not covered: ");
        sn_cli_printable(&report->missed, sn_slice_str(policy_path));
        sn_buf_addf(&report->missed, ": %s %s\n", location, what);
    }
}

void sn_test_report_missed(struct sn_test_report *report, const char *policy_path, const struct sn_policy *policy,
    const struct sn_coverage *coverage)
{
    char location[96];
    (void)policy;

    for (size_t i = 0; i < coverage->rule_count; i++) {
        const struct sn_rule_coverage *rule = &coverage->rules[i];
        if (!rule->has_decided) {
            snprintf(location, sizeof(location), "rules[%zu]", i);
            missed(report, policy_path, location, "decides no case");
        }
        for (unsigned k = 0; k < SN_CONDITIONS; k++) {
            bool has = (rule->has >> k & 1) != 0, held = (rule->held >> k & 1) != 0;
            bool failed = (rule->failed_first >> k & 1) != 0;
            if (has && !(held && failed)) {
                snprintf(location, sizeof(location), "rules[%zu].conditions.%s", i, sn_condition_words[k]);
                missed(report, policy_path, location,
                    held ? "is never the first to fail" : "never holds in a case that the rule decides");
            }
        }
    }
    if (coverage->can_default && !coverage->has_defaulted) {
        missed(report, policy_path, "", "the denial that no rule makes is not covered");
    }
}

/* --- Results --- */

void sn_test_report_text(const struct sn_test_report *report, const struct sn_coverage_sum *sum,
    const struct sn_mutation_report *mutation, struct sn_buf *out)
{
    sn_buf_add(out, sn_buf_slice(&report->text));
    sn_buf_add(out, sn_buf_slice(&report->missed));
    sn_mutation_report_text(mutation, out);
    sn_buf_addf(out, "%zu passed, %zu failed; rules %zu/%zu, conditions %zu/%zu\n", report->passed, report->failed,
        sum->rules_covered, sum->rules, sum->conditions_covered, sum->conditions);
}

static void member_covered(struct sn_json_writer *w, const char *key, size_t covered, size_t total)
{
    sn_json_key(w, key);
    sn_json_begin_object(w);
    sn_json_member_int(w, "covered", (int64_t)covered);
    sn_json_member_int(w, "total", (int64_t)total);
    sn_json_end_object(w);
}

void sn_test_report_json(struct sn_test_report *report, const struct sn_coverage_sum *sum,
    struct sn_mutation_report *mutation, struct sn_buf *out)
{
    struct sn_json_writer w;

    sn_json_end_array(&report->files_writer);
    if (report->has_missed) {
        sn_json_end_array(&report->missed_writer);
    }
    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_key(&w, "files");
    sn_json_put_raw(&w, sn_buf_slice(&report->json_files));
    sn_json_key(&w, "coverage");
    sn_json_begin_object(&w);
    member_covered(&w, "rules", sum->rules_covered, sum->rules);
    member_covered(&w, "conditions", sum->conditions_covered, sum->conditions);
    sn_json_key(&w, "missed");
    sn_json_put_raw(&w, report->has_missed ? sn_buf_slice(&report->json_missed) : SN_S("[]"));
    sn_json_end_object(&w);
    sn_mutation_report_json(mutation, &w);
    sn_json_key(&w, "summary");
    sn_json_begin_object(&w);
    sn_json_member_int(&w, "runs", (int64_t)(report->passed + report->failed));
    sn_json_member_int(&w, "passed", (int64_t)report->passed);
    sn_json_member_int(&w, "failed", (int64_t)report->failed);
    sn_json_end_object(&w);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

void sn_test_report_junit(const struct sn_test_report *report, struct sn_buf *out)
{
    sn_buf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    sn_buf_add(out, sn_buf_slice(&report->junit));
    sn_buf_add_str(out, "</testsuites>\n");
}
