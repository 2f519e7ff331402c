/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite.h - sessions, block markers and spent proofs in one SQLite file (WAL, synchronous=FULL).
 *
 * One process serves a file: an exclusive lock on "<file>.lock" is held while the store is open. Writes of concurrent
 * callers share one transaction and so one sync; each caller gets the result of its own write. Reads use connections of
 * their own. All functions are safe from several threads. Every failure of the file is SN_UNAVAILABLE,
 * SESSION_UNAVAILABLE, with the detail "cause": locked, full, damaged or io.
 */
#ifndef SN_STORE_SQLITE_H
#define SN_STORE_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/session/seal.h"
#include "core/session/session.h"

struct sn_sqlite;

struct sn_sqlite_options {
    const char *path;                /* the file is made 0600, a missing directory 0700 */
    const struct sn_seal_keys *keys; /* borrowed; must outlive the store */
    int busy_timeout_ms;             /* how long another process may lock the file; 0: 2000 */
};

/*
 * Opens and migrates. Fails with STORE_LOCKED (another server has it), STORE_VERSION (made by a newer version),
 * FILE_PERMISSIONS (others may read or change it), STORE_DAMAGED (not a database) or SESSION_UNAVAILABLE.
 */
SN_MUST_CHECK enum sn_status sn_sqlite_open(
    const struct sn_sqlite_options *options, struct sn_sqlite **out_store, struct sn_error *err);
void sn_sqlite_close(struct sn_sqlite *store);
void sn_sqlite_close_p(struct sn_sqlite **store);
struct sn_session_store sn_sqlite_session_store(struct sn_sqlite *store);
/* True if the file exists and holds any record, so that it must not be given a new sealing key. */
SN_MUST_CHECK enum sn_status sn_sqlite_holds_rows(const char *path, bool *out_holds_rows, struct sn_error *err);

/* Writes a block marker; the later blocked_until of two stays unless is_lift. The marker comes sealed. */
SN_MUST_CHECK enum sn_status sn_sqlite_put_block(struct sn_sqlite *store, const struct sn_block_marker *marker,
    int64_t ttl_unix_s, bool is_lift, struct sn_error *err);

struct sn_sqlite_sweep {
    int64_t expired, deleted_sessions, deleted_blocks, deleted_proofs;
};
/* Ends overdue sessions and deletes what is past its retention, a bounded number of each; call again while it finds
 * some. */
SN_MUST_CHECK enum sn_status sn_sqlite_sweep(
    struct sn_sqlite *store, int64_t now_ms, struct sn_sqlite_sweep *out_swept, struct sn_error *err);

/* The most pages of 4 KiB that the file may grow to: a bound for operators and for tests of a full disk. */
void sn_sqlite_limit_pages(struct sn_sqlite *store, int64_t pages);
/* Writes and the transactions that carried them, for metrics. */
void sn_sqlite_count(struct sn_sqlite *store, uint64_t *out_writes, uint64_t *out_commits);

#endif
