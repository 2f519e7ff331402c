/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the relay over real sockets, with a scripted TVM: every check in its order, and what it answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "vault/relay.h"

/* Shared with the relay's workers. */
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static struct sn_error fetch_error;
static int fetch_http_status;
static int notices;
static char last_notice[SN_ERROR_CODE_MAX];

static enum sn_status scripted_fetch(
    void *ctx, struct sn_credentials *out_credentials, int *out_http_status, struct sn_error *err)
{
    (void)ctx;
    pthread_mutex_lock(&shared);
    struct sn_error planned = fetch_error;
    *out_http_status = fetch_http_status;
    pthread_mutex_unlock(&shared);
    if (planned.status != SN_OK) {
        *err = planned;
        return planned.status;
    }
    snprintf(out_credentials->access_key_id, sizeof(out_credentials->access_key_id), "ASIANEXT");
    sn_secret_set(&out_credentials->secret_access_key, SN_S("CANARY-secret"));
    sn_secret_set(&out_credentials->session_token, SN_S("CANARY-token"));
    out_credentials->expires_unix_s = INT64_C(4070908800); /* 2099-01-01T00:00:00Z */
    return SN_OK;
}

static void count_notice(void *ctx, const struct sn_error *err)
{
    (void)ctx;
    pthread_mutex_lock(&shared);
    notices++;
    snprintf(last_notice, sizeof(last_notice), "%s", err->code);
    pthread_mutex_unlock(&shared);
}

static void plan(const struct sn_error *failure, int http_status)
{
    pthread_mutex_lock(&shared);
    fetch_error = failure == NULL ? (struct sn_error){0} : *failure;
    fetch_http_status = http_status;
    pthread_mutex_unlock(&shared);
}

static void expect_notices(int count, const char *last_code)
{
    pthread_mutex_lock(&shared);
    assert_int_equal(notices, count);
    if (last_code != NULL) {
        assert_string_equal(last_notice, last_code);
    }
    pthread_mutex_unlock(&shared);
}

static struct sn_relay *start(const char *unix_path, bool is_unix, pid_t tree_root, int64_t reuse_s)
{
    struct sn_relay_options options = {.is_unix = is_unix,
        .unix_path = unix_path,
        .tree_root = tree_root,
        .reuse_s = reuse_s,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .fetch = scripted_fetch,
        .notice = count_notice};
    SN_AUTO(sn_credentials_clear) struct sn_credentials first = {0};
    struct sn_relay *relay = NULL;
    struct sn_error err = {0};

    plan(NULL, 0);
    pthread_mutex_lock(&shared);
    notices = 0;
    pthread_mutex_unlock(&shared);
    snprintf(first.access_key_id, sizeof(first.access_key_id), "ASIAFIRST");
    sn_secret_set(&first.secret_access_key, SN_S("CANARY-secret"));
    sn_secret_set(&first.session_token, SN_S("CANARY-token"));
    first.expires_unix_s = INT64_C(4070908800);
    if (sn_relay_new(&options, &first, &relay, &err) != SN_OK) {
        fail_msg("%s: %s", err.code, err.message);
    }
    return relay;
}

static int connect_to(const struct sn_relay *relay)
{
    const char *path = sn_relay_unix_path(relay);
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(sn_relay_port(relay)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (path != NULL) {
        snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    }
    int done = path != NULL ? connect(fd, (struct sockaddr *)&un, sizeof(un))
                            : connect(fd, (struct sockaddr *)&v4, sizeof(v4));
    return done == 0 ? fd : -1;
}

/* Sends text from a new process (a child of the test, which is the root of the tree) and reads the whole answer. */
static void ask_raw(const struct sn_relay *relay, const char *text, char *answer, size_t size)
{
    int fds[2];
    size_t len = 0;

    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        char piece[4096];
        ssize_t got;
        int fd = connect_to(relay);
        if (fd < 0 || write(fd, text, strlen(text)) < 0) {
            _exit(1);
        }
        while ((got = read(fd, piece, sizeof(piece))) > 0) {
            if (write(fds[1], piece, (size_t)got) != got) {
                _exit(1);
            }
        }
        _exit(0);
    }
    close(fds[1]);
    ssize_t got;
    while (len + 1 < size && (got = read(fds[0], answer + len, size - 1 - len)) > 0) {
        len += (size_t)got;
    }
    answer[len] = '\0';
    close(fds[0]);
    waitpid(child, NULL, 0);
}

