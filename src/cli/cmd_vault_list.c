/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_vault_list.c - vault list: profiles, stored keys, sessions.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/parse.h"
#include "base/time.h"
#include "cli/report.h"
#include "cli/vault_access.h"
#include "codec/json.h"
#include "vault/base_profile.h"

enum { COLUMNS = 3, COLUMN_MIN = 25, ROWS_MAX = 8192 };

struct list_args {
    struct sn_vault_args vault;
    bool profiles, sessions, credentials, no_header;
};

/* clang-format off */
static const struct sn_opt list_opts[] = {
    {.name = "profiles", .kind = SN_OPT_FLAG, .field = offsetof(struct list_args, profiles),
     .help = "only names of profiles, one a line; opens no keyring"},
    {.name = "credentials", .kind = SN_OPT_FLAG, .field = offsetof(struct list_args, credentials),
     .help = "only names under which a key is stored, one a line"},
    {.name = "sessions", .kind = SN_OPT_FLAG, .field = offsetof(struct list_args, sessions),
     .help = "only sessions, one a line"},
    {.name = "no-header", .kind = SN_OPT_FLAG, .field = offsetof(struct list_args, no_header),
     .help = "leave out the table's head"},
    SN_VAULT_OPTS(struct list_args, vault),
    {0},
};
/* clang-format on */

struct session {
    struct sn_session_key key;
    bool is_shown; /* with its profile */
};

struct listing {
    struct sn_base_files files;
    struct sn_keyring_keys keys;
    struct sn_arena arena;
    struct session *sessions;
    size_t session_count;
    int64_t now;
};

static void listing_clear(struct listing *listing)
{
    sn_base_files_clear(&listing->files);
    sn_keyring_keys_clear(&listing->keys);
    sn_arena_clear(&listing->arena);
}

static void collect_sessions(struct listing *l)
{
    l->sessions = sn_arena_alloc(&l->arena, l->keys.count + 1, sizeof(*l->sessions));
    for (size_t i = 0; i < l->keys.count; i++) {
        struct session *session = &l->sessions[l->session_count];
        if (sn_session_key_parse(sn_slice_str(l->keys.items[i]), &session->key) &&
            session->key.expires_unix_s > l->now) {
            l->session_count++;
        }
    }
}

/* The type without the fingerprint behind '#', and the time that is left. */
static void session_label(const struct listing *l, const struct session *session, struct sn_buf *out)
{
    struct sn_slice type = {0};
    struct sn_slice fingerprint = {0};

    (void)sn_slice_cut(sn_slice_str(session->key.type), '#', &type, &fingerprint);
    sn_buf_addf(out, "%.*s:", SN_PRI(type));
    sn_format_duration(out, session->key.expires_unix_s - l->now);
}

static void sessions_of(struct listing *l, struct sn_slice profile, struct sn_buf *out)
{
    for (size_t i = 0; i < l->session_count; i++) {
        if (sn_slice_eq_str(profile, l->sessions[i].key.profile)) {
            sn_buf_add_str(out, out->len > 0 ? ", " : "");
            session_label(l, &l->sessions[i], out);
            l->sessions[i].is_shown = true;
        }
    }
}

static bool is_credential(const char *key)
{
    return sn_stored_kind_of(sn_slice_str(key)) == SN_STORED_CREDENTIAL;
}

static bool has_credential(const struct listing *l, struct sn_slice profile)
{
    for (size_t i = 0; i < l->keys.count; i++) {
        if (is_credential(l->keys.items[i]) && sn_slice_eq_str(profile, l->keys.items[i])) {
            return true;
        }
    }
    return false;
}

/* The profiles of the config in its order; false behind the last. */
static bool profile_at(const struct listing *l, size_t index, struct sn_slice *out_name, bool *out_is_profile)
{
    enum sn_awsconfig_section_kind kind;

    if (index >= sn_awsconfig_count(l->files.config)) {
        return false;
    }
    *out_name = sn_awsconfig_section_at(l->files.config, index, &kind);
    *out_is_profile = kind == SN_AWSCONFIG_PROFILE;
    return true;
}

static bool is_in_config(const struct listing *l, struct sn_slice profile)
{
    return sn_awsconfig_find(l->files.config, SN_AWSCONFIG_PROFILE, profile) != NULL;
}

/* --- As a table --- */

struct table {
    struct sn_slice cells[ROWS_MAX][COLUMNS];
    size_t rows;
};

static void add_row(
    struct listing *l, struct table *table, struct sn_slice profile, struct sn_slice key, struct sn_slice sessions)
{
    const struct sn_slice cells[COLUMNS] = {profile, key, sessions};

