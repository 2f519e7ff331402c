/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client against scripted servers on real sockets: what it sends, and what it makes of answers that are cut,
 * slow, huge, redirects or no HTTP at all.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/task.h"
#include "net/client.h"
#include "net/listener.h"
#include "raw_http.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

struct outcome {
    enum sn_status status;
    struct sn_http_reply reply;
    struct sn_error err;
    struct sn_buf requests;
    size_t connections;
};

static void outcome_clear(struct outcome *outcome)
{
    sn_http_reply_clear(&outcome->reply);
    sn_buf_clear(&outcome->requests);
}

/* The program runs once with calls of a thread and once with calls of a task. */
static bool as_task;

struct calls {
    struct sn_http_client *client;
    const struct sn_http_call *call;
    int times;
    struct outcome *out;
};

static void make_calls(void *ctx)
{
    struct calls *calls = ctx;
    for (int i = 0; i < calls->times; i++) {
        calls->out->status = sn_http_client_do(calls->client, calls->call, &calls->out->reply, &calls->out->err);
    }
}

static void run_somewhere(sn_task_fn fn, void *ctx)
{
    struct sn_crew *crew = NULL;
    struct sn_error err;
    if (!as_task) {
        fn(ctx);
        return;
    }
    assert_ok(sn_crew_new(1, &crew, &err), &err);
    sn_crew_add(crew, fn, ctx);
    assert_ok(sn_crew_start(crew, &err), &err);
    sn_crew_free(crew);
}

/* Makes the call against a server with these answers; the URL is http://127.0.0.1:PORT and path. */
static void run(const struct raw_answer *answers, size_t count, const char *path, struct sn_http_call *call, int times,
    struct outcome *out)
{
    struct raw_server *server = raw_server_start(answers, count);
    struct sn_http_client *client = NULL;
    char url[512];
    *out = (struct outcome){0};
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", raw_server_port(server), path);
    call->url = url;
    call->method = call->method != NULL ? call->method : "GET";
    assert_ok(sn_http_client_new(NULL, &client, &out->err), &out->err);
    struct calls calls = {client, call, times, out};
    run_somewhere(make_calls, &calls);
    sn_http_client_free(client);
    raw_server_stop(server, &out->requests, &out->connections);
}

static void sends_exactly_what_it_was_given(void **state)
{
    (void)state;
    static const struct raw_answer answers[] = {{.bytes = SN_S_INIT(OK_EMPTY)}};
    struct sn_http_call call = {.method = "POST", .body = SN_S("a=b&c=\xff")};
    struct outcome out;
    char expected[512];
    sn_http_call_header(&call, "Host", SN_S("sts.amazonaws.com"));
    sn_http_call_header(&call, "Content-Type", SN_S("application/x-www-form-urlencoded; charset=utf-8"));
    sn_http_call_header(&call, "X-Empty", SN_S(""));
    sn_http_call_header(&call, "User-Agent", SN_S("agent/1"));
    run(answers, 1, "/a/../b//c/%2e%2e/?x=%2F&y=%20", &call, 1, &out);
    assert_int_equal(out.status, SN_OK);
    (void)snprintf(expected, sizeof(expected),
        "POST /a/../b//c/%%2e%%2e/?x=%%2F&y=%%20 HTTP/1.1\r\n"
        "Host: sts.amazonaws.com\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
        "X-Empty:\r\n"
        "User-Agent: agent/1\r\n"
        "Content-Length: 7\r\n\r\na=b&c=\xff");
    /* Order of headers is the library's; presence and absence are ours. */
    struct sn_slice sent = sn_buf_slice(&out.requests), want = sn_slice_str(expected), line;
    assert_int_equal(sent.len, want.len);
    while (sn_slice_next(&want, '\n', &line)) {
        assert_true(sn_slice_contains(sent, line));
    }
    assert_true(sn_slice_has_suffix(sent, SN_S("\r\n\r\na=b&c=\xff")));
    outcome_clear(&out);
}