/* Status of an answer; the body is left in body. */
static int ask(const struct sn_relay *relay, const char *request_line, const char *host, const char *token,
    const char *more, char body[4096])
{
    char text[4096];
    char answer[8192];
    int status = 0;

    snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: %s\r\n%s%s%s%s\r\n", request_line, host,
        token != NULL ? "Authorization: " : "", token != NULL ? token : "", token != NULL ? "\r\n" : "", more);
    ask_raw(relay, text, answer, sizeof(answer));
    if (strncmp(answer, "HTTP/1.1 ", 9) == 0) {
        status = (answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0');
    }
    char *start_of_body = strstr(answer, "\r\n\r\n");
    snprintf(body, 4096, "%.4000s", start_of_body == NULL ? "" : start_of_body + 4);
    return status;
}

struct here {
    struct sn_relay *relay;
    char host[32], token[64];
};

static struct here tcp_here(int64_t reuse_s)
{
    struct here h = {.relay = start(NULL, false, getpid(), reuse_s)};

    snprintf(h.host, sizeof(h.host), "127.0.0.1:%u", (unsigned)sn_relay_port(h.relay));
    snprintf(h.token, sizeof(h.token), "%.*s", SN_PRI(sn_relay_token(h.relay)));
    return h;
}

static void answers_in_the_container_format(void **state)
{
    struct here h = tcp_here(30);
    char localhost[32];
    char body[4096];
    (void)state;

    assert_int_equal(strlen(h.token), 43);
    assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 200);
    assert_string_equal(body, "{\"AccessKeyId\":\"ASIAFIRST\",\"SecretAccessKey\":\"CANARY-secret\","
                              "\"Token\":\"CANARY-token\",\"Expiration\":\"2099-01-01T00:00:00Z\"}");
    snprintf(localhost, sizeof(localhost), "localhost:%u", (unsigned)sn_relay_port(h.relay));
    assert_int_equal(ask(h.relay, "GET /", localhost, h.token, "", body), 200);
    assert_int_equal(ask(h.relay, "GET /x", h.host, h.token, "", body), 404);
    assert_int_equal(ask(h.relay, "POST /", h.host, h.token, "Content-Length: 0\r\n", body), 405);
    expect_notices(0, NULL);
    sn_relay_free(h.relay);
}

/* ATK-26: each of these is answered 403 with one uniform body, and no secret in it. */
static void attack_26_what_the_relay_refuses(void **state)
{
    struct here h = tcp_here(30);
    char shorter[64];
    char longer[64];
    char wrong[64];
    char other_port[32];
    (void)state;

    snprintf(shorter, sizeof(shorter), "%.42s", h.token);
    snprintf(longer, sizeof(longer), "%.43sx", h.token);
    snprintf(wrong, sizeof(wrong), "%s", h.token);
    wrong[20] = wrong[20] == 'A' ? 'B' : 'A';
    snprintf(other_port, sizeof(other_port), "127.0.0.1:%u", (unsigned)sn_relay_port(h.relay) ^ 1U);
    const struct {
        const char *name, *host, *token, *more;
    } rows[] = {
        {"no token", h.host, NULL, ""},
        {"empty token", h.host, "", ""},
        {"short token", h.host, shorter, ""},
        {"long token", h.host, longer, ""},
        {"wrong token", h.host, wrong, ""},
        {"Bearer form", h.host, "Bearer x", ""},
        {"other host", "evil.example", h.token, ""},
        {"rebound host", "evil.example:80", h.token, ""},
        {"host without port", "127.0.0.1", h.token, ""},
        {"host with other port", other_port, h.token, ""},
        {"another loopback name", "127.0.0.2:80", h.token, ""},
        {"IPv6 loopback", "[::1]:80", h.token, ""},
        {"Origin", h.host, h.token, "Origin: http://evil.example\r\n"},
        {"Origin null", h.host, h.token, "Origin: null\r\n"},
        {"fetch metadata", h.host, h.token, "Sec-Fetch-Site: cross-site\r\n"},
        {"fetch metadata, same site", h.host, h.token, "sec-fetch-site: same-origin\r\n"},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        char body[4096];
        print_message("# %s\n", rows[i].name);
        assert_int_equal(ask(h.relay, "GET /", rows[i].host, rows[i].token, rows[i].more, body), 403);
        assert_string_equal(body, "{\"code\":\"RELAY_FORBIDDEN\",\"message\":\"request refused\"}");
    }
    expect_notices(4, "SECURITY"); /* host, browser, no token, wrong token: each kind once */
    sn_relay_free(h.relay);
}

