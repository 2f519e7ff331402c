/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_cmd_serve.c - serve: start in order, answer, reload on SIGHUP, drain on SIGTERM.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/process.h"
#include "cli/tvm_graph.h"
#include "cli/tvm_notify.h"
#include "cli/tvm_serve.h"
#include "codec/uri.h"
#include "crypto/tls.h"
#include "net/listener.h"

enum {
    AUDIENCES_MAX = 32,
    DAY_S = 86400,
    TLS_SOON_S = 14 * DAY_S,
    READY_POLL_S = 1,
    SWEEP_EVERY_S = 60,
    SWEEP_ROUNDS_MAX = 20,
    HANDLER_THREADS_MAX = 4,
    FDS_PER_WORKER = 2, /* a client of STS may hold two for a moment */
    FDS_ELSE = 128,     /* logs, documents, sockets, connections that only carry their refusal */
};

struct server {
    struct sn_tvm_graph graph;
    struct sn_listener *listener;
    struct sn_tls_context *tls;
    int inherited_first, inherited_count;
    struct sn_arena arena;
    struct sn_slice audiences[AUDIENCES_MAX];
    struct sn_slice authorities[AUDIENCES_MAX]; /* of the public URLs */
    size_t audience_count, authority_count;
    atomic_bool is_draining;
    bool has_said_ready;
    int64_t tls_warned_unix_s;
    int64_t swept_mono_ms;
};

/* --- What the listener asks --- */

static void handle(void *ctx, const struct sn_request *request, struct sn_response *response)
{
    struct server *server = ctx;

    sn_tvm_handle(server->graph.tvm, request, response);
}

static void refuse(void *ctx, int status, const char *code, const char *message, struct sn_response *response)
{
    struct server *server = ctx;

    sn_tvm_refuse(server->graph.tvm, status, code, message, response);
}

/* Requests with a proof wait for STS; they pass the gate, so that at most half of the workers do. */
static bool needs_gate(void *ctx, const struct sn_request *request)
{
    const struct sn_slice *authorization = sn_request_header(request, "Authorization");

    (void)ctx;
    return authorization != NULL && sn_slice_has_prefix(*authorization, SN_S("AWS4-HMAC-SHA256 "));
}

/* A page in a browser can be made to send requests here under another name; only our own names are answered. */
static bool is_our_host(void *ctx, const struct sn_peer *peer, struct sn_slice host)
{
    const struct server *server = ctx;
    char local[3][32];

    for (size_t i = 0; i < server->authority_count; i++) {
        if (sn_slice_eq_nocase(host, server->authorities[i])) {
            return true;
        }
    }
    if (peer->is_unix) {
        return sn_slice_eq_str(host, "localhost");
    }
    if (!peer->is_loopback) {
        return false;
    }
    snprintf(local[0], sizeof(local[0]), "127.0.0.1:%u", peer->local_port);
    snprintf(local[1], sizeof(local[1]), "[::1]:%u", peer->local_port);
    snprintf(local[2], sizeof(local[2]), "localhost:%u", peer->local_port);
    return sn_slice_eq_str(host, local[0]) || sn_slice_eq_str(host, local[1]) || sn_slice_eq_str(host, local[2]);
}

/* --- What the handler asks --- */

static bool is_draining(void *ctx)
{
    return atomic_load(&((struct server *)ctx)->is_draining);
}

static int64_t last_progress(void *ctx)
{
    struct server *server = ctx;
    struct sn_listener_stats stats = {0};
    struct sn_audit_file_stats audit = {0};

    sn_listener_get_stats(server->listener, &stats);
    sn_audit_file_stats(server->graph.audit_file, &audit);
    bool is_audit_behind = audit.busy_since_mono_ns != 0 && audit.busy_since_mono_ns < stats.last_progress_mono_ns;
    return is_audit_behind ? audit.busy_since_mono_ns : stats.last_progress_mono_ns;
}

