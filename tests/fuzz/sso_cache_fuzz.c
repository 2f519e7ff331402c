/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/sso_cache_fuzz.c - files of ~/.aws/sso/cache, which other programs write too, and kept role credentials.
 *
 * What is taken is written and read back as the same, and nothing that it holds could end a header or a line.
 */
#include "fuzz.h"

#include "vault/sso_cache.h"
#include "vault/sso_role_cache.h"

static void check_line(const struct sn_secret *secret)
{
    struct sn_slice text = sn_secret_reveal(secret);
    for (size_t i = 0; i < text.len; i++) {
        FUZZ_CHECK(text.ptr[i] > 0x20 && text.ptr[i] < 0x7F);
    }
}

static void check_token(struct sn_slice text)
{
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token again = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf first = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf second = {0};
    struct sn_error err;
    if (sn_sso_token_parse(text, &token, &err) != SN_OK) {
        FUZZ_CHECK(!sn_secret_is_set(&token.access_token));
        return;
    }
    FUZZ_CHECK(sn_secret_is_set(&token.access_token));
    check_line(&token.access_token);
    check_line(&token.refresh_token);
    check_line(&token.client_id);
    check_line(&token.client_secret);
    sn_sso_token_format(&token, &first);
    FUZZ_CHECK(sn_sso_token_parse(sn_buf_slice(&first), &again, &err) == SN_OK);
    sn_sso_token_format(&again, &second);
    FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&first), sn_buf_slice(&second)));
}

static void check_client(struct sn_slice text)
{
    SN_AUTO(sn_sso_client_clear) struct sn_sso_client client = {0};
    SN_AUTO(sn_sso_client_clear) struct sn_sso_client again = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf first = {0};
    struct sn_error err;
    if (sn_sso_client_parse(text, &client, &err) != SN_OK) {
        return;
    }
    check_line(&client.id);
    check_line(&client.secret);
    FUZZ_CHECK(
        client.authorization_endpoint[0] == '\0' || sn_sso_url_is_safe(sn_slice_str(client.authorization_endpoint)));
    sn_sso_client_format(&client, &first);
    FUZZ_CHECK(sn_sso_client_parse(sn_buf_slice(&first), &again, &err) == SN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice text = sn_slice_bytes(data, size);
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    check_token(text);
    check_client(text);
    if (sn_sso_role_item_read(text, SN_S("key"), 1769940000, &credentials)) {
        FUZZ_CHECK(credentials.expires_unix_s >= 1769940000 + SN_SSO_ROLE_MIN_LEFT_S);
        check_line(&credentials.session_token);
    }
    return 0;
}
