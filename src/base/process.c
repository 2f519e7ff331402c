/* SPDX-License-Identifier: Apache-2.0 */
/* base/process.c - hardening of the own process; see process.h. */
#include "base/process.h"

#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

void sn_harden_process(void)
{
    struct rlimit none = {0, 0};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)umask(077);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

void sn_tune_memory(void)
{
#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 2);
#endif
}

size_t sn_descriptors_raise(size_t wanted)
{
    struct rlimit limit = {0, 0};

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return wanted; /* cannot happen; the limit then shows when it is met */
    }
    if (limit.rlim_cur < wanted) {
        struct rlimit raised = {wanted < limit.rlim_max ? wanted : limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            limit = raised;
        }
    }
    return limit.rlim_cur < wanted ? (size_t)limit.rlim_cur : wanted;
}
