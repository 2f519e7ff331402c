/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/audit_start.c - what is checked before a log is gone on with.
 *
 * A crash leaves a torn write, which was never acknowledged and is cut off. Anything else that is wrong is damage: the
 * file is put aside and a new stream says so.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/audit_file_internal.h"

enum {
    DIR_MODE = 0750,
    LOCK_MODE = 0600,
    FILE_MODE = 0640,
    TAIL_MAX = SN_AUDIT_LINE_MAX + SN_AUDIT_RECORD_MAX,
    HEAD_MAX = SN_AUDIT_RECORD_MAX + 1,
    ANCHOR_FILE_MAX = 64 * 1024,
    ROTATED_TIME_LEN = 16, /* 20260301T090000Z */
    ROTATED_SEQ_LEN = 12,
};

/* What the end of a file tells. */
struct tail {
    bool has_record; /* a valid last record, at the very end or (is_damaged) somewhere before it */
    bool is_damaged;
    bool is_unknown_key;               /* of the form, but signed with a key we do not have */
    struct sn_audit_position position; /* of that record */
    char key_id[SN_AUDIT_KEY_ID_MAX + 1];
    int64_t torn_bytes;
    char torn_sha256[SN_SHA256_HEX_LEN + 1];
};

static void set_position(struct tail *tail, const struct sn_audit_record *record)
{
    tail->has_record = true;
    tail->position = (struct sn_audit_position){.seq = record->seq, .unix_ms = record->unix_ms};
    memcpy(tail->position.stream, record->stream.ptr, SN_ID_LEN);
    memcpy(tail->position.signature, record->signature.ptr, SN_AUDIT_SIGNATURE_LEN);
    memcpy(tail->key_id, record->key_id.ptr, record->key_id.len);
    tail->key_id[record->key_id.len] = '\0';
}

/* Reads [start, start + len) whole. */
static enum sn_status read_part(int fd, int64_t start, size_t len, struct sn_buf *out, struct sn_error *err)
{
    *out = SN_BUF_INIT(len + 1);
    while (out->len < len) {
        char *room = sn_buf_reserve(out, len - out->len);
        ssize_t got = pread(fd, room, len - out->len, start + (off_t)out->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return sn_fail_errno(err, "AUDIT_FILE", got == 0 ? EIO : errno, "cannot read the audit log");
        }
        out->len += (size_t)got;
    }
    return SN_OK;
}

/* Splits the last line off text, which ends with LF. */
static struct sn_slice take_last_line(struct sn_slice *text)
{
    struct sn_slice before;
    struct sn_slice line;
    struct sn_slice body = sn_slice_sub(*text, 0, text->len - 1);

    if (!sn_slice_cut_last(body, '\n', &before, &line)) {
        line = body;
        text->len = 0;
    } else {
        text->len = before.len + 1;
    }
    return line;
}

static enum sn_status read_tail(
    const struct sn_audit_file *f, int fd, int64_t size, struct tail *out_tail, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = {0};
    size_t len = size < TAIL_MAX ? (size_t)size : TAIL_MAX;
    struct tail tail = {.has_record = false};
    struct sn_audit_record record;
    struct sn_slice before;
    struct sn_slice torn;

    SN_TRY(read_part(fd, size - (int64_t)len, len, &bytes, err));
    struct sn_slice text = sn_buf_slice(&bytes);
    bool has_line = sn_slice_cut_last(text, '\n', &before, &torn);
    if (!has_line) {
        torn = text;
        tail.is_damaged = (int64_t)len < size; /* no line end within reach: not the trace of a crash */
    }
    tail.torn_bytes = (int64_t)torn.len;
    sn_sha256_hex(torn, tail.torn_sha256);
    text.len = has_line ? before.len + 1 : 0;
    for (bool is_last = true; text.len > 0; is_last = false) {
        struct sn_slice line = take_last_line(&text);
        if (sn_audit_record_parse(line, &record, err) == SN_OK) {
            bool is_unknown = sn_audit_keys_find(&f->keys, record.key_id) == NULL;
            if ((is_unknown && is_last) || sn_audit_record_is_valid(&f->keys, &record)) {
                tail.is_unknown_key = is_unknown;
                set_position(&tail, &record);
                break;
            }
        }
        tail.is_damaged = true;
    }
    *out_tail = tail;
    return SN_OK;
}

