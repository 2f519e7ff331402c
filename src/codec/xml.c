/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/xml.c - small XML answers as a tree; the only caller of expat.
 *
 * No document type is accepted, so there are no entities but the five that XML itself defines. Answers with credentials
 * pass through here: expat runs on memory that is wiped, and so are the buffers that gather text.
 *
 * expat asks for some forty objects a document, whose sum the document's size bounds. They come from one arena that is
 * wiped and released behind it; what expat gives back before stays until then.
 */
#include "codec/xml.h"

#include <expat.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/secret.h"

enum {
    MAX_DEPTH = 16,
    MAX_ELEMENTS = 4096,
    NAMESPACE_SEPARATOR = '\n', /* expat refuses it inside a namespace */
};

struct level {
    struct sn_xml_node *node;
    struct sn_xml_node *last_child;
    struct sn_buf text;
};

struct reader {
    XML_Parser expat;
    struct sn_arena scratch; /* expat's memory */
    struct sn_arena *arena;
    struct sn_xml_node *root;
    unsigned depth;
    size_t elements;
    const char *refused; /* why parsing was stopped */
    struct level levels[MAX_DEPTH];
};

/* --- expat's memory --- */

/* The arena of the document that this thread reads: expat's allocator has no argument for it. */
static _Thread_local struct sn_arena *scratch;

/* In front of each object; keeps it aligned. */
struct object {
    size_t size;
    _Alignas(16) unsigned char bytes[];
};

static void *scratch_malloc(size_t size)
{
    size_t total = 0;
    if (__builtin_add_overflow(size, sizeof(struct object), &total)) {
        return NULL;
    }
    struct object *object = sn_arena_alloc(scratch, 1, total);
    object->size = size;
    return object->bytes;
}

static void *scratch_realloc(void *memory, size_t size)
{
    if (memory == NULL) {
        return scratch_malloc(size);
    }
    const struct object *old = (const struct object *)((const unsigned char *)memory - offsetof(struct object, bytes));
    if (size <= old->size) {
        return memory;
    }
    void *moved = scratch_malloc(size);
    if (moved != NULL) {
        memcpy(moved, memory, old->size);
    }
    return moved;
}

static void scratch_free(void *memory)
{
    (void)memory; /* the arena ends with the document */
}

static void reader_clear(struct reader *reader)
{
    if (reader->expat != NULL) {
        XML_ParserFree(reader->expat);
    }
    sn_arena_clear(&reader->scratch);
    scratch = NULL;
    for (size_t i = 0; i < SN_LEN(reader->levels); i++) {
        sn_buf_clear(&reader->levels[i].text);
    }
}

/* --- what expat tells --- */

static void refuse(struct reader *reader, const char *why)
{
    if (reader->refused == NULL) {
        reader->refused = why;
        XML_StopParser(reader->expat, XML_FALSE);
    }
}

static void split_name(struct sn_arena *arena, const char *name, struct sn_xml_node *node)
{
    struct sn_slice ns = {"", 0};
    struct sn_slice local = sn_slice_str(name);
    if (!sn_slice_cut_last(sn_slice_str(name), NAMESPACE_SEPARATOR, &ns, &local)) {
        ns = SN_S("");
        local = sn_slice_str(name);
    }
    node->ns = sn_arena_dup(arena, ns);
    node->name = sn_arena_dup(arena, local);
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = ctx;
    if (reader->refused != NULL) {
        return; /* expat may still report the end of an empty element */
    }
    if (reader->depth == MAX_DEPTH) {
        refuse(reader, "it nests too deep");
        return;
    }
    if (++reader->elements > MAX_ELEMENTS) {
        refuse(reader, "it has too many elements");
        return;
    }
    struct sn_xml_node *node = sn_arena_alloc(reader->arena, 1, sizeof *node);
    split_name(reader->arena, name, node);
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        node->attribute_count++;
    }
    if (reader->depth == 0) {
        reader->root = node;
    } else {
        struct level *parent = &reader->levels[reader->depth - 1];
        *(parent->last_child != NULL ? &parent->last_child->next : &parent->node->first_child) = node;
        parent->last_child = node;
        parent->node->child_count++;
    }
    struct level *level = &reader->levels[reader->depth++];
    level->node = node;
    level->last_child = NULL;
    sn_buf_reset(&level->text);
}

static void on_end(void *ctx, const XML_Char *name)
{
    (void)name;
    struct reader *reader = ctx;
    if (reader->refused != NULL) {
        return;
    }
    struct level *level = &reader->levels[--reader->depth];
    level->node->text = sn_arena_dup(reader->arena, sn_buf_slice(&level->text));
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
    struct reader *reader = ctx;
    if (reader->refused == NULL && reader->depth > 0) {
        sn_buf_add_bytes(&reader->levels[reader->depth - 1].text, text, (size_t)len);
    }
}

static void on_instruction(void *ctx, const XML_Char *target, const XML_Char *data)
{
    (void)target;
    (void)data;
    struct reader *reader = ctx;
    if (reader->root != NULL) {
        refuse(reader, "it has a processing instruction behind the prologue");
    }
}

static void on_doctype(
    void *ctx, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    refuse(ctx, "it has a document type");
}

