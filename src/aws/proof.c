/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/proof.c - proof of identity: making one, and the seven checks of its form.
 *
 * A check never looks past the first fault, so the answer is the same whatever else is wrong, and nothing goes to STS
 * before all have passed.
 */
#include "aws/proof.h"

#include <string.h>

#include "aws/endpoint.h"
#include "aws/sign.h"
#include "base/time.h"
#include "codec/base64.h"
#include "crypto/hash.h"

enum {
    SN_PROOF_AKID_MIN = 16,
    SN_PROOF_DAY_LEN = 8,
    SN_PROOF_SIGNATURE_LEN = 64,
    SN_PROOF_TOKEN_MAX = 6144,
    SN_PROOF_AUDIENCE_MAX = 512,
};

void sn_request_hash(struct sn_slice method, struct sn_slice path, struct sn_slice query, struct sn_slice body,
    char out_hex[SN_REQUEST_HASH_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    char body_hash[SN_SHA256_HEX_LEN + 1];
    unsigned char hash[SN_SHA256_LEN];
    const struct sn_slice lf = SN_S("\n");

    sn_sha256_hex(body, body_hash);
    const struct sn_slice parts[] = {method, lf, path, lf, query, lf, {body_hash, SN_SHA256_HEX_LEN}, lf};
    sn_sha256_parts(parts, SN_LEN(parts), hash);
    for (size_t i = 0; i < SN_SHA256_LEN; i++) {
        out_hex[2 * i] = digits[hash[i] >> 4];
        out_hex[2 * i + 1] = digits[hash[i] & 15];
    }
    out_hex[SN_REQUEST_HASH_LEN] = '\0';
}

/* --- Client --- */

void sn_proof_headers_clear(struct sn_proof_headers *headers)
{
    if (headers == NULL) {
        return;
    }
    sn_buf_clear(&headers->authorization);
    sn_buf_clear(&headers->amz_date);
    sn_buf_clear(&headers->security_token);
    sn_buf_clear(&headers->audience);
    sn_buf_clear(&headers->nonce);
    sn_buf_clear(&headers->request);
}

static bool is_key_id(struct sn_slice text)
{
    if (text.len < SN_PROOF_AKID_MIN || text.len > SN_ACCESS_KEY_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z') && !(text.ptr[i] >= '0' && text.ptr[i] <= '9')) {
            return false;
        }
    }
    return true;
}

enum sn_status sn_proof_make(const struct sn_proof_input *input, const struct sn_credentials *credentials,
    struct sn_proof_headers *out_headers, struct sn_error *err)
{
    SN_AUTO(sn_signature_clear) struct sn_signature signature = {0};
    struct sn_sign_header headers[5] = {
        {SN_S("content-type"), SN_S(SN_PROOF_CONTENT_TYPE)},
        {SN_S("host"), input->sts_authority},
        {SN_S("x-sentinel-audience"), input->audience},
        {SN_S("x-sentinel-request"), input->request_hash},
        {SN_S("x-sentinel-nonce"), input->nonce},
    };
    struct sn_sign_input sign = {
        .method = SN_S("POST"),
        .path = SN_S("/"),
        .headers = headers,
        .header_count = input->nonce.len > 0 ? 5 : 4,
        .body = SN_S(SN_PROOF_BODY),
        .region = input->region,
        .service = SN_S("sts"),
        .unix_s = input->unix_s,
        .normalize_path = true,
        .double_encode_path = true,
    };

    if (!is_key_id(sn_slice_str(credentials->access_key_id))) {
        return sn_fail(err, SN_INVALID, "INVALID_CREDENTIALS",
            "the access key id is not 16 to 128 capital letters and digits, so no server would take a proof by it");
    }
    SN_TRY(sn_sign_v4(&sign, credentials, &signature, err));
    sn_proof_headers_clear(out_headers);
    sn_buf_add(&out_headers->authorization, sn_buf_slice(&signature.authorization));
    sn_buf_add_str(&out_headers->amz_date, signature.amz_date);
    if (sn_secret_is_set(&credentials->session_token)) {
        sn_buf_add(&out_headers->security_token, sn_secret_reveal(&credentials->session_token));
    }
    sn_buf_add(&out_headers->audience, input->audience);
    sn_buf_add(&out_headers->nonce, input->nonce);
    sn_buf_add(&out_headers->request, input->request_hash);
    return SN_OK;
}

