/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/relay.c - checks of a request to the relay, in their order, and its answer.
 */
#include "vault/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/time.h"
#include "codec/json.h"
#include "net/listener.h"
#include "platform/peer.h"
#include "vault/process_token.h"

enum {
    RELAY_CONNECTIONS = 64,
    RELAY_WORKERS = 8,
    RELAY_HEAD_MAX = 8192,
    RELAY_NOTICES_MAX = 32,
    RELAY_PATH_MAX = 108, /* sun_path */
};

struct sn_relay {
    struct sn_relay_options options;
    struct sn_relay_source source;
    struct sn_process_token token;
    struct sn_listener *listener;
    uint16_t port;
    char dir[RELAY_PATH_MAX];  /* made by us; "" if none */
    char path[RELAY_PATH_MAX]; /* of the Unix socket; "" for TCP */
    char bind_path[RELAY_PATH_MAX + 8];
    pthread_mutex_t lock; /* token and notices */
    char notices[RELAY_NOTICES_MAX][SN_ERROR_CODE_MAX + 80];
    size_t notice_count;
};

/* --- Notices: each kind once --- */

static void notice(struct sn_relay *relay, const struct sn_error *err, const char *kind)
{
    pthread_mutex_lock(&relay->lock);
    bool seen = relay->notice_count == RELAY_NOTICES_MAX;
    for (size_t i = 0; !seen && i < relay->notice_count; i++) {
        seen = strcmp(relay->notices[i], kind) == 0;
    }
    if (!seen) {
        snprintf(relay->notices[relay->notice_count++], sizeof(relay->notices[0]), "%s", kind);
        relay->options.notice(relay->options.ctx, err);
    }
    pthread_mutex_unlock(&relay->lock);
}

/* --- Answers --- */

static void write_error(struct sn_response *response, int status, const struct sn_error *err, const char *request_id)
{
    struct sn_json_writer w;

    response->status = status;
    sn_json_writer_init(&w, &response->body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "code", err->code);
    sn_json_member_str(&w, "message", err->message);
    sn_json_member_str(&w, "hint", err->suggestion);
    sn_json_member_str(&w, "request_id", request_id);
    /* SDKs show these two. */
    sn_json_member_str(&w, "Code", err->code);
    sn_json_member_str(&w, "Message", err->message);
    sn_json_end_object(&w);
}

/* One body for every failed check, so that nobody learns which one it was. */
static void forbid(struct sn_relay *relay, struct sn_response *response, const char *reason)
{
    struct sn_error err;

    sn_fail(&err, SN_DENIED, "SECURITY", "relay: request refused: %s", reason);
    notice(relay, &err, reason);
    response->status = 403;
    sn_buf_add_str(&response->body, "{\"code\":\"RELAY_FORBIDDEN\",\"message\":\"request refused\"}");
    response->close = true;
}

static const char *request_id_of(const struct sn_error *err)
{
    for (size_t i = 0; i < err->detail_count; i++) {
        if (strcmp(err->details[i].key, "request_id") == 0) {
            return err->details[i].value;
        }
    }
    return "";
}

static void pass_failure(
    struct sn_relay *relay, struct sn_response *response, int http_status, const struct sn_error *cause)
{
    struct sn_error err = *cause;

    if (http_status < 400) { /* the TVM did not answer, was not asked, or said something that is no refusal */
        bool own = !sn_slice_has_prefix(sn_slice_str(cause->code), SN_S("TVM_")) &&
                   !sn_error_is(cause, "INVALID_CREDENTIALS"); /* the TVM's, which had ended */
        http_status = own ? 403 : 502;
        sn_fail(&err, cause->status, own ? "BASE_CREDENTIALS" : "TVM_UNREACHABLE", "%s", cause->message);
        sn_suggest(&err, "%s", cause->suggestion);
    }
    notice(relay, &err, err.code);
    write_error(response, http_status, &err, request_id_of(cause));
    if (cause->retry_after_s > 0) {
        sn_response_header(response, "Retry-After", "%d", cause->retry_after_s);
    }
}

static void write_credentials(struct sn_response *response, const struct sn_credentials *credentials)
{
    struct sn_json_writer w;
    char expiration[SN_TIME_TEXT_MAX];

    response->status = 200;
    sn_json_writer_init(&w, &response->body);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "AccessKeyId", credentials->access_key_id);
    sn_json_member_secret(&w, "SecretAccessKey", &credentials->secret_access_key);
    sn_json_member_secret(&w, "Token", &credentials->session_token);
    sn_json_member_text(&w, "Expiration", sn_time_format_rfc3339_s(credentials->expires_unix_s, expiration));
    sn_json_end_object(&w);
}

