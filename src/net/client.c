/* SPDX-License-Identifier: Apache-2.0 */
/* net/client.c - HTTP calls; with client_loop.c the only caller of libcurl, see client.h. */
#include "net/client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/secret.h"
#include "base/task.h"
#include "base/wiping.h"
#include "net/client_loop.h"

enum {
    CONNECT_TIMEOUT_MS = 2000,
    TOTAL_TIMEOUT_MS = 10000,
    MAX_BODY = 1024 * 1024,
    MAX_REPLY_HEADERS = 32 * 1024,
    MAX_CALL_HEADERS = 1024 * 1024,
    READ_BUFFER = 4096, /* made and wiped with every call; most answers fit */
    MAX_IDLE_CONNECTIONS = 8,
    MAX_IDLE_AGE_S = 60, /* a warm connection older than that is not trusted to be alive */
};

struct sn_http_client {
    CURL *easy;
    char error_text[CURL_ERROR_SIZE];
    char user_agent[64];
};

/* What one call has collected so far. */
struct transfer {
    struct sn_http_reply *reply;
    bool is_too_large;
    bool is_head_whole; /* its blank line came: libcurl takes a head that is cut off for a complete one */
};

/* Answers and headers pass through libcurl's memory, so what it releases is wiped first. */
static void init_curl_once(void)
{
    SN_ASSERT(curl_global_init_mem(CURL_GLOBAL_DEFAULT, sn_wiping_malloc, sn_wiping_free, sn_wiping_realloc, strdup,
                  sn_alloc) == CURLE_OK);
}

/* --- Callbacks --- */

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;
    sn_buf_add_bytes(&transfer->reply->body, bytes, size * count);
    transfer->is_too_large = transfer->is_too_large || transfer->reply->body.overflow;
    return transfer->is_too_large ? 0 : size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;
    struct sn_slice line = sn_slice_trim_space(sn_slice_bytes(bytes, size * count));
    if (sn_slice_has_prefix(line, SN_S("HTTP/"))) {
        sn_buf_reset(&transfer->reply->headers); /* an interim answer came before */
        transfer->is_head_whole = false;
        return size * count;
    }
    transfer->is_head_whole = transfer->is_head_whole || line.len == 0;
    if (line.len > 0) {
        sn_buf_add(&transfer->reply->headers, line);
        sn_buf_add_byte(&transfer->reply->headers, '\n');
    }
    transfer->is_too_large = transfer->is_too_large || transfer->reply->headers.overflow;
    return transfer->is_too_large ? 0 : size * count;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    sn_http_loop_opened(fd);
    return fd;
}

static int close_socket(void *ctx, curl_socket_t fd)
{
    (void)ctx;
    sn_http_loop_closed(fd);
    return close(fd);
}

/* --- A client --- */

#define SET(option, value) SN_ASSERT(curl_easy_setopt(client->easy, (option), (value)) == CURLE_OK)

static const char *find_ca_file(const struct sn_http_client_options *options)
{
    static const char *const places[] = {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"};
    if (options != NULL && options->ca_file != NULL) {
        return options->ca_file;
    }
    const char *chosen = sn_env_get("SSL_CERT_FILE");
    for (size_t i = 0; chosen == NULL && i < SN_LEN(places); i++) {
        chosen = access(places[i], R_OK) == 0 ? places[i] : NULL;
    }
    return chosen;
}

static void set_constant_options(struct sn_http_client *client)
{
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_BUFFERSIZE, (long)READ_BUFFER);
    SET(CURLOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS);
    SET(CURLOPT_MAXAGE_CONN, (long)MAX_IDLE_AGE_S);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_ERRORBUFFER, client->error_text);
    SET(CURLOPT_USERAGENT, client->user_agent);
}

