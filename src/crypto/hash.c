/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/hash.c - SHA-256, SHA-1 and HMAC through OpenSSL's EVP interface.
 *
 * Looking an algorithm up by name costs more than hashing a short text, so it is done once for the process. A failure
 * of the library here means that it is broken or out of memory: the process ends, since no caller could go on without.
 */
#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>

#include "base/alloc.h"

/* Set once, then only read. */
static struct {
    EVP_MD *sha256;
    EVP_MD *sha1;
    EVP_MAC *hmac;
} algorithms;

static void fetch_algorithms(void)
{
    /* No configuration file: it could name modules to load, and the settings that matter are made in code. */
    SN_ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    SN_ASSERT(algorithms.sha256 != NULL && algorithms.sha1 != NULL && algorithms.hmac != NULL);
}

static void need_algorithms(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    SN_ASSERT(pthread_once(&once, fetch_algorithms) == 0);
}

static const void *bytes_of(struct sn_slice slice)
{
    return slice.ptr != NULL ? slice.ptr : "";
}

static void digest(const EVP_MD *md, const struct sn_slice *parts, size_t count, unsigned char *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    SN_ASSERT(ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        SN_ASSERT(EVP_DigestUpdate(ctx, bytes_of(parts[i]), parts[i].len) == 1);
    }
    SN_ASSERT(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
    EVP_MD_CTX_free(ctx);
}

void sn_sha256_parts(const struct sn_slice *parts, size_t count, unsigned char out[SN_SHA256_LEN])
{
    need_algorithms();
    digest(algorithms.sha256, parts, count, out);
}

void sn_sha256(struct sn_slice bytes, unsigned char out[SN_SHA256_LEN])
{
    sn_sha256_parts(&bytes, 1, out);
}

void sn_sha256_hex(struct sn_slice bytes, char out[SN_SHA256_HEX_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SN_SHA256_LEN];
    sn_sha256(bytes, hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[SN_SHA256_HEX_LEN] = '\0';
}

void sn_sha1(struct sn_slice bytes, unsigned char out[SN_SHA1_LEN])
{
    need_algorithms();
    digest(algorithms.sha1, &bytes, 1, out);
}

/* --- HMAC --- */

static EVP_MAC_CTX *new_hmac(struct sn_slice key)
{
    need_algorithms();
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(algorithms.hmac);
    SN_ASSERT(ctx != NULL && EVP_MAC_init(ctx, bytes_of(key), key.len, params) == 1);
    return ctx;
}

static void finish_hmac(EVP_MAC_CTX *ctx, unsigned char out[SN_SHA256_LEN])
{
    size_t len = 0;
    SN_ASSERT(EVP_MAC_final(ctx, out, &len, SN_SHA256_LEN) == 1 && len == SN_SHA256_LEN);
}

void sn_hmac_sha256(struct sn_slice key, struct sn_slice message, unsigned char out[SN_SHA256_LEN])
{
    EVP_MAC_CTX *ctx = new_hmac(key);
    SN_ASSERT(EVP_MAC_update(ctx, bytes_of(message), message.len) == 1);
    finish_hmac(ctx, out);
    EVP_MAC_CTX_free(ctx);
}

struct sn_hmac_state {
    EVP_MAC_CTX *ctx;
    bool is_open; /* begun and not finished */
};

void sn_hmac_init(struct sn_hmac *hmac, const struct sn_secret *key)
{
    hmac->state = sn_alloc(1, sizeof *hmac->state);
    hmac->state->ctx = new_hmac(sn_secret_reveal(key));
}

void sn_hmac_begin(struct sn_hmac *hmac)
{
    /* Without a key OpenSSL starts over from the key schedule it has kept. */
    SN_ASSERT(EVP_MAC_init(hmac->state->ctx, NULL, 0, NULL) == 1);
    hmac->state->is_open = true;
}

void sn_hmac_update(struct sn_hmac *hmac, struct sn_slice bytes)
{
    SN_ASSERT(hmac->state->is_open && EVP_MAC_update(hmac->state->ctx, bytes_of(bytes), bytes.len) == 1);
}

void sn_hmac_finish(struct sn_hmac *hmac, unsigned char out[SN_SHA256_LEN])
{
    SN_ASSERT(hmac->state->is_open);
    hmac->state->is_open = false;
    finish_hmac(hmac->state->ctx, out);
}

void sn_hmac_clear(struct sn_hmac *hmac)
{
    if (hmac->state != NULL) {
        EVP_MAC_CTX_free(hmac->state->ctx); /* wipes key and state */
        sn_free(hmac->state);
        hmac->state = NULL;
    }
}
