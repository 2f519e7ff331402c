/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/catalog_entry.c - see catalog_entry.h. */
#include "core/policy/catalog_entry.h"

#include "core/identity/principal.h"
#include "core/policy/entry.h"
#include "core/policy/limits.h"
#include "core/policy/load_internal.h"
#include "core/policy/session_policy.h"

static const char *const partitions[] = {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"};

/* One profile being read. */
struct reader {
    const struct sn_report *report;
    const struct sn_path *path;
    struct sn_arena *arena;
    struct sn_profile *profile;
    struct sn_slice partition; /* of the role; empty while unknown */
};

#define FAULT(reader, code, node, field_name, mend, ...)                                                               \
    do {                                                                                                               \
        struct sn_path fault_path = {.parent = (reader)->path, .field = (field_name)};                                 \
        sn_report_add((reader)->report, SN_SEVERITY_ERROR, code, node, &fault_path, mend, __VA_ARGS__);                \
    } while (0)

bool sn_catalog_name_check(const struct sn_report *report, const struct sn_yaml_node *key, const struct sn_path *path)
{
    struct sn_slice name = key->text;
    if (sn_profile_name_is_valid(name) && !sn_slice_has_byte(name, ':')) {
        return true;
    }
    sn_report_add(report, SN_SEVERITY_ERROR, "profile-name", key, path,
        "1 to 256 letters, digits, '_', '/' and '-', not beginning with '-', not ending with '/', without '//'",
        "'%.*s' is not the name of a profile", SN_SHOW(name));
    return false;
}

static bool is_account(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len == SN_ACCOUNT_LEN;
}

static bool is_printable_ascii(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= 0x20 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

/* arn:PARTITION:iam::ACCOUNT:RESOURCE */
static bool cut_iam_arn(
    struct sn_slice arn, struct sn_slice *out_partition, struct sn_slice *out_account, struct sn_slice *out_resource)
{
    struct sn_slice parts[5], rest = arn;
    for (size_t i = 0; i < SN_LEN(parts); i++) {
        if (!sn_slice_cut(rest, ':', &parts[i], &rest)) {
            return false;
        }
    }
    bool is_known = false;
    for (size_t i = 0; i < SN_LEN(partitions); i++) {
        is_known = is_known || sn_slice_eq_str(parts[1], partitions[i]);
    }
    *out_partition = parts[1];
    *out_account = parts[4];
    *out_resource = rest;
    return is_known && sn_slice_eq_str(parts[0], "arn") && sn_slice_eq_str(parts[2], "iam") && parts[3].len == 0;
}

/* PATH/NAME behind "role/" or "policy/"; the path is '/'-ended parts without blanks, the name of AWS's own alphabet. */
static bool cut_name(struct sn_slice resource, struct sn_slice prefix, size_t max_name, struct sn_slice *out_name)
{
    struct sn_slice path, name = resource;
    if (!sn_slice_has_prefix(resource, prefix) || !sn_slice_cut_last(resource, '/', &path, &name)) {
        return false;
    }
    *out_name = name;
    return name.len >= 1 && name.len <= max_name && sn_slice_is_alnum_or(name, "_+=,.@-") && is_printable_ascii(path) &&
           !sn_slice_contains(path, SN_S("//")) && !sn_slice_has_byte(path, '*') && !sn_slice_has_byte(path, '?');
}

static void read_role_arn(struct reader *reader, const struct sn_yaml_node *node, const struct sn_yaml_node *key)
{
    static const char mend[] = "arn:PARTITION:iam::ACCOUNT:role/NAME, with an account of 12 digits";
    struct sn_slice partition, account, resource, name;
    if (node == NULL) {
        FAULT(reader, "role-arn", key, "role_arn", mend, "the profile '%.*s' has no role_arn", SN_SHOW(key->text));
        return;
    }
    struct sn_slice arn = node->text;
    if (arn.len < SN_CATALOG_MIN_ROLE_ARN || arn.len > SN_CATALOG_MAX_ROLE_ARN ||
        !cut_iam_arn(arn, &partition, &account, &resource) || !is_account(account) ||
        !cut_name(resource, SN_S("role/"), SN_ROLE_NAME_MAX, &name)) {
        FAULT(reader, "role-arn", node, "role_arn", mend, "'%.*s' is not the ARN of a role", SN_SHOW(arn));
        return;
    }
    reader->partition = partition;
    reader->profile->role_arn = sn_arena_dup(reader->arena, arn);
    reader->profile->role_account = sn_arena_dup(reader->arena, account);
    reader->profile->role_name = sn_arena_dup(reader->arena, name);
}

static void read_description(struct reader *reader, const struct sn_yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    struct sn_slice text = node->plain ? node->text : sn_text_without_newline(node->text);
    if (text.len > SN_CATALOG_MAX_DESCRIPTION || !sn_text_is_printable(text)) {
        FAULT(reader, "description", node, "description", "write one line of at most 256 bytes",
            text.len > SN_CATALOG_MAX_DESCRIPTION ? "the description is longer than 256 bytes"
                                                  : "the description holds characters that do not print");
        return;
    }
    reader->profile->description = sn_arena_dup(reader->arena, text);
}

static size_t run(struct sn_slice text, size_t at, char first, char last)
{
    size_t start = at;
    while (at < text.len && text.ptr[at] >= first && text.ptr[at] <= last) {
        at++;
    }
    return at - start;
}

/* ^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$ */
bool sn_catalog_region_is_valid(struct sn_slice text)
{
    size_t at = run(text, 0, 'a', 'z'), words = 0, digits = 0;
    if (at < 2 || at > 4) {
        return false;
    }
    while (at < text.len && text.ptr[at] == '-' && digits == 0) {
        size_t letters = run(text, at + 1, 'a', 'z');
        digits = letters == 0 ? run(text, at + 1, '0', '9') : 0;
        words += letters > 0;
        at += 1 + letters + digits;
        if (letters == 0 && digits == 0) {
            return false;
        }
    }
    return at == text.len && words >= 1 && (digits == 1 || digits == 2);
}

static void read_region(struct reader *reader, const struct sn_yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    if (!sn_catalog_region_is_valid(node->text)) {
        FAULT(reader, "region", node, "region", "a region name such as eu-west-1", "'%.*s' is not a region",
            SN_SHOW(node->text));
        return;
    }
    reader->profile->region = sn_arena_dup(reader->arena, node->text);
}

static void read_external_id(struct reader *reader, const struct sn_yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    if (node->text.len < SN_CATALOG_MIN_EXTERNAL_ID || node->text.len > SN_CATALOG_MAX_EXTERNAL_ID ||
        !sn_slice_is_alnum_or(node->text, "_+=,.@:/-")) {
        FAULT(reader, "external-id", node, "external_id", "2 to 1224 letters, digits and '_+=,.@:/-'",
            "the external id is not one that STS takes");
        return;
    }
    reader->profile->external_id = sn_arena_dup(reader->arena, node->text);
}

static bool is_policy_arn(struct sn_slice arn, struct sn_slice *out_partition)
{
    struct sn_slice account, resource, name;
    return arn.len <= SN_ARN_MAX && cut_iam_arn(arn, out_partition, &account, &resource) &&
           (is_account(account) || sn_slice_eq_str(account, "aws")) && cut_name(resource, SN_S("policy/"), 128, &name);
}

/* Returns the bytes of all ARNs together. */
static size_t read_policy_arns(struct reader *reader, const struct sn_yaml_node *list)
{
    size_t total = 0;
    if (list == NULL) {
        return 0;
    }
    if (list->count == 0) {
        FAULT(reader, "policy-arns", list, "policy_arns", "list 1 to 10 ARNs, or leave the key out",
            "policy_arns is empty");
        return 0;
    }
    struct sn_slice *arns = sn_arena_alloc(reader->arena, list->count, sizeof(*arns));
    for (size_t i = 0; i < list->count; i++) {
        struct sn_path list_path = {.parent = reader->path, .field = "policy_arns"};
        struct sn_path path = {.parent = &list_path, .index = i, .is_index = true};
        struct sn_slice partition, text = list->items[i]->text;
        if (!is_policy_arn(text, &partition)) {
            sn_report_add(reader->report, SN_SEVERITY_ERROR, "policy-arns", list->items[i], &path,
                "arn:PARTITION:iam::ACCOUNT:policy/NAME, with 'aws' as account for those of AWS",
                "'%.*s' is not the ARN of a managed policy", SN_SHOW(text));
        } else if (reader->partition.len > 0 && !sn_slice_eq(partition, reader->partition)) {
            sn_report_add(reader->report, SN_SEVERITY_ERROR, "policy-arns", list->items[i], &path,
                "use the partition of role_arn", "'%.*s' is of another partition than the role", SN_SHOW(text));
        }
        arns[i] = sn_arena_dup(reader->arena, text);
        total += text.len;
    }
    reader->profile->policy_arns = arns;
    reader->profile->policy_arn_count = list->count;
    return total;
}

static void read_session_policy(struct reader *reader, const struct sn_yaml_node *node, const struct sn_yaml_node *arns)
{
    SN_AUTO(sn_buf_clear) struct sn_buf json = SN_BUF_INIT(SN_CATALOG_MAX_SESSION_POLICY_TEXT);
    struct sn_error err = {0};
    size_t arn_bytes = read_policy_arns(reader, arns);
    if (node != NULL && sn_session_policy_minify(node->text, &json, &err) != SN_OK) {
        FAULT(reader, "session-policy", node, "session_policy", "an IAM policy as JSON text, Version 2012-10-17",
            "the session policy cannot be used: %s", err.message);
        return;
    }
    if (json.len + arn_bytes > SN_CATALOG_MAX_SESSION_POLICY) {
        FAULT(reader, "session-policy", node != NULL ? node : arns, node != NULL ? "session_policy" : "policy_arns",
            "shorten it, or move it into a managed policy",
            "the minified session policy and policy_arns have %zu bytes together, at most %d are allowed",
            json.len + arn_bytes, SN_CATALOG_MAX_SESSION_POLICY);
        return;
    }
    reader->profile->session_policy = sn_arena_dup(reader->arena, sn_buf_slice(&json));
}

static bool has_prefix_nocase(struct sn_slice text, struct sn_slice prefix)
{
    return text.len >= prefix.len && sn_slice_eq_nocase(sn_slice_sub(text, 0, prefix.len), prefix);
}

/* What is wrong with a tag, or NULL. */
static const char *tag_fault(struct sn_slice key, struct sn_slice value)
{
    static const char alphabet[] = " _.:/=+-@";
    if (key.len < 1 || key.len > SN_CATALOG_MAX_TAG_KEY || !sn_slice_is_alnum_or(key, alphabet)) {
        return "its key is not 1 to 128 letters, digits, spaces and '_.:/=+-@'";
    }
    if (value.len > SN_CATALOG_MAX_TAG_VALUE || !sn_slice_is_alnum_or(value, alphabet)) {
        return "its value is not 0 to 256 letters, digits, spaces and '_.:/=+-@'";
    }
    if (has_prefix_nocase(key, SN_S("aws:")) || has_prefix_nocase(key, SN_S("sentinel"))) {
        return "keys beginning with 'aws:' or 'sentinel' are reserved";
    }
    return NULL;
}

static void read_tags(struct reader *reader, const struct sn_yaml_node *map)
{
    struct sn_path map_path = {.parent = reader->path, .field = "tags"};
    if (map == NULL) {
        return;
    }
    if (map->count == 0) {
        FAULT(reader, "tags", map, "tags", "give 1 to 48 tags, or leave the key out", "tags is empty");
        return;
    }
    struct sn_tag *tags = sn_arena_alloc(reader->arena, map->count, sizeof(*tags));
    for (size_t i = 0; i < map->count; i++) {
        struct sn_slice key = map->pairs[i].key->text, value = map->pairs[i].value->text;
        struct sn_path path = {.parent = &map_path, .name = key};
        const char *fault = tag_fault(key, value);
        for (size_t k = 0; k < i && fault == NULL; k++) {
            fault = sn_slice_eq_nocase(tags[k].key, key) ? "another key differs from it only in case" : NULL;
        }
        if (fault != NULL) {
            sn_report_add(reader->report, SN_SEVERITY_ERROR, "tags", map->pairs[i].key, &path, NULL,
                "the tag '%.*s' cannot be used: %s", SN_SHOW(key), fault);
        }
        tags[i] = (struct sn_tag){sn_arena_dup(reader->arena, key), sn_arena_dup(reader->arena, value)};
    }
    reader->profile->tags = tags;
    reader->profile->tag_count = map->count;
}

bool sn_catalog_entry_read(const struct sn_report *report, const struct sn_yaml_pair *pair, const struct sn_path *path,
    struct sn_arena *arena, struct sn_profile *profile)
{
    const struct sn_yaml_node *fields[SN_PROFILE_FIELDS];
    struct reader reader = {.report = report, .path = path, .arena = arena, .profile = profile};
    size_t errors_before = report->findings->errors;
    sn_schema_bind(&sn_schema_profile, pair->value, fields);
    read_role_arn(&reader, fields[SN_PROFILE_ROLE_ARN], pair->key);
    read_description(&reader, fields[SN_PROFILE_DESCRIPTION]);
    read_region(&reader, fields[SN_PROFILE_REGION]);
    if (fields[SN_PROFILE_MAX_DURATION] != NULL) {
        struct sn_path duration_path = {.parent = path, .field = "max_duration"};
        (void)sn_load_session_duration(report, &sn_schema_profile.fields[SN_PROFILE_MAX_DURATION],
            fields[SN_PROFILE_MAX_DURATION], &duration_path, "profile", profile->name, &profile->max_duration_s);
    }
    read_external_id(&reader, fields[SN_PROFILE_EXTERNAL_ID]);
    read_session_policy(&reader, fields[SN_PROFILE_SESSION_POLICY], fields[SN_PROFILE_POLICY_ARNS]);
    read_tags(&reader, fields[SN_PROFILE_TAGS]);
    return report->findings->errors == errors_before;
}
