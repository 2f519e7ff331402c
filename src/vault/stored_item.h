/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/stored_item.h - what the items of a keyring mean, by their keys, and the texts they hold. Pure.
 *
 * Keys and texts are those of aws-vault (docs/formats/keyring.md). A name can never be taken for another kind: what
 * looks like a session, a token or a rotation is refused as the name of a profile.
 */
#ifndef SN_VAULT_STORED_ITEM_H
#define SN_VAULT_STORED_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

#define SN_ROTATION_PREFIX "sentinel-rotate:"
#define SN_TOKEN_PREFIX "oidc:"

enum { SN_STORED_NAME_MAX = 256, SN_SESSION_TYPE_MAX = 64, SN_MFA_SERIAL_MAX = 256 };

enum sn_stored_kind {
    SN_STORED_CREDENTIAL, /* of the profile that the key names */
    SN_STORED_SESSION,
    SN_STORED_OLD_SESSION, /* a form that aws-vault once wrote: to be cleared, never used, never taken for sure */
    SN_STORED_TOKEN,
    SN_STORED_ROTATION,
};
enum sn_stored_kind sn_stored_kind_of(struct sn_slice key);

/* SN_INVALID, VAULT_BAD_PROFILE: empty, longer than 256 bytes, with NUL, newline or ']', or the key of another kind. */
SN_MUST_CHECK enum sn_status sn_stored_check_profile(struct sn_slice profile, struct sn_error *err);

/* The parts of a session's key. */
struct sn_session_key {
    char type[SN_SESSION_TYPE_MAX + 1]; /* "sts.GetSessionToken" */
    char profile[SN_STORED_NAME_MAX + 1];
    char source[SN_MFA_SERIAL_MAX + 1]; /* the MFA device or start URL; "" for none */
    int64_t expires_unix_s;
};
/* False: no session in today's form. */
SN_MUST_CHECK bool sn_session_key_parse(struct sn_slice key, struct sn_session_key *out_key);
void sn_session_key_format(const struct sn_session_key *key, struct sn_buf *out_text);

/* {"AccessKeyID","SecretAccessKey",...}. VAULT_UNREADABLE (SN_PROTOCOL) when a stored text is none. */
void sn_stored_credential_format(const struct sn_credentials *credentials, struct sn_secret *out_text);
SN_MUST_CHECK enum sn_status sn_stored_credential_parse(
    struct sn_slice text, struct sn_credentials *out_credentials, struct sn_error *err);
/* {"AccessKeyId","SecretAccessKey","SessionToken","Expiration"}. */
void sn_stored_session_format(const struct sn_credentials *credentials, struct sn_secret *out_text);
SN_MUST_CHECK enum sn_status sn_stored_session_parse(
    struct sn_slice text, struct sn_credentials *out_credentials, struct sn_error *err);

#endif
