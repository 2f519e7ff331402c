/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - sends requests to a server over many kept-alive connections and prints one JSON object of figures.
 *
 *   load --address ADDR --host HOST --requests N [--connections 64] [--warm-up N] [--make-first] [--pid PID]...
 *        --file FILE                                              requests as they stand
 *      | --vend PROFILE --audience URL --sts-host HOST --users FILE --region R    POST /v1/credentials, a proof each
 *      | --assume-role ARN --users FILE --region R                signed AssumeRole calls
 *
 * ADDR is IPV4:PORT or unix:/path. FILE of users: lines "ACCESS-KEY-ID SECRET [SESSION-TOKEN]". --pid: a process whose
 * CPU time and memory are reported, up to four. Exit 0 when every answer was 200, 1 when some were not, 2 wrong usage,
 * 3 when the load could not be made.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json.h"
#include "load.h"
#include "load_requests.h"

enum { MAX_PIDS = 4 };

struct arguments {
    struct load_options load;
    struct load_requests requests;
    const char *file, *users;
    int pids[MAX_PIDS];
    size_t pid_count;
};

enum {
    OPT_ADDRESS = 1,
    OPT_HOST,
    OPT_REQUESTS,
    OPT_CONNECTIONS,
    OPT_WARM_UP,
    OPT_MAKE_FIRST,
    OPT_PID,
    OPT_FILE,
    OPT_VEND,
    OPT_AUDIENCE,
    OPT_STS_HOST,
    OPT_USERS,
    OPT_REGION,
    OPT_ASSUME_ROLE
};

static const struct option options[] = {
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"host", required_argument, NULL, OPT_HOST},
    {"requests", required_argument, NULL, OPT_REQUESTS},
    {"connections", required_argument, NULL, OPT_CONNECTIONS},
    {"warm-up", required_argument, NULL, OPT_WARM_UP},
    {"make-first", no_argument, NULL, OPT_MAKE_FIRST},
    {"pid", required_argument, NULL, OPT_PID},
    {"file", required_argument, NULL, OPT_FILE},
    {"vend", required_argument, NULL, OPT_VEND},
    {"audience", required_argument, NULL, OPT_AUDIENCE},
    {"sts-host", required_argument, NULL, OPT_STS_HOST},
    {"users", required_argument, NULL, OPT_USERS},
    {"region", required_argument, NULL, OPT_REGION},
    {"assume-role", required_argument, NULL, OPT_ASSUME_ROLE},
    {0},
};

static enum sn_status read_number(const char *text, int64_t max, int64_t *out_value, struct sn_error *err)
{
    return sn_parse_int(sn_slice_str(text), 0, max, out_value, err);
}

static enum sn_status take_option(struct arguments *a, int option, struct sn_error *err)
{
    int64_t number = 0;
    switch (option) {
    case OPT_ADDRESS:
        a->load.address = optarg;
        return SN_OK;
    case OPT_HOST:
        a->requests.host = optarg;
        return SN_OK;
    case OPT_FILE:
        a->file = optarg;
        return SN_OK;
    case OPT_AUDIENCE:
        a->requests.audience = optarg;
        return SN_OK;
    case OPT_STS_HOST:
        a->requests.sts_host = optarg;
        return SN_OK;
    case OPT_USERS:
        a->users = optarg;
        return SN_OK;
    case OPT_REGION:
        a->requests.region = optarg;
        return SN_OK;
    case OPT_MAKE_FIRST:
        a->load.make_first = true;
        return SN_OK;
    case OPT_VEND:
        a->requests.kind = LOAD_VEND;
        a->requests.profile = optarg;
        return SN_OK;
    case OPT_ASSUME_ROLE:
        a->requests.kind = LOAD_ASSUME_ROLE;
        a->requests.role_arn = optarg;
        return SN_OK;
    case OPT_REQUESTS:
        SN_TRY(read_number(optarg, 10 * 1000 * 1000, &number, err));
        a->load.requests = (uint64_t)number;
        return SN_OK;
    case OPT_WARM_UP:
        SN_TRY(read_number(optarg, 1000 * 1000, &number, err));
        a->load.warm_up = (uint64_t)number;
        return SN_OK;
    case OPT_CONNECTIONS:
        SN_TRY(read_number(optarg, 10 * 1000, &number, err));
        a->load.connections = (unsigned)number;
        return SN_OK;
    case OPT_PID:
        SN_TRY(read_number(optarg, INT32_MAX, &number, err));
        if (a->pid_count == MAX_PIDS) {
            return sn_fail(err, SN_USAGE, "LOAD_USAGE", "too many processes to watch");
        }
        a->pids[a->pid_count++] = (int)number;
        return SN_OK;
    default:
        return sn_fail(err, SN_USAGE, "LOAD_USAGE", "unknown option");
    }
}

