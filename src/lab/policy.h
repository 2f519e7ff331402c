/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/policy.h - IAM policy documents as AWS evaluates them: trust, identity, session and inline policies.
 *
 * A document is read once into a counted, immutable object that threads share. What the lab does not understand is
 * refused when the document is read (MalformedPolicyDocument), never skipped: an operator or element that had no effect
 * would make the lab more generous than AWS. Policy variables ("${...}") and wildcards inside principals are among it.
 */
#ifndef SN_LAB_POLICY_H
#define SN_LAB_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum {
    SN_LAB_POLICY_MAX_BYTES = 131072,
    SN_LAB_MAX_FACTS = 192,
};

enum sn_lab_policy_kind {
    SN_LAB_POLICY_TRUST,    /* Principal required, Resource forbidden */
    SN_LAB_POLICY_IDENTITY, /* Resource required, Principal forbidden; also session policies */
};

/* One condition key of a request. Several values for aws:TagKeys and its like. */
struct sn_lab_fact {
    struct sn_slice key;
    struct sn_slice one;           /* the value when values is NULL */
    const struct sn_slice *values; /* borrowed */
    size_t count;
};

/* All condition keys of one request; zeroed is empty. Keys are compared without regard to ASCII case, as AWS does. */
struct sn_lab_facts {
    struct sn_lab_fact facts[SN_LAB_MAX_FACTS];
    size_t count;
};
void sn_lab_facts_add(struct sn_lab_facts *facts, struct sn_slice key, struct sn_slice value);
void sn_lab_facts_add_list(
    struct sn_lab_facts *facts, struct sn_slice key, const struct sn_slice *values, size_t count);

/* Who calls, as a Principal element may name him. */
struct sn_lab_who {
    struct sn_slice account;
    struct sn_slice arn;      /* user, root or session ARN */
    struct sn_slice role_arn; /* of a session's role; empty otherwise */
};

struct sn_lab_ask {
    struct sn_slice action;   /* "sts:AssumeRole" */
    struct sn_slice resource; /* ARN, or "*" */
    const struct sn_lab_facts *facts;
    const struct sn_lab_who *who; /* for trust policies; NULL otherwise */
};

enum sn_lab_effect { SN_LAB_NO_MATCH, SN_LAB_ALLOW, SN_LAB_DENY };

struct sn_lab_policy;

/* Fails with SN_INVALID, MalformedPolicyDocument and AWS's way of saying it. */
SN_MUST_CHECK enum sn_status sn_lab_policy_parse(
    struct sn_slice json, enum sn_lab_policy_kind kind, struct sn_lab_policy **out_policy, struct sn_error *err);
struct sn_lab_policy *sn_lab_policy_ref(struct sn_lab_policy *policy);
void sn_lab_policy_unref(struct sn_lab_policy *policy); /* NULL is ignored */
void sn_lab_policy_unref_p(struct sn_lab_policy **policy);
/* The document as it was given. */
struct sn_slice sn_lab_policy_text(const struct sn_lab_policy *policy);

/*
 * A matching Deny wins over every Allow. out_direct (may be NULL) tells for a trust policy whether an allowing
 * statement names the caller himself (or everybody) rather than his account: only then does it grant without an
 * identity policy.
 */
enum sn_lab_effect sn_lab_policy_evaluate(
    const struct sn_lab_policy *policy, const struct sn_lab_ask *ask, bool *out_direct);

/* IAM's wildcards: '*' any run, '?' one byte; case-sensitive unless nocase; linear in practice, never exponential. */
bool sn_lab_wildcard(struct sn_slice text, struct sn_slice pattern, bool nocase);

#endif
