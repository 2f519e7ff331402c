/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/sigv4.h - verification of AWS Signature Version 4, header and query form.
 *
 * Written from the published description and shares nothing with the signer of src/aws (not even its percent encoder),
 * so that a mistake there cannot be confirmed here. Stricter than AWS in one point: signed headers must be listed in
 * order. Reading, key lookup and checking are separate steps, since only the caller knows the keys.
 */
#ifndef SN_LAB_SIGV4_H
#define SN_LAB_SIGV4_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "codec/uri.h"
#include "net/message.h"

enum {
    SN_LAB_SKEW_S = 15 * 60,
    SN_LAB_SIGNING_KEY_LEN = 32,
    SN_LAB_SIGNATURE_HEX_LEN = 64,
    SN_LAB_MAX_SIGNED_HEADERS = 48,
};

struct sn_lab_signature {
    struct sn_slice access_key, date, region, service; /* of the credential scope; date is YYYYMMDD */
    struct sn_slice scope;                             /* date/region/service/aws4_request */
    struct sn_slice signed_headers;
    struct sn_slice signature; /* hex as sent */
    struct sn_slice amz_date;
    struct sn_slice token; /* session token, or empty */
    bool in_query;
};

/*
 * The value of an Authorization header. Fails with IncompleteSignature. Leaves amz_date and token untouched. The slices
 * are parts of value.
 */
SN_MUST_CHECK enum sn_status sn_lab_authorization_parse(
    struct sn_slice value, struct sn_lab_signature *out_signature, struct sn_error *err);

/*
 * Finds and reads the signature of a request and checks all that needs no key: form, scope, date within
 * SN_LAB_SKEW_S of now. query holds the decoded query string. Codes: MissingAuthenticationToken, IncompleteSignature,
 * SignatureDoesNotMatch (also for a date out of range, as STS and IAM word it).
 */
SN_MUST_CHECK enum sn_status sn_lab_signature_read(const struct sn_request *request, const struct sn_query *query,
    int64_t now_unix_s, struct sn_lab_signature *out_signature, struct sn_error *err);

/* The signing key of a day, region and service. */
void sn_lab_signing_key(
    struct sn_slice secret, const struct sn_lab_signature *signature, unsigned char out_key[SN_LAB_SIGNING_KEY_LEN]);

/* Recomputes the signature. SignatureDoesNotMatch when it differs. */
SN_MUST_CHECK enum sn_status sn_lab_signature_check(const struct sn_request *request, const struct sn_query *query,
    const struct sn_lab_signature *signature, const unsigned char key[SN_LAB_SIGNING_KEY_LEN], struct sn_error *err);

#endif
