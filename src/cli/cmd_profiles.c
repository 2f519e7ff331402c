/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_profiles.c - profiles: what the caller could get, page by page.
 */
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/env.h"
#include "base/fs.h"
#include "base/parse.h"
#include "cli/complete.h"
#include "cli/report.h"
#include "cli/tvm_access.h"
#include "codec/json.h"
#include "codec/uri.h"

enum { PAGES_MAX = 1000, PATH_SIZE = 4096, NAME_COLUMN = 24, PAGE_SIZE = 1000 };

struct profiles_args {
    struct sn_tvm_args tvm;
    const char *device;
    bool names;
};

/* clang-format off */
static const struct sn_opt profiles_opts[] = {
    {.name = "names", .kind = SN_OPT_FLAG, .field = offsetof(struct profiles_args, names), .help = "print the names only"},
    {.name = "device", .metavar = "ID", .kind = SN_OPT_STRING, .field = offsetof(struct profiles_args, device),
     .help = "decide as for this device (64 hexadecimal digits)"},
    SN_TVM_OPTS(struct profiles_args, tvm),
    SN_TVM_REMOVED_TABLES,
    {0},
};
/* clang-format on */

struct listing {
    struct sn_buf json;  /* elements, separated by commas */
    struct sn_buf table; /* lines */
    struct sn_buf names; /* lines */
    size_t count;
};

static void listing_clear(struct listing *listing)
{
    sn_buf_clear(&listing->json);
    sn_buf_clear(&listing->table);
    sn_buf_clear(&listing->names);
}

/* A column of text from the server, padded. */
static void column(struct sn_buf *buf, struct sn_slice text, size_t width)
{
    size_t start = buf->len;

    sn_cli_printable(buf, text);
    while (buf->len - start < width) {
        sn_buf_add_byte(buf, ' ');
    }
    sn_buf_add_str(buf, "  ");
}

static void add_entry(struct listing *listing, const struct sn_json *entry)
{
    struct sn_slice name = sn_json_text(sn_json_get(entry, "name"));
    struct sn_slice access = sn_json_text(sn_json_get(entry, "access"));
    struct sn_slice now = sn_json_text(sn_json_get(entry, "now"));
    SN_AUTO(sn_buf_clear) struct sn_buf longest = SN_BUF_INIT(32);

    if (listing->count++ > 0) {
        sn_buf_add_byte(&listing->json, ',');
    }
    sn_json_format(&listing->json, entry);
    sn_cli_printable(&listing->names, name);
    sn_buf_add_byte(&listing->names, '\n');
    sn_format_duration(&longest, sn_json_int(sn_json_get(entry, "max_duration_seconds"), 0));
    column(&listing->table, name, NAME_COLUMN);
    column(&listing->table, sn_json_text(sn_json_get(entry, "region")), 14);
    column(&listing->table, sn_buf_slice(&longest), 8);
    column(&listing->table, sn_slice_eq_str(access, "require_approval") ? SN_S("approval") : SN_S("direct"), 8);
    column(&listing->table, sn_slice_eq_str(now, "allow") ? SN_S("yes") : SN_S("no"), 3);
    sn_cli_printable(&listing->table, sn_json_text(sn_json_get(entry, "description")));
    while (listing->table.len > 0 && listing->table.ptr[listing->table.len - 1] == ' ') {
        listing->table.len--;
    }
    sn_buf_add_byte(&listing->table, '\n');
}

