/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/document_kinds.c - see document_kinds.h. */
#include "tvm/document_kinds.h"

#include "core/policy/policy.h"

static enum sn_status load_policy(
    struct sn_slice text, const struct sn_tz_source *zones, void **out_object, struct sn_error *err)
{
    struct sn_policy *policy = NULL;

    SN_TRY(sn_policy_load(text, zones, NULL, &policy, err));
    *out_object = policy;
    return SN_OK;
}

static void unref_policy(void *object)
{
    sn_policy_unref(object);
}

const struct sn_document_kind_code sn_document_kind_codes[SN_DOCUMENT_KINDS] = {
    [SN_DOCUMENT_CATALOG] = {0},
    [SN_DOCUMENT_POLICY] = {load_policy, unref_policy},
};
