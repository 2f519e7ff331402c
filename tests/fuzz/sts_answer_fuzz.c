/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/sts_answer_fuzz.c - answers of STS: whatever is accepted is consistent with itself. */
#include "fuzz.h"

#include <string.h>

#include "aws/sts_answer.h"

static void check_identity(struct sn_slice body)
{
    struct sn_sts_answer answer = {.status = 200, .content_type = SN_S("text/xml"), .body = body};
    struct sn_caller caller = {0};
    struct sn_error err;

    if (sn_sts_parse_caller_identity(&answer, &caller, &err) == SN_OK) {
        FUZZ_CHECK(strlen(caller.account) == 12);
        FUZZ_CHECK(strncmp(caller.arn, "arn:", 4) == 0);
        FUZZ_CHECK(strstr(caller.arn, caller.account) != NULL);
        FUZZ_CHECK(caller.user_id[0] != '\0');
    } else {
        FUZZ_CHECK(sn_error_is(&err, "STS_ANSWER_INVALID"));
        FUZZ_CHECK(caller.arn[0] == '\0');
    }
}

static void check_assumed(struct sn_slice body)
{
    struct sn_sts_answer answer = {.status = 200, .content_type = SN_S("text/xml"), .body = body};
    const struct sn_assume_role asked = {.role_arn = SN_S("arn:aws:iam::123456789012:role/Prod"),
        .session_name = SN_S("alice-x"),
        .source_identity = SN_S("sentinel=alice=direct=x"),
        .duration_s = 900};
    struct sn_assumed_role role = {0};
    struct sn_error err;

    if (sn_sts_parse_assume_role(&answer, &asked, 1769940000, &role, &err) == SN_OK) {
        FUZZ_CHECK(strcmp(role.arn, "arn:aws:sts::123456789012:assumed-role/Prod/alice-x") == 0);
        FUZZ_CHECK(sn_secret_is_set(&role.credentials.secret_access_key));
        FUZZ_CHECK(sn_secret_is_set(&role.credentials.session_token));
        FUZZ_CHECK(role.credentials.expires_unix_s > 1769940000);
    } else {
        FUZZ_CHECK(!sn_secret_is_set(&role.credentials.secret_access_key));
    }
    sn_assumed_role_clear(&role);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sn_slice body = sn_slice_bytes(data, size);
    struct sn_sts_answer refusal = {.status = 403, .content_type = SN_S("text/xml"), .body = body};
    struct sn_sts_fault fault;

    check_identity(body);
    check_assumed(body);
    sn_sts_parse_fault(&refusal, &fault);
    FUZZ_CHECK(sn_slice_is_alnum_or(sn_slice_str(fault.code), "._-"));
    return 0;
}
