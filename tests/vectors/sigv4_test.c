/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS's published Signature Version 4 suite, stage by stage, in the header and in the query form.
 *
 * The folder is read in place: $SENTINEL_TEST_DATA/sigv4, else ../shared/data/sigv4 from the source tree; one folder a
 * case. Without it the test is skipped and says so.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aws/sign.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/fs.h"
#include "base/time.h"
#include "codec/json.h"

enum { MAX_HEADERS = 16, MAX_FILE = 65536, LEAST_CASES = 38 };

struct vector {
    char folder[1024];
    struct sn_buf request, context;
    struct sn_json_doc *doc;
    struct sn_sign_header headers[MAX_HEADERS];
    struct sn_sign_input input;
    struct sn_credentials credentials;
};

static const char *suite_folder(void)
{
    static char folder[1024];
    const char *data = sn_env_get("SENTINEL_TEST_DATA");
    const char *root = sn_env_get("SENTINEL_SOURCE_ROOT");

    if (data != NULL) {
        (void)snprintf(folder, sizeof(folder), "%s/sigv4", data);
    } else {
        (void)snprintf(folder, sizeof(folder), "%s/../shared/data/sigv4", root != NULL ? root : ".");
    }
    return folder;
}

static void must_read(const char *folder, const char *name, struct sn_buf *out)
{
    char path[2048];
    struct sn_error err;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (sn_fs_read(path, MAX_FILE, out, &err) != SN_OK) {
        fail_msg("%s", err.message);
    }
}

static struct sn_slice must_take_line(struct sn_slice *rest)
{
    struct sn_slice line;

    assert_true(sn_slice_next(rest, '\n', &line));
    return line;
}

/* "GET /a path?x=y HTTP/1.1": the target may hold blanks. */
static void read_request_line(struct vector *v, struct sn_slice line)
{
    struct sn_slice target;
    struct sn_slice version;

    assert_true(sn_slice_cut(line, ' ', &v->input.method, &target));
    assert_true(sn_slice_cut_last(target, ' ', &target, &version));
    (void)sn_slice_cut(target, '?', &v->input.path, &v->input.query);
}

static void read_request(struct vector *v)
{
    struct sn_slice rest = sn_buf_slice(&v->request);
    struct sn_slice line;

    read_request_line(v, must_take_line(&rest));
    while (rest.len > 0) {
        line = must_take_line(&rest);
        if (line.len == 0) {
            v->input.body = rest;
            break;
        }
        if (line.ptr[0] == ' ') { /* a folded value: it goes on */
            struct sn_slice *value = &v->headers[v->input.header_count - 1].value;
            value->len = (size_t)(line.ptr + line.len - value->ptr);
            continue;
        }
        assert_true(v->input.header_count < MAX_HEADERS);
        struct sn_sign_header *header = &v->headers[v->input.header_count++];
        assert_true(sn_slice_cut(line, ':', &header->name, &header->value));
    }
    v->input.headers = v->headers;
}

static void read_context(struct vector *v)
{
    struct sn_error err;
    const struct sn_json *root = NULL;
    const struct sn_json *keys = NULL;
    int64_t unix_ms = 0;

    assert_int_equal(sn_json_parse(sn_buf_slice(&v->context), &sn_json_limits_document, &v->doc, &err), SN_OK);
    root = sn_json_root(v->doc);
    keys = sn_json_get(root, "credentials");
    (void)snprintf(v->credentials.access_key_id, sizeof(v->credentials.access_key_id), "%.*s",
        SN_PRI(sn_json_text(sn_json_get(keys, "access_key_id"))));
    sn_secret_set(&v->credentials.secret_access_key, sn_json_text(sn_json_get(keys, "secret_access_key")));
    if (sn_json_get(keys, "token") != NULL) {
        sn_secret_set(&v->credentials.session_token, sn_json_text(sn_json_get(keys, "token")));
    }
    assert_int_equal(sn_time_parse_rfc3339(sn_json_text(sn_json_get(root, "timestamp")), &unix_ms, &err), SN_OK);
    v->input.unix_s = unix_ms / 1000;
    v->input.region = sn_json_text(sn_json_get(root, "region"));
    v->input.service = sn_json_text(sn_json_get(root, "service"));
    v->input.expires_s = sn_json_int(sn_json_get(root, "expiration_in_seconds"), 0);
    v->input.normalize_path = sn_json_bool(sn_json_get(root, "normalize"), false);
    v->input.sign_payload_header = sn_json_bool(sn_json_get(root, "sign_body"), false);
    v->input.omit_session_token = sn_json_bool(sn_json_get(root, "omit_session_token"), false);
    v->input.double_encode_path = true;
}

