/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/streams.h - the place of a record among those before it. Used by the verifier alone.
 *
 * Two orders of reading: a log, in which one stream follows another and each record its predecessor, and an export, in
 * which streams interleave and records may come a little early or late.
 */
#ifndef SN_CORE_AUDIT_STREAMS_H
#define SN_CORE_AUDIT_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/audit/chain.h"
#include "core/audit/verifier.h"

/* Where a line stands. */
struct sn_audit_place {
    size_t file;
    uint64_t line;
};
/* Reports a break of the chain at a place (file SIZE_MAX: at the end of the log). */
typedef void sn_audit_break_fn(void *ctx, struct sn_audit_place place, const char *format, ...) SN_PRINTF(3, 4);

struct sn_audit_streams;

struct sn_audit_streams *sn_audit_streams_new(bool is_export, sn_audit_break_fn *report, void *ctx);
void sn_audit_streams_free(struct sn_audit_streams *streams);
void sn_audit_streams_add_anchor(struct sn_audit_streams *streams, const struct sn_audit_position *anchor);
/* A record whose form and signature are right. True: it fits (or is the repeat of an export). */
bool sn_audit_streams_add(
    struct sn_audit_streams *streams, const struct sn_audit_record *record, struct sn_audit_place place);
/* A line already reported: what it shows is taken for its place, so that its damage is not reported twice. */
void sn_audit_streams_add_damaged(
    struct sn_audit_streams *streams, const struct sn_audit_record *shown, struct sn_audit_place place);
/* Gaps that stayed open, anchors that were not met. */
void sn_audit_streams_finish(struct sn_audit_streams *streams);
void sn_audit_streams_count(const struct sn_audit_streams *streams, uint64_t *out_streams, uint64_t *out_unacknowledged,
    uint64_t *out_duplicates);
void sn_audit_streams_each(const struct sn_audit_streams *streams, sn_audit_stream_fn *visit, void *ctx);
void sn_audit_streams_format_anchors(
    const struct sn_audit_streams *streams, const struct sn_audit_key *key, int64_t now_ms, struct sn_buf *out_text);

#endif
