/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/canonical.c - see canonical.h. */
#include "core/policy/canonical.h"

#include "base/arena.h"
#include "base/parse.h"
#include "core/policy/schema.h"

/* --- scalars --- */

/* Texts that a reader of YAML may take for something else than text, or that differ when read back. */
static bool needs_quotes(struct sn_slice text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    bool has_letter = false;
    if (text.len == 0) {
        return true;
    }
    for (size_t i = 0; i < SN_LEN(words); i++) {
        if (sn_slice_eq_nocase(text, sn_slice_str(words[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool is_plain = is_letter || (c >= '0' && c <= '9') || c == '_' || c == '/' ||
                        (i > 0 && (c == '-' || c == '.' || c == '@' || c == '+' || c == '='));
        bool is_inner = i > 0 && i + 1 < text.len && (c == ' ' || c == ',' || c == ';' || c == '(' || c == ')');
        bool is_colon = i > 0 && i + 1 < text.len && c == ':' && text.ptr[i + 1] != ' ';
        if (!is_plain && !is_inner && !is_colon) {
            return true;
        }
        has_letter |= is_letter;
    }
    /* Without a letter it may be a number, a date or, of digits and colons, a number to the base 60; with digits first
     * it may be one all the same ("1e3", "0x10"). */
    return !has_letter || (text.ptr[0] >= '0' && text.ptr[0] <= '9');
}

static void put_quoted(struct sn_buf *out, struct sn_slice text)
{
    sn_buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\') {
            sn_buf_add_byte(out, '\\');
            sn_buf_add_byte(out, (char)c);
        } else if (c == '\n') {
            sn_buf_add_str(out, "\\n");
        } else if (c == '\t') {
            sn_buf_add_str(out, "\\t");
        } else if (c < 0x20 || c == 0x7f) {
            sn_buf_addf(out, "\\x%02x", c);
        } else if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0) { /* C1 */
            sn_buf_addf(out, "\\x%02x", (unsigned char)text.ptr[++i]);
        } else if (c == 0xe2 && i + 2 < text.len && (unsigned char)text.ptr[i + 1] == 0x80 &&
                   ((unsigned char)text.ptr[i + 2] & 0xfe) == 0xa8) { /* U+2028, U+2029: line breaks to YAML */
            sn_buf_addf(out, "\\u20%02x", (unsigned)((unsigned char)text.ptr[i + 2] - 0x80));
            i += 2;
        } else if (c == 0xef && i + 2 < text.len && (unsigned char)text.ptr[i + 1] == 0xbb &&
                   (unsigned char)text.ptr[i + 2] == 0xbf) {
            sn_buf_add_str(out, "\\ufeff");
            i += 2;
        } else if (c == 0xef && i + 2 < text.len && (unsigned char)text.ptr[i + 1] == 0xbf &&
                   (unsigned char)text.ptr[i + 2] >= 0xbe) { /* U+FFFE, U+FFFF: no YAML characters */
            sn_buf_addf(out, "\\uff%02x", (unsigned)((unsigned char)text.ptr[i + 2] + 0x40));
            i += 2;
        } else {
            sn_buf_add_byte(out, (char)c);
        }
    }
    sn_buf_add_byte(out, '"');
}

static void put_text(struct sn_buf *out, struct sn_slice text)
{
    if (needs_quotes(text)) {
        put_quoted(out, text);
    } else {
        sn_buf_add(out, text);
    }
}

/* "1h0m0s", "15m0s", "30s". */
static void put_duration(struct sn_buf *out, int64_t seconds)
{
    if (seconds >= 3600) {
        sn_buf_addf(out, "%lldh", (long long)(seconds / 3600));
    }
    if (seconds >= 60) {
        sn_buf_addf(out, "%lldm", (long long)(seconds / 60 % 60));
    }
    sn_buf_addf(out, "%llds", (long long)(seconds % 60));
}

/* Newlines that a block of text ends with belong to no value. */
static struct sn_slice value_of(const struct sn_yaml_node *node)
{
    struct sn_slice text = node->text;
    while (!node->plain && text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    return text;
}

static void put_scalar(struct sn_buf *out, const struct sn_schema_field *field, const struct sn_yaml_node *node)
{
    struct sn_error ignored = {0};
    int64_t seconds = 0;
    if (field->kind == SN_SCHEMA_BOOL || field->kind == SN_SCHEMA_COUNT) {
        sn_buf_add(out, node->text); /* the reader takes one spelling only */
    } else if (field->value == SN_VALUE_DURATION &&
               sn_parse_duration_or_zero(node->text, &seconds, &ignored) == SN_OK) {
        put_duration(out, seconds);
    } else {
        put_text(out, value_of(node));
    }
}

/* True for what means the same as nothing: an empty list or text, a zero. A false stays: beside it a device block says
 * that the device must be known. */
static bool is_idle(const struct sn_schema_field *field, const struct sn_yaml_node *node)
{
    struct sn_error ignored = {0};
    int64_t seconds = 0;
    switch (field->kind) {
    case SN_SCHEMA_TEXT:
        if (field->value == SN_VALUE_DURATION) {
            return sn_parse_duration_or_zero(node->text, &seconds, &ignored) == SN_OK && seconds == 0;
        }
        return value_of(node).len == 0;
    case SN_SCHEMA_BOOL:
        return false;
    case SN_SCHEMA_COUNT:
        return sn_slice_eq_str(node->text, "0");
    case SN_SCHEMA_RECORD:
        return !field->required && node->count == 0;
    case SN_SCHEMA_LIST:
    case SN_SCHEMA_RECORD_LIST:
    case SN_SCHEMA_RECORD_MAP:
    case SN_SCHEMA_LIST_MAP:
    case SN_SCHEMA_TEXT_MAP:
    case SN_SCHEMA_TEXT_OR_LIST:
    case SN_SCHEMA_ANY:
        return node->kind != SN_YAML_SCALAR && node->count == 0;
    }
    return false;
}

/* A record of nothing but idle fields keeps them: without them it would be another document, or none. */
static bool keeps_idle(const struct sn_schema *schema, const struct sn_yaml_node *const *fields)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (fields[i] != NULL && !is_idle(&schema->fields[i], fields[i])) {
            return false;
        }
    }
    return true;
}