static void assert_stage(const struct vector *v, const char *file, struct sn_slice ours)
{
    SN_AUTO(sn_buf_clear) struct sn_buf expected = {0};

    must_read(v->folder, file, &expected);
    if (!sn_slice_eq(sn_slice_trim_space(sn_buf_slice(&expected)), ours)) {
        fail_msg("%s: %s differs; expected:\n%s\nours:\n%.*s", v->folder, file, sn_buf_str(&expected), SN_PRI(ours));
    }
}

/* The signed request of the suite holds this text of ours. */
static void assert_sent(const struct vector *v, const char *file, const char *before, struct sn_slice ours)
{
    SN_AUTO(sn_buf_clear) struct sn_buf expected = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf line = {0};

    must_read(v->folder, file, &expected);
    sn_buf_add_str(&line, before);
    sn_buf_add(&line, ours);
    if (!sn_slice_contains(sn_buf_slice(&expected), sn_buf_slice(&line))) {
        fail_msg("%s: %s does not hold:\n%s", v->folder, file, sn_buf_str(&line));
    }
}

static void check_form(struct vector *v, bool presign)
{
    SN_AUTO(sn_signature_clear) struct sn_signature s = {0};
    struct sn_error err;

    v->input.presign = presign;
    if (sn_sign_v4(&v->input, &v->credentials, &s, &err) != SN_OK) {
        fail_msg("%s: %s", v->folder, err.message);
    }
    assert_stage(v, presign ? "query-canonical-request.txt" : "header-canonical-request.txt",
        sn_buf_slice(&s.canonical_request));
    assert_stage(
        v, presign ? "query-string-to-sign.txt" : "header-string-to-sign.txt", sn_buf_slice(&s.string_to_sign));
    assert_stage(v, presign ? "query-signature.txt" : "header-signature.txt", sn_slice_str(s.signature));
    if (presign) {
        assert_sent(v, "query-signed-request.txt", "?", sn_buf_slice(&s.query));
    } else {
        assert_sent(v, "header-signed-request.txt", "Authorization:", sn_buf_slice(&s.authorization));
    }
}

static void check_case(const char *suite, const char *name)
{
    struct vector v = {0};

    (void)snprintf(v.folder, sizeof(v.folder), "%s/%s", suite, name);
    must_read(v.folder, "request.txt", &v.request);
    must_read(v.folder, "context.json", &v.context);
    read_request(&v);
    read_context(&v);
    check_form(&v, false);
    check_form(&v, true);
    sn_json_doc_free(v.doc);
    sn_buf_clear(&v.request);
    sn_buf_clear(&v.context);
    sn_credentials_clear(&v.credentials);
}

static void published_suite(void **state)
{
    const char *suite = suite_folder();
    DIR *dir = opendir(suite);
    size_t cases = 0;

    (void)state;
    if (dir == NULL) {
        print_message("# SKIPPED: no signature suite at %s; set SENTINEL_TEST_DATA\n", suite);
        skip();
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] != '.') {
            print_message("# %s\n", entry->d_name);
            check_case(suite, entry->d_name);
            cases++;
        }
    }
    (void)closedir(dir);
    assert_true(cases >= LEAST_CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_suite)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
