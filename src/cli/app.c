/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/app.c - from argv to exit code: parse, meet the needs, run, report.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fs.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/config.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/report.h"

enum { EXIT_USAGE = 2, EXIT_OUTPUT_FAILED = 3 };

/* --- What a running command calls --- */

void sn_app_outcome(struct sn_app *app, int exit_code)
{
    app->outcome = exit_code;
}

void sn_app_failure(struct sn_app *app, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(app->failure, sizeof(app->failure), format, arguments);
    va_end(arguments);
}

enum sn_status sn_app_write(struct sn_app *app, struct sn_slice result, struct sn_error *err)
{
    struct sn_error cause;

    if (app->output != NULL) {
        if (sn_fs_write_atomic(app->output, 0600, result, &cause) != SN_OK) {
            return sn_fail(err, SN_IO, "OUTPUT_FAILED", "cannot write '%s': %s", app->output, cause.message);
        }
        return SN_OK;
    }
    if (sn_fd_write_all(STDOUT_FILENO, result, &cause) != SN_OK) {
        return sn_fail(err, SN_IO, "OUTPUT_FAILED", "cannot write the result: %s", cause.message);
    }
    return SN_OK;
}

SN_PRINTF(3, 0)
static void say(const struct sn_app *app, const char *kind, const char *format, va_list arguments)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf line = {0};
    struct sn_error ignored;

    sn_buf_vaddf(&text, format, arguments);
    sn_buf_addf(&line, "%s: %s", app->program, kind);
    sn_cli_printable(&line, sn_buf_slice(&text));
    sn_buf_add_byte(&line, '\n');
    if (sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&line), &ignored) != SN_OK) {
        return; /* nobody listens */
    }
}

void sn_app_note(const struct sn_app *app, const char *format, ...)
{
    va_list arguments;

    if (app->quiet) {
        return;
    }
    va_start(arguments, format);
    say(app, "", format, arguments);
    va_end(arguments);
}

void sn_app_warn(const struct sn_app *app, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(app, "warning: ", format, arguments);
    va_end(arguments);
}

/* --- Needs --- */

/* The resolved value of the option of that name, or NULL. */
static const char *string_option(const struct sn_cmd *cmd, const void *args, const char *name)
{
    for (const struct sn_opt *opt = cmd->opts; opt != NULL && opt->name != NULL; opt++) {
        if (strcmp(opt->name, name) == 0 && opt->kind == SN_OPT_STRING) {
            return *(const char *const *)((const char *)args + opt->field);
        }
    }
    return NULL;
}

static enum sn_status no_tvm(const struct sn_app *app, struct sn_error *err)
{
    sn_fail(err, SN_USAGE, "TVM_NOT_CONFIGURED",
        "'%s %s' needs a Token Vending Machine (TVM): --tvm-url URL, SENTINEL_TVM_URL, or tvm_url in config.yaml",
        app->program, app->cmd->name);
    sn_error_detail(err, "why", "credentials are issued by a server, because checks on this machine could be faked");
    return sn_suggest(err,
        "ask who runs it for its URL, or start one with 'sentinel-tvm serve'; then run: %s %s --tvm-url URL %s",
        app->program, app->cmd->name, app->cmd->operands == NULL ? "" : app->cmd->operands);
}

static enum sn_status meet_needs(const struct sn_app *app, const void *args, struct sn_error *err)
{
    if ((app->cmd->needs & SN_NEEDS_NO_SUBSHELL) != 0 && sn_env_get("AWS_SENTINEL") != NULL) {
        sn_fail(err, SN_USAGE, "SUBSHELL_ACTIVE", "a sentinel subshell is already active, for profile '%s'",
            sn_env_get("AWS_SENTINEL"));
        return sn_suggest(err, "leave it with 'exit', or unset AWS_SENTINEL");
    }
    if ((app->cmd->needs & SN_NEEDS_TVM) != 0 && string_option(app->cmd, args, "tvm-url") == NULL) {
        return no_tvm(app, err);
    }
    return SN_OK;
}

/* --- Output --- */

static bool use_color(const char *when, int fd)
{
    if (strcmp(when, "always") == 0) {
        return true;
    }
    if (strcmp(when, "never") == 0 || sn_env_get("NO_COLOR") != NULL || !isatty(fd)) {
        return false;
    }
    const char *terminal = sn_env_get("TERM");
    return terminal != NULL && strcmp(terminal, "dumb") != 0;
}

/* With --json stdout carries the error; a person whose stdout goes elsewhere is told as well. */
static bool is_watched(void)
{
    return isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
}

