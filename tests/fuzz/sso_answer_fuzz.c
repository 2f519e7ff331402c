/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/sso_answer_fuzz.c - whatever IAM Identity Center may answer.
 *
 * What is shown to a person, opened in a browser or sent in a header has the form that its header file promises.
 */
#include "fuzz.h"

#include "aws/sso_answer.h"

static void check_visible(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        FUZZ_CHECK(text.ptr[i] > 0x20 && text.ptr[i] < 0x7F);
    }
}

static void check_url(const char *url)
{
    struct sn_slice text = sn_slice_str(url);
    check_visible(text);
    FUZZ_CHECK(sn_slice_has_prefix(text, SN_S("https://")) || sn_slice_has_prefix(text, SN_S("http://")));
    FUZZ_CHECK(sn_sso_url_is_safe(text));
}

static void check_device(struct sn_slice json)
{
    SN_AUTO(sn_sso_device_clear) struct sn_sso_device device = {0};
    struct sn_error err;
    if (sn_sso_read_device(json, &device, &err) != SN_OK) {
        return;
    }
    check_url(device.uri);
    check_url(device.uri_complete);
    FUZZ_CHECK(sn_slice_is_alnum_or(sn_slice_str(device.user_code), "-") && device.user_code[0] != '\0');
    FUZZ_CHECK(device.expires_in_s >= 1 && device.interval_s >= 0 && device.interval_s <= 60);
    check_visible(sn_secret_reveal(&device.device_code));
}

static void check_tokens(struct sn_slice json)
{
    SN_AUTO(sn_sso_client_clear) struct sn_sso_client client = {0};
    SN_AUTO(sn_sso_grant_clear) struct sn_sso_grant grant = {0};
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    struct sn_error err;
    if (sn_sso_read_client(json, &client, &err) == SN_OK) {
        check_visible(sn_secret_reveal(&client.id));
        check_visible(sn_secret_reveal(&client.secret));
        if (client.authorization_endpoint[0] != '\0') {
            check_url(client.authorization_endpoint);
        }
    }
    if (sn_sso_read_grant(json, &grant, &err) == SN_OK) {
        FUZZ_CHECK(sn_secret_is_set(&grant.access_token) && grant.expires_in_s >= 1);
        check_visible(sn_secret_reveal(&grant.access_token));
        check_visible(sn_secret_reveal(&grant.refresh_token));
    }
    if (sn_sso_read_credentials(json, 1769940000, &credentials, &err) == SN_OK) {
        FUZZ_CHECK(credentials.expires_unix_s > 1769940000);
        check_visible(sn_slice_str(credentials.access_key_id));
        check_visible(sn_secret_reveal(&credentials.session_token));
    }
}

static void check_lists(struct sn_slice json)
{
    SN_AUTO(sn_sso_list_clear) struct sn_sso_list list = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf next = {0};
    struct sn_error err;
    bool is_accounts = sn_sso_read_accounts(json, &list, &next, &err) == SN_OK;
    size_t accounts = list.count;
    FUZZ_CHECK(is_accounts || next.len == 0);
    (void)!sn_sso_read_roles(json, &list, &next, &err);
    for (size_t i = 0; i < list.count; i++) {
        FUZZ_CHECK(list.entries[i].account_id.len == SN_SSO_ACCOUNT_LEN);
        FUZZ_CHECK(i < accounts || sn_slice_is_alnum_or(list.entries[i].name, "_+=,.@-"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice json = sn_slice_bytes(data, size);
    char text[SN_SSO_FAULT_TEXT_MAX];
    check_device(json);
    check_tokens(json);
    check_lists(json);
    enum sn_sso_fault fault = sn_sso_read_fault((struct sn_slice){0}, json, text);
    FUZZ_CHECK(fault <= SN_SSO_OTHER && strlen(text) < sizeof(text));
    for (size_t i = 0; text[i] != '\0'; i++) {
        FUZZ_CHECK((unsigned char)text[i] >= 0x20 && text[i] != 0x7F);
    }
    /* The same bytes as the header. */
    (void)sn_sso_read_fault(json, json, text);
    return 0;
}
