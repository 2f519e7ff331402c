/* SPDX-License-Identifier: Apache-2.0 */
/* tests/bench/load.c - one thread drives all connections; see load.h. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/parse.h"

enum {
    MAX_ANSWER = 1024 * 1024,
    MAX_RECONNECTS = 1000,
    STALL_MS = 30 * 1000, /* nothing moves for so long: give up */
};

struct connection {
    int fd;
    bool is_busy;
    uint64_t number;
    int64_t started_ns;
    struct sn_buf out, in;
    size_t sent;
};

struct run {
    const struct load_options *options;
    struct load_result *result;
    struct sn_error *err;
    union {
        struct sockaddr any;
        struct sockaddr_in tcp;
        struct sockaddr_un local;
    } address;
    socklen_t address_len;
    int epoll_fd;
    struct connection *connections;
    struct sn_buf *made; /* of make_first */
    uint64_t next, finished, total;
    uint32_t *latency_us;
    int64_t measure_from_ns;
};

static int64_t now_ns(void)
{
    const struct sn_clock *clock = sn_clock_system();
    return clock->mono_ns(clock->ctx);
}

/* --- Connections --- */

static enum sn_status parse_address(struct run *run, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(run->options->address), host, port_text;
    char host_text[64] = "";
    int64_t port = 0;
    if (sn_slice_has_prefix(text, SN_S("unix:")) && text.len - 5 < sizeof(run->address.local.sun_path)) {
        run->address.local.sun_family = AF_UNIX;
        memcpy(run->address.local.sun_path, text.ptr + 5, text.len - 5);
        run->address_len = sizeof(run->address.local);
        return SN_OK;
    }
    if (!sn_slice_cut_last(text, ':', &host, &port_text) || host.len >= sizeof(host_text)) {
        return sn_fail(err, SN_USAGE, "LOAD_ADDRESS", "'%s' is no address", run->options->address);
    }
    SN_TRY(sn_parse_int(port_text, 1, 65535, &port, err));
    memcpy(host_text, host.ptr, host.len);
    run->address.tcp.sin_family = AF_INET;
    run->address.tcp.sin_port = htons((uint16_t)port);
    run->address_len = sizeof(run->address.tcp);
    return inet_pton(AF_INET, host_text, &run->address.tcp.sin_addr) == 1
               ? SN_OK
               : sn_fail(err, SN_USAGE, "LOAD_ADDRESS", "'%s' is no address", run->options->address);
}

static enum sn_status open_connection(struct run *run, struct connection *connection, struct sn_error *err)
{
    const int on = 1;
    connection->fd = socket(run->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, &run->address.any, run->address_len) != 0) {
        return sn_fail_errno(err, "LOAD_CONNECT", errno, "cannot connect to '%s'", run->options->address);
    }
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
        return sn_fail_errno(err, "LOAD_CONNECT", errno, "cannot watch a connection");
    }
    return SN_OK;
}

static enum sn_status reopen(struct run *run, struct connection *connection)
{
    sn_fd_close(&connection->fd);
    if (++run->result->reconnects > MAX_RECONNECTS + run->total / 500) {
        return sn_fail(run->err, SN_UNAVAILABLE, "LOAD_CONNECT", "the server closes connections again and again");
    }
    return open_connection(run, connection, run->err);
}

/* --- Requests and answers --- */

static enum sn_status send_next(struct run *run, struct connection *connection)
{
    if (run->next == run->total) {
        connection->is_busy = false;
        return SN_OK;
    }
    connection->number = run->next++;
    if (connection->number == run->options->warm_up) {
        run->measure_from_ns = now_ns();
    }
    sn_buf_clear(&connection->out);
    if (run->made != NULL) {
        connection->out = run->made[connection->number];
        run->made[connection->number] = (struct sn_buf){0};
    } else {
        SN_TRY(run->options->make(run->options->ctx, connection->number, &connection->out, run->err));
    }
    sn_buf_reset(&connection->in);
    connection->is_busy = true;
    connection->started_ns = now_ns();
    /* Requests are small: a blocking send of one does not wait. */
    return sn_fd_write_all(connection->fd, sn_buf_slice(&connection->out), run->err);
}

