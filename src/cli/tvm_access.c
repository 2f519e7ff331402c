/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_access.c - how commands reach the TVM, and STS without one.
 */
#include "cli/tvm_access.h"

#include <string.h>

#include "aws/sts.h"
#include "base/env.h"
#include "core/identity/principal.h"

static const char default_region[] = "us-east-1";

const char *const sn_tvm_auth_choices[] = {"auto", "iam", "proof", NULL};

enum sn_status sn_cli_profile(
    const struct sn_app *app, const char *option, const char **out_profile, struct sn_error *err)
{
    const char *operand = app->operand_count > 0 ? app->operands[0] : NULL;

    if (operand != NULL && option != NULL && strcmp(operand, option) != 0) {
        sn_fail(err, SN_USAGE, "PROFILE_CONFLICT", "'%s' and --profile '%s' are two profiles", operand, option);
        return sn_suggest(err, "name one of them");
    }
    const char *profile = operand != NULL ? operand : option;
    if (profile == NULL) {
        sn_fail(err, SN_USAGE, "MISSING_PROFILE", "no profile is named");
        return sn_suggest(err, "usage: %s %s %s", app->program, app->cmd->name, app->cmd->operands);
    }
    if (sn_profile_name_check(sn_slice_str(profile), err) != SN_OK) {
        err->status = SN_USAGE;
        return sn_suggest(err, "'%s profiles' lists the profiles you could get", app->program);
    }
    *out_profile = profile;
    return SN_OK;
}

enum sn_status sn_tvm_access_open(
    const struct sn_tvm_args *args, struct sn_tvm_access *out_access, struct sn_error *err)
{
    struct sn_base_options base = {.profile = args->aws_profile, .region = args->region};

    SN_TRY(sn_base_new(&base, &out_access->base, err));
    struct sn_client_options client = {.url = args->tvm_url, .auth = args->tvm_auth, .base = out_access->base};
    return sn_client_new(&client, &out_access->client, err);
}

void sn_tvm_access_clear(struct sn_tvm_access *access)
{
    sn_client_free_p(&access->client);
    sn_base_free_p(&access->base);
}

/* What this caller can do about a refusal; the server knows neither the words of this program nor the clock here. */
static void add_hint(const struct sn_app *app, const char *profile, struct sn_error *err)
{
    if (sn_error_is(err, "POLICY_DENY") || sn_error_is(err, "APPROVAL_REQUIRED")) {
        sn_suggest(err, "see why: %s explain %s", app->program, profile);
    } else if (sn_error_is(err, "UNKNOWN_PROFILE") && err->suggestion[0] == '\0') {
        sn_suggest(err, "'%s profiles' lists the profiles you could get", app->program);
    } else if (sn_error_is(err, "SESSION_REVOKED")) {
        sn_suggest(err, "your access was ended; contact those who run the TVM");
    } else if (sn_error_is(err, "RATE_LIMITED") && err->retry_after_s > 0) {
        sn_suggest(err, "wait %d s", err->retry_after_s);
    } else if (err->suggestion[0] == '\0' && err->status == SN_UNAVAILABLE) {
        sn_suggest(err, "try again; if it stays, give the request's id to those who run the TVM");
    }
}

enum sn_status sn_tvm_access_credentials(struct sn_app *app, const struct sn_tvm_args *args,
    struct sn_tvm_access *access, const char *profile, int64_t duration_s, struct sn_issued *out_issued,
    struct sn_error *err)
{
    sn_app_failure(app, "no credentials for '%s'", profile);
    SN_TRY(sn_tvm_access_open(args, access, err));
    if (sn_client_credentials(access->client, sn_slice_str(profile), duration_s, NULL, out_issued, NULL, err) !=
        SN_OK) {
        add_hint(app, profile, err);
        return err->status;
    }
    sn_app_failure(app, "%s", "");
    return SN_OK;
}

static enum sn_status take_region(
    const char *text, const char *source, char out_region[SN_REGION_MAX + 1], struct sn_error *err)
{
    if (!sn_region_is_valid(sn_slice_str(text))) {
        sn_fail(err, SN_INVALID, "CONFIG_INVALID_REGION", "'%.64s' of %s is no AWS region", text, source);
        return sn_suggest(err, "name one such as us-east-1");
    }
    snprintf(out_region, SN_REGION_MAX + 1, "%s", text);
    return SN_OK;
}

enum sn_status sn_tvm_access_region(const struct sn_tvm_access *access, const struct sn_tvm_args *args,
    const char *session_region, char out_region[SN_REGION_MAX + 1], struct sn_error *err)
{
    const struct {
        const char *text, *source;
    } sources[] = {
        {args->region, "--region"},
        {sn_env_get("AWS_REGION"), "AWS_REGION"},
        {sn_env_get("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION"},
        {session_region, "the TVM's answer"},
    };

    for (size_t i = 0; i < SN_LEN(sources); i++) {
        if (sources[i].text != NULL && sources[i].text[0] != '\0') {
            return take_region(sources[i].text, sources[i].source, out_region, err);
        }
    }
    return sn_base_region(access->base, out_region, err);
}

enum sn_status sn_cli_caller(const struct sn_tvm_args *args, char out_arn[SN_CLI_ARN_SIZE], struct sn_error *err)
{
    SN_AUTO(sn_base_free_p) struct sn_base *base = NULL;
    SN_AUTO(sn_sts_free_p) struct sn_sts *sts = NULL;
    struct sn_base_options base_options = {.profile = args->aws_profile, .region = args->region};
    char region[SN_REGION_MAX + 1];
    char endpoint[SN_ENDPOINT_MAX];
    struct sn_caller caller;

    SN_TRY(sn_base_new(&base_options, &base, err));
    SN_TRY(sn_base_region(base, region, err));
    if (region[0] == '\0') {
        snprintf(region, sizeof(region), "%s", default_region);
    }
    SN_TRY(sn_endpoint_url("sts", sn_slice_str(region), sn_env_system(), endpoint, err));
    struct sn_sts_options options = {
        .endpoint = endpoint, .region = region, .source = sn_base_source(base), .clock = sn_clock_system()};
    SN_TRY(sn_sts_new(&options, &sts, err));
    SN_TRY(sn_sts_get_caller_identity(sts, 0, &caller, err));
    snprintf(out_arn, SN_CLI_ARN_SIZE, "%s", caller.arn);
    return SN_OK;
}
