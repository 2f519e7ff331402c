/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/audit_bench.c - how fast the audit log is written and verified; JSON lines {"name","value","unit"}.
 *
 * usage: audit_bench [DIRECTORY]
 * Appends run against the real sink in DIRECTORY (default: a new one under /tmp), with fdatasync and with a table that
 * leaves it out. Verification runs over a log in memory, so that it measures the verifier and not the disk.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "core/audit/verifier.h"
#include "crypto/hash.h"
#include "scratch.h"
#include "store/audit_file.h"

enum { RUN_MS = 1500, VERIFY_RECORDS = 100000, VERIFY_ROUNDS = 3 };

static const char entry_text[] =
    "{\"timestamp\":\"2026-03-02T08:15:04.250Z\",\"event\":\"decision\",\"user\":\"mira@example.com\",\"profile\":"
    "\"billing-ro\",\"effect\":\"allow\",\"rule\":\"billing-readers\",\"rule_index\":3,\"reason\":\"month-end close\","
    "\"policy_path\":\"/sentinel/policies/finance\",\"request_id\":\"5e0c91aa7j2k4m6n\",\"source_identity\":"
    "\"sentinel=mira@example.com=direct=5e0c91aa7j2k4m6n\",\"role_arn\":"
    "\"arn:aws:iam::210987654321:role/SentinelProtected-BillingRO\",\"session_duration_seconds\":900,"
    "\"policy_effect\":\"allow\",\"outcome\":\"issued\",\"caller_arn\":"
    "\"arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Finance_0123456789abcdef/mira@example.com\","
    "\"account_id\":\"210987654321\",\"vouched\":true,\"access_key_id\":\"ASIAEXAMPLEKEYID0001\"}";

static struct sn_slice entry_slice(void)
{
    return (struct sn_slice){entry_text, sizeof(entry_text) - 1};
}

static int no_sync(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    return 0;
}

static void report(const char *name, double value, const char *unit)
{
    printf("{\"name\":\"%s\",\"value\":%.1f,\"unit\":\"%s\"}\n", name, value, unit);
    fflush(stdout);
}

static int64_t mono_ms(void)
{
    return sn_clock_mono_ms(sn_clock_system());
}

static struct sn_audit_keys make_keys(void)
{
    struct sn_audit_keys keys = {.count = 0};
    struct sn_error err;
    SN_ASSERT(sn_audit_keys_parse(SN_S("k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), "k1",
                  &keys, &err) == SN_OK);
    return keys;
}

/* As the openssl command does: time of this thread, not of a machine that others use too. */
static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct load {
    struct sn_audit_sink sink;
    int64_t end_ms;
    long count;
};

static void *append_until(void *argument)
{
    struct load *load = argument;
    struct sn_error err;

    while (mono_ms() < load->end_ms) {
        SN_ASSERT(load->sink.append(load->sink.ctx, entry_slice(), SN_S("5e0c91aa7j2k4m6n"), 5000, &err) == SN_OK);
        load->count++;
    }
    return NULL;
}

static void bench_append(const char *parent, const struct sn_audit_keys *keys, size_t threads, bool with_sync)
{
    struct sn_audit_file_ops ops = *sn_audit_file_ops_system();
    struct sn_audit_file *file = NULL;
    struct sn_error err;
    pthread_t ids[64];
    struct load loads[64];
    char dir[300];
    char path[320];
    char name[64];
    long count = 0;

    snprintf(dir, sizeof(dir), "%s/%zu-%d", parent, threads, with_sync);
    snprintf(path, sizeof(path), "%s/audit.log", dir);
    if (!with_sync) {
        ops.datasync = no_sync;
    }
    const struct sn_audit_file_options options = {.path = path,
        .keys = keys,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .instance = {"c4q9e2h7m1x5s8z3"},
        .version = "bench",
        .ops = &ops};
    if (sn_audit_file_open(&options, &file, &err) != SN_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    int64_t start_ms = mono_ms();
    for (size_t i = 0; i < threads; i++) {
        loads[i] = (struct load){.sink = sn_audit_file_sink(file), .end_ms = start_ms + RUN_MS};
        SN_ASSERT(pthread_create(&ids[i], NULL, append_until, &loads[i]) == 0);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        count += loads[i].count;
    }
    double seconds = (double)(mono_ms() - start_ms) / 1000;
    sn_audit_file_close(file);
    snprintf(name, sizeof(name), "append %s, %zu thread%s", with_sync ? "with fsync" : "without fsync", threads,
        threads == 1 ? "" : "s");
    report(name, (double)count / seconds, "1/s");
}

static void bench_verify(const struct sn_audit_keys *keys)
{
    struct sn_buf text = SN_BUF_INIT(1u << 30);
    struct sn_audit_position position;
    struct sn_hmac hmac = {0};
    struct sn_error err;
    double best = 0;

    sn_audit_position_start(&position, &(struct sn_id){"7c9e6679f3a04d1b"});
    sn_hmac_init(&hmac, &keys->keys[0].key);
    SN_ASSERT(sn_audit_record_append(&text, &position, &keys->keys[0], &hmac,
                  SN_S("{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"audit.opened\",\"reason\":\"new\","
                       "\"instance\":\"c4q9e2h7m1x5s8z3\",\"version\":\"1.0.0\"}"),
                  1772355600000, &err) == SN_OK);
    for (int i = 0; i < VERIFY_RECORDS; i++) {
        SN_ASSERT(sn_audit_record_append(
                      &text, &position, &keys->keys[0], &hmac, entry_slice(), 1772355600000 + i, &err) == SN_OK);
    }
    report("mean record length", (double)text.len / (VERIFY_RECORDS + 1), "bytes");
    for (int round = 0; round < VERIFY_ROUNDS; round++) {
        const struct sn_audit_verify_options options = {.max_findings = 1};
        struct sn_audit_verifier *v = sn_audit_verifier_new(keys, &options);
        int64_t start_ns = cpu_ns();
        sn_audit_verifier_begin_file(v);
        for (size_t at = 0; at < text.len; at += 256 * 1024) {
            sn_audit_verifier_feed(v, sn_slice_sub(sn_buf_slice(&text), at, 256 * 1024));
        }
        sn_audit_verifier_end_file(v);
        SN_ASSERT(sn_audit_verifier_finish(v)->ok == VERIFY_RECORDS + 1);
        int64_t took_ns = cpu_ns() - start_ns;
        double mb_s = (double)text.len / 1e6 / ((double)took_ns / 1e9);
        best = mb_s > best ? mb_s : best;
        sn_audit_verifier_free(v);
    }
    report("verify", best, "MB/s");
    sn_hmac_clear(&hmac);
    sn_buf_clear(&text);
}

int main(int argc, char **argv)
{
    static const size_t threads[] = {1, 16, 64};
    struct scratch scratch;
    struct sn_audit_keys keys = make_keys();
    const char *parent = argc > 1 ? argv[1] : NULL;

    if (parent == NULL) {
        scratch_make(&scratch);
        parent = scratch.dir;
    }
    for (size_t i = 0; i < SN_LEN(threads); i++) {
        bench_append(parent, &keys, threads[i], true);
        bench_append(parent, &keys, threads[i], false);
    }
    bench_verify(&keys);
    sn_audit_keys_clear(&keys);
    if (argc == 1) {
        scratch_remove(&scratch);
    }
    return 0;
}
