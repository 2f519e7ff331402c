/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/failing_sync.c - preloaded into a server under test: a disk that fails to sync the audit log.
 *
 * While a file "sync-fails" stands beside a file called audit.log, syncing the latter fails with EIO; while there is
 * one called "sync-hangs", it does not return. While the file that TEST_CLOCK_AHEAD names exists, the monotonic clock
 * is half a minute ahead, so that nobody has to wait. Everything else is the system's own. The program under test has
 * no such switch; it only sees what the calls return.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD_S = 31, NAP_NS = 5000000 };

static int has_suffix(const char *text, size_t len, const char *suffix)
{
    size_t suffix_len = strlen(suffix);

    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

/* True while a file of that name stands beside the audit log that fd is. */
static int is_flagged(int fd, const char *name)
{
    static const char log_name[] = "/audit.log";
    char link[64];
    char path[4096];
    char flag[4096 + 16];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path));
    if (len <= 0 || !has_suffix(path, (size_t)len, log_name)) {
        return 0;
    }
    snprintf(flag, sizeof(flag), "%.*s/%s", (int)((size_t)len - strlen(log_name)), path, name);
    return access(flag, F_OK) == 0;
}

static int sync_unless_failing(int fd, long number)
{
    int saved = errno;

    while (is_flagged(fd, "sync-hangs")) {
        const struct timespec nap = {0, NAP_NS};
        (void)nanosleep(&nap, NULL);
    }
    if (is_flagged(fd, "sync-fails")) {
        errno = EIO;
        return -1;
    }
    errno = saved;
    return (int)syscall(number, fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return sync_unless_failing(fd, SYS_fdatasync);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    return sync_unless_failing(fd, SYS_fsync);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *out_time)
{
    const char *ahead = getenv("TEST_CLOCK_AHEAD"); /* NOLINT: not the program's own settings */
    int saved = errno;
    int result = (int)syscall(SYS_clock_gettime, id, out_time);

    if (result == 0 && id == CLOCK_MONOTONIC && ahead != NULL && access(ahead, F_OK) == 0) {
        out_time->tv_sec += AHEAD_S;
    }
    errno = result == 0 ? saved : errno;
    return result;
}
