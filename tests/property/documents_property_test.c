/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/property/documents_property_test.c - generated documents of every kind and their canonical form.
 *
 * A document is generated from the schema of its kind and written twice, each time with another order of fields, other
 * quotes, layout and spellings of durations, and with members that say nothing. Both texts load, with the same findings
 * but for their places; both have one canonical text; that text loads and is its own canonical text.
 */
#include "policy_fixture.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/parse.h"
#include "codec/yaml.h"
#include "core/policy/canonical.h"
#include "core/policy/catalog.h"
#include "core/policy/ruleset.h"
#include "core/policy/schema.h"
#include "counts.h"
#include "policy_generator.h"

static struct sn_arena arena; /* of the document being tried */

/* --- trees --- */

static struct sn_yaml_node *text_node(const char *text)
{
    struct sn_yaml_node *node = sn_arena_alloc(&arena, 1, sizeof(*node));
    node->kind = SN_YAML_SCALAR;
    node->text = sn_slice_str(text);
    return node;
}

static struct sn_yaml_node *collection(enum sn_yaml_kind kind, size_t room)
{
    struct sn_yaml_node *node = sn_arena_alloc(&arena, 1, sizeof(*node));
    node->kind = kind;
    node->items = sn_arena_alloc(&arena, room, sizeof(struct sn_yaml_node *));
    node->pairs = sn_arena_alloc(&arena, room, sizeof(*node->pairs));
    return node;
}

static void put(struct sn_yaml_node *mapping, const char *key, struct sn_yaml_node *value)
{
    mapping->pairs[mapping->count++] = (struct sn_yaml_pair){text_node(key), value};
}

static const char *printed(const char *format, long long number)
{
    return sn_arena_str(&arena, sn_arena_printf(&arena, "%.*s%lld", (int)strlen(format), format, number));
}

/* Some of the words, in order, at least so many. */
static struct sn_yaml_node *some_of(const char *const *words, size_t count, size_t least)
{
    struct sn_yaml_node *list = collection(SN_YAML_SEQUENCE, count);
    for (size_t i = 0; i < count; i++) {
        if (list->count + (count - i) <= least || gen_one_in(3)) {
            list->items[list->count++] = text_node(words[i]);
        }
    }
    return list;
}

/* --- values by the schema --- */

static const char *const profiles[] = {"dev", "prod", "team/dev", "007", "null", "1e3"};
static const char *const entries[] = {"ana", "jane.doe@corp.com", "true", "0x10", "role:Duty", "group:g",
    "arn:aws:iam::111122223333:user/x", "arn:aws:sts::111122223333:assumed-role/" SSO_ROLE "/ana"};
static const char *const lines[] = {"plain words", "with: colon", "a # sign", "it's \"quoted\"", "back\\slash",
    "- dash", "caf\xc3\xa9 \xe2\x82\xac", "yes", "12", "trailing:", "{brace}", "[bracket]", "*star", "&and", "!bang",
    "%percent", "@at", "`tick`", "a, b; (c)", "~", "<<", "?"};
static const char *const arns[] = {"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/x/Y"};
static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York"};

static struct sn_yaml_node *record(const struct sn_schema *schema, size_t index);

static struct sn_yaml_node *one_of(const char *const *words, size_t count)
{
    return text_node(words[gen_below((int)count)]);
}

static struct sn_yaml_node *hours(void)
{
    struct sn_yaml_node *mapping = collection(SN_YAML_MAPPING, 2);
    put(mapping, "start", text_node(gen_one_in(2) ? "09:00" : "22:30"));
    put(mapping, "end", text_node(gen_one_in(2) ? "24:00" : "06:15"));
    return mapping;
}

static struct sn_yaml_node *time_window(void)
{
    struct sn_yaml_node *mapping = collection(SN_YAML_MAPPING, 3);
    bool has_days = gen_one_in(2);
    if (has_days) {
        put(mapping, "days", some_of(sn_weekday_words, SN_LEN(sn_weekday_words), 1));
    }
    if (!has_days || gen_one_in(2)) {
        put(mapping, "hours", hours());
    }
    if (gen_one_in(2)) {
        put(mapping, "timezone", one_of(zones, SN_LEN(zones)));
    }
    return mapping;
}