enum sn_status sn_http_client_new(
    const struct sn_http_client_options *options, struct sn_http_client **out_client, struct sn_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    SN_ASSERT(pthread_once(&once, init_curl_once) == 0);

    const char *agent = options != NULL && options->user_agent != NULL ? options->user_agent : "sentinel/" SN_VERSION;
    struct sn_http_client *client = sn_alloc(1, sizeof(*client));
    client->easy = curl_easy_init();
    if (client->easy == NULL) {
        sn_free(client);
        return sn_fail(err, SN_INTERNAL, "HTTP_CLIENT", "the HTTP library could not be started");
    }
    size_t len = strlen(agent);
    len = len < sizeof(client->user_agent) ? len : sizeof(client->user_agent) - 1;
    memcpy(client->user_agent, agent, len);
    set_constant_options(client);
    const char *ca_file = find_ca_file(options);
    if (ca_file != NULL) {
        SET(CURLOPT_CAINFO, ca_file);
        SET(CURLOPT_CAPATH, NULL);
    }
    *out_client = client;
    return SN_OK;
}

void sn_http_client_free(struct sn_http_client *client)
{
    if (client != NULL) {
        curl_easy_cleanup(client->easy);
        sn_free(client);
    }
}

/* --- One call --- */

/* Authority of the URL: what stands between "://" and the next '/' or '?'. */
static struct sn_slice authority_of(struct sn_slice url)
{
    size_t start = sn_slice_has_prefix(url, SN_S("https://")) ? 8 : 7;
    struct sn_slice rest = sn_slice_sub(url, start, url.len);
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?') {
        len++;
    }
    return sn_slice_sub(rest, 0, len);
}

static bool is_number_or_dot(struct sn_slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] != '.' && (host.ptr[i] < '0' || host.ptr[i] > '9')) {
            return false;
        }
    }
    return true;
}

/* This machine and its link-local neighbours (the Lambda runtime API lives at such an address): never by a proxy. */
static bool is_local(struct sn_slice authority)
{
    struct sn_slice host = authority, before, after;
    if (sn_slice_has_prefix(authority, SN_S("[::1]"))) {
        return true;
    }
    if (sn_slice_cut_last(authority, ':', &before, &after)) {
        host = before;
    }
    return sn_slice_eq_nocase(host, SN_S("localhost")) ||
           ((sn_slice_has_prefix(host, SN_S("127.")) || sn_slice_has_prefix(host, SN_S("169.254."))) &&
               is_number_or_dot(host));
}

static bool is_visible(struct sn_slice text, bool allow_blank)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < (allow_blank ? 0x20 : 0x21) || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/* A byte that ends a line would let a value speak as a header of its own. */
static enum sn_status check_call(const struct sn_http_call *call, struct sn_error *err)
{
    struct sn_slice url = sn_slice_str(call->url);
    bool is_http = sn_slice_has_prefix(url, SN_S("http://")) || sn_slice_has_prefix(url, SN_S("https://"));
    if (!is_http || !is_visible(url, false) || sn_slice_has_byte(url, '#') ||
        sn_slice_has_byte(authority_of(url), '@')) {
        return sn_fail(err, SN_INVALID, "HTTP_URL", "the address to call is no http or https URL");
    }
    for (size_t i = 0; i < call->header_count; i++) {
        struct sn_slice name = sn_slice_str(call->headers[i].name);
        if (name.len == 0 || !sn_slice_is_alnum_or(name, "-_") || !is_visible(call->headers[i].value, true)) {
            return sn_fail(err, SN_INVALID, "HTTP_HEADER", "header '%.*s' holds a forbidden byte", SN_PRI(name));
        }
    }
    return SN_OK;
}

enum { UNWANTED_COUNT = 3, LINES_MAX = SN_HTTP_MAX_HEADERS + UNWANTED_COUNT };

/* The lines of a call as libcurl takes them, in memory of our own: one object, wiped behind the call. */
struct lines {
    struct sn_buf text;
    size_t starts[LINES_MAX];
    struct curl_slist nodes[LINES_MAX];
    size_t count;
};

static void lines_clear(struct lines *lines)
{
    sn_buf_clear(&lines->text);
}

static void begin_line(struct lines *lines)
{
    SN_ASSERT(lines->count < LINES_MAX);
    lines->starts[lines->count++] = lines->text.len;
}

