/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/report.c - errors as text and as JSON, and their exit codes.
 */
#include "cli/report.h"

#include <string.h>

#include "base/log.h"
#include "cli/command.h"
#include "codec/json.h"

void sn_cli_printable(struct sn_buf *buf, struct sn_slice text)
{
    size_t start = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '"' && text.ptr[i] != '\\') {
            continue;
        }
        if (i > start) {
            sn_sanitize(buf, sn_slice_sub(text, start, i - start), SIZE_MAX);
        }
        if (i < text.len) {
            sn_buf_add_byte(buf, text.ptr[i]);
        }
        start = i + 1;
    }
}

static void line(struct sn_buf *buf, const char *label, const char *text)
{
    sn_buf_add_str(buf, label);
    sn_cli_printable(buf, sn_slice_str(text));
    sn_buf_add_byte(buf, '\n');
}

/* The member a detail becomes in JSON beside code and message; NULL: it belongs to "context". */
static bool is_request_id(const struct sn_error_detail *detail)
{
    return strcmp(detail->key, "request_id") == 0;
}

/* A request id helps only where somebody has to look into a log. */
static bool is_shown(const struct sn_error *err, const struct sn_error_detail *detail)
{
    if (is_request_id(detail)) {
        return err->status == SN_UNAVAILABLE || err->status == SN_INTERNAL || err->status == SN_TIMEOUT;
    }
    return detail->key[0] != '_' && strcmp(detail->key, "http_status") != 0;
}

/* --- Hints that hold wherever the error comes from --- */

static const struct {
    const char *code, *hint;
} hint_rows[] = {
    {"OUTPUT_FAILED", "make room, or send the result to another place"},
    {"LOG_UNREADABLE", "check the name of the log, and that you may read it"},
    {"LOG_EMPTY", "name the file that the TVM writes, its SENTINEL_AUDIT_FILE"},
    {"ANCHOR_UNREADABLE", "check the file of --anchor, and that you may read it"},
    {"ANCHOR_UNWRITABLE", "choose a file that you may write, or add --no-update"},
    {"FILE_UNREADABLE", "check the path, and that you may read it"},
    {"FILE_TOO_LARGE", "split it, or check that it is the file you mean"},
};

static enum sn_status hint_of_status(const char *program, const char *command, struct sn_error *err)
{
    const char *space = command == NULL ? "" : " ";

    switch (err->status) {
    case SN_OK:
        break;
    case SN_USAGE:
        return sn_suggest(err, "see '%s%s%s --help'", program, space, command == NULL ? "" : command);
    case SN_INVALID:
        return sn_suggest(err, "mend it, or see '%s%s%s --help'", program, space, command == NULL ? "" : command);
    case SN_NOT_FOUND:
        return sn_suggest(err, "check the name, and that what it names is there");
    case SN_DENIED:
        return sn_suggest(err, "check who you are, and what you may do");
    case SN_UNAUTHENTICATED:
        return sn_suggest(err, "check the credentials that you use, and the clock of this machine");
    case SN_CONFLICT:
        return sn_suggest(err, "look at what is there now, then try again");
    case SN_THROTTLED:
    case SN_TIMEOUT:
    case SN_UNAVAILABLE:
        return sn_suggest(err, "try again in a moment");
    case SN_LIMIT:
        return sn_suggest(err, "give less at once");
    case SN_IO:
        return sn_suggest(err, "check the disk, and the permissions of the file and its directory");
    case SN_PROTOCOL:
        return sn_suggest(err, "check that the address is right, and that both sides are of the same version");
    case SN_INTERNAL:
        return sn_suggest(err, "this is a fault of the program: report it with what you did");
    }
    return err->status;
}

void sn_report_hint(const char *program, const char *command, struct sn_error *err)
{
    if (err->suggestion[0] != '\0') {
        return;
    }
    for (size_t i = 0; i < SN_LEN(hint_rows); i++) {
        if (sn_error_is(err, hint_rows[i].code)) {
            (void)sn_suggest(err, "%s", hint_rows[i].hint);
            return;
        }
    }
    (void)hint_of_status(program, command, err);
}

void sn_report_text(struct sn_buf *buf, const struct sn_error_report *report, const struct sn_error *err)
{
    const char *red = report->color ? "\033[1;31m" : "";
    const char *plain = report->color ? "\033[0m" : "";

    sn_buf_addf(buf, "%s: %serror:%s ", report->program, red, plain);
    if (report->failure != NULL) {
        line(buf, "", report->failure);
        sn_buf_addf(buf, "  why:  %s: ", err->code);
        line(buf, "", err->message);
    } else {
        line(buf, "", err->message);
    }
    for (size_t i = 0; i < err->detail_count; i++) {
        const struct sn_error_detail *detail = &err->details[i];
        if (!is_shown(err, detail)) {
            continue;
        }
        sn_buf_add_str(buf, "  why:  ");
        if (strcmp(detail->key, "why") != 0) {
            sn_buf_addf(buf, "%s: ", is_request_id(detail) ? "request" : detail->key);
        }
        line(buf, "", detail->value);
    }
    if (err->suggestion[0] != '\0') {
        line(buf, "  hint: ", err->suggestion);
    }
}

