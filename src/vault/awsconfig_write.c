/* SPDX-License-Identifier: Apache-2.0 */
/* vault/awsconfig_write.c - see awsconfig_write.h. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "vault/awsconfig.h"
#include "vault/awsconfig_write.h"

enum { NEW_FILE_MODE = 0600, NEW_DIR_MODE = 0700 };

/* Where it really lies, its mode and its text; all of a new file when it is missing. */
struct original {
    char path[PATH_MAX];
    mode_t mode;
    struct sn_buf text;
};

static void original_clear(struct original *original)
{
    sn_buf_clear(&original->text);
}

static enum sn_status make_dir_of(const char *path, struct sn_error *err)
{
    char dir[PATH_MAX];
    struct sn_slice before;
    struct sn_slice name;

    if (!sn_slice_cut_last(sn_slice_str(path), '/', &before, &name) || before.len == 0) {
        return SN_OK;
    }
    (void)snprintf(dir, sizeof(dir), "%.*s", SN_PRI(before));
    return sn_fs_make_dir(dir, NEW_DIR_MODE, err);
}

static enum sn_status load(const char *path, struct original *out, struct sn_error *err)
{
    struct stat st = {0};

    out->mode = NEW_FILE_MODE;
    if (realpath(path, out->path) == NULL || stat(out->path, &st) != 0) {
        if (strlen(path) >= sizeof(out->path)) {
            return sn_fail(err, SN_LIMIT, "PATH_TOO_LONG", "the path of an AWS file is too long");
        }
        (void)snprintf(out->path, sizeof(out->path), "%s", path);
        return make_dir_of(path, err);
    }
    out->mode = st.st_mode & 07777;
    return sn_fs_read(out->path, SN_AWSCONFIG_MAX_BYTES, &out->text, err);
}

static enum sn_status store(const struct original *original, struct sn_slice text, struct sn_error *err)
{
    if (text.len > SN_AWSCONFIG_MAX_BYTES) {
        return sn_fail(err, SN_LIMIT, "CONFIG_INVALID", "'%s' would be longer than 1 MiB", original->path);
    }
    return sn_fs_write_atomic(original->path, original->mode, text, err);
}

enum sn_status sn_awsconfig_append_sections(const char *path, struct sn_slice sections, struct sn_error *err)
{
    SN_AUTO(original_clear) struct original original = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    SN_TRY(load(path, &original, err));
    sn_buf_add(&text, sn_buf_slice(&original.text));
    if (text.len > 0) {
        sn_buf_add_str(&text, text.ptr[text.len - 1] == '\n' ? "\n" : "\n\n");
    }
    sn_buf_add(&text, sections);
    return store(&original, sn_buf_slice(&text), err);
}

enum sn_status sn_awsconfig_append_profile(
    const char *path, struct sn_slice profile, struct sn_slice mfa_serial, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    bool needs_quotes = sn_slice_has_byte(profile, ' ') || sn_slice_has_byte(profile, '\t');

    if (sn_slice_eq_str(profile, "default")) {
        sn_buf_add_str(&text, "[default]\n");
    } else {
        sn_buf_addf(&text, "[profile %s%.*s%s]\n", needs_quotes ? "\"" : "", SN_PRI(profile), needs_quotes ? "\"" : "");
    }
    if (mfa_serial.len > 0) {
        sn_buf_addf(&text, "mfa_serial=%.*s\n", SN_PRI(mfa_serial));
    }
    return sn_awsconfig_append_sections(path, sn_buf_slice(&text), err);
}

/* --- Taking keys out --- */

static bool is_section(struct sn_slice line)
{
    struct sn_slice text = sn_slice_trim_space(line);

    return text.len > 0 && text.ptr[0] == '[';
}

/* The name in "[profile NAME]", "[default]" or "[NAME]". Empty for a section of another kind. */
static struct sn_slice section_name(struct sn_slice line, bool is_config)
{
    struct sn_slice text = sn_slice_trim_space(line);
    struct sn_slice name;
    struct sn_slice rest;

    text = sn_slice_sub(text, 1, SIZE_MAX);
    if (!sn_slice_cut(text, ']', &name, &rest)) {
        return (struct sn_slice){0};
    }
    name = sn_slice_trim(name);
    if (is_config && !sn_slice_eq_str(name, "default")) {
        struct sn_slice blank = sn_slice_sub(name, sizeof("profile") - 1, 1);
        if (!sn_slice_has_prefix(name, SN_S("profile")) || sn_slice_trim(blank).len > 0) {
            return (struct sn_slice){0};
        }
        name = sn_slice_trim(sn_slice_sub(name, sizeof("profile") - 1, SIZE_MAX));
    }
    if (name.len >= 2 && (name.ptr[0] == '"' || name.ptr[0] == '\'') && name.ptr[name.len - 1] == name.ptr[0]) {
        name = sn_slice_sub(name, 1, name.len - 2);
    }
    return name;
}

static bool is_key_line(struct sn_slice line)
{
    static const struct sn_slice keys[] = {
        SN_S_INIT("aws_access_key_id"), SN_S_INIT("aws_secret_access_key"), SN_S_INIT("aws_session_token")};
    struct sn_slice name;
    struct sn_slice value;

    if (line.len == 0 || line.ptr[0] == ' ' || line.ptr[0] == '\t' || !sn_slice_cut(line, '=', &name, &value)) {
        return false; /* an indented line belongs to a nested setting */
    }
    for (size_t i = 0; i < SN_LEN(keys); i++) {
        if (sn_slice_eq_nocase(sn_slice_trim(name), keys[i])) {
            return true;
        }
    }
    return false;
}

enum sn_status sn_awsconfig_remove_keys(const char *path, bool is_config, struct sn_slice profile, struct sn_error *err)
{
    SN_AUTO(original_clear) struct original original = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    bool is_wanted = false;

    SN_TRY(load(path, &original, err));
    struct sn_slice rest = sn_buf_slice(&original.text);
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.ptr) + 1 : rest.len;
        struct sn_slice line = sn_slice_sub(rest, 0, len);
        rest = sn_slice_sub(rest, len, SIZE_MAX);
        if (is_section(line)) {
            is_wanted = sn_slice_eq(section_name(line, is_config), profile);
        }
        if (!is_wanted || !is_key_line(line)) {
            sn_buf_add(&text, line);
        }
    }
    return store(&original, sn_buf_slice(&text), err);
}
