/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_config_generate.c - config generate: documents to begin with, printed or written to a directory (POL 16).
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "cli/report.h"
#include "core/policy/generate.h"

enum { PUBLIC_DIR = 0755, PUBLIC_FILE = 0644, PUBLIC_UMASK = 022, FILE_PATH_MAX = 4096 };

struct generate_args {
    const char *template, *output_dir;
    struct sn_opt_list profiles, users, roles;
    bool force;
};

static const char *const template_choices[] = {"basic", "approvals", "full", NULL};

/* clang-format off */
static const struct sn_opt generate_opts[] = {
    {.name = "template", .letter = 't', .metavar = "TEMPLATE", .kind = SN_OPT_CHOICE, .flags = SN_OPT_REQUIRED,
     .choices = template_choices, .field = offsetof(struct generate_args, template),
     .help = "basic: who is listed may; approvals: somebody must consent; full: emergency access too"},
    {.name = "profile", .letter = 'p', .metavar = "PROFILE", .kind = SN_OPT_LIST, .flags = SN_OPT_REQUIRED,
     .field = offsetof(struct generate_args, profiles), .help = "a profile that the documents are about"},
    {.name = "user", .letter = 'u', .metavar = "USER", .kind = SN_OPT_LIST,
     .field = offsetof(struct generate_args, users),
     .help = "NAME, arn:... or role:NAME who may approve and act in an emergency; not needed for basic"},
    {.name = "role", .metavar = "PROFILE=ARN", .kind = SN_OPT_LIST, .field = offsetof(struct generate_args, roles),
     .help = "the role of a profile; given for every profile, a catalogue is made too"},
    {.name = "output-dir", .metavar = "DIR", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct generate_args, output_dir),
     .help = "write files there, as a document directory, instead of printing them"},
    {.name = "force", .letter = 'f', .kind = SN_OPT_FLAG, .field = offsetof(struct generate_args, force),
     .help = "replace files that are there"},
    {0},
};

/* Kinds in the order of the output, with their file and their member of --json. */
static const struct {
    enum sn_document_kind kind;
    const char *file, *member;
} products[] = {
    {SN_DOCUMENT_POLICY, "policy.yaml", "Policy"},
    {SN_DOCUMENT_APPROVAL, "approval.yaml", "Approval"},
    {SN_DOCUMENT_BREAKGLASS, "breakglass.yaml", "BreakGlass"},
    {SN_DOCUMENT_RATELIMIT, "ratelimit.yaml", "RateLimit"},
    {SN_DOCUMENT_CATALOG, "catalog.yaml", "Catalog"},
};
/* clang-format on */

struct generated {
    struct sn_buf texts[SN_LEN(products)]; /* empty: not part of the template */
};

static void clear_generated(struct generated *generated)
{
    for (size_t i = 0; i < SN_LEN(generated->texts); i++) {
        sn_buf_clear(&generated->texts[i]);
    }
}

/* --- arguments --- */

/* out_roles[i] becomes the role of profiles[i]. */
static enum sn_status read_role(
    const char *text, const struct sn_slice *profiles, size_t count, struct sn_slice *out_roles, struct sn_error *err)
{
    struct sn_slice name, arn;

    if (!sn_slice_cut(sn_slice_str(text), '=', &name, &arn)) {
        sn_fail(err, SN_USAGE, "INVALID_ROLE", "--role takes PROFILE=ARN");
        return sn_suggest(err, "--role dev=arn:aws:iam::111122223333:role/NAME");
    }
    for (size_t i = 0; i < count; i++) {
        if (!sn_slice_eq(profiles[i], name)) {
            continue;
        }
        if (out_roles[i].len > 0) {
            sn_fail(err, SN_USAGE, "DUPLICATE_VALUE", "the profile '%.*s' has two roles", SN_PRI(name));
            return sn_suggest(err, "give one --role for each profile");
        }
        out_roles[i] = arn;
        return SN_OK;
    }
    sn_fail(err, SN_USAGE, "INVALID_ROLE", "--role speaks of a profile that --profile does not name");
    return sn_suggest(err, "add --profile with that name");
}

