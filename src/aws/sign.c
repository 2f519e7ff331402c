/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws/sign.c - AWS Signature Version 4.
 *
 * The canonical request, the string to sign and the signature are made one after the other and kept, so that a test can
 * name the stage that is wrong. All text that may hold a session token stays in buffers, which wipe themselves.
 */
#include "aws/sign.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/time.h"
#include "codec/uri.h"
#include "crypto/hash.h"

enum {
    SN_SIGN_MAX_HEADERS = 64,
    SN_SIGN_MAX_PARAMS = 1024,
    SN_SIGN_MAX_SEGMENTS = 1024,
    SN_SIGN_DATE_LEN = 8,
    SN_SIGN_MAX_EXPIRES_S = 604800, /* AWS: a week */
};

#define SN_SIGN_ALGORITHM "AWS4-HMAC-SHA256"

/* One header to be signed: name in lower case, and the order in which it was given for equal names. */
struct header_entry {
    struct sn_slice name, value;
    size_t index;
};

/* One query parameter as offsets into the buffer that holds its encoded text. */
struct param_entry {
    size_t name_at, name_len, value_at, value_len;
};

struct param_list {
    struct sn_buf text;
    struct param_entry *entries;
    size_t count;
};

/* Everything about one signature in the making. */
struct signing {
    const struct sn_sign_input *input;
    const struct sn_credentials *credentials;
    struct sn_signature *out;
    struct sn_arena arena; /* names and lists, no secrets */
    struct sn_buf scope;   /* date/region/service/aws4_request */
    char payload_hash[SN_SHA256_HEX_LEN + 1];
    struct header_entry headers[SN_SIGN_MAX_HEADERS];
    size_t header_count;
};

void sn_signature_clear(struct sn_signature *signature)
{
    if (signature == NULL) {
        return;
    }
    sn_buf_clear(&signature->canonical_request);
    sn_buf_clear(&signature->string_to_sign);
    sn_buf_clear(&signature->signed_headers);
    sn_buf_clear(&signature->authorization);
    sn_buf_clear(&signature->query);
    sn_wipe(signature->signature, sizeof(signature->signature));
    memset(signature->amz_date, 0, sizeof(signature->amz_date));
}

static void signing_clear(struct signing *s)
{
    sn_arena_clear(&s->arena);
    sn_buf_clear(&s->scope);
}

static void param_list_clear(struct param_list *list)
{
    sn_buf_clear(&list->text);
    sn_free(list->entries);
    list->entries = NULL;
    list->count = 0;
}

static enum sn_status check_input(const struct sn_sign_input *input, struct sn_error *err)
{
    if (input->method.len == 0 || !sn_slice_is_alnum_or(input->method, "-_")) {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "the method is no HTTP method");
    }
    if (input->region.len == 0 || !sn_slice_is_alnum_or(input->region, "-")) {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "the region to sign for is not a region");
    }
    if (input->service.len == 0 || !sn_slice_is_alnum_or(input->service, "-.")) {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "the service to sign for is not a service");
    }
    if (input->payload_hash.len > SN_SHA256_HEX_LEN) {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "the payload hash is too long");
    }
    if (input->presign && (input->expires_s < 1 || input->expires_s > SN_SIGN_MAX_EXPIRES_S)) {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "a presigned request lasts 1 s to a week");
    }
    return SN_OK;
}

static enum sn_status check_credentials(const struct sn_credentials *credentials, struct sn_error *err)
{
    struct sn_slice id = sn_slice_str(credentials->access_key_id);

    if (id.len == 0 || !sn_slice_is_alnum_or(id, "_") || !sn_secret_is_set(&credentials->secret_access_key)) {
        return sn_fail(err, SN_INVALID, "INVALID_CREDENTIALS", "the AWS credentials to sign with are incomplete");
    }
    return SN_OK;
}

static bool signs_token(const struct signing *s)
{
    return sn_secret_is_set(&s->credentials->session_token) && !s->input->omit_session_token;
}

/* --- Headers --- */

static enum sn_status add_header(struct signing *s, struct sn_slice name, struct sn_slice value, struct sn_error *err)
{
    char *lower = NULL;

    if (s->header_count == SN_SIGN_MAX_HEADERS) {
        return sn_fail(err, SN_LIMIT, "TOO_LARGE", "more than %d headers to sign", (int)SN_SIGN_MAX_HEADERS);
    }
    if (name.len == 0 || !sn_slice_is_alnum_or(name, "!#$%&'*+-.^_`|~")) {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "a header to sign has a malformed name");
    }
    lower = sn_arena_str(&s->arena, name);
    for (size_t i = 0; i < name.len; i++) {
        if (lower[i] >= 'A' && lower[i] <= 'Z') {
            lower[i] = (char)(lower[i] - 'A' + 'a');
        }
    }
    s->headers[s->header_count] =
        (struct header_entry){.name = {lower, name.len}, .value = value, .index = s->header_count};
    s->header_count++;
    return SN_OK;
}