/* --- Server --- */

struct proof_header {
    const char *name;
    size_t offset; /* of a struct sn_slice in struct proof_values */
    bool required;
};

struct proof_values {
    struct sn_slice authorization, amz_date, token, audience, nonce, request;
};

static const struct proof_header proof_headers[] = {
    {"authorization", offsetof(struct proof_values, authorization), true},
    {"x-amz-date", offsetof(struct proof_values, amz_date), true},
    {"x-amz-security-token", offsetof(struct proof_values, token), false},
    {"x-sentinel-audience", offsetof(struct proof_values, audience), true},
    {"x-sentinel-nonce", offsetof(struct proof_values, nonce), false},
    {"x-sentinel-request", offsetof(struct proof_values, request), true},
};

static enum sn_status malformed(struct sn_error *err, const char *what)
{
    return sn_fail(err, SN_INVALID, "PROOF_MALFORMED", "the proof of identity is malformed: %s", what);
}

static bool has_any_proof(const struct sn_request *request)
{
    const struct sn_slice prefix = SN_S("x-sentinel-");

    for (size_t i = 0; i < request->header_count; i++) {
        struct sn_slice name = request->headers[i].name;
        if (sn_slice_eq_nocase(name, SN_S("authorization")) ||
            sn_slice_eq_nocase(sn_slice_sub(name, 0, prefix.len), prefix)) {
            return true;
        }
    }
    return false;
}

static bool is_printable(struct sn_slice text, bool allow_blank)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c > 0x7e || (c == ' ' && !allow_blank)) {
            return false;
        }
    }
    return true;
}

/* Each header of the table at most once, the required ones present, printable, all together within the limit. */
static enum sn_status collect_values(
    const struct sn_request *request, struct proof_values *out_values, struct sn_error *err)
{
    size_t total = 0;

    for (size_t i = 0; i < SN_LEN(proof_headers); i++) {
        const struct proof_header *row = &proof_headers[i];
        const struct sn_slice *value = sn_request_header(request, row->name);
        size_t count = sn_request_header_count(request, row->name);

        if (count > 1) {
            return malformed(err, "a header is repeated");
        }
        if (value == NULL) {
            if (row->required) {
                return malformed(err, "a header is missing");
            }
            continue;
        }
        if (value->len == 0 || !is_printable(*value, i == 0)) {
            return malformed(err, "a header is empty or holds a byte that is not printable");
        }
        total += strlen(row->name) + value->len;
        memcpy((char *)out_values + row->offset, value, sizeof(*value));
    }
    if (total > SN_PROOF_MAX_BYTES) {
        return malformed(err, "its headers hold more than 8,192 bytes");
    }
    return SN_OK;
}

/* Takes the literal off the front of rest. */
static bool take_literal(struct sn_slice *rest, struct sn_slice literal)
{
    if (!sn_slice_has_prefix(*rest, literal)) {
        return false;
    }
    *rest = sn_slice_sub(*rest, literal.len, rest->len);
    return true;
}

static bool take_until(struct sn_slice *rest, char separator, struct sn_slice *out_part)
{
    return sn_slice_cut(*rest, separator, out_part, rest);
}

