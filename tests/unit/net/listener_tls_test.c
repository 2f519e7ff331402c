/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener with TLS: certificates change under load (TVM-47), the strict subset holds inside TLS too (ATK-31), and
 * peers that do not finish the handshake are dropped. Certificates are made here by the openssl command.
 */
#include "listener_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "net/client.h"

extern char **environ;

static char directory[] = "/tmp/sn-tls-XXXXXX";

struct pair {
    char cert[64], key[64];
};
static struct pair first, second;
static char both[64]; /* both certificates, as a bundle of authorities */

/* Runs the openssl command with input on its stdin; what it prints goes to out_text. */
static bool run_openssl(const char *const *arguments, struct sn_slice input, struct sn_buf *out_text)
{
    int in[2], out[2], status = -1;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    assert_int_equal(posix_spawnp(&pid, "openssl", &actions, NULL, (char *const *)(uintptr_t)arguments, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    assert_int_equal(write(in[1], input.ptr, input.len), (ssize_t)input.len);
    char bytes[4096];
    ssize_t count;
    while ((count = read(out[0], bytes, sizeof(bytes))) > 0) {
        if (out_text != NULL) {
            sn_buf_add_bytes(out_text, bytes, (size_t)count);
        }
    }
    (void)close(in[1]);
    (void)close(out[0]);
    (void)waitpid(pid, &status, 0);
    return status == 0;
}

static void make_pair(const char *name, struct pair *pair)
{
    (void)snprintf(pair->cert, sizeof(pair->cert), "%s/%s.crt", directory, name);
    (void)snprintf(pair->key, sizeof(pair->key), "%s/%s.key", directory, name);
    char subject[32];
    (void)snprintf(subject, sizeof(subject), "/CN=%s", name);
    const char *const arguments[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "30", "-subj", subject, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pair->key,
        "-out", pair->cert, NULL};
    assert_true(run_openssl(arguments, SN_S("\n"), NULL));
}

static int make_certificates(void **state)
{
    (void)state;
    struct sn_error err;
    struct sn_buf text = {0}, bundle = {0};
    (void)snprintf(directory, sizeof(directory), "/tmp/sn-tls-XXXXXX");
    assert_non_null(mkdtemp(directory));
    make_pair("first", &first);
    make_pair("second", &second);
    (void)snprintf(both, sizeof(both), "%s/both.crt", directory);
    assert_ok(sn_fs_read(first.cert, 65536, &text, &err), &err);
    sn_buf_add(&bundle, sn_buf_slice(&text));
    sn_buf_clear(&text);
    assert_ok(sn_fs_read(second.cert, 65536, &text, &err), &err);
    sn_buf_add(&bundle, sn_buf_slice(&text));
    assert_ok(sn_fs_write_new(both, 0600, sn_buf_slice(&bundle), &err), &err);
    sn_buf_clear(&text);
    sn_buf_clear(&bundle);
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    const char *const files[] = {first.cert, first.key, second.cert, second.key, both};
    for (size_t i = 0; i < SN_LEN(files); i++) {
        (void)unlink(files[i]);
    }
    return rmdir(directory);
}

static struct sn_tls_context *load(const struct pair *pair)
{
    struct sn_error err;
    struct sn_tls_context *context = NULL;
    assert_ok(sn_tls_context_load(pair->cert, pair->key, &context, &err), &err);
    return context;
}

static void start_tls(struct fixture *fixture, struct sn_listener_options *options, const struct pair *pair)
{
    struct sn_tls_context *context = load(pair);
    options->tls = context;
    start_with(fixture, options);
    sn_tls_context_unref(context); /* the listener holds its own reference */
}

/* One call on a fresh client that trusts ca_file only; the code of the failure or "". */
static void call_with(const struct fixture *fixture, const char *ca_file, char out_code[SN_ERROR_CODE_MAX])
{
    struct sn_error err = {0};
    struct sn_http_client *client = NULL;
    struct sn_http_reply reply = {0};
    char url[64];
    const struct sn_http_client_options options = {.ca_file = ca_file};
    struct sn_http_call call = {.method = "GET", .url = url};
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", fixture->port);
    assert_ok(sn_http_client_new(&options, &client, &err), &err);
    enum sn_status status = sn_http_client_do(client, &call, &reply, &err);
    assert_true(status != SN_OK || reply.status == 200);
    (void)snprintf(out_code, SN_ERROR_CODE_MAX, "%s", status == SN_OK ? "" : err.code);
    sn_http_reply_clear(&reply);
    sn_http_client_free(client);
}

#define assert_call(fixture, ca_file, expected_code)                                                                   \
    do {                                                                                                               \
        char call_code[SN_ERROR_CODE_MAX] = "";                                                                        \
        call_with((fixture), (ca_file), call_code);                                                                    \
        assert_string_equal(call_code, (expected_code));                                                               \
    } while (0)

struct caller {
    const struct fixture *fixture;
    pthread_t thread;
    atomic_bool *stop;
    atomic_uint answered, failed;
};

/* Calls without pause, alternating between a warm connection and fresh ones. */
static void *caller_main(void *ctx)
{
    struct caller *caller = ctx;
    struct sn_error err;
    struct sn_http_reply reply = {0};
    char url[64];
    const struct sn_http_client_options options = {.ca_file = both};
    struct sn_http_client *client = NULL;
    struct sn_http_call call = {.method = "GET", .url = url};
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", caller->fixture->port);
    while (!atomic_load(caller->stop)) {
        if (client == NULL && sn_http_client_new(&options, &client, &err) != SN_OK) {
            atomic_fetch_add(&caller->failed, 1);
            break;
        }
        bool is_good = sn_http_client_do(client, &call, &reply, &err) == SN_OK && reply.status == 200;
        atomic_fetch_add(is_good ? &caller->answered : &caller->failed, 1);
        if (atomic_load(&caller->answered) % 5 == 0) {
            sn_http_client_free(client);
            client = NULL;
        }
    }
    sn_http_client_free(client);
    sn_http_reply_clear(&reply);
    return NULL;
}

/* TVM-47: new connections get the new certificate, no request fails, and a pair that does not match changes nothing. */
static void certificate_changes_under_load(void **state)
{
    (void)state;
    enum { CALLERS = 3, AT_LEAST = 20 };
    struct caller callers[CALLERS] = {0};
    atomic_bool stop_calling = false;
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    start_tls(&fixture, &options, &first);
    assert_call(&fixture, first.cert, "");
    assert_call(&fixture, second.cert, "HTTP_TLS");
    for (int i = 0; i < CALLERS; i++) {
        callers[i].fixture = &fixture;
        callers[i].stop = &stop_calling;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]), 0);
    }
    for (unsigned round = 1; round <= 6; round++) {
        struct sn_tls_context *context = load(round % 2 == 1 ? &second : &first);
        sn_listener_set_tls(fixture.listener, context);
        sn_tls_context_unref(context);
        assert_call(&fixture, round % 2 == 1 ? second.cert : first.cert, "");
        assert_call(&fixture, round % 2 == 1 ? first.cert : second.cert, "HTTP_TLS");
        while (atomic_load(&callers[0].answered) < round * AT_LEAST && atomic_load(&callers[0].failed) == 0) {
            (void)poll(NULL, 0, 1);
        }
    }
    struct sn_error err;
    struct sn_tls_context *mismatched = NULL;
    assert_int_not_equal(sn_tls_context_load(first.cert, second.key, &mismatched, &err), SN_OK);
    assert_call(&fixture, first.cert, "");
    atomic_store(&stop_calling, true);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        assert_int_equal(atomic_load(&callers[i].failed), 0);
    }
    stop(&fixture);
}

