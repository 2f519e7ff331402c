/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/store/audit_fixture.h - one audit log under test: a scripted clock, a disk that fails when told, and what
 * the verifier says about the files.
 */
#ifndef SN_TESTS_UNIT_STORE_AUDIT_FIXTURE_H
#define SN_TESTS_UNIT_STORE_AUDIT_FIXTURE_H

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

SN_UNUSED static int fails(atomic_int *error)
{
    errno = atomic_load(error);
    return errno != 0;
}

SN_UNUSED static int disk_open(void *ctx, const char *path, int flags, mode_t mode)
{
    struct disk *d = ctx;
    return fails(&d->open_errno) ? -1 : open(path, flags, mode);
}

SN_UNUSED static ssize_t disk_write(void *ctx, int fd, const void *bytes, size_t len)
{
    struct disk *d = ctx;
    atomic_fetch_add(&d->writes, 1);
    if (atomic_exchange(&d->short_write, 0) != 0) {
        return write(fd, bytes, len / 2);
    }
    return fails(&d->write_errno) ? -1 : write(fd, bytes, len);
}

SN_UNUSED static int disk_sync(void *ctx, int fd)
{
    struct disk *d = ctx;
    atomic_fetch_add(&d->in_sync, 1);
    pthread_mutex_lock(&d->gate);
    pthread_mutex_unlock(&d->gate);
    atomic_fetch_add(&d->syncs, 1);
    return fails(&d->sync_errno) ? -1 : fdatasync(fd);
}

SN_UNUSED static int disk_truncate(void *ctx, int fd, off_t len)
{
    struct disk *d = ctx;
    return fails(&d->truncate_errno) ? -1 : ftruncate(fd, len);
}

SN_UNUSED static int disk_rename(void *ctx, const char *from, const char *to)
{
    struct disk *d = ctx;
    return fails(&d->rename_errno) ? -1 : sn_audit_file_ops_system()->rename_new(NULL, from, to);
}

SN_UNUSED static int disk_sync_dir(void *ctx, int dir_fd)
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

SN_UNUSED static void on_notify(void *ctx, enum sn_log_level level, const char *event, const char *message)
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

SN_UNUSED static void setup(struct fixture *x)
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

SN_UNUSED static void start(struct fixture *x)
{
    struct sn_error err;
    assert_ok(sn_audit_file_open(&x->options, &x->file, &err), &err);
}

SN_UNUSED static void stop(struct fixture *x)
{
    sn_audit_file_close_p(&x->file);
}

SN_UNUSED static void teardown(struct fixture *x)
{
    stop(x);
    sn_audit_keys_clear(&x->keys);
    pthread_mutex_destroy(&x->disk.gate);
    scratch_remove(&x->scratch);
}

SN_UNUSED static enum sn_status add(struct fixture *x, const char *user, struct sn_error *err)
{
    struct sn_audit_sink sink = sn_audit_file_sink(x->file);
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};

    sn_buf_addf(&entry, "{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"decision\",\"user\":\"%s\"}", user);
    return sink.append(sink.ctx, sn_buf_slice(&entry), sn_slice_str(user), 5000, err);
}

SN_UNUSED static void must_add(struct fixture *x, const char *user)
{
    struct sn_error err;
    assert_ok(add(x, user, &err), &err);
}

SN_UNUSED static void must_fail(struct fixture *x, const char *user)
{
    struct sn_error err;
    struct sn_audit_sink sink = sn_audit_file_sink(x->file);
    assert_fails(add(x, user, &err), &err, "AUDIT_UNAVAILABLE");
    assert_int_equal(err.status, SN_UNAVAILABLE);
    assert_true(err.retryable);
    assert_false(sink.is_healthy(sink.ctx));
}

/* All log files of the directory in shell order, as one text with the number of files. */
SN_UNUSED static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

SN_UNUSED static size_t read_log(
    const struct fixture *x, bool with_damaged, struct sn_buf *out, struct sn_audit_verifier *v)
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

SN_UNUSED static struct verdict verify(struct fixture *x, bool with_damaged)
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
SN_UNUSED static void assert_whole(struct fixture *x, size_t files, uint64_t streams, uint64_t records)
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

SN_UNUSED static size_t count_of(struct fixture *x, const char *needle)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    size_t count = 0;

    read_log(x, true, &text, NULL);
    for (const char *at = sn_buf_str(&text); (at = strstr(at, needle)) != NULL; at++) {
        count++;
    }
    return count;
}

SN_UNUSED static void append_bytes(const struct fixture *x, const char *bytes, size_t len)
{
    int fd = open(x->path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

#endif
