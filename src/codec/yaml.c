/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/yaml.c - libyaml's events to a strict tree; the only caller of libyaml.
 *
 * The bytes are looked at once before libyaml sees them, since it follows YAML 1.1 in what ends a line: a document that
 * a person reads as one line must be one line here too. Everything that makes one part of a document change another
 * (anchors, aliases, merge keys, tags) is refused.
 */
#include "codec/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"

const struct sn_yaml_limits sn_yaml_limits_document = {
    .max_bytes = 1024 * 1024, .max_depth = 16, .max_nodes = 400 * 1000};

enum {
    LINEAR_KEYS_MAX = 16, /* mappings up to this size compare all keys with all */
    SHOWN_KEY_MAX = 64,   /* bytes of a key that an error quotes */
};

struct reader {
    yaml_parser_t parser;
    struct sn_slice text; /* without the byte order mark */
    const struct sn_yaml_limits *limits;
    struct sn_arena *arena;
    struct sn_error *err;
    size_t nodes;
    unsigned depth;
    bool has_bang;               /* a '!' is somewhere: tags must be looked for */
    size_t at_index;             /* a character of text ... */
    size_t at_byte;              /* ... and the byte where it begins */
    struct sn_yaml_node **stack; /* children of the collections being read */
    size_t stack_len, stack_cap;
};

static void reader_clear(struct reader *reader)
{
    yaml_parser_delete(&reader->parser);
    sn_free(reader->stack);
}

static enum sn_status fail_at(
    struct sn_error *err, enum sn_status status, const char *code, size_t line, size_t column, const char *what)
{
    sn_fail(err, status, code, "line %zu, column %zu: %s", line, column, what);
    sn_error_detail(err, "line", "%zu", line);
    return sn_error_detail(err, "column", "%zu", column);
}

static enum sn_status fail_mark(
    struct reader *reader, enum sn_status status, const char *code, yaml_mark_t mark, const char *what)
{
    return fail_at(reader->err, status, code, mark.line + 1, mark.column + 1, what);
}

/* --- the bytes --- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Fails at a byte of text, with its line and column counted as an editor does. */
static enum sn_status fail_byte(struct sn_error *err, struct sn_slice text, size_t at, const char *what)
{
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < at; i++) {
        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if (!is_continuation(text.ptr[i])) {
            column++;
        }
    }
    return fail_at(err, SN_INVALID, "YAML_ENCODING", line, column, what);
}

static size_t first_bad_utf8(struct sn_slice text)
{
    size_t lo = 0;
    size_t hi = text.len;
    /* A prefix that ends inside a good character is no UTF-8 either: back up to a character's start before testing. */
    while (lo < hi) {
        size_t middle = lo + (hi - lo + 1) / 2;
        size_t end = middle;
        while (end > lo && end < text.len && is_continuation(text.ptr[end])) {
            end--;
        }
        if (end > lo && sn_slice_is_utf8(sn_slice_sub(text, lo, end - lo))) {
            lo = end;
        } else {
            hi = middle - 1;
        }
    }
    return lo;
}

static const char *control_fault(struct sn_slice text, size_t i)
{
    unsigned char c = (unsigned char)text.ptr[i];
    unsigned char next = i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;
    unsigned char third = i + 2 < text.len ? (unsigned char)text.ptr[i + 2] : 0;
    if (c == 0) {
        return "a NUL byte";
    }
    if (c == '\r') {
        return next == '\n' ? NULL : "a carriage return without a line feed";
    }
    if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f || (c == 0xc2 && next < 0xa0)) {
        return "a control character";
    }
    if (c == 0xe2 && next == 0x80 && (third == 0xa8 || third == 0xa9)) {
        return "a line separator other than a line feed";
    }
    if (c == 0xef && next == 0xbb && third == 0xbf) {
        return "a byte order mark inside the text";
    }
    return NULL;
}

/* Eight bytes that all print: none below 0x20, none above 0x7e. */
static bool is_printable_word(const char *bytes)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return ((word | (word - 0x20 * ones) | (word + ones)) & high) == 0;
}

