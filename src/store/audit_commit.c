/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/audit_commit.c - writing batches, and the ways from one file or stream to the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/time.h"
#include "store/audit_file_internal.h"

enum {
    FILE_MODE = 0640,
    ANCHOR_MODE = 0600,
    NAME_TRIES = 1000,
    SIGNATURE_END_LEN = SN_AUDIT_SIGNATURE_LEN + 3, /* digits, quote, brace, LF */
};
static const int64_t retry_after_ns = 1000000000;
static const int64_t rotate_again_ns = 60 * (int64_t)1000000000;
static const int64_t tell_again_ns = 60 * (int64_t)1000000000;

void sn_audit_tell(struct sn_audit_file *f, enum sn_log_level level, const char *event, const char *format, ...)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    va_list arguments;

    if (f->notify == NULL) {
        return;
    }
    va_start(arguments, format);
    sn_buf_vaddf(&text, format, arguments);
    va_end(arguments);
    f->notify(f->notify_ctx, level, event, sn_buf_str(&text));
}

struct sn_audit_due *sn_audit_due_add(struct sn_audit_file *f, const char *reason)
{
    SN_ASSERT(f->due_count < SN_AUDIT_DUE_MAX);
    struct sn_audit_due *due = &f->due[f->due_count++];
    *due = (struct sn_audit_due){.reason = reason};
    return due;
}

enum sn_status sn_audit_start_stream(
    struct sn_audit_file *f, const char *reason, const struct sn_audit_position *previous, struct sn_error *err)
{
    struct sn_id stream;

    SN_TRY(sn_id_new(f->random_source, &stream, err));
    f->due_count = 0;
    struct sn_audit_due *due = sn_audit_due_add(f, reason);
    if (previous != NULL) { /* may be the very position that is started anew below */
        due->has_previous = true;
        due->previous = *previous;
    }
    sn_audit_position_start(&f->position, &stream);
    return SN_OK;
}

void sn_audit_use_keys(struct sn_audit_file *f, const struct sn_audit_keys *keys)
{
    sn_audit_keys_copy(&f->keys, keys);
    sn_hmac_clear(&f->hmac);
    sn_hmac_init(&f->hmac, &sn_audit_keys_signing(&f->keys)->key);
}

static void close_file(struct sn_audit_file *f)
{
    sn_fd_close(&f->fd);
}

/* "audit-20260301T090000Z-000000000001.log", from the first record of the file. */
enum sn_status sn_audit_move_file(
    struct sn_audit_file *f, const char *suffix, char out_name[SN_AUDIT_NAME_MAX + 1], struct sn_error *err)
{
    char time[SN_TIME_TEXT_MAX];
    char name[SN_AUDIT_NAME_MAX + 1];
    char path[SN_AUDIT_PATH_MAX];
    int64_t first_ms = f->first_seq > 0 ? f->first_ms : sn_clock_unix_ms(f->clock);
    int64_t first_seq = f->first_seq > 0 ? f->first_seq : f->position.seq + 1;

    sn_time_format_amz(first_ms / 1000, time);
    for (int i = 0; i < NAME_TRIES; i++) {
        char counter[16] = "";
        if (i > 0) {
            snprintf(counter, sizeof(counter), ".%d", i);
        }
        int len =
            snprintf(name, sizeof(name), "%s-%s-%012lld.log%s%s", f->stem, time, (long long)first_seq, suffix, counter);
        if (len < 0 || len > SN_AUDIT_NAME_MAX) {
            return sn_fail(err, SN_LIMIT, "AUDIT_FILE", "the name of the audit log is too long");
        }
        SN_TRY(sn_path_join(path, sizeof(path), f->dir, name, err));
        if (f->ops.rename_new(f->ops.ctx, f->path, path) == 0) {
            f->is_moved = true;
            snprintf(out_name, SN_AUDIT_NAME_MAX + 1, "%s", name);
            return SN_OK;
        }
        if (errno != EEXIST) {
            return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot rename the audit log");
        }
    }
    return sn_fail(err, SN_CONFLICT, "AUDIT_FILE", "every name for the old audit log is taken");
}

