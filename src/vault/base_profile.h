/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_profile.h - the settings that are in force for one profile, and the keys written beside it.
 *
 * Internal to the resolver of base credentials.
 */
#ifndef SN_VAULT_BASE_PROFILE_H
#define SN_VAULT_BASE_PROFILE_H

#include <stdbool.h>

#include "aws/credentials.h"
#include "base/env.h"
#include "base/error.h"
#include "base/slice.h"
#include "vault/awsconfig.h"

/* Both files, read for one resolution. */
struct sn_base_files {
    struct sn_awsconfig *config, *credentials;
    char config_path[SN_AWSCONFIG_PATH_MAX];
};

SN_MUST_CHECK enum sn_status sn_base_files_load(
    const struct sn_env *env, struct sn_base_files *out_files, struct sn_error *err);
void sn_base_files_clear(struct sn_base_files *files);

/* True if either file has a section for it. */
bool sn_base_profile_exists(const struct sn_base_files *files, struct sn_slice profile);
/* CONFIG_PROFILE_NOT_FOUND with the nearest names. */
enum sn_status sn_base_profile_unknown(
    const struct sn_base_files *files, struct sn_slice profile, struct sn_error *err);

/*
 * A setting from the profile, the profiles it includes and, for keys that inherit, [default]. *out_setting is NULL when
 * it is nowhere or empty. Fails with CONFIG_INVALID for a cycle of include_profile or one that does not exist.
 */
SN_MUST_CHECK enum sn_status sn_base_profile_get(const struct sn_base_files *files, struct sn_slice profile,
    const char *key, const struct sn_awsconfig_setting **out_setting, struct sn_error *err);
/* The same as text; empty when it is nowhere. */
SN_MUST_CHECK enum sn_status sn_base_profile_text(const struct sn_base_files *files, struct sn_slice profile,
    const char *key, struct sn_slice *out_text, struct sn_error *err);

/* Static keys of the profile, from the credentials file, else the config. *out_found false: none are there. */
SN_MUST_CHECK enum sn_status sn_base_profile_keys(const struct sn_base_files *files, struct sn_slice profile,
    struct sn_credentials *out_credentials, bool *out_found, struct sn_error *err);

#endif
