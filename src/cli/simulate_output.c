/* SPDX-License-Identifier: Apache-2.0 */
/* cli/simulate_output.c - see simulate_output.h. */
#include "cli/simulate_output.h"

#include <stdlib.h>

#include "base/time.h"
#include "cli/report.h"
#include "codec/json.h"

static int compare_groups(const void *a, const void *b)
{
    const struct sn_change_group *left = a, *right = b;
    if (left->change != right->change) {
        return left->change < right->change ? -1 : 1;
    }
    if (left->count != right->count) {
        return left->count > right->count ? -1 : 1;
    }
    int order = sn_slice_cmp(left->caller_arn, right->caller_arn);
    order = order != 0 ? order : sn_slice_cmp(left->profile, right->profile);
    order = order != 0 ? order : sn_slice_cmp(left->from_rule, right->from_rule);
    return order != 0 ? order : sn_slice_cmp(left->to_rule, right->to_rule);
}

void sn_simulate_sort(struct sn_simulation *simulation)
{
    if (simulation->group_count > 1) {
        qsort(simulation->groups, simulation->group_count, sizeof(*simulation->groups), compare_groups);
    }
}

/* --- Text --- */

static void time_text(struct sn_buf *out, int64_t unix_ms)
{
    char text[SN_TIME_TEXT_MAX];
    sn_buf_add(out, sn_time_format_rfc3339_ms(unix_ms, text));
}

static void result_text(struct sn_buf *out, enum sn_effect effect, struct sn_slice rule)
{
    sn_buf_addf(out, "%s by ", sn_effect_name(effect));
    if (rule.len == 0) {
        sn_buf_add_str(out, "no rule");
        return;
    }
    sn_buf_add_byte(out, '\'');
    sn_cli_printable(out, rule);
    sn_buf_add_byte(out, '\'');
}

static void group_text(const struct sn_simulate_report *report, const struct sn_change_group *group, struct sn_buf *out)
{
    sn_buf_addf(out, "  %llu x ", (unsigned long long)group->count);
    sn_cli_printable(out, group->caller_arn);
    sn_buf_add_str(out, ", profile ");
    sn_cli_printable(out, group->profile);
    sn_buf_add_str(out, "\n      was ");
    result_text(out, group->from_effect, group->from_rule);
    sn_buf_add_str(out, ", would be ");
    result_text(out, group->to_effect, group->to_rule);
    sn_buf_add_byte(out, '\n');
    for (size_t i = 0; i < group->example_count; i++) {
        sn_buf_add_str(out, "      ");
        time_text(out, group->examples[i].unix_ms);
        sn_buf_add_byte(out, ' ');
        sn_cli_printable(out, sn_slice_str(report->files[group->examples[i].file]));
        sn_buf_addf(out, ":%llu\n", (unsigned long long)group->examples[i].line);
    }
}

static void skipped_text(const struct sn_simulate_report *report, struct sn_buf *out)
{
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {{report->other_events, "other events"}, {report->not_evaluated, "refused before the policy was asked"},
        {report->filtered, "outside the period or profiles asked for"}, {report->incomplete, "incomplete"}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (rows[i].count > 0) {
            sn_buf_addf(out, "Not replayed: %llu %s\n", (unsigned long long)rows[i].count, rows[i].what);
        }
    }
}

void sn_simulate_text(const struct sn_simulate_report *report, struct sn_buf *out)
{
    static const char *const titles[SN_CHANGES] = {"Newly denied", "Newly asked for an approval", "Newly allowed",
        "Issued under an override that would not be admitted"};
    const struct sn_simulation *s = report->simulation;
    size_t at = 0;

    sn_buf_addf(
        out, "Replayed %llu of %llu entries", (unsigned long long)s->evaluated, (unsigned long long)report->read);
    if (s->evaluated > 0) {
        sn_buf_add_str(out, ", from ");
        time_text(out, s->first_ms);
        sn_buf_add_str(out, " to ");
        time_text(out, s->last_ms);
    }
    sn_buf_add_byte(out, '\n');
    skipped_text(report, out);
    sn_buf_addf(out, "Unchanged: %llu\n", (unsigned long long)s->unchanged);
    for (unsigned change = 0; change < SN_CHANGES; change++) {
        sn_buf_addf(out, "%s: %llu\n", titles[change], (unsigned long long)s->changes[change]);
        for (; at < s->group_count && s->groups[at].change == (enum sn_change)change; at++) {
            group_text(report, &s->groups[at], out);
        }
    }
    if (s->changes_without_group > 0) {
        sn_buf_addf(out, "... and %llu more changes of other callers and profiles\n",
            (unsigned long long)s->changes_without_group);
    }
}