/* A field whose meaning the schema leaves to the validator of its document, by name; NULL: left out. */
static struct sn_yaml_node *own_value(const struct sn_schema_field *field)
{
    struct sn_yaml_node *tags;
    if (strcmp(field->name, "profiles") == 0) {
        return some_of(profiles, SN_LEN(profiles), 1);
    }
    if (strcmp(field->name, "users") == 0) {
        return some_of(entries, SN_LEN(entries), 1);
    }
    if (strcmp(field->name, "effect") == 0) {
        return one_of(sn_rule_effect_words, SN_LEN(sn_rule_effect_words));
    }
    if (strcmp(field->name, "mode") == 0) {
        return some_of(sn_mode_words, SN_LEN(sn_mode_words), 1);
    }
    if (strcmp(field->name, "allowed_os_types") == 0) {
        return some_of(sn_os_type_words, SN_LEN(sn_os_type_words), 1);
    }
    if (strcmp(field->name, "reason") == 0 || strcmp(field->name, "description") == 0) {
        return one_of(lines, SN_LEN(lines));
    }
    if (strcmp(field->name, "policy_arns") == 0) {
        return some_of(arns, SN_LEN(arns), 1);
    }
    if (strcmp(field->name, "tags") == 0) {
        tags = collection(SN_YAML_MAPPING, 2);
        put(tags, "a key", text_node(gen_one_in(2) ? "" : "x: y"));
        put(tags, "007", text_node("true"));
        return tags;
    }
    static const struct {
        const char *field, *text;
    } fixed[] = {{"role_arn", "arn:aws:iam::111122223333:role/x/R"}, {"region", "eu-west-1"}, {"external_id", "=x:y"},
        {"session_policy", "{\"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"*\", "
                           "\"Resource\": \"*\"}]}\n"},
        {"session_table", "t_1.x"}, {"min_os_version", "14.2"}};
    for (size_t i = 0; i < SN_LEN(fixed); i++) {
        if (strcmp(field->name, fixed[i].field) == 0) {
            return text_node(fixed[i].text);
        }
    }
    return NULL;
}

static struct sn_yaml_node *value_of(const struct sn_schema_field *field, size_t index)
{
    int64_t low = field->min > 0 ? field->min : 1;
    if (strcmp(field->name, "name") == 0) {
        return text_node(printed(gen_one_in(4) ? "7 " : "rule: ", (long long)index));
    }
    if (strcmp(field->name, "time") == 0) {
        return time_window();
    }
    if (field->kind == SN_SCHEMA_RECORD) {
        return record(field->record, index);
    }
    if (field->kind == SN_SCHEMA_BOOL) {
        return text_node(gen_one_in(2) ? "true" : "false");
    }
    switch (field->value) {
    case SN_VALUE_PROFILES:
        return some_of(profiles, SN_LEN(profiles), 1);
    case SN_VALUE_ENTRIES:
        return some_of(entries, SN_LEN(entries), 3);
    case SN_VALUE_DURATION:
        return text_node(printed("", (long long)low + gen_below((int)(field->max - low))));
    case SN_VALUE_COUNT:
        return text_node(printed("", field->max > 10 ? 1 + gen_below(500) : 1 + gen_below(2)));
    case SN_VALUE_WORDS:
        return some_of(field->words->items, field->words->count, 1);
    case SN_VALUE_OWN:
    case SN_VALUE_NAME:
    case SN_VALUE_TIME:
    case SN_VALUE_FLAG:
    case SN_VALUE_PART:
        return own_value(field);
    }
    return NULL;
}

/* Fields that must be there, and some of the others. */
static struct sn_yaml_node *record(const struct sn_schema *schema, size_t index)
{
    struct sn_yaml_node *mapping = collection(SN_YAML_MAPPING, schema->count);
    for (size_t i = 0; i < schema->count; i++) {
        const struct sn_schema_field *field = &schema->fields[i];
        bool is_needed = field->required || strcmp(field->name, "profiles") == 0 ||
                         strcmp(field->name, "cooldown") == 0 || strcmp(field->name, "quota_window") == 0 ||
                         (strcmp(field->name, "users") == 0 && schema == &sn_schema_auto_approve);
        struct sn_yaml_node *value = is_needed || gen_one_in(2) ? value_of(field, index) : NULL;
        if (value != NULL) {
            put(mapping, field->name, value);
        }
    }
    return mapping;
}

static struct sn_yaml_node *document(enum sn_document_kind kind)
{
    static const char *const members[] = {"ana", "caf\xc3\xa9", "off", "role:X"};
    const struct sn_schema *schema = sn_document_kinds[kind].schema;
    struct sn_yaml_node *root = collection(SN_YAML_MAPPING, 4);
    size_t count = 1 + (size_t)gen_below(4);
    put(root, "version", text_node("1"));
    for (size_t i = 0; i < schema->count; i++) {
        const struct sn_schema_field *field = &schema->fields[i];
        struct sn_yaml_node *value =
            collection(field->kind == SN_SCHEMA_RECORD_LIST ? SN_YAML_SEQUENCE : SN_YAML_MAPPING, count);
        if (strcmp(field->name, "groups") == 0) {
            put(value, "g", some_of(members, SN_LEN(members), 2));
        } else if (strcmp(field->name, "people") == 0) {
            put(value, "1234", some_of(members, SN_LEN(members), 1));
        } else if (field->kind == SN_SCHEMA_RECORD_LIST) {
            for (; value->count < count; value->count++) {
                value->items[value->count] = record(field->record, value->count);
            }
        } else if (field->kind == SN_SCHEMA_RECORD_MAP) {
            for (size_t k = 0; k < count; k++) {
                put(value, printed(k % 2 == 0 ? "" : "p/", (long long)k), record(field->record, k));
            }
        } else {
            continue;
        }
        put(root, field->name, value);
    }
    return root;
}

