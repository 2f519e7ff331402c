/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite_internal.h - what sqlite.c (open, close, the table), sqlite_desk.c (threads that work in batches),
 * sqlite_write.c (group commit), sqlite_read.c and sqlite_rows.c (rows to structs and back) share. Not for others.
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
    SN_STMT_BEGIN_READ,
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
};

enum sn_sqlite_job_kind {
    SN_WRITE_CREATE,
    SN_WRITE_UPDATE,
    SN_WRITE_BLOCK,
    SN_WRITE_PROBE,
    SN_WRITE_SWEEP,
    SN_READ_SESSION,
    SN_READ_BLOCKS,
    SN_READ_BOTH,
};

/* One write or read and its caller, who waits until it is done; everything it points to stays good until then. */
struct sn_sqlite_job {
    struct sn_sqlite_job *next;
    enum sn_sqlite_job_kind kind;
    const struct sn_session *session;
    const struct sn_spent_proof *proof;
    int64_t expected_rev;
    const struct sn_block_marker *marker;
    bool is_lift;
    int64_t ttl_unix_s, now_ms;
    struct sn_sqlite_sweep *swept;
    const struct sn_id *id;
    struct sn_arena *arena;
    struct sn_session *out_session;
    const struct sn_block_query *blocks; /* of a create: NULL when nobody asks */
    bool is_blocked;
    enum sn_status status;
    struct sn_error *err;
    struct sn_wake done;
};

/* A connection, the jobs that wait for it, and the thread that does them. */
struct sn_sqlite_desk {
    struct sn_sqlite *store;
    struct sn_sqlite_conn *conn; /* the thread's, once it runs */
    void (*run)(struct sn_sqlite_desk *desk, struct sn_sqlite_job *const *batch, size_t count);
    pthread_t thread;
    bool has_thread;
    struct sn_wake work; /* called when is_idle is taken back */
    pthread_mutex_t lock;
    struct sn_sqlite_job *first, *last;
    bool is_idle, is_stopping;
    uint64_t jobs, batches;
};

struct sn_sqlite {
    char *path;
    const struct sn_seal_keys *keys;
    int busy_timeout_ms;
    int lock_fd;
    struct sn_sqlite_desk writer, reader;
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

/* --- sqlite_desk.c --- */
SN_MUST_CHECK enum sn_status sn_sqlite_desk_start(struct sn_sqlite_desk *desk, struct sn_error *err);
void sn_sqlite_desk_stop(struct sn_sqlite_desk *desk);
/* Waits until the job is done; a write is durable then, or has failed. */
SN_MUST_CHECK enum sn_status sn_sqlite_do(struct sn_sqlite_desk *desk, struct sn_sqlite_job *job);

/* --- sqlite_write.c, sqlite_read.c --- */
SN_MUST_CHECK enum sn_status sn_sqlite_read_blocks(
    const struct sn_sqlite_desk *desk, const struct sn_block_query *blocks, bool *out_blocked, struct sn_error *err);
/* Every job gets its status. */
void sn_sqlite_run_writes(struct sn_sqlite_desk *desk, struct sn_sqlite_job *const *batch, size_t count);
void sn_sqlite_run_reads(struct sn_sqlite_desk *desk, struct sn_sqlite_job *const *batch, size_t count);

#endif
