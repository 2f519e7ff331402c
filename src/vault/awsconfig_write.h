/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/awsconfig_write.h - changes of the AWS files that leave every other byte as it was.
 *
 * A file is replaced in one step where it really lies (links are followed), with its mode kept.
 */
#ifndef SN_VAULT_AWSCONFIG_WRITE_H
#define SN_VAULT_AWSCONFIG_WRITE_H

#include "base/error.h"
#include "base/slice.h"

/*
 * Appends "[profile NAME]" ("[default]" for default) and mfa_serial when there is one. Makes the file (0600) and its
 * directory (0700) when they are missing. The caller has looked that there is no such section, and holds a lock.
 */
SN_MUST_CHECK enum sn_status sn_awsconfig_append_profile(
    const char *path, struct sn_slice profile, struct sn_slice mfa_serial, struct sn_error *err);

/* The same for whole sections, which the caller has written well. */
SN_MUST_CHECK enum sn_status sn_awsconfig_append_sections(
    const char *path, struct sn_slice sections, struct sn_error *err);

/*
 * Takes the lines of aws_access_key_id, aws_secret_access_key and aws_session_token out of a section; is_config: a
 * section of the config, "[profile NAME]". Comments and every other byte stay.
 */
SN_MUST_CHECK enum sn_status sn_awsconfig_remove_keys(
    const char *path, bool is_config, struct sn_slice profile, struct sn_error *err);

#endif
