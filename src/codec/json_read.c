/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/json_read.c - JSON text to a tree of borrowed nodes; the only caller of jansson.
 *
 * A text is scanned once before jansson sees it, so that nesting and size are bounded before anything is allocated. The
 * nodes lie in one array whose length that scan tells: the children of a node are neighbours, which makes access by
 * index cheap and keeps the order of the document. Jansson's own tree is kept beside it, as it holds the strings, and
 * all of its memory is wiped before it goes back.
 */
#include "codec/json.h"

#include <jansson.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/wiping.h"

const struct sn_json_limits sn_json_limits_request = {.max_bytes = 64 * 1024, .max_depth = 8, .max_members = 64};
const struct sn_json_limits sn_json_limits_document = {
    .max_bytes = 4 * 1024 * 1024, .max_depth = 32, .max_members = 200 * 1000};

struct sn_json {
    enum sn_json_kind kind;
    bool truth;            /* of a bool */
    size_t count;          /* of an array or object */
    struct sn_json *child; /* the first of count neighbours */
    struct sn_slice key;   /* of a member */
    struct sn_slice text;  /* of a string */
    int64_t number;        /* of an int */
    double real;           /* of a real */
};

struct sn_json_doc {
    json_t *tree;
    struct sn_json *nodes;
    size_t node_count;
    size_t nodes_used;
};

/* --- jansson --- */

static void set_up_jansson(void)
{
    json_set_alloc_funcs(sn_wiping_malloc, sn_wiping_free);
    json_object_seed(0); /* from the operating system: chosen keys must not fall into one bucket */
}

/* --- the scan before parsing --- */

struct scan {
    unsigned depth, deepest;
    size_t separators; /* commas outside strings */
    size_t filled;     /* arrays and objects that are not empty */
};

static size_t skip_string(struct sn_slice text, size_t i)
{
    for (; i < text.len; i++) {
        if (text.ptr[i] == '\\') {
            i++;
        } else if (text.ptr[i] == '"') {
            return i;
        }
    }
    return i;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Counts what the limits bound. The text may be broken: then the counts are unused, as the parser refuses it. */
static struct scan scan_text(struct sn_slice text, const struct sn_json_limits *limits)
{
    struct scan scan = {0};
    bool just_opened = false;
    for (size_t i = 0; i < text.len && scan.deepest <= limits->max_depth; i++) {
        char c = text.ptr[i];
        if (is_blank(c)) {
            continue;
        }
        bool is_close = c == ']' || c == '}';
        if (just_opened && !is_close) {
            scan.filled++;
        }
        just_opened = false;
        if (c == '"') {
            i = skip_string(text, i + 1);
        } else if (c == '[' || c == '{') {
            just_opened = true;
            scan.depth++;
            scan.deepest = scan.depth > scan.deepest ? scan.depth : scan.deepest;
        } else if (is_close) {
            scan.depth -= scan.depth > 0 ? 1 : 0;
        } else if (c == ',') {
            scan.separators++;
        }
    }
    return scan;
}

static enum sn_status check_limits(
    struct sn_slice text, const struct sn_json_limits *limits, size_t *out_members, struct sn_error *err)
{
    if (text.len > limits->max_bytes) {
        return sn_fail(err, SN_INVALID, "INVALID_JSON", "JSON text is larger than %zu bytes", limits->max_bytes);
    }
    struct scan scan = scan_text(text, limits);
    if (scan.deepest > limits->max_depth) {
        return sn_fail(err, SN_INVALID, "INVALID_JSON", "JSON text nests deeper than %u levels", limits->max_depth);
    }
    size_t members = scan.separators + scan.filled;
    if (members > limits->max_members) {
        return sn_fail(
            err, SN_INVALID, "INVALID_JSON", "JSON text has more than %zu members in all", limits->max_members);
    }
    *out_members = members;
    return SN_OK;
}

/* --- jansson's tree to nodes --- */

static enum sn_json_kind kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return SN_JSON_OBJECT;
    case JSON_ARRAY:
        return SN_JSON_ARRAY;
    case JSON_STRING:
        return SN_JSON_STRING;
    case JSON_INTEGER:
        return SN_JSON_INT;
    case JSON_REAL:
        return SN_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return SN_JSON_BOOL;
    case JSON_NULL:
        return SN_JSON_NULL;
    }
    SN_ASSERT(false);
}