    if (table->rows == ROWS_MAX) {
        return;
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf safe = {0};
        sn_cli_printable(&safe, cells[i].len > 0 ? cells[i] : SN_S("-"));
        table->cells[table->rows][i] = sn_arena_dup(&l->arena, sn_buf_slice(&safe));
    }
    table->rows++;
}

static void fill_table(struct listing *l, struct table *table)
{
    struct sn_slice name;
    bool is_profile = false;

    for (size_t i = 0; profile_at(l, i, &name, &is_profile); i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf sessions = {0};
        if (is_profile) {
            sessions_of(l, name, &sessions);
            add_row(l, table, name, has_credential(l, name) ? name : SN_S(""), sn_buf_slice(&sessions));
        }
    }
    for (size_t i = 0; i < l->keys.count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf sessions = {0};
        struct sn_slice key = sn_slice_str(l->keys.items[i]);
        if (is_credential(l->keys.items[i]) && !is_in_config(l, key)) {
            sessions_of(l, key, &sessions);
            add_row(l, table, SN_S(""), key, sn_buf_slice(&sessions));
        }
    }
    for (size_t i = 0; i < l->session_count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf label = {0};
        if (!l->sessions[i].is_shown) {
            session_label(l, &l->sessions[i], &label);
            add_row(l, table, SN_S(""), SN_S(""), sn_buf_slice(&label));
        }
    }
}

static void pad(struct sn_buf *out, char byte, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sn_buf_add_byte(out, byte);
    }
}

static void write_table(const struct table *table, bool has_header, struct sn_buf *out)
{
    static const struct sn_slice heads[COLUMNS] = {
        SN_S_INIT("Profile"), SN_S_INIT("Credentials"), SN_S_INIT("Sessions")};
    size_t widths[COLUMNS] = {COLUMN_MIN, COLUMN_MIN, COLUMN_MIN};

    for (size_t row = 0; row < table->rows; row++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            widths[i] = table->cells[row][i].len > widths[i] ? table->cells[row][i].len : widths[i];
        }
    }
    for (size_t i = 0; i < COLUMNS && has_header; i++) {
        sn_buf_add(out, heads[i]);
        pad(out, ' ', i + 1 < COLUMNS ? widths[i] - heads[i].len + 2 : 0);
    }
    sn_buf_add_str(out, has_header ? "\n" : "");
    for (size_t i = 0; i < COLUMNS && has_header; i++) {
        pad(out, '=', heads[i].len);
        pad(out, ' ', i + 1 < COLUMNS ? widths[i] - heads[i].len + 2 : 0);
    }
    sn_buf_add_str(out, has_header ? "\n" : "");
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            sn_buf_add(out, table->cells[row][i]);
            pad(out, ' ', i + 1 < COLUMNS ? widths[i] - table->cells[row][i].len + 2 : 0);
        }
        sn_buf_add_byte(out, '\n');
    }
}

/* --- As JSON --- */

static void session_json(struct sn_json_writer *w, const struct session *session)
{
    struct sn_slice type = {0};
    struct sn_slice fingerprint = {0};
    char time[SN_TIME_TEXT_MAX];

    (void)sn_slice_cut(sn_slice_str(session->key.type), '#', &type, &fingerprint);
    sn_json_begin_object(w);
    sn_json_member_text(w, "type", type);
    sn_json_member_bool(w, "mfa", session->key.source[0] != '\0');
    sn_json_member_text(w, "expires", sn_time_format_rfc3339_ms(session->key.expires_unix_s * 1000, time));
    sn_json_end_object(w);
}

static enum sn_status profile_json(
    struct listing *l, struct sn_json_writer *w, struct sn_slice name, struct sn_error *err)
{
    struct sn_slice role;
    struct sn_slice region;
    struct sn_slice session;
    struct sn_slice start_url;

    SN_TRY(sn_base_profile_text(&l->files, name, "role_arn", &role, err));
    SN_TRY(sn_base_profile_text(&l->files, name, "region", &region, err));
    SN_TRY(sn_base_profile_text(&l->files, name, "sso_session", &session, err));
    SN_TRY(sn_base_profile_text(&l->files, name, "sso_start_url", &start_url, err));
    sn_json_begin_object(w);
    sn_json_member_text(w, "name", name);
    sn_json_member_bool(w, "credentials", has_credential(l, name));
    sn_json_member_text(w, "role_arn", role);
    sn_json_member_text(w, "region", region);
    sn_json_member_bool(w, "sso", session.len > 0 || start_url.len > 0);
    sn_json_key(w, "sessions");
    sn_json_begin_array(w);
    for (size_t i = 0; i < l->session_count; i++) {
        if (sn_slice_eq_str(name, l->sessions[i].key.profile)) {
            session_json(w, &l->sessions[i]);
            l->sessions[i].is_shown = true;
        }
    }
    sn_json_end_array(w);
    sn_json_end_object(w);
    return SN_OK;
}

