/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/bootstrap.c - see bootstrap.h. */
#include "core/policy/bootstrap.h"

#include "core/identity/principal.h"
#include "core/policy/catalog_entry.h"
#include "core/policy/envelope.h"
#include "core/policy/limits.h"
#include "core/policy/policy.h"
#include "core/policy/schema.h"
#include "core/policy/strtab.h"

struct reader {
    const struct sn_tz_source *zones;
    struct sn_report report;
    struct sn_arena *arena;
    struct sn_strtab names;
    const char *partition; /* of the region that the file names */
};

static void clear_reader(struct reader *reader)
{
    sn_strtab_clear(&reader->names);
}

#define FAULT(reader, code, node, path, mend, ...)                                                                     \
    sn_report_add(&(reader)->report, SN_SEVERITY_ERROR, code, node, path, mend, __VA_ARGS__)

/* ^/[A-Za-z0-9/_-]+$ in at most 512 bytes and 14 levels, none empty, the first not AWS's own. */
static const char *root_fault(struct sn_slice root)
{
    struct sn_slice rest = root, part;
    size_t levels = 0;
    if (root.len == 0 || root.ptr[0] != '/') {
        return "does not begin with '/'";
    }
    if (root.len > SN_BOOTSTRAP_MAX_ROOT) {
        return "is longer than 512 bytes";
    }
    rest = sn_slice_sub(root, 1, root.len - 1);
    if (rest.len > 0 && rest.ptr[rest.len - 1] == '/') {
        rest.len--;
    }
    if (rest.len == 0) {
        return "names no level";
    }
    while (sn_slice_next(&rest, '/', &part)) {
        if (part.len == 0 || !sn_slice_is_alnum_or(part, "_-")) {
            return "has an empty level, or other characters than letters, digits, '_' and '-'";
        }
        bool is_reserved = part.len >= 3 && (sn_slice_eq_nocase(sn_slice_sub(part, 0, 3), SN_S("aws")) ||
                                                sn_slice_eq_nocase(sn_slice_sub(part, 0, 3), SN_S("ssm")));
        if (levels++ == 0 && is_reserved) {
            return "begins with a name that AWS keeps for itself";
        }
    }
    return levels > SN_BOOTSTRAP_MAX_LEVELS ? "has more than 14 levels" : NULL;
}

static void check_root(struct reader *reader, const struct sn_yaml_node *node, const char *field)
{
    struct sn_path path = {.field = field};
    const char *fault = node != NULL ? root_fault(node->text) : NULL;
    if (fault != NULL) {
        FAULT(reader, "policy-root", node, &path, "a path such as /sentinel/policies", "'%.*s' %s", SN_SHOW(node->text),
            fault);
    }
}

/* What the later of two paths must not be: the other, or something below it. */
static bool lies_below(struct sn_slice path, struct sn_slice other)
{
    return sn_slice_has_prefix(path, other) && (path.len == other.len || path.ptr[other.len] == '/');
}

static void check_paths(struct reader *reader, const struct sn_yaml_node *policies, const struct sn_yaml_node *catalog)
{
    struct sn_path path = {.field = "catalog_path"};
    check_root(reader, policies, "policy_root");
    check_root(reader, catalog, "catalog_path");
    struct sn_slice below = catalog != NULL ? catalog->text : SN_S("/sentinel/catalog");
    struct sn_slice above = policies != NULL ? policies->text : SN_S("/sentinel/policies");
    if (lies_below(below, above) || lies_below(above, below)) {
        FAULT(reader, "policy-root", catalog != NULL ? catalog : policies, &path, "give them different folders",
            "of the policies' and the catalogue's path one lies below the other");
    }
}

/* A policy in a text of its own: its findings stand at the text, with their own place in the message. */
static void check_policy(struct reader *reader, const struct sn_yaml_node *node, const struct sn_path *parent)
{
    SN_AUTO(sn_policy_unref_p) struct sn_policy *policy = NULL;
    struct sn_path path = {.parent = parent, .field = "initial_policy"};
    struct sn_error err = {0};
    if (node != NULL && sn_policy_load(node->text, reader->zones, NULL, &policy, &err) != SN_OK) {
        FAULT(reader, "initial-policy", node, &path, err.suggestion[0] != '\0' ? err.suggestion : NULL,
            "not a valid policy: %s", err.message);
    }
}

static const char *partition_of(struct sn_slice region)
{
    static const struct {
        const char *prefix, *partition;
    } rows[] = {{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-isob-", "aws-iso-b"}, {"us-iso-", "aws-iso"}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        if (sn_slice_has_prefix(region, sn_slice_str(rows[i].prefix))) {
            return rows[i].partition;
        }
    }
    return "aws";
}

