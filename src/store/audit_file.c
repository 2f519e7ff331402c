/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/audit_file.c - the queue in front of the audit log and the thread behind it.
 */
#include "store/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/audit_file_internal.h"

enum { WAIT_MAX_MS = 5000, ANCHOR_EVERY_MS = 1000, TRY_AGAIN_MS = 1000, UNDELIVERED_MAX = SN_AUDIT_QUEUE_MAX };

/* --- The system's calls --- */

static int system_open(void *ctx, const char *path, int flags, mode_t mode)
{
    (void)ctx;
    return open(path, flags, mode);
}

static ssize_t system_write(void *ctx, int fd, const void *bytes, size_t len)
{
    (void)ctx;
    return write(fd, bytes, len);
}

static int system_datasync(void *ctx, int fd)
{
    (void)ctx;
    return fdatasync(fd);
}

static int system_truncate(void *ctx, int fd, off_t len)
{
    (void)ctx;
    return ftruncate(fd, len);
}

static int system_rename_new(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -1;
    }
    /* A file system without that flag: a second name, then the first one goes. */
    return link(from, to) == 0 && unlink(from) == 0 ? 0 : -1;
}

static int system_sync_dir(void *ctx, int dir_fd)
{
    (void)ctx;
    return fsync(dir_fd);
}

const struct sn_audit_file_ops *sn_audit_file_ops_system(void)
{
    static const struct sn_audit_file_ops ops = {.open = system_open,
        .write = system_write,
        .datasync = system_datasync,
        .truncate = system_truncate,
        .rename_new = system_rename_new,
        .sync_dir = system_sync_dir};
    return &ops;
}

/* --- Waiting on the monotonic clock of the system --- */