/* What breaks HTTP never reaches the checks: two tokens, two hosts, forwarded framing. */
static void attack_26_ambiguous_requests(void **state)
{
    struct here h = tcp_here(30);
    static const char *const more[] = {"Authorization: x\r\n", "Host: evil.example\r\n",
        "Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\n\r\nabc", " folded: x\r\n"};
    (void)state;
    for (size_t i = 0; i < SN_LEN(more); i++) {
        char body[4096];
        print_message("# %zu\n", i);
        assert_int_equal(ask(h.relay, "GET /", h.host, h.token, more[i], body), 400);
        assert_null(strstr(body, "CANARY"));
    }
    sn_relay_free(h.relay);
}

/* A head of 8 KiB is read, a longer one is not. */
static void attack_26_long_heads(void **state)
{
    struct here h = tcp_here(30);
    (void)state;
    for (int over = 0; over <= 1; over++) {
        char text[8300];
        char answer[8192];
        size_t len = (size_t)snprintf(
            text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nX-Filler: ", h.host, h.token);
        size_t fill = 8192 - len - 4 + (size_t)over;
        memset(text + len, 'f', fill);
        snprintf(text + len + fill, sizeof(text) - len - fill, "\r\n\r\n");
        ask_raw(h.relay, text, answer, sizeof(answer));
        assert_int_equal(strncmp(answer, over ? "HTTP/1.1 431 " : "HTTP/1.1 200 ", 13), 0);
    }
    sn_relay_free(h.relay);
}

/* ATK-26: the right token from a process that does not descend from the root is refused. */
static void attack_26_process_outside_the_tree(void **state)
{
    char body[4096];
    char host[32];
    char token[64];
    (void)state;

    pid_t root = fork(); /* a tree of its own, to which the asking process does not belong */
    if (root == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    struct sn_relay *relay = start(NULL, false, root, 30);
    snprintf(host, sizeof(host), "127.0.0.1:%u", (unsigned)sn_relay_port(relay));
    snprintf(token, sizeof(token), "%.*s", SN_PRI(sn_relay_token(relay)));
    assert_int_equal(ask(relay, "GET /", host, token, "", body), 403);
    assert_string_equal(body, "{\"code\":\"RELAY_FORBIDDEN\",\"message\":\"request refused\"}");
    sn_relay_free(relay);

    relay = start(NULL, true, root, 30);
    snprintf(token, sizeof(token), "%.*s", SN_PRI(sn_relay_token(relay)));
    assert_int_equal(ask(relay, "GET /", "localhost", token, "", body), 403);
    sn_relay_free(relay);
    kill(root, SIGKILL);
    waitpid(root, NULL, 0);
}

static void failures_are_passed_through(void **state)
{
    struct here h = tcp_here(0);
    char body[4096];
    struct sn_error failure;
    (void)state;

    sn_fail(&failure, SN_DENIED, "POLICY_DENY", "Access denied by policy: no");
    sn_suggest(&failure, "see why");
    sn_error_detail(&failure, "request_id", "4g7kq2m9x0v5c8za");
    plan(&failure, 403);
    assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 403);
    assert_string_equal(body,
        "{\"code\":\"POLICY_DENY\",\"message\":\"Access denied by policy: no\",\"hint\":\"see why\","
        "\"request_id\":\"4g7kq2m9x0v5c8za\",\"Code\":\"POLICY_DENY\",\"Message\":\"Access denied by policy: no\"}");
    assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 403);
    expect_notices(1, NULL); /* the first one only */

    sn_fail(&failure, SN_UNAVAILABLE, "TVM_UNREACHABLE", "cannot connect");
    plan(&failure, 0);
    assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 502);
    assert_non_null(strstr(body, "\"Code\":\"TVM_UNREACHABLE\""));

    /* A success that holds no credentials is none for the asker either, nor is a redirect. */
    static const int statuses[] = {200, 302};
    for (size_t i = 0; i < SN_LEN(statuses); i++) {
        sn_fail(&failure, SN_PROTOCOL, "TVM_ANSWER_INVALID", "the answer is not JSON");
        plan(&failure, statuses[i]);
        assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 502);
    }

    sn_fail(&failure, SN_NOT_FOUND, "CONFIG_MISSING_CREDENTIALS", "no credentials");
    plan(&failure, 0);
    assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 403);
    assert_non_null(strstr(body, "\"Code\":\"BASE_CREDENTIALS\""));

    sn_fail(&failure, SN_THROTTLED, "RATE_LIMITED", "Too many requests; retry in 7 s");
    sn_error_retryable(&failure, 7);
    plan(&failure, 429);
    assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 429);
    expect_notices(4, NULL);

    plan(NULL, 0);
    assert_int_equal(ask(h.relay, "GET /", h.host, h.token, "", body), 200);
    assert_non_null(strstr(body, "ASIANEXT"));
    sn_relay_free(h.relay);
}

