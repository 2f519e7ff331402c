/* SPDX-License-Identifier: Apache-2.0 */
/* crypto/sign.c - see sign.h. */
#include "crypto/sign.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/hash.h"

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 4096, PSS_SALT_LEN = 32, KEY_ID_HASH_BYTES = 16 };

const char *const sn_sign_algorithm_words[SN_SIGN_ALGORITHMS] = {"ED25519", "ECDSA_SHA_256", "RSASSA_PSS_SHA_256"};

struct sn_public_key {
    EVP_PKEY *pkey;
    enum sn_sign_algorithm algorithm;
    char id[SN_SIGN_KEY_ID_MAX];
};

struct sn_private_key {
    EVP_PKEY *pkey;
};

static enum sn_status bad_key(struct sn_error *err, const char *what)
{
    ERR_clear_error();
    return sn_fail(err, SN_INVALID, "INVALID_KEY", "%s", what);
}

/* --- Public keys --- */

/* The kind and the beginning of the hash of what names the key best: its raw bytes, or its DER. */
static void name_key(struct sn_public_key *key, const char *kind, struct sn_slice bytes)
{
    unsigned char hash[SN_SHA256_LEN];
    SN_AUTO(sn_buf_clear) struct sn_buf id = {0};

    sn_sha256(bytes, hash);
    sn_buf_addf(&id, "%s/", kind);
    sn_buf_add_hex(&id, hash, KEY_ID_HASH_BYTES);
    snprintf(key->id, sizeof(key->id), "%s", sn_buf_str(&id));
}

static void name_ed25519(struct sn_public_key *key)
{
    unsigned char raw[SN_ED25519_KEY_LEN];
    size_t len = sizeof(raw);

    SN_ASSERT(EVP_PKEY_get_raw_public_key(key->pkey, raw, &len) == 1 && len == sizeof(raw));
    name_key(key, "ed25519", sn_slice_bytes(raw, sizeof(raw)));
}

static void name_by_der(struct sn_public_key *key, const char *kind)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);

    SN_ASSERT(len > 0);
    name_key(key, kind, sn_slice_bytes(der, (size_t)len));
    OPENSSL_free(der);
}

/* Takes pkey. */
static enum sn_status make_public(EVP_PKEY *pkey, struct sn_public_key **out_key, struct sn_error *err)
{
    char group[32] = "";
    struct sn_public_key *key = sn_alloc(1, sizeof(*key));

    key->pkey = pkey;
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        key->algorithm = SN_SIGN_ED25519;
        name_ed25519(key);
    } else if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
               strcmp(group, "prime256v1") == 0) {
        key->algorithm = SN_SIGN_ECDSA_P256;
        name_by_der(key, "p256");
    } else if (EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= RSA_MIN_BITS &&
               EVP_PKEY_get_bits(pkey) <= RSA_MAX_BITS) {
        key->algorithm = SN_SIGN_RSA_PSS;
        name_by_der(key, "rsa");
    } else {
        sn_public_key_free(key);
        return bad_key(err, "the key is none of Ed25519, ECDSA P-256 and RSA of 2048 to 4096 bits");
    }
    *out_key = key;
    return SN_OK;
}

/* No passphrase is ever asked for by the library itself. */
static int no_passphrase(char *buf, int size, int is_write, void *ctx)
{
    (void)buf;
    (void)size;
    (void)is_write;
    (void)ctx;
    return -1;
}

enum sn_status sn_public_key_parse(struct sn_slice pem, struct sn_public_key **out_key, struct sn_error *err)
{
    if (pem.len == 0 || pem.len > SN_SIGN_KEY_FILE_MAX) {
        return bad_key(err, "the file is no PEM public key");
    }
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    SN_ASSERT(bio != NULL);
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (pkey == NULL) {
        bad_key(err, "the file is no PEM public key");
        return sn_suggest(err, "make it with: openssl pkey -in KEY.pem -pubout");
    }
    return make_public(pkey, out_key, err);
}

enum sn_status sn_public_key_from_der(struct sn_slice der, struct sn_public_key **out_key, struct sn_error *err)
{
    const unsigned char *at = (const unsigned char *)der.ptr;

    if (der.len == 0 || der.len > SN_SIGN_KEY_FILE_MAX) {
        return bad_key(err, "the bytes are no public key");
    }
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
    if (pkey == NULL || at != (const unsigned char *)der.ptr + der.len) {
        EVP_PKEY_free(pkey);
        return bad_key(err, "the bytes are no public key");
    }
    return make_public(pkey, out_key, err);
}

