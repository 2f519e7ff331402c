/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/sigv4.c - verification of AWS Signature Version 4.
 */
#include "lab/sigv4.h"

#include "base/buf.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/hash.h"

static const char algorithm[] = "AWS4-HMAC-SHA256";

enum {
    DATE_LEN = 8,
    CANONICAL_MAX_BYTES = 512 * 1024,
    MAX_QUERY_PARAMS = 512,
};

static enum sn_status incomplete(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_UNAUTHENTICATED, "IncompleteSignature", "%s", what);
}

static enum sn_status mismatch(struct sn_error *err)
{
    return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.");
}

static bool is_digits(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

/* AKID/20260201/us-east-1/sts/aws4_request */
static enum sn_status read_credential(struct sn_slice value, struct sn_lab_signature *out, struct sn_error *err)
{
    struct sn_slice scope = {0};
    struct sn_slice rest = {0};
    struct sn_slice end = {0};
    if (!sn_slice_cut(value, '/', &out->access_key, &scope) || !sn_slice_cut(scope, '/', &out->date, &rest) ||
        !sn_slice_cut(rest, '/', &out->region, &rest) || !sn_slice_cut(rest, '/', &out->service, &end) ||
        out->access_key.len == 0 || out->region.len == 0 || out->service.len == 0) {
        return sn_fail(err, SN_UNAUTHENTICATED, "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%.*s'",
            SN_PRI(value));
    }
    if (!sn_slice_eq_str(end, "aws4_request")) {
        return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
            "Credential should be scoped with a valid terminator: 'aws4_request', not '%.*s'.", SN_PRI(end));
    }
    if (out->date.len != DATE_LEN || !is_digits(out->date)) {
        return incomplete(err, "Date in Credential scope must be in ISO-8601 basic format 'YYYYMMDD'.");
    }
    if (!sn_slice_is_alnum_or(out->access_key, "_") || !sn_slice_is_alnum_or(out->region, "-") ||
        !sn_slice_is_alnum_or(out->service, "-")) {
        return incomplete(err, "Credential holds characters that none of its parts may have.");
    }
    out->scope = scope;
    return SN_OK;
}

enum sn_status sn_lab_authorization_parse(
    struct sn_slice value, struct sn_lab_signature *out_signature, struct sn_error *err)
{
    struct sn_lab_signature found = *out_signature;
    struct sn_slice word = {0};
    struct sn_slice rest = {0};
    struct sn_slice part = {0};
    bool have_credential = false;
    bool have_headers = false;
    bool have_signature = false;

    if (!sn_slice_cut(value, ' ', &word, &rest) || !sn_slice_eq_str(word, algorithm)) {
        return sn_fail(err, SN_UNAUTHENTICATED, "IncompleteSignature", "Unsupported AWS 'algorithm': '%.*s'.",
            SN_PRI(sn_slice_sub(word, 0, 64)));
    }
    while (sn_slice_next(&rest, ',', &part)) {
        struct sn_slice name = {0};
        struct sn_slice text = {0};
        bool *seen = NULL;
        if (!sn_slice_cut(sn_slice_trim(part), '=', &name, &text)) {
            return incomplete(err, "Authorization header holds a part that is not of the form name=value.");
        }
        if (sn_slice_eq_str(name, "Credential")) {
            seen = &have_credential;
            SN_TRY(read_credential(text, &found, err));
        } else if (sn_slice_eq_str(name, "SignedHeaders")) {
            seen = &have_headers;
            found.signed_headers = text;
        } else if (sn_slice_eq_str(name, "Signature")) {
            seen = &have_signature;
            found.signature = text;
        }
        if (seen == NULL || *seen) {
            return incomplete(err, "Authorization header holds an unknown or repeated parameter.");
        }
        *seen = true;
    }
    if (!have_credential) {
        return incomplete(err, "Authorization header requires 'Credential' parameter.");
    }
    if (!have_signature) {
        return incomplete(err, "Authorization header requires 'Signature' parameter.");
    }
    if (!have_headers) {
        return incomplete(err, "Authorization header requires 'SignedHeaders' parameter.");
    }
    *out_signature = found;
    return SN_OK;
}

