/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/awsconfig.h - ~/.aws/config and ~/.aws/credentials, read with limits and never guessed at.
 *
 * Sections default, profile, sso-session, services and sentinel-vault; others are skipped. Section names keep their
 * case, keys are folded to lower case. Secret values (keys, tokens) are held as secrets, everything else in an arena.
 * A parsed file never changes and may be shared between threads.
 */
#ifndef SN_VAULT_AWSCONFIG_H
#define SN_VAULT_AWSCONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
    SN_AWSCONFIG_MAX_BYTES = 1024 * 1024,
    SN_AWSCONFIG_MAX_LINE = 64 * 1024,
    SN_AWSCONFIG_MAX_SECTIONS = 4096,
    SN_AWSCONFIG_MAX_SETTINGS = 65536,
    SN_AWSCONFIG_PATH_MAX = 4096,
};

enum sn_awsconfig_kind { SN_AWSCONFIG_CONFIG, SN_AWSCONFIG_CREDENTIALS };

enum sn_awsconfig_section_kind {
    SN_AWSCONFIG_PROFILE,
    SN_AWSCONFIG_SSO_SESSION,
    SN_AWSCONFIG_SERVICES,
    SN_AWSCONFIG_VAULT,
    SN_AWSCONFIG_OTHER,
};

struct sn_awsconfig_setting {
    struct sn_slice key;     /* lower case; of a nested one its own name */
    struct sn_slice value;   /* empty for a secret */
    struct sn_secret secret; /* aws_secret_access_key, aws_session_token */
    struct sn_slice parent;  /* of a nested setting; empty otherwise */
    uint32_t line;
};

struct sn_awsconfig;         /* one file */
struct sn_awsconfig_section; /* one section of it, repeated ones merged */

/* name is the file's name for messages. Fails with SN_INVALID, CONFIG_INVALID: "FILE:LINE: what". */
SN_MUST_CHECK enum sn_status sn_awsconfig_parse(struct sn_slice text, const char *name, enum sn_awsconfig_kind kind,
    struct sn_awsconfig **out_config, struct sn_error *err);
/* Reads the file; one that is not there is empty. */
SN_MUST_CHECK enum sn_status sn_awsconfig_load(
    const char *path, enum sn_awsconfig_kind kind, struct sn_awsconfig **out_config, struct sn_error *err);
void sn_awsconfig_free(struct sn_awsconfig *config);
void sn_awsconfig_free_p(struct sn_awsconfig **config);

const char *sn_awsconfig_name(const struct sn_awsconfig *config);
/* Borrowed; NULL when there is none. The profile "default" is [profile default], else [default]. */
const struct sn_awsconfig_section *sn_awsconfig_find(
    const struct sn_awsconfig *config, enum sn_awsconfig_section_kind kind, struct sn_slice name);
/* The last setting of that key, nested ones left out; NULL for none or a NULL section. */
const struct sn_awsconfig_setting *sn_awsconfig_get(const struct sn_awsconfig_section *section, const char *key);
/* Sections in order of their first line, for listings. */
size_t sn_awsconfig_count(const struct sn_awsconfig *config);
struct sn_slice sn_awsconfig_section_at(
    const struct sn_awsconfig *config, size_t index, enum sn_awsconfig_section_kind *out_kind);

/* $AWS_CONFIG_FILE else ~/.aws/config; $AWS_SHARED_CREDENTIALS_FILE else ~/.aws/credentials. */
SN_MUST_CHECK enum sn_status sn_awsconfig_path(
    const struct sn_env *env, enum sn_awsconfig_kind kind, char out_path[SN_AWSCONFIG_PATH_MAX], struct sn_error *err);

/*
 * True if nobody but the user and root could change the file when it was read, nor its directory now, so that commands
 * named in it may be run. Fails with CONFIG_INVALID and the chmod that mends it.
 */
SN_MUST_CHECK enum sn_status sn_awsconfig_check_trust(const struct sn_awsconfig *config, struct sn_error *err);
/* Facts of the file that a config was read from; NULL where it was read from none. */
struct stat; /* sys/stat.h */
const struct stat *sn_awsconfig_facts(const struct sn_awsconfig *config);

#endif
