/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/policy_bench.c - time and allocations of one policy evaluation, one JSON line a figure.
 *
 * Families: "plain" and "windows" are many profiles with one rule each; the others put all rules where they hurt. Every
 * family is asked with requests that change from call to call, over all of its rules, so that neither branch prediction
 * nor the cache of one rule flatters. "adversarial" asks one profile whose every rule has its own closed window.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "core/policy/load_internal.h"
#include "store/zoneinfo.h"

/* --- counting what the allocator is asked for --- */
static uint64_t allocations;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}

enum { REQUESTS = 1024, ROUNDS = 101 };
#define OWN_ACCOUNT "111122223333"

struct family {
    const char *name;
    void (*write_rule)(struct sn_buf *buf, size_t index, size_t count);
    void (*write_groups)(struct sn_buf *buf, size_t count);
    bool same_profile; /* every rule is of profile "p" */
    bool by_user;      /* rule i is of user u<i> */
};

static void put_window(struct sn_buf *buf, size_t i)
{
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"};
    sn_buf_addf(buf,
        ", time: {days: [monday, tuesday, wednesday, thursday, friday], hours: {start: \"%02zu:%02zu\", "
        "end: \"%02zu:%02zu\"}, timezone: %s}",
        i % 8, i % 60, 16 + i % 8, i % 60, zones[i % 4]);
}

static void rule_plain(struct sn_buf *buf, size_t i, size_t count)
{
    (void)count;
    sn_buf_addf(buf, "profiles: [p%zu], users: [u%zu]", i, i);
}
static void rule_window(struct sn_buf *buf, size_t i, size_t count)
{
    rule_plain(buf, i, count);
    put_window(buf, i);
}
static void rule_user(struct sn_buf *buf, size_t i, size_t count)
{
    (void)count;
    sn_buf_addf(buf, "profiles: [p], users: [u%zu]", i);
}
static void rule_group(struct sn_buf *buf, size_t i, size_t count)
{
    sn_buf_addf(buf, "profiles: [p%zu], users: [\"group:g%zu\"]", i, i % (count < 200 ? count : 200));
}
static void groups_of_rule_group(struct sn_buf *buf, size_t count)
{
    sn_buf_add_str(buf, "groups:\n");
    for (size_t g = 0; g < (count < 200 ? count : 200); g++) {
        sn_buf_addf(buf, "  g%zu: [everyone", g);
        for (size_t i = g; i < count; i += 200) {
            sn_buf_addf(buf, ", u%zu", i);
        }
        sn_buf_add_str(buf, "]\n");
    }
}
static void rule_device(struct sn_buf *buf, size_t i, size_t count)
{
    rule_plain(buf, i, count);
    sn_buf_addf(buf, ", device: {require_mdm_compliant: true, min_os_version: \"%zu.%zu\", allowed_os_types: [darwin]}",
        10 + i % 5, i % 7);
}
static void rule_closed_window(struct sn_buf *buf, size_t i, size_t count)
{
    (void)count;
    sn_buf_addf(buf,
        "profiles: [p], time: {days: [sunday], hours: {start: \"%02zu:%02zu\", end: \"%02zu:%02zu\"}, "
        "timezone: Europe/Berlin}",
        i / 60 % 12, i % 60, 12 + i / 720 % 12, i % 59);
}

static const struct family families[] = {
    {"plain", rule_plain, NULL, false, true},
    {"windows", rule_window, NULL, false, true},
    {"users of one profile", rule_user, NULL, true, true},
    {"groups", rule_group, groups_of_rule_group, false, true},
    {"devices", rule_device, NULL, false, true},
    {"adversarial: one profile, closed windows", rule_closed_window, NULL, true, false},
};

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* other programs' time is not ours */
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void put(const char *name, const char *what, size_t rules, double value, const char *unit)
{
    printf("{\"name\":\"policy %s, %zu rules%s%s\",\"value\":%.1f,\"unit\":\"%s\"}\n", name, rules,
        what[0] != '\0' ? ", " : "", what, value, unit);
}

struct asked {
    struct sn_principal principals[REQUESTS];
    char profiles[REQUESTS][16];
    struct sn_policy_request requests[REQUESTS];
    struct sn_policy_ids ids[REQUESTS];
};

