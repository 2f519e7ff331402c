/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/failing_sync.c - preloaded into a server under test: a disk that fails to sync the audit log.
 *
 * While a file "sync-fails" stands beside a file called audit.log, syncing the latter fails with EIO. Everything else
 * is the system's own. The program under test has no such switch; it only sees what the call returns.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int has_suffix(const char *text, size_t len, const char *suffix)
{
    size_t suffix_len = strlen(suffix);

    return len >= suffix_len && memcmp(text + len - suffix_len, suffix, suffix_len) == 0;
}

static int must_fail(int fd)
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
    snprintf(flag, sizeof(flag), "%.*s/sync-fails", (int)((size_t)len - strlen(log_name)), path);
    return access(flag, F_OK) == 0;
}

static int sync_unless_failing(int fd, long number)
{
    int saved = errno;

    if (must_fail(fd)) {
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
