/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/lab_sso_fuzz.c - the lab's Identity Center under any calls: registrations, codes, tokens, pages.
 *
 * Each line of the input is a call: "GET " or "POST ", path and query, and behind a tab the body. Chance is fixed, so
 * that a line can name what an earlier one was given: every id and token is LABAAA..., every user code BBBB-BBBB.
 * Answers must be JSON that our own strict reader takes, or a page, and nothing of a text that was sent may open a tag.
 */
#include "fuzz.h"

#include "codec/json.h"
#include "lab/lab.h"

enum { MAX_CALLS = 16 };

#define ALL_A "LABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const char config[] = "identity_center:\n"
                             "  accounts: [{name: main}]\n"
                             "  permission_sets: [{name: Set}]\n"
                             "  users: [{name: alice, assignments: [{permission_set: Set}]}]\n";

static int64_t fixed_ns(void *ctx)
{
    (void)ctx;
    return INT64_C(1769940000) * 1000000000; /* 2026-02-01T10:00:00Z */
}
static const struct sn_clock fixed_clock = {.unix_ns = fixed_ns, .mono_ns = fixed_ns};

static enum sn_status zeros(void *ctx, void *bytes, size_t len, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    memset(bytes, 0, len);
    return SN_OK;
}
static const struct sn_random no_chance = {.fill = zeros};

static void check_answer(const struct sn_response *response, struct sn_slice path)
{
    struct sn_slice body = sn_buf_slice(&response->body);
    struct sn_json_doc *doc = NULL;
    struct sn_error err;
    FUZZ_CHECK(response->status >= 200 && response->status < 500);
    if (response->content_type != NULL && strcmp(response->content_type, "application/json") == 0 && body.len > 0) {
        FUZZ_CHECK(sn_json_parse(body, &sn_json_limits_document, &doc, &err) == SN_OK);
        sn_json_doc_free(doc);
    }
    FUZZ_CHECK(!sn_slice_contains(body, SN_S("<script")));
    const char *location = sn_response_find_header(response, "Location");
    FUZZ_CHECK(location == NULL ||
               (response->status == 303 && sn_slice_has_prefix(sn_slice_str(location), SN_S("http://127.0.0.1")) &&
                   sn_slice_eq_str(path, "/authorize")));
}

static void call(struct sn_lab *lab, struct sn_slice line)
{
    struct sn_response response = {0};
    struct sn_request request = {
        .method = SN_METHOD_GET, .header_count = 2, .peer = {.address = "127.0.0.1", .fd = -1}};
    struct sn_slice target;
    sn_slice_cut(line, '\t', &line, &request.body);
    sn_slice_cut(line, ' ', &request.method_text, &target);
    sn_slice_cut(target, '?', &request.path, &request.query);
    if (sn_slice_eq_str(request.method_text, "POST")) {
        request.method = SN_METHOD_POST;
    }
    if (sn_slice_eq_str(request.path, "/") || sn_slice_has_prefix(request.path, SN_S("/-lab/"))) {
        return; /* others have targets of their own */
    }
    request.headers[0] = (struct sn_header){SN_S("Host"), SN_S("lab")};
    request.headers[1] = (struct sn_header){SN_S("x-amz-sso_bearer_token"), SN_S(ALL_A)};
    sn_lab_handle(lab, &request, &response);
    check_answer(&response, request.path);
    sn_response_clear(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_lab_options options = {
        .config = sn_slice_str(config), .clock = &fixed_clock, .random_source = &no_chance};
    struct sn_slice rest = sn_slice_bytes(data, size);
    struct sn_slice line;
    struct sn_lab *lab = NULL; /* a fresh one: it remembers what it was asked */
    struct sn_error err;
    FUZZ_CHECK(sn_lab_new(&options, &lab, &err) == SN_OK);
    sn_lab_set_url(lab, "http://127.0.0.1:1");
    for (size_t i = 0; i < MAX_CALLS && sn_slice_next(&rest, '\n', &line); i++) {
        call(lab, line);
    }
    sn_lab_free(lab);
    return 0;
}
