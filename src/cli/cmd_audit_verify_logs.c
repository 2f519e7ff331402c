/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_audit_verify_logs.c - audit verify-logs: is the audit log whole?
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/fs.h"
#include "cli/report.h"
#include "cli/tvm_access.h"
#include "codec/json.h"
#include "core/audit/verifier.h"

enum {
    EXIT_FAILED = 1,
    READ_BYTES = 256 * 1024,
    OTHERS_MODE = 0007, /* a key file must not be open to others */
    ANCHOR_FILE_MAX = 16 * 1024 * 1024,
};

struct verify_args {
    const char *key_file, *key_env, *key, *anchor;
    int64_t max_failures;
    bool no_update, is_export;
};

/* clang-format off */
static const struct sn_opt verify_opts[] = {
    {.name = "key-file", .metavar = "FILE", .kind = SN_OPT_STRING, .env = "SENTINEL_LOG_SIGNING_KEY_FILE",
     .words = SN_WORDS_FILES, .field = offsetof(struct verify_args, key_file),
     .help = "the key file of the TVM that wrote the log; not readable by others"},
    {.name = "key-env", .metavar = "NAME", .kind = SN_OPT_STRING, .field = offsetof(struct verify_args, key_env),
     .help = "environment variable that holds the key"},
    {.name = "key", .metavar = "HEX", .kind = SN_OPT_STRING, .field = offsetof(struct verify_args, key),
     .help = "the key itself; it can be seen in the process list, prefer a file"},
    {.name = "anchor", .metavar = "FILE", .kind = SN_OPT_STRING, .words = SN_WORDS_FILES,
     .field = offsetof(struct verify_args, anchor),
     .help = "positions seen before: a tail that was cut off since is found; updated after a passing run"},
    {.name = "no-update", .kind = SN_OPT_FLAG, .field = offsetof(struct verify_args, no_update),
     .help = "leave the anchor file as it is"},
    {.name = "export", .kind = SN_OPT_FLAG, .field = offsetof(struct verify_args, is_export),
     .help = "the text comes out of a shared log group: streams interleave, repeats are allowed"},
    {.name = "max-failures", .metavar = "N", .kind = SN_OPT_INT, .min = 1, .max = SN_AUDIT_FINDINGS_MAX,
     .fallback = "10", .field = offsetof(struct verify_args, max_failures), .help = "how many failures are listed"},
    {0},
};
/* clang-format on */

/* --- Key --- */

/* A wrong key is bad local input, whatever way it is wrong. */
static enum sn_status bad_key(struct sn_error *err)
{
    struct sn_error cause = *err;

    sn_fail(err, SN_INVALID, "LOG_KEY_INVALID", "the key cannot be used: %s", cause.message);
    return sn_suggest(err, "%s",
        cause.suggestion[0] != '\0' ? cause.suggestion : "at least 32 bytes as hexadecimal digits, or lines id:hex");
}

static enum sn_status load_keys(
    struct sn_app *app, const struct verify_args *args, struct sn_audit_keys *out_keys, struct sn_error *err)
{
    SN_AUTO(sn_secret_clear) struct sn_secret text = {0};

