/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/config_center.c - 'identity_center' of lab.yaml: accounts, permission sets, users and who may have what.
 */
#include "base/parse.h"
#include "crypto/hash.h"
#include "lab/config_internal.h"
#include "lab/directory.h"
#include "lab/policy.h"

enum {
    SET_NAME_MAX = 32, /* so that AWSReservedSSO_<name>_<16 hex digits> is a role name */
    ROLE_HEX = 16,
    SET_MIN_S = 900,
    SET_MAX_S = 43200,
    SET_DEFAULT_S = 3600,
    YEAR_S = 365 * 24 * 3600,
};

struct permission_set {
    struct sn_slice name;
    int64_t duration_s;
};

struct center_reader {
    struct sn_lab_config_reader *r;
    struct permission_set *sets;
    size_t set_count;
};

static enum sn_status seconds_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node, const char *key,
    int64_t min_s, int64_t max_s, int64_t *out_s)
{
    struct sn_slice text = {0};
    struct sn_error cause = {0};
    SN_TRY(sn_lab_config_text_of(r, node, key, false, &text));
    if (text.len > 0 && sn_parse_int(text, min_s, max_s, out_s, &cause) != SN_OK) {
        return sn_fail(r->err, SN_INVALID, "LAB_CONFIG", "line %u, column %u: '%s' is %lld to %lld seconds",
            (unsigned)node->line, (unsigned)node->column, key, (long long)min_s, (long long)max_s);
    }
    return SN_OK;
}

static enum sn_status read_head(struct sn_lab_config_reader *r, const struct sn_yaml_node *node)
{
    static const char *const allowed[] = {"session", "interval", "device_life", "token_life", "refresh_life",
        "client_life", "accounts", "permission_sets", "users", NULL};
    struct sn_lab_center_config *center = &r->config->center;
    SN_TRY(sn_lab_config_check_keys(r, node, allowed));
    center->session = SN_S("lab");
    center->interval_s = 1;
    center->device_life_s = 600;
    center->token_life_s = 8 * 3600;
    center->refresh_life_s = 7 * 24 * 3600;
    center->client_life_s = 90 * 24 * 3600;
    SN_TRY(sn_lab_config_name_of(r, node, "session", false, &center->session));
    SN_TRY(seconds_of(r, node, "interval", 1, 60, &center->interval_s));
    SN_TRY(seconds_of(r, node, "device_life", 1, 3600, &center->device_life_s));
    SN_TRY(seconds_of(r, node, "token_life", 1, YEAR_S, &center->token_life_s));
    SN_TRY(seconds_of(r, node, "refresh_life", 1, YEAR_S, &center->refresh_life_s));
    return seconds_of(r, node, "client_life", 1, YEAR_S, &center->client_life_s);
}

static enum sn_status read_accounts(struct sn_lab_config_reader *r, const struct sn_yaml_node *node)
{
    static const char *const allowed[] = {"account", "name", "email", NULL};
    struct sn_lab_center_config *center = &r->config->center;
    enum sn_status status = SN_OK;
    size_t count = 0;
    const struct sn_yaml_node *list = sn_lab_config_list_of(r, node, "accounts", &count, &status);
    SN_TRY(status);
    center->accounts = sn_arena_alloc(r->arena, count + 1, sizeof(*center->accounts));
    for (size_t i = 0; i < count; i++) {
        struct sn_lab_center_account *account = &center->accounts[i];
        account->id = r->config->account;
        SN_TRY(sn_lab_config_check_keys(r, list->items[i], allowed));
        SN_TRY(sn_lab_config_account_of(r, list->items[i], &account->id));
        SN_TRY(sn_lab_config_name_of(r, list->items[i], "name", true, &account->name));
        account->email = sn_arena_printf(r->arena, "%.*s@lab.invalid", SN_PRI(account->name));
        SN_TRY(sn_lab_config_text_of(r, list->items[i], "email", false, &account->email));
        center->account_count = i + 1;
    }
    return SN_OK;
}

static enum sn_status read_sets(struct center_reader *c, const struct sn_yaml_node *node)
{
    static const char *const allowed[] = {"name", "duration", NULL};
    enum sn_status status = SN_OK;
    size_t count = 0;
    const struct sn_yaml_node *list = sn_lab_config_list_of(c->r, node, "permission_sets", &count, &status);
    SN_TRY(status);
    c->sets = sn_arena_alloc(c->r->arena, count + 1, sizeof(*c->sets));
    for (size_t i = 0; i < count; i++) {
        struct permission_set *set = &c->sets[i];
        set->duration_s = SET_DEFAULT_S;
        SN_TRY(sn_lab_config_check_keys(c->r, list->items[i], allowed));
        SN_TRY(sn_lab_config_name_of(c->r, list->items[i], "name", true, &set->name));
        SN_TRY(seconds_of(c->r, list->items[i], "duration", SET_MIN_S, SET_MAX_S, &set->duration_s));
        if (set->name.len > SET_NAME_MAX) {
            return sn_lab_config_wrong(c->r, list->items[i], "the name of a permission set has at most 32 characters");
        }
        c->set_count = i + 1;
    }
    return SN_OK;
}

