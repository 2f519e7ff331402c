/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/help.c - help pages for a terminal.
 */
#include "cli/help.h"

#include <string.h>

#include "base/parse.h"
#include "cli/parse.h"

enum { PAGE_WIDTH = 88, OPTION_INDENT = 6, NAME_COLUMN = 22 };

const char *sn_help_group_title(enum sn_cmd_group group)
{
    switch (group) {
    case SN_GROUP_CREDENTIALS:
        return "Credentials";
    case SN_GROUP_ACCESS:
        return "Asking for access";
    case SN_GROUP_SESSIONS:
        return "Sessions";
    case SN_GROUP_POLICY:
        return "Policies";
    case SN_GROUP_AUDIT:
        return "Audit";
    case SN_GROUP_VAULT:
        return "Base credentials";
    case SN_GROUP_ADMIN:
        return "Administration";
    case SN_GROUP_SERVER:
        return "Server";
    case SN_GROUP_OTHER:
        return "Other";
    }
    return "Other";
}

static const struct sn_exit_row common_exits[] = {
    {0, "done"},
    {1, "a negative answer: denied, not found, or a check that failed"},
    {2, "wrong usage or invalid local input"},
    {3, "could not find out or could not complete: network, AWS error, missing permission"},
    {4, "waiting for somebody, for instance an approval"},
    {0},
};

const struct sn_exit_row *sn_help_exits(const struct sn_cmd *cmd)
{
    return cmd != NULL && cmd->exits != NULL ? cmd->exits : common_exits;
}

bool sn_help_is_shown(const struct sn_opt *opt)
{
    return (opt->flags & (SN_OPT_HIDDEN | SN_OPT_REMOVED)) == 0;
}

/* Words of text at width PAGE_WIDTH, every line but the first behind indent blanks. */
static void wrap(struct sn_buf *buf, const char *text, size_t indent, size_t column)
{
    struct sn_slice rest = sn_slice_str(text);
    struct sn_slice word;
    bool at_start = true;

    while (sn_slice_next(&rest, ' ', &word)) {
        if (!at_start && column + 1 + word.len > PAGE_WIDTH) {
            sn_buf_addf(buf, "\n%*s", (int)indent, "");
            column = indent;
            at_start = true;
        }
        if (!at_start) {
            sn_buf_add_byte(buf, ' ');
            column++;
        }
        sn_buf_add(buf, word);
        column += word.len;
        at_start = false;
    }
    sn_buf_add_byte(buf, '\n');
}

/* Paragraphs are separated by "\n\n"; a line that starts with two blanks is kept as it stands. */
static void paragraphs(struct sn_buf *buf, const char *text)
{
    struct sn_slice rest = sn_slice_str(text);
    struct sn_slice part;

    while (sn_slice_next(&rest, '\n', &part)) {
        if (part.len == 0 || part.ptr[0] == ' ') {
            sn_buf_add(buf, part);
            sn_buf_add_byte(buf, '\n');
            continue;
        }
        SN_AUTO(sn_buf_clear) struct sn_buf copy = {0};
        sn_buf_add(&copy, part);
        wrap(buf, sn_buf_str(&copy), 0, 0);
    }
}

void sn_help_usage(struct sn_buf *buf, const char *program, const struct sn_cmd *cmd)
{
    const char *operands = cmd->operands == NULL ? "" : cmd->operands;
    const char *behind = strstr(operands, "[-- ");
    int before_len = behind == NULL ? (int)strlen(operands) : (int)(behind - operands);

    while (before_len > 0 && operands[before_len - 1] == ' ') {
        before_len--;
    }
    sn_buf_addf(buf, "%s %s", program, cmd->name);
    if (before_len > 0) {
        sn_buf_addf(buf, " %.*s", before_len, operands);
    }
    sn_buf_add_str(buf, " [OPTIONS]");
    if (behind != NULL) {
        sn_buf_addf(buf, " %s", behind);
    }
}

void sn_help_option_head(struct sn_buf *buf, const struct sn_opt *opt)
{
    if (opt->letter != 0) {
        sn_buf_addf(buf, "-%c, ", opt->letter);
    }
    sn_buf_addf(buf, "--%s", opt->name);
    if (opt->kind != SN_OPT_FLAG) {
        sn_buf_addf(buf, " %s", opt->metavar == NULL ? "VALUE" : opt->metavar);
    }
    if (opt->kind == SN_OPT_LIST) {
        sn_buf_add_str(buf, " ...");
    }
}

static void choices_fact(struct sn_buf *buf, const struct sn_opt *opt)
{
    sn_buf_addf(buf, "%s[one of: ", buf->len == 0 ? "" : " ");
    for (size_t i = 0; opt->choices[i] != NULL; i++) {
        sn_buf_addf(buf, "%s%s", i == 0 ? "" : ", ", opt->choices[i]);
    }
    sn_buf_add_byte(buf, ']');
}

static void range_fact(struct sn_buf *buf, const struct sn_opt *opt)
{
    sn_buf_addf(buf, "%s[range: ", buf->len == 0 ? "" : " ");
    if (opt->kind == SN_OPT_DURATION) {
        sn_format_duration(buf, opt->min);
        sn_buf_add_str(buf, " to ");
        sn_format_duration(buf, opt->max);
    } else {
        sn_buf_add_int(buf, opt->min);
        sn_buf_add_str(buf, " to ");
        sn_buf_add_int(buf, opt->max);
    }
    sn_buf_add_byte(buf, ']');
}

