/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/vault_store.h - the user's long-lived keys and the sessions made from them, in a keyring.
 *
 * The keyring is opened when it is first needed: who has stored nothing is asked nothing. Sessions are a cache; a cache
 * that cannot be read or written is told through warn and never fails what it was for. Used by one thread at a time.
 */
#ifndef SN_VAULT_VAULT_STORE_H
#define SN_VAULT_VAULT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "keyring/keyring.h"
#include "vault/stored_item.h"

enum { SN_SESSION_MIN_TTL_S = 300 };

struct sn_vault_store_options {
    struct sn_keyring_options keyring; /* its texts must outlive the store */
    bool no_cache;                     /* sessions are neither read nor written */
    bool only_if_known; /* without a named or remembered backend nothing is stored, instead of looking for one */
    void (*warn)(void *ctx, const struct sn_error *err); /* may be NULL */
    void *ctx;
};

struct sn_vault_store;

void sn_vault_store_new(const struct sn_vault_store_options *options, struct sn_vault_store **out_store);
void sn_vault_store_free(struct sn_vault_store *store);
void sn_vault_store_free_p(struct sn_vault_store **store);

/* From now on. */
void sn_vault_store_set_no_cache(struct sn_vault_store *store, bool no_cache);

/* The keyring, opened; NULL with SN_OK where only_if_known and none is. */
SN_MUST_CHECK enum sn_status sn_vault_store_keyring(
    struct sn_vault_store *store, struct sn_keyring **out_keyring, struct sn_error *err);
/* What the user chose once, kept in ${XDG_STATE_HOME:-~/.local/state}/sentinel/keyring; "" for nothing. */
const char *sn_vault_store_remembered(struct sn_vault_store *store);
SN_MUST_CHECK enum sn_status sn_vault_store_remember(struct sn_vault_store *store, struct sn_error *err);

/* True: the keyring has credentials of that name. Asks nobody; a keyring that cannot be listed is told through warn. */
bool sn_vault_store_has(struct sn_vault_store *store, struct sn_slice profile);
/* *out_found false: there are none. VAULT_UNREADABLE names the profile. */
SN_MUST_CHECK enum sn_status sn_vault_store_find(struct sn_vault_store *store, struct sn_slice profile,
    struct sn_credentials *out_credentials, bool *out_found, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_vault_store_put(struct sn_vault_store *store, struct sn_slice profile,
    const struct sn_credentials *credentials, struct sn_error *err);

/* A session of that type, profile and MFA device (or "") with at least min_ttl_s of life. */
bool sn_vault_store_find_session(struct sn_vault_store *store, const char *type, struct sn_slice profile,
    struct sn_slice mfa_serial, int64_t min_ttl_s, struct sn_credentials *out_credentials);
/* Takes the place of older ones of the same kind; expired ones go. */
void sn_vault_store_put_session(struct sn_vault_store *store, const char *type, struct sn_slice profile,
    struct sn_slice mfa_serial, const struct sn_credentials *credentials);

/* Which sessions are dropped: all, or those of a profile, or those that have expired. */
struct sn_session_filter {
    struct sn_slice profile; /* empty: of any */
    bool only_expired;
};
/* Sessions of old forms count for "all", unless they turn out to be credentials. *out_failed: could not be removed. */
SN_MUST_CHECK enum sn_status sn_vault_store_drop_sessions(struct sn_vault_store *store,
    const struct sn_session_filter *filter, size_t *out_dropped, size_t *out_failed, struct sn_error *err);

#endif