/* Neighbouring nodes for the children of one container; NULL when the scan and the parser counted differently. */
static struct sn_json *take_nodes(struct sn_json_doc *doc, size_t count)
{
    if (count > doc->node_count - doc->nodes_used) {
        return NULL;
    }
    struct sn_json *nodes = doc->nodes + doc->nodes_used;
    doc->nodes_used += count;
    return nodes;
}

static bool fill_node(struct sn_json_doc *doc, struct sn_json *node, json_t *value);

static bool fill_array(struct sn_json_doc *doc, struct sn_json *node, json_t *value)
{
    for (size_t i = 0; i < node->count; i++) {
        if (!fill_node(doc, &node->child[i], json_array_get(value, i))) {
            return false;
        }
    }
    return true;
}

static bool fill_object(struct sn_json_doc *doc, struct sn_json *node, json_t *value)
{
    size_t i = 0;
    for (void *iter = json_object_iter(value); iter != NULL; iter = json_object_iter_next(value, iter), i++) {
        node->child[i].key = (struct sn_slice){json_object_iter_key(iter), json_object_iter_key_len(iter)};
        if (!fill_node(doc, &node->child[i], json_object_iter_value(iter))) {
            return false;
        }
    }
    return true;
}

static bool fill_node(struct sn_json_doc *doc, struct sn_json *node, json_t *value)
{
    node->kind = kind_of(value);
    switch (node->kind) {
    case SN_JSON_NULL:
        return true;
    case SN_JSON_BOOL:
        node->truth = json_is_true(value);
        return true;
    case SN_JSON_INT:
        node->number = json_integer_value(value);
        return true;
    case SN_JSON_REAL:
        node->real = json_real_value(value);
        return true;
    case SN_JSON_STRING:
        node->text = (struct sn_slice){json_string_value(value), json_string_length(value)};
        return true;
    case SN_JSON_ARRAY:
    case SN_JSON_OBJECT:
        node->count = node->kind == SN_JSON_ARRAY ? json_array_size(value) : json_object_size(value);
        node->child = take_nodes(doc, node->count);
        if (node->child == NULL) {
            return false;
        }
        return node->kind == SN_JSON_ARRAY ? fill_array(doc, node, value) : fill_object(doc, node, value);
    }
    SN_ASSERT(false);
}

/* --- parsing --- */

/* Jansson's own messages quote the text, which may be a secret; only its code and position are used. */
static const char *reason_of(const json_error_t *error)
{
    switch ((int)json_error_code(error)) {
    case json_error_invalid_utf8:
        return "invalid UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "text follows the value";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a string holds NUL";
    case json_error_duplicate_key:
        return "an object has the same key twice";
    case json_error_numeric_overflow:
        return "a number is out of range";
    default: /* not our enum: every further code of the library is a fault of the text */
        return "syntax error";
    }
}

static enum sn_status fail_parse(const json_error_t *error, struct sn_error *err)
{
    sn_fail(err, SN_INVALID, "INVALID_JSON", "invalid JSON at line %d, column %d: %s", error->line, error->column,
        reason_of(error));
    sn_error_detail(err, "line", "%d", error->line);
    return sn_error_detail(err, "column", "%d", error->column);
}

enum sn_status sn_json_parse(
    struct sn_slice text, const struct sn_json_limits *limits, struct sn_json_doc **out_doc, struct sn_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up_jansson);

    size_t members = 0;
    SN_TRY(check_limits(text, limits, &members, err));

    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = sn_alloc(1, sizeof *doc);
    json_error_t error;
    doc->tree =
        json_loadb(text.ptr != NULL ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (doc->tree == NULL) {
        return fail_parse(&error, err);
    }
    doc->node_count = members + 1;
    doc->nodes = sn_alloc(doc->node_count, sizeof *doc->nodes);
    doc->nodes_used = 1;
    if (!fill_node(doc, &doc->nodes[0], doc->tree)) {
        return sn_fail(err, SN_INVALID, "INVALID_JSON", "invalid JSON: its members cannot be counted");
    }
    *out_doc = SN_TAKE(doc);
    return SN_OK;
}

void sn_json_doc_free(struct sn_json_doc *doc)
{
    if (doc == NULL) {
        return;
    }
    json_decref(doc->tree);
    if (doc->nodes != NULL) {
        sn_wipe(doc->nodes, doc->node_count * sizeof *doc->nodes); /* numbers may be one-time codes */
        sn_free(doc->nodes);
    }
    sn_free(doc);
}

