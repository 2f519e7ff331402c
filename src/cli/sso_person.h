/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/sso_person.h - the person in front of a command, who may be asked to sign in to IAM Identity Center.
 */
#ifndef SN_CLI_SSO_PERSON_H
#define SN_CLI_SSO_PERSON_H

#include "cli/command.h"
#include "cli/credential_options.h"
#include "vault/sso_login.h"

struct sn_cli_person {
    const struct sn_app *app;
    struct sn_sso_person person; /* points here: not to be moved once it is filled */
};

/*
 * --auto-login or --no-auto-login, else SENTINEL_AUTO_LOGIN (INVALID_VALUE when it is neither true nor false), else
 * always or whether stderr is a terminal, decides if a sign-in may be started.
 */
SN_MUST_CHECK enum sn_status sn_cli_person_init(struct sn_cli_person *person, const struct sn_app *app,
    const struct sn_sso_args *args, bool always, struct sn_error *err);

#endif
