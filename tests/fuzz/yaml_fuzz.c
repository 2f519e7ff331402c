/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/yaml_fuzz.c - the YAML reader: what it accepts keeps the limits and its own promises. */
#include "fuzz.h"

#include "codec/yaml.h"

static size_t check_node(const struct sn_yaml_node *node, unsigned depth)
{
    size_t nodes = 1;
    FUZZ_CHECK(node->line > 0 && node->column > 0 && depth <= sn_yaml_limits_document.max_depth);
    switch (node->kind) {
    case SN_YAML_SCALAR:
        FUZZ_CHECK(sn_slice_is_utf8(node->text) && !sn_slice_has_byte(node->text, '\0'));
        break;
    case SN_YAML_SEQUENCE:
        for (size_t i = 0; i < node->count; i++) {
            nodes += check_node(node->items[i], depth + 1);
        }
        break;
    case SN_YAML_MAPPING:
        for (size_t i = 0; i < node->count; i++) {
            FUZZ_CHECK(node->pairs[i].key->kind == SN_YAML_SCALAR);
            nodes += check_node(node->pairs[i].key, depth) + check_node(node->pairs[i].value, depth + 1);
        }
        break;
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_arena arena = {0};
    struct sn_yaml_node *root = NULL;
    struct sn_error err;
    if (sn_yaml_parse(sn_slice_bytes(data, size), &sn_yaml_limits_document, &arena, &root, &err) == SN_OK) {
        FUZZ_CHECK(check_node(root, 0) <= sn_yaml_limits_document.max_nodes);
        sn_yaml_get(root, "version");
    } else {
        FUZZ_CHECK(sn_slice_has_prefix(sn_slice_str(err.code), SN_S("YAML_")));
    }
    sn_arena_clear(&arena);
    return 0;
}
