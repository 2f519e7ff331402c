/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_policy_eval.c - policy eval: what a policy says to one made-up request, and why (POL 14).
 */
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/time.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "cli/policy_output.h"
#include "core/policy/trial.h"
#include "crypto/hash.h"

enum { EXIT_DENY = 1, EXIT_APPROVAL = 4, POSTURE_MAX_BYTES = 64 * 1024 };

struct eval_args {
    const char *user, *caller_arn, *profile, *vouching_roles, *tvm_account, *time, *mode, *session_store, *posture;
};

static const char *const mode_choices[] = {"server", "cli", "credential_process", NULL};

/* clang-format off */
static const struct sn_opt eval_opts[] = {
    {.name = "profile", .metavar = "PROFILE", .kind = SN_OPT_STRING, .flags = SN_OPT_REQUIRED,
     .words = SN_WORDS_PROFILES, .field = offsetof(struct eval_args, profile), .help = "the profile that is asked for"},
    {.name = "user", .metavar = "NAME", .kind = SN_OPT_STRING, .field = offsetof(struct eval_args, user),
     .help = "who asks: the IAM user of that name in the TVM's own account"},
    {.name = "caller-arn", .metavar = "ARN", .kind = SN_OPT_STRING, .field = offsetof(struct eval_args, caller_arn),
     .help = "who asks, by ARN, instead of --user"},
    {.name = "vouching-roles", .metavar = "GLOBS", .kind = SN_OPT_STRING,
     .field = offsetof(struct eval_args, vouching_roles), .help = "roles whose session names are vouched for, as SENTINEL_VOUCHING_ROLES"},
    {.name = "tvm-account", .metavar = "ID", .kind = SN_OPT_STRING, .field = offsetof(struct eval_args, tvm_account),
     .help = "the TVM's own account, whose IAM users are meant by plain names; else the caller's, for an IAM user"},
    {.name = "time", .metavar = "RFC3339", .kind = SN_OPT_STRING, .field = offsetof(struct eval_args, time),
     .help = "the instant of the request; else now"},
    {.name = "mode", .metavar = "MODE", .kind = SN_OPT_CHOICE, .choices = mode_choices, .fallback = "server",
     .field = offsetof(struct eval_args, mode), .help = "how it is asked; a TVM always evaluates as 'server'"},
    {.name = "session-store", .metavar = "NAME", .kind = SN_OPT_STRING, .fallback = "sessions",
     .field = offsetof(struct eval_args, session_store), .help = "where sessions are recorded, or 'none'"},
    {.name = "posture", .metavar = "FILE", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct eval_args, posture), .help = "JSON with what is known of the device"},
    {0},
};
/* clang-format on */

struct trial {
    struct sn_trial_server server;
    struct sn_principal principal;
    struct sn_arena arena;
    struct sn_buf posture_text;
    struct sn_posture posture;
    int64_t unix_ms;
};

static void clear_trial(struct trial *trial)
{
    sn_buf_clear(&trial->posture_text);
    sn_arena_clear(&trial->arena);
}

static enum sn_status read_who(const struct eval_args *args, struct trial *trial, struct sn_error *err)
{
    if ((args->user == NULL) == (args->caller_arn == NULL)) {
        sn_fail(err, SN_USAGE, "WHO_ASKS", args->user == NULL ? "who asks is missing" : "two callers are given");
        return sn_suggest(err, "give --user NAME or --caller-arn ARN");
    }
    if (args->tvm_account != NULL) {
        SN_TRY(sn_trial_account(sn_slice_str(args->tvm_account), &trial->server, err));
    }
    if (args->vouching_roles != NULL) {
        SN_TRY(sn_trial_globs(sn_slice_str(args->vouching_roles), &trial->server, err));
    }
    if (args->user != NULL && sn_slice_has_prefix(sn_slice_str(args->user), SN_S("arn:"))) {
        sn_fail(err, SN_USAGE, "WHO_ASKS", "--user takes a name");
        return sn_suggest(err, "use --caller-arn for an ARN");
    }
    return sn_trial_principal(
        sn_slice_str(args->user != NULL ? args->user : args->caller_arn), &trial->server, &trial->principal, err);
}

static enum sn_status read_posture(const char *path, struct trial *trial, struct sn_error *err)
{
    SN_TRY(sn_input_read(path, POSTURE_MAX_BYTES, &trial->posture_text, err));
    if (sn_trial_posture_parse(sn_buf_slice(&trial->posture_text), &trial->arena, &trial->posture, err) != SN_OK) {
        return sn_error_context(err, "%s", sn_input_name(path));
    }
    return SN_OK;
}

