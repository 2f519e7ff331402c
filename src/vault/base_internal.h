/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/base_internal.h - what the files of the resolver of base credentials share. Internal to them.
 */
#ifndef SN_VAULT_BASE_INTERNAL_H
#define SN_VAULT_BASE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/turns.h"
#include "vault/base_credentials.h"
#include "vault/base_profile.h"
#include "vault/vault_store.h"

struct sn_base {
    char *profile; /* NULL: the chain */
    char region[SN_REGION_MAX + 1];
    const struct sn_env *env;
    const struct sn_clock *clock;
    char *ca_file;
    const struct sn_transport *transport;
    const struct sn_sso_person *person;
    bool keeps_roles;
    struct sn_vault_store *store;
    struct sn_mfa *mfa;
    bool no_session;
    int64_t duration_s;
    struct sn_credential_source source;
    struct sn_turns turn; /* over what follows; held while it is renewed */
    struct sn_credentials held;
    bool has_held;
    int64_t fresh_until_unix_s;
};

/* One resolution. */
struct sn_resolver {
    const struct sn_base *base;
    struct sn_base_files files;
    struct sn_slice chain[SN_BASE_CHAIN_MAX]; /* from the profile asked for towards its source */
    size_t depth;
    bool from_process;             /* the last keys came from a process without telling an expiry */
    bool from_keyring;             /* the profile at the bottom has its keys there */
    struct sn_slice primed_serial; /* of the MFA device whose code the keys in hand have seen */
};

static inline const char *sn_base_env(const struct sn_base *base, const char *name)
{
    return base->env->get(base->env->ctx, name);
}

/* --region, the variables, the profile's; "" for none. files may be NULL. */
SN_MUST_CHECK enum sn_status sn_resolver_region(const struct sn_base *base, const struct sn_base_files *files,
    struct sn_slice profile, char out_region[SN_REGION_MAX + 1], struct sn_error *err);

/* Turns a key of the profile at the bottom into a session, from the cache or from STS, where priming.h says so. */
SN_MUST_CHECK enum sn_status sn_resolver_prime(
    struct sn_resolver *r, struct sn_credentials *credentials, struct sn_error *err);
/* Puts a role on the keys in place. */
SN_MUST_CHECK enum sn_status sn_resolver_assume(struct sn_resolver *r, struct sn_slice profile,
    struct sn_slice role_arn, struct sn_credentials *credentials, struct sn_error *err);

#endif
