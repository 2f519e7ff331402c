/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/xml.h - small XML answers of AWS as a tree.
 *
 * Refused: DOCTYPE, entity declarations, processing instructions behind the prologue, anything but UTF-8, more than
 * max_bytes, depth over 16, more than 4,096 elements. Namespaces are resolved; attributes other than xmlns are counted,
 * not kept. The tree lives in the caller's arena.
 */
#ifndef SN_CODEC_XML_H
#define SN_CODEC_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct sn_xml_node {
    struct sn_slice ns;   /* namespace URI, empty for none */
    struct sn_slice name; /* local name */
    struct sn_slice text; /* all character data directly inside, white space included */
    size_t attribute_count;
    struct sn_xml_node *first_child, *next;
    size_t child_count;
};

/* Fails with SN_PROTOCOL, INVALID_XML. */
SN_MUST_CHECK enum sn_status sn_xml_parse(struct sn_slice text, size_t max_bytes, struct sn_arena *arena,
    struct sn_xml_node **out_root, struct sn_error *err);
/* First child of that local name, or NULL (also for a NULL node). */
const struct sn_xml_node *sn_xml_child(const struct sn_xml_node *node, const char *name);
/* How many children have that name. */
size_t sn_xml_count(const struct sn_xml_node *node, const char *name);
/* Text of that child; empty when absent. */
struct sn_slice sn_xml_child_text(const struct sn_xml_node *node, const char *name);
/* Overwrites the text of a tree in which secrets stood, its siblings included, before its arena is cleared. */
void sn_xml_wipe(struct sn_xml_node *node);
/* Appends text with & < > " ' escaped, for writers. */
struct sn_buf;
void sn_xml_escape(struct sn_buf *buf, struct sn_slice text);

#endif
