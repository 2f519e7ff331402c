/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite_write.c - group commit.
 *
 * All writes that wait share one transaction and so one sync. A batch in which a write fails is taken back and run
 * again with each write behind a savepoint, so that a conflict takes back nothing but itself.
 */
#include <string.h>

#include "store/sqlite_internal.h"

static enum sn_status store_proof(struct sn_sqlite *store, const struct sn_spent_proof *proof, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf id = {0};
    SN_AUTO(sn_canon_clear) struct sn_canon canon = {0};
    char seal[SN_SEAL_MAX + 1];

    sn_buf_add_str(&id, "proof#");
    sn_buf_add_hex(&id, proof->key, sizeof(proof->key));
    sn_canon_begin(&canon, "proof");
    sn_canon_text(&canon, "id", sn_buf_slice(&id));
    sn_canon_int(&canon, "ttl", proof->expires_unix_s);
    sn_seal_make(store->keys, &canon, seal);
    SN_TRY(sn_sqlite_prepare(store->writer.conn, SN_STMT_PROOF, &statement, err));
    sn_sqlite_bind_text(statement, 1, sn_buf_slice(&id));
    SN_ASSERT(sqlite3_bind_int64(statement, 2, proof->expires_unix_s) == SQLITE_OK);
    sn_sqlite_bind_text(statement, 3, sn_slice_str(seal));
    int code = sqlite3_step(statement);
    if (code == SQLITE_CONSTRAINT) {
        return sn_fail(err, SN_CONFLICT, "PROOF_REPLAYED", "this proof of identity was used before");
    }
    return code == SQLITE_DONE ? SN_OK
                               : sn_sqlite_fail(err, store->writer.conn->db, code, "cannot record a used proof");
}

/* A marker that another write of this batch sets counts already: should the batch fail, this write fails as well. */
static enum sn_status write_create(struct sn_sqlite *store, struct sn_sqlite_job *w)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;

    if (w->blocks != NULL) {
        SN_TRY(sn_sqlite_read_blocks(&store->writer, w->blocks, &w->is_blocked, w->err));
        if (w->is_blocked) {
            return SN_OK;
        }
    }
    if (w->proof != NULL) {
        SN_TRY(store_proof(store, w->proof, w->err));
    }
    SN_TRY(sn_sqlite_prepare(store->writer.conn, SN_STMT_INSERT, &statement, w->err));
    sn_sqlite_bind_session(statement, w->session);
    int code = sqlite3_step(statement);
    if (code == SQLITE_CONSTRAINT && sqlite3_extended_errcode(store->writer.conn->db) == SQLITE_CONSTRAINT_UNIQUE) {
        return sn_fail(w->err, SN_CONFLICT, "ID_TAKEN", "a session with this id exists");
    }
    return code == SQLITE_DONE ? SN_OK : sn_sqlite_fail(w->err, store->writer.conn->db, code, "cannot write a session");
}

static enum sn_status row_exists(
    struct sn_sqlite *store, const struct sn_id *id, bool *out_exists, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;

    SN_TRY(sn_sqlite_prepare(store->writer.conn, SN_STMT_GET, &statement, err));
    sn_sqlite_bind_text(statement, 1, sn_id_slice(id));
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return sn_sqlite_fail(err, store->writer.conn->db, code, "cannot read a session");
    }
    *out_exists = code == SQLITE_ROW;
    return SN_OK;
}

static enum sn_status update_row(
    struct sn_sqlite *store, const struct sn_session *session, int64_t expected_rev, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;
    bool exists = false;

    SN_TRY(sn_sqlite_prepare(store->writer.conn, SN_STMT_UPDATE, &statement, err));
    int next = sn_sqlite_bind_session(statement, session);
    SN_ASSERT(sqlite3_bind_int64(statement, next, expected_rev) == SQLITE_OK);
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE) {
        return sn_sqlite_fail(err, store->writer.conn->db, code, "cannot change a session");
    }
    if (sqlite3_changes(store->writer.conn->db) == 1) {
        return SN_OK;
    }
    SN_TRY(row_exists(store, &session->id, &exists, err));
    if (exists) {
        return sn_fail(err, SN_CONFLICT, "CONCURRENT_MODIFICATION", "the session was changed in the meantime");
    }
    return sn_fail(err, SN_NOT_FOUND, "SESSION_NOT_FOUND", "no session with this id");
}

