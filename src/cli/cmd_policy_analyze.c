/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_policy_analyze.c - policy analyze: who can reach what, and what a change does to it (POL 14.3).
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/time.h"
#include "cli/analyze_output.h"
#include "cli/policy_commands.h"
#include "cli/policy_set.h"
#include "core/policy/entry.h"

enum { EXIT_FOUND = 1 };

struct analyze_args {
    struct sn_opt_list catalogs;
    const char *approval, *breakglass, *against, *profile, *user, *from, *vouching_roles, *tvm_account, *session_store,
        *fail_on, *html;
    int64_t max_points;
};

static const char *const severities[] = {"error", "warning", "info", NULL};

/* clang-format off */
static const struct sn_opt analyze_opts[] = {
    {.name = "against", .metavar = "OLD", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct analyze_args, against), .help = "also report every difference to this policy or directory"},
    {.name = "catalog", .metavar = "FILE", .kind = SN_OPT_LIST, .words = SN_WORDS_FILES,
     .field = offsetof(struct analyze_args, catalogs), .help = "the catalogue, or a part of it; may be given again"},
    {.name = "approval", .metavar = "FILE", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct analyze_args, approval), .help = "the approval policy; else requests never approve themselves"},
    {.name = "breakglass", .metavar = "FILE", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct analyze_args, breakglass), .help = "the break-glass policy; else there are no emergencies"},
    {.name = "profile", .metavar = "PROFILE", .kind = SN_OPT_STRING, .words = SN_WORDS_PROFILES,
     .field = offsetof(struct analyze_args, profile), .help = "report on this profile only"},
    {.name = "user", .metavar = "ENTRY", .kind = SN_OPT_STRING, .field = offsetof(struct analyze_args, user),
     .help = "report on the principals of this entry only: NAME, arn:... or role:NAME"},
    {.name = "from", .metavar = "DATE", .kind = SN_OPT_STRING, .field = offsetof(struct analyze_args, from),
     .help = "first day of the 53 weeks that are looked at; else the Monday of this week"},
    {.name = "vouching-roles", .metavar = "GLOBS", .kind = SN_OPT_STRING,
     .field = offsetof(struct analyze_args, vouching_roles), .help = "roles whose session names are vouched for, as SENTINEL_VOUCHING_ROLES"},
    {.name = "tvm-account", .metavar = "ID", .kind = SN_OPT_STRING, .field = offsetof(struct analyze_args, tvm_account),
     .help = "the TVM's own account; else that of the IAM users that are named by ARN"},
    {.name = "session-store", .metavar = "NAME", .kind = SN_OPT_STRING, .fallback = "sessions",
     .field = offsetof(struct analyze_args, session_store), .help = "where sessions are recorded, or 'none'"},
    {.name = "max-points", .metavar = "N", .kind = SN_OPT_INT, .min = 1, .max = INT64_C(100000000000),
     .fallback = "10000000", .field = offsetof(struct analyze_args, max_points), .help = "give up where more requests would have to be tried"},
    {.name = "fail-on", .metavar = "SEVERITY", .kind = SN_OPT_CHOICE, .choices = severities, .fallback = "error",
     .field = offsetof(struct analyze_args, fail_on), .help = "exit 1 when there is a finding at least as grave"},
    {.name = "html", .metavar = "FILE", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct analyze_args, html), .help = "also write one page with a matrix and the weeks of each profile"},
    {0},
};
/* clang-format on */

struct analyze {
    struct sn_app *app;
    const struct analyze_args *args;
    struct sn_policy_set now, before;
    struct sn_trial_server server;
    struct sn_vocabulary words;
    struct sn_space space;
    struct sn_analysis analysis;
    struct sn_arena arena;
    struct sn_analysis_input input;
    struct sn_analyze_report report;
    int64_t from_unix_s;
};

static void clear_analyze(struct analyze *a)
{
    sn_analysis_clear(&a->analysis);
    sn_space_clear(&a->space);
    sn_vocabulary_clear(&a->words);
    sn_policy_set_clear(&a->now);
    sn_policy_set_clear(&a->before);
    sn_arena_clear(&a->arena);
}

static enum sn_status read_from(struct analyze *a, struct sn_error *err)
{
    struct sn_error ignored = {0};
    int64_t unix_ms = 0;
    char text[SN_TIME_TEXT_MAX];

