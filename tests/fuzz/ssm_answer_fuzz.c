/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/ssm_answer_fuzz.c - answers of Parameter Store: whatever is accepted is what was asked for. */
#include "fuzz.h"

#include <string.h>

#include "aws/ssm.h"

static enum sn_status each(void *ctx, struct sn_ssm_parameter *parameter, struct sn_error *err)
{
    (void)ctx;
    (void)err;
    FUZZ_CHECK(strncmp(parameter->name, "/sentinel/catalog/", 18) == 0);
    FUZZ_CHECK(strchr(parameter->name + 18, '/') == NULL);
    FUZZ_CHECK(parameter->value.len > 0 && parameter->version >= 1);
    return SN_OK;
}

static void check_fault(struct sn_slice body)
{
    struct sn_json_answer answer = {
        .status = 400, .content_type = SN_S("application/x-amz-json-1.1"), .error_type = body, .body = body};
    struct sn_json_fault fault;

    sn_json_parse_fault(&answer, &fault);
    FUZZ_CHECK(sn_slice_is_alnum_or(sn_slice_str(fault.code), "._-"));
    for (const char *c = fault.message; *c != '\0'; c++) {
        FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice body = sn_slice_bytes(data, size), next = {0};
    struct sn_json_answer answer = {.status = 200, .content_type = SN_S("application/x-amz-json-1.1"), .body = body};
    struct sn_json_doc *doc = NULL;
    struct sn_ssm_parameter parameter = {0};
    struct sn_error err = {0};

    check_fault(body);
    if (sn_json_parse_answer(&answer, SN_SSM_PAGE_MAX_BYTES, &doc, &err) != SN_OK) {
        FUZZ_CHECK(sn_error_is(&err, "AWS_ANSWER_INVALID"));
        return 0;
    }
    if (sn_ssm_read_parameter(sn_json_root(doc), "/sentinel/policies/dev", &parameter, &err) == SN_OK) {
        FUZZ_CHECK(strcmp(parameter.name, "/sentinel/policies/dev") == 0);
        FUZZ_CHECK(parameter.value.len > 0 && parameter.version >= 1);
    } else {
        FUZZ_CHECK(sn_error_is(&err, "AWS_ANSWER_INVALID") && parameter.value.ptr == NULL);
    }
    sn_ssm_parameter_clear(&parameter);
    (void)!sn_ssm_read_page(sn_json_root(doc), "/sentinel/catalog", each, NULL, &next, &err);
    sn_json_doc_free(doc);
    return 0;
}
