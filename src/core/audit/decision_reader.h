/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/decision_reader.h - decisions read back from a log, for evaluating them again (POL 14.2).
 *
 * A line is a record of the chain or a bare entry. Lines of the form that this project writes
 * (docs/formats/audit-log.md) are read by one pass over their bytes; any other JSON is read as JSON and means the same.
 * Neither key nor chain is looked at: whether a log is whole is the verifier's question.
 */
#ifndef SN_CORE_AUDIT_DECISION_READER_H
#define SN_CORE_AUDIT_DECISION_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/json.h"
#include "core/policy/policy.h"

enum sn_logged_kind {
    SN_LOGGED_DECISION,
    SN_LOGGED_NOT_EVALUATED, /* a decision that was made without asking the policy */
    SN_LOGGED_OTHER,         /* another event */
    SN_LOGGED_BROKEN,        /* no JSON, or something needed is missing or makes no sense */
};

enum sn_logged_override { SN_LOGGED_NO_OVERRIDE, SN_LOGGED_APPROVAL, SN_LOGGED_BREAK_GLASS };

/* One decision; texts are slices of the line or of the reader. */
struct sn_logged_decision {
    int64_t unix_ms;
    struct sn_slice profile, caller_arn, rule, policy_path;
    enum sn_effect policy_effect;
    bool is_allowed; /* what came out in the end */
    enum sn_logged_override override;
    enum sn_tristate vouched;
    bool has_posture;
    struct sn_posture posture;
};

enum { SN_LOGGED_SLACK = 32 }; /* readable bytes behind the end, any but the first of which may hold anything */

/* Zeroed: ready. Clear when done. */
struct sn_decision_reader {
    struct sn_json_doc *document; /* of the last foreign line */
    int64_t day_ms;               /* of the date read last */
    char day[10];
    char why[96]; /* of the last broken line */
};
void sn_decision_reader_clear(struct sn_decision_reader *reader);

/*
 * Reads one line of the project's own form that begins at at, with its LF. Returns its length, or 0 when it is not of
 * that form or does not end before end: such a line is for sn_decision_read_line. The byte at end is 0 and
 * SN_LOGGED_SLACK bytes there may be read.
 */
size_t sn_decision_read_own(struct sn_decision_reader *reader, const char *at, const char *end,
    enum sn_logged_kind *out_kind, struct sn_logged_decision *out_decision);

/* Any line, without LF. reader->why says what is broken. */
enum sn_logged_kind sn_decision_read_line(
    struct sn_decision_reader *reader, struct sn_slice line, struct sn_logged_decision *out_decision);

#endif
