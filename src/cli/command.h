/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/command.h - one table describes every command.
 *
 * Parser, --help, man pages, completions and docs/reference/commands.md come from it. A command is a struct sn_cmd in a
 * file cmd_<name>.c of its own; programs list theirs in one array.
 */
#ifndef SN_CLI_COMMAND_H
#define SN_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct sn_app;

enum sn_opt_kind {
    SN_OPT_FLAG,     /* bool */
    SN_OPT_STRING,   /* const char * */
    SN_OPT_INT,      /* int64_t, within min..max */
    SN_OPT_DURATION, /* int64_t seconds: "90m" or plain seconds where SN_OPT_SECONDS_OK */
    SN_OPT_CHOICE,   /* const char *, one of choices */
    SN_OPT_LIST,     /* struct sn_opt_list, may be repeated */
};
enum {
    SN_OPT_REQUIRED = 1 << 0,
    SN_OPT_HIDDEN = 1 << 1,  /* accepted, not shown: aliases */
    SN_OPT_REMOVED = 1 << 2, /* recognised only to answer with `help` as the error text */
    SN_OPT_SECONDS_OK = 1 << 3,
};

/* What shell completion offers for a value or an operand. */
enum sn_words {
    SN_WORDS_NONE,
    SN_WORDS_FILES,
    SN_WORDS_PROFILES,     /* catalogue names of the last 'sentinel profiles' */
    SN_WORDS_AWS_PROFILES, /* profiles of the local AWS config */
    SN_WORDS_COMMANDS,     /* the program's own commands */
};

enum { SN_OPT_LIST_MAX = 32 };
struct sn_opt_list {
    const char *items[SN_OPT_LIST_MAX];
    size_t count;
};

struct sn_opt {
    const char *name;    /* long name without dashes; NULL ends the table */
    char letter;         /* 0: none */
    const char *metavar; /* shown for the value */
    enum sn_opt_kind kind;
    unsigned flags;
    size_t field;               /* offsetof in the args struct */
    const char *env;            /* environment variable used when the option is not given */
    const char *config;         /* key of config.yaml used when neither is set */
    const char *fallback;       /* default as text, parsed like a given value; shown in help */
    const char *const *choices; /* NULL-terminated */
    int64_t min, max;           /* SN_OPT_INT; SN_OPT_DURATION in seconds where max is not 0 */
    enum sn_words words;        /* for completion */
    const char *help;           /* lower case, no full stop */
};

enum sn_cmd_group {
    SN_GROUP_CREDENTIALS,
    SN_GROUP_ACCESS,
    SN_GROUP_SESSIONS,
    SN_GROUP_POLICY,
    SN_GROUP_AUDIT,
    SN_GROUP_VAULT,
    SN_GROUP_ADMIN,
    SN_GROUP_SERVER,
    SN_GROUP_OTHER,
};

enum sn_cmd_needs {
    SN_NEEDS_NOTHING = 0,
    SN_NEEDS_TVM = 1 << 0,         /* a value of the option tvm-url, else guidance (TVM_NOT_CONFIGURED) */
    SN_NEEDS_NO_SUBSHELL = 1 << 1, /* AWS_SENTINEL is not set: no exec inside exec */
};

struct sn_exit_row {
    int code;
    const char *meaning; /* NULL ends */
};

struct sn_example {
    const char *command; /* "sentinel exec dev -- aws s3 ls"; NULL ends */
    const char *meaning;
};

struct sn_cmd {
    const char *name;  /* "exec", "audit verify-logs": words separated by one blank */
    const char *alias; /* another full name, or NULL */
    enum sn_cmd_group group;
    const char *summary;               /* one line, no full stop */
    const char *description;           /* paragraphs separated by "\n\n" */
    const char *operands;              /* "PROFILE [-- COMMAND...]" for usage */
    size_t min_operands, max_operands; /* max SIZE_MAX: any */
    bool takes_command;                /* words behind "--" are kept apart */
    bool passes_words;  /* everything behind the name is an operand, options too: another program's command line */
    bool hidden;        /* not shown in lists */
    bool writes_result; /* has --output FILE, -o; the result goes through sn_app_write */
    enum sn_words operand_words;
    const char *const *operand_choices; /* NULL-terminated; only these are accepted as first operand */
    const struct sn_opt *opts;
    const struct sn_example *examples;
    size_t args_size; /* of the struct that opts fill; zeroed before */
    unsigned needs;
    int failure_exit;                /* 0: by sn_exit_code_of; 125 for exec */
    const struct sn_exit_row *exits; /* NULL: the common table */
    enum sn_status (*run)(struct sn_app *app, void *args, struct sn_error *err);
};

enum { SN_APP_FAILURE_MAX = 384 };

/* What run may ask of its program. */
struct sn_app {
    const char *program; /* "sentinel" */
    const struct sn_cmd *cmd;
    const char **operands;
    size_t operand_count;
    const char **command; /* words behind "--", NULL-terminated; NULL when there was no "--" */
    size_t command_count;
    bool json, quiet;
    bool color;                           /* colour on stdout */
    const char *output;                   /* --output FILE, or NULL for stdout */
    char failure[SN_APP_FAILURE_MAX];     /* set through sn_app_failure; "": nothing */
    int outcome;                          /* set through sn_app_outcome; -1: none */
    const struct sn_cmd *const *commands; /* NULL-terminated, of the program */
    const void *context;                  /* the program's own */
};

/* A command with an exit code of its own (a child's code, "denied" without error). */
void sn_app_outcome(struct sn_app *app, int exit_code);

/*
 * What the command is after, while it depends on somebody else: an error is then shown as this text, with the error's
 * code and message as the reason. "" (an empty format): the error's own message is shown.
 */
void sn_app_failure(struct sn_app *app, const char *format, ...) SN_PRINTF(2, 3);

/* The result, whole: to stdout, or to the file of --output (made with mode 0600). OUTPUT_FAILED when it cannot. */
SN_MUST_CHECK enum sn_status sn_app_write(struct sn_app *app, struct sn_slice result, struct sn_error *err);

/* A line of progress, a note or a warning on stderr, made printable; notes are silent under --quiet. */
void sn_app_note(const struct sn_app *app, const char *format, ...) SN_PRINTF(2, 3);
void sn_app_warn(const struct sn_app *app, const char *format, ...) SN_PRINTF(2, 3);

/* Parses argv, meets the needs, runs, prints the error, returns the exit code. */
int sn_cli_main(const char *program, const struct sn_cmd *const *commands, const void *context, int argc, char **argv);

/* Commands every program offers; they read app->commands. */
extern const struct sn_cmd sn_cmd_help, sn_cmd_version, sn_cmd_completion;

/* Exit code of an error, by its code where the table of report.c has it, else by its status. */
int sn_exit_code_of(const struct sn_error *err);

#endif