static int report(const struct sn_app *app, const struct sn_invocation *call, const struct sn_error *cause)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf json = {0};
    struct sn_error err = *cause, ignored;
    struct sn_error_report how = {.program = app->program,
        .failure = app->failure[0] == '\0' ? NULL : app->failure,
        .color = use_color(call->builtin.color, STDERR_FILENO)};
    int own = call->cmd == NULL ? 0 : call->cmd->failure_exit;
    int code = app->outcome >= 0 ? app->outcome : own != 0 ? own : sn_exit_code_of(&err);
    bool to_stdout = call->builtin.json && !sn_error_is(&err, "OUTPUT_FAILED");

    sn_report_hint(app->program, call->cmd == NULL ? NULL : call->cmd->name, &err);
    if (!to_stdout || is_watched()) {
        sn_report_text(&text, &how, &err);
    }
    if (to_stdout) {
        sn_report_json(&json, &how, &err);
    }
    if (sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&text), &ignored) != SN_OK ||
        sn_fd_write_all(STDOUT_FILENO, sn_buf_slice(&json), &ignored) != SN_OK) {
        return own != 0 ? own : EXIT_OUTPUT_FAILED;
    }
    return code;
}

static int print_page(const struct sn_app *app, const struct sn_invocation *call, const struct sn_buf *page)
{
    struct sn_error err = {0};
    struct sn_app plain = {.program = app->program};

    return sn_app_write(&plain, sn_buf_slice(page), &err) == SN_OK ? 0 : report(app, call, &err);
}

static int show_help(const struct sn_app *app, const struct sn_invocation *call)
{
    SN_AUTO(sn_buf_clear) struct sn_buf page = {0};

    if (call->version) {
        sn_buf_addf(&page, "%s " SN_VERSION "\n", app->program);
    } else if (call->help_prefix != NULL) {
        sn_help_prefix(&page, app->program, app->commands, sn_slice_str(call->help_prefix));
    } else if (call->cmd != NULL) {
        sn_help_command(&page, app->program, call->cmd);
    } else {
        sn_help_program(&page, app->program, app->commands);
    }
    return print_page(app, call, &page);
}

/* No command at all: the list of commands, as wrong usage. */
static int show_usage(const struct sn_app *app)
{
    SN_AUTO(sn_buf_clear) struct sn_buf page = {0};
    struct sn_error ignored;

    sn_help_program(&page, app->program, app->commands);
    if (sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&page), &ignored) != SN_OK) {
        return EXIT_USAGE;
    }
    return EXIT_USAGE;
}

/* The hidden --completion-bash WORDS...: candidates on stdout, nothing on stderr. */
static int complete(const struct sn_cmd *const *commands, int argc, char **argv)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_error ignored;
    enum sn_complete_answer answer =
        sn_complete(commands, sn_env_system(), (const char *const *)(argv + 2), (size_t)(argc - 2), &out);

    return sn_fd_write_all(STDOUT_FILENO, sn_buf_slice(&out), &ignored) == SN_OK ? (int)answer : EXIT_OUTPUT_FAILED;
}

/* A closed stdin, stdout or stderr must not be filled by the next file that is opened. */
static bool standard_fds_are_open(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", O_RDWR | O_NOCTTY) != fd) { /* NOLINT */
            return false;
        }
    }
    return true;
}

/* --- The way of one call --- */

static enum sn_status from_config(void *ctx, const char *key, const char **out_value, struct sn_error *err)
{
    struct sn_cli_config *config = ctx;

    SN_TRY(sn_cli_config_load(config, sn_env_system(), err));
    *out_value = sn_cli_config_get(config, key);
    return SN_OK;
}

static int run(struct sn_app *app, struct sn_invocation *call)
{
    struct sn_error err = {0};

    app->cmd = call->cmd;
    app->operands = call->operands;
    app->operand_count = call->operand_count;
    app->command = call->command;
    app->command_count = call->command_count;
    app->json = call->builtin.json;
    app->quiet = call->builtin.quiet;
    app->output = call->builtin.output;
    app->color = use_color(call->builtin.color, STDOUT_FILENO);
    app->outcome = -1;
    enum sn_status status = meet_needs(app, call->args, &err);
    if (status == SN_OK) {
        status = call->cmd->run(app, call->args, &err);
    }
    if (status != SN_OK) {
        return report(app, call, &err);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        sn_fail_errno(&err, "OUTPUT_FAILED", errno, "cannot write the result");
        return report(app, call, &err);
    }
    return app->outcome >= 0 ? app->outcome : 0;
}

int sn_cli_main(const char *program, const struct sn_cmd *const *commands, const void *context, int argc, char **argv)
{
    struct sn_cli_config config = {0};
    struct sn_cli_sources sources = {.env = sn_env_system(), .config = from_config, .ctx = &config};
    struct sn_invocation call;
    struct sn_app app = {.program = program, .commands = commands, .context = context, .outcome = -1};
    struct sn_error err = {0};
    int exit_code;

    if (!standard_fds_are_open()) {
        return EXIT_OUTPUT_FAILED;
    }
    if (argc >= 2 && strcmp(argv[1], "--completion-bash") == 0) {
        return complete(commands, argc, argv);
    }
    if (sn_cli_parse(program, commands, &sources, argc, argv, &call, &err) != SN_OK) {
        app.cmd = call.cmd;
        exit_code = report(&app, &call, &err);
    } else if (call.builtin.help || call.version) {
        exit_code = show_help(&app, &call);
    } else if (call.cmd == NULL) {
        exit_code = show_usage(&app);
    } else {
        exit_code = run(&app, &call);
    }
    sn_invocation_clear(&call);
    sn_cli_config_clear(&config);
    return exit_code;
}
