/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/lab_policy_fuzz.c - IAM policy documents: read, evaluated, and read again from their own text with the
 * same result.
 */
#include "fuzz.h"

#include "lab/policy.h"

static enum sn_lab_effect judge(const struct sn_lab_policy *policy)
{
    static const struct sn_lab_who who = {SN_S_INIT("123456789012"), SN_S_INIT("arn:aws:iam::123456789012:user/alice"),
        SN_S_INIT("arn:aws:iam::123456789012:role/x")};
    static struct sn_lab_facts facts;
    facts.count = 0;
    sn_lab_facts_add(&facts, SN_S("sts:SourceIdentity"), SN_S("sentinel=alice=direct=4t8r2v6x0k1m3n5p"));
    sn_lab_facts_add(&facts, SN_S("aws:CurrentTime"), SN_S("2026-02-01T10:00:00Z"));
    struct sn_lab_ask ask = {.action = SN_S("sts:AssumeRole"),
        .resource = SN_S("arn:aws:iam::123456789012:role/x"),
        .facts = &facts,
        .who = &who};
    return sn_lab_policy_evaluate(policy, &ask, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = 0; kind < 2; kind++) {
        enum sn_lab_policy_kind policy_kind = kind == 0 ? SN_LAB_POLICY_TRUST : SN_LAB_POLICY_IDENTITY;
        struct sn_lab_policy *policy = NULL;
        struct sn_lab_policy *again = NULL;
        struct sn_error err;
        if (sn_lab_policy_parse(sn_slice_bytes(data, size), policy_kind, &policy, &err) != SN_OK) {
            FUZZ_CHECK(sn_error_is(&err, "MalformedPolicyDocument"));
            continue;
        }
        FUZZ_CHECK(sn_lab_policy_parse(sn_lab_policy_text(policy), policy_kind, &again, &err) == SN_OK);
        FUZZ_CHECK(judge(policy) == judge(again));
        sn_lab_policy_unref(policy);
        sn_lab_policy_unref(again);
    }
    return 0;
}
