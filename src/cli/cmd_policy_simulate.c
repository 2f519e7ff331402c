/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_policy_simulate.c - policy simulate: replays logged decisions against a changed policy (POL 14.2).
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/time.h"
#include "cli/decision_log.h"
#include "cli/policy_commands.h"
#include "cli/policy_set.h"
#include "cli/simulate_output.h"

enum { EXIT_CHANGED = 1, EXIT_INCOMPLETE = 3, WARNED_MAX = 10, PATH_SHOWN_MAX = 256 };

struct simulate_args {
    struct sn_opt_list logs, profiles;
    const char *since, *until, *against, *vouching_roles, *tvm_account, *session_store;
    int64_t examples;
    bool allow_incomplete, fail_on_change;
};

/* clang-format off */
static const struct sn_opt simulate_opts[] = {
    {.name = "log", .metavar = "FILE", .kind = SN_OPT_LIST, .flags = SN_OPT_REQUIRED, .words = SN_WORDS_FILES,
     .field = offsetof(struct simulate_args, logs), .help = "a log of decisions, '-' for stdin; may be given again"},
    {.name = "log-file", .metavar = "FILE", .kind = SN_OPT_LIST, .flags = SN_OPT_HIDDEN, .words = SN_WORDS_FILES,
     .field = offsetof(struct simulate_args, logs), .help = "the same as --log"},
    {.name = "since", .metavar = "TIME", .kind = SN_OPT_STRING, .field = offsetof(struct simulate_args, since),
     .help = "leave out what is older: RFC 3339, or an age such as 30d"},
    {.name = "until", .metavar = "TIME", .kind = SN_OPT_STRING, .field = offsetof(struct simulate_args, until),
     .help = "leave out what is not older, in the same forms"},
    {.name = "profile", .metavar = "PROFILE", .kind = SN_OPT_LIST, .words = SN_WORDS_PROFILES,
     .field = offsetof(struct simulate_args, profiles), .help = "only decisions about this profile; may be given again"},
    {.name = "against", .metavar = "OLD", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct simulate_args, against),
     .help = "compare with this policy or directory instead of with what the log says"},
    {.name = "vouching-roles", .metavar = "GLOBS", .kind = SN_OPT_STRING,
     .field = offsetof(struct simulate_args, vouching_roles),
     .help = "for entries that do not say whether the name was vouched for, as SENTINEL_VOUCHING_ROLES"},
    {.name = "tvm-account", .metavar = "ID", .kind = SN_OPT_STRING, .field = offsetof(struct simulate_args, tvm_account),
     .help = "the TVM's own account; else that of the IAM users in the log"},
    {.name = "session-store", .metavar = "NAME", .kind = SN_OPT_STRING, .fallback = "sessions",
     .field = offsetof(struct simulate_args, session_store), .help = "where sessions are recorded, or 'none'"},
    {.name = "examples", .metavar = "N", .kind = SN_OPT_INT, .min = 0, .max = SN_SIMULATION_EXAMPLES_MAX, .fallback = "3",
     .field = offsetof(struct simulate_args, examples), .help = "places in the log shown for each group of changes"},
    {.name = "allow-incomplete", .kind = SN_OPT_FLAG, .field = offsetof(struct simulate_args, allow_incomplete),
     .help = "do not fail because of lines that cannot be replayed"},
    {.name = "fail-on-change", .kind = SN_OPT_FLAG, .field = offsetof(struct simulate_args, fail_on_change),
     .help = "exit 1 when any decision changes"},
    {0},
};
/* clang-format on */

struct replay {
    struct sn_app *app;
    const struct simulate_args *args;
    struct sn_policy_set new_set, old_set;
    struct sn_simulation simulation;
    struct sn_simulate_report report;
    const char *files[SN_OPT_LIST_MAX];
    struct sn_slice last_path; /* of the documents named by the log, when one file governs all */
    char path_kept[PATH_SHOWN_MAX];
    bool has_path;
    int64_t since_ms, until_ms;
    uint32_t file;
};

static void clear_replay(struct replay *replay)
{
    sn_simulation_clear(&replay->simulation);
    sn_policy_set_clear(&replay->new_set);
    sn_policy_set_clear(&replay->old_set);
}

/* --- What is asked for --- */

