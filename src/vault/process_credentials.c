/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/process_credentials.c - runs a credential_process and reads its answer.
 */
#include "vault/process_credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/time.h"
#include "codec/json.h"
#include "platform/process_tree.h"

enum { MAX_COMPLAINT = 4096, COMPLAINT_CHARS = 200, MAX_VARIABLES = 64, GUARD_MAX = 4096, KEY_MAX = 256 };

/* --- Words --- */

/* Adds one word's text up to a blank outside quotes; false when a quote does not end. */
static bool read_word(struct sn_slice text, size_t *at, struct sn_buf *word)
{
    char quote = '\0';

    for (; *at < text.len; (*at)++) {
        char c = text.ptr[*at];
        if (quote == '\0' && (c == ' ' || c == '\t')) {
            return true;
        }
        if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (quote != '\0' && c == quote) {
            quote = '\0';
        } else if (c == '\\' && quote != '\'' && *at + 1 < text.len &&
                   (quote == '\0' || text.ptr[*at + 1] == '"' || text.ptr[*at + 1] == '\\')) {
            sn_buf_add_byte(word, text.ptr[++*at]);
        } else {
            sn_buf_add_byte(word, c);
        }
    }
    return quote == '\0';
}

enum sn_status sn_process_split(
    struct sn_slice command, struct sn_arena *arena, char *out_words[SN_PROCESS_MAX_WORDS + 1], struct sn_error *err)
{
    size_t count = 0;
    size_t at = 0;

    for (;;) {
        SN_AUTO(sn_buf_clear) struct sn_buf word = {0};
        while (at < command.len && (command.ptr[at] == ' ' || command.ptr[at] == '\t')) {
            at++;
        }
        if (at == command.len) {
            break;
        }
        if (count == SN_PROCESS_MAX_WORDS) {
            return sn_fail(
                err, SN_INVALID, "CONFIG_INVALID", "credential_process has more than %d words", SN_PROCESS_MAX_WORDS);
        }
        if (!read_word(command, &at, &word)) {
            return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "credential_process has a quote that does not end");
        }
        out_words[count++] = sn_arena_str(arena, sn_buf_slice(&word));
    }
    if (count == 0) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "credential_process is empty");
    }
    out_words[count] = NULL;
    return SN_OK;
}

/* --- Environment of the process --- */

/* What a credential helper may need; keys in the environment are not among it. */
static const char *const passed_variables[] = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE",
    "LC_MESSAGES", "TZ", "TMPDIR", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
    "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
    "GPG_TTY", "GNUPGHOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SENTINEL_TVM_URL", "SENTINEL_TVM_AUTH"};
_Static_assert(SN_LEN(passed_variables) + 2 <= MAX_VARIABLES, "room for the guard and the end");

static enum sn_status check_guard(struct sn_slice profile, const char *guard, struct sn_error *err)
{
    struct sn_slice rest = sn_slice_str(guard);
    struct sn_slice name;

    while (sn_slice_next(&rest, '\n', &name)) {
        if (sn_slice_eq(name, profile)) {
            (void)sn_fail(err, SN_INVALID, "CONFIG_INVALID", "credential_process of '%.*s' calls itself",
                SN_PRI(sn_slice_sub(profile, 0, 80)));
            return sn_suggest(err, "name a profile with credentials of its own: --aws-profile NAME");
        }
    }
    if (rest.len + strlen(guard) + profile.len + 2 > GUARD_MAX) {
        return sn_fail(err, SN_INVALID, "CONFIG_INVALID", "credential_process calls are nested too deeply");
    }
    return SN_OK;
}

static void make_environment(struct sn_slice profile, const char *guard, const struct sn_env *env,
    struct sn_arena *arena, char *out_variables[MAX_VARIABLES])
{
    size_t count = 0;

    for (size_t i = 0; i < SN_LEN(passed_variables); i++) {
        const char *value = env->get(env->ctx, passed_variables[i]);
        if (value != NULL) {
            struct sn_buf text = {0};
            sn_buf_addf(&text, "%s=%s", passed_variables[i], value);
            out_variables[count++] = sn_arena_str(arena, sn_buf_slice(&text));
            sn_buf_clear(&text);
        }
    }
    struct sn_buf text = {0};
    sn_buf_addf(&text, "SENTINEL_CP_PROFILES=%s%s", guard, guard[0] != '\0' ? "\n" : "");
    sn_buf_add(&text, profile);
    out_variables[count++] = sn_arena_str(arena, sn_buf_slice(&text));
    sn_buf_clear(&text);
    out_variables[count] = NULL;
}

/* --- Running --- */

struct running {
    pid_t pid; /* 0: none */
    int out, err;
    struct sn_buf output, complaint;
};

static void running_clear(struct running *r)
{
    int status = 0;

    sn_fd_close(&r->out);
    sn_fd_close(&r->err);
    if (r->pid > 0) {
        sn_process_tree_kill(r->pid);
        while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR) {
        }
        r->pid = 0;
    }
    sn_buf_clear(&r->output);
    sn_buf_clear(&r->complaint);
}

