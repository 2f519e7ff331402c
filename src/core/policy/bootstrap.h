/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/bootstrap.h - the configuration of a first set-up: which profiles to begin with. No server loads it.
 */
#ifndef SN_CORE_POLICY_BOOTSTRAP_H
#define SN_CORE_POLICY_BOOTSTRAP_H

#include "base/slice.h"
#include "core/policy/findings.h"
#include "core/policy/tz.h"

/* Appends everything that is wrong; valid when no error was among it. zones are for the policies inside. */
void sn_bootstrap_check(struct sn_slice text, const struct sn_tz_source *zones, struct sn_findings *findings);

#endif
