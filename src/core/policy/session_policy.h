/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/session_policy.h - the session policy of a profile: an IAM policy as JSON text.
 */
#ifndef SN_CORE_POLICY_SESSION_POLICY_H
#define SN_CORE_POLICY_SESSION_POLICY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

/*
 * Checks text and appends it without white space to out_json. Fails with SN_INVALID or SN_LIMIT, code
 * INVALID_SESSION_POLICY, and a message that begins in the middle of a sentence: "statement 2 has no Effect".
 */
SN_MUST_CHECK enum sn_status sn_session_policy_minify(
    struct sn_slice text, struct sn_buf *out_json, struct sn_error *err);

#endif
