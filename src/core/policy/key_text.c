/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/key_text.c - see key_text.h. */
#include "core/policy/key_text.h"

#include "codec/base64.h"

enum sn_status sn_key_text_ed25519(struct sn_slice text, struct sn_public_key **out_key, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = {0};
    struct sn_slice prefix = SN_S(SN_KEY_TEXT_ED25519);
    struct sn_error ignored = {0};

    if (!sn_slice_has_prefix(text, prefix) ||
        sn_base64_decode(sn_slice_sub(text, prefix.len, text.len - prefix.len), &bytes, &ignored) != SN_OK ||
        bytes.len != SN_ED25519_KEY_LEN) {
        return sn_fail(err, SN_INVALID, "INVALID_KEY", "is not ed25519: and the base64 of 32 bytes");
    }
    return sn_public_key_from_ed25519((const unsigned char *)bytes.ptr, out_key, err);
}
