/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/awsconfig_file.c - where the AWS files are, and whether commands named in them may be run.
 *
 * Names of users and groups are read from /etc/passwd and /etc/group: the static build loads no name service.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/parse.h"
#include "vault/awsconfig.h"

enum { SN_NAMES_MAX_BYTES = 1024 * 1024 };

enum sn_status sn_awsconfig_path(
    const struct sn_env *env, enum sn_awsconfig_kind kind, char out_path[SN_AWSCONFIG_PATH_MAX], struct sn_error *err)
{
    bool is_config = kind == SN_AWSCONFIG_CONFIG;
    const char *given = env->get(env->ctx, is_config ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE");
    const char *home = env->get(env->ctx, "HOME");

    if (given != NULL && given[0] != '~') {
        if (snprintf(out_path, SN_AWSCONFIG_PATH_MAX, "%s", given) >= SN_AWSCONFIG_PATH_MAX) {
            return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "the path of an AWS file is too long");
        }
        return SN_OK;
    }
    if (home == NULL) {
        (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "HOME is not set, so there is no ~/.aws");
        return sn_suggest(err, "set HOME, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE");
    }
    if (given != NULL) {
        return sn_path_join(out_path, SN_AWSCONFIG_PATH_MAX, home, given[1] == '/' ? given + 2 : given + 1, err);
    }
    return sn_path_join(out_path, SN_AWSCONFIG_PATH_MAX, home, is_config ? ".aws/config" : ".aws/credentials", err);
}

/* The name in a file of lines "name:x:number:..." that has this number in its third field. */
static bool find_name(const char *file, unsigned long number, char out_name[65])
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error ignored;
    struct sn_slice rest;
    struct sn_slice line;

    if (sn_fs_read(file, SN_NAMES_MAX_BYTES, &text, &ignored) != SN_OK) {
        return false;
    }
    rest = sn_buf_slice(&text);
    while (sn_slice_next(&rest, '\n', &line)) {
        struct sn_slice name;
        struct sn_slice field;
        int64_t value = -1;
        if (sn_slice_cut(line, ':', &name, &line) && sn_slice_cut(line, ':', &field, &line)) {
            (void)sn_slice_cut(line, ':', &field, &line);
            if (sn_parse_int(field, 0, UINT32_MAX, &value, &ignored) == SN_OK && value == (int64_t)number &&
                name.len < 65) {
                (void)snprintf(out_name, 65, "%.*s", SN_PRI(name));
                return true;
            }
        }
    }
    return false;
}

/* The user's private group: the primary one, which carries the user's own name or number. */
static bool is_private_group(gid_t group)
{
    char user_name[65];
    char group_name[65];

    if (group != getegid()) {
        return false;
    }
    if ((uid_t)group == geteuid()) {
        return true;
    }
    return find_name("/etc/passwd", geteuid(), user_name) && find_name("/etc/group", group, group_name) &&
           strcmp(user_name, group_name) == 0;
}

static enum sn_status check_one(const char *path, const char *what, const struct stat *facts, struct sn_error *err)
{
    const struct stat st = *facts;

    if (st.st_uid != geteuid() && st.st_uid != 0) {
        (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID",
            "%s '%s' belongs to another user, so no command named in it is run", what, path);
        return sn_suggest(err, "make it yours: chown $(id -u) '%s'", path);
    }
    /* A directory with the sticky bit, such as /tmp, lets others add files but not replace this one. */
    if ((st.st_mode & S_IWOTH) != 0 && !(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0)) {
        (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID",
            "%s '%s' can be changed by everybody, so no command named in it is run", what, path);
        return sn_suggest(err, "run: chmod go-w '%s'", path);
    }
    if ((st.st_mode & S_IWGRP) != 0 && !is_private_group(st.st_gid) &&
        !(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0)) {
        (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID",
            "%s '%s' can be changed by a group, so no command named in it is run", what, path);
        return sn_suggest(err, "run: chmod g-w '%s'", path);
    }
    return SN_OK;
}

enum sn_status sn_awsconfig_check_trust(const struct sn_awsconfig *config, struct sn_error *err)
{
    const char *path = sn_awsconfig_name(config);
    const struct stat *facts = sn_awsconfig_facts(config);
    SN_AUTO(sn_free_p) char *folder = NULL;
    struct sn_slice before;
    struct sn_slice name;
    struct stat folder_facts;

    if (facts == NULL) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "the file '%s' was not there to be examined", path);
    }
    SN_TRY(check_one(path, "the file", facts, err));
    if (!sn_slice_cut_last(sn_slice_str(path), '/', &before, &name)) {
        before = SN_S(".");
    }
    folder = sn_strdup(before.len > 0 ? before : SN_S("/"));
    if (stat(folder, &folder_facts) != 0) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "the directory '%s' cannot be examined", folder);
    }
    return check_one(folder, "the directory", &folder_facts, err);
}
