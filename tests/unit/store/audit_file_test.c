/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store/audit_file.c and its parts: start, group commit, rotation, faults, anchors. Every log made here is
 * read back by the verifier.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "audit_log.h"
#include "base/fs.h"
#include "core/audit/verifier.h"
#include "scratch.h"
#include "store/audit_file.h"

/* --- A disk that fails when told --- */

struct disk {
    struct sn_audit_file_ops ops;
    atomic_int write_errno, sync_errno, truncate_errno, rename_errno, open_errno; /* 0: works */
    atomic_int short_write;                                                       /* write half, once */
    atomic_int syncs, writes;
    pthread_mutex_t gate; /* held by the test: a sync waits here */
    atomic_int in_sync;
};

static int fails(atomic_int *error)
{
    errno = atomic_load(error);
    return errno != 0;
}

static int disk_open(void *ctx, const char *path, int flags, mode_t mode)
{
    struct disk *d = ctx;
    return fails(&d->open_errno) ? -1 : open(path, flags, mode);
}

static ssize_t disk_write(void *ctx, int fd, const void *bytes, size_t len)
{
    struct disk *d = ctx;
    atomic_fetch_add(&d->writes, 1);
    if (atomic_exchange(&d->short_write, 0) != 0) {
        return write(fd, bytes, len / 2);
    }
    return fails(&d->write_errno) ? -1 : write(fd, bytes, len);
}

static int disk_sync(void *ctx, int fd)
{
    struct disk *d = ctx;
    atomic_fetch_add(&d->in_sync, 1);
    pthread_mutex_lock(&d->gate);
    pthread_mutex_unlock(&d->gate);
    atomic_fetch_add(&d->syncs, 1);
    return fails(&d->sync_errno) ? -1 : fdatasync(fd);
}

static int disk_truncate(void *ctx, int fd, off_t len)
{
    struct disk *d = ctx;
    return fails(&d->truncate_errno) ? -1 : ftruncate(fd, len);
}

static int disk_rename(void *ctx, const char *from, const char *to)
{
    struct disk *d = ctx;
    return fails(&d->rename_errno) ? -1 : sn_audit_file_ops_system()->rename_new(NULL, from, to);
}

static int disk_sync_dir(void *ctx, int dir_fd)
{
    (void)ctx;
    return fsync(dir_fd);
}

/* --- One log under test --- */

struct fixture {
    struct scratch scratch;
    struct scripted_clock clock;
    struct disk disk;
    struct sn_audit_keys keys;
    struct sn_audit_file_options options;
    struct sn_audit_file *file;
    char path[256], anchor[256];
    atomic_int told_errors;
    char last_event[64], anchor_line[1024];
};

static void on_notify(void *ctx, enum sn_log_level level, const char *event, const char *message)
{
    struct fixture *x = ctx;
    if (level == SN_LOG_ERROR) {
        atomic_fetch_add(&x->told_errors, 1);
        snprintf(x->last_event, sizeof(x->last_event), "%s", event);
    }
    if (strcmp(event, "audit.anchor") == 0) {
        snprintf(x->anchor_line, sizeof(x->anchor_line), "%s", message);
    }
}

static void setup(struct fixture *x)
{
    memset(x, 0, sizeof(*x));
    scratch_make(&x->scratch);
    scripted_clock_init(&x->clock);
    pthread_mutex_init(&x->disk.gate, NULL);
    x->disk.ops = (struct sn_audit_file_ops){.open = disk_open,
        .write = disk_write,
        .datasync = disk_sync,
        .truncate = disk_truncate,
        .rename_new = disk_rename,
        .sync_dir = disk_sync_dir,
        .ctx = &x->disk};
    struct sn_audit_keys both = sn_test_audit_keys();
    x->keys = both;
    x->keys.count = 1; /* k1 alone; k2 is for the tests of a key change */
    scratch_path(&x->scratch, "audit.log", x->path);
    scratch_path(&x->scratch, "audit.anchor", x->anchor);
    x->options = (struct sn_audit_file_options){.path = x->path,
        .rotate_bytes = 0,
        .keys = &x->keys,
        .clock = &x->clock.clock,
        .random_source = sn_random_system(),
        .instance = {"c4q9e2h7m1x5s8z3"},
        .version = "1.0.0",
        .ops = &x->disk.ops,
        .notify = on_notify,
        .notify_ctx = x};
}

