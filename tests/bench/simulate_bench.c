/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/simulate_bench.c - reading a log of decisions back, and deciding them again, one JSON line a figure.
 *
 * The log is made by the writer's own code. Reading is measured through the reader that policy simulate uses, file in
 * the page cache, so that it can be set beside wc -l on the same file; deciding is measured over decisions in memory.
 * Usage: simulate_bench FILE [make|read]; "read" only reads, for comparison with wc as a process.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "cli/decision_log.h"
#include "core/audit/chain.h"
#include "core/audit/entry.h"
#include "core/policy/simulate.h"
#include "crypto/hash.h"
#include "store/zoneinfo.h"

enum { RECORDS = 300000, CALLERS = 500, PROFILES = 40, KEPT = 100000, ROUNDS = 7, REPEATS = 10 };
#define DAY_MS INT64_C(86400000)

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* other programs' time is not ours */
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return *seed >> 33;
}

/* --- The log --- */

static void make_entry(struct sn_buf *out, uint64_t i, uint64_t *seed)
{
    static const struct sn_posture posture = {.mdm_enrolled = SN_TRUE,
        .mdm_compliant = SN_TRUE,
        .os_type = SN_S_INIT("darwin"),
        .os_version = SN_S_INIT("14.4")};
    char user[32], profile[32], arn[160], identity[80];
    unsigned number = (unsigned)(next_random(seed) % CALLERS);
    bool allowed = number % 5 != 0;
    snprintf(user, sizeof(user), "user%u", number);
    /* Each caller has a few profiles of his own. */
    snprintf(profile, sizeof(profile), "profile%u", (number * 7 + (unsigned)(next_random(seed) % 4)) % PROFILES);
    snprintf(arn, sizeof(arn), "arn:aws:sts::210987654321:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/%s", user);
    snprintf(identity, sizeof(identity), "sentinel=%s=direct=5e0c91aa7j2k4m6n", user);
    sn_audit_decision_format(out, &(struct sn_audit_decision){.unix_ms = 1769904000000 + (int64_t)(i * 28 * 864 / 3),
                                      .user = sn_slice_str(user),
                                      .profile = sn_slice_str(profile),
                                      .allowed = allowed,
                                      .rule = allowed ? SN_S("readers") : SN_S(""),
                                      .rule_index = allowed ? 0 : -1,
                                      .reason = allowed ? SN_S("month-end close") : SN_S("no matching rule"),
                                      .policy_path = SN_S("/sentinel/config/policy"),
                                      .request_id = SN_S("5e0c91aa7j2k4m6n"),
                                      .source_identity = allowed ? sn_slice_str(identity) : SN_S(""),
                                      .role_arn = allowed ? SN_S("arn:aws:iam::210987654321:role/Protected") : SN_S(""),
                                      .session_duration_s = allowed ? 900 : 0,
                                      .posture = i % 3 == 0 ? &posture : NULL,
                                      .policy_evaluated = true,
                                      .policy_effect = allowed ? SN_EFFECT_ALLOW : SN_EFFECT_DENY,
                                      .outcome = allowed ? "issued" : "denied",
                                      .error_code = allowed ? NULL : "POLICY_DENY",
                                      .caller_arn = sn_slice_str(arn),
                                      .account_id = SN_S("210987654321"),
                                      .vouched = true,
                                      .access_key_id = SN_S("ASIAEXAMPLEKEYID0001"),
                                      .policy_hash = SN_S("7d5448a1dd23176f7981b0b7ff02ccb8feb4ca43d2e49855479443b93f71"
                                                          "ef88")});
}

