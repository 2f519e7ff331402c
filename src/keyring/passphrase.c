/* SPDX-License-Identifier: Apache-2.0 */
/* keyring/passphrase.c - see passphrase.h. */
#include "keyring/passphrase.h"

#include <stdio.h>

#include "base/fs.h"

void sn_passphrase_clear(struct sn_passphrase *passphrase)
{
    sn_secret_clear(&passphrase->value);
    passphrase->is_known = false;
}

static enum sn_status empty(const char *source, struct sn_error *err)
{
    return sn_fail(err, SN_INVALID, "KEYRING_PASSPHRASE", "the passphrase %s is empty", source);
}

/* Without its line end. */
static enum sn_status from_file(const char *path, struct sn_secret *out_value, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};

    SN_TRY(sn_fs_read_secret(path, SN_PASSPHRASE_MAX, 0077, &text, err));
    struct sn_slice value = sn_secret_reveal(&text);
    while (value.len > 0 && (value.ptr[value.len - 1] == '\n' || value.ptr[value.len - 1] == '\r')) {
        value.len--;
    }
    if (value.len == 0) {
        return empty("in the file of AWS_VAULT_FILE_PASSPHRASE_FILE", err);
    }
    sn_secret_set(out_value, value);
    return SN_OK;
}

/* What was given beforehand; absent when nothing was. */
static enum sn_status given(const struct sn_passphrase *passphrase, struct sn_secret *out_value, struct sn_error *err)
{
    const struct sn_env *env = passphrase->env;
    const char *value = env->get(env->ctx, "AWS_VAULT_FILE_PASSPHRASE");
    const char *path = env->get(env->ctx, "AWS_VAULT_FILE_PASSPHRASE_FILE");

    if (value != NULL) {
        sn_secret_set(out_value, sn_slice_str(value));
        return SN_OK;
    }
    return path != NULL ? from_file(path, out_value, err) : SN_OK;
}

static enum sn_status ask(const struct sn_passphrase *passphrase, const char *format_before,
    struct sn_secret *out_value, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf question = {0};

    if (passphrase->prompt == NULL) {
        (void)sn_fail(err, SN_UNAVAILABLE, "KEYRING_LOCKED", "the keyring needs a passphrase, and nobody can be asked");
        return sn_suggest(err, "run it in a terminal, or name a file of mode 0600 in AWS_VAULT_FILE_PASSPHRASE_FILE");
    }
    sn_buf_addf(&question, "%s \"%s\": ", format_before, passphrase->place);
    if (passphrase->prompt->ask(passphrase->prompt->ctx, sn_buf_str(&question), out_value, err) != SN_OK) {
        if (!sn_error_is(err, "NO_TERMINAL")) {
            return err->status;
        }
        (void)sn_fail(
            err, SN_UNAVAILABLE, "KEYRING_LOCKED", "the keyring needs a passphrase, and there is no terminal");
        return sn_suggest(err, "run it in a terminal, or name a file of mode 0600 in AWS_VAULT_FILE_PASSPHRASE_FILE");
    }
    return SN_OK;
}

static enum sn_status wrong(const struct sn_passphrase *passphrase, struct sn_error *err)
{
    (void)sn_fail(err, SN_INVALID, "KEYRING_PASSPHRASE", "wrong passphrase for '%.200s'", passphrase->place);
    return sn_suggest(err, "nothing was changed; try again with the passphrase that the items were stored under");
}

static void keep(struct sn_passphrase *passphrase, struct sn_secret *value)
{
    sn_secret_move(&passphrase->value, value);
    passphrase->is_known = true;
}

enum sn_status sn_passphrase_open(
    struct sn_passphrase *passphrase, sn_passphrase_try_fn try_fn, void *ctx, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret value = {0};

    if (passphrase->is_known) {
        return try_fn(ctx, &passphrase->value, err);
    }
    SN_TRY(given(passphrase, &value, err));
    bool is_given = sn_secret_is_set(&value);
    for (int i = 0; i < (is_given ? 1 : SN_PASSPHRASE_TRIES); i++) {
        if (!is_given) {
            SN_TRY(ask(passphrase,
                i == 0 ? "Enter passphrase to unlock" : "Wrong passphrase. Enter passphrase to unlock", &value, err));
        }
        enum sn_status status = sn_secret_is_set(&value) ? try_fn(ctx, &value, err) : empty("entered", err);
        if (status == SN_OK) {
            keep(passphrase, &value);
            return SN_OK;
        }
        if (!sn_error_is(err, "KEYRING_PASSPHRASE")) {
            return status;
        }
    }
    return wrong(passphrase, err);
}

enum sn_status sn_passphrase_choose(struct sn_passphrase *passphrase, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret value = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret again = {0};

    if (passphrase->is_known) {
        return SN_OK;
    }
    SN_TRY(given(passphrase, &value, err));
    if (sn_secret_is_set(&value)) {
        keep(passphrase, &value);
        return SN_OK;
    }
    SN_TRY(ask(passphrase, "Enter a new passphrase for", &value, err));
    if (!sn_secret_is_set(&value)) {
        return empty("entered", err);
    }
    SN_TRY(ask(passphrase, "Repeat the passphrase for", &again, err));
    if (!sn_secret_eq(&value, &again)) {
        return sn_fail(err, SN_INVALID, "KEYRING_PASSPHRASE", "the two passphrases differ; nothing was changed");
    }
    keep(passphrase, &value);
    return SN_OK;
}
