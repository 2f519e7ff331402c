/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict subset of HTTP/1.1 over a real socket (ATK-31, TVM-46): for every rule a request that breaks it, its
 * status, and a good request on a new connection afterwards.
 */
#include "listener_fixture.h"

#define HOST "Host: 127.0.0.1:@\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST
#define POST "POST / HTTP/1.1\r\n" HOST
#define JSON "Content-Type: application/json\r\n"

struct row {
    const char *name;
    struct sn_slice bytes;
    int status;
    const char *code;
};

static const struct row hostile[] = {
#define R(row_name, text, row_status, row_code)                                                                        \
    {                                                                                                                  \
        row_name, SN_S_INIT(text), row_status, row_code                                                                \
    }
    /* framing of the body */
    R("chunked body", POST JSON "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("Transfer-Encoding: identity", POST "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n", 400,
        "MALFORMED_HTTP"),
    R("Transfer-Encoding on GET", GET "tRANSFER-eNCODING: chunked\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("Transfer-Encoding and length", POST JSON "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400,
        "MALFORMED_HTTP"),
    R("two lengths that differ", POST JSON "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("two equal lengths", POST JSON "Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("list of lengths", POST JSON "Content-Length: 2, 2\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("signed length", POST JSON "Content-Length: +2\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("negative length", POST JSON "Content-Length: -2\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("length with leading zero", POST JSON "Content-Length: 02\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("hexadecimal length", POST JSON "Content-Length: 0x2\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("empty length", POST JSON "Content-Length:\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("length of ten digits", POST JSON "Content-Length: 1000000000\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("length past 64 bits", POST JSON "Content-Length: 18446744073709551618\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("body on GET", GET JSON "Content-Length: 2\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("POST without length", POST JSON "\r\n", 411, "LENGTH_REQUIRED"),
    R("body too large", POST JSON "Content-Length: 65537\r\n\r\n", 413, "BODY_TOO_LARGE"),
    R("body of nine digits", POST JSON "Content-Length: 999999999\r\n\r\n{}", 413, "BODY_TOO_LARGE"),
    R("two requests at once", GET "\r\n" GET "\r\n", 400, "MALFORMED_HTTP"),
    R("bytes behind a body", POST JSON "Content-Length: 2\r\n\r\n{}G", 400, "MALFORMED_HTTP"),
    R("smuggled request behind length 0", POST "Content-Length: 0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n", 400,
        "MALFORMED_HTTP"),
    /* lines */
    R("bare LF behind the request line", "GET / HTTP/1.1\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("bare LF behind a header", "GET / HTTP/1.1\r\nHost: 127.0.0.1:@\n\r\n", 400, "MALFORMED_HTTP"),
    R("bare LF as the blank line", GET "\n", 400, "MALFORMED_HTTP"),
    R("bare CR in a value", "GET / HTTP/1.1\r\n" HOST "X-A: b\rX-B: c\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("CR CR LF", "GET / HTTP/1.1\r\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("blank line first", "\r\n" GET "\r\n", 400, "MALFORMED_HTTP"),
    R("folded with a blank", GET "X-A: b\r\n c\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("folded with a tab", GET "X-A: b\r\n\tc\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("folded first line", "GET / HTTP/1.1\r\n " HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("blank before the colon", GET "X-A : b\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("blank before the colon of Host", "GET / HTTP/1.1\r\nHost : 127.0.0.1:@\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("no colon", GET "X-A\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("no name", GET ": b\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("name with a bracket", GET "X(A): b\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("name with a blank", GET "X A: b\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("NUL in a value", GET "X-A: b\0c\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("NUL in the target", "GET /a\0b HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("tab in a value", GET "X-A: b\tc\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("escape in a value", GET "X-A: \033[2J\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("DEL in a value", GET "X-A: \177\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("UTF-8 in a value", GET "X-A: \303\244\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("0xff in the target", "GET /\377 HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("TLS on a plain port", "\026\003\001\002\000\001\000\001\374\003\003", 400, "MALFORMED_HTTP"),
    /* request line */
    R("HTTP/1.0", "GET / HTTP/1.0\r\n" HOST "\r\n", 505, "VERSION_NOT_SUPPORTED"),
    R("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "VERSION_NOT_SUPPORTED"),
    R("HTTP/0.9", "GET /\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("version in lower case", "GET / http/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("version with two digits", "GET / HTTP/1.10\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("blank in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("blank behind the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("method that is no token", "G(T / HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("absolute form", "GET http://127.0.0.1:@/ HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("absolute form of another host", "GET http://169.254.169.254/ HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("authority form", "CONNECT 127.0.0.1:443 HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("fragment behind the query", "GET /?a=b#c HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("percent in the path", "GET /v1%2fcredentials HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("NUL escape in the path", "GET /v1/whoami%00.png HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("two slashes", "GET //v1/whoami HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("two slashes inside", "GET /v1//whoami HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("dot segment", "GET /v1/./whoami HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("dot-dot segment", "GET /healthz/../v1/whoami HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("dot-dot at the end", "GET /v1/.. HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("semicolon in the path", "GET /v1;a=b HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("backslash in the path", "GET /v1\\whoami HTTP/1.1\r\n" HOST "\r\n", 400, "MALFORMED_HTTP"),
    /* headers that may stand once */
    R("no Host", "GET / HTTP/1.1\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("two Hosts", GET "Host: evil.example\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("two equal Hosts", GET HOST "\r\n", 400, "MALFORMED_HTTP"),
    R("two Authorization", GET "Authorization: a\r\nAUTHORIZATION: a\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("two Content-Type", POST JSON JSON "Content-Length: 2\r\n\r\n{}", 400, "MALFORMED_HTTP"),
    R("two X-Amz-Date", GET "X-Amz-Date: a\r\nx-amz-date: b\r\n\r\n", 400, "MALFORMED_HTTP"),
    R("two X-Amz-Security-Token", GET "X-Amz-Security-Token: a\r\nX-Amz-Security-Token: a\r\n\r\n", 400,
        "MALFORMED_HTTP"),
    R("two X-Sentinel-Audience", GET "X-Sentinel-Audience: a\r\nX-A: b\r\nX-SENTINEL-Audience: c\r\n\r\n", 400,
        "MALFORMED_HTTP"),
    /* methods and expectations */
    R("Expect: 100-continue", POST JSON "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n", 417, "EXPECTATION_FAILED"),
    R("Expect of anything", GET "Expect: nothing\r\n\r\n", 417, "EXPECTATION_FAILED"),
    R("PUT", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
    R("DELETE", "DELETE /v1/sessions HTTP/1.1\r\n" HOST "\r\n", 405, "METHOD_NOT_ALLOWED"),
    R("TRACE", "TRACE / HTTP/1.1\r\n" HOST "\r\n", 405, "METHOD_NOT_ALLOWED"),
    R("method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n", 405, "METHOD_NOT_ALLOWED"),
    /* content type */
    R("no content type", POST "Content-Length: 2\r\n\r\n{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
    R("form body", POST "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b", 415,
        "UNSUPPORTED_MEDIA_TYPE"),
    R("text/plain, as a page of another site can send", POST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
        415, "UNSUPPORTED_MEDIA_TYPE"),
    R("other charset", POST "Content-Type: application/json; charset=utf-16\r\nContent-Length: 2\r\n\r\n{}", 415,
        "UNSUPPORTED_MEDIA_TYPE"),
    R("further parameter", POST "Content-Type: application/json; charset=utf-8; a=b\r\nContent-Length: 2\r\n\r\n{}",
        415, "UNSUPPORTED_MEDIA_TYPE"),
    R("suffix type", POST "Content-Type: application/jsonp\r\nContent-Length: 2\r\n\r\n{}", 415,
        "UNSUPPORTED_MEDIA_TYPE"),
    /* host */
    R("another host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "MISDIRECTED_REQUEST"),
    R("rebound name with our port", "GET / HTTP/1.1\r\nHost: evil.example:@\r\n\r\n", 421, "MISDIRECTED_REQUEST"),
    R("our address as a prefix", "GET / HTTP/1.1\r\nHost: 127.0.0.1:@.evil.example\r\n\r\n", 421,
        "MISDIRECTED_REQUEST"),
    R("our address without port", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 421, "MISDIRECTED_REQUEST"),
    R("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 421, "MISDIRECTED_REQUEST"),
    R("user in the host", "GET / HTTP/1.1\r\nHost: a%127.0.0.1:@\r\n\r\n", 421, "MISDIRECTED_REQUEST"),
    /* query */
    R("repeated parameter", "GET /?a=1&a=2 HTTP/1.1\r\n" HOST "\r\n", 400, "INVALID_REQUEST"),
    R("repeated parameter, once escaped", "GET /?profile=a&p%72ofile=b HTTP/1.1\r\n" HOST "\r\n", 400,
        "INVALID_REQUEST"),
    R("repeated parameter, plus and %20", "GET /?a+b=1&a%20b=2 HTTP/1.1\r\n" HOST "\r\n", 400, "INVALID_REQUEST"),
    R("half an escape", "GET /?a=%2 HTTP/1.1\r\n" HOST "\r\n", 400, "INVALID_REQUEST"),
    R("escape of no digits", "GET /?a=%zz HTTP/1.1\r\n" HOST "\r\n", 400, "INVALID_REQUEST"),
    R("escape of NUL", "GET /?a=%00 HTTP/1.1\r\n" HOST "\r\n", 400, "INVALID_REQUEST"),
    R("overlong UTF-8", "GET /?a=%c0%af HTTP/1.1\r\n" HOST "\r\n", 400, "INVALID_REQUEST"),
    R("half a character", "GET /?a=%c3 HTTP/1.1\r\n" HOST "\r\n", 400, "INVALID_REQUEST"),
#undef R
};

static void assert_answer(
    const struct fixture *fixture, const char *name, struct sn_slice bytes, int status, const char *code)
{
    struct raw_reply reply = {0};
    print_message("# %s\n", name);
    int handled = atomic_load(&fixture->handled);
    int fd = send_to(fixture, bytes);
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, status);
    SN_AUTO(sn_buf_clear) struct sn_buf quoted = {0};
    sn_buf_addf(&quoted, "\"code\":\"%s\"", code);
    assert_true(sn_slice_contains(sn_buf_slice(&reply.body), sn_buf_slice(&quoted)));
    assert_slice_equal(raw_header(&reply, "connection"), "close");
    assert_true(raw_is_closed(fd));
    assert_int_equal(atomic_load(&fixture->handled), handled); /* nobody was asked */
    raw_reply_clear(&reply);
    (void)close(fd);
    assert_good_request_works(fixture);
}

/* TVM-46 ATK-31: every row gets its status without a call of the handler, then the connection ends. */
static void attack_31_each_hostile_request_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    for (size_t i = 0; i < SN_LEN(hostile); i++) {
        assert_answer(&fixture, hostile[i].name, hostile[i].bytes, hostile[i].status, hostile[i].code);
    }
    stop(&fixture);
}

/* TVM-46 ATK-31: the same bytes one at a time, so that no check depends on how they arrive. */
static void attack_31_hostile_requests_in_pieces(void **state)
{
    (void)state;
    struct fixture fixture;
    start(&fixture);
    for (size_t i = 0; i < SN_LEN(hostile); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf wire = {0};
        struct raw_reply reply = {0};
        struct sn_slice bytes = with_port(&wire, hostile[i].bytes, fixture.port);
        int fd = raw_connect(fixture.port);
        for (size_t k = 0; k < bytes.len && raw_send(fd, sn_slice_sub(bytes, k, 1)); k++) {
        }
        raw_read_reply(fd, false, &reply);
        /* Bytes that come behind a complete request may meet its answer already; then they are no part of it. */
        bool is_pipelined = sn_slice_contains(hostile[i].bytes, SN_S("\r\n\r\nG"));
        if (reply.status != hostile[i].status && !is_pipelined && strcmp(hostile[i].name, "bytes behind a body") != 0) {
            print_error("%s: %d\n", hostile[i].name, reply.status);
            fail();
        }
        raw_reply_clear(&reply);
        (void)close(fd);
    }
    assert_good_request_works(&fixture);
    stop(&fixture);
}

static void repeat(struct sn_buf *buf, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sn_buf_add_str(buf, text);
    }
}

/* ATK-31: the edge of each limit: the last value that passes and the first that does not. */
static void attack_31_limits(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sn_buf text = {0};
    start(&fixture);
    for (int over = 0; over <= 1; over++) {
        struct raw_reply reply = {0};
        const struct {
            const char *name;
            const char *before, *fill;
            size_t count;
            const char *after;
            int status;
        } rows[] = {
            /* "GET /" and " HTTP/1.1" are 14 bytes of the line */
            {"request line", "GET /", "a", 8192 - 14 + (size_t)over, " HTTP/1.1\r\n" HOST "\r\n", 414},
            /* the Host line and "X-A: " with its CRLF make up the rest of the section */
            {"header lines", GET, "X-A: b\r\n", 63 + (size_t)over, "\r\n", 431},
            {"query", "GET /?a=", "&", 2046 + (size_t)over, " HTTP/1.1\r\n" HOST "\r\n", 400},
            {"parameter", "GET /?a=", "b", 1022 + (size_t)over, " HTTP/1.1\r\n" HOST "\r\n", 400},
        };
        for (size_t i = 0; i < SN_LEN(rows); i++) {
            print_message("# %s %s\n", rows[i].name, over ? "too long" : "at its limit");
            sn_buf_reset(&text);
            sn_buf_add_str(&text, rows[i].before);
            repeat(&text, rows[i].fill, rows[i].count);
            sn_buf_add_str(&text, rows[i].after);
            int fd = send_to(&fixture, sn_buf_slice(&text));
            raw_read_reply(fd, false, &reply);
            assert_int_equal(reply.status, over ? rows[i].status : 200);
            (void)close(fd);
        }
        /* header section: 16,384 bytes in all */
        SN_AUTO(sn_buf_clear) struct sn_buf host = {0};
        size_t host_len = with_port(&host, SN_S(HOST), fixture.port).len;
        sn_buf_reset(&text);
        sn_buf_add_str(&text, GET "X-A: ");
        repeat(&text, "b", 16384 - host_len - 7 + (size_t)over);
        sn_buf_add_str(&text, "\r\n\r\n");
        int fd = send_to(&fixture, sn_buf_slice(&text));
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, over ? 431 : 200);
        (void)close(fd);
        /* body: 65,536 bytes */
        sn_buf_reset(&text);
        sn_buf_add_str(&text, POST JSON "Content-Length: ");
        sn_buf_add_int(&text, 65536 + over);
        sn_buf_add_str(&text, "\r\n\r\n");
        repeat(&text, "b", 65536 + (size_t)over);
        fd = send_to(&fixture, sn_buf_slice(&text));
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, over ? 413 : 200);
        (void)close(fd);
        raw_reply_clear(&reply);
    }
    sn_buf_clear(&text);
    assert_good_request_works(&fixture);
    stop(&fixture);
}

/* ATK-31: a smaller limit of the whole head, whether its end comes or not. */
static void attack_31_chosen_head_limit(void **state)
{
    (void)state;
    enum { HEAD_MAX = 1000 };
    struct fixture fixture;
    struct sn_listener_options options = plain_options(&fixture);
    options.max_head = HEAD_MAX;
    start_with(&fixture, &options);
    for (int over = 0; over <= 2; over++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
        SN_AUTO(sn_buf_clear) struct sn_buf host = {0};
        struct raw_reply reply = {0};
        size_t start_len = with_port(&host, SN_S("GET / HTTP/1.1\r\n" HOST "X-A: "), fixture.port).len;
        sn_buf_add_str(&text, "GET / HTTP/1.1\r\n" HOST "X-A: ");
        repeat(&text, "b", HEAD_MAX - start_len - 4 + (size_t)over);
        sn_buf_add_str(&text, over == 2 ? "bbb" : "\r\n\r\n"); /* 2: without an end */
        int fd = send_to(&fixture, sn_buf_slice(&text));
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, over == 0 ? 200 : 431);
        (void)close(fd);
        raw_reply_clear(&reply);
    }
    assert_good_request_works(&fixture);
    stop(&fixture);
}

/* TVM-50: other machines reach a metrics address off loopback under names that this one does not know. */
static void metrics_off_loopback_answer_any_host(void **state)
{
    (void)state;
    static const char *const addresses[] = {"0.0.0.0:0", "127.0.0.1:0"};
    for (size_t i = 0; i < SN_LEN(addresses); i++) {
        struct fixture fixture;
        struct raw_reply reply = {0};
        struct sn_listener_options options = plain_options(&fixture);
        options.addresses[0] = (struct sn_listener_address){.text = addresses[i], .is_metrics = true};
        start_with(&fixture, &options);
        int fd = send_to(&fixture, SN_S("GET /metrics HTTP/1.1\r\nHost: metrics.example:9100\r\n\r\n"));
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, i == 0 ? 200 : 421);
        (void)close(fd);
        raw_reply_clear(&reply);
        stop(&fixture);
    }
}

/* ATK-31: a line without an end is refused as soon as it is too long, not when memory is gone. */
static void attack_31_endless_lines(void **state)
{
    (void)state;
    struct fixture fixture;
    static const struct {
        const char *name, *begin;
        int status;
    } rows[] = {{"request line", "GET /", 414}, {"header", "GET / HTTP/1.1\r\nX-A: ", 431}};
    start(&fixture);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_buf text = {0};
        struct raw_reply reply = {0};
        sn_buf_add_str(&text, rows[i].begin);
        repeat(&text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 2000);
        int fd = send_to(&fixture, sn_buf_slice(&text));
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, rows[i].status);
        (void)close(fd);
        raw_reply_clear(&reply);
        sn_buf_clear(&text);
    }
    assert_good_request_works(&fixture);
    stop(&fixture);
}

/* ATK-31: bytes that arrive while the handler runs are pipelining too; the finished answer is withheld. */
static void attack_31_pipelining_while_busy(void **state)
{
    (void)state;
    struct fixture fixture;
    struct raw_reply reply = {0};
    start(&fixture);
    int fd = send_to(&fixture, SN_S("GET /block HTTP/1.1\r\n" HOST "\r\n"));
    assert_int_equal(sem_wait(&fixture.entered), 0);
    assert_true(raw_send(fd, SN_S("GET / HTTP/1.1\r\n")));
    sn_turns_give(&fixture.permits);
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, 400);
    assert_true(raw_is_closed(fd));
    assert_int_equal(atomic_load(&fixture.handled), 1);
    (void)close(fd);
    raw_reply_clear(&reply);
    assert_good_request_works(&fixture);
    stop(&fixture);
}

/* ATK-31: the answer to HEAD holds no body, or a keep-alive reader would take it for the next answer. */
static void attack_31_head_is_refused_without_body(void **state)
{
    (void)state;
    struct fixture fixture;
    struct raw_reply reply = {0};
    start(&fixture);
    int fd = send_to(&fixture, SN_S("HEAD / HTTP/1.1\r\n" HOST "\r\n"));
    raw_read_reply(fd, true, &reply);
    assert_int_equal(reply.status, 405);
    assert_slice_equal(raw_header(&reply, "allow"), "GET, POST");
    assert_true(raw_is_closed(fd));
    (void)close(fd);
    raw_reply_clear(&reply);
    stop(&fixture);
}

/* What is unusual and yet allowed. */
static void accepted_requests(void **state)
{
    (void)state;
    struct fixture fixture;
    static const struct {
        const char *name;
        struct sn_slice bytes;
        const char *body;
    } rows[] = {
#define R(row_name, text, row_body) {row_name, SN_S_INIT(text), row_body}
        R("get", GET "\r\n", "GET /? 0"),
        R("length 0 on GET", GET "Content-Length: 0\r\n\r\n", "GET /? 0"),
        R("empty post needs no type", POST "Content-Length: 0\r\n\r\n", "POST /? 0"),
        R("post", POST JSON "Content-Length: 2\r\n\r\n{}", "POST /? 2"),
        R("charset", POST "content-type: Application/JSON;charset=UTF-8\r\nContent-Length: 2\r\n\r\n{}", "POST /? 2"),
        R("charset behind a blank", POST "Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}",
            "POST /? 2"),
        R("value without blanks around", "GET / HTTP/1.1\r\nHost:localhost:@\r\nX-A:\r\n\r\n", "GET /? 0"),
        R("IPv6 loopback as host", "GET / HTTP/1.1\r\nHOST:  [::1]:@  \r\n\r\n", "GET /? 0"),
        R("trailing slash", "GET /v1/ HTTP/1.1\r\n" HOST "\r\n", "GET /v1/? 0"),
        R("dots that are no segment", "GET /v1/..a/b..c/.d HTTP/1.1\r\n" HOST "\r\n", "GET /v1/..a/b..c/.d? 0"),
        R("query", "GET /?a=%C3%A4&b=c+d&e&&f= HTTP/1.1\r\n" HOST "\r\n", "GET /?a=%C3%A4&b=c+d&e&&f= 0"),
        R("method override is no override", GET "X-HTTP-Method-Override: DELETE\r\n\r\n", "GET /? 0"),
        R("repeated headers of no weight", GET "Accept: a\r\nAccept: b\r\n\r\n", "GET /? 0"),
        R("forwarded headers are ignored", GET "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\n\r\n",
            "GET /? 0"),
#undef R
    };
    start(&fixture);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct raw_reply reply = {0};
        print_message("# %s\n", rows[i].name);
        int fd = send_to(&fixture, rows[i].bytes);
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, 200);
        assert_slice_equal(sn_buf_slice(&reply.body), rows[i].body);
        (void)close(fd);
        raw_reply_clear(&reply);
    }
    stop(&fixture);
}

/* TVM-46: what every answer carries, and what none does. */
static void headers_of_answers(void **state)
{
    (void)state;
    struct fixture fixture;
    struct still_clock still;
    struct raw_reply reply = {0};
    still_clock_init(&still);
    struct sn_listener_options options = plain_options(&fixture);
    options.clock = &still.clock;
    start_with(&fixture, &options);
    static const struct sn_slice requests[] = {SN_S_INIT(GET "\r\n"), SN_S_INIT("GET / HTTP/1.1\r\n\r\n")};
    for (size_t i = 0; i < SN_LEN(requests); i++) {
        int fd = send_to(&fixture, requests[i]);
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, i == 0 ? 200 : 400);
        assert_slice_equal(raw_header(&reply, "date"), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_slice_equal(raw_header(&reply, "content-type"), "application/json; charset=utf-8");
        assert_slice_equal(raw_header(&reply, "cache-control"), "no-store");
        assert_slice_equal(raw_header(&reply, "x-content-type-options"), "nosniff");
        assert_true(raw_header(&reply, "content-length").len > 0);
        assert_int_equal(raw_header(&reply, "server").len, 0);
        (void)close(fd);
    }
    raw_reply_clear(&reply);
    stop(&fixture);
}

/* One connection carries 1,000 requests, and the last answer says that it ends. */
static void keep_alive_ends_after_1000_requests(void **state)
{
    (void)state;
    struct fixture fixture;
    struct raw_reply reply = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf wire = {0};
    start(&fixture);
    int fd = raw_connect(fixture.port);
    struct sn_slice request = with_port(&wire, SN_S(GET "\r\n"), fixture.port);
    for (int i = 1; i <= 1000; i++) {
        assert_true(raw_send(fd, request));
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, 200);
        assert_slice_equal(raw_header(&reply, "connection"), i == 1000 ? "close" : "");
    }
    assert_true(raw_is_closed(fd));
    (void)close(fd);
    raw_reply_clear(&reply);
    stop(&fixture);
}

/* A client that is still sending its refused body hears why, and is not cut off by a reset. */
static void refusal_reaches_a_client_that_still_sends(void **state)
{
    (void)state;
    struct fixture fixture;
    struct raw_reply reply = {0};
    struct sn_buf body = {0};
    start(&fixture);
    int fd = send_to(&fixture, SN_S(POST JSON "Content-Length: 600000\r\n\r\n"));
    raw_read_reply(fd, false, &reply); /* the refusal is out before the body begins */
    assert_int_equal(reply.status, 413);
    assert_true(raw_is_closed(fd)); /* nothing more comes, and yet the body is taken */
    repeat(&body, "0123456789", 6000);
    for (int i = 0; i < 10; i++) {
        assert_true(raw_send(fd, sn_buf_slice(&body)));
    }
    (void)close(fd);
    sn_buf_clear(&body);
    raw_reply_clear(&reply);
    stop(&fixture);
}

static void connection_close_is_obeyed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct raw_reply reply = {0};
    start(&fixture);
    int fd = send_to(&fixture, SN_S(GET "Connection: foo, Close\r\n\r\n"));
    raw_read_reply(fd, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_slice_equal(raw_header(&reply, "connection"), "close");
    assert_true(raw_is_closed(fd));
    (void)close(fd);
    raw_reply_clear(&reply);
    stop(&fixture);
}

/* The hooks of the stand-in AWS loosen exactly two rules. */
static void lenient_hooks(void **state)
{
    (void)state;
    struct fixture fixture;
    struct raw_reply reply = {0};
    struct sn_listener_options options = plain_options(&fixture);
    options.lenient_content_type = true;
    options.allow_percent_path = true;
    start_with(&fixture, &options);
    static const struct {
        struct sn_slice bytes;
        int status;
    } rows[] = {
        {SN_S_INIT(
             POST "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: 3\r\n\r\na=b"),
            200},
        {SN_S_INIT(POST "Content-Length: 3\r\n\r\na=b"), 200},
        {SN_S_INIT("GET /a%20b?a=1&a=2 HTTP/1.1\r\n" HOST "\r\n"), 200},
        {SN_S_INIT(POST "Transfer-Encoding: chunked\r\n\r\n"), 400},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        int fd = send_to(&fixture, rows[i].bytes);
        raw_read_reply(fd, false, &reply);
        assert_int_equal(reply.status, rows[i].status);
        (void)close(fd);
    }
    raw_reply_clear(&reply);
    stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_requests),
        cmocka_unit_test(headers_of_answers),
        cmocka_unit_test(attack_31_each_hostile_request_is_refused),
        cmocka_unit_test(attack_31_hostile_requests_in_pieces),
        cmocka_unit_test(attack_31_limits),
        cmocka_unit_test(attack_31_chosen_head_limit),
        cmocka_unit_test(metrics_off_loopback_answer_any_host),
        cmocka_unit_test(attack_31_endless_lines),
        cmocka_unit_test(attack_31_pipelining_while_busy),
        cmocka_unit_test(attack_31_head_is_refused_without_body),
        cmocka_unit_test(keep_alive_ends_after_1000_requests),
        cmocka_unit_test(refusal_reaches_a_client_that_still_sends),
        cmocka_unit_test(connection_close_is_obeyed),
        cmocka_unit_test(lenient_hooks),
    };
    int failed = cmocka_run_group_tests_name("net/listener", tests, NULL, NULL);
    worker_threads = 2;
    return failed + cmocka_run_group_tests_name("net/listener, workers are tasks", tests, NULL, NULL);
}
