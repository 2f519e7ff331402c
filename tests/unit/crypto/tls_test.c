/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/crypto/tls_test.c - the listener's TLS against OpenSSL's own client over a socket pair.
 *
 * Keys and certificates are made for each run; client and server take turns in one thread.
 */
#include "test.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/tls.h"

enum { NOT_AFTER_UNIX_S = 1893456000 /* 2030-01-01T00:00:00Z */ };

static char dir[] = "/tmp/sentinel-tls-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static size_t next;
    struct sn_error err;
    char *path = paths[next++ % SN_LEN(paths)];
    assert_ok(sn_path_join(path, sizeof paths[0], dir, name, &err), &err);
    return path;
}

static void write_bio(BIO *bio, const char *name, mode_t mode)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    struct sn_error err;
    assert_ok(sn_fs_write_atomic(path_of(name), mode, (struct sn_slice){bytes, (size_t)len}, &err), &err);
    BIO_free(bio);
}

static void make_pair(EVP_PKEY *key, const char *cert_name, const char *key_name)
{
    X509 *cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"tvm.test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(cert), "20200101000000Z"), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(cert), "20300101000000Z"), 1);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, cert);
    write_bio(bio, cert_name, 0644);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    write_bio(bio, key_name, 0600);
    X509_free(cert);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    struct sn_error err;
    assert_ok(sn_fs_write_atomic(path_of(name), mode, sn_slice_str(text), &err), &err);
}

static int make_files(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as every program of ours does */
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    EVP_PKEY *good = EVP_EC_gen("P-256");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    make_pair(good, "cert.pem", "key.pem");
    make_pair(other, "other-cert.pem", "other-key.pem");
    make_pair(weak, "weak-cert.pem", "weak-key.pem");
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, good, EVP_aes_128_cbc(), (const unsigned char *)"pw", 2, NULL, NULL);
    write_bio(bio, "encrypted-key.pem", 0600);
    EVP_PKEY_free(good);
    EVP_PKEY_free(other);
    EVP_PKEY_free(weak);
    write_text("empty.pem", "", 0600);
    write_text("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0600);
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_error err;
    assert_ok(sn_fs_read(path_of("cert.pem"), 65536, &text, &err), &err);
    sn_buf_add_str(&text, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    write_text("broken-chain.pem", sn_buf_str(&text), 0644);
    return symlink("key.pem", path_of("link-key.pem"));
}

static int remove_files(void **state)
{
    (void)state;
    static const char *const names[] = {"cert.pem", "key.pem", "other-cert.pem", "other-key.pem", "weak-cert.pem",
        "weak-key.pem", "encrypted-key.pem", "empty.pem", "garbage.pem", "broken-chain.pem", "link-key.pem"};
    for (size_t i = 0; i < SN_LEN(names); i++) {
        unlink(path_of(names[i]));
    }
    return rmdir(dir);
}

/* --- loading --- */

static void loading_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *name, *cert, *key;
        mode_t key_mode;
        const char *code; /* NULL: accepted */
    } rows[] = {
        {"as it should be", "cert.pem", "key.pem", 0600, NULL},
        {"readable by the group", "cert.pem", "key.pem", 0640, NULL},
        {"a link to a good key", "cert.pem", "link-key.pem", 0600, NULL},
        {"readable by others", "cert.pem", "key.pem", 0644, "FILE_PERMISSIONS"},
        {"writable by the group", "cert.pem", "key.pem", 0660, "FILE_PERMISSIONS"},
        {"writable by others", "cert.pem", "key.pem", 0602, "FILE_PERMISSIONS"},
        {"a link to an open key", "cert.pem", "link-key.pem", 0644, "FILE_PERMISSIONS"},
        {"key of another certificate", "cert.pem", "other-key.pem", 0600, "TLS_KEY"},
        {"key with a passphrase", "cert.pem", "encrypted-key.pem", 0600, "TLS_KEY"},
        {"no key in the file", "cert.pem", "cert.pem", 0600, "TLS_KEY"},
        {"empty key", "cert.pem", "empty.pem", 0600, "TLS_KEY"},
        {"no certificate in the file", "key.pem", "key.pem", 0600, "TLS_CERTIFICATE"},
        {"empty certificate", "empty.pem", "key.pem", 0600, "TLS_CERTIFICATE"},
        {"broken certificate", "garbage.pem", "key.pem", 0600, "TLS_CERTIFICATE"},
        {"broken certificate in the chain", "broken-chain.pem", "key.pem", 0600, "TLS_CERTIFICATE"},
        {"short RSA key", "weak-cert.pem", "weak-key.pem", 0600, "TLS_CERTIFICATE"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct sn_tls_context *context = NULL;
        struct sn_error err = {0};
        assert_int_equal(chmod(path_of(rows[i].key), rows[i].key_mode), 0);
        enum sn_status status = sn_tls_context_load(path_of(rows[i].cert), path_of(rows[i].key), &context, &err);
        assert_int_equal(status == SN_OK, rows[i].code == NULL);
        assert_string_equal(err.code, rows[i].code != NULL ? rows[i].code : "");
        assert_true((context != NULL) == (status == SN_OK));
        if (context != NULL) {
            assert_int_equal(sn_tls_context_not_after_unix_s(context), NOT_AFTER_UNIX_S);
        }
        sn_tls_context_unref(context);
        assert_int_equal(chmod(path_of(rows[i].key), 0600), 0);
    }
    struct sn_tls_context *context = NULL;
    struct sn_error err;
    assert_int_equal(sn_tls_context_load(path_of("absent"), path_of("key.pem"), &context, &err), SN_NOT_FOUND);
    assert_int_equal(sn_tls_context_load(path_of("cert.pem"), path_of("absent"), &context, &err), SN_NOT_FOUND);
}

