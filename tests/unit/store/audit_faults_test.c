/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store/audit_file.c and its parts: a disk that fails, callers that give up, many clients at once.
 */
#include "audit_fixture.h"

#include <poll.h>

/* --- Faults: AUD-22, ATK-33 --- */

static void attack_33_disk_faults(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t fault; /* offset of the switch in struct disk */
        int error;
    } rows[] = {
        {"disk full", offsetof(struct disk, write_errno), ENOSPC},
        {"write error", offsetof(struct disk, write_errno), EIO},
        {"sync error", offsetof(struct disk, sync_errno), EIO},
        {"short write", offsetof(struct disk, short_write), 1},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture x;
        print_message("# %s\n", rows[i].name);
        setup(&x);
        start(&x);
        must_add(&x, "before");
        atomic_int *fault = (atomic_int *)(void *)((char *)&x.disk + rows[i].fault);
        atomic_store(fault, rows[i].error);
        must_fail(&x, "refused-1");
        /* Less than a second later nothing is tried; later, while the fault lasts, it fails again. */
        must_fail(&x, "refused-2");
        scripted_clock_advance(&x.clock, 1001);
        if (rows[i].fault != offsetof(struct disk, short_write)) {
            must_fail(&x, "refused-3");
            scripted_clock_advance(&x.clock, 1001);
        }
        atomic_store(fault, 0);
        must_add(&x, "after");
        struct sn_audit_sink sink = sn_audit_file_sink(x.file);
        assert_true(sink.is_healthy(sink.ctx));
        stop(&x);
        assert_int_equal(count_of(&x, "refused"), 0);
        assert_int_equal(count_of(&x, "\"before\""), 1);
        assert_int_equal(count_of(&x, "\"after\""), 1);
        assert_whole(&x, 1, 1, 3);
        teardown(&x);
    }
}

/* When the file could not be cut back, what stands behind the last acknowledged record begins a new stream. */
static void sink_error_begins_a_stream(void **state)
{
    (void)state;
    struct fixture x;

    setup(&x);
    start(&x);
    must_add(&x, "before");
    atomic_store(&x.disk.sync_errno, EIO);
    atomic_store(&x.disk.truncate_errno, EIO);
    must_fail(&x, "unacknowledged");
    atomic_store(&x.disk.sync_errno, 0);
    scripted_clock_advance(&x.clock, 1001);
    must_add(&x, "after");
    stop(&x);
    assert_int_equal(count_of(&x, "\"reason\":\"sink_error\""), 1);
    struct verdict verdict = verify(&x, false);
    assert_int_equal(verdict.failures, 0);
    assert_int_equal(verdict.streams, 2);
    assert_int_equal(verdict.unacknowledged, 1);
    sn_buf_clear(&verdict.text);
    teardown(&x);
}

static void rename_that_fails(void **state)
{
    (void)state;
    struct fixture x;

    setup(&x);
    x.options.rotate_s = 60;
    start(&x);
    scripted_clock_advance(&x.clock, 61000);
    atomic_store(&x.disk.rename_errno, EACCES);
    must_add(&x, "alice"); /* a log that grows is better than none */
    assert_string_equal(x.last_event, "audit.rotation_failed");
    atomic_store(&x.disk.rename_errno, 0);
    must_add(&x, "bob");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), 0);
    scripted_clock_advance(&x.clock, 61000);
    must_add(&x, "carol");
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), 1);
    stop(&x);
    assert_whole(&x, 2, 1, 5);
    teardown(&x);
}

static bool becomes_healthy(struct fixture *x)
{
    struct sn_audit_sink sink = sn_audit_file_sink(x->file);

    for (int i = 0; i < 2000; i++) { /* 10 s; the writer tries each second */
        if (sink.is_healthy(sink.ctx)) {
            return true;
        }
        (void)poll(NULL, 0, 5);
    }
    return false;
}

