/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/keyring_item_fuzz.c - the JSON of a keyring item: what is read is written and read back as the same. */
#include "fuzz.h"

#include <string.h>

#include "keyring/item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SN_AUTO(sn_secret_clear) struct sn_secret got = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret again = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf json = SN_BUF_INIT(SN_ITEM_JSON_MAX);
    struct sn_error err = {0};

    if (sn_item_parse(sn_slice_bytes(data, size), SN_S("dev"), &got, &err) != SN_OK) {
        FUZZ_CHECK(strcmp(err.code, "KEYRING_CORRUPT") == 0 && !sn_secret_is_set(&got));
        return 0;
    }
    const struct sn_keyring_item item = {.key = SN_S("dev"), .data = &got, .label = SN_S("aws-vault (dev)")};
    FUZZ_CHECK(sn_item_format(&item, &json, &err) == SN_OK);
    FUZZ_CHECK(sn_item_parse(sn_buf_slice(&json), SN_S("dev"), &again, &err) == SN_OK);
    FUZZ_CHECK(sn_secret_eq(&got, &again));
    return 0;
}