static enum sn_status required_param(
    const struct sn_query *query, const char *name, struct sn_slice *out, struct sn_error *err)
{
    const struct sn_slice *value = sn_query_find(query, name);
    if (value == NULL || value->len == 0) {
        return sn_fail(err, SN_UNAUTHENTICATED, "IncompleteSignature",
            "AWS query-string parameters must include '%s'. Re-examine the query-string parameters.", name);
    }
    *out = *value;
    return SN_OK;
}

static enum sn_status read_from_query(const struct sn_query *query, struct sn_lab_signature *out, struct sn_error *err)
{
    struct sn_slice text = {0};
    out->in_query = true;
    SN_TRY(required_param(query, "X-Amz-Algorithm", &text, err));
    if (!sn_slice_eq_str(text, algorithm)) {
        return incomplete(err, "Unsupported AWS 'algorithm'.");
    }
    SN_TRY(required_param(query, "X-Amz-Credential", &text, err));
    SN_TRY(read_credential(text, out, err));
    SN_TRY(required_param(query, "X-Amz-Date", &out->amz_date, err));
    SN_TRY(required_param(query, "X-Amz-SignedHeaders", &out->signed_headers, err));
    SN_TRY(required_param(query, "X-Amz-Signature", &out->signature, err));
    const struct sn_slice *token = sn_query_find(query, "X-Amz-Security-Token");
    out->token = token != NULL ? *token : (struct sn_slice){0};
    return SN_OK;
}

static enum sn_status read_from_headers(
    const struct sn_request *request, struct sn_lab_signature *out, struct sn_error *err)
{
    const struct sn_slice *authorization = sn_request_header(request, "authorization");
    if (authorization == NULL || authorization->len == 0) {
        return sn_fail(
            err, SN_UNAUTHENTICATED, "MissingAuthenticationToken", "Request is missing Authentication Token");
    }
    if (sn_request_header_count(request, "authorization") != 1 || sn_request_header_count(request, "x-amz-date") > 1 ||
        sn_request_header_count(request, "x-amz-security-token") > 1) {
        return incomplete(err, "Authorization, X-Amz-Date and X-Amz-Security-Token may be given once only.");
    }
    SN_TRY(sn_lab_authorization_parse(*authorization, out, err));
    const struct sn_slice *date = sn_request_header(request, "x-amz-date");
    if (date == NULL) {
        return incomplete(err, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
    }
    out->amz_date = *date;
    const struct sn_slice *token = sn_request_header(request, "x-amz-security-token");
    out->token = token != NULL ? *token : (struct sn_slice){0};
    return SN_OK;
}

static enum sn_status check_date(const struct sn_lab_signature *signature, int64_t now, struct sn_error *err)
{
    int64_t signed_at = 0;
    struct sn_error cause = {0};
    if (sn_time_parse_amz(signature->amz_date, &signed_at, &cause) != SN_OK) {
        return sn_fail(err, SN_UNAUTHENTICATED, "IncompleteSignature",
            "Date must be in ISO-8601 'basic format'. Got '%.*s'. See http://en.wikipedia.org/wiki/ISO_8601",
            SN_PRI(signature->amz_date));
    }
    if (!sn_slice_eq(sn_slice_sub(signature->amz_date, 0, DATE_LEN), signature->date)) {
        return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%.*s' != "
            "'%.*s', from '%.*s'.",
            SN_PRI(signature->date), DATE_LEN, signature->amz_date.ptr, SN_PRI(signature->amz_date));
    }
    char edge[SN_TIME_TEXT_MAX];
    char present[SN_TIME_TEXT_MAX];
    sn_time_format_amz(now, present);
    if (signed_at < now - SN_LAB_SKEW_S) {
        sn_time_format_amz(now - SN_LAB_SKEW_S, edge);
        return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
            "Signature expired: %.*s is now earlier than %s (%s - 15 min.)", SN_PRI(signature->amz_date), edge,
            present);
    }
    if (signed_at > now + SN_LAB_SKEW_S) {
        sn_time_format_amz(now + SN_LAB_SKEW_S, edge);
        return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
            "Signature not yet current: %.*s is still later than %s (%s + 15 min.)", SN_PRI(signature->amz_date), edge,
            present);
    }
    return SN_OK;
}

static bool is_signed(struct sn_slice signed_headers, struct sn_slice name)
{
    struct sn_slice part = {0};
    while (sn_slice_next(&signed_headers, ';', &part)) {
        if (sn_slice_eq_nocase(part, name)) {
            return true;
        }
    }
    return false;
}

