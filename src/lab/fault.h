/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/fault.h - wrong behaviour on demand: "sts:AssumeRole=throttle,3".
 */
#ifndef SN_LAB_FAULT_H
#define SN_LAB_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum sn_lab_fault_kind {
    SN_LAB_FAULT_NONE,
    SN_LAB_FAULT_THROTTLE,   /* 400 Throttling */
    SN_LAB_FAULT_500,        /* 500 InternalFailure */
    SN_LAB_FAULT_SLOW,       /* the right answer, late */
    SN_LAB_FAULT_CUT,        /* a connection that ends in the middle of the answer */
    SN_LAB_FAULT_HTML,       /* 200 and a page */
    SN_LAB_FAULT_REDIRECT,   /* 302 to elsewhere */
    SN_LAB_FAULT_OTHER_ROLE, /* the answer speaks of another role or caller */
    SN_LAB_FAULT_TWO_ARNS,   /* the Arn element twice, the second one foreign */
    SN_LAB_FAULT_WRONG_TYPE, /* the right body under Content-Type application/json */
    /* answers of sso-oidc, under the names of RFC 8628 */
    SN_LAB_FAULT_AUTHORIZATION_PENDING,
    SN_LAB_FAULT_SLOW_DOWN,
    SN_LAB_FAULT_EXPIRED_TOKEN,
    SN_LAB_FAULT_ACCESS_DENIED,
    SN_LAB_FAULT_INVALID_GRANT,
};

struct sn_lab_fault {
    enum sn_lab_fault_kind kind;
    int64_t slow_s;
};

enum { SN_LAB_MAX_FAULTS = 64, SN_LAB_FAULT_MAX_SLOW_S = 300 };

struct sn_lab_faults; /* thread-safe */

struct sn_lab_faults *sn_lab_faults_new(void);
void sn_lab_faults_free(struct sn_lab_faults *faults);
/* "none" forgets all; "SERVICE:ACTION=KIND[,COUNT]" sets one (KIND none: forgets it). Code LAB_FAULT. */
SN_MUST_CHECK enum sn_status sn_lab_faults_set(
    struct sn_lab_faults *faults, struct sn_slice text, struct sn_error *err);
/* The fault for a call of that action, counted down; kind none if there is none. */
struct sn_lab_fault sn_lab_faults_take(struct sn_lab_faults *faults, struct sn_slice service, struct sn_slice action);

/* The word of a kind, as it is written after '='. */
const char *sn_lab_fault_name(enum sn_lab_fault_kind kind);

#endif
