/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite.c - the file, its schema, its connections, and the table.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "store/sqlite_internal.h"

enum { BUSY_DEFAULT_MS = 2000, FILE_MODE = 0600, DIR_MODE = 0700, SCHEMA_VERSION = 1 };

/*
 * One step of the schema each; PRAGMA user_version counts those that are done.
 *
 * Ids and keys are random, so every tree that is ordered by them costs a page of its own with each row. Sessions are
 * therefore kept in the order of their writing and found by a slim index; a session's source identity ends with its id,
 * so it needs none. A used proof is looked up by its end as well, which follows from its signed date: rows of one time
 * lie together.
 */
static const char *const migrations[SCHEMA_VERSION] = {
    "CREATE TABLE sessions ("
    " id TEXT NOT NULL UNIQUE, rev INTEGER NOT NULL, user TEXT NOT NULL, account TEXT NOT NULL,"
    " caller_type TEXT NOT NULL, caller_role TEXT, caller_arn TEXT NOT NULL, vouched INTEGER NOT NULL,"
    " profile TEXT NOT NULL, role_arn TEXT NOT NULL, kind TEXT NOT NULL, grant_id TEXT,"
    " source_identity TEXT NOT NULL, server_instance_id TEXT NOT NULL, status TEXT NOT NULL,"
    " started_at TEXT NOT NULL, last_access_at TEXT NOT NULL, expires_at TEXT NOT NULL, created_at TEXT NOT NULL,"
    " updated_at TEXT NOT NULL, keys_expire_at TEXT, request_count INTEGER NOT NULL, device_id TEXT,"
    " revoked_by TEXT, revoked_by_arn TEXT, revoked_reason TEXT, revoked_at TEXT, keys_denied_at TEXT,"
    " ttl INTEGER NOT NULL, seal TEXT NOT NULL) STRICT;"
    "CREATE INDEX sessions_user ON sessions (user, created_at);"
    "CREATE INDEX sessions_status ON sessions (status, expires_at);"
    "CREATE INDEX sessions_profile ON sessions (profile, created_at);"
    "CREATE INDEX sessions_server_instance ON sessions (server_instance_id, status);"
    "CREATE INDEX sessions_device ON sessions (device_id, created_at) WHERE device_id IS NOT NULL;"
    "CREATE INDEX sessions_ttl ON sessions (ttl);"
    "CREATE TABLE blocks ("
    " id TEXT NOT NULL PRIMARY KEY, blocked_until TEXT NOT NULL, blocked_by TEXT, reason TEXT, session_id TEXT,"
    " ttl INTEGER NOT NULL, seal TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE proofs ("
    " ttl INTEGER NOT NULL, id TEXT NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (ttl, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT;"
    "INSERT INTO probe VALUES (1, 0);",
};

/* --- Errors --- */

static const char *cause_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "locked";
    case SQLITE_FULL:
        return "full";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "damaged";
    default:
        return "io";
    }
}

enum sn_status sn_sqlite_fail(struct sn_error *err, sqlite3 *db, int code, const char *what)
{
    const char *cause = cause_of(code);
    bool is_damaged = strcmp(cause, "damaged") == 0;

    sn_fail(err, SN_UNAVAILABLE, "SESSION_UNAVAILABLE", "%s: %s", what,
        db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code));
    sn_error_detail(err, "cause", "%s", cause);
    if (strcmp(cause, "locked") == 0) {
        sn_suggest(err, "another process has the database open for writing; stop it");
    } else if (strcmp(cause, "full") == 0) {
        sn_suggest(err, "make room on the disk of the database");
    } else if (is_damaged) {
        sn_suggest(err, "the database file is damaged; restore it from a backup");
    }
    return is_damaged ? err->status : sn_error_retryable(err, 1);
}

/* --- Statements --- */

