/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/browser.c - starts a browser.
 */
#include "vault/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "vault/process_credentials.h"

extern char **environ;

static const char default_command[] = "xdg-open";

bool sn_browser_is_near(const struct sn_env *env, const char *command)
{
    static const char *const far[] = {"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"};
    static const char *const near[] = {"BROWSER", "DISPLAY", "WAYLAND_DISPLAY"};

    for (size_t i = 0; i < SN_LEN(far); i++) {
        if (env->get(env->ctx, far[i]) != NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < SN_LEN(near); i++) {
        if (env->get(env->ctx, near[i]) != NULL) {
            return true;
        }
    }
    return command != NULL;
}

/* --- Words --- */

static char *fill_in(struct sn_arena *arena, struct sn_slice word, const char *url, const char *profile, bool *has_url)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    for (size_t i = 0; i < word.len; i++) {
        char next = word.ptr[i] == '%' && i + 1 < word.len ? word.ptr[i + 1] : '\0';
        if (next == 'u' || next == 's') {
            sn_buf_add_str(&text, url);
            *has_url = true;
            i++;
        } else if (next == 'p') {
            sn_buf_add_str(&text, profile != NULL ? profile : "");
            i++;
        } else if (next == '%') {
            sn_buf_add_byte(&text, '%');
            i++;
        } else {
            sn_buf_add_byte(&text, word.ptr[i]);
        }
    }
    return sn_arena_str(arena, sn_buf_slice(&text));
}

static enum sn_status make_words(struct sn_slice command, const char *url, const char *profile, struct sn_arena *arena,
    char *out_words[SN_PROCESS_MAX_WORDS + 2], struct sn_error *err)
{
    bool has_url = false;
    size_t count = 0;

    if (sn_process_split(command, arena, out_words, err) != SN_OK) {
        (void)sn_fail(err, SN_USAGE, "BROWSER_FAILED", "the command of the browser cannot be read");
        return sn_suggest(err, "write it as PROGRAM [ARGUMENT...], with %%u where the address belongs");
    }
    for (; out_words[count] != NULL; count++) {
        out_words[count] = fill_in(arena, sn_slice_str(out_words[count]), url, profile, &has_url);
    }
    if (!has_url) {
        out_words[count++] = sn_arena_str(arena, sn_slice_str(url));
    }
    out_words[count] = NULL;
    return SN_OK;
}

/* A browser has no use for the keys of the shell it was started from. */
static bool is_secret(const char *entry)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=",
        "AWS_SECURITY_TOKEN=", "AWS_CONTAINER_AUTHORIZATION_TOKEN=", "AWS_VAULT_FILE_PASSPHRASE=",
        "AWS_VAULT_OP_CONNECT_TOKEN=", "AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN="};

    for (size_t i = 0; i < SN_LEN(names); i++) {
        if (strncmp(entry, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

static char **make_environment(struct sn_arena *arena)
{
    size_t count = 0;
    size_t kept = 0;

    while (environ[count] != NULL) {
        count++;
    }
    char **variables = sn_arena_alloc(arena, count + 1, sizeof(*variables));
    for (size_t i = 0; i < count; i++) {
        if (!is_secret(environ[i])) {
            variables[kept++] = environ[i];
        }
    }
    return variables;
}

/* --- Starting --- */

/*
 * Its end is not waited for: where a browser runs already the program ends at once, where not it may run for days. A
 * process of ours that stays until it ends itself would be no better than the entry the kernel keeps for it.
 */
static int start(char *const words[], char *const variables[])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    pid_t pid = 0;
    int fault = 0;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    (void)posix_spawnattr_init(&attributes);
    (void)sigfillset(&signals);
    (void)posix_spawnattr_setsigdefault(&attributes, &signals);
    (void)sigemptyset(&signals);
    (void)posix_spawnattr_setsigmask(&attributes, &signals);
    /* A session of its own: Ctrl-C at our terminal does not end it. */
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    fault = posix_spawnp(&pid, words[0], &actions, &attributes, words, variables);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return fault;
}

enum sn_status sn_browser_open(
    const struct sn_env *env, const char *command, const char *url, const char *profile, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    char *words[SN_PROCESS_MAX_WORDS + 2];

    if (command == NULL) {
        command = env->get(env->ctx, "BROWSER");
    }
    if (command == NULL) {
        command = default_command;
    }
    SN_TRY(make_words(sn_slice_str(command), url, profile, &arena, words, err));
    int fault = start(words, make_environment(&arena));
    if (fault != 0) {
        (void)sn_fail(err, SN_UNAVAILABLE, "BROWSER_FAILED", "the browser '%s' could not be started: %s", words[0],
            fault == ENOENT ? "no such program" : "not executable");
        return sn_suggest(err, "open the address yourself, or set BROWSER");
    }
    return SN_OK;
}
