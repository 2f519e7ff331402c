/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/policy/canonical.h - documents in their canonical form.
 *
 * Documents of one meaning have one text: fields in the order of the schema, block style, comments and what says
 * nothing left out, durations as hours, minutes and seconds, quotes only where a plain text would be read as something
 * else. Reading that text gives the same document, and writing that again the same text.
 */
#ifndef SN_CORE_POLICY_CANONICAL_H
#define SN_CORE_POLICY_CANONICAL_H

#include "base/buf.h"
#include "base/error.h"
#include "core/policy/kinds.h"

/* text must be a valid document of that kind as to its form; else SN_INVALID, INVALID_POLICY with the first finding.
 * Out is appended to and must have no maximum below a few times the length of text. */
SN_MUST_CHECK enum sn_status sn_document_canonical(
    enum sn_document_kind kind, struct sn_slice text, struct sn_buf *out, struct sn_error *err);

#endif
