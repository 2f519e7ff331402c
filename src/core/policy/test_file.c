/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/test_file.c - see test_file.h. */
#include "core/policy/test_file.h"

#include <string.h>

#include "base/parse.h"
#include "base/time.h"
#include "core/policy/entry.h"
#include "core/policy/limits.h"
#include "core/policy/strtab.h"

struct reader {
    struct sn_test_file *file;
    struct sn_report report;
    struct sn_strtab posture_names; /* number: index into postures */
    struct sn_case_posture *postures;
    struct sn_strtab case_names;
    char user_account[SN_ACCOUNT_LEN + 1]; /* of the IAM users met */
};

static void wrong(struct reader *reader, const struct sn_yaml_node *node, const struct sn_path *path,
    const char *suggestion, const char *what, struct sn_slice about)
{
    sn_report_add(
        &reader->report, SN_SEVERITY_ERROR, "test-case", node, path, suggestion, "'%.*s' %s", SN_SHOW(about), what);
}

static struct sn_slice copy(struct reader *reader, const struct sn_yaml_node *node)
{
    struct sn_slice none = {0};
    return node != NULL ? sn_arena_dup(&reader->file->arena, node->text) : none;
}

/* One text or a list of texts, as the nodes they are. */
static size_t items_of(const struct sn_yaml_node *const *node, const struct sn_yaml_node *const **out_items)
{
    if (*node == NULL) {
        return 0;
    }
    if ((*node)->kind == SN_YAML_SEQUENCE) {
        *out_items = (const struct sn_yaml_node *const *)(*node)->items;
        return (*node)->count;
    }
    *out_items = node;
    return 1;
}

static size_t find_word(struct reader *reader, const struct sn_yaml_node *node, const struct sn_path *path,
    const char *const *words, size_t count)
{
    char hint[128], all[160];
    size_t used = (size_t)snprintf(all, sizeof(all), "one of");
    for (size_t i = 0; i < count; i++) {
        if (sn_slice_eq_str(node->text, words[i])) {
            return i;
        }
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%s %s", i > 0 ? "," : "", words[i]);
        SN_ASSERT(used < sizeof(all));
    }
    wrong(reader, node, path, sn_suggest_word(hint, sizeof(hint), node->text, words, count, all), "is no value of this",
        node->text);
    return 0;
}

/* --- The case --- */

static void read_principal(
    struct reader *reader, const struct sn_yaml_node *node, const struct sn_path *path, struct sn_slice *out)
{
    struct sn_principal caller;
    struct sn_error err = {0};
    struct sn_trial_server server = {0};
    if (sn_trial_principal(node->text, &server, &caller, &err) != SN_OK) {
        wrong(reader, node, path, "give a name, or a caller's whole ARN", "is no caller", node->text);
        return;
    }
    bool is_user_arn = sn_slice_has_prefix(node->text, SN_S("arn:")) && caller.type == SN_PRINCIPAL_USER;
    if (is_user_arn && reader->file->server.account[0] == '\0') {
        if (reader->user_account[0] != '\0' && strcmp(reader->user_account, caller.account) != 0) {
            wrong(reader, node, path, "add tvm_account, the account of the server",
                "is of another account than the IAM users before", node->text);
        }
        memcpy(reader->user_account, caller.account, sizeof(reader->user_account));
    }
    *out = copy(reader, node);
}

static void read_principals(struct reader *reader, const struct sn_yaml_node *const *node, const struct sn_path *parent,
    struct sn_test_case *test)
{
    const struct sn_yaml_node *const *items = NULL;
    struct sn_path path = {.parent = parent, .field = "principal"};
    const size_t count = items_of(node, &items);
    test->principal_count = count;
    struct sn_slice *texts = sn_arena_alloc(&reader->file->arena, count, sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        read_principal(reader, items[i], &path, &texts[i]);
    }
    test->principals = texts;
}

static void read_profiles(struct reader *reader, const struct sn_yaml_node *const *node, const struct sn_path *parent,
    struct sn_test_case *test)
{
    const struct sn_yaml_node *const *items = NULL;
    struct sn_path path = {.parent = parent, .field = "profile"};
    const size_t count = items_of(node, &items);
    test->profile_count = count;
    struct sn_slice *texts = sn_arena_alloc(&reader->file->arena, count, sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        if (!sn_profile_name_is_valid(items[i]->text)) {
            wrong(reader, items[i], &path, NULL, "is not a profile name", items[i]->text);
        }
        texts[i] = copy(reader, items[i]);
    }
    test->profiles = texts;
}

