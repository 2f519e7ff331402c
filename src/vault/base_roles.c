/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_roles.c - what STS makes of keys: a session from a key of the keyring, a role on top of either.
 */
#include <stdio.h>
#include <string.h>

#include "aws/sts.h"
#include "base/parse.h"
#include "vault/base_internal.h"
#include "vault/priming.h"

enum {
    DURATION_DEFAULT_S = 3600,
    DURATION_MIN_S = 900,
    DURATION_MAX_S = 43200,
    PRIMED_DURATION_S = 8 * 3600,
    SESSION_NAME_MAX = 64,
};

static enum sn_status bad_setting(
    const struct sn_resolver *r, const struct sn_awsconfig_setting *setting, const char *must, struct sn_error *err)
{
    return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s:%u: %.*s must be %s", r->files.config_path, setting->line,
        SN_PRI(setting->key), must);
}

/* --- STS --- */

static enum sn_status give_keys(void *ctx, struct sn_credentials *out_credentials, struct sn_error *err)
{
    (void)err;
    sn_credentials_copy(out_credentials, ctx);
    return SN_OK;
}

/* The environment, with the profile's endpoint_url behind it. */
struct endpoint_env {
    const struct sn_env *env;
    const char *endpoint_url;
};

static const char *endpoint_env_get(void *ctx, const char *name)
{
    const struct endpoint_env *e = ctx;
    const char *value = e->env->get(e->env->ctx, name);

    return value == NULL && e->endpoint_url[0] != '\0' && strcmp(name, "AWS_ENDPOINT_URL") == 0 ? e->endpoint_url
                                                                                                : value;
}

static enum sn_status open_sts(struct sn_resolver *r, struct sn_slice profile,
    const struct sn_credential_source *source, struct sn_sts **out_sts, struct sn_error *err)
{
    char region[SN_REGION_MAX + 1];
    char endpoint[SN_ENDPOINT_MAX];
    char custom[SN_ENDPOINT_MAX];
    struct sn_slice url;
    struct endpoint_env wrapped = {.env = r->base->env, .endpoint_url = custom};
    const struct sn_env env = {.get = endpoint_env_get, .ctx = &wrapped};

    SN_TRY(sn_resolver_region(r->base, &r->files, profile, region, err));
    SN_TRY(sn_base_profile_text(&r->files, profile, "endpoint_url", &url, err));
    (void)snprintf(custom, sizeof(custom), "%.*s", SN_PRI(url));
    const char *used = region[0] != '\0' ? region : "us-east-1";
    SN_TRY(sn_endpoint_url("sts", sn_slice_str(used), &env, endpoint, err));
    struct sn_sts_options options = {.endpoint = endpoint,
        .region = used,
        .source = source,
        .clock = r->base->clock,
        .ca_file = r->base->ca_file,
        .transport = r->base->transport};
    return sn_sts_new(&options, out_sts, err);
}

static enum sn_status read_duration(
    struct sn_resolver *r, struct sn_slice profile, bool is_chained, int64_t *out_duration_s, struct sn_error *err)
{
    const struct sn_awsconfig_setting *setting = NULL;

    *out_duration_s = r->base->duration_s != 0 ? r->base->duration_s : DURATION_DEFAULT_S;
    SN_TRY(sn_base_profile_get(&r->files, profile, "duration_seconds", &setting, err));
    if (r->base->duration_s == 0 && setting != NULL &&
        sn_parse_int(setting->value, DURATION_MIN_S, DURATION_MAX_S, out_duration_s, err) != SN_OK) {
        return bad_setting(r, setting, "whole seconds, 900 to 43200", err);
    }
    /* Role chaining: STS gives no more than an hour. */
    if (is_chained && *out_duration_s > SN_CHAINED_MAX_S) {
        *out_duration_s = SN_CHAINED_MAX_S;
    }
    return SN_OK;
}