/* --- Checks; NULL when all pass, else the reason for our own eyes --- */

static const char *check_peer(struct sn_relay *relay, const struct sn_peer *peer)
{
    struct sn_error err;
    enum sn_status status;

    if (!peer->is_loopback || peer->is_unix != relay->options.is_unix) {
        return "the peer is not on this machine";
    }
    if (peer->is_unix) {
        status = sn_peer_check_unix(peer->fd, geteuid(), relay->options.tree_root, &err);
    } else {
        status = sn_peer_check_tcp(peer->port, peer->local_port, geteuid(), relay->options.tree_root, &err);
    }
    return status == SN_OK ? NULL : "it comes from another user or from outside the started command";
}

static bool is_own_host(const struct sn_relay *relay, struct sn_slice host)
{
    char expected[32];

    if (relay->options.is_unix) {
        return sn_slice_eq_str(host, "localhost");
    }
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", (unsigned)relay->port);
    if (sn_slice_eq_str(host, expected)) {
        return true;
    }
    snprintf(expected, sizeof(expected), "localhost:%u", (unsigned)relay->port);
    return sn_slice_eq_str(host, expected);
}

static const char *check_headers(struct sn_relay *relay, const struct sn_request *request)
{
    const struct sn_slice *host = sn_request_header(request, "host");
    const struct sn_slice *token = sn_request_header(request, "authorization");
    bool misused;

    if (host == NULL || sn_request_header_count(request, "host") != 1 || !is_own_host(relay, *host)) {
        return "it is addressed to another host";
    }
    if (sn_request_header_count(request, "origin") != 0 || sn_request_header_count(request, "sec-fetch-site") != 0) {
        return "it comes from a browser";
    }
    if (token == NULL || sn_request_header_count(request, "authorization") != 1) {
        return "it carries no token";
    }
    pthread_mutex_lock(&relay->lock);
    bool accepted = sn_process_token_accepts(&relay->token, *token, geteuid(), 0, &misused);
    pthread_mutex_unlock(&relay->lock);
    return accepted ? NULL : "it carries a wrong token";
}

static void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct sn_relay *relay = ctx;
    SN_AUTO(sn_credentials_clear) struct sn_credentials credentials = {0};
    struct sn_error err = {0};
    int http_status;
    const char *reason = check_peer(relay, &request->peer);

    if (reason == NULL) {
        reason = check_headers(relay, request);
    }
    if (reason != NULL) {
        forbid(relay, response, reason);
        return;
    }
    response->close = true; /* one request a connection: the peer is checked each time */
    if (!sn_slice_eq_str(request->path, "/")) {
        sn_fail(&err, SN_NOT_FOUND, "NOT_FOUND", "Unknown path");
        write_error(response, 404, &err, "");
        return;
    }
    if (request->method != SN_METHOD_GET) {
        sn_fail(&err, SN_INVALID, "METHOD_NOT_ALLOWED", "Method not allowed");
        write_error(response, 405, &err, "");
        sn_response_header(response, "Allow", "GET");
        return;
    }
    if (sn_relay_source_get(&relay->source, &credentials, &http_status, &err) != SN_OK) {
        pass_failure(relay, response, http_status, &err);
        return;
    }
    write_credentials(response, &credentials);
}

/* What the listener itself refuses: malformed requests, limits. */
static void refuse(void *ctx, int status, const char *code, const char *message, struct sn_response *response)
{
    struct sn_error err;
    (void)ctx;

    sn_fail(&err, SN_INVALID, code, "%s", message);
    write_error(response, status, &err, "");
}

/* The host is checked behind the peer, in a fixed order. */
static bool any_host(void *ctx, const struct sn_peer *peer, struct sn_slice host)
{
    (void)ctx;
    (void)peer;
    (void)host;
    return true;
}

/* --- Start and end --- */

/* A path given by the user: only a socket of ours may be replaced. */
static enum sn_status clear_path(const char *path, struct sn_error *err)
{
    struct stat facts;

