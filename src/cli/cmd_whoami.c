/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_whoami.c - whoami: the caller as the TVM sees it, as STS tells it, or any ARN offline.
 */
#include <stddef.h>
#include <string.h>

#include "cli/report.h"
#include "cli/tvm_access.h"
#include "codec/json.h"
#include "core/identity/principal.h"
#include "core/identity/stamp.h"

enum { GLOBS_MAX = 64, ENTRIES_MAX = 8 };

struct whoami_args {
    struct sn_tvm_args tvm;
    const char *arn, *vouching_roles, *tvm_account;
};

/* clang-format off */
static const struct sn_opt whoami_opts[] = {
    {.name = "arn", .metavar = "ARN", .kind = SN_OPT_STRING, .field = offsetof(struct whoami_args, arn),
     .help = "explain this caller ARN instead, without asking anybody"},
    {.name = "vouching-roles", .metavar = "GLOBS", .kind = SN_OPT_STRING,
     .field = offsetof(struct whoami_args, vouching_roles),
     .help = "roles whose session names count as vouched, as in SENTINEL_VOUCHING_ROLES; without a TVM"},
    {.name = "tvm-account", .metavar = "ID", .kind = SN_OPT_STRING, .field = offsetof(struct whoami_args, tvm_account),
     .help = "the TVM's own account: IAM users of others are listed by ARN only; without a TVM"},
    SN_TVM_OPTS(struct whoami_args, tvm),
    {.name = "profile", .metavar = "NAME", .kind = SN_OPT_STRING, .flags = SN_OPT_HIDDEN,
     .words = SN_WORDS_AWS_PROFILES, .field = offsetof(struct whoami_args, tvm.aws_profile),
     .help = "the same as --aws-profile"},
    SN_TVM_REMOVED_TABLES,
    {0},
};
/* clang-format on */

/* What is shown, from whichever source. Slices are borrowed. */
struct identity {
    struct sn_slice arn, partition, account, type, role, name, permission_set, user_part, vouched_by, reason;
    bool vouch_known, vouched, altered;
    struct sn_slice entries[ENTRIES_MAX];
    size_t entry_count;
    bool from_tvm, is_operator;
    const struct sn_json *server;
};

/* --- From the TVM --- */

static void read_tvm(const struct sn_json *root, const struct sn_principal *parsed, struct identity *out)
{
    const struct sn_json *p = sn_json_get(root, "principal");
    const struct sn_json *entries = sn_json_get(p, "entries");

    out->arn = sn_json_text(sn_json_get(p, "arn"));
    out->partition = sn_json_text(sn_json_get(p, "partition"));
    out->account = sn_json_text(sn_json_get(p, "account"));
    out->type = sn_json_text(sn_json_get(p, "type"));
    out->role = sn_json_text(sn_json_get(p, "role"));
    out->name = sn_json_text(sn_json_get(p, "name"));
    out->vouch_known = true;
    out->vouched = sn_json_bool(sn_json_get(p, "vouched"), false);
    out->vouched_by = sn_json_text(sn_json_get(p, "vouched_by"));
    out->user_part = sn_json_text(sn_json_get(p, "user_part"));
    out->altered = !sn_slice_eq(out->user_part, out->name);
    out->permission_set = sn_principal_permission_set(parsed);
    for (size_t i = 0; i < sn_json_count(entries) && i < ENTRIES_MAX; i++) {
        out->entries[out->entry_count++] = sn_json_text(sn_json_at(entries, i));
    }
    out->from_tvm = true;
    out->is_operator = sn_json_bool(sn_json_get(root, "operator"), false);
    out->server = sn_json_get(root, "server");
}

/* --- Without one --- */

static enum sn_status read_globs(
    const char *text, struct sn_slice globs[GLOBS_MAX], size_t *out_count, struct sn_error *err)
{
    struct sn_slice rest = sn_slice_str(text);
    struct sn_slice part;

    *out_count = 0;
    while (sn_slice_next(&rest, ',', &part)) {
        part = sn_slice_trim(part);
        if (!sn_vouch_glob_is_valid(part) || *out_count == GLOBS_MAX) {
            return sn_fail(
                err, SN_USAGE, "INVALID_VALUE", "--vouching-roles: '%.*s' is no role name pattern", SN_PRI(part));
        }
        globs[(*out_count)++] = part;
    }
    return SN_OK;
}

static struct sn_slice vouch_word(enum sn_vouch vouch)
{
    switch (vouch) {
    case SN_VOUCH_IAM_USER:
        return SN_S("iam_user");
    case SN_VOUCH_SSO:
        return SN_S("identity_center");
    case SN_VOUCH_ROLE_LIST:
        return SN_S("vouching_role");
    case SN_VOUCH_NONE_ROLE:
    case SN_VOUCH_NONE_TARGET:
    case SN_VOUCH_NONE_FEDERATED:
    case SN_VOUCH_NONE_ROOT:
    case SN_VOUCH_NONE_SSO_PATH:
        return (struct sn_slice){0};
    }
    return (struct sn_slice){0};
}

