/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/mfa.h - one-time codes of MFA devices: from an option, or from a person.
 *
 * A code given beforehand serves one device, once. Used by one thread.
 */
#ifndef SN_VAULT_MFA_H
#define SN_VAULT_MFA_H

#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

enum { SN_MFA_CODE_LEN = 6, SN_MFA_TRIES = 3 };

struct sn_mfa {
    const struct sn_secret *given; /* --mfa-token; NULL: none */
    bool is_given_used;
    /* Asks a person; NULL: nobody can be asked. */
    enum sn_status (*ask)(void *ctx, const char *question, struct sn_secret *out_answer, struct sn_error *err);
    void *ctx;
};

/* True if a person can be asked once more for a code that was refused. */
bool sn_mfa_can_ask_again(const struct sn_mfa *mfa);
/*
 * Six digits. MFA_INVALID (SN_INVALID): they are not, or the device cannot give codes; MFA_REQUIRED_HERE
 * (SN_UNAUTHENTICATED): nobody can be asked. mfa may be NULL.
 */
SN_MUST_CHECK enum sn_status sn_mfa_code(
    struct sn_mfa *mfa, struct sn_slice serial, struct sn_secret *out_code, struct sn_error *err);

#endif