static void start(struct fixture *x)
{
    struct sn_error err;
    assert_ok(sn_audit_file_open(&x->options, &x->file, &err), &err);
}

static void stop(struct fixture *x)
{
    sn_audit_file_close_p(&x->file);
}

static void teardown(struct fixture *x)
{
    stop(x);
    sn_audit_keys_clear(&x->keys);
    pthread_mutex_destroy(&x->disk.gate);
    scratch_remove(&x->scratch);
}

static enum sn_status add(struct fixture *x, const char *user, struct sn_error *err)
{
    struct sn_audit_sink sink = sn_audit_file_sink(x->file);
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};

    sn_buf_addf(&entry, "{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"decision\",\"user\":\"%s\"}", user);
    return sink.append(sink.ctx, sn_buf_slice(&entry), sn_slice_str(user), 5000, err);
}

static void must_add(struct fixture *x, const char *user)
{
    struct sn_error err;
    assert_ok(add(x, user, &err), &err);
}

static void must_fail(struct fixture *x, const char *user)
{
    struct sn_error err;
    struct sn_audit_sink sink = sn_audit_file_sink(x->file);
    assert_fails(add(x, user, &err), &err, "AUDIT_UNAVAILABLE");
    assert_int_equal(err.status, SN_UNAVAILABLE);
    assert_true(err.retryable);
    assert_false(sink.is_healthy(sink.ctx));
}

/* All log files of the directory in shell order, as one text with the number of files. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static size_t read_log(const struct fixture *x, bool with_damaged, struct sn_buf *out, struct sn_audit_verifier *v)
{
    struct dirent **names = NULL;
    size_t files = 0;
    int count = scandir(x->scratch.dir, &names, NULL, by_name);

    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        size_t len = strlen(name);
        bool is_log = len > 4 && strcmp(name + len - 4, ".log") == 0;
        if (is_log || (with_damaged && strstr(name, ".damaged") != NULL)) {
            char path[256];
            SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
            struct sn_error err;
            scratch_path(&x->scratch, name, path);
            assert_ok(sn_fs_read(path, 64 * 1024 * 1024, &text, &err), &err);
            files++;
            sn_buf_add(out, sn_buf_slice(&text));
            if (v != NULL) {
                sn_audit_verifier_begin_file(v);
                sn_audit_verifier_feed(v, sn_buf_slice(&text));
                sn_audit_verifier_end_file(v);
            }
        }
        free(names[i]);
    }
    free(names);
    return files;
}

struct verdict {
    uint64_t failures, ok, streams, unacknowledged;
    size_t files;
    struct sn_buf text;
    char message[SN_AUDIT_MESSAGE_MAX];
};

static struct verdict verify(struct fixture *x, bool with_damaged)
{
    struct sn_audit_keys keys = sn_test_audit_keys();
    struct sn_audit_verifier *v = sn_audit_verifier_new(&keys, &(struct sn_audit_verify_options){.max_findings = 10});
    struct verdict verdict = {.failures = 0};
    SN_AUTO(sn_buf_clear) struct sn_buf anchor = {0};
    struct sn_error err;

    if (sn_fs_exists(x->anchor)) {
        assert_ok(sn_fs_read(x->anchor, 4096, &anchor, &err), &err);
        sn_audit_verifier_add_anchors(v, sn_buf_slice(&anchor));
    }
    verdict.files = read_log(x, with_damaged, &verdict.text, v);
    const struct sn_audit_verify_result *r = sn_audit_verifier_finish(v);
    verdict.failures = r->failures;
    verdict.ok = r->ok;
    verdict.streams = r->streams;
    verdict.unacknowledged = r->unacknowledged;
    if (r->finding_count > 0) {
        snprintf(verdict.message, sizeof(verdict.message), "%s", r->findings[0].message);
    }
    sn_audit_verifier_free(v);
    sn_audit_keys_clear(&keys);
    return verdict;
}

/* The log is whole, in so many files and streams, and holds each text so often. */
static void assert_whole(struct fixture *x, size_t files, uint64_t streams, uint64_t records)
{
    struct verdict verdict = verify(x, false);
    if (verdict.failures != 0) {
        print_error("%s\n%s\n", verdict.message, sn_buf_str(&verdict.text));
    }
    assert_int_equal(verdict.failures, 0);
    assert_int_equal(verdict.files, files);
    assert_int_equal(verdict.streams, streams);
    assert_int_equal(verdict.ok, records);
    sn_buf_clear(&verdict.text);
}