/* The descriptor's identity, which later checks compare. */
static enum sn_status adopt(struct sn_audit_file *f, int fd, struct sn_error *err)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot examine the audit log");
    }
    f->device = info.st_dev;
    f->inode = info.st_ino;
    return SN_OK;
}

/* The descriptor that is synced must be that of the directory at its path, which may have been made anew. */
static enum sn_status follow_directory(struct sn_audit_file *f, struct sn_error *err)
{
    struct stat open_info;
    struct stat path_info;

    if (stat(f->dir, &path_info) != 0 || fstat(f->dir_fd, &open_info) != 0) {
        return sn_fail_errno(err, "AUDIT_DIRECTORY", errno, "cannot examine the directory of the audit log");
    }
    if (path_info.st_ino == open_info.st_ino && path_info.st_dev == open_info.st_dev) {
        return SN_OK;
    }
    int fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return sn_fail_errno(err, "AUDIT_DIRECTORY", errno, "cannot open the directory of the audit log");
    }
    sn_fd_close(&f->dir_fd);
    f->dir_fd = fd;
    return SN_OK;
}

enum sn_status sn_audit_make_file(struct sn_audit_file *f, struct sn_error *err)
{
    SN_TRY(follow_directory(f, err));
    SN_AUTO(sn_fd_close)
    int fd = f->ops.open(f->ops.ctx, f->path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

    if (fd < 0) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot make a new audit log");
    }
    /* The process runs with a umask that would take the group's read bit. */
    if (fchmod(fd, FILE_MODE) != 0 || f->ops.sync_dir(f->ops.ctx, f->dir_fd) != 0) {
        enum sn_status status = sn_fail_errno(err, "AUDIT_FILE", errno, "cannot finish making a new audit log");
        unlink(f->path);
        return status;
    }
    SN_TRY(adopt(f, fd, err));
    close_file(f);
    f->fd = fd;
    fd = -1;
    f->length = 0;
    f->first_ms = 0;
    f->first_seq = 0;
    f->is_moved = false;
    f->must_cut = false;
    return SN_OK;
}

/* Ends the current file and begins the next one; the stream goes on. must_move false: a file that cannot be renamed is
 * gone on with, since a log that grows too large is better than none. */
static enum sn_status change_file(
    struct sn_audit_file *f, const char *reason, const char *suffix, bool must_move, struct sn_error *err)
{
    char name[SN_AUDIT_NAME_MAX + 1] = "";

    if (f->ops.datasync(f->ops.ctx, f->fd) != 0) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot sync the audit log before its rotation");
    }
    enum sn_status status = sn_audit_move_file(f, suffix, name, err);
    if (status != SN_OK && !must_move) {
        f->rotate_mono_ns = f->clock->mono_ns(f->clock->ctx) + rotate_again_ns;
        sn_audit_tell(f, SN_LOG_ERROR, "audit.rotation_failed", "%s", err->message);
        return SN_OK;
    }
    if (status != SN_OK) {
        return status;
    }
    f->due_count = 0;
    struct sn_audit_due *due = sn_audit_due_add(f, reason);
    memcpy(due->previous_file, name, sizeof(due->previous_file));
    return sn_audit_make_file(f, err);
}

/* Somebody renamed or removed the file. What stands at its path now, if anything, is not ours. */
static enum sn_status replace_lost_file(struct sn_audit_file *f, bool is_taken, struct sn_error *err)
{
    sn_audit_tell(f, SN_LOG_WARN, "audit.file_gone", "the audit log was renamed or removed; a new file is begun");
    if (f->ops.datasync(f->ops.ctx, f->fd) != 0) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot sync the audit log that was renamed");
    }
    if (is_taken) {
        char name[SN_AUDIT_NAME_MAX + 1];
        SN_TRY(sn_audit_move_file(f, ".damaged", name, err));
    }
    f->is_moved = true;
    f->due_count = 0;
    sn_audit_due_add(f, "rotate");
    return sn_audit_make_file(f, err);
}

/* The file must be the one we wrote, at its path, and exactly as long as we left it. */
static enum sn_status check_file(struct sn_audit_file *f, struct sn_error *err)
{
    struct stat open_info;
    struct stat path_info;

