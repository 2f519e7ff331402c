/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/audit/verifier.c - lines, keys, signatures and findings.
 */
#include "core/audit/verifier.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/json.h"
#include "core/audit/streams.h"
#include "crypto/hash.h"

enum { FINDINGS_DEFAULT = 10 };

struct sn_audit_verifier {
    const struct sn_audit_keys *keys;
    struct sn_hmac hmac[SN_AUDIT_KEYS_MAX];
    struct sn_audit_streams *streams;
    struct sn_buf partial; /* the beginning of a line whose end is still to come */
    size_t file;
    uint64_t line;
    size_t max_findings;
    struct sn_audit_finding *findings;
    struct sn_audit_verify_result result;
    struct sn_error err; /* of the line at hand */
};

const char *sn_audit_finding_name(enum sn_audit_finding_kind kind)
{
    switch (kind) {
    case SN_AUDIT_PARSE_ERROR:
        return "parse_error";
    case SN_AUDIT_UNSIGNED:
        return "unsigned";
    case SN_AUDIT_UNKNOWN_KEY:
        return "unknown_key";
    case SN_AUDIT_INVALID_SIGNATURE:
        return "invalid_signature";
    case SN_AUDIT_CHAIN_BREAK:
        return "chain_break";
    case SN_AUDIT_BAD_ANCHOR:
        return "bad_anchor";
    }
    SN_ASSERT(false);
    return "";
}

static bool stands_before(const struct sn_audit_finding *a, size_t file, uint64_t line)
{
    return a->file < file || (a->file == file && a->line <= line);
}

/* Keeps the first findings of the log, whatever the order in which they are made. */
static void keep_finding(struct sn_audit_verifier *v, enum sn_audit_finding_kind kind, struct sn_audit_place place,
    const char *format, va_list arguments) SN_PRINTF(4, 0);

static void keep_finding(struct sn_audit_verifier *v, enum sn_audit_finding_kind kind, struct sn_audit_place place,
    const char *format, va_list arguments)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    size_t at = v->result.finding_count;

    v->result.failures++;
    while (at > 0 && !stands_before(&v->findings[at - 1], place.file, place.line)) {
        at--;
    }
    if (at >= v->max_findings) {
        return;
    }
    size_t kept = v->result.finding_count < v->max_findings ? v->result.finding_count : v->max_findings - 1;
    memmove(&v->findings[at + 1], &v->findings[at], (kept - at) * sizeof(v->findings[0]));
    v->result.finding_count = kept + 1;
    struct sn_audit_finding *finding = &v->findings[at];
    *finding = (struct sn_audit_finding){.kind = kind, .file = place.file, .line = place.line};
    sn_buf_vaddf(&text, format, arguments);
    snprintf(finding->message, sizeof(finding->message), "%s", sn_buf_str(&text));
}

static void add_finding(struct sn_audit_verifier *v, enum sn_audit_finding_kind kind, uint64_t *counter,
    struct sn_audit_place place, const char *format, ...) SN_PRINTF(5, 6);

static void add_finding(struct sn_audit_verifier *v, enum sn_audit_finding_kind kind, uint64_t *counter,
    struct sn_audit_place place, const char *format, ...)
{
    va_list arguments;

    (*counter)++;
    va_start(arguments, format);
    keep_finding(v, kind, place, format, arguments);
    va_end(arguments);
}

static void report_break(void *ctx, struct sn_audit_place place, const char *format, ...) SN_PRINTF(3, 4);

static void report_break(void *ctx, struct sn_audit_place place, const char *format, ...)
{
    struct sn_audit_verifier *v = ctx;
    va_list arguments;

    v->result.chain_breaks++;
    va_start(arguments, format);
    keep_finding(v, SN_AUDIT_CHAIN_BREAK, place, format, arguments);
    va_end(arguments);
}

struct sn_audit_verifier *sn_audit_verifier_new(
    const struct sn_audit_keys *keys, const struct sn_audit_verify_options *options)
{
    struct sn_audit_verifier *v = sn_alloc(1, sizeof(*v));

    v->keys = keys;
    for (size_t i = 0; i < keys->count; i++) {
        sn_hmac_init(&v->hmac[i], &keys->keys[i].key);
    }
    v->streams = sn_audit_streams_new(options->is_export, report_break, v);
    v->partial = SN_BUF_INIT(SN_AUDIT_LINE_MAX + 2);
    v->max_findings = options->max_findings == 0 ? FINDINGS_DEFAULT : options->max_findings;
    v->max_findings = v->max_findings > SN_AUDIT_FINDINGS_MAX ? SN_AUDIT_FINDINGS_MAX : v->max_findings;
    v->findings = sn_alloc(v->max_findings + 1, sizeof(v->findings[0]));
    v->result.findings = v->findings;
    v->file = SIZE_MAX;
    return v;
}

void sn_audit_verifier_free(struct sn_audit_verifier *verifier)
{
    if (verifier == NULL) {
        return;
    }
    for (size_t i = 0; i < SN_AUDIT_KEYS_MAX; i++) {
        sn_hmac_clear(&verifier->hmac[i]);
    }
    sn_audit_streams_free(verifier->streams);
    sn_buf_clear(&verifier->partial);
    sn_free(verifier->findings);
    sn_free(verifier);
}

void sn_audit_verifier_free_p(struct sn_audit_verifier **verifier)
{
    sn_audit_verifier_free(*verifier);
    *verifier = NULL;
}

