/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/dynamodb_item_fuzz.c - items as DynamoDB gives them: what is read as a session or a request is written as
 * the same item again, as far as the table of the record goes.
 */
#include "fuzz.h"

#include "core/request/request.h"
#include "core/session/session.h"
#include "store/dynamodb_item.h"

/* Reads the record, writes it, reads that: the same bytes must come of it. */
static void round_trip(const struct sn_json *item, const struct sn_attribute *table, void *first, void *second)
{
    SN_AUTO(sn_arena_clear) struct sn_arena arena = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf once = {0};
    SN_AUTO(sn_buf_clear) struct sn_buf twice = {0};
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_json_writer w;
    struct sn_error err = {0};

    if (sn_item_read(item, table, &arena, first, &err) != SN_OK) {
        FUZZ_CHECK(err.code[0] != '\0');
        return;
    }
    sn_json_writer_init(&w, &once);
    sn_item_put(&w, table, first);
    FUZZ_CHECK(sn_json_parse(sn_buf_slice(&once), &sn_json_limits_document, &doc, &err) == SN_OK);
    FUZZ_CHECK(sn_item_read(sn_json_root(doc), table, &arena, second, &err) == SN_OK);
    sn_json_writer_init(&w, &twice);
    sn_item_put(&w, table, second);
    FUZZ_CHECK(sn_slice_eq(sn_buf_slice(&once), sn_buf_slice(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SN_AUTO(sn_json_doc_free_p) struct sn_json_doc *doc = NULL;
    struct sn_session sessions[2] = {{.rev = 0}};
    struct sn_access_request requests[2] = {{.rev = 0}};
    struct sn_error err = {0};

    if (sn_json_parse(sn_slice_bytes(data, size), &sn_json_limits_document, &doc, &err) == SN_OK) {
        round_trip(sn_json_root(doc), sn_session_attributes, &sessions[0], &sessions[1]);
        round_trip(sn_json_root(doc), sn_access_request_attributes, &requests[0], &requests[1]);
    }
    return 0;
}
