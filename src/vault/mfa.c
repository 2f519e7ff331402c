/* SPDX-License-Identifier: Apache-2.0 */
/* vault/mfa.c - see mfa.h. */
#include "vault/mfa.h"

#include "base/buf.h"

bool sn_mfa_can_ask_again(const struct sn_mfa *mfa)
{
    return mfa != NULL && mfa->given == NULL && mfa->ask != NULL;
}

static bool is_code(const struct sn_secret *code)
{
    bool is_good = code->len == SN_MFA_CODE_LEN;

    for (size_t i = 0; i < code->len; i++) {
        is_good = is_good && code->bytes[i] >= '0' && code->bytes[i] <= '9';
    }
    return is_good;
}

static enum sn_status bad_code(struct sn_error *err)
{
    (void)sn_fail(err, SN_INVALID, "MFA_INVALID", "an MFA code has six digits");
    return sn_suggest(err, "type the code that the device shows now");
}

/* STS takes the codes of TOTP devices only. */
static enum sn_status check_device(struct sn_slice serial, struct sn_error *err)
{
    if (!sn_slice_contains(serial, SN_S(":u2f/")) && !sn_slice_contains(serial, SN_S(":fido"))) {
        return SN_OK;
    }
    (void)sn_fail(err, SN_INVALID, "MFA_INVALID",
        "the MFA device '%.*s' is a security key, and STS takes only codes of TOTP devices",
        SN_PRI(sn_slice_sub(serial, 0, 128)));
    return sn_suggest(err,
        "register a virtual MFA device beside it and name that in mfa_serial, or sign in through IAM "
        "Identity Center");
}

static enum sn_status ask(
    const struct sn_mfa *mfa, struct sn_slice serial, struct sn_secret *out_code, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf question = {0};

    sn_buf_addf(&question, "Enter MFA code for %.*s: ", SN_PRI(serial));
    for (int i = 0; i < SN_MFA_TRIES; i++) {
        SN_TRY(mfa->ask(mfa->ctx, sn_buf_str(&question), out_code, err));
        if (is_code(out_code)) {
            return SN_OK;
        }
    }
    sn_secret_clear(out_code);
    return bad_code(err);
}

enum sn_status sn_mfa_code(struct sn_mfa *mfa, struct sn_slice serial, struct sn_secret *out_code, struct sn_error *err)
{
    SN_TRY(check_device(serial, err));
    if (mfa != NULL && mfa->given != NULL) {
        if (!is_code(mfa->given)) {
            return bad_code(err);
        }
        if (mfa->is_given_used) {
            (void)sn_fail(err, SN_INVALID, "MFA_INVALID", "this needs the code of a second MFA device, '%.*s'",
                SN_PRI(sn_slice_sub(serial, 0, 128)));
            return sn_suggest(err, "leave --mfa-token out, so that each code can be asked for");
        }
        mfa->is_given_used = true;
        sn_secret_set(out_code, sn_secret_reveal(mfa->given));
        return SN_OK;
    }
    if (mfa == NULL || mfa->ask == NULL) {
        (void)sn_fail(err, SN_UNAUTHENTICATED, "MFA_REQUIRED_HERE", "a code of the MFA device '%.*s' is needed",
            SN_PRI(sn_slice_sub(serial, 0, 128)));
        return sn_suggest(
            err, "run 'sentinel vault exec' or 'sentinel vault export' for that profile in a terminal first");
    }
    return ask(mfa, serial, out_code, err);
}