/* The first record of the file, for its later name and for the stream it follows. */
static void read_head(struct sn_audit_file *f, int64_t size, struct sn_audit_opening *out_opening)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = {0};
    struct sn_audit_record record;
    struct sn_slice line;
    struct sn_slice rest;
    struct sn_error err;

    *out_opening = (struct sn_audit_opening){.is_opened = false};
    if (read_part(f->fd, 0, size < HEAD_MAX ? (size_t)size : HEAD_MAX, &bytes, &err) == SN_OK &&
        sn_slice_cut(sn_buf_slice(&bytes), '\n', &line, &rest) && sn_audit_record_parse(line, &record, &err) == SN_OK) {
        f->first_seq = record.seq;
        f->first_ms = record.unix_ms;
        sn_audit_opening_parse(record.entry, out_opening);
    }
}

/* The newest valid anchor line; false when there is none. */
static bool read_anchor(struct sn_audit_file *f, struct sn_audit_position *out_anchor)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_slice rest;
    struct sn_slice line;
    struct sn_error err;
    bool has_anchor = false;

    if (!sn_fs_exists(f->anchor_path)) {
        return false;
    }
    if (sn_fs_read(f->anchor_path, ANCHOR_FILE_MAX, &text, &err) != SN_OK) {
        sn_audit_tell(f, SN_LOG_ERROR, "audit.anchor_unreadable", "%s", err.message);
        return false;
    }
    rest = sn_buf_slice(&text);
    while (sn_slice_next(&rest, '\n', &line)) {
        if (line.len == 0) {
            continue;
        }
        if (sn_audit_anchor_parse(line, &f->keys, out_anchor, &err) == SN_OK) {
            has_anchor = true;
        } else {
            sn_audit_tell(f, SN_LOG_ERROR, "audit.anchor_invalid", "%s", err.message);
        }
    }
    return has_anchor;
}

/* True if the records that the anchor speaks of are gone. */
static bool is_tail_missing(
    const struct sn_audit_position *anchor, const struct tail *tail, const struct sn_audit_opening *opening)
{
    if (strcmp(anchor->stream, tail->position.stream) == 0) {
        return anchor->seq > tail->position.seq ||
               (anchor->seq == tail->position.seq && strcmp(anchor->signature, tail->position.signature) != 0);
    }
    /* A stream that began after the anchor was written says itself what it follows. */
    return !(opening->has_previous && strcmp(opening->previous.stream, anchor->stream) == 0 &&
             opening->previous.seq >= anchor->seq);
}

static bool is_digits(const char *text, size_t len)
{
    return strspn(text, "0123456789") >= len;
}

/* "audit-20260301T090000Z-000000000001.log", perhaps with ".damaged" and a counter behind it. */
static bool is_rotated_name(const struct sn_audit_file *f, const char *name)
{
    size_t stem_len = strlen(f->stem);

    if (strncmp(name, f->stem, stem_len) != 0 || name[stem_len] != '-') {
        return false;
    }
    const char *at = name + stem_len + 1;
    if (strlen(at) < ROTATED_TIME_LEN + 1 + ROTATED_SEQ_LEN + 4 || !is_digits(at, 8) || at[8] != 'T' ||
        !is_digits(at + 9, 6) || at[15] != 'Z' || at[16] != '-' || !is_digits(at + 17, ROTATED_SEQ_LEN)) {
        return false;
    }
    return strncmp(at + ROTATED_TIME_LEN + 1 + strspn(at + 17, "0123456789"), ".log", 4) == 0;
}

/* The last file put aside, in the order of the names; "" when there is none. */
static enum sn_status find_rotated(
    const struct sn_audit_file *f, char out_name[SN_AUDIT_NAME_MAX + 1], struct sn_error *err)
{
    DIR *dir = opendir(f->dir);

    out_name[0] = '\0';
    if (dir == NULL) {
        return sn_fail_errno(err, "AUDIT_DIRECTORY", errno, "cannot list the directory of the audit log");
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (is_rotated_name(f, entry->d_name) && strcmp(entry->d_name, out_name) > 0) {
            snprintf(out_name, SN_AUDIT_NAME_MAX + 1, "%s", entry->d_name);
        }
    }
    closedir(dir);
    return SN_OK;
}

