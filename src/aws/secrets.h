/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/secrets.h - the call to Secrets Manager, with its answer read strictly. Thread-safe.
 *
 * Codes: SECRET_NOT_FOUND (SN_NOT_FOUND), SECRET_ACCESS_DENIED (SN_DENIED), SECRET_THROTTLED (SN_THROTTLED),
 * SECRET_INVALID (SN_INVALID: it holds bytes or nothing), and SECRET_ERROR for everything else.
 */
#ifndef SN_AWS_SECRETS_H
#define SN_AWS_SECRETS_H

#include "aws/json_client.h"
#include "base/secret.h"

struct sn_secrets;

enum { SN_SECRETS_VALUE_MAX = 65536, SN_SECRETS_ANSWER_MAX_BYTES = 524288 };

SN_MUST_CHECK enum sn_status sn_secrets_new(
    const struct sn_json_client_options *options, struct sn_secrets **out_secrets, struct sn_error *err);
void sn_secrets_free(struct sn_secrets *secrets);

/* The current text of a secret by its name or ARN. No message holds a byte of it. */
SN_MUST_CHECK enum sn_status sn_secrets_get(
    struct sn_secrets *secrets, const char *id, struct sn_secret *out_text, struct sn_error *err);

/* --- Pure part, for its tests: the answer of GetSecretValue. AWS_ANSWER_INVALID, SECRET_INVALID. --- */
SN_MUST_CHECK enum sn_status sn_secrets_read_value(
    const struct sn_json *root, struct sn_secret *out_text, struct sn_error *err);

#endif