/* --- connections --- */

struct link {
    int server_fd, client_fd;
    struct sn_tls_session *server;
    SSL_CTX *client_ctx;
    SSL *client;
};

static struct sn_tls_context *must_load(void)
{
    struct sn_tls_context *context = NULL;
    struct sn_error err;
    assert_ok(sn_tls_context_load(path_of("cert.pem"), path_of("key.pem"), &context, &err), &err);
    return context;
}

static struct link link_new(int min_version, int max_version, const char *ciphers)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    struct link link = {.server_fd = fds[0], .client_fd = fds[1]};
    struct sn_tls_context *context = must_load();
    link.server = sn_tls_session_new(context, link.server_fd);
    sn_tls_context_unref(context); /* the session keeps its own */
    link.client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(link.client_ctx, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(link.client_ctx, min_version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(link.client_ctx, max_version), 1);
    if (ciphers != NULL) {
        assert_int_equal(SSL_CTX_set_cipher_list(link.client_ctx, ciphers), 1);
    }
    link.client = SSL_new(link.client_ctx);
    SSL_set_fd(link.client, link.client_fd);
    SSL_set_connect_state(link.client);
    return link;
}

static void link_clear(struct link *link)
{
    sn_tls_session_free(link->server);
    SSL_free(link->client);
    SSL_CTX_free(link->client_ctx);
    close(link->server_fd);
    close(link->client_fd);
    ERR_clear_error();
}

/* Lets both sides take turns until the server is done or has failed. */
static enum sn_tls_wait shake_hands(struct link *link)
{
    enum sn_tls_wait wait = SN_TLS_WANT_READ;
    bool client_done = false;
    for (int turn = 0; turn < 50; turn++) {
        client_done = client_done || SSL_do_handshake(link->client) == 1;
        if (wait == SN_TLS_WANT_READ || wait == SN_TLS_WANT_WRITE) {
            wait = sn_tls_handshake(link->server);
        }
        if (wait == SN_TLS_FAILED || (wait == SN_TLS_DONE && client_done)) {
            return wait;
        }
    }
    return SN_TLS_WANT_READ;
}

