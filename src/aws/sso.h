/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sso.h - calls of IAM Identity Center: its OIDC service (sign-in) and its portal (accounts, roles, credentials).
 *
 * Unsigned JSON over HTTPS. A call that gets no answer, 429 or 5xx is tried twice more, after 200 and 800 ms, but for
 * those that use something up (CreateToken, Logout). Used by one thread at a time.
 *
 * Codes: SSO_NETWORK_ERROR (no answer, 5xx: retryable), SSO_THROTTLED (retryable), SSO_ANSWER_INVALID, SSO_REFUSED;
 * of CreateToken also SSO_PENDING, SSO_SLOW_DOWN, SSO_EXPIRED_CODE, SSO_DECLINED, SSO_INVALID_CLIENT,
 * SSO_INVALID_GRANT; of the portal SSO_INVALID_TOKEN (401) and SSO_NO_ACCESS (403).
 */
#ifndef SN_AWS_SSO_H
#define SN_AWS_SSO_H

#include "aws/sso_answer.h"
#include "aws/transport.h"
#include "base/clock.h"
#include "base/env.h"

struct sn_sso;

struct sn_sso_options {
    const char *region;                   /* of the Identity Center */
    const struct sn_env *env;             /* AWS_ENDPOINT_URL_SSO_OIDC, _SSO and AWS_ENDPOINT_URL */
    const struct sn_clock *clock;         /* NULL: the system's */
    const char *ca_file;                  /* as in net/client.h */
    const struct sn_transport *transport; /* NULL: net/client.h and the system's sleep */
};

/* CONFIG_INVALID_REGION, INVALID_ENDPOINT. */
SN_MUST_CHECK enum sn_status sn_sso_new(
    const struct sn_sso_options *options, struct sn_sso **out_sso, struct sn_error *err);
void sn_sso_free(struct sn_sso *sso);
void sn_sso_free_p(struct sn_sso **sso);
/* "https://oidc.eu-west-1.amazonaws.com"; borrowed. */
const char *sn_sso_oidc_url(const struct sn_sso *sso);
const struct sn_transport *sn_sso_transport(const struct sn_sso *sso);

struct sn_sso_registration {
    struct sn_slice scopes; /* separated by blanks; empty: the older form, without scopes and grants */
    bool for_code;          /* the authorization code; else device codes */
    const char *redirect_uri;
    const char *issuer_url;
};
SN_MUST_CHECK enum sn_status sn_sso_register(struct sn_sso *sso, const struct sn_sso_registration *registration,
    struct sn_sso_client *out_client, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_start_device(struct sn_sso *sso, const struct sn_sso_client *client,
    const char *start_url, struct sn_sso_device *out_device, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_token_for_device(struct sn_sso *sso, const struct sn_sso_client *client,
    const struct sn_secret *device_code, struct sn_sso_grant *out_grant, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_token_for_code(struct sn_sso *sso, const struct sn_sso_client *client,
    const struct sn_secret *code, const struct sn_secret *verifier, const char *redirect_uri,
    struct sn_sso_grant *out_grant, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_token_for_refresh(struct sn_sso *sso, const struct sn_secret *client_id,
    const struct sn_secret *client_secret, const struct sn_secret *refresh_token, struct sn_sso_grant *out_grant,
    struct sn_error *err);

SN_MUST_CHECK enum sn_status sn_sso_accounts(
    struct sn_sso *sso, const struct sn_secret *access_token, struct sn_sso_list *list, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_roles(struct sn_sso *sso, const struct sn_secret *access_token,
    struct sn_slice account_id, struct sn_sso_list *list, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_role_credentials(struct sn_sso *sso, const struct sn_secret *access_token,
    struct sn_slice account_id, struct sn_slice role_name, struct sn_credentials *out_credentials,
    struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_logout(
    struct sn_sso *sso, const struct sn_secret *access_token, struct sn_error *err);

#endif
