/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/report.h - how an error reaches the person or script that asked.
 */
#ifndef SN_CLI_REPORT_H
#define SN_CLI_REPORT_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Text for a terminal: control bytes, bidirectional controls and bytes that are not UTF-8 become escapes as in the log;
 * quotes and backslashes stay.
 */
void sn_cli_printable(struct sn_buf *buf, struct sn_slice text);

struct sn_error_report {
    const char *program;
    const char *failure; /* what was tried, when the cause lies elsewhere; or NULL */
    bool color;
};

/* Gives an error that has no hint the one that its code or status allows; command NULL: none was named. */
void sn_report_hint(const char *program, const char *command, struct sn_error *err);
/*
 * "PROGRAM: error: WHAT", then "  why:" and "  hint:" lines. Details of the error are "why" lines, but for those whose
 * key starts with '_', which are for programs only.
 */
void sn_report_text(struct sn_buf *buf, const struct sn_error_report *report, const struct sn_error *err);
/* {"error":{"code","message","hint","context",...}} and a line end. */
void sn_report_json(struct sn_buf *buf, const struct sn_error_report *report, const struct sn_error *err);

#endif
