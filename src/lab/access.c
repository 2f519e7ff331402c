/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab/access.c - the decision of AWS over identity, session, inline and trust policies.
 */
#include "base/time.h"
#include "lab/call.h"

static struct sn_slice number_text(struct sn_arena *arena, int64_t value)
{
    return sn_arena_printf(arena, "%lld", (long long)value);
}

static struct sn_slice time_text(struct sn_arena *arena, int64_t unix_s)
{
    char text[SN_TIME_TEXT_MAX];
    return sn_arena_dup(arena, sn_time_format_rfc3339_s(unix_s, text));
}

static const char *principal_type(const struct sn_lab_key *key)
{
    switch (key->kind) {
    case SN_LAB_KEY_ROOT:
        return "Account";
    case SN_LAB_KEY_USER:
    case SN_LAB_KEY_USER_SESSION:
        return "User";
    case SN_LAB_KEY_ROLE_SESSION:
        return "AssumedRole";
    }
    return "";
}

void sn_lab_access_facts(struct sn_lab_call *call, struct sn_lab_facts *out_facts)
{
    const struct sn_lab_key *key = call->caller;
    struct sn_arena *arena = &call->arena;
    int64_t now = sn_lab_call_now_s(call);
    bool is_role = key->kind == SN_LAB_KEY_ROLE_SESSION;

    sn_lab_facts_add(out_facts, SN_S("aws:PrincipalArn"), is_role ? key->role->arn : key->arn);
    sn_lab_facts_add(out_facts, SN_S("aws:PrincipalAccount"), key->account);
    sn_lab_facts_add(out_facts, SN_S("aws:PrincipalType"), sn_slice_str(principal_type(key)));
    sn_lab_facts_add(out_facts, SN_S("aws:userid"), key->principal_id);
    sn_lab_facts_add(out_facts, SN_S("aws:CurrentTime"), time_text(arena, now));
    sn_lab_facts_add(out_facts, SN_S("aws:EpochTime"), number_text(arena, now));
    sn_lab_facts_add(out_facts, SN_S("aws:SecureTransport"), call->request->peer.is_tls ? SN_S("true") : SN_S("false"));
    sn_lab_facts_add(out_facts, SN_S("aws:SourceIp"), sn_slice_str(call->request->peer.address));
    sn_lab_facts_add(out_facts, SN_S("aws:RequestedRegion"), call->region);
    if (key->kind == SN_LAB_KEY_USER || key->kind == SN_LAB_KEY_USER_SESSION) {
        sn_lab_facts_add(out_facts, SN_S("aws:username"), key->user->name);
    }
    if (key->expires_unix_s != 0) {
        sn_lab_facts_add(out_facts, SN_S("aws:TokenIssueTime"), time_text(arena, key->issued_unix_s));
        sn_lab_facts_add(out_facts, SN_S("aws:MultiFactorAuthPresent"), SN_S("false"));
    }
    if (key->source_identity.len > 0) {
        sn_lab_facts_add(out_facts, SN_S("aws:SourceIdentity"), key->source_identity);
    }
    for (size_t i = 0; i < key->tag_count; i++) {
        sn_lab_facts_add(
            out_facts, sn_arena_printf(arena, "aws:PrincipalTag/%.*s", SN_PRI(key->tags[i].key)), key->tags[i].value);
    }
}

struct verdict {
    enum sn_lab_effect identity, session, trust;
    bool direct; /* the trust policy names the caller himself */
};

static void join(enum sn_lab_effect *total, enum sn_lab_effect part)
{
    if (part == SN_LAB_DENY || (part == SN_LAB_ALLOW && *total == SN_LAB_NO_MATCH)) {
        *total = part;
    }
}

static void judge_identity(struct sn_lab_call *call, const struct sn_lab_ask *ask, struct verdict *out)
{
    const struct sn_lab_key *key = call->caller;
    bool is_role = key->kind == SN_LAB_KEY_ROLE_SESSION;
    const struct sn_lab_named_policy *policies = is_role ? key->role->policies : key->user->policies;
    size_t count = is_role ? key->role->policy_count : key->user->policy_count;

    out->identity = count == 0 ? SN_LAB_ALLOW : SN_LAB_NO_MATCH;
    for (size_t i = 0; i < count; i++) {
        join(&out->identity, sn_lab_policy_evaluate(policies[i].policy, ask, NULL));
    }
    if (is_role) {
        struct sn_lab_named_policy inline_policies[SN_LAB_MAX_INLINE_POLICIES];
        size_t inline_count = sn_lab_directory_copy_inline(call->directory, key->role, &call->arena, inline_policies);
        for (size_t i = 0; i < inline_count; i++) {
            join(&out->identity, sn_lab_policy_evaluate(inline_policies[i].policy, ask, NULL));
            sn_lab_policy_unref(inline_policies[i].policy);
        }
    }
    out->session = key->session_policy_count == 0 ? SN_LAB_ALLOW : SN_LAB_NO_MATCH;
    for (size_t i = 0; i < key->session_policy_count; i++) {
        join(&out->session, sn_lab_policy_evaluate(key->session_policies[i], ask, NULL));
    }
}

static enum sn_status refuse(
    const struct sn_lab_call *call, const struct sn_lab_ask *ask, const char *why, struct sn_error *err)
{
    return sn_fail(err, SN_DENIED, "AccessDenied", "User: %.*s is not authorized to perform: %.*s on resource: %.*s%s",
        SN_PRI(call->who.arn), SN_PRI(ask->action), SN_PRI(ask->resource), why);
}

enum sn_status sn_lab_access_check(struct sn_lab_call *call, const char *action, struct sn_slice resource,
    const struct sn_lab_role *role, const struct sn_lab_facts *facts, struct sn_error *err)
{
    struct verdict verdict = {.trust = SN_LAB_ALLOW};
    struct sn_lab_ask ask = {.action = sn_slice_str(action), .resource = resource, .facts = facts, .who = &call->who};

    judge_identity(call, &ask, &verdict);
    if (role != NULL) {
        verdict.trust = sn_lab_policy_evaluate(role->trust, &ask, &verdict.direct);
    }
    if (verdict.identity == SN_LAB_DENY) {
        return refuse(call, &ask, " with an explicit deny in an identity-based policy", err);
    }
    if (verdict.session == SN_LAB_DENY) {
        return refuse(call, &ask, " with an explicit deny in a session policy", err);
    }
    if (verdict.trust == SN_LAB_DENY) {
        return refuse(call, &ask, " with an explicit deny in a resource-based policy", err);
    }
    if (verdict.trust != SN_LAB_ALLOW) {
        return refuse(call, &ask, "", err); /* STS gives no reason for what a trust policy leaves out */
    }
    if (verdict.session != SN_LAB_ALLOW) {
        return refuse(call, &ask, " because no session policy allows the action", err);
    }
    /* Inside an account a trust policy that names the caller himself is enough; across accounts it never is. */
    bool granted_by_trust = role != NULL && verdict.direct && sn_slice_eq(role->account, call->who.account);
    if (verdict.identity != SN_LAB_ALLOW && !granted_by_trust) {
        return refuse(call, &ask, role != NULL ? "" : " because no identity-based policy allows the action", err);
    }
    return SN_OK;
}