static void add_entries(
    const struct sn_principal *p, const char *tvm_account, struct sn_arena *arena, struct identity *out)
{
    bool foreign_user = p->type == SN_PRINCIPAL_USER && tvm_account != NULL && strcmp(tvm_account, p->account) != 0;

    if (p->vouched && !foreign_user) {
        out->entries[out->entry_count++] = out->name;
    }
    if (p->role[0] != '\0') {
        out->entries[out->entry_count++] = sn_arena_printf(arena, "role:%s", p->role);
    }
    out->entries[out->entry_count++] = out->arn;
}

static enum sn_status judge(const struct whoami_args *args, struct sn_principal *p, struct sn_arena *arena,
    struct identity *out, struct sn_error *err)
{
    struct sn_slice globs[GLOBS_MAX];
    struct sn_vouch_rules rules = {.role_globs = globs};
    struct sn_stamp_user user;

    if (args->vouching_roles != NULL) {
        SN_TRY(read_globs(args->vouching_roles, globs, &rules.role_glob_count, err));
    }
    sn_principal_vouch(p, &rules);
    out->arn = sn_slice_str(p->arn);
    out->partition = sn_slice_str(p->partition);
    out->account = sn_slice_str(p->account);
    out->type = sn_slice_str(sn_principal_type_name(p->type));
    out->role = sn_slice_str(p->role);
    out->name = sn_slice_str(p->name);
    out->permission_set = sn_principal_permission_set(p);
    /* Another role may be on a TVM's list of vouching roles; only the list, or the TVM, can tell. */
    out->vouch_known = p->type != SN_PRINCIPAL_ASSUMED_ROLE || p->is_sso || args->vouching_roles != NULL;
    out->vouched = p->vouched;
    out->reason = sn_slice_str(sn_vouch_reason(p->vouch));
    if (out->vouch_known) {
        out->vouched_by = vouch_word(p->vouch);
        sn_stamp_user(p, &user);
        out->user_part = sn_arena_dup(arena, sn_slice_str(user.text));
        out->altered = !sn_slice_eq(out->user_part, out->name);
    }
    add_entries(p, args->tvm_account, arena, out);
    return SN_OK;
}

/* --- Output --- */

static void member_or_null(struct sn_json_writer *w, const char *key, struct sn_slice text)
{
    if (text.len == 0) {
        sn_json_member_null(w, key);
    } else {
        sn_json_member_text(w, key, text);
    }
}

static void write_json(struct sn_buf *out, const struct identity *id)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_key(&w, "principal");
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "arn", id->arn);
    sn_json_member_text(&w, "partition", id->partition);
    sn_json_member_text(&w, "account", id->account);
    sn_json_member_text(&w, "type", id->type);
    member_or_null(&w, "role", id->role);
    sn_json_member_text(&w, "name", id->name);
    if (id->vouch_known) {
        sn_json_member_bool(&w, "vouched", id->vouched);
    } else {
        sn_json_member_null(&w, "vouched");
    }
    member_or_null(&w, "vouched_by", id->vouched_by);
    member_or_null(&w, "user_part", id->user_part);
    sn_json_key(&w, "entries");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < id->entry_count; i++) {
        sn_json_put_text(&w, id->entries[i]);
    }
    sn_json_end_array(&w);
    member_or_null(&w, "permission_set", id->permission_set);
    if (id->vouch_known) {
        sn_json_member_bool(&w, "user_part_altered", id->altered);
    } else {
        sn_json_member_null(&w, "user_part_altered");
    }
    sn_json_end_object(&w);
    if (id->from_tvm) {
        sn_json_member_bool(&w, "operator", id->is_operator);
        sn_json_key(&w, "server");
        SN_AUTO(sn_buf_clear) struct sn_buf server = {0};
        sn_json_format(&server, id->server);
        sn_json_put_raw(&w, sn_buf_slice(&server));
    } else {
        sn_json_member_null(&w, "operator");
        sn_json_member_null(&w, "server");
    }
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

static void labelled(struct sn_buf *out, const char *label, struct sn_slice text)
{
    if (text.len > 0) {
        sn_buf_addf(out, "%-16s", label);
        sn_cli_printable(out, text);
        sn_buf_add_byte(out, '\n');
    }
}