void sn_json_doc_free_p(struct sn_json_doc **doc)
{
    sn_json_doc_free(*doc);
    *doc = NULL;
}

/* --- access --- */

const struct sn_json *sn_json_root(const struct sn_json_doc *doc)
{
    return &doc->nodes[0];
}

enum sn_json_kind sn_json_kind_of(const struct sn_json *node)
{
    return node != NULL ? node->kind : SN_JSON_NULL;
}

const char *sn_json_kind_name(enum sn_json_kind kind)
{
    switch (kind) {
    case SN_JSON_NULL:
        return "null";
    case SN_JSON_BOOL:
        return "true or false";
    case SN_JSON_INT:
        return "whole number";
    case SN_JSON_REAL:
        return "fractional number";
    case SN_JSON_STRING:
        return "string";
    case SN_JSON_ARRAY:
        return "array";
    case SN_JSON_OBJECT:
        return "object";
    }
    SN_ASSERT(false);
}

const struct sn_json *sn_json_get(const struct sn_json *node, const char *key)
{
    if (sn_json_kind_of(node) != SN_JSON_OBJECT) {
        return NULL;
    }
    struct sn_slice wanted = sn_slice_str(key);
    for (size_t i = 0; i < node->count; i++) {
        if (sn_slice_eq(node->child[i].key, wanted)) {
            return &node->child[i];
        }
    }
    return NULL;
}

size_t sn_json_count(const struct sn_json *node)
{
    return node != NULL ? node->count : 0;
}

const struct sn_json *sn_json_at(const struct sn_json *node, size_t index)
{
    return sn_json_kind_of(node) == SN_JSON_ARRAY && index < node->count ? &node->child[index] : NULL;
}

const struct sn_json *sn_json_member_at(const struct sn_json *node, size_t index, struct sn_slice *out_key)
{
    if (sn_json_kind_of(node) != SN_JSON_OBJECT || index >= node->count) {
        return NULL;
    }
    *out_key = node->child[index].key;
    return &node->child[index];
}

struct sn_slice sn_json_text(const struct sn_json *node)
{
    return sn_json_kind_of(node) == SN_JSON_STRING ? node->text : (struct sn_slice){"", 0};
}

int64_t sn_json_int(const struct sn_json *node, int64_t fallback)
{
    return sn_json_kind_of(node) == SN_JSON_INT ? node->number : fallback;
}

bool sn_json_bool(const struct sn_json *node, bool fallback)
{
    return sn_json_kind_of(node) == SN_JSON_BOOL ? node->truth : fallback;
}

/* --- tables of members --- */

static enum sn_json_kind kind_wanted(enum sn_json_field_kind kind, enum sn_json_kind found)
{
    switch (kind) {
    case SN_JSON_FIELD_TEXT:
    case SN_JSON_FIELD_SECRET:
        return SN_JSON_STRING;
    case SN_JSON_FIELD_INT:
        return SN_JSON_INT;
    case SN_JSON_FIELD_BOOL:
        return SN_JSON_BOOL;
    case SN_JSON_FIELD_NODE:
        return found;
    }
    SN_ASSERT(false);
}

static bool is_absent(const struct sn_json_field *field, const struct sn_json *value)
{
    return value == NULL || (field->nullable && value->kind == SN_JSON_NULL);
}

static enum sn_status check_field(const struct sn_json *node, const struct sn_json_field *field, struct sn_error *err)
{
    const struct sn_json *value = sn_json_get(node, field->name);
    if (is_absent(field, value)) {
        if (!field->required) {
            return SN_OK;
        }
        sn_fail(err, SN_INVALID, "INVALID_JSON", "member '%s' is missing", field->name);
        return sn_error_detail(err, "field", "%s", field->name);
    }
    enum sn_json_kind wanted = kind_wanted(field->kind, value->kind);
    if (value->kind == wanted) {
        return SN_OK;
    }
    sn_fail(err, SN_INVALID, "INVALID_JSON", "member '%s' must be a %s, not a %s", field->name,
        sn_json_kind_name(wanted), sn_json_kind_name(value->kind));
    return sn_error_detail(err, "field", "%s", field->name);
}