static void add_metrics(void *ctx, struct sn_buf *text)
{
    struct server *server = ctx;
    struct sn_listener_stats stats = {0};
    struct sn_audit_file_stats audit = {0};

    sn_listener_get_stats(server->listener, &stats);
    sn_audit_file_stats(server->graph.audit_file, &audit);
    sn_buf_addf(text,
        "# HELP sentinel_connections Open connections.\n# TYPE sentinel_connections gauge\n"
        "sentinel_connections{state=\"idle\"} %zu\nsentinel_connections{state=\"reading\"} %zu\n"
        "sentinel_connections{state=\"busy\"} %zu\n"
        "# HELP sentinel_workers_busy Workers that answer a request.\n# TYPE sentinel_workers_busy gauge\n"
        "sentinel_workers_busy %zu\n"
        "# HELP sentinel_audit_queue Entries that wait for the disk.\n# TYPE sentinel_audit_queue gauge\n"
        "sentinel_audit_queue %zu\n",
        stats.connections_idle, stats.connections_reading, stats.connections_busy, stats.workers_busy, audit.queued);
    if (server->tls != NULL) {
        sn_buf_addf(text,
            "# HELP sentinel_tls_not_after_seconds End of the certificate, Unix time.\n"
            "# TYPE sentinel_tls_not_after_seconds gauge\nsentinel_tls_not_after_seconds %lld\n",
            (long long)sn_tls_context_not_after_unix_s(server->tls));
    }
}

/* --- Start --- */

static bool has_tls(const struct server *server)
{
    return server->graph.settings.tls_cert_file[0] != '\0';
}

static enum sn_status load_tls(struct server *server, struct sn_error *err)
{
    const struct sn_tvm_settings *settings = &server->graph.settings;

    return has_tls(server) ? sn_tls_context_load(settings->tls_cert_file, settings->tls_key_file, &server->tls, err)
                           : SN_OK;
}

/* As many connections as leave the descriptors that the work itself needs: strangers may hold all of the former. */
static size_t connections_that_fit(const struct sn_tvm_settings *settings)
{
    size_t wanted = (size_t)settings->max_connections, own = (size_t)settings->workers * FDS_PER_WORKER + FDS_ELSE;
    size_t limit = sn_descriptors_raise(wanted + own);

    if (limit >= wanted + own) {
        return wanted;
    }
    size_t fitting = limit > own ? limit - own : 1;
    sn_log_warn("limits.descriptors",
        "the limit of open descriptors is too low for SENTINEL_MAX_CONNECTIONS; fewer are taken",
        SN_INT("limit", (int64_t)limit), SN_INT("wanted", (int64_t)(wanted + own)),
        SN_INT("connections", (int64_t)fitting));
    return fitting;
}

/* Half of the processors: the store, the log and the listener have threads of their own. */
static size_t handler_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN) / 2;

    return processors < 1 ? 1 : processors > HANDLER_THREADS_MAX ? HANDLER_THREADS_MAX : (size_t)processors;
}

static enum sn_status bind_sockets(struct server *server, struct sn_error *err)
{
    const struct sn_tvm_settings *settings = &server->graph.settings;
    struct sn_listener_options options = {
        .inherited_fds_first = server->inherited_first,
        .inherited_fds_count = server->inherited_count,
        .tls = server->tls,
        .unix_mode = (unsigned)settings->unix_socket_mode,
        .max_connections = connections_that_fit(settings),
        .workers = (size_t)settings->workers,
        .threads = handler_threads(),
        .handle = handle,
        .refuse = refuse,
        .gate = needs_gate,
        .host = is_our_host,
        .ctx = server,
    };

    for (size_t i = 0; i < settings->listen.count; i++) {
        options.addresses[options.address_count++] =
            (struct sn_listener_address){.text = settings->listen.items[i].ptr};
    }
    if (settings->metrics_listen[0] != '\0') {
        options.addresses[options.address_count++] =
            (struct sn_listener_address){.text = settings->metrics_listen, .is_metrics = true};
    }
    return sn_listener_new(&options, &server->listener, err);
}

static void add_audience(struct server *server, struct sn_slice url)
{
    if (server->audience_count < AUDIENCES_MAX) {
        server->audiences[server->audience_count++] = url;
    }
}

static void add_loopback_names(struct server *server, uint16_t port)
{
    const char *scheme = has_tls(server) ? "https" : "http";

    add_audience(server, sn_arena_printf(&server->arena, "%s://127.0.0.1:%u", scheme, port));
    add_audience(server, sn_arena_printf(&server->arena, "%s://[::1]:%u", scheme, port));
    add_audience(server, sn_arena_printf(&server->arena, "%s://localhost:%u", scheme, port));
}