static enum sn_status check_bytes(struct sn_slice text, bool *out_has_bang, struct sn_error *err)
{
    if (!sn_slice_is_utf8(text)) {
        return fail_byte(err, text, first_bad_utf8(text), "a byte that is not UTF-8");
    }
    for (size_t i = 0; i < text.len; i++) {
        while (text.len - i > sizeof(uint64_t) && is_printable_word(text.ptr + i)) {
            i += sizeof(uint64_t);
        }
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t') {
            continue;
        }
        const char *fault = control_fault(text, i);
        if (fault != NULL) {
            return fail_byte(err, text, i, fault);
        }
    }
    *out_has_bang = sn_slice_has_byte(text, '!');
    return SN_OK;
}

/* --- events --- */

static enum sn_status fail_parser(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "syntax error"; /* a constant of the library */
    switch (parser->error) {
    case YAML_MEMORY_ERROR:
        sn_alloc_failed();
    case YAML_READER_ERROR:
        return sn_fail(reader->err, SN_INVALID, "YAML_ENCODING", "%s", problem);
    case YAML_NO_ERROR:
    case YAML_SCANNER_ERROR:
    case YAML_PARSER_ERROR:
    case YAML_COMPOSER_ERROR:
    case YAML_WRITER_ERROR:
    case YAML_EMITTER_ERROR:
        break;
    }
    fail_mark(reader, SN_INVALID, "YAML_SYNTAX", parser->problem_mark, problem);
    if (strstr(problem, "cannot start any token") != NULL) {
        return sn_suggest(reader->err, "indent with blanks, not tabs, and quote texts that begin with '@' or '`'");
    }
    return reader->err->status;
}

static enum sn_status next_event(struct reader *reader, yaml_event_t *event)
{
    return yaml_parser_parse(&reader->parser, event) != 0 ? SN_OK : fail_parser(reader);
}

/* The byte at a mark of libyaml, which counts characters. Marks come in rising order, so the text is walked once. */
static char byte_at(struct reader *reader, yaml_mark_t mark)
{
    if (mark.index < reader->at_index) {
        reader->at_index = 0;
        reader->at_byte = 0;
    }
    while (reader->at_index < mark.index && reader->at_byte < reader->text.len) {
        do {
            reader->at_byte++;
        } while (reader->at_byte < reader->text.len && is_continuation(reader->text.ptr[reader->at_byte]));
        reader->at_index++;
    }
    return reader->at_byte < reader->text.len ? reader->text.ptr[reader->at_byte] : '\0';
}

static enum sn_status check_properties(
    struct reader *reader, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", event->start_mark, "anchors are not allowed");
    }
    /* The lone '!' is not reported by the library where a scalar follows; no plain text can begin with it. */
    if (tag != NULL || (reader->has_bang && byte_at(reader, event->start_mark) == '!')) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", event->start_mark, "tags are not allowed");
    }
    return SN_OK;
}

/* A node with room for more bytes, all zero, behind it. */
static struct sn_yaml_node *new_node(struct reader *reader, enum sn_yaml_kind kind, yaml_mark_t mark, size_t more)
{
    struct sn_yaml_node *node = sn_arena_alloc(reader->arena, 1, sizeof *node + more);
    node->kind = kind;
    node->line = (uint32_t)mark.line + 1;
    node->column = (uint32_t)mark.column + 1;
    return node;
}

static void push(struct reader *reader, struct sn_yaml_node *node)
{
    if (reader->stack_len == reader->stack_cap) {
        reader->stack_cap = reader->stack_cap != 0 ? reader->stack_cap * 2 : 256;
        reader->stack = sn_realloc(reader->stack, reader->stack_cap, sizeof *reader->stack);
    }
    reader->stack[reader->stack_len++] = node;
}

/* --- mappings --- */

