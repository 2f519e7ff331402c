/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/ratelimit/limiter.h - per-process sliding-window limits: per caller ARN, per stable principal id, per account.
 *
 * Thread-safe; time is the monotonic clock handed in. At most 10,000 keys; when full, the longest unused key goes, and
 * a key that would have to be refused is never among those dropped.
 */
#ifndef SN_CORE_RATELIMIT_LIMITER_H
#define SN_CORE_RATELIMIT_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct sn_limiter;

enum sn_limiter_bucket { SN_LIMITER_NONE, SN_LIMITER_CALLER, SN_LIMITER_ROLE, SN_LIMITER_ACCOUNT };

/* requests per window_s per caller ARN; 20 times that per stable id, 100 times per account. requests 0: off. */
struct sn_limiter *sn_limiter_new(int64_t requests, int64_t window_s);
void sn_limiter_free(struct sn_limiter *limiter);
/* True if the call may go on. Otherwise *out_retry_after_s is at least 1 and *out_bucket says which limit. */
bool sn_limiter_allow(struct sn_limiter *limiter, struct sn_slice caller_arn, struct sn_slice stable_id,
    struct sn_slice account, int64_t mono_ns, int64_t *out_retry_after_s, enum sn_limiter_bucket *out_bucket);
/* How many keys and admitted calls are held now, for metrics. */
void sn_limiter_count(struct sn_limiter *limiter, size_t *out_keys, size_t *out_instants);

#endif