static void prepare(struct asked *asked, const struct family *family, const struct sn_policy *policy, size_t count)
{
    static const struct sn_posture posture = {.mdm_enrolled = SN_TRUE,
        .mdm_compliant = SN_TRUE,
        .os_type = SN_S_INIT("darwin"),
        .os_version = SN_S_INIT("14.5.1")};
    uint64_t seed = 42;
    for (size_t i = 0; i < REQUESTS; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        size_t rule = (size_t)(seed >> 33) % count;
        struct sn_principal *p = &asked->principals[i];
        *p = (struct sn_principal){.type = SN_PRINCIPAL_ASSUMED_ROLE, .vouched = true, .is_sso = true};
        snprintf(p->account, sizeof(p->account), "%s", OWN_ACCOUNT);
        snprintf(p->role, sizeof(p->role), "AWSReservedSSO_Dev_0123456789abcdef");
        snprintf(p->name, sizeof(p->name), "u%zu", rule);
        snprintf(p->arn, sizeof(p->arn), "arn:aws:sts::%s:assumed-role/%s/%s", OWN_ACCOUNT, p->role, p->name);
        snprintf(asked->profiles[i], sizeof(asked->profiles[i]), family->same_profile ? "p" : "p%zu", rule);
        asked->requests[i] = (struct sn_policy_request){.principal = p,
            .own_account = OWN_ACCOUNT,
            .profile = sn_slice_str(asked->profiles[i]),
            .unix_s = 1769425200 + (int64_t)(seed >> 50), /* Monday 2026-01-26, 11:00Z and hours after */
            .session_store = SN_S("sessions"),
            .posture = &posture};
        sn_policy_intern(policy, &asked->requests[i], &asked->ids[i]);
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* Median over the rounds, ns a call. */
static double measure(const struct sn_policy *policy, struct asked *asked, size_t repeats, int what, uint64_t *sink)
{
    double rounds[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        int64_t start = now_ns();
        for (size_t repeat = 0; repeat < repeats; repeat++) {
            for (size_t i = 0; i < REQUESTS; i++) {
                struct sn_decision decision;
                struct sn_policy_ids ids;
                if (what == 0) {
                    sn_policy_evaluate_ids(policy, &asked->ids[i], &asked->requests[i], &decision);
                    *sink += (uint64_t)decision.rule_index;
                } else {
                    sn_policy_intern(policy, &asked->requests[i], &ids);
                    *sink += ids.user_count;
                }
            }
        }
        rounds[round] = (double)(now_ns() - start) / (double)(repeats * REQUESTS);
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_doubles);
    return rounds[ROUNDS / 2];
}

static struct sn_policy *load(const struct family *family, size_t count, const struct sn_tz_source *zones)
{
    /* 10,000 rules with windows are more text than a document may have. */
    static const struct sn_yaml_limits limits = {.max_bytes = 16 << 20, .max_depth = 16, .max_nodes = 4000000};
    struct sn_buf text = {0};
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    sn_buf_add_str(&text, "version: \"1\"\n");
    if (family->write_groups != NULL) {
        family->write_groups(&text, count);
    }
    sn_buf_add_str(&text, "rules:\n");
    for (size_t i = 0; i < count; i++) {
        sn_buf_addf(&text, "- {name: r%zu, effect: allow, conditions: {", i);
        family->write_rule(&text, i, count);
        sn_buf_add_str(&text, "}}\n");
    }
    size_t bytes = text.len;
    int64_t start = now_ns();
    if (sn_policy_load_within(sn_buf_slice(&text), &limits, zones, NULL, &policy, &err) != SN_OK) {
        fprintf(stderr, "policy_bench: %s: %s\n", family->name, err.message);
        exit(1);
    }
    put(family->name, "load", count, (double)(now_ns() - start) / 1e6, "ms");
    put(family->name, "size", count, (double)bytes, "bytes");
    sn_buf_clear(&text);
    return policy;
}

/* A loop of dependent loads over 32 KiB, to compare machines. */
static void calibrate(uint64_t *sink)
{
    static uint32_t ring[8192];
    for (uint32_t i = 0; i < SN_LEN(ring); i++) {
        ring[i] = (i * 4093u + 17u) % (uint32_t)SN_LEN(ring);
    }
    uint32_t at = 0;
    int64_t start = now_ns();
    for (int i = 0; i < 10000000; i++) {
        at = ring[at];
    }
    *sink += at;
    printf("{\"name\":\"policy calibration, one dependent load\",\"value\":%.2f,\"unit\":\"ns\"}\n",
        (double)(now_ns() - start) / 1e7);
}

int main(void)
{
    static const size_t counts[] = {1, 10, 50, 1000, 10000};
    static struct asked asked;
    struct sn_zoneinfo zoneinfo;
    uint64_t sink = 0;
    sn_zoneinfo_init(&zoneinfo, NULL);
    struct sn_tz_source zones = sn_zoneinfo_source(&zoneinfo);
    calibrate(&sink);
    for (size_t f = 0; f < SN_LEN(families); f++) {
        for (size_t c = 0; c < SN_LEN(counts); c++) {
            struct sn_policy *policy = load(&families[f], counts[c], &zones);
            prepare(&asked, &families[f], policy, counts[c]);
            size_t repeats = families[f].by_user || counts[c] <= 50 ? 5 : 1;
            uint64_t before = allocations;
            double ns = measure(policy, &asked, repeats, 0, &sink);
            double calls = (double)(repeats * REQUESTS * ROUNDS);
            put(families[f].name, "evaluate", counts[c], ns, "ns");
            put(families[f].name, "allocations per evaluation", counts[c], (double)(allocations - before) / calls, "");
            put(families[f].name, "intern the request", counts[c], measure(policy, &asked, 5, 1, &sink), "ns");
            sn_policy_unref(policy);
        }
    }
    sn_zoneinfo_clear(&zoneinfo);
    return sink == 1;
}
