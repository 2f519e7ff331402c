/* SPDX-License-Identifier: Apache-2.0 */
/* tests/bench/load_requests.c - reading and signing of what is sent; see load_requests.h. */
#include "load_requests.h"

#include <stdio.h>
#include <string.h>

#include "aws/proof.h"
#include "aws/sign.h"
#include "aws/sts_request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/random.h"
#include "codec/base64.h"

enum { MAX_FILE = 64 * 1024 * 1024, MAX_FIXED = 100 * 1000, MAX_USERS = 10 * 1000, NONCE_BYTES = 16 };

/* --- Reading --- */

static size_t body_len_of(struct sn_slice head)
{
    struct sn_slice line, key, value;
    struct sn_error ignored;
    int64_t len = 0;
    while (sn_slice_next(&head, '\n', &line)) {
        if (sn_slice_cut(line, ':', &key, &value) && sn_slice_eq_nocase(key, SN_S("content-length")) &&
            sn_parse_int(sn_slice_trim_space(value), 0, MAX_FILE, &len, &ignored) == SN_OK) {
            return (size_t)len;
        }
    }
    return 0;
}

enum sn_status load_requests_read_file(struct load_requests *requests, const char *path, struct sn_error *err)
{
    SN_TRY(sn_fs_read(path, MAX_FILE, &requests->text, err));
    requests->fixed = sn_alloc(MAX_FIXED, sizeof(*requests->fixed));
    struct sn_slice rest = sn_buf_slice(&requests->text);
    while (rest.len > 0 && requests->fixed_count < MAX_FIXED) {
        const char *end = memmem(rest.ptr, rest.len, "\r\n\r\n", 4);
        if (end == NULL) {
            return sn_fail(err, SN_INVALID, "LOAD_FILE", "'%s' does not end with a whole request", path);
        }
        size_t head_len = (size_t)(end - rest.ptr) + 4;
        size_t len = head_len + body_len_of(sn_slice_sub(rest, 0, head_len));
        requests->fixed[requests->fixed_count++] = sn_slice_sub(rest, 0, len);
        rest = sn_slice_sub(rest, len, rest.len);
    }
    return requests->fixed_count > 0 ? SN_OK : sn_fail(err, SN_INVALID, "LOAD_FILE", "'%s' is empty", path);
}

enum sn_status load_requests_read_users(struct load_requests *requests, const char *path, struct sn_error *err)
{
    SN_AUTO(sn_buf_clear) struct sn_buf text = {0};
    struct sn_slice line;
    SN_TRY(sn_fs_read(path, MAX_FILE, &text, err));
    requests->users = sn_alloc(MAX_USERS, sizeof(*requests->users));
    struct sn_slice rest = sn_buf_slice(&text);
    while (sn_slice_next(&rest, '\n', &line) && requests->user_count < MAX_USERS) {
        struct sn_credentials *user = &requests->users[requests->user_count];
        struct sn_slice id, secret, token;
        if (sn_slice_trim_space(line).len == 0) {
            continue;
        }
        if (!sn_slice_cut(sn_slice_trim_space(line), ' ', &id, &secret) || id.len > SN_ACCESS_KEY_ID_MAX) {
            return sn_fail(err, SN_INVALID, "LOAD_USERS", "'%s' holds a line without key and secret", path);
        }
        if (sn_slice_cut(secret, ' ', &secret, &token)) {
            sn_secret_set(&user->session_token, token);
        }
        memcpy(user->access_key_id, id.ptr, id.len);
        sn_secret_set(&user->secret_access_key, secret);
        requests->user_count++;
    }
    return requests->user_count > 0 ? SN_OK : sn_fail(err, SN_INVALID, "LOAD_USERS", "'%s' holds no user", path);
}

void load_requests_clear(struct load_requests *requests)
{
    for (size_t i = 0; i < requests->user_count; i++) {
        sn_credentials_clear(&requests->users[i]);
    }
    sn_free(requests->users);
    sn_free(requests->fixed);
    sn_buf_clear(&requests->text);
    *requests = (struct load_requests){0};
}

/* --- Making --- */

static void add_header(struct sn_buf *out, const char *name, struct sn_slice value)
{
    if (value.len > 0) {
        sn_buf_addf(out, "%s: ", name);
        sn_buf_add(out, value);
        sn_buf_add_str(out, "\r\n");
    }
}

