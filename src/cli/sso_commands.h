/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/sso_commands.h - the commands of IAM Identity Center, and what they have in common.
 */
#ifndef SN_CLI_SSO_COMMANDS_H
#define SN_CLI_SSO_COMMANDS_H

#include "cli/command.h"
#include "cli/sso_person.h"
#include "vault/sso_session.h"

extern const struct sn_cmd sn_cmd_sso_login, sn_cmd_sso_logout, sn_cmd_sso_status, sn_cmd_sso_accounts,
    sn_cmd_sso_roles, sn_cmd_sso_populate;

/* Which Identity Center. */
struct sn_sso_target_args {
    const char *profile, *session;
};
/* clang-format off */
#define SN_SSO_TARGET_OPTS(type, member)                                                                              \
    {.name = "session", .metavar = "NAME", .kind = SN_OPT_STRING, .field = offsetof(type, member.session),            \
     .help = "the [sso-session NAME] of the AWS config"},                                                             \
    {.name = "profile", .metavar = "NAME", .kind = SN_OPT_STRING, .words = SN_WORDS_AWS_PROFILES,                     \
     .field = offsetof(type, member.profile), .help = "the one this profile of the AWS config signs in to"}
/* clang-format on */

/* A zeroed struct is closed. Not to be moved while open. */
struct sn_sso_access {
    struct sn_base_files files;
    struct sn_sso_settings settings;
    struct sn_cli_person person;
    struct sn_sso_world world;
};
/*
 * --session, else --profile, else AWS_PROFILE or AWS_DEFAULT_PROFILE, else the only sso-session there is; SSO_NO_TARGET
 * when that leaves several.
 */
SN_MUST_CHECK enum sn_status sn_sso_access_open(struct sn_app *app, const struct sn_sso_target_args *target,
    const struct sn_sso_args *args, struct sn_sso_access *out_access, struct sn_error *err);
void sn_sso_access_clear(struct sn_sso_access *access);
/* The world alone, without a target. */
SN_MUST_CHECK enum sn_status sn_sso_access_world(
    const struct sn_app *app, const struct sn_sso_args *args, struct sn_sso_access *out_access, struct sn_error *err);

/* "corp", or the start URL of the older form. */
const char *sn_sso_access_name(const struct sn_sso_settings *settings);

#endif
