/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/cipher.c - PBKDF2, AES key wrap and AES-GCM through OpenSSL's EVP interface.
 */
#include "crypto/cipher.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static const unsigned char *bytes_of(struct sn_slice slice)
{
    return (const unsigned char *)(slice.ptr != NULL ? slice.ptr : "");
}

static int int_of(size_t len)
{
    SN_ASSERT(len <= INT_MAX);
    return (int)len;
}

static EVP_CIPHER *fetch(const char *name)
{
    SN_ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    SN_ASSERT(cipher != NULL);
    return cipher;
}

void sn_pbkdf2_sha256(const struct sn_secret *passphrase, struct sn_slice salt, uint32_t iterations, size_t len,
    struct sn_secret *out_key)
{
    struct sn_secret key = {0};
    char digest[] = "SHA256";
    unsigned int rounds = iterations;
    int no_checks = 1; /* of the salt's length: files of other programs have shorter ones */

    SN_ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "PBKDF2", NULL);
    SN_ASSERT(kdf != NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    SN_ASSERT(ctx != NULL);
    sn_secret_alloc(&key, len);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &no_checks),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, passphrase->bytes, passphrase->len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)bytes_of(salt), salt.len),
        OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &rounds),
        OSSL_PARAM_construct_end(),
    };
    SN_ASSERT(EVP_KDF_derive(ctx, key.bytes, key.len, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    sn_secret_move(out_key, &key);
}

/* One pass of the key wrap; out has SN_AES_WRAP_EXTRA bytes to spare. Its length, or -1. */
static int wrap_pass(const struct sn_secret *wrapping_key, struct sn_slice in, bool is_wrapping, unsigned char *out)
{
    int len = 0;

    SN_ASSERT(wrapping_key->len == SN_AES128_KEY_LEN);
    EVP_CIPHER *cipher = fetch("AES-128-WRAP");
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    SN_ASSERT(ctx != NULL);
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    SN_ASSERT(EVP_CipherInit_ex2(ctx, cipher, wrapping_key->bytes, NULL, is_wrapping ? 1 : 0, NULL) == 1);
    bool is_done = EVP_CipherUpdate(ctx, out, &len, bytes_of(in), int_of(in.len)) == 1;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return is_done ? len : -1;
}

void sn_aes128_wrap(const struct sn_secret *wrapping_key, const struct sn_secret *key, struct sn_buf *out_wrapped)
{
    SN_ASSERT(key->len >= 2 * SN_AES_WRAP_EXTRA && key->len % SN_AES_WRAP_EXTRA == 0);
    char *out = sn_buf_reserve(out_wrapped, key->len + SN_AES_WRAP_EXTRA);
    SN_ASSERT(out != NULL);
    int len = wrap_pass(wrapping_key, sn_secret_reveal(key), true, (unsigned char *)out);
    SN_ASSERT(len == int_of(key->len + SN_AES_WRAP_EXTRA));
    out_wrapped->len += (size_t)len;
}

bool sn_aes128_unwrap(const struct sn_secret *wrapping_key, struct sn_slice wrapped, struct sn_secret *out_key)
{
    SN_AUTO(sn_secret_clear) struct sn_secret key = {0};

    if (wrapped.len < 3 * SN_AES_WRAP_EXTRA || wrapped.len % SN_AES_WRAP_EXTRA != 0) {
        return false;
    }
    sn_secret_alloc(&key, wrapped.len);
    int len = wrap_pass(wrapping_key, wrapped, false, key.bytes);
    if (len != int_of(wrapped.len - SN_AES_WRAP_EXTRA)) {
        return false;
    }
    sn_secret_set(out_key, sn_slice_bytes(key.bytes, (size_t)len));
    return true;
}

/* Starts AES-256-GCM and feeds what is not hidden. */
static EVP_CIPHER_CTX *gcm_start(const struct sn_secret *key, const unsigned char iv[SN_GCM_IV_LEN],
    struct sn_slice associated, bool is_sealing, EVP_CIPHER **out_cipher)
{
    int len = 0;

    SN_ASSERT(key->len == SN_AES256_KEY_LEN);
    *out_cipher = fetch("AES-256-GCM");
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    SN_ASSERT(ctx != NULL);
    SN_ASSERT(EVP_CipherInit_ex2(ctx, *out_cipher, key->bytes, iv, is_sealing ? 1 : 0, NULL) == 1);
    SN_ASSERT(EVP_CipherUpdate(ctx, NULL, &len, bytes_of(associated), int_of(associated.len)) == 1);
    return ctx;
}

void sn_aes256_gcm_seal(const struct sn_secret *key, const unsigned char iv[SN_GCM_IV_LEN], struct sn_slice associated,
    struct sn_slice plain, struct sn_buf *out_sealed, unsigned char out_tag[SN_GCM_TAG_LEN])
{
    EVP_CIPHER *cipher = NULL;
    EVP_CIPHER_CTX *ctx = gcm_start(key, iv, associated, true, &cipher);
    unsigned char rest[SN_GCM_TAG_LEN];
    int len = 0;

    char *out = sn_buf_reserve(out_sealed, plain.len);
    SN_ASSERT(out != NULL);
    SN_ASSERT(EVP_CipherUpdate(ctx, (unsigned char *)out, &len, bytes_of(plain), int_of(plain.len)) == 1);
    SN_ASSERT(len == int_of(plain.len));
    out_sealed->len += plain.len;
    SN_ASSERT(EVP_CipherFinal_ex(ctx, rest, &len) == 1 && len == 0);
    SN_ASSERT(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SN_GCM_TAG_LEN, out_tag) == 1);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

bool sn_aes256_gcm_open(const struct sn_secret *key, const unsigned char iv[SN_GCM_IV_LEN], struct sn_slice associated,
    struct sn_slice sealed, const unsigned char tag[SN_GCM_TAG_LEN], struct sn_secret *out_plain)
{
    EVP_CIPHER *cipher = NULL;
    EVP_CIPHER_CTX *ctx = gcm_start(key, iv, associated, false, &cipher);
    SN_AUTO(sn_secret_clear) struct sn_secret plain = {0};
    unsigned char expected[SN_GCM_TAG_LEN];
    unsigned char rest[SN_GCM_TAG_LEN];
    int len = 0;

    for (size_t i = 0; i < sizeof(expected); i++) {
        expected[i] = tag[i]; /* the library takes it through a pointer to what may change */
    }
    sn_secret_alloc(&plain, sealed.len);
    SN_ASSERT(EVP_CipherUpdate(ctx, plain.bytes, &len, bytes_of(sealed), int_of(sealed.len)) == 1);
    SN_ASSERT(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SN_GCM_TAG_LEN, expected) == 1);
    bool is_whole = EVP_CipherFinal_ex(ctx, rest, &len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    if (is_whole) {
        sn_secret_move(out_plain, &plain);
    }
    return is_whole;
}
