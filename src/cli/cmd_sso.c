/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_sso.c - sso login, sso logout, sso status.
 */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/time.h"
#include "cli/report.h"
#include "cli/sso_commands.h"
#include "cli/vault_access.h"
#include "codec/json.h"

enum { SESSIONS_MAX = 256, NAME_COLUMN = 20, STATE_COLUMN = 10, TIME_COLUMN = 26, EXIT_NEGATIVE = 1 };

/* --- login --- */

struct login_args {
    struct sn_sso_target_args target;
    struct sn_sso_args sso;
    const char *browser;
    bool no_browser;
};

/* clang-format off */
static const struct sn_opt login_opts[] = {
    SN_SSO_TARGET_OPTS(struct login_args, target),
    {.name = "no-browser", .kind = SN_OPT_FLAG, .field = offsetof(struct login_args, no_browser),
     .help = "open none: the address and a code are shown, for a browser on any device"},
    {.name = "stdout", .kind = SN_OPT_FLAG, .flags = SN_OPT_HIDDEN, .field = offsetof(struct login_args, no_browser),
     .help = "the same as --no-browser"},
    {.name = "browser", .metavar = "COMMAND", .kind = SN_OPT_STRING, .field = offsetof(struct login_args, browser),
     .help = "program that opens the address, %u in it or behind it; else BROWSER, else xdg-open"},
    SN_SSO_FLOW_OPT(struct login_args, sso.flow),
    {0},
};
/* clang-format on */

static void put_token(
    struct sn_json_writer *w, const struct sn_sso_settings *settings, const struct sn_sso_token *token, int64_t now_s)
{
    char text[SN_TIME_TEXT_MAX];
    bool is_in = token != NULL;

    sn_json_begin_object(w);
    sn_json_member_str(w, "session", settings->session[0] != '\0' ? settings->session : NULL);
    sn_json_member_str(w, "start_url", settings->start_url);
    sn_json_member_str(w, "region", settings->region);
    sn_json_member_str(w, "state", !is_in ? "none" : token->expires_unix_s > now_s ? "valid" : "expired");
    sn_json_key(w, "expires_at");
    if (is_in) {
        sn_json_put_text(w, sn_time_format_rfc3339_ms(token->expires_unix_s * 1000, text));
    } else {
        sn_json_put_null(w);
    }
    sn_json_member_bool(w, "can_refresh", is_in && sn_sso_token_can_refresh(token, now_s));
    sn_json_end_object(w);
}