static enum sn_status read_roles(const struct sn_opt_list *roles, const struct sn_slice *profiles, size_t count,
    struct sn_slice *out_roles, struct sn_error *err)
{
    for (size_t i = 0; i < roles->count; i++) {
        SN_TRY(read_role(roles->items[i], profiles, count, out_roles, err));
    }
    for (size_t i = 0; roles->count > 0 && i < count; i++) {
        if (out_roles[i].len == 0) {
            sn_fail(err, SN_USAGE, "MISSING_ROLE", "the profile '%.*s' has no role", SN_PRI(profiles[i]));
            return sn_suggest(err, "give one --role for each profile, or none at all");
        }
    }
    return SN_OK;
}

static enum sn_generate_template template_of(const char *word)
{
    return strcmp(word, "basic") == 0       ? SN_GENERATE_BASIC
           : strcmp(word, "approvals") == 0 ? SN_GENERATE_APPROVALS
                                            : SN_GENERATE_FULL;
}

static enum sn_status generate_all(const struct generate_args *args, struct generated *out, struct sn_error *err)
{
    struct sn_slice profiles[SN_OPT_LIST_MAX], users[SN_OPT_LIST_MAX], roles[SN_OPT_LIST_MAX] = {0};
    SN_AUTO(sn_zoneinfo_clear) struct sn_zoneinfo zoneinfo;
    struct sn_tz_source zones;

    sn_input_zones(&zoneinfo, &zones);
    for (size_t i = 0; i < args->profiles.count; i++) {
        profiles[i] = sn_slice_str(args->profiles.items[i]);
    }
    for (size_t i = 0; i < args->users.count; i++) {
        users[i] = sn_slice_str(args->users.items[i]);
    }
    struct sn_generate_plan plan = {.template = template_of(args->template),
        .profiles = profiles,
        .profile_count = args->profiles.count,
        .users = users,
        .user_count = args->users.count,
        .unix_s = sn_clock_unix_s(sn_clock_system())};
    SN_TRY(sn_generate_check(&plan, err)); /* names first: what follows repeats them */
    SN_TRY(read_roles(&args->roles, profiles, args->profiles.count, roles, err));
    plan.roles = args->roles.count > 0 ? roles : NULL;
    SN_TRY(sn_generate_check(&plan, err));
    for (size_t i = 0; i < SN_LEN(products); i++) {
        if (sn_generate_has(&plan, products[i].kind)) {
            SN_TRY(sn_generate(&plan, products[i].kind, &zones, &out->texts[i], err));
        }
    }
    return SN_OK;
}

/* --- output --- */

static void put_json(struct sn_buf *out, const struct generated *generated)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    for (size_t i = 0; i < SN_LEN(products); i++) {
        sn_json_member_text(&w, products[i].member, sn_buf_slice(&generated->texts[i]));
    }
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

static void put_text(struct sn_buf *out, const struct generated *generated)
{
    for (size_t i = 0; i < SN_LEN(products); i++) {
        if (generated->texts[i].len > 0) {
            sn_buf_addf(out, "%s# %s (%s)\n# ===\n", out->len > 0 ? "\n" : "",
                sn_document_kinds[products[i].kind].title, products[i].file);
            sn_buf_add(out, sn_buf_slice(&generated->texts[i]));
        }
    }
}

/* All or nothing, as far as names that are taken are concerned. */
static enum sn_status check_free(const char *dir, const struct generated *generated, struct sn_error *err)
{
    char path[FILE_PATH_MAX];

    for (size_t i = 0; i < SN_LEN(products); i++) {
        if (generated->texts[i].len == 0) {
            continue;
        }
        SN_TRY(sn_path_join(path, sizeof(path), dir, products[i].file, err));
        if (sn_fs_exists(path)) {
            sn_fail(err, SN_INVALID, "FILE_EXISTS", "'%s' is there already; nothing was written", path);
            return sn_suggest(err, "choose another directory, or add --force");
        }
    }
    return SN_OK;
}

