/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/config.c - reading of config.yaml.
 */
#include "cli/config.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/nearest.h"
#include "codec/yaml.h"

static const char *const known_keys[] = {"tvm_url", "tvm_auth"};

enum sn_status sn_cli_config_path(const struct sn_env *env, char out[SN_CONFIG_PATH_MAX], struct sn_error *err)
{
    const char *base = env->get(env->ctx, "XDG_CONFIG_HOME");

    if (base != NULL && base[0] == '/') {
        return sn_path_join(out, SN_CONFIG_PATH_MAX, base, "sentinel/config.yaml", err);
    }
    base = env->get(env->ctx, "HOME");
    if (base == NULL || base[0] != '/') {
        return sn_fail(err, SN_NOT_FOUND, "CONFIG_NO_HOME", "neither XDG_CONFIG_HOME nor HOME names a directory");
    }
    return sn_path_join(out, SN_CONFIG_PATH_MAX, base, ".config/sentinel/config.yaml", err);
}

static enum sn_status invalid(
    struct sn_error *err, const char *path, const struct sn_yaml_node *node, const char *what, struct sn_slice text)
{
    sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s:%u: %s '%.*s'", path, node->line, what, SN_PRI(text));
    return sn_suggest(err, "known keys: tvm_url, tvm_auth");
}

enum sn_status sn_cli_config_parse(
    struct sn_cli_config *config, const char *path, struct sn_slice text, struct sn_error *err)
{
    static const struct sn_yaml_limits limits = {
        .max_bytes = SN_CONFIG_MAX_BYTES, .max_depth = 4, .max_nodes = 4 * SN_CONFIG_MAX_KEYS};
    struct sn_yaml_node *root;

    if (sn_yaml_parse(text, &limits, &config->arena, &root, err) != SN_OK) {
        if (sn_error_is(err, "YAML_EMPTY")) {
            return SN_OK;
        }
        struct sn_error cause = *err;
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s: %s", path, cause.message);
    }
    if (root->kind != SN_YAML_MAPPING) {
        return invalid(
            err, path, root, "keys and values are expected, not a", sn_slice_str(sn_yaml_kind_name(root->kind)));
    }
    for (size_t i = 0; i < root->count; i++) {
        const struct sn_yaml_node *key = root->pairs[i].key;
        const struct sn_yaml_node *value = root->pairs[i].value;
        const char *known = NULL;
        for (size_t k = 0; k < SN_LEN(known_keys); k++) {
            known = sn_slice_eq_str(key->text, known_keys[k]) ? known_keys[k] : known;
        }
        if (known == NULL) {
            return invalid(err, path, key, "unknown key", key->text);
        }
        if (value->kind != SN_YAML_SCALAR ||
            memchr(value->text.ptr == NULL ? "" : value->text.ptr, 0, value->text.len)) {
            return invalid(err, path, value, "text is expected for", key->text);
        }
        if (sn_yaml_is_null(value) || config->count == SN_CONFIG_MAX_KEYS) {
            continue;
        }
        config->items[config->count].key = known;
        config->items[config->count].value = sn_arena_str(&config->arena, value->text);
        config->count++;
    }
    return SN_OK;
}

/* Somebody else who can write this file can choose the server that is believed. */
static enum sn_status check_owner(const char *path, const struct stat *facts, struct sn_error *err)
{
    if (facts->st_uid != geteuid() && facts->st_uid != 0) {
        sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s belongs to another user", path);
        return sn_suggest(err, "make the file yours, or remove it");
    }
    if ((facts->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s can be written by others", path);
        return sn_suggest(err, "run: chmod go-w '%s'", path);
    }
    return SN_OK;
}

enum sn_status sn_cli_config_load(struct sn_cli_config *config, const struct sn_env *env, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(SN_CONFIG_MAX_BYTES);
    char path[SN_CONFIG_PATH_MAX];
    struct stat facts;
    struct sn_error cause;

    if (config->loaded) {
        return SN_OK;
    }
    config->loaded = true;
    if (sn_cli_config_path(env, path, err) != SN_OK) {
        return SN_OK; /* no home: no file */
    }
    if (sn_fs_read_examined(path, SN_CONFIG_MAX_BYTES, &facts, &text, &cause) != SN_OK) {
        return cause.status == SN_NOT_FOUND ? SN_OK : sn_fail(err, SN_INVALID, "CONFIG_INVALID", "%s", cause.message);
    }
    SN_TRY(check_owner(path, &facts, err));
    return sn_cli_config_parse(config, path, sn_buf_slice(&text), err);
}

const char *sn_cli_config_get(const struct sn_cli_config *config, const char *key)
{
    for (size_t i = 0; i < config->count; i++) {
        if (strcmp(config->items[i].key, key) == 0) {
            return config->items[i].value;
        }
    }
    return NULL;
}

void sn_cli_config_clear(struct sn_cli_config *config)
{
    sn_arena_clear(&config->arena);
    *config = (struct sn_cli_config){0};
}
