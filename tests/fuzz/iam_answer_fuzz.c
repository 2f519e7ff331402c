/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/iam_answer_fuzz.c - answers of IAM and journals of rotations: a key that is taken is one, whole. */
#include "fuzz.h"

#include <string.h>

#include "aws/iam.h"
#include "vault/rotation.h"

static void check_journal(struct sn_slice text)
{
    SN_AUTO(sn_rotation_journal_clear) struct sn_rotation_journal journal = {0};
    SN_AUTO(sn_rotation_journal_clear) struct sn_rotation_journal again = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret written = {0};
    struct sn_error err = {0};

    if (sn_rotation_journal_parse(text, &journal, &err) != SN_OK) {
        FUZZ_CHECK(strcmp(err.code, "VAULT_UNREADABLE") == 0 && journal.new_key.access_key_id[0] == '\0');
        return;
    }
    sn_rotation_journal_format(&journal, "dev", 0, &written);
    FUZZ_CHECK(sn_rotation_journal_parse(sn_secret_reveal(&written), &again, &err) == SN_OK);
    FUZZ_CHECK(sn_secret_eq(&journal.old_key.secret_access_key, &again.old_key.secret_access_key));
    FUZZ_CHECK(strcmp(journal.new_key.access_key_id, again.new_key.access_key_id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    SN_AUTO(sn_credentials_clear) struct sn_credentials key = {0};
    struct sn_iam_keys keys = {0};
    struct sn_error err = {0};

    if (sn_iam_parse_created(text, &key, &err) == SN_OK) {
        FUZZ_CHECK(key.access_key_id[0] != '\0' && sn_secret_is_set(&key.secret_access_key));
        FUZZ_CHECK(!sn_secret_is_set(&key.session_token));
    } else {
        FUZZ_CHECK(strcmp(err.code, "IAM_ANSWER_INVALID") == 0 && !sn_secret_is_set(&key.secret_access_key));
    }
    if (sn_iam_parse_keys(text, &keys, &err) == SN_OK) {
        FUZZ_CHECK(keys.count <= SN_IAM_KEYS_MAX);
    }
    check_journal(text);
    return 0;
}
