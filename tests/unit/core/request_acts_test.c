/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of core/request: every act on a request, who may do it, and what the record is afterwards.
 */
#include "test.h"

#include <stdio.h>

#include "request_fixture.h"

static struct sn_access_act act_of(struct fixture *f, const char *arn, int64_t now_ms)
{
    f->actor = caller(arn);
    return (struct sn_access_act){.actor = &f->actor,
        .is_operator = f->is_operator,
        .comment = SN_S("agreed"),
        .binding_sent = sn_slice_str(f->binding_sent),
        .binding_now = f->binding_now,
        .rule = f->has_rule ? &f->rule : NULL,
        .has_policy = f->has_policy,
        .now_ms = now_ms,
        .retention_days = 90,
        .write_id = {"0000000000000001"},
        .arena = &f->arena};
}

typedef enum sn_status act_fn(const struct sn_access_request *request, const struct sn_access_act *act,
    struct sn_access_step *out_step, struct sn_error *err);

/* Applies an act that must be allowed; the record is the next one from then on. */
static struct sn_access_step must(struct fixture *f, act_fn *fn, const char *arn, int64_t now_ms)
{
    struct sn_access_act act = act_of(f, arn, now_ms);
    struct sn_access_step step;
    struct sn_error err;

    assert_ok(fn(&f->request, &act, &step, &err), &err);
    assert_int_equal(step.next.rev, f->request.rev + 1);
    assert_string_equal(step.next.write_id.text, "0000000000000001");
    assert_ok(sn_access_request_check(&step.next, &err), &err);
    f->request = step.next;
    return step;
}

static void must_refuse(struct fixture *f, act_fn *fn, const char *arn, int64_t now_ms, const char *code)
{
    struct sn_access_act act = act_of(f, arn, now_ms);
    struct sn_access_step step;
    struct sn_error err;

    print_message("# %s is refused with %s\n", arn, code);
    assert_fails(fn(&f->request, &act, &step, &err), &err, code);
}

/* APR-42, APR-43: why each stored approval counts or does not. */
static void each_approval_is_judged(void **state)
{
    (void)state;
    static const char other[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct fixture f;
    struct sn_approval_count count;
    struct sn_principal ann = caller(ANN_ARN);
    static const struct {
        const char *arn, *binding;
        enum sn_approval_why why;
    } rows[] = {
        {MIRA_ARN, other, SN_APPROVAL_OTHER_BINDING},
        {ANN_OTHER_SET, BINDING, SN_APPROVAL_BY_REQUESTER},
        {EVE_ARN, BINDING, SN_APPROVAL_NOT_LISTED},
        {"arn:aws-cn:iam::111122223333:user/mira", BINDING, SN_APPROVAL_UNKNOWN_CALLER},
        {TASH_ARN, BINDING, SN_APPROVAL_COUNTS},
        {TOM_ARN, BINDING, SN_APPROVAL_SAME_PERSON},
        {MIRA_ARN, BINDING, SN_APPROVAL_COUNTS},
        {MIRA_ARN, BINDING, SN_APPROVAL_SAME_PERSON},
    };
    struct sn_approvals approvals = {.count = SN_LEN(rows)};

    set_up(&f);
    f.document.entries[4] = "ann.lee@example.com";
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        approvals.items[i] =
            (struct sn_approval){.arn = sn_slice_str(rows[i].arn), .binding = sn_slice_str(rows[i].binding)};
    }
    sn_approvals_count(&approvals, &f.rule, &ann, SN_S(BINDING), &count);
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        print_message("# %s\n", rows[i].arn);
        assert_int_equal(count.why[i], rows[i].why);
        assert_true((sn_approval_why_text(count.why[i]) == NULL) == (rows[i].why == SN_APPROVAL_COUNTS));
    }
    assert_int_equal(count.counted, 2);
    assert_string_equal(count.persons[0].name, "tash");
    assert_string_equal(count.persons[1].name, "mira");
}

/* --- Acts --- */

