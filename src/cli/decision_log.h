/* SPDX-License-Identifier: Apache-2.0 */
/* cli/decision_log.h - the lines of decision logs, of any length in bounded memory. */
#ifndef SN_CLI_DECISION_LOG_H
#define SN_CLI_DECISION_LOG_H

#include "core/audit/decision_reader.h"

/* decision is set for SN_LOGGED_DECISION, its time and profile for SN_LOGGED_NOT_EVALUATED; why for SN_LOGGED_BROKEN.
 */
typedef enum sn_status sn_decision_log_fn(void *ctx, uint64_t line, enum sn_logged_kind kind,
    const struct sn_logged_decision *decision, const char *why, struct sn_error *err);

/*
 * Reads a file, or stdin for "-", and hands over each line; a last line without LF counts as a line, a line longer than
 * SN_AUDIT_LINE_MAX is broken and passed over. Ends with the first error of the callback, or LOG_UNREADABLE
 * (SN_INVALID).
 */
SN_MUST_CHECK enum sn_status sn_decision_log_read(
    const char *path, sn_decision_log_fn *take, void *ctx, struct sn_error *err);

#endif