static enum sn_status write_block(struct sn_sqlite *store, const struct sn_sqlite_job *w)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;

    SN_TRY(sn_sqlite_prepare(store->writer.conn, SN_STMT_PUT_BLOCK, &statement, w->err));
    sn_sqlite_bind_text(statement, 1, w->marker->id);
    sn_sqlite_bind_time(statement, 2, w->marker->blocked_until_ms);
    sn_sqlite_bind_text(statement, 3, w->marker->blocked_by);
    sn_sqlite_bind_text(statement, 4, w->marker->reason);
    sn_sqlite_bind_text(statement, 5, w->marker->session_id);
    SN_ASSERT(sqlite3_bind_int64(statement, 6, w->ttl_unix_s) == SQLITE_OK);
    sn_sqlite_bind_text(statement, 7, w->marker->seal);
    SN_ASSERT(sqlite3_bind_int(statement, 8, w->is_lift) == SQLITE_OK);
    int code = sqlite3_step(statement);
    return code == SQLITE_DONE ? SN_OK
                               : sn_sqlite_fail(w->err, store->writer.conn->db, code, "cannot write a block marker");
}

/* --- The sweep --- */

static enum sn_status delete_old(
    struct sn_sqlite *store, enum sn_sqlite_statement which, int64_t now_ms, int64_t *out_count, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;

    SN_TRY(sn_sqlite_prepare(store->writer.conn, which, &statement, err));
    SN_ASSERT(sqlite3_bind_int64(statement, 1, now_ms / 1000) == SQLITE_OK);
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE) {
        return sn_sqlite_fail(err, store->writer.conn->db, code, "cannot delete old records");
    }
    *out_count = sqlite3_changes(store->writer.conn->db);
    return SN_OK;
}

static enum sn_status find_overdue(struct sn_sqlite *store, int64_t now_ms, struct sn_arena *arena,
    struct sn_session *out_sessions, size_t *out_count, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;
    size_t count = 0;
    int code = SQLITE_ROW;

    SN_TRY(sn_sqlite_prepare(store->writer.conn, SN_STMT_OVERDUE, &statement, err));
    sn_sqlite_bind_time(statement, 1, now_ms);
    while (count < SN_SQLITE_SWEEP && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        /* A row that is broken is left as it stands, for people to see. */
        if (sn_sqlite_read_session(statement, arena, &out_sessions[count], err) == SN_OK &&
            sn_session_seal_is_valid(store->keys, &out_sessions[count])) {
            count++;
        }
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return sn_sqlite_fail(err, store->writer.conn->db, code, "cannot read overdue sessions");
    }
    *out_count = count;
    return SN_OK;
}

static enum sn_status write_sweep(struct sn_sqlite *store, const struct sn_sqlite_job *w)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_session *sessions = sn_arena_alloc(&arena, SN_SQLITE_SWEEP, sizeof(*sessions));
    struct sn_sqlite_sweep swept = {0};
    size_t count = 0;

    SN_TRY(find_overdue(store, w->now_ms, &arena, sessions, &count, w->err));
    for (size_t i = 0; i < count; i++) {
        char seal[SN_SEAL_MAX + 1];
        sessions[i].status = SN_SESSION_EXPIRED;
        sessions[i].rev++;
        sessions[i].updated_at_ms = w->now_ms;
        sn_session_seal(store->keys, &sessions[i], seal);
        sessions[i].seal = sn_slice_str(seal);
        SN_TRY(update_row(store, &sessions[i], sessions[i].rev - 1, w->err));
        swept.expired++;
    }
    SN_TRY(delete_old(store, SN_STMT_SWEEP_SESSIONS, w->now_ms, &swept.deleted_sessions, w->err));
    SN_TRY(delete_old(store, SN_STMT_SWEEP_BLOCKS, w->now_ms, &swept.deleted_blocks, w->err));
    SN_TRY(delete_old(store, SN_STMT_SWEEP_PROOFS, w->now_ms, &swept.deleted_proofs, w->err));
    *w->swept = swept;
    return SN_OK;
}

