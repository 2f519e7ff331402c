/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_credentials.h - the credentials that a caller already has, with which requests are signed.
 *
 * With a profile only that profile is tried. Otherwise: AWS_ACCESS_KEY_ID and its companions, then AWS_PROFILE or
 * AWS_DEFAULT_PROFILE, then the profile default. A profile gets its keys from the keyring, source_profile, IAM Identity
 * Center, credential_process or static keys; a role_arn is assumed on top. A key from the keyring is turned into a
 * session first (vault/priming.h), with the code of its MFA device, and the session is kept in the keyring. Every error
 * names the chain of profiles and what is missing.
 *
 * Thread-safe. Credentials that expire are kept until five minutes before; while they cannot be renewed, those at hand
 * go on serving until they have expired. Credentials without an expiry are looked up again after a minute, those of a
 * process each time.
 */
#ifndef SN_VAULT_BASE_CREDENTIALS_H
#define SN_VAULT_BASE_CREDENTIALS_H

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/transport.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/error.h"
#include "vault/mfa.h"
#include "vault/sso_login.h"

enum { SN_BASE_CHAIN_MAX = 16 };

struct sn_base;
struct sn_vault_store; /* vault/vault_store.h */

struct sn_base_options {
    const char *profile;                  /* --aws-profile; NULL: the chain above */
    const char *region;                   /* --region; NULL: see sn_base_region */
    const struct sn_env *env;             /* NULL: the system's */
    const struct sn_clock *clock;         /* NULL: the system's */
    const char *ca_file;                  /* as in net/client.h */
    const struct sn_transport *transport; /* to STS and IAM Identity Center; NULL: real ones */
    struct sn_vault_store *store;         /* long-lived keys and sessions; NULL: none */
    struct sn_mfa *mfa;                   /* NULL: nobody can be asked */
    bool no_session;                      /* keys of the keyring as they are */
    int64_t duration_s;                   /* of the session or role asked for; 0: see the profile */
    const struct sn_sso_person *person;   /* who can sign in; NULL: nobody. Outlives the base */
    bool keeps_roles;                     /* role credentials of IAM Identity Center in the kernel keyring */
};

/* Reads nothing yet. Fails for a region that is none (CONFIG_INVALID_REGION). */
SN_MUST_CHECK enum sn_status sn_base_new(
    const struct sn_base_options *options, struct sn_base **out_base, struct sn_error *err);
void sn_base_free(struct sn_base *base);
void sn_base_free_p(struct sn_base **base);

/*
 * Borrowed, as long as base. Codes: CONFIG_MISSING_CREDENTIALS, CONFIG_PROFILE_NOT_FOUND, CONFIG_INVALID,
 * CONFIG_INVALID_REGION, CONFIG_UNSUPPORTED, CREDENTIAL_PROCESS_FAILED, MFA_REJECTED, and those of sts.h, mfa.h,
 * keyring.h and sso_session.h.
 */
const struct sn_credential_source *sn_base_source(struct sn_base *base);

/* --region, AWS_REGION, AWS_DEFAULT_REGION, the region of the profile; "" when none is known. */
SN_MUST_CHECK enum sn_status sn_base_region(
    struct sn_base *base, char out_region[SN_REGION_MAX + 1], struct sn_error *err);

#endif