static void read_times(struct reader *reader, const struct sn_yaml_node *const *node, const struct sn_path *parent,
    struct sn_test_case *test)
{
    const struct sn_yaml_node *const *items = NULL;
    struct sn_path path = {.parent = parent, .field = "time"};
    const size_t count = items_of(node, &items);
    test->time_count = count;
    int64_t *times = sn_arena_alloc(&reader->file->arena, count, sizeof(*times));
    for (size_t i = 0; i < count; i++) {
        struct sn_error ignored = {0};
        if (sn_time_parse_rfc3339(items[i]->text, &times[i], &ignored) != SN_OK) {
            wrong(reader, items[i], &path, "a time such as 2026-02-01T10:00:00Z", "is no time", items[i]->text);
        }
    }
    test->unix_ms = times;
}

static void keep_posture(struct reader *reader, const struct sn_yaml_node *node, struct sn_case_posture *out)
{
    sn_trial_posture(node, &out->posture);
    out->posture.os_type = sn_arena_dup(&reader->file->arena, out->posture.os_type);
    out->posture.os_version = sn_arena_dup(&reader->file->arena, out->posture.os_version);
    out->is_known = true;
}

static void read_posture(
    struct reader *reader, const struct sn_yaml_node *node, const struct sn_path *path, struct sn_case_posture *out)
{
    switch (node->kind) {
    case SN_YAML_MAPPING:
        if (sn_schema_check(&sn_schema_posture, &reader->report, node, path)) {
            keep_posture(reader, node, out);
        }
        return;
    case SN_YAML_SCALAR: {
        uint32_t number = sn_strtab_find(&reader->posture_names, 0, node->text);
        if (number != SN_STRTAB_NONE) {
            *out = reader->postures[number];
        } else if (!sn_slice_eq_str(node->text, "none")) {
            wrong(reader, node, path, "name one of postures, or write a mapping", "is no posture of this file",
                node->text);
        }
        return;
    }
    case SN_YAML_SEQUENCE:
        wrong(reader, node, path, NULL, "a list inside a list is no posture", SN_S("posture"));
        return;
    }
}

static void read_postures(struct reader *reader, const struct sn_yaml_node *const *node, const struct sn_path *parent,
    struct sn_test_case *test)
{
    const struct sn_yaml_node *const *items = NULL;
    struct sn_path path = {.parent = parent, .field = "posture"};
    size_t count = items_of(node, &items);
    struct sn_case_posture *postures = sn_arena_alloc(&reader->file->arena, count > 0 ? count : 1, sizeof(*postures));
    for (size_t i = 0; i < count; i++) {
        read_posture(reader, items[i], &path, &postures[i]);
    }
    test->postures = postures;
    test->posture_count = *node == NULL ? 1 : count;
}

static void read_expectation(struct reader *reader, const struct sn_yaml_node *node, const struct sn_yaml_node *owner,
    const struct sn_path *parent, struct sn_expectation *out)
{
    const struct sn_yaml_node *fields[SN_EXPECT_FIELDS];
    struct sn_path path = {.parent = parent, .field = "expect"};
    struct sn_error ignored = {0};
    sn_schema_bind(&sn_schema_expect, node, fields);
    if (fields[SN_EXPECT_EFFECT] == NULL) {
        wrong(reader, node != NULL ? node : owner, &path, "expect needs an effect", "is missing", SN_S("effect"));
        return;
    }
    out->effect =
        (enum sn_effect)find_word(reader, fields[SN_EXPECT_EFFECT], &path, sn_effect_words, SN_LEN(sn_effect_words));
    out->has_rule = fields[SN_EXPECT_RULE] != NULL;
    out->rule = copy(reader, fields[SN_EXPECT_RULE]);
    out->has_reason = fields[SN_EXPECT_REASON] != NULL;
    out->reason = copy(reader, fields[SN_EXPECT_REASON]);
    out->has_table = fields[SN_EXPECT_SESSION_TABLE] != NULL;
    out->table = copy(reader, fields[SN_EXPECT_SESSION_TABLE]);
    if (fields[SN_EXPECT_OVERRIDE] != NULL) {
        out->has_override = true;
        out->override = (enum sn_override)find_word(
            reader, fields[SN_EXPECT_OVERRIDE], &path, sn_override_words, SN_LEN(sn_override_words));
    }
    const struct sn_yaml_node *duration = fields[SN_EXPECT_MAX_SERVER_DURATION];
    out->has_duration = duration != NULL;
    if (duration != NULL && !sn_slice_eq_str(duration->text, "0s") &&
        sn_parse_duration(duration->text, &out->duration_s, &ignored) != SN_OK) {
        wrong(reader, duration, &path, "a duration such as 30m, or 0s for none", "is no duration", duration->text);
    }
}

