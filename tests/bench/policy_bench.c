/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/policy_bench.c - time and allocations of one policy evaluation, one JSON line a figure.
 *
 *
 *   policy_bench                      evaluation, interning and allocations of every family and size
 *   policy_bench dump FAMILY RULES    the document, requests and number allowed as JSON, for other programs
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"
#include "codec/json.h"
#include "core/policy/load_internal.h"
#include "policy_families.h"
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

enum { ROUNDS = 101, DUMPED = 128 };

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* other programs' time is not ours */
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void put(const char *family, size_t rules, const char *what, double value)
{
    printf("{\"family\":\"%s\",\"rules\":%zu,\"what\":\"%s\",\"value\":%.2f}\n", family, rules, what, value);
}

static struct sn_policy_ids ids_of[BENCH_REQUESTS];

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* The lowest tenth of the rounds, ns a call: what the processor does when nobody else has its caches. */
static double measure(
    const struct sn_policy *policy, const struct bench_asked *asked, size_t repeats, int what, uint64_t *sink)
{
    double rounds[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        int64_t start = now_ns();
        for (size_t repeat = 0; repeat < repeats; repeat++) {
            for (size_t i = 0; i < BENCH_REQUESTS; i++) {
                struct sn_decision decision;
                struct sn_policy_ids ids;
                if (what == 0) {
                    sn_policy_evaluate_ids(policy, &ids_of[i], &asked->requests[i], &decision);
                    *sink += (uint64_t)decision.rule_index;
                } else {
                    sn_policy_intern(policy, &asked->requests[i], &ids);
                    *sink += ids.user_count;
                }
            }
        }
        rounds[round] = (double)(now_ns() - start) / (double)(repeats * BENCH_REQUESTS);
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_doubles);
    return rounds[ROUNDS / 10];
}

static struct sn_policy *load(const struct bench_family *family, size_t rules, const struct sn_tz_source *zones)
{
    /* 10,000 rules with windows are more text than a document may have. */
    static const struct sn_yaml_limits limits = {.max_bytes = 16 << 20, .max_depth = 16, .max_nodes = 4000000};
    struct sn_buf text = {0};
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    bench_write_document(&text, family, rules);
    if (sn_policy_load_within(sn_buf_slice(&text), &limits, zones, NULL, &policy, &err) != SN_OK) {
        fprintf(stderr, "policy_bench: %s: %s\n", family->name, err.message);
        exit(1);
    }
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
    put("calibration", 1, "dependent load", (double)(now_ns() - start) / 1e7);
}

static void measure_family(
    const struct bench_family *family, size_t rules, const struct sn_tz_source *zones, uint64_t *sink)
{
    static struct bench_asked asked;
    struct sn_policy *policy = load(family, rules, zones);
    bench_ask(&asked, family, rules);
    for (size_t i = 0; i < BENCH_REQUESTS; i++) {
        sn_policy_intern(policy, &asked.requests[i], &ids_of[i]);
    }
    size_t repeats = !family->is_adversarial || rules <= 50 ? 5 : 1;
    uint64_t before = allocations;
    put(family->name, rules, "evaluate", measure(policy, &asked, repeats, 0, sink));
    double calls = (double)(repeats * BENCH_REQUESTS * ROUNDS);
    put(family->name, rules, "allocations", (double)(allocations - before) / calls);
    put(family->name, rules, "intern", measure(policy, &asked, 5, 1, sink));
    sn_policy_unref(policy);
}

/* A request in the words of policy_pairs, so that one exporter serves both. */
static void put_request(struct sn_json_writer *w, const struct sn_policy_request *request)
{
    const struct sn_principal *p = request->principal;
    sn_json_begin_object(w);
    sn_json_member_str(w, "arn", p->arn);
    sn_json_member_str(w, "kind", "sso");
    sn_json_member_str(w, "account", p->account);
    sn_json_member_str(w, "own_account", request->own_account);
    sn_json_member_str(w, "role", p->role);
    sn_json_member_str(w, "name", p->name);
    sn_json_member_bool(w, "vouched", p->vouched);
    sn_json_member_text(w, "profile", request->profile);
    sn_json_member_str(w, "mode", "server");
    sn_json_member_int(w, "unix_s", request->unix_s);
    sn_json_member_text(w, "session_store", request->session_store);
    sn_json_key(w, "posture");
    sn_json_begin_object(w);
    sn_json_member_bool(w, "enrolled", request->posture->mdm_enrolled == SN_TRUE);
    sn_json_member_bool(w, "compliant", request->posture->mdm_compliant == SN_TRUE);
    sn_json_member_text(w, "os_type", request->posture->os_type);
    sn_json_member_text(w, "os_version", request->posture->os_version);
    sn_json_end_object(w);
    sn_json_end_object(w);
}

static int dump(const char *name, const char *number, const struct sn_tz_source *zones)
{
    static struct bench_asked asked;
    const struct bench_family *family = bench_family_find(name);
    struct sn_buf text = {0}, out = {0};
    struct sn_json_writer w;
    struct sn_error err;
    int64_t rules = 0;
    if (family == NULL || sn_parse_int(sn_slice_str(number), 1, 1000000, &rules, &err) != SN_OK) {
        fprintf(stderr, "usage: policy_bench dump FAMILY RULES\n");
        return 2;
    }
    bench_write_document(&text, family, (size_t)rules);
    bench_ask(&asked, family, (size_t)rules);
    sn_json_writer_init(&w, &out);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "document", sn_buf_slice(&text));
    sn_json_key(&w, "requests");
    sn_json_begin_array(&w);
    struct sn_policy *policy = load(family, (size_t)rules, zones);
    int64_t allowed = 0;
    for (size_t i = 0; i < DUMPED; i++) {
        struct sn_decision decision;
        put_request(&w, &asked.requests[i]);
        sn_policy_evaluate(policy, &asked.requests[i], &decision);
        allowed += decision.effect == SN_EFFECT_ALLOW;
    }
    sn_policy_unref(policy);
    sn_json_end_array(&w);
    sn_json_member_int(&w, "allowed", allowed);
    sn_json_end_object(&w);
    int result = puts(sn_buf_str(&out)) < 0;
    sn_buf_clear(&text);
    sn_buf_clear(&out);
    return result;
}

int main(int argc, char **argv)
{
    static const size_t counts[] = {1, 10, 50, 1000, 10000};
    struct sn_zoneinfo zoneinfo;
    uint64_t sink = 0;
    sn_zoneinfo_init(&zoneinfo, NULL);
    struct sn_tz_source zones = sn_zoneinfo_source(&zoneinfo);
    if (argc == 4 && strcmp(argv[1], "dump") == 0) {
        int code = dump(argv[2], argv[3], &zones);
        sn_zoneinfo_clear(&zoneinfo);
        return code;
    }
    calibrate(&sink);
    for (size_t f = 0; f < bench_family_count; f++) {
        for (size_t c = 0; c < SN_LEN(counts); c++) {
            measure_family(&bench_families[f], counts[c], &zones, &sink);
        }
    }
    sn_zoneinfo_clear(&zoneinfo);
    return sink == 1;
}
