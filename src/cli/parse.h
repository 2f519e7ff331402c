/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/parse.h - from argv to a command with its filled argument struct.
 *
 * Reads nothing but what it is handed: argv, an environment and a look-up of config.yaml. Every value of an option
 * comes from, in this order: the command line, its environment variable, its key in config.yaml, its default.
 */
#ifndef SN_CLI_PARSE_H
#define SN_CLI_PARSE_H

#include "base/env.h"
#include "cli/command.h"

struct sn_cli_sources {
    const struct sn_env *env;
    /* *out_value NULL when the key is absent; borrowed. NULL: no file at all. */
    enum sn_status (*config)(void *ctx, const char *key, const char **out_value, struct sn_error *err);
    void *ctx;
};

/* Options of every command. */
struct sn_builtin_args {
    bool help, json, quiet;
    const char *color, *output;
};
extern const struct sn_opt sn_builtin_opts[];
/* False for --output on a command without a result. */
bool sn_builtin_applies(const struct sn_cmd *cmd, const struct sn_opt *opt);

struct sn_invocation {
    const struct sn_cmd *cmd; /* NULL: none was named */
    struct sn_builtin_args builtin;
    bool version;
    const char *help_prefix; /* "audit": only the first word of several commands, with --help */
    void *args;
    const char **operands;
    size_t operand_count;
    const char **command; /* NULL: no "--" */
    size_t command_count;
};

/*
 * out_invocation is filled as far as parsing came, also on failure: cmd and builtin.json say how to report the error.
 * Always to be cleared. Failures are SN_USAGE.
 */
SN_MUST_CHECK enum sn_status sn_cli_parse(const char *program, const struct sn_cmd *const *commands,
    const struct sn_cli_sources *sources, int argc, char **argv, struct sn_invocation *out_invocation,
    struct sn_error *err);
void sn_invocation_clear(struct sn_invocation *invocation);

/* The command of that full name or alias, or NULL. */
const struct sn_cmd *sn_cli_find(const struct sn_cmd *const *commands, struct sn_slice name);
/* Fails with UNKNOWN_COMMAND, and hints at the nearest command, or at those that begin like name. */
SN_MUST_CHECK enum sn_status sn_cli_unknown_command(
    const char *program, const struct sn_cmd *const *commands, struct sn_slice name, struct sn_error *err);
/* True if some command's name starts with word and a blank. */
bool sn_cli_is_prefix(const struct sn_cmd *const *commands, struct sn_slice word);

#endif