    if (args->key != NULL && args->key_env != NULL) {
        return sn_fail(err, SN_USAGE, "KEY_CONFLICT", "--key and --key-env are two keys");
    }
    /* The variable behind --key-file is only a default: another option beats it. */
    bool file_given = args->key_file != NULL && args->key_file != sn_env_get("SENTINEL_LOG_SIGNING_KEY_FILE");
    if (file_given && (args->key != NULL || args->key_env != NULL)) {
        return sn_fail(err, SN_USAGE, "KEY_CONFLICT", "--key-file and another key option are two keys");
    }
    if (args->key != NULL) {
        sn_app_warn(app, "--key shows the key in the process list; use --key-file");
        sn_secret_set(&text, sn_slice_str(args->key));
    } else if (args->key_env != NULL) {
        const char *value = sn_env_get(args->key_env);
        if (value == NULL) {
            return sn_fail(err, SN_INVALID, "LOG_KEY_INVALID", "the variable '%s' is not set", args->key_env);
        }
        sn_secret_set(&text, sn_slice_str(value));
    } else if (args->key_file != NULL) {
        if (sn_fs_read_secret(args->key_file, SN_AUDIT_KEY_FILE_MAX, OTHERS_MODE, &text, err) != SN_OK) {
            return bad_key(err);
        }
    } else {
        sn_fail(err, SN_USAGE, "LOG_KEY_INVALID", "no key is given");
        return sn_suggest(err, "add --key-file FILE (the TVM's audit.key), or set SENTINEL_LOG_SIGNING_KEY_FILE");
    }
    return sn_audit_keys_parse(sn_secret_reveal(&text), "k1", out_keys, err) == SN_OK ? SN_OK : bad_key(err);
}

/* --- Reading --- */

static enum sn_status unreadable(struct sn_error *err, const char *path, int error_number)
{
    return sn_fail(err, SN_IO, "LOG_UNREADABLE", "cannot read '%s': %s", path, strerrordesc_np(error_number));
}

static enum sn_status feed_file(struct sn_audit_verifier *verifier, const char *path, struct sn_error *err)
{
    static char bytes[READ_BYTES];
    bool is_stdin = strcmp(path, "-") == 0;
    SN_AUTO(sn_fd_close) int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int fd = is_stdin ? STDIN_FILENO : opened;

    if (fd < 0) {
        return unreadable(err, path, errno);
    }
    sn_audit_verifier_begin_file(verifier);
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof(bytes));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return unreadable(err, path, errno);
        }
        if (got == 0) {
            break;
        }
        sn_audit_verifier_feed(verifier, sn_slice_bytes(bytes, (size_t)got));
    }
    sn_audit_verifier_end_file(verifier);
    return SN_OK;
}

/* A file that does not exist yet holds no anchor. */
static enum sn_status add_anchors(struct sn_audit_verifier *verifier, const char *path, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(ANCHOR_FILE_MAX);
    struct sn_error cause;

    if (!sn_fs_exists(path)) {
        return SN_OK;
    }
    if (sn_fs_read(path, ANCHOR_FILE_MAX, &text, &cause) != SN_OK) {
        return sn_fail(err, SN_IO, "ANCHOR_UNREADABLE", "cannot read the anchor file: %s", cause.message);
    }
    sn_audit_verifier_add_anchors(verifier, sn_buf_slice(&text));
    return SN_OK;
}

static enum sn_status update_anchors(struct sn_audit_verifier *verifier, const char *path, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(ANCHOR_FILE_MAX);
    struct sn_error cause;

    sn_audit_verifier_format_anchors(verifier, sn_clock_unix_ms(sn_clock_system()), &text);
    if (sn_fs_write_atomic(path, 0600, sn_buf_slice(&text), &cause) != SN_OK) {
        return sn_fail(err, SN_IO, "ANCHOR_UNWRITABLE", "cannot write the anchor file: %s", cause.message);
    }
    return SN_OK;
}

/* --- Report --- */

