/* SPDX-License-Identifier: Apache-2.0 */
/* cli/policy_output.c - see policy_output.h. */
#include "cli/policy_output.h"

#include <string.h>

#include "base/parse.h"
#include "base/time.h"
#include "cli/report.h"
#include "core/policy/trial.h"

static void member_time(struct sn_json_writer *w, const char *key, int64_t unix_ms)
{
    char text[SN_TIME_TEXT_MAX];

    sn_json_member_text(w, key, sn_time_format_rfc3339_ms(unix_ms, text));
}

/* {"time":"..."} or {"users":["a","b"]}: what would have made the rule match. */
static void would_match(struct sn_json_writer *w, const struct sn_trace_step *step)
{
    if (strcmp(step->condition, "time") == 0 && !step->has_opening) {
        return;
    }
    sn_json_key(w, "would_match");
    sn_json_begin_object(w);
    if (step->has_opening) {
        member_time(w, "time", step->opens_unix_s * 1000);
    } else if (step->entry_count > 0) {
        sn_json_key(w, step->condition);
        sn_json_begin_array(w);
        for (size_t i = 0; i < step->entry_count; i++) {
            sn_json_put_text(w, step->entries[i]);
        }
        sn_json_end_array(w);
    } else {
        sn_json_member_str(w, step->condition, step->expected);
    }
    sn_json_end_object(w);
}

static void trace_json(struct sn_json_writer *w, const struct sn_trace *trace)
{
    sn_json_key(w, "trace");
    sn_json_begin_array(w);
    for (size_t i = 0; i < trace->count; i++) {
        const struct sn_trace_step *step = &trace->steps[i];
        sn_json_begin_object(w);
        sn_json_member_int(w, "rule_index", step->index);
        sn_json_member_text(w, "rule", step->name);
        sn_json_member_str(w, "effect", sn_rule_effect_name(step->effect));
        sn_json_member_bool(w, "matched", step->outcome == SN_TRACE_MATCHED);
        if (step->outcome == SN_TRACE_NOT_REACHED) {
            sn_json_member_bool(w, "reached", false);
        } else if (step->outcome == SN_TRACE_NOT_MATCHED) {
            sn_json_member_str(w, "failed", step->condition);
            sn_json_member_str(w, "expected", step->expected);
            sn_json_member_str(w, "actual", step->actual);
            would_match(w, step);
        }
        sn_json_end_object(w);
    }
    sn_json_end_array(w);
}

void sn_decision_json(struct sn_json_writer *w, const struct sn_decision_facts *facts)
{
    const struct sn_decision *d = facts->decision;

    sn_json_begin_object(w);
    sn_json_member_str(w, "effect", sn_effect_name(d->effect));
    sn_json_member_text(w, "rule", d->rule);
    sn_json_member_int(w, "rule_index", d->rule_index);
    sn_json_member_text(w, "reason", d->reason);
    sn_json_member_bool(w, "requires_server_mode", d->requires_server_mode);
    sn_json_member_bool(w, "requires_session_tracking", d->requires_session_tracking);
    sn_json_member_text(w, "session_table", d->session_table);
    sn_json_member_int(w, "max_server_duration_seconds", d->max_server_duration_s);
    sn_json_member_str(w, "override", sn_override_name(d->override));
    member_time(w, "time", facts->unix_ms);
    if (facts->evaluated_unix_ms != 0) {
        member_time(w, "evaluated_at", facts->evaluated_unix_ms);
    }
    if (facts->policy_hash != NULL) {
        sn_json_member_str(w, "policy_hash", facts->policy_hash);
    }
    if (facts->trace != NULL) {
        trace_json(w, facts->trace);
    }
    sn_json_end_object(w);
}

static void labelled(struct sn_buf *out, const char *label, struct sn_slice text)
{
    if (text.len > 0) {
        sn_buf_addf(out, "%-15s", label);
        sn_cli_printable(out, text);
        sn_buf_add_byte(out, '\n');
    }
}

void sn_decision_text(struct sn_buf *out, const struct sn_decision *d)
{
    SN_AUTO(sn_buf_clear) struct sn_buf line = {0};

    sn_decision_format(&line, d);
    sn_cli_printable(out, sn_buf_slice(&line));
    sn_buf_add_byte(out, '\n');
    labelled(out, "Reason:", d->reason);
    if (d->max_server_duration_s > 0) {
        sn_buf_reset(&line);
        sn_format_duration(&line, d->max_server_duration_s);
        labelled(out, "At most:", sn_buf_slice(&line));
    }
    if (d->requires_server_mode) {
        labelled(out, "Needs:", SN_S("the server mode"));
    }
    if (d->requires_session_tracking) {
        labelled(out, "Needs:", SN_S("a store that records sessions"));
    }
    if (d->effect != SN_EFFECT_ALLOW) {
        labelled(out, "Overridden by:",
            d->override == SN_OVERRIDE_NONE         ? SN_S("nothing")
            : d->override == SN_OVERRIDE_BREAKGLASS ? SN_S("break-glass")
                                                    : SN_S("an approved request, or break-glass"));
    }
}

static void detail(struct sn_buf *out, const char *label, const char *text)
{
    if (text[0] != '\0') {
        sn_buf_addf(out, "        %-10s", label);
        sn_cli_printable(out, sn_slice_str(text));
        sn_buf_add_byte(out, '\n');
    }
}

void sn_trace_text(struct sn_buf *out, const struct sn_trace *trace, int last, bool color)
{
    size_t not_reached = 0;

    for (size_t i = 0; i < trace->count && (last < 0 || trace->steps[i].index <= last); i++) {
        const struct sn_trace_step *step = &trace->steps[i];
        bool is_match = step->outcome == SN_TRACE_MATCHED;
        if (step->outcome == SN_TRACE_NOT_REACHED) {
            not_reached++;
            continue;
        }
        sn_buf_addf(out, "  %s%s%s %d ", color && is_match ? "\033[1m" : "", is_match ? ">" : " ",
            color && is_match ? "\033[0m" : "", step->index);
        sn_cli_printable(out, step->name);
        sn_buf_addf(out, " (%s): %s%s\n", sn_rule_effect_name(step->effect),
            is_match ? "matched" : "not matched because of ", is_match ? "" : step->condition);
        if (!is_match) {
            detail(out, "expected:", step->expected);
            detail(out, "request:", step->actual);
            detail(out, "to match:", step->remedy);
        }
    }
    if (not_reached > 0) {
        sn_buf_addf(out, "    %zu more rule%s not reached\n", not_reached, not_reached == 1 ? "" : "s");
    }
}
