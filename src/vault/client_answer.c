/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault/client_answer.c - reads answers of the TVM and of the gateway before it.
 *
 * All text of the server passes the sanitiser before it enters an error: it ends on a terminal.
 */
#include "vault/client_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/time.h"

enum { TEXT_CHARS = 300, BODY_CHARS = 200, CODE_MAX = 47, RETRY_AFTER_MAX_S = 86400 };

static enum sn_status status_of_http(int http)
{
    switch (http) {
    case 400:
        return SN_INVALID;
    case 401:
        return SN_UNAUTHENTICATED;
    case 403:
        return SN_DENIED;
    case 404:
        return SN_NOT_FOUND;
    case 409:
        return SN_CONFLICT;
    case 429:
        return SN_THROTTLED;
    case 408:
    case 504:
        return SN_TIMEOUT;
    default:
        return http >= 500 ? SN_UNAVAILABLE : SN_PROTOCOL;
    }
}

static bool is_code(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_') {
            return false;
        }
    }
    return text.len > 0 && text.len <= CODE_MAX;
}

static void add_detail(struct sn_error *err, const char *key, struct sn_slice text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf safe = {0};

    if (text.len > 0) {
        sn_sanitize(&safe, text, 100);
        (void)sn_error_detail(err, key, "%s", sn_buf_str(&safe));
    }
}

/* Members of details that commands act on. */
static void add_details(struct sn_error *err, const struct sn_json *details)
{
    static const struct {
        const char *member, *key;
    } rows[] = {
        {"pending_request", "pending_request"},
        {"request", "pending_request"},
        {"request_id", "pending_request"},
        {"status", "state"},
    };
    bool pending = false;

    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct sn_slice text = sn_json_text(sn_json_get(details, rows[i].member));
        bool is_pending = strcmp(rows[i].key, "pending_request") == 0;
        if (text.len > 0 && !(is_pending && pending)) {
            add_detail(err, rows[i].key, text);
            pending = pending || is_pending;
        }
    }
}

/* The server's clock against ours, for a proof that came too late or too early. */
static void add_skew(const struct sn_http_reply *reply, int64_t now_unix_s, struct sn_error *err)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct sn_slice date = sn_http_reply_header(reply, "date"); /* Sun, 01 Feb 2026 10:00:00 GMT */
    int64_t part[5];
    const struct {
        size_t at, len;
    } places[5] = {{5, 2}, {12, 4}, {17, 2}, {20, 2}, {23, 2}};
    struct sn_slice month = sn_slice_sub(date, 8, 3);
    const char *found = NULL;
    struct sn_error ignored;

    if (date.len != SN_TIME_HTTP_LEN) {
        return;
    }
    for (size_t i = 0; i < 5; i++) {
        struct sn_slice digits = sn_slice_sub(date, places[i].at, places[i].len);
        while (digits.len > 1 && digits.ptr[0] == '0') {
            digits = sn_slice_sub(digits, 1, digits.len);
        }
        if (sn_parse_int(digits, 0, 9999, &part[i], &ignored) != SN_OK) {
            return;
        }
    }
    for (int i = 0; i < 12; i++) {
        if (memcmp(months + (ptrdiff_t)3 * i, month.ptr, 3) == 0) {
            found = months + (ptrdiff_t)3 * i;
        }
    }
    if (found == NULL) {
        return;
    }
    int64_t server = sn_days_from_civil((int)part[1], (int)(found - months) / 3 + 1, (int)part[0]) * 86400 +
                     part[2] * 3600 + part[3] * 60 + part[4];
    long long off = (long long)(now_unix_s - server);
    (void)sn_error_detail(err, "clock_skew_s", "%lld", off);
    (void)sn_suggest(
        err, "your clock is %lld s %s the server's; synchronise it", llabs(off), off < 0 ? "behind" : "ahead of");
}

static void add_retry_after(const struct sn_http_reply *reply, struct sn_error *err)
{
    int64_t wait_s = 0;
    struct sn_error ignored;

    if (sn_parse_int(sn_http_reply_header(reply, "retry-after"), 0, RETRY_AFTER_MAX_S, &wait_s, &ignored) == SN_OK) {
        (void)sn_error_retryable(err, (int)wait_s);
    }
}