static const char *shown_path(const struct sn_app *app, size_t file)
{
    const char *path = app->operands[file];

    return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

static void count_line(struct sn_buf *out, const char *label, uint64_t count)
{
    sn_buf_addf(out, "%-16s%llu\n", label, (unsigned long long)count);
}

static void write_finding(struct sn_buf *out, const struct sn_app *app, const struct sn_audit_finding *finding)
{
    sn_buf_add_str(out, "  ");
    if (finding->file < app->operand_count && app->operand_count > 1) {
        sn_cli_printable(out, sn_slice_str(shown_path(app, finding->file)));
        sn_buf_addf(out, ":%llu: ", (unsigned long long)finding->line);
    } else if (finding->line != 0) {
        sn_buf_addf(out, "Line %llu: ", (unsigned long long)finding->line);
    }
    sn_cli_printable(out, sn_slice_str(finding->message));
    sn_buf_add_byte(out, '\n');
}

static void write_text(struct sn_buf *out, const struct sn_app *app, const struct verify_args *args,
    const struct sn_audit_verify_result *r)
{
    for (size_t i = 0; i < app->operand_count; i++) {
        sn_buf_add_str(out, "Verifying: ");
        sn_cli_printable(out, sn_slice_str(shown_path(app, i)));
        sn_buf_add_byte(out, '\n');
    }
    count_line(out, "Lines scanned:", r->lines);
    count_line(out, "Verified OK:", r->ok);
    count_line(out, "Invalid sig:", r->invalid_signatures);
    count_line(out, "Parse errors:", r->parse_errors);
    count_line(out, "Unsigned:", r->unsigned_lines);
    count_line(out, "Unknown key:", r->unknown_keys);
    count_line(out, "Chain breaks:", r->chain_breaks);
    count_line(out, "Streams:", r->streams);
    count_line(out, "Unacknowledged:", r->unacknowledged);
    if (args->is_export) {
        count_line(out, "Duplicates:", r->duplicates);
    }
    if (r->failures == 0) {
        sn_buf_addf(out, "VERIFICATION PASSED: %s%llu %s\n", r->ok == 1 ? "" : "all ", (unsigned long long)r->ok,
            r->ok == 1 ? "entry is authentic and in its place" : "entries are authentic and in their place");
        return;
    }
    sn_buf_addf(out, "VERIFICATION FAILED: %llu %s\n", (unsigned long long)r->failures,
        r->failures == 1 ? "entry has integrity issues" : "entries have integrity issues");
    for (size_t i = 0; i < r->finding_count; i++) {
        write_finding(out, app, &r->findings[i]);
    }
    if (r->failures > r->finding_count) {
        uint64_t more = r->failures - r->finding_count;
        sn_buf_addf(out, "  ... and %llu more failure%s\n", (unsigned long long)more, more == 1 ? "" : "s");
    }
}

static void json_counts(struct sn_json_writer *w, const struct sn_audit_verify_result *r)
{
    sn_json_member_int(w, "total_lines", (int64_t)r->lines);
    sn_json_member_int(w, "verified_ok", (int64_t)r->ok);
    sn_json_member_int(w, "invalid_sig", (int64_t)r->invalid_signatures);
    sn_json_member_int(w, "parse_errors", (int64_t)r->parse_errors);
    sn_json_member_int(w, "unsigned", (int64_t)r->unsigned_lines);
    sn_json_member_int(w, "unknown_key", (int64_t)r->unknown_keys);
    sn_json_member_int(w, "chain_breaks", (int64_t)r->chain_breaks);
    sn_json_member_int(w, "bad_anchors", (int64_t)r->bad_anchors);
    sn_json_member_int(w, "unacknowledged", (int64_t)r->unacknowledged);
    sn_json_member_int(w, "duplicates", (int64_t)r->duplicates);
}

static void add_stream(void *ctx, const struct sn_audit_stream_facts *facts)
{
    struct sn_json_writer *w = ctx;

    sn_json_begin_object(w);
    sn_json_member_text(w, "stream", facts->stream);
    sn_json_member_int(w, "first_seq", facts->first_seq);
    sn_json_member_int(w, "last_seq", facts->last_seq);
    sn_json_member_text(w, "last_signature", facts->last_signature);
    sn_json_end_object(w);
}

static void write_json(struct sn_buf *out, const struct sn_app *app, const struct sn_audit_verifier *verifier,
    const struct sn_audit_verify_result *r)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_bool(&w, "passed", r->failures == 0);
    sn_json_key(&w, "files");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < app->operand_count; i++) {
        sn_json_put_str(&w, shown_path(app, i));
    }
    sn_json_end_array(&w);
    json_counts(&w, r);
    sn_json_key(&w, "streams");
    sn_json_begin_array(&w);
    sn_audit_verifier_each_stream(verifier, add_stream, &w);
    sn_json_end_array(&w);
    sn_json_key(&w, "failures");
    sn_json_begin_array(&w);
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct sn_audit_finding *f = &r->findings[i];
        sn_json_begin_object(&w);
        sn_json_member_str(&w, "file", f->file < app->operand_count ? shown_path(app, f->file) : NULL);
        if (f->line != 0) {
            sn_json_member_int(&w, "line", (int64_t)f->line);
        } else {
            sn_json_member_null(&w, "line");
        }
        sn_json_member_str(&w, "type", sn_audit_finding_name(f->kind));
        sn_json_member_str(&w, "message", f->message);
        sn_json_end_object(&w);
    }
    sn_json_end_array(&w);
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

