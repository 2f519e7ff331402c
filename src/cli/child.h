/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/child.h - starting one command and living beside it.
 *
 * The command stays in the foreground process group: SIGINT and SIGQUIT reach it from the terminal and are ignored
 * here. SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are passed on. This process is subreaper, so that whatever the command
 * leaves behind stays below it, and ends with the command.
 */
#ifndef SN_CLI_CHILD_H
#define SN_CLI_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum { SN_EXIT_NOT_EXECUTABLE = 126, SN_EXIT_NOT_FOUND = 127, SN_EXIT_SIGNAL_BASE = 128 };

/*
 * The descriptors above stderr that the caller handed over, such as those of "<(...)". To be noted before anything is
 * opened. What libraries open without close-on-exec is told apart by it.
 */
enum { SN_INHERITED_FDS_MAX = 256 };
struct sn_inherited_fds {
    int fds[SN_INHERITED_FDS_MAX];
    size_t count;
};
void sn_inherited_fds_note(struct sn_inherited_fds *out_fds);

/* What is given back to the command as it was. */
struct sn_child_signals {
    sigset_t mask;
    struct sigaction on_int, on_quit;
};

/* Blocks the signals that are passed on, for every thread made from now on, and becomes subreaper. */
void sn_child_prepare(struct sn_child_signals *out_before);

/*
 * Runs argv with env and umask and waits. The command gets stdin, stdout, stderr and inherited, and no other
 * descriptor. *out_exit_code: the command's own, 128+n for signal n, or 126/127 with an error (COMMAND_NOT_EXECUTABLE,
 * COMMAND_NOT_FOUND) when it could not be started.
 */
SN_MUST_CHECK enum sn_status sn_child_run(const struct sn_child_signals *before, mode_t mask,
    const struct sn_inherited_fds *inherited, const char *const *argv, char *const *env, int *out_exit_code,
    struct sn_error *err);
/*
 * Becomes the command: same process, signals as they come from a shell. Returns only when it cannot be started, with
 * the errors and codes of sn_child_run.
 */
SN_MUST_CHECK enum sn_status sn_child_become(mode_t mask, const struct sn_inherited_fds *inherited,
    const char *const *argv, char *const *env, int *out_exit_code, struct sn_error *err);

#endif
