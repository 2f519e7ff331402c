/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/document_origin.h - where a document came from, for the log and the audit record. */
#ifndef SN_TVM_DOCUMENT_ORIGIN_H
#define SN_TVM_DOCUMENT_ORIGIN_H

#include "core/policy/document_name.h"
#include "crypto/hash.h"

enum { SN_DOCUMENT_VERSION_MAX = 24, SN_KEY_ID_SHOWN_MAX = 256 };

/* Texts are "" when not known. */
struct sn_document_origin {
    char name[SN_DOCUMENT_NAME_MAX + 1];
    char hash[SN_SHA256_HEX_LEN + 1]; /* of its text; "" for the catalogue, which has several */
    char version[SN_DOCUMENT_VERSION_MAX];
    char key_id[SN_KEY_ID_SHOWN_MAX + 1]; /* of the key that its signature was verified with */
};

#endif
