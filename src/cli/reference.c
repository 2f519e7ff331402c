/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/reference.c - the command table as man pages and as the Markdown reference.
 */
#include <ctype.h>
#include <string.h>

#include "cli/help.h"
#include "cli/parse.h"

/* --- man(7) --- */

/* Text in which no byte is read as a request or an escape by troff. */
static void roff(struct sn_buf *buf, const char *text)
{
    bool at_line_start = true;

    for (; *text != '\0'; text++) {
        if (at_line_start && (*text == '.' || *text == '\'')) {
            sn_buf_add_str(buf, "\\&");
        }
        at_line_start = *text == '\n';
        if (*text == '\\') {
            sn_buf_add_str(buf, "\\e");
        } else if (*text == '-') {
            sn_buf_add_str(buf, "\\-");
        } else if (*text == '\'') {
            sn_buf_add_str(buf, "\\(aq");
        } else {
            sn_buf_add_byte(buf, *text);
        }
    }
}

static void roff_line(struct sn_buf *buf, const char *request, const char *text)
{
    sn_buf_add_str(buf, request);
    roff(buf, text);
    sn_buf_add_byte(buf, '\n');
}

static void roff_paragraphs(struct sn_buf *buf, const char *text)
{
    struct sn_slice rest = sn_slice_str(text);
    struct sn_slice part;

    while (sn_slice_next(&rest, '\n', &part)) {
        SN_AUTO(sn_buf_clear) struct sn_buf copy = {0};
        sn_buf_add(&copy, part);
        if (part.len == 0) {
            sn_buf_add_str(buf, ".PP\n");
        } else if (part.ptr[0] == ' ') {
            sn_buf_add_str(buf, ".br\n");
            roff_line(buf, "", sn_buf_str(&copy));
        } else {
            roff_line(buf, "", sn_buf_str(&copy));
        }
    }
}

static void man_option(struct sn_buf *buf, const struct sn_opt *opt)
{
    SN_AUTO(sn_buf_clear) struct sn_buf head = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf facts = {0};

    sn_help_option_head(&head, opt);
    sn_help_option_facts(&facts, opt);
    sn_buf_add_str(buf, ".TP\n");
    roff_line(buf, ".B ", sn_buf_str(&head));
    roff_line(buf, "", opt->help);
    if (facts.len > 0) {
        roff_line(buf, "", sn_buf_str(&facts));
    }
}

static void man_head(struct sn_buf *buf, const char *program, const char *name, const char *summary)
{
    SN_AUTO(sn_buf_clear) struct sn_buf page = {0};

    sn_buf_add_str(&page, program);
    if (name != NULL) {
        sn_buf_addf(&page, "-%s", name);
    }
    for (size_t i = 0; i < page.len; i++) {
        if (page.ptr[i] == ' ') {
            page.ptr[i] = '-';
        }
    }
    sn_buf_add_str(buf, ".TH ");
    for (size_t i = 0; i < page.len; i++) {
        sn_buf_add_byte(buf, (char)toupper((unsigned char)page.ptr[i]));
    }
    sn_buf_add_str(buf, " 1 \"\" \"Sentinel " SN_VERSION "\" \"Sentinel manual\"\n.SH NAME\n");
    roff(buf, sn_buf_str(&page));
    sn_buf_add_str(buf, " \\- ");
    roff_line(buf, "", summary);
}

static void man_command(struct sn_buf *buf, const char *program, const struct sn_cmd *cmd)
{
    SN_AUTO(sn_buf_clear) struct sn_buf usage = {0};

    man_head(buf, program, cmd->name, cmd->summary);
    sn_help_usage(&usage, program, cmd);
    roff_line(buf, ".SH SYNOPSIS\n", sn_buf_str(&usage));
    if (cmd->alias != NULL) {
        sn_buf_addf(buf, ".br\n%s ", program);
        roff_line(buf, "", cmd->alias);
    }
    sn_buf_add_str(buf, ".SH DESCRIPTION\n");
    roff_paragraphs(buf, cmd->description != NULL ? cmd->description : cmd->summary);
    sn_buf_add_str(buf, ".SH OPTIONS\n");
    for (const struct sn_opt *opt = cmd->opts; opt != NULL && opt->name != NULL; opt++) {
        if (sn_help_is_shown(opt)) {
            man_option(buf, opt);
        }
    }
    for (const struct sn_opt *opt = sn_builtin_opts; opt->name != NULL; opt++) {
        if (sn_builtin_applies(cmd, opt)) {
            man_option(buf, opt);
        }
    }
    if (cmd->examples != NULL) {
        sn_buf_add_str(buf, ".SH EXAMPLES\n");
        for (const struct sn_example *example = cmd->examples; example->command != NULL; example++) {
            roff_line(buf, ".TP\n.B ", example->command);
            roff_line(buf, "", example->meaning);
        }
    }
    sn_buf_add_str(buf, ".SH EXIT STATUS\n");
    for (const struct sn_exit_row *row = sn_help_exits(cmd); row->meaning != NULL; row++) {
        sn_buf_addf(buf, ".TP\n%d\n", row->code);
        roff_line(buf, "", row->meaning);
    }
    sn_buf_addf(buf, ".SH SEE ALSO\n.BR %s (1)\n", program);
}