static void on_entity(void *ctx, const XML_Char *name, int is_parameter, const XML_Char *value, int value_len,
    const XML_Char *base, const XML_Char *system_id, const XML_Char *public_id, const XML_Char *notation)
{
    (void)name;
    (void)is_parameter;
    (void)value;
    (void)value_len;
    (void)base;
    (void)system_id;
    (void)public_id;
    (void)notation;
    refuse(ctx, "it declares an entity");
}

static void on_declaration(void *ctx, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    (void)version;
    (void)standalone;
    if (encoding != NULL && !sn_slice_eq_nocase(sn_slice_str(encoding), SN_S("utf-8"))) {
        refuse(ctx, "its encoding is not UTF-8");
    }
}

/* --- parsing --- */

static enum sn_status fail_xml(struct sn_error *err, const char *why)
{
    return sn_fail(err, SN_PROTOCOL, "INVALID_XML", "invalid XML: %s", why);
}

static void set_handlers(struct reader *reader)
{
    XML_SetUserData(reader->expat, reader);
    XML_SetElementHandler(reader->expat, on_start, on_end);
    XML_SetCharacterDataHandler(reader->expat, on_text);
    XML_SetProcessingInstructionHandler(reader->expat, on_instruction);
    XML_SetStartDoctypeDeclHandler(reader->expat, on_doctype);
    XML_SetEntityDeclHandler(reader->expat, on_entity);
    XML_SetXmlDeclHandler(reader->expat, on_declaration);
}

enum sn_status sn_xml_parse(
    struct sn_slice text, size_t max_bytes, struct sn_arena *arena, struct sn_xml_node **out_root, struct sn_error *err)
{
    if (text.len > max_bytes || text.len > INT_MAX) {
        return fail_xml(err, "it is too large");
    }
    if (!sn_slice_is_utf8(text)) {
        return fail_xml(err, "it is not UTF-8");
    }
    static const XML_Memory_Handling_Suite memory = {scratch_malloc, scratch_realloc, scratch_free};
    static const XML_Char separator[] = {NAMESPACE_SEPARATOR, '\0'};
    SN_AUTO(reader_clear) struct reader reader = {.arena = arena};
    for (size_t i = 0; i < SN_LEN(reader.levels); i++) {
        reader.levels[i].text = SN_BUF_INIT(text.len + 1);
    }
    scratch = &reader.scratch;
    reader.expat = XML_ParserCreate_MM("UTF-8", &memory, separator);
    if (reader.expat == NULL) {
        sn_alloc_failed();
    }
    set_handlers(&reader);

    enum XML_Status status = XML_Parse(reader.expat, text.ptr != NULL ? text.ptr : "", (int)text.len, XML_TRUE);
    if (reader.refused != NULL) {
        return fail_xml(err, reader.refused);
    }
    if (status != XML_STATUS_OK) {
        /* The library's texts are constants and quote nothing of the document. */
        return sn_fail(err, SN_PROTOCOL, "INVALID_XML", "invalid XML at line %lu: %s",
            (unsigned long)XML_GetCurrentLineNumber(reader.expat), XML_ErrorString(XML_GetErrorCode(reader.expat)));
    }
    for (size_t i = 0; i < SN_LEN(reader.levels); i++) {
        SN_TRY(sn_buf_check(&reader.levels[i].text, "XML text", err));
    }
    *out_root = reader.root;
    return SN_OK;
}

/* --- access --- */

const struct sn_xml_node *sn_xml_child(const struct sn_xml_node *node, const char *name)
{
    for (const struct sn_xml_node *child = node != NULL ? node->first_child : NULL; child != NULL;
         child = child->next) {
        if (sn_slice_eq_str(child->name, name)) {
            return child;
        }
    }
    return NULL;
}

size_t sn_xml_count(const struct sn_xml_node *node, const char *name)
{
    size_t count = 0;
    for (const struct sn_xml_node *child = node != NULL ? node->first_child : NULL; child != NULL;
         child = child->next) {
        count += sn_slice_eq_str(child->name, name) ? 1 : 0;
    }
    return count;
}

struct sn_slice sn_xml_child_text(const struct sn_xml_node *node, const char *name)
{
    const struct sn_xml_node *child = sn_xml_child(node, name);
    return child != NULL ? child->text : (struct sn_slice){"", 0};
}

void sn_xml_escape(struct sn_buf *buf, struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            sn_buf_add_str(buf, "&amp;");
            break;
        case '<':
            sn_buf_add_str(buf, "&lt;");
            break;
        case '>':
            sn_buf_add_str(buf, "&gt;");
            break;
        case '"':
            sn_buf_add_str(buf, "&quot;");
            break;
        case '\'':
            sn_buf_add_str(buf, "&apos;");
            break;
        default: /* not an enum: all other bytes stand as they are */
            sn_buf_add_byte(buf, text.ptr[i]);
            break;
        }
    }
}

void sn_xml_wipe(struct sn_xml_node *node)
{
    for (; node != NULL; node = node->next) {
        if (node->text.len > 0) {
            union {
                const char *text;
                char *memory; /* the tree is the caller's, and about to be freed */
            } bytes = {.text = node->text.ptr};
            sn_wipe(bytes.memory, node->text.len);
        }
        sn_xml_wipe(node->first_child);
    }
}
