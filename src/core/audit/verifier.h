/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/verifier.h - reads a signed log and says whether it is whole.
 *
 * Fed with the bytes of one or more files in order; memory does not grow with the log. Every line is checked for its
 * form, its key, its signature and its place in the chain; anchors tell whether the head or the tail is missing. Not
 * for several threads.
 */
#ifndef SN_CORE_AUDIT_VERIFIER_H
#define SN_CORE_AUDIT_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "core/audit/chain.h"

enum sn_audit_finding_kind {
    SN_AUDIT_PARSE_ERROR,
    SN_AUDIT_UNSIGNED,
    SN_AUDIT_UNKNOWN_KEY,
    SN_AUDIT_INVALID_SIGNATURE,
    SN_AUDIT_CHAIN_BREAK,
    SN_AUDIT_BAD_ANCHOR,
};
const char *sn_audit_finding_name(enum sn_audit_finding_kind kind); /* "parse_error", "chain_break", ... */

enum { SN_AUDIT_MESSAGE_MAX = 240, SN_AUDIT_FINDINGS_MAX = 10000, SN_AUDIT_REORDER_MAX = 10000 };

struct sn_audit_finding {
    enum sn_audit_finding_kind kind;
    size_t file;   /* index in order of sn_audit_verifier_begin_file; SIZE_MAX: about an anchor or the end of the log */
    uint64_t line; /* from 1; 0: none */
    char message[SN_AUDIT_MESSAGE_MAX]; /* one line of printable text */
};

struct sn_audit_verify_options {
    bool is_export;      /* records of many streams interleave, a little out of order, some twice */
    size_t max_findings; /* kept, the first ones of the log; all are counted. 0: 10 */
};

struct sn_audit_verify_result {
    uint64_t lines, ok, invalid_signatures, parse_errors, unsigned_lines, unknown_keys, chain_breaks, bad_anchors;
    uint64_t streams, unacknowledged, duplicates;
    uint64_t failures; /* sum of all findings */
    const struct sn_audit_finding *findings;
    size_t finding_count;
};

struct sn_audit_verifier;

/* keys are borrowed until the verifier is freed. */
struct sn_audit_verifier *sn_audit_verifier_new(
    const struct sn_audit_keys *keys, const struct sn_audit_verify_options *options);
void sn_audit_verifier_free(struct sn_audit_verifier *verifier);
void sn_audit_verifier_free_p(struct sn_audit_verifier **verifier);
/* The text of an anchor file, before the first file. A line that is no valid anchor is a finding. */
void sn_audit_verifier_add_anchors(struct sn_audit_verifier *verifier, struct sn_slice text);
void sn_audit_verifier_begin_file(struct sn_audit_verifier *verifier);
void sn_audit_verifier_feed(struct sn_audit_verifier *verifier, struct sn_slice bytes);
/* A last line without LF counts as a line. */
void sn_audit_verifier_end_file(struct sn_audit_verifier *verifier);
/* Checks what only the end can tell. Call once, last; the result is borrowed. */
const struct sn_audit_verify_result *sn_audit_verifier_finish(struct sn_audit_verifier *verifier);
/* One stream of the log: what of it was found authentic. */
struct sn_audit_stream_facts {
    struct sn_slice stream, last_signature; /* borrowed for the call */
    int64_t first_seq, last_seq;
};
typedef void sn_audit_stream_fn(void *ctx, const struct sn_audit_stream_facts *facts);
/* Calls visit for each stream that has an authentic record, in order of appearance. After finish. */
void sn_audit_verifier_each_stream(const struct sn_audit_verifier *verifier, sn_audit_stream_fn *visit, void *ctx);
/*
 * The anchor file that fits the log just verified: the position that its start needed, if any, and the last position of
 * each stream, signed with the last key. Only after a finish without failures.
 */
void sn_audit_verifier_format_anchors(struct sn_audit_verifier *verifier, int64_t now_ms, struct sn_buf *out_text);

#endif
