/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_access.c - how commands reach the TVM, and STS without one.
 */
#include "cli/tvm_access.h"

#include <string.h>

#include "aws/sts.h"
#include "base/env.h"
#include "core/identity/principal.h"
#include "vault/device_id.h"

static const char default_region[] = "us-east-1";

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

/* Keys of the keyring that was chosen with 'vault add' or in the environment, where there is one. */
static void open_vault(struct sn_vault_access *vault, struct sn_base_options *base)
{
    const struct sn_vault_args args = {
        .backend = sn_env_get("AWS_VAULT_BACKEND"), .file_dir = sn_env_get("AWS_VAULT_FILE_DIR")};

    sn_vault_access_open(NULL, &args, true, vault);
    base->store = vault->store;
    base->mfa = &vault->mfa;
}

enum sn_status sn_tvm_access_open(
    const struct sn_app *app, const struct sn_tvm_args *args, struct sn_tvm_access *out_access, struct sn_error *err)
{
    struct sn_base_options base = {.profile = args->aws_profile,
        .region = args->region,
        .person = &out_access->person.person,
        .keeps_roles = !args->no_cache};

    open_vault(&out_access->vault, &base);
    SN_TRY(sn_cli_person_init(&out_access->person, app, &args->sso, false, err));
    SN_TRY(sn_base_new(&base, &out_access->base, err));
    struct sn_client_options client = {.url = args->tvm_url, .auth = args->tvm_auth, .base = out_access->base};
    return sn_client_new(&client, &out_access->client, err);
}

void sn_tvm_access_ask_nobody(struct sn_tvm_access *access)
{
    sn_vault_access_ask_nobody(&access->vault);
    access->person.person.may_login = false;
}

void sn_tvm_access_clear(struct sn_tvm_access *access)
{
    sn_credential_cache_clear(&access->cache);
    sn_client_free_p(&access->client);
    sn_base_free_p(&access->base);
    sn_vault_access_clear(&access->vault);
}

/* --- What a caller can do about a refusal --- */

/* The server's hints know neither the commands of this program nor the profile's name; these replace them. */
static const struct {
    const char *code, *hint;
} hints[] = {
    {"DEVICE_REQUIRED", "use a device that your organisation manages, and ask its administrators to enrol it"},
    {"DEVICE_VERIFICATION_FAILED",
        "look in your organisation's device management whether this device is enrolled and healthy"},
    {"SESSION_REVOKED", "your access was ended; contact your security team"},
    {"UNKNOWN_PROFILE", "'sentinel profiles' lists the profiles you could get"},
    {"CALLER_NOT_ALLOWED", "'sentinel whoami' shows who you are to AWS; ask the TVM's administrators to admit it"},
};

static const char *detail_of(const struct sn_error *err, const char *key)
{
    for (size_t i = 0; i < err->detail_count; i++) {
        if (strcmp(err->details[i].key, key) == 0) {
            return err->details[i].value;
        }
    }
    return NULL;
}

enum sn_status sn_tvm_hint(const char *program, const char *profile, struct sn_error *err)
{
    const char *pending = detail_of(err, "pending_request");

    if (sn_error_is(err, "APPROVAL_REQUIRED") && pending != NULL) {
        return sn_suggest(err, "your request %.40s waits for approval; try again when it is granted", pending);
    }
    if (sn_error_is(err, "RATE_LIMITED") && err->retry_after_s > 0) {
        return sn_suggest(err, "wait %d s", err->retry_after_s);
    }
    if (profile != NULL && (sn_error_is(err, "POLICY_DENY") || sn_error_is(err, "APPROVAL_REQUIRED"))) {
        return sn_suggest(err, "see why: %s explain %s", program, profile);
    }
    for (size_t i = 0; i < SN_LEN(hints); i++) {
        if (sn_error_is(err, hints[i].code)) {
            return sn_suggest(err, "%s", hints[i].hint);
        }
    }
    const char *request = detail_of(err, "request_id");
    if (request != NULL && err->status == SN_UNAVAILABLE && !sn_error_is(err, "NOT_CONFIGURED")) {
        return sn_suggest(err, "try again; if it stays, give the request id %.40s to those who run the TVM", request);
    }
    return err->status;
}

/* The server had to ask for another region: that costs a round trip each time. */
static void note_region(const struct sn_app *app, const struct sn_tvm_access *access)
{
    const char *region = sn_client_learned_region(access->client);

    if (region != NULL) {
        sn_app_note(app, "this TVM wants proofs for %s; --region %s saves the second try", region, region);
    }
}

