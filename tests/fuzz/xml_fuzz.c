/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/xml_fuzz.c - the XML reader, and that escaped text comes back as it was. */
#include "fuzz.h"

#include "base/buf.h"
#include "codec/xml.h"

static void check_text(struct sn_slice text)
{
    struct sn_arena arena = {0};
    struct sn_buf buf = SN_BUF_INIT(16u << 20);
    struct sn_xml_node *root = NULL;
    struct sn_error err;
    sn_buf_add_str(&buf, "<t>");
    sn_xml_escape(&buf, text);
    sn_buf_add_str(&buf, "</t>");
    FUZZ_CHECK(sn_xml_parse(sn_buf_slice(&buf), 16u << 20, &arena, &root, &err) == SN_OK);
    /* A bare CR can come from a character reference; written plainly it is read as LF. */
    FUZZ_CHECK(sn_slice_has_byte(text, '\r') || sn_slice_eq(root->text, text));
    sn_buf_clear(&buf);
    sn_arena_clear(&arena);
}

static void check_node(const struct sn_xml_node *node)
{
    size_t children = 0;
    FUZZ_CHECK(node->name.len > 0);
    check_text(node->text);
    for (const struct sn_xml_node *child = node->first_child; child != NULL; child = child->next) {
        check_node(child);
        children++;
    }
    FUZZ_CHECK(children == node->child_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_arena arena = {0};
    struct sn_xml_node *root = NULL;
    struct sn_error err;
    if (sn_xml_parse(sn_slice_bytes(data, size), 256 * 1024, &arena, &root, &err) == SN_OK) {
        check_node(root);
    } else {
        FUZZ_CHECK(err.status == SN_PROTOCOL && sn_error_is(&err, "INVALID_XML"));
    }
    sn_arena_clear(&arena);
    return 0;
}
