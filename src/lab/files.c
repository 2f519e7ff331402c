/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/files.c - the directory of a running lab.
 */
#include "lab/files.h"

#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "lab/config.h"
#include "lab/directory.h"
#include "lab/lab.h"
#include "net/client.h"

enum { FILE_MODE = 0600, DIR_MODE = 0700 };

enum sn_status sn_lab_files_prepare(const char *dir, struct sn_error *err)
{
    char path[SN_LAB_PATH_MAX];
    SN_TRY(sn_fs_make_dir(dir, DIR_MODE, err));
    SN_TRY(sn_path_join(path, sizeof(path), dir, "aws", err));
    return sn_fs_make_dir(path, DIR_MODE, err);
}

static enum sn_status write_file(const char *dir, const char *name, const struct sn_buf *text, struct sn_error *err)
{
    char path[SN_LAB_PATH_MAX];
    SN_TRY(sn_buf_check(text, name, err));
    SN_TRY(sn_path_join(path, sizeof(path), dir, name, err));
    return sn_fs_write_atomic(path, FILE_MODE, sn_buf_slice(text), err);
}

static void add_export(struct sn_buf *out, const char *name, const char *value)
{
    sn_buf_addf(out, "export %s='", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\'') {
            sn_buf_add_str(out, "'\\''");
        } else {
            sn_buf_add_byte(out, *c);
        }
    }
    sn_buf_add_str(out, "'\n");
}

static enum sn_status write_env(
    const struct sn_lab_config *config, const char *dir, const char *url, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf region = {0};
    char path[SN_LAB_PATH_MAX];
    sn_buf_add(&region, config->region);
    sn_buf_add_str(&text, "# The stand-in AWS of 'sentinel lab'. Use: . ./env\n");
    add_export(&text, "SENTINEL_LAB_DIR", dir);
    add_export(&text, "SENTINEL_LAB_URL", url);
    add_export(&text, "AWS_ENDPOINT_URL", url);
    add_export(&text, "AWS_ENDPOINT_URL_STS", url);
    add_export(&text, "AWS_ENDPOINT_URL_IAM", url);
    add_export(&text, "AWS_ENDPOINT_URL_CLOUDTRAIL", url);
    add_export(&text, "AWS_ENDPOINT_URL_SSO", url);
    add_export(&text, "AWS_ENDPOINT_URL_SSO_OIDC", url);
    SN_TRY(sn_path_join(path, sizeof(path), dir, "aws/config", err));
    add_export(&text, "AWS_CONFIG_FILE", path);
    SN_TRY(sn_path_join(path, sizeof(path), dir, "aws/credentials", err));
    add_export(&text, "AWS_SHARED_CREDENTIALS_FILE", path);
    add_export(&text, "AWS_REGION", sn_buf_str(&region));
    add_export(&text, "AWS_DEFAULT_REGION", sn_buf_str(&region));
    add_export(&text, "AWS_EC2_METADATA_DISABLED", "true");
    return write_file(dir, "env", &text, err);
}

/* One sso-session, and a profile for everything that some user may have: sso-<permission set>-<account>. */
static void add_sso_profiles(const struct sn_lab_config *config, const char *url, struct sn_buf *out)
{
    const struct sn_lab_center_config *center = &config->center;
    if (center->user_count == 0) {
        return;
    }
    sn_buf_addf(out,
        "[sso-session %.*s]\nsso_start_url = %s/start\nsso_region = %.*s\n"
        "sso_registration_scopes = sso:account:access\n\n",
        SN_PRI(center->session), url, SN_PRI(config->region));
    for (size_t i = 0; i < center->profile_count; i++) {
        const struct sn_lab_center_assignment *a = &center->profiles[i];
        sn_buf_addf(out,
            "[profile sso-%.*s-%.*s]\nsso_session = %.*s\nsso_account_id = %.*s\nsso_role_name = %.*s\n"
            "region = %.*s\noutput = json\nendpoint_url = %s\n\n",
            SN_PRI(a->permission_set), SN_PRI(a->account->name), SN_PRI(center->session), SN_PRI(a->account->id),
            SN_PRI(a->permission_set), SN_PRI(config->region), url);
    }
}

