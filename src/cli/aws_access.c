/* SPDX-License-Identifier: Apache-2.0 */
/* cli/aws_access.c - see aws_access.h. */
#include "cli/aws_access.h"

#include "base/env.h"

struct place {
    char endpoint[SN_ENDPOINT_MAX];
    char region[SN_REGION_MAX + 1];
};

static enum sn_status options_for(struct sn_aws_access *access, const char *service, struct place *place,
    struct sn_json_client_options *out_options, struct sn_error *err)
{
    struct sn_base_options options = {.profile = access->args.aws_profile, .region = access->args.region};

    if (access->base == NULL) {
        SN_TRY(sn_base_new(&options, &access->base, err));
    }
    SN_TRY(sn_base_region(access->base, place->region, err));
    if (place->region[0] == '\0') {
        sn_fail(err, SN_USAGE, "CONFIG_INVALID_REGION", "no AWS region is known");
        return sn_suggest(err, "give --region, or set AWS_REGION");
    }
    SN_TRY(sn_endpoint_url(service, sn_slice_str(place->region), sn_env_system(), place->endpoint, err));
    *out_options = (struct sn_json_client_options){
        .endpoint = place->endpoint,
        .region = place->region,
        .source = sn_base_source(access->base),
    };
    return SN_OK;
}

enum sn_status sn_aws_access_ssm(struct sn_aws_access *access, struct sn_ssm **out_ssm, struct sn_error *err)
{
    if (access->ssm == NULL) {
        struct place place;
        struct sn_json_client_options options;
        SN_TRY(options_for(access, "ssm", &place, &options, err));
        SN_TRY(sn_ssm_new(&options, &access->ssm, err));
    }
    *out_ssm = access->ssm;
    return SN_OK;
}

enum sn_status sn_aws_access_kms(struct sn_aws_access *access, struct sn_kms **out_kms, struct sn_error *err)
{
    if (access->kms == NULL) {
        struct place place;
        struct sn_json_client_options options;
        SN_TRY(options_for(access, "kms", &place, &options, err));
        SN_TRY(sn_kms_new(&options, &access->kms, err));
    }
    *out_kms = access->kms;
    return SN_OK;
}

void sn_aws_access_clear(struct sn_aws_access *access)
{
    sn_ssm_free(access->ssm);
    sn_kms_free(access->kms);
    sn_base_free(access->base);
    *access = (struct sn_aws_access){0};
}