static enum sn_status read_trial(
    const struct eval_args *args, struct trial *trial, struct sn_policy_request *out_request, struct sn_error *err)
{
    trial->unix_ms = sn_clock_unix_ms(sn_clock_system());
    SN_TRY(read_who(args, trial, err));
    SN_TRY(sn_profile_name_check(sn_slice_str(args->profile), err));
    if (args->time != NULL && sn_time_parse_rfc3339(sn_slice_str(args->time), &trial->unix_ms, err) != SN_OK) {
        return sn_error_context(err, "--time");
    }
    if (args->posture != NULL) {
        SN_TRY(read_posture(args->posture, trial, err));
    }
    if (strcmp(args->session_store, "none") != 0) {
        trial->server.session_store = sn_slice_str(args->session_store);
    }
    int64_t unix_s = trial->unix_ms / 1000 - (trial->unix_ms % 1000 < 0 ? 1 : 0);
    sn_trial_request(&trial->server, &trial->principal, sn_slice_str(args->profile), unix_s,
        args->posture != NULL ? &trial->posture : NULL, out_request);
    for (size_t i = 0; mode_choices[i] != NULL; i++) {
        if (strcmp(mode_choices[i], args->mode) == 0) {
            out_request->mode = (enum sn_mode)i;
        }
    }
    return SN_OK;
}

static int exit_of(enum sn_effect effect)
{
    switch (effect) {
    case SN_EFFECT_ALLOW:
        return 0;
    case SN_EFFECT_DENY:
        return EXIT_DENY;
    case SN_EFFECT_REQUIRE_APPROVAL:
        return EXIT_APPROVAL;
    }
    return EXIT_DENY;
}

static enum sn_status run_eval(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct eval_args *args = arguments;
    SN_AUTO(clear_trial) struct trial trial = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
    SN_AUTO(sn_trace_clear) struct sn_trace trace = {0};
    struct sn_policy_request request;
    struct sn_decision decision;
    char hash[SN_SHA256_HEX_LEN + 1];

    SN_TRY(read_trial(args, &trial, &request, err));
    SN_TRY(sn_input_policy(app->operands[0], NULL, &text, &policy, err));
    sn_app_note(app, "this is a simulation: it issues nothing, and only a TVM decides access");
    sn_policy_trace_all(policy, &request, &decision, &trace);
    sn_app_outcome(app, exit_of(decision.effect));
    if (app->json) {
        struct sn_json_writer w;
        sn_sha256_hex(sn_buf_slice(&text), hash);
        sn_json_writer_init(&w, &out);
        sn_decision_json(&w, &(struct sn_decision_facts){.decision = &decision,
                                 .trace = &trace,
                                 .unix_ms = trial.unix_ms,
                                 .evaluated_unix_ms = sn_clock_unix_ms(sn_clock_system()),
                                 .policy_hash = hash});
        sn_buf_add_byte(&out, '\n');
    } else {
        sn_decision_text(&out, &decision);
        sn_buf_add_str(&out, "Rules:\n");
        sn_trace_text(&out, &trace, -1, app->color && app->output == NULL);
    }
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_exit_row eval_exits[] = {
    {0, "the policy allows the request"},
    {1, "it denies it"},
    {2, "wrong usage, or an invalid policy or posture"},
    {4, "it requires an approval"},
    {0},
};
static const struct sn_example eval_examples[] = {
    {"sentinel policy eval policies/prod.yaml --user alice --profile prod", "what 'alice' would get now, and why"},
    {"sentinel policy eval p.yaml --caller-arn arn:aws:sts::111122223333:assumed-role/Deploy/ci --profile prod "
     "--time 2026-03-07T11:00:00Z",
        "a role's session, on a Saturday"},
    {0},
};

const struct sn_cmd sn_cmd_policy_eval = {
    .name = "policy eval",
    .group = SN_GROUP_POLICY,
    .summary = "try a policy with one made-up request",
    .description =
        "Evaluates the policy in the file as a TVM would for that caller, profile, time and device, and shows each "
        "rule "
        "in order with the first condition that failed. It is a simulation: nothing is contacted or issued, and an "
        "approval or break-glass is not looked for.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = eval_opts,
    .examples = eval_examples,
    .args_size = sizeof(struct eval_args),
    .exits = eval_exits,
    .run = run_eval,
};