static void write_json(const struct sn_app *app, struct listing *l, struct sn_buf *out)
{
    struct sn_json_writer w;
    struct sn_slice name;
    struct sn_error err;
    bool is_profile = false;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_key(&w, "profiles");
    sn_json_begin_array(&w);
    for (size_t i = 0; profile_at(l, i, &name, &is_profile); i++) {
        if (is_profile && profile_json(l, &w, name, &err) != SN_OK) {
            sn_app_warn(app, "%s", err.message);
        }
    }
    sn_json_end_array(&w);
    sn_json_key(&w, "orphans");
    sn_json_begin_object(&w);
    sn_json_key(&w, "credentials");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < l->keys.count; i++) {
        if (is_credential(l->keys.items[i]) && !is_in_config(l, sn_slice_str(l->keys.items[i]))) {
            sn_json_put_str(&w, l->keys.items[i]);
        }
    }
    sn_json_end_array(&w);
    sn_json_key(&w, "sessions");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < l->session_count; i++) {
        if (!l->sessions[i].is_shown) {
            session_json(&w, &l->sessions[i]);
        }
    }
    sn_json_end_array(&w);
    sn_json_end_object(&w);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

/* --- As lines --- */

static void add_line(struct sn_buf *out, struct sn_slice text)
{
    sn_cli_printable(out, text);
    sn_buf_add_byte(out, '\n');
}

static void write_lines(const struct list_args *args, const struct listing *l, struct sn_buf *out)
{
    struct sn_slice name;
    bool is_profile = false;

    for (size_t i = 0; args->profiles && profile_at(l, i, &name, &is_profile); i++) {
        if (is_profile) {
            add_line(out, name);
        }
    }
    for (size_t i = 0; args->credentials && i < l->keys.count; i++) {
        if (is_credential(l->keys.items[i])) {
            add_line(out, sn_slice_str(l->keys.items[i]));
        }
    }
    for (size_t i = 0; args->sessions && i < l->session_count; i++) {
        SN_AUTO(sn_buf_clear) struct sn_buf line = {0};
        sn_buf_addf(&line, "%s ", l->sessions[i].key.profile);
        session_label(l, &l->sessions[i], &line);
        add_line(out, sn_buf_slice(&line));
    }
}

static enum sn_status run_list(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct list_args *args = arguments;
    SN_AUTO(sn_vault_access_clear) struct sn_vault_access access = {0};
    SN_AUTO(listing_clear) struct listing l = {.now = sn_clock_unix_s(sn_clock_system())};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_keyring *keyring = NULL;
    int kinds = (args->profiles ? 1 : 0) + (args->credentials ? 1 : 0) + (args->sessions ? 1 : 0);

    if (kinds > 1) {
        return sn_fail(
            err, SN_USAGE, "OPTIONS_EXCLUDE", "--profiles, --credentials and --sessions exclude one another");
    }
    SN_TRY(sn_base_files_load(sn_env_system(), &l.files, err));
    if (!args->profiles) {
        sn_vault_access_open(app, &args->vault, false, &access);
        SN_TRY(sn_vault_access_keyring(&access, &keyring, err));
        SN_TRY(sn_keyring_list(keyring, &l.keys, err));
        collect_sessions(&l);
    }
    if (app->json) {
        write_json(app, &l, &out);
    } else if (kinds == 1) {
        write_lines(args, &l, &out);
    } else {
        struct table *table = sn_arena_alloc(&l.arena, 1, sizeof(*table));
        fill_table(&l, table);
        write_table(table, !args->no_header, &out);
    }
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example list_examples[] = {
    {"sentinel vault list", "what is configured, stored and kept"},
    {"sentinel vault list --json", "the same for programs"},
    {0},
};

const struct sn_cmd sn_cmd_vault_list = {
    .name = "vault list",
    .alias = "vault ls",
    .group = SN_GROUP_VAULT,
    .summary = "list profiles, stored keys and sessions",
    .description =
        "Reads names only: no key is opened and nobody is asked for a passphrase. Sessions that have expired are "
        "not shown.",
    .operands = "",
    .writes_result = true,
    .opts = list_opts,
    .examples = list_examples,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};
