/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts_answer.h - what STS answered, read strictly. Pure.
 *
 * An answer counts only if it has exactly the form that STS gives it: an identity or a set of keys that comes in any
 * other dress is none.
 */
#ifndef SN_AWS_STS_ANSWER_H
#define SN_AWS_STS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/sts.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_STS_IDENTITY_MAX_BYTES = 16384, SN_STS_ASSUME_MAX_BYTES = 65536, SN_STS_CODE_MAX = 64 };

#define SN_STS_NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"

struct sn_sts_answer {
    int status;
    struct sn_slice content_type;
    struct sn_slice body;
};

/* SN_PROTOCOL, STS_ANSWER_INVALID with what is wrong for everything but a perfect 200. */
SN_MUST_CHECK enum sn_status sn_sts_parse_caller_identity(
    const struct sn_sts_answer *answer, struct sn_caller *out_caller, struct sn_error *err);

/* The same for AssumeRole: form, expiry after now_unix_s, and role, account and session name as asked. */
SN_MUST_CHECK enum sn_status sn_sts_parse_assume_role(const struct sn_sts_answer *answer,
    const struct sn_assume_role *asked, int64_t now_unix_s, struct sn_assumed_role *out_role, struct sn_error *err);

/* The same for GetSessionToken: form, and expiry after now_unix_s. */
SN_MUST_CHECK enum sn_status sn_sts_parse_session_token(const struct sn_sts_answer *answer, int64_t now_unix_s,
    struct sn_credentials *out_credentials, struct sn_error *err);

struct sn_sts_fault {
    char code[SN_STS_CODE_MAX + 1]; /* "" when the answer is no error of STS */
    char message[301];              /* sanitised; "" for codes whose message may repeat what was signed */
};
/* Reads an ErrorResponse, or leaves code empty. */
void sn_sts_parse_fault(const struct sn_sts_answer *answer, struct sn_sts_fault *out_fault);
bool sn_sts_code_is_throttle(const char *code);

#endif