/* --- two ways to write one document --- */

static void write_text(struct sn_buf *out, struct sn_slice text, bool may_be_plain)
{
    if (may_be_plain && gen_one_in(2)) {
        sn_buf_add(out, text);
        return;
    }
    bool is_single = gen_one_in(2) && !sn_slice_has_byte(text, '\n');
    sn_buf_add_byte(out, is_single ? '\'' : '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_single && c == '\'') {
            sn_buf_add_str(out, "''");
        } else if (!is_single && (c == '"' || c == '\\')) {
            sn_buf_addf(out, "\\%c", c);
        } else if (c == '\n') {
            sn_buf_add_str(out, "\\n");
        } else {
            sn_buf_add_byte(out, c);
        }
    }
    sn_buf_add_byte(out, is_single ? '\'' : '"');
}

/* Seconds in one of their spellings. */
static void write_duration(struct sn_buf *out, struct sn_slice seconds)
{
    struct sn_error err = {0};
    int64_t s = 0;
    assert_ok(sn_parse_int(seconds, 0, INT64_MAX, &s, &err), &err);
    switch (gen_below(3)) {
    case 0:
        sn_buf_addf(out, "%llds", (long long)s);
        return;
    case 1:
        sn_buf_addf(out, "'%lldm%llds'", (long long)(s / 60), (long long)(s % 60));
        return;
    default:
        sn_buf_addf(out, "\"0h%lldm%lld.0s\"", (long long)(s / 60), (long long)(s % 60));
    }
}

static void write_node(struct sn_buf *out, const struct sn_schema_field *field, const struct sn_schema *schema,
    const struct sn_yaml_node *node);

static const struct sn_schema_field *field_of(const struct sn_schema *schema, struct sn_slice name)
{
    for (size_t i = 0; schema != NULL && i < schema->count; i++) {
        if (sn_slice_eq_str(name, schema->fields[i].name)) {
            return &schema->fields[i];
        }
    }
    return NULL;
}

/* Fields in any order; entries of a map keep theirs, which is part of the document. */
static void write_mapping(struct sn_buf *out, const struct sn_schema_field *field, const struct sn_schema *schema,
    const struct sn_yaml_node *node)
{
    size_t start = schema != NULL && node->count > 0 ? (size_t)gen_below((int)node->count) : 0;
    sn_buf_add_byte(out, '{');
    for (size_t i = 0; i < node->count; i++) {
        const struct sn_yaml_pair *pair = &node->pairs[(start + i) % node->count];
        const struct sn_schema_field *known = field_of(schema, pair->key->text);
        const struct sn_schema *below = known != NULL ? known->record : field != NULL ? field->record : NULL;
        sn_buf_add_str(out, i == 0 ? "" : gen_one_in(2) ? ", " : " , # more\n  ");
        write_text(out, pair->key->text, schema != NULL);
        sn_buf_add_str(out, gen_one_in(2) ? ": " : ":  ");
        write_node(out, known, below, pair->value);
    }
    if (schema != NULL && field_of(schema, SN_S("mode")) != NULL && sn_yaml_get(node, "mode") == NULL &&
        gen_one_in(2)) {
        sn_buf_add_str(out, node->count == 0 ? "mode: []" : ", mode: []"); /* says nothing */
    }
    sn_buf_add_byte(out, '}');
}

/* schema is that of the node where it is a record, or of its entries. */
static void write_node(struct sn_buf *out, const struct sn_schema_field *field, const struct sn_schema *schema,
    const struct sn_yaml_node *node)
{
    if (node->kind == SN_YAML_SCALAR) {
        bool is_literal = field != NULL && (field->kind == SN_SCHEMA_BOOL || field->kind == SN_SCHEMA_COUNT);
        if (is_literal) {
            sn_buf_add(out, node->text);
        } else if (field != NULL && field->value == SN_VALUE_DURATION) {
            write_duration(out, node->text);
        } else {
            write_text(out, node->text, false);
        }
        return;
    }
    if (node->kind == SN_YAML_MAPPING) {
        bool is_map = field != NULL && (field->kind == SN_SCHEMA_RECORD_MAP || field->kind == SN_SCHEMA_LIST_MAP ||
                                           field->kind == SN_SCHEMA_TEXT_MAP);
        write_mapping(out, field, is_map ? NULL : schema, node);
        return;
    }
    sn_buf_add_byte(out, '[');
    for (size_t i = 0; i < node->count; i++) {
        sn_buf_add_str(out, i == 0 ? "" : ", ");
        write_node(out, NULL, schema, node->items[i]);
    }
    sn_buf_add_byte(out, ']');
}

