/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/browser.h - opens an address in the person's browser, without a shell.
 *
 * The command is that of the caller, else $BROWSER, else xdg-open. Its words are split as those of credential_process;
 * %u or %s in one stands for the address, %p for the profile, %% for a percent sign; without the address it comes last.
 * The program gets the environment without keys and passphrases, no input, and nothing of ours but /dev/null for
 * output.
 */
#ifndef SN_VAULT_BROWSER_H
#define SN_VAULT_BROWSER_H

#include <stdbool.h>

#include "base/env.h"
#include "base/error.h"

/* Somebody sits in front of this machine and could see a browser: a display or $BROWSER, and no login over SSH. */
bool sn_browser_is_near(const struct sn_env *env, const char *command);

/* Waits for nothing. BROWSER_FAILED when the program cannot be started. command and profile may be NULL. */
SN_MUST_CHECK enum sn_status sn_browser_open(
    const struct sn_env *env, const char *command, const char *url, const char *profile, struct sn_error *err);

#endif