/* The name of who assumes, so that the caller's ARN is the same from one session to the next. */
static void default_session_name(struct sn_sts *sts, const struct sn_clock *clock, char out_name[SESSION_NAME_MAX + 1])
{
    struct sn_caller caller = {0};
    struct sn_error ignored;
    struct sn_slice before;
    struct sn_slice name;

    if (sn_sts_get_caller_identity(sts, 0, &caller, &ignored) == SN_OK &&
        sn_slice_cut_last(sn_slice_str(caller.arn), '/', &before, &name) && name.len > 0 &&
        name.len <= SESSION_NAME_MAX && sn_slice_is_alnum_or(name, "_+=,.@-")) {
        (void)snprintf(out_name, SESSION_NAME_MAX + 1, "%.*s%s", SN_PRI(name), name.len == 1 ? "-" : "");
        return;
    }
    (void)snprintf(out_name, SESSION_NAME_MAX + 1, "sentinel-%lld", (long long)sn_clock_unix_s(clock));
}

static enum sn_status check_hop(struct sn_resolver *r, struct sn_slice profile, struct sn_error *err)
{
    struct sn_slice value;

    SN_TRY(sn_base_profile_text(&r->files, profile, "session_tags", &value, err));
    if (value.len > 0) {
        return sn_fail(err, SN_UNAVAILABLE, "CONFIG_UNSUPPORTED",
            "profile '%.*s' assumes its role with session_tags, which is not supported yet", SN_PRI(profile));
    }
    return SN_OK;
}

/* --- MFA --- */

/* STS says so in words only. */
static bool is_mfa_refusal(const struct sn_error *err)
{
    return sn_error_is(err, "STS_REFUSED") && strstr(err->message, "MultiFactorAuthentication") != NULL;
}

static enum sn_status mfa_rejected(struct sn_error *err)
{
    struct sn_error cause = *err;

    (void)sn_fail(err, SN_UNAUTHENTICATED, "MFA_REJECTED", "the MFA code was refused: %s", cause.message);
    return sn_suggest(err, "a code serves once: wait for the next one and try again");
}

/* One call that may carry a code; a person whose code was refused may type another. */
typedef enum sn_status (*call_with_code_fn)(
    void *ctx, struct sn_slice serial, struct sn_slice code, struct sn_error *err);

static enum sn_status with_code(
    struct sn_resolver *r, struct sn_slice serial, call_with_code_fn call, void *ctx, struct sn_error *err)
{
    if (serial.len == 0) {
        return call(ctx, serial, serial, err);
    }
    for (bool is_second = false;; is_second = true) {
        SN_AUTO(sn_secret_clear) struct sn_secret code = {0};
        SN_TRY(sn_mfa_code(r->base->mfa, serial, &code, err));
        enum sn_status status = call(ctx, serial, sn_secret_reveal(&code), err);
        if (status == SN_OK || !is_mfa_refusal(err)) {
            return status;
        }
        if (is_second || !sn_mfa_can_ask_again(r->base->mfa)) {
            return mfa_rejected(err);
        }
    }
}

/* --- A session from a key of the keyring --- */

static enum sn_status plan_priming(struct sn_resolver *r, struct sn_priming_input *out_plan, struct sn_error *err)
{
    *out_plan = (struct sn_priming_input){.no_session = r->base->no_session};
    SN_TRY(sn_base_profile_text(&r->files, r->chain[r->depth - 1], "mfa_serial", &out_plan->base_serial, err));
    for (size_t i = r->depth; i > 0; i--) {
        struct sn_slice role_arn;
        SN_TRY(sn_base_profile_text(&r->files, r->chain[i - 1], "role_arn", &role_arn, err));
        if (role_arn.len == 0) {
            continue;
        }
        SN_TRY(sn_base_profile_text(
            &r->files, r->chain[i - 1], "mfa_serial", &out_plan->hop_serials[out_plan->hops++], err));
        SN_TRY(read_duration(r, r->chain[i - 1], false, &out_plan->hop_duration_s, err));
    }
    return SN_OK;
}

struct session_call {
    struct sn_sts *sts;
    int64_t duration_s;
    struct sn_credentials *out;
};

static enum sn_status call_session(void *ctx, struct sn_slice serial, struct sn_slice code, struct sn_error *err)
{
    const struct session_call *call = ctx;
    const struct sn_session_token ask = {.duration_s = call->duration_s, .mfa_serial = serial, .mfa_code = code};

    return sn_sts_get_session_token(call->sts, &ask, 0, call->out, err);
}

/* Least remaining life of a session that is used again. */
static enum sn_status min_ttl(const struct sn_base *base, int64_t *out_ttl_s, struct sn_error *err)
{
    const char *text = sn_base_env(base, "AWS_MIN_TTL");

