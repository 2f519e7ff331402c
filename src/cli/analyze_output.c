/* SPDX-License-Identifier: Apache-2.0 */
/* cli/analyze_output.c - text and JSON; see analyze_output.h. */
#include "cli/analyze_output.h"

#include "base/time.h"
#include "cli/policy_test.h"
#include "cli/report.h"
#include "codec/json.h"

static const char *const via_words[] = {"rule", "auto_approval", "break_glass"};

bool sn_analyze_shows(const struct sn_analyze_report *report, const struct sn_analysis_finding *finding)
{
    return !finding->has_witness ||
           (report->shows_profile[finding->witness.profile] && report->shows_caller[finding->witness.caller]);
}

void sn_analyze_location(
    const struct sn_analyze_report *report, const struct sn_analysis_finding *finding, size_t index, struct sn_buf *out)
{
    if (report->documents != NULL) {
        sn_cli_printable(out, report->documents[finding->document]);
        sn_buf_add_byte(out, ' ');
    }
    sn_buf_addf(out, "rules[%u]", finding->rules[index]);
}

void sn_analyze_cell(const struct sn_reach *reach, struct sn_buf *out)
{
    static const struct {
        enum sn_effect effect;
        const char *word;
    } words[] = {{SN_EFFECT_ALLOW, "allow"}, {SN_EFFECT_REQUIRE_APPROVAL, "ask"}, {SN_EFFECT_DENY, "deny"}};
    const char *between = "";

    for (size_t i = 0; i < SN_LEN(words); i++) {
        if ((reach->results >> words[i].effect & 1) != 0) {
            sn_buf_addf(out, "%s%s", between, words[i].word);
            between = "/";
        }
    }
    if (reach->asks_second && reach->via_count == 0) {
        sn_buf_add_str(out, " 2");
    }
}

/* --- Text --- */

static void via_text(const struct sn_reach *reach, struct sn_buf *out)
{
    static const char *const words[] = {"by rule", "approved by itself under", "in an emergency under"};
    for (size_t i = 0; i < reach->via_count; i++) {
        sn_buf_addf(out, "%s%s '", i > 0 ? ", " : "", words[reach->vias[i].kind]);
        sn_cli_printable(out, reach->vias[i].rule);
        sn_buf_add_byte(out, '\'');
    }
}

static void pad(struct sn_buf *out, size_t begun_at, size_t width)
{
    do {
        sn_buf_add_byte(out, ' ');
    } while (!out->overflow && out->len < begun_at + width);
}

static void reach_line(
    const struct sn_analyze_report *report, const struct sn_reach *reach, size_t width, struct sn_buf *out)
{
    size_t begun_at = out->len;
    sn_buf_add_str(out, "  ");
    sn_cli_printable(out, report->space->callers[reach->caller].text);
    pad(out, begun_at, width);
    begun_at = out->len;
    sn_analyze_cell(reach, out);
    if (reach->via_count > 0) {
        pad(out, begun_at, 16);
        via_text(reach, out);
    }
    sn_buf_add_byte(out, '\n');
}

static void reach_table(const struct sn_analyze_report *report, struct sn_buf *out)
{
    enum { WIDEST = 72 };
    const struct sn_space *space = report->space;
    size_t width = 0;

    for (size_t u = 0; u < space->caller_count; u++) {
        size_t len = space->callers[u].text.len + 4;
        width = report->shows_caller[u] && len > width ? len : width;
    }
    width = width > WIDEST ? WIDEST : width;
    for (size_t i = 0; i < report->analysis->reach_count; i++) {
        const struct sn_reach *reach = &report->analysis->reach[i];
        if (!report->shows_profile[reach->profile]) {
            continue;
        }
        if (reach->caller == 0) {
            sn_cli_printable(out, space->profiles[reach->profile]);
            sn_buf_add_byte(out, '\n');
        }
        if (report->shows_caller[reach->caller]) {
            reach_line(report, reach, width, out);
        }
    }
}

