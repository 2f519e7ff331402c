/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/metrics.c - lock-free counters and their text form.
 */
#include "tvm/metrics.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/parse.h"
#include "tvm/errors.h"

enum { BUCKETS = 13, PROC_TEXT_MAX = 4096 };

/* Upper bounds in nanoseconds, and as they are written. */
static const struct {
    int64_t ns;
    const char *text;
} bounds[BUCKETS] = {
    {1000000, "0.001"},
    {2500000, "0.0025"},
    {5000000, "0.005"},
    {10000000, "0.01"},
    {25000000, "0.025"},
    {50000000, "0.05"},
    {100000000, "0.1"},
    {250000000, "0.25"},
    {500000000, "0.5"},
    {1000000000, "1"},
    {2500000000, "2.5"},
    {5000000000, "5"},
    {10000000000, "10"},
};

struct histogram {
    atomic_uint_fast64_t bucket[BUCKETS + 1]; /* not cumulative; the last is +Inf */
    atomic_uint_fast64_t sum_us;
};

struct sn_metrics {
    int64_t start_unix_s;
    atomic_uint_fast64_t requests[SN_METRIC_ROUTES][SN_API_ERRORS_MAX + 1];
    struct histogram request_time[SN_METRIC_ROUTES];
    atomic_uint_fast64_t decisions[2][4];
    atomic_uint_fast64_t issued[3];
    atomic_uint_fast64_t proofs[SN_PROOF_RESULTS];
    atomic_uint_fast64_t sts[SN_STS_ACTIONS][2];
    struct histogram sts_time[SN_STS_ACTIONS];
    atomic_uint_fast64_t store[SN_STORE_OPS][2];
    struct histogram store_time[SN_STORE_OPS];
    atomic_uint_fast64_t audit[2];
    struct histogram audit_time;
    atomic_uint_fast64_t limited[SN_LIMIT_LABELS];
    atomic_uint_fast64_t documents[SN_DOCUMENT_KINDS][2];
    atomic_int_fast64_t document_mono_ns[SN_DOCUMENT_KINDS];
};

static const char *const proof_names[] = {"accepted", "malformed", "replayed", "rejected", "unavailable", "throttled"};
static const char *const sts_names[] = {"VerifyProof", "AssumeRole", "GetCallerIdentity"};
static const char *const store_names[] = {"create", "update", "look", "blocks", "ping"};
static const char *const limiter_names[] = {"local", "role", "account"};
static const char *const policy_effect_names[] = {"deny", "allow", "require_approval", "none"};
static const char *const result_names[] = {"error", "ok"};

struct sn_metrics *sn_metrics_new(void)
{
    struct sn_metrics *m = sn_alloc(1, sizeof(*m));

    m->start_unix_s = sn_clock_unix_s(sn_clock_system());
    return m;
}

void sn_metrics_free(struct sn_metrics *metrics)
{
    sn_free(metrics);
}

void sn_metrics_free_p(struct sn_metrics **metrics)
{
    sn_metrics_free(*metrics);
    *metrics = NULL;
}