enum sn_status sn_tvm_access_call(const struct sn_app *app, const struct sn_tvm_access *access, const char *profile,
    const char *method, const char *path, struct sn_slice query, struct sn_slice body, struct sn_json_doc **out_doc,
    struct sn_error *err)
{
    if (sn_client_call(access->client, method, path, query, body, out_doc, NULL, err) != SN_OK) {
        return sn_tvm_hint(app->program, profile, err);
    }
    note_region(app, access);
    return SN_OK;
}

/* --- Credentials --- */

/* One question to the TVM. */
struct question {
    struct sn_app *app;
    struct sn_tvm_access *access;
    const char *profile;
    int64_t duration_s;
};

/* device_id "": unknown. */
static enum sn_status ask(const struct sn_tvm_access *access, const char *profile, int64_t duration_s,
    const char *device_id, struct sn_issued *out_issued, int *out_http_status, struct sn_error *err)
{
    return sn_client_credentials(access->client, sn_slice_str(profile), duration_s,
        device_id[0] == '\0' ? NULL : device_id, out_issued, out_http_status, err);
}

static enum sn_status vend(void *ctx, struct sn_issued *out_issued, int *out_http_status, struct sn_error *err)
{
    const struct question *q = ctx;
    char device_id[SN_DEVICE_ID_LEN + 1];
    struct sn_error no_device = {0};

    if (q->access->cache.is_early) {
        sn_tvm_access_ask_nobody(q->access); /* who holds what still serves is not asked for anything */
    }
    if (sn_device_id(device_id, &no_device) != SN_OK) {
        sn_app_warn(q->app, "%s: %s, so rules about devices cannot match", no_device.code, no_device.message);
    }
    return ask(q->access, q->profile, q->duration_s, device_id, out_issued, out_http_status, err);
}

static void warn_of_cache(void *ctx, const struct sn_error *err)
{
    sn_app_warn(ctx, "%s: %s", err->code, err->message);
}

enum sn_status sn_tvm_access_credentials(struct sn_app *app, const struct sn_tvm_args *args,
    struct sn_tvm_access *access, const char *profile, int64_t duration_s, struct sn_issued *out_issued,
    struct sn_error *err)
{
    struct question question = {.app = app, .access = access, .profile = profile, .duration_s = duration_s};
    struct sn_credential_cache_options options = {.tvm_url = args->no_cache ? NULL : args->tvm_url,
        .profile = profile,
        .aws_profile = args->aws_profile,
        .duration_s = duration_s,
        .warn = warn_of_cache,
        .ctx = app};

    sn_app_failure(app, "no credentials for '%s'", profile);
    SN_TRY(sn_tvm_access_open(app, args, access, err));
    sn_credential_cache_open(&access->cache, &options); /* before the AWS files are read: it notes their state */
    if (sn_credential_cache_tell_refused(&access->cache)) {
        sn_app_note(app, "this kernel refuses keyrings, so credentials are not kept between calls");
    }
    if (sn_credential_cache_get(&access->cache, vend, &question, out_issued, err) != SN_OK) {
        return sn_tvm_hint(app->program, profile, err);
    }
    note_region(app, access);
    sn_app_failure(app, "%s", "");
    return SN_OK;
}

enum sn_status sn_tvm_access_fresh(const struct sn_app *app, struct sn_tvm_access *access, const char *profile,
    int64_t duration_s, struct sn_issued *out_issued, int *out_http_status, struct sn_error *err)
{
    char device_id[SN_DEVICE_ID_LEN + 1];
    struct sn_error unknown = {0};

    if (sn_device_id(device_id, &unknown) != SN_OK) {
        device_id[0] = '\0'; /* told with the first question */
    }
    if (ask(access, profile, duration_s, device_id, out_issued, out_http_status, err) != SN_OK) {
        sn_credential_cache_failed(&access->cache, *out_http_status);
        return sn_tvm_hint(app->program, profile, err);
    }
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

enum sn_status sn_cli_caller(
    const struct sn_app *app, const struct sn_tvm_args *args, char out_arn[SN_CLI_ARN_SIZE], struct sn_error *err)
{
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access vault = {0};
    SN_AUTO(sn_base_free_p) struct sn_base *base = NULL;
    SN_AUTO(sn_sts_free_p) struct sn_sts *sts = NULL;
    struct sn_cli_person person;
    struct sn_base_options base_options = {
        .profile = args->aws_profile, .region = args->region, .person = &person.person, .keeps_roles = !args->no_cache};
    char region[SN_REGION_MAX + 1];
    char endpoint[SN_ENDPOINT_MAX];
    struct sn_caller caller;

    open_vault(&vault, &base_options);
    SN_TRY(sn_cli_person_init(&person, app, &args->sso, false, err));
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