/* An age in days, hours, minutes or seconds, or an instant. */
static enum sn_status read_when(
    const char *text, const char *option, int64_t now_ms, int64_t *out_unix_ms, struct sn_error *err)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    struct sn_slice slice = sn_slice_str(text);
    struct sn_error ignored = {0};
    int64_t count = 0;

    if (sn_time_parse_rfc3339(slice, out_unix_ms, &ignored) == SN_OK) {
        return SN_OK;
    }
    for (size_t i = 0; i < SN_LEN(units) && slice.len > 1; i++) {
        if (slice.ptr[slice.len - 1] == units[i].unit &&
            sn_parse_int(sn_slice_sub(slice, 0, slice.len - 1), 0, 1000000000, &count, &ignored) == SN_OK) {
            *out_unix_ms = now_ms - count * units[i].seconds * 1000;
            return SN_OK;
        }
    }
    sn_fail(err, SN_USAGE, "INVALID_TIME", "'%s' of %s is neither a time nor an age", text, option);
    return sn_suggest(err, "a time such as 2026-02-01T00:00:00Z, or an age such as 30d or 12h");
}

static enum sn_status read_period(struct replay *replay, struct sn_error *err)
{
    int64_t now_ms = sn_clock_unix_ms(sn_clock_system());

    replay->since_ms = INT64_MIN;
    replay->until_ms = INT64_MAX;
    if (replay->args->since != NULL) {
        SN_TRY(read_when(replay->args->since, "--since", now_ms, &replay->since_ms, err));
    }
    if (replay->args->until != NULL) {
        SN_TRY(read_when(replay->args->until, "--until", now_ms, &replay->until_ms, err));
    }
    return SN_OK;
}

static const struct sn_policy *find_policy(void *ctx, struct sn_slice profile)
{
    const struct sn_policy_item *item = sn_policy_set_find(ctx, profile);
    return item != NULL ? item->policy : NULL;
}

static enum sn_status load_sources(struct replay *replay, struct sn_error *err)
{
    const struct simulate_args *args = replay->args;
    struct sn_simulation *s = &replay->simulation;

    SN_TRY(sn_policy_set_load(&replay->new_set, replay->app->operands[0], NULL, err));
    s->new_policies = (struct sn_policy_source){find_policy, &replay->new_set};
    replay->report.against = "log";
    if (args->against != NULL) {
        SN_TRY(sn_policy_set_load(&replay->old_set, args->against, NULL, err));
        s->old_policies = (struct sn_policy_source){find_policy, &replay->old_set};
        replay->report.against = args->against;
    }
    if (args->tvm_account != NULL) {
        SN_TRY(sn_trial_account(sn_slice_str(args->tvm_account), &s->server, err));
    }
    if (args->vouching_roles != NULL) {
        SN_TRY(sn_trial_globs(sn_slice_str(args->vouching_roles), &s->server, err));
    }
    if (strcmp(args->session_store, "none") != 0) {
        s->server.session_store = sn_slice_str(args->session_store);
    }
    s->examples = (size_t)args->examples;
    sn_simulation_begin(s);
    return SN_OK;
}

/* --- Entries --- */

static void note_incomplete(struct replay *replay, uint64_t line, const char *why)
{
    struct sn_simulate_report *report = &replay->report;

    if (report->incomplete < SN_INCOMPLETE_SHOWN_MAX) {
        struct sn_incomplete_line *kept = &report->incomplete_lines[report->incomplete];
        *kept = (struct sn_incomplete_line){.file = replay->file, .line = line};
        snprintf(kept->why, sizeof(kept->why), "%s", why);
    }
    if (report->incomplete < WARNED_MAX) {
        sn_app_warn(
            replay->app, "%s:%llu: not replayed: %s", replay->files[replay->file], (unsigned long long)line, why);
    }
    report->incomplete++;
}

static bool is_wanted(const struct replay *replay, const struct sn_logged_decision *decision)
{
    const struct sn_opt_list *profiles = &replay->args->profiles;
    bool is_named = profiles->count == 0;

    for (size_t i = 0; i < profiles->count && !is_named; i++) {
        is_named = sn_slice_eq_str(decision->profile, profiles->items[i]);
    }
    return is_named && decision->unix_ms >= replay->since_ms && decision->unix_ms < replay->until_ms;
}

/* One file cannot stand for the several documents that the log speaks of. */
static enum sn_status check_path(struct replay *replay, const struct sn_logged_decision *decision, struct sn_error *err)
{
    struct sn_slice shown = sn_slice_sub(decision->policy_path, 0, PATH_SHOWN_MAX);

    if (replay->new_set.is_directory || replay->args->profiles.count > 0) {
        return SN_OK;
    }
    if (!replay->has_path) {
        replay->has_path = true;
        memcpy(replay->path_kept, shown.ptr != NULL ? shown.ptr : "", shown.len);
        replay->last_path = (struct sn_slice){replay->path_kept, shown.len};
    } else if (!sn_slice_eq(replay->last_path, shown)) {
        sn_fail(err, SN_USAGE, "SEVERAL_POLICIES", "the log speaks of several policies, '%.*s' and '%.*s' among them",
            SN_PRI(replay->last_path), SN_PRI(shown));
        return sn_suggest(err, "say with --profile which profiles the file governs, or give a document directory");
    }
    return SN_OK;
}

