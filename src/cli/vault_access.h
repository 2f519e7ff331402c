/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/vault_access.h - what the commands 'vault ...' have in common: their options, the keyring, who is asked.
 */
#ifndef SN_CLI_VAULT_ACCESS_H
#define SN_CLI_VAULT_ACCESS_H

#include <stddef.h>

#include "aws/endpoint.h"
#include "cli/command.h"
#include "cli/sso_person.h"
#include "vault/base_credentials.h"
#include "vault/lock_file.h"
#include "vault/mfa.h"
#include "vault/vault_store.h"

/* Which keyring. */
struct sn_vault_args {
    const char *backend, *file_dir;
};
/* clang-format off */
#define SN_VAULT_OPTS(type, member)                                                                                    \
    {.name = "backend", .metavar = "NAME", .kind = SN_OPT_STRING, .env = "AWS_VAULT_BACKEND",                          \
     .field = offsetof(type, member.backend),                                                                          \
     .help = "the keyring: 'file' or 'keyctl'; else the one that was used first"},                                     \
    {.name = "file-dir", .metavar = "DIR", .kind = SN_OPT_STRING, .env = "AWS_VAULT_FILE_DIR",                         \
     .words = SN_WORDS_FILES, .field = offsetof(type, member.file_dir),                                                \
     .help = "where the keyring 'file' lies; default ~/.awsvault/keys"}

/* Which credentials of a profile. */
struct sn_session_args {
    struct sn_vault_args vault;
    const char *region, *mfa_token;
    int64_t duration_s;
    bool no_session, no_cache;
    struct sn_sso_args sso;
};
#define SN_SESSION_OPTS(type, member)                                                                                  \
    {.name = "duration", .letter = 'd', .metavar = "TIME", .kind = SN_OPT_DURATION, .min = 900, .max = 129600,         \
     .env = "AWS_VAULT_DURATION", .field = offsetof(type, member.duration_s),                                          \
     .help = "how long the session or role is to live, such as 30m or 1h"},                                            \
    {.name = "no-session", .letter = 'n', .kind = SN_OPT_FLAG, .field = offsetof(type, member.no_session),             \
     .help = "make no session with GetSessionToken; without a role the long-lived key itself is used"},                \
    {.name = "region", .metavar = "REGION", .kind = SN_OPT_STRING, .field = offsetof(type, member.region),             \
     .help = "AWS region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's"},                                        \
    {.name = "mfa-token", .letter = 't', .metavar = "CODE", .kind = SN_OPT_STRING,                                     \
     .field = offsetof(type, member.mfa_token), .help = "the code that the MFA device shows; else it is asked for"},   \
    {.name = "no-cache", .kind = SN_OPT_FLAG, .env = "SENTINEL_NO_CACHE", .field = offsetof(type, member.no_cache),    \
     .help = "use no kept session and keep none"},                                                                     \
    {.name = "auto-login", .kind = SN_OPT_FLAG, .field = offsetof(type, member.sso.auto_login),                        \
     .help = "sign in to IAM Identity Center when needed, whatever SENTINEL_AUTO_LOGIN says; the default"},            \
    {.name = "no-auto-login", .kind = SN_OPT_FLAG, .field = offsetof(type, member.sso.no_auto_login),                  \
     .help = "never start a sign-in"},                                                                                 \
    SN_SSO_FLOW_OPT(type, member.sso.flow),                                                                     \
    SN_VAULT_OPTS(type, member.vault)
/* clang-format on */

/* A zeroed struct is closed. */
struct sn_vault_access {
    struct sn_vault_store *store;
    struct sn_keyring_prompt prompt;
    struct sn_secret mfa_token;
    struct sn_mfa mfa;
    struct sn_cli_person person;
    struct sn_base *base; /* after sn_vault_access_base */
};
/*
 * only_if_known: a keyring that nobody chose is not looked for. Opens nothing yet. app NULL: faults that are survived
 * are not told. out_access stays where it is until it is cleared.
 */
void sn_vault_access_open(
    const struct sn_app *app, const struct sn_vault_args *args, bool only_if_known, struct sn_vault_access *out_access);
void sn_vault_access_clear(struct sn_vault_access *access);
/* From now on whatever would need a person fails: the terminal belongs to somebody else, or nobody waits. */
void sn_vault_access_ask_nobody(struct sn_vault_access *access);
/* The keyring, opened. */
SN_MUST_CHECK enum sn_status sn_vault_access_keyring(
    struct sn_vault_access *access, struct sn_keyring **out_keyring, struct sn_error *err);

/* The operand, AWS_PROFILE or AWS_DEFAULT_PROFILE: VAULT_NO_PROFILE without any. */
SN_MUST_CHECK enum sn_status sn_vault_profile(const struct sn_app *app, const char **out_profile, struct sn_error *err);

/* Opens the store and resolves the profile; sentinel_protected profiles are refused (VAULT_PROTECTED). */
SN_MUST_CHECK enum sn_status sn_vault_access_credentials(const struct sn_app *app, const struct sn_session_args *args,
    const char *profile, struct sn_vault_access *access, struct sn_credentials *out_credentials,
    char out_region[SN_REGION_MAX + 1], struct sn_error *err);

/* The lock under which several items, or the AWS config, are changed: waits a minute. LOCK_UNAVAILABLE. */
SN_MUST_CHECK enum sn_status sn_vault_lock(struct sn_lock_file *lock, struct sn_error *err);

/* After a change of what is stored: what the TVM issued on its strength is asked for anew. The number dropped. */
size_t sn_vault_drop_issued(void);

extern const struct sn_cmd sn_cmd_vault_add, sn_cmd_vault_list, sn_cmd_vault_remove, sn_cmd_vault_clear,
    sn_cmd_vault_exec, sn_cmd_vault_export, sn_cmd_vault_rotate;

#endif