/* {"code","message","hint","request_id"[,"details"]} */
static enum sn_status sentinel_refusal(
    const struct sn_http_reply *reply, const struct sn_json *root, int64_t now_unix_s, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf message = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf hint = {0};
    char code[CODE_MAX + 1];

    (void)snprintf(code, sizeof(code), "%.*s", SN_PRI(sn_json_text(sn_json_get(root, "code"))));
    sn_sanitize(&message, sn_json_text(sn_json_get(root, "message")), TEXT_CHARS);
    sn_sanitize(&hint, sn_json_text(sn_json_get(root, "hint")), TEXT_CHARS);
    (void)sn_fail(err, status_of_http(reply->status), code, "%s", sn_buf_str(&message));
    if (hint.len > 0) {
        (void)sn_suggest(err, "%s", sn_buf_str(&hint));
    }
    (void)sn_error_detail(err, "http_status", "%d", reply->status);
    add_detail(err, "request_id", sn_json_text(sn_json_get(root, "request_id")));
    add_details(err, sn_json_get(root, "details"));
    add_retry_after(reply, err);
    if (sn_error_is(err, "PROOF_EXPIRED")) {
        add_skew(reply, now_unix_s, err);
    }
    if (sn_error_is(err, "PROOF_AUDIENCE")) {
        (void)sn_suggest(err, "the server is not published under this URL; its SENTINEL_PUBLIC_URL must list it");
    }
    if (sn_error_is(err, "PROOF_REGION")) {
        struct sn_slice region;
        if (sn_client_region_wanted(sn_http_reply_header(reply, "www-authenticate"), &region)) {
            (void)sn_suggest(err, "sign for the server's region: --region %.*s", SN_PRI(region));
        }
    }
    return err->status;
}

/* API Gateway's own {"message":"Forbidden"} or {"Message":...}. */
static enum sn_status gateway_refusal(
    const struct sn_http_reply *reply, struct sn_slice text, bool is_gateway, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf safe = {0};

    sn_sanitize(&safe, text, BODY_CHARS);
    (void)sn_fail(err, status_of_http(reply->status), "GATEWAY_FORBIDDEN",
        "the gateway before the Token Vending "
        "Machine refused the call: %s",
        sn_buf_str(&safe));
    (void)sn_error_detail(err, "http_status", "%d", reply->status);
    if (!is_gateway) {
        return sn_suggest(err, "behind API Gateway the request itself is signed: --tvm-auth iam, and --region REGION");
    }
    return sn_suggest(err,
        "the caller needs execute-api:Invoke or lambda:InvokeFunctionUrl on this API; check --region, or --tvm-auth");
}

static enum sn_status strange_answer(const struct sn_http_reply *reply, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf safe = {0};
    enum sn_status status = reply->status >= 500 ? SN_UNAVAILABLE : SN_PROTOCOL;

    sn_sanitize(&safe, sn_slice_trim_space(sn_buf_slice(&reply->body)), BODY_CHARS);
    if (reply->status >= 200 && reply->status < 300) {
        /* An answer that may hold credentials is not quoted. */
        return sn_fail(err, SN_PROTOCOL, "TVM_ANSWER_INVALID", "the Token Vending Machine did not answer with JSON");
    }
    (void)sn_fail(err, status, "TVM_ANSWER_INVALID", "the Token Vending Machine answered with status %d%s%s",
        reply->status, safe.len > 0 ? ": " : "", sn_buf_str(&safe));
    (void)sn_error_detail(err, "http_status", "%d", reply->status);
    add_retry_after(reply, err);
    return sn_suggest(err, "check that the address is that of a Token Vending Machine");
}

enum sn_status sn_client_read_answer(const struct sn_http_reply *reply, int64_t now_unix_s, bool is_gateway,
    struct sn_json_doc **out_doc, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    const struct sn_json *root = NULL;
    struct sn_slice text;

    if (sn_json_parse(sn_buf_slice(&reply->body), &sn_json_limits_document, &doc, err) != SN_OK ||
        sn_json_kind_of(sn_json_root(doc)) != SN_JSON_OBJECT) {
        return strange_answer(reply, err);
    }
    root = sn_json_root(doc);
    if (reply->status >= 200 && reply->status < 300) {
        *out_doc = SN_TAKE(doc);
        return SN_OK;
    }
    if (reply->status >= 400 && is_code(sn_json_text(sn_json_get(root, "code")))) {
        return sentinel_refusal(reply, root, now_unix_s, err);
    }
    text = sn_json_text(sn_json_get(root, "message"));
    text = text.len > 0 ? text : sn_json_text(sn_json_get(root, "Message"));
    if ((reply->status == 401 || reply->status == 403) && text.len > 0) {
        return gateway_refusal(reply, text, is_gateway, err);
    }
    return strange_answer(reply, err);
}

