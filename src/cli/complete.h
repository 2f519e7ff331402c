/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/complete.h - candidates for shell completion, and the scripts that ask for them.
 *
 * Reads the command table, the local AWS config and the names kept by the last 'sentinel profiles'. No network, no
 * keyring, no error output.
 */
#ifndef SN_CLI_COMPLETE_H
#define SN_CLI_COMPLETE_H

#include "base/buf.h"
#include "base/env.h"
#include "cli/command.h"

/* What the shell is to do with the candidates; the exit code of the hidden --completion-bash. */
enum sn_complete_answer {
    SN_COMPLETE_WORDS = 0,   /* offer exactly the printed ones */
    SN_COMPLETE_FILES = 10,  /* offer file names */
    SN_COMPLETE_COMMAND = 11 /* the word belongs to a command behind "--" */
};

/* words: those behind the program's name, the last one being typed (perhaps ""). One candidate a line into out. */
enum sn_complete_answer sn_complete(const struct sn_cmd *const *commands, const struct sn_env *env,
    const char *const *words, size_t count, struct sn_buf *out);

/* Names of the profiles in an AWS config file, one a line. */
void sn_complete_aws_profiles(struct sn_buf *out, struct sn_slice config_text);
/* The file that keeps catalogue names: ${XDG_CACHE_HOME:-~/.cache}/sentinel/profiles. False without a home. */
bool sn_complete_cache_path(const struct sn_env *env, char *out, size_t out_size);

/* The script for "bash", "zsh" or "fish". */
void sn_complete_script(struct sn_buf *out, const char *program, const char *shell);

#endif