static size_t count_of(struct fixture *x, const char *needle)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    size_t count = 0;

    read_log(x, true, &text, NULL);
    for (const char *at = sn_buf_str(&text); (at = strstr(at, needle)) != NULL; at++) {
        count++;
    }
    return count;
}

static void append_bytes(const struct fixture *x, const char *bytes, size_t len)
{
    int fd = open(x->path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

/* --- Start --- */

static void first_start_and_resume(void **state)
{
    (void)state;
    struct fixture x;
    struct stat info;

    setup(&x);
    umask(077);
    start(&x);
    must_add(&x, "alice");
    stop(&x);
    assert_int_equal(stat(x.path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640); /* AUD-21 */
    assert_int_equal(stat(x.anchor, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_whole(&x, 1, 1, 2);
    start(&x);
    must_add(&x, "bob");
    struct sn_audit_file_stats stats;
    sn_audit_file_stats(x.file, &stats);
    assert_int_equal(stats.position.seq, 4);
    assert_string_equal(stats.key_id, "k1");
    stop(&x);
    assert_whole(&x, 1, 1, 4);
    assert_int_equal(count_of(&x, "\"reason\":\"new\""), 1);
    assert_int_equal(count_of(&x, "\"reason\":\"resume\""), 1);
    teardown(&x);
}

/* AUD-17, AUD-22: a torn write is cut off and told; the log goes on in one stream. */
static void torn_writes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t len;
    } rows[] = {
        {"half a record", "{\"v\":1,\"stream\":\"7c9e", 21},
        {"NULs", "\0\0\0\0\0\0\0\0", 8},
        {"half a record and NULs", "{\"v\":1\0\0\0", 9},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture x;
        char torn[32];
        print_message("# %s\n", rows[i].name);
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        stop(&x);
        append_bytes(&x, rows[i].bytes, rows[i].len);
        start(&x);
        stop(&x);
        assert_whole(&x, 1, 1, 3);
        snprintf(torn, sizeof(torn), "\"torn_bytes\":%zu", rows[i].len);
        assert_int_equal(count_of(&x, torn), 1);
        teardown(&x);
    }
}

/* ATK-33: a complete line that is no record is damage: put aside, told, a new stream. */
static void attack_33_damaged_tail(void **state)
{
    (void)state;
    static const char *const rows[] = {"garbage\n", "\n", "{\"v\":1}\n", NULL /* a record with a changed byte */};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture x;
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        must_add(&x, "bob");
        stop(&x);
        if (rows[i] != NULL) {
            append_bytes(&x, rows[i], strlen(rows[i]));
        } else {
            int fd = open(x.path, O_RDWR);
            struct stat info;
            fstat(fd, &info);
            assert_int_equal(pwrite(fd, "X", 1, info.st_size - 120), 1);
            close(fd);
        }
        start(&x);
        must_add(&x, "carol");
        stop(&x);
        assert_string_equal(x.last_event, "audit.damaged_tail");
        assert_int_equal(count_of(&x, "\"reason\":\"damaged_tail\""), 1);
        struct verdict without = verify(&x, false);
        struct verdict with = verify(&x, true);
        assert_true(without.failures > 0);
        /* An empty line is no record and hides none, so it alone leaves the whole readable. */
        assert_int_equal(with.failures > 0, rows[i] == NULL || strlen(rows[i]) > 1);
        sn_buf_clear(&without.text);
        sn_buf_clear(&with.text);
        teardown(&x);
    }
}

/* AUD-18, ATK-33: records cut off the end, or the whole file taken away, are noticed at the next start. */
static void attack_33_tail_missing(void **state)
{
    (void)state;
    for (int whole = 0; whole <= 1; whole++) {
        struct fixture x;
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        int fd = open(x.path, O_RDWR);
        struct stat info;
        fstat(fd, &info);
        must_add(&x, "bob");
        must_add(&x, "carol");
        stop(&x);
        assert_int_equal(whole ? unlink(x.path) : ftruncate(fd, info.st_size), 0);
        close(fd);
        struct verdict cut = verify(&x, false);
        assert_true(cut.failures > 0);
        if (!whole) {
            assert_non_null(strstr(cut.message, "tail missing"));
        }
        sn_buf_clear(&cut.text);
        start(&x);
        must_add(&x, "dave");
        stop(&x);
        assert_string_equal(x.last_event, "audit.tail_missing");
        assert_int_equal(count_of(&x, "\"reason\":\"tail_missing\""), 1);
        assert_int_equal(count_of(&x, "\"previous_seq\":4"), 1);
        struct verdict after = verify(&x, false);
        assert_true(after.failures > 0); /* the loss stays visible for good */
        sn_buf_clear(&after.text);
        teardown(&x);
    }
}

/* AUD-21: a second writer, a link, a file with two names, a directory open to all. */
static void refused_starts(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_file *second = NULL;
    struct sn_error err;
    char other[256];

    setup(&x);
    start(&x);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_LOCKED");
    stop(&x);
    scratch_path(&x.scratch, "other.log", other);
    assert_int_equal(rename(x.path, other), 0);
    assert_int_equal(symlink(other, x.path), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_FILE");
    unlink(x.path);
    assert_int_equal(link(other, x.path), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_FILE");
    unlink(x.path);
    assert_int_equal(mkdir(x.path, 0700), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_FILE");
    rmdir(x.path);
    assert_int_equal(chmod(x.scratch.dir, 0777), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_DIRECTORY");
    chmod(x.scratch.dir, 0700);
    atomic_store(&x.disk.sync_errno, EIO);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_SYNC");
    teardown(&x);
}

/* --- Keys --- */

static void key_changes(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_keys both = sn_test_audit_keys();

    setup(&x);
    start(&x);
    must_add(&x, "alice");
    sn_audit_file_set_keys(x.file, &both);
    must_add(&x, "bob");
    stop(&x);
    assert_int_equal(count_of(&x, "\"reason\":\"key_change\""), 1);
    assert_whole(&x, 1, 1, 4);
    /* At a start: back to k1, with k2 still known for checking. */
    struct sn_audit_keys turned = {.count = 2};
    memcpy(turned.keys[0].id, "k2", 3);
    memcpy(turned.keys[1].id, "k1", 3);
    sn_secret_set(&turned.keys[0].key, sn_secret_reveal(&both.keys[1].key));
    sn_secret_set(&turned.keys[1].key, sn_secret_reveal(&both.keys[0].key));
    x.options.keys = &turned;
    start(&x);
    stop(&x);
    assert_int_equal(count_of(&x, "\"reason\":\"key_change\""), 2);
    assert_whole(&x, 1, 1, 6);
    /* An old key that is not given any more: gone on with under the new one; the reader with all keys is content. */
    struct sn_audit_keys only_new = {.count = 1};
    memcpy(only_new.keys[0].id, "k2", 3);
    sn_secret_set(&only_new.keys[0].key, sn_secret_reveal(&both.keys[1].key));
    x.options.keys = &only_new;
    start(&x);
    stop(&x);
    assert_whole(&x, 1, 1, 8);
    x.options.keys = &x.keys;
    sn_audit_keys_clear(&both);
    sn_audit_keys_clear(&turned);
    sn_audit_keys_clear(&only_new);
    teardown(&x);
}

/* --- Rotation --- */

static void rotations(void **state)
{
    (void)state;
    struct fixture x;
    char moved[256];

    setup(&x);
    x.options.rotate_bytes = 2000;
    x.options.rotate_s = 3600;
    start(&x);
    for (int i = 0; i < 20; i++) {
        must_add(&x, "alice");
    }
    struct verdict by_size = verify(&x, false);
    assert_true(by_size.files >= 3);
    assert_int_equal(by_size.failures, 0);
    sn_buf_clear(&by_size.text);
    size_t rotated = count_of(&x, "\"reason\":\"rotate\"");
    scripted_clock_advance(&x.clock, 3600 * 1000);
    must_add(&x, "by-age");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), rotated + 1);
    sn_audit_file_rotate(x.file);
    must_add(&x, "by-request");
    assert_true(count_of(&x, "\"reason\":\"rotate\"") >= rotated + 2);
    assert_int_equal(count_of(&x, "\"previous_file\":\"audit-2026"), count_of(&x, "\"reason\":\"rotate\""));
    /* Renamed under the writer. */
    scratch_path(&x.scratch, "audit-99999999T000000Z-999999999999.log", moved);
    rotated = count_of(&x, "\"reason\":\"rotate\"");
    assert_int_equal(rename(x.path, moved), 0);
    must_add(&x, "after-rename");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), rotated + 1);
    assert_int_equal(count_of(&x, "after-rename"), 1);
    struct verdict all = verify(&x, false);
    assert_int_equal(all.failures, 0);
    assert_int_equal(all.streams, 1);
    sn_buf_clear(&all.text);
    teardown(&x);
}

/* AUD-17: a crash between the steps of a rotation is finished at the next start. */
static void crash_inside_rotation(void **state)
{
    (void)state;
    for (int made = 0; made <= 1; made++) {
        struct fixture x;
        char moved[256];
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        stop(&x);
        scratch_path(&x.scratch, "audit-20260301T090000Z-000000000001.log", moved);
        assert_int_equal(rename(x.path, moved), 0);
        if (made) {
            close(open(x.path, O_CREAT | O_WRONLY, 0640));
        }
        start(&x);
        must_add(&x, "bob");
        stop(&x);
        assert_int_equal(count_of(&x, "\"previous_file\":\"audit-20260301T090000Z-000000000001.log\""), 1);
        assert_int_equal(atomic_load(&x.told_errors), 0);
        assert_whole(&x, 2, 1, 5);
        teardown(&x);
    }
}

/* ATK-33: somebody else wrote into the log, or shortened it, under the writer. */
static void attack_33_foreign_write(void **state)
{
    (void)state;
    for (int shorten = 0; shorten <= 1; shorten++) {
        struct fixture x;
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        must_add(&x, "bob");
        if (shorten) {
            assert_int_equal(truncate(x.path, 0), 0); /* a copy-and-truncate rotator */
        } else {
            append_bytes(&x, "{\"event\":\"decision\",\"effect\":\"allow\"}\n", 38);
        }
        must_add(&x, "carol");
        stop(&x);
        assert_string_equal(x.last_event, "audit.foreign_write");
        assert_int_equal(count_of(&x, "\"reason\":\"foreign_write\""), 1);
        assert_int_equal(count_of(&x, "carol"), 1);
        struct verdict verdict = verify(&x, true);
        assert_true(verdict.failures > 0);
        sn_buf_clear(&verdict.text);
        teardown(&x);
    }
}

/* --- Faults: AUD-22, ATK-33 --- */

static void attack_33_disk_faults(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t fault; /* offset of the switch in struct disk */
        int error;
    } rows[] = {
        {"disk full", offsetof(struct disk, write_errno), ENOSPC},
        {"write error", offsetof(struct disk, write_errno), EIO},
        {"sync error", offsetof(struct disk, sync_errno), EIO},
        {"short write", offsetof(struct disk, short_write), 1},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture x;
        print_message("# %s\n", rows[i].name);
        setup(&x);
        start(&x);
        must_add(&x, "before");
        atomic_int *fault = (atomic_int *)(void *)((char *)&x.disk + rows[i].fault);
        atomic_store(fault, rows[i].error);
        must_fail(&x, "refused-1");
        /* Less than a second later nothing is tried; later, while the fault lasts, it fails again. */
        must_fail(&x, "refused-2");
        scripted_clock_advance(&x.clock, 1001);
        if (rows[i].fault != offsetof(struct disk, short_write)) {
            must_fail(&x, "refused-3");
            scripted_clock_advance(&x.clock, 1001);
        }
        atomic_store(fault, 0);
        must_add(&x, "after");
        struct sn_audit_sink sink = sn_audit_file_sink(x.file);
        assert_true(sink.is_healthy(sink.ctx));
        stop(&x);
        assert_int_equal(count_of(&x, "refused"), 0);
        assert_int_equal(count_of(&x, "\"before\""), 1);
        assert_int_equal(count_of(&x, "\"after\""), 1);
        assert_whole(&x, 1, 1, 3);
        teardown(&x);
    }
}

/* When the file could not be cut back, what stands behind the last acknowledged record begins a new stream. */
static void sink_error_begins_a_stream(void **state)
{
    (void)state;
    struct fixture x;

    setup(&x);
    start(&x);
    must_add(&x, "before");
    atomic_store(&x.disk.sync_errno, EIO);
    atomic_store(&x.disk.truncate_errno, EIO);
    must_fail(&x, "unacknowledged");
    atomic_store(&x.disk.sync_errno, 0);
    scripted_clock_advance(&x.clock, 1001);
    must_add(&x, "after");
    stop(&x);
    assert_int_equal(count_of(&x, "\"reason\":\"sink_error\""), 1);
    struct verdict verdict = verify(&x, false);
    assert_int_equal(verdict.failures, 0);
    assert_int_equal(verdict.streams, 2);
    assert_int_equal(verdict.unacknowledged, 1);
    sn_buf_clear(&verdict.text);
    teardown(&x);
}

static void rename_that_fails(void **state)
{
    (void)state;
    struct fixture x;

    setup(&x);
    x.options.rotate_s = 60;
    start(&x);
    scripted_clock_advance(&x.clock, 61000);
    atomic_store(&x.disk.rename_errno, EACCES);
    must_add(&x, "alice"); /* a log that grows is better than none */
    assert_string_equal(x.last_event, "audit.rotation_failed");
    atomic_store(&x.disk.rename_errno, 0);
    must_add(&x, "bob");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), 0);
    scripted_clock_advance(&x.clock, 61000);
    must_add(&x, "carol");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), 1);
    stop(&x);
    assert_whole(&x, 2, 1, 5);
    teardown(&x);
}

