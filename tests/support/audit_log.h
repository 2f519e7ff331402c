/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/audit_log.h - the published example log, and a maker of small logs.
 */
#ifndef SN_TESTS_SUPPORT_AUDIT_LOG_H
#define SN_TESTS_SUPPORT_AUDIT_LOG_H

#include "base/buf.h"
#include "base/time.h"
#include "core/audit/chain.h"
#include "crypto/hash.h"

/* Four lines under keys k1 (bytes 00..1f) and k2 (20..3f), and an anchor for their end. */
extern const char sn_test_published_log[];
extern const char sn_test_published_anchor[];
/* One line with its LF. */
struct sn_slice sn_test_published_line(size_t index);
/* k1 and k2; the caller clears them. */
struct sn_audit_keys sn_test_audit_keys(void);

/* A log under k1 whose clock ticks one millisecond a record. */
struct sn_test_log {
    struct sn_audit_keys keys;
    struct sn_hmac hmac;
    struct sn_audit_position position;
    const struct sn_audit_position *previous;
    struct sn_buf text;
    int64_t now_ms;
};
void sn_test_log_start(struct sn_test_log *log, const char *stream, const struct sn_audit_position *previous);
void sn_test_log_open(struct sn_test_log *log, const char *reason);
void sn_test_log_add(struct sn_test_log *log, const char *entry);
void sn_test_log_clear(struct sn_test_log *log);

#endif