void sn_help_option_facts(struct sn_buf *buf, const struct sn_opt *opt)
{
    if ((opt->flags & SN_OPT_REQUIRED) != 0) {
        sn_buf_add_str(buf, "[required]");
    }
    if (opt->choices != NULL) {
        choices_fact(buf, opt);
    }
    if ((opt->kind == SN_OPT_INT || opt->kind == SN_OPT_DURATION) && opt->max != 0) {
        range_fact(buf, opt);
    }
    if (opt->fallback != NULL) {
        sn_buf_addf(buf, "%s[default: %s]", buf->len == 0 ? "" : " ", opt->fallback);
    }
    if (opt->env != NULL) {
        sn_buf_addf(buf, "%s[environment: %s]", buf->len == 0 ? "" : " ", opt->env);
    }
    if (opt->config != NULL) {
        sn_buf_addf(buf, "%s[config.yaml: %s]", buf->len == 0 ? "" : " ", opt->config);
    }
    if (opt->kind == SN_OPT_LIST) {
        sn_buf_addf(buf, "%s[may be repeated]", buf->len == 0 ? "" : " ");
    }
}

static void option_entry(struct sn_buf *buf, const struct sn_opt *opt)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf facts = {0};

    sn_buf_add_str(buf, opt->letter == 0 ? "      " : "  ");
    sn_help_option_head(buf, opt);
    sn_buf_addf(buf, "\n%*s", OPTION_INDENT + 4, "");
    sn_help_option_facts(&facts, opt);
    sn_buf_addf(&text, "%s%s%s", opt->help, facts.len == 0 ? "" : " ", sn_buf_str(&facts));
    wrap(buf, sn_buf_str(&text), OPTION_INDENT + 4, OPTION_INDENT + 4);
}

static void name_line(struct sn_buf *buf, const struct sn_cmd *cmd)
{
    sn_buf_addf(buf, "  %-*s ", NAME_COLUMN, cmd->name);
    wrap(buf, cmd->summary, NAME_COLUMN + 3, NAME_COLUMN + 3);
}

const char *sn_help_purpose(const char *program)
{
    static const struct {
        const char *program, *text;
    } rows[] = {
        {"sentinel", "Asks a Token Vending Machine (TVM), a server on which a policy decides, for short-lived AWS\n"
                     "credentials of a profile, and runs commands with them."},
        {"sentinel-tvm",
            "The Token Vending Machine (TVM): decides by policy who gets credentials of which profile, has AWS\n"
            "make them, and records each decision. Settings are environment variables."},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (strcmp(rows[i].program, program) == 0) {
            return rows[i].text;
        }
    }
    return NULL;
}

void sn_help_program(struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands)
{
    sn_buf_addf(buf, "Usage: %s COMMAND [OPTIONS]\n", program);
    if (sn_help_purpose(program) != NULL) {
        sn_buf_addf(buf, "\n%s\n", sn_help_purpose(program));
    }
    for (int group = 0; group < SN_HELP_GROUPS; group++) {
        bool any = false;
        for (size_t i = 0; commands[i] != NULL; i++) {
            if (commands[i]->hidden || (int)commands[i]->group != group) {
                continue;
            }
            if (!any) {
                sn_buf_addf(buf, "\n%s:\n", sn_help_group_title((enum sn_cmd_group)group));
                any = true;
            }
            name_line(buf, commands[i]);
        }
    }
    sn_buf_addf(buf, "\n'%s help COMMAND' or '%s COMMAND --help' explains one command.\n", program, program);
}

void sn_help_prefix(
    struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands, struct sn_slice prefix)
{
    sn_buf_addf(buf, "Usage: %s %.*s COMMAND [OPTIONS]\n\nCommands:\n", program, SN_PRI(prefix));
    for (size_t i = 0; commands[i] != NULL; i++) {
        struct sn_slice name = sn_slice_str(commands[i]->name);
        if (!commands[i]->hidden && sn_slice_has_prefix(name, prefix) && name.len > prefix.len &&
            name.ptr[prefix.len] == ' ') {
            name_line(buf, commands[i]);
        }
    }
}

static void examples(struct sn_buf *buf, const struct sn_cmd *cmd)
{
    if (cmd->examples == NULL || cmd->examples[0].command == NULL) {
        return;
    }
    sn_buf_add_str(buf, "\nExamples:\n");
    for (const struct sn_example *example = cmd->examples; example->command != NULL; example++) {
        sn_buf_addf(buf, "  %s\n%*s", example->command, OPTION_INDENT, "");
        wrap(buf, example->meaning, OPTION_INDENT, OPTION_INDENT);
    }
}

void sn_help_command(struct sn_buf *buf, const char *program, const struct sn_cmd *cmd)
{
    sn_buf_addf(buf, "%s %s - %s\n\nUsage: ", program, cmd->name, cmd->summary);
    sn_help_usage(buf, program, cmd);
    sn_buf_add_byte(buf, '\n');
    if (cmd->alias != NULL) {
        sn_buf_addf(buf, "Also:  %s %s\n", program, cmd->alias);
    }
    if (cmd->description != NULL) {
        sn_buf_add_byte(buf, '\n');
        paragraphs(buf, cmd->description);
    }
    sn_buf_add_str(buf, "\nOptions:\n");
    for (const struct sn_opt *opt = cmd->opts; opt != NULL && opt->name != NULL; opt++) {
        if (sn_help_is_shown(opt)) {
            option_entry(buf, opt);
        }
    }
    for (const struct sn_opt *opt = sn_builtin_opts; opt->name != NULL; opt++) {
        if (sn_builtin_applies(cmd, opt)) {
            option_entry(buf, opt);
        }
    }
    examples(buf, cmd);
    sn_buf_add_str(buf, "\nExit codes:\n");
    for (const struct sn_exit_row *row = sn_help_exits(cmd); row->meaning != NULL; row++) {
        sn_buf_addf(buf, "  %3d  ", row->code);
        wrap(buf, row->meaning, 7, 7);
    }
}
