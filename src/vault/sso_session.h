/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_session.h - a sign-in as others use it: the token, and what the portal gives for it.
 *
 * The token comes from the cache; near its end it is refreshed in silence; without one that serves, the person is asked
 * where that is allowed. One process for a sign-in does so at a time, the others wait for it and take what it left:
 * many that start at once open one page. A token that the portal does not accept any more is replaced once.
 *
 * Codes: SSO_NO_CREDENTIALS, SSO_EXPIRED_TOKEN, SSO_INVALID_TOKEN (none may be asked for), SSO_LOCKED, those of
 * aws/sso.h, sso_login.h and sso_cache.h.
 */
#ifndef SN_VAULT_SSO_SESSION_H
#define SN_VAULT_SSO_SESSION_H

#include "vault/sso_login.h"

enum sn_sso_want {
    SN_SSO_WANT_TOKEN, /* one that serves */
    SN_SSO_WANT_LOGIN, /* a new one: the person asked to sign in */
};

SN_MUST_CHECK enum sn_status sn_sso_get_token(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    enum sn_sso_want want, struct sn_sso_token *out_token, struct sn_error *err);

/* GetRoleCredentials for the account and role of the settings. */
SN_MUST_CHECK enum sn_status sn_sso_get_credentials(const struct sn_sso_world *world,
    const struct sn_sso_settings *settings, struct sn_credentials *out_credentials, struct sn_error *err);

/* What the person may have: all accounts, or with an account its roles. */
SN_MUST_CHECK enum sn_status sn_sso_get_list(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    struct sn_slice account_id, struct sn_sso_list *list, struct sn_error *err);

/*
 * Ends the sign-in at the portal, then removes token and registrations. *out_was_in false: there was none. What the
 * portal answers is told in err only after all is removed.
 */
SN_MUST_CHECK enum sn_status sn_sso_sign_out(
    const struct sn_sso_world *world, const struct sn_sso_settings *settings, bool *out_was_in, struct sn_error *err);

/* "sentinel sso login --session corp", for hints. */
void sn_sso_login_command(const struct sn_sso_settings *settings, struct sn_buf *out_command);

#endif
