/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/trace.c - why a request was decided as it was; see policy.h.
 *
 * The texts go to the caller, but for those of sn_policy_trace_all: they speak of the caller's own request and of
 * nobody else. Which condition fails first is found by asking each condition of a rule on its own, in the order of the
 * document, not by the join of the evaluation.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/time.h"
#include "core/policy/join.h"
#include "core/policy/entry.h"
#include "core/policy/limits.h"
#include "core/policy/lists.h"
#include "core/policy/policy.h"
#include "core/policy/schema.h"
#include "core/policy/tz.h"

#define TELL(text, ...) ((void)snprintf((text), sizeof(text), __VA_ARGS__))

static void explain_users(const struct sn_policy_request *request, struct sn_trace_step *step)
{
    const struct sn_principal *principal = request->principal;
    step->condition = "users";
    TELL(step->expected, "a caller that the rule lists");
    if (principal->vouched) {
        TELL(step->actual, "you are not listed");
        TELL(step->remedy, "ask the owner of the policy to list you");
        return;
    }
    TELL(step->actual, "you are not listed; your name is not vouched for: %s", sn_vouch_reason(principal->vouch));
    TELL(step->remedy, "ask the owner of the policy to list your role or your whole ARN");
}

static void tell_time(char *out, size_t out_size, int64_t unix_s, int32_t offset_s, struct sn_slice zone_name)
{
    struct sn_civil civil = sn_civil_from_unix(unix_s + offset_s);
    snprintf(out, out_size, "%s %04d-%02d-%02d %02d:%02d (%.*s)", sn_weekday_words[civil.weekday], civil.year,
        civil.month, civil.day, civil.hour, civil.minute, SN_SHOW(zone_name));
}

static void explain_time(const struct sn_rule *rule, int64_t unix_s, struct sn_trace_step *step)
{
    char days[96] = "";
    size_t used = 0;
    step->condition = "time";
    for (size_t i = 0; i < SN_LEN(sn_weekday_words) && rule->window.days != SN_ALL_DAYS; i++) {
        if ((rule->window.days >> i & 1) != 0) {
            used +=
                (size_t)snprintf(days + used, sizeof(days) - used, "%s%s", used > 0 ? ", " : "", sn_weekday_words[i]);
        }
    }
    TELL(step->expected, "%s, %02d:%02d to %02d:%02d, %.*s", used > 0 ? days : "every day", rule->window.from_min / 60,
        rule->window.from_min % 60, rule->window.to_min / 60, rule->window.to_min % 60, SN_SHOW(rule->zone_name));
    tell_time(step->actual, sizeof(step->actual), unix_s, sn_tz_offset_s(rule->zone, unix_s), rule->zone_name);
    int64_t limit = unix_s + (int64_t)SN_TRACE_OPENING_DAYS * 86400;
    int64_t opening = sn_window_next_opening(&rule->window, rule->zone, unix_s, limit);
    if (opening == INT64_MAX) {
        TELL(step->remedy, "the window does not open within %d days", SN_TRACE_OPENING_DAYS);
        return;
    }
    char local[96], utc[SN_TIME_TEXT_MAX];
    tell_time(local, sizeof(local), opening, sn_tz_offset_s(rule->zone, opening), rule->zone_name);
    (void)sn_time_format_rfc3339_s(opening, utc);
    TELL(step->remedy, "the window opens %s, %s", utc, local);
    step->has_opening = true;
    step->opens_unix_s = opening;
}

static void explain_mode(
    const struct sn_rule *rule, const struct sn_policy_request *request, struct sn_trace_step *step)
{
    size_t used = 0;
    step->condition = "mode";
    for (size_t i = 0; i < SN_MODES; i++) {
        if ((rule->modes >> i & 1) != 0) {
            used += (size_t)snprintf(
                step->expected + used, sizeof(step->expected) - used, "%s%s", used > 0 ? ", " : "", sn_mode_words[i]);
        }
    }
    TELL(step->actual, "%s", sn_mode_words[request->mode]);
}

/* Appends "; text" to a list of needs. */
static void add_need(char *out, size_t out_size, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, out_size - used, "%s%s", used > 0 ? "; " : "", text);
}

