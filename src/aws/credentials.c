/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/credentials.c - one set of AWS credentials: release, move, copy.
 */
#include "aws/credentials.h"

#include <string.h>

void sn_credentials_clear(struct sn_credentials *credentials)
{
    if (credentials == NULL) {
        return;
    }
    sn_secret_clear(&credentials->secret_access_key);
    sn_secret_clear(&credentials->session_token);
    sn_wipe(credentials->access_key_id, sizeof(credentials->access_key_id));
    credentials->expires_unix_s = 0;
}

void sn_credentials_move(struct sn_credentials *to, struct sn_credentials *from)
{
    SN_ASSERT(to != NULL && from != NULL);
    if (to == from) {
        return;
    }
    sn_credentials_clear(to);
    memcpy(to->access_key_id, from->access_key_id, sizeof(to->access_key_id));
    to->expires_unix_s = from->expires_unix_s;
    sn_secret_move(&to->secret_access_key, &from->secret_access_key);
    sn_secret_move(&to->session_token, &from->session_token);
    sn_credentials_clear(from);
}

void sn_credentials_copy(struct sn_credentials *to, const struct sn_credentials *from)
{
    SN_ASSERT(to != NULL && from != NULL);
    if (to == from) {
        return;
    }
    sn_credentials_clear(to);
    memcpy(to->access_key_id, from->access_key_id, sizeof(to->access_key_id));
    to->expires_unix_s = from->expires_unix_s;
    if (sn_secret_is_set(&from->secret_access_key)) {
        sn_secret_set(&to->secret_access_key, sn_secret_reveal(&from->secret_access_key));
    }
    if (sn_secret_is_set(&from->session_token)) {
        sn_secret_set(&to->session_token, sn_secret_reveal(&from->session_token));
    }
}
