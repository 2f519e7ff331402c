/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main/sentinel_lab.c - 'sentinel lab': the stand-in AWS, and the commands that turn its clock and break its answers.
 *
 * A program of its own: it links neither the request signer nor anything else of what it is there to judge.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/process.h"
#include "lab/config.h"
#include "lab/files.h"
#include "lab/lab.h"
#include "net/listener.h"

enum {
    EXIT_DONE = 0,
    EXIT_WRONG_USAGE = 2,
    EXIT_NOT_DONE = 3,
    CONFIG_MAX_BYTES = 1024 * 1024,
    WORKERS = 64,
    MAX_BODY = 256 * 1024,
    DRAIN_MS = 2000,
    ADDRESS_MAX = 80,
};

static const char usage[] =
    "Usage: sentinel lab --dir DIR [--listen 127.0.0.1:PORT] [--config lab.yaml]\n"
    "       sentinel lab clock +DURATION|-DURATION|=TIME [--dir DIR]\n"
    "       sentinel lab fault SERVICE:ACTION=KIND[,COUNT]|none [--dir DIR]\n"
    "       sentinel lab approve CODE USER [--dir DIR]\n"
    "       sentinel lab decline CODE [--dir DIR]\n"
    "       sentinel lab --print-config\n"
    "\n"
    "A stand-in for AWS STS, IAM roles, CloudTrail and IAM Identity Center on a loopback address, for demos and\n"
    "tests. Its keys are marked LAB and open nothing else. approve and decline decide on a sign-in by its user code.\n"
    "\n"
    "  --dir DIR        where env, aws/config, aws/credentials and journal.jsonl are written\n"
    "                   (default for the commands that ask a running lab: $SENTINEL_LAB_DIR)\n"
    "  --listen ADDR    loopback address and port; port 0 takes a free one (default 127.0.0.1:0)\n"
    "  --config FILE    users, roles and trust policies; --print-config shows the built-in ones\n"
    "\n"
    "Kinds of fault: throttle, 500, slow:SECONDS, cut, html, redirect, other-role, two-arns, wrong-type, none;\n"
    "for sso-oidc:CreateToken also authorization_pending, slow_down, expired_token, access_denied, invalid_grant\n";

struct arguments {
    const char *dir, *listen, *config;
    const char *verb, *operand, *user; /* "clock", "fault", "approve" with a user, "decline" */
    bool print_config, help;
};

static int report(const struct sn_error *err)
{
    fprintf(stderr, "sentinel: error: %s\n", err->message);
    if (err->suggestion[0] != '\0') {
        fprintf(stderr, "  hint: %s\n", err->suggestion);
    }
    return err->status == SN_USAGE || err->status == SN_INVALID ? EXIT_WRONG_USAGE : EXIT_NOT_DONE;
}

static enum sn_status usage_error(struct sn_error *err, const char *what)
{
    (void)sn_fail(err, SN_USAGE, "USAGE", "%s", what);
    return sn_suggest(err, "run 'sentinel lab --help'");
}

static enum sn_status read_option(
    int argc, char **argv, int *i, const char *name, const char **out, struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(argv[*i]);
    struct sn_slice wanted = sn_slice_str(name);
    if (text.len > wanted.len && text.ptr[wanted.len] == '=') {
        *out = argv[*i] + wanted.len + 1;
    } else if (*i + 1 < argc) {
        *out = argv[++*i];
    } else {
        *out = "";
    }
    return (*out)[0] != '\0' ? SN_OK : usage_error(err, "an option is given without its value");
}

static bool is_option(const char *argument, const char *name)
{
    size_t len = strlen(name);
    return strncmp(argument, name, len) == 0 && (argument[len] == '\0' || argument[len] == '=');
}