static void unix_socket(void **state)
{
    struct sn_relay *relay = start(NULL, true, getpid(), 30);
    char path[128];
    char dir[128];
    char token[64];
    char body[4096];
    struct stat facts;
    (void)state;

    assert_int_equal(sn_relay_port(relay), 0);
    snprintf(path, sizeof(path), "%.100s", sn_relay_unix_path(relay));
    snprintf(dir, sizeof(dir), "%s", path);
    *strrchr(dir, '/') = '\0';
    assert_int_equal(stat(path, &facts), 0);
    assert_true(S_ISSOCK(facts.st_mode));
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(stat(dir, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0700);
    snprintf(token, sizeof(token), "%.*s", SN_PRI(sn_relay_token(relay)));
    assert_int_equal(ask(relay, "GET /", "localhost", token, "", body), 200);
    assert_int_equal(ask(relay, "GET /", "evil.example", token, "", body), 403);
    assert_int_equal(ask(relay, "GET /", "localhost", "x", "", body), 403);
    sn_relay_free(relay);
    assert_int_equal(stat(path, &facts), -1);
    assert_int_equal(stat(dir, &facts), -1);
}

/* TVM-29: what lies at a chosen path is kept unless it is a socket of ours. */
static void chosen_path(void **state)
{
    char dir[] = "/tmp/sn-relay-test-XXXXXX";
    char path[64];
    struct sn_error err;
    struct stat facts;
    struct sn_relay *relay = NULL;
    struct sn_credentials none = {.expires_unix_s = INT64_C(4070908800)};
    (void)state;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/sock", dir);
    struct sn_relay_options options = {.is_unix = true,
        .unix_path = path,
        .tree_root = getpid(),
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .fetch = scripted_fetch,
        .notice = count_notice};
    assert_int_equal(sn_fs_write_new(path, 0600, SN_S("precious"), &err), SN_OK);
    assert_int_equal(sn_relay_new(&options, &none, &relay, &err), SN_CONFLICT);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_size, 8);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(sn_relay_new(&options, &none, &relay, &err), SN_CONFLICT);
    assert_int_equal(unlink(path), 0);

    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&un, sizeof(un)), 0);
    close(stale);
    assert_int_equal(sn_relay_new(&options, &none, &relay, &err), SN_OK);
    sn_relay_free(relay);
    assert_int_equal(stat(path, &facts), -1);
    options.unix_path = "relative/sock";
    assert_int_equal(sn_relay_new(&options, &none, &relay, &err), SN_USAGE);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_the_container_format),
        cmocka_unit_test(attack_26_what_the_relay_refuses),
        cmocka_unit_test(attack_26_ambiguous_requests),
        cmocka_unit_test(attack_26_long_heads),
        cmocka_unit_test(attack_26_process_outside_the_tree),
        cmocka_unit_test(failures_are_passed_through),
        cmocka_unit_test(unix_socket),
        cmocka_unit_test(chosen_path),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