static enum sn_status make_log(const char *path, struct sn_error *err)
{
    struct sn_audit_keys keys = {0};
    struct sn_audit_position position;
    struct sn_id stream;
    uint64_t seed = 42;
    SN_AUTO(sn_buf_clear) struct sn_buf lines = SN_BUF_INIT(1 << 30), entry = {0};
    SN_TRY(sn_audit_keys_parse(
        SN_S("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), "k1", &keys, err));
    SN_TRY(sn_id_new(sn_random_system(), &stream, err));
    sn_audit_position_start(&position, &stream);
    SN_AUTO(sn_hmac_clear) struct sn_hmac hmac = {0};
    sn_hmac_init(&hmac, &keys.keys[0].key);
    for (uint64_t i = 0; i < RECORDS; i++) {
        sn_buf_reset(&entry);
        make_entry(&entry, i, &seed);
        SN_TRY(sn_audit_record_append(
            &lines, &position, &keys.keys[0], &hmac, sn_buf_slice(&entry), 1769904000000 + (int64_t)i, err));
    }
    sn_audit_keys_clear(&keys);
    return sn_fs_write_atomic(path, 0600, sn_buf_slice(&lines), err);
}

/* --- Measuring --- */

struct kept {
    struct sn_logged_decision decisions[KEPT];
    struct sn_arena arena;
    size_t count;
    uint64_t lines;
};

static enum sn_status count_line(void *ctx, uint64_t line, enum sn_logged_kind kind,
    const struct sn_logged_decision *decision, const char *why, struct sn_error *err)
{
    struct kept *kept = ctx;
    (void)line;
    (void)why;
    kept->lines += kind == SN_LOGGED_DECISION && decision->profile.len > 0;
    return kind == SN_LOGGED_DECISION ? SN_OK : sn_fail(err, SN_INTERNAL, "BENCH", "not a decision");
}

static enum sn_status keep_line(void *ctx, uint64_t line, enum sn_logged_kind kind,
    const struct sn_logged_decision *decision, const char *why, struct sn_error *err)
{
    struct kept *kept = ctx;
    if (kept->count < KEPT) {
        struct sn_logged_decision *own = &kept->decisions[kept->count++];
        struct sn_slice *const texts[] = {&own->profile, &own->caller_arn, &own->rule, &own->policy_path,
            &own->posture.os_type, &own->posture.os_version};
        *own = *decision;
        for (size_t i = 0; i < SN_LEN(texts); i++) {
            *texts[i] = sn_arena_dup(&kept->arena, *texts[i]);
        }
    }
    return count_line(ctx, line, kind, decision, why, err);
}

static const struct sn_policy *one_policy(void *ctx, struct sn_slice profile)
{
    (void)profile;
    return ctx;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static enum sn_status replay(
    const struct kept *kept, struct sn_policy *policy, const char *name, double *out_changed, struct sn_error *err)
{
    double rounds[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        struct sn_simulation simulation = {
            .new_policies = {one_policy, policy}, .examples = 3, .server.session_store = SN_S("sessions")};
        sn_simulation_begin(&simulation);
        int64_t start = now_ns();
        for (size_t repeat = 0; repeat < REPEATS; repeat++) {
            for (size_t i = 0; i < kept->count; i++) {
                SN_TRY(sn_simulation_add(&simulation, &kept->decisions[i], 0, i + 1, err));
            }
        }
        rounds[round] = (double)(REPEATS * kept->count) / ((double)(now_ns() - start) / 1e9);
        *out_changed = 1.0 - (double)simulation.unchanged / (double)simulation.evaluated;
        sn_simulation_clear(&simulation);
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_doubles);
    printf("{\"name\":\"%s\",\"value\":%.0f,\"unit\":\"decisions/s\"}\n", name, rounds[ROUNDS / 2]);
    return SN_OK;
}

static enum sn_status replay_both(const struct kept *kept, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf same = {0};
    static const char other[] =
        "version: \"1\"\nrules:\n  - {name: readers, effect: allow, conditions: {users: [user1, user2], profiles: "
        "[profile1, profile2], time: {hours: {start: \"08:00\", end: \"18:00\"}, timezone: Europe/Berlin}}}\n"
        "  - {name: rest, effect: require_approval, conditions: {device: {require_mdm: true}, profiles: [profile3]}}\n";
    struct sn_zoneinfo zoneinfo;
    double changed[2] = {0};
    struct sn_policy *policies[2] = {0};
    sn_buf_add_str(&same, "version: \"1\"\nrules:\n  - name: readers\n    effect: allow\n    conditions:\n"
                          "      time: {days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday], "
                          "timezone: Europe/Berlin}\n      users: [user1");
    for (unsigned i = 2; i < CALLERS; i++) {
        if (i % 5 != 0) {
            sn_buf_addf(&same, ", user%u", i);
        }
    }
    sn_buf_add_str(&same, "]\n");
    sn_zoneinfo_init(&zoneinfo, NULL);
    struct sn_tz_source zones = sn_zoneinfo_source(&zoneinfo);
    SN_TRY(sn_policy_load(sn_buf_slice(&same), &zones, NULL, &policies[0], err));
    SN_TRY(sn_policy_load(sn_slice_str(other), &zones, NULL, &policies[1], err));
    SN_TRY(replay(kept, policies[0], "simulate: decisions again, none changed", &changed[0], err));
    SN_TRY(replay(kept, policies[1], "simulate: decisions again, most changed", &changed[1], err));
    fprintf(stderr, "share of changes: %.2f and %.2f\n", changed[0], changed[1]);
    sn_policy_unref(policies[0]);
    sn_policy_unref(policies[1]);
    sn_zoneinfo_clear(&zoneinfo);
    return SN_OK;
}

static enum sn_status run(const char *path, struct sn_error *err)
{
    static struct kept kept;
    int64_t best = INT64_MAX;
    SN_TRY(sn_decision_log_read(path, keep_line, &kept, err));
    for (size_t round = 0; round < ROUNDS; round++) {
        kept.lines = 0;
        int64_t start = now_ns();
        SN_TRY(sn_decision_log_read(path, count_line, &kept, err));
        int64_t took = now_ns() - start;
        best = took < best ? took : best;
    }
    printf("{\"name\":\"simulate: reading own records\",\"value\":%.0f,\"unit\":\"records/s\"}\n",
        (double)kept.lines / ((double)best / 1e9));
    SN_TRY(replay_both(&kept, err));
    sn_arena_clear(&kept.arena);
    return SN_OK;
}

static enum sn_status read_only(const char *path, struct sn_error *err)
{
    static struct kept kept;
    SN_TRY(sn_decision_log_read(path, count_line, &kept, err));
    printf("%" PRIu64 " %s\n", kept.lines, path);
    return SN_OK;
}

int main(int argc, char **argv)
{
    struct sn_error err = {0};
    const char *word = argc == 3 ? argv[2] : "";
    enum sn_status status = SN_USAGE;
    if (argc == 2) {
        status = run(argv[1], &err);
    } else if (strcmp(word, "make") == 0) {
        status = make_log(argv[1], &err);
    } else if (strcmp(word, "read") == 0) {
        status = read_only(argv[1], &err);
    }
    if (status != SN_OK) {
        fprintf(stderr, "simulate_bench FILE [make|read]: %s\n", err.message);
    }
    return status != SN_OK;
}
