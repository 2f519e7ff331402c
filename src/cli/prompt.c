/* SPDX-License-Identifier: Apache-2.0 */
/* cli/prompt.c - see prompt.h. */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"

/* The line without its newline. */
static enum sn_status read_line(int fd, struct sn_secret *out_secret, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret typed = {0};
    size_t len = 0;

    sn_secret_alloc(&typed, SN_PROMPT_MAX);
    for (;;) {
        ssize_t got = len < SN_PROMPT_MAX ? read(fd, typed.bytes + len, 1) : 0;
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return sn_fail(err, SN_INVALID, "CANCELLED", "nothing was entered");
        }
        if (typed.bytes[len] == '\n') {
            break;
        }
        len++;
    }
    sn_secret_set(out_secret, sn_slice_bytes(typed.bytes, len));
    return SN_OK;
}

enum sn_status sn_prompt_secret(const char *question, struct sn_secret *out_secret, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before, silent;
    struct sn_error ignored = {0};

    if (fd < 0 || tcgetattr(fd, &before) != 0) {
        sn_fail(err, SN_INVALID, "NO_TERMINAL", "there is no terminal to ask on");
        return sn_suggest(err, "run it in a terminal; passphrases are not taken from arguments or the environment");
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(fd, TCSAFLUSH, &silent) != 0) {
        return sn_fail(err, SN_INVALID, "NO_TERMINAL", "the terminal cannot be made silent");
    }
    /* Asked only now: the switch drops what was typed before it. */
    (void)!sn_fd_write_all(fd, sn_slice_str(question), &ignored);
    enum sn_status status = read_line(fd, out_secret, err);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)!sn_fd_write_all(fd, SN_S("\n"), &ignored);
    return status;
}