static int header_cmp(const void *a, const void *b)
{
    const struct header_entry *x = a;
    const struct header_entry *y = b;
    int order = sn_slice_cmp(x->name, y->name);

    if (order != 0) {
        return order;
    }
    return x->index < y->index ? -1 : 1;
}

static bool is_reserved_header(struct sn_slice name)
{
    return sn_slice_eq_nocase(name, SN_S("x-amz-date")) || sn_slice_eq_nocase(name, SN_S("x-amz-security-token")) ||
           sn_slice_eq_nocase(name, SN_S("x-amz-content-sha256")) || sn_slice_eq_nocase(name, SN_S("authorization"));
}

static enum sn_status collect_headers(struct signing *s, struct sn_error *err)
{
    const struct sn_sign_input *input = s->input;
    size_t hosts = 0;

    for (size_t i = 0; i < input->header_count; i++) {
        if (is_reserved_header(input->headers[i].name)) {
            return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "header '%.*s' is added by the signer itself",
                SN_PRI(input->headers[i].name));
        }
        hosts += sn_slice_eq_nocase(input->headers[i].name, SN_S("host")) ? 1 : 0;
        SN_TRY(add_header(s, input->headers[i].name, input->headers[i].value, err));
    }
    if (hosts != 1) {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "a request is signed with exactly one host header");
    }
    if (!input->presign) {
        SN_TRY(add_header(s, SN_S("x-amz-date"), sn_slice_str(s->out->amz_date), err));
        if (signs_token(s)) {
            SN_TRY(add_header(s, SN_S("x-amz-security-token"), sn_secret_reveal(&s->credentials->session_token), err));
        }
        if (input->sign_payload_header) {
            SN_TRY(add_header(s, SN_S("x-amz-content-sha256"), sn_slice_str(s->payload_hash), err));
        }
    }
    qsort(s->headers, s->header_count, sizeof(s->headers[0]), header_cmp);
    return SN_OK;
}

/* Trims both ends and makes one blank of each run of white space, folded lines included. */
static void add_header_value(struct sn_buf *buf, struct sn_slice value)
{
    bool pending = false;
    bool any = false;

    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            pending = any;
            continue;
        }
        if (pending) {
            sn_buf_add_byte(buf, ' ');
            pending = false;
        }
        any = true;
        sn_buf_add_byte(buf, c);
    }
}

static void add_canonical_headers(struct signing *s, struct sn_buf *buf)
{
    for (size_t i = 0; i < s->header_count; i++) {
        bool again = i > 0 && sn_slice_eq(s->headers[i].name, s->headers[i - 1].name);
        if (again) {
            sn_buf_add_byte(buf, ',');
        } else {
            if (i > 0) {
                sn_buf_add_byte(buf, '\n');
            }
            sn_buf_add(buf, s->headers[i].name);
            sn_buf_add_byte(buf, ':');
        }
        add_header_value(buf, s->headers[i].value);
    }
    sn_buf_add_byte(buf, '\n');
}

static void make_signed_headers(struct signing *s)
{
    struct sn_buf *buf = &s->out->signed_headers;

    for (size_t i = 0; i < s->header_count; i++) {
        if (i > 0 && sn_slice_eq(s->headers[i].name, s->headers[i - 1].name)) {
            continue;
        }
        if (buf->len > 0) {
            sn_buf_add_byte(buf, ';');
        }
        sn_buf_add(buf, s->headers[i].name);
    }
}

/* --- Path --- */

/* RFC 3986 5.2.4, and empty segments dropped, as every service but S3 does. */
static enum sn_status normalize_path(struct signing *s, struct sn_slice path, struct sn_buf *out, struct sn_error *err)
{
    struct sn_slice *kept = sn_arena_alloc(&s->arena, SN_SIGN_MAX_SEGMENTS, sizeof(*kept));
    struct sn_slice rest = path;
    struct sn_slice segment;
    size_t count = 0;

