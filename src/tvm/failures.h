/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/failures.h - proofs that failed, counted by address.
 *
 * 30 failures of one address (IPv6: /64) within a minute close the way to STS for it. Loopback and Unix peers are
 * exempt. Bounded memory: addresses share sets of four, the longest quiet one of a set goes. Thread-safe.
 */
#ifndef SN_TVM_FAILURES_H
#define SN_TVM_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#include "net/message.h"

struct sn_failures;

struct sn_failures *sn_failures_new(void);
void sn_failures_free(struct sn_failures *failures);
/* False when the address has failed too often; *out_retry_after_s is then at least 1. */
bool sn_failures_may_ask(
    struct sn_failures *failures, const struct sn_peer *peer, int64_t mono_ns, int64_t *out_retry_after_s);
void sn_failures_add(struct sn_failures *failures, const struct sn_peer *peer, int64_t mono_ns);

#endif
