/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_cache.h - sign-ins kept in ~/.aws/sso/cache, under the names and in the form that AWS's own tools use.
 *
 * A token lies in <sha1>.json, the hash being over the name of the sso-session, or over the start URL for the older
 * form without one. A registration of ours lies in sentinel-client-<sha1>.json. Files have mode 0600 and are replaced
 * in one step; one that others can read, that is a link or belongs to somebody else is an error, one whose text has
 * another form counts as absent. What is expired is kept as long as it can be refreshed.
 */
#ifndef SN_VAULT_SSO_CACHE_H
#define SN_VAULT_SSO_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/endpoint.h"
#include "aws/sso_answer.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/error.h"
#include "base/secret.h"

enum { SN_SSO_CACHE_MAX_BYTES = 64 * 1024, SN_SSO_CACHE_PATH_MAX = 4096, SN_SSO_CACHE_HASH_LEN = 40 };

struct sn_sso_token {
    char start_url[SN_SSO_URL_MAX + 1];
    char region[SN_REGION_MAX + 1];
    struct sn_secret access_token;
    int64_t expires_unix_s;
    struct sn_secret refresh_token; /* these three together, or none */
    struct sn_secret client_id, client_secret;
    int64_t registration_expires_unix_s;
};
void sn_sso_token_clear(struct sn_sso_token *token);
bool sn_sso_token_can_refresh(const struct sn_sso_token *token, int64_t now_unix_s);

/* The text of a file. Fails with SN_INVALID, SSO_CACHE_INVALID for another form. Pure. */
SN_MUST_CHECK enum sn_status sn_sso_token_parse(
    struct sn_slice text, struct sn_sso_token *out_token, struct sn_error *err);
void sn_sso_token_format(const struct sn_sso_token *token, struct sn_buf *out_text);
/* The same for a registration. */
SN_MUST_CHECK enum sn_status sn_sso_client_parse(
    struct sn_slice text, struct sn_sso_client *out_client, struct sn_error *err);
void sn_sso_client_format(const struct sn_sso_client *client, struct sn_buf *out_text);

/* <home>/.aws/sso/cache/<prefix><sha1 of key>.json. SN_NOT_FOUND, CONFIG_NO_HOME without HOME. */
SN_MUST_CHECK enum sn_status sn_sso_cache_path(const struct sn_env *env, const char *prefix, struct sn_slice key,
    char out_path[SN_SSO_CACHE_PATH_MAX], struct sn_error *err);
/* *out_found false: no file, or one of another form. Fails with FILE_PERMISSIONS and the like. */
SN_MUST_CHECK enum sn_status sn_sso_token_load(
    const char *path, struct sn_sso_token *out_token, bool *out_found, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_token_save(
    const char *path, const struct sn_sso_token *token, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_client_load(
    const char *path, struct sn_sso_client *out_client, bool *out_found, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_sso_client_save(
    const char *path, const struct sn_sso_client *client, struct sn_error *err);
/* Removes a file; one that is not there is fine. *out_removed tells. */
SN_MUST_CHECK enum sn_status sn_sso_cache_remove(const char *path, bool *out_removed, struct sn_error *err);

#endif