static void finish(struct run *run, struct connection *connection, int status, struct sn_slice body)
{
    struct load_result *result = run->result;
    bool is_good =
        run->options->is_good != NULL ? run->options->is_good(run->options->ctx, status, body) : status == 200;
    run->finished++;
    if (!is_good && result->first_error[0] == '\0') {
        (void)snprintf(result->first_error, sizeof(result->first_error), "%d %.*s", status,
            (int)(body.len > 150 ? 150 : body.len), body.len > 0 ? body.ptr : "");
    }
    if (connection->number >= run->options->warm_up) {
        int64_t took_us = (now_ns() - connection->started_ns) / 1000;
        run->latency_us[result->done] = (uint32_t)(took_us > UINT32_MAX ? UINT32_MAX : took_us);
        result->done++;
        result->errors += is_good ? 0U : 1U;
        result->by_status[status >= 0 && status < 600 ? status : 0]++;
    } else {
        result->errors += is_good ? 0U : 1U;
    }
}

static struct sn_slice header_of(struct sn_slice head, const char *name)
{
    struct sn_slice line, key, value;
    while (sn_slice_next(&head, '\n', &line)) {
        if (sn_slice_cut(line, ':', &key, &value) && sn_slice_eq_nocase(key, sn_slice_str(name))) {
            return sn_slice_trim_space(value);
        }
    }
    return (struct sn_slice){0};
}

/* True when a whole answer is there. */
static bool read_answer(const struct sn_buf *in, int *out_status, struct sn_slice *out_body, bool *out_close)
{
    struct sn_slice text = sn_buf_slice(in);
    const char *end = text.len > 0 ? memmem(text.ptr, text.len, "\r\n\r\n", 4) : NULL;
    struct sn_error ignored;
    int64_t status = 0, len = 0;
    if (end == NULL) {
        return false;
    }
    struct sn_slice head = sn_slice_sub(text, 0, (size_t)(end - text.ptr) + 4);
    if (sn_parse_int(header_of(head, "content-length"), 0, MAX_ANSWER, &len, &ignored) != SN_OK ||
        sn_parse_int(sn_slice_sub(head, 9, 3), 100, 599, &status, &ignored) != SN_OK) {
        status = 0;
        len = 0;
    }
    if (text.len < head.len + (size_t)len) {
        return false;
    }
    *out_status = (int)status;
    *out_body = sn_slice_sub(text, head.len, (size_t)len);
    *out_close = sn_slice_eq_nocase(header_of(head, "connection"), SN_S("close"));
    return true;
}

static enum sn_status on_readable(struct run *run, struct connection *connection)
{
    char *to = sn_buf_reserve(&connection->in, 8192);
    ssize_t count = to != NULL ? recv(connection->fd, to, 8192, 0) : 0;
    int status = 0;
    struct sn_slice body = {0};
    bool close = false;
    if (count <= 0) {
        if (connection->is_busy) {
            finish(run, connection, 0, SN_S("connection ended"));
        }
        SN_TRY(reopen(run, connection));
        return send_next(run, connection);
    }
    connection->in.len += (size_t)count;
    if (!connection->is_busy || !read_answer(&connection->in, &status, &body, &close)) {
        return SN_OK;
    }
    finish(run, connection, status, body);
    if (close) {
        SN_TRY(reopen(run, connection));
    }
    return send_next(run, connection);
}

/* --- A run --- */

static int compare_u32(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right ? 1 : 0;
}

static double quantile_ms(const struct run *run, unsigned percent)
{
    uint64_t count = run->result->done;
    uint64_t index = count > 0 ? (count - 1) * percent / 100 : 0;
    return count > 0 ? (double)run->latency_us[index] / 1000 : 0;
}

static void summarize(struct run *run)
{
    struct load_result *result = run->result;
    result->seconds = (double)(now_ns() - run->measure_from_ns) / 1e9;
    result->per_s = result->seconds > 0 ? (double)result->done / result->seconds : 0;
    qsort(run->latency_us, (size_t)result->done, sizeof(*run->latency_us), compare_u32);
    result->p50_ms = quantile_ms(run, 50);
    result->p90_ms = quantile_ms(run, 90);
    result->p99_ms = quantile_ms(run, 99);
    result->max_ms = quantile_ms(run, 100);
}

static enum sn_status make_all(struct run *run)
{
    if (!run->options->make_first) {
        return SN_OK;
    }
    run->made = sn_alloc((size_t)run->total, sizeof(*run->made));
    for (uint64_t i = 0; i < run->total; i++) {
        SN_TRY(run->options->make(run->options->ctx, i, &run->made[i], run->err));
    }
    return SN_OK;
}

