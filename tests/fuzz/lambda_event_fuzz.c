/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/lambda_event_fuzz.c - events of the Lambda service: a caller's identity comes from the authorizer alone,
 * and every accepted event has a method and a path.
 */
#include "fuzz.h"

#include "aws/lambda.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sn_lambda_event event;
    struct sn_slice text = sn_slice_bytes(data, size);
    struct sn_error err;
    if (sn_lambda_event_parse(text, &event, &err) != SN_OK) {
        FUZZ_CHECK(err.status == SN_INVALID && sn_error_is(&err, "LAMBDA_EVENT") && event.doc == NULL);
        return 0;
    }
    FUZZ_CHECK(event.request.path.len > 0 && event.request.path.ptr[0] == '/');
    FUZZ_CHECK(event.request.method_text.len > 0 && event.request.header_count <= SN_REQUEST_MAX_HEADERS);
    FUZZ_CHECK(!event.request.peer.is_loopback && event.request.peer.fd == -1);
    if (event.request.iam != NULL) {
        const struct sn_json *context = sn_json_get(sn_json_root(event.doc), "requestContext");
        const struct sn_json *iam = sn_json_get(sn_json_get(context, "authorizer"), "iam");
        FUZZ_CHECK(sn_slice_eq(event.request.iam->user_arn, sn_json_text(sn_json_get(iam, "userArn"))));
    }
    sn_lambda_event_clear(&event);
    return 0;
}
