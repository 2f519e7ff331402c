/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/endpoint.c - partitions, regions and service endpoints.
 */
#include "aws/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "codec/uri.h"

struct partition_row {
    const char *region_prefix;
    const char *partition;
    const char *suffix;
    const char *home_region; /* where the partition's global services are signed */
    const char *iam_host;    /* NULL: "iam.<suffix>" */
};

/* The first row whose prefix fits; the last fits all. */
static const struct partition_row partition_rows[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn"},
    {"us-gov-", "aws-us-gov", "amazonaws.com", "us-gov-west-1", "iam.us-gov.amazonaws.com"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "us-isob-east-1", "iam.us-isob-east-1.sc2s.sgov.gov"},
    {"us-iso-", "aws-iso", "c2s.ic.gov", "us-iso-east-1", "iam.us-iso-east-1.c2s.ic.gov"},
    {"", "aws", "amazonaws.com", "us-east-1", "iam.amazonaws.com"},
};

static const struct partition_row *row_of_region(struct sn_slice region)
{
    size_t i = 0;

    while (!sn_slice_has_prefix(region, sn_slice_str(partition_rows[i].region_prefix))) {
        i++;
    }
    return &partition_rows[i];
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool sn_region_is_valid(struct sn_slice region)
{
    struct sn_slice rest = region;
    struct sn_slice part = {0};
    size_t parts = 0;

    if (region.len == 0 || region.len > SN_REGION_MAX || region.ptr[region.len - 1] == '-') {
        return false;
    }
    while (sn_slice_next(&rest, '-', &part)) {
        bool is_number = part.len > 0 && part.ptr[0] >= '0' && part.ptr[0] <= '9';
        if (part.len == 0 || (parts == 0 && part.len < 2)) {
            return false;
        }
        for (size_t i = 0; i < part.len; i++) {
            bool digit = part.ptr[i] >= '0' && part.ptr[i] <= '9';
            if (is_number ? !digit : !is_lower(part.ptr[i])) {
                return false;
            }
        }
        if (is_number) {
            return parts >= 2 && rest.len == 0;
        }
        parts++;
    }
    return false;
}

const char *sn_partition_of_region(struct sn_slice region)
{
    return row_of_region(region)->partition;
}

/* Services whose variable is named by the SDKs' service id, which is not the name they are signed with. */
static const struct {
    const char *service, *id;
} id_rows[] = {{"logs", "cloudwatch_logs"}, {"secretsmanager", "secrets_manager"}};

/* "sts" -> "AWS_ENDPOINT_URL_STS". */
static void variable_name(const char *service, char out[64])
{
    const char *id = service;
    size_t len = 0;

    for (size_t i = 0; i < SN_LEN(id_rows); i++) {
        id = strcmp(service, id_rows[i].service) == 0 ? id_rows[i].id : id;
    }
    (void)snprintf(out, 64, "AWS_ENDPOINT_URL_%s", id);
    for (len = strlen("AWS_ENDPOINT_URL_"); out[len] != '\0'; len++) {
        if (is_lower(out[len])) {
            out[len] = (char)(out[len] - 'a' + 'A');
        } else if (out[len] == '-' || out[len] == '.') {
            out[len] = '_';
        }
    }
}

static enum sn_status custom_endpoint(
    const char *variable, const char *value, char out_url[SN_ENDPOINT_MAX], struct sn_error *err)
{
    struct sn_arena arena = {0};
    struct sn_url url;
    struct sn_error why;
    enum sn_status status = sn_url_parse(sn_slice_str(value), &arena, &url, &why);

    if (status != SN_OK || sn_slice_eq_str(url.scheme, "unix") || url.path.len > 0 ||
        url.canonical.len >= SN_ENDPOINT_MAX) {
        (void)sn_fail(err, SN_INVALID, "INVALID_ENDPOINT", "%s is no endpoint: %s", variable,
            status != SN_OK ? why.message : "it must be https://host[:port] without a path");
        status = sn_suggest(err, "set %s to https://host[:port]; plain http is for loopback addresses only", variable);
    } else {
        (void)snprintf(out_url, SN_ENDPOINT_MAX, "%.*s", SN_PRI(url.canonical));
    }
    sn_arena_clear(&arena);
    return status;
}

/* Services whose variable is named otherwise than their hosts. */
static const char *host_word(const char *service)
{
    if (strcmp(service, "sso-oidc") == 0) {
        return "oidc";
    }
    return strcmp(service, "sso") == 0 ? "portal.sso" : service;
}

enum sn_status sn_endpoint_url(const char *service, struct sn_slice region, const struct sn_env *env,
    char out_url[SN_ENDPOINT_MAX], struct sn_error *err)
{
    const struct partition_row *row = NULL;
    char variable[64];
    const char *value = NULL;

    if (!sn_region_is_valid(region)) {
        (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID_REGION", "'%.*s' is not an AWS region",
            SN_PRI(sn_slice_sub(region, 0, SN_REGION_MAX)));
        return sn_suggest(err, "set the region with --region, AWS_REGION or the profile, for instance eu-west-1");
    }
    variable_name(service, variable);
    value = env == NULL ? NULL : env->get(env->ctx, variable);
    if (value != NULL) {
        return custom_endpoint(variable, value, out_url, err);
    }
    value = env == NULL ? NULL : env->get(env->ctx, "AWS_ENDPOINT_URL");
    if (value != NULL) {
        return custom_endpoint("AWS_ENDPOINT_URL", value, out_url, err);
    }
    row = row_of_region(region);
    service = host_word(service);
    if (strcmp(service, "iam") == 0) {
        (void)snprintf(out_url, SN_ENDPOINT_MAX, "https://%s", row->iam_host);
    } else {
        (void)snprintf(out_url, SN_ENDPOINT_MAX, "https://%s.%.*s.%s", service, SN_PRI(region), row->suffix);
    }
    return SN_OK;
}

const char *sn_endpoint_signing_region(const char *service, const char *region)
{
    if (strcmp(service, "iam") == 0) {
        return row_of_region(sn_slice_str(region))->home_region;
    }
    return region;
}

struct sn_slice sn_endpoint_authority(struct sn_slice url)
{
    struct sn_slice rest = url;

    for (size_t i = 0; i + 2 < url.len; i++) {
        if (memcmp(url.ptr + i, "://", 3) == 0) {
            rest = sn_slice_sub(url, i + 3, url.len);
            break;
        }
    }
    (void)sn_slice_cut(rest, '/', &rest, &(struct sn_slice){0});
    return rest;
}
