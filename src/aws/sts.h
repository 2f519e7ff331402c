/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sts.h - the STS calls of Sentinel, with answers read strictly.
 *
 * A client is used by one thread; it keeps its connections warm.
 */
#ifndef SN_AWS_STS_H
#define SN_AWS_STS_H

#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/proof.h"
#include "aws/transport.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"
#include "net/client.h"

struct sn_sts;

struct sn_sts_options {
    const char *endpoint; /* from sn_endpoint_url */
    const char *region;
    const struct sn_credential_source *source; /* for calls of our own; NULL: proofs only */
    const struct sn_clock *clock;
    const char *ca_file;                  /* as in net/client.h */
    const char *user_agent;               /* likewise */
    const struct sn_transport *transport; /* NULL: net/client.h and the system's sleep */
};

struct sn_caller {
    char arn[2049], user_id[257], account[13];
};

struct sn_assume_role {
    struct sn_slice role_arn, session_name, source_identity, external_id, policy;
    int64_t duration_s;
    const struct sn_slice *policy_arns;
    size_t policy_arn_count;
    const struct sn_slice *tag_keys, *tag_values;
    size_t tag_count;
    const struct sn_slice *transitive_tag_keys;
    size_t transitive_tag_count;
    struct sn_slice mfa_serial, mfa_code; /* both or none */
};
struct sn_assumed_role {
    struct sn_credentials credentials;
    char arn[2049];
};
void sn_assumed_role_clear(struct sn_assumed_role *role);

struct sn_session_token {
    int64_t duration_s;
    struct sn_slice mfa_serial, mfa_code; /* both or none */
};

SN_MUST_CHECK enum sn_status sn_sts_new(
    const struct sn_sts_options *options, struct sn_sts **out_sts, struct sn_error *err);
void sn_sts_free(struct sn_sts *sts);
void sn_sts_free_p(struct sn_sts **sts);

/*
 * All calls give up at deadline_mono_ns (0: their own limits). Codes: STS_REFUSED (detail "aws_code"), STS_THROTTLED,
 * STS_UNAVAILABLE, STS_TIMEOUT, STS_ANSWER_INVALID; STS_INPUT_INVALID for values that STS would refuse, nothing sent.
 */
SN_MUST_CHECK enum sn_status sn_sts_get_caller_identity(
    struct sn_sts *sts, int64_t deadline_mono_ns, struct sn_caller *out_caller, struct sn_error *err);
/*
 * Sends the rebuilt request of a checked proof. Codes: PROOF_REJECTED (SN_UNAUTHENTICATED, hint by STS's code),
 * IDENTITY_UNAVAILABLE (SN_UNAVAILABLE); detail "answer" = "invalid" for a 200 that fails the form.
 */
SN_MUST_CHECK enum sn_status sn_sts_verify_proof(struct sn_sts *sts, const struct sn_proof *proof,
    int64_t deadline_mono_ns, struct sn_caller *out_caller, struct sn_error *err);
/* Retries on network faults, throttling and 5xx; checks the answer against what was asked. */
SN_MUST_CHECK enum sn_status sn_sts_assume_role(struct sn_sts *sts, const struct sn_assume_role *input,
    int64_t deadline_mono_ns, struct sn_assumed_role *out_role, struct sn_error *err);
/* For long-lived keys. A call with a code is sent once: STS takes no code twice. */
SN_MUST_CHECK enum sn_status sn_sts_get_session_token(struct sn_sts *sts, const struct sn_session_token *input,
    int64_t deadline_mono_ns, struct sn_credentials *out_credentials, struct sn_error *err);

#endif