/* AUD-22: who gave up waiting is told of in the log once the record turns out durable. */
static void undelivered_records(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_sink sink;
    struct sn_error err;

    setup(&x);
    start(&x);
    sink = sn_audit_file_sink(x.file);
    pthread_mutex_lock(&x.disk.gate);
    assert_fails(sink.append(sink.ctx, SN_S("{\"user\":\"late\"}"), SN_S("2x8m5k0t7v3r9w1q"), 20, &err), &err,
        "AUDIT_UNAVAILABLE");
    assert_false(sink.is_healthy(sink.ctx));
    /* This one has not been taken by the writer: it is withdrawn and never written. */
    assert_fails(sink.append(sink.ctx, SN_S("{\"user\":\"never\"}"), SN_S("3x8m5k0t7v3r9w1q"), 20, &err), &err,
        "AUDIT_UNAVAILABLE");
    pthread_mutex_unlock(&x.disk.gate);
    must_add(&x, "next");
    stop(&x);
    assert_int_equal(count_of(&x, "\"late\""), 1);
    assert_int_equal(count_of(&x, "\"never\""), 0);
    assert_int_equal(
        count_of(&x, "\"event\":\"audit.undelivered\",\"request_id\":\"2x8m5k0t7v3r9w1q\",\"reason\":\"timeout\""), 1);
    assert_whole(&x, 1, 1, 4);
    teardown(&x);
}

