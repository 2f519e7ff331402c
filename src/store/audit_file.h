/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/audit_file.h - the audit log on a file: one writer, group commit, rotation, anchor.
 *
 * sn_audit_file_open() takes the lock of the log, checks its end against the chain and the anchor, and makes the record
 * of the start durable. From then on one thread owns the file: it takes all entries that wait, signs them in order,
 * writes them with one call, syncs once and wakes the waiters. What the files hold is described in
 * docs/formats/audit-log.md. All functions are safe from several threads.
 */
#ifndef SN_STORE_AUDIT_FILE_H
#define SN_STORE_AUDIT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "core/audit/chain.h"
#include "core/audit/entry.h"

/* The calls that can fail on a bad disk, as a table for tests. Each returns -1 with errno, like its system call. */
struct sn_audit_file_ops {
    int (*open)(void *ctx, const char *path, int flags, mode_t mode);
    ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t len);
    int (*datasync)(void *ctx, int fd);
    int (*truncate)(void *ctx, int fd, off_t len);
    int (*rename_new)(void *ctx, const char *from, const char *to); /* EEXIST when to exists */
    int (*sync_dir)(void *ctx, int dir_fd);
    void *ctx;
};
const struct sn_audit_file_ops *sn_audit_file_ops_system(void);

struct sn_audit_file_options {
    const char *path;                 /* of audit.log */
    const char *anchor_path;          /* NULL: audit.anchor beside it */
    int64_t rotate_bytes, rotate_s;   /* 0: never by it */
    int64_t anchor_log_s;             /* how often the anchor is told to notify; 0: never */
    const struct sn_audit_keys *keys; /* copied; the last one signs */
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    struct sn_id instance;
    const char *version;
    const struct sn_audit_file_ops *ops; /* NULL: the system's */
    /* What happened without a caller to tell; also "audit.anchor" with the line as message. May be NULL. */
    void (*notify)(void *ctx, enum sn_log_level level, const char *event, const char *message);
    void *notify_ctx;
};

struct sn_audit_file;

/*
 * Fails with AUDIT_LOCKED (another process has the log), AUDIT_FILE (not a plain file of ours), AUDIT_DIRECTORY (others
 * may write the directory) or the error of the call that failed.
 */
SN_MUST_CHECK enum sn_status sn_audit_file_open(
    const struct sn_audit_file_options *options, struct sn_audit_file **out_file, struct sn_error *err);
/* Writes what waits, syncs, writes the anchor. No append may be running. */
void sn_audit_file_close(struct sn_audit_file *file);
void sn_audit_file_close_p(struct sn_audit_file **file);
/* The sink; good until the file is closed. */
struct sn_audit_sink sn_audit_file_sink(struct sn_audit_file *file);
/* A new file before the next record (SIGUSR1), and now if none is waiting. */
void sn_audit_file_rotate(struct sn_audit_file *file);
/* New keys (SIGHUP): the next record is audit.opened with reason key_change when the signing key is another. */
void sn_audit_file_set_keys(struct sn_audit_file *file, const struct sn_audit_keys *keys);

struct sn_audit_file_stats {
    uint64_t records, commits, failed_commits;
    size_t queued;
    struct sn_audit_position position; /* last durable record */
    char key_id[SN_AUDIT_KEY_ID_MAX + 1];
    int64_t
        busy_since_mono_ns; /* when the writer went to the disk from where it has not come back; 0: it waits for work */
    bool is_healthy;
};
void sn_audit_file_stats(struct sn_audit_file *file, struct sn_audit_file_stats *out_stats);

#endif
