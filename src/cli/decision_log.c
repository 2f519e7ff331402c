/* SPDX-License-Identifier: Apache-2.0 */
/* cli/decision_log.c - see decision_log.h. */
#include "cli/decision_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "core/audit/chain.h"

enum { CHUNK = 256 * 1024 };

struct log {
    int fd;
    char *bytes;
    size_t room, begin, end; /* what is read and not taken yet: [begin, end) */
    uint64_t line;
    bool is_at_end;   /* of the file */
    bool is_too_long; /* the line whose rest is being passed over */
    struct sn_decision_reader reader;
    sn_decision_log_fn *take;
    void *ctx;
};

static void clear_log(struct log *log)
{
    sn_free(log->bytes);
    sn_decision_reader_clear(&log->reader);
}

/* Reads more behind what is left, which moves to the front. */
static enum sn_status fill(struct log *log, const char *path, struct sn_error *err)
{
    if (log->begin < log->end) {
        memmove(log->bytes, log->bytes + log->begin, log->end - log->begin);
    }
    log->end -= log->begin;
    log->begin = 0;
    if (log->end + CHUNK + SN_LOGGED_SLACK > log->room) {
        log->room = log->end + 2 * CHUNK + SN_LOGGED_SLACK;
        log->bytes = sn_realloc(log->bytes, log->room, 1);
    }
    ssize_t got = 0;
    do {
        got = read(log->fd, log->bytes + log->end, CHUNK);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return sn_fail(err, SN_INVALID, "LOG_UNREADABLE", "cannot read '%s': %s", path, strerrordesc_np(errno));
    }
    log->end += (size_t)got;
    log->is_at_end = got == 0;
    memset(log->bytes + log->end, 0, SN_LOGGED_SLACK);
    return SN_OK;
}

static enum sn_status take_foreign(struct log *log, struct sn_slice line, struct sn_error *err)
{
    struct sn_logged_decision decision = {0};
    enum sn_logged_kind kind = sn_decision_read_line(&log->reader, line, &decision);

    log->line++;
    return log->take(log->ctx, log->line, kind, &decision, log->reader.why, err);
}

/* One line with its LF in the buffer; *out_taken false: there is none. */
static enum sn_status take_line(struct log *log, bool *out_taken, struct sn_error *err)
{
    struct sn_logged_decision decision __attribute__((uninitialized)); /* written as a whole when it is one */
    enum sn_logged_kind kind = SN_LOGGED_BROKEN;
    const char *at = log->bytes + log->begin, *end = log->bytes + log->end;

    size_t len = log->is_too_long ? 0 : sn_decision_read_own(&log->reader, at, end, &kind, &decision);
    if (len > 0) {
        *out_taken = true;
        log->begin += len;
        log->line++;
        return log->take(log->ctx, log->line, kind, &decision, log->reader.why, err);
    }
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    *out_taken = lf != NULL;
    if (lf == NULL) {
        return SN_OK;
    }
    log->begin += (size_t)(lf - at) + 1;
    if (log->is_too_long) { /* it was reported when it became too long */
        log->is_too_long = false;
        return SN_OK;
    }
    size_t line_len = (size_t)(lf - at);
    return take_foreign(log, sn_slice_bytes(at, line_len - (line_len > 0 && lf[-1] == '\r')), err);
}

/* A line that does not end within the limit is reported once, and its rest is dropped as it comes. */
static enum sn_status pass_over_long(struct log *log, struct sn_error *err)
{
    if (log->end - log->begin <= SN_AUDIT_LINE_MAX && !log->is_too_long) {
        return SN_OK;
    }
    struct sn_slice line = sn_slice_bytes(log->bytes + log->begin, log->end - log->begin);
    log->begin = log->end;
    if (log->is_too_long) {
        return SN_OK;
    }
    log->is_too_long = true;
    return take_foreign(log, line, err);
}

static enum sn_status read_lines(struct log *log, const char *path, struct sn_error *err)
{
    while (!log->is_at_end) {
        bool is_taken = true;
        SN_TRY(fill(log, path, err));
        while (is_taken && log->begin < log->end) {
            SN_TRY(take_line(log, &is_taken, err));
        }
        SN_TRY(pass_over_long(log, err));
    }
    if (log->begin < log->end && !log->is_too_long) {
        return take_foreign(log, sn_slice_bytes(log->bytes + log->begin, log->end - log->begin), err);
    }
    return SN_OK;
}

enum sn_status sn_decision_log_read(const char *path, sn_decision_log_fn *take, void *ctx, struct sn_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    SN_AUTO(sn_fd_close) int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    SN_AUTO(clear_log) struct log log = {.fd = is_stdin ? STDIN_FILENO : opened, .take = take, .ctx = ctx};

    if (log.fd < 0) {
        return sn_fail(err, SN_INVALID, "LOG_UNREADABLE", "cannot read '%s': %s", path, strerrordesc_np(errno));
    }
    return read_lines(&log, path, err);
}
