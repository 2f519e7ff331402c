/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store/sqlite.c, its parts, and store/key_file.c.
 */
#include "test.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "base/arena.h"
#include "base/fs.h"
#include "scratch.h"
#include "store/key_file.h"
#include "store/sqlite.h"
#include "store_conformance.h"

#define T0 INT64_C(1769940000000)

struct fixture {
    struct scratch scratch;
    struct sn_seal_keys keys;
    struct sn_sqlite *store;
    char path[256];
};

static void setup(struct fixture *x)
{
    unsigned char bytes[32] = {7};

    memset(x, 0, sizeof(*x));
    scratch_make(&x->scratch);
    scratch_path(&x->scratch, "sentinel.db", x->path);
    x->keys.count = 1;
    memcpy(x->keys.keys[0].id, "k1", 3);
    sn_secret_set(&x->keys.keys[0].key, sn_slice_bytes(bytes, sizeof(bytes)));
}

static enum sn_status open_store(struct fixture *x, struct sn_sqlite **out_store, struct sn_error *err)
{
    const struct sn_sqlite_options options = {.path = x->path, .keys = &x->keys, .busy_timeout_ms = 50};
    return sn_sqlite_open(&options, out_store, err);
}

static void start(struct fixture *x)
{
    struct sn_error err;
    assert_ok(open_store(x, &x->store, &err), &err);
}

static void teardown(struct fixture *x)
{
    sn_sqlite_close(x->store);
    sn_seal_keys_clear(&x->keys);
    scratch_remove(&x->scratch);
}

/* A second connection, as an operator or an attacker with the file would have. */
static void foreign_sql(const struct fixture *x, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(x->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        print_error("%s\n", message);
        fail();
    }
    sqlite3_close(db);
}

static void put_block(void *ctx, const struct sn_block_marker *marker)
{
    struct fixture *x = ctx;
    struct sn_error err;
    assert_ok(sn_sqlite_put_block(x->store, marker, T0 / 1000 + 86400, false, &err), &err);
}

static void reopen(void *ctx, struct sn_session_store *out_store)
{
    struct fixture *x = ctx;
    sn_sqlite_close_p(&x->store);
    start(x);
    *out_store = sn_sqlite_session_store(x->store);
}

/* TVM-16, ATK-07, ATK-24 */
static void conformance(void **state)
{
    (void)state;
    struct fixture x;
    uint64_t writes = 0;
    uint64_t commits = 0;

    setup(&x);
    start(&x);
    struct store_backend backend = {.store = sn_sqlite_session_store(x.store),
        .keys = &x.keys,
        .put_block = put_block,
        .reopen = reopen,
        .ctx = &x};
    store_conformance_run(&backend);
    sn_sqlite_count(x.store, &writes, &commits);
    assert_true(writes > 640);
    assert_true(commits < writes); /* group commit */
    teardown(&x);
}