static void too_large_an_entry(void **state)
{
    (void)state;
    struct fixture x;
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};
    struct sn_error err;

    setup(&x);
    start(&x);
    sn_buf_add_str(&entry, "{\"a\":\"");
    for (int i = 0; i < 300 * 1024; i++) {
        sn_buf_add_byte(&entry, 'a');
    }
    sn_buf_add_str(&entry, "\"}");
    struct sn_audit_sink sink = sn_audit_file_sink(x.file);
    assert_fails(sink.append(sink.ctx, sn_buf_slice(&entry), SN_S(""), 5000, &err), &err, "AUDIT_UNAVAILABLE");
    must_add(&x, "alice");
    stop(&x);
    assert_whole(&x, 1, 1, 2);
    teardown(&x);
}

/* --- Group commit: AUD-21 --- */

enum { THREADS = 50, EACH = 200 };

struct client {
    struct fixture *x;
    int number;
    int early; /* answers that came before the sync that covers them */
};

static void *client_run(void *argument)
{
    struct client *c = argument;
    struct sn_audit_sink sink = sn_audit_file_sink(c->x->file);

    for (int i = 0; i < EACH; i++) {
        char entry[128];
        struct sn_error err;
        int before = atomic_load(&c->x->disk.syncs);
        snprintf(entry, sizeof(entry), "{\"event\":\"decision\",\"user\":\"u%d\",\"n\":%d}", c->number, i);
        if (sink.append(sink.ctx, sn_slice_str(entry), SN_S(""), 5000, &err) != SN_OK) {
            c->early = -1000000;
        }
        c->early += atomic_load(&c->x->disk.syncs) == before;
    }
    return NULL;
}

