/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/prompt.c - see prompt.h.
 *
 * A signal that ends or stops the process while nothing is echoed would leave the terminal that way: those signals are
 * caught, the terminal is put right, and then they are sent again. They are let in only while a key is waited for.
 */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"

enum { CONFIRM_MAX = 64 };

static const int caught_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
static volatile sig_atomic_t caught; /* the number; 0: none */

struct guard {
    sigset_t mask; /* as it was before */
    struct sigaction actions[SN_LEN(caught_signals)];
};

static void note(int number)
{
    caught = number;
}

static void guard_begin(struct guard *guard)
{
    const struct sigaction catching = {.sa_handler = note}; /* without SA_RESTART: the wait for a key ends */
    sigset_t held;

    sigemptyset(&held);
    for (size_t i = 0; i < SN_LEN(caught_signals); i++) {
        sigaddset(&held, caught_signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &held, &guard->mask);
    caught = 0;
    for (size_t i = 0; i < SN_LEN(caught_signals); i++) {
        (void)sigaction(caught_signals[i], NULL, &guard->actions[i]);
        if (guard->actions[i].sa_handler != SIG_IGN) {
            (void)sigaction(caught_signals[i], &catching, NULL);
        }
    }
}

static void guard_end(const struct guard *guard)
{
    for (size_t i = 0; i < SN_LEN(caught_signals); i++) {
        (void)sigaction(caught_signals[i], &guard->actions[i], NULL);
    }
    (void)sigprocmask(SIG_SETMASK, &guard->mask, NULL);
}

/* One byte; false at the end of input, or when a signal came. */
static bool read_byte(int fd, const sigset_t *open_mask, unsigned char *out_byte)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = ppoll(&wait, 1, NULL, open_mask);
        if (caught != 0 || (ready < 0 && errno != EINTR)) {
            return false;
        }
        ssize_t got = ready > 0 ? read(fd, out_byte, 1) : -1;
        if (got >= 0 || (ready > 0 && errno != EINTR)) {
            return got == 1;
        }
    }
}

static enum sn_status cancelled(struct sn_error *err)
{
    return sn_fail(err, SN_INVALID, "CANCELLED", "nothing was entered");
}

/* The line without its newline. */
static enum sn_status read_line(int fd, const sigset_t *open_mask, struct sn_secret *out_secret, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret typed = {0};
    size_t len = 0;

    sn_secret_alloc(&typed, SN_PROMPT_MAX);
    for (;;) {
        if (len == SN_PROMPT_MAX || !read_byte(fd, open_mask, typed.bytes + len)) {
            return cancelled(err);
        }
        if (typed.bytes[len] == '\n') {
            break;
        }
        len++;
    }
    sn_secret_set(out_secret, sn_slice_bytes(typed.bytes, len));
    return SN_OK;
}

static enum sn_status ask(int fd, const struct termios *before, bool is_shown, const char *question,
    struct sn_secret *out_secret, struct sn_error *err)
{
    struct termios during = *before;
    struct guard guard;
    struct sn_error ignored = {0};

    if (!is_shown) {
        during.c_lflag &= ~(tcflag_t)ECHO;
    }
    guard_begin(&guard);
    if (tcsetattr(fd, TCSAFLUSH, &during) != 0) {
        guard_end(&guard);
        return sn_fail(err, SN_INVALID, "NO_TERMINAL", "the terminal cannot be made silent");
    }
    /* Asked only now: the switch drops what was typed before it. */
    (void)!sn_fd_write_all(fd, sn_slice_str(question), &ignored);
    enum sn_status status = read_line(fd, &guard.mask, out_secret, err);
    (void)tcsetattr(fd, TCSAFLUSH, before);
    if (!is_shown) {
        (void)!sn_fd_write_all(fd, SN_S("\n"), &ignored);
    }
    guard_end(&guard);
    return status;
}

static enum sn_status prompt(const char *question, bool is_shown, struct sn_secret *out_secret, struct sn_error *err)
{
    SN_AUTO(sn_fd_close) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before;

    if (fd < 0 || tcgetattr(fd, &before) != 0) {
        sn_fail(err, SN_INVALID, "NO_TERMINAL", "there is no terminal to ask on");
        return sn_suggest(err, "run it in a terminal; passphrases are not taken from arguments or the environment");
    }
    for (;;) {
        enum sn_status status = ask(fd, &before, is_shown, question, out_secret, err);
        int number = caught;
        if (number == 0) {
            return status;
        }
        (void)raise(number); /* ends the process, or stops it for a while */
        if (number != SIGTSTP) {
            return cancelled(err);
        }
    }
}

enum sn_status sn_prompt_secret(const char *question, struct sn_secret *out_secret, struct sn_error *err)
{
    return prompt(question, false, out_secret, err);
}

enum sn_status sn_prompt_text(const char *question, char out_text[SN_PROMPT_MAX + 1], struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret answer = {0};

    SN_TRY(prompt(question, true, &answer, err));
    struct sn_slice text = sn_slice_trim_space(sn_secret_reveal(&answer));
    (void)snprintf(out_text, SN_PROMPT_MAX + 1, "%.*s", SN_PRI(text));
    return SN_OK;
}

enum sn_status sn_prompt_yes(const char *question, bool *out_is_yes, struct sn_error *err)
{
    char answer[SN_PROMPT_MAX + 1];

    SN_TRY(sn_prompt_text(question, answer, err));
    struct sn_slice text = sn_slice_str(answer);
    *out_is_yes = sn_slice_eq_nocase(text, SN_S("y")) || sn_slice_eq_nocase(text, SN_S("yes"));
    return SN_OK;
}

enum sn_status sn_prompt_confirm(const char *question, const char *option, bool *out_is_yes, struct sn_error *err)
{
    char line[CONFIRM_MAX];
    size_t len = 0;
    struct sn_error ignored = {0};

    (void)!sn_fd_write_all(STDERR_FILENO, sn_slice_str(question), &ignored);
    for (;;) {
        char byte = '\0';
        ssize_t got = read(STDIN_FILENO, &byte, 1); /* one at a time: what follows the line is not ours */
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 && len == 0) {
            (void)!sn_fd_write_all(STDERR_FILENO, SN_S("\n"), &ignored);
            sn_fail(err, SN_USAGE, "NO_ANSWER", "the input ended without an answer; nothing was changed");
            return sn_suggest(err, "add %s to go on without being asked", option);
        }
        if (got <= 0 || byte == '\n') {
            break;
        }
        if (len < sizeof(line)) {
            line[len++] = byte;
        }
    }
    struct sn_slice answer = sn_slice_trim_space(sn_slice_bytes(line, len));
    *out_is_yes = sn_slice_eq_nocase(answer, SN_S("y")) || sn_slice_eq_nocase(answer, SN_S("yes"));
    return SN_OK;
}
