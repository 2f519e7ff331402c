/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store/audit_file.c and its parts: starts, keys, rotation. Every log made here is read back by the verifier.
 */
#include "audit_fixture.h"

/* --- Start --- */

static void first_start_and_resume(void **state)
{
    (void)state;
    struct fixture x;
    struct stat info;

    setup(&x);
    umask(077);
    start(&x);
    must_add(&x, "alice");
    stop(&x);
    assert_int_equal(stat(x.path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640); /* AUD-21 */
    assert_int_equal(stat(x.anchor, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_whole(&x, 1, 1, 2);
    start(&x);
    must_add(&x, "bob");
    struct sn_audit_file_stats stats;
    sn_audit_file_stats(x.file, &stats);
    assert_int_equal(stats.position.seq, 4);
    assert_string_equal(stats.key_id, "k1");
    stop(&x);
    assert_whole(&x, 1, 1, 4);
    assert_int_equal(count_of(&x, "\"reason\":\"new\""), 1);
    assert_int_equal(count_of(&x, "\"reason\":\"resume\""), 1);
    teardown(&x);
}

/* AUD-17, AUD-22: a torn write is cut off and told; the log goes on in one stream. */
static void torn_writes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t len;
    } rows[] = {
        {"half a record", "{\"v\":1,\"stream\":\"7c9e", 21},
        {"NULs", "\0\0\0\0\0\0\0\0", 8},
        {"half a record and NULs", "{\"v\":1\0\0\0", 9},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture x;
        char torn[32];
        print_message("# %s\n", rows[i].name);
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        stop(&x);
        append_bytes(&x, rows[i].bytes, rows[i].len);
        start(&x);
        stop(&x);
        assert_whole(&x, 1, 1, 3);
        snprintf(torn, sizeof(torn), "\"torn_bytes\":%zu", rows[i].len);
        assert_int_equal(count_of(&x, torn), 1);
        teardown(&x);
    }
}

/* ATK-33: a complete line that is no record is damage: put aside, told, a new stream. */
static void attack_33_damaged_tail(void **state)
{
    (void)state;
    static const char *const rows[] = {"garbage\n", "\n", "{\"v\":1}\n", NULL /* a record with a changed byte */};

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture x;
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        must_add(&x, "bob");
        stop(&x);
        if (rows[i] != NULL) {
            append_bytes(&x, rows[i], strlen(rows[i]));
        } else {
            int fd = open(x.path, O_RDWR);
            struct stat info;
            fstat(fd, &info);
            assert_int_equal(pwrite(fd, "X", 1, info.st_size - 120), 1);
            close(fd);
        }
        start(&x);
        must_add(&x, "carol");
        stop(&x);
        assert_string_equal(x.last_event, "audit.damaged_tail");
        assert_int_equal(count_of(&x, "\"reason\":\"damaged_tail\""), 1);
        struct verdict without = verify(&x, false);
        struct verdict with = verify(&x, true);
        assert_true(without.failures > 0);
        /* An empty line is no record and hides none, so it alone leaves the whole readable. */
        assert_int_equal(with.failures > 0, rows[i] == NULL || strlen(rows[i]) > 1);
        sn_buf_clear(&without.text);
        sn_buf_clear(&with.text);
        teardown(&x);
    }
}

/* AUD-18, ATK-33: records cut off the end, or the whole file taken away, are noticed at the next start. */
static void attack_33_tail_missing(void **state)
{
    (void)state;
    for (int whole = 0; whole <= 1; whole++) {
        struct fixture x;
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        int fd = open(x.path, O_RDWR);
        struct stat info;
        fstat(fd, &info);
        must_add(&x, "bob");
        must_add(&x, "carol");
        stop(&x);
        assert_int_equal(whole ? unlink(x.path) : ftruncate(fd, info.st_size), 0);
        close(fd);
        struct verdict cut = verify(&x, false);
        assert_true(cut.failures > 0);
        if (!whole) {
            assert_non_null(strstr(cut.message, "tail missing"));
        }
        sn_buf_clear(&cut.text);
        start(&x);
        must_add(&x, "dave");
        stop(&x);
        assert_string_equal(x.last_event, "audit.tail_missing");
        assert_int_equal(count_of(&x, "\"reason\":\"tail_missing\""), 1);
        assert_int_equal(count_of(&x, "\"previous_seq\":4"), 1);
        struct verdict after = verify(&x, false);
        assert_true(after.failures > 0); /* the loss stays visible for good */
        sn_buf_clear(&after.text);
        teardown(&x);
    }
}

