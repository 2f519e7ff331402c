/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/policy_fixture.h - policies, callers and instants for the tests of core/policy.
 */
#ifndef SN_TESTS_SUPPORT_POLICY_FIXTURE_H
#define SN_TESTS_SUPPORT_POLICY_FIXTURE_H

#include "test.h"

#include "base/time.h"
#include "core/identity/principal.h"
#include "core/policy/findings.h"
#include "core/policy/policy.h"
#include "core/policy/tz.h"
#include "store/zoneinfo.h"

#define OWN_ACCOUNT "111122223333"
#define ARN_USER(name) "arn:aws:iam::" OWN_ACCOUNT ":user/" name
#define ARN_SESSION(role, name) "arn:aws:sts::" OWN_ACCOUNT ":assumed-role/" role "/" name
#define SSO_ROLE "AWSReservedSSO_Dev_0123456789abcdef"
#define ARN_SSO(name) ARN_SESSION(SSO_ROLE, name)

/* A caller, vouched as the rules for an empty SENTINEL_VOUCHING_ROLES say. */
static inline struct sn_principal caller(const char *arn)
{
    struct sn_principal principal = {0};
    struct sn_error err = {0};
    struct sn_vouch_rules rules = {0};
    assert_ok(sn_principal_parse(sn_slice_str(arn), NULL, &principal, &err), &err);
    sn_principal_vouch(&principal, &rules);
    return principal;
}

static inline int64_t instant(const char *rfc3339)
{
    int64_t unix_ms = 0;
    struct sn_error err = {0};
    assert_ok(sn_time_parse_rfc3339(sn_slice_str(rfc3339), &unix_ms, &err), &err);
    return unix_ms / 1000;
}

static inline struct sn_tz_source *host_zones(void)
{
    static struct sn_zoneinfo zoneinfo;
    static struct sn_tz_source source;
    if (zoneinfo.dir == NULL) {
        sn_zoneinfo_init(&zoneinfo, NULL);
        source = sn_zoneinfo_source(&zoneinfo);
    }
    return &source;
}

static inline struct sn_policy *must_load(const char *text)
{
    struct sn_policy *policy = NULL;
    struct sn_error err = {0};
    assert_ok(sn_policy_load(sn_slice_str(text), host_zones(), NULL, &policy, &err), &err);
    return policy;
}

static inline struct sn_decision decide(
    const struct sn_policy *policy, const struct sn_principal *principal, const char *profile, int64_t unix_s)
{
    struct sn_decision decision;
    struct sn_policy_request request = {.principal = principal,
        .own_account = OWN_ACCOUNT,
        .profile = sn_slice_str(profile),
        .unix_s = unix_s,
        .mode = SN_MODE_SERVER,
        .session_store = SN_S("sessions")};
    memset(&decision, 0xff, sizeof(decision)); /* every field must be written */
    sn_policy_evaluate(policy, &request, &decision);
    return decision;
}

/* Around a rule's conditions: a document with that one rule. */
#define ONE_RULE(effect, rest) "version: \"1\"\nrules:\n- name: r\n  effect: " effect "\n" rest

#endif
