/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts_request.h - the form bodies of STS calls, built from checked values. Pure.
 */
#ifndef SN_AWS_STS_REQUEST_H
#define SN_AWS_STS_REQUEST_H

#include "aws/sts.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * The body of AssumeRole. Values outside the limits of the service model fail with SN_INVALID, STS_INPUT_INVALID before
 * anything is sent, so that no name can add a parameter and no reserved tag can be set.
 */
SN_MUST_CHECK enum sn_status sn_sts_format_assume_role(
    const struct sn_assume_role *input, struct sn_buf *out_body, struct sn_error *err);

/* The same for GetSessionToken. */
SN_MUST_CHECK enum sn_status sn_sts_format_session_token(
    const struct sn_session_token *input, struct sn_buf *out_body, struct sn_error *err);

#endif
