/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_access.h - what the commands that ask the TVM have in common: their options, and how they ask.
 */
#ifndef SN_CLI_TVM_ACCESS_H
#define SN_CLI_TVM_ACCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "aws/endpoint.h"
#include "cli/child.h"
#include "cli/command.h"
#include "vault/base_credentials.h"
#include "vault/client.h"

/* What main knows and commands need. */
struct sn_client_context {
    /* As they were at start, for children. */
    mode_t umask;
    struct sn_inherited_fds inherited;
};

struct sn_tvm_args {
    const char *tvm_url, *tvm_auth, *region, *aws_profile;
    bool no_cache;
};
extern const char *const sn_tvm_auth_choices[];

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
    {.name = "no-cache", .kind = SN_OPT_FLAG, .field = offsetof(type, member.no_cache),                               \
     .help = "ask the TVM even if credentials are held already"}

/* Options that an earlier design had: the tables belong to the TVM. */
#define SN_TVM_REMOVED_TABLES                                                                                         \
    {.name = "session-table", .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL: only the TVM reads its tables"},   \
    {.name = "request-table", .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL: only the TVM reads its tables"},   \
    {.name = "breakglass-table", .flags = SN_OPT_REMOVED,                                                             \
     .help = "use --tvm-url URL: only the TVM reads its tables"},                                                     \
    {.name = "table", .flags = SN_OPT_REMOVED, .help = "use --tvm-url URL: only the TVM reads its tables"}
/* clang-format on */

/* The profile, from the operand or --profile: PROFILE_CONFLICT when they differ, MISSING_PROFILE, INVALID_PROFILE. */
SN_MUST_CHECK enum sn_status sn_cli_profile(
    const struct sn_app *app, const char *option, const char **out_profile, struct sn_error *err);

/* Base credentials and a client for them. A zeroed struct is closed. Used by one thread at a time. */
struct sn_tvm_access {
    struct sn_base *base;
    struct sn_client *client;
};
SN_MUST_CHECK enum sn_status sn_tvm_access_open(
    const struct sn_tvm_args *args, struct sn_tvm_access *out_access, struct sn_error *err);
void sn_tvm_access_clear(struct sn_tvm_access *access);

/* Replaces the hint of a refusal by one that names the profile (may be NULL) and commands that help. Its status. */
enum sn_status sn_tvm_hint(const char *program, const char *profile, struct sn_error *err);

/* sn_client_call with such hints. profile NULL: the call is about none. */
SN_MUST_CHECK enum sn_status sn_tvm_access_call(const struct sn_app *app, const struct sn_tvm_access *access,
    const char *profile, const char *method, const char *path, struct sn_slice query, struct sn_slice body,
    struct sn_json_doc **out_doc, struct sn_error *err);

/*
 * The call of exec, credential-process and export: credentials of a profile, with hints that name the profile and the
 * commands that help. Leaves app->failure empty when it succeeds. duration_s 0: the TVM's default.
 */
SN_MUST_CHECK enum sn_status sn_tvm_access_credentials(struct sn_app *app, const struct sn_tvm_args *args,
    struct sn_tvm_access *access, const char *profile, int64_t duration_s, struct sn_issued *out_issued,
    struct sn_error *err);

/* The region for a child, from --region, AWS_REGION, AWS_DEFAULT_REGION, the session's, the AWS profile's; "" if none.
 */
SN_MUST_CHECK enum sn_status sn_tvm_access_region(const struct sn_tvm_access *access, const struct sn_tvm_args *args,
    const char *session_region, char out_region[SN_REGION_MAX + 1], struct sn_error *err);

/* The caller's ARN as STS tells it for the base credentials, without any TVM. */
enum { SN_CLI_ARN_SIZE = 2049 };
SN_MUST_CHECK enum sn_status sn_cli_caller(
    const struct sn_tvm_args *args, char out_arn[SN_CLI_ARN_SIZE], struct sn_error *err);

extern const struct sn_cmd sn_cmd_exec, sn_cmd_credential_process, sn_cmd_export, sn_cmd_whoami, sn_cmd_profiles,
    sn_cmd_explain, sn_cmd_audit_verify_logs, sn_cmd_lab;

#endif
