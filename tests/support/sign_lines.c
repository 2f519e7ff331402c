/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/sign_lines.c - signs one request a line, so that another signer can be compared with ours.
 *
 * stdin: JSON objects, one a line (see the members read below); stdout: a JSON object a line with what was made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sign.h"
#include "base/alloc.h"
#include "codec/base64.h"
#include "codec/json.h"

enum { MAX_LINE = 1024 * 1024, MAX_HEADERS = 48 };

static struct sn_slice text_of(const struct sn_json *root, const char *name)
{
    return sn_json_text(sn_json_get(root, name));
}

static size_t read_headers(const struct sn_json *list, struct sn_sign_header headers[MAX_HEADERS])
{
    size_t count = sn_json_count(list) < MAX_HEADERS ? sn_json_count(list) : MAX_HEADERS;

    for (size_t i = 0; i < count; i++) {
        const struct sn_json *pair = sn_json_at(list, i);
        headers[i] = (struct sn_sign_header){sn_json_text(sn_json_at(pair, 0)), sn_json_text(sn_json_at(pair, 1))};
    }
    return count;
}

static void read_keys(const struct sn_json *root, struct sn_credentials *keys)
{
    (void)snprintf(keys->access_key_id, sizeof(keys->access_key_id), "%.*s", SN_PRI(text_of(root, "key")));
    sn_secret_set(&keys->secret_access_key, text_of(root, "secret"));
    if (text_of(root, "token").len > 0) {
        sn_secret_set(&keys->session_token, text_of(root, "token"));
    }
}

static void write_answer(const struct sn_signature *s, struct sn_buf *out)
{
    struct sn_json_writer w;

    sn_json_writer_init(&w, out);
    sn_json_begin_object(&w);
    sn_json_member_str(&w, "signature", s->signature);
    sn_json_member_text(&w, "authorization", sn_buf_slice(&s->authorization));
    sn_json_member_text(&w, "canonical", sn_buf_slice(&s->canonical_request));
    sn_json_member_text(&w, "query", sn_buf_slice(&s->query));
    sn_json_end_object(&w);
    sn_buf_add_byte(out, '\n');
}

static enum sn_status sign_root(const struct sn_json *root, struct sn_buf *out, struct sn_error *err)
{
    SN_AUTO(sn_credentials_clear) struct sn_credentials keys = {0};
    SN_AUTO(sn_signature_clear) struct sn_signature signature = {0};
    struct sn_sign_header headers[MAX_HEADERS];
    struct sn_slice hex = text_of(root, "body_hex");
    SN_AUTO(sn_free_p) char *body = sn_alloc(hex.len / 2 + 1, 1);

    SN_TRY(sn_hex_decode(hex, false, body, hex.len / 2, err));
    read_keys(root, &keys);
    struct sn_sign_input input = {.method = text_of(root, "method"),
        .path = text_of(root, "path"),
        .query = text_of(root, "query"),
        .headers = headers,
        .header_count = read_headers(sn_json_get(root, "headers"), headers),
        .payload_hash = text_of(root, "payload_hash"),
        .body = {body, hex.len / 2},
        .region = text_of(root, "region"),
        .service = text_of(root, "service"),
        .unix_s = sn_json_int(sn_json_get(root, "unix_s"), 0),
        .normalize_path = sn_json_bool(sn_json_get(root, "normalize"), true),
        .double_encode_path = sn_json_bool(sn_json_get(root, "double_encode"), true),
        .sign_payload_header = sn_json_bool(sn_json_get(root, "payload_header"), false),
        .presign = sn_json_get(root, "expires_s") != NULL,
        .expires_s = sn_json_int(sn_json_get(root, "expires_s"), 0)};
    SN_TRY(sn_sign_v4(&input, &keys, &signature, err));
    write_answer(&signature, out);
    return SN_OK;
}

static enum sn_status sign_line(struct sn_slice line, struct sn_buf *out, struct sn_error *err)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;

    SN_TRY(sn_json_parse(line, &sn_json_limits_document, &doc, err));
    return sign_root(sn_json_root(doc), out, err);
}

int main(void)
{
    SN_AUTO(sn_free_p) char *line = sn_alloc(MAX_LINE, 1);
    SN_AUTO(sn_buf_clear) struct sn_buf out = {0};
    struct sn_error err;

    while (fgets(line, MAX_LINE, stdin) != NULL) {
        sn_buf_reset(&out);
        if (sign_line(sn_slice_trim_space(sn_slice_str(line)), &out, &err) != SN_OK) {
            (void)fprintf(stderr, "%s: %s\n", err.code, err.message);
            return 1;
        }
        (void)fwrite(out.ptr, 1, out.len, stdout);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
