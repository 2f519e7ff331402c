/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/config.c - lab.yaml to users, roles and profiles.
 */
#include "lab/config_internal.h"

#include <stdatomic.h>

#include "base/buf.h"
#include "base/parse.h"
#include "base/time.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "crypto/hash.h"
#include "lab/directory.h"
#include "lab/policy.h"

enum {
    NAME_MAX_LEN = 64,
    ID_RANDOM_LEN = 14,
    MAX_LIST = 4096,
    SESSION_MIN_S = 3600,
    SESSION_MAX_S = 43200,
    DEFAULT_SESSION_S = 3600,
};

enum sn_status sn_lab_config_wrong(struct sn_lab_config_reader *r, const struct sn_yaml_node *node, const char *what)
{
    return sn_fail(
        r->err, SN_INVALID, "LAB_CONFIG", "line %u, column %u: %s", (unsigned)node->line, (unsigned)node->column, what);
}

enum sn_status sn_lab_config_check_keys(
    struct sn_lab_config_reader *r, const struct sn_yaml_node *node, const char *const *allowed)
{
    if (node->kind != SN_YAML_MAPPING) {
        return sn_lab_config_wrong(r, node, "a mapping is expected here");
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct sn_yaml_node *key = node->pairs[i].key;
        bool known = false;
        for (size_t k = 0; allowed[k] != NULL; k++) {
            known = known || sn_slice_eq_str(key->text, allowed[k]);
        }
        if (!known) {
            return sn_fail(r->err, SN_INVALID, "LAB_CONFIG", "line %u, column %u: unknown key '%.*s'",
                (unsigned)key->line, (unsigned)key->column, SN_PRI(key->text));
        }
    }
    return SN_OK;
}

/* Text of a member; absent leaves *out alone unless required. */
enum sn_status sn_lab_config_text_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node, const char *key,
    bool required, struct sn_slice *out)
{
    const struct sn_yaml_node *value = sn_yaml_get(node, key);
    if (value == NULL) {
        if (required) {
            return sn_fail(r->err, SN_INVALID, "LAB_CONFIG", "line %u, column %u: '%s' is missing",
                (unsigned)node->line, (unsigned)node->column, key);
        }
        return SN_OK;
    }
    if (value->kind != SN_YAML_SCALAR || value->text.len == 0) {
        return sn_lab_config_wrong(r, value, "a text is expected here");
    }
    *out = sn_arena_dup(r->arena, value->text);
    return SN_OK;
}

enum sn_status sn_lab_config_name_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node, const char *key,
    bool required, struct sn_slice *out)
{
    SN_TRY(sn_lab_config_text_of(r, node, key, required, out));
    if (out->len > NAME_MAX_LEN || !sn_slice_is_alnum_or(*out, "_+=,.@-")) {
        return sn_lab_config_wrong(r, node, "names are 1 to 64 of A-Z a-z 0-9 _ + = , . @ -");
    }
    return SN_OK;
}

enum sn_status sn_lab_config_account_of(
    struct sn_lab_config_reader *r, const struct sn_yaml_node *node, struct sn_slice *out)
{
    SN_TRY(sn_lab_config_text_of(r, node, "account", false, out));
    bool fine = out->len == 12;
    for (size_t i = 0; i < out->len; i++) {
        fine = fine && out->ptr[i] >= '0' && out->ptr[i] <= '9';
    }
    return fine ? SN_OK : sn_lab_config_wrong(r, node, "an account is 12 digits, in quotes");
}

static enum sn_status path_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node, struct sn_slice *out)
{
    *out = SN_S("/");
    SN_TRY(sn_lab_config_text_of(r, node, "path", false, out));
    if (out->ptr[0] != '/' || out->ptr[out->len - 1] != '/' || !sn_slice_is_alnum_or(*out, "/._-")) {
        return sn_lab_config_wrong(r, node, "a path begins and ends with '/'");
    }
    return SN_OK;
}

/* Policies have no use for YAML's types: every scalar becomes a JSON string, which IAM reads just as well. */
static void yaml_to_json(struct sn_json_writer *w, const struct sn_yaml_node *node)
{
    switch (node->kind) {
    case SN_YAML_SCALAR:
        sn_json_put_text(w, node->text);
        return;
    case SN_YAML_SEQUENCE:
        sn_json_begin_array(w);
        for (size_t i = 0; i < node->count; i++) {
            yaml_to_json(w, node->items[i]);
        }
        sn_json_end_array(w);
        return;
    case SN_YAML_MAPPING:
        sn_json_begin_object(w);
        for (size_t i = 0; i < node->count; i++) {
            sn_json_key_slice(w, node->pairs[i].key->text);
            yaml_to_json(w, node->pairs[i].value);
        }
        sn_json_end_object(w);
        return;
    }
}

