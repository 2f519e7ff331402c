/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/audit_killed.c - a process that writes an audit log until it is killed.
 *
 * usage: audit_killed DIRECTORY THREADS FIRST-NUMBER
 * Opens DIRECTORY/audit.log and lets each thread append entries for ever. After each acknowledged append the thread
 * writes the entry's number as 8 hex digits and LF to stdout, in one write, so that whoever reads the pipe knows which
 * records must be in the log whatever happens next.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/parse.h"
#include "store/audit_file.h"
#include "store/key_file.h"

enum { THREADS_MAX = 64 };

static struct sn_audit_sink sink;
static atomic_uint next_number;
static unsigned base_number;

static void *append_for_ever(void *argument)
{
    (void)argument;
    for (;;) {
        char entry[128];
        char line[16];
        struct sn_error err;
        unsigned number = base_number + atomic_fetch_add(&next_number, 1);

        snprintf(entry, sizeof(entry),
            "{\"timestamp\":\"2026-03-01T09:00:00.000Z\",\"event\":\"decision\",\"n\":\"%08x\"}", number);
        if (sink.append(sink.ctx, sn_slice_str(entry), SN_S(""), 5000, &err) != SN_OK) {
            fprintf(stderr, "%s\n", err.message);
            _exit(3);
        }
        snprintf(line, sizeof(line), "%08x\n", number);
        if (write(1, line, 9) != 9) {
            _exit(4);
        }
    }
    return NULL;
}

static void on_notify(void *ctx, enum sn_log_level level, const char *event, const char *message)
{
    (void)ctx;
    if (level == SN_LOG_ERROR) {
        fprintf(stderr, "%s: %s\n", event, message);
    }
}

int main(int argc, char **argv)
{
    struct sn_audit_keys keys = {.count = 0};
    struct sn_audit_file *file = NULL;
    struct sn_error err;
    char path[512];
    char key_path[512];
    int64_t threads = 0;
    int64_t base = 0;

    if (argc != 4 || sn_parse_int(sn_slice_str(argv[2]), 1, THREADS_MAX, &threads, &err) != SN_OK ||
        sn_parse_int(sn_slice_str(argv[3]), 0, 0xffffffff, &base, &err) != SN_OK) {
        fprintf(stderr, "usage: audit_killed DIRECTORY THREADS FIRST-NUMBER\n");
        return 2;
    }
    base_number = (unsigned)base;
    snprintf(path, sizeof(path), "%s/audit.log", argv[1]);
    snprintf(key_path, sizeof(key_path), "%s/audit.key", argv[1]);
    const struct sn_audit_file_options options = {.path = path,
        .rotate_bytes = 256 * 1024, /* small, so that kills fall into rotations too */
        .keys = &keys,
        .clock = sn_clock_system(),
        .random_source = sn_random_system(),
        .instance = {"c4q9e2h7m1x5s8z3"},
        .version = "test",
        .notify = on_notify};
    if (sn_audit_key_file_load(key_path, "default", sn_random_system(), &keys, &err) != SN_OK ||
        sn_audit_file_open(&options, &file, &err) != SN_OK) {
        fprintf(stderr, "%s: %s\n", err.code, err.message);
        return 3;
    }
    sink = sn_audit_file_sink(file);
    for (int64_t i = 0; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, append_for_ever, NULL) != 0) {
            return 3;
        }
    }
    for (;;) {
        pause();
    }
}