static enum sn_status run_verify(struct sn_app *app, void *arguments, struct sn_error *err)
{
    const struct verify_args *args = arguments;
    SN_AUTO(sn_audit_keys_clear) struct sn_audit_keys keys = {0};
    SN_AUTO(sn_audit_verifier_free_p) struct sn_audit_verifier *verifier = NULL;
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_audit_verify_options options = {.is_export = args->is_export, .max_findings = (size_t)args->max_failures};

    SN_TRY(load_keys(app, args, &keys, err));
    verifier = sn_audit_verifier_new(&keys, &options);
    if (args->anchor != NULL) {
        SN_TRY(add_anchors(verifier, args->anchor, err));
    } else {
        sn_app_note(app, "without --anchor, a tail that was cut off the log cannot be seen");
    }
    for (size_t i = 0; i < app->operand_count; i++) {
        SN_TRY(feed_file(verifier, app->operands[i], err));
    }
    const struct sn_audit_verify_result *result = sn_audit_verifier_finish(verifier);
    if (result->lines == 0 && result->failures == 0) {
        return sn_fail(err, SN_UNAVAILABLE, "LOG_EMPTY", "no entries");
    }
    if (result->failures == 0 && args->anchor != NULL && !args->no_update) {
        SN_TRY(update_anchors(verifier, args->anchor, err));
    }
    if (app->json) {
        write_json(&out, app, verifier, result);
    } else {
        write_text(&out, app, args, result);
    }
    SN_TRY(sn_buf_check(&out, "the report", err));
    sn_app_outcome(app, result->failures == 0 ? 0 : EXIT_FAILED);
    return sn_app_write(app, sn_buf_slice(&out), err);
}

static const struct sn_example verify_examples[] = {
    {"sentinel audit verify-logs --key-file audit.key --anchor seen.anchor audit-*.log audit.log",
        "check a rotated log in its order, and remember how far it went"},
    {"sentinel audit verify-logs --key-file audit.key - < audit.log", "read the log from stdin"},
    {0},
};
static const struct sn_exit_row verify_exits[] = {
    {0, "every entry is authentic and in its place"},
    {1, "entries were changed, removed, added or moved"},
    {2, "wrong usage, or a key that cannot be used"},
    {3, "could not run: a file cannot be read, or the log is empty"},
    {0},
};

const struct sn_cmd sn_cmd_audit_verify_logs = {
    .name = "audit verify-logs",
    .group = SN_GROUP_AUDIT,
    .summary = "check that the audit log is whole",
    .description =
        "Checks every line's form, key, signature and place in the chain, and names the first one that fails. "
        "Several files are read in the order given, as one log. Nothing is contacted.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .writes_result = true,
    .operand_words = SN_WORDS_FILES,
    .opts = verify_opts,
    .examples = verify_examples,
    .args_size = sizeof(struct verify_args),
    .exits = verify_exits,
    .run = run_verify,
};
