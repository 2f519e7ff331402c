/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/tls.c - the server's side of TLS.
 *
 * What is switched off is off for a reason: renegotiation and compression have been attacks, resumption keeps keys
 * alive beyond their connection, early data can be replayed. Only suites with forward secrecy and authenticated
 * encryption remain.
 */
#include "crypto/tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/time.h"

enum {
    CERT_FILE_MAX_BYTES = 256 * 1024,
    KEY_FILE_MAX_BYTES = 64 * 1024,
    CHAIN_MAX_CERTS = 16,
    KEY_FORBIDDEN_MODE = 0027, /* nothing for others, no writing by the group */
    SECURITY_LEVEL = 2,        /* 112 bits: RSA from 2048, no SHA-1 signatures */
};

struct sn_tls_context {
    atomic_uint refs;
    SSL_CTX *ssl;
    int64_t not_after_unix_s;
};

struct sn_tls_session {
    struct sn_tls_context *context;
    SSL *ssl;
    bool is_broken; /* after a fatal error nothing more may be sent */
};

/* --- settings --- */

/* A key that needs a passphrase is refused; without this OpenSSL would ask on the terminal. */
static int refuse_passphrase(char *out, int size, int for_writing, void *ctx)
{
    (void)out;
    (void)size;
    (void)for_writing;
    (void)ctx;
    return -1;
}

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *offered,
    unsigned int offered_len, void *ctx)
{
    (void)ssl;
    (void)ctx;
    static const unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char *selected = NULL;
    if (SSL_select_next_proto(&selected, out_len, ours, sizeof ours, offered, offered_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *ssl)
{
    char groups[] = "X25519:P-256:P-384"; /* the library's macro wants it without const */
    SSL_CTX_set_security_level(ssl, SECURITY_LEVEL);
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(
        ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ssl, select_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(ssl, refuse_passphrase);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 && SSL_CTX_set_num_tickets(ssl, 0) == 1 &&
           SSL_CTX_set_max_early_data(ssl, 0) == 1 && SSL_CTX_set_recv_max_early_data(ssl, 0) == 1 &&
           SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set_ciphersuites(
               ssl, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(ssl, groups) == 1;
}

/* --- certificate and key --- */

/* The library's reason is a constant text; it quotes nothing of the files. */
static enum sn_status fail_tls(struct sn_error *err, const char *code, const char *path, const char *what)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
    ERR_clear_error();
    return sn_fail(
        err, SN_INVALID, code, "%s '%s'%s%s", what, path, reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

static bool read_not_after(const X509 *leaf, int64_t *out_unix_s)
{
    struct tm tm = {0};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm) != 1) {
        return false;
    }
    int64_t days = sn_days_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    *out_unix_s = days * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return true;
}

/* Reads the leaf and then the rest of the chain. True when the last read ended for want of a further certificate. */
static bool read_chain(struct sn_tls_context *context, BIO *pem)
{
    X509 *leaf = PEM_read_bio_X509(pem, NULL, refuse_passphrase, NULL);
    bool is_good = leaf != NULL && SSL_CTX_use_certificate(context->ssl, leaf) == 1 &&
                   read_not_after(leaf, &context->not_after_unix_s);
    X509_free(leaf);
    for (int count = 1; is_good; count++) {
        X509 *next = PEM_read_bio_X509(pem, NULL, refuse_passphrase, NULL);
        if (next == NULL) {
            unsigned long error = ERR_peek_last_error();
            is_good = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
            break;
        }
        is_good = count < CHAIN_MAX_CERTS && SSL_CTX_add0_chain_cert(context->ssl, next) == 1;
        if (!is_good) {
            X509_free(next);
        }
    }
    if (is_good) {
        ERR_clear_error();
    }
    return is_good;
}

static enum sn_status load_chain(struct sn_tls_context *context, const char *path, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_TRY(sn_fs_read(path, CERT_FILE_MAX_BYTES, &text, err));
    BIO *pem = BIO_new_mem_buf(sn_buf_str(&text), (int)text.len);
    if (pem == NULL) {
        sn_alloc_failed();
    }
    bool is_good = read_chain(context, pem);
    BIO_free(pem);
    return is_good ? SN_OK : fail_tls(err, "TLS_CERTIFICATE", path, "no usable certificate chain in");
}

static enum sn_status load_key(struct sn_tls_context *context, const char *path, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};
    /* Tools that renew certificates put a link in place of the key; what it points to must pass the checks. */
    char *resolved = realpath(path, NULL);
    enum sn_status status =
        sn_fs_read_secret(resolved != NULL ? resolved : path, KEY_FILE_MAX_BYTES, KEY_FORBIDDEN_MODE, &text, err);
    free(resolved);
    SN_TRY(status);
    struct sn_slice bytes = sn_secret_reveal(&text);
    BIO *pem = BIO_new_mem_buf(bytes.len > 0 ? bytes.ptr : "", (int)bytes.len);
    if (pem == NULL) {
        sn_alloc_failed();
    }
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, refuse_passphrase, NULL);
    BIO_free(pem);
    if (key == NULL) {
        return fail_tls(err, "TLS_KEY", path, "no usable private key (without a passphrase) in");
    }
    bool is_good = SSL_CTX_use_PrivateKey(context->ssl, key) == 1 && SSL_CTX_check_private_key(context->ssl) == 1;
    EVP_PKEY_free(key);
    return is_good ? SN_OK : fail_tls(err, "TLS_KEY", path, "the certificate does not belong to the key in");
}

static void context_free_p(struct sn_tls_context **context)
{
    sn_tls_context_unref(*context);
}

enum sn_status sn_tls_context_load(
    const char *cert_file, const char *key_file, struct sn_tls_context **out_context, struct sn_error *err)
{
    ERR_clear_error();
    SN_AUTO(context_free_p) struct sn_tls_context *context = sn_alloc(1, sizeof *context);
    atomic_init(&context->refs, 1);
    SN_ASSERT(OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    context->ssl = SSL_CTX_new(TLS_server_method());
    if (context->ssl == NULL) {
        sn_alloc_failed();
    }
    if (!set_up(context->ssl)) {
        ERR_clear_error();
        return sn_fail(err, SN_INTERNAL, "TLS_UNAVAILABLE", "the TLS library lacks what this program needs");
    }
    SN_TRY(load_chain(context, cert_file, err));
    SN_TRY(load_key(context, key_file, err));
    *out_context = SN_TAKE(context);
    return SN_OK;
}

struct sn_tls_context *sn_tls_context_ref(struct sn_tls_context *context)
{
    atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
    return context;
}

void sn_tls_context_unref(struct sn_tls_context *context)
{
    if (context == NULL || atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    SSL_CTX_free(context->ssl);
    sn_free(context);
}

int64_t sn_tls_context_not_after_unix_s(const struct sn_tls_context *context)
{
    return context->not_after_unix_s;
}

/* --- sessions --- */

struct sn_tls_session *sn_tls_session_new(struct sn_tls_context *context, int fd)
{
    struct sn_tls_session *session = sn_alloc(1, sizeof *session);
    session->context = sn_tls_context_ref(context);
    session->ssl = SSL_new(context->ssl);
    if (session->ssl == NULL || SSL_set_fd(session->ssl, fd) != 1) {
        sn_alloc_failed();
    }
    SSL_set_accept_state(session->ssl);
    return session;
}

void sn_tls_session_free(struct sn_tls_session *session)
{
    if (session == NULL) {
        return;
    }
    if (!session->is_broken && SSL_is_init_finished(session->ssl)) {
        ERR_clear_error();
        SSL_shutdown(session->ssl); /* what it returns changes nothing: the connection ends */
    }
    ERR_clear_error();
    SSL_free(session->ssl);
    sn_tls_context_unref(session->context);
    sn_free(session);
}

static enum sn_tls_wait wait_for(struct sn_tls_session *session, int result)
{
    int error = SSL_get_error(session->ssl, result);
    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return SN_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return SN_TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return SN_TLS_CLOSED;
    default: /* not an enum: everything else ends the connection */
        session->is_broken = true;
        return SN_TLS_FAILED;
    }
}

enum sn_tls_wait sn_tls_handshake(struct sn_tls_session *session)
{
    if (session->is_broken) {
        return SN_TLS_FAILED;
    }
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);
    return result == 1 ? SN_TLS_DONE : wait_for(session, result);
}

enum sn_tls_wait sn_tls_read(struct sn_tls_session *session, void *bytes, size_t len, size_t *out_len)
{
    if (session->is_broken) {
        return SN_TLS_FAILED;
    }
    ERR_clear_error();
    size_t moved = 0;
    int result = SSL_read_ex(session->ssl, bytes, len, &moved);
    if (result != 1) {
        return wait_for(session, result);
    }
    *out_len = moved;
    return SN_TLS_DONE;
}

enum sn_tls_wait sn_tls_write(struct sn_tls_session *session, const void *bytes, size_t len, size_t *out_len)
{
    if (session->is_broken) {
        return SN_TLS_FAILED;
    }
    if (len == 0) { /* for OpenSSL an error */
        *out_len = 0;
        return SN_TLS_DONE;
    }
    ERR_clear_error();
    size_t moved = 0;
    int result = SSL_write_ex(session->ssl, bytes, len, &moved);
    if (result != 1) {
        return wait_for(session, result);
    }
    *out_len = moved;
    return SN_TLS_DONE;
}