/* TVM-50: a server without callers gets ready again by itself, and says so with a record. */
static void recovers_without_callers(void **state)
{
    (void)state;
    struct fixture x;

    setup(&x);
    start(&x);
    must_add(&x, "before");
    atomic_store(&x.disk.write_errno, ENOSPC);
    must_fail(&x, "refused");
    int writes = atomic_load(&x.disk.writes);
    scripted_clock_advance(&x.clock, 1001);
    for (int i = 0; i < 2000 && atomic_load(&x.disk.writes) == writes; i++) {
        (void)poll(NULL, 0, 5);
    }
    assert_true(atomic_load(&x.disk.writes) > writes); /* it tries while the disk is full */
    atomic_store(&x.disk.write_errno, 0);
    scripted_clock_advance(&x.clock, 1001);
    assert_true(becomes_healthy(&x));
    assert_int_equal(atomic_load(&x.told_errors), 1); /* not once a second */
    stop(&x);
    assert_int_equal(
        count_of(&x, "{\"timestamp\":\"2026-03-01T09:00:02.002Z\",\"event\":\"audit.recovered\",\"instance\":"), 1);
    assert_int_equal(count_of(&x, "refused"), 0);
    assert_whole(&x, 1, 1, 3);
    teardown(&x);
}

/* A wish for a new file outlives the failure that it met. */
static void rotation_is_not_forgotten(void **state)
{
    (void)state;
    struct fixture x;

    setup(&x);
    start(&x);
    must_add(&x, "before");
    atomic_store(&x.disk.sync_errno, EIO);
    sn_audit_file_rotate(x.file);
    must_fail(&x, "refused");
    atomic_store(&x.disk.sync_errno, 0);
    scripted_clock_advance(&x.clock, 1001);
    assert_true(becomes_healthy(&x));
    assert_int_equal(count_of(&x, "\"reason\":\"rotate\""), 1);
    stop(&x);
    assert_whole(&x, 2, 1, 3);
    teardown(&x);
}

/* AUD-22: who gave up waiting is told of in the log once the record turns out durable. */
static void undelivered_records(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_sink sink;
    struct sn_error err;

    setup(&x);
    start(&x);
    sink = sn_audit_file_sink(x.file);
    pthread_mutex_lock(&x.disk.gate);
    assert_fails(sink.append(sink.ctx, SN_S("{\"user\":\"late\"}"), SN_S("2x8m5k0t7v3r9w1q"), 20, &err), &err,
        "AUDIT_UNAVAILABLE");
    assert_false(sink.is_healthy(sink.ctx));
    /* This one has not been taken by the writer: it is withdrawn and never written. */
    assert_fails(sink.append(sink.ctx, SN_S("{\"user\":\"never\"}"), SN_S("3x8m5k0t7v3r9w1q"), 20, &err), &err,
        "AUDIT_UNAVAILABLE");
    pthread_mutex_unlock(&x.disk.gate);
    must_add(&x, "next");
    stop(&x);
    assert_int_equal(count_of(&x, "\"late\""), 1);
    assert_int_equal(count_of(&x, "\"never\""), 0);
    assert_int_equal(
        count_of(&x, "\"event\":\"audit.undelivered\",\"request_id\":\"2x8m5k0t7v3r9w1q\",\"reason\":\"timeout\""), 1);
    assert_whole(&x, 1, 1, 4);
    teardown(&x);
}

static void *late_run(void *argument)
{
    struct fixture *x = argument;
    struct sn_error err;

    return add(x, "late", &err) == SN_OK ? NULL : x;
}