static enum sn_status failed(struct sn_error *err, const char *what, const char *detail)
{
    return sn_fail(err, SN_UNAVAILABLE, "CREDENTIAL_PROCESS_FAILED", "credential_process %s%s", what, detail);
}

/* Starts the program found in PATH, with no input and both outputs in pipes of ours. */
static enum sn_status start(char *const words[], char *const variables[], struct running *r, struct sn_error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    int out[2] = {-1, -1};
    int complaints[2] = {-1, -1};
    int fault = 0;

    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(complaints, O_CLOEXEC) != 0) {
        sn_fd_close(&out[0]);
        sn_fd_close(&out[1]);
        return failed(err, "could not be started: no pipe", "");
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    (void)posix_spawn_file_actions_adddup2(&actions, complaints[1], 2);
    /* Ours close on exec; a library's may not. */
    (void)posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    (void)posix_spawnattr_init(&attributes);
    (void)sigfillset(&signals);
    (void)posix_spawnattr_setsigdefault(&attributes, &signals);
    (void)sigemptyset(&signals);
    (void)posix_spawnattr_setsigmask(&attributes, &signals);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    fault = posix_spawnp(&r->pid, words[0], &actions, &attributes, words, variables);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    sn_fd_close(&out[1]);
    sn_fd_close(&complaints[1]);
    r->out = out[0];
    r->err = complaints[0];
    if (fault != 0) {
        r->pid = 0;
        return failed(err, "could not be started: ", fault == ENOENT ? "no such program" : "not executable");
    }
    return SN_OK;
}

/* Reads what is there. The complaint is cut at its limit and read on; too much output is an error. */
static enum sn_status drain(int *fd, struct sn_buf *into, bool cut, struct sn_error *err)
{
    char chunk[4096];
    ssize_t got = read(*fd, chunk, sizeof(chunk));
    enum sn_status status = SN_OK;

    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return SN_OK;
    }
    if (got <= 0) {
        sn_fd_close(fd);
        return SN_OK;
    }
    if (!cut && into->len + (size_t)got > SN_PROCESS_MAX_OUTPUT) {
        status = failed(err, "printed more than 64 KiB", "");
    } else {
        size_t room = cut ? MAX_COMPLAINT - into->len : (size_t)got;
        sn_buf_add_bytes(into, chunk, (size_t)got < room ? (size_t)got : room);
    }
    sn_wipe(chunk, sizeof(chunk));
    return status;
}

/* Collects both outputs until the standard one ends. */
static enum sn_status collect(struct running *r, int64_t end_ms, struct sn_error *err)
{
    const struct sn_clock *clock = sn_clock_system();

    while (r->out >= 0) {
        struct pollfd fds[] = {{.fd = r->out, .events = POLLIN}, {.fd = r->err, .events = POLLIN}};
        int64_t left = end_ms - sn_clock_mono_ms(clock);
        if (left <= 0) {
            return sn_fail(err, SN_TIMEOUT, "CREDENTIAL_PROCESS_FAILED", "credential_process did not end in time");
        }
        if (poll(fds, 2, (int)left) < 0 && errno != EINTR) {
            return failed(err, "could not be read", "");
        }
        if (fds[0].revents != 0) {
            SN_TRY(drain(&r->out, &r->output, false, err));
        }
        if (r->err >= 0 && fds[1].revents != 0) {
            SN_TRY(drain(&r->err, &r->complaint, true, err));
        }
    }
    return SN_OK;
}

/* Waits for the end, within the time that is left. */
static enum sn_status reap(struct running *r, int64_t end_ms, int *out_status, struct sn_error *err)
{
    const struct sn_clock *clock = sn_clock_system();

    for (;;) {
        pid_t got = waitpid(r->pid, out_status, WNOHANG);
        if (got == r->pid) {
            r->pid = 0;
            return SN_OK;
        }
        if (got < 0 && errno != EINTR) {
            r->pid = 0;
            return failed(err, "was lost", "");
        }
        if (sn_clock_mono_ms(clock) >= end_ms) {
            return sn_fail(err, SN_TIMEOUT, "CREDENTIAL_PROCESS_FAILED", "credential_process did not end in time");
        }
        (void)poll(NULL, 0, 2); /* its output has ended, so its end is near */
    }
}

