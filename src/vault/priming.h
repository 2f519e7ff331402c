/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/priming.h - is a session made from a long-lived key before its roles are assumed? Pure.
 *
 * One GetSessionToken call with an MFA code lets several roles be assumed without another code, but its keys are
 * temporary: a role on top of them lives an hour at most.
 */
#ifndef SN_VAULT_PRIMING_H
#define SN_VAULT_PRIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { SN_PRIMING_HOPS_MAX = 17, SN_CHAINED_MAX_S = 3600 };

enum sn_priming {
    SN_PRIMING_NONE,
    SN_PRIMING_PLAIN,   /* the session is what was asked for */
    SN_PRIMING_CHAINED, /* roles follow */
};

struct sn_priming_input {
    bool no_session;
    struct sn_slice base_serial; /* of the profile that holds the key; empty for none */
    size_t hops;                 /* roles between it and the profile asked for */
    struct sn_slice hop_serials[SN_PRIMING_HOPS_MAX];
    int64_t hop_duration_s; /* asked for, of a single hop */
};
enum sn_priming sn_priming_of(const struct sn_priming_input *input);

#endif