static enum sn_status make_vend(
    const struct load_requests *requests, uint64_t number, struct sn_buf *out, struct sn_error *err)
{
    SN_AUTO(sn_proof_headers_clear) struct sn_proof_headers proof = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf nonce = {0};
    unsigned char random[NONCE_BYTES];
    char hash[SN_REQUEST_HASH_LEN + 1];
    sn_buf_addf(&body, "{\"profile\":\"%s\"}", requests->profile);
    SN_TRY(sn_random_fill(sn_random_system(), random, sizeof(random), err));
    sn_base64url_encode(&nonce, random, sizeof(random));
    sn_request_hash(SN_S("POST"), SN_S("/v1/credentials"), SN_S(""), sn_buf_slice(&body), hash);
    const struct sn_proof_input input = {
        .audience = sn_slice_str(requests->audience),
        .request_hash = sn_slice_str(hash),
        .nonce = sn_buf_slice(&nonce),
        .region = sn_slice_str(requests->region),
        .sts_authority = sn_slice_str(requests->sts_host),
        .unix_s = sn_clock_unix_s(sn_clock_system()),
    };
    SN_TRY(sn_proof_make(&input, &requests->users[number % requests->user_count], &proof, err));
    sn_buf_addf(out,
        "POST /v1/credentials HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n",
        requests->host, body.len);
    add_header(out, "Authorization", sn_buf_slice(&proof.authorization));
    add_header(out, "X-Amz-Date", sn_buf_slice(&proof.amz_date));
    add_header(out, "X-Amz-Security-Token", sn_buf_slice(&proof.security_token));
    add_header(out, "X-Sentinel-Audience", sn_buf_slice(&proof.audience));
    add_header(out, "X-Sentinel-Nonce", sn_buf_slice(&proof.nonce));
    add_header(out, "X-Sentinel-Request", sn_buf_slice(&proof.request));
    sn_buf_add_str(out, "\r\n");
    sn_buf_add(out, sn_buf_slice(&body));
    return SN_OK;
}

/* The same call that the TVM makes for a vend, so that the two rates compare. */
static enum sn_status format_assume_role(
    const struct load_requests *requests, uint64_t number, struct sn_buf *out_body, struct sn_error *err)
{
    static const struct sn_slice key[] = {SN_S_INIT("SentinelSessionID")};
    char id[SN_ID_LEN + 1], name[64], identity[64];
    (void)snprintf(id, sizeof(id), "%016llu", (unsigned long long)number);
    (void)snprintf(name, sizeof(name), "load-%s", id);
    (void)snprintf(identity, sizeof(identity), "sentinel=load=direct=%s", id);
    const struct sn_slice value[] = {sn_slice_str(id)};
    const struct sn_assume_role input = {
        .role_arn = sn_slice_str(requests->role_arn),
        .session_name = sn_slice_str(name),
        .source_identity = sn_slice_str(identity),
        .duration_s = 900,
        .tag_keys = key,
        .tag_values = value,
        .tag_count = 1,
    };
    return sn_sts_format_assume_role(&input, out_body, err);
}

static enum sn_status make_assume_role(
    const struct load_requests *requests, uint64_t number, struct sn_buf *out, struct sn_error *err)
{
    SN_AUTO(sn_signature_clear) struct sn_signature signature = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf body = {0};
    const struct sn_credentials *user = &requests->users[number % requests->user_count];
    static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
    SN_TRY(format_assume_role(requests, number, &body, err));
    const struct sn_sign_header headers[] = {
        {SN_S_INIT("content-type"), sn_slice_str(type)},
        {SN_S_INIT("host"), sn_slice_str(requests->host)},
    };
    const struct sn_sign_input sign = {
        .method = SN_S("POST"),
        .path = SN_S("/"),
        .headers = headers,
        .header_count = SN_LEN(headers),
        .body = sn_buf_slice(&body),
        .region = sn_slice_str(requests->region),
        .service = SN_S("sts"),
        .unix_s = sn_clock_unix_s(sn_clock_system()),
        .normalize_path = true,
        .double_encode_path = true,
    };
    SN_TRY(sn_sign_v4(&sign, user, &signature, err));
    sn_buf_addf(out, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nAccept: text/xml\r\n",
        requests->host, type, body.len);
    add_header(out, "X-Amz-Date", sn_slice_str(signature.amz_date));
    add_header(out, "X-Amz-Security-Token", sn_secret_reveal(&user->session_token));
    add_header(out, "Authorization", sn_buf_slice(&signature.authorization));
    sn_buf_add_str(out, "\r\n");
    sn_buf_add(out, sn_buf_slice(&body));
    return SN_OK;
}

enum sn_status load_requests_make(void *ctx, uint64_t number, struct sn_buf *out_request, struct sn_error *err)
{
    const struct load_requests *requests = ctx;
    switch (requests->kind) {
    case LOAD_FIXED:
        sn_buf_add(out_request, requests->fixed[number % requests->fixed_count]);
        return SN_OK;
    case LOAD_VEND:
        return make_vend(requests, number, out_request, err);
    case LOAD_ASSUME_ROLE:
        return make_assume_role(requests, number, out_request, err);
    }
    return sn_fail(err, SN_INTERNAL, "LOAD_KIND", "unknown kind of request");
}
