/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/sso_person.c - what a sign-in shows, and whether it may begin.
 */
#include "cli/sso_person.h"

#include <unistd.h>

#include "base/env.h"
#include "base/fs.h"
#include "base/parse.h"
#include "cli/report.h"

static void say(void *ctx, const char *text)
{
    const struct sn_cli_person *person = ctx;

    sn_app_note(person->app, "%s", text);
}

/* Without a prefix, so that an address can be taken whole; also under --quiet, since nothing goes on without it. */
static void show_code(void *ctx, const char *text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf line = {0};
    struct sn_error ignored;

    (void)ctx;
    sn_cli_printable(&line, sn_slice_str(text));
    sn_buf_add_byte(&line, '\n');
    if (sn_fd_write_all(STDERR_FILENO, sn_buf_slice(&line), &ignored) != SN_OK) {
        return; /* nobody looks */
    }
}

static enum sn_status may_login(const struct sn_sso_args *args, bool always, bool *out_may, struct sn_error *err)
{
    const char *text = sn_env_get("SENTINEL_AUTO_LOGIN");

    if (args->auto_login && args->no_auto_login) {
        return sn_fail(err, SN_USAGE, "CONFLICTING_OPTIONS", "--auto-login and --no-auto-login exclude each other");
    }
    *out_may = always || isatty(STDERR_FILENO) == 1;
    if (text != NULL && sn_parse_bool(sn_slice_str(text), out_may, err) != SN_OK) {
        err->status = SN_USAGE;
        return sn_error_context(err, "SENTINEL_AUTO_LOGIN");
    }
    *out_may = (*out_may || args->auto_login) && !args->no_auto_login;
    return SN_OK;
}

enum sn_status sn_cli_person_init(struct sn_cli_person *person, const struct sn_app *app,
    const struct sn_sso_args *args, bool always, struct sn_error *err)
{
    bool may = false;

    SN_TRY(may_login(args, always, &may, err));
    *person = (struct sn_cli_person){.app = app,
        .person = {.may_login = may,
            .flow = sn_sso_flow_named(args->flow),
            .say = say,
            .show_code = show_code,
            .ctx = person}};
    return SN_OK;
}
