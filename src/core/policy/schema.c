/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/schema.c - see schema.h. */
#include "core/policy/schema.h"

#include <stdarg.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "core/policy/limits.h"

enum { REPORT_TEXT_MAX = 4096 };

void sn_path_format(struct sn_buf *buf, const struct sn_path *path)
{
    if (path == NULL) {
        return;
    }
    sn_path_format(buf, path->parent); /* as deep as the schema, not as the document */
    if (path->is_index) {
        sn_buf_addf(buf, "[%zu]", path->index);
        return;
    }
    if (buf->len > 0 && buf->ptr[buf->len - 1] != ' ') {
        sn_buf_add_byte(buf, '.');
    }
    if (path->field != NULL) {
        sn_buf_add_str(buf, path->field);
    } else {
        sn_buf_addf(buf, "%.*s", SN_SHOW(path->name));
    }
}

/* Control bytes must not reach a terminal through a message; quoted YAML text may hold any. */
static void flatten(struct sn_buf *buf)
{
    for (size_t i = 0; i < buf->len; i++) {
        unsigned char byte = (unsigned char)buf->ptr[i];
        if (byte < 0x20 || byte == 0x7f) {
            buf->ptr[i] = '?';
        }
    }
}

void sn_report_add(const struct sn_report *report, enum sn_severity severity, const char *code,
    const struct sn_yaml_node *node, const struct sn_path *path, const char *suggestion, const char *format, ...)
{
    SN_AUTO(sn_buf_clear) struct sn_buf where = SN_BUF_INIT(REPORT_TEXT_MAX);
    SN_AUTO(sn_buf_clear) struct sn_buf message = SN_BUF_INIT(REPORT_TEXT_MAX);
    SN_AUTO(sn_buf_clear) struct sn_buf mend = SN_BUF_INIT(REPORT_TEXT_MAX);

    if (report->source.len > 0) {
        sn_buf_addf(&where, "%.*s: ", SN_SHOW(report->source));
    }
    sn_path_format(&where, path);
    va_list arguments;
    va_start(arguments, format);
    sn_buf_vaddf(&message, format, arguments);
    va_end(arguments);
    if (suggestion != NULL) {
        sn_buf_add_str(&mend, suggestion);
    }
    flatten(&where);
    flatten(&message);
    flatten(&mend);
    sn_findings_add(report->findings, severity, code, node != NULL ? node->line : 0, node != NULL ? node->column : 0,
        sn_buf_slice(&where), sn_buf_slice(&message), sn_buf_slice(&mend));
}

const char *sn_suggest_word(
    char *out, size_t out_size, struct sn_slice word, const char *const *words, size_t count, const char *fallback)
{
    enum { WORD_MAX = 32 };
    char plain[WORD_MAX];
    if (word.len >= sizeof(plain)) {
        return fallback;
    }
    for (size_t i = 0; i < word.len; i++) { /* "Allow" and "require-approval" are near, whatever the distance says */
        char c = word.ptr[i];
        plain[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c == '-' || c == ' ' ? '_' : c);
    }
    struct sn_slice folded = {plain, word.len};
    const char *near = NULL;
    for (size_t i = 0; i < count && near == NULL; i++) { /* an abbreviation: "mon", "approval" is not one */
        if (folded.len >= 3 && sn_slice_has_prefix(sn_slice_str(words[i]), folded)) {
            near = words[i];
        }
    }
    const char *nearest = sn_nearest(folded, words, count);
    near = nearest != NULL ? nearest : near;
    if (near == NULL) {
        return fallback;
    }
    snprintf(out, out_size, "did you mean '%s'?", near);
    return out;
}

static const char *kind_article(enum sn_yaml_kind kind)
{
    switch (kind) {
    case SN_YAML_SCALAR:
        return "text";
    case SN_YAML_SEQUENCE:
        return "a list";
    case SN_YAML_MAPPING:
        return "a mapping";
    }
    return "something else";
}

