/* SPDX-License-Identifier: Apache-2.0 */
/* core/policy/document_name.c - see document_name.h. */
#include "core/policy/document_name.h"

#include <stdio.h>
#include <string.h>

enum { NAME_PARTS_MAX = 15 };
#define FILE_SUFFIX ".yaml"

bool sn_document_name_is_valid(struct sn_slice name)
{
    struct sn_slice rest = name, part;
    size_t parts = 0;

    if (name.len < 2 || name.len > SN_DOCUMENT_NAME_MAX || name.ptr[0] != '/' || name.ptr[name.len - 1] == '/') {
        return false;
    }
    rest = sn_slice_sub(name, 1, name.len - 1);
    while (sn_slice_next(&rest, '/', &part)) {
        if (part.len == 0 || !sn_slice_is_alnum_or(part, "_.-")) {
            return false;
        }
        parts++;
    }
    return parts <= NAME_PARTS_MAX;
}

static enum sn_status wrong(struct sn_error *err, struct sn_slice name, const char *what)
{
    /* The name may hold anything: it is shown only where it cannot carry more than itself. */
    bool is_plain = sn_slice_is_alnum_or(name, "/_.-");

    return sn_fail(err, SN_USAGE, "INVALID_PARAMETER", "'%.*s' is no name of a document: %s",
        SN_PRI(is_plain ? sn_slice_sub(name, 0, 200) : SN_S("...")), what);
}

enum sn_status sn_document_name_check(struct sn_slice name, struct sn_error *err)
{
    struct sn_slice rest = name, part;
    size_t parts = 0;

    if (name.len < 2 || name.ptr[0] != '/') {
        return wrong(err, name, "it does not begin with '/'");
    }
    if (name.len > SN_DOCUMENT_NAME_MAX) {
        return wrong(err, name, "it is longer than 1011 characters");
    }
    rest = sn_slice_sub(name, 1, name.len - 1);
    while (sn_slice_next(&rest, '/', &part)) {
        if (part.len == 0) {
            return wrong(err, name, "it has an empty part");
        }
        if (!sn_slice_is_alnum_or(part, "_.-")) {
            return wrong(err, name, "a part holds more than letters, digits, '_', '.' and '-'");
        }
        if (parts == 0 && (sn_slice_eq_nocase(sn_slice_sub(part, 0, 3), SN_S("aws")) ||
                              sn_slice_eq_nocase(sn_slice_sub(part, 0, 3), SN_S("ssm")))) {
            return wrong(err, name, "its first part begins with 'aws' or 'ssm', which AWS keeps for itself");
        }
        parts++;
    }
    if (name.ptr[name.len - 1] == '/') {
        return wrong(err, name, "it ends with '/'");
    }
    return parts <= NAME_PARTS_MAX ? SN_OK : wrong(err, name, "it has more than 15 parts");
}

enum sn_status sn_document_name_join(
    struct sn_slice root, struct sn_slice rest, char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err)
{
    while (root.len > 0 && root.ptr[root.len - 1] == '/') {
        root.len--;
    }
    if (root.len + 1 + rest.len > SN_DOCUMENT_NAME_MAX) {
        return wrong(err, root, "it is longer than 1011 characters");
    }
    snprintf(out, SN_DOCUMENT_NAME_MAX + 1, "%.*s/%.*s", SN_PRI(root), SN_PRI(rest));
    return sn_document_name_check(sn_slice_str(out), err);
}

bool sn_document_name_is_below(struct sn_slice inner, struct sn_slice outer)
{
    while (outer.len > 0 && outer.ptr[outer.len - 1] == '/') {
        outer.len--;
    }
    return sn_slice_has_prefix(inner, outer) && (inner.len == outer.len || inner.ptr[outer.len] == '/');
}

enum sn_status sn_document_signature_name(const char *name, char out[SN_DOCUMENT_NAME_MAX + 1], struct sn_error *err)
{
    struct sn_slice text = sn_slice_str(name);

    if (sn_slice_has_prefix(text, SN_S(SN_POLICY_ROOT "/"))) {
        text = sn_slice_sub(text, strlen(SN_POLICY_ROOT), text.len);
    }
    int len = snprintf(out, SN_DOCUMENT_NAME_MAX + 1, SN_SIGNATURE_ROOT "%.*s", SN_PRI(text));
    if (len < 0 || len > SN_DOCUMENT_NAME_MAX || !sn_document_name_is_valid(sn_slice_str(out))) {
        return sn_fail(err, SN_LIMIT, "INVALID_PARAMETER",
            "the signature of '%.200s' would have a name with more than 1011 characters or 15 parts", name);
    }
    return SN_OK;
}

void sn_document_name_of_file(const char *file, char *out, size_t out_size)
{
    struct sn_slice text = sn_slice_str(file);

    if (sn_slice_has_suffix(text, SN_S(FILE_SUFFIX))) {
        text.len -= strlen(FILE_SUFFIX);
    }
    if (sn_slice_eq_str(text, "catalog")) {
        snprintf(out, out_size, SN_CATALOG_PATH "/catalog");
    } else if (sn_slice_has_prefix(text, SN_S("catalog.d/"))) {
        text = sn_slice_sub(text, strlen("catalog.d/"), text.len);
        snprintf(out, out_size, SN_CATALOG_PATH "/%.*s", SN_PRI(text));
    } else if (sn_slice_has_prefix(text, SN_S("policies/"))) {
        snprintf(out, out_size, "/sentinel/%.*s", SN_PRI(text));
    } else {
        snprintf(out, out_size, SN_CONFIG_PATH "/%.*s", SN_PRI(text));
    }
}

bool sn_document_file_of_name(const char *name, char *out, size_t out_size)
{
    static const char *const config[] = {"policy", "approval", "breakglass", "ratelimit"};
    struct sn_slice text = sn_slice_str(name), rest;
    int len = -1;

    if (sn_slice_eq_str(text, SN_CATALOG_PATH "/catalog")) {
        len = snprintf(out, out_size, "catalog" FILE_SUFFIX);
    } else if (sn_slice_has_prefix(text, SN_S(SN_CATALOG_PATH "/"))) {
        rest = sn_slice_sub(text, strlen(SN_CATALOG_PATH "/"), text.len);
        if (sn_catalog_name_is_valid(rest)) {
            len = snprintf(out, out_size, "catalog.d/%.*s" FILE_SUFFIX, SN_PRI(rest));
        }
    } else if (sn_slice_has_prefix(text, SN_S(SN_POLICY_ROOT "/"))) {
        rest = sn_slice_sub(text, strlen(SN_POLICY_ROOT "/"), text.len);
        len = snprintf(out, out_size, "policies/%.*s" FILE_SUFFIX, SN_PRI(rest));
    } else if (sn_slice_has_prefix(text, SN_S(SN_CONFIG_PATH "/"))) {
        rest = sn_slice_sub(text, strlen(SN_CONFIG_PATH "/"), text.len);
        for (size_t i = 0; i < SN_LEN(config); i++) {
            if (sn_slice_eq_str(rest, config[i])) {
                len = snprintf(out, out_size, "%s" FILE_SUFFIX, config[i]);
            }
        }
    }
    return len > 0 && (size_t)len < out_size;
}

bool sn_catalog_name_is_valid(struct sn_slice name)
{
    return name.len > 0 && name.len <= SN_CATALOG_NAME_MAX && sn_slice_is_alnum_or(name, "_-");
}
