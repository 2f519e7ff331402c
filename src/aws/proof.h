/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/proof.h - proof of identity: a signed sts:GetCallerIdentity that travels on an API request.
 *
 * The client side makes one; the server side checks its form and rebuilds the STS request from constants, its own
 * settings and the checked values. Both are pure.
 */
#ifndef SN_AWS_PROOF_H
#define SN_AWS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"
#include "net/client.h"
#include "net/message.h"

enum { SN_REQUEST_HASH_LEN = 64, SN_PROOF_NONCE_LEN = 22, SN_PROOF_MAX_BYTES = 8192, SN_PROOF_SKEW_S = 60 };

/* What is signed and never sent by the client: the one body and its content type. */
#define SN_PROOF_BODY "Action=GetCallerIdentity&Version=2011-06-15"
#define SN_PROOF_CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"

/* Lower-case hex SHA-256 of the four lines. */
void sn_request_hash(struct sn_slice method, struct sn_slice path, struct sn_slice query, struct sn_slice body,
    char out_hex[SN_REQUEST_HASH_LEN + 1]);

struct sn_proof_input {
    struct sn_slice audience;     /* canonical TVM URL */
    struct sn_slice request_hash; /* 64 hex */
    struct sn_slice nonce;        /* 22 characters, or empty */
    struct sn_slice region;
    struct sn_slice sts_authority; /* host header of the STS endpoint */
    int64_t unix_s;
};
/* The headers a client adds to its request, names and values. */
struct sn_proof_headers {
    struct sn_buf authorization, amz_date, security_token, audience, nonce, request;
};
void sn_proof_headers_clear(struct sn_proof_headers *headers);
SN_MUST_CHECK enum sn_status sn_proof_make(const struct sn_proof_input *input, const struct sn_credentials *credentials,
    struct sn_proof_headers *out_headers, struct sn_error *err);

/* --- Server --- */
struct sn_proof {
    struct sn_slice access_key_id, date, region, signed_headers, signature;
    struct sn_slice amz_date, security_token, audience, nonce, request_hash;
    int64_t unix_s;
    unsigned char signature_bytes[32];
};
struct sn_proof_rules {
    struct sn_slice region;
    const struct sn_slice *audiences;
    size_t audience_count;
    int64_t now_unix_s;
};
/*
 * The checks that need no STS, in a fixed order: the first that fires answers. Codes: PROOF_REQUIRED, PROOF_MALFORMED,
 * PROOF_REGION, PROOF_EXPIRED,
 * PROOF_AUDIENCE, PROOF_MISMATCH. Slices are borrowed from the request.
 */
SN_MUST_CHECK enum sn_status sn_proof_check(const struct sn_request *request, const struct sn_proof_rules *rules,
    struct sn_proof *out_proof, struct sn_error *err);
/* The Authorization value for STS, assembled from the parts of a checked proof; nothing of the client's text survives.
 */
void sn_proof_format_authorization(struct sn_buf *buf, const struct sn_proof *proof);

#endif