    if (fstat(f->fd, &open_info) != 0) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot examine the audit log");
    }
    bool is_there = lstat(f->path, &path_info) == 0;
    if (!is_there && errno != ENOENT) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot examine the path of the audit log");
    }
    if (open_info.st_size != f->length) {
        sn_audit_tell(f, SN_LOG_ERROR, "audit.foreign_write",
            "the audit log has %lld bytes instead of %lld: somebody else wrote or shortened it",
            (long long)open_info.st_size, (long long)f->length);
        if (is_there && path_info.st_ino == f->inode && path_info.st_dev == f->device) {
            return change_file(f, "foreign_write", ".damaged", true, err);
        }
    }
    if (!is_there || path_info.st_ino != f->inode || path_info.st_dev != f->device) {
        return replace_lost_file(f, is_there, err);
    }
    return SN_OK;
}

/* True if the file ends with the last acknowledged record and nothing after it. */
static bool ends_as_left(const struct sn_audit_file *f, int fd, const struct stat *info)
{
    char end[SIGNATURE_END_LEN];

    if (info->st_ino != f->inode || info->st_dev != f->device || info->st_size != f->length) {
        return false;
    }
    if (f->first_seq == 0) {
        return f->length == 0;
    }
    return pread(fd, end, sizeof(end), f->length - (off_t)sizeof(end)) == (ssize_t)sizeof(end) &&
           memcmp(end, f->position.signature, SN_AUDIT_SIGNATURE_LEN) == 0;
}

/*
 * The file was renamed or taken away, and making the next one failed. What was taken away may be back by now: a renamed
 * directory, a mount that returned. Where the stream has not ended in the meantime it goes on in that file.
 */
static enum sn_status look_at_path(struct sn_audit_file *f, struct sn_error *err)
{
    char name[SN_AUDIT_NAME_MAX + 1] = "";
    struct stat info;

    if (lstat(f->path, &info) != 0) {
        return errno == ENOENT ? SN_OK
                               : sn_fail_errno(err, "AUDIT_FILE", errno, "cannot examine the path of the audit log");
    }
    bool is_ours = info.st_ino == f->inode && info.st_dev == f->device;
    if (is_ours && f->position.seq > 0) {
        f->is_moved = false;
        f->due_count = 0;
        return SN_OK;
    }
    return sn_audit_move_file(f, is_ours ? "" : ".damaged", name, err);
}

/* After a failure: go on in the same file, or close it and begin a new stream. */
static enum sn_status reopen(struct sn_audit_file *f, struct sn_error *err)
{
    char name[SN_AUDIT_NAME_MAX + 1] = "";
    struct stat info;

    if (f->is_moved) {
        SN_TRY(look_at_path(f, err));
    }
    if (f->is_moved) {
        return sn_audit_make_file(f, err);
    }
    SN_AUTO(sn_fd_close)
    int fd = f->ops.open(f->ops.ctx, f->path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0 && errno != ENOENT) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot open the audit log again");
    }
    if (fd >= 0) {
        if (fstat(fd, &info) != 0) {
            return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot examine the audit log");
        }
        if (f->must_cut && info.st_ino == f->inode && info.st_dev == f->device && info.st_size > f->length &&
            f->ops.truncate(f->ops.ctx, fd, f->length) == 0 && fstat(fd, &info) != 0) {
            return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot examine the audit log");
        }
        f->must_cut = false;
        if (ends_as_left(f, fd, &info)) {
            f->fd = fd;
            fd = -1;
            return SN_OK;
        }
        SN_TRY(sn_audit_move_file(f, "", name, err));
    }
    f->is_moved = true;
    sn_audit_tell(f, SN_LOG_ERROR, "audit.sink_error",
        "the audit log does not end with the last acknowledged record; a new stream is begun");
    SN_TRY(sn_audit_start_stream(f, "sink_error", f->position.seq > 0 ? &f->position : NULL, err));
    return sn_audit_make_file(f, err);
}

/* --- One batch --- */

