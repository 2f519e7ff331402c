/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_sso_populate.c - sso populate: a profile for each role that is assigned.
 */
#include <stddef.h>

#include "base/env.h"
#include "cli/report.h"
#include "cli/sso_commands.h"
#include "codec/json.h"
#include "vault/awsconfig_write.h"
#include "vault/lock_file.h"

enum { LOCK_WAIT_MS = 60000, LOCK_POLL_MS = 50, PREFIX_MAX = 64 };

struct populate_args {
    const char *session, *prefix, *region;
    struct sn_sso_args sso;
    bool dry_run;
};

/* clang-format off */
static const struct sn_opt populate_opts[] = {
    {.name = "session", .metavar = "NAME", .kind = SN_OPT_STRING, .flags = SN_OPT_REQUIRED,
     .field = offsetof(struct populate_args, session), .help = "the [sso-session NAME] of the AWS config"},
    {.name = "prefix", .metavar = "TEXT", .kind = SN_OPT_STRING, .field = offsetof(struct populate_args, prefix),
     .help = "begins every name"},
    {.name = "region", .metavar = "REGION", .kind = SN_OPT_STRING, .field = offsetof(struct populate_args, region),
     .help = "region of the new profiles; else they name none"},
    {.name = "dry-run", .kind = SN_OPT_FLAG, .field = offsetof(struct populate_args, dry_run),
     .help = "show what would be added, and change nothing"},
    SN_SSO_OPTS(struct populate_args, sso),
    {0},
};
/* clang-format on */

/* What is to be written, and told. */
struct plan {
    struct sn_buf sections;
    struct sn_buf lines;
    struct sn_buf added, skipped; /* elements of JSON arrays */
    struct sn_buf names;          /* of the new ones, each between newlines */
};

static void plan_clear(struct plan *plan)
{
    sn_buf_clear(&plan->sections);
    sn_buf_clear(&plan->lines);
    sn_buf_clear(&plan->added);
    sn_buf_clear(&plan->skipped);
    sn_buf_clear(&plan->names);
}

/* Lower case; what is no letter, digit, '.', '_' or '-' becomes '-'. Text of the portal, whatever it may hold. */
static void add_word(struct sn_buf *out, struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        bool is_kept = sn_slice_is_alnum_or(sn_slice_sub(text, i, 1), "._-");
        sn_buf_add_byte(out, is_upper ? (char)(c - 'A' + 'a') : is_kept ? c : '-');
    }
}

static void make_name(const struct populate_args *args, struct sn_slice account_name, const struct sn_sso_entry *role,
    struct sn_buf *out_name)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_slice name;

    add_word(&text, sn_slice_str(args->prefix));
    add_word(&text, account_name.len > 0 ? account_name : role->account_id);
    sn_buf_add_byte(&text, '.');
    add_word(&text, role->name);
    name = sn_buf_slice(&text);
    while (name.len > 0 && name.ptr[0] == '-') { /* no command would take it for a name */
        name = sn_slice_sub(name, 1, name.len);
    }
    sn_buf_add(out_name, name);
}

static void add_element(struct sn_buf *list, struct sn_slice name)
{
    struct sn_json_writer w;

    if (list->len > 0) {
        sn_buf_add_byte(list, ',');
    }
    sn_json_writer_init(&w, list);
    sn_json_put_text(&w, name);
}

static void plan_role(const struct populate_args *args, const struct sn_base_files *files, struct sn_slice account_name,
    const struct sn_sso_entry *role, struct plan *plan)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf mark = {0};

    make_name(args, account_name, role, &text);
    struct sn_slice name = sn_buf_slice(&text);
    sn_buf_addf(&mark, "\n%.*s\n", SN_PRI(name));
    bool is_taken =
        sn_base_profile_exists(files, name) || sn_slice_contains(sn_buf_slice(&plan->names), sn_buf_slice(&mark));
    add_element(is_taken ? &plan->skipped : &plan->added, name);
    sn_buf_addf(&plan->lines, "%s %.*s\n", is_taken ? "skipped" : "added  ", SN_PRI(name));
    if (is_taken) {
        return;
    }
    sn_buf_add(&plan->names, sn_buf_slice(&mark));
    sn_buf_addf(&plan->sections, "%s[profile %.*s]\nsso_session = %s\nsso_account_id = %.*s\nsso_role_name = %.*s\n",
        plan->sections.len > 0 ? "\n" : "", SN_PRI(name), args->session, SN_PRI(role->account_id), SN_PRI(role->name));
    if (args->region != NULL) {
        sn_buf_addf(&plan->sections, "region = %s\n", args->region);
    }
}

/* All that is assigned; accounts tell the names. */
static enum sn_status gather(
    const struct sn_sso_access *access, struct sn_sso_list *accounts, struct sn_sso_list *roles, struct sn_error *err)
{
    SN_TRY(sn_sso_get_list(&access->world, &access->settings, (struct sn_slice){0}, accounts, err));
    for (size_t i = 0; i < accounts->count; i++) {
        SN_TRY(sn_sso_get_list(&access->world, &access->settings, accounts->entries[i].account_id, roles, err));
    }
    return SN_OK;
}