static void adds_nothing_to_a_get(void **state)
{
    (void)state;
    static const struct raw_answer answers[] = {{.bytes = SN_S_INIT(OK_EMPTY)}};
    struct sn_http_call call = {0};
    struct outcome out;
    run(answers, 1, "/", &call, 1, &out);
    struct sn_slice sent = sn_buf_slice(&out.requests), line, name, value;
    int lines = 0;
    while (sn_slice_next(&sent, '\n', &line)) {
        lines += sn_slice_trim_space(line).len > 0 ? 1 : 0;
        if (sn_slice_cut(line, ':', &name, &value)) {
            assert_true(sn_slice_eq_str(name, "Host") || sn_slice_eq_str(name, "User-Agent"));
        }
    }
    assert_int_equal(lines, 3);
    assert_true(sn_slice_contains(sn_buf_slice(&out.requests), SN_S("User-Agent: sentinel/" SN_VERSION "\r\n")));
    outcome_clear(&out);
}

/* Any status is an answer; a redirect is handed over and never followed; cookies are not kept. */
static void redirects_and_cookies_are_not_followed(void **state)
{
    (void)state;
    static const struct raw_answer answers[] = {
        {.bytes = SN_S_INIT("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/evil\r\nSet-Cookie: a=b\r\n"
                            "Content-Length: 2\r\n\r\nno")},
        {.bytes = SN_S_INIT("HTTP/1.1 307 Temporary Redirect\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")},
    };
    struct sn_http_call call = {.method = "POST", .body = SN_S("x")};
    struct outcome out;
    run(answers, 2, "/", &call, 2, &out);
    assert_int_equal(out.status, SN_OK);
    assert_int_equal(out.reply.status, 307);
    assert_slice_equal(sn_http_reply_header(&out.reply, "LOCATION"), "/again");
    assert_false(sn_slice_contains(sn_buf_slice(&out.requests), SN_S("ookie")));
    assert_int_equal(out.connections, 1); /* kept alive */
    outcome_clear(&out);
}

