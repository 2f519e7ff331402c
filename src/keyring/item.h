/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring/item.h - one item as JSON, the form in which all backends but the kernel's keep it.
 *
 * {"Key","Data" (base64),"Label","Description", ...}: what aws-vault writes and reads. Members that are not known here
 * are passed over.
 */
#ifndef SN_KEYRING_ITEM_H
#define SN_KEYRING_ITEM_H

#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/slice.h"

enum { SN_ITEM_DATA_MAX = 64 * 1024, SN_ITEM_JSON_MAX = 128 * 1024 };

/* What is put into a keyring. label and description are shown by desktop tools and hold no secret. */
struct sn_keyring_item {
    struct sn_slice key;
    const struct sn_secret *data;
    struct sn_slice label, description;
    int64_t expires_unix_s; /* 0: never; the kernel drops it then, other backends keep it */
};

SN_MUST_CHECK enum sn_status sn_item_format(
    const struct sn_keyring_item *item, struct sn_buf *out_json, struct sn_error *err);
/* The data of the item. SN_PROTOCOL, KEYRING_CORRUPT: no such JSON, or an item of another key. */
SN_MUST_CHECK enum sn_status sn_item_parse(
    struct sn_slice json, struct sn_slice key, struct sn_secret *out_data, struct sn_error *err);

#endif
