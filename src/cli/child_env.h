/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/child_env.h - the environment of a command started by 'sentinel exec' or 'sentinel vault exec'.
 *
 * Of the first: a copy of the parent's without anything an SDK could take another identity from, plus the relay's
 * address and token; credentials never enter it. Of the second: a copy with the credentials of a local profile in it.
 */
#ifndef SN_CLI_CHILD_ENV_H
#define SN_CLI_CHILD_ENV_H

#include <stdint.h>

#include "base/secret.h"
#include "base/slice.h"

struct sn_child_env_options {
    const char *profile;
    const char *session_id; /* "ses-..." */
    const char *region;     /* NULL: leave the region alone */
    uint16_t port;          /* of the relay; 0: unix_path */
    const char *unix_path;
    struct sn_slice token;
};

struct sn_credentials; /* aws/credentials.h */

/*
 * Credentials as variables, AWS_VAULT with the profile's name, and nothing of an outer profile; region may be NULL. To
 * be released like the other.
 */
char **sn_child_env_with_keys(
    const char *const *parent, const char *profile, const char *region, const struct sn_credentials *credentials);

/* A NULL-terminated list, to be released with sn_child_env_free(), which wipes it. */
char **sn_child_env_new(const char *const *parent, const struct sn_child_env_options *options);
void sn_child_env_free(char **env);
void sn_child_env_free_p(char ***env);

#endif