static void read_case(
    struct reader *reader, const struct sn_yaml_node *node, const struct sn_path *path, struct sn_test_case *test)
{
    const struct sn_yaml_node *fields[SN_CASE_FIELDS];
    sn_schema_bind(&sn_schema_case, node, fields);
    test->line = node->line;
    test->name = copy(reader, fields[SN_CASE_NAME]);
    if (test->name.len == 0 || !sn_text_is_printable(test->name)) {
        wrong(reader, node, path, "give each case a unique printable name", "is no name of a case", test->name);
    } else if (sn_strtab_find(&reader->case_names, 0, test->name) != SN_STRTAB_NONE) {
        wrong(reader, fields[SN_CASE_NAME], path, "give each case a unique printable name", "names two cases",
            test->name);
    }
    (void)sn_strtab_add(&reader->case_names, 0, test->name);
    if (fields[SN_CASE_PRINCIPAL] == NULL || fields[SN_CASE_PROFILE] == NULL) {
        wrong(reader, node, path, "a case needs principal, profile and expect",
            fields[SN_CASE_PRINCIPAL] == NULL ? "has no principal" : "has no profile", test->name);
        return;
    }
    read_principals(reader, &fields[SN_CASE_PRINCIPAL], path, test);
    read_profiles(reader, &fields[SN_CASE_PROFILE], path, test);
    read_times(reader, &fields[SN_CASE_TIME], path, test);
    read_postures(reader, &fields[SN_CASE_POSTURE], path, test);
    if (fields[SN_CASE_MODE] != NULL) {
        struct sn_path mode_path = {.parent = path, .field = "mode"};
        test->mode =
            (enum sn_mode)find_word(reader, fields[SN_CASE_MODE], &mode_path, sn_mode_words, SN_LEN(sn_mode_words));
    }
    read_expectation(reader, fields[SN_CASE_EXPECT], node, path, &test->expected);
    /* Each list holds at most SN_POLICY_MAX_LIST, so the product fits. */
    size_t times = fields[SN_CASE_TIME] == NULL ? 1 : test->time_count;
    size_t runs = test->principal_count * test->profile_count * times * test->posture_count;
    if (runs == 0 || runs > SN_TESTS_MAX_RUNS) {
        wrong(reader, node, path, runs == 0 ? "put something into each list" : "split it",
            runs == 0 ? "has an empty list, so it runs never" : "runs more than 1000 times", test->name);
    }
}

/* --- The file --- */

static void read_server(struct reader *reader, const struct sn_yaml_node *const *fields)
{
    struct sn_trial_server *server = &reader->file->server;
    struct sn_error err = {0};
    const struct sn_yaml_node *account = fields[SN_TESTS_TVM_ACCOUNT], *roles = fields[SN_TESTS_VOUCHING_ROLES];
    struct sn_path account_path = {.field = "tvm_account"}, roles_path = {.field = "vouching_roles"};
    server->session_store = SN_S("sessions");
    if (fields[SN_TESTS_SESSION_STORE] != NULL) {
        server->session_store = copy(reader, fields[SN_TESTS_SESSION_STORE]);
        if (sn_slice_eq_str(server->session_store, "none")) {
            server->session_store = SN_S("");
        }
    }
    if (account != NULL && sn_trial_account(account->text, server, &err) != SN_OK) {
        wrong(reader, account, &account_path, "12 digits, in quotes", "is no account", account->text);
    }
    for (size_t i = 0; roles != NULL && i < roles->count; i++) {
        if (sn_trial_globs(copy(reader, roles->items[i]), server, &err) != SN_OK) {
            wrong(reader, roles->items[i], &roles_path, "role names with '*' and '?'", "is no role",
                roles->items[i]->text);
        }
    }
}

static void read_named_postures(struct reader *reader, const struct sn_yaml_node *node)
{
    size_t count = node != NULL ? node->count : 0;
    reader->postures = sn_arena_alloc(&reader->file->arena, count, sizeof(*reader->postures));
    for (size_t i = 0; i < count; i++) {
        struct sn_slice name = copy(reader, node->pairs[i].key);
        (void)sn_strtab_add(&reader->posture_names, 0, name); /* keys are unique, so numbers are indexes */
        keep_posture(reader, node->pairs[i].value, &reader->postures[i]);
        reader->postures[i].name = name;
    }
}