static void write_vouched(struct sn_buf *out, const struct identity *id)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};

    if (!id->vouch_known) {
        labelled(out, "Vouched:", SN_S("unknown (ask the TVM)"));
        return;
    }
    sn_buf_add_str(&text, id->vouched ? "yes" : "no");
    if (id->reason.len > 0) {
        sn_buf_addf(&text, " (%.*s)", SN_PRI(id->reason));
    } else if (id->vouched_by.len > 0) {
        sn_buf_addf(&text, " (%.*s)", SN_PRI(id->vouched_by));
    }
    labelled(out, "Vouched:", sn_buf_slice(&text));
}

static void write_text(struct sn_buf *out, const struct identity *id)
{
    sn_buf_add_str(out, "AWS Identity\n");
    labelled(out, "ARN:", id->arn);
    labelled(out, "Account:", id->account);
    labelled(out, "Identity Type:", id->type);
    labelled(out, "Role:", id->role);
    labelled(out, "Permission Set:", id->permission_set);
    labelled(out, "Name:", id->name);
    write_vouched(out, id);
    labelled(out, "Stamp:", id->user_part);
    for (size_t i = 0; i < id->entry_count; i++) {
        labelled(out, i == 0 ? "Entries:" : "", id->entries[i]);
    }
    if (id->from_tvm && id->is_operator) {
        labelled(out, "Operator:", SN_S("yes"));
    }
    sn_buf_add_str(out, "Policies match the name byte for byte.\n");
    if (id->vouch_known && !id->vouched) {
        sn_buf_add_str(out, "Nobody vouches for this name: name this caller by its 'arn:...' or 'role:...' entry.\n");
    }
    if (id->vouch_known && id->altered) {
        sn_buf_add_str(out, "Sessions carry this name as '");
        sn_cli_printable(out, id->user_part);
        sn_buf_add_str(out, "'.\n");
    }
}

static enum sn_status ask_tvm(struct sn_app *app, const struct whoami_args *args, struct sn_json_doc **out_doc,
    struct sn_principal *parsed, struct identity *id, struct sn_error *err)
{
    SN_AUTO(sn_tvm_access_clear) struct sn_tvm_access access = {0};

    sn_app_failure(app, "the TVM does not tell who you are");
    SN_TRY(sn_tvm_access_open(app, &args->tvm, &access, err));
    SN_TRY(sn_tvm_access_call(
        app, &access, NULL, "GET", "/v1/whoami", (struct sn_slice){0}, (struct sn_slice){0}, out_doc, err));
    const struct sn_json *arn = sn_json_get(sn_json_get(sn_json_root(*out_doc), "principal"), "arn");
    SN_TRY(sn_principal_parse(sn_json_text(arn), NULL, parsed, err));
    sn_app_failure(app, "%s", "");
    read_tvm(sn_json_root(*out_doc), parsed, id);
    return SN_OK;
}

static enum sn_status without_tvm(const struct sn_app *app, const struct whoami_args *args, struct sn_principal *parsed,
    struct sn_arena *arena, struct identity *id, struct sn_error *err)
{
    char arn[SN_CLI_ARN_SIZE];

    if (args->arn != NULL) {
        if (sn_principal_parse(sn_slice_str(args->arn), NULL, parsed, err) != SN_OK) {
            sn_error_context(err, "--arn");
            err->status = SN_USAGE;
            snprintf(err->code, sizeof(err->code), "INVALID_ARN"); /* INVALID_IDENTITY is the server's word */
            return SN_USAGE;
        }
    } else {
        SN_TRY(sn_cli_caller(app, &args->tvm, arn, err));
        SN_TRY(sn_principal_parse(sn_slice_str(arn), NULL, parsed, err));
    }
    return judge(args, parsed, arena, id, err);
}

static enum sn_status run_whoami(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct whoami_args *args = arguments;
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_principal parsed;
    struct identity id = {0};

    if (args->arn == NULL && args->tvm.tvm_url != NULL) {
        SN_TRY(ask_tvm(app, args, &doc, &parsed, &id, err));
    } else {
        SN_TRY(without_tvm(app, args, &parsed, &arena, &id, err));
    }
    if (app->json) {
        write_json(&out, &id);
    } else {
        write_text(&out, &id);
    }
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example whoami_examples[] = {
    {"sentinel whoami", "your ARN, your name, and the list entries of a policy that match you"},
    {"sentinel whoami --arn arn:aws:iam::123456789012:user/alice", "the same for anybody, to write a policy"},
    {0},
};

const struct sn_cmd sn_cmd_whoami = {
    .name = "whoami",
    .group = SN_GROUP_CREDENTIALS,
    .summary = "show who you are to Sentinel, and how far your name is trusted",
    .description =
        "With a TVM it shows what the TVM sees, which alone knows its vouching roles and accounts. Without one "
        "it shows what STS says about your base credentials. Entries are the lines of a policy's 'users' list "
        "that match you.",
    .writes_result = true,
    .opts = whoami_opts,
    .examples = whoami_examples,
    .args_size = sizeof(struct whoami_args),
    .run = run_whoami,
};