static enum sn_status policy_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node,
    enum sn_lab_policy_kind kind, struct sn_lab_policy **out)
{
    SN_AUTO(sn_buf_clear) struct sn_buf json = SN_BUF_INIT(SN_LAB_POLICY_MAX_BYTES);
    if (node->kind == SN_YAML_SCALAR) {
        sn_buf_add(&json, node->text);
    } else {
        struct sn_json_writer w;
        sn_json_writer_init(&w, &json);
        yaml_to_json(&w, node);
    }
    SN_TRY(sn_buf_check(&json, "policy", r->err));
    if (sn_lab_policy_parse(sn_buf_slice(&json), kind, out, r->err) != SN_OK) {
        return sn_error_context(r->err, "line %u, column %u", (unsigned)node->line, (unsigned)node->column);
    }
    return SN_OK;
}

static enum sn_status policies_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *node,
    struct sn_lab_named_policy **out_policies, size_t *out_count)
{
    const struct sn_yaml_node *map = sn_yaml_get(node, "policies");
    if (map == NULL) {
        return SN_OK;
    }
    if (map->kind != SN_YAML_MAPPING) {
        return sn_lab_config_wrong(r, map, "policies are a mapping of name to document");
    }
    *out_policies = sn_arena_alloc(r->arena, map->count, sizeof(**out_policies));
    for (size_t i = 0; i < map->count; i++) {
        struct sn_lab_named_policy *policy = &(*out_policies)[i];
        policy->name = sn_arena_dup(r->arena, map->pairs[i].key->text);
        SN_TRY(policy_of(r, map->pairs[i].value, SN_LAB_POLICY_IDENTITY, &policy->policy));
        *out_count = i + 1;
    }
    return SN_OK;
}

static enum sn_status inline_policies_of(
    struct sn_lab_config_reader *r, const struct sn_yaml_node *node, struct sn_lab_role *role)
{
    const struct sn_yaml_node *map = sn_yaml_get(node, "inline_policies");
    if (map == NULL) {
        return SN_OK;
    }
    if (map->kind != SN_YAML_MAPPING) {
        return sn_lab_config_wrong(r, map, "inline_policies are a mapping of name to document");
    }
    for (size_t i = 0; i < map->count; i++) {
        SN_AUTO(sn_lab_policy_unref_p) struct sn_lab_policy *policy = NULL;
        SN_TRY(policy_of(r, map->pairs[i].value, SN_LAB_POLICY_IDENTITY, &policy));
        SN_TRY(sn_lab_directory_put_inline(r->directory, role, map->pairs[i].key->text, policy, r->err));
    }
    return SN_OK;
}

/* AWS's unique ids, made from the name so that they are the same in each run. */
struct sn_slice sn_lab_config_unique_id(struct sn_arena *arena, const char *prefix, struct sn_slice arn)
{
    static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char digest[SN_SHA256_LEN];
    char text[ID_RANDOM_LEN];
    sn_sha256(arn, digest);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = base32[digest[i] & 31];
    }
    return sn_arena_printf(arena, "%sLAB%.*s", prefix, ID_RANDOM_LEN, text);
}

static enum sn_status add_user_key(struct sn_lab_config_reader *r, const struct sn_yaml_node *node,
    const struct sn_lab_user *user, enum sn_lab_key_kind kind)
{
    static const char *const allowed[] = {"id", "secret", NULL};
    SN_AUTO(sn_lab_key_unref_p) struct sn_lab_key *key = NULL;
    SN_TRY(sn_lab_key_new(r->random_source, "AKIA", false, &key, r->err));
    const struct sn_yaml_node *given = node != NULL ? sn_yaml_get(node, "key") : NULL;
    if (given != NULL) {
        struct sn_slice id = {0};
        struct sn_slice secret = {0};
        SN_TRY(sn_lab_config_check_keys(r, given, allowed));
        SN_TRY(sn_lab_config_text_of(r, given, "id", true, &id));
        SN_TRY(sn_lab_config_text_of(r, given, "secret", true, &secret));
        if (id.len != SN_LAB_ACCESS_KEY_LEN || !sn_slice_has_prefix(id, SN_S("AKIALAB")) ||
            !sn_slice_is_alnum_or(id, "") || secret.len != SN_LAB_SECRET_LEN) {
            return sn_lab_config_wrong(
                r, given, "a key has an id of 20 letters and digits that begins AKIALAB and a secret of 40");
        }
        memcpy(key->access_key, id.ptr, id.len);
        memcpy(key->secret, secret.ptr, secret.len);
    }
    key->kind = kind;
    key->user = user;
    key->account = user->account;
    key->arn = user->arn;
    key->principal_id = user->id;
    sn_lab_directory_add_key(r->directory, key);

    struct sn_lab_profile *profile = &r->config->profiles[r->config->profile_count++];
    profile->name = user->name;
    profile->key = SN_TAKE(key);
    return SN_OK;
}

