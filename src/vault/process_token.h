/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/process_token.h - a random token that only one user, and if wanted only one process, may present.
 *
 * Not thread-safe: one lock of the owner around it. An absent token never matches.
 */
#ifndef SN_VAULT_PROCESS_TOKEN_H
#define SN_VAULT_PROCESS_TOKEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/slice.h"

enum { SN_PROCESS_TOKEN_BYTES = 32, SN_PROCESS_TOKEN_LEN = 43 };

struct sn_process_token {
    struct sn_secret text; /* 32 random bytes as base64url without padding: 43 characters */
    uid_t uid;
    bool binds_pid; /* the first process that presents it owns it */
    pid_t pid;      /* 0: not bound yet */
};

SN_MUST_CHECK enum sn_status sn_process_token_init(struct sn_process_token *token,
    const struct sn_random *random_source, uid_t uid, bool binds_pid, struct sn_error *err);
/* Nothing matches any more. */
void sn_process_token_revoke(struct sn_process_token *token);
/*
 * Compares in constant time. False: the text, the user or the process is another one, or the token was revoked.
 * *out_misused, when given, tells that the right text came from the wrong user or process.
 */
bool sn_process_token_accepts(
    struct sn_process_token *token, struct sn_slice presented, uid_t uid, pid_t pid, bool *out_misused);

#endif