/* A socket of the service manager knows its own address. */
static void name_inherited(struct server *server, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } address = {0};
    socklen_t len = sizeof(address);

    if (getsockname(fd, &address.any, &len) != 0) {
        return;
    }
    if (address.any.sa_family == AF_INET) {
        add_loopback_names(server, ntohs(address.v4.sin_port));
    } else if (address.any.sa_family == AF_INET6) {
        add_loopback_names(server, ntohs(address.v6.sin6_port));
    } else if (address.any.sa_family == AF_UNIX && address.local.sun_path[0] == '/') {
        add_audience(server,
            sn_arena_printf(&server->arena, "unix:%.*s", (int)sizeof(address.local.sun_path), address.local.sun_path));
    }
}

/* The public URLs in their canonical form, else the names under which the loopback listeners can be reached. */
static enum sn_status name_audiences(struct server *server, struct sn_error *err)
{
    const struct sn_tvm_settings *settings = &server->graph.settings;

    for (size_t i = 0; i < settings->public_urls.count; i++) {
        struct sn_url url = {0};
        SN_TRY(sn_url_parse(settings->public_urls.items[i], &server->arena, &url, err));
        add_audience(server, url.canonical);
        server->authorities[server->authority_count++] = url.authority;
    }
    if (settings->public_urls.count > 0) {
        return SN_OK;
    }
    for (int i = 0; i < server->inherited_count; i++) {
        name_inherited(server, server->inherited_first + i);
    }
    for (size_t i = 0; i < settings->listen.count && server->inherited_count == 0; i++) {
        struct sn_slice address = settings->listen.items[i];
        if (sn_slice_has_prefix(address, SN_S("unix:"))) {
            add_audience(server, address);
        } else {
            add_loopback_names(server, sn_listener_port(server->listener, i));
        }
    }
    return SN_OK;
}

static void try_rulesets(const struct sn_tvm_documents *documents)
{
    for (size_t i = 0; i < SN_DOCUMENT_KINDS; i++) {
        SN_AUTO(sn_ruleset_unref_p) struct sn_ruleset *ruleset = NULL;
        struct sn_document_origin origin;
        struct sn_error err = {0};
        if (sn_document_kinds[i].shape != NULL &&
            documents->ruleset(documents->ctx, (enum sn_document_kind)i, &ruleset, &origin, &err) != SN_OK) {
            sn_log_error_of(SN_LOG_ERROR, "policy.unusable", "a policy does not load; nothing is decided by it", &err,
                SN_LOG_FIELDS(SN_STR("kind", sn_document_kinds[i].word)));
        }
    }
}

/*
 * Loads once what can be loaded, so that what is wrong is said at start; it does not stop the start. Not more than the
 * cache holds, and nothing further once the source cannot be reached.
 */
static void try_documents(struct server *server)
{
    const struct sn_tvm_documents *documents = sn_documents_table(server->graph.documents);
    SN_AUTO(sn_catalog_unref_p) struct sn_catalog *catalog = NULL;
    struct sn_error err = {0};

    if (documents->catalog(documents->ctx, &catalog, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "catalogue.unusable", "the catalogue does not load; nothing will be issued", &err,
            SN_LOG_FIELDS());
        return;
    }
    try_rulesets(documents);
    for (size_t i = 0; i < sn_catalog_count(catalog) && i < SN_CACHE_ENTRIES_MAX; i++) {
        SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
        struct sn_document_origin origin;
        struct sn_slice profile = sn_catalog_at(catalog, i)->name;
        if (documents->policy(documents->ctx, profile, &policy, &origin, &err) != SN_OK) {
            sn_log_error_of(SN_LOG_ERROR, "policy.unusable", "a policy does not load; nothing will be issued under it",
                &err, SN_LOG_FIELDS(SN_TEXT("profile", profile)));
            if (err.status == SN_TIMEOUT || err.status == SN_THROTTLED || err.status == SN_UNAVAILABLE) {
                return;
            }
        }
    }
}

static enum sn_status start(struct server *server, struct sn_error *err)
{
    struct sn_tvm_graph *graph = &server->graph;