static bool is_rotation_due(const struct sn_audit_file *f, size_t coming_bytes, bool wants_rotation)
{
    if (f->first_seq == 0) {
        return false; /* an empty file is not worth a name */
    }
    if (wants_rotation) {
        return true;
    }
    if (f->clock->mono_ns(f->clock->ctx) < f->rotate_mono_ns) {
        return false; /* a rename that failed is tried again later */
    }
    bool is_large = f->rotate_bytes > 0 && f->length + (int64_t)coming_bytes > f->rotate_bytes;
    bool is_old = f->rotate_s > 0 && sn_clock_unix_ms(f->clock) - f->first_ms >= f->rotate_s * 1000;
    return is_large || is_old;
}

static void format_due(struct sn_audit_file *f, const struct sn_audit_due *due, struct sn_buf *out_entry)
{
    const struct sn_audit_opened opened = {.unix_ms = sn_clock_unix_ms(f->clock),
        .reason = due->reason,
        .instance = sn_id_slice(&f->instance),
        .version = sn_slice_str(f->version),
        .previous_file = sn_slice_str(due->previous_file),
        .previous_stream = due->has_previous ? sn_slice_str(due->previous.stream) : SN_S(""),
        .previous_seq = due->has_previous ? due->previous.seq : 0,
        .previous_signature = due->has_previous ? sn_slice_str(due->previous.signature) : SN_S(""),
        .torn_bytes = due->torn_bytes,
        .torn_sha256 = sn_slice_str(due->torn_sha256)};

    sn_audit_opened_format(out_entry, &opened);
}

static enum sn_status sign_entry(
    struct sn_audit_file *f, struct sn_audit_position *position, struct sn_slice entry, struct sn_error *err)
{
    return sn_audit_record_append(
        &f->batch, position, sn_audit_keys_signing(&f->keys), &f->hmac, entry, sn_clock_unix_ms(f->clock), err);
}

static enum sn_status sign_batch(struct sn_audit_file *f, struct sn_audit_waiter *const *waiters, size_t count,
    struct sn_audit_position *position, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};

    sn_buf_reset(&f->batch);
    for (size_t i = 0; i < f->due_count; i++) {
        sn_buf_reset(&entry);
        format_due(f, &f->due[i], &entry);
        SN_TRY(sign_entry(f, position, sn_buf_slice(&entry), err));
    }
    for (size_t i = 0; i < f->undelivered_count; i++) {
        sn_buf_reset(&entry);
        sn_audit_undelivered_format(&entry, sn_clock_unix_ms(f->clock), sn_slice_str(f->undelivered[i]), "timeout");
        SN_TRY(sign_entry(f, position, sn_buf_slice(&entry), err));
    }
    for (size_t i = 0; i < count; i++) {
        SN_TRY(sign_entry(f, position, sn_buf_slice(&waiters[i]->entry), err));
    }
    if (f->batch.len == 0 && f->wants_proof) {
        sn_buf_reset(&entry);
        sn_audit_recovered_format(&entry, sn_clock_unix_ms(f->clock), sn_id_slice(&f->instance));
        SN_TRY(sign_entry(f, position, sn_buf_slice(&entry), err));
    }
    return SN_OK;
}

static enum sn_status write_batch(struct sn_audit_file *f, struct sn_error *err)
{
    ssize_t written = 0;

    do {
        written = f->ops.write(f->ops.ctx, f->fd, f->batch.ptr, f->batch.len);
    } while (written < 0 && errno == EINTR);
    if (written < 0) {
        return sn_fail_errno(err, "AUDIT_WRITE", errno, "cannot write the audit log");
    }
    if ((size_t)written != f->batch.len) {
        return sn_fail(err, SN_IO, "AUDIT_WRITE", "the audit log took only a part of a batch");
    }
    if (f->ops.datasync(f->ops.ctx, f->fd) != 0) {
        return sn_fail_errno(err, "AUDIT_SYNC", errno, "cannot sync the audit log");
    }
    return SN_OK;
}

/* The descriptor is not trusted again: a later successful sync proves nothing about the pages of this one. */
static void give_up_file(struct sn_audit_file *f)
{
    if (f->fd >= 0) {
        f->must_cut = f->ops.truncate(f->ops.ctx, f->fd, f->length) != 0;
        close_file(f);
    }
    f->retry_mono_ns = f->clock->mono_ns(f->clock->ctx) + retry_after_ns;
}

