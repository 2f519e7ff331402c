/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/audit_file_internal.h - what the files audit_file.c (queue and thread), audit_commit.c (writing, rotation) and
 * audit_start.c (the checks of a start) share. Not for others.
 *
 * Fields marked "writer" belong to the writer thread (to the opener before it runs); the rest is under the lock.
 */
#ifndef SN_STORE_AUDIT_FILE_INTERNAL_H
#define SN_STORE_AUDIT_FILE_INTERNAL_H

#include <limits.h>
#include <pthread.h>

#include "base/wake.h"
#include "crypto/hash.h"
#include "store/audit_file.h"

enum {
    SN_AUDIT_BATCH_RECORDS = 512,
    SN_AUDIT_BATCH_BYTES = 1024 * 1024,
    SN_AUDIT_QUEUE_MAX = 4096,
    SN_AUDIT_REQUEST_ID_MAX = 64,
    SN_AUDIT_DUE_MAX = 4,
    SN_AUDIT_NAME_MAX = 255,
    SN_AUDIT_PATH_MAX = PATH_MAX,
};

/* An audit.opened that must stand before the next other record. */
struct sn_audit_due {
    const char *reason;
    char previous_file[SN_AUDIT_NAME_MAX + 1];
    bool has_previous;
    struct sn_audit_position previous;
    int64_t torn_bytes;
    char torn_sha256[SN_SHA256_HEX_LEN + 1];
};

enum sn_audit_wait_state { SN_AUDIT_QUEUED, SN_AUDIT_TAKEN, SN_AUDIT_DONE, SN_AUDIT_FAILED };

/* An entry and who waits for it. */
struct sn_audit_waiter {
    struct sn_audit_waiter *next;
    struct sn_buf entry;
    char request_id[SN_AUDIT_REQUEST_ID_MAX + 1];
    enum sn_audit_wait_state state;
    bool is_abandoned;   /* nobody waits any more; the writer frees it */
    struct sn_wake done; /* called once, behind the last change of state */
    char problem[160];
};

struct sn_audit_file {
    /* fixed after open */
    char path[SN_AUDIT_PATH_MAX], dir[SN_AUDIT_PATH_MAX], anchor_path[SN_AUDIT_PATH_MAX];
    char stem[SN_AUDIT_NAME_MAX + 1]; /* "audit" of "audit.log" */
    int64_t rotate_bytes, rotate_s, anchor_log_s;
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    struct sn_id instance;
    char version[64];
    struct sn_audit_file_ops ops;
    void (*notify)(void *ctx, enum sn_log_level level, const char *event, const char *message);
    void *notify_ctx;
    int dir_fd, lock_fd;
    pthread_t thread;
    bool has_thread;

    /* writer */
    int fd; /* -1: broken or between two files */
    struct sn_audit_keys keys;
    struct sn_hmac hmac;
    struct sn_audit_position position; /* last acknowledged */
    int64_t length;                    /* durable bytes of the current file */
    dev_t device;
    ino_t inode;
    int64_t first_ms, first_seq; /* of the current file; 0: empty */
    bool is_moved;               /* renamed away, the new file is still to be made */
    bool must_cut;               /* bytes past length are ours and unacknowledged */
    int64_t retry_mono_ns;       /* not before, after a failure */
    int64_t rotate_mono_ns;      /* no rotation before, after a rename that failed */
    bool wants_proof;            /* a batch without records gets one, to show that the log can be written */
    int64_t told_mono_ns;        /* when a failure was told last; 0: never */
    struct sn_audit_due due[SN_AUDIT_DUE_MAX];
    size_t due_count;
    struct sn_buf batch;
    char (*undelivered)[SN_AUDIT_REQUEST_ID_MAX + 1];
    size_t undelivered_count;
    char anchored_stream[SN_ID_LEN + 1];
    int64_t anchored_seq, anchor_mono_ns, anchor_logged_mono_ns;
    bool is_anchor_dirty;

    /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct sn_audit_waiter *first, *last;
    size_t queued;
    bool is_stopping, wants_rotation, has_next_keys, is_healthy;
    struct sn_audit_keys next_keys;
    struct sn_audit_file_stats stats;
};

/* --- audit_commit.c --- */
void sn_audit_tell(struct sn_audit_file *f, enum sn_log_level level, const char *event, const char *format, ...)
    SN_PRINTF(4, 5);
/* Adds an opening to those due; the torn bytes and the previous position are set by the caller. */
struct sn_audit_due *sn_audit_due_add(struct sn_audit_file *f, const char *reason);
/* A new stream that follows previous (NULL: nothing). The old openings are dropped. */
SN_MUST_CHECK enum sn_status sn_audit_start_stream(
    struct sn_audit_file *f, const char *reason, const struct sn_audit_position *previous, struct sn_error *err);
void sn_audit_use_keys(struct sn_audit_file *f, const struct sn_audit_keys *keys);
/* Renames the current file; out_name gets its new base name. */
SN_MUST_CHECK enum sn_status sn_audit_move_file(
    struct sn_audit_file *f, const char *suffix, char out_name[SN_AUDIT_NAME_MAX + 1], struct sn_error *err);
/* Makes the file that must not exist yet and syncs its directory. */
SN_MUST_CHECK enum sn_status sn_audit_make_file(struct sn_audit_file *f, struct sn_error *err);
/* Everything due and count waiters, durable; wants_rotation: into a new file. */
SN_MUST_CHECK enum sn_status sn_audit_commit(struct sn_audit_file *f, struct sn_audit_waiter *const *waiters,
    size_t count, bool wants_rotation, struct sn_error *err);
void sn_audit_write_anchor(struct sn_audit_file *f);

/* --- audit_start.c --- */
SN_MUST_CHECK enum sn_status sn_audit_start(struct sn_audit_file *f, struct sn_error *err);

#endif