/* TVM-47: with a certificate an address off loopback may be served; without one it may not (listener_life_test). */
static void tls_allows_other_addresses(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    options.addresses[0].text = "0.0.0.0:0";
    start_tls(&fixture, &options, &first);
    assert_call(&fixture, first.cert, "");
    stop(&fixture);
}

/* ATK-31: the subset holds inside TLS: pipelined requests, plain text and half a handshake get nowhere. */
static void attack_31_inside_tls(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *answer;
    } rows[] = {
        {"good", "GET / HTTP/1.1\r\nHost: 127.0.0.1:@\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
        {"pipelined", "GET / HTTP/1.1\r\nHost: 127.0.0.1:@\r\n\r\nGET / HTTP/1.1\r\nHost: 127.0.0.1:@\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\n"},
        {"bare LF", "GET / HTTP/1.1\nHost: 127.0.0.1:@\n\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 421 Misdirected Request\r\n"},
    };
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    start_tls(&fixture, &options, &first);
    char where[32];
    (void)snprintf(where, sizeof(where), "127.0.0.1:%u", fixture.port);
    const char *const arguments[] = {"openssl", "s_client", "-quiet", "-ign_eof", "-connect", where, NULL};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf wire = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf answer = {0};
        print_message("# %s\n", rows[i].name);
        (void)run_openssl(arguments, with_port(&wire, sn_slice_str(rows[i].text), fixture.port), &answer);
        assert_true(sn_slice_has_prefix(sn_buf_slice(&answer), sn_slice_str(rows[i].answer)));
    }
    int fd = send_to(&fixture, SN_S("GET / HTTP/1.1\r\nHost: 127.0.0.1:@\r\n\r\n"));
    char bytes[64];
    ssize_t count = recv(fd, bytes, sizeof(bytes), 0);
    assert_true(count <= 0 || memcmp(bytes, "HTTP", 4) != 0); /* an alert at most */
    (void)close(fd);
    assert_call(&fixture, first.cert, "");
    stop(&fixture);
}