    while (sn_slice_next(&rest, '/', &segment)) {
        if (segment.len == 0 || sn_slice_eq_str(segment, ".")) {
            continue;
        }
        if (sn_slice_eq_str(segment, "..")) {
            count -= count > 0 ? 1 : 0;
            continue;
        }
        if (count == SN_SIGN_MAX_SEGMENTS) {
            return sn_fail(err, SN_LIMIT, "TOO_LARGE", "a path of more than %d segments", (int)SN_SIGN_MAX_SEGMENTS);
        }
        kept[count++] = segment;
    }
    for (size_t i = 0; i < count; i++) {
        sn_buf_add_byte(out, '/');
        sn_buf_add(out, kept[i]);
    }
    if (count == 0 || path.ptr[path.len - 1] == '/') {
        sn_buf_add_byte(out, '/');
    }
    return SN_OK;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/*
 * Encodes once whatever way the text arrived: a %XX is decoded first, so "%7E", "~" and "%7e" end alike; a '%' that
 * begins no escape is a character of its own.
 */
static void add_encoded_once(struct sn_buf *buf, struct sn_slice text, bool keep_slash)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool escaped = false;

        if (c == '%' && text.len - i > 2 && hex_value(text.ptr[i + 1]) >= 0 && hex_value(text.ptr[i + 2]) >= 0) {
            c = (char)(unsigned char)(hex_value(text.ptr[i + 1]) * 16 + hex_value(text.ptr[i + 2]));
            escaped = true;
            i += 2;
        }
        /* An escaped slash is data, not a separator. */
        sn_uri_encode(buf, (struct sn_slice){&c, 1}, keep_slash && !escaped);
    }
}

static enum sn_status add_canonical_path(struct signing *s, struct sn_buf *buf, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf normalized = {0};
    struct sn_slice path = s->input->path;

    if (path.len == 0) {
        path = SN_S("/");
    }
    if (path.ptr[0] != '/') {
        return sn_fail(err, SN_INVALID, "INVALID_SIGNING_INPUT", "the path to sign does not begin with '/'");
    }
    if (s->input->normalize_path) {
        SN_TRY(normalize_path(s, path, &normalized, err));
        path = sn_buf_slice(&normalized);
    }
    if (s->input->double_encode_path) {
        sn_uri_encode(buf, path, true);
    } else {
        add_encoded_once(buf, path, true);
    }
    return sn_buf_check(&normalized, "the path to sign", err);
}

/* --- Query --- */

static void add_component(struct sn_buf *buf, struct sn_slice text, bool is_encoded)
{
    if (is_encoded) {
        add_encoded_once(buf, text, false);
    } else {
        sn_uri_encode(buf, text, false);
    }
}

static enum sn_status add_param(
    struct param_list *list, struct sn_slice name, struct sn_slice value, bool is_encoded, struct sn_error *err)
{
    struct param_entry *entry = NULL;

    if (list->count == SN_SIGN_MAX_PARAMS) {
        return sn_fail(err, SN_LIMIT, "TOO_LARGE", "more than %d query parameters", (int)SN_SIGN_MAX_PARAMS);
    }
    if (list->entries == NULL) {
        list->entries = sn_alloc(SN_SIGN_MAX_PARAMS, sizeof(*list->entries));
    }
    entry = &list->entries[list->count++];
    entry->name_at = list->text.len;
    add_component(&list->text, name, is_encoded);
    entry->name_len = list->text.len - entry->name_at;
    entry->value_at = list->text.len;
    add_component(&list->text, value, is_encoded);
    entry->value_len = list->text.len - entry->value_at;
    return SN_OK;
}

static int param_cmp(const void *a, const void *b, void *text)
{
    const struct param_entry *x = a;
    const struct param_entry *y = b;
    const char *base = text;
    int order = sn_slice_cmp(
        (struct sn_slice){base + x->name_at, x->name_len}, (struct sn_slice){base + y->name_at, y->name_len});

    if (order != 0) {
        return order;
    }
    return sn_slice_cmp(
        (struct sn_slice){base + x->value_at, x->value_len}, (struct sn_slice){base + y->value_at, y->value_len});
}

/* The parameters that carry a presigned request, in the order in which they are sent. */
struct presign_params {
    struct sn_buf credential, signed_headers, expires;
};

static void presign_params_clear(struct presign_params *p)
{
    sn_buf_clear(&p->credential);
    sn_buf_clear(&p->signed_headers);
    sn_buf_clear(&p->expires);
}

static void make_presign_params(struct signing *s, struct presign_params *p)
{
    sn_buf_addf(&p->credential, "%s/", s->credentials->access_key_id);
    sn_buf_add(&p->credential, sn_buf_slice(&s->scope));
    sn_buf_add(&p->signed_headers, sn_buf_slice(&s->out->signed_headers));
    sn_buf_add_int(&p->expires, s->input->expires_s);
}