static bool is_verb(const char *argument)
{
    static const char *const verbs[] = {"clock", "fault", "approve", "decline"};
    for (size_t i = 0; i < SN_LEN(verbs); i++) {
        if (strcmp(argument, verbs[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum sn_status read_arguments(int argc, char **argv, struct arguments *out, struct sn_error *err)
{
    for (int i = 1; i < argc; i++) {
        if (is_option(argv[i], "--dir")) {
            SN_TRY(read_option(argc, argv, &i, "--dir", &out->dir, err));
        } else if (is_option(argv[i], "--listen")) {
            SN_TRY(read_option(argc, argv, &i, "--listen", &out->listen, err));
        } else if (is_option(argv[i], "--config")) {
            SN_TRY(read_option(argc, argv, &i, "--config", &out->config, err));
        } else if (strcmp(argv[i], "--print-config") == 0) {
            out->print_config = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            out->help = true;
        } else if (out->verb == NULL && is_verb(argv[i])) {
            out->verb = argv[i];
        } else if (out->verb != NULL && out->operand == NULL) {
            out->operand = argv[i];
        } else if (out->verb != NULL && strcmp(out->verb, "approve") == 0 && out->user == NULL) {
            out->user = argv[i];
        } else {
            (void)sn_fail(err, SN_USAGE, "USAGE", "'%s' is not understood", argv[i]);
            return sn_suggest(err, "run 'sentinel lab --help'");
        }
    }
    if (out->dir == NULL && out->verb != NULL) {
        out->dir = sn_env_get("SENTINEL_LAB_DIR");
    }
    if (out->help || out->print_config) {
        return SN_OK;
    }
    if (out->verb != NULL && (out->operand == NULL || out->config != NULL || out->listen != NULL)) {
        return usage_error(err, "clock, fault, approve and decline take one operand and --dir");
    }
    if (out->verb != NULL && strcmp(out->verb, "approve") == 0 && out->user == NULL) {
        return usage_error(err, "approve takes the code and the user who signs in");
    }
    if (out->dir != NULL) {
        return SN_OK;
    }
    (void)sn_fail(err, SN_USAGE, "USAGE", "--dir is missing");
    return sn_suggest(err, "%s",
        out->verb != NULL ? "name the directory of the running lab: --dir DIR, or SENTINEL_LAB_DIR"
                          : "name a directory of its own, which is made if need be: sentinel lab --dir DIR");
}

/* The lab gives out keys to whoever asks with its own: it must not be reachable from elsewhere. */
static enum sn_status check_listen(struct sn_slice listen, struct sn_slice *out_host, struct sn_error *err)
{
    struct sn_slice port = {0};
    if (!sn_slice_cut_last(listen, ':', out_host, &port) ||
        !(sn_slice_has_prefix(*out_host, SN_S("127.")) || sn_slice_eq_str(*out_host, "[::1]"))) {
        (void)sn_fail(err, SN_USAGE, "LAB_LISTEN", "the lab listens on loopback only");
        return sn_suggest(err, "use --listen 127.0.0.1:0");
    }
    return SN_OK;
}

static bool accept_host(void *ctx, const struct sn_peer *peer, struct sn_slice host)
{
    (void)ctx;
    (void)peer;
    (void)host;
    return true; /* the Host is part of every signature; unsigned requests get nothing but refusals */
}

static enum sn_status start(struct sn_lab *lab, struct sn_slice listen, struct sn_slice host, const char *dir,
    struct sn_listener **out_listener, struct sn_error *err)
{
    char address[ADDRESS_MAX];
    char url[ADDRESS_MAX];
    snprintf(address, sizeof(address), "%.*s", SN_PRI(listen));
    struct sn_listener_options options = {.addresses = {{.text = address}},
        .address_count = 1,
        .workers = WORKERS,
        .max_body = MAX_BODY,
        .lenient_content_type = true,
        .allow_percent_path = true,
        .handle = sn_lab_handle,
        .refuse = sn_lab_refuse,
        .host = accept_host,
        .ctx = lab};
    SN_TRY(sn_listener_new(&options, out_listener, err));
    snprintf(url, sizeof(url), "http://%.*s:%u", SN_PRI(host), (unsigned)sn_listener_port(*out_listener, 0));
    SN_TRY(sn_lab_files_write(lab, dir, url, err));
    SN_TRY(sn_listener_start(*out_listener, err));
    printf("ready %s\n", url);
    if (fflush(stdout) != 0) {
        return sn_fail(err, SN_IO, "STDOUT", "standard output cannot be written");
    }
    return SN_OK;
}

static void listener_free_p(struct sn_listener **listener)
{
    sn_listener_free(*listener);
    *listener = NULL;
}

static enum sn_status serve(const struct arguments *arguments, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf config = {0};
    SN_AUTO(sn_lab_free_p) struct sn_lab *lab = NULL;
    SN_AUTO(listener_free_p) struct sn_listener *listener = NULL;
    struct sn_slice listen = sn_slice_str(arguments->listen != NULL ? arguments->listen : "127.0.0.1:0");
    struct sn_slice host = {0};
    char journal[SN_LAB_PATH_MAX];
    sigset_t signals;
    int signal_number = 0;

    SN_TRY(check_listen(listen, &host, err));
    if (arguments->config != NULL) {
        SN_TRY(sn_fs_read(arguments->config, CONFIG_MAX_BYTES, &config, err));
    } else {
        sn_buf_add_str(&config, sn_lab_default_config);
    }
    SN_TRY(sn_lab_files_prepare(arguments->dir, err));
    SN_TRY(sn_path_join(journal, sizeof(journal), arguments->dir, "journal.jsonl", err));
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* before the threads, which inherit it */
    struct sn_lab_options options = {.config = sn_buf_slice(&config), .journal_path = journal};
    if (sn_lab_new(&options, &lab, err) != SN_OK) {
        return arguments->config != NULL ? sn_error_context(err, "'%s'", arguments->config) : err->status;
    }
    SN_TRY(start(lab, listen, host, arguments->dir, &listener, err));
    while (sigwait(&signals, &signal_number) == EINTR) {
    }
    sn_lab_stop(lab);
    sn_listener_begin_drain(listener);
    (void)sn_listener_wait_drained(listener, DRAIN_MS);
    return SN_OK;
}

static enum sn_status control(const struct arguments *arguments, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf answer = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf operand = {0};
    bool decides = strcmp(arguments->verb, "approve") == 0 || strcmp(arguments->verb, "decline") == 0;
    sn_buf_add_str(&operand, arguments->operand);
    if (arguments->user != NULL) {
        sn_buf_addf(&operand, " %s", arguments->user);
    }
    SN_TRY(
        sn_lab_files_control(arguments->dir, decides ? "decide" : arguments->verb, sn_buf_str(&operand), &answer, err));
    fputs(sn_buf_str(&answer), stdout);
    return SN_OK;
}

int main(int argc, char **argv)
{
    struct sn_error err = {0};
    struct arguments arguments = {0};
    sn_harden_process();
    if (read_arguments(argc, argv, &arguments, &err) != SN_OK) {
        return report(&err);
    }
    if (arguments.help || arguments.print_config) {
        fputs(arguments.help ? usage : sn_lab_default_config, stdout);
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_NOT_DONE;
    }
    enum sn_status status = arguments.verb != NULL ? control(&arguments, &err) : serve(&arguments, &err);
    if (status != SN_OK) {
        return report(&err);
    }
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_NOT_DONE;
}
