/* SPDX-License-Identifier: Apache-2.0 */
/* keyring/item.c - see item.h. */
#include "keyring/item.h"

#include "codec/base64.h"
#include "codec/json.h"

enum sn_status sn_item_format(const struct sn_keyring_item *item, struct sn_buf *out_json, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf data = SN_BUF_INIT(SN_ITEM_JSON_MAX);
    struct sn_json_writer w;
    struct sn_slice bytes = sn_secret_reveal(item->data);

    if (bytes.len > SN_ITEM_DATA_MAX) {
        return sn_fail(err, SN_LIMIT, "KEYRING_ITEM_TOO_LARGE", "an item of more than %d bytes", SN_ITEM_DATA_MAX);
    }
    sn_base64_encode(&data, bytes.ptr, bytes.len);
    sn_json_writer_init(&w, out_json);
    sn_json_begin_object(&w);
    sn_json_member_text(&w, "Key", item->key);
    sn_json_member_text(&w, "Data", sn_buf_slice(&data));
    sn_json_member_text(&w, "Label", item->label);
    sn_json_member_text(&w, "Description", item->description);
    sn_json_member_bool(&w, "KeychainNotTrustApplication", true);
    sn_json_member_bool(&w, "KeychainNotSynchronizable", true);
    sn_json_end_object(&w);
    return sn_buf_check(out_json, "the item", err);
}

static enum sn_status corrupt(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_PROTOCOL, "KEYRING_CORRUPT", "the item is damaged: %s", what);
}

enum sn_status sn_item_parse(
    struct sn_slice json, struct sn_slice key, struct sn_secret *out_data, struct sn_error *err)
{
    static const struct sn_json_limits limits = {.max_bytes = SN_ITEM_JSON_MAX, .max_depth = 8, .max_members = 256};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf data = SN_BUF_INIT(SN_ITEM_DATA_MAX);

    if (sn_json_parse(json, &limits, &doc, err) != SN_OK || sn_json_kind_of(sn_json_root(doc)) != SN_JSON_OBJECT) {
        return corrupt(err, "it is no JSON object");
    }
    const struct sn_json *root = sn_json_root(doc);
    if (!sn_slice_eq(sn_json_text(sn_json_get(root, "Key")), key)) {
        return corrupt(err, "it is the item of another key");
    }
    const struct sn_json *node = sn_json_get(root, "Data");
    if (sn_json_kind_of(node) != SN_JSON_STRING || sn_base64_decode(sn_json_text(node), &data, err) != SN_OK ||
        sn_buf_check(&data, "the item", err) != SN_OK) {
        return corrupt(err, "its data is not base64");
    }
    sn_secret_set(out_data, sn_buf_slice(&data));
    return SN_OK;
}