static enum sn_status add_presign_params(struct signing *s, struct param_list *list, struct sn_error *err)
{
    SN_AUTO(presign_params_clear) struct presign_params p = {0};

    make_presign_params(s, &p);
    SN_TRY(add_param(list, SN_S("X-Amz-Algorithm"), SN_S(SN_SIGN_ALGORITHM), false, err));
    SN_TRY(add_param(list, SN_S("X-Amz-Credential"), sn_buf_slice(&p.credential), false, err));
    SN_TRY(add_param(list, SN_S("X-Amz-Date"), sn_slice_str(s->out->amz_date), false, err));
    SN_TRY(add_param(list, SN_S("X-Amz-SignedHeaders"), sn_buf_slice(&p.signed_headers), false, err));
    SN_TRY(add_param(list, SN_S("X-Amz-Expires"), sn_buf_slice(&p.expires), false, err));
    if (signs_token(s)) {
        SN_TRY(add_param(
            list, SN_S("X-Amz-Security-Token"), sn_secret_reveal(&s->credentials->session_token), false, err));
    }
    return SN_OK;
}

static enum sn_status add_canonical_query(struct signing *s, struct sn_buf *buf, struct sn_error *err)
{
    SN_AUTO(param_list_clear) struct param_list list = {0};
    struct sn_slice rest = s->input->query;
    struct sn_slice part;
    struct sn_slice name;
    struct sn_slice value;

    while (sn_slice_next(&rest, '&', &part)) {
        value = (struct sn_slice){0};
        if (part.len == 0) {
            continue;
        }
        (void)sn_slice_cut(part, '=', &name, &value);
        SN_TRY(add_param(&list, name, value, true, err));
    }
    if (s->input->presign) {
        SN_TRY(add_presign_params(s, &list, err));
    }
    SN_TRY(sn_buf_check(&list.text, "the query to sign", err));
    if (list.count > 1) {
        qsort_r(list.entries, list.count, sizeof(list.entries[0]), param_cmp, list.text.ptr);
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct param_entry *entry = &list.entries[i];
        if (i > 0) {
            sn_buf_add_byte(buf, '&');
        }
        sn_buf_add_bytes(buf, list.text.ptr + entry->name_at, entry->name_len);
        sn_buf_add_byte(buf, '=');
        sn_buf_add_bytes(buf, list.text.ptr + entry->value_at, entry->value_len);
    }
    return SN_OK;
}

/* --- Stages --- */

static enum sn_status make_canonical_request(struct signing *s, struct sn_error *err)
{
    struct sn_buf *buf = &s->out->canonical_request;

    sn_buf_add(buf, s->input->method);
    sn_buf_add_byte(buf, '\n');
    SN_TRY(add_canonical_path(s, buf, err));
    sn_buf_add_byte(buf, '\n');
    SN_TRY(add_canonical_query(s, buf, err));
    sn_buf_add_byte(buf, '\n');
    add_canonical_headers(s, buf);
    sn_buf_add_byte(buf, '\n');
    sn_buf_add(buf, sn_buf_slice(&s->out->signed_headers));
    sn_buf_add_byte(buf, '\n');
    sn_buf_add_str(buf, s->payload_hash);
    return sn_buf_check(buf, "the canonical request", err);
}

static void make_string_to_sign(struct signing *s)
{
    struct sn_buf *buf = &s->out->string_to_sign;
    char hash[SN_SHA256_HEX_LEN + 1];

    sn_sha256_hex(sn_buf_slice(&s->out->canonical_request), hash);
    sn_buf_addf(buf, SN_SIGN_ALGORITHM "\n%s\n", s->out->amz_date);
    sn_buf_add(buf, sn_buf_slice(&s->scope));
    sn_buf_addf(buf, "\n%s", hash);
}