static void witness_text(const struct sn_space *space, const struct sn_point *point, struct sn_buf *out)
{
    SN_AUTO(sn_buf_clear) struct sn_buf posture = {0};
    char time[SN_TIME_TEXT_MAX];
    const struct sn_space_device *device = &space->devices[point->device];

    sn_buf_add_str(out, "  for example ");
    sn_cli_printable(out, space->callers[point->caller].text);
    sn_buf_add_str(out, ", profile ");
    sn_cli_printable(out, space->profiles[point->profile]);
    sn_buf_add_str(out, ", at ");
    sn_buf_add(out, sn_time_format_rfc3339_s(space->instants[point->instant], time));
    if (device->is_known) {
        struct sn_json_writer w;
        sn_json_writer_init(&w, &posture);
        sn_posture_json(&w, &device->posture);
        sn_buf_add_str(out, ", posture ");
        sn_cli_printable(out, sn_buf_slice(&posture));
    }
    sn_buf_add_byte(out, '\n');
}

static void finding_text(
    const struct sn_analyze_report *report, const struct sn_analysis_finding *finding, struct sn_buf *out)
{
    sn_buf_addf(out, "%s: %s: ", sn_severity_name(finding->severity), sn_analysis_code_word(finding->code));
    sn_cli_printable(out, finding->message);
    for (size_t i = 0; i < finding->rule_count; i++) {
        sn_buf_add_str(out, i == 0 ? " (" : ", ");
        sn_analyze_location(report, finding, i, out);
    }
    sn_buf_add_str(out, finding->rule_count > 0 ? ")\n" : "\n");
    if (finding->has_witness) {
        witness_text(report->space, &finding->witness, out);
    }
}

void sn_analyze_text(const struct sn_analyze_report *report, struct sn_buf *out)
{
    const struct sn_space *space = report->space;
    const struct sn_analysis *a = report->analysis;

    reach_table(report, out);
    for (size_t i = 0; i < a->finding_count; i++) {
        if (sn_analyze_shows(report, &a->findings[i])) {
            finding_text(report, &a->findings[i], out);
        }
    }
    if (a->conflicts_left_out > 0) {
        sn_buf_addf(out, "... and %llu more conflicts\n", (unsigned long long)a->conflicts_left_out);
    }
    sn_buf_addf(out,
        "%llu requests tried: %zu profiles, %zu principals, %zu combinations of open windows, %zu device states\n",
        (unsigned long long)space->points, space->profile_count, space->caller_count, space->instant_count,
        space->device_count);
}

/* --- JSON --- */

static void witness_json(struct sn_json_writer *w, const struct sn_space *space, const struct sn_point *point)
{
    char time[SN_TIME_TEXT_MAX];
    const struct sn_space_device *device = &space->devices[point->device];

    sn_json_key(w, "witness");
    sn_json_begin_object(w);
    sn_json_member_text(w, "principal", space->callers[point->caller].text);
    sn_json_member_text(w, "profile", space->profiles[point->profile]);
    sn_json_member_text(w, "time", sn_time_format_rfc3339_ms(space->instants[point->instant] * 1000, time));
    if (device->is_known) {
        sn_json_key(w, "posture");
        sn_posture_json(w, &device->posture);
    }
    sn_json_end_object(w);
}

static void results_json(struct sn_json_writer *w, uint8_t results)
{
    static const enum sn_effect order[] = {SN_EFFECT_ALLOW, SN_EFFECT_DENY, SN_EFFECT_REQUIRE_APPROVAL};
    sn_json_key(w, "results");
    sn_json_begin_array(w);
    for (size_t i = 0; i < SN_LEN(order); i++) {
        if ((results >> order[i] & 1) != 0) {
            sn_json_put_str(w, sn_effect_name(order[i]));
        }
    }
    sn_json_end_array(w);
}