static void statement_text(enum sn_sqlite_statement which, struct sn_buf *sql)
{
    static const char *const fixed[SN_STMT_COUNT] = {
        [SN_STMT_BEGIN] = "BEGIN IMMEDIATE",
        [SN_STMT_BEGIN_READ] = "BEGIN",
        [SN_STMT_COMMIT] = "COMMIT",
        [SN_STMT_ROLLBACK] = "ROLLBACK",
        [SN_STMT_SAVEPOINT] = "SAVEPOINT one",
        [SN_STMT_RELEASE] = "RELEASE one",
        [SN_STMT_BACK] = "ROLLBACK TO one",
        [SN_STMT_PROOF] = "INSERT INTO proofs (id, ttl, seal) VALUES (?1, ?2, ?3)",
        [SN_STMT_GET_BLOCKS] = ("SELECT id, blocked_until, blocked_by, reason, session_id, seal FROM blocks"
                                " WHERE id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
        [SN_STMT_PUT_BLOCK] =
            ("INSERT INTO blocks (id, blocked_until, blocked_by, reason, session_id, ttl, seal)"
             " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET blocked_until = ?2, blocked_by = ?3,"
             " reason = ?4, session_id = ?5, ttl = ?6, seal = ?7 WHERE ?8 OR excluded.blocked_until > blocked_until"),
        [SN_STMT_PROBE] = "UPDATE probe SET count = count + 1",
        [SN_STMT_SWEEP_SESSIONS] =
            "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE ttl < ?1 LIMIT 1000)",
        [SN_STMT_SWEEP_BLOCKS] = "DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE ttl < ?1 LIMIT 1000)",
        [SN_STMT_SWEEP_PROOFS] = ("DELETE FROM proofs WHERE (ttl, id) IN"
                                  " (SELECT ttl, id FROM proofs WHERE ttl < ?1 LIMIT 1000)"),
    };

    if (fixed[which] != NULL) {
        sn_buf_add_str(sql, fixed[which]);
    } else if (which == SN_STMT_GET) {
        sn_buf_addf(sql, "SELECT %s FROM sessions WHERE id = ?1", sn_sqlite_columns);
    } else if (which == SN_STMT_OVERDUE) {
        sn_buf_addf(sql, "SELECT %s FROM sessions WHERE status = 'active' AND expires_at <= ?1 LIMIT %d",
            sn_sqlite_columns, SN_SQLITE_SWEEP);
    } else if (which == SN_STMT_INSERT) {
        sn_buf_addf(sql, "INSERT INTO sessions (%s) VALUES (", sn_sqlite_columns);
        for (int i = 1; i <= 30; i++) {
            sn_buf_addf(sql, i == 1 ? "?%d" : ", ?%d", i);
        }
        sn_buf_add_byte(sql, ')');
    } else {
        struct sn_slice rest = sn_slice_str(sn_sqlite_columns);
        struct sn_slice column;
        int i = 1;
        sn_buf_add_str(sql, "UPDATE sessions SET ");
        while (sn_slice_next(&rest, ',', &column)) {
            column = sn_slice_trim(column);
            sn_buf_addf(sql, i == 1 ? "%.*s = ?%d" : ", %.*s = ?%d", SN_PRI(column), i);
            i++;
        }
        sn_buf_addf(sql, " WHERE id = ?1 AND rev = ?%d", i);
    }
}

enum sn_status sn_sqlite_prepare(
    struct sn_sqlite_conn *conn, enum sn_sqlite_statement which, sqlite3_stmt **out_statement, struct sn_error *err)
{
    if (conn->statements[which] == NULL) {
        SN_AUTO(sn_buf_clear) struct sn_buf sql = {0};
        statement_text(which, &sql);
        int code = sqlite3_prepare_v3(
            conn->db, sn_buf_str(&sql), (int)sql.len, SQLITE_PREPARE_PERSISTENT, &conn->statements[which], NULL);
        if (code != SQLITE_OK) {
            return sn_sqlite_fail(err, conn->db, code, "cannot use the database");
        }
    }
    *out_statement = conn->statements[which];
    return SN_OK;
}

void sn_sqlite_reset(sqlite3_stmt **statement)
{
    if (*statement != NULL) {
        sqlite3_reset(*statement);
        sqlite3_clear_bindings(*statement);
    }
}

enum sn_status sn_sqlite_run(struct sn_sqlite_conn *conn, enum sn_sqlite_statement which, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_reset) sqlite3_stmt *statement = NULL;

    SN_TRY(sn_sqlite_prepare(conn, which, &statement, err));
    int code = sqlite3_step(statement);
    return code == SQLITE_DONE ? SN_OK : sn_sqlite_fail(err, conn->db, code, "cannot write the database");
}

/* --- Connections --- */

static void conn_free(struct sn_sqlite_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    for (size_t i = 0; i < SN_STMT_COUNT; i++) {
        sqlite3_finalize(conn->statements[i]);
    }
    sqlite3_close(conn->db);
    sn_free(conn);
}

static void conn_free_p(struct sn_sqlite_conn **conn)
{
    conn_free(*conn);
}

static enum sn_status run_sql(sqlite3 *db, const char *sql, struct sn_error *err)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? SN_OK : sn_sqlite_fail(err, db, code, "cannot use the database");
}

/* Statistics of memory cost a lock that all connections share with every allocation. */
static void configure_once(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused when SQLite runs already: then they cost */
}

