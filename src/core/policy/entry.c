/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/entry.c - see entry.h. */
#include "core/policy/entry.h"

#include <stdint.h>

#include "core/identity/principal.h"
#include "core/policy/limits.h"

#define NAME_EXTRA "_+=,.@-" /* beside letters and digits: AWS's own alphabet of names */

static bool is_name(struct sn_slice text)
{
    return text.len >= 1 && text.len <= SN_POLICY_MAX_USER_NAME && sn_slice_is_alnum_or(text, NAME_EXTRA);
}

bool sn_group_name_is_valid(struct sn_slice name)
{
    return name.len >= 1 && name.len <= SN_POLICY_MAX_GROUP_NAME && sn_slice_is_alnum_or(name, "_-");
}

bool sn_text_has_wildcard(struct sn_slice text)
{
    return sn_slice_has_byte(text, '*') || sn_slice_has_byte(text, '?') || sn_slice_has_byte(text, '[');
}

static enum sn_entry_fault check_arn(struct sn_slice text, struct sn_entry *out_entry)
{
    struct sn_principal principal;
    struct sn_error err = {0};
    struct sn_slice resource = text, part;
    for (int i = 0; i < 5; i++) {
        if (!sn_slice_cut(resource, ':', &part, &resource)) {
            return SN_ENTRY_BAD_ARN;
        }
        if (i == 2 && !sn_slice_eq_str(part, "iam") && !sn_slice_eq_str(part, "sts")) {
            return SN_ENTRY_BAD_ARN;
        }
    }
    if (sn_slice_has_prefix(resource, SN_S("role/"))) {
        struct sn_slice path, name = resource;
        if (sn_slice_cut_last(resource, '/', &path, &name) && is_name(name)) {
            out_entry->value = name;
            return SN_ENTRY_ROLE_ARN;
        }
        return SN_ENTRY_BAD_ARN;
    }
    if (sn_principal_parse(text, NULL, &principal, &err) != SN_OK) {
        return SN_ENTRY_BAD_ARN;
    }
    bool is_self_chosen = principal.type == SN_PRINCIPAL_ASSUMED_ROLE && !principal.is_sso;
    return is_self_chosen ? SN_ENTRY_SELF_CHOSEN : SN_ENTRY_OK;
}

enum sn_entry_fault sn_entry_parse(struct sn_slice text, struct sn_entry *out_entry)
{
    struct sn_slice prefix, value;
    *out_entry = (struct sn_entry){.kind = SN_ENTRY_NAME, .text = text, .value = text};
    if (text.len == 0) {
        return SN_ENTRY_EMPTY;
    }
    if (sn_text_has_wildcard(text)) {
        return SN_ENTRY_WILDCARD;
    }
    if (!sn_slice_cut(text, ':', &prefix, &value)) {
        return is_name(text) ? SN_ENTRY_OK : SN_ENTRY_NEVER_MATCHES;
    }
    if (sn_slice_eq_str(prefix, "arn")) {
        out_entry->kind = SN_ENTRY_ARN;
        return check_arn(text, out_entry);
    }
    out_entry->value = value;
    if (sn_slice_eq_str(prefix, "role")) {
        out_entry->kind = SN_ENTRY_ROLE;
        return is_name(value) ? SN_ENTRY_OK : SN_ENTRY_BAD_ROLE;
    }
    if (sn_slice_eq_str(prefix, "group")) {
        out_entry->kind = SN_ENTRY_GROUP;
        return sn_group_name_is_valid(value) ? SN_ENTRY_OK : SN_ENTRY_BAD_GROUP;
    }
    out_entry->value = prefix;
    return SN_ENTRY_BAD_PREFIX;
}

static bool is_hidden_code(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f}, {0x7f, 0x9f},                              /* C0, DEL, C1 */
        {0xad, 0xad}, {0x61c, 0x61c},                            /* soft hyphen, Arabic letter mark */
        {0x200b, 0x200f},                                        /* zero width, direction marks */
        {0x2028, 0x202e},                                        /* line and paragraph separators, embeddings */
        {0x2060, 0x206f},                                        /* joiners, isolates, deprecated format characters */
        {0xe000, 0xf8ff},                                        /* private use */
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0x10ffff}, /* tags and private planes */
    };
    for (size_t i = 0; i < SN_LEN(hidden); i++) {
        if (code >= hidden[i].first && code <= hidden[i].last) {
            return true;
        }
    }
    return (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef); /* non-characters */
}

bool sn_text_is_printable(struct sn_slice text)
{
    if (!sn_slice_is_utf8(text)) {
        return false;
    }
    for (size_t i = 0; i < text.len;) {
        unsigned char lead = (unsigned char)text.ptr[i];
        size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        uint32_t code = len == 1 ? lead : lead & (0xffu >> (len + 1));
        for (size_t k = 1; k < len; k++) {
            code = code << 6 | ((unsigned char)text.ptr[i + k] & 0x3f);
        }
        if (is_hidden_code(code)) {
            return false;
        }
        i += len;
    }
    return true;
}

struct sn_slice sn_text_without_newline(struct sn_slice text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    return text;
}