static void explain_device(const struct sn_policy *policy, const struct sn_rule *rule,
    const struct sn_policy_request *request, const struct sn_posture_view *view, struct sn_trace_step *step)
{
    static const char *const needs[SN_NEEDS] = {
        "the disk encrypted", "the device enrolled", "the device enrolled and compliant", "the firewall on"};
    static const char *const remedies[SN_NEEDS] = {
        "encrypt the disk", "enrol the device", "make the device compliant", "turn the firewall on"};
    char text[160];
    step->condition = "device";
    for (size_t need = 0; need < SN_NEEDS; need++) {
        if ((rule->needs >> need & 1) != 0 && !view->meets[need]) {
            add_need(step->expected, sizeof(step->expected), needs[need]);
            add_need(step->remedy, sizeof(step->remedy), remedies[need]);
        }
    }
    if (rule->os_types != 0 && (view->os_type < 0 || (rule->os_types >> view->os_type & 1) == 0)) {
        size_t used = (size_t)snprintf(text, sizeof(text), "an operating system of:");
        for (size_t i = 0; i < SN_OS_TYPES; i++) {
            used += (rule->os_types >> i & 1) == 0
                        ? 0
                        : (size_t)snprintf(text + used, sizeof(text) - used, " %s", sn_os_type_words[i]);
        }
        add_need(step->expected, sizeof(step->expected), text);
        add_need(step->remedy, sizeof(step->remedy), "use such a device");
    }
    if (rule->version != SN_STRTAB_NONE && view->version_rank <= rule->version) {
        snprintf(text, sizeof(text), "version %.*s or later", SN_SHOW(policy->versions[rule->version]));
        add_need(step->expected, sizeof(step->expected), text);
        add_need(step->remedy, sizeof(step->remedy), "update the operating system");
    }
    if (step->expected[0] == '\0') {
        TELL(step->expected, "a known device");
    }
    if (request->posture == NULL) {
        TELL(step->actual, "no device posture is known");
        TELL(step->remedy, "use a device that your organisation manages");
    } else {
        TELL(step->actual, "the device, running %.*s %.*s, does not meet this", SN_SHOW(request->posture->os_type),
            SN_SHOW(request->posture->os_version));
    }
}

const char *const sn_condition_words[SN_CONDITIONS] = {"profiles", "users", "time", "mode", "device"};

enum sn_condition sn_policy_first_failure(const struct sn_policy *policy, const struct sn_policy_ids *ids,
    const struct sn_policy_request *request, size_t index)
{
    const struct sn_rule *rule = &policy->rules[index];
    if (rule->has_profiles && !sn_bits_has(&ids->profile, index)) {
        return SN_CONDITION_PROFILES;
    }
    if (rule->has_users && !sn_ids_name_caller(ids, index)) {
        return SN_CONDITION_USERS;
    }
    if (rule->has_time && !sn_window_contains(&rule->window, rule->zone, request->unix_s)) {
        return SN_CONDITION_TIME;
    }
    if (rule->modes != 0 && (rule->modes >> request->mode & 1) == 0) {
        return SN_CONDITION_MODE;
    }
    return sn_device_matches(policy, index, &ids->posture) ? SN_CONDITIONS : SN_CONDITION_DEVICE;
}

/* Fills in the first failing condition of a rule; true when none fails. */
static bool explain_rule(const struct sn_policy *policy, const struct sn_policy_ids *ids,
    const struct sn_policy_request *request, size_t index, struct sn_trace_step *step)
{
    const struct sn_rule *rule = &policy->rules[index];
    switch (sn_policy_first_failure(policy, ids, request, index)) {
    case SN_CONDITION_PROFILES:
        step->condition = "profiles";
        TELL(step->actual, "%.*s", SN_SHOW(request->profile));
        return false;
    case SN_CONDITION_USERS:
        explain_users(request, step);
        return false;
    case SN_CONDITION_TIME:
        explain_time(rule, request->unix_s, step);
        return false;
    case SN_CONDITION_MODE:
        explain_mode(rule, request, step);
        return false;
    case SN_CONDITION_DEVICE:
        explain_device(policy, rule, request, &ids->posture, step);
        return false;
    case SN_CONDITIONS:
        break;
    }
    return true;
}

/* --- For those who hold the document --- */

static void join_entries(char *out, size_t out_size, const struct sn_slice *entries, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        int len = snprintf(out + used, out_size - used, "%s%.*s", i > 0 ? ", " : "", SN_SHOW(entries[i]));
        if (len < 0 || used + (size_t)len + sizeof(", ...") > out_size) {
            snprintf(out + used, out_size - used, "%s...", i > 0 ? ", " : "");
            return;
        }
        used += (size_t)len;
    }
}

