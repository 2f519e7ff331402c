/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/passphrase.h - where the passphrase of the file backend comes from.
 *
 * AWS_VAULT_FILE_PASSPHRASE, the file of AWS_VAULT_FILE_PASSPHRASE_FILE, else a person at the terminal, who may err
 * twice. Kept, once it has opened something, until it is cleared.
 */
#ifndef SN_KEYRING_PASSPHRASE_H
#define SN_KEYRING_PASSPHRASE_H

#include "keyring/keyring.h"

enum { SN_PASSPHRASE_TRIES = 3, SN_PASSPHRASE_MAX = 1024 };

struct sn_passphrase {
    const struct sn_env *env;
    const struct sn_keyring_prompt *prompt;
    const char *place; /* shown in questions: the directory */
    struct sn_secret value;
    bool is_known; /* it has opened an item, or was entered for an empty store */
};
void sn_passphrase_clear(struct sn_passphrase *passphrase);

/* Tries a passphrase. KEYRING_PASSPHRASE: it is another one; every other failure ends the asking. */
typedef enum sn_status (*sn_passphrase_try_fn)(void *ctx, const struct sn_secret *value, struct sn_error *err);
/* Until try_fn takes one. KEYRING_PASSPHRASE after SN_PASSPHRASE_TRIES, or at once where nobody can be asked. */
SN_MUST_CHECK enum sn_status sn_passphrase_open(
    struct sn_passphrase *passphrase, sn_passphrase_try_fn try_fn, void *ctx, struct sn_error *err);
/* For a store that is empty: a new one, typed twice. */
SN_MUST_CHECK enum sn_status sn_passphrase_choose(struct sn_passphrase *passphrase, struct sn_error *err);

#endif