static void man_program(struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands)
{
    man_head(buf, program, NULL, "a gate in front of AWS credentials");
    sn_buf_addf(buf, ".SH SYNOPSIS\n.B %s\nCOMMAND [OPTIONS]\n.SH DESCRIPTION\n", program);
    if (sn_help_purpose(program) != NULL) {
        roff(buf, sn_help_purpose(program));
        sn_buf_add_str(buf, "\n.PP\n");
    }
    sn_buf_addf(buf, "Each command has its own page and answers to \\-\\-help.\n");
    for (int group = 0; group < SN_HELP_GROUPS; group++) {
        bool any = false;
        for (size_t i = 0; commands[i] != NULL; i++) {
            if (commands[i]->hidden || (int)commands[i]->group != group) {
                continue;
            }
            if (!any) {
                sn_buf_addf(buf, ".SS %s\n", sn_help_group_title((enum sn_cmd_group)group));
                any = true;
            }
            roff_line(buf, ".TP\n.B ", commands[i]->name);
            roff_line(buf, "", commands[i]->summary);
        }
    }
}

void sn_help_man(
    struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands, const struct sn_cmd *cmd)
{
    if (cmd == NULL) {
        man_program(buf, program, commands);
    } else {
        man_command(buf, program, cmd);
    }
}

/* --- Markdown --- */

/* Text of a table cell: '|' would end it, '<' would start a tag. */
static void cell(struct sn_buf *buf, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '<') {
            sn_buf_add_byte(buf, '\\');
        }
        sn_buf_add_byte(buf, *text);
    }
}

static void markdown_option(struct sn_buf *buf, const struct sn_opt *opt)
{
    SN_AUTO(sn_buf_clear) struct sn_buf head = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf facts = {0};

    sn_help_option_head(&head, opt);
    sn_help_option_facts(&facts, opt);
    sn_buf_addf(buf, "| `%s` | ", sn_buf_str(&head));
    cell(buf, opt->help);
    if (facts.len > 0) {
        sn_buf_add_byte(buf, ' ');
        cell(buf, sn_buf_str(&facts));
    }
    sn_buf_add_str(buf, " |\n");
}

static void markdown_command(struct sn_buf *buf, const char *program, const struct sn_cmd *cmd)
{
    sn_buf_addf(buf, "\n### %s %s\n\n%c%s.\n\n```\n", program, cmd->name, toupper((unsigned char)cmd->summary[0]),
        cmd->summary + 1);
    sn_help_usage(buf, program, cmd);
    sn_buf_add_str(buf, "\n```\n");
    if (cmd->alias != NULL) {
        sn_buf_addf(buf, "\nAlso: `%s %s`\n", program, cmd->alias);
    }
    if (cmd->description != NULL) {
        sn_buf_addf(buf, "\n%s\n", cmd->description);
    }
    sn_buf_add_str(buf, "\n| option | meaning |\n| --- | --- |\n");
    for (const struct sn_opt *opt = cmd->opts; opt != NULL && opt->name != NULL; opt++) {
        if (sn_help_is_shown(opt)) {
            markdown_option(buf, opt);
        }
    }
    if (cmd->writes_result) {
        markdown_option(buf, &sn_builtin_opts[0]);
    }
    if (cmd->examples != NULL) {
        sn_buf_add_str(buf, "\nExamples:\n\n");
        for (const struct sn_example *example = cmd->examples; example->command != NULL; example++) {
            sn_buf_addf(buf, "- `%s`: %s\n", example->command, example->meaning);
        }
    }
    if (cmd->exits != NULL) {
        sn_buf_add_str(buf, "\nExit codes:\n\n");
        for (const struct sn_exit_row *row = cmd->exits; row->meaning != NULL; row++) {
            sn_buf_addf(buf, "- `%d` %s\n", row->code, row->meaning);
        }
    }
}

void sn_help_markdown(struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands)
{
    sn_buf_addf(buf,
        "# Commands of `%s`\n\nGenerated from the command table (`%s help --format=markdown`); do not edit.\n\n"
        "Options of every command:\n\n| option | meaning |\n| --- | --- |\n",
        program, program);
    for (size_t i = 1; sn_builtin_opts[i].name != NULL; i++) {
        markdown_option(buf, &sn_builtin_opts[i]);
    }
    sn_buf_add_str(buf, "\nA failure is told on stderr: `error:` says what, `why:` the cause, `hint:` what to do next. "
                        "With `--json` it "
                        "is the document on stdout, `{\"error\":{\"code\",\"message\",\"hint\",...}}`, and stderr "
                        "repeats it only for a "
                        "person: when it is a terminal and stdout is none.\n");
    sn_buf_add_str(buf, "\nExit codes, where a command does not list its own:\n\n");
    for (const struct sn_exit_row *row = sn_help_exits(NULL); row->meaning != NULL; row++) {
        sn_buf_addf(buf, "- `%d` %s\n", row->code, row->meaning);
    }
    for (int group = 0; group < SN_HELP_GROUPS; group++) {
        bool any = false;
        for (size_t i = 0; commands[i] != NULL; i++) {
            if (commands[i]->hidden || (int)commands[i]->group != group) {
                continue;
            }
            if (!any) {
                sn_buf_addf(buf, "\n## %s\n", sn_help_group_title((enum sn_cmd_group)group));
                any = true;
            }
            markdown_command(buf, program, commands[i]);
        }
    }
}
