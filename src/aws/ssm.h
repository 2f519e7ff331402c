/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/ssm.h - the calls to Systems Manager Parameter Store, with answers read strictly. Thread-safe.
 *
 * Codes: SSM_PARAMETER_NOT_FOUND (SN_NOT_FOUND), SSM_ACCESS_DENIED and SSM_KMS_ACCESS_DENIED (SN_DENIED), SSM_THROTTLED
 * (SN_THROTTLED), SSM_INVALID_PARAMETER (SN_INVALID), and SSM_ERROR for everything else: SN_TIMEOUT and SN_UNAVAILABLE
 * for what may pass, SN_CONFLICT for a parameter that exists already, SN_PROTOCOL for an answer that is not of its
 * form. All carry the detail "parameter".
 */
#ifndef SN_AWS_SSM_H
#define SN_AWS_SSM_H

#include "aws/json_client.h"
#include "base/buf.h"

struct sn_ssm;

enum {
    SN_SSM_NAME_MAX = 1011,
    SN_SSM_VALUE_MAX = 8192, /* advanced tier; of the standard tier below */
    SN_SSM_STANDARD_VALUE_MAX = 4096,
    SN_SSM_ANSWER_MAX_BYTES = 131072, /* one value, every byte of it escaped */
    SN_SSM_PAGE_MAX_BYTES = 1048576,  /* ten values */
    SN_SSM_PAGES_MAX = 1024,
};

struct sn_ssm_parameter {
    char name[SN_SSM_NAME_MAX + 1];
    char type[16]; /* "String", "StringList", "SecureString" */
    int64_t version;
    struct sn_buf value; /* decrypted; never empty */
};
void sn_ssm_parameter_clear(struct sn_ssm_parameter *parameter);

SN_MUST_CHECK enum sn_status sn_ssm_new(
    const struct sn_json_client_options *options, struct sn_ssm **out_ssm, struct sn_error *err);
void sn_ssm_free(struct sn_ssm *ssm);

/* One parameter, decrypted. */
SN_MUST_CHECK enum sn_status sn_ssm_get(
    struct sn_ssm *ssm, const char *name, struct sn_ssm_parameter *out_parameter, struct sn_error *err);

/* Called for each parameter, which it may empty by moving the value out; a failure of it ends the listing. */
typedef enum sn_status sn_ssm_each_fn(void *ctx, struct sn_ssm_parameter *parameter, struct sn_error *err);
/* All parameters directly below a path, page by page, decrypted. None is no error. */
SN_MUST_CHECK enum sn_status sn_ssm_list(
    struct sn_ssm *ssm, const char *path, sn_ssm_each_fn *each, void *ctx, struct sn_error *err);

struct sn_ssm_put {
    const char *name;
    const char *type; /* NULL: "String" */
    const char *tier; /* "Standard", "Advanced"; NULL: the account's default */
    struct sn_slice value;
    bool overwrite; /* false: a parameter of that name must not exist */
};
SN_MUST_CHECK enum sn_status sn_ssm_put(
    struct sn_ssm *ssm, const struct sn_ssm_put *put, int64_t *out_version, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_ssm_delete(struct sn_ssm *ssm, const char *name, struct sn_error *err);

/* --- Pure parts, for their tests. --- */
/* Answer of GetParameter; name as it was asked for. AWS_ANSWER_INVALID. */
SN_MUST_CHECK enum sn_status sn_ssm_read_parameter(
    const struct sn_json *root, const char *name, struct sn_ssm_parameter *out_parameter, struct sn_error *err);
/* One page of GetParametersByPath below path; *out_next is borrowed from root, empty at the end. */
SN_MUST_CHECK enum sn_status sn_ssm_read_page(const struct sn_json *root, const char *path, sn_ssm_each_fn *each,
    void *ctx, struct sn_slice *out_next, struct sn_error *err);

#endif
