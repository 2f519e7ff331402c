/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/endpoint.h - partitions, regions and service endpoints, from a table of our own.
 */
#ifndef SN_AWS_ENDPOINT_H
#define SN_AWS_ENDPOINT_H

#include <stdbool.h>

#include "base/env.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_REGION_MAX = 32, SN_ENDPOINT_MAX = 512 };

/* True for ^[a-z]{2,}(-[a-z]+)+-[0-9]+$, at most 32 bytes. */
bool sn_region_is_valid(struct sn_slice region);
/* "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b" by the region's prefix. */
const char *sn_partition_of_region(struct sn_slice region);
/*
 * "https://sts.eu-west-1.amazonaws.com" without trailing slash. AWS_ENDPOINT_URL_<SERVICE>, then AWS_ENDPOINT_URL of
 * env override it: http only to loopback (INVALID_ENDPOINT). service as in host names: "sts", "iam", ...; "sso-oidc"
 * and "sso" stand for the hosts oidc. and portal.sso. of IAM Identity Center.
 */
SN_MUST_CHECK enum sn_status sn_endpoint_url(const char *service, struct sn_slice region, const struct sn_env *env,
    char out_url[SN_ENDPOINT_MAX], struct sn_error *err);
/* Region a call is signed for: the partition's home region for global services ("iam"), else region itself. */
const char *sn_endpoint_signing_region(const char *service, const char *region);
/* The authority of such a URL, as it is signed in the host header. */
struct sn_slice sn_endpoint_authority(struct sn_slice url);

#endif
