/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/sso_role_cache.c - role credentials in the kernel keyring.
 */
#include "vault/sso_role_cache.h"

#include <stdio.h>

#include "aws/sso_answer.h"
#include "base/log.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "platform/kernel_ring.h"

static const char ring_name[] = "sentinel";
enum { DESCRIPTION_HEX = 32, DESCRIPTION_SIZE = 64 };

static void make_key(
    const struct sn_sso_settings *settings, const struct sn_secret *access_token, struct sn_buf *out_key)
{
    char digest[SN_SHA256_HEX_LEN + 1];

    sn_sha256_hex(sn_secret_reveal(access_token), digest);
    sn_buf_addf(out_key, "%s %s %s %s %s", settings->start_url, settings->region, settings->account_id,
        settings->role_name, digest);
}

static void make_description(const struct sn_sso_settings *settings, char out[DESCRIPTION_SIZE])
{
    char digest[SN_SHA256_HEX_LEN + 1];
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    sn_buf_addf(&text, "%s %s %s %s", settings->start_url, settings->region, settings->account_id, settings->role_name);
    sn_sha256_hex(sn_buf_slice(&text), digest);
    (void)snprintf(out, DESCRIPTION_SIZE, "sentinel-sso:%.*s", DESCRIPTION_HEX, digest);
}

void sn_sso_role_item_format(struct sn_slice key, const struct sn_credentials *credentials, struct sn_buf *out_text)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out_text);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "key", key);
    sn_json_key(&w, "roleCredentials");
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "accessKeyId", credentials->access_key_id);
    sn_json_member_secret(&w, "secretAccessKey", &credentials->secret_access_key);
    sn_json_member_secret(&w, "sessionToken", &credentials->session_token);
    sn_json_member_int(&w, "expiration", credentials->expires_unix_s * 1000);
    sn_json_end_object(&w);
    sn_json_end_object(&w);
}

bool sn_sso_role_item_read(
    struct sn_slice text, struct sn_slice key, int64_t now_unix_s, struct sn_credentials *out_credentials)
{
    static const struct sn_json_limits limits = {
        .max_bytes = SN_KERNEL_RING_MAX_BYTES, .max_depth = 2, .max_members = 8};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_credentials_clear) struct sn_credentials found = {0};
    struct sn_error ignored;

    if (sn_json_parse(text, &limits, &doc, &ignored) != SN_OK ||
        !sn_slice_eq_const_time(sn_json_text(sn_json_get(sn_json_root(doc), "key")), key) ||
        sn_sso_read_credentials(text, now_unix_s, &found, &ignored) != SN_OK ||
        found.expires_unix_s - now_unix_s < SN_SSO_ROLE_MIN_LEFT_S) {
        return false;
    }
    sn_credentials_move(out_credentials, &found);
    return true;
}

static bool open_ring(const struct sn_keyctl *keyctl, struct sn_kernel_ring *out_ring)
{
    return sn_kernel_ring_open(out_ring, keyctl != NULL ? keyctl : sn_keyctl_system(), ring_name);
}

bool sn_sso_role_cache_find(const struct sn_keyctl *keyctl, const struct sn_sso_settings *settings,
    const struct sn_secret *access_token, int64_t now_unix_s, struct sn_credentials *out_credentials)
{
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret payload = {0};
    char description[DESCRIPTION_SIZE];
    struct sn_kernel_ring ring = {0};

    make_description(settings, description);
    if (!open_ring(keyctl, &ring) || sn_kernel_ring_read(&ring, description, &payload) != SN_KEY_PRESENT) {
        return false;
    }
    make_key(settings, access_token, &key);
    return sn_sso_role_item_read(sn_secret_reveal(&payload), sn_buf_slice(&key), now_unix_s, out_credentials);
}

void sn_sso_role_cache_store(const struct sn_keyctl *keyctl, const struct sn_sso_settings *settings,
    const struct sn_secret *access_token, int64_t now_unix_s, const struct sn_credentials *credentials)
{
    SN_AUTO(sn_buf_clear) struct sn_buf key = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf payload = SN_BUF_INIT(SN_KERNEL_RING_MAX_BYTES);
    char description[DESCRIPTION_SIZE];
    struct sn_kernel_ring ring = {0};
    int64_t timeout_s = credentials->expires_unix_s - SN_SSO_ROLE_MIN_LEFT_S - now_unix_s;

    if (timeout_s <= 0 || !open_ring(keyctl, &ring)) {
        return;
    }
    make_description(settings, description);
    make_key(settings, access_token, &key);
    sn_sso_role_item_format(sn_buf_slice(&key), credentials, &payload);
    int result = payload.overflow ? 0 : sn_kernel_ring_put(&ring, description, sn_buf_slice(&payload), timeout_s);
    if (result != 0) {
        sn_log_debug("sso.not_stored", "role credentials are not kept", SN_INT("errno", -result));
    }
}
