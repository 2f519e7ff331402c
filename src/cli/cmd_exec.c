/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_exec.c - sentinel exec: a command with the credentials of a profile.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "cli/child.h"
#include "cli/child_env.h"
#include "cli/tvm_access.h"
#include "vault/relay.h"

enum { EXIT_OWN_FAILURE = 125, RELAY_REUSE_MAX_S = 30 };

struct exec_args {
    struct sn_tvm_args tvm;
    const char *profile, *unix_path;
    int64_t duration_s, relay_cache_s;
    bool is_unix;
};

/* clang-format off */
#define GONE(option, text) {.name = (option), .flags = SN_OPT_REMOVED, .help = (text)}
static const struct sn_opt exec_opts[] = {
    {.name = "profile", .metavar = "PROFILE", .kind = SN_OPT_STRING, .words = SN_WORDS_PROFILES,
     .field = offsetof(struct exec_args, profile), .help = "the profile, instead of the operand"},
    {.name = "duration", .letter = 'd', .metavar = "TIME", .kind = SN_OPT_DURATION, .flags = SN_OPT_SECONDS_OK,
     .min = 900, .max = 43200, .field = offsetof(struct exec_args, duration_s),
     .help = "how long the credentials are to live, such as 30m or 1h; the TVM may shorten it"},
    SN_TVM_OPTS(struct exec_args, tvm),
    {.name = "relay-cache", .metavar = "SECONDS", .kind = SN_OPT_INT, .max = RELAY_REUSE_MAX_S, .fallback = "30",
     .field = offsetof(struct exec_args, relay_cache_s),
     .help = "how long the relay reuses an answer of the TVM; 0: never"},
    {.name = "unix-socket", .kind = SN_OPT_FLAG, .field = offsetof(struct exec_args, is_unix),
     .help = "serve credentials on a Unix socket (SENTINEL_UNIX_SOCKET, SENTINEL_AUTH_TOKEN) instead of TCP; AWS SDKs "
             "cannot use it"},
    {.name = "unix-socket-path", .metavar = "PATH", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct exec_args, unix_path), .help = "the same, at this absolute path"},
    GONE("server", "leave it out: 'exec' always serves credentials through its relay; the TVM is named by --tvm-url"),
    GONE("server-port", "leave it out: the relay takes a free port by itself"),
    GONE("server-duration", "use --duration TIME"),
    GONE("lazy", "leave it out: credentials are fetched once before the command starts, then when it asks"),
    GONE("no-session", "leave it out: the TVM keeps a session of everything it issues"),
    GONE("mfa-token", "leave it out: MFA belongs to the base credentials, see --aws-profile"),
    GONE("credential-profile", "use --aws-profile NAME"),
    GONE("policy-parameter", "use --tvm-url URL: the TVM holds the policy"),
    GONE("log-file", "leave it out: decisions are logged by the TVM"),
    GONE("log-stderr", "leave it out: decisions are logged by the TVM"),
    SN_TVM_REMOVED_TABLES,
    {0},
};
/* clang-format on */

static const struct sn_example exec_examples[] = {
    {"sentinel exec dev -- aws s3 ls", "list buckets with the credentials of 'dev'"},
    {"sentinel exec prod --duration 15m -- terraform plan", "ask for credentials that live 15 minutes"},
    {"sentinel exec dev", "start a shell; 'exit' leaves it"},
    {0},
};
static const struct sn_exit_row exec_exits[] = {
    {0, "the command's own exit code is returned, whatever it is"},
    {125, "Sentinel itself failed or access was denied; the command did not start"},
    {126, "the command cannot be executed"},
    {127, "the command was not found"},
    {128, "plus n: the command was ended by signal n"},
    {0},
};

/* What the relay's threads need. */
struct refresh {
    struct sn_app *app;
    struct sn_tvm_access *access;
    const char *profile;
    int64_t duration_s;
};

/* The relay never looks at the cache: a policy change is felt at the next refresh. */
static enum sn_status refetch(
    void *ctx, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err)
{
    const struct refresh *refresh = ctx;
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};

    SN_TRY(sn_tvm_access_fresh(
        refresh->app, refresh->access, refresh->profile, refresh->duration_s, &issued, out_http_status, err));
    sn_credentials_move(out_credentials, &issued.credentials);
    return SN_OK;
}