static enum sn_status read_user(struct sn_lab_config_reader *r, const struct sn_yaml_node *node)
{
    static const char *const allowed[] = {"name", "account", "path", "key", "policies", NULL};
    struct sn_slice name = {0};
    struct sn_slice account = r->config->account;
    SN_TRY(sn_lab_config_check_keys(r, node, allowed));
    SN_TRY(sn_lab_config_name_of(r, node, "name", true, &name));
    SN_TRY(sn_lab_config_account_of(r, node, &account));
    if (sn_lab_directory_find_user(r->directory, account, name) != NULL) {
        return sn_lab_config_wrong(r, node, "a user of that name exists already");
    }
    struct sn_lab_user *user = sn_lab_directory_add_user(r->directory);
    user->name = name;
    user->account = account;
    SN_TRY(path_of(r, node, &user->path));
    user->arn =
        sn_arena_printf(r->arena, "arn:aws:iam::%.*s:user%.*s%.*s", SN_PRI(account), SN_PRI(user->path), SN_PRI(name));
    user->id = sn_lab_config_unique_id(r->arena, "AIDA", user->arn);
    SN_TRY(policies_of(r, node, &user->policies, &user->policy_count));
    return add_user_key(r, node, user, SN_LAB_KEY_USER);
}

static enum sn_status read_role(struct sn_lab_config_reader *r, const struct sn_yaml_node *node)
{
    static const char *const allowed[] = {
        "name", "account", "path", "description", "max_session", "trust", "policies", "inline_policies", NULL};
    struct sn_slice name = {0};
    struct sn_slice account = r->config->account;
    struct sn_slice text = {0};
    SN_TRY(sn_lab_config_check_keys(r, node, allowed));
    SN_TRY(sn_lab_config_name_of(r, node, "name", true, &name));
    SN_TRY(sn_lab_config_account_of(r, node, &account));
    if (sn_lab_directory_find_role(r->directory, account, name) != NULL) {
        return sn_lab_config_wrong(r, node, "a role of that name exists already");
    }
    struct sn_lab_role *role = sn_lab_directory_add_role(r->directory);
    role->name = name;
    role->account = account;
    role->max_session_s = DEFAULT_SESSION_S;
    SN_TRY(path_of(r, node, &role->path));
    SN_TRY(sn_lab_config_text_of(r, node, "description", false, &role->description));
    SN_TRY(sn_lab_config_text_of(r, node, "max_session", false, &text));
    if (text.len > 0 && sn_parse_int(text, SESSION_MIN_S, SESSION_MAX_S, &role->max_session_s, r->err) != SN_OK) {
        return sn_lab_config_wrong(r, node, "max_session is 3600 to 43200 seconds");
    }
    role->arn =
        sn_arena_printf(r->arena, "arn:aws:iam::%.*s:role%.*s%.*s", SN_PRI(account), SN_PRI(role->path), SN_PRI(name));
    role->id = sn_lab_config_unique_id(r->arena, "AROA", role->arn);
    const struct sn_yaml_node *trust = sn_yaml_get(node, "trust");
    if (trust == NULL) {
        return sn_lab_config_wrong(r, node, "a role needs a 'trust' policy");
    }
    SN_TRY(policy_of(r, trust, SN_LAB_POLICY_TRUST, &role->trust));
    SN_TRY(policies_of(r, node, &role->policies, &role->policy_count));
    return inline_policies_of(r, node, role);
}

static const struct sn_lab_profile *key_profile(const struct sn_lab_config *config, size_t count, struct sn_slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (sn_slice_eq(config->profiles[i].name, name)) {
            return &config->profiles[i];
        }
    }
    return NULL;
}