static enum sn_status drive(struct run *run)
{
    struct epoll_event events[64];
    SN_TRY(make_all(run));
    for (unsigned i = 0; i < run->options->connections; i++) {
        SN_TRY(open_connection(run, &run->connections[i], run->err));
    }
    run->measure_from_ns = now_ns();
    for (unsigned i = 0; i < run->options->connections; i++) {
        SN_TRY(send_next(run, &run->connections[i]));
    }
    while (run->finished < run->total) {
        int count = epoll_wait(run->epoll_fd, events, 64, STALL_MS);
        if (count == 0) {
            return sn_fail(run->err, SN_TIMEOUT, "LOAD_STALL", "no answer for %d s", STALL_MS / 1000);
        }
        for (int i = 0; i < count; i++) {
            SN_TRY(on_readable(run, events[i].data.ptr));
        }
    }
    summarize(run);
    return SN_OK;
}

enum sn_status load_run(const struct load_options *options, struct load_result *out_result, struct sn_error *err)
{
    struct run run = {
        .options = options,
        .result = out_result,
        .err = err,
        .total = options->warm_up + options->requests,
        .connections = sn_alloc(options->connections, sizeof(*run.connections)),
        .latency_us = sn_alloc((size_t)options->requests, sizeof(*run.latency_us)),
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
    };
    *out_result = (struct load_result){0};
    for (unsigned i = 0; i < options->connections; i++) {
        run.connections[i].fd = -1;
        run.connections[i].in.max = MAX_ANSWER + 64 * 1024;
    }
    enum sn_status status = parse_address(&run, err);
    status = status == SN_OK ? drive(&run) : status;
    for (unsigned i = 0; i < options->connections; i++) {
        sn_fd_close(&run.connections[i].fd);
        sn_buf_clear(&run.connections[i].in);
        sn_buf_clear(&run.connections[i].out);
    }
    for (uint64_t i = 0; run.made != NULL && i < run.total; i++) {
        sn_buf_clear(&run.made[i]);
    }
    sn_fd_close(&run.epoll_fd);
    sn_free(run.made);
    sn_free(run.connections);
    sn_free(run.latency_us);
    return status;
}

/* --- What a process uses --- */

static int64_t number_after(struct sn_slice text, const char *label)
{
    struct sn_slice line, name, value;
    struct sn_error ignored;
    int64_t number = 0;
    while (sn_slice_next(&text, '\n', &line)) {
        if (sn_slice_cut(line, ':', &name, &value) && sn_slice_eq_str(name, label)) {
            struct sn_slice digits = sn_slice_trim_space(value), rest;
            (void)sn_slice_cut(digits, ' ', &digits, &rest);
            return sn_parse_int(digits, 0, INT64_MAX, &number, &ignored) == SN_OK ? number : 0;
        }
    }
    return 0;
}

/* Files of /proc have no size, so they are read to their end here. */
static bool read_proc(int pid, const char *name, struct sn_buf *out_text)
{
    char path[64];
    char bytes[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t count;
    while ((count = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        sn_buf_add_bytes(out_text, bytes, count);
    }
    (void)fclose(file);
    return true;
}

bool load_usage_of(int pid, struct load_usage *out_usage)
{
    SN_AUTO(sn_buf_clear) struct sn_buf stat = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf status = {0};
    struct sn_slice before, rest, field;
    struct sn_error ignored;
    int64_t ticks = 0;
    if (!read_proc(pid, "stat", &stat) || !read_proc(pid, "status", &status) ||
        !sn_slice_cut_last(sn_buf_slice(&stat), ')', &before, &rest)) {
        return false;
    }
    /* Behind the name, which may hold anything: " S ppid ..."; utime and stime are fields 14 and 15 of the line. */
    for (int i = 2; sn_slice_next(&rest, ' ', &field) && i <= 15; i++) {
        int64_t value = 0;
        if (i >= 14 && sn_parse_int(field, 0, INT64_MAX, &value, &ignored) == SN_OK) {
            ticks += value;
        }
    }
    out_usage->cpu_s = (double)ticks / (double)sysconf(_SC_CLK_TCK);
    out_usage->rss_bytes = number_after(sn_buf_slice(&status), "VmRSS") * 1024;
    out_usage->peak_rss_bytes = number_after(sn_buf_slice(&status), "VmHWM") * 1024;
    return true;
}
