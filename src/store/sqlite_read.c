/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite_read.c - sessions and block markers, read for many callers at one moment.
 */
#include "base/time.h"
#include "store/sqlite_internal.h"

static enum sn_status read_row(struct sn_sqlite_conn *conn, const struct sn_id *id, struct sn_arena *arena,
    struct sn_session *out_session, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;

    SN_TRY(sn_sqlite_prepare(conn, SN_STMT_GET, &statement, err));
    sn_sqlite_bind_text(statement, 1, sn_id_slice(id));
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) {
        return sn_fail(err, SN_NOT_FOUND, "SESSION_NOT_FOUND", "no session with this id");
    }
    if (code != SQLITE_ROW) {
        return sn_sqlite_fail(err, conn->db, code, "cannot read a session");
    }
    return sn_sqlite_read_session(statement, arena, out_session, err);
}

static struct sn_slice column_text(sqlite3_stmt *statement, int index)
{
    const void *bytes = sqlite3_column_blob(statement, index);
    int len = sqlite3_column_bytes(statement, index);

    return sn_slice_bytes(bytes, len > 0 ? (size_t)len : 0);
}

/* One statement is one snapshot of all markers. */
enum sn_status sn_sqlite_read_blocks(
    const struct sn_sqlite_desk *desk, const struct sn_block_query *blocks, bool *out_blocked, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;
    bool is_blocked = false;
    int code = SQLITE_ROW;

    SN_TRY(sn_sqlite_prepare(desk->conn, SN_STMT_GET_BLOCKS, &statement, err));
    for (size_t i = 0; i < blocks->count; i++) {
        sn_sqlite_bind_text(statement, (int)i + 1, blocks->ids[i]);
    }
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct sn_block_marker marker = {.id = column_text(statement, 0),
            .blocked_by = column_text(statement, 2),
            .reason = column_text(statement, 3),
            .session_id = column_text(statement, 4),
            .seal = column_text(statement, 5)};
        struct sn_error ignored;
        /* A marker that cannot be read is one that somebody broke: it blocks. */
        bool is_read = sn_time_parse_stored(column_text(statement, 1), &marker.blocked_until_ms, &ignored) == SN_OK;
        is_blocked = is_blocked || !is_read || sn_block_marker_is_in_force(desk->store->keys, &marker, blocks->now_ms);
    }
    if (code != SQLITE_DONE) {
        return sn_sqlite_fail(err, desk->conn->db, code, "cannot read block markers");
    }
    *out_blocked = is_blocked;
    return SN_OK;
}

static enum sn_status read_one(struct sn_sqlite_desk *desk, struct sn_sqlite_job *job)
{
    switch (job->kind) {
    case SN_READ_SESSION:
        return read_row(desk->conn, job->id, job->arena, job->out_session, job->err);
    case SN_READ_BLOCKS:
        return sn_sqlite_read_blocks(desk, job->blocks, &job->is_blocked, job->err);
    case SN_READ_BOTH:
        SN_TRY(sn_sqlite_read_blocks(desk, job->blocks, &job->is_blocked, job->err));
        return job->is_blocked ? SN_OK : read_row(desk->conn, job->id, job->arena, job->out_session, job->err);
    case SN_WRITE_CREATE:
    case SN_WRITE_UPDATE:
    case SN_WRITE_BLOCK:
    case SN_WRITE_PROBE:
    case SN_WRITE_SWEEP:
        break;
    }
    SN_ASSERT(false);
    return SN_INTERNAL;
}

/* One transaction: the file is locked and looked at once for all of them. */
void sn_sqlite_run_reads(struct sn_sqlite_desk *desk, struct sn_sqlite_job *const *batch, size_t count)
{
    struct sn_error err;
    enum sn_status status = sn_sqlite_run(desk->conn, SN_STMT_BEGIN_READ, &err);

    for (size_t i = 0; i < count; i++) {
        batch[i]->status = status;
        if (status == SN_OK) {
            batch[i]->status = read_one(desk, batch[i]);
        } else {
            *batch[i]->err = err;
        }
    }
    if (sqlite3_get_autocommit(desk->conn->db) == 0 && sn_sqlite_run(desk->conn, SN_STMT_COMMIT, &err) != SN_OK) {
        (void)!sn_sqlite_run(desk->conn, SN_STMT_ROLLBACK, &err);
    }
}