    if (path[0] != '/' || strlen(path) >= RELAY_PATH_MAX) {
        return sn_fail(
            err, SN_USAGE, "RELAY_SOCKET", "'%s' must be an absolute path below %d bytes", path, RELAY_PATH_MAX);
    }
    if (lstat(path, &facts) != 0) {
        return errno == ENOENT ? SN_OK : sn_fail_errno(err, "RELAY_SOCKET", errno, "cannot look at '%s'", path);
    }
    if (!S_ISSOCK(facts.st_mode) || facts.st_uid != geteuid()) {
        sn_fail(err, SN_CONFLICT, "RELAY_SOCKET", "'%s' exists and is not a socket of yours", path);
        return sn_suggest(err, "choose another --unix-socket-path");
    }
    return unlink(path) == 0 ? SN_OK : sn_fail_errno(err, "RELAY_SOCKET", errno, "cannot remove '%s'", path);
}

static enum sn_status choose_path(struct sn_relay *relay, struct sn_error *err)
{
    const struct sn_relay_options *options = &relay->options;

    if (options->unix_path != NULL) {
        SN_TRY(clear_path(options->unix_path, err));
        snprintf(relay->path, sizeof(relay->path), "%s", options->unix_path);
    } else {
        const char *base = options->runtime_dir != NULL ? options->runtime_dir : "/tmp";
        if (strlen(base) > RELAY_PATH_MAX - 32) {
            base = "/tmp";
        }
        snprintf(relay->dir, sizeof(relay->dir), "%.76s/sentinel-XXXXXX", base);
        if (mkdtemp(relay->dir) == NULL) { /* mode 0700 */
            int error_number = errno;
            relay->dir[0] = '\0';
            return sn_fail_errno(err, "RELAY_SOCKET", error_number, "cannot make a directory in '%s'", base);
        }
        snprintf(relay->path, sizeof(relay->path), "%.95s/relay.sock", relay->dir);
    }
    snprintf(relay->bind_path, sizeof(relay->bind_path), "unix:%s", relay->path);
    return SN_OK;
}

static enum sn_status start(struct sn_relay *relay, struct sn_error *err)
{
    struct sn_listener_options listen = {.address_count = 1,
        .unix_mode = 0600,
        .max_connections = RELAY_CONNECTIONS,
        .workers = RELAY_WORKERS,
        .queue_limit = RELAY_CONNECTIONS,
        .max_head = RELAY_HEAD_MAX,
        .max_body = 1024,
        .handle = handle,
        .refuse = refuse,
        .host = any_host,
        .ctx = relay};

    listen.addresses[0].text = "127.0.0.1:0";
    if (relay->options.is_unix) {
        SN_TRY(choose_path(relay, err));
        listen.addresses[0].text = relay->bind_path;
    }
    SN_TRY(sn_process_token_init(&relay->token, relay->options.random_source, geteuid(), false, err));
    SN_TRY(sn_listener_new(&listen, &relay->listener, err));
    relay->port = relay->options.is_unix ? 0 : sn_listener_port(relay->listener, 0);
    return sn_listener_start(relay->listener, err);
}

enum sn_status sn_relay_new(const struct sn_relay_options *options, const struct sn_credentials *first,
    struct sn_relay **out_relay, struct sn_error *err)
{
    SN_AUTO(sn_relay_free_p) struct sn_relay *relay = sn_alloc(1, sizeof(*relay));

    relay->options = *options;
    pthread_mutex_init(&relay->lock, NULL);
    sn_relay_source_init(&relay->source, options->clock, options->reuse_s, options->fetch, options->ctx);
    sn_relay_source_prime(&relay->source, first);
    SN_TRY(start(relay, err));
    *out_relay = SN_TAKE(relay);
    return SN_OK;
}

void sn_relay_free(struct sn_relay *relay)
{
    if (relay == NULL) {
        return;
    }
    if (relay->listener != NULL) {
        sn_listener_free(relay->listener);
        if (relay->path[0] != '\0') {
            (void)unlink(relay->path);
        }
    }
    if (relay->dir[0] != '\0') {
        (void)rmdir(relay->dir);
    }
    sn_process_token_revoke(&relay->token);
    sn_relay_source_clear(&relay->source);
    pthread_mutex_destroy(&relay->lock);
    sn_free(relay);
}

void sn_relay_free_p(struct sn_relay **relay)
{
    sn_relay_free(*relay);
    *relay = NULL;
}

uint16_t sn_relay_port(const struct sn_relay *relay)
{
    return relay->port;
}

const char *sn_relay_unix_path(const struct sn_relay *relay)
{
    return relay->path[0] == '\0' ? NULL : relay->path;
}

struct sn_slice sn_relay_token(const struct sn_relay *relay)
{
    return sn_secret_reveal(&relay->token.text);
}
