/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/document_source.h - where documents come from, as a table: a directory or Parameter Store.
 *
 * A source finds and reads; it judges no text and no signature. Documents are addressed by their names
 * (core/policy/document_name.h) whatever the source. Thread-safe.
 */
#ifndef SN_TVM_DOCUMENT_SOURCE_H
#define SN_TVM_DOCUMENT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "core/policy/kinds.h"
#include "tvm/document_origin.h"

enum { SN_CATALOG_DOCUMENTS_MAX = 10000 };

/* What one reading found; buffers are the caller's to clear. A zeroed struct is nothing found. */
struct sn_document_read {
    bool is_found, has_signature;
    struct sn_buf text, signature;
    char version[SN_DOCUMENT_VERSION_MAX]; /* "" where the source counts none */
};
void sn_document_read_clear(struct sn_document_read *reading);

/* One document of the catalogue. has_text: it came with the list, in text and version; else it is to be read. */
struct sn_document_listed {
    const char *name;
    bool has_text;
    struct sn_slice text;
    char version[SN_DOCUMENT_VERSION_MAX];
};

struct sn_document_source {
    /* The document of a name and, where with_signature, its signature. A missing one is no error. */
    enum sn_status (*read)(
        void *ctx, const char *name, bool with_signature, struct sn_document_read *out, struct sn_error *err);
    /* The signature alone, for a document whose text came with a list; NULL for a source whose lists have no texts. */
    enum sn_status (*read_signature)(void *ctx, const char *name, struct sn_document_read *out, struct sn_error *err);
    /* The documents of the catalogue, in a fixed order; texts live in the arena. */
    enum sn_status (*list_catalog)(void *ctx, struct sn_arena *arena, struct sn_document_listed **out_items,
        size_t *out_count, struct sn_error *err);
    /* Fails when documents lie beside one that governs every profile. NULL: nothing to look at. */
    enum sn_status (*check_shared)(void *ctx, struct sn_error *err);
    /* Rises when documents changed; NULL: the source does not tell. */
    uint64_t (*generation)(void *ctx);

    const char *place;  /* the directory whose files these documents are; NULL: names say where they are */
    const char *shared; /* name of the access policy for all profiles; NULL: there can be none */
    bool shared_is_required;
    char policy_root[SN_DOCUMENT_NAME_MAX + 1]; /* of the policies of single profiles; "": there are none */
    /* Names of the documents of the other kinds; "" where that kind is not configured. */
    char names[SN_DOCUMENT_KINDS][SN_DOCUMENT_NAME_MAX + 1];
    bool named_are_required; /* a named document that is missing is an error */
    bool may_be_stale;       /* the last document may serve while the source cannot be reached */
    void *ctx;
};

#endif
