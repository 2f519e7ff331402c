/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform/process_tree.c - descendants through /proc, signals through pidfds (Linux).
 */
#include "platform/process_tree.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/parse.h"
#include "platform/peer.h"

enum { ROUNDS_MAX = 16, PROCESSES_MAX = 256 };

/* Stopped processes. The descriptors keep their numbers from meaning others meanwhile. */
struct found {
    int fds[PROCESSES_MAX];
    pid_t pids[PROCESSES_MAX];
    size_t count;
};

static bool is_known(const struct found *found, pid_t pid)
{
    for (size_t i = 0; i < found->count; i++) {
        if (found->pids[i] == pid) {
            return true;
        }
    }
    return false;
}

static int send_signal(int fd, int number)
{
    return (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
}

static void stop_if_below(struct found *found, pid_t pid, pid_t root)
{
    if (found->count == PROCESSES_MAX || is_known(found, pid)) {
        return;
    }
    SN_AUTO(sn_fd_close) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0 && sn_process_descends(pid, root) && send_signal(fd, SIGSTOP) == 0) {
        found->fds[found->count] = fd;
        found->pids[found->count++] = pid;
        fd = -1;
    }
}

/* One pass over all processes; true if more were found, which may have made others meanwhile. */
static bool stop_below(struct found *found, pid_t root)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    size_t before = found->count;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct sn_error ignored;
        int64_t pid;
        if (sn_parse_int(sn_slice_str(entry->d_name), 2, INT32_MAX, &pid, &ignored) == SN_OK && pid != root) {
            stop_if_below(found, (pid_t)pid, root);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return found->count > before;
}

/* All are stopped before one is killed: the children of a killed one would be below nobody. */
void sn_process_tree_kill(pid_t root)
{
    struct found found = {.count = 0};

    (void)kill(root, SIGSTOP);
    for (int i = 0; i < ROUNDS_MAX && stop_below(&found, root); i++) {
    }
    for (size_t i = 0; i < found.count; i++) {
        (void)send_signal(found.fds[i], SIGKILL);
        sn_fd_close(&found.fds[i]);
    }
    (void)kill(root, SIGKILL);
}
