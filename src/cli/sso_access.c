/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/sso_access.c - from options to an Identity Center.
 */
#include <stdio.h>

#include "base/env.h"
#include "cli/sso_commands.h"

void sn_sso_access_clear(struct sn_sso_access *access)
{
    sn_base_files_clear(&access->files);
    *access = (struct sn_sso_access){0};
}

const char *sn_sso_access_name(const struct sn_sso_settings *settings)
{
    return settings->session[0] != '\0' ? settings->session : settings->start_url;
}

enum sn_status sn_sso_access_world(
    const struct sn_app *app, const struct sn_sso_args *args, struct sn_sso_access *out_access, struct sn_error *err)
{
    SN_TRY(sn_cli_person_init(&out_access->person, app, args, false, err));
    out_access->world = (struct sn_sso_world){.env = sn_env_system(),
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .ca_file = sn_env_get("AWS_CA_BUNDLE"),
        .keeps_roles = true,
        .person = &out_access->person.person};
    return sn_base_files_load(sn_env_system(), &out_access->files, err);
}

/* Without a name: the only session of the file. */
static enum sn_status only_session(struct sn_sso_access *access, struct sn_error *err)
{
    struct sn_slice found = {0};
    size_t count = 0;

    for (size_t i = 0; i < sn_awsconfig_count(access->files.config); i++) {
        enum sn_awsconfig_section_kind kind;
        struct sn_slice name = sn_awsconfig_section_at(access->files.config, i, &kind);
        if (kind == SN_AWSCONFIG_SSO_SESSION) {
            found = name;
            count++;
        }
    }
    if (count == 1) {
        return sn_sso_settings_of_session(&access->files, found, &access->settings, err);
    }
    (void)sn_fail(err, SN_USAGE, "SSO_NO_TARGET", "%s in %s, and neither --session nor --profile names one",
        count == 0 ? "there is no [sso-session]" : "there are several [sso-session]", access->files.config_path);
    return sn_suggest(err, "name one with --session, or a profile that uses IAM Identity Center with --profile");
}

enum sn_status sn_sso_access_open(struct sn_app *app, const struct sn_sso_target_args *target,
    const struct sn_sso_args *args, struct sn_sso_access *out_access, struct sn_error *err)
{
    const char *profile = target->profile;

    if (target->session != NULL && profile != NULL) {
        (void)sn_fail(err, SN_USAGE, "CONFLICTING_OPTIONS", "--session and --profile exclude each other");
        return sn_suggest(err, "name one of them");
    }
    SN_TRY(sn_sso_access_world(app, args, out_access, err));
    if (target->session != NULL) {
        return sn_sso_settings_of_session(
            &out_access->files, sn_slice_str(target->session), &out_access->settings, err);
    }
    profile = profile != NULL ? profile : sn_env_get("AWS_PROFILE");
    profile = profile != NULL ? profile : sn_env_get("AWS_DEFAULT_PROFILE");
    return profile != NULL
               ? sn_sso_settings_of_chain(&out_access->files, sn_slice_str(profile), &out_access->settings, err)
               : only_session(out_access, err);
}