/* The end of a rotated file; an empty one has no record. */
static enum sn_status read_rotated(
    const struct sn_audit_file *f, const char *name, struct tail *out_tail, struct sn_error *err)
{
    char path[SN_AUDIT_PATH_MAX];
    struct stat info;

    SN_TRY(sn_path_join(path, sizeof(path), f->dir, name, err));
    SN_AUTO(sn_fd_close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot read the rotated audit log '%s'", name);
    }
    *out_tail = (struct tail){.has_record = false};
    return info.st_size == 0 ? SN_OK : read_tail(f, fd, info.st_size, out_tail, err);
}

static void add_resume(struct sn_audit_file *f, const struct tail *tail, const char *previous_key_id)
{
    if (strcmp(previous_key_id, sn_audit_keys_signing(&f->keys)->id) != 0) {
        sn_audit_due_add(f, "key_change");
    }
    struct sn_audit_due *due = sn_audit_due_add(f, "resume");
    if (tail->torn_bytes > 0) {
        due->torn_bytes = tail->torn_bytes;
        memcpy(due->torn_sha256, tail->torn_sha256, sizeof(due->torn_sha256));
    }
}

/* No record in audit.log: the very first start, a crash in the middle of a rotation, or somebody took the log away. */
static enum sn_status start_empty(
    struct sn_audit_file *f, const struct tail *torn, const struct sn_audit_position *anchor, struct sn_error *err)
{
    char name[SN_AUDIT_NAME_MAX + 1];
    struct tail tail = {0};

    SN_TRY(find_rotated(f, name, err));
    if (name[0] != '\0') {
        SN_TRY(read_rotated(f, name, &tail, err));
        bool is_whole =
            tail.has_record && !tail.is_damaged && tail.torn_bytes == 0 && strstr(name, ".damaged") == NULL &&
            (anchor == NULL || (strcmp(anchor->stream, tail.position.stream) == 0 && anchor->seq <= tail.position.seq));
        if (is_whole) {
            f->position = tail.position;
            struct sn_audit_due *due = sn_audit_due_add(f, "rotate");
            memcpy(due->previous_file, name, sizeof(due->previous_file));
            add_resume(f, torn, tail.key_id);
            return SN_OK;
        }
        if (tail.has_record && anchor == NULL) {
            sn_audit_tell(f, SN_LOG_ERROR, "audit.damaged_tail", "the last audit log '%s' is damaged", name);
            return sn_audit_start_stream(f, "damaged_tail", &tail.position, err);
        }
    }
    if (anchor != NULL) {
        sn_audit_tell(f, SN_LOG_ERROR, "audit.tail_missing",
            "the anchor names record %lld of an audit log that is gone", (long long)anchor->seq);
        return sn_audit_start_stream(f, "tail_missing", anchor, err);
    }
    return sn_audit_start_stream(f, name[0] == '\0' ? "new" : "damaged_tail", NULL, err);
}

/* Puts the file aside and begins a new stream in a new one. */
static enum sn_status put_aside(struct sn_audit_file *f, const char *suffix, const char *reason,
    const struct sn_audit_position *previous, struct sn_error *err)
{
    char name[SN_AUDIT_NAME_MAX + 1];

    SN_TRY(sn_audit_move_file(f, suffix, name, err));
    sn_audit_tell(f, SN_LOG_ERROR, strcmp(reason, "tail_missing") == 0 ? "audit.tail_missing" : "audit.damaged_tail",
        "the audit log is %s; it was put aside as '%s'",
        strcmp(reason, "tail_missing") == 0 ? "shorter than its anchor says" : "damaged at its end", name);
    SN_TRY(sn_audit_start_stream(f, reason, previous, err));
    return sn_audit_make_file(f, err);
}

static enum sn_status start_in(
    struct sn_audit_file *f, int64_t size, const struct sn_audit_position *anchor, struct sn_error *err)
{
    struct sn_audit_opening opening;
    struct tail tail = {0};