static void many_clients_share_syncs(void **state)
{
    (void)state;
    struct fixture x;
    pthread_t threads[THREADS];
    struct client clients[THREADS];

    setup(&x);
    start(&x);
    for (int i = 0; i < THREADS; i++) {
        clients[i] = (struct client){.x = &x, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, client_run, &clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(clients[i].early, 0);
    }
    stop(&x);
    assert_true(atomic_load(&x.disk.syncs) < THREADS * EACH);
    assert_int_equal(count_of(&x, "\"event\":\"decision\""), THREADS * EACH);
    assert_whole(&x, 1, 1, THREADS * EACH + 1);
    teardown(&x);
}

/* The anchor is told as an operational line, and what it says verifies. */
static void anchor_lines(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_position position;
    struct sn_error err;

    setup(&x);
    x.options.anchor_log_s = 60;
    start(&x);
    must_add(&x, "alice");
    stop(&x);
    assert_ok(sn_audit_anchor_parse(sn_slice_str(x.anchor_line), &x.keys, &position, &err), &err);
    teardown(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start_and_resume),
        cmocka_unit_test(torn_writes),
        cmocka_unit_test(attack_33_damaged_tail),
        cmocka_unit_test(attack_33_tail_missing),
        cmocka_unit_test(refused_starts),
        cmocka_unit_test(key_changes),
        cmocka_unit_test(rotations),
        cmocka_unit_test(crash_inside_rotation),
        cmocka_unit_test(attack_33_foreign_write),
        cmocka_unit_test(attack_33_disk_faults),
        cmocka_unit_test(sink_error_begins_a_stream),
        cmocka_unit_test(rename_that_fails),
        cmocka_unit_test(undelivered_records),
        cmocka_unit_test(too_large_an_entry),
        cmocka_unit_test(many_clients_share_syncs),
        cmocka_unit_test(anchor_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