/* --- the property --- */

static bool load(enum sn_document_kind kind, struct sn_slice text, struct sn_findings *findings)
{
    struct sn_policy *policy = NULL;
    struct sn_catalog *catalog = NULL;
    struct sn_ruleset *ruleset = NULL;
    struct sn_catalog_source source = {SN_S("x"), text};
    struct sn_error err = {0};
    enum sn_status status = kind == SN_DOCUMENT_POLICY ? sn_policy_load(text, host_zones(), findings, &policy, &err)
                            : kind == SN_DOCUMENT_CATALOG
                                ? sn_catalog_load(&source, 1, findings, &catalog, &err)
                                : sn_ruleset_load(kind, text, host_zones(), findings, &ruleset, &err);
    sn_policy_unref(policy);
    sn_catalog_unref(catalog);
    sn_ruleset_unref(ruleset);
    return status == SN_OK;
}

/* Every finding of a is one of b, by code. Messages name places in lists and are compared too; the empty list that the
 * writer adds is the writer's. */
static void assert_same_findings(const struct sn_findings *a, const struct sn_findings *b)
{
    for (size_t i = 0; i < a->count; i++) {
        bool is_there = strcmp(a->items[i].code, "empty-list") == 0;
        for (size_t k = 0; k < b->count && !is_there; k++) {
            is_there =
                strcmp(a->items[i].code, b->items[k].code) == 0 && sn_slice_eq(a->items[i].path, b->items[k].path) &&
                (a->items[i].severity == SN_SEVERITY_WARNING || sn_slice_eq(a->items[i].message, b->items[k].message));
        }
        if (!is_there) {
            print_error("only one text has %s at %.*s: %.*s\n", a->items[i].code, SN_PRI(a->items[i].path),
                SN_PRI(a->items[i].message));
            fail();
        }
    }
}

static bool try_document(enum sn_document_kind kind)
{
    struct sn_buf texts[2] = {0}, canonical[2] = {0}, again = {0};
    struct sn_findings findings[3] = {0};
    struct sn_error err = {0};
    bool is_valid[2];
    const struct sn_yaml_node *root = document(kind);
    for (size_t i = 0; i < 2; i++) {
        write_node(&texts[i], NULL, sn_document_kinds[kind].schema, root);
        is_valid[i] = load(kind, sn_buf_slice(&texts[i]), &findings[i]);
    }
    assert_int_equal(is_valid[0], is_valid[1]);
    assert_same_findings(&findings[0], &findings[1]);
    assert_same_findings(&findings[1], &findings[0]);
    if (is_valid[0]) {
        for (size_t i = 0; i < 2; i++) {
            assert_ok(sn_document_canonical(kind, sn_buf_slice(&texts[i]), &canonical[i], &err), &err);
        }
        if (!sn_slice_eq(sn_buf_slice(&canonical[0]), sn_buf_slice(&canonical[1]))) {
            print_error("%.*s\n%.*s\n", SN_PRI(sn_buf_slice(&texts[0])), SN_PRI(sn_buf_slice(&texts[1])));
            assert_slice_equal(sn_buf_slice(&canonical[0]), sn_arena_str(&arena, sn_buf_slice(&canonical[1])));
        }
        assert_true(load(kind, sn_buf_slice(&canonical[0]), &findings[2]));
        assert_same_findings(&findings[2], &findings[0]);
        assert_same_findings(&findings[0], &findings[2]);
        assert_ok(sn_document_canonical(kind, sn_buf_slice(&canonical[0]), &again, &err), &err);
        assert_true(sn_slice_eq(sn_buf_slice(&canonical[0]), sn_buf_slice(&again)));
    }
    for (size_t i = 0; i < 2; i++) {
        sn_buf_clear(&texts[i]);
        sn_buf_clear(&canonical[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        sn_findings_clear(&findings[i]);
    }
    sn_buf_clear(&again);
    sn_arena_clear(&arena);
    return is_valid[0];
}

static void canonical_forms(void **state)
{
    (void)state;
    int64_t count = sn_test_count("round_trips");
    for (int kind = 0; kind < SN_DOCUMENT_KINDS; kind++) {
        int64_t valid = 0;
        for (int64_t i = 0; i < count; i++) {
            gen_seed(20260126 + (uint64_t)kind, (uint64_t)i);
            valid += try_document((enum sn_document_kind)kind);
        }
        print_message("# %s: %lld documents, %lld of them valid\n", sn_document_kinds[kind].word, (long long)count,
            (long long)valid);
        assert_true(valid * 2 > count); /* what does not load shows little */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(canonical_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