/* APR-41: two persons; the window counts from the second. */
static void two_persons_approve(void **state)
{
    (void)state;
    struct fixture f;
    struct sn_access_step step;

    set_up(&f);
    step = must(&f, sn_access_approve, MIRA_ARN, T0 + 6 * MINUTE);
    assert_int_equal(step.event, SN_ACCESS_EVENT_APPROVAL_ADDED);
    assert_int_equal(step.floor, SN_FLOOR_NONE);
    assert_int_equal(f.request.status, SN_ACCESS_PENDING);
    assert_int_equal(step.approvals_given, 1);
    assert_int_equal(f.request.expires_at_ms, T0 + 24 * 60 * MINUTE);
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0 + 7 * MINUTE, "ALREADY_APPROVED");
    step = must(&f, sn_access_approve, TOM_ARN, T0 + 17 * MINUTE);
    assert_int_equal(step.event, SN_ACCESS_EVENT_APPROVED);
    assert_int_equal(f.request.status, SN_ACCESS_APPROVED);
    assert_slice_equal(f.request.approver, "tom.ash@example.com");
    assert_int_equal(f.request.approved_at_ms, T0 + 17 * MINUTE);
    assert_int_equal(f.request.expires_at_ms, T0 + 107 * MINUTE);
    assert_true(sn_access_request_is_open(&f.request, T0 + 107 * MINUTE - 1));
    must_refuse(&f, sn_access_approve, DUTY_ARN "x", T0 + 18 * MINUTE, "INVALID_TRANSITION");
    sn_arena_clear(&f.arena);
}

/* APR-41, ATK-13: one human under two names, and two session names of one role, count once. */
static void attack_13_one_human_counts_once(void **state)
{
    (void)state;
    struct fixture f;

    set_up(&f);
    must(&f, sn_access_approve, TOM_ARN, T0 + MINUTE);
    must_refuse(&f, sn_access_approve, TASH_ARN, T0 + MINUTE, "ALREADY_APPROVED");
    must(&f, sn_access_approve, MIRA_ARN, T0 + MINUTE);
    sn_arena_clear(&f.arena);

    set_up(&f);
    must(&f, sn_access_approve, DUTY_ARN "one", T0 + MINUTE);
    must_refuse(&f, sn_access_approve, DUTY_ARN "two", T0 + MINUTE, "ALREADY_APPROVED");
    sn_arena_clear(&f.arena);
}

/* APR-42, ATK-17: an approver who leaves the rule does not count, and counts again when put back. */
static void attack_17_approver_removed(void **state)
{
    (void)state;
    struct fixture f;
    struct sn_access_step step;

    set_up(&f);
    must(&f, sn_access_approve, MIRA_ARN, T0 + MINUTE);
    f.document.entries[0] = NULL;
    step = must(&f, sn_access_approve, TOM_ARN, T0 + 2 * MINUTE);
    assert_int_equal(step.event, SN_ACCESS_EVENT_APPROVAL_ADDED);
    assert_int_equal(step.approvals_given, 1);
    struct sn_approvals approvals;
    struct sn_approval_count count;
    struct sn_principal ann = caller(ANN_ARN);
    struct sn_error err;
    assert_ok(sn_approvals_parse(f.request.approvals, &f.arena, &approvals, &err), &err);
    sn_approvals_count(&approvals, &f.rule, &ann, f.request.binding, &count);
    assert_int_equal(count.counted, 1);
    assert_int_equal(count.why[0], SN_APPROVAL_NOT_LISTED);
    assert_non_null(sn_approval_why_text(count.why[0]));
    assert_int_equal(count.why[1], SN_APPROVAL_COUNTS);
    assert_null(sn_approval_why_text(count.why[1]));
    f.document.entries[0] = "mira";
    step = must(&f, sn_access_approve, DUTY_ARN "x", T0 + 3 * MINUTE);
    assert_int_equal(step.event, SN_ACCESS_EVENT_APPROVED);
    assert_int_equal(step.approvals_given, 3);
    sn_arena_clear(&f.arena);
}

/* The larger number of the record and of the rule as it is now is in force. */
static void the_larger_number_is_in_force(void **state)
{
    (void)state;
    struct fixture f;

    set_up(&f);
    f.rule.approvals_required = 1;
    assert_int_equal(must(&f, sn_access_approve, MIRA_ARN, T0 + MINUTE).event, SN_ACCESS_EVENT_APPROVAL_ADDED);
    f.rule.approvals_required = 3;
    assert_int_equal(must(&f, sn_access_approve, TOM_ARN, T0 + MINUTE).event, SN_ACCESS_EVENT_APPROVAL_ADDED);
    assert_int_equal(must(&f, sn_access_approve, DUTY_ARN "x", T0 + MINUTE).event, SN_ACCESS_EVENT_APPROVED);
    sn_arena_clear(&f.arena);
}

