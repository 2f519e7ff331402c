/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/store/audit_kill_test.c - SIGKILL at random moments: whatever was acknowledged is in the log.
 *
 * AUD-17, AUD-22, ATK-33. The child appends from several threads and acknowledges over a pipe; after each kill the next
 * child must start on what is left, and at the end all files are one log that verifies and holds every acknowledged
 * number. The moments are spread by how many acknowledgements were read and a jitter from a fixed seed.
 */
#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "core/audit/verifier.h"
#include "counts.h"
#include "scratch.h"
#include "store/key_file.h"

enum { NUMBERS_PER_RUN = 1000000 };

static const char *child_program;
static struct sn_buf acknowledged; /* "xxxxxxxx\n" each */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static pid_t start_child(const struct scratch *scratch, int64_t run, int *out_fd)
{
    int ends[2];
    char first[32];

    snprintf(first, sizeof(first), "%lld", (long long)(run % 4000 * NUMBERS_PER_RUN));
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl(child_program, child_program, scratch->dir, "8", first, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *out_fd = ends[0];
    return pid;
}

/* Reads acknowledgements until wanted ones came, then kills, then reads what was still in the pipe. */
static void run_and_kill(const struct scratch *scratch, int64_t run, uint64_t *seed)
{
    int fd = -1;
    pid_t pid = start_child(scratch, run, &fd);
    size_t wanted = 9 * (1 + next_random(seed) % 400);
    size_t got = 0;
    bool is_killed = false;
    char bytes[9 * 64];

    for (;;) {
        ssize_t len = read(fd, bytes, sizeof(bytes));
        if (len <= 0) {
            break;
        }
        sn_buf_add_bytes(&acknowledged, bytes, (size_t)len);
        got += (size_t)len;
        if (!is_killed && got >= wanted) {
            for (uint64_t spin = next_random(seed) % 20000; spin > 0; spin--) {
                __asm__ volatile("" ::: "memory");
            }
            kill(pid, SIGKILL);
            is_killed = true;
        }
    }
    close(fd);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_log(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".log") == 0;
}

/* Verifies all files as one log and marks the numbers found. */
static void verify_all(const struct scratch *scratch, struct sn_buf *out_text)
{
    struct sn_audit_keys keys = {.count = 0};
    struct dirent **names = NULL;
    struct sn_error err;
    char path[256];

    scratch_path(scratch, "audit.key", path);
    assert_ok(sn_audit_key_file_load(path, "default", NULL, &keys, &err), &err);
    struct sn_audit_verifier *v = sn_audit_verifier_new(&keys, &(struct sn_audit_verify_options){.max_findings = 5});
    SN_AUTO(sn_buf_clear) struct sn_buf anchor = {0};
    scratch_path(scratch, "audit.anchor", path);
    assert_ok(sn_fs_read(path, 4096, &anchor, &err), &err);
    sn_audit_verifier_add_anchors(v, sn_buf_slice(&anchor));
    int count = scandir(scratch->dir, &names, is_log, by_name);
    for (int i = 0; i < count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(64 * 1024 * 1024);
        scratch_path(scratch, names[i]->d_name, path);
        assert_ok(sn_fs_read(path, 64 * 1024 * 1024, &text, &err), &err);
        sn_audit_verifier_begin_file(v);
        sn_audit_verifier_feed(v, sn_buf_slice(&text));
        sn_audit_verifier_end_file(v);
        sn_buf_add(out_text, sn_buf_slice(&text));
        free(names[i]);
    }
    free(names);
    const struct sn_audit_verify_result *r = sn_audit_verifier_finish(v);
    for (size_t i = 0; i < r->finding_count; i++) {
        print_error("line %d: %s\n", (int)r->findings[i].line, r->findings[i].message);
    }
    assert_int_equal(r->failures, 0);
    assert_int_equal(r->streams, 1);
    sn_audit_verifier_free(v);
    sn_audit_keys_clear(&keys);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 8);
}

static void attack_33_killed_writers(void **state)
{
    (void)state;
    struct scratch scratch;
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(SIZE_MAX / 2);
    SN_AUTO(sn_buf_clear) struct sn_buf found = SN_BUF_INIT(SIZE_MAX / 2);
    uint64_t seed = 0x9e3779b97f4a7c15ULL;
    int64_t kills = sn_test_count("kills");

    scratch_make(&scratch);
    acknowledged = SN_BUF_INIT(SIZE_MAX / 2);
    for (int64_t run = 0; run < kills; run++) {
        run_and_kill(&scratch, run, &seed);
    }
    verify_all(&scratch, &text);
    static const char key[] = "\"n\":\"";
    const char *at = sn_buf_str(&text);
    while ((at = strstr(at, key)) != NULL) {
        sn_buf_add_bytes(&found, at + sizeof(key) - 1, 8);
        at += sizeof(key);
    }
    qsort(found.ptr, found.len / 8, 8, compare);
    size_t acks = acknowledged.len / 9;
    for (size_t i = 0; i < acks; i++) {
        const char *number = acknowledged.ptr + 9 * i;
        if (bsearch(number, found.ptr, found.len / 8, 8, compare) == NULL) {
            print_error("acknowledged but not in the log: %.8s\n", number);
            fail();
        }
    }
    print_message("# %d kills, %d acknowledged, %d records\n", (int)kills, (int)acks, (int)(found.len / 8));
    assert_true(acks >= (size_t)kills);
    sn_buf_clear(&acknowledged);
    scratch_remove(&scratch);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: audit_kill_test PATH-OF-audit_killed\n");
        return 2;
    }
    child_program = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attack_33_killed_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