static void count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static uint64_t value_of(atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void observe(struct histogram *h, int64_t elapsed_ns)
{
    size_t i = 0;

    while (i < BUCKETS && elapsed_ns > bounds[i].ns) {
        i++;
    }
    count(&h->bucket[i]);
    atomic_fetch_add_explicit(&h->sum_us, (uint64_t)(elapsed_ns > 0 ? elapsed_ns / 1000 : 0), memory_order_relaxed);
}

void sn_metrics_request(struct sn_metrics *m, size_t route, size_t code_index, int64_t elapsed_ns)
{
    SN_ASSERT(route < SN_METRIC_ROUTES && code_index <= SN_API_ERRORS_MAX);
    count(&m->requests[route][code_index]);
    observe(&m->request_time[route], elapsed_ns);
}

void sn_metrics_decision(struct sn_metrics *m, bool allowed, bool has_policy_effect, enum sn_effect policy_effect)
{
    count(&m->decisions[allowed][has_policy_effect ? (size_t)policy_effect : 3]);
}

void sn_metrics_issued(struct sn_metrics *m, enum sn_issue_kind kind)
{
    count(&m->issued[kind]);
}

void sn_metrics_proof(struct sn_metrics *m, enum sn_proof_result result)
{
    count(&m->proofs[result]);
}

void sn_metrics_sts(struct sn_metrics *m, enum sn_sts_action action, bool ok, int64_t elapsed_ns)
{
    count(&m->sts[action][ok]);
    observe(&m->sts_time[action], elapsed_ns);
}

void sn_metrics_store(struct sn_metrics *m, enum sn_store_op op, bool ok, int64_t elapsed_ns)
{
    count(&m->store[op][ok]);
    observe(&m->store_time[op], elapsed_ns);
}

void sn_metrics_audit(struct sn_metrics *m, bool ok, int64_t elapsed_ns)
{
    count(&m->audit[ok]);
    observe(&m->audit_time, elapsed_ns);
}

void sn_metrics_rate_limited(struct sn_metrics *m, enum sn_limiter_label limiter)
{
    count(&m->limited[limiter]);
}

void sn_metrics_document(struct sn_metrics *m, enum sn_document_kind kind, bool ok, int64_t now_mono_ns)
{
    count(&m->documents[kind][ok]);
    if (ok) {
        atomic_store_explicit(&m->document_mono_ns[kind], now_mono_ns, memory_order_relaxed);
    }
}

/* --- Text. --- */

static void head(struct sn_buf *text, const char *name, const char *type, const char *help)
{
    sn_buf_addf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void line_2(struct sn_buf *text, const char *name, const char *key_1, const char *value_1, const char *key_2,
    const char *value_2, uint64_t number)
{
    sn_buf_addf(
        text, "%s{%s=\"%s\",%s=\"%s\"} %llu\n", name, key_1, value_1, key_2, value_2, (unsigned long long)number);
}

static void line_1(struct sn_buf *text, const char *name, const char *key, const char *value, uint64_t number)
{
    sn_buf_addf(text, "%s{%s=\"%s\"} %llu\n", name, key, value, (unsigned long long)number);
}

static void add_histogram(struct sn_buf *text, const char *name, const char *label, struct histogram *h)
{
    uint64_t total = 0;
    uint64_t sum_us = value_of(&h->sum_us);
    const char *comma = label[0] != '\0' ? "," : "";

    for (size_t i = 0; i <= BUCKETS; i++) {
        total += value_of(&h->bucket[i]);
        sn_buf_addf(text, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, label, comma, i < BUCKETS ? bounds[i].text : "+Inf",
            (unsigned long long)total);
    }
    const char *open = label[0] != '\0' ? "{" : "", *close = label[0] != '\0' ? "}" : "";
    sn_buf_addf(text, "%s_sum%s%s%s %llu.%06llu\n", name, open, label, close, (unsigned long long)(sum_us / 1000000),
        (unsigned long long)(sum_us % 1000000));
    sn_buf_addf(text, "%s_count%s%s%s %llu\n", name, open, label, close, (unsigned long long)total);
}

static void add_labelled_histogram(
    struct sn_buf *text, const char *name, const char *key, const char *value, struct histogram *h)
{
    char label[64];

    snprintf(label, sizeof(label), "%s=\"%s\"", key, value);
    add_histogram(text, name, label, h);
}

static void add_requests(struct sn_metrics *m, const struct sn_metrics_gauges *gauges, struct sn_buf *text)
{
    head(text, "sentinel_requests_total", "counter", "Requests answered, by route and code.");
    for (size_t r = 0; r < gauges->route_count; r++) {
        for (size_t c = 0; c <= sn_api_error_count; c++) {
            uint64_t number = value_of(&m->requests[r][c]);
            if (number > 0) {
                line_2(text, "sentinel_requests_total", "route", gauges->route_names[r], "code",
                    c == 0 ? "OK" : sn_api_errors[c - 1].code, number);
            }
        }
    }
    head(text, "sentinel_request_seconds", "histogram", "Time from request to answer.");
    for (size_t r = 0; r < gauges->route_count; r++) {
        add_labelled_histogram(text, "sentinel_request_seconds", "route", gauges->route_names[r], &m->request_time[r]);
    }
}

static void add_decisions(struct sn_metrics *m, struct sn_buf *text)
{
    head(text, "sentinel_decisions_total", "counter", "Decisions, final effect and what the policy alone said.");
    for (size_t e = 0; e < 2; e++) {
        for (size_t p = 0; p < 4; p++) {
            line_2(text, "sentinel_decisions_total", "effect", e == 1 ? "allow" : "deny", "policy_effect",
                policy_effect_names[p], value_of(&m->decisions[e][p]));
        }
    }
    head(text, "sentinel_issued_total", "counter", "Credentials issued.");
    for (size_t k = 0; k < SN_LEN(m->issued); k++) {
        line_1(
            text, "sentinel_issued_total", "kind", sn_issue_kind_name((enum sn_issue_kind)k), value_of(&m->issued[k]));
    }
    head(text, "sentinel_rate_limited_total", "counter", "Requests refused by a limit.");
    for (size_t i = 0; i < SN_LIMIT_LABELS; i++) {
        line_1(text, "sentinel_rate_limited_total", "limiter", limiter_names[i], value_of(&m->limited[i]));
    }
}

static void add_proofs(struct sn_metrics *m, const struct sn_metrics_gauges *gauges, struct sn_buf *text)
{
    head(text, "sentinel_proofs_total", "counter", "Identity proofs by result.");
    for (size_t i = 0; i < SN_PROOF_RESULTS; i++) {
        line_1(text, "sentinel_proofs_total", "result", proof_names[i], value_of(&m->proofs[i]));
    }
    head(text, "sentinel_replay_entries", "gauge", "Spent or running proofs remembered.");
    sn_buf_addf(text, "sentinel_replay_entries %zu\n", gauges->replay_entries);
    head(text, "sentinel_tickets", "gauge", "Tickets remembered.");
    sn_buf_addf(text, "sentinel_tickets %zu\n", gauges->tickets);
}

/* One family of calls: a counter by result and a histogram. */
static void add_calls(struct sn_buf *text, const char *counter, const char *histogram, const char *key,
    const char *const *names, size_t count_of, atomic_uint_fast64_t (*results)[2], struct histogram *times)
{
    head(text, counter, "counter", "Calls by result.");
    for (size_t i = 0; i < count_of; i++) {
        for (size_t ok = 0; ok < 2; ok++) {
            line_2(text, counter, key, names[i], "result", result_names[ok], value_of(&results[i][ok]));
        }
    }
    head(text, histogram, "histogram", "Time of a call.");
    for (size_t i = 0; i < count_of; i++) {
        add_labelled_histogram(text, histogram, key, names[i], &times[i]);
    }
}

static void add_audit(struct sn_metrics *m, struct sn_buf *text)
{
    head(text, "sentinel_audit_records_total", "counter", "Audit records by result.");
    for (size_t ok = 0; ok < 2; ok++) {
        line_1(text, "sentinel_audit_records_total", "result", result_names[ok], value_of(&m->audit[ok]));
    }
    head(text, "sentinel_audit_sync_seconds", "histogram", "Time until a record was durable.");
    add_histogram(text, "sentinel_audit_sync_seconds", "", &m->audit_time);
}

static void add_documents(struct sn_metrics *m, int64_t now_mono_ns, struct sn_buf *text)
{
    head(text, "sentinel_document_loads_total", "counter", "Documents loaded, by result.");
    for (size_t k = 0; k < SN_DOCUMENT_KINDS; k++) {
        for (size_t ok = 0; ok < 2; ok++) {
            line_2(text, "sentinel_document_loads_total", "kind", sn_document_kinds[k].word, "result", result_names[ok],
                value_of(&m->documents[k][ok]));
        }
    }
    head(text, "sentinel_document_age_seconds", "gauge", "Time since a document of this kind was last loaded.");
    for (size_t k = 0; k < SN_DOCUMENT_KINDS; k++) {
        int64_t loaded = atomic_load_explicit(&m->document_mono_ns[k], memory_order_relaxed);
        if (loaded != 0) {
            line_1(text, "sentinel_document_age_seconds", "kind", sn_document_kinds[k].word,
                (uint64_t)((now_mono_ns - loaded) / 1000000000));
        }
    }
}

/* Resident pages are the second number of /proc/self/statm. */
static int64_t resident_bytes(void)
{
    SN_AUTO(sn_buf_clear) struct sn_buf statm = {0};
    struct sn_error ignored = {0};
    struct sn_slice rest = {0}, part = {0};
    int64_t pages = 0;

    if (sn_fs_read("/proc/self/statm", PROC_TEXT_MAX, &statm, &ignored) != SN_OK) {
        return 0;
    }
    rest = sn_buf_slice(&statm);
    if (!sn_slice_next(&rest, ' ', &part) || !sn_slice_next(&rest, ' ', &part) ||
        sn_parse_int(part, 0, INT64_MAX / 65536, &pages, &ignored) != SN_OK) {
        return 0;
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t found = 0;

    if (dir == NULL) {
        return 0;
    }
    while (readdir(dir) != NULL) {
        found++;
    }
    closedir(dir);
    return found > 3 ? found - 3 : 0; /* ".", ".." and the directory itself */
}

static void add_process(struct sn_metrics *m, struct sn_buf *text)
{
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    int64_t cpu_us = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
                     usage.ru_stime.tv_usec;
    head(text, "process_start_time_seconds", "gauge", "Start of the process, Unix time.");
    sn_buf_addf(text, "process_start_time_seconds %lld\n", (long long)m->start_unix_s);
    head(text, "process_resident_memory_bytes", "gauge", "Resident memory.");
    sn_buf_addf(text, "process_resident_memory_bytes %lld\n", (long long)resident_bytes());
    head(text, "process_open_fds", "gauge", "Open file descriptors.");
    sn_buf_addf(text, "process_open_fds %zu\n", open_descriptors());
    head(text, "process_cpu_seconds_total", "counter", "User and system time.");
    sn_buf_addf(
        text, "process_cpu_seconds_total %lld.%06lld\n", (long long)(cpu_us / 1000000), (long long)(cpu_us % 1000000));
}

void sn_metrics_format(struct sn_metrics *m, const struct sn_metrics_gauges *gauges, struct sn_buf *text)
{
    head(text, "sentinel_build_info", "gauge", "Version and form of the server.");
    line_2(text, "sentinel_build_info", "version", SN_VERSION, "form", gauges->form, 1);
    add_requests(m, gauges, text);
    add_decisions(m, text);
    add_proofs(m, gauges, text);
    add_calls(text, "sentinel_sts_calls_total", "sentinel_sts_seconds", "action", sts_names, SN_STS_ACTIONS, m->sts,
        m->sts_time);
    add_calls(text, "sentinel_store_calls_total", "sentinel_store_seconds", "op", store_names, SN_STORE_OPS, m->store,
        m->store_time);
    add_audit(m, text);
    add_documents(m, gauges->now_mono_ns, text);
    add_process(m, text);
}