static enum sn_status write_profiles(
    const struct sn_lab_config *config, const char *dir, const char *url, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf settings = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf credentials = {0};
    for (size_t i = 0; i < config->profile_count; i++) {
        const struct sn_lab_profile *profile = &config->profiles[i];
        sn_buf_addf(&settings, "[profile %.*s]\nregion = %.*s\noutput = json\nendpoint_url = %s\n",
            SN_PRI(profile->name), SN_PRI(config->region), url);
        if (profile->key == NULL) {
            sn_buf_addf(&settings, "role_arn = %.*s\nsource_profile = %.*s\n", SN_PRI(profile->role_arn),
                SN_PRI(profile->source_profile));
            if (profile->session_name.len > 0) {
                sn_buf_addf(&settings, "role_session_name = %.*s\n", SN_PRI(profile->session_name));
            }
        } else {
            sn_buf_addf(&credentials, "[%.*s]\naws_access_key_id = %s\naws_secret_access_key = %s\n\n",
                SN_PRI(profile->name), profile->key->access_key, profile->key->secret);
        }
        sn_buf_add_byte(&settings, '\n');
    }
    add_sso_profiles(config, url, &settings);
    SN_TRY(write_file(dir, "aws/config", &settings, err));
    return write_file(dir, "aws/credentials", &credentials, err);
}

enum sn_status sn_lab_files_write(struct sn_lab *lab, const char *dir, const char *url, struct sn_error *err)
{
    char absolute[PATH_MAX];
    SN_AUTO(sn_buf_clear) struct sn_buf control = {0};
    if (realpath(dir, absolute) == NULL) {
        return sn_fail(err, SN_IO, "LAB_DIR", "cannot resolve '%s'", dir);
    }
    sn_lab_set_url(lab, url);
    SN_TRY(write_env(sn_lab_config_of(lab), absolute, url, err));
    SN_TRY(write_profiles(sn_lab_config_of(lab), absolute, url, err));
    sn_buf_addf(&control, "%s %.*s\n", url, SN_PRI(sn_lab_control_token(lab)));
    return write_file(absolute, "control", &control, err);
}

static enum sn_status not_running(const char *dir, struct sn_error *err)
{
    (void)sn_fail(err, SN_UNAVAILABLE, "LAB_NOT_RUNNING", "no lab runs in '%s'", dir);
    return sn_suggest(err, "start one with 'sentinel lab --dir %s', or name its directory with --dir", dir);
}

static void client_free_p(struct sn_http_client **client)
{
    sn_http_client_free(*client);
}

enum sn_status sn_lab_files_control(
    const char *dir, const char *what, const char *argument, struct sn_buf *out_answer, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf url = {0};
    SN_AUTO(client_free_p) struct sn_http_client *client = NULL;
    SN_AUTO(sn_http_reply_clear) struct sn_http_reply reply = {0};
    struct sn_http_call call = {.method = "POST", .body = sn_slice_str(argument)};
    struct sn_error cause = {0};
    char path[SN_LAB_PATH_MAX];
    struct sn_slice address = {0};
    struct sn_slice token = {0};

    SN_TRY(sn_path_join(path, sizeof(path), dir, "control", err));
    if (sn_fs_read(path, SN_LAB_CONTROL_MAX_BYTES, &text, &cause) != SN_OK ||
        !sn_slice_cut(sn_slice_trim_space(sn_buf_slice(&text)), ' ', &address, &token)) {
        return not_running(dir, err);
    }
    sn_buf_addf(&url, "%.*s/-lab/%s", SN_PRI(address), what);
    call.url = sn_buf_str(&url);
    sn_http_call_header(&call, "X-Lab-Token", token);
    SN_TRY(sn_http_client_new(NULL, &client, err));
    if (sn_http_client_do(client, &call, &reply, &cause) != SN_OK) {
        return not_running(dir, err);
    }
    if (reply.status != 200) {
        struct sn_slice message = {0};
        struct sn_slice hint = {0};
        (void)sn_slice_cut(sn_buf_slice(&reply.body), '\n', &message, &hint);
        (void)sn_fail(err, SN_USAGE, "LAB_REFUSED", "%.*s", SN_PRI(message));
        return sn_suggest(err, "%.*s", SN_PRI(sn_slice_trim_space(hint)));
    }
    sn_buf_add(out_answer, sn_buf_slice(&reply.body));
    return SN_OK;
}