/* APR-09, ATK-13: nobody approves what they asked for, under whatever identity. */
static void attack_13_self_approval(void **state)
{
    (void)state;
    static const struct {
        const char *name, *requester, *requester_arn, *actor;
    } rows[] = {
        {"the same caller", "mira", MIRA_ARN, MIRA_ARN},
        {"another permission set and account", "ann.lee@example.com", ANN_ARN, ANN_OTHER_SET},
        {"another session of a role that does not vouch", "one", DUTY_ARN "one", DUTY_ARN "two"},
        {"joined by the people map", "tash", TASH_ARN, TOM_ARN},
    };
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        struct fixture f;
        print_message("# %s\n", rows[i].name);
        set_up(&f);
        f.document.entries[4] = "ann.lee@example.com";
        f.request.requester = sn_slice_str(rows[i].requester);
        f.request.requester_arn = sn_slice_str(rows[i].requester_arn);
        must_refuse(&f, sn_access_approve, rows[i].actor, T0, "SELF_APPROVAL_FORBIDDEN");
        must_refuse(&f, sn_access_deny, rows[i].actor, T0, "NOT_AUTHORIZED");
        sn_arena_clear(&f.arena);
    }
}

/* APR-10 and the order of the checks. */
static void who_may_decide(void **state)
{
    (void)state;
    struct fixture f;

    set_up(&f);
    must_refuse(&f, sn_access_approve, EVE_ARN, T0, "NOT_AUTHORIZED");
    must_refuse(&f, sn_access_deny, EVE_ARN, T0, "NOT_AUTHORIZED");
    f.is_operator = true;
    must_refuse(&f, sn_access_approve, EVE_ARN, T0, "NOT_AUTHORIZED");
    f.has_rule = false;
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0, "NO_APPROVAL_RULE");
    must_refuse(&f, sn_access_deny, MIRA_ARN, T0, "NO_APPROVAL_RULE");
    f.has_policy = false;
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0, "APPROVAL_POLICY_MISSING");
    f.request.expires_at_ms = T0 + MINUTE;
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0 + MINUTE, "REQUEST_EXPIRED");
    must_refuse(&f, sn_access_deny, MIRA_ARN, T0 + MINUTE, "REQUEST_EXPIRED");
    must_refuse(&f, sn_access_cancel, ANN_ARN, T0 + MINUTE, "REQUEST_EXPIRED");
    sn_arena_clear(&f.arena);
}

/* APR-43, ATK-14: what is approved is what was asked for, and is still what it would give. */
static void attack_14_binding(void **state)
{
    (void)state;
    static const char other[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct fixture f;

    set_up(&f);
    f.binding_sent = other;
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0, "BINDING_CHANGED");
    f.binding_sent = "";
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0, "BINDING_CHANGED");
    f.binding_sent = BINDING;
    f.binding_now = other;
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0, "BINDING_CHANGED");
    sn_arena_clear(&f.arena);
}

/* APR-12: at the end of a pending request only its expiry can be written. */
static void expiry(void **state)
{
    (void)state;
    struct fixture f;
    struct sn_access_step step;

    set_up(&f);
    must_refuse(&f, sn_access_expire, EVE_ARN, f.request.expires_at_ms - 1, "INVALID_TRANSITION");
    assert_int_equal(sn_access_request_status_at(&f.request, f.request.expires_at_ms - 1), SN_ACCESS_PENDING);
    assert_int_equal(sn_access_request_status_at(&f.request, f.request.expires_at_ms), SN_ACCESS_EXPIRED);
    step = must(&f, sn_access_expire, EVE_ARN, f.request.expires_at_ms);
    assert_int_equal(step.event, SN_ACCESS_EVENT_EXPIRED);
    assert_int_equal(step.floor, SN_FLOOR_ENDED);
    must_refuse(&f, sn_access_expire, EVE_ARN, f.request.expires_at_ms, "INVALID_TRANSITION");
    sn_arena_clear(&f.arena);
}