static void reach_json(struct sn_json_writer *w, const struct sn_analyze_report *report, const struct sn_reach *reach)
{
    sn_json_begin_object(w);
    sn_json_member_text(w, "profile", report->space->profiles[reach->profile]);
    sn_json_member_text(w, "principal", report->space->callers[reach->caller].text);
    results_json(w, reach->results);
    sn_json_member_bool(w, "without_second_human", reach->via_count > 0);
    sn_json_key(w, "via");
    sn_json_begin_array(w);
    for (size_t i = 0; i < reach->via_count; i++) {
        sn_json_begin_object(w);
        sn_json_member_str(w, "kind", via_words[reach->vias[i].kind]);
        sn_json_member_text(w, "rule", reach->vias[i].rule);
        sn_json_end_object(w);
    }
    sn_json_end_array(w);
    witness_json(w, report->space, &reach->witness);
    sn_json_end_object(w);
}

static void finding_json(
    struct sn_json_writer *w, const struct sn_analyze_report *report, const struct sn_analysis_finding *finding)
{
    sn_json_begin_object(w);
    sn_json_member_str(w, "severity", sn_severity_name(finding->severity));
    sn_json_member_str(w, "code", sn_analysis_code_word(finding->code));
    sn_json_key(w, "location");
    sn_json_begin_array(w);
    for (size_t i = 0; i < finding->rule_count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf location = {0};
        sn_analyze_location(report, finding, i, &location);
        sn_json_put_text(w, sn_buf_slice(&location));
    }
    sn_json_end_array(w);
    sn_json_member_text(w, "message", finding->message);
    if (finding->has_witness) {
        witness_json(w, report->space, &finding->witness);
    }
    sn_json_end_object(w);
}

static void space_json(struct sn_json_writer *w, const struct sn_space *space)
{
    sn_json_key(w, "space");
    sn_json_begin_object(w);
    sn_json_member_int(w, "profiles", (int64_t)space->profile_count);
    sn_json_member_int(w, "principals", (int64_t)space->caller_count);
    sn_json_member_int(w, "instants", (int64_t)space->instant_count);
    sn_json_member_int(w, "postures", (int64_t)space->device_count);
    sn_json_member_int(w, "points", (int64_t)space->points);
    sn_json_end_object(w);
}

static void changes_json(struct sn_json_writer *w, const struct sn_analyze_report *report)
{
    const struct sn_analysis *a = report->analysis;
    sn_json_key(w, "reach_diff");
    sn_json_begin_array(w);
    for (size_t i = 0; i < a->change_count; i++) {
        const struct sn_reach_change *change = &a->changes[i];
        if (!report->shows_profile[change->profile] || !report->shows_caller[change->caller]) {
            continue;
        }
        sn_json_begin_object(w);
        sn_json_member_text(w, "profile", report->space->profiles[change->profile]);
        sn_json_member_text(w, "principal", report->space->callers[change->caller].text);
        sn_json_member_str(w, "from", sn_effect_name(change->from));
        sn_json_member_str(w, "to", sn_effect_name(change->to));
        sn_json_member_int(w, "points", (int64_t)change->points);
        witness_json(w, report->space, &change->witness);
        sn_json_end_object(w);
    }
    sn_json_end_array(w);
}

void sn_analyze_json(const struct sn_analyze_report *report, struct sn_buf *out)
{
    const struct sn_analysis *a = report->analysis;
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "source", report->source);
    if (report->against != NULL) {
        sn_json_member_str(&w, "against", report->against);
    }
    space_json(&w, report->space);
    sn_json_key(&w, "reach");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < a->reach_count; i++) {
        if (report->shows_profile[a->reach[i].profile] && report->shows_caller[a->reach[i].caller]) {
            reach_json(&w, report, &a->reach[i]);
        }
    }
    sn_json_end_array(&w);
    sn_json_key(&w, "findings");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < a->finding_count; i++) {
        if (sn_analyze_shows(report, &a->findings[i])) {
            finding_json(&w, report, &a->findings[i]);
        }
    }
    sn_json_end_array(&w);
    sn_json_member_int(&w, "conflicts_left_out", (int64_t)a->conflicts_left_out);
    changes_json(&w, report);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}
