/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite_internal.h - what sqlite.c (open, reads), sqlite_write.c (group commit) and sqlite_rows.c (rows to
 * structs and back) share. Not for others.
 */
#ifndef SN_STORE_SQLITE_INTERNAL_H
#define SN_STORE_SQLITE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/arena.h"
#include "base/wake.h"
#include "store/sqlite.h"

enum { SN_SQLITE_BATCH = 256, SN_SQLITE_SWEEP = 200 };

enum sn_sqlite_statement {
    SN_STMT_BEGIN,
    SN_STMT_COMMIT,
    SN_STMT_ROLLBACK,
    SN_STMT_SAVEPOINT,
    SN_STMT_RELEASE,
    SN_STMT_BACK,
    SN_STMT_INSERT,
    SN_STMT_UPDATE,
    SN_STMT_GET,
    SN_STMT_PROOF,
    SN_STMT_GET_BLOCKS,
    SN_STMT_PUT_BLOCK,
    SN_STMT_PROBE,
    SN_STMT_OVERDUE,
    SN_STMT_SWEEP_SESSIONS,
    SN_STMT_SWEEP_BLOCKS,
    SN_STMT_SWEEP_PROOFS,
    SN_STMT_COUNT,
};

/* A connection with its prepared statements; used by one thread at a time. */
struct sn_sqlite_conn {
    sqlite3 *db;
    sqlite3_stmt *statements[SN_STMT_COUNT];
    struct sn_sqlite_conn *next;
};

enum sn_sqlite_write_kind { SN_WRITE_CREATE, SN_WRITE_UPDATE, SN_WRITE_BLOCK, SN_WRITE_PROBE, SN_WRITE_SWEEP };

/* One write and its caller, who waits until it is done; everything it points to stays good until then. */
struct sn_sqlite_write {
    struct sn_sqlite_write *next;
    enum sn_sqlite_write_kind kind;
    const struct sn_session *session;
    const struct sn_spent_proof *proof;
    int64_t expected_rev;
    const struct sn_block_marker *marker;
    bool is_lift;
    int64_t ttl_unix_s, now_ms;
    struct sn_sqlite_sweep *swept;
    bool is_leader; /* woken to lead, not because it is done */
    enum sn_status status;
    struct sn_error *err;
    struct sn_wake turn;
};

struct sn_sqlite {
    char *path;
    const struct sn_seal_keys *keys;
    int busy_timeout_ms;
    int lock_fd;
    struct sn_sqlite_conn *writer; /* of the leader */
    pthread_mutex_t lock;
    struct sn_sqlite_write *first, *last;
    bool has_leader;
    struct sn_sqlite_conn *idle_readers;
    uint64_t writes, commits;
};

/* --- sqlite.c --- */
SN_MUST_CHECK enum sn_status sn_sqlite_fail(struct sn_error *err, sqlite3 *db, int code, const char *what);
/* A prepared statement, reset and without bindings. */
SN_MUST_CHECK enum sn_status sn_sqlite_prepare(struct sn_sqlite_conn *conn, enum sn_sqlite_statement statement,
    sqlite3_stmt **out_statement, struct sn_error *err);
/* Runs a statement that returns no row. */
SN_MUST_CHECK enum sn_status sn_sqlite_run(
    struct sn_sqlite_conn *conn, enum sn_sqlite_statement statement, struct sn_error *err);
void sn_sqlite_reset(sqlite3_stmt **statement); /* for SN_AUTO */

/* --- sqlite_rows.c --- */
extern const char sn_sqlite_columns[];
void sn_sqlite_bind_text(sqlite3_stmt *statement, int index, struct sn_slice text); /* empty: NULL */
void sn_sqlite_bind_time(sqlite3_stmt *statement, int index, int64_t unix_ms);      /* 0: NULL */
/* All columns from index 1 on; returns the index after the last. */
int sn_sqlite_bind_session(sqlite3_stmt *statement, const struct sn_session *session);
/* RECORD_INVALID when a column does not hold what it should. */
SN_MUST_CHECK enum sn_status sn_sqlite_read_session(
    sqlite3_stmt *statement, struct sn_arena *arena, struct sn_session *out_session, struct sn_error *err);

/* --- sqlite_write.c --- */
/* Waits until the write is durable or has failed. */
SN_MUST_CHECK enum sn_status sn_sqlite_write(struct sn_sqlite *store, struct sn_sqlite_write *write);

#endif