/* AUD-21: a second writer, a link, a file with two names, a directory open to all. */
static void refused_starts(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_file *second = NULL;
    struct sn_error err;
    char other[256];

    setup(&x);
    start(&x);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_LOCKED");
    stop(&x);
    scratch_path(&x.scratch, "other.log", other);
    assert_int_equal(rename(x.path, other), 0);
    assert_int_equal(symlink(other, x.path), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_FILE");
    unlink(x.path);
    assert_int_equal(link(other, x.path), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_FILE");
    unlink(x.path);
    assert_int_equal(mkdir(x.path, 0700), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_FILE");
    rmdir(x.path);
    assert_int_equal(chmod(x.scratch.dir, 0777), 0);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_DIRECTORY");
    chmod(x.scratch.dir, 0700);
    atomic_store(&x.disk.sync_errno, EIO);
    assert_fails(sn_audit_file_open(&x.options, &second, &err), &err, "AUDIT_SYNC");
    teardown(&x);
}

/* --- Keys --- */

static void key_changes(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_keys both = sn_test_audit_keys();

    setup(&x);
    start(&x);
    must_add(&x, "alice");
    sn_audit_file_set_keys(x.file, &both);
    must_add(&x, "bob");
    stop(&x);
    assert_int_equal(count_of(&x, "\"reason\":\"key_change\""), 1);
    assert_whole(&x, 1, 1, 4);
    /* At a start: back to k1, with k2 still known for checking. */
    struct sn_audit_keys turned = {.count = 2};
    memcpy(turned.keys[0].id, "k2", 3);
    memcpy(turned.keys[1].id, "k1", 3);
    sn_secret_set(&turned.keys[0].key, sn_secret_reveal(&both.keys[1].key));
    sn_secret_set(&turned.keys[1].key, sn_secret_reveal(&both.keys[0].key));
    x.options.keys = &turned;
    start(&x);
    stop(&x);
    assert_int_equal(count_of(&x, "\"reason\":\"key_change\""), 2);
    assert_whole(&x, 1, 1, 6);
    /* An old key that is not given any more: gone on with under the new one; the reader with all keys is content. */
    struct sn_audit_keys only_new = {.count = 1};
    memcpy(only_new.keys[0].id, "k2", 3);
    sn_secret_set(&only_new.keys[0].key, sn_secret_reveal(&both.keys[1].key));
    x.options.keys = &only_new;
    start(&x);
    stop(&x);
    assert_whole(&x, 1, 1, 8);
    x.options.keys = &x.keys;
    sn_audit_keys_clear(&both);
    sn_audit_keys_clear(&turned);
    sn_audit_keys_clear(&only_new);
    teardown(&x);
}

/* --- Rotation --- */

static void rotations(void **state)
{
    (void)state;
    struct fixture x;
    char moved[256];

    setup(&x);
    x.options.rotate_bytes = 2000;
    x.options.rotate_s = 3600;
    start(&x);
    for (int i = 0; i < 20; i++) {
        must_add(&x, "alice");
    }
    struct verdict by_size = verify(&x, false);
    assert_true(by_size.files >= 3);
    assert_int_equal(by_size.failures, 0);
    sn_buf_clear(&by_size.text);
    size_t rotated = count_of(&x, "\"reason\":\"rotate\"");
    scripted_clock_advance(&x.clock, 3600 * 1000);
    must_add(&x, "by-age");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), rotated + 1);
    sn_audit_file_rotate(x.file);
    must_add(&x, "by-request");
    assert_true(count_of(&x, "\"reason\":\"rotate\"") >= rotated + 2);
    assert_int_equal(count_of(&x, "\"previous_file\":\"audit-2026"), count_of(&x, "\"reason\":\"rotate\""));
    /* Renamed under the writer. */
    scratch_path(&x.scratch, "audit-99999999T000000Z-999999999999.log", moved);
    rotated = count_of(&x, "\"reason\":\"rotate\"");
    assert_int_equal(rename(x.path, moved), 0);
    must_add(&x, "after-rename");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), rotated + 1);
    assert_int_equal(count_of(&x, "after-rename"), 1);
    struct verdict all = verify(&x, false);
    assert_int_equal(all.failures, 0);
    assert_int_equal(all.streams, 1);
    sn_buf_clear(&all.text);
    teardown(&x);
}

/* AUD-17: a crash between the steps of a rotation is finished at the next start. */
static void crash_inside_rotation(void **state)
{
    (void)state;
    for (int made = 0; made <= 1; made++) {
        struct fixture x;
        char moved[256];
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        stop(&x);
        scratch_path(&x.scratch, "audit-20260301T090000Z-000000000001.log", moved);
        assert_int_equal(rename(x.path, moved), 0);
        if (made) {
            close(open(x.path, O_CREAT | O_WRONLY, 0640));
        }
        start(&x);
        must_add(&x, "bob");
        stop(&x);
        assert_int_equal(count_of(&x, "\"previous_file\":\"audit-20260301T090000Z-000000000001.log\""), 1);
        assert_int_equal(atomic_load(&x.told_errors), 0);
        assert_whole(&x, 2, 1, 5);
        teardown(&x);
    }
}

/* ATK-33: somebody else wrote into the log, or shortened it, under the writer. */
static void attack_33_foreign_write(void **state)
{
    (void)state;
    for (int shorten = 0; shorten <= 1; shorten++) {
        struct fixture x;
        setup(&x);
        start(&x);
        must_add(&x, "alice");
        must_add(&x, "bob");
        if (shorten) {
            assert_int_equal(truncate(x.path, 0), 0); /* a copy-and-truncate rotator */
        } else {
            append_bytes(&x, "{\"event\":\"decision\",\"effect\":\"allow\"}\n", 38);
        }
        must_add(&x, "carol");
        stop(&x);
        assert_string_equal(x.last_event, "audit.foreign_write");
        assert_int_equal(count_of(&x, "\"reason\":\"foreign_write\""), 1);
        assert_int_equal(count_of(&x, "carol"), 1);
        struct verdict verdict = verify(&x, true);
        assert_true(verdict.failures > 0);
        sn_buf_clear(&verdict.text);
        teardown(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start_and_resume),
        cmocka_unit_test(torn_writes),
        cmocka_unit_test(attack_33_damaged_tail),
        cmocka_unit_test(attack_33_tail_missing),
        cmocka_unit_test(refused_starts),
        cmocka_unit_test(key_changes),
        cmocka_unit_test(rotations),
        cmocka_unit_test(crash_inside_rotation),
        cmocka_unit_test(attack_33_foreign_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