/* --- structure --- */

static void put_indent(struct sn_buf *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        sn_buf_add_str(out, "  ");
    }
}

static void put_list(struct sn_buf *out, const struct sn_yaml_node *list, unsigned depth)
{
    for (size_t i = 0; i < list->count; i++) {
        put_indent(out, depth);
        sn_buf_add_str(out, "- ");
        put_text(out, list->items[i]->text);
        sn_buf_add_byte(out, '\n');
    }
}

/* Fields of a mapping that is not empty. is_item: the first stands behind the dash of a list. */
static void put_record(
    struct sn_buf *out, const struct sn_schema *schema, const struct sn_yaml_node *node, unsigned depth, bool is_item);

static void put_named(
    struct sn_buf *out, const struct sn_schema_field *field, const struct sn_yaml_node *node, unsigned depth)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct sn_yaml_node *value = node->pairs[i].value;
        put_indent(out, depth);
        put_text(out, node->pairs[i].key->text);
        sn_buf_add_byte(out, ':');
        if (field->kind == SN_SCHEMA_TEXT_MAP) {
            sn_buf_add_byte(out, ' ');
            put_text(out, value->text);
            sn_buf_add_byte(out, '\n');
            continue;
        }
        if (value->count == 0) {
            sn_buf_add_str(out, field->kind == SN_SCHEMA_RECORD_MAP ? " {}\n" : " []\n");
            continue;
        }
        sn_buf_add_byte(out, '\n');
        if (field->kind == SN_SCHEMA_RECORD_MAP) {
            put_record(out, field->record, value, depth + 1, false);
        } else {
            put_list(out, value, depth + 1);
        }
    }
}

static void put_items(
    struct sn_buf *out, const struct sn_schema *schema, const struct sn_yaml_node *list, unsigned depth)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->count > 0) {
            put_record(out, schema, list->items[i], depth + 1, true);
        } else {
            put_indent(out, depth);
            sn_buf_add_str(out, "- {}\n");
        }
    }
}

static void put_value(
    struct sn_buf *out, const struct sn_schema_field *field, const struct sn_yaml_node *node, unsigned depth)
{
    if (node->kind == SN_YAML_SCALAR) {
        sn_buf_add_byte(out, ' ');
        put_scalar(out, field, node);
        sn_buf_add_byte(out, '\n');
        return;
    }
    if (node->count == 0) {
        sn_buf_add_str(out, node->kind == SN_YAML_SEQUENCE ? " []\n" : " {}\n");
        return;
    }
    sn_buf_add_byte(out, '\n');
    switch (field->kind) {
    case SN_SCHEMA_TEXT:
    case SN_SCHEMA_BOOL:
    case SN_SCHEMA_COUNT:
    case SN_SCHEMA_ANY: /* not in documents that a server loads */
        return;
    case SN_SCHEMA_LIST:
    case SN_SCHEMA_TEXT_OR_LIST:
        put_list(out, node, depth + 1);
        return;
    case SN_SCHEMA_RECORD:
        put_record(out, field->record, node, depth + 1, false);
        return;
    case SN_SCHEMA_RECORD_LIST:
        put_items(out, field->record, node, depth + 1);
        return;
    case SN_SCHEMA_RECORD_MAP:
    case SN_SCHEMA_LIST_MAP:
    case SN_SCHEMA_TEXT_MAP:
        put_named(out, field, node, depth + 1);
        return;
    }
}

static void put_record(
    struct sn_buf *out, const struct sn_schema *schema, const struct sn_yaml_node *node, unsigned depth, bool is_item)
{
    const struct sn_yaml_node *fields[SN_SCHEMA_FIELDS_MAX];
    bool is_first = is_item;
    sn_schema_bind(schema, node, fields);
    bool all = keeps_idle(schema, fields);
    for (size_t i = 0; i < schema->count; i++) {
        if (fields[i] == NULL || (!all && is_idle(&schema->fields[i], fields[i]))) {
            continue;
        }
        put_indent(out, is_first ? depth - 1 : depth);
        sn_buf_addf(out, "%s%s:", is_first ? "- " : "", schema->fields[i].name);
        put_value(out, &schema->fields[i], fields[i], depth);
        is_first = false;
    }
}

enum sn_status sn_document_canonical(
    enum sn_document_kind kind, struct sn_slice text, struct sn_buf *out, struct sn_error *err)
{
    SN_AUTO(sn_findings_clear) struct sn_findings findings = {0};
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    const struct sn_report report = {.findings = &findings};
    struct sn_yaml_node *root = NULL;
    if (!sn_schema_read(
            sn_document_kinds[kind].schema, text, "document", &sn_yaml_limits_document, &arena, &report, &root)) {
        return sn_findings_fail(&findings, 0, "INVALID_POLICY", err);
    }
    put_record(out, sn_document_kinds[kind].schema, root, 0, false);
    if (out->overflow) {
        return sn_fail(err, SN_LIMIT, "DOCUMENT_TOO_LARGE", "the canonical form is too large");
    }
    return SN_OK;
}