static enum sn_status check_known(const struct sn_json *node, const struct sn_json_field *fields, struct sn_error *err)
{
    enum { KEY_SHOWN_MAX = 64 };
    for (size_t i = 0; i < node->count; i++) {
        const struct sn_json_field *field = fields;
        while (field->name != NULL && !sn_slice_eq_str(node->child[i].key, field->name)) {
            field++;
        }
        if (field->name == NULL) {
            struct sn_slice key = node->child[i].key;
            bool can_show = key.len <= KEY_SHOWN_MAX && sn_slice_is_alnum_or(key, "_-");
            sn_fail(err, SN_INVALID, "INVALID_JSON", "unknown member '%.*s'", SN_PRI(can_show ? key : SN_S("...")));
            return can_show ? sn_error_detail(err, "field", "%.*s", SN_PRI(key)) : err->status;
        }
    }
    return SN_OK;
}

static void store_field(const struct sn_json *node, const struct sn_json_field *field, char *out)
{
    const struct sn_json *value = sn_json_get(node, field->name);
    bool absent = is_absent(field, value);
    if (field->seen_offset_1 != 0) {
        *(bool *)(void *)(out + field->seen_offset_1 - 1) = !absent;
    }
    if (absent) {
        return;
    }
    void *place = out + field->offset;
    switch (field->kind) {
    case SN_JSON_FIELD_TEXT:
        *(struct sn_slice *)place = value->text;
        return;
    case SN_JSON_FIELD_SECRET:
        sn_secret_set(place, value->text);
        return;
    case SN_JSON_FIELD_INT:
        *(int64_t *)place = value->number;
        return;
    case SN_JSON_FIELD_BOOL:
        *(bool *)place = value->truth;
        return;
    case SN_JSON_FIELD_NODE:
        *(const struct sn_json **)place = value;
        return;
    }
    SN_ASSERT(false);
}

enum sn_status sn_json_read_object(const struct sn_json *node, const struct sn_json_field *fields, bool allow_unknown,
    void *out_struct, struct sn_error *err)
{
    if (sn_json_kind_of(node) != SN_JSON_OBJECT) {
        return sn_fail(err, SN_INVALID, "INVALID_JSON", "a JSON object is expected, not a %s",
            sn_json_kind_name(sn_json_kind_of(node)));
    }
    if (!allow_unknown) {
        SN_TRY(check_known(node, fields, err));
    }
    for (const struct sn_json_field *field = fields; field->name != NULL; field++) {
        SN_TRY(check_field(node, field, err));
    }
    for (const struct sn_json_field *field = fields; field->name != NULL; field++) {
        store_field(node, field, out_struct);
    }
    return SN_OK;
}

/* --- nodes to text --- */

static void format_real(struct sn_buf *buf, double value)
{
    size_t before = buf->len;
    sn_buf_addf(buf, "%.17g", value);
    struct sn_slice written = sn_slice_sub(sn_buf_slice(buf), before, SIZE_MAX);
    if (!sn_slice_has_byte(written, '.') && !sn_slice_has_byte(written, 'e')) {
        sn_buf_add_str(buf, ".0"); /* or it would be read back as a whole number */
    }
}

static void format_string(struct sn_buf *buf, struct sn_slice text)
{
    struct sn_json_writer w;
    sn_json_writer_init(&w, buf);
    sn_json_put_text(&w, text);
}

void sn_json_format(struct sn_buf *buf, const struct sn_json *node)
{
    switch (sn_json_kind_of(node)) {
    case SN_JSON_NULL:
        sn_buf_add_str(buf, "null");
        return;
    case SN_JSON_BOOL:
        sn_buf_add_str(buf, node->truth ? "true" : "false");
        return;
    case SN_JSON_INT:
        sn_buf_add_int(buf, node->number);
        return;
    case SN_JSON_REAL:
        format_real(buf, node->real);
        return;
    case SN_JSON_STRING:
        format_string(buf, node->text);
        return;
    case SN_JSON_ARRAY:
    case SN_JSON_OBJECT:
        break;
    }
    bool is_array = node->kind == SN_JSON_ARRAY;
    sn_buf_add_byte(buf, is_array ? '[' : '{');
    for (size_t i = 0; i < node->count; i++) {
        if (i > 0) {
            sn_buf_add_byte(buf, ',');
        }
        if (!is_array) {
            format_string(buf, node->child[i].key);
            sn_buf_add_byte(buf, ':');
        }
        sn_json_format(buf, &node->child[i]);
    }
    sn_buf_add_byte(buf, is_array ? ']' : '}');
}