/* TVM-50: a disk that hangs is told of while it hangs, and no longer. */
static void writer_that_hangs(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_file_stats stats;
    pthread_t thread;
    void *failure = NULL;

    setup(&x);
    start(&x);
    must_add(&x, "alice");
    int64_t before_ns = x.clock.clock.mono_ns(x.clock.clock.ctx);
    pthread_mutex_lock(&x.disk.gate);
    int syncs = atomic_load(&x.disk.in_sync);
    assert_int_equal(pthread_create(&thread, NULL, late_run, &x), 0);
    while (atomic_load(&x.disk.in_sync) == syncs) {
        sched_yield();
    }
    sn_audit_file_stats(x.file, &stats);
    assert_true(stats.busy_since_mono_ns >= before_ns && stats.busy_since_mono_ns != 0);
    pthread_mutex_unlock(&x.disk.gate);
    pthread_join(thread, &failure);
    assert_null(failure);
    do {
        sched_yield();
        sn_audit_file_stats(x.file, &stats);
    } while (stats.busy_since_mono_ns != 0);
    teardown(&x);
}

static void too_large_an_entry(void **state)
{
    (void)state;
    struct fixture x;
    SN_AUTO(sn_buf_clear) struct sn_buf entry = {0};
    struct sn_error err;

    setup(&x);
    start(&x);
    sn_buf_add_str(&entry, "{\"a\":\"");
    for (int i = 0; i < 300 * 1024; i++) {
        sn_buf_add_byte(&entry, 'a');
    }
    sn_buf_add_str(&entry, "\"}");
    struct sn_audit_sink sink = sn_audit_file_sink(x.file);
    assert_fails(sink.append(sink.ctx, sn_buf_slice(&entry), SN_S(""), 5000, &err), &err, "AUDIT_UNAVAILABLE");
    must_add(&x, "alice");
    stop(&x);
    assert_whole(&x, 1, 1, 2);
    teardown(&x);
}

/* --- Group commit: AUD-21 --- */

enum { THREADS = 50, EACH = 200 };

struct client {
    struct fixture *x;
    int number;
    int early; /* answers that came before the sync that covers them */
};

static void *client_run(void *argument)
{
    struct client *c = argument;
    struct sn_audit_sink sink = sn_audit_file_sink(c->x->file);

    for (int i = 0; i < EACH; i++) {
        char entry[128];
        struct sn_error err;
        int before = atomic_load(&c->x->disk.syncs);
        snprintf(entry, sizeof(entry), "{\"event\":\"decision\",\"user\":\"u%d\",\"n\":%d}", c->number, i);
        if (sink.append(sink.ctx, sn_slice_str(entry), SN_S(""), 5000, &err) != SN_OK) {
            c->early = -1000000;
        }
        c->early += atomic_load(&c->x->disk.syncs) == before;
    }
    return NULL;
}

static void many_clients_share_syncs(void **state)
{
    (void)state;
    struct fixture x;
    pthread_t threads[THREADS];
    struct client clients[THREADS];

    setup(&x);
    start(&x);
    for (int i = 0; i < THREADS; i++) {
        clients[i] = (struct client){.x = &x, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, client_run, &clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(clients[i].early, 0);
    }
    stop(&x);
    assert_true(atomic_load(&x.disk.syncs) < THREADS * EACH);
    assert_int_equal(count_of(&x, "\"event\":\"decision\""), THREADS * EACH);
    assert_whole(&x, 1, 1, THREADS * EACH + 1);
    teardown(&x);
}

/* The anchor is told as an operational line, and what it says verifies. */
static void anchor_lines(void **state)
{
    (void)state;
    struct fixture x;
    struct sn_audit_position position;
    struct sn_error err;

    setup(&x);
    x.options.anchor_log_s = 60;
    start(&x);
    must_add(&x, "alice");
    stop(&x);
    assert_ok(sn_audit_anchor_parse(sn_slice_str(x.anchor_line), &x.keys, &position, &err), &err);
    teardown(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_33_disk_faults),
        cmocka_unit_test(sink_error_begins_a_stream),
        cmocka_unit_test(rename_that_fails),
        cmocka_unit_test(recovers_without_callers),
        cmocka_unit_test(rotation_is_not_forgotten),
        cmocka_unit_test(undelivered_records),
        cmocka_unit_test(writer_that_hangs),
        cmocka_unit_test(too_large_an_entry),
        cmocka_unit_test(many_clients_share_syncs),
        cmocka_unit_test(anchor_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
