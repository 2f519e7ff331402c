/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/scratch.h - an empty directory for one test, and a clock that moves only when told.
 */
#ifndef SN_TESTS_SUPPORT_SCRATCH_H
#define SN_TESTS_SUPPORT_SCRATCH_H

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/defs.h"

struct scratch {
    char dir[64];
};

static inline void scratch_make(struct scratch *scratch)
{
    snprintf(scratch->dir, sizeof(scratch->dir), "/tmp/sentinel-test-XXXXXX");
    SN_ASSERT(mkdtemp(scratch->dir) != NULL);
}

static inline void scratch_path(const struct scratch *scratch, const char *name, char out[256])
{
    SN_ASSERT(snprintf(out, 256, "%s/%s", scratch->dir, name) < 256);
}

/* Files and one level of directories. */
static inline void scratch_remove_in(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char child[512];
        struct stat info;
        if (entry->d_name[0] == '.' && (entry->d_name[1] == '\0' || entry->d_name[1] == '.')) {
            continue;
        }
        SN_ASSERT(snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) < (int)sizeof(child));
        if (lstat(child, &info) == 0 && S_ISDIR(info.st_mode)) {
            scratch_remove_in(child);
            rmdir(child);
        } else {
            unlink(child);
        }
    }
    closedir(dir);
}

static inline void scratch_remove(struct scratch *scratch)
{
    scratch_remove_in(scratch->dir);
    rmdir(scratch->dir);
}

struct scripted_clock {
    struct sn_clock clock;
    atomic_llong unix_ns, mono_ns;
};

static inline int64_t scripted_unix(void *ctx)
{
    return atomic_load(&((struct scripted_clock *)ctx)->unix_ns);
}

static inline int64_t scripted_mono(void *ctx)
{
    return atomic_load(&((struct scripted_clock *)ctx)->mono_ns);
}

/* Starts at 2026-03-01T09:00:00Z. */
static inline void scripted_clock_init(struct scripted_clock *c)
{
    c->clock = (struct sn_clock){.unix_ns = scripted_unix, .mono_ns = scripted_mono, .ctx = c};
    atomic_init(&c->unix_ns, 1772355600LL * 1000000000LL);
    atomic_init(&c->mono_ns, 1000LL * 1000000000LL);
}

static inline void scripted_clock_advance(struct scripted_clock *c, int64_t ms)
{
    atomic_fetch_add(&c->unix_ns, ms * 1000000);
    atomic_fetch_add(&c->mono_ns, ms * 1000000);
}

#endif