/* The entry that the catalogue will get: without a role it names the one that the set-up fills in. */
static void check_entry(struct reader *reader, const struct sn_yaml_node *node, const struct sn_yaml_node *region,
    struct sn_slice name, const struct sn_path *path)
{
    struct sn_profile profile = {.name = name};
    struct sn_yaml_node key = {.text = SN_S("role_arn"), .line = node->line, .column = node->column};
    struct sn_yaml_node role = {.plain = true, .line = node->line, .column = node->column};
    struct sn_yaml_node completed = *node;
    if (sn_yaml_get(node, "role_arn") == NULL) {
        completed.pairs = sn_arena_alloc(reader->arena, node->count + 1, sizeof(*completed.pairs));
        for (size_t i = 0; i < node->count; i++) {
            completed.pairs[i] = node->pairs[i];
        }
        role.text = sn_arena_printf(reader->arena, "arn:%s:iam::000000000000:role/SentinelProtected-x",
            region != NULL ? partition_of(region->text) : reader->partition);
        completed.pairs[completed.count++] = (struct sn_yaml_pair){&key, &role};
    }
    struct sn_yaml_node place = {.text = name, .line = node->line, .column = node->column};
    struct sn_yaml_pair pair = {&place, &completed};
    (void)sn_catalog_entry_read(&reader->report, &pair, path, reader->arena, &profile);
}

static void check_profile(struct reader *reader, const struct sn_yaml_node *node, const struct sn_path *path)
{
    const struct sn_yaml_node *fields[SN_SCHEMA_FIELDS_MAX];
    struct sn_path name_path = {.parent = path, .field = "name"};
    struct sn_path parameter_path = {.parent = path, .field = "policy_parameter_name"};
    sn_schema_bind(&sn_schema_bootstrap_profile, node, fields);
    const struct sn_yaml_node *name = fields[SN_BOOTSTRAP_PROFILE_NAME];
    struct sn_slice text = name != NULL ? name->text : SN_S("");
    if (text.len == 0 || text.len > SN_BOOTSTRAP_MAX_NAME || !sn_slice_is_alnum_or(text, "_-") || text.ptr[0] == '-') {
        FAULT(reader, "profile-name", name != NULL ? name : node, &name_path,
            "1 to 64 letters, digits, '_' and '-', not beginning with '-'", "'%.*s' is not the name of a profile",
            SN_SHOW(text));
    } else {
        size_t before = reader->names.count;
        if (sn_strtab_add(&reader->names, 0, text) != before) {
            FAULT(reader, "duplicate-profile", name, &name_path, "a name stands for one role",
                "the profile '%.*s' stands here twice", SN_SHOW(text));
        }
    }
    check_entry(reader, node, fields[SN_BOOTSTRAP_PROFILE_REGION], text, path);
    const struct sn_yaml_node *parameter = fields[SN_BOOTSTRAP_PROFILE_PARAMETER];
    if (parameter != NULL && !sn_document_name_is_valid(parameter->text)) {
        FAULT(reader, "parameter-name", parameter, &parameter_path, "a name such as /sentinel/policies/prod",
            "'%.*s' is not the name of a parameter", SN_SHOW(parameter->text));
    }
    check_policy(reader, fields[SN_BOOTSTRAP_PROFILE_POLICY], path);
}

void sn_bootstrap_check(struct sn_slice text, const struct sn_tz_source *zones, struct sn_findings *findings)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(clear_reader)
    struct reader reader = {.zones = zones, .report = {.findings = findings}, .arena = &arena, .partition = "aws"};
    const struct sn_yaml_node *fields[SN_SCHEMA_FIELDS_MAX];
    struct sn_path profiles_path = {.field = "profiles"}, region_path = {.field = "region"};
    struct sn_yaml_node *root = NULL;
    size_t first = findings->count;
    if (!sn_schema_read(
            &sn_schema_bootstrap, text, "configuration", &sn_yaml_limits_document, &arena, &reader.report, &root)) {
        return;
    }
    sn_schema_bind(&sn_schema_bootstrap, root, fields);
    const struct sn_yaml_node *region = fields[SN_BOOTSTRAP_REGION], *profiles = fields[SN_BOOTSTRAP_PROFILES];
    check_paths(&reader, fields[SN_BOOTSTRAP_POLICY_ROOT], fields[SN_BOOTSTRAP_CATALOG_PATH]);
    if (region != NULL && !sn_catalog_region_is_valid(region->text)) {
        FAULT(&reader, "region", region, &region_path, "a region name such as eu-west-1",
            "'%.*s' is not the name of a region", SN_SHOW(region->text));
    }
    reader.partition = region != NULL ? partition_of(region->text) : "aws";
    if (profiles == NULL || profiles->count == 0) {
        FAULT(&reader, "no-profiles", profiles != NULL ? profiles : root, &profiles_path, "add a profile with its name",
            "a set-up needs at least one profile");
    }
    for (size_t i = 0; profiles != NULL && i < profiles->count; i++) {
        struct sn_path path = {.parent = &profiles_path, .index = i, .is_index = true};
        check_profile(&reader, profiles->items[i], &path);
    }
    sn_findings_sort(findings, first);
}