static struct sn_slice entry_text(struct sn_arena *arena, const struct sn_strtab_entry *entry)
{
    return entry->space == SN_ENTRY_ROLE ? sn_arena_printf(arena, "role:%.*s", SN_PRI(entry->text)) : entry->text;
}

/* Names what a list of the rule holds, from the list itself. */
static void tell_entries(struct sn_trace *trace, const struct sn_strtab *table, const struct sn_number_list *list,
    struct sn_trace_step *step)
{
    struct sn_slice *entries = sn_arena_alloc(&trace->arena, list->count, sizeof(*entries));
    for (size_t i = 0; i < list->count; i++) {
        entries[i] = entry_text(&trace->arena, &table->entries[list->items[i]]);
    }
    step->entries = entries;
    step->entry_count = list->count;
    join_entries(step->expected, sizeof(step->expected), entries, list->count);
    TELL(step->remedy, "be one of these, or be added to them");
}

static void tell_caller(const struct sn_policy_request *request, struct sn_trace_step *step)
{
    const struct sn_principal *principal = request->principal;
    if (!principal->vouched) {
        TELL(step->actual, "%.160s, not vouched for: %s", principal->arn, sn_vouch_reason(principal->vouch));
    } else if (principal->type == SN_PRINCIPAL_USER && strcmp(principal->account, request->own_account) != 0) {
        TELL(step->actual, "%.160s, an IAM user of another account", principal->arn);
    } else {
        TELL(step->actual, "%s", principal->name);
    }
}

static void tell_lists(const struct sn_policy *policy, const struct sn_policy_request *request,
    const struct sn_policy_lists *lists, struct sn_trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        struct sn_trace_step *step = &trace->steps[i];
        const struct sn_rule_lists *rule = &lists->rules[step->index];
        if (step->condition == NULL) {
            continue;
        }
        if (strcmp(step->condition, "profiles") == 0) {
            tell_entries(trace, &policy->profiles, &rule->profiles, step);
        } else if (strcmp(step->condition, "users") == 0) {
            tell_entries(trace, &policy->atoms, &rule->users, step);
            tell_caller(request, step);
        }
    }
}

static void trace_rules(const struct sn_policy *policy, const struct sn_policy_request *request, bool all,
    struct sn_decision *out_decision, struct sn_trace *out_trace)
{
    struct sn_policy_ids ids;
    *out_trace = (struct sn_trace){0};
    sn_policy_intern(policy, request, &ids);
    sn_policy_evaluate_ids(policy, &ids, request, out_decision);
    if (policy == NULL || request == NULL || request->principal == NULL || (size_t)request->mode >= SN_MODES) {
        return;
    }
    out_trace->steps = sn_alloc(policy->rule_count, sizeof(*out_trace->steps));
    bool is_decided = false;
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct sn_rule *rule = &policy->rules[i];
        bool is_other = rule->has_profiles && !sn_bits_has(&ids.profile, i);
        if (is_other && !all) {
            out_trace->other_rules++;
            continue;
        }
        struct sn_trace_step *step = &out_trace->steps[out_trace->count++];
        *step = (struct sn_trace_step){.index = (int)i, .name = rule->name, .effect = rule->effect};
        if (is_decided) {
            step->outcome = SN_TRACE_NOT_REACHED;
            continue;
        }
        is_decided = explain_rule(policy, &ids, request, i, step);
        step->outcome = is_decided ? SN_TRACE_MATCHED : SN_TRACE_NOT_MATCHED;
        /* The trace looks at every condition by another way than the evaluation; they never part. */
        SN_ASSERT(!is_decided || out_decision->rule_index == (int)i);
    }
    SN_ASSERT(is_decided || out_decision->rule_index == -1);
}

void sn_policy_trace(const struct sn_policy *policy, const struct sn_policy_request *request,
    struct sn_decision *out_decision, struct sn_trace *out_trace)
{
    trace_rules(policy, request, false, out_decision, out_trace);
}

void sn_policy_trace_all(const struct sn_policy *policy, const struct sn_policy_request *request,
    struct sn_decision *out_decision, struct sn_trace *out_trace)
{
    struct sn_policy_lists lists;
    trace_rules(policy, request, true, out_decision, out_trace);
    if (out_trace->count > 0) {
        sn_policy_lists_of(policy, &lists);
        tell_lists(policy, request, &lists, out_trace);
        sn_policy_lists_clear(&lists);
    }
}

void sn_trace_clear(struct sn_trace *trace)
{
    sn_free(trace->steps);
    sn_arena_clear(&trace->arena);
    *trace = (struct sn_trace){0};
}
