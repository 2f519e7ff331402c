/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_help.c - help, version and completion: commands about the command table itself.
 */
#include <stddef.h>
#include <string.h>

#include "base/env.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "codec/json.h"

enum { HELP_WORDS_MAX = 3 };

struct help_args {
    const char *format;
};

static const char *const help_formats[] = {"text", "man", "markdown", "names", NULL};
static const struct sn_opt help_opts[] = {
    {.name = "format",
        .metavar = "FORM",
        .kind = SN_OPT_CHOICE,
        .flags = SN_OPT_HIDDEN,
        .choices = help_formats,
        .fallback = "text",
        .field = offsetof(struct help_args, format),
        .help = "the form of the page"},
    {0},
};
static const struct sn_example help_examples[] = {
    {"sentinel help exec", "how to run a command with the credentials of a profile"},
    {0},
};

static void names(struct sn_buf *page, const struct sn_cmd *const *commands)
{
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (!commands[i]->hidden) {
            sn_buf_addf(page, "%s\n", commands[i]->name);
        }
    }
}

static enum sn_status find_topic(
    struct sn_app *app, struct sn_buf *name, const struct sn_cmd **out, struct sn_error *err)
{
    for (size_t i = 0; i < app->operand_count; i++) {
        sn_buf_addf(name, "%s%s", i == 0 ? "" : " ", app->operands[i]);
    }
    *out = app->operand_count == 0 ? NULL : sn_cli_find(app->commands, sn_buf_slice(name));
    if (*out != NULL || app->operand_count == 0 || sn_cli_is_prefix(app->commands, sn_buf_slice(name))) {
        return SN_OK;
    }
    return sn_cli_unknown_command(app->program, app->commands, sn_buf_slice(name), err);
}

static enum sn_status run_help(struct sn_app *app, void *args, struct sn_error *err)
{
    const struct help_args *options = args;
    SN_AUTO(sn_buf_clear) struct sn_buf page = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf name = SN_BUF_INIT(256);
    const struct sn_cmd *cmd;

    SN_TRY(find_topic(app, &name, &cmd, err));
    if (strcmp(options->format, "man") == 0) {
        sn_help_man(&page, app->program, app->commands, cmd);
    } else if (strcmp(options->format, "markdown") == 0) {
        sn_help_markdown(&page, app->program, app->commands);
    } else if (strcmp(options->format, "names") == 0) {
        names(&page, app->commands);
    } else if (cmd != NULL) {
        sn_help_command(&page, app->program, cmd);
    } else if (name.len > 0) {
        sn_help_prefix(&page, app->program, app->commands, sn_buf_slice(&name));
    } else {
        sn_help_program(&page, app->program, app->commands);
    }
    return sn_app_write(app, sn_buf_slice(&page), err);
}

const struct sn_cmd sn_cmd_help = {
    .name = "help",
    .group = SN_GROUP_OTHER,
    .summary = "explain a command, or list all of them",
    .operands = "[COMMAND]",
    .max_operands = HELP_WORDS_MAX,
    .operand_words = SN_WORDS_COMMANDS,
    .opts = help_opts,
    .examples = help_examples,
    .args_size = sizeof(struct help_args),
    .run = run_help,
};

/* --- version --- */

static enum sn_status run_version(struct sn_app *app, void *args, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    (void)args;

    if (app->json) {
        struct sn_json_writer w;
        sn_json_writer_init(&w, &text);
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "program", app->program);
        sn_json_member_str(&w, "version", SN_VERSION);
        sn_json_end_object(&w);
        sn_buf_add_byte(&text, '\n');
    } else {
        sn_buf_addf(&text, "%s " SN_VERSION "\n", app->program);
    }
    return sn_app_write(app, sn_buf_slice(&text), err);
}

const struct sn_cmd sn_cmd_version = {
    .name = "version",
    .group = SN_GROUP_OTHER,
    .summary = "print the program's version",
    .args_size = 1,
    .run = run_version,
};

/* --- completion --- */

static const char *const shells[] = {"bash", "zsh", "fish", NULL};
static const struct sn_example completion_examples[] = {
    {"source <(sentinel completion bash)", "complete in this bash; put the line into ~/.bashrc to keep it"},
    {"source <(sentinel completion zsh)", "the same for zsh, behind 'compinit' in ~/.zshrc"},
    {"sentinel completion fish | source", "the same for fish"},
    {0},
};

static enum sn_status run_completion(struct sn_app *app, void *args, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf script = {0};
    (void)args;

    sn_complete_script(&script, app->program, app->operands[0]);
    return sn_app_write(app, sn_buf_slice(&script), err);
}

const struct sn_cmd sn_cmd_completion = {
    .name = "completion",
    .group = SN_GROUP_OTHER,
    .summary = "print the completion script of a shell",
    .description =
        "Commands, options, their values and profile names are completed. Names of profiles come from the local "
        "AWS config and from the last answer of 'sentinel profiles'; completion itself contacts nobody.",
    .operands = "bash|zsh|fish",
    .min_operands = 1,
    .max_operands = 1,
    .operand_choices = shells,
    .writes_result = true,
    .examples = completion_examples,
    .args_size = 1,
    .run = run_completion,
};