static enum sn_status replay_decision(
    struct replay *replay, uint64_t line, const struct sn_logged_decision *decision, struct sn_error *err)
{
    struct sn_error cause = {0};

    if (!is_wanted(replay, decision)) {
        replay->report.filtered++;
        return SN_OK;
    }
    SN_TRY(check_path(replay, decision, err));
    if (sn_simulation_add(&replay->simulation, decision, replay->file, line, &cause) == SN_OK) {
        return SN_OK;
    }
    if (cause.status == SN_USAGE) {
        *err = cause;
        return err->status;
    }
    note_incomplete(replay, line, "'caller_arn' is no caller");
    return SN_OK;
}

static enum sn_status take_entry(void *ctx, uint64_t line, enum sn_logged_kind kind,
    const struct sn_logged_decision *decision, const char *why, struct sn_error *err)
{
    struct replay *replay = ctx;

    replay->report.read++;
    switch (kind) {
    case SN_LOGGED_DECISION:
        return replay_decision(replay, line, decision, err);
    case SN_LOGGED_NOT_EVALUATED:
        replay->report.not_evaluated++;
        return SN_OK;
    case SN_LOGGED_OTHER:
        replay->report.other_events++;
        return SN_OK;
    case SN_LOGGED_BROKEN:
        note_incomplete(replay, line, why);
        return SN_OK;
    }
    return SN_OK;
}

/* --- The command --- */

static int exit_of(const struct replay *replay)
{
    const struct sn_simulation *s = &replay->simulation;

    if (s->evaluated == 0 || (replay->report.incomplete > 0 && !replay->args->allow_incomplete)) {
        return EXIT_INCOMPLETE;
    }
    return replay->args->fail_on_change && s->unchanged != s->evaluated ? EXIT_CHANGED : 0;
}

static enum sn_status run_simulate(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct simulate_args *args = arguments;
    SN_AUTO(clear_replay) struct replay replay = {.app = app, .args = args};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    SN_TRY(read_period(&replay, err));
    SN_TRY(load_sources(&replay, err));
    for (size_t i = 0; i < args->logs.count; i++) {
        replay.file = (uint32_t)i;
        replay.files[i] = sn_input_name(args->logs.items[i]);
        SN_TRY(sn_decision_log_read(args->logs.items[i], take_entry, &replay, err));
    }
    replay.report.new_source = sn_input_name(app->operands[0]);
    replay.report.files = replay.files;
    replay.report.simulation = &replay.simulation;
    sn_simulate_sort(&replay.simulation);
    if (app->json) {
        sn_simulate_json(&replay.report, &out);
    } else {
        sn_simulate_text(&replay.report, &out);
    }
    if (replay.report.incomplete > WARNED_MAX) {
        sn_app_warn(app, "%llu lines were not replayed", (unsigned long long)replay.report.incomplete);
    }
    if (replay.simulation.evaluated == 0) {
        sn_app_warn(app, "the log holds no decision that can be replayed");
    }
    sn_app_outcome(app, exit_of(&replay));
    SN_TRY(sn_buf_check(&out, "the result", err));
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_exit_row simulate_exits[] = {
    {0, "done"},
    {1, "with --fail-on-change: some decision would change"},
    {2, "wrong usage, an invalid policy, or a log that cannot be read"},
    {3, "some line could not be replayed, or there was nothing to replay"},
    {0},
};
static const struct sn_example simulate_examples[] = {
    {"sentinel policy simulate policies/prod.yaml --profile prod --log audit.log --since 30d",
        "who would be treated otherwise than in the last month"},
    {"sentinel policy simulate new/ --against old/ --log audit.log --fail-on-change",
        "two directories, for a pipeline"},
    {0},
};

const struct sn_cmd sn_cmd_policy_simulate = {
    .name = "policy simulate",
    .group = SN_GROUP_POLICY,
    .summary = "replay logged decisions against a changed policy",
    .description =
        "Evaluates every decision of a log again, at its own instant and with its caller and device, and reports who "
        "would newly be denied, asked for an approval or allowed, and whose override would no longer be admitted. NEW "
        "is an access policy, or a document directory in which each decision meets the policy of its profile. Results "
        "of policies are compared, before approvals and emergency access.\n\n"
        "Lines are records of the audit log or bare entries. Signatures and the chain are not checked, which is for "
        "'audit verify-logs'; a line that cannot be read or lacks something needed is named and counted, and makes the "
        "command fail unless --allow-incomplete is given.",
    .operands = "NEW",
    .min_operands = 1,
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = simulate_opts,
    .examples = simulate_examples,
    .args_size = sizeof(struct simulate_args),
    .exits = simulate_exits,
    .run = run_simulate,
};