bool sn_client_region_wanted(struct sn_slice challenge, struct sn_slice *out_region)
{
    const struct sn_slice before = SN_S("Sentinel region=\"");
    struct sn_slice rest = sn_slice_sub(challenge, before.len, challenge.len);
    struct sn_slice region;
    struct sn_slice behind;

    if (!sn_slice_has_prefix(challenge, before) || !sn_slice_cut(rest, '"', &region, &behind) || behind.len > 0 ||
        !sn_region_is_valid(region)) {
        return false;
    }
    *out_region = region;
    return true;
}

/* --- Issued credentials --- */

static enum sn_status unusable(struct sn_error *err, const char *what)
{
    return sn_fail(
        err, SN_PROTOCOL, "TVM_ANSWER_INVALID", "invalid credential response of the Token Vending Machine: %s", what);
}

static enum sn_status read_keys(
    const struct sn_json *node, int64_t now_unix_s, struct sn_credentials *out, struct sn_error *err)
{
    struct sn_slice id = sn_json_text(sn_json_get(node, "access_key_id"));
    struct sn_slice secret = sn_json_text(sn_json_get(node, "secret_access_key"));
    struct sn_slice token = sn_json_text(sn_json_get(node, "session_token"));
    struct sn_slice expiration = sn_json_text(sn_json_get(node, "expiration"));
    int64_t expires_ms = 0;

    if (id.len == 0 || id.len > SN_ACCESS_KEY_ID_MAX || !sn_slice_is_alnum_or(id, "_") || secret.len == 0 ||
        token.len == 0) {
        return unusable(err, "a key is missing");
    }
    if (sn_time_parse_rfc3339(expiration, &expires_ms, err) != SN_OK) {
        return unusable(err, "the expiration is no time");
    }
    if (expires_ms / 1000 <= now_unix_s) {
        return unusable(err, "the credentials have expired");
    }
    (void)snprintf(out->access_key_id, sizeof(out->access_key_id), "%.*s", SN_PRI(id));
    sn_secret_set(&out->secret_access_key, secret);
    sn_secret_set(&out->session_token, token);
    out->expires_unix_s = expires_ms / 1000;
    return SN_OK;
}

enum sn_status sn_client_read_issued(
    const struct sn_json *root, int64_t now_unix_s, struct sn_issued *out_issued, struct sn_error *err)
{
    SN_AUTO(sn_issued_clear) struct sn_issued issued = {0};
    const struct sn_json *session = sn_json_get(root, "session");
    struct sn_slice id = sn_json_text(sn_json_get(session, "id"));
    struct sn_slice region = sn_json_text(sn_json_get(session, "region"));
    struct sn_slice stamp = sn_json_text(sn_json_get(session, "source_identity"));

    SN_TRY(read_keys(sn_json_get(root, "credentials"), now_unix_s, &issued.credentials, err));
    if (region.len > 0 && !sn_region_is_valid(region)) {
        return unusable(err, "the region is none");
    }
    if (id.len >= sizeof(issued.session_id) || !sn_slice_is_alnum_or(id, "-") ||
        stamp.len >= sizeof(issued.source_identity) || !sn_slice_is_alnum_or(stamp, "_+=,.@-")) {
        return unusable(err, "the session is not of its form");
    }
    (void)snprintf(issued.session_id, sizeof(issued.session_id), "%.*s", SN_PRI(id));
    (void)snprintf(issued.region, sizeof(issued.region), "%.*s", SN_PRI(region));
    (void)snprintf(issued.source_identity, sizeof(issued.source_identity), "%.*s", SN_PRI(stamp));
    issued.duration_s = sn_json_int(sn_json_get(session, "duration_seconds"), 0);
    sn_issued_clear(out_issued);
    *out_issued = issued;
    memset(&issued, 0, sizeof(issued)); /* given away */
    return SN_OK;
}
