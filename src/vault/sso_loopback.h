/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_loopback.h - where the browser comes back to with an authorization code.
 *
 * Listens on 127.0.0.1 on a free port. Exactly one answer is taken: a GET of /oauth/callback under the Host
 * 127.0.0.1:PORT with the state that was handed out, compared in constant time. Everything else is refused and changes
 * nothing.
 */
#ifndef SN_VAULT_SSO_LOOPBACK_H
#define SN_VAULT_SSO_LOOPBACK_H

#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

/* Registered without a port; the one in use is added to what is asked for. */
#define SN_SSO_REDIRECT_URI "http://127.0.0.1/oauth/callback"
enum { SN_SSO_REDIRECT_MAX = 64 };

struct sn_sso_loopback;

/* state outlives it. Codes of the listener. */
SN_MUST_CHECK enum sn_status sn_sso_loopback_new(
    struct sn_slice state, struct sn_sso_loopback **out_loopback, struct sn_error *err);
void sn_sso_loopback_free(struct sn_sso_loopback *loopback);
void sn_sso_loopback_free_p(struct sn_sso_loopback **loopback);
/* "http://127.0.0.1:43210/oauth/callback" */
const char *sn_sso_loopback_uri(const struct sn_sso_loopback *loopback);
/* Waits for the code. SSO_LOGIN_TIMEOUT after timeout_ms, SSO_LOGIN_FAILED when the person or the peer declined. */
SN_MUST_CHECK enum sn_status sn_sso_loopback_wait(
    struct sn_sso_loopback *loopback, int64_t timeout_ms, struct sn_secret *out_code, struct sn_error *err);

#endif