static struct timespec deadline_in(int64_t wait_ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += wait_ms / 1000;
    at.tv_nsec += wait_ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static void init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

static void waiter_free(struct sn_audit_waiter *waiter)
{
    sn_buf_clear(&waiter->entry);
    sn_wake_clear(&waiter->done);
    sn_free(waiter);
}

/* --- The writer --- */

/* Takes what waits, up to the limits of a batch. */
static size_t take_batch(struct sn_audit_file *f, struct sn_audit_waiter **out_waiters)
{
    size_t count = 0;
    size_t bytes = 0;

    while (f->first != NULL && count < SN_AUDIT_BATCH_RECORDS) {
        struct sn_audit_waiter *waiter = f->first;
        if (count > 0 && bytes + waiter->entry.len > SN_AUDIT_BATCH_BYTES) {
            break;
        }
        bytes += waiter->entry.len;
        f->first = waiter->next;
        waiter->next = NULL;
        waiter->state = SN_AUDIT_TAKEN;
        out_waiters[count++] = waiter;
    }
    if (f->first == NULL) {
        f->last = NULL;
    }
    f->queued -= count;
    return count;
}

/* The record is in the log although its caller has given up: the log says so as well. */
static void note_undelivered(struct sn_audit_file *f, const struct sn_audit_waiter *waiter)
{
    if (waiter->request_id[0] == '\0' || f->undelivered_count == UNDELIVERED_MAX) {
        return;
    }
    if (f->undelivered == NULL) {
        f->undelivered = sn_alloc(UNDELIVERED_MAX, sizeof(*f->undelivered));
    }
    memcpy(f->undelivered[f->undelivered_count++], waiter->request_id, sizeof(waiter->request_id));
}

/* Under the lock: the outcome for everybody who still waits. They are moved to the front; returns how many. */
static size_t finish_batch(struct sn_audit_file *f, struct sn_audit_waiter **waiters, size_t count,
    enum sn_status status, const struct sn_error *err)
{
    size_t present = 0;

    for (size_t i = 0; i < count; i++) {
        struct sn_audit_waiter *waiter = waiters[i];
        if (waiter->is_abandoned) {
            if (status == SN_OK) {
                note_undelivered(f, waiter);
            }
            waiter_free(waiter);
            continue;
        }
        waiter->state = status == SN_OK ? SN_AUDIT_DONE : SN_AUDIT_FAILED;
        if (status != SN_OK) {
            snprintf(waiter->problem, sizeof(waiter->problem), "%.159s", err->message);
        }
        waiters[present++] = waiter;
    }
    if (status == SN_OK) {
        f->stats.records += count;
        f->stats.commits++;
        f->stats.position = f->position;
        f->is_healthy = true;
    } else {
        f->stats.failed_commits++;
        f->is_healthy = false;
    }
    return present;
}

static void take_new_keys(struct sn_audit_file *f)
{
    const struct sn_audit_key *now = sn_audit_keys_signing(&f->keys);
    const struct sn_audit_key *next = sn_audit_keys_signing(&f->next_keys);
    bool is_other = strcmp(now->id, next->id) != 0 || !sn_secret_eq(&now->key, &next->key);

    sn_audit_use_keys(f, &f->next_keys);
    sn_audit_keys_clear(&f->next_keys);
    f->has_next_keys = false;
    /* A change that waits already, or another opening under the new key, is told once. */
    if (is_other && f->due_count < SN_AUDIT_DUE_MAX) {
        sn_audit_due_add(f, "key_change");
    }
    memcpy(f->stats.key_id, sn_audit_keys_signing(&f->keys)->id, sizeof(f->stats.key_id));
}

/* Never 0, which stands for no instant. */
static int64_t mono_ns(const struct sn_audit_file *f)
{
    int64_t now_ns = f->clock->mono_ns(f->clock->ctx);

    return now_ns != 0 ? now_ns : 1;
}

static int64_t anchor_wait_ms(const struct sn_audit_file *f)
{
    int64_t waited_ms = (f->clock->mono_ns(f->clock->ctx) - f->anchor_mono_ns) / 1000000;

    return waited_ms >= ANCHOR_EVERY_MS ? 0 : ANCHOR_EVERY_MS - waited_ms;
}

/*
 * Waits under the lock until there is something to write; false: only the anchor is due. After a failure the writer
 * tries again by itself, and less often than it would for a caller: without callers nothing else shows that the log
 * can be written again.
 */
static bool wait_for_work(struct sn_audit_file *f)
{
    while (f->first == NULL && !f->is_stopping) {
        bool has_own = f->wants_rotation || f->has_next_keys || f->undelivered_count > 0;
        if (has_own && f->is_healthy) {
            return true;
        }
        if (f->is_healthy && !f->is_anchor_dirty) {
            pthread_cond_wait(&f->work, &f->lock);
            continue;
        }
        int64_t wait_ms = f->is_healthy ? anchor_wait_ms(f) : TRY_AGAIN_MS;
        struct timespec at = deadline_in(wait_ms);
        if (wait_ms == 0 || pthread_cond_timedwait(&f->work, &f->lock, &at) == ETIMEDOUT) {
            return !f->is_healthy;
        }
    }
    return true;
}

static void *writer_run(void *argument)
{
    struct sn_audit_file *f = argument;
    struct sn_audit_waiter *waiters[SN_AUDIT_BATCH_RECORDS];
    struct sn_error err;

    pthread_mutex_lock(&f->lock);
    for (;;) {
        bool has_work = wait_for_work(f);
        if (has_work && f->is_stopping && f->first == NULL) {
            break;
        }
        size_t count = has_work ? take_batch(f, waiters) : 0;
        bool wants_rotation = f->wants_rotation;
        f->wants_rotation = false;
        f->wants_proof = !f->is_healthy;
        if (f->has_next_keys) {
            take_new_keys(f);
        }
        f->stats.busy_since_mono_ns = mono_ns(f);
        pthread_mutex_unlock(&f->lock);
        enum sn_status status = has_work ? sn_audit_commit(f, waiters, count, wants_rotation, &err) : SN_OK;
        if (!has_work || (f->is_anchor_dirty && anchor_wait_ms(f) == 0)) {
            sn_audit_write_anchor(f);
        }
        pthread_mutex_lock(&f->lock);
        size_t present = has_work ? finish_batch(f, waiters, count, status, &err) : 0;
        f->stats.busy_since_mono_ns = 0;
        f->wants_rotation = f->wants_rotation || (wants_rotation && status != SN_OK);
        pthread_mutex_unlock(&f->lock);
        for (size_t i = 0; i < present; i++) {
            sn_wake_call(&waiters[i]->done);
        }
        pthread_mutex_lock(&f->lock);
    }
    /* One last try for what no caller waits for. */
    pthread_mutex_unlock(&f->lock);
    if (f->undelivered_count > 0 || f->due_count > 0) {
        (void)!sn_audit_commit(f, NULL, 0, false, &err);
    }
    sn_audit_write_anchor(f);
    return NULL;
}

/* --- The sink --- */

static enum sn_status unavailable(struct sn_error *err, const char *problem)
{
    sn_fail(err, SN_UNAVAILABLE, "AUDIT_UNAVAILABLE", "the audit record could not be written: %s", problem);
    return sn_error_retryable(err, 1);
}

static void remove_queued(struct sn_audit_file *f, struct sn_audit_waiter *waiter)
{
    struct sn_audit_waiter *before = NULL;

    for (struct sn_audit_waiter *at = f->first; at != waiter; at = at->next) {
        before = at;
    }
    *(before != NULL ? &before->next : &f->first) = waiter->next;
    if (f->last == waiter) {
        f->last = before;
    }
    f->queued--;
}

/* True when the waiter is still ours to free; its state is final then. */
static bool wait_done(struct sn_audit_file *f, struct sn_audit_waiter *waiter, int timeout_ms)
{
    if (sn_wake_sleep_ms(&waiter->done, timeout_ms < 1 ? 1 : timeout_ms > WAIT_MAX_MS ? WAIT_MAX_MS : timeout_ms)) {
        return true;
    }
    pthread_mutex_lock(&f->lock);
    enum sn_audit_wait_state state = waiter->state;
    if (state == SN_AUDIT_TAKEN) {
        waiter->is_abandoned = true;
    } else if (state == SN_AUDIT_QUEUED) {
        remove_queued(f, waiter);
    }
    pthread_mutex_unlock(&f->lock);
    if (state == SN_AUDIT_DONE || state == SN_AUDIT_FAILED) {
        sn_wake_sleep(&waiter->done); /* the call is on its way and must find the waiter */
    }
    return state != SN_AUDIT_TAKEN;
}

static enum sn_status append(
    void *ctx, struct sn_slice entry, struct sn_slice request_id, int timeout_ms, struct sn_error *err)
{
    struct sn_audit_file *f = ctx;

    if (entry.len > SN_AUDIT_RECORD_MAX - 1024) {
        return unavailable(err, "it is larger than a record may be");
    }
    struct sn_audit_waiter *waiter = sn_alloc(1, sizeof(*waiter));
    sn_wake_init(&waiter->done);
    sn_buf_add(&waiter->entry, entry);
    if (request_id.len > 0 && request_id.len <= SN_AUDIT_REQUEST_ID_MAX) {
        memcpy(waiter->request_id, request_id.ptr, request_id.len);
    }

    pthread_mutex_lock(&f->lock);
    if (f->queued >= SN_AUDIT_QUEUE_MAX) {
        f->is_healthy = false;
        pthread_mutex_unlock(&f->lock);
        waiter_free(waiter);
        return unavailable(err, "too many records wait");
    }
    *(f->last != NULL ? &f->last->next : &f->first) = waiter;
    f->last = waiter;
    f->queued++;
    pthread_mutex_unlock(&f->lock);
    pthread_cond_signal(&f->work);
    bool is_ours = wait_done(f, waiter, timeout_ms);
    bool is_done = is_ours && waiter->state == SN_AUDIT_DONE;
    bool is_failed = is_ours && waiter->state == SN_AUDIT_FAILED;
    if (!is_done) {
        pthread_mutex_lock(&f->lock);
        f->is_healthy = false;
        pthread_mutex_unlock(&f->lock);
    }
    if (is_done) {
        waiter_free(waiter);
        return SN_OK;
    }
    enum sn_status status = unavailable(err, is_failed ? waiter->problem : "the log did not answer in time");
    if (is_ours) {
        waiter_free(waiter);
    }
    return status;
}

static bool is_healthy(void *ctx)
{
    struct sn_audit_file *f = ctx;

    pthread_mutex_lock(&f->lock);
    bool result = f->is_healthy;
    pthread_mutex_unlock(&f->lock);
    return result;
}

struct sn_audit_sink sn_audit_file_sink(struct sn_audit_file *file)
{
    return (struct sn_audit_sink){.append = append, .is_healthy = is_healthy, .ctx = file};
}

void sn_audit_file_rotate(struct sn_audit_file *file)
{
    pthread_mutex_lock(&file->lock);
    file->wants_rotation = true;
    pthread_cond_signal(&file->work);
    pthread_mutex_unlock(&file->lock);
}

void sn_audit_file_set_keys(struct sn_audit_file *file, const struct sn_audit_keys *keys)
{
    SN_ASSERT(keys->count > 0);
    pthread_mutex_lock(&file->lock);
    sn_audit_keys_copy(&file->next_keys, keys);
    file->has_next_keys = true;
    pthread_cond_signal(&file->work);
    pthread_mutex_unlock(&file->lock);
}

void sn_audit_file_stats(struct sn_audit_file *file, struct sn_audit_file_stats *out_stats)
{
    pthread_mutex_lock(&file->lock);
    *out_stats = file->stats;
    out_stats->queued = file->queued;
    out_stats->is_healthy = file->is_healthy;
    pthread_mutex_unlock(&file->lock);
}

/* --- Open and close --- */

static enum sn_status set_paths(
    struct sn_audit_file *f, const struct sn_audit_file_options *options, struct sn_error *err)
{
    struct sn_slice path = sn_slice_str(options->path);
    struct sn_slice dir = SN_S(".");
    struct sn_slice name = path;

    if (sn_slice_cut_last(path, '/', &dir, &name) && dir.len == 0) {
        dir = SN_S("/");
    }
    if (!sn_slice_has_byte(path, '/')) {
        dir = SN_S(".");
        name = path;
    }
    if (path.len == 0 || name.len == 0 || path.len >= sizeof(f->path) || name.len > SN_AUDIT_NAME_MAX - 64) {
        return sn_fail(err, SN_INVALID, "AUDIT_FILE", "the path of the audit log is empty, too long or a directory");
    }
    memcpy(f->path, path.ptr, path.len);
    memcpy(f->dir, dir.ptr, dir.len);
    if (sn_slice_has_suffix(name, SN_S(".log")) && name.len > 4) {
        name.len -= 4;
    }
    memcpy(f->stem, name.ptr, name.len);
    if (options->anchor_path == NULL) {
        return sn_path_join(f->anchor_path, sizeof(f->anchor_path), f->dir, "audit.anchor", err);
    }
    if (strlen(options->anchor_path) >= sizeof(f->anchor_path)) {
        return sn_fail(err, SN_INVALID, "AUDIT_FILE", "the path of the audit anchor is too long");
    }
    memcpy(f->anchor_path, options->anchor_path, strlen(options->anchor_path) + 1);
    return SN_OK;
}

static void release(struct sn_audit_file *f)
{
    sn_fd_close(&f->fd);
    sn_fd_close(&f->lock_fd);
    sn_fd_close(&f->dir_fd);
    sn_hmac_clear(&f->hmac);
    sn_audit_keys_clear(&f->keys);
    sn_audit_keys_clear(&f->next_keys);
    sn_buf_clear(&f->batch);
    sn_free(f->undelivered);
    pthread_cond_destroy(&f->work);
    pthread_mutex_destroy(&f->lock);
    sn_free(f);
}

/* Everything up to the durable record of the start, then the thread. */
static enum sn_status open_log(
    struct sn_audit_file *f, const struct sn_audit_file_options *options, struct sn_error *err)
{
    SN_TRY(set_paths(f, options, err));
    if (options->keys->count == 0) {
        return sn_fail(err, SN_INVALID, "INVALID_AUDIT_KEY", "the audit log has no signing key");
    }
    sn_audit_use_keys(f, options->keys);
    SN_TRY(sn_audit_start(f, err));
    SN_TRY(sn_audit_commit(f, NULL, 0, false, err));
    sn_audit_write_anchor(f);
    f->stats.position = f->position;
    memcpy(f->stats.key_id, sn_audit_keys_signing(&f->keys)->id, sizeof(f->stats.key_id));
    int failure = pthread_create(&f->thread, NULL, writer_run, f);
    if (failure != 0) {
        return sn_fail_errno(err, "AUDIT_FILE", failure, "cannot start the audit writer");
    }
    f->has_thread = true;
    return SN_OK;
}

enum sn_status sn_audit_file_open(
    const struct sn_audit_file_options *options, struct sn_audit_file **out_file, struct sn_error *err)
{
    struct sn_audit_file *f = sn_alloc(1, sizeof(*f));

    f->fd = -1;
    f->lock_fd = -1;
    f->dir_fd = -1;
    f->rotate_bytes = options->rotate_bytes;
    f->rotate_s = options->rotate_s;
    f->anchor_log_s = options->anchor_log_s;
    f->clock = options->clock;
    f->random_source = options->random_source;
    f->instance = options->instance;
    snprintf(f->version, sizeof(f->version), "%s", options->version);
    f->ops = options->ops != NULL ? *options->ops : *sn_audit_file_ops_system();
    f->notify = options->notify;
    f->notify_ctx = options->notify_ctx;
    f->batch = SN_BUF_INIT(4 * SN_AUDIT_BATCH_BYTES);
    f->is_healthy = true;
    pthread_mutex_init(&f->lock, NULL);
    init_cond(&f->work);
    enum sn_status status = open_log(f, options, err);
    if (status != SN_OK) {
        release(f);
        return status;
    }
    *out_file = f;
    return SN_OK;
}

void sn_audit_file_close(struct sn_audit_file *file)
{
    if (file == NULL) {
        return;
    }
    pthread_mutex_lock(&file->lock);
    file->is_stopping = true;
    pthread_cond_signal(&file->work);
    pthread_mutex_unlock(&file->lock);
    pthread_join(file->thread, NULL);
    release(file);
}

void sn_audit_file_close_p(struct sn_audit_file **file)
{
    sn_audit_file_close(*file);
    *file = NULL;
}
