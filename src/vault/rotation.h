/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/rotation.h - a stored key is replaced by a new one, and at no moment is there none that works and is recorded.
 *
 * A journal in the keyring (sentinel-rotate:PROFILE) holds both keys from before the new one is stored until after the
 * old one is deleted. Whoever finds one asks AWS what became of the keys, and finishes or takes back. The caller holds
 * the lock of the vault.
 */
#ifndef SN_VAULT_ROTATION_H
#define SN_VAULT_ROTATION_H

#include <stdbool.h>

#include "aws/credentials.h"
#include "aws/sts.h"
#include "base/error.h"
#include "vault/vault_store.h"

enum { SN_MASKED_MAX = 24 };

struct sn_rotation {
    struct sn_vault_store *store;
    const char *profile; /* under which the key is stored */
    const char *region;  /* "" for none */
    const struct sn_env *env;
    const char *ca_file;
    const struct sn_credential_source *working; /* a session of the same user, for IAM; NULL: the keys themselves */
    void (*note)(void *ctx, const char *text);
    void *ctx;
};

struct sn_rotated {
    char old_id[SN_MASKED_MAX], new_id[SN_MASKED_MAX]; /* masked */
    bool was_resumed, was_taken_back;
};

/* 16 stars and the last four characters; a short id shows only stars. */
void sn_mask_key_id(const char *id, char out_text[SN_MASKED_MAX]);

/* True if an earlier rotation of the profile did not come to its end. */
SN_MUST_CHECK enum sn_status sn_rotation_is_open(
    const struct sn_rotation *rotation, bool *out_is_open, struct sn_error *err);
/*
 * Finishes an earlier rotation or takes it back: whichever of its keys AWS knows is stored. ROTATION_UNFINISHED when
 * that cannot be told or done now; the journal stays then.
 */
SN_MUST_CHECK enum sn_status sn_rotation_resume(
    const struct sn_rotation *rotation, struct sn_rotated *out_rotated, struct sn_error *err);
/*
 * A new one. Codes: VAULT_NOT_FOUND, ROTATION_REFUSED (not the long-lived key of a user, or two keys already: nothing
 * was changed), ROTATION_FAILED (taken back: the old key is in force), ROTATION_UNFINISHED, and those of iam.h and
 * sts.h.
 */
SN_MUST_CHECK enum sn_status sn_rotation_run(
    const struct sn_rotation *rotation, struct sn_rotated *out_rotated, struct sn_error *err);

/* The text of a journal. Pure. */
struct sn_rotation_journal {
    struct sn_credentials old_key, new_key;
};
void sn_rotation_journal_clear(struct sn_rotation_journal *journal);
void sn_rotation_journal_format(const struct sn_rotation_journal *journal, const char *profile, int64_t started_unix_ms,
    struct sn_secret *out_text);
SN_MUST_CHECK enum sn_status sn_rotation_journal_parse(
    struct sn_slice text, struct sn_rotation_journal *out_journal, struct sn_error *err);

#endif