    SN_TRY(read_tail(f, f->fd, size, &tail, err));
    read_head(f, size, &opening);
    if (tail.is_damaged) {
        /* What was anchored was acknowledged, even when the file no longer shows it. */
        bool use_anchor = anchor != NULL && (!tail.has_record || strcmp(anchor->stream, tail.position.stream) != 0 ||
                                                anchor->seq > tail.position.seq);
        const struct sn_audit_position *previous = use_anchor ? anchor : tail.has_record ? &tail.position : NULL;
        return put_aside(f, ".damaged", "damaged_tail", previous, err);
    }
    if (tail.torn_bytes > 0) {
        size -= tail.torn_bytes;
        if (f->ops.truncate(f->ops.ctx, f->fd, size) != 0 || f->ops.datasync(f->ops.ctx, f->fd) != 0) {
            return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot cut a torn write off the audit log");
        }
        sn_audit_tell(f, SN_LOG_WARN, "audit.torn_write", "%lld bytes of an unfinished write were cut off",
            (long long)tail.torn_bytes);
    }
    f->length = size;
    if (!tail.has_record) {
        return start_empty(f, &tail, anchor, err);
    }
    if (anchor != NULL && is_tail_missing(anchor, &tail, &opening)) {
        return put_aside(f, "", "tail_missing", anchor, err);
    }
    if (tail.is_unknown_key) {
        sn_audit_tell(f, SN_LOG_WARN, "audit.unknown_key",
            "the last record was signed with key '%s', which is not given; it could not be checked", tail.key_id);
    }
    f->position = tail.position;
    add_resume(f, &tail, tail.key_id);
    return SN_OK;
}

static enum sn_status open_directory(struct sn_audit_file *f, struct sn_error *err)
{
    struct stat info;
    char path[SN_AUDIT_PATH_MAX];

    SN_TRY(sn_fs_make_dir(f->dir, DIR_MODE, err));
    f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir_fd < 0 || fstat(f->dir_fd, &info) != 0) {
        return sn_fail_errno(err, "AUDIT_DIRECTORY", errno, "cannot open the directory of the audit log '%s'", f->dir);
    }
    if ((info.st_mode & S_IWOTH) != 0) {
        sn_fail(err, SN_DENIED, "AUDIT_DIRECTORY", "everybody may write the directory of the audit log '%s'", f->dir);
        return sn_suggest(err, "run 'chmod o-w %s'", f->dir);
    }
    SN_TRY(sn_path_join(path, sizeof(path), f->dir, "audit.lock", err));
    f->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, LOCK_MODE);
    if (f->lock_fd < 0) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot open the lock of the audit log '%s'", path);
    }
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        sn_fail(err, SN_CONFLICT, "AUDIT_LOCKED", "another process writes the audit log in '%s'", f->dir);
        return sn_suggest(err, "stop the other server, or give this one its own SENTINEL_AUDIT_FILE");
    }
    return SN_OK;
}

enum sn_status sn_audit_start(struct sn_audit_file *f, struct sn_error *err)
{
    struct sn_audit_position anchor = {0};
    struct stat info;

    SN_TRY(open_directory(f, err));
    bool has_anchor = read_anchor(f, &anchor);
    f->fd = f->ops.open(f->ops.ctx, f->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (f->fd < 0) {
        sn_fail_errno(err, "AUDIT_FILE", errno, "cannot open the audit log '%s'", f->path);
        return sn_suggest(err, "it must be a plain file that this user may write, not a symbolic link");
    }
    if (fstat(f->fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink != 1) {
        return sn_fail(err, SN_DENIED, "AUDIT_FILE", "the audit log '%s' is not a plain file with one name", f->path);
    }
    if (fchmod(f->fd, FILE_MODE) != 0) {
        return sn_fail_errno(err, "AUDIT_FILE", errno, "cannot set the mode of the audit log '%s'", f->path);
    }
    f->device = info.st_dev;
    f->inode = info.st_ino;
    if (info.st_size > 0) {
        SN_TRY(start_in(f, info.st_size, has_anchor ? &anchor : NULL, err));
    } else {
        const struct tail none = {.has_record = false};
        SN_TRY(start_empty(f, &none, has_anchor ? &anchor : NULL, err));
    }
    if (f->ops.sync_dir(f->ops.ctx, f->dir_fd) != 0) {
        return sn_fail_errno(err, "AUDIT_DIRECTORY", errno, "cannot sync the directory of the audit log");
    }
    return SN_OK;
}
