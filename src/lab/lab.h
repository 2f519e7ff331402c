/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/lab.h - the stand-in AWS as one object: requests in, answers out.
 *
 * It plays STS, IAM (reading, and inline policies of roles), CloudTrail's LookupEvents and IAM Identity Center on one
 * address; which service is meant follows from the scope of the signature, or from the path. It holds no state outside
 * memory but the files of its directory.
 */
#ifndef SN_LAB_LAB_H
#define SN_LAB_LAB_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"
#include "net/message.h"

struct sn_lab;

struct sn_lab_options {
    struct sn_slice config;                /* text of lab.yaml */
    const char *journal_path;              /* NULL: none */
    const struct sn_clock *clock;          /* NULL: the system's */
    const struct sn_random *random_source; /* NULL: the system's */
};

SN_MUST_CHECK enum sn_status sn_lab_new(
    const struct sn_lab_options *options, struct sn_lab **out_lab, struct sn_error *err);
void sn_lab_free(struct sn_lab *lab);
void sn_lab_free_p(struct sn_lab **lab);

/* A handler for the listener; ctx is the lab. */
void sn_lab_handle(void *ctx, const struct sn_request *request, struct sn_response *response);
/* The listener's refusals in AWS's form. */
void sn_lab_refuse(void *ctx, int status, const char *code, const char *message, struct sn_response *response);
/* Wakes handlers that wait for a slow fault, so that the process can end. */
void sn_lab_stop(struct sn_lab *lab);

/* The lab's own time: the system's plus what 'lab clock' added. Signatures are judged by the system's. */
int64_t sn_lab_now_unix_ms(struct sn_lab *lab);
/* "+1h", "-30m" or "=2026-02-01T10:00:00Z". Code LAB_CLOCK. */
SN_MUST_CHECK enum sn_status sn_lab_set_clock(struct sn_lab *lab, struct sn_slice text, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_lab_set_fault(struct sn_lab *lab, struct sn_slice text, struct sn_error *err);

/* The URL it answers at, without a slash at the end; before the first request. */
void sn_lab_set_url(struct sn_lab *lab, const char *url);
/* The person's word on a sign-in: "CODE USER" allows it, "CODE" alone declines. Code LAB_CENTER. */
SN_MUST_CHECK enum sn_status sn_lab_decide(struct sn_lab *lab, struct sn_slice text, struct sn_error *err);

/* What requests on the control path must present in X-Lab-Token. */
struct sn_slice sn_lab_control_token(const struct sn_lab *lab);
struct sn_lab_config;
const struct sn_lab_config *sn_lab_config_of(const struct sn_lab *lab);

#endif