/* users: come first and give a profile each; 'profiles' then says how they are named in D/aws. */
static enum sn_status read_profile(
    struct sn_lab_config_reader *r, const struct sn_yaml_node *node, size_t user_count, struct sn_lab_profile *out)
{
    static const char *const allowed[] = {"name", "user", "role", "source", "session_name", NULL};
    struct sn_slice user = {0};
    struct sn_slice role_name = {0};
    SN_TRY(sn_lab_config_check_keys(r, node, allowed));
    SN_TRY(sn_lab_config_name_of(r, node, "name", true, &out->name));
    SN_TRY(sn_lab_config_text_of(r, node, "user", false, &user));
    SN_TRY(sn_lab_config_text_of(r, node, "role", false, &role_name));
    SN_TRY(sn_lab_config_text_of(r, node, "source", false, &out->source_profile));
    SN_TRY(sn_lab_config_name_of(r, node, "session_name", false, &out->session_name));
    if ((user.len > 0) == (role_name.len > 0) || (role_name.len > 0) != (out->source_profile.len > 0)) {
        return sn_lab_config_wrong(r, node, "a profile has either 'user', or 'role' and 'source'");
    }
    if (user.len > 0) {
        const struct sn_lab_profile *known = key_profile(r->config, user_count, user);
        if (known == NULL) {
            return sn_lab_config_wrong(r, node, "no user of that name");
        }
        atomic_fetch_add(&known->key->references, 1);
        out->key = known->key;
        return SN_OK;
    }
    const struct sn_lab_role *role = sn_lab_directory_find_role(r->directory, r->config->account, role_name);
    if (role == NULL) {
        return sn_lab_config_wrong(r, node, "no role of that name");
    }
    out->role_arn = role->arn;
    return SN_OK;
}

const struct sn_yaml_node *sn_lab_config_list_of(struct sn_lab_config_reader *r, const struct sn_yaml_node *root,
    const char *key, size_t *out_count, enum sn_status *out_status)
{
    const struct sn_yaml_node *list = sn_yaml_get(root, key);
    *out_count = 0;
    *out_status = SN_OK;
    if (list != NULL && (list->kind != SN_YAML_SEQUENCE || list->count > MAX_LIST)) {
        *out_status = sn_lab_config_wrong(r, list, "a list of at most 4096 entries is expected here");
    } else if (list != NULL) {
        *out_count = list->count;
    }
    return list;
}

static enum sn_status read_managed(struct sn_lab_config_reader *r, const struct sn_yaml_node *root)
{
    static const char everything[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}";
    static const char reading[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"iam:Get*\",\"iam:List*\","
        "\"cloudtrail:LookupEvents\",\"sts:Get*\"],\"Resource\":\"*\"}]}";
    const struct sn_yaml_node *map = sn_yaml_get(root, "managed_policies");
    if (map != NULL && map->kind != SN_YAML_MAPPING) {
        return sn_lab_config_wrong(r, map, "managed_policies are a mapping of name to document");
    }
    size_t count = map != NULL ? map->count : 0;
    r->config->managed = sn_arena_alloc(r->arena, count + 2, sizeof(*r->config->managed));
    r->config->managed_count = 2;
    r->config->managed[0].arn = SN_S("arn:aws:iam::aws:policy/AdministratorAccess");
    SN_TRY(
        sn_lab_policy_parse(sn_slice_str(everything), SN_LAB_POLICY_IDENTITY, &r->config->managed[0].policy, r->err));
    r->config->managed[1].arn = SN_S("arn:aws:iam::aws:policy/ReadOnlyAccess");
    SN_TRY(sn_lab_policy_parse(sn_slice_str(reading), SN_LAB_POLICY_IDENTITY, &r->config->managed[1].policy, r->err));
    for (size_t i = 0; i < count; i++) {
        struct sn_lab_managed *managed = &r->config->managed[r->config->managed_count++];
        managed->arn = sn_arena_printf(
            r->arena, "arn:aws:iam::%.*s:policy/%.*s", SN_PRI(r->config->account), SN_PRI(map->pairs[i].key->text));
        SN_TRY(policy_of(r, map->pairs[i].value, SN_LAB_POLICY_IDENTITY, &managed->policy));
    }
    return SN_OK;
}

static enum sn_status add_root_key(struct sn_lab_config_reader *r)
{
    struct sn_lab_user *user = sn_arena_alloc(r->arena, 1, sizeof(*user));
    user->name = SN_S("root");
    user->path = SN_S("/");
    user->account = r->config->account;
    user->id = r->config->account;
    user->arn = sn_arena_printf(r->arena, "arn:aws:iam::%.*s:root", SN_PRI(r->config->account));
    return add_user_key(r, NULL, user, SN_LAB_KEY_ROOT);
}

static enum sn_status read_head(struct sn_lab_config_reader *r, const struct sn_yaml_node *root, bool *out_root_key)
{
    static const char *const allowed[] = {"account", "region", "clock", "root_key", "users", "roles", "profiles",
        "managed_policies", "identity_center", NULL};
    struct sn_slice text = {0};
    SN_TRY(sn_lab_config_check_keys(r, root, allowed));
    r->config->account = SN_S("123456789012");
    r->config->region = SN_S("us-east-1");
    SN_TRY(sn_lab_config_account_of(r, root, &r->config->account));
    SN_TRY(sn_lab_config_text_of(r, root, "region", false, &r->config->region));
    if (!sn_slice_is_alnum_or(r->config->region, "-")) {
        return sn_lab_config_wrong(r, root, "region is a name like us-east-1");
    }
    SN_TRY(sn_lab_config_text_of(r, root, "clock", false, &text));
    r->config->has_clock = text.len > 0;
    if (text.len > 0 && sn_time_parse_rfc3339(text, &r->config->clock_unix_ms, r->err) != SN_OK) {
        return sn_error_context(r->err, "clock");
    }
    text = (struct sn_slice){0};
    SN_TRY(sn_lab_config_text_of(r, root, "root_key", false, &text));
    if (text.len > 0 && sn_parse_bool(text, out_root_key, r->err) != SN_OK) {
        return sn_error_context(r->err, "root_key");
    }
    return SN_OK;
}

static enum sn_status read_lists(struct sn_lab_config_reader *r, const struct sn_yaml_node *root, bool root_key)
{
    enum sn_status status = SN_OK;
    size_t user_count = 0;
    size_t role_count = 0;
    size_t profile_count = 0;
    const struct sn_yaml_node *users = sn_lab_config_list_of(r, root, "users", &user_count, &status);
    SN_TRY(status);
    const struct sn_yaml_node *roles = sn_lab_config_list_of(r, root, "roles", &role_count, &status);
    SN_TRY(status);
    const struct sn_yaml_node *profiles = sn_lab_config_list_of(r, root, "profiles", &profile_count, &status);
    SN_TRY(status);