    SN_TRY(sn_graph_read_settings(graph, SN_TVM_FORM_SERVE, err));
    SN_TRY(load_tls(server, err));
    SN_TRY(sn_graph_open_store(graph, true, err));
    SN_TRY(sn_graph_open_audit(graph, err));
    SN_TRY(bind_sockets(server, err));
    SN_TRY(sn_graph_open_documents(graph, err));
    try_documents(server);
    SN_TRY(sn_graph_open_sts(graph, err));
    SN_TRY(name_audiences(server, err));
    graph->probes = (struct sn_tvm_probes){is_draining, last_progress, add_metrics, server};
    SN_TRY(sn_graph_make_handler(graph, false, server->audiences, server->audience_count, err));
    return sn_listener_start(server->listener, err);
}

/* "ready URL" once it answers: what scripts wait for. */
static void say_where(struct server *server)
{
    struct sn_slice url = server->audience_count > 0 ? server->audiences[0] : SN_S("");

    printf("ready %.*s\n", SN_PRI(url));
    fflush(stdout);
    sn_log_info("server.started", "serving", SN_TEXT("url", url), SN_STR("version", SN_VERSION));
}

/* --- Running --- */

static void warn_tls_expiry(struct server *server)
{
    int64_t now = sn_clock_unix_s(sn_clock_system());

    if (server->tls == NULL || now - server->tls_warned_unix_s < DAY_S) {
        return;
    }
    int64_t left_s = sn_tls_context_not_after_unix_s(server->tls) - now;
    server->tls_warned_unix_s = now;
    if (left_s < TLS_SOON_S) {
        sn_log_warn("tls.expires_soon", "the certificate ends soon", SN_INT("days_left", left_s / DAY_S));
    }
}

/* Ends overdue sessions and deletes records past their retention, a bounded number at a time. */
static void sweep(struct server *server)
{
    int64_t now_ms = sn_clock_mono_ms(sn_clock_system());

    if (server->swept_mono_ms != 0 && now_ms - server->swept_mono_ms < (int64_t)SWEEP_EVERY_S * 1000) {
        return;
    }
    server->swept_mono_ms = now_ms;
    for (int i = 0; i < SWEEP_ROUNDS_MAX; i++) {
        struct sn_sqlite_sweep swept = {0};
        struct sn_error err = {0};
        if (sn_sqlite_sweep(server->graph.sqlite, sn_clock_unix_ms(sn_clock_system()), &swept, &err) != SN_OK) {
            sn_log_error_of(SN_LOG_WARN, "sweep.failed", "records past their end stay for now", &err, SN_LOG_FIELDS());
            return;
        }
        if (swept.expired + swept.deleted_sessions + swept.deleted_blocks + swept.deleted_proofs == 0) {
            return;
        }
    }
}

/* READY=1 is sent when readyz would first answer 200. */
static void say_ready(struct server *server)
{
    struct sn_request request = {
        .method = SN_METHOD_GET, .method_text = SN_S("GET"), .path = SN_S("/readyz"), .peer = {.is_loopback = true}};
    struct sn_response response = {0};

    if (server->has_said_ready) {
        return;
    }
    sn_tvm_handle(server->graph.tvm, &request, &response);
    if (response.status == 200) {
        sn_notify_ready();
        server->has_said_ready = true;
    }
    sn_response_clear(&response);
}

static void reload_tls(struct server *server)
{
    const struct sn_tvm_settings *settings = &server->graph.settings;
    struct sn_tls_context *fresh = NULL;
    struct sn_error err = {0};

    if (!has_tls(server)) {
        return;
    }
    if (sn_tls_context_load(settings->tls_cert_file, settings->tls_key_file, &fresh, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "tls.reload_failed", "the old certificate stays in use", &err, SN_LOG_FIELDS());
        return;
    }
    sn_listener_set_tls(server->listener, fresh);
    sn_tls_context_unref(server->tls);
    server->tls = fresh;
    server->tls_warned_unix_s = 0;
    sn_log_info("tls.reloaded", "new connections get the certificate as it is now");
}

static void reload_audit_keys(struct server *server)
{
    struct sn_error err = {0};

    if (sn_graph_load_audit_keys(&server->graph, false, &err) != SN_OK) {
        sn_log_error_of(SN_LOG_ERROR, "audit.key_reload_failed", "the old key stays in use", &err, SN_LOG_FIELDS());
        return;
    }
    sn_audit_file_set_keys(server->graph.audit_file, &server->graph.audit_keys);
}

