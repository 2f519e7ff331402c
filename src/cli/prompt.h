/* SPDX-License-Identifier: Apache-2.0 */
/* cli/prompt.h - what a person types on the terminal, secrets never shown; and whether to go on, from stdin. */
#ifndef SN_CLI_PROMPT_H
#define SN_CLI_PROMPT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"

enum { SN_PROMPT_MAX = 1024 };

/*
 * Asks on the controlling terminal with echo off, which is on again when this returns or a signal ends the process; a
 * process that was stopped asks again. NO_TERMINAL (SN_INVALID) when there is none; CANCELLED at its end. For programs
 * of one thread.
 */
SN_MUST_CHECK enum sn_status sn_prompt_secret(const char *question, struct sn_secret *out_secret, struct sn_error *err);
/* The same with what is typed shown: names and answers. Without blanks at both ends; "" when nothing was typed. */
SN_MUST_CHECK enum sn_status sn_prompt_text(
    const char *question, char out_text[SN_PROMPT_MAX + 1], struct sn_error *err);
/* True only for "y" and "yes" in any case. */
SN_MUST_CHECK enum sn_status sn_prompt_yes(const char *question, bool *out_is_yes, struct sn_error *err);

/*
 * Asks a question with the answer y or n on stderr and reads one line of stdin. True for "y" and "yes" in any case.
 * NO_ANSWER (SN_USAGE) at the end of input without one. option: the one that answers beforehand, for the hint.
 */
SN_MUST_CHECK enum sn_status sn_prompt_confirm(
    const char *question, const char *option, bool *out_is_yes, struct sn_error *err);

#endif