/* False, with a finding, for a null or for a node of another kind. */
static bool expect(
    const struct sn_report *report, const struct sn_yaml_node *node, enum sn_yaml_kind kind, const struct sn_path *path)
{
    if (sn_yaml_is_null(node)) {
        sn_report_add(report, SN_SEVERITY_ERROR, "null-value", node, path,
            path != NULL && path->is_index ? "remove the empty entry" : "leave the key out instead",
            "expected %s, found nothing", kind_article(kind));
        return false;
    }
    if (node->kind != kind) {
        sn_report_add(report, SN_SEVERITY_ERROR, "wrong-kind", node, path, NULL, "expected %s, found %s",
            kind_article(kind), kind_article(node->kind));
        return false;
    }
    return true;
}

static bool expect_at_most(
    const struct sn_report *report, const struct sn_yaml_node *node, size_t max_items, const struct sn_path *path)
{
    if (node->count <= max_items) {
        return true;
    }
    sn_report_add(report, SN_SEVERITY_ERROR, "limit", node, path, "split it", "%u entries, at most %zu are allowed",
        node->count, max_items);
    return false;
}

static void check_text_list(
    const struct sn_report *report, const struct sn_yaml_node *node, size_t max_items, const struct sn_path *path)
{
    if (!expect(report, node, SN_YAML_SEQUENCE, path) || !expect_at_most(report, node, max_items, path)) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        struct sn_path item_path = {.parent = path, .index = i, .is_index = true};
        const struct sn_yaml_node *item = node->items[i];
        if (!expect(report, item, SN_YAML_SCALAR, &item_path)) {
            continue;
        }
        size_t limit = sn_slice_has_prefix(item->text, SN_S("arn:")) ? SN_POLICY_MAX_ENTRY_ARN : SN_POLICY_MAX_ENTRY;
        if (item->text.len > limit) {
            sn_report_add(report, SN_SEVERITY_ERROR, "limit", item, &item_path, NULL,
                "the entry has %zu bytes, at most %zu are allowed", item->text.len, limit);
        }
    }
}

static void check_bool(const struct sn_report *report, const struct sn_yaml_node *node, const struct sn_path *path)
{
    if (!expect(report, node, SN_YAML_SCALAR, path)) {
        return;
    }
    if (!node->plain || !(sn_slice_eq_str(node->text, "true") || sn_slice_eq_str(node->text, "false"))) {
        sn_report_add(report, SN_SEVERITY_ERROR, "not-boolean", node, path, "write true or false, without quotes",
            "'%.*s' is not a boolean", SN_SHOW(node->text));
    }
}

/* Digits without sign, point or leading zero; how many there may be is the validator's concern. */
static void check_count(const struct sn_report *report, const struct sn_yaml_node *node, const struct sn_path *path)
{
    enum { DIGITS_MAX = 18 };
    if (!expect(report, node, SN_YAML_SCALAR, path)) {
        return;
    }
    bool is_number = node->plain && node->text.len > 0 && node->text.len <= DIGITS_MAX &&
                     (node->text.len == 1 || node->text.ptr[0] != '0');
    for (size_t i = 0; i < node->text.len; i++) {
        is_number = is_number && node->text.ptr[i] >= '0' && node->text.ptr[i] <= '9';
    }
    if (!is_number) {
        sn_report_add(report, SN_SEVERITY_ERROR, "not-number", node, path,
            "write a whole number in decimal, without quotes", "'%.*s' is not a whole number", SN_SHOW(node->text));
    }
}

static void check_record(const struct sn_schema *schema, const struct sn_report *report,
    const struct sn_yaml_node *node, const struct sn_path *path);

static void check_record_items(const struct sn_schema_field *field, const struct sn_report *report,
    const struct sn_yaml_node *node, const struct sn_path *path)
{
    if (!expect(report, node, SN_YAML_SEQUENCE, path) || !expect_at_most(report, node, field->max_items, path)) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        struct sn_path item_path = {.parent = path, .index = i, .is_index = true};
        check_record(field->record, report, node->items[i], &item_path);
    }
}