static void files_and_lock(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_sqlite *second = NULL;
    struct sn_error err;
    struct stat info;
    char wal[300];

    setup(&x);
    umask(022);
    char deep[256];
    scratch_path(&x.scratch, "made/sentinel.db", deep);
    memcpy(x.path, deep, sizeof(deep));
    start(&x);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
    assert_ok(store.ping(store.ctx, &err), &err);
    assert_int_equal(stat(x.path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    snprintf(wal, sizeof(wal), "%s-wal", x.path);
    assert_int_equal(stat(wal, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    scratch_path(&x.scratch, "made", deep);
    assert_int_equal(stat(deep, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_fails(open_store(&x, &second, &err), &err, "STORE_LOCKED");
    sn_sqlite_close_p(&x.store);
    assert_int_equal(chmod(x.path, 0640), 0);
    assert_fails(open_store(&x, &second, &err), &err, "FILE_PERMISSIONS");
    assert_non_null(strstr(err.suggestion, "chmod"));
    chmod(x.path, 0600);
    chmod(deep, 0770);
    assert_fails(open_store(&x, &second, &err), &err, "FILE_PERMISSIONS");
    chmod(deep, 0700);
    start(&x);
    teardown(&x);
}

static const char *cause(const struct sn_error *err)
{
    return err->detail_count > 0 ? err->details[0].value : "";
}

/* A database that another process keeps locked: an error in bounded time, and all well afterwards. */
static void locked_database(void **state)
{
    (void)state;
    struct fixture x;
    char seal[SN_SEAL_MAX + 1];
    sqlite3 *db = NULL;
    struct sn_error err;

    setup(&x);
    start(&x);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
    struct sn_session s = store_conformance_session(&x.keys, "0000000000000001", seal);
    assert_int_equal(sqlite3_open(x.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_fails(store.create(store.ctx, &s, NULL, &err), &err, "SESSION_UNAVAILABLE");
    assert_string_equal(cause(&err), "locked");
    assert_int_equal(err.status, SN_UNAVAILABLE);
    assert_true(err.retryable);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_ok(store.create(store.ctx, &s, NULL, &err), &err);
    teardown(&x);
}

/* Files that are no database, of a newer schema, or broken inside. */
static void unusable_files(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_sqlite *store = NULL;
    struct sn_error err;

    setup(&x);
    assert_ok(
        sn_fs_write_new(x.path, 0600, SN_S("this is no database, whatever its name may say about it"), &err), &err);
    assert_fails(open_store(&x, &store, &err), &err, "STORE_DAMAGED");
    unlink(x.path);
    start(&x);
    sn_sqlite_close_p(&x.store);
    foreign_sql(&x, "PRAGMA user_version = 2");
    assert_fails(open_store(&x, &store, &err), &err, "STORE_VERSION");
    foreign_sql(&x, "PRAGMA user_version = 1");
    start(&x);
    teardown(&x);
}

static void damaged_pages(void **state)
{
    (void)state;
    struct fixture x;
    char seal[SN_SEAL_MAX + 1];
    char junk[4096];
    struct sn_error err;
    struct stat info;

    setup(&x);
    start(&x);
    struct sn_session s = store_conformance_session(&x.keys, "0000000000000001", seal);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
    assert_ok(store.create(store.ctx, &s, NULL, &err), &err);
    sn_sqlite_close_p(&x.store); /* the log is folded into the file */
    memset(junk, 0xa5, sizeof(junk));
    int fd = open(x.path, O_RDWR);
    fstat(fd, &info);
    for (off_t at = 4096; at < info.st_size; at += 4096) {
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), (ssize_t)sizeof(junk));
    }
    close(fd);
    start(&x);
    store = sn_sqlite_session_store(x.store);
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_session found;
    assert_fails(store.get(store.ctx, &s.id, &arena, &found, &err), &err, "SESSION_UNAVAILABLE");
    assert_string_equal(cause(&err), "damaged");
    assert_fails(store.create(store.ctx, &s, NULL, &err), &err, "SESSION_UNAVAILABLE");
    const struct sn_slice id = SN_S("block#name#alice#*");
    bool blocked = false;
    assert_fails(store.is_blocked(store.ctx, &id, 1, T0, &blocked, &err), &err, "SESSION_UNAVAILABLE");
    teardown(&x);
}

/* A full disk, as the file size limit of the database itself. */
static void full_disk(void **state)
{
    (void)state;
    struct fixture x;
    char seal[SN_SEAL_MAX + 1];
    struct sn_error err;
    int full = 0;
    int written = 0;

    setup(&x);
    start(&x);
    sn_sqlite_limit_pages(x.store, 30);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
    for (int i = 0; i < 400 && full == 0; i++) {
        char id[SN_ID_LEN + 1];
        snprintf(id, sizeof(id), "%016d", i);
        struct sn_session s = store_conformance_session(&x.keys, id, seal);
        if (store.create(store.ctx, &s, NULL, &err) == SN_OK) {
            written++;
        } else {
            full++;
        }
    }
    assert_int_equal(full, 1);
    assert_string_equal(err.code, "SESSION_UNAVAILABLE");
    assert_string_equal(cause(&err), "full");
    sn_sqlite_limit_pages(x.store, 100000);
    struct sn_session s = store_conformance_session(&x.keys, "zzzzzzzzzzzzzzzz", seal);
    assert_ok(store.create(store.ctx, &s, NULL, &err), &err);
    assert_true(written > 10);
    teardown(&x);
}

/* ATK-15: a row changed in the file comes back with a seal that does not fit; one that makes no sense is an error. */
static void attack_15_changed_rows(void **state)
{
    (void)state;
    struct fixture x;
    char seal[SN_SEAL_MAX + 1];
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_session found;
    struct sn_error err;

    setup(&x);
    start(&x);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
    struct sn_session s = store_conformance_session(&x.keys, "0000000000000001", seal);
    assert_ok(store.create(store.ctx, &s, NULL, &err), &err);
    foreign_sql(&x, "UPDATE sessions SET status = 'revoked'");
    assert_ok(store.get(store.ctx, &s.id, &arena, &found, &err), &err);
    assert_false(sn_session_seal_is_valid(&x.keys, &found));
    static const char *const senseless[] = {"UPDATE sessions SET status = 'Active'",
        "UPDATE sessions SET status = 'active', kind = 'other'",
        "UPDATE sessions SET kind = 'direct', expires_at = '2026-02-01T10:00:00Z'",
        "UPDATE sessions SET expires_at = '2026-02-01T10:00:00.000Z', server_instance_id = 'x'"};
    for (size_t i = 0; i < SN_LEN(senseless); i++) {
        foreign_sql(&x, senseless[i]);
        assert_fails(store.get(store.ctx, &s.id, &arena, &found, &err), &err, "RECORD_INVALID");
    }
    teardown(&x);
}

/* ATK-24: a marker whose time was spoilt in the file blocks; a lift and a later block follow their rules. */
static void attack_24_markers_in_the_file(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_block_marker marker = {.id = SN_S("block#name#alice#*"), .blocked_until_ms = T0 + 1000};
    char seal[SN_SEAL_MAX + 1];
    bool blocked = false;
    struct sn_error err;

    setup(&x);
    start(&x);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
#define PUT(until, lift)                                                                                               \
    do {                                                                                                               \
        marker.blocked_until_ms = (until);                                                                             \
        sn_block_marker_seal(&x.keys, &marker, seal);                                                                  \
        marker.seal = sn_slice_str(seal);                                                                              \
        assert_ok(sn_sqlite_put_block(x.store, &marker, T0 / 1000, lift, &err), &err);                                 \
    } while (0)
#define ASK(at, expected)                                                                                              \
    do {                                                                                                               \
        assert_ok(store.is_blocked(store.ctx, &marker.id, 1, at, &blocked, &err), &err);                               \
        assert_int_equal(blocked, expected);                                                                           \
    } while (0)
    PUT(T0 + 1000, false);
    PUT(T0 + 500, false); /* the later end stays */
    ASK(T0 + 999, true);
    ASK(T0 + 1000, false);
    PUT(T0 + 100, true); /* lifted */
    ASK(T0 + 100, false);
    foreign_sql(&x, "UPDATE blocks SET blocked_until = '2026-02-01'");
    ASK(T0 + 99999999, true);
    foreign_sql(&x, "UPDATE blocks SET blocked_until = '2026-01-01T00:00:00.000Z'");
    ASK(T0 + 99999999, true);
    teardown(&x);
}

static void sweeps(void **state)
{
    (void)state;
    struct fixture x;
    char seal[SN_SEAL_MAX + 1];
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    struct sn_spent_proof proof = {.key = {9}, .expires_unix_s = T0 / 1000 + 120};
    struct sn_sqlite_sweep swept;
    struct sn_session found;
    struct sn_error err;

    setup(&x);
    start(&x);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
    struct sn_session s = store_conformance_session(&x.keys, "0000000000000001", seal);
    assert_ok(store.create(store.ctx, &s, &proof, &err), &err);
    assert_ok(sn_sqlite_sweep(x.store, T0 + 899999, &swept, &err), &err);
    assert_int_equal(swept.expired + swept.deleted_sessions, 0);
    assert_int_equal(swept.deleted_proofs, 1);
    assert_ok(sn_sqlite_sweep(x.store, T0 + 900000, &swept, &err), &err);
    assert_int_equal(swept.expired, 1);
    assert_ok(store.get(store.ctx, &s.id, &arena, &found, &err), &err);
    assert_int_equal(found.status, SN_SESSION_EXPIRED);
    assert_int_equal(found.rev, 2);
    assert_true(sn_session_seal_is_valid(&x.keys, &found));
    assert_ok(sn_sqlite_sweep(x.store, (s.ttl_unix_s + 1) * 1000, &swept, &err), &err);
    assert_int_equal(swept.deleted_sessions, 1);
    assert_fails(store.get(store.ctx, &s.id, &arena, &found, &err), &err, "SESSION_NOT_FOUND");
    teardown(&x);
}

/* --- Key files --- */

/* AUD-19 */
static void key_files(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_keys keys = {.count = 0};
    struct sn_audit_keys again = {.count = 0};
    struct sn_error err;
    struct stat info;
    char path[256];

    setup(&x);
    scratch_path(&x.scratch, "audit.key", path);
    assert_int_not_equal(sn_audit_key_file_load(path, "default", NULL, &keys, &err), SN_OK);
    assert_ok(sn_audit_key_file_load(path, "default", sn_random_system(), &keys, &err), &err);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_string_equal(keys.keys[0].id, "k1");
    assert_int_equal(keys.keys[0].key.len, 32);
    assert_ok(sn_audit_key_file_load(path, "default", sn_random_system(), &again, &err), &err);
    assert_true(sn_secret_eq(&keys.keys[0].key, &again.keys[0].key));
    chmod(path, 0644);
    assert_fails(sn_audit_key_file_load(path, "default", NULL, &again, &err), &err, "FILE_PERMISSIONS");
    unlink(path);
    assert_ok(sn_fs_write_new(path, 0600, SN_S("abcd"), &err), &err);
    assert_fails(sn_audit_key_file_load(path, "default", NULL, &again, &err), &err, "INVALID_AUDIT_KEY");
    assert_null(strstr(err.message, "abcd"));
    sn_audit_keys_clear(&keys);
    sn_audit_keys_clear(&again);
    teardown(&x);
}

/* ATK-07: without random bytes no key is made, and none of zeros. */
static enum sn_status no_random(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return sn_fail(err, SN_UNAVAILABLE, "RANDOM_UNAVAILABLE", "no random bytes");
}

static void attack_07_no_random_no_key(void **state)
{
    (void)state;
    static const struct sn_random broken = {.fill = no_random};
    struct fixture x;
    struct sn_audit_keys keys = {.count = 0};
    struct sn_error err;
    char path[256];

    setup(&x);
    scratch_path(&x.scratch, "audit.key", path);
    assert_fails(sn_audit_key_file_load(path, "default", &broken, &keys, &err), &err, "RANDOM_UNAVAILABLE");
    assert_false(sn_fs_exists(path));
    teardown(&x);
}

/* ATK-15: a database with rows never gets a new sealing key. */
static void attack_15_lost_sealing_key(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_seal_keys keys = {.count = 0};
    char seal[SN_SEAL_MAX + 1];
    struct sn_error err;
    char path[256];

    setup(&x);
    scratch_path(&x.scratch, "state.key", path);
    assert_ok(sn_seal_key_file_load_for(path, "k1", x.path, sn_random_system(), &keys, &err), &err);
    unlink(path);
    start(&x); /* empty, but made */
    assert_ok(sn_seal_key_file_load_for(path, "k1", x.path, sn_random_system(), &keys, &err), &err);
    unlink(path);
    struct sn_session_store store = sn_sqlite_session_store(x.store);
    struct sn_session s = store_conformance_session(&x.keys, "0000000000000001", seal);
    assert_ok(store.create(store.ctx, &s, NULL, &err), &err);
    assert_fails(
        sn_seal_key_file_load_for(path, "k1", x.path, sn_random_system(), &keys, &err), &err, "STATE_KEY_LOST");
    assert_false(sn_fs_exists(path));
    /* Of several lines the last one seals and comes first. */
    assert_ok(sn_fs_write_new(path, 0600,
                  SN_S("k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                       "k2:202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\n"),
                  &err),
        &err);
    assert_ok(sn_seal_key_file_load_for(path, "k1", x.path, sn_random_system(), &keys, &err), &err);
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.keys[0].id, "k2");
    sn_seal_keys_clear(&keys);
    teardown(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conformance),
        cmocka_unit_test(files_and_lock),
        cmocka_unit_test(locked_database),
        cmocka_unit_test(unusable_files),
        cmocka_unit_test(damaged_pages),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(attack_15_changed_rows),
        cmocka_unit_test(attack_24_markers_in_the_file),
        cmocka_unit_test(sweeps),
        cmocka_unit_test(key_files),
        cmocka_unit_test(attack_07_no_random_no_key),
        cmocka_unit_test(attack_15_lost_sealing_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
