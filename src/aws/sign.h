/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sign.h - AWS Signature Version 4 (header and query form), our own.
 *
 * Pure: no clock, no I/O. Stages can be read one by one for published vectors.
 */
#ifndef SN_AWS_SIGN_H
#define SN_AWS_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

struct sn_sign_header {
    struct sn_slice name, value; /* name in any case */
};

struct sn_sign_input {
    struct sn_slice method, path, query;  /* as sent; the path undecoded */
    const struct sn_sign_header *headers; /* all that are to be signed, host included, x-amz-date not */
    size_t header_count;
    struct sn_slice payload_hash; /* lower-case hex; empty: computed from body */
    struct sn_slice body;
    struct sn_slice region, service;
    int64_t unix_s;
    bool normalize_path;      /* every service but S3 */
    bool double_encode_path;  /* every service but S3 */
    bool sign_payload_header; /* add x-amz-content-sha256 */
    bool omit_session_token;  /* the token is sent but not signed */
    bool presign;             /* signature goes into the query */
    int64_t expires_s;        /* presign only */
};

struct sn_signature {
    struct sn_buf canonical_request, string_to_sign;
    struct sn_buf signed_headers; /* a;b;c */
    char signature[65];
    char amz_date[17];
    struct sn_buf authorization; /* header form */
    struct sn_buf query;         /* presign: the whole query string with X-Amz-Signature */
};
void sn_signature_clear(struct sn_signature *signature);

SN_MUST_CHECK enum sn_status sn_sign_v4(const struct sn_sign_input *input, const struct sn_credentials *credentials,
    struct sn_signature *out_signature, struct sn_error *err);

#endif
