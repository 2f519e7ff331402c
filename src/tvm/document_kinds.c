/* SPDX-License-Identifier: Apache-2.0 */
/* tvm/document_kinds.c - see document_kinds.h. */
#include "tvm/document_kinds.h"

#include "core/policy/policy.h"
#include "core/policy/ruleset.h"

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

static void unref_ruleset(void *object)
{
    sn_ruleset_unref(object);
}

/* One reader serves the kinds whose documents are rules of which the first counts. */
#define LOAD_RULESET(name, kind)                                                                                       \
    static enum sn_status name(                                                                                        \
        struct sn_slice text, const struct sn_tz_source *zones, void **out_object, struct sn_error *err)               \
    {                                                                                                                  \
        struct sn_ruleset *ruleset = NULL;                                                                             \
                                                                                                                       \
        SN_TRY(sn_ruleset_load(kind, text, zones, NULL, &ruleset, err));                                               \
        *out_object = ruleset;                                                                                         \
        return SN_OK;                                                                                                  \
    }
LOAD_RULESET(load_approval, SN_DOCUMENT_APPROVAL)
LOAD_RULESET(load_breakglass, SN_DOCUMENT_BREAKGLASS)
LOAD_RULESET(load_ratelimit, SN_DOCUMENT_RATELIMIT)

const struct sn_document_kind_code sn_document_kind_codes[SN_DOCUMENT_KINDS] = {
    [SN_DOCUMENT_CATALOG] = {0},
    [SN_DOCUMENT_POLICY] = {load_policy, unref_policy},
    [SN_DOCUMENT_APPROVAL] = {load_approval, unref_ruleset},
    [SN_DOCUMENT_BREAKGLASS] = {load_breakglass, unref_ruleset},
    [SN_DOCUMENT_RATELIMIT] = {load_ratelimit, unref_ruleset},
};