static enum sn_status fail_duplicate(
    struct reader *reader, const struct sn_yaml_node *first, const struct sn_yaml_node *second)
{
    if (second->line < first->line || (second->line == first->line && second->column < first->column)) {
        const struct sn_yaml_node *swap = first;
        first = second;
        second = swap;
    }
    sn_fail(reader->err, SN_INVALID, "YAML_DUPLICATE_KEY", "line %u, column %u: key '%.*s' stands on line %u already",
        second->line, second->column, SN_PRI(sn_slice_sub(second->text, 0, SHOWN_KEY_MAX)), first->line);
    sn_error_detail(reader->err, "line", "%u", second->line);
    sn_error_detail(reader->err, "column", "%u", second->column);
    return sn_error_detail(reader->err, "first_line", "%u", first->line);
}

static int compare_keys(const void *a, const void *b)
{
    const struct sn_yaml_node *const *left = a;
    const struct sn_yaml_node *const *right = b;
    return sn_slice_cmp((*left)->text, (*right)->text);
}

static enum sn_status check_duplicates(struct reader *reader, const struct sn_yaml_node *mapping)
{
    if (mapping->count <= LINEAR_KEYS_MAX) {
        for (size_t i = 1; i < mapping->count; i++) {
            for (size_t k = 0; k < i; k++) {
                if (sn_slice_eq(mapping->pairs[k].key->text, mapping->pairs[i].key->text)) {
                    return fail_duplicate(reader, mapping->pairs[k].key, mapping->pairs[i].key);
                }
            }
        }
        return SN_OK;
    }
    /* The keys are sorted on the stack of the reader, above what is in use. */
    size_t base = reader->stack_len;
    for (size_t i = 0; i < mapping->count; i++) {
        push(reader, mapping->pairs[i].key);
    }
    struct sn_yaml_node **sorted = reader->stack + base;
    reader->stack_len = base;
    qsort(sorted, mapping->count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < mapping->count; i++) {
        if (sn_slice_eq(sorted[i - 1]->text, sorted[i]->text)) {
            return fail_duplicate(reader, sorted[i - 1], sorted[i]);
        }
    }
    return SN_OK;
}

static enum sn_status check_key(struct reader *reader, const yaml_event_t *event, const struct sn_yaml_node *key)
{
    if (key->kind != SN_YAML_SCALAR) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", event->start_mark, "a key must be text");
    }
    if (key->plain && sn_slice_eq_str(key->text, "<<")) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", event->start_mark, "merge keys are not allowed");
    }
    if (key->plain && key->text.len == 0) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", event->start_mark, "a key is empty");
    }
    return SN_OK;
}

/* --- nodes --- */

static enum sn_status read_node(struct reader *reader, yaml_event_t *event, struct sn_yaml_node **out_node);

static enum sn_status read_scalar(struct reader *reader, const yaml_event_t *event, struct sn_yaml_node **out_node)
{
    SN_TRY(check_properties(reader, event, event->data.scalar.anchor, event->data.scalar.tag));
    struct sn_slice text = sn_slice_bytes(event->data.scalar.value, event->data.scalar.length);
    struct sn_yaml_node *node = new_node(reader, SN_YAML_SCALAR, event->start_mark, text.len + 1);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    /* "\0" inside double quotes writes a NUL that was not in the bytes. */
    if (sn_slice_has_byte(text, '\0')) {
        return fail_mark(reader, SN_INVALID, "YAML_ENCODING", event->start_mark, "a text holds NUL");
    }
    char *copy = (char *)(node + 1);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    node->text = (struct sn_slice){copy, text.len};
    *out_node = node;
    return SN_OK;
}

static void keep_children(struct reader *reader, struct sn_yaml_node *node, size_t base)
{
    struct sn_yaml_node **children = reader->stack + base;
    size_t count = reader->stack_len - base;
    reader->stack_len = base;
    if (node->kind == SN_YAML_SEQUENCE) {
        node->count = (uint32_t)count; /* a value each, of which there are at most max_nodes */
        node->items = sn_arena_alloc(reader->arena, count, sizeof *node->items);
        if (count > 0) {
            memcpy(node->items, children, count * sizeof *node->items);
        }
        return;
    }
    node->count = (uint32_t)(count / 2);
    node->pairs = sn_arena_alloc(reader->arena, node->count, sizeof *node->pairs);
    for (size_t i = 0; i < node->count; i++) {
        node->pairs[i] = (struct sn_yaml_pair){children[2 * i], children[2 * i + 1]};
    }
}

