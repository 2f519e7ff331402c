/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/hash.c - SHA-256, SHA-1 and HMAC through OpenSSL's EVP interface.
 *
 * Looking an algorithm up by name, or making a context for it, costs more than hashing a short text: the first is done
 * once for the process, the second once for each thread, which wipes its context behind every use. A failure
 * of the library here means that it is broken or out of memory: the process ends, since no caller could go on without.
 */
#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

/* Set once, then only read. */
static struct {
    EVP_MD *sha256;
    EVP_MD *sha1;
    EVP_MAC *hmac;
    pthread_key_t context; /* EVP_MD_CTX of the thread */
} algorithms;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void fetch_algorithms(void)
{
    /* No configuration file: it could name modules to load, and the settings that matter are made in code. */
    SN_ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    SN_ASSERT(algorithms.sha256 != NULL && algorithms.sha1 != NULL && algorithms.hmac != NULL);
    SN_ASSERT(pthread_key_create(&algorithms.context, free_context) == 0);
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

static EVP_MD_CTX *context_of_thread(void)
{
    EVP_MD_CTX *ctx = pthread_getspecific(algorithms.context);
    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
        SN_ASSERT(ctx != NULL && pthread_setspecific(algorithms.context, ctx) == 0);
    }
    return ctx;
}

static void digest(EVP_MD_CTX *ctx, const EVP_MD *md, const struct sn_slice *parts, size_t count, unsigned char *out)
{
    SN_ASSERT(EVP_DigestInit_ex2(ctx, md, NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        SN_ASSERT(EVP_DigestUpdate(ctx, bytes_of(parts[i]), parts[i].len) == 1);
    }
    SN_ASSERT(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

/* The state of the last hash is its result, which may be a key: a fresh start overwrites it. */
static void wipe_context(EVP_MD_CTX *ctx)
{
    SN_ASSERT(EVP_DigestInit_ex2(ctx, algorithms.sha256, NULL) == 1);
}

static void digest_once(const EVP_MD *md, const struct sn_slice *parts, size_t count, unsigned char *out)
{
    EVP_MD_CTX *ctx = context_of_thread();
    digest(ctx, md, parts, count, out);
    wipe_context(ctx);
}

void sn_sha256_parts(const struct sn_slice *parts, size_t count, unsigned char out[SN_SHA256_LEN])
{
    need_algorithms();
    digest_once(algorithms.sha256, parts, count, out);
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
    digest_once(algorithms.sha1, &bytes, 1, out);
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

/* RFC 2104 over the thread's context: OpenSSL's own HMAC makes six objects for a text of a few bytes. */
void sn_hmac_sha256(struct sn_slice key, struct sn_slice message, unsigned char out[SN_SHA256_LEN])
{
    enum { BLOCK = 64, INNER = 0x36, OUTER = 0x5c };
    unsigned char pad[BLOCK] = {0};
    unsigned char inner[SN_SHA256_LEN];
    need_algorithms();
    EVP_MD_CTX *ctx = context_of_thread();
    if (key.len > BLOCK) {
        digest(ctx, algorithms.sha256, &key, 1, pad);
    } else {
        memcpy(pad, bytes_of(key), key.len);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        pad[i] ^= INNER;
    }
    const struct sn_slice first[] = {sn_slice_bytes(pad, BLOCK), message};
    digest(ctx, algorithms.sha256, first, SN_LEN(first), inner);
    for (size_t i = 0; i < BLOCK; i++) {
        pad[i] ^= INNER ^ OUTER;
    }
    const struct sn_slice second[] = {sn_slice_bytes(pad, BLOCK), sn_slice_bytes(inner, sizeof(inner))};
    digest(ctx, algorithms.sha256, second, SN_LEN(second), out);
    wipe_context(ctx);
    sn_wipe(pad, sizeof(pad));
    sn_wipe(inner, sizeof(inner));
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