static void versions_and_suites(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int min, max;
        const char *ciphers;
        enum sn_tls_wait result;
    } rows[] = {
        {"TLS 1.3", TLS1_3_VERSION, TLS1_3_VERSION, NULL, SN_TLS_DONE},
        {"TLS 1.2 with AES-GCM", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", SN_TLS_DONE},
        {"TLS 1.2 with ChaCha20", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", SN_TLS_DONE},
        {"TLS 1.2 with CBC", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA",
            SN_TLS_FAILED},
        {"TLS 1.2 without forward secrecy", TLS1_2_VERSION, TLS1_2_VERSION, "AES128-GCM-SHA256", SN_TLS_FAILED},
        {"TLS 1.2 without encryption", TLS1_2_VERSION, TLS1_2_VERSION, "eNULL", SN_TLS_FAILED},
        {"TLS 1.1", TLS1_1_VERSION, TLS1_1_VERSION, NULL, SN_TLS_FAILED},
        {"TLS 1.0", TLS1_VERSION, TLS1_VERSION, NULL, SN_TLS_FAILED},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct link link = link_new(rows[i].min, rows[i].max, rows[i].ciphers);
        assert_int_equal(shake_hands(&link), rows[i].result);
        if (rows[i].result == SN_TLS_DONE) {
            assert_null(SSL_get_current_compression(link.client));
        } else {
            size_t moved = 0;
            char byte;
            assert_int_equal(sn_tls_read(link.server, &byte, 1, &moved), SN_TLS_FAILED);
            assert_int_equal(sn_tls_write(link.server, "x", 1, &moved), SN_TLS_FAILED);
            assert_int_equal(sn_tls_handshake(link.server), SN_TLS_FAILED);
        }
        link_clear(&link);
    }
}

static void protocol_negotiation(void **state)
{
    (void)state;
    static const struct {
        const char *name, *offer;
        enum sn_tls_wait result;
    } rows[] = {
        {"http/1.1 among others", "\x02h2\x08http/1.1", SN_TLS_DONE},
        {"only h2", "\x02h2", SN_TLS_FAILED},
        {"only http/1.0", "\x08http/1.0", SN_TLS_FAILED},
        {"no offer", "", SN_TLS_DONE},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].name);
        struct link link = link_new(TLS1_2_VERSION, TLS1_3_VERSION, NULL);
        size_t len = strlen(rows[i].offer);
        if (len > 0) {
            assert_int_equal(SSL_set_alpn_protos(link.client, (const unsigned char *)rows[i].offer, (unsigned)len), 0);
        }
        assert_int_equal(shake_hands(&link), rows[i].result);
        if (rows[i].result == SN_TLS_DONE && len > 0) {
            const unsigned char *selected = NULL;
            unsigned selected_len = 0;
            SSL_get0_alpn_selected(link.client, &selected, &selected_len);
            assert_slice_equal(sn_slice_bytes(selected, selected_len), "http/1.1");
        }
        link_clear(&link);
    }
}

static void data_goes_both_ways(void **state)
{
    (void)state;
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < SN_LEN(versions); i++) {
        struct link link = link_new(versions[i], versions[i], NULL);
        assert_int_equal(shake_hands(&link), SN_TLS_DONE);
        char bytes[64] = {0};
        size_t moved = 0;
        assert_int_equal(sn_tls_read(link.server, bytes, sizeof bytes, &moved), SN_TLS_WANT_READ);
        assert_int_equal(SSL_write(link.client, "ping", 4), 4);
        assert_int_equal(sn_tls_read(link.server, bytes, sizeof bytes, &moved), SN_TLS_DONE);
        assert_slice_equal(sn_slice_bytes(bytes, moved), "ping");
        assert_int_equal(sn_tls_write(link.server, "", 0, &moved), SN_TLS_DONE);
        assert_int_equal(moved, 0);
        assert_int_equal(sn_tls_write(link.server, "pong", 4, &moved), SN_TLS_DONE);
        assert_int_equal(SSL_read(link.client, bytes, sizeof bytes), 4);
        /* Nothing that could resume the connection was handed out. */
        assert_int_equal(SSL_SESSION_has_ticket(SSL_get0_session(link.client)), 0);
        assert_int_equal(SSL_SESSION_get_max_early_data(SSL_get0_session(link.client)), 0);
        assert_int_equal(SSL_shutdown(link.client), 0);
        assert_int_equal(sn_tls_read(link.server, bytes, sizeof bytes, &moved), SN_TLS_CLOSED);
        link_clear(&link);
    }
}