static enum sn_status write_files(const char *dir, const struct generated *generated, struct sn_error *err)
{
    char path[FILE_PATH_MAX];

    SN_TRY(sn_fs_make_dir(dir, PUBLIC_DIR, err));
    for (size_t i = 0; i < SN_LEN(products); i++) {
        if (generated->texts[i].len > 0) {
            SN_TRY(sn_path_join(path, sizeof(path), dir, products[i].file, err));
            SN_TRY(sn_fs_write_atomic(path, PUBLIC_FILE, sn_buf_slice(&generated->texts[i]), err));
        }
    }
    return SN_OK;
}

static enum sn_status write_dir(
    const struct generate_args *args, const struct generated *generated, struct sn_buf *out, struct sn_error *err)
{
    size_t count = 0;

    if (!args->force) {
        SN_TRY(check_free(args->output_dir, generated, err));
    }
    mode_t before = umask(PUBLIC_UMASK); /* documents are no secrets, and the server may be another user */
    enum sn_status status = write_files(args->output_dir, generated, err);
    (void)umask(before);
    SN_TRY(status);
    for (size_t i = 0; i < SN_LEN(products); i++) {
        count += generated->texts[i].len > 0;
    }
    sn_buf_addf(out, "Generated %zu config file%s in ", count, count == 1 ? "" : "s");
    sn_cli_printable(out, sn_slice_str(args->output_dir));
    sn_buf_add_str(out, ":\n");
    for (size_t i = 0; i < SN_LEN(products); i++) {
        if (generated->texts[i].len > 0) {
            sn_buf_addf(out, "  + %s\n", products[i].file);
        }
    }
    return SN_OK;
}

static enum sn_status run_generate(struct sn_app *app, void *memory, struct sn_error *err)
{
    const struct generate_args *args = memory;
    SN_AUTO(clear_generated) struct generated generated = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    if (args->output_dir != NULL && (app->json || app->output != NULL)) {
        sn_fail(err, SN_USAGE, "TWO_OUTPUTS", "--output-dir does not go with %s", app->json ? "--json" : "--output");
        return sn_suggest(err, "leave one of the two out");
    }
    SN_TRY(generate_all(args, &generated, err));
    if (args->output_dir != NULL) {
        SN_TRY(write_dir(args, &generated, &out, err));
    } else if (app->json) {
        put_json(&out, &generated);
    } else {
        put_text(&out, &generated);
    }
    SN_TRY(sn_buf_check(&out, "the documents", err));
    SN_TRY(sn_app_write(app, sn_buf_slice(&out), err));
    if (args->roles.count == 0) {
        sn_app_note(app, "the catalogue must name the role of each profile; --role PROFILE=ARN makes one");
    }
    return SN_OK;
}

static const struct sn_exit_row generate_exits[] = {
    {0, "done"},
    {2, "wrong usage, a name that cannot be, or a file that is there already"},
    {3, "a file cannot be written"},
    {0},
};
static const struct sn_example generate_examples[] = {
    {"sentinel config generate -t basic -p dev --role dev=arn:aws:iam::111122223333:role/Dev --output-dir policy",
        "a document directory for a first server"},
    {"sentinel config generate -t full -p prod -u alice -u bob", "all documents, to look at"},
    {0},
};

const struct sn_cmd sn_cmd_config_generate = {
    .name = "config generate",
    .group = SN_GROUP_POLICY,
    .summary = "write documents to begin with",
    .description =
        "Makes valid documents for the given profiles and people: an access policy, and by template an approval "
        "policy, "
        "a break-glass policy and a rate-limit policy; with roles, the catalogue too. They are a beginning and are "
        "meant to be adapted.",
    .writes_result = true,
    .opts = generate_opts,
    .examples = generate_examples,
    .args_size = sizeof(struct generate_args),
    .exits = generate_exits,
    .run = run_generate,
};