static void check_named(const struct sn_schema_field *field, const struct sn_report *report,
    const struct sn_yaml_node *node, const struct sn_path *path)
{
    if (!expect(report, node, SN_YAML_MAPPING, path) || !expect_at_most(report, node, field->max_items, path)) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct sn_yaml_pair *pair = &node->pairs[i];
        struct sn_path item_path = {.parent = path, .name = pair->key->text};
        if (field->kind == SN_SCHEMA_RECORD_MAP) {
            check_record(field->record, report, pair->value, &item_path);
        } else if (field->kind == SN_SCHEMA_LIST_MAP) {
            check_text_list(report, pair->value, SN_POLICY_MAX_LIST, &item_path);
        } else {
            (void)expect(report, pair->value, SN_YAML_SCALAR, &item_path);
        }
    }
}

static void check_field(const struct sn_schema_field *field, const struct sn_report *report,
    const struct sn_yaml_node *node, const struct sn_path *path)
{
    switch (field->kind) {
    case SN_SCHEMA_TEXT:
        (void)expect(report, node, SN_YAML_SCALAR, path);
        return;
    case SN_SCHEMA_BOOL:
        check_bool(report, node, path);
        return;
    case SN_SCHEMA_COUNT:
        check_count(report, node, path);
        return;
    case SN_SCHEMA_LIST:
        check_text_list(report, node, field->max_items, path);
        return;
    case SN_SCHEMA_TEXT_OR_LIST:
        if (node->kind == SN_YAML_SEQUENCE) {
            check_text_list(report, node, field->max_items, path);
        } else {
            (void)expect(report, node, SN_YAML_SCALAR, path);
        }
        return;
    case SN_SCHEMA_ANY:
        if (sn_yaml_is_null(node)) {
            (void)expect(report, node, SN_YAML_SCALAR, path);
        }
        return;
    case SN_SCHEMA_RECORD:
        check_record(field->record, report, node, path);
        return;
    case SN_SCHEMA_RECORD_LIST:
        check_record_items(field, report, node, path);
        return;
    case SN_SCHEMA_RECORD_MAP:
    case SN_SCHEMA_LIST_MAP:
    case SN_SCHEMA_TEXT_MAP:
        check_named(field, report, node, path);
        return;
    }
}

static const struct sn_schema_field *find_field(const struct sn_schema *schema, struct sn_slice key)
{
    for (size_t i = 0; i < schema->count; i++) {
        const char *name = schema->fields[i].name;
        if (key.len > 0 && key.ptr[0] == name[0] && sn_slice_eq_str(key, name)) {
            return &schema->fields[i];
        }
    }
    return NULL;
}

static void report_unknown(const struct sn_schema *schema, const struct sn_report *report,
    const struct sn_yaml_node *key, const struct sn_path *path)
{
    const char *names[SN_SCHEMA_FIELDS_MAX];
    char hint[128];
    char all[256];
    size_t used = (size_t)snprintf(all, sizeof(all), "known here: ");
    for (size_t i = 0; i < schema->count; i++) {
        names[i] = schema->fields[i].name;
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ", names[i]);
        SN_ASSERT(used < sizeof(all)); /* the tables are constants */
    }
    sn_report_add(report, SN_SEVERITY_ERROR, "unknown-field", key, path,
        sn_suggest_word(hint, sizeof(hint), key->text, names, schema->count, all), "unknown field '%.*s'",
        SN_SHOW(key->text));
}

static void check_record(const struct sn_schema *schema, const struct sn_report *report,
    const struct sn_yaml_node *node, const struct sn_path *path)
{
    if (!expect(report, node, SN_YAML_MAPPING, path)) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct sn_yaml_pair *pair = &node->pairs[i];
        const struct sn_schema_field *field = find_field(schema, pair->key->text);
        if (field == NULL) {
            struct sn_path key_path = {.parent = path, .name = pair->key->text};
            report_unknown(schema, report, pair->key, &key_path);
            continue;
        }
        struct sn_path field_path = {.parent = path, .field = field->name};
        check_field(field, report, pair->value, &field_path);
    }
}

