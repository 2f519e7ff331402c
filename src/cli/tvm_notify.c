/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/tvm_notify.c - readiness messages and inherited sockets, without the service manager's library.
 */
#include "cli/tvm_notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/fs.h"
#include "base/parse.h"

enum { FIRST_FD = 3, FDS_MAX = 16 };

static void notify(const char *message)
{
    const char *path = sn_env_get("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    SN_AUTO(sn_fd_close) int fd = -1;

    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@') {
        address.sun_path[0] = '\0'; /* the abstract name space */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)!sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&address,
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    }
}

void sn_notify_ready(void)
{
    notify("READY=1\nSTATUS=ready\n");
}

void sn_notify_reloading(void)
{
    char message[96];
    const struct sn_clock *clock = sn_clock_system();

    snprintf(
        message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%lld\n", (long long)(clock->mono_ns(clock->ctx) / 1000));
    notify(message);
}

void sn_notify_stopping(void)
{
    notify("STOPPING=1\n");
}

int sn_notify_listen_fds(int *out_first)
{
    const char *pid_text = sn_env_get("LISTEN_PID"), *count_text = sn_env_get("LISTEN_FDS");
    struct sn_error ignored = {0};
    int64_t pid = 0, count = 0;

    *out_first = FIRST_FD;
    if (pid_text == NULL || count_text == NULL ||
        sn_parse_int(sn_slice_str(pid_text), 1, INT32_MAX, &pid, &ignored) != SN_OK || pid != getpid() ||
        sn_parse_int(sn_slice_str(count_text), 1, FDS_MAX, &count, &ignored) != SN_OK) {
        return 0;
    }
    for (int fd = FIRST_FD; fd < FIRST_FD + (int)count; fd++) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return (int)count;
}
