/* SPDX-License-Identifier: Apache-2.0 */
/* cli/prompt.h - secrets that a person types: from the terminal only, never shown. */
#ifndef SN_CLI_PROMPT_H
#define SN_CLI_PROMPT_H

#include "base/error.h"
#include "base/secret.h"

enum { SN_PROMPT_MAX = 1024 };

/*
 * Asks on the controlling terminal with echo off, which is on again when this returns or a signal ends the process; a
 * process that was stopped asks again. NO_TERMINAL (SN_INVALID) when there is none; CANCELLED at its end. For programs
 * of one thread.
 */
SN_MUST_CHECK enum sn_status sn_prompt_secret(const char *question, struct sn_secret *out_secret, struct sn_error *err);

#endif