/* One page; *out_cursor gets the next one, empty at the end. */
static enum sn_status add_page(const struct sn_app *app, const struct sn_tvm_access *access, const char *device,
    struct listing *listing, struct sn_buf *cursor, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf query = {0};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;

    sn_buf_addf(&query, "limit=%d", PAGE_SIZE);
    if (device != NULL) {
        sn_buf_add_str(&query, "&device_id=");
        sn_uri_encode(&query, sn_slice_str(device), false);
    }
    if (cursor->len > 0) {
        sn_buf_add_str(&query, "&cursor=");
        sn_uri_encode(&query, sn_buf_slice(cursor), false);
    }
    SN_TRY(sn_tvm_access_call(
        app, access, NULL, "GET", "/v1/profiles", sn_buf_slice(&query), (struct sn_slice){0}, &doc, err));
    const struct sn_json *list = sn_json_get(sn_json_root(doc), "profiles");
    for (size_t i = 0; i < sn_json_count(list); i++) {
        add_entry(listing, sn_json_at(list, i));
    }
    sn_buf_reset(cursor);
    sn_buf_add(cursor, sn_json_text(sn_json_get(sn_json_root(doc), "next_cursor")));
    return SN_OK;
}

/* Names for shell completion, which asks nobody. Failing to keep them matters to nobody else. */
static void keep_names(const struct listing *listing)
{
    char path[PATH_SIZE];
    char dir[PATH_SIZE];
    struct sn_error ignored;

    if (!sn_complete_cache_path(sn_env_system(), path, sizeof(path))) {
        return;
    }
    snprintf(dir, sizeof(dir), "%s", path);
    *strrchr(dir, '/') = '\0';
    if (sn_fs_make_dir(dir, 0700, &ignored) != SN_OK ||
        sn_fs_write_atomic(path, 0600, sn_buf_slice(&listing->names), &ignored) != SN_OK) {
        return;
    }
}

static void write_listing(
    const struct sn_app *app, const struct profiles_args *args, const struct listing *listing, struct sn_buf *out)
{
    if (app->json) {
        sn_buf_add_str(out, "{\"profiles\":[");
        sn_buf_add(out, sn_buf_slice(&listing->json));
        sn_buf_add_str(out, "],\"next_cursor\":null}\n");
    } else if (args->names) {
        sn_buf_add(out, sn_buf_slice(&listing->names));
    } else if (listing->count == 0) {
        sn_buf_add_str(out, "There is no profile you could get.\n");
    } else {
        sn_buf_addf(out, "%-*s  %-14s  %-8s  %-8s  %-3s  %s\n", NAME_COLUMN, "PROFILE", "REGION", "LONGEST", "ACCESS",
            "NOW", "DESCRIPTION");
        sn_buf_add(out, sn_buf_slice(&listing->table));
    }
}

static enum sn_status run_profiles(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct profiles_args *args = arguments;
    SN_AUTO(sn_tvm_access_clear) struct sn_tvm_access access = {0};
    SN_AUTO(listing_clear) struct listing listing = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf cursor = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    sn_app_failure(app, "cannot list profiles");
    SN_TRY(sn_tvm_access_open(app, &args->tvm, &access, err));
    for (int page = 0; page == 0 || cursor.len > 0; page++) {
        if (page == PAGES_MAX) {
            return sn_fail(err, SN_PROTOCOL, "TVM_PROTOCOL", "the TVM's list of profiles does not end");
        }
        SN_TRY(add_page(app, &access, args->device, &listing, &cursor, err));
    }
    sn_app_failure(app, "%s", "");
    keep_names(&listing);
    SN_TRY(sn_buf_check(&listing.json, "the list", err));
    write_listing(app, args, &listing, &out);
    SN_TRY(sn_buf_check(&out, "the list", err));
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example profiles_examples[] = {
    {"sentinel profiles", "a table: direct access or approval needed, and whether asking now would succeed"},
    {"sentinel profiles --names", "one name a line, for scripts"},
    {0},
};

const struct sn_cmd sn_cmd_profiles = {
    .name = "profiles",
    .group = SN_GROUP_CREDENTIALS,
    .summary = "list the profiles you could get",
    .description = "Shows the profiles for which some rule of the TVM's policy could allow you, or let you ask for "
                   "approval. The names are kept in the cache directory for shell completion.",
    .writes_result = true,
    .opts = profiles_opts,
    .examples = profiles_examples,
    .args_size = sizeof(struct profiles_args),
    .needs = SN_NEEDS_TVM,
    .run = run_profiles,
};
