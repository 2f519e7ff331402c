/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/child.c - fork, exec, signals, wait.
 */
#include "cli/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/parse.h"

static const int passed_on[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

/* Calls visit for each open descriptor above stderr. */
static void each_fd(void (*visit)(int fd, void *ctx), void *ctx)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct sn_error ignored;
        int64_t fd;
        if (sn_parse_int(sn_slice_str(entry->d_name), STDERR_FILENO + 1, INT32_MAX, &fd, &ignored) == SN_OK &&
            fd != dirfd(dir)) {
            visit((int)fd, ctx);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

static void note(int fd, void *ctx)
{
    struct sn_inherited_fds *fds = ctx;

    if (fds->count < SN_INHERITED_FDS_MAX) {
        fds->fds[fds->count++] = fd;
    }
}

void sn_inherited_fds_note(struct sn_inherited_fds *out_fds)
{
    out_fds->count = 0;
    each_fd(note, out_fds);
}

/* libcurl 7.88 opens a pair of sockets without close-on-exec. */
static void close_on_exec(int fd, void *ctx)
{
    const struct sn_inherited_fds *fds = ctx;

    for (size_t i = 0; i < fds->count; i++) {
        if (fds->fds[i] == fd) {
            return;
        }
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void waited_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    for (size_t i = 0; i < SN_LEN(passed_on); i++) {
        sigaddset(set, passed_on[i]);
    }
}

void sn_child_prepare(struct sn_child_signals *out_before)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t waited;

    waited_set(&waited);
    pthread_sigmask(SIG_BLOCK, &waited, &out_before->mask);
    sigaction(SIGINT, &ignore, &out_before->on_int);
    sigaction(SIGQUIT, &ignore, &out_before->on_quit);
    sigaction(SIGCHLD, &standard, NULL); /* an ignored SIGCHLD would throw exit codes away */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* In the new process; between fork and exec only calls that are safe there. Never returns. */
SN_NORETURN static void become(
    const struct sn_child_signals *before, mode_t mask, const char *const *argv, char *const *env, int report_fd)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};

    sigaction(SIGINT, &before->on_int, NULL);
    sigaction(SIGQUIT, &before->on_quit, NULL);
    sigaction(SIGPIPE, &standard, NULL);
    umask(mask);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
    /* The C library only reads the array. */
    execvpe(argv[0], (char *const *)(uintptr_t)argv, env);
    int error_number = errno;
    ssize_t ignored = write(report_fd, &error_number, sizeof(error_number));
    (void)ignored;
    _exit(SN_EXIT_NOT_FOUND);
}

static enum sn_status start_failed(const char *name, int error_number, int *out_exit_code, struct sn_error *err)
{
    if (error_number == ENOENT || error_number == ENOTDIR) {
        *out_exit_code = SN_EXIT_NOT_FOUND;
        return sn_fail(err, SN_NOT_FOUND, "COMMAND_NOT_FOUND", "command not found: '%s'", name);
    }
    *out_exit_code = SN_EXIT_NOT_EXECUTABLE;
    return sn_fail(err, SN_IO, "COMMAND_NOT_EXECUTABLE", "cannot run '%s': %s", name, strerrordesc_np(error_number));
}

/*
 * Reaps everything that has ended; true once the command itself has. Orphans come to this thread, the first one;
 * children of other threads (a credential_process that the relay started) are left to those who wait for them.
 */
static bool reap(pid_t child, int *out_exit_code)
{
    bool ended = false;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | __WNOTHREAD)) > 0) {
        if (pid == child) {
            *out_exit_code = WIFSIGNALED(status) ? SN_EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
            ended = true;
        }
    }
    return ended;
}

static void wait_for(pid_t child, int *out_exit_code)
{
    sigset_t waited;

    waited_set(&waited);
    /* One thread waits and signals, so the pid cannot be reaped and reused between the two. */
    while (!reap(child, out_exit_code)) {
        int signal_number = sigwaitinfo(&waited, NULL);
        if (signal_number > 0 && signal_number != SIGCHLD) {
            (void)kill(child, signal_number);
        }
    }
}

enum sn_status sn_child_run(const struct sn_child_signals *before, mode_t mask,
    const struct sn_inherited_fds *inherited, const char *const *argv, char *const *env, int *out_exit_code,
    struct sn_error *err)
{
    struct sn_inherited_fds keep = *inherited;
    int pipe_fds[2];
    int error_number = 0;

    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return sn_fail_errno(err, "PROCESS_START", errno, "cannot start '%s'", argv[0]);
    }
    SN_AUTO(sn_fd_close) int read_fd = pipe_fds[0];
    SN_AUTO(sn_fd_close) int write_fd = pipe_fds[1];
    each_fd(close_on_exec, &keep);
    pid_t child = fork();
    if (child < 0) {
        return sn_fail_errno(err, "PROCESS_START", errno, "cannot start '%s'", argv[0]);
    }
    if (child == 0) {
        become(before, mask, argv, env, write_fd);
    }
    sn_fd_close(&write_fd);
    ssize_t got;
    do {
        got = read(read_fd, &error_number, sizeof(error_number));
    } while (got < 0 && errno == EINTR);
    wait_for(child, out_exit_code);
    if (got == (ssize_t)sizeof(error_number)) {
        return start_failed(argv[0], error_number, out_exit_code, err);
    }
    return SN_OK;
}

enum sn_status sn_child_become(mode_t mask, const struct sn_inherited_fds *inherited, const char *const *argv,
    char *const *env, int *out_exit_code, struct sn_error *err)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    struct sn_inherited_fds keep = *inherited;

    each_fd(close_on_exec, &keep);
    sigaction(SIGPIPE, &standard, NULL);
    umask(mask);
    execvpe(argv[0], (char *const *)(uintptr_t)argv, env);
    int error_number = errno;
    umask(077);
    return start_failed(argv[0], error_number, out_exit_code, err);
}
