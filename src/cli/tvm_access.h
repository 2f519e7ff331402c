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
#include "cli/credential_options.h"
#include "cli/sso_person.h"
#include "vault/base_credentials.h"
#include "vault/client.h"
#include "cli/vault_access.h"
#include "vault/credential_cache.h"

/* What main knows and commands need. */
struct sn_client_context {
    /* As they were at start, for children. */
    mode_t umask;
    struct sn_inherited_fds inherited;
};

/* The profile, from the operand or --profile: PROFILE_CONFLICT when they differ, MISSING_PROFILE, INVALID_PROFILE. */
SN_MUST_CHECK enum sn_status sn_cli_profile(
    const struct sn_app *app, const char *option, const char **out_profile, struct sn_error *err);

/* Base credentials and a client for them. A zeroed struct is closed. Used by one thread at a time. */
struct sn_tvm_access {
    struct sn_vault_access vault; /* keys of a keyring that was chosen once */
    struct sn_base *base;
    struct sn_client *client;
    struct sn_credential_cache cache; /* unusable until credentials were asked for */
    struct sn_cli_person person;      /* base refers to it: an open access is not moved */
};
SN_MUST_CHECK enum sn_status sn_tvm_access_open(
    const struct sn_app *app, const struct sn_tvm_args *args, struct sn_tvm_access *out_access, struct sn_error *err);
void sn_tvm_access_clear(struct sn_tvm_access *access);
/* From now on whatever would need a person fails: the terminal belongs to somebody else, or nobody waits. */
void sn_tvm_access_ask_nobody(struct sn_tvm_access *access);

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

/* The same past the cache, for a relay; a refusal drops what the cache holds. */
SN_MUST_CHECK enum sn_status sn_tvm_access_fresh(const struct sn_app *app, struct sn_tvm_access *access,
    const char *profile, int64_t duration_s, struct sn_issued *out_issued, int *out_http_status, struct sn_error *err);

/* The region for a child, from --region, AWS_REGION, AWS_DEFAULT_REGION, the session's, the AWS profile's; "" if none.
 */
SN_MUST_CHECK enum sn_status sn_tvm_access_region(const struct sn_tvm_access *access, const struct sn_tvm_args *args,
    const char *session_region, char out_region[SN_REGION_MAX + 1], struct sn_error *err);

/* The caller's ARN as STS tells it for the base credentials, without any TVM. */
enum { SN_CLI_ARN_SIZE = 2049 };
SN_MUST_CHECK enum sn_status sn_cli_caller(
    const struct sn_app *app, const struct sn_tvm_args *args, char out_arn[SN_CLI_ARN_SIZE], struct sn_error *err);

extern const struct sn_cmd sn_cmd_exec, sn_cmd_credential_process, sn_cmd_export, sn_cmd_whoami, sn_cmd_profiles,
    sn_cmd_explain, sn_cmd_audit_verify_logs, sn_cmd_lab;

#endif