/* APR-15: the requester cancels; an approved request is withdrawn instead. */
static void cancel_and_withdraw(void **state)
{
    (void)state;
    struct fixture f;
    struct sn_access_step step;

    set_up(&f);
    must_refuse(&f, sn_access_cancel, EVE_ARN, T0, "NOT_AUTHORIZED");
    must_refuse(&f, sn_access_cancel, MIRA_ARN, T0, "NOT_AUTHORIZED");
    must_refuse(&f, sn_access_withdraw, ANN_ARN, T0, "INVALID_TRANSITION");
    step = must(&f, sn_access_cancel, ANN_OTHER_SET, T0 + MINUTE);
    assert_int_equal(step.event, SN_ACCESS_EVENT_CANCELLED);
    assert_int_equal(step.floor, SN_FLOOR_ENDED);
    must_refuse(&f, sn_access_withdraw, ANN_ARN, T0 + MINUTE, "INVALID_TRANSITION");
    sn_arena_clear(&f.arena);

    static const struct {
        const char *actor;
        bool is_operator, may;
    } rows[] = {{ANN_ARN, false, true}, {MIRA_ARN, false, true}, {EVE_ARN, false, false}, {EVE_ARN, true, true}};
    for (size_t i = 0; i < SN_LEN(rows); i++) {
        set_up(&f);
        f.rule.approvals_required = f.request.approvals_required = 1;
        must(&f, sn_access_approve, TOM_ARN, T0 + MINUTE);
        must_refuse(&f, sn_access_cancel, ANN_ARN, T0 + MINUTE, "INVALID_TRANSITION");
        f.is_operator = rows[i].is_operator;
        if (!rows[i].may) {
            must_refuse(&f, sn_access_withdraw, rows[i].actor, T0 + 2 * MINUTE, "NOT_AUTHORIZED");
        } else {
            must_refuse(&f, sn_access_withdraw, rows[i].actor, T0 + 91 * MINUTE, "INVALID_TRANSITION");
            step = must(&f, sn_access_withdraw, rows[i].actor, T0 + 2 * MINUTE);
            assert_int_equal(step.event, SN_ACCESS_EVENT_WITHDRAWN);
            assert_int_equal(step.floor, SN_FLOOR_ENDED);
            assert_int_equal(f.request.status, SN_ACCESS_APPROVED);
            assert_false(sn_access_request_is_open(&f.request, T0 + 2 * MINUTE));
            must_refuse(&f, sn_access_withdraw, rows[i].actor, T0 + 3 * MINUTE, "INVALID_TRANSITION");
        }
        sn_arena_clear(&f.arena);
    }
}

/* An approver takes the own approval back; one session of a shared role cannot take back another's. */
static void own_approval_withdrawn(void **state)
{
    (void)state;
    struct fixture f;
    struct sn_access_step step;

    set_up(&f);
    f.rule.approvals_required = 3;
    must(&f, sn_access_approve, MIRA_ARN, T0 + MINUTE);
    must(&f, sn_access_approve, DUTY_ARN "one", T0 + MINUTE);
    must_refuse(&f, sn_access_withdraw, TOM_ARN, T0 + MINUTE, "NOT_AUTHORIZED");
    must_refuse(&f, sn_access_withdraw, DUTY_ARN "two", T0 + MINUTE, "NOT_AUTHORIZED");
    step = must(&f, sn_access_withdraw, MIRA_ARN, T0 + 2 * MINUTE);
    assert_int_equal(step.event, SN_ACCESS_EVENT_APPROVAL_WITHDRAWN);
    assert_int_equal(step.floor, SN_FLOOR_LOWER);
    must_refuse(&f, sn_access_withdraw, MIRA_ARN, T0 + 2 * MINUTE, "NOT_AUTHORIZED");
    step = must(&f, sn_access_deny, MIRA_ARN, T0 + 3 * MINUTE);
    assert_int_equal(step.event, SN_ACCESS_EVENT_DENIED);
    assert_int_equal(step.floor, SN_FLOOR_ENDED);
    assert_slice_equal(f.request.approver_comment, "agreed");
    sn_arena_clear(&f.arena);
}

/* The list of approvals has an end, and whoever approves again takes the own place. */
static void approvals_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    char arn[128];

    set_up(&f);
    f.rule.approvals_required = 10;
    for (int i = 0; i < SN_APPROVALS_MAX; i++) {
        snprintf(arn, sizeof(arn), "arn:aws:iam::111122223333:user/u%d", i);
        f.document.entries[5] = arn + sizeof("arn:aws:iam::111122223333:user/") - 1;
        must(&f, sn_access_approve, arn, T0 + MINUTE);
    }
    must_refuse(&f, sn_access_approve, MIRA_ARN, T0 + MINUTE, "TOO_MANY_APPROVALS");
    sn_arena_clear(&f.arena);
}