static enum sn_status conn_new(
    const char *path, int flags, int busy_timeout_ms, struct sn_sqlite_conn **out_conn, struct sn_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    SN_ASSERT(pthread_once(&once, configure_once) == 0);
    SN_AUTO(conn_free_p) struct sn_sqlite_conn *conn = sn_alloc(1, sizeof(*conn));
    int code = sqlite3_open_v2(path, &conn->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);

    if (code != SQLITE_OK) {
        return sn_sqlite_fail(err, conn->db, code, "cannot open the database");
    }
    sqlite3_extended_result_codes(conn->db, 0);
    sqlite3_busy_timeout(conn->db, busy_timeout_ms);
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    SN_TRY(run_sql(conn->db,
        "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
        "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 4000",
        err));
    *out_conn = SN_TAKE(conn);
    return SN_OK;
}

static enum sn_status read_number(sqlite3 *db, const char *sql, int64_t *out_value, struct sn_error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        *out_value = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SN_OK : sn_sqlite_fail(err, db, code, "cannot read the database");
}

static enum sn_status migrate(sqlite3 *db, struct sn_error *err)
{
    int64_t version = 0;

    SN_TRY(read_number(db, "PRAGMA user_version", &version, err));
    if (version > SCHEMA_VERSION) {
        sn_fail(err, SN_INVALID, "STORE_VERSION", "the database has schema %lld, this program knows %d",
            (long long)version, SCHEMA_VERSION);
        return sn_suggest(err, "start the newer version that made it");
    }
    for (; version < SCHEMA_VERSION; version++) {
        SN_AUTO(sn_buf_clear) struct sn_buf sql = {0};
        sn_buf_addf(
            &sql, "BEGIN IMMEDIATE;%sPRAGMA user_version = %lld;COMMIT", migrations[version], (long long)version + 1);
        enum sn_status status = run_sql(db, sn_buf_str(&sql), err);
        if (status != SN_OK) {
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            return status;
        }
    }
    return SN_OK;
}

/* --- Open and close --- */

static enum sn_status check_mode(const char *path, const struct stat *info, mode_t forbidden, struct sn_error *err)
{
    if ((info->st_mode & forbidden) != 0 || (info->st_uid != geteuid() && info->st_uid != 0)) {
        sn_fail(err, SN_DENIED, "FILE_PERMISSIONS", "others may read or change '%s'", path);
        return sn_suggest(err, "run 'chmod go-rwx %s' and make the server's user its owner", path);
    }
    return SN_OK;
}

/* Directory and file with their modes; SQLite gives its side files the mode of the database. */
static enum sn_status make_file(const char *path, struct sn_error *err)
{
    char dir[4096] = ".";
    struct sn_slice parent;
    struct sn_slice name;
    struct stat info;

    if (sn_slice_cut_last(sn_slice_str(path), '/', &parent, &name) && parent.len < sizeof(dir)) {
        snprintf(dir, sizeof(dir), "%.*s", SN_PRI(parent));
        if (parent.len == 0) {
            dir[0] = '/';
            dir[1] = '\0';
        }
    }
    SN_TRY(sn_fs_make_dir(dir, DIR_MODE, err));
    if (stat(dir, &info) != 0) {
        return sn_fail_errno(err, "STORE_FILE", errno, "cannot examine '%s'", dir);
    }
    SN_TRY(check_mode(dir, &info, S_IWGRP | S_IWOTH, err));
    SN_AUTO(sn_fd_close) int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return sn_fail_errno(err, "STORE_FILE", errno, "cannot open the database '%s'", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return sn_fail(err, SN_INVALID, "STORE_FILE", "the database '%s' is not a plain file", path);
    }
    return check_mode(path, &info, 077, err);
}

