/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/key_text.h - a public key as a setting has it: ed25519:BASE64 of the 32 raw bytes. */
#ifndef SN_CORE_POLICY_KEY_TEXT_H
#define SN_CORE_POLICY_KEY_TEXT_H

#include "crypto/sign.h"

#define SN_KEY_TEXT_ED25519 "ed25519:"

/* INVALID_KEY. */
SN_MUST_CHECK enum sn_status sn_key_text_ed25519(
    struct sn_slice text, struct sn_public_key **out_key, struct sn_error *err);

#endif
