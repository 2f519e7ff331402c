/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_mutation.c - see policy_mutation.h. */
#include "cli/policy_mutation.h"

#include "base/parse.h"
#include "base/time.h"
#include "cli/policy_test.h"
#include "cli/report.h"
#include "core/policy/trial.h"

void sn_mutation_report_clear(struct sn_mutation_report *report)
{
    sn_buf_clear(&report->text);
    sn_buf_clear(&report->json);
}

/* Each member is text that YAML and JSON read alike; the form of the whole is the caller's. */
static void case_name(struct sn_json_writer *w, const struct sn_survivor *s)
{
    SN_AUTO(sn_buf_clear) struct sn_buf name = {0};
    sn_buf_addf(&name, "notices %.*s: %.*s", SN_PRI(s->mutant->location), SN_PRI(s->mutant->change));
    sn_json_put_text(w, sn_buf_slice(&name));
}

static void case_expectation(struct sn_json_writer *w, const struct sn_survivor *s)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    const struct sn_expectation *e = &s->expected;

    sn_json_begin_object(w);
    sn_json_member_str(w, "effect", sn_effect_name(e->effect));
    sn_json_member_text(w, "rule", e->rule);
    if (e->has_override) {
        sn_json_member_str(w, "override", sn_override_name(e->override));
    }
    if (e->has_duration) {
        if (e->duration_s > 0) {
            sn_format_duration(&text, e->duration_s);
        } else {
            sn_buf_add_str(&text, "0s");
        }
        sn_json_member_text(w, "max_server_duration", sn_buf_slice(&text));
    }
    sn_json_end_object(w);
}

static void case_json(struct sn_json_writer *w, const struct sn_survivor *s)
{
    char time[SN_TIME_TEXT_MAX];

    sn_json_begin_object(w);
    sn_json_key(w, "name");
    case_name(w, s);
    sn_json_member_text(w, "principal", s->principal);
    sn_json_member_text(w, "profile", s->profile);
    sn_json_member_text(w, "time", sn_time_format_rfc3339_ms(s->unix_s * 1000, time));
    if (s->has_posture) {
        sn_json_key(w, "posture");
        sn_posture_json(w, &s->posture);
    }
    sn_json_key(w, "expect");
    case_expectation(w, s);
    sn_json_end_object(w);
}

static void survivor_json(struct sn_json_writer *w, const char *policy_path, const struct sn_survivor *s)
{
    sn_json_begin_object(w);
    sn_json_member_str(w, "policy", policy_path);
    sn_json_member_text(w, "location", s->mutant->location);
    sn_json_member_int(w, "line", s->mutant->line);
    sn_json_member_text(w, "change", s->mutant->change);
    sn_json_key(w, "case");
    case_json(w, s);
    sn_json_end_object(w);
}

/* One line "key: value" of the case; flow style, which a test file takes as it stands. */
static void yaml_line(struct sn_buf *out, const char *key, const struct sn_buf *value)
{
    sn_buf_addf(out, "    %s: ", key);
    sn_cli_printable(out, sn_buf_slice(value));
    sn_buf_add_byte(out, '\n');
}

static void case_yaml(struct sn_buf *out, const struct sn_survivor *s)
{
    SN_AUTO(sn_buf_clear) struct sn_buf value = {0};
    struct sn_json_writer w;
    char time[SN_TIME_TEXT_MAX];
    const struct {
        const char *key;
        struct sn_slice text;
    } texts[] = {
        {"principal", s->principal}, {"profile", s->profile}, {"time", sn_time_format_rfc3339_s(s->unix_s, time)}};

    sn_json_writer_init(&w, &value);
    case_name(&w, s);
    yaml_line(out, "- name", &value);
    for (size_t i = 0; i < SN_LEN(texts); i++) {
        sn_buf_reset(&value);
        sn_json_writer_init(&w, &value);
        sn_json_put_text(&w, texts[i].text);
        sn_buf_add_str(out, "  ");
        yaml_line(out, texts[i].key, &value);
    }
    if (s->has_posture) {
        sn_buf_reset(&value);
        sn_json_writer_init(&w, &value);
        sn_posture_json(&w, &s->posture);
        sn_buf_add_str(out, "  ");
        yaml_line(out, "posture", &value);
    }
    sn_buf_reset(&value);
    sn_json_writer_init(&w, &value);
    case_expectation(&w, s);
    sn_buf_add_str(out, "  ");
    yaml_line(out, "expect", &value);
}

void sn_mutation_report_add(
    struct sn_mutation_report *report, const char *policy_path, const struct sn_mutation_result *result)
{
    struct sn_buf *out = &report->text;

    if (report->json.len == 0) {
        sn_json_writer_init(&report->writer, &report->json);
        sn_json_begin_array(&report->writer);
    }
    report->caught += result->caught;
    report->equivalent += result->equivalent;
    report->survived += result->survivor_count;
    for (size_t i = 0; i < result->survivor_count; i++) {
        const struct sn_survivor *s = &result->survivors[i];
        sn_buf_addf(out, "SURVIVED %.*s: ", SN_PRI(s->mutant->location));
        sn_cli_printable(out, s->mutant->change);
        sn_buf_add_str(out, " (");
        sn_cli_printable(out, sn_slice_str(policy_path));
        sn_buf_addf(out, ":%u)\n  this case would notice it:\n", s->mutant->line);
        case_yaml(out, s);
        survivor_json(&report->writer, policy_path, s);
    }
}

void sn_mutation_report_text(const struct sn_mutation_report *report, struct sn_buf *out)
{
    if (!report->is_made) {
        return;
    }
    sn_buf_add(out, sn_buf_slice(&report->text));
    sn_buf_addf(out, "%zu mutants: %zu caught, %zu survived; %zu more change no decision\n",
        report->caught + report->survived, report->caught, report->survived, report->equivalent);
}

void sn_mutation_report_json(struct sn_mutation_report *report, struct sn_json_writer *w)
{
    if (!report->is_made) {
        return;
    }
    sn_json_end_array(&report->writer);
    sn_json_key(w, "mutation");
    sn_json_begin_object(w);
    sn_json_member_int(w, "mutants", (int64_t)(report->caught + report->survived));
    sn_json_member_int(w, "caught", (int64_t)report->caught);
    sn_json_member_int(w, "equivalent", (int64_t)report->equivalent);
    sn_json_key(w, "survived");
    sn_json_put_raw(w, sn_buf_slice(&report->json));
    sn_json_end_object(w);
}