enum sn_status sn_public_key_from_ed25519(
    const unsigned char bytes[SN_ED25519_KEY_LEN], struct sn_public_key **out_key, struct sn_error *err)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, bytes, SN_ED25519_KEY_LEN);

    return pkey != NULL ? make_public(pkey, out_key, err) : bad_key(err, "the bytes are no Ed25519 key");
}

void sn_public_key_free(struct sn_public_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        sn_free(key);
    }
}

void sn_public_key_free_p(struct sn_public_key **key)
{
    sn_public_key_free(*key);
}

enum sn_sign_algorithm sn_public_key_algorithm(const struct sn_public_key *key)
{
    return key->algorithm;
}

const char *sn_public_key_id(const struct sn_public_key *key)
{
    return key->id;
}

static bool set_up_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, PSS_SALT_LEN) == 1;
}

bool sn_public_key_verify(const struct sn_public_key *key, struct sn_slice message, struct sn_slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params = NULL; /* ctx's own */
    bool is_pure = key->algorithm == SN_SIGN_ED25519;

    SN_ASSERT(ctx != NULL);
    bool ok = (!is_pure || signature.len == SN_ED25519_SIGNATURE_LEN) && signature.len <= SN_SIGNATURE_MAX &&
              EVP_DigestVerifyInit_ex(ctx, &params, is_pure ? NULL : "SHA256", NULL, NULL, key->pkey, NULL) == 1 &&
              (key->algorithm != SN_SIGN_RSA_PSS || set_up_pss(params)) &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                  (const unsigned char *)message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* --- Private keys --- */

bool sn_private_key_is_encrypted(const struct sn_secret *pem)
{
    return sn_slice_contains(sn_secret_reveal(pem), SN_S("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

static int give_passphrase(char *buf, int size, int is_write, void *ctx)
{
    const struct sn_secret *passphrase = ctx;
    (void)is_write;

    if (passphrase == NULL || size < 0 || passphrase->len > (size_t)size) {
        return -1;
    }
    struct sn_slice bytes = sn_secret_reveal(passphrase);
    memcpy(buf, bytes.ptr, bytes.len);
    return (int)bytes.len;
}

enum sn_status sn_private_key_parse(const struct sn_secret *pem, const struct sn_secret *passphrase,
    struct sn_private_key **out_key, struct sn_error *err)
{
    struct sn_slice text = sn_secret_reveal(pem);
    union {
        const struct sn_secret *in;
        void *out;
    } passphrase_ctx = {passphrase}; /* the library takes void *, and only hands it back */

    if (text.len == 0 || text.len > SN_SIGN_KEY_FILE_MAX) {
        return bad_key(err, "the file is no PEM private key");
    }
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    SN_ASSERT(bio != NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, passphrase_ctx.out);
    BIO_free(bio);
    if (pkey == NULL && passphrase != NULL) {
        bad_key(err, "the passphrase does not open the private key");
        return sn_fail(err, SN_INVALID, "WRONG_PASSPHRASE", "the passphrase does not open the private key");
    }
    if (pkey == NULL || !EVP_PKEY_is_a(pkey, "ED25519")) {
        EVP_PKEY_free(pkey);
        bad_key(err, "the file is no Ed25519 private key in PEM");
        return sn_suggest(err, "make one with: openssl genpkey -algorithm ed25519");
    }
    *out_key = sn_alloc(1, sizeof(**out_key));
    (*out_key)->pkey = pkey;
    return SN_OK;
}

void sn_private_key_free(struct sn_private_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey); /* the library wipes it */
        sn_free(key);
    }
}

void sn_private_key_free_p(struct sn_private_key **key)
{
    sn_private_key_free(*key);
}

enum sn_status sn_private_key_public(
    const struct sn_private_key *key, struct sn_public_key **out_key, struct sn_error *err)
{
    unsigned char raw[SN_ED25519_KEY_LEN];
    size_t len = sizeof(raw);

    SN_ASSERT(EVP_PKEY_get_raw_public_key(key->pkey, raw, &len) == 1 && len == sizeof(raw));
    return sn_public_key_from_ed25519(raw, out_key, err);
}

void sn_private_key_sign(
    const struct sn_private_key *key, struct sn_slice message, unsigned char out_signature[SN_ED25519_SIGNATURE_LEN])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = SN_ED25519_SIGNATURE_LEN;

    SN_ASSERT(ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1);
    SN_ASSERT(EVP_DigestSign(ctx, out_signature, &len, (const unsigned char *)message.ptr, message.len) == 1);
    SN_ASSERT(len == SN_ED25519_SIGNATURE_LEN);
    EVP_MD_CTX_free(ctx);
}