    if (a->args->from == NULL) {
        a->from_unix_s = sn_monday_before(sn_clock_unix_ms(sn_clock_system()) / 1000);
        return SN_OK;
    }
    snprintf(text, sizeof(text), "%.10sT00:00:00Z", a->args->from);
    if (strlen(a->args->from) != 10 || sn_time_parse_rfc3339(sn_slice_str(text), &unix_ms, &ignored) != SN_OK) {
        sn_fail(err, SN_USAGE, "INVALID_TIME", "'%s' of --from is no date", a->args->from);
        return sn_suggest(err, "a date such as 2026-03-02");
    }
    a->from_unix_s = unix_ms / 1000;
    return SN_OK;
}

static enum sn_status read_server(struct analyze *a, struct sn_error *err)
{
    const struct analyze_args *args = a->args;

    if (args->tvm_account != NULL) {
        SN_TRY(sn_trial_account(sn_slice_str(args->tvm_account), &a->server, err));
    }
    if (args->vouching_roles != NULL) {
        SN_TRY(sn_trial_globs(sn_slice_str(args->vouching_roles), &a->server, err));
    }
    if (strcmp(args->session_store, "none") != 0) {
        a->server.session_store = sn_slice_str(args->session_store);
    }
    a->server.target_roles = a->now.catalog;
    return SN_OK;
}

static uint32_t find_document(void *ctx, struct sn_slice profile)
{
    const struct sn_policy_set *set = ctx;
    const struct sn_policy_item *item = sn_policy_set_find(set, profile);
    return item != NULL ? (uint32_t)(item - set->items) : SN_NO_DOCUMENT;
}

static void use_set(struct analyze *a, struct sn_policy_set *set, struct sn_analysis_version *out_version)
{
    const struct sn_policy **policies = sn_arena_alloc(&a->arena, set->count, sizeof(struct sn_policy *));

    for (size_t i = 0; set->catalog != NULL && i < sn_catalog_count(set->catalog); i++) {
        sn_vocabulary_add_catalogued(&a->words, sn_catalog_at(set->catalog, i)->name);
    }
    for (size_t i = 0; i < set->count; i++) {
        policies[i] = set->items[i].policy;
        sn_vocabulary_add_policy(&a->words, policies[i]);
        if (set->items[i].profile.len > 0 && !a->words.has_catalog) {
            (void)sn_strtab_add(&a->words.profiles, 0, set->items[i].profile);
        }
    }
    *out_version = (struct sn_analysis_version){policies, set->count, find_document, set};
}

static enum sn_status load_sources(struct analyze *a, struct sn_error *err)
{
    const struct analyze_args *args = a->args;

    SN_TRY(sn_policy_set_load(&a->now, a->app->operands[0], &args->catalogs, err));
    SN_TRY(sn_policy_set_load_rulesets(&a->now, args->approval, args->breakglass, err));
    if (args->against != NULL) {
        SN_TRY(sn_policy_set_load(&a->before, args->against, NULL, err));
        use_set(a, &a->before, &a->input.before);
    }
    use_set(a, &a->now, &a->input.now);
    sn_vocabulary_add_rulesets(&a->words, a->now.approval, a->now.breakglass);
    a->input.approval = a->now.approval;
    a->input.breakglass = a->now.breakglass;
    return SN_OK;
}

/* What is asked about; the space is whole in any case. */
static enum sn_status choose_shown(struct analyze *a, struct sn_error *err)
{
    const struct sn_space *space = &a->space;
    bool *profiles = sn_arena_alloc(&a->arena, space->profile_count, sizeof(bool));
    bool *callers = sn_arena_alloc(&a->arena, space->caller_count, sizeof(bool));
    struct sn_slice user = sn_slice_str(a->args->user);
    struct sn_entry entry;
    size_t shown = 0;

    if (a->args->user != NULL) {
        enum sn_entry_fault fault = sn_entry_parse(user, &entry);
        if ((fault != SN_ENTRY_OK && fault != SN_ENTRY_SELF_CHOSEN) || entry.kind == SN_ENTRY_GROUP) {
            sn_fail(err, SN_USAGE, "INVALID_ENTRY", "'%s' of --user names no principal", a->args->user);
            return sn_suggest(err, "NAME, a caller's whole ARN, or role:NAME");
        }
    }
    for (size_t i = 0; i < space->profile_count; i++) {
        profiles[i] = a->args->profile == NULL || sn_slice_eq_str(space->profiles[i], a->args->profile);
        shown += profiles[i];
    }
    if (shown == 0) {
        sn_fail(err, SN_USAGE, "UNKNOWN_WORD", "no document speaks of the profile '%s'", a->args->profile);
        return sn_suggest(err, "leave --profile out to see those that there are");
    }
    for (size_t i = 0; i < space->caller_count; i++) {
        callers[i] = a->args->user == NULL ||
                     sn_principal_matches_entry(&space->callers[i].who, user, sn_trial_own_account(&space->server));
    }
    a->report.shows_profile = profiles;
    a->report.shows_caller = callers;
    return SN_OK;
}