/* A file that can be written, rotated when it is time. */
static enum sn_status prepare_file(
    struct sn_audit_file *f, size_t coming_bytes, bool wants_rotation, struct sn_error *err)
{
    if (f->fd < 0) {
        if (f->clock->mono_ns(f->clock->ctx) < f->retry_mono_ns) {
            return sn_fail(err, SN_UNAVAILABLE, "AUDIT_WAITING", "the audit log failed less than a second ago");
        }
        SN_TRY(reopen(f, err));
    }
    SN_TRY(check_file(f, err));
    if (is_rotation_due(f, coming_bytes, wants_rotation)) {
        SN_TRY(change_file(f, "rotate", "", false, err));
        sn_audit_write_anchor(f);
    }
    return SN_OK;
}

static enum sn_status try_commit(struct sn_audit_file *f, struct sn_audit_waiter *const *waiters, size_t count,
    bool wants_rotation, struct sn_error *err)
{
    size_t coming_bytes = 0;

    for (size_t i = 0; i < count; i++) {
        coming_bytes += waiters[i]->entry.len;
    }
    SN_TRY(prepare_file(f, coming_bytes, wants_rotation, err));
    struct sn_audit_position position = f->position;
    SN_TRY(sign_batch(f, waiters, count, &position, err));
    if (f->batch.len == 0) {
        return SN_OK;
    }
    SN_TRY(write_batch(f, err));
    if (f->first_seq == 0) {
        f->first_seq = f->position.seq + 1;
        struct sn_audit_record first;
        struct sn_slice line;
        struct sn_slice rest;
        sn_slice_cut(sn_buf_slice(&f->batch), '\n', &line, &rest);
        f->first_ms = sn_audit_record_parse(line, &first, err) == SN_OK ? first.unix_ms : position.unix_ms;
    }
    f->length += (int64_t)f->batch.len;
    f->position = position;
    f->due_count = 0;
    f->undelivered_count = 0;
    f->is_anchor_dirty = true;
    return SN_OK;
}

enum sn_status sn_audit_commit(struct sn_audit_file *f, struct sn_audit_waiter *const *waiters, size_t count,
    bool wants_rotation, struct sn_error *err)
{
    enum sn_status status = try_commit(f, waiters, count, wants_rotation, err);

    if (status != SN_OK && !sn_error_is(err, "AUDIT_WAITING")) {
        int64_t now_ns = f->clock->mono_ns(f->clock->ctx);
        give_up_file(f);
        /* A full disk stays full for hours: the tries that nobody asked for are told of now and then. */
        if (count > 0 || f->told_mono_ns == 0 || now_ns - f->told_mono_ns >= tell_again_ns) {
            f->told_mono_ns = now_ns;
            sn_audit_tell(f, SN_LOG_ERROR, "audit.failed", "%s", err->message);
        }
    }
    if (status == SN_OK && count == 0 && f->wants_proof) {
        sn_audit_tell(f, SN_LOG_INFO, "audit.recovered", "the audit log can be written again");
    }
    return status;
}

void sn_audit_write_anchor(struct sn_audit_file *f)
{
    SN_AUTO(sn_buf_clear) struct sn_buf line = {0};
    struct sn_error err;
    int64_t now_ns = f->clock->mono_ns(f->clock->ctx);

    if (!f->is_anchor_dirty || f->position.seq == 0) {
        return;
    }
    f->anchor_mono_ns = now_ns;
    sn_audit_anchor_append(&line, &f->position, sn_audit_keys_signing(&f->keys), sn_clock_unix_ms(f->clock));
    if (sn_fs_write_atomic(f->anchor_path, ANCHOR_MODE, sn_buf_slice(&line), &err) != SN_OK) {
        sn_audit_tell(f, SN_LOG_WARN, "audit.anchor_failed", "%s", err.message);
        return;
    }
    f->is_anchor_dirty = false;
    if (f->anchor_log_s > 0 &&
        (f->anchor_logged_mono_ns == 0 || now_ns - f->anchor_logged_mono_ns >= f->anchor_log_s * INT64_C(1000000000))) {
        f->anchor_logged_mono_ns = now_ns;
        sn_audit_tell(f, SN_LOG_INFO, "audit.anchor", "%.*s", (int)line.len - 1, line.ptr);
    }
}