static bool is_digits(struct sn_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

/* "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=x, Signature=y" and not one byte else. */
static enum sn_status read_authorization(
    struct sn_slice text, struct sn_proof *proof, struct sn_slice *out_service, struct sn_error *err)
{
    struct sn_slice rest = text;

    if (!take_literal(&rest, SN_S("AWS4-HMAC-SHA256 Credential=")) || !take_until(&rest, '/', &proof->access_key_id) ||
        !take_until(&rest, '/', &proof->date) || !take_until(&rest, '/', &proof->region) ||
        !take_until(&rest, '/', out_service) || !take_literal(&rest, SN_S("aws4_request, SignedHeaders=")) ||
        !take_until(&rest, ',', &proof->signed_headers) || !take_literal(&rest, SN_S(" Signature="))) {
        return malformed(err, "Authorization is not of its form");
    }
    proof->signature = rest;
    if (!is_key_id(proof->access_key_id)) {
        return malformed(err, "the access key id is not of its form");
    }
    if (proof->date.len != SN_PROOF_DAY_LEN || !is_digits(proof->date)) {
        return malformed(err, "the day of the scope is not of its form");
    }
    if (proof->region.len > SN_REGION_MAX || !sn_slice_is_alnum_or(proof->region, "-") || proof->region.len == 0 ||
        out_service->len == 0 || !sn_slice_is_alnum_or(*out_service, "-")) {
        return malformed(err, "the scope is not of its form");
    }
    if (proof->signature.len != SN_PROOF_SIGNATURE_LEN ||
        sn_hex_decode(proof->signature, false, proof->signature_bytes, sizeof(proof->signature_bytes), err) != SN_OK) {
        return malformed(err, "the signature is not 64 lower-case hexadecimal digits");
    }
    return SN_OK;
}

static bool is_nonce(struct sn_slice text)
{
    SN_AUTO(sn_buf_clear) struct sn_buf bytes = {0};
    struct sn_error ignored;

    return text.len == SN_PROOF_NONCE_LEN && sn_base64url_decode(text, &bytes, &ignored) == SN_OK && bytes.len == 16;
}

/* Check 2: every value has its form. */
static enum sn_status check_form(
    const struct sn_request *request, struct sn_proof *proof, struct sn_slice *out_service, struct sn_error *err)
{
    struct proof_values values = {0};
    unsigned char hash[SN_SHA256_LEN];

    SN_TRY(collect_values(request, &values, err));
    SN_TRY(read_authorization(values.authorization, proof, out_service, err));
    if (values.amz_date.len != SN_TIME_AMZ_LEN || sn_time_parse_amz(values.amz_date, &proof->unix_s, err) != SN_OK) {
        return malformed(err, "X-Amz-Date is no date of the form 20260201T100000Z");
    }
    if (values.token.len > SN_PROOF_TOKEN_MAX) {
        return malformed(err, "X-Amz-Security-Token is longer than 6,144 bytes");
    }
    if (values.audience.len > SN_PROOF_AUDIENCE_MAX) {
        return malformed(err, "X-Sentinel-Audience is longer than 512 bytes");
    }
    if (values.nonce.len > 0 && !is_nonce(values.nonce)) {
        return malformed(err, "X-Sentinel-Nonce is not 16 bytes in base64url");
    }
    if (values.request.len != SN_REQUEST_HASH_LEN ||
        sn_hex_decode(values.request, false, hash, sizeof(hash), err) != SN_OK) {
        return malformed(err, "X-Sentinel-Request is not 64 lower-case hexadecimal digits");
    }
    proof->amz_date = values.amz_date;
    proof->security_token = values.token;
    proof->audience = values.audience;
    proof->nonce = values.nonce;
    proof->request_hash = values.request;
    return SN_OK;
}

/* Check 3: what is signed is exactly what is rebuilt. */
static enum sn_status check_scope(const struct sn_proof *proof, struct sn_slice service, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf list = {0};

    if (!sn_slice_eq_str(service, "sts")) {
        return malformed(err, "it is not signed for sts");
    }
    sn_buf_addf(&list, "content-type;host;x-amz-date%s;x-sentinel-audience%s;x-sentinel-request",
        proof->security_token.len > 0 ? ";x-amz-security-token" : "", proof->nonce.len > 0 ? ";x-sentinel-nonce" : "");
    if (!sn_slice_eq(proof->signed_headers, sn_buf_slice(&list))) {
        return malformed(err, "the list of signed headers is not the one of the headers sent");
    }
    if (!sn_slice_eq(proof->date, sn_slice_sub(proof->amz_date, 0, SN_PROOF_DAY_LEN))) {
        return malformed(err, "X-Amz-Date is of another day than the scope");
    }
    return SN_OK;
}

/* Checks 4 to 7. */
static enum sn_status check_binding(const struct sn_request *request, const struct sn_proof_rules *rules,
    const struct sn_proof *proof, struct sn_error *err)
{
    char hash[SN_REQUEST_HASH_LEN + 1];
    int64_t skew_s = proof->unix_s - rules->now_unix_s;
    bool known = false;

    if (!sn_slice_eq(proof->region, rules->region)) {
        (void)sn_fail(err, SN_UNAUTHENTICATED, "PROOF_REGION", "the proof of identity is signed for another region");
        return sn_suggest(err, "sign it for region '%.*s'", SN_PRI(rules->region));
    }
    if (skew_s > SN_PROOF_SKEW_S || skew_s < -SN_PROOF_SKEW_S) {
        (void)sn_fail(err, SN_UNAUTHENTICATED, "PROOF_EXPIRED",
            "the proof of identity was signed more than %d s before or after the server's time", SN_PROOF_SKEW_S);
        return sn_suggest(err, "compare your clock with the Date of this answer and synchronise it");
    }
    for (size_t i = 0; i < rules->audience_count; i++) {
        known = known || sn_slice_eq(proof->audience, rules->audiences[i]);
    }
    if (!known) {
        (void)sn_fail(
            err, SN_UNAUTHENTICATED, "PROOF_AUDIENCE", "the proof of identity is addressed to another server");
        return sn_suggest(err, "the server is not published under this URL; its SENTINEL_PUBLIC_URL must list it");
    }
    sn_request_hash(request->method_text, request->path, request->query, request->body, hash);
    if (!sn_slice_eq_const_time(proof->request_hash, (struct sn_slice){hash, SN_REQUEST_HASH_LEN})) {
        (void)sn_fail(err, SN_UNAUTHENTICATED, "PROOF_MISMATCH", "the proof of identity belongs to another request");
        return sn_suggest(err, "a proxy on the way must leave method, path, query and body as they are");
    }
    return SN_OK;
}

enum sn_status sn_proof_check(const struct sn_request *request, const struct sn_proof_rules *rules,
    struct sn_proof *out_proof, struct sn_error *err)
{
    struct sn_proof proof = {0};
    struct sn_slice service = {0};

    if (!has_any_proof(request)) {
        (void)sn_fail(err, SN_UNAUTHENTICATED, "PROOF_REQUIRED", "this server wants a proof of identity");
        return sn_suggest(err, "use the sentinel client, which signs its requests");
    }
    SN_TRY(check_form(request, &proof, &service, err));
    SN_TRY(check_scope(&proof, service, err));
    SN_TRY(check_binding(request, rules, &proof, err));
    *out_proof = proof;
    return SN_OK;
}

void sn_proof_format_authorization(struct sn_buf *buf, const struct sn_proof *proof)
{
    sn_buf_add_str(buf, "AWS4-HMAC-SHA256 Credential=");
    sn_buf_add(buf, proof->access_key_id);
    sn_buf_add_byte(buf, '/');
    sn_buf_add(buf, proof->date);
    sn_buf_add_byte(buf, '/');
    sn_buf_add(buf, proof->region);
    sn_buf_add_str(buf, "/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date");
    if (proof->security_token.len > 0) {
        sn_buf_add_str(buf, ";x-amz-security-token");
    }
    sn_buf_add_str(buf, ";x-sentinel-audience");
    if (proof->nonce.len > 0) {
        sn_buf_add_str(buf, ";x-sentinel-nonce");
    }
    sn_buf_add_str(buf, ";x-sentinel-request, Signature=");
    sn_buf_add_hex(buf, proof->signature_bytes, sizeof(proof->signature_bytes));
}