/* Reads the children of a collection up to its end event. */
static enum sn_status read_children(struct reader *reader, struct sn_yaml_node *node)
{
    size_t base = reader->stack_len;
    SN_AUTO(yaml_event_delete) yaml_event_t event = {0};
    for (;; yaml_event_delete(&event)) {
        SN_TRY(next_event(reader, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        bool is_key = node->kind == SN_YAML_MAPPING && (reader->stack_len - base) % 2 == 0;
        struct sn_yaml_node *child = NULL;
        SN_TRY(read_node(reader, &event, &child));
        if (is_key) {
            SN_TRY(check_key(reader, &event, child));
        }
        push(reader, child);
    }
    keep_children(reader, node, base);
    return node->kind == SN_YAML_MAPPING ? check_duplicates(reader, node) : SN_OK;
}

static enum sn_status read_collection(struct reader *reader, const yaml_event_t *event, struct sn_yaml_node **out_node)
{
    bool is_sequence = event->type == YAML_SEQUENCE_START_EVENT;
    SN_TRY(is_sequence
               ? check_properties(reader, event, event->data.sequence_start.anchor, event->data.sequence_start.tag)
               : check_properties(reader, event, event->data.mapping_start.anchor, event->data.mapping_start.tag));
    if (reader->depth >= reader->limits->max_depth) {
        sn_fail(reader->err, SN_LIMIT, "YAML_LIMIT", "line %zu, column %zu: nested deeper than %u levels",
            event->start_mark.line + 1, event->start_mark.column + 1, reader->limits->max_depth);
        sn_error_detail(reader->err, "line", "%zu", event->start_mark.line + 1);
        return sn_error_detail(reader->err, "column", "%zu", event->start_mark.column + 1);
    }
    struct sn_yaml_node *node =
        new_node(reader, is_sequence ? SN_YAML_SEQUENCE : SN_YAML_MAPPING, event->start_mark, 0);
    reader->depth++;
    SN_TRY(read_children(reader, node));
    reader->depth--;
    *out_node = node;
    return SN_OK;
}

static enum sn_status read_node(struct reader *reader, yaml_event_t *event, struct sn_yaml_node **out_node)
{
    if (++reader->nodes > reader->limits->max_nodes) {
        sn_fail(reader->err, SN_LIMIT, "YAML_LIMIT", "line %zu, column %zu: more than %zu values in the document",
            event->start_mark.line + 1, event->start_mark.column + 1, reader->limits->max_nodes);
        sn_error_detail(reader->err, "line", "%zu", event->start_mark.line + 1);
        return sn_error_detail(reader->err, "column", "%zu", event->start_mark.column + 1);
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event, out_node);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_collection(reader, event, out_node);
    case YAML_ALIAS_EVENT:
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", event->start_mark, "aliases are not allowed");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
    return fail_mark(reader, SN_INVALID, "YAML_SYNTAX", event->start_mark, "a value is expected here");
}

/* --- the document --- */

static enum sn_status fail_empty(struct sn_error *err)
{
    return sn_fail(err, SN_INVALID, "YAML_EMPTY", "the document is empty");
}

/* Everything up to the first node: stream, optional "%YAML 1.2", document. */
static enum sn_status read_start(struct reader *reader)
{
    SN_AUTO(yaml_event_delete) yaml_event_t stream = {0};
    SN_AUTO(yaml_event_delete) yaml_event_t document = {0};
    SN_TRY(next_event(reader, &stream));
    SN_TRY(next_event(reader, &document));
    if (document.type != YAML_DOCUMENT_START_EVENT) {
        return fail_empty(reader->err);
    }
    const yaml_version_directive_t *version = document.data.document_start.version_directive;
    if (version != NULL && (version->major != 1 || version->minor != 2)) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", document.start_mark, "only YAML 1.2 is read");
    }
    if (document.data.document_start.tag_directives.start != document.data.document_start.tag_directives.end) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", document.start_mark, "tags are not allowed");
    }
    return SN_OK;
}

