/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/load.h - a load generator: N kept-alive connections, each with one request at a time, on one thread.
 *
 * What is sent comes from a function, since a vend needs a fresh nonce and signature each time. Requests can be made
 * before the clock starts, so that the cost of signing is not measured with the server's.
 */
#ifndef SN_TESTS_BENCH_LOAD_H
#define SN_TESTS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

struct load_options {
    const char *address; /* "127.0.0.1:8750" or "unix:/path" */
    unsigned connections;
    uint64_t requests; /* measured ones */
    uint64_t warm_up;  /* sent before, not measured */
    bool make_first;   /* make all requests before the first is sent */
    /* One whole request (head and body) for the given number. */
    enum sn_status (*make)(void *ctx, uint64_t number, struct sn_buf *out_request, struct sn_error *err);
    /* True if the answer is a success; NULL: any 200. */
    bool (*is_good)(void *ctx, int status, struct sn_slice body);
    void *ctx;
};

struct load_result {
    uint64_t done, errors, reconnects;
    uint64_t by_status[600];
    double seconds, per_s;
    double p50_ms, p90_ms, p99_ms, max_ms;
    char first_error[200]; /* status and beginning of the first bad answer */
};

/* Fails when the server cannot be reached at all; bad answers and cut connections are counted. */
SN_MUST_CHECK enum sn_status load_run(
    const struct load_options *options, struct load_result *out_result, struct sn_error *err);

/* What a process has used: CPU seconds (user and system) and memory; for costs per request. False: no such process. */
struct load_usage {
    double cpu_s;
    int64_t rss_bytes, peak_rss_bytes;
};
bool load_usage_of(int pid, struct load_usage *out_usage);

#endif
