/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_sso_list.c - sso accounts, sso roles.
 */
#include <stddef.h>

#include "cli/report.h"
#include "cli/sso_commands.h"
#include "codec/json.h"

enum { ACCOUNT_COLUMN = 12, NAME_COLUMN = 32 };

struct list_args {
    struct sn_sso_target_args target;
    struct sn_sso_args sso;
    const char *account;
};

/* clang-format off */
static const struct sn_opt accounts_opts[] = {
    SN_SSO_TARGET_OPTS(struct list_args, target),
    SN_SSO_OPTS(struct list_args, sso),
    {0},
};
static const struct sn_opt roles_opts[] = {
    {.name = "account", .metavar = "ID", .kind = SN_OPT_STRING, .field = offsetof(struct list_args, account),
     .help = "only roles of this account, 12 digits; else of all"},
    SN_SSO_TARGET_OPTS(struct list_args, target),
    SN_SSO_OPTS(struct list_args, sso),
    {0},
};
/* clang-format on */

static void column(struct sn_buf *buf, struct sn_slice text, size_t width)
{
    size_t start = buf->len;

    sn_cli_printable(buf, text);
    while (buf->len - start < width) {
        sn_buf_add_byte(buf, ' ');
    }
    sn_buf_add_str(buf, "  ");
}

static void end_line(struct sn_buf *buf)
{
    while (buf->len > 0 && buf->ptr[buf->len - 1] == ' ') {
        buf->len--;
    }
    sn_buf_add_byte(buf, '\n');
}

static void write_table(const struct sn_sso_list *list, bool is_roles, struct sn_buf *out)
{
    column(out, SN_S("ACCOUNT"), ACCOUNT_COLUMN);
    column(out, is_roles ? SN_S("ROLE") : SN_S("NAME"), NAME_COLUMN);
    column(out, is_roles ? SN_S("") : SN_S("EMAIL"), 0);
    end_line(out);
    for (size_t i = 0; i < list->count; i++) {
        column(out, list->entries[i].account_id, ACCOUNT_COLUMN);
        column(out, list->entries[i].name, NAME_COLUMN);
        column(out, list->entries[i].email, 0);
        end_line(out);
    }
}

static void write_json(const struct sn_sso_list *list, bool is_roles, struct sn_buf *out)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_key(&w, is_roles ? "roles" : "accounts");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < list->count; i++) {
        sn_json_begin_object(&w);
        sn_json_member_text(&w, "account_id", list->entries[i].account_id);
        sn_json_member_text(&w, is_roles ? "role_name" : "name", list->entries[i].name);
        if (!is_roles) {
            sn_json_member_text(&w, "email", list->entries[i].email);
        }
        sn_json_end_object(&w);
    }
    sn_json_end_array(&w);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

static enum sn_status write_list(
    struct sn_app *app, const struct sn_sso_list *list, bool is_roles, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};

    sn_app_failure(app, "%s", "");
    if (app->json) {
        write_json(list, is_roles, &out);
    } else if (list->count == 0) {
        sn_buf_addf(&out, "Nothing is assigned to you.\n");
    } else {
        write_table(list, is_roles, &out);
    }
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static enum sn_status run_accounts(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct list_args *args = arguments;
    SN_AUTO(sn_sso_access_clear) struct sn_sso_access access = {0};
    SN_AUTO(sn_sso_list_clear) struct sn_sso_list list = {0};

    SN_TRY(sn_sso_access_open(app, &args->target, &args->sso, &access, err));
    sn_app_failure(app, "cannot list accounts");
    SN_TRY(sn_sso_get_list(&access.world, &access.settings, (struct sn_slice){0}, &list, err));
    return write_list(app, &list, false, err);
}

static enum sn_status run_roles(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct list_args *args = arguments;
    struct sn_slice account = sn_slice_str(args->account);
    SN_AUTO(sn_sso_access_clear) struct sn_sso_access access = {0};
    SN_AUTO(sn_sso_list_clear) struct sn_sso_list accounts = {0};
    SN_AUTO(sn_sso_list_clear) struct sn_sso_list roles = {0};

    for (size_t i = 0; i < account.len; i++) {
        if (account.len != SN_SSO_ACCOUNT_LEN || account.ptr[i] < '0' || account.ptr[i] > '9') {
            (void)sn_fail(err, SN_USAGE, "INVALID_ACCOUNT", "'%s' is no account id", args->account);
            return sn_suggest(err, "an account id has 12 digits");
        }
    }
    SN_TRY(sn_sso_access_open(app, &args->target, &args->sso, &access, err));
    sn_app_failure(app, "cannot list roles");
    if (account.len > 0) {
        SN_TRY(sn_sso_get_list(&access.world, &access.settings, account, &roles, err));
    } else {
        SN_TRY(sn_sso_get_list(&access.world, &access.settings, (struct sn_slice){0}, &accounts, err));
    }
    for (size_t i = 0; i < accounts.count; i++) {
        SN_TRY(sn_sso_get_list(&access.world, &access.settings, accounts.entries[i].account_id, &roles, err));
    }
    return write_list(app, &roles, true, err);
}

static const struct sn_example accounts_examples[] = {
    {"sentinel sso accounts --session corp", "a table: account id, name, e-mail address"},
    {0},
};
static const struct sn_example roles_examples[] = {
    {"sentinel sso roles --session corp --account 123456789012", "what sso_role_name may be in a profile"},
    {0},
};

const struct sn_cmd sn_cmd_sso_accounts = {
    .name = "sso accounts",
    .group = SN_GROUP_VAULT,
    .summary = "list the accounts that IAM Identity Center assigns to you",
    .description =
        "Lists what whoever is signed in may enter. A sign-in is started as for other commands when there is "
        "none.",
    .writes_result = true,
    .opts = accounts_opts,
    .examples = accounts_examples,
    .args_size = sizeof(struct list_args),
    .run = run_accounts,
};

const struct sn_cmd sn_cmd_sso_roles = {
    .name = "sso roles",
    .group = SN_GROUP_VAULT,
    .summary = "list the roles that IAM Identity Center assigns to you",
    .description = "Lists permission sets by the names that sso_role_name takes, of one account or of all.",
    .writes_result = true,
    .opts = roles_opts,
    .examples = roles_examples,
    .args_size = sizeof(struct list_args),
    .run = run_roles,
};