    r->config->profiles = sn_arena_alloc(r->arena, user_count + profile_count + 1, sizeof(*r->config->profiles));
    for (size_t i = 0; i < user_count; i++) {
        SN_TRY(read_user(r, users->items[i]));
    }
    for (size_t i = 0; i < role_count; i++) {
        SN_TRY(read_role(r, roles->items[i]));
    }
    size_t key_count = r->config->profile_count;
    for (size_t i = 0; i < profile_count; i++) {
        struct sn_lab_profile profile = {0};
        SN_TRY(read_profile(r, profiles->items[i], key_count, &profile));
        r->config->profiles[r->config->profile_count++] = profile;
    }
    if (profiles != NULL) {
        /* The list names all profiles: those that stood for the users themselves go. */
        for (size_t i = 0; i < key_count; i++) {
            sn_lab_key_unref(r->config->profiles[i].key);
        }
        memmove(r->config->profiles, r->config->profiles + key_count, profile_count * sizeof(*r->config->profiles));
        r->config->profile_count = profile_count;
    }
    return root_key ? add_root_key(r) : SN_OK;
}

enum sn_status sn_lab_config_load(struct sn_slice yaml, const struct sn_random *random_source,
    struct sn_lab_directory *directory, struct sn_lab_config *out_config, struct sn_error *err)
{
    struct sn_lab_config_reader r = {.directory = directory,
        .arena = sn_lab_directory_arena(directory),
        .random_source = random_source,
        .config = out_config,
        .err = err};
    struct sn_yaml_node *root = NULL;
    bool root_key = false;
    SN_TRY(sn_yaml_parse(yaml, &sn_yaml_limits_document, r.arena, &root, err));
    SN_TRY(read_head(&r, root, &root_key));
    SN_TRY(read_managed(&r, root));
    SN_TRY(read_lists(&r, root, root_key));
    return sn_lab_config_read_center(&r, root);
}

void sn_lab_config_clear(struct sn_lab_config *config)
{
    for (size_t i = 0; i < config->profile_count; i++) {
        sn_lab_key_unref(config->profiles[i].key);
    }
    for (size_t i = 0; i < config->managed_count; i++) {
        sn_lab_policy_unref(config->managed[i].policy);
    }
    *config = (struct sn_lab_config){0};
}
