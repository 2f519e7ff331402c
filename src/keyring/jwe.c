/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/jwe.c - header, key from the passphrase, wrapped content key, sealed content.
 */
#include "keyring/jwe.h"

#include <string.h>

#include "base/time.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/cipher.h"

#define ALGORITHM "PBES2-HS256+A128KW"
#define ENCRYPTION "A256GCM"

enum { PARTS = 5, HEADER_MAX = 4096 };

void sn_jwe_clear(struct sn_jwe *jwe)
{
    sn_buf_clear(&jwe->salt);
    sn_buf_clear(&jwe->sealed);
    *jwe = (struct sn_jwe){0};
}

static enum sn_status corrupt(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "KEYRING_CORRUPT", "the encrypted item is damaged or of another kind: %s", what);
}

static enum sn_status read_algorithms(const struct sn_json *root, struct sn_error *err)
{
    if (sn_json_kind_of(root) != SN_JSON_OBJECT) {
        return corrupt(err, "its header is no JSON object");
    }
    if (!sn_slice_eq_str(sn_json_text(sn_json_get(root, "alg")), ALGORITHM)) {
        return corrupt(err, "'alg' is not " ALGORITHM);
    }
    if (!sn_slice_eq_str(sn_json_text(sn_json_get(root, "enc")), ENCRYPTION)) {
        return corrupt(err, "'enc' is not " ENCRYPTION);
    }
    if (sn_json_get(root, "zip") != NULL || sn_json_get(root, "crit") != NULL) {
        return corrupt(err, "'zip' and 'crit' are not read");
    }
    return SN_OK;
}

static enum sn_status read_header(struct sn_jwe *jwe, struct sn_error *err)
{
    static const struct sn_json_limits limits = {.max_bytes = HEADER_MAX, .max_depth = 4, .max_members = 64};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(HEADER_MAX);

    if (jwe->header.len > HEADER_MAX || sn_base64url_decode(jwe->header, &text, err) != SN_OK ||
        sn_json_parse(sn_buf_slice(&text), &limits, &doc, err) != SN_OK) {
        return corrupt(err, "its header cannot be read");
    }
    const struct sn_json *root = sn_json_root(doc);
    SN_TRY(read_algorithms(root, err));
    int64_t iterations = sn_json_int(sn_json_get(root, "p2c"), 0);
    if (iterations < SN_JWE_ITERATIONS_MIN || iterations > SN_JWE_ITERATIONS_MAX) {
        return corrupt(err, "'p2c' is not between 1000 and 1300000");
    }
    jwe->iterations = (uint32_t)iterations;
    struct sn_slice salt = sn_json_text(sn_json_get(root, "p2s"));
    if (sn_base64url_decode(salt, &jwe->salt, err) != SN_OK || jwe->salt.len < SN_JWE_SALT_MIN ||
        jwe->salt.len > SN_JWE_SALT_MAX) {
        return corrupt(err, "'p2s' is no salt of 8 to 256 bytes");
    }
    return SN_OK;
}

static bool read_fixed(struct sn_slice text, unsigned char *out, size_t len)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = {0};
    struct sn_error ignored;

    if (sn_base64url_decode(text, &bytes, &ignored) != SN_OK || bytes.len != len) {
        return false;
    }
    memcpy(out, bytes.ptr, len);
    return true;
}

static enum sn_status parse(struct sn_slice text, struct sn_jwe *jwe, struct sn_error *err)
{
    struct sn_slice parts[PARTS] = {0};
    struct sn_slice rest = text;

    if (text.len > SN_JWE_MAX_BYTES) {
        return corrupt(err, "it is longer than 256 KiB");
    }
    if (sn_slice_has_suffix(rest, SN_S("\n"))) {
        rest.len--;
    }
    for (size_t i = 0; i + 1 < PARTS; i++) {
        if (!sn_slice_cut(rest, '.', &parts[i], &rest)) {
            return corrupt(err, "it does not have five parts");
        }
    }
    parts[PARTS - 1] = rest;
    jwe->header = parts[0];
    SN_TRY(read_header(jwe, err));
    if (!read_fixed(parts[1], jwe->wrapped_key, sizeof(jwe->wrapped_key))) {
        return corrupt(err, "its wrapped key is not of 40 bytes");
    }
    if (!read_fixed(parts[2], jwe->iv, sizeof(jwe->iv)) || !read_fixed(parts[4], jwe->tag, sizeof(jwe->tag))) {
        return corrupt(err, "its initialisation vector or tag has another length");
    }
    if (sn_base64url_decode(parts[3], &jwe->sealed, err) != SN_OK) {
        return corrupt(err, "its content is not base64url");
    }
    return SN_OK;
}

enum sn_status sn_jwe_parse(struct sn_slice text, struct sn_jwe *out_jwe, struct sn_error *err)
{
    SN_AUTO(sn_jwe_clear) struct sn_jwe jwe = {0};