/* Host and every x-amz- header must be signed: an unsigned one could be changed on the way. */
static enum sn_status check_coverage(
    const struct sn_request *request, const struct sn_lab_signature *signature, struct sn_error *err)
{
    for (size_t i = 0; i < signature->signed_headers.len; i++) {
        char c = signature->signed_headers.ptr[i];
        if (c >= 'A' && c <= 'Z') {
            return mismatch(err); /* names are signed in lower case; another spelling is another name */
        }
    }
    if (!is_signed(signature->signed_headers, SN_S("host"))) {
        return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    }
    for (size_t i = 0; i < request->header_count; i++) {
        struct sn_slice name = request->headers[i].name;
        if (name.len > 6 && sn_slice_eq_nocase(sn_slice_sub(name, 0, 6), SN_S("x-amz-")) &&
            !is_signed(signature->signed_headers, name)) {
            return sn_fail(err, SN_UNAUTHENTICATED, "SignatureDoesNotMatch",
                "'%.*s' must be a 'SignedHeader' in the AWS Authorization.", SN_PRI(name));
        }
    }
    return SN_OK;
}

enum sn_status sn_lab_signature_read(const struct sn_request *request, const struct sn_query *query, int64_t now_unix_s,
    struct sn_lab_signature *out_signature, struct sn_error *err)
{
    struct sn_lab_signature found = {0};
    if (sn_query_find(query, "X-Amz-Signature") != NULL || sn_query_find(query, "X-Amz-Algorithm") != NULL) {
        if (sn_request_header(request, "authorization") != NULL) {
            return incomplete(err, "Only one of 'X-Amz-Signature' and 'Authorization' may be given.");
        }
        SN_TRY(read_from_query(query, &found, err));
    } else {
        SN_TRY(read_from_headers(request, &found, err));
    }
    SN_TRY(check_date(&found, now_unix_s, err));
    SN_TRY(check_coverage(request, &found, err));
    *out_signature = found;
    return SN_OK;
}

static void percent_encode(struct sn_buf *buf, struct sn_slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
            c == '_' || c == '~') {
            sn_buf_add_byte(buf, (char)c);
        } else {
            sn_buf_add_byte(buf, '%');
            sn_buf_add_byte(buf, digits[c >> 4]);
            sn_buf_add_byte(buf, digits[c & 15]);
        }
    }
}

struct encoded_param {
    size_t start, name_len, len; /* "name=value" in a buffer */
};

static int compare_params(const char *text, const struct encoded_param *a, const struct encoded_param *b)
{
    int order =
        sn_slice_cmp((struct sn_slice){text + a->start, a->name_len}, (struct sn_slice){text + b->start, b->name_len});
    if (order != 0) {
        return order;
    }
    return sn_slice_cmp((struct sn_slice){text + a->start, a->len}, (struct sn_slice){text + b->start, b->len});
}

static void add_canonical_query(struct sn_buf *out, const struct sn_query *query, bool in_query)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(CANONICAL_MAX_BYTES);
    struct encoded_param params[MAX_QUERY_PARAMS];
    size_t count = 0;
    for (size_t i = 0; i < query->count && count < MAX_QUERY_PARAMS; i++) {
        if (in_query && sn_slice_eq_str(query->params[i].name, "X-Amz-Signature")) {
            continue;
        }
        struct encoded_param param = {.start = text.len};
        percent_encode(&text, query->params[i].name);
        param.name_len = text.len - param.start;
        sn_buf_add_byte(&text, '=');
        percent_encode(&text, query->params[i].value);
        param.len = text.len - param.start;
        size_t place = count++;
        while (place > 0 && compare_params(text.ptr, &params[place - 1], &param) > 0) {
            params[place] = params[place - 1];
            place--;
        }
        params[place] = param;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            sn_buf_add_byte(out, '&');
        }
        sn_buf_add(out, (struct sn_slice){text.ptr + params[i].start, params[i].len});
    }
}

/* Blanks at the ends go, runs of blanks inside become one. */
static void add_header_value(struct sn_buf *out, struct sn_slice value)
{
    value = sn_slice_trim(value);
    bool blank = false;
    for (size_t i = 0; i < value.len; i++) {
        bool is_blank = value.ptr[i] == ' ' || value.ptr[i] == '\t';
        if (!is_blank) {
            if (blank) {
                sn_buf_add_byte(out, ' ');
            }
            sn_buf_add_byte(out, value.ptr[i]);
        }
        blank = is_blank;
    }
}