static void read_file(struct reader *reader, const struct sn_yaml_node *root)
{
    const struct sn_yaml_node *fields[SN_TESTS_FIELDS];
    const struct sn_yaml_node *const *catalogs = NULL;
    struct sn_test_file *file = reader->file;
    struct sn_path version_path = {.field = "version"}, cases_path = {.field = "cases"};
    sn_schema_bind(&sn_schema_tests, root, fields);
    if (!sn_slice_eq_str(fields[SN_TESTS_VERSION]->text, sn_document_versions[0])) {
        sn_report_add(&reader->report, SN_SEVERITY_ERROR, "version", fields[SN_TESTS_VERSION], &version_path,
            "set version: \"1\"", "version '%.*s' is not supported; supported: %s",
            SN_SHOW(fields[SN_TESTS_VERSION]->text), sn_document_versions[0]);
    }
    file->policy = copy(reader, fields[SN_TESTS_POLICY]);
    const size_t catalog_count = items_of(&fields[SN_TESTS_CATALOG], &catalogs);
    file->catalog_count = catalog_count;
    struct sn_slice *names = sn_arena_alloc(&file->arena, catalog_count, sizeof(*names));
    for (size_t i = 0; i < catalog_count; i++) {
        names[i] = copy(reader, catalogs[i]);
    }
    file->catalogs = names;
    read_server(reader, fields);
    read_named_postures(reader, fields[SN_TESTS_POSTURES]);
    const struct sn_yaml_node *cases = fields[SN_TESTS_CASES];
    file->case_count = cases != NULL ? cases->count : 0;
    if (file->case_count == 0) {
        wrong(reader, cases != NULL ? cases : root, &cases_path, "add a case", "is missing or empty", SN_S("cases"));
    }
    file->cases = sn_arena_alloc(&file->arena, file->case_count, sizeof(*file->cases));
    for (size_t i = 0; cases != NULL && i < file->case_count; i++) {
        struct sn_path path = {.parent = &cases_path, .index = i, .is_index = true};
        read_case(reader, cases->items[i], &path, &file->cases[i]);
    }
    if (file->server.account[0] == '\0') {
        memcpy(file->server.account, reader->user_account, sizeof(file->server.account));
    }
}

enum sn_status sn_test_file_load(
    struct sn_slice text, struct sn_findings *findings, struct sn_test_file *out_file, struct sn_error *err)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_strtab_clear) struct sn_strtab posture_names = {0};
    SN_AUTO(sn_strtab_clear) struct sn_strtab case_names = {0};
    SN_AUTO(sn_findings_clear) struct sn_findings own = {0};
    struct sn_findings *all = findings != NULL ? findings : &own;
    struct reader reader = {.file = out_file, .report = {.findings = all}};
    struct sn_yaml_node *root = NULL;
    size_t first = all->count, errors_before = all->errors;

    *out_file = (struct sn_test_file){0};
    if (sn_schema_read(&sn_schema_tests, text, "test file", &sn_yaml_limits_document, &arena, &reader.report, &root)) {
        read_file(&reader, root);
    }
    posture_names = reader.posture_names;
    case_names = reader.case_names;
    sn_findings_sort(all, first);
    if (all->errors != errors_before) {
        return sn_findings_fail(all, first, "INVALID_TESTS", err);
    }
    return SN_OK;
}

void sn_test_file_clear(struct sn_test_file *file)
{
    sn_arena_clear(&file->arena);
    *file = (struct sn_test_file){0};
}

enum sn_status sn_test_file_check_profiles(
    const struct sn_test_file *file, const struct sn_catalog *catalog, struct sn_error *err)
{
    for (size_t i = 0; i < file->case_count; i++) {
        const struct sn_test_case *test = &file->cases[i];
        for (size_t k = 0; k < test->profile_count; k++) {
            if (sn_catalog_find(catalog, test->profiles[k]) == NULL) {
                return sn_fail(err, SN_INVALID, "INVALID_TESTS",
                    "line %u: profile '%.*s' of case '%.*s' is not in the catalogue", test->line,
                    SN_SHOW(test->profiles[k]), SN_SHOW(test->name));
            }
        }
    }
    return SN_OK;
}