static void tell(void *ctx, const struct sn_error *err)
{
    const struct refresh *refresh = ctx;

    if (err->suggestion[0] != '\0') {
        sn_app_warn(refresh->app, "%s: %s (hint: %s)", err->code, err->message, err->suggestion);
    } else {
        sn_app_warn(refresh->app, "%s: %s", err->code, err->message);
    }
}

static enum sn_status run_child(struct sn_app *app, const struct sn_child_signals *signals,
    const struct sn_child_env_options *options, struct sn_error *err)
{
    const struct sn_client_context *context = app->context;
    const char *shell = sn_env_get("SHELL");
    const char *const fallback[] = {shell != NULL ? shell : "/bin/sh", NULL};
    const char *const *argv = app->command_count > 0 ? app->command : fallback;
    SN_AUTO(sn_child_env_free_p) char **env = sn_child_env_new((const char *const *)environ, options);
    int exit_code = EXIT_OWN_FAILURE;

    enum sn_status status = sn_child_run(signals, context->umask, &context->inherited, argv, env, &exit_code, err);
    sn_app_outcome(app, exit_code);
    return status;
}

static enum sn_status serve_and_run(struct sn_app *app, const struct exec_args *args, struct sn_tvm_access *access,
    const char *profile, const struct sn_issued *first, struct sn_error *err)
{
    SN_AUTO(sn_relay_free_p) struct sn_relay *relay = NULL;
    struct refresh refresh = {.app = app, .access = access, .profile = profile, .duration_s = args->duration_s};
    struct sn_child_signals signals;
    char region[SN_REGION_MAX + 1];

    SN_TRY(sn_tvm_access_region(access, &args->tvm, first->region, region, err));
    struct sn_relay_options options = {.is_unix = args->is_unix || args->unix_path != NULL,
        .unix_path = args->unix_path,
        .runtime_dir = sn_env_get("XDG_RUNTIME_DIR"),
        .tree_root = getpid(),
        .reuse_s = args->relay_cache_s,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .fetch = refetch,
        .notice = tell,
        .ctx = &refresh};
    sn_tvm_access_ask_nobody(access); /* the terminal is the command's */
    sn_child_prepare(&signals);       /* before the relay's threads, which inherit the mask */
    SN_TRY(sn_relay_new(&options, &first->credentials, &relay, err));
    struct sn_child_env_options env = {.profile = profile,
        .session_id = first->session_id,
        .region = region[0] == '\0' ? NULL : region,
        .port = sn_relay_port(relay),
        .unix_path = sn_relay_unix_path(relay),
        .token = sn_relay_token(relay)};
    return run_child(app, &signals, &env, err);
}

static enum sn_status run_exec(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct exec_args *args = arguments;
    SN_AUTO(sn_tvm_access_clear) struct sn_tvm_access access = {0};
    SN_AUTO(sn_issued_clear) struct sn_issued first = {0};
    const char *profile;

    SN_TRY(sn_cli_profile(app, args->profile, &profile, err));
    SN_TRY(sn_tvm_access_credentials(app, &args->tvm, &access, profile, args->duration_s, &first, err));
    return serve_and_run(app, args, &access, profile, &first, err);
}

const struct sn_cmd sn_cmd_exec = {
    .name = "exec",
    .group = SN_GROUP_CREDENTIALS,
    .summary = "run a command with the credentials of a profile",
    .description =
        "Asks the TVM for credentials of PROFILE and, if policy allows it, starts COMMAND (default: your shell) with "
        "the "
        "address of a small relay on this machine. AWS SDKs and tools fetch credentials from it, and fetch again when "
        "they "
        "expire; each time the TVM decides anew. The credentials themselves are never in the command's environment.\n\n"
        "Only processes below the started command are served. AWS_PROFILE, AWS_ACCESS_KEY_ID and whatever else could "
        "lend "
        "the command another identity are removed from its environment; AWS_SENTINEL holds the profile's name. The "
        "command "
        "writes no core files.",
    .operands = "PROFILE [-- COMMAND...]",
    .max_operands = 1,
    .takes_command = true,
    .operand_words = SN_WORDS_PROFILES,
    .opts = exec_opts,
    .examples = exec_examples,
    .args_size = sizeof(struct exec_args),
    .needs = SN_NEEDS_TVM | SN_NEEDS_NO_SUBSHELL,
    .failure_exit = EXIT_OWN_FAILURE,
    .exits = exec_exits,
    .run = run_exec,
};
