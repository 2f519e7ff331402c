/* SPDX-License-Identifier: Apache-2.0 */
/* store/audit_logs.c - see audit_logs.h. */
#include "store/audit_logs.h"

#include <string.h>

#include "base/alloc.h"
#include "base/turns.h"
#include "crypto/hash.h"

enum { UNDELIVERED_MAX = 8, REQUEST_ID_MAX = 64, EVENTS_MAX = 2 + UNDELIVERED_MAX };

struct sn_audit_logs {
    struct sn_audit_logs_options options;
    char *group, *stream, *version;
    struct sn_audit_keys keys;
    struct sn_hmac hmac;
    struct sn_turns turn;              /* over all below, and over the call itself: records follow one another */
    struct sn_audit_position position; /* last acknowledged of the present chain stream */
    struct sn_audit_position previous; /* last acknowledged of the one before */
    bool has_previous;
    bool must_open;     /* the next batch begins with audit.opened */
    const char *reason; /* of that */
    bool is_healthy;
    char undelivered[UNDELIVERED_MAX][REQUEST_ID_MAX + 1]; /* of calls whose effect nobody knows */
    size_t undelivered_count;
};

static enum sn_status start_stream(struct sn_audit_logs *log, const char *reason, struct sn_error *err)
{
    struct sn_id stream;

    SN_TRY(sn_id_new(log->options.random_source, &stream, err));
    if (log->position.seq > 0) {
        log->previous = log->position;
        log->has_previous = true;
    }
    sn_audit_position_start(&log->position, &stream);
    log->must_open = true;
    log->reason = log->has_previous ? reason : "new";
    return SN_OK;
}

enum sn_status sn_audit_logs_new(
    const struct sn_audit_logs_options *options, struct sn_audit_logs **out_log, struct sn_error *err)
{
    struct sn_audit_logs *log = sn_alloc(1, sizeof(*log));

    SN_ASSERT(sn_audit_keys_signing(options->keys) != NULL);
    log->options = *options;
    if (start_stream(log, "new", err) != SN_OK) {
        sn_free(log);
        return err->status;
    }
    log->group = sn_strdup(sn_slice_str(options->group));
    log->stream = sn_strdup(sn_slice_str(options->stream));
    log->version = sn_strdup(sn_slice_str(options->version));
    sn_audit_keys_copy(&log->keys, options->keys);
    sn_hmac_init(&log->hmac, &sn_audit_keys_signing(&log->keys)->key);
    sn_turns_init(&log->turn, 1);
    log->is_healthy = true;
    *out_log = log;
    return SN_OK;
}

void sn_audit_logs_free(struct sn_audit_logs *log)
{
    if (log == NULL) {
        return;
    }
    sn_turns_clear(&log->turn);
    sn_hmac_clear(&log->hmac);
    sn_audit_keys_clear(&log->keys);
    sn_free(log->group);
    sn_free(log->stream);
    sn_free(log->version);
    sn_free(log);
}

static void tell(const struct sn_audit_logs *log, enum sn_log_level level, const char *event, const char *message)
{
    if (log->options.notify != NULL) {
        log->options.notify(log->options.notify_ctx, level, event, message);
    }
}

/* --- A batch: the opening when it is due, the entry, and what was not delivered --- */

struct batch {
    struct sn_buf text; /* the records, each with its LF */
    struct sn_audit_position position;
    size_t starts[EVENTS_MAX + 1]; /* of each record, and the end */
    int64_t times[EVENTS_MAX];
    size_t count;
};

static void batch_clear(struct batch *batch)
{
    sn_buf_clear(&batch->text);
}

/* What is left of the caller's time; a call that has none left still fails by itself, at once. */
static int left_ms(const struct sn_audit_logs *log, int64_t end_mono_ms)
{
    int64_t left = end_mono_ms - sn_clock_mono_ms(log->options.clock);

    return left < 1 ? 1 : (int)left;
}

static enum sn_status add_record(
    struct sn_audit_logs *log, struct batch *batch, struct sn_slice entry, struct sn_error *err)
{
    SN_ASSERT(batch->count < EVENTS_MAX);
    SN_TRY(sn_audit_record_append(&batch->text, &batch->position, sn_audit_keys_signing(&log->keys), &log->hmac, entry,
        sn_clock_unix_ms(log->options.clock), err));
    batch->times[batch->count++] = batch->position.unix_ms;
    batch->starts[batch->count] = batch->text.len;
    return SN_OK;
}

static enum sn_status add_opening(struct sn_audit_logs *log, struct batch *batch, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};
    const struct sn_audit_opened opened = {.unix_ms = sn_clock_unix_ms(log->options.clock),
        .reason = log->reason,
        .instance = sn_id_slice(&log->options.instance),
        .version = sn_slice_str(log->version),
        .previous_stream = log->has_previous ? sn_slice_str(log->previous.stream) : SN_S(""),
        .previous_seq = log->has_previous ? log->previous.seq : 0,
        .previous_signature = log->has_previous ? sn_slice_str(log->previous.signature) : SN_S("")};

    sn_audit_opened_format(&entry, &opened);
    return add_record(log, batch, sn_buf_slice(&entry), err);
}

