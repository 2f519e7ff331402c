/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_login.h - a person signs in to an IAM Identity Center.
 *
 * With a browser on this machine and an sso-session: an authorization code with PKCE, which comes back to a port of
 * ours. Else a device code: an address and a code are shown, and the OIDC service is asked again and again until the
 * person has decided somewhere. What the peer says is shown and opened only in the narrow form of aws/sso_answer.h.
 *
 * Codes: SSO_LOGIN_FAILED, SSO_LOGIN_TIMEOUT, SSO_NETWORK_ERROR, SSO_ANSWER_INVALID, RANDOM_UNAVAILABLE.
 */
#ifndef SN_VAULT_SSO_LOGIN_H
#define SN_VAULT_SSO_LOGIN_H

#include <stdbool.h>

#include "aws/sso.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/error.h"
#include "base/random.h"
#include "platform/keyctl.h"
#include "vault/sso_cache.h"
#include "vault/sso_settings.h"

enum sn_sso_flow { SN_SSO_FLOW_AUTO, SN_SSO_FLOW_PKCE, SN_SSO_FLOW_DEVICE };
/* "auto", "pkce", "device"; NULL or another: auto. */
enum sn_sso_flow sn_sso_flow_named(const char *name);

/* Who can be asked. */
struct sn_sso_person {
    bool may_login; /* a sign-in may be started without being asked for */
    bool no_browser;
    enum sn_sso_flow flow;
    const char *browser;                            /* command; NULL: see vault/browser.h */
    void (*say)(void *ctx, const char *text);       /* one line; never NULL where a sign-in is possible */
    void (*show_code)(void *ctx, const char *text); /* a line that must be seen: address, user code */
    void *ctx;
};

/* The world of a sign-in; all pointers outlive it. */
struct sn_sso_world {
    const struct sn_env *env;
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    const char *ca_file;
    const struct sn_transport *transport; /* NULL: a real one */
    bool keeps_roles;                     /* role credentials in the kernel keyring */
    const struct sn_keyctl *keyctl;       /* NULL: the system's */
    const struct sn_sso_person *person;   /* NULL: nobody */
};

/* out_token gets everything that the cache keeps. */
SN_MUST_CHECK enum sn_status sn_sso_login(const struct sn_sso_world *world, struct sn_sso *sso,
    const struct sn_sso_settings *settings, struct sn_sso_token *out_token, struct sn_error *err);

/* Where the registration for that flow lies. */
SN_MUST_CHECK enum sn_status sn_sso_client_path(const struct sn_sso_world *world,
    const struct sn_sso_settings *settings, bool for_code, char out_path[SN_SSO_CACHE_PATH_MAX], struct sn_error *err);

#endif
