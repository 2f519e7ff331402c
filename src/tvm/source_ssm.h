/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tvm/source_ssm.h - documents from Parameter Store.
 *
 * The catalogue is every parameter directly below a path; access policies lie below a root, or one parameter governs
 * every profile; signatures lie under /sentinel/signatures. Codes: those of aws/ssm.h, and DOCUMENT_LAYOUT.
 */
#ifndef SN_TVM_SOURCE_SSM_H
#define SN_TVM_SOURCE_SSM_H

#include "aws/ssm.h"
#include "tvm/document_source.h"
#include "tvm/settings.h"

struct sn_source_ssm;

/* ssm outlives it; the names come from the settings. */
struct sn_source_ssm *sn_source_ssm_new(struct sn_ssm *ssm, const struct sn_tvm_settings *settings);
void sn_source_ssm_free(struct sn_source_ssm *source);
const struct sn_document_source *sn_source_ssm_table(const struct sn_source_ssm *source);

#endif