static bool is_grave(const struct analyze *a)
{
    enum sn_severity least = strcmp(a->args->fail_on, "error") == 0     ? SN_SEVERITY_ERROR
                             : strcmp(a->args->fail_on, "warning") == 0 ? SN_SEVERITY_WARNING
                                                                        : SN_SEVERITY_INFO;
    for (size_t i = 0; i < a->analysis.finding_count; i++) {
        if (a->analysis.findings[i].severity >= least && sn_analyze_shows(&a->report, &a->analysis.findings[i])) {
            return true;
        }
    }
    return false;
}

static void fill_report(struct analyze *a)
{
    struct sn_slice *names = sn_arena_alloc(&a->arena, a->now.count, sizeof(*names));

    for (size_t i = 0; i < a->now.count; i++) {
        names[i] = a->now.items[i].name;
    }
    a->report.source = sn_input_name(a->app->operands[0]);
    a->report.against = a->args->against;
    a->report.documents = a->now.is_directory ? names : NULL;
    a->report.space = &a->space;
    a->report.analysis = &a->analysis;
}

static enum sn_status run_analyze(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct analyze_args *args = arguments;
    SN_AUTO(clear_analyze) struct analyze a = {.app = app, .args = args};
    SN_AUTO(sn_buf_clear) struct sn_buf out = SN_BUF_INIT(SN_ANALYZE_OUTPUT_MAX);
    SN_AUTO(sn_buf_clear) struct sn_buf page = SN_BUF_INIT(SN_ANALYZE_OUTPUT_MAX);

    SN_TRY(read_from(&a, err));
    SN_TRY(load_sources(&a, err));
    SN_TRY(read_server(&a, err));
    SN_TRY(sn_space_init(&a.space, &a.words, &a.server, a.from_unix_s, (uint64_t)args->max_points, err));
    SN_TRY(choose_shown(&a, err));
    SN_TRY(sn_analyze(&a.space, &a.input, &a.analysis, err));
    fill_report(&a);
    if (args->html != NULL) {
        sn_analyze_html(&a.report, &page);
        SN_TRY(sn_buf_check(&page, "the page", err));
        SN_TRY(sn_fs_write_atomic(args->html, 0600, sn_buf_slice(&page), err));
    }
    if (app->json) {
        sn_analyze_json(&a.report, &out);
    } else {
        sn_analyze_text(&a.report, &out);
    }
    SN_TRY(sn_buf_check(&out, "the result", err));
    sn_app_outcome(app, is_grave(&a) ? EXIT_FOUND : 0);
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_exit_row analyze_exits[] = {
    {0, "done"},
    {1, "there is a finding as grave as --fail-on says"},
    {2, "wrong usage, or an invalid document"},
    {3, "there is more to try than --max-points"},
    {0},
};
static const struct sn_example analyze_examples[] = {
    {"sentinel policy analyze policies/prod.yaml", "who can get what, and rules that do nothing"},
    {"sentinel policy analyze new/ --against old/ --fail-on warning", "does a change grant anything, for a pipeline"},
    {"sentinel policy analyze /etc/sentinel/policy --html reach.html", "the same as a page to look at"},
    {0},
};

const struct sn_cmd sn_cmd_policy_analyze = {
    .name = "policy analyze",
    .group = SN_GROUP_POLICY,
    .summary = "who can reach which profile, exactly",
    .description =
        "Answers by trying every request that the documents can tell apart: each profile, each principal and one that "
        "is named nowhere, each combination of open windows in 53 weeks, each state of a device. Nothing is sampled. "
        "SOURCE is an access policy, or a document directory with its catalogue, approval and break-glass policies.\n\n"
        "For each profile and principal it shows what the policy says at some time from some device; '2' where a "
        "second human is always needed, and else by which rule, automatic approval or emergency it goes without. An "
        "approval or emergency that can be had at any time counts, since its grant lasts. Then come rules that decide "
        "nothing, pairs of rules that match the same request with different effects, and with --against what was "
        "granted or taken away. Every answer names a request that shows it.",
    .operands = "SOURCE",
    .min_operands = 1,
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = analyze_opts,
    .examples = analyze_examples,
    .args_size = sizeof(struct analyze_args),
    .exits = analyze_exits,
    .run = run_analyze,
};