void sn_audit_verifier_add_anchors(struct sn_audit_verifier *v, struct sn_slice text)
{
    struct sn_slice rest = text;
    struct sn_slice line;
    uint64_t number = 0;

    while (sn_slice_next(&rest, '\n', &line)) {
        struct sn_audit_position position;
        struct sn_error err;
        number++;
        if (sn_slice_has_suffix(line, SN_S("\r"))) {
            line.len--;
        }
        if (line.len == 0) {
            continue;
        }
        if (sn_audit_anchor_parse(line, v->keys, &position, &err) == SN_OK) {
            sn_audit_streams_add_anchor(v->streams, &position);
        } else {
            add_finding(v, SN_AUDIT_BAD_ANCHOR, &v->result.bad_anchors, (struct sn_audit_place){.file = SIZE_MAX},
                "line %llu of the anchor file: %s", (unsigned long long)number, err.message);
        }
    }
}

/* A JSON object that makes no claim to be signed deserves its own name. */
static bool is_unsigned_object(struct sn_slice line)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_error err;

    return line.len > 0 && line.ptr[0] == '{' && sn_json_parse(line, &sn_json_limits_document, &doc, &err) == SN_OK &&
           sn_json_kind_of(sn_json_root(doc)) == SN_JSON_OBJECT && sn_json_get(sn_json_root(doc), "signature") == NULL;
}

static void add_unreadable(
    struct sn_audit_verifier *v, struct sn_slice line, struct sn_audit_place place, const struct sn_error *err)
{
    struct sn_audit_record shown;

    if (is_unsigned_object(line)) {
        add_finding(
            v, SN_AUDIT_UNSIGNED, &v->result.unsigned_lines, place, "unsigned: a JSON object without signature");
    } else {
        add_finding(v, SN_AUDIT_PARSE_ERROR, &v->result.parse_errors, place, "%s", err->message);
    }
    sn_audit_record_glimpse(line, &shown);
    sn_audit_streams_add_damaged(v->streams, &shown, place);
}

static void add_line(struct sn_audit_verifier *v, struct sn_slice line)
{
    const struct sn_audit_place place = {.file = v->file, .line = ++v->line};
    struct sn_audit_record record;
    struct sn_error *err = &v->err; /* not a local: clearing 3 KiB a line would cost as much as the hash */

    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    if (line.len == 0) {
        return;
    }
    v->result.lines++;
    if (line.len > SN_AUDIT_LINE_MAX) {
        sn_fail(err, SN_LIMIT, "LINE_TOO_LONG", "not a record: longer than 4 MiB");
        add_unreadable(v, sn_slice_sub(line, 0, SN_AUDIT_REORDER_MAX), place, err);
        return;
    }
    if (sn_audit_record_parse(line, &record, err) != SN_OK) {
        add_unreadable(v, line, place, err);
        return;
    }
    const struct sn_audit_key *key = sn_audit_keys_find(v->keys, record.key_id);
    if (key == NULL) {
        add_finding(
            v, SN_AUDIT_UNKNOWN_KEY, &v->result.unknown_keys, place, "unknown key '%.*s'", SN_PRI(record.key_id));
        sn_audit_streams_add_damaged(v->streams, &record, place);
        return;
    }
    if (!sn_audit_signature_is_valid(&v->hmac[key - v->keys->keys], record.signed_part, record.signature)) {
        add_finding(v, SN_AUDIT_INVALID_SIGNATURE, &v->result.invalid_signatures, place,
            "invalid signature: record %lld was changed or made with another key", (long long)record.seq);
        sn_audit_streams_add_damaged(v->streams, &record, place);
        return;
    }
    v->result.ok += sn_audit_streams_add(v->streams, &record, place);
}

void sn_audit_verifier_begin_file(struct sn_audit_verifier *v)
{
    v->file = v->file == SIZE_MAX ? 0 : v->file + 1;
    v->line = 0;
    sn_buf_reset(&v->partial);
}

/* Puts the rest of a line aside; of a line past the limit only its beginning is kept. */
static void keep_partial(struct sn_audit_verifier *v, struct sn_slice bytes)
{
    size_t room = SN_AUDIT_LINE_MAX + 1 - v->partial.len;

    sn_buf_add(&v->partial, sn_slice_sub(bytes, 0, room));
}

void sn_audit_verifier_feed(struct sn_audit_verifier *v, struct sn_slice bytes)
{
    while (bytes.len > 0) {
        const char *end = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = end == NULL ? bytes.len : (size_t)(end - bytes.ptr);

        if (end == NULL) {
            keep_partial(v, bytes);
            return;
        }
        if (v->partial.len == 0) {
            add_line(v, sn_slice_sub(bytes, 0, len));
        } else {
            keep_partial(v, sn_slice_sub(bytes, 0, len));
            add_line(v, sn_buf_slice(&v->partial));
            sn_buf_reset(&v->partial);
        }
        bytes = sn_slice_sub(bytes, len + 1, bytes.len);
    }
}

void sn_audit_verifier_end_file(struct sn_audit_verifier *v)
{
    if (v->partial.len > 0) {
        add_line(v, sn_buf_slice(&v->partial));
        sn_buf_reset(&v->partial);
    }
}

const struct sn_audit_verify_result *sn_audit_verifier_finish(struct sn_audit_verifier *v)
{
    sn_audit_streams_finish(v->streams);
    sn_audit_streams_count(v->streams, &v->result.streams, &v->result.unacknowledged, &v->result.duplicates);
    return &v->result;
}

void sn_audit_verifier_each_stream(const struct sn_audit_verifier *v, sn_audit_stream_fn *visit, void *ctx)
{
    sn_audit_streams_each(v->streams, visit, ctx);
}

void sn_audit_verifier_format_anchors(struct sn_audit_verifier *v, int64_t now_ms, struct sn_buf *out_text)
{
    const struct sn_audit_key *key = sn_audit_keys_signing(v->keys);

    SN_ASSERT(key != NULL && v->result.failures == 0);
    sn_audit_streams_format_anchors(v->streams, key, now_ms, out_text);
}