    SN_TRY(parse(text, &jwe, err));
    *out_jwe = jwe;
    jwe = (struct sn_jwe){0};
    return SN_OK;
}

/* The algorithm's name is part of the salt, so that a key made for one is no good for another (RFC 7518 4.8.1.1). */
static void wrapping_key(
    const struct sn_secret *passphrase, struct sn_slice salt, uint32_t iterations, struct sn_secret *out_key)
{
    SN_AUTO(sn_buf_clear) struct sn_buf whole = {0};

    sn_buf_add_bytes(&whole, ALGORITHM, sizeof(ALGORITHM)); /* with its NUL */
    sn_buf_add(&whole, salt);
    sn_pbkdf2_sha256(passphrase, sn_buf_slice(&whole), iterations, SN_AES128_KEY_LEN, out_key);
}

enum sn_status sn_jwe_open(
    const struct sn_jwe *jwe, const struct sn_secret *passphrase, struct sn_secret *out_plain, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret wrapping = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret key = {0};

    wrapping_key(passphrase, sn_buf_slice(&jwe->salt), jwe->iterations, &wrapping);
    if (!sn_aes128_unwrap(&wrapping, sn_slice_bytes(jwe->wrapped_key, sizeof(jwe->wrapped_key)), &key)) {
        return sn_fail(err, SN_INVALID, "KEYRING_PASSPHRASE", "the passphrase does not open it");
    }
    if (!sn_aes256_gcm_open(&key, jwe->iv, jwe->header, sn_buf_slice(&jwe->sealed), jwe->tag, out_plain)) {
        return corrupt(err, "its content or header was changed");
    }
    return SN_OK;
}

/* As other programs that share these files write the time: "2026-01-02 03:04:05 +0000 UTC". */
static void put_created(struct sn_buf *out, int64_t unix_s)
{
    char text[SN_TIME_TEXT_MAX];
    struct sn_slice stamp = sn_time_format_rfc3339_s(unix_s, text);

    sn_buf_addf(out, "%.10s %.8s +0000 UTC", stamp.ptr, stamp.ptr + sizeof("2026-01-02T") - 1);
}

static void format_header(struct sn_slice salt, uint32_t iterations, int64_t created_unix_s, struct sn_buf *out)
{
    SN_AUTO(sn_buf_clear) struct sn_buf json = {0};

    sn_buf_add_str(&json, "{\"alg\":\"" ALGORITHM "\",\"created\":\"");
    put_created(&json, created_unix_s);
    sn_buf_addf(&json, "\",\"enc\":\"" ENCRYPTION "\",\"p2c\":%u,\"p2s\":\"", (unsigned)iterations);
    sn_base64url_encode(&json, salt.ptr, salt.len);
    sn_buf_add_str(&json, "\"}");
    sn_base64url_encode(out, json.ptr, json.len);
}

enum sn_status sn_jwe_seal(
    const struct sn_jwe_seal *how, struct sn_slice plain, struct sn_buf *out_text, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret wrapping = {0};
    SN_AUTO(sn_secret_clear) struct sn_secret key = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf wrapped = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf sealed = {0};
    uint32_t iterations = how->iterations != 0 ? how->iterations : SN_JWE_ITERATIONS;
    unsigned char salt[SN_JWE_SALT_LEN];
    unsigned char iv[SN_JWE_IV_LEN];
    unsigned char tag[SN_JWE_TAG_LEN];

    sn_secret_alloc(&key, SN_AES256_KEY_LEN);
    SN_TRY(sn_random_fill(how->random_source, salt, sizeof(salt), err));
    SN_TRY(sn_random_fill(how->random_source, iv, sizeof(iv), err));
    SN_TRY(sn_random_fill(how->random_source, key.bytes, key.len, err));
    wrapping_key(how->passphrase, sn_slice_bytes(salt, sizeof(salt)), iterations, &wrapping);
    sn_aes128_wrap(&wrapping, &key, &wrapped);

    sn_buf_reset(out_text);
    format_header(sn_slice_bytes(salt, sizeof(salt)), iterations, how->created_unix_s, out_text);
    sn_aes256_gcm_seal(&key, iv, sn_buf_slice(out_text), plain, &sealed, tag);
    sn_buf_add_byte(out_text, '.');
    sn_base64url_encode(out_text, wrapped.ptr, wrapped.len);
    sn_buf_add_byte(out_text, '.');
    sn_base64url_encode(out_text, iv, sizeof(iv));
    sn_buf_add_byte(out_text, '.');
    sn_base64url_encode(out_text, sealed.ptr, sealed.len);
    sn_buf_add_byte(out_text, '.');
    sn_base64url_encode(out_text, tag, sizeof(tag));
    return sn_buf_check(out_text, "the encrypted item", err);
}
