/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/source_dir.h - documents from a directory.
 *
 * catalog.yaml and catalog.d/NAME.yaml make the catalogue; policy.yaml governs every profile, or policies/PROFILE.yaml
 * one each. Codes: DOCUMENT_UNTRUSTED, DOCUMENT_UNREADABLE, DOCUMENT_TOO_LARGE, DOCUMENT_LAYOUT.
 */
#ifndef SN_TVM_SOURCE_DIR_H
#define SN_TVM_SOURCE_DIR_H

#include "tvm/document_source.h"

struct sn_source_dir;

/* A directory that does not exist is an error of the first reading. */
struct sn_source_dir *sn_source_dir_new(const char *dir);
void sn_source_dir_free(struct sn_source_dir *source);
const struct sn_document_source *sn_source_dir_table(const struct sn_source_dir *source);

#endif