/* --- Creation --- */

static struct sn_access_ask ask_of(struct fixture *f, int64_t duration_s)
{
    f->actor = caller(ANN_ARN);
    return (struct sn_access_ask){.requester = &f->actor,
        .profile = SN_S("ledger-prod"),
        .role_arn = SN_S(ROLE_ARN),
        .justification = SN_S("  Rotate ledger signing key, CHG-88\n"),
        .duration_s = duration_s,
        .rule = f->has_rule ? &f->rule : NULL,
        .now_ms = T0,
        .retention_days = 90,
        .id = {"4t7kq9zb2m6wxe3h"},
        .write_id = {"c5e0r9v2k7m4x1tz"},
        .arena = &f->arena};
}

/* APR-06: a request above eight hours is cut to eight hours; the record is the published one. */
static void create(void **state)
{
    (void)state;
    struct sn_seal_keys keys;
    struct fixture f;
    struct sn_access_step step;
    struct sn_error err;
    char seal[SN_SEAL_MAX + 1];
    bool is_capped;

    make_key(&keys);
    set_up(&f);
    struct sn_access_ask ask = ask_of(&f, 5400);
    assert_ok(sn_access_create(&ask, &step, &is_capped, &err), &err);
    assert_false(is_capped);
    assert_ok(sn_access_request_check(&step.next, &err), &err);
    sn_access_request_seal(&keys, &step.next, seal);
    assert_string_equal(seal, "v1:k1:e3af19f4c5fa4880f82d5be9ac575307166022d2295ee78ac871db9885d105e5");
    assert_int_equal(step.next.ttl_unix_s, 1943687663);

    ask = ask_of(&f, 43200);
    assert_ok(sn_access_create(&ask, &step, &is_capped, &err), &err);
    assert_true(is_capped);
    assert_int_equal(step.next.duration_s, 28800);
    ask = ask_of(&f, 59);
    assert_fails(sn_access_create(&ask, &step, &is_capped, &err), &err, "INVALID_DURATION");
    ask = ask_of(&f, 60);
    ask.justification = SN_S("too short");
    assert_fails(sn_access_create(&ask, &step, &is_capped, &err), &err, "INVALID_JUSTIFICATION");
    f.has_rule = false;
    ask = ask_of(&f, 60);
    assert_ok(sn_access_create(&ask, &step, &is_capped, &err), &err);
    assert_int_equal(step.next.status, SN_ACCESS_PENDING);
    assert_int_equal(step.next.approvals_required, 1);
    sn_seal_keys_clear(&keys);
    sn_arena_clear(&f.arena);
}

/* APR-13: a request that the policy approves is open at once and needs nobody. */
static void auto_approved(void **state)
{
    (void)state;
    struct fixture f;
    struct sn_access_step step;
    struct sn_error err;
    bool is_capped;

    set_up(&f);
    f.rule.single_use = true;
    struct sn_access_ask ask = ask_of(&f, 2700);
    ask.is_auto_approved = true;
    assert_ok(sn_access_create(&ask, &step, &is_capped, &err), &err);
    assert_ok(sn_access_request_check(&step.next, &err), &err);
    assert_int_equal(step.next.status, SN_ACCESS_APPROVED);
    assert_true(step.next.auto_approved);
    assert_true(step.next.single_use);
    assert_int_equal(step.next.approvals_required, 0);
    assert_slice_equal(step.next.approver, "ann.lee@example.com");
    assert_slice_equal(step.next.approver_comment, "auto-approved by policy");
    assert_int_equal(sn_access_request_window_end_ms(&step.next), T0 + 45 * MINUTE);
    sn_arena_clear(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_approval_is_judged),
        cmocka_unit_test(two_persons_approve),
        cmocka_unit_test(attack_13_one_human_counts_once),
        cmocka_unit_test(attack_17_approver_removed),
        cmocka_unit_test(the_larger_number_is_in_force),
        cmocka_unit_test(attack_13_self_approval),
        cmocka_unit_test(who_may_decide),
        cmocka_unit_test(attack_14_binding),
        cmocka_unit_test(expiry),
        cmocka_unit_test(cancel_and_withdraw),
        cmocka_unit_test(own_approval_withdrawn),
        cmocka_unit_test(approvals_are_bounded),
        cmocka_unit_test(create),
        cmocka_unit_test(auto_approved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
