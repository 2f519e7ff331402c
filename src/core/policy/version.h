/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/version.h - versions of operating systems: "14.2", "10.0.22631", "6.1-beta".
 *
 * A version is split at '.', '-' and '+', empty parts are dropped, each part counts with its leading digits (none: 0)
 * and a missing part is 0: "14" equals "14.0.0".
 */
#ifndef SN_CORE_POLICY_VERSION_H
#define SN_CORE_POLICY_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* False when a part has more than 9 digits: such a version compares with nothing. */
bool sn_version_is_comparable(struct sn_slice version);
/* True for what a policy may demand: letters, digits, '.', '+', '-', a digit among them, comparable. */
bool sn_version_is_requirement(struct sn_slice version);
/*
 * The first three parts as one number that orders as versions do, so that most comparisons are of numbers: different
 * heads tell the order, and equal ones equality unless SN_VERSION_HAS_MORE is set in one of them. False, like
 * sn_version_is_comparable(), when the version compares with nothing.
 */
enum { SN_VERSION_HAS_MORE = 1 };
bool sn_version_read_head(struct sn_slice version, uint64_t *out_head);
static inline bool sn_version_heads_differ(uint64_t a, uint64_t b)
{
    return (a | SN_VERSION_HAS_MORE) != (b | SN_VERSION_HAS_MORE);
}
/* Negative, zero or positive. Both must be comparable. */
int sn_version_cmp(struct sn_slice a, struct sn_slice b);

#endif
