/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/help.h - pages made from the command table: help for a terminal, man pages, the Markdown reference.
 */
#ifndef SN_CLI_HELP_H
#define SN_CLI_HELP_H

#include "base/buf.h"
#include "cli/command.h"

/* The program's own page: all commands by group. */
void sn_help_program(struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands);
/* The commands whose name starts with that word. */
void sn_help_prefix(
    struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands, struct sn_slice prefix);
/* The page of one command. */
void sn_help_command(struct sn_buf *buf, const char *program, const struct sn_cmd *cmd);

/* The same for man(7) and as Markdown; cmd NULL: the program's page, and for Markdown all of its commands too. */
void sn_help_man(
    struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands, const struct sn_cmd *cmd);
void sn_help_markdown(struct sn_buf *buf, const char *program, const struct sn_cmd *const *commands);

/* --- Parts that the three forms share --- */
/* What a program is, in two lines for who meets it first; NULL where nothing is written. */
const char *sn_help_purpose(const char *program);
const char *sn_help_group_title(enum sn_cmd_group group);
enum { SN_HELP_GROUPS = SN_GROUP_OTHER + 1 };
/* "exec PROFILE [OPTIONS] [-- COMMAND...]" */
void sn_help_usage(struct sn_buf *buf, const char *program, const struct sn_cmd *cmd);
/* "-o, --output FILE" */
void sn_help_option_head(struct sn_buf *buf, const struct sn_opt *opt);
/* "[required] [default: 30] [from: SENTINEL_X]"; empty when there is nothing to say. */
void sn_help_option_facts(struct sn_buf *buf, const struct sn_opt *opt);
bool sn_help_is_shown(const struct sn_opt *opt);
const struct sn_exit_row *sn_help_exits(const struct sn_cmd *cmd);

#endif
