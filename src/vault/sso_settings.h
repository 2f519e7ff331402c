/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_settings.h - which IAM Identity Center a profile signs in to, and for what.
 *
 * The newer form names an sso-session, the older one has sso_start_url and sso_region in the profile itself. Failures
 * are CONFIG_INVALID and name the key or the section that is missing.
 */
#ifndef SN_VAULT_SSO_SETTINGS_H
#define SN_VAULT_SSO_SETTINGS_H

#include <stdbool.h>

#include "aws/endpoint.h"
#include "aws/sso_answer.h"
#include "base/error.h"
#include "base/slice.h"
#include "vault/base_profile.h"

enum { SN_SSO_START_URL_MAX = 1024, SN_SSO_SESSION_MAX = 256, SN_SSO_SCOPES_MAX = 512 };

struct sn_sso_settings {
    char session[SN_SSO_SESSION_MAX + 1]; /* "": the older form */
    char start_url[SN_SSO_START_URL_MAX + 1];
    char region[SN_REGION_MAX + 1];
    char scopes[SN_SSO_SCOPES_MAX + 1]; /* separated by blanks; "" in the older form */
    char account_id[SN_SSO_ACCOUNT_LEN + 1], role_name[SN_SSO_ROLE_MAX + 1];
    char endpoint_url[SN_ENDPOINT_MAX]; /* of the profile; "": none */
    char profile[SN_SSO_SESSION_MAX + 1];
};

/* What the token's file is named after: the session, else the start URL. */
struct sn_slice sn_sso_settings_key(const struct sn_sso_settings *settings);

/*
 * Of a profile with its includes. *out_found false: it has none. need_role: account and role must be there as well.
 */
SN_MUST_CHECK enum sn_status sn_sso_settings_of_profile(const struct sn_base_files *files, struct sn_slice profile,
    bool need_role, struct sn_sso_settings *out_settings, bool *out_found, struct sn_error *err);
/* Of a session by its name. */
SN_MUST_CHECK enum sn_status sn_sso_settings_of_session(const struct sn_base_files *files, struct sn_slice session,
    struct sn_sso_settings *out_settings, struct sn_error *err);
/* The first of a profile and its source_profiles that has any: who signs in for it. CONFIG_INVALID when none has. */
SN_MUST_CHECK enum sn_status sn_sso_settings_of_chain(const struct sn_base_files *files, struct sn_slice profile,
    struct sn_sso_settings *out_settings, struct sn_error *err);

#endif