static void make_plan(const struct populate_args *args, const struct sn_base_files *files,
    const struct sn_sso_list *accounts, const struct sn_sso_list *roles, struct plan *plan)
{
    for (size_t k = 0; k < roles->count; k++) {
        struct sn_slice name = {0};
        for (size_t i = 0; i < accounts->count; i++) {
            if (sn_slice_eq(accounts->entries[i].account_id, roles->entries[k].account_id)) {
                name = accounts->entries[i].name;
            }
        }
        plan_role(args, files, name, &roles->entries[k], plan);
    }
}

static enum sn_status take_lock(struct sn_lock_file *lock, struct sn_error *err)
{
    SN_TRY(sn_lock_file_open(lock, sn_env_system(), "vault-store.lock", err));
    for (int waited_ms = 0; !sn_lock_file_try(lock); waited_ms += LOCK_POLL_MS) {
        if (waited_ms >= LOCK_WAIT_MS) {
            return sn_fail(err, SN_UNAVAILABLE, "LOCK_UNAVAILABLE", "process %lld holds the lock of the AWS config",
                (long long)sn_lock_file_holder(lock));
        }
        sn_transport_sleep_ms(NULL, LOCK_POLL_MS);
    }
    return SN_OK;
}

static enum sn_status check_args(const struct populate_args *args, struct sn_error *err)
{
    struct sn_slice prefix = sn_slice_str(args->prefix);

    if (prefix.len > PREFIX_MAX || !sn_slice_is_alnum_or(prefix, "._-")) {
        return sn_fail(err, SN_USAGE, "INVALID_PREFIX", "--prefix is at most 64 letters, digits, '.', '_' and '-'");
    }
    if (args->region != NULL && !sn_region_is_valid(sn_slice_str(args->region))) {
        (void)sn_fail(err, SN_USAGE, "CONFIG_INVALID_REGION", "'%.64s' is no AWS region", args->region);
        return sn_suggest(err, "name one such as eu-west-1");
    }
    return SN_OK;
}

static enum sn_status run_populate(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct populate_args *args = arguments;
    const struct sn_sso_target_args target = {.session = args->session};
    SN_AUTO(sn_sso_access_clear) struct sn_sso_access access = {0};
    SN_AUTO(sn_lock_file_close) struct sn_lock_file lock = SN_LOCK_FILE_INIT;
    SN_AUTO(sn_base_files_clear) struct sn_base_files files = {0};
    SN_AUTO(sn_sso_list_clear) struct sn_sso_list accounts = {0};
    SN_AUTO(sn_sso_list_clear) struct sn_sso_list roles = {0};
    SN_AUTO(plan_clear) struct plan plan = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    SN_TRY(check_args(args, err));
    SN_TRY(sn_sso_access_open(app, &target, &args->sso, &access, err));
    sn_app_failure(app, "nothing was added");
    SN_TRY(gather(&access, &accounts, &roles, err));
    /* Nobody waits for a person with the lock in hand; what the file holds counts from here on. */
    SN_TRY(take_lock(&lock, err));
    SN_TRY(sn_base_files_load(sn_env_system(), &files, err));
    make_plan(args, &files, &accounts, &roles, &plan);
    if (!args->dry_run && plan.sections.len > 0) {
        SN_TRY(sn_awsconfig_append_sections(files.config_path, sn_buf_slice(&plan.sections), err));
    }
    sn_app_failure(app, "%s", "");
    if (app->json) {
        sn_buf_addf(&out, "{\"added\":[%s],\"skipped\":[%s]}\n", sn_buf_str(&plan.added), sn_buf_str(&plan.skipped));
    } else if (plan.lines.len == 0) {
        sn_buf_add_str(&out, "Nothing is assigned to you.\n");
    } else {
        sn_buf_add(&out, sn_buf_slice(&plan.lines));
    }
    if (args->dry_run) {
        sn_app_note(app, "--dry-run: nothing was changed");
    }
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example populate_examples[] = {
    {"sentinel sso populate --session corp --dry-run", "what would be added"},
    {"sentinel sso populate --session corp --prefix corp- --region eu-west-1", "corp-main.developer and so on"},
    {0},
};

const struct sn_cmd sn_cmd_sso_populate = {
    .name = "sso populate",
    .group = SN_GROUP_VAULT,
    .summary = "add a profile for each role assigned to you",
    .description =
        "Appends to the AWS config a profile for each account and role that IAM Identity Center assigns to you, "
        "named after both in lower case. Every other byte of the file stays. A profile that is there already "
        "is left alone and listed as skipped.",
    .opts = populate_opts,
    .examples = populate_examples,
    .args_size = sizeof(struct populate_args),
    .run = run_populate,
};
