/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/audit_logs.h - the audit log in CloudWatch Logs, for servers that keep no disk.
 *
 * Every record is one log event, acknowledged by the service before append returns. A stream of the chain lasts as long
 * as this object; after a call whose effect nobody knows the next record begins a new stream that names the last
 * acknowledged one, so that no number is given twice. Several servers may share a log stream, since each record carries
 * its chain stream. Safe from several threads, which wait for one another.
 */
#ifndef SN_STORE_AUDIT_LOGS_H
#define SN_STORE_AUDIT_LOGS_H

#include "aws/logs.h"
#include "base/log.h"
#include "core/audit/chain.h"
#include "core/audit/entry.h"

struct sn_audit_logs_options {
    struct sn_logs *logs;             /* borrowed, like all below; must outlive the log */
    const char *group, *stream;       /* of CloudWatch Logs; a missing stream is made */
    const struct sn_audit_keys *keys; /* copied; the last one signs */
    const struct sn_clock *clock;
    const struct sn_random *random_source;
    struct sn_id instance;
    const char *version;
    /* What happened without a caller to tell. May be NULL. */
    void (*notify)(void *ctx, enum sn_log_level level, const char *event, const char *message);
    void *notify_ctx;
};

struct sn_audit_logs;

/* Asks nothing of the service: the first append carries the record of the start. RANDOM_UNAVAILABLE. */
SN_MUST_CHECK enum sn_status sn_audit_logs_new(
    const struct sn_audit_logs_options *options, struct sn_audit_logs **out_log, struct sn_error *err);
void sn_audit_logs_free(struct sn_audit_logs *log);
struct sn_audit_sink sn_audit_logs_sink(struct sn_audit_logs *log);

#endif