/* A full socket makes the writer wait; what was taken arrives in order, also from another address. */
static void writing_waits_for_the_reader(void **state)
{
    (void)state;
    struct link link = link_new(TLS1_3_VERSION, TLS1_3_VERSION, NULL);
    assert_int_equal(shake_hands(&link), SN_TLS_DONE);
    static char block[16 * 1024], copy[16 * 1024];
    memset(block, 'x', sizeof block);
    size_t sent = 0;
    size_t moved = 0;
    enum sn_tls_wait wait;
    while ((wait = sn_tls_write(link.server, block, sizeof block, &moved)) == SN_TLS_DONE) {
        sent += moved;
        assert_true(sent < 64u << 20);
    }
    assert_int_equal(wait, SN_TLS_WANT_WRITE);
    size_t got = 0;
    memset(copy, 'x', sizeof copy);
    int len;
    while ((len = SSL_read(link.client, block, sizeof block)) > 0) {
        got += (size_t)len;
    }
    assert_true(got <= sent + sizeof copy);
    assert_int_equal(sn_tls_write(link.server, copy, sizeof copy, &moved), SN_TLS_DONE);
    link_clear(&link);
}

static void renegotiation_is_refused(void **state)
{
    (void)state;
    struct link link = link_new(TLS1_2_VERSION, TLS1_2_VERSION, NULL);
    assert_int_equal(shake_hands(&link), SN_TLS_DONE);
    assert_int_equal(SSL_renegotiate(link.client), 1);
    SSL_do_handshake(link.client);
    char byte;
    size_t moved = 0;
    sn_tls_read(link.server, &byte, 1, &moved);
    SSL_do_handshake(link.client);
    assert_int_equal(SSL_renegotiate_pending(link.client), 1);
    assert_int_equal(SSL_session_reused(link.client), 0);
    link_clear(&link);
}

static void noise_and_hang_ups_fail(void **state)
{
    (void)state;
    struct link link = link_new(TLS1_2_VERSION, TLS1_3_VERSION, NULL);
    assert_int_equal(write(link.client_fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_int_equal(sn_tls_handshake(link.server), SN_TLS_FAILED);
    link_clear(&link);

    link = link_new(TLS1_2_VERSION, TLS1_3_VERSION, NULL);
    shutdown(link.client_fd, SHUT_RDWR);
    assert_int_equal(sn_tls_handshake(link.server), SN_TLS_FAILED);
    link_clear(&link);

    /* A connection cut without a farewell is no end of the data. */
    link = link_new(TLS1_3_VERSION, TLS1_3_VERSION, NULL);
    assert_int_equal(shake_hands(&link), SN_TLS_DONE);
    shutdown(link.client_fd, SHUT_RDWR);
    char byte;
    size_t moved = 0;
    assert_int_equal(sn_tls_read(link.server, &byte, 1, &moved), SN_TLS_FAILED);
    link_clear(&link);
    sn_tls_session_free(NULL);
    sn_tls_context_unref(NULL);
}

static void the_end_is_announced(void **state)
{
    (void)state;
    struct link link = link_new(TLS1_3_VERSION, TLS1_3_VERSION, NULL);
    assert_int_equal(shake_hands(&link), SN_TLS_DONE);
    sn_tls_session_free(link.server);
    link.server = NULL;
    char byte;
    int result = SSL_read(link.client, &byte, 1);
    assert_int_equal(SSL_get_error(link.client, result), SSL_ERROR_ZERO_RETURN);
    link_clear(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading_refuses),
        cmocka_unit_test(versions_and_suites),
        cmocka_unit_test(protocol_negotiation),
        cmocka_unit_test(data_goes_both_ways),
        cmocka_unit_test(writing_waits_for_the_reader),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(noise_and_hang_ups_fail),
        cmocka_unit_test(the_end_is_announced),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
