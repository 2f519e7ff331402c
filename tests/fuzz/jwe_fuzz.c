/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/jwe_fuzz.c - an encrypted item: of any text, only one that was sealed under the passphrase opens. */
#include "fuzz.h"

#include <string.h>

#include "base/clock.h"
#include "keyring/jwe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    SN_AUTO(sn_jwe_clear) struct sn_jwe jwe = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret passphrase = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret plain = {0};
    struct sn_error err = {0};

    if (sn_jwe_parse(text, &jwe, &err) != SN_OK) {
        FUZZ_CHECK(strcmp(err.code, "KEYRING_CORRUPT") == 0 && jwe.iterations == 0);
        return 0;
    }
    FUZZ_CHECK(jwe.iterations >= SN_JWE_ITERATIONS_MIN && jwe.iterations <= SN_JWE_ITERATIONS_MAX);
    FUZZ_CHECK(jwe.salt.len >= SN_JWE_SALT_MIN && jwe.salt.len <= SN_JWE_SALT_MAX);
    if (jwe.iterations > SN_JWE_ITERATIONS_MIN) {
        return 0; /* slow, and the same code */
    }
    sn_secret_set(&passphrase, SN_S("p"));
    if (sn_jwe_open(&jwe, &passphrase, &plain, &err) == SN_OK) {
        FUZZ_CHECK(plain.len == jwe.sealed.len);
    } else {
        FUZZ_CHECK(strcmp(err.code, "KEYRING_CORRUPT") == 0 || strcmp(err.code, "KEYRING_PASSPHRASE") == 0);
        FUZZ_CHECK(!sn_secret_is_set(&plain));
    }
    return 0;
}