static enum sn_status write_one(struct sn_sqlite *store, struct sn_sqlite_job *w)
{
    switch (w->kind) {
    case SN_WRITE_CREATE:
        return write_create(store, w);
    case SN_WRITE_UPDATE:
        return update_row(store, w->session, w->expected_rev, w->err);
    case SN_WRITE_BLOCK:
        return write_block(store, w);
    case SN_WRITE_PROBE:
        return sn_sqlite_run(store->writer.conn, SN_STMT_PROBE, w->err);
    case SN_WRITE_SWEEP:
        return write_sweep(store, w);
    case SN_READ_SESSION:
    case SN_READ_BLOCKS:
    case SN_READ_BOTH:
        break;
    }
    SN_ASSERT(false);
    return SN_INTERNAL;
}

/* --- One transaction --- */

static void fail_from(struct sn_sqlite_job *const *batch, size_t count, const struct sn_error *cause)
{
    for (size_t i = 0; i < count; i++) {
        if (batch[i]->status == SN_OK) {
            batch[i]->status = cause->status;
            *batch[i]->err = *cause;
        }
    }
}

/* Each write behind a savepoint, so that one that fails takes back nothing but itself. A full disk takes the whole
 * transaction back: then all fail. */
static enum sn_status run_apart(
    struct sn_sqlite *store, struct sn_sqlite_job *const *batch, size_t count, struct sn_error *err)
{
    for (size_t i = 0; i < count; i++) {
        SN_TRY(sn_sqlite_run(store->writer.conn, SN_STMT_SAVEPOINT, err));
        batch[i]->status = write_one(store, batch[i]);
        if (batch[i]->status != SN_OK && sqlite3_get_autocommit(store->writer.conn->db) != 0) {
            *err = *batch[i]->err;
            return err->status;
        }
        if (batch[i]->status != SN_OK) {
            SN_TRY(sn_sqlite_run(store->writer.conn, SN_STMT_BACK, err));
        }
        SN_TRY(sn_sqlite_run(store->writer.conn, SN_STMT_RELEASE, err));
    }
    return sn_sqlite_run(store->writer.conn, SN_STMT_COMMIT, err);
}

/* Without savepoints, which copy every page they touch; *out_clash: a write failed and nothing may be committed. */
static enum sn_status run_together(
    struct sn_sqlite *store, struct sn_sqlite_job *const *batch, size_t count, bool *out_clash, struct sn_error *err)
{
    for (size_t i = 0; i < count; i++) {
        batch[i]->status = write_one(store, batch[i]);
        if (batch[i]->status != SN_OK) {
            *out_clash = true;
            return SN_OK;
        }
    }
    return sn_sqlite_run(store->writer.conn, SN_STMT_COMMIT, err);
}

static void roll_back(struct sn_sqlite *store)
{
    struct sn_error ignored;

    if (sqlite3_get_autocommit(store->writer.conn->db) == 0) {
        (void)!sn_sqlite_run(store->writer.conn, SN_STMT_ROLLBACK, &ignored);
    }
}

void sn_sqlite_run_writes(struct sn_sqlite_desk *desk, struct sn_sqlite_job *const *batch, size_t count)
{
    struct sn_sqlite *store = desk->store;
    struct sn_error err;
    bool has_clash = false;
    enum sn_status status = sn_sqlite_run(store->writer.conn, SN_STMT_BEGIN, &err);

    for (size_t i = 0; i < count; i++) {
        batch[i]->status = SN_OK;
    }
    if (status == SN_OK) {
        status = run_together(store, batch, count, &has_clash, &err);
    }
    if (status == SN_OK && has_clash) {
        roll_back(store);
        status = sn_sqlite_run(store->writer.conn, SN_STMT_BEGIN, &err);
        status = status == SN_OK ? run_apart(store, batch, count, &err) : status;
    }
    if (status != SN_OK) {
        fail_from(batch, count, &err);
        roll_back(store);
    }
}