/* --- JSON --- */

static void member_time(struct sn_json_writer *w, const char *key, bool is_known, int64_t unix_ms)
{
    char text[SN_TIME_TEXT_MAX];
    sn_json_key(w, key);
    if (is_known) {
        sn_json_put_text(w, sn_time_format_rfc3339_ms(unix_ms, text));
    } else {
        sn_json_put_null(w);
    }
}

static void member_count(struct sn_json_writer *w, const char *key, uint64_t count)
{
    sn_json_member_int(w, key, (int64_t)count);
}

static void result_json(struct sn_json_writer *w, const char *key, enum sn_effect effect, struct sn_slice rule)
{
    sn_json_key(w, key);
    sn_json_begin_object(w);
    sn_json_member_str(w, "effect", sn_effect_name(effect));
    sn_json_member_text(w, "rule", rule);
    sn_json_end_object(w);
}

static void group_json(
    struct sn_json_writer *w, const struct sn_simulate_report *report, const struct sn_change_group *group)
{
    sn_json_begin_object(w);
    sn_json_member_str(w, "change", sn_change_words[group->change]);
    sn_json_member_text(w, "caller_arn", group->caller_arn);
    sn_json_member_text(w, "profile", group->profile);
    member_count(w, "count", group->count);
    result_json(w, "from", group->from_effect, group->from_rule);
    result_json(w, "to", group->to_effect, group->to_rule);
    sn_json_key(w, "examples");
    sn_json_begin_array(w);
    for (size_t i = 0; i < group->example_count; i++) {
        const struct sn_log_place *place = &group->examples[i];
        sn_json_begin_object(w);
        sn_json_member_str(w, "file", report->files[place->file]);
        member_count(w, "line", place->line);
        member_time(w, "timestamp", true, place->unix_ms);
        sn_json_end_object(w);
    }
    sn_json_end_array(w);
    sn_json_end_object(w);
}

static void entries_json(struct sn_json_writer *w, const struct sn_simulate_report *report)
{
    sn_json_key(w, "entries");
    sn_json_begin_object(w);
    member_count(w, "read", report->read);
    member_count(w, "evaluated", report->simulation->evaluated);
    member_count(w, "other_events", report->other_events);
    member_count(w, "not_evaluated", report->not_evaluated);
    member_count(w, "filtered", report->filtered);
    member_count(w, "incomplete", report->incomplete);
    sn_json_end_object(w);
}

static void incomplete_json(struct sn_json_writer *w, const struct sn_simulate_report *report)
{
    sn_json_key(w, "incomplete_lines");
    sn_json_begin_array(w);
    for (uint64_t i = 0; i < report->incomplete && i < SN_INCOMPLETE_SHOWN_MAX; i++) {
        sn_json_begin_object(w);
        sn_json_member_str(w, "file", report->files[report->incomplete_lines[i].file]);
        member_count(w, "line", report->incomplete_lines[i].line);
        sn_json_member_str(w, "why", report->incomplete_lines[i].why);
        sn_json_end_object(w);
    }
    sn_json_end_array(w);
}

void sn_simulate_json(const struct sn_simulate_report *report, struct sn_buf *out)
{
    const struct sn_simulation *s = report->simulation;
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "new", report->new_source);
    sn_json_member_str(&w, "against", report->against);
    member_time(&w, "from", s->evaluated > 0, s->first_ms);
    member_time(&w, "to", s->evaluated > 0, s->last_ms);
    entries_json(&w, report);
    member_count(&w, "unchanged", s->unchanged);
    sn_json_key(&w, "changes");
    sn_json_begin_object(&w);
    for (size_t i = 0; i < SN_CHANGES; i++) {
        member_count(&w, sn_change_words[i], s->changes[i]);
    }
    sn_json_end_object(&w);
    sn_json_key(&w, "groups");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < s->group_count; i++) {
        group_json(&w, report, &s->groups[i]);
    }
    sn_json_end_array(&w);
    member_count(&w, "changes_without_group", s->changes_without_group);
    incomplete_json(&w, report);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}
