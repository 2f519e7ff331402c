/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_role_cache.h - role credentials of IAM Identity Center, kept in the kernel until five minutes before they
 * end.
 *
 * They lie in the keyring "sentinel" beside what the TVM issued, in memory only, one item for a start URL, account and
 * role. An item serves only under the access token it was got with: a new sign-in, perhaps of somebody else, never sees
 * it. Where the kernel refuses keyrings nothing is kept. Never fails.
 */
#ifndef SN_VAULT_SSO_ROLE_CACHE_H
#define SN_VAULT_SSO_ROLE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/buf.h"
#include "platform/keyctl.h"
#include "vault/sso_settings.h"

enum { SN_SSO_ROLE_MIN_LEFT_S = 300 };

/* keyctl NULL: the system's. */
bool sn_sso_role_cache_find(const struct sn_keyctl *keyctl, const struct sn_sso_settings *settings,
    const struct sn_secret *access_token, int64_t now_unix_s, struct sn_credentials *out_credentials);
void sn_sso_role_cache_store(const struct sn_keyctl *keyctl, const struct sn_sso_settings *settings,
    const struct sn_secret *access_token, int64_t now_unix_s, const struct sn_credentials *credentials);

/* The payload: {"key":"...","roleCredentials":{...}} as the portal writes them. Pure. */
void sn_sso_role_item_format(struct sn_slice key, const struct sn_credentials *credentials, struct sn_buf *out_text);
bool sn_sso_role_item_read(
    struct sn_slice text, struct sn_slice key, int64_t now_unix_s, struct sn_credentials *out_credentials);

#endif
