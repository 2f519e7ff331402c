/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/credential_options.h - options of the commands that ask the TVM. Apart from the commands, so that the answer from
 * the cache reads the same command line without the libraries that asking needs.
 */
#ifndef SN_CLI_CREDENTIAL_OPTIONS_H
#define SN_CLI_CREDENTIAL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"

/* May somebody be asked to sign in to IAM Identity Center, and how. */
struct sn_sso_args {
    bool auto_login, no_auto_login;
    const char *flow;
};
extern const char *const sn_sso_flow_choices[];

struct sn_tvm_args {
    const char *tvm_url, *tvm_auth, *region, *aws_profile;
    bool no_cache;
    struct sn_sso_args sso;
};
extern const char *const sn_tvm_auth_choices[];

/* clang-format off */
#define SN_SSO_FLOW_OPT(type, member)                                                                                 \
    {.name = "sso-flow", .metavar = "FLOW", .kind = SN_OPT_CHOICE, .choices = sn_sso_flow_choices,                    \
     .fallback = "auto", .env = "SENTINEL_SSO_FLOW", .field = offsetof(type, member),                                 \
     .help = "how a person signs in to IAM Identity Center: 'pkce' in a browser on this machine, 'device' by a code"}
#define SN_SSO_OPTS(type, member)                                                                                     \
    {.name = "auto-login", .kind = SN_OPT_FLAG, .field = offsetof(type, member.auto_login),                           \
     .help = "sign in to IAM Identity Center when needed; the default on a terminal, or SENTINEL_AUTO_LOGIN"},        \
    {.name = "no-auto-login", .kind = SN_OPT_FLAG, .field = offsetof(type, member.no_auto_login),                     \
     .help = "never start a sign-in"},                                                                                \
    SN_SSO_FLOW_OPT(type, member.flow)
/* clang-format on */

/* Rows of an option table whose argument struct holds a struct sn_tvm_args called member. */
/* clang-format off */
#define SN_TVM_OPTS(type, member)                                                                                     \
    {.name = "tvm-url", .metavar = "URL", .kind = SN_OPT_STRING, .env = "SENTINEL_TVM_URL", .config = "tvm_url",      \
     .field = offsetof(type, member.tvm_url),                                                                         \
     .help = "the Token Vending Machine to ask: https://HOST, http://127.0.0.1:PORT or unix:/PATH"},                  \
    {.name = "remote-server", .metavar = "URL", .kind = SN_OPT_STRING, .flags = SN_OPT_HIDDEN,                        \
     .field = offsetof(type, member.tvm_url), .help = "the same as --tvm-url"},                                       \
    {.name = "tvm-auth", .metavar = "MODE", .kind = SN_OPT_CHOICE, .choices = sn_tvm_auth_choices,                    \
     .fallback = "auto", .env = "SENTINEL_TVM_AUTH", .config = "tvm_auth", .field = offsetof(type, member.tvm_auth),  \
     .help = "how to prove who asks: 'iam' behind API Gateway, 'proof' elsewhere"},                                   \
    {.name = "region", .metavar = "REGION", .kind = SN_OPT_STRING, .field = offsetof(type, member.region),            \
     .help = "AWS region to sign for, and of the result; else AWS_REGION, AWS_DEFAULT_REGION, the profile's"},        \
    {.name = "aws-profile", .metavar = "NAME", .kind = SN_OPT_STRING, .words = SN_WORDS_AWS_PROFILES,                 \
     .field = offsetof(type, member.aws_profile),                                                                     \
     .help = "profile of the AWS config whose credentials sign the request; else the standard chain"},                \
    {.name = "no-cache", .kind = SN_OPT_FLAG, .env = "SENTINEL_NO_CACHE", .field = offsetof(type, member.no_cache),   \
     .help = "ask the TVM even if credentials are held already, and keep none"},                                      \
    SN_SSO_OPTS(type, member.sso)

/* Options that an earlier design had: the tables belong to the TVM. */
#define SN_TVM_REMOVED_TABLES                                                                                         \
    {.name = "session-table", .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL: only the TVM reads its tables"},   \
    {.name = "request-table", .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL: only the TVM reads its tables"},   \
    {.name = "breakglass-table", .flags = SN_OPT_REMOVED,                                                             \
     .help = "use --tvm-url URL: only the TVM reads its tables"},                                                     \
    {.name = "table", .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL: only the TVM reads its tables"}
/* clang-format on */

/* credential-process and export. */
struct sn_credentials_args {
    struct sn_tvm_args tvm;
    const char *profile, *format;
    int64_t duration_s;
    bool force_stdout;
};
/* clang-format off */
#define SN_CREDENTIALS_OPTS                                                                                                   \
    {.name = "profile", .metavar = "PROFILE", .kind = SN_OPT_STRING, .words = SN_WORDS_PROFILES,                      \
     .field = offsetof(struct sn_credentials_args, profile), .help = "the profile, instead of the operand"},             \
    {.name = "duration", .letter = 'd', .metavar = "TIME", .kind = SN_OPT_DURATION, .flags = SN_OPT_SECONDS_OK,       \
     .min = 900, .max = 43200, .field = offsetof(struct sn_credentials_args, duration_s),                                \
     .help = "how long the credentials are to live, such as 30m or 1h; the TVM may shorten it"},                      \
    SN_TVM_OPTS(struct sn_credentials_args, tvm), SN_TVM_REMOVED_TABLES
/* clang-format on */
extern const struct sn_opt sn_credential_process_opts[];

/* What the parser needs of a struct sn_cmd for credential-process. */
#define SN_CREDENTIAL_PROCESS_FORM                                                                                     \
    .name = "credential-process", .alias = "credentials", .operands = "PROFILE", .max_operands = 1,                    \
    .writes_result = true, .operand_words = SN_WORDS_PROFILES, .opts = sn_credential_process_opts,                     \
    .args_size = sizeof(struct sn_credentials_args), .needs = SN_NEEDS_TVM

#endif