/* The signing key is derived anew each time: four HMACs cost microseconds, and a kept key would be one more secret. */
static void make_signature(struct signing *s)
{
    SN_AUTO(sn_secret_clear) struct sn_secret seed = {0};
    struct sn_slice secret = sn_secret_reveal(&s->credentials->secret_access_key);
    static const char hex[] = "0123456789abcdef";
    const struct sn_slice steps[] = {{s->out->amz_date, SN_SIGN_DATE_LEN}, s->input->region, s->input->service,
        SN_S_INIT("aws4_request"), sn_buf_slice(&s->out->string_to_sign)};
    unsigned char key[2][SN_SHA256_LEN];
    size_t now = 0;

    sn_secret_alloc(&seed, 4 + secret.len);
    memcpy(seed.bytes, "AWS4", 4);
    memcpy(seed.bytes + 4, secret.ptr, secret.len);
    sn_hmac_sha256(sn_secret_reveal(&seed), steps[0], key[now]);
    for (size_t i = 1; i < SN_LEN(steps); i++) {
        sn_hmac_sha256(sn_slice_bytes(key[now], SN_SHA256_LEN), steps[i], key[1 - now]);
        now = 1 - now;
    }
    for (size_t i = 0; i < SN_SHA256_LEN; i++) {
        s->out->signature[2 * i] = hex[key[now][i] >> 4];
        s->out->signature[2 * i + 1] = hex[key[now][i] & 15];
    }
    s->out->signature[64] = '\0';
    sn_wipe(key, sizeof(key));
}

static void make_authorization(struct signing *s)
{
    struct sn_buf *buf = &s->out->authorization;

    sn_buf_addf(buf, SN_SIGN_ALGORITHM " Credential=%s/", s->credentials->access_key_id);
    sn_buf_add(buf, sn_buf_slice(&s->scope));
    sn_buf_add_str(buf, ", SignedHeaders=");
    sn_buf_add(buf, sn_buf_slice(&s->out->signed_headers));
    sn_buf_addf(buf, ", Signature=%s", s->out->signature);
}

static void add_query_pair(struct sn_buf *buf, const char *name, struct sn_slice value)
{
    if (buf->len > 0) {
        sn_buf_add_byte(buf, '&');
    }
    sn_buf_add_str(buf, name);
    sn_buf_add_byte(buf, '=');
    sn_uri_encode(buf, value, false);
}

static enum sn_status make_presigned_query(struct signing *s, struct sn_error *err)
{
    SN_AUTO(presign_params_clear) struct presign_params p = {0};
    struct sn_buf *buf = &s->out->query;

    make_presign_params(s, &p);
    sn_buf_add(buf, s->input->query);
    add_query_pair(buf, "X-Amz-Algorithm", SN_S(SN_SIGN_ALGORITHM));
    add_query_pair(buf, "X-Amz-Credential", sn_buf_slice(&p.credential));
    add_query_pair(buf, "X-Amz-Date", sn_slice_str(s->out->amz_date));
    add_query_pair(buf, "X-Amz-SignedHeaders", sn_buf_slice(&p.signed_headers));
    add_query_pair(buf, "X-Amz-Expires", sn_buf_slice(&p.expires));
    if (sn_secret_is_set(&s->credentials->session_token)) {
        add_query_pair(buf, "X-Amz-Security-Token", sn_secret_reveal(&s->credentials->session_token));
    }
    add_query_pair(buf, "X-Amz-Signature", sn_slice_str(s->out->signature));
    return sn_buf_check(buf, "the presigned query", err);
}

static enum sn_status sign_stages(struct signing *s, struct sn_error *err)
{
    SN_TRY(collect_headers(s, err));
    make_signed_headers(s);
    SN_TRY(make_canonical_request(s, err));
    make_string_to_sign(s);
    make_signature(s);
    if (s->input->presign) {
        return make_presigned_query(s, err);
    }
    make_authorization(s);
    return sn_buf_check(&s->out->authorization, "the Authorization header", err);
}

enum sn_status sn_sign_v4(const struct sn_sign_input *input, const struct sn_credentials *credentials,
    struct sn_signature *out_signature, struct sn_error *err)
{
    SN_AUTO(signing_clear) struct signing s = {.input = input, .credentials = credentials};
    SN_AUTO(sn_signature_clear) struct sn_signature made = {0};
    char amz[SN_TIME_TEXT_MAX];

    SN_TRY(check_input(input, err));
    SN_TRY(check_credentials(credentials, err));
    s.out = &made;
    (void)sn_time_format_amz(input->unix_s, amz);
    memcpy(made.amz_date, amz, SN_TIME_AMZ_LEN + 1);
    sn_buf_add_bytes(&s.scope, made.amz_date, SN_SIGN_DATE_LEN);
    sn_buf_addf(&s.scope, "/%.*s/%.*s/aws4_request", SN_PRI(input->region), SN_PRI(input->service));
    if (input->payload_hash.len > 0) {
        memcpy(s.payload_hash, input->payload_hash.ptr, input->payload_hash.len);
    } else {
        sn_sha256_hex(input->body, s.payload_hash);
    }
    SN_TRY(sign_stages(&s, err));
    sn_signature_clear(out_signature);
    *out_signature = made;
    memset(&made, 0, sizeof(made)); /* given away */
    return SN_OK;
}