static enum sn_status take_lock(struct sn_sqlite *store, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf path = {0};

    sn_buf_addf(&path, "%s.lock", store->path);
    store->lock_fd = open(sn_buf_str(&path), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (store->lock_fd < 0) {
        return sn_fail_errno(err, "STORE_FILE", errno, "cannot open '%s'", sn_buf_str(&path));
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        sn_fail(err, SN_CONFLICT, "STORE_LOCKED", "another server uses the database '%s'", store->path);
        return sn_suggest(err, "stop the other server, or give this one a database of its own");
    }
    return SN_OK;
}

static enum sn_status open_database(struct sn_sqlite *store, struct sn_error *err)
{
    SN_TRY(make_file(store->path, err));
    SN_TRY(take_lock(store, err));
    enum sn_status status =
        conn_new(store->path, SQLITE_OPEN_READWRITE, store->busy_timeout_ms, &store->writer.conn, err);
    if (status == SN_OK) {
        status = run_sql(store->writer.conn->db, "PRAGMA journal_mode = WAL", err);
    }
    if (status == SN_OK) {
        status = migrate(store->writer.conn->db, err);
    }
    if (status != SN_OK && err->detail_count > 0 && strcmp(err->details[0].value, "damaged") == 0) {
        sn_fail(err, SN_INVALID, "STORE_DAMAGED", "the database '%s' is damaged or no database", store->path);
        return sn_suggest(err, "restore it from a backup, or move it away to start with an empty one");
    }
    return status == SN_OK ? SN_OK : sn_error_context(err, "database '%s'", store->path);
}

static enum sn_status open_reader(struct sn_sqlite *store, struct sn_error *err)
{
    return conn_new(store->path, SQLITE_OPEN_READWRITE, store->busy_timeout_ms, &store->reader.conn, err);
}

enum sn_status sn_sqlite_open(
    const struct sn_sqlite_options *options, struct sn_sqlite **out_store, struct sn_error *err)
{
    SN_AUTO(sn_sqlite_close_p) struct sn_sqlite *store = sn_alloc(1, sizeof(*store));

    store->path = sn_strdup(sn_slice_str(options->path));
    store->keys = options->keys;
    store->busy_timeout_ms = options->busy_timeout_ms > 0 ? options->busy_timeout_ms : BUSY_DEFAULT_MS;
    store->lock_fd = -1;
    store->writer.store = store->reader.store = store;
    store->writer.run = sn_sqlite_run_writes;
    store->reader.run = sn_sqlite_run_reads;
    SN_ASSERT(options->keys->count > 0);
    SN_TRY(open_database(store, err));
    SN_TRY(open_reader(store, err));
    SN_TRY(sn_sqlite_desk_start(&store->writer, err));
    SN_TRY(sn_sqlite_desk_start(&store->reader, err));
    *out_store = SN_TAKE(store);
    return SN_OK;
}

void sn_sqlite_close(struct sn_sqlite *store)
{
    if (store == NULL) {
        return;
    }
    sn_sqlite_desk_stop(&store->reader);
    sn_sqlite_desk_stop(&store->writer);
    conn_free(store->reader.conn);
    conn_free(store->writer.conn);
    sn_fd_close(&store->lock_fd);
    sn_free(store->path);
    sn_free(store);
}

void sn_sqlite_close_p(struct sn_sqlite **store)
{
    sn_sqlite_close(*store);
    *store = NULL;
}

enum sn_status sn_sqlite_holds_rows(const char *path, bool *out_holds_rows, struct sn_error *err)
{
    SN_AUTO(conn_free_p) struct sn_sqlite_conn *conn = NULL;
    struct stat info;
    int64_t tables = 0;
    int64_t rows = 0;

    *out_holds_rows = false;
    if (stat(path, &info) != 0 || info.st_size == 0) {
        return SN_OK;
    }
    SN_TRY(conn_new(path, SQLITE_OPEN_READWRITE, BUSY_DEFAULT_MS, &conn, err));
    SN_ASSERT(conn != NULL);
    SN_TRY(read_number(conn->db, "SELECT count(*) FROM sqlite_schema WHERE name = 'sessions'", &tables, err));
    if (tables > 0) {
        SN_TRY(read_number(conn->db,
            "SELECT EXISTS (SELECT 1 FROM sessions) OR EXISTS (SELECT 1 FROM blocks) OR EXISTS (SELECT 1 FROM proofs)",
            &rows, err));
    }
    *out_holds_rows = rows != 0;
    return SN_OK;
}

/* --- The table --- */

static enum sn_status get(
    void *ctx, const struct sn_id *id, struct sn_arena *arena, struct sn_session *out_session, struct sn_error *err)
{
    struct sn_sqlite *store = ctx;
    struct sn_sqlite_job job = {
        .kind = SN_READ_SESSION, .id = id, .arena = arena, .out_session = out_session, .err = err};

    return sn_sqlite_do(&store->reader, &job);
}

static enum sn_status check_query(const struct sn_block_query *blocks, struct sn_error *err)
{
    return blocks->count <= SN_BLOCK_MARKERS_MAX
               ? SN_OK
               : sn_fail(err, SN_INTERNAL, "INTERNAL", "more block markers are asked for than can apply");
}

static enum sn_status is_blocked(
    void *ctx, const struct sn_slice *ids, size_t count, int64_t now_ms, bool *out_blocked, struct sn_error *err)
{
    struct sn_sqlite *store = ctx;
    struct sn_block_query blocks = {ids, count, now_ms};
    struct sn_sqlite_job job = {.kind = SN_READ_BLOCKS, .blocks = &blocks, .err = err};

    SN_TRY(check_query(&blocks, err));
    SN_TRY(sn_sqlite_do(&store->reader, &job));
    *out_blocked = job.is_blocked;
    return SN_OK;
}

static enum sn_status look(void *ctx, const struct sn_block_query *blocks, const struct sn_id *id,
    struct sn_arena *arena, bool *out_blocked, struct sn_session *out_session, struct sn_error *err)
{
    struct sn_sqlite *store = ctx;
    struct sn_sqlite_job job = {
        .kind = SN_READ_BOTH, .blocks = blocks, .id = id, .arena = arena, .out_session = out_session, .err = err};

    SN_TRY(check_query(blocks, err));
    SN_TRY(sn_sqlite_do(&store->reader, &job));
    *out_blocked = job.is_blocked;
    return SN_OK;
}

static enum sn_status admit(void *ctx, const struct sn_block_query *blocks, const struct sn_session *session,
    const struct sn_spent_proof *proof, bool *out_blocked, struct sn_error *err)
{
    struct sn_sqlite *store = ctx;
    struct sn_sqlite_job job = {
        .kind = SN_WRITE_CREATE, .blocks = blocks, .session = session, .proof = proof, .err = err};

    SN_TRY(check_query(blocks, err));
    SN_TRY(sn_sqlite_do(&store->writer, &job));
    *out_blocked = job.is_blocked;
    return SN_OK;
}

static enum sn_status create(
    void *ctx, const struct sn_session *session, const struct sn_spent_proof *proof, struct sn_error *err)
{
    struct sn_sqlite_job job = {.kind = SN_WRITE_CREATE, .session = session, .proof = proof, .err = err};

    return sn_sqlite_do(&((struct sn_sqlite *)ctx)->writer, &job);
}

static enum sn_status update(void *ctx, const struct sn_session *session, int64_t expected_rev, struct sn_error *err)
{
    struct sn_sqlite_job job = {.kind = SN_WRITE_UPDATE, .session = session, .expected_rev = expected_rev, .err = err};

    return sn_sqlite_do(&((struct sn_sqlite *)ctx)->writer, &job);
}

static enum sn_status ping(void *ctx, struct sn_error *err)
{
    struct sn_sqlite_job job = {.kind = SN_WRITE_PROBE, .err = err};
    const struct sn_slice none = SN_S("none");
    bool blocked = false;

    SN_TRY(is_blocked(ctx, &none, 1, 0, &blocked, err));
    return sn_sqlite_do(&((struct sn_sqlite *)ctx)->writer, &job);
}

struct sn_session_store sn_sqlite_session_store(struct sn_sqlite *store)
{
    return (struct sn_session_store){.create = create,
        .update = update,
        .get = get,
        .is_blocked = is_blocked,
        .admit = admit,
        .look = look,
        .ping = ping,
        .ctx = store};
}

enum sn_status sn_sqlite_put_block(struct sn_sqlite *store, const struct sn_block_marker *marker, int64_t ttl_unix_s,
    bool is_lift, struct sn_error *err)
{
    struct sn_sqlite_job job = {
        .kind = SN_WRITE_BLOCK, .marker = marker, .ttl_unix_s = ttl_unix_s, .is_lift = is_lift, .err = err};

    return sn_sqlite_do(&store->writer, &job);
}

enum sn_status sn_sqlite_sweep(
    struct sn_sqlite *store, int64_t now_ms, struct sn_sqlite_sweep *out_swept, struct sn_error *err)
{
    struct sn_sqlite_job job = {.kind = SN_WRITE_SWEEP, .now_ms = now_ms, .swept = out_swept, .err = err};

    return sn_sqlite_do(&store->writer, &job);
}

void sn_sqlite_limit_pages(struct sn_sqlite *store, int64_t pages)
{
    SN_AUTO(sn_buf_clear) struct sn_buf sql = {0};

    sn_buf_addf(&sql, "PRAGMA max_page_count = %lld", (long long)pages);
    pthread_mutex_lock(&store->writer.lock);
    sqlite3_exec(store->writer.conn->db, sn_buf_str(&sql), NULL, NULL, NULL);
    pthread_mutex_unlock(&store->writer.lock);
}

void sn_sqlite_count(struct sn_sqlite *store, uint64_t *out_writes, uint64_t *out_commits)
{
    pthread_mutex_lock(&store->writer.lock);
    *out_writes = store->writer.jobs;
    *out_commits = store->writer.batches;
    pthread_mutex_unlock(&store->writer.lock);
}
