/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/stored_item_fuzz.c - keys and texts of keyring items: each has one kind, and what is read is written back.
 */
#include "fuzz.h"

#include <string.h>

#include "vault/stored_item.h"

static void check_key(struct sn_slice key)
{
    struct sn_session_key parts = {0};
    struct sn_session_key again = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err = {0};

    if (sn_stored_check_profile(key, &err) == SN_OK) {
        FUZZ_CHECK(sn_stored_kind_of(key) == SN_STORED_CREDENTIAL && !sn_session_key_parse(key, &parts));
    }
    if (sn_session_key_parse(key, &parts)) {
        FUZZ_CHECK(sn_stored_kind_of(key) == SN_STORED_SESSION);
        sn_session_key_format(&parts, &text);
        FUZZ_CHECK(sn_session_key_parse(sn_buf_slice(&text), &again));
        FUZZ_CHECK(strcmp(parts.profile, again.profile) == 0 && strcmp(parts.source, again.source) == 0 &&
                   strcmp(parts.type, again.type) == 0 && parts.expires_unix_s == again.expires_unix_s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    SN_AUTO(sn_credentials_clear) struct sn_credentials read = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials again = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret written = {0};
    struct sn_error err = {0};

    check_key(text);
    if (sn_stored_credential_parse(text, &read, &err) == SN_OK) {
        sn_stored_credential_format(&read, &written);
        FUZZ_CHECK(sn_stored_credential_parse(sn_secret_reveal(&written), &again, &err) == SN_OK);
        FUZZ_CHECK(strcmp(read.access_key_id, again.access_key_id) == 0);
        FUZZ_CHECK(sn_secret_eq(&read.secret_access_key, &again.secret_access_key));
    } else {
        FUZZ_CHECK(strcmp(err.code, "VAULT_UNREADABLE") == 0);
    }
    if (sn_stored_session_parse(text, &read, &err) == SN_OK && read.expires_unix_s > 0) {
        sn_stored_session_format(&read, &written);
        FUZZ_CHECK(sn_stored_session_parse(sn_secret_reveal(&written), &again, &err) == SN_OK);
        FUZZ_CHECK(sn_secret_eq(&read.session_token, &again.session_token));
        FUZZ_CHECK(read.expires_unix_s == again.expires_unix_s);
    }
    return 0;
}