static enum sn_status read_end(struct reader *reader)
{
    SN_AUTO(yaml_event_delete) yaml_event_t document = {0};
    SN_AUTO(yaml_event_delete) yaml_event_t stream = {0};
    SN_TRY(next_event(reader, &document));
    SN_TRY(next_event(reader, &stream));
    if (stream.type != YAML_STREAM_END_EVENT) {
        return fail_mark(reader, SN_INVALID, "YAML_FORBIDDEN", stream.start_mark, "more than one document in a file");
    }
    return SN_OK;
}

static enum sn_status read_root(struct reader *reader, struct sn_yaml_node **out_root)
{
    SN_AUTO(yaml_event_delete) yaml_event_t event = {0};
    struct sn_yaml_node *root = NULL;
    SN_TRY(read_start(reader));
    SN_TRY(next_event(reader, &event));
    SN_TRY(read_node(reader, &event, &root));
    SN_TRY(read_end(reader));
    if (root->kind == SN_YAML_SCALAR && root->plain && root->text.len == 0) {
        return fail_empty(reader->err);
    }
    *out_root = root;
    return SN_OK;
}

enum sn_status sn_yaml_parse(struct sn_slice text, const struct sn_yaml_limits *limits, struct sn_arena *arena,
    struct sn_yaml_node **out_root, struct sn_error *err)
{
    if (text.len > limits->max_bytes) {
        return sn_fail(err, SN_LIMIT, "YAML_TOO_LARGE", "the document is larger than %zu bytes", limits->max_bytes);
    }
    struct sn_slice mark = SN_S("\xef\xbb\xbf");
    struct sn_slice body = sn_slice_has_prefix(text, mark) ? sn_slice_sub(text, mark.len, SIZE_MAX) : text;
    if (body.len == 0) {
        return fail_empty(err);
    }
    struct reader reader = {.text = body, .limits = limits, .arena = arena, .err = err};
    SN_TRY(check_bytes(body, &reader.has_bang, err));
    if (yaml_parser_initialize(&reader.parser) == 0) {
        sn_alloc_failed();
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)body.ptr, body.len);
    enum sn_status status = read_root(&reader, out_root);
    reader_clear(&reader);
    return status;
}

/* --- access --- */

const struct sn_yaml_node *sn_yaml_get(const struct sn_yaml_node *node, const char *key)
{
    if (node == NULL || node->kind != SN_YAML_MAPPING) {
        return NULL;
    }
    struct sn_slice wanted = sn_slice_str(key);
    for (size_t i = 0; i < node->count; i++) {
        if (sn_slice_eq(node->pairs[i].key->text, wanted)) {
            return node->pairs[i].value;
        }
    }
    return NULL;
}

bool sn_yaml_is_null(const struct sn_yaml_node *node)
{
    static const char *const nulls[] = {"null", "Null", "NULL"};
    if (node == NULL || node->kind != SN_YAML_SCALAR || !node->plain) {
        return false;
    }
    if (node->text.len != 4) { /* nearly all there are */
        return node->text.len == 0 || (node->text.len == 1 && node->text.ptr[0] == '~');
    }
    for (size_t i = 0; i < SN_LEN(nulls); i++) {
        if (sn_slice_eq_str(node->text, nulls[i])) {
            return true;
        }
    }
    return false;
}

const char *sn_yaml_kind_name(enum sn_yaml_kind kind)
{
    switch (kind) {
    case SN_YAML_SCALAR:
        return "text";
    case SN_YAML_SEQUENCE:
        return "list";
    case SN_YAML_MAPPING:
        return "mapping";
    }
    SN_ASSERT(false);
}
