/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/config.h - $XDG_CONFIG_HOME/sentinel/config.yaml (default ~/.config), the user's own settings.
 *
 * A flat mapping of known keys to text. The file decides which server is asked, so it must belong to the user or root
 * and be writable by nobody else. Failures are CONFIG_INVALID with file and line.
 */
#ifndef SN_CLI_CONFIG_H
#define SN_CLI_CONFIG_H

#include "base/arena.h"
#include "base/env.h"
#include "base/error.h"
#include "base/slice.h"

enum { SN_CONFIG_MAX_KEYS = 8, SN_CONFIG_MAX_BYTES = 64 * 1024, SN_CONFIG_PATH_MAX = 4096 };

/* A zeroed struct is a configuration that was not read yet. */
struct sn_cli_config {
    bool loaded;
    size_t count;
    struct {
        const char *key; /* a constant */
        const char *value;
    } items[SN_CONFIG_MAX_KEYS];
    struct sn_arena arena;
};

/* Where the file is looked for; SN_NOT_FOUND, CONFIG_NO_HOME without XDG_CONFIG_HOME and HOME. */
SN_MUST_CHECK enum sn_status sn_cli_config_path(
    const struct sn_env *env, char out[SN_CONFIG_PATH_MAX], struct sn_error *err);
/* Reads the file once; an absent one is empty. */
SN_MUST_CHECK enum sn_status sn_cli_config_load(
    struct sn_cli_config *config, const struct sn_env *env, struct sn_error *err);
/* The text of a document; path is for messages. */
SN_MUST_CHECK enum sn_status sn_cli_config_parse(
    struct sn_cli_config *config, const char *path, struct sn_slice text, struct sn_error *err);
/* Value of a key, or NULL. */
const char *sn_cli_config_get(const struct sn_cli_config *config, const char *key);
void sn_cli_config_clear(struct sn_cli_config *config);

#endif