/* The first line of its complaint that says something, made safe. */
static enum sn_status ended_badly(struct running *r, int status, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf safe = {0};
    struct sn_slice rest = {0};
    struct sn_slice line = {0};
    char how[64];

    while (r->err >= 0 && r->complaint.len < MAX_COMPLAINT) {
        struct pollfd fd = {.fd = r->err, .events = POLLIN};
        if (poll(&fd, 1, 0) <= 0 || drain(&r->err, &r->complaint, true, err) != SN_OK) {
            break;
        }
    }
    rest = sn_buf_slice(&r->complaint);
    while (sn_slice_next(&rest, '\n', &line) && sn_slice_trim_space(line).len == 0) {
    }
    if (WIFSIGNALED(status)) {
        (void)snprintf(how, sizeof(how), "was ended by signal %d", WTERMSIG(status));
    } else {
        (void)snprintf(how, sizeof(how), "ended with code %d", WEXITSTATUS(status));
    }
    sn_sanitize(&safe, sn_slice_trim_space(line), COMPLAINT_CHARS);
    return sn_fail(err, SN_UNAVAILABLE, "CREDENTIAL_PROCESS_FAILED", "credential_process %s%s%s", how,
        safe.len > 0 ? ": " : "", sn_buf_str(&safe));
}

/* --- Answer --- */

static enum sn_status check_version(const struct sn_json *root, struct sn_error *err)
{
    const struct sn_json *version = sn_json_get(root, "Version");

    if (sn_json_kind_of(root) != SN_JSON_OBJECT) {
        return failed(err, "did not print a JSON object", "");
    }
    if (version != NULL && sn_json_int(version, 0) != 1) {
        return failed(err, "answered with a Version other than 1", "");
    }
    return SN_OK;
}

static enum sn_status take_text(
    const struct sn_json *root, const char *name, bool required, struct sn_slice *out, struct sn_error *err)
{
    const struct sn_json *node = sn_json_get(root, name);

    *out = sn_json_text(node);
    if (node != NULL && sn_json_kind_of(node) != SN_JSON_STRING && sn_json_kind_of(node) != SN_JSON_NULL) {
        return failed(err, "answered with a value that is no text: ", name);
    }
    if (required && out->len == 0) {
        return failed(err, "did not answer with ", name);
    }
    return SN_OK;
}

enum sn_status sn_process_parse(
    struct sn_slice output, int64_t now_unix_s, struct sn_credentials *out_credentials, struct sn_error *err)
{
    static const struct sn_json_limits limits = {.max_bytes = SN_PROCESS_MAX_OUTPUT, .max_depth = 4, .max_members = 64};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const struct sn_json *root = NULL;
    struct sn_slice id;
    struct sn_slice secret;
    struct sn_slice token;
    struct sn_slice expiration;
    int64_t expires_ms = 0;

    if (sn_json_parse(output, &limits, &doc, err) != SN_OK) {
        return failed(err, "did not print one JSON object", "");
    }
    root = sn_json_root(doc);
    SN_TRY(check_version(root, err));
    SN_TRY(take_text(root, "AccessKeyId", true, &id, err));
    SN_TRY(take_text(root, "SecretAccessKey", true, &secret, err));
    SN_TRY(take_text(root, "SessionToken", false, &token, err));
    SN_TRY(take_text(root, "Expiration", false, &expiration, err));
    if (id.len > SN_ACCESS_KEY_ID_MAX || !sn_slice_is_alnum_or(id, "_") || secret.len > KEY_MAX) {
        return failed(err, "answered with a key that is none", "");
    }
    if (expiration.len > 0) {
        if (sn_time_parse_rfc3339(expiration, &expires_ms, err) != SN_OK) {
            return failed(err, "answered with an Expiration that is no time", "");
        }
        if (expires_ms / 1000 <= now_unix_s) {
            return failed(err, "answered with credentials that have expired", "");
        }
    }
    sn_credentials_clear(out_credentials);
    (void)snprintf(out_credentials->access_key_id, sizeof(out_credentials->access_key_id), "%.*s", SN_PRI(id));
    sn_secret_set(&out_credentials->secret_access_key, secret);
    if (token.len > 0) {
        sn_secret_set(&out_credentials->session_token, token);
    }
    out_credentials->expires_unix_s = expires_ms / 1000;
    return SN_OK;
}

enum sn_status sn_process_credentials(struct sn_slice profile, struct sn_slice command, const struct sn_env *env,
    int64_t now_unix_s, int timeout_ms, struct sn_credentials *out_credentials, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(running_clear) struct running r = {.out = -1, .err = -1};
    const char *guard = env->get(env->ctx, "SENTINEL_CP_PROFILES");
    char *words[SN_PROCESS_MAX_WORDS + 1];
    char *variables[MAX_VARIABLES];
    int64_t end_ms = sn_clock_mono_ms(sn_clock_system()) + (timeout_ms > 0 ? timeout_ms : SN_PROCESS_TIMEOUT_MS);
    int status = 0;

    SN_TRY(sn_process_split(command, &arena, words, err));
    SN_TRY(check_guard(profile, guard == NULL ? "" : guard, err));
    make_environment(profile, guard == NULL ? "" : guard, env, &arena, variables);
    SN_TRY(start(words, variables, &r, err));
    SN_TRY(collect(&r, end_ms, err));
    SN_TRY(reap(&r, end_ms, &status, err));
    if (status != 0) {
        return ended_badly(&r, status, err);
    }
    return sn_process_parse(sn_buf_slice(&r.output), now_unix_s, out_credentials, err);
}