static enum sn_status run_login(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct login_args *args = arguments;
    SN_AUTO(sn_sso_access_clear) struct sn_sso_access access = {0};
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_json_writer w;
    char text[SN_TIME_TEXT_MAX];

    SN_TRY(sn_sso_access_open(app, &args->target, &args->sso, &access, err));
    access.person.person.no_browser = args->no_browser;
    access.person.person.browser = args->browser;
    sn_app_failure(app, "not signed in to %s", sn_sso_access_name(&access.settings));
    SN_TRY(sn_sso_get_token(&access.world, &access.settings, SN_SSO_WANT_LOGIN, &token, err));
    sn_app_failure(app, "%s", "");
    (void)sn_vault_drop_issued(); /* perhaps to another person */
    sn_app_note(app, "signed in to %s until %s", sn_sso_access_name(&access.settings),
        sn_time_format_rfc3339_s(token.expires_unix_s, text).ptr);
    if (!app->json) {
        return SN_OK;
    }
    sn_json_writer_init(&w, &out);
    put_token(&w, &access.settings, &token, sn_clock_unix_s(access.world.clock));
    sn_buf_add_byte(&out, '\n');
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example login_examples[] = {
    {"sentinel sso login --session corp", "in the browser, where there is one"},
    {"sentinel sso login --profile dev --no-browser", "shows an address and a code, for any device"},
    {0},
};

const struct sn_cmd sn_cmd_sso_login = {
    .name = "sso login",
    .group = SN_GROUP_VAULT,
    .summary = "sign in to IAM Identity Center",
    .description = "Signs in anew and keeps the token in ~/.aws/sso/cache, where AWS's own tools find it too. With a "
                   "browser on this machine and an sso-session the browser comes back by itself; over SSH, without a "
                   "display and in profiles without an sso-session a code is shown, to be compared with the one on the "
                   "page.\n\n"
                   "Credentials that the TVM issued earlier are dropped from the kernel keyring. Without --session and "
                   "--profile, AWS_PROFILE or the only sso-session of the config is taken.",
    .opts = login_opts,
    .examples = login_examples,
    .args_size = sizeof(struct login_args),
    .run = run_login,
};

/* --- logout --- */

struct target_args {
    struct sn_sso_target_args target;
    struct sn_sso_args sso; /* none of its options: nobody is asked */
};

/* clang-format off */
static const struct sn_opt target_opts[] = {
    SN_SSO_TARGET_OPTS(struct target_args, target),
    {0},
};
/* clang-format on */

static enum sn_status run_logout(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct target_args *args = arguments;
    SN_AUTO(sn_sso_access_clear) struct sn_sso_access access = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_json_writer w;
    bool was_in = false;

    SN_TRY(sn_sso_access_open(app, &args->target, &args->sso, &access, err));
    (void)sn_vault_drop_issued();
    SN_TRY(sn_sso_sign_out(&access.world, &access.settings, &was_in, err));
    sn_app_note(
        app, "%s %s", was_in ? "signed out of" : "nobody was signed in to", sn_sso_access_name(&access.settings));
    if (!app->json) {
        return SN_OK;
    }
    sn_json_writer_init(&w, &out);
    sn_json_begin_object(&w);
    sn_json_member_bool(&w, "was_signed_in", was_in);
    sn_json_end_object(&w);
    sn_buf_add_byte(&out, '\n');
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example logout_examples[] = {
    {"sentinel sso logout --session corp", "ends the sign-in, here and at the portal"},
    {0},
};

const struct sn_cmd sn_cmd_sso_logout = {
    .name = "sso logout",
    .group = SN_GROUP_VAULT,
    .summary = "end a sign-in to IAM Identity Center",
    .description =
        "Ends the sign-in at the portal, removes its token and registrations from ~/.aws/sso/cache, and drops "
        "role credentials and what the TVM issued from the kernel keyring. Credentials that others hold "
        "already stay good until they end.",
    .opts = target_opts,
    .examples = logout_examples,
    .args_size = sizeof(struct target_args),
    .run = run_logout,
};

/* --- status --- */

/* Every Identity Center of the config once: sessions, then start URLs of profiles without one. */
struct places {
    struct sn_sso_settings *items;
    size_t count;
};

static void add_place(struct places *places, const struct sn_sso_settings *settings)
{
    for (size_t i = 0; i < places->count; i++) {
        if (sn_slice_eq(sn_sso_settings_key(&places->items[i]), sn_sso_settings_key(settings))) {
            return;
        }
    }
    if (places->count < SESSIONS_MAX) {
        places->items[places->count++] = *settings;
    }
}

/* What cannot be read is warned of and left out. */
static void find_places(const struct sn_app *app, const struct sn_base_files *files, struct places *places)
{
    for (size_t i = 0; i < sn_awsconfig_count(files->config); i++) {
        enum sn_awsconfig_section_kind kind;
        struct sn_slice name = sn_awsconfig_section_at(files->config, i, &kind);
        struct sn_sso_settings settings;
        struct sn_error why;
        bool found = false;
        enum sn_status status = SN_OK;
        if (kind == SN_AWSCONFIG_SSO_SESSION) {
            status = sn_sso_settings_of_session(files, name, &settings, &why);
            found = true;
        } else if (kind == SN_AWSCONFIG_PROFILE) {
            status = sn_sso_settings_of_profile(files, name, false, &settings, &found, &why);
        }
        if (status != SN_OK) {
            sn_app_warn(app, "%s", why.message);
        } else if (found) {
            add_place(places, &settings);
        }
    }
}

struct status_output {
    struct sn_buf json, table;
};

static void status_output_clear(struct status_output *output)
{
    sn_buf_clear(&output->json);
    sn_buf_clear(&output->table);
}

static void add_row(
    struct sn_buf *table, const struct sn_sso_settings *settings, const struct sn_sso_token *token, int64_t now_s)
{
    char text[SN_TIME_TEXT_MAX] = "-";
    const char *state = "none";

    if (token != NULL) {
        (void)sn_time_format_rfc3339_s(token->expires_unix_s, text);
        state = token->expires_unix_s > now_s ? "valid" : "expired";
        if (token->expires_unix_s <= now_s && sn_sso_token_can_refresh(token, now_s)) {
            state = "renewable";
        }
    }
    sn_buf_addf(table, "%-*s  %-*s  %-*s  ", NAME_COLUMN, settings->session[0] != '\0' ? settings->session : "-",
        STATE_COLUMN, state, TIME_COLUMN, text);
    sn_cli_printable(table, sn_slice_str(settings->start_url));
    sn_buf_add_byte(table, '\n');
}

static enum sn_status add_status(const struct sn_sso_world *world, const struct sn_sso_settings *settings,
    struct status_output *output, bool *out_serves, struct sn_error *err)
{
    SN_AUTO(sn_sso_token_clear) struct sn_sso_token token = {0};
    char path[SN_SSO_CACHE_PATH_MAX];
    struct sn_json_writer w;
    bool found = false;
    int64_t now_s = sn_clock_unix_s(world->clock);

    SN_TRY(sn_sso_cache_path(world->env, "", sn_sso_settings_key(settings), path, err));
    SN_TRY(sn_sso_token_load(path, &token, &found, err));
    if (output->json.len > 0) {
        sn_buf_add_byte(&output->json, ',');
    }
    sn_json_writer_init(&w, &output->json);
    put_token(&w, settings, found ? &token : NULL, now_s);
    add_row(&output->table, settings, found ? &token : NULL, now_s);
    *out_serves = found && (token.expires_unix_s > now_s || sn_sso_token_can_refresh(&token, now_s));
    return SN_OK;
}

static enum sn_status write_status(struct sn_app *app, const struct status_output *output, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    if (app->json) {
        sn_buf_addf(&out, "{\"sessions\":[%s]}\n", sn_buf_str(&output->json));
    } else if (output->table.len == 0) {
        sn_buf_add_str(&out, "The AWS config names no IAM Identity Center.\n");
    } else {
        sn_buf_addf(&out, "%-*s  %-*s  %-*s  %s\n%s", NAME_COLUMN, "SESSION", STATE_COLUMN, "STATE", TIME_COLUMN,
            "EXPIRES", "START URL", sn_buf_str(&output->table));
    }
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static void free_settings(struct sn_sso_settings **settings)
{
    sn_free(*settings);
}

static enum sn_status run_status(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct target_args *args = arguments;
    SN_AUTO(sn_sso_access_clear) struct sn_sso_access access = {0};
    SN_AUTO(status_output_clear) struct status_output output = {0};
    SN_AUTO(free_settings) struct sn_sso_settings *items = sn_alloc(SESSIONS_MAX, sizeof(*items));
    struct places places = {.items = items};
    bool is_named = args->target.session != NULL || args->target.profile != NULL;
    bool serves = true;

    if (is_named) {
        SN_TRY(sn_sso_access_open(app, &args->target, &args->sso, &access, err));
        add_place(&places, &access.settings);
    } else {
        SN_TRY(sn_sso_access_world(app, &args->sso, &access, err));
        find_places(app, &access.files, &places);
    }
    for (size_t i = 0; i < places.count; i++) {
        SN_TRY(add_status(&access.world, &places.items[i], &output, &serves, err));
    }
    SN_TRY(write_status(app, &output, err));
    if (is_named && !serves) {
        sn_app_outcome(app, EXIT_NEGATIVE);
    }
    return SN_OK;
}

static const struct sn_example status_examples[] = {
    {"sentinel sso status", "all that the AWS config names"},
    {"sentinel sso status --session corp && deploy", "exit code 0 when a sign-in serves, 1 when it does not"},
    {0},
};

const struct sn_cmd sn_cmd_sso_status = {
    .name = "sso status",
    .group = SN_GROUP_VAULT,
    .summary = "show sign-ins to IAM Identity Center",
    .description = "Shows each Identity Center that the AWS config names, whether somebody is signed in, and until "
                   "when. Asks nobody: a token that the portal has ended meanwhile looks valid here. With --session or "
                   "--profile the exit code is 1 when no sign-in serves.",
    .writes_result = true,
    .opts = target_opts,
    .examples = status_examples,
    .args_size = sizeof(struct target_args),
    .run = run_status,
};