static enum sn_status fill(struct sn_audit_logs *log, struct batch *batch, struct sn_slice entry, struct sn_error *err)
{
    batch->position = log->position;
    if (log->must_open) {
        SN_TRY(add_opening(log, batch, err));
    }
    SN_TRY(add_record(log, batch, entry, err));
    for (size_t i = 0; i < log->undelivered_count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf undelivered = {0};
        sn_audit_undelivered_format(
            &undelivered, sn_clock_unix_ms(log->options.clock), sn_slice_str(log->undelivered[i]), "timeout");
        SN_TRY(add_record(log, batch, sn_buf_slice(&undelivered), err));
    }
    return sn_buf_check(&batch->text, "the batch of records", err);
}

static enum sn_status put(
    struct sn_audit_logs *log, const struct batch *batch, int64_t end_mono_ms, struct sn_error *err)
{
    struct sn_log_event events[EVENTS_MAX];
    const char *text = sn_buf_str(&batch->text);

    for (size_t i = 0; i < batch->count; i++) {
        size_t len = batch->starts[i + 1] - batch->starts[i] - 1; /* without the LF */
        events[i] = (struct sn_log_event){batch->times[i], {text + batch->starts[i], len}};
    }
    return sn_logs_put(
        log->options.logs, log->group, log->stream, events, batch->count, left_ms(log, end_mono_ms), err);
}

static bool may_stand_in_the_log(const struct sn_error *err)
{
    return strcmp(sn_error_detail_of(err, "effect"), "none") != 0;
}

/* A missing stream is made once, and the same bytes sent again. *out_is_unknown: the records may stand there. */
static enum sn_status deliver(struct sn_audit_logs *log, const struct batch *batch, int64_t end_mono_ms,
    bool *out_is_unknown, struct sn_error *err)
{
    *out_is_unknown = false;
    if (put(log, batch, end_mono_ms, err) == SN_OK) {
        return SN_OK;
    }
    *out_is_unknown = may_stand_in_the_log(err);
    if (!sn_error_is(err, "LOGS_STREAM_NOT_FOUND")) {
        return err->status;
    }
    SN_TRY(sn_logs_create_stream(log->options.logs, log->group, log->stream, left_ms(log, end_mono_ms), err));
    if (put(log, batch, end_mono_ms, err) == SN_OK) {
        return SN_OK;
    }
    *out_is_unknown = *out_is_unknown || may_stand_in_the_log(err);
    return err->status;
}

/* --- Append --- */

/* The records may stand in the log all the same: their numbers are never given again. */
static void give_up_stream(struct sn_audit_logs *log, struct sn_slice request_id)
{
    struct sn_error err;

    if (request_id.len > 0 && request_id.len <= REQUEST_ID_MAX && log->undelivered_count < UNDELIVERED_MAX) {
        char *place = log->undelivered[log->undelivered_count++];
        memcpy(place, request_id.ptr, request_id.len);
        place[request_id.len] = '\0';
    }
    if (start_stream(log, "sink_error", &err) != SN_OK) {
        log->position.seq = SN_AUDIT_SEQ_MAX; /* no further number of it may be used: every append fails from now on */
    }
}

static enum sn_status append_in_turn(struct sn_audit_logs *log, struct sn_slice entry, struct sn_slice request_id,
    int64_t end_mono_ms, struct sn_error *err)
{
    SN_AUTO(batch_clear) struct batch batch = {.text = SN_BUF_INIT(SN_LOGS_BATCH_MAX_BYTES)};
    bool is_unknown = false;

    SN_TRY(fill(log, &batch, entry, err));
    if (deliver(log, &batch, end_mono_ms, &is_unknown, err) != SN_OK) {
        if (is_unknown) {
            give_up_stream(log, request_id);
        }
        return err->status;
    }
    log->position = batch.position;
    log->must_open = false;
    log->undelivered_count = 0;
    return SN_OK;
}

static enum sn_status append(
    void *ctx, struct sn_slice entry, struct sn_slice request_id, int timeout_ms, struct sn_error *err)
{
    struct sn_audit_logs *log = ctx;
    int64_t end_mono_ms = sn_clock_mono_ms(log->options.clock) + timeout_ms;
    struct sn_error cause = {0};

    if (!sn_turns_take_ms(&log->turn, timeout_ms)) { /* others wait for the service: nothing of this was sent */
        return sn_fail(err, SN_UNAVAILABLE, "AUDIT_UNAVAILABLE", "the audit log is behind");
    }
    enum sn_status status = append_in_turn(log, entry, request_id, end_mono_ms, &cause);
    log->is_healthy = status == SN_OK;
    sn_turns_give(&log->turn);
    if (status == SN_OK) {
        return SN_OK;
    }
    tell(log, SN_LOG_ERROR, "audit.write_failed", cause.message);
    return sn_fail(err, SN_UNAVAILABLE, "AUDIT_UNAVAILABLE", "the audit log cannot be written");
}

static bool is_healthy(void *ctx)
{
    struct sn_audit_logs *log = ctx;

    sn_turns_take(&log->turn);
    bool healthy = log->is_healthy;
    sn_turns_give(&log->turn);
    return healthy;
}

struct sn_audit_sink sn_audit_logs_sink(struct sn_audit_logs *log)
{
    return (struct sn_audit_sink){.append = append, .is_healthy = is_healthy, .ctx = log};
}