static enum sn_status check_usage(const struct arguments *a, struct sn_error *err)
{
    const struct load_requests *r = &a->requests;
    bool is_good = a->load.address != NULL && a->load.requests > 0 && a->load.connections > 0;
    switch (r->kind) {
    case LOAD_FIXED:
        is_good = is_good && a->file != NULL;
        break;
    case LOAD_VEND:
        is_good = is_good && r->audience != NULL && r->sts_host != NULL;
        break;
    case LOAD_ASSUME_ROLE:
        break;
    }
    if (r->kind != LOAD_FIXED) {
        is_good = is_good && a->users != NULL && r->region != NULL && r->host != NULL;
    }
    return is_good ? SN_OK : sn_fail(err, SN_USAGE, "LOAD_USAGE", "an option is missing; see the head of load_main.c");
}

static void print_result(const struct load_result *result, const struct arguments *a, const struct load_usage *before,
    const struct load_usage *after)
{
    double done = result->done > 0 ? (double)result->done : 1;
    (void)printf("{\"requests\":%llu,\"errors\":%llu,\"reconnects\":%llu,\"seconds\":%.3f,\"per_s\":%.1f,"
                 "\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"processes\":[",
        (unsigned long long)result->done, (unsigned long long)result->errors, (unsigned long long)result->reconnects,
        result->seconds, result->per_s, result->p50_ms, result->p90_ms, result->p99_ms, result->max_ms);
    for (size_t i = 0; i < a->pid_count; i++) {
        double cpu_s = after[i].cpu_s - before[i].cpu_s;
        (void)printf(
            "%s{\"pid\":%d,\"cpu_s\":%.2f,\"cpu_us_per_request\":%.1f,\"rss_bytes\":%lld,\"peak_rss_bytes\":%lld}",
            i > 0 ? "," : "", a->pids[i], cpu_s, cpu_s * 1e6 / done, (long long)after[i].rss_bytes,
            (long long)after[i].peak_rss_bytes);
    }
    (void)printf("]}\n");
    if (result->errors > 0) {
        (void)fprintf(stderr, "load: first bad answer: %s\n", result->first_error);
    }
}

static enum sn_status run(struct arguments *a, struct load_result *result, struct sn_error *err)
{
    struct load_usage before[MAX_PIDS] = {0}, after[MAX_PIDS] = {0};
    SN_TRY(check_usage(a, err));
    if (a->requests.kind == LOAD_FIXED) {
        SN_TRY(load_requests_read_file(&a->requests, a->file, err));
    } else {
        SN_TRY(load_requests_read_users(&a->requests, a->users, err));
    }
    a->load.make = load_requests_make;
    a->load.ctx = &a->requests;
    for (size_t i = 0; i < a->pid_count; i++) {
        if (!load_usage_of(a->pids[i], &before[i])) {
            return sn_fail(err, SN_NOT_FOUND, "LOAD_PID", "process %d cannot be watched", a->pids[i]);
        }
    }
    SN_TRY(load_run(&a->load, result, err));
    for (size_t i = 0; i < a->pid_count; i++) {
        (void)load_usage_of(a->pids[i], &after[i]);
    }
    print_result(result, a, before, after);
    return SN_OK;
}

int main(int argc, char **argv)
{
    static struct arguments arguments = {.load = {.connections = 64}};
    static struct load_result result;
    struct sn_error err = {0};
    enum sn_status status = SN_OK;
    int option;
    while (status == SN_OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        status = take_option(&arguments, option, &err);
    }
    status = status == SN_OK ? run(&arguments, &result, &err) : status;
    load_requests_clear(&arguments.requests);
    if (status != SN_OK) {
        (void)fprintf(stderr, "load: %s\n", err.message);
        return status == SN_USAGE || status == SN_INVALID ? 2 : 3;
    }
    return result.errors > 0 ? 1 : 0;
}
