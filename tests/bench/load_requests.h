/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/load_requests.h - what the load generator sends: fixed bytes, vends with a fresh proof each, signed
 * AssumeRole calls.
 */
#ifndef SN_TESTS_BENCH_LOAD_REQUESTS_H
#define SN_TESTS_BENCH_LOAD_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/slice.h"

enum load_kind { LOAD_FIXED, LOAD_VEND, LOAD_ASSUME_ROLE };

struct load_requests {
    enum load_kind kind;
    struct sn_buf text;     /* LOAD_FIXED: requests one behind the other */
    struct sn_slice *fixed; /* slices of text */
    size_t fixed_count;
    struct sn_credentials *users; /* used in turn */
    size_t user_count;
    const char *host;     /* Host header of the server under load */
    const char *audience; /* LOAD_VEND: canonical URL of the TVM */
    const char *sts_host; /* LOAD_VEND: authority of the STS endpoint that the proof names */
    const char *region, *profile;
    const char *role_arn; /* LOAD_ASSUME_ROLE */
};

/* Reads a file of requests; each is a head and a body of Content-Length. */
SN_MUST_CHECK enum sn_status load_requests_read_file(
    struct load_requests *requests, const char *path, struct sn_error *err);
/* Reads users: lines "ACCESS-KEY-ID SECRET [SESSION-TOKEN]". */
SN_MUST_CHECK enum sn_status load_requests_read_users(
    struct load_requests *requests, const char *path, struct sn_error *err);
/* For load_options.make; ctx is a struct load_requests. */
SN_MUST_CHECK enum sn_status load_requests_make(
    void *ctx, uint64_t number, struct sn_buf *out_request, struct sn_error *err);
void load_requests_clear(struct load_requests *requests);

#endif
