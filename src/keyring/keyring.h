/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/keyring.h - one place for secrets that outlive a process, whichever program or kernel keeps it.
 *
 * A backend is one file that fills struct sn_keyring_backend, a row in keyring.c and a row in the conformance suite
 * (tests/support/keyring_conformance.h), which says what each must do. Names and forms are those of aws-vault, so that
 * either program reads what the other stored. Used by one thread.
 */
#ifndef SN_KEYRING_KEYRING_H
#define SN_KEYRING_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/slice.h"
#include "keyring/item.h"
#include "platform/keyctl.h"

#define SN_KEYRING_SERVICE "aws-vault"

enum {
    SN_KEYRING_KEY_MAX = 1024,
    SN_KEYRING_ITEMS_MAX = 4096,
    SN_KEYRING_BACKENDS_MAX = 8,
    SN_KEYRING_PATH_MAX = 4096,
};

/* Sorted bytewise, each once. */
struct sn_keyring_keys {
    struct sn_arena arena;
    const char **items;
    size_t count;
};
void sn_keyring_keys_clear(struct sn_keyring_keys *keys);
/* For backends: takes a copy; false past SN_KEYRING_ITEMS_MAX. */
bool sn_keyring_keys_add(struct sn_keyring_keys *keys, struct sn_slice key);
bool sn_keyring_keys_has(const struct sn_keyring_keys *keys, const char *key);

/* Asks a person without showing what is typed. */
struct sn_keyring_prompt {
    enum sn_status (*ask)(void *ctx, const char *question, struct sn_secret *out_answer, struct sn_error *err);
    void *ctx;
};

/* Texts may be NULL: the environment variable of the option, then the default. */
struct sn_keyring_options {
    const char *backend;  /* NULL: the first that opens of those chosen by themselves */
    const char *file_dir; /* AWS_VAULT_FILE_DIR, ~/.awsvault/keys */
    const char *pass_dir, *pass_cmd, *pass_prefix;
    const char *collection;
    const char *helper_path; /* of the program that speaks D-Bus */
    const struct sn_env *env;
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    const struct sn_keyctl *keyctl;
    const struct sn_keyring_prompt *prompt; /* NULL: nobody can be asked */
    uint32_t file_iterations;               /* 0: what jwe.h says */
};

struct sn_keyring;

/*
 * What a backend does. Codes of all: KEYRING_NOT_FOUND (get and remove), KEYRING_LOCKED, KEYRING_DENIED,
 * KEYRING_UNAVAILABLE, KEYRING_CORRUPT; of the file backend also KEYRING_PASSPHRASE and KEYRING_PERMISSIONS. set
 * replaces an item in one step: whoever reads meets the old one or the new one, whole.
 */
struct sn_keyring_backend {
    const char *name;
    bool is_automatic;
    /* KEYRING_UNAVAILABLE with the reason when it cannot be used here. *out_state goes to the others. */
    enum sn_status (*open)(const struct sn_keyring_options *options, void **out_state, struct sn_error *err);
    void (*close)(void *state);
    enum sn_status (*get)(void *state, const char *key, struct sn_secret *out_data, struct sn_error *err);
    enum sn_status (*set)(void *state, const struct sn_keyring_item *item, struct sn_error *err);
    enum sn_status (*remove)(void *state, const char *key, struct sn_error *err);
    enum sn_status (*keys)(void *state, struct sn_keyring_keys *out_keys, struct sn_error *err);
};

/* In the order in which they are tried. NULL behind the last. */
const struct sn_keyring_backend *const *sn_keyring_backends(void);

/* A named backend is never replaced by another: KEYRING_UNAVAILABLE says why, and which would work. */
SN_MUST_CHECK enum sn_status sn_keyring_open(
    const struct sn_keyring_options *options, struct sn_keyring **out_keyring, struct sn_error *err);
void sn_keyring_close(struct sn_keyring *keyring);
void sn_keyring_close_p(struct sn_keyring **keyring);
const char *sn_keyring_name(const struct sn_keyring *keyring);

/* A key is 1 to SN_KEYRING_KEY_MAX bytes of UTF-8 without control characters; KEYRING_BAD_KEY otherwise. */
SN_MUST_CHECK enum sn_status sn_keyring_get(
    struct sn_keyring *keyring, const char *key, struct sn_secret *out_data, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_keyring_set(
    struct sn_keyring *keyring, const struct sn_keyring_item *item, struct sn_error *err);
SN_MUST_CHECK enum sn_status sn_keyring_remove(struct sn_keyring *keyring, const char *key, struct sn_error *err);
/* Asks nobody anything and opens no item. */
SN_MUST_CHECK enum sn_status sn_keyring_list(
    struct sn_keyring *keyring, struct sn_keyring_keys *out_keys, struct sn_error *err);

/* The option, else the variable, else the fallback; borrowed. "~/" at its front becomes the home directory in out. */
SN_MUST_CHECK enum sn_status sn_keyring_path(const struct sn_env *env, const char *option, const char *variable,
    const char *fallback, char out[SN_KEYRING_PATH_MAX], struct sn_error *err);

#endif
