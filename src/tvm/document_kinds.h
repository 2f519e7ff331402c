/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/document_kinds.h - how a document of each kind is loaded, one row a kind; the loader knows nothing else of them.
 */
#ifndef SN_TVM_DOCUMENT_KINDS_H
#define SN_TVM_DOCUMENT_KINDS_H

#include "core/policy/kinds.h"
#include "core/policy/tz.h"

/* Parses, validates and compiles a text. The object is immutable; unref gives it back. Empty for the catalogue, which
 * is made of several texts. */
struct sn_document_kind_code {
    enum sn_status (*load)(
        struct sn_slice text, const struct sn_tz_source *zones, void **out_object, struct sn_error *err);
    void (*unref)(void *object);
};
extern const struct sn_document_kind_code sn_document_kind_codes[SN_DOCUMENT_KINDS];

#endif
