/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main/sentinel_front.c - 'sentinel' of dynamic builds: answers from the cache, else becomes sentinel-full beside it.
 *
 * A program that is linked to HTTP and TLS libraries pays for them at each start, about 15 ms, used or not. This one is
 * linked to none of them. Static programs pay nothing and have no front (ADR 0026).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "cli/cached_credentials.h"
#include "cli/vault_name.h"

enum { EXIT_NOT_STARTED = 3 };

static int become_full(char **argv)
{
    static const char full[] = "sentinel-full";
    char path[PATH_MAX];

    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - sizeof(full));
    char *slash = len > 0 ? memrchr(path, '/', (size_t)len) : NULL;
    if (slash != NULL) {
        memcpy(slash + 1, full, sizeof(full));
        (void)execv(path, argv);
    }
    (void)fprintf(stderr, "sentinel: error: cannot start 'sentinel-full': %s\n", strerror(errno));
    (void)fprintf(stderr, "  hint: it is installed beside sentinel; in a build directory, build it too\n");
    return EXIT_NOT_STARTED;
}

int main(int argc, char **argv)
{
    mode_t mask = umask(077);

    sn_log_set_enabled(false);
    /* Called as aws-vault, "export" is another command. */
    int answered = sn_cli_is_vault_name(argc, argv) ? -1 : sn_cli_cached_credentials("sentinel", argc, argv);
    if (answered >= 0) {
        return answered;
    }
    (void)umask(mask);
    return become_full(argv);
}
