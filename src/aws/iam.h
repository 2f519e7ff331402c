/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/iam.h - access keys of an IAM user: listed, made, deleted.
 *
 * Each call is sent once: whoever rotates keys decides what to do when an answer is lost. A client is used by one
 * thread.
 */
#ifndef SN_AWS_IAM_H
#define SN_AWS_IAM_H

#include <stddef.h>

#include "aws/credentials.h"
#include "aws/transport.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_IAM_KEYS_MAX = 8, SN_IAM_MAX_BYTES = 65536 };

struct sn_iam;

struct sn_iam_options {
    const char *endpoint; /* from sn_endpoint_url */
    const char *region;   /* from sn_endpoint_signing_region */
    const struct sn_credential_source *source;
    const struct sn_clock *clock;         /* NULL: the system's */
    const char *ca_file;                  /* as in net/client.h */
    const struct sn_transport *transport; /* NULL: a real one */
};
SN_MUST_CHECK enum sn_status sn_iam_new(
    const struct sn_iam_options *options, struct sn_iam **out_iam, struct sn_error *err);
void sn_iam_free(struct sn_iam *iam);
void sn_iam_free_p(struct sn_iam **iam);

struct sn_iam_keys {
    char ids[SN_IAM_KEYS_MAX][SN_ACCESS_KEY_ID_MAX + 1];
    size_t count;
};

/*
 * Of the caller itself. Codes of all: IAM_REFUSED (detail "aws_code"), IAM_UNAVAILABLE (the answer was lost or
 * none: what was asked may have been done), IAM_ANSWER_INVALID.
 */
SN_MUST_CHECK enum sn_status sn_iam_list_access_keys(
    struct sn_iam *iam, struct sn_iam_keys *out_keys, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_iam_create_access_key(
    struct sn_iam *iam, struct sn_credentials *out_key, struct sn_error *err);
/* A key that is not there counts as deleted. */
SN_MUST_CHECK enum sn_status sn_iam_delete_access_key(
    struct sn_iam *iam, const char *access_key_id, struct sn_error *err);

/* Reads an answer of CreateAccessKey or ListAccessKeys. Pure, for tests. */
SN_MUST_CHECK enum sn_status sn_iam_parse_created(
    struct sn_slice body, struct sn_credentials *out_key, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_iam_parse_keys(
    struct sn_slice body, struct sn_iam_keys *out_keys, struct sn_error *err);

#endif