void sn_report_json(struct sn_buf *buf, const struct sn_error_report *report, const struct sn_error *err)
{
    struct sn_json_writer w;
    const char *request_id = NULL;

    sn_json_writer_init(&w, buf);
    sn_json_begin_object(&w);
    sn_json_key(&w, "error");
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "code", err->code);
    sn_json_member_str(&w, "message", err->message);
    sn_json_member_str(&w, "hint", err->suggestion);
    if (report->failure != NULL) {
        sn_json_member_str(&w, "while", report->failure);
    }
    sn_json_key(&w, "context");
    sn_json_begin_object(&w);
    for (size_t i = 0; i < err->detail_count; i++) {
        if (is_request_id(&err->details[i])) {
            request_id = err->details[i].value;
            continue;
        }
        const char *key = err->details[i].key;
        sn_json_member_str(&w, key[0] == '_' ? key + 1 : key, err->details[i].value);
    }
    sn_json_end_object(&w);
    sn_json_member_bool(&w, "retryable", err->retryable);
    if (err->retry_after_s > 0) {
        sn_json_member_int(&w, "retry_after_seconds", err->retry_after_s);
    }
    if (request_id != NULL) {
        sn_json_member_str(&w, "request_id", request_id);
    }
    sn_json_end_object(&w);
    sn_json_end_object(&w);
    sn_buf_add_byte(buf, '\n');
}

/* --- Exit codes --- */

enum { EXIT_NEGATIVE = 1, EXIT_USAGE = 2, EXIT_INCOMPLETE = 3, EXIT_WAITING = 4 };

/* Codes whose exit code does not follow from their status. */
static const struct {
    const char *code;
    int exit_code;
} exit_rows[] = {
    {"POLICY_DENY", EXIT_NEGATIVE},
    {"UNKNOWN_PROFILE", EXIT_NEGATIVE},
    {"DEVICE_REQUIRED", EXIT_NEGATIVE},
    {"DEVICE_VERIFICATION_FAILED", EXIT_NEGATIVE},
    {"SESSION_REVOKED", EXIT_NEGATIVE},
    {"CALLER_NOT_ALLOWED", EXIT_NEGATIVE},
    {"NOT_AUTHORIZED", EXIT_NEGATIVE},
    {"DRIFT_DETECTED", EXIT_NEGATIVE},
    {"APPROVAL_REQUIRED", EXIT_NEGATIVE}, /* 4 with a pending request, see below */
    {"AMBIGUOUS_ID", EXIT_NEGATIVE},
    {"INVALID_TRANSITION", EXIT_NEGATIVE},
    {"MISSING_PROFILE", EXIT_USAGE},
    {"INVALID_PROFILE", EXIT_USAGE},
    {"INVALID_DURATION", EXIT_USAGE},
    {"INVALID_DEVICE_ID", EXIT_USAGE},
    {"INVALID_REQUEST", EXIT_USAGE},
    {"INVALID_ID", EXIT_USAGE},
    {"CONFIG_INVALID", EXIT_USAGE},
    {"CONFIG_INVALID_REGION", EXIT_USAGE},
    {"SSM_INVALID_PARAMETER", EXIT_USAGE},
    {"KMS_NOT_FOUND", EXIT_INCOMPLETE},
    {"KMS_KEY_UNUSABLE", EXIT_INCOMPLETE},
    {"TVM_NOT_CONFIGURED", EXIT_USAGE},
    {"LOG_KEY_INVALID", EXIT_USAGE},
    {"INVALID_IDENTITY", EXIT_INCOMPLETE},
    {"IAM_AUTH_REQUIRED", EXIT_INCOMPLETE},
    {"TICKET_INVALID", EXIT_INCOMPLETE},
    {"CONCURRENT_MODIFICATION", EXIT_INCOMPLETE},
    {"RATE_LIMITED", EXIT_INCOMPLETE},
    {"CONFIG_MISSING_CREDENTIALS", EXIT_INCOMPLETE},
    {"NOT_CONFIGURED", EXIT_INCOMPLETE},
    {"MFA_REQUIRED", EXIT_WAITING},
};

static int exit_code_of_status(enum sn_status status)
{
    switch (status) {
    case SN_OK:
        return 0;
    case SN_USAGE:
    case SN_INVALID:
        return EXIT_USAGE;
    case SN_NOT_FOUND:
    case SN_DENIED:
    case SN_CONFLICT:
    case SN_UNAUTHENTICATED:
    case SN_THROTTLED:
    case SN_TIMEOUT:
    case SN_UNAVAILABLE:
    case SN_LIMIT:
    case SN_IO:
    case SN_PROTOCOL:
    case SN_INTERNAL:
        return EXIT_INCOMPLETE;
    }
    return EXIT_INCOMPLETE;
}

static bool has_pending_request(const struct sn_error *err)
{
    for (size_t i = 0; i < err->detail_count; i++) {
        if (strcmp(err->details[i].key, "pending_request") == 0) {
            return true;
        }
    }
    return false;
}

int sn_exit_code_of(const struct sn_error *err)
{
    struct sn_slice code = sn_slice_str(err->code);

    if (sn_slice_eq_str(code, "APPROVAL_REQUIRED") && has_pending_request(err)) {
        return EXIT_WAITING;
    }
    for (size_t i = 0; i < SN_LEN(exit_rows); i++) {
        if (sn_slice_eq_str(code, exit_rows[i].code)) {
            return exit_rows[i].exit_code;
        }
    }
    if (sn_slice_has_prefix(code, SN_S("PROOF_"))) {
        return EXIT_INCOMPLETE;
    }
    if (sn_slice_has_suffix(code, SN_S("_NOT_FOUND"))) {
        return EXIT_NEGATIVE;
    }
    return exit_code_of_status(err->status);
}