    *out_ttl_s = SN_SESSION_MIN_TTL_S;
    if (text != NULL && sn_parse_duration(sn_slice_str(text), out_ttl_s, err) != SN_OK) {
        return sn_error_context(err, "AWS_MIN_TTL");
    }
    return SN_OK;
}

enum sn_status sn_resolver_prime(struct sn_resolver *r, struct sn_credentials *credentials, struct sn_error *err)
{
    SN_AUTO(sn_sts_free_p) struct sn_sts *sts = NULL;
    SN_AUTO(sn_credentials_clear) struct sn_credentials session = {0};
    const struct sn_credential_source source = {.get = give_keys, .ctx = credentials};
    struct sn_slice name = r->chain[r->depth - 1];
    struct sn_priming_input plan;
    int64_t ttl_s = 0;

    SN_TRY(plan_priming(r, &plan, err));
    enum sn_priming how = sn_priming_of(&plan);
    if (how == SN_PRIMING_NONE || sn_secret_is_set(&credentials->session_token)) {
        return SN_OK;
    }
    SN_TRY(min_ttl(r->base, &ttl_s, err));
    if (!sn_vault_store_find_session(r->base->store, "sts.GetSessionToken", name, plan.base_serial, ttl_s, &session)) {
        struct session_call call = {.duration_s = PRIMED_DURATION_S, .out = &session};
        if (how == SN_PRIMING_PLAIN) {
            call.duration_s = r->base->duration_s != 0 ? r->base->duration_s : DURATION_DEFAULT_S;
        }
        SN_TRY(open_sts(r, name, &source, &sts, err));
        call.sts = sts;
        SN_TRY(with_code(r, plan.base_serial, call_session, &call, err));
        sn_vault_store_put_session(r->base->store, "sts.GetSessionToken", name, plan.base_serial, &session);
    }
    r->primed_serial = plan.base_serial;
    sn_credentials_move(credentials, &session);
    return SN_OK;
}

struct role_call {
    struct sn_sts *sts;
    struct sn_assume_role ask;
    struct sn_assumed_role *out;
};

static enum sn_status call_role(void *ctx, struct sn_slice serial, struct sn_slice code, struct sn_error *err)
{
    struct role_call *call = ctx;

    call->ask.mfa_serial = serial;
    call->ask.mfa_code = code;
    return sn_sts_assume_role(call->sts, &call->ask, 0, call->out, err);
}

/* Puts a role on the keys in place. */
enum sn_status sn_resolver_assume(struct sn_resolver *r, struct sn_slice profile, struct sn_slice role_arn,
    struct sn_credentials *credentials, struct sn_error *err)
{
    SN_AUTO(sn_sts_free_p) struct sn_sts *sts = NULL;
    SN_AUTO(sn_assumed_role_clear) struct sn_assumed_role role = {0};
    const struct sn_credential_source source = {.get = give_keys, .ctx = credentials};
    struct role_call call = {.ask = {.role_arn = role_arn}, .out = &role};
    struct sn_assume_role *ask = &call.ask;
    struct sn_slice serial;
    char name[SESSION_NAME_MAX + 1];

    SN_TRY(check_hop(r, profile, err));
    SN_TRY(read_duration(r, profile, sn_secret_is_set(&credentials->session_token), &ask->duration_s, err));
    SN_TRY(sn_base_profile_text(&r->files, profile, "external_id", &ask->external_id, err));
    SN_TRY(sn_base_profile_text(&r->files, profile, "source_identity", &ask->source_identity, err));
    SN_TRY(sn_base_profile_text(&r->files, profile, "role_session_name", &ask->session_name, err));
    SN_TRY(sn_base_profile_text(&r->files, profile, "mfa_serial", &serial, err));
    SN_TRY(open_sts(r, profile, &source, &sts, err));
    if (ask->session_name.len == 0) {
        default_session_name(sts, r->base->clock, name);
        ask->session_name = sn_slice_str(name);
    }
    if (sn_slice_eq(serial, r->primed_serial)) {
        serial.len = 0; /* its code is part of the session already */
    }
    call.sts = sts;
    SN_TRY(with_code(r, serial, call_role, &call, err));
    sn_credentials_move(credentials, &role.credentials);
    r->from_process = false;
    return SN_OK;
}