/* ATK-31: 5 s for a handshake. */
static void attack_31_handshake_times_out(void **state)
{
    (void)state;
    struct fixture fixture;
    struct still_clock still;
    still_clock_init(&still);
    struct sn_listener_options options = plain_options(&fixture);
    options.clock = &still.clock;
    start_tls(&fixture, &options, &first);
    int silent = raw_connect(fixture.port);
    int begun = send_to(&fixture, SN_S("\x16\x03\x01"));
    wait_for_stat(&fixture, connections_reading, 2);
    still_clock_add_s(&still, 5);
    assert_true(raw_is_closed(silent));
    assert_true(raw_is_closed(begun));
    assert_call(&fixture, first.cert, "");
    (void)close(silent);
    (void)close(begun);
    stop(&fixture);
}

/* A large answer over TLS to a peer that reads slowly arrives whole. */
static void large_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_error err;
    struct sn_http_client *client = NULL;
    struct sn_http_reply reply = {0};
    char url[64];
    const struct sn_http_client_options client_options = {.ca_file = first.cert};
    struct sn_listener_options options = plain_options(&fixture);
    start_tls(&fixture, &options, &first);
    struct sn_http_call call = {.method = "GET", .url = url, .max_body = 8 * 1024 * 1024};
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/large", fixture.port);
    assert_ok(sn_http_client_new(&client_options, &client, &err), &err);
    for (int i = 0; i < 2; i++) {
        assert_ok(sn_http_client_do(client, &call, &reply, &err), &err);
        assert_int_equal(reply.body.len, 5000000);
    }
    sn_http_reply_clear(&reply);
    sn_http_client_free(client);
    stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_changes_under_load),
        cmocka_unit_test(tls_allows_other_addresses),
        cmocka_unit_test(attack_31_inside_tls),
        cmocka_unit_test(attack_31_handshake_times_out),
        cmocka_unit_test(large_answer),
    };
    int failed = cmocka_run_group_tests_name("net/listener_tls", tests, make_certificates, remove_certificates);
    worker_threads = 2;
    return failed + cmocka_run_group_tests_name(
                        "net/listener_tls, workers are tasks", tests, make_certificates, remove_certificates);
}