bool sn_schema_check(const struct sn_schema *schema, const struct sn_report *report, const struct sn_yaml_node *node,
    const struct sn_path *path)
{
    size_t before = report->findings->errors;
    check_record(schema, report, node, path);
    return report->findings->errors == before;
}

void sn_schema_bind(
    const struct sn_schema *schema, const struct sn_yaml_node *mapping, const struct sn_yaml_node **nodes)
{
    for (size_t i = 0; i < schema->count; i++) {
        nodes[i] = NULL;
    }
    for (size_t i = 0; mapping != NULL && i < mapping->count; i++) {
        const struct sn_schema_field *field = find_field(schema, mapping->pairs[i].key->text);
        if (field != NULL) {
            nodes[field - schema->fields] = mapping->pairs[i].value;
        }
    }
}

/* The reader puts "line 3, column 5: " before its messages; a finding has its place beside the message. */
static const char *without_place(const char *message)
{
    const char *colon = strstr(message, ": ");
    return strncmp(message, "line ", 5) == 0 && colon != NULL ? colon + 2 : message;
}

/* A failure of the YAML reader becomes the one finding of the document. */
static void report_yaml(const struct sn_report *report, const struct sn_error *err, const char *document_word)
{
    static const struct {
        const char *from, *code;
    } map[] = {{"YAML_EMPTY", "empty"}, {"YAML_TOO_LARGE", "too-large"}, {"YAML_ENCODING", "encoding"},
        {"YAML_FORBIDDEN", "forbidden-yaml"}, {"YAML_DUPLICATE_KEY", "duplicate-key"}, {"YAML_LIMIT", "limit"}};
    struct sn_yaml_node place = {0};
    const char *code = "syntax";
    for (size_t i = 0; i < SN_LEN(map); i++) {
        code = sn_error_is(err, map[i].from) ? map[i].code : code;
    }
    for (size_t i = 0; i < err->detail_count; i++) {
        struct sn_error ignored = {0};
        int64_t number = 0;
        if (sn_parse_int(sn_slice_str(err->details[i].value), 0, UINT32_MAX, &number, &ignored) != SN_OK) {
            continue;
        }
        if (strcmp(err->details[i].key, "line") == 0) {
            place.line = (uint32_t)number;
        } else if (strcmp(err->details[i].key, "column") == 0) {
            place.column = (uint32_t)number;
        }
    }
    if (strcmp(code, "empty") == 0) {
        sn_report_add(report, SN_SEVERITY_ERROR, code, &place, NULL, "a document needs at least a version", "empty %s",
            document_word);
        return;
    }
    sn_report_add(report, SN_SEVERITY_ERROR, code, &place, NULL, err->suggestion[0] != '\0' ? err->suggestion : NULL,
        "%s", without_place(err->message));
}

bool sn_schema_read(const struct sn_schema *schema, struct sn_slice text, const char *document_word,
    const struct sn_yaml_limits *limits, struct sn_arena *arena, const struct sn_report *report,
    struct sn_yaml_node **out_root)
{
    struct sn_error err = {0};
    struct sn_yaml_node *root = NULL;
    size_t before = report->findings->errors;

    if (sn_yaml_parse(text, limits, arena, &root, &err) != SN_OK) {
        report_yaml(report, &err, document_word);
        return false;
    }
    check_record(schema, report, root, NULL);
    if (root->kind == SN_YAML_MAPPING && find_field(schema, SN_S("version")) != NULL &&
        sn_yaml_get(root, "version") == NULL) {
        sn_report_add(
            report, SN_SEVERITY_ERROR, "missing-version", root, NULL, "add version: \"1\"", "the version is missing");
    }
    if (report->findings->errors != before) {
        return false;
    }
    *out_root = root;
    return true;
}
