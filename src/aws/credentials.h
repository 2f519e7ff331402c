/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/credentials.h - one set of AWS credentials.
 */
#ifndef SN_AWS_CREDENTIALS_H
#define SN_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"

enum { SN_ACCESS_KEY_ID_MAX = 128 };

struct sn_credentials {
    char access_key_id[SN_ACCESS_KEY_ID_MAX + 1];
    struct sn_secret secret_access_key;
    struct sn_secret session_token; /* absent for long-lived keys */
    int64_t expires_unix_s;         /* 0: does not expire or not known */
};
void sn_credentials_clear(struct sn_credentials *credentials);
void sn_credentials_move(struct sn_credentials *to, struct sn_credentials *from);
void sn_credentials_copy(struct sn_credentials *to, const struct sn_credentials *from);

/* Where a client gets credentials to sign with; resolved anew for each call so that refresh works. Thread-safe. */
struct sn_credential_source {
    enum sn_status (*get)(void *ctx, struct sn_credentials *out_credentials, struct sn_error *err);
    void *ctx;
};

#endif