static void reload(struct server *server)
{
    const struct sn_tvm_documents *documents = sn_documents_table(server->graph.documents);

    if (server->has_said_ready) { /* before that, READY=1 at the end would be a lie */
        sn_notify_reloading();
    }
    reload_tls(server);
    reload_audit_keys(server);
    documents->reload(documents->ctx);
    try_documents(server);
    sn_log_info("server.reloaded", "certificate, keys and documents were read again");
    if (server->has_said_ready) {
        sn_notify_ready();
    }
}

/* Answers signals until one says stop. */
static void run(struct server *server, const sigset_t *signals)
{
    const struct timespec poll_time = {.tv_sec = READY_POLL_S};

    for (;;) {
        say_ready(server);
        warn_tls_expiry(server);
        sweep(server);
        switch (sigtimedwait(signals, NULL, &poll_time)) {
        case SIGHUP:
            reload(server);
            break;
        case SIGUSR1:
            sn_audit_file_rotate(server->graph.audit_file);
            break;
        case SIGTERM:
        case SIGINT:
            return;
        default: /* time passed, or a stray wake-up */
            break;
        }
    }
}

/* True if every running request was answered. A second signal stops the waiting at once. */
static bool drain(struct server *server, const sigset_t *signals)
{
    sigset_t stop = *signals;
    const struct timespec now = {0};
    int64_t left_ms = server->graph.settings.drain_s * 1000;
    enum { SLICE_MS = 100 };

    sigdelset(&stop, SIGHUP);
    sigdelset(&stop, SIGUSR1);
    sn_notify_stopping();
    atomic_store(&server->is_draining, true);
    sn_listener_begin_drain(server->listener);
    sn_log_info("server.draining", "no new connections; waiting for running requests");
    for (;;) {
        if (sn_listener_wait_drained(server->listener, left_ms < SLICE_MS ? (int)left_ms : SLICE_MS)) {
            return true;
        }
        left_ms -= SLICE_MS;
        if (left_ms <= 0 || sigtimedwait(&stop, NULL, &now) > 0) {
            return false;
        }
    }
}

static void stop(struct server *server)
{
    sn_listener_free(server->listener);
    sn_tls_context_unref(server->tls);
    sn_graph_clear(&server->graph);
    sn_arena_clear(&server->arena);
    sn_free(server);
}

static enum sn_status run_serve(struct sn_app *app, void *args, struct sn_error *err)
{
    struct server *server = sn_alloc(1, sizeof(*server));
    sigset_t signals;

    (void)args;
    sn_tune_memory();
    /* Blocked before the first thread, so that all of them inherit it and this one alone takes signals. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    server->inherited_count = sn_notify_listen_fds(&server->inherited_first);
    if (start(server, err) != SN_OK) {
        sn_app_outcome(app, err->status == SN_USAGE ? 2 : 3);
        stop(server);
        return err->status;
    }
    say_where(server);
    run(server, &signals);
    bool is_clean = drain(server, &signals);
    sn_log_info("server.stopped", is_clean ? "all requests were answered" : "some requests were cut off");
    stop(server);
    sn_app_outcome(app, is_clean ? 0 : 3);
    return SN_OK;
}

static const struct sn_exit_row exits[] = {
    {0, "stopped by a signal, every running request answered"},
    {2, "a setting is wrong"},
    {3, "store, audit log or sockets could not be opened, or requests were cut off at the end"},
    {0},
};

static const struct sn_example examples[] = {
    {"sentinel-tvm serve", "with the settings of the environment; prints 'ready URL' when it answers"},
    {0},
};

const struct sn_cmd sn_cmd_tvm_serve = {
    .name = "serve",
    .group = SN_GROUP_SERVER,
    .summary = "run the server",
    .description = "Opens the store, the audit log and the sockets, in this order, and answers until SIGTERM. SIGHUP "
                   "reads certificate, keys and documents again; SIGUSR1 begins a new audit log file.\n\n"
                   "All settings are environment variables; see 'sentinel-tvm config'.",
    .examples = examples,
    .exits = exits,
    .run = run_serve,
};
