/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/kill_at.c - a library to be preloaded: the process is killed at its Nth change of the file system.
 *
 * SN_KILL_AT is N, from 1. SN_KILL_ONLY names the calls that count, such as "rename,unlink"; without it all do. A write
 * to a regular file puts out half of its bytes first; every other change is not made. A process that makes fewer
 * changes runs to its end. Made for dynamic builds; not shipped.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static void *next_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL) {
        abort();
    }
    return found;
}

static bool is_the_end(const char *call)
{
    const char *only = getenv("SN_KILL_ONLY");
    static unsigned made;
    const char *at = getenv("SN_KILL_AT");
    unsigned wanted = 0;

    if (only != NULL && strstr(only, call) == NULL) {
        return false;
    }
    while (at != NULL && *at >= '0' && *at <= '9') {
        wanted = wanted * 10 + (unsigned)(*at++ - '0');
    }
    return ++made == wanted;
}

static void end(void)
{
    (void)kill(getpid(), SIGKILL);
    abort();
}

PUBLIC ssize_t write(int fd, const void *bytes, size_t len)
{
    static ssize_t (*next)(int, const void *, size_t);
    struct stat st;

    if (next == NULL) {
        *(void **)&next = next_of("write");
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_the_end("write")) {
        (void)next(fd, bytes, len / 2);
        end();
    }
    return next(fd, bytes, len);
}

PUBLIC int fsync(int fd)
{
    static int (*next)(int);

    if (next == NULL) {
        *(void **)&next = next_of("fsync");
    }
    if (is_the_end("fsync")) {
        end();
    }
    return next(fd);
}

PUBLIC int rename(const char *from, const char *to)
{
    static int (*next)(const char *, const char *);

    if (next == NULL) {
        *(void **)&next = next_of("rename");
    }
    if (is_the_end("rename")) {
        end();
    }
    return next(from, to);
}

PUBLIC int unlink(const char *path)
{
    static int (*next)(const char *);

    if (next == NULL) {
        *(void **)&next = next_of("unlink");
    }
    if (is_the_end("unlink")) {
        end();
    }
    return next(path);
}

PUBLIC int mkdir(const char *path, mode_t mode)
{
    static int (*next)(const char *, mode_t);

    if (next == NULL) {
        *(void **)&next = next_of("mkdir");
    }
    if (is_the_end("mkdir")) {
        end();
    }
    return next(path, mode);
}