static bool add_canonical_headers(struct sn_buf *out, const struct sn_request *request, struct sn_slice names)
{
    struct sn_slice previous = {0};
    struct sn_slice name = {0};
    size_t count = 0;
    while (sn_slice_next(&names, ';', &name)) {
        bool found = false;
        if (++count > SN_LAB_MAX_SIGNED_HEADERS || (previous.len > 0 && sn_slice_cmp(previous, name) >= 0)) {
            return false;
        }
        sn_buf_add(out, name);
        sn_buf_add_byte(out, ':');
        for (size_t i = 0; i < request->header_count; i++) {
            if (sn_slice_eq_nocase(request->headers[i].name, name)) {
                if (found) {
                    sn_buf_add_byte(out, ',');
                }
                add_header_value(out, request->headers[i].value);
                found = true;
            }
        }
        if (!found) {
            return false;
        }
        sn_buf_add_byte(out, '\n');
        previous = name;
    }
    return count > 0;
}

static void add_canonical_path(struct sn_buf *out, struct sn_slice path)
{
    struct sn_slice segment = {0};
    struct sn_slice rest = path;
    while (sn_slice_cut(rest, '/', &segment, &rest)) {
        percent_encode(out, segment);
        sn_buf_add_byte(out, '/');
    }
    percent_encode(out, segment);
}

void sn_lab_signing_key(
    struct sn_slice secret, const struct sn_lab_signature *signature, unsigned char out_key[SN_LAB_SIGNING_KEY_LEN])
{
    SN_AUTO(sn_buf_clear) struct sn_buf start = SN_BUF_INIT(512);
    unsigned char step[SN_SHA256_LEN];
    sn_buf_add_str(&start, "AWS4");
    sn_buf_add(&start, secret);
    sn_hmac_sha256(sn_buf_slice(&start), signature->date, step);
    sn_hmac_sha256(sn_slice_bytes(step, sizeof(step)), signature->region, out_key);
    sn_hmac_sha256(sn_slice_bytes(out_key, SN_SHA256_LEN), signature->service, step);
    sn_hmac_sha256(sn_slice_bytes(step, sizeof(step)), SN_S("aws4_request"), out_key);
    sn_wipe(step, sizeof(step));
}

enum sn_status sn_lab_signature_check(const struct sn_request *request, const struct sn_query *query,
    const struct sn_lab_signature *signature, const unsigned char key[SN_LAB_SIGNING_KEY_LEN], struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = SN_BUF_INIT(CANONICAL_MAX_BYTES);
    char hash[SN_SHA256_HEX_LEN + 1];
    unsigned char digest[SN_SHA256_LEN];

    if (signature->signature.len != SN_LAB_SIGNATURE_HEX_LEN || query->count > MAX_QUERY_PARAMS) {
        return mismatch(err);
    }
    sn_buf_add(&text, request->method_text);
    sn_buf_add_byte(&text, '\n');
    add_canonical_path(&text, request->path);
    sn_buf_add_byte(&text, '\n');
    add_canonical_query(&text, query, signature->in_query);
    sn_buf_add_byte(&text, '\n');
    if (!add_canonical_headers(&text, request, signature->signed_headers)) {
        return mismatch(err);
    }
    sn_buf_add_byte(&text, '\n');
    sn_buf_add(&text, signature->signed_headers);
    sn_buf_add_byte(&text, '\n');
    sn_sha256_hex(request->body, hash);
    sn_buf_add_str(&text, hash);
    if (text.overflow) {
        return mismatch(err);
    }
    sn_sha256_hex(sn_buf_slice(&text), hash);

    sn_buf_reset(&text);
    sn_buf_add_str(&text, algorithm);
    sn_buf_add_byte(&text, '\n');
    sn_buf_add(&text, signature->amz_date);
    sn_buf_add_byte(&text, '\n');
    sn_buf_add(&text, signature->scope);
    sn_buf_add_byte(&text, '\n');
    sn_buf_add_str(&text, hash);
    sn_hmac_sha256(sn_slice_bytes(key, SN_LAB_SIGNING_KEY_LEN), sn_buf_slice(&text), digest);

    sn_buf_reset(&text);
    sn_buf_add_hex(&text, digest, sizeof(digest));
    return sn_slice_eq_const_time(sn_buf_slice(&text), signature->signature) ? SN_OK : mismatch(err);
}