static void answers_and_failures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct raw_answer answer;
        int timeout_ms;
        size_t max_body;
        enum sn_status status;
        const char *code_or_body;
        int http_status;
    } rows[] = {
        {"plain", {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")}, 0, 0, SN_OK, "hello", 200},
        {"chunked",
            {.bytes =
                    SN_S_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")},
            0, 0, SN_OK, "hello", 200},
        {"until the end",
            {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"), .close_after = true}, 0, 0, SN_OK,
            "hello", 200},
        {"server error with a page",
            {.bytes = SN_S_INIT("HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\n"
                                "Content-Length: 6\r\n\r\n<html>")},
            0, 0, SN_OK, "<html>", 500},
        {"interim answer first",
            {.bytes = SN_S_INIT("HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\nHTTP/1.1 200 OK\r\n"
                                "Content-Length: 2\r\n\r\nok")},
            0, 0, SN_OK, "ok", 200},
        {"at the limit", {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")}, 0, 5, SN_OK,
            "hello", 200},
        {"announced too large", {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!")}, 0, 5,
            SN_LIMIT, "HTTP_TOO_LARGE", 0},
        {"too large in chunks",
            {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n")}, 0, 5,
            SN_LIMIT, "HTTP_TOO_LARGE", 0},
        {"cut in the body",
            {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"), .close_after = true}, 0, 0,
            SN_UNAVAILABLE, "HTTP_CUT", 0},
        {"cut in a chunk",
            {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhel"), .close_after = true},
            0, 0, SN_UNAVAILABLE, "HTTP_CUT", 0},
        {"cut before the answer", {.close_before = true}, 0, 0, SN_UNAVAILABLE, "HTTP_CUT", 0},
        {"cut in the head", {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nContent-"), .close_after = true}, 0, 0,
            SN_UNAVAILABLE, "HTTP_CUT", 0},
        {"silent", {.hold = true}, 150, 0, SN_TIMEOUT, "HTTP_TIMEOUT", 0},
        {"no HTTP", {.bytes = SN_S_INIT("<html>hello</html>\r\n\r\n"), .close_after = true}, 0, 0, SN_PROTOCOL,
            "HTTP_PROTOCOL", 0},
        {"length that is no number",
            {.bytes = SN_S_INIT("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), .close_after = true}, 0, 0,
            SN_PROTOCOL, "HTTP_PROTOCOL", 0},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_http_call call = {.total_timeout_ms = rows[i].timeout_ms, .max_body = rows[i].max_body};
        struct outcome out;
        print_message("# %s\n", rows[i].name);
        run(&rows[i].answer, 1, "/path?secret=CANARY", &call, 1, &out);
        assert_int_equal(out.status, rows[i].status);
        if (rows[i].status == SN_OK) {
            assert_int_equal(out.reply.status, rows[i].http_status);
            assert_slice_equal(sn_buf_slice(&out.reply.body), rows[i].code_or_body);
            assert_int_equal(sn_http_reply_header(&out.reply, "x-a").len, 0);
        } else {
            assert_string_equal(out.err.code, rows[i].code_or_body);
            assert_null(strstr(out.err.message, "CANARY")); /* queries do not reach logs */
            assert_int_equal(out.err.retryable, rows[i].status == SN_UNAVAILABLE);
            assert_int_equal(out.reply.body.len, 0);
        }
        outcome_clear(&out);
    }
}

/* Headers without end are cut off as well. */
static void endless_headers(void **state)
{
    (void)state;
    struct sn_buf text = {0};
    struct raw_answer answer = {.close_after = true};
    struct sn_http_call call = {0};
    struct outcome out;
    sn_buf_add_str(&text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1000; i++) {
        sn_buf_add_str(&text, "X-A: 0123456789012345678901234567890123456789\r\n");
    }
    sn_buf_add_str(&text, "Content-Length: 0\r\n\r\n");
    answer.bytes = sn_buf_slice(&text);
    run(&answer, 1, "/", &call, 1, &out);
    assert_int_equal(out.status, SN_LIMIT);
    outcome_clear(&out);
    sn_buf_clear(&text);
}

/* A call that could be read as more than it is never leaves. */
static void bad_calls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *header;
        struct sn_slice value;
        const char *code;
    } rows[] = {
        {"file:///etc/passwd", NULL, {0}, "HTTP_URL"},
        {"ftp://127.0.0.1/", NULL, {0}, "HTTP_URL"},
        {"gopher://127.0.0.1/", NULL, {0}, "HTTP_URL"},
        {"http://127.0.0.1:1/a b", NULL, {0}, "HTTP_URL"},
        {"http://127.0.0.1:1/\r\nX-A: b", NULL, {0}, "HTTP_URL"},
        {"http://127.0.0.1:1/#a", NULL, {0}, "HTTP_URL"},
        {"", NULL, {0}, "HTTP_URL"},
        {"http://127.0.0.1:1/", "X-A", SN_S_INIT("b\r\nX-B: c"), "HTTP_HEADER"},
        {"http://127.0.0.1:1/", "X-A", SN_S_INIT("b\0c"), "HTTP_HEADER"},
        {"http://127.0.0.1:1/", "X-A: b\r\nX-B", SN_S_INIT("c"), "HTTP_HEADER"},
        {"http://127.0.0.1:1/", "", SN_S_INIT("c"), "HTTP_HEADER"},
        {"http://127.0.0.1:1/", NULL, {0}, "HTTP_CONNECT"},
        {"http://user:secret@127.0.0.1:1/", NULL, {0}, "HTTP_URL"},
        {"http://name.invalid/", NULL, {0}, "HTTP_RESOLVE"},
    };
    struct sn_error err;
    struct sn_http_client *client = NULL;
    assert_ok(sn_http_client_new(NULL, &client, &err), &err);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_http_call call = {.method = "GET", .url = rows[i].url};
        struct sn_http_reply reply = {0};
        print_message("# %s\n", rows[i].code);
        if (rows[i].header != NULL) {
            sn_http_call_header(&call, rows[i].header, rows[i].value);
        }
        assert_fails(sn_http_client_do(client, &call, &reply, &err), &err, rows[i].code);
        assert_null(strstr(err.message, "secret"));
    }
    sn_http_client_free(client);
}

/* Proxies of the environment never see a call to this machine, and no call of ours reads ~/.netrc. */
static void no_proxy_for_loopback(void **state)
{
    (void)state;
    static const struct raw_answer answers[] = {{.bytes = SN_S_INIT(OK_EMPTY)}};
    struct sn_http_call call = {0};
    struct outcome out;
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    run(answers, 1, "/", &call, 1, &out);
    assert_int_equal(out.status, SN_OK);
    outcome_clear(&out);

    struct sn_http_client *client = NULL;
    struct sn_http_call outer = {.method = "GET", .url = "http://sts.example/"};
    assert_ok(sn_http_client_new(NULL, &client, &out.err), &out.err);
    assert_fails(sn_http_client_do(client, &outer, &out.reply, &out.err), &out.err, "HTTP_CONNECT"); /* the proxy */
    sn_http_client_free(client);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

/* A warm connection that the server has closed in the meantime is replaced without the caller noticing. */
static void stale_connection_is_replaced(void **state)
{
    (void)state;
    static const struct raw_answer answers[] = {
        {.bytes = SN_S_INIT(OK_EMPTY), .close_after = true},
        {.bytes = SN_S_INIT(OK_EMPTY)},
    };
    struct sn_http_call call = {.method = "POST", .body = SN_S("a")};
    struct outcome out;
    run(answers, 2, "/", &call, 2, &out);
    assert_int_equal(out.status, SN_OK);
    assert_int_equal(out.connections, 2);
    outcome_clear(&out);
}

static void echo(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    (void)ctx;
    response->status = 200;
    sn_buf_add(&response->body, request->peer.is_unix ? SN_S("unix") : SN_S("tcp"));
}

/* Client and listener over a Unix socket. */
static void unix_socket(void **state)
{
    (void)state;
    char directory[] = "/tmp/sn-client-XXXXXX", path[64], text[80];
    struct sn_error err;
    struct sn_listener *listener = NULL;
    struct sn_http_client *client = NULL;
    struct sn_http_reply reply = {0};
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof(path), "%s/s.sock", directory);
    (void)snprintf(text, sizeof(text), "unix:%s", path);
    struct sn_listener_options options = {
        .addresses = {{.text = text}}, .address_count = 1, .workers = 1, .handle = echo};
    assert_ok(sn_listener_new(&options, &listener, &err), &err);
    assert_ok(sn_listener_start(listener, &err), &err);
    assert_ok(sn_http_client_new(NULL, &client, &err), &err);
    struct sn_http_call call = {.method = "GET", .url = "http://localhost/", .unix_socket = path};
    assert_ok(sn_http_client_do(client, &call, &reply, &err), &err);
    assert_int_equal(reply.status, 200);
    assert_slice_equal(sn_buf_slice(&reply.body), "unix");
    sn_http_reply_clear(&reply);
    sn_http_client_free(client);
    sn_listener_free(listener);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_exactly_what_it_was_given),
        cmocka_unit_test(adds_nothing_to_a_get),
        cmocka_unit_test(redirects_and_cookies_are_not_followed),
        cmocka_unit_test(answers_and_failures),
        cmocka_unit_test(endless_headers),
        cmocka_unit_test(bad_calls),
        cmocka_unit_test(no_proxy_for_loopback),
        cmocka_unit_test(stale_connection_is_replaced),
        cmocka_unit_test(unix_socket),
    };
    int failed = cmocka_run_group_tests_name("net/client", tests, NULL, NULL);
    as_task = true;
    return failed + cmocka_run_group_tests_name("net/client of a task", tests, NULL, NULL);
}
