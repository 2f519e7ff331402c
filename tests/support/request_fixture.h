/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/request_fixture.h - one access request, its approval document and the callers around it.
 */
#ifndef SN_TESTS_SUPPORT_REQUEST_FIXTURE_H
#define SN_TESTS_SUPPORT_REQUEST_FIXTURE_H

#include "test.h"

#include "core/request/transition.h"

#define T0 INT64_C(1935825262004) /* 2031-05-06T09:14:22.004Z */
#define MINUTE INT64_C(60000)
#define ANN_ARN "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/ann.lee@example.com"
#define ANN_OTHER_SET "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Dev_fedcba9876543210/ann.lee@example.com"
#define MIRA_ARN "arn:aws:iam::111122223333:user/mira"
#define TOM_ARN "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/tom.ash@example.com"
#define TASH_ARN "arn:aws:iam::111122223333:user/tash"
#define DUTY_ARN "arn:aws:sts::111122223333:assumed-role/LedgerDuty/"
#define EVE_ARN "arn:aws:iam::111122223333:user/eve"
#define ROLE_ARN "arn:aws:iam::444455556666:role/SentinelProtected-ledger"
#define BINDING "017b6badd6106d7a884e2ee0fe612e6bbd2a5462bb96ca74742de535bd510b00"

/* --- The document of these tests: who may approve, who is one person --- */

struct document {
    const char *entries[8]; /* names, arn:..., role:... */
    const char *joined[2];  /* two entries of one human */
};

static inline bool matches(const struct sn_principal *p, const char *entry)
{
    return entry != NULL && sn_principal_matches_entry(p, sn_slice_str(entry), "111122223333");
}

static inline bool lists(void *ctx, const struct sn_principal *actor)
{
    const struct document *document = ctx;
    bool found = false;

    for (size_t i = 0; i < SN_LEN(document->entries); i++) {
        found = found || matches(actor, document->entries[i]);
    }
    return found;
}

static inline bool same_person(void *ctx, const struct sn_principal *a, const struct sn_principal *b)
{
    const struct document *document = ctx;
    bool a_is_joined = matches(a, document->joined[0]) || matches(a, document->joined[1]);
    bool b_is_joined = matches(b, document->joined[0]) || matches(b, document->joined[1]);

    return (a_is_joined && b_is_joined) || sn_principal_same_person(a, b);
}

static inline bool identify(void *ctx, struct sn_slice arn, struct sn_principal *out_principal)
{
    static const struct sn_vouch_rules rules = {0};
    struct sn_error ignored;

    (void)ctx;
    if (sn_principal_parse(arn, "aws", out_principal, &ignored) != SN_OK) {
        return false;
    }
    sn_principal_vouch(out_principal, &rules);
    return true;
}

struct fixture {
    struct document document;
    struct sn_approval_rule rule;
    struct sn_arena arena;
    struct sn_access_request request;
    struct sn_principal actor;
    bool has_rule, has_policy, is_operator;
    const char *binding_sent, *binding_now;
};

static inline struct sn_principal caller(const char *arn)
{
    struct sn_principal p;

    assert_true(identify(NULL, sn_slice_str(arn), &p));
    return p;
}

static inline void set_up(struct fixture *f)
{
    *f = (struct fixture){.document = {.entries = {"mira", "tom.ash@example.com", "tash", "role:LedgerDuty"},
                              .joined = {"tom.ash@example.com", "tash"}},
        .has_rule = true,
        .has_policy = true,
        .binding_sent = BINDING,
        .binding_now = BINDING};
    f->rule = (struct sn_approval_rule){.name = SN_S("ledger-approvers"),
        .approvals_required = 2,
        .lists = lists,
        .same_person = same_person,
        .identify = identify,
        .ctx = &f->document};
    f->request = (struct sn_access_request){.id = {"4t7kq9zb2m6wxe3h"},
        .rev = 1,
        .write_id = {"c5e0r9v2k7m4x1tz"},
        .requester = SN_S("ann.lee@example.com"),
        .requester_arn = SN_S(ANN_ARN),
        .requester_vouched = true,
        .profile = SN_S("ledger-prod"),
        .role_arn = SN_S(ROLE_ARN),
        .justification = SN_S("Rotate ledger signing key, CHG-88"),
        .duration_s = 5400,
        .binding = SN_S(BINDING),
        .status = SN_ACCESS_PENDING,
        .created_at_ms = T0,
        .updated_at_ms = T0,
        .expires_at_ms = T0 + 24 * 60 * MINUTE,
        .approvals_required = 2,
        .approvals = SN_S("[]"),
        .decision_rule = SN_S("ledger-approvers"),
        .ttl_unix_s = 1943687663};
}

static inline void make_key(struct sn_seal_keys *keys)
{
    unsigned char bytes[32];

    for (unsigned char i = 0; i < sizeof(bytes); i++) {
        bytes[i] = i;
    }
    *keys = (struct sn_seal_keys){.count = 1};
    memcpy(keys->keys[0].id, "k1", 3);
    sn_secret_set(&keys->keys[0].key, sn_slice_bytes(bytes, sizeof(bytes)));
}

#endif