/* The call's headers; what libcurl would add by itself is taken out by a name without a value. */
static struct curl_slist *build_headers(const struct sn_http_call *call, struct lines *lines)
{
    static const char *const unwanted[UNWANTED_COUNT] = {"Accept", "Expect", "Content-Type"};
    bool given[UNWANTED_COUNT] = {0};
    for (size_t i = 0; i < call->header_count; i++) {
        struct sn_slice value = call->headers[i].value;
        begin_line(lines);
        sn_buf_add_str(&lines->text, call->headers[i].name);
        sn_buf_add_str(&lines->text, value.len > 0 ? ": " : ";");
        sn_buf_add(&lines->text, value);
        sn_buf_add_byte(&lines->text, '\0');
        for (size_t k = 0; k < UNWANTED_COUNT; k++) {
            given[k] = given[k] || sn_slice_eq_nocase(sn_slice_str(call->headers[i].name), sn_slice_str(unwanted[k]));
        }
    }
    for (size_t k = 0; k < UNWANTED_COUNT; k++) {
        if (!given[k]) {
            begin_line(lines);
            sn_buf_add_str(&lines->text, unwanted[k]);
            sn_buf_add_byte(&lines->text, ':');
            sn_buf_add_byte(&lines->text, '\0');
        }
    }
    for (size_t i = 0; i < lines->count; i++) { /* now that the text moves no more */
        lines->nodes[i].data = lines->text.ptr + lines->starts[i];
        lines->nodes[i].next = i + 1 < lines->count ? &lines->nodes[i + 1] : NULL;
    }
    return lines->count > 0 ? lines->nodes : NULL;
}

static void set_method(struct sn_http_client *client, const struct sn_http_call *call)
{
    bool is_get = strcmp(call->method, "GET") == 0;
    SET(CURLOPT_CUSTOMREQUEST, NULL);
    if (is_get && call->body.len == 0) {
        SET(CURLOPT_POSTFIELDS, NULL);
        SET(CURLOPT_HTTPGET, 1L);
        return;
    }
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, call->body.len > 0 ? call->body.ptr : "");
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
    if (strcmp(call->method, "POST") != 0) {
        SET(CURLOPT_CUSTOMREQUEST, call->method);
    }
}

static void set_call_options(struct sn_http_client *client, const struct sn_http_call *call, struct transfer *transfer,
    struct curl_slist *headers)
{
    long connect_ms = call->connect_timeout_ms > 0 ? call->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    long total_ms = call->total_timeout_ms > 0   ? call->total_timeout_ms
                    : call->total_timeout_ms < 0 ? 0
                                                 : TOTAL_TIMEOUT_MS;
    bool is_direct = call->unix_socket != NULL || is_local(authority_of(sn_slice_str(call->url)));
    set_method(client, call);
    SET(CURLOPT_URL, call->url);
    SET(CURLOPT_UNIX_SOCKET_PATH, call->unix_socket);
    SET(CURLOPT_PROXY, is_direct ? "" : NULL); /* "" also overrides the environment */
    SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    SET(CURLOPT_TIMEOUT_MS, total_ms);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->reply->body.max);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_HEADERDATA, transfer);
}

/* Leaves nothing of the call behind in the handle: it outlives headers, body and reply. */
static void forget_call(struct sn_http_client *client)
{
    SET(CURLOPT_HTTPHEADER, NULL);
    SET(CURLOPT_WRITEDATA, NULL);
    SET(CURLOPT_HEADERDATA, NULL);
    SET(CURLOPT_POSTFIELDS, NULL);
    sn_wipe(client->error_text, sizeof(client->error_text));
}

/* Which failure a result of libcurl is. Enumerators that are not named here are faults of the answer or our own. */
static enum sn_status status_of(CURLcode result, const char **out_code, const char **out_what)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
        *out_code = "HTTP_TIMEOUT";
        *out_what = "no answer in time";
        return SN_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
        *out_code = "HTTP_CONNECT";
        *out_what = "no connection";
        return SN_UNAVAILABLE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        *out_code = "HTTP_RESOLVE";
        *out_what = "the name has no address";
        return SN_UNAVAILABLE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
        *out_code = "HTTP_TLS";
        *out_what = "no secure connection";
        return SN_UNAVAILABLE;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        *out_code = "HTTP_CUT";
        *out_what = "the connection ended early";
        return SN_UNAVAILABLE;
    case CURLE_FILESIZE_EXCEEDED:
        *out_code = "HTTP_TOO_LARGE";
        *out_what = "the answer is too large";
        return SN_LIMIT;
    default:
        *out_code = "HTTP_PROTOCOL";
        *out_what = "the answer is no valid HTTP";
        return SN_PROTOCOL;
    }
