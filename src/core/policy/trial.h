/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/trial.h - made-up requests: who, from which device, against what kind of server (POL 14).
 *
 * What eval, test, simulate and analyse have in common. Nothing here issues anything.
 */
#ifndef SN_CORE_POLICY_TRIAL_H
#define SN_CORE_POLICY_TRIAL_H

#include "core/policy/catalog.h"
#include "core/policy/policy.h"
#include "core/policy/schema.h"

enum { SN_TRIAL_GLOBS_MAX = 64 };

/* What the server is taken to be. */
struct sn_trial_server {
    char account[SN_ACCOUNT_LEN + 1]; /* its own; "": not said */
    struct sn_slice globs[SN_TRIAL_GLOBS_MAX];
    size_t glob_count;
    struct sn_slice session_store;         /* empty: none */
    const struct sn_catalog *target_roles; /* whose roles are never vouched for; NULL: none */
};
/* The server's own account, or the one that stands for it where none was said. */
const char *sn_trial_own_account(const struct sn_trial_server *server);

/* Reads a comma list of role globs; INVALID_GLOB. The text must outlive server. */
SN_MUST_CHECK enum sn_status sn_trial_globs(struct sn_slice text, struct sn_trial_server *server, struct sn_error *err);
/* 12 digits. */
SN_MUST_CHECK enum sn_status sn_trial_account(
    struct sn_slice text, struct sn_trial_server *server, struct sn_error *err);

/*
 * A caller ARN, or a NAME: the vouched IAM user of that name in the server's own account. Where no account was said,
 * that of the first IAM user met by its ARN is taken. INVALID_IDENTITY.
 */
SN_MUST_CHECK enum sn_status sn_trial_principal(
    struct sn_slice text, struct sn_trial_server *server, struct sn_principal *out_principal, struct sn_error *err);

/* A posture of a checked mapping (sn_schema_posture); borrows texts from node. */
void sn_trial_posture(const struct sn_yaml_node *node, struct sn_posture *out_posture);
/* The same of a text of its own, JSON or YAML. INVALID_POSTURE; texts live in arena. */
SN_MUST_CHECK enum sn_status sn_trial_posture_parse(
    struct sn_slice text, struct sn_arena *arena, struct sn_posture *out_posture, struct sn_error *err);

void sn_trial_request(const struct sn_trial_server *server, const struct sn_principal *principal,
    struct sn_slice profile, int64_t unix_s, const struct sn_posture *posture, struct sn_policy_request *out_request);

const char *sn_override_name(enum sn_override override); /* "none", "breakglass", "approval_or_breakglass" */
/* "ALLOW by rule 'x' (index 2)", "DENY (no matching rule)". */
void sn_decision_format(struct sn_buf *buf, const struct sn_decision *decision);

#endif
