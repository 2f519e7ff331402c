/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/faults.c - a library to be preloaded into a real program: the machine fails while a flag file exists.
 *
 * SN_FAULTS names a directory. In it: "random" (getrandom fails), "repeat" (getrandom gives the same bytes each time),
 * "slow-sync" (syncs of files whose name holds "audit" take a second). Without the flag file each call is the system's
 * own. Made for dynamic builds; not shipped.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

#define PUBLIC __attribute__((visibility("default")))

static bool is_set(const char *flag)
{
    char path[PATH_SIZE];
    const char *dir = getenv("SN_FAULTS");

    if (dir == NULL || snprintf(path, sizeof(path), "%s/%s", dir, flag) >= (int)sizeof(path)) {
        return false;
    }
    int before = errno;
    bool found = access(path, F_OK) == 0;
    errno = before;
    return found;
}

static bool is_audit_log(int fd)
{
    char link[64], path[PATH_SIZE];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len < 0) {
        return false;
    }
    path[len] = '\0';
    const char *name = strrchr(path, '/');
    return name != NULL && strstr(name, "audit") != NULL;
}

static void *next_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL) {
        abort();
    }
    return found;
}

PUBLIC ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
    static ssize_t (*next)(void *, size_t, unsigned);

    if (is_set("random")) {
        errno = ENOSYS;
        return -1;
    }
    if (is_set("repeat")) {
        memset(bytes, 'r', len);
        return (ssize_t)len;
    }
    if (next == NULL) {
        *(void **)&next = next_of("getrandom");
    }
    return next(bytes, len, flags);
}

PUBLIC int fdatasync(int fd)
{
    static int (*next)(int);

    if (is_set("slow-sync") && is_audit_log(fd)) {
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    if (next == NULL) {
        *(void **)&next = next_of("fdatasync");
    }
    return next(fd);
}