#pragma GCC diagnostic pop
}

static enum sn_status fail_call(const struct sn_http_client *client, const struct sn_http_call *call, CURLcode result,
    bool is_too_large, struct sn_error *err)
{
    const char *code, *what;
    enum sn_status status = status_of(is_too_large ? CURLE_FILESIZE_EXCEEDED : result, &code, &what);
    /* Only the authority is named: path and query may hold what does not belong into a log. */
    struct sn_slice authority = authority_of(sn_slice_str(call->url));
    const char *detail = client->error_text[0] != '\0' ? client->error_text : curl_easy_strerror(result);
    if (status == SN_UNAVAILABLE) {
        (void)sn_fail(err, status, code, "call of '%.*s': %s (%s)", SN_PRI(authority), what, detail);
        return sn_error_retryable(err, 0);
    }
    return sn_fail(err, status, code, "call of '%.*s': %s", SN_PRI(authority), what);
}

enum sn_status sn_http_client_do(struct sn_http_client *client, const struct sn_http_call *call,
    struct sn_http_reply *out_reply, struct sn_error *err)
{
    SN_TRY(check_call(call, err));
    struct sn_http_reply reply = {
        .headers = SN_BUF_INIT(MAX_REPLY_HEADERS),
        .body = SN_BUF_INIT(call->max_body > 0 ? call->max_body : MAX_BODY),
    };
    struct transfer transfer = {.reply = &reply};
    SN_AUTO(lines_clear) struct lines lines = {.text = SN_BUF_INIT(MAX_CALL_HEADERS)};
    struct curl_slist *headers = build_headers(call, &lines);
    SN_TRY(sn_buf_check(&lines.text, "the header of the call", err));
    set_call_options(client, call, &transfer, headers);
    client->error_text[0] = '\0';
    CURLcode result =
        sn_task_self() != NULL ? (CURLcode)sn_http_loop_perform(client->easy) : curl_easy_perform(client->easy);

    long status = 0;
    enum sn_status outcome = SN_OK;
    if (result != CURLE_OK || transfer.is_too_large) {
        outcome = fail_call(client, call, result, transfer.is_too_large, err);
    } else if (curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status < 200) {
        outcome = fail_call(client, call, CURLE_WEIRD_SERVER_REPLY, false, err);
    } else if (!transfer.is_head_whole) {
        outcome = fail_call(client, call, CURLE_PARTIAL_FILE, false, err);
    }
    forget_call(client);
    if (outcome != SN_OK) {
        sn_http_reply_clear(&reply);
        return outcome;
    }
    reply.status = (int)status;
    sn_http_reply_clear(out_reply);
    *out_reply = reply;
    return SN_OK;
}

void sn_http_call_header(struct sn_http_call *call, const char *name, struct sn_slice value)
{
    SN_ASSERT(call->header_count < SN_HTTP_MAX_HEADERS);
    call->headers[call->header_count].name = name;
    call->headers[call->header_count].value = value;
    call->header_count++;
}

struct sn_slice sn_http_reply_header(const struct sn_http_reply *reply, const char *name)
{
    struct sn_slice rest = sn_buf_slice(&reply->headers), line, key, value;
    while (sn_slice_next(&rest, '\n', &line)) {
        if (sn_slice_cut(line, ':', &key, &value) && sn_slice_eq_nocase(key, sn_slice_str(name))) {
            return sn_slice_trim(value);
        }
    }
    return (struct sn_slice){0};
}

void sn_http_reply_clear(struct sn_http_reply *reply)
{
    sn_buf_clear(&reply->headers);
    sn_buf_clear(&reply->body);
    reply->status = 0;
}