/* The role that Identity Center makes in an account for a permission set; once for all users. */
static enum sn_status reserved_role(struct sn_lab_config_reader *r, const struct sn_lab_center_account *account,
    struct sn_slice set, struct sn_lab_role **out_role)
{
    static const char trust[] = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
                                "{\"Service\":\"sso.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";
    char digits[SN_SHA256_HEX_LEN + 1];
    sn_sha256_hex(sn_arena_printf(r->arena, "%.*s/%.*s", SN_PRI(account->id), SN_PRI(set)), digits);
    struct sn_slice name = sn_arena_printf(r->arena, "AWSReservedSSO_%.*s_%.*s", SN_PRI(set), ROLE_HEX, digits);
    struct sn_lab_role *role = sn_lab_directory_find_role(r->directory, account->id, name);
    if (role == NULL) {
        role = sn_lab_directory_add_role(r->directory);
        role->name = name;
        role->account = account->id;
        role->path = SN_S("/aws-reserved/sso.amazonaws.com/");
        role->description = SN_S("");
        role->max_session_s = SET_MAX_S;
        role->arn = sn_arena_printf(
            r->arena, "arn:aws:iam::%.*s:role%.*s%.*s", SN_PRI(account->id), SN_PRI(role->path), SN_PRI(name));
        role->id = sn_lab_config_unique_id(r->arena, "AROA", role->arn);
        SN_TRY(sn_lab_policy_parse(sn_slice_str(trust), SN_LAB_POLICY_TRUST, &role->trust, r->err));
    }
    *out_role = role;
    return SN_OK;
}

static enum sn_status read_assignment(
    struct center_reader *c, const struct sn_yaml_node *node, struct sn_lab_center_assignment *out)
{
    static const char *const allowed[] = {"account", "permission_set", NULL};
    struct sn_lab_center_config *center = &c->r->config->center;
    struct sn_slice account = c->r->config->account;
    SN_TRY(sn_lab_config_check_keys(c->r, node, allowed));
    SN_TRY(sn_lab_config_account_of(c->r, node, &account));
    SN_TRY(sn_lab_config_text_of(c->r, node, "permission_set", true, &out->permission_set));
    for (size_t i = 0; i < center->account_count; i++) {
        if (sn_slice_eq(center->accounts[i].id, account)) {
            out->account = &center->accounts[i];
        }
    }
    for (size_t i = 0; i < c->set_count; i++) {
        if (sn_slice_eq(c->sets[i].name, out->permission_set)) {
            out->duration_s = c->sets[i].duration_s;
        }
    }
    if (out->account == NULL || out->duration_s == 0) {
        return sn_lab_config_wrong(c->r, node, "no account or no permission set of that name in identity_center");
    }
    return reserved_role(c->r, out->account, out->permission_set, &out->role);
}

static enum sn_status read_user(
    struct center_reader *c, const struct sn_yaml_node *node, struct sn_lab_center_user *out)
{
    static const char *const allowed[] = {"name", "assignments", NULL};
    enum sn_status status = SN_OK;
    size_t count = 0;
    SN_TRY(sn_lab_config_check_keys(c->r, node, allowed));
    SN_TRY(sn_lab_config_name_of(c->r, node, "name", true, &out->name));
    if (sn_lab_center_user_named(&c->r->config->center, out->name) != NULL) {
        return sn_lab_config_wrong(c->r, node, "a user of that name exists already");
    }
    const struct sn_yaml_node *list = sn_lab_config_list_of(c->r, node, "assignments", &count, &status);
    SN_TRY(status);
    out->assignments = sn_arena_alloc(c->r->arena, count + 1, sizeof(*out->assignments));
    for (size_t i = 0; i < count; i++) {
        SN_TRY(read_assignment(c, list->items[i], &out->assignments[i]));
        out->assignment_count = i + 1;
    }
    return SN_OK;
}

static void collect_profiles(struct sn_lab_config_reader *r)
{
    struct sn_lab_center_config *center = &r->config->center;
    size_t max = 1;
    for (size_t u = 0; u < center->user_count; u++) {
        max += center->users[u].assignment_count;
    }
    center->profiles = sn_arena_alloc(r->arena, max, sizeof(*center->profiles));
    for (size_t u = 0; u < center->user_count; u++) {
        for (size_t i = 0; i < center->users[u].assignment_count; i++) {
            const struct sn_lab_center_assignment *a = &center->users[u].assignments[i];
            bool known = false;
            for (size_t k = 0; k < center->profile_count; k++) {
                known = known || center->profiles[k].role == a->role;
            }
            if (!known) {
                center->profiles[center->profile_count++] = *a;
            }
        }
    }
}

enum sn_status sn_lab_config_read_center(struct sn_lab_config_reader *r, const struct sn_yaml_node *root)
{
    const struct sn_yaml_node *node = sn_yaml_get(root, "identity_center");
    struct center_reader c = {.r = r};
    struct sn_lab_center_config *center = &r->config->center;
    enum sn_status status = SN_OK;
    size_t count = 0;
    if (node == NULL) {
        return SN_OK;
    }
    SN_TRY(read_head(r, node));
    SN_TRY(read_accounts(r, node));
    SN_TRY(read_sets(&c, node));
    const struct sn_yaml_node *users = sn_lab_config_list_of(r, node, "users", &count, &status);
    SN_TRY(status);
    center->users = sn_arena_alloc(r->arena, count + 1, sizeof(*center->users));
    for (size_t i = 0; i < count; i++) {
        SN_TRY(read_user(&c, users->items[i], &center->users[i]));
        center->user_count = i + 1;
    }
    collect_profiles(r);
    return SN_OK;
}
